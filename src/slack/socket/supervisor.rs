//! Keeps connections open: two by default, the successor before the recycled one is left.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

use super::{
    OpenError, Opener, SocketState, SocketStates, Timings,
    connection::{Connection, ConnectionId, End, Event},
    deliver::Deliverer,
};

/// The running transport. Dropping it without [`shut_down`](Self::shut_down) leaves it running.
#[derive(Debug)]
pub struct Socket {
    states: SocketStates,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Socket {
    /// Starts the transport with `target` connections (1 to 4; Slack allows 10 for an app, and recycling
    /// needs room). `app_id` is the app that Slack must name in its greeting, where it is known.
    pub fn start(
        opener: Opener,
        deliverer: Arc<Deliverer>,
        target: usize,
        app_id: Option<String>,
        timings: Timings,
    ) -> Self {
        let (state, states) = watch::channel(SocketState::default());
        let shutdown = CancellationToken::new();
        let (events, heard) = mpsc::unbounded_channel();
        let supervisor = Supervisor {
            opener,
            deliverer,
            target,
            app_id,
            timings,
            events,
            state,
            connections: HashMap::new(),
            tasks: TaskTracker::new(),
            next_id: 1,
            failures: 0,
            open_after: Instant::now(),
            is_disabled: false,
            is_stopped: false,
        };
        let task = tokio::spawn(supervisor.run(heard, shutdown.clone()));
        Self {
            states,
            shutdown,
            task,
        }
    }

    /// Follows how the transport stands.
    pub fn states(&self) -> SocketStates {
        self.states.clone()
    }

    /// Stops opening, lets running handlers end and be acknowledged, and closes the connections.
    pub async fn shut_down(self) {
        self.shutdown.cancel();
        if let Err(problem) = self.task.await {
            error!("socket.supervisor_failed: {problem}");
        }
    }
}

struct Supervisor {
    opener: Opener,
    deliverer: Arc<Deliverer>,
    target: usize,
    app_id: Option<String>,
    timings: Timings,
    events: mpsc::UnboundedSender<(ConnectionId, Event)>,
    state: watch::Sender<SocketState>,
    connections: HashMap<ConnectionId, Known>,
    tasks: TaskTracker,
    next_id: ConnectionId,
    /// Connections in a row that did not come about or did not last.
    failures: u32,
    open_after: Instant,
    /// Slack has said that Socket Mode is switched off. What it says to a token meanwhile is no verdict on it.
    is_disabled: bool,
    /// Slack has refused us for good; only a person can mend that.
    is_stopped: bool,
}

struct Known {
    stage: Stage,
    /// When Slack greeted us.
    live_since: Option<Instant>,
    close: CancellationToken,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opening,
    Live,
    /// Slack will close it. It is read and acknowledged, but no longer counted.
    Leaving,
}

impl Supervisor {
    async fn run(
        mut self,
        mut heard: mpsc::UnboundedReceiver<(ConnectionId, Event)>,
        shutdown: CancellationToken,
    ) {
        loop {
            self.open_missing();
            let waits = !self.is_stopped && self.is_missing_one();
            tokio::select! {
                Some((id, event)) = heard.recv() => self.hear(id, event),
                () = tokio::time::sleep_until(self.open_after), if waits => {}
                () = shutdown.cancelled() => break,
            }
        }
        let running = self.deliverer.end(self.timings.shutdown_within).await;
        if running > 0 {
            warn!(
                running,
                "socket.drain: some handlers had not ended when the connections were closed"
            );
        }
        for known in self.connections.values() {
            known.close.cancel();
        }
        self.tasks.close();
        // A peer that does not answer the close would keep its connection's task.
        let _ = tokio::time::timeout(Duration::from_millis(500), self.tasks.wait()).await;
    }

    fn is_missing_one(&self) -> bool {
        let staying = self
            .connections
            .values()
            .filter(|known| known.stage != Stage::Leaving)
            .count();
        // After a failure one at a time, so that a closed door is not knocked at twice.
        let opening = self
            .connections
            .values()
            .filter(|known| known.stage == Stage::Opening)
            .count();
        staying < self.target && (self.failures == 0 || opening == 0)
    }

    fn open_missing(&mut self) {
        while !self.is_stopped && self.is_missing_one() && Instant::now() >= self.open_after {
            let id = self.next_id;
            self.next_id += 1;
            let close = CancellationToken::new();
            let known = Known {
                stage: Stage::Opening,
                live_since: None,
                close: close.clone(),
            };
            self.connections.insert(id, known);
            let connection = Connection {
                id,
                opener: self.opener.clone(),
                deliverer: self.deliverer.clone(),
                timings: self.timings,
                events: self.events.clone(),
                close,
            };
            self.tasks.spawn(connection.run());
        }
    }

    fn hear(&mut self, id: ConnectionId, event: Event) {
        match event {
            Event::Live { app_id } => self.greeted(id, app_id),
            Event::Leaving { reason } => self.leaving(id, &reason),
            Event::Ended(end) => self.ended(id, end),
        }
        let live = self
            .connections
            .values()
            .filter(|known| known.stage == Stage::Live)
            .count();
        self.state
            .send_if_modified(|state| std::mem::replace(&mut state.live, live) != live);
    }

