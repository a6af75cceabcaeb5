//! The time alone, for a form that has a day picker beside it: `2h`, `9-12, 13-17`.

use chrono::{NaiveDate, NaiveTime};

use super::{
    BareNumberUnit, ClockRange, Context, Guess, ParseError,
    day::day,
    moment::{Time, time},
    refusal::Refusal,
    stop::{Problem, Stop},
};
use crate::domain::minutes::Minutes;

/// What a field “How long, or from–to” says about a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeReading {
    /// How long it took, from 1 minute to 24 hours.
    pub duration: Minutes,
    /// The clock times as they were typed, in order; `duration` is their sum, breaks left out.
    pub ranges: Vec<ClockRange>,
    /// When it began, if clock times were typed.
    pub start: Option<NaiveTime>,
    /// When it ended, if clock times were typed; not after `start` when it ended on the next day.
    pub end: Option<NaiveTime>,
    /// What was guessed and has to be shown.
    pub guess: Option<Guess>,
}

/// Reads a length or times from–to, and nothing else, on a day that is known from elsewhere.
///
/// ```
/// use billops::domain::time_command::{Context, time_on};
///
/// let now = "2026-11-20T16:30:00Z".parse().unwrap();
/// let context = Context::new(now, chrono_tz::Europe::Berlin);
/// let yesterday = context.today().pred_opt().unwrap();
///
/// assert_eq!(time_on("2h 30m", yesterday, &context).unwrap().duration.get(), 150);
/// assert_eq!(time_on("9-12, 1-5", yesterday, &context).unwrap().ranges.len(), 2);
///
/// let refusal = time_on("2x", yesterday, &context).unwrap_err();
/// assert_eq!(refusal.message, "I understood “2”, then stopped at “x”: it is not a unit of time.");
/// assert_eq!(refusal.example, "2h");
/// ```
///
/// # Errors
/// If the text is anything else, has two readings, or asks for what is not possible. The example and
/// the lines of the suggestions are texts for the same field.
pub fn time_on(text: &str, date: NaiveDate, context: &Context) -> Result<TimeReading, ParseError> {
    read(text.trim(), date, context).map_err(|refusal| refusal.to_error(text, context))
}

/// Reads the length of a working day: a length as in `/time`, or 0 for none. A number alone is hours.
///
/// ```
/// use billops::domain::time_command::{Context, length_of_day};
///
/// let context = Context::new("2026-11-20T16:30:00Z".parse().unwrap(), chrono_tz::Europe::Berlin);
/// let minutes = |text| length_of_day(text, &context).map(|length| length.get());
///
/// assert_eq!(minutes("7h 30m"), Some(450));
/// assert_eq!(minutes("8"), Some(480));
/// assert_eq!(minutes("0 h"), Some(0));
/// assert_eq!(minutes("8x"), None);
/// assert_eq!(minutes("9-17"), None);
/// ```
pub fn length_of_day(text: &str, context: &Context) -> Option<Minutes> {
    let text = text.trim();
    if ["0", "0 h", "0h", "0 min", "0m"].contains(&text) {
        return Some(Minutes::new(0));
    }
    let context = Context {
        bare_number_unit: BareNumberUnit::Hours,
        ..*context
    };
    let read = time_on(text, context.today(), &context).ok()?;
    read.ranges.is_empty().then_some(read.duration)
}

fn read<'a>(
    text: &'a str,
    date: NaiveDate,
    context: &Context,
) -> Result<TimeReading, Box<Refusal<'a>>> {
    let refuse = |stop| Refusal::at(stop).from(text).in_a_field();
    if text.is_empty() {
        return Err(refuse(Stop::here(text, Problem::NothingTyped)));
    }
    let (rest, read) = match time(text, context) {
        Ok(read) => read,
        Err(error) => {
            let stop = Stop::from_nom(&error, text);
            let behind = day(text, context).map(|(rest, _)| rest).ok();
            return Err(match behind.filter(|_| stop.problem.may_be_words()) {
                Some(rest) => {
                    let stop = Stop::before(text, rest, Problem::DayElsewhere);
                    let second =
                        text_of_time(rest.trim_start_matches([' ', ',', ':']), date, context);
                    refuse(stop).with_time(second.unwrap_or("1h"))
                }
                None if stop.problem == Problem::NoTime => {
                    refuse(Stop::here(text, Problem::NoTimeHere))
                }
                None => refuse(stop),
            });
        }
    };
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '.');
    if !rest.is_empty() {
        let words = rest.trim_start_matches([' ', ',']);
        let problem = match day(words.strip_prefix("on ").unwrap_or(words), context) {
            Ok(_) => Problem::DayElsewhere,
            Err(_) => Problem::NotTheTime,
        };
        let written = text_of_time(text, date, context).unwrap_or("1h");
        return Err(refuse(Stop::here(rest, problem)).with_time(written));
    }
    match read {
        Time::Length(length) => Ok(TimeReading {
            duration: length.minutes,
            ranges: Vec::new(),
            start: None,
            end: None,
            guess: length.guess(context),
        }),
        Time::Ranges(ranges) => {
            let worked = ranges.on(date, context).map_err(refuse)?;
            Ok(TimeReading {
                duration: worked.length,
                start: worked.ranges.first().map(|range| range.start),
                end: worked.ranges.last().map(|range| range.end),
                ranges: worked.ranges,
                guess: worked.guess,
            })
        }
    }
}

