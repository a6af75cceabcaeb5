//! Series: what is guessed for them, what is offered, what is logged by itself; meetings that have ended, and
//! logged ones that change.

use billops::{
    domain::calendar_event::{EventState, SyncedEvent},
    jobs::Job,
    sandbox::{Choice, NINA_EMAIL, NewEvent, Provider, View, When},
};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::Value;

use crate::{
    bot::{NINA, TestBot},
    meetings::{add, at, calendar, connected, events, home_with, nina, sync, the},
    visitor::settled,
};

const GOOGLE: Provider = Provider::Google;
/// Nina's direct message with the bot.
const DM: &str = "D07NINA001";

/// The button of a meeting in the Home tab, as the sandbox names it.
fn button(home: &View, event: &SyncedEvent, action: &str) -> String {
    let tail = event.id.simple().to_string().split_off(20);
    let blocks = home.blocks().iter();
    let mut ids = blocks
        .filter(|block| block["type"] == "actions")
        .filter_map(|block| block["block_id"].as_str());
    let row = ids.find(|id| id.contains(&tail)).expect("no such row");
    format!("{row}/{action}")
}

/// What a menu's option stands for.
fn menu_option(home: &View, menu: &str, verb: &str) -> Choice {
    let blocks = home.blocks().iter();
    let mut menus = blocks.filter(|block| block["accessory"]["action_id"] == menu);
    let options = menus.next().expect("no such menu")["accessory"]["options"]
        .as_array()
        .unwrap();
    let mut values = options.iter().filter_map(|option| option["value"].as_str());
    Choice::Option(
        values
            .find(|value| value.starts_with(verb))
            .unwrap()
            .to_owned(),
    )
}

impl TestBot {
    /// The schedule comes round, and everything that follows is done.
    async fn looks_for_ended(&self) {
        let job = Job::LookForEnded.to_row();
        self.bot.store().add_job(&job).await.unwrap();
        settled(self).await;
    }

