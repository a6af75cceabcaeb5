//! Reports: a day, a week or a month in sum, for the person alone or, in totals, for a channel.

mod sharing;
mod sums;

use std::fmt::Write as _;

use chrono::{Datelike as _, NaiveDate};
use slack_morphism::prelude::SlackBlock;

use sharing::{news_block, news_said, share_button};
use sums::{
    Shape, chart, clients_of, day_whole, days_of, lists, projects_of, say, share, side_by_side,
};

use super::{
    Button, Message, PROJECT_MAX, Reader, actions, context, doubts::project_note, section,
    with_button,
};
use crate::{
    app::{ProjectNote, Report, ReportOf},
    domain::{
        gaps::Gap,
        minutes::Minutes,
        period::{Period, PeriodKind},
        time_command::Grouping,
        time_entry::TimeEntry,
    },
    slack::text::{
        bar, clock_time, cut, days, isolated, long_day, plain, plain_within, short_day, span,
    },
};

pub(in crate::slack) use sharing::SHARE_UNCLEAR;
pub use sharing::{Conversation, ShareNews, ShareRefusal, shared_report};
pub(super) use sums::{Part, most, rows};

/// Entries of a day that are listed; more are counted.
const ENTRIES_SHOWN: usize = 15;
/// Gaps of a day that are shown; more are counted.
const GAPS_SHOWN: usize = 3;
/// What a name takes in a row, and a title.
const NAME_MAX: usize = 40;
const TITLE_MAX: usize = 60;
/// What a person logged in a period. All of it stands in the text as well, without bars.
pub fn report(
    reader: Reader<'_>,
    report: &Report,
    at: Conversation<'_>,
    news: Option<&ShareNews>,
) -> Message {
    let summary = &report.summary;
    let title = Title::of(report);
    let shape = Shape::of(report);
    let mut text = String::new();
    let mut blocks = Vec::new();
    if summary.entries == 0 {
        nothing_logged(reader, report, &title, &mut text, &mut blocks);
    } else {
        let (shown, said) = total(report, &title);
        blocks.push(section(reader.id("report"), shown));
        text.push_str(&said);
        match shape {
            Shape::Entries => entries(reader, report, &mut text, &mut blocks),
            Shape::DaysAndProjects => {
                let (days, projects) = (days_of(report), projects_of(report));
                say(&mut text, &days, None);
                say(&mut text, &projects, None);
                blocks.push(side_by_side(
                    reader.id("report.bars"),
                    &[
                        ("By day", rows(&days, day_whole(reader, report), None)),
                        ("By project", rows(&projects, summary.total, None)),
                    ],
                ));
            }
            Shape::Days => {
                let days = days_of(report);
                say(&mut text, &days, None);
                let rows = rows(&days, day_whole(reader, report), None);
                blocks.extend(lists(reader, "report.bars", rows));
            }
            Shape::Projects | Shape::Clients => {
                let parts = if shape == Shape::Projects {
                    projects_of(report)
                } else {
                    clients_of(report)
                };
                say(&mut text, &parts, Some(summary.total));
                let rows = rows(&parts, summary.total, Some(summary.total));
                blocks.extend(lists(reader, "report.bars", rows));
            }
        }
    }
    blocks.extend(gaps(reader, report, &mut text));
    if summary.entries > 0 {
        facts(reader, report, &mut text, &mut blocks);
        blocks.extend(chart(reader, report, shape));
    }
    if let Some(news) = news {
        blocks.push(news_block(reader, report, news, at));
        text.insert_str(0, &news_said(news, at));
    }
    blocks.push(actions(
        reader.id("report.actions"),
        buttons(
            report,
            at,
            matches!(news, Some(ShareNews::Shared | ShareNews::SharedIn(_))),
        ),
    ));
    Message::new(text.trim_end(), blocks)
}

/// What a report is called, as it is shown and as it is said.
struct Title {
    shown: String,
    said: String,
}

impl Title {
    fn of(report: &Report) -> Self {
        let (period, today) = (report.of.period, report.today);
        let until = last_shown_day(report);
        let (shown, said) = match period.kind {
            PeriodKind::Day => {
                let day = short_day(period.from, today);
                let day = match name_of_day(period.from, today) {
                    Some(name) => format!("{name}, {day}"),
                    None => day,
                };
                (day.clone(), day)
            }
            PeriodKind::Week => {
                let (shown, said) = (
                    days(period.from, until, today),
                    said_days(period.from, until, today),
                );
                match name_of_week(period, today) {
                    Some(name) => (format!("{name}, {shown}"), format!("{name}, {said}")),
                    None => (format!("Week of {shown}"), format!("Week of {said}")),
                }
            }
            PeriodKind::Month => {
                let name = name_of_month(period, today);
                if period.contains(today) {
                    let said = said_days(period.from, until, today);
                    (
                        format!("{name}, until {}", short_day(until, today)),
                        format!("{name} so far, {said}"),
                    )
                } else {
                    (name.clone(), name)
                }
            }
        };
        match &report.project {
            None => Self { shown, said },
            Some(project) => {
                let name = isolated(&cut(&format!("#{}", project.slug), NAME_MAX));
                Self {
                    shown: format!("{name} · {shown}"),
                    said: format!("{name}. {said}"),
                }
            }
        }
    }
}

