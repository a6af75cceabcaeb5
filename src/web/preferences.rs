//! The API about what the caller has decided: whether BillOps knows them in Slack, and their preferences.

use std::borrow::Cow;

use axum::{Json, extract::State};
use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{AdditionalProperties, Schema},
    },
};
use uuid::Uuid;

use super::{Site, fields::Fields, problem::Problem, schema, session::Caller};
use crate::domain::{
    minutes::Minutes,
    preferences::{self, Days},
    time_command::BareNumberUnit,
};

/// How times of day are written.
const TIME: &str = "%H:%M";

/// What a person has decided about BillOps.
#[derive(Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a box that a person ticks"
)]
pub(super) struct Preferences {
    /// One message at the end of the day.
    daily_summary: bool,
    /// When it comes, in the person's zone.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("17:30"))]
    daily_summary_time: String,
    /// On which days: 1 is Monday, 7 Sunday.
    #[schema(value_type = Vec<DayNumber>, examples(json!([1, 2, 3, 4, 5])))]
    summary_days: Vec<u8>,
    /// Whether it stays away when the day is complete or off.
    silent_when_done: bool,
    /// On Monday, what was missing last week.
    monday: bool,
    /// A message when a meeting has ended that is not logged yet.
    after_meeting: bool,
    /// A message when an entry is made elsewhere, by a rule or the API.
    entry_notifications: bool,
    /// A message when an invoice is ready.
    invoice_notifications: bool,
    /// The zone to reckon in, by its IANA name; null follows the one in Slack.
    #[schema(examples("Europe/Berlin"))]
    time_zone: Option<&'static str>,
    /// When the working day begins, in the person's zone.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("09:00"))]
    workday_start: String,
    /// What a full day is; 0 is no target.
    #[schema(minimum = 0, maximum = 1440, examples(480))]
    target_minutes_per_day: u32,
    /// The project where none is named; null is the last one used in the channel.
    default_project_id: Option<Uuid>,
    /// Whether private meetings are suggested, with their titles.
    suggest_private: bool,
    /// Whether meetings are suggested that are not certain.
    suggest_tentative: bool,
    /// How a number without a unit is read in `/time`.
    #[schema(value_type = schema::BareNumberUnit)]
    bare_number_unit: &'static str,
}

/// A day of the week: 1 is Monday, 7 Sunday.
#[derive(ToSchema)]
#[schema(minimum = 1, maximum = 7)]
struct DayNumber(#[expect(dead_code, reason = "it is there for what it says of itself")] u8);

/// Any of the preferences: those that are named are changed.
pub(super) enum PreferenceChanges {}

impl PartialSchema for PreferenceChanges {
    fn schema() -> RefOr<Schema> {
        let mut schema = Preferences::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.clear();
            object.description =
                Some("Any of the preferences: those that are named are changed.".to_owned());
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
        schema
    }
}

impl ToSchema for PreferenceChanges {
    fn name() -> Cow<'static, str> {
        "PreferenceChanges".into()
    }
}

/// Whether BillOps knows a person in Slack, and what they have decided.
#[derive(Serialize, ToSchema)]
pub(super) struct SlackStatus {
    /// Whether the app is installed in their workspace.
    status: Connection,
    /// Slack's id of them.
    #[schema(examples("U07NINA001"))]
    slack_user_id: String,
    /// As Slack shows it.
    #[schema(examples("Nina Berg"))]
    slack_username: String,
    /// `daily_summary` of the preferences.
    daily_summary_enabled: bool,
    /// `invoice_notifications` of the preferences.
    invoice_notifications_enabled: bool,
    /// `entry_notifications` of the preferences.
    entry_notifications_enabled: bool,
    /// `daily_summary_time` of the preferences.
    #[schema(examples("17:30"))]
    daily_summary_time: String,
    /// The zone that is reckoned in; whether it is fixed stands with the preferences.
    #[schema(examples("Europe/Berlin"))]
    time_zone: &'static str,
    /// All of the preferences.
    preferences: Preferences,
}

/// Whether the app is installed in a workspace.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Connection {
    /// It is.
    Connected,
    /// It is not.
    NotConnected,
}

/// What BillOps knows of the caller in Slack
#[utoipa::path(
    get, path = "/integrations/slack/status", operation_id = "getSlackStatus", tag = "Person",
    responses((status = 200, description = "How it stands.", body = SlackStatus)),
)]
pub(super) async fn status(
    State(site): State<Site>,
    caller: Caller,
) -> Result<Json<SlackStatus>, Problem> {
    let member = &caller.member;
    let is_connected = site.app.knows_workspace(&member.workspace_id).await?;
    let preferences = &member.preferences;
    Ok(Json(SlackStatus {
        status: if is_connected {
            Connection::Connected
        } else {
            Connection::NotConnected
        },
        slack_user_id: member.slack_user_id.clone(),
        slack_username: member.name.clone(),
        daily_summary_enabled: preferences.daily_summary,
        invoice_notifications_enabled: preferences.invoice_notifications,
        entry_notifications_enabled: preferences.entry_notifications,
        daily_summary_time: written(preferences.daily_summary_time),
        time_zone: member.zone().name(),
        preferences: Preferences::of(preferences),
    }))
}

