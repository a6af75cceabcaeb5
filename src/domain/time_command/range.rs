//! Times from–to: `9-11:30`, `from 14:00 till 15:30`, `9am-5pm`, `9-12, 13-17`.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use nom::{
    Err, Parser,
    branch::alt,
    bytes::complete::tag,
    character::complete::one_of,
    combinator::{opt, value, verify},
    sequence::{preceded, terminated},
};

use super::{
    ClockRange, Context, Guess,
    clock::{Clock, Half, Style, clock},
    duration::{Form, duration},
    stop::{Parsed, Problem, Stop},
    words::{Measure, any_of, measure_named, space, space0, word},
};
use crate::domain::minutes::Minutes;

/// Times from–to as they were typed, before a day is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranges<'a> {
    first: Typed<'a>,
    more: Vec<Typed<'a>>,
}

/// One time from–to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Typed<'a> {
    start: Clock,
    end: End,
    /// `from` or `between` stood in front.
    introduced: bool,
    at: &'a str,
    after: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    At(Clock),
    After(Minutes),
}

const HALF_DAY: u32 = 12 * 3600;
const DAY: u32 = 24 * 3600;
/// The longest time from–to.
pub(super) const LONGEST: u32 = 16 * 3600;
/// The most times from–to of one entry; nobody types as many.
const MOST: usize = 100;
/// From here on an earlier end is on the next day.
const EVENING: u32 = 18 * 3600;

impl Ranges<'_> {
    /// Whether it is two small numbers that need not be times at all: `9-11`, `24-7`.
    pub(super) fn is_weak(&self) -> bool {
        let plain = |clock: Clock| clock.style == Style::Plain && clock.half.is_none();
        self.more.is_empty()
            && !self.first.introduced
            && plain(self.first.start)
            && matches!(self.first.end, End::At(end) if plain(end))
    }
}

/// One or more times from–to.
pub(super) fn ranges<'a>(input: &'a str, context: &Context) -> Parsed<'a, Ranges<'a>> {
    let (mut rest, first) = range(input, context)?;
    let mut more = Vec::new();
    let joint = |input| {
        alt((
            value((), (space0, one_of(",;&+"), space0)),
            value((), (space, any_of(&["and"]), space)),
        ))
        .parse(input)
    };
    while let Ok((at, ())) = joint(rest) {
        let _: &str = at;
        match range(at, context) {
            Ok(_) if more.len() + 1 == MOST => {
                return Stop::here(at, Problem::TooManyTimes).for_good();
            }
            Ok((after, next)) => {
                more.push(next);
                rest = after;
            }
            Err(Err::Failure(stop)) => return stop.for_good(),
            Err(_) => break,
        }
    }
    Ok((rest, Ranges { first, more }))
}

/// A hyphen, a dash or an arrow.
fn dash(input: &str) -> Parsed<'_, ()> {
    let mark = alt((tag("->"), tag("-"), tag("–"), tag("—"), tag("→")));
    value((), (space0, mark, space0)).parse(input)
}

