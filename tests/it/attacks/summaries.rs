//! Presses on the summary at the end of the day that no summary offers: days beyond all reckoning, other people's
//! things, and ids of blocks that pretend to be one.

use billops::{jobs::Job, sandbox::Message};
use serde_json::json;

use super::JONAS;
use crate::{
    bot::{NINA, TestBot},
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
            bot.hears(DM, "This is no longer here. Nothing was changed.").await;
            no_day_is_marked(&bot).await;
            bot.finish().await;
        }
    }
}
