//! Whatever goes wrong while a calendar is read, nothing is lost of what was read before, and the next good reading
//! makes it what the calendar shows.

use std::time::Duration;

use billops::{
    domain::calendar_event::{EventState, SyncCounts, SyncedEvent},
    jobs::Job,
    sandbox::{Endpoint, NINA_EMAIL, NewEvent, Outage, Provider, Sandbox, When},
    slack::socket::Timings,
};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::{
    bot::TestBot,
    databases::Database,
    visitor::{Page, Visitor, connect, settled},
};

const MEETINGS: usize = 6;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Nina's calendar with six meetings in three pages, read once.
struct Reading {
    bot: TestBot,
    visitor: Visitor,
    provider: Provider,
    user: Uuid,
    calendar: Uuid,
    /// What the provider calls the meetings.
    ids: Vec<String>,
}

impl Reading {
    async fn begun(provider: Provider, database: Database) -> Self {
        let bot = TestBot::on(database, Timings::default(), |options| options).await;
        let (name, word) = match provider {
            Provider::Microsoft => ("Calendar", "outlook"),
            _ => ("Nina Berg", "google"),
        };
        let ids = bot.slack.provider(provider, |it| {
            it.switches.largest_page = Some(2);
            let add = |number| {
                let start = at("2026-11-19T08:00:00Z") + TimeDelta::hours(number);
                let event = NewEvent::new(format!("Meeting {number}"), When::from(start, 30));
                it.add_event(NINA_EMAIL, name, event).unwrap()
            };
            (0..i64::try_from(MEETINGS).unwrap()).map(add).collect()
        });
        let (visitor, _) = connect(&bot, word).await;
        settled(&bot).await;
        let store = bot.bot.store();
        let nina = store.member("T07TERN001", "U07NINA001").await.unwrap();
        let user = nina.unwrap().user_id;
        let accounts = store.accounts(user).await.unwrap();
        let mut calendars = accounts.iter().flat_map(|account| &account.calendars);
        let calendar = calendars.find(|one| one.name == name).unwrap().id;
        let reading = Self {
            bot,
            visitor,
            provider,
            user,
            calendar,
            ids,
        };
        assert_eq!(reading.count(EventState::Suggested).await, MEETINGS);
        reading
    }

    fn name(&self) -> &'static str {
        match self.provider {
            Provider::Microsoft => "microsoft",
            _ => "google",
        }
    }

    fn calendar_name(&self) -> &'static str {
        match self.provider {
            Provider::Microsoft => "Calendar",
            _ => "Nina Berg",
        }
    }

    /// Asks for a reading, as a frontend does.
    async fn ask(&mut self) -> Page {
        let (name, calendar) = (self.name(), self.calendar);
        let path = format!("/api/v1/integrations/{name}/{calendar}/sync");
        let url = self.visitor.at(&path);
        self.visitor.send(Method::POST, &url, None, &[]).await
    }

    /// A reading that goes well.
    async fn read(&mut self) -> SyncCounts {
        let page = self.ask().await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let mut answer = page.json();
        let fields = answer.as_object_mut().unwrap();
        fields.remove("status");
        fields.remove("last_synced_at");
        serde_json::from_value(answer).unwrap()
    }

    async fn events(&self) -> Vec<SyncedEvent> {
        let span = [at("2026-11-01T00:00:00Z"), at("2026-12-31T00:00:00Z")];
        let store = self.bot.bot.store();
        store
            .events_between(self.user, span, None, 100)
            .await
            .unwrap()
    }

    async fn count(&self, state: EventState) -> usize {
        let events = self.events().await;
        events.iter().filter(|event| event.state == state).count()
    }

    /// How often the provider was asked for events.
    fn requests(&self) -> u32 {
        let count =
            |slack: &Sandbox| slack.provider(self.provider, |it| it.requests(Endpoint::Events));
        count(&self.bot.slack)
    }

    /// One meeting is logged and one is skipped.
    async fn decide(&mut self) {
        let events = self.events().await;
        for (event, verb) in [(&events[0], "convert"), (&events[1], "dismiss")] {
            let url = format!("/api/v1/calendar-events/{}/{verb}", event.id);
            let url = self.visitor.at(&url);
            let page = self.visitor.send(Method::POST, &url, None, &[]).await;
            assert!(page.status.is_success(), "{}", page.body);
        }
    }
}

