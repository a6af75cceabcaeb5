//! Envelopes and their acknowledgements: sending, waiting, repeating.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    Sandbox,
    acting::Unable,
    locked,
    recent::Recent,
    record::{Ack, Traffic},
    socket::{Connection, ConnectionId},
    world::Message,
};

/// Many bots' worth of parallel commands must not queue for one lock.
const SHARDS: usize = 16;

/// What came back to the person who acted.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The envelope that was sent; empty when none was.
    pub envelope_id: String,
    /// The connection it went to.
    pub connection: Option<ConnectionId>,
    /// The payload of the acknowledgement.
    pub payload: Option<Value>,
    /// From sending to acknowledgement. `None`: it did not come in time.
    pub latency: Option<Duration>,
    /// What the person is told: `operation_timeout`, `dispatch_failed`, or why the payload of the
    /// acknowledgement was refused.
    pub error: Option<String>,
    /// The message that this became: the answer to a command, or what the person wrote.
    pub message: Option<Message>,
}

#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) accepts: bool,
    pub(super) title: String,
    pub(super) payload: Value,
    /// Attempt and reason; events only.
    pub(super) retry: Option<(u32, &'static str)>,
}

/// An envelope as it goes over the wire.
#[derive(Serialize)]
struct Frame<'a> {
    payload: &'a Value,
    envelope_id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    accepts_response_payload: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_reason: Option<&'a str>,
}

impl Envelope {
    fn frame(&self) -> String {
        serde_json::to_string(&Frame {
            payload: &self.payload,
            envelope_id: &self.id,
            kind: self.kind,
            accepts_response_payload: self.accepts,
            retry_attempt: self.retry.map(|(attempt, _)| attempt),
            retry_reason: self.retry.map(|(_, reason)| reason),
        })
        .unwrap_or_default()
    }
}

#[derive(Debug)]
struct Waiting {
    serial: u64,
    connection: ConnectionId,
    sent: Instant,
    accepts: bool,
    reply: oneshot::Sender<Ack>,
}

#[derive(Debug)]
pub(super) struct Pending {
    shards: [Mutex<HashMap<String, Vec<Waiting>>>; SHARDS],
    serial: AtomicU64,
    /// Given up, so that an acknowledgement that still comes is known to be late.
    late: Mutex<Recent<Instant>>,
    /// Sent lately, for sending again.
    sent: Mutex<Recent<String>>,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            serial: AtomicU64::new(0),
            late: Mutex::new(Recent::new(10_000)),
            sent: Mutex::new(Recent::new(500)),
        }
    }
}

impl Pending {
    fn shard(&self, id: &str) -> &Mutex<HashMap<String, Vec<Waiting>>> {
        let at = id.bytes().last().map_or(0, usize::from) % SHARDS;
        &self.shards[at]
    }

    /// Whoever waits for this envelope, first on that connection.
    fn take(&self, id: &str, on: ConnectionId) -> Option<Waiting> {
        let mut shard = locked(self.shard(id));
        let waiting = shard.get_mut(id)?;
        let at = waiting
            .iter()
            .position(|one| one.connection == on)
            .unwrap_or(0);
        let found = waiting.remove(at);
        if waiting.is_empty() {
            shard.remove(id);
        }
        Some(found)
    }
}

/// Takes the waiting entry out again when the wait is over, also when its future is dropped.
struct Ticket<'a> {
    pending: &'a Pending,
    id: &'a str,
    serial: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut shard = locked(self.pending.shard(self.id));
        let Some(waiting) = shard.get_mut(self.id) else {
            return;
        };
        if let Some(at) = waiting.iter().position(|one| one.serial == self.serial) {
            let one = waiting.remove(at);
            locked(&self.pending.late).insert(self.id.to_owned(), one.sent);
        }
        if waiting.is_empty() {
            shard.remove(self.id);
        }
    }
}

#[derive(Deserialize)]
struct AckFrame {
    envelope_id: String,
    #[serde(default)]
    payload: Option<Value>,
}

impl Sandbox {
    /// Sends one envelope to a connection (`None`: whichever is next) and waits for the answer.
    pub(super) async fn deliver(&self, envelope: &Envelope) -> Answer {
        let frame = envelope.frame();
        self.trace(|| Traffic {
            envelope_id: Some(envelope.id.clone()),
            bytes: frame.len(),
            body: serde_json::from_str(&frame).unwrap_or_default(),
            ..Traffic::to_bot(envelope.kind, envelope.title.clone())
        });
        if self.is_over_http() {
            if self.slack.options.record_traffic {
                locked(&self.slack.pending.sent).insert(envelope.id.clone(), frame);
            }
            return self.deliver_request(envelope).await;
        }
        let connection = self.slack.sockets.next();
        self.deliver_frame(&envelope.id, frame, envelope.accepts, connection)
            .await
    }

