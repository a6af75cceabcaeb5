//! The end of the day: the summary comes once, at its time, and the day is closed in it.

use std::{collections::HashMap, time::Duration};

use billops::{
    app::{App, Reach},
    calendar::Providers,
    config::CalendarConfig,
    domain::{due::SummaryOf, preferences::Preferences, summary::is_working_day},
    http,
    jobs::Job,
    manifest::MANIFEST,
    sandbox::{EventKind, Fault, Limits, Manifest, Message, NewEvent, Options, Person, When},
    slack::socket::Timings,
    store::{NewJob, Profile, Replan},
};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use sqlx::{Connection as _, SqliteConnection};
use uuid::Uuid;

use crate::{
    bot::{NINA, TestBot},
    databases::Database,
    meetings::{add, add_as, at, calendar, connected, nina, sync, the},
    visitor::settled,
};

/// Nina's direct message with the bot.
const DM: &str = "D07NINA001";

/// How many messages there say this.
fn heard(bot: &TestBot, words: &str) -> usize {
    let all = bot.slack.messages(NINA, DM);
    all.iter()
        .filter(|message| message.text.contains(words))
        .count()
}

fn button(message: &Message, id: &str, action: &str) -> String {
    let ids = message
        .blocks
        .iter()
        .filter_map(|block| block["block_id"].as_str());
    let mut ids = ids.filter(|block_id| block_id.contains(id));
    format!("{}/{action}", ids.next_back().expect("no such block"))
}

impl TestBot {
    /// It is that moment, and the schedule has come round; everything that follows is done.
    async fn comes_to(&self, moment: &str) {
        self.clock.advance(at(moment) - self.clock.now());
        self.look_for_summaries().await;
    }

    async fn look_for_summaries(&self) {
        let job = Job::LookForSummaries.to_row();
        self.bot.store().add_job(&job).await.unwrap();
        settled(self).await;
    }

    async fn prefers(&self, change: impl FnOnce(&mut Preferences)) {
        let member = nina(self).await;
        let mut preferences = member.preferences;
        change(&mut preferences);
        let store = self.bot.store();
        store
            .save_preferences(member.binding_id, &preferences, &[])
            .await
            .unwrap();
        // What is planned anew is spread behind what was sent a moment ago.
        self.clock.advance(TimeDelta::seconds(1));
        self.look_for_summaries().await;
    }

