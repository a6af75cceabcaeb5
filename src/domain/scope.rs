//! What a token lets a program do for the person who made it.

use std::fmt;

/// One thing that a token may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Read and write the person's own entries, calendars and preferences, and the projects and clients of their
    /// workspace.
    Entries,
    /// Read what was logged, in sum.
    Reports,
    /// Have people told something.
    Notifications,
}

impl Scope {
    /// All there are, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Entries, Self::Reports, Self::Notifications];

    /// The word it is stored and shown under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::Reports => "reports",
            Self::Notifications => "notifications",
        }
    }
}

/// Everything that one token allows.
///
/// ```
/// use billops::domain::scope::{Scope, Scopes};
///
/// let scopes = Scopes::read("reports entries");
/// assert!(scopes.allows(Scope::Entries) && !scopes.allows(Scope::Notifications));
/// assert_eq!(scopes.to_string(), "entries reports");
/// assert!(Scopes::read("everything").is_empty());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Reads words separated by spaces. A word that this version does not know allows nothing.
    pub fn read(words: &str) -> Self {
        let known = |word| Scope::ALL.into_iter().find(|scope| scope.as_str() == word);
        words.split(' ').filter_map(known).collect()
    }

    /// Whether it is among them.
    pub const fn allows(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// Whether nothing is allowed.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(
            scopes
                .into_iter()
                .fold(0, |all, scope| all | 1 << scope as u8),
        )
    }
}

/// Writes what [`Scopes::read`] reads.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = Scope::ALL.into_iter().filter(|scope| self.allows(*scope));
        for (place, scope) in allowed.enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{}", scope.as_str())?;
        }
        Ok(())
    }
}
