//! What a token allows, as it is ticked in Slack and held to over the API.

use billops::{
    domain::scope::{Scope, Scopes},
    sandbox::{Choice, Sandbox},
};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::{Program, TERN, person};
use crate::{
    attacks::{problem, token_for},
    bot::{NINA, TestBot},
    visitor::Visitor,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_opens_what_it_is_for() {
    let bot = TestBot::start().await;
    let routes = super::routes::all();
    assert!(routes.len() > 20);
    for scope in Scope::ALL {
        let nina = person(&bot, TERN, super::NINA_ID, false).await;
        let program = Program::with(&bot, nina, scope.as_str()).await;
        for (method, path, needed) in &routes {
            let path = super::routes::filled(path, &uuid::Uuid::from_u128(7).to_string());
            let page = program.send(method.clone(), &path, &[], None).await;
            if ["/audit", "/auth/logout-everywhere"].contains(&&*path) {
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{method} {path}");
                problem(&page, "not-for-tokens");
                continue;
            }
            if needed.is_none_or(|needed| needed == scope) {
                assert_ne!(
                    page.status,
                    StatusCode::FORBIDDEN,
                    "{method} {path} {}",
                    page.body
                );
            } else {
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{method} {path}");
                problem(&page, "scope-missing");
                assert_eq!(page.json()["scope"], needed.unwrap().as_str());
            }
        }
    }
    let nina = person(&bot, TERN, super::NINA_ID, false).await;
    let none = Program::with(&bot, nina, "").await;
    assert_eq!(none.get("/me").await.status, StatusCode::OK);
    problem(&none.get("/time-entries").await, "scope-missing");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ticked_is_what_a_token_allows() {
    let bot = TestBot::start().await;
    let store = bot.bot.store();
    let made = async || {
        let nina = store.member(TERN, super::NINA_ID).await.unwrap().unwrap();
        store.api_token_of(nina.binding_id).await.unwrap()
    };
    token_for(&bot, NINA, &["reports", "notifications"]).await;
    let token = made().await.unwrap();
    assert_eq!(token.scopes, Scopes::read("reports notifications"));
    // A year.
    let lasts = token.expires_at.unwrap() - token.made_at;
    assert_eq!(lasts.num_days(), 365);

    // Nothing ticked is asked about again; as it opens, it is for entries.
    let home = bot.slack.home(NINA).unwrap();
    bot.slack.click(NINA, &home, "token.open").await.unwrap();
    let form = bot.form().await;
    let text = Value::from(form.blocks().to_vec()).to_string();
    assert!(
        text.contains("For: reports, notices. Works until"),
        "{text}"
    );
    let nothing = Choice::Options(Vec::new());
    bot.slack
        .choose(NINA, &form, "scopes/value", nothing)
        .await
        .unwrap();
    bot.slack.click(NINA, &form, "token.new").await.unwrap();
    let asks = |slack: &Sandbox| {
        let form = slack.modals(NINA).pop()?;
        let text = Value::from(form.blocks().to_vec()).to_string();
        text.contains("Tick at least one").then_some(form)
    };
    bot.slack.wait_for("a word about it", asks).await.unwrap();
    assert_eq!(made().await, Some(token));
    bot.slack.close_all(NINA).await.unwrap();
    bot.slack.click(NINA, &home, "token.open").await.unwrap();
    let form = bot.form().await;
    bot.slack.click(NINA, &form, "token.new").await.unwrap();
    let shown = |slack: &Sandbox| {
        let form = slack.modals(NINA).pop()?;
        let text = Value::from(form.blocks().to_vec()).to_string();
        text.contains("```bo_").then_some(())
    };
    bot.slack.wait_for("the token", shown).await.unwrap();
    assert_eq!(made().await.unwrap().scopes, Scopes::read("entries"));
    bot.slack.close_all(NINA).await.unwrap();
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_needs_no_scope_and_a_token_opens_nothing_else() {
    let bot = TestBot::start().await;
    let mut browser: Visitor = crate::attacks::browser_of(&bot, NINA).await;
    let url = browser.at("/api/v1/reports/summary?from=2026-11-18&to=2026-11-19");
    assert_eq!(browser.open(&url).await.status, StatusCode::OK);
    let url = browser.at("/api/v1/time-entries");
    let body = serde_json::json!({"description": "x", "duration_minutes": 5}).to_string();
    let body = Some(("application/json", body));
    let key = [("idempotency-key", "k")];
    let made = browser.send(Method::POST, &url, body.clone(), &key).await;
    assert_eq!(made.status, StatusCode::CREATED);
    // A key makes no other origin's request good.
    let foreign = [("idempotency-key", "k"), ("origin", "https://evil.example")];
    let page = browser.send(Method::POST, &url, body, &foreign).await;
    problem(&page, "foreign-origin");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_ends_no_browsers_session() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let mut browser = crate::attacks::browser_of(&bot, NINA).await;
    let me = browser.at("/api/v1/me");
    for headers in [&[][..], &[("idempotency-key", "k")]] {
        let path = "/auth/logout-everywhere";
        let page = program.send(Method::POST, path, headers, None).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        problem(&page, "not-for-tokens");
    }
    assert_eq!(browser.open(&me).await.status, StatusCode::OK);
    let page = program.send(Method::POST, "/auth/logout", &[], None).await;
    assert_eq!(page.status, StatusCode::NO_CONTENT);
    assert_eq!(browser.open(&me).await.status, StatusCode::OK);

    // Without a session nothing is ended: nor is the cookie that another site's request comes without.
    let mut stranger = Visitor::new(&bot);
    for origin in ["", "https://evil.example"] {
        let url = stranger.at("/api/v1/auth/logout");
        let headers = [("origin", origin)];
        let page = stranger.send(Method::POST, &url, None, &headers).await;
        assert_eq!(page.status, StatusCode::NO_CONTENT, "{origin}");
        assert!(!page.headers.contains_key("set-cookie"), "{origin}");
    }
    let url = browser.at("/api/v1/auth/logout");
    let page = browser
        .send(Method::POST, &url, None, &[("origin", "")])
        .await;
    problem(&page, "foreign-origin");
    assert_eq!(browser.open(&me).await.status, StatusCode::OK);
    let url = browser.at("/api/v1/auth/logout-everywhere");
    let page = browser.send(Method::POST, &url, None, &[]).await;
    assert_eq!(page.status, StatusCode::NO_CONTENT);
    assert_eq!(browser.open(&me).await.status, StatusCode::UNAUTHORIZED);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_is_asked_for_no_more_than_who_signs_in() {
    let bot = TestBot::start().await;
    let mut visitor = Visitor::new(&bot);
    let page = visitor.open(&visitor.at("/api/v1/auth/slack/login")).await;
    let to: url::Url = page.url.as_str().parse().unwrap();
    let to = match page.headers.get("location") {
        Some(location) => location.to_str().unwrap().parse().unwrap(),
        None => to,
    };
    let scope = to.query_pairs().find(|(name, _)| name == "scope").unwrap();
    assert_eq!(scope.1, "openid profile");
    let shown = reqwest::get(to.clone())
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(shown.contains("BillOps will see your name and your workspace."));
    let program = Program::of_nina(&bot).await;
    assert_eq!(program.get("/me").await.json()["email"], Value::Null);
    bot.finish().await;
}
