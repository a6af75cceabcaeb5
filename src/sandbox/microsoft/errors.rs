//! How Entra ID and Graph refuse.
//!
//! Numbers and sentences: entra-docs reference-error-codes.md; Graph's bodies: learn.microsoft.com/
//! graph/errors and the issues named in tests/data/microsoft/SOURCES.md.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::sandbox::oauth::Outage;

/// A refusal of the token endpoint.
#[derive(Debug)]
pub(super) struct TokenRefusal {
    pub(super) error: &'static str,
    pub(super) number: u32,
    pub(super) sentence: String,
    pub(super) suberror: Option<&'static str>,
    /// The caller's mistake, not the course of things.
    pub(super) is_mistake: bool,
}

impl TokenRefusal {
    pub(super) fn mistake(error: &'static str, number: u32, sentence: impl Into<String>) -> Self {
        Self {
            error,
            number,
            sentence: sentence.into(),
            suberror: None,
            is_mistake: true,
        }
    }

    /// What happens without anybody's mistake.
    pub(super) fn event(error: &'static str, number: u32, sentence: impl Into<String>) -> Self {
        Self {
            is_mistake: false,
            ..Self::mistake(error, number, sentence)
        }
    }

    pub(super) fn response(&self, now: DateTime<Utc>) -> Response {
        let time = now.format("%Y-%m-%d %H:%M:%SZ").to_string();
        let trace = "0000aaaa-11bb-cccc-dd22-eeeeee333333";
        let correlation = "aaaa0000-bb11-2222-33cc-444444dddddd";
        let number = self.number;
        let mut body = json!({
            "error": self.error,
            "error_description": format!("AADSTS{number}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}", self.sentence),
            "error_codes": [number],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        });
        if let Some(suberror) = self.suberror {
            body["suberror"] = json!(suberror);
        }
        let status = if self.error == "invalid_client" {
            401
        } else {
            400
        };
        respond(status, &body, None)
    }
}

fn respond(status: u16, body: &Value, retry_after: Option<&str>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    match retry_after {
        Some(after) => {
            let retry = [(header::RETRY_AFTER, after.to_owned())];
            (status, kind, retry, body.to_string()).into_response()
        }
        None => (status, kind, body.to_string()).into_response(),
    }
}

/// A planned outage of the token endpoint.
pub(super) fn token_outage(outage: &Outage, now: DateTime<Utc>) -> Response {
    match outage {
        Outage::Refused(name) => named(name, now).response(now),
        Outage::TooManyRequests { retry_after } => {
            let body = json!({"error": "temporarily_unavailable",
                "error_description": "AADSTS90055: The tenant is throttled due to too many requests.",
                "error_codes": [90055]});
            respond(429, &body, retry_after.as_deref())
        }
        Outage::Unavailable { retry_after } => {
            let body = json!({"error": "temporarily_unavailable",
                "error_description": "AADSTS90033: A transient error has occurred. Please try again.",
                "error_codes": [90033]});
            respond(503, &body, retry_after.as_deref())
        }
        Outage::Status(500) => {
            let body = json!({"error": "server_error",
                "error_description": "AADSTS90033: A transient error has occurred. Please try again.",
                "error_codes": [90033]});
            respond(500, &body, None)
        }
        Outage::Status(status) => proxy(*status),
        Outage::Slow(_) | Outage::AnswerLost | Outage::Truncated => proxy(502),
    }
}

/// By number, or by the word of RFC 6749.
fn named(name: &str, now: DateTime<Utc>) -> TokenRefusal {
    let event = TokenRefusal::event;
    match name {
        "50076" | "interaction_required" => TokenRefusal {
            suberror: Some("basic_action"),
            ..event(
                "interaction_required",
                50076,
                "Due to a configuration change made by your administrator, or because you moved \
                to a new location, you must use multi-factor authentication.",
            )
        },
        "65001" | "consent_required" => TokenRefusal {
            suberror: Some("consent_required"),
            ..event(
                "invalid_grant",
                65001,
                "The user or administrator has not consented to use the application. Send an \
                interactive authorization request for this user and resource.",
            )
        },
        "700082" => inactive(now, now),
        "7000215" | "invalid_client" => event(
            "invalid_client",
            7_000_215,
            "Invalid client secret provided.",
        ),
        "7000222" => expired_secret(),
        "unauthorized_client" => event(
            "unauthorized_client",
            700_016,
            "The application was not found.",
        ),
        _ => revoked(),
    }
}

