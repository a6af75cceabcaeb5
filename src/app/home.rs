//! What the Home tab shows.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{App, WorkspaceSeen, confirm_event::WAITS_FOR};
use crate::{
    domain::{
        calendar::Account,
        calendar_event::SyncedEvent,
        gaps::{Gap, gaps},
        member::Member,
        minutes::Minutes,
        period::Period,
        preferences::Preferences,
        project::ProjectRef,
        provider::Provider,
        rule::Rule,
        summary::Summary,
        time_entry::{Changed, TimeEntry},
        timer::Timer,
    },
    error::Failed,
    store::{Batch, HomeSpans},
};

/// How far back the last entries may lie.
const LAST_DAYS: TimeDelta = TimeDelta::days(14);

/// What the Home tab shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// What Slack calls the person.
    pub name: String,
    /// The moment it shows.
    pub now: DateTime<Utc>,
    /// The zone it is shown in.
    pub zone: Tz,
    /// Whether Slack has told that zone; otherwise it is UTC for want of better.
    pub is_zone_known: bool,
    /// The person's day.
    pub today: NaiveDate,
    /// What they have decided about their day.
    pub preferences: Preferences,
    /// Their week in sum; today is a day of it.
    pub week: Summary,
    /// Where today's working day has nothing logged up to now.
    pub gaps: Vec<Gap>,
    /// The last entries, the newest day first.
    pub recent: Vec<TimeEntry>,
    /// What they are doing just now.
    pub timer: Option<Timer>,
    /// What was just done there, with the way back.
    pub notice: Option<Notice>,
    /// The meetings that wait to be logged, the newest first.
    pub waiting: Vec<Waiting>,
    /// Which of them are shown.
    pub unfolded: Unfolded,
    /// Today's events that are left out.
    pub left_out: Vec<SyncedEvent>,
    /// The series that are always logged.
    pub rules: Vec<Rule>,
    /// The calendars that are connected.
    pub accounts: Vec<Account>,
    /// The providers that are offered.
    pub offered: Vec<Provider>,
    /// How the workspace is set, for its admins.
    pub workspace: Option<WorkspaceSeen>,
    /// Whether the workspace lets summaries and notices be sent.
    pub are_notices_on: bool,
}

impl Home {
    /// What is logged for today.
    pub fn day_total(&self) -> Minutes {
        let mut days = self.week.days.iter();
        let today = days.find(|(day, _)| *day == self.today);
        today.map(|(_, total)| *total).unwrap_or_default()
    }
}

/// A meeting that waits to be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The meeting.
    pub meeting: SyncedEvent,
    /// Where it would go, as far as that can be guessed.
    pub project: Option<ProjectRef>,
    /// Whether it could be billed then.
    pub is_billable: bool,
}

impl Waiting {
    /// The day it begins on where the person is.
    pub fn day(&self, zone: Tz) -> NaiveDate {
        self.meeting.start.with_timezone(&zone).date_naive()
    }
}

/// Which of many waiting meetings are shown. The view carries it, so that what somebody opened stays open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unfolded {
    /// The day whose meetings are shown; the newest one where it is not said, or nothing waits on it.
    pub open: Option<NaiveDate>,
    /// All of that day's.
    pub all: bool,
    /// The days beyond the first ones.
    pub older: bool,
}

/// One line on top of the Home tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// This was done to an entry.
    Changed(Box<Changed>),
    /// This meeting was logged; and its series can be logged always.
    Meeting(Box<Changed>, Option<Box<Rule>>),
    /// This was decided about a rule.
    Rule(Box<Rule>),
    /// This meeting was skipped.
    Skipped(Box<SyncedEvent>),
    /// Several meetings were logged or skipped at once.
    Batch(Batch),
    /// That was taken back.
    BatchUndone(Batch),
    /// This account is being read now, which its row says.
    Reading(Uuid),
    /// The click asked for something that is no longer so; nothing was changed.
    NothingChanged,
}

impl App {
    /// Reads what the Home tab shows.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn home(
        &self,
        member: &Member,
        notice: Option<Notice>,
        unfolded: Unfolded,
    ) -> Result<Home, Failed> {
        let now = self.clock.now();
        let zone = member.zone();
        let today = now.with_timezone(&zone).date_naive();
        let week = Period::week(today);
        let spans = HomeSpans {
            today,
            day: [
                midnight(today, zone),
                midnight(today + TimeDelta::days(1), zone),
            ],
            week: [week.from, week.to],
            recent_since: today - LAST_DAYS,
            waits_since: now - WAITS_FOR,
        };
        let rows = self
            .store
            .home(member.user_id, spans)
            .await
            .map_err(|error| self.failed("reading the Home tab", error))?;
        let summary = Summary::of(&rows.week, week.from, week.to);
        Ok(Home {
            gaps: gaps(&member.workday(), today, &rows.today, now),
            timer: rows.timer,
            name: member.name.clone(),
            now,
            zone,
            is_zone_known: member.time_zone().is_some(),
            today,
            preferences: member.preferences.clone(),
            week: summary,
            recent: rows.recent,
            notice,
            waiting: self.guessed(member, rows.waiting).await?,
            unfolded,
            left_out: rows.left_out,
            rules: self.rules(member).await?,
            accounts: rows.accounts,
            offered: self.offered(),
            workspace: self.workspace_seen(member).await?,
            are_notices_on: member.workspace.notices_enabled,
        })
    }

    /// Each meeting with the project it would go to.
    pub(super) async fn guessed(
        &self,
        member: &Member,
        meetings: Vec<SyncedEvent>,
    ) -> Result<Vec<Waiting>, Failed> {
        if meetings.is_empty() {
            return Ok(Vec::new());
        }
        let guesses = self.guesses(member).await?;
        let with_guess = |meeting| {
            let guess = guesses.of(&meeting);
            Waiting {
                meeting,
                project: guess.project,
                is_billable: guess.is_billable,
            }
        };
        Ok(meetings.into_iter().map(with_guess).collect())
    }

    /// The person has opened the Home tab: from now on it is kept fresh.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_home_opened(&self, member: &Member) -> Result<(), Failed> {
        if member.has_opened_home {
            return Ok(());
        }
        self.store
            .note_home_opened(member.binding_id)
            .await
            .map_err(|error| self.failed("noting that the Home tab was opened", error))?;
        self.forget(member);
        Ok(())
    }
}

/// When a day begins where the person is; where the clocks skip midnight, an hour later.
pub(super) fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let start = day.and_time(NaiveTime::MIN);
    let start = zone.from_local_datetime(&start).earliest().or_else(|| {
        zone.from_local_datetime(&(start + TimeDelta::hours(1)))
            .earliest()
    });
    start.map_or_else(
        || day.and_time(NaiveTime::MIN).and_utc(),
        |start| start.to_utc(),
    )
}
