//! The web server.

use std::{net::SocketAddr, time::Duration};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{error::chain, slack::socket::SocketStates, store::Store};

/// The running web server.
#[derive(Debug)]
pub struct Web {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

#[derive(Clone)]
struct Health {
    store: Store,
    socket: SocketStates,
}

impl Web {
    /// Listens at `address` (port 0 for any free one).
    ///
    /// # Errors
    /// The address cannot be listened at.
    pub async fn start(
        address: SocketAddr,
        store: Store,
        socket: SocketStates,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/healthz", get(alive))
            .route("/readyz", get(ready))
            .with_state(Health { store, socket });
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(stopped)
                .await
        });
        Ok(Self {
            address,
            stop,
            task,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers the requests that are under way and stops.
    pub async fn shut_down(self) {
        self.stop.cancel();
        match tokio::time::timeout(Duration::from_secs(2), self.task).await {
            Ok(Ok(Ok(()))) | Err(_) => {}
            Ok(Ok(Err(problem))) => tracing::error!("web.failed: {problem}"),
            Ok(Err(problem)) => tracing::error!("web.failed: {problem}"),
        }
    }
}

/// `GET /healthz`: the process runs.
async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /readyz`: people can log time. 503 with what is wrong, otherwise.
async fn ready(State(Health { store, socket }): State<Health>) -> (StatusCode, Json<Value>) {
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
