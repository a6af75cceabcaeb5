//! Connected calendars in the Home tab.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockChoiceItem, SlackBlockId, SlackBlockOverflowElement,
    SlackDividerBlock, SlackSectionBlock, SlackSectionBlockElement,
};

use super::{
    Button, actions,
    calendars::{and, because, calendar_name, connect_buttons, read_names, since, value},
    context, label, markdown, section,
};
use crate::{
    domain::{
        calendar::{Account, AccountState},
        provider::Provider,
    },
    slack::text::{cut, plain},
};

/// How many accounts the Home tab shows.
const ACCOUNTS_SHOWN: usize = 4;

/// The calendars in the Home tab: one row an account, and the buttons to connect more.
pub fn home_rows(
    accounts: &[Account],
    offered: &[Provider],
    now: DateTime<Utc>,
    zone: Tz,
) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    let today = now.with_timezone(&zone).date_naive();
    let mut blocks = Vec::new();
    if accounts.is_empty() && offered.is_empty() {
        return blocks;
    }
    let head = if accounts.is_empty() {
        "*Calendars*\nNone connected yet. Connect one, and its meetings can be logged with one click."
    } else {
        "*Calendars*"
    };
    blocks.push(section(id("calendars"), head.to_owned()));
    for account in accounts.iter().take(ACCOUNTS_SHOWN) {
        blocks.push(account_row(account, zone, today));
    }
    if let Some(more) = accounts
        .len()
        .checked_sub(ACCOUNTS_SHOWN)
        .filter(|more| *more > 0)
    {
        blocks.push(context(
            id("calendars.more"),
            format!("and {more} more accounts"),
        ));
    }
    if !offered.is_empty() {
        blocks.push(actions(
            id("calendars.connect"),
            connect_buttons(offered, false),
        ));
    }
    blocks
}

fn account_row(account: &Account, zone: Tz, today: NaiveDate) -> SlackBlock {
    let read = read_names(account);
    let state = match account.state {
        AccountState::NeedsReconnect => format!(
            "Stopped on {}: {}",
            since(account, zone, today),
            because(account)
        ),
        AccountState::Disconnected => "Disconnected".to_owned(),
        AccountState::Active if read.is_empty() => "Off · no calendar is chosen".to_owned(),
        AccountState::Active => format!("On · {}", and(&read)),
    };
    let text = format!(
        "*{}* · {}\n{}",
        account.provider.name(),
        plain(&cut(&account.email, 80)),
        plain(&state)
    );
    let verbs: &[(&str, &str)] = match account.state {
        AccountState::NeedsReconnect => &[
            ("Reconnect", "reconnect"),
            ("Disconnect…", "disconnect_form"),
        ],
        _ => &[
            ("Choose calendars…", "choose"),
            ("Disconnect…", "disconnect_form"),
        ],
    };
    let choices = verbs.iter().map(|(name, verb)| {
        SlackBlockChoiceItem::new(label(name), format!("{verb} {}", value(account)))
    });
    let menu = SlackBlockOverflowElement::new(choices.collect())
        .with_action_id(SlackActionId("calendar.menu".to_owned()));
    let tail = account.id.simple().to_string().split_off(20);
    SlackSectionBlock::new()
        .with_block_id(SlackBlockId(format!("calendar:{tail}")))
        .with_text(markdown(text).into())
        .with_accessory(SlackSectionBlockElement::Overflow(menu))
        .into()
}

/// On top of the Home tab: each connection that is broken, with the button that mends it.
pub fn home_notices(accounts: &[Account], now: DateTime<Utc>, zone: Tz) -> Vec<SlackBlock> {
    let today = now.with_timezone(&zone).date_naive();
    let broken = accounts
        .iter()
        .filter(|account| account.state == AccountState::NeedsReconnect)
        .take(ACCOUNTS_SHOWN);
    let notice = |(at, account): (usize, &Account)| {
        let (name, email) = (account.provider.name(), &account.email);
        let text = format!(
            "⚠️ *{} is no longer read.* {}. Nothing is lost: meetings since {} appear once you reconnect.",
            calendar_name(account.provider),
            because(account),
            since(account, zone, today)
        );
        let button = Button::new(
            "calendar.reconnect",
            format!("Reconnect {name}"),
            value(account),
            &format!("Reconnect {name}, {email}"),
        );
        // One button is green, however many there are.
        let button = if at == 0 { button.primary() } else { button };
        let tail = account.id.simple().to_string().split_off(20);
        super::with_button(
            SlackBlockId(format!("notice.calendar:{tail}")),
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
