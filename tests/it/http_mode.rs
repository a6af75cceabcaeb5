//! HTTP mode: signed requests instead of a socket. That people can do everything over it is what the second run of the
//! other tests shows; here is what comes only this way.

use billops::{
    bot::Bot,
    clock::Clock,
    config::{Config, Environment},
    manifest::MANIFEST,
    sandbox::{Manifest, Options, Sandbox},
    slack::socket::Timings,
};
use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{bot::NINA, databases::friday, installs::entries};

const FORM: &str = "application/x-www-form-urlencoded";
const SLACK: &str = "/api/v1/integrations/slack";

struct Line {
    slack: Sandbox,
    bot: Bot,
    clock: Clock,
    http: reqwest::Client,
}

impl Line {
    async fn start() -> Self {
        let clock = friday();
        let options = Options {
            clock: clock.clone(),
            manifest: Manifest::parse(MANIFEST).unwrap(),
            ..Options::default()
        };
        let slack = Sandbox::start(options).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = listener.local_addr().unwrap();
        let mut settings = slack.settings(web, "sqlite::memory:");
        settings.retain(|(name, _)| *name != "SLACK_APP_TOKEN");
        settings.push(("SLACK_SIGNING_SECRET", slack.signing_secret().to_owned()));
        let config = Config::from_environment(&Environment::of(settings)).unwrap();
        let bot = Bot::start_at(Some(listener), &config, clock.clone(), Timings::default())
            .await
            .unwrap();
        slack.deliver_over_http(&format!("http://{web}"));
        Self {
            slack,
            bot,
            clock,
            http: reqwest::Client::new(),
        }
    }

    fn at(&self, path: &str) -> String {
        format!("http://{}{SLACK}/{path}", self.bot.web_address())
    }

