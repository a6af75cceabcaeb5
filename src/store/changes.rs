//! Changing entries, and writing every change down with what was before, so that one mechanism undoes all of
//! them (`undo.rs`).
//!
//! A change names the version of each entry it was made for; if that is no longer the entry's, nothing is
//! done. Versions only rise.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError,
    entries::{EntryRow, day_total, entry_sql},
    jobs::add_job,
    tx,
};
use crate::domain::{
    time_entry::{ChangeKind, Changed, EntryFields, Receipt, TimeEntry},
    timer::Timer,
};

/// What became of a change to an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryChange {
    /// It was done, now or by the same request earlier.
    Done(Box<Changed>),
    /// The entry has changed since the version that was named. Nothing was done; this is how it is now.
    Stale(Receipt),
    /// The entry is approved or billed, and no longer the person's to change.
    Settled(Receipt),
    /// The timer that would run on cannot, because another one runs, or none that was meant.
    OtherTimer(Option<Timer>),
    /// The person has no such entry.
    Unknown,
}

/// What is to be done to one entry at one version.
#[derive(Clone, Debug)]
pub struct Step {
    /// The entry.
    pub entry_id: Uuid,
    /// The version that the person saw.
    pub version: i32,
    /// What it is to be then; `None` to delete it.
    pub to: Option<EntryFields>,
}

