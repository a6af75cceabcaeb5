//! Days: `yesterday`, `last friday`, `20 Nov`, `2026-11-20`, `20.11.`, `3 days ago`.
//!
//! Time is logged backwards, so a day without a year or a week is the most recent one, today
//! included.

use std::borrow::Cow;

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
    number::{cardinal, saturating},
    stop::{Parsed, Problem, Stop},
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

impl<'a> Day<'a> {
    /// The day as it can be typed again without being refused or asked back.
    pub(super) fn to_type(self, today: NaiveDate) -> Cow<'a, str> {
        match self.form {
            DayForm::EitherWay(other) if self.date.min(other) <= today => {
                Cow::Owned(self.date.min(other).to_string())
            }
            _ if self.date > today => Cow::Borrowed("today"),
            _ => Cow::Borrowed(self.written),
        }
    }
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

pub(super) fn no_day<T>(input: &str) -> Parsed<'_, T> {
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

pub(super) fn weekday(input: &str) -> Parsed<'_, Weekday> {
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

pub(super) fn month(input: &str) -> Parsed<'_, u32> {
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
pub(super) fn short(input: &str) -> Parsed<'_, u32> {
    let (rest, digits) = verify(digit1, |digits: &str| digits.len() <= 2).parse(input)?;
    Ok((rest, u32::try_from(saturating(digits)).unwrap_or(u32::MAX)))
}

