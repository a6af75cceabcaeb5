//! `events.list` and `events.get`.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{
    errors::Refusal,
    lists::{call, flag, max_results, numbers, role},
    render,
};
use crate::sandbox::{
    Sandbox,
    calendars::{Calendar, Event},
    oauth::{Account, Endpoint, Params, Service},
};

const SCOPES: &[&str] = &[
    "calendar",
    "calendar.readonly",
    "calendar.events",
    "calendar.events.readonly",
];

const LIST: (&str, &[&str], &[&str]) = (
    "events.list",
    &[
        "eventTypes",
        "iCalUID",
        "maxAttendees",
        "maxResults",
        "orderBy",
        "pageToken",
        "showDeleted",
        "singleEvents",
        "syncToken",
        "timeMax",
        "timeMin",
        "timeZone",
        "updatedMin",
        // Known, and not played: a test that sends them is told so below.
        "q",
        "privateExtendedProperty",
        "sharedExtendedProperty",
        "showHiddenInvitations",
        "alwaysIncludeEmail",
    ],
    SCOPES,
);

const GET: (&str, &[&str], &[&str]) = (
    "events.get",
    &["maxAttendees", "timeZone", "alwaysIncludeEmail"],
    SCOPES,
);

/// What a sync token does not go with (discovery document, `events.list`, `syncToken`).
const NOT_WITH_SYNC: [&str; 8] = [
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
];

/// How far back `updatedMin` may lie. The guide says “too far” and no number.
const UPDATED_MIN: TimeDelta = TimeDelta::days(28);

/// `GET /google/calendar/v3/calendars/{id}/events`
pub(in crate::sandbox) async fn list(
    State(sandbox): State<Sandbox>,
    Path(calendar): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let act = |service: &mut Service, account: &str, params: &Params| {
        page(service, account, &calendar, params)
    };
    call(&sandbox, Endpoint::Events, &headers, query, LIST, act).await
}

/// `GET /google/calendar/v3/calendars/{id}/events/{eventId}`
pub(in crate::sandbox) async fn get(
    State(sandbox): State<Sandbox>,
    Path((calendar, event)): Path<(String, String)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let act = |service: &mut Service, account: &str, params: &Params| {
        let (account, calendar) = find(service, account, &calendar)?;
        let (zone, guests) = (zone(calendar, params)?, max_attendees(params)?);
        let found = calendar.events.iter().find(|found| found.id == event);
        let found = found.ok_or_else(Refusal::not_found)?;
        Ok(render::event(account, calendar, found, zone, guests))
    };
    call(&sandbox, Endpoint::Event, &headers, query, GET, act).await
}

/// `primary` is a name for the account's own calendar.
fn find<'a>(
    service: &'a Service,
    account: &str,
    calendar: &str,
) -> Result<(&'a Account, &'a Calendar), Refusal> {
    let account = service.account(account).ok_or_else(Refusal::not_found)?;
    account
        .calendars
        .iter()
        .find(|found| found.id == calendar || (calendar == "primary" && found.is_primary))
        .map(|found| (account, found))
        .ok_or_else(Refusal::not_found)
}

fn zone(calendar: &Calendar, params: &Params) -> Result<Tz, Refusal> {
    params
        .get("timeZone")
        .map_or(Ok(calendar.time_zone), |name| {
            let message = format!("Invalid time zone: {name}");
            name.parse()
                .map_err(|_| Refusal::parameter("timeZone", &message))
        })
}

fn max_attendees(params: &Params) -> Result<Option<usize>, Refusal> {
    params.get("maxAttendees").map_or(Ok(None), |text| {
        let most = text.parse().ok().filter(|most| *most > 0);
        most.map(Some)
            .ok_or_else(|| Refusal::parameter("maxAttendees", "Invalid value"))
    })
}

/// An instant needs an offset.
fn instant(params: &Params, name: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
    params.get(name).map_or(Ok(None), |text| {
        DateTime::parse_from_rfc3339(text)
            .map(|at| Some(at.to_utc()))
            .map_err(|_| Refusal::parameter(name, "Bad Request"))
    })
}

/// What must be the same on every page, and at every sync (`is_sync`).
fn print(params: &Params, is_sync: bool) -> u64 {
    let mut pairs: Vec<_> = params
        .pairs()
        .filter(|(name, _)| !["pageToken", "maxResults", "fields", "alt"].contains(name))
        .filter(|(name, _)| {
            let ends_with_first = NOT_WITH_SYNC.contains(name) || *name == "syncToken";
            !(is_sync && (ends_with_first || *name == "showDeleted"))
        })
        .collect();
    pairs.sort_unstable();
    let mut hasher = DefaultHasher::new();
    pairs.hash(&mut hasher);
    hasher.finish()
}

/// What is asked for.
struct Wanted {
    /// Only what was changed after this.
    since: Option<u64>,
    min: Option<DateTime<Utc>>,
    max: Option<DateTime<Utc>>,
    updated: Option<DateTime<Utc>>,
    with_deleted: bool,
    kinds: Vec<String>,
    uid: Option<String>,
    by_start: bool,
}

