//! The API about calendars' events: reading now, and making entries of them.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Site,
    api::Success,
    fields::{Asked, Parameters},
    lists::{self, CURSOR, LIMIT, List},
    problem::Problem,
    schema,
    session::Caller,
    time_entries::Entry,
};
use crate::{
    app::{Guess, HomeTab, SyncProblem},
    domain::{
        calendar_event::{EventState, SkipReason, SyncedEvent},
        provider::Provider,
    },
    store::LogEvent,
};

/// What reading a calendar found.
#[derive(Serialize, ToSchema)]
pub(super) struct Synced {
    /// That it worked.
    status: Success,
    /// Events in the window that is read.
    events_synced: u32,
    /// Seen for the first time.
    new_events: u32,
    /// Otherwise than before.
    updated_events: u32,
    /// No longer there.
    removed_events: u32,
    /// Left out, by reason.
    #[schema(examples(json!({"all_day": 2, "declined": 1})))]
    skipped: BTreeMap<String, u32>,
    /// When it was read.
    last_synced_at: Option<DateTime<Utc>>,
}

/// Read a calendar now
///
/// Waits for the reading that is under way, if there is one. `id` is the calendar's, from `GET /integrations`.
#[utoipa::path(
    post, path = "/integrations/{provider}/{id}/sync", operation_id = "syncCalendar", tag = "Calendars",
    params(
        ("provider" = schema::Provider, Path, description = "Who keeps the calendar."),
        ("id" = Uuid, Path, description = "The calendar's id."),
    ),
    responses(
        (status = 200, description = "What was found.", body = Synced),
        (status = 409, description = "`needs-reconnect`: send the person through `connect_url`. `calendar-not-read`: it is not selected."),
        (status = 503, description = "`provider-unavailable`: the provider asks to wait."),
    ),
)]
pub(super) async fn sync(
    State(site): State<Site>,
    Path((provider, id)): Path<(String, String)>,
    caller: Caller,
) -> Result<Json<Synced>, Problem> {
    let unknown = || Problem::not_found("integration");
    let provider = Provider::from_name(&provider).ok_or_else(unknown)?;
    let id = Uuid::parse_str(&id).map_err(|_| unknown())?;
    let accounts = site.app.accounts(&caller.member).await?;
    let is_theirs = accounts
        .iter()
        .filter(|account| account.provider == provider)
        .flat_map(|account| &account.calendars)
        .any(|calendar| calendar.id == id);
    if !is_theirs {
        return Err(unknown());
    }
    match site.app.sync_calendar(id).await {
        Ok(counts) => {
            let accounts = site.app.accounts(&caller.member).await?;
            let at = accounts
                .iter()
                .flat_map(|account| &account.calendars)
                .find(|calendar| calendar.id == id)
                .and_then(|calendar| calendar.last_synced_at);
            Ok(Json(Synced {
                status: Success::Success,
                events_synced: counts.events_synced,
                new_events: counts.new_events,
                updated_events: counts.updated_events,
                removed_events: counts.removed_events,
                skipped: counts.skipped,
                last_synced_at: at,
            }))
        }
        Err(SyncProblem::Gone) => Err(Problem::new(
            StatusCode::CONFLICT,
            "calendar-not-read",
            "The calendar is not read",
            "It is not selected, or its account no longer shows it. Select it with POST /select-calendar.",
        )),
        Err(SyncProblem::NeedsReconnect) => {
            let url = site
                .app
                .page(&["api", "v1", "integrations", provider.as_str(), "authorize"]);
            Err(Problem::new(
                StatusCode::CONFLICT,
                "needs-reconnect",
                "The account needs consent again",
                "Send the person through connect_url; nothing is lost.",
            )
            .with_connect_url(url))
        }
        Err(SyncProblem::Wait(wait)) => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "provider-unavailable",
            "The provider asks to wait",
            "It is read again by itself; ask again after Retry-After seconds.",
        )
        .retry_after(wait.num_seconds().unsigned_abs())),
        Err(SyncProblem::Failed(failed)) => Err(failed.into()),
    }
}

const INSTANT: &str = "This is an instant such as 2026-11-20T10:00:00Z.";
const STATE: &str = "This is suggested, logged, dismissed, gone or skipped.";

/// Which events are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsAsked {
    /// Those that end after this; seven days ago unless it is said.
    #[param(value_type = Option<DateTime<Utc>>, nullable = false)]
    from: Option<String>,
    /// Those that begin before this; in thirty days unless it is said.
    #[param(value_type = Option<DateTime<Utc>>, nullable = false)]
    to: Option<String>,
    /// How many a page holds.
    #[param(value_type = Option<u64>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(nullable = false, pattern = "^-?[0-9]+_[0-9a-f]{32}$")]
    cursor: Option<String>,
    /// Only those that stand so.
    #[param(value_type = Option<schema::EventState>, nullable = false)]
    state: Option<String>,
}

