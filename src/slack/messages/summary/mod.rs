//! The message at the end of the day, which is the form to close it with; and on Monday the week before.

mod week;

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};
use slack_morphism::prelude::{SlackBlock, SlackDividerBlock};

use super::{
    Button, Message, Reader, actions, context,
    report::{Part, rows as bars},
    rows::{
        Place, asked_before_logging, entry_row, gap_rows, gap_times, meeting_row, meetings,
        several, strip, timer_row, total,
    },
    rules::{offer_blocks, offer_says},
    section, with_button,
};
use crate::{
    app::{DaySummary, Waiting},
    domain::{
        calendar_event::SyncedEvent, due::DayMark, minutes::Minutes, project::ProjectRef,
        rule::Rule, time_entry::TimeEntry,
    },
    slack::text::{clock_time, cut, isolated, long_day, plain, short_day},
    store::{Batch, BatchOf},
};

pub use week::week_summary;

/// So many meetings have rows; the others wait in the Home tab.
const ROWS: usize = 8;
/// Accounts that are not read which have rows; with more there are more blocks than Slack takes.
const UNREAD: usize = 4;
/// Projects that are shown; the others are summed up.
const PROJECTS: usize = 10;

/// What was just done in a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SummaryNotice {
    /// Several meetings were logged or skipped at once.
    Batch(Batch),
    /// That was taken back.
    BatchUndone(Batch),
    /// The series of a meeting that was logged can be logged always.
    Offer(Rule),
    /// This was decided about a rule.
    Decided(String),
    /// From now on it comes only when something is open, or whenever it is due.
    OnlyWhenOpen(bool),
    /// From now on there is a Monday message, or none.
    Mondays(bool),
}

/// Blocks, and the same in sentences.
#[derive(Default)]
struct Drawn {
    text: String,
    blocks: Vec<SlackBlock>,
}

impl Drawn {
    fn say(&mut self, sentence: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(sentence);
    }

    fn divide(&mut self) {
        self.blocks.push(SlackDividerBlock::new().into());
    }
}

/// A day as it is now. `missed_at` is when it was to come, where it came later.
pub fn day_summary(
    reader: Reader<'_>,
    day: &DaySummary,
    missed_at: Option<DateTime<Utc>>,
    notice: Option<&SummaryNotice>,
) -> Message {
    let mut drawn = Drawn::default();
    let suffix = reader.id("").0;
    let place = Place {
        zone: reader.zone(),
        today: reader.today(),
        suffix: &suffix,
    };
    head(place, day, &mut drawn);
    if day.mark == Some(DayMark::Off) {
        let back = day_button("day.on", "Undo", day.day, "Undo: it was not a day off");
        let buttons = vec![back, add_time(day.day)];
        drawn.blocks.push(actions(place.id("day.actions"), buttons));
    } else {
        projects(place, day, &mut drawn);
        notes(reader, place, day, &mut drawn);
        waiting(reader, place, day, &mut drawn);
        settled(place, day, notice, &mut drawn);
        if day.mark.is_none() {
            missing(place, day, &mut drawn);
        }
        let buttons = ways_to_finish(reader, day);
        drawn.blocks.push(actions(place.id("day.actions"), buttons));
    }
    said(reader, place, notice, &mut drawn);
    let foot = foot(reader, missed_at);
    drawn.blocks.push(context(place.id("day.foot"), foot));
    Message::new(drawn.text, drawn.blocks)
}

/// The day, and what is missing.
fn head(place: Place<'_>, day: &DaySummary, drawn: &mut Drawn) {
    let (long, short) = (long_day(day.day), short_day(day.day, place.today));
    let (shown, says) = match day.mark {
        Some(DayMark::Off) => (
            format!("*{long}* is a day off. Nothing is expected for it."),
            format!("{short} is a day off. Nothing is expected for it, and nothing will be asked."),
        ),
        Some(DayMark::Closed) => (
            format!("*{long}* · {} · closed by you", day.total),
            format!("{short}: {}, closed by you.", day.total),
        ),
        None => (
            format!("*{long}*\n{}", strip(day.total, day.target)),
            format!("{short}{}", day_says(day.total, day.target)),
        ),
    };
    drawn.say(&says);
    drawn.blocks.push(section(place.id("day"), shown));
}

