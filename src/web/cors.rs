//! What a browser may let another site's script do here: what FRONTEND_URL's needs, and nothing for any other.
//!
//! Written by hand because it is this small: the libraries answer other origins, too, with what they might have been
//! allowed.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Site;

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const SENT: &str = "authorization, content-type, idempotency-key, if-match, if-none-match";
const SHOWN: &str = "etag, location, ratelimit, ratelimit-policy, retry-after, www-authenticate";
/// Seconds that a browser may remember what it was allowed.
const REMEMBERED: &str = "600";

/// Allows the frontend what it asks for.
pub(super) async fn for_the_frontend(
    State(site): State<Site>,
    request: Request,
    next: Next,
) -> Response {
    let Some(frontend) = &site.frontend_url else {
        return next.run(request).await;
    };
    let frontend = frontend.origin().ascii_serialization();
    let origin = request.headers().get(header::ORIGIN);
    if origin.is_none_or(|origin| origin.as_bytes() != frontend.as_bytes()) {
        let mut response = next.run(request).await;
        varies(response.headers_mut());
        return response;
    }
    let asks_first = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks_first {
        let allowed = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, SENT),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
        ];
        (StatusCode::NO_CONTENT, allowed).into_response()
    } else {
        let mut response = next.run(request).await;
        let shown = HeaderValue::from_static(SHOWN);
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, shown);
        response
    };
    let headers = response.headers_mut();
    let origin = HeaderValue::from_str(&frontend).expect("origins are ASCII");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        HeaderValue::from_static("true"),
    );
    varies(headers);
    response
}

/// An answer to one origin is none for another.
fn varies(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}