    /// A request with these headers, as anybody could send it.
    async fn send(
        &self,
        path: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> (StatusCode, String) {
        let mut request = self.http.post(self.at(path)).header("content-type", FORM);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.body(body.to_owned()).send().await.unwrap();
        let status = response.status();
        (status, response.text().await.unwrap())
    }

    async fn entries(&self) -> usize {
        entries(&self.bot, "T07TERN001", "U07NINA001").await
    }

    async fn finish(self) {
        self.bot.shut_down().await;
        self.slack.stop();
    }
}

fn command(text: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("team_id", "T07TERN001")
        .append_pair("channel_id", "C07GENERAL")
        .append_pair("user_id", "U07NINA001")
        .append_pair("command", "/time")
        .append_pair("text", text)
        .append_pair("trigger_id", "1.2.3")
        .finish()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_command_is_answered_in_place() {
    let line = Line::start().await;
    let answer = line
        .slack
        .say(NINA, "#general", "/time 2.5 hours: Meeting")
        .await
        .unwrap();
    assert_eq!(answer.error, None);
    let card = answer.message.unwrap();
    assert!(
        card.text.starts_with("Logged 2 h 30 min · Meeting"),
        "{}",
        card.text
    );
    assert_eq!(line.entries().await, 1);
    let ready = format!("http://{}/readyz", line.bot.web_address());
    let ready: Value = line
        .http
        .get(ready)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(ready["slack"], json!({"status": "ok", "mode": "http"}));
    assert!(line.slack.connections().is_empty());
    line.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_again_logs_nothing_twice() {
    let line = Line::start().await;
    let body = command("1h: Review");
    let mut answers = Vec::new();
    for _ in 0..3 {
        let (status, said) = line
            .slack
            .post_as_slack(&line.at("commands/time"), FORM, &body)
            .await
            .unwrap();
        assert_eq!(status, 200, "{said}");
        answers.push(said);
    }
    assert!(answers[0].contains("Logged 1 h"), "{}", answers[0]);
    assert!(answers.iter().all(|said| *said == answers[0]));
    assert_eq!(line.entries().await, 1);
    line.finish().await;
}

/// Whatever is not signed by Slack, just now, over just these bytes, is refused and changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_slack_did_not_sign_is_refused() {
    let line = Line::start().await;
    let body = command("1h: Forged");
    let good = line.slack.signature(body.as_bytes());
    let with = |at: Option<String>, signature: Option<String>| {
        let mut headers = Vec::new();
        headers.extend(at.map(|at| ("x-slack-request-timestamp", at)));
        headers.extend(signature.map(|signature| ("x-slack-signature", signature)));
        headers
    };
    let (at, signature) = (good[0].1.clone(), good[1].1.clone());
    let other = line.slack.signature(b"something else")[1].1.clone();
    for path in ["commands/time", "events", "interactions"] {
        for headers in [
            with(None, None),
            with(Some(at.clone()), None),
            with(None, Some(signature.clone())),
            with(Some(at.clone()), Some(other.clone())),
            with(Some(at.clone()), Some("v0=".to_owned())),
            with(Some("0".to_owned()), Some(signature.clone())),
            with(Some(at.clone()), Some(signature.to_uppercase())),
        ] {
            let (status, said) = line.send(path, &headers, &body).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path} {headers:?}");
            let problem: Value = serde_json::from_str(&said).unwrap();
            assert_eq!(problem["type"], "urn:billops:not-signed");
        }
        // Two signatures, of which one is right.
        let mut twice = with(Some(at.clone()), Some(signature.clone()));
        twice.push(("x-slack-signature", other.clone()));
        assert_eq!(
            line.send(path, &twice, &body).await.0,
            StatusCode::UNAUTHORIZED
        );
    }
    // Recorded, and sent again later.
    line.clock.advance(TimeDelta::seconds(301));
    let late = line.send("commands/time", &good, &body).await;
    assert_eq!(late.0, StatusCode::UNAUTHORIZED);
    assert_eq!(line.entries().await, 0);
    line.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slacks_probes_are_answered() {
    let line = Line::start().await;
    let (status, said) = line.send("commands/time", &[], "ssl_check=1&token=x").await;
    assert_eq!((status, &*said), (StatusCode::OK, ""));
    let challenge = r#"{"type":"url_verification","challenge":"3eZbrw1aB","token":"x"}"#;
    let events = line.at("events");
    let asked = line
        .slack
        .post_as_slack(&events, "application/json", challenge);
    assert_eq!(asked.await.unwrap(), (200, "3eZbrw1aB".to_owned()));
    for (path, body) in [
        ("events", "{}"),
        ("events", "not JSON"),
        ("interactions", "payload=%7B"),
        ("interactions", "x=1"),
        ("commands/time", "text=1h"),
        ("commands/time", ""),
    ] {
        let url = line.at(path);
        let sent = line.slack.post_as_slack(&url, FORM, body);
        let (status, said) = sent.await.unwrap();
        assert_eq!(status, 400, "{path} {body}: {said}");
    }
    // As long as a form of Slack's may be, and longer than that.
    for (length, expected) in [(300_000, 200), (2_000_000, 413)] {
        let body = format!("{}&padding={}", command("help"), "x".repeat(length));
        let url = line.at("commands/time");
        let sent = line.slack.post_as_slack(&url, FORM, &body);
        assert_eq!(sent.await.unwrap().0, expected, "{length}");
    }
    line.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_event_is_handled_once() {
    let line = Line::start().await;
    let event = json!({
        "type": "event_callback", "team_id": "T07TERN001", "api_app_id": "A07BILLOPS", "event_id": "Ev1",
        "event_time": 1_795_177_800,
        "event": {"type": "app_home_opened", "user": "U07NINA001", "channel": "D07NINA001", "tab": "home"},
    })
    .to_string();
    for _ in 0..3 {
        let url = line.at("events");
        let sent = line.slack.post_as_slack(&url, "application/json", &event);
        assert_eq!(sent.await.unwrap(), (200, String::new()));
    }
    let published = line.slack.traffic();
    let published = published
        .iter()
        .filter(|line| line.title == "views.publish");
    assert_eq!(published.count(), 1);
    line.finish().await;
}
