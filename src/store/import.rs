//! Entries that come from a file. Their ids are made of what they say, so that the same row is the same entry.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::{Store, StoreError, entries::insert_entry, read, tx};
use crate::domain::time_entry::{EntrySource, EntryStatus, TimeEntry};

/// An entry that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownEntry {
    /// Whose it is.
    pub user_id: Uuid,
    /// Whether it was taken back or deleted.
    pub is_deleted: bool,
}

/// The day, the beginning and the length in minutes of an entry.
pub type EntryTimes = (NaiveDate, DateTime<Utc>, i32);

impl Store {
    /// Which of these ids there are entries of already. At most 1,000 are asked about.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn known_entries(
        &self,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, KnownEntry>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<(Uuid, Uuid, bool)> = read!(self, db => {
            let mut query = QueryBuilder::new(
                "SELECT id, user_id, deleted_at IS NOT NULL FROM time_entries WHERE id IN (",
            );
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            query.push(")");
            query.build_query_as().fetch_all(db).await
        })?;
        let known = |(id, user_id, is_deleted)| {
            let known = KnownEntry {
                user_id,
                is_deleted,
            };
            (id, known)
        };
        Ok(rows.into_iter().map(known).collect())
    }

    /// The times of the person's entries that begin when one of these does, however they came in. At most 1,000 are
    /// asked about.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn same_times(
        &self,
        user_id: Uuid,
        times: &[EntryTimes],
    ) -> Result<HashSet<EntryTimes>, StoreError> {
        if times.is_empty() {
            return Ok(HashSet::new());
        }
        let rows: Vec<EntryTimes> = read!(self, db => {
            let mut query = QueryBuilder::new(
                "SELECT date, started_at, duration_minutes FROM time_entries WHERE user_id = ",
            );
            query.push_bind(user_id);
            query.push(" AND deleted_at IS NULL AND date BETWEEN ");
            query.push_bind(times.iter().map(|(date, ..)| *date).min());
            query.push(" AND ");
            query.push_bind(times.iter().map(|(date, ..)| *date).max());
            query.push(" AND started_at IN (");
            let mut list = query.separated(", ");
            for (_, started_at, _) in times {
                list.push_bind(*started_at);
            }
            query.push(")");
            query.build_query_as().fetch_all(db).await
        })?;
        Ok(rows.into_iter().collect())
    }

    /// Removes those of these entries of the person's that were imported, with this status, and that nobody has changed
    /// since, and says how many those were. At most 1,000 are asked about.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_imported(
        &self,
        user_id: Uuid,
        status: EntryStatus,
        ids: &[Uuid],
    ) -> Result<u64, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        tx!(self, conn => {
            let mut query = QueryBuilder::new("DELETE FROM time_entries WHERE user_id = ");
            query.push_bind(user_id);
            query.push(" AND version = 1 AND deleted_at IS NULL AND source = ");
            query.push_bind(EntrySource::Import.as_str());
            query.push(" AND status = ");
            query.push_bind(status.as_str());
            query.push(" AND id IN (");
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            query.push(")");
            Ok(query.build().execute(&mut *conn).await?.rows_affected())
        })
    }

    /// Stores the entries whose ids there are none of yet, all or none of them, and says how many those were. One
    /// that is there already stays as it is, taken back or not.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn import_entries(&self, entries: &[TimeEntry]) -> Result<u64, StoreError> {
        tx!(self, conn => {
            let mut new = 0;
            for entry in entries {
                new += insert_entry!(conn, entry, None::<Uuid>, "ON CONFLICT (id) DO NOTHING");
            }
            Ok(new)
        })
    }
}
