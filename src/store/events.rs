//! The events of calendars, as people see them, and made into entries exactly once.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError,
    changes::{note_change, put_entry, receipt, take_entry, take_person},
    entries::{EntryRow, day_total, entry_sql, insert_entry},
    jobs::add_job,
    read, tx,
};
use crate::domain::{
    calendar_event::{EventState, SkipReason, SyncedEvent},
    provider::Provider,
    time_entry::{ChangeKind, EntryFields, EntrySource, Receipt, TimeEntry},
    timer::Timer,
};

const TABLE: &str = "synced_calendar_events";
/// What became of logging an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEvent {
    /// It is an entry now.
    Logged(Receipt),
    /// It was one already.
    Already(Receipt),
    /// It is not to be logged: it was skipped, left the calendar, or is left out.
    Not(EventState),
    /// The person has no such event.
    Unknown,
}

#[derive(sqlx::FromRow)]
pub(super) struct EventRow {
    id: Uuid,
    calendar_id: Uuid,
    provider: String,
    provider_event_id: String,
    series_id: Option<String>,
    event_title: String,
    event_start: DateTime<Utc>,
    event_end: DateTime<Utc>,
    state: String,
    skip_reason: Option<String>,
    time_entry_id: Option<Uuid>,
    dismissed_at: Option<DateTime<Utc>>,
    removed_at: Option<DateTime<Utc>>,
}

impl TryFrom<EventRow> for SyncedEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let unreadable = |column, value: &str| {
            StoreError::unreadable(TABLE, column, row.id, format!("“{value}”"))
        };
        Ok(Self {
            provider: Provider::from_name(&row.provider)
                .ok_or_else(|| unreadable("provider", &row.provider))?,
            state: state_of(row.id, &row.state)?,
            skip_reason: row.skip_reason.as_deref().and_then(SkipReason::from_name),
            id: row.id,
            calendar_id: row.calendar_id,
            provider_event_id: row.provider_event_id,
            series_id: row.series_id,
            title: row.event_title,
            start: row.event_start,
            end: row.event_end,
            time_entry_id: row.time_entry_id,
            dismissed_at: row.dismissed_at,
            removed_at: row.removed_at,
        })
    }
}

pub(super) fn state_of(row: Uuid, name: &str) -> Result<EventState, StoreError> {
    EventState::from_name(name)
        .ok_or_else(|| StoreError::unreadable(TABLE, "state", row, format!("“{name}”")))
}

/// The one way to read events for people; what follows it is added where it is used.
macro_rules! event_sql {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.calendar_id, c.provider, e.provider_event_id, e.series_id, e.event_title, \
             e.event_start, e.event_end, e.state, e.skip_reason, e.time_entry_id, e.dismissed_at, e.removed_at FROM synced_calendar_events e \
             JOIN calendar_integrations c ON c.id = e.calendar_id ",
            $rest
        )
    };
}
pub(super) use event_sql;

/// The meetings of `$1` that began since `$2`, had ended at `$3` and wait; the newest first.
pub(super) const WAITING: &str = event_sql!(
    "JOIN user_oauth_accounts a ON a.id = c.oauth_account_id WHERE e.user_id = $1 \
     AND e.state = 'suggested' AND e.event_start >= $2 AND e.event_start < $3 AND e.event_end <= $3 \
     AND c.is_active AND c.gone_at IS NULL AND a.state <> 'disconnected' \
     ORDER BY e.event_start DESC, e.id DESC LIMIT 200"
);

/// The event is that entry from now on.
macro_rules! note_logged {
    ($conn:ident, $event_id:expr, $entry_id:expr, $now:expr) => {{
        sqlx::query(
            "UPDATE synced_calendar_events SET state = 'logged', is_synced = TRUE, time_entry_id = $2, \
             updated_at = $3 WHERE id = $1",
        )
        .bind($event_id)
        .bind($entry_id)
        .bind($now)
        .execute(&mut *$conn)
        .await?;
    }};
}
pub(super) use note_logged;

impl Store {
    /// The meetings that have ended and wait to be logged, the newest first, at most `limit`; and how many there are.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn waiting(
        &self,
        user_id: Uuid,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<(Vec<SyncedEvent>, u64), StoreError> {
        let now = self.clock.now();
        let rows: Vec<EventRow> = read!(self, db => {
            sqlx::query_as(WAITING)
                .bind(user_id)
                .bind(since)
                .bind(now)
                .fetch_all(db)
                .await
        })?;
        let count = rows.len() as u64;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let events = rows.into_iter().take(shown).map(SyncedEvent::try_from);
        Ok((events.collect::<Result<_, _>>()?, count))
    }

