//! Refusals of the API: `application/problem+json` (RFC 9457). Each says what happened and what to do, under a name
//! that stays.

use axum::{
    Json,
    body::Body,
    extract::{OriginalUri, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::schema;
use crate::{
    app::Reason,
    domain::{provider::Provider, scope::Scope},
    error::{Failed, chain},
};

/// Fields that a refusal speaks of; who sends more of them wrong has enough to begin with.
const MOST_ERRORS: usize = 50;
/// What is repeated of a field's name, in characters: it is the sender's own word.
const LONGEST_FIELD: usize = 60;

/// After how many seconds a busy server is worth another try: longer than it lets anybody wait for the database.
pub(super) const BUSY_FOR: u64 = 5;

/// A refusal.
#[derive(Clone, Debug)]
pub(super) struct Problem(Box<Content>);

/// A refusal: what happened, and what to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Content {
    /// Which problem it is. The word stays, whatever is said about it.
    #[serde(rename = "type", serialize_with = "as_urn")]
    #[schema(value_type = String, pattern = "^urn:billops:[a-z-]+$", examples("urn:billops:not-found"))]
    name: &'static str,
    /// What happened.
    #[schema(examples("There is no such integration"))]
    title: String,
    /// The answer's status once more.
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, minimum = 400, maximum = 599, examples(404))]
    status: StatusCode,
    /// What to do.
    #[schema(examples("It does not exist, or it is not yours."))]
    detail: String,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("/api/v1/integrations/google/7"))]
    instance: Option<String>,
    /// Of `invalid`: each field that cannot be taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// Of `needs-reconnect`: where the person gives consent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<url::Url>, nullable = false)]
    connect_url: Option<String>,
    /// Of what goes wrong with a provider: which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Provider>, nullable = false)]
    provider: Option<Provider>,
    /// Of `scope-missing`: what was not granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    missing: Vec<String>,
    /// Of `scope-missing` with a token: which scope it has to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    scope: Option<&'static str>,
    /// Of `failed` and `busy`: what finds it in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reference: Option<String>,
    /// Seconds to wait, for the header.
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// A field of a request that cannot be taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct FieldError {
    /// Its name; `body` or `query` where it is about the whole.
    #[schema(examples("daily_summary_time"))]
    field: String,
    /// What it takes.
    #[schema(examples("This is a time of day, such as 17:30."))]
    message: String,
}

fn as_urn<S: Serializer>(name: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("urn:billops:{name}"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn as_number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        name: &'static str,
        title: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self(Box::new(Content {
            status,
            name,
            title: title.into(),
            detail: detail.into(),
            instance: None,
            errors: Vec::new(),
            connect_url: None,
            provider: None,
            missing: Vec::new(),
            scope: None,
            reference: None,
            retry_after: None,
        }))
    }

    /// After how many seconds it is worth while to ask again.
    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds.max(1));
        self
    }

    /// Where the person gives consent again.
    pub(super) fn with_connect_url(mut self, url: impl Into<String>) -> Self {
        self.0.connect_url = Some(url.into());
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
        let title = format!(
            "The API token may not do this without the scope {}",
            scope.as_str()
        );
        let detail = "Make a new one in BillOps' Home tab, and tick what it is for.";
        let mut problem = Self::new(StatusCode::FORBIDDEN, "scope-missing", title, detail);
        problem.0.scope = Some(scope.as_str());
        problem
    }

    pub(super) fn no_tokens_here() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "not-for-tokens",
            "An API token opens nothing here",
            "A person does this, in a browser: sign in with Slack at /api/v1/auth/slack/login.",
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
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", title, detail);
        problem.0.errors = errors
            .into_iter()
            .take(MOST_ERRORS)
            .map(|(field, message)| FieldError {
                field: field.chars().take(LONGEST_FIELD).collect(),
                message,
            })
            .collect();
        problem
    }

    /// What cannot be read at all.
    pub(super) fn unreadable(status: StatusCode) -> Self {
        let (title, detail) = match status {
            StatusCode::PAYLOAD_TOO_LARGE => (
                "The body is too long",
                "A body may have 64 KiB. Send less at once.",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "The body is not declared as JSON",
                "Send JSON with Content-Type: application/json.",
            ),
            StatusCode::METHOD_NOT_ALLOWED => (
                "This address does not take the method",
                "The header Allow names those that it takes.",
            ),
            _ => (
                "The request cannot be read",
                "A body has to be whole and JSON, and an address has to be text in UTF-8.",
            ),
        };
        let name = if status == StatusCode::METHOD_NOT_ALLOWED {
            "method-not-allowed"
        } else {
            "unreadable"
        };
        Self::new(status, name, title, detail)
    }

    /// The caller's bucket is empty for so many seconds.
    pub(super) fn too_many(seconds: u64) -> Self {
        let detail = "Wait for as many seconds as Retry-After says, then go on more slowly.";
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::new(status, "too-many-requests", "Too many requests", detail).retry_after(seconds)
    }

    /// The database is busy, or away for a moment.
    fn busy(is_certain: bool) -> Self {
        let title = "The server is busy";
        let detail = if is_certain {
            "Nothing is wrong with the request. Send it again after Retry-After seconds."
        } else {
            "It may have been done all the same: look, then try again after Retry-After seconds."
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", title, detail).retry_after(BUSY_FOR)
    }

    /// It was given up.
    pub(super) fn too_slow() -> Self {
        let title = "It took too long and was given up";
        let detail = "Look whether it was done, then try again after Retry-After seconds.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too-slow", title, detail).retry_after(BUSY_FOR)
    }

    /// Why nothing was connected.
    pub(super) fn not_connected(reason: &Reason, provider: Provider) -> Self {
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
        let mut problem = Self::new(status, name, title, detail);
        problem.0.provider = Some(provider);
        if let Reason::Missing(missing) = reason {
            problem.0.missing = missing.iter().map(ToString::to_string).collect();
        }
        problem
    }
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        tracing::error!(reference = %failed.reference, "request.failed: {}", chain(&failed));
        let mut problem = if failed.is_busy {
            Self::busy(failed.is_certain)
        } else {
            Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                "It did not work",
                "Nothing is wrong with the request. Try again; if it stays so, give the operator the reference.",
            )
        };
        problem.0.reference = Some(failed.reference.to_string());
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.0.status, Json(&self.0)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if self.0.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.0.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        // For whoever knows what was asked for.
        response.extensions_mut().insert(self);
        response
    }
}

/// Makes a problem of every refusal of the API: of those that the libraries say in words of their own, too. Adds what
/// was asked for.
pub(super) async fn of_every_refusal(
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let status = response.status();
    let mut problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_plain(response.headers()) && (400..500).contains(&status.as_u16()) => {
            Problem::unreadable(status)
        }
        None => return response,
    };
    problem.0.instance = Some(uri.path().to_owned());
    let (mut parts, _) = response.into_parts();
    let said = problem.into_response();
    parts.headers.remove(header::CONTENT_LENGTH);
    for (name, value) in said.headers() {
        parts.headers.insert(name, value.clone());
    }
    Response::from_parts(parts, Body::new(said.into_body()))
}

/// Whether it is neither a page nor a problem.
fn is_plain(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

/// Nothing is at this address of the API.
pub(super) async fn unknown_path() -> Problem {
    Problem::not_found("endpoint")
}

/// Something is at this address, but it does not take the method.
pub(super) async fn unknown_method() -> Problem {
    Problem::unreadable(StatusCode::METHOD_NOT_ALLOWED)
}
