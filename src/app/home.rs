//! What the Home tab shows.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::App;
use crate::{
    domain::{
        calendar::Account,
        calendar_event::SyncedEvent,
        member::Member,
        minutes::Minutes,
        project::ProjectRef,
        provider::Provider,
        rule::Rule,
        time_entry::{Changed, TimeEntry},
        timer::Timer,
    },
    error::Failed,
};

/// How many of the last entries are shown, and how far back they may lie.
const LAST_ENTRIES: u32 = 5;
const LAST_DAYS: TimeDelta = TimeDelta::days(14);
/// How many waiting meetings are shown.
const WAITING_SHOWN: u32 = 8;

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
    /// What is logged for it.
    pub day_total: Minutes,
    /// What a full day is.
    pub target: Minutes,
    /// The last entries, the newest day first.
    pub recent: Vec<TimeEntry>,
    /// What they are doing just now.
    pub timer: Option<Timer>,
    /// What was just done there, with the way back.
    pub notice: Option<Notice>,
    /// The meetings that wait to be logged, and how many there are.
    pub waiting: (Vec<SyncedEvent>, u64),
    /// Where they would go.
    pub waiting_project: Option<ProjectRef>,
    /// The series that are always logged.
    pub rules: Vec<Rule>,
    /// The calendars that are connected.
    pub accounts: Vec<Account>,
    /// The providers that are offered.
    pub offered: Vec<Provider>,
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
    /// So many meetings were logged at once.
    LoggedAll(u32),
    /// The click asked for something that is no longer so; nothing was changed.
    NothingChanged,
}

impl App {
    /// Reads what the Home tab shows.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn home(&self, member: &Member, notice: Option<Notice>) -> Result<Home, Failed> {
        let now = self.clock.now();
        let zone = member.zone();
        let today = now.with_timezone(&zone).date_naive();
        let since = today - LAST_DAYS;
        let day = self
            .store
            .day_and_recent(member.user_id, today, since, LAST_ENTRIES)
            .await
            .map_err(|error| self.failed("reading the Home tab", error))?;
        let timer = self.timer(member).await?;
        let accounts = self.accounts(member).await?;
        let (waiting, waiting_project) = if accounts.is_empty() {
            ((Vec::new(), 0), None)
        } else {
            let waiting = self.waiting(member, WAITING_SHOWN).await?;
            let chosen = self.choose_project(member, "", None, None).await?;
            (waiting, chosen.project)
        };
        let rules = self.rules(member).await?;
        Ok(Home {
            timer,
            name: member.name.clone(),
            now,
            zone,
            is_zone_known: member.time_zone().is_some(),
            today,
            day_total: day.day_total,
            target: member.preferences.target_per_day,
            recent: day.recent,
            notice,
            waiting,
            waiting_project,
            rules,
            accounts,
            offered: self.offered(),
        })
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
