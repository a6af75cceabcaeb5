//! What is said about connected calendars, and how they stand in the Home tab and in forms.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use slack_morphism::prelude::{
    SlackActionBlockElement, SlackActionId, SlackActionsBlock, SlackBlock,
    SlackBlockCheckboxesElement, SlackBlockChoiceItem, SlackBlockConfirmItem, SlackBlockId,
    SlackBlockMultiStaticSelectElement, SlackBlockOverflowElement, SlackBlockText,
    SlackDividerBlock, SlackInputBlock, SlackSectionBlock, SlackSectionBlockElement,
};
use url::Url;

use super::{Button, Message, Reader, actions, context, label, markdown, section, sentence};
use crate::{
    app::{ConnectLink, REMINDERS, Typed},
    domain::{
        calendar::{Account, AccountState, Calendar, ReconnectReason},
        provider::Provider,
    },
    slack::text::{clock_time, cut, isolated, plain, plain_within, short_day},
};

/// The most options that checkboxes may have.
const CHECKBOXES_MAX: usize = 10;
/// The most characters that the text of an option may have.
const OPTION_TEXT_MAX: usize = 75;
/// The most options that a menu may have.
const MENU_MAX: usize = 100;
/// How many accounts the Home tab shows.
const ACCOUNTS_SHOWN: usize = 4;

const READS: &str = "Read-only: title and time, never guests, places or notes.";

