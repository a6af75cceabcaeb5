//! A person's entries as lists show them, page after page.

use chrono::NaiveDate;
use uuid::Uuid;

use super::{
    Store, StoreError,
    entries::{EntryRow, entry_sql},
    read,
};
use crate::domain::time_entry::{EntrySource, EntryStatus, TimeEntry};

/// An entry with what stands elsewhere about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedEntry {
    /// The entry.
    pub entry: TimeEntry,
    /// For whom its project is.
    pub client_id: Option<Uuid>,
    /// The calendar event it was made of.
    pub event_id: Option<Uuid>,
}

/// Which of a person's entries are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryFilter {
    /// From this day on.
    pub from: NaiveDate,
    /// Up to this day.
    pub to: NaiveDate,
    /// Of this project only.
    pub project_id: Option<Uuid>,
    /// That came in so only.
    pub source: Option<EntrySource>,
    /// That stand there only.
    pub status: Option<EntryStatus>,
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    entry: EntryRow,
    client_id: Option<Uuid>,
    source_event_id: Option<Uuid>,
}

impl TryFrom<ListedRow> for ListedEntry {
    type Error = StoreError;

    fn try_from(row: ListedRow) -> Result<Self, StoreError> {
        Ok(Self {
            entry: row.entry.try_into()?,
            client_id: row.client_id,
            event_id: row.source_event_id,
        })
    }
}

/// A statement that gives entries with what stands elsewhere about them.
macro_rules! listed_sql {
    ($after:literal) => {
        entry_sql!(
            "SELECT (SELECT client_id FROM projects WHERE projects.id = project_id) AS client_id, source_event_id,",
            $after
        )
    };
}

impl Store {
    /// One of the person's entries that stand.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn listed_entry(
        &self,
        user_id: Uuid,
        entry_id: Uuid,
    ) -> Result<Option<ListedEntry>, StoreError> {
        let row: Option<ListedRow> = read!(self, db => {
            sqlx::query_as(listed_sql!(
                "FROM time_entries WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL"
            ))
            .bind(user_id)
            .bind(entry_id)
            .fetch_optional(db)
            .await
        })?;
        row.map(ListedEntry::try_from).transpose()
    }

    /// The person's entries that stand, the newest day first and in it the latest entry first, from behind the one
    /// with this day and id. A page deep in the list is found as fast as the first.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn entries_before(
        &self,
        user_id: Uuid,
        filter: &EntryFilter,
        (date, id): (NaiveDate, Uuid),
        limit: u32,
    ) -> Result<Vec<ListedEntry>, StoreError> {
        let rows: Vec<ListedRow> = read!(self, db => {
            sqlx::query_as(listed_sql!(
                "FROM time_entries WHERE user_id = $1 AND date >= $2 AND (date, id) < ($3, $4) \
                 AND deleted_at IS NULL AND ($5 OR project_id = $6) AND ($7 OR source = $8) AND ($9 OR status = $10) \
                 ORDER BY date DESC, id DESC LIMIT $11"
            ))
            .bind(user_id)
            .bind(filter.from)
            .bind(date)
            .bind(id)
            .bind(filter.project_id.is_none())
            .bind(filter.project_id)
            .bind(filter.source.is_none())
            .bind(filter.source.map(EntrySource::as_str))
            .bind(filter.status.is_none())
            .bind(filter.status.map(EntryStatus::as_str))
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        rows.into_iter().map(ListedEntry::try_from).collect()
    }
}
