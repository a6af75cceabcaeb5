//! The last entries, each with what can be done about it.

use slack_morphism::prelude::SlackBlock;

use super::{id, named_day, place};
use crate::{
    app::Home,
    slack::messages::{context, rows::entry_row, section},
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
        blocks.push(entry_row(place(home), entry));
    }
    blocks
}
