//! Times from–to: `9-11:30`, `from 14:00 till 15:30`, `9am-5pm`, `9-12, 13-17`.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use nom::{
    Err, Parser,
    branch::alt,
    bytes::complete::tag,
    character::complete::{char, digit1, one_of},
    combinator::{opt, value, verify},
    sequence::{preceded, terminated},
};

use super::{
    ClockRange, Context, Guess,
    duration::{Form, duration},
    error::{Parsed, Problem, Stop},
    number::saturating,
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

/// A time of day as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    /// 0 to 24.
    hour: u32,
    minute: u32,
    second: u32,
    half: Option<Half>,
    style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Am,
    Pm,
}

/// How a time of day was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
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
    fn in_half(self, half: Half) -> u32 {
        let hour = match half {
            _ if self.hour > 12 => self.hour,
            Half::Am => self.hour % 12,
            Half::Pm => self.hour % 12 + 12,
        };
        (hour * 60 + self.minute) * 60 + self.second
    }

    /// Seconds since midnight, by the typed half if there is one.
    fn seconds(self) -> u32 {
        match self.half {
            Some(half) => self.in_half(half),
            None => (self.hour * 60 + self.minute) * 60 + self.second,
        }
    }
}

const HALF_DAY: u32 = 12 * 3600;
const DAY: u32 = 24 * 3600;
/// The longest time from–to.
const LONGEST: u32 = 16 * 3600;
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
    let dash = value(
        (),
        (
            space0,
            alt((tag("->"), tag("-"), tag("–"), tag("—"), tag("→"))),
            space0,
        ),
    );
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
        && end.half.is_none()
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

fn no_range<T>(input: &str) -> Parsed<'_, T> {
    Err(Err::Error(Stop::here(input, Problem::NoTime)))
}

/// `9`, `9:30`, `9.30`, `9h30`, `0930`, `9am`, `9:30 p.m.`, `noon`.
fn clock(input: &str) -> Parsed<'_, Clock> {
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
        return no_range(input);
    }
    if half.is_some() && hour == 0 {
        return no_range(input);
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
        return no_range(input);
    }
    let half = if letter.eq_ignore_ascii_case(&'a') {
        Half::Am
    } else {
        Half::Pm
    };
    Ok((rest, half))
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
            free_from = end;
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
                if start < free_from && self.start.hour < 12 {
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
