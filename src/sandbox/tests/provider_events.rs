//! Events at Google and at Microsoft.

use chrono::{DateTime, TimeDelta, Utc};

use secrecy::SecretString;

use super::{google, microsoft, providers::*, *};
use crate::calendar::{Providers, ReadProblem};
use crate::sandbox::{
    Endpoint, EventKind, NINA_EMAIL, NewEvent, Outage, Provider, Reply, Service, When,
};

const WINDOW: &str = "timeMin=2026-11-13T00:00:00Z&timeMax=2026-12-20T00:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn meeting(title: &str, start: &str, minutes: i64) -> NewEvent {
    NewEvent::new(title, When::from(at(start), minutes))
}

fn escaped(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

/// A sandbox with a token for one provider.
async fn connected(provider: Provider) -> (Sandbox, String) {
    let sandbox = registered().await;
    let answer = match provider {
        Provider::Google => google::connect(&sandbox, &[]).await,
        _ => microsoft::connect(&sandbox, &[]).await,
    };
    let token = answer["access_token"].as_str().unwrap().to_owned();
    (sandbox, token)
}

struct Google {
    sandbox: Sandbox,
    token: String,
}

impl Google {
    async fn connect() -> Self {
        let (sandbox, token) = connected(Provider::Google).await;
        Self { sandbox, token }
    }

    fn act<R>(&self, act: impl FnOnce(&mut Service) -> R) -> R {
        self.sandbox.provider(Provider::Google, act)
    }

    fn add(&self, event: NewEvent) -> String {
        self.act(|google| google.add_event(NINA_EMAIL, NINA_EMAIL, event).unwrap())
    }

    async fn get(&self, calendar: &str, rest: &str) -> (u16, Value) {
        let base = format!("{}/google/calendar/v3/calendars", self.sandbox.url());
        let url = format!("{base}/{}/events{rest}", escaped(calendar));
        let (status, answer) = get(&url, &self.token).await;
        (status.as_u16(), answer)
    }

    async fn list(&self, query: &str) -> Value {
        let (status, page) = self.get(NINA_EMAIL, &format!("?{query}")).await;
        assert_eq!(status, 200, "{query}: {page}");
        let schema = if page["nextPageToken"].is_null() {
            "google/EventsFinalSyncPage"
        } else {
            "google/EventsMiddlePage"
        };
        let is_ordered = query.contains("orderBy");
        assert_valid(
            if is_ordered {
                "google/EventsPage"
            } else {
                schema
            },
            &page,
        );
        page
    }

    async fn refused(&self, query: &str) -> (u16, Value) {
        let (status, answer) = self.get(NINA_EMAIL, &format!("?{query}")).await;
        assert_valid("google/ApiError", &answer);
        (status, answer)
    }
}

fn titles(page: &Value) -> Vec<&str> {
    let items = page["items"]
        .as_array()
        .or(page["value"].as_array())
        .unwrap();
    items
        .iter()
        .map(|item| {
            let title = item["summary"].as_str().or(item["subject"].as_str());
            title.unwrap_or("")
        })
        .collect()
}

#[tokio::test]
async fn a_window_holds_what_overlaps_it() {
    let google = Google::connect().await;
    for (title, start, minutes) in [
        ("ends at the beginning", "2026-11-12T23:00:00Z", 60),
        ("ends after the beginning", "2026-11-12T23:00:00Z", 61),
        ("inside", "2026-11-20T10:00:00Z", 60),
        ("begins before the end", "2026-12-19T23:59:00Z", 60),
        ("begins at the end", "2026-12-20T00:00:00Z", 60),
    ] {
        google.add(meeting(title, start, minutes));
    }
    google.add(NewEvent::new(
        "whole day",
        When::day("2026-11-20".parse().unwrap()),
    ));
    let page = google.list(&format!("{WINDOW}&singleEvents=true")).await;
    assert_eq!(
        titles(&page),
        [
            "ends after the beginning",
            "inside",
            "begins before the end",
            "whole day"
        ]
    );
    assert_eq!(
        page["items"][1]["start"]["dateTime"],
        "2026-11-20T11:00:00+01:00"
    );
    assert_eq!(page["items"][3]["start"], json!({"date": "2026-11-20"}));
    assert_eq!(page["items"][3]["end"], json!({"date": "2026-11-21"}));
    let id = page["items"][1]["id"].as_str().unwrap();
    let (_, event) = google.get(NINA_EMAIL, &format!("/{id}?timeZone=UTC")).await;
    assert_valid("google/EventRead", &event);
    assert_eq!(event["start"]["dateTime"], "2026-11-20T10:00:00Z");
    assert_eq!(google.get("primary", &format!("/{id}")).await.0, 200);
    assert_eq!(
        google.get(NINA_EMAIL, "/nothing").await,
        (404, data("google/error_404"))
    );
    assert_eq!(google.sandbox.violations(), []);
}

#[tokio::test]
async fn google_pages_may_be_empty_in_the_middle() {
    let google = Google::connect().await;
    google.act(|google| google.switches.has_empty_pages = true);
    for n in 0..5 {
        google.add(meeting(&n.to_string(), "2026-11-20T10:00:00Z", 30));
    }
    let query = format!("{WINDOW}&singleEvents=true&maxResults=2");
    let mut page = google.list(&query).await;
    let (mut found, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let items = page["items"].as_array().unwrap();
        sizes.push(items.len());
        assert!(sizes.len() < 10, "the pages do not end");
        found.extend(titles(&page).into_iter().map(str::to_owned));
        let Some(next) = page["nextPageToken"].as_str().map(str::to_owned) else {
            break;
        };
        assert_eq!(page["nextSyncToken"], Value::Null);
        page = google.list(&format!("{query}&pageToken={next}")).await;
    }
    assert_eq!(sizes, [2, 0, 2, 0, 1]);
    assert_eq!(found, ["0", "1", "2", "3", "4"]);
    assert!(page["nextSyncToken"].is_string());
    let first = google.list(&query).await;
    let next = first["nextPageToken"].as_str().unwrap();
    let other = format!("{WINDOW}&maxResults=2&pageToken={next}");
    assert_eq!(
        google.refused(&other).await.0,
        400,
        "other parameters than the first page's"
    );
}

#[tokio::test]
async fn kinds_replies_and_what_is_hidden() {
    let google = Google::connect().await;
    let start = "2026-11-20T10:00:00Z";
    let out = NewEvent {
        kind: EventKind::OutOfOffice,
        ..meeting("Away", start, 2880)
    };
    google.add(out);
    let place = NewEvent {
        kind: EventKind::WorkingLocation,
        ..NewEvent::new("Home", When::day("2026-11-20".parse().unwrap()))
    };
    google.add(place);
    let focus = NewEvent {
        kind: EventKind::FocusTime,
        is_free: true,
        ..meeting("Focus", start, 60)
    };
    google.add(focus);
    let invited = NewEvent {
        reply: Reply::NeedsAction,
        ..meeting("Pitch", start, 60)
    };
    let pitch = google.add(invited);
    google.act(|service| {
        service.decline_event(&pitch).unwrap();
        service.make_private(&pitch).unwrap();
    });
    let page = google.list("singleEvents=true&eventTypes=default").await;
    assert_eq!(
        titles(&page),
        ["Pitch"],
        "own private events come with their titles"
    );
    assert_eq!(
        page["items"][0]["attendees"][1]["responseStatus"],
        "declined"
    );
    assert_eq!(page["items"][0]["visibility"], "private");
    let page = google.list("singleEvents=true&maxAttendees=1").await;
    assert_eq!(titles(&page), ["Away", "Home", "Focus", "Pitch"]);
    assert_eq!(page["items"][3]["attendees"].as_array().unwrap().len(), 1);
    assert_eq!(page["items"][3]["attendees"][0]["self"], true);
    assert_eq!(page["items"][3]["attendeesOmitted"], true);
    assert_eq!(page["items"][2]["transparency"], "transparent");
    let query = "eventTypes=focusTime&eventTypes=outOfOffice";
    assert_eq!(titles(&google.list(query).await), ["Away", "Focus"]);

    google.act(|service| {
        let rooms = meeting("Board", start, 60);
        service
            .add_event(NINA_EMAIL, "Studio rooms", rooms)
            .unwrap();
        let holiday = NewEvent::new("Advent", When::day("2026-11-29".parse().unwrap()));
        service
            .add_event(NINA_EMAIL, "Holidays in Germany", holiday)
            .unwrap();
    });
    let (_, page) = google
        .get("c_188f0a9b8c@resource.calendar.google.com", "")
        .await;
    assert_valid("google/EventsPage", &page);
    assert_eq!(
        page["items"][0]["summary"],
        Value::Null,
        "free/busy has no titles"
    );
    assert_eq!(page["accessRole"], "freeBusyReader");
    let (_, page) = google
        .get("en.german#holiday@group.v.calendar.google.com", "")
        .await;
    assert_eq!(titles(&page), ["Advent"]);
    assert_eq!(google.sandbox.violations(), []);
}

#[tokio::test]
async fn a_series_is_its_instances() {
    let google = Google::connect().await;
    // The clocks went back on 25 October.
    let stand_up = meeting("Stand-up", "2026-10-24T07:00:00Z", 15);
    let (series, ids) = google.act(|service| {
        service
            .add_series(NINA_EMAIL, NINA_EMAIL, &stand_up, 1, 4)
            .unwrap()
    });
    assert_eq!(ids[0], format!("{series}_20261024T070000Z"));
    assert_eq!(
        ids[1],
        format!("{series}_20261025T080000Z"),
        "09:00 in Berlin again"
    );
    let page = google.list("singleEvents=true").await;
    assert_eq!(
        page["items"][1]["start"]["dateTime"],
        "2026-10-25T09:00:00+01:00"
    );
    assert_eq!(page["items"][1]["recurringEventId"], json!(series));
    assert_eq!(page["items"][0]["iCalUID"], page["items"][3]["iCalUID"]);
    let masters = google.list("").await;
    assert_eq!(masters["items"].as_array().unwrap().len(), 1);
    assert!(masters["items"][0]["recurrence"].is_array());
    let token = page["nextSyncToken"].as_str().unwrap().to_owned();

    // One is cancelled, one moved out of every window, and the rest split off.
    google.act(|service| {
        service.cancel_event(&ids[0]).unwrap();
        let far = When::from(at("2040-01-01T10:00:00Z"), 15);
        service.move_event(&ids[1], far).unwrap();
    });
    let changes = google
        .list(&format!("singleEvents=true&syncToken={token}"))
        .await;
    let gone = json!({"id": ids[0], "status": "cancelled", "recurringEventId": series,
        "originalStartTime": {"dateTime": "2026-10-24T09:00:00+02:00", "timeZone": "Europe/Berlin"}});
    assert_eq!(changes["items"][0], gone);
    let sample = data("google/event_cancelled_instance_minimal");
    let names = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&changes["items"][0]), names(&sample));
    assert_eq!(
        changes["items"][1]["start"]["dateTime"],
        "2040-01-01T11:00:00+01:00"
    );
    assert_eq!(
        changes["items"][1]["originalStartTime"]["dateTime"],
        "2026-10-25T09:00:00+01:00"
    );
    let token = changes["nextSyncToken"].as_str().unwrap().to_owned();
    let (split, new) = google.act(|service| {
        service
            .split_series(&series, at("2026-10-26T00:00:00Z"), "Stand-up (new)")
            .unwrap()
    });
    assert_eq!(split, format!("{series}_R20261026T000000"));
    // The moved one lies after the split by its time, so it went along.
    assert_eq!(new.len(), 3);
    let changes = google
        .list(&format!("singleEvents=true&syncToken={token}"))
        .await;
    let status: Vec<_> = changes["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["status"].as_str().unwrap())
        .collect();
    assert_eq!(status.iter().filter(|one| **one == "cancelled").count(), 3);
    assert_eq!(status.iter().filter(|one| **one == "confirmed").count(), 3);
    assert_eq!(google.sandbox.violations(), []);
}

