//! What is said about connected calendars.

use chrono::NaiveDate;
use chrono_tz::Tz;
use slack_morphism::prelude::{
    SlackActionBlockElement, SlackActionsBlock, SlackBlock, SlackBlockConfirmItem, SlackBlockId,
    SlackBlockText,
};
use url::Url;

use super::{Button, Message, Reader, actions, context, label, section, sentence};
use crate::{
    app::{ConnectLink, REMINDERS, Typed},
    domain::{
        calendar::{Account, ReconnectReason},
        provider::Provider,
    },
    slack::text::{clock_time, cut, isolated, plain, short_day},
};

const READS: &str = "Read-only: title and time, never guests, places or notes.";

/// The buttons to connect what is offered.
pub(super) fn connect_buttons(offered: &[Provider], has_primary: bool) -> Vec<Button> {
    let button = |provider: &Provider| {
        let name = provider.name();
        let article = if *provider == Provider::Google {
            "a"
        } else {
            "an"
        };
        Button::new(
            &format!("calendar.connect.{}", provider.as_str()),
            format!("Connect {name}"),
            provider.as_str(),
            &format!("Connect {name}: {article} {name} calendar"),
        )
    };
    offered
        .iter()
        .enumerate()
        .map(|(at, provider)| {
            let button = button(provider);
            if has_primary && at == 0 {
                button.primary()
            } else {
                button
            }
        })
        .collect()
}

/// Which calendar is to be connected?
pub fn which_calendar(reader: Reader<'_>, offered: &[Provider]) -> Message {
    if offered.is_empty() {
        return nothing_offered(reader);
    }
    let text = format!(
        "Connect a calendar, and your meetings wait in the Home tab to be logged with one click. {READS}"
    );
    let blocks = vec![
        section(
            reader.id("connect"),
            format!(
                "*Connect a calendar*\nYour meetings then wait in the Home tab to be logged with one click. {READS}"
            ),
        ),
        actions(
            reader.id("connect.actions"),
            connect_buttons(offered, false),
        ),
    ];
    Message::new(text, blocks)
}

fn nothing_offered(reader: Reader<'_>) -> Message {
    let text = "No calendar is set up on this server. Your admins know how.";
    Message::new(
        text,
        vec![section(reader.id("connect.none"), text.to_owned())],
    )
}

/// So many calendars are being read.
pub fn reading_calendars(reader: Reader<'_>, count: usize) -> Message {
    let text = match count {
        0 => "No calendar is read. Connect one with /time connect, or choose calendars in the Home tab.".to_owned(),
        1 => "Your calendar is being read now. Meetings that wait are in the Home tab.".to_owned(),
        count => format!("Your {count} calendars are being read now. Meetings that wait are in the Home tab."),
    };
    Message::new(text.clone(), vec![section(reader.id("sync"), text)])
}

/// The provider is not set up here.
pub fn not_set_up(reader: Reader<'_>, provider: Provider) -> Message {
    let text = format!(
        "{} is not set up on this server. Your admins know how.",
        provider.name()
    );
    Message::new(text.clone(), vec![section(reader.id("connect.none"), text)])
}

/// The link to connect with.
pub fn connect_link(reader: Reader<'_>, link: &ConnectLink) -> Message {
    let (name, company) = (link.provider.name(), link.provider.company());
    let until = clock_time(link.expires_at, reader.zone());
    let text = format!(
        "Connect your {name} calendar. The button opens a page that names you, your workspace and {name}, before \
         {company} asks for your consent. {READS} The link works once, only for you, until {until}."
    );
    let blocks = vec![
        section(
            reader.id("connect"),
            format!(
                "*Connect your {name} calendar*\nYour meetings then wait in the Home tab to be logged with one click. {READS}"
            ),
        ),
        link_button(reader.id("connect.actions"), link.provider, &link.url),
        context(
            reader.id("connect.note"),
            format!(
                "Works once, only for you, until {until} · nothing happens before you agree on {company}’s page"
            ),
        ),
    ];
    Message::new(text, blocks)
}

/// The form with the link, once the link was opened.
pub fn link_opened_blocks(provider: Provider) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    let (name, company) = (provider.name(), provider.company());
    vec![
        section(
            id("connect"),
            format!(
                "*Go on in your browser*\nA page has opened there. Once {company} has agreed, the calendar stands in \
                 BillOps’ Home tab, and a direct message says which account it is. You can close this."
            ),
        ),
        context(
            id("connect.note"),
            format!(
                "No page, or the wrong browser? Close this and press *Connect {name}* again for a new link"
            ),
        ),
    ]
}