    fn greeted(&mut self, id: ConnectionId, app_id: Option<String>) {
        if let (Some(expected), Some(actual)) = (&self.app_id, &app_id)
            && expected != actual
        {
            let problem = format!(
                "SLACK_APP_TOKEN belongs to the app {actual}, but SLACK_APP_ID is {expected}. Set both from \
                 the same app and start again."
            );
            self.stop(problem);
            return;
        }
        if let Some(known) = self.connections.get_mut(&id) {
            known.live_since = Some(Instant::now());
            if known.stage == Stage::Opening {
                known.stage = Stage::Live;
            }
        }
        self.is_disabled = false;
        info!(
            connection = id,
            app_id, "socket.live: Slack has greeted the connection"
        );
        self.state
            .send_if_modified(|state| state.problem.take().is_some());
    }

    fn leaving(&mut self, id: ConnectionId, reason: &str) {
        let Some(known) = self.connections.get_mut(&id) else {
            return;
        };
        let has_lasted = known
            .live_since
            .is_some_and(|since| since.elapsed() >= Duration::from_secs(1));
        known.stage = Stage::Leaving;
        match reason {
            "link_disabled" => {
                known.close.cancel();
                self.disabled();
            }
            "too_many_websockets" => {
                known.close.cancel();
                self.back_off(self.timings.too_many_wait);
                warn!(
                    connection = id,
                    wait_s = self.wait().as_secs(),
                    "socket.too_many: more than 10 connections are open for this app; fewer replicas, or wait \
                     until those of an unclean end are gone"
                );
            }
            "warning" | "refresh_requested" => {
                info!(
                    connection = id,
                    reason, "socket.recycled: Slack recycles the connection"
                );
                self.replace_recycled(id, has_lasted);
            }
            other => {
                let reason: String = other.chars().take(60).collect();
                warn!(
                    connection = id,
                    reason, "socket.recycled: Slack leaves for a reason we do not know"
                );
                self.replace_recycled(id, has_lasted);
            }
        }
    }

    /// The successor is opened at once. A connection that is recycled as soon as it is opened would make
    /// that a storm, so there it is a failure.
    fn replace_recycled(&mut self, id: ConnectionId, has_lasted: bool) {
        if !has_lasted {
            self.back_off(Duration::ZERO);
        }
        let Some(known) = self.connections.get(&id) else {
            return;
        };
        let close = known.close.clone();
        let drain_within = self.timings.drain_within;
        // Slack closes it; this is for the case that it does not.
        self.tasks.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(drain_within) => close.cancel(),
                () = close.cancelled() => {}
            }
        });
    }

    fn ended(&mut self, id: ConnectionId, end: End) {
        let Some(known) = self.connections.remove(&id) else {
            return;
        };
        known.close.cancel();
        let lived = known.live_since.map(|since| since.elapsed());
        if lived.is_some_and(|lived| lived >= self.timings.good_after) {
            self.failures = 0;
        }
        match end {
            // The failure, if it was one, was counted when Slack announced the end.
            End::Closed | End::Broken(_) if known.stage == Stage::Leaving => {}
            End::NotOpened(error) => self.not_opened(id, error),
            End::Closed | End::Dead | End::Broken(_) => {
                let is_first = self.failures == 0 && lived.is_some();
                self.back_off(Duration::ZERO);
                if is_first {
                    // It had worked: the successor comes at once, and only its failure makes us wait.
                    self.open_after = Instant::now();
                }
                let lived_s = lived.map(|lived| lived.as_secs());
                warn!(
                    connection = id,
                    ?end,
                    lived_s,
                    "socket.lost: the connection is gone"
                );
            }
        }
    }

    fn not_opened(&mut self, id: ConnectionId, error: OpenError) {
        match error {
            OpenError::Refused(_) if self.is_disabled => self.disabled(),
            OpenError::Refused(code) => self.stop(format!(
                "Slack refuses SLACK_APP_TOKEN ({code}). Generate a new app-level token with the scope \
                 connections:write and start again."
            )),
            OpenError::Disabled => self.disabled(),
            OpenError::RateLimited(wait) => {
                self.back_off(wait);
                warn!(connection = id, wait_s = self.wait().as_secs(), "socket.rate_limited: Slack asks to wait");
            }
            OpenError::Failed(problem) => {
                self.back_off(Duration::ZERO);
                warn!(
                    connection = id, failures = self.failures, wait_ms = self.wait().as_millis(),
                    "socket.not_opened: {problem}"
                );
            }
        }
    }

    fn disabled(&mut self) {
        self.is_disabled = true;
        self.open_after = Instant::now() + self.timings.disabled_wait;
        let problem = "Socket Mode is switched off in the app's settings. Switch it on under Socket Mode; \
             BillOps tries again every few minutes.";
        error!("socket.disabled: {problem}");
        self.state
            .send_modify(|state| state.problem = Some(problem.to_owned()));
    }

    fn stop(&mut self, problem: String) {
        if !self.is_stopped {
            error!("socket.stopped: {problem}");
        }
        self.is_stopped = true;
        self.state
            .send_modify(|state| state.problem = Some(problem));
        for known in self.connections.values() {
            known.close.cancel();
        }
    }

    /// One more failure: waits twice as long as after the one before, at least `at_least`. The jitter keeps
    /// replicas from coming back all at once.
    fn back_off(&mut self, at_least: Duration) {
        let doubled = self
            .timings
            .backoff_min
            .saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let jitter = 0.5 + rand::random::<f64>() / 2.0;
        let wait = doubled.min(self.timings.backoff_max).mul_f64(jitter);
        let least = at_least
            .saturating_mul(self.failures.min(6))
            .mul_f64(0.5 + jitter / 2.0);
        self.open_after = Instant::now() + wait.max(at_least).max(least);
    }

    fn wait(&self) -> Duration {
        self.open_after.saturating_duration_since(Instant::now())
    }
}
