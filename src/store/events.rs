//! The events of calendars: read whole and reconciled, and made into entries exactly once.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError,
    changes::{note_change, put_entry, receipt, take_entry, take_person},
    entries::{EntryRow, day_total, entry_sql},
    jobs::add_job,
    read, tx,
};
use crate::domain::{
    calendar::AccountState,
    calendar_event::{CalendarEvent, EventState, SkipReason, SyncCounts, SyncedEvent, Wishes},
    provider::Provider,
    time_entry::{ChangeKind, EntryFields, EntrySource, Receipt, TimeEntry},
    timer::Timer,
};

const TABLE: &str = "synced_calendar_events";
/// Rows in one statement: 17 values each, far below what one may bind.
const ROWS: usize = 200;
/// A calendar that had so many events is not believed to be empty until it says so twice.
const SUSPICIOUS: usize = 5;

/// A calendar that is to be read.
#[derive(Clone, Debug)]
pub struct SyncTarget {
    /// The calendar.
    pub calendar_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// The account it is read through.
    pub account_id: Uuid,
    /// How that stands.
    pub state: AccountState,
    /// Who keeps it.
    pub provider: Provider,
    /// What the provider calls it.
    pub provider_calendar_id: String,
    /// Somebody is reading it until then.
    pub sync_until: Option<DateTime<Utc>>,
    /// Not to be read before this.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// How often in a row it could not be read.
    pub fails: i32,
    /// When it was last read to its end, and what was found.
    pub last: Option<(DateTime<Utc>, SyncCounts)>,
}

#[derive(sqlx::FromRow)]
struct TargetRow {
    user_id: Uuid,
    oauth_account_id: Uuid,
    state: String,
    provider: String,
    provider_calendar_id: String,
    sync_until: Option<DateTime<Utc>>,
    next_attempt_at: Option<DateTime<Utc>>,
    sync_fails: i32,
    last_synced_at: Option<DateTime<Utc>>,
    last_counts: Option<String>,
}

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

#[derive(Clone, sqlx::FromRow)]
struct KnownRow {
    id: Uuid,
    provider_event_id: String,
    ical_uid: Option<String>,
    series_id: Option<String>,
    original_start: Option<DateTime<Utc>>,
    event_title: String,
    event_start: DateTime<Utc>,
    event_end: DateTime<Utc>,
    state: String,
    skip_reason: Option<String>,
    removed_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct EventRow {
    id: Uuid,
    calendar_id: Uuid,
    provider: String,
    provider_event_id: String,
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
            title: row.event_title,
            start: row.event_start,
            end: row.event_end,
            time_entry_id: row.time_entry_id,
            dismissed_at: row.dismissed_at,
            removed_at: row.removed_at,
        })
    }
}

fn state_of(row: Uuid, name: &str) -> Result<EventState, StoreError> {
    EventState::from_name(name)
        .ok_or_else(|| StoreError::unreadable(TABLE, "state", row, format!("“{name}”")))
}

/// The one way to read events for people; what follows it is added where it is used.
macro_rules! event_sql {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.calendar_id, c.provider, e.provider_event_id, e.event_title, e.event_start, e.event_end, \
             e.state, e.skip_reason, e.time_entry_id, e.dismissed_at, e.removed_at FROM synced_calendar_events e \
             JOIN calendar_integrations c ON c.id = e.calendar_id ",
            $rest
        )
    };
}

/// What an event is to be, as the calendar shows it now.
struct Wanted<'a> {
    event: &'a CalendarEvent,
    title: String,
    skip: Option<SkipReason>,
}

