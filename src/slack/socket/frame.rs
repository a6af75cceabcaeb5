//! What stands in a frame.

use std::{borrow::Cow, sync::Arc};

use serde::Deserialize;
use serde_json::value::RawValue;

/// One frame from Slack.
#[derive(Debug)]
pub(super) enum Frame {
    /// The connection may be used from now on.
    Hello { app_id: Option<String> },
    /// Slack will close this connection.
    Disconnect { reason: String },
    /// Something to handle and to acknowledge.
    Envelope(Envelope),
    /// Not understood. It is acknowledged all the same where it carries an id, or Slack would repeat it.
    Unknown {
        envelope_id: Option<String>,
        problem: String,
    },
}

#[derive(Clone, Debug)]
pub(in crate::slack) struct Envelope {
    pub(in crate::slack) id: String,
    pub(in crate::slack) kind: String,
    pub(in crate::slack) payload: Arc<RawValue>,
    pub(in crate::slack) accepts_answer: bool,
    pub(in crate::slack) retry_attempt: u32,
    pub(in crate::slack) retry_reason: Option<String>,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    envelope_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    accepts_response_payload: Option<bool>,
    retry_attempt: Option<u32>,
    #[serde(borrow)]
    retry_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    connection_info: Option<ConnectionInfo>,
}

#[derive(Deserialize)]
struct ConnectionInfo {
    app_id: Option<String>,
}

impl Frame {
    pub(super) fn read(text: &str) -> Self {
        let raw: Raw<'_> = match serde_json::from_str(text) {
            Ok(raw) => raw,
            Err(error) => {
                return Self::Unknown {
                    envelope_id: envelope_id_in(text),
                    // Where, not what: the text of a frame never goes into the log.
                    problem: format!("{:?} error at column {}", error.classify(), error.column()),
                };
            }
        };
        let kind = raw.kind.unwrap_or_default();
        match (&*kind, raw.envelope_id, raw.payload) {
            ("hello", ..) => Self::Hello {
                app_id: raw.connection_info.and_then(|info| info.app_id),
            },
            ("disconnect", ..) => Self::Disconnect {
                reason: raw.reason.unwrap_or_default().into_owned(),
            },
            (_, Some(id), Some(payload)) if !kind.is_empty() => Self::Envelope(Envelope {
                id: id.into_owned(),
                kind: kind.into_owned(),
                payload: Arc::from(payload.to_owned()),
                accepts_answer: raw.accepts_response_payload.unwrap_or(false),
                retry_attempt: raw.retry_attempt.unwrap_or(0),
                retry_reason: raw
                    .retry_reason
                    .filter(|r| !r.is_empty())
                    .map(Cow::into_owned),
            }),
            (_, envelope_id, payload) => Self::Unknown {
                envelope_id: envelope_id.map(Cow::into_owned),
                problem: format!(
                    "type “{}”{}",
                    kind.chars().take(40).collect::<String>(),
                    if payload.is_none() {
                        " without a payload"
                    } else {
                        ""
                    }
                ),
            },
        }
    }
}

/// The id of an envelope whose other fields are of the wrong kind.
fn envelope_id_in(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct OnlyId {
        envelope_id: Option<serde_json::Value>,
    }
    let id = serde_json::from_str::<OnlyId>(text).ok()?.envelope_id?;
    id.as_str().map(str::to_owned)
}

/// An acknowledgement, with or without an answer.
pub(super) fn acknowledgement(envelope_id: &str, answer: Option<&RawValue>) -> String {
    let id = serde_json::Value::from(envelope_id);
    match answer {
        Some(answer) => format!(r#"{{"envelope_id":{id},"payload":{answer}}}"#),
        None => format!(r#"{{"envelope_id":{id}}}"#),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_read_whole() {
        let Frame::Envelope(envelope) = Frame::read(
            r#"{"envelope_id":"e1","type":"events_api","accepts_response_payload":false,"retry_attempt":1,
               "retry_reason":"timeout","payload":{"a":"ü"}}"#,
        ) else {
            panic!("not an envelope")
        };
        assert_eq!(
            (envelope.id.as_str(), envelope.kind.as_str()),
            ("e1", "events_api")
        );
        assert_eq!(
            (envelope.retry_attempt, envelope.retry_reason.as_deref()),
            (1, Some("timeout"))
        );
        assert_eq!(envelope.payload.get(), r#"{"a":"ü"}"#);
    }

    #[test]
    fn what_is_not_understood_keeps_its_id_and_shows_nothing_of_its_text() {
        for (text, id) in [
            (r#"{"envelope_id":"e1","type":"novelty"}"#, Some("e1")),
            (
                r#"{"envelope_id":"e1","type":7,"payload":{"secret":1}}"#,
                Some("e1"),
            ),
            (
                r#"{"envelope_id":"e1","type":"x","retry_attempt":"many","payload":{}}"#,
                Some("e1"),
            ),
            (r#"{"envelope_id":7,"type":"x","payload":{}}"#, None),
            ("secret", None),
            ("", None),
            ("[]", None),
            ("null", None),
        ] {
            let Frame::Unknown {
                envelope_id,
                problem,
            } = Frame::read(text)
            else {
                panic!("{text} was understood")
            };
            assert_eq!(envelope_id.as_deref(), id, "{text}");
            assert!(!problem.contains("secret"), "{problem}");
        }
    }

    #[test]
    fn acknowledgements_are_json_even_for_strange_ids() {
        let text = acknowledgement("a\"b", None);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap()["envelope_id"],
            "a\"b"
        );
    }
}
