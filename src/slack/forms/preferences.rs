//! The form for preferences: what stands in it, and what was entered.

use chrono::NaiveTime;
use chrono_tz::Tz;
use slack_morphism::prelude::{
    SlackActionId, SlackActionsBlock, SlackBlock, SlackBlockCheckboxesElement,
    SlackBlockChoiceItem, SlackBlockExternalSelectElement, SlackBlockId,
    SlackBlockMultiStaticSelectElement, SlackBlockPlainTextOnly, SlackBlockStaticSelectElement,
    SlackBlockText, SlackBlockTimePickerElement, SlackDividerBlock, SlackHeaderBlock,
    SlackInputBlock, SlackInputBlockElement, SlackView,
};

use super::{Meta, NoChoice, VALUE, input, modal, project_of_value, project_option, text_field};
use crate::{
    domain::{
        member::Member,
        preferences::{Days, Preferences},
        project::Project,
        time_command::{BareNumberUnit, Context, length_of_day},
    },
    slack::{inbound::View, messages::label},
};

/// What the form is called.
pub(in crate::slack) const PREFERENCES: &str = "prefs.save";
/// The longest text of the field for the length of a day.
const LONGEST_LENGTH: u64 = 20;
/// What stands for Slack's own zone.
const SLACK_ZONE: &str = "slack";
/// What stands for the project that was used last.
const LAST_PROJECT: &str = "last";

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

type Choice = SlackBlockChoiceItem<SlackBlockPlainTextOnly>;

/// The form. `project` is the one where none is named, if it is open; `about_me` is what stands below the fields.
pub(in crate::slack) fn preferences(
    member: &Member,
    project: Option<&Project>,
    about_me: Vec<SlackBlock>,
) -> SlackView {
    let preferences = &member.preferences;
    let zone = member.zone();
    let mut blocks = vec![
        header("h.summary", "Daily summary"),
        boxes(
            "daily_summary",
            [
                (
                    "daily_summary",
                    "Send me one message at the end of the day",
                    preferences.daily_summary,
                ),
                (
                    "silent_when_done",
                    "Stay silent when the day is complete or off",
                    preferences.silent_when_done,
                ),
                (
                    "monday",
                    "On Monday, show what was missing last week",
                    preferences.monday,
                ),
            ],
        ),
        time_field(
            "daily_summary_time",
            "Send it at",
            preferences.daily_summary_time,
            zone,
        ),
        days_field(preferences.summary_days),
        SlackDividerBlock::new().into(),
        header("h.notices", "Tell me when"),
        boxes(
            "notices",
            [
                (
                    "after_meeting",
                    "A meeting ends and is not logged yet",
                    preferences.after_meeting,
                ),
                (
                    "entry_notifications",
                    "An entry is made elsewhere, by a rule or the API",
                    preferences.entry_notifications,
                ),
                (
                    "invoice_notifications",
                    "An invoice is ready",
                    preferences.invoice_notifications,
                ),
            ],
        ),
        SlackDividerBlock::new().into(),
        header("h.day", "My working day"),
        text_field(
            "target_minutes_per_day",
            "Hours a day",
            "8 h  or  7h 30m",
            &preferences.target_per_day.to_string(),
        )
        .up_to(LONGEST_LENGTH)
        .block(),
        time_field(
            "workday_start",
            "Starts at",
            preferences.workday_start,
            zone,
        ),
        search_field(
            "time_zone",
            "Time zone",
            "Type a city",
            preferences
                .time_zone
                .map_or_else(|| slack_zone_option(member), zone_option),
        ),
        SlackDividerBlock::new().into(),
        header("h.typing", "When I type"),
        search_field(
            "default_project_id",
            "Project when I name none",
            "Choose, or type to search",
            project.map_or_else(last_project_option, project_option),
        ),
        unit_field(preferences.bare_number_unit),
        SlackDividerBlock::new().into(),
        header("h.meetings", "Meetings"),
        boxes(
            "meetings",
            [
                (
                    "suggest_private",
                    "Suggest private events, with their titles",
                    preferences.wishes.private,
                ),
                (
                    "suggest_tentative",
                    "Suggest events I have not accepted yet",
                    preferences.wishes.tentative,
                ),
            ],
        ),
        SlackDividerBlock::new().into(),
    ];
    blocks.extend(about_me);
    modal(PREFERENCES, "Preferences", "Save", blocks, &Meta::default())
}

