//! A length of time in whole minutes.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign},
};

use serde::{Deserialize, Serialize};

/// A length of time in whole minutes, from 0 to `u32::MAX`. Sums saturate.
///
/// ```
/// use billops::domain::minutes::Minutes;
///
/// assert_eq!(Minutes::new(150).to_string(), "2 h 30 min");
/// assert_eq!(Minutes::new(150).words(), "2 hours 30 minutes");
/// assert_eq!(Minutes::default().to_string(), "0 h");
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Minutes(u32);

impl Minutes {
    /// Twenty-four hours.
    pub const DAY: Self = Self(24 * 60);

    /// So many minutes.
    pub const fn new(minutes: u32) -> Self {
        Self(minutes)
    }

    /// So many whole hours; saturates.
    pub const fn from_hours(hours: u32) -> Self {
        Self(hours.saturating_mul(60))
    }

    /// The number of minutes.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The length in full words, for screen readers: `1 hour`, `2 hours 30 minutes`, `0 hours`.
    pub fn words(self) -> String {
        let name = |count: u32, one: &'static str, many: &'static str| {
            format!("{count} {}", if count == 1 { one } else { many })
        };
        let hours = name(self.0 / 60, "hour", "hours");
        let minutes = name(self.0 % 60, "minute", "minutes");
        match (self.0 / 60, self.0 % 60) {
            (_, 0) => hours,
            (0, _) => minutes,
            _ => format!("{hours} {minutes}"),
        }
    }
}

/// Writes `2 h 30 min`, `45 min`, `8 h`, and `0 h` for nothing.
impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 60, self.0 % 60) {
            (hours, 0) => write!(f, "{hours} h"),
            (0, minutes) => write!(f, "{minutes} min"),
            (hours, minutes) => write!(f, "{hours} h {minutes} min"),
        }
    }
}

impl Add for Minutes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Minutes {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Minutes {
    fn sum<I: Iterator<Item = Self>>(lengths: I) -> Self {
        lengths.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_leaves_out_what_is_zero() {
        let written = [0, 1, 45, 60, 65, 150, 480].map(|n| Minutes::new(n).to_string());
        let expected = [
            "0 h",
            "1 min",
            "45 min",
            "1 h",
            "1 h 5 min",
            "2 h 30 min",
            "8 h",
        ];
        assert_eq!(written, expected);
    }

    #[test]
    fn words_know_singular_and_plural() {
        let written = [0, 1, 45, 60, 61, 150].map(|n| Minutes::new(n).words());
        let expected = [
            "0 hours",
            "1 minute",
            "45 minutes",
            "1 hour",
            "1 hour 1 minute",
            "2 hours 30 minutes",
        ];
        assert_eq!(written, expected);
    }

    #[test]
    fn sums_saturate() {
        let most = Minutes::new(u32::MAX);
        assert_eq!(most + Minutes::new(1), most);
        assert_eq!([most, most].into_iter().sum::<Minutes>(), most);
        assert_eq!(Minutes::from_hours(u32::MAX), most);
    }

    #[test]
    fn json_is_a_plain_number() {
        assert_eq!(serde_json::to_string(&Minutes::new(90)).unwrap(), "90");
        assert_eq!(
            serde_json::from_str::<Minutes>("90").unwrap(),
            Minutes::new(90)
        );
        assert!(serde_json::from_str::<Minutes>("-1").is_err());
    }
}
