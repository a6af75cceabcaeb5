//! `/time`, from the line a person types to what they read.

use crate::bot::TestBot;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_line_becomes_an_entry_and_a_card() {
    let bot = TestBot::start().await;
    let card = bot.say("/time 2.5 hours: Meeting").await;
    assert_eq!(
        card.text,
        "Logged 2 h 30 min · Meeting. Today, Fri 20 Nov, 11:00–13:30. Today: 2 h 30 min of 8 h."
    );
    let card = bot.say("/time 45 min: code review").await;
    assert!(
        card.text.ends_with("Today: 3 h 15 min of 8 h."),
        "{}",
        card.text
    );
    let undone = bot.click(&card, "entry.undo").await;
    assert_eq!(
        undone.text,
        "Undone. 45 min · code review, Today, Fri 20 Nov, 12:45–13:30, is no longer logged. Today: 2 h 30 min of 8 h."
    );
    let back = bot.click(&undone, "entry.redo").await;
    assert!(
        back.text.starts_with("Logged 45 min · code review."),
        "{}",
        back.text
    );
    bot.finish().await;
}
