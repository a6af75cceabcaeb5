//! What is said about a line that is only explained, that cannot be read, or that could not be saved.

use std::fmt::Write as _;

use slack_morphism::prelude::SlackBlock;
use url::Url;
use uuid::Uuid;

use super::{
    Button, Message, Reader, VALUE_MAX, WORDS_MAX, actions, context,
    doubts::{project_note, reading_note},
    section,
};
use crate::{
    app::Chosen,
    domain::time_command::{ErrorKind, LogLine, ParseError, as_typed},
    error::Failed,
    slack::text::{cut, escaped_within, plain, plain_within, push_plain, short_day},
};

/// Into how many blocks a typed line is spread at most; Slack's limit for a message is 50.
const QUOTES_MAX: usize = 40;

/// How a line would be read.
pub fn explained(reader: Reader<'_>, line: &LogLine, chosen: &Chosen) -> Message {
    let mut day = short_day(line.date, reader.today());
    if line.date == reader.today() {
        day.insert_str(0, "Today, ");
    }
    let description = match line.description.as_str() {
        "" => "no description yet",
        words => words,
    };
    if let (Some(start), Some(end)) = (line.start, line.end) {
        let _ = write!(day, ", {}–{}", start.format("%H:%M"), end.format("%H:%M"));
    }
    if let Some(project) = &chosen.project {
        let _ = write!(day, " · #{}", project.slug);
    }
    match (line.billable.unwrap_or(chosen.is_billable), &chosen.project) {
        (true, _) => day.push_str(" · billable"),
        (false, Some(_)) => day.push_str(" · not billable"),
        (false, None) => {}
    }
    for tag in &line.tags {
        let _ = write!(day, " · +{tag}");
    }
    let mut grey = "Nothing was saved".to_owned();
    if let Some(note) = line
        .guess
        .as_ref()
        .and_then(|guess| reading_note(guess, reader.today()))
    {
        let _ = write!(grey, " · {note}");
    }
    if let Some(note) = project_note(&chosen.note) {
        let _ = write!(grey, " · {note}");
    }
    Message::new(
        format!(
            "I would log {} · {description}. {day}. {grey}.",
            line.duration
        ),
        vec![
            section(
                reader.id("reading"),
                format!(
                    "I would log *{} · {}*\n{}",
                    line.duration,
                    plain_within(description, WORDS_MAX),
                    plain_within(&day, 150)
                ),
            ),
            context(reader.id("reading.note"), plain(&grey)),
        ],
    )
}

/// The line could not be read. It is repeated, so that nothing typed is lost.
pub fn not_understood(reader: Reader<'_>, error: &ParseError, typed: &str) -> Message {
    let sentence = error.to_string();
    let lead = match error.kind {
        // The sentence says itself that nothing is.
        ErrorKind::Ambiguous if sentence.contains("is saved yet") => {
            plain_within(&sentence, WORDS_MAX)
        }
        ErrorKind::Ambiguous => format!(
            "*Nothing saved yet.* {}",
            plain_within(&sentence, WORDS_MAX)
        ),
        ErrorKind::Refused | ErrorKind::NotUnderstood => {
            format!("*Nothing saved.* {}", plain_within(&sentence, WORDS_MAX))
        }
    };
    let buttons = error
        .suggestions
        .iter()
        .enumerate()
        .map(|(place, suggestion)| {
            Button::new(
                &format!("reading.accept.{}", place + 1),
                suggestion.label.as_str(),
                // A line is read as Slack sends it, with its signs escaped.
                format!("t:{}", escaped_within(&suggestion.line, usize::MAX)),
                &format!("Log {}: {}", suggestion.label, suggestion.line),
            )
        });
    not_saved(
        reader,
        &lead,
        &sentence,
        typed,
        &error.example,
        buttons.collect(),
    )
}

/// A time was typed, but not what it was for.
pub fn only_time(reader: Reader<'_>, line: &LogLine, typed: &str) -> Message {
    let sentence = format!("I understood {}. What did you do?", line.duration);
    let example = format!("{}: what you did", as_typed(typed).trim());
    not_saved(
        reader,
        &format!("*Nothing saved yet.* {sentence}"),
        &sentence,
        typed,
        &example,
        Vec::new(),
    )
}

