//! What a report is asked for with: `last week by project`, `october 2026 #acme`.

use chrono::{Datelike, Months, NaiveDate};
use nom::{
    Parser,
    branch::alt,
    character::complete::{char, digit1},
    combinator::{opt, value},
    sequence::{preceded, terminated},
};
use serde::Serialize;

use super::{
    Context,
    day::{DayForm, day, month, no_day, short, year},
    marks::name_behind,
    stop::{Parsed, Problem, Stop},
    words::{any_of, space},
};
use crate::domain::period::{Period, PeriodKind};

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRequest {
    /// From when to when; never wholly in the future.
    pub period: Period,
    /// How it is broken down, if that was typed.
    pub group: Option<Grouping>,
    /// The one project it is about, without the `#`, as it was typed.
    pub project: Option<String>,
}

/// How a report is broken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// One line for each project.
    Project,
    /// One line for each day.
    Day,
    /// One line for each client.
    Client,
}

impl Grouping {
    /// The word behind `by`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Day => "day",
            Self::Client => "client",
        }
    }
}

/// Reads the words behind a verb in any order, each kind of them once. `period` is the one that the
/// verb names itself; without any, a report is of this week.
pub(super) fn report<'a>(
    mut rest: &'a str,
    mut period: Option<Period>,
    context: &Context,
) -> Result<ReportRequest, Stop<'a>> {
    let today = context.today();
    let problem = match period {
        None => Problem::ReportWords,
        Some(_) => Problem::PeriodWords,
    };
    let (mut group, mut project) = (None, None);
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() {
            break;
        }
        let at = opt(terminated(any_of(&["for", "of", "on"]), space))
            .parse(rest)
            .map_or(rest, |(at, _): (_, Option<&str>)| at);
        let after = if let Some((name, after)) = name_behind('#', at).filter(|_| project.is_none())
        {
            project = Some(name.to_owned());
            after
        } else if let Some((after, by)) = by(rest).ok().filter(|_| group.is_none()) {
            group = Some(by);
            after
        } else if period.is_none() {
            let (after, found) = past(at, context, problem)?;
            period = Some(found);
            after
        } else {
            return Err(Stop::here(rest, problem));
        };
        if !ends(after) {
            return Err(Stop::here(rest, problem));
        }
        rest = after;
    }
    Ok(ReportRequest {
        period: period.unwrap_or_else(|| Period::week(today)),
        group,
        project,
    })
}

/// Reads the words behind `export`: a period, or none for everything, and perhaps `as csv`.
pub(super) fn export<'a>(rest: &'a str, context: &Context) -> Result<Option<Period>, Stop<'a>> {
    let is_format = |rest: &'a str| {
        let rest = rest.trim_start();
        let format = (opt((any_of(&["as"]), space)), any_of(&["csv"])).parse(rest);
        rest.is_empty() || format.is_ok_and(|(after, _)| after.trim_start().is_empty())
    };
    if is_format(rest) {
        return Ok(None);
    }
    let at = opt(terminated(any_of(&["for", "of", "on"]), space))
        .parse(rest)
        .map_or(rest, |(at, _): (_, Option<&str>)| at);
    let (after, period) = past(at, context, Problem::ExportWords)?;
    if !ends(after) || !is_format(after) {
        return Err(Stop::here(after.trim_start(), Problem::ExportWords));
    }
    Ok(Some(period))
}

/// A period that is not wholly in the future.
fn past<'a>(
    at: &'a str,
    context: &Context,
    problem: Problem,
) -> Result<(&'a str, Period), Stop<'a>> {
    let (after, found) = match named(at, context.today()) {
        Ok(read) => read,
        Err(nom::Err::Failure(stop)) => return Err(stop),
        Err(_) => one_day(at, context, problem)?,
    };
    if found.from > context.today() {
        let problem = Problem::Future { date: found.from };
        return Err(Stop::before(at, after, problem));
    }
    Ok((after, found))
}

/// `by project`, `by day`, `by client`.
fn by(input: &str) -> Parsed<'_, Grouping> {
    preceded(
        (any_of(&["by", "per"]), space),
        alt((
            value(Grouping::Project, any_of(&["project", "projects"])),
            value(Grouping::Day, any_of(&["day", "days"])),
            value(Grouping::Client, any_of(&["client", "clients"])),
        )),
    )
    .parse(input)
}

/// `week`, `last month`, `2026-10`, `oct`, `october 2026`; but not `oct 20`, which is a day.
fn named(input: &str, today: NaiveDate) -> Parsed<'_, Period> {
    alt((
        |input| relative(input, today),
        |input| numbered(input),
        |input| spelled(input, today),
    ))
    .parse(input)
}

