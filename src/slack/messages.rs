//! Every sentence the bot says in messages. One function a message; nothing here decides anything.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use slack_morphism::blocks::SlackAccessibilityLabel;
use slack_morphism::prelude::{
    SlackActionBlockElement, SlackActionId, SlackActionsBlock, SlackBlock, SlackBlockButtonElement,
    SlackBlockButtonStyle, SlackBlockId, SlackBlockMarkDownText, SlackBlockPlainText,
    SlackBlockPlainTextOnly, SlackContextBlock, SlackContextBlockElement, SlackSectionBlock,
};
use uuid::Uuid;

use super::text::{
    bar, clock_time, cut, escaped_within, long_day, plain, plain_within, push_plain, short_day,
    span,
};
use crate::{
    domain::{
        member::Member,
        minutes::Minutes,
        time_command::{ClockRange, ErrorKind, Guess, LogLine, ParseError, Unit, as_typed},
        time_entry::{Receipt, TimeEntry},
    },
    error::Failed,
};

/// Slack's limit for what a button carries.
const VALUE_MAX: usize = 2000;
/// What people's words take in one block, escaped; Slack's limit for a block's text is 3,000.
const WORDS_MAX: usize = 2800;
/// Into how many blocks a typed line is spread at most; Slack's limit for a message is 50.
const QUOTES_MAX: usize = 40;
/// What Slack advises for the `text` of a message.
const TEXT_MAX: usize = 4000;
/// Slack's limit for an accessible label.
const LABEL_MAX: usize = 75;

/// A message as Slack takes it, in an acknowledgement or through a `response_url`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    response_type: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replace_original: bool,
    /// The whole message in sentences, for notifications and screen readers.
    pub text: String,
    /// What is drawn.
    pub blocks: Vec<SlackBlock>,
}

impl Message {
    fn new(text: impl Into<String>, blocks: Vec<SlackBlock>) -> Self {
        Self {
            response_type: "ephemeral",
            replace_original: false,
            text: escaped_within(&text.into(), TEXT_MAX),
            blocks,
        }
    }

    /// The same, to stand in the place of the message whose button was pressed.
    #[must_use]
    pub fn replacing(self) -> Self {
        Self {
            replace_original: true,
            ..self
        }
    }
}

/// For whom a message is, and when: what is today for them, and in which zone they reckon.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// The person.
    pub member: &'a Member,
    /// The moment.
    pub now: DateTime<Utc>,
    /// How often this message has been replaced, for Slack wants new block ids after each time.
    pub round: u32,
}

impl Reader<'_> {
    fn zone(&self) -> Tz {
        self.member.zone()
    }

    fn today(&self) -> NaiveDate {
        self.now.with_timezone(&self.zone()).date_naive()
    }

    /// `Today, Fri 20 Nov, 11:00–13:30`.
    fn when(&self, entry: &TimeEntry) -> String {
        let mut when = short_day(entry.date, self.today());
        if entry.date == self.today() {
            when.insert_str(0, "Today, ");
        }
        if let Some(span) = span(entry, self.zone()) {
            let _ = write!(when, ", {span}");
        }
        when
    }

    /// `Today  ▇▇▇▇▇░░░  5 h 15 min of 8 h`, and the same in words.
    fn day(&self, receipt: &Receipt) -> (String, String) {
        let name = if receipt.entry.date == self.today() {
            "Today"
        } else {
            "That day"
        };
        let (total, target) = (receipt.day_total, self.member.target_per_day);
        if target == Minutes::default() {
            return (format!("{name}  {total}"), format!("{name}: {total}."));
        }
        (
            format!("{name}  {}  {total} of {target}", bar(total, target)),
            format!("{name}: {total} of {target}."),
        )
    }

    fn zone_note(&self) -> Option<&'static str> {
        self.member
            .time_zone
            .is_none()
            .then_some("Slack has not told me your time zone yet, so these times are in UTC")
    }

    fn id(&self, name: &str) -> SlackBlockId {
        SlackBlockId(format!("{name}.r{}", self.round + 1))
    }

    /// The card: what happened, when, the day in sum, and what can be done about it.
    fn card(
        &self,
        headline: &Headline<'_>,
        receipt: &Receipt,
        grey: &[String],
        buttons: Vec<Button>,
    ) -> Message {
        let entry = &receipt.entry;
        let when = self.when(entry);
        let (strip, total) = self.day(receipt);
        let mut text = format!(
            "{} {} · {}. {when}. ",
            headline.says,
            entry.duration_minutes,
            cut(&entry.description, 3000)
        );
        let mut small = String::new();
        for note in grey.iter().map(String::as_str).chain(self.zone_note()) {
            let _ = write!(text, "{note}. ");
            let _ = write!(small, "{}  ·  ", plain(note));
        }
        text.push_str(&total);
        small.push_str(&strip);
        let what = format!(
            "{} · {}",
            entry.duration_minutes,
            plain_within(&entry.description, WORDS_MAX)
        );
        let what = if headline.is_struck {
            format!("~{what}~")
        } else {
            format!("*{what}*")
        };
        let mut blocks = vec![
            section(self.id("card"), format!("{}{what}\n{when}", headline.shown)),
            context(self.id("card.day"), small),
        ];
        if !buttons.is_empty() {
            blocks.push(actions(self.id("card.actions"), buttons));
        }
        Message::new(text, blocks)
    }
}

