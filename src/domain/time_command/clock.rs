//! Times of day: `9`, `9:30`, `9h30`, `0930`, `9am`, `noon`.

use nom::{
    Err, Parser,
    branch::alt,
    character::complete::{char, digit1, one_of},
    combinator::{opt, value, verify},
    sequence::{preceded, terminated},
};

use super::{
    number::saturating,
    stop::{Parsed, Problem, Stop},
    words::{any_of, space0, word},
};

/// A time of day as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// 0 to 24.
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) half: Option<Half>,
    pub(super) style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Am,
    Pm,
}

/// How a time of day was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// An hour and nothing else.
    Plain,
    /// `9h`, which is a length as well.
    Hours,
    /// `9h30`, which is a length as well.
    HoursAndMinutes,
    /// With minutes, or `noon`.
    Full,
}

impl Clock {
    /// Seconds since midnight in the given half of the day.
    pub(super) fn in_half(self, half: Half) -> u32 {
        let hour = match half {
            _ if self.hour > 12 => self.hour,
            Half::Am => self.hour % 12,
            Half::Pm => self.hour % 12 + 12,
        };
        (hour * 60 + self.minute) * 60 + self.second
    }

    /// Seconds since midnight, by the typed half if there is one.
    pub(super) fn seconds(self) -> u32 {
        match self.half {
            Some(half) => self.in_half(half),
            None => (self.hour * 60 + self.minute) * 60 + self.second,
        }
    }
}

/// `9`, `9:30`, `9.30`, `9h30`, `0930`, `9am`, `9:30 p.m.`, `noon`.
pub(super) fn clock(input: &str) -> Parsed<'_, Clock> {
    let named = |hour, half| Clock {
        hour,
        minute: 0,
        second: 0,
        half: Some(half),
        style: Style::Full,
    };
    if !input.starts_with(|c: char| c.is_ascii_digit()) {
        return alt((
            value(named(12, Half::Pm), any_of(&["noon", "midday"])),
            value(named(12, Half::Am), any_of(&["midnight"])),
        ))
        .parse(input);
    }
    let (rest, digits) = verify(digit1, |digits: &str| digits.len() <= 4).parse(input)?;
    let number = small(digits);
    let two = |mark| preceded(char(mark), two_digits);
    let (rest, (hour, minute, second, style)) = if digits.len() > 2 {
        (rest, (number / 100, number % 100, 0, Style::Full))
    } else if let Ok((rest, minute)) = two(':').parse(rest) {
        let (rest, second) = opt(two(':')).parse(rest)?;
        (
            rest,
            (number, minute, second.unwrap_or_default(), Style::Full),
        )
    } else if let Ok((rest, minute)) = two('.').parse(rest) {
        (rest, (number, minute, 0, Style::Full))
    } else if let Ok((rest, minute)) = preceded(one_of("hH"), two_digits).parse(rest) {
        (rest, (number, minute, 0, Style::HoursAndMinutes))
    } else if let Ok((rest, "h" | "H")) = word(rest) {
        (rest, (number, 0, 0, Style::Hours))
    } else {
        (rest, (number, 0, 0, Style::Plain))
    };
    let (rest, half) = opt(half).parse(rest)?;
    let most = if half.is_some() { 12 } else { 24 };
    if hour > most || minute > 59 || second > 59 || (hour == 24 && minute + second > 0) {
        return no_clock(input);
    }
    if half.is_some() && hour == 0 {
        return no_clock(input);
    }
    Ok((
        rest,
        Clock {
            hour,
            minute,
            second,
            half,
            style,
        },
    ))
}

fn two_digits(input: &str) -> Parsed<'_, u32> {
    let (rest, digits) = verify(digit1, |digits: &str| digits.len() == 2).parse(input)?;
    Ok((rest, small(digits)))
}

fn small(digits: &str) -> u32 {
    u32::try_from(saturating(digits)).unwrap_or(u32::MAX)
}

/// `am`, ` p.m.`, and `a` or `p` without a space.
fn half(input: &str) -> Parsed<'_, Half> {
    let (at, gap) = space0(input)?;
    let (rest, letter) = one_of("aApP").parse(at)?;
    let (rest, long) = opt(alt((
        terminated(preceded(char('.'), one_of("mM")), opt(char('.'))),
        one_of("mM"),
    )))
    .parse(rest)?;
    if rest.starts_with(char::is_alphanumeric) || (long.is_none() && !gap.is_empty()) {
        return no_clock(input);
    }
    let half = if letter.eq_ignore_ascii_case(&'a') {
        Half::Am
    } else {
        Half::Pm
    };
    Ok((rest, half))
}

fn no_clock<T>(input: &str) -> Parsed<'_, T> {
    Err(Err::Error(Stop::here(input, Problem::NoTime)))
}
