//! Meetings that have ended, in the person's conversation with the bot: the message is the form, and stays true as
//! it is used.

use chrono_tz::Tz;
use slack_morphism::prelude::{SlackBlock, SlackDividerBlock};

use super::{
    Button, Headline, LABEL_MAX, Message, PROJECT_MAX, Parts, Reader, actions, context,
    rules::{offer_blocks, offer_says},
    section, with_button,
};
use crate::{
    app::{ChangedMeeting, EndedMeeting, MeetingChange},
    domain::{
        calendar_event::{EventState, SyncedEvent},
        rule::Rule,
        time_entry::TimeEntry,
    },
    slack::text::{clock_times, cut, plain, short_day},
};

/// So many meetings have rows; the others wait in the Home tab.
const ROWS: usize = 8;

fn times(event: &SyncedEvent, zone: Tz) -> String {
    clock_times((event.start, event.end), zone)
}

fn value(event: &SyncedEvent) -> String {
    format!("v:{}", event.id)
}

/// Meetings that have ended, as they are now: each waits, is logged, or is skipped.
pub fn ended_meetings(
    reader: Reader<'_>,
    meetings: &[EndedMeeting],
    offer: Option<&Rule>,
) -> Message {
    if let [meeting] = meetings {
        return one(reader, meeting, offer);
    }
    let head = format!("*{} meetings have ended*", meetings.len());
    let mut text = format!("{} meetings have ended. ", meetings.len());
    let mut blocks = vec![section(reader.id("meetings"), head)];
    for meeting in meetings.iter().take(ROWS) {
        text.push_str(&line(reader, meeting).concat());
        text.push_str(". ");
        blocks.extend(row(reader, meeting));
    }
    if meetings.len() > ROWS {
        let more = format!("and {} more in the Home tab", meetings.len() - ROWS);
        text.push_str(&more);
        blocks.push(context(reader.id("meetings.more"), more));
    }
    if let Some(rule) = offer {
        text.push_str(&offer_says(rule));
        blocks.push(SlackDividerBlock::new().into());
        blocks.extend(offer_blocks(rule, &format!(".r{}", reader.next_round())));
    }
    Message::new(text, blocks)
}

fn one(reader: Reader<'_>, meeting: &EndedMeeting, offer: Option<&Rule>) -> Message {
    let event = &meeting.event;
    if let Some(receipt) = &meeting.receipt {
        let entry = &receipt.entry;
        let mut parts = Parts::default();
        if let Some(rule) = offer {
            parts.says = offer_says(rule);
            parts.questions.push(SlackDividerBlock::new().into());
            parts
                .questions
                .extend(offer_blocks(rule, &format!(".r{}", reader.next_round())));
        }
        parts.buttons = vec![
            Button::on(entry, "entry.undo", "Undo", ""),
            Button::on(entry, "entry.edit", "Edit", ""),
            Button::on(entry, "entry.change_project", "Change project", ""),
        ];
        return reader.card(&Headline::new("Logged", "Logged "), receipt, &[], parts);
    }
    let day = short_day(
        event.start.with_timezone(&reader.zone()).date_naive(),
        reader.today(),
    );
    let title = cut(&event.title, 60);
    match event.state {
        EventState::Suggested => {
            let guess = match &meeting.guess.project {
                Some(project) if meeting.guess.is_as_last_time => {
                    format!(" · last time: #{}", cut(&project.slug, 40))
                }
                Some(project) => format!(" · #{}?", cut(&project.slug, 40)),
                None => " · no project yet".to_owned(),
            };
            let when = format!(
                "{day}, {} · {}{guess}",
                times(event, reader.zone()),
                event.length()
            );
            let shown = format!("*{}* has ended\n{}", plain(&title), plain(&when));
            let mut buttons = Vec::new();
            if let Some(project) = &meeting.guess.project {
                let name = format!("Log to #{}", cut(&project.slug, PROJECT_MAX));
                buttons.push(button(event, "event.log", &name).primary());
            }
            buttons.push(button(event, "event.log_as", "Log as…"));
            if meeting.guess.project.is_none() {
                buttons.push(button(event, "event.log", "Log"));
            }
            buttons.push(button(event, "event.skip", "Skip"));
            Message::new(
                format!("{title} has ended: {when}."),
                vec![
                    section(reader.id("event"), shown),
                    actions(reader.id("event.actions"), buttons),
                ],
            )
        }
        EventState::Dismissed => {
            let text = format!("Skipped: {title}, {day}.");
            let undo = button(event, "event.unskip", "Undo");
            Message::new(
                text.clone(),
                vec![with_button(reader.id("event"), plain(&text), undo)],
            )
        }
        EventState::Logged | EventState::Gone | EventState::Skipped => {
            let text = format!("{title}, {day}, is no longer in your calendar.");
            Message::new(
                text.clone(),
                vec![section(reader.id("event"), plain(&text))],
            )
        }
    }
}

fn button(event: &SyncedEvent, action: &str, name: &str) -> Button {
    let spoken = format!(
        "{name}: {}, {}",
        event.title.replace('\n', " "),
        event.length()
    );
    Button::new(action, name, value(event), &cut(&spoken, LABEL_MAX))
}

