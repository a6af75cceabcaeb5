//! The card under an entry: what was done, when, the day in sum, and what can be done about it.

use super::{
    Button, Headline, Message, Parts, Reader, actions,
    doubts::{flip_button, project_note, project_question, reading_note, unit_word},
    overlap::overlap,
    section, with_button,
};
use crate::{
    app::{FormProblem, Logged, ProjectNote},
    domain::{
        time_command::{ClockRange, Unit},
        time_entry::{ChangeKind, Changed, Receipt, TimeEntry},
        timer::Timer,
    },
    slack::text::{clock_time, cut, plain, plain_within, short_day, span},
};

/// An entry was made.
pub fn logged(reader: Reader<'_>, logged: &Logged) -> Message {
    let entry = &logged.receipt.entry;
    let mut grey = Vec::new();
    let mut buttons = Vec::new();
    grey.extend(breaks_note(&logged.ranges));
    if let Some(guess) = &logged.guess {
        grey.extend(reading_note(guess, reader.today()));
        buttons.extend(flip_button(entry, guess, reader.today()));
    }
    if entry.is_timed && entry.ended_at.is_some_and(|end| end > reader.now) {
        grey.push("That is still to come".to_owned());
        if let (None, Some(day_before)) = (&logged.guess, entry.date.pred_opt()) {
            let label = format!("I meant {}", short_day(day_before, reader.today()));
            buttons.push(Button::on(
                entry,
                "entry.flip",
                &label,
                &format!("day:{day_before} "),
            ));
        }
    }
    let question = project_question(reader, entry, &logged.project);
    if question.is_none() {
        grey.extend(project_note(&logged.project));
    }
    let headline = Headline {
        after: if question.is_some() {
            " · no project yet"
        } else {
            ""
        },
        ..Headline::new("Logged", "Logged ")
    };
    let mut parts = overlap(reader, entry, &logged.overlaps);
    buttons.append(&mut parts.buttons);
    buttons.push(Button::on(entry, "entry.undo", "Undo", ""));
    buttons.push(Button::on(entry, "entry.edit", "Edit", ""));
    match question {
        Some((says, mut blocks)) => {
            parts.says.push_str(&says);
            parts.questions.append(&mut blocks);
        }
        None => buttons.push(Button::on(
            entry,
            "entry.change_project",
            "Change project",
            "",
        )),
    }
    parts.buttons = buttons;
    reader.card(&headline, &logged.receipt, &grey, parts)
}

/// `Without the breaks: 09:00–12:00, 13:00–17:00`.
fn breaks_note(ranges: &[ClockRange]) -> Option<String> {
    let time = |range: &ClockRange| {
        format!(
            "{}–{}",
            range.start.format("%H:%M"),
            range.end.format("%H:%M")
        )
    };
    let times: Vec<String> = ranges.iter().map(time).collect();
    (times.len() > 1).then(|| format!("Without the breaks: {}", times.join(", ")))
}

/// The number of an entry was read the other way. After the second time it can become the rule.
pub fn flipped(reader: Reader<'_>, changed: &Changed, teach: Option<Unit>) -> Message {
    let mut parts = Parts::default();
    if let Some(unit) = teach {
        let word = unit_word(unit);
        parts.says = format!("You meant {word} twice; you can make that the rule. ");
        parts.questions.push(with_button(
            reader.id("card.teach"),
            format!("*Always read a bare number as {word}?* You meant {word} twice."),
            Button::new(
                "prefs.set_unit",
                format!("Always {word}"),
                format!("bare_number_unit:{word}"),
                &format!("Always {word}: read a bare number as {word}"),
            ),
        ));
    }
    changed_with(reader, changed, parts, &[])
}

/// What was done, or taken back.
pub fn changed(reader: Reader<'_>, changed: &Changed, overlaps: &[TimeEntry]) -> Message {
    let parts = match &changed.receipt {
        Some(receipt)
            if receipt.entry.deleted_at.is_none() && changed.kind != ChangeKind::Merge =>
        {
            overlap(reader, &receipt.entry, overlaps)
        }
        _ => Parts::default(),
    };
    changed_with(reader, changed, parts, &[])
}

