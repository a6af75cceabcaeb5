//! The API's description of itself: OpenAPI 3.1, made of the handlers and the types they answer with, so that it
//! cannot say anything else than what is done.
//!
//! What holds for every operation stands here once: who may call it, and how it refuses.

use axum::{
    body::Bytes,
    extract::State,
    http::{Method, header},
    response::IntoResponse,
};
use utoipa::{
    OpenApi as _, PartialSchema as _,
    openapi::{
        ContentBuilder, HeaderBuilder, InfoBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder,
        Server,
        path::{
            HttpMethod, Operation, ParameterBuilder,
            ParameterIn::{Header, Path, Query},
            PathItem,
        },
        schema::{ObjectBuilder, Type},
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};

use super::{
    Site, docs,
    limits::Anybody,
    problem::{self, Problem},
    scopes::{self, Needs},
};

/// Operations that a browser is led through: their refusals can be pages for people.
const BROWSER: &str = "Browser";

/// What the document says before the operations do.
#[derive(utoipa::OpenApi)]
#[openapi(
    components(schemas(problem::Content)),
    security(("session" = []), ("token" = [])),
    tags(
        (name = "Person", description = "Who calls, and what they have decided."),
        (name = "Time entries", description = "The caller's own time."),
        (name = "Projects and clients", description = "What time is for; everybody in the workspace has the same."),
        (name = "Reports", description = "What was logged, in sum."),
        (name = "Calendars", description = "Connecting Google and Outlook calendars, and reading them."),
        (name = "Calendar events", description = "Meetings that wait to become time entries."),
        (name = "Notifications", description = "What other systems have people told."),
        (name = "Browser", description = "Addresses that a browser is sent to. They answer with redirects and pages."),
        (name = "Description", description = "The API about itself."),
    ),
)]
struct Frame;

const ABOUT: &str = "\
BillOps turns lines typed in Slack, and meetings in calendars, into billable time entries. This is the API that a \
frontend is built on.

**Who calls.** A browser in which a person signed in with Slack (`GET /auth/slack/login`) sends a session cookie; a \
program sends `Authorization: Bearer` with an API token from BillOps' Home tab in Slack. Everything is about that \
person; what is somebody else's answers like what does not exist.

**Scopes.** A token does what was ticked when it was made. `entries`: read and write the person's time entries, \
calendars and their events, and preferences, and the projects and clients of their workspace, as far as the person may \
themselves. `reports`: read what was logged, in sum. `notifications`: have people told something. Every token may ask \
who it is for (`GET /me`). No token signs anybody out, or reads the audit trail: for those a person is signed in.

**Refusals** are `application/problem+json` (RFC 9457). Their `type` stays for ever, their `title` says what happened, \
their `detail` what to do.

**Values.** Times are RFC 3339 in UTC, dates `YYYY-MM-DD` in the person's zone, durations whole minutes, money whole \
numbers of a currency's smallest unit. Lists are pages: `next_cursor` leads to the next one, until it is null.

**Once.** A POST of a caller takes an `Idempotency-Key`: sent again with the same key, it is done once and answered the \
same. `/auth/logout` takes none, for it does no more when it is sent again. A key is its caller's: without credentials, \
where none are needed, it counts for nothing. \
Time entries have an `ETag`; a change with `If-Match` is refused when somebody else was faster.

