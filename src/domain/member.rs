//! A person as one workspace knows them.

use chrono_tz::Tz;
use uuid::Uuid;

use super::{minutes::Minutes, time_command::BareNumberUnit};

/// One person in one Slack workspace. Everything a person owns hangs on `user_id`, and a `user_id`
/// belongs to one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub user_id: Uuid,
    /// The tie between the person and their Slack account.
    pub binding_id: Uuid,
    /// Slack's id of the workspace, or of the organisation for an org-wide install.
    pub workspace_id: String,
    /// Slack's id of the person.
    pub slack_user_id: String,
    /// What Slack calls them.
    pub name: String,
    /// Their zone; `None` as long as Slack has not said.
    pub time_zone: Option<Tz>,
    /// How a number without a unit is read.
    pub bare_number_unit: BareNumberUnit,
    /// What a full day is.
    pub target_per_day: Minutes,
    /// Whether they have ever opened the Home tab.
    pub has_opened_home: bool,
}

impl Member {
    /// The zone to reckon in. UTC where Slack has not said; whoever shows a time then says so.
    pub fn zone(&self) -> Tz {
        self.time_zone.unwrap_or(Tz::UTC)
    }
}