impl Asked for EventsAsked {
    const FIELDS: &'static [(&'static str, &'static str)] = &[
        ("from", INSTANT),
        ("to", INSTANT),
        ("limit", LIMIT),
        ("cursor", CURSOR),
        ("state", STATE),
    ];
}

/// An instant, where one is given.
fn instant(field: &str, said: Option<&str>) -> Result<Option<DateTime<Utc>>, Problem> {
    let read = |text: &str| text.parse().ok().filter(is_kept);
    said.map(|text| read(text).ok_or_else(|| Problem::invalid(field, INSTANT)))
        .transpose()
}

/// Whether both databases know such an instant, and one a little before it.
fn is_kept(at: &DateTime<Utc>) -> bool {
    (1..=9999).contains(&at.year())
}

/// Calendar events
///
/// The caller's, from the oldest. A page can hold fewer than `limit` where `state` leaves some out.
#[utoipa::path(
    get, path = "/calendar-events", operation_id = "listCalendarEvents", tag = "Calendar events",
    params(EventsAsked),
    responses((
        status = 200, description = "A page of them.", body = List<CalendarEvent>,
        links(
            ("convert" = (operation_id = "convertCalendarEvent", parameters(("id" = "$response.body#/items/0/id")))),
            ("dismiss" = (operation_id = "dismissCalendarEvent", parameters(("id" = "$response.body#/items/0/id")))),
        ),
    )),
)]
pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    Parameters(asked): Parameters<EventsAsked>,
) -> Result<Json<List<CalendarEvent>>, Problem> {
    let now = site.app.clock().now();
    let from = instant("from", asked.from.as_deref())?.unwrap_or(now - TimeDelta::days(7));
    let to = instant("to", asked.to.as_deref())?.unwrap_or(now + TimeDelta::days(30));
    let state = match asked.state.as_deref() {
        None => None,
        Some(name) => {
            Some(EventState::from_name(name).ok_or_else(|| Problem::invalid("state", STATE))?)
        }
    };
    let limit = lists::limit(asked.limit.as_deref())?;
    let after = match &asked.cursor {
        None => None,
        Some(cursor) => Some(read_cursor(cursor).ok_or_else(lists::bad_cursor)?),
    };
    // One more tells whether there is a next page.
    let events = site
        .app
        .events_between(&caller.member, [from, to], after, limit + 1)
        .await?;
    let shown = &events[..events.len().min(limit as usize)];
    let next = (events.len() > shown.len())
        .then(|| shown.last())
        .flatten()
        .map(|event| format!("{}_{}", event.start.timestamp_micros(), event.id.simple()));
    let guesses = site.app.guess_each(&caller.member, shown).await?;
    let items = shown
        .iter()
        .zip(&guesses)
        .filter(|(event, _)| state.is_none_or(|state| event.state == state))
        .map(|(event, guess)| CalendarEvent::of(event, guess))
        .collect();
    Ok(Json(List {
        items,
        next_cursor: next,
    }))
}

fn read_cursor(cursor: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let (start, id) = cursor.split_once('_')?;
    let start = DateTime::from_timestamp_micros(start.parse().ok()?).filter(is_kept)?;
    Some((start, Uuid::parse_str(id).ok()?))
}

/// An event of a calendar that is read.
#[derive(Serialize, ToSchema)]
pub(super) struct CalendarEvent {
    /// BillOps' id of it.
    id: Uuid,
    /// In which calendar it was seen.
    calendar_id: Uuid,
    /// Who keeps that calendar.
    #[schema(value_type = schema::Provider)]
    provider: Provider,
    /// The provider's id of it.
    provider_event_id: String,
    /// What it is called; nothing of a private one that the person does not let in.
    #[schema(examples("Halden weekly"))]
    event_title: String,
    /// When it begins.
    event_start: DateTime<Utc>,
    /// When it ends.
    event_end: DateTime<Utc>,
    /// Whether an entry was made of it.
    is_synced: bool,
    /// That entry.
    time_entry_id: Option<Uuid>,
    /// What became of it.
    #[schema(value_type = schema::EventState)]
    state: EventState,
    /// Why it is not suggested, where it is not.
    #[schema(value_type = Option<schema::SkipReason>)]
    skip_reason: Option<SkipReason>,
    /// When the person skipped it.
    dismissed_at: Option<DateTime<Utc>>,
    /// When it left the calendar.
    removed_at: Option<DateTime<Utc>>,
    /// The project that it is likely for, as long as it waits.
    suggested_project_id: Option<Uuid>,
}