fn day_says(total: Minutes, target: Minutes) -> String {
    let none = Minutes::default();
    if total == none {
        let to_go = if target == none {
            String::new()
        } else {
            format!(", {target} to go")
        };
        format!(": nothing logged yet{to_go}.")
    } else if target == none {
        format!(": {total} logged.")
    } else if total < target {
        let rest = Minutes::new(target.get() - total.get());
        format!(": {total} of {target} logged, {rest} to go.")
    } else {
        format!(" is complete: {total} of {target}.")
    }
}

/// Where the time went.
fn projects(place: Place<'_>, day: &DaySummary, drawn: &mut Drawn) {
    let named = |(project, minutes): &(Option<ProjectRef>, Minutes)| {
        let name = project.as_ref().map_or_else(
            || "no project".to_owned(),
            |project| format!("#{}", cut(&project.slug, 40)),
        );
        (name, *minutes)
    };
    let mut parts: Vec<Part> = day.projects.iter().map(named).collect();
    if parts.len() > PROJECTS {
        let rest = parts.split_off(PROJECTS - 1);
        let sum = rest.iter().map(|(_, minutes)| *minutes).sum();
        parts.push((format!("{} others", rest.len()), sum));
    }
    if parts.is_empty() {
        return;
    }
    let says: Vec<String> = parts
        .iter()
        .map(|(name, minutes)| format!("{name} {minutes}"))
        .collect();
    drawn.say(&format!("{}.", says.join(", ")));
    let shown = bars(&parts, day.total, None).join("\n");
    drawn.blocks.push(context(place.id("day.projects"), shown));
}

/// What else is to be known before the day is closed.
fn notes(reader: Reader<'_>, place: Place<'_>, day: &DaySummary, drawn: &mut Drawn) {
    if reader.today() > day.day {
        let text = format!("You are closing {}.", long_day(day.day));
        drawn.say(&text);
        drawn.blocks.push(context(place.id("day.late"), text));
    }
    if let Some(timer) = day
        .timer
        .as_ref()
        .filter(|timer| timer.day(place.zone) == day.day)
    {
        let since = clock_time(timer.started_at, place.zone);
        drawn.say(&format!("A timer is running since {since}."));
        drawn.blocks.push(timer_row(place, timer));
    }
    for account in day.unread.iter().take(UNREAD) {
        let provider = account.provider.name();
        let since = account.state_since.with_timezone(&place.zone).date_naive();
        let text = format!(
            "{provider} has not been read since {}, so meetings may be missing.",
            short_day(since, place.today)
        );
        drawn.say(&text);
        let spoken = format!("Reconnect {provider}, {}", account.email);
        let again = Button::new(
            "calendar.reconnect",
            "Reconnect",
            format!("c:{}", account.id),
            &spoken,
        );
        let id = place.id_of("day.unread", account.id);
        drawn.blocks.push(with_button(id, plain(&text), again));
    }
}

/// `Halden weekly 14:00–14:30 (30 min, #halden)`.
fn meeting_says(place: Place<'_>, one: &Waiting) -> String {
    let meeting = &one.meeting;
    let project = one.project.as_ref().map_or_else(
        || "no project yet".to_owned(),
        |project| format!("#{}", cut(&project.slug, 40)),
    );
    format!(
        "{} {}–{} ({}, {project})",
        isolated(&cut(&meeting.title.replace('\n', " "), 60)),
        clock_time(meeting.start, place.zone),
        clock_time(meeting.end, place.zone),
        meeting.length()
    )
}

