//! The record of who changed what in a workspace. It only grows.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Store, StoreError, read};
use crate::domain::workspace::{AuditRecord, AuditSubject};

/// Notes a change by a person in the transaction that makes it; they are named by their binding or by themselves:
/// `note_change!(self.clock, conn, "id" = binding_id, subject, before, after)`.
macro_rules! note_change {
    ($clock:expr, $conn:ident, $column:literal = $person:expr, $subject:expr, $before:expr, $after:expr) => {
        sqlx::query(concat!(
            "INSERT INTO audit_events (id, slack_integration_id, slack_user_id, subject, value_before, \
             value_after, created_at) SELECT $1, slack_integration_id, slack_user_id, $3, $4, $5, $6 \
             FROM slack_user_bindings WHERE ",
            $column,
            " = $2"
        ))
        .bind($clock.new_id())
        .bind($person)
        .bind($subject.as_str())
        .bind($before)
        .bind($after)
        .bind($clock.now())
        .execute(&mut *$conn)
        .await?
    };
}
pub(super) use note_change;

#[derive(sqlx::FromRow)]
struct AuditRow {
    id: Uuid,
    slack_user_id: String,
    subject: String,
    value_before: Option<String>,
    value_after: Option<String>,
    created_at: DateTime<Utc>,
}

impl TryFrom<AuditRow> for AuditRecord {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let subject = AuditSubject::from_name(&row.subject).ok_or_else(|| {
            let problem = format!("“{}”", row.subject);
            StoreError::unreadable("audit_events", "subject", row.id, problem)
        })?;
        Ok(Self {
            id: row.id,
            at: row.created_at,
            slack_user_id: row.slack_user_id,
            subject,
            before: row.value_before,
            after: row.value_after,
        })
    }
}

impl Store {
    /// What was changed in a workspace, the latest first, at most `limit`; only what is older than `before`, if that
    /// is given.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn audit_records(
        &self,
        slack_integration_id: Uuid,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let rows: Vec<AuditRow> = read!(self, db => {
            sqlx::query_as(
                "SELECT id, slack_user_id, subject, value_before, value_after, created_at FROM audit_events \
                 WHERE slack_integration_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            )
            .bind(slack_integration_id)
            .bind(before.unwrap_or(Uuid::max()))
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        rows.into_iter().map(AuditRecord::try_from).collect()
    }
}