/// What a report is called: `This week, 16–20 Nov`; people's words in it are not escaped.
pub(in crate::slack) fn report_title(report: &Report) -> String {
    Title::of(report).shown
}

fn name_of_day(day: NaiveDate, today: NaiveDate) -> Option<&'static str> {
    if day == today {
        Some("Today")
    } else if Some(day) == today.pred_opt() {
        Some("Yesterday")
    } else {
        None
    }
}

fn name_of_week(week: Period, today: NaiveDate) -> Option<&'static str> {
    if week.contains(today) {
        Some("This week")
    } else if week == Period::week(today).previous() {
        Some("Last week")
    } else {
        None
    }
}

/// `November`, with the year when it is not this one.
fn name_of_month(month: Period, today: NaiveDate) -> String {
    if month.from.year() == today.year() {
        month.from.format("%B").to_string()
    } else {
        month.from.format("%B %Y").to_string()
    }
}

/// `Mon 16 to Fri 20 Nov`.
fn said_days(from: NaiveDate, to: NaiveDate, today: NaiveDate) -> String {
    if from == to {
        return short_day(to, today);
    }
    let start = match (from.year() == to.year(), from.month() == to.month()) {
        (true, true) => from.format("%a %-d"),
        (true, false) => from.format("%a %-d %b"),
        (false, _) => from.format("%a %-d %b %Y"),
    };
    format!("{start} to {}", short_day(to, today))
}

/// The last day there is something to say about: today, or the last working day of a week that is over; or
/// a later one on which something was logged.
fn last_shown_day(report: &Report) -> NaiveDate {
    let period = report.of.period;
    let days = report.summary.days.iter();
    let logged = days
        .rev()
        .find(|(_, minutes)| *minutes > Minutes::default());
    let over = match period.kind {
        // The Friday.
        PeriodKind::Week => period.from + chrono::Days::new(4),
        PeriodKind::Day | PeriodKind::Month => period.to,
    };
    let usual = over.min(report.today).max(period.from);
    logged.map_or(usual, |(day, _)| usual.max(*day))
}

/// The line with the total, as it is shown and as it is said.
fn total(report: &Report, title: &Title) -> (String, String) {
    let (total, target) = (report.summary.total, report.target);
    let mut of = String::new();
    if target > Minutes::default() {
        let _ = write!(of, " of {target}");
        if report.is_running() {
            of.push_str(" so far");
        } else if total < target {
            let rest = Minutes::new(target.get() - total.get());
            let word = if report.of.period.to < report.today {
                "missing"
            } else {
                "to go"
            };
            let _ = write!(of, " · {rest} {word}");
        }
    }
    let name = plain(&title.shown);
    let shown = if report.of.period.kind == PeriodKind::Day {
        let strip = match target {
            target if target > Minutes::default() => format!("{}  ", bar(total, target)),
            _ => String::new(),
        };
        format!("*{name}*\n{strip}*{total}*{of}")
    } else {
        format!("*{name}* · *{total}*{of}")
    };
    let of = of.replace(" · ", ", ");
    (shown, format!("{}: {total}{of}. ", title.said))
}

fn nothing_logged(
    reader: Reader<'_>,
    report: &Report,
    title: &Title,
    text: &mut String,
    blocks: &mut Vec<SlackBlock>,
) {
    let yet = if report.of.period.contains(report.today) {
        "nothing logged yet"
    } else {
        "nothing logged"
    };
    let _ = write!(
        text,
        "{}: {yet}. Type /time 1h: what you did, or press Log time. ",
        title.said
    );
    blocks.push(section(
        reader.id("report"),
        format!(
            "*{}* · {yet}\nType `/time 1h: what you did`, or press Log time.",
            plain(&title.shown)
        ),
    ));
    if let Some(note) = project_note(&report.note) {
        let _ = write!(text, "{note}. ");
        blocks.push(context(reader.id("report.facts"), plain(&note)));
    }
}