impl Wanted<'_> {
    /// What its row says of its state: what a person decided stays.
    fn state(&self, before: Option<EventState>) -> (EventState, Option<SkipReason>) {
        match before {
            Some(decided @ (EventState::Logged | EventState::Dismissed)) => (decided, None),
            _ => match self.skip {
                Some(reason) => (EventState::Skipped, Some(reason)),
                None => (EventState::Suggested, None),
            },
        }
    }

    fn is(&self, row: &KnownRow, state: EventState, skip: Option<SkipReason>) -> bool {
        let event = self.event;
        row.removed_at.is_none()
            && row.provider_event_id == event.provider_event_id
            && row.event_title == self.title
            && (row.event_start, row.event_end) == (event.start, event.end)
            && row.state == state.as_str()
            && row.skip_reason.as_deref() == skip.map(SkipReason::as_str)
            && row.ical_uid == event.ical_uid
            && row.series_id == event.series_id
            && row.original_start == event.original_start
    }
}

impl Store {
    /// The next calendars that were not read since `before`, in the order of their ids, after `after`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn calendars_to_sync(
        &self,
        before: DateTime<Utc>,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Uuid>, StoreError> {
        let now = self.clock.now();
        let rows: Vec<(Uuid,)> = read!(self, db => {
            sqlx::query_as(
                "SELECT c.id FROM calendar_integrations c JOIN user_oauth_accounts a ON a.id = c.oauth_account_id \
                 WHERE c.sync_enabled AND c.is_active AND c.gone_at IS NULL AND a.state = 'active' \
                 AND (c.last_synced_at IS NULL OR c.last_synced_at <= $1) \
                 AND (c.next_attempt_at IS NULL OR c.next_attempt_at <= $2) AND c.id > $3 ORDER BY c.id LIMIT $4",
            )
            .bind(before)
            .bind(now)
            .bind(after.unwrap_or(Uuid::nil()))
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The calendars of an account that are read.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn calendars_of(&self, account_id: Uuid) -> Result<Vec<Uuid>, StoreError> {
        let rows: Vec<(Uuid,)> = read!(self, db => {
            sqlx::query_as(
                "SELECT id FROM calendar_integrations WHERE oauth_account_id = $1 AND is_active AND sync_enabled \
                 AND gone_at IS NULL ORDER BY id",
            )
            .bind(account_id)
            .fetch_all(db)
            .await
        })?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// A calendar that is to be read, if it is chosen.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn sync_target(&self, calendar_id: Uuid) -> Result<Option<SyncTarget>, StoreError> {
        let row: Option<TargetRow> = read!(self, db => {
            sqlx::query_as(
                "SELECT c.user_id, c.oauth_account_id, a.state, c.provider, c.provider_calendar_id, c.sync_until, \
                 c.next_attempt_at, c.sync_fails, c.last_synced_at, c.last_counts FROM calendar_integrations c \
                 JOIN user_oauth_accounts a ON a.id = c.oauth_account_id \
                 WHERE c.id = $1 AND c.is_active AND c.gone_at IS NULL AND a.state <> 'disconnected'",
            )
            .bind(calendar_id)
            .fetch_optional(db)
            .await
        })?;
        row.map(|row| {
            let unreadable = |column, value: &str| {
                let problem = format!("“{value}”");
                StoreError::unreadable("calendar_integrations", column, calendar_id, problem)
            };
            let counts = row
                .last_counts
                .as_deref()
                .map(serde_json::from_str)
                .transpose()
                .map_err(|problem| unreadable("last_counts", &problem.to_string()))?;
            Ok(SyncTarget {
                calendar_id,
                user_id: row.user_id,
                account_id: row.oauth_account_id,
                state: AccountState::from_name(&row.state)
                    .ok_or_else(|| unreadable("state", &row.state))?,
                provider: Provider::from_name(&row.provider)
                    .ok_or_else(|| unreadable("provider", &row.provider))?,
                provider_calendar_id: row.provider_calendar_id,
                sync_until: row.sync_until,
                next_attempt_at: row.next_attempt_at,
                fails: row.sync_fails,
                last: row.last_synced_at.zip(counts),
            })
        })
        .transpose()
    }

    /// Takes a calendar to read it, until `until`; `false` if somebody else has it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn take_sync(
        &self,
        calendar_id: Uuid,
        lease: Uuid,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let taken = sqlx::query(
                "UPDATE calendar_integrations SET sync_lease = $2, sync_until = $3 WHERE id = $1 \
                 AND (sync_until IS NULL OR sync_until <= $4)",
            )
            .bind(calendar_id)
            .bind(lease)
            .bind(until)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(taken.rows_affected() == 1)
        })
    }

