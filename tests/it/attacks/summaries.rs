//! Presses on the summary at the end of the day that no summary offers: days beyond all reckoning, other people's
//! things, and ids of blocks that pretend to be one.

use billops::{domain::due::SummaryOf, jobs::Job, sandbox::Message, slack::socket::Timings};
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};
use uuid::Uuid;

use super::JONAS;
use crate::{
    bot::{NINA, TestBot},
    databases::Database,
    meetings::{add, at, connected, nina, the},
    visitor::settled,
};

/// Nina's direct message with the bot.
const DM: &str = "D07NINA001";

/// Days that can be written and not be reckoned with, or that no calendar shows.
const FAR: [&str; 6] = [
    "+262142-12-31",
    "-262143-01-01",
    "9999-12-31",
    "-9999-01-01",
    "0000-01-01",
    "2026-02-30",
];

/// The summary of Friday in Nina's direct message.
async fn summary(bot: &TestBot) -> Message {
    bot.clock
        .advance(at("2026-11-20T16:30:00Z") - bot.clock.now());
    let job = Job::LookForSummaries.to_row();
    bot.bot.store().add_job(&job).await.unwrap();
    settled(bot).await;
    bot.hears(DM, "Fri 20 Nov").await
}

/// Presses something, and sends the same again as if it had been something else there.
async fn forged(bot: &TestBot, person: &str, message: &Message, pressed: &str, action: [&str; 3]) {
    bot.slack.click(person, message, pressed).await.unwrap();
    let [block_id, action_id, value] = action;
    let mut press = bot.last_sent("interactive");
    press["payload"]["actions"] =
        json!([{"type": "button", "block_id": block_id, "action_id": action_id, "value": value}]);
    let answer = bot.slack.send_envelope(press).await;
    assert_eq!(answer.error, None, "{action:?}");
}

