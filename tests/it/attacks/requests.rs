//! Requests that no browser and no frontend of ours sends: malformed, huge, doubled, or by the thousand.

use billops::sandbox::Provider;
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};

use super::{
    FORM, JONAS, JSON, browser_of, consent, email_of, exchanges, link, nothing_happened, parameter,
    post, problem, refused, sent_off,
};
use crate::{
    bot::{NINA, TestBot},
    databases::Database,
    visitor::{Page, Visitor},
};

const CALLBACK: &str = "/api/v1/integrations/google/callback";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_sent_elsewhere_after_signing_in() {
    let bot = TestBot::start().await;
    let mut browser = Visitor::new(&bot);
    let long = format!("/{}", "a".repeat(600));
    for then in [
        "//evil.example",
        "///evil.example",
        "https://evil.example",
        "HTTPS:evil.example",
        "javascript:alert(1)",
        r"/\evil.example",
        r"\\evil.example",
        "/\t/evil.example",
        "/\r\nlocation: https://evil.example",
        " //evil.example",
        "evil.example",
        "@evil.example",
        "/é",
        &long,
        "",
    ] {
        let mut login = browser.at("/api/v1/auth/slack/login");
        login.query_pairs_mut().append_pair("then", then);
        let off = browser.open(&login).await.url;
        let back = consent(&bot, &off, NINA).await;
        let page = browser.send(Method::GET, &back, None, &[]).await;
        assert_eq!(page.headers[header::LOCATION], "/sessions", "{then:?}");
    }
    // Escaped, it is a path of ours, whatever it looks like.
    for then in [
        "/%2F/evil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "/.//evil.example",
    ] {
        let mut login = browser.at("/api/v1/auth/slack/login");
        login.query_pairs_mut().append_pair("then", then);
        let off = browser.open(&login).await.url;
        let back = consent(&bot, &off, NINA).await;
        let page = browser.send(Method::GET, &back, None, &[]).await;
        let location = page.headers[header::LOCATION].to_str().unwrap();
        let next = page.url.join(location).unwrap();
        assert_eq!(next.origin(), page.url.origin(), "{then:?}");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_hands_over_a_code_with_its_state_and_nothing_else() {
    let bot = TestBot::start().await;
    let (mut browser, off) = sent_off(&bot, NINA, "google").await;
    let back = consent(&bot, &off, email_of(NINA)).await;
    let (code, state) = (parameter(&back, "code"), parameter(&back, "state"));
    let mut sent = async |body: String| post(&mut browser, CALLBACK, JSON, &body).await;

    problem(
        &sent(json!({"code": code}).to_string()).await,
        "state-invalid",
    );
    problem(
        &sent(json!({"code": code, "state": ""}).to_string()).await,
        "state-invalid",
    );
    let unknown = json!({"code": code, "state": state, "redirect_uri": "https://evil.example"});
    let page = sent(unknown.to_string()).await;
    problem(&page, "invalid");
    assert!(page.body.contains("redirect_uri"), "{}", page.body);
    for bad in [
        "{".to_owned(),
        "null".to_owned(),
        json!({"code": 7, "state": state}).to_string(),
        format!(r#"{{"code":"{code}","state":"{state}","state":"{state}"}}"#),
    ] {
        problem(&sent(bad).await, "invalid");
    }
    let huge = json!({"code": "c".repeat(64 * 1024), "state": state}).to_string();
    let page = sent(huge).await;
    problem(&page, "unreadable");
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    nothing_happened(&bot).await;
    // None of them used the state up. A code that is too long does.
    let long = json!({"code": "c".repeat(5000), "state": state}).to_string();
    problem(&sent(long).await, "code-refused");
    nothing_happened(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_that_comes_twice_is_refused() {
    let bot = TestBot::start().await;
    let (mut browser, off) = sent_off(&bot, NINA, "google").await;
    let back = consent(&bot, &off, email_of(NINA)).await;
    for (name, value) in [
        ("state", "other"),
        ("code", "other"),
        ("error", "access_denied"),
    ] {
        let mut twice = back.clone();
        twice
            .query_pairs_mut()
            .append_pair(name, value)
            .append_pair(name, value);
        let page = browser.open(&twice).await;
        refused(&page, "state-invalid");
        let query = twice.query().unwrap();
        let page = post(&mut browser, &format!("{CALLBACK}?{query}"), JSON, "").await;
        problem(&page, "invalid");
    }
    nothing_happened(&bot).await;
    // The sign-in likewise.
    let login = browser.at("/api/v1/auth/slack/login");
    let off = browser.open(&login).await.url;
    let mut back = consent(&bot, &off, NINA).await;
    back.query_pairs_mut().append_pair("state", "other");
    let asked = exchanges(&bot, Provider::Slack);
    let page = browser.open(&back).await;
    assert_eq!(page.url.path(), "/not-signed-in/state-invalid");
    assert_eq!(exchanges(&bot, Provider::Slack), asked);
    bot.finish().await;
}

/// Nothing that came with the request shows in the headers, and nothing went wrong inside.
fn is_harmless(page: &Page) {
    assert!(!page.status.is_server_error(), "{page:?}");
    assert!(!page.body.contains("<script>"), "{page:?}");
    for (name, value) in &page.headers {
        let value = value.to_str().unwrap();
        assert!(!value.contains("evil"), "{name}: {value}");
    }
    for guard in [
        "content-security-policy",
        "x-frame-options",
        "x-content-type-options",
    ] {
        assert!(page.headers.contains_key(guard), "{guard}: {page:?}");
    }
    assert!(!page.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_in_an_address_or_a_header_leads_nowhere() {
    let bot = TestBot::start().await;
    let link = link(&bot, NINA, "google").await;
    let mut jonas = browser_of(&bot, JONAS).await;
    let own = super::link(&bot, JONAS, "google").await;
    let form = jonas.open(&own).await.hidden("form_token");
    let form = format!("form_token={form}");
    let huge = "a".repeat(20_000);
    let parts = [
        "%00",
        "%FF%FE",
        "%0D%0ASet-Cookie:%20evil=1",
        "%3Cscript%3Eevil",
        "%22%3E%3Cscript%3E",
        "..%2F..%2Fevil",
        "%E2%80%AEevil",
        "%F0%9F%98%88",
        "a%2Fsign-in",
        ";evil",
        &huge,
    ];
    for part in parts {
        for path in [
            format!("/connect/google/{part}"),
            format!("/connect/{part}/token"),
            format!("/connected/{part}"),
            format!("/not-connected/google/{part}"),
            format!("/not-connected/{part}/denied?missing={part}"),
            format!("/not-signed-in/{part}"),
            format!("{CALLBACK}?state={part}&code={part}&error={part}"),
            format!("/api/v1/auth/slack/callback?state={part}&code={part}"),
            format!("/api/v1/integrations/{part}/authorize"),
            format!("/api/v1/integrations/{part}/callback?state=x"),
            format!("/{part}"),
        ] {
            let url = jonas.at(&path);
            for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
                is_harmless(&jonas.send(method, &url, None, &[]).await);
            }
            let body = Some((FORM, form.clone()));
            is_harmless(&jonas.send(Method::POST, &url, body, &[]).await);
        }
    }
    // Whatever host is asked for, what leads back is what the settings say.
    let headers = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
    ];
    for path in [
        "/api/v1/auth/slack/login",
        link.path(),
        "/api/v1/integrations/google/authorize",
    ] {
        let page = jonas
            .send(Method::GET, &jonas.at(path), None, &headers)
            .await;
        is_harmless(&page);
        assert!(!page.body.contains("evil"), "{}", page.body);
    }
    nothing_happened(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_signed_in_fills_no_table() {
    let database = Database::on_disk();
    let url = database.url.clone();
    let bot = TestBot::with(database, &[]).await;
    let link = link(&bot, NINA, "google").await;
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let mut rows = async || -> i64 {
        sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM oauth_states) + (SELECT COUNT(*) FROM link_intents) \
             + (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM parked_grants)",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap()
    };
    let before = rows().await;
    let mut stranger = Visitor::new(&bot);
    let page = stranger.open(&link).await;
    for _ in 0..20 {
        for path in [
            "/api/v1/auth/slack/login",
            "/api/v1/auth/slack/callback?state=x&code=x",
            "/api/v1/integrations/google/authorize",
            "/api/v1/integrations/google/callback?state=x&code=x",
            link.path(),
        ] {
            stranger.open(&stranger.at(path)).await;
        }
        stranger.submit(&page).await;
    }
    assert_eq!(rows().await, before);
    bot.finish().await;
}