struct Headline<'a> {
    /// In the plain text.
    says: &'a str,
    /// In front of the bold words.
    shown: &'a str,
    is_struck: bool,
}

struct Button {
    action: String,
    label: String,
    value: String,
    spoken: String,
    is_primary: bool,
}

impl Button {
    /// A button that acts on an entry, as it is now.
    fn on(entry: &TimeEntry, action: &str, label: &str, verb: &str) -> Self {
        let about = format!(
            "{label}: {}, {}, {}",
            cut(&entry.description.replace('\n', " "), 28),
            entry.duration_minutes,
            long_day(entry.date)
        );
        Self {
            action: action.to_owned(),
            label: label.to_owned(),
            value: format!("{verb}{}", entry_value(entry)),
            spoken: cut(&about, LABEL_MAX),
            is_primary: false,
        }
    }
}

/// What a button carries to act on this entry: its id, the version that was shown, and the day.
pub(super) fn entry_value(entry: &TimeEntry) -> String {
    format!("e:{}:{}:{}", entry.id, entry.version, entry.date)
}

/// An entry was made.
pub fn logged(
    reader: Reader<'_>,
    receipt: &Receipt,
    guess: Option<&Guess>,
    ranges: &[ClockRange],
) -> Message {
    let entry = &receipt.entry;
    let mut grey = Vec::new();
    let mut buttons = Vec::new();
    if ranges.len() > 1 {
        let times: Vec<String> = ranges
            .iter()
            .map(|range| {
                format!(
                    "{}–{}",
                    range.start.format("%H:%M"),
                    range.end.format("%H:%M")
                )
            })
            .collect();
        grey.push(format!("Without the breaks: {}", times.join(", ")));
    }
    if let Some(guess) = guess {
        grey.extend(reading_note(guess, reader.today()));
        buttons.extend(
            other_unit(guess).map(|(unit, other)| {
                flip_button(entry, &format!("I meant {}", other.words()), unit)
            }),
        );
    }
    buttons.push(Button::on(entry, "entry.undo", "Undo", ""));
    reader.card(
        &Headline {
            says: "Logged",
            shown: "Logged ",
            is_struck: false,
        },
        receipt,
        &grey,
        buttons,
    )
}

/// The number of an entry was read the other way.
pub fn flipped(reader: Reader<'_>, receipt: &Receipt, unit: Unit) -> Message {
    let entry = &receipt.entry;
    let (word, back) = match unit {
        Unit::Hours => ("hours", Unit::Minutes),
        Unit::Minutes => ("minutes", Unit::Hours),
    };
    let grey = [format!("Now read as {word}")];
    let back = match back {
        Unit::Hours => flip_button(entry, "Back to hours", back),
        Unit::Minutes => flip_button(entry, "Back to minutes", back),
    };
    let buttons = vec![back, Button::on(entry, "entry.undo", "Undo", "")];
    reader.card(
        &Headline {
            says: "Changed to",
            shown: "Changed to ",
            is_struck: false,
        },
        receipt,
        &grey,
        buttons,
    )
}