/// The meetings that are not logged yet.
fn waiting(reader: Reader<'_>, place: Place<'_>, day: &DaySummary, drawn: &mut Drawn) {
    let count = day.waiting.len();
    if count == 0 {
        if day.total == Minutes::default() && day.mark.is_none() && day.settled.is_empty() {
            let text = "No meeting is waiting either. A line is enough: ";
            let example = "/time 8h what you did";
            drawn.say(&format!("{text}{example}"));
            drawn
                .blocks
                .push(section(place.id("day.hint"), format!("{text}`{example}`")));
        } else if !day.is_open() {
            drawn.say("No meeting is waiting.");
        }
        return;
    }
    let with_them = day.total + total(&day.waiting);
    let listed: Vec<String> = day
        .waiting
        .iter()
        .take(ROWS)
        .map(|one| meeting_says(place, one))
        .collect();
    drawn.say(&format!("Not logged yet: {}.", listed.join(", ")));
    drawn.divide();
    let head = format!(
        "*{} not logged* · with {}: {with_them}",
        meetings(count),
        if count == 1 { "it" } else { "them" }
    );
    let id = place.id("day.waiting");
    if count > 1 {
        let all = log_all(reader, day, "event.log_all", &format!("Log all {count}")).primary();
        drawn.say(&format!("With these {count}: {with_them}."));
        drawn.blocks.push(with_button(id, head, all));
    } else {
        drawn.blocks.push(section(id, head));
    }
    let rows = day.waiting.iter().take(ROWS);
    drawn
        .blocks
        .extend(rows.flat_map(|one| meeting_row(place, one)));
    if count > ROWS {
        let more = format!("and {} more in the Home tab", count - ROWS);
        drawn.say(&format!("{more}."));
        drawn.blocks.push(context(place.id("day.more"), more));
    }
}

fn log_all(reader: Reader<'_>, day: &DaySummary, action: &str, name: &str) -> Button {
    let mut all = Button::new(
        action,
        name,
        several(reader.now, &day.waiting, &format!("d:{} ", day.day)),
        &format!(
            "{name}: meetings of {}, {}",
            long_day(day.day),
            total(&day.waiting)
        ),
    );
    let waiting: Vec<&Waiting> = day.waiting.iter().collect();
    all.confirm = asked_before_logging(&waiting, 1);
    all
}

/// The meetings that were dealt with since it was sent.
fn settled(place: Place<'_>, day: &DaySummary, notice: Option<&SummaryNotice>, drawn: &mut Drawn) {
    let batch = match notice {
        Some(SummaryNotice::Batch(batch)) => Some(batch),
        _ => None,
    };
    if day.settled.is_empty() && batch.is_none() {
        return;
    }
    drawn.divide();
    if let Some(batch) = batch {
        let did = match batch.of {
            BatchOf::Logged => "logged",
            BatchOf::Skipped => "skipped",
        };
        let name = match batch.count {
            1 => "Undo".to_owned(),
            count => format!("Undo all {count}"),
        };
        let spoken = format!("{name}: {} {did} just now", meetings(batch.count));
        let undo = Button::new(
            "event.undo_batch",
            name,
            format!("b:{}", batch.key),
            &spoken,
        );
        let head = format!("*{} {did}* just now", meetings(batch.count));
        drawn
            .blocks
            .push(with_button(place.id("day.logged"), head, undo));
    }
    let mut logged = Vec::new();
    for (event, entry) in &day.settled {
        match entry {
            Some(entry) => {
                logged.push(entry_says(entry));
                drawn.blocks.push(entry_row(place, entry));
            }
            None => drawn.blocks.push(skipped_row(place, event)),
        }
    }
    if !logged.is_empty() {
        let just = if batch.is_some() {
            "Just logged"
        } else {
            "Logged here"
        };
        drawn.say(&format!("{just}: {}.", logged.join("; ")));
    }
}

fn entry_says(entry: &TimeEntry) -> String {
    let project = entry.project.as_ref();
    let project = project.map_or_else(
        || "no project".to_owned(),
        |project| format!("#{}", cut(&project.slug, 40)),
    );
    let title = isolated(&cut(&entry.description.replace('\n', " "), 60));
    format!("{title} {}, {project}", entry.duration_minutes)
}

fn skipped_row(place: Place<'_>, event: &SyncedEvent) -> SlackBlock {
    let title = cut(&event.title, 60);
    let undo = Button::new(
        "event.unskip",
        "Undo",
        format!("v:{}", event.id),
        &format!("Undo: {} waits again", cut(&title, 40)),
    );
    let text = format!("Skipped: {}", plain(&isolated(&title)));
    with_button(place.id_of("event", event.id), text, undo)
}

/// Where nothing is logged, as long as something is missing.
fn missing(place: Place<'_>, day: &DaySummary, drawn: &mut Drawn) {
    if day.gaps.is_empty() || day.total == Minutes::default() {
        return;
    }
    let times: Vec<String> = day.gaps.iter().map(|gap| gap_times(place, gap)).collect();
    drawn.say(&format!("Nothing logged {}.", times.join(", ")));
    drawn.divide();
    drawn.blocks.extend(gap_rows(place, day.day, &day.gaps));
}

