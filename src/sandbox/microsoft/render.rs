//! An event in Graph's words.

use chrono::{DateTime, NaiveDateTime, NaiveTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::errors::Refusal;
use crate::sandbox::{
    calendars::{AccessRole, Calendar, Event, EventKind, Reply, Standing, When},
    oauth::Account,
};

/// The zone in which times are written: `Prefer: outlook.timezone`, else UTC.
pub(super) struct Zone {
    /// As it was asked for.
    name: String,
    zone: Tz,
}

/// A few of Windows' names for zones; IANA's are understood as well.
const WINDOWS: [(&str, Tz); 5] = [
    ("W. Europe Standard Time", Tz::Europe__Berlin),
    ("GMT Standard Time", Tz::Europe__London),
    ("Eastern Standard Time", Tz::America__New_York),
    ("Pacific Standard Time", Tz::America__Los_Angeles),
    ("India Standard Time", Tz::Asia__Kolkata),
];

impl Zone {
    pub(super) fn read(asked: Option<&str>) -> Result<Self, Refusal> {
        let name = asked.unwrap_or("UTC");
        let windows = WINDOWS.iter().find(|(known, _)| *known == name);
        let zone = windows
            .map(|(_, zone)| *zone)
            .or_else(|| name.parse().ok())
            .ok_or_else(|| {
                let message = format!("A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'.");
                Refusal::mistake("TimeZoneNotSupportedException", &message)
            })?;
        Ok(Self {
            name: name.to_owned(),
            zone,
        })
    }

    /// Without an offset, and with seven digits.
    fn time(&self, at: NaiveDateTime) -> Value {
        json!({"dateTime": at.format("%Y-%m-%dT%H:%M:%S%.6f0").to_string(), "timeZone": self.name})
    }

    fn ends(&self, when: When) -> (Value, Value) {
        let at = |at: DateTime<Utc>| self.time(at.with_timezone(&self.zone).naive_local());
        match when {
            When::Timed { start, end } => (at(start), at(end)),
            // Midnights in the returned zone, whichever it is.
            When::Days { first, end } => (
                self.time(first.and_time(NaiveTime::MIN)),
                self.time(end.and_time(NaiveTime::MIN)),
            ),
        }
    }
}

/// outlook-immutable-id.md: the form depends on the request, and only the immutable one stays when
/// an item moves to another calendar.
fn id(id: &str, is_immutable: bool) -> String {
    if is_immutable {
        format!("AAkALgAAAAAAHYQDEapmEc2byACqAC{id}AAA=")
    } else {
        format!("AAMkADAwATM0MDAAMS1{id}AAA=")
    }
}

pub(super) fn is_named(event: &Event, name: &str) -> bool {
    // Ids are case-sensitive.
    name == id(&event.id, true) || name == id(&event.id, false)
}

/// An id as a segment of a path.
pub(super) fn in_path(id: &str) -> String {
    id.replace('=', "%3D")
        .replace('+', "%2B")
        .replace('/', "%2F")
}

pub(super) fn event(
    account: &Account,
    calendar: &Calendar,
    event: &Event,
    zone: &Zone,
    is_immutable: bool,
) -> Value {
    let (start, end) = zone.ends(event.when);
    let stamp = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let key = format!("EZ9r3czxY0m2jz8c45czkw{:06}==", event.changed);
    let is_own = event.reply == Reply::Own;
    let is_called_off = event.standing == Standing::CalledOff;
    // Own private events come with their titles; other people's without.
    let is_hidden = event.is_private && calendar.access < AccessRole::Owner;
    let title = if is_hidden {
        "Private Appointment".to_owned()
    } else if is_called_off {
        format!("Canceled: {}", event.title)
    } else {
        event.title.clone()
    };
    let (response, answered) = match event.reply {
        Reply::Own => ("organizer", "0001-01-01T00:00:00Z".to_owned()),
        Reply::Accepted => ("accepted", stamp(event.updated)),
        Reply::Tentative => ("tentativelyAccepted", stamp(event.updated)),
        Reply::Declined => ("declined", stamp(event.updated)),
        Reply::NeedsAction => ("notResponded", "0001-01-01T00:00:00Z".to_owned()),
    };
    let status = json!({"response": response, "time": answered});
    let kind = match (&event.slot, event.is_exception) {
        (None, _) => "singleInstance",
        (Some(_), false) => "occurrence",
        (Some(_), true) => "exception",
    };
    let me = json!({"name": account.name, "address": account.email});
    let attendees = if is_own {
        json!([])
    } else {
        json!([{"type": "required", "status": status, "emailAddress": me}])
    };
    let organizer = if is_own {
        json!({"name": calendar.owner.0, "address": calendar.owner.1})
    } else {
        json!({"name": "Organizer", "address": "organizer@acme.example"})
    };
    let mut body = unused();
    let known = json!({
        "@odata.etag": format!("W/\"{key}\""),
        "id": id(&event.id, is_immutable),
        "createdDateTime": stamp(event.created),
        "lastModifiedDateTime": stamp(event.updated),
        "changeKey": key,
        "originalStartTimeZone": "W. Europe Standard Time",
        "originalEndTimeZone": "W. Europe Standard Time",
        "iCalUId": event.ical_uid,
        "subject": title,
        "sensitivity": if event.is_private { "private" } else { "normal" },
        "isAllDay": matches!(event.when, When::Days { .. }),
        "isCancelled": is_called_off,
        "isOrganizer": is_own,
        "seriesMasterId": event.slot.as_ref().map(|slot| id(&slot.series, is_immutable)),
        "showAs": show_as(event),
        "type": kind,
        "responseStatus": status,
        "start": start,
        "end": end,
        "attendees": attendees,
        "organizer": {"emailAddress": organizer},
    });
    if let (Value::Object(body), Value::Object(known)) = (&mut body, known) {
        body.extend(known);
    }
    body
}

/// What an event carries and nobody here asks about.
fn unused() -> Value {
    json!({
        "categories": [],
        "transactionId": null,
        "reminderMinutesBeforeStart": 15,
        "isReminderOn": true,
        "hasAttachments": false,
        "bodyPreview": "",
        "importance": "normal",
        "responseRequested": true,
        "webLink": "https://outlook.office365.com/owa/?itemid=x&exvsurl=1&path=/calendar/item",
        "onlineMeetingUrl": null,
        "isOnlineMeeting": false,
        "onlineMeetingProvider": "unknown",
        "allowNewTimeProposals": true,
        "isDraft": false,
        "hideAttendees": false,
        "recurrence": null,
        "onlineMeeting": null,
        "body": {"contentType": "html", "content": ""},
        "location": {"displayName": "", "locationType": "default", "uniqueIdType": "unknown",
            "address": {}, "coordinates": {}},
        "locations": [],
    })
}

fn show_as(event: &Event) -> &'static str {
    match (event.kind, event.reply) {
        _ if event.is_free || event.standing == Standing::CalledOff => "free",
        (EventKind::OutOfOffice, _) => "oof",
        (EventKind::WorkingLocation, _) => "workingElsewhere",
        (_, Reply::Declined) => "free",
        (_, Reply::Tentative | Reply::NeedsAction) => "tentative",
        _ => "busy",
    }
}
