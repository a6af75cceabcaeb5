//! What people logged, in sum.

use chrono::NaiveDate;
use uuid::Uuid;

use super::{
    Store, StoreError,
    entries::{EntryRow, entry_sql, minutes_of, project_ref},
    read,
};
use crate::domain::{summary::Total, time_entry::TimeEntry};

impl Store {
    /// The sums of a person's entries from `from` to `to`, both included, by day, project and billable; the
    /// earliest day first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn totals(
        &self,
        user_id: Uuid,
        from: NaiveDate,
        to: NaiveDate,
        project_id: Option<Uuid>,
    ) -> Result<Vec<Total>, StoreError> {
        type Row = (
            NaiveDate,
            Option<Uuid>,
            Option<String>,
            Option<String>,
            bool,
            i64,
        );
        let rows: Vec<Row> = read!(self, db => {
            sqlx::query_as(
                "SELECT t.date, t.project_id, p.slug, c.name, t.billable, t.minutes FROM ( \
                 SELECT date, project_id, billable, CAST(SUM(duration_minutes) AS BIGINT) AS minutes \
                 FROM time_entries WHERE user_id = $1 AND date BETWEEN $2 AND $3 AND deleted_at IS NULL \
                 AND ($4 OR project_id = $5) GROUP BY date, project_id, billable) t \
                 LEFT JOIN projects p ON p.id = t.project_id LEFT JOIN clients c ON c.id = p.client_id \
                 ORDER BY t.date",
            )
            .bind(user_id)
            .bind(from)
            .bind(to)
            .bind(project_id.is_none())
            .bind(project_id)
            .fetch_all(db)
            .await
        })?;
        let total = |(date, id, slug, client, is_billable, minutes)| Total {
            date,
            project: project_ref(id, slug),
            client,
            is_billable,
            minutes: minutes_of(minutes),
        };
        Ok(rows.into_iter().map(total).collect())
    }

    /// The person's entries from `from` to `to`, both included, the earliest first.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn entries_between(
        &self,
        user_id: Uuid,
        from: NaiveDate,
        to: NaiveDate,
        project_id: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<TimeEntry>, StoreError> {
        let rows: Vec<EntryRow> = read!(self, db => {
            sqlx::query_as(entry_sql!(
                "SELECT",
                "FROM time_entries WHERE user_id = $1 AND date BETWEEN $2 AND $3 AND deleted_at IS NULL \
                 AND ($4 OR project_id = $5) ORDER BY date, id LIMIT $6"
            ))
            .bind(user_id)
            .bind(from)
            .bind(to)
            .bind(project_id.is_none())
            .bind(project_id)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        rows.into_iter().map(TimeEntry::try_from).collect()
    }
}
