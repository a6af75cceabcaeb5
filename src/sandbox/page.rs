//! The page in the browser: its files, and what it posts for the person using it.

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Sandbox,
    acting::{Target, Unable},
    envelopes::Answer,
    people::{Input, Named},
    world::Entered,
};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

const INDEX: &str = include_str!("page/index.html");

/// Name, kind, contents.
const FILES: [(&str, &str, &str); 10] = [
    ("app.js", SCRIPT, include_str!("page/app.js")),
    ("blocks.js", SCRIPT, include_str!("page/blocks.js")),
    ("chat.js", SCRIPT, include_str!("page/chat.js")),
    ("dom.js", SCRIPT, include_str!("page/dom.js")),
    ("elements.js", SCRIPT, include_str!("page/elements.js")),
    ("modals.js", SCRIPT, include_str!("page/modals.js")),
    ("mrkdwn.js", SCRIPT, include_str!("page/mrkdwn.js")),
    ("traffic.js", SCRIPT, include_str!("page/traffic.js")),
    ("style.css", STYLE, include_str!("page/style.css")),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// What the page needs and nothing else: what a bot writes must not be able to load anything.
const POLICY: &str = "default-src 'self'; img-src 'self' https: data:; \
    style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Refuses whatever does not come from the page itself. Any website can send requests to a port on
/// this machine, or point a name of its own at it; the browser says so in `Origin` and `Host`.
pub(super) async fn same_origin(
    State(sandbox): State<Sandbox>,
    request: Request,
    next: Next,
) -> Response {
    if is_own(request.headers(), sandbox.slack.address.port()) {
        return next.run(request).await;
    }
    let sentence = "This page answers only to itself.";
    (StatusCode::FORBIDDEN, sentence).into_response()
}

pub(super) fn is_own(headers: &HeaderMap, port: u16) -> bool {
    let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let known = |host: &str| hosts.iter().any(|known| known == host);
    text("host").is_some_and(known)
        && text("origin").is_none_or(|origin| origin.strip_prefix("http://").is_some_and(known))
        && text("sec-fetch-site").is_none_or(|site| ["same-origin", "none"].contains(&site))
}

pub(super) async fn index() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HTML),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, INDEX).into_response()
}

