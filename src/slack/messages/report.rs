//! Reports: a day, a week or a month in sum, for the person alone or, in totals, for a channel.

use std::fmt::Write as _;

use chrono::{Datelike as _, NaiveDate};
use serde_json::Number;
use slack_morphism::prelude::{
    SlackBlock, SlackBlockConfirmItem, SlackBlockId, SlackBlockText, SlackChart,
    SlackChartAxisConfig, SlackChartDataPoint, SlackChartDataSeries, SlackChartSegment,
    SlackDataVisualizationBlock, SlackPieChart, SlackSectionBlock, SlackSeriesChart,
};

use super::{
    Button, Message, PROJECT_MAX, Reader, WORDS_MAX, actions, context, doubts::project_note,
    expanded, label, markdown, section, with_button,
};
use crate::{
    app::{ProjectNote, Report, ReportOf},
    domain::{
        gaps::Gap,
        minutes::Minutes,
        period::{Period, PeriodKind},
        summary::is_working_day,
        time_command::Grouping,
        time_entry::TimeEntry,
    },
    slack::text::{
        bar, clock_time, cut, days, isolated, long_day, plain, plain_within, short_day, span,
    },
};

/// Entries of a day that are listed; more are counted.
const ENTRIES_SHOWN: usize = 15;
/// Gaps of a day that are shown; more are counted.
const GAPS_SHOWN: usize = 3;
/// Projects or clients that are shown; the others are summed up.
const NAMES_SHOWN: usize = 10;
/// What a name takes in a row, and a title.
const NAME_MAX: usize = 40;
const TITLE_MAX: usize = 60;
/// Slack's limit for what stands at a segment or a bar of a chart.
const CHART_LABEL_MAX: usize = 20;

/// The conversation that a report is read in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conversation<'a> {
    /// Slack's id; empty where there is none.
    pub id: &'a str,
    /// What Slack calls it. Private ones and direct messages have a name that says nothing.
    pub name: &'a str,
}

impl Conversation<'_> {
    /// Whether others read along; a bot can write nothing into a direct message between people.
    fn is_channel(&self) -> bool {
        !self.id.is_empty() && !self.id.starts_with('D')
    }

    fn called(&self) -> String {
        match self.name {
            "" | "directmessage" | "privategroup" => "this channel".to_owned(),
            name if name.starts_with("mpdm-") => "this conversation".to_owned(),
            name => format!("#{}", cut(name, 80)),
        }
    }
}

/// What came of sharing a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareNews {
    /// It stands in the channel that it is read in.
    Shared,
    /// It stands in the channel with this id.
    SharedIn(String),
    /// It does not; Slack said why.
    NotShared(ShareRefusal),
    /// Slack did not answer, so nobody knows.
    Unclear,
}

/// Why a report could not be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareRefusal {
    /// The bot is not a member of the channel.
    NotAMember,
    /// Slack takes no more messages for the moment.
    TooBusy,
    /// Anything else, as Slack names it.
    Other(String),
}

impl ShareRefusal {
    /// What is wrong and what to do, for a report that is read in the channel, and for a form.
    pub(in crate::slack) fn sentence(&self, in_the_channel: bool) -> String {
        match (self, in_the_channel) {
            (Self::NotAMember, true) => {
                "BillOps is not in this channel. Type /invite @BillOps here and press \
                                         Share again, or choose another channel."
                    .to_owned()
            }
            (Self::NotAMember, false) => {
                "BillOps is not in this channel. Type /invite @BillOps there, or \
                                          choose another channel."
                    .to_owned()
            }
            (Self::TooBusy, _) => {
                "Slack takes no more messages just now. Share again in a minute.".to_owned()
            }
            (Self::Other(code), _) => {
                format!(
                    "Slack does not let me post there ({}). Choose another channel.",
                    cut(code, 60)
                )
            }
        }
    }
}

/// What is said where nobody knows whether a report was posted.
pub(in crate::slack) const SHARE_UNCLEAR: &str = "Slack did not answer, so I cannot say whether this was shared. Look in the channel before you share again.";

