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
