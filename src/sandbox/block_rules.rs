//! The rules of Block Kit that a JSON Schema cannot state: what must be unique, what must agree,
//! what is counted over several blocks.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{
    blocks::Problem,
    elements::{options, value_field},
};

const MARKDOWN_CHARACTERS: usize = 12_000;
const TABLE_CHARACTERS: usize = 10_000;

struct Problems<'a>(&'a mut Vec<Problem>);

impl Problems<'_> {
    fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem {
            pointer: pointer.into(),
            message: message.into(),
        });
    }
}

/// Everything inside a value, with its pointer.
fn walk<'a>(value: &'a Value, pointer: &str, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(pointer, value);
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                walk(field, &format!("{pointer}/{name}"), visit);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, &format!("{pointer}/{at}"), visit);
            }
        }
        _ => {}
    }
}

fn characters(value: &Value) -> usize {
    let mut count = 0;
    walk(value, "", &mut |_, inner| {
        count += inner["text"]
            .as_str()
            .map_or(0, |text| text.chars().count());
    });
    count
}

pub(super) fn message_rules(body: &Value, response: bool, problems: &mut Vec<Problem>) {
    block_rules(&body["blocks"], "/blocks", true, problems);
    for (at, attachment) in body["attachments"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let base = format!("/attachments/{at}/blocks");
        block_rules(&attachment["blocks"], &base, true, problems);
    }
    let mut problems = Problems(problems);
    let kind = &body["response_type"];
    if response && !kind.is_null() && kind != "ephemeral" && kind != "in_channel" {
        problems.add("/response_type", "must be ephemeral or in_channel");
    }
    let others = ["text", "blocks"].map(|name| !body[name].is_null());
    if !body["markdown_text"].is_null() && others.contains(&true) {
        problems.add("/markdown_text", "cannot be combined with text or blocks");
    }
}

pub(super) fn view_rules(view: &Value, base: &str, problems: &mut Vec<Problem>) {
    block_rules(&view["blocks"], &format!("{base}/blocks"), false, problems);
    let inputs = view["blocks"]
        .as_array()
        .is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "input"));
    if view["type"] == "modal" && inputs && view["submit"].is_null() {
        Problems(problems).add(base, "a modal with input blocks needs `submit`");
    }
}

fn block_rules(blocks: &Value, base: &str, message: bool, problems: &mut Vec<Problem>) {
    let Some(blocks) = blocks.as_array() else {
        return;
    };
    let mut problems = Problems(problems);
    let mut seen = HashSet::new();
    let mut focused = 0;
    for (at, block) in blocks.iter().enumerate() {
        let pointer = format!("{base}/{at}");
        if let Some(id) = block["block_id"].as_str()
            && !seen.insert(id)
        {
            problems.add(
                format!("{pointer}/block_id"),
                format!("duplicate block_id {id}"),
            );
        }
        kind_rules(block, &pointer, &mut problems);
        focused += element_rules(block, &pointer, &mut problems);
    }
    if focused > 1 {
        problems.add(base, "focus_on_load is true more than once");
    }
    let of_kind = |kind: &str| blocks.iter().filter(|block| block["type"] == kind).count();
    let markdown: usize = blocks
        .iter()
        .filter(|block| block["type"] == "markdown")
        .filter_map(|block| block["text"].as_str())
        .map(|text| text.chars().count())
        .sum();
    if markdown > MARKDOWN_CHARACTERS {
        problems.add(
            base,
            format!("{markdown} characters in all markdown blocks, at most {MARKDOWN_CHARACTERS}"),
        );
    }
    if message && of_kind("table") > 1 {
        problems.add(base, "only one table block per message");
    }
    if message && of_kind("data_visualization") > 2 {
        problems.add(base, "at most two data_visualization blocks per message");
    }
}

