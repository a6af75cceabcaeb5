//! Time entries: reading them, taking them back, putting them back. Making one is in `commit.rs`.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{NewJob, Store, StoreError, jobs::add_job, read, tx};
use crate::domain::{
    minutes::Minutes,
    time_entry::{Receipt, TimeEntry},
};

/// How far back `undo` without naming an entry reaches.
const UNDO_REACH: TimeDelta = TimeDelta::hours(24);

/// What became of a change to an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryChange {
    /// It was done, now or by the same request earlier.
    Done(Receipt),
    /// The entry has changed since the version that was named. Nothing was done; this is how it is now.
    Stale(Receipt),
    /// The entry is approved or billed, and no longer the person's to change.
    Settled(Receipt),
    /// The person has no such entry.
    Unknown,
}

/// A person's day in sum, and what they logged last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayAndRecent {
    /// All minutes of the day.
    pub day_total: Minutes,
    /// The latest entries, the newest day first and in it the latest entry first.
    pub recent: Vec<TimeEntry>,
}

#[derive(sqlx::FromRow)]
pub(super) struct EntryRow {
    id: Uuid,
    user_id: Uuid,
    source: String,
    status: String,
    description: String,
    date: NaiveDate,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    duration_minutes: i32,
    typed_text: Option<String>,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
}

impl TryFrom<EntryRow> for TimeEntry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        let unreadable = |column, problem: String| {
            StoreError::unreadable("time_entries", column, row.id, problem)
        };
        Ok(Self {
            source: row
                .source
                .parse()
                .map_err(|e| unreadable("source", format!("{e}")))?,
            status: row
                .status
                .parse()
                .map_err(|e| unreadable("status", format!("{e}")))?,
            duration_minutes: Minutes::new(
                u32::try_from(row.duration_minutes)
                    .map_err(|e| unreadable("duration_minutes", e.to_string()))?,
            ),
            id: row.id,
            user_id: row.user_id,
            description: row.description,
            date: row.date,
            started_at: row.started_at,
            ended_at: row.ended_at,
            typed_text: row.typed_text,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        })
    }
}

/// The one way to read entries; the condition is added where it is used.
macro_rules! select_entry {
    ($condition:literal) => {
        concat!(
            "SELECT id, user_id, source, status, description, date, started_at, ended_at, duration_minutes, \
             typed_text, version, created_at, updated_at, deleted_at FROM time_entries WHERE ",
            $condition
        )
    };
}

const DAY_TOTAL: &str = "SELECT CAST(COALESCE(SUM(duration_minutes), 0) AS BIGINT) FROM time_entries \
     WHERE user_id = $1 AND date = $2 AND deleted_at IS NULL";

pub(super) fn minutes_of(sum: i64) -> Minutes {
    Minutes::new(u32::try_from(sum).unwrap_or(u32::MAX))
}

fn change_of(entry: TimeEntry, day_total: i64, is_done: bool) -> EntryChange {
    let receipt = Receipt {
        entry,
        day_total: minutes_of(day_total),
    };
    if is_done {
        EntryChange::Done(receipt)
    } else if receipt.entry.is_settled() {
        EntryChange::Settled(receipt)
    } else {
        EntryChange::Stale(receipt)
    }
}

