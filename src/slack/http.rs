//! HTTP mode: Slack's requests come to us, signed, instead of over a connection that we opened. What they carry is
//! handed to the same handler.
//!
//! Sources: docs.slack.dev, “Verifying requests from Slack”, “Slash commands”, “The Events API”.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use super::socket::{Answer, Deliverer, Envelope};

/// A signature is this old at most, and as much ahead, in seconds: a recorded request cannot be sent again later.
const FRESH_FOR: u64 = 300;

/// Takes Slack's requests.
#[derive(Clone)]
pub struct Inbox {
    secret: SecretString,
    deliverer: Arc<Deliverer>,
}

/// At which address a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// A slash command.
    Command,
    /// An event.
    Events,
    /// Somebody used a button, a form or a shortcut.
    Interactions,
}

/// What Slack says about a request in its headers; empty where it says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `X-Slack-Request-Timestamp`.
    pub timestamp: &'a str,
    /// `X-Slack-Signature`.
    pub signature: &'a str,
    /// `X-Slack-Retry-Num`.
    pub retry: &'a str,
    /// `X-Slack-Retry-Reason`.
    pub retry_reason: &'a str,
}

/// What became of a request.
#[derive(Debug)]
pub enum Received {
    /// It was handled, or is still being handled: the answer's body, JSON or nothing.
    Answer(Answer),
    /// Slack asks whether this is the address, and wants its word back.
    Challenge(String),
    /// The signature is missing, wrong or too old.
    Unsigned,
    /// It is signed, and not what belongs at this address.
    Unreadable,
    /// Nothing more is taken now; Slack brings an event again.
    Busy,
}

impl Inbox {
    /// Takes what is signed with `secret`, and hands it to `deliverer`.
    pub const fn new(secret: SecretString, deliverer: Arc<Deliverer>) -> Self {
        Self { secret, deliverer }
    }

    /// Takes a request. `body` is what was signed: the bytes as they came.
    pub async fn receive(
        &self,
        address: Address,
        headers: Headers<'_>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Received {
        // Slack looks now and then whether the certificate is good, without a signature. It says nothing, and gets nothing.
        if address == Address::Command && is_probe(body) {
            return Received::Answer(None);
        }
        if !is_signed(
            &self.secret,
            headers.timestamp,
            headers.signature,
            body,
            now,
        ) {
            return Received::Unsigned;
        }
        let read = match address {
            Address::Command => command(body),
            Address::Interactions => interaction(body),
            Address::Events => match event(body) {
                Some(Event::Challenge(challenge)) => return Received::Challenge(challenge),
                Some(Event::Callback(id, payload)) => Some((id, payload)),
                None => None,
            },
        };
        let Some((id, payload)) = read else {
            return Received::Unreadable;
        };
        let (kind, accepts_answer) = match address {
            Address::Command => ("slash_commands", true),
            Address::Interactions => ("interactive", true),
            Address::Events => ("events_api", false),
        };
        let envelope = Envelope {
            id,
            kind: kind.to_owned(),
            payload: Arc::from(payload),
            accepts_answer,
            retry_attempt: headers.retry.parse().unwrap_or(0),
            retry_reason: Some(headers.retry_reason.chars().take(40).collect()),
        };
        match self.deliverer.answer(envelope).await {
            Some(answer) => Received::Answer(answer.filter(|_| accepts_answer)),
            None => Received::Busy,
        }
    }
}