fn header(id: &str, text: &str) -> SlackBlock {
    SlackHeaderBlock::new(label(text))
        .with_block_id(SlackBlockId(id.to_owned()))
        .into()
}

/// Boxes to tick. They stand in an actions block: in an input block Slack would demand one tick.
pub(super) fn boxes<const N: usize>(group: &str, choices: [(&str, &str, bool); N]) -> SlackBlock {
    let option = |(name, text, _): &(&str, &str, bool)| {
        SlackBlockChoiceItem::new(SlackBlockText::from(label(text)), (*name).to_owned())
    };
    let ticked: Vec<_> = choices
        .iter()
        .filter(|(_, _, is_ticked)| *is_ticked)
        .map(option)
        .collect();
    let mut boxes = SlackBlockCheckboxesElement::new(choices.iter().map(option).collect())
        .with_action_id(SlackActionId(VALUE.to_owned()));
    boxes.initial_options = (!ticked.is_empty()).then_some(ticked);
    SlackActionsBlock::new(vec![boxes.into()])
        .with_block_id(SlackBlockId(group.to_owned()))
        .into()
}

fn time_field(name: &str, text: &str, time: NaiveTime, zone: Tz) -> SlackBlock {
    let picker = SlackBlockTimePickerElement::new()
        .with_action_id(SlackActionId(VALUE.to_owned()))
        .with_initial_time(time.format("%H:%M").to_string())
        .with_timezone(zone.name().to_owned());
    input(name, text, SlackInputBlockElement::TimePicker(picker))
}

/// It may be left empty as far as Slack is concerned: without a summary there need be no day.
fn days_field(days: Days) -> SlackBlock {
    let option = |number: u8| -> Choice {
        let name = DAYS[usize::from(number - 1)];
        SlackBlockChoiceItem::new(label(name), number.to_string())
    };
    let mut menu = SlackBlockMultiStaticSelectElement::new()
        .with_action_id(SlackActionId(VALUE.to_owned()))
        .with_placeholder(label("Choose"))
        .with_options((1..=7).map(option).collect());
    let chosen: Vec<Choice> = days.numbers().map(option).collect();
    menu.initial_options = (!chosen.is_empty()).then_some(chosen);
    SlackInputBlock::new(
        label("On these days"),
        SlackInputBlockElement::MultiStaticSelect(menu),
    )
    .with_optional(true)
    .with_block_id(SlackBlockId("summary_days".to_owned()))
    .into()
}

fn search_field(name: &str, text: &str, placeholder: &str, chosen: Choice) -> SlackBlock {
    let select = SlackBlockExternalSelectElement::new()
        .with_action_id(SlackActionId(VALUE.to_owned()))
        .with_placeholder(label(placeholder))
        .with_min_query_length(0)
        .with_initial_option(chosen);
    input(name, text, SlackInputBlockElement::ExternalSelect(select))
}

fn unit_field(unit: BareNumberUnit) -> SlackBlock {
    let option = |unit: BareNumberUnit| -> Choice {
        let text = match unit {
            BareNumberUnit::Guess => "1 to 12 are hours, 15 and more minutes",
            BareNumberUnit::Hours => "Always hours",
            BareNumberUnit::Minutes => "Always minutes",
        };
        SlackBlockChoiceItem::new(label(text), unit.as_str().to_owned())
    };
    let units = [
        BareNumberUnit::Guess,
        BareNumberUnit::Hours,
        BareNumberUnit::Minutes,
    ];
    let menu = SlackBlockStaticSelectElement::new()
        .with_action_id(SlackActionId(VALUE.to_owned()))
        .with_placeholder(label("Choose"))
        .with_options(units.into_iter().map(option).collect())
        .with_initial_option(option(unit));
    input(
        "bare_number_unit",
        "A number without a unit, as in “2 Meeting”",
        SlackInputBlockElement::StaticSelect(menu),
    )
}

