//! The page about the API, as a frontend's developer uses it.

use super::page::Page;
use crate::{
    attacks::api_token,
    bot::{NINA, TestBot},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_developer_tries_the_api_on_its_page() {
    let bot = TestBot::start().await;
    let token = api_token(&bot, NINA).await;
    let page = Page::open(&format!("http://{}/api/docs", bot.bot.web_address())).await;
    page.reads("#session", "Nobody is signed in.").await;
    page.click("#getMe button").await;
    page.reads("#getMe output", "401").await;
    page.reads("#getMe output", "urn:billops:not-signed-in")
        .await;

    page.fill("#token", &token).await;
    page.click("#getMe button").await;
    page.reads("#getMe output", "\"name\": \"Nina Berg\"").await;
    page.reads("#session", "You are Nina Berg.").await;
    // It is not written out, so that it is not copied along.
    let shown = "return document.body.textContent.includes(arguments[0])";
    assert_eq!(page.script(shown, &[&*token]).await, false);

    // The example that stands in a body is one that can be sent.
    page.click("#savePreferences button").await;
    page.reads("#savePreferences output", "200").await;
    // A parameter in the path, and what was refused.
    page.fill("#convertCalendarEvent-id", "../me").await;
    page.click("#convertCalendarEvent button").await;
    page.reads("#convertCalendarEvent output", "404").await;
    page.reads(
        "#convertCalendarEvent output",
        "/calendar-events/..%2Fme/convert",
    )
    .await;
    bot.finish().await;
}
