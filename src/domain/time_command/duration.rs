//! Lengths of time: `2.5 hours`, `1h30`, `1:30`, `half an hour`, `PT1H30M`, `90`.

use nom::{
    Err, Parser,
    branch::alt,
    bytes::complete::tag_no_case,
    character::complete::{char, digit1, one_of},
    combinator::opt,
    sequence::{preceded, terminated},
};

use super::{
    BareNumberUnit, Context, Guess, Unit,
    day::day,
    exact::Exact,
    number::{Number, cardinal, numeral, portion, saturating, vulgar},
    quantity::{Quantity, hour_word, is_meridiem, quantity},
    stop::{Parsed, Problem, Stop},
    words::{Measure, any_of, measure_named, space, space0, word},
};
use crate::domain::minutes::Minutes;

/// A length as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Length<'a> {
    pub(super) minutes: Minutes,
    pub(super) form: Form<'a>,
}

/// How certain the writing makes the reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form<'a> {
    /// A whole number on its own, as it was typed.
    Bare(&'a str),
    /// A decimal on its own.
    Decimal,
    /// Hours and minutes with a colon.
    Clock,
    /// With a unit.
    Units,
    /// With a unit, and then a small number that could as well begin the description: the length
    /// without it, and the text from it on.
    Loose(Minutes, &'a str),
}

impl Length<'_> {
    /// What has to be shown as a guess, if the writing leaves the unit open.
    pub(super) fn guess(&self, context: &Context) -> Option<Guess> {
        let Form::Bare(written) = self.form else {
            return None;
        };
        if context.bare_number_unit != BareNumberUnit::Guess {
            return None;
        }
        let number = written.parse::<u32>().ok()?;
        let (read_as, other) = if self.minutes.get() == number {
            (Unit::Minutes, Minutes::from_hours(number))
        } else {
            (Unit::Hours, Minutes::new(number))
        };
        Some(Guess::BareNumber {
            written: written.to_owned(),
            read_as,
            other,
        })
    }
}

/// Any length at the beginning of the text, from 1 minute to 24 hours.
pub(super) fn duration<'a>(input: &'a str, context: &Context) -> Parsed<'a, Length<'a>> {
    let start = input.strip_prefix('+').unwrap_or(input);
    let mut characters = start.chars();
    match characters.next() {
        Some('0'..='9') => match clock(start) {
            Err(Err::Error(_)) => compound(start, context),
            read => read,
        },
        Some(':' | ';') => clock(start),
        Some('.' | ',') => compound(start, context),
        Some('-' | '−')
            if characters
                .as_str()
                .starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ':')) =>
        {
            let (after, reading) = match duration(characters.as_str(), context) {
                Ok((after, length)) => (after, Some(length.minutes)),
                Err(_) => (skip_word(start), None),
            };
            Stop::before(start, after, Problem::Negative { reading }).for_good()
        }
        Some('p' | 'P') => alt((iso, |input| compound(input, context))).parse(start),
        Some(c) if c.is_alphabetic() || vulgar(c).is_some() => compound(start, context),
        Some(c) if c.is_numeric() => {
            Stop::before(start, skip_word(start), Problem::ForeignDigits).for_good()
        }
        _ => Err(Err::Error(Stop::here(start, Problem::NoTime))),
    }
}

