//! Installing in a workspace, the tokens of the bot, removal, and signed requests, as Slack documents them.

use std::sync::Arc;

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::any};
use chrono::TimeDelta;
use tokio::sync::mpsc;

use super::{providers::*, *};
use crate::sandbox::{ADA, Decision, FERN, NINA, NoConsent, Provider, Removal};

const SCOPES: &str = "chat:write,commands,im:write,users:read";

fn auth_url(sandbox: &Sandbox, changes: &[(&str, &str)]) -> String {
    let id = sandbox.client_id(Provider::Install);
    let base = format!("{}/oauth/v2/authorize", sandbox.url());
    let parameters = [
        ("client_id", id.as_str()),
        ("scope", SCOPES),
        ("redirect_uri", BACK),
        ("state", "s1"),
    ];
    address(&base, &parameters, changes)
}

async fn with_redirect() -> (Sandbox, Sandbox) {
    let sandbox = start().await;
    sandbox.register_redirect(Provider::Install, BACK);
    let fern = sandbox.workspace(FERN).unwrap();
    (sandbox, fern)
}

async fn code(sandbox: &Sandbox) -> String {
    let url = auth_url(sandbox, &[]);
    let back = sandbox.consent(&url, ADA, Decision::Allow).await.unwrap();
    parameter(&back, "code")
}

/// `oauth.v2.access` with the client's own words and these; `-` takes one away.
async fn access(sandbox: &Sandbox, fields: &[(&str, &str)]) -> Value {
    let id = sandbox.client_id(Provider::Install);
    let secret = sandbox.client_secret(Provider::Install);
    let mut all = vec![
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
        ("redirect_uri", BACK),
    ];
    for (name, value) in fields {
        all.retain(|(known, _)| known != name);
        if *value != "-" {
            all.push((name, value));
        }
    }
    let url = format!("{}/oauth.v2.access", sandbox.api_url());
    post(&url, &all).await.1
}

async fn refresh(sandbox: &Sandbox, token: &str) -> Value {
    let grant = [("grant_type", "refresh_token"), ("refresh_token", token)];
    access(sandbox, &grant).await
}

async fn installed(sandbox: &Sandbox) -> Value {
    let answer = access(sandbox, &[("code", &code(sandbox).await)]).await;
    assert_eq!(answer["ok"], true, "{answer}");
    answer
}

fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field].as_str().unwrap_or_else(|| panic!("{answer}"))
}

/// What `auth.test` says to a token: the team's id, or why not.
async fn belongs_to(sandbox: &Sandbox, token: &str) -> String {
    let answer = call_as(sandbox, token, "auth.test", json!({})).await;
    let field = if answer["ok"] == true {
        "team_id"
    } else {
        "error"
    };
    text(&answer, field).to_owned()
}

/// The field `error` of an answer that is a refusal.
fn refused(answer: &Value) -> &str {
    assert_eq!(answer["ok"], false, "{answer}");
    text(answer, "error")
}

