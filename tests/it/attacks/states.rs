//! Attempts at the way back from a provider: states and codes that are missing, old, used, or somebody else's.

use billops::sandbox::{Decision, Provider};
use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use url::Url;

use super::{
    JONAS, JSON, api_token, browser_of, consent, email_of, exchanges, nothing_happened,
    nothing_is_connected, parameter, post, problem, refused, sent_off, with_parameter,
};
use crate::{
    bot::{NINA, TestBot},
    connect::accounts,
    visitor::Visitor,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_taken_without_a_state_of_ours() {
    let bot = TestBot::start().await;
    let (mut browser, off) = sent_off(&bot, NINA, "google").await;
    let back = consent(&bot, &off, email_of(NINA)).await;
    let code = parameter(&back, "code");
    let longest = "s".repeat(5000);
    for state in ["", "state", "%00", "é", &longest] {
        let path = format!("/api/v1/integrations/google/callback?code={code}&state={state}");
        let page = browser.open(&browser.at(&path)).await;
        refused(&page, "state-invalid");
    }
    let without = format!("/api/v1/integrations/google/callback?code={code}");
    refused(&browser.open(&browser.at(&without)).await, "state-invalid");
    nothing_happened(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_is_opened_again_connects_nothing() {
    let bot = TestBot::start().await;
    let (mut browser, off) = sent_off(&bot, NINA, "google").await;
    let back = consent(&bot, &off, email_of(NINA)).await;
    let page = browser.open(&back).await;
    assert_eq!(page.url.path(), "/connected/google");
    refused(&browser.open(&back).await, "state-invalid");
    // Nor does a new code revive the state.
    let again = consent(&bot, &off, email_of(NINA)).await;
    refused(&browser.open(&again).await, "state-invalid");
    assert_eq!(exchanges(&bot, Provider::Google), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_is_ended_once() {
    let bot = TestBot::start().await;
    let mut browser = Visitor::new(&bot);
    let login = browser.at("/api/v1/auth/slack/login");
    let off = browser.open(&login).await.url;
    let denied = bot.slack.consent(off.as_str(), NINA, Decision::Deny).await;
    let page = browser.open(&denied.unwrap().parse().unwrap()).await;
    assert_eq!(page.url.path(), "/not-signed-in/denied");
    // Neither a refusal nor a sign-in leaves a state that another code would be taken with.
    for round in 0..2 {
        let back = consent(&bot, &off, NINA).await;
        let page = browser.open(&back).await;
        assert_eq!(page.url.path(), "/not-signed-in/state-invalid", "{round}");
    }
    let off = browser.open(&login).await.url;
    let (first, second) = tokio::join!(consent(&bot, &off, NINA), consent(&bot, &off, NINA));
    let asked = exchanges(&bot, Provider::Slack);
    let page = browser.open(&first).await;
    assert!(!page.url.path().starts_with("/not-signed-in"), "{page:?}");
    let page = browser.open(&second).await;
    assert_eq!(page.url.path(), "/not-signed-in/state-invalid");
    assert_eq!(exchanges(&bot, Provider::Slack), asked + 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_is_used_up_by_a_refusal_too() {
    let bot = TestBot::start().await;
    let (mut browser, off) = sent_off(&bot, NINA, "google").await;
    let denied = bot
        .slack
        .consent(off.as_str(), email_of(NINA), Decision::Deny)
        .await;
    refused(
        &browser.open(&denied.unwrap().parse().unwrap()).await,
        "denied",
    );
    let back = consent(&bot, &off, email_of(NINA)).await;
    refused(&browser.open(&back).await, "state-invalid");
    nothing_happened(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_runs_out() {
    let bot = TestBot::start().await;
    let (mut browser, off) = sent_off(&bot, NINA, "google").await;
    bot.clock.advance(TimeDelta::minutes(10));
    let back = consent(&bot, &off, email_of(NINA)).await;
    refused(&browser.open(&back).await, "state-invalid");
    nothing_happened(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_signed_in_by_then_must_be_who_left() {
    let bot = TestBot::start().await;
    let (mut browser, off) = sent_off(&bot, NINA, "google").await;
    browser.log_in(&bot.slack, JONAS).await;
    let back = consent(&bot, &off, email_of(NINA)).await;
    refused(&browser.open(&back).await, "other-person");

    // Nor is it enough that nobody is.
    let (mut browser, off) = sent_off(&bot, NINA, "google").await;
    browser.cookies.remove("billops_session").unwrap();
    let back = consent(&bot, &off, email_of(NINA)).await;
    refused(&browser.open(&back).await, "other-person");
    nothing_happened(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_page_that_is_passed_on_connects_nothing() {
    // Jonas sends Nina the provider's page that his own link led him to; she agrees there.
    let bot = TestBot::start().await;
    let (_, off) = sent_off(&bot, JONAS, "google").await;
    let back = consent(&bot, &off, email_of(NINA)).await;
    refused(&Visitor::new(&bot).open(&back).await, "other-browser");
    for victim in [NINA, JONAS] {
        let (_, off) = sent_off(&bot, JONAS, "google").await;
        let back = consent(&bot, &off, email_of(NINA)).await;
        let mut browser = browser_of(&bot, victim).await;
        refused(&browser.open(&back).await, "other-browser");
    }
    nothing_happened(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_is_good_at_its_own_providers_address_only() {
    let bot = TestBot::start().await;
    let (mut browser, off) = sent_off(&bot, NINA, "google").await;
    let back = consent(&bot, &off, email_of(NINA)).await;
    let elsewhere = back.as_str().replace("/google/", "/microsoft/");
    let page = browser.open(&elsewhere.parse().unwrap()).await;
    refused(&page, "other-provider");
    // It is used up by that.
    refused(&browser.open(&back).await, "state-invalid");

    // An answer that says that it is another issuer's (RFC 9207).
    for issuer in [
        "https://evil.example",
        "https://login.microsoftonline.com/common/v2.0",
    ] {
        let (mut browser, off) = sent_off(&bot, NINA, "google").await;
        let mut back = consent(&bot, &off, email_of(NINA)).await;
        back.query_pairs_mut().append_pair("iss", issuer);
        refused(&browser.open(&back).await, "other-provider");
    }
    nothing_happened(&bot).await;

    let (mut browser, off) = sent_off(&bot, NINA, "google").await;
    let mut back = consent(&bot, &off, email_of(NINA)).await;
    back.query_pairs_mut()
        .append_pair("iss", "https://accounts.google.com");
    let page = browser.open(&back).await;
    assert_eq!(page.url.path(), "/connected/google");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_from_another_flow_is_refused_by_its_challenge() {
    let bot = TestBot::start().await;
    for (provider, name) in [
        (Provider::Google, "google"),
        (Provider::Microsoft, "outlook"),
    ] {
        // Of another person, and of another flow of one's own.
        for person in [JONAS, NINA] {
            let (_, off) = sent_off(&bot, person, name).await;
            let injected = consent(&bot, &off, email_of(person)).await;
            let (mut browser, off) = sent_off(&bot, NINA, name).await;
            let back = consent(&bot, &off, email_of(NINA)).await;
            let before = exchanges(&bot, provider);
            let forged = with_parameter(&back, "code", &parameter(&injected, "code"));
            refused(&browser.open(&forged).await, "code-refused");
            assert_eq!(
                exchanges(&bot, provider),
                before + 1,
                "the provider was not asked"
            );
        }
    }
    nothing_is_connected(&bot).await;
    bot.slack.take_violations();
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frontend_and_a_program_end_only_what_their_person_began() {
    let bot = TestBot::start().await;
    let token = format!("Bearer {}", api_token(&bot, JONAS).await);
    let mut nina = browser_of(&bot, NINA).await;
    let mut jonas = browser_of(&bot, JONAS).await;
    let callback = "/api/v1/integrations/google/callback";
    let begun = async |browser: &mut Visitor| -> Url {
        let url = browser.at("/api/v1/integrations/google/authorize");
        let begun = browser.open(&url).await.json();
        let off: Url = begun["auth_url"].as_str().unwrap().parse().unwrap();
        assert_eq!(parameter(&off, "state"), begun["state"].as_str().unwrap());
        consent(&bot, &off, email_of(NINA)).await
    };
    let body_of = |back: &Url| {
        json!({"code": parameter(back, "code"), "state": parameter(back, "state")}).to_string()
    };

    let back = begun(&mut nina).await;
    let page = post(&mut jonas, callback, JSON, &body_of(&back)).await;
    problem(&page, "other-person");
    assert_eq!(page.status, StatusCode::FORBIDDEN);

    let back = begun(&mut nina).await;
    let url = nina.at(callback);
    let body = Some((JSON, body_of(&back)));
    let headers = [("authorization", &*token), ("origin", "")];
    let page = Visitor::new(&bot)
        .send(reqwest::Method::POST, &url, body, &headers)
        .await;
    problem(&page, "other-person");

    let back = begun(&mut nina).await;
    let page = post(&mut Visitor::new(&bot), callback, JSON, &body_of(&back)).await;
    problem(&page, "not-signed-in");

    // What a program began for Jonas, and Nina agreed to.
    let url = nina.at("/api/v1/integrations/google/authorize");
    let begun = Visitor::new(&bot)
        .send(reqwest::Method::GET, &url, None, &headers)
        .await
        .json();
    let off: Url = begun["auth_url"].as_str().unwrap().parse().unwrap();
    let back = consent(&bot, &off, email_of(NINA)).await;
    refused(&nina.open(&back).await, "other-person");
    nothing_happened(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_callbacks_with_one_state_at_once_one_gets_it() {
    let bot = TestBot::start().await;
    let (browser, off) = sent_off(&bot, NINA, "google").await;
    let back = consent(&bot, &off, email_of(NINA)).await;
    let opened = join_all((0..8).map(|_| {
        let mut same = Visitor::new(&bot);
        same.cookies.clone_from(&browser.cookies);
        let back = back.clone();
        async move { same.open(&back).await.url.path().to_owned() }
    }));
    let mut landed = opened.await;
    landed.sort();
    assert_eq!(landed[0], "/connected/google");
    let rest = vec!["/not-connected/google/state-invalid"; 7];
    assert_eq!(landed[1..], rest);
    assert_eq!(exchanges(&bot, Provider::Google), 1);
    assert_eq!(accounts(&bot, NINA).await, 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_is_not_ended_in_another_browser() {
    // Jonas signs in and sends Nina the last address: she would go on in his name, and connect her calendar to him.
    let bot = TestBot::start().await;
    let mut jonas = Visitor::new(&bot);
    let off = jonas.open(&jonas.at("/api/v1/auth/slack/login")).await.url;
    let back = consent(&bot, &off, JONAS).await;
    let mut stranger = Visitor::new(&bot);
    stranger
        .open(&stranger.at("/api/v1/auth/slack/login"))
        .await;
    for mut nina in [Visitor::new(&bot), stranger, browser_of(&bot, NINA).await] {
        let before = nina.cookies.get("billops_session").cloned();
        let asked = exchanges(&bot, Provider::Slack);
        let page = nina.open(&back).await;
        assert_eq!(page.url.path(), "/not-signed-in/state-invalid");
        assert!(page.body.contains("in one browser"), "{}", page.body);
        assert_eq!(nina.cookies.get("billops_session"), before.as_ref());
        assert_eq!(exchanges(&bot, Provider::Slack), asked);
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_runs_out_and_works_once_and_is_no_state_of_a_calendar() {
    let bot = TestBot::start().await;
    let mut browser = Visitor::new(&bot);
    let login = browser.at("/api/v1/auth/slack/login");
    let off = browser.open(&login).await.url;
    let back = consent(&bot, &off, NINA).await;
    let calendar = format!(
        "/api/v1/integrations/google/callback?{}",
        back.query().unwrap()
    );
    refused(&browser.open(&browser.at(&calendar)).await, "state-invalid");

    let (mut connecting, off) = sent_off(&bot, NINA, "google").await;
    let google = consent(&bot, &off, email_of(NINA)).await;
    let sign_in = format!("/api/v1/auth/slack/callback?{}", google.query().unwrap());
    let page = connecting.open(&connecting.at(&sign_in)).await;
    assert_eq!(page.url.path(), "/not-signed-in/state-invalid");

    let off = browser.open(&login).await.url;
    bot.clock.advance(TimeDelta::minutes(10));
    let back = consent(&bot, &off, NINA).await;
    let asked = exchanges(&bot, Provider::Slack);
    let page = browser.open(&back).await;
    assert_eq!(page.url.path(), "/not-signed-in/state-invalid");
    assert_eq!(exchanges(&bot, Provider::Slack), asked);

    let off = browser.open(&login).await.url;
    let back = consent(&bot, &off, NINA).await;
    assert_eq!(browser.open(&back).await.url.path(), "/sessions");
    let session = browser.cookies["billops_session"].clone();
    let page = browser.open(&back).await;
    assert!(page.url.path().starts_with("/not-signed-in/"), "{page:?}");
    assert_eq!(browser.cookies["billops_session"], session);
    bot.slack.take_violations();
    bot.finish().await;
}
