//! A meeting that was logged is otherwise in the calendar now: the person is told, and offered the change.

use uuid::Uuid;

use super::{App, EntryVersion, HomeTab, tokens::TokenProblem};
use crate::{
    domain::{
        calendar_event::{CalendarEvent, LoggedAs, SyncedEvent},
        member::Member,
        time_entry::{ChangeKind, EntryFields, Receipt},
    },
    error::Failed,
    store::{EntryChange, Step},
};

/// How a meeting differs from what was logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeetingChange {
    /// It is at another time, or takes longer or shorter.
    Moved,
    /// It is called otherwise.
    Renamed,
    /// It is no longer there.
    Cancelled,
}

/// A logged meeting that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedMeeting {
    /// Whose it is.
    pub member: Member,
    /// As the calendar shows it now.
    pub event: SyncedEvent,
    /// The entry, which has not changed.
    pub receipt: Receipt,
    /// What differs.
    pub change: MeetingChange,
}

/// What the provider says of one meeting.
enum Found {
    There(Box<CalendarEvent>),
    Gone,
    /// It cannot be asked: the person has to connect it again first.
    Unknown,
}

impl App {
    /// What is to be told of a change in the calendar. `None` if there is nothing: the entry was taken back, or says
    /// already what the calendar says.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn changed_meeting(
        &self,
        binding: Uuid,
        event_id: Uuid,
        was: &LoggedAs,
    ) -> Result<Option<ChangedMeeting>, Failed> {
        let Some(member) = self.member_by_binding(binding).await? else {
            return Ok(None);
        };
        let Some(mut event) = self.event(&member, event_id).await? else {
            return Ok(None);
        };
        let Some(entry_id) = event.time_entry_id else {
            return Ok(None);
        };
        let Some(receipt) = self.receipt(&member, entry_id).await? else {
            return Ok(None);
        };
        let entry = &receipt.entry;
        if entry.deleted_at.is_some() {
            return Ok(None);
        }
        if event.removed_at.is_some() {
            match self.look_up(&event).await? {
                Found::There(found) => {
                    let wishes = member.preferences.wishes;
                    event.title = found.stored_title(wishes);
                    (event.start, event.end) = (found.start, found.end);
                    event.removed_at = None;
                    self.store
                        .put_back_event(member.user_id, &event)
                        .await
                        .map_err(|error| self.failed("noting where a meeting went", error))?;
                }
                Found::Gone => {}
                Found::Unknown => return Ok(None),
            }
        }
        let now = (event.start, event.end);
        let change = if event.removed_at.is_some() {
            MeetingChange::Cancelled
        } else if now != (was.start, was.end) && entry.fields().span != Some(now) {
            MeetingChange::Moved
        } else if event.title != was.title && entry.description == was.title {
            MeetingChange::Renamed
        } else {
            return Ok(None);
        };
        Ok(Some(ChangedMeeting {
            member,
            event,
            receipt,
            change,
        }))
    }

    /// Where a meeting is that was not in its calendar's window any more: it may have moved far away.
    async fn look_up(&self, event: &SyncedEvent) -> Result<Found, Failed> {
        let target = self.store.sync_target(event.calendar_id).await;
        let target = target.map_err(|error| self.failed("looking for a meeting", error))?;
        let Some(target) = target else {
            return Ok(Found::Unknown);
        };
        let asked = self
            .ask_provider(target.account_id, |token| {
                let (target, providers) = (&target, &self.reach.providers);
                async move {
                    let ids = [&*target.provider_calendar_id, &*event.provider_event_id];
                    providers
                        .event(target.provider, &token, ids[0], ids[1])
                        .await
                }
            })
            .await;
        match asked {
            Ok(Ok(Some(found))) if !found.is_cancelled => Ok(Found::There(Box::new(found))),
            Ok(Ok(_)) => Ok(Found::Gone),
            Err(TokenProblem::Gone | TokenProblem::NeedsReconnect) => Ok(Found::Unknown),
            Ok(Err(problem)) => Err(self.failed("asking about a meeting", problem)),
            Err(problem) => Err(self.failed("asking about a meeting", problem)),
        }
    }

    /// Changes the entry to what its meeting is now. An entry that is settled, or was changed meanwhile, stays.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn follow_meeting(
        &self,
        member: &Member,
        entry: EntryVersion,
        event_id: Uuid,
        change: MeetingChange,
        home: HomeTab,
    ) -> Result<EntryChange, Failed> {
        let event = self.event(member, event_id).await?;
        let event = event.filter(|event| event.time_entry_id == Some(entry.id));
        let (Some(event), Some(now)) = (event, self.entry(member, entry.id).await?) else {
            return Ok(EntryChange::Unknown);
        };
        let to = match change {
            MeetingChange::Cancelled => return self.delete(member, entry, home).await,
            MeetingChange::Renamed => EntryFields {
                description: event.title,
                ..now.fields()
            },
            MeetingChange::Moved => EntryFields {
                date: event.start.with_timezone(&member.zone()).date_naive(),
                span: Some((event.start, event.end)),
                is_timed: true,
                duration: event.length(),
                ..now.fields()
            },
        };
        let step = Step {
            entry_id: entry.id,
            version: entry.version,
            to: Some(to),
        };
        self.change(member, ChangeKind::Edit, &[step], home).await
    }
}
