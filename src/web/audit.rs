//! The API about what was changed in a workspace, for its admins.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Site, problem::Problem, session::Caller};
use crate::domain::workspace::AuditRecord;

/// How many records a page holds where nothing is said, and at most.
const USUAL_PAGE: u32 = 50;
const LONGEST_PAGE: u32 = 200;

/// Which page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Page {
    limit: Option<u32>,
    /// The id of the last record of the page before.
    cursor: Option<Uuid>,
}

/// `GET /audit`: who changed what and when, the latest first. For everybody but admins there is no such thing.
pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(page) = page.map_err(|error| Problem::invalid("query", &error.body_text()))?;
    let limit = page.limit.unwrap_or(USUAL_PAGE);
    if !(1..=LONGEST_PAGE).contains(&limit) {
        let takes = format!("This is a number from 1 to {LONGEST_PAGE}.");
        return Err(Problem::invalid("limit", &takes));
    }
    let found = site
        .app
        .audit(&caller.member, page.cursor, limit + 1)
        .await?;
    let mut records = found.ok_or_else(|| Problem::not_found("audit trail"))?;
    let has_more = records.len() > limit as usize;
    records.truncate(limit as usize);
    let last = records.last().filter(|_| has_more);
    Ok(Json(json!({
        "items": records.iter().map(shown).collect::<Vec<_>>(),
        "next_cursor": last.map(|record| record.id),
    }))
    .into_response())
}

fn shown(record: &AuditRecord) -> Value {
    json!({
        "id": record.id,
        "at": record.at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        "slack_user_id": Some(&record.slack_user_id).filter(|id| !id.is_empty()),
        "subject": record.subject.as_str(),
        "before": record.before,
        "after": record.after,
    })
}
