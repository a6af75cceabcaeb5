//! The Home tab: several meetings at once and back, days that are opened, what is left out, gaps, the week, and
//! calendars that are read, rest and are read again.

use billops::{
    domain::calendar_event::EventState,
    sandbox::{NINA_EMAIL, NewEvent, Provider, Reply, Sandbox, View, When},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::{
    bot::{NINA, TestBot},
    connect::menu_option,
    visitor::{connect, settled},
};

/// Midday of a day of November 2026 and so many minutes, in Berlin.
fn at(day: i64, minutes: i64) -> DateTime<Utc> {
    let first: DateTime<Utc> = "2026-11-01T11:00:00Z".parse().unwrap();
    first + TimeDelta::days(day - 1) + TimeDelta::minutes(minutes)
}

fn add(bot: &TestBot, title: &str, start: DateTime<Utc>, minutes: i64) {
    add_as(bot, NewEvent::new(title, When::from(start, minutes)));
}

fn add_as(bot: &TestBot, event: NewEvent) {
    bot.slack
        .provider(Provider::Google, |google| {
            google.add_event(NINA_EMAIL, "Nina Berg", event)
        })
        .unwrap();
}

async fn connected(bot: &TestBot) {
    connect(bot, "google").await;
    settled(bot).await;
}

fn text(home: &View) -> String {
    Value::from(home.blocks().to_vec()).to_string()
}

/// The Home tab once it shows all of these words and none of those.
async fn shows(bot: &TestBot, words: &[&str], but: &[&str]) -> View {
    let found = |slack: &Sandbox| {
        let home = slack.home(NINA)?;
        let text = text(&home);
        let is_it = words.iter().all(|word| text.contains(word))
            && !but.iter().any(|word| text.contains(word));
        is_it.then_some(home)
    };
    match bot
        .slack
        .wait_for(&format!("a Home tab with {words:?}"), found)
        .await
    {
        Ok(home) => home,
        Err(late) => panic!("{late}: {:#?}", bot.slack.home(NINA).unwrap().blocks()),
    }
}

async fn press(bot: &TestBot, home: &View, name: &str) {
    let answer = bot.slack.click(NINA, home, name).await.unwrap();
    assert_eq!(answer.error, None, "{name}");
}

/// How many of Nina's events stand so.
async fn count(bot: &TestBot, state: EventState) -> usize {
    let store = bot.bot.store();
    let nina = store.member("T07TERN001", "U07NINA001").await.unwrap();
    let span = [at(1, 0), at(30, 0)];
    let events = store.events_between(nina.unwrap().user_id, span, None, 500);
    let events = events.await.unwrap();
    events.iter().filter(|event| event.state == state).count()
}

/// The id of the block with the button.
fn block_of(home: &View, action: &str, value: &str) -> String {
    let mut blocks = home.blocks().iter();
    let has = |block: &&Value| {
        let text = block.to_string();
        text.contains(action) && text.contains(value)
    };
    let block = blocks.find(has).unwrap();
    format!("{}/{action}", block["block_id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_meetings_are_logged_at_once_and_taken_back_at_once() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    for (title, minutes) in [("Standup", 0), ("Review", 30), ("Planning", 60)] {
        add(&bot, title, at(20, minutes), 30);
    }
    connected(&bot).await;
    let home = shows(
        &bot,
        &["Log all 3", "3 meetings, 1 h 30 min", "Log as…"],
        &[],
    )
    .await;
    // Pressed twice at once, it is one batch.
    let (one, two) = tokio::join!(
        bot.slack.click(NINA, &home, "waiting/event.log_all"),
        bot.slack.click(NINA, &home, "waiting/event.log_all")
    );
    assert_eq!((one.unwrap().error, two.unwrap().error), (None, None));
    let done = [
        "Logged 3 meetings, 1 h 30 min",
        "Nothing. Meetings appear here",
    ];
    let logged = shows(&bot, &done, &[]).await;
    assert_eq!(count(&bot, EventState::Logged).await, 3);
    // So is the way back.
    let (one, two) = tokio::join!(
        bot.slack.click(NINA, &logged, "notice/event.undo_batch"),
        bot.slack.click(NINA, &logged, "notice/event.undo_batch")
    );
    assert_eq!((one.unwrap().error, two.unwrap().error), (None, None));
    let home = shows(&bot, &["3 meetings wait again.", "Log all 3"], &[]).await;
    assert_eq!(count(&bot, EventState::Suggested).await, 3);
    // Logged again, they are the same entries.
    press(&bot, &home, "waiting/event.log_all").await;
    shows(&bot, &done, &[]).await;
    let store = bot.bot.store();
    let nina = store.member("T07TERN001", "U07NINA001").await.unwrap();
    let entries = store
        .last_entries(nina.unwrap().user_id, 0, 10)
        .await
        .unwrap();
    assert_eq!(entries.len(), 3, "{entries:?}");
    // `/time undo` takes the last step back, and that is all of them.
    bot.say("/time undo").await;
    assert_eq!(count(&bot, EventState::Suggested).await, 3);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_meetings_are_folded_by_day() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    for day in [14, 15, 18, 19, 20] {
        for minutes in [-60, -30, 0] {
            add(
                &bot,
                &format!("Meeting {day} {minutes}"),
                at(day, minutes),
                30,
            );
        }
    }
    connected(&bot).await;
    let head = "15 meetings, 7 h 30 min, since Sat 14 Nov";
    let home = shows(&bot, &[head, "Log these 3", "*Today, Fri 20 Nov*"], &[]).await;
    assert!(text(&home).contains("Log all 15 meetings?"));
    assert!(!text(&home).contains("Meeting 19"));

    // A day is opened, and stays open when something of it is logged.
    press(
        &bot,
        &home,
        &block_of(&home, "waiting.show", "d:2026-11-19"),
    )
    .await;
    let home = shows(&bot, &["Meeting 19 -60", "*Thu 19 Nov*"], &["Meeting 20"]).await;
    press(&bot, &home, &block_of(&home, "event.log", "Meeting 19 -60")).await;
    let home = shows(
        &bot,
        &["Logged Meeting 19", "*Thu 19 Nov* · 2 meetings"],
        &[],
    )
    .await;
    press(&bot, &home, "event.log_day").await;
    let home = shows(
        &bot,
        &["Logged 2 meetings, 1 h", "*Today, Fri 20 Nov* · 3"],
        &[],
    )
    .await;
    assert_eq!(count(&bot, EventState::Logged).await, 3);

    // What waits from before this week is let go, and comes back in one step.
    press(&bot, &home, "waiting.actions/event.skip_before").await;
    let home = shows(&bot, &["Skipped 6 meetings, 3 h", "Log all 6"], &[]).await;
    assert_eq!(count(&bot, EventState::Dismissed).await, 6);
    press(&bot, &home, "notice/event.undo_batch").await;
    shows(&bot, &["6 meetings wait again.", "12 meetings"], &[]).await;
    assert_eq!(count(&bot, EventState::Dismissed).await, 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_after_the_page_was_drawn_is_not_touched() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    add(&bot, "One", at(20, 0), 30);
    add(&bot, "Two", at(20, 30), 30);
    // Known already, and not over when the page is drawn.
    add(&bot, "Later", at(20, 90), 30);
    connected(&bot).await;
    let home = shows(&bot, &["Log all 2"], &["Later"]).await;
    bot.clock.advance(TimeDelta::hours(2));
    press(&bot, &home, "waiting/event.log_all").await;
    shows(&bot, &["Logged 2 meetings", "*Later*"], &[]).await;
    assert_eq!(count(&bot, EventState::Suggested).await, 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn left_out_gaps_and_the_week_are_shown() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    let declined = NewEvent::new("Sales sync", When::from(at(20, 0), 30));
    add_as(
        &bot,
        NewEvent {
            reply: Reply::Declined,
            ..declined
        },
    );
    add_as(
        &bot,
        NewEvent::new("Company day", When::day("2026-11-20".parse().unwrap())),
    );
    connected(&bot).await;
    let both = [
        "Left out today: ",
        "Company day (all-day)",
        "Sales sync (you declined)",
    ];
    shows(&bot, &both, &[]).await;
    bot.projects(&["halden"]).await;
    bot.say("/time 9-11 workshop #halden").await;
    let words = [
        "Nothing logged 11:00–13:30 · 2 h 30 min",
        "*This week* · 2 h of 40 h",
        "▇▇░░░░░░  Fri  2 h",
        "▇▇▇▇▇▇▇▇  #halden  2 h",
        "6 h to go",
    ];
    let home = shows(&bot, &words, &[]).await;
    press(&bot, &home, "gap.fill").await;
    let form = bot.form().await;
    assert!(text(&form).contains("11:00–13:30"), "{}", text(&form));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calendar_is_read_now_rests_and_is_read_again() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    connected(&bot).await;
    let home = shows(
        &bot,
        &["On · ", "synced at 13:30", "Sync now"],
        &["Syncing"],
    )
    .await;
    add(&bot, "New", at(20, 0), 30);
    choose(&bot, &home, "sync").await;
    let home = shows(&bot, &["*New*", "On · "], &["Syncing"]).await;
    choose(&bot, &home, "turn_off").await;
    let home = shows(&bot, &["Off · ", "Turn on"], &["Sync now"]).await;
    add(&bot, "Newer", at(20, 30), 30);
    choose(&bot, &home, "turn_on").await;
    shows(&bot, &["*Newer*", "On · ", "Turn off"], &["Syncing"]).await;
    bot.finish().await;
}

/// Chooses something of the menu of Nina's only account.
async fn choose(bot: &TestBot, home: &View, verb: &str) {
    let option = menu_option(home, verb);
    let answer = bot.slack.choose(NINA, home, "calendar.menu", option).await;
    assert_eq!(answer.unwrap().error, None, "{verb}");
}
