//! Outlook, through Microsoft Graph.
//!
//! Source: Microsoft Graph v1.0, “List calendars”, “List calendarView” and “Get event”.

use chrono::{DateTime, NaiveDateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    api::{self, ReadProblem, next_link},
    endpoint,
};
use crate::{
    clock::Clock,
    config::ProviderConfig,
    domain::{
        calendar::ListedCalendar,
        calendar_event::{CalendarEvent, EventKind, Reply, base_uid},
    },
};

/// Nobody has more calendars than this many pages, and a provider that never ends is not followed.
const PAGES_MAX: usize = 40;
/// Without it ids change when an item moves. Sent with every request, as it counts for one only.
const PREFER: [&str; 2] = [r#"IdType="ImmutableId""#, r#"outlook.timezone="UTC""#];

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    value: Vec<Item>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    name: Option<String>,
    #[serde(default)]
    is_default_calendar: bool,
}

/// The account's calendars, to the last page.
pub(super) async fn calendars(
    http: &reqwest::Client,
    config: &ProviderConfig,
    access_token: &SecretString,
    clock: &Clock,
) -> Result<Vec<ListedCalendar>, ReadProblem> {
    let mut found = Vec::new();
    let mut url = endpoint(&config.api_url, &["me", "calendars"]);
    url.query_pairs_mut()
        .append_pair("$top", "100")
        .append_pair("$select", "id,name,isDefaultCalendar");
    for _ in 0..PAGES_MAX {
        let page: Page = api::get(http, url, access_token, &PREFER, || clock.now()).await?;
        found.extend(page.value.into_iter().map(listed));
        match page.next_link {
            Some(link) => url = next_link(&config.api_url, &link)?,
            None => return Ok(found),
        }
    }
    Err(ReadProblem::Unavailable(
        "the list of calendars does not end".to_owned(),
    ))
}

fn listed(item: Item) -> ListedCalendar {
    ListedCalendar {
        name: item
            .name
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| item.id.clone()),
        is_primary: item.is_default_calendar,
        has_details: true,
        // A second calendar of one's own is often a hobby's or a room's; the person adds it with one click.
        is_own: item.is_default_calendar,
        provider_calendar_id: item.id,
    }
}

/// Only what is used: nothing about guests but the person's own answer.
const EVENT_FIELDS: &str = "id,iCalUId,subject,start,end,isAllDay,isCancelled,showAs,sensitivity,responseStatus,seriesMasterId";

#[derive(Deserialize)]
pub(super) struct EventPage {
    #[serde(default)]
    pub(super) value: Vec<Event>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    id: String,
    #[serde(rename = "iCalUId")]
    ical_uid: Option<String>,
    subject: Option<String>,
    start: Option<When>,
    end: Option<When>,
    #[serde(default)]
    is_all_day: bool,
    #[serde(default)]
    is_cancelled: bool,
    show_as: Option<String>,
    sensitivity: Option<String>,
    response_status: Option<Response>,
    series_master_id: Option<String>,
}

/// Without an offset, with seven digits, in the zone beside it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct When {
    date_time: String,
    #[serde(default)]
    time_zone: String,
}

#[derive(Deserialize)]
struct Response {
    response: Option<String>,
}

impl When {
    /// UTC was asked for; in another zone it is an event that cannot be read, and is not guessed at.
    fn instant(&self) -> Option<DateTime<Utc>> {
        if self.time_zone != "UTC" {
            return None;
        }
        NaiveDateTime::parse_from_str(self.date_time.trim_end_matches('Z'), "%Y-%m-%dT%H:%M:%S%.f")
            .ok()
            .map(|naive| naive.and_utc())
    }
}

/// The events of a calendar that share time with the window, to the last page. Those that cannot be read are left out.
pub(super) async fn events(
    http: &reqwest::Client,
    config: &ProviderConfig,
    access_token: &SecretString,
    calendar_id: &str,
    [from, to]: [DateTime<Utc>; 2],
    clock: &Clock,
) -> Result<Vec<CalendarEvent>, ReadProblem> {
    let mut found = Vec::new();
    // Not `events`: that shows a series once, at the time of its first meeting.
    let mut url = endpoint(
        &config.api_url,
        &["me", "calendars", calendar_id, "calendarView"],
    );
    let rfc3339 = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    url.query_pairs_mut()
        .append_pair("startDateTime", &rfc3339(from))
        .append_pair("endDateTime", &rfc3339(to))
        .append_pair("$top", "1000")
        .append_pair("$select", EVENT_FIELDS);
    for _ in 0..PAGES_MAX {
        let page: EventPage = api::get(http, url, access_token, &PREFER, || clock.now()).await?;
        found.extend(page.value.into_iter().filter_map(event));
        match page.next_link {
            Some(link) => url = next_link(&config.api_url, &link)?,
            None => return Ok(found),
        }
    }
    Err(ReadProblem::Unavailable(
        "the list of events does not end".to_owned(),
    ))
}

/// One event, whichever calendar it is in; `None` if it is not there.
pub(super) async fn one_event(
    http: &reqwest::Client,
    config: &ProviderConfig,
    access_token: &SecretString,
    event_id: &str,
    clock: &Clock,
) -> Result<Option<CalendarEvent>, ReadProblem> {
    let mut url = endpoint(&config.api_url, &["me", "events", event_id]);
    url.query_pairs_mut().append_pair("$select", EVENT_FIELDS);
    match api::get(http, url, access_token, &PREFER, || clock.now()).await {
        Ok(found) => event(found).map(Some).ok_or_else(api::unreadable_event),
        Err(ReadProblem::NotFound) => Ok(None),
        Err(problem) => Err(problem),
    }
}

pub(super) fn event(event: Event) -> Option<CalendarEvent> {
    let response = event
        .response_status
        .and_then(|status| status.response)
        .unwrap_or_default();
    let show_as = event.show_as.unwrap_or_default();
    Some(CalendarEvent {
        start: event.start?.instant()?,
        end: event.end?.instant()?,
        ical_uid: event.ical_uid.as_deref().map(base_uid),
        series_id: event.series_master_id,
        original_start: None,
        is_all_day: event.is_all_day,
        is_cancelled: event.is_cancelled,
        reply: match &*response {
            "declined" => Reply::Declined,
            "tentativelyAccepted" | "notResponded" => Reply::Tentative,
            _ => Reply::Accepted,
        },
        is_free: show_as == "free",
        kind: if show_as == "oof" {
            EventKind::OutOfOffice
        } else {
            EventKind::Ordinary
        },
        is_private: matches!(
            event.sensitivity.as_deref(),
            Some("private" | "confidential" | "personal")
        ),
        title: event.subject,
        provider_event_id: event.id,
    })
}