fn range<'a>(input: &'a str, context: &Context) -> Parsed<'a, Typed<'a>> {
    let (at, intro) = opt(terminated(any_of(&["from", "between"]), space)).parse(input)?;
    let (rest, start) = clock(at)?;
    let between = intro.is_some_and(|word| word.eq_ignore_ascii_case("between"));
    let introduced = intro.is_some();
    if start.hour == 24 {
        return no_range(input);
    }
    let definite = introduced || start.half.is_some() || start.style == Style::Full;
    if definite
        && let Ok((at, _)) = (space, any_of(&["for"]), space).parse(rest)
        && let Ok((after, length)) = duration(at, context)
        && !matches!(length.form, Form::Bare(_) | Form::Decimal)
    {
        let end = End::After(length.minutes);
        return Ok((
            after,
            Typed {
                start,
                end,
                introduced,
                at: input,
                after,
            },
        ));
    }
    let to = value(
        (),
        (
            space,
            verify(word, |name: &str| {
                let named = |known: &&str| known.eq_ignore_ascii_case(name);
                ["to", "until", "untill", "til", "till", "through", "thru"]
                    .iter()
                    .any(named)
                    || (between && name.eq_ignore_ascii_case("and"))
            }),
            space,
        ),
    );
    let (at_end, ()) = alt((dash, to)).parse(rest)?;
    let (after, end) = clock(at_end)?;
    let ends = match after.chars().next() {
        // `9-12,13-17`, but not `9-11,5`.
        Some(',') if goes_on(&after[1..]) => true,
        Some(c @ ('.' | ':' | '-' | '–' | '/' | ',')) => {
            !after[c.len_utf8()..].starts_with(|next: char| next.is_ascii_digit())
        }
        Some(c) => !c.is_alphanumeric() && !"'’′%*_½¼¾".contains(c),
        None => true,
    };
    let hours = |clock: Clock| matches!(clock.style, Style::Hours | Style::HoursAndMinutes);
    // `1h30-2` is a length and its description, or nothing that can be read.
    if !ends || (hours(start) != hours(end) && !introduced) {
        return no_range(input);
    }
    let two_lengths = |measure| {
        let unit = if measure == Measure::Hour { 60 } else { 1 };
        Problem::TwoLengths {
            first: Minutes::new(start.hour * unit),
            second: Minutes::new(end.hour * unit),
        }
    };
    if start.style == Style::Hours && end.style == Style::Hours && start.hour < 7 && !introduced {
        let problem = two_lengths(Measure::Hour);
        return Stop::before(input, after, problem).for_good();
    }
    if start.style == Style::Plain
        && end.style == Style::Plain
        && start.half.or(end.half).is_none()
        && let Ok((behind, name)) = preceded(space0, word).parse(after)
        && let Some(measure) = measure_named(name)
    {
        return Stop::before(input, behind, two_lengths(measure)).for_good();
    }
    let end = End::At(end);
    Ok((
        after,
        Typed {
            start,
            end,
            introduced,
            at: input,
            after,
        },
    ))
}

/// Whether another time from–to follows a comma without a space.
fn goes_on(input: &str) -> bool {
    input.starts_with(|c: char| c.is_ascii_digit()) && (clock, dash).parse(input).is_ok()
}

fn no_range<T>(input: &str) -> Parsed<'_, T> {
    Err(Err::Error(Stop::here(input, Problem::NoTime)))
}

/// What times from–to come to on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Worked {
    pub(super) length: Minutes,
    pub(super) ranges: Vec<ClockRange>,
    pub(super) guess: Option<Guess>,
}

impl<'a> Ranges<'a> {
    /// Places the times on a day, and measures them there.
    pub(super) fn on(&self, date: NaiveDate, context: &Context) -> Result<Worked, Stop<'a>> {
        let mut worked = Worked {
            length: Minutes::default(),
            ranges: Vec::with_capacity(1 + self.more.len()),
            guess: None,
        };
        let mut seconds = 0;
        let mut free_from = 0;
        for typed in std::iter::once(&self.first).chain(&self.more) {
            let stop = |problem| Stop::before(typed.at, typed.after, problem);
            let (start, end) = typed.place(free_from).map_err(stop)?;
            if start < free_from {
                return Err(stop(Problem::Overlap));
            }
            let begins = instant(date, start, context.zone).map_err(stop)?;
            let ends = match typed.end {
                End::At(_) => instant(date, end, context.zone).map_err(stop)?,
                End::After(length) => begins + TimeDelta::minutes(i64::from(length.get())),
            };
            let elapsed = (ends - begins).num_seconds();
            if elapsed <= 0 {
                return Err(stop(Problem::NoLength));
            }
            if elapsed > i64::from(LONGEST) {
                let length = u32::try_from(elapsed / 60).unwrap_or(u32::MAX);
                let length = Minutes::new(length);
                return Err(stop(Problem::RangeTooLong { length }));
            }
            seconds += elapsed;
            // Where the clocks go forward, a length ends later than it would on another day.
            let midnight = date.and_time(NaiveTime::MIN);
            let ended = (ends.naive_local() - midnight).num_seconds();
            free_from = end.max(u32::try_from(ended).unwrap_or(end));
            worked.ranges.push(ClockRange {
                start: begins.time(),
                end: ends.time(),
            });
        }
        let minutes = u32::try_from((seconds + 30) / 60).unwrap_or(u32::MAX);
        worked.length = Minutes::new(minutes);
        let at = self.first.at;
        if minutes == 0 {
            return Err(Stop::before(at, self.first.after, Problem::Zero));
        }
        if worked.length > Minutes::DAY {
            let length = worked.length;
            return Err(Stop::before(
                at,
                self.first.after,
                Problem::TooLong { length },
            ));
        }
        if self.more.is_empty() {
            worked.guess = self.first.guess(&worked.ranges);
        }
        Ok(worked)
    }
}

