//! Attempts to connect, see or give up a calendar that is not one's own. Each must fail, with its reason shown, and
//! without a code having been exchanged.

mod admin;
mod api;
mod http;
mod leaks;

mod links;
mod requests;
mod states;
mod summaries;

use billops::sandbox::{
    Choice, Decision, Endpoint, JONAS_EMAIL, NINA_EMAIL, Provider, Sandbox, View,
};
use reqwest::{Method, header};
use serde_json::Value;
use url::Url;

use crate::{
    bot::{NINA, TestBot},
    connect::accounts,
    visitor::{Page, Visitor, link_of},
};

/// The other one: an attacker, or a victim.
pub(crate) const JONAS: &str = "jonas";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn email_of(person: &str) -> &'static str {
    if person == NINA {
        NINA_EMAIL
    } else {
        JONAS_EMAIL
    }
}

/// The link that a person is given in Slack.
async fn link(bot: &TestBot, person: &str, provider: &str) -> Url {
    link_of(
        &bot.say_as(person, &format!("/time connect {provider}"))
            .await,
    )
}

/// A browser in which a person is signed in.
pub(crate) async fn browser_of(bot: &TestBot, person: &str) -> Visitor {
    let mut browser = Visitor::new(bot);
    let page = browser.log_in(&bot.slack, person).await;
    assert_eq!(page.url.path(), "/", "{page:?}");
    browser
}

/// Somebody asked for a link, signed in, opened it and pressed the button: their browser, and the provider's page that
/// it was sent to.
async fn sent_off(bot: &TestBot, person: &str, provider: &str) -> (Visitor, Url) {
    let link = link(bot, person, provider).await;
    let mut browser = browser_of(bot, person).await;
    let page = browser.open(&link).await;
    let off = browser.submit(&page).await;
    assert!(off.url.path().contains("auth"), "{off:?}");
    (browser, off.url)
}

/// Consents, and returns where the browser is sent back to.
async fn consent(bot: &TestBot, off: &Url, account: &str) -> Url {
    let back = bot
        .slack
        .consent(off.as_str(), account, Decision::Allow)
        .await;
    back.unwrap().parse().unwrap()
}

/// One parameter of an address.
fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {url}"))
        .1
        .into_owned()
}

/// The same address with another value for a parameter.
fn with_parameter(url: &Url, name: &str, value: &str) -> Url {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut url = url.clone();
    url.query_pairs_mut().clear().extend_pairs(
        pairs
            .iter()
            .map(|(key, old)| (&**key, if key == name { value } else { &**old })),
    );
    url
}

/// How many codes a provider was asked to exchange.
fn exchanges(bot: &TestBot, provider: Provider) -> u32 {
    bot.slack
        .provider(provider, |service| service.requests(Endpoint::Code))
}

/// Nobody has a calendar, and no provider was shown a code.
async fn nothing_happened(bot: &TestBot) {
    nothing_is_connected(bot).await;
    for provider in [Provider::Google, Provider::Microsoft] {
        assert_eq!(exchanges(bot, provider), 0, "a code was exchanged");
    }
}

async fn nothing_is_connected(bot: &TestBot) {
    for person in [NINA, JONAS] {
        assert_eq!(
            accounts(bot, person).await,
            0,
            "{person} has a calendar connected"
        );
    }
}

/// The page says why nothing was connected.
fn refused(page: &Page, reason: &str) {
    let path = page.url.path();
    assert!(path.starts_with("/not-connected/"), "{page:?}");
    assert!(path.ends_with(reason), "{path} in place of {reason}");
    assert!(page.body.contains("<h1>"), "{page:?}");
}

/// The answer is a problem of this name.
pub(crate) fn problem(page: &Page, name: &str) {
    let kind = page.headers[header::CONTENT_TYPE].to_str().unwrap();
    assert_eq!(kind, "application/problem+json", "{page:?}");
    let problem = page.json();
    assert_eq!(
        problem["type"],
        format!("urn:billops:{name}"),
        "{}",
        page.body
    );
    assert_eq!(problem["status"], page.status.as_u16());
    assert!(!problem["detail"].as_str().unwrap().is_empty());
}

/// Sends a form or JSON.
async fn post(browser: &mut Visitor, path: &str, kind: &str, body: &str) -> Page {
    let url = browser.at(path);
    let body = Some((kind, body.to_owned()));
    browser.send(Method::POST, &url, body, &[]).await
}

/// The token for programs that a person made in their Home tab, with everything ticked.
pub(crate) async fn api_token(bot: &TestBot, person: &str) -> String {
    token_for(bot, person, &["entries", "reports", "notifications"]).await
}

/// The token for programs that a person made in their Home tab, with this ticked.
pub(crate) async fn token_for(bot: &TestBot, person: &str, scopes: &[&str]) -> String {
    bot.slack.open_home(person).await.unwrap();
    let shows = |slack: &Sandbox| {
        let home = slack.home(person)?;
        text_of(&home).contains("API token").then_some(home)
    };
    let home = bot.slack.wait_for("a Home tab", shows).await.unwrap();
    bot.slack.click(person, &home, "token.open").await.unwrap();
    let form = |slack: &Sandbox| slack.modals(person).pop();
    let form = bot.slack.wait_for("a form", form).await.unwrap();
    let ticked = Choice::Options(scopes.iter().map(|&scope| scope.to_owned()).collect());
    bot.slack
        .choose(person, &form, "scopes/value", ticked)
        .await
        .unwrap();
    bot.slack.click(person, &form, "token.new").await.unwrap();
    let token = |slack: &Sandbox| {
        let text = text_of(&slack.modals(person).pop()?);
        let (_, rest) = text.split_once("```")?;
        Some(rest.split("```").next()?.to_owned())
    };
    let token = bot.slack.wait_for("the token", token).await.unwrap();
    bot.slack.close_all(person).await.unwrap();
    token
}

fn text_of(view: &View) -> String {
    Value::from(view.blocks().to_vec()).to_string()
}