#[tokio::test]
async fn sync_tokens() {
    let google = Google::connect().await;
    let one = google.add(meeting("One", "2026-11-20T10:00:00Z", 30));
    let query = format!("singleEvents=true&{WINDOW}");
    let page = google.list(&query).await;
    let token = page["nextSyncToken"].as_str().unwrap();
    let sync = format!("singleEvents=true&syncToken={token}");
    let empty = google.list(&sync).await;
    assert_eq!(empty["items"], json!([]));
    assert!(empty["nextSyncToken"].is_string());
    google.act(|service| service.delete_event(&one).unwrap());
    let changes = google.list(&sync).await;
    assert_eq!(
        changes["items"],
        json!([{"id": one, "status": "cancelled"}])
    );
    assert_eq!(google.list(&query).await["items"], json!([]));
    let shown = google.list(&format!("{query}&showDeleted=true")).await;
    assert_eq!(shown["items"].as_array().unwrap().len(), 1);
    let ordered = google.list(&format!("{query}&orderBy=startTime")).await;
    assert_eq!(ordered["nextSyncToken"], Value::Null);
    assert_eq!(google.sandbox.violations(), []);

    for wrong in [
        format!("{sync}&timeMin=2026-11-13T00:00:00Z"),
        format!("{sync}&orderBy=startTime"),
        format!("{sync}&showDeleted=false"),
        format!("syncToken={token}"),
        "orderBy=startTime".to_owned(),
        "timeMin=2026-11-13".to_owned(),
        "eventTypes=party".to_owned(),
        "maxResults=0".to_owned(),
        "timeZone=Berlin".to_owned(),
        "fields=items(summry)".to_owned(),
    ] {
        assert_eq!(google.refused(&wrong).await.0, 400, "{wrong}");
        assert_eq!(errors(&google.sandbox).len(), 1, "{wrong}");
    }
    let empty = "timeMin=2026-11-13T00:00:00Z&timeMax=2026-11-13T00:00:00Z";
    let refused = google.refused(empty).await;
    assert_eq!(refused, (400, data("google/error_400_time_range_empty")));

    // The three reasons for a 410.
    let old = google.refused("updatedMin=2026-09-01T00:00:00Z").await;
    assert_eq!(old, (410, data("google/error_410_updated_min")));
    google.act(Service::expire_sync_tokens);
    let stale = google.refused(&sync).await;
    assert_eq!(stale, (410, data("google/error_410_full_sync")));
    google.act(|service| {
        service.fail_next(Endpoint::Events, 1, Outage::Refused("deleted".to_owned()));
    });
    let deleted = google.refused(&query).await;
    assert_eq!(
        (deleted.0, &deleted.1["error"]["errors"][0]["reason"]),
        (410, &json!("deleted"))
    );
    google.list(&query).await;
    google.act(|service| service.remove_calendar(NINA_EMAIL, NINA_EMAIL).unwrap());
    assert_eq!(
        google.refused(&query).await,
        (404, data("google/error_404"))
    );
}

