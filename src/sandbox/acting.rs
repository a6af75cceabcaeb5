//! The words of acting as a person: what is acted upon, what is chosen, what cannot be done.

use serde_json::{Value, json};

use super::{
    elements::{self, Found},
    world::{Message, View},
};

/// What a person acts upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A message, by conversation and `ts`.
    Message {
        /// `C…` or `D…`.
        channel: String,
        /// The message's id.
        ts: String,
    },
    /// A modal or a Home tab, by its id.
    View(String),
}

impl From<&Message> for Target {
    fn from(message: &Message) -> Self {
        Self::Message {
            channel: message.channel.clone(),
            ts: message.ts.clone(),
        }
    }
}

impl From<&View> for Target {
    fn from(view: &View) -> Self {
        Self::View(view.id.clone())
    }
}

/// What a person enters or picks.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// Typed into a text, number, address or e-mail field.
    Text(String),
    /// The option with this value, of a menu that has its options in the blocks.
    Option(String),
    /// The options with these values, of checkboxes or a menu for several.
    Options(Vec<String>),
    /// An option that [`suggest`](super::Sandbox::suggest) gave.
    Suggested(Value),
    /// Several of them.
    SuggestedMany(Vec<Value>),
    /// A date (`2026-11-20`), a time (`17:30`), or the id of a user, channel or conversation.
    Is(String),
    /// The ids of several users, channels or conversations.
    Are(Vec<String>),
    /// Seconds since 1970, for a picker of date and time.
    At(i64),
    /// Emptied.
    Nothing,
}

/// Why a person cannot do that: it is not on their screen, or Slack's own interface stops them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unable {
    /// No such person.
    #[error("there is nobody called {0}")]
    NoPerson(String),
    /// No such conversation, or not one of theirs.
    #[error("there is no conversation {0} for this person")]
    NoChannel(String),
    /// No such message, or not visible to them.
    #[error("there is no message {0} for this person")]
    NoMessage(String),
    /// No such view, or not on their screen.
    #[error("there is no view {0} on this person's screen")]
    NoView(String),
    /// No element with that name.
    #[error("there is no {name}; there are: {there}")]
    NoElement {
        /// What was asked for.
        name: String,
        /// What there is, as `block_id/action_id`.
        there: String,
    },
    /// Several elements with that name: say which, as `block_id/action_id`.
    #[error("{name} is there several times: {there}")]
    SeveralElements {
        /// What was asked for.
        name: String,
        /// Where it is, as `block_id/action_id`.
        there: String,
    },
    /// The menu has no option with that value.
    #[error("{element} has no option {option}; it has: {there}")]
    NoOption {
        /// The menu's action id.
        element: String,
        /// What was asked for.
        option: String,
        /// What there is.
        there: String,
    },
    /// This kind of element takes another kind of choice.
    #[error("a {0} cannot take that choice")]
    WrongChoice(String),
    /// Slack does not send a form while these fields are empty.
    #[error("these fields must be filled: {0}")]
    EmptyFields(String),
    /// The modal has no submit button.
    #[error("this modal cannot be submitted")]
    NoSubmit,
    /// The manifest has no such shortcut.
    #[error("there is no shortcut {0}")]
    NoShortcut(String),
    /// Nothing with that id was sent lately.
    #[error("no envelope {0} was sent lately")]
    NoEnvelope(String),
}

/// Finds an element by `action_id`, or by `block_id/action_id` where it is there several times.
pub(super) fn find<'a>(blocks: &'a [Value], name: &str) -> Result<Found<'a>, Unable> {
    let all = elements::all(blocks);
    let matching: Vec<&Found<'_>> = all
        .iter()
        .filter(|found| {
            let action_id = found.action_id();
            action_id == name
                || name
                    .strip_suffix(action_id)
                    .and_then(|rest| rest.strip_suffix('/'))
                    .is_some_and(|block_id| block_id == found.block_id)
        })
        .collect();
    match matching.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Unable::NoElement {
            name: name.to_owned(),
            there: names(&all.iter().collect::<Vec<_>>()),
        }),
        several => Err(Unable::SeveralElements {
            name: name.to_owned(),
            there: names(several),
        }),
    }
}

fn names(found: &[&Found<'_>]) -> String {
    found
        .iter()
        .map(|found| format!("{}/{}", found.block_id, found.action_id()))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Choice {
    /// Slack's value object for this choice in that element.
    pub(super) fn value(&self, element: &Value) -> Result<Value, Unable> {
        let kind = element["type"].as_str().unwrap_or_default();
        let wrong = || Unable::WrongChoice(kind.to_owned());
        let field = elements::value_field(kind).ok_or_else(wrong)?;
        let many = field.ends_with('s');
        let value = match self {
            Self::Nothing if many => json!([]),
            Self::Nothing => Value::Null,
            Self::Text(text) if field == "value" => json!(text),
            Self::Option(option) if field == "selected_option" => pick(element, option)?,
            Self::Options(options) if field == "selected_options" => json!(
                options
                    .iter()
                    .map(|option| pick(element, option))
                    .collect::<Result<Vec<_>, _>>()?
            ),
            Self::Suggested(option) if field == "selected_option" => option.clone(),
            Self::SuggestedMany(options) if field == "selected_options" => json!(options),
            Self::Is(id) if !many && !["value", "selected_option"].contains(&field) => json!(id),
            Self::Are(ids) if many && field != "selected_options" => json!(ids),
            Self::At(seconds) if field == "selected_date_time" => json!(seconds),
            _ => return Err(wrong()),
        };
        Ok(json!({"type": kind, field: value}))
    }
}

fn pick(element: &Value, wanted: &str) -> Result<Value, Unable> {
    elements::options(element)
        .find(|option| option["value"] == wanted)
        .cloned()
        .ok_or_else(|| Unable::NoOption {
            element: element["action_id"].as_str().unwrap_or_default().to_owned(),
            option: wanted.to_owned(),
            there: elements::options(element)
                .filter_map(|option| option["value"].as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks() -> Vec<Value> {
        vec![
            json!({"type": "section", "block_id": "entry:1", "accessory": {
                "type": "overflow", "action_id": "entry.menu", "options": [{"value": "edit 1"}]}}),
            json!({"type": "section", "block_id": "entry:2", "accessory": {
                "type": "overflow", "action_id": "entry.menu", "options": [{"value": "edit 2"}]}}),
            json!({"type": "actions", "block_id": "today", "elements": [
                {"type": "button", "action_id": "entry.new"}]}),
        ]
    }

    #[test]
    fn an_element_is_found_by_its_name_or_by_block_and_name() {
        let blocks = blocks();
        assert_eq!(find(&blocks, "entry.new").unwrap().block_id, "today");
        assert_eq!(
            find(&blocks, "entry:2/entry.menu").unwrap().block_id,
            "entry:2"
        );
        assert!(matches!(
            find(&blocks, "entry.menu"),
            Err(Unable::SeveralElements { .. })
        ));
        assert!(matches!(find(&blocks, "no"), Err(Unable::NoElement { .. })));
    }

    #[test]
    fn a_choice_must_fit_the_element() {
        let blocks = blocks();
        let menu = find(&blocks, "entry:1/entry.menu").unwrap().element;
        let edit = Choice::Option("edit 1".to_owned()).value(menu).unwrap();
        assert_eq!(edit["selected_option"]["value"], "edit 1");
        assert!(matches!(
            Choice::Option("edit 2".to_owned()).value(menu),
            Err(Unable::NoOption { .. })
        ));
        assert!(matches!(
            Choice::Text("x".to_owned()).value(menu),
            Err(Unable::WrongChoice(_))
        ));
    }
}