/// `1:30`, `1;30`, `:30`, `1:30:00`, `1:30h`.
fn clock(input: &str) -> Parsed<'_, Length<'_>> {
    let (rest, hours) = opt(digit1).parse(input)?;
    let (after, (mark, minutes)) = (one_of(":;"), digit1).parse(rest)?;
    let minutes_at = &rest[1..];
    if minutes.len() > 2 || (mark == ';' && minutes.len() != 2) {
        return Stop::before(minutes_at, after, Problem::Unreadable).for_good();
    }
    let hours = saturating(hours.unwrap_or_default());
    let minutes = saturating(minutes);
    let (after, seconds) = opt(preceded(char(mark), digit1)).parse(after)?;
    let seconds = match seconds {
        Some(digits) if digits.len() != 2 => {
            return Stop::before(after, after, Problem::Unreadable).for_good();
        }
        digits => saturating(digits.unwrap_or_default()),
    };
    if minutes > 59 {
        return Stop::before(minutes_at, after, does_not_fit(hours, minutes)).for_good();
    }
    if seconds > 59 {
        return Stop::before(minutes_at, after, Problem::SecondsDoNotFit).for_good();
    }
    let (after, _) = opt(preceded(space0, hour_word)).parse(after)?;
    let (_, unit) = opt(preceded(space0, word)).parse(after)?;
    if let Some(name) = unit {
        if is_meridiem(name) {
            return Stop::before(after, skip_word(after), Problem::TimeOfDay).for_good();
        }
        if measure_named(name).is_some() {
            return Stop::before(after, skip_word(after), Problem::Unreadable).for_good();
        }
    }
    let total = Exact::whole(hours)
        .times(3600)
        .plus(Exact::whole(minutes * 60 + seconds));
    finish(input, after, total, Form::Clock)
}

/// ISO 8601 with a time only: `PT1H30M`.
fn iso(input: &str) -> Parsed<'_, Length<'_>> {
    let part = |unit: &'static str| opt(terminated(numeral, one_of(unit)));
    let (rest, (hours, minutes, seconds)) =
        preceded(tag_no_case("pt"), (part("hH"), part("mM"), part("sS"))).parse(input)?;
    if hours.or(minutes).or(seconds).is_none() {
        return Err(Err::Error(Stop::here(input, Problem::NoTime)));
    }
    let amount = |number: Option<Number>, seconds: u32| {
        number.map_or(Exact::ZERO, |number| number.value.times(seconds))
    };
    let total = amount(hours, 3600)
        .plus(amount(minutes, 60))
        .plus(amount(seconds, 1));
    finish(input, rest, total, Form::Units)
}

/// Amounts in descending order, or a number on its own.
fn compound<'a>(input: &'a str, context: &Context) -> Parsed<'a, Length<'a>> {
    let (mut rest, first) = match quantity(input, context) {
        Err(Err::Error(_)) => return bare(input, context),
        read => read?,
    };
    let seconds = |measure| match measure {
        Measure::Day => context.workday.get().saturating_mul(60),
        Measure::Hour => 3600,
        Measure::Minute => 60,
        Measure::Second | Measure::Longer => 1,
    };
    let mut total = first.value.times(seconds(first.measure));
    let mut last = first;
    let mut form = Form::Units;
    // Whether the number that comes next needs no unit, because one without was read after hours.
    let mut implied = first.measure == Measure::Hour;
    loop {
        let (next, joint) = joint(rest)?;
        if matches!(joint, Joint::Space | Joint::Comma) && day(next, context).is_ok() {
            break;
        }
        match quantity(next, context) {
            Ok((after, found)) => {
                if found.measure >= last.measure
                    || (joint == Joint::Plus && found.measure == Measure::Second)
                {
                    return Stop::before(next, after, Problem::WrongOrder).for_good();
                }
                fits(next, after, last, found)?;
                total = total.plus(found.value.times(seconds(found.measure)));
                implied = found.measure == Measure::Hour;
                (rest, last, form) = (after, found, Form::Units);
                continue;
            }
            Err(Err::Failure(stop))
                if joint == Joint::Nothing || matches!(stop.problem, Problem::LongUnit) =>
            {
                return stop.for_good();
            }
            Err(_) => {}
        }
        if joint == Joint::And
            && let Ok((after, part)) = portion(next)
        {
            total = total.plus(part.times(seconds(last.measure)));
            rest = after;
            break;
        }
        if implied && let Some((after, number)) = implied_number(next) {
            let measure = match last.measure {
                Measure::Hour => Measure::Minute,
                _ => Measure::Second,
            };
            let plain = continues_plainly(after);
            if measure == Measure::Second && (plain || !matches!(form, Form::Units)) {
                break;
            }
            let found = Quantity {
                value: Exact::whole(number),
                whole: Some(number),
                measure,
            };
            fits(next, after, last, found)?;
            let words_follow = after.trim_start().starts_with(char::is_alphanumeric);
            let round = number >= 10 && number % 5 == 0;
            if joint != Joint::Nothing && words_follow && !round && !next.starts_with('0') {
                form = Form::Loose(length(total), next);
            }
            total = total.plus(found.value.times(seconds(measure)));
            implied = measure == Measure::Minute;
            (rest, last) = (after, found);
            continue;
        }
        if joint == Joint::Nothing && next.starts_with(|c: char| c.is_ascii_digit()) {
            return Stop::here(next, Problem::Unreadable).for_good();
        }
        break;
    }
    if let Some(after) = rest.strip_prefix('.')
        && !after.starts_with(char::is_alphanumeric)
    {
        rest = after;
    }
    finish(input, rest, total, form)
}

