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
