//! A person as one workspace knows them.

use chrono::NaiveTime;
use chrono_tz::Tz;
use uuid::Uuid;

use super::{
    minutes::Minutes,
    time_command::{BareNumberUnit, SlashDates},
    timer::Workday,
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
    /// Their zone; `None` as long as Slack has not said.
    pub time_zone: Option<Tz>,
    /// Their language and country as Slack writes it: `de-DE`.
    pub locale: Option<String>,
    /// Whether they are an admin or owner of the workspace.
    pub is_admin: bool,
    /// How a number without a unit is read.
    pub bare_number_unit: BareNumberUnit,
    /// What a full day is.
    pub target_per_day: Minutes,
    /// When their working day begins.
    pub workday_start: NaiveTime,
    /// Whether the workspace lets them create projects.
    pub may_create_projects: bool,
    /// Whether they have ever opened the Home tab.
    pub has_opened_home: bool,
}

impl Member {
    /// The zone to reckon in. UTC where Slack has not said; whoever shows a time then says so.
    pub fn zone(&self) -> Tz {
        self.time_zone.unwrap_or(Tz::UTC)
    }

    /// Their working day.
    pub fn workday(&self) -> Workday {
        Workday {
            zone: self.zone(),
            start: self.workday_start,
            length: self.target_per_day,
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
                    .time_zone
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
