//! `calendarView` and one event.

use axum::{
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Value, json};

use super::{
    errors::Refusal,
    graph::{Call, Rules, account, call, next_link, select, window},
    render,
};
use crate::sandbox::{
    Sandbox,
    calendars::Event,
    oauth::{Endpoint, Params, Service},
};

const SCOPES: &[&str] = &[
    "Calendars.Read",
    "Calendars.ReadBasic",
    "Calendars.ReadWrite",
    "Calendars.Read.Shared",
];

const VIEW: Rules = (
    "calendarView",
    &[
        "startDateTime",
        "endDateTime",
        "$top",
        "$skip",
        "$select",
        "$orderby",
    ],
    SCOPES,
);

const GET: Rules = ("me/events", &["$select"], SCOPES);

/// `calendar-list-calendarview.md`: ten unless `$top` says otherwise.
const PAGE: usize = 10;

/// Reads its own offset; without one it is UTC, whatever `Prefer` says.
fn instant(params: &Params, name: &str) -> Result<DateTime<Utc>, Refusal> {
    let Some(text) = params.get(name) else {
        let message = "This request requires a time window specified by the query string \
            parameters StartDateTime and EndDateTime.";
        return Err(Refusal::mistake("ErrorInvalidParameter", message));
    };
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .or_else(|_| text.parse::<NaiveDateTime>().map(|at| at.and_utc()))
        .map_err(|_| {
            let message = format!("The value '{text}' of parameter '{name}' is invalid.");
            Refusal::mistake("ErrorInvalidParameter", &message)
        })
}

/// `GET /microsoft/v1.0/me/calendars/{id}/calendarView`
pub(in crate::sandbox) async fn view(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let act = |service: &Service, call: &Call<'_>| page(service, call, &id);
    call(&sandbox, Endpoint::Events, &headers, query, VIEW, act).await
}

fn page(service: &Service, call: &Call<'_>, id: &str) -> Result<Value, Refusal> {
    let account = account(service, call)?;
    let calendar = account
        .calendars
        .iter()
        .find(|calendar| calendar.id == id)
        .ok_or_else(Refusal::not_found)?;
    let from = instant(call.params, "startDateTime")?;
    let to = instant(call.params, "endDateTime")?;
    if to < from {
        let message = "The End DateTime should be greater than or equal to the Start DateTime.";
        return Err(Refusal::mistake("ErrorInvalidParameter", message));
    }
    let zone = render::Zone::read(call.preferences.time_zone.as_deref())?;
    let (skip, top) = window(service, call.params, PAGE)?;
    let mut events: Vec<&Event> = calendar
        .events
        .iter()
        .filter(|event| !event.is_deleted() && !service.switches.shows_no_events)
        .filter(|event| {
            let (start, end) = event.when.span(calendar.time_zone);
            start < to && (end > from || (start == end && start >= from))
        })
        .collect();
    if call.params.get("$orderby").is_some() {
        events.sort_by_key(|event| event.when.span(calendar.time_zone).0);
    }
    let is_immutable = call.preferences.wants_immutable_ids;
    let shown = events.iter().skip(skip).take(top);
    let value: Vec<Value> = shown
        .map(|event| {
            let event = render::event(account, calendar, event, &zone, is_immutable);
            select(&event, call.params, "event")
        })
        .collect::<Result<_, _>>()?;
    let end = skip + value.len();
    let mut page = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(event)",
        "value": value,
    });
    if end < events.len() {
        let path = format!("me/calendars/{}/calendarView", render::in_path(id));
        page["@odata.nextLink"] = json!(next_link(call, &path, end));
    }
    Ok(page)
}

/// `GET /microsoft/v1.0/me/events/{id}`: either form of the id is understood.
pub(in crate::sandbox) async fn get(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let act = |service: &Service, call: &Call<'_>| {
        let account = account(service, call)?;
        let zone = render::Zone::read(call.preferences.time_zone.as_deref())?;
        let is_immutable = call.preferences.wants_immutable_ids;
        let (calendar, event) = account
            .calendars
            .iter()
            .flat_map(|calendar| calendar.events.iter().map(move |event| (calendar, event)))
            .find(|(_, event)| render::is_named(event, &id) && !event.is_deleted())
            .ok_or_else(Refusal::not_found)?;
        let event = render::event(account, calendar, event, &zone, is_immutable);
        select(&event, call.params, "event")
    };
    call(&sandbox, Endpoint::Event, &headers, query, GET, act).await
}
