//! How Google refuses.
//!
//! The API's bodies are those of developers.google.com/workspace/calendar/api/guides/errors, copied
//! to tests/data/google; that page also says which are to be repeated.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::sandbox::oauth::Outage;

/// A refusal of the API: status, reason, message, and what it is about.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// `parameter` or `header`, and its name.
    pub(super) location: Option<(&'static str, String)>,
    /// The caller's mistake, not the course of things.
    pub(super) is_mistake: bool,
}

impl Refusal {
    fn new(status: u16, reason: &'static str, message: &str) -> Self {
        Self {
            status,
            reason,
            message: message.to_owned(),
            location: None,
            is_mistake: false,
        }
    }

    fn about(self, kind: &'static str, name: &str) -> Self {
        Self {
            location: Some((kind, name.to_owned())),
            ..self
        }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "authError", "Invalid Credentials").about("header", "Authorization")
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "notFound", "Not Found")
    }

    pub(super) fn insufficient_scope() -> Self {
        let message = "Request had insufficient authentication scopes.";
        Self::new(403, "insufficientPermissions", message)
    }

    pub(super) fn full_sync() -> Self {
        let message = "Sync token is no longer valid, a full sync is required.";
        Self::new(410, "fullSyncRequired", message).about("parameter", "syncToken")
    }

    pub(super) fn updated_min() -> Self {
        let message = "The requested minimum modification time lies too far in the past.";
        Self::new(410, "updatedMinTooLongAgo", message).about("parameter", "updatedMin")
    }

    pub(super) fn deleted() -> Self {
        Self::new(410, "deleted", "Resource has been deleted")
    }

    pub(super) fn empty_range() -> Self {
        let refusal = Self::new(400, "timeRangeEmpty", "The specified time range is empty.");
        Self {
            is_mistake: true,
            ..refusal.about("parameter", "timeMax")
        }
    }

    /// A parameter that cannot be read, or does not go with another.
    pub(super) fn parameter(name: &str, message: &str) -> Self {
        Self {
            is_mistake: true,
            ..Self::new(400, "invalid", message).about("parameter", name)
        }
    }

    fn domain(&self) -> &'static str {
        match self.reason {
            "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded" => "usageLimits",
            "fullSyncRequired" | "updatedMinTooLongAgo" | "timeRangeEmpty" => "calendar",
            _ => "global",
        }
    }

    fn json(&self) -> Value {
        if self.reason == "insufficientPermissions" {
            return json!({"error": {
                "code": self.status, "message": self.message,
                "errors": [{"message": "Insufficient Permission", "domain": "global",
                    "reason": self.reason}],
                "status": "PERMISSION_DENIED",
                "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com",
                    "metadata": {"service": "calendar-json.googleapis.com"}}],
            }});
        }
        let mut error = json!({"domain": self.domain(), "reason": self.reason,
            "message": self.message});
        if let Some((kind, name)) = &self.location {
            error["locationType"] = json!(kind);
            error["location"] = json!(name);
        }
        json!({"error": {"errors": [error], "code": self.status, "message": self.message}})
    }

    pub(super) fn response(&self) -> Response {
        respond(self.status, &self.json(), None)
    }
}

fn respond(status: u16, body: &Value, retry_after: Option<&str>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let kind = [(header::CONTENT_TYPE, "application/json; charset=UTF-8")];
    let retry = retry_after.map(|after| [(header::RETRY_AFTER, after.to_owned())]);
    match retry {
        Some(retry) => (status, kind, retry, body.to_string()).into_response(),
        None => (status, kind, body.to_string()).into_response(),
    }
}

/// A planned outage of the API.
pub(super) fn api(outage: &Outage) -> Response {
    let refusal = match outage {
        Outage::TooManyRequests { retry_after } => {
            let refusal = Refusal::new(429, "rateLimitExceeded", "Rate Limit Exceeded");
            return respond(429, &refusal.json(), retry_after.as_deref());
        }
        Outage::Unavailable { retry_after } => {
            let refusal = Refusal::new(503, "backendError", "Backend Error");
            return respond(503, &refusal.json(), retry_after.as_deref());
        }
        Outage::Status(500) => Refusal::new(500, "backendError", "Backend Error"),
        Outage::Status(status) => return proxy(*status),
        Outage::Refused(reason) => named(reason),
        Outage::Slow(_) | Outage::AnswerLost | Outage::Truncated => return proxy(502),
    };
    refusal.response()
}

fn named(reason: &str) -> Refusal {
    match reason {
        "authError" => Refusal::unauthorized(),
        "notFound" => Refusal::not_found(),
        "insufficientPermissions" => Refusal::insufficient_scope(),
        "fullSyncRequired" => Refusal::full_sync(),
        "updatedMinTooLongAgo" => Refusal::updated_min(),
        "deleted" => Refusal::deleted(),
        "userRateLimitExceeded" => {
            Refusal::new(403, "userRateLimitExceeded", "User Rate Limit Exceeded")
        }
        "quotaExceeded" => Refusal::new(403, "quotaExceeded", "Calendar usage limits exceeded."),
        "rateLimitExceeded" => Refusal::new(403, "rateLimitExceeded", "Rate Limit Exceeded"),
        "backendError" => Refusal::new(500, "backendError", "Backend Error"),
        _ => Refusal::new(403, "forbidden", "Forbidden"),
    }
}

/// What stands before the service answers, and not in its words.
fn proxy(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, "upstream connect error").into_response()
}

/// A refusal of the token endpoint (RFC 6749 5.2).
pub(super) fn token(status: u16, error: &str, description: &str) -> Response {
    respond(
        status,
        &json!({"error": error, "error_description": description}),
        None,
    )
}

/// A planned outage of the token endpoint.
pub(super) fn token_outage(outage: &Outage) -> Response {
    match outage {
        Outage::Refused(name) => match name.as_str() {
            "invalid_client" => token(401, "invalid_client", "Unauthorized"),
            // unified.to/blog/why_google_oauth_returns: a session-control policy of the domain.
            "invalid_rapt" => {
                let body = json!({"error": "invalid_grant",
                    "error_description": "reauth related error (invalid_rapt)",
                    "error_uri": "https://support.google.com/a/answer/9368756",
                    "error_subtype": "invalid_rapt"});
                respond(400, &body, None)
            }
            _ => token(400, "invalid_grant", "Token has been expired or revoked."),
        },
        Outage::TooManyRequests { retry_after } => {
            let body = json!({"error": "rate_limit_exceeded",
                "error_description": "Rate Limit Exceeded"});
            respond(429, &body, retry_after.as_deref())
        }
        Outage::Unavailable { retry_after } => {
            let body = json!({"error": "temporarily_unavailable",
                "error_description": "Service Unavailable"});
            respond(503, &body, retry_after.as_deref())
        }
        Outage::Status(500) => token(500, "internal_failure", "Backend Error"),
        Outage::Status(status) => proxy(*status),
        Outage::Slow(_) | Outage::AnswerLost | Outage::Truncated => proxy(502),
    }
}
