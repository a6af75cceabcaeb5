//! A browser without a screen: it keeps cookies, follows redirects within BillOps, and stops where a provider begins.

use std::collections::HashMap;

use billops::domain::calendar::Account;
use billops::sandbox::{Decision, NINA_EMAIL, Sandbox};
use reqwest::{Method, StatusCode, header};
use url::Url;

use crate::bot::{NINA, TestBot};

/// One browser.
pub(crate) struct Visitor {
    http: reqwest::Client,
    /// How BillOps is reached; cookies go there only.
    home: Url,
    pub(crate) cookies: HashMap<String, String>,
    /// Every address it was sent to, the last one last.
    pub(crate) visited: Vec<String>,
    /// What it was answered: every header but the addresses of others it was sent to, and every body.
    pub(crate) received: String,
}

/// What a request was answered with.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) url: Url,
    pub(crate) headers: header::HeaderMap,
    pub(crate) body: String,
}

impl Page {
    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, rest) = self
            .body
            .split_once(&mark)
            .unwrap_or_else(|| panic!("no {name} in {}", self.body));
        rest.split('"').next().unwrap().to_owned()
    }

    /// Where its form leads.
    pub(crate) fn action(&self) -> Url {
        let form = self.body.split_once("<form").unwrap().1;
        let form = form.split('>').next().unwrap();
        match form.split_once("action=\"") {
            Some((_, rest)) => self.url.join(rest.split('"').next().unwrap()).unwrap(),
            None => self.url.clone(),
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }
}

impl Visitor {
    pub(crate) fn new(bot: &TestBot) -> Self {
        Self::of(&format!("http://{}", bot.bot.web_address()))
    }

    pub(crate) fn of(home: &str) -> Self {
        // Fails only where it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            http,
            home: home.parse().unwrap(),
            cookies: HashMap::new(),
            visited: Vec::new(),
            received: String::new(),
        }
    }

    pub(crate) fn at(&self, path: &str) -> Url {
        self.home.join(path).unwrap()
    }

    /// One request, without following. It says that it comes from BillOps' own page, unless `headers` say something
    /// else about its origin; an empty header is left out.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        url: &Url,
        body: Option<(&str, String)>,
        headers: &[(&str, &str)],
    ) -> Page {
        self.visited.push(url.to_string());
        let is_home = url.origin() == self.home.origin();
        let mut request = self.http.request(method.clone(), url.clone());
        if is_home && !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if method != Method::GET && !headers.iter().any(|(name, _)| *name == "origin") {
            request = request.header(header::ORIGIN, self.home.origin().ascii_serialization());
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        if let Some((kind, body)) = body {
            request = request.header(header::CONTENT_TYPE, kind).body(body);
        }
        let response = request.send().await.unwrap();
        if is_home {
            for cookie in response.headers().get_all(header::SET_COOKIE) {
                let cookie = cookie::Cookie::parse(cookie.to_str().unwrap().to_owned()).unwrap();
                if cookie.value().is_empty() {
                    self.cookies.remove(cookie.name());
                } else {
                    self.cookies
                        .insert(cookie.name().to_owned(), cookie.value().to_owned());
                }
            }
        }
        let page = Page {
            status: response.status(),
            url: url.clone(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        };
        for (name, value) in &page.headers {
            let value = value.to_str().unwrap();
            if name != header::LOCATION || !value.starts_with("http") {
                self.received.extend([name.as_str(), ": ", value, "\n"]);
            }
        }
        self.received.push_str(&page.body);
        page
    }

    /// Opens an address and follows redirects, as long as they lead to BillOps.
    pub(crate) async fn open(&mut self, url: &Url) -> Page {
        let page = self.send(Method::GET, url, None, &[]).await;
        self.follow(page).await
    }

    async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..10 {
            let Some(location) = page.headers.get(header::LOCATION) else {
                return page;
            };
            let next = page.url.join(location.to_str().unwrap()).unwrap();
            if next.origin() != self.home.origin() {
                return Page { url: next, ..page };
            }
            page = self.send(Method::GET, &next, None, &[]).await;
        }
        panic!("it never ends: {:?}", self.visited);
    }

    /// Submits the page's form.
    pub(crate) async fn submit(&mut self, page: &Page) -> Page {
        let body = format!("form_token={}", page.hidden("form_token"));
        let kind = "application/x-www-form-urlencoded";
        let page = self
            .send(Method::POST, &page.action(), Some((kind, body)), &[])
            .await;
        self.follow(page).await
    }

    /// Signs in with Slack as this person, from a page that asks for it.
    pub(crate) async fn sign_in(&mut self, slack: &Sandbox, page: &Page, person: &str) -> Page {
        let off = self.submit(page).await;
        assert!(
            off.url.path().ends_with("/openid/connect/authorize"),
            "{off:?}"
        );
        let back = slack
            .consent(off.url.as_str(), person, Decision::Allow)
            .await
            .unwrap();
        self.open(&back.parse().unwrap()).await
    }

    /// Signs in with Slack, without a link.
    pub(crate) async fn log_in(&mut self, slack: &Sandbox, person: &str) -> Page {
        let off = self.open(&self.at("/api/v1/auth/slack/login?then=/")).await;
        let back = slack
            .consent(off.url.as_str(), person, Decision::Allow)
            .await
            .unwrap();
        self.open(&back.parse().unwrap()).await
    }
}

/// The link in what `/time connect …` answers.
pub(crate) fn link_of(message: &billops::sandbox::Message) -> Url {
    let blocks = serde_json::Value::from(message.blocks.clone());
    let mut urls = Vec::new();
    collect(&blocks, &mut urls);
    assert_eq!(urls.len(), 1, "{blocks}");
    urls.remove(0).parse().unwrap()
}

fn collect(value: &serde_json::Value, urls: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                match value.as_str() {
                    Some(url) if name == "url" => urls.push(url.to_owned()),
                    _ => collect(value, urls),
                }
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, urls)),
        _ => {}
    }
}

/// Nina connects a calendar, from the command to the last page; the browser that she did it in.
pub(crate) async fn connect(bot: &TestBot, provider: &str) -> (Visitor, Page) {
    let link = link_of(&bot.say(&format!("/time connect {provider}")).await);
    let mut visitor = Visitor::new(bot);
    let page = visitor.open(&link).await;
    let page = visitor.sign_in(&bot.slack, &page, NINA).await;
    let off = visitor.submit(&page).await;
    let back = bot
        .slack
        .consent(off.url.as_str(), NINA_EMAIL, Decision::Allow)
        .await
        .unwrap();
    let page = visitor.open(&back.parse().unwrap()).await;
    until_read(bot).await;
    (visitor, page)
}

/// Waits until each calendar of Nina's that is chosen was read for the first time, which happens by itself.
async fn until_read(bot: &TestBot) {
    let store = bot.bot.store();
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let member = store
            .member("T07TERN001", "U07NINA001")
            .await
            .unwrap()
            .unwrap();
        let accounts = store.accounts(member.user_id).await.unwrap();
        let mut read = accounts.iter().flat_map(Account::read);
        if read.all(|calendar| calendar.last_synced_at.is_some()) {
            return;
        }
        assert!(
            tokio::time::Instant::now() < until,
            "a calendar is not read"
        );
        tokio::task::yield_now().await;
    }
}

/// Waits until nothing is left to be done by itself.
pub(crate) async fn settled(bot: &TestBot) {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while bot.bot.store().job_counts().await.unwrap().open > 0 {
        assert!(tokio::time::Instant::now() < until, "jobs are left undone");
        tokio::task::yield_now().await;
    }
}
