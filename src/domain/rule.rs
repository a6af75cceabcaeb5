//! Series of meetings that are always logged in the same way.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::project::ProjectRef;

/// What a person decided, or was asked, about a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// UUIDv7.
    pub id: Uuid,
    /// The series, as the calendar's provider names it.
    pub series_id: String,
    /// What its meetings are called.
    pub title: String,
    /// Where they go; `None` is to no project.
    pub project: Option<ProjectRef>,
    /// Whether they can be billed.
    pub is_billable: bool,
    /// How it stands.
    pub state: RuleState,
    /// Since when it stands so: what ended before is not touched.
    pub since: DateTime<Utc>,
}

/// How a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleState {
    /// The person was asked.
    Offered,
    /// Meetings of the series are logged when they end.
    Active,
    /// The person said no, and is not asked again.
    Declined,
    /// It was active and is not any more; the person is not asked again.
    Removed,
}

impl RuleState {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Active => "active",
            Self::Declined => "declined",
            Self::Removed => "removed",
        }
    }

    /// The other way round; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Offered, Self::Active, Self::Declined, Self::Removed]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// How the last meeting of a series was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesChoice {
    /// The series.
    pub series_id: String,
    /// Where it went; `None` is to no project.
    pub project: Option<ProjectRef>,
    /// Whether it can be billed.
    pub is_billable: bool,
}
