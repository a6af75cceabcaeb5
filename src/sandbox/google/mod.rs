//! A simulated Google: consent, tokens, calendars.
//!
//! Sources: developers.google.com/identity/protocols/oauth2/web-server (OAuth), the Calendar v3
//! discovery document, revision 20261030 (the API), and its guides on errors, sync and pagination.

mod errors;
mod events;
mod fields;
mod lists;
mod render;
mod token;

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

pub(super) use events::{get as event, list as events};
pub(super) use lists::calendar_list;
pub(super) use token::{revoke, token};

use super::{
    Sandbox,
    oauth::{
        self, AuthRequest, Consent, Denial, Endpoint, Grant, Params, Provider, Service,
        consent_page,
    },
};

const PATH: &str = "/google/o/oauth2/v2/auth";

const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
const PROFILE: &str = "https://www.googleapis.com/auth/userinfo.profile";

/// The scopes of sign-in, which have no box to untick.
const SIGN_IN: [&str; 5] = ["openid", "email", "profile", EMAIL, PROFILE];

/// Calendar scopes that the discovery document names, and what the page says about each.
const CALENDAR: [(&str, &str); 12] = [
    (
        "calendar",
        "See, edit, share, and permanently delete all the calendars you can access",
    ),
    (
        "calendar.readonly",
        "See and download any calendar you can access",
    ),
    (
        "calendar.events",
        "View and edit events on all your calendars",
    ),
    (
        "calendar.events.readonly",
        "View events on all your calendars",
    ),
    (
        "calendar.events.owned",
        "See, create, change, and delete events on calendars you own",
    ),
    (
        "calendar.events.owned.readonly",
        "See the events on calendars you own",
    ),
    (
        "calendar.calendarlist",
        "See, add, and remove calendars you are subscribed to",
    ),
    (
        "calendar.calendarlist.readonly",
        "See the list of calendars you are subscribed to",
    ),
    (
        "calendar.calendars",
        "See and change the properties of your calendars",
    ),
    (
        "calendar.calendars.readonly",
        "See the title, time zone, and other properties of calendars",
    ),
    (
        "calendar.freebusy",
        "See your availability in your calendars",
    ),
    ("calendar.settings.readonly", "View your calendar settings"),
];

/// Whether the scope is a calendar scope of this name.
fn is_calendar_scope(scope: &str, name: &str) -> bool {
    scope.strip_prefix("https://www.googleapis.com/auth/") == Some(name)
}

fn sentence(scope: &str) -> Option<&'static str> {
    CALENDAR
        .iter()
        .find(|(name, _)| is_calendar_scope(scope, name))
        .map(|(_, sentence)| *sentence)
}

const KNOWN: [&str; 15] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "access_type",
    "prompt",
    "include_granted_scopes",
    "enable_granular_consent",
    "login_hint",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "hd",
    "hl",
];

/// `GET /google/o/oauth2/v2/auth`
pub(super) async fn authorize(
    State(sandbox): State<Sandbox>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    oauth::show(&sandbox, Provider::Google, PATH, &query, &headers).await
}

/// `POST /google/o/oauth2/v2/auth`: the form of the page.
pub(super) async fn decide(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    oauth::decide(&sandbox, Provider::Google, PATH, &headers, &body).await
}

/// `GET /google/certs`
pub(super) async fn keys(State(sandbox): State<Sandbox>) -> Response {
    match sandbox.arrive(Provider::Google, Endpoint::Keys).await {
        Ok(_) => answer(&oauth::keys()),
        Err(outage) => errors::api(&outage),
    }
}

fn answer(value: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=UTF-8"),
        (header::CACHE_CONTROL, "no-cache, no-store, max-age=0"),
    ];
    (headers, value.to_string()).into_response()
}

