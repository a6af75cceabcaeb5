//! A meeting that was logged is otherwise in the calendar now: the person is told, and offered the change.

use uuid::Uuid;

use super::{App, EntryVersion, HomeTab, confirm_event::length};
use crate::{
    domain::{
        calendar_event::{LoggedAs, SyncedEvent},
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
        let Some(event) = self.event(&member, event_id).await? else {
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
                duration: length(event.start, event.end),
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
