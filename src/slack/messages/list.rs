//! The last entries, each with what can be done about it.

use std::fmt::Write as _;

use slack_morphism::prelude::{SlackBlock, SlackSectionBlock};

use super::{
    Button, Message, Reader, actions, context, home::notice_words, markdown, rows::entry_menu,
    section, with_button,
};
use crate::{
    app::{EntryList, LISTED},
    domain::time_entry::{Changed, TimeEntry},
    slack::text::{cut, plain, short_day, span},
};

/// A page of the last entries, with what was just done to one of them on top.
pub fn entries(reader: Reader<'_>, list: &EntryList, done: Option<&Changed>) -> Message {
    let mut blocks = Vec::new();
    let mut text = String::new();
    if let Some((words, back)) = done.and_then(|done| notice_words(done, reader.zone())) {
        let _ = write!(text, "{words}. ");
        let id = reader.id(&format!("row.s{}.notice", list.skip));
        blocks.push(with_button(
            id,
            plain(&words),
            Button::new(back.action, back.label, back.value, &back.spoken),
        ));
    }
    if list.entries.is_empty() {
        let empty = if list.skip == 0 {
            "Nothing is logged yet. Type `/time 1h: what you did`."
        } else {
            "There are no earlier entries."
        };
        let _ = write!(text, "{}", empty.replace('`', ""));
        blocks.push(section(reader.id("list"), empty.to_owned()));
        return Message::new(text, blocks);
    }
    let title = if list.skip == 0 {
        "Your last entries"
    } else {
        "Earlier entries"
    };
    let _ = write!(text, "{title}.");
    blocks.push(section(reader.id("list"), format!("*{title}*")));
    let mut day = None;
    for entry in &list.entries {
        if day != Some(entry.date) {
            day = Some(entry.date);
            let mut name = short_day(entry.date, reader.today());
            if entry.date == reader.today() {
                name.insert_str(0, "Today, ");
            }
            let _ = write!(text, " {name}:");
            blocks.push(context(reader.id(&format!("day.{}", entry.date)), name));
        }
        let _ = write!(text, " {}.", words(reader, entry));
        blocks.push(row(reader, entry, list.skip));
    }
    let mut buttons = Vec::new();
    if list.skip > 0 {
        let value = format!("l:{}", list.skip.saturating_sub(LISTED));
        buttons.push(Button::new("entry.list.1", "Later", value, "Later entries"));
    }
    if list.has_more {
        let value = format!("l:{}", list.skip + LISTED);
        buttons.push(Button::new(
            "entry.list.2",
            "Earlier",
            value,
            "Earlier entries",
        ));
    }
    if !buttons.is_empty() {
        blocks.push(actions(reader.id("list.pages"), buttons));
    }
    Message::new(text, blocks)
}

/// `11:00–13:30 · Meeting · 2 h 30 min · #acme`.
fn words(reader: Reader<'_>, entry: &TimeEntry) -> String {
    let title = cut(&entry.description.replace('\n', " "), 60);
    let mut words = format!(
        "{title} · {}{}",
        entry.duration_minutes,
        Reader::marks(entry)
    );
    if let Some(times) = span(entry, reader.zone()) {
        words.insert_str(0, &format!("{times} · "));
    }
    words
}

/// The same with a menu, as long as the entry is the person's to change.
fn row(reader: Reader<'_>, entry: &TimeEntry, skip: u32) -> SlackBlock {
    let title = cut(&entry.description.replace('\n', " "), 60);
    let mut row = format!(
        "*{}* · {}{}",
        plain(&title),
        entry.duration_minutes,
        plain(&Reader::marks(entry))
    );
    if let Some(times) = span(entry, reader.zone()) {
        row.insert_str(0, &format!("{times} · "));
    }
    if entry.is_settled() {
        let _ = write!(row, " · {}", entry.status.as_str());
    }
    let tail = entry.id.simple().to_string().split_off(20);
    let block = SlackSectionBlock::new()
        .with_block_id(reader.id(&format!("row.s{skip}.{tail}")))
        .with_text(markdown(row).into());
    if entry.is_settled() {
        return block.into();
    }
    block.with_accessory(entry_menu(entry)).into()
}