fn wanted(service: &Service, params: &Params) -> Result<Wanted, Refusal> {
    let since = params
        .get("syncToken")
        .map(|token| since(service, params, token))
        .transpose()?;
    let (min, max) = (instant(params, "timeMin")?, instant(params, "timeMax")?);
    if min.zip(max).is_some_and(|(min, max)| min >= max) {
        return Err(Refusal::empty_range());
    }
    let updated = instant(params, "updatedMin")?;
    if updated.is_some_and(|updated| service.clock.now() - updated > UPDATED_MIN) {
        return Err(Refusal::updated_min());
    }
    let by_start = match params.get("orderBy") {
        None | Some("updated") => false,
        Some("startTime") if flag(params, "singleEvents") => true,
        Some(_) => {
            let message = "The requested ordering is not available for the particular query.";
            return Err(Refusal::parameter("orderBy", message));
        }
    };
    let kinds: Vec<String> = params.all("eventTypes").map(str::to_owned).collect();
    if let Some(kind) = kinds
        .iter()
        .find(|kind| !render::KINDS.contains(&kind.as_str()))
    {
        let message = format!("Invalid value for eventTypes: {kind}");
        return Err(Refusal::parameter("eventTypes", &message));
    }
    Ok(Wanted {
        since,
        min,
        max,
        updated,
        with_deleted: flag(params, "showDeleted") || since.is_some() || updated.is_some(),
        kinds,
        uid: params.get("iCalUID").map(str::to_owned),
        by_start,
    })
}

fn since(service: &Service, params: &Params, token: &str) -> Result<u64, Refusal> {
    if let Some(name) = NOT_WITH_SYNC.iter().find(|name| params.get(name).is_some()) {
        let message = format!("Sync token cannot be used together with {name}.");
        return Err(Refusal::parameter(name, &message));
    }
    if params.get("showDeleted") == Some("false") {
        let message = "showDeleted must not be false with a sync token.";
        return Err(Refusal::parameter("showDeleted", message));
    }
    let [serial, first] = numbers(token, "Es").ok_or_else(Refusal::full_sync)?;
    if serial < service.oldest_sync {
        return Err(Refusal::full_sync());
    }
    if first != print(params, true) {
        let message = "The parameters differ from those of the first synchronisation.";
        return Err(Refusal::parameter("syncToken", message));
    }
    Ok(serial)
}

impl Wanted {
    fn has(&self, event: &Event, zone: Tz) -> bool {
        let (start, end) = event.when.span(zone);
        // The bounds are exclusive: `timeMin` for the end, `timeMax` for the beginning.
        let is_in_time = self
            .min
            .is_none_or(|min| end > min || (start == end && start >= min))
            && self.max.is_none_or(|max| start < max);
        (self.since.is_some() || is_in_time)
            && self.since.is_none_or(|since| event.changed > since)
            && self.updated.is_none_or(|updated| event.updated >= updated)
            && (self.with_deleted || !event.is_deleted())
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == render::kind(event)))
            && self.uid.as_ref().is_none_or(|uid| *uid == event.ical_uid)
    }
}

fn page(
    service: &mut Service,
    account: &str,
    calendar: &str,
    params: &Params,
) -> Result<Value, Refusal> {
    let most = max_results(params, 250, 2500)?;
    let most = most
        .min(service.switches.largest_page.unwrap_or(most))
        .max(1);
    let wanted = wanted(service, params)?;
    let (serial, now) = (service.serial, service.clock.now());
    let is_silent = service.switches.shows_no_events;
    let (account, calendar) = find(service, account, calendar)?;
    let (zone, guests) = (zone(calendar, params)?, max_attendees(params)?);
    let same = print(params, false);
    // Where the page begins, what the parameters were, and whether an empty page went before.
    let (start, was_empty) = match params.get("pageToken") {
        None => (0, true),
        Some(token) => match numbers(token, "Ep") {
            Some([start, print, empty]) if print == same => (start, empty == 1),
            _ => return Err(Refusal::parameter("pageToken", "Invalid page token value.")),
        },
    };
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let mut events: Vec<&Event> = calendar
        .events
        .iter()
        .filter(|event| !is_silent && wanted.has(event, zone))
        .collect();
    if wanted.by_start {
        events.sort_by_key(|event| event.when.span(zone).0);
    }
    let mut all: Vec<Value> = Vec::with_capacity(events.len());
    let is_expanded = flag(params, "singleEvents");
    for (at, event) in events.iter().enumerate() {
        if let Some(slot) = event
            .slot
            .as_ref()
            .filter(|_| !is_expanded && !event.is_exception)
        {
            // Without expansion the series itself comes, once, with its first instance's time.
            let series = |earlier: &&Event| {
                let earlier = earlier.slot.as_ref().filter(|_| !earlier.is_exception);
                earlier.is_some_and(|earlier| earlier.series == slot.series)
            };
            if !events.iter().take(at).any(series) {
                all.push(render::series(account, calendar, event, &slot.series, zone));
            }
            continue;
        }
        all.push(render::event(account, calendar, event, zone, guests));
    }
    let is_gap = service.switches.has_empty_pages && !was_empty && start < all.len();
    let items: Vec<Value> = if is_gap {
        Vec::new()
    } else {
        all.iter().skip(start).take(most).cloned().collect()
    };
    let end = start.saturating_add(items.len());
    let mut page = json!({
        "kind": "calendar#events",
        "etag": format!("\"p{serial}\""),
        "summary": calendar.name,
        "updated": render::stamp(now),
        "timeZone": zone.name(),
        "accessRole": role(calendar.access),
        "defaultReminders": [],
        "items": items,
    });
    if end < all.len() {
        page["nextPageToken"] = json!(format!("Ep{end}.{same}.{}", u8::from(is_gap)));
    } else if params.get("orderBy").is_none() && params.get("q").is_none() {
        // An ordered or searched list has none (googleapis/google-api-ruby-client#312).
        page["nextSyncToken"] = json!(format!("Es{serial}.{}", print(params, true)));
    }
    Ok(page)
}