/// Change preferences
///
/// What is named is changed, all of it or nothing; the Home tab in Slack follows. Answers with all preferences.
#[utoipa::path(
    put, path = "/integrations/slack/preferences", operation_id = "savePreferences", tag = "Person",
    request_body = PreferenceChanges,
    responses((status = 200, description = "The preferences as they are now.", body = Preferences)),
)]
pub(super) async fn save(
    State(site): State<Site>,
    caller: Caller,
    Fields(asked): Fields<Map<String, Value>>,
) -> Result<Json<Preferences>, Problem> {
    let member = &caller.member;
    let mut preferences = member.preferences.clone();
    let mut errors: Vec<(String, String)> = Vec::new();
    for (name, value) in &asked {
        if let Err(message) = set(&mut preferences, name, value) {
            errors.push((name.clone(), message.to_owned()));
        }
    }
    let problems = if errors.is_empty() {
        site.app.save_preferences(member, &preferences).await?
    } else {
        site.app.check_preferences(member, &preferences).await?
    };
    errors.extend(
        problems
            .iter()
            .map(|problem| (problem.field().to_owned(), problem.sentence())),
    );
    if errors.is_empty() {
        return Ok(Json(Preferences::of(&preferences)));
    }
    Err(Problem::invalid_fields(
        "The preferences cannot be saved",
        "Nothing was changed. Each of errors names a field and what it takes.",
        errors,
    ))
}

impl Preferences {
    fn of(preferences: &preferences::Preferences) -> Self {
        Self {
            daily_summary: preferences.daily_summary,
            daily_summary_time: written(preferences.daily_summary_time),
            summary_days: preferences.summary_days.numbers().collect(),
            silent_when_done: preferences.silent_when_done,
            monday: preferences.monday,
            after_meeting: preferences.after_meeting,
            entry_notifications: preferences.entry_notifications,
            invoice_notifications: preferences.invoice_notifications,
            time_zone: preferences.time_zone.map(Tz::name),
            workday_start: written(preferences.workday_start),
            target_minutes_per_day: preferences.target_per_day.get(),
            default_project_id: preferences.default_project_id,
            suggest_private: preferences.wishes.private,
            suggest_tentative: preferences.wishes.tentative,
            bare_number_unit: preferences.bare_number_unit.as_str(),
        }
    }
}

fn written(time: NaiveTime) -> String {
    time.format(TIME).to_string()
}

/// Sets one preference, or says what its field takes.
fn set(
    preferences: &mut preferences::Preferences,
    name: &str,
    value: &Value,
) -> Result<(), &'static str> {
    let flag = || value.as_bool().ok_or("This is true or false.");
    match name {
        "daily_summary" => preferences.daily_summary = flag()?,
        "silent_when_done" => preferences.silent_when_done = flag()?,
        "monday" => preferences.monday = flag()?,
        "after_meeting" => preferences.after_meeting = flag()?,
        "entry_notifications" => preferences.entry_notifications = flag()?,
        "invoice_notifications" => preferences.invoice_notifications = flag()?,
        "suggest_private" => preferences.wishes.private = flag()?,
        "suggest_tentative" => preferences.wishes.tentative = flag()?,
        "daily_summary_time" => preferences.daily_summary_time = time_of_day(value)?,
        "workday_start" => preferences.workday_start = time_of_day(value)?,
        "summary_days" => preferences.summary_days = days(value)?,
        "time_zone" => {
            preferences.time_zone = match value {
                Value::Null => None,
                Value::String(name) if name == "slack" => None,
                Value::String(name) => Some(name.parse().map_err(|_| ZONE)?),
                _ => return Err(ZONE),
            };
        }
        "target_minutes_per_day" => {
            let minutes = value
                .as_u64()
                .and_then(|minutes| u32::try_from(minutes).ok());
            preferences.target_per_day =
                Minutes::new(minutes.ok_or("This is a number of whole minutes, from 0 to 1440.")?);
        }
        "default_project_id" => {
            preferences.default_project_id = match value {
                Value::Null => None,
                Value::String(id) => Some(Uuid::parse_str(id).map_err(|_| PROJECT)?),
                _ => return Err(PROJECT),
            };
        }
        "bare_number_unit" => {
            preferences.bare_number_unit = value
                .as_str()
                .and_then(BareNumberUnit::from_name)
                .ok_or("This is guess, hours or minutes.")?;
        }
        _ => return Err("There is no preference of this name."),
    }
    Ok(())
}

const ZONE: &str =
    "This is the name of a zone, such as Europe/Berlin; or null, to follow the one in Slack.";
const PROJECT: &str =
    "This is the id of a project; or null, for the one that was used last in the channel.";

fn time_of_day(value: &Value) -> Result<NaiveTime, &'static str> {
    value
        .as_str()
        .filter(|text| text.len() == 5)
        .and_then(|text| NaiveTime::parse_from_str(text, TIME).ok())
        .ok_or("This is a time of day, such as 17:30.")
}

fn days(value: &Value) -> Result<Days, &'static str> {
    let numbers = value.as_array().and_then(|days| {
        days.iter()
            .map(|day| day.as_u64().and_then(|day| u8::try_from(day).ok()))
            .collect::<Option<Vec<u8>>>()
    });
    numbers
        .and_then(Days::from_numbers)
        .ok_or("This is a list of days by number, from 1 for Monday to 7 for Sunday.")
}
