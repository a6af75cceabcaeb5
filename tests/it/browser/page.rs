//! A browser, and what a person does in it.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element, wd::WindowHandle};
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

/// A browser, turned to one of its tabs.
pub(super) struct Page {
    pub(super) browser: Client,
    _profile: TempDir,
    _driver: Driver,
}

impl Page {
    pub(super) async fn open(url: &str) -> Self {
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

    pub(super) async fn goto(&self, url: &str) {
        self.browser.goto(url).await.unwrap();
        self.find("body.ready").await;
        self.browser.execute(COMPLAINTS, vec![]).await.unwrap();
    }

    pub(super) async fn find(&self, css: &str) -> Element {
        let found = self.browser.wait().at_most(Duration::from_secs(5));
        match found.for_element(Locator::Css(css)).await {
            Ok(element) => element,
            Err(error) => panic!("{css}: {error}; the page says: {}", self.text("body").await),
        }
    }

    pub(super) async fn text(&self, css: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
        self.script(script, &[css])
            .await
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(super) async fn script(&self, script: &str, words: &[&str]) -> Value {
        let words = words.iter().map(|word| json!(word)).collect();
        self.browser.execute(script, words).await.unwrap()
    }

    /// Waits until what `css` names says `words`.
    pub(super) async fn reads(&self, css: &str, words: &str) {
        self.comes_to(css, words, true).await;
    }

    /// Waits until it no longer says them.
    pub(super) async fn reads_not(&self, css: &str, words: &str) {
        self.comes_to(css, words, false).await;
    }

    async fn comes_to(&self, css: &str, words: &str, is_said: bool) {
        let until = tokio::time::Instant::now() + Duration::from_secs(5);
        loop {
            let text = self.text(css).await;
            if text.contains(words) == is_said {
                return;
            }
            let should = if is_said { "should" } else { "should not" };
            assert!(
                tokio::time::Instant::now() < until,
                "{css} {should} say “{words}”, and says: {text}"
            );
        }
    }

    /// Clicks on it, and where it is drawn anew at that moment, on what stands in its place.
    pub(super) async fn click(&self, css: &str) {
        let until = tokio::time::Instant::now() + Duration::from_secs(5);
        while let Err(error) = self.find(css).await.click().await {
            assert!(
                error.is_stale_element_reference() && tokio::time::Instant::now() < until,
                "{css} cannot be clicked: {error}"
            );
        }
    }

    /// Puts text into a field in place of what is there.
    pub(super) async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses keys where the focus is.
    pub(super) async fn keys(&self, keys: &str) {
        let focused = self.browser.active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    }

    pub(super) async fn type_line(&self, line: &str) {
        let composer = self.find("[data-testid=composer]").await;
        composer.send_keys(line).await.unwrap();
        self.click("[data-testid=send]").await;
    }

    /// Clicks on what opens another tab, and turns to that one. The tab that was left is what comes back.
    pub(super) async fn follow(&self, css: &str) -> WindowHandle {
        let before = self.browser.windows().await.unwrap();
        let here = self.browser.window().await.unwrap();
        self.click(css).await;
        let until = tokio::time::Instant::now() + Duration::from_secs(5);
        let new = loop {
            let now = self.browser.windows().await.unwrap();
            if let Some(new) = now.into_iter().find(|tab| !before.contains(tab)) {
                break new;
            }
            assert!(tokio::time::Instant::now() < until, "{css} opens no tab");
        };
        self.browser.switch_to_window(new).await.unwrap();
        here
    }

    /// Closes the tab and turns to another.
    pub(super) async fn close_for(&self, other: WindowHandle) {
        self.browser.close_window().await.unwrap();
        self.browser.switch_to_window(other).await.unwrap();
    }

    pub(super) async fn has_no_complaints(&self) {
        assert_eq!(self.script("return complaints", &[]).await, json!([]));
    }
}