fn not_saved(
    reader: Reader<'_>,
    lead: &str,
    sentence: &str,
    typed: &str,
    example: &str,
    buttons: Vec<Button>,
) -> Message {
    let form = Button::new(
        "reading.form",
        "Open the form",
        format!("t:{typed}"),
        "Open the form with what you typed",
    );
    let typed = as_typed(typed);
    let mut blocks = vec![section(reader.id("reading"), lead.to_owned())];
    blocks.extend(quote(reader, &typed));
    let works = format!(
        "This would work: `/time {}`",
        escaped_within(
            &example.replace('`', "'").replace(['\n', '\r'], " "),
            WORDS_MAX
        )
    );
    blocks.push(section(reader.id("reading.example"), works));
    let buttons: Vec<Button> = buttons
        .into_iter()
        .chain([form])
        .filter(|button| button.value.chars().count() <= VALUE_MAX)
        .collect();
    if !buttons.is_empty() {
        blocks.push(actions(reader.id("reading.actions"), buttons));
    }
    Message::new(
        format!(
            "Nothing was saved. {sentence} This would work: /time {}. You typed: /time {typed}",
            cut(example, 1000)
        ),
        blocks,
    )
}

/// The app is not installed in the person's workspace any more, or not yet.
pub fn not_installed(reader: Reader<'_>, typed: &str, install_url: Option<Url>) -> Message {
    let shown = as_typed(typed);
    let sentence = "Nothing was saved, and nothing you typed is lost:";
    let way_out = match &install_url {
        Some(url) => format!("An admin can install it: {url}"),
        None => "Ask an admin to install it".to_owned(),
    };
    let mut blocks = vec![section(
        reader.id("not_installed"),
        format!("*BillOps is not installed in this workspace.* {sentence}"),
    )];
    blocks.extend(quote(reader, &shown));
    blocks.push(context(reader.id("not_installed.way"), way_out.clone()));
    let text =
        format!("BillOps is not installed in this workspace. {sentence} /time {shown}. {way_out}.");
    Message::new(text, blocks)
}

/// The database did not take the entry, or did not say whether it did.
pub fn not_stored(reader: Reader<'_>, failed: &Failed, typed: &str, key: Uuid) -> Message {
    let (bold, sentence) = if failed.is_certain {
        (
            "Not saved.",
            "BillOps could not write to its database just now. Nothing you typed is lost:",
        )
    } else {
        (
            "Not confirmed.",
            "The database did not answer in time, so I cannot say whether this was saved:",
        )
    };
    let mut blocks = vec![section(
        reader.id("failed"),
        format!("⚠️ *{bold}* {sentence}"),
    )];
    let value = format!("k:{key} t:{typed}");
    let shown = as_typed(typed);
    blocks.extend(quote(reader, &shown));
    let has_room = value.chars().count() <= VALUE_MAX;
    if has_room {
        let spoken = format!("Try again: {}", shown.replace('\n', " "));
        let button = Button::new("command.retry", "Try again", value, &spoken).primary();
        blocks.push(actions(reader.id("failed.actions"), vec![button]));
    }
    let way_out = match (has_room, failed.is_certain) {
        (true, _) => "Try again in a moment. It cannot be logged twice",
        (false, true) => "Send the line again in a moment",
        (false, false) => "Look in the Home tab in a moment, before you send the line again",
    };
    blocks.push(context(
        reader.id("failed.ref"),
        format!("{way_out} · reference {}", failed.reference),
    ));
    Message::new(
        format!(
            "{bold} {sentence} {way_out}. Reference {}. You typed: /time {shown}",
            failed.reference
        ),
        blocks,
    )
}

/// Something failed that was not the saving of a typed line.
pub fn failed(reader: Reader<'_>, failed: &Failed) -> Message {
    let sentence =
        "That did not work. BillOps could not reach its database just now. Try again in a moment.";
    Message::new(
        format!("{sentence} Reference {}.", failed.reference),
        vec![
            section(reader.id("failed"), format!("⚠️ {sentence}")),
            context(
                reader.id("failed.ref"),
                format!("Reference {}", failed.reference),
            ),
        ],
    )
}

/// The whole typed line, each of its lines quoted, in as many blocks as it needs.
fn quote(reader: Reader<'_>, typed: &str) -> Vec<SlackBlock> {
    const QUOTED: &str = "> ";
    let mut pieces = Vec::new();
    let mut piece = QUOTED.to_owned();
    let mut sign = String::new();
    for c in "/time ".chars().chain(typed.chars()) {
        sign.clear();
        match c {
            '\r' => continue,
            '\n' => sign.extend(["\n", QUOTED]),
            c => push_plain(c, &mut sign),
        }
        if piece.chars().count() + sign.chars().count() > WORDS_MAX {
            pieces.push(std::mem::replace(&mut piece, QUOTED.to_owned()));
        }
        piece.push_str(&sign);
    }
    pieces.push(piece);
    pieces
        .into_iter()
        .take(QUOTES_MAX)
        .enumerate()
        .map(|(place, piece)| section(reader.id(&format!("typed.{place}")), piece))
        .collect()
}
