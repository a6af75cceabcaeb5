//! Messages that come by themselves: each is wanted, is sent once, and never says what the person has just done in
//! Slack.

use std::time::Duration;

use billops::{
    domain::{
        calendar_event::{EventState, LoggedAs},
        preferences::Preferences,
    },
    jobs::Job,
    sandbox::{Fault, Message, NINA_EMAIL, Provider, When},
    slack::socket::Timings,
};
use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    attacks::{api_token, problem},
    bot::{NINA, TestBot},
    databases::Database,
    meetings::{add, at, calendar, connected, home_with, nina, sync, the},
    visitor::{Page, Visitor, settled},
};

const JONAS: &str = "jonas";
/// Nina's direct message with the bot.
const DM: &str = "D07NINA001";
const JSON: &str = "application/json";
const INVOICE: &str = "/api/v1/notifications/invoice-ready";

/// How many messages there say this.
fn heard(bot: &TestBot, words: &str) -> usize {
    let all = bot.slack.messages(NINA, DM);
    all.iter()
        .filter(|message| message.text.contains(words))
        .count()
}

fn drawn(message: &Message) -> String {
    Value::from(message.blocks.clone()).to_string()
}

async fn signed_in(bot: &TestBot, person: &str) -> Visitor {
    let mut browser = Visitor::new(bot);
    browser.log_in(&bot.slack, person).await;
    browser
}

async fn post(browser: &mut Visitor, path: &str, body: &Value) -> Page {
    let url = browser.at(path);
    let body = Some((JSON, body.to_string()));
    browser.send(Method::POST, &url, body, &[]).await
}

/// What came of asking for an invoice to be told.
async fn asked(browser: &mut Visitor, body: &Value) -> (u16, String) {
    let page = post(browser, INVOICE, body).await;
    let status = page.json()["status"].clone();
    (
        page.status.as_u16(),
        status.as_str().unwrap_or_default().to_owned(),
    )
}

fn queued() -> (u16, String) {
    (202, "queued".to_owned())
}

fn already_sent() -> (u16, String) {
    (200, "already_sent".to_owned())
}

impl TestBot {
    async fn wants(&self, change: impl FnOnce(&mut Preferences)) {
        let member = nina(self).await;
        let mut preferences = member.preferences;
        change(&mut preferences);
        let store = self.bot.store();
        store
            .save_preferences(member.binding_id, &preferences, &[])
            .await
            .unwrap();
    }

    /// The invoice that the tests are about.
    async fn invoice(&self) -> Value {
        json!({
            "user_id": nina(self).await.user_id, "invoice_number": "2026-118", "total_cents": 482_000,
            "currency": "EUR",
        })
    }