#[derive(sqlx::FromRow)]
pub(super) struct ChangeRow {
    pub(super) id: Uuid,
    kind: String,
    pub(super) is_undo: bool,
    pub(super) timer_before: Option<Json<Timer>>,
    pub(super) timer_after: Option<Json<Timer>>,
    pub(super) undone_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
pub(super) struct StepRow {
    pub(super) entry_id: Uuid,
    pub(super) version_after: i32,
    pub(super) entry_before: Option<Json<TimeEntry>>,
}

impl ChangeRow {
    pub(super) fn kind(&self) -> Result<ChangeKind, StoreError> {
        self.kind
            .parse()
            .map_err(|problem| StoreError::unreadable("changes", "kind", self.id, problem))
    }
}

/// Takes the person for this transaction: whoever changes anything of theirs does so first, and so no two
/// changes wait for each other.
macro_rules! take_person {
    ($conn:ident, $user_id:expr) => {
        sqlx::query("UPDATE users SET updated_at = updated_at WHERE id = $1")
            .bind($user_id)
            .execute(&mut *$conn)
            .await?
    };
}
pub(super) use take_person;

/// Takes the entry for this transaction and gives its row: the update that changes nothing makes others wait.
macro_rules! take_entry {
    ($conn:ident, $user_id:expr, $entry_id:expr) => {{
        let row: Option<EntryRow> = sqlx::query_as(entry_sql!(
            "UPDATE time_entries SET version = version WHERE user_id = $1 AND id = $2 RETURNING",
            ""
        ))
        .bind($user_id)
        .bind($entry_id)
        .fetch_optional(&mut *$conn)
        .await?;
        row.map(TimeEntry::try_from).transpose()?
    }};
}
pub(super) use take_entry;

/// Writes what an entry is to be, as its next version, and gives it.
macro_rules! put_entry {
    ($conn:ident, $now:expr, $entry:expr, $fields:expr, $deleted_at:expr) => {{
        let (entry, fields): (&TimeEntry, &EntryFields) = ($entry, $fields);
        let row: EntryRow = sqlx::query_as(entry_sql!(
            "UPDATE time_entries SET description = $3, date = $4, started_at = $5, ended_at = $6, is_timed = $7, \
             duration_minutes = $8, project_id = $9, billable = $10, tags = $11, deleted_at = $12, \
             updated_at = $13, version = version + 1 WHERE user_id = $1 AND id = $2 RETURNING",
            ""
        ))
        .bind(entry.user_id)
        .bind(entry.id)
        .bind(&fields.description)
        .bind(fields.date)
        .bind(fields.span.map(|(start, _)| start))
        .bind(fields.span.map(|(_, end)| end))
        .bind(fields.is_timed)
        .bind(i32::try_from(fields.duration.get()).unwrap_or(i32::MAX))
        .bind(fields.project.as_ref().map(|project| project.id))
        .bind(fields.billable)
        .bind(Json(&fields.tags))
        .bind($deleted_at)
        .bind($now)
        .fetch_one(&mut *$conn)
        .await?;
        let after = TimeEntry::try_from(row)?;
        if entry.source == $crate::domain::time_entry::EntrySource::Calendar {
            // Taken back, its meeting waits again, unless it has left the calendar; put back, it does not.
            let is_taken_back = after.deleted_at.is_some();
            sqlx::query(
                "UPDATE synced_calendar_events SET state = CASE WHEN $2 THEN 'logged' \
                 WHEN removed_at IS NULL THEN 'suggested' ELSE 'gone' END, is_synced = $2, dismissed_at = NULL, \
                 updated_at = $3 WHERE time_entry_id = $1",
            )
            .bind(entry.id)
            .bind(!is_taken_back)
            .bind($now)
            .execute(&mut *$conn)
            .await?;
        }
        after
    }};
}
pub(super) use put_entry;

/// The entry with its day in sum.
macro_rules! receipt {
    ($conn:ident, $entry:expr) => {{
        let entry: TimeEntry = $entry;
        let day_total = day_total!($conn, entry.user_id, entry.date);
        Receipt { entry, day_total }
    }};
}
pub(super) use receipt;

/// What stands in the way of changing the entry: it is settled, or it is not at this version.
macro_rules! unless_in_the_way {
    ($conn:ident, $entry:expr, $version:expr) => {{
        let entry: &TimeEntry = $entry;
        if entry.is_settled() {
            return Ok(EntryChange::Settled(receipt!($conn, entry.clone())));
        }
        if entry.version != $version {
            return Ok(EntryChange::Stale(receipt!($conn, entry.clone())));
        }
    }};
}
pub(super) use unless_in_the_way;

/// Writes a change down. Each step is an entry after it, and before it.
macro_rules! note_change {
    ($store:expr, $conn:ident, $user_id:expr, $kind:expr, $is_undo:expr, $timers:expr, $steps:expr) => {{
        let id = $store.clock.new_id();
        let timers: (Option<&Timer>, Option<&Timer>) = $timers;
        sqlx::query(
            "INSERT INTO changes (id, user_id, kind, is_undo, timer_before, timer_after) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind($user_id)
        .bind($kind.as_str())
        .bind($is_undo)
        .bind(timers.0.map(Json))
        .bind(timers.1.map(Json))
        .execute(&mut *$conn)
        .await?;
        let steps: &[(TimeEntry, Option<TimeEntry>)] = $steps;
        for (after, before) in steps {
            sqlx::query(
                "INSERT INTO change_steps (change_id, entry_id, version_after, entry_before) \
                 VALUES ($1, $2, $3, $4)",
            )
            .bind(id)
            .bind(after.id)
            .bind(after.version)
            .bind(before.as_ref().map(Json))
            .execute(&mut *$conn)
            .await?;
        }
    }};
}
pub(super) use note_change;

/// What is reported of a change whose steps are these.
macro_rules! changed {
    ($conn:ident, $kind:expr, $is_undo:expr, $timers:expr, $steps:expr) => {{
        let mut steps = $steps.into_iter();
        let first: Option<(TimeEntry, Option<TimeEntry>)> = steps.next();
        let (receipt, before) = match first {
            Some((after, before)) => (Some(receipt!($conn, after)), before),
            None => (None, None),
        };
        let (timer_before, timer_after): (Option<Timer>, Option<Timer>) = $timers;
        Changed {
            kind: $kind,
            is_undo: $is_undo,
            receipt,
            before,
            other: steps.next().map(|(after, _)| after),
            timer_before,
            timer_after,
        }
    }};
}
pub(super) use changed;

/// The change that made this version of an entry.
macro_rules! change_of {
    ($conn:ident, $user_id:expr, $entry_id:expr, $version:expr) => {{
        let change: Option<ChangeRow> = sqlx::query_as(
            "SELECT c.id, c.kind, c.is_undo, c.timer_before, c.timer_after, c.undone_at FROM changes c \
             JOIN change_steps s ON s.change_id = c.id \
             WHERE c.user_id = $1 AND s.entry_id = $2 AND s.version_after = $3 ORDER BY c.id DESC LIMIT 1",
        )
        .bind($user_id)
        .bind($entry_id)
        .bind($version)
        .fetch_optional(&mut *$conn)
        .await?;
        change
    }};
}
pub(super) use change_of;

/// The last change that this timer went away by or was changed by, and that stands.
macro_rules! timer_change {
    ($conn:ident, $user_id:expr, $timer:expr) => {{
        let timer: (Uuid, i32) = $timer;
        // Looked through here, because the two databases keep JSON differently; they are few.
        let changes: Vec<ChangeRow> = sqlx::query_as(
            "SELECT id, kind, is_undo, timer_before, timer_after, undone_at FROM changes \
             WHERE user_id = $1 AND timer_before IS NOT NULL AND undone_at IS NULL \
             ORDER BY id DESC LIMIT 100",
        )
        .bind($user_id)
        .fetch_all(&mut *$conn)
        .await?;
        changes.into_iter().find(|change| {
            let before = change.timer_before.as_ref();
            before.is_some_and(|before| (before.id, before.version) == timer)
        })
    }};
}
pub(super) use timer_change;

/// What a request was answered with, where it was a change; `null` is nothing.
pub(super) fn answered(
    answer: serde_json::Value,
    key: Uuid,
) -> Result<Option<Changed>, StoreError> {
    serde_json::from_value(answer)
        .map_err(|problem| StoreError::unreadable("idempotency_keys", "answer", key, problem))
}

/// The smallest id that could have been made at this instant: ids begin with their milliseconds.
pub(super) fn first_id_at(instant: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(instant.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

impl Store {
    /// Does all of the steps or none, and writes the change down. The first step names the entry that is
    /// reported. Doing again what the same press of a button has done already is answered in the same way.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn change_entries(
        &self,
        user_id: Uuid,
        kind: ChangeKind,
        steps: &[Step],
        then: Option<&NewJob>,
    ) -> Result<EntryChange, StoreError> {
        let now = self.clock.now();
        let change = tx!(self, conn => {
            take_person!(conn, user_id);
            let mut entries = Vec::with_capacity(steps.len());
            for step in steps {
                let Some(entry) = take_entry!(conn, user_id, step.entry_id) else {
                    return Ok(EntryChange::Unknown);
                };
                entries.push(entry);
            }
            // The same press once more. What was reckoned from the entry as it then was comes out otherwise
            // now, so only what the person chose is compared.
            let is_repeated = steps.iter().zip(&entries).all(|(step, entry)| {
                let is_same = |to: &EntryFields| match kind {
                    ChangeKind::Flip | ChangeKind::Merge => true,
                    ChangeKind::Move => entry.date == to.date,
                    _ => entry.fields() == *to,
                };
                entry.version == step.version + 1
                    && step.to.as_ref().map_or(entry.deleted_at.is_some(), is_same)
            });
            if is_repeated
                && let Some(first) = entries.first()
                && let Some(change) = change_of!(conn, user_id, first.id, first.version)
                && change.kind()? == kind
                && !change.is_undo
                && change.undone_at.is_none()
            {
                let before: Vec<StepRow> = sqlx::query_as(
                    "SELECT entry_id, version_after, entry_before FROM change_steps WHERE change_id = $1",
                )
                .bind(change.id)
                .fetch_all(&mut *conn)
                .await?;
                let before = |id| {
                    let step = before.iter().find(|step| step.entry_id == id)?;
                    step.entry_before.as_ref().map(|entry| entry.0.clone())
                };
                let done = entries.into_iter().map(|entry| (before(entry.id), entry)).map(|(b, e)| (e, b));
                let done: Vec<_> = done.collect();
                return Ok(EntryChange::Done(Box::new(changed!(conn, kind, false, (None, None), done))));
            }
            for (step, entry) in steps.iter().zip(&entries) {
                unless_in_the_way!(conn, entry, step.version);
                if entry.deleted_at.is_some() {
                    return Ok(EntryChange::Stale(receipt!(conn, entry.clone())));
                }
            }
            let mut done = Vec::with_capacity(steps.len());
            for (step, entry) in steps.iter().zip(entries) {
                let after = match &step.to {
                    Some(fields) => put_entry!(conn, now, &entry, fields, None::<DateTime<Utc>>),
                    None => put_entry!(conn, now, &entry, &entry.fields(), Some(now)),
                };
                done.push((after, Some(entry)));
            }
            note_change!(self, conn, user_id, kind, false, (None, None), &done);
            if let Some(job) = then {
                add_job!(self.clock, conn, job);
            }
            Ok(EntryChange::Done(Box::new(changed!(conn, kind, false, (None, None), done))))
        })?;
        self.wake_workers();
        Ok(change)
    }

    /// Forgets the keys of requests, and changes, that are older than `age`: no repetition comes any more,
    /// and nobody takes them back. Returns how many keys were forgotten.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_requests_older_than(&self, age: TimeDelta) -> Result<u64, StoreError> {
        let before = self.clock.now() - age;
        tx!(self, conn => {
            sqlx::query("DELETE FROM changes WHERE id < $1")
                .bind(first_id_at(before))
                .execute(&mut *conn)
                .await?;
            sqlx::query("DELETE FROM api_requests WHERE created_at < $1")
                .bind(before)
                .execute(&mut *conn)
                .await?;
            let result = sqlx::query("DELETE FROM idempotency_keys WHERE created_at < $1")
                .bind(before)
                .execute(&mut *conn)
                .await?;
            Ok(result.rows_affected())
        })
    }
}
