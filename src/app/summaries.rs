//! The end of the day: who is sent a summary when, and what it says.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::{App, HomeTab, Waiting, home::midnight};
use crate::{
    domain::{
        calendar::{Account, AccountState},
        calendar_event::{EventState, SkipReason, SyncedEvent},
        due::{DayMark, SummaryOf, instant, is_away, next_due},
        gaps::{Gap, gaps},
        member::Member,
        minutes::Minutes,
        preferences::Preferences,
        project::ProjectRef,
        summary::Summary,
        time_entry::TimeEntry,
        timer::Timer,
    },
    error::Failed,
    jobs::Job,
    store::{HomeSpans, Planned, Replan},
};

/// Plans that are dealt with in one transaction.
const AT_ONCE: u32 = 500;
/// A summary that could not be sent so long is not sent any more.
const LATEST: TimeDelta = TimeDelta::hours(3);
/// What is due longer when it is found was missed: BillOps was not running.
const MISSED_AFTER: TimeDelta = TimeDelta::minutes(5);
/// Meetings of a day that were dealt with since its summary, which have a row there.
const SETTLED: u32 = 12;

/// A day, as its summary tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaySummary {
    /// The day.
    pub day: NaiveDate,
    /// What is logged for it.
    pub total: Minutes,
    /// The same by project, the most first; what has none last.
    pub projects: Vec<(Option<ProjectRef>, Minutes)>,
    /// Its meetings that wait, the earliest first.
    pub waiting: Vec<Waiting>,
    /// Its meetings that were skipped, or logged, since the summary was sent; with the entry that was made.
    pub settled: Vec<(SyncedEvent, Option<TimeEntry>)>,
    /// Where the working day has nothing logged.
    pub gaps: Vec<Gap>,
    /// What the person is doing just now.
    pub timer: Option<Timer>,
    /// Their accounts that are not read, so that meetings may be missing.
    pub unread: Vec<Account>,
    /// What they said of the day.
    pub mark: Option<DayMark>,
    /// Whether they were away all day.
    pub is_away: bool,
    /// Whether it is a working day of theirs.
    pub is_working_day: bool,
    /// What a full day is.
    pub target: Minutes,
}

impl DaySummary {
    /// What is missing against the target.
    pub fn missing(&self) -> Minutes {
        Minutes::new(self.target.get().saturating_sub(self.total.get()))
    }

    /// Whether something is still to be done about the day, as far as anybody can know.
    pub fn is_open(&self) -> bool {
        let is_expected = self.is_working_day && !self.is_away && self.mark.is_none();
        let is_complete = self.missing() == Minutes::default() && self.total > Minutes::default();
        is_expected && !(is_complete && self.waiting.is_empty())
    }
}

/// A week, as the Monday message tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeekSummary {
    /// Its Monday.
    pub monday: NaiveDate,
    /// Its working days and the others with something logged, in their order.
    pub days: Vec<DaySummary>,
}

impl WeekSummary {
    /// The days that are open, the most missing first.
    pub fn open(&self) -> Vec<&DaySummary> {
        let mut open: Vec<_> = self.days.iter().filter(|day| day.is_open()).collect();
        open.sort_by_key(|day| (std::cmp::Reverse(day.missing()), day.day));
        open
    }

    /// What is logged for it, and what was to be.
    pub fn totals(&self) -> (Minutes, Minutes) {
        let expected = self
            .days
            .iter()
            .filter(|day| day.is_working_day && !day.is_away && day.mark != Some(DayMark::Off));
        (
            self.days.iter().map(|day| day.total).sum(),
            expected.map(|day| day.target).sum(),
        )
    }
}