    async fn deliver_frame(
        &self,
        id: &str,
        frame: String,
        accepts: bool,
        connection: Option<Arc<Connection>>,
    ) -> Answer {
        let mut answer = Answer {
            envelope_id: id.to_owned(),
            ..Answer::default()
        };
        if self.slack.options.record_traffic {
            locked(&self.slack.pending.sent).insert(id.to_owned(), frame.clone());
        }
        let Some(connection) = connection else {
            answer.error = Some("dispatch_failed".to_owned());
            return answer;
        };
        answer.connection = Some(connection.id);
        let pending = &self.slack.pending;
        let (reply, received) = oneshot::channel();
        let serial = pending.serial.fetch_add(1, Ordering::Relaxed);
        locked(pending.shard(id))
            .entry(id.to_owned())
            .or_default()
            .push(Waiting {
                serial,
                connection: connection.id,
                sent: Instant::now(),
                accepts,
                reply,
            });
        let ticket = Ticket {
            pending,
            id,
            serial,
        };
        if !connection.send(frame).await {
            answer.error = Some("dispatch_failed".to_owned());
            return answer;
        }
        let received = tokio::time::timeout(self.slack.options.ack_limit, received).await;
        if let Ok(Ok(ack)) = received {
            answer.latency = Some(ack.latency);
            answer.connection = Some(ack.connection);
            answer.payload = ack.payload;
        } else {
            drop(ticket);
            let limit = self.slack.options.ack_limit.as_millis();
            let detail = format!("envelope {id} had no answer within {limit} ms");
            self.violated("ack", "no_ack", vec![detail]);
            answer.error = Some("operation_timeout".to_owned());
        }
        answer
    }

    /// What a connection sent: the acknowledgement of an envelope, or something that should not be.
    pub(super) fn acknowledged(&self, on: ConnectionId, text: &str) {
        let Ok(frame) = serde_json::from_str::<AckFrame>(text) else {
            self.violated("ack", "not_an_acknowledgement", vec![text.to_owned()]);
            return;
        };
        let Some(waiting) = self.slack.pending.take(&frame.envelope_id, on) else {
            let late = locked(&self.slack.pending.late).remove(&frame.envelope_id);
            let (error, detail) = match late {
                Some(sent) => (
                    "late_ack",
                    format!("after {} ms", sent.elapsed().as_millis()),
                ),
                None => ("unknown_ack", "nothing waits for it".to_owned()),
            };
            let detail = format!("envelope {}: {detail}", frame.envelope_id);
            self.trace_ack(&frame, None, text, Some(error));
            self.violated("ack", error, vec![detail]);
            return;
        };
        let latency = waiting.sent.elapsed();
        let mut payload = frame.payload.clone().filter(|payload| !payload.is_null());
        let empty = payload
            .as_ref()
            .and_then(Value::as_object)
            .is_some_and(serde_json::Map::is_empty);
        let unwanted = !waiting.accepts && payload.is_some() && !empty;
        if unwanted {
            payload = None;
            let detail = format!("envelope {} takes no payload", frame.envelope_id);
            self.violated("ack", "payload_not_accepted", vec![detail]);
        }
        let error = unwanted.then_some("payload_not_accepted");
        self.trace_ack(&frame, Some(latency), text, error);
        let ack = Ack {
            envelope_id: frame.envelope_id,
            connection: on,
            payload,
            latency,
        };
        self.keep_ack(&ack);
        // The person may have given up meanwhile.
        let _ = waiting.reply.send(ack);
        if self.slack.options.record_traffic {
            self.slack.changed.notify_waiters();
        }
    }

    fn trace_ack(
        &self,
        frame: &AckFrame,
        latency: Option<Duration>,
        text: &str,
        error: Option<&str>,
    ) {
        self.trace(|| Traffic {
            envelope_id: Some(frame.envelope_id.clone()),
            ok: error.is_none(),
            error: error.map(str::to_owned),
            ack_ms: latency.map(|latency| latency.as_secs_f64() * 1000.0),
            bytes: text.len(),
            body: json!({"envelope_id": frame.envelope_id, "payload": frame.payload}),
            ..Traffic::from_bot("ack", "Acknowledgement")
        });
    }

