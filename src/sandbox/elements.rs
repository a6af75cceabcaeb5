//! Interactive elements: finding them in blocks, and the values people enter into them.

use serde_json::{Map, Value, json};

use super::world::Entered;

/// An element with the block it stands in.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    pub(super) block_id: &'a str,
    pub(super) element: &'a Value,
}

impl Found<'_> {
    pub(super) fn action_id(&self) -> &str {
        self.element["action_id"].as_str().unwrap_or_default()
    }
}

/// Every element with an `action_id`, in reading order.
pub(super) fn all(blocks: &[Value]) -> Vec<Found<'_>> {
    fn walk<'a>(value: &'a Value, block_id: &'a str, found: &mut Vec<Found<'a>>) {
        match value {
            Value::Object(fields) => {
                let block_id = fields
                    .get("block_id")
                    .and_then(Value::as_str)
                    .unwrap_or(block_id);
                if fields.get("action_id").is_some_and(Value::is_string) {
                    found.push(Found {
                        block_id,
                        element: value,
                    });
                }
                for field in fields.values() {
                    walk(field, block_id, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, block_id, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for block in blocks {
        walk(block, "", &mut found);
    }
    found
}

/// The field that carries the value of this kind of element, in state and in actions.
pub(super) fn value_field(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "plain_text_input" | "number_input" | "email_text_input" | "url_text_input" => "value",
        "static_select" | "external_select" | "radio_buttons" | "overflow" => "selected_option",
        "multi_static_select" | "multi_external_select" | "checkboxes" => "selected_options",
        "datepicker" => "selected_date",
        "timepicker" => "selected_time",
        "datetimepicker" => "selected_date_time",
        "users_select" => "selected_user",
        "multi_users_select" => "selected_users",
        "conversations_select" => "selected_conversation",
        "multi_conversations_select" => "selected_conversations",
        "channels_select" => "selected_channel",
        "multi_channels_select" => "selected_channels",
        "rich_text_input" => "rich_text_value",
        "file_input" => "files",
        _ => return None,
    })
}

/// Whether the element keeps what was chosen: buttons and overflow menus do not.
pub(super) fn keeps_value(element: &Value) -> bool {
    let kind = element["type"].as_str().unwrap_or_default();
    kind != "overflow" && value_field(kind).is_some()
}

fn initial_field(field: &str) -> String {
    match field.strip_prefix("selected_") {
        Some(rest) => format!("initial_{rest}"),
        None => "initial_value".to_owned(),
    }
}

/// The value object of an element that nobody has touched.
fn untouched(element: &Value) -> Value {
    let kind = element["type"].as_str().unwrap_or_default();
    let Some(field) = value_field(kind) else {
        return Value::Null;
    };
    let many = field.ends_with('s');
    let value = element
        .get(initial_field(field))
        .cloned()
        .unwrap_or(if many { json!([]) } else { Value::Null });
    json!({"type": kind, field: value})
}

/// `state.values`: what is entered in these blocks now.
pub(super) fn state(blocks: &[Value], entered: &Entered) -> Map<String, Value> {
    let mut values = Map::new();
    for found in all(blocks) {
        if !keeps_value(found.element) {
            continue;
        }
        let value = entered
            .get(found.block_id)
            .and_then(|block| block.get(found.action_id()))
            .filter(|value| value["type"] == found.element["type"])
            .cloned()
            .unwrap_or_else(|| untouched(found.element));
        put(&mut values, found.block_id, found.action_id(), value);
    }
    values
}

pub(super) fn put(entered: &mut Entered, block_id: &str, action_id: &str, value: Value) {
    let block = entered
        .entry(block_id)
        .or_insert_with(|| Value::Object(Map::new()));
    block[action_id] = value;
}

/// Takes over what somebody entered elsewhere. Whatever has not the shape of a state is left out.
pub(super) fn merge(entered: &mut Entered, more: &Entered) {
    for (block_id, values) in more {
        for (action_id, value) in values.as_object().into_iter().flatten() {
            put(entered, block_id, action_id, value.clone());
        }
    }
}

/// After an update: what was entered stays where block id and action id are the same.
pub(super) fn forget(entered: &mut Entered, blocks: &[Value]) {
    let still: Vec<_> = all(blocks);
    entered.retain(|block_id, values| {
        if let Value::Object(values) = values {
            values.retain(|action_id, _| {
                still
                    .iter()
                    .any(|found| found.block_id == block_id && found.action_id() == action_id)
            });
        }
        values.as_object().is_some_and(|values| !values.is_empty())
    });
}

/// Fills in what Slack fills in: ids that were left out, and the defaults of text objects.
pub(super) fn complete(blocks: &mut [Value]) {
    for block in blocks {
        if block.is_object() && !block["block_id"].is_string() {
            block["block_id"] = json!(short_id());
        }
        complete_within(block);
    }
}

fn complete_within(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str);
            match kind {
                Some("plain_text") => {
                    fields.entry("emoji").or_insert(json!(true));
                }
                Some("mrkdwn") => {
                    fields.entry("verbatim").or_insert(json!(false));
                }
                Some(kind) if kind == "button" || value_field(kind).is_some() => {
                    fields
                        .entry("action_id")
                        .or_insert_with(|| json!(short_id()));
                }
                _ => {}
            }
            fields.values_mut().for_each(complete_within);
        }
        Value::Array(items) => items.iter_mut().for_each(complete_within),
        _ => {}
    }
}