    /// Presses a button of the summary, and waits until that says so.
    async fn press(&self, summary: &Message, button: &str, words: &str) -> Message {
        let answer = self.slack.click(NINA, summary, button).await.unwrap();
        assert_eq!(answer.error, None, "{button}");
        self.hears(DM, words).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_day_is_summed_up_once_and_closed_in_its_message() {
    let bot = TestBot::start().await;
    bot.projects(&["acme", "halden"]).await;
    add(&bot, "Halden weekly", "2026-11-20T13:00:00Z", 30);
    add(&bot, "Usability test", "2026-11-20T14:15:00Z", 75);
    add(&bot, "1:1 with Jonas", "2026-11-20T13:30:00Z", 30);
    bot.say("/time 9:00-13:30 #acme wireframes").await;
    connected(&bot, "google").await;
    bot.look_for_summaries().await;
    assert_eq!(heard(&bot, "h logged"), 0);

    // A minute early nothing; then once, however often it is looked for.
    bot.comes_to("2026-11-20T16:29:00Z").await;
    assert_eq!(heard(&bot, "to go"), 0);
    bot.comes_to("2026-11-20T16:30:00Z").await;
    bot.comes_to("2026-11-20T16:31:00Z").await;
    let summary = bot
        .hears(
            DM,
            "Fri 20 Nov: 4 h 30 min of 8 h logged, 3 h 30 min to go.",
        )
        .await;
    assert_eq!(heard(&bot, "Fri 20 Nov:"), 1);
    for words in [
        "#acme 4 h 30 min.",
        "Not logged yet: Halden weekly 14:00–14:30 (30 min, no project yet), 1:1 with Jonas 14:30–15:00",
        "With these 3: 6 h 45 min.",
        "Nothing logged 13:30–17:00.",
    ] {
        assert!(summary.text.contains(words), "{words}: {}", summary.text);
    }

    // One is logged, one skipped, each in its row; both can be taken back there.
    let log = button(&summary, "event.actions", "event.log");
    let summary = bot
        .press(
            &summary,
            &log,
            "Logged here: Usability test 1 h 15 min, no project.",
        )
        .await;
    assert!(
        summary.text.contains("5 h 45 min of 8 h logged"),
        "{}",
        summary.text
    );
    let jonas = the(&bot, "1:1 with Jonas")
        .await
        .id
        .simple()
        .to_string()
        .split_off(20);
    let skip = button(&summary, &format!("event.actions:{jonas}"), "event.skip");
    let summary = bot
        .press(
            &summary,
            &skip,
            "Not logged yet: Halden weekly 14:00–14:30 (30 min, no project yet).",
        )
        .await;
    let unskip = button(&summary, &format!("event:{jonas}"), "event.unskip");
    let summary = bot
        .press(&summary, &unskip, "With these 2: 6 h 45 min.")
        .await;

    // All at once, and all back at once.
    let summary = bot.press(&summary, "event.log_all", "Just logged").await;
    assert!(
        summary
            .text
            .contains("6 h 45 min of 8 h logged, 1 h 15 min to go."),
        "{}",
        summary.text
    );
    let summary = bot
        .press(&summary, "event.undo_batch", "2 meetings wait again.")
        .await;
    assert!(
        summary.text.contains("5 h 45 min of 8 h"),
        "{}",
        summary.text
    );
    let summary = bot.press(&summary, "event.log_all", "Just logged").await;

    // The day is closed, and opened again, also on another day.
    let summary = bot
        .press(
            &summary,
            "day.close",
            "Fri 20 Nov: 6 h 45 min, closed by you.",
        )
        .await;
    bot.clock.advance(TimeDelta::hours(15));
    let summary = bot
        .press(&summary, "day.on", "You are closing Friday 20 November.")
        .await;
    assert!(
        summary.text.contains("6 h 45 min of 8 h logged"),
        "{}",
        summary.text
    );
    // What is added there is added to that day, and shows in it.
    bot.slack.click(NINA, &summary, "entry.new").await.unwrap();
    let form = bot.form().await;
    let values = [
        ("time", crate::entries::text("1h15")),
        ("description", crate::entries::text("Notes")),
    ];
    let submission = bot.submit(&form, &values).await;
    assert!(submission.closed, "{:?}", submission.errors);
    bot.hears(DM, "Fri 20 Nov is complete: 8 h of 8 h.").await;
    assert_eq!(
        bot.slack.messages(NINA, DM).len(),
        2,
        "the summary, and what was connected"
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_off_a_complete_one_and_one_that_nobody_wants_are_silent() {
    let bot = TestBot::start().await;
    bot.say("/time 8h wireframes").await;
    let mut visitor = connected(&bot, "google").await;
    bot.look_for_summaries().await;
    // Complete.
    bot.comes_to("2026-11-20T16:30:00Z").await;
    assert_eq!(heard(&bot, "20 Nov is"), 0);
    // The weekend.
    bot.comes_to("2026-11-21T16:30:00Z").await;
    bot.comes_to("2026-11-22T16:30:00Z").await;
    assert_eq!(heard(&bot, "to go"), 0);
    // Nothing logged: what is a day off says so, and stays one.
    bot.comes_to("2026-11-23T16:30:00Z").await;
    let monday = bot
        .hears(DM, "Mon 23 Nov: nothing logged yet, 8 h to go.")
        .await;
    assert!(
        monday.text.contains("No meeting is waiting either."),
        "{}",
        monday.text
    );
    let off = bot
        .press(&monday, "day.off", "Mon 23 Nov is a day off.")
        .await;
    bot.press(&off, "day.on", "Mon 23 Nov: nothing logged yet")
        .await;
    // Away all day.
    let mut away = NewEvent::new("Holiday", When::from(at("2026-11-24T00:00:00Z"), 22 * 60));
    away.kind = EventKind::OutOfOffice;
    add_as(&bot, away);
    let mut half = NewEvent::new("Dentist", When::from(at("2026-11-25T08:00:00Z"), 120));
    half.kind = EventKind::OutOfOffice;
    add_as(&bot, half);
    let main = calendar(&bot, "Nina Berg").await;
    sync(&mut visitor, "google", main).await;
    bot.comes_to("2026-11-24T16:30:00Z").await;
    assert_eq!(heard(&bot, "24 Nov"), 0);
    bot.comes_to("2026-11-25T16:30:00Z").await;
    assert_eq!(heard(&bot, "Wed 25 Nov: nothing logged"), 1);
    // Whoever wants to see complete days does, and can decide otherwise there.
    bot.prefers(|preferences| preferences.silent_when_done = false)
        .await;
    bot.clock
        .advance(at("2026-11-26T13:00:00Z") - bot.clock.now());
    bot.say("/time 8h wireframes").await;
    bot.comes_to("2026-11-26T16:30:00Z").await;
    let done = bot.hears(DM, "Thu 26 Nov is complete: 8 h of 8 h.").await;
    assert!(
        done.text.contains("No meeting is waiting."),
        "{}",
        done.text
    );
    let done = bot
        .press(
            &done,
            "prefs.silent",
            "From now on only when something is open.",
        )
        .await;
    assert!(nina(&bot).await.preferences.silent_when_done);
    bot.press(&done, "prefs.silent", "From now on whenever the day ends.")
        .await;
    // Switched off in the last minute.
    bot.clock
        .advance(at("2026-11-27T16:29:00Z") - bot.clock.now());
    bot.prefers(|preferences| preferences.daily_summary = false)
        .await;
    bot.comes_to("2026-11-27T16:31:00Z").await;
    assert_eq!(heard(&bot, "27 Nov"), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_is_sent_late_for_three_hours_and_then_not() {
    let bot = TestBot::start().await;
    bot.say("/time 1h wireframes").await;
    bot.look_for_summaries().await;
    bot.comes_to("2026-11-20T17:40:00Z").await;
    let late = bot.hears(DM, "Fri 20 Nov: 1 h of 8 h logged").await;
    let shown = serde_json::Value::from(late.blocks.clone()).to_string();
    assert!(
        shown.contains("Sent at 18:40, BillOps was not running at 17:30."),
        "{shown}"
    );
    bot.comes_to("2026-11-23T19:31:00Z").await;
    assert_eq!(heard(&bot, "23 Nov"), 0);
    bot.comes_to("2026-11-24T19:30:00Z").await;
    assert_eq!(heard(&bot, "Tue 24 Nov"), 1);
    // Down for days, and up again an hour after the last one was due: that one is sent.
    bot.comes_to("2026-12-01T17:30:00Z").await;
    assert_eq!(heard(&bot, "Tue 1 Dec"), 1);
    assert_eq!(heard(&bot, "Mon 30 Nov"), 0);
    // One that was asked for and waits too long is not sent either.
    bot.slack
        .fail_next("chat.postMessage", 1, Fault::RateLimited(3 * 60 * 60));
    bot.clock
        .advance(at("2026-12-02T16:30:00Z") - bot.clock.now());
    let job = Job::LookForSummaries.to_row();
    bot.bot.store().add_job(&job).await.unwrap();
    let is_refused = || {
        let traffic = bot.slack.traffic();
        traffic
            .iter()
            .any(|one| one.error.as_deref() == Some("ratelimited"))
    };
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    while !is_refused() {
        assert!(tokio::time::Instant::now() < until, "nothing was refused");
        tokio::task::yield_now().await;
    }
    // When Slack may be asked again, it is too late.
    while bot.bot.store().job_counts().await.unwrap().open > 0 {
        assert!(tokio::time::Instant::now() < until, "jobs are left undone");
        bot.clock.advance(TimeDelta::hours(4));
        bot.bot.store().add_job(&job).await.unwrap();
        tokio::time::timeout(Duration::from_millis(500), settled(&bot))
            .await
            .ok();
    }
    assert_eq!(heard(&bot, "2 Dec"), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_time_or_zone_is_another_moment_and_still_one_a_day() {
    let bot = TestBot::start().await;
    bot.say("/time 1h wireframes").await;
    bot.look_for_summaries().await;
    bot.comes_to("2026-11-20T16:30:00Z").await;
    assert_eq!(heard(&bot, "Fri 20 Nov"), 1);
    let half_past_six = NaiveTime::from_hms_opt(18, 30, 0).unwrap();
    bot.prefers(|preferences| preferences.daily_summary_time = half_past_six)
        .await;
    bot.comes_to("2026-11-20T17:30:00Z").await;
    assert_eq!(heard(&bot, "Fri 20 Nov"), 1);
    bot.prefers(|preferences| preferences.time_zone = Some(chrono_tz::America::New_York))
        .await;
    bot.comes_to("2026-11-20T23:30:00Z").await;
    assert_eq!(heard(&bot, "Fri 20 Nov"), 1);
    bot.comes_to("2026-11-23T17:30:00Z").await;
    assert_eq!(heard(&bot, "Mon 23 Nov"), 0);
    bot.comes_to("2026-11-23T23:30:00Z").await;
    assert_eq!(heard(&bot, "Mon 23 Nov"), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_monday_the_open_days_of_last_week_are_listed_and_closed() {
    let bot = TestBot::start().await;
    bot.say("/time 8h wireframes").await;
    for day in ["monday", "tuesday", "wednesday"] {
        bot.say(&format!("/time 8h {day} wireframes")).await;
    }
    add(&bot, "Halden weekly", "2026-11-19T13:00:00Z", 30);
    add(&bot, "Usability test", "2026-11-19T14:15:00Z", 75);
    connected(&bot, "google").await;
    bot.prefers(|preferences| {
        preferences.monday = true;
        preferences.daily_summary = false;
    })
    .await;
    bot.comes_to("2026-11-23T07:59:00Z").await;
    assert_eq!(heard(&bot, "Last week"), 0);
    bot.comes_to("2026-11-23T08:00:00Z").await;
    bot.comes_to("2026-11-23T08:01:00Z").await;
    let week = bot
        .hears(DM, "Last week, 16–20 Nov: 32 h of 40 h, 1 day open:")
        .await;
    assert!(
        week.text
            .contains("Thu 19 Nov 8 h open, 2 meetings not logged"),
        "{}",
        week.text
    );
    let week = bot
        .press(&week, "event.log_day", "33 h 45 min of 40 h")
        .await;
    let week = bot
        .press(
            &week,
            "week.close",
            "Last week is complete: 33 h 45 min of 40 h.",
        )
        .await;
    bot.press(&week, "prefs.monday", "No more Monday messages.")
        .await;
    bot.comes_to("2026-11-30T08:00:00Z").await;
    assert_eq!(heard(&bot, "Last week"), 1);
    bot.finish().await;
}

impl TestBot {
    /// Waits until no job is left, however often one has to wait in between: the clock is moved on for it.
    async fn settles_in_time(&self) {
        let until = tokio::time::Instant::now() + Duration::from_secs(20);
        let job = Job::LookForSummaries.to_row();
        while self.bot.store().job_counts().await.unwrap().open > 0 {
            assert!(tokio::time::Instant::now() < until, "jobs are left undone");
            self.clock.advance(TimeDelta::seconds(20));
            self.bot.store().add_job(&job).await.unwrap();
            tokio::time::timeout(Duration::from_millis(300), settled(self))
                .await
                .ok();
        }
    }

    /// The summary of that day is due, and this goes wrong with the next messages.
    async fn is_due_and(&self, day: &str, times: u32, fault: Fault) {
        self.slack.fail_next("chat.postMessage", times, fault);
        self.clock
            .advance(at(&format!("{day}T16:30:00Z")) - self.clock.now());
        let job = Job::LookForSummaries.to_row();
        self.bot.store().add_job(&job).await.unwrap();
        self.settles_in_time().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_slack_answers_the_summary_comes_once_or_stops() {
    let bot = TestBot::start().await;
    bot.say("/time 1h wireframes").await;
    bot.look_for_summaries().await;
    // Slack asks to wait; is down; does it and the answer is lost: each time it comes, and once.
    for (day, name, fault) in [
        ("2026-11-20", "Fri 20 Nov", Fault::RateLimited(40)),
        ("2026-11-23", "Mon 23 Nov", Fault::Status(503)),
        ("2026-11-24", "Tue 24 Nov", Fault::DoneButUnanswered),
        (
            "2026-11-25",
            "Wed 25 Nov",
            Fault::Error("internal_error".to_owned()),
        ),
    ] {
        bot.is_due_and(day, 1, fault.clone()).await;
        assert_eq!(heard(&bot, name), 1, "{fault:?}");
    }
    // The token does not work for a while; then it does.
    for (day, name, code) in [
        ("2026-11-26", "Thu 26 Nov", "token_revoked"),
        ("2026-11-27", "Fri 27 Nov", "account_inactive"),
    ] {
        bot.is_due_and(day, 3, Fault::Error(code.to_owned())).await;
        assert_eq!(heard(&bot, name), 1, "{code}");
    }
    // The person is gone: nothing is tried again, and nothing is planned, until they are here again.
    bot.is_due_and(
        "2026-11-30",
        1,
        Fault::Error("channel_not_found".to_owned()),
    )
    .await;
    assert_eq!(heard(&bot, "Mon 30 Nov"), 0);
    bot.comes_to("2026-12-01T16:30:00Z").await;
    assert_eq!(heard(&bot, "Tue 1 Dec"), 0);
    bot.slack.open_home(NINA).await.unwrap();
    settled(&bot).await;
    bot.comes_to("2026-12-02T16:30:00Z").await;
    assert_eq!(heard(&bot, "Wed 2 Dec"), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_bot_may_not_look_it_rather_says_nothing_than_twice() {
    let bot = TestBot::on(Database::in_memory(), Timings::default(), |options| {
        let manifest = MANIFEST.replace("      - im:history\n", "");
        assert_ne!(manifest, MANIFEST);
        Options {
            manifest: Manifest::parse(&manifest).unwrap(),
            ..options
        }
    })
    .await;
    bot.say("/time 1h wireframes").await;
    bot.look_for_summaries().await;
    bot.is_due_and("2026-11-20", 1, Fault::Status(503)).await;
    assert_eq!(heard(&bot, "Fri 20 Nov"), 0);
    let violations = bot.slack.violations();
    assert!(
        violations.iter().all(|one| one.error == "missing_scope"),
        "{violations:#?}"
    );
    bot.comes_to("2026-11-23T16:30:00Z").await;
    assert_eq!(heard(&bot, "Mon 23 Nov"), 1);
    bot.bot.shut_down().await;
    bot.slack.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_traveller_gets_it_where_they_are_and_one_a_day() {
    let bot = TestBot::start().await;
    bot.say("/time 1h wireframes").await;
    bot.look_for_summaries().await;
    let lands = async |zone| {
        let answer = bot.slack.travel(NINA, zone).await.unwrap();
        assert_eq!(answer.error, None);
        bot.look_for_summaries().await;
    };
    bot.comes_to("2026-11-20T16:30:00Z").await;
    assert_eq!(heard(&bot, "Fri 20 Nov"), 1);
    // It is 12:00 there, and half past five comes again that day.
    bot.clock.advance(TimeDelta::minutes(30));
    lands(chrono_tz::America::New_York).await;
    bot.comes_to("2026-11-20T22:30:00Z").await;
    assert_eq!(heard(&bot, "Fri 20 Nov"), 1);
    bot.comes_to("2026-11-23T16:30:00Z").await;
    assert_eq!(heard(&bot, "Mon 23 Nov"), 0);
    bot.comes_to("2026-11-23T22:30:00Z").await;
    assert_eq!(heard(&bot, "Mon 23 Nov"), 1);
    lands(chrono_tz::Asia::Tokyo).await;
    bot.comes_to("2026-11-24T08:30:00Z").await;
    assert_eq!(heard(&bot, "Tue 24 Nov"), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_summaries_of_one_minute_go_out_at_slacks_pace() {
    const PEOPLE: usize = 150;
    let bot = TestBot::on(Database::in_memory(), Timings::default(), |options| {
        Options {
            limits: Some(Limits::default()),
            ..options
        }
    })
    .await;
    let store = bot.bot.store();
    for number in 0..PEOPLE {
        let (id, name) = (format!("U07MANY{number:03}"), format!("many{number}"));
        let nina = bot
            .slack
            .world(|world| world.person(NINA).cloned())
            .unwrap();
        bot.slack.add_person(Person {
            id: id.clone(),
            name: name.clone(),
            ..nina
        });
        let profile = Profile {
            name,
            time_zone: Some(chrono_tz::Europe::Berlin),
            locale: None,
            is_admin: false,
        };
        store
            .save_member("T07TERN001", &id, Some(&profile))
            .await
            .unwrap();
    }
    bot.look_for_summaries().await;
    bot.clock
        .advance(at("2026-11-20T16:30:00Z") - bot.clock.now());
    let looked = Job::LookForSummaries.to_row();
    store.add_job(&looked).await.unwrap();
    // Slack refuses none, and before long everybody has theirs.
    let began = bot.clock.now();
    let until = tokio::time::Instant::now() + Duration::from_secs(30);
    let job = Job::AskForgottenTimers.to_row();
    while store.job_counts().await.unwrap().open > 0 {
        assert!(tokio::time::Instant::now() < until, "jobs are left undone");
        bot.clock.advance(TimeDelta::milliseconds(250));
        store.add_job(&job).await.unwrap();
        tokio::time::timeout(Duration::from_millis(20), settled(&bot))
            .await
            .ok();
    }
    let took = bot.clock.now() - began;
    let rates = bot.slack.rates();
    assert_eq!(rates.refused, 0, "{rates:?}");
    assert!(
        took > TimeDelta::seconds(30) && took < TimeDelta::seconds(120),
        "{took}"
    );
    for number in 0..PEOPLE {
        let person = format!("many{number}");
        assert_eq!(bot.slack.messages(&person, "dm").len(), 1, "{person}");
    }
    bot.bot.shut_down().await;
    bot.slack.stop();
}

#[tokio::test]
async fn workspaces_do_not_wait_for_one_another() {
    let (store, clock) = Database::in_memory().open().await;
    for workspace in ["T1", "T2"] {
        for number in 0..3 {
            let person = format!("U{number}");
            store.save_member(workspace, &person, None).await.unwrap();
        }
    }
    let due = store.summaries_due(100).await.unwrap();
    let plans: Vec<Replan> = due
        .iter()
        .map(|due| Replan {
            binding_id: due.member.binding_id,
            slack_integration_id: due.member.slack_integration_id,
            of: due.of,
            was_due_at: due.due_at,
            next: None,
            send: (due.of == SummaryOf::Day).then(|| NewJob {
                unique_key: due.member.binding_id.to_string(),
                payload: String::new(),
                is_prompt: false,
                run_at: None,
            }),
        })
        .collect();
    store.replan(&plans).await.unwrap();
    // Whoever comes second with the same plans asks for nothing.
    store.replan(&plans).await.unwrap();
    let lease = TimeDelta::seconds(60);
    for _ in 0..3 {
        for _ in ["T1", "T2"] {
            let job = store.claim_job(lease, false).await.unwrap();
            store.finish_job(&job.unwrap()).await.unwrap();
        }
        assert_eq!(store.claim_job(lease, false).await.unwrap(), None);
        clock.advance(TimeDelta::milliseconds(250));
    }
    assert_eq!(store.job_counts().await.unwrap().open, 0);
}

#[tokio::test]
async fn a_plan_that_cannot_be_read_keeps_nobody_else_from_theirs() {
    let database = Database::on_disk();
    let (store, clock) = database.open().await;
    let mut people = Vec::new();
    for user in ["U1", "U2", "U3"] {
        let member = store.save_member("T1", user, None).await.unwrap();
        people.push(member.binding_id);
    }
    // Days that a later version might know.
    let mut by_hand = SqliteConnection::connect(&database.url).await.unwrap();
    sqlx::query("UPDATE slack_user_bindings SET summary_days = 200 WHERE id = $1")
        .bind(people[1])
        .execute(&mut by_hand)
        .await
        .unwrap();
    // What it was about is too old once it can be read again.
    sqlx::query("UPDATE summary_plans SET about = '2026-11-19' WHERE binding_id = $1")
        .bind(people[1])
        .execute(&mut by_hand)
        .await
        .unwrap();
    let due = async || {
        let due = store.summaries_due(100).await.unwrap();
        assert!(due.iter().all(|due| due.about.is_none()), "{due:?}");
        let mut whose: Vec<Uuid> = due.iter().map(|due| due.member.binding_id).collect();
        whose.sort_unstable();
        whose.dedup();
        whose
    };
    assert_eq!(due().await, [people[0], people[2]]);
    // Nor does it stand in front of them: it has been put off.
    for (hours, expected) in [(0, 0), (1, 2)] {
        clock.advance(TimeDelta::hours(hours));
        let (waiting,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM summary_plans WHERE binding_id = $1 AND due_at <= $2",
        )
        .bind(people[1])
        .bind(clock.now())
        .fetch_one(&mut by_hand)
        .await
        .unwrap();
        assert_eq!(waiting, expected);
    }
    // Once it is mended, it comes with the others.
    sqlx::query("UPDATE slack_user_bindings SET summary_days = 31 WHERE id = $1")
        .bind(people[1])
        .execute(&mut by_hand)
        .await
        .unwrap();
    assert_eq!(due().await, people);
}

/// Two years, evening for evening, of people in eight zones: the schedule comes round whenever something is due for
/// one of them, and each gets one summary a working day, at the right minute of the clock where they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_years_of_evenings_in_eight_zones() {
    const ZONES: [Tz; 8] = [
        Tz::Europe__Berlin,
        Tz::America__New_York,
        Tz::America__Santiago,
        Tz::Asia__Kolkata,
        Tz::Australia__Lord_Howe,
        Tz::Pacific__Auckland,
        Tz::Africa__Casablanca,
        Tz::UTC,
    ];
    let (store, clock) = Database::in_memory().open().await;
    let reach = Reach {
        providers: Providers::new(
            CalendarConfig::default(),
            http::client().unwrap(),
            clock.clone(),
        ),
        sign_in: None,
        installer: None,
        public_url: "http://localhost:8000".parse().unwrap(),
    };
    let app = App::new(store.clone(), clock.clone(), reach);
    let mut zone_of = HashMap::new();
    for zone in ZONES {
        let profile = Profile {
            name: zone.name().to_owned(),
            time_zone: Some(zone),
            locale: None,
            is_admin: false,
        };
        let member = store
            .save_member("T1", zone.name(), Some(&profile))
            .await
            .unwrap();
        zone_of.insert(member.binding_id, zone);
    }
    app.queue_summaries().await.unwrap();
    let mut sent: HashMap<Tz, Vec<NaiveDate>> = HashMap::new();
    let end = clock.now() + TimeDelta::days(730);
    loop {
        // On to the minute at which the next one is due: before it nothing is.
        let next = store.next_summary_at().await.unwrap().unwrap();
        if next > end {
            break;
        }
        clock.advance(next - clock.now() - TimeDelta::seconds(1));
        assert_eq!(store.summaries_due(1).await.unwrap(), []);
        clock.advance(TimeDelta::seconds(1));
        app.queue_summaries().await.unwrap();
        let now = clock.now();
        // Those of one moment are spread behind one another.
        clock.advance(TimeDelta::seconds(3));
        while let Some(job) = store
            .claim_job(TimeDelta::seconds(60), false)
            .await
            .unwrap()
        {
            let Ok(Job::SendSummary {
                binding,
                about,
                due_at,
                is_missed,
                ..
            }) = serde_json::from_str(&job.payload)
            else {
                panic!("another job: {}", job.payload);
            };
            assert_eq!((due_at, is_missed), (now, false));
            let zone = zone_of[&binding];
            let local = now.with_timezone(&zone);
            assert_eq!(
                (local.date_naive(), local.time()),
                (about, NaiveTime::from_hms_opt(17, 30, 0).unwrap()),
                "{zone}"
            );
            sent.entry(zone).or_default().push(about);
            store.finish_job(&job).await.unwrap();
        }
    }
    for zone in ZONES {
        let days = &sent[&zone];
        let (first, last) = (days[0], days[days.len() - 1]);
        let expected: Vec<NaiveDate> = first
            .iter_days()
            .take_while(|day| *day <= last)
            .filter(|day| is_working_day(*day))
            .collect();
        assert_eq!(*days, expected, "{zone}");
        assert!(days.len() >= 520, "{zone}: {}", days.len());
    }
}
