//! Where somebody is signed in, and ending that: one browser, or all of them.

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Site, auth, pages,
    problem::Problem,
    session::{Caller, Visitor, form_token, is_our_form, no_session},
};

/// What the form carries.
#[derive(Debug, Deserialize)]
pub(super) struct End {
    form_token: String,
    /// The session that is to end; all of them where it is not said.
    session: Option<Uuid>,
}

/// `GET /sessions`.
pub(super) async fn list(State(site): State<Site>, visitor: Visitor) -> Response {
    let (Some(member), Some(session)) = (&visitor.member, &visitor.session) else {
        return auth::begin(&site, &visitor, "/sessions");
    };
    let (browser, cookie) = visitor.browser_or_new(&site);
    match site
        .app
        .open_sessions(member, session.expose_secret())
        .await
    {
        Ok(sessions) => {
            let mut response = pages::sessions(member, &sessions, &form_token(&browser));
            response
                .headers_mut()
                .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
            response
        }
        Err(failed) => pages::failed(failed),
    }
}

/// `POST /sessions/end`.
pub(super) async fn end(
    State(site): State<Site>,
    headers: HeaderMap,
    visitor: Visitor,
    form: Result<Form<End>, FormRejection>,
) -> Response {
    let Ok(Form(end)) = form else {
        return pages::not_our_form();
    };
    if !is_our_form(&headers, &site, &visitor, &end.form_token) {
        return pages::not_our_form();
    }
    let Some(member) = &visitor.member else {
        return Redirect::to("/").into_response();
    };
    match site.app.sign_out_of(member, end.session).await {
        Ok(_) if end.session.is_some() => Redirect::to("/sessions").into_response(),
        Ok(_) => {
            let mut response = Redirect::to("/").into_response();
            response
                .headers_mut()
                .insert(header::SET_COOKIE, no_session(&site));
            response
        }
        Err(failed) => pages::failed(failed),
    }
}

/// Sign out everywhere
///
/// Every browser in which the caller is signed in. API tokens go on working; none of them may ask for this.
#[utoipa::path(
    post, path = "/auth/logout-everywhere", operation_id = "signOutEverywhere", tag = "Person",
    responses((status = 204, description = "The caller is signed in nowhere.")),
)]
pub(super) async fn end_all(State(site): State<Site>, caller: Caller) -> Result<Response, Problem> {
    site.app.sign_out_of(&caller.member, None).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response
        .headers_mut()
        .insert(header::SET_COOKIE, no_session(&site));
    Ok(response)
}
