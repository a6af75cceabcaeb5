//! Sign in with Slack: OpenID Connect on its own page, token method and keys.
//!
//! Source: <https://docs.slack.dev/authentication/sign-in-with-slack/>, the method pages of
//! `openid.connect.token` and `openid.connect.userInfo`.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use url::Url;

use super::{
    Sandbox,
    arguments::{Answered, Arguments, Refusal},
    faults::Fault,
    oauth::{
        self, AuthRequest, ClientProblem, CodeProblem, Consent, Denial, Endpoint, Grant, Outage,
        Params, Provider, Service, consent_page, credentials,
    },
};

/// The only scopes that may be asked for; they cannot be mixed with others.
const SCOPES: [&str; 3] = ["openid", "email", "profile"];

const KNOWN: [&str; 8] = [
    "response_type",
    "scope",
    "client_id",
    "redirect_uri",
    "state",
    "nonce",
    "team",
    "response_mode",
];

const PATH: &str = "/openid/connect/authorize";

/// `GET /openid/connect/authorize`
pub(super) async fn authorize(
    State(sandbox): State<Sandbox>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    oauth::show(&sandbox, Provider::Slack, PATH, &query, &headers).await
}

/// `POST /openid/connect/authorize`: the form of the page.
pub(super) async fn decide(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    oauth::decide(&sandbox, Provider::Slack, PATH, &headers, &body).await
}

/// `GET /openid/connect/keys`
pub(super) async fn keys(State(sandbox): State<Sandbox>) -> Response {
    let _ = sandbox.arrive(Provider::Slack, Endpoint::Keys).await;
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (kind, oauth::keys().to_string()).into_response()
}

