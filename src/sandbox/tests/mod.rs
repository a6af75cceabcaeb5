//! The sandbox is held against Slack's documentation from outside, over real sockets.

mod google;
mod history;
mod installs;
mod load;
mod microsoft;
mod openid;
mod pace;
mod page;
mod people;
mod provider_events;
mod providers;
mod shapes;
mod socket;
mod web_api;

use std::time::Duration;

use chrono::DateTime;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{ConnectionId, Options, Sandbox};
use crate::clock::Clock;

type Line = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Friday 20 November 2026, 11:30 in Berlin.
fn clock() -> Clock {
    Clock::fixed(DateTime::from_timestamp(1_795_170_600, 0).unwrap())
}

fn options() -> Options {
    Options {
        clock: clock(),
        ack_limit: Duration::from_millis(300),
        ..Options::default()
    }
}

async fn start() -> Sandbox {
    Sandbox::start(options()).await.unwrap()
}

fn http() -> reqwest::Client {
    // Building a client asks for a TLS provider, although nothing here speaks TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

async fn call(sandbox: &Sandbox, method: &str, body: Value) -> Value {
    call_as(sandbox, sandbox.bot_token(), method, body).await
}

async fn call_as(sandbox: &Sandbox, token: &str, method: &str, body: Value) -> Value {
    let response = http()
        .post(format!("{}/{method}", sandbox.api_url()))
        .bearer_auth(token)
        .json(&body)
        .send()
        .await
        .unwrap();
    response.json().await.unwrap()
}

/// A body as an HTML form sends it.
fn form(request: reqwest::RequestBuilder, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

async fn open_url(sandbox: &Sandbox) -> String {
    let answer = call_as(
        sandbox,
        sandbox.app_token(),
        "apps.connections.open",
        json!({}),
    )
    .await;
    answer["url"].as_str().unwrap().to_owned()
}

/// A bot reduced to its connection.
struct Bot {
    sink: SplitSink<Line, Message>,
    stream: SplitStream<Line>,
    hello: Value,
}

impl Bot {
    async fn connect(sandbox: &Sandbox) -> Self {
        let url = open_url(sandbox).await;
        let (line, _) = connect_async(url).await.unwrap();
        let (sink, stream) = line.split();
        let mut bot = Self {
            sink,
            stream,
            hello: Value::Null,
        };
        bot.hello = bot.frame().await;
        bot
    }

    /// The next frame; `null` when the connection is over.
    async fn frame(&mut self) -> Value {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(5), self.stream.next());
            match next.await.expect("a frame in time") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return Value::Null,
            }
        }
    }

    async fn send(&mut self, frame: Value) {
        self.sink
            .send(Message::text(frame.to_string()))
            .await
            .unwrap();
    }

    async fn ack(&mut self, envelope: &Value, payload: Option<Value>) {
        let mut frame = json!({"envelope_id": envelope["envelope_id"]});
        if let Some(payload) = payload {
            frame["payload"] = payload;
        }
        self.send(frame).await;
    }

    /// Answers every envelope with what the function gives, until the sandbox stops.
    fn answering(mut self, answer: impl Fn(&Value) -> Option<Value> + Send + 'static) {
        tokio::spawn(async move {
            loop {
                let frame = self.frame().await;
                if frame.is_null() {
                    return;
                }
                if frame["envelope_id"].is_string() {
                    let payload = answer(&frame);
                    self.ack(&frame, payload).await;
                }
            }
        });
    }
}

/// A sandbox with one bot that answers everything the same way.
async fn with_bot(answer: impl Fn(&Value) -> Option<Value> + Send + 'static) -> Sandbox {
    let sandbox = start().await;
    Bot::connect(&sandbox).await.answering(answer);
    sandbox
}

/// What arrives at the bot when the person acts.
async fn envelope_of<T>(bot: &mut Bot, acting: impl Future<Output = T>) -> (Value, T) {
    let receive = async {
        let frame = bot.frame().await;
        bot.ack(&frame, None).await;
        frame
    };
    tokio::join!(receive, acting)
}

fn fixture(name: &str) -> Value {
    let path = format!(
        "{}/tests/data/slack/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

fn button(action_id: &str) -> Value {
    json!({"type": "button", "action_id": action_id, "value": "e:1",
        "text": {"type": "plain_text", "text": "Undo"}})
}

fn card() -> Value {
    json!({"text": "Logged 2 h", "blocks": [
        section("Logged *2 h*"),
        {"type": "actions", "block_id": "card.actions.r1", "elements": [button("entry.undo")]},
    ]})
}

fn modal(title: &str) -> Value {
    json!({
        "type": "modal", "callback_id": "entry.create",
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": "Log"},
        "blocks": [
            {"type": "input", "block_id": "time", "label": {"type": "plain_text", "text": "Time"},
             "element": {"type": "plain_text_input", "action_id": "value"}},
            {"type": "input", "block_id": "project", "optional": true,
             "label": {"type": "plain_text", "text": "Project"},
             "element": {"type": "external_select", "action_id": "value", "min_query_length": 0}},
        ],
    })
}

fn home() -> Value {
    json!({"type": "home", "callback_id": "home", "blocks": [
        section("Today"),
        {"type": "actions", "block_id": "today.actions", "elements": [button("entry.new")]},
    ]})
}

fn errors(sandbox: &Sandbox) -> Vec<String> {
    sandbox
        .take_violations()
        .into_iter()
        .map(|violation| violation.error)
        .collect()
}

/// A command that the bot acknowledged; its envelope carries trigger id and response URL.
async fn command(sandbox: &Sandbox, bot: &mut Bot) -> Value {
    let acting = sandbox.say("nina", "#acme", "/time");
    let (envelope, answer) = envelope_of(bot, acting).await;
    answer.unwrap();
    envelope["payload"].clone()
}

fn only(connections: &[ConnectionId]) -> ConnectionId {
    assert_eq!(connections.len(), 1);
    connections[0]
}