/// A year of four digits that could be meant.
pub(super) fn year(input: &str) -> Parsed<'_, i32> {
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
pub(super) fn latest(day: u32, month: u32, today: NaiveDate) -> Option<NaiveDate> {
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

#[cfg(test)]
mod tests {
    use super::super::{
        ErrorKind, TimeCommand, parse,
        tests::{at, error, friday, log},
    };
    use super::*;
    use chrono_tz::{Asia::Tokyo, Pacific::Honolulu};

    fn read(text: &str) -> String {
        let line = log(&format!("{text} 1h: Meeting"));
        assert_eq!(
            (line.duration.get(), &*line.description),
            (60, "Meeting"),
            "{text}"
        );
        line.date.to_string()
    }

    fn refused(text: &str) -> String {
        let stopped = error(&format!("{text} 2h: Meeting"));
        assert_eq!(stopped.kind, ErrorKind::Refused, "{text}: {stopped}");
        stopped.message
    }

    #[test]
    fn weekdays_look_back_and_include_today() {
        assert_eq!(read("friday"), "2026-11-20");
        assert_eq!(read("this friday"), "2026-11-20");
        assert_eq!(read("last friday"), "2026-11-13");
        assert_eq!(read("Thurs."), "2026-11-19");
        assert_eq!(read("sat"), "2026-11-14");
        assert_eq!(read("tuesday of last week"), "2026-11-10");
        assert_eq!(read("tuesday last week"), "2026-11-10");
        assert_eq!(read("monday of this week"), "2026-11-16");
        assert_eq!(read("Fri 20 Nov"), "2026-11-20");
        assert_eq!(read("Sunday, Feb 8"), "2026-02-08");
    }

    #[test]
    fn a_weekday_is_shown_as_a_guess_with_the_week_before() {
        let guess = log("wed 1h: Proposal").guess.unwrap();
        let expected = super::super::Guess::Weekday {
            written: "wed".into(),
            read_as: NaiveDate::from_ymd_opt(2026, 11, 18).unwrap(),
            other: NaiveDate::from_ymd_opt(2026, 11, 11).unwrap(),
        };
        assert_eq!(guess, expected);
        assert_eq!(log("last wed 1h: Proposal").guess, None);
    }

    #[test]
    fn dates_without_a_year_are_the_most_recent() {
        assert_eq!(read("20 Nov"), "2026-11-20");
        assert_eq!(read("21 Nov"), "2025-11-21");
        assert_eq!(read("Dec 24"), "2025-12-24");
        assert_eq!(read("1st of March"), "2026-03-01");
        assert_eq!(read("29 Feb"), "2024-02-29");
        assert_eq!(read("20.11."), "2026-11-20");
        assert_eq!(read("3. Nov"), "2026-11-03");
    }

    #[test]
    fn dates_with_a_year_are_what_they_say() {
        assert_eq!(read("2026-11-20"), "2026-11-20");
        assert_eq!(read("2025/1/2"), "2025-01-02");
        assert_eq!(read("20 Nov 2024"), "2024-11-20");
        assert_eq!(read("Nov 20th, 2024"), "2024-11-20");
        assert_eq!(read("1.2.2025"), "2025-02-01");
        assert_eq!(read("1.2.25"), "2025-02-01");
        assert_eq!(read("13/11/2026"), "2026-11-13");
    }

    #[test]
    fn days_are_counted_back() {
        assert_eq!(read("3 days ago"), "2026-11-17");
        assert_eq!(read("two weeks ago"), "2026-11-06");
        assert_eq!(read("a month ago"), "2026-10-20");
        assert_eq!(read("-1d"), "2026-11-19");
        assert_eq!(read("-2"), "2026-11-18");
        assert_eq!(log("2h -1d: Meeting").date.to_string(), "2026-11-19");
    }

    #[test]
    fn the_day_stands_before_or_behind_the_time() {
        for text in [
            "yesterday 1h Meeting",
            "yesterday: 1h Meeting",
            "yesterday, 1h Meeting",
            "1h yesterday Meeting",
            "1h yesterday: Meeting",
            "1h on 19 Nov: Meeting",
            "1h, yesterday: Meeting",
            "Meeting 1h yesterday",
            "Meeting yesterday 1h",
            "yesterday Meeting 1h",
            "9-10 yesterday: Meeting",
            "yesterday 9-10 Meeting",
        ] {
            let line = log(text);
            assert_eq!(line.date.to_string(), "2026-11-19", "{text}");
            assert_eq!(
                (line.duration.get(), &*line.description),
                (60, "Meeting"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_day_that_may_be_words_is_asked_back() {
        let lines = |text| -> Vec<String> {
            let asked = error(text);
            assert_eq!(asked.kind, ErrorKind::Ambiguous, "{text}");
            asked.suggestions.into_iter().map(|s| s.line).collect()
        };
        assert_eq!(
            lines("2h call yesterday"),
            ["yesterday 2h: call", "2h: call yesterday"]
        );
        assert_eq!(
            lines("Monday planning 2h"),
            ["Monday 2h: planning", "2h: Monday planning"]
        );
        assert_eq!(
            lines("2h sat with Ann"),
            ["sat 2h: with Ann", "2h: sat with Ann"]
        );
        assert_eq!(log("2h slides for Monday").description, "slides for Monday");
        assert_eq!(log("2h, friday retro").description, "friday retro");
        assert_eq!(log("2h: call yesterday").description, "call yesterday");
        assert_eq!(log("yesterday's notes 2h").description, "yesterday's notes");
    }

    #[test]
    fn slash_dates_are_asked_back_unless_the_order_is_known() {
        let asked = error("3/11 2h: Meeting");
        assert_eq!(asked.kind, ErrorKind::Ambiguous);
        assert_eq!(
            asked.message,
            "Is 3/11 the 3rd of November or the 11th of March?"
        );
        let buttons: Vec<_> = asked
            .suggestions
            .iter()
            .map(|s| (&*s.label, &*s.line))
            .collect();
        assert_eq!(
            buttons,
            [
                ("Tue 3 Nov", "2026-11-03 2h: Meeting"),
                ("Wed 11 Mar", "2026-03-11 2h: Meeting"),
            ]
        );
        assert_eq!(read("13/11"), "2026-11-13");
        assert_eq!(read("11/13"), "2026-11-13");
        assert_eq!(read("11/11"), "2026-11-11");
        assert_eq!(error("11/12/2026 2h: Meeting").suggestions.len(), 1);
        let in_order = |slash_dates| {
            let context = Context {
                slash_dates,
                ..friday()
            };
            day("3/11 2h", &context).unwrap().1.date.to_string()
        };
        assert_eq!(in_order(SlashDates::DayFirst), "2026-11-03");
        assert_eq!(in_order(SlashDates::MonthFirst), "2026-03-11");
        assert_eq!(log("24/7 support 2h").description, "24/7 support");
    }

    #[test]
    fn the_future_and_days_that_do_not_exist_are_refused() {
        assert_eq!(
            refused("tomorrow"),
            "Sat 21 Nov is in the future. Time is logged up to today."
        );
        assert_eq!(
            refused("next friday"),
            "Fri 27 Nov is in the future. Time is logged up to today."
        );
        refused("sunday of this week");
        refused("2027-01-01");
        refused("31 Nov");
        refused("2026-02-29");
        refused("Sunday, Feb 10");
        let example = error("Thu 21 Nov 2026 2h: Meeting").example;
        assert_eq!(example, "today 2h: Meeting");
        assert_eq!(error("tomorrow 2h: Meeting").example, "today 2h: Meeting");
        assert_eq!(error("2 days ago").example, "2 days ago 1h: what you did");
    }

    #[test]
    fn the_day_is_the_persons() {
        let date = |zone| match parse("today 1h", &at("2026-11-20T23:30", zone)) {
            Ok(TimeCommand::Log(line)) => line.date.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(date(Tokyo), "2026-11-20");
        assert_eq!(date(Honolulu), "2026-11-20");
    }
}
