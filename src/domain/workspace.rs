//! What admins decide for everybody in their workspace, and the record of who did.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{minutes::Minutes, rounding::Rounding};

/// The settings of a workspace. Its admins and owners change them, nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkspaceSettings {
    /// What a full day is for whoever has not set their own; 0 is no target.
    pub target_per_day: Minutes,
    /// How reports round what they show.
    pub rounding: Rounding,
    /// Whether everybody may create projects, or admins only.
    pub everyone_creates_projects: bool,
    /// Whether `/time` does anything.
    pub time_enabled: bool,
    /// Whether summaries and notices are sent.
    pub notices_enabled: bool,
}

impl Default for WorkspaceSettings {
    fn default() -> Self {
        Self {
            target_per_day: Minutes::from_hours(8),
            rounding: Rounding::None,
            everyone_creates_projects: true,
            time_enabled: true,
            notices_enabled: true,
        }
    }
}

/// What a record of the audit trail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditSubject {
    /// The hours of a full day.
    TargetPerDay,
    /// How reports round.
    Rounding,
    /// Who may create projects.
    ProjectCreators,
    /// Whether `/time` is on.
    TimeCommand,
    /// Whether summaries and notices are sent.
    Notices,
    /// A person's token for programs was made or revoked.
    ApiToken,
    /// A person's account at a calendar provider was connected or disconnected.
    Calendar,
}

impl AuditSubject {
    const ALL: [Self; 7] = [
        Self::TargetPerDay,
        Self::Rounding,
        Self::ProjectCreators,
        Self::TimeCommand,
        Self::Notices,
        Self::ApiToken,
        Self::Calendar,
    ];

    /// The name in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TargetPerDay => "target_minutes_per_day",
            Self::Rounding => "rounding",
            Self::ProjectCreators => "project_creators",
            Self::TimeCommand => "time_enabled",
            Self::Notices => "notices_enabled",
            Self::ApiToken => "api_token",
            Self::Calendar => "calendar",
        }
    }

    /// The other way round.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|subject| subject.as_str() == name)
    }
}

/// Somebody changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// The record's id; a later record has a greater one.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Slack's id of who did it; empty where that person has deleted everything about themselves.
    pub slack_user_id: String,
    /// What was changed.
    pub subject: AuditSubject,
    /// What it was: a setting as [`settings_changed`] writes it, `active` for a token, a provider for a calendar.
    pub before: Option<String>,
    /// What it is now.
    pub after: Option<String>,
}

/// What differs between two states of the settings: which one, from what, to what. Minutes, a rounding's name,
/// `everyone` or `admins`, `on` or `off`.
pub fn settings_changed(
    before: &WorkspaceSettings,
    after: &WorkspaceSettings,
) -> Vec<(AuditSubject, String, String)> {
    let creators = |settings: &WorkspaceSettings| {
        if settings.everyone_creates_projects {
            "everyone"
        } else {
            "admins"
        }
    };
    let switch = |is_on: bool| if is_on { "on" } else { "off" }.to_owned();
    let written = |settings: &WorkspaceSettings| {
        [
            (
                AuditSubject::TargetPerDay,
                settings.target_per_day.get().to_string(),
            ),
            (AuditSubject::Rounding, settings.rounding.to_string()),
            (AuditSubject::ProjectCreators, creators(settings).to_owned()),
            (AuditSubject::TimeCommand, switch(settings.time_enabled)),
            (AuditSubject::Notices, switch(settings.notices_enabled)),
        ]
    };
    let pairs = written(before).into_iter().zip(written(after));
    pairs
        .filter(|((_, was), (_, is))| was != is)
        .map(|((subject, was), (_, is))| (subject, was, is))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_that_differs_is_named_once() {
        let before = WorkspaceSettings::default();
        assert_eq!(settings_changed(&before, &before), []);
        let after = WorkspaceSettings {
            target_per_day: Minutes::new(450),
            rounding: Rounding::Up(15),
            everyone_creates_projects: false,
            time_enabled: false,
            notices_enabled: false,
        };
        let words: Vec<String> = settings_changed(&before, &after)
            .into_iter()
            .map(|(subject, was, is)| format!("{} {was} {is}", subject.as_str()))
            .collect();
        let expected = [
            "target_minutes_per_day 480 450",
            "rounding none up:15",
            "project_creators everyone admins",
            "time_enabled on off",
            "notices_enabled on off",
        ];
        assert_eq!(words, expected);
    }

    #[test]
    fn subjects_are_read_back() {
        for subject in AuditSubject::ALL {
            assert_eq!(AuditSubject::from_name(subject.as_str()), Some(subject));
        }
        assert_eq!(AuditSubject::from_name("calendars"), None);
    }
}
