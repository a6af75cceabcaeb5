//! Changing entries and timers, and taking changes back.
//!
//! Every change is written down with what was before, so that one mechanism undoes all of them. A change
//! names the version of each entry it was made for; if that is no longer the entry's, nothing is done.
//! Taking a change back is a change, too, and can be taken back.
//!
//! Versions only rise. Where taking back brings an older state to life again, the changes that led to that
//! state are told its new version, so that one can go on step by step.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError,
    entries::{EntryRow, day_total, entry_sql},
    jobs::add_job,
    timers::{TimerRow, put_timer, take_timer, timer_sql},
    tx,
};
use crate::domain::{
    time_entry::{ChangeKind, Changed, EntryFields, Receipt, TimeEntry},
    timer::Timer,
};

/// How far back `undo` without naming an entry reaches.
const UNDO_REACH: TimeDelta = TimeDelta::hours(24);
/// How many changes it looks at to find one that can still be taken back.
const UNDO_TRIES: i64 = 50;

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

/// What an undo was answered with, kept for a repetition of the same request.
type UndoAnswer = Json<serde_json::Value>;

#[derive(sqlx::FromRow)]
pub(super) struct ChangeRow {
    pub(super) id: Uuid,
    kind: String,
    is_undo: bool,
    pub(super) timer_before: Option<Json<Timer>>,
    pub(super) timer_after: Option<Json<Timer>>,
    undone_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct StepRow {
    entry_id: Uuid,
    version_after: i32,
    entry_before: Option<Json<TimeEntry>>,
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
        TimeEntry::try_from(row)?
    }};
}

/// The entry with its day in sum.
macro_rules! receipt {
    ($conn:ident, $entry:expr) => {{
        let entry: TimeEntry = $entry;
        let day_total = day_total!($conn, entry.user_id, entry.date);
        Receipt { entry, day_total }
    }};
}

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

/// The state of `$before` is alive again as `$after`: what had led to it is told so.
macro_rules! carry_on {
    ($conn:ident, $entry_id:expr, $before:expr, $after:expr) => {
        sqlx::query(
            "UPDATE change_steps SET version_after = $3 WHERE entry_id = $1 AND version_after = $2 AND \
             change_id IN (SELECT id FROM changes WHERE undone_at IS NULL)",
        )
        .bind($entry_id)
        .bind($before)
        .bind($after)
        .execute(&mut *$conn)
        .await?
    };
}

/// Takes a change back: every entry and the timer as they were.
macro_rules! take_back {
    ($store:expr, $conn:ident, $user_id:expr, $change:expr) => {{
        let change: &ChangeRow = $change;
        let kind = change.kind()?;
        let now = $store.clock.now();
        let steps: Vec<StepRow> = sqlx::query_as(
            "SELECT entry_id, version_after, entry_before FROM change_steps WHERE change_id = $1 \
             ORDER BY entry_id",
        )
        .bind(change.id)
        .fetch_all(&mut *$conn)
        .await?;
        let mut found = Vec::with_capacity(steps.len());
        for step in steps {
            let Some(entry) = take_entry!($conn, $user_id, step.entry_id) else {
                return Ok(EntryChange::Unknown);
            };
            unless_in_the_way!($conn, &entry, step.version_after);
            found.push((entry, step.entry_before));
        }
        let runs_on = change.timer_before.as_deref().cloned();
        let mut runs_on = runs_on.map(|timer| timer.running_on(now));
        let timers = (change.timer_after.as_deref(), runs_on.as_ref());
        let is_about_timers = timers != (None, None);
        if is_about_timers {
            let runs = take_timer!($conn, $user_id);
            // By what they are, not by version: taking a later change back makes the state alive again.
            if !Timer::are_same(runs.as_ref(), timers.0) {
                return Ok(EntryChange::OtherTimer(runs));
            }
            if let (Some(on), Some(runs)) = (&mut runs_on, &runs)
                && on.id == runs.id
            {
                on.version = runs.version + 1;
            }
            put_timer!($conn, $user_id, runs_on.as_ref());
        }
        let timers = (change.timer_after.as_deref(), runs_on.as_ref());
        let mut undone = Vec::with_capacity(found.len());
        for (entry, before) in found {
            let after = match &before {
                Some(before) => put_entry!($conn, now, &entry, &before.fields(), before.deleted_at),
                None => put_entry!($conn, now, &entry, &entry.fields(), Some(now)),
            };
            if let Some(before) = before {
                carry_on!($conn, entry.id, before.version, after.version);
            }
            undone.push((after, Some(entry)));
        }
        // The entry the change was about first, as it was reported then: the one that stands.
        undone.sort_by_key(|(after, _)| after.deleted_at.is_some());
        sqlx::query("UPDATE changes SET undone_at = $2 WHERE id = $1")
            .bind(change.id)
            .bind(now)
            .execute(&mut *$conn)
            .await?;
        note_change!(
            $store,
            $conn,
            $user_id,
            kind,
            !change.is_undo,
            timers,
            &undone
        );
        let timers = (timers.0.cloned(), timers.1.cloned());
        EntryChange::Done(Box::new(changed!(
            $conn,
            kind,
            !change.is_undo,
            timers,
            undone
        )))
    }};
}

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