#[tokio::test]
async fn the_answer_to_a_code_is_the_documented_one() {
    let (sandbox, fern) = with_redirect().await;
    let back = sandbox
        .consent(&auth_url(&sandbox, &[]), ADA, Decision::Allow)
        .await
        .unwrap();
    assert_eq!(parameter(&back, "state"), "s1");
    assert!(!fern.is_installed(), "a code alone installs nothing");
    let code = parameter(&back, "code");
    let mut answer = access(&sandbox, &[("code", &code)]).await;
    let token = answer["access_token"].take();
    assert!(token.as_str().unwrap().starts_with("xoxb-"));
    let documented = json!({
        "ok": true, "access_token": null, "token_type": "bot", "scope": SCOPES,
        "bot_user_id": "U08BILLOPS", "app_id": "A07BILLOPS",
        "team": {"id": FERN, "name": "Fern Garden"}, "enterprise": null,
        "authed_user": {"id": ADA}, "is_enterprise_install": false,
    });
    assert_eq!(answer, documented);
    assert!(fern.is_installed());
    // Installed once more, an app without rotation has the same token.
    assert_eq!(installed(&sandbox).await["access_token"], token);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_refused_by_its_name() {
    let (sandbox, fern) = with_redirect().await;
    let good = code(&sandbox).await;
    for (change, error) in [
        (("code", "7007001.x"), "invalid_code"),
        (("code", "-"), "invalid_code"),
        (
            ("redirect_uri", "http://localhost:8000/b"),
            "bad_redirect_uri",
        ),
        (("client_secret", "x"), "bad_client_secret"),
        (("client_secret", "-"), "bad_client_secret"),
        (("client_id", "1.2"), "invalid_client_id"),
        (("client_id", "-"), "invalid_client_id"),
    ] {
        let answer = access(&sandbox, &[("code", &good), change]).await;
        assert_eq!(refused(&answer), error, "{change:?}");
    }
    // None of these has used it up.
    assert_eq!(access(&sandbox, &[("code", &good)]).await["ok"], true);
    let again = access(&sandbox, &[("code", &good)]).await;
    assert_eq!(refused(&again), "code_already_used");
    let late = code(&sandbox).await;
    sandbox.slack.options.clock.advance(TimeDelta::minutes(11));
    let answer = access(&sandbox, &[("code", &late)]).await;
    assert_eq!(refused(&answer), "invalid_code");
    let answer = refresh(&sandbox, "xoxe-1-x").await;
    assert_eq!(refused(&answer), "invalid_refresh_token");
    fern.uninstall(Removal::Silent).await;

    for (change, words) in [
        (("client_id", "1.2"), "Invalid client_id"),
        (("redirect_uri", "http://evil.example/"), "did not match"),
        (("scope", "admin"), "requested: admin"),
        (("scope", "-"), "requested: none"),
    ] {
        let url = auth_url(&sandbox, &[change]);
        let Err(NoConsent::Page(page)) = sandbox.consent(&url, ADA, Decision::Allow).await else {
            panic!("{change:?} leads somewhere")
        };
        assert!(page.contains(words), "{change:?}: {page}");
    }
    let url = auth_url(&sandbox, &[]);
    let denied = sandbox.consent(&url, ADA, Decision::Deny).await.unwrap();
    assert_eq!(parameter(&denied, "error"), "access_denied");
    assert!(!fern.is_installed());
}

#[tokio::test]
async fn tokens_rotate() {
    let (sandbox, fern) = with_redirect().await;
    let clock = sandbox.slack.options.clock.clone();
    sandbox.rotate_tokens();
    let first = installed(&sandbox).await;
    assert_eq!(first["expires_in"], 43_200);
    assert!(text(&first, "access_token").starts_with("xoxe.xoxb-1-"));
    assert!(text(&first, "refresh_token").starts_with("xoxe-1-"));
    let second = refresh(&sandbox, text(&first, "refresh_token")).await;
    assert_eq!(second["team"]["id"], FERN);
    let tokens = [&first, &second].map(|one| text(one, "access_token"));
    for token in tokens {
        assert_eq!(belongs_to(&sandbox, token).await, FERN);
    }
    // A refresh token that was used works for a little while still, and of three tokens two live.
    clock.advance(TimeDelta::minutes(4));
    let third = refresh(&sandbox, text(&first, "refresh_token")).await;
    assert_eq!(belongs_to(&sandbox, tokens[0]).await, "token_revoked");
    for token in [tokens[1], text(&third, "access_token")] {
        assert_eq!(belongs_to(&sandbox, token).await, FERN);
    }
    // The first token is superseded by now; its refresh token has the rest of its grace all the same.
    clock.advance(TimeDelta::minutes(1));
    let fourth = refresh(&sandbox, text(&first, "refresh_token")).await;
    clock.advance(TimeDelta::seconds(1));
    let late = refresh(&sandbox, text(&first, "refresh_token")).await;
    assert_eq!(refused(&late), "invalid_refresh_token");
    // By the clock, twelve hours after it was given.
    let token = text(&fourth, "access_token");
    clock.advance(TimeDelta::seconds(43_198));
    assert_eq!(belongs_to(&sandbox, token).await, FERN);
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(belongs_to(&sandbox, token).await, "token_expired");
    assert!(fern.is_installed(), "what has run out can be renewed");
    let fifth = refresh(&sandbox, text(&fourth, "refresh_token")).await;
    assert_eq!(
        belongs_to(&sandbox, text(&fifth, "access_token")).await,
        FERN
    );
}

#[tokio::test]
async fn a_token_reaches_its_own_workspace_only() {
    let (sandbox, _) = with_redirect().await;
    let answer = installed(&sandbox).await;
    let ferns = text(&answer, "access_token");
    let terns = sandbox.bot_token();
    for (token, person, channel) in [(ferns, NINA, "C07GENERAL"), (terns, ADA, "C08GENERAL")] {
        let ask = json!({ "user": person });
        let answer = call_as(&sandbox, token, "users.info", ask).await;
        assert_eq!(refused(&answer), "user_not_found");
        let ask = json!({ "users": person });
        let answer = call_as(&sandbox, token, "conversations.open", ask).await;
        assert_eq!(refused(&answer), "user_not_found");
        let view = json!({"user_id": person, "view": home()});
        let answer = call_as(&sandbox, token, "views.publish", view).await;
        assert_eq!(answer["ok"], false, "{answer}");
        for target in [channel, &format!("D{}", &person[1..])] {
            let said = json!({"channel": target, "text": "hello"});
            let answer = call_as(&sandbox, token, "chat.postMessage", said).await;
            assert_eq!(refused(&answer), "channel_not_found", "{target}");
        }
    }
    let ask = json!({ "user": ADA });
    let answer = call_as(&sandbox, ferns, "users.info", ask).await;
    assert_eq!(answer["user"]["team_id"], FERN);
    assert_eq!(belongs_to(&sandbox, terns).await, "T07TERN001");
}

#[tokio::test]
async fn removal_ends_every_token_and_is_told() {
    let (sandbox, fern) = with_redirect().await;
    sandbox.rotate_tokens();
    let first = installed(&sandbox).await;
    let second = refresh(&sandbox, text(&first, "refresh_token")).await;
    let mut bot = Bot::connect(&sandbox).await;
    let hear = async {
        let mut told = Vec::new();
        for _ in 0..2 {
            let event = bot.frame().await;
            bot.ack(&event, None).await;
            told.push(event["payload"].clone());
        }
        told
    };
    let (told, ()) = tokio::join!(hear, fern.uninstall(Removal::UninstalledFirst));
    assert_eq!(told[0]["event"], json!({"type": "app_uninstalled"}));
    let tokens = json!({"oauth": [], "bot": ["U08BILLOPS"]});
    assert_eq!(
        told[1]["event"],
        json!({"type": "tokens_revoked", "tokens": tokens})
    );
    assert_eq!(told[0]["team_id"], FERN);
    assert!(!fern.is_installed() && sandbox.is_installed());
    for answer in [&first, &second] {
        let token = text(answer, "access_token");
        assert_eq!(belongs_to(&sandbox, token).await, "account_inactive");
        let answer = refresh(&sandbox, text(answer, "refresh_token")).await;
        assert_eq!(refused(&answer), "invalid_refresh_token");
    }
    assert_eq!(
        belongs_to(&sandbox, sandbox.bot_token()).await,
        "T07TERN001"
    );
}

#[tokio::test]
async fn a_bot_gives_up_the_token_it_calls_with() {
    let (sandbox, fern) = with_redirect().await;
    sandbox.rotate_tokens();
    let first = installed(&sandbox).await;
    let second = refresh(&sandbox, text(&first, "refresh_token")).await;
    let [old, new] = [&first, &second].map(|one| text(one, "access_token"));
    let revoke = async |token: &str, body| call_as(&sandbox, token, "auth.revoke", body).await;
    let tried = revoke(new, json!({"test": true})).await;
    assert_eq!(tried, json!({"ok": true, "revoked": false}));
    assert_eq!(belongs_to(&sandbox, new).await, FERN);
    let done = json!({"ok": true, "revoked": true});
    assert_eq!(revoke(new, json!({})).await, done);
    assert_eq!(belongs_to(&sandbox, new).await, "token_revoked");
    let answer = refresh(&sandbox, text(&second, "refresh_token")).await;
    assert_eq!(refused(&answer), "invalid_refresh_token");
    assert_eq!(belongs_to(&sandbox, old).await, FERN);
    assert!(fern.is_installed());
    // With the last one the app hears that it has none.
    let mut bot = Bot::connect(&sandbox).await;
    assert_eq!(revoke(old, json!({})).await, done);
    let told = bot.frame().await;
    assert_eq!(told["payload"]["event"]["type"], "tokens_revoked");
    assert!(!fern.is_installed());
}

#[tokio::test]
async fn an_app_removes_itself() {
    let (sandbox, fern) = with_redirect().await;
    let answer = installed(&sandbox).await;
    let token = text(&answer, "access_token");
    let id = sandbox.client_id(Provider::Install);
    let secret = sandbox.client_secret(Provider::Install);
    let leave = async |id: &str, secret: &str| {
        let client = json!({"client_id": id, "client_secret": secret});
        call_as(&sandbox, token, "apps.uninstall", client).await
    };
    assert_eq!(refused(&leave("1.2", &secret).await), "invalid_client_id");
    assert_eq!(refused(&leave(&id, "x").await), "bad_client_secret");
    assert!(fern.is_installed());
    let mut bot = Bot::connect(&sandbox).await;
    assert_eq!(leave(&id, &secret).await, json!({"ok": true}));
    let told = bot.frame().await;
    assert_eq!(told["payload"]["event"]["type"], "app_uninstalled");
    assert_eq!(belongs_to(&sandbox, token).await, "account_inactive");
    assert!(sandbox.is_installed());
}

type Heard = (String, HeaderMap, Bytes);

/// A server that hands on what it gets, and its address.
async fn server() -> (String, mpsc::Receiver<Heard>, tokio::task::JoinHandle<()>) {
    let (sender, heard) = mpsc::channel(8);
    let hear = async |State(sender): State<Arc<mpsc::Sender<Heard>>>,
                      uri: axum::http::Uri,
                      headers: HeaderMap,
                      body: Bytes| {
        let _ = sender.send((uri.path().to_owned(), headers, body)).await;
    };
    let app = Router::new()
        .route("/{*path}", any(hear))
        .with_state(Arc::new(sender));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, heard, task)
}

