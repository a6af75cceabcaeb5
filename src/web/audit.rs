//! The API about what was changed in a workspace, for its admins.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Site,
    fields::{Asked, refused},
    problem::Problem,
    session::Caller,
};
use crate::domain::workspace::AuditRecord;

/// How many records a page holds where nothing is said, and at most.
const USUAL_PAGE: u32 = 50;
const LONGEST_PAGE: u32 = 200;

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// How many records, from 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<Uuid>,
}

impl Asked for Page {
    const FIELDS: &'static [(&'static str, &'static str)] = &[
        ("limit", "This is a number from 1 to 200."),
        (
            "cursor",
            "Send the next_cursor of the page before, or none.",
        ),
    ];
}

/// One page of the audit trail.
#[derive(Serialize, ToSchema)]
pub(super) struct Trail {
    /// The records, the latest first.
    items: Vec<Record>,
    /// Leads to the next page; null on the last one.
    next_cursor: Option<Uuid>,
}

/// One change.
#[derive(Serialize, ToSchema)]
pub(super) struct Record {
    /// Names it.
    id: Uuid,
    /// When it was made.
    #[schema(format = DateTime)]
    at: String,
    /// Who made it; null where it was nobody in Slack.
    slack_user_id: Option<String>,
    /// A setting of the workspace, `api_token` or `calendar`.
    #[schema(examples("project_creators"))]
    subject: String,
    /// What it was; null where there was nothing.
    before: Option<String>,
    /// What it is now; null where there is nothing any more.
    after: Option<String>,
}

/// Who changed what
///
/// Changes of the workspace's settings, API tokens made and revoked, calendars connected and disconnected; the latest
/// first. For everybody but admins there is no such thing.
#[utoipa::path(
    get, path = "/audit", operation_id = "listAudit", tag = "Person",
    params(Page),
    responses(
        (status = 200, description = "A page of changes.", body = Trail),
        (status = 404, description = "`not-found`: the caller is no admin of the workspace."),
    ),
)]
pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Trail>, Problem> {
    let Query(page) = page.map_err(|error| refused::<Page>("", &error.body_text()))?;
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
    Ok(Json(Trail {
        next_cursor: last.map(|record| record.id),
        items: records.iter().map(shown).collect(),
    }))
}

fn shown(record: &AuditRecord) -> Record {
    Record {
        id: record.id,
        at: record
            .at
            .to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        slack_user_id: Some(record.slack_user_id.clone()).filter(|id| !id.is_empty()),
        subject: record.subject.as_str().to_owned(),
        before: record.before.clone(),
        after: record.after.clone(),
    }
}
