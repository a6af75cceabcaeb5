//! A simulated Microsoft: Entra ID's consent and tokens, and the calendars of Graph.
//!
//! Sources: MicrosoftDocs/entra-docs (v2-oauth2-auth-code-flow.md, refresh-tokens.md,
//! reference-error-codes.md) and microsoftgraph/microsoft-graph-docs-contrib (v1.0).

mod errors;
mod events;
mod graph;
mod render;
mod token;

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

pub(super) use events::{get as event, view as calendar_view};
pub(super) use graph::{calendars, me};
pub(super) use token::token;

use super::{
    Sandbox,
    oauth::{
        self, AuthRequest, Consent, Denial, Endpoint, Grant, Params, Provider, Service,
        consent_page, error_page,
    },
};

/// Graph's delegated permissions that the program may ask for, and what the page says about each.
const PERMISSIONS: [(&str, &str); 6] = [
    ("User.Read", "Sign you in and read your profile"),
    ("Calendars.Read", "Read your calendars"),
    ("Calendars.Read.Shared", "Read calendars you can access"),
    (
        "Calendars.ReadBasic",
        "Read basic details of your calendars",
    ),
    ("Calendars.ReadWrite", "Have full access to your calendars"),
    ("MailboxSettings.Read", "Read your mailbox settings"),
];

/// The scopes of OpenID Connect; `offline_access` brings the refresh token.
const OPENID: [(&str, &str); 4] = [
    ("openid", "Sign you in"),
    ("email", "View your e-mail address"),
    ("profile", "View your basic profile"),
    (
        "offline_access",
        "Maintain access to data you have given it access to",
    ),
];

/// What the browser brings back from Cancel.
pub(super) const DENIED: &str = "AADSTS65004: User declined to consent to access the app.";

const RESOURCE: &str = "https://graph.microsoft.com/";

/// The scope under the name with which it is answered, and what the page says about it.
fn scope(asked: &str) -> Option<(&'static str, &'static str)> {
    let name = asked.strip_prefix(RESOURCE).unwrap_or(asked);
    let mut known = PERMISSIONS.iter().chain(&OPENID);
    known
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .copied()
}

/// `GET /microsoft/{tenant}/oauth2/v2.0/authorize`
pub(super) async fn authorize(
    State(sandbox): State<Sandbox>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    oauth::show(
        &sandbox,
        Provider::Microsoft,
        &path(&tenant),
        &query,
        &headers,
    )
    .await
}

/// `POST /microsoft/{tenant}/oauth2/v2.0/authorize`: the form of the page.
pub(super) async fn decide(
    State(sandbox): State<Sandbox>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    oauth::decide(
        &sandbox,
        Provider::Microsoft,
        &path(&tenant),
        &headers,
        &body,
    )
    .await
}

/// `GET /microsoft/{tenant}/discovery/v2.0/keys`
pub(super) async fn keys(State(sandbox): State<Sandbox>, Path(_): Path<String>) -> Response {
    match sandbox.arrive(Provider::Microsoft, Endpoint::Keys).await {
        Ok(_) => answer(&oauth::keys()),
        Err(outage) => errors::token_outage(&outage, sandbox.slack.options.clock.now()),
    }
}

fn answer(value: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store, no-cache"),
    ];
    (headers, value.to_string()).into_response()
}

/// Names in place of a tenant, under which accounts of several may sign in.
const SHARED: [&str; 3] = ["common", "organizations", "consumers"];

/// Whether the tenant in the path is one in which this client may ask.
fn is_tenant(service: &Service, tenant: &str) -> bool {
    SHARED.contains(&tenant)
        || service
            .accounts()
            .iter()
            .any(|account| account.tenant == tenant)
}

fn path(tenant: &str) -> String {
    format!("/microsoft/{tenant}/oauth2/v2.0/authorize")
}

fn tenant_of(path: &str) -> &str {
    path.split('/').nth(2).unwrap_or_default()
}

