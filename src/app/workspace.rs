//! What admins decide for their workspace, and what they see of it.

use chrono::{NaiveDate, TimeDelta};
use url::Url;
use uuid::Uuid;

use super::{App, home::midnight};
use crate::{
    domain::{
        member::Member,
        minutes::Minutes,
        period::Period,
        summary::is_working_day,
        workspace::{AuditRecord, WorkspaceSettings},
    },
    error::Failed,
    store::{ConnectedCalendar, SettingsChange, WorkspaceFacts},
};

/// How many changes the form names.
const CHANGES_SHOWN: u32 = 10;
/// How many connected accounts it lists.
const CONNECTED_SHOWN: u32 = 20;

/// By how much less than their target somebody has logged for admins to be told that there is somebody.
pub const SHORT_BY: Minutes = Minutes::from_hours(4);

/// What stands in the form for the settings of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceForm {
    /// The settings as they are now.
    pub settings: WorkspaceSettings,
    /// Their version, which a submission has to name.
    pub version: i32,
    /// The last changes, the latest first.
    pub changes: Vec<AuditRecord>,
    /// Who has connected what kind of calendar, by name; the first of them.
    pub connected: Vec<ConnectedCalendar>,
    /// Whether there are more.
    pub has_more_connected: bool,
}

/// What the Home tab shows to an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceSeen {
    /// The settings.
    pub settings: WorkspaceSettings,
    /// How many people there are.
    pub facts: WorkspaceFacts,
    /// How many of them are more than [`SHORT_BY`] short of their target on this week's working days, as far as these
    /// are over everywhere; `None` while none is. Of their absences only days that they marked as off are known: nobody
    /// sees into their calendars.
    pub people_short: Option<u32>,
    /// What the installed app may not do of what BillOps needs, by Slack's names. Slack says that, not the database: it
    /// is empty until somebody has asked there.
    pub missing_scopes: Vec<&'static str>,
    /// Where the app is installed again.
    pub install_url: Option<Url>,
}

/// Why settings cannot be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsRefusal {
    /// The person is no admin of the workspace.
    NotAdmin,
    /// A working day longer than a day.
    DayTooLong,
    /// Somebody else changed them meanwhile.
    Stale,
}

impl App {
    /// What stands in the form; `None` for whoever is no admin.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn workspace_form(&self, member: &Member) -> Result<Option<WorkspaceForm>, Failed> {
        let failed = |error| self.failed("reading the workspace's settings", error);
        // Read anew: what is shown is saved again, and an admin may have ceased to be one.
        let now = self.store.member_by_binding(member.binding_id).await;
        let Some(member) = now.map_err(failed)?.filter(|member| member.is_admin) else {
            return Ok(None);
        };
        let workspace = member.slack_integration_id;
        let version = self
            .store
            .settings_version(workspace)
            .await
            .map_err(failed)?;
        let changes = self
            .store
            .audit_records(workspace, None, CHANGES_SHOWN)
            .await;
        let connected = self
            .store
            .connected_calendars(workspace, CONNECTED_SHOWN + 1)
            .await;
        let mut connected = connected.map_err(failed)?;
        let shown = CONNECTED_SHOWN as usize;
        let has_more_connected = connected.len() > shown;
        connected.truncate(shown);
        Ok(Some(WorkspaceForm {
            settings: member.workspace,
            version,
            changes: changes.map_err(failed)?,
            connected,
            has_more_connected,
        }))
    }

    /// Saves the settings of the person's workspace, and notes in the audit trail what differs. `version` is that of
    /// the settings which the person saw.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn save_workspace_settings(
        &self,
        member: &Member,
        version: i32,
        settings: &WorkspaceSettings,
    ) -> Result<Option<SettingsRefusal>, Failed> {
        if settings.target_per_day > Minutes::DAY {
            return Ok(Some(SettingsRefusal::DayTooLong));
        }
        let saved = self
            .store
            .save_workspace_settings(member.binding_id, version, settings)
            .await
            .map_err(|error| self.failed("saving the workspace's settings", error))?;
        Ok(match saved {
            SettingsChange::Saved(0) => None,
            SettingsChange::Saved(_) => {
                // It is about everybody there, not about one person.
                self.members.clear();
                None
            }
            SettingsChange::Stale => Some(SettingsRefusal::Stale),
            SettingsChange::NotAdmin => Some(SettingsRefusal::NotAdmin),
        })
    }

    /// What was changed in the person's workspace, the latest first, at most `limit`, older than `before`; `None` for
    /// whoever is no admin.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn audit(
        &self,
        member: &Member,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Option<Vec<AuditRecord>>, Failed> {
        if !member.is_admin {
            return Ok(None);
        }
        self.store
            .audit_records(member.slack_integration_id, before, limit)
            .await
            .map(Some)
            .map_err(|error| self.failed("reading the audit trail", error))
    }

    /// What the Home tab shows of the workspace; `None` for whoever is no admin.
    pub(super) async fn workspace_seen(
        &self,
        member: &Member,
    ) -> Result<Option<WorkspaceSeen>, Failed> {
        if !member.is_admin {
            return Ok(None);
        }
        let failed = |error| self.failed("counting a workspace's people", error);
        let workspace = member.slack_integration_id;
        let facts = self.store.workspace_facts(workspace).await;
        let now = self.clock.now();
        let week = Period::week(now.with_timezone(&member.zone()).date_naive()).from;
        // Where it ends last.
        let today = (now - TimeDelta::hours(12)).date_naive();
        let over = week.iter_days().take_while(|day| *day < today);
        let over: Vec<NaiveDate> = over.filter(|day| is_working_day(*day)).collect();
        let people_short = if over.is_empty() {
            None
        } else {
            let begins = midnight(week, member.zone());
            let short = self.store.people_short(workspace, &over, begins, SHORT_BY);
            Some(short.await.map_err(failed)?)
        };
        Ok(Some(WorkspaceSeen {
            settings: member.workspace,
            facts: facts.map_err(failed)?,
            people_short,
            missing_scopes: Vec::new(),
            install_url: self.has_sign_in().then(|| {
                let mut url = self.reach.public_url.clone();
                url.set_path("/api/v1/integrations/slack/install");
                url
            }),
        }))
    }
}
