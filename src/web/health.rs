//! Whether the process runs, and whether people can log time.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use crate::{error::chain, jobs::LastTick, slack::socket::SocketStates, store::Store};

/// What is looked at.
#[derive(Clone)]
pub(super) struct Health {
    pub(super) store: Store,
    /// In Socket Mode.
    pub(super) socket: Option<SocketStates>,
    pub(super) last_tick: LastTick,
}

/// `GET /healthz`: the process runs.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /readyz`: people can log time. 503 with what is wrong, otherwise.
pub(super) async fn ready(
    State(Health {
        store,
        socket,
        last_tick,
    }): State<Health>,
) -> (StatusCode, Json<Value>) {
    let database = match store.check().await {
        Ok(()) => json!({ "status": "ok", "kind": store.kind() }),
        Err(problem) => {
            tracing::warn!("ready.database: {}", chain(&problem));
            json!({ "status": "failed", "kind": store.kind(), "problem": "the database cannot be written to" })
        }
    };
    let state = socket.as_ref().map(|socket| socket.borrow().clone());
    let slack = match state.map(|state| (state.live, state.problem)) {
        // Slack comes to us.
        None => json!({ "status": "ok", "mode": "http" }),
        Some((live @ 1.., None)) => json!({ "status": "ok", "connections": live }),
        Some((live, Some(problem))) => {
            json!({ "status": "failed", "connections": live, "problem": problem })
        }
        Some((0, None)) => {
            json!({ "status": "failed", "connections": 0, "problem": "no connection to Slack is open" })
        }
    };
    let scheduler = if last_tick.is_recent() {
        json!({ "status": "ok" })
    } else {
        json!({ "status": "failed", "problem": "the schedule has not ticked for minutes: restart BillOps" })
    };
    let is_ready = [&database, &slack, &scheduler]
        .iter()
        .all(|part| part["status"] == "ok");
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = json!({
        "status": if is_ready { "ok" } else { "failed" },
        "database": database,
        "slack": slack,
        "scheduler": scheduler,
    });
    (status, Json(body))
}
