//! Socket Mode: tickets, connections, and the frames that go over them.

use std::{
    fmt,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use axum::{
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Bytes, Message, Utf8Bytes, handshake::derive_accept_key, protocol::Role,
        protocol::WebSocketConfig,
    },
};
use tokio_util::sync::CancellationToken;

use super::{
    Sandbox,
    faults::Fault,
    line::{self, Line, LineState},
    locked,
    page_events::Shown,
    record::Traffic,
};

/// Slack allows that many per app.
const CONNECTIONS: usize = 10;
/// Frames that wait for one connection; the sender waits when it is full.
const QUEUE: usize = 1024;
/// Pings without a pong before a connection is given up.
const PINGS_MISSED: u32 = 4;

/// One WebSocket connection of the bot, numbered from 1 in the order of opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.0)
    }
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) out: mpsc::Sender<Out>,
    /// It was told to go: used only while there is no other.
    pub(super) leaving: AtomicBool,
    /// It was told that Socket Mode is off, or that there are too many: not used again.
    pub(super) gone: AtomicBool,
    pub(super) switches: LineState,
    pub(super) stop: CancellationToken,
}

#[derive(Debug)]
pub(super) enum Out {
    Text(Utf8Bytes),
    Close,
}

#[derive(Debug, Default)]
pub(super) struct Sockets {
    tickets: std::sync::Mutex<Vec<String>>,
    live: RwLock<Vec<Arc<Connection>>>,
    opened: AtomicU64,
    turn: AtomicUsize,
    pub(super) off: AtomicBool,
}

impl Sockets {
    /// The next one in turn: Slack promises no pattern, so none may be relied upon.
    pub(super) fn next(&self) -> Option<Arc<Connection>> {
        let live = self.live();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let among = |wanted: fn(&Connection) -> bool| {
            let count = live.iter().filter(|c| wanted(c)).count();
            (count > 0)
                .then(|| live.iter().filter(|c| wanted(c)).nth(turn % count).cloned())
                .flatten()
        };
        among(|c| !c.leaving.load(Ordering::Relaxed) && !c.gone.load(Ordering::Relaxed))
            .or_else(|| among(|c| !c.gone.load(Ordering::Relaxed)))
    }

    pub(super) fn live(&self) -> std::sync::RwLockReadGuard<'_, Vec<Arc<Connection>>> {
        self.live
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn live_mut(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Arc<Connection>>> {
        self.live
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<Arc<Connection>> {
        self.live().iter().find(|c| c.id == id).cloned()
    }

    pub(super) fn count(&self) -> usize {
        self.live().len()
    }

    pub(super) fn is_off(&self) -> bool {
        self.off.load(Ordering::Relaxed)
    }

    pub(super) fn issue_ticket(&self) -> String {
        let ticket = super::random_hex();
        let mut tickets = locked(&self.tickets);
        if tickets.len() >= 1000 {
            tickets.remove(0);
        }
        tickets.push(ticket.clone());
        ticket
    }

    fn use_ticket(&self, ticket: &str) -> bool {
        let mut tickets = locked(&self.tickets);
        let found = tickets.iter().position(|issued| issued == ticket);
        found.map(|at| tickets.swap_remove(at)).is_some()
    }
}

impl Connection {
    /// Waits while the connection's queue is full; `false` when it is closed.
    pub(super) async fn send(&self, frame: String) -> bool {
        self.out.send(Out::Text(frame.into())).await.is_ok()
    }
}

#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    app_id: String,
    #[serde(default)]
    debug_reconnects: bool,
}

/// `GET /link/?ticket=…&app_id=…`
pub(super) async fn open(
    State(sandbox): State<Sandbox>,
    Query(link): Query<Link>,
    request: Request,
) -> Response {
    match sandbox.slack.faults.take("link") {
        Some(Fault::Slow(delay) | Fault::AnsweredLate(delay)) => tokio::time::sleep(delay).await,
        // A connection whose opening nobody hears of does not come to be.
        Some(Fault::DoneButUnanswered) => return refuse(502, "fault"),
        Some(Fault::Status(status)) => return refuse(status, "fault"),
        Some(Fault::RateLimited(_)) => return refuse(429, "fault"),
        Some(Fault::Error(error)) => return refuse(403, &error),
        None => {}
    }
    let app = sandbox.world(|world| world.app.id.clone());
    if link.app_id != app || !sandbox.slack.sockets.use_ticket(&link.ticket) {
        sandbox.violated("socket", "invalid_ticket", vec![]);
        return refuse(403, "invalid_ticket");
    }
    let Some(key) = websocket_key(request.headers()) else {
        sandbox.violated("socket", "not_a_websocket_handshake", vec![]);
        return refuse(400, "not_a_websocket_handshake");
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = hyper::upgrade::on(request);
    tokio::spawn(async move {
        match upgrade.await {
            Ok(upgraded) => {
                sandbox
                    .run_connection(upgraded, link.debug_reconnects)
                    .await;
            }
            Err(error) => tracing::debug!(%error, "the upgrade failed"),
        }
    });
    (
        StatusCode::SWITCHING_PROTOCOLS,
        [
            (header::CONNECTION, "Upgrade".to_owned()),
            (header::UPGRADE, "websocket".to_owned()),
            (header::SEC_WEBSOCKET_ACCEPT, accept),
        ],
        Body::empty(),
    )
        .into_response()
}

fn refuse(status: u16, error: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, error.to_owned()).into_response()
}

fn websocket_key(headers: &HeaderMap) -> Option<&str> {
    let has = |name: header::HeaderName, wanted: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.to_ascii_lowercase().contains(wanted))
    };
    (has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && has(header::SEC_WEBSOCKET_VERSION, "13"))
    .then(|| headers.get(header::SEC_WEBSOCKET_KEY)?.to_str().ok())
    .flatten()
}

