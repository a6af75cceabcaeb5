//! Running timers: at most one for each person, because the person is the key of its row.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError,
    changes::{ChangeRow, answered, note_change, take_person, timer_change},
    entries::{EntryRow, day_total, entry_sql, insert_entry, project_ref},
    jobs::add_job,
    read, tx,
};
use crate::domain::{
    time_entry::{ChangeKind, Changed, EntryFields, EntrySource, Receipt, TimeEntry},
    timer::Timer,
};

#[derive(sqlx::FromRow)]
pub(super) struct TimerRow {
    id: Uuid,
    description: String,
    project_id: Option<Uuid>,
    project_slug: Option<String>,
    billable: bool,
    tags: Json<Vec<String>>,
    started_at: DateTime<Utc>,
    version: i32,
    ask_at: Option<DateTime<Utc>>,
}

impl From<TimerRow> for Timer {
    fn from(row: TimerRow) -> Self {
        Self {
            id: row.id,
            description: row.description,
            project: project_ref(row.project_id, row.project_slug),
            billable: row.billable,
            tags: row.tags.0,
            started_at: row.started_at,
            version: row.version,
            ask_at: row.ask_at,
        }
    }
}

/// A statement that gives timers: `"… {} …"` with the columns of [`TimerRow`] in the middle.
macro_rules! timer_sql {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " id, description, project_id, (SELECT slug FROM projects WHERE projects.id = project_id) \
             AS project_slug, billable, tags, started_at, version, ask_at ",
            $after
        )
    };
}
pub(super) use timer_sql;

/// Takes the person's timer for this transaction, and gives the one that runs.
macro_rules! take_timer {
    ($conn:ident, $user_id:expr) => {{
        // Where no timer runs there is no row of it to wait for.
        take_person!($conn, $user_id);
        let row: Option<TimerRow> = sqlx::query_as(timer_sql!(
            "UPDATE timers SET version = version WHERE user_id = $1 RETURNING",
            ""
        ))
        .bind($user_id)
        .fetch_optional(&mut *$conn)
        .await?;
        row.map(Timer::from)
    }};
}
pub(super) use take_timer;

/// Makes this the person's running timer, or none.
macro_rules! put_timer {
    ($conn:ident, $user_id:expr, $timer:expr) => {{
        let timer: Option<&Timer> = $timer;
        match timer {
            Some(timer) => {
                sqlx::query(
                    "INSERT INTO timers (user_id, id, description, project_id, billable, tags, started_at, \
                     version, ask_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                     ON CONFLICT (user_id) DO UPDATE SET id = excluded.id, description = excluded.description, \
                     project_id = excluded.project_id, billable = excluded.billable, tags = excluded.tags, \
                     started_at = excluded.started_at, version = excluded.version, ask_at = excluded.ask_at",
                )
                .bind($user_id)
                .bind(timer.id)
                .bind(&timer.description)
                .bind(timer.project.as_ref().map(|project| project.id))
                .bind(timer.billable)
                .bind(Json(&timer.tags))
                .bind(timer.started_at)
                .bind(timer.version)
                .bind(timer.ask_at)
                .execute(&mut *$conn)
                .await?;
            }
            None => {
                sqlx::query("DELETE FROM timers WHERE user_id = $1")
                    .bind($user_id)
                    .execute(&mut *$conn)
                    .await?;
            }
        }
    }};
}
pub(super) use put_timer;

/// One step of a person's timer: from what runs now to what is to run, and the entry that comes of it.
#[derive(Clone, Debug)]
pub struct TimerStep {
    /// Names the request. Under one key it is done once, and answered in the same way again.
    pub key: Uuid,
    /// What is being done.
    pub kind: ChangeKind,
    /// What runs, as the person saw it.
    pub from: Option<Timer>,
    /// What is to run then.
    pub to: Option<Timer>,
    /// What is logged of it.
    pub log: Option<EntryFields>,
    /// What has to follow, in the same transaction.
    pub then: Option<NewJob>,
}

/// What became of a step of a timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// It was done, now or by the same request earlier.
    Done(Box<Changed>),
    /// Another timer runs than was thought, or none. Nothing was done.
    Stale(Option<Timer>),
}

/// A timer that may have been forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerToAsk {
    /// The binding of its person.
    pub binding_id: Uuid,
    /// The timer.
    pub timer_id: Uuid,
}

