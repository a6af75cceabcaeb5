//! Calendars that are read: which are due, who reads them, and what is stored made what they show.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError, changes::take_person, events::state_of, jobs::add_job, read, tx,
};
use crate::domain::{
    calendar::AccountState,
    calendar_event::{CalendarEvent, EventState, SkipReason, SyncCounts, Wishes},
    provider::Provider,
};

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
            // Home says when a calendar was first read, and that it is slow.
            let is_news = has_changed || target.last.is_none() || target.fails > 0;
            if is_news && let Some(job) = then {
                add_job!(self.clock, conn, job);
            }
            Ok(Some(counts))
        })?;
        self.job_added.notify_one();
        Ok(counts)
    }
}
