//! The API about what the caller has decided: whether BillOps knows them in Slack, and their preferences.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::NaiveTime;
use chrono_tz::Tz;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Site, api::Body, problem::Problem, session::Caller};
use crate::domain::{
    minutes::Minutes,
    preferences::{Days, Preferences},
    time_command::BareNumberUnit,
};

/// How times of day are written.
const TIME: &str = "%H:%M";

/// `GET /integrations/slack/status`.
pub(super) async fn status(State(site): State<Site>, caller: Caller) -> Result<Response, Problem> {
    let member = &caller.member;
    let is_connected = site.app.knows_workspace(&member.workspace_id).await?;
    let preferences = &member.preferences;
    Ok(Json(json!({
        "status": if is_connected { "connected" } else { "not_connected" },
        "slack_user_id": member.slack_user_id,
        "slack_username": member.name,
        "daily_summary_enabled": preferences.daily_summary,
        "invoice_notifications_enabled": preferences.invoice_notifications,
        "entry_notifications_enabled": preferences.entry_notifications,
        "daily_summary_time": written(preferences.daily_summary_time),
        // The zone that is reckoned in; whether it is fixed stands with the preferences.
        "time_zone": member.zone().name(),
        "preferences": shown(preferences),
    }))
    .into_response())
}

/// `PUT /integrations/slack/preferences`: what is named is changed, all of it or nothing.
pub(super) async fn save(
    State(site): State<Site>,
    caller: Caller,
    Body(asked): Body<Map<String, Value>>,
) -> Result<Response, Problem> {
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
        return Ok(Json(shown(&preferences)).into_response());
    }
    Err(Problem::invalid_fields(
        "The preferences cannot be saved",
        "Nothing was changed. Each of errors names a field and what it takes.",
        errors,
    ))
}

/// The preferences object.
fn shown(preferences: &Preferences) -> Value {
    json!({
        "daily_summary": preferences.daily_summary,
        "daily_summary_time": written(preferences.daily_summary_time),
        "summary_days": preferences.summary_days.numbers().collect::<Vec<_>>(),
        "silent_when_done": preferences.silent_when_done,
        "monday": preferences.monday,
        "after_meeting": preferences.after_meeting,
        "entry_notifications": preferences.entry_notifications,
        "invoice_notifications": preferences.invoice_notifications,
        "time_zone": preferences.time_zone.map(Tz::name),
        "workday_start": written(preferences.workday_start),
        "target_minutes_per_day": preferences.target_per_day.get(),
        "default_project_id": preferences.default_project_id,
        "suggest_private": preferences.wishes.private,
        "suggest_tentative": preferences.wishes.tentative,
        "bare_number_unit": preferences.bare_number_unit.as_str(),
    })
}

fn written(time: NaiveTime) -> String {
    time.format(TIME).to_string()
}

/// Sets one preference, or says what its field takes.
fn set(preferences: &mut Preferences, name: &str, value: &Value) -> Result<(), &'static str> {
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