    /// Gives a calendar back that could not be read, not to be tried before `next_attempt_at`. `is_gone` says that
    /// it is no longer there.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn fail_sync(
        &self,
        calendar_id: Uuid,
        lease: Uuid,
        next_attempt_at: Option<DateTime<Utc>>,
        is_gone: bool,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query(
                "UPDATE calendar_integrations SET sync_lease = NULL, sync_until = NULL, next_attempt_at = $3, \
                 sync_fails = sync_fails + 1, gone_at = COALESCE(gone_at, $4) WHERE id = $1 AND sync_lease = $2",
            )
            .bind(calendar_id)
            .bind(lease)
            .bind(next_attempt_at)
            .bind(is_gone.then_some(now))
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// Makes what is stored of a calendar's window what the calendar shows, in one transaction, and gives the calendar
    /// back. `events` must be all of them: what is missing is taken for removed. `None` if the lease was lost.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn reconcile(
        &self,
        target: &SyncTarget,
        lease: Uuid,
        [from, to]: [DateTime<Utc>; 2],
        events: &[CalendarEvent],
        wishes: Wishes,
        then: Option<&NewJob>,
    ) -> Result<Option<SyncCounts>, StoreError> {
        let now = self.clock.now();
        let calendar_id = target.calendar_id;
        let counts = tx!(self, conn => {
            // Two calendars of one person's that are read at once must see each other's meetings.
            take_person!(conn, target.user_id);
            let held: Option<(i32,)> = sqlx::query_as(
                "UPDATE calendar_integrations SET sync_until = sync_until WHERE id = $1 AND sync_lease = $2 \
                 AND is_active RETURNING empty_runs",
            )
            .bind(calendar_id)
            .bind(lease)
            .fetch_optional(&mut *conn)
            .await?;
            let Some((empty_runs,)) = held else {
                return Ok(None);
            };
            let known: Vec<KnownRow> = sqlx::query_as(
                "SELECT id, provider_event_id, ical_uid, series_id, original_start, event_title, event_start, \
                 event_end, state, skip_reason, removed_at FROM synced_calendar_events \
                 WHERE calendar_id = $1 AND event_end > $2 AND event_start < $3",
            )
            .bind(calendar_id)
            .bind(from)
            .bind(to)
            .fetch_all(&mut *conn)
            .await?;
            // The same meeting in another calendar of the person's is suggested there.
            let elsewhere: Vec<(String, DateTime<Utc>)> = sqlx::query_as(
                "SELECT e.ical_uid, e.event_start FROM synced_calendar_events e \
                 JOIN calendar_integrations c ON c.id = e.calendar_id \
                 JOIN user_oauth_accounts a ON a.id = c.oauth_account_id \
                 WHERE e.user_id = $1 AND e.ical_uid IS NOT NULL AND e.event_end > $3 AND e.event_start < $4 \
                 AND e.calendar_id <> $2 AND e.state IN ('suggested', 'logged', 'dismissed') \
                 AND (e.state <> 'suggested' OR (c.is_active AND c.gone_at IS NULL AND a.state <> 'disconnected'))",
            )
            .bind(target.user_id)
            .bind(calendar_id)
            .bind(from)
            .bind(to)
            .fetch_all(&mut *conn)
            .await?;
            let elsewhere: HashSet<(String, DateTime<Utc>)> = elsewhere.into_iter().collect();

            let mut counts = SyncCounts {
                events_synced: u32::try_from(events.len()).unwrap_or(u32::MAX),
                ..SyncCounts::default()
            };
            let mut by_id: HashMap<&str, &KnownRow> =
                known.iter().map(|row| (&*row.provider_event_id, row)).collect();
            // A page that was split at the wrong moment may show one event twice; the last one counts.
            let wanted: BTreeMap<&str, Wanted<'_>> = events
                .iter()
                .map(|event| {
                    let is_elsewhere = event
                        .ical_uid
                        .as_ref()
                        .is_some_and(|uid| elsewhere.contains(&(uid.clone(), event.start)));
                    let skip = event
                        .skip_reason(wishes)
                        .or_else(|| is_elsewhere.then_some(SkipReason::Duplicate));
                    let title = event.stored_title(wishes);
                    (&*event.provider_event_id, Wanted { event, title, skip })
                })
                .collect();
            let mut matched: Vec<(&Wanted<'_>, Option<&KnownRow>)> = Vec::with_capacity(wanted.len());
            let mut unmatched = Vec::new();
            for (id, wanted) in &wanted {
                match by_id.remove(id) {
                    Some(row) => matched.push((wanted, Some(row))),
                    None => unmatched.push(wanted),
                }
            }
            // A split series has new ids for the same meetings; so have calendars that moved.
            let mut unseen: Vec<&KnownRow> = by_id.into_values().collect();
            for wanted in unmatched {
                let event = wanted.event;
                let same = unseen.iter().position(|row| {
                    row.ical_uid.is_some()
                        && row.ical_uid == event.ical_uid
                        && ((row.original_start.is_some() && row.original_start == event.original_start)
                            || (row.event_start, row.event_end) == (event.start, event.end))
                });
                matched.push((wanted, same.map(|at| unseen.swap_remove(at))));
            }
            let mut new = Vec::new();
            for (wanted, row) in matched {
                let before = row.map(|row| state_of(row.id, &row.state)).transpose()?;
                let (state, skip) = wanted.state(before);
                if let Some(reason) = skip {
                    *counts.skipped.entry(reason.as_str().to_owned()).or_default() += 1;
                }
                let Some(row) = row else {
                    new.push((wanted, state, skip));
                    continue;
                };
                if wanted.is(row, state, skip) {
                    continue;
                }
                counts.updated_events += 1;
                let event = wanted.event;
                sqlx::query(
                    "UPDATE synced_calendar_events SET provider_event_id = $2, ical_uid = $3, series_id = $4, \
                     original_start = $5, event_title = $6, event_start = $7, event_end = $8, state = $9, \
                     skip_reason = $10, removed_at = NULL, updated_at = $11 WHERE id = $1",
                )
                .bind(row.id)
                .bind(&event.provider_event_id)
                .bind(&event.ical_uid)
                .bind(&event.series_id)
                .bind(event.original_start)
                .bind(&wanted.title)
                .bind(event.start)
                .bind(event.end)
                .bind(state.as_str())
                .bind(skip.map(SkipReason::as_str))
                .bind(now)
                .execute(&mut *conn)
                .await?;
            }
            counts.new_events = u32::try_from(new.len()).unwrap_or(u32::MAX);
            for rows in new.chunks(ROWS) {
                let mut query = QueryBuilder::new(
                    "INSERT INTO synced_calendar_events (id, calendar_id, user_id, provider_event_id, ical_uid, \
                     series_id, original_start, event_title, event_start, event_end, state, skip_reason, is_synced, \
                     created_at, updated_at) ",
                );
                query.push_values(rows, |mut row, (wanted, state, skip)| {
                    let event = wanted.event;
                    row.push_bind(self.clock.new_id())
                        .push_bind(calendar_id)
                        .push_bind(target.user_id)
                        .push_bind(&event.provider_event_id)
                        .push_bind(&event.ical_uid)
                        .push_bind(&event.series_id)
                        .push_bind(event.original_start)
                        .push_bind(&wanted.title)
                        .push_bind(event.start)
                        .push_bind(event.end)
                        .push_bind(state.as_str())
                        .push_bind(skip.map(SkipReason::as_str))
                        .push_bind(false)
                        .push_bind(now)
                        .push_bind(now);
                });
                // One that was known outside the window has moved into it; what was decided of it stays.
                query.push(
                    " ON CONFLICT (calendar_id, provider_event_id) DO UPDATE SET event_title = excluded.event_title, \
                     event_start = excluded.event_start, event_end = excluded.event_end, \
                     state = CASE WHEN synced_calendar_events.state IN ('logged', 'dismissed') \
                     THEN synced_calendar_events.state ELSE excluded.state END, \
                     skip_reason = CASE WHEN synced_calendar_events.state IN ('logged', 'dismissed') \
                     THEN NULL ELSE excluded.skip_reason END, removed_at = NULL, updated_at = excluded.updated_at",
                );
                query.build().execute(&mut *conn).await?;
            }
            // Nothing is removed for an answer that is empty out of the blue.
            let removed: Vec<&KnownRow> =
                unseen.into_iter().filter(|row| row.removed_at.is_none()).collect();
            let is_suspicious = events.is_empty() && removed.len() >= SUSPICIOUS && empty_runs == 0;
            if is_suspicious {
                tracing::warn!(
                    calendar = %calendar_id,
                    had = removed.len(),
                    "sync.suddenly_empty: nothing is removed unless the next reading is empty as well"
                );
            } else {
                counts.removed_events = u32::try_from(removed.len()).unwrap_or(u32::MAX);
                for row in removed {
                    sqlx::query(
                        "UPDATE synced_calendar_events SET removed_at = $2, updated_at = $2, \
                         state = CASE WHEN state IN ('logged', 'dismissed') THEN state ELSE 'gone' END \
                         WHERE id = $1",
                    )
                    .bind(row.id)
                    .bind(now)
                    .execute(&mut *conn)
                    .await?;
                }
            }
            sqlx::query(
                "UPDATE calendar_integrations SET last_synced_at = $2, sync_lease = NULL, sync_until = NULL, \
                 next_attempt_at = NULL, sync_fails = 0, empty_runs = $3, last_counts = $4 WHERE id = $1",
            )
            .bind(calendar_id)
            .bind(now)
            .bind(i32::from(is_suspicious))
            .bind(serde_json::to_string(&counts).expect("they are plain fields"))
            .execute(&mut *conn)
            .await?;
            let has_changed = counts.new_events + counts.updated_events + counts.removed_events > 0;
            if has_changed && let Some(job) = then {
                add_job!(self.clock, conn, job);
            }
            Ok(Some(counts))
        })?;
        self.job_added.notify_one();
        Ok(counts)
    }

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
            sqlx::query_as(event_sql!(
                "JOIN user_oauth_accounts a ON a.id = c.oauth_account_id WHERE e.user_id = $1 \
                 AND e.state = 'suggested' AND e.event_start >= $2 AND e.event_start < $3 AND e.event_end <= $3 \
                 AND c.is_active AND c.gone_at IS NULL AND a.state <> 'disconnected' \
                 ORDER BY e.event_start DESC, e.id DESC LIMIT 200"
            ))
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
    /// these fields: one event is one entry for ever.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn log_event(
        &self,
        user_id: Uuid,
        event_id: Uuid,
        fields: &EntryFields,
        then: Option<&NewJob>,
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
                    sqlx::query(
                        "INSERT INTO time_entries (id, user_id, source, status, description, date, started_at, \
                         ended_at, is_timed, duration_minutes, project_id, billable, tags, version, created_at, \
                         updated_at, source_event_id) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16)",
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
                    .bind(entry.version)
                    .bind(now)
                    .bind(event_id)
                    .execute(&mut *conn)
                    .await?;
                    entry
                }
            };
            sqlx::query(
                "UPDATE synced_calendar_events SET state = 'logged', is_synced = TRUE, time_entry_id = $2, \
                 updated_at = $3 WHERE id = $1",
            )
            .bind(event_id)
            .bind(made.id)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            if let Some(job) = then {
                add_job!(self.clock, conn, job);
            }
            Ok(LogEvent::Logged(receipt!(conn, made)))
        })?;
        self.job_added.notify_one();
        Ok(logged)
    }

    /// Skips an event, or takes that back. Returns its state then; `None` if the person has no such event.
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
                "UPDATE synced_calendar_events SET state = $4, dismissed_at = $5, updated_at = $6 \
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
        self.job_added.notify_one();
        Ok(state)
    }
}
