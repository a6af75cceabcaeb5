//! Several meetings at once: logged, skipped, and taken back as one step.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{App, HomeTab, Waiting};
use crate::{
    domain::{member::Member, minutes::Minutes, time_entry::EntryFields},
    error::Failed,
    store::Batch,
};

/// More than so many are never dealt with at one press.
const AT_ONCE: u32 = 200;

/// Which of the meetings that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingOf {
    /// Up to this one: ids rise with time, so what came after it was shown to nobody yet.
    pub until: Uuid,
    /// Those that had ended then.
    pub ended_by: DateTime<Utc>,
    /// Of which days.
    pub days: WaitingDays,
}

/// Of which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingDays {
    /// All.
    All,
    /// This one.
    On(NaiveDate),
    /// Those before this one.
    Before(NaiveDate),
}

impl WaitingDays {
    fn has(self, day: NaiveDate) -> bool {
        match self {
            Self::All => true,
            Self::On(one) => day == one,
            Self::Before(first) => day < first,
        }
    }
}

impl App {
    async fn waiting_of(&self, member: &Member, of: WaitingOf) -> Result<Vec<Waiting>, Failed> {
        let (events, _) = self.waiting(member, AT_ONCE).await?;
        let mut waiting = self.guessed(member, events).await?;
        waiting.retain(|one| {
            of.days.has(one.day(member.zone()))
                && one.meeting.id <= of.until
                && one.meeting.end <= of.ended_by
        });
        // In their order, and so their entries are.
        waiting.sort_by_key(|one| (one.meeting.start, one.meeting.id));
        Ok(waiting)
    }

    /// Logs these meetings, each to its own project. Asked again under the same key when none of them waits any more,
    /// it is answered with what was done then; `None` where nothing was.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn log_waiting(
        &self,
        member: &Member,
        key: Uuid,
        of: WaitingOf,
        home: HomeTab,
    ) -> Result<Option<Batch>, Failed> {
        let waiting = self.waiting_of(member, of).await?;
        let fields = |one: Waiting| {
            let (meeting, zone) = (one.meeting, member.zone());
            let fields = EntryFields {
                date: meeting.start.with_timezone(&zone).date_naive(),
                span: Some((meeting.start, meeting.end)),
                is_timed: true,
                duration: meeting.length(),
                description: meeting.title,
                project: one.project,
                billable: one.is_billable,
                tags: Vec::new(),
            };
            (meeting.id, fields)
        };
        let events: Vec<_> = waiting.into_iter().map(fields).collect();
        let then = home.refresh(member);
        self.store
            .log_events(member.user_id, key, &events, then.as_ref())
            .await
            .map_err(|error| self.failed("logging meetings", error))
    }

    /// Skips these meetings, with the same answers.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn skip_waiting(
        &self,
        member: &Member,
        key: Uuid,
        of: WaitingOf,
        home: HomeTab,
    ) -> Result<Option<Batch>, Failed> {
        let waiting = self.waiting_of(member, of).await?;
        let events: Vec<(Uuid, Minutes)> = waiting
            .iter()
            .map(|one| (one.meeting.id, one.meeting.length()))
            .collect();
        let then = home.refresh(member);
        self.store
            .skip_events(member.user_id, key, &events, then.as_ref())
            .await
            .map_err(|error| self.failed("skipping meetings", error))
    }

    /// Takes a batch back; `None` if it is not the person's, or too long ago.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn undo_batch(
        &self,
        member: &Member,
        key: Uuid,
        home: HomeTab,
    ) -> Result<Option<Batch>, Failed> {
        let then = home.refresh(member);
        self.store
            .undo_batch(member.user_id, key, then.as_ref())
            .await
            .map_err(|error| self.failed("taking meetings back", error))
    }
}
