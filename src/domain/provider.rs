//! Google and Microsoft, by their names.

use serde::{Deserialize, Serialize};

/// Who keeps a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Google Calendar.
    Google,
    /// Outlook, at Microsoft.
    Microsoft,
}

impl Provider {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Google, Self::Microsoft];

    /// As it stands in addresses and tables: `google`, `microsoft`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Microsoft => "microsoft",
        }
    }

    /// The other way round; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|provider| provider.as_str() == name)
    }

    /// Who is asked for consent: `Google`, `Microsoft`.
    pub const fn company(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::Microsoft => "Microsoft",
        }
    }

    /// What people call the calendar: `Google`, `Outlook`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::Microsoft => "Outlook",
        }
    }
}
