//! `conversations.history`, as Slack documents it.

use super::*;
use crate::sandbox::{Manifest, NINA};
use chrono::TimeDelta;

const DM: &str = "D07NINA001";

/// Posts a message a second, and gives each its `ts`.
async fn posted(sandbox: &Sandbox, texts: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for text in texts {
        let body = json!({"channel": NINA, "text": text});
        let answer = call(sandbox, "chat.postMessage", body).await;
        all.push(answer["ts"].as_str().unwrap().to_owned());
        sandbox.slack.options.clock.advance(TimeDelta::seconds(1));
    }
    all
}

async fn history(sandbox: &Sandbox, more: Value) -> Value {
    let mut body = json!({"channel": DM});
    let fields = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    call(sandbox, "conversations.history", body).await
}

fn texts(answer: &Value) -> Vec<&str> {
    let messages = answer["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["text"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn messages_come_newest_first_and_complete() {
    let sandbox = start().await;
    let mut body = card();
    body["channel"] = json!(NINA);
    let posted = call(&sandbox, "chat.postMessage", body).await;
    sandbox.say("nina", "dm", "Thanks").await.unwrap();
    let ephemeral = json!({"channel": DM, "user": NINA, "text": "Only you see this"});
    call(&sandbox, "chat.postEphemeral", ephemeral).await;
    let answer = history(&sandbox, json!({})).await;
    assert_eq!(
        texts(&answer),
        ["Thanks", "Logged 2 h"],
        "ephemeral is in no history"
    );
    assert_eq!(answer["has_more"], false);
    assert!(answer.get("response_metadata").is_none());
    let [thanks, card] = [&answer["messages"][0], &answer["messages"][1]];
    assert_eq!(thanks["user"], NINA);
    assert!(thanks.get("bot_id").is_none());
    assert_eq!(card["type"], "message");
    assert_eq!(card["user"], "U07BILLOPS");
    assert_eq!(card["bot_id"], "B07BILLOPS");
    assert_eq!(card["app_id"], "A07BILLOPS");
    assert_eq!(card["ts"], posted["ts"]);
    assert_eq!(card["blocks"][1]["block_id"], "card.actions.r1");
    assert!(
        card["blocks"][0]["block_id"].is_string(),
        "Slack fills it in"
    );
    assert!(card.get("edited").is_none());

    let update = json!({"channel": DM, "ts": posted["ts"], "text": "Changed"});
    call(&sandbox, "chat.update", update).await;
    let answer = history(&sandbox, json!({})).await;
    assert_eq!(answer["messages"][1]["text"], "Changed");
    assert_eq!(answer["messages"][1]["edited"]["user"], "U07BILLOPS");
    assert!(sandbox.violations().is_empty());
}

#[tokio::test]
async fn times_bound_what_is_read() {
    let sandbox = start().await;
    let ts = posted(&sandbox, &["a", "b", "c", "d"]).await;
    let read = async |more: Value| {
        let answer = history(&sandbox, more).await;
        texts(&answer).join(" ")
    };
    assert_eq!(read(json!({"oldest": ts[1]})).await, "d c");
    assert_eq!(read(json!({"latest": ts[1]})).await, "a");
    assert_eq!(read(json!({"oldest": ts[1], "latest": ts[3]})).await, "c");
    let one = json!({"oldest": ts[1], "latest": ts[1], "inclusive": true, "limit": 1});
    assert_eq!(read(one).await, "b");
    let both = json!({"oldest": ts[1], "latest": ts[2], "inclusive": true});
    assert_eq!(read(both).await, "c b");
    // Slack takes whole seconds, and numbers where the body is JSON.
    assert_eq!(read(json!({"oldest": "1795170601"})).await, "d c");
    assert_eq!(
        read(json!({"oldest": 1_795_170_601, "inclusive": "true"})).await,
        "d c b"
    );
    assert_eq!(read(json!({"oldest": "0", "latest": "1"})).await, "");

    // The same as a query.
    let url = format!(
        "{}/conversations.history?channel={DM}&oldest={}&inclusive=1&limit=2",
        sandbox.api_url(),
        ts[0]
    );
    let get = http().get(url).bearer_auth(sandbox.bot_token());
    let answer: Value = get.send().await.unwrap().json().await.unwrap();
    assert_eq!(texts(&answer), ["d", "c"]);
    assert_eq!(answer["has_more"], true);
}

#[tokio::test]
async fn pages_follow_one_another_also_while_more_is_written() {
    let sandbox = start().await;
    posted(&sandbox, &["a", "b", "c", "d", "e"]).await;
    let first = history(&sandbox, json!({"limit": 2})).await;
    assert_eq!(texts(&first), ["e", "d"]);
    assert_eq!(first["has_more"], true);
    posted(&sandbox, &["f"]).await;
    let next = &first["response_metadata"]["next_cursor"];
    let second = history(&sandbox, json!({"limit": 2, "cursor": next})).await;
    assert_eq!(texts(&second), ["c", "b"]);
    let next = &second["response_metadata"]["next_cursor"];
    let third = history(&sandbox, json!({"limit": 2, "cursor": next})).await;
    assert_eq!(texts(&third), ["a"]);
    assert_eq!(third["has_more"], false);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_slacks_words() {
    let sandbox = start().await;
    let error = async |more: Value| history(&sandbox, more).await["error"].clone();
    assert_eq!(error(json!({"channel": "D0"})).await, "channel_not_found");
    assert_eq!(error(json!({"channel": null})).await, "channel_not_found");
    assert_eq!(error(json!({"channel": NINA})).await, "channel_not_found");
    for limit in [json!(0), json!(1000), json!("many"), json!(-1)] {
        assert_eq!(error(json!({"limit": limit})).await, "invalid_limit");
    }
    for cursor in ["x", "bmV4dF90czo=", "AAAA"] {
        assert_eq!(error(json!({"cursor": cursor})).await, "invalid_cursor");
    }
    assert_eq!(error(json!({"oldest": "now"})).await, "invalid_ts_oldest");
    assert_eq!(error(json!({"latest": "1.2.3"})).await, "invalid_ts_latest");
    assert_eq!(history(&sandbox, json!({"limit": 999})).await["ok"], true);
    let answer = history(&sandbox, json!({"channel": "C07ACME001"})).await;
    assert_eq!(answer["error"], "missing_scope");
    assert_eq!(answer["needed"], "channels:history");
    assert_eq!(errors(&sandbox).len(), 13);
}

#[tokio::test]
async fn reading_needs_the_scope_of_the_conversation() {
    let with = async |scope: &str| {
        let manifest = Manifest {
            scopes: vec![scope.to_owned()],
            ..Manifest::default()
        };
        let options = Options {
            manifest,
            ..options()
        };
        Sandbox::start(options).await.unwrap()
    };
    let sandbox = with("commands").await;
    let answer = history(&sandbox, json!({})).await;
    assert_eq!(answer["error"], "missing_scope");
    let sandbox = with("channels:history").await;
    let answer = history(&sandbox, json!({})).await;
    assert_eq!(answer["needed"], "im:history");
    let read = |channel: &str| history(&sandbox, json!({"channel": channel}));
    assert_eq!(read("C07ACME001").await["ok"], true);
    assert_eq!(read("C07HALDEN1").await["error"], "not_in_channel");
}