/// The registered address, or one below it.
pub(super) fn is_below(url: &str, registered: &str) -> bool {
    let (Ok(url), Ok(registered)) = (Url::parse(url), Url::parse(registered)) else {
        return false;
    };
    let base = registered.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(base);
    url.origin() == registered.origin()
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(super) fn check(service: &Service, params: &Params) -> Result<AuthRequest, Denial> {
    let page = |error: &str, detail: &str| Denial::page(error, "Something went wrong", detail);
    if let Some(name) = params.unknown(&KNOWN).first() {
        // Slack lets it pass without a word, which is how a misspelt parameter survives.
        return Err(page(
            "unknown_parameter",
            &format!("{name} is not known here"),
        ));
    }
    let client = params.get("client_id");
    if client != Some(service.client.id.as_str()) {
        return Err(page("invalid_client_id", "Invalid client_id parameter"));
    }
    let redirect_uri = params.get("redirect_uri").unwrap_or_default().to_owned();
    let registered = &service.client.redirects;
    if !registered
        .iter()
        .any(|known| is_below(&redirect_uri, known))
    {
        let detail =
            format!("redirect_uri did not match any configured URIs. Passed URI: {redirect_uri}");
        return Err(page("bad_redirect_uri", &detail));
    }
    if params.get("response_type") != Some("code") {
        return Err(page("invalid_response_type", "response_type must be code"));
    }
    let scopes: Vec<String> = params
        .get("scope")
        .unwrap_or_default()
        .split([' ', ','])
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    let unknown = scopes
        .iter()
        .find(|scope| !SCOPES.contains(&scope.as_str()));
    if let Some(scope) = unknown {
        return Err(page(
            "invalid_scope",
            &format!("Invalid permissions requested: {scope}"),
        ));
    }
    if !scopes.iter().any(|scope| scope == "openid") {
        return Err(page("invalid_scope", "openid must be among the scopes"));
    }
    Ok(AuthRequest {
        redirect_uri,
        state: params.get("state").map(str::to_owned),
        nonce: params.get("nonce").map(str::to_owned),
        scopes,
        ..AuthRequest::default()
    })
}

pub(super) fn page(
    sandbox: &Sandbox,
    path: &str,
    query: &str,
    sits_here: Option<&str>,
) -> Response {
    let accounts = everybody(sandbox);
    let params = Params::read(query);
    let mut scopes = params.get("scope").unwrap_or_default().split([' ', ',']);
    let lead = if scopes.any(|scope| scope == "email") {
        "BillOps will see your name, your e-mail address and your workspace."
    } else {
        "BillOps will see your name and your workspace."
    };
    consent_page(&Consent {
        provider: Provider::Slack,
        path,
        request: query,
        heading: "Sign in with Slack".to_owned(),
        lead: lead.to_owned(),
        choice: "Who are you?",
        accounts,
        chosen: sits_here,
        asks: Vec::new(),
        allow: "Continue",
    })
}

/// Everybody who can be signed in, each with their workspace.
pub(super) fn everybody(sandbox: &Sandbox) -> Vec<(String, String, String)> {
    let of = |one: Sandbox| {
        one.world(|world| {
            let people = world.people().iter().filter(|person| !person.is_bot);
            let accounts = people.map(|person| {
                let (id, name) = (person.id.clone(), person.real_name.clone());
                (id, name, format!("{} · {}", world.team.name, person.email))
            });
            accounts.collect::<Vec<_>>()
        })
    };
    sandbox.everywhere().flat_map(of).collect()
}

/// The workspace that a person is in.
pub(super) fn workspace_of(sandbox: &Sandbox, person: &str) -> Option<Sandbox> {
    let is_in = |one: &Sandbox| {
        one.world(|world| {
            let mut people = world.people().iter();
            people.any(|known| known.id == person && !known.is_bot)
        })
    };
    sandbox.everywhere().find(is_in)
}

/// A code for this person, if there is one.
pub(super) fn allow(sandbox: &Sandbox, account: &str, request: &AuthRequest) -> Option<String> {
    let is_here = workspace_of(sandbox, account).is_some();
    let grant = Grant {
        account: account.to_owned(),
        scopes: request.scopes.clone(),
        nonce: request.nonce.clone(),
        is_offline: false,
    };
    is_here.then(|| {
        let now = sandbox.slack.options.clock.now();
        sandbox.provider(Provider::Slack, |service| {
            service.issued.code("7007001.", request, grant, now)
        })
    })
}

/// The methods that carry the client's or a person's credentials instead of the bot's.
pub(super) fn call(
    sandbox: &Sandbox,
    method: &str,
    headers: &HeaderMap,
    arguments: &Arguments,
) -> Option<Answered> {
    match method {
        "openid.connect.token" => Some(token(sandbox, headers, arguments)),
        "openid.connect.userInfo" => Some(user_info(sandbox, headers, arguments)),
        _ => None,
    }
}

/// Counts a call as every endpoint of a provider does. An outage planned for the provider goes wrong
/// in the way of Slack's methods.
pub(super) async fn fault(sandbox: &Sandbox, method: &str) -> Option<Fault> {
    let endpoint = match method {
        "openid.connect.token" => Endpoint::Code,
        "openid.connect.userInfo" => Endpoint::Me,
        _ => return None,
    };
    Some(match sandbox.arrive(Provider::Slack, endpoint).await {
        Ok(_) => return None,
        Err(Outage::TooManyRequests { retry_after }) => {
            let seconds = retry_after.and_then(|after| after.parse().ok());
            Fault::RateLimited(seconds.unwrap_or(1))
        }
        Err(Outage::Status(status)) => Fault::Status(status),
        Err(Outage::Refused(error)) => Fault::Error(error),
        Err(_) => Fault::Status(503),
    })
}

fn token(sandbox: &Sandbox, headers: &HeaderMap, arguments: &Arguments) -> Answered {
    let now = sandbox.slack.options.clock.now();
    if !matches!(
        arguments.text("grant_type"),
        None | Some("authorization_code")
    ) {
        return Err(Refusal::new("invalid_grant_type"));
    }
    let (grant, access, client) = sandbox.provider(Provider::Slack, |service| {
        let (id, secret) = (arguments.text("client_id"), arguments.text("client_secret"));
        credentials(headers, id, secret, &service.client).map_err(|problem| match problem {
            ClientProblem::NoId | ClientProblem::Unknown => Refusal::new("invalid_client_id"),
            _ => Refusal::new("bad_client_secret"),
        })?;
        let code = arguments.text("code").unwrap_or_default();
        let redirect_uri = arguments.text("redirect_uri");
        let grant = service
            .issued
            .redeem(code, redirect_uri, None, now)
            .map_err(|problem| match problem {
                CodeProblem::Used => Refusal::new("code_already_used"),
                CodeProblem::OtherRedirect => Refusal::new("bad_redirect_uri"),
                _ => Refusal::new("invalid_code"),
            })?;
        let access = service
            .issued
            .access_token("xoxp-", &grant.account, &grant.scopes, now);
        Ok((grant, access, service.client.id.clone()))
    })?;
    let claims = claims(sandbox, &grant, &client, now)?;
    Ok(json!({
        "ok": true,
        "access_token": access,
        "token_type": "Bearer",
        "id_token": oauth::sign(&claims),
    }))
}

fn claims(
    sandbox: &Sandbox,
    grant: &Grant,
    client: &str,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let mut claims = person(sandbox, &grant.account, &grant.scopes)?;
    let issued = now.timestamp();
    claims["iss"] = json!("https://slack.com");
    claims["aud"] = json!(client);
    claims["iat"] = json!(issued);
    // Slack's sample: five minutes.
    claims["exp"] = json!(issued + 300);
    claims["auth_time"] = json!(issued);
    if let Some(nonce) = &grant.nonce {
        claims["nonce"] = json!(nonce);
    }
    Ok(claims)
}

/// What is said about a person, as far as the scopes go.
fn person(sandbox: &Sandbox, id: &str, scopes: &[String]) -> Result<Value, Refusal> {
    let has = |scope: &str| scopes.iter().any(|granted| granted == scope);
    let place = workspace_of(sandbox, id).ok_or_else(|| Refusal::new("user_not_found"))?;
    place.world(|world| {
        let person = world
            .person(id)
            .ok_or_else(|| Refusal::new("user_not_found"))?;
        let mut claims = json!({
            "sub": person.id,
            "https://slack.com/user_id": person.id,
            "https://slack.com/team_id": world.team.id,
        });
        if has("email") {
            claims["email"] = json!(person.email);
            claims["email_verified"] = json!(true);
        }
        if has("profile") {
            let (given, family) = person.real_name.split_once(' ').unwrap_or_default();
            claims["name"] = json!(person.real_name);
            claims["given_name"] = json!(given);
            claims["family_name"] = json!(family);
            claims["locale"] = json!(person.locale);
            claims["https://slack.com/team_name"] = json!(world.team.name);
            claims["https://slack.com/team_domain"] = json!(world.team.domain);
        }
        Ok(claims)
    })
}

fn user_info(sandbox: &Sandbox, headers: &HeaderMap, arguments: &Arguments) -> Answered {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let form = arguments.form.then(|| arguments.text("token")).flatten();
    let token = bearer.or(form).ok_or_else(|| Refusal::new("not_authed"))?;
    let (account, scopes) = sandbox
        .provider(Provider::Slack, |service| {
            let access = service.bearer(token)?;
            Some((access.account.clone(), access.scopes.clone()))
        })
        .ok_or_else(|| Refusal::new("invalid_auth"))?;
    let mut answer = person(sandbox, &account, &scopes)?;
    answer["ok"] = json!(true);
    Ok(answer)
}