    /// Sends an event, repeats it until it is acknowledged, and keeps it while nobody is connected.
    /// Answers after the first attempt.
    pub(super) async fn event(&self, title: String, payload: Value) -> Answer {
        let Ok(place) = Arc::clone(&self.slack.events).try_acquire_owned() else {
            self.violated("ack", "events_dropped", vec![title]);
            return Answer {
                error: Some("dispatch_failed".to_owned()),
                ..Answer::default()
            };
        };
        let (first, answered) = oneshot::channel();
        let sandbox = self.clone();
        let task = async move {
            let mut first = Some(first);
            let mut envelope = Envelope {
                id: sandbox.new_envelope_id(),
                kind: "events_api",
                accepts: false,
                title,
                payload,
                retry: Some((0, "")),
            };
            let delays = sandbox.slack.options.retry_delays;
            for attempt in 0..=3 {
                let sent = sandbox.slack.options.clock.now();
                let answer = sandbox.deliver(&envelope).await;
                let done = answer.error.is_none();
                if let Some(first) = first.take() {
                    let _ = first.send(answer);
                }
                if done {
                    return;
                }
                let Some(delay) = delays.get(attempt) else {
                    let detail = format!("event {} after {attempt} repeats", envelope.id);
                    sandbox.violated("ack", "event_given_up", vec![detail]);
                    return;
                };
                sandbox.reach(sent + *delay).await;
                sandbox.some_connection().await;
                envelope.id = sandbox.new_envelope_id();
                let attempt = u32::try_from(attempt + 1).unwrap_or(u32::MAX);
                envelope.retry = Some((attempt, "timeout"));
            }
        };
        let stop = self.slack.stop.clone();
        tokio::spawn(async move {
            tokio::select! { () = stop.cancelled() => {}, () = task => {} }
            drop(place);
        });
        answered.await.unwrap_or_default()
    }

    /// Waits until the clock says so. A test moves it by hand, so it has to be asked.
    async fn reach(&self, due: chrono::DateTime<chrono::Utc>) {
        while self.slack.options.clock.now() < due {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn some_connection(&self) {
        loop {
            let changed = self.slack.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.is_over_http() || self.slack.sockets.next().is_some() {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn new_envelope_id(&self) -> String {
        self.slack.options.clock.new_id().to_string()
    }

    /// Sends an envelope of the test's own making to whichever connection is next. An
    /// `envelope_id` is added if there is none.
    pub async fn send_envelope(&self, envelope: Value) -> Answer {
        let connection = self.slack.sockets.next();
        self.send_raw(envelope, connection).await
    }

    /// [`send_envelope`](Self::send_envelope) on one connection, whatever it was told before.
    pub async fn send_on(&self, connection: ConnectionId, envelope: Value) -> Answer {
        let connection = self.slack.sockets.get(connection);
        self.send_raw(envelope, connection).await
    }

    async fn send_raw(&self, mut envelope: Value, connection: Option<Arc<Connection>>) -> Answer {
        if !envelope["envelope_id"].is_string() {
            envelope["envelope_id"] = json!(self.new_envelope_id());
        }
        let id = envelope["envelope_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let accepts = envelope["accepts_response_payload"] == true;
        if self.is_over_http() {
            let kind = match envelope["type"].as_str() {
                Some("slash_commands") => "slash_commands",
                Some("interactive") => "interactive",
                _ => "events_api",
            };
            let envelope = Envelope {
                id,
                kind,
                accepts,
                title: String::new(),
                payload: envelope["payload"].take(),
                retry: None,
            };
            return self.deliver_request(&envelope).await;
        }
        self.deliver_frame(&id, envelope.to_string(), accepts, connection)
            .await
    }

    /// Sends one of the latest 500 envelopes once more, as Slack sometimes does.
    ///
    /// # Errors
    /// Nothing with that id was sent, or traffic is not recorded.
    pub async fn redeliver(&self, envelope_id: &str) -> Result<Answer, Unable> {
        let sent = locked(&self.slack.pending.sent).get(envelope_id).cloned();
        let frame = sent
            .and_then(|frame| serde_json::from_str(&frame).ok())
            .ok_or_else(|| Unable::NoEnvelope(envelope_id.to_owned()))?;
        Ok(self.send_envelope(frame).await)
    }
}
