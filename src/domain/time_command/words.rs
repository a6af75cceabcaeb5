//! The words of the language, and how they are compared.

use nom::{
    Err, Parser,
    bytes::complete::{take_while, take_while_m_n, take_while1},
    combinator::verify,
};

use super::error::{Parsed, Problem, Stop};

/// A unit of time as it is written. `Longer` stands for weeks and everything above, which are
/// understood in order to be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Measure {
    Second,
    Minute,
    Hour,
    Day,
    Longer,
}

/// The longest word the language knows, with room to spare.
pub(super) const LONGEST: usize = 12;

/// The word in small letters, if it is ASCII and short enough to be a word of the language.
pub(super) fn lower<'b>(word: &str, buffer: &'b mut [u8; LONGEST]) -> Option<&'b str> {
    let small = buffer.get_mut(..word.len())?;
    small.copy_from_slice(word.as_bytes());
    small.make_ascii_lowercase();
    std::str::from_utf8(small).ok()
}

/// A run of letters of any alphabet. Of a very long one only the beginning, which is no word of
/// the language either, so that nobody has to read it to its end.
pub(super) fn word(input: &str) -> Parsed<'_, &str> {
    take_while_m_n(1, 2 * LONGEST, char::is_alphabetic).parse(input)
}

/// White space, at least one character.
pub(super) fn space(input: &str) -> Parsed<'_, &str> {
    take_while1(char::is_whitespace).parse(input)
}

/// White space, perhaps none.
pub(super) fn space0(input: &str) -> Parsed<'_, &str> {
    take_while(char::is_whitespace).parse(input)
}

/// One of the given words, written in small letters here, in any letters there.
pub(super) fn any_of<'a>(
    words: &'static [&'static str],
) -> impl Parser<&'a str, Output = &'a str, Error = Stop<'a>> {
    verify(word, move |found: &str| {
        words.iter().any(|known| known.eq_ignore_ascii_case(found))
    })
}

/// The unit that a word names.
pub(super) fn measure_named(name: &str) -> Option<Measure> {
    let mut buffer = [0; LONGEST];
    Some(match lower(name, &mut buffer)? {
        "h" | "hr" | "hrs" | "hour" | "hours" => Measure::Hour,
        "m" | "min" | "mins" | "minute" | "minutes" => Measure::Minute,
        "s" | "sec" | "secs" | "second" | "seconds" => Measure::Second,
        "d" | "day" | "days" => Measure::Day,
        "w" | "wk" | "wks" | "week" | "weeks" | "fortnight" | "fortnights" | "mo" | "month"
        | "months" | "y" | "yr" | "yrs" | "year" | "years" => Measure::Longer,
        _ => return None,
    })
}

/// A unit: a word of the table, or one of the marks for minutes.
pub(super) fn measure(input: &str) -> Parsed<'_, Measure> {
    if let Some(rest) = input.strip_prefix(['\'', '’', '′']) {
        return Ok((rest, Measure::Minute));
    }
    let (rest, name) = word(input)?;
    match measure_named(name) {
        Some(measure) => Ok((rest, measure)),
        None => Err(Err::Error(Stop::here(input, Problem::NoTime))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_whole_words() {
        assert_eq!(measure("HRS left"), Ok((" left", Measure::Hour)));
        assert_eq!(measure("m30"), Ok(("30", Measure::Minute)));
        assert_eq!(measure("’"), Ok(("", Measure::Minute)));
        assert!(measure("meeting").is_err());
        assert!(measure("hé").is_err());
    }
}
