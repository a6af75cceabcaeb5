//! What is kept for looking at afterwards: traffic, acknowledgements, violations.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;

use super::{Sandbox, locked, page_events::Shown, socket::ConnectionId};

const KEPT: usize = 500;
const ACKS_KEPT: usize = 10_000;

/// Something the bot did that Slack refuses, or did too late. A test asserts that there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What it was about: `views.publish`, `ack`, `response_url`, `socket`.
    pub subject: String,
    /// Slack's error string, or ours where Slack has none (`late_ack`, `no_ack`, `unknown_ack`).
    pub error: String,
    /// One line for each place that is wrong.
    pub details: Vec<String>,
}

/// An acknowledgement that arrived.
#[derive(Clone, Debug)]
pub struct Ack {
    /// The envelope it answers.
    pub envelope_id: String,
    /// The connection it came on.
    pub connection: ConnectionId,
    /// What came with it.
    pub payload: Option<Value>,
    /// From the moment the envelope was handed to the connection.
    pub latency: Duration,
}

/// One line of the traffic list.
#[derive(Clone, Debug, Serialize)]
pub struct Traffic {
    /// Rises by one.
    pub id: u64,
    /// RFC 3339, by the sandbox's clock.
    pub at: String,
    /// `to_bot` or `from_bot`.
    pub direction: &'static str,
    /// `slash_commands`, `interactive`, `events_api`, `ack`, `web_api`, `response_url`, `socket`,
    /// `openid`, `google`, `microsoft`.
    pub kind: &'static str,
    /// What a person would call it.
    pub title: String,
    /// The envelope it belongs to.
    pub envelope_id: Option<String>,
    /// Not refused.
    pub ok: bool,
    /// Why it was refused.
    pub error: Option<String>,
    /// Latency of an acknowledgement in milliseconds.
    pub ack_ms: Option<f64>,
    /// Size of the body on the wire.
    pub bytes: usize,
    /// The body, with tokens taken out.
    pub body: Value,
}

impl Traffic {
    pub(super) fn to_bot(kind: &'static str, title: impl Into<String>) -> Self {
        Self {
            id: 0,
            at: String::new(),
            direction: "to_bot",
            kind,
            title: title.into(),
            envelope_id: None,
            ok: true,
            error: None,
            ack_ms: None,
            bytes: 0,
            body: Value::Null,
        }
    }

    pub(super) fn from_bot(kind: &'static str, title: impl Into<String>) -> Self {
        Self {
            direction: "from_bot",
            ..Self::to_bot(kind, title)
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Record {
    next: AtomicU64,
    traffic: Mutex<VecDeque<Traffic>>,
    acks: Mutex<VecDeque<Ack>>,
    violations: Mutex<VecDeque<Violation>>,
}

fn push<T>(ring: &Mutex<VecDeque<T>>, limit: usize, item: T) {
    let mut ring = locked(ring);
    if ring.len() >= limit {
        ring.pop_front();
    }
    ring.push_back(item);
}

impl Sandbox {
    /// Takes the entry only when traffic is recorded, so that a load test pays nothing for it.
    pub(super) fn trace(&self, entry: impl FnOnce() -> Traffic) {
        if !self.slack.options.record_traffic {
            return;
        }
        let record = &self.slack.record;
        let mut entry = entry();
        entry.id = record.next.fetch_add(1, Ordering::Relaxed) + 1;
        entry.at = self.slack.options.clock.now().to_rfc3339();
        redact(&mut entry.body);
        // It is the app's traffic, whichever workspace it is about.
        for workspace in &self.slack.workspaces {
            let shown = || Shown::Traffic(Box::new(entry.clone()));
            workspace.page.show(shown);
        }
        push(&record.traffic, KEPT, entry);
    }

    pub(super) fn violated(&self, subject: &str, error: &str, details: Vec<String>) {
        tracing::debug!(subject, error, ?details, "the sandbox refuses");
        push(
            &self.slack.record.violations,
            KEPT,
            Violation {
                subject: subject.to_owned(),
                error: error.to_owned(),
                details,
            },
        );
        self.slack.changed.notify_waiters();
    }

    pub(super) fn keep_ack(&self, ack: &Ack) {
        if self.slack.options.record_traffic {
            push(&self.slack.record.acks, ACKS_KEPT, ack.clone());
        }
    }

    /// Everything the bot did wrong so far, the latest 500.
    pub fn violations(&self) -> Vec<Violation> {
        locked(&self.slack.record.violations)
            .iter()
            .cloned()
            .collect()
    }

    /// The same, and forgets them: for tests that provoke a refusal.
    pub fn take_violations(&self) -> Vec<Violation> {
        locked(&self.slack.record.violations).drain(..).collect()
    }

    /// The acknowledgements that arrived, the latest 10,000. Empty unless traffic is recorded.
    pub fn acks(&self) -> Vec<Ack> {
        locked(&self.slack.record.acks).iter().cloned().collect()
    }

    /// The latest 500 lines of traffic. Empty unless traffic is recorded.
    pub fn traffic(&self) -> Vec<Traffic> {
        locked(&self.slack.record.traffic).iter().cloned().collect()
    }
}

const HIDDEN: &str = "[redacted]";

/// Fields that let somebody in.
const SECRETS: [&str; 8] = [
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "code",
    "code_verifier",
    "state",
];

/// Tokens and connection tickets have no place on a page that anybody may look at.
fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if SECRETS.contains(&name.as_str()) => {
                        HIDDEN.clone_into(text);
                    }
                    other => redact(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::String(text) => {
            if ["xoxb-", "xoxe", "xapp-", "xoxp-"]
                .iter()
                .any(|kind| text.starts_with(kind))
            {
                HIDDEN.clone_into(text);
            } else if text.starts_with("ws://")
                && let Some(at) = text.find("ticket=")
            {
                text.truncate(at + "ticket=".len());
                text.push_str(HIDDEN);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_and_tickets_are_taken_out() {
        let mut body = json!({
            "token": "abc", "url": "ws://127.0.0.1:1/link/?ticket=t1&app_id=A1",
            "deep": [{"bot": "xoxb-1"}, {"bot": "xoxe.xoxb-1-1"}], "text": "xylophone", "client_secret": "s", "code": "c"
        });
        redact(&mut body);
        assert_eq!(
            body,
            json!({
                "token": HIDDEN, "url": format!("ws://127.0.0.1:1/link/?ticket={HIDDEN}"),
                "deep": [{"bot": HIDDEN}, {"bot": HIDDEN}], "text": "xylophone", "client_secret": HIDDEN,
                "code": HIDDEN
            })
        );
    }
}
