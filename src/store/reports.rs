//! What people logged, in sum; and the sharing of it, which is done once.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    Store, StoreError,
    entries::{EntryRow, entry_sql, minutes_of, project_ref},
    read, tx,
};
use crate::domain::{rounding::Rounding, summary::Total, time_entry::TimeEntry};

/// Whoever took a posting has noted by now what came of it, or is gone.
const POSTING_TAKES: TimeDelta = TimeDelta::seconds(30);

/// Who posts a report that was asked to be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareClaim {
    /// Whoever gets this answer.
    Taken,
    /// Somebody who took it less than 30 seconds ago.
    UnderWay,
    /// Somebody took it longer ago and never said what came of it.
    Lost,
    /// It is posted.
    Posted,
}

macro_rules! totals_sql {
    ($minutes:literal) => {
        concat!(
            "SELECT t.date, t.project_id, p.slug, c.name, t.billable, t.minutes, t.entries \
             FROM (SELECT date, project_id, billable, CAST(SUM(",
            $minutes,
            ") AS BIGINT) AS minutes, COUNT(*) AS entries \
             FROM time_entries WHERE user_id = $1 AND date BETWEEN $2 AND $3 AND deleted_at IS NULL \
             AND ($4 OR project_id = $5) GROUP BY date, project_id, billable) t \
             LEFT JOIN projects p ON p.id = t.project_id LEFT JOIN clients c ON c.id = p.client_id \
             ORDER BY t.date"
        )
    };
}

/// The sums of `$1`'s entries from `$2` to `$3`, of all projects if `$4`, else of `$5`.
pub(super) const TOTALS: &str = totals_sql!("duration_minutes");
/// The same, each entry lifted by `$7` and cut to a multiple of `$6`.
const ROUNDED_TOTALS: &str = totals_sql!("(duration_minutes + $7) / $6 * $6");

pub(super) type TotalRow = (
    NaiveDate,
    Option<Uuid>,
    Option<String>,
    Option<String>,
    bool,
    i64,
    i64,
);

pub(super) fn total_of((date, id, slug, client, is_billable, minutes, entries): TotalRow) -> Total {
    Total {
        date,
        project: project_ref(id, slug),
        client,
        is_billable,
        minutes: minutes_of(minutes),
        entries: usize::try_from(entries).unwrap_or(0),
    }
}

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
        let rows: Vec<TotalRow> = read!(self, db => {
            sqlx::query_as(TOTALS)
            .bind(user_id)
            .bind(from)
            .bind(to)
            .bind(project_id.is_none())
            .bind(project_id)
            .fetch_all(db)
            .await
        })?;
        Ok(rows.into_iter().map(total_of).collect())
    }

    /// The same, each entry rounded before it is summed up.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn rounded_totals(
        &self,
        user_id: Uuid,
        from: NaiveDate,
        to: NaiveDate,
        project_id: Option<Uuid>,
        rounding: Rounding,
    ) -> Result<Vec<Total>, StoreError> {
        let (step, lift) = rounding.step_and_lift();
        let stored = |minutes| i32::try_from(minutes).unwrap_or(1);
        let rows: Vec<TotalRow> = read!(self, db => {
            sqlx::query_as(ROUNDED_TOTALS)
                .bind(user_id)
                .bind(from)
                .bind(to)
                .bind(project_id.is_none())
                .bind(project_id)
                .bind(stored(step))
                .bind(stored(lift))
                .fetch_all(db)
                .await
        })?;
        Ok(rows.into_iter().map(total_of).collect())
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

    /// Takes the posting that `key` names, if nobody has it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim_share(&self, user_id: Uuid, key: Uuid) -> Result<ShareClaim, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            // Of two replicas with the same request the second one waits here.
            let taken = sqlx::query(
                "INSERT INTO idempotency_keys (user_id, key, answer, created_at) VALUES ($1, $2, 'false', $3) \
                 ON CONFLICT (user_id, key) DO NOTHING",
            )
            .bind(user_id)
            .bind(key)
            .bind(now)
            .execute(&mut *conn)
            .await?
            .rows_affected();
            if taken == 1 {
                return Ok(ShareClaim::Taken);
            }
            let (is_posted, taken_at): (Json<bool>, DateTime<Utc>) = sqlx::query_as(
                "SELECT answer, created_at FROM idempotency_keys WHERE user_id = $1 AND key = $2",
            )
            .bind(user_id)
            .bind(key)
            .fetch_one(&mut *conn)
            .await?;
            Ok(match is_posted.0 {
                true => ShareClaim::Posted,
                false if now - taken_at < POSTING_TAKES => ShareClaim::UnderWay,
                false => ShareClaim::Lost,
            })
        })
    }

    /// Notes that the report is posted, or gives the posting back to whoever asks next.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn settle_share(
        &self,
        user_id: Uuid,
        key: Uuid,
        is_posted: bool,
    ) -> Result<(), StoreError> {
        let sql = if is_posted {
            "UPDATE idempotency_keys SET answer = 'true' WHERE user_id = $1 AND key = $2"
        } else {
            "DELETE FROM idempotency_keys WHERE user_id = $1 AND key = $2"
        };
        tx!(self, conn => {
            sqlx::query(sql).bind(user_id).bind(key).execute(&mut *conn).await?;
            Ok(())
        })
    }
}
