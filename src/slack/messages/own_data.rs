//! “What BillOps knows about me”: what is kept, and what is said before and after it is deleted.

use chrono::NaiveDate;
use slack_morphism::prelude::{SlackBlock, SlackBlockButtonStyle, SlackBlockId, SlackDividerBlock};

use super::{Button, Message, Reader, actions, context, section};
use crate::{
    domain::{minutes::Minutes, period::Period},
    slack::text::{plain, plain_within, short_day},
    store::OwnData,
};

/// Rules that are named before the rest is only counted.
const RULES_NAMED: usize = 3;

/// Where an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// It was not asked for.
    NotAsked,
    /// It is being made.
    OnItsWay,
}

impl Export {
    const fn sentence(self) -> &'static str {
        match self {
            Self::NotAsked => {
                "The export arrives as a file in your direct messages with BillOps, usually within a minute."
            }
            Self::OnItsWay => "On its way to your direct messages.",
        }
    }
}

fn id(name: &str) -> SlackBlockId {
    SlackBlockId(name.to_owned())
}

/// `1 rule`, `2 rules`.
fn count(number: i64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn since(data: &OwnData, today: NaiveDate) -> String {
    data.since.map_or(String::new(), |day| {
        format!(" since {}", short_day(day, today))
    })
}

/// What is kept, and what can be done with it.
pub fn own_data_blocks(data: &OwnData, today: NaiveDate, export: Export) -> Vec<SlackBlock> {
    let time = if data.entries == 0 {
        "Nothing yet.".to_owned()
    } else {
        format!(
            "{}{}, with the text you typed.",
            count(data.entries, "entry", "entries"),
            since(data, today)
        )
    };
    let calendars = if data.connections == 0 && data.events == 0 {
        "Nothing yet.".to_owned()
    } else {
        format!(
            "{} connected, read-only. {} of the last 7 and next 30 days, and those you logged: title, start, end, \
             series. Private events without their title, unless you allow it.",
            data.connections,
            count(data.events, "event", "events")
        )
    };
    let mut person = "Slack name and id, time zone, your preferences".to_owned();
    if !data.rules.is_empty() {
        let named: Vec<String> = data
            .rules
            .iter()
            .take(RULES_NAMED)
            .map(|(title, project)| {
                let to = project
                    .as_ref()
                    .map_or("no project".to_owned(), |slug| format!("#{}", plain(slug)));
                format!("{} to {to}", plain_within(title, 60))
            })
            .collect();
        let more = if data.rules.len() > RULES_NAMED {
            ", …"
        } else {
            ""
        };
        let number = i64::try_from(data.rules.len()).unwrap_or(i64::MAX);
        person = format!(
            "{person}, {} ({}{more})",
            count(number, "rule", "rules"),
            named.join(", ")
        );
    }
    if data.tokens > 0 {
        person = format!(
            "{person}, {}",
            count(data.tokens, "API token", "API tokens")
        );
    }
    let mut delete = Button::new(
        "data.delete",
        "Delete everything…",
        "ask",
        "Delete everything…, asks first",
    )
    .element();
    delete.style = Some(SlackBlockButtonStyle::Danger);
    let export_button = Button::new(
        "data.export",
        "Export everything",
        "all",
        "Export everything as a file in a direct message",
    );
    vec![
        section(id("data.entries"), format!("*Your time*\n{time}")),
        section(id("data.calendars"), format!("*Your calendars*\n{calendars}")),
        section(id("data.person"), format!("*About you*\n{person}.")),
        section(
            id("data.never"),
            "*Never kept*\nGuests, places and notes of events, other messages, passwords. Calendar keys are stored \
             encrypted and are never shown."
                .to_owned(),
        ),
        section(
            id("data.audience"),
            "*Who sees it*\nYour entries: you and workspace admins. Your calendars: you only; admins see \
             that one is connected, and where.".to_owned(),
        ),
        SlackDividerBlock::new().into(),
        slack_morphism::prelude::SlackActionsBlock::new(vec![
            export_button.element().into(),
            delete.into(),
        ])
        .with_block_id(id("data.actions"))
        .into(),
        context(id("data.note"), export.sentence().to_owned()),
    ]
}

/// What goes and what stays, before anything is deleted.
pub fn delete_blocks(data: &OwnData, today: NaiveDate, export: Export) -> Vec<SlackBlock> {
    let mut list = Vec::new();
    if data.entries > 0 {
        let minutes = Minutes::new(u32::try_from(data.minutes).unwrap_or(u32::MAX));
        list.push(format!(
            "•  {}, {minutes},{}",
            count(data.entries, "time entry", "time entries"),
            since(data, today)
        ));
    }
    if data.connections > 0 || data.events > 0 {
        list.push(format!(
            "•  {} and {}",
            count(
                data.connections,
                "calendar connection",
                "calendar connections"
            ),
            count(data.events, "event", "events")
        ));
    }
    list.push("•  preferences, rules and API tokens".to_owned());
    let mut blocks = vec![
        section(
            id("delete.text"),
            "⚠️ *This cannot be undone.* It deletes, for you and in this workspace:".to_owned(),
        ),
        section(id("delete.list"), list.join("\n")),
    ];
    if data.settled > 0 {
        let (entries, stay) = if data.settled == 1 {
            ("entry is", "It stays")
        } else {
            ("entries are", "They stay")
        };
        blocks.push(section(
            id("delete.keeps"),
            format!(
                "{} {entries} already approved or billed. {stay}, without your name and your words, so that invoices \
                 keep adding up.",
                data.settled
            ),
        ));
    }
    blocks.push(match export {
        Export::NotAsked => actions(
            id("delete.first"),
            vec![Button::new(
                "data.export",
                "Export first",
                "all",
                "Export first: everything, before deleting",
            )],
        ),
        Export::OnItsWay => context(id("delete.first.note"), export.sentence().to_owned()),
    });
    blocks
}

/// What is gone.
pub fn everything_deleted(was: &OwnData) -> Message {
    let entries = was.entries - was.settled;
    let mut gone = vec![
        count(entries, "entry", "entries"),
        count(
            was.connections,
            "calendar connection",
            "calendar connections",
        ),
    ];
    gone.extend(["preferences", "rules", "tokens"].map(str::to_owned));
    let stays = match was.settled {
        0 => String::new(),
        1 => " 1 entry that is approved or billed stays without your name.".to_owned(),
        many => format!(" {many} entries that are approved or billed stay without your name."),
    };
    let text = format!(
        "Everything about you in this workspace is deleted: {}.{stays} BillOps starts from zero if you use it again.",
        gone.join(", ")
    );
    let block = section(id("data.deleted"), text.clone());
    Message::new(text, vec![block])
}

/// Entries were asked for as a file.
pub fn exporting(reader: Reader<'_>, period: Option<Period>) -> Message {
    let which = which(period.map(|period| (period.from, period.to)));
    let text = format!("On its way to your direct messages: a CSV file of your entries{which}.");
    let block = section(reader.id("export.coming"), text.clone());
    Message::new(text, vec![block])
}

/// What stands beside the file of entries.
pub fn entries_note(entries: u64, days: Option<(NaiveDate, NaiveDate)>) -> String {
    let entries = match entries {
        0 => "No entries".to_owned(),
        1 => "1 entry".to_owned(),
        many => format!("{many} entries"),
    };
    format!("{entries}{}, as CSV.", which(days))
}

fn which(days: Option<(NaiveDate, NaiveDate)>) -> String {
    match days {
        None => String::new(),
        Some((from, to)) if from == to => format!(" of {from}"),
        Some((from, to)) => format!(" from {from} to {to}"),
    }
}

/// What stands beside the file of an export.
pub const EXPORT_NOTE: &str = "Everything BillOps knows about you, as one JSON file.";
