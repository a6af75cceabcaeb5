//! The Home tab: what is now, what is open, what has been, what is set, in this order.

mod calendars;
mod entries;
mod notice;
#[cfg(test)]
mod tests;
mod today;
mod waiting;
mod week;
mod welcome;
mod workspace;

use slack_morphism::prelude::{
    SlackBlock, SlackBlockId, SlackCallbackId, SlackDividerBlock, SlackHeaderBlock, SlackHomeView,
    SlackView,
};

use super::{Button, actions, context, label, offer_blocks, rows::Place, rule_rows, section};
use crate::{
    app::{Home, Notice, Unfolded},
    domain::calendar::AccountState,
    slack::text::{clock_time, short_day},
};

pub(in crate::slack) use notice::notice_words;

/// Where the one green button stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Green {
    /// A problem is named, and what solves it.
    Notice,
    /// Several meetings wait.
    LogAll,
    LogTime,
}

impl Green {
    fn of(home: &Home) -> Self {
        let mut accounts = home.accounts.iter();
        if accounts.any(|account| account.state == AccountState::NeedsReconnect) {
            Self::Notice
        } else if home.waiting.len() > 1 {
            Self::LogAll
        } else {
            Self::LogTime
        }
    }
}

/// Draws the Home tab.
pub fn home(home: &Home) -> SlackView {
    let green = Green::of(home);
    let steps = welcome::Steps::of(home);
    // Whoever has done nothing yet sees the steps and nothing else.
    let is_new = steps.is_none_done() && home.notice.is_none() && home.timer.is_none();
    let mut blocks = calendars::broken(home);
    blocks.extend(
        home.notice
            .as_ref()
            .and_then(|notice| notice::line(home, notice)),
    );
    if let Some(Notice::Meeting(_, Some(rule))) = &home.notice {
        blocks.extend(offer_blocks(rule, ""));
    }
    if steps.are_shown() {
        blocks.extend(welcome::steps(home, steps, green));
    }
    if !(steps.are_shown() && is_new) {
        let mut parts = vec![today::blocks(home, steps, green)];
        // The steps offer to connect a calendar already.
        if !home.accounts.is_empty() || !(steps.are_shown() || home.offered.is_empty()) {
            parts.push(waiting::blocks(home, green));
        }
        parts.push(week::blocks(home));
        parts.push(entries::blocks(home));
        if !home.accounts.is_empty() {
            let mut rows = calendars::rows(home);
            rows.extend(rule_rows(&home.rules, home.zone, home.today));
            parts.push(rows);
        }
        for part in parts {
            if !blocks.is_empty() {
                blocks.push(SlackDividerBlock::new().into());
            }
            blocks.extend(part);
        }
    }
    if let Some(seen) = &home.workspace {
        blocks.push(SlackDividerBlock::new().into());
        blocks.extend(workspace::blocks(seen));
    }
    blocks.push(SlackDividerBlock::new().into());
    blocks.push(actions(id("settings"), settings(steps)));
    blocks.push(context(
        id("stamp"),
        stamp(home, steps.are_shown() && is_new),
    ));
    let mut view = SlackHomeView::new(blocks).with_callback_id(SlackCallbackId("home".to_owned()));
    if home.unfolded != Unfolded::default() {
        let unfolded = serde_json::to_string(&home.unfolded);
        view.private_metadata = Some(unfolded.expect("it is made of plain fields"));
    }
    SlackView::Home(view)
}

fn settings(steps: welcome::Steps) -> Vec<Button> {
    let mut buttons = Vec::new();
    if !steps.are_shown() {
        buttons.push(Button::new(
            "prefs.open",
            "Preferences",
            "home",
            "Preferences: open them",
        ));
    }
    buttons.extend([
        Button::new(
            "data.open",
            "What BillOps knows about me",
            "home",
            "What BillOps knows about me",
        ),
        Button::new("token.open", "API token", "home", "API token: for programs"),
        Button::new("help.open", "Help", "home", "Help with BillOps"),
    ]);
    buttons
}

fn stamp(home: &Home, is_new: bool) -> String {
    if is_new {
        return "Your entries: seen by you and your workspace’s admins. Your calendar: seen by you only."
            .to_owned();
    }
    let zone = if home.is_zone_known {
        format!("Times in {}", home.zone.name())
    } else {
        "Times in UTC, because Slack has not told me your time zone yet".to_owned()
    };
    let notices = if home.are_notices_on {
        ""
    } else {
        "Your workspace’s admins have switched summaries and notices off · "
    };
    format!(
        "{notices}{zone} · as of {}, {}",
        short_day(home.today, home.today),
        clock_time(home.now, home.zone)
    )
}

/// What there is to see when nothing can be read.
pub fn home_unavailable() -> SlackView {
    let text = "BillOps cannot reach its database just now. What you log with `/time` will be refused until it \
                can. Open this tab again in a moment.";
    SlackView::Home(SlackHomeView::new(vec![section(
        id("unavailable"),
        text.to_owned(),
    )]))
}

fn id(name: &str) -> SlackBlockId {
    SlackBlockId(name.to_owned())
}

fn place(home: &Home) -> Place<'static> {
    Place {
        zone: home.zone,
        today: home.today,
        suffix: "",
    }
}

fn header(name: &str, text: &str) -> SlackBlock {
    SlackHeaderBlock::new(label(text))
        .with_block_id(id(name))
        .into()
}

/// `Today, Fri 20 Nov`.
fn named_day(day: chrono::NaiveDate, today: chrono::NaiveDate) -> String {
    let name = short_day(day, today);
    if day == today {
        format!("Today, {name}")
    } else {
        name
    }
}