fn flip_button(entry: &TimeEntry, label: &str, unit: Unit) -> Button {
    let verb = match unit {
        Unit::Hours => "unit:hours ",
        Unit::Minutes => "unit:minutes ",
    };
    Button::on(entry, "entry.flip", label, verb)
}

/// What was guessed, for the grey line. Nothing where the other reading cannot be meant: nobody works 90
/// hours in a day.
fn reading_note(guess: &Guess, today: NaiveDate) -> Option<String> {
    match guess {
        Guess::BareNumber {
            written, read_as, ..
        } => {
            other_unit(guess)?;
            let word = match read_as {
                Unit::Hours => "hours",
                Unit::Minutes => "minutes",
            };
            Some(format!("I read “{written}” as {word}"))
        }
        Guess::Weekday {
            written, read_as, ..
        } => Some(format!(
            "I read “{written}” as {}",
            short_day(*read_as, today)
        )),
        Guess::HalfDay { read_as, other } => Some(format!(
            "I read the time as {}, not {}",
            read_as.format("%H:%M"),
            other.format("%H:%M")
        )),
    }
}

/// The other unit of a bare number, and the length with it.
fn other_unit(guess: &Guess) -> Option<(Unit, Minutes)> {
    match guess {
        Guess::BareNumber { read_as, other, .. } if *other <= Minutes::DAY => Some(match read_as {
            Unit::Hours => (Unit::Minutes, *other),
            Unit::Minutes => (Unit::Hours, *other),
        }),
        _ => None,
    }
}

/// An entry was taken back.
pub fn undone(reader: Reader<'_>, receipt: &Receipt) -> Message {
    let entry = &receipt.entry;
    let buttons = vec![Button::on(entry, "entry.redo", "Put it back", "")];
    let mut message = reader.card(
        &Headline {
            says: "Undone:",
            shown: "Undone: ",
            is_struck: true,
        },
        receipt,
        &[],
        buttons,
    );
    let (_, total) = reader.day(receipt);
    message.text = format!(
        "Undone. {} · {}, {}, is no longer logged. {total}",
        entry.duration_minutes,
        cut(&entry.description, 3000),
        reader.when(entry)
    );
    message
}

/// `/time undo` found nothing to take back.
pub fn nothing_to_undo(reader: Reader<'_>) -> Message {
    let text = "There is nothing to undo: nothing was logged in the last 24 hours that is not undone already.";
    Message::new(text, vec![section(reader.id("undo"), text.to_owned())])
}

/// The entry has changed since the button was drawn.
pub fn stale(reader: Reader<'_>, receipt: &Receipt) -> Message {
    let entry = &receipt.entry;
    let at = clock_time(entry.updated_at, reader.zone());
    if let Some(deleted_at) = entry.deleted_at {
        let at = clock_time(deleted_at, reader.zone());
        let headline = format!("*Nothing was changed.* This entry was taken back at {at}: ");
        let buttons = vec![Button::on(entry, "entry.redo", "Put it back", "")];
        let says = format!("Nothing was changed. This entry was taken back at {at}:");
        return reader.card(
            &Headline {
                says: &says,
                shown: &headline,
                is_struck: true,
            },
            receipt,
            &[],
            buttons,
        );
    }
    let headline = format!(
        "*Nothing was changed.* This entry was changed at {at}, after this card was shown.\nNow "
    );
    let says = format!("Nothing was changed. This entry was changed at {at}; it is now");
    let buttons = vec![Button::on(entry, "entry.undo", "Undo", "")];
    reader.card(
        &Headline {
            says: &says,
            shown: &headline,
            is_struck: false,
        },
        receipt,
        &[],
        buttons,
    )
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
        &Headline {
            says: &says,
            shown: &headline,
            is_struck: false,
        },
        receipt,
        &[],
        Vec::new(),
    )
}

/// The person has no such entry, or the button carries what nothing can be made of.
pub fn no_longer_here(reader: Reader<'_>) -> Message {
    let text = "This is no longer here. Nothing was changed.";
    Message::new(text, vec![section(reader.id("gone"), text.to_owned())])
}

