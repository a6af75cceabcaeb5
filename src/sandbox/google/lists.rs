//! `calendarList.list`, and what every call of the API goes through.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, header},
    response::Response,
};
use serde_json::{Value, json};

use super::{answer, errors, errors::Refusal, fields, is_calendar_scope};
use crate::sandbox::{
    Sandbox,
    calendars::{AccessRole, Calendar},
    oauth::{Endpoint, Params, Provider, Service, lost},
    record::Traffic,
};

/// Parameters that every method takes (the discovery document's `parameters`).
const COMMON: [&str; 6] = ["alt", "fields", "key", "prettyPrint", "quotaUser", "userIp"];

/// One call: who asks, with what, and what is answered.
pub(super) async fn call(
    sandbox: &Sandbox,
    endpoint: Endpoint,
    headers: &HeaderMap,
    query: Option<String>,
    (title, known, scopes): (&str, &[&str], &[&str]),
    act: impl FnOnce(&mut Service, &str, &Params) -> Result<Value, Refusal>,
) -> Response {
    let params = Params::read(&query.unwrap_or_default());
    let trace = |error: Option<String>| {
        sandbox.trace(|| Traffic {
            ok: error.is_none(),
            error,
            body: params.json(),
            ..Traffic::from_bot("google", title)
        });
    };
    let passed = match sandbox.arrive(Provider::Google, endpoint).await {
        Ok(passed) => passed,
        Err(outage) => {
            trace(Some(format!("{outage:?}")));
            return errors::api(&outage);
        }
    };
    let unknown: Vec<String> = params
        .unknown(known)
        .into_iter()
        .filter(|name| !COMMON.contains(&name.as_str()))
        .collect();
    if !unknown.is_empty() {
        // Google lets these pass without a word, which is how a misspelt parameter survives.
        sandbox.violated(&format!("google.{title}"), "unknown_parameter", unknown);
    }
    let result: Result<Value, Refusal> = sandbox.provider(Provider::Google, |service| {
        let account = authorize(service, headers, scopes)?;
        let mask = params.get("fields").map(fields::Mask::read).transpose()?;
        let value = act(service, &account, &params)?;
        Ok(mask.map_or_else(|| value.clone(), |mask| mask.keep(&value)))
    });
    match result {
        Ok(value) => {
            trace(None);
            lost(passed, answer(&value)).await
        }
        Err(refusal) => {
            trace(Some(refusal.reason.to_owned()));
            if refusal.is_mistake {
                let details = vec![refusal.message.clone()];
                sandbox.violated(&format!("google.{title}"), refusal.reason, details);
            }
            refusal.response()
        }
    }
}

/// The account whose live access token comes with the request, if one of the scopes is granted.
fn authorize(service: &Service, headers: &HeaderMap, scopes: &[&str]) -> Result<String, Refusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let access = token
        .and_then(|token| service.bearer(token))
        .ok_or_else(Refusal::unauthorized)?;
    let is_allowed = access
        .scopes
        .iter()
        .any(|granted| scopes.iter().any(|scope| is_calendar_scope(granted, scope)));
    if is_allowed {
        Ok(access.account.clone())
    } else {
        Err(Refusal::insufficient_scope())
    }
}

/// A number between 1 and `most`; larger ones count as `most`.
pub(super) fn max_results(params: &Params, default: usize, most: usize) -> Result<usize, Refusal> {
    let Some(text) = params.get("maxResults") else {
        return Ok(default);
    };
    match text.parse::<usize>() {
        Ok(number) if number > 0 => Ok(number.min(most)),
        _ => {
            let message =
                format!("Invalid value '{text}'. Values must be within the range: [1, {most}]");
            Err(Refusal::parameter("maxResults", &message))
        }
    }
}

pub(super) fn flag(params: &Params, name: &str) -> bool {
    params.get(name) == Some("true")
}

pub(super) const fn role(access: AccessRole) -> &'static str {
    match access {
        AccessRole::FreeBusyReader => "freeBusyReader",
        AccessRole::Reader => "reader",
        AccessRole::Writer => "writer",
        AccessRole::Owner => "owner",
    }
}

