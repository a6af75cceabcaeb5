//! The real program at its finest log: after everything that can happen to tokens, they are nowhere to be found.

use std::{path::Path, time::Duration};

use billops::{
    clock::Clock,
    sandbox::{Decision, Endpoint, NINA_EMAIL, Outage, Provider, Sandbox, Service},
    store::Store,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::Instant};
use url::Url;

use super::{JSON, parameter, post, text_of};
use crate::{
    bot::NINA,
    databases::Database,
    process::{KEY, Program, SLACK_WAITS, connected, sandbox},
    visitor::{Page, Visitor, link_of},
};

/// What is to be kept secret, by where it may show nevertheless.
#[derive(Default)]
struct Secrets {
    /// Nowhere.
    tokens: Vec<String>,
    /// In the address of a provider's page.
    states: Vec<String>,
    /// In the button in Slack, and on the page behind it.
    links: Vec<String>,
    /// In a browser's cookies, on the page that shows a code, in the form that shows a token.
    shown_once: Vec<String>,
}

/// Nina at her browser.
struct Nina<'a> {
    slack: &'a Sandbox,
    browser: Visitor,
    secrets: Secrets,
}

impl Nina<'_> {
    async fn types(&self, line: &str) -> billops::sandbox::Message {
        let answer = self.slack.say(NINA, "#general", line).await.unwrap();
        answer.message.unwrap()
    }

    /// From the command to the provider's page.
    async fn leaves(&mut self, provider: &str) -> Url {
        let link = link_of(&self.types(&format!("/time connect {provider}")).await);
        let token = link.path_segments().unwrap().next_back().unwrap();
        self.secrets.links.push(token.to_owned());
        let mut page = self.browser.open(&link).await;
        if page.body.contains("Sign in with Slack") {
            let off = self.browser.submit(&page).await.url;
            page = self.comes_back(&off, NINA).await;
        }
        self.browser.submit(&page).await.url
    }

    /// Consents, and goes back.
    async fn comes_back(&mut self, off: &Url, account: &str) -> Page {
        for name in ["state", "nonce"] {
            self.secrets.states.push(parameter(off, name));
        }
        let back = self
            .slack
            .consent(off.as_str(), account, Decision::Allow)
            .await
            .unwrap();
        self.browser.open(&back.parse().unwrap()).await
    }

    async fn connects(&mut self, provider: &str) -> Page {
        let off = self.leaves(provider).await;
        self.comes_back(&off, NINA_EMAIL).await
    }

    /// Has the bot ask the provider with her token.
    async fn asks(&mut self, provider: &str) -> Page {
        let path = format!("/api/v1/integrations/{provider}/select-calendar");
        let body = json!({"calendar_id": "new"}).to_string();
        post(&mut self.browser, &path, JSON, &body).await
    }
}

/// Secrets are looked for by their ends: whatever they are escaped or cut to, these stay.
fn end_of(secret: &str) -> &str {
    &secret[secret.len().saturating_sub(24)..]
}

fn is_not_in<'a>(place: &str, text: &[u8], secrets: impl IntoIterator<Item = &'a String>) {
    for secret in secrets {
        let end = end_of(secret).as_bytes();
        let found = text.windows(end.len()).position(|window| window == end);
        assert_eq!(found, None, "{secret} is in {place}");
    }
}

/// Every byte of the database's files.
fn stored(database: &Database) -> Vec<u8> {
    let file = database.url.strip_prefix("sqlite://").unwrap();
    let files = std::fs::read_dir(Path::new(file).parent().unwrap()).unwrap();
    let mut bytes = Vec::new();
    for file in files {
        bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    assert!(bytes.len() > 50_000);
    bytes
}

/// Takes the addresses of buttons out.
fn without_urls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| name != "url");
            fields.values_mut().for_each(without_urls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_urls),
        _ => {}
    }
}