fn link_button(id: SlackBlockId, provider: Provider, url: &Url) -> SlackBlock {
    let company = provider.company();
    let spoken = format!("Continue to {company} to connect your calendar");
    let mut button = Button::new(
        "calendar.connect_link",
        format!("Continue to {company}"),
        provider.as_str(),
        &spoken,
    )
    .primary()
    .element();
    button.url = Some(url.clone());
    SlackActionsBlock::new(vec![SlackActionBlockElement::Button(button)])
        .with_block_id(id)
        .into()
}

/// `Nina Berg and Tern team`.
pub(super) fn and(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The calendars that are read, by name; long lists end in a number.
pub(super) fn read_names(account: &Account) -> Vec<String> {
    let mut names: Vec<String> = account
        .read()
        .map(|calendar| isolated(&cut(&calendar.name, 60)))
        .collect();
    if names.len() > 5 {
        let more = names.len() - 4;
        names.truncate(4);
        names.push(format!("{more} more"));
    }
    names
}

/// What the account's buttons carry.
pub(super) fn value(account: &Account) -> String {
    format!("c:{}", account.id)
}

fn disconnect_button(account: &Account) -> Button {
    let (name, email) = (account.provider.name(), &account.email);
    Button {
        confirm: Some(disconnect_question(account)),
        ..Button::new(
            "calendar.disconnect",
            "Disconnect",
            value(account),
            &format!("Disconnect {name}, {email}"),
        )
    }
}

fn disconnect_question(account: &Account) -> SlackBlockConfirmItem {
    let (name, email) = (account.provider.name(), &account.email);
    let back = match account.provider {
        Provider::Google => "gives its key back to Google",
        Provider::Microsoft => "forgets its key",
    };
    let text = format!(
        "BillOps stops reading {} and {back}. Your entries stay, and you can connect again at any time.",
        cut(email, 120)
    );
    SlackBlockConfirmItem::new(
        label(&format!("Disconnect {name}?")),
        SlackBlockText::from(label(&text)),
        label("Disconnect"),
        label("Cancel"),
    )
    .with_style("danger".to_owned())
}

/// A calendar was connected, told in a direct message; with how many meetings wait, where it was read already.
pub fn connected(
    reader: Reader<'_>,
    account: &Account,
    is_again: bool,
    waiting: Option<u64>,
) -> Message {
    let (name, email) = (account.provider.name(), &account.email);
    let read = read_names(account);
    let reads = if read.is_empty() {
        "No calendar is read yet: choose some.".to_owned()
    } else {
        let found = match waiting {
            None => "",
            Some(0) => " Nothing of the last 7 days is to be logged.",
            Some(1) => " 1 meeting is waiting in the Home tab.",
            Some(count) => &format!(" {count} meetings are waiting in the Home tab."),
        };
        sentence(&format!("Reading {}", and(&read))) + found
    };
    let done = if is_again {
        format!("{name} is read again")
    } else {
        format!("{name} is connected")
    };
    let text = format!(
        "{done}: {email}. {reads} If it was not you who connected it, press Disconnect and tell your admins."
    );
    let blocks = vec![
        section(
            reader.id("connected"),
            format!("*{done}* · {}\n{}", plain(email), plain(&reads)),
        ),
        actions(
            reader.id("connected.actions"),
            vec![
                Button::new(
                    "calendar.choose",
                    "Choose calendars",
                    value(account),
                    &format!("Choose which {name} calendars are read"),
                ),
                disconnect_button(account),
            ],
        ),
        context(
            reader.id("connected.note"),
            "If it was not you who connected it, press Disconnect and tell your admins".to_owned(),
        ),
    ];
    Message::new(text, blocks)
}

/// Why it is no longer read, as a sentence without its full stop.
pub(super) fn because(account: &Account) -> String {
    let company = account.provider.company();
    match account.reason {
        Some(ReconnectReason::Revoked) => {
            format!("BillOps was disconnected in your {company} account")
        }
        Some(ReconnectReason::AdminApproval) => format!("{company} wants your admin’s approval"),
        Some(ReconnectReason::SignInAgain) | None => format!("{company} asks you to sign in again"),
    }
}

pub(super) fn since(account: &Account, zone: Tz, today: NaiveDate) -> String {
    let day = account.state_since.with_timezone(&zone).date_naive();
    format!(
        "{}, {}",
        short_day(day, today),
        clock_time(account.state_since, zone)
    )
}

/// `Google Calendar` or `Outlook`.
pub(super) const fn calendar_name(provider: Provider) -> &'static str {
    match provider {
        Provider::Google => "Google Calendar",
        Provider::Microsoft => "Outlook",
    }
}