impl Sandbox {
    async fn run_connection(&self, upgraded: Upgraded, short_lived: bool) {
        let switches = LineState::default();
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .max_message_size(Some(4 * 1024 * 1024));
        let io = Line {
            io: TokioIo::new(upgraded),
            state: switches.clone(),
        };
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let Some((connection, out, count)) = self.join(switches) else {
            let frame = line::disconnect_frame("too_many_websockets");
            let _ = socket.send(Message::text(frame)).await;
            let _ = socket.close(None).await;
            self.violated("socket", "too_many_websockets", vec![]);
            return;
        };
        let hello = self.hello(count, short_lived);
        if socket.send(Message::text(hello)).await.is_ok() {
            self.announce_connections(connection.id, "opened");
            self.talk(&connection, &mut socket, out).await;
        }
        let mut live = self.slack.sockets.live_mut();
        live.retain(|other| other.id != connection.id);
        drop(live);
        self.announce_connections(connection.id, "closed");
    }

    fn join(&self, switches: LineState) -> Option<(Arc<Connection>, mpsc::Receiver<Out>, usize)> {
        let (out, frames) = mpsc::channel(QUEUE);
        let sockets = &self.slack.sockets;
        let mut live = sockets.live_mut();
        if live.len() >= CONNECTIONS {
            return None;
        }
        let connection = Arc::new(Connection {
            id: ConnectionId(sockets.opened.fetch_add(1, Ordering::Relaxed) + 1),
            out,
            leaving: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            switches,
            stop: self.slack.stop.child_token(),
        });
        live.push(Arc::clone(&connection));
        Some((connection, frames, live.len()))
    }

    fn hello(&self, count: usize, short_lived: bool) -> String {
        let app = self.world(|world| world.app.id.clone());
        let now = self.slack.options.clock.now();
        json!({
            "type": "hello",
            "connection_info": {"app_id": app},
            "num_connections": count,
            "debug_info": {
                "host": "applink-sandbox",
                "started": now.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
                "build_number": 54,
                "approximate_connection_time": if short_lived { 360 } else { 3600 },
            },
        })
        .to_string()
    }

    fn announce_connections(&self, id: ConnectionId, what: &str) {
        let connections = self.slack.sockets.count();
        // The app has one connection for all workspaces.
        for workspace in &self.slack.workspaces {
            workspace.page.show(|| Shown::Bot { connections });
        }
        self.trace(|| Traffic {
            body: json!({"connections": connections}),
            ..Traffic::to_bot("socket", format!("{id} {what}"))
        });
        self.slack.changed.notify_waiters();
    }

    async fn talk(
        &self,
        connection: &Connection,
        socket: &mut WebSocketStream<Line>,
        mut out: mpsc::Receiver<Out>,
    ) {
        let every = self.slack.options.ping_every;
        let mut ping = tokio::time::interval_at(Instant::now() + every, every);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                () = connection.stop.cancelled() => return,
                frame = out.recv() => {
                    if send_all(socket, frame, &mut out).await.is_none() {
                        return;
                    }
                }
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.acknowledged(connection.id, &text),
                    Some(Ok(Message::Pong(_))) => heard = Instant::now(),
                    Some(Ok(Message::Binary(_))) => {
                        self.violated("socket", "binary_frame", vec![]);
                    }
                    Some(Ok(Message::Ping(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                },
                _ = ping.tick() => {
                    if heard.elapsed() > every * PINGS_MISSED {
                        self.violated("socket", "no_pong", vec![connection.id.to_string()]);
                        return;
                    }
                    let now = Bytes::from(self.slack.options.clock.now().to_rfc3339());
                    if socket.send(Message::Ping(now)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// Sends what waits, as one write. `None` when the connection is over.
async fn send_all(
    socket: &mut WebSocketStream<Line>,
    first: Option<Out>,
    out: &mut mpsc::Receiver<Out>,
) -> Option<()> {
    let mut next = first;
    while let Some(frame) = next {
        match frame {
            Out::Text(text) => socket.feed(Message::Text(text)).await.ok()?,
            Out::Close => {
                socket.close(None).await.ok()?;
                return Some(());
            }
        }
        next = out.try_recv().ok();
    }
    socket.flush().await.ok()
}

/// What `apps.connections.open` answers with.
pub(super) fn link_url(sandbox: &Sandbox) -> Value {
    let app = sandbox.world(|world| world.app.id.clone());
    let ticket = sandbox.slack.sockets.issue_ticket();
    json!(format!(
        "ws://{}/link/?ticket={ticket}&app_id={app}",
        sandbox.slack.address
    ))
}
