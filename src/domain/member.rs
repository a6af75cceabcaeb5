//! A person as one workspace knows them.

use chrono_tz::Tz;
use uuid::Uuid;

use super::{
    preferences::Preferences, time_command::SlashDates, timer::Workday,
    workspace::WorkspaceSettings,
};

/// One person in one Slack workspace. Everything a person owns hangs on `user_id`, and a `user_id`
/// belongs to one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub user_id: Uuid,
    /// The tie between the person and their Slack account.
    pub binding_id: Uuid,
    /// The workspace's row, which its projects hang on.
    pub slack_integration_id: Uuid,
    /// Slack's id of the workspace, or of the organisation for an org-wide install.
    pub workspace_id: String,
    /// Slack's id of the person.
    pub slack_user_id: String,
    /// What Slack calls them.
    pub name: String,
    /// The zone Slack says they are in; `None` as long as it has not.
    pub slack_time_zone: Option<Tz>,
    /// Their language and country as Slack writes it: `de-DE`.
    pub locale: Option<String>,
    /// Whether they are an admin or owner of the workspace.
    pub is_admin: bool,
    /// What they have decided.
    pub preferences: Preferences,
    /// What their workspace's admins have decided.
    pub workspace: WorkspaceSettings,
    /// Whether the workspace lets them create projects.
    pub may_create_projects: bool,
    /// Whether they have ever opened the Home tab.
    pub has_opened_home: bool,
}

impl Member {
    /// Their zone: the one they have fixed, else Slack's; `None` where neither is known.
    pub fn time_zone(&self) -> Option<Tz> {
        self.preferences.time_zone.or(self.slack_time_zone)
    }

    /// The zone to reckon in. UTC where it is not known; whoever shows a time then says so.
    pub fn zone(&self) -> Tz {
        self.time_zone().unwrap_or(Tz::UTC)
    }

    /// Their working day.
    pub fn workday(&self) -> Workday {
        Workday {
            zone: self.zone(),
            start: self.preferences.workday_start,
            length: self.preferences.target_per_day,
        }
    }

    /// How they write `3/11`. Slack gives `en-US` to everybody who never chose a language, so that counts
    /// only where the clocks are American, too.
    pub fn slash_dates(&self) -> SlashDates {
        let Some((language, country)) = self
            .locale
            .as_deref()
            .map(|locale| locale.split_once(['-', '_']).unwrap_or((locale, "")))
        else {
            return SlashDates::Ask;
        };
        match language {
            "en" if country.eq_ignore_ascii_case("US") => {
                let is_american = self
                    .time_zone()
                    .is_some_and(|zone| AMERICAN.contains(&zone.name()));
                if is_american {
                    SlashDates::MonthFirst
                } else {
                    SlashDates::Ask
                }
            }
            "ja" | "ko" | "zh" => SlashDates::MonthFirst,
            "en" | "de" | "es" | "fr" | "it" | "nl" | "pl" | "pt" | "ru" | "tr" => {
                SlashDates::DayFirst
            }
            _ => SlashDates::Ask,
        }
    }
}

/// The zones of the United States that Slack offers.
const AMERICAN: [&str; 9] = [
    "America/New_York",
    "America/Detroit",
    "America/Indiana/Indianapolis",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
];