/// Until client and address are known, errors are pages; afterwards they go back to the program
/// (v2-oauth2-auth-code-flow.md, “Error codes for authorization endpoint errors”).
pub(super) fn check(service: &Service, path: &str, params: &Params) -> Result<AuthRequest, Denial> {
    let page = |error: &str, detail: String| {
        Denial::page(
            error,
            "Sorry, but we’re having trouble signing you in.",
            detail,
        )
    };
    let tenant = tenant_of(path);
    if !is_tenant(service, tenant) {
        let detail = format!("AADSTS90002: Tenant '{tenant}' not found.");
        return Err(page("invalid_request", detail));
    }
    let missing = |name: &str| {
        format!("AADSTS900144: The request body must contain the following parameter: '{name}'.")
    };
    let client = params
        .get("client_id")
        .ok_or_else(|| page("invalid_request", missing("client_id")))?;
    if client != service.client.id {
        let detail = format!(
            "AADSTS700016: Application with identifier '{client}' was not found in the directory."
        );
        return Err(page("unauthorized_client", detail));
    }
    let redirect_uri = params
        .get("redirect_uri")
        .ok_or_else(|| page("invalid_request", missing("redirect_uri")))?;
    if !service
        .client
        .redirects
        .iter()
        .any(|known| known == redirect_uri)
    {
        let detail = format!(
            "AADSTS50011: The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for the application '{client}'."
        );
        return Err(page("invalid_request", detail));
    }
    let back = |error: &'static str, detail: String| Denial::Back {
        redirect_uri: redirect_uri.to_owned(),
        state: params.get("state").map(str::to_owned),
        error,
        detail,
    };
    let needed = |name: &str| {
        params
            .get(name)
            .ok_or_else(|| back("invalid_request", missing(name)))
    };
    if let Some(name) = params.repeated() {
        let detail = format!(
            "AADSTS9000411: The request is not properly formatted. The parameter '{name}' is duplicated."
        );
        return Err(back("invalid_request", detail));
    }
    if needed("response_type")? != "code" {
        let detail = "AADSTS700054: the sandbox plays response_type=code only.".to_owned();
        return Err(back("unsupported_response_type", detail));
    }
    if !matches!(params.get("response_mode"), None | Some("query")) {
        // A form post would lose a cookie with SameSite=Lax on its way back.
        let detail = "the sandbox plays response_mode=query only.".to_owned();
        return Err(back("invalid_request", detail));
    }
    let prompt = params.get("prompt").unwrap_or_default();
    if !["", "login", "none", "consent", "select_account"].contains(&prompt) {
        let detail = format!("AADSTS90023: Unsupported 'prompt' value: {prompt}.");
        return Err(back("invalid_request", detail));
    }
    let challenge = challenge(params).map_err(|detail| back("invalid_request", detail))?;
    let scopes = scopes(needed("scope")?).map_err(|detail| back("invalid_scope", detail))?;
    if prompt == "none" {
        let detail = "AADSTS50058: A silent sign-in request was sent but no user is signed in.";
        return Err(back("login_required", detail.to_owned()));
    }
    Ok(AuthRequest {
        redirect_uri: redirect_uri.to_owned(),
        state: params.get("state").map(str::to_owned),
        nonce: params.get("nonce").map(str::to_owned),
        is_offline: scopes.iter().any(|scope| scope == "offline_access"),
        scopes,
        challenge,
        asks_again: prompt == "consent",
        adds_to_granted: false,
        login_hint: params.get("login_hint").map(str::to_owned),
    })
}

fn challenge(params: &Params) -> Result<Option<(String, bool)>, String> {
    let is_hashed = match params.get("code_challenge_method") {
        None | Some("plain") => false,
        Some("S256") => true,
        Some(_) => return Err("AADSTS50149: Invalid Code_Challenge_method parameter.".to_owned()),
    };
    match params.get("code_challenge") {
        Some(challenge) if (43..=128).contains(&challenge.len()) => {
            Ok(Some((challenge.to_owned(), is_hashed)))
        }
        Some(_) => Err("AADSTS501491: Invalid size of Code_Challenge parameter.".to_owned()),
        None => Ok(None),
    }
}

/// Scopes stand between spaces. With commas only personal accounts work
/// (learn.microsoft.com Q&A 1329148), and nobody knows whose account it will be.
fn scopes(asked: &str) -> Result<Vec<String>, String> {
    asked
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| {
            scope(word).map(|(name, _)| name.to_owned()).ok_or_else(|| {
                format!("AADSTS70011: The provided value for the input parameter 'scope' is not valid. The scope {word} is not valid.")
            })
        })
        .collect()
}

/// “Need admin approval”: there is no way on from here, and the program never hears of it.
pub(super) fn dead_end() -> Response {
    let detail = "AADSTS90094: BillOps needs permission to access resources in your organization \
        that only an admin can grant. Please ask an admin to grant permission to this app before \
        you can use it.";
    error_page(
        Provider::Microsoft,
        StatusCode::OK,
        "Need admin approval",
        detail,
    )
}

pub(super) fn page(sandbox: &Sandbox, path: &str, query: &str, request: &AuthRequest) -> Response {
    let tenant = tenant_of(path);
    let (is_blocked, accounts) = sandbox.provider(Provider::Microsoft, |service| {
        let accounts: Vec<_> = service
            .accounts()
            .iter()
            .filter(|account| account.tenant == tenant || SHARED.contains(&tenant))
            .map(|account| {
                let (id, name) = (account.id.clone(), account.name.clone());
                (id, name, account.email.clone())
            })
            .collect();
        (service.switches.needs_admin_approval, accounts)
    });
    if is_blocked {
        return dead_end();
    }
    let asks = request
        .scopes
        .iter()
        .filter_map(|asked| {
            let (name, sentence) = scope(asked)?;
            Some(oauth::Ask {
                scope: name.to_owned(),
                sentence,
                is_optional: false,
            })
        })
        .collect();
    consent_page(&Consent {
        provider: Provider::Microsoft,
        path,
        request: query,
        heading: "Permissions requested".to_owned(),
        lead: "BillOps would like to do this for you. Accepting lets it use your data as it says \
            in its terms; you can change this at myapps.microsoft.com."
            .to_owned(),
        choice: "Pick an account",
        accounts,
        chosen: request.login_hint.as_deref(),
        asks,
        allow: "Accept",
    })
}

pub(super) fn allow(sandbox: &Sandbox, account: &str, request: &AuthRequest) -> Option<String> {
    let now = sandbox.slack.options.clock.now();
    sandbox.provider(Provider::Microsoft, |service| {
        let account = service.account_mut(account)?;
        account.consented.extend(request.scopes.iter().cloned());
        let grant = Grant {
            account: account.id.clone(),
            scopes: request.scopes.clone(),
            nonce: request.nonce.clone(),
            is_offline: request.is_offline,
        };
        Some(service.issued.code("0.A", request, grant, now))
    })
}
