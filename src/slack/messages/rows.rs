//! What stands alike in the Home tab and in the summary: the strip of the day, and one row a thing.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockChoiceItem, SlackBlockConfirmItem, SlackBlockId,
    SlackBlockOverflowElement, SlackBlockText, SlackSectionBlock, SlackSectionBlockElement,
};
use uuid::Uuid;

use super::{
    Button, actions, context, entry_value, label, markdown, marks, name, section, timer_value,
    with_button,
};
use crate::{
    app::Waiting,
    domain::{gaps::Gap, minutes::Minutes, time_entry::TimeEntry, timer::Timer},
    slack::text::{bar, clock_time, cut, isolated, long_day, plain, short_day, span},
};

/// Gaps that are shown; more are counted.
const GAPS_SHOWN: usize = 3;
/// More than so many at once are asked about.
const ASKED_FROM: usize = 10;

/// Where rows stand, and how they are read there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// In which zone.
    pub(super) zone: Tz,
    /// What is today.
    pub(super) today: NaiveDate,
    /// What every id ends in. In the Home tab nothing: a thing keeps its id as long as it is shown. In a message,
    /// Slack wants another one after each replacement.
    pub(super) suffix: &'a str,
}

impl Place<'_> {
    pub(super) fn id(&self, name: &str) -> SlackBlockId {
        SlackBlockId(format!("{name}{}", self.suffix))
    }

    /// The place, and the end of the thing's own id.
    pub(super) fn id_of(&self, place: &str, of: Uuid) -> SlackBlockId {
        let tail = of.simple().to_string().split_off(20);
        self.id(&format!("{place}:{tail}"))
    }
}

/// `1 meeting`, `4 meetings`.
pub(super) fn meetings(count: usize) -> String {
    match count {
        1 => "1 meeting".to_owned(),
        count => format!("{count} meetings"),
    }
}

/// `▇▇▇▇▇░░░  *5 h 15 min* of 8 h · 2 h 45 min to go`.
pub(super) fn strip(total: Minutes, target: Minutes) -> String {
    let none = Minutes::default();
    if target == none {
        return if total == none {
            "Nothing logged yet".to_owned()
        } else {
            format!("*{total}* logged")
        };
    }
    let bar = bar(total, target);
    if total == none {
        format!("{bar}  Nothing logged yet · {target} to go")
    } else if total < target {
        let rest = Minutes::new(target.get() - total.get());
        format!("{bar}  *{total}* of {target} · {rest} to go")
    } else {
        format!("{bar}  *{total}* of {target} · complete")
    }
}

/// `Timer running since 15:15 · *Usability notes* · #halden`.
pub(super) fn timer_row(place: Place<'_>, timer: &Timer) -> SlackBlock {
    let name = cut(&name(timer), 60);
    let day = timer.day(place.zone);
    let mut since = clock_time(timer.started_at, place.zone);
    if day != place.today {
        since.insert_str(0, &format!("{}, ", short_day(day, place.today)));
    }
    let row = format!(
        "⏱️ Timer running since {since} · *{}*{}",
        plain(&name),
        plain(&marks(timer))
    );
    let stop = Button::new(
        "timer.stop",
        "Stop and log",
        timer_value(timer, place.zone),
        &format!("Stop and log the timer: {name}"),
    );
    with_button(place.id("today.timer"), row, stop)
}

/// The first gaps of a day, each with a way to fill it.
pub(super) fn gap_rows(place: Place<'_>, day: NaiveDate, gaps: &[Gap]) -> Vec<SlackBlock> {
    let row = |gap: &Gap| {
        let from = clock_time(gap.start, place.zone);
        let text = format!(
            "Nothing logged {} · {}",
            gap_times(place, gap),
            gap.length()
        );
        let id = place.id(&format!("gap:{}", from.replace(':', "")));
        with_button(id, text, fill_gap(place, day, gap))
    };
    let mut rows: Vec<SlackBlock> = gaps.iter().take(GAPS_SHOWN).map(row).collect();
    let more = gaps.len().saturating_sub(GAPS_SHOWN);
    if more > 0 {
        let gaps = if more == 1 { "gap" } else { "gaps" };
        rows.push(context(
            place.id("gap.more"),
            format!("and {more} more {gaps}"),
        ));
    }
    rows
}

/// `13:30–14:00`.
pub(super) fn gap_times(place: Place<'_>, gap: &Gap) -> String {
    let times = [gap.start, gap.end].map(|at| clock_time(at, place.zone));
    times.join("–")
}

pub(super) fn fill_gap(place: Place<'_>, day: NaiveDate, gap: &Gap) -> Button {
    let [from, to] = [gap.start, gap.end].map(|at| clock_time(at, place.zone));
    Button::new(
        "gap.fill",
        "Fill gap",
        format!("g:{day}:{from}-{to}"),
        &format!("Fill gap: {from} to {to} on {}", long_day(day)),
    )
}