impl CalendarEvent {
    fn of(event: &SyncedEvent, guess: &Guess) -> Self {
        let is_waiting = event.state == EventState::Suggested;
        let is_logged = event.state == EventState::Logged;
        let suggested = guess.project.as_ref().filter(|_| is_waiting);
        Self {
            id: event.id,
            calendar_id: event.calendar_id,
            provider: event.provider,
            provider_event_id: event.provider_event_id.clone(),
            event_title: event.title.clone(),
            event_start: event.start,
            event_end: event.end,
            is_synced: is_logged,
            time_entry_id: event.time_entry_id.filter(|_| is_logged),
            state: event.state,
            skip_reason: event.skip_reason,
            dismissed_at: event.dismissed_at,
            removed_at: event.removed_at,
            suggested_project_id: suggested.map(|project| project.id),
        }
    }
}

fn event_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| Problem::not_found("calendar event"))
}

/// Make an entry of an event
///
/// Once: who asks again is answered with the same entry.
#[utoipa::path(
    post, path = "/calendar-events/{id}/convert", operation_id = "convertCalendarEvent", tag = "Calendar events",
    params(("id" = Uuid, Path, description = "The event's id.")),
    responses(
        (status = 200, description = "The entry that was made of it before.", body = Entry),
        (status = 201, description = "The new entry.", body = Entry),
        (status = 409, description = "`not-to-be-logged`: it does not wait to be logged."),
    ),
)]
pub(super) async fn convert(
    State(site): State<Site>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<(StatusCode, Json<Entry>), Problem> {
    let id = event_id(&id)?;
    let (status, receipt) = match site.app.convert_event(&caller.member, id).await? {
        LogEvent::Logged(receipt) => (StatusCode::CREATED, receipt),
        LogEvent::Already(receipt) => (StatusCode::OK, receipt),
        LogEvent::Not(state) => {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "not-to-be-logged",
                "The event does not wait to be logged",
                format!(
                    "{} POST /time-entries makes an entry of the same time.",
                    became(state)
                ),
            ));
        }
        LogEvent::Unknown => return Err(Problem::not_found("calendar event")),
    };
    let entry = site
        .app
        .listed_entry(&caller.member, receipt.entry.id)
        .await?
        .ok_or_else(|| Problem::not_found("time entry"))?;
    Ok((status, Json(entry.into())))
}

/// Skip an event
///
/// For good: it is not suggested again. What was skipped already stays so.
#[utoipa::path(
    post, path = "/calendar-events/{id}/dismiss", operation_id = "dismissCalendarEvent", tag = "Calendar events",
    params(("id" = Uuid, Path, description = "The event's id.")),
    responses(
        (status = 200, description = "It is skipped.", body = CalendarEvent),
        (status = 409, description = "`not-to-be-dismissed`: it does not wait to be logged."),
    ),
)]
pub(super) async fn dismiss(
    State(site): State<Site>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Json<CalendarEvent>, Problem> {
    let id = event_id(&id)?;
    match site
        .app
        .dismiss_event(&caller.member, id, true, HomeTab::Refresh)
        .await?
    {
        Some(EventState::Dismissed) => {
            let event = site.app.event(&caller.member, id).await?;
            let event = event.ok_or_else(|| Problem::not_found("calendar event"))?;
            let guess = site.app.guess(&caller.member, &event).await?;
            site.app.card_follows(&caller.member, id).await?;
            Ok(Json(CalendarEvent::of(&event, &guess)))
        }
        Some(state) => {
            let event = site.app.event(&caller.member, id).await?;
            let entry = event.and_then(|event| event.time_entry_id);
            let then = match entry.filter(|_| state == EventState::Logged) {
                Some(entry) => {
                    format!("To skip it all the same, first DELETE /time-entries/{entry}.")
                }
                None => "It is not suggested any more; there is nothing to do.".to_owned(),
            };
            Err(Problem::new(
                StatusCode::CONFLICT,
                "not-to-be-dismissed",
                "The event does not wait to be logged",
                format!("{} {then}", became(state)),
            ))
        }
        None => Err(Problem::not_found("calendar event")),
    }
}

/// What became of an event that does not wait to be logged.
const fn became(state: EventState) -> &'static str {
    match state {
        EventState::Suggested => "It waits to be logged again.",
        EventState::Logged => "It was logged.",
        EventState::Dismissed => "It was skipped for good.",
        EventState::Gone => "It left the calendar.",
        EventState::Skipped => "It is none to be logged, for its skip_reason.",
    }
}
