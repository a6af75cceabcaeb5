//! Meetings become entries.

use chrono::{DateTime, NaiveTime, TimeDelta, Timelike as _, Utc};
use uuid::Uuid;

use super::{App, EntryForm, FormOutcome, HomeTab};
use crate::{
    domain::{
        calendar_event::{EventState, SyncedEvent},
        member::Member,
        project::ProjectRef,
        rule::Rule,
        time_entry::EntryFields,
    },
    error::Failed,
    store::{LogEvent, NewJob},
};

/// How far back meetings wait to be logged.
pub(super) const WAITS_FOR: TimeDelta = TimeDelta::days(28);

/// What is to be logged otherwise than the calendar says.
#[derive(Clone, Debug, Default)]
pub struct LogAs {
    /// Another title.
    pub description: Option<String>,
    /// Another project than the guessed one; `Some(None)` is none.
    pub project: Option<Option<ProjectRef>>,
    /// Whether it can be billed.
    pub billable: Option<bool>,
}

/// What became of the form in which a meeting is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedAsForm {
    /// What became of the meeting.
    pub logged: LogEvent,
    /// The rule that was made with it.
    pub rule: Option<Rule>,
}

impl App {
    /// The meetings that have ended and wait to be logged, the newest first; and how many there are.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn waiting(
        &self,
        member: &Member,
        limit: u32,
    ) -> Result<(Vec<SyncedEvent>, u64), Failed> {
        let since = self.clock.now() - WAITS_FOR;
        self.store
            .waiting(member.user_id, since, limit)
            .await
            .map_err(|error| self.failed("reading waiting meetings", error))
    }

    /// One of the person's events.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn event(
        &self,
        member: &Member,
        event_id: Uuid,
    ) -> Result<Option<SyncedEvent>, Failed> {
        self.store
            .event(member.user_id, event_id)
            .await
            .map_err(|error| self.failed("reading a meeting", error))
    }

    /// Makes an entry of an event: its title, its start and end. However often it is asked, it is one entry.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn log_event(
        &self,
        member: &Member,
        event_id: Uuid,
        log_as: LogAs,
        home: HomeTab,
    ) -> Result<LogEvent, Failed> {
        let then = home.refresh(member);
        self.log_event_then(member, event_id, log_as, then.as_slice())
            .await
    }

    /// As [`log_event`](Self::log_event), for somebody who is not looking at it in Slack: they are told there, if they
    /// want to be.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn convert_event(&self, member: &Member, event_id: Uuid) -> Result<LogEvent, Failed> {
        let mut then = Vec::from_iter(Self::home_refresh(member));
        then.extend(Self::entry_news(member, event_id));
        let logged = self
            .log_event_then(member, event_id, LogAs::default(), &then)
            .await?;
        if matches!(logged, LogEvent::Logged(_)) {
            self.card_follows(member, event_id).await?;
        }
        Ok(logged)
    }

    /// As [`log_event`](Self::log_event), with the jobs that follow from it.
    pub(super) async fn log_event_then(
        &self,
        member: &Member,
        event_id: Uuid,
        log_as: LogAs,
        then: &[NewJob],
    ) -> Result<LogEvent, Failed> {
        let failed = |error| self.failed("logging a meeting", error);
        let event = self.store.event(member.user_id, event_id).await;
        let Some(event) = event.map_err(failed)? else {
            return Ok(LogEvent::Unknown);
        };
        let chosen = match log_as.project {
            Some(project) => {
                let is_billable = project.is_some();
                (project, is_billable)
            }
            None => {
                let guess = self.guess(member, &event).await?;
                (guess.project, guess.is_billable)
            }
        };
        let fields = EntryFields {
            description: log_as.description.unwrap_or_else(|| event.title.clone()),
            // The day it begins on where the person is, whatever the calendar's zone.
            date: event.start.with_timezone(&member.zone()).date_naive(),
            span: Some((event.start, event.end)),
            is_timed: true,
            duration: event.length(),
            project: chosen.0,
            billable: log_as.billable.unwrap_or(chosen.1),
            tags: Vec::new(),
        };
        self.store
            .log_event(member.user_id, event_id, &fields, then)
            .await
            .map_err(failed)
    }

    /// Makes an entry of an event as it was entered in the form; with `always`, it becomes the rule for its series.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn log_event_form(
        &self,
        member: &Member,
        event_id: Uuid,
        form: &EntryForm,
        is_always: bool,
        home: HomeTab,
    ) -> Result<FormOutcome<LoggedAsForm>, Failed> {
        let Some(event) = self.event(member, event_id).await? else {
            let (logged, rule) = (LogEvent::Unknown, None);
            return Ok(FormOutcome::Done(LoggedAsForm { logged, rule }));
        };
        let (mut fields, reading) = match self.read_form(member, form).await? {
            Ok(read) => read,
            Err(problems) => return Ok(FormOutcome::Problems(problems)),
        };
        let zone = member.zone();
        let [start, end] = [event.start, event.end].map(|at| at.with_timezone(&zone));
        if fields.date == start.date_naive()
            && reading.start.zip(reading.end) == Some((minute(start), minute(end)))
        {
            // Left as it was shown, it is the meeting's own time, right across a change of the clocks.
            fields.span = Some((event.start, event.end));
            fields.duration = event.length();
        }
        let then = home.refresh(member);
        let failed = |error| self.failed("logging a meeting", error);
        let logged = self
            .store
            .log_event(member.user_id, event_id, &fields, then.as_slice())
            .await
            .map_err(failed)?;
        let is_logged = matches!(logged, LogEvent::Logged(_) | LogEvent::Already(_));
        let rule = if is_always && is_logged {
            let project = fields.project.as_ref().map(|project| project.id);
            self.store
                .make_rule(member.user_id, event_id, project, fields.billable)
                .await
                .map_err(failed)?
        } else {
            None
        };
        Ok(FormOutcome::Done(LoggedAsForm { logged, rule }))
    }

    /// Skips an event, which is remembered, or takes that back. `None` if the person has no such event.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn dismiss_event(
        &self,
        member: &Member,
        event_id: Uuid,
        is_dismissed: bool,
        home: HomeTab,
    ) -> Result<Option<EventState>, Failed> {
        let then = home.refresh(member);
        self.store
            .dismiss_event(member.user_id, event_id, is_dismissed, then.as_ref())
            .await
            .map_err(|error| self.failed("skipping a meeting", error))
    }

    /// The person's events that begin in a span of time, after one that was shown.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn events_between(
        &self,
        member: &Member,
        span: [DateTime<Utc>; 2],
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: u32,
    ) -> Result<Vec<SyncedEvent>, Failed> {
        self.store
            .events_between(member.user_id, span, after, limit)
            .await
            .map_err(|error| self.failed("reading events", error))
    }
}

/// The time of day, as it is shown.
fn minute(at: DateTime<chrono_tz::Tz>) -> NaiveTime {
    at.time().with_second(0).unwrap_or_else(|| at.time())
}
