//! The forms, and what all of them share: what they carry, their fields, what is said at a field.

mod entry;
mod meeting;
mod preferences;
mod project;
mod report;
mod timer;
mod workspace;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use slack_morphism::prelude::{
    SlackActionId, SlackActionsBlock, SlackBlock, SlackBlockCheckboxesElement,
    SlackBlockChoiceItem, SlackBlockExternalSelectElement, SlackBlockId,
    SlackBlockPlainTextInputElement, SlackBlockPlainTextOnly, SlackBlockText, SlackCallbackId,
    SlackInputBlock, SlackInputBlockElement, SlackModalView, SlackView,
};
use uuid::Uuid;

use super::{inbound::View, messages::label, summaries::About, text::cut};
use crate::{
    app::{EntryVersion, FormProblem},
    domain::project::{Project, ProjectRef},
};

pub(super) use entry::{
    change_project, edit_entry, move_entry, new_entry, read_date, read_day, read_entry,
};
pub(super) use meeting::{ALWAYS, change_rule, log_meeting};
pub(super) use preferences::{
    PREFERENCES, last_project_option, preferences, read_preferences, slack_zone_option, zone_option,
};
pub(super) use project::project;
pub(super) use report::share_report;
pub(super) use timer::{edit_timer, new_timer, stop_timer};
pub(super) use workspace::{TARGET, WORKSPACE, read_workspace, workspace};

/// What every field's element is called; the field is named by its block.
pub(super) const VALUE: &str = "value";
/// What stands for no project where one chooses.
pub(super) const NO_PROJECT: &str = "p:none";
/// The longest text of the field for the time.
const LONGEST_TIME: u64 = 100;
/// Slack's limit for an option's text.
const OPTION_MAX: usize = 75;
/// From so many characters on the description has several lines.
const LONG_DESCRIPTION: usize = 80;

/// What a form carries from its opening to its submission: what it is about, and where the answer goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meta {
    /// Names the request, so that one form is one entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Uuid>,
    /// The entry, project or timer it is about.
    #[serde(rename = "e", skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Uuid>,
    /// The version of it that was shown.
    #[serde(rename = "v", default, skip_serializing_if = "is_zero")]
    pub(super) version: i32,
    /// The conversation it was opened in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) channel: String,
    /// Under which the way back to the message is remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) way: Option<Uuid>,
    /// Whether the answer takes the place of that message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) over: bool,
    /// How often that message was replaced.
    #[serde(default, skip_serializing_if = "is_zero_u32")]
    pub(super) round: u32,
    /// The project and the tick that stood in the form when it opened.
    #[serde(rename = "p", skip_serializing_if = "Option::is_none")]
    pub(super) project: Option<Uuid>,
    #[serde(rename = "b", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_billable: bool,
    /// Opened on the Home tab, which is drawn anew then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) home: bool,
    /// Opened on a list, of which so many come before the page that is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) list: Option<u32>,
    /// The summary it was opened on, which is drawn anew then.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<About>,
    /// The report that is shared.
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    pub(super) report: Option<String>,
    /// The message it was opened on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) permalink: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn is_zero(number: &i32) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn is_zero_u32(number: &u32) -> bool {
    *number == 0
}

impl Meta {
    /// Reads what a form carries; one of another version of BillOps carries nothing.
    pub(super) fn of(view: &View) -> Self {
        serde_json::from_str(&view.private_metadata).unwrap_or_default()
    }

    /// Remembers what stands in the form.
    fn with(&self, prefill: &Prefill) -> Self {
        Self {
            project: prefill.project.as_ref().map(|project| project.id),
            is_billable: prefill.is_billable,
            ..self.clone()
        }
    }

    /// The same for a form that leads to an entry of its own: its answer does not take the place of what it was opened
    /// on, unless that is a summary, which shows the entry.
    pub(super) fn for_another_entry(self) -> Self {
        Self {
            way: self.way.filter(|_| self.summary.is_some()),
            ..self
        }
    }

    pub(super) fn entry(&self) -> Option<EntryVersion> {
        Some(EntryVersion {
            id: self.id?,
            version: self.version,
        })
    }
}

/// What stands in the fields when a form opens.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefill {
    pub(super) time: String,
    pub(super) description: String,
    pub(super) project: Option<Project>,
    pub(super) date: NaiveDate,
    pub(super) is_billable: bool,
    /// A grey line below the fields, as markup.
    pub(super) origin: Option<String>,
}

/// A choice of a project that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoChoice;

/// `p:ID`, or `p:none` for no project.
pub(super) fn project_of_value(value: &str) -> Result<Option<Uuid>, NoChoice> {
    match value.strip_prefix("p:").ok_or(NoChoice)? {
        "none" => Ok(None),
        id => Uuid::parse_str(id).map(Some).map_err(|_| NoChoice),
    }
}

