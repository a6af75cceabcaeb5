//! Schemathesis reads the API's document and sends what it allows, and what it forbids, for as long as this test lets
//! it: no answer may be a 5xx, and none may be other than the document says.

use std::{path::PathBuf, process::Stdio};

use tokio::process::Command;

use crate::{
    attacks::api_token,
    bot::{NINA, NO_LIMITS, TestBot},
    visitor::{connect, settled},
};

/// Where ./test puts the tools that are not of Rust.
pub(crate) fn tools() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"),
        PathBuf::from,
    );
    cache.join("billops/tools")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fuzzer_finds_no_answer_that_contradicts_the_document() {
    let schemathesis = tools().join("schemathesis/bin/schemathesis");
    assert!(
        schemathesis.exists(),
        "schemathesis is not at {}: run ./test once, which installs it",
        schemathesis.display()
    );
    let bot = TestBot::limited(NO_LIMITS).await;
    // Somebody with a calendar and its events, so that there is something to find.
    let (browser, _) = connect(&bot, "google").await;
    settled(&bot).await;
    let token = api_token(&bot, NINA).await;
    let folder = tempfile::tempdir().unwrap();
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/schemathesis.toml");
    let output = Command::new(schemathesis)
        .args(["--config-file", config, "run"])
        .arg(browser.at("/api/v1/openapi.json").as_str())
        .current_dir(folder.path())
        .env("BILLOPS_TOKEN", token)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("passed"), "it did nothing: {said}");
    bot.finish().await;
}