fn day_button(action: &str, name: &str, day: NaiveDate, spoken: &str) -> Button {
    Button::new(
        action,
        name,
        format!("d:{day}"),
        &format!("{spoken}, {}", long_day(day)),
    )
}

fn add_time(day: NaiveDate) -> Button {
    day_button("entry.new", "Add time", day, "Add time")
}

fn ways_to_finish(reader: Reader<'_>, day: &DaySummary) -> Vec<Button> {
    let add = add_time(day.day);
    if day.mark == Some(DayMark::Closed) {
        let open = day_button("day.on", "Open again", day.day, "Open again");
        return vec![add, open];
    }
    let is_empty = day.total == Minutes::default();
    if !day.is_open() {
        let mut buttons = vec![add];
        if !reader.member.preferences.silent_when_done {
            buttons.push(Button::new(
                "prefs.silent",
                "Only when something is open",
                "silent_when_done:on",
                "Send this message only when something is open",
            ));
        }
        return buttons;
    }
    let close = if is_empty {
        "Nothing to log"
    } else {
        "Nothing more to log"
    };
    let add = if is_empty && day.waiting.len() < 2 {
        add.primary()
    } else {
        add
    };
    let mut buttons = vec![add, day_button("day.close", close, day.day, close)];
    if day.total.get() * 2 < day.target.get() || is_empty {
        buttons.push(day_button("day.off", "Day off", day.day, "Day off"));
    }
    buttons
}

/// What was just done that does not show in the day itself.
fn said(reader: Reader<'_>, place: Place<'_>, notice: Option<&SummaryNotice>, drawn: &mut Drawn) {
    // What is said, and for what can be taken back at once, the button and what it carries.
    let (words, back) = match notice {
        None | Some(SummaryNotice::Batch(_)) => return,
        Some(SummaryNotice::Offer(rule)) => {
            drawn.say(&offer_says(rule));
            drawn.divide();
            let suffix = format!("{}.r{}", reader.tag, reader.next_round());
            drawn.blocks.extend(offer_blocks(rule, &suffix));
            return;
        }
        Some(SummaryNotice::BatchUndone(batch)) => (undone(batch), None),
        Some(SummaryNotice::Decided(words)) => (words.clone(), None),
        Some(SummaryNotice::OnlyWhenOpen(true)) => (
            "From now on only when something is open.".to_owned(),
            Some(("prefs.silent", "silent_when_done:off")),
        ),
        Some(SummaryNotice::OnlyWhenOpen(false)) => {
            ("From now on whenever the day ends.".to_owned(), None)
        }
        Some(SummaryNotice::Mondays(false)) => (
            "No more Monday messages.".to_owned(),
            Some(("prefs.monday", "monday:on")),
        ),
        Some(SummaryNotice::Mondays(true)) => ("Monday messages come again.".to_owned(), None),
    };
    drawn.say(&words);
    let id = place.id("day.said");
    drawn.blocks.push(match back {
        None => context(id, plain(&words)),
        Some((action, value)) => {
            let undo = Button::new(action, "Undo", value, &format!("Undo: {words}"));
            with_button(id, plain(&words), undo)
        }
    });
}

fn undone(batch: &Batch) -> String {
    let verb = if batch.count == 1 { "waits" } else { "wait" };
    let mut text = format!("{} {verb} again.", meetings(batch.count));
    if batch.kept > 0 {
        let _ = write!(
            text,
            " {} changed meanwhile and stay as they are.",
            batch.kept
        );
    }
    text
}

fn foot(reader: Reader<'_>, missed_at: Option<DateTime<Utc>>) -> String {
    let preferences = &reader.member.preferences;
    let mut foot = match missed_at {
        Some(at) => format!(
            "Sent at {}, BillOps was not running at {}.",
            clock_time(reader.now, reader.zone()),
            clock_time(at, reader.zone())
        ),
        None => format!(
            "Sent at {} on your working days.",
            preferences.daily_summary_time.format("%H:%M")
        ),
    };
    foot.push_str(" Change it in Preferences, in the Home tab.");
    if let Some(note) = reader.zone_note() {
        let _ = write!(foot, " {note}.");
    }
    foot
}

#[cfg(test)]
mod tests;