/// The buttons to connect what is offered.
fn connect_buttons(offered: &[Provider], has_primary: bool) -> Vec<Button> {
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
fn and(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The calendars that are read, by name; long lists end in a number.
fn read_names(account: &Account) -> Vec<String> {
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
fn value(account: &Account) -> String {
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

/// A calendar was connected, told in a direct message.
pub fn connected(reader: Reader<'_>, account: &Account, is_again: bool) -> Message {
    let (name, email) = (account.provider.name(), &account.email);
    let read = read_names(account);
    let reads = if read.is_empty() {
        "No calendar is read yet: choose some.".to_owned()
    } else {
        sentence(&format!("Reading {}", and(&read)))
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
fn because(account: &Account) -> String {
    let company = account.provider.company();
    match account.reason {
        Some(ReconnectReason::Revoked) => {
            format!("BillOps was disconnected in your {company} account")
        }
        Some(ReconnectReason::AdminApproval) => format!("{company} wants your admin’s approval"),
        Some(ReconnectReason::SignInAgain) | None => format!("{company} asks you to sign in again"),
    }
}

fn since(account: &Account, zone: Tz, today: NaiveDate) -> String {
    let day = account.state_since.with_timezone(&zone).date_naive();
    format!(
        "{}, {}",
        short_day(day, today),
        clock_time(account.state_since, zone)
    )
}

/// `Google Calendar` or `Outlook`.
const fn calendar_name(provider: Provider) -> &'static str {
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

/// How far the list of calendars in the form is that of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// As it was last; the provider is being asked.
    Asking,
    /// As the provider has it.
    Fresh,
    /// As it was last; the provider does not answer.
    Old,
    /// As it was last; the provider wants consent again.
    NeedsReconnect,
}

/// A calendar beside its box, as long as Slack lets it be with the marks around it.
fn choice_text(calendar: &Calendar) -> String {
    let main = if calendar.is_primary {
        " · your main calendar"
    } else {
        ""
    };
    // Two stars, and two signs around what is read from right to left.
    let room = OPTION_TEXT_MAX - 4 - main.chars().count();
    format!("*{}*{main}", isolated(&plain_within(&calendar.name, room)))
}

/// The form in which calendars are chosen.
pub fn choose_blocks(account: &Account, list: List) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    let (usable, unusable): (Vec<&Calendar>, Vec<&Calendar>) = account
        .calendars
        .iter()
        .filter(|calendar| calendar.gone_at.is_none())
        .partition(|calendar| calendar.has_details);
    let mut blocks = vec![section(
        id("choose.account"),
        format!("{} · {}", account.provider.name(), plain(&account.email)),
    )];
    if usable.is_empty() {
        blocks.push(section(
            id("choose.none"),
            "This account shows no calendar with details, so there is nothing to log.".to_owned(),
        ));
    } else if usable.len() <= CHECKBOXES_MAX {
        let option = |calendar: &&Calendar| {
            SlackBlockChoiceItem::new(
                SlackBlockText::MarkDown(markdown(choice_text(calendar))),
                format!("k:{}", calendar.id),
            )
        };
        let chosen: Vec<_> = usable
            .iter()
            .filter(|calendar| calendar.is_active)
            .map(option)
            .collect();
        let mut boxes = SlackBlockCheckboxesElement::new(usable.iter().map(option).collect())
            .with_action_id(SlackActionId("value".to_owned()));
        boxes.initial_options = (!chosen.is_empty()).then_some(chosen);
        blocks.push(
            SlackActionsBlock::new(vec![boxes.into()])
                .with_block_id(id("calendars"))
                .into(),
        );
    } else {
        let option = |calendar: &&Calendar| {
            SlackBlockChoiceItem::new(
                label(&isolated(&cut(&calendar.name, 70))),
                format!("k:{}", calendar.id),
            )
        };
        let shown: Vec<&Calendar> = usable.iter().copied().take(MENU_MAX).collect();
        let chosen: Vec<_> = shown
            .iter()
            .filter(|calendar| calendar.is_active)
            .map(option)
            .collect();
        let mut menu = SlackBlockMultiStaticSelectElement::new()
            .with_action_id(SlackActionId("value".to_owned()))
            .with_options(shown.iter().map(option).collect());
        menu.initial_options = (!chosen.is_empty()).then_some(chosen);
        blocks.push(
            SlackInputBlock::new(label("Read these"), menu.into())
                .with_optional(true)
                .with_block_id(id("calendars"))
                .into(),
        );
    }
    if !unusable.is_empty() {
        let names: Vec<String> = unusable
            .iter()
            .take(5)
            .map(|calendar| format!("*{}*", plain(&isolated(&cut(&calendar.name, 60)))))
            .collect();
        let shows = if names.len() == 1 { "shows" } else { "show" };
        blocks.push(section(
            id("choose.unusable"),
            format!(
                "{} {shows} only free and busy, so there is nothing to log from it.",
                and(&names)
            ),
        ));
    }
    let mut note = "What you already logged or skipped stays, whatever you choose here".to_owned();
    let company = account.provider.company();
    let _ = match list {
        List::Asking => write!(note, " · asking {company} for newer calendars…"),
        List::Fresh => Ok(()),
        List::Old => write!(
            note,
            " · {company} does not answer just now, so newer calendars may be missing"
        ),
        List::NeedsReconnect => write!(
            note,
            " · {}: close this and press *Reconnect* in the Home tab",
            because(account)
        ),
    };
    blocks.push(context(id("choose.note"), note));
    blocks
}

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

/// What disconnecting means, in the form that asks.
pub fn disconnect_blocks(account: &Account) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    let back = match account.provider {
        Provider::Google => "gives its key back to Google",
        Provider::Microsoft => {
            "forgets its key. Microsoft keeps listing the permission until you remove it at myapps.microsoft.com"
        }
    };
    vec![
        section(
            id("disconnect.text"),
            format!("BillOps stops reading *{}* and {back}.", plain(&account.email)),
        ),
        section(
            id("disconnect.list"),
            "•  Your entries stay, also those made from meetings\n•  You can connect again at any time".to_owned(),
        ),
    ]
}

/// The form about the token for programs.
pub fn api_token_blocks(
    made: Option<(DateTime<Utc>, Option<DateTime<Utc>>)>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    let today = now.with_timezone(&zone).date_naive();
    let day = |at: DateTime<Utc>| {
        let day = at.with_timezone(&zone).date_naive();
        if day == today {
            "today".to_owned()
        } else {
            short_day(day, today)
        }
    };
    let intro = "A token lets a program read and write your entries through BillOps’ API, as you. Give it to nobody.";
    let mut blocks = vec![section(id("token.text"), intro.to_owned())];
    let Some((made_at, used_at)) = made else {
        blocks.push(section(
            id("token.none"),
            "There is no token yet.".to_owned(),
        ));
        blocks.push(actions(
            id("token.actions"),
            vec![Button::new(
                "token.new",
                "Create token",
                "token",
                "Create token",
            )],
        ));
        return blocks;
    };
    let used = used_at.map_or_else(
        || "not used yet".to_owned(),
        |used_at| format!("last used {}", day(used_at)),
    );
    blocks.push(section(
        id("token.made"),
        format!("Made {}, {used}.", day(made_at)),
    ));
    let ask = |title: &str, yes: &str| {
        SlackBlockConfirmItem::new(
            label(title),
            SlackBlockText::from(label("Programs that use it stop working at once.")),
            label(yes),
            label("Cancel"),
        )
        .with_style("danger".to_owned())
    };
    let replace = Button {
        confirm: Some(ask("Replace the token?", "Replace")),
        ..Button::new("token.new", "Replace", "token", "Replace the token")
    };
    let revoke = Button {
        confirm: Some(ask("Revoke the token?", "Revoke")),
        ..Button::new("token.revoke", "Revoke", "token", "Revoke the token")
    };
    blocks.push(actions(id("token.actions"), vec![replace, revoke]));
    blocks
}

/// A new token, shown once.
pub fn new_token_blocks(token: &str) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    vec![
        section(
            id("token.shown"),
            format!("*Your token.* Copy it now; it is not shown again.\n```{token}```"),
        ),
        context(
            id("token.how"),
            "Send it as `Authorization: Bearer …`. Whoever has it acts as you; revoke it here."
                .to_owned(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_long_name_fits_beside_its_box() {
        let named = |name: &str, is_primary| Calendar {
            id: Uuid::nil(),
            account_id: Uuid::nil(),
            provider_calendar_id: String::new(),
            name: name.to_owned(),
            is_primary,
            has_details: true,
            is_active: true,
            sync_enabled: true,
            gone_at: None,
            last_synced_at: None,
        };
        assert_eq!(
            choice_text(&named("Nina Berg", true)),
            "*Nina Berg* · your main calendar"
        );
        for name in ["a".repeat(200), "&*".repeat(100), "ع".repeat(200)] {
            for is_primary in [true, false] {
                let text = choice_text(&named(&name, is_primary));
                assert!(text.chars().count() <= OPTION_TEXT_MAX, "{text}");
                let ends = text.matches(['\u{2068}', '\u{2069}']).count();
                assert!(ends == 0 || ends == 2, "{text}");
            }
        }
    }
}
