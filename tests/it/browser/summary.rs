//! The end of the day, as a person sees it in the demo.

use billops::sandbox::{Provider, demo::Demo};

use super::page::Page;
use crate::databases::friday;

const MESSAGES: &str = "#messages";
const LAST: &str = "#messages > :last-child";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_is_put_forward_and_the_day_is_closed_in_its_summary() {
    let demo = Demo::start(0, friday()).await.unwrap();
    let page = Page::open(&format!("{}/#home", demo.url())).await;
    page.reads("[data-testid=home]", "Connect your calendar")
        .await;
    super::connect(&page, Provider::Google, true).await;
    page.reads("[data-testid=home]", "Waiting to be logged")
        .await;

    page.reads("[data-testid=act-as]", "13:30").await;
    page.click("[data-testid=clock-evening]").await;
    page.reads("[data-testid=act-as]", "17:30").await;
    page.click("[data-testid=tab-messages]").await;
    page.reads(MESSAGES, "Friday 20 November").await;
    page.reads(LAST, "not logged").await;
    page.reads(LAST, "Nothing to log").await;
    page.reads(LAST, "Sent at 17:30 on your working days.")
        .await;

    // Logged in one go, and the message says so in its place.
    page.click(&format!("{LAST} [data-action-id='event.log_all']"))
        .await;
    page.reads(LAST, "logged just now").await;
    page.reads_not(LAST, "not logged").await;
    page.click(&format!("{LAST} [data-action-id='event.undo_batch']"))
        .await;
    page.reads(LAST, "wait again.").await;
    page.click(&format!("{LAST} [data-action-id='event.log_all']"))
        .await;
    page.reads(LAST, "logged just now").await;
    page.click(&format!("{LAST} [data-action-id='day.close']"))
        .await;
    page.reads(LAST, "closed by you").await;
    page.click(&format!("{LAST} [data-action-id='day.on']"))
        .await;
    page.reads(LAST, "Nothing more to log").await;
    page.has_no_complaints().await;
    page.browser.clone().close().await.unwrap();
    assert!(
        demo.slack().violations().is_empty(),
        "{:#?}",
        demo.slack().violations()
    );
    demo.shut_down().await;
}
