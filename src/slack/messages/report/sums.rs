//! A report in sums: its days, projects and clients as bars, in words and as a picture.

use std::fmt::Write as _;

use chrono::NaiveDate;
use serde_json::Number;
use slack_morphism::prelude::{
    SlackBlock, SlackBlockId, SlackBlockText, SlackChart, SlackChartAxisConfig,
    SlackChartDataPoint, SlackChartDataSeries, SlackChartSegment, SlackDataVisualizationBlock,
    SlackPieChart, SlackSectionBlock, SlackSeriesChart,
};

use super::{NAME_MAX, last_shown_day};
use crate::{
    app::Report,
    domain::{
        minutes::Minutes,
        period::{Period, PeriodKind},
        summary::is_working_day,
        time_command::Grouping,
    },
    slack::{
        messages::{Reader, WORDS_MAX, expanded, markdown},
        text::{bar, cut, days, isolated, plain_within},
    },
};

/// A name with its sum, as it is shown in a row: people's words, not yet escaped.
pub(in crate::slack::messages) type Part = (String, Minutes);

/// Projects or clients that are shown; the others are summed up.
const NAMES_SHOWN: usize = 10;

/// Slack's limit for what stands at a segment or a bar of a chart.
const CHART_LABEL_MAX: usize = 20;

/// How a report is broken down.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Entries,
    DaysAndProjects,
    Days,
    Projects,
    Clients,
}

impl Shape {
    pub(super) fn of(report: &Report) -> Self {
        let is_one_project = report.project.is_some();
        match (report.of.period.kind, report.of.group) {
            (PeriodKind::Day, None | Some(Grouping::Day)) => Self::Entries,
            (PeriodKind::Day, _) if is_one_project => Self::Entries,
            (_, Some(Grouping::Day)) => Self::Days,
            (PeriodKind::Week | PeriodKind::Month, _) if is_one_project => Self::Days,
            (_, Some(Grouping::Client)) => Self::Clients,
            (PeriodKind::Week, None) => Self::DaysAndProjects,
            (PeriodKind::Month, None) | (_, Some(Grouping::Project)) => Self::Projects,
        }
    }
}

/// The days that say something: working days, and others on which something was logged.
pub(super) fn days_of(report: &Report) -> Vec<Part> {
    let until = last_shown_day(report);
    let form = match report.of.period.kind {
        PeriodKind::Week => "%a",
        PeriodKind::Day | PeriodKind::Month => "%a %-d %b",
    };
    let days = report.summary.days.iter();
    days.filter(|(day, minutes)| {
        *minutes > Minutes::default() || *day <= until && is_working_day(*day)
    })
    .map(|(day, minutes)| (day.format(form).to_string(), *minutes))
    .collect()
}

pub(super) fn projects_of(report: &Report) -> Vec<Part> {
    let name = |slug: &str| format!("#{slug}");
    let projects = report.summary.projects.iter();
    let named = projects.map(|(project, minutes)| {
        let project = project.as_ref();
        (project.map(|project| name(&project.slug)), *minutes)
    });
    most(named, "no project", NAMES_SHOWN)
}

pub(super) fn clients_of(report: &Report) -> Vec<Part> {
    most(
        report.summary.clients.iter().cloned(),
        "no client",
        NAMES_SHOWN,
    )
}

/// The first names, the others in sum, and what has no name. One other is not worth a sum.
pub(in crate::slack::messages) fn most(
    sums: impl Iterator<Item = (Option<String>, Minutes)>,
    nameless: &str,
    shown: usize,
) -> Vec<Part> {
    let (mut parts, mut none) = (Vec::new(), Vec::new());
    for (name, minutes) in sums {
        match name {
            Some(name) => parts.push((isolated(&cut(&name, NAME_MAX)), minutes)),
            None => none.push((nameless.to_owned(), minutes)),
        }
    }
    if parts.len() > shown + 1 {
        let others = parts.split_off(shown);
        let sum = others.iter().map(|(_, minutes)| *minutes).sum();
        parts.push((format!("{} others", others.len()), sum));
    }
    parts.append(&mut none);
    parts
}

/// What a full bar of a day is: the target, or the longest day where there is none or it is not meant.
pub(super) fn day_whole(reader: Reader<'_>, report: &Report) -> Minutes {
    let target = reader.member.preferences.target_per_day;
    let days = report.summary.days.iter().map(|(_, minutes)| *minutes);
    match report.project {
        None if target > Minutes::default() => target,
        _ => days.max().unwrap_or_default(),
    }
}

/// `▇▇▇▇░░░░  #acme  19 h 45 min`, with its share of `all` where that is given.
pub(in crate::slack::messages) fn rows(
    parts: &[Part],
    whole: Minutes,
    all: Option<Minutes>,
) -> Vec<String> {
    let row = |(name, minutes): &Part| {
        let name = plain_within(name, 2 * NAME_MAX);
        let share = all.map_or(String::new(), |all| format!(" · {}", share(*minutes, all)));
        format!("{}  {name}  {minutes}{share}", bar(*minutes, whole))
    };
    parts.iter().map(row).collect()
}

