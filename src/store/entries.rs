//! Time entries: reading them, and writing one. Making many in one commit is in `commit.rs`, changing them in
//! `changes.rs`.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Store, StoreError, read, tx};
use crate::domain::{minutes::Minutes, project::ProjectRef, time_entry::TimeEntry};

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
    is_timed: bool,
    duration_minutes: i32,
    project_id: Option<Uuid>,
    project_slug: Option<String>,
    billable: bool,
    tags: Json<Vec<String>>,
    permalink: Option<String>,
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
            is_timed: row.is_timed,
            project: project_ref(row.project_id, row.project_slug),
            billable: row.billable,
            tags: row.tags.0,
            permalink: row.permalink,
            typed_text: row.typed_text,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        })
    }
}

/// A project as it is joined to the rows that name it.
pub(super) fn project_ref(id: Option<Uuid>, slug: Option<String>) -> Option<ProjectRef> {
    Some(ProjectRef {
        id: id?,
        slug: slug?,
    })
}

/// A statement that gives entries: `"… {} …"` with the columns of [`EntryRow`] in the middle.
macro_rules! entry_sql {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " id, user_id, source, status, description, date, started_at, ended_at, is_timed, duration_minutes, \
             project_id, (SELECT slug FROM projects WHERE projects.id = project_id) AS project_slug, billable, \
             tags, permalink, typed_text, version, created_at, updated_at, deleted_at ",
            $after
        )
    };
}
pub(super) use entry_sql;

/// Writes an entry, and the event that it is made of if it is. `$rest` is what follows in the statement; the value is
/// how many rows were written.
macro_rules! insert_entry {
    ($conn:ident, $entry:expr, $event_id:expr, $rest:literal) => {{
        let entry: &TimeEntry = $entry;
        sqlx::query(concat!(
            "INSERT INTO time_entries (id, user_id, source, status, description, date, started_at, ended_at, \
             is_timed, duration_minutes, project_id, billable, tags, permalink, typed_text, version, created_at, \
             updated_at, source_event_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
             $16, $17, $17, $18) ",
            $rest
        ))
        .bind(entry.id)
        .bind(entry.user_id)
        .bind(entry.source.as_str())
        .bind(entry.status.as_str())
        .bind(&entry.description)
        .bind(entry.date)
        .bind(entry.started_at)
        .bind(entry.ended_at)
        .bind(entry.is_timed)
        .bind(i32::try_from(entry.duration_minutes.get()).unwrap_or(i32::MAX))
        .bind(entry.project.as_ref().map(|project| project.id))
        .bind(entry.billable)
        .bind(Json(&entry.tags))
        .bind(entry.permalink.as_deref())
        .bind(entry.typed_text.as_deref())
        .bind(entry.version)
        .bind(entry.created_at)
        .bind($event_id)
        .execute(&mut *$conn)
        .await?
        .rows_affected()
    }};
}
pub(super) use insert_entry;

/// The sum of a person's day, inside a transaction.
macro_rules! day_total {
    ($conn:ident, $user_id:expr, $date:expr) => {{
        let (sum,): (i64,) = sqlx::query_as(
            "SELECT CAST(COALESCE(SUM(duration_minutes), 0) AS BIGINT) FROM time_entries \
             WHERE user_id = $1 AND date = $2 AND deleted_at IS NULL",
        )
        .bind($user_id)
        .bind($date)
        .fetch_one(&mut *$conn)
        .await?;
        $crate::store::entries::minutes_of(sum)
    }};
}
pub(super) use day_total;

pub(super) fn minutes_of(sum: i64) -> Minutes {
    Minutes::new(u32::try_from(sum).unwrap_or(u32::MAX))
}

pub(super) fn entries_of(rows: Vec<EntryRow>) -> Result<Vec<TimeEntry>, StoreError> {
    rows.into_iter().map(TimeEntry::try_from).collect()
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
            sqlx::query_as(entry_sql!("SELECT", "FROM time_entries WHERE user_id = $1 AND id = $2"))
                .bind(user_id)
                .bind(entry_id)
                .fetch_optional(db)
                .await
        })?;
        row.map(TimeEntry::try_from).transpose()
    }

    /// The sum of a person's day.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn day_total(&self, user_id: Uuid, date: NaiveDate) -> Result<Minutes, StoreError> {
        tx!(self, conn => { Ok(day_total!(conn, user_id, date)) })
    }

    /// The person's entries, the newest day first and in it the latest entry first, after the first `skip`.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn last_entries(
        &self,
        user_id: Uuid,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<TimeEntry>, StoreError> {
        let rows: Vec<EntryRow> = read!(self, db => {
            sqlx::query_as(entry_sql!(
                "SELECT",
                "FROM time_entries WHERE user_id = $1 AND deleted_at IS NULL \
                 ORDER BY date DESC, id DESC LIMIT $2 OFFSET $3"
            ))
            .bind(user_id)
            .bind(i64::from(limit))
            .bind(i64::from(skip))
            .fetch_all(db)
            .await
        })?;
        entries_of(rows)
    }

    /// When the last entry of the person's day ended, if any of them has an end.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn last_end_on(
        &self,
        user_id: Uuid,
        date: NaiveDate,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let row: Option<(DateTime<Utc>,)> = read!(self, db => {
            sqlx::query_as(
                "SELECT ended_at FROM time_entries WHERE user_id = $1 AND date = $2 AND deleted_at IS NULL \
                 AND ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 1",
            )
            .bind(user_id)
            .bind(date)
            .fetch_optional(db)
            .await
        })?;
        Ok(row.map(|(end,)| end))
    }

    /// The person's entries whose times somebody gave and that share time with this one, the earliest first;
    /// at most `limit`. Where nobody gave an entry's times, it was placed, and nobody is warned of it.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn overlapping(
        &self,
        entry: &TimeEntry,
        limit: u32,
    ) -> Result<Vec<TimeEntry>, StoreError> {
        let Some((start, end)) = entry.started_at.zip(entry.ended_at) else {
            return Ok(Vec::new());
        };
        // The days beside it, too: a night belongs to the day it began.
        let rows: Vec<EntryRow> = read!(self, db => {
            sqlx::query_as(entry_sql!(
                "SELECT",
                "FROM time_entries WHERE user_id = $1 AND date BETWEEN $2 AND $3 AND deleted_at IS NULL \
                 AND is_timed AND started_at < $4 AND ended_at > $5 AND id <> $6 ORDER BY started_at, id LIMIT $7"
            ))
            .bind(entry.user_id)
            .bind(entry.date - TimeDelta::days(1))
            .bind(entry.date + TimeDelta::days(1))
            .bind(end)
            .bind(start)
            .bind(entry.id)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        entries_of(rows)
    }
}
