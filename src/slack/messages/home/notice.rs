//! What was just done, in one line on top, with the way back.

use chrono_tz::Tz;
use slack_morphism::prelude::SlackBlock;

use super::id;
use crate::{
    app::{Home, Notice},
    domain::{
        calendar_event::SyncedEvent,
        rule::Rule,
        time_entry::{ChangeKind, Changed},
    },
    slack::{
        messages::{
            Button, entry_value, name, rows::meetings, rule_words, section, timer_value,
            with_button,
        },
        text::{cut, plain},
    },
    store::{Batch, BatchOf},
};

/// The way back from what was done.
pub(in crate::slack) struct WayBack {
    pub(in crate::slack) action: &'static str,
    pub(in crate::slack) label: &'static str,
    pub(in crate::slack) value: String,
    pub(in crate::slack) spoken: String,
}

/// The line; none where what was done shows in its own place.
pub(super) fn line(home: &Home, notice: &Notice) -> Option<SlackBlock> {
    let unchanged = "*Nothing was changed.* This page was out of date; here is how things are now.";
    let words = match notice {
        Notice::Changed(changed) | Notice::Meeting(changed, _) => notice_words(changed, home.zone),
        Notice::Rule(rule) => Some(decided(rule)),
        Notice::Skipped(event) => Some(skipped(event)),
        Notice::Batch(batch) => Some(at_once(batch)),
        Notice::BatchUndone(batch) => return Some(section(id("notice"), undone(batch))),
        Notice::Reading(_) => return None,
        Notice::NothingChanged => None,
    };
    let Some((what, back)) = words else {
        return Some(section(id("notice"), unchanged.to_owned()));
    };
    let undo = Button::new(back.action, back.label, back.value, &back.spoken);
    Some(with_button(id("notice"), plain(&what), undo))
}

/// Something was decided about a rule.
fn decided(rule: &Rule) -> (String, WayBack) {
    let (what, action) = rule_words(rule);
    let label = if action == "rule.accept" {
        "Always log it"
    } else {
        "Undo"
    };
    let back = WayBack {
        action,
        label,
        value: format!("r:{}", rule.id),
        spoken: cut(&format!("{label}: {}", rule.title), 75),
    };
    (what, back)
}

/// A meeting was skipped.
fn skipped(event: &SyncedEvent) -> (String, WayBack) {
    let what = cut(&event.title, 60);
    let back = WayBack {
        action: "event.unskip",
        label: "Undo",
        value: format!("v:{}", event.id),
        spoken: cut(&format!("Undo: {what} waits again"), 75),
    };
    (format!("Skipped: {what}"), back)
}

/// `Logged 4 meetings, 2 h 30 min`.
fn at_once(batch: &Batch) -> (String, WayBack) {
    let did = match batch.of {
        BatchOf::Logged => "Logged",
        BatchOf::Skipped => "Skipped",
    };
    let what = format!("{}, {}", meetings(batch.count), batch.total);
    let back = WayBack {
        action: "event.undo_batch",
        label: "Undo",
        value: format!("b:{}", batch.key),
        spoken: cut(&format!("Undo: {what}, all of it"), 75),
    };
    (format!("{did} {what}"), back)
}

/// `4 meetings wait again.`
fn undone(batch: &Batch) -> String {
    let verb = if batch.count == 1 { "waits" } else { "wait" };
    let done = format!("{} {verb} again.", meetings(batch.count));
    match batch.kept {
        0 => done,
        1 => format!("{done} 1 entry was changed meanwhile and stays."),
        kept => format!("{done} {kept} entries were changed meanwhile and stay."),
    }
}

/// What was done to an entry or a timer in one line, and the way back; `None` where nothing was.
pub(in crate::slack) fn notice_words(changed: &Changed, zone: Tz) -> Option<(String, WayBack)> {
    let Some(receipt) = &changed.receipt else {
        let timer = changed.timer_before.as_ref()?;
        let did = match changed.kind {
            ChangeKind::TimerStop => "Under a minute, nothing logged:",
            _ => "Timer discarded:",
        };
        let what = cut(&name(timer), 60);
        let back = WayBack {
            action: "timer.restore",
            label: "Put it back",
            value: timer_value(timer, zone),
            spoken: cut(&format!("Put it back: {what}"), 75),
        };
        return Some((format!("{did} {what}"), back));
    };
    let entry = &receipt.entry;
    let (did, label) = match (entry.deleted_at.is_some(), changed.is_undo, changed.kind) {
        (true, true, ChangeKind::TimerStop | ChangeKind::TimerStart) => {
            ("Undone, the timer runs on:", "Log it again")
        }
        (true, ..) => ("Deleted", "Undo"),
        (false, true, ChangeKind::Delete | ChangeKind::Create) => ("Put back", "Undo"),
        (false, _, ChangeKind::TimerStop | ChangeKind::TimerStart) => {
            ("Timer stopped: logged", "Undo")
        }
        (false, true, _) => ("Back to", "Redo"),
        (false, false, ChangeKind::Move) => ("Moved", "Undo"),
        (false, false, ChangeKind::Create) => ("Logged", "Undo"),
        (false, false, _) => ("Changed to", "Undo"),
    };
    let what = cut(&entry.description.replace('\n', " "), 60);
    let back = WayBack {
        action: if entry.deleted_at.is_some() {
            "entry.redo"
        } else {
            "entry.undo"
        },
        label,
        value: entry_value(entry),
        spoken: cut(
            &format!("{label}: {}, {}", cut(&what, 30), entry.duration_minutes),
            75,
        ),
    };
    let to = match (did, entry.deleted_at) {
        ("Moved", None) => format!(", to {}", entry.date.format("%a %-d %b")),
        _ => String::new(),
    };
    Some((
        format!("{did} {what}, {}{to}", entry.duration_minutes),
        back,
    ))
}
