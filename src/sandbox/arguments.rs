//! The arguments of a call, and why it may be refused.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value, json};

/// Why a call was refused, in Slack's words.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: String,
    /// Goes into `response_metadata.messages`.
    pub(super) messages: Vec<String>,
    /// Further fields beside `error`.
    pub(super) more: Map<String, Value>,
}

impl Refusal {
    pub(super) fn new(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            messages: Vec::new(),
            more: Map::new(),
        }
    }

    pub(super) fn with(error: &str, messages: Vec<String>) -> Self {
        Self {
            messages,
            ..Self::new(error)
        }
    }

    /// The token lacks a scope; of several that would do, `needed` names all.
    pub(super) fn missing_scope(needed: &str, granted: &[String]) -> Self {
        let mut refusal = Self::new("missing_scope");
        for (name, scopes) in [("needed", needed), ("provided", &granted.join(","))] {
            refusal.more.insert(name.to_owned(), json!(scopes));
        }
        refusal
    }

    pub(super) fn json(self) -> Value {
        let mut answer = Value::Object(self.more);
        answer["ok"] = json!(false);
        answer["error"] = json!(self.error);
        if !self.messages.is_empty() {
            answer["response_metadata"] = json!({"messages": self.messages});
        }
        answer
    }
}

pub(super) type Answered = Result<Value, Refusal>;

/// The arguments of one call, whichever way they were sent.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) values: Map<String, Value>,
    /// Sent as a form, where structures are JSON in a string.
    pub(super) form: bool,
}

impl Arguments {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| {
            Refusal::with(
                "invalid_arguments",
                vec![format!("[ERROR] missing required field: {name}")],
            )
        })
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        match self.values.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true" || text == "1",
            _ => false,
        }
    }

    /// A structure: JSON itself, or JSON in a string, which Slack takes in both kinds of body.
    pub(super) fn structure(&self, name: &str) -> Result<Option<Value>, Refusal> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() && self.form => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| {
                Refusal::with(
                    "invalid_arguments",
                    vec![format!("[ERROR] {name} is not JSON")],
                )
            }),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    pub(super) fn read(
        headers: &HeaderMap,
        query: Option<&str>,
        body: &[u8],
    ) -> Result<Self, Refusal> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.split(';').next().unwrap_or_default().trim());
        let mut arguments = Self {
            values: pairs(query.unwrap_or_default().as_bytes()),
            form: true,
        };
        match kind {
            _ if body.is_empty() => {}
            None => return Err(Refusal::new("missing_post_type")),
            Some("application/json") => {
                let value: Value =
                    serde_json::from_slice(body).map_err(|_| Refusal::new("invalid_json"))?;
                let Value::Object(fields) = value else {
                    return Err(Refusal::new("json_not_object"));
                };
                arguments.values.extend(fields);
                arguments.form = false;
            }
            Some("application/x-www-form-urlencoded") => arguments.values.extend(pairs(body)),
            Some(_) => return Err(Refusal::new("invalid_post_type")),
        }
        Ok(arguments)
    }
}

fn pairs(form: &[u8]) -> Map<String, Value> {
    url::form_urlencoded::parse(form)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect()
}
