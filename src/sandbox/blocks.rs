//! Block Kit: whether Slack would take these blocks.
//!
//! Most of it is a JSON Schema, made from Slack's documentation and the types of its SDK; what a
//! schema cannot state is in [`block_rules`](super::block_rules).

use std::{collections::HashMap, sync::LazyLock};

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Value, json};

use super::block_rules::{message_rules, view_rules};

/// Documented as “250kb”.
const VIEW_BYTES: usize = 250 * 1024;

/// One place that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// JSON pointer into the body of the call.
    pub(super) pointer: String,
    pub(super) message: String,
}

/// Where the blocks are to appear.
#[derive(Clone, Copy, Debug)]
pub(super) enum Surface {
    /// A message; `response` where it answers a person, which allows `response_type`.
    Message { response: bool },
    /// A view under `view` that fits this definition.
    View(&'static str),
    /// The acknowledgement of a submission.
    Submission,
    /// The acknowledgement of a question for options.
    Suggestion,
}

impl Surface {
    pub(super) fn message(method: &str) -> Self {
        Self::Message {
            response: ["ack.slash_command", "response_url"].contains(&method),
        }
    }

    pub(super) fn view(method: &str) -> Self {
        Self::View(match method {
            "views.publish" => "HomeView",
            "views.update" => "AnyView",
            _ => "ModalView",
        })
    }
}

static VALIDATORS: LazyLock<HashMap<&'static str, LazyLock<Validator>>> = LazyLock::new(|| {
    HashMap::from([
        (
            "Message",
            LazyLock::new((|| validator("Message")) as fn() -> _),
        ),
        ("HomeView", LazyLock::new(|| validator("HomeView"))),
        ("ModalView", LazyLock::new(|| validator("ModalView"))),
        ("AnyView", LazyLock::new(|| validator("AnyView"))),
        (
            "PlainTextOption",
            LazyLock::new(|| validator("PlainTextOption")),
        ),
        (
            "ViewSubmissionResponse",
            LazyLock::new(|| validator("ViewSubmissionResponse")),
        ),
    ])
});

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("slack/blockkit.schema.json"))
        .expect("the embedded schema is JSON")
});

fn validator(definition: &str) -> Validator {
    let schema = json!({
        "$schema": SCHEMA["$schema"],
        "$ref": format!("#/definitions/{definition}"),
        "definitions": SCHEMA["definitions"],
    });
    jsonschema::draft7::new(&schema).expect("the embedded schema is a schema")
}

/// Everything that is wrong with the body of a call or of an acknowledgement.
pub(super) fn check(surface: &Surface, body: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    match surface {
        Surface::Message { response } => {
            against("Message", body, "", &mut problems);
            message_rules(body, *response, &mut problems);
        }
        Surface::View(definition) => {
            against(definition, &body["view"], "/view", &mut problems);
            view_rules(&body["view"], "/view", &mut problems);
        }
        Surface::Submission => {
            against("ViewSubmissionResponse", body, "", &mut problems);
            if body["view"].is_object() {
                view_rules(&body["view"], "/view", &mut problems);
            }
        }
        Surface::Suggestion => suggestion(body, &mut problems),
    }
    problems.dedup();
    problems
}

fn suggestion(body: &Value, problems: &mut Vec<Problem>) {
    let lists = ["options", "option_groups"].map(|name| (name, body[name].as_array()));
    if lists.iter().filter(|(_, list)| list.is_some()).count() != 1 {
        problems.push(Problem {
            pointer: String::new(),
            message: "exactly one of options, option_groups is required".to_owned(),
        });
    }
    for (name, list) in lists {
        let Some(list) = list else { continue };
        if list.len() > 100 {
            problems.push(Problem {
                pointer: format!("/{name}"),
                message: format!("no more than 100 items allowed, these are {}", list.len()),
            });
        }
        for (at, item) in list.iter().enumerate() {
            match item["options"].as_array() {
                Some(options) if name == "option_groups" => {
                    for (option_at, option) in options.iter().enumerate() {
                        let base = format!("/{name}/{at}/options/{option_at}");
                        against("PlainTextOption", option, &base, problems);
                    }
                }
                _ => against("PlainTextOption", item, &format!("/{name}/{at}"), problems),
            }
        }
    }
}

/// Larger than Slack takes, counted as it would be sent.
pub(super) fn too_large(view: &Value) -> bool {
    view.to_string().len() > VIEW_BYTES
}

/// As Slack lists them in `response_metadata.messages`.
pub(super) fn messages(problems: &[Problem]) -> Vec<String> {
    problems
        .iter()
        .map(|problem| {
            format!(
                "[ERROR] {} [json-pointer:{}]",
                problem.message, problem.pointer
            )
        })
        .collect()
}

fn against(definition: &str, value: &Value, base: &str, problems: &mut Vec<Problem>) {
    let Some(validator) = VALIDATORS.get(definition) else {
        return;
    };
    if validator.is_valid(value) {
        return;
    }
    for error in validator.iter_errors(value) {
        leaves(&error, &mut |leaf| {
            problems.push(Problem {
                pointer: format!("{base}{}", leaf.instance_path().as_str()),
                message: describe(leaf),
            });
        });
    }
}