/// The option for the zone that Slack says.
pub(in crate::slack) fn slack_zone_option(member: &Member) -> Choice {
    let zone = member.slack_time_zone.map_or("not known yet", Tz::name);
    SlackBlockChoiceItem::new(
        label(&format!("As in Slack ({zone})")),
        SLACK_ZONE.to_owned(),
    )
}

/// The option for a zone that stays.
pub(in crate::slack) fn zone_option(zone: Tz) -> Choice {
    let text = zone.name().replace('_', " ");
    SlackBlockChoiceItem::new(label(&text), zone.name().to_owned())
}

/// The option for the project that was used last.
pub(in crate::slack) fn last_project_option() -> Choice {
    SlackBlockChoiceItem::new(
        label("The last one used in the channel"),
        LAST_PROJECT.to_owned(),
    )
}

/// What was entered, over what was there; and what could not be read, by field.
pub(in crate::slack) fn read_preferences(
    view: &View,
    before: &Preferences,
    context: &Context,
) -> (Preferences, Vec<(&'static str, String)>) {
    let mut problems = Vec::new();
    let ticked = |group: &str, name: &str| {
        let field = view.field(group);
        field
            .selected_options
            .iter()
            .any(|option| option.value == name)
    };
    let mut time = |field: &'static str, before: NaiveTime| {
        NaiveTime::parse_from_str(&view.field(field).selected_time, "%H:%M").unwrap_or_else(|_| {
            problems.push((field, "This cannot be read. Choose it again.".to_owned()));
            before
        })
    };
    let mut preferences = Preferences {
        daily_summary: ticked("daily_summary", "daily_summary"),
        silent_when_done: ticked("daily_summary", "silent_when_done"),
        monday: ticked("daily_summary", "monday"),
        daily_summary_time: time("daily_summary_time", before.daily_summary_time),
        workday_start: time("workday_start", before.workday_start),
        after_meeting: ticked("notices", "after_meeting"),
        entry_notifications: ticked("notices", "entry_notifications"),
        invoice_notifications: ticked("notices", "invoice_notifications"),
        ..before.clone()
    };
    preferences.wishes.private = ticked("meetings", "suggest_private");
    preferences.wishes.tentative = ticked("meetings", "suggest_tentative");
    let mut unreadable = |field| {
        problems.push((field, "This cannot be read. Choose it again.".to_owned()));
    };
    let days = view.field("summary_days").selected_options;
    let numbers: Result<Vec<u8>, _> = days.iter().map(|day| day.value.parse()).collect();
    match numbers.ok().and_then(Days::from_numbers) {
        Some(days) => preferences.summary_days = days,
        None => unreadable("summary_days"),
    }
    match &*view.field("time_zone").selected_option.value {
        SLACK_ZONE => preferences.time_zone = None,
        name => match name.parse() {
            Ok(zone) => preferences.time_zone = Some(zone),
            Err(_) => unreadable("time_zone"),
        },
    }
    match &*view.field("default_project_id").selected_option.value {
        LAST_PROJECT => preferences.default_project_id = None,
        value => match project_of_value(value) {
            Ok(Some(id)) => preferences.default_project_id = Some(id),
            Ok(None) | Err(NoChoice) => unreadable("default_project_id"),
        },
    }
    match BareNumberUnit::from_name(&view.field("bare_number_unit").selected_option.value) {
        Some(unit) => preferences.bare_number_unit = unit,
        None => unreadable("bare_number_unit"),
    }
    let typed = view.field("target_minutes_per_day").value;
    match length_of_day(&typed, context) {
        Some(length) => preferences.target_per_day = length,
        None => problems.push((
            "target_minutes_per_day",
            format!(
                "{} is not a length of time. Try 8 h or 7h 30m.",
                typed.trim()
            ),
        )),
    }
    (preferences, problems)
}