/// The field a problem belongs to, and what is said there: what is wrong, and the way out.
pub(super) fn field_error(problem: &FormProblem) -> (&'static str, String) {
    match problem {
        FormProblem::Time(error) => (
            "time",
            format!(
                "{} Try {}.",
                error.message.replace(", so nothing is saved yet", ""),
                error.example
            ),
        ),
        FormProblem::NoDescription => {
            ("description", "Say in a few words what you did.".to_owned())
        }
        FormProblem::DescriptionTooLong(characters) => (
            "description",
            format!("3,000 characters are the limit; this is {characters}."),
        ),
        FormProblem::Archived(slug) => (
            "project",
            format!("#{slug} is archived. Choose another project."),
        ),
        FormProblem::NoProject => (
            "project",
            "This project is no longer here. Choose another one.".to_owned(),
        ),
        FormProblem::Future(date) => (
            "date",
            format!(
                "{} is in the future. Time can be logged up to today.",
                date.format("%a %-d %b")
            ),
        ),
    }
}

/// What an option of a project menu is.
pub(super) fn project_option(project: &Project) -> SlackBlockChoiceItem<SlackBlockPlainTextOnly> {
    SlackBlockChoiceItem::new(
        label(&cut(&project.label(), OPTION_MAX)),
        format!("p:{}", project.id),
    )
}

/// The option for no project.
pub(super) fn no_project_option() -> SlackBlockChoiceItem<SlackBlockPlainTextOnly> {
    SlackBlockChoiceItem::new(label("No project"), NO_PROJECT.to_owned())
}

/// The option that makes the project that was typed.
pub(super) fn create_option(slug: &str) -> SlackBlockChoiceItem<SlackBlockPlainTextOnly> {
    SlackBlockChoiceItem::new(
        label(&cut(&format!("Create “{slug}”"), OPTION_MAX)),
        format!("n:{slug}"),
    )
}

fn project_field(project: Option<&Project>) -> SlackBlock {
    let chosen = project.map_or_else(no_project_option, project_option);
    let select = SlackBlockExternalSelectElement::new()
        .with_action_id(SlackActionId(VALUE.to_owned()))
        .with_placeholder(label("Choose, or type to search"))
        .with_min_query_length(0)
        .with_initial_option(chosen);
    input(
        "project",
        "Project",
        SlackInputBlockElement::ExternalSelect(select),
    )
}

fn checkbox(name: &str, text: &str, is_checked: bool) -> SlackBlock {
    let option = || SlackBlockChoiceItem::new(SlackBlockText::from(label(text)), name.to_owned());
    let mut boxes = SlackBlockCheckboxesElement::new(vec![option()])
        .with_action_id(SlackActionId(VALUE.to_owned()));
    boxes.initial_options = is_checked.then(|| vec![option()]);
    SlackActionsBlock::new(vec![boxes.into()])
        .with_block_id(SlackBlockId(name.to_owned()))
        .into()
}

pub(super) struct TextField {
    name: &'static str,
    label: &'static str,
    hint: Option<&'static str>,
    is_optional: bool,
    element: SlackBlockPlainTextInputElement,
}

/// A field for text; what it is called, and an example of what belongs there.
pub(super) fn text_field(
    name: &'static str,
    label_text: &'static str,
    example: &str,
    value: &str,
) -> TextField {
    let mut element = SlackBlockPlainTextInputElement::new()
        .with_action_id(SlackActionId(VALUE.to_owned()))
        .with_placeholder(label(example))
        .with_multiline(false);
    element.initial_value = (!value.is_empty()).then(|| value.to_owned());
    TextField {
        name,
        label: label_text,
        hint: None,
        is_optional: false,
        element,
    }
}

impl TextField {
    pub(super) fn focused(mut self) -> Self {
        self.element.focus_on_load = Some(true);
        self
    }

    pub(super) fn up_to(mut self, characters: u64) -> Self {
        self.element.max_length = Some(characters);
        self
    }

    pub(super) fn multiline(mut self, is_multiline: bool) -> Self {
        self.element.multiline = Some(is_multiline);
        self
    }

    pub(super) fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    pub(super) fn block(self) -> SlackBlock {
        let mut block = SlackInputBlock::new(
            label(self.label),
            SlackInputBlockElement::PlainTextInput(self.element),
        )
        .with_block_id(SlackBlockId(self.name.to_owned()));
        block.optional = self.is_optional.then_some(true);
        block.hint = self.hint.map(label);
        block.into()
    }
}

/// Whether a description is written in several lines; otherwise Enter submits.
fn is_long(description: &str) -> bool {
    description.contains('\n') || description.chars().count() > LONG_DESCRIPTION
}

fn input(name: &str, text: &str, element: SlackInputBlockElement) -> SlackBlock {
    SlackInputBlock::new(label(text), element)
        .with_block_id(SlackBlockId(name.to_owned()))
        .into()
}

/// A form with a button that submits it.
pub(super) fn modal(
    callback_id: &str,
    title: &str,
    submit: &str,
    blocks: Vec<SlackBlock>,
    meta: &Meta,
) -> SlackView {
    let metadata = serde_json::to_string(meta).expect("it is made of plain fields");
    SlackView::Modal(
        SlackModalView::new(label(title), blocks)
            .with_close(label("Cancel"))
            .with_submit(label(submit))
            .with_callback_id(SlackCallbackId(callback_id.to_owned()))
            .with_private_metadata(metadata),
    )
}

/// The project of an entry where one chooses, among those of the workspace.
pub(super) fn find_project(
    projects: Vec<Project>,
    project: Option<&ProjectRef>,
) -> Option<Project> {
    let id = project?.id;
    projects.into_iter().find(|project| project.id == id)
}