#[tokio::test]
async fn requests_over_http_are_signed_forms() {
    let sandbox = start().await;
    let (url, mut heard, task) = server().await;
    sandbox.deliver_over_http(&url);
    let answer = sandbox.say(NINA, "#general", "/time 2h: a & b").await;
    assert_eq!(answer.unwrap().error, None);
    let (path, headers, body) = heard.recv().await.unwrap();
    assert_eq!(path, "/api/v1/integrations/slack/commands/time");
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    let agent = headers["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("Slackbot 1.0"), "{agent}");
    assert_eq!(headers["x-slack-request-timestamp"], "1795170600");
    let [_, (_, signature)] = sandbox.signature(&body);
    assert_eq!(headers["x-slack-signature"], signature.as_str());
    assert!(signature.starts_with("v0=") && signature.len() == 67);
    assert!(!headers.contains_key("x-slack-retry-num"));
    let fields: std::collections::HashMap<String, String> =
        url::form_urlencoded::parse(&body).into_owned().collect();
    for (name, value) in [
        ("command", "/time"),
        ("text", "2h: a &amp; b"),
        ("team_id", "T07TERN001"),
        ("team_domain", "ternstudio"),
        ("channel_id", "C07GENERAL"),
        ("channel_name", "general"),
        ("user_id", NINA),
        ("api_app_id", "A07BILLOPS"),
        ("is_enterprise_install", "false"),
    ] {
        assert_eq!(fields.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(fields["response_url"].starts_with(&sandbox.url()));
    assert!(!fields["trigger_id"].is_empty());

    sandbox.open_home(NINA).await.unwrap();
    let (path, headers, body) = heard.recv().await.unwrap();
    assert_eq!(path, "/api/v1/integrations/slack/events");
    assert_eq!(headers["content-type"], "application/json");
    let event: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(event["event"]["type"], "app_home_opened");

    // Nobody listens any more: that is a failure, and not a reason to use a socket.
    Bot::connect(&sandbox).await.answering(|_| Some(card()));
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let say = async || sandbox.say(NINA, "#general", "/time 1h: x").await.unwrap();
    for _ in 0..2 {
        assert_eq!(say().await.error.as_deref(), Some("dispatch_failed"));
    }
    sandbox.deliver_over_sockets();
    assert_eq!(say().await.error, None);
    assert!(heard.recv().await.is_none());
}

#[tokio::test]
async fn a_server_that_does_not_listen_is_left_out() {
    let sandbox = start().await;
    let (first, _, task) = server().await;
    task.abort();
    let _ = task.await;
    let (second, mut heard, _task) = server().await;
    sandbox.deliver_over_http(&first);
    sandbox.deliver_over_http(&second);
    for _ in 0..2 {
        let answer = sandbox.say(NINA, "#general", "/time 1h: x").await.unwrap();
        assert_eq!(answer.error, None);
        heard.recv().await.unwrap();
    }
}
