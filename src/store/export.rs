//! What an export of entries shows: whose they are, and each of them with the names of what it is for.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{Store, StoreError, read};

/// Somebody whose entries are exported.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ExportedPerson {
    /// The tie between the person and their Slack account: later ones have greater ids.
    pub binding_id: Uuid,
    /// The person.
    pub user_id: Uuid,
    /// What Slack calls them.
    pub name: String,
    /// Slack's id of the person.
    pub slack_user_id: String,
    /// Slack's id of the workspace.
    pub workspace_id: String,
}

/// An entry that stands, as an export shows it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ExportedEntry {
    /// See [`TimeEntry::id`](crate::domain::time_entry::TimeEntry::id).
    pub id: Uuid,
    /// The day it counts for, in the person's zone.
    pub date: NaiveDate,
    /// When the work began, where that is known.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, where that is known.
    pub ended_at: Option<DateTime<Utc>>,
    /// Whether somebody said from when to when it was; otherwise the times are no more than likely.
    pub is_timed: bool,
    /// 1 to 1,440.
    pub duration_minutes: i32,
    /// What was done.
    pub description: String,
    /// What it is for.
    pub project_id: Option<Uuid>,
    /// What that is called.
    pub project: Option<String>,
    /// For whom that is.
    pub client_id: Option<Uuid>,
    /// What they are called.
    pub client: Option<String>,
    /// Words to find it by.
    #[sqlx(json)]
    pub tags: Vec<String>,
    /// Whether it goes on an invoice.
    pub billable: bool,
    /// Where it stands on the way to an invoice.
    pub status: String,
    /// How it came in.
    pub source: String,
    /// The calendar event it was made of.
    pub source_event_id: Option<Uuid>,
    /// The message it came from.
    pub permalink: Option<String>,
    /// The line as it was typed.
    pub typed_text: Option<String>,
    /// When it was first stored.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Store {
    /// People after this binding, in the order of their bindings, at most `limit`: of one workspace, or of all that
    /// were ever known; with one Slack account, or all.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn exported_people(
        &self,
        workspace_id: Option<&str>,
        slack_user_id: Option<&str>,
        after: Uuid,
        limit: u32,
    ) -> Result<Vec<ExportedPerson>, StoreError> {
        Ok(read!(self, db => {
            sqlx::query_as(
                "SELECT b.id AS binding_id, b.user_id, u.name, b.slack_user_id, i.workspace_id \
                 FROM slack_user_bindings b JOIN users u ON u.id = b.user_id \
                 JOIN slack_integrations i ON i.id = b.slack_integration_id \
                 WHERE b.id > $1 AND ($2 OR i.workspace_id = $3) AND ($4 OR b.slack_user_id = $5) \
                 ORDER BY b.id LIMIT $6",
            )
            .bind(after)
            .bind(workspace_id.is_none())
            .bind(workspace_id)
            .bind(slack_user_id.is_none())
            .bind(slack_user_id)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?)
    }

    /// A person's entries that stand, up to the day `to`, the oldest day first, from behind the one with this day
    /// and id. A page deep in them is found as fast as the first.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn exported_entries(
        &self,
        user_id: Uuid,
        (date, id): (NaiveDate, Uuid),
        to: NaiveDate,
        limit: u32,
    ) -> Result<Vec<ExportedEntry>, StoreError> {
        Ok(read!(self, db => {
            sqlx::query_as(
                "SELECT e.id, e.date, e.started_at, e.ended_at, e.is_timed, e.duration_minutes, e.description, e.project_id, \
                 p.name AS project, p.client_id, c.name AS client, e.tags, e.billable, e.status, e.source, \
                 e.source_event_id, e.permalink, e.typed_text, e.created_at, e.updated_at FROM time_entries e \
                 LEFT JOIN projects p ON p.id = e.project_id LEFT JOIN clients c ON c.id = p.client_id \
                 WHERE e.user_id = $1 AND (e.date, e.id) > ($2, $3) AND e.date <= $4 AND e.deleted_at IS NULL \
                 ORDER BY e.date, e.id LIMIT $5",
            )
            .bind(user_id)
            .bind(date)
            .bind(id)
            .bind(to)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?)
    }
}
