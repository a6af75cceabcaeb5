//! Calendars that are read: which are due, who reads them, and what is stored made what they show.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError,
    changes::take_person,
    events::state_of,
    jobs::add_job,
    known::{KNOWN, KnownRow, Unseen, Wanted},
    read, tx,
};
use crate::domain::{
    calendar::AccountState,
    calendar_event::{CalendarEvent, EventState, LoggedAs, SkipReason, SyncCounts, Wishes},
    provider::Provider,
};

/// Rows in one statement: 16 values each, far below what one may bind.
const ROWS: usize = 200;
/// A calendar that had so many events is not believed to be empty until it says so twice.
const SUSPICIOUS: usize = 5;

/// Calendars of one account that are read at once: Outlook takes four requests at a time for one mailbox.
const AT_ONCE: i64 = 4;

/// What a calendar showed.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// From when to when it was read.
    pub window: [DateTime<Utc>; 2],
    /// All events in it.
    pub events: &'a [CalendarEvent],
    /// Which of them the person wants to be suggested.
    pub wishes: Wishes,
}

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

    /// Takes a calendar to read it, until `until`; `false` if somebody else has it, or too many calendars of its account
    /// are being read.
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
            // Taken before counting, so that two replicas do not each find room for one more.
            sqlx::query(
                "UPDATE user_oauth_accounts SET updated_at = updated_at \
                 WHERE id = (SELECT oauth_account_id FROM calendar_integrations WHERE id = $1)",
            )
            .bind(calendar_id)
            .execute(&mut *conn)
            .await?;
            let taken = sqlx::query(
                "UPDATE calendar_integrations SET sync_lease = $2, sync_until = $3 WHERE id = $1 \
                 AND (sync_until IS NULL OR sync_until <= $4) AND (SELECT COUNT(*) FROM calendar_integrations o \
                 WHERE o.oauth_account_id = calendar_integrations.oauth_account_id AND o.sync_until > $4) < $5",
            )
            .bind(calendar_id)
            .bind(lease)
            .bind(until)
            .bind(now)
            .bind(AT_ONCE)
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
    /// back. Meetings that were logged and are otherwise now lead to the jobs that `tell`
    /// gives. What is missing is taken for removed. `None` if the lease was lost.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn reconcile(
        &self,
        target: &SyncTarget,
        lease: Uuid,
        shown: Shown<'_>,
        then: Option<&NewJob>,
        tell: &(impl Fn(Uuid, LoggedAs) -> Option<NewJob> + Sync),
    ) -> Result<Option<SyncCounts>, StoreError> {
        let now = self.clock.now();
        let calendar_id = target.calendar_id;
        let Shown {
            window: [from, to],
            events,
            wishes,
        } = shown;
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
            let mut query = QueryBuilder::new(KNOWN);
            query.push_bind(calendar_id);
            query.push(" AND event_end > ").push_bind(from);
            query.push(" AND event_start < ").push_bind(to);
            let mut known: Vec<KnownRow> = query.build_query_as().fetch_all(&mut *conn).await?;
            // One that is known outside the window has moved into it.
            let ids: HashSet<&str> = known.iter().map(|row| &*row.provider_event_id).collect();
            let missing: Vec<&str> = events
                .iter()
                .map(|event| &*event.provider_event_id)
                .filter(|id| !ids.contains(id))
                .collect();
            let mut outside: Vec<KnownRow> = Vec::new();
            for ids in missing.chunks(ROWS) {
                let mut query = QueryBuilder::new(KNOWN);
                query.push_bind(calendar_id).push(" AND provider_event_id IN (");
                let mut list = query.separated(", ");
                for id in ids {
                    list.push_bind(*id);
                }
                query.push(")");
                outside.extend(query.build_query_as::<KnownRow>().fetch_all(&mut *conn).await?);
            }
            known.append(&mut outside);
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
            let mut unseen = Unseen::of(by_id.into_values());
            for wanted in unmatched {
                matched.push((wanted, unseen.take(wanted.event)));
            }
            let mut changed = Vec::new();
            let mut jobs: Vec<NewJob> = then.cloned().into_iter().collect();
            for (wanted, row) in matched {
                let before = row.map(|row| state_of(row.id, &row.state)).transpose()?;
                let (state, skip) = wanted.state(before);
                if let Some(reason) = skip {
                    *counts.skipped.entry(reason.as_str().to_owned()).or_default() += 1;
                }
                let id = match row {
                    Some(row) if wanted.is(row, state, skip) => continue,
                    Some(row) => {
                        counts.updated_events += 1;
                        if wanted.is_news(row, state) {
                            jobs.extend(tell(row.id, row.logged_as()));
                        }
                        row.id
                    }
                    None => {
                        counts.new_events += 1;
                        self.clock.new_id()
                    }
                };
                let removed_at = wanted.is_off(state).then(|| row.and_then(|row| row.removed_at).unwrap_or(now));
                changed.push((id, wanted, state, skip, removed_at));
            }
            for rows in changed.chunks(ROWS) {
                let mut query = QueryBuilder::new(
                    "INSERT INTO synced_calendar_events (id, calendar_id, user_id, provider_event_id, ical_uid, \
                     series_id, original_start, event_title, event_start, event_end, state, skip_reason, is_synced, \
                     removed_at, created_at, updated_at) ",
                );
                query.push_values(rows, |mut row, (id, wanted, state, skip, removed_at)| {
                    let event = wanted.event;
                    row.push_bind(*id)
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
                        .push_bind(*removed_at)
                        .push_bind(now)
                        .push_bind(now);
                });
                // What the person decided at this moment stays.
                query.push(
                    " ON CONFLICT (id) DO UPDATE SET provider_event_id = excluded.provider_event_id, \
                     ical_uid = excluded.ical_uid, series_id = excluded.series_id, \
                     original_start = excluded.original_start, event_title = excluded.event_title, \
                     event_start = excluded.event_start, event_end = excluded.event_end, \
                     state = CASE WHEN synced_calendar_events.state IN ('logged', 'dismissed') \
                     THEN synced_calendar_events.state ELSE excluded.state END, \
                     skip_reason = CASE WHEN synced_calendar_events.state IN ('logged', 'dismissed') \
                     THEN NULL ELSE excluded.skip_reason END, removed_at = excluded.removed_at, updated_at = excluded.updated_at",
                );
                query.build().execute(&mut *conn).await?;
            }
            // Nothing is removed for an answer that is empty out of the blue.
            let removed = unseen.standing();
            let is_suspicious = events.is_empty() && removed.len() >= SUSPICIOUS && empty_runs == 0;
            if is_suspicious {
                tracing::warn!(
                    calendar = %calendar_id,
                    had = removed.len(),
                    "sync.suddenly_empty: nothing is removed unless the next reading is empty as well"
                );
            } else {
                counts.removed_events = u32::try_from(removed.len()).unwrap_or(u32::MAX);
                for row in removed.iter().filter(|row| row.state == EventState::Logged.as_str()) {
                    jobs.extend(tell(row.id, row.logged_as()));
                }
                for rows in removed.chunks(ROWS) {
                    let mut query = QueryBuilder::new("UPDATE synced_calendar_events SET removed_at = ");
                    query.push_bind(now).push(", updated_at = ").push_bind(now).push(
                        ", state = CASE WHEN state IN ('logged', 'dismissed') THEN state ELSE 'gone' END WHERE id IN (",
                    );
                    let mut list = query.separated(", ");
                    for row in rows {
                        list.push_bind(row.id);
                    }
                    query.push(")");
                    query.build().execute(&mut *conn).await?;
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
            if is_news {
                for job in &jobs {
                    add_job!(self.clock, conn, job);
                }
            }
            Ok(Some(counts))
        })?;
        self.wake_workers();
        Ok(counts)
    }
}