/// Rules of one kind of block.
fn kind_rules(block: &Value, pointer: &str, problems: &mut Problems<'_>) {
    match block["type"].as_str().unwrap_or_default() {
        "table" if characters(block) > TABLE_CHARACTERS => {
            problems.add(
                pointer,
                format!("more than {TABLE_CHARACTERS} characters in all cells"),
            );
        }
        "data_table" => {
            let rows: Vec<_> = block["rows"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_array)
                .collect();
            let lengths: HashSet<_> = rows.iter().map(|row| row.len()).collect();
            if lengths.len() > 1 {
                problems.add(format!("{pointer}/rows"), "rows have different lengths");
            }
            for (at, cell) in rows.first().into_iter().copied().flatten().enumerate() {
                if cell["type"] == "rich_text" {
                    problems.add(
                        format!("{pointer}/rows/0/{at}"),
                        "header cells cannot be rich_text",
                    );
                }
            }
        }
        "data_visualization" => chart_rules(&block["chart"], pointer, problems),
        "plan" => {
            let tasks = block["tasks"].as_array().into_iter().flatten();
            if !unique(tasks.map(|task| &task["task_id"])) {
                problems.add(
                    format!("{pointer}/tasks"),
                    "task_id must be unique in a plan",
                );
            }
        }
        "card" if !block["icon"].is_null() && !block["slack_icon"].is_null() => {
            problems.add(pointer, "icon and slack_icon cannot be combined");
        }
        "container" if block["default_collapsed"] == true && block["is_collapsible"] != true => {
            problems.add(
                format!("{pointer}/default_collapsed"),
                "needs is_collapsible: true",
            );
        }
        _ => {}
    }
}

fn chart_rules(chart: &Value, pointer: &str, problems: &mut Problems<'_>) {
    let Some(series) = chart["series"].as_array() else {
        return;
    };
    if !unique(series.iter().map(|one| &one["name"])) {
        problems.add(
            format!("{pointer}/chart/series"),
            "series names must be unique",
        );
    }
    let Some(categories) = chart["axis_config"]["categories"].as_array() else {
        return;
    };
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let wanted = sorted(categories.iter().map(Value::to_string).collect());
    for (at, one) in series.iter().enumerate() {
        let points = one["data"].as_array().into_iter().flatten();
        let labels = sorted(points.map(|point| point["label"].to_string()).collect());
        if !labels.is_empty() && labels != wanted {
            problems.add(
                format!("{pointer}/chart/series/{at}/data"),
                "every category needs exactly one data point",
            );
        }
    }
}

fn unique<'a>(values: impl Iterator<Item = &'a Value>) -> bool {
    let mut seen = HashSet::new();
    values.map(Value::to_string).all(|value| seen.insert(value))
}

/// Rules of the elements inside one block. Gives the number of those that want the focus.
fn element_rules(block: &Value, pointer: &str, problems: &mut Problems<'_>) -> usize {
    let mut actions: HashMap<&str, String> = HashMap::new();
    let mut focused = 0;
    walk(block, pointer, &mut |at, inner| {
        let kind = inner["type"].as_str().unwrap_or_default();
        let interactive = value_field(kind).is_some()
            || [
                "button",
                "workflow_button",
                "feedback_buttons",
                "icon_button",
            ]
            .contains(&kind);
        if interactive {
            if let Some(id) = inner["action_id"].as_str()
                && actions.insert(id, at.to_owned()).is_some()
            {
                problems.add(
                    format!("{at}/action_id"),
                    format!("duplicate action_id {id} in the same block"),
                );
            }
            focused += usize::from(inner["focus_on_load"] == true);
        }
        initial_rules(inner, kind, at, problems);
        if let Some(options) = inner["options"].as_array()
            && !unique(options.iter().map(|option| &option["value"]))
        {
            problems.add(format!("{at}/options"), "option values must be unique");
        }
        if let (Some(least), Some(most)) =
            (inner["min_length"].as_u64(), inner["max_length"].as_u64())
            && least > most
        {
            problems.add(at, "min_length is greater than max_length");
        }
    });
    focused
}

fn initial_rules(element: &Value, kind: &str, at: &str, problems: &mut Problems<'_>) {
    let offered = |wanted: &Value| options(element).any(|option| option == wanted);
    match kind {
        "static_select" | "radio_buttons" => {
            let initial = &element["initial_option"];
            if !initial.is_null() && !offered(initial) {
                problems.add(
                    format!("{at}/initial_option"),
                    "must equal one of the options",
                );
            }
        }
        "multi_static_select" | "checkboxes" => {
            if let Some(initial) = element["initial_options"].as_array() {
                if initial.is_empty() {
                    problems.add(format!("{at}/initial_options"), "must not be empty");
                }
                for (index, option) in initial.iter().enumerate() {
                    if !offered(option) {
                        problems.add(
                            format!("{at}/initial_options/{index}"),
                            "must equal one of the options",
                        );
                    }
                }
            }
        }
        "number_input" => {
            let initial = &element["initial_value"];
            let number = initial
                .as_str()
                .is_some_and(|text| text.parse::<f64>().is_ok());
            if !initial.is_null() && !number {
                problems.add(
                    format!("{at}/initial_value"),
                    "must be a number in a string",
                );
            }
        }
        _ => {}
    }
}
