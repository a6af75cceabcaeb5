//! Several meetings logged or skipped with one press, and taken back with one.
//!
//! What a press did is kept under its key, so that a second press is answered with what the first one did, and so
//! that all of it can be taken back as one step. It is kept as long as every other request.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError,
    changes::{ChangeRow, change_of, note_change, put_entry, take_entry, take_person},
    entries::{EntryRow, entry_sql, insert_entry},
    events::note_logged,
    jobs::add_job,
    tx,
};
use crate::domain::{
    minutes::Minutes,
    time_entry::{ChangeKind, EntryFields, EntrySource, TimeEntry},
    timer::Timer,
};

/// What was done to the meetings of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchOf {
    /// Each became an entry.
    Logged,
    /// Each was skipped.
    Skipped,
}

/// Several meetings that were dealt with at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The key of the request, by which it is taken back.
    pub key: Uuid,
    /// What was done.
    pub of: BatchOf,
    /// How many meetings.
    pub count: usize,
    /// How long they are together.
    pub total: Minutes,
    /// Those of them that stay as they are though they were to be taken back: they were changed meanwhile.
    pub kept: usize,
}

/// A batch as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    of: BatchOf,
    /// The meetings.
    events: Vec<Uuid>,
    /// The entries that were made of them, and at which version.
    entries: Vec<(Uuid, i32)>,
    minutes: u32,
}

impl Kept {
    fn batch(&self, key: Uuid, kept: usize) -> Batch {
        Batch {
            key,
            of: self.of,
            count: self.events.len() - kept,
            total: Minutes::new(self.minutes),
            kept,
        }
    }
}

/// What was kept under a key, if anything.
macro_rules! kept {
    ($conn:ident, $user_id:expr, $key:expr) => {{
        let row: Option<(Json<serde_json::Value>,)> =
            sqlx::query_as("SELECT answer FROM idempotency_keys WHERE user_id = $1 AND key = $2")
                .bind($user_id)
                .bind($key)
                .fetch_optional(&mut *$conn)
                .await?;
        match row {
            Some((Json(answer),)) => Some(serde_json::from_value::<Kept>(answer).map_err(|e| {
                StoreError::unreadable("idempotency_keys", "answer", $key, e.to_string())
            })?),
            None => None,
        }
    }};
}

/// Keeps what was done, over what was done under the same key before it was taken back.
macro_rules! keep {
    ($conn:ident, $user_id:expr, $key:expr, $kept:expr, $now:expr) => {
        sqlx::query(
            "INSERT INTO idempotency_keys (user_id, key, answer, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (user_id, key) DO UPDATE SET answer = excluded.answer, created_at = excluded.created_at",
        )
        .bind($user_id)
        .bind($key)
        .bind(Json($kept))
        .bind($now)
        .execute(&mut *$conn)
        .await?
    };
}

