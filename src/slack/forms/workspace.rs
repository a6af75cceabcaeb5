//! The form for a workspace's settings: what stands in it, and what was entered.

use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockChoiceItem, SlackBlockId, SlackBlockPlainTextOnly,
    SlackBlockStaticSelectElement, SlackInputBlock, SlackInputBlockElement, SlackView,
};

use super::{Meta, VALUE, modal, preferences::boxes, text_field};
use crate::{
    domain::{
        rounding::Rounding,
        time_command::{Context, length_of_day},
        workspace::WorkspaceSettings,
    },
    slack::{inbound::View, messages::label},
};

/// What the form is called.
pub(in crate::slack) const WORKSPACE: &str = "workspace.save";
/// The field at which is said what is about the whole form.
pub(in crate::slack) const TARGET: &str = "target_minutes_per_day";
const ROUNDING: &str = "rounding";
const CREATORS: &str = "project_creators";
/// The longest text of the field for the length of a day.
const LONGEST_LENGTH: u64 = 20;

type Choice = SlackBlockChoiceItem<SlackBlockPlainTextOnly>;

/// The form for the settings of this version; `about` is what stands around the fields.
pub(in crate::slack) fn workspace(
    settings: &WorkspaceSettings,
    version: i32,
    notice: Option<SlackBlock>,
    about: Vec<SlackBlock>,
) -> SlackView {
    let mut blocks: Vec<SlackBlock> = notice.into_iter().collect();
    blocks.extend([
        text_field(
            TARGET,
            "Hours a day, unless a person sets their own",
            "8 h  or  7h 30m",
            &settings.target_per_day.to_string(),
        )
        .up_to(LONGEST_LENGTH)
        .block(),
        menu(
            ROUNDING,
            "Rounding shown in reports",
            Some(
                "Each entry is rounded where a report shows it. Entries keep their exact minutes.",
            ),
            Rounding::all().map(rounding_option).collect(),
            rounding_option(settings.rounding),
        ),
        menu(
            CREATORS,
            "Who may create projects",
            None,
            [true, false].map(creators_option).into(),
            creators_option(settings.everyone_creates_projects),
        ),
        boxes(
            "features",
            [
                ("time_enabled", "/time is available", settings.time_enabled),
                (
                    "notices_enabled",
                    "BillOps may send summaries and notices",
                    settings.notices_enabled,
                ),
            ],
        ),
    ]);
    blocks.extend(about);
    let meta = Meta {
        version,
        home: true,
        ..Meta::default()
    };
    modal(WORKSPACE, "Workspace settings", "Save", blocks, &meta)
}

fn menu(
    name: &str,
    text: &str,
    hint: Option<&str>,
    options: Vec<Choice>,
    chosen: Choice,
) -> SlackBlock {
    let menu = SlackBlockStaticSelectElement::new()
        .with_action_id(SlackActionId(VALUE.to_owned()))
        .with_placeholder(label("Choose"))
        .with_options(options)
        .with_initial_option(chosen);
    let mut block = SlackInputBlock::new(label(text), SlackInputBlockElement::StaticSelect(menu))
        .with_block_id(SlackBlockId(name.to_owned()));
    block.hint = hint.map(label);
    block.into()
}

fn rounding_option(rounding: Rounding) -> Choice {
    let words = rounding.words();
    let (first, rest) = words.split_at(1);
    let text = format!("{}{rest}", first.to_uppercase());
    SlackBlockChoiceItem::new(label(&text), rounding.to_string())
}

fn creators_option(is_everyone: bool) -> Choice {
    let (text, value) = if is_everyone {
        ("Everyone", "everyone")
    } else {
        ("Admins only", "admins")
    };
    SlackBlockChoiceItem::new(label(text), value.to_owned())
}

/// The settings that were entered, or what could not be read, by field.
pub(in crate::slack) fn read_workspace(
    view: &View,
    context: &Context,
) -> Result<WorkspaceSettings, Vec<(&'static str, String)>> {
    let mut problems = Vec::new();
    let typed = view.field(TARGET).value;
    let target = length_of_day(&typed, context);
    if target.is_none() {
        let sentence = format!(
            "{} is not a length of time. Try 8 h or 7h 30m.",
            typed.trim()
        );
        problems.push((TARGET, sentence));
    }
    let mut unreadable = |field| {
        problems.push((field, "This cannot be read. Choose it again.".to_owned()));
    };
    let rounding = view.field(ROUNDING).selected_option.value.parse();
    if rounding.is_err() {
        unreadable(ROUNDING);
    }
    let everyone = match &*view.field(CREATORS).selected_option.value {
        "everyone" => Some(true),
        "admins" => Some(false),
        _ => None,
    };
    if everyone.is_none() {
        unreadable(CREATORS);
    }
    let features = view.field("features").selected_options;
    let is_on = |name: &str| features.iter().any(|option| option.value == name);
    match (target, rounding, everyone) {
        (Some(target_per_day), Ok(rounding), Some(everyone_creates_projects)) => {
            Ok(WorkspaceSettings {
                target_per_day,
                rounding,
                everyone_creates_projects,
                time_enabled: is_on("time_enabled"),
                notices_enabled: is_on("notices_enabled"),
            })
        }
        _ => Err(problems),
    }
}