/// How a report is broken down.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Entries,
    DaysAndProjects,
    Days,
    Projects,
    Clients,
}

impl Shape {
    fn of(report: &Report) -> Self {
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

/// A name with its sum, as it is shown in a row: people's words, not yet escaped.
type Part = (String, Minutes);

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

/// The days that say something: working days, and others on which something was logged.
fn days_of(report: &Report) -> Vec<Part> {
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

fn projects_of(report: &Report) -> Vec<Part> {
    let name = |slug: &str| format!("#{slug}");
    let projects = report.summary.projects.iter();
    let named = projects.map(|(project, minutes)| {
        let project = project.as_ref();
        (project.map(|project| name(&project.slug)), *minutes)
    });
    most(named, "no project")
}

fn clients_of(report: &Report) -> Vec<Part> {
    most(report.summary.clients.iter().cloned(), "no client")
}

/// The first ten names, the others in sum, and what has no name. One other is not worth a sum.
fn most(sums: impl Iterator<Item = (Option<String>, Minutes)>, nameless: &str) -> Vec<Part> {
    let (mut parts, mut none) = (Vec::new(), Vec::new());
    for (name, minutes) in sums {
        match name {
            Some(name) => parts.push((isolated(&cut(&name, NAME_MAX)), minutes)),
            None => none.push((nameless.to_owned(), minutes)),
        }
    }
    if parts.len() > NAMES_SHOWN + 1 {
        let others = parts.split_off(NAMES_SHOWN);
        let sum = others.iter().map(|(_, minutes)| *minutes).sum();
        parts.push((format!("{} others", others.len()), sum));
    }
    parts.append(&mut none);
    parts
}

/// What a full bar of a day is: the target, or the longest day where there is none or it is not meant.
fn day_whole(reader: Reader<'_>, report: &Report) -> Minutes {
    let target = reader.member.target_per_day;
    let days = report.summary.days.iter().map(|(_, minutes)| *minutes);
    match report.project {
        None if target > Minutes::default() => target,
        _ => days.max().unwrap_or_default(),
    }
}

/// `▇▇▇▇░░░░  #acme  19 h 45 min`, with its share of `all` where that is given.
fn rows(parts: &[Part], whole: Minutes, all: Option<Minutes>) -> Vec<String> {
    let row = |(name, minutes): &Part| {
        let name = plain_within(name, 2 * NAME_MAX);
        let share = all.map_or(String::new(), |all| format!(" · {}", share(*minutes, all)));
        format!("{}  {name}  {minutes}{share}", bar(*minutes, whole))
    };
    parts.iter().map(row).collect()
}

/// `#acme 19 h 45 min, #halden 9 h 30 min. `
fn say(text: &mut String, parts: &[Part], all: Option<Minutes>) {
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
fn share(part: Minutes, whole: Minutes) -> String {
    let (part, whole) = (u64::from(part.get()), u64::from(whole.get().max(1)));
    let percent = match (part * 200 + whole) / (whole * 2) {
        0 if part > 0 => 1,
        percent if percent >= 100 && part < whole => 99,
        percent => percent,
    };
    format!("{percent} %")
}

/// The lines in as many blocks as Slack's limit for one asks for.
fn lists(reader: Reader<'_>, name: &str, lines: Vec<String>) -> Vec<SlackBlock> {
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
fn side_by_side(id: SlackBlockId, lists: &[(&str, Vec<String>)]) -> SlackBlock {
    let field = |(heading, rows): &(&str, Vec<String>)| {
        SlackBlockText::from(markdown(format!("*{heading}*\n{}", rows.join("\n"))))
    };
    SlackSectionBlock::new()
        .with_block_id(id)
        .with_fields(lists.iter().map(field).collect())
        .into()
}

/// The same as a picture, for those who see it; nothing stands only there.
fn chart(reader: Reader<'_>, report: &Report, shape: Shape) -> Option<SlackBlock> {
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
fn weeks_of(report: &Report) -> Vec<Part> {
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

fn news_said(news: &ShareNews, at: Conversation<'_>) -> String {
    match news {
        ShareNews::Shared => format!("Shared in {}. ", at.called()),
        ShareNews::SharedIn(_) => "Shared in the channel you chose. ".to_owned(),
        ShareNews::NotShared(refusal) => format!("Not shared. {} ", refusal.sentence(true)),
        ShareNews::Unclear => format!("{SHARE_UNCLEAR} "),
    }
}

fn news_block(
    reader: Reader<'_>,
    report: &Report,
    news: &ShareNews,
    at: Conversation<'_>,
) -> SlackBlock {
    let id = reader.id("report.shared");
    let when = format!("at {} · totals only", clock_time(reader.now, reader.zone()));
    match news {
        ShareNews::Shared => context(id, format!("Shared in {} {when}", plain(&at.called()))),
        ShareNews::SharedIn(channel) => {
            context(id, format!("Shared in <#{}> {when}", plain(channel)))
        }
        ShareNews::NotShared(refusal) => with_button(
            id,
            format!("⚠️ *Not shared.* {}", plain(&refusal.sentence(true))),
            choose_button(report, "Choose channel…"),
        ),
        ShareNews::Unclear => section(id, format!("⚠️ {SHARE_UNCLEAR}")),
    }
}

/// Opens the form in which a channel is chosen.
fn choose_button(report: &Report, label: &str) -> Button {
    Button::new(
        "report.choose",
        label,
        report.of.to_string(),
        &format!("{label} Choose where to share your totals"),
    )
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

fn share_button(report: &Report, at: Conversation<'_>) -> Button {
    if !at.is_channel() {
        return choose_button(report, "Share…");
    }
    let spoken = format!(
        "Share in channel: the totals of {}",
        spoken_period(report.of.period)
    );
    let what = match &report.project {
        None => "your totals by project".to_owned(),
        Some(project) => format!("your total of #{}", cut(&project.slug, NAME_MAX)),
    };
    Button {
        confirm: Some(SlackBlockConfirmItem::new(
            label(&cut(&format!("Share in {}?", at.called()), 100)),
            label(&format!(
                "Everyone there sees {what}. Descriptions stay with you."
            ))
            .into(),
            label("Share"),
            label("Cancel"),
        )),
        ..Button::new(
            "report.share",
            "Share in channel",
            report.of.to_string(),
            &spoken,
        )
    }
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

/// What a channel sees of a report: totals, and whose they are.
pub fn shared_report(reader: Reader<'_>, report: &Report) -> Message {
    let (period, today, total) = (report.of.period, report.today, report.summary.total);
    let until = last_shown_day(report);
    let (what, shown, said) = match period.kind {
        PeriodKind::Day => {
            let day = short_day(period.from, today);
            ("a day", day.clone(), day)
        }
        PeriodKind::Week => (
            "a week",
            format!("week of {}", days(period.from, until, today)),
            said_days(period.from, until, today),
        ),
        PeriodKind::Month => {
            let name = name_of_month(period, today);
            let name = if period.contains(today) {
                format!("{name}, until {}", short_day(until, today))
            } else {
                name
            };
            ("a month", name.clone(), name)
        }
    };
    let member = reader.member;
    let mut text = format!(
        "{} shared {what}, {said}: {total}. ",
        isolated(&cut(&member.name, NAME_MAX))
    );
    let parts = if report.of.group == Some(Grouping::Client) {
        clients_of(report)
    } else {
        projects_of(report)
    };
    say(&mut text, &parts, None);
    let zone = if member.time_zone.is_none() {
        " UTC"
    } else {
        ""
    };
    let note = format!(
        "Totals only · shared on {}, {}{zone}",
        short_day(today, today),
        clock_time(reader.now, reader.zone())
    );
    let id = |name: &str| SlackBlockId(name.to_owned());
    let mut blocks = vec![section(
        id("shared"),
        format!("<@{}> · {shown} · *{total}*", member.slack_user_id),
    )];
    blocks.push(expanded(
        id("shared.bars"),
        &rows(&parts, total, None).join("\n"),
    ));
    blocks.push(context(id("shared.note"), note.clone()));
    let _ = write!(text, "{}.", note.replace(" · ", ", "));
    Message::new(text, blocks)
}
