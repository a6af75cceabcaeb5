//! Socket Mode: the transport of its own on tokio-tungstenite.
//!
//! ```text
//! supervisor ── opens and replaces connections, two at a time
//!    └ connection ── a reader that never waits for a handler, and a writer
//!         └ deliver ── one task for each envelope: handler, deadline, acknowledgement
//! ```
//!
//! What holds, whatever handlers and Slack do:
//! - reading is never delayed, so that pings are answered and no frame waits behind a slow handler;
//! - every envelope is acknowledged within [`Timings::ack_by`], with the handler's answer if it is there;
//! - an envelope that comes twice is handled once and acknowledged twice, with the same answer;
//! - a connection that Slack recycles is read and acknowledged until Slack closes it, and its successor is
//!   opened first.
//!
//! Sources: docs.slack.dev, “Using Socket Mode”; the reasons of `disconnect` and the handling of several
//! connections as in Slack's own clients.

mod connection;
mod deliver;
mod frame;
mod supervisor;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use tokio::{sync::watch, time::Instant};

pub use deliver::Deliverer;
pub(super) use frame::Envelope;
pub use supervisor::Socket;

/// One envelope, as a handler gets it.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Slack's id of this delivery.
    pub envelope_id: String,
    /// `slash_commands`, `interactive`, `events_api`, or what Slack may add.
    pub kind: String,
    /// The payload as it came.
    pub payload: Arc<RawValue>,
    /// Whether the acknowledgement may carry an answer.
    pub accepts_answer: bool,
    /// 0 for the first delivery of an event; Slack repeats events that were not acknowledged, also those
    /// it could not deliver at all.
    pub retry_attempt: u32,
    /// When the acknowledgement leaves, answered or not.
    pub ack_by: Instant,
}

/// What the acknowledgement carries: JSON, or nothing.
pub type Answer = Option<Arc<RawValue>>;

/// What is done with an envelope.
pub type Handler = Arc<dyn Fn(Delivery) -> BoxFuture<'static, Answer> + Send + Sync>;

/// Where a connection comes from.
pub type Opener = Arc<dyn Fn() -> BoxFuture<'static, Result<url::Url, OpenError>> + Send + Sync>;

/// Why Slack gave no address for a connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Asking again will not help: the token is wrong, revoked or of the wrong kind.
    #[error("Slack refuses the app token: {0}")]
    Refused(String),
    /// Slack asks to wait.
    #[error("Slack asks to wait {} s", .0.as_secs())]
    RateLimited(Duration),
    /// Socket Mode is switched off in the app's settings.
    #[error("Socket Mode is switched off in the app's settings")]
    Disabled,
    /// Slack could not be reached, or answered something unexpected.
    #[error("{0}")]
    Failed(String),
}

/// How the transport stands, for `/readyz`, `doctor` and the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketState {
    /// Connections that Slack has greeted and that are not being recycled.
    pub live: usize,
    /// What keeps it from working, in a sentence with the fix.
    pub problem: Option<String>,
}

/// Follows the transport's state.
pub type SocketStates = watch::Receiver<SocketState>;

/// How long the transport waits for what. The defaults are for Slack; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    /// An envelope is acknowledged after this at the latest. Slack gives 3 s.
    pub ack_by: Duration,
    /// How often the peer is pinged.
    pub ping_every: Duration,
    /// A connection without any frame for so long is dead.
    pub dead_after: Duration,
    /// How long opening may take, up to Slack's greeting.
    pub open_within: Duration,
    /// A recycled connection that Slack does not close is closed after this.
    pub drain_within: Duration,
    /// A connection that lived so long was a good one: failures before it no longer count.
    pub good_after: Duration,
    /// The first wait after a failure; it doubles up to `backoff_max`.
    pub backoff_min: Duration,
    /// The longest wait after a failure.
    pub backoff_max: Duration,
    /// The least wait after `too_many_websockets`.
    pub too_many_wait: Duration,
    /// The wait while Socket Mode is switched off.
    pub disabled_wait: Duration,
    /// How long running handlers may take when the process ends.
    pub shutdown_within: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            ack_by: Duration::from_millis(2500),
            ping_every: Duration::from_secs(10),
            dead_after: Duration::from_secs(30),
            open_within: Duration::from_secs(10),
            drain_within: Duration::from_secs(30),
            good_after: Duration::from_secs(60),
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
            too_many_wait: Duration::from_secs(10),
            disabled_wait: Duration::from_secs(300),
            shutdown_within: Duration::from_secs(3),
        }
    }
}
