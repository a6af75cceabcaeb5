//! Calendars are read whole and reconciled, and meetings become entries exactly once.

use billops::{
    domain::{
        calendar_event::{EventState, SkipReason, SyncCounts, SyncedEvent},
        member::Member,
    },
    sandbox::{
        Endpoint, EventKind, NINA_EMAIL, NewEvent, Outage, Provider, Reply, Sandbox, View, When,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    bot::{NINA, TestBot},
    visitor::{Visitor, connect, settled},
};

const GOOGLE: Provider = Provider::Google;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Puts a meeting into Nina's main calendar at Google.
pub(crate) fn add(bot: &TestBot, title: &str, start: &str, minutes: i64) -> String {
    add_as(bot, NewEvent::new(title, When::from(at(start), minutes)))
}

pub(crate) fn add_as(bot: &TestBot, event: NewEvent) -> String {
    bot.slack
        .provider(GOOGLE, |google| {
            google.add_event(NINA_EMAIL, "Nina Berg", event)
        })
        .unwrap()
}

pub(crate) async fn nina(bot: &TestBot) -> Member {
    let store = bot.bot.store();
    store
        .member("T07TERN001", "U07NINA001")
        .await
        .unwrap()
        .unwrap()
}

pub(crate) async fn calendar(bot: &TestBot, name: &str) -> Uuid {
    let accounts = bot
        .bot
        .store()
        .accounts(nina(bot).await.user_id)
        .await
        .unwrap();
    let mut calendars = accounts.iter().flat_map(|account| &account.calendars);
    calendars.find(|calendar| calendar.name == name).unwrap().id
}

/// Connects a calendar, and waits until it was read for the first time.
pub(crate) async fn connected(bot: &TestBot, provider: &str) -> Visitor {
    let (visitor, _) = connect(bot, provider).await;
    settled(bot).await;
    visitor
}

/// Reads a calendar now, as a frontend asks for it.
pub(crate) async fn sync(visitor: &mut Visitor, provider: &str, calendar: Uuid) -> SyncCounts {
    let url = visitor.at(&format!("/api/v1/integrations/{provider}/{calendar}/sync"));
    let page = visitor.send(Method::POST, &url, None, &[]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let mut answer = page.json();
    assert_eq!(answer["status"], "success");
    assert!(answer["last_synced_at"].is_string());
    let fields = answer.as_object_mut().unwrap();
    fields.remove("status");
    fields.remove("last_synced_at");
    serde_json::from_value(answer).unwrap()
}

pub(crate) async fn events(bot: &TestBot) -> Vec<SyncedEvent> {
    let span = [at("2026-11-01T00:00:00Z"), at("2026-12-31T00:00:00Z")];
    let store = bot.bot.store();
    store
        .events_between(nina(bot).await.user_id, span, None, 500)
        .await
        .unwrap()
}

pub(crate) async fn the(bot: &TestBot, title: &str) -> SyncedEvent {
    let events = events(bot).await;
    let mut found = events.iter().filter(|event| event.title == title);
    let one = found
        .next()
        .unwrap_or_else(|| panic!("no {title} in {events:#?}"));
    assert_eq!(found.next(), None, "{title} is there twice");
    one.clone()
}

pub(crate) async fn home_with(bot: &TestBot, words: &str) -> View {
    let shows = |slack: &Sandbox| {
        let home = slack.home(NINA)?;
        let blocks = Value::from(home.blocks().to_vec()).to_string();
        blocks.contains(words).then_some(home)
    };
    let what = format!("a Home tab with “{words}”");
    match bot.slack.wait_for(&what, shows).await {
        Ok(home) => home,
        Err(late) => panic!("{late}: {:#?}", bot.slack.home(NINA).unwrap().blocks()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meeting_is_logged_once_from_home_and_waits_again_when_taken_back() {
    let bot = TestBot::start().await;
    bot.projects(&["halden"]).await;
    bot.slack.open_home(NINA).await.unwrap();
    add(&bot, "Halden weekly", "2026-11-20T09:00:00Z", 45);
    add(&bot, "Standup", "2026-11-20T08:00:00Z", 15);
    // Still to come: it does not wait yet.
    add(&bot, "Later", "2026-11-20T16:00:00Z", 30);
    connect(&bot, "google").await;
    let home = home_with(&bot, "10:00–10:45 · *Halden weekly* · 45 min").await;
    let blocks = Value::from(home.blocks().to_vec()).to_string();
    assert!(
        blocks.contains("Log all 2") && !blocks.contains("Later"),
        "{blocks}"
    );
    let rows = home
        .blocks()
        .iter()
        .filter_map(|block| block["block_id"].as_str());
    let mut rows = rows.filter(|id| id.starts_with("event.actions:"));
    let row = rows.next_back().unwrap();

    // Pressed twice at once, it is one entry.
    let name = format!("{row}/event.log");
    let (one, two) = tokio::join!(
        bot.slack.click(NINA, &home, &name),
        bot.slack.click(NINA, &home, &name)
    );
    assert_eq!((one.unwrap().error, two.unwrap().error), (None, None));
    let home = home_with(&bot, "Logged Halden weekly, 45 min").await;
    let user = nina(&bot).await.user_id;
    let logged = bot.bot.store().last_entries(user, 0, 10).await.unwrap();
    assert_eq!(logged.len(), 1, "{logged:?}");
    let event = the(&bot, "Halden weekly").await;
    assert_eq!(event.state, EventState::Logged);
    let entry = bot
        .bot
        .store()
        .entry(nina(&bot).await.user_id, event.time_entry_id.unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((entry.source.as_str(), entry.is_timed), ("calendar", true));
    assert_eq!(entry.started_at, Some(at("2026-11-20T09:00:00Z")));

    // Taken back, it waits again; logged again, it is the same entry.
    bot.slack
        .click(NINA, &home, "notice/entry.undo")
        .await
        .unwrap();
    let home = home_with(&bot, "Log all 2").await;
    assert_eq!(
        the(&bot, "Halden weekly").await.state,
        EventState::Suggested
    );
    bot.slack
        .click(NINA, &home, "waiting/event.log_all")
        .await
        .unwrap();
    home_with(&bot, "Logged 2 meetings, 1 h").await;
    let again = the(&bot, "Halden weekly").await;
    assert_eq!(
        (again.state, again.time_entry_id),
        (EventState::Logged, event.time_entry_id)
    );
    home_with(&bot, "Nothing. Meetings appear here when they end.").await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_skipped_meeting_does_not_come_back() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    let id = add(&bot, "Lunch talk", "2026-11-20T11:00:00Z", 30);
    let mut visitor = connected(&bot, "google").await;
    let home = home_with(&bot, "*Lunch talk*").await;
    bot.slack.click(NINA, &home, "event.skip").await.unwrap();
    let home = home_with(&bot, "Skipped: Lunch talk").await;
    bot.slack
        .click(NINA, &home, "notice/event.unskip")
        .await
        .unwrap();
    let home = home_with(&bot, "12:00–12:30 · *Lunch talk*").await;
    bot.slack.click(NINA, &home, "event.skip").await.unwrap();
    home_with(&bot, "Skipped: Lunch talk").await;
    // Moved in the calendar, it stays skipped.
    bot.slack
        .provider(GOOGLE, |google| {
            google.move_event(&id, When::from(at("2026-11-20T11:15:00Z"), 30))
        })
        .unwrap();
    let main = calendar(&bot, "Nina Berg").await;
    assert_eq!(sync(&mut visitor, "google", main).await.updated_events, 1);
    let event = the(&bot, "Lunch talk").await;
    assert_eq!(
        (event.state, event.start),
        (EventState::Dismissed, at("2026-11-20T11:15:00Z"))
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_calendar_shows_is_what_is_stored() {
    let bot = TestBot::start().await;
    let mut visitor = connected(&bot, "google").await;
    let main = calendar(&bot, "Nina Berg").await;
    let none = sync(&mut visitor, "google", main).await;
    assert_eq!((none.events_synced, none.new_events), (0, 0));
    let review = add(&bot, "Review", "2026-11-19T09:00:00Z", 60);
    let called_off = add(&bot, "Called off", "2026-11-19T11:00:00Z", 60);
    for (change, title) in [(Reply::Declined, "No"), (Reply::NeedsAction, "Perhaps")] {
        let event = NewEvent::new(title, When::from(at("2026-11-18T09:00:00Z"), 30));
        add_as(
            &bot,
            NewEvent {
                reply: change,
                ..event
            },
        );
    }
    let event = |title: &str| NewEvent::new(title, When::from(at("2026-11-18T12:00:00Z"), 30));
    add_as(
        &bot,
        NewEvent {
            is_private: true,
            ..event("Doctor")
        },
    );
    add_as(
        &bot,
        NewEvent {
            is_free: true,
            ..event("FYI")
        },
    );
    add_as(
        &bot,
        NewEvent {
            kind: EventKind::WorkingLocation,
            ..event("Office")
        },
    );
    add_as(
        &bot,
        NewEvent {
            kind: EventKind::OutOfOffice,
            ..event("Away")
        },
    );
    add_as(
        &bot,
        NewEvent::new("Fair", When::day("2026-11-18".parse().unwrap())),
    );
    // Outside the window, it is not seen.
    add(&bot, "Long ago", "2026-11-01T09:00:00Z", 60);
    let first = sync(&mut visitor, "google", main).await;
    assert_eq!((first.events_synced, first.new_events), (9, 9));
    let skipped: Vec<_> = first
        .skipped
        .iter()
        .map(|(reason, count)| (&**reason, *count))
        .collect();
    let expected = [
        "all_day",
        "declined",
        "free",
        "out_of_office",
        "private",
        "working_location",
    ];
    assert_eq!(skipped, expected.map(|reason| (reason, 1)));
    assert_eq!(
        the(&bot, "Private event").await.skip_reason,
        Some(SkipReason::Private)
    );
    assert!(
        events(&bot)
            .await
            .iter()
            .all(|event| event.title != "Doctor")
    );
    assert_eq!(the(&bot, "Perhaps").await.state, EventState::Suggested);
    let same = sync(&mut visitor, "google", main).await;
    assert_eq!(
        (same.new_events, same.updated_events, same.removed_events),
        (0, 0, 0)
    );

    // Moved, renamed, called off, deleted, and come back.
    bot.slack.provider(GOOGLE, |google| {
        google
            .move_event(&review, When::from(at("2026-11-19T10:00:00Z"), 90))
            .unwrap();
        google.delete_event(&called_off).unwrap();
    });
    let changed = sync(&mut visitor, "google", main).await;
    assert_eq!(
        (
            changed.new_events,
            changed.updated_events,
            changed.removed_events
        ),
        (0, 1, 1)
    );
    let moved = the(&bot, "Review").await;
    assert_eq!(
        (moved.start, moved.end),
        (at("2026-11-19T10:00:00Z"), at("2026-11-19T11:30:00Z"))
    );
    let gone = the(&bot, "Called off").await;
    assert_eq!(
        (gone.state, gone.removed_at.is_some()),
        (EventState::Gone, true)
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_removed_for_an_error_half_a_list_or_a_sudden_silence() {
    let bot = TestBot::start().await;
    let ids: Vec<String> = (0..6)
        .map(|n| {
            add(
                &bot,
                &format!("Meeting {n}"),
                &format!("2026-11-19T1{n}:00:00Z"),
                30,
            )
        })
        .collect();
    let mut visitor = connected(&bot, "google").await;
    let main = calendar(&bot, "Nina Berg").await;
    // Read in pages, empty ones among them.
    bot.slack.provider(GOOGLE, |google| {
        google.switches.has_empty_pages = true;
        google.switches.largest_page = Some(2);
    });
    let counts = sync(&mut visitor, "google", main).await;
    assert_eq!(counts.events_synced, 6);
    // The second page fails: nothing of what the first one lacks is removed.
    bot.slack.provider(GOOGLE, |google| {
        google.switches.has_empty_pages = false;
        google.switches.largest_page = Some(4);
    });
    let url = visitor.at(&format!("/api/v1/integrations/google/{main}/sync"));
    for (outage, wait_s) in [
        (
            Outage::TooManyRequests {
                retry_after: Some("40".to_owned()),
            },
            40,
        ),
        (Outage::Status(500), 48),
    ] {
        bot.slack.provider(GOOGLE, |google| {
            google.fail_next(Endpoint::Events, 1, outage);
        });
        let page = visitor.send(Method::POST, &url, None, &[]).await;
        assert_eq!(
            page.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            page.body
        );
        let wait: i64 = page.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(wait >= wait_s, "{wait}");
        // Asked for before that, the provider is left alone.
        let before = bot
            .slack
            .provider(GOOGLE, |google| google.requests(Endpoint::Events));
        assert_eq!(
            visitor.send(Method::POST, &url, None, &[]).await.status,
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(
            bot.slack
                .provider(GOOGLE, |google| google.requests(Endpoint::Events)),
            before
        );
        bot.clock.advance(TimeDelta::minutes(10));
    }
    let waiting = |events: Vec<SyncedEvent>| {
        events
            .iter()
            .filter(|event| event.state == EventState::Suggested)
            .count()
    };
    assert_eq!(waiting(events(&bot).await), 6);
    // All at once gone: believed when it is said twice.
    bot.slack.provider(GOOGLE, |google| {
        for id in &ids {
            google.delete_event(id).unwrap();
        }
    });
    let first = sync(&mut visitor, "google", main).await;
    assert_eq!((first.events_synced, first.removed_events), (0, 0));
    assert_eq!(waiting(events(&bot).await), 6);
    let second = sync(&mut visitor, "google", main).await;
    assert_eq!(second.removed_events, 6);
    assert_eq!(waiting(events(&bot).await), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leave_that_was_taken_back_is_told_and_a_meeting_that_left_does_not_wait() {
    let bot = TestBot::start().await;
    let id = add(&bot, "Review", "2026-11-19T09:00:00Z", 60);
    let mut visitor = connected(&bot, "google").await;
    let main = calendar(&bot, "Nina Berg").await;
    let event = the(&bot, "Review").await;
    let convert = visitor.at(&format!("/api/v1/calendar-events/{}/convert", event.id));
    let page = visitor.send(Method::POST, &convert, None, &[]).await;
    assert_eq!(page.status, StatusCode::CREATED, "{}", page.body);
    bot.slack
        .provider(GOOGLE, |google| google.delete_event(&id))
        .unwrap();
    sync(&mut visitor, "google", main).await;
    assert_eq!(the(&bot, "Review").await.state, EventState::Logged);
    bot.say("/time undo").await;
    assert_eq!(the(&bot, "Review").await.state, EventState::Gone);

    let outage = Outage::Refused("insufficientPermissions".to_owned());
    bot.slack.provider(GOOGLE, |google| {
        google.fail_next(Endpoint::Events, 1, outage);
    });
    let url = visitor.at(&format!("/api/v1/integrations/google/{main}/sync"));
    let page = visitor.send(Method::POST, &url, None, &[]).await;
    assert_eq!(
        page.json()["type"],
        "urn:billops:needs-reconnect",
        "{}",
        page.body
    );
    let told = |slack: &Sandbox| {
        let dm = slack.world(|world| world.person(NINA).unwrap().dm());
        let messages = slack.messages(NINA, &dm);
        messages
            .iter()
            .any(|message| message.text.contains("no longer read"))
            .then_some(())
    };
    bot.slack
        .wait_for("the broken connection to be told", told)
        .await
        .unwrap();
    // The reminders that wait come to their end.
    bot.clock.advance(TimeDelta::days(10));
    bot.bot
        .store()
        .add_job(&billops::jobs::Job::ForgetRequests.to_row())
        .await
        .unwrap();
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_split_series_and_a_second_calendar_double_nothing() {
    let bot = TestBot::start().await;
    let standup = NewEvent::new("Standup", When::from(at("2026-11-16T08:00:00Z"), 15));
    let (series, ids) = bot
        .slack
        .provider(GOOGLE, |google| {
            google.add_series(NINA_EMAIL, "Nina Berg", &standup, 1, 10)
        })
        .unwrap();
    assert_eq!(ids.len(), 10);
    let mut visitor = connected(&bot, "google").await;
    let main = calendar(&bot, "Nina Berg").await;
    let first = sync(&mut visitor, "google", main).await;
    assert_eq!(first.events_synced, 10);
    let before = events(&bot).await;
    let logged = before[1].id;
    let url = visitor.at(&format!("/api/v1/calendar-events/{logged}/convert"));
    let page = visitor.send(Method::POST, &url, None, &[]).await;
    assert_eq!(
        (page.status, &page.json()["description"]),
        (StatusCode::CREATED, &Value::from("Standup"))
    );
    // “This and following” gives the same meetings new ids.
    bot.slack
        .provider(GOOGLE, |google| {
            google.split_series(&series, at("2026-11-17T08:00:00Z"), "Standup")
        })
        .unwrap();
    let split = sync(&mut visitor, "google", main).await;
    assert_eq!(
        (split.new_events, split.removed_events),
        (0, 0),
        "{split:?}"
    );
    let after = events(&bot).await;
    assert_eq!(after.len(), 10);
    let same = after.iter().find(|event| event.id == logged).unwrap();
    assert_eq!(same.state, EventState::Logged);
    let page = visitor.send(Method::POST, &url, None, &[]).await;
    assert_eq!(page.status, StatusCode::OK, "it is an entry already");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outlook_is_read_in_pages_and_in_utc() {
    let bot = TestBot::start().await;
    for n in 0..5 {
        let start = at("2026-11-19T08:00:00Z") + TimeDelta::hours(n);
        let event = NewEvent::new(format!("Visit {n}"), When::from(start, 30));
        bot.slack
            .provider(Provider::Microsoft, |it| {
                it.add_event(NINA_EMAIL, "Calendar", event)
            })
            .unwrap();
    }
    bot.slack
        .provider(Provider::Microsoft, |it| it.switches.largest_page = Some(2));
    let mut visitor = connected(&bot, "outlook").await;
    let main = calendar(&bot, "Calendar").await;
    assert_eq!(sync(&mut visitor, "microsoft", main).await.events_synced, 5);
    assert_eq!(the(&bot, "Visit 3").await.start, at("2026-11-19T11:00:00Z"));
    // A link to the next page that leads away is not followed, and nothing is removed for it.
    bot.slack.provider(Provider::Microsoft, |it| {
        it.switches.foreign_next_link = Some("http://127.0.0.1:9".to_owned());
    });
    let url = visitor.at(&format!("/api/v1/integrations/microsoft/{main}/sync"));
    let page = visitor.send(Method::POST, &url, None, &[]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        events(&bot)
            .await
            .iter()
            .filter(|event| event.state == EventState::Suggested)
            .count(),
        5
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frontend_lists_converts_and_dismisses_what_is_the_callers() {
    let bot = TestBot::start().await;
    for n in 0..5 {
        let start = at("2026-11-19T08:00:00Z") + TimeDelta::hours(n);
        add_as(&bot, NewEvent::new(format!("M{n}"), When::from(start, 30)));
    }
    let mut visitor = connected(&bot, "google").await;
    let main = calendar(&bot, "Nina Berg").await;
    sync(&mut visitor, "google", main).await;
    let mut seen = Vec::new();
    let mut next = String::from("/api/v1/calendar-events?limit=2");
    loop {
        let page = visitor.open(&visitor.at(&next)).await;
        let list = page.json();
        for item in list["items"].as_array().unwrap() {
            seen.push(item["event_title"].as_str().unwrap().to_owned());
        }
        match list["next_cursor"].as_str() {
            Some(cursor) => next = format!("/api/v1/calendar-events?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ["M0", "M1", "M2", "M3", "M4"]);
    let id = the(&bot, "M2").await.id;
    let dismiss = visitor.at(&format!("/api/v1/calendar-events/{id}/dismiss"));
    let page = visitor.send(Method::POST, &dismiss, None, &[]).await;
    assert_eq!(page.json()["state"], "dismissed");
    let convert = visitor.at(&format!("/api/v1/calendar-events/{id}/convert"));
    assert_eq!(
        visitor.send(Method::POST, &convert, None, &[]).await.status,
        StatusCode::CONFLICT
    );
    for bad in ["?limit=x", "?state=maybe", "?cursor=zzz", "?colour=red"] {
        let page = visitor
            .open(&visitor.at(&format!("/api/v1/calendar-events{bad}")))
            .await;
        assert_eq!(page.json()["type"], "urn:billops:invalid", "{bad}");
    }
    // Jonas sees and touches none of it.
    let other = the(&bot, "M1").await.id;
    let mut jonas = Visitor::new(&bot);
    jonas.log_in(&bot.slack, "jonas").await;
    let list = jonas
        .open(&jonas.at("/api/v1/calendar-events"))
        .await
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 0);
    for (path, _) in [("convert", 0), ("dismiss", 0)] {
        let url = jonas.at(&format!("/api/v1/calendar-events/{other}/{path}"));
        assert_eq!(
            jonas.send(Method::POST, &url, None, &[]).await.status,
            StatusCode::NOT_FOUND
        );
    }
    let url = jonas.at(&format!("/api/v1/integrations/google/{main}/sync"));
    assert_eq!(
        jonas.send(Method::POST, &url, None, &[]).await.status,
        StatusCode::NOT_FOUND
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_account_four_calendars_are_read_at_once() {
    let bot = TestBot::start().await;
    bot.slack
        .provider(GOOGLE, |google| {
            for n in 0..5 {
                let mut calendar = google.calendar_mut(NINA_EMAIL, "Nina Berg")?.clone();
                calendar.id = format!("c{n}@group.calendar.google.com");
                calendar.name = format!("Project {n}");
                calendar.is_primary = false;
                google.add_calendar(NINA_EMAIL, calendar)?;
            }
            Ok::<_, billops::sandbox::NotThere>(())
        })
        .unwrap();
    connected(&bot, "google").await;
    let (store, user) = (bot.bot.store(), nina(&bot).await.user_id);
    let account = store.accounts(user).await.unwrap().remove(0);
    let ids: Vec<Uuid> = account
        .calendars
        .iter()
        .map(|calendar| calendar.id)
        .collect();
    assert!(ids.len() >= 6, "{account:#?}");
    let until = bot.clock.now() + TimeDelta::minutes(2);
    let lease = Uuid::from_u128(1);
    let mut taken = Vec::new();
    for id in &ids {
        if store.take_sync(*id, lease, until).await.unwrap() {
            taken.push(*id);
        }
    }
    assert_eq!(taken.len(), 4);
    let next = ids.iter().find(|id| !taken.contains(id)).unwrap();
    store.fail_sync(taken[0], lease, None, false).await.unwrap();
    assert!(store.take_sync(*next, lease, until).await.unwrap());
    assert!(!store.take_sync(taken[0], lease, until).await.unwrap());
    // Whoever has them never comes back: then they are free again.
    bot.clock.advance(TimeDelta::minutes(3));
    assert!(store.take_sync(taken[0], lease, until).await.unwrap());
    bot.finish().await;
}