/// Reads into each fault on the second page of three, while a meeting went and another came.
async fn fails_on_the_second_page(provider: Provider, more: &[Outage]) {
    let mut reading = Reading::begun(provider, Database::in_memory()).await;
    reading.decide().await;
    let mut faults = vec![
        (Outage::Status(500), None),
        (Outage::Status(502), None),
        (Outage::TooManyRequests { retry_after: None }, None),
        (
            Outage::TooManyRequests {
                retry_after: Some("95".to_owned()),
            },
            Some(95),
        ),
        (
            Outage::Unavailable {
                retry_after: Some("7".to_owned()),
            },
            Some(7),
        ),
        (Outage::Truncated, None),
        (Outage::AnswerLost, None),
    ];
    faults.extend(more.iter().map(|outage| (outage.clone(), None)));
    // As a date, which counts from the clock of the moment.
    let date = "%a, %d %b %Y %H:%M:%S GMT";
    for kind in 0..2 {
        let retry_after = Some(format!("date {kind}"));
        let outage = match kind {
            0 => Outage::TooManyRequests { retry_after },
            _ => Outage::Unavailable { retry_after },
        };
        faults.push((outage, Some(120)));
    }
    for (number, (mut outage, wait)) in faults.into_iter().enumerate() {
        if let Outage::TooManyRequests { retry_after } | Outage::Unavailable { retry_after } =
            &mut outage
            && let Some(text) = retry_after
            && text.starts_with("date")
        {
            let until = reading.bot.clock.now() + TimeDelta::seconds(120);
            *text = until.format(date).to_string();
        }
        let what = format!("{provider:?}: {outage:?}");
        let before = reading.events().await;
        let calendar = reading.calendar_name();
        let gone = reading.ids.remove(2);
        let come = reading.bot.slack.provider(provider, |it| {
            it.delete_event(&gone).unwrap();
            let start =
                at("2026-11-18T06:00:00Z") + TimeDelta::minutes(i64::try_from(number).unwrap());
            let event = NewEvent::new(format!("Late {number}"), When::from(start, 30));
            let id = it.add_event(NINA_EMAIL, calendar, event).unwrap();
            it.fail_after(Endpoint::Events, 1, 1, outage);
            id
        });
        reading.ids.push(come);

        let asked = reading.requests();
        let begun = tokio::time::Instant::now();
        let page = reading.ask().await;
        assert_eq!(
            page.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{what}: {}",
            page.body
        );
        assert_eq!(reading.requests(), asked + 2, "{what}");
        assert_eq!(reading.events().await, before, "{what}");
        let told: i64 = page.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        match wait {
            Some(wait) => assert_eq!(told, wait, "{what}"),
            // A minute, a fifth more or less.
            None => assert!((48..=72).contains(&told), "{what}: {told}"),
        }
        // Until then the provider is left alone, and nobody waits for that.
        reading.bot.clock.advance(TimeDelta::seconds(told - 1));
        let page = reading.ask().await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{what}");
        assert_eq!(reading.requests(), asked + 2, "{what}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");

        reading.bot.clock.advance(TimeDelta::seconds(2));
        let counts = reading.read().await;
        let found = (
            counts.new_events,
            counts.updated_events,
            counts.removed_events,
        );
        assert_eq!(found, (1, 0, 1), "{what}: {counts:?}");
        assert_eq!(
            reading.count(EventState::Suggested).await,
            MEETINGS - 2,
            "{what}"
        );
        assert_eq!(reading.count(EventState::Logged).await, 1, "{what}");
        assert_eq!(reading.count(EventState::Dismissed).await, 1, "{what}");
    }
    reading.bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_fails_on_the_second_page() {
    let refused = [
        "fullSyncRequired",
        "updatedMinTooLongAgo",
        "userRateLimitExceeded",
    ];
    let more = refused.map(|reason| Outage::Refused(reason.to_owned()));
    Box::pin(fails_on_the_second_page(Provider::Google, &more)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsoft_fails_on_the_second_page() {
    let more = [Outage::Refused("ErrorAccessDenied".to_owned())];
    Box::pin(fails_on_the_second_page(Provider::Microsoft, &more)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sudden_silence_is_believed_the_second_time_and_comes_back() {
    for provider in [Provider::Google, Provider::Microsoft] {
        let mut reading = Reading::begun(provider, Database::in_memory()).await;
        reading.decide().await;
        let before = reading.events().await;
        let silent = |reading: &Reading, is_silent| {
            reading
                .bot
                .slack
                .provider(provider, |it| it.switches.shows_no_events = is_silent);
        };
        // Once, and then everything again: nothing has happened. So often as it likes.
        for _ in 0..2 {
            silent(&reading, true);
            let counts = reading.read().await;
            assert_eq!((counts.events_synced, counts.removed_events), (0, 0));
            assert_eq!(reading.events().await, before);
            silent(&reading, false);
            let counts = reading.read().await;
            let found = (
                counts.new_events,
                counts.updated_events,
                counts.removed_events,
            );
            assert_eq!(found, (0, 0, 0));
            assert_eq!(reading.events().await, before);
        }
        // Twice: it is so. What was decided stays.
        silent(&reading, true);
        reading.read().await;
        reading.read().await;
        assert_eq!(reading.count(EventState::Gone).await, MEETINGS - 2);
        silent(&reading, false);
        reading.read().await;
        assert_eq!(reading.events().await, before);
        reading.bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_calendar_is_not_asked_again_and_comes_back_as_it_was() {
    for provider in [Provider::Google, Provider::Microsoft] {
        let mut reading = Reading::begun(provider, Database::in_memory()).await;
        reading.decide().await;
        let before = reading.events().await;
        let name = reading.calendar_name();
        let kept = reading.bot.slack.provider(provider, |it| {
            let kept = it.calendar_mut(NINA_EMAIL, name).unwrap().clone();
            it.remove_calendar(NINA_EMAIL, name).unwrap();
            kept
        });
        let asked = reading.requests();
        for _ in 0..2 {
            let page = reading.ask().await;
            assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.body);
            assert_eq!(page.json()["type"], "urn:billops:calendar-not-read");
            reading.bot.clock.advance(TimeDelta::hours(5));
        }
        assert_eq!(reading.requests(), asked + 1);
        assert_eq!(reading.events().await, before);
        // It does not wait while the calendar is gone.
        let since = at("2026-11-01T00:00:00Z");
        let waiting = reading.bot.bot.store().waiting(reading.user, since, 9);
        assert_eq!(waiting.await.unwrap().1, 0);

        let id = kept.id.clone();
        reading
            .bot
            .slack
            .provider(provider, |it| it.add_calendar(NINA_EMAIL, kept).unwrap());
        let path = format!("/api/v1/integrations/{}/select-calendar", reading.name());
        let url = reading.visitor.at(&path);
        let body = json!({"calendar_id": id}).to_string();
        let body = Some(("application/json", body));
        let page = reading.visitor.send(Method::POST, &url, body, &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        settled(&reading.bot).await;
        reading.read().await;
        assert_eq!(reading.events().await, before);
        reading.bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_has_to_wait_is_put_off_and_keeps_no_worker() {
    let reading = Reading::begun(Provider::Google, Database::in_memory()).await;
    let store = reading.bot.bot.store().clone();
    reading.bot.slack.provider(Provider::Google, |google| {
        let event = NewEvent::new("Late", When::from(at("2026-11-20T06:00:00Z"), 30));
        google.add_event(NINA_EMAIL, "Nina Berg", event).unwrap();
        let retry_after = Some("600".to_owned());
        google.fail_next(Endpoint::Events, 1, Outage::Unavailable { retry_after });
    });
    let asked = reading.requests();
    let calendar = reading.calendar;
    let job = Job::SyncCalendar { calendar }.to_row();
    // More than there are workers: were one to sleep, the others would follow it.
    for _ in 0..20 {
        store.add_job(&job).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    let put_off = loop {
        let target = store.sync_target(calendar).await.unwrap().unwrap();
        if let Some(next) = target.next_attempt_at {
            break next;
        }
        assert!(tokio::time::Instant::now() < until, "it was not tried");
        tokio::task::yield_now().await;
    };
    assert_eq!(put_off, reading.bot.clock.now() + TimeDelta::seconds(600));
    assert_eq!(reading.requests(), asked + 1);
    assert_eq!(reading.count(EventState::Suggested).await, MEETINGS);
    // The time has come: it is read by itself.
    reading.bot.clock.advance(TimeDelta::seconds(601));
    store.add_job(&job).await.unwrap();
    settled(&reading.bot).await;
    assert_eq!(reading.count(EventState::Suggested).await, MEETINGS + 1);
    reading.bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_that_ends_in_the_middle_leaves_what_was() {
    for provider in [Provider::Google, Provider::Microsoft] {
        let mut reading = Reading::begun(provider, Database::on_disk()).await;
        reading.decide().await;
        let before = reading.events().await;
        let name = reading.calendar_name();
        let gone = reading.ids.remove(2);
        reading.bot.slack.provider(provider, |it| {
            it.delete_event(&gone).unwrap();
            let event = NewEvent::new("Late", When::from(at("2026-11-18T06:00:00Z"), 30));
            it.add_event(NINA_EMAIL, name, event).unwrap();
            let slow = Outage::Slow(Duration::from_secs(600));
            it.fail_after(Endpoint::Events, 1, 1, slow);
        });
        let calendar = reading.calendar;
        let job = Job::SyncCalendar { calendar }.to_row();
        let asked = reading.requests();
        reading.bot.bot.store().add_job(&job).await.unwrap();
        let is_between = |slack: &Sandbox| {
            let count = slack.provider(provider, |it| it.requests(Endpoint::Events));
            (count == asked + 2).then_some(())
        };
        let wait = reading.bot.slack.wait_for("the second page", is_between);
        wait.await.unwrap();

        reading.bot = reading.bot.restart().await;
        assert_eq!(reading.events().await, before);
        // The reading that was begun holds the calendar for a while.
        let target = reading.bot.bot.store().sync_target(calendar).await.unwrap();
        assert!(target.unwrap().sync_until.is_some());
        reading.bot.clock.advance(TimeDelta::minutes(3));
        reading.bot.bot.store().add_job(&job).await.unwrap();
        settled(&reading.bot).await;
        let after = reading.events().await;
        let late = after.iter().filter(|event| event.title == "Late");
        assert_eq!(late.count(), 1);
        assert_eq!(reading.count(EventState::Gone).await, 1);
        assert_eq!(reading.count(EventState::Suggested).await, MEETINGS - 2);
        assert_eq!(reading.count(EventState::Logged).await, 1);
        reading.bot.finish().await;
    }
}