/// Waits until the program's jobs rest: one that reads a calendar while its tokens are taken away refreshes them, or
/// takes a refusal for the end of the consent, before anybody asks.
async fn at_rest(store: &Store) {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let jobs = store.job_counts().await.unwrap();
        if jobs.running == 0 && jobs.due_since.is_none() {
            return;
        }
        assert!(Instant::now() < until, "{jobs:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_stored_logged_sent_or_shown() {
    let slack = sandbox(SLACK_WAITS).await;
    let database = Database::on_disk();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let web = free.local_addr().unwrap();
    drop(free);
    let settings = slack.settings(web, &database.url);
    let mut settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    settings.extend([("RUST_LOG", "trace"), ("LOG_FORMAT", "json")]);

    let mut program = Program::start(&settings);
    program.logs("web.listening").await;
    connected(&slack).await;
    let mut nina = Nina {
        slack: &slack,
        browser: Visitor::of(&format!("http://{web}")),
        secrets: Secrets::default(),
    };
    for provider in ["google", "outlook"] {
        let page = nina.connects(provider).await;
        assert!(page.url.path().starts_with("/connected/"), "{page:?}");
    }
    // Exchanges that go wrong in every way, at the provider's end and at ours.
    for outage in [
        Outage::Refused("invalid_grant".to_owned()),
        Outage::Refused("invalid_client".to_owned()),
        Outage::Status(500),
        Outage::AnswerLost,
    ] {
        slack.provider(Provider::Google, |google| {
            google.fail_next(Endpoint::Code, 1, outage);
        });
        let page = nina.connects("google").await;
        assert!(page.url.path().starts_with("/not-connected/"), "{page:?}");
    }
    slack.provider(Provider::Google, |google| {
        google.fail_next(Endpoint::Calendars, 1, Outage::Status(500));
    });
    let page = nina.connects("google").await;
    assert!(
        page.url.path().ends_with("provider-unavailable"),
        "{page:?}"
    );
    let off = nina.leaves("google").await;
    let lock = database.outage().await;
    let page = nina.comes_back(&off, NINA_EMAIL).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.headers["retry-after"], "5");
    lock.end().await;
    // A frontend's way.
    let authorize = nina.browser.at("/api/v1/integrations/google/authorize");
    let received = nina.browser.received.clone();
    let begun = nina.browser.open(&authorize).await.json();
    // This one answer holds the state.
    nina.browser.received = received;
    let off: Url = begun["auth_url"].as_str().unwrap().parse().unwrap();
    let page = nina.comes_back(&off, NINA_EMAIL).await;
    assert!(page.url.path().starts_with("/connected/"), "{page:?}");

    let store = Store::open(&database.url, Clock::system()).await.unwrap();
    // Tokens are refreshed, the provider fails to, and in the end refuses.
    for (provider, name) in [
        (Provider::Google, "google"),
        (Provider::Microsoft, "microsoft"),
    ] {
        let refreshed = || slack.provider(provider, |one| one.requests(Endpoint::Refresh));
        at_rest(&store).await;
        slack.provider(provider, Service::expire_access_tokens);
        nina.asks(name).await;
        assert_eq!(refreshed(), 1);
        for outage in [Outage::Status(503), Outage::AnswerLost] {
            at_rest(&store).await;
            slack.provider(provider, |one| {
                one.expire_access_tokens();
                one.fail_next(Endpoint::Refresh, 1, outage);
            });
            nina.asks(name).await;
        }
        at_rest(&store).await;
        slack.provider(provider, |one| {
            one.expire_access_tokens();
            one.revoke_refresh_tokens(NINA_EMAIL);
        });
        nina.asks(name).await;
        assert_eq!(refreshed(), 4);
    }
    let told = |slack: &Sandbox| {
        let lines = slack.traffic();
        let mut posts = lines.iter().filter(|line| line.title == "chat.postMessage");
        posts
            .any(|line| line.body.to_string().contains("calendar.reconnect"))
            .then_some(())
    };
    slack
        .wait_for("word of the broken account", told)
        .await
        .unwrap();
    // A token for programs.
    slack.open_home(NINA).await.unwrap();
    let home = |slack: &Sandbox| {
        slack
            .home(NINA)
            .filter(|home| text_of(home).contains("API token"))
    };
    let home = slack.wait_for("the Home tab", home).await.unwrap();
    slack.click(NINA, &home, "token.open").await.unwrap();
    let form = slack
        .wait_for("a form", |slack| slack.modals(NINA).pop())
        .await
        .unwrap();
    slack.click(NINA, &form, "token.new").await.unwrap();
    let token = |slack: &Sandbox| {
        let text = text_of(&slack.modals(NINA).pop()?);
        Some(text.split("```").nth(1)?.to_owned())
    };
    let token = slack.wait_for("the token", token).await.unwrap();
    let me = nina.browser.at("/api/v1/me");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer)];
    nina.browser.send(Method::GET, &me, None, &headers).await;
    let url = nina
        .browser
        .at(&format!("/api/v1/integrations?access_token={token}"));
    nina.browser.open(&url).await;
    nina.secrets.shown_once.push(token);
    nina.secrets
        .shown_once
        .extend(nina.browser.cookies.values().cloned());
    // Something that is logged at the finest level only.
    slack
        .send_event(json!({"type": "message", "text": "hello"}))
        .await;
    let running = stored(&database);
    program.signal("TERM").await;
    let (_, mut log) = program.end().await;

    // Without Sign in with Slack, a grant waits for its code.
    settings.extend([("SLACK_CLIENT_ID", ""), ("SLACK_CLIENT_SECRET", "")]);
    let mut program = Program::start(&settings);
    program.logs("web.listening").await;
    connected(&slack).await;
    nina.browser.cookies.remove("billops_session");
    let mut codes = Vec::new();
    for answer in ["That is not the code", "Google is connected"] {
        let page = nina.connects("google").await;
        let (_, code) = page.body.split_once("/time connect ").unwrap();
        let code = code.split('<').next().unwrap().to_owned();
        let typed = if answer.contains("not") {
            "AAAA-AAAA"
        } else {
            &code
        };
        let said = nina.types(&format!("/time connect {typed}")).await.text;
        assert!(said.starts_with(answer), "{said}");
        codes.extend([code.replace('-', ""), code]);
    }
    let parked = stored(&database);
    program.signal("TERM").await;
    let (_, more) = program.end().await;
    log.extend(more);

    let Nina {
        browser,
        mut secrets,
        ..
    } = nina;
    for provider in [Provider::Slack, Provider::Google, Provider::Microsoft] {
        slack.provider(provider, |one| {
            assert!(!one.codes().is_empty() && !one.access_tokens().is_empty());
            secrets.tokens.extend(one.codes());
            secrets.tokens.extend(one.access_tokens());
            secrets.tokens.extend(one.refresh_tokens());
        });
        secrets.tokens.push(slack.client_secret(provider));
    }
    let key = KEY.split_once(':').unwrap().1;
    secrets
        .tokens
        .extend([slack.bot_token(), slack.app_token(), key].map(str::to_owned));
    // What is sealed is JSON with these names; the provider is told the verifier by that one.
    let names = ["\"verifier\":", "code_verifier=", "\"nonce\":"].map(str::to_owned);
    let Secrets {
        tokens,
        states,
        links,
        shown_once,
    } = &secrets;
    assert!(tokens.len() > 30 && states.len() > 20 && links.len() > 8);

    let at_rest = [names.as_slice(), tokens, states, links, shown_once, &codes].concat();
    for (place, bytes) in [
        ("the database", running),
        ("the database with a grant that waits", parked),
        ("the database at its end", stored(&database)),
        ("the log", log.join("\n").into_bytes()),
    ] {
        is_not_in(place, &bytes, &at_rest);
    }
    let is_fine = |line: &String| line.contains("\"DEBUG\"");
    assert!(log.iter().any(is_fine), "the finest level was not logged");

    let mut bodies = browser.received;
    for code in &codes {
        bodies = bodies.replace(code, "");
    }
    is_not_in(
        "an answer",
        bodies.as_bytes(),
        names.iter().chain(tokens).chain(states),
    );
    let cookies: Vec<&str> = bodies
        .lines()
        .filter(|line| line.starts_with("set-cookie"))
        .collect();
    let without = cookies
        .iter()
        .fold(bodies.clone(), |text, cookie| text.replace(cookie, ""));
    is_not_in("a page", without.as_bytes(), shown_once);

    let lines = slack.traffic();
    let to_slack = ["web_api", "response_url", "ack", "socket"];
    let mut sent = 0;
    for line in lines.iter().filter(|line| line.direction == "from_bot") {
        if to_slack.contains(&line.kind) {
            let mut body = line.body.clone();
            is_not_in(
                &line.title,
                body.to_string().as_bytes(),
                tokens.iter().chain(states),
            );
            without_urls(&mut body);
            is_not_in(&line.title, body.to_string().as_bytes(), links);
            sent += 1;
        }
    }
    assert!(sent > 20);
    slack.stop();
    database.remove().await;
}
