//! How lengths of time are rounded where they are shown in sum. What is stored is never rounded.

use std::{fmt, str::FromStr};

use super::minutes::Minutes;

/// The steps that can be chosen, in minutes: five, a tenth, a sixth, a quarter and half an hour.
pub const STEPS: [u32; 5] = [5, 6, 10, 15, 30];

/// How each entry is rounded in a report: not at all, up, or to the nearest step.
///
/// ```
/// use billops::domain::{minutes::Minutes, rounding::Rounding};
///
/// let up: Rounding = "up:15".parse().unwrap();
/// assert_eq!(up.of(Minutes::new(61)), Minutes::new(75));
/// assert_eq!(up.of(Minutes::new(60)), Minutes::new(60));
/// let nearest: Rounding = "nearest:6".parse().unwrap();
/// assert_eq!(nearest.of(Minutes::new(62)), Minutes::new(60));
/// assert_eq!(nearest.of(Minutes::new(63)), Minutes::new(66));
/// assert_eq!(Rounding::None.of(Minutes::new(7)), Minutes::new(7));
/// assert_eq!("up:7".parse::<Rounding>().ok(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// The exact minutes.
    #[default]
    None,
    /// Up to the next multiple of so many minutes, one of [`STEPS`].
    Up(u32),
    /// To the nearest multiple of so many minutes, one of [`STEPS`]; from the middle on upwards.
    Nearest(u32),
}

/// A text that names no rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRounding;

impl Rounding {
    /// Every choice, in the order in which they are offered.
    pub fn all() -> impl Iterator<Item = Self> {
        let up = STEPS.into_iter().map(Self::Up);
        let nearest = STEPS.into_iter().map(Self::Nearest);
        std::iter::once(Self::None).chain(up).chain(nearest)
    }

    /// The step in minutes, and what is added before the rest is cut off.
    pub const fn step_and_lift(self) -> (u32, u32) {
        match self {
            Self::None => (1, 0),
            Self::Up(step) => (step, step - 1),
            Self::Nearest(step) => (step, step / 2),
        }
    }

    /// The length as it is shown. Saturates.
    pub const fn of(self, length: Minutes) -> Minutes {
        let (step, lift) = self.step_and_lift();
        Minutes::new(length.get().saturating_add(lift) / step * step)
    }

    /// For people: `none`, `up to 15 min`, `to the nearest 6 min`.
    pub fn words(self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Up(step) => format!("up to {step} min"),
            Self::Nearest(step) => format!("to the nearest {step} min"),
        }
    }
}

/// As it is stored: `none`, `up:15`, `nearest:6`.
impl fmt::Display for Rounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Up(step) => write!(f, "up:{step}"),
            Self::Nearest(step) => write!(f, "nearest:{step}"),
        }
    }
}

/// Reads what `Display` writes.
impl FromStr for Rounding {
    type Err = NoRounding;

    fn from_str(text: &str) -> Result<Self, NoRounding> {
        Self::all()
            .find(|rounding| rounding.to_string() == text)
            .ok_or(NoRounding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_read_back_and_never_takes_more_than_a_step() {
        assert_eq!(Rounding::all().count(), 11);
        for rounding in Rounding::all() {
            assert_eq!(rounding.to_string().parse(), Ok(rounding));
            let (step, _) = rounding.step_and_lift();
            for minutes in 0..=1440 {
                let rounded = rounding.of(Minutes::new(minutes)).get();
                assert_eq!(rounded % step, 0);
                match rounding {
                    Rounding::None => assert_eq!(rounded, minutes),
                    Rounding::Up(_) => assert!(rounded >= minutes && rounded - minutes < step),
                    Rounding::Nearest(_) => assert!(rounded.abs_diff(minutes) * 2 <= step),
                }
            }
        }
    }

    #[test]
    fn what_is_no_choice_is_refused() {
        for text in [
            "",
            "up",
            "up:0",
            "up:7",
            "up:015",
            "nearest:-5",
            "NONE",
            "down:15",
        ] {
            assert_eq!(text.parse::<Rounding>(), Err(NoRounding), "{text}");
        }
    }
}
