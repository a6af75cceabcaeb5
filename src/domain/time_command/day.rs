//! Days: `yesterday`, `last friday`, `20 Nov`, `2026-11-20`, `20.11.`, `3 days ago`.
//!
//! Time is logged backwards, so a day without a year or a week is the most recent one, today
//! included.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use nom::{
    Err, Parser,
    branch::alt,
    bytes::complete::tag,
    character::complete::{char, digit1, one_of},
    combinator::{opt, value, verify},
    sequence::{preceded, terminated},
};

use super::{
    Context, SlashDates,
    error::{Parsed, Problem, Stop},
    number::{cardinal, saturating},
    words::{LONGEST, any_of, lower, measure_named, space, space0, word},
};

/// A day as it was read. It may lie in the future; whoever logs on it has to refuse that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day<'a> {
    pub(super) date: NaiveDate,
    pub(super) form: DayForm,
    pub(super) written: &'a str,
    /// The rest of the line from the day on.
    pub(super) at: &'a str,
    /// The rest of the line behind the day.
    pub(super) after: &'a str,
}

/// How certain the writing makes the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DayForm {
    /// Only one day can be meant.
    Certain,
    /// A weekday, of whatever week.
    Weekday,
    /// A number of days back: `-1d`, `-2`.
    Minus,
    /// With slashes, and so in one order of day and month.
    Slash,
    /// With slashes, and the other order of day and month is a date, too.
    EitherWay(NaiveDate),
}

/// A day at the beginning of the text.
pub(super) fn day<'a>(input: &'a str, context: &Context) -> Parsed<'a, Day<'a>> {
    let today = context.today();
    let (rest, (date, form)) = match input.chars().next() {
        Some('0'..='9') => alt((
            year_first.map(|date| (date, DayForm::Certain)),
            |input| ago(input, today),
            |input| day_first(input, today),
            |input| slashes(input, today, context.slash_dates),
        ))
        .parse(input)?,
        Some('-' | '−') => minus(input, today)?,
        Some(c) if c.is_alphabetic() => alt((
            |input| named(input, today),
            |input| with_weekday(input, today),
            |input| month_first(input, today),
            |input| ago(input, today),
        ))
        .parse(input)?,
        _ => return no_day(input),
    };
    let ends = match rest.chars().next() {
        Some(c @ ('-' | '.' | ':' | '/')) => {
            !rest[c.len_utf8()..].starts_with(|next: char| next.is_alphanumeric() && c != ':')
        }
        Some(c) => !c.is_alphanumeric() && !"'’′%_*".contains(c),
        None => true,
    };
    if !ends {
        return no_day(input);
    }
    let written = &input[..input.len() - rest.len()];
    let day = Day {
        date,
        form,
        written,
        at: input,
        after: rest,
    };
    Ok((rest, day))
}

fn no_day<T>(input: &str) -> Parsed<'_, T> {
    Err(Err::Error(Stop::here(input, Problem::NoTime)))
}

type Read<'a> = Parsed<'a, (NaiveDate, DayForm)>;

/// A date that exists, or a refusal to invent one.
fn existing<'a>(input: &'a str, rest: &'a str, date: Option<NaiveDate>) -> Read<'a> {
    match date {
        Some(date) => Ok((rest, (date, DayForm::Certain))),
        None => Stop::before(input, rest, Problem::NoSuchDay).for_good(),
    }
}

/// `today`, `yesterday`, `day before yesterday`, `tomorrow`.
fn named(input: &str, today: NaiveDate) -> Read<'_> {
    let (rest, back) = alt((
        value(0, any_of(&["today"])),
        value(1, any_of(&["yesterday", "yday"])),
        value(
            2,
            (
                opt((any_of(&["the"]), space)),
                any_of(&["day"]),
                space,
                any_of(&["before"]),
                space,
                any_of(&["yesterday"]),
            ),
        ),
        value(-1, any_of(&["tomorrow"])),
    ))
    .parse(input)?;
    existing(input, rest, days_before(today, back))
}

fn days_before(today: NaiveDate, back: i64) -> Option<NaiveDate> {
    let days = Days::new(back.unsigned_abs());
    if back < 0 {
        today.checked_add_days(days)
    } else {
        today.checked_sub_days(days)
    }
}

