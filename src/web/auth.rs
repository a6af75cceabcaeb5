//! Signing in with Slack, and out again.

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Site,
    api::HandedOver,
    limits::Anybody,
    pages,
    problem::Problem,
    session::{Visitor, is_from_here, no_session, session_cookie},
};
use crate::app::{Returned, SignedIn};

/// Where to go on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Then {
    /// A path of this server's. If left out: FRONTEND_URL, or the page that says where one is signed in.
    #[serde(default)]
    then: String,
}

/// Sign in with Slack
///
/// Sends the browser to Slack, and on to `then` afterwards.
#[utoipa::path(
    get, path = "/auth/slack/login", operation_id = "signIn", tag = "Browser", security(()),
    params(Then),
    responses(
        (status = 303, description = "Off to Slack.", headers(("Location" = String, description = "Slack's page."))),
        (status = 502, description = "Sign in with Slack is not set up on this server.", content_type = "text/html", body = String),
    ),
)]
pub(super) async fn login(
    _: Anybody,
    State(site): State<Site>,
    visitor: Visitor,
    Query(then): Query<Then>,
) -> Response {
    begin(&site, &visitor, &then.then)
}

/// Sends the browser to Slack to sign in, and on to `then` afterwards.
pub(super) fn begin(site: &Site, visitor: &Visitor, then: &str) -> Response {
    let (browser, cookie) = visitor.browser_or_new(site);
    match site.app.begin_sign_in(then, browser.expose_secret()) {
        Ok(Some(url)) => {
            let mut response = Redirect::to(url.as_str()).into_response();
            response
                .headers_mut()
                .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
            response
        }
        Ok(None) => pages::not_signed_in(&SignedIn::Operator, site.slack_url.as_deref()),
        Err(failed) => pages::failed(failed),
    }
}

/// Back from Slack
///
/// Where Slack sends the browser. Sets the session cookie and leads on, or to a page that says what is wrong.
#[utoipa::path(
    get, path = "/auth/slack/callback", operation_id = "endSignIn", tag = "Browser", security(()),
    params(HandedOver),
    responses((status = 303, description = "On to where it began.", headers(("Location" = String, description = "A path of this server's, or FRONTEND_URL.")))),
)]
pub(super) async fn callback(
    _: Anybody,
    State(site): State<Site>,
    visitor: Visitor,
    query: Result<Query<Returned>, QueryRejection>,
) -> Response {
    // A parameter that comes twice makes all of them doubtful (RFC 6749, 3.1).
    let returned = query.map_or_else(|_| Returned::default(), |Query(returned)| returned);
    let browser = visitor.browser.as_ref().map(SecretString::expose_secret);
    let mut response = match site.app.end_sign_in(&returned, browser).await {
        Ok(SignedIn::Yes { session, then }) => {
            // A session from before in this browser ends: nobody is left signed in behind another's back.
            if let Some(before) = &visitor.session
                && let Err(failed) = site.app.sign_out(before.expose_secret()).await
            {
                return pages::failed(failed);
            }
            let lands = match (&then, site.frontend_url.as_deref()) {
                (Some(path), _) => path,
                (None, Some(frontend)) => frontend.as_str(),
                (None, None) => "/sessions",
            };
            let mut response = Redirect::to(lands).into_response();
            response
                .headers_mut()
                .insert(header::SET_COOKIE, session_cookie(&site, &session));
            response
        }
        Ok(other) => {
            Redirect::to(&format!("/not-signed-in/{}", pages::sign_in_word(&other))).into_response()
        }
        Err(failed) => pages::failed(failed),
    };
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        header::HeaderValue::from_static("no-referrer"),
    );
    response
}

/// Why nobody is signed in, at an address without anything secret in it.
pub(super) async fn not_signed_in(
    State(site): State<Site>,
    Path(reason): Path<String>,
) -> Response {
    pages::not_signed_in(&pages::sign_in_outcome(&reason), site.slack_url.as_deref())
}

/// Sign out
///
/// Ends the browser's session. Without one, nothing happens; an API token goes on working.
#[utoipa::path(
    post, path = "/auth/logout", operation_id = "signOut", tag = "Person", security((), ("session" = [])),
    responses(
        (status = 204, description = "Nobody is signed in any more."),
        (status = 403, description = "`foreign-origin`: a browser sent it from another site."),
    ),
)]
pub(super) async fn logout(
    _: Anybody,
    State(site): State<Site>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Response {
    // Without a cookie there is nothing to protect, and none to take away: a request that another site sends comes
    // without it, while its answer could.
    let Some(session) = &visitor.session else {
        return StatusCode::NO_CONTENT.into_response();
    };
    if !is_from_here(&headers, &site) {
        return Problem::foreign_origin().into_response();
    }
    if let Err(failed) = site.app.sign_out(session.expose_secret()).await {
        return Problem::from(failed).into_response();
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    response
        .headers_mut()
        .insert(header::SET_COOKIE, no_session(&site));
    response
}
