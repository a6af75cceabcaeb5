//! Installing the app in a workspace, in a browser.

use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::html;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Site,
    api::{HandedOver, Success},
    limits::Anybody,
    pages::{self, Sign},
    problem::Problem,
    session::{Caller, Visitor, is_from_here},
};
use crate::app::{Installed, Returned};

/// Why the app was not installed, as it stands in an address.
#[derive(Clone, Copy)]
enum NotInstalled {
    StateInvalid,
    Denied,
    CodeRefused,
    Operator,
    Unavailable,
}

impl NotInstalled {
    const ALL: [Self; 5] = [
        Self::StateInvalid,
        Self::Denied,
        Self::CodeRefused,
        Self::Operator,
        Self::Unavailable,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::StateInvalid => "state-invalid",
            Self::Denied => "denied",
            Self::CodeRefused => "code-refused",
            Self::Operator => "server-settings",
            Self::Unavailable => "provider-unavailable",
        }
    }

    /// What happened, and what to do.
    const fn said(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::StateInvalid => (
                StatusCode::BAD_REQUEST,
                "This install was begun elsewhere, or too long ago",
                "Begin again in the same browser; there are ten minutes to finish.",
            ),
            Self::Denied => (
                StatusCode::FORBIDDEN,
                "BillOps was not installed",
                "Consent was not given, or an admin of the workspace has to approve first. Begin again when that is settled.",
            ),
            Self::CodeRefused => (
                StatusCode::BAD_REQUEST,
                "Slack no longer takes the code",
                "A code works once, for ten minutes. Begin again.",
            ),
            Self::Operator => (
                StatusCode::BAD_GATEWAY,
                "This server is not set up for installs",
                "Slack does not take the server's settings, or they are missing. Whoever runs it finds the setting in the \
                 log and with `billops doctor`.",
            ),
            Self::Unavailable => (
                StatusCode::BAD_GATEWAY,
                "Slack does not answer",
                "Nothing was installed. Begin again in some minutes.",
            ),
        }
    }
}

/// Where to send the browser.
#[derive(Serialize, ToSchema)]
pub(super) struct InstallBegun {
    /// Slack's page.
    auth_url: String,
    /// Comes back with the browser, and is handed over with the code.
    state: String,
}

/// A workspace that has the app now.
#[derive(Serialize, ToSchema)]
pub(super) struct InstallDone {
    /// That it worked.
    status: Success,
    /// Slack's id of the workspace.
    #[schema(examples("T07TERN001"))]
    workspace_id: String,
    /// What Slack calls it.
    #[schema(examples("Tern Studio"))]
    workspace_name: Option<String>,
    /// A sentence about it.
    message: String,
}

/// What only this caller holds: the secret of the browser, or for a program whom it acts for.
fn holder(caller: Option<&Caller>, visitor: &Visitor) -> Option<String> {
    match caller {
        Some(caller) if caller.is_program => Some(format!("program {}", caller.member.binding_id)),
        _ => visitor
            .browser
            .as_ref()
            .map(|browser| browser.expose_secret().to_owned()),
    }
}

/// Add to Slack
///
/// Sends the browser to Slack, where somebody chooses a workspace and consents.
#[utoipa::path(
    get, path = "/integrations/slack/install", operation_id = "addToSlack", tag = "Browser", security(()),
    responses(
        (status = 303, description = "Off to Slack.", headers(("Location" = String, description = "Slack's page."))),
        (status = 502, description = "Installing is not set up on this server.", content_type = "text/html", body = String),
    ),
)]
pub(super) async fn begin(_: Anybody, State(site): State<Site>, visitor: Visitor) -> Response {
    let (browser, cookie) = visitor.browser_or_new(&site);
    match site.app.begin_install(browser.expose_secret()) {
        Ok(Some((url, _))) => {
            let mut response = Redirect::to(url.as_str()).into_response();
            let cookie = cookie.map(|cookie| (header::SET_COOKIE, cookie));
            response.headers_mut().extend(cookie);
            response
        }
        Ok(None) => not_installed_page(NotInstalled::Operator),
        Err(failed) => pages::failed(failed),
    }
}

/// Begin to install the app in a workspace
///
/// For a frontend, which sends the browser itself. Nobody need be signed in: whoever installs the app first cannot be.
/// Without a token the same browser has to end it.
#[utoipa::path(
    get, path = "/integrations/slack/authorize", operation_id = "beginInstall", tag = "Browser",
    security((), ("session" = []), ("token" = [])),
    responses(
        (status = 200, description = "Where to send the browser.", body = InstallBegun),
        (status = 404, description = "`not-offered`: installing is not set up on this server."),
    ),
)]
pub(super) async fn authorize(
    _: Anybody,
    State(site): State<Site>,
    visitor: Visitor,
    caller: Option<Caller>,
) -> Result<Response, Problem> {
    let (browser, cookie) = visitor.browser_or_new(&site);
    let holder = holder(caller.as_ref(), &visitor);
    let holder = holder.unwrap_or_else(|| browser.expose_secret().to_owned());
    let Some((auth_url, state)) = site.app.begin_install(&holder)? else {
        return Err(Problem::not_offered("Slack"));
    };
    let mut response = Json(InstallBegun {
        auth_url: auth_url.into(),
        state,
    })
    .into_response();
    let cookie = cookie.map(|cookie| (header::SET_COOKIE, cookie));
    response.headers_mut().extend(cookie);
    Ok(response)
}

