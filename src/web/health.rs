//! Whether the process runs, and whether people can log time.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use crate::{error::chain, slack::socket::SocketStates, store::Store};

/// What is looked at.
#[derive(Clone)]
pub(super) struct Health {
    pub(super) store: Store,
    pub(super) socket: SocketStates,
}

/// `GET /healthz`: the process runs.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /readyz`: people can log time. 503 with what is wrong, otherwise.
pub(super) async fn ready(
    State(Health { store, socket }): State<Health>,
) -> (StatusCode, Json<Value>) {
    let database = match store.check().await {
        Ok(()) => json!({ "status": "ok", "kind": store.kind() }),
        Err(problem) => {
            tracing::warn!("ready.database: {}", chain(&problem));
            json!({ "status": "failed", "kind": store.kind(), "problem": "the database cannot be written to" })
        }
    };
    let state = socket.borrow().clone();
    let slack = match (state.live, state.problem) {
        (1.., None) => json!({ "status": "ok", "connections": state.live }),
        (live, Some(problem)) => {
            json!({ "status": "failed", "connections": live, "problem": problem })
        }
        (0, None) => {
            json!({ "status": "failed", "connections": 0, "problem": "no connection to Slack is open" })
        }
    };
    let is_ready = [&database, &slack]
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
    });
    (status, Json(body))
}
