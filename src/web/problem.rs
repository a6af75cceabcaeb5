//! Refusals of the API: `application/problem+json` (RFC 9457). Each says what happened and what to do, under a name
//! that stays.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    app::Reason,
    domain::scope::Scope,
    error::{Failed, chain},
};

/// A refusal.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// The end of its `type`.
    name: &'static str,
    title: String,
    detail: String,
    more: Value,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(flatten)]
    more: &'a Value,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        name: &'static str,
        title: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            name,
            title: title.into(),
            detail: detail.into(),
            more: json!({}),
        }
    }

    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.more[name] = value;
        self
    }

    pub(super) fn sign_in_first() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not-signed-in",
            "Nobody is signed in",
            "Sign in with Slack at /api/v1/auth/slack/login, or send Authorization: Bearer with an API token from \
             BillOps' Home tab.",
        )
    }

    pub(super) fn token_refused() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "token-refused",
            "The API token does not work",
            "It has run out, was revoked, replaced, or mistyped. Make a new one in BillOps' Home tab.",
        )
    }

    pub(super) fn without_scope(scope: Scope) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "scope-missing",
            format!(
                "The API token may not do this without the scope {}",
                scope.as_str()
            ),
            "Make a new one in BillOps' Home tab, and tick what it is for.",
        )
        .with("scope", scope.as_str().into())
    }

    pub(super) fn no_tokens_here() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "not-for-tokens",
            "An API token opens nothing here",
            "Sign in with Slack at /api/v1/auth/slack/login.",
        )
    }

    pub(super) fn foreign_origin() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "foreign-origin",
            "The request comes from another site",
            "A browser may change something only from this server's own pages or from FRONTEND_URL.",
        )
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            format!("There is no such {what}"),
            "It does not exist, or it is not yours.",
        )
    }

    pub(super) fn not_offered(provider: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "provider-not-offered",
            "This calendar is not offered here",
            format!("{provider} is not set up on this server; its operator can do so."),
        )
    }

    pub(super) fn invalid(field: &str, message: &str) -> Self {
        let errors = [(field.to_owned(), message.to_owned())];
        Self::invalid_fields("The request cannot be read", message, errors)
    }

    /// Fields that cannot be, each with what it takes.
    pub(super) fn invalid_fields(
        title: &str,
        detail: &str,
        errors: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let errors: Vec<Value> = errors
            .into_iter()
            .map(|(field, message)| json!({ "field": field, "message": message }))
            .collect();
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", title, detail)
            .with("errors", errors.into())
    }

    pub(super) fn unreadable(status: StatusCode, detail: String) -> Self {
        Self::new(status, "unreadable", "The body cannot be read", detail)
    }

    /// Why nothing was connected.
    pub(super) fn not_connected(reason: &Reason, provider: &str) -> Self {
        let (status, name, title, detail) = match reason {
            Reason::StateInvalid => (
                StatusCode::BAD_REQUEST,
                "state-invalid",
                "The state is missing, was used, or has run out",
                "Begin again with GET /authorize; a state works once, for 10 minutes.",
            ),
            Reason::OtherProvider => (
                StatusCode::BAD_REQUEST,
                "other-provider",
                "The state belongs to another provider",
                "Begin again with GET /authorize.",
            ),
            Reason::OtherBrowser | Reason::OtherPerson => (
                StatusCode::FORBIDDEN,
                "other-person",
                "The state belongs to somebody else",
                "Whoever begins has to come back, in the same browser. Begin again with GET /authorize.",
            ),
            Reason::Denied => (
                StatusCode::FORBIDDEN,
                "denied",
                "Consent was not given",
                "Nothing was connected. Begin again to be asked once more.",
            ),
            Reason::AdminApproval => (
                StatusCode::FORBIDDEN,
                "admin-approval",
                "An admin has to approve first",
                "The person's organisation lets its admins decide which apps may read calendars.",
            ),
            Reason::Missing(_) => (
                StatusCode::FORBIDDEN,
                "scope-missing",
                "Not everything needed was granted",
                "Begin again and leave every box ticked.",
            ),
            Reason::CodeRefused => (
                StatusCode::BAD_REQUEST,
                "code-refused",
                "The provider no longer takes the code",
                "A code works once, for some minutes. Begin again with GET /authorize.",
            ),
            Reason::Operator => (
                StatusCode::BAD_GATEWAY,
                "server-settings",
                "The provider does not take this server's settings",
                "The operator finds the setting in the log and with `billops doctor`.",
            ),
            Reason::Unavailable => (
                StatusCode::BAD_GATEWAY,
                "provider-unavailable",
                "The provider does not answer",
                "Begin again in some minutes.",
            ),
        };
        let problem = Self::new(status, name, title, detail).with("provider", provider.into());
        match reason {
            Reason::Missing(missing) => problem.with("missing", json!(missing)),
            _ => problem,
        }
    }
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        tracing::error!(reference = %failed.reference, "request.failed: {}", chain(&failed));
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "failed",
            "It did not work",
            "Nothing is wrong with the request. Try again; if it stays so, give the operator the reference.",
        )
        .with("reference", failed.reference.to_string().into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: format!("urn:billops:{}", self.name),
            title: &self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            more: &self.more,
        };
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Nothing is at this address of the API.
pub(super) async fn unknown_path() -> Problem {
    Problem::not_found("endpoint")
}
