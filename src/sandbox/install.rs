//! Installing the app in a workspace, and removing it: OAuth's page, the codes, and the tokens of the bot.
//!
//! Sources: docs.slack.dev, “Installing with OAuth”, “Token rotation”, the pages of `oauth.v2.access`, `auth.revoke`,
//! `app_uninstalled` and `tokens_revoked`.

use std::sync::atomic::Ordering;

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Manifest, Sandbox,
    arguments::{Answered, Arguments, Refusal},
    locked,
    oauth::{
        self, AuthRequest, ClientProblem, CodeProblem, Consent, Denial, Grant, Params, Provider,
        Service, consent_page, credentials,
    },
    openid::{everybody, is_below, workspace_of},
    random_hex,
};

const PATH: &str = "/oauth/v2/authorize";
const KNOWN: [&str; 6] = [
    "client_id",
    "scope",
    "user_scope",
    "redirect_uri",
    "state",
    "team",
];
/// Slack: twelve hours.
const LIVES_SECONDS: i64 = 43_200;
/// A refresh token that was used works a little longer, for an answer that was lost.
const GRACE: TimeDelta = TimeDelta::minutes(5);

/// The tokens of the app in one workspace, dead ones included.
#[derive(Debug, Default)]
pub(super) struct Tokens(Vec<Token>);

#[derive(Debug)]
struct Token {
    access: String,
    scopes: Vec<String>,
    expires_at: Option<DateTime<Utc>>,
    refresh: Option<String>,
    refresh_used_at: Option<DateTime<Utc>>,
    /// Why it works no longer.
    is_dead: Option<&'static str>,
}

impl Tokens {
    /// The token of an app that was installed by hand.
    pub(super) fn by_hand(token: &str, scopes: &[String]) -> Self {
        Self(vec![Token {
            access: token.to_owned(),
            scopes: scopes.to_vec(),
            expires_at: None,
            refresh: None,
            refresh_used_at: None,
            is_dead: None,
        }])
    }

    fn find(&self, token: &str) -> Option<&Token> {
        self.0.iter().find(|known| known.access == token)
    }

    /// A new token; of those that run out, the two latest live.
    fn rotated(&mut self, scopes: &[String], now: DateTime<Utc>) -> (String, String) {
        let access = format!("xoxe.xoxb-1-{}", random_hex());
        let refresh = format!("xoxe-1-{}", random_hex());
        let live = self.0.iter_mut().filter(|token| token.is_dead.is_none());
        let live: Vec<_> = live.filter(|token| token.expires_at.is_some()).collect();
        let too_many = live.len().saturating_sub(1);
        for token in live.into_iter().take(too_many) {
            token.is_dead = Some("token_revoked");
        }
        self.0.push(Token {
            access: access.clone(),
            scopes: scopes.to_vec(),
            expires_at: Some(now + TimeDelta::seconds(LIVES_SECONDS)),
            refresh: Some(refresh.clone()),
            refresh_used_at: None,
            is_dead: None,
        });
        (access, refresh)
    }

    /// The token of an app without rotation: it stays the same, and may do more from now on.
    fn lasting(&mut self, scopes: &[String]) -> (String, Vec<String>) {
        let live = self.0.iter_mut().rev();
        let mut live = live.filter(|token| token.is_dead.is_none() && token.expires_at.is_none());
        if let Some(token) = live.next() {
            for scope in scopes {
                if !token.scopes.contains(scope) {
                    token.scopes.push(scope.clone());
                }
            }
            return (token.access.clone(), token.scopes.clone());
        }
        let access = format!("xoxb-{}", random_hex());
        self.0.extend(Self::by_hand(&access, scopes).0);
        (access, scopes.to_vec())
    }

    fn end(&mut self, why: &'static str) {
        for token in &mut self.0 {
            token.is_dead.get_or_insert(why);
        }
    }
}

/// `GET /oauth/v2/authorize`
pub(super) async fn authorize(
    State(sandbox): State<Sandbox>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    oauth::show(&sandbox, Provider::Install, PATH, &query, &headers).await
}

/// `POST /oauth/v2/authorize`: the form of the page.
pub(super) async fn decide(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    oauth::decide(&sandbox, Provider::Install, PATH, &headers, &body).await
}