impl Typed<'_> {
    /// Start and end in seconds since the day's midnight; the end may be on the next day.
    fn place(&self, free_from: u32) -> Result<(u32, u32), Problem> {
        let end = match self.end {
            End::At(end) => end,
            End::After(length) => {
                let start = self.start.seconds();
                return Ok((start, start + length.get() * 60));
            }
        };
        match (self.start.half, end.half) {
            (Some(_), Some(_)) => Ok(forward(self.start.seconds(), end.seconds())),
            (None, Some(half)) => {
                let end = end.seconds();
                let [same, other] = match half {
                    Half::Am => [Half::Am, Half::Pm],
                    Half::Pm => [Half::Pm, Half::Am],
                }
                .map(|half| self.start.in_half(half));
                let start = if same < end { same } else { other };
                Ok(forward(start, end))
            }
            (Some(_), None) => {
                let start = self.start.seconds();
                let first = end.seconds();
                let step = if end.hour > 12 { DAY } else { HALF_DAY };
                let first = if end.hour == 12 && step == HALF_DAY {
                    first - HALF_DAY
                } else {
                    first
                };
                let placed = (0..4).map(|times| first + times * step);
                let end = placed.into_iter().find(|&end| end > start);
                Ok((start, end.unwrap_or(first)))
            }
            (None, None) => {
                let start = self.start.seconds();
                let end_at = match end.seconds() {
                    0 => DAY,
                    seconds => seconds,
                };
                let later = (end.hour <= 12).then_some(end_at + HALF_DAY);
                if start < free_from && (1..=7).contains(&self.start.hour) {
                    // The afternoon, after a morning: `9-12, 1-5`.
                    let start = start + HALF_DAY;
                    let ends = [Some(end_at), later].into_iter().flatten();
                    if let Some(end) = ends.filter(|&end| end > start && start >= free_from).min() {
                        return Ok((start, end));
                    }
                }
                match later {
                    _ if end_at >= start => Ok((start, end_at)),
                    _ if start >= EVENING => Ok((start, end_at + DAY)),
                    Some(later) if later > start => Ok((start, later)),
                    _ => Err(Problem::EndFirst),
                }
            }
        }
    }

    /// Small hours without a half of the day are read as written, and may have been meant
    /// in the afternoon.
    fn guess(&self, ranges: &[ClockRange]) -> Option<Guess> {
        let End::At(end) = self.end else {
            return None;
        };
        let open = self.start.half.is_none() && end.half.is_none();
        let small = (1..=6).contains(&self.start.hour) && end.hour <= 12;
        let typed = self.at.trim_start_matches(|c: char| !c.is_ascii_digit());
        let &[ClockRange { start, end }] = ranges else {
            return None;
        };
        let later = start + TimeDelta::hours(12);
        (open && small && !typed.starts_with('0') && end > start).then_some(Guess::HalfDay {
            read_as: start,
            other: later,
        })
    }
}

/// An end that is not behind the start is on the next day.
fn forward(start: u32, end: u32) -> (u32, u32) {
    if end < start {
        (start, end + DAY)
    } else {
        (start, end)
    }
}

