//! `GET /page/events`: what one person sees, as it happens.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::broadcast;

use super::{
    Sandbox,
    record::Traffic,
    world::{Message, View, World},
};

/// More than this behind, and a browser gets a new snapshot instead.
const BEHIND: usize = 1024;

/// Something that a page may have to show.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    Message(Box<Message>),
    MessageChanged(Box<Message>),
    MessageDeleted(Box<Message>),
    Home {
        user: String,
        view: Value,
    },
    Modals {
        user: String,
        views: Vec<Value>,
    },
    Bot {
        connections: usize,
    },
    /// Where the app is installed, by the team's id.
    Installed(Map<String, Value>),
    Traffic(Box<Traffic>),
}

#[derive(Debug)]
pub(super) struct PageEvents(broadcast::Sender<Arc<Shown>>);

impl Default for PageEvents {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }
}

impl PageEvents {
    /// Costs nothing while no page is open.
    pub(super) fn show(&self, shown: impl FnOnce() -> Shown) {
        if self.0.receiver_count() > 0 {
            // Nobody may be left by now.
            let _ = self.0.send(Arc::new(shown()));
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Viewer {
    user: String,
}

/// One open page.
struct Watch {
    sandbox: Sandbox,
    user: String,
    events: broadcast::Receiver<Arc<Shown>>,
    waiting: VecDeque<Event>,
}

pub(super) async fn stream(
    State(sandbox): State<Sandbox>,
    Query(viewer): Query<Viewer>,
) -> Response {
    let sandbox = sandbox.workspace_with(&viewer.user);
    let user = sandbox.world(|world| world.person(&viewer.user).map(|person| person.id.clone()));
    let Some(user) = user else {
        return (StatusCode::NOT_FOUND, "there is nobody with that id").into_response();
    };
    let (events, snapshot) = sandbox.world(|world| {
        // Listening starts while nothing can change, so that nothing falls between.
        (
            sandbox.here().page.0.subscribe(),
            snapshot(&sandbox, world, &user),
        )
    });
    let watch = Watch {
        sandbox,
        user,
        events,
        waiting: VecDeque::from([snapshot]),
    };
    let stop = watch.sandbox.slack.stop.clone();
    let events = stream::unfold(watch, async |mut watch| {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    let events = futures_util::StreamExt::take_until(events, stop.cancelled_owned());
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

impl Watch {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            match self.events.recv().await {
                Ok(shown) => {
                    let event = self.sandbox.world(|world| event(world, &self.user, &shown));
                    self.waiting.extend(event);
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    let (sandbox, user) = (&self.sandbox, &self.user);
                    let snapshot = sandbox.world(|world| {
                        self.events = sandbox.here().page.0.subscribe();
                        snapshot(sandbox, world, user)
                    });
                    self.waiting.push_back(snapshot);
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

fn named(name: &str, data: &Value) -> Event {
    Event::default().event(name).data(data.to_string())
}

fn snapshot(sandbox: &Sandbox, world: &World, user: &str) -> Event {
    let conversations: Map<String, Value> = world
        .channels()
        .iter()
        .filter(|channel| channel.members.contains(user))
        .map(|channel| {
            let messages: Vec<Value> = channel
                .messages
                .iter()
                .filter(|message| message.visible_to(user))
                .map(message_json)
                .collect();
            (channel.id.clone(), json!(messages))
        })
        .collect();
    let modals: Vec<Value> = world.modals_of(user).into_iter().map(View::json).collect();
    named(
        "snapshot",
        &json!({
            "conversations": conversations,
            "home": world.home_of(user).map(View::json),
            "modals": modals,
            "bot": {"connections": sandbox.slack.sockets.count()},
            "installed": sandbox.installed(),
            "traffic": sandbox.traffic(),
        }),
    )
}

/// What this person's page is told; nothing of what they may not see.
fn event(world: &World, user: &str, shown: &Shown) -> Option<Event> {
    let visible =
        |message: &Message| message.visible_to(user) && world.sees(user, &message.channel);
    Some(match shown {
        Shown::Message(message) if visible(message) => named(
            "message",
            &json!({"channel": message.channel, "message": message_json(message)}),
        ),
        Shown::MessageChanged(message) if visible(message) => named(
            "message_changed",
            &json!({"channel": message.channel, "message": message_json(message)}),
        ),
        Shown::MessageDeleted(message) if visible(message) => named(
            "message_deleted",
            &json!({"channel": message.channel, "ts": message.ts}),
        ),
        Shown::Home { user: whose, view } if whose == user => named("home", &json!({"view": view})),
        Shown::Modals { user: whose, views } if whose == user => {
            named("modals", &json!({"views": views}))
        }
        Shown::Bot { connections } => named("bot", &json!({"connections": connections})),
        Shown::Installed(installed) => named("installed", &json!({"installed": installed})),
        Shown::Traffic(entry) => named("traffic", &json!({"entry": entry})),
        _ => return None,
    })
}

/// A message as the page shows it.
fn message_json(message: &Message) -> Value {
    json!({
        "ts": message.ts,
        "user": message.user,
        "bot": message.bot,
        "name": message.name,
        "text": message.text,
        "blocks": message.blocks,
        "ephemeral": message.ephemeral_to.is_some(),
        "edited": message.edited,
        "typed": message.typed,
        "files": message.files.iter().map(|file| json!({"id": file.id, "title": file.title, "name": file.name, "size": file.bytes.len()})).collect::<Vec<_>>(),
    })
}