impl App {
    /// Asks for the sending of every summary that is due, and plans the next ones. What was missed for more than
    /// three hours is not sent.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn queue_summaries(&self) -> Result<(), Failed> {
        let failed = |error| self.failed("looking for summaries that are due", error);
        let mut before = Vec::new();
        loop {
            let due = self.store.summaries_due(AT_ONCE).await.map_err(failed)?;
            if due.is_empty() {
                return Ok(());
            }
            // A time that somebody wrote into the database by hand may be one that is found and not met.
            if due == before {
                tracing::error!(
                    plans = due.len(),
                    "summaries.stuck: plans stay due however often they are dealt with. Set due_at and about to NULL \
                     in the rows of summary_plans that are past; who then saves their preferences is planned for anew"
                );
                return Ok(());
            }
            let now = self.clock.now();
            let plans: Vec<Replan> = due.iter().map(|due| replanned(due, now)).collect();
            self.store.replan(&plans).await.map_err(failed)?;
            before = due;
        }
    }

    /// What the person is to be sent about a day or a week now; `None` where that is nothing: they do not want it
    /// (any more), it is too late, or nothing is open.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn day_to_send(
        &self,
        member: &Member,
        day: NaiveDate,
        due_at: DateTime<Utc>,
    ) -> Result<Option<DaySummary>, Failed> {
        let preferences = &member.preferences;
        let is_wanted = preferences.daily_summary && self.clock.now() - due_at <= LATEST;
        if !is_wanted || self.is_removed(member).await? {
            return Ok(None);
        }
        let summary = self.day_summary(member, day).await?;
        let is_silent = !summary.is_working_day || summary.is_away || summary.mark.is_some();
        let is_done = preferences.silent_when_done && !summary.is_open();
        Ok((!is_silent && !is_done).then_some(summary))
    }

    /// What the person is to be sent about their day now, or about `date`, however late that is; `None` where that is
    /// nothing: it is not due yet, was sent, or they do not want it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn day_due(
        &self,
        member: &Member,
        date: Option<NaiveDate>,
    ) -> Result<Option<DaySummary>, Failed> {
        let (now, zone) = (self.clock.now(), member.zone());
        let day = date.unwrap_or_else(|| now.with_timezone(&zone).date_naive());
        let due_at = instant(day, member.preferences.daily_summary_time, zone);
        let Some(due_at) = due_at.filter(|at| *at <= now) else {
            return Ok(None);
        };
        let notice = Self::summary_notice(SummaryOf::Day, day);
        let sent = self.store.sent_notice(member.binding_id, &notice).await;
        let sent = sent.map_err(|error| self.failed("looking for a summary", error))?;
        if sent.is_some() {
            return Ok(None);
        }
        let due_at = if date.is_some() { now } else { due_at };
        self.day_to_send(member, day, due_at).await
    }

    /// Everybody after this person, some at a time: whom a command goes through.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn members_after(&self, binding_id: Uuid) -> Result<Vec<Member>, Failed> {
        let members = self.store.members_after(binding_id, AT_ONCE).await;
        members.map_err(|error| self.failed("reading who there is", error))
    }

    /// The same about a week: nothing unless a day of it is open.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn week_to_send(
        &self,
        member: &Member,
        monday: NaiveDate,
        due_at: DateTime<Utc>,
    ) -> Result<Option<WeekSummary>, Failed> {
        let is_wanted = member.preferences.monday && self.clock.now() - due_at <= LATEST;
        if !is_wanted || self.is_removed(member).await? {
            return Ok(None);
        }
        let week = self.week_summary(member, monday).await?;
        Ok((!week.open().is_empty()).then_some(week))
    }

    /// Whether BillOps was removed from the person's workspace.
    async fn is_removed(&self, member: &Member) -> Result<bool, Failed> {
        Ok(!self.knows_workspace(&member.workspace_id).await?)
    }

    /// A day as it is now.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn day_summary(&self, member: &Member, day: NaiveDate) -> Result<DaySummary, Failed> {
        let failed = |error| self.failed("reading a day", error);
        let (now, zone, workday) = (self.clock.now(), member.zone(), member.workday());
        let span = [
            midnight(day, zone),
            midnight(day + TimeDelta::days(1), zone),
        ];
        let spans = HomeSpans {
            today: day,
            day: span,
            week: [day, day],
            recent_since: day,
            waits_since: span[0],
        };
        let rows = self
            .store
            .home(member.user_id, spans)
            .await
            .map_err(failed)?;
        let sums = Summary::of(&rows.week, day, day);
        let mut waiting = self.guessed(member, rows.waiting).await?;
        waiting.retain(|one| one.day(zone) == day);
        waiting.sort_by_key(|one| (one.meeting.start, one.meeting.id));
        let marks = self
            .store
            .day_marks(member.user_id, day, day)
            .await
            .map_err(failed)?;
        let notice = Self::summary_notice(SummaryOf::Day, day);
        let sent = self
            .store
            .sent_notice(member.binding_id, &notice)
            .await
            .map_err(failed)?;
        let mut settled = Vec::new();
        if let Some(sent) = sent {
            let events = self
                .store
                .settled_since(member.user_id, span, sent.claimed_at, SETTLED);
            for event in events.await.map_err(failed)? {
                let entry = match (event.state, event.time_entry_id) {
                    (EventState::Logged, Some(id)) => self.entry(member, id).await?,
                    _ => None,
                };
                settled.push((event, entry));
            }
        }
        let away: Vec<_> = rows
            .left_out
            .iter()
            .filter(|event| event.skip_reason == Some(SkipReason::OutOfOffice))
            .map(|event| (event.start, event.end))
            .collect();
        let not_read = |account: &Account| account.state == AccountState::NeedsReconnect;
        Ok(DaySummary {
            day,
            total: sums.total,
            projects: sums.projects,
            waiting,
            settled,
            gaps: gaps(&workday, day, &rows.today, now),
            timer: rows.timer,
            unread: rows.accounts.into_iter().filter(not_read).collect(),
            mark: marks.get(&day).copied(),
            is_away: is_away(&workday, day, &away),
            is_working_day: is_working(&member.preferences, day),
            target: member.preferences.target_per_day,
        })
    }

    /// A week as it is now, from its Monday on.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn week_summary(
        &self,
        member: &Member,
        monday: NaiveDate,
    ) -> Result<WeekSummary, Failed> {
        let mut days = Vec::new();
        for day in monday.iter_days().take(7) {
            let summary = self.day_summary(member, day).await?;
            if summary.is_working_day || summary.total > Minutes::default() {
                days.push(summary);
            }
        }
        Ok(WeekSummary { monday, days })
    }

    /// Names a summary among the messages that are sent once.
    pub fn summary_notice(of: SummaryOf, about: NaiveDate) -> String {
        format!("{}:{about}", of.as_str())
    }

    /// The person says this of days, or takes it back.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn mark_days(
        &self,
        member: &Member,
        days: &[NaiveDate],
        mark: Option<DayMark>,
        home: HomeTab,
    ) -> Result<(), Failed> {
        let then = home.refresh(member);
        self.store
            .mark_days(member.user_id, days, mark, then.as_ref())
            .await
            .map_err(|error| self.failed("noting what was said of a day", error))
    }
}

/// Whether the person works on that day of the week: they want summaries of it.
fn is_working(preferences: &Preferences, day: NaiveDate) -> bool {
    use chrono::Datelike as _;
    preferences.summary_days.contains(day.weekday())
}

/// What is to be done about a plan that is due.
fn replanned(due: &Planned, now: DateTime<Utc>) -> Replan {
    let member = &due.member;
    // Whoever was planned for long ago, or never, is from so long ago on as something can still be sent.
    let since = due.due_at.max(now - LATEST);
    let next = next_due(due.of, &member.preferences, member.zone(), since, due.about);
    let is_sent = due.is_active && now - due.due_at <= LATEST;
    let send = due.about.filter(|_| is_sent).map(|about| {
        Job::SendSummary {
            binding: member.binding_id,
            of: due.of,
            about,
            due_at: due.due_at,
            is_missed: now - due.due_at > MISSED_AFTER,
        }
        .to_row()
    });
    Replan {
        binding_id: member.binding_id,
        slack_integration_id: member.slack_integration_id,
        of: due.of,
        was_due_at: due.due_at,
        next: next.filter(|_| due.is_active),
        send,
    }
}
