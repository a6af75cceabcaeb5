//! How often messages may be posted.

use super::*;
use crate::sandbox::{Limits, NINA, Rates};
use chrono::TimeDelta;

const DM: &str = "D07NINA001";

async fn limited(limits: Limits) -> Sandbox {
    Sandbox::start(Options {
        limits: Some(limits),
        ..options()
    })
    .await
    .unwrap()
}

/// `None` when it was posted, otherwise the seconds to wait.
async fn post(sandbox: &Sandbox, channel: &str) -> Option<String> {
    let response = http()
        .post(format!("{}/chat.postMessage", sandbox.api_url()))
        .bearer_auth(sandbox.bot_token())
        .json(&json!({"channel": channel, "text": "x"}))
        .send()
        .await
        .unwrap();
    if response.status() == 200 {
        return None;
    }
    assert_eq!(response.status(), 429);
    let wait = response.headers()["retry-after"]
        .to_str()
        .unwrap()
        .to_owned();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"], "ratelimited");
    Some(wait)
}

#[tokio::test]
async fn a_conversation_takes_a_short_burst_and_then_one_a_second() {
    let sandbox = limited(Limits::default()).await;
    let clock = sandbox.slack.options.clock.clone();
    // A person's id means their direct message.
    for channel in [NINA, DM, NINA] {
        assert_eq!(post(&sandbox, channel).await, None);
    }
    assert_eq!(post(&sandbox, DM).await.as_deref(), Some("1"));
    assert_eq!(
        post(&sandbox, "C07ACME001").await,
        None,
        "another does not wait"
    );
    clock.advance(TimeDelta::milliseconds(999));
    assert_eq!(post(&sandbox, DM).await.as_deref(), Some("1"));
    clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(post(&sandbox, DM).await, None);
    assert_eq!(post(&sandbox, DM).await.as_deref(), Some("1"));
    assert_eq!(sandbox.messages("nina", "dm").len(), 4);
    assert_eq!(
        sandbox.rates(),
        Rates {
            refused: 3,
            most_in_a_minute: 8,
            most_in_a_second: 5,
        }
    );
    assert!(
        sandbox.violations().is_empty(),
        "Slack tolerates being asked too often"
    );
}

#[tokio::test]
async fn a_workspace_takes_its_messages_evenly() {
    let sandbox = limited(Limits {
        channel_burst: 100,
        workspace_per_minute: 6,
        workspace_burst: 2,
        ..Limits::default()
    })
    .await;
    let clock = sandbox.slack.options.clock.clone();
    assert_eq!(post(&sandbox, NINA).await, None);
    assert_eq!(post(&sandbox, "C07ACME001").await, None);
    assert_eq!(post(&sandbox, "C07GENERAL").await.as_deref(), Some("10"));
    clock.advance(TimeDelta::seconds(10));
    assert_eq!(post(&sandbox, "C07GENERAL").await, None);
    assert_eq!(sandbox.rates().most_in_a_minute, 4);
    clock.advance(TimeDelta::seconds(61));
    assert_eq!(post(&sandbox, NINA).await, None);
    assert_eq!(sandbox.rates().most_in_a_minute, 4, "of any minute");
    // What does not exist is refused as ever, and costs nothing.
    let nowhere = call(
        &sandbox,
        "chat.postMessage",
        json!({"channel": "C0", "text": "x"}),
    );
    assert_eq!(nowhere.await["error"], "channel_not_found");
}

#[tokio::test]
async fn without_limits_nothing_is_refused() {
    let sandbox = start().await;
    for _ in 0..40 {
        assert_eq!(post(&sandbox, NINA).await, None);
    }
    assert_eq!(sandbox.rates(), Rates::default());
}