/// The instant of a local time, which there must be once and only once.
fn instant(date: NaiveDate, seconds: u32, zone: Tz) -> Result<DateTime<Tz>, Problem> {
    let days = Days::new(u64::from(seconds / DAY));
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds % DAY, 0);
    let (Some(date), Some(time)) = (date.checked_add_days(days), time) else {
        return Err(Problem::NoSuchDay);
    };
    match zone.from_local_datetime(&date.and_time(time)) {
        LocalResult::Single(instant) => Ok(instant),
        LocalResult::Ambiguous(..) => Err(Problem::ClockRepeats { date, time }),
        LocalResult::None => Err(Problem::ClockSkips { date, time }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        ErrorKind, LogLine, TimeCommand, parse,
        tests::{at, error, log},
    };
    use chrono_tz::America::New_York;

    fn read(text: &str) -> String {
        let line = log(text);
        let ranges = line.ranges.iter();
        let shown =
            ranges.map(|r| format!("{}–{}", r.start.format("%H:%M"), r.end.format("%H:%M")));
        assert_eq!(line.start, line.ranges.first().map(|range| range.start));
        assert_eq!(line.end, line.ranges.last().map(|range| range.end));
        format!("{} {}", line.duration, shown.collect::<Vec<_>>().join(", "))
    }

    fn in_new_york(text: &str) -> Result<LogLine, String> {
        match parse(text, &at("2026-11-20T17:30", New_York)) {
            Ok(TimeCommand::Log(line)) => Ok(line),
            other => Err(other.unwrap_err().message),
        }
    }

    #[test]
    fn marks_and_words_stand_between_start_and_end() {
        for text in [
            "9-11:30",
            "9 - 11:30",
            "9:00–11:30",
            "9—11:30",
            "9 → 11:30",
            "9->11:30",
            "9 to 11:30",
            "from 9 till 11:30",
            "between 9 and 11:30",
            "9 until 11:30",
            "9 til 11:30",
            "9 through 11:30",
            "9h - 11h30",
            "0900-1130",
            "9.00-11.30",
            "9am-11:30am",
            "9a-11:30a",
            "9 a.m. to 11:30 a.m.",
            "9:00 for 2.5h",
            "from 9 for 2h 30m",
        ] {
            assert_eq!(read(text), "2 h 30 min 09:00–11:30", "{text}");
        }
    }

    #[test]
    fn the_half_of_the_day_carries_over() {
        assert_eq!(read("8 - 11pm"), "3 h 20:00–23:00");
        assert_eq!(read("1pm-3"), "2 h 13:00–15:00");
        assert_eq!(read("12-3am"), "3 h 00:00–03:00");
        assert_eq!(read("12-3pm"), "3 h 12:00–15:00");
        assert_eq!(read("10-2pm"), "4 h 10:00–14:00");
        assert_eq!(read("11-1am"), "2 h 23:00–01:00");
        assert_eq!(read("9-12pm"), "3 h 09:00–12:00");
        assert_eq!(read("9am-12"), "3 h 09:00–12:00");
        assert_eq!(read("8am until 6"), "10 h 08:00–18:00");
        assert_eq!(read("9am-17"), "8 h 09:00–17:00");
        assert_eq!(read("11pm-3"), "4 h 23:00–03:00");
        assert_eq!(read("noon to 3"), "3 h 12:00–15:00");
        assert_eq!(read("8pm to midnight"), "4 h 20:00–00:00");
        assert_eq!(read("4pm for 30 mins"), "30 min 16:00–16:30");
        assert_eq!(read("11pm for 2h"), "2 h 23:00–01:00");
    }

    #[test]
    fn an_end_before_the_start_is_later() {
        assert_eq!(read("11:30-1:30"), "2 h 11:30–13:30");
        assert_eq!(read("9-5"), "8 h 09:00–17:00");
        assert_eq!(read("22:00-02:00"), "4 h 22:00–02:00");
        assert_eq!(read("18:00-05:00"), "11 h 18:00–05:00");
        assert_eq!(read("17:59-6:00"), "1 min 17:59–18:00");
        assert_eq!(read("18-0"), "6 h 18:00–00:00");
        assert_eq!(read("20:00-24:00"), "4 h 20:00–00:00");
        assert_eq!(
            log("yesterday 22:00-02:00 deploy").date.to_string(),
            "2026-11-19"
        );
        let refused = error("17-1 deploy");
        assert_eq!(
            refused.message,
            "The end is before the start. For a night, type 22:00–02:00."
        );
    }

    #[test]
    fn several_sum_up_without_the_break() {
        assert_eq!(read("9-12, 13-17"), "7 h 09:00–12:00, 13:00–17:00");
        assert_eq!(read("9-12,13-17"), "7 h 09:00–12:00, 13:00–17:00");
        assert!(parse("9-11,5", &super::super::tests::friday()).is_err());
        assert_eq!(read("9-12 and 1-5"), "7 h 09:00–12:00, 13:00–17:00");
        assert_eq!(
            read("9am-12, 1pm-5 & 6-7pm"),
            "8 h 09:00–12:00, 13:00–17:00, 18:00–19:00"
        );
        assert_eq!(log("9-12, 13-17: Workshop").description, "Workshop");
        assert_eq!(error("9-12, 11-13 foo").kind, ErrorKind::Refused);
        assert_eq!(error("13-17, 9-12 foo").kind, ErrorKind::Refused);
    }

    #[test]
    fn a_hundred_times_from_to_are_the_limit() {
        let minutes = |count| {
            let times = (0..count)
                .map(|n| format!("{}:{:02}-{0}:{:02}", n / 20, n % 20 * 3, n % 20 * 3 + 1));
            times.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(log(&minutes(100)).duration.get(), 100);
        let refused = error(&minutes(101));
        assert_eq!(refused.kind, ErrorKind::Refused);
        assert!(
            refused
                .message
                .ends_with("100 times from–to are the limit."),
            "{refused}"
        );
    }

    #[test]
    fn nothing_and_more_than_16_hours_are_refused() {
        assert_eq!(error("12:00 - 12:00").kind, ErrorKind::Refused);
        assert_eq!(read("6:00-22:00"), "16 h 06:00–22:00");
        assert_eq!(
            error("6:00-22:01 foo").message,
            "16 h 1 min is too long for a time from–to: 16 h are the limit."
        );
    }

    #[test]
    fn small_hours_are_a_guess() {
        let guess = |text| log(text).guess.map(|guess| guess.name());
        assert_eq!(guess("2-3"), Some("half_day"));
        assert_eq!(guess("5:30-6:30"), Some("half_day"));
        assert_eq!(guess("05:30-06:30"), None);
        assert_eq!(guess("2am-3"), None);
        assert_eq!(guess("9-11"), None);
    }

    #[test]
    fn what_may_be_two_lengths_is_asked_back() {
        let lines = |text| -> Vec<String> {
            let asked = error(text);
            assert_eq!(asked.kind, ErrorKind::Ambiguous, "{text}");
            asked.suggestions.into_iter().map(|s| s.line).collect()
        };
        assert_eq!(lines("2-3 hours foo"), ["2h: foo", "3h: foo"]);
        assert_eq!(lines("2h-3h foo"), ["2h: foo", "3h: foo"]);
        assert_eq!(
            lines("9-11 memorial 2h"),
            ["9-11: memorial 2h", "2h: 9-11 memorial"]
        );
        assert_eq!(read("9h-11h"), "2 h 09:00–11:00");
    }

    #[test]
    fn what_is_no_time_of_day_is_no_range() {
        for text in [
            "12x-14",
            "11:-12:00",
            "11:xx-12:00",
            "9-25",
            "24-7",
            "9:75-10",
            "9-11-13",
            "0pm-1pm",
        ] {
            assert!(
                parse(text, &super::super::tests::friday()).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_night_with_a_clock_change_is_measured_right() {
        assert_eq!(read("28 Mar 22:00-04:00"), "5 h 22:00–04:00");
        assert_eq!(read("24 Oct 22:00-04:00"), "7 h 22:00–04:00");
        assert_eq!(read("29 Mar 1am for 2h"), "2 h 01:00–04:00");
        assert_eq!(
            error("29 Mar 02:30-04:00 deploy").message,
            "02:30 does not exist on Sun 29 Mar: the clocks go forward."
        );
        assert_eq!(
            error("29 Mar 1am for 2h, 3am-5 deploy").kind,
            ErrorKind::Refused
        );
        let asked = error("25 Oct 02:30-04:00 deploy");
        assert_eq!(asked.kind, ErrorKind::Ambiguous);
        assert_eq!(
            asked.message,
            "02:30 happens twice on Sun 25 Oct: the clocks go back. How long was it?"
        );
        let spring = in_new_york("8 Mar 1:00-5:00 deploy").unwrap();
        assert_eq!(spring.duration.get(), 180);
        assert!(
            in_new_york("8 Mar 2:30-5:00 deploy")
                .unwrap_err()
                .contains("does not exist")
        );
    }
}