/// What stands between two amounts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    Nothing,
    Space,
    Comma,
    And,
    Plus,
}

/// Nothing, space, `,`, `and`, `&` or `+`.
fn joint(input: &str) -> Parsed<'_, Joint> {
    let (rest, gap) = space0(input)?;
    let (rest, mark) = opt(terminated(one_of(",&+"), space0)).parse(rest)?;
    let (rest, and) = match opt(terminated(any_of(&["and"]), space)).parse(rest)? {
        (after, Some(_)) if !gap.is_empty() || mark.is_some() => (after, true),
        _ => (rest, false),
    };
    let joint = match mark {
        Some('+') => Joint::Plus,
        Some('&') => Joint::And,
        _ if and => Joint::And,
        Some(_) => Joint::Comma,
        None if gap.is_empty() => Joint::Nothing,
        None => Joint::Space,
    };
    Ok((rest, joint))
}

/// Minutes and seconds beside a longer unit stay below 60.
fn fits<'a>(
    at: &'a str,
    after: &'a str,
    before: Quantity,
    found: Quantity,
) -> Result<(), Err<Stop<'a>>> {
    let Some(number @ 60..) = found.whole else {
        return Ok(());
    };
    match found.measure {
        Measure::Minute => {
            let hours = match before {
                Quantity {
                    whole: Some(hours),
                    measure: Measure::Hour,
                    ..
                } => hours,
                _ => u64::from(u32::MAX),
            };
            Stop::before(at, after, does_not_fit(hours, number)).for_good()
        }
        Measure::Second => Stop::before(at, after, Problem::SecondsDoNotFit).for_good(),
        _ => Ok(()),
    }
}

fn does_not_fit(hours: u64, minutes: u64) -> Problem {
    let total = hours.saturating_mul(60).saturating_add(minutes);
    let total = u32::try_from(total).map(Minutes::new).ok();
    Problem::MinutesDoNotFit {
        total: total.filter(|&total| total <= Minutes::DAY),
    }
}

/// A number that stands for itself: not the beginning of `3/4`, `15:00`, `9-11` or `3D`.
fn implied_number(input: &str) -> Option<(&str, u64)> {
    let (rest, number) = match digit1::<_, Stop<'_>>(input) {
        Ok((rest, digits)) if digits.len() <= 3 => (rest, saturating(digits)),
        Ok(_) => return None,
        Err(_) => cardinal(input).ok()?,
    };
    let mut following = rest.chars();
    let alone = match following.next() {
        None => true,
        Some(c) if c.is_whitespace() => true,
        Some('.' | ',' | ':' | '-' | '–' | '—') => {
            !following.next().is_some_and(char::is_alphanumeric)
        }
        Some(_) => false,
    };
    alone.then_some((rest, number))
}

/// Whether the text goes on with words, rather than with a mark that ends the time.
pub(super) fn continues_plainly(rest: &str) -> bool {
    rest.starts_with(char::is_whitespace)
        && rest.trim_start().starts_with(char::is_alphanumeric)
        && preceded(space, any_of(&["on", "for"])).parse(rest).is_err()
}