/// Deletes the entry, or puts it back. It is how the making of an entry is undone, which no change stands
/// for; this is one.
macro_rules! toggle {
    ($store:expr, $conn:ident, $entry:expr) => {{
        let entry: &TimeEntry = $entry;
        let now = $store.clock.now();
        let is_undo = entry.deleted_at.is_none();
        let after = put_entry!($conn, now, entry, &entry.fields(), is_undo.then_some(now));
        let steps = vec![(after, Some(entry.clone()))];
        note_change!(
            $store,
            $conn,
            entry.user_id,
            ChangeKind::Create,
            is_undo,
            (None, None),
            &steps
        );
        changed!($conn, ChangeKind::Create, is_undo, (None, None), steps)
    }};
}

/// What a request was answered with, where it was a change; `null` is nothing.
pub(super) fn answered(
    answer: serde_json::Value,
    key: Uuid,
) -> Result<Option<Changed>, StoreError> {
    serde_json::from_value(answer)
        .map_err(|problem| StoreError::unreadable("idempotency_keys", "answer", key, problem))
}

/// The smallest id that could have been made at this instant: ids begin with their milliseconds.
fn first_id_at(instant: DateTime<Utc>) -> Uuid {
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
        self.job_added.notify_one();
        Ok(change)
    }

    /// Takes back what made this version of the entry: the change that led to it, or else its making. Doing
    /// again what the same press of a button has done already is answered in the same way.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn take_back(
        &self,
        user_id: Uuid,
        entry_id: Uuid,
        version: i32,
        then: Option<&NewJob>,
    ) -> Result<EntryChange, StoreError> {
        let change = tx!(self, conn => {
            take_person!(conn, user_id);
            let Some(entry) = take_entry!(conn, user_id, entry_id) else {
                return Ok(EntryChange::Unknown);
            };
            let change = change_of!(conn, user_id, entry_id, version);
            if entry.version == version + 1
                && let Some(latest) = change_of!(conn, user_id, entry_id, entry.version)
            {
                // Pressed twice: what the first press did is reported once more.
                let kind = latest.kind()?;
                let is_done = match &change {
                    Some(change) => {
                        change.undone_at.is_some()
                            && change.is_undo != latest.is_undo
                            && change.kind()? == kind
                    }
                    None => kind == ChangeKind::Create && latest.is_undo,
                };
                if is_done && latest.undone_at.is_none() {
                    let timers = (latest.timer_before.map(|t| t.0), latest.timer_after.map(|t| t.0));
                    let steps = vec![(entry, None)];
                    let changed = changed!(conn, kind, latest.is_undo, timers, steps);
                    return Ok(EntryChange::Done(Box::new(changed)));
                }
            }
            unless_in_the_way!(conn, &entry, version);
            let change = match change {
                Some(change) if change.undone_at.is_none() => take_back!(self, conn, user_id, &change),
                // Its making is taken back; or what was deleted is put back, however long ago that was.
                _ if version == 1 || entry.deleted_at.is_some() => {
                    EntryChange::Done(Box::new(toggle!(self, conn, &entry)))
                }
                // What led here is too long ago to be known.
                _ => EntryChange::Stale(receipt!(conn, entry)),
            };
            if let (EntryChange::Done(_), Some(job)) = (&change, then) {
                add_job!(self.clock, conn, job);
            }
            Ok(change)
        })?;
        self.job_added.notify_one();
        Ok(change)
    }

    /// Lets a timer run on that was stopped or discarded, by taking back the change that did so. `Unknown`
    /// if there is no such change. Where it runs already, that is answered as if it had just been done.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn restore_timer(
        &self,
        user_id: Uuid,
        timer_id: Uuid,
        version: i32,
        then: Option<&NewJob>,
    ) -> Result<EntryChange, StoreError> {
        let wanted = (timer_id, version);
        let change = tx!(self, conn => {
            take_person!(conn, user_id);
            let change = match timer_change!(conn, user_id, wanted) {
                Some(change) => {
                    let outcome: Result<EntryChange, StoreError> =
                        async { Ok(take_back!(self, conn, user_id, &change)) }.await;
                    outcome?
                }
                None => EntryChange::Unknown,
            };
            match &change {
                EntryChange::Done(_) => {
                    if let Some(job) = then {
                        add_job!(self.clock, conn, job);
                    }
                }
                EntryChange::Unknown | EntryChange::OtherTimer(_) => {
                    let runs = take_timer!(conn, user_id);
                    if runs.as_ref().is_some_and(|runs| (runs.id, runs.version) == wanted) {
                        let (kind, steps) = (ChangeKind::TimerCancel, Vec::new());
                        let changed = changed!(conn, kind, true, (None, runs), steps);
                        return Ok(EntryChange::Done(Box::new(changed)));
                    }
                }
                EntryChange::Stale(_) | EntryChange::Settled(_) => {}
            }
            Ok(change)
        })?;
        self.job_added.notify_one();
        Ok(change)
    }

    /// Takes back the last thing the person did within a day, on whichever surface: a change, or the making
    /// of an entry; `None` if there is nothing. Under the same `key` it takes back one thing, however often
    /// it is asked.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn undo_last(
        &self,
        user_id: Uuid,
        key: Uuid,
        then: Option<&NewJob>,
    ) -> Result<Option<Changed>, StoreError> {
        let now = self.clock.now();
        let since = first_id_at(now - UNDO_REACH);
        let changed = tx!(self, conn => {
            take_person!(conn, user_id);
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
                let (answer,): (UndoAnswer,) =
                    sqlx::query_as("SELECT answer FROM idempotency_keys WHERE user_id = $1 AND key = $2")
                        .bind(user_id)
                        .bind(key)
                        .fetch_one(&mut *conn)
                        .await?;
                return answered(answer.0, key);
            }
            let changes: Vec<ChangeRow> = sqlx::query_as(
                "SELECT id, kind, is_undo, timer_before, timer_after, undone_at FROM changes \
                 WHERE user_id = $1 AND id > $2 AND undone_at IS NULL AND NOT is_undo ORDER BY id DESC LIMIT $3",
            )
            .bind(user_id)
            .bind(since)
            .bind(UNDO_TRIES)
            .fetch_all(&mut *conn)
            .await?;
            // The person is taken, so nobody changes it meanwhile; but somebody may be settling it.
            let made: Option<EntryRow> = sqlx::query_as(entry_sql!(
                "SELECT",
                "FROM time_entries WHERE user_id = $1 AND id > $2 AND deleted_at IS NULL \
                 AND status IN ('pending', 'rejected') ORDER BY id DESC LIMIT 1"
            ))
            .bind(user_id)
            .bind(since)
            .fetch_optional(&mut *conn)
            .await?;
            let made = made.map(TimeEntry::try_from).transpose()?;
            let mut undone = None;
            for change in &changes {
                if made.as_ref().is_some_and(|entry| entry.id > change.id) {
                    break;
                }
                // One that can no longer be taken back does not keep those before it from being.
                let outcome: Result<EntryChange, StoreError> =
                    async { Ok(take_back!(self, conn, user_id, change)) }.await;
                if let EntryChange::Done(done) = outcome? {
                    undone = Some(*done);
                    break;
                }
            }
            if undone.is_none()
                && let Some(made) = made
                && let Some(entry) = take_entry!(conn, user_id, made.id)
                && !entry.is_settled()
            {
                undone = Some(toggle!(self, conn, &entry));
            }
            if let Some(changed) = &undone {
                sqlx::query("UPDATE idempotency_keys SET answer = $3 WHERE user_id = $1 AND key = $2")
                    .bind(user_id)
                    .bind(key)
                    .bind(Json(Some(changed)))
                    .execute(&mut *conn)
                    .await?;
                if let Some(job) = then {
                    add_job!(self.clock, conn, job);
                }
            }
            Ok(undone)
        })?;
        self.job_added.notify_one();
        Ok(changed)
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
            let result = sqlx::query("DELETE FROM idempotency_keys WHERE created_at < $1")
                .bind(before)
                .execute(&mut *conn)
                .await?;
            Ok(result.rows_affected())
        })
    }
}