/// The entries of a day.
fn entries(reader: Reader<'_>, report: &Report, text: &mut String, blocks: &mut Vec<SlackBlock>) {
    let shown = &report.entries[..report.entries.len().min(ENTRIES_SHOWN)];
    let mut lines = Vec::new();
    for entry in shown {
        let (line, said) = entry_line(reader, entry);
        lines.push(line);
        text.push_str(&said);
    }
    let more = report.summary.entries.saturating_sub(shown.len());
    if more > 0 {
        lines.push(format!("and {more} more"));
        let _ = write!(text, "And {more} more. ");
    }
    blocks.extend(lists(reader, "report.entries", lines));
}

/// `08:15–09:00 · *Planning* · 45 min · #internal`, and the same in words.
fn entry_line(reader: Reader<'_>, entry: &TimeEntry) -> (String, String) {
    let title = isolated(&cut(
        &entry.description.replace(['\n', '\r'], " "),
        TITLE_MAX,
    ));
    let project = entry.project.as_ref().map_or_else(
        || "no project".to_owned(),
        |project| isolated(&cut(&format!("#{}", project.slug), NAME_MAX)),
    );
    let length = entry.duration_minutes;
    let (mut shown, mut said) = match span(entry, reader.zone()) {
        Some(span) => (format!("{span} · "), format!("{span} ")),
        None => Default::default(),
    };
    let _ = write!(
        shown,
        "*{}* · {length} · {}",
        plain_within(&title, 2 * TITLE_MAX),
        plain_within(&project, 2 * NAME_MAX)
    );
    let _ = write!(said, "{title}, {length}, {project}. ");
    (shown, said)
}

/// Where nothing is logged, each with the button that opens the form with these times.
fn gaps(reader: Reader<'_>, report: &Report, text: &mut String) -> Vec<SlackBlock> {
    let day = report.of.period.from;
    let time = |gap: &Gap| {
        (
            clock_time(gap.start, reader.zone()),
            clock_time(gap.end, reader.zone()),
        )
    };
    let mut blocks = Vec::new();
    for gap in report.gaps.iter().take(GAPS_SHOWN) {
        let (from, to) = time(gap);
        let _ = write!(text, "Nothing logged {from}–{to}. ");
        blocks.push(with_button(
            reader.id(&format!("gap:{}", from.replace(':', ""))),
            format!("Nothing logged {from}–{to} · {}", gap.length()),
            Button::new(
                "gap.fill",
                "Fill gap",
                format!("g:{day}:{from}-{to}"),
                &format!("Fill gap: {from} to {to} on {}", long_day(day)),
            ),
        ));
    }
    let more = report.gaps.len().saturating_sub(GAPS_SHOWN);
    if more > 0 {
        let words = if more == 1 { "gap" } else { "gaps" };
        let _ = write!(text, "And {more} more {words}. ");
        blocks.push(context(
            reader.id("report.more_gaps"),
            format!("and {more} more {words}"),
        ));
    }
    blocks
}

/// The billable share, the complete days, and what was guessed.
fn facts(reader: Reader<'_>, report: &Report, text: &mut String, blocks: &mut Vec<SlackBlock>) {
    let summary = &report.summary;
    let (complete, working) = report.complete;
    let mut facts = Vec::new();
    if summary.billable == Minutes::default() {
        facts.push("Nothing billable".to_owned());
        text.push_str("Nothing billable. ");
    } else {
        let share = share(summary.billable, summary.total);
        facts.push(format!("Billable {}, {share}", summary.billable));
        let _ = write!(text, "Billable: {}, {share}. ", summary.billable);
    }
    let has_days = report.of.period.kind != PeriodKind::Day && report.project.is_none();
    if has_days && working > 0 {
        facts.push(format!("{complete} of {working} days complete"));
        let verb = if complete == 1 { "is" } else { "are" };
        let _ = write!(text, "{complete} of {working} days {verb} complete. ");
    }
    if let Some(note) = rounding_note(report) {
        let _ = write!(text, "{note}. ");
        facts.push(note);
    }
    let is_clocked = report.of.period.kind == PeriodKind::Day;
    let zone = reader.zone_note().filter(|_| is_clocked);
    for note in project_note(&report.note)
        .into_iter()
        .chain(zone.map(str::to_owned))
    {
        let _ = write!(text, "{note}. ");
        facts.push(plain(&note));
    }
    blocks.push(context(reader.id("report.facts"), facts.join(" · ")));
}

/// `Rounded up to 15 min; exact: 34 h 52 min`.
fn rounding_note(report: &Report) -> Option<String> {
    let (rounding, exact) = report.rounded?;
    Some(format!("Rounded {}; exact: {exact}", rounding.words()))
}