/// The text behind a word and the punctuation in it.
pub(super) fn skip_word(input: &str) -> &str {
    let end = input.find(|c: char| c.is_whitespace() || c == ':');
    &input[end.unwrap_or(input.len())..]
}

/// A number without a unit: decimals are hours, whole numbers depend on their size.
fn bare<'a>(input: &'a str, context: &Context) -> Parsed<'a, Length<'a>> {
    let (rest, number) = numeral(input)?;
    let Some(count) = number.whole else {
        if number.fraction {
            let reading = number.reading(context.bare_number_unit);
            return Stop::before(rest, rest, Problem::NoUnit { reading }).for_good();
        }
        return finish(input, rest, number.value.times(3600), Form::Decimal);
    };
    if mangled(rest) {
        return Stop::before(rest, skip_word(rest), Problem::Unreadable).for_good();
    }
    let written = &input[..input.len() - rest.len()];
    let hours = match (context.bare_number_unit, count) {
        (BareNumberUnit::Hours, _) | (BareNumberUnit::Guess, 1..=12) => true,
        (BareNumberUnit::Guess, 0) => {
            return Stop::before(input, rest, Problem::ZeroOfWhat).for_good();
        }
        (BareNumberUnit::Guess, 13 | 14) => {
            let number = if count == 13 { 13 } else { 14 };
            return Stop::before(input, rest, Problem::HoursOrMinutes { number }).for_good();
        }
        _ => false,
    };
    if written.len() == 4 && written.starts_with('0') {
        return Stop::before(input, rest, Problem::TimeOfDay).for_good();
    }
    let total = number.value.times(if hours { 3600 } else { 60 });
    finish(input, rest, total, Form::Bare(written))
}

/// Whether a number is the beginning of something else: `11:xx-12:00`, `00::`, `9-11`, `1..`, `1,,5`.
fn mangled(rest: &str) -> bool {
    let mut following = rest.chars();
    match following.next() {
        Some('.') => true,
        Some(',' | ';') => following.next().is_some_and(|c| ",.;:".contains(c)),
        Some(':') => {
            let word = rest[1..]
                .split(char::is_whitespace)
                .next()
                .unwrap_or_default();
            word.starts_with([':', '-']) || word.contains(|c: char| c.is_ascii_digit())
        }
        Some('-' | '–' | '—') => following.next().is_some_and(|c| c.is_ascii_digit()),
        _ => false,
    }
}

/// Rounds the total, and makes sure that the time ends where it seems to end.
fn finish<'a>(
    input: &'a str,
    rest: &'a str,
    total: Exact,
    form: Form<'a>,
) -> Parsed<'a, Length<'a>> {
    let ends = match rest.chars().next() {
        Some('.') => !rest[1..].starts_with(char::is_alphanumeric) && form == Form::Decimal,
        Some(c) => !c.is_alphanumeric() && !"/\\%^=*_~'’′<>|$€".contains(c),
        None => true,
    };
    if !ends {
        return Stop::before(rest, skip_word(rest), Problem::Unreadable).for_good();
    }
    let minutes = length(total);
    if minutes == Minutes::default() {
        return Stop::before(input, rest, Problem::Zero).for_good();
    }
    if minutes > Minutes::DAY {
        return Stop::before(input, rest, Problem::TooLong { length: minutes }).for_good();
    }
    Ok((rest, Length { minutes, form }))
}

