//! The API about calendars' events: reading now, and making entries of them.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Site, problem::Problem, session::Caller};
use crate::{
    app::{Guess, HomeTab, SyncProblem},
    domain::{
        calendar_event::{EventState, SyncedEvent},
        provider::Provider,
        time_entry::{Receipt, TimeEntry},
    },
    store::LogEvent,
};

/// The most that a page holds.
const PAGE_MAX: u32 = 200;

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// `POST /integrations/{provider}/{id}/sync`: reads a calendar of the caller's now.
pub(super) async fn sync(
    State(site): State<Site>,
    Path((provider, id)): Path<(String, String)>,
    caller: Caller,
) -> Result<Response, Problem> {
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
            Ok(Json(json!({
                "status": "success",
                "events_synced": counts.events_synced,
                "new_events": counts.new_events,
                "updated_events": counts.updated_events,
                "removed_events": counts.removed_events,
                "skipped": counts.skipped,
                "last_synced_at": at.map(rfc3339),
            }))
            .into_response())
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
            .with("connect_url", url.to_string().into()))
        }
        Err(SyncProblem::Wait(wait)) => {
            let seconds = wait.num_seconds().max(1);
            let problem = Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "provider-unavailable",
                "The provider asks to wait",
                "It is read again by itself; ask again after Retry-After seconds.",
            );
            let mut response = problem.into_response();
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
            Ok(response)
        }
        Err(SyncProblem::Failed(failed)) => Err(failed.into()),
    }
}

/// Which events are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    limit: Option<u32>,
    cursor: Option<String>,
    state: Option<String>,
}

/// `GET /calendar-events`: the caller's events, from the oldest; seven days back and thirty ahead unless `from` and
/// `to` say otherwise.
pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) =
        asked.map_err(|rejection| Problem::invalid("query", &rejection.body_text()))?;
    let now = site.app.clock().now();
    let from = asked.from.unwrap_or(now - TimeDelta::days(7));
    let to = asked.to.unwrap_or(now + TimeDelta::days(30));
    let state = match asked.state.as_deref() {
        None => None,
        Some(name) => Some(EventState::from_name(name).ok_or_else(|| {
            Problem::invalid(
                "state",
                "It is one of suggested, logged, dismissed, gone, skipped.",
            )
        })?),
    };
    let limit = asked.limit.unwrap_or(50).clamp(1, PAGE_MAX);
    let after = match &asked.cursor {
        None => None,
        Some(cursor) => Some(
            read_cursor(cursor)
                .ok_or_else(|| Problem::invalid("cursor", "It is none that a page ended with."))?,
        ),
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
    let items: Vec<Value> = shown
        .iter()
        .zip(&guesses)
        .filter(|(event, _)| state.is_none_or(|state| event.state == state))
        .map(|(event, guess)| event_json(event, guess))
        .collect();
    Ok(Json(json!({ "items": items, "next_cursor": next })).into_response())
}

fn read_cursor(cursor: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let (start, id) = cursor.split_once('_')?;
    let start = DateTime::from_timestamp_micros(start.parse().ok()?)?;
    Some((start, Uuid::parse_str(id).ok()?))
}

fn event_json(event: &SyncedEvent, guess: &Guess) -> Value {
    let is_waiting = event.state == EventState::Suggested;
    let suggested = guess.project.as_ref().filter(|_| is_waiting);
    json!({
        "id": event.id,
        "calendar_id": event.calendar_id,
        "provider": event.provider,
        "provider_event_id": event.provider_event_id,
        "event_title": event.title,
        "event_start": rfc3339(event.start),
        "event_end": rfc3339(event.end),
        "is_synced": event.state == EventState::Logged,
        "time_entry_id": event.time_entry_id.filter(|_| event.state == EventState::Logged),
        "state": event.state,
        "skip_reason": event.skip_reason,
        "dismissed_at": event.dismissed_at.map(rfc3339),
        "removed_at": event.removed_at.map(rfc3339),
        "suggested_project_id": suggested.map(|project| project.id),
    })
}

fn entry_json(receipt: &Receipt, event_id: Uuid) -> Value {
    let entry: &TimeEntry = &receipt.entry;
    json!({
        "id": entry.id,
        "user_id": entry.user_id,
        "project_id": entry.project.as_ref().map(|project| project.id),
        "source": entry.source,
        "status": entry.status,
        "description": entry.description,
        "date": entry.date,
        "started_at": entry.started_at.map(rfc3339),
        "ended_at": entry.ended_at.map(rfc3339),
        "duration_minutes": entry.duration_minutes.get(),
        "billable": entry.billable,
        "tags": entry.tags,
        "source_event_id": event_id,
        "version": entry.version,
        "created_at": rfc3339(entry.created_at),
        "updated_at": rfc3339(entry.updated_at),
    })
}

fn event_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| Problem::not_found("calendar event"))
}

/// `POST /calendar-events/{id}/convert`: makes an entry of it, once.
pub(super) async fn convert(
    State(site): State<Site>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Response, Problem> {
    let id = event_id(&id)?;
    match site.app.convert_event(&caller.member, id).await? {
        LogEvent::Logged(receipt) => {
            Ok((StatusCode::CREATED, Json(entry_json(&receipt, id))).into_response())
        }
        LogEvent::Already(receipt) => Ok(Json(entry_json(&receipt, id)).into_response()),
        LogEvent::Not(state) => Err(Problem::new(
            StatusCode::CONFLICT,
            "not-to-be-logged",
            "The event does not wait to be logged",
            format!("Its state is {}.", state.as_str()),
        )),
        LogEvent::Unknown => Err(Problem::not_found("calendar event")),
    }
}

/// `POST /calendar-events/{id}/dismiss`: skips it, for good.
pub(super) async fn dismiss(
    State(site): State<Site>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Response, Problem> {
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
            Ok(Json(event_json(&event, &guess)).into_response())
        }
        Some(state) => Err(Problem::new(
            StatusCode::CONFLICT,
            "not-to-be-dismissed",
            "The event does not wait to be logged",
            format!("Its state is {}.", state.as_str()),
        )),
        None => Err(Problem::not_found("calendar event")),
    }
}