impl Store {
    /// One of the person's entries, taken back or not.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn entry(
        &self,
        user_id: Uuid,
        entry_id: Uuid,
    ) -> Result<Option<TimeEntry>, StoreError> {
        let row: Option<EntryRow> = read!(self, db => {
            sqlx::query_as(select_entry!("user_id = $1 AND id = $2"))
                .bind(user_id)
                .bind(entry_id)
                .fetch_optional(db)
                .await
        })?;
        row.map(TimeEntry::try_from).transpose()
    }

    /// What Home shows: the sum of `day` and the last `limit` entries from `since` on.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn day_and_recent(
        &self,
        user_id: Uuid,
        day: NaiveDate,
        since: NaiveDate,
        limit: u32,
    ) -> Result<DayAndRecent, StoreError> {
        let (total, rows): ((i64,), Vec<EntryRow>) = tx!(self, conn => {
            let total = sqlx::query_as(DAY_TOTAL).bind(user_id).bind(day).fetch_one(&mut *conn).await?;
            let rows = sqlx::query_as(select_entry!(
                "user_id = $1 AND date >= $2 AND deleted_at IS NULL ORDER BY date DESC, id DESC LIMIT $3"
            ))
            .bind(user_id)
            .bind(since)
            .bind(i64::from(limit))
            .fetch_all(&mut *conn)
            .await?;
            Ok((total, rows))
        })?;
        Ok(DayAndRecent {
            day_total: minutes_of(total.0),
            recent: rows
                .into_iter()
                .map(TimeEntry::try_from)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Takes the entry back (`deleted`) or puts it back, if it still is at `version`. Doing again what
    /// the same press of a button has done already is answered in the same way.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn set_deleted(
        &self,
        user_id: Uuid,
        entry_id: Uuid,
        version: i32,
        deleted: bool,
        then: Option<&NewJob>,
    ) -> Result<EntryChange, StoreError> {
        let now = self.clock.now();
        let change = tx!(self, conn => {
            let changed: Option<EntryRow> = sqlx::query_as(
                "UPDATE time_entries SET deleted_at = $1, version = version + 1, updated_at = $2 \
                 WHERE user_id = $3 AND id = $4 AND version = $5 AND status IN ('pending', 'rejected') \
                 AND (deleted_at IS NULL) = $6 \
                 RETURNING id, user_id, source, status, description, date, started_at, ended_at, \
                 duration_minutes, typed_text, version, created_at, updated_at, deleted_at",
            )
            .bind(deleted.then_some(now))
            .bind(now)
            .bind(user_id)
            .bind(entry_id)
            .bind(version)
            .bind(deleted)
            .fetch_optional(&mut *conn)
            .await?;
            let is_changed = changed.is_some();
            let row = match changed {
                Some(row) => Some(row),
                None => {
                    sqlx::query_as(select_entry!("user_id = $1 AND id = $2"))
                        .bind(user_id)
                        .bind(entry_id)
                        .fetch_optional(&mut *conn)
                        .await?
                }
            };
            let Some(row) = row else { return Ok(EntryChange::Unknown) };
            let entry = TimeEntry::try_from(row)?;
            let (total,): (i64,) =
                sqlx::query_as(DAY_TOTAL).bind(user_id).bind(entry.date).fetch_one(&mut *conn).await?;
            if let (true, Some(job)) = (is_changed, then) {
                add_job!(self.clock, conn, job);
            }
            let is_done_before = entry.version == version + 1 && entry.deleted_at.is_some() == deleted;
            Ok(change_of(entry, total, is_changed || is_done_before))
        })?;
        self.job_added.notify_one();
        Ok(change)
    }

    /// Gives the entry another length, if it still is at `version`. It keeps its end; its beginning moves.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn change_duration(
        &self,
        user_id: Uuid,
        entry_id: Uuid,
        version: i32,
        duration: Minutes,
        then: Option<&NewJob>,
    ) -> Result<EntryChange, StoreError> {
        let now = self.clock.now();
        let minutes = i32::try_from(duration.get()).unwrap_or(i32::MAX);
        let change = tx!(self, conn => {
            let before: Option<EntryRow> = sqlx::query_as(select_entry!("user_id = $1 AND id = $2"))
                .bind(user_id)
                .bind(entry_id)
                .fetch_optional(&mut *conn)
                .await?;
            let Some(before) = before else { return Ok(EntryChange::Unknown) };
            let started_at = before.ended_at.map(|end| end - TimeDelta::minutes(i64::from(minutes)));
            let changed: Option<EntryRow> = sqlx::query_as(
                "UPDATE time_entries SET duration_minutes = $1, started_at = $2, version = version + 1, \
                 updated_at = $3 WHERE user_id = $4 AND id = $5 AND version = $6 AND deleted_at IS NULL \
                 AND status IN ('pending', 'rejected') \
                 RETURNING id, user_id, source, status, description, date, started_at, ended_at, \
                 duration_minutes, typed_text, version, created_at, updated_at, deleted_at",
            )
            .bind(minutes)
            .bind(started_at)
            .bind(now)
            .bind(user_id)
            .bind(entry_id)
            .bind(version)
            .fetch_optional(&mut *conn)
            .await?;
            let is_changed = changed.is_some();
            let entry = TimeEntry::try_from(changed.unwrap_or(before))?;
            let (total,): (i64,) =
                sqlx::query_as(DAY_TOTAL).bind(user_id).bind(entry.date).fetch_one(&mut *conn).await?;
            if let (true, Some(job)) = (is_changed, then) {
                add_job!(self.clock, conn, job);
            }
            let is_done_before = entry.version == version + 1 && entry.duration_minutes == duration;
            Ok(change_of(entry, total, is_changed || is_done_before))
        })?;
        self.job_added.notify_one();
        Ok(change)
    }

    /// Takes back the entry that was made last, within a day; `None` if there is none that may be
    /// taken back. Under the same `key` it takes back one entry, however often it is asked.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn undo_last(
        &self,
        user_id: Uuid,
        key: Uuid,
        then: Option<&NewJob>,
    ) -> Result<Option<Receipt>, StoreError> {
        let now = self.clock.now();
        let receipt = tx!(self, conn => {
            // The key is written first: of two replicas with the same request the second one waits here.
            let is_first = sqlx::query(
                "INSERT INTO idempotency_keys (user_id, key, answer, created_at) VALUES ($1, $2, 'null', $3) \
                 ON CONFLICT (user_id, key) DO NOTHING",
            )
            .bind(user_id)
            .bind(key)
            .bind(now)
            .execute(&mut *conn)
            .await?
            .rows_affected()
                == 1;
            if !is_first {
                let (answer,): (Json<Option<Receipt>>,) =
                    sqlx::query_as("SELECT answer FROM idempotency_keys WHERE user_id = $1 AND key = $2")
                        .bind(user_id)
                        .bind(key)
                        .fetch_one(&mut *conn)
                        .await?;
                return Ok(answer.0);
            }
            let row: Option<EntryRow> = sqlx::query_as(
                "UPDATE time_entries SET deleted_at = $2, version = version + 1, updated_at = $2 \
                 WHERE deleted_at IS NULL AND id = (SELECT id FROM time_entries WHERE user_id = $1 \
                 AND deleted_at IS NULL AND created_at > $3 AND status IN ('pending', 'rejected') \
                 ORDER BY id DESC LIMIT 1) \
                 RETURNING id, user_id, source, status, description, date, started_at, ended_at, \
                 duration_minutes, typed_text, version, created_at, updated_at, deleted_at",
            )
            .bind(user_id)
            .bind(now)
            .bind(now - UNDO_REACH)
            .fetch_optional(&mut *conn)
            .await?;
            let Some(row) = row else { return Ok(None) };
            let entry = TimeEntry::try_from(row)?;
            let (total,): (i64,) =
                sqlx::query_as(DAY_TOTAL).bind(user_id).bind(entry.date).fetch_one(&mut *conn).await?;
            let receipt = Receipt { entry, day_total: minutes_of(total) };
            sqlx::query("UPDATE idempotency_keys SET answer = $3 WHERE user_id = $1 AND key = $2")
                .bind(user_id)
                .bind(key)
                .bind(Json(Some(&receipt)))
                .execute(&mut *conn)
                .await?;
            if let Some(job) = then {
                add_job!(self.clock, conn, job);
            }
            Ok(Some(receipt))
        })?;
        self.job_added.notify_one();
        Ok(receipt)
    }

    /// Forgets the keys of requests that are older than `age`; by then no repetition comes any more.
    /// Returns how many were forgotten.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_requests_older_than(&self, age: TimeDelta) -> Result<u64, StoreError> {
        let before = self.clock.now() - age;
        tx!(self, conn => {
            let result = sqlx::query("DELETE FROM idempotency_keys WHERE created_at < $1")
                .bind(before)
                .execute(&mut *conn)
                .await?;
            Ok(result.rows_affected())
        })
    }
}
