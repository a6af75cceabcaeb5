//! Numbers: digits, decimals, fractions and words.

use nom::{
    Err, Parser,
    branch::alt,
    character::complete::{char, digit0, digit1, one_of},
    combinator::{opt, value},
    sequence::{preceded, terminated},
};

use super::{
    BareNumberUnit,
    exact::Exact,
    stop::{Parsed, Problem, Stop},
    words::{LONGEST, any_of, lower, space, word},
};
use crate::domain::minutes::Minutes;

/// A number in digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    pub(super) value: Exact,
    /// The value, if it was written as a whole number; saturates at a million million.
    pub(super) whole: Option<u64>,
    /// Whether it was written as a fraction: `1/2`, `1½`.
    pub(super) fraction: bool,
}

impl Number {
    /// The length that suggests itself when the unit is missing or wrong. As elsewhere, only whole
    /// numbers have the unit that the person prefers.
    pub(super) fn reading(self, unit: BareNumberUnit) -> Option<Minutes> {
        let seconds = match (unit, self.whole) {
            (BareNumberUnit::Minutes, Some(_)) => 60,
            (BareNumberUnit::Hours, _) | (_, None) => 3600,
            (BareNumberUnit::Guess, Some(13 | 14)) => return None,
            (BareNumberUnit::Guess, Some(15..)) => 60,
            (BareNumberUnit::Guess, Some(_)) => 3600,
        };
        u32::try_from(self.value.times(seconds).sixtieth())
            .map(Minutes::new)
            .ok()
            .filter(|length| (Minutes::new(1)..=Minutes::DAY).contains(length))
    }
}

/// Decimals beyond these are refused, so that sums stay exact.
const MOST_DECIMALS: usize = 18;

/// `2`, `1.5`, `1,5`, `.5`, `3/4`, `½`, `1½`.
pub(super) fn numeral(input: &str) -> Parsed<'_, Number> {
    let (rest, digits) = digit0(input)?;
    let count = saturating(digits);
    if let Some(part) = rest.chars().next().and_then(vulgar) {
        let mut after = rest.chars();
        after.next();
        return Ok((after.as_str(), fraction(Exact::whole(count).plus(part))));
    }
    if let Ok((after, (mark, decimals))) = decimals(rest) {
        if (one_of(".,"), digit1::<_, Stop<'_>>).parse(after).is_ok() {
            return Stop::here(after, Problem::Separators).for_good();
        }
        if mark == ',' && decimals.len() == 3 && count > 0 && digits.len() <= 3 {
            let behind = after.trim_start_matches(char::is_alphabetic);
            return Stop::before(rest, behind, Problem::Thousands).for_good();
        }
        let decimals = decimals.trim_end_matches('0');
        if decimals.len() > MOST_DECIMALS {
            return Stop::before(rest, after, Problem::TooManyDigits).for_good();
        }
        let power = 10_u64.pow(u32::try_from(decimals.len()).unwrap_or_default());
        let part = Exact::of(decimals.parse().unwrap_or_default(), power);
        let number = Number {
            value: Exact::whole(count).plus(part),
            whole: None,
            fraction: false,
        };
        return Ok((after, number));
    }
    if digits.is_empty() {
        return Err(Err::Error(Stop::here(input, Problem::NoTime)));
    }
    if let Ok((after, below)) = preceded(char('/'), digit1::<_, Stop<'_>>).parse(rest)
        && let below @ 1..=99 = saturating(below)
        && !after.starts_with('/')
    {
        return Ok((after, fraction(Exact::of(count, below))));
    }
    let number = Number {
        value: Exact::whole(count),
        whole: Some(count),
        fraction: false,
    };
    Ok((rest, number))
}

fn decimals(input: &str) -> Parsed<'_, (char, &str)> {
    (one_of(".,"), digit1).parse(input)
}

fn fraction(value: Exact) -> Number {
    Number {
        value,
        whole: None,
        fraction: true,
    }
}

/// Digits as a number; a million million stands for everything above, which is no time of a day.
pub(super) fn saturating(digits: &str) -> u64 {
    let digits = digits.trim_start_matches('0');
    if digits.len() > 12 {
        return 1_000_000_000_000;
    }
    digits.bytes().fold(0, |number, digit| {
        number * 10 + u64::from(digit.wrapping_sub(b'0'))
    })
}

/// A fraction that is one character.
pub(super) fn vulgar(character: char) -> Option<Exact> {
    Some(match character {
        '½' => Exact::HALF,
        '¼' => Exact::QUARTER,
        '¾' => Exact::THREE_QUARTERS,
        '⅓' => Exact::of(1, 3),
        '⅔' => Exact::of(2, 3),
        '⅕' => Exact::of(1, 5),
        '⅖' => Exact::of(2, 5),
        '⅗' => Exact::of(3, 5),
        '⅘' => Exact::of(4, 5),
        '⅙' => Exact::of(1, 6),
        '⅚' => Exact::of(5, 6),
        '⅛' => Exact::of(1, 8),
        '⅜' => Exact::of(3, 8),
        '⅝' => Exact::of(5, 8),
        '⅞' => Exact::of(7, 8),
        _ => return None,
    })
}

/// `half`, `a quarter`, `three-quarters`.
pub(super) fn portion(input: &str) -> Parsed<'_, Exact> {
    alt((
        value(
            Exact::THREE_QUARTERS,
            (
                alt((any_of(&["three"]), nom::bytes::complete::tag("3"))),
                one_of(" -"),
                any_of(&["quarter", "quarters"]),
            ),
        ),
        preceded(
            opt(terminated(any_of(&["a", "an"]), space)),
            alt((
                value(Exact::HALF, any_of(&["half"])),
                value(Exact::QUARTER, any_of(&["quarter"])),
            )),
        ),
    ))
    .parse(input)
}

/// A number word from `one` to `ninety-nine`; tens and ones are joined by a hyphen or a space.
pub(super) fn cardinal(input: &str) -> Parsed<'_, u64> {
    let (rest, first) = word(input)?;
    let Some(number) = small_number(first) else {
        return Err(Err::Error(Stop::here(input, Problem::NoTime)));
    };
    if number >= 20
        && let Some(tail) = rest.strip_prefix(['-', ' '])
        && let Ok((after, second)) = word(tail)
        && let Some(ones @ 1..=9) = small_number(second)
    {
        return Ok((after, number + ones));
    }
    Ok((rest, number))
}

fn small_number(name: &str) -> Option<u64> {
    let mut buffer = [0; LONGEST];
    Some(match lower(name, &mut buffer)? {
        "one" => 1,
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" => 12,
        "thirteen" => 13,
        "fourteen" => 14,
        "fifteen" => 15,
        "sixteen" => 16,
        "seventeen" => 17,
        "eighteen" => 18,
        "nineteen" => 19,
        "twenty" => 20,
        "thirty" => 30,
        "forty" | "fourty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "seventy" => 70,
        "eighty" => 80,
        "ninety" => 90,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<(u64, &str)> {
        cardinal(text).ok().map(|(rest, number)| (number, rest))
    }

    #[test]
    fn number_words_reach_from_one_to_ninety_nine() {
        assert_eq!(number("one"), Some((1, "")));
        assert_eq!(number("Nineteen hours"), Some((19, " hours")));
        assert_eq!(number("twenty-five"), Some((25, "")));
        assert_eq!(number("NINETY nine"), Some((99, "")));
        assert_eq!(number("twenty hours"), Some((20, " hours")));
        assert_eq!(number("twenty twelve"), Some((20, " twelve")));
        assert_eq!(number("ones"), None);
        assert_eq!(number("hundred"), None);
    }
}
