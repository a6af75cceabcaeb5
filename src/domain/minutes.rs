//! Lengths of time in whole minutes.
use serde::{Deserialize, Serialize};

/// A length of time in whole minutes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Minutes(u32);
impl Minutes {
    /// So many minutes.
    pub const fn new(minutes: u32) -> Self {
        Self(minutes)
    }
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}
impl Minutes {
    /// words
    pub fn words(self) -> String {
        self.to_string()
    }
}
impl std::fmt::Display for Minutes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} min", self.0)
    }
}
