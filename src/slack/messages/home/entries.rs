//! The last entries, each with what can be done about it.

use std::fmt::Write as _;

use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockChoiceItem, SlackBlockOverflowElement, SlackSectionBlock,
    SlackSectionBlockElement,
};

use super::{id, id_of, named_day};
use crate::{
    app::Home,
    domain::time_entry::TimeEntry,
    slack::{
        messages::{context, entry_value, label, markdown, section},
        text::{cut, plain, span},
    },
};

pub(super) fn blocks(home: &Home) -> Vec<SlackBlock> {
    let mut blocks = vec![section(id("entries"), "*Last entries*".to_owned())];
    if home.recent.is_empty() {
        let empty =
            "None in the last 14 days. Type `/time 1h: what you did`, or press Log time above.";
        blocks.push(section(id("entries.empty"), empty.to_owned()));
    }
    let mut day = None;
    for entry in &home.recent {
        if day != Some(entry.date) {
            day = Some(entry.date);
            let name = named_day(entry.date, home.today);
            blocks.push(context(id(&format!("entries:{}", entry.date)), name));
        }
        blocks.push(row(home, entry));
    }
    blocks
}

/// `11:00–13:30 · *Meeting* · 2 h 30 min · #acme`, with a menu as long as the entry is the person's to change.
fn row(home: &Home, entry: &TimeEntry) -> SlackBlock {
    let mut row = String::new();
    if let Some(span) = span(entry, home.zone) {
        row.push_str(&span);
        row.push_str(" · ");
    }
    let title = plain(&cut(&entry.description, 60));
    let _ = write!(row, "*{title}* · {}", entry.duration_minutes);
    match &entry.project {
        Some(project) => {
            let _ = write!(row, " · #{}", plain(&cut(&project.slug, 40)));
        }
        None => row.push_str(" · no project"),
    }
    if entry.is_settled() {
        let _ = write!(row, " · {}", entry.status.as_str());
    }
    let block = SlackSectionBlock::new()
        .with_block_id(id_of("entry", entry.id))
        .with_text(markdown(row).into());
    if entry.is_settled() {
        return block.into();
    }
    block.with_accessory(entry_menu(entry)).into()
}

/// What can be done to an entry in a list.
pub(in crate::slack) fn entry_menu(entry: &TimeEntry) -> SlackSectionBlockElement {
    let choices = [
        ("Edit", "edit"),
        ("Change project", "change_project"),
        ("Move to another day", "move"),
        ("Delete", "delete"),
    ];
    let choices = choices.map(|(name, verb)| {
        SlackBlockChoiceItem::new(label(name), format!("{verb} {}", entry_value(entry)))
    });
    let menu = SlackBlockOverflowElement::new(choices.to_vec())
        .with_action_id(SlackActionId("entry.menu".to_owned()));
    SlackSectionBlockElement::Overflow(menu)
}
