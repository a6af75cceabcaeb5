//! What becomes of each event that the providers document, file by file.

use std::{collections::BTreeSet, fs};

use serde::de::DeserializeOwned;

use super::{google, microsoft};
use crate::domain::calendar_event::{CalendarEvent, SkipReason, Wishes};

/// An event of a file: `None` if it is left out, otherwise its title, start and end as they are stored, and why it is
/// not suggested.
type Becomes = Option<(&'static str, &'static str, &'static str, Option<SkipReason>)>;

fn read<T: DeserializeOwned>(file: &str) -> T {
    let path = format!("{}/tests/data/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn becomes(event: Option<&CalendarEvent>) -> Option<(String, String, String, Option<SkipReason>)> {
    let event = event?;
    let wishes = Wishes::default();
    let at = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%MZ").to_string();
    Some((
        event.stored_title(wishes),
        at(event.start),
        at(event.end),
        event.skip_reason(wishes),
    ))
}

#[track_caller]
fn assert_becomes(file: &str, found: &[Option<CalendarEvent>], expected: &[Becomes]) {
    let found: Vec<_> = found.iter().map(|event| becomes(event.as_ref())).collect();
    let owned = |(title, start, end, skip): (&str, &str, &str, Option<SkipReason>)| {
        (title.to_owned(), start.to_owned(), end.to_owned(), skip)
    };
    let expected: Vec<_> = expected.iter().map(|one| one.map(owned)).collect();
    assert_eq!(found, expected, "{file}");
}

/// Every file of events has its place in the table.
fn assert_all_named(folder: &str, prefixes: &[&str], named: &[&str]) {
    let path = format!("{}/tests/data/{folder}", env!("CARGO_MANIFEST_DIR"));
    let found: BTreeSet<String> = fs::read_dir(path)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
        .filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()))
        .collect();
    let named = named.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, named, "{folder}");
}

#[test]
fn each_event_of_googles_is_a_suggestion_or_left_out_for_a_reason() {
    use SkipReason::{AllDay, Declined, Free, OutOfOffice, Private, WorkingLocation, ZeroLength};
    let events: [(&str, Becomes); 12] = [
        (
            "event_all_day",
            Some((
                "Company holiday",
                "2026-10-02T00:00Z",
                "2026-10-05T00:00Z",
                Some(AllDay),
            )),
        ),
        // Nothing is left of it but its id and its place in the series.
        ("event_cancelled_instance_minimal", None),
        // Three hours, though the clock on the wall shows two.
        (
            "event_cross_dst_fall",
            Some((
                "Night deploy",
                "2026-10-24T23:30Z",
                "2026-10-25T02:30Z",
                None,
            )),
        ),
        (
            "event_declined",
            Some((
                "Vendor pitch",
                "2026-09-21T11:00Z",
                "2026-09-21T11:30Z",
                Some(Declined),
            )),
        ),
        (
            "event_focus_time",
            Some(("Focus time", "2026-09-22T06:00Z", "2026-09-22T08:00Z", None)),
        ),
        (
            "event_needs_action",
            Some(("Maybe", "2026-09-21T13:00Z", "2026-09-21T13:30Z", None)),
        ),
        (
            "event_out_of_office",
            Some((
                "Out of office",
                "2026-09-22T22:00Z",
                "2026-09-24T22:00Z",
                Some(OutOfOffice),
            )),
        ),
        (
            "event_over_midnight",
            Some(("Late call", "2026-09-21T21:30Z", "2026-09-21T22:45Z", None)),
        ),
        (
            "event_private_hidden",
            Some((
                "Private event",
                "2026-09-21T14:00Z",
                "2026-09-21T15:00Z",
                Some(Private),
            )),
        ),
        (
            "event_transparent",
            Some((
                "Optional lunch talk",
                "2026-09-21T10:00Z",
                "2026-09-21T11:00Z",
                Some(Free),
            )),
        ),
        (
            "event_working_location",
            Some((
                "Home",
                "2026-09-21T00:00Z",
                "2026-09-22T00:00Z",
                Some(WorkingLocation),
            )),
        ),
        (
            "event_zero_length",
            Some((
                "Ping",
                "2026-09-21T07:00Z",
                "2026-09-21T07:00Z",
                Some(ZeroLength),
            )),
        ),
    ];
    let pages: [(&str, &[Becomes]); 5] = [
        ("events_empty_page_with_more", &[]),
        (
            "events_full_last",
            &[Some((
                "Daily stand-up",
                "2026-09-22T07:00Z",
                "2026-09-22T07:15Z",
                None,
            ))],
        ),
        (
            "events_full_page1",
            &[
                Some((
                    "Acme: sprint review",
                    "2026-09-21T08:00Z",
                    "2026-09-21T09:00Z",
                    None,
                )),
                Some((
                    "Daily stand-up",
                    "2026-09-21T07:00Z",
                    "2026-09-21T07:15Z",
                    None,
                )),
            ],
        ),
        (
            "events_incremental_changes",
            &[
                None,
                None,
                Some((
                    "Daily stand-up (moved)",
                    "2026-09-24T12:00Z",
                    "2026-09-24T12:15Z",
                    None,
                )),
            ],
        ),
        ("events_incremental_empty", &[]),
    ];
    for (file, expected) in &events {
        let event = google::event(read(&format!("google/{file}")));
        assert_becomes(file, &[event], &[*expected]);
    }
    for (file, expected) in &pages {
        let page: google::EventPage = read(&format!("google/{file}"));
        let found: Vec<_> = page.items.into_iter().map(google::event).collect();
        assert_becomes(file, &found, expected);
    }
    let named: Vec<&str> = events
        .iter()
        .map(|(file, _)| *file)
        .chain(pages.iter().map(|(file, _)| *file))
        .collect();
    assert_all_named("google", &["event"], &named);
}

