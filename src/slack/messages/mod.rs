//! Every sentence the bot says in messages. One function a message; nothing here decides anything.
//!
//! What all messages share is here; the messages themselves are in one file a subject.

mod calendar_forms;
mod calendars;
mod card;
mod doubts;
mod ended;
#[cfg(test)]
mod fixtures;
mod help;
mod home;
mod invoice;
mod list;
mod overlap;
mod own_data;
mod preferences;
mod projects;
mod reading;
mod report;
mod rows;
mod rules;
mod summary;
mod timer;
mod workspace;

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use slack_morphism::blocks::SlackAccessibilityLabel;
use slack_morphism::prelude::{
    SlackActionBlockElement, SlackActionId, SlackActionsBlock, SlackBlock, SlackBlockButtonElement,
    SlackBlockButtonStyle, SlackBlockConfirmItem, SlackBlockId, SlackBlockMarkDownText,
    SlackBlockPlainText, SlackBlockPlainTextOnly, SlackContextBlock, SlackContextBlockElement,
    SlackSectionBlock, SlackSectionBlockElement,
};

use super::text::{bar, cut, escaped_within, long_day, plain, short_day, span};
use crate::domain::{
    member::Member,
    minutes::Minutes,
    time_entry::{Receipt, TimeEntry},
};

pub use calendar_forms::{
    List, api_token_blocks, choose_blocks, disconnect_blocks, new_token_blocks, sign_out_everywhere,
};
pub use calendars::{
    broken, connect_link, connected, disconnected, link_opened_blocks, no_account, not_set_up,
    reading_calendars, typed_code, which_calendar,
};
pub use card::{
    changed, flipped, logged, no_longer_here, nothing_to_undo, other_timer, project_not_set,
    settled, stale, taught,
};
pub use ended::{changed_meeting, ended_meetings, kept};
pub use help::help;
pub use home::{home, home_unavailable};
pub(super) use invoice::INVOICE;
pub use invoice::invoice_ready;
pub use list::entries;
pub use own_data::{
    EXPORT_NOTE, Export, delete_blocks, entries_note, everything_deleted, exporting,
    own_data_blocks,
};
pub use preferences::{open_preferences, preferences_about_me};
pub use projects::{linked, project_not_changed, projects};
pub use reading::{explained, failed, not_installed, not_stored, not_understood, only_time};
pub use report::{Conversation, ShareNews, ShareRefusal, report, shared_report, which_project};
pub(super) use report::{SHARE_UNCLEAR, report_title};
pub use rules::rule_decided;
use rules::{offer_blocks, rule_rows, rule_words};
pub use summary::{SummaryNotice, day_summary, week_summary};
pub use timer::{forgotten, timer};
pub(super) use timer::{marks, name, since, stop_problem, timer_value};
pub use workspace::{time_is_off, workspace_about, workspace_changed_meanwhile};

/// Slack's limit for what a button carries.
const VALUE_MAX: usize = 2000;
/// Slack's limit for a button's label; longer project names are cut.
const PROJECT_MAX: usize = 20;
/// What people's words take in one block, escaped; Slack's limit for a block's text is 3,000.
const WORDS_MAX: usize = 2500;
/// What project and tags of an entry take in one line, before they are escaped.
pub(super) const MARKS_MAX: usize = 120;
/// What Slack advises for the `text` of a message.
const TEXT_MAX: usize = 4000;
/// Slack's limit for an accessible label.
const LABEL_MAX: usize = 75;

/// A message as Slack takes it, in an acknowledgement or through a `response_url`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    response_type: &'static str,
    /// Only said through a `response_url`: whether it takes the place of the message that belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    replace_original: Option<bool>,
    /// The whole message in sentences, for notifications and screen readers.
    pub text: String,
    /// What is drawn.
    pub blocks: Vec<SlackBlock>,
}

impl Message {
    fn new(text: impl Into<String>, blocks: Vec<SlackBlock>) -> Self {
        Self {
            response_type: "ephemeral",
            replace_original: None,
            text: escaped_within(&text.into(), TEXT_MAX),
            blocks,
        }
    }

    /// The same, to stand in the place of the message whose button was pressed.
    #[must_use]
    pub fn replacing(self) -> Self {
        Self {
            replace_original: Some(true),
            ..self
        }
    }

