//! Taking an entry back, putting it back, and reading its number the other way.

use uuid::Uuid;

use super::{App, Request};
use crate::{
    domain::{
        member::Member,
        time_command::{self, BareNumberUnit, Context, TimeCommand, Unit},
        time_entry::Receipt,
    },
    error::Failed,
    store::{EntryChange, NewJob},
};

/// What a change of an entry means for the person's Home tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeTab {
    /// It has to be drawn anew, if they have ever opened it.
    Refresh,
    /// Whoever asks for the change draws it, with what was just done on top; a refresh would take that away.
    DrawnByCaller,
}

impl HomeTab {
    fn refresh(self, member: &Member) -> Option<NewJob> {
        match self {
            Self::Refresh => App::home_refresh(member),
            Self::DrawnByCaller => None,
        }
    }
}

impl App {
    /// Takes the entry back, if it still is at `version`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn undo(
        &self,
        member: &Member,
        entry: Uuid,
        version: i32,
        home: HomeTab,
    ) -> Result<EntryChange, Failed> {
        self.store
            .set_deleted(
                member.user_id,
                entry,
                version,
                true,
                home.refresh(member).as_ref(),
            )
            .await
            .map_err(|error| self.failed("taking a time entry back", error))
    }

    /// Puts an entry back that was taken back, if it still is at `version`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn redo(
        &self,
        member: &Member,
        entry: Uuid,
        version: i32,
        home: HomeTab,
    ) -> Result<EntryChange, Failed> {
        self.store
            .set_deleted(
                member.user_id,
                entry,
                version,
                false,
                home.refresh(member).as_ref(),
            )
            .await
            .map_err(|error| self.failed("putting a time entry back", error))
    }

    /// Takes back the person's last entry.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn undo_last(&self, request: Request<'_>) -> Result<Option<Receipt>, Failed> {
        let Request { member, key, .. } = request;
        self.store
            .undo_last(member.user_id, key, Self::home_refresh(member).as_ref())
            .await
            .map_err(|error| self.failed("taking a time entry back", error))
    }

    /// Reads the line an entry was typed with again, with its bare number in `unit`, and changes the entry
    /// to that.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn flip_unit(
        &self,
        member: &Member,
        entry_id: Uuid,
        version: i32,
        unit: Unit,
    ) -> Result<EntryChange, Failed> {
        let failed = |error| self.failed("changing a time entry", error);
        let Some(entry) = self
            .store
            .entry(member.user_id, entry_id)
            .await
            .map_err(failed)?
        else {
            return Ok(EntryChange::Unknown);
        };
        let bare_number_unit = match unit {
            Unit::Hours => BareNumberUnit::Hours,
            Unit::Minutes => BareNumberUnit::Minutes,
        };
        let context = Context {
            bare_number_unit,
            ..self.reading(member)
        };
        let typed = entry.typed_text.as_deref().unwrap_or_default();
        let Ok(TimeCommand::Log(line)) = time_command::parse(typed, &context) else {
            return Ok(EntryChange::Unknown);
        };
        self.store
            .change_duration(
                member.user_id,
                entry_id,
                version,
                line.duration,
                Self::home_refresh(member).as_ref(),
            )
            .await
            .map_err(failed)
    }
}