#[test]
fn each_event_of_microsofts_is_a_suggestion_or_left_out_for_a_reason() {
    use SkipReason::{AllDay, Cancelled, Declined, Private};
    let events: [(&str, Becomes); 6] = [
        (
            "event_all_day",
            Some((
                "Company holiday",
                "2026-10-02T00:00Z",
                "2026-10-05T00:00Z",
                Some(AllDay),
            )),
        ),
        (
            "event_cancelled_by_organizer",
            Some((
                "Canceled: Planning",
                "2026-09-22T11:00Z",
                "2026-09-22T12:00Z",
                Some(Cancelled),
            )),
        ),
        (
            "event_declined",
            Some((
                "Vendor pitch",
                "2026-09-21T11:00Z",
                "2026-09-21T11:30Z",
                Some(Declined),
            )),
        ),
        (
            "event_private",
            Some((
                "Private event",
                "2026-09-21T14:00Z",
                "2026-09-21T15:00Z",
                Some(Private),
            )),
        ),
        (
            "event_private_shared_hidden",
            Some((
                "Private event",
                "2026-09-21T14:00Z",
                "2026-09-21T15:00Z",
                Some(Private),
            )),
        ),
        // UTC was asked for. In a zone of Windows' it is not guessed at.
        ("event_windows_zone", None),
    ];
    let page: [Becomes; 2] = [
        Some((
            "Acme: sprint review",
            "2026-09-21T08:00Z",
            "2026-09-21T09:00Z",
            None,
        )),
        Some((
            "Daily stand-up",
            "2026-09-21T07:00Z",
            "2026-09-21T07:15Z",
            None,
        )),
    ];
    for (file, expected) in &events {
        let event = microsoft::event(read(&format!("microsoft/{file}")));
        assert_becomes(file, &[event], &[*expected]);
    }
    let found: microsoft::EventPage = read("microsoft/calendarview_page1");
    let found: Vec<_> = found.value.into_iter().map(microsoft::event).collect();
    assert_becomes("calendarview_page1", &found, &page);
    let mut named: Vec<&str> = events.iter().map(|(file, _)| *file).collect();
    named.push("calendarview_page1");
    assert_all_named("microsoft", &["event", "calendarview"], &named);
}