pub(super) fn revoked() -> TokenRefusal {
    let sentence = "The provided grant has expired due to it being revoked, a fresh auth token is \
        needed.";
    TokenRefusal::event("invalid_grant", 50173, sentence)
}

pub(super) fn inactive(issued: DateTime<Utc>, now: DateTime<Utc>) -> TokenRefusal {
    let sentence = format!(
        "The refresh token has expired due to inactivity. The token was issued on {} and was \
        inactive for {}.00:00:00.",
        issued.format("%Y-%m-%dT%H:%M:%S%.6f0Z"),
        (now - issued).num_days()
    );
    TokenRefusal::event("invalid_grant", 700_082, sentence)
}

pub(super) fn expired_secret() -> TokenRefusal {
    let sentence = "The provided client secret keys are expired.";
    TokenRefusal::event("invalid_client", 7_000_222, sentence)
}

/// A refusal of Graph.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// The caller's mistake, not the course of things.
    pub(super) is_mistake: bool,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            is_mistake: false,
        }
    }

    pub(super) fn expired() -> Self {
        let message = "Lifetime validation failed, the token is expired.";
        Self::new(401, "InvalidAuthenticationToken", message)
    }

    /// No token, or none of this provider's.
    pub(super) fn no_token(message: &str) -> Self {
        Self::new(401, "InvalidAuthenticationToken", message)
    }

    pub(super) fn denied() -> Self {
        let message = "Access is denied. Check credentials and try again.";
        Self::new(403, "ErrorAccessDenied", message)
    }

    pub(super) fn not_found() -> Self {
        let message = "The specified object was not found in the store.";
        Self::new(404, "ErrorItemNotFound", message)
    }

    pub(super) fn mistake(code: &'static str, message: &str) -> Self {
        Self {
            is_mistake: true,
            ..Self::new(400, code, message)
        }
    }

    pub(super) fn response(&self, now: DateTime<Utc>) -> Response {
        respond(self.status, &self.json(now), None)
    }

    fn json(&self, now: DateTime<Utc>) -> Value {
        let id = "1137f277-eab4-4b9b-bb13-2ceb880bffcb";
        json!({"error": {"code": self.code, "message": self.message, "innerError": {
            "date": now.format("%Y-%m-%dT%H:%M:%S").to_string(),
            "request-id": id, "client-request-id": id}}})
    }
}

/// A planned outage of Graph.
pub(super) fn graph_outage(outage: &Outage, now: DateTime<Utc>) -> Response {
    match outage {
        Outage::TooManyRequests { retry_after } => {
            let message = "Application is over its MailboxConcurrency limit.";
            let refusal = Refusal::new(429, "ApplicationThrottled", message);
            respond(429, &refusal.json(now), retry_after.as_deref())
        }
        Outage::Unavailable { retry_after } => {
            let message = "The service is temporarily unavailable.";
            let refusal = Refusal::new(503, "serviceUnavailable", message);
            respond(503, &refusal.json(now), retry_after.as_deref())
        }
        Outage::Status(500) => {
            let message = "An internal server error occurred. The operation failed.";
            Refusal::new(500, "ErrorInternalServerError", message).response(now)
        }
        Outage::Refused(code) => match code.as_str() {
            "InvalidAuthenticationToken" => Refusal::expired(),
            "ErrorItemNotFound" => Refusal::not_found(),
            // An account without an Exchange mailbox.
            "MailboxNotEnabledForRESTAPI" => Refusal::new(
                404,
                "MailboxNotEnabledForRESTAPI",
                "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
            ),
            _ => Refusal::denied(),
        }
        .response(now),
        Outage::Status(status) => proxy(*status),
        Outage::Slow(_) | Outage::AnswerLost | Outage::Truncated => proxy(502),
    }
}

/// What stands before the service answers, and not in its words.
fn proxy(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, "upstream connect error").into_response()
}
