//! Response URLs: an answer to one person's action, five times within thirty minutes.

use axum::{
    body::Bytes,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Sandbox, arguments::Refusal, chat::Content, faults::Fault, locked, random_hex, record::Traffic,
    web_api::rate_limited, world::Message,
};

const USES: u8 = 5;
const LIFE: TimeDelta = TimeDelta::minutes(30);

#[derive(Clone, Debug)]
pub(super) struct ResponseUrl {
    user: String,
    channel: String,
    /// The message whose button was pressed; a command has none.
    original: Option<String>,
    /// The command line, for the answer to stand under.
    typed: Option<String>,
    issued: DateTime<Utc>,
    uses: u8,
}

impl Sandbox {
    pub(super) fn new_response_url(
        &self,
        user: &str,
        channel: &str,
        original: Option<&str>,
        typed: Option<&str>,
    ) -> String {
        let kind = if original.is_some() {
            "actions"
        } else {
            "commands"
        };
        let path = format!(
            "/{kind}/{}/{}/{}",
            self.here().team,
            rand::random::<u32>(),
            random_hex()
        );
        let url = ResponseUrl {
            user: user.to_owned(),
            channel: channel.to_owned(),
            original: original.map(str::to_owned),
            typed: typed.map(str::to_owned),
            issued: self.slack.options.clock.now(),
            uses: 0,
        };
        locked(&self.here().response_urls).insert(path.clone(), url);
        format!("{}{path}", self.url())
    }

    fn use_response_url(&self, path: &str) -> Result<ResponseUrl, &'static str> {
        let mut urls = locked(&self.here().response_urls);
        let url = urls.get_mut(path).ok_or("no_service")?;
        if self.slack.options.clock.now() - url.issued > LIFE {
            return Err("expired_url");
        }
        if url.uses >= USES {
            return Err("used_url");
        }
        url.uses += 1;
        Ok(url.clone())
    }
}

/// `POST /commands/…` and `POST /actions/…`
pub(super) async fn receive(State(sandbox): State<Sandbox>, uri: Uri, body: Bytes) -> Response {
    // The team's id stands in the address.
    let team = uri.path().split('/').nth(2).unwrap_or_default();
    let sandbox = sandbox.workspace(team).unwrap_or(sandbox);
    let fault = sandbox.slack.faults.take("response_url");
    match fault.clone() {
        Some(Fault::RateLimited(seconds)) => return rate_limited(seconds),
        Some(Fault::Status(status)) => return refuse(status, "fault"),
        Some(Fault::Error(error)) => return refuse(404, &error),
        Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
        Some(Fault::AnsweredLate(_) | Fault::DoneButUnanswered) | None => {}
    }
    let parsed: Option<Value> = serde_json::from_slice(&body).ok();
    let result = respond(&sandbox, uri.path(), parsed.clone());
    sandbox.trace(|| Traffic {
        ok: result.is_ok(),
        error: result.as_ref().err().map(|refusal| refusal.error.clone()),
        bytes: body.len(),
        body: parsed.unwrap_or_default(),
        ..Traffic::from_bot("response_url", "Response URL")
    });
    let response = match result {
        Ok(()) => (StatusCode::OK, "ok").into_response(),
        Err(refusal) => {
            let gone = ["used_url", "expired_url", "no_service"].contains(&refusal.error.as_str());
            let status = if gone { 404 } else { 400 };
            let response = refuse(status, &refusal.error);
            sandbox.violated("response_url", &refusal.error, refusal.messages);
            response
        }
    };
    sandbox.answered(fault, response).await
}

fn refuse(status: u16, error: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, json!({"ok": false, "error": error}).to_string()).into_response()
}

/// Slack takes the words as well as the values: its own sample says `"true"`.
fn flag(body: &Value, name: &str) -> Option<bool> {
    match &body[name] {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => Some(text == "true"),
        _ => None,
    }
}

fn respond(sandbox: &Sandbox, path: &str, body: Option<Value>) -> Result<(), Refusal> {
    let url = sandbox.use_response_url(path).map_err(Refusal::new)?;
    let Some(body) = body.filter(Value::is_object) else {
        return Err(Refusal::new("invalid_payload"));
    };
    if flag(&body, "delete_original") == Some(true) {
        return sandbox.change(|world| {
            let channel = world.channel_mut(&url.channel);
            if let (Some(channel), Some(original)) = (channel, &url.original) {
                sandbox.remove(channel, original);
            }
            Ok(())
        });
    }
    let in_channel = body["response_type"] == "in_channel";
    let replace = flag(&body, "replace_original");
    if replace.is_none() && url.original.is_some() {
        // Slack's own pages disagree about the default; a bot that says which is safe either way.
        let detail = "say whether the message with the button is replaced".to_owned();
        sandbox.violated("response_url", "replace_original_missing", vec![detail]);
    }
    let thread = body["thread_ts"].as_str().map(str::to_owned);
    let content = Content::of(sandbox, body, "response_url")?;
    if replace == Some(true)
        && let Some(original) = &url.original
    {
        return sandbox.change(|world| {
            let message = world
                .channel_mut(&url.channel)
                .and_then(|channel| channel.message_mut(original))
                .ok_or_else(|| Refusal::new("message_not_found"))?;
            sandbox.replace(message, content);
            Ok(())
        });
    }
    let message = Message {
        ephemeral_to: (!in_channel).then_some(url.user),
        typed: url.typed.filter(|_| !in_channel),
        thread_ts: thread,
        ..sandbox.world(|world| world.by_app(&url.channel, content))
    };
    sandbox.post(message);
    Ok(())
}