impl Store {
    /// The person's running timer.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn timer(&self, user_id: Uuid) -> Result<Option<Timer>, StoreError> {
        let row: Option<TimerRow> = read!(self, db => {
            sqlx::query_as(timer_sql!("SELECT", "FROM timers WHERE user_id = $1"))
                .bind(user_id)
                .fetch_optional(db)
                .await
        })?;
        Ok(row.map(Timer::from))
    }

    /// What a step of the person's timer was answered with under this key, if it was taken.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn timer_answer(
        &self,
        user_id: Uuid,
        key: Uuid,
    ) -> Result<Option<Changed>, StoreError> {
        let answer: Option<(Json<serde_json::Value>,)> = read!(self, db => {
            sqlx::query_as("SELECT answer FROM idempotency_keys WHERE user_id = $1 AND key = $2")
                .bind(user_id)
                .bind(key)
                .fetch_optional(db)
                .await
        })?;
        answer.map_or(Ok(None), |(Json(answer),)| answered(answer, key))
    }

    /// Takes one step, if the timer that runs still is `from`. Of two replicas that start one at the same
    /// moment the second is told what the first started.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn step_timer(
        &self,
        user_id: Uuid,
        step: &TimerStep,
    ) -> Result<TimerChange, StoreError> {
        let now = self.clock.now();
        let same = |timer: &Timer| (timer.id, timer.version);
        let change = tx!(self, conn => {
            let runs = take_timer!(conn, user_id);
            let known: Option<(Json<serde_json::Value>,)> =
                sqlx::query_as("SELECT answer FROM idempotency_keys WHERE user_id = $1 AND key = $2")
                    .bind(user_id)
                    .bind(step.key)
                    .fetch_optional(&mut *conn)
                    .await?;
            if let Some((Json(answer),)) = known {
                let nothing = || StoreError::unreadable("idempotency_keys", "answer", step.key, "it is empty");
                let changed = answered(answer, step.key)?.ok_or_else(nothing)?;
                return Ok(TimerChange::Done(Box::new(changed)));
            }
            if runs.as_ref().map(same) != step.from.as_ref().map(same) {
                return Ok(TimerChange::Stale(runs));
            }
            // Whether it was asked about meanwhile is not for this step to forget.
            let to = step.to.clone().map(|to| match runs {
                Some(runs) if runs.id == to.id => Timer { ask_at: runs.ask_at, ..to },
                _ => to,
            });
            put_timer!(conn, user_id, to.as_ref());
            let mut steps = Vec::new();
            if let Some(fields) = &step.log {
                let id = self.clock.new_id();
                let entry = fields.clone().into_entry(id, user_id, EntrySource::Timer, now);
                insert_entry!(conn, &entry, None::<Uuid>, "");
                steps.push((entry, None));
            }
            note_change!(self, conn, user_id, step.kind, false, (step.from.as_ref(), to.as_ref()), &steps);
            let receipt = match steps.into_iter().next() {
                Some((entry, _)) => {
                    let day_total = day_total!(conn, user_id, entry.date);
                    Some(Receipt { entry, day_total })
                }
                None => None,
            };
            let changed = Changed {
                kind: step.kind,
                is_undo: false,
                receipt,
                before: None,
                other: None,
                timer_before: step.from.clone(),
                timer_after: to,
            };
            sqlx::query(
                "INSERT INTO idempotency_keys (user_id, key, answer, created_at) VALUES ($1, $2, $3, $4)",
            )
            .bind(user_id)
            .bind(step.key)
            .bind(Json(Some(&changed)))
            .bind(now)
            .execute(&mut *conn)
            .await?;
            if let Some(job) = &step.then {
                add_job!(self.clock, conn, job);
            }
            Ok(TimerChange::Done(Box::new(changed)))
        })?;
        self.wake_workers();
        Ok(change)
    }

    /// What a step of this kind has done to this timer already, as it is now: the same button was pressed
    /// twice. `None` if nothing that stands.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn timer_step_done(
        &self,
        user_id: Uuid,
        kind: ChangeKind,
        timer_id: Uuid,
        version: i32,
    ) -> Result<Option<Changed>, StoreError> {
        tx!(self, conn => {
            let Some(change) = timer_change!(conn, user_id, (timer_id, version)) else {
                return Ok(None);
            };
            if change.kind()? != kind {
                return Ok(None);
            }
            let row: Option<EntryRow> = sqlx::query_as(entry_sql!(
                "SELECT",
                "FROM time_entries WHERE user_id = $1 AND \
                 id IN (SELECT entry_id FROM change_steps WHERE change_id = $2)"
            ))
            .bind(user_id)
            .bind(change.id)
            .fetch_optional(&mut *conn)
            .await?;
            let receipt = match row.map(TimeEntry::try_from).transpose()? {
                Some(entry) if entry.deleted_at.is_some() => return Ok(None),
                Some(entry) => {
                    let day_total = day_total!(conn, user_id, entry.date);
                    Some(Receipt { entry, day_total })
                }
                None => None,
            };
            Ok(Some(Changed {
                kind,
                is_undo: false,
                receipt,
                before: None,
                other: None,
                timer_before: change.timer_before.map(|timer| timer.0),
                timer_after: change.timer_after.map(|timer| timer.0),
            }))
        })
    }

    /// The timers whose people are to be asked by now whether they were forgotten; at most `limit`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn timers_to_ask(&self, limit: u32) -> Result<Vec<TimerToAsk>, StoreError> {
        let now = self.clock.now();
        let rows: Vec<(Uuid, Uuid)> = read!(self, db => {
            sqlx::query_as(
                "SELECT b.id, t.id FROM timers t JOIN slack_user_bindings b ON b.user_id = t.user_id \
                 WHERE t.ask_at IS NOT NULL AND t.ask_at <= $1 ORDER BY t.ask_at LIMIT $2",
            )
            .bind(now)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        let to_ask = rows.into_iter().map(|(binding_id, timer_id)| TimerToAsk {
            binding_id,
            timer_id,
        });
        Ok(to_ask.collect())
    }

    /// Sets when the person is asked about this timer, if `at` still is when they were to be. Of several
    /// that try at once with another `then_at` one succeeds: `true`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn set_timer_ask(
        &self,
        user_id: Uuid,
        timer_id: Uuid,
        at: Option<DateTime<Utc>>,
        then_at: Option<DateTime<Utc>>,
    ) -> Result<bool, StoreError> {
        tx!(self, conn => {
            let changed = sqlx::query(
                "UPDATE timers SET ask_at = $3 WHERE user_id = $1 AND id = $2 \
                 AND ((ask_at IS NULL AND $4) OR ask_at = $5)",
            )
            .bind(user_id)
            .bind(timer_id)
            .bind(then_at)
            .bind(at.is_none())
            .bind(at)
            .execute(&mut *conn)
            .await?
            .rows_affected();
            Ok(changed == 1)
        })
    }
}
