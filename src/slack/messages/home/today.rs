//! The day: how much of it is logged, what runs, where nothing is.

use slack_morphism::prelude::SlackBlock;

use super::{Green, header, id, welcome::Steps};
use crate::{
    app::Home,
    domain::{gaps::Gap, minutes::Minutes, timer::Timer},
    slack::{
        messages::{Button, actions, context, marks, name, section, timer_value, with_button},
        text::{bar, clock_time, cut, long_day, plain, short_day},
    },
};

/// Gaps that are shown; more are counted.
const GAPS_SHOWN: usize = 3;

pub(super) fn blocks(home: &Home, steps: Steps, green: Green) -> Vec<SlackBlock> {
    let mut blocks = vec![
        header("today", &long_day(home.today)),
        section(id("today.total"), strip(home)),
    ];
    blocks.extend(home.timer.as_ref().map(|timer| timer_row(home, timer)));
    blocks.extend(gap_rows(home));
    let day = format!("d:{}", home.today);
    let spoken = format!("Log time for {}", long_day(home.today));
    let log = Button::new("entry.new", "Log time", day.clone(), &spoken);
    // The first step has the same button, green, as long as it is open.
    let is_green = green == Green::LogTime && !steps.offers_to_log();
    let mut buttons = vec![if is_green { log.primary() } else { log }];
    if home.timer.is_none() {
        buttons.push(Button::new(
            "timer.start",
            "Start timer",
            day,
            "Start timer: say what you do",
        ));
    }
    blocks.push(actions(id("today.actions"), buttons));
    blocks
}

fn strip(home: &Home) -> String {
    let (total, target) = (home.day_total(), home.preferences.target_per_day);
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
fn timer_row(home: &Home, timer: &Timer) -> SlackBlock {
    let name = cut(&name(timer), 60);
    let day = timer.day(home.zone);
    let mut since = clock_time(timer.started_at, home.zone);
    if day != home.today {
        since.insert_str(0, &format!("{}, ", short_day(day, home.today)));
    }
    let row = format!(
        "⏱️ Timer running since {since} · *{}*{}",
        plain(&name),
        plain(&marks(timer))
    );
    let stop = Button::new(
        "timer.stop",
        "Stop and log",
        timer_value(timer, home.zone),
        &format!("Stop and log the timer: {name}"),
    );
    with_button(id("today.timer"), row, stop)
}

fn gap_rows(home: &Home) -> Vec<SlackBlock> {
    let row = |gap: &Gap| {
        let (from, to) = (
            clock_time(gap.start, home.zone),
            clock_time(gap.end, home.zone),
        );
        let fill = Button::new(
            "gap.fill",
            "Fill gap",
            format!("g:{}:{from}-{to}", home.today),
            &format!("Fill gap: {from} to {to} on {}", long_day(home.today)),
        );
        with_button(
            id(&format!("gap:{}", from.replace(':', ""))),
            format!("Nothing logged {from}–{to} · {}", gap.length()),
            fill,
        )
    };
    let mut rows: Vec<SlackBlock> = home.gaps.iter().take(GAPS_SHOWN).map(row).collect();
    let more = home.gaps.len().saturating_sub(GAPS_SHOWN);
    if more > 0 {
        let gaps = if more == 1 { "gap" } else { "gaps" };
        rows.push(context(id("gap.more"), format!("and {more} more {gaps}")));
    }
    rows
}
