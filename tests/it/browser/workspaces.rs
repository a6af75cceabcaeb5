//! Two workspaces in the demo: the app is added to one in a browser, used, and removed; the other notices nothing.

use billops::sandbox::{ADA, FERN, NINA, demo::Demo};
use serde_json::json;

use super::{HOME, LAST, page::Page};
use crate::databases::friday;

const ABSENT: &str = "[data-testid=absent]";
const SIDEBAR: &str = "#sidebar";

async fn enter(page: &Page, team: &str) {
    page.click("[data-testid=workspace]").await;
    page.click(&format!("[data-testid=workspace-{team}]")).await;
}

/// From the button to the bot's last page and back, as whoever sits here.
async fn add_app(page: &Page, person: &str) {
    let here = page.follow("[data-testid=add-app]").await;
    page.reads("[data-testid=simulated]", "a simulated Slack")
        .await;
    page.reads("label:has(:checked)", person).await;
    page.click("button[value=allow]").await;
    page.reads("h1", "BillOps is installed").await;
    let url = page.browser.current_url().await.unwrap();
    assert_eq!((url.path(), url.query()), ("/installed", None));
    page.close_for(here).await;
}

async fn remove_app(page: &Page) {
    page.click("[data-testid=workspace]").await;
    page.click("[data-testid=remove-app]").await;
    page.click("[data-testid=confirm-ok]").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_adds_uses_and_removes_the_app_in_a_browser() {
    let demo = Demo::start(0, friday()).await.unwrap();
    let slack = demo.slack();
    let fern = slack.workspace(FERN).unwrap();
    let url = demo.url();
    let page = Page::open(&format!("{url}/#C07GENERAL")).await;
    page.type_line("/time 2h: Meeting").await;
    page.reads(LAST, "Logged 2 h · Meeting").await;

    // The other workspace has its own people and channels, and no app yet.
    enter(&page, FERN).await;
    page.reads(ABSENT, "BillOps is not installed in Fern Garden")
        .await;
    page.reads("[data-testid=workspace]", "Fern Garden").await;
    page.reads("[data-testid=act-as]", "Ada Moss").await;
    page.reads("#channels", "ponds").await;
    page.reads_not(SIDEBAR, "BillOps\n").await;
    assert!(!page.text("#channels").await.contains("acme"));
    let hidden = "return document.querySelector('[data-testid=composer]').checkVisibility()";
    assert_eq!(page.script(hidden, &[]).await, json!(false));

    // Added, and the page follows by itself.
    add_app(&page, "Ada Moss").await;
    page.reads_not(ABSENT, "not installed").await;
    assert!(fern.is_installed());
    page.type_line("/time 1h: Ponds").await;
    page.reads(LAST, "Logged 1 h · Ponds").await;
    page.click("[data-testid=app]").await;
    page.reads(HOME, "Ponds · 1 h").await;
    // Somebody who is no admin cannot remove it.
    page.click("[data-testid=act-as]").await;
    page.click("[data-testid=act-as-U08TOM0002]").await;
    page.click("[data-testid=workspace]").await;
    page.find("[data-testid=workspace-T07TERN001]").await;
    let offered = "return document.querySelectorAll('[data-testid=remove-app]').length";
    assert_eq!(page.script(offered, &[]).await, 0);

    // Nothing of it is in the first one, which remembers who sat there.
    page.click("[data-testid=workspace-T07TERN001]").await;
    page.reads("[data-testid=act-as]", "Nina Berg").await;
    page.reads(HOME, "Meeting · 2 h").await;
    assert!(!page.text(HOME).await.contains("Ponds"));

    // Removed while the Home tab is open, which then is nowhere.
    enter(&page, FERN).await;
    page.reads("[data-testid=act-as]", "Tom Reed").await;
    page.click("[data-testid=act-as]").await;
    page.click(&format!("[data-testid=act-as-{ADA}]")).await;
    page.reads(HOME, "Ponds · 1 h").await;
    remove_app(&page).await;
    page.reads(ABSENT, "BillOps is not installed in Fern Garden")
        .await;
    page.reads_not("#main", "Ponds · 1 h").await;
    assert!(!fern.is_installed() && slack.is_installed());
    enter(&page, "T07TERN001").await;
    page.click("[data-testid=channel-C07GENERAL]").await;
    page.type_line("/time 30m: Mail").await;
    page.reads(LAST, "Logged 30 min · Mail").await;

    // The first one can leave and come back, too.
    remove_app(&page).await;
    page.reads(ABSENT, "BillOps is not installed in Tern Studio")
        .await;
    page.reads("#messages", "Mail").await;
    add_app(&page, "Nina Berg").await;
    page.reads_not(ABSENT, "not installed").await;
    page.type_line("/time 1h: Back").await;
    page.reads(LAST, "Logged 1 h · Back").await;
    assert!(slack.world(|world| world.home_of(NINA).is_some()));
    page.has_no_complaints().await;
    page.browser.clone().close().await.unwrap();
    assert!(slack.violations().is_empty(), "{:#?}", slack.violations());
    demo.shut_down().await;
}
