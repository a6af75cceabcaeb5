//! What the Home tab shows, read at one moment.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{
    Store, StoreError,
    connections::{ACCOUNTS, AccountRow, CALENDARS, CalendarRow, accounts_of},
    entries::{EntryRow, entries_of, entry_sql},
    events::{EventRow, WAITING, event_sql},
    read,
    reports::{TOTALS, TotalRow, total_of},
    timers::{TimerRow, timer_sql},
};
use crate::domain::{
    calendar::Account, calendar_event::SyncedEvent, summary::Total, time_entry::TimeEntry,
    timer::Timer,
};

/// From when to when the Home tab looks.
#[derive(Clone, Copy, Debug)]
pub struct HomeSpans {
    /// The person's day.
    pub today: NaiveDate,
    /// When it begins and ends.
    pub day: [DateTime<Utc>; 2],
    /// The first and the last day of their week.
    pub week: [NaiveDate; 2],
    /// The first day whose entries count as last ones.
    pub recent_since: NaiveDate,
    /// The moment since when meetings wait.
    pub waits_since: DateTime<Utc>,
}

/// What the Home tab is drawn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeRows {
    /// The sums of the week.
    pub week: Vec<Total>,
    /// The entries of the day, in no order; at most 500.
    pub today: Vec<TimeEntry>,
    /// The last five entries, the newest day first and in it the latest entry first.
    pub recent: Vec<TimeEntry>,
    /// The timer that runs.
    pub timer: Option<Timer>,
    /// The meetings that wait, the newest first; at most 200.
    pub waiting: Vec<SyncedEvent>,
    /// The events of the day that are left out, in their order; at most 20.
    pub left_out: Vec<SyncedEvent>,
    /// The calendars that are connected.
    pub accounts: Vec<Account>,
}

impl Store {
    /// Reads what the Home tab shows: over one connection, and without waiting for anybody who writes.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn home(&self, user_id: Uuid, spans: HomeSpans) -> Result<HomeRows, StoreError> {
        let now = self.clock.now();
        read!(self, db => {
            let mut conn = db.acquire().await?;
            let week: Vec<TotalRow> = sqlx::query_as(TOTALS)
                .bind(user_id)
                .bind(spans.week[0])
                .bind(spans.week[1])
                .bind(true)
                .bind(None::<Uuid>)
                .fetch_all(&mut *conn)
                .await?;
            let today: Vec<EntryRow> = sqlx::query_as(entry_sql!(
                "SELECT",
                "FROM time_entries WHERE user_id = $1 AND date = $2 AND deleted_at IS NULL LIMIT 500"
            ))
            .bind(user_id)
            .bind(spans.today)
            .fetch_all(&mut *conn)
            .await?;
            let recent: Vec<EntryRow> = sqlx::query_as(entry_sql!(
                "SELECT",
                "FROM time_entries WHERE user_id = $1 AND date >= $2 AND deleted_at IS NULL \
                 ORDER BY date DESC, id DESC LIMIT 5"
            ))
            .bind(user_id)
            .bind(spans.recent_since)
            .fetch_all(&mut *conn)
            .await?;
            let timer: Option<TimerRow> =
                sqlx::query_as(timer_sql!("SELECT", "FROM timers WHERE user_id = $1"))
                    .bind(user_id)
                    .fetch_optional(&mut *conn)
                    .await?;
            let accounts: Vec<AccountRow> = sqlx::query_as(ACCOUNTS)
                .bind(user_id)
                .fetch_all(&mut *conn)
                .await?;
            let (mut calendars, mut waiting, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
            if !accounts.is_empty() {
                calendars = sqlx::query_as::<_, CalendarRow>(CALENDARS)
                    .bind(user_id)
                    .fetch_all(&mut *conn)
                    .await?;
                waiting = sqlx::query_as::<_, EventRow>(WAITING)
                    .bind(user_id)
                    .bind(spans.waits_since)
                    .bind(now)
                    .fetch_all(&mut *conn)
                    .await?;
                left_out = sqlx::query_as::<_, EventRow>(event_sql!(
                    "JOIN user_oauth_accounts a ON a.id = c.oauth_account_id WHERE e.user_id = $1 \
                     AND e.state = 'skipped' AND e.event_end > $2 AND e.event_start < $3 \
                     AND e.removed_at IS NULL AND c.is_active AND c.gone_at IS NULL \
                     AND a.state <> 'disconnected' AND e.skip_reason NOT IN \
                     ('duplicate', 'working_location', 'birthday', 'zero_length') \
                     ORDER BY e.event_start, e.id LIMIT 20"
                ))
                .bind(user_id)
                .bind(spans.day[0])
                .bind(spans.day[1])
                .fetch_all(&mut *conn)
                .await?;
            }
            let events = |rows: Vec<EventRow>| {
                let events = rows.into_iter().map(SyncedEvent::try_from);
                events.collect::<Result<Vec<_>, _>>()
            };
            Ok(HomeRows {
                week: week.into_iter().map(total_of).collect(),
                today: entries_of(today)?,
                recent: entries_of(recent)?,
                timer: timer.map(Timer::from),
                waiting: events(waiting)?,
                left_out: events(left_out)?,
                accounts: accounts_of(accounts, calendars)?,
            })
        })
    }
}
