//! Calendars: whose they are, and how the connection to them stands.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::provider::Provider;

/// How the connection to an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// It is read.
    Active,
    /// The provider refuses until the person consents again.
    NeedsReconnect,
    /// The person gave it up; its tokens are gone.
    Disconnected,
}

impl AccountState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::NeedsReconnect, Self::Disconnected];

    /// As it is stored and as the API says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NeedsReconnect => "needs_reconnect",
            Self::Disconnected => "disconnected",
        }
    }

    /// The other way round; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// Why a connection needs the person's consent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconnectReason {
    /// The provider asks to sign in again: the grant ran out, the password was changed, a second factor is due.
    SignInAgain,
    /// The grant was taken back, or what is needed is no longer in it.
    Revoked,
    /// The organisation's admin has to approve.
    AdminApproval,
}

impl ReconnectReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SignInAgain, Self::Revoked, Self::AdminApproval];

    /// As it is stored and as the API says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignInAgain => "sign_in_again",
            Self::Revoked => "revoked",
            Self::AdminApproval => "admin_approval",
        }
    }

    /// The other way round. What an older version stored under another name is a reason to sign in again.
    pub fn from_name(name: &str) -> Self {
        match name {
            "revoked" => Self::Revoked,
            "admin_approval" => Self::AdminApproval,
            _ => Self::SignInAgain,
        }
    }
}

/// A person's account at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its own id.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// Where it is.
    pub provider: Provider,
    /// The address it is known by, to show.
    pub email: String,
    /// How the connection stands.
    pub state: AccountState,
    /// Why it needs consent again, where it does.
    pub reason: Option<ReconnectReason>,
    /// Since when it stands so.
    pub state_since: DateTime<Utc>,
    /// Its calendars: the primary one first, then by name.
    pub calendars: Vec<Calendar>,
}

impl Account {
    /// The calendars that are read.
    pub fn read(&self) -> impl Iterator<Item = &Calendar> {
        self.calendars
            .iter()
            .filter(|calendar| calendar.is_active && calendar.gone_at.is_none())
    }
}

/// One calendar of an account.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent facts, each stored as it is"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Its own id.
    pub id: Uuid,
    /// The account it was found in.
    pub account_id: Uuid,
    /// What the provider calls it, case-sensitive.
    pub provider_calendar_id: String,
    /// What the person calls it.
    pub name: String,
    /// The account's own first calendar.
    pub is_primary: bool,
    /// Whether titles can be seen in it. Where only free and busy can, there is nothing to log.
    pub has_details: bool,
    /// The person chose to have it read.
    pub is_active: bool,
    /// It is read on schedule.
    pub sync_enabled: bool,
    /// Since when the account no longer shows it.
    pub gone_at: Option<DateTime<Utc>>,
    /// When it was last read to its end.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// It is not read before: its provider asked to wait, or did not answer.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// A calendar as the provider lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCalendar {
    /// What the provider calls it, case-sensitive.
    pub provider_calendar_id: String,
    /// What the person calls it.
    pub name: String,
    /// The account's own first calendar.
    pub is_primary: bool,
    /// Whether titles can be seen in it.
    pub has_details: bool,
    /// Whether the person works in it: theirs to change, and shown in their own view. Read from the start.
    pub is_own: bool,
}
