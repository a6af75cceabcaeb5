//! How to use it.

use super::{Button, Message, Reader, actions, context, expanded};
use crate::domain::time_command::examples::{BESIDES, LOGGING};

/// How to use it: four lines that cover most needs, then the rest, each usable as it stands.
pub fn help(reader: Reader<'_>) -> Message {
    let blocks = vec![
        expanded(
            reader.id("help.log"),
            &format!("*Log time in one line*\n{}", LOGGING.map(typed).join("\n")),
        ),
        expanded(
            reader.id("help.more"),
            &format!("*And besides*\n{}", BESIDES.map(besides).join("\n")),
        ),
        actions(
            reader.id("help.actions"),
            vec![Button::new(
                "entry.new",
                "Open the form",
                format!("d:{}", reader.today()),
                "Open the form to log time",
            )],
        ),
        context(
            reader.id("help.note"),
            "Only you see my answers. Everything can be undone. Your day is in the Home tab."
                .to_owned(),
        ),
    ];
    Message::new(
        "How to log time. /time 2.5 hours: Meeting. /time 1h30 #acme wireframes. /time 9-11:30 workshop. \
         /time yesterday 45 min: code review. /time with nothing after it opens a form. A timer: /time start \
         icon set, then /time stop. Your totals: /time today, /time week, /time month. Your entries as a file: /time export last month. Your last entries, to \
         change or delete: /time edit. What you log to: /time projects, /time link #acme. Take the last change \
         back: /time undo. Your day, your zone, when messages come: /time prefs. Check a line \
         without saving: /time ? 9-12, 13-17. Only you see my answers. Everything can be undone. Your day is in the Home tab.",
        blocks,
    )
}

/// `/time stop`, as one types it.
fn typed(line: &str) -> String {
    if line.is_empty() {
        "`/time` alone".to_owned()
    } else {
        format!("`/time {line}`")
    }
}

fn besides((lines, leads_to): (&[&str], &str)) -> String {
    let lines: Vec<String> = lines.iter().copied().map(typed).collect();
    format!("{} · {leads_to}", lines.join(", "))
}