/// The innermost errors, of the alternative that got furthest: the others say only that this is not
/// another kind of block.
fn leaves(error: &ValidationError<'_>, found: &mut impl FnMut(&ValidationError<'_>)) {
    let (ValidationErrorKind::AnyOf { context }
    | ValidationErrorKind::OneOfNotValid { context }
    | ValidationErrorKind::OneOfMultipleValid { context }) = error.kind()
    else {
        found(error);
        return;
    };
    let only_required = context.iter().flatten().all(|inner| {
        matches!(inner.kind(), ValidationErrorKind::Required { .. })
            && inner.instance_path().as_str() == error.instance_path().as_str()
    });
    let furthest = |errors: &Vec<ValidationError<'static>>| {
        let deepest = errors
            .iter()
            .map(|inner| inner.instance_path().as_str().matches('/').count())
            .max();
        (deepest, std::cmp::Reverse(errors.len()))
    };
    // Of equals the first: alternatives are listed with the likeliest first.
    match context.iter().rev().max_by_key(|errors| furthest(errors)) {
        Some(best) if !only_required => {
            for inner in best {
                leaves(inner, found);
            }
        }
        _ => found(error),
    }
}

fn describe(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::MaxItems { limit } => format!("no more than {limit} items allowed"),
        ValidationErrorKind::MinItems { limit } => format!("no fewer than {limit} items allowed"),
        ValidationErrorKind::MaxLength { limit } => {
            format!("must be no more than {limit} characters")
        }
        ValidationErrorKind::MinLength { limit } => {
            format!("must be at least {limit} characters")
        }
        ValidationErrorKind::Required { property } => {
            format!(
                "missing required field: {}",
                property.as_str().unwrap_or_default()
            )
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("invalid additional property: {}", unexpected.join(", "))
        }
        ValidationErrorKind::AnyOf { .. } => "one of several fields is required".to_owned(),
        _ => {
            let mut message = error.to_string();
            if let Some((at, _)) = message.char_indices().nth(200) {
                message.truncate(at);
                message.push('…');
            }
            message
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body of a recorded call, with what forms carry as strings decoded.
    fn problems(call: &Value) -> Vec<Problem> {
        let method = call["method"].as_str().unwrap();
        let mut body = call["body"].clone();
        for name in ["view", "blocks", "attachments"] {
            if let Some(decoded) = body[name]
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok())
            {
                body[name] = decoded;
            }
            if body[name].is_null() {
                body.as_object_mut().unwrap().remove(name);
            }
        }
        let surface = match method {
            "ack.view_submission" | "ack.slash_command" if body == json!({}) => return Vec::new(),
            "response_url" if body == json!({"delete_original": true}) => return Vec::new(),
            "ack.view_submission" => Surface::Submission,
            "ack.block_suggestion" => Surface::Suggestion,
            method if method.starts_with("views.") => Surface::view(method),
            method => Surface::message(method),
        };
        let mut problems = check(&surface, &body);
        if body["view"].is_object() && too_large(&body["view"]) {
            problems.push(Problem {
                pointer: "/view".to_owned(),
                message: "too large".to_owned(),
            });
        }
        problems
    }

    /// `$.body.view.blocks[0].text` as a JSON pointer.
    fn pointer(path: &str) -> String {
        path.trim_start_matches("$.body")
            .replace(['.', '['], "/")
            .replace(']', "")
    }

    #[test]
    fn what_slack_takes_is_taken() {
        let good: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/slack/good.json")).unwrap();
        for (at, call) in good.iter().enumerate() {
            assert_eq!(problems(call), [], "call {at}: {}", call["method"]);
        }
    }

    #[test]
    fn what_slack_refuses_is_refused_at_the_right_place() {
        let bad: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/slack/bad.json")).unwrap();
        // Missing arguments are the Web API's business: see its own tests.
        let elsewhere = ["no trigger", "no channel"];
        for case in &bad {
            let name = case["name"].as_str().unwrap();
            if elsewhere.contains(&name) {
                continue;
            }
            let expected = pointer(case["expect"].as_str().unwrap());
            let found = problems(&case["call"]);
            assert!(
                found.iter().any(|problem| problem.pointer == expected),
                "{name}: expected {expected}, found {found:?}"
            );
        }
    }

    #[test]
    fn options_are_checked_before_a_person_sees_them() {
        let option = json!({"text": {"type": "plain_text", "text": "Acme"}, "value": "p:1"});
        let check = |body| check(&Surface::Suggestion, &body);
        assert_eq!(check(json!({"options": [option]})), []);
        assert_eq!(
            check(json!({"option_groups": [
                {"label": {"type": "plain_text", "text": "x"}, "options": [option]}]})),
            []
        );
        assert_eq!(check(json!({}))[0].pointer, "");
        assert_eq!(
            check(json!({"options": vec![option; 101]}))[0].pointer,
            "/options"
        );
        assert_eq!(
            check(json!({"options": [{"value": "x"}]}))[0].pointer,
            "/options/0"
        );
    }
}