fn buttons(report: &Report, at: Conversation<'_>, is_shared: bool) -> Vec<Button> {
    let (of, today) = (report.of, report.today);
    let is_empty = report.summary.entries == 0;
    let mut buttons = Vec::new();
    if is_empty || of.period.kind == PeriodKind::Day {
        let day = last_shown_day(report);
        let spoken = format!("Log time: for {}", long_day(day));
        let button = Button::new("entry.new", "Log time", format!("d:{day}"), &spoken);
        // Beside a gap it is not the smallest step.
        buttons.push(if is_empty && report.gaps.is_empty() {
            button.primary()
        } else {
            button
        });
    }
    let page = |number: &str, period: Period| {
        let name = page_name(period, today);
        let spoken = format!("{name}: show {}", spoken_period(period));
        let of = ReportOf { period, ..of };
        Button::new(
            &format!("report.page{number}"),
            name,
            of.to_string(),
            &spoken,
        )
    };
    buttons.push(page("", of.period.previous()));
    let next = of.period.next();
    if next.from <= today {
        buttons.push(page(".1", next));
    }
    buttons.extend(group_button(report).filter(|_| !is_empty));
    if report.project.is_some() {
        let of = ReportOf {
            project: None,
            ..of
        };
        buttons.push(Button::new(
            "report.project",
            "All projects",
            of.to_string(),
            "All projects: show the report of all",
        ));
    }
    if !is_empty && !is_shared {
        buttons.push(share_button(report, at));
    }
    buttons
}

/// The other way to break it down.
fn group_button(report: &Report) -> Option<Button> {
    let of = report.of;
    let (group, label) = match (of.period.kind, Shape::of(report)) {
        _ if report.project.is_some() => return None,
        (_, Shape::Entries | Shape::DaysAndProjects) => return None,
        (PeriodKind::Day, _) => (None, "Entries"),
        (PeriodKind::Week, _) => (None, "Days and projects"),
        (PeriodKind::Month, Shape::Projects) => (Some(Grouping::Day), "By day"),
        (PeriodKind::Month, _) => (None, "By project"),
    };
    let spoken = format!("{label}: show {} so", spoken_period(of.period));
    let of = ReportOf { group, ..of };
    Some(Button::new("report.group", label, of.to_string(), &spoken))
}

/// `Yesterday`, `Last week`, `October`: what a button calls the period it leads to.
fn page_name(period: Period, today: NaiveDate) -> String {
    match period.kind {
        PeriodKind::Day => name_of_day(period.from, today)
            .map_or_else(|| short_day(period.from, today), str::to_owned),
        PeriodKind::Week => name_of_week(period, today).map_or_else(
            || days(period.from, period.from + chrono::Days::new(4), today),
            str::to_owned,
        ),
        PeriodKind::Month => name_of_month(period, today),
    }
}

/// For who hears it: `Thursday 19 November`, `the week from Monday 9 November`, `October 2026`.
fn spoken_period(period: Period) -> String {
    match period.kind {
        PeriodKind::Day => long_day(period.from),
        PeriodKind::Week => format!("the week from {}", long_day(period.from)),
        PeriodKind::Month => period.from.format("%B %Y").to_string(),
    }
}

/// It is not clear of which project a report is to be.
pub fn which_project(reader: Reader<'_>, of: ReportOf, note: &ProjectNote) -> Message {
    let (question, candidates) = match note {
        ProjectNote::OneOf(typed, candidates) => (
            format!("Which project is “{}”?", cut(typed, NAME_MAX)),
            candidates.clone(),
        ),
        ProjectNote::Unknown { typed, nearest, .. } => {
            let near = nearest.as_ref().map_or(String::new(), |project| {
                format!(" The nearest is #{}.", project.slug)
            });
            let question = format!("There is no project “#{}”.{near}", cut(typed, NAME_MAX));
            (question, nearest.iter().cloned().collect())
        }
        _ => ("Which project?".to_owned(), Vec::new()),
    };
    let when = spoken_period(of.period);
    let mut buttons: Vec<Button> = candidates
        .iter()
        .enumerate()
        .map(|(place, project)| {
            let of = ReportOf {
                project: Some(project.id),
                ..of
            };
            Button::new(
                &format!("report.project.{}", place + 1),
                format!("#{}", cut(&project.slug, PROJECT_MAX)),
                of.to_string(),
                &format!("#{}: show {when}", cut(&project.slug, NAME_MAX)),
            )
        })
        .collect();
    buttons.push(Button::new(
        "report.project",
        "All projects",
        of.to_string(),
        &format!("All projects: show {when}"),
    ));
    let names: Vec<String> = candidates
        .iter()
        .map(|project| format!("#{}, ", project.slug))
        .collect();
    Message::new(
        if names.is_empty() {
            format!("{question} All projects can be shown instead.")
        } else {
            format!("{question} Choose {}or all projects.", names.concat())
        },
        vec![
            section(reader.id("report"), format!("*{}*", plain(&question))),
            actions(reader.id("report.actions"), buttons),
        ],
    )
}
