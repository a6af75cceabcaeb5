//! Entries that come from a file. Their ids are made of what they say, so that the same row is the same entry.

use std::collections::HashSet;

use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::{Store, StoreError, entries::insert_entry, read, tx};
use crate::domain::time_entry::TimeEntry;

impl Store {
    /// Which of these ids there are entries of already, taken back or not. At most 1,000 are asked about.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn known_entries(&self, ids: &[Uuid]) -> Result<HashSet<Uuid>, StoreError> {
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let rows: Vec<(Uuid,)> = read!(self, db => {
            let mut query = QueryBuilder::new("SELECT id FROM time_entries WHERE id IN (");
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            query.push(")");
            query.build_query_as().fetch_all(db).await
        })?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
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