**Limits.** Bodies up to 64 KiB; 10 seconds, or 30 where a provider is asked. Each person may call 20 times a second, \
and 100 times at once after a pause; `sync` and `authorize` count 10 times. Who calls more is asked to wait with 429 \
and `Retry-After`; so is everybody, with 503, while the server has too much to do. What is left is in `RateLimit`, and \
what is allowed in `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).";

/// The document as it is sent. Cheap to clone.
#[derive(Clone)]
pub(super) struct Document {
    json: Bytes,
    /// The page that shows it.
    pub(super) page: Bytes,
}

impl Document {
    /// `paths` is what the handlers say; `session_cookie` the name of the cookie that signs a browser in.
    pub(super) fn new(paths: OpenApi, session_cookie: &str) -> Self {
        let document = document(paths, session_cookie);
        // Of the order, which is the routes', a value keeps nothing.
        let order: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
        let invariant = "it holds strings as keys only";
        let value = serde_json::to_value(&document).expect(invariant);
        let json = serde_json::to_vec(&document).expect(invariant);
        Self {
            page: docs::drawn(&value, &order).into(),
            json: json.into(),
        }
    }
}

/// The whole document, from what the handlers say.
fn document(paths: OpenApi, session_cookie: &str) -> OpenApi {
    let mut document = Frame::openapi();
    document.info = InfoBuilder::new()
        .title("BillOps")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    document.servers = Some(vec![Server::new("/api/v1")]);
    document.merge(paths);
    let components = document.components.get_or_insert_default();
    components.security_schemes.extend([
        (
            "session".to_owned(),
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                session_cookie,
                "A browser that signed in at /auth/slack/login. What changes something must come from this server's \
                 pages or from FRONTEND_URL.",
            )))
            .into(),
        ),
        (
            "token".to_owned(),
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some("An API token, made in BillOps' Home tab in Slack."))
                    .build(),
            )
            .into(),
        ),
    ]);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            refusals(&method, path, operation);
            if needed(&method, path) == Some(Needs::Session) {
                let session = SecurityRequirement::new("session", [""; 0]);
                operation.security = Some(vec![session]);
            }
        }
    }
    document
}

/// The operations of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Adds the refusals that follow from what an operation takes, and gives each its shape.
fn refusals(method: &HttpMethod, path: &str, operation: &mut Operation) {
    let is_for_browsers = operation
        .tags
        .as_ref()
        .is_some_and(|tags| tags.iter().any(|tag| tag == BROWSER));
    let needs_caller = operation.security.is_none();
    let changes = *method != HttpMethod::Get;
    let takes_body = operation.request_body.is_some();
    let takes_key = *method == HttpMethod::Post && needed(method, path).is_some();
    if takes_key {
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(Header)
            .description(Some(
                "Has the request done once, however often it is sent with this key; kept for three days.",
            ))
            .schema(Some(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some("^[!-~]{1,255}$")),
            ))
            .build();
        operation
            .parameters
            .get_or_insert_default()
            .push(key.into());
    }
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let has = |place| {
        parameters.iter().any(
            |parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == place),
        )
    };
    let (in_path, in_query) = (has(Path), has(Query));
    let of_tokens = of_tokens(method, path);
    let follow = [
        (
            takes_body || in_path,
            "400",
            "`unreadable`: the body is no JSON, or the address no text.",
        ),
        (
            needs_caller,
            "401",
            "`not-signed-in`: there is neither a session nor a token. `token-refused`: the token does not work.",
        ),
        (needs_caller && !of_tokens.is_empty(), "403", &*of_tokens),
        (
            needs_caller && changes,
            "403",
            "`foreign-origin`: a browser sent it from another site.",
        ),
        (
            in_path,
            "404",
            "`not-found`: it does not exist, or it is somebody else's.",
        ),
        (
            takes_key,
            "409",
            "`request-under-way`: the same request is being answered; ask again with the same key.",
        ),
        (
            takes_body || takes_key,
            "413",
            "`unreadable`: the body is longer than 64 KiB.",
        ),
        (
            takes_body,
            "415",
            "`unreadable`: the body is not declared as `application/json`.",
        ),
        (
            takes_body || takes_key || (in_query && !is_for_browsers),
            "422",
            "`invalid`: `errors` names each field and what it takes.",
        ),
        (
            takes_key,
            "422",
            "`idempotency-key-reused`: the key stands for another request.",
        ),
        (
            true,
            "429",
            "`too-many-requests`: wait for `Retry-After` seconds.",
        ),
        (
            true,
            "500",
            "`failed`: it is not the request's fault; the operator finds the `reference` in the log.",
        ),
        (
            true,
            "503",
            "`busy`: the database has too much to do. `too-slow`: it took too long and was given up. Try again after \
             `Retry-After` seconds.",
        ),
    ];
    for (_, status, description) in follow.into_iter().filter(|(applies, ..)| *applies) {
        match operation.responses.responses.get_mut(status) {
            // The operation has more to say about it.
            Some(RefOr::T(said)) => {
                said.description = format!("{} {description}", said.description);
            }
            Some(RefOr::Ref(_)) => {}
            None => {
                let response = ResponseBuilder::new().description(description).build();
                operation
                    .responses
                    .responses
                    .insert(status.to_owned(), response.into());
            }
        }
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        if status.starts_with('2') || status == "429" {
            says_what_is_left(response);
        }
        if !status.starts_with(['4', '5']) {
            continue;
        }
        if response.content.is_empty() {
            let problem = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build();
            response
                .content
                .insert("application/problem+json".to_owned(), problem.into());
            if is_for_browsers {
                response.content.insert("text/html".to_owned(), page());
            }
        }
        if ["429", "503"].contains(&&**status) {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer);
            let header = HeaderBuilder::new()
                .schema(Some(seconds.minimum(Some(1))))
                .description(Some("Seconds to wait."))
                .build();
            response
                .headers
                .insert("Retry-After".to_owned(), header.into());
        }
    }
}

/// What a token needs for it.
fn needed(method: &HttpMethod, path: &str) -> Option<Needs> {
    let method = match method {
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
        _ => Method::GET,
    };
    scopes::needed(&method, &format!("/api/v1{path}"))
}

/// Why a token may not do it; nothing where every token may.
fn of_tokens(method: &HttpMethod, path: &str) -> String {
    match needed(method, path) {
        Some(Needs::Nothing) => String::new(),
        Some(Needs::Scope(scope)) => {
            format!(
                "`scope-missing`: the token has not the scope `{}`.",
                scope.as_str()
            )
        }
        Some(Needs::Session) | None => {
            "`not-for-tokens`: a person does this, in a browser.".to_owned()
        }
    }
}

/// An answer says what the caller may ask for, and what is left of that.
fn says_what_is_left(response: &mut Response) {
    for (name, about, example) in [
        (
            "RateLimit-Policy",
            "`q` requests are allowed at once; after `w` seconds without any, all of them are again.",
            "\"requests\";q=100;w=5",
        ),
        (
            "RateLimit",
            "`r` requests are left. After `t` seconds all are there again; of a refusal, as many as it takes.",
            "\"requests\";r=99;t=1",
        ),
    ] {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let header = HeaderBuilder::new()
            .schema(Some(text.examples([example])))
            .description(Some(about))
            .build();
        response.headers.insert(name.to_owned(), header.into());
    }
}

/// A page for people.
fn page<T: From<utoipa::openapi::Content>>() -> T {
    ContentBuilder::new()
        .schema(Some(String::schema()))
        .build()
        .into()
}

/// This document
///
/// OpenAPI 3.1, without credentials, so that tools can read it. It changes with the server's version only.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "getDocument", tag = "Description", security(()),
    responses((status = 200, description = "The document.", content_type = "application/json", body = serde_json::Value)),
)]
pub(super) async fn openapi_json(
    _: Anybody,
    State(site): State<Site>,
) -> Result<impl IntoResponse, Problem> {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, site.document().await?.json))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::scope::Scope;

    #[test]
    fn every_route_is_in_the_document() {
        let (router, paths) = super::super::api().split_for_parts();
        let shown = format!("{router:?}");
        // Of the routes, a router tells no more than in what it shows of itself.
        let before_fallbacks = shown.split("fallback_router").next().unwrap_or_default();
        let served: BTreeSet<&str> = before_fallbacks
            .split('"')
            .filter(|part| part.starts_with('/'))
            .collect();
        let described: BTreeSet<&str> = paths.paths.paths.keys().map(String::as_str).collect();
        assert!(served.len() > 10, "the routes were not found in {shown}");
        assert_eq!(served, described);
    }

    #[test]
    fn what_is_said_of_keys_and_scopes_is_so() {
        let (_, paths) = super::super::api().split_for_parts();
        let mut document = document(paths, "billops_session");
        let mut keyless = BTreeSet::new();
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                let takes_key = operation.parameters.iter().flatten().any(|parameter| {
                    matches!(parameter, RefOr::T(parameter) if parameter.name == "Idempotency-Key")
                });
                if method == HttpMethod::Post && !takes_key {
                    keyless.insert(path.clone());
                }
                let of_tokens = of_tokens(&method, path);
                let refusal = operation.responses.responses.get("403");
                let is_somebodys = needed(&method, path).is_some() && operation.security.is_none();
                if let Some(RefOr::T(refusal)) = refusal.filter(|_| is_somebodys) {
                    assert!(refusal.description.contains(&of_tokens), "{path}");
                }
            }
        }
        assert_eq!(keyless, ["/auth/logout".to_owned()].into());
        assert!(ABOUT.contains("`/auth/logout` takes none"));
        for scope in Scope::ALL {
            assert!(ABOUT.contains(&format!("`{}`:", scope.as_str())));
        }
        let audit = document.paths.paths["/audit"].get.as_ref().unwrap();
        let session = SecurityRequirement::new("session", [""; 0]);
        assert!(audit.security == Some(vec![session]), "a token is named");
        let of_tokens = |path| of_tokens(&HttpMethod::Get, path);
        assert!(of_tokens("/audit").starts_with("`not-for-tokens`"));
        assert!(of_tokens("/reports/summary").contains("`reports`"));
        assert_eq!(of_tokens("/me"), "");
    }

    #[test]
    fn every_operation_says_what_a_reader_needs() {
        let (_, paths) = super::super::api().split_for_parts();
        let mut document = document(paths, "billops_session");
        let known: BTreeSet<String> = document
            .tags
            .iter()
            .flatten()
            .map(|tag| tag.name.clone())
            .collect();
        let mut ids = BTreeSet::new();
        for (path, item) in &mut document.paths.paths {
            for (_, operation) in operations(item) {
                let id = operation.operation_id.clone().unwrap_or_default();
                assert!(!id.contains('_'), "{path}: {id} is the handler's name");
                assert!(ids.insert(id.clone()), "{id} comes twice");
                assert!(
                    operation
                        .summary
                        .as_ref()
                        .is_some_and(|text| text.len() < 60),
                    "{id}"
                );
                let tags = operation.tags.as_deref().unwrap_or_default();
                assert!(
                    tags.len() == 1 && known.contains(&tags[0]),
                    "{id}: {tags:?}"
                );
                for status in ["429", "500", "503"] {
                    assert!(
                        operation.responses.responses.contains_key(status),
                        "{id}: {status}"
                    );
                }
                for (status, response) in &operation.responses.responses {
                    let RefOr::T(response) = response else {
                        continue;
                    };
                    let is_counted = status.starts_with('2') || status == "429";
                    for header in ["RateLimit", "RateLimit-Policy"] {
                        let is_said = response.headers.contains_key(header);
                        assert_eq!(is_said, is_counted, "{id}: {status}: {header}");
                    }
                }
                for parameter in operation.parameters.iter().flatten() {
                    let RefOr::T(parameter) = parameter else {
                        continue;
                    };
                    assert!(parameter.description.is_some(), "{id}: {}", parameter.name);
                }
            }
        }
    }
}
