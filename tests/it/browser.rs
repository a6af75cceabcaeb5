//! The demo's page in a real browser, as a person uses it.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use billops::{clock::Clock, sandbox::demo::Demo};
use fantoccini::{Client, ClientBuilder, Locator, elements::Element, key::Key};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Collects whatever the page complains of.
const COMPLAINTS: &str = "
    window.complaints = [];
    window.addEventListener('error', (event) => complaints.push(String(event.message)));
    window.addEventListener('unhandledrejection', (event) => complaints.push(String(event.reason)));
    document.addEventListener('securitypolicyviolation', (event) => complaints.push('CSP ' + event.violatedDirective));
    console.error = (...words) => complaints.push(words.join(' '));";

/// chromedriver, and the browsers it started; they end with it, also when a test panics.
struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is needed for this test");
        Self { process, port }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked over HTTP it would end its browsers first; killed, it leaves them to notice.
        let _ = Command::new("pkill")
            .args(["-P", &self.process.id().to_string()])
            .status();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Page {
    browser: Client,
    _profile: TempDir,
    _driver: Driver,
}

impl Page {
    async fn open(url: &str) -> Self {
        let driver = Driver::start();
        let profile = tempfile::tempdir().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let options = json!({"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            // What slides would otherwise be clicked before it has arrived.
            "--force-prefers-reduced-motion", "--window-size=1280,800", folder,
        ]});
        let capabilities: serde_json::Map<String, Value> =
            serde_json::Map::from_iter([("goog:chromeOptions".to_owned(), options)]);
        let until = tokio::time::Instant::now() + Duration::from_secs(10);
        let browser = loop {
            let connected =
                ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
                    .capabilities(capabilities.clone())
                    .connect(&format!("http://127.0.0.1:{}", driver.port))
                    .await;
            match connected {
                Ok(browser) => break browser,
                Err(error) => {
                    assert!(tokio::time::Instant::now() < until, "{error}");
                    tokio::task::yield_now().await;
                }
            }
        };
        let page = Self {
            browser,
            _profile: profile,
            _driver: driver,
        };
        page.goto(url).await;
        page
    }

    async fn goto(&self, url: &str) {
        self.browser.goto(url).await.unwrap();
        self.find("body.ready").await;
        self.browser.execute(COMPLAINTS, vec![]).await.unwrap();
    }

    async fn find(&self, css: &str) -> Element {
        let found = self.browser.wait().at_most(Duration::from_secs(5));
        match found.for_element(Locator::Css(css)).await {
            Ok(element) => element,
            Err(error) => panic!("{css}: {error}; the page says: {}", self.text("body").await),
        }
    }

    async fn text(&self, css: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
        self.script(script, &[css])
            .await
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn script(&self, script: &str, words: &[&str]) -> Value {
        let words = words.iter().map(|word| json!(word)).collect();
        self.browser.execute(script, words).await.unwrap()
    }

    /// Waits until what `css` names says `words`.
    async fn reads(&self, css: &str, words: &str) {
        let until = tokio::time::Instant::now() + Duration::from_secs(5);
        loop {
            let text = self.text(css).await;
            if text.contains(words) {
                return;
            }
            assert!(
                tokio::time::Instant::now() < until,
                "{css} should say “{words}”, and says: {text}"
            );
        }
    }

    async fn click(&self, css: &str) {
        if let Err(error) = self.find(css).await.click().await {
            panic!("{css} cannot be clicked: {error}");
        }
    }

    /// Puts text into a field in place of what is there.
    async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses keys where the focus is.
    async fn keys(&self, keys: &str) {
        let focused = self.browser.active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    }

    async fn type_line(&self, line: &str) {
        let composer = self.find("[data-testid=composer]").await;
        composer.send_keys(line).await.unwrap();
        self.click("[data-testid=send]").await;
    }

    async fn has_no_complaints(&self) {
        assert_eq!(self.script("return complaints", &[]).await, json!([]));
    }
}

const LAST: &str = "#messages > li:last-child";

fn last(action: &str) -> String {
    format!("{LAST} [data-action-id='{action}']")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_logs_undoes_and_looks_in_a_browser() {
    let demo = Demo::start(0, Clock::system()).await.unwrap();
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
    let demo = Demo::start(0, Clock::system()).await.unwrap();
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