/// `week`, `this week`, `last month`.
fn relative(input: &str, today: NaiveDate) -> Parsed<'_, Period> {
    let (rest, which) = opt(terminated(any_of(&["this", "last"]), space)).parse(input)?;
    let (rest, kind) = alt((
        value(PeriodKind::Week, any_of(&["week"])),
        value(PeriodKind::Month, any_of(&["month"])),
    ))
    .parse(rest)?;
    let current = Period::around(kind, today);
    let last = which.is_some_and(|which| which.eq_ignore_ascii_case("last"));
    Ok((rest, if last { current.previous() } else { current }))
}

/// `2026-10`, but not `2026-10-20`.
fn numbered(input: &str) -> Parsed<'_, Period> {
    let (rest, (year, _, month)) = (year, char('-'), short).parse(input)?;
    if !ends(rest) {
        return no_day(input);
    }
    match NaiveDate::from_ymd_opt(year, month, 1) {
        Some(date) => Ok((rest, Period::month(date))),
        None => Stop::before(input, rest, Problem::NoSuchMonth).for_good(),
    }
}

/// Whether a word ends here.
fn ends(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || c == ',')
}

/// `oct`, `october 2026`; without a year the most recent one, this month included.
fn spelled(input: &str, today: NaiveDate) -> Parsed<'_, Period> {
    let (rest, number) = month(input)?;
    let (rest, _) = opt(char('.')).parse(rest)?;
    let (rest, typed) = opt(preceded((opt(char(',')), space), year)).parse(rest)?;
    let is_day = preceded(space, digit1::<_, Stop<'_>>).parse(rest).is_ok();
    let years_back = u32::from(number > today.month());
    let date = match typed {
        Some(year) => NaiveDate::from_ymd_opt(year, number, 1),
        None => today
            .with_day(1)
            .and_then(|first| first.with_month(number))
            .and_then(|first| first.checked_sub_months(Months::new(12 * years_back))),
    };
    match date {
        Some(date) if !is_day => Ok((rest, Period::month(date))),
        _ => no_day(input),
    }
}