/// `n:4 d:2026-11-20 until:ID ended:1795186920`: those that are shown, and none that came or ended later.
pub(super) fn several<'a>(
    now: DateTime<Utc>,
    of: impl IntoIterator<Item = &'a Waiting>,
    days: &str,
) -> String {
    let ids: Vec<Uuid> = of.into_iter().map(|one| one.meeting.id).collect();
    let until = ids.iter().max().copied().unwrap_or_default();
    format!(
        "n:{} {days}until:{until} ended:{}",
        ids.len(),
        now.timestamp()
    )
}

/// How long meetings are together.
pub(super) fn total<'a>(of: impl IntoIterator<Item = &'a Waiting>) -> Minutes {
    of.into_iter().map(|one| one.meeting.length()).sum()
}

/// What is asked before many meetings are logged at once; nothing where they are few.
pub(super) fn asked_before_logging(
    waiting: &[&Waiting],
    days: usize,
) -> Option<SlackBlockConfirmItem> {
    let count = waiting.len();
    if count <= ASKED_FROM {
        return None;
    }
    let days = match days {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let length = total(waiting.iter().copied());
    let mut text = format!("{length} on {days}, each to its own project");
    match waiting.iter().filter(|one| one.project.is_none()).count() {
        0 => text.push('.'),
        1 => text.push_str("; 1 has none yet."),
        without => {
            let _ = write!(text, "; {without} have none yet.");
        }
    }
    text.push_str(" You can undo it as one step.");
    Some(question(
        &format!("Log all {count} meetings?"),
        &text,
        &format!("Log all {count}"),
    ))
}

pub(super) fn question(title: &str, text: &str, yes: &str) -> SlackBlockConfirmItem {
    SlackBlockConfirmItem::new(
        label(title),
        SlackBlockText::from(label(text)),
        label(yes),
        label("Cancel"),
    )
}

/// `09:00–09:15 · *Standup* · 15 min · #internal?`, and its buttons.
pub(super) fn meeting_row(place: Place<'_>, one: &Waiting) -> [SlackBlock; 2] {
    let (meeting, zone) = (&one.meeting, place.zone);
    let length = meeting.length();
    let slug = one.project.as_ref().map(|project| cut(&project.slug, 40));
    let guess = match &slug {
        Some(slug) => format!("#{slug}?"),
        None => "no project yet".to_owned(),
    };
    let text = format!(
        "{}–{} · *{}* · {length} · {}",
        clock_time(meeting.start, zone),
        clock_time(meeting.end, zone),
        plain(&isolated(&cut(&meeting.title, 60))),
        plain(&guess)
    );
    let about = format!(
        "{}, {length}, {}",
        cut(&meeting.title, 28),
        short_day(one.day(zone), place.today)
    );
    let value = format!("v:{}", meeting.id);
    let log = match slug {
        Some(slug) => format!("Log to {}: {about}", cut(&slug, 14)),
        None => format!("Log: {about}"),
    };
    let button =
        |action: &str, name: &str, spoken: &str| Button::new(action, name, value.clone(), spoken);
    [
        section(place.id_of("event", meeting.id), text),
        actions(
            place.id_of("event.actions", meeting.id),
            vec![
                button("event.log", "Log", &log),
                button("event.log_as", "Log as…", &format!("Log as…: {about}")),
                button("event.skip", "Skip", &format!("Skip: {about}")),
            ],
        ),
    ]
}

/// `11:00–13:30 · *Meeting* · 2 h 30 min · #acme`, with a menu as long as the entry is the person's to change.
pub(super) fn entry_row(place: Place<'_>, entry: &TimeEntry) -> SlackBlock {
    let mut row = String::new();
    if let Some(span) = span(entry, place.zone) {
        row.push_str(&span);
        row.push_str(" · ");
    }
    let title = plain(&cut(&entry.description, 60));
    let _ = write!(row, "*{title}* · {}", entry.duration_minutes);
    match &entry.project {
        Some(project) => {
            let _ = write!(row, " · #{}", plain(&cut(&project.slug, 40)));
        }
        None => row.push_str(" · no project"),
    }
    if entry.is_settled() {
        let _ = write!(row, " · {}", entry.status.as_str());
    }
    let block = SlackSectionBlock::new()
        .with_block_id(place.id_of("entry", entry.id))
        .with_text(markdown(row).into());
    if entry.is_settled() {
        return block.into();
    }
    block.with_accessory(entry_menu(entry)).into()
}

/// What can be done to an entry in a list.
pub(in crate::slack) fn entry_menu(entry: &TimeEntry) -> SlackSectionBlockElement {
    let choices = [
        ("Edit", "edit"),
        ("Change project", "change_project"),
        ("Move to another day", "move"),
        ("Delete", "delete"),
    ];
    let choices = choices.map(|(name, verb)| {
        SlackBlockChoiceItem::new(label(name), format!("{verb} {}", entry_value(entry)))
    });
    let menu = SlackBlockOverflowElement::new(choices.to_vec())
        .with_action_id(SlackActionId("entry.menu".to_owned()));
    SlackSectionBlockElement::Overflow(menu)
}