/// Come back from Slack
///
/// Where Slack sends the browser. It goes on to a page that says what came of it.
#[utoipa::path(
    get, path = "/integrations/slack/callback", operation_id = "endInstallInBrowser", tag = "Browser", security(()),
    params(HandedOver),
    responses((status = 303, description = "On to the page.", headers(("Location" = String, description = "A path of this server's.")))),
)]
pub(super) async fn callback(
    _: Anybody,
    State(site): State<Site>,
    visitor: Visitor,
    query: Result<Query<Returned>, QueryRejection>,
) -> Response {
    // A parameter that comes twice makes all of them doubtful (RFC 6749, 3.1).
    let returned = query.map_or_else(|_| Returned::default(), |Query(returned)| returned);
    let holder = holder(None, &visitor);
    let ended = site.app.end_install(&returned, holder.as_deref()).await;
    let mut response = match ended.map(outcome) {
        Ok(Ok(_)) => Redirect::to("/installed").into_response(),
        Ok(Err(reason)) => {
            Redirect::to(&format!("/not-installed/{}", reason.as_str())).into_response()
        }
        Err(failed) => pages::failed(failed),
    };
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

/// End installing
///
/// A frontend hands over what Slack gave the browser, in the query or as JSON. A `state` belongs to whoever began.
#[utoipa::path(
    post, path = "/integrations/slack/callback", operation_id = "endInstall", tag = "Browser",
    security((), ("session" = []), ("token" = [])),
    params(HandedOver),
    request_body(content = Option<HandedOver>, description = "The same as in the query, which is not read then."),
    responses(
        (status = 200, description = "It is installed.", body = InstallDone),
        (status = 400, description = "`state-invalid`, `code-refused`: begin again."),
        (status = 403, description = "`denied`: consent was not given. `foreign-origin`: a browser sent it from another site."),
        (status = 502, description = "`provider-unavailable`, `server-settings`: Slack does not answer, or not to this server."),
    ),
)]
pub(super) async fn hand_over(
    _: Anybody,
    State(site): State<Site>,
    headers: axum::http::HeaderMap,
    visitor: Visitor,
    caller: Option<Caller>,
    query: Result<Query<Returned>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<InstallDone>, Problem> {
    let body = body.map_err(|rejection| Problem::unreadable(rejection.status()))?;
    let is_program = caller.as_ref().is_some_and(|caller| caller.is_program);
    if !is_program && !is_from_here(&headers, &site) {
        return Err(Problem::foreign_origin());
    }
    let returned = HandedOver::read(&body, query)?;
    let holder = holder(caller.as_ref(), &visitor);
    let ended = site.app.end_install(&returned, holder.as_deref()).await?;
    match outcome(ended) {
        Ok((workspace_id, workspace_name)) => {
            let name = workspace_name.as_deref().unwrap_or(&workspace_id);
            let message = format!("BillOps is installed in {name}");
            Ok(Json(InstallDone {
                status: Success::Success,
                message,
                workspace_id,
                workspace_name,
            }))
        }
        Err(reason) => {
            let (status, title, detail) = reason.said();
            Err(Problem::new(status, reason.as_str(), title, detail))
        }
    }
}

fn outcome(ended: Installed) -> Result<(String, Option<String>), NotInstalled> {
    match ended {
        Installed::Yes { workspace_id, name } => Ok((workspace_id, name)),
        Installed::StateInvalid => Err(NotInstalled::StateInvalid),
        Installed::Denied => Err(NotInstalled::Denied),
        Installed::CodeRefused => Err(NotInstalled::CodeRefused),
        Installed::Operator => Err(NotInstalled::Operator),
        Installed::Unavailable => Err(NotInstalled::Unavailable),
    }
}

/// `GET /installed`.
pub(super) async fn installed(State(site): State<Site>) -> Response {
    let body = html! {
        p { "Everybody in the workspace can log time now: type " code { "/time 2.5 hours: Meeting" } " in any channel, or \
             open BillOps under Apps." }
        p { "Each person connects their own calendar in BillOps’ Home tab. Admins find the workspace’s settings there." }
        @if let Some(url) = site.slack_url.as_deref() {
            p { a.go href=(url) { "Open BillOps in Slack" } }
        }
    };
    pages::page(StatusCode::OK, Sign::Done, "BillOps is installed", &body)
}

/// `GET /not-installed/{reason}`: at an address without anything secret in it.
pub(super) async fn not_installed(Path(reason): Path<String>) -> Response {
    let known = NotInstalled::ALL
        .into_iter()
        .find(|known| known.as_str() == reason);
    match known {
        Some(reason) => not_installed_page(reason),
        None => pages::unknown().await,
    }
}

fn not_installed_page(reason: NotInstalled) -> Response {
    let (status, title, detail) = reason.said();
    let body = html! {
        p { (detail) }
        @if !matches!(reason, NotInstalled::Operator) {
            p { a.go href="/api/v1/integrations/slack/install" { "Begin again" } }
        }
    };
    pages::page(status, Sign::Stopped, title, &body)
}
