//! The API's document, as a program that knows nothing else finds it.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{bot::TestBot, visitor::Visitor};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The document, as anybody gets it.
async fn document(visitor: &mut Visitor) -> Value {
    let url = visitor.at("/api/v1/openapi.json");
    let page = visitor.send(Method::GET, &url, None, &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.headers["content-type"], "application/json");
    page.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_path_takes_the_methods_that_its_document_names() {
    let bot = TestBot::start().await;
    let mut visitor = Visitor::new(&bot);
    let document = document(&mut visitor).await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "/api/v1");
    for (path, item) in document["paths"].as_object().unwrap() {
        let named: BTreeSet<String> = METHODS
            .into_iter()
            .filter(|method| item.get(method).is_some())
            .map(str::to_uppercase)
            .collect();
        assert!(!named.is_empty(), "{path}");
        let filled = path.replace("{provider}", "google").replace("{id}", "x");
        let url = visitor.at(&format!("/api/v1{filled}"));
        let brew = Method::from_bytes(b"BREW").unwrap();
        let page = visitor.send(brew, &url, None, &[]).await;
        assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        let mut allowed: BTreeSet<String> = page.headers["allow"]
            .to_str()
            .unwrap()
            .split(',')
            .map(|method| method.trim().to_owned())
            .collect();
        // What can be got can be asked about.
        assert_eq!(allowed.remove("HEAD"), named.contains("GET"), "{path}");
        assert_eq!(allowed, named, "{path}");
        let problem = page.json();
        assert_eq!(problem["type"], "urn:billops:method-not-allowed");
        assert_eq!(problem["instance"], url.path());
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_about_the_api_shows_all_of_it_and_asks_nobody_else() {
    let bot = TestBot::start().await;
    let mut visitor = Visitor::new(&bot);
    let document = document(&mut visitor).await;
    let page = visitor.open(&visitor.at("/api/docs")).await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; connect-src 'self';"));
    assert!(!policy.contains("unsafe") && !policy.contains("http"));
    for item in document["paths"].as_object().unwrap().values() {
        for operation in METHODS.iter().filter_map(|method| item.get(method)) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.body.contains(&format!("id=\"{id}\"")), "{id}");
        }
    }
    let no_token = page.body.matches("no API token does this").count();
    assert_eq!(no_token, 2, "signing out everywhere, and the audit trail");
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(
            page.body.contains(&format!("id=\"shape-{name}\"")),
            "{name}"
        );
    }
    // Whatever it loads or leads to is here.
    for attribute in ["src=\"", "href=\"", "action=\""] {
        for rest in page.body.split(attribute).skip(1) {
            assert!(rest.starts_with('/') || rest.starts_with('#'), "{rest:.80}");
        }
    }
    assert!(!page.body.contains("style=\"") && !page.body.contains("<style"));
    for inside in page.body.split("<script").skip(1) {
        assert!(
            inside.starts_with(" src=\"/docs.js\" defer></script>"),
            "{inside:.80}"
        );
    }
    for (path, kind) in [("/docs.js", "text/javascript"), ("/docs.css", "text/css")] {
        let page = visitor.open(&visitor.at(path)).await;
        assert!(
            page.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with(kind)
        );
        assert!(!page.body.contains("https://"), "{path}");
    }
    // No other page may run anything.
    let page = visitor.open(&visitor.at("/")).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(!policy.contains("script-src"), "{policy}");
    bot.finish().await;
}