pub(super) fn check(
    service: &Service,
    manifest: &Manifest,
    params: &Params,
) -> Result<AuthRequest, Denial> {
    let page = |error: &str, detail: &str| Denial::page(error, "Something went wrong", detail);
    if let Some(name) = params.unknown(&KNOWN).first() {
        return Err(page(
            "unknown_parameter",
            &format!("{name} is not known here"),
        ));
    }
    if params.get("client_id") != Some(service.client.id.as_str()) {
        return Err(page("invalid_client_id", "Invalid client_id parameter"));
    }
    let redirect_uri = params.get("redirect_uri").unwrap_or_default().to_owned();
    let mut registered = service.client.redirects.iter();
    if !registered.any(|known| is_below(&redirect_uri, known)) {
        let detail =
            format!("redirect_uri did not match any configured URIs. Passed URI: {redirect_uri}");
        return Err(page("bad_redirect_uri", &detail));
    }
    let scopes = params.get("scope").unwrap_or_default();
    let scopes: Vec<String> = scopes
        .split([' ', ','])
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    let unknown = scopes.iter().find(|scope| !manifest.scopes.contains(scope));
    if scopes.is_empty() || unknown.is_some() {
        let detail = format!(
            "Invalid permissions requested: {}",
            unknown.map_or("none", |s| s)
        );
        return Err(page("invalid_scope", &detail));
    }
    Ok(AuthRequest {
        redirect_uri,
        state: params.get("state").map(str::to_owned),
        scopes,
        ..AuthRequest::default()
    })
}

pub(super) fn page(
    sandbox: &Sandbox,
    path: &str,
    query: &str,
    request: &AuthRequest,
    sits_here: Option<&str>,
) -> Response {
    let app = sandbox.world(|world| world.app.name.clone());
    consent_page(&Consent {
        provider: Provider::Install,
        path,
        request: query,
        heading: format!("{app} is requesting permission to access a Slack workspace"),
        lead: format!("{app} will be able to: {}.", request.scopes.join(", ")),
        choice: "Who are you, and where?",
        accounts: everybody(sandbox),
        chosen: sits_here,
        asks: Vec::new(),
        allow: "Allow",
    })
}

/// A code for whoever installs it in their workspace.
pub(super) fn allow(sandbox: &Sandbox, account: &str, request: &AuthRequest) -> Option<String> {
    workspace_of(sandbox, account)?;
    let grant = Grant {
        account: account.to_owned(),
        scopes: request.scopes.clone(),
        nonce: None,
        is_offline: false,
    };
    let now = sandbox.slack.options.clock.now();
    Some(sandbox.provider(Provider::Install, |service| {
        service.issued.code("7007001.", request, grant, now)
    }))
}

/// The methods that carry the client's credentials instead of the bot's.
pub(super) fn call(
    sandbox: &Sandbox,
    method: &str,
    headers: &HeaderMap,
    arguments: &Arguments,
) -> Option<Answered> {
    match method {
        "oauth.v2.access" => Some(access(sandbox, headers, arguments)),
        _ => None,
    }
}

fn access(sandbox: &Sandbox, headers: &HeaderMap, arguments: &Arguments) -> Answered {
    let now = sandbox.slack.options.clock.now();
    let text = |name: &str| arguments.text(name);
    let grant = sandbox.provider(Provider::Install, |service| {
        let client = &service.client;
        let known = credentials(headers, text("client_id"), text("client_secret"), client);
        known.map_err(|problem| match problem {
            ClientProblem::NoId | ClientProblem::Unknown => Refusal::new("invalid_client_id"),
            _ => Refusal::new("bad_client_secret"),
        })?;
        if text("grant_type") == Some("refresh_token") {
            return Ok(None);
        }
        let code = text("code").unwrap_or_default();
        let redeemed = service.issued.redeem(code, text("redirect_uri"), None, now);
        redeemed.map(Some).map_err(|problem| match problem {
            CodeProblem::Used => Refusal::new("code_already_used"),
            CodeProblem::OtherRedirect => Refusal::new("bad_redirect_uri"),
            _ => Refusal::new("invalid_code"),
        })
    })?;
    match grant {
        Some(grant) => granted(sandbox, &grant, now),
        None => refreshed(sandbox, text("refresh_token").unwrap_or_default(), now),
    }
}

fn granted(sandbox: &Sandbox, grant: &Grant, now: DateTime<Utc>) -> Answered {
    let place = workspace_of(sandbox, &grant.account);
    let place = place.ok_or_else(|| Refusal::new("invalid_code"))?;
    let rotates = sandbox.slack.rotates_tokens.load(Ordering::Relaxed);
    let (token, scopes, refresh) = {
        let mut tokens = locked(&place.here().tokens);
        if rotates {
            let (token, refresh) = tokens.rotated(&grant.scopes, now);
            (token, grant.scopes.clone(), Some(refresh))
        } else {
            let (token, scopes) = tokens.lasting(&grant.scopes);
            (token, scopes, None)
        }
    };
    let mut answer = answer(&place, &token, &scopes, refresh.as_deref());
    answer["authed_user"] = json!({ "id": grant.account });
    place.slack.changed.notify_waiters();
    Ok(answer)
}