#[tokio::test]
async fn google_answers_with_the_fields_asked_for() {
    let google = Google::connect().await;
    google.add(meeting("One", "2026-11-20T10:00:00Z", 30));
    let fields = "fields=nextPageToken,nextSyncToken,items(id,start/dateTime,summary)";
    let (_, page) = google.get(NINA_EMAIL, &format!("?{fields}")).await;
    let item = page["items"][0].as_object().unwrap();
    assert_eq!(item.keys().collect::<Vec<_>>(), ["id", "start", "summary"]);
    assert_eq!(item["start"].as_object().unwrap().len(), 1);
    assert_eq!(page["kind"], Value::Null);
}

const NINAS: &str = "AAMkAGUwNjQ4ZjIxNinaAAA%3D";
const RANGE: &str = "startDateTime=2026-11-13T00:00:00Z&endDateTime=2026-12-20T00:00:00Z";

struct Graph {
    sandbox: Sandbox,
    token: String,
}

impl Graph {
    async fn connect() -> Self {
        let (sandbox, token) = connected(Provider::Microsoft).await;
        Self { sandbox, token }
    }

    fn act<R>(&self, act: impl FnOnce(&mut Service) -> R) -> R {
        self.sandbox.provider(Provider::Microsoft, act)
    }

    fn add(&self, event: NewEvent) -> String {
        self.act(|service| service.add_event(NINA_EMAIL, "Calendar", event).unwrap())
    }

