//! Three steps for somebody who is new.

use slack_morphism::prelude::{SlackBlock, SlackDividerBlock};

use super::{Green, header, id};
use crate::{
    app::Home,
    domain::{minutes::Minutes, preferences::Preferences},
    slack::{
        messages::{Button, actions, calendars::connect_buttons, section, with_button},
        text::cut,
    },
};

/// Whoever has logged so often knows how it works, with or without a calendar.
const KNOWS_FROM: usize = 5;

/// Which steps are done.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    has_logged: bool,
    has_connected: bool,
    has_chosen: bool,
    is_used: bool,
}

impl Steps {
    pub(super) fn of(home: &Home) -> Self {
        Self {
            has_logged: !home.recent.is_empty(),
            has_connected: !home.accounts.is_empty(),
            has_chosen: home.preferences != Preferences::default(),
            is_used: home.recent.len() >= KNOWS_FROM,
        }
    }

    fn done(self) -> usize {
        [self.has_logged, self.has_connected, self.has_chosen]
            .into_iter()
            .filter(|is_done| *is_done)
            .count()
    }

    pub(super) fn is_none_done(self) -> bool {
        self.done() == 0
    }

    pub(super) fn are_shown(self) -> bool {
        self.done() < 2 && !self.is_used
    }

    /// The first step stands there with its button.
    pub(super) fn offers_to_log(self) -> bool {
        self.are_shown() && !self.has_logged
    }
}

pub(super) fn steps(home: &Home, steps: Steps, green: Green) -> Vec<SlackBlock> {
    let title = |is_done: bool, title: &str| {
        if is_done {
            format!("Done: {title}")
        } else {
            format!("*{title}*")
        }
    };
    let mut blocks = vec![
        header("welcome", &cut(&format!("Welcome, {}", home.name), 150)),
        section(
            id("welcome.text"),
            "BillOps turns one line in Slack, or a meeting in your calendar, into a time entry. Three steps, about \
             a minute."
                .to_owned(),
        ),
        SlackDividerBlock::new().into(),
    ];
    let first = title(steps.has_logged, "1 · Log something");
    blocks.push(if steps.has_logged {
        section(id("step:1"), first)
    } else {
        let day = format!("d:{}", home.today);
        let button = Button::new("entry.new", "Log time", day, "Log time: step 1");
        let is_green = green == Green::LogTime;
        with_button(
            id("step:1"),
            format!(
                "{first}\nType `/time 2.5 hours: Meeting` in any channel. Only you see the answer, and everything \
                 can be undone."
            ),
            if is_green { button.primary() } else { button },
        )
    });
    let second = title(steps.has_connected, "2 · Connect your calendar");
    if steps.has_connected {
        blocks.push(section(id("step:2"), second));
    } else if home.offered.is_empty() {
        let none = "No calendar is set up on this server. Your admins know how.";
        blocks.push(section(id("step:2"), format!("{second}\n{none}")));
    } else {
        blocks.push(section(
            id("step:2"),
            format!(
                "{second}\nMeetings wait here until you log or skip them. Read-only: BillOps keeps title and time, \
                 never guests, places or notes."
            ),
        ));
        blocks.push(actions(
            id("calendars.connect"),
            connect_buttons(&home.offered, false),
        ));
    }
    let third = title(steps.has_chosen, "3 · Check your day");
    blocks.push(if steps.has_chosen {
        section(id("step:3"), third)
    } else {
        let button = Button::new(
            "prefs.open",
            "Change",
            "welcome",
            "Change your working day: step 3",
        );
        with_button(id("step:3"), format!("{third}\n{}", day(home)), button)
    });
    blocks
}

/// `8 h from 09:00, Monday to Friday, Europe/Berlin. A summary comes at 17:30.`
fn day(home: &Home) -> String {
    let chosen = &home.preferences;
    let start = chosen.workday_start.format("%H:%M");
    let length = if chosen.target_per_day == Minutes::default() {
        format!("From {start}")
    } else {
        format!("{} from {start}", chosen.target_per_day)
    };
    let summary = if chosen.daily_summary {
        format!(
            " A summary comes at {}.",
            chosen.daily_summary_time.format("%H:%M")
        )
    } else {
        String::new()
    };
    format!("{length}, Monday to Friday, {}.{summary}", home.zone.name())
}