/// A connection is broken: told once (`nth` is 0), and reminded of.
pub fn broken(reader: Reader<'_>, account: &Account, nth: i32) -> Message {
    let (zone, today) = (reader.zone(), reader.today());
    let name = account.provider.name();
    let what = calendar_name(account.provider);
    let since_when = since(account, zone, today);
    let because = because(account);
    let still = if nth > 0 { "still not" } else { "no longer" };
    let days: Vec<String> = REMINDERS
        .iter()
        .skip(usize::try_from(nth).unwrap_or(usize::MAX))
        .map(|after| {
            let day = (account.state_since + *after)
                .with_timezone(&zone)
                .date_naive();
            short_day(day, today)
        })
        .collect();
    let reminders = if days.is_empty() {
        "This was the last reminder".to_owned()
    } else {
        format!("I will remind you on {}, then no more", and(&days))
    };
    let email = &account.email;
    let text = format!(
        "{what} is {still} read since {since_when}: {because} ({email}). Your entries are safe; meetings since \
         then appear once you reconnect. {reminders}."
    );
    let blocks = vec![
        section(
            reader.id("reconnect"),
            format!(
                "⚠️ *{what} is {still} read*, since {since_when}\n{because} ({}). Your entries are safe, and \
                 meetings since then appear once you reconnect.",
                plain(email)
            ),
        ),
        actions(
            reader.id("reconnect.actions"),
            vec![
                Button::new(
                    "calendar.reconnect",
                    format!("Reconnect {name}"),
                    value(account),
                    &format!("Reconnect {name}, {email}"),
                )
                .primary(),
                Button::new(
                    "calendar.off",
                    "Turn off",
                    value(account),
                    "Turn off: this account is no longer read, and no reminders come",
                ),
            ],
        ),
        context(reader.id("reconnect.note"), reminders),
    ];
    Message::new(text, blocks)
}

/// An account was given up.
pub fn disconnected(reader: Reader<'_>, account: &Account) -> Message {
    let name = account.provider.name();
    let elsewhere = match account.provider {
        Provider::Google => String::new(),
        // There is nowhere to give it back.
        Provider::Microsoft => {
            " At Microsoft the permission stays listed until you remove it at myapps.microsoft.com or \
             account.live.com/consent/Manage."
                .to_owned()
        }
    };
    let text = format!(
        "{name} is disconnected: {}. Your entries stay.{elsewhere}",
        account.email
    );
    let block = section(
        reader.id("disconnected"),
        format!(
            "*{name} is disconnected* · {}\nYour entries stay.{elsewhere}",
            plain(&account.email)
        ),
    );
    Message::new(text, vec![block])
}

/// There is no such account any more.
pub fn no_account(reader: Reader<'_>) -> Message {
    let text = "This calendar is not connected any more. Connect it again in the Home tab.";
    Message::new(
        text,
        vec![section(reader.id("connect.gone"), text.to_owned())],
    )
}

/// What came of a code that was typed.
pub fn typed_code(reader: Reader<'_>, typed: &Typed) -> Message {
    let text = match typed {
        Typed::Connected(account) => {
            let read = and(&read_names(account));
            let reads = if read.is_empty() { "no calendar yet" } else { &read };
            format!(
                "{} is connected: {}. Reading {reads}",
                account.provider.name(),
                account.email
            )
        }
        Typed::Wrong(0) => {
            "That is not the code, and there are no tries left. Ask for a new link with /time connect".to_owned()
        }
        Typed::Wrong(1) => "That is not the code. One try is left".to_owned(),
        Typed::Wrong(tries) => format!("That is not the code. {tries} tries are left"),
        Typed::Nothing => {
            "No calendar waits for a code. Codes work for 5 minutes; ask for a new link with /time connect".to_owned()
        }
        Typed::Unavailable(provider) => format!(
            "{} does not answer just now, so nothing was connected. Ask for a new link with /time connect",
            provider.company()
        ),
    };
    let text = sentence(&text);
    Message::new(
        text.clone(),
        vec![section(reader.id("connect.code"), plain(&text))],
    )
}
