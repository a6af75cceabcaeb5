//! Meetings become entries.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{App, HomeTab};
use crate::{
    domain::{
        calendar_event::{EventState, SyncedEvent},
        member::Member,
        project::ProjectRef,
        time_entry::EntryFields,
    },
    error::Failed,
    store::LogEvent,
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
                let chosen = self.choose_project(member, "", None, None).await?;
                (chosen.project, chosen.is_billable)
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
        let then = home.refresh(member);
        self.store
            .log_event(member.user_id, event_id, &fields, then.as_ref())
            .await
            .map_err(failed)
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
