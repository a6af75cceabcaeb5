//! Connecting a calendar in a browser.

use axum::{
    Form,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::{
    Site,
    api::HandedOver,
    auth,
    limits::Anybody,
    pages, schema,
    session::{Visitor, form_token, is_our_form},
};
use crate::{
    app::{Bearer, Ended, From, LinkPage, Reason, Returned},
    calendar::is_known_part,
    domain::provider::Provider,
};

/// What our forms carry.
#[derive(Debug, Deserialize)]
pub(super) struct OurForm {
    #[serde(default)]
    form_token: String,
}

/// `GET /connect/{provider}/{token}`: names who connects what, and changes nothing.
pub(super) async fn page(
    State(site): State<Site>,
    visitor: Visitor,
    Path((provider, token)): Path<(String, String)>,
) -> Response {
    match site
        .app
        .link_page(&provider, &token, visitor.member.as_ref())
        .await
    {
        Ok(page) => draw(&site, &visitor, &page, &path_of(&provider, &token)).await,
        Err(failed) => pages::failed(failed),
    }
}

/// The page's own path. Both parts are taken from an address, so they are escaped for one again.
fn path_of(provider: &str, token: &str) -> String {
    let escape =
        |part: &str| -> String { url::form_urlencoded::byte_serialize(part.as_bytes()).collect() };
    format!("/connect/{}/{}", escape(provider), escape(token))
}

async fn draw(site: &Site, visitor: &Visitor, page: &LinkPage, path: &str) -> Response {
    let (browser, cookie) = visitor.browser_or_new(site);
    let workspace = match page {
        LinkPage::Gone => None,
        LinkPage::SignIn(member, _)
        | LinkPage::NotYours { owner: member, .. }
        | LinkPage::Ready { member, .. } => {
            match site.app.workspace_name(&member.workspace_id).await {
                Ok(name) => name,
                Err(failed) => return pages::failed(failed),
            }
        }
    };
    let mut response = pages::link(
        page,
        workspace.as_deref(),
        &form_token(&browser),
        path,
        site.slack_url.as_deref(),
    );
    response
        .headers_mut()
        .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// `POST /connect/{provider}/{token}/sign-in`: off to Slack, and back to the page.
pub(super) async fn sign_in(
    State(site): State<Site>,
    headers: HeaderMap,
    visitor: Visitor,
    Path((provider, token)): Path<(String, String)>,
    Form(form): Form<OurForm>,
) -> Response {
    if !is_our_form(&headers, &site, &visitor, &form.form_token) {
        return pages::not_our_form();
    }
    auth::begin(&site, &visitor, &path_of(&provider, &token))
}

/// `POST /connect/{provider}/{token}`: uses the link up, and off to the provider.
pub(super) async fn begin(
    State(site): State<Site>,
    headers: HeaderMap,
    visitor: Visitor,
    Path((provider, token)): Path<(String, String)>,
    Form(form): Form<OurForm>,
) -> Response {
    let Some(browser) = &visitor.browser else {
        return pages::not_our_form();
    };
    if !is_our_form(&headers, &site, &visitor, &form.form_token) {
        return pages::not_our_form();
    }
    let begun = site
        .app
        .begin_link(
            &provider,
            &token,
            visitor.member.as_ref(),
            browser.expose_secret(),
        )
        .await;
    match begun {
        Ok(Ok(url)) => Redirect::to(url.as_str()).into_response(),
        Ok(Err(page)) => draw(&site, &visitor, &page, &path_of(&provider, &token)).await,
        Err(failed) => pages::failed(failed),
    }
}

/// Back from the provider
///
/// Where Google and Microsoft send the browser. Leads to FRONTEND_URL, if it began there, or to a page that says what
/// is connected or what is wrong.
#[utoipa::path(
    get, path = "/integrations/{provider}/callback", operation_id = "returnFromProvider", tag = "Browser", security(()),
    params(("provider" = schema::Provider, Path, description = "Who keeps the calendar."), HandedOver),
    responses(
        (status = 200, description = "A page with a code to type in Slack: somebody has to say who sits there.", content_type = "text/html", body = String),
        (status = 303, description = "On to the page that says how it ended.", headers(("Location" = String, description = "That page."))),
    ),
)]
pub(super) async fn callback(
    _: Anybody,
    State(site): State<Site>,
    visitor: Visitor,
    Path(provider): Path<String>,
    query: Result<Query<Returned>, QueryRejection>,
) -> Response {
    // A parameter that comes twice makes all of them doubtful (RFC 6749, 3.1).
    let returned = query.map_or_else(|_| Returned::default(), |Query(returned)| returned);
    let Some(provider) = Provider::from_name(&provider) else {
        return pages::unknown().await.into_response();
    };
    let bearer = Bearer {
        browser: visitor.browser.as_ref().map(SecretString::expose_secret),
        member: visitor.member.as_ref(),
        is_program: false,
    };
    let mut response = match site.app.end_errand(provider, &returned, &bearer).await {
        Ok(ended) => landed(&site, provider, &ended),
        Err(failed) => pages::failed(failed),
    };
    response.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

/// Where a browser lands: at the frontend that sent it, or on a page of ours at an address without secrets.
fn landed(site: &Site, provider: Provider, ended: &Ended) -> Response {
    let name = provider.as_str();
    let to = |url: &str| (StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response();
    let frontend = |pairs: &[(&str, &str)]| -> Option<Url> {
        let mut url = Url::clone(site.frontend_url.as_deref()?);
        url.query_pairs_mut()
            .append_pair("provider", name)
            .extend_pairs(pairs);
        Some(url)
    };
    match ended {
        Ended::Connected { from, .. } => {
            let there = (*from == From::Frontend)
                .then(|| frontend(&[("status", "success")]))
                .flatten();
            match there {
                Some(url) => to(url.as_str()),
                None => to(&format!("/connected/{name}")),
            }
        }
        Ended::Parked { code, provider } => pages::parked(code, *provider),
        Ended::Not(reason, from) => {
            let there = (*from == From::Frontend)
                .then(|| frontend(&[("status", "error"), ("reason", reason.as_str())]))
                .flatten();
            if let Some(url) = there {
                return to(url.as_str());
            }
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            if let Reason::Missing(missing) = reason {
                for one in missing {
                    query.append_pair("missing", one);
                }
            }
            let query = query.finish();
            let mark = if query.is_empty() { "" } else { "?" };
            to(&format!(
                "/not-connected/{name}/{}{mark}{query}",
                reason.as_str()
            ))
        }
    }
}

/// `GET /connected/{provider}`: what is connected, to whoever is signed in.
pub(super) async fn connected(
    State(site): State<Site>,
    visitor: Visitor,
    Path(provider): Path<String>,
) -> Response {
    let Some(provider) = Provider::from_name(&provider) else {
        return pages::unknown().await.into_response();
    };
    let accounts = match &visitor.member {
        Some(member) => match site.app.accounts(member).await {
            Ok(accounts) => Some(accounts),
            Err(failed) => return pages::failed(failed),
        },
        None => None,
    };
    pages::connected(provider, accounts.as_deref(), site.slack_url.as_deref())
}

/// `GET /not-connected/{provider}/{reason}`: what happened, and what to do.
pub(super) async fn not_connected(
    State(site): State<Site>,
    Path((provider, reason)): Path<(String, String)>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let Some(provider) = Provider::from_name(&provider) else {
        return pages::unknown().await.into_response();
    };
    // Only words of ours are shown, whatever the address says.
    let missing: Vec<&str> = pairs
        .iter()
        .filter(|(name, value)| name == "missing" && is_known_part(value))
        .map(|(_, value)| &**value)
        .collect();
    pages::not_connected(provider, &reason, &missing, site.slack_url.as_deref())
}
