//! Attempts of people who are no admins of a workspace, or not any more, at its settings.

use billops::{domain::workspace::WorkspaceSettings, sandbox::Choice};
use serde_json::{Value, json};

use super::{JONAS, api::latest};
use crate::bot::{NINA, TestBot};

/// A submission that would change the settings, as Slack sent it for Nina; it came when she was no admin.
async fn submission(bot: &TestBot) -> Value {
    let form = bot.open_workspace().await;
    bot.slack.set_admin(NINA, false).unwrap();
    let entered = [
        ("target_minutes_per_day", Choice::Text("6h".to_owned())),
        ("features", Choice::Options(Vec::new())),
    ];
    let refused = bot.submit(&form, &entered).await;
    let sentence = &refused.errors["target_minutes_per_day"];
    assert!(sentence.starts_with("Only admins and owners"), "{sentence}");
    latest(&bot.slack, "view_submission")
}

async fn nothing_changed(bot: &TestBot) {
    assert_eq!(bot.settings().await, WorkspaceSettings::default());
    assert_eq!(bot.audited().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_who_is_one_no_more_changes_nothing() {
    let bot = TestBot::start().await;
    submission(&bot).await;
    nothing_changed(&bot).await;
    // Nor does the Home tab offer it any more.
    let home = bot.home_of(NINA, "Help with BillOps").await;
    let shown = Value::from(home.blocks().to_vec()).to_string();
    assert!(!shown.contains("workspace.open"), "{shown}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_button_kept_from_better_days_opens_nothing() {
    let bot = TestBot::start().await;
    let home = bot.home_of(NINA, "workspace.open").await;
    bot.slack.set_admin(NINA, false).unwrap();
    let form = bot.open_workspace().await;
    let entered = [("features", Choice::Options(Vec::new()))];
    assert!(!bot.submit(&form, &entered).await.closed);
    bot.slack.close_all(NINA).await.unwrap();
    // What Slack said then is stored now.
    let pressed = bot.slack.click(NINA, &home, "workspace.open").await;
    assert_eq!(pressed.unwrap().error, None);
    assert!(bot.slack.modals(NINA).is_empty());
    nothing_changed(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_form_changes_nothing_whoever_sends_it() {
    let bot = TestBot::start().await;
    bot.say_as(JONAS, "/time 1h: before").await;
    let mut forged = submission(&bot).await;
    bot.slack.set_admin(NINA, true).unwrap();
    forged["payload"]["user"]["id"] = json!("U07JONAS02");
    for metadata in [
        json!({"v": 1}),
        json!({"v": 1, "is_admin": true}),
        json!({}),
    ] {
        forged["payload"]["view"]["private_metadata"] = json!(metadata.to_string());
        assert_eq!(bot.slack.send_envelope(forged.clone()).await.error, None);
        nothing_changed(&bot).await;
    }
    // Somebody's click on a button that only admins are shown.
    let mut click = latest(&bot.slack, "block_actions");
    click["payload"]["user"]["id"] = json!("U07JONAS02");
    assert_eq!(bot.slack.send_envelope(click).await.error, None);
    assert!(bot.slack.modals(JONAS).is_empty());
    nothing_changed(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_of_another_workspace_changes_nothing_here() {
    let bot = TestBot::start().await;
    let mut forged = submission(&bot).await;
    bot.slack.set_admin(NINA, true).unwrap();
    forged["payload"]["team"]["id"] = json!("T07OTHER01");
    forged["payload"]["view"]["team_id"] = json!("T07OTHER01");
    assert_eq!(bot.slack.send_envelope(forged).await.error, None);
    nothing_changed(&bot).await;
    bot.finish().await;
}