impl Store {
    /// Makes an entry of each of these meetings that still waits, all or none of them. Where none waits any more, the
    /// answer is what was done under this key; `None` where nothing was.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn log_events(
        &self,
        user_id: Uuid,
        key: Uuid,
        events: &[(Uuid, EntryFields)],
        then: Option<&NewJob>,
    ) -> Result<Option<Batch>, StoreError> {
        let now = self.clock.now();
        let batch = tx!(self, conn => {
            take_person!(conn, user_id);
            let (mut done, mut steps, mut minutes) = (Vec::new(), Vec::new(), 0);
            for (event_id, fields) in events {
                let waits: Option<(Option<Uuid>,)> = sqlx::query_as(
                    "SELECT time_entry_id FROM synced_calendar_events WHERE user_id = $1 AND id = $2 \
                     AND state = 'suggested'",
                )
                .bind(user_id)
                .bind(event_id)
                .fetch_optional(&mut *conn)
                .await?;
                let Some((entry_id,)) = waits else { continue };
                let before = match entry_id {
                    Some(entry_id) => take_entry!(conn, user_id, entry_id),
                    None => None,
                };
                let after = match &before {
                    // Logged once and taken back: it is the same entry.
                    Some(before) => put_entry!(conn, now, before, fields, None::<DateTime<Utc>>),
                    None => {
                        let id = self.clock.new_id();
                        let entry = fields.clone().into_entry(id, user_id, EntrySource::Calendar, now);
                        insert_entry!(conn, &entry, Some(event_id), "");
                        entry
                    }
                };
                note_logged!(conn, event_id, after.id, now);
                minutes += after.duration_minutes.get();
                done.push(*event_id);
                steps.push((after, before));
            }
            if done.is_empty() {
                let kept = kept!(conn, user_id, key);
                return Ok(kept.map(|kept| kept.batch(key, 0)));
            }
            note_change!(
                self, conn, user_id, ChangeKind::Create, false, (None::<&Timer>, None), &steps
            );
            let kept = Kept {
                of: BatchOf::Logged,
                events: done,
                entries: steps.iter().map(|(after, _)| (after.id, after.version)).collect(),
                minutes,
            };
            keep!(conn, user_id, key, &kept, now);
            if let Some(job) = then {
                add_job!(self.clock, conn, job);
            }
            Ok(Some(kept.batch(key, 0)))
        })?;
        self.wake_workers();
        Ok(batch)
    }

    /// Skips each of these meetings that still waits, all or none of them; each comes with its length in minutes.
    /// Where none waits any more, the answer is what was done under this key; `None` where nothing was.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn skip_events(
        &self,
        user_id: Uuid,
        key: Uuid,
        events: &[(Uuid, Minutes)],
        then: Option<&NewJob>,
    ) -> Result<Option<Batch>, StoreError> {
        let now = self.clock.now();
        let batch = tx!(self, conn => {
            take_person!(conn, user_id);
            let (mut done, mut minutes) = (Vec::new(), 0);
            for (event_id, length) in events {
                let skipped = sqlx::query(
                    "UPDATE synced_calendar_events SET state = 'dismissed', dismissed_at = $3, updated_at = $3 \
                     WHERE user_id = $1 AND id = $2 AND state = 'suggested'",
                )
                .bind(user_id)
                .bind(event_id)
                .bind(now)
                .execute(&mut *conn)
                .await?;
                if skipped.rows_affected() == 1 {
                    done.push(*event_id);
                    minutes += length.get();
                }
            }
            if done.is_empty() {
                let kept = kept!(conn, user_id, key);
                return Ok(kept.map(|kept| kept.batch(key, 0)));
            }
            let kept = Kept { of: BatchOf::Skipped, events: done, entries: Vec::new(), minutes };
            keep!(conn, user_id, key, &kept, now);
            if let Some(job) = then {
                add_job!(self.clock, conn, job);
            }
            Ok(Some(kept.batch(key, 0)))
        })?;
        self.wake_workers();
        Ok(batch)
    }

    /// Takes a batch back: its meetings wait again. An entry that was changed or settled meanwhile stays. Asked twice,
    /// it is answered twice and done once. `None` if there is no such batch of the person's.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn undo_batch(
        &self,
        user_id: Uuid,
        key: Uuid,
        then: Option<&NewJob>,
    ) -> Result<Option<Batch>, StoreError> {
        let now = self.clock.now();
        let batch = tx!(self, conn => {
            take_person!(conn, user_id);
            let Some(batch) = kept!(conn, user_id, key) else {
                return Ok(None);
            };
            let mut left = 0;
            match batch.of {
                BatchOf::Skipped => {
                    for event_id in &batch.events {
                        sqlx::query(
                            "UPDATE synced_calendar_events SET state = CASE WHEN removed_at IS NULL \
                             THEN 'suggested' ELSE 'gone' END, dismissed_at = NULL, updated_at = $3 \
                             WHERE user_id = $1 AND id = $2 AND state = 'dismissed'",
                        )
                        .bind(user_id)
                        .bind(event_id)
                        .bind(now)
                        .execute(&mut *conn)
                        .await?;
                    }
                }
                BatchOf::Logged => {
                    let mut steps = Vec::new();
                    for (entry_id, version) in &batch.entries {
                        let Some(entry) = take_entry!(conn, user_id, *entry_id) else { continue };
                        if entry.deleted_at.is_some() {
                            continue;
                        }
                        if entry.is_settled() || entry.version != *version {
                            left += 1;
                            continue;
                        }
                        let after = put_entry!(conn, now, &entry, &entry.fields(), Some(now));
                        steps.push((after, Some(entry)));
                    }
                    if let Some((entry_id, version)) = batch.entries.first()
                        && let Some(change) = change_of!(conn, user_id, *entry_id, *version)
                    {
                        sqlx::query("UPDATE changes SET undone_at = $2 WHERE id = $1")
                            .bind(change.id)
                            .bind(now)
                            .execute(&mut *conn)
                            .await?;
                    }
                    if !steps.is_empty() {
                        note_change!(
                            self, conn, user_id, ChangeKind::Create, true, (None::<&Timer>, None), &steps
                        );
                    }
                }
            }
            if let Some(job) = then {
                add_job!(self.clock, conn, job);
            }
            Ok(Some(batch.batch(key, left)))
        })?;
        self.wake_workers();
        Ok(batch)
    }
}
