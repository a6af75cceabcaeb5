//! Calendars are connected, by the person who asked and by nobody else.

use billops::sandbox::{Decision, Endpoint, JONAS_EMAIL, NINA_EMAIL, Provider, Sandbox};
use reqwest::{Method, StatusCode};
use url::Url;

use crate::{
    bot::{NINA, TestBot},
    visitor::{Page, Visitor, connect, link_of},
};

/// The direct messages that BillOps sent a person.
fn direct(slack: &Sandbox, person: &str) -> Vec<String> {
    let dm = slack.world(|world| world.person(person).unwrap().dm());
    let messages = slack.messages(person, &dm);
    messages.into_iter().map(|message| message.text).collect()
}

async fn told(bot: &TestBot, person: &str, begins: &str) -> String {
    let found = |slack: &Sandbox| {
        direct(slack, person)
            .into_iter()
            .find(|text| text.starts_with(begins))
    };
    bot.slack.wait_for("a direct message", found).await.unwrap()
}

async fn accounts(bot: &TestBot, person: &str) -> usize {
    let store = bot.bot.store();
    let user = bot
        .slack
        .world(|world| world.person(person).unwrap().id.clone());
    let member = store.member("T07TERN001", &user).await.unwrap();
    match member {
        Some(member) => store.accounts(member.user_id).await.unwrap().len(),
        None => 0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_calendars_are_connected_through_real_redirects() {
    let bot = TestBot::start().await;
    let (visitor, page) = connect(&bot, "google").await;
    assert_eq!(page.url.path(), "/connected/google", "{}", page.body);
    assert!(
        page.body.contains("nina.berg@tern.example"),
        "{}",
        page.body
    );
    assert!(page.body.contains("Nina Berg"), "{}", page.body);
    let told_of = told(&bot, NINA, "Google is connected: nina.berg@tern.example.").await;
    assert!(told_of.contains("Reading Nina Berg"), "{told_of}");
    // Nothing secret stays in an address that is kept.
    let last = visitor.visited.last().unwrap();
    assert!(!last.contains("code") && !last.contains("state"), "{last}");

    let (_, page) = connect(&bot, "outlook").await;
    assert_eq!(page.url.path(), "/connected/microsoft", "{}", page.body);
    told(&bot, NINA, "Outlook is connected: nina.berg@tern.example.").await;
    assert_eq!(accounts(&bot, NINA).await, 2);
    bot.finish().await;
}
