//! One envelope: its handler, its deadline, its acknowledgement.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use quick_cache::sync::Cache;
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};
use tokio_tungstenite::tungstenite::Message;
use tracing::{error, info, warn};

use super::{
    Answer, Delivery, Handler,
    frame::{Envelope, acknowledgement},
};

/// Envelopes whose answer is remembered, to give a repetition the same one. Repetitions come within
/// seconds; what is older is recognised by the request key of the entry, in the database.
const REMEMBERED: usize = 256;
/// Handlers that may run at once. Beyond this the process is drowning, and the honest answer is a bare
/// acknowledgement at once.
const RUNNING_MAX: usize = 4096;

/// Where acknowledgements go: the outgoing frames of one connection.
pub(super) type Outgoing = mpsc::Sender<Message>;

type SharedAnswer = Shared<BoxFuture<'static, Answer>>;

/// Hands envelopes to the handler and acknowledges them.
pub struct Deliverer {
    handler: Handler,
    ack_by: Duration,
    answers: Cache<String, SharedAnswer>,
    running: AtomicUsize,
    /// Nothing new is handled: its answer could not be sent any more.
    is_ending: AtomicBool,
    /// Woken whenever the last running handler has been acknowledged.
    idle: Notify,
    /// The outgoing frames of every open connection, in the order in which they were opened.
    open: Mutex<Vec<Outgoing>>,
}

impl Deliverer {
    /// Hands everything to `handler`, and acknowledges it after `ack_by` at the latest.
    pub fn new(handler: Handler, ack_by: Duration) -> Arc<Self> {
        Arc::new(Self {
            handler,
            ack_by,
            answers: Cache::new(REMEMBERED),
            running: AtomicUsize::new(0),
            is_ending: AtomicBool::new(false),
            idle: Notify::new(),
            open: Mutex::new(Vec::new()),
        })
    }

    /// Takes an envelope over. Never waits.
    pub(super) fn take(self: &Arc<Self>, envelope: Envelope, outgoing: Outgoing) {
        // Counted before looking: either the end waits for this envelope, or this sees the end.
        let running = self.running.fetch_add(1, Ordering::SeqCst);
        if self.is_ending.load(Ordering::SeqCst) {
            info!(
                envelope_id = envelope.id,
                "socket.ending: not handled, the process is ending"
            );
            self.one_less();
            return;
        }
        let is_drowning = running >= RUNNING_MAX;
        let deliverer = self.clone();
        tokio::spawn(async move {
            if is_drowning {
                warn!(
                    running,
                    "socket.drowning: acknowledged without handling, {running} handlers are running"
                );
                deliverer.acknowledge(&envelope.id, None, &outgoing).await;
            } else {
                deliverer.deliver(envelope, &outgoing).await;
            }
            deliverer.one_less();
        });
    }

