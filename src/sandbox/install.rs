//! Installing the app in a workspace, and removing it: OAuth's page, the codes, and the tokens of the bot.
//!
//! Sources: docs.slack.dev, “Installing with OAuth”, “Token rotation”, the pages of `oauth.v2.access`, `auth.revoke`,
//! `apps.uninstall`, `app_uninstalled` and `tokens_revoked`.

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
    world::World,
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
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Live,
    /// Two newer ones have taken its place; its refresh token is good for its grace still.
    Superseded,
    /// For good, its refresh token included; the error that calls with it get.
    Over(&'static str),
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
            standing: Standing::Live,
        }])
    }

    fn find(&self, token: &str) -> Option<&Token> {
        self.0.iter().find(|known| known.access == token)
    }

    /// A new token; of those that run out, the two latest live.
    fn rotated(&mut self, scopes: &[String], now: DateTime<Utc>) -> (String, String) {
        let access = format!("xoxe.xoxb-1-{}", random_hex());
        let refresh = format!("xoxe-1-{}", random_hex());
        let live = self.0.iter_mut().filter(|token| token.is_live());
        let live: Vec<_> = live.filter(|token| token.expires_at.is_some()).collect();
        let too_many = live.len().saturating_sub(1);
        for token in live.into_iter().take(too_many) {
            token.standing = Standing::Superseded;
        }
        self.0.push(Token {
            access: access.clone(),
            scopes: scopes.to_vec(),
            expires_at: Some(now + TimeDelta::seconds(LIVES_SECONDS)),
            refresh: Some(refresh.clone()),
            refresh_used_at: None,
            standing: Standing::Live,
        });
        (access, refresh)
    }

    /// The token of an app without rotation: it stays the same, and may do more from now on.
    fn lasting(&mut self, scopes: &[String]) -> (String, Vec<String>) {
        let live = self.0.iter_mut().rev();
        let mut live = live.filter(|token| token.is_live() && token.expires_at.is_none());
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

    fn is_any_live(&self) -> bool {
        self.0.iter().any(Token::is_live)
    }

    fn end_all(&mut self, why: &'static str) {
        for token in &mut self.0 {
            token.end(why);
        }
    }
}

impl Token {
    fn is_live(&self) -> bool {
        self.standing == Standing::Live
    }

    /// What ended it first is what it stays ended by.
    fn end(&mut self, why: &'static str) {
        if !matches!(self.standing, Standing::Over(_)) {
            self.standing = Standing::Over(why);
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
        known.map_err(client_refused)?;
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

fn client_refused(problem: ClientProblem) -> Refusal {
    Refusal::new(match problem {
        ClientProblem::NoId | ClientProblem::Unknown => "invalid_client_id",
        _ => "bad_client_secret",
    })
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
    place.show_installed();
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
                    let is_over = matches!(token.standing, Standing::Over(_));
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

/// `auth.revoke`: the bot gives up the token it calls with. Slack does not uninstall the app for it, but without a live
/// token the bot's user is out of every channel, and the app hears of it.
pub(super) fn revoke(sandbox: &Sandbox, token: &str, arguments: &Arguments) -> Value {
    if arguments.flag("test") {
        return json!({"ok": true, "revoked": false});
    }
    let is_last = {
        let mut tokens = locked(&sandbox.here().tokens);
        let mut known = tokens.0.iter_mut();
        if let Some(presented) = known.find(|known| known.access == token) {
            presented.end("token_revoked");
        }
        !tokens.is_any_live()
    };
    if is_last {
        sandbox.change(World::take_bot_out);
        sandbox.show_installed();
        let revoked = sandbox.clone();
        tokio::spawn(async move { revoked.tell_removed(&["tokens_revoked"]).await });
    }
    json!({"ok": true, "revoked": true})
}

/// `apps.uninstall`: the app removes itself from the workspace of the token, all tokens included.
pub(super) fn uninstall(sandbox: &Sandbox, headers: &HeaderMap, arguments: &Arguments) -> Answered {
    let text = |name: &str| arguments.text(name);
    sandbox
        .provider(Provider::Install, |service| {
            let (id, secret) = (text("client_id"), text("client_secret"));
            credentials(headers, id, secret, &service.client)
        })
        .map_err(client_refused)?;
    sandbox.end_install();
    let removed = sandbox.clone();
    let told = Removal::UninstalledFirst.events();
    tokio::spawn(async move { removed.tell_removed(told).await });
    Ok(json!({"ok": true}))
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

impl Removal {
    const fn events(self) -> &'static [&'static str] {
        match self {
            Self::UninstalledFirst => &["app_uninstalled", "tokens_revoked"],
            Self::RevokedFirst => &["tokens_revoked", "app_uninstalled"],
            Self::Silent => &[],
        }
    }
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
        match token.standing {
            Standing::Live => {}
            Standing::Superseded => return Err("token_revoked"),
            Standing::Over(why) => return Err(why),
        }
        if token.expires_at.is_some_and(|at| at <= now) {
            return Err("token_expired");
        }
        Ok(token.scopes.clone())
    }

    /// Whether the app is installed in this workspace.
    pub fn is_installed(&self) -> bool {
        locked(&self.here().tokens).is_any_live()
    }

    /// Tokens that are granted from now on run out after twelve hours.
    pub fn rotate_tokens(&self) {
        self.slack.rotates_tokens.store(true, Ordering::Relaxed);
    }

    /// An admin removes the app from this workspace: its tokens are dead, and Slack says so.
    pub async fn uninstall(&self, removal: Removal) {
        self.end_install();
        self.tell_removed(removal.events()).await;
    }

    fn end_install(&self) {
        locked(&self.here().tokens).end_all("account_inactive");
        self.change(World::take_bot_out);
        self.show_installed();
    }

    /// Sends these of the events that the app subscribed to.
    async fn tell_removed(&self, events: &[&str]) {
        let bot = self.world(|world| world.app.user_id.clone());
        let wanted = self.slack.options.manifest.events.as_ref();
        for kind in events {
            if wanted.is_some_and(|wanted| wanted.iter().all(|name| name != kind)) {
                continue;
            }
            let mut event = json!({ "type": kind });
            if *kind == "tokens_revoked" {
                event["tokens"] = json!({"oauth": [], "bot": [bot]});
            }
            self.send_event(event).await;
        }
    }
}
