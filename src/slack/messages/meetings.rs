//! Meetings that wait to be logged, as the Home tab shows them.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use slack_morphism::prelude::{SlackBlock, SlackBlockConfirmItem, SlackBlockId, SlackBlockText};

use super::{Button, actions, context, label, section, with_button};
use crate::{
    domain::{calendar_event::SyncedEvent, minutes::Minutes, project::ProjectRef},
    slack::text::{clock_time, cut, plain, short_day},
};

/// More than this at once are asked about.
const ASKED_FROM: u64 = 10;

/// The meetings that wait, with what can be done about each. `project` is the guess that they would go to.
pub fn waiting_rows(
    events: &[SyncedEvent],
    count: u64,
    project: Option<&ProjectRef>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    let today = now.with_timezone(&zone).date_naive();
    let head = "*Waiting to be logged*";
    if events.is_empty() {
        let empty = format!("{head}\nNothing. Meetings appear here when they end.");
        return vec![section(id("waiting"), empty)];
    }
    let mut blocks = Vec::new();
    if count > 1 {
        let spoken = format!("Log all {count} meetings that wait");
        let mut all =
            Button::new("event.log_all", format!("Log all {count}"), "all", &spoken).primary();
        if count > ASKED_FROM {
            all.confirm = Some(SlackBlockConfirmItem::new(
                label(&format!("Log all {count}?")),
                SlackBlockText::from(label(
                    "Each becomes an entry. Each can be taken back by itself.",
                )),
                label("Log all"),
                label("Cancel"),
            ));
        }
        blocks.push(with_button(id("waiting"), head.to_owned(), all));
    } else {
        blocks.push(section(id("waiting"), head.to_owned()));
    }
    let mut day: Option<NaiveDate> = None;
    for event in ordered(events, zone) {
        let date = event.start.with_timezone(&zone).date_naive();
        if day != Some(date) {
            day = Some(date);
            let name = short_day(date, today);
            let name = if date == today {
                format!("Today, {name}")
            } else {
                name
            };
            blocks.push(context(id(&format!("waiting:{date}")), name));
        }
        blocks.extend(row(event, project, zone));
    }
    let more = count.saturating_sub(events.len() as u64);
    if more > 0 {
        blocks.push(context(id("waiting.more"), format!("and {more} more")));
    }
    blocks
}

/// The newest day first, and in a day the earliest first.
fn ordered(events: &[SyncedEvent], zone: Tz) -> Vec<&SyncedEvent> {
    let mut events: Vec<&SyncedEvent> = events.iter().collect();
    events.sort_by_key(|event| {
        let date = event.start.with_timezone(&zone).date_naive();
        (std::cmp::Reverse(date), event.start, event.id)
    });
    events
}

/// `09:00–09:15 · *Standup* · 15 min · #internal?`, and its buttons.
fn row(event: &SyncedEvent, project: Option<&ProjectRef>, zone: Tz) -> [SlackBlock; 2] {
    let tail = event.id.simple().to_string().split_off(20);
    let minutes = (event.end - event.start).num_minutes().clamp(1, 24 * 60);
    let length = Minutes::new(u32::try_from(minutes).unwrap_or(1));
    let guess = project.map_or_else(String::new, |project| {
        format!(" · #{}?", cut(&project.slug, 40))
    });
    let text = format!(
        "{}–{} · *{}* · {length}{}",
        clock_time(event.start, zone),
        clock_time(event.end, zone),
        plain(&cut(&event.title, 60)),
        plain(&guess)
    );
    let value = format!("v:{}", event.id);
    let what = cut(&event.title, 40);
    let when = clock_time(event.start, zone);
    let button = |action: &str, name: &str| {
        Button::new(
            action,
            name,
            value.clone(),
            &format!("{name}: {what}, {when}"),
        )
    };
    [
        section(SlackBlockId(format!("meeting:{tail}")), text),
        actions(
            SlackBlockId(format!("meeting:{tail}.actions")),
            vec![
                button("event.log", "Log"),
                button("event.log_as", "Log as…"),
                button("event.skip", "Skip"),
            ],
        ),
    ]
}