    /// One of the person's events.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn event(
        &self,
        user_id: Uuid,
        event_id: Uuid,
    ) -> Result<Option<SyncedEvent>, StoreError> {
        let row: Option<EventRow> = read!(self, db => {
            sqlx::query_as(event_sql!("WHERE e.user_id = $1 AND e.id = $2"))
                .bind(user_id)
                .bind(event_id)
                .fetch_optional(db)
                .await
        })?;
        row.map(SyncedEvent::try_from).transpose()
    }

    /// The person's events that begin in a span of time, in their order, at most `limit`, after one that was shown.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn events_between(
        &self,
        user_id: Uuid,
        [from, to]: [DateTime<Utc>; 2],
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: u32,
    ) -> Result<Vec<SyncedEvent>, StoreError> {
        let (after_start, after_id) =
            after.unwrap_or((from - TimeDelta::microseconds(1), Uuid::nil()));
        let rows: Vec<EventRow> = read!(self, db => {
            sqlx::query_as(event_sql!(
                "WHERE e.user_id = $1 AND e.event_start >= $2 AND e.event_start < $3 \
                 AND (e.event_start > $4 OR (e.event_start = $4 AND e.id > $5)) \
                 ORDER BY e.event_start, e.id LIMIT $6"
            ))
            .bind(user_id)
            .bind(from)
            .bind(to)
            .bind(after_start)
            .bind(after_id)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        rows.into_iter().map(SyncedEvent::try_from).collect()
    }

    /// Makes an entry of an event, or gives the one that was made of it. One that was taken back is put back, with
    /// these fields: one event is one entry for ever. What follows is asked for with the entry, and only with it.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn log_event(
        &self,
        user_id: Uuid,
        event_id: Uuid,
        fields: &EntryFields,
        then: &[NewJob],
    ) -> Result<LogEvent, StoreError> {
        let now = self.clock.now();
        let logged = tx!(self, conn => {
            take_person!(conn, user_id);
            let found: Option<(String, Option<Uuid>)> = sqlx::query_as(
                "SELECT state, time_entry_id FROM synced_calendar_events WHERE user_id = $1 AND id = $2",
            )
            .bind(user_id)
            .bind(event_id)
            .fetch_optional(&mut *conn)
            .await?;
            let Some((state, entry_id)) = found else {
                return Ok(LogEvent::Unknown);
            };
            let state = state_of(event_id, &state)?;
            let entry = match entry_id {
                Some(entry_id) => take_entry!(conn, user_id, entry_id),
                None => None,
            };
            if let Some(entry) = &entry
                && entry.deleted_at.is_none()
            {
                return Ok(LogEvent::Already(receipt!(conn, entry.clone())));
            }
            if state != EventState::Suggested {
                return Ok(LogEvent::Not(state));
            }
            let made = match entry {
                Some(entry) => {
                    let after = put_entry!(conn, now, &entry, fields, None::<DateTime<Utc>>);
                    let steps = [(after.clone(), Some(entry))];
                    note_change!(self, conn, user_id, ChangeKind::Create, true, (None::<&Timer>, None), &steps);
                    after
                }
                None => {
                    let entry = fields
                        .clone()
                        .into_entry(self.clock.new_id(), user_id, EntrySource::Calendar, now);
                    insert_entry!(conn, &entry, Some(event_id), "");
                    entry
                }
            };
            note_logged!(conn, event_id, made.id, now);
            for job in then {
                add_job!(self.clock, conn, job);
            }
            Ok(LogEvent::Logged(receipt!(conn, made)))
        })?;
        self.wake_workers();
        Ok(logged)
    }

    /// Notes that an event which had left its calendar's window is there after all, at the times it names.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn put_back_event(
        &self,
        user_id: Uuid,
        event: &SyncedEvent,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query(
                "UPDATE synced_calendar_events SET event_title = $3, event_start = $4, event_end = $5, \
                 removed_at = NULL, updated_at = $6 WHERE user_id = $1 AND id = $2",
            )
            .bind(user_id)
            .bind(event.id)
            .bind(&event.title)
            .bind(event.start)
            .bind(event.end)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// Skips an event, or takes that back. Returns its state then: one that left the calendar meanwhile is gone and is not
    /// suggested again. `None` if the person has no such event.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn dismiss_event(
        &self,
        user_id: Uuid,
        event_id: Uuid,
        is_dismissed: bool,
        then: Option<&NewJob>,
    ) -> Result<Option<EventState>, StoreError> {
        let now = self.clock.now();
        let (from, to) = if is_dismissed {
            (EventState::Suggested, EventState::Dismissed)
        } else {
            (EventState::Dismissed, EventState::Suggested)
        };
        let state = tx!(self, conn => {
            let changed = sqlx::query(
                "UPDATE synced_calendar_events SET state = CASE WHEN $3 = 'dismissed' AND removed_at IS NOT NULL \
                 THEN 'gone' ELSE $4 END, dismissed_at = $5, updated_at = $6 \
                 WHERE user_id = $1 AND id = $2 AND state = $3",
            )
            .bind(user_id)
            .bind(event_id)
            .bind(from.as_str())
            .bind(to.as_str())
            .bind(is_dismissed.then_some(now))
            .bind(now)
            .execute(&mut *conn)
            .await?;
            let state: Option<(String,)> = sqlx::query_as(
                "SELECT state FROM synced_calendar_events WHERE user_id = $1 AND id = $2",
            )
            .bind(user_id)
            .bind(event_id)
            .fetch_optional(&mut *conn)
            .await?;
            if changed.rows_affected() == 1
                && let Some(job) = then
            {
                add_job!(self.clock, conn, job);
            }
            state.map(|(state,)| state_of(event_id, &state)).transpose()
        })?;
        self.wake_workers();
        Ok(state)
    }
}