pub(super) async fn file(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(file, ..)| *file == name) {
        Some((_, kind, contents)) => {
            let headers = [
                (header::CONTENT_TYPE, *kind),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, *contents).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

pub(super) fn outcome(result: Result<Answer, Unable>) -> Json<Value> {
    Json(match result {
        Ok(Answer {
            error: Some(error), ..
        }) => json!({"ok": false, "error": error}),
        Ok(_) => json!({"ok": true}),
        Err(unable) => unable_json(&unable),
    })
}

fn unable_json(unable: &Unable) -> Value {
    json!({"ok": false, "error": unable.to_string()})
}

#[derive(Deserialize)]
pub(super) struct Say {
    user: String,
    channel: String,
    text: String,
}

pub(super) async fn say(State(sandbox): State<Sandbox>, Json(said): Json<Say>) -> Json<Value> {
    let here = sandbox.workspace_with(&said.user);
    let result = here.say(&said.user, &said.channel, &said.text).await;
    // An unknown command is answered in the conversation and never reached the app.
    outcome(result.map(|answer| Answer {
        error: answer.error.filter(|error| error != "unknown_command"),
        ..answer
    }))
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Container {
    Message { channel: String, ts: String },
    View { view_id: String },
}

impl From<Container> for Target {
    fn from(container: Container) -> Self {
        match container {
            Container::Message { channel, ts } => Self::Message { channel, ts },
            Container::View { view_id } => Self::View(view_id),
        }
    }
}

/// What is entered, in the shape of Slack's `state`.
#[derive(Default, Deserialize)]
struct PageState {
    #[serde(default)]
    values: Entered,
}

#[derive(Deserialize)]
pub(super) struct Act {
    user: String,
    container: Container,
    block_id: String,
    action_id: String,
    #[serde(default)]
    state: PageState,
    /// `value`, `selected_option` and so on.
    #[serde(flatten)]
    fields: Value,
}

pub(super) async fn action(State(sandbox): State<Sandbox>, Json(act): Json<Act>) -> Json<Value> {
    let element = Named::Both(&act.block_id, &act.action_id);
    let input = Input::Fields(&act.fields);
    let target = act.container.into();
    outcome(
        sandbox
            .workspace_with(&act.user)
            .act(&act.user, &target, element, input, &act.state.values)
            .await,
    )
}

#[derive(Deserialize)]
pub(super) struct Home {
    user: String,
    tab: String,
}

pub(super) async fn home(State(sandbox): State<Sandbox>, Json(home): Json<Home>) -> Json<Value> {
    let tab = if home.tab == "messages" {
        "messages"
    } else {
        "home"
    };
    let here = sandbox.workspace_with(&home.user);
    outcome(here.open_tab(&home.user, tab).await)
}

#[derive(Deserialize)]
pub(super) struct Submit {
    user: String,
    view_id: String,
    #[serde(default)]
    state: PageState,
}

pub(super) async fn submit(
    State(sandbox): State<Sandbox>,
    Json(form): Json<Submit>,
) -> Json<Value> {
    let result = sandbox
        .workspace_with(&form.user)
        .submit_entered(&form.user, &form.view_id, &form.state.values)
        .await;
    Json(match result {
        Ok(submission) => match submission.answer.error {
            Some(error) => json!({"ok": false, "error": error}),
            None if submission.errors.is_empty() => json!({"ok": true, "errors": null}),
            None => json!({"ok": true, "errors": submission.errors}),
        },
        Err(unable) => unable_json(&unable),
    })
}

#[derive(Deserialize)]
pub(super) struct Close {
    user: String,
    view_id: String,
    /// The × in the corner, which closes all.
    #[serde(default)]
    all: bool,
}

pub(super) async fn close(State(sandbox): State<Sandbox>, Json(close): Json<Close>) -> Json<Value> {
    let here = sandbox.workspace_with(&close.user);
    outcome(if close.all {
        here.close_all(&close.user).await
    } else {
        here.close(&close.user, Target::View(close.view_id)).await
    })
}

#[derive(Deserialize)]
pub(super) struct Suggest {
    user: String,
    container: Container,
    block_id: String,
    action_id: String,
    value: String,
}

pub(super) async fn suggest(
    State(sandbox): State<Sandbox>,
    Json(ask): Json<Suggest>,
) -> Json<Value> {
    let element = Named::Both(&ask.block_id, &ask.action_id);
    let target = ask.container.into();
    let result = sandbox
        .workspace_with(&ask.user)
        .ask_options(&ask.user, &target, element, &ask.value)
        .await;
    Json(match result {
        Ok(found) => match found.answer.error {
            Some(error) => json!({"ok": false, "error": error}),
            None if found.option_groups.is_empty() => {
                json!({"ok": true, "options": found.options})
            }
            None => json!({"ok": true, "option_groups": found.option_groups}),
        },
        Err(unable) => unable_json(&unable),
    })
}

#[derive(Deserialize)]
pub(super) struct RunShortcut {
    user: String,
    callback_id: String,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    ts: Option<String>,
}

pub(super) async fn shortcut(
    State(sandbox): State<Sandbox>,
    Json(run): Json<RunShortcut>,
) -> Json<Value> {
    let message = run
        .channel
        .zip(run.ts)
        .map(|(channel, ts)| Target::Message { channel, ts });
    let result = sandbox
        .workspace_with(&run.user)
        .shortcut(&run.user, &run.callback_id, message.as_ref())
        .await;
    outcome(result)
}

#[derive(Deserialize)]
pub(super) struct MoveClock {
    user: String,
    /// `17:30`.
    time: String,
}

/// It is that time now, where the person is.
pub(super) async fn clock(
    State(sandbox): State<Sandbox>,
    Json(asked): Json<MoveClock>,
) -> Json<Value> {
    let time = chrono::NaiveTime::parse_from_str(&asked.time, "%H:%M");
    let moved = time.ok().and_then(|time| {
        sandbox
            .workspace_with(&asked.user)
            .make_it(&asked.user, time)
    });
    Json(match moved {
        Some(now) => json!({"ok": true, "now_ms": now.timestamp_millis()}),
        None => json!({"ok": false, "error": "The clock could not be moved."}),
    })
}

#[cfg(test)]
pub(super) fn names() -> Vec<&'static str> {
    FILES.iter().map(|(name, ..)| *name).collect()
}
