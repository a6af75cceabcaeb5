//! What happens when a meeting has ended: it is logged by a rule, said, or left to the Home tab.

use chrono::TimeDelta;
use uuid::Uuid;

use super::{App, LogAs};
use crate::{
    domain::{
        calendar_event::{EventState, SyncedEvent},
        member::Member,
        rule::Rule,
        time_entry::Receipt,
    },
    error::Failed,
    jobs::Job,
    store::{LogEvent, NewJob},
};

/// People who are looked after in one go; the next go is a minute later.
const AT_ONCE: u32 = 1000;
/// A meeting that ended longer ago is not logged by a rule: its calendar was not read all that time.
const REACH: TimeDelta = TimeDelta::days(7);
/// A meeting that ended longer ago is not news.
const NEWS_FOR: TimeDelta = TimeDelta::hours(2);

/// Meetings that one message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedMeetings {
    /// Whose they are.
    pub member: Member,
    /// Each with its entry, if it has one, and its project as it would be logged.
    pub meetings: Vec<EndedMeeting>,
}

/// A meeting in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedMeeting {
    /// The meeting.
    pub event: SyncedEvent,
    /// How it would be logged.
    pub guess: super::Guess,
    /// The entry that was made of it, with its day.
    pub receipt: Option<Receipt>,
}

impl App {
    /// Asks for a look at each person whose meetings have ended.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn queue_ended(&self) -> Result<(), Failed> {
        let failed = |error| self.failed("looking for meetings that ended", error);
        let since = self.clock.now() - REACH;
        let people = self.store.people_with_ended(since, AT_ONCE).await;
        for binding in people.map_err(failed)? {
            let job = Job::MeetingsEnded { binding }.to_row();
            self.store.add_job_once(&job).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Deals with the meetings of a person that have ended: those of a series with a rule are logged, the others
    /// said if the person wants it. Doing it twice does no harm: each is dealt with once.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn deal_with_ended(&self, binding: Uuid) -> Result<(), Failed> {
        let failed = |error| self.failed("dealing with meetings that ended", error);
        let Some(member) = self.member_by_binding(binding).await? else {
            return Ok(());
        };
        let now = self.clock.now();
        let ended = self.store.ended(member.user_id, now - REACH).await;
        let ended = ended.map_err(failed)?;
        let rules = self.rules(&member).await?;
        let mut dealt = Vec::new();
        let mut news = Vec::new();
        for event in &ended {
            dealt.push(event.id);
            if let Some(rule) = rules.iter().find(|rule| follows(rule, event)) {
                // Asked for with the entry: what is logged by itself is told, whatever ends in between.
                let told = Self::entry_news(&member, event.id);
                if self
                    .log_by_rule(&member, event, rule, told.as_slice())
                    .await?
                {
                    continue;
                }
            }
            if member.preferences.after_meeting && event.end > now - NEWS_FOR {
                news.push(event.id);
            }
        }
        let home = Self::home_refresh(&member);
        let then = |taken: &[Uuid]| {
            let events = news.iter().copied();
            let events: Vec<_> = events.filter(|event| taken.contains(event)).collect();
            let told = (!events.is_empty()).then(|| {
                Job::TellMeetings {
                    binding,
                    events,
                    at: now,
                }
                .to_row()
            });
            told.into_iter().chain(home.clone()).collect()
        };
        self.store
            .note_ended(member.user_id, &dealt, &then)
            .await
            .map_err(failed)
    }

    /// Logs a meeting as its rule says; `false` if that cannot be: its project was archived meanwhile.
    async fn log_by_rule(
        &self,
        member: &Member,
        event: &SyncedEvent,
        rule: &Rule,
        told: &[NewJob],
    ) -> Result<bool, Failed> {
        let project = rule.project.as_ref().map(|project| project.id);
        if self.open_project(member, project).await?.is_err() {
            return Ok(false);
        }
        let log_as = LogAs {
            project: Some(rule.project.clone()),
            billable: Some(rule.is_billable),
            ..LogAs::default()
        };
        let logged = self.log_event_then(member, event.id, log_as, told).await?;
        Ok(matches!(logged, LogEvent::Logged(_) | LogEvent::Already(_)))
    }

