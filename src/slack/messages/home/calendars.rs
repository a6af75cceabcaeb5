//! Connected calendars: state first, then which, then when they were last read.

use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockChoiceItem, SlackBlockOverflowElement, SlackDividerBlock,
    SlackSectionBlock, SlackSectionBlockElement,
};

use super::{id, place};
use crate::{
    app::{Home, Notice},
    domain::calendar::{Account, AccountState},
    slack::{
        messages::{
            Button, actions,
            calendars::{because, calendar_name, connect_buttons, read_names, since, value},
            context, label, markdown, section, with_button,
        },
        text::{clock_time, cut, plain, short_day},
    },
};

/// How many accounts are shown.
const ACCOUNTS_SHOWN: usize = 4;

/// One row an account, and the buttons to connect more.
pub(super) fn rows(home: &Home) -> Vec<SlackBlock> {
    let mut blocks = vec![section(id("calendars"), "*Calendars*".to_owned())];
    let accounts = home.accounts.iter().take(ACCOUNTS_SHOWN);
    blocks.extend(accounts.map(|account| row(home, account)));
    let more = home.accounts.len().saturating_sub(ACCOUNTS_SHOWN);
    if more > 0 {
        let accounts = if more == 1 { "account" } else { "accounts" };
        blocks.push(context(
            id("calendars.more"),
            format!("and {more} more {accounts}"),
        ));
    }
    if !home.offered.is_empty() {
        blocks.push(actions(
            id("calendars.connect"),
            connect_buttons(&home.offered, false),
        ));
    }
    blocks
}

/// How an account stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    On,
    /// Its calendars are chosen, and not read.
    Off,
    NothingChosen,
    Stopped,
}

impl State {
    fn of(account: &Account) -> Self {
        if account.state != AccountState::Active {
            Self::Stopped
        } else if account.read().next().is_none() {
            Self::NothingChosen
        } else if account.read().any(|calendar| calendar.sync_enabled) {
            Self::On
        } else {
            Self::Off
        }
    }
}

fn row(home: &Home, account: &Account) -> SlackBlock {
    let state = State::of(account);
    let says = match state {
        State::Stopped => format!(
            "Stopped on {} · {}",
            since(account, home.zone, home.today),
            because(account)
        ),
        State::NothingChosen => "Off · no calendar is chosen".to_owned(),
        State::On => format!("{} · {}", running(home, account), names(home, account)),
        State::Off => format!("Off · {}", names(home, account)),
    };
    let text = format!(
        "*{} · {}*\n{}",
        account.provider.name(),
        plain(&cut(&account.email, 80)),
        plain(&says)
    );
    let mut verbs = match state {
        State::Stopped => vec![("Reconnect", "reconnect")],
        State::On => vec![("Sync now", "sync"), ("Choose calendars", "choose")],
        State::Off | State::NothingChosen => vec![("Choose calendars", "choose")],
    };
    match state {
        State::On => verbs.push(("Turn off", "turn_off")),
        State::Off => verbs.push(("Turn on", "turn_on")),
        State::Stopped | State::NothingChosen => {}
    }
    verbs.push(("Disconnect…", "disconnect_form"));
    let choices = verbs.into_iter().map(|(name, verb)| {
        SlackBlockChoiceItem::new(label(name), format!("{verb} {}", value(account)))
    });
    let menu = SlackBlockOverflowElement::new(choices.collect())
        .with_action_id(SlackActionId("calendar.menu".to_owned()));
    SlackSectionBlock::new()
        .with_block_id(place(home).id_of("calendar", account.id))
        .with_text(markdown(text).into())
        .with_accessory(SlackSectionBlockElement::Overflow(menu))
        .into()
}

/// How reading goes: `On`, `Syncing now`, `Slow: Google answers late, next try 16:10`.
fn running(home: &Home, account: &Account) -> String {
    let next = account
        .read()
        .filter_map(|calendar| calendar.next_attempt_at);
    if let Some(next) = next.filter(|next| *next > home.now).min() {
        return format!(
            "Slow: {} answers late, next try {}",
            account.provider.company(),
            clock_time(next, home.zone)
        );
    }
    if home.notice == Some(Notice::Reading(account.id)) {
        "Syncing now".to_owned()
    } else {
        "On".to_owned()
    }
}

/// `Nina Berg, Tern team · synced at 15:58`.
fn names(home: &Home, account: &Account) -> String {
    let names = read_names(account).join(", ");
    let last = account
        .read()
        .filter_map(|calendar| calendar.last_synced_at);
    let last = match last.max() {
        None => "not read yet".to_owned(),
        Some(last) => {
            let day = last.with_timezone(&home.zone).date_naive();
            if day == home.today {
                format!("synced at {}", clock_time(last, home.zone))
            } else {
                format!("last synced {}", short_day(day, home.today))
            }
        }
    };
    format!("{names} · {last}")
}

/// On top: each connection that is broken, with the button that mends it.
pub(super) fn broken(home: &Home) -> Vec<SlackBlock> {
    let broken = home
        .accounts
        .iter()
        .filter(|account| account.state == AccountState::NeedsReconnect)
        .take(ACCOUNTS_SHOWN);
    let notice = |(at, account): (usize, &Account)| {
        let (name, email) = (account.provider.name(), &account.email);
        let text = format!(
            "⚠️ *{} is no longer read.* {}. Nothing is lost: meetings since {} appear once you reconnect.",
            calendar_name(account.provider),
            because(account),
            since(account, home.zone, home.today)
        );
        let button = Button::new(
            "calendar.reconnect",
            format!("Reconnect {name}"),
            value(account),
            &format!("Reconnect {name}, {email}"),
        );
        // One button is green, however many there are.
        let button = if at == 0 { button.primary() } else { button };
        with_button(
            place(home).id_of("notice.calendar", account.id),
            text,
            button,
        )
    };
    let mut blocks: Vec<SlackBlock> = broken.enumerate().map(notice).collect();
    if !blocks.is_empty() {
        blocks.push(SlackDividerBlock::new().into());
    }
    blocks
}