/// The time at the beginning of the text, as it was typed, if it can stand alone on that day.
fn text_of_time<'a>(text: &'a str, date: NaiveDate, context: &Context) -> Option<&'a str> {
    let (rest, _) = time(text, context).ok()?;
    let written = text[..text.len() - rest.len()].trim();
    let alone = matches!(time(written, context), Ok(("", _)));
    (alone && read(written, date, context).is_ok()).then_some(written)
}

#[cfg(test)]
mod tests {
    use super::super::{BareNumberUnit, ErrorKind, tests::friday};
    use super::*;
    use proptest::prelude::*;

    fn today() -> NaiveDate {
        friday().today()
    }

    fn read(text: &str) -> String {
        let reading =
            time_on(text, today(), &friday()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let ranges = reading.ranges.iter().map(|range| format!(" {range}"));
        let guess = reading.guess.map(|guess| format!(" {}", guess.name()));
        let read = ranges.chain(guess).collect::<String>();
        format!("{}{read}", reading.duration)
    }

    fn stopped(text: &str) -> ParseError {
        let error = time_on(text, today(), &friday()).unwrap_err();
        let lines = error.suggestions.iter().map(|s| &s.line);
        for line in lines.chain([&error.example]) {
            let works = time_on(line, today(), &friday());
            assert!(works.is_ok(), "{text:?}: {line:?} {works:?}");
        }
        error
    }

    #[test]
    fn a_length_or_times_from_to_fill_the_field() {
        for (text, expected) in [
            ("2h", "2 h"),
            (" 1h30 ", "1 h 30 min"),
            ("2h 3", "2 h 3 min"),
            ("2 hours and 20 minutes.", "2 h 20 min"),
            ("half an hour", "30 min"),
            ("1:1", "1 h 1 min"),
            ("1.5", "1 h 30 min"),
            ("2", "2 h bare_number"),
            ("90", "1 h 30 min bare_number"),
            ("9-11:30", "2 h 30 min 09:00–11:30"),
            ("9-12, 13-17", "7 h 09:00–12:00 13:00–17:00"),
            ("from 14:00 till 15:30", "1 h 30 min 14:00–15:30"),
            ("22:00–02:00", "4 h 22:00–02:00"),
            ("2-3", "1 h 02:00–03:00 half_day"),
            ("4pm for 30 mins", "30 min 16:00–16:30"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_says_so_with_a_time_that_works() {
        for (text, message, example) in [
            ("", "How long was it, or from when to when?", "1h"),
            (
                "2x",
                "I understood “2”, then stopped at “x”: it is not a unit of time.",
                "2h",
            ),
            (
                "2h Meeting",
                "I understood “2h”, then stopped at “Meeting”: only the time has its place here.",
                "2h",
            ),
            (
                "2h: Meeting",
                "I understood “2h”, then stopped at “:”: only the time has its place here.",
                "2h",
            ),
            (
                "9-9: Meeting",
                "I understood “9-9”, then stopped at “:”: only the time has its place here.",
                "1h",
            ),
            (
                "Meeting 2h",
                "I stopped at “Meeting”: it is neither a length nor a time from–to.",
                "1h",
            ),
            (
                "yesterday 2h",
                "I stopped at “yesterday”: the day has a field of its own.",
                "2h",
            ),
            (
                "45m on friday",
                "I understood “45m”, then stopped at “on”: the day has a field of its own.",
                "45m",
            ),
            (
                "2026-11-20",
                "I stopped at “2026-11-20”: the day has a field of its own.",
                "1h",
            ),
            (
                "1h75",
                "75 minutes do not fit after “1h”. Did you mean 2 h 15 min?",
                "2h15m",
            ),
            (
                "13",
                "13 minutes or 13 hours? Both are possible, so nothing is saved yet.",
                "13m",
            ),
            ("31h", "31 h is more than a day.", "1h"),
            (
                "-2h",
                "I stopped at “-2h”: a time cannot be less than nothing.",
                "2h",
            ),
            (
                "17-1",
                "The end is before the start. For a night, type 22:00–02:00.",
                "1h",
            ),
            (
                "2-3 hours",
                "I stopped at “2-3”. Two lengths, or a time from–to? Nothing is saved yet.",
                "2h",
            ),
        ] {
            let error = stopped(text);
            assert_eq!(
                (&*error.message, &*error.example),
                (message, example),
                "{text:?}"
            );
        }
        assert_eq!(stopped("13").kind, ErrorKind::Ambiguous);
        assert_eq!(stopped("0m").kind, ErrorKind::Refused);
        assert_eq!(stopped("  2x").at, 3);
        assert_eq!(stopped("13").suggestions[1].line, "13h");
    }

    #[test]
    fn the_day_and_the_preferences_count() {
        let night: NaiveDate = "2026-03-28".parse().unwrap();
        let reading = time_on("22:00-04:00", night, &friday()).unwrap();
        assert_eq!(reading.duration.get(), 300);
        let minutes = Context {
            bare_number_unit: BareNumberUnit::Minutes,
            ..friday()
        };
        let reading = time_on("13", night, &minutes).unwrap();
        assert_eq!((reading.duration.get(), reading.guess), (13, None));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,60}") {
            let _ = time_on(&text, today(), &friday());
        }

        #[test]
        fn every_example_works(
            text in "([0-9]{1,4}|[0-9]{1,2}[:.h/][0-9]{1,2}|[:;.,+/&\\-–'\"()]|[1-9](h|m|min|d)|\
                hours|and|half|a|of|to|for|on|½|am|pm|from|today|friday|last|nov|days|ago|x| | ){0,9}"
        ) {
            if time_on(&text, today(), &friday()).is_err() {
                let error = stopped(&text);
                prop_assert!(error.at <= text.chars().count());
            }
        }
    }
}