    /// The same, to stand beside the message whose form was opened.
    #[must_use]
    pub fn beside(self) -> Self {
        Self {
            replace_original: Some(false),
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
    /// What names the message in its block ids, where it has to be known again: `.d2026-11-20`.
    pub tag: &'a str,
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

    /// `#acme · billable · +web`, each with what separates it from what stands before.
    fn marks(entry: &TimeEntry) -> String {
        let mut marks = String::new();
        if let Some(project) = &entry.project {
            let _ = write!(marks, " · #{}", project.slug);
        }
        match (entry.billable, &entry.project) {
            (true, _) => marks.push_str(" · billable"),
            (false, Some(_)) => marks.push_str(" · not billable"),
            (false, None) => {}
        }
        for tag in &entry.tags {
            let _ = write!(marks, " · +{tag}");
        }
        cut(&marks, MARKS_MAX)
    }

    /// `Today  ▇▇▇▇▇░░░  5 h 15 min of 8 h`, and the same in words.
    fn day(&self, receipt: &Receipt) -> (String, String) {
        let name = if receipt.entry.date == self.today() {
            "Today"
        } else {
            "That day"
        };
        let (total, target) = (receipt.day_total, self.member.preferences.target_per_day);
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
            .time_zone()
            .is_none()
            .then_some("Slack has not told me your time zone yet, so these times are in UTC")
    }

    fn id(&self, name: &str) -> SlackBlockId {
        SlackBlockId(format!("{name}{}.r{}", self.tag, self.next_round()))
    }

    /// The round of the message that is drawn; after the last number it stays there.
    fn next_round(&self) -> u32 {
        self.round.saturating_add(1)
    }

    /// The card: what happened, when, the day in sum, and what can be done about it.
    fn card(
        &self,
        headline: &Headline<'_>,
        receipt: &Receipt,
        grey: &[String],
        parts: Parts,
    ) -> Message {
        let entry = &receipt.entry;
        let mut when = self.when(entry);
        when.push_str(&Self::marks(entry));
        when.push_str(headline.after);
        let (strip, total) = self.day(receipt);
        let mut text = format!(
            "{} {} · {} {when}. ",
            headline.says,
            entry.duration_minutes,
            sentence(&cut(&entry.description, 3000))
        );
        let mut small = String::new();
        for note in grey.iter().map(String::as_str).chain(self.zone_note()) {
            let _ = write!(text, "{note}. ");
            let _ = write!(small, "{}  ·  ", plain(note));
        }
        let _ = write!(text, "{}{total}", parts.says);
        small.push_str(&strip);
        let what = format!(
            "{} · {}",
            entry.duration_minutes,
            super::text::plain_within(&entry.description, WORDS_MAX)
        );
        let what = if headline.is_struck {
            format!("~{what}~")
        } else {
            format!("*{what}*")
        };
        let mut blocks = vec![section(
            self.id("card"),
            format!(
                "{}{what}\n{}",
                headline.shown,
                super::text::plain_within(&when, 300)
            ),
        )];
        blocks.extend(parts.warning);
        blocks.push(context(self.id("card.day"), small));
        blocks.extend(parts.questions);
        if !parts.buttons.is_empty() {
            blocks.push(actions(self.id("card.actions"), parts.buttons));
        }
        Message::new(text, blocks)
    }
}

/// What a card has besides what was done and its day.
#[derive(Default)]
struct Parts {
    /// What the warning and the questions say, for the plain text; each sentence with a space behind it.
    says: String,
    /// Above the day.
    warning: Option<SlackBlock>,
    /// Below the day.
    questions: Vec<SlackBlock>,
    buttons: Vec<Button>,
}

impl From<Vec<Button>> for Parts {
    fn from(buttons: Vec<Button>) -> Self {
        Self {
            buttons,
            ..Self::default()
        }
    }
}

/// With the full stop that ends a sentence, where none does yet.
fn sentence(words: &str) -> String {
    let dot = if words.ends_with(['.', '!', '?', '…']) {
        ""
    } else {
        "."
    };
    format!("{words}{dot}")
}

struct Headline<'a> {
    /// In the plain text.
    says: &'a str,
    /// In front of the bold words.
    shown: &'a str,
    is_struck: bool,
    /// Behind the time, the project and so on.
    after: &'a str,
}

impl<'a> Headline<'a> {
    fn new(says: &'a str, shown: &'a str) -> Self {
        Self {
            says,
            shown,
            is_struck: false,
            after: "",
        }
    }

    fn struck(self) -> Self {
        Self {
            is_struck: true,
            ..self
        }
    }
}

struct Button {
    action: String,
    label: String,
    value: String,
    spoken: String,
    is_primary: bool,
    /// What is asked before it does anything.
    confirm: Option<SlackBlockConfirmItem>,
}

impl Button {
    fn new(action: &str, label: impl Into<String>, value: impl Into<String>, spoken: &str) -> Self {
        Self {
            action: action.to_owned(),
            label: cut(&label.into(), LABEL_MAX),
            value: value.into(),
            spoken: cut(spoken, LABEL_MAX),
            is_primary: false,
            confirm: None,
        }
    }

    fn primary(self) -> Self {
        Self {
            is_primary: true,
            ..self
        }
    }

    /// A button that acts on an entry, as it is now.
    fn on(entry: &TimeEntry, action: &str, label: &str, verb: &str) -> Self {
        let about = format!(
            "{label}: {}, {}, {}",
            cut(&entry.description.replace('\n', " "), 28),
            entry.duration_minutes,
            long_day(entry.date)
        );
        Self::new(
            action,
            label,
            format!("{verb}{}", entry_value(entry)),
            &about,
        )
    }

    fn element(self) -> SlackBlockButtonElement {
        let mut element = SlackBlockButtonElement::new(label(&self.label))
            .with_action_id(SlackActionId(self.action))
            .with_value(self.value)
            .with_accessibility_label(SlackAccessibilityLabel(self.spoken));
        if self.is_primary {
            element = element.with_style(SlackBlockButtonStyle::Primary);
        }
        element.confirm = self.confirm;
        element
    }
}

/// What a button carries to act on this entry: its id, the version that was shown, and the day.
pub(super) fn entry_value(entry: &TimeEntry) -> String {
    format!("e:{}:{}:{}", entry.id, entry.version, entry.date)
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
        .map(|button| SlackActionBlockElement::Button(button.element()))
        .collect();
    SlackActionsBlock::new(elements).with_block_id(id).into()
}

/// A section with one button beside it.
fn with_button(id: SlackBlockId, text: String, button: Button) -> SlackBlock {
    SlackSectionBlock::new()
        .with_block_id(id)
        .with_text(markdown(text).into())
        .with_accessory(SlackSectionBlockElement::Button(button.element()))
        .into()
}