/// `#acme 19 h 45 min, #halden 9 h 30 min. `
pub(super) fn say(text: &mut String, parts: &[Part], all: Option<Minutes>) {
    let said = |(name, minutes): &Part| match all {
        None => format!("{name} {minutes}"),
        Some(all) => format!("{name} {minutes}, {}", share(*minutes, all)),
    };
    // A share has a comma of its own.
    let between = if all.is_some() { "; " } else { ", " };
    let said: Vec<String> = parts.iter().map(said).collect();
    let _ = write!(text, "{}. ", said.join(between));
}

/// `82 %`; 100 only for the whole, and 0 only for nothing.
pub(super) fn share(part: Minutes, whole: Minutes) -> String {
    let (part, whole) = (u64::from(part.get()), u64::from(whole.get().max(1)));
    let percent = match (part * 200 + whole) / (whole * 2) {
        0 if part > 0 => 1,
        percent if percent >= 100 && part < whole => 99,
        percent => percent,
    };
    format!("{percent} %")
}

/// The lines in as many blocks as Slack's limit for one asks for.
pub(super) fn lists(reader: Reader<'_>, name: &str, lines: Vec<String>) -> Vec<SlackBlock> {
    let mut texts: Vec<String> = Vec::new();
    for line in lines {
        match texts.last_mut() {
            Some(text) if text.chars().count() + line.chars().count() < WORDS_MAX => {
                text.push('\n');
                text.push_str(&line);
            }
            _ => texts.push(line),
        }
    }
    let block = |(place, text): (usize, String)| {
        let id = match place {
            0 => reader.id(name),
            _ => reader.id(&format!("{name}.{place}")),
        };
        expanded(id, &text)
    };
    texts.into_iter().enumerate().map(block).collect()
}

/// Lists beside each other, and under each other on a phone.
pub(super) fn side_by_side(id: SlackBlockId, lists: &[(&str, Vec<String>)]) -> SlackBlock {
    let field = |(heading, rows): &(&str, Vec<String>)| {
        SlackBlockText::from(markdown(format!("*{heading}*\n{}", rows.join("\n"))))
    };
    SlackSectionBlock::new()
        .with_block_id(id)
        .with_fields(lists.iter().map(field).collect())
        .into()
}

/// The same as a picture, for those who see it; nothing stands only there.
pub(super) fn chart(reader: Reader<'_>, report: &Report, shape: Shape) -> Option<SlackBlock> {
    let (title, parts) = match shape {
        Shape::Entries => return None,
        Shape::DaysAndProjects | Shape::Days if report.of.period.kind == PeriodKind::Month => {
            ("Hours by week", weeks_of(report))
        }
        Shape::DaysAndProjects | Shape::Days => ("Hours by day", days_of(report)),
        Shape::Projects => ("Hours by project", projects_of(report)),
        Shape::Clients => ("Hours by client", clients_of(report)),
    };
    let value = |minutes: &Minutes| {
        let hours = f64::from(minutes.get()) / 60.0;
        Number::from_f64((hours * 100.0).round() / 100.0).unwrap_or_else(|| 0.into())
    };
    let label = |name: &str| cut(name, CHART_LABEL_MAX);
    let chart = if matches!(shape, Shape::Projects | Shape::Clients) {
        let segment = |(name, minutes): &Part| SlackChartSegment::new(label(name), value(minutes));
        SlackChart::Pie(SlackPieChart::new(parts.iter().map(segment).collect()))
    } else {
        let point = |(name, minutes): &Part| SlackChartDataPoint::new(label(name), value(minutes));
        let series =
            SlackChartDataSeries::new("Hours".to_owned(), parts.iter().map(point).collect());
        let names = parts.iter().map(|(name, _)| label(name)).collect();
        let axis = SlackChartAxisConfig::new(names).with_y_label("Hours".to_owned());
        SlackChart::Bar(SlackSeriesChart::new(vec![series], axis))
    };
    let block = SlackDataVisualizationBlock::new(title.to_owned(), chart)
        .with_block_id(reader.id("report.chart"));
    // One bar or one segment shows nothing.
    (parts.len() > 1).then(|| block.into())
}

/// The weeks of a month, each from its first day in it to its last.
pub(super) fn weeks_of(report: &Report) -> Vec<Part> {
    let until = last_shown_day(report);
    let mut weeks: Vec<(Period, NaiveDate, NaiveDate, Minutes)> = Vec::new();
    for (day, minutes) in report.summary.days.iter().filter(|(day, _)| *day <= until) {
        let week = Period::week(*day);
        match weeks.last_mut() {
            Some((last, _, to, sum)) if *last == week => {
                *to = *day;
                *sum += *minutes;
            }
            _ => weeks.push((week, *day, *day, *minutes)),
        }
    }
    let part = |(_, from, to, sum)| (days(from, to, report.today), sum);
    weeks.into_iter().map(part).collect()
}