    fn one_less(&self) {
        if self.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.idle.notify_waiters();
        }
    }

    /// Acknowledges what cannot be read, so that Slack does not repeat it.
    pub(super) fn take_unknown(self: &Arc<Self>, envelope_id: String, outgoing: Outgoing) {
        let deliverer = self.clone();
        tokio::spawn(async move { deliverer.acknowledge(&envelope_id, None, &outgoing).await });
    }

    async fn deliver(&self, envelope: Envelope, outgoing: &Outgoing) {
        let (id, accepts_answer) = (envelope.id.clone(), envelope.accepts_answer);
        let (answer, ack_by) = self.begin(envelope);
        if let Ok(answer) = tokio::time::timeout_at(ack_by, answer.clone()).await {
            let answer = answer.filter(|_| accepts_answer);
            self.acknowledge(&id, answer.as_deref(), outgoing).await;
        } else {
            is_late(&id);
            self.acknowledge(&id, None, outgoing).await;
            answer.await;
        }
    }

    /// Handles what came in another way than over a connection, and gives the answer for whoever brought it: at the
    /// deadline nothing, while the handler goes on. `None` where it was not taken, so that it is brought again.
    pub(in crate::slack) async fn answer(self: &Arc<Self>, envelope: Envelope) -> Option<Answer> {
        let running = self.running.fetch_add(1, Ordering::SeqCst);
        if self.is_ending.load(Ordering::SeqCst) || running >= RUNNING_MAX {
            warn!(
                running,
                "slack.not_taken: too many handlers are running, or the process is ending"
            );
            self.one_less();
            return None;
        }
        let id = envelope.id.clone();
        let (answer, ack_by) = self.begin(envelope);
        let (deliverer, handled) = (self.clone(), answer.clone());
        // A task of its own: whoever brought it may go away meanwhile.
        tokio::spawn(async move {
            handled.await;
            deliverer.one_less();
        });
        let in_time = tokio::time::timeout_at(ack_by, answer).await;
        Some(in_time.unwrap_or_else(|_| {
            is_late(&id);
            None
        }))
    }

    /// Begins to handle an envelope, and says until when it is to be acknowledged.
    fn begin(&self, envelope: Envelope) -> (SharedAnswer, Instant) {
        let ack_by = Instant::now() + self.ack_by;
        let Envelope {
            id,
            kind,
            payload,
            accepts_answer,
            retry_attempt,
            retry_reason,
        } = envelope;
        if retry_attempt > 0 {
            info!(
                envelope_id = id,
                kind,
                retry_attempt,
                reason = retry_reason,
                "slack.retry: Slack repeats an event it saw no acknowledgement for"
            );
        }
        let delivery = Delivery {
            envelope_id: id.clone(),
            kind: kind.clone(),
            payload,
            accepts_answer,
            retry_attempt,
            ack_by,
        };
        let handler = self.handler.clone();
        // An envelope that comes again shares the answer of the first, running or done.
        let Ok(answer) = self.answers.get_or_insert_with(&id, || {
            let id = id.clone();
            let handling = AssertUnwindSafe(async move { handler(delivery).await });
            let answer = async move {
                handling.catch_unwind().await.unwrap_or_else(|_| {
                    error!(
                        envelope_id = id,
                        kind, "slack.handler_panicked: the line before says where"
                    );
                    None
                })
            };
            Ok::<_, std::convert::Infallible>(answer.boxed().shared())
        });
        (answer, ack_by)
    }

    /// Sends an acknowledgement on the connection that brought the envelope, or on another one where that
    /// has ended meanwhile.
    pub(super) async fn acknowledge(
        &self,
        envelope_id: &str,
        answer: Option<&serde_json::value::RawValue>,
        outgoing: &Outgoing,
    ) {
        let mut message = Message::text(acknowledgement(envelope_id, answer));
        match outgoing.send(message).await {
            Ok(()) => return,
            Err(unsent) => message = unsent.0,
        }
        let others = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for other in others
            .iter()
            .rev()
            .filter(|other| !other.same_channel(outgoing))
        {
            match other.send(message).await {
                Ok(()) => return,
                Err(unsent) => message = unsent.0,
            }
        }
        warn!(
            envelope_id,
            "socket.unacknowledged: no connection is left to acknowledge on"
        );
    }

    pub(super) fn connection_opened(&self, outgoing: &Outgoing) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(outgoing.clone());
    }

    pub(super) fn connection_ended(&self, outgoing: &Outgoing) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|open| !open.same_channel(outgoing));
    }

    /// Handles nothing more, and waits until no handler runs, at most `limit`. Returns how many still run.
    ///
    /// What still comes is left alone: stored but not answered, it would be typed again.
    pub async fn end(&self, limit: Duration) -> usize {
        self.is_ending.store(true, Ordering::SeqCst);
        let wait = async {
            loop {
                let idle = self.idle.notified();
                if self.running.load(Ordering::SeqCst) == 0 {
                    return;
                }
                idle.await;
            }
        };
        let _ = tokio::time::timeout(limit, wait).await;
        self.running.load(Ordering::SeqCst)
    }
}

fn is_late(envelope_id: &str) {
    warn!(
        envelope_id,
        "slack.late: acknowledged at the deadline, the handler is still running"
    );
}
