//! `Idempotency-Key`: a request that is sent again, because its answer was lost, is done once and answered the same.
//!
//! A key is its caller's. It stands for one method, address and body. An answer is kept for three days, unless it says
//! that the request was not dealt with: then the same request may be tried again under the same key.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts as _, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    BODY_LIMIT, Site,
    problem::Problem,
    scopes,
    session::{Caller, says_who},
};
use crate::store::{RequestClaim, StoredAnswer};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in bytes.
const LONGEST_KEY: usize = 255;
/// The headers that are part of an answer.
const KEPT: [HeaderName; 4] = [
    header::CONTENT_TYPE,
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
];
/// No answer to a POST is longer, in bytes.
const ANSWER_MAX: usize = 1024 * 1024;

/// Names a request to those who keep what it makes, so that both are kept or neither.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestKey(pub(super) Uuid);

impl RequestKey {
    /// The id of what the request makes for this person, where that is found by an id alone: others may have the key,
    /// too.
    pub(super) fn id_of_made(self, user_id: Uuid) -> Uuid {
        let mut digest = Sha256::new();
        digest.update(b"made");
        digest.update(user_id.as_bytes());
        digest.update(self.0.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.finalize()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// Has a POST with a key done once.
pub(super) async fn once(State(site): State<Site>, request: Request, next: Next) -> Response {
    let is_somebodys = request
        .extensions()
        .get::<MatchedPath>()
        .is_some_and(|path| scopes::needed(request.method(), path.as_str()).is_some());
    let headers = request.headers();
    if request.method() != Method::POST || !is_somebodys || !headers.contains_key(KEY) {
        return next.run(request).await;
    }
    // Nobody's key is none: where somebody is needed, that is what the answer says.
    if !says_who(headers, &site) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match keyed(&site, parts, body, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn keyed(site: &Site, mut parts: Parts, body: Body, next: Next) -> Result<Response, Problem> {
    let key = key_of(&parts.headers)?.to_owned();
    let caller = Caller::from_request_parts(&mut parts, site).await?;
    let body = to_bytes(body, BODY_LIMIT)
        .await
        .map_err(|_| Problem::unreadable(StatusCode::PAYLOAD_TOO_LARGE))?;
    let fingerprint = fingerprint(&parts, &body);
    let claim = site
        .app
        .begin_request(&caller.member, &key, fingerprint)
        .await?;
    let lease = match claim {
        RequestClaim::Taken(lease) => lease,
        RequestClaim::Answered(answer) => return Ok(again(answer)),
        RequestClaim::UnderWay => return Err(under_way()),
        RequestClaim::OtherRequest => {
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The Idempotency-Key stands for another request",
                "A key stands for one method, address and body. Send this request with a new one.",
            ));
        }
    };
    parts.extensions.insert(caller.clone());
    parts
        .extensions
        .insert(RequestKey(request_key(&key, &fingerprint)));
    let request = Request::from_parts(parts, Body::from(body));
    let app = site.app.clone();
    // Apart from the connection: whoever hangs up and asks again shall find the answer.
    let answering = tokio::spawn(async move {
        let (response, answer) = read(next.run(request).await).await;
        app.end_request(&caller.member, &key, lease, answer.as_ref())
            .await;
        response
    });
    answering
        .await
        .map_err(|problem| site.app.failed("answering a request", problem).into())
}

/// The key, which is 1 to 255 visible characters of ASCII.
fn key_of(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut keys = headers.get_all(KEY).iter();
    let key = keys.next().filter(|_| keys.next().is_none());
    key.map(HeaderValue::as_bytes)
        .filter(|key| (1..=LONGEST_KEY).contains(&key.len()))
        .filter(|key| key.iter().all(u8::is_ascii_graphic))
        .and_then(|key| std::str::from_utf8(key).ok())
        .ok_or_else(|| {
            Problem::invalid(
                "Idempotency-Key",
                "This is one header of 1 to 255 visible ASCII characters, such as a UUID.",
            )
        })
}

/// Tells requests apart.
fn fingerprint(parts: &Parts, body: &Bytes) -> [u8; 32] {
    let address = parts
        .uri
        .path_and_query()
        .map_or("", |address| address.as_str());
    let mut digest = Sha256::new();
    for part in [parts.method.as_str().as_bytes(), address.as_bytes(), body] {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

fn request_key(key: &str, fingerprint: &[u8; 32]) -> Uuid {
    let mut digest = Sha256::new();
    digest.update(b"api");
    digest.update(fingerprint);
    digest.update(key.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    Uuid::from_bytes(bytes)
}

/// Reads an answer, so that it can be kept and sent. One that says that nothing was dealt with is not kept.
async fn read(response: Response) -> (Response, Option<StoredAnswer>) {
    let (parts, body) = response.into_parts();
    let is_final = !parts.status.is_server_error() && parts.status != StatusCode::TOO_MANY_REQUESTS;
    let Ok(body) = to_bytes(body, ANSWER_MAX).await else {
        tracing::error!(
            "request.answer_too_long: an answer to a POST is longer than {ANSWER_MAX} bytes"
        );
        return (StatusCode::INTERNAL_SERVER_ERROR.into_response(), None);
    };
    let text = std::str::from_utf8(&body).ok().filter(|_| is_final);
    let answer = text.map(|text| StoredAnswer {
        status: parts.status.as_u16(),
        headers: KEPT
            .iter()
            .filter_map(|name| {
                let value = parts.headers.get(name)?.to_str().ok()?;
                Some((name.as_str().to_owned(), value.to_owned()))
            })
            .collect(),
        body: text.to_owned(),
    });
    (Response::from_parts(parts, Body::from(body)), answer)
}

/// The same answer once more.
fn again(answer: StoredAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    headers.insert(
        HeaderName::from_static("idempotent-replayed"),
        HeaderValue::from_static("true"),
    );
    response
}

fn under_way() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "request-under-way",
        "The same request is being answered",
        "Ask again after Retry-After seconds, with the same Idempotency-Key, for its answer.",
    )
    .retry_after(1)
}