fn changed_with(
    reader: Reader<'_>,
    changed: &Changed,
    mut parts: Parts,
    notes: &[String],
) -> Message {
    if let (ChangeKind::TimerStart, false, Some(timer)) =
        (changed.kind, changed.is_undo, &changed.timer_after)
    {
        return super::timer::started(reader, changed, timer, &ProjectNote::Nothing);
    }
    let Some(receipt) = &changed.receipt else {
        return super::timer::only_timer(reader, changed);
    };
    let entry = &receipt.entry;
    let mut grey = notes.to_vec();
    let is_gone = entry.deleted_at.is_some();
    let (headline, back) = match (changed.kind, changed.is_undo) {
        _ if is_gone => {
            let headline = match changed.kind {
                ChangeKind::Delete => Headline::new("Deleted:", "Deleted: "),
                _ => Headline::new("Undone:", "Undone: "),
            };
            if let Some(timer) = changed.timer_after.as_ref().filter(|_| changed.is_undo) {
                grey.push(format!(
                    "The timer runs on since {}",
                    clock_time(timer.started_at, reader.zone())
                ));
            }
            (headline.struck(), "Put it back")
        }
        (ChangeKind::TimerStop | ChangeKind::TimerStart, false) => {
            grey.push("Timer stopped".to_owned());
            (Headline::new("Logged", "Logged "), "Undo")
        }
        (ChangeKind::Create | ChangeKind::TimerStop | ChangeKind::TimerStart, _) => {
            (Headline::new("Logged", "Logged "), "Undo")
        }
        (ChangeKind::Delete, _) => (Headline::new("Put back:", "Put back: "), "Delete it again"),
        (ChangeKind::Merge, false) => (Headline::new("Merged into", "Merged into "), "Undo change"),
        (ChangeKind::Merge, true) => (
            Headline::new("Both are back:", "Both are back: "),
            "Merge again",
        ),
        (_, false) => (Headline::new("Changed to", "Changed to "), "Undo change"),
        (_, true) => (Headline::new("Back to", "Back to "), "Redo change"),
    };
    match (&changed.before, &changed.other) {
        (Some(before), None)
            if !is_gone
                && changed.kind != ChangeKind::Create
                && changed.kind != ChangeKind::Delete =>
        {
            grey.extend(was(reader, before, entry));
        }
        (_, Some(other)) if changed.is_undo => {
            grey.push(format!(
                "And {} · {}",
                other.duration_minutes,
                cut(&other.description, 60)
            ));
        }
        _ => {}
    }
    let back = match (changed.kind, changed.is_undo, &changed.before) {
        (ChangeKind::Flip, false, Some(before))
            if before.duration_minutes != entry.duration_minutes =>
        {
            format!("Back to {}", before.duration_minutes.words())
        }
        _ => back.to_owned(),
    };
    let action = if is_gone { "entry.redo" } else { "entry.undo" };
    let mut button = Button::on(entry, action, &back, "");
    if changed.kind == ChangeKind::TimerStop && !changed.is_undo {
        let what = cut(&entry.description.replace('\n', " "), 28);
        button.spoken = format!(
            "{back}: {what}, {}, the timer runs on",
            entry.duration_minutes
        );
    }
    parts.buttons.push(button);
    if !is_gone {
        parts
            .buttons
            .push(Button::on(entry, "entry.edit", "Edit", ""));
        parts.buttons.push(Button::on(
            entry,
            "entry.change_project",
            "Change project",
            "",
        ));
    }
    let mut message = reader.card(&headline, receipt, &grey, parts);
    if is_gone {
        let (_, total) = reader.day(receipt);
        let notes = grey
            .iter()
            .fold(String::new(), |notes, note| notes + note + ". ");
        message.text = super::escaped_within(
            &format!(
                "{} {} · {}, {}, is no longer logged. {notes}{total}",
                headline.says.replace(':', "."),
                entry.duration_minutes,
                cut(&entry.description, 3000),
                reader.when(entry)
            ),
            super::TEXT_MAX,
        );
    }
    message
}

/// What of the entry was another before: `It was 2 h 30 min · Meeting, 11:00–13:30 · #acme`.
fn was(reader: Reader<'_>, before: &TimeEntry, now: &TimeEntry) -> Option<String> {
    let mut was = Vec::new();
    if before.duration_minutes != now.duration_minutes {
        was.push(before.duration_minutes.to_string());
    }
    if before.description != now.description {
        was.push(cut(&before.description.replace('\n', " "), 60));
    }
    if before.date != now.date {
        was.push(short_day(before.date, reader.today()));
    }
    if let Some(times) = span(before, reader.zone())
        && (before.started_at, before.ended_at) != (now.started_at, now.ended_at)
        && (before.is_timed
            || before.duration_minutes == now.duration_minutes && before.date == now.date)
    {
        was.push(times);
    }
    if before.project != now.project {
        let none = || "no project".to_owned();
        was.push(
            before
                .project
                .as_ref()
                .map_or_else(none, |project| format!("#{}", project.slug)),
        );
    } else if before.billable != now.billable {
        was.push(
            if before.billable {
                "billable"
            } else {
                "not billable"
            }
            .to_owned(),
        );
    }
    (!was.is_empty()).then(|| format!("It was {}", was.join(" · ")))
}