/// Nothing was said of any day.
async fn no_day_is_marked(bot: &TestBot) {
    let (from, to) = ("0001-01-01".parse().unwrap(), "9999-12-31".parse().unwrap());
    let user = nina(bot).await.user_id;
    let marks = bot.bot.store().day_marks(user, from, to).await.unwrap();
    assert!(marks.is_empty(), "{marks:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_no_calendar_shows_is_none() {
    for day in FAR {
        let value = format!("d:{day}");
        for action in ["day.close", "day.off", "week.close"] {
            let bot = TestBot::start().await;
            bot.say("/time 1h wireframes").await;
            let shown = summary(&bot).await;
            let block = format!("day.actions.d{day}.r1");
            forged(&bot, NINA, &shown, "entry.new", [&block, action, &value]).await;
            bot.hears(DM, "This is no longer here. Nothing was changed.")
                .await;
            no_day_is_marked(&bot).await;
            bot.finish().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_opened_for_a_day_that_slack_can_show() {
    for day in FAR {
        let bot = TestBot::start().await;
        bot.say("/time 1h wireframes").await;
        let shown = summary(&bot).await;
        let (day, gap) = (format!("d:{day}"), format!("g:{day}:13:30-14:00"));
        forged(&bot, NINA, &shown, "day.close", ["x.r1", "gap.fill", &gap]).await;
        let closed = bot.hears(DM, "closed by you").await;
        forged(&bot, NINA, &closed, "day.on", ["x.r1", "entry.new", &day]).await;
        let form = bot.form().await;
        let date = serde_json::Value::from(form.blocks().to_vec()).to_string();
        assert!(date.contains("2026-11-20"), "{date}");
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_that_pretends_to_be_of_a_summary_leads_to_ones_own_day() {
    let friday = "d:2026-11-20";
    for (block, words) in [
        (
            "day.actions.d2026-11-20.r4294967295",
            "Fri 20 Nov is a day off.",
        ),
        ("x.d2026-11-20.r4294967296", "Fri 20 Nov is a day off."),
        ("x.w2199-12-31.r1", "31 Dec"),
        ("x.w9999-12-31.r1", "Fri 20 Nov is a day off."),
        ("x.d+262142-12-31.r1", "Fri 20 Nov is a day off."),
        ("x.w+262142-12-28.r1", "Fri 20 Nov is a day off."),
    ] {
        let bot = TestBot::start().await;
        bot.say("/time 1h wireframes").await;
        let shown = summary(&bot).await;
        forged(&bot, NINA, &shown, "entry.new", [block, "day.off", friday]).await;
        bot.hears(DM, words).await;
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reaches_anothers_day() {
    let bot = TestBot::start().await;
    add(&bot, "Halden weekly", "2026-11-20T13:00:00Z", 30);
    bot.say("/time 1h: Secret plans").await;
    connected(&bot, "google").await;
    let shown = summary(&bot).await;
    let meeting = the(&bot, "Halden weekly").await;
    let event = format!("v:{}", meeting.id);
    let all = format!("d:2026-11-20 until:{} ended:{}", meeting.id, i64::MAX);
    let entry = bot
        .bot
        .store()
        .last_entries(nina(&bot).await.user_id, 0, 1)
        .await
        .unwrap();
    let entry = format!("e:{}:{}:2026-11-20", entry[0].id, entry[0].version);
    for (action, value) in [
        ("event.log", &*event),
        ("event.skip", &event),
        ("event.unskip", &event),
        ("event.log_all", &all),
        ("entry.delete", &entry),
        ("day.off", "d:2026-11-20"),
        ("prefs.silent", "silent_when_done:off"),
        ("prefs.silent", "daily_summary:off"),
    ] {
        let card = bot.say_as(JONAS, "/time 15m: Meeting").await;
        let block = "day.actions.d2026-11-20.r1";
        forged(&bot, JONAS, &card, "entry.undo", [block, action, value]).await;
    }
    settled(&bot).await;
    let member = nina(&bot).await;
    assert_eq!(the(&bot, "Halden weekly").await, meeting);
    assert!(member.preferences.silent_when_done && member.preferences.daily_summary);
    no_day_is_marked(&bot).await;
    let entries = bot
        .bot
        .store()
        .last_entries(member.user_id, 0, 9)
        .await
        .unwrap();
    assert!(
        entries.len() == 1 && entries[0].deleted_at.is_none(),
        "{entries:?}"
    );
    // Nor is anything of it shown to them, or anything of theirs to her.
    for seen in bot.slack.messages(JONAS, "#general") {
        let blocks = serde_json::Value::from(seen.blocks.clone()).to_string();
        assert!(
            !blocks.contains("Halden") && !blocks.contains("Secret"),
            "{blocks}"
        );
    }
    assert_eq!(
        bot.slack.messages(NINA, DM).last().unwrap().text,
        shown.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_was_written_by_hand_does_not_keep_the_schedule_turning() {
    let bot = TestBot::on(Database::on_disk(), Timings::default(), |options| options).await;
    bot.say("/time 1h wireframes").await;
    let path = bot.database.url.replace("sqlite://", "sqlite:");
    let mut file = SqliteConnection::connect(&path).await.unwrap();
    // As people write a time, and not as it is compared with.
    sqlx::query("UPDATE summary_plans SET due_at = '2026-11-20 10:00:00', about = '2026-11-20'")
        .execute(&mut file)
        .await
        .unwrap();
    let job = Job::LookForSummaries.to_row();
    bot.bot.store().add_job(&job).await.unwrap();
    settled(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_in_a_title_calls_anybody_or_is_markup() {
    let bot = TestBot::start().await;
    let title = "<!channel> <@U07JONAS02> *all*\n\u{202e}drawkcab & <https://evil.example|home>";
    for hour in 8..18 {
        let start = format!("2026-11-20T{:02}:00:00Z", hour - 2);
        add(&bot, &format!("{title} {hour}"), &start, 60);
        add(&bot, &title.repeat(40), &start, 24 * 60);
    }
    bot.say("/time 1h wireframes").await;
    connected(&bot, "google").await;
    let shown = summary(&bot).await;
    // What is read aloud of a button is not read for markup.
    let texts = shown.blocks.iter().map(|block| &block["text"]["text"]);
    let said = format!("{} {}", shown.text, json!(texts.collect::<Vec<_>>()));
    for call in ["<!channel>", "<@U07", "<https:"] {
        assert!(!said.contains(call), "{call}: {said}");
    }
    // What turns the reading around ends with the title.
    let turned = said.matches('\u{202e}').count();
    let kept = said.matches("\u{2068}&lt;!channel&gt;").count();
    assert!(turned > 0 && turned == kept, "{said}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_summary_of_somebody_who_is_gone_is_sent_to_nobody() {
    let bot = TestBot::start().await;
    bot.say("/time 1h wireframes").await;
    let due_at = bot.clock.now();
    for of in [SummaryOf::Day, SummaryOf::Week] {
        let job = Job::SendSummary {
            binding: Uuid::from_u128(7),
            of,
            about: "2026-11-16".parse().unwrap(),
            due_at,
            is_missed: false,
        };
        bot.bot.store().add_job(&job.to_row()).await.unwrap();
    }
    settled(&bot).await;
    for person in [NINA, JONAS] {
        assert!(bot.slack.messages(person, DM).is_empty(), "{person}");
    }
    bot.finish().await;
}