    fn url(&self, query: &str) -> String {
        let base = format!("{}/microsoft/v1.0/me/calendars", self.sandbox.url());
        format!("{base}/{NINAS}/calendarView?{query}")
    }

    async fn ask(&self, url: &str) -> (u16, String, Value) {
        let response = http()
            .get(url)
            .bearer_auth(&self.token)
            .header("prefer", r#"outlook.timezone="UTC""#)
            .header("prefer", r#"IdType="ImmutableId""#)
            .send()
            .await
            .unwrap();
        let applied = response.headers().get("preference-applied").cloned();
        let applied = applied.map(|value| value.to_str().unwrap().to_owned());
        let (status, answer) = body(response).await;
        (status.as_u16(), applied.unwrap_or_default(), answer)
    }

    async fn view(&self, query: &str) -> Value {
        let (status, _, page) = self.ask(&self.url(query)).await;
        assert_eq!(status, 200, "{query}: {page}");
        assert_valid("microsoft/calendarViewPage", &page);
        page
    }
}

#[tokio::test]
async fn a_calendar_view_and_its_pages() {
    let graph = Graph::connect().await;
    for n in 0..12 {
        graph.add(meeting(&n.to_string(), "2026-11-20T10:00:00Z", 30));
    }
    graph.add(meeting("before", "2026-11-12T23:00:00Z", 60));
    graph.add(meeting("after", "2026-12-20T00:00:00Z", 60));
    let (_, applied, page) = graph.ask(&graph.url(RANGE)).await;
    assert_eq!(applied, r#"outlook.timezone="UTC", IdType="ImmutableId""#);
    assert_eq!(
        page["value"].as_array().unwrap().len(),
        10,
        "the default page"
    );
    let next = page["@odata.nextLink"].as_str().unwrap();
    assert!(next.starts_with(&graph.sandbox.url()));
    let (_, _, page) = graph.ask(next).await;
    assert_valid("microsoft/calendarViewPage", &page);
    assert_eq!(titles(&page), ["10", "11"]);
    assert_eq!(page["@odata.nextLink"], Value::Null);
    let page = graph.view(&format!("{RANGE}&$top=1000")).await;
    assert_eq!(titles(&page).len(), 12);
    let start = json!({"dateTime": "2026-11-20T10:00:00.0000000", "timeZone": "UTC"});
    assert_eq!(page["value"][0]["start"], start);
    // The bounds have their own offset; without one they are UTC.
    let moved = "startDateTime=2026-11-20T12:00:00%2B01:00&endDateTime=2026-11-20T12:00:00";
    assert_eq!(titles(&graph.view(moved).await).len(), 0);
    let moved = "startDateTime=2026-11-20T11:00:00%2B01:00&endDateTime=2026-11-20T12:00:00";
    assert_eq!(titles(&graph.view(moved).await).len(), 10);
    assert_eq!(graph.sandbox.violations(), []);
    for wrong in [
        "startDateTime=2026-11-20T10:00:00Z",
        &format!("{RANGE}&$top=2000"),
        &format!("{RANGE}&$select=title"),
    ] {
        let (status, _, answer) = graph.ask(&graph.url(wrong)).await;
        assert_eq!(status, 400, "{wrong}");
        assert_valid("microsoft/graphError", &answer);
        assert_eq!(errors(&graph.sandbox).len(), 1);
    }
    let select = format!("{RANGE}&$top=1&$select=subject,start,end,changeKey");
    let page = graph.view(&select).await;
    let names: Vec<_> = page["value"][0].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["@odata.etag", "changeKey", "end", "id", "start", "subject"]
    );
}

#[tokio::test]
async fn ids_and_zones_are_those_preferred() {
    let graph = Graph::connect().await;
    graph.add(meeting("One", "2026-11-20T10:00:00Z", 30));
    graph.add(NewEvent::new(
        "Day",
        When::day("2026-11-20".parse().unwrap()),
    ));
    let immutable = graph.view(RANGE).await["value"][0]["id"].clone();
    let plain = get(&graph.url(RANGE), &graph.token).await.1["value"][0]["id"].clone();
    assert_ne!(immutable, plain);
    for id in [&immutable, &plain] {
        let id = escaped(id.as_str().unwrap());
        let url = format!("{}/microsoft/v1.0/me/events/{id}", graph.sandbox.url());
        let (status, _, event) = graph.ask(&url).await;
        assert_eq!((status, &event["id"]), (200, &immutable));
        assert_valid("microsoft/eventRead", &event);
        assert_eq!(graph.ask(&url.to_lowercase()).await.0, 404, "case matters");
    }
    let response = http()
        .get(graph.url(RANGE))
        .bearer_auth(&graph.token)
        .header("prefer", r#"outlook.timezone="W. Europe Standard Time""#)
        .send()
        .await
        .unwrap();
    let (_, page) = body(response).await;
    let start =
        json!({"dateTime": "2026-11-20T11:00:00.0000000", "timeZone": "W. Europe Standard Time"});
    assert_eq!(page["value"][0]["start"], start);
    assert_eq!(
        page["value"][1]["start"]["dateTime"],
        "2026-11-20T00:00:00.0000000"
    );
    assert_eq!(page["value"][1]["isAllDay"], true);
}

#[tokio::test]
async fn what_happens_to_events_at_microsoft() {
    let graph = Graph::connect().await;
    let invited = |title: &str| NewEvent {
        reply: Reply::Accepted,
        ..meeting(title, "2026-11-20T10:00:00Z", 30)
    };
    let called_off = graph.add(invited("Planning"));
    let declined = graph.add(invited("Pitch"));
    let private = graph.add(meeting("Doctor", "2026-11-20T10:00:00Z", 30));
    let gone = graph.add(meeting("Gone", "2026-11-20T10:00:00Z", 30));
    let away = NewEvent {
        kind: EventKind::OutOfOffice,
        ..meeting("Away", "2026-11-20T10:00:00Z", 30)
    };
    graph.add(away);
    let stand_up = meeting("Stand-up", "2026-11-20T08:00:00Z", 15);
    let (series, ids) = graph.act(|service| {
        service.cancel_event(&called_off).unwrap();
        service.decline_event(&declined).unwrap();
        service.make_private(&private).unwrap();
        service.delete_event(&gone).unwrap();
        service
            .add_series(NINA_EMAIL, "Calendar", &stand_up, 7, 3)
            .unwrap()
    });
    graph.act(|service| {
        let moved = When::from(at("2026-11-20T09:00:00Z"), 15);
        service.move_event(&ids[0], moved).unwrap();
    });
    let page = graph.view(&format!("{RANGE}&$top=100")).await;
    let found = |title: &str| {
        let items = page["value"].as_array().unwrap();
        items.iter().find(|item| item["subject"] == title).unwrap()
    };
    assert_eq!(found("Canceled: Planning")["isCancelled"], true);
    assert_eq!(found("Canceled: Planning")["showAs"], "free");
    assert_eq!(found("Pitch")["responseStatus"]["response"], "declined");
    assert_eq!(found("Doctor")["sensitivity"], "private", "with its title");
    assert_eq!(found("Away")["showAs"], "oof");
    let stand_ups: Vec<_> = page["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["subject"] == "Stand-up")
        .map(|item| item["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        stand_ups,
        ["exception", "occurrence", "occurrence"],
        "and no master"
    );
    assert!(!titles(&page).contains(&"Gone"));
    let before = found("Stand-up")["seriesMasterId"].clone();
    let (split, new) = graph.act(|service| {
        service
            .split_series(&series, at("2026-11-25T00:00:00Z"), "Stand-up 2")
            .unwrap()
    });
    assert_ne!(split, series);
    assert_eq!(new.len(), 2);
    let page = graph.view(&format!("{RANGE}&$top=100")).await;
    let later = page["value"].as_array().unwrap().iter();
    let later: Vec<_> = later
        .filter(|item| item["subject"] == "Stand-up 2")
        .collect();
    assert_eq!(later.len(), 2);
    assert_ne!(later[0]["seriesMasterId"], before);
    graph.act(|service| service.remove_calendar(NINA_EMAIL, "Calendar").unwrap());
    let (status, _, answer) = graph.ask(&graph.url(RANGE)).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (404, &json!("ErrorItemNotFound"))
    );
    assert_eq!(graph.sandbox.violations(), []);
}

#[test]
fn a_day_is_a_day() {
    let day = When::day("2026-11-20".parse().unwrap());
    let (start, end) = day.span(chrono_tz::Tz::Europe__Berlin);
    assert_eq!(end - start, TimeDelta::days(1));
    assert_eq!(start, at("2026-11-19T23:00:00Z"));
}

/// One event is found by its id through the program's own client, and known to be gone.
#[tokio::test]
async fn one_event_is_read_by_its_id() {
    for (provider, calendar) in [
        (Provider::Google, NINA_EMAIL),
        (Provider::Microsoft, "AAMkAGUwNjQ4ZjIxNinaAAA="),
    ] {
        let (sandbox, token) = connected(provider).await;
        let token = SecretString::from(token);
        let config = crate::config::Config::from_environment(&crate::config::Environment::of(
            sandbox.settings(([127, 0, 0, 1], 0).into(), "sqlite::memory:"),
        ))
        .unwrap();
        let clock = crate::clock::Clock::fixed(at("2026-11-20T12:30:00Z"));
        let providers = Providers::new(config.calendars, http(), clock);
        let name = match provider {
            Provider::Google => crate::domain::provider::Provider::Google,
            _ => crate::domain::provider::Provider::Microsoft,
        };
        let id = sandbox.provider(provider, |it| {
            let event = meeting("Review", "2026-11-20T10:00:00Z", 30);
            it.add_event(NINA_EMAIL, calendar, event).unwrap()
        });
        let window = [at("2026-11-13T00:00:00Z"), at("2026-12-20T00:00:00Z")];
        let listed = providers.events(name, &token, calendar, window).await;
        let listed = listed.unwrap().remove(0);
        let one = async || {
            let event = &listed.provider_event_id;
            providers.event(name, &token, calendar, event).await
        };
        assert_eq!(
            one().await,
            Ok(Some(listed.clone())),
            "as the list shows it"
        );
        // Far from the window, it is still found.
        let far = When::from(at("2027-06-01T10:00:00Z"), 45);
        sandbox.provider(provider, |it| it.move_event(&id, far).unwrap());
        let found = one().await.unwrap().unwrap();
        assert_eq!(found.start, at("2027-06-01T10:00:00Z"));
        sandbox.provider(provider, |it| {
            it.fail_next(Endpoint::Event, 1, Outage::Status(500));
        });
        assert!(matches!(one().await, Err(ReadProblem::Unavailable(_))));
        sandbox.provider(provider, |it| it.delete_event(&id).unwrap());
        assert_eq!(one().await, Ok(None));
        sandbox.provider(provider, |it| {
            it.remove_calendar(NINA_EMAIL, calendar).unwrap();
        });
        assert_eq!(one().await, Ok(None));
        assert_eq!(sandbox.violations(), []);
    }
}