/// Any day that an entry could be logged on, and `tomorrow`, which is refused later.
fn one_day<'a>(
    input: &'a str,
    context: &Context,
    problem: Problem,
) -> Result<(&'a str, Period), Stop<'a>> {
    match day(input, context) {
        Ok((rest, day)) => match day.form {
            DayForm::EitherWay(second) if day.date.min(second) <= context.today() => {
                let first = day.date;
                let problem = Problem::EitherDay { first, second };
                Err(Stop::before(input, rest, problem))
            }
            _ => Ok((rest, Period::day(day.date))),
        },
        Err(nom::Err::Failure(stop)) => Err(stop),
        Err(_) => Err(Stop::here(input, problem)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        ErrorKind, TimeCommand, parse,
        tests::{error, friday},
    };

    fn read(text: &str) -> String {
        match parse(text, &friday()) {
            Ok(TimeCommand::Report(report)) => {
                let group = report.group.map_or("-", super::Grouping::name);
                let project = report.project.as_deref().unwrap_or("-");
                format!("{} {group} {project}", report.period)
            }
            other => panic!("{text:?} was read as {other:?}"),
        }
    }

    #[test]
    fn a_verb_names_its_period() {
        assert_eq!(read("today"), "day:2026-11-20 - -");
        assert_eq!(read("YESTERDAY"), "day:2026-11-19 - -");
        assert_eq!(read("week"), "week:2026-W47 - -");
        assert_eq!(read("month"), "month:2026-11 - -");
        assert_eq!(read("report"), "week:2026-W47 - -");
        assert_eq!(read("week #acme"), "week:2026-W47 - acme");
        assert_eq!(read("month by day"), "month:2026-11 day -");
        assert_eq!(read("yesterday by project"), "day:2026-11-19 project -");
    }

    #[test]
    fn a_report_is_of_any_period_of_the_past() {
        for (text, period) in [
            ("today", "day:2026-11-20"),
            ("yesterday", "day:2026-11-19"),
            ("this week", "week:2026-W47"),
            ("last week", "week:2026-W46"),
            ("week", "week:2026-W47"),
            ("this month", "month:2026-11"),
            ("for last month", "month:2026-10"),
            ("2026-10", "month:2026-10"),
            ("2026-1", "month:2026-01"),
            ("oct", "month:2026-10"),
            ("Nov", "month:2026-11"),
            ("december", "month:2025-12"),
            ("october 2026", "month:2026-10"),
            ("of Oct. 2024", "month:2024-10"),
            ("2026-10-20", "day:2026-10-20"),
            ("oct 20", "day:2026-10-20"),
            ("20 oct 2025", "day:2025-10-20"),
            ("20.11.", "day:2026-11-20"),
            ("thu", "day:2026-11-19"),
            ("last friday", "day:2026-11-13"),
            ("tuesday of last week", "day:2026-11-10"),
            ("3 days ago", "day:2026-11-17"),
            ("-1d", "day:2026-11-19"),
            ("13/11", "day:2026-11-13"),
        ] {
            assert_eq!(
                read(&format!("report {text}")),
                format!("{period} - -"),
                "{text}"
            );
            let all = format!("{period} client acme");
            for line in [
                format!("report {text} by client #acme"),
                format!("report #Acme {text}, by client").replace("Acme", "acme"),
                format!("Report by client for #acme {text}"),
            ] {
                assert_eq!(read(&line), all, "{line}");
            }
        }
    }

    #[test]
    fn a_report_of_the_future_is_refused() {
        for text in [
            "report tomorrow",
            "report 2027-01",
            "report december 2026",
            "report 1 Jan 2027",
        ] {
            let refused = error(text);
            assert_eq!(refused.kind, ErrorKind::Refused, "{text}");
            assert!(refused.message.contains("in the future"), "{refused}");
            assert!(parse(&refused.example, &friday()).is_ok());
        }
        assert_eq!(error("report 31 Nov").kind, ErrorKind::Refused);
        assert_eq!(
            error("report 2026-13").message,
            "I understood “report”, then stopped at “2026-13”: there is no such month."
        );
    }

    #[test]
    fn a_date_with_two_readings_is_asked_back() {
        let asked = error("report 3/11 by day");
        assert_eq!(asked.kind, ErrorKind::Ambiguous);
        let lines: Vec<_> = asked.suggestions.iter().map(|s| s.line.as_str()).collect();
        assert_eq!(lines, ["report 2026-11-03", "report 2026-03-11"]);
    }

    #[test]
    fn an_export_is_of_a_period_or_of_everything() {
        let read = |text: &str| match parse(text, &friday()) {
            Ok(TimeCommand::Export { period, .. }) => {
                period.map_or("-".to_owned(), |period| period.to_string())
            }
            other => panic!("{text:?} was read as {other:?}"),
        };
        for (text, period) in [
            ("export", "-"),
            ("Export as CSV", "-"),
            ("export csv", "-"),
            ("export last month", "month:2026-10"),
            ("export last month as csv", "month:2026-10"),
            ("export for this week csv", "week:2026-W47"),
            ("export 2026-10", "month:2026-10"),
            ("export october 2025", "month:2025-10"),
            ("export yesterday", "day:2026-11-19"),
        ] {
            assert_eq!(read(text), period, "{text}");
        }
        let stopped = error("export all of it");
        assert_eq!(
            stopped.message,
            "I understood “export”, then stopped at “all”: an export is of a day, a week, a month, or everything, \
             as csv."
        );
        for text in [
            "export last month as pdf",
            "export 2027-01",
            "export last month #acme",
            "export as",
        ] {
            let stopped = error(text);
            assert_eq!(stopped.example, "export last month", "{text}");
            assert!(parse(&stopped.example, &friday()).is_ok());
        }
        let asked = error("export 3/11");
        assert_eq!(asked.kind, ErrorKind::Ambiguous);
        let lines: Vec<_> = asked.suggestions.iter().map(|s| s.line.as_str()).collect();
        assert_eq!(lines, ["export 2026-11-03", "export 2026-03-11"]);
    }

    #[test]
    fn what_else_stands_behind_it_is_named_with_what_would_work() {
        let stopped = error("report last year");
        assert_eq!(
            stopped.message,
            "I understood “report”, then stopped at “last”: a report is of a day, a week or a month, \
             by project, by day or by client, and of one #project."
        );
        assert_eq!(stopped.example, "report last month by project");
        let stopped = error("week by person");
        assert_eq!(
            stopped.message,
            "I understood “week”, then stopped at “by”: behind it stand #project and \
             by project, by day or by client."
        );
        assert_eq!(stopped.example, "week by project");
        for text in [
            "report Q3",
            "report week month",
            "report #a #b",
            "report by day by day",
            "week #12",
            "month last",
            "report sprint",
            "report @acme",
            "report by",
        ] {
            let stopped = error(text);
            assert_eq!(stopped.kind, ErrorKind::NotUnderstood, "{text}");
            assert!(parse(&stopped.example, &friday()).is_ok());
        }
    }
}