/// How to use it.
pub fn help(reader: Reader<'_>) -> Message {
    let blocks = vec![
        expanded(
            reader.id("help.log"),
            "*Log time in one line*\n\
             `/time 2.5 hours: Meeting`\n\
             `/time 1h30 wireframes`\n\
             `/time 9-11:30 workshop`\n\
             `/time yesterday 45 min: code review`",
        ),
        expanded(
            reader.id("help.more"),
            "*And besides*\n\
             `/time undo` · takes the last entry back\n\
             `/time ? 1h30 wireframes` · how I would read it; saves nothing\n\
             `/time help` · this",
        ),
        context(
            reader.id("help.note"),
            "Only you see my answers. Everything can be undone. Your day is in the Home tab."
                .to_owned(),
        ),
    ];
    Message::new(
        "How to log time. /time 2.5 hours: Meeting. /time 1h30 wireframes. /time 9-11:30 workshop. \
         /time yesterday 45 min: code review. Take the last entry back: /time undo. Check a line without \
         saving: /time ? 1h30 wireframes. Only you see my answers. Everything can be undone. Your day is in \
         the Home tab.",
        blocks,
    )
}

/// How a line would be read.
pub fn explained(reader: Reader<'_>, line: &LogLine) -> Message {
    let mut day = short_day(line.date, reader.today());
    if line.date == reader.today() {
        day.insert_str(0, "Today, ");
    }
    let description = match line.words() {
        words if words.is_empty() => "no description yet".to_owned(),
        words => words,
    };
    if let (Some(start), Some(end)) = (line.start, line.end) {
        let _ = write!(day, ", {}–{}", start.format("%H:%M"), end.format("%H:%M"));
    }
    let mut grey = "Nothing was saved".to_owned();
    if let Some(note) = line
        .guess
        .as_ref()
        .and_then(|guess| reading_note(guess, reader.today()))
    {
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
                    "I would log *{} · {}*\n{day}",
                    line.duration,
                    plain_within(&description, WORDS_MAX)
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
        .map(|(place, suggestion)| Button {
            action: format!("reading.accept.{}", place + 1),
            label: cut(&suggestion.label, LABEL_MAX),
            // A line is read as Slack sends it, with its signs escaped.
            value: format!("t:{}", escaped_within(&suggestion.line, usize::MAX)),
            spoken: cut(
                &format!("Log {}: {}", suggestion.label, suggestion.line),
                LABEL_MAX,
            ),
            is_primary: false,
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
        let button = Button {
            action: "command.retry".to_owned(),
            label: "Try again".to_owned(),
            value,
            spoken: cut(
                &format!("Try again: {}", shown.replace('\n', " ")),
                LABEL_MAX,
            ),
            is_primary: true,
        };
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

pub(super) fn section(id: SlackBlockId, text: String) -> SlackBlock {
    SlackSectionBlock::new()
        .with_block_id(id)
        .with_text(markdown(text).into())
        .into()
}

fn expanded(id: SlackBlockId, text: &str) -> SlackBlock {
    SlackSectionBlock::new()
        .with_block_id(id)
        .with_text(markdown(text.to_owned()).into())
        .with_expand(true)
        .into()
}

pub(super) fn context(id: SlackBlockId, text: String) -> SlackBlock {
    let element = SlackContextBlockElement::MarkDown(markdown(text));
    SlackContextBlock::new(vec![element])
        .with_block_id(id)
        .into()
}

/// `verbatim`, or Slack would turn `#acme` into a link where such a channel exists.
fn markdown(text: String) -> SlackBlockMarkDownText {
    SlackBlockMarkDownText::new(text).with_verbatim(true)
}

pub(super) fn label(text: &str) -> SlackBlockPlainTextOnly {
    SlackBlockPlainText::new(text.to_owned())
        .with_emoji(true)
        .into()
}

fn actions(id: SlackBlockId, buttons: Vec<Button>) -> SlackBlock {
    let elements = buttons
        .into_iter()
        .map(|button| {
            let element = SlackBlockButtonElement::new(label(&button.label))
                .with_action_id(SlackActionId(button.action))
                .with_value(button.value)
                .with_accessibility_label(SlackAccessibilityLabel(button.spoken));
            SlackActionBlockElement::Button(if button.is_primary {
                element.with_style(SlackBlockButtonStyle::Primary)
            } else {
                element
            })
        })
        .collect();
    SlackActionsBlock::new(elements).with_block_id(id).into()
}
