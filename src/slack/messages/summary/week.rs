//! The message on Monday about the week before.

use chrono::TimeDelta;
use slack_morphism::prelude::SlackBlock;

use super::{
    super::{
        Button, Message, Reader, actions,
        rows::{Place, fill_gap, gap_times, meetings},
        section, with_button,
    },
    Drawn, SummaryNotice, add_time, log_all, said,
};
use crate::{
    app::{DaySummary, WeekSummary},
    domain::{due::DayMark, minutes::Minutes},
    slack::text::{bar, days, long_day, short_day},
};

/// Open days of a week that are shown.
const OPEN_DAYS: usize = 7;

/// A week as it is now: the days that are open, the most missing first, each with one way to close it.
pub fn week_summary(
    reader: Reader<'_>,
    week: &WeekSummary,
    notice: Option<&SummaryNotice>,
) -> Message {
    let mut drawn = Drawn::default();
    let suffix = reader.id("").0;
    let place = Place {
        zone: reader.zone(),
        today: reader.today(),
        suffix: &suffix,
    };
    let open = week.open();
    let (sum, target) = week.totals();
    let of = if target == Minutes::default() {
        String::new()
    } else {
        format!(" of {target}")
    };
    let is_last_week = place.today - week.monday < TimeDelta::weeks(2);
    let name = if is_last_week {
        "Last week"
    } else {
        "The week"
    };
    let span = days(week.monday, week.monday + TimeDelta::days(4), place.today);
    if open.is_empty() {
        let text = format!("{name} is complete: {sum}{of}.");
        drawn.say(&text);
        drawn.blocks.push(section(
            place.id("week"),
            format!("*{name}, {span}* is complete: *{sum}*{of}."),
        ));
    } else {
        let count = match open.len() {
            1 => "1 day open".to_owned(),
            count => format!("{count} days open"),
        };
        drawn.say(&format!("{name}, {span}: {sum}{of}, {count}:"));
        let head = format!("*{name}, {span}* · *{sum}*{of} · {count}");
        drawn.blocks.push(section(place.id("week"), head));
    }
    let whole = week
        .days
        .iter()
        .map(|day| day.target.max(Minutes::new(1)))
        .max()
        .unwrap_or_default();
    let bars: Vec<String> = week
        .days
        .iter()
        .map(|day| {
            let off = match (day.mark, day.is_away) {
                (Some(DayMark::Off), _) => " · day off",
                (_, true) => " · away",
                (Some(DayMark::Closed), _) => " · closed",
                _ => "",
            };
            format!(
                "{}  {}  {}{off}",
                bar(day.total, whole),
                day.day.format("%a"),
                day.total
            )
        })
        .collect();
    if !bars.is_empty() {
        drawn
            .blocks
            .push(section(place.id("week.bars"), bars.join("\n")));
    }
    if !open.is_empty() {
        drawn.divide();
        for day in open.iter().take(OPEN_DAYS) {
            let (text, block) = open_day(reader, place, day);
            drawn.say(&text);
            drawn.blocks.push(block);
        }
    }
    if let Some(SummaryNotice::Batch(batch)) = notice {
        let name = format!("Undo: {}, {} logged", meetings(batch.count), batch.total);
        let undo = Button::new(
            "event.undo_batch",
            "Undo",
            format!("b:{}", batch.key),
            &name,
        );
        let text = format!(
            "*{} logged* just now, {}",
            meetings(batch.count),
            batch.total
        );
        drawn
            .blocks
            .push(with_button(place.id("week.logged"), text, undo));
    }
    said(reader, place, notice, &mut drawn);
    let mut buttons = Vec::new();
    if !open.is_empty() {
        buttons.push(Button::new(
            "week.close",
            "Nothing more to log",
            format!("d:{}", week.monday),
            &format!(
                "Nothing more to log for the week of {}",
                long_day(week.monday)
            ),
        ));
    }
    if reader.member.preferences.monday {
        buttons.push(Button::new(
            "prefs.monday",
            "Stop Monday messages",
            "monday:off",
            "Stop the Monday message",
        ));
    }
    if !buttons.is_empty() {
        drawn
            .blocks
            .push(actions(place.id("week.actions"), buttons));
    }
    Message::new(drawn.text, drawn.blocks)
}

/// `Thu 19 Nov · 1 h 30 min open · 2 meetings not logged`, and the smallest step that closes it.
fn open_day(reader: Reader<'_>, place: Place<'_>, day: &DaySummary) -> (String, SlackBlock) {
    let name = short_day(day.day, place.today);
    let missing = day.missing();
    let open = if missing == Minutes::default() {
        String::new()
    } else {
        format!(" · {missing} open")
    };
    let longest = day
        .gaps
        .iter()
        .max_by_key(|gap| (gap.length(), std::cmp::Reverse(gap.start)));
    let (why, way) = match (day.waiting.len(), longest) {
        (0, Some(gap)) => (
            format!("nothing logged {}", gap_times(place, gap)),
            fill_gap(place, day.day, gap),
        ),
        (0, None) => ("no meeting is waiting".to_owned(), add_time(day.day)),
        (count, _) => {
            let name = match count {
                1 => "Log it".to_owned(),
                2 => "Log both".to_owned(),
                count => format!("Log all {count}"),
            };
            (
                format!("{} not logged", meetings(count)),
                log_all(reader, day, "event.log_day", &name),
            )
        }
    };
    let id = place.id(&format!("open:{}", day.day));
    let says = format!("{name}{}, {why};", open.replace(" · ", " "));
    (
        says,
        with_button(id, format!("*{name}*{open} · {why}"), way),
    )
}
