//! An event in Google's words.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::sandbox::{
    calendars::{AccessRole, Calendar, Event, EventKind, Reply, When},
    oauth::Account,
};

/// Every `eventType`; `fromGmail` is never made here.
pub(super) const KINDS: [&str; 6] = [
    "default",
    "focusTime",
    "outOfOffice",
    "workingLocation",
    "birthday",
    "fromGmail",
];

pub(super) const fn kind(event: &Event) -> &'static str {
    match event.kind {
        EventKind::Default => "default",
        EventKind::FocusTime => "focusTime",
        EventKind::OutOfOffice => "outOfOffice",
        EventKind::WorkingLocation => "workingLocation",
        EventKind::Birthday => "birthday",
    }
}

/// Milliseconds and `Z`.
pub(super) fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn ends(when: When, zone: Tz) -> (Value, Value) {
    let at = |at: DateTime<Utc>| {
        let text = at
            .with_timezone(&zone)
            .to_rfc3339_opts(SecondsFormat::Secs, true);
        json!({"dateTime": text, "timeZone": zone.name()})
    };
    match when {
        When::Timed { start, end } => (at(start), at(end)),
        When::Days { first, end } => (
            json!({"date": first.to_string()}),
            json!({"date": end.to_string()}),
        ),
    }
}

/// The whole event, or what is left of one that is gone: nothing but the id is certain then, and
/// for an instance its place (discovery document, `Event.status`).
pub(super) fn event(
    account: &Account,
    calendar: &Calendar,
    event: &Event,
    zone: Tz,
    guests: Option<usize>,
) -> Value {
    if event.is_deleted() {
        let mut gone = json!({"id": event.id, "status": "cancelled"});
        if let Some(slot) = &event.slot {
            gone["recurringEventId"] = json!(slot.series);
            gone["originalStartTime"] = ends(slot.original, zone).0;
        }
        return gone;
    }
    let (start, end) = ends(event.when, zone);
    let mut body = json!({
        "kind": "calendar#event",
        "etag": format!("\"{}\"", event.updated.timestamp_micros() + i64::from(event.sequence)),
        "id": event.id,
        "status": if event.reply == Reply::Tentative { "tentative" } else { "confirmed" },
        "htmlLink": format!("https://www.google.com/calendar/event?eid={}", event.id),
        "created": stamp(event.created),
        "updated": stamp(event.updated),
        "start": start,
        "end": end,
        "iCalUID": event.ical_uid,
        "sequence": event.sequence,
        "eventType": kind(event),
    });
    if let Some(slot) = &event.slot {
        body["recurringEventId"] = json!(slot.series);
        body["originalStartTime"] = ends(slot.original, zone).0;
    }
    if event.is_free {
        body["transparency"] = json!("transparent");
    }
    // `accessRole`: private events are shown to readers without their details, and free/busy
    // readers see the details of none.
    let is_hidden = match calendar.access {
        AccessRole::FreeBusyReader => true,
        AccessRole::Reader => event.is_private,
        AccessRole::Writer | AccessRole::Owner => false,
    };
    if event.is_private || is_hidden {
        body["visibility"] = json!("private");
    }
    if !is_hidden {
        details(&mut body, account, calendar, event, guests);
    }
    body
}

fn details(
    body: &mut Value,
    account: &Account,
    calendar: &Calendar,
    event: &Event,
    guests: Option<usize>,
) {
    body["summary"] = json!(event.title);
    body["reminders"] = json!({"useDefault": true});
    let own = calendar.is_primary;
    let mut organizer = json!({"email": calendar.owner.1});
    if event.reply == Reply::Own {
        if own {
            organizer["self"] = json!(true);
        }
    } else {
        organizer["email"] = json!("organizer@acme.example");
        let response = match event.reply {
            Reply::Own | Reply::Accepted => "accepted",
            Reply::Tentative => "tentative",
            Reply::Declined => "declined",
            Reply::NeedsAction => "needsAction",
        };
        let me = json!({"email": account.email, "self": true, "responseStatus": response});
        let others = json!({"email": "organizer@acme.example", "organizer": true,
            "responseStatus": "accepted"});
        if guests.is_some_and(|most| most < 2) {
            // With too many guests only the participant is returned.
            body["attendees"] = json!([me]);
            body["attendeesOmitted"] = json!(true);
        } else {
            body["attendees"] = json!([others, me]);
        }
    }
    body["creator"] = organizer.clone();
    body["organizer"] = organizer;
    if let When::Timed { start, end } = event.when
        && start == end
    {
        body["endTimeUnspecified"] = json!(true);
    }
    match event.kind {
        EventKind::Default => {}
        EventKind::FocusTime => {
            body["focusTimeProperties"] = json!({
                "autoDeclineMode": "declineOnlyNewConflictingInvitations",
                "declineMessage": "Declined because I am in focus time.",
                "chatStatus": "doNotDisturb"});
        }
        EventKind::OutOfOffice => {
            body["outOfOfficeProperties"] = json!({
                "autoDeclineMode": "declineAllConflictingInvitations",
                "declineMessage": "Declined because I am out of office"});
        }
        EventKind::WorkingLocation => {
            body["workingLocationProperties"] = json!({"type": "homeOffice", "homeOffice": {}});
            body["transparency"] = json!("transparent");
        }
        EventKind::Birthday => {
            body["birthdayProperties"] = json!({"type": "birthday"});
            body["transparency"] = json!("transparent");
        }
    }
}

/// A series as it stands in a list that is not expanded.
pub(super) fn series(
    account: &Account,
    calendar: &Calendar,
    first: &Event,
    id: &str,
    zone: Tz,
) -> Value {
    let master = Event {
        id: id.to_owned(),
        slot: None,
        ..first.clone()
    };
    let mut body = event(account, calendar, &master, zone, None);
    body["recurrence"] = json!(["RRULE:FREQ=DAILY"]);
    body
}