/// `fri`, `last friday`, `next friday`, `tuesday of last week`, `Sunday, Feb 10`.
fn with_weekday(input: &str, today: NaiveDate) -> Read<'_> {
    let (at, which) = opt(terminated(any_of(&["this", "last", "next"]), space)).parse(input)?;
    let (rest, weekday) = weekday(at)?;
    let ahead = i64::from(weekday.days_since(today.weekday()));
    // Today, if it is that weekday.
    let latest = days_before(today, (7 - ahead) % 7);
    match which {
        Some(which) if which.eq_ignore_ascii_case("last") => {
            return existing(input, rest, days_before(today, 7 - ahead));
        }
        Some(which) if which.eq_ignore_ascii_case("next") => {
            let ahead = if ahead == 0 { 7 } else { ahead };
            return existing(input, rest, days_before(today, -ahead));
        }
        _ => {}
    }
    if let Ok((rest, weeks_back)) = in_week(rest) {
        let from_monday = |day: Weekday| i64::from(day.num_days_from_monday());
        let back = from_monday(today.weekday()) - from_monday(weekday) + weeks_back;
        return existing(input, rest, days_before(today, back));
    }
    let (after_point, _) = opt(char('.')).parse(rest)?;
    let (at_date, _) = (opt(char(',')), space0).parse(after_point)?;
    let dated = alt((
        year_first.map(|date| (date, DayForm::Certain)),
        |input| day_first(input, today),
        |input| month_first(input, today),
    ))
    .parse(at_date);
    match dated {
        Ok((rest, (date, form))) if date.weekday() == weekday => Ok((rest, (date, form))),
        Ok((rest, _)) => Stop::before(at_date, rest, Problem::OtherWeekday).for_good(),
        Err(_) => match latest {
            Some(date) => Ok((after_point, (date, DayForm::Weekday))),
            None => no_day(input),
        },
    }
}

/// ` of last week`, as the days that it goes back.
fn in_week(input: &str) -> Parsed<'_, i64> {
    let (rest, _) = (space, opt((any_of(&["of"]), space))).parse(input)?;
    terminated(
        alt((value(0, any_of(&["this"])), value(7, any_of(&["last"])))),
        (space, any_of(&["week"])),
    )
    .parse(rest)
}

fn weekday(input: &str) -> Parsed<'_, Weekday> {
    let (rest, name) = word(input)?;
    let mut buffer = [0; LONGEST];
    let weekday = match lower(name, &mut buffer) {
        Some("monday" | "mon") => Weekday::Mon,
        Some("tuesday" | "tue" | "tues") => Weekday::Tue,
        Some("wednesday" | "wed" | "weds") => Weekday::Wed,
        Some("thursday" | "thu" | "thur" | "thurs") => Weekday::Thu,
        Some("friday" | "fri") => Weekday::Fri,
        Some("saturday" | "sat") => Weekday::Sat,
        Some("sunday" | "sun") => Weekday::Sun,
        _ => return no_day(input),
    };
    Ok((rest, weekday))
}

fn month(input: &str) -> Parsed<'_, u32> {
    let (rest, name) = word(input)?;
    let mut buffer = [0; LONGEST];
    let month = match lower(name, &mut buffer) {
        Some("jan" | "january") => 1,
        Some("feb" | "february") => 2,
        Some("mar" | "march") => 3,
        Some("apr" | "april") => 4,
        Some("may") => 5,
        Some("jun" | "june") => 6,
        Some("jul" | "july") => 7,
        Some("aug" | "august") => 8,
        Some("sep" | "sept" | "september") => 9,
        Some("oct" | "october") => 10,
        Some("nov" | "november") => 11,
        Some("dec" | "december") => 12,
        _ => return no_day(input),
    };
    Ok((rest, month))
}

/// One or two digits.
fn short(input: &str) -> Parsed<'_, u32> {
    let (rest, digits) = verify(digit1, |digits: &str| digits.len() <= 2).parse(input)?;
    Ok((rest, u32::try_from(saturating(digits)).unwrap_or(u32::MAX)))
}

/// A year of four digits that could be meant.
fn year(input: &str) -> Parsed<'_, i32> {
    let (rest, digits) = verify(digit1, |digits: &str| digits.len() == 4).parse(input)?;
    match i32::try_from(saturating(digits)) {
        Ok(year @ 1900..=2199) if !goes_on(rest) => Ok((rest, year)),
        _ => no_day(input),
    }
}

/// Whether four digits are not a year: `2000m`, `2000:00`.
fn goes_on(rest: &str) -> bool {
    rest.strip_prefix(':')
        .unwrap_or(rest)
        .starts_with(|c: char| c.is_alphanumeric())
}

/// `2026-11-20`, `2026/11/20`.
fn year_first(input: &str) -> Parsed<'_, NaiveDate> {
    let (rest, digits) = verify(digit1, |digits: &str| digits.len() == 4).parse(input)?;
    let (rest, mark) = one_of("-/").parse(rest)?;
    let (rest, (month, _, day)) = (short, char(mark), short).parse(rest)?;
    let year = i32::try_from(saturating(digits)).unwrap_or_default();
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => Ok((rest, date)),
        None => Stop::before(input, rest, Problem::NoSuchDay).for_good(),
    }
}