/// `14:00–14:30 · `, `Halden weekly`, ` · 30 min · #halden?`, and what became of it in front: the title in the middle is
/// what the eye looks for.
fn line(reader: Reader<'_>, meeting: &EndedMeeting) -> [String; 3] {
    let event = &meeting.event;
    let (did, project) = match (event.state, &meeting.receipt) {
        (_, Some(receipt)) => ("Logged: ", project_of(&receipt.entry)),
        (EventState::Dismissed, _) => ("Skipped: ", String::new()),
        (EventState::Suggested, _) => {
            let guess = meeting.guess.project.as_ref();
            let guess = guess.map_or_else(
                || " · no project yet".to_owned(),
                |project| format!(" · #{}?", cut(&project.slug, 40)),
            );
            ("", guess)
        }
        _ => ("No longer in your calendar: ", String::new()),
    };
    [
        format!("{did}{} · ", times(event, reader.zone())),
        cut(&event.title, 60),
        format!(" · {}{project}", event.length()),
    ]
}

fn project_of(entry: &TimeEntry) -> String {
    let project = entry.project.as_ref();
    project.map_or_else(
        || " · no project".to_owned(),
        |project| format!(" · #{}", cut(&project.slug, 40)),
    )
}

fn row(reader: Reader<'_>, meeting: &EndedMeeting) -> Vec<SlackBlock> {
    let event = &meeting.event;
    let tail = event.id.simple().to_string().split_off(20);
    let [when, title, what] = line(reader, meeting).map(|part| plain(&part));
    let text = format!("{when}*{title}*{what}");
    let id = reader.id(&format!("event:{tail}"));
    if event.state == EventState::Suggested {
        let buttons = vec![
            button(event, "event.log", "Log"),
            button(event, "event.log_as", "Log as…"),
            button(event, "event.skip", "Skip"),
        ];
        return vec![
            section(id, text),
            actions(reader.id(&format!("event.actions:{tail}")), buttons),
        ];
    }
    let undo = match (event.state, &meeting.receipt) {
        (_, Some(receipt)) if !receipt.entry.is_settled() => "event.unlog",
        (EventState::Dismissed, _) => "event.unskip",
        _ => return vec![section(id, text)],
    };
    vec![with_button(id, text, button(event, undo, "Undo"))]
}

/// A meeting that was logged is otherwise in the calendar now.
pub fn changed_meeting(reader: Reader<'_>, changed: &ChangedMeeting) -> Message {
    let (event, entry) = (&changed.event, &changed.receipt.entry);
    let zone = reader.zone();
    let title = cut(&entry.description.replace('\n', " "), 60);
    let day = |date| short_day(date, reader.today());
    let logged = match super::span(entry, zone) {
        Some(span) => format!("{}, {span} · {}", day(entry.date), entry.duration_minutes),
        None => format!("{} · {}", day(entry.date), entry.duration_minutes),
    };
    let starts = event.start.with_timezone(&zone).date_naive();
    let now = format!(
        "{}, {} · {}",
        day(starts),
        times(event, zone),
        event.length()
    );
    let (did, now, verb, label) = match changed.change {
        MeetingChange::Moved => {
            let label = if starts == entry.date {
                format!("Change to {}", times(event, zone))
            } else {
                format!("Change to {}", day(starts))
            };
            ("has moved in your calendar", now, "times", label)
        }
        MeetingChange::Renamed => (
            "has a new title in your calendar",
            cut(&event.title, 60),
            "title",
            "Rename".to_owned(),
        ),
        MeetingChange::Cancelled => (
            "is no longer in your calendar",
            "cancelled or deleted".to_owned(),
            "delete",
            "Delete entry".to_owned(),
        ),
    };
    let says = format!(
        "{title} {did}: your entry says {logged}, the calendar {now}. Your entry has not changed."
    );
    let head = format!(
        "*{}* {did} after you logged it. Your entry has not changed.",
        plain(&title)
    );
    let times = format!(
        "*Your entry*  {}\n*Calendar now*  {}",
        plain(&logged),
        plain(&now)
    );
    let mut blocks = vec![
        section(reader.id("event.changed"), head),
        section(reader.id("event.times"), times),
    ];
    if entry.is_settled() {
        let status = entry.status.as_str();
        let note = format!("The entry is {status} and can no longer be changed here.");
        blocks.push(context(reader.id("event.settled"), note));
    } else {
        let value = format!("{} v:{}", super::entry_value(entry), event.id);
        let change = Button::new(
            "event.apply_change",
            label.clone(),
            format!("{verb} {value}"),
            &cut(&format!("{label}: {title}"), LABEL_MAX),
        );
        let keep = Button::new(
            "event.keep",
            "Keep my entry",
            value,
            &cut(&format!("Keep my entry: {title}"), LABEL_MAX),
        );
        blocks.push(actions(reader.id("event.actions"), vec![change, keep]));
    }
    Message::new(says, blocks)
}

/// The entry stays as it is, whatever the calendar says.
pub fn kept(reader: Reader<'_>, entry: &TimeEntry) -> Message {
    let what =
        super::span(entry, reader.zone()).unwrap_or_else(|| entry.duration_minutes.to_string());
    let title = cut(&entry.description.replace('\n', " "), 60);
    let day = short_day(entry.date, reader.today());
    let text = format!("Kept: {title}, {day}, {what}.");
    Message::new(
        text.clone(),
        vec![section(reader.id("event"), plain(&text))],
    )
}