    /// Waits until Slack has refused so many messages with this word.
    async fn refused(&self, error: &str, times: usize) {
        let until = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let traffic = self.slack.traffic();
            let posts = traffic.iter().filter(|one| one.title == "chat.postMessage");
            let refused = posts.filter(|one| one.error.as_deref() == Some(error));
            if refused.count() == times {
                return;
            }
            assert!(tokio::time::Instant::now() < until, "nothing was refused");
            tokio::task::yield_now().await;
        }
    }

    /// Time passes until nothing is left to be done.
    async fn goes_on(&self) {
        for _ in 0..20 {
            self.clock.advance(TimeDelta::minutes(1));
            // Wakes a worker, which would look again only after some seconds of the machine's own time.
            let wake = Job::ForgetRequests.to_row();
            self.bot.store().add_job(&wake).await.unwrap();
            if tokio::time::timeout(Duration::from_millis(500), settled(self))
                .await
                .is_ok()
            {
                return;
            }
        }
        panic!("something is left to be done");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_is_told_once_and_no_more_to_whoever_stops_it() {
    let bot = TestBot::on(Database::on_disk(), Timings::default(), |options| options).await;
    bot.say("/time 1h wireframes").await;
    let mut browser = signed_in(&bot, NINA).await;
    let invoice = bot.invoice().await;
    let mut other = signed_in(&bot, NINA).await;
    let (one, two) = tokio::join!(asked(&mut browser, &invoice), asked(&mut other, &invoice));
    for answer in [one, two] {
        assert!(answer == queued() || answer == already_sent(), "{answer:?}");
    }
    let told = bot
        .hears(DM, "Invoice 2026-118 is ready: EUR 4,820.00.")
        .await;
    let shown = drawn(&told);
    for part in [
        "*Invoice 2026-118 is ready* · EUR 4,820.00",
        "\"value\":\"month:2026-10\"",
        "Last month’s report: October 2026",
        "Stop these notices",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    settled(&bot).await;
    // The first one counts, whatever it is asked with.
    assert_eq!(asked(&mut browser, &invoice).await, already_sent());
    let mut more = invoice.clone();
    more["total_cents"] = json!(1);
    assert_eq!(asked(&mut browser, &more).await, already_sent());

    // The report stands beside it.
    let report = bot.slack.click(NINA, &told, "report.page").await.unwrap();
    assert_eq!(report.error, None);
    let report = bot.hears(DM, "October: nothing logged").await;
    assert_eq!(report.ephemeral_to.as_deref(), Some("U07NINA001"));
    assert_eq!(heard(&bot, "Invoice 2026-118 is ready"), 1);

    // Stopped, taken back, and stopped, in place.
    for (button, words, is_wanted) in [
        (
            "prefs.invoice",
            "From now on without invoice notices.",
            false,
        ),
        ("prefs.invoice", "Invoice notices come again.", true),
        (
            "prefs.invoice",
            "From now on without invoice notices.",
            false,
        ),
    ] {
        let now = bot.slack.messages(NINA, DM);
        let now = now.iter().find(|one| one.ts == told.ts).unwrap();
        let answer = bot.slack.click(NINA, now, button).await.unwrap();
        assert_eq!(answer.error, None);
        let now = bot.hears(DM, words).await;
        assert_eq!(now.ts, told.ts);
        assert!(
            now.text
                .starts_with("Invoice 2026-118 is ready: EUR 4,820.00.")
        );
        assert_eq!(
            nina(&bot).await.preferences.invoice_notifications,
            is_wanted
        );
    }
    let mut next = invoice.clone();
    next["invoice_number"] = json!("2026-119");
    next["total_cents"] = json!(0);
    let not_wanted = (200, "not_wanted".to_owned());
    assert_eq!(asked(&mut browser, &next).await, not_wanted);
    bot.wants(|preferences| preferences.invoice_notifications = true)
        .await;
    assert_eq!(asked(&mut browser, &next).await, queued());
    bot.hears(DM, "Invoice 2026-119 is ready: EUR 0.00.").await;

    // Also after a restart.
    settled(&bot).await;
    let bot = bot.restart().await;
    let mut browser = signed_in(&bot, NINA).await;
    for invoice in [&invoice, &next] {
        assert_eq!(asked(&mut browser, invoice).await, already_sent());
    }
    settled(&bot).await;
    assert_eq!(heard(&bot, "is ready"), 2);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_cannot_be_is_named_and_nothing_is_sent() {
    let bot = TestBot::start().await;
    bot.say("/time help").await;
    let mut browser = signed_in(&bot, NINA).await;
    let right = bot.invoice().await;
    let wrong = [
        ("user_id", json!("nina")),
        ("user_id", json!(7)),
        ("invoice_number", json!("")),
        ("invoice_number", json!("2026\n118")),
        ("invoice_number", json!("x".repeat(61))),
        ("invoice_number", json!(118)),
        ("total_cents", json!(48.2)),
        ("total_cents", json!("4820")),
        ("total_cents", json!(1e30)),
        ("total_cents", json!(-5)),
        ("total_cents", json!(u64::MAX)),
        ("currency", json!("EURO")),
        ("currency", json!("XXX")),
        ("currency", json!(null)),
        ("channel", json!("C07GENERAL")),
    ];
    for (field, value) in &wrong {
        let mut body = right.clone();
        body[*field] = value.clone();
        let page = post(&mut browser, INVOICE, &body).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(page.headers["content-type"], "application/problem+json");
        let problem = page.json();
        assert_eq!(problem["type"], "urn:billops:invalid");
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{problem}");
        assert_eq!(errors[0]["field"], *field);
        assert!(!errors[0]["message"].as_str().unwrap().is_empty());
    }
    let page = post(&mut browser, INVOICE, &json!({"a": 1})).await;
    let errors = page.json()["errors"].as_array().unwrap().clone();
    let fields: Vec<_> = errors.iter().map(|one| one["field"].clone()).collect();
    let all = ["user_id", "invoice_number", "total_cents", "currency", "a"];
    assert_eq!(fields, all);
    for body in [json!([]), json!("x"), json!(null)] {
        let page = post(&mut browser, INVOICE, &body).await;
        assert!(page.status.is_client_error(), "{body}");
    }
    settled(&bot).await;
    assert_eq!(heard(&bot, "Invoice"), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_person_or_an_admin_of_their_workspace_may_ask() {
    let bot = TestBot::start().await;
    bot.say("/time help").await;
    bot.say_as(JONAS, "/time help").await;
    let store = bot.bot.store();
    let jonas_id = bot
        .slack
        .world(|world| world.person(JONAS).unwrap().id.clone());
    let other = store.member("T07TERN001", &jonas_id).await;
    let other = other.unwrap().unwrap();
    assert!(!other.is_admin);
    let stranger = store.save_member("T9", "U9", None).await.unwrap();
    let hers = nina(&bot).await;
    let invoice = bot.invoice().await;
    let to = |user_id: Uuid| {
        let mut invoice = invoice.clone();
        invoice["user_id"] = json!(user_id);
        invoice
    };
    // Whoever is nobody's admin tells themselves only; of the others there is nobody, whether they exist or not.
    let mut jonas = signed_in(&bot, JONAS).await;
    let mut answers = Vec::new();
    for user in [
        hers.user_id,
        stranger.user_id,
        Uuid::from_u128(7),
        other.binding_id,
    ] {
        let page = post(&mut jonas, INVOICE, &to(user)).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", page.body);
        answers.push(page.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(asked(&mut jonas, &to(other.user_id)).await, queued());

    // Nobody, and another site.
    let mut nobody = Visitor::new(&bot);
    let page = post(&mut nobody, INVOICE, &invoice).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    let url = nobody.at(INVOICE);
    let body = || Some((JSON, invoice.to_string()));
    let guessed = [("authorization", "Bearer bo_guessed")];
    let page = nobody.send(Method::POST, &url, body(), &guessed).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    let mut browser = signed_in(&bot, NINA).await;
    for foreign in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", ""),
    ] {
        let page = browser.send(Method::POST, &url, body(), &[foreign]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    settled(&bot).await;
    assert_eq!(heard(&bot, "Invoice"), 0);

    // An admin tells everybody of their workspace, and nobody else's.
    let admin = billops::store::Profile {
        name: "Jonas".to_owned(),
        time_zone: Some(chrono_tz::Europe::Berlin),
        locale: None,
        is_admin: true,
    };
    store
        .save_member("T07TERN001", &jonas_id, Some(&admin))
        .await
        .unwrap();
    let token = format!("Bearer {}", api_token(&bot, JONAS).await);
    let with = [("authorization", &*token)];
    let mut program = Visitor::new(&bot);
    let page = program.send(Method::POST, &url, body(), &with).await;
    assert_eq!(page.status, StatusCode::ACCEPTED, "{}", page.body);
    bot.hears(DM, "Invoice 2026-118 is ready").await;
    for user in [stranger.user_id, Uuid::from_u128(7)] {
        let body = Some((JSON, to(user).to_string()));
        let page = program.send(Method::POST, &url, body, &with).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", page.body);
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_may_be_busy_away_or_refuse_and_it_is_still_told_once_at_most() {
    let bot = TestBot::on(Database::on_disk(), Timings::default(), |options| options).await;
    bot.say("/time help").await;
    let mut browser = signed_in(&bot, NINA).await;
    let mut invoice = bot.invoice().await;
    let limited = Fault::RateLimited(30);
    bot.slack.fail_next("chat.postMessage", 1, limited);
    assert_eq!(asked(&mut browser, &invoice).await, queued());
    bot.refused("ratelimited", 1).await;
    // Asked again while it waits; the bot ends and begins anew.
    assert_eq!(asked(&mut browser, &invoice).await, queued());
    let bot = bot.restart().await;
    let mut browser = signed_in(&bot, NINA).await;
    bot.goes_on().await;
    assert_eq!(heard(&bot, "Invoice 2026-118"), 1);
    assert_eq!(asked(&mut browser, &invoice).await, already_sent());

    // Posted without an answer, it is found in the conversation; not posted, it is not, and is sent.
    for (number, fault) in [
        ("2026-122", Fault::DoneButUnanswered),
        ("2026-123", Fault::Status(503)),
    ] {
        invoice["invoice_number"] = json!(number);
        bot.slack.fail_next("chat.postMessage", 1, fault);
        assert_eq!(asked(&mut browser, &invoice).await, queued());
        bot.goes_on().await;
        assert_eq!(heard(&bot, number), 1);
        assert_eq!(asked(&mut browser, &invoice).await, already_sent());
    }

    // Whoever cannot be written to is not tried again.
    invoice["invoice_number"] = json!("2026-120");
    let gone = Fault::Error("channel_not_found".to_owned());
    bot.slack.fail_next("chat.postMessage", 1, gone);
    assert_eq!(asked(&mut browser, &invoice).await, queued());
    settled(&bot).await;
    let unreachable = (200, "unreachable".to_owned());
    assert_eq!(asked(&mut browser, &invoice).await, unreachable);
    settled(&bot).await;
    assert_eq!(heard(&bot, "Invoice 2026-120"), 0);

    // Switched off while it waits, it is not sent.
    invoice["invoice_number"] = json!("2026-121");
    bot.slack
        .fail_next("chat.postMessage", 1, Fault::RateLimited(31));
    assert_eq!(asked(&mut browser, &invoice).await, queued());
    bot.refused("ratelimited", 2).await;
    bot.wants(|preferences| preferences.invoice_notifications = false)
        .await;
    bot.goes_on().await;
    assert_eq!(heard(&bot, "Invoice 2026-121"), 0);
    bot.finish().await;
}

/// Makes an entry of a meeting, as a program does.
async fn convert(browser: &mut Visitor, event: Uuid) -> StatusCode {
    let url = browser.at(&format!("/api/v1/calendar-events/{event}/convert"));
    browser.send(Method::POST, &url, None, &[]).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_is_made_elsewhere_is_told_once_and_undone_there() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    for (title, start) in [
        ("Review", "2026-11-20T09:00:00Z"),
        ("Retro", "2026-11-20T10:00:00Z"),
        ("Standup", "2026-11-20T11:00:00Z"),
    ] {
        add(&bot, title, start, 30);
    }
    let mut browser = connected(&bot, "google").await;
    let review = the(&bot, "Review").await.id;
    let mut other = signed_in(&bot, NINA).await;
    let (one, two) = tokio::join!(convert(&mut browser, review), convert(&mut other, review));
    assert_ne!(one, two);
    settled(&bot).await;
    assert_eq!(convert(&mut browser, review).await, StatusCode::OK);
    let told = bot.hears(DM, "Logged 30 min · Review").await;
    settled(&bot).await;
    assert_eq!(heard(&bot, "Review"), 1);
    let shown = drawn(&told);
    for button in ["entry.undo", "entry.edit", "entry.change_project"] {
        assert!(shown.contains(button), "{button} in {shown}");
    }
    bot.slack.click(NINA, &told, "entry.undo").await.unwrap();
    bot.hears(DM, "Undone").await;
    assert_eq!(the(&bot, "Review").await.state, EventState::Suggested);
    // Made anew of the same meeting, it is the same entry, and shows in the same message.
    assert_eq!(convert(&mut browser, review).await, StatusCode::CREATED);
    let again = bot.hears(DM, "Logged 30 min · Review").await;
    assert_eq!(again.ts, told.ts);
    settled(&bot).await;
    assert_eq!(heard(&bot, "Review"), 1);

    // What the person did in Slack is not told them.
    let home = home_with(&bot, "*Standup*").await;
    let tail = the(&bot, "Standup").await.id.simple().to_string();
    let log = format!("event.actions:{}/event.log", tail.split_at(20).1);
    bot.slack.click(NINA, &home, &log).await.unwrap();
    home_with(&bot, "Logged Standup").await;
    settled(&bot).await;
    assert_eq!(heard(&bot, "Standup"), 0);

    // Nor is anything told to whoever does not want it.
    bot.wants(|preferences| preferences.entry_notifications = false)
        .await;
    let retro = the(&bot, "Retro").await.id;
    assert_eq!(convert(&mut browser, retro).await, StatusCode::CREATED);
    settled(&bot).await;
    assert_eq!(heard(&bot, "Retro"), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_is_taken_back_before_it_is_told_is_not() {
    let bot = TestBot::start().await;
    add(&bot, "Review", "2026-11-20T09:00:00Z", 30);
    let mut browser = connected(&bot, "google").await;
    bot.slack
        .fail_next("chat.postMessage", 1, Fault::RateLimited(30));
    let review = the(&bot, "Review").await;
    assert_eq!(convert(&mut browser, review.id).await, StatusCode::CREATED);
    bot.refused("ratelimited", 1).await;
    bot.say("/time undo").await;
    assert_eq!(the(&bot, "Review").await.state, EventState::Suggested);
    bot.goes_on().await;
    assert_eq!(heard(&bot, "Review"), 0);
    bot.finish().await;
}

/// A job that was done and is done once more, as after a crash before that was noted, tells nobody anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_is_not_told_again_by_a_job_that_is_done_twice() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    bot.say("/time help").await;
    bot.wants(|preferences| preferences.after_meeting = true)
        .await;
    let moves = add(&bot, "Review", "2026-11-20T09:00:00Z", 30);
    add(&bot, "Standup", "2026-11-20T12:15:00Z", 30);
    let mut browser = connected(&bot, "google").await;
    let member = nina(&bot).await;
    let (binding, store) = (member.binding_id, bot.bot.store());
    let again = async |job: &Job| {
        store.add_job(&job.to_row()).await.unwrap();
        settled(&bot).await;
    };
    let account = store.accounts(member.user_id).await.unwrap().remove(0).id;

    let standup = the(&bot, "Standup").await;
    let ended = Job::TellMeetings {
        binding,
        events: vec![standup.id],
        at: bot.clock.now(),
    };
    // Slack is busy, then it is told; twice at once it is one.
    bot.slack
        .fail_next("chat.postMessage", 1, Fault::RateLimited(30));
    store.add_job(&ended.to_row()).await.unwrap();
    bot.refused("ratelimited", 1).await;
    bot.goes_on().await;
    again(&ended).await;
    assert_eq!(heard(&bot, "Standup has ended"), 1);
    let card = bot.hears(DM, "Standup has ended").await;
    let place = store.card_of(member.user_id, standup.id).await.unwrap();
    assert_eq!(place, Some((DM.to_owned(), card.ts.clone())));
    // Where it stands is taken from what was sent.
    bot.slack.click(NINA, &card, "event.skip").await.unwrap();
    bot.hears(DM, "Skipped: Standup").await;

    // Slack's answer is lost: where the message stands is found out.
    let review = the(&bot, "Review").await;
    bot.slack
        .fail_next("chat.postMessage", 1, Fault::DoneButUnanswered);
    assert_eq!(convert(&mut browser, review.id).await, StatusCode::CREATED);
    bot.goes_on().await;
    let card = bot.hears(DM, "Logged 30 min · Review").await;
    let place = store.card_of(member.user_id, review.id).await.unwrap();
    assert_eq!(place, Some((DM.to_owned(), card.ts)));
    let event = review.id;
    again(&Job::TellEntry { binding, event }).await;
    assert_eq!(heard(&bot, "Logged 30 min · Review"), 1);

    bot.slack
        .provider(Provider::Google, |google| {
            google.move_event(&moves, When::from(at("2026-11-20T10:00:00Z"), 30))
        })
        .unwrap();
    let main = calendar(&bot, "Nina Berg").await;
    sync(&mut browser, "google", main).await;
    settled(&bot).await;
    assert_eq!(heard(&bot, "Review has moved"), 1);
    let was = LoggedAs {
        title: "Review".to_owned(),
        start: review.start,
        end: review.end,
    };
    let change = Uuid::from_u128(7);
    let changed = Job::TellChanged {
        binding,
        event,
        was,
        change,
    };
    again(&changed).await;
    again(&changed).await;
    assert_eq!(heard(&bot, "Review has moved"), 2, "another change");

    let since = bot.clock.now();
    let connects = Job::TellConnected {
        account,
        at: since,
        is_again: true,
    };
    again(&connects).await;
    again(&connects).await;
    assert_eq!(heard(&bot, "Google is read again"), 1);

    bot.slack.provider(Provider::Google, |google| {
        google.revoke_refresh_tokens(NINA_EMAIL);
    });
    bot.clock.advance(TimeDelta::hours(1));
    // The two reminders wait.
    let but_reminders = async |job: &Job| {
        store.add_job(&job.to_row()).await.unwrap();
        let until = tokio::time::Instant::now() + Duration::from_secs(20);
        while store.job_counts().await.unwrap().open != 2 {
            assert!(tokio::time::Instant::now() < until, "jobs are left undone");
            tokio::task::yield_now().await;
        }
    };
    but_reminders(&Job::RefreshAccount { account }).await;
    let broken = store.accounts(member.user_id).await.unwrap().remove(0);
    assert_eq!(heard(&bot, "Google Calendar is no longer read"), 1);
    let first = |nth| Job::TellBroken {
        account,
        since: broken.state_since,
        nth,
    };
    but_reminders(&first(0)).await;
    assert_eq!(heard(&bot, "Google Calendar is no longer read"), 1);
    // Of several that are due, the last one is told.
    bot.clock.advance(TimeDelta::days(20));
    again(&first(0)).await;
    assert_eq!(heard(&bot, "Google Calendar is still not read"), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_wait_to_be_logged_says_what_to_do() {
    let bot = TestBot::start().await;
    add(&bot, "Review", "2026-11-20T09:00:00Z", 30);
    add(&bot, "Retro", "2026-11-20T10:00:00Z", 30);
    let mut browser = connected(&bot, "google").await;
    let (review, retro) = (the(&bot, "Review").await.id, the(&bot, "Retro").await.id);
    let mut ask = async |method: Method, path: String| {
        let url = browser.at(&format!("/api/v1{path}"));
        browser.send(method, &url, None, &[]).await
    };
    let dismiss = |event| (Method::POST, format!("/calendar-events/{event}/dismiss"));
    let convert = |event| (Method::POST, format!("/calendar-events/{event}/convert"));
    let detail = |page: &Page| page.json()["detail"].as_str().unwrap().to_owned();

    let (method, path) = convert(review);
    let entry = ask(method, path).await.json()["id"].clone();
    let entry = entry.as_str().unwrap();
    let (method, path) = dismiss(review);
    let page = ask(method, path).await;
    problem(&page, "not-to-be-dismissed");
    let delete = format!("/time-entries/{entry}");
    assert_eq!(
        detail(&page),
        format!("It was logged. To skip it all the same, first DELETE {delete}.")
    );
    // As it says.
    let page = ask(Method::DELETE, delete).await;
    assert_eq!(page.status, StatusCode::NO_CONTENT);
    let (method, path) = dismiss(review);
    assert_eq!(ask(method, path).await.status, StatusCode::OK);

    let (method, path) = dismiss(retro);
    assert_eq!(ask(method, path).await.status, StatusCode::OK);
    let (method, path) = convert(retro);
    let page = ask(method, path).await;
    problem(&page, "not-to-be-logged");
    let does = "POST /time-entries makes an entry of the same time.";
    assert_eq!(detail(&page), format!("It was skipped for good. {does}"));
    bot.finish().await;
}