fn short_id() -> String {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    rand::random::<[u8; 5]>()
        .map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]))
        .iter()
        .collect()
}

/// All options of a menu, those in groups included.
pub(super) fn options(element: &Value) -> impl Iterator<Item = &Value> {
    let groups = element["option_groups"].as_array();
    let grouped = groups
        .into_iter()
        .flatten()
        .filter_map(|group| group["options"].as_array());
    element["options"]
        .as_array()
        .into_iter()
        .chain(grouped)
        .flatten()
}

/// The entry of `actions` that a press or a choice makes.
pub(super) fn action(found: &Found<'_>, chosen: Option<&Value>, action_ts: &str) -> Value {
    let kind = found.element["type"].as_str().unwrap_or_default();
    let mut action = json!({
        "type": kind,
        "block_id": found.block_id,
        "action_id": found.action_id(),
        "action_ts": action_ts,
    });
    if let Some(fields) = found.element.as_object() {
        for (name, value) in fields {
            let kept = match name.as_str() {
                "placeholder" | "timezone" | "confirm" => true,
                "text" | "value" | "style" => kind == "button",
                other => other.starts_with("initial_"),
            };
            if kept {
                action[name] = value.clone();
            }
        }
    }
    if let (Some(field), Some(chosen)) = (value_field(kind), chosen) {
        action[field] = chosen[field].clone();
    }
    action
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks() -> Vec<Value> {
        let mut blocks = vec![
            json!({"type": "actions", "elements": [
                {"type": "button", "text": {"type": "plain_text", "text": "Undo"}},
                {"type": "timepicker", "action_id": "at", "initial_time": "17:00"},
            ]}),
            json!({"type": "input", "block_id": "who", "label": {"type": "plain_text", "text": "Who"},
                "element": {"type": "multi_users_select", "action_id": "value"}}),
        ];
        complete(&mut blocks);
        blocks
    }

    #[test]
    fn missing_ids_and_defaults_are_filled_in() {
        let blocks = blocks();
        assert_eq!(blocks[0]["block_id"].as_str().unwrap().len(), 5);
        assert!(blocks[0]["elements"][0]["action_id"].is_string());
        assert_eq!(blocks[0]["elements"][0]["text"]["emoji"], true);
    }

    #[test]
    fn state_starts_with_the_initial_values_and_follows_what_is_entered() {
        let blocks = blocks();
        let actions = blocks[0]["block_id"].as_str().unwrap();
        let mut entered = Entered::new();
        let before = state(&blocks, &entered);
        assert_eq!(
            before[actions]["at"],
            json!({"type": "timepicker", "selected_time": "17:00"})
        );
        assert_eq!(
            before["who"]["value"],
            json!({"type": "multi_users_select", "selected_users": []})
        );
        assert_eq!(
            before[actions].as_object().unwrap().len(),
            1,
            "buttons have no state"
        );
        let new = json!({"type": "timepicker", "selected_time": "18:30"});
        put(&mut entered, actions, "at", new.clone());
        assert_eq!(state(&blocks, &entered)[actions]["at"], new);
    }

    #[test]
    fn what_is_entered_goes_with_its_element() {
        let blocks = blocks();
        let mut entered = Entered::new();
        put(
            &mut entered,
            "who",
            "value",
            json!({"type": "multi_users_select"}),
        );
        put(&mut entered, "gone", "value", json!({}));
        forget(&mut entered, &blocks);
        assert!(entered.contains_key("who") && !entered.contains_key("gone"));
    }
}