    /// Nina's meeting that begins then.
    async fn at(&self, start: &str) -> SyncedEvent {
        let start = at(start);
        let events = events(self).await;
        events
            .into_iter()
            .find(|event| event.start == start)
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_series_is_guessed_offered_and_then_logged_by_itself() {
    let bot = TestBot::start().await;
    bot.projects(&["internal", "halden"]).await;
    bot.slack.open_home(NINA).await.unwrap();
    let standup = NewEvent::new("Standup", When::from(at("2026-11-17T08:00:00Z"), 15));
    bot.slack
        .provider(GOOGLE, |google| {
            google.add_series(NINA_EMAIL, "Nina Berg", &standup, 1, 7)
        })
        .unwrap();
    let mut visitor = connected(&bot, "google").await;

    // The first one is logged otherwise than guessed: its times stand in the form.
    let home = home_with(&bot, "*Standup*").await;
    let first = bot.at("2026-11-17T08:00:00Z").await;
    let log_as = button(&home, &first, "event.log_as");
    bot.slack.click(NINA, &home, &log_as).await.unwrap();
    let form = bot.form().await;
    assert!(
        Value::from(form.blocks().to_vec())
            .to_string()
            .contains("09:00–09:15")
    );
    let found = bot
        .slack
        .suggest(NINA, &form, "project/value", "internal")
        .await
        .unwrap();
    let values = [("project", Choice::Suggested(found.options[0].clone()))];
    let submission = bot.submit(&form, &values).await;
    assert!(submission.closed, "{:?}", submission.errors);
    let home = home_with(&bot, "Logged Standup, 15 min").await;
    let entry = bot.at("2026-11-17T08:00:00Z").await.time_entry_id.unwrap();
    let store = bot.bot.store();
    let entry = store
        .entry(nina(&bot).await.user_id, entry)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(entry.started_at, Some(at("2026-11-17T08:00:00Z")));
    assert_eq!(entry.project.as_ref().map(|p| &*p.slug), Some("internal"));

    // The others are guessed by it, here and for programs.
    let url = visitor.at("/api/v1/calendar-events?state=suggested&from=2026-11-18T00:00:00Z");
    let page = visitor.send(Method::GET, &url, None, &[]).await.json();
    assert_eq!(
        page["items"][0]["suggested_project_id"],
        Value::from(entry.project.unwrap().id.to_string()),
        "{page}"
    );

    // The second equal choice offers the rule.
    let second = bot.at("2026-11-18T08:00:00Z").await;
    let log = button(&home, &second, "event.log");
    bot.slack.click(NINA, &home, &log).await.unwrap();
    let home = home_with(&bot, "Always log Standup to #internal?").await;
    bot.slack.click(NINA, &home, "rule.accept").await.unwrap();
    home_with(&bot, "Standup is now always logged to #internal").await;
    // What had ended before waits as before.
    bot.looks_for_ended().await;
    assert_eq!(
        bot.at("2026-11-19T08:00:00Z").await.state,
        EventState::Suggested
    );

    // The next one is logged when it ends, and told; once, however often it is looked for.
    bot.clock.advance(TimeDelta::hours(20));
    bot.looks_for_ended().await;
    bot.looks_for_ended().await;
    assert_eq!(
        bot.at("2026-11-21T08:00:00Z").await.state,
        EventState::Logged
    );
    let told = bot.hears(DM, "Logged 15 min · Standup").await;
    assert!(told.text.contains("#internal"), "{}", told.text);
    let all = bot.slack.messages(NINA, DM);
    let count = all
        .iter()
        .filter(|message| message.text.contains("Standup"))
        .count();
    assert_eq!(count, 1, "{all:#?}");
    // Taken back, it waits; and is not logged by itself again.
    bot.slack.click(NINA, &told, "entry.undo").await.unwrap();
    bot.hears(DM, "Undone").await;
    bot.looks_for_ended().await;
    assert_eq!(
        bot.at("2026-11-21T08:00:00Z").await.state,
        EventState::Suggested
    );

    // The rule is in Home, and is removed there.
    bot.slack.open_home(NINA).await.unwrap();
    let home = home_with(&bot, "Standup to #internal, since").await;
    let remove = menu_option(&home, "rule.menu", "remove");
    bot.slack
        .choose(NINA, &home, "rule.menu", remove)
        .await
        .unwrap();
    home_with(&bot, "Standup is no longer logged by itself").await;
    bot.clock.advance(TimeDelta::hours(24));
    bot.looks_for_ended().await;
    assert_eq!(
        bot.at("2026-11-22T08:00:00Z").await.state,
        EventState::Suggested
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logged_meeting_that_changes_is_told_once_and_never_changes_the_entry() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    let id = add(&bot, "Review", "2026-11-20T09:00:00Z", 30);
    let mut visitor = connected(&bot, "google").await;
    let main = calendar(&bot, "Nina Berg").await;
    let home = home_with(&bot, "*Review*").await;
    bot.slack.click(NINA, &home, "event.log").await.unwrap();
    home_with(&bot, "Logged Review").await;
    let entry_id = the(&bot, "Review").await.time_entry_id.unwrap();
    let user = nina(&bot).await.user_id;
    let entry = async || {
        let store = bot.bot.store();
        store.entry(user, entry_id).await.unwrap().unwrap()
    };
    let told = |words: &'static str| {
        let all = bot.slack.messages(NINA, DM);
        all.iter()
            .filter(|message| message.text.contains(words))
            .count()
    };

    // Moved: told once, offered, and only then changed.
    bot.slack
        .provider(GOOGLE, |google| {
            google.move_event(&id, When::from(at("2026-11-20T10:00:00Z"), 60))
        })
        .unwrap();
    sync(&mut visitor, "google", main).await;
    sync(&mut visitor, "google", main).await;
    settled(&bot).await;
    let moved = bot.hears(DM, "Review has moved in your calendar").await;
    assert_eq!(told("Review has moved"), 1);
    assert!(moved.text.contains("10:00–10:30"), "{}", moved.text);
    assert_eq!(entry().await.started_at, Some(at("2026-11-20T09:00:00Z")));
    bot.slack
        .click(NINA, &moved, "event.apply_change")
        .await
        .unwrap();
    let card = bot.hears(DM, "Changed to 1 h · Review").await;
    assert_eq!(entry().await.started_at, Some(at("2026-11-20T10:00:00Z")));
    bot.slack.click(NINA, &card, "entry.undo").await.unwrap();
    bot.hears(DM, "Back to").await;
    assert_eq!(entry().await.started_at, Some(at("2026-11-20T09:00:00Z")));

    // Renamed: kept as it is.
    bot.slack
        .provider(GOOGLE, |google| {
            google.change_event(&id, |event| "Big review".clone_into(&mut event.title))
        })
        .unwrap();
    sync(&mut visitor, "google", main).await;
    settled(&bot).await;
    let renamed = bot
        .hears(DM, "Review has a new title in your calendar")
        .await;
    bot.slack.click(NINA, &renamed, "event.keep").await.unwrap();
    bot.hears(DM, "Kept: Review").await;
    assert_eq!(entry().await.description, "Review");

    // Moved out of what is read: it has moved, and is not gone.
    bot.slack
        .provider(GOOGLE, |google| {
            google.move_event(&id, When::from(at("2027-02-01T10:00:00Z"), 60))
        })
        .unwrap();
    sync(&mut visitor, "google", main).await;
    settled(&bot).await;
    let far = bot.hears(DM, "has moved in your calendar").await;
    assert!(far.text.contains("Mon 1 Feb"), "{}", far.text);
    bot.slack.click(NINA, &far, "event.keep").await.unwrap();
    bot.slack
        .provider(GOOGLE, |google| {
            google.move_event(&id, When::from(at("2026-11-20T09:00:00Z"), 30))
        })
        .unwrap();
    sync(&mut visitor, "google", main).await;
    settled(&bot).await;

    // Deleted: offered.
    bot.slack
        .provider(GOOGLE, |google| google.delete_event(&id))
        .unwrap();
    sync(&mut visitor, "google", main).await;
    sync(&mut visitor, "google", main).await;
    settled(&bot).await;
    let gone = bot.hears(DM, "Review is no longer in your calendar").await;
    assert_eq!(told("no longer in your calendar"), 1);
    assert_eq!(entry().await.deleted_at, None);
    bot.slack
        .click(NINA, &gone, "event.apply_change")
        .await
        .unwrap();
    bot.hears(DM, "Deleted").await;
    assert!(entry().await.deleted_at.is_some());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meeting_that_ends_is_said_once_and_its_message_stays_true() {
    let bot = TestBot::start().await;
    bot.projects(&["halden"]).await;
    bot.slack.open_home(NINA).await.unwrap();
    add(&bot, "Halden weekly", "2026-11-20T12:00:00Z", 45);
    add(&bot, "Design guild", "2026-11-20T13:30:00Z", 15);
    add(&bot, "Retro", "2026-11-20T13:30:00Z", 30);
    let mut visitor = connected(&bot, "google").await;
    let member = nina(&bot).await;
    // Nobody who did not ask for it is told.
    bot.clock.advance(TimeDelta::minutes(16));
    bot.looks_for_ended().await;
    assert_eq!(
        the(&bot, "Halden weekly").await.state,
        EventState::Suggested
    );
    let said = |words: &'static str| {
        let all = bot.slack.messages(NINA, DM);
        all.iter()
            .filter(|message| message.text.contains(words))
            .count()
    };
    assert_eq!(said("Halden weekly"), 0);
    let wanted = billops::domain::preferences::Preferences {
        after_meeting: true,
        ..member.preferences.clone()
    };
    let store = bot.bot.store();
    store
        .save_preferences(member.binding_id, &wanted, &[])
        .await
        .unwrap();

    // Two that end together are one message; each row is used by itself.
    bot.clock.advance(TimeDelta::minutes(75));
    bot.looks_for_ended().await;
    bot.looks_for_ended().await;
    let both = bot.hears(DM, "2 meetings have ended").await;
    assert_eq!((said("have ended"), said("Halden weekly")), (1, 0));
    let rows = Value::from(both.blocks.clone()).to_string();
    assert!(
        rows.contains("14:30–15:00 · *Retro* · 30 min · no project yet"),
        "{rows}"
    );
    let guild = the(&bot, "Design guild")
        .await
        .id
        .simple()
        .to_string()
        .split_off(20);
    let retro = the(&bot, "Retro")
        .await
        .id
        .simple()
        .to_string()
        .split_off(20);
    let row = |message: &billops::sandbox::Message, tail: &str, action: &str| {
        let blocks = message.blocks.iter();
        let ids = blocks.filter_map(|block| block["block_id"].as_str());
        let mut ids = ids.filter(|id| id.contains(tail));
        let id = ids.next_back().unwrap();
        format!("{id}/{action}")
    };
    bot.slack
        .click(NINA, &both, &row(&both, &guild, "event.log"))
        .await
        .unwrap();
    let now = bot.hears(DM, "Logged: 14:30–14:45 · Design guild").await;
    assert_eq!(the(&bot, "Design guild").await.state, EventState::Logged);
    bot.slack
        .click(NINA, &now, &row(&now, &retro, "event.skip"))
        .await
        .unwrap();
    let now = bot.hears(DM, "Skipped: 14:30–15:00 · Retro").await;
    bot.slack
        .click(NINA, &now, &row(&now, &guild, "event.unlog"))
        .await
        .unwrap();
    let now = bot
        .hears(DM, "Design guild · 15 min · no project yet")
        .await;
    assert_eq!(the(&bot, "Design guild").await.state, EventState::Suggested);
    bot.slack
        .click(NINA, &now, &row(&now, &retro, "event.unskip"))
        .await
        .unwrap();
    bot.hears(DM, "Retro · 30 min · no project yet").await;

    // Logged elsewhere, the message says so.
    let id = the(&bot, "Retro").await.id;
    let url = visitor.at(&format!("/api/v1/calendar-events/{id}/convert"));
    visitor.send(Method::POST, &url, None, &[]).await;
    bot.hears(DM, "Logged: 14:30–15:00 · Retro").await;

    // A single one is a card; what it says is what is done.
    add(&bot, "One to one", "2026-11-20T14:05:00Z", 10);
    let main = calendar(&bot, "Nina Berg").await;
    sync(&mut visitor, "google", main).await;
    bot.clock.advance(TimeDelta::minutes(30));
    bot.looks_for_ended().await;
    let card = bot.hears(DM, "One to one has ended").await;
    bot.slack.click(NINA, &card, "event.log_as").await.unwrap();
    let form = bot.form().await;
    let submission = bot
        .submit(&form, &[("time", Choice::Text("20 min".to_owned()))])
        .await;
    assert!(submission.closed, "{:?}", submission.errors);
    let card = bot.hears(DM, "Logged 20 min · One to one").await;
    bot.slack.click(NINA, &card, "entry.undo").await.unwrap();
    bot.hears(DM, "Undone").await;
    bot.finish().await;
}
