//! The day: how much of it is logged, what runs, where nothing is.

use slack_morphism::prelude::SlackBlock;

use super::{Green, header, id, place, welcome::Steps};
use crate::{
    app::Home,
    slack::{
        messages::{
            Button, actions,
            rows::{gap_rows, strip, timer_row},
            section,
        },
        text::long_day,
    },
};

pub(super) fn blocks(home: &Home, steps: Steps, green: Green) -> Vec<SlackBlock> {
    let strip = strip(home.day_total(), home.preferences.target_per_day);
    let mut blocks = vec![
        header("today", &long_day(home.today)),
        section(id("today.total"), strip),
    ];
    let timer = home.timer.as_ref();
    blocks.extend(timer.map(|timer| timer_row(place(home), timer)));
    blocks.extend(gap_rows(place(home), home.today, &home.gaps));
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