fn refreshed(sandbox: &Sandbox, refresh: &str, now: DateTime<Utc>) -> Answered {
    for place in sandbox.everywhere() {
        let found = {
            let mut tokens = locked(&place.here().tokens);
            let known = tokens
                .0
                .iter_mut()
                .find(|token| token.refresh.as_deref() == Some(refresh));
            match known {
                None => continue,
                Some(token) => {
                    let used_at = *token.refresh_used_at.get_or_insert(now);
                    let is_over = token.is_dead.is_some_and(|why| why != "token_revoked");
                    if is_over || now - used_at > GRACE {
                        return Err(Refusal::new("invalid_refresh_token"));
                    }
                    let scopes = token.scopes.clone();
                    let (token, refresh) = tokens.rotated(&scopes, now);
                    (token, scopes, refresh)
                }
            }
        };
        let (token, scopes, refresh) = found;
        return Ok(answer(&place, &token, &scopes, Some(&refresh)));
    }
    Err(Refusal::new("invalid_refresh_token"))
}

fn answer(place: &Sandbox, token: &str, scopes: &[String], refresh: Option<&str>) -> Value {
    let mut answer = place.world(|world| {
        let is_org_wide = world.org_wide();
        let team = json!({"id": world.team.id, "name": world.team.name});
        json!({
            "ok": true,
            "access_token": token,
            "token_type": "bot",
            "scope": scopes.join(","),
            "bot_user_id": world.app.user_id,
            "app_id": world.app.id,
            "team": if is_org_wide { Value::Null } else { team },
            "enterprise": world.enterprise_json(),
            "is_enterprise_install": is_org_wide,
        })
    });
    if let Some(refresh) = refresh {
        answer["refresh_token"] = json!(refresh);
        answer["expires_in"] = json!(LIVES_SECONDS);
    }
    answer
}

/// `auth.revoke`: the bot gives its token up.
pub(super) fn revoke(sandbox: &Sandbox) -> Value {
    locked(&sandbox.here().tokens).end("token_revoked");
    json!({"ok": true, "revoked": true})
}

/// What an admin's removing of the app makes Slack say, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// `app_uninstalled`, then `tokens_revoked`.
    UninstalledFirst,
    /// The other way round.
    RevokedFirst,
    /// Nothing comes: the app finds out when it is refused.
    Silent,
}

impl Sandbox {
    /// The workspace that a token belongs to; this one where it belongs to none.
    pub(super) fn of_token(self, token: &str) -> Self {
        let mut all = self.everywhere();
        let found = all.find(|one| locked(&one.here().tokens).find(token).is_some());
        drop(all);
        found.unwrap_or(self)
    }

    /// What a token may do here.
    pub(super) fn scopes_of(&self, token: &str) -> Result<Vec<String>, &'static str> {
        let now = self.slack.options.clock.now();
        let tokens = locked(&self.here().tokens);
        let token = tokens.find(token).ok_or("invalid_auth")?;
        if let Some(why) = token.is_dead {
            return Err(why);
        }
        if token.expires_at.is_some_and(|at| at <= now) {
            return Err("token_expired");
        }
        Ok(token.scopes.clone())
    }

    /// Whether the app is installed in this workspace.
    pub fn is_installed(&self) -> bool {
        let tokens = locked(&self.here().tokens);
        tokens.0.iter().any(|token| token.is_dead.is_none())
    }

    /// Tokens that are granted from now on run out after twelve hours.
    pub fn rotate_tokens(&self) {
        self.slack.rotates_tokens.store(true, Ordering::Relaxed);
    }

    /// An admin removes the app from this workspace: its tokens are dead, and Slack says so.
    pub async fn uninstall(&self, removal: Removal) {
        locked(&self.here().tokens).end("account_inactive");
        self.slack.changed.notify_waiters();
        let bot = self.world(|world| world.app.user_id.clone());
        let uninstalled = json!({"type": "app_uninstalled"});
        let revoked = json!({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [bot]}});
        let events = match removal {
            Removal::UninstalledFirst => vec![uninstalled, revoked],
            Removal::RevokedFirst => vec![revoked, uninstalled],
            Removal::Silent => Vec::new(),
        };
        let wanted = self.slack.options.manifest.events.as_ref();
        let is_wanted = |event: &Value| {
            wanted.is_none_or(|wanted| wanted.iter().any(|name| event["type"] == **name))
        };
        for event in events.into_iter().filter(is_wanted) {
            self.send_event(event).await;
        }
    }
}
