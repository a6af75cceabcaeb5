//! Preferences, as a person sets them in a browser.

use billops::sandbox::demo::Demo;
use serde_json::json;

use super::{HOME, LAST, MODAL, page::Page};
use crate::databases::friday;

/// Chooses an option of a menu, which opens over the form.
async fn choose(page: &Page, field: &str, typed: Option<&str>, option: &str) {
    page.click(&format!("[data-block-id={field}] [role=combobox]"))
        .await;
    if let Some(typed) = typed {
        page.fill("[data-testid=picker-filter]", typed).await;
    }
    page.click(&format!("[role=listbox] [data-value='{option}']"))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_sets_their_preferences_in_a_browser() {
    let demo = Demo::start(0, friday()).await.unwrap();
    let page = Page::open(&format!("{}/#home", demo.url())).await;
    page.reads(HOME, "8 h from 09:00, Monday to Friday, Europe/Berlin")
        .await;
    page.click("[data-testid=channel-C07GENERAL]").await;
    page.type_line("/time prefs").await;
    page.reads(MODAL, "Preferences").await;
    page.reads(
        "[data-block-id=time_zone] [role=combobox]",
        "As in Slack (Europe/Berlin)",
    )
    .await;

    // What is wrong is said where it is.
    let target = "[data-block-id=target_minutes_per_day] input";
    page.fill(target, "8x").await;
    page.click("[data-testid=modal-submit]").await;
    page.reads(
        "[data-block-id=target_minutes_per_day]",
        "8x is not a length of time. Try 8 h or 7h 30m.",
    )
    .await;

    // Every kind of field: text, time, several days, boxes, and menus that are searched.
    page.fill(target, "6h").await;
    let time = "const field = document.querySelector('[data-block-id=daily_summary_time] input'); \
                const before = field.value; field.value = '16:45'; \
                field.dispatchEvent(new Event('change', { bubbles: true })); return before";
    assert_eq!(page.script(time, &[]).await, "17:30");
    page.click("[data-block-id=notices] input[value=after_meeting]")
        .await;
    choose(&page, "bare_number_unit", None, "minutes").await;
    choose(&page, "time_zone", Some("tok"), "Asia/Tokyo").await;
    choose(&page, "default_project_id", Some("hal"), "last").await;
    choose(&page, "summary_days", None, "6").await;
    page.reads("[data-block-id=summary_days] [role=combobox]", "Saturday")
        .await;
    page.script(
        "document.activeElement.blur(); document.body.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }))",
        &[],
    )
    .await;
    page.click("[data-testid=modal-submit]").await;
    page.reads_not(MODAL, "Preferences").await;

    // The Home tab and the next card follow.
    page.type_line("/time 20 mail").await;
    page.reads(LAST, "Logged 20 min · mail").await;
    page.click("[data-testid=app]").await;
    page.reads(HOME, "of 6 h").await;
    page.reads(HOME, "Times in Asia/Tokyo").await;

    // What was chosen stands there the next time.
    page.click("[data-testid=channel-C07GENERAL]").await;
    page.type_line("/time prefs").await;
    page.reads("[data-block-id=time_zone] [role=combobox]", "Asia/Tokyo")
        .await;
    page.reads("[data-block-id=summary_days] [role=combobox]", "Saturday")
        .await;
    let kept = "return [document.querySelector('[data-block-id=daily_summary_time] input').value, \
                document.querySelector('[data-block-id=target_minutes_per_day] input').value, \
                document.querySelector('[data-block-id=notices] input[value=after_meeting]').checked]";
    assert_eq!(page.script(kept, &[]).await, json!(["16:45", "6 h", true]));

    // A token is laid on the form, and is revoked in it.
    page.click("[data-action-id='token.create']").await;
    page.reads(MODAL, "There is no token yet").await;
    page.click("[data-action-id='token.new']").await;
    page.reads(MODAL, "Copy it now").await;
    page.click("[data-testid=modal-close]").await;
    page.reads("[data-block-id=api_token]", "Made today").await;
    page.has_no_complaints().await;

    page.browser.clone().close().await.unwrap();
    assert!(
        demo.slack().violations().is_empty(),
        "{:#?}",
        demo.slack().violations()
    );
    demo.shut_down().await;
}