const LIST: (&str, &[&str], &[&str]) = (
    "calendarList.list",
    &[
        "maxResults",
        "minAccessRole",
        "pageToken",
        "showDeleted",
        "showHidden",
        "syncToken",
    ],
    &[
        "calendar",
        "calendar.readonly",
        "calendar.calendarlist",
        "calendar.calendarlist.readonly",
    ],
);

/// `GET /google/calendar/v3/users/me/calendarList`
pub(in crate::sandbox) async fn calendar_list(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    call(&sandbox, Endpoint::Calendars, &headers, query, LIST, list).await
}

/// Words of a page token or sync token, after the one that says what it is.
pub(super) fn numbers<const N: usize>(token: &str, kind: &str) -> Option<[u64; N]> {
    let mut words = token.strip_prefix(kind)?.split('.');
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = words.next()?.parse().ok()?;
    }
    words.next().is_none().then_some(numbers)
}

fn list(service: &mut Service, account: &str, params: &Params) -> Result<Value, Refusal> {
    let most = max_results(params, 100, 250)?;
    let most = most
        .min(service.switches.largest_page.unwrap_or(most))
        .max(1);
    let least = match params.get("minAccessRole") {
        None | Some("freeBusyReader") => AccessRole::FreeBusyReader,
        Some("reader") => AccessRole::Reader,
        Some("writer" | "writerWithoutPrivateAccess") => AccessRole::Writer,
        Some("owner") => AccessRole::Owner,
        Some(other) => {
            let message = format!("Invalid value for minAccessRole: {other}");
            return Err(Refusal::parameter("minAccessRole", &message));
        }
    };
    let is_unchanged = match params.get("syncToken") {
        None => false,
        Some(_) if params.get("minAccessRole").is_some() => {
            let message = "minAccessRole cannot be used with syncToken";
            return Err(Refusal::parameter("syncToken", message));
        }
        Some(token) => {
            let [serial] = numbers(token, "Cl").ok_or_else(Refusal::full_sync)?;
            if serial < service.oldest_sync {
                return Err(Refusal::full_sync());
            }
            true
        }
    };
    let start = match params.get("pageToken") {
        None => 0,
        Some(token) => numbers::<1>(token, "Cp")
            .and_then(|[start]| usize::try_from(start).ok())
            .ok_or_else(|| Refusal::parameter("pageToken", "Invalid page token value."))?,
    };
    let with_hidden = flag(params, "showHidden");
    let serial = service.serial;
    let calendars = service
        .account(account)
        .map_or(&[][..], |account| account.calendars.as_slice());
    let shown: Vec<&Calendar> = calendars
        .iter()
        .filter(|calendar| calendar.access >= least)
        .filter(|calendar| with_hidden || !calendar.is_hidden)
        // The list itself does not change by what happens in its calendars.
        .filter(|_| !is_unchanged)
        .collect();
    let items: Vec<Value> = shown
        .iter()
        .skip(start)
        .take(most)
        .map(|one| entry(one))
        .collect();
    let end = start + items.len();
    let mut page = json!({"kind": "calendar#calendarList", "etag": "\"p33gfr7bg2n8u80g\"",
        "items": items});
    if end < shown.len() {
        page["nextPageToken"] = json!(format!("Cp{end}"));
    } else {
        page["nextSyncToken"] = json!(format!("Cl{serial}"));
    }
    Ok(page)
}

fn entry(calendar: &Calendar) -> Value {
    let mut entry = json!({
        "kind": "calendar#calendarListEntry",
        "etag": "\"1757000000000000\"",
        "id": calendar.id,
        "summary": calendar.name,
        "timeZone": calendar.time_zone.name(),
        "accessRole": role(calendar.access),
        "defaultReminders": [],
        "selected": true,
    });
    if let Some(name) = &calendar.name_override {
        entry["summaryOverride"] = json!(name);
    }
    if calendar.is_primary {
        entry["primary"] = json!(true);
    }
    if calendar.is_hidden {
        entry["hidden"] = json!(true);
    }
    entry
}
