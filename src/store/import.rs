//! Entries that come from a file. Their ids are made of what they say, so that the same row is the same entry.

use std::collections::HashSet;

use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::{Store, StoreError, read, tx};
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
                new += sqlx::query(
                    "INSERT INTO time_entries (id, user_id, source, status, description, date, started_at, \
                     ended_at, is_timed, duration_minutes, project_id, billable, tags, permalink, typed_text, \
                     version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
                     $13, $14, $15, 1, $16, $16) ON CONFLICT (id) DO NOTHING",
                )
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
                .bind(entry.created_at)
                .execute(&mut *conn)
                .await?
                .rows_affected();
            }
            Ok(new)
        })
    }
}