/// `20 Nov`, `20th November 2026`, `20.11.`, `20.11.2026`.
fn day_first(input: &str, today: NaiveDate) -> Read<'_> {
    let (rest, day) = short(input)?;
    if day == 0 || day > 31 {
        return no_day(input);
    }
    let numeric = (preceded(char('.'), short), char('.')).parse(rest);
    if let Ok((rest, (month, _))) = numeric {
        if !(1..=12).contains(&month) {
            return no_day(input);
        }
        let (rest, year) = opt(alt((year, short_year))).parse(rest)?;
        return dated(input, rest, day, month, year, today);
    }
    let (rest, _) = opt(alt((any_of(&["st", "nd", "rd", "th"]), tag(".")))).parse(rest)?;
    let (rest, _) = space0(rest)?;
    let (rest, _) = opt((any_of(&["of"]), space)).parse(rest)?;
    let (rest, month) = month(rest)?;
    let (rest, year) = opt(preceded((opt(one_of(",.")), space), year)).parse(rest)?;
    dated(input, rest, day, month, year, today)
}

fn short_year(input: &str) -> Parsed<'_, i32> {
    let (rest, digits) = verify(digit1, |digits: &str| digits.len() == 2).parse(input)?;
    let year = i32::try_from(saturating(digits)).unwrap_or_default();
    Ok((rest, 2000 + year))
}

/// `Nov 20`, `Nov 20th, 2026`.
fn month_first(input: &str, today: NaiveDate) -> Read<'_> {
    let (rest, month) = month(input)?;
    let (rest, _) = (opt(char('.')), space).parse(rest)?;
    let (rest, day) = verify(short, |day| (1..=31).contains(day)).parse(rest)?;
    let (rest, _) = opt(any_of(&["st", "nd", "rd", "th"])).parse(rest)?;
    let (rest, year) = opt(preceded((opt(char(',')), space), year)).parse(rest)?;
    dated(input, rest, day, month, year, today)
}

fn dated<'a>(
    input: &'a str,
    rest: &'a str,
    day: u32,
    month: u32,
    year: Option<i32>,
    today: NaiveDate,
) -> Read<'a> {
    let date = match year {
        Some(year) => NaiveDate::from_ymd_opt(year, month, day),
        None => latest(day, month, today),
    };
    existing(input, rest, date)
}

/// The most recent such day, today included; the 29th of February may be eight years back.
fn latest(day: u32, month: u32, today: NaiveDate) -> Option<NaiveDate> {
    (0..=8).find_map(|back| {
        NaiveDate::from_ymd_opt(today.year() - back, month, day).filter(|&date| date <= today)
    })
}

/// `3/11`, `3/11/2026`: in the person's order, and else in both.
fn slashes(input: &str, today: NaiveDate, order: SlashDates) -> Read<'_> {
    let (rest, (first, _, second)) = (short, char('/'), short).parse(input)?;
    let (rest, year) = opt(preceded(char('/'), alt((year, short_year)))).parse(rest)?;
    // `3/4 hour` is a length, and 24/7 is not the 24th of July.
    let (_, unit) = opt(preceded(space0, word)).parse(rest)?;
    let is_length =
        unit.is_some_and(|name| measure_named(name).is_some() || name.eq_ignore_ascii_case("of"));
    if is_length || (first, second, year) == (24, 7, None) {
        return no_day(input);
    }
    let date = |day, month| match year {
        Some(year) => NaiveDate::from_ymd_opt(year, month, day),
        None => latest(day, month, today),
    };
    let (day_first, month_first) = (date(first, second), date(second, first));
    let read = match (order, day_first, month_first) {
        (SlashDates::DayFirst, Some(date), _) | (SlashDates::MonthFirst, _, Some(date)) => {
            (date, DayForm::Slash)
        }
        (_, Some(date), Some(other)) if date != other => (date, DayForm::EitherWay(other)),
        (_, Some(date), _) | (_, _, Some(date)) => (date, DayForm::Slash),
        (_, None, None) => return no_day(input),
    };
    Ok((rest, read))
}

/// `3 days ago`, `a week ago`.
fn ago(input: &str, today: NaiveDate) -> Read<'_> {
    let (rest, count) = alt((
        digit1.map(saturating),
        value(1, any_of(&["a", "an"])),
        cardinal,
    ))
    .parse(input)?;
    let (rest, unit) = preceded(space0, word).parse(rest)?;
    let (rest, _) = (space, any_of(&["ago"])).parse(rest)?;
    let mut buffer = [0; LONGEST];
    let date = match lower(unit, &mut buffer) {
        Some("d" | "day" | "days") => today.checked_sub_days(Days::new(count)),
        Some("w" | "wk" | "week" | "weeks") => {
            today.checked_sub_days(Days::new(count.saturating_mul(7)))
        }
        Some("month" | "months") => u32::try_from(count)
            .ok()
            .and_then(|count| today.checked_sub_months(Months::new(count))),
        _ => return no_day(input),
    };
    existing(input, rest, date)
}

/// `-1d`, `-2`.
fn minus(input: &str, today: NaiveDate) -> Read<'_> {
    let (rest, digits) = preceded(one_of("-−"), digit1).parse(input)?;
    let (rest, _) = opt(preceded(space0, any_of(&["d", "day", "days"]))).parse(rest)?;
    match today.checked_sub_days(Days::new(saturating(digits))) {
        Some(date) if date < today => Ok((rest, (date, DayForm::Minus))),
        _ => no_day(input),
    }
}