    /// The news that an entry was made of a meeting where the person does not look at it, if they want to know.
    pub(super) fn entry_news(member: &Member, event: Uuid) -> Option<NewJob> {
        let binding = member.binding_id;
        let is_wanted = member.preferences.entry_notifications;
        is_wanted.then(|| Job::TellEntry { binding, event }.to_row())
    }

    /// What there is to say about meetings that have ended. `None` if there is nothing (any more): they were logged or
    /// skipped meanwhile, or the person does not want it now.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ended_to_tell(
        &self,
        binding: Uuid,
        events: &[Uuid],
    ) -> Result<Option<EndedMeetings>, Failed> {
        let Some(member) = self.member_by_binding(binding).await? else {
            return Ok(None);
        };
        let mut found = Vec::new();
        if member.preferences.after_meeting {
            for event_id in events {
                let event = self.event(&member, *event_id).await?;
                found.extend(event.filter(|event| event.state == EventState::Suggested));
            }
        }
        let meetings = self.meetings(&member, found).await?;
        Ok((!meetings.is_empty()).then_some(EndedMeetings { member, meetings }))
    }

    /// The meeting that an entry was made of elsewhere, if there is something to say about it: the entry stands, no
    /// message about the meeting shows it already, and the person wants to know.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn entry_to_tell(
        &self,
        binding: Uuid,
        event_id: Uuid,
    ) -> Result<Option<EndedMeetings>, Failed> {
        let member = self.member_by_binding(binding).await?;
        let Some(member) = member.filter(|member| member.preferences.entry_notifications) else {
            return Ok(None);
        };
        if self.card_of(&member, event_id).await?.is_some() {
            return Ok(None);
        }
        let event = self.event(&member, event_id).await?;
        let mut meetings = self.meetings(&member, Vec::from_iter(event)).await?;
        meetings.retain(|meeting| meeting.receipt.is_some());
        Ok((!meetings.is_empty()).then_some(EndedMeetings { member, meetings }))
    }

    /// Notes where the message about these meetings stands.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn place_card(
        &self,
        ended: &EndedMeetings,
        place: (&str, &str),
    ) -> Result<(), Failed> {
        let ids: Vec<Uuid> = ended.meetings.iter().map(|m| m.event.id).collect();
        self.store
            .place_card(ended.member.user_id, &ids, place)
            .await
            .map_err(|error| self.failed("noting a message", error))
    }

    /// The meetings that a message is about, as they are now.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn meetings_of_card(
        &self,
        member: &Member,
        channel: &str,
        ts: &str,
    ) -> Result<Vec<EndedMeeting>, Failed> {
        let events = self.store.events_of_card(member.user_id, channel, ts).await;
        let events = events.map_err(|error| self.failed("reading meetings", error))?;
        self.meetings(member, events).await
    }

    /// The message that one of the person's meetings was announced in: its conversation and `ts`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn card_of(
        &self,
        member: &Member,
        event_id: Uuid,
    ) -> Result<Option<(String, String)>, Failed> {
        self.store
            .card_of(member.user_id, event_id)
            .await
            .map_err(|error| self.failed("looking for a message", error))
    }

    /// Asks for the message about a meeting to be drawn anew, where there is one: the meeting was logged or skipped
    /// on another surface.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn card_follows(&self, member: &Member, event_id: Uuid) -> Result<(), Failed> {
        if self.card_of(member, event_id).await?.is_none() {
            return Ok(());
        }
        let job = Job::UpdateCard {
            binding: member.binding_id,
            event: event_id,
        };
        self.store
            .add_job(&job.to_row())
            .await
            .map_err(|error| self.failed("asking for a message to be drawn anew", error))
    }

    async fn meetings(
        &self,
        member: &Member,
        events: Vec<SyncedEvent>,
    ) -> Result<Vec<EndedMeeting>, Failed> {
        let guesses = self.guesses(member).await?;
        let mut meetings = Vec::with_capacity(events.len());
        for event in events {
            let receipt = match (event.state, event.time_entry_id) {
                (EventState::Logged, Some(entry_id)) => self.receipt(member, entry_id).await?,
                _ => None,
            };
            meetings.push(EndedMeeting {
                guess: guesses.of(&event),
                receipt,
                event,
            });
        }
        Ok(meetings)
    }
}

fn follows(rule: &Rule, event: &SyncedEvent) -> bool {
    event.series_id.as_deref() == Some(&*rule.series_id) && event.end > rule.since
}