fn described(description: &str) -> String {
    if description.is_empty() {
        String::new()
    } else {
        format!(" · {}", cut(&description.replace('\n', " "), 60))
    }
}

/// `/time undo` found nothing to take back.
pub fn nothing_to_undo(reader: Reader<'_>) -> Message {
    let text = "There is nothing to undo in the last 24 hours.";
    Message::new(text, vec![section(reader.id("undo"), text.to_owned())])
}

/// The entry has changed since the button was drawn.
pub fn stale(reader: Reader<'_>, receipt: &Receipt) -> Message {
    let entry = &receipt.entry;
    if let Some(deleted_at) = entry.deleted_at {
        let at = clock_time(deleted_at, reader.zone());
        let shown = format!("*Nothing was changed.* This entry was deleted at {at}: ");
        let says = format!("Nothing was changed. This entry was deleted at {at}:");
        let buttons = vec![Button::on(entry, "entry.redo", "Put it back", "")];
        return reader.card(
            &Headline::new(&says, &shown).struck(),
            receipt,
            &[],
            buttons.into(),
        );
    }
    let at = clock_time(entry.updated_at, reader.zone());
    let shown = format!(
        "*Nothing was changed.* This entry was changed at {at}, after this card was shown.\nNow "
    );
    let says = format!("Nothing was changed. This entry was changed at {at}; it is now");
    let buttons = vec![
        Button::on(entry, "entry.undo", "Undo change", ""),
        Button::on(entry, "entry.edit", "Edit", ""),
        Button::on(entry, "entry.change_project", "Change project", ""),
    ];
    reader.card(&Headline::new(&says, &shown), receipt, &[], buttons.into())
}

/// The entry is approved or billed.
pub fn settled(reader: Reader<'_>, receipt: &Receipt) -> Message {
    let status = receipt.entry.status.as_str();
    let headline = format!(
        "*Nothing was changed.* This entry is already {status} and can no longer be changed here.\n"
    );
    let says = format!(
        "Nothing was changed. This entry is already {status} and can no longer be changed here:"
    );
    reader.card(
        &Headline::new(&says, &headline),
        receipt,
        &[],
        Parts::default(),
    )
}

/// The person has no such entry, or the button carries what nothing can be made of.
pub fn no_longer_here(reader: Reader<'_>) -> Message {
    let text = "This is no longer here. Nothing was changed.";
    Message::new(text, vec![section(reader.id("gone"), text.to_owned())])
}

/// The timer that would run on cannot.
pub fn other_timer(reader: Reader<'_>, running: Option<&Timer>) -> Message {
    let text = match running {
        Some(timer) => format!(
            "Nothing was changed: another timer runs since {}{}. Stop it first with /time stop.",
            clock_time(timer.started_at, reader.zone()),
            described(&timer.description)
        ),
        None => "Nothing was changed: that timer no longer runs.".to_owned(),
    };
    Message::new(
        text.clone(),
        vec![section(
            reader.id("timer"),
            plain_within(&text, super::WORDS_MAX),
        )],
    )
}

/// The project that was chosen takes no entries; the entry is as it was.
pub fn project_not_set(reader: Reader<'_>, entry: &TimeEntry, problem: &FormProblem) -> Message {
    let text = match problem {
        FormProblem::Archived(slug) => {
            format!(
                "Nothing was changed: #{} is archived. Choose another project.",
                cut(slug, 40)
            )
        }
        _ => "Nothing was changed: this project is no longer here. Choose another one.".to_owned(),
    };
    let buttons = vec![
        Button::on(entry, "entry.change_project", "Change project", ""),
        Button::on(entry, "entry.undo", "Undo", ""),
    ];
    let blocks = vec![
        section(reader.id("card"), plain(&text)),
        actions(reader.id("card.actions"), buttons),
    ];
    Message::new(text, blocks)
}

/// A unit is the rule for bare numbers from now on.
pub fn taught(reader: Reader<'_>, unit: Option<Unit>) -> Message {
    let text = match unit {
        Some(unit) => format!("A bare number is now read as {}.", unit_word(unit)),
        None => "A bare number is guessed again: up to 12 as hours, from 15 as minutes.".to_owned(),
    };
    let block = match unit {
        Some(_) => with_button(
            reader.id("prefs.unit"),
            text.clone(),
            Button::new(
                "prefs.set_unit",
                "Undo",
                "bare_number_unit:guess",
                "Undo: guess bare numbers again",
            ),
        ),
        None => section(reader.id("prefs.unit"), text.clone()),
    };
    Message::new(text, vec![block])
}
