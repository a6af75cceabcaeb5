//! Taking changes back. That is a change, too, and can be taken back.
//!
//! Where taking back brings an older state to life again, the changes that led to that state are told its new
//! version, so that one can go on step by step.

use chrono::TimeDelta;
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError,
    changes::{
        ChangeRow, EntryChange, StepRow, answered, change_of, changed, first_id_at, note_change,
        put_entry, receipt, take_entry, take_person, timer_change, unless_in_the_way,
    },
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

/// What an undo was answered with, kept for a repetition of the same request.
type UndoAnswer = Json<serde_json::Value>;

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

impl Store {
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
        self.wake_workers();
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
        self.wake_workers();
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
        self.wake_workers();
        Ok(changed)
    }
}