/// Whether Slack signed this: HMAC-SHA256 of `v0:timestamp:body`, compared in a time that does not depend on where it
/// differs.
fn is_signed(
    secret: &SecretString,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: DateTime<Utc>,
) -> bool {
    let Some(at) = timestamp.parse::<i64>().ok().filter(|at| *at >= 0) else {
        return false;
    };
    if at.abs_diff(now.timestamp()) > FRESH_FOR {
        return false;
    }
    let Some(signature) = signature.strip_prefix("v0=").and_then(bytes_of) else {
        return false;
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(b"v0:");
    mac.update(timestamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    mac.verify_slice(&signature).is_ok()
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

fn is_probe(body: &[u8]) -> bool {
    form_urlencoded::parse(body).any(|(name, value)| name == "ssl_check" && value == "1")
}

/// Names a request that Slack gives no id: the same bytes are the same request. Slack puts a new trigger in each.
fn digest_of(body: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(body))
}

/// A command comes as a form, and is handed on as the object that a socket brings.
fn command(body: &[u8]) -> Option<(String, Box<RawValue>)> {
    let fields: HashMap<_, _> = form_urlencoded::parse(body).collect();
    if fields
        .get("command")
        .is_none_or(|command| command.is_empty())
    {
        return None;
    }
    Some((digest_of(body), to_raw_value(&fields).ok()?))
}

fn interaction(body: &[u8]) -> Option<(String, Box<RawValue>)> {
    let payload = form_urlencoded::parse(body).find(|(name, _)| name == "payload")?;
    let payload = RawValue::from_string(payload.1.into_owned()).ok()?;
    Some((digest_of(body), payload))
}

enum Event {
    Challenge(String),
    /// With Slack's id of the event, which a repeated one keeps.
    Callback(String, Box<RawValue>),
}

fn event(body: &[u8]) -> Option<Event> {
    #[derive(Deserialize)]
    struct Outer {
        r#type: String,
        challenge: Option<String>,
        event_id: Option<String>,
    }
    let outer: Outer = serde_json::from_slice(body).ok()?;
    match (&*outer.r#type, outer.challenge) {
        ("url_verification", Some(challenge)) => Some(Event::Challenge(challenge)),
        ("url_verification", None) => None,
        _ => {
            let id = outer.event_id.filter(|id| !id.is_empty() && id.len() <= 64);
            let id = id.unwrap_or_else(|| digest_of(body));
            Some(Event::Callback(id, serde_json::from_slice(body).ok()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slack's own example: docs.slack.dev, “Verifying requests from Slack”.
    const VECTOR: &str = include_str!("../../tests/data/slack/docs_http_signature_vector.json");

    fn vector() -> (SecretString, String, String, String) {
        let vector: serde_json::Value = serde_json::from_str(VECTOR).unwrap();
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        (
            text("signing_secret").into(),
            text("timestamp"),
            text("signature"),
            text("body"),
        )
    }

    fn seconds(at: &str, off: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(at.parse::<i64>().unwrap() + off, 0).unwrap()
    }

    #[test]
    fn slacks_published_example_is_signed() {
        let (secret, at, signature, body) = vector();
        let body = body.as_bytes();
        assert!(is_signed(&secret, &at, &signature, body, seconds(&at, 0)));
        for off in [-300, 300] {
            assert!(
                is_signed(&secret, &at, &signature, body, seconds(&at, off)),
                "{off}"
            );
        }
        for off in [-301, 301, 86_400 * 365] {
            assert!(
                !is_signed(&secret, &at, &signature, body, seconds(&at, off)),
                "{off}"
            );
        }
    }

    #[test]
    fn nothing_else_is() {
        let (secret, at, signature, body) = vector();
        let now = seconds(&at, 0);
        let mut forged = signature.clone();
        forged.replace_range(3..4, if &forged[3..4] == "a" { "b" } else { "a" });
        let later = (at.parse::<i64>().unwrap() + 1).to_string();
        let more = format!("{body}&x=1");
        let unlike: SecretString = "another".to_owned().into();
        for (secret, at, signature, body) in [
            (&secret, &*at, &*forged, &*body),
            (&secret, &later, &signature, &body),
            (&secret, &at, &signature, &more),
            (&unlike, &at, &signature, &body),
            (&secret, &at, &signature[3..], &body),
            (&secret, &at, "v0=", &body),
            (&secret, &at, "v0=zz", &body),
            (&secret, &at, &signature.replace("v0=", "v1="), &body),
            (&secret, &at, "", &body),
            (&secret, "", &signature, &body),
            (&secret, "-1", &signature, &body),
            (&secret, "9223372036854775807", &signature, &body),
            (&secret, "99999999999999999999", &signature, &body),
        ] {
            assert!(
                !is_signed(secret, at, signature, body.as_bytes(), now),
                "{at} {signature}"
            );
        }
    }

    #[test]
    fn what_belongs_elsewhere_is_not_read() {
        assert!(command(b"text=1h").is_none() && command(b"").is_none());
        assert!(interaction(b"payload=").is_none() && interaction(b"payload=%7B").is_none());
        assert!(event(b"{}").is_none() && event(b"\xff").is_none());
        assert!(event(br#"{"type":"url_verification"}"#).is_none());
        let (id, payload) =
            command(b"command=%2Ftime&text=2%2C5h%3A+caf%C3%A9&user_id=U1").unwrap();
        assert_eq!(id.len(), 43);
        let payload: serde_json::Value = serde_json::from_str(payload.get()).unwrap();
        assert_eq!(payload["text"], "2,5h: café");
    }

    #[test]
    fn an_event_is_known_by_its_id() {
        let body =
            br#"{"type":"event_callback","event_id":"Ev1","event":{"type":"app_home_opened"}}"#;
        let Some(Event::Callback(id, _)) = event(body) else {
            panic!("not a callback")
        };
        assert_eq!(id, "Ev1");
    }
}
