//! The demo's page in a real browser, as a person uses it.

mod docs;
mod page;
mod preferences;
mod summary;
mod workspaces;

use std::time::Duration;

use billops::{
    clock::Clock,
    sandbox::{Provider, demo::Demo},
};
use fantoccini::key::Key;
use serde_json::json;

use self::page::Page;
use crate::databases::friday;

const LAST: &str = "#messages > li:last-child";

fn last(action: &str) -> String {
    format!("{LAST} [data-action-id='{action}']")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_logs_undoes_and_looks_in_a_browser() {
    let demo = Demo::start(0, friday()).await.unwrap();
    let url = demo.url();
    let page = Page::open(&format!("{url}/#C07GENERAL")).await;

    // A card with its total; undone and put back in its place.
    page.type_line("/time 2.5 hours: Meeting").await;
    page.reads(LAST, "Logged 2 h 30 min · Meeting").await;
    page.reads(LAST, "2 h 30 min of 8 h").await;
    page.click(&last("entry.undo")).await;
    page.reads(LAST, "Undone: 2 h 30 min · Meeting").await;
    page.reads(LAST, "0 h of 8 h").await;
    page.click(&last("entry.redo")).await;
    page.reads(LAST, "Logged 2 h 30 min · Meeting").await;
    let shown = "return String(document.querySelectorAll('[data-testid=message]').length)";
    assert_eq!(page.script(shown, &[]).await, "1", "replaced, not repeated");

    // A guess and its other reading.
    page.type_line("/time 2 Planning").await;
    page.reads(LAST, "I read “2” as hours").await;
    page.click(&last("entry.flip")).await;
    page.reads(LAST, "Changed to 2 min · Planning").await;

    // A line that is not understood is repeated.
    page.type_line("/time 2x <b>wireframes</b>").await;
    page.reads(LAST, "Nothing saved.").await;
    page.reads(&format!("{LAST} .blocks"), "/time 2x <b>wireframes</b>")
        .await;

    // Only with the keyboard.
    page.find("[data-testid=composer]")
        .await
        .click()
        .await
        .unwrap();
    page.keys("/time 45 min: code review").await;
    page.keys(&char::from(Key::Enter).to_string()).await;
    page.reads(LAST, "Logged 45 min · code review").await;
    let undo = "const e = document.activeElement; return e.dataset.actionId === 'entry.undo' && e.closest('li').matches(':last-child')";
    let back = format!("{}{}", char::from(Key::Shift), char::from(Key::Tab));
    let mut steps = 0;
    while page.script(undo, &[]).await != json!(true) {
        steps += 1;
        assert!(steps < 30, "Undo cannot be reached with Tab");
        page.keys(&back).await;
    }
    page.keys(&char::from(Key::Enter).to_string()).await;
    page.reads(LAST, "Undone: 45 min · code review").await;

    // What people write is text and does nothing.
    page.find("[data-testid=composer]")
        .await
        .click()
        .await
        .unwrap();
    page.type_line("/time 5m: <img src=x onerror=complaints.push(1)> <!channel> *bold*")
        .await;
    page.reads(
        LAST,
        "<img src=x onerror=complaints.push(1)> <!channel> \u{2060}*bold\u{2060}*",
    )
    .await;
    assert_eq!(
        page.script(
            "return document.querySelectorAll('#messages img').length",
            &[]
        )
        .await,
        0
    );

    // What travelled, and how long the bot took.
    page.click("[data-testid=traffic-toggle]").await;
    page.find("[data-testid=traffic-row][data-kind=slash_commands][data-direction=to_bot]")
        .await;
    page.find("[data-testid=traffic-row][data-kind=ack][data-direction=from_bot]")
        .await;
    page.reads("[data-testid=traffic-row][data-kind=ack] .outcome", " ms")
        .await;
    page.click("#traffic-close").await;
    page.has_no_complaints().await;

    // The Home tab: the entries, deleting and undoing it there, help.
    page.click("[data-testid=app]").await;
    page.reads("[data-testid=home]", "Meeting · 2 h 30 min")
        .await;
    page.click("[data-testid=home] [data-action-id='entry.menu']")
        .await;
    page.click(".menu [role=menuitem]:last-child").await;
    page.reads("[data-testid=home]", "Deleted <img").await;
    page.click("[data-testid=home] [data-action-id='entry.redo']")
        .await;
    page.reads("[data-testid=home]", "· 5 min").await;
    page.click("[data-testid=home] [data-action-id='help.open']")
        .await;
    page.reads("[data-testid=modal]", "Log time in one line")
        .await;
    page.keys(&char::from(Key::Escape).to_string()).await;
    let closed = "return document.querySelector('[data-testid=modal]').open";
    let until = tokio::time::Instant::now() + Duration::from_secs(5);
    while page.script(closed, &[]).await == json!(true) {
        assert!(
            tokio::time::Instant::now() < until,
            "Escape closes the help"
        );
    }

    // Another person sees none of it, and their own zone.
    page.click("[data-testid=act-as]").await;
    page.click("[data-testid=act-as-U07PRIYA04]").await;
    page.reads("[data-testid=home]", "Asia/Kolkata").await;
    page.reads("[data-testid=act-as]", "Kolkata").await;
    page.click("[data-testid=channel-C07GENERAL]").await;
    page.find("[data-testid=composer]").await;
    assert!(!page.text("#messages").await.contains("Meeting ·"));
    page.has_no_complaints().await;

    // On a phone nothing is wider than the screen.
    page.browser.set_window_size(500, 844).await.unwrap();
    page.goto(&format!("{url}/?phone#C07GENERAL")).await;
    page.type_line("/time 1h: call").await;
    page.reads(LAST, "Logged 1 h · call").await;
    let fits = "return document.documentElement.scrollWidth <= innerWidth";
    assert_eq!(page.script(fits, &[]).await, true);
    page.click("#drawer-open").await;
    page.click("[data-testid=app]").await;
    page.reads("[data-testid=home]", "call · 1 h").await;
    page.has_no_complaints().await;

    page.browser.clone().close().await.unwrap();
    assert!(
        demo.slack().violations().is_empty(),
        "{:#?}",
        demo.slack().violations()
    );
    demo.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_corrects_times_and_looks_back_in_a_browser() {
    let demo = Demo::start(0, friday()).await.unwrap();
    let url = demo.url();
    let page = Page::open(&format!("{url}/#C07GENERAL")).await;

    // A form with its errors at the fields, a project that is searched for, and the card in its place.
    page.type_line("/time 1h: Meeting").await;
    page.reads(LAST, "Logged 1 h · Meeting").await;
    page.click(&last("entry.edit")).await;
    page.reads("[data-testid=modal]", "Edit entry").await;
    page.fill("[data-block-id=time] input", "2x").await;
    page.click("[data-testid=modal-submit]").await;
    page.reads("[data-testid=modal]", "stopped at “x”").await;
    page.fill("[data-block-id=time] input", "1h30").await;
    page.fill("[data-block-id=description] input", "Kick-off with Acme")
        .await;
    page.click("[data-block-id=project] [role=combobox]").await;
    page.fill("[data-testid=picker-filter]", "hal").await;
    page.reads("[role=listbox] [role=option]:first-child", "#halden")
        .await;
    page.click("[role=listbox] [role=option]:first-child").await;
    page.click("[data-testid=modal-submit]").await;
    page.reads(LAST, "Changed to 1 h 30 min · Kick-off with Acme")
        .await;
    page.reads(LAST, "#halden").await;
    page.click(&last("entry.undo")).await;
    page.reads(LAST, "Back to 1 h · Meeting").await;

    // The form without a command's words.
    page.type_line("/time").await;
    page.reads("[data-testid=modal]", "Log time").await;
    page.fill("[data-block-id=time] input", "45m").await;
    page.fill("[data-block-id=description] input", "Mail").await;
    page.click("[data-testid=modal-submit]").await;
    page.reads(LAST, "Logged 45 min · Mail").await;

    // A timer is started, seen on the Home tab, and stopped there.
    page.type_line("/time start icon set #acme").await;
    page.reads(LAST, "Timer started").await;
    page.click("[data-testid=app]").await;
    page.reads("[data-testid=home]", "icon set").await;
    page.find("[data-testid=home] [data-action-id='timer.stop']")
        .await;
    page.click("[data-testid=channel-C07GENERAL]").await;
    page.type_line("/time status").await;
    page.reads(LAST, "icon set").await;
    page.click(&last("timer.discard")).await;
    page.reads(LAST, "icon set").await;

    // What the week comes to.
    page.type_line("/time today").await;
    page.reads(LAST, "1 h 45 min").await;
    page.type_line("/time week").await;
    page.reads(LAST, "By project").await;
    page.click(&last("report.page")).await;
    page.reads(LAST, "Last week").await;

    // The list, and the way back from it.
    page.type_line("/time edit").await;
    page.reads(LAST, "Your last entries").await;
    page.click(&format!("{LAST} [data-action-id='entry.menu']"))
        .await;
    page.click(".menu [role=menuitem]:last-child").await;
    page.reads(LAST, "Deleted Mail, 45 min").await;
    page.click(&last("entry.redo")).await;
    page.reads(LAST, "Put back Mail, 45 min").await;
    page.has_no_complaints().await;

    page.browser.clone().close().await.unwrap();
    assert!(
        demo.slack().violations().is_empty(),
        "{:#?}",
        demo.slack().violations()
    );
    demo.shut_down().await;
}

const HOME: &str = "[data-testid=home]";
const MODAL: &str = "[data-testid=modal]";

/// From the Home tab's button to the last page, as a person goes; then back in the Home tab.
async fn connect(page: &Page, provider: Provider, signs_in: bool) {
    let (key, name, company) = match provider {
        Provider::Microsoft => ("microsoft", "Outlook", "Microsoft"),
        _ => ("google", "Google", "Google"),
    };
    page.click(&format!("{HOME} [data-action-id='calendar.connect.{key}']"))
        .await;
    let link = format!("{MODAL} a[data-action-id='calendar.connect_link']");
    page.find(&link).await;
    let safe = "const a = document.querySelector(arguments[0]); return a.target === '_blank' && a.relList.contains('noopener')";
    assert_eq!(page.script(safe, &[&link]).await, json!(true));
    let home = page.follow(&link).await;

    // BillOps names who connects what; Slack says who sits here, and then it is known.
    let title = format!("Connect your {name} calendar");
    page.reads("h1", &title).await;
    page.reads("dl", "Nina Berg").await;
    page.reads("dl", "Tern Studio").await;
    if signs_in {
        page.reads("form button", "Sign in with Slack").await;
        page.click("form button").await;
        page.reads("h1", "Sign in with Slack").await;
        page.reads("label:has(:checked)", "Nina Berg").await;
        page.click("button[value=allow]").await;
    }
    let on = format!("Continue to {company}");
    page.reads("form button", &on).await;
    page.click("form button").await;
    let simulated = format!("a simulated {company}");
    page.reads("[data-testid=simulated]", &simulated).await;
    page.reads("label:has(:checked)", "nina.berg@tern.example")
        .await;
    page.click("button[value=allow]").await;
    page.reads("h1", &format!("{name} is connected")).await;
    page.reads("dl", "nina.berg@tern.example").await;
    let url = page.browser.current_url().await.unwrap();
    assert_eq!(url.path(), format!("/connected/{key}"));
    assert_eq!(url.query(), None, "nothing secret stays in an address");

    // The form no longer offers a link that is used up, and the Home tab has followed.
    page.close_for(home).await;
    page.reads(MODAL, "Go on in your browser").await;
    page.click("[data-testid=modal-close]").await;
    page.reads(HOME, &format!("{name} · nina.berg@tern.example"))
        .await;
}

/// Chooses something in the menu of an account in the Home tab.
async fn account_menu(page: &Page, place: usize, choice: &str) {
    let menu = "[data-action-id='calendar.menu']";
    // By the id of its block, which stays when the tab is drawn anew in between.
    let block = format!(
        "return document.querySelectorAll(\"{HOME} {menu}\")[{place}].closest('[data-block-id]').dataset.blockId"
    );
    let block = page.script(&block, &[]).await;
    let block = block.as_str().unwrap();
    page.click(&format!("{HOME} [data-block-id='{block}'] {menu}"))
        .await;
    page.click(&format!(".menu [role=menuitem][data-value^='{choice} ']"))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_connects_chooses_and_disconnects_calendars_in_a_browser() {
    // The clock that the demo has when it is not tested: nothing here depends on the hour.
    let demo = Demo::start(0, Clock::movable()).await.unwrap();
    let page = Page::open(&format!("{}/#home", demo.url())).await;
    page.reads(HOME, "Connect your calendar").await;
    connect(&page, Provider::Google, true).await;
    connect(&page, Provider::Microsoft, false).await;
    page.reads(HOME, "On · Nina Berg, Tern team").await;
    page.reads(HOME, "On · Calendar").await;

    // Slack told the bot of each link that was opened.
    let told = demo.slack().traffic().into_iter().filter(|one| {
        one.direction == "to_bot"
            && one.body["payload"]["actions"][0]["action_id"] == "calendar.connect_link"
    });
    assert_eq!(told.count(), 2);

    account_menu(&page, 0, "choose").await;
    page.reads(MODAL, "Studio rooms shows only free and busy")
        .await;
    let choice = |nth: u8| format!("{MODAL} .choices label:nth-child({nth})");
    // Opened at once with what is known, and drawn anew when Google has said what there is.
    page.reads_not(MODAL, "asking Google").await;
    page.reads(&choice(1), "Nina Berg").await;
    page.click(&format!("{} input:checked", choice(1))).await;
    page.reads(&choice(2), "Holidays in Germany").await;
    page.click(&format!("{} input:not(:checked)", choice(2)))
        .await;
    page.click("[data-testid=modal-submit]").await;
    page.reads(HOME, "On · Holidays in Germany, Tern team")
        .await;

    account_menu(&page, 1, "disconnect_form").await;
    page.reads(MODAL, "BillOps stops reading nina.berg@tern.example")
        .await;
    page.click("[data-testid=modal-submit]").await;
    page.reads_not(HOME, "Outlook · nina.berg").await;
    page.reads(HOME, "Google · nina.berg@tern.example").await;

    // The direct messages say so, too.
    page.click("[data-testid=tab-messages]").await;
    page.reads("#messages", "Outlook is connected · nina.berg@tern.example")
        .await;
    page.has_no_complaints().await;

    page.browser.clone().close().await.unwrap();
    assert!(
        demo.slack().violations().is_empty(),
        "{:#?}",
        demo.slack().violations()
    );
    demo.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn meetings_are_logged_skipped_and_taken_back_in_a_browser() {
    let demo = Demo::start(0, friday()).await.unwrap();
    let page = Page::open(&format!("{}/#home", demo.url())).await;
    let button = |action: &str| format!("{HOME} [data-action-id='{action}']");
    connect(&page, Provider::Google, true).await;
    page.reads(HOME, "Waiting to be logged").await;

    page.click(&button("event.log")).await;
    page.reads(HOME, "Logged ").await;
    page.click(&button("entry.undo")).await;
    page.reads(HOME, "Deleted ").await;
    page.click(&button("event.skip")).await;
    page.reads(HOME, "Skipped: ").await;
    page.click(&button("event.unskip")).await;
    page.reads_not(HOME, "Skipped: ").await;

    page.click(&button("event.log_all")).await;
    page.reads(HOME, " meetings, ").await;
    page.click(&button("event.undo_batch")).await;
    page.reads(HOME, "wait again").await;

    page.click(&button("event.log_as")).await;
    page.reads(MODAL, "Log meeting").await;
    page.fill("[data-block-id=description] input", "Something else")
        .await;
    page.click("[data-testid=modal-submit]").await;
    page.reads(HOME, "Logged Something else").await;

    account_menu(&page, 0, "sync").await;
    page.reads(HOME, "synced at").await;
    page.has_no_complaints().await;

    page.browser.clone().close().await.unwrap();
    assert!(
        demo.slack().violations().is_empty(),
        "{:#?}",
        demo.slack().violations()
    );
    demo.shut_down().await;
}