fn length(total: Exact) -> Minutes {
    Minutes::new(u32::try_from(total.sixtieth()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::{
        ErrorKind, Guess, Unit,
        tests::{error, friday, log},
    };
    use super::*;

    fn minutes(text: &str) -> u32 {
        let line = log(text);
        assert_eq!(line.description, "", "{text:?}");
        line.duration.get()
    }

    fn refused(text: &str) -> String {
        let stopped = error(text);
        assert_eq!(stopped.kind, ErrorKind::Refused, "{text:?}: {stopped}");
        stopped.message
    }

    fn not_understood(text: &str) -> String {
        let stopped = error(text);
        assert_eq!(
            stopped.kind,
            ErrorKind::NotUnderstood,
            "{text:?}: {stopped}"
        );
        stopped.message
    }

    #[test]
    fn units_stand_with_or_without_a_space() {
        assert_eq!(minutes("2h"), 120);
        assert_eq!(minutes("2 HRS"), 120);
        assert_eq!(minutes("45 mins"), 45);
        assert_eq!(minutes("15'"), 15);
        assert_eq!(minutes("15’"), 15);
        assert_eq!(minutes("90s"), 2);
        assert_eq!(minutes("89 seconds"), 1);
        assert_eq!(minutes("2\u{a0}h"), 120);
        assert_eq!(minutes("2-hour"), 120);
        assert_eq!(minutes("PT1H30M"), 90);
        assert_eq!(minutes("pt0.5h"), 30);
        assert_eq!(minutes("PT90M"), 90);
    }

    #[test]
    fn amounts_join_in_descending_order() {
        assert_eq!(minutes("1h30m"), 90);
        assert_eq!(minutes("1 hour, 15 minutes"), 75);
        assert_eq!(minutes("2 hours and 20 minutes"), 140);
        assert_eq!(minutes("1h & 20m"), 80);
        assert_eq!(minutes("1h + 20m"), 80);
        assert_eq!(minutes("1h+20m"), 80);
        assert_eq!(minutes("1d 1h 30s"), 541);
        assert_eq!(minutes("1.5h 15m"), 105);
    }

    #[test]
    fn a_number_after_hours_is_minutes() {
        assert_eq!(minutes("1h30"), 90);
        assert_eq!(minutes("3h 15"), 195);
        assert_eq!(minutes("1h05"), 65);
        assert_eq!(minutes("2 hours ten"), 130);
        assert_eq!(minutes("2 hours and ten"), 130);
        assert_eq!(minutes("1h 5"), 65);
        assert_eq!(log("3h 15 wireframes").duration.get(), 195);
        assert_eq!(log("3h 05 wireframes").duration.get(), 185);
        assert_eq!(log("2h 15 on wireframes").duration.get(), 135);
    }

    #[test]
    fn a_small_number_before_words_is_asked_back() {
        let stopped = error("2h 3 interviews");
        assert_eq!(stopped.kind, ErrorKind::Ambiguous);
        assert_eq!(stopped.at, 3);
        let lines: Vec<_> = stopped
            .suggestions
            .iter()
            .map(|s| s.line.as_str())
            .collect();
        assert_eq!(lines, ["2h3m: interviews", "2h: 3 interviews"]);
        assert_eq!(
            error("1 hour one on one").suggestions[1].line,
            "1h: one on one"
        );
        assert_eq!(error("2h, 3 interviews").kind, ErrorKind::Ambiguous);
        assert_eq!(error("2h and 3 interviews").kind, ErrorKind::Ambiguous);
        assert_eq!(log("2h: 3 interviews").description, "3 interviews");
    }

    #[test]
    fn colons_are_hours_and_minutes() {
        assert_eq!(minutes("1:30"), 90);
        assert_eq!(minutes("1;30"), 90);
        assert_eq!(minutes("0:45h"), 45);
        assert_eq!(minutes("1:30 hrs"), 90);
        assert_eq!(minutes(":30"), 30);
        assert_eq!(minutes("1:29:30"), 90);
        assert_eq!(minutes("24:00"), 1440);
        assert_eq!(
            refused("1:75"),
            "75 minutes do not fit after “1”. Did you mean 2 h 15 min?"
        );
        assert_eq!(
            refused("1h75"),
            "75 minutes do not fit after “1h”. Did you mean 2 h 15 min?"
        );
        assert_eq!(
            refused("1h 60m"),
            "60 minutes do not fit after “1h”. Did you mean 2 h?"
        );
        assert_eq!(refused("23h99"), "99 minutes do not fit after “23h”.");
        not_understood("1:3x");
        not_understood("1:30 min");
        not_understood("1:300");
        not_understood("9::");
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(minutes("2.05"), 123);
        assert_eq!(minutes("8.20"), 492);
        assert_eq!(minutes("1,5h"), 90);
        assert_eq!(minutes(".5h"), 30);
        assert_eq!(minutes("1.50000000000000000000000000h"), 90);
        assert_eq!(minutes("1.008333333333333333h"), 60);
        assert_eq!(minutes("1.008333333333333334h"), 61);
        assert_eq!(minutes("0.49999999m 30s"), 1);
        refused("1.1234567890123456789h");
        assert_eq!(error("1,000m").kind, ErrorKind::Ambiguous);
        assert_eq!(minutes("0,125h"), 8);
    }

    #[test]
    fn bare_numbers_are_guessed_and_say_so() {
        let guess = |text| match log(text).guess {
            Some(Guess::BareNumber {
                written,
                read_as,
                other,
            }) => (written, read_as, other.get()),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(minutes("1"), 60);
        assert_eq!(minutes("12"), 720);
        assert_eq!(minutes("15"), 15);
        assert_eq!(minutes("90"), 90);
        assert_eq!(guess("2 Meeting"), ("2".into(), Unit::Hours, 2));
        assert_eq!(guess("20 Meeting"), ("20".into(), Unit::Minutes, 1200));
        assert_eq!(error("0").kind, ErrorKind::Ambiguous);
        let asked = error("13 release notes");
        assert_eq!((asked.kind, asked.at), (ErrorKind::Ambiguous, 0));
        let buttons: Vec<_> = asked
            .suggestions
            .iter()
            .map(|s| (&*s.label, &*s.line))
            .collect();
        assert_eq!(
            buttons,
            [
                ("13 minutes", "13m: release notes"),
                ("13 hours", "13h: release notes")
            ]
        );
        not_understood("0900 standup");
        refused("2026 planning");
    }

    #[test]
    fn a_preference_fixes_the_unit_of_a_bare_number() {
        let read = |unit, text| {
            let context = Context {
                bare_number_unit: unit,
                ..friday()
            };
            duration(text, &context)
                .map(|(_, length)| (length.minutes.get(), length.guess(&context)))
        };
        assert_eq!(read(BareNumberUnit::Minutes, "2"), Ok((2, None)));
        assert_eq!(read(BareNumberUnit::Minutes, "13"), Ok((13, None)));
        assert_eq!(read(BareNumberUnit::Hours, "13"), Ok((780, None)));
        assert_eq!(read(BareNumberUnit::Minutes, "90"), Ok((90, None)));
        assert_eq!(read(BareNumberUnit::Hours, "24"), Ok((1440, None)));
        // A decimal has its unit already, and so has what stands behind hours.
        assert_eq!(read(BareNumberUnit::Minutes, "1.5"), Ok((90, None)));
        assert_eq!(read(BareNumberUnit::Minutes, "2h 30"), Ok((150, None)));
        let problem = |unit, text| match read(unit, text) {
            Err(Err::Failure(stop)) => stop.problem,
            other => panic!("{text}: {other:?}"),
        };
        // Nothing is left to ask.
        assert_eq!(problem(BareNumberUnit::Minutes, "0"), Problem::Zero);
        assert_eq!(problem(BareNumberUnit::Hours, "0"), Problem::Zero);
        let length = Minutes::from_hours(30);
        assert_eq!(
            problem(BareNumberUnit::Hours, "30"),
            Problem::TooLong { length }
        );
    }

    #[test]
    fn what_is_offered_follows_the_preference() {
        let offered = |unit, text| {
            let context = Context {
                bare_number_unit: unit,
                ..friday()
            };
            super::super::parse(text, &context).unwrap_err().example
        };
        let [guess, hours, minutes] = [
            BareNumberUnit::Guess,
            BareNumberUnit::Hours,
            BareNumberUnit::Minutes,
        ];
        assert_eq!(offered(guess, "2x foo"), "2h: foo");
        assert_eq!(offered(minutes, "2x foo"), "2m: foo");
        assert_eq!(offered(guess, "15x foo"), "15m: foo");
        assert_eq!(offered(hours, "15x foo"), "15h: foo");
        assert_eq!(offered(guess, "13x foo"), "1h: foo");
        assert_eq!(offered(minutes, "13x foo"), "13m: foo");
        let suggested = |unit| {
            let context = Context {
                bare_number_unit: unit,
                ..friday()
            };
            let asked = super::super::parse("Sprint 3", &context).unwrap_err();
            asked.suggestions.first().map(|s| s.line.clone())
        };
        assert_eq!(suggested(hours).as_deref(), Some("3h: Sprint"));
        assert_eq!(suggested(minutes).as_deref(), Some("3m: Sprint"));
    }

    #[test]
    fn words_and_fractions() {
        assert_eq!(minutes("half an hour"), 30);
        assert_eq!(minutes("half-hour"), 30);
        assert_eq!(minutes("a half hour"), 30);
        assert_eq!(minutes("a quarter of an hour"), 15);
        assert_eq!(minutes("three-quarters of an hour"), 45);
        assert_eq!(minutes("3/4 of an hour"), 45);
        assert_eq!(minutes("1/2h"), 30);
        assert_eq!(minutes("1½h"), 90);
        assert_eq!(minutes("1 1/2 hours"), 90);
        assert_eq!(minutes("⅓ hour"), 20);
        assert_eq!(minutes("an hour and a half"), 90);
        assert_eq!(minutes("hour and a half"), 90);
        assert_eq!(minutes("two hours and a quarter"), 135);
        assert_eq!(minutes("two and a quarter hours"), 135);
        assert_eq!(minutes("2 and a half hours"), 150);
        assert_eq!(minutes("a couple of hours"), 120);
        assert_eq!(minutes("ninety-nine minutes"), 99);
        assert_eq!(minutes("half a day"), 240);
        not_understood("1/2 meeting");
    }

    #[test]
    fn days_are_working_days_and_weeks_are_refused() {
        assert_eq!(minutes("1d"), 480);
        assert_eq!(minutes("1.5 days"), 720);
        let context = Context {
            workday: Minutes::new(450),
            ..friday()
        };
        assert_eq!(duration("1d", &context).unwrap().1.minutes.get(), 450);
        refused("1w");
        refused("2 weeks");
        refused("10 months 1");
        assert_eq!(log("3D modelling 2h").description, "3D modelling");
    }

    #[test]
    fn what_is_no_length_is_refused() {
        assert_eq!(refused("0m: foo"), "That rounds to 0 min.");
        assert_eq!(refused("29s"), "That rounds to 0 min.");
        assert_eq!(refused("31h"), "31 h is more than a day.");
        assert_eq!(refused("24h 1m"), "24 h 1 min is more than a day.");
        assert_eq!(
            refused(&format!("{}h", "9".repeat(40))),
            "That is more than a day."
        );
        assert_eq!(error("-2h: foo").suggestions[0].line, "2h: foo");
        refused("30m 1h");
        refused("1h1h");
        for text in [
            "h", "h30", "minutes", "1.2.3h", "1e3h", "1..", "inf", "NaN", "９h", "٣ hours", "²h",
            "1h２", "2x", "2h/day", "1h30x", "1h2.5",
        ] {
            not_understood(text);
        }
    }

    #[test]
    fn an_unknown_unit_is_named_with_its_place() {
        let stopped = error("2x wireframes for Acme");
        assert_eq!(stopped.at, 1);
        assert_eq!(stopped.understood.as_deref(), Some("2"));
        assert_eq!(stopped.stopped_at.as_deref(), Some("x"));
        assert_eq!(
            stopped.to_string(),
            "I understood “2”, then stopped at “x”: it is not a unit of time."
        );
        assert_eq!(stopped.example, "2h: wireframes for Acme");
        assert_eq!(stopped.suggestions[0].label, "Log 2 h");
    }
}
