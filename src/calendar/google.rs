//! Google Calendar.
//!
//! Source: Calendar API v3, `calendarList.list`, `events.list` and `events.get`.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    api::{self, ReadProblem},
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

/// Pages of 250; nobody has more calendars than this many pages, and a provider that never ends is not followed.
const PAGES_MAX: usize = 40;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    items: Vec<Item>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    summary: Option<String>,
    /// The person's own name for it.
    summary_override: Option<String>,
    #[serde(default)]
    primary: bool,
    /// Shown in the person's own view.
    #[serde(default)]
    selected: bool,
    #[serde(default)]
    access_role: String,
    #[serde(default)]
    deleted: bool,
}

/// The account's calendars, to the last page.
pub(super) async fn calendars(
    http: &reqwest::Client,
    config: &ProviderConfig,
    access_token: &SecretString,
    clock: &Clock,
) -> Result<Vec<ListedCalendar>, ReadProblem> {
    let mut found = Vec::new();
    let mut page_token: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let mut url = endpoint(&config.api_url, &["users", "me", "calendarList"]);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("maxResults", "250");
            if let Some(token) = &page_token {
                query.append_pair("pageToken", token);
            }
        }
        let page: Page = api::get(http, url, access_token, &[], || clock.now()).await?;
        found.extend(
            page.items
                .into_iter()
                .filter(|item| !item.deleted)
                .map(listed),
        );
        page_token = page.next_page_token;
        if page_token.is_none() {
            return Ok(found);
        }
    }
    Err(ReadProblem::Unavailable(
        "the list of calendars does not end".to_owned(),
    ))
}

fn listed(item: Item) -> ListedCalendar {
    let is_theirs = matches!(&*item.access_role, "owner" | "writer");
    ListedCalendar {
        name: item
            .summary_override
            .or(item.summary)
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| item.id.clone()),
        is_primary: item.primary,
        has_details: item.access_role != "freeBusyReader",
        is_own: item.primary || (is_theirs && item.selected),
        provider_calendar_id: item.id,
    }
}

/// Only what is used: nothing about guests but the person's own answer.
const EVENT_FIELDS: &str = "id,status,iCalUID,recurringEventId,originalStartTime,summary,start,end,\
                            endTimeUnspecified,attendees(self,responseStatus),transparency,visibility,eventType";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventPage {
    #[serde(default)]
    pub(super) items: Vec<Event>,
    next_page_token: Option<String>,
}

/// Everything but the id may be missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(rename = "iCalUID")]
    ical_uid: Option<String>,
    recurring_event_id: Option<String>,
    original_start_time: Option<When>,
    summary: Option<String>,
    start: Option<When>,
    end: Option<When>,
    #[serde(default)]
    end_time_unspecified: bool,
    #[serde(default)]
    attendees: Vec<Attendee>,
    #[serde(default)]
    transparency: String,
    #[serde(default)]
    visibility: String,
    #[serde(default)]
    event_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct When {
    /// With its offset.
    date_time: Option<DateTime<Utc>>,
    /// A whole day.
    date: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attendee {
    #[serde(default, rename = "self")]
    is_self: bool,
    #[serde(default)]
    response_status: String,
}

impl When {
    /// The instant; a whole day's is its midnight in UTC, which is used for nothing but the window.
    fn instant(&self) -> Option<DateTime<Utc>> {
        self.date_time
            .or_else(|| Some(self.date?.and_time(NaiveTime::MIN).and_utc()))
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
    let mut page_token: Option<String> = None;
    let fields = format!("nextPageToken,items({EVENT_FIELDS})");
    for _ in 0..PAGES_MAX {
        let mut url = endpoint(&config.api_url, &["calendars", calendar_id, "events"]);
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("singleEvents", "true")
                .append_pair("maxResults", "2500")
                .append_pair("maxAttendees", "1")
                .append_pair("timeMin", &rfc3339(from))
                .append_pair("timeMax", &rfc3339(to))
                .append_pair("fields", &fields);
            if let Some(token) = &page_token {
                query.append_pair("pageToken", token);
            }
        }
        let page: EventPage = api::get(http, url, access_token, &[], || clock.now()).await?;
        found.extend(page.items.into_iter().filter_map(event));
        page_token = page.next_page_token;
        if page_token.is_none() {
            return Ok(found);
        }
    }
    Err(ReadProblem::Unavailable(
        "the list of events does not end".to_owned(),
    ))
}

/// One event; `None` if it is not there, or nothing is left of it but its id.
pub(super) async fn one_event(
    http: &reqwest::Client,
    config: &ProviderConfig,
    access_token: &SecretString,
    [calendar_id, event_id]: [&str; 2],
    clock: &Clock,
) -> Result<Option<CalendarEvent>, ReadProblem> {
    let mut url = endpoint(
        &config.api_url,
        &["calendars", calendar_id, "events", event_id],
    );
    url.query_pairs_mut()
        .append_pair("maxAttendees", "1")
        .append_pair("fields", EVENT_FIELDS);
    let found: Event = match api::get(http, url, access_token, &[], || clock.now()).await {
        Ok(found) => found,
        Err(ReadProblem::NotFound) => return Ok(None),
        Err(problem) => return Err(problem),
    };
    if found.status == "cancelled" && found.start.is_none() {
        return Ok(None);
    }
    event(found).map(Some).ok_or_else(api::unreadable_event)
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

pub(super) fn event(event: Event) -> Option<CalendarEvent> {
    let (start, end) = (event.start?, event.end?);
    let begins = start.instant()?;
    let ends = if event.end_time_unspecified {
        begins
    } else {
        end.instant()?
    };
    let own = event.attendees.iter().find(|attendee| attendee.is_self);
    Some(CalendarEvent {
        is_all_day: start.date.is_some(),
        start: begins,
        end: ends,
        ical_uid: event.ical_uid.as_deref().map(base_uid),
        series_id: event.recurring_event_id.map(|id| base_uid(&id)),
        original_start: event.original_start_time.and_then(|when| when.instant()),
        is_cancelled: event.status == "cancelled",
        reply: match own.map(|attendee| &*attendee.response_status) {
            Some("declined") => Reply::Declined,
            Some("tentative" | "needsAction") => Reply::Tentative,
            _ => Reply::Accepted,
        },
        is_free: event.transparency == "transparent",
        kind: match &*event.event_type {
            "outOfOffice" => EventKind::OutOfOffice,
            "workingLocation" => EventKind::WorkingLocation,
            "birthday" => EventKind::Birthday,
            _ => EventKind::Ordinary,
        },
        is_private: matches!(&*event.visibility, "private" | "confidential"),
        title: event.summary,
        provider_event_id: event.id,
    })
}
