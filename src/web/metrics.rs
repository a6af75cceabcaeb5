//! `GET /metrics`: how the bot does, in Prometheus' text format (version 0.0.4). A dozen numbers that are there
//! anyway are written by hand; a library would keep a second copy of them.

use std::{collections::BTreeMap, fmt::Write as _};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::health::Health;
use crate::{error::chain, jobs::kind_of};

/// Dead jobs that are told apart by kind; of more, the oldest are not.
const DEAD_COUNTED: u32 = 1000;

/// Answers with the numbers; 503 where the database does not tell them.
pub(super) async fn metrics(State(health): State<Health>) -> Response {
    match numbers(&health).await {
        Ok(body) => {
            let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
            (kind, body).into_response()
        }
        Err(problem) => {
            tracing::warn!("metrics.database: {}", chain(&problem));
            let said = "The database does not answer; /readyz says more.\n";
            (StatusCode::SERVICE_UNAVAILABLE, said).into_response()
        }
    }
}

async fn numbers(health: &Health) -> Result<String, crate::store::StoreError> {
    let counts = health.store.job_counts().await?;
    let mut dead: BTreeMap<String, u32> = BTreeMap::new();
    if counts.dead > 0 {
        for job in health.store.dead_jobs(DEAD_COUNTED).await? {
            *dead.entry(kind_of(&job.payload)).or_default() += 1;
        }
    }
    let waits_s = counts.due_since.map_or(0, |since| {
        (health.store.clock().now() - since).num_seconds().max(0)
    });
    let live = health
        .socket
        .as_ref()
        .map_or(0, |socket| socket.borrow().live);
    let mut body = String::new();
    let mut family = |name: &str, help: &str, samples: &[(String, i64)]| {
        let _ = writeln!(
            body,
            "# HELP billops_{name} {help}\n# TYPE billops_{name} gauge"
        );
        for (labels, value) in samples {
            let _ = writeln!(body, "billops_{name}{labels} {value}");
        }
    };
    let one = |value: i64| [(String::new(), value)];
    family(
        "jobs",
        "Jobs that wait or run.",
        &[
            (
                "{state=\"waiting\"}".to_owned(),
                counts.open - counts.running,
            ),
            ("{state=\"running\"}".to_owned(), counts.running),
        ],
    );
    let dead: Vec<(String, i64)> = dead
        .into_iter()
        .map(|(kind, count)| (format!("{{job=\"{kind}\"}}"), i64::from(count)))
        .collect();
    family("jobs_dead", "Jobs that were given up, by kind.", &dead);
    family(
        "job_wait_seconds",
        "How long the job has been due that waits longest.",
        &one(waits_s),
    );
    family(
        "slack_connections",
        "Open connections to Slack.",
        &one(i64::try_from(live).unwrap_or(i64::MAX)),
    );
    family(
        "schedule_ticks",
        "1 while the schedule ticks.",
        &one(i64::from(health.last_tick.is_recent())),
    );
    Ok(body)
}