/// Google shows every refusal on a page of its own and sends nobody back.
pub(super) fn check(service: &Service, params: &Params) -> Result<AuthRequest, Denial> {
    let page = |error: &str, detail: String| {
        let number = if error == "invalid_client" { 401 } else { 400 };
        Denial::page(error, &format!("Error {number}: {error}"), detail)
    };
    let needed = |name: &str| {
        params.get(name).ok_or_else(|| {
            page(
                "invalid_request",
                format!("Missing required parameter: {name}"),
            )
        })
    };
    if let Some(name) = params.repeated() {
        let detail = format!("OAuth 2 parameters can only have a single value: {name}");
        return Err(page("invalid_request", detail));
    }
    if let Some(name) = params.unknown(&KNOWN).first() {
        let detail = format!("Parameter not allowed for this message type: {name}");
        return Err(page("invalid_request", detail));
    }
    if needed("client_id")? != service.client.id {
        return Err(page(
            "invalid_client",
            "The OAuth client was not found.".to_owned(),
        ));
    }
    let redirect_uri = needed("redirect_uri")?;
    if !service
        .client
        .redirects
        .iter()
        .any(|known| known == redirect_uri)
    {
        let detail = format!("The redirect URI in the request, {redirect_uri}, is not registered.");
        return Err(page("redirect_uri_mismatch", detail));
    }
    let one_of = |name: &str, known: &[&str]| match params.get(name) {
        Some(value) if !value.split(' ').all(|word| known.contains(&word)) => {
            let detail = format!("Invalid parameter value for {name}: {value}");
            Err(page("invalid_request", detail))
        }
        value => Ok(value.unwrap_or_default()),
    };
    if needed("response_type")? != "code" {
        return Err(page(
            "unsupported_response_type",
            "Invalid response_type".to_owned(),
        ));
    }
    let is_offline = one_of("access_type", &["online", "offline"])? == "offline";
    let prompt = one_of("prompt", &["none", "consent", "select_account"])?;
    let adds_to_granted = one_of("include_granted_scopes", &["true", "false"])? == "true";
    let method = one_of("code_challenge_method", &["plain", "S256"])?;
    let challenge = params.get("code_challenge");
    if challenge.is_none() && !method.is_empty() {
        return Err(page(
            "invalid_request",
            "Missing required parameter: code_challenge".to_owned(),
        ));
    }
    // RFC 7636 4.2
    if challenge.is_some_and(|challenge| !(43..=128).contains(&challenge.len())) {
        return Err(page("invalid_request", "Invalid code_challenge".to_owned()));
    }
    let scopes = scopes(needed("scope")?).map_err(|detail| page("invalid_scope", detail))?;
    if prompt == "none" {
        return Err(Denial::Back {
            redirect_uri: redirect_uri.to_owned(),
            state: params.get("state").map(str::to_owned),
            error: "interaction_required",
            detail: String::new(),
        });
    }
    Ok(AuthRequest {
        redirect_uri: redirect_uri.to_owned(),
        state: params.get("state").map(str::to_owned),
        nonce: params.get("nonce").map(str::to_owned),
        scopes,
        challenge: challenge.map(|challenge| (challenge.to_owned(), method == "S256")),
        is_offline,
        asks_again: prompt.split(' ').any(|word| word == "consent"),
        adds_to_granted,
        login_hint: params.get("login_hint").map(str::to_owned),
    })
}

/// The scopes asked for, under the names with which they are answered.
fn scopes(asked: &str) -> Result<Vec<String>, String> {
    let words = || asked.split(' ').filter(|word| !word.is_empty());
    let is_known = |scope: &str| SIGN_IN.contains(&scope) || sentence(scope).is_some();
    if words().all(is_known) {
        let long = |scope: &str| match scope {
            "email" => EMAIL.to_owned(),
            "profile" => PROFILE.to_owned(),
            scope => scope.to_owned(),
        };
        return Ok(words().map(long).collect());
    }
    let (valid, invalid): (Vec<_>, Vec<_>) = words().partition(|scope| is_known(scope));
    Err(format!(
        "Some requested scopes were invalid. {{valid=[{}], invalid=[{}]}}",
        valid.join(", "),
        invalid.join(", ")
    ))
}

pub(super) fn page(sandbox: &Sandbox, path: &str, query: &str, request: &AuthRequest) -> Response {
    let accounts = sandbox.provider(Provider::Google, |service| {
        let accounts = service.accounts().iter();
        accounts
            .map(|account| {
                let (id, name) = (account.id.clone(), account.name.clone());
                (id, name, account.email.clone())
            })
            .collect()
    });
    let asks = request
        .scopes
        .iter()
        .filter_map(|scope| {
            Some(oauth::Ask {
                scope: scope.clone(),
                sentence: sentence(scope)?,
                is_optional: true,
            })
        })
        .collect();
    consent_page(&Consent {
        provider: Provider::Google,
        path,
        request: query,
        heading: "BillOps wants access to your Google Account".to_owned(),
        lead: "Your name, your e-mail address and your profile picture are shared with it."
            .to_owned(),
        choice: "Choose an account",
        accounts,
        chosen: request.login_hint.as_deref(),
        asks,
        allow: "Continue",
    })
}

/// What was ticked, and what was granted before where that is asked for. A refresh token comes the
/// first time only, or when consent is asked for explicitly.
pub(super) fn allow(
    sandbox: &Sandbox,
    account: &str,
    request: &AuthRequest,
    form: &Params,
) -> Option<String> {
    let now = sandbox.slack.options.clock.now();
    sandbox.provider(Provider::Google, |service| {
        let account = service.account_mut(account)?;
        let is_first = account.consented.is_empty();
        let mut scopes: Vec<String> = request
            .scopes
            .iter()
            .filter(|scope| {
                sentence(scope).is_none() || form.all("scope").any(|ticked| ticked == *scope)
            })
            .cloned()
            .collect();
        if request.adds_to_granted {
            let before = account.consented.iter();
            let more: Vec<_> = before
                .filter(|scope| !scopes.contains(scope))
                .cloned()
                .collect();
            scopes.extend(more);
        }
        account.consented.extend(scopes.iter().cloned());
        let grant = Grant {
            account: account.id.clone(),
            scopes,
            nonce: request.nonce.clone(),
            is_offline: request.is_offline && (is_first || request.asks_again),
        };
        Some(service.issued.code("4/0A", request, grant, now))
    })
}
