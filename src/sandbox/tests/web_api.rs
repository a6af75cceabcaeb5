//! Each call as Slack documents it, and each refusal in Slack's words.

use super::*;
use crate::sandbox::{Fault, Manifest, NINA};
use chrono::TimeDelta;

#[tokio::test]
async fn tokens_are_told_apart() {
    let sandbox = start().await;
    let post = |method: &str| http().post(format!("{}/{method}", sandbox.api_url()));
    let error = async |request: reqwest::RequestBuilder| -> String {
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["error"].as_str().unwrap_or("none").to_owned()
    };
    assert_eq!(error(post("auth.test")).await, "not_authed");
    assert_eq!(
        error(post("auth.test").bearer_auth("xoxb-other")).await,
        "invalid_auth"
    );
    assert_eq!(
        error(post("auth.test").bearer_auth(sandbox.app_token())).await,
        "not_allowed_token_type"
    );
    let in_json = post("auth.test").json(&json!({"token": sandbox.bot_token()}));
    assert_eq!(error(in_json).await, "not_authed");
    let in_form = form(post("auth.test"), &[("token", sandbox.bot_token())]);
    assert_eq!(error(in_form).await, "none");

    let open = || post("apps.connections.open");
    assert_eq!(error(open()).await, "not_authed");
    assert_eq!(
        error(open().bearer_auth(sandbox.bot_token())).await,
        "not_allowed_token_type"
    );
    assert_eq!(
        error(open().bearer_auth("xapp-1-other")).await,
        "invalid_auth"
    );
    let as_parameter = form(open(), &[("token", sandbox.app_token())]);
    assert_eq!(error(as_parameter).await, "invalid_auth");
    let get = http().get(format!("{}/apps.connections.open", sandbox.api_url()));
    assert_eq!(
        error(get.bearer_auth(sandbox.app_token())).await,
        "insecure_request"
    );
    assert_eq!(error(open().bearer_auth(sandbox.app_token())).await, "none");
    assert_eq!(errors(&sandbox).len(), 9);
}

#[tokio::test]
async fn bodies_must_be_what_they_say() {
    let sandbox = start().await;
    let error = async |kind: Option<&str>, body: &'static str| -> String {
        let mut request = http()
            .post(format!("{}/chat.postMessage", sandbox.api_url()))
            .bearer_auth(sandbox.bot_token())
            .body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["error"].as_str().unwrap_or("none").to_owned()
    };
    assert_eq!(error(Some("application/json"), "{").await, "invalid_json");
    assert_eq!(
        error(Some("application/json"), "[]").await,
        "json_not_object"
    );
    assert_eq!(error(Some("text/plain"), "x").await, "invalid_post_type");
    assert_eq!(error(None, "x").await, "missing_post_type");
    assert_eq!(
        error(
            Some("application/json; charset=utf-8"),
            r#"{"channel":"C07ACME001","text":"x"}"#
        )
        .await,
        "none"
    );
}

#[tokio::test]
async fn scopes_come_from_the_manifest() {
    let manifest = Manifest {
        scopes: vec!["commands".to_owned()],
        ..Manifest::default()
    };
    let sandbox = Sandbox::start(Options {
        manifest,
        ..options()
    })
    .await
    .unwrap();
    for (method, needed) in [
        ("chat.postMessage", "chat:write"),
        ("users.info", "users:read"),
    ] {
        let answer = call(&sandbox, method, json!({"user": NINA})).await;
        assert_eq!(answer["error"], "missing_scope");
        assert_eq!(answer["needed"], needed);
        assert_eq!(answer["provided"], "commands");
    }
}

#[tokio::test]
async fn people_are_described_without_what_was_not_granted() {
    let sandbox = start().await;
    let url = format!("{}/users.info?user=U07PRIYA04", sandbox.api_url());
    let get = http().get(url).bearer_auth(sandbox.bot_token());
    let answer: Value = get.send().await.unwrap().json().await.unwrap();
    let user = &answer["user"];
    assert_eq!(user["tz"], "Asia/Kolkata");
    assert_eq!(user["tz_offset"], 19_800);
    assert!(user["profile"].get("email").is_none() && user.get("locale").is_none());
    let answer = call(
        &sandbox,
        "users.info",
        json!({"user": NINA, "include_locale": true}),
    )
    .await;
    assert_eq!(answer["user"]["locale"], "de-DE");
    assert_eq!(answer["user"]["is_admin"], true);
    let answer = call(&sandbox, "users.info", json!({"user": "U0"})).await;
    assert_eq!(answer["error"], "user_not_found");
}

#[tokio::test]
async fn a_message_to_a_person_opens_their_conversation() {
    let sandbox = start().await;
    let posted = call(
        &sandbox,
        "chat.postMessage",
        json!({"channel": NINA, "text": "Hello"}),
    )
    .await;
    assert_eq!(posted["channel"], "D07NINA001");
    let ts = posted["ts"].as_str().unwrap();
    let messages = sandbox.messages("nina", "dm");
    assert_eq!(
        (messages[0].text.as_str(), messages[0].ts.as_str()),
        ("Hello", ts)
    );
    let opened = call(&sandbox, "conversations.open", json!({"users": NINA})).await;
    assert_eq!(opened["channel"]["id"], "D07NINA001");

    let update = |channel: &str, ts: &str| json!({"channel": channel, "ts": ts, "text": "Bye"});
    let updated = call(&sandbox, "chat.update", update("D07NINA001", ts)).await;
    assert_eq!(updated["text"], "Bye");
    let changed = &sandbox.messages("nina", "dm")[0];
    assert!(changed.edited && changed.text == "Bye");
    let answer = call(&sandbox, "chat.update", update(NINA, ts)).await;
    assert_eq!(answer["error"], "channel_not_found");
    let answer = call(&sandbox, "chat.update", update("D07NINA001", "1.0")).await;
    assert_eq!(answer["error"], "message_not_found");

    let own = sandbox
        .say("nina", "dm", "Thanks")
        .await
        .unwrap()
        .message
        .unwrap();
    let answer = call(&sandbox, "chat.update", update("D07NINA001", &own.ts)).await;
    assert_eq!(answer["error"], "cant_update_message");
    let delete = |ts: &str| json!({"channel": "D07NINA001", "ts": ts});
    let answer = call(&sandbox, "chat.delete", delete(&own.ts)).await;
    assert_eq!(answer["error"], "cant_delete_message");
    assert_eq!(call(&sandbox, "chat.delete", delete(ts)).await["ok"], true);
    assert_eq!(sandbox.messages("nina", "dm").len(), 1);
}

#[tokio::test]
async fn conversations_are_closed_to_those_outside() {
    let sandbox = start().await;
    let post = |channel: &str| json!({"channel": channel, "text": "x"});
    let answer = call(&sandbox, "chat.postMessage", post("C0")).await;
    assert_eq!(answer["error"], "channel_not_found");
    let answer = call(&sandbox, "chat.postMessage", post("C07HALDEN1")).await;
    assert_eq!(answer["error"], "not_in_channel");
    sandbox.set_bot_in("#halden", true);
    assert_eq!(
        call(&sandbox, "chat.postMessage", post("C07HALDEN1")).await["ok"],
        true
    );

    let ephemeral = |user: &str| json!({"channel": "C07ACME001", "user": user, "text": "x"});
    let posted = call(&sandbox, "chat.postEphemeral", ephemeral(NINA)).await;
    assert!(posted["message_ts"].is_string());
    assert_eq!(sandbox.messages("nina", "#acme").len(), 1);
    assert_eq!(sandbox.messages("jonas", "#acme").len(), 0);
    let update = json!({"channel": "C07ACME001", "ts": posted["message_ts"], "text": "y"});
    let answer = call(&sandbox, "chat.update", update).await;
    assert_eq!(
        answer["error"], "message_not_found",
        "ephemeral messages cannot be updated"
    );
    let answer = call(&sandbox, "chat.postEphemeral", ephemeral("U0")).await;
    assert_eq!(answer["error"], "user_not_in_channel");
}

#[tokio::test]
async fn messages_that_slack_refuses() {
    let sandbox = start().await;
    let post = async |more: Value| {
        let mut body = json!({"channel": "C07ACME001"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        call(&sandbox, "chat.postMessage", body).await
    };
    assert_eq!(post(json!({})).await["error"], "no_text");
    assert_eq!(
        post(json!({"text": "x".repeat(40_001)})).await["error"],
        "msg_too_long"
    );
    let many = vec![json!({"type": "divider"}); 51];
    let refused = post(json!({"text": "x", "blocks": many})).await;
    assert_eq!(refused["error"], "invalid_blocks");
    assert_eq!(
        refused["response_metadata"]["messages"],
        json!(["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"])
    );
    assert_eq!(
        post(json!({"text": "x", "blocks": "["})).await["error"],
        "invalid_blocks_format"
    );
    assert_eq!(errors(&sandbox).len(), 4);
    assert_eq!(post(json!({"text": "x", "chanel": "y"})).await["ok"], true);
    assert_eq!(errors(&sandbox), ["unknown_argument"]);
    // Forms carry blocks as a string.
    let fields = [
        ("channel", "C07ACME001"),
        ("blocks", r#"[{"type":"divider"}]"#),
    ];
    let post = http()
        .post(format!("{}/chat.postMessage", sandbox.api_url()))
        .bearer_auth(sandbox.bot_token());
    let answer: Value = form(post, &fields)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["message"]["blocks"][0]["type"], "divider");
}

#[tokio::test]
async fn triggers_open_one_modal_within_three_seconds() {
    let sandbox = start().await;
    let clock = sandbox.slack.options.clock.clone();
    let mut bot = Bot::connect(&sandbox).await;
    let open = async |trigger: &Value, method: &str| {
        call(
            &sandbox,
            method,
            json!({"trigger_id": trigger, "view": modal("Log time")}),
        )
        .await
    };
    let payload = command(&sandbox, &mut bot).await;
    let opened = open(&payload["trigger_id"], "views.open").await;
    assert_eq!(opened["ok"], true);
    assert_eq!(sandbox.modals("nina")[0].title(), "Log time");
    let again = open(&payload["trigger_id"], "views.open").await;
    assert_eq!(again["error"], "exchanged_trigger_id");
    assert_eq!(
        open(&json!("1.2.x"), "views.open").await["error"],
        "invalid_trigger_id"
    );

    let payload = command(&sandbox, &mut bot).await;
    clock.advance(TimeDelta::milliseconds(3001));
    let late = open(&payload["trigger_id"], "views.open").await;
    assert_eq!(late["error"], "expired_trigger_id");

    // A command has no modal below it.
    let payload = command(&sandbox, &mut bot).await;
    assert_eq!(
        open(&payload["trigger_id"], "views.push").await["error"],
        "not_found"
    );
    // A refused view does not use the trigger up.
    let bad = json!({"trigger_id": payload["trigger_id"], "view": {"type": "modal", "blocks": []}});
    let refused = call(&sandbox, "views.open", bad).await;
    assert_eq!(refused["error"], "invalid_arguments");
    let messages = refused["response_metadata"]["messages"].to_string();
    assert!(
        messages.contains("missing required field: title"),
        "{messages}"
    );
    assert_eq!(open(&payload["trigger_id"], "views.open").await["ok"], true);
    let answer = call(&sandbox, "views.open", json!({"view": modal("x")})).await;
    assert_eq!(answer["error"], "invalid_arguments");
}

#[tokio::test]
async fn a_view_over_its_size_is_refused() {
    let sandbox = start().await;
    let text = "x".repeat(2_900);
    let blocks: Vec<Value> = (0..95).map(|_| section(&text)).collect();
    let body = json!({"user_id": NINA, "view": {"type": "home", "blocks": blocks}});
    assert_eq!(
        call(&sandbox, "views.publish", body).await["error"],
        "view_too_large"
    );
}

#[tokio::test]
async fn home_is_guarded_by_its_hash() {
    let sandbox = start().await;
    let publish = async |hash: Option<&Value>| {
        let mut body = json!({"user_id": NINA, "view": home()});
        if let Some(hash) = hash {
            body["hash"] = hash.clone();
        }
        call(&sandbox, "views.publish", body).await
    };
    let first = publish(None).await;
    assert_eq!(
        first["view"]["state"]["values"],
        json!([]),
        "an array when empty"
    );
    let hash = &first["view"]["hash"];
    let second = publish(Some(hash)).await;
    assert_eq!(second["view"]["id"], first["view"]["id"]);
    assert_ne!(second["view"]["hash"], *hash);
    assert_eq!(publish(Some(hash)).await["error"], "hash_conflict");
    assert_eq!(publish(Some(&second["view"]["hash"])).await["ok"], true);
    let stranger = json!({"user_id": "U0", "view": home()});
    assert_eq!(
        call(&sandbox, "views.publish", stranger).await["error"],
        "invalid_arguments"
    );
    let modal = json!({"user_id": NINA, "view": modal("x")});
    assert_eq!(
        call(&sandbox, "views.publish", modal).await["error"],
        "invalid_arguments"
    );
}

#[tokio::test]
async fn without_a_home_tab_nothing_is_published() {
    let manifest = Manifest {
        home_tab: false,
        ..Manifest::default()
    };
    let sandbox = Sandbox::start(Options {
        manifest,
        ..options()
    })
    .await
    .unwrap();
    let body = json!({"user_id": NINA, "view": home()});
    assert_eq!(
        call(&sandbox, "views.publish", body).await["error"],
        "not_enabled"
    );
}

#[tokio::test]
async fn views_are_updated_by_id_and_by_external_id() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let payload = command(&sandbox, &mut bot).await;
    let mut view = modal("Loading…");
    view["external_id"] = json!("form-1");
    let body = json!({"trigger_id": payload["trigger_id"], "view": view});
    let opened = call(&sandbox, "views.open", body).await;
    let mut update = json!({"view_id": opened["view"]["id"], "hash": opened["view"]["hash"],
        "view": modal("Log time")});
    assert_eq!(
        call(&sandbox, "views.update", update.clone()).await["ok"],
        true
    );
    let stale = call(&sandbox, "views.update", update.clone()).await;
    assert_eq!(stale["error"], "hash_conflict");
    update["view_id"] = json!("V0");
    assert_eq!(
        call(&sandbox, "views.update", update).await["error"],
        "not_found"
    );
    // The update above took the external id away.
    let by_name = json!({"external_id": "form-1", "view": modal("x")});
    assert_eq!(
        call(&sandbox, "views.update", by_name).await["error"],
        "not_found"
    );
    let other_type = json!({"view_id": opened["view"]["id"], "view": home()});
    assert_eq!(
        call(&sandbox, "views.update", other_type).await["error"],
        "invalid_arguments"
    );
    let unnamed = json!({"view": home()});
    assert_eq!(
        call(&sandbox, "views.update", unnamed).await["error"],
        "invalid_arguments"
    );
}

#[tokio::test]
async fn an_external_id_names_one_view() {
    let sandbox = start().await;
    let mut view = home();
    view["external_id"] = json!("home-1");
    let publish = async |user: &str, view: &Value| {
        call(
            &sandbox,
            "views.publish",
            json!({"user_id": user, "view": view}),
        )
        .await
    };
    assert_eq!(publish(NINA, &view).await["ok"], true);
    assert_eq!(publish(NINA, &view).await["ok"], true, "its own may stay");
    let mut bot = Bot::connect(&sandbox).await;
    let payload = command(&sandbox, &mut bot).await;
    let mut other = modal("x");
    other["external_id"] = json!("home-1");
    let body = json!({"trigger_id": payload["trigger_id"], "view": other});
    assert_eq!(
        call(&sandbox, "views.open", body).await["error"],
        "duplicate_external_id"
    );
}

#[tokio::test]
async fn outages_are_switches() {
    let sandbox = start().await;
    let post = || {
        http()
            .post(format!("{}/chat.postMessage", sandbox.api_url()))
            .bearer_auth(sandbox.bot_token())
            .json(&json!({"channel": NINA, "text": "x"}))
            .send()
    };
    sandbox.fail_next("chat.postMessage", 1, Fault::RateLimited(30));
    sandbox.fail_next("chat.postMessage", 1, Fault::Status(503));
    sandbox.fail_next("*", 1, Fault::Error("token_revoked".to_owned()));
    sandbox.fail_next("*", 1, Fault::Slow(Duration::from_millis(50)));
    let limited = post().await.unwrap();
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["retry-after"], "30");
    assert_eq!(
        limited.json::<Value>().await.unwrap()["error"],
        "ratelimited"
    );
    assert_eq!(post().await.unwrap().status(), 503);
    let revoked: Value = post().await.unwrap().json().await.unwrap();
    assert_eq!(revoked["error"], "token_revoked");
    let before = std::time::Instant::now();
    assert_eq!(post().await.unwrap().status(), 200);
    assert!(before.elapsed() >= Duration::from_millis(50));
    sandbox.fail_next("*", u32::MAX, Fault::Status(500));
    sandbox.clear_faults();
    assert_eq!(post().await.unwrap().status(), 200);
    assert!(
        sandbox.violations().is_empty(),
        "outages are not the bot's doing"
    );
    assert_eq!(
        sandbox.messages("nina", "dm").len(),
        2,
        "what failed was not posted"
    );
}

#[tokio::test]
async fn refusals_can_be_played_in_slacks_words() {
    let sandbox = start().await;
    let post = || {
        let body = json!({"channel": NINA, "text": "x"});
        call(&sandbox, "chat.postMessage", body)
    };
    for error in [
        "account_inactive",
        "channel_not_found",
        "is_archived",
        "messages_tab_disabled",
        "token_revoked",
        "user_disabled",
    ] {
        sandbox.fail_next("chat.postMessage", 1, Fault::Error(error.to_owned()));
        assert_eq!(post().await, json!({"ok": false, "error": error}));
    }
    assert!(sandbox.messages("nina", "dm").is_empty());
    assert_eq!(post().await["ok"], true);
}

#[tokio::test]
async fn what_is_done_may_stay_unanswered() {
    let sandbox = start().await;
    let post = async |text: &str, patience: Duration| {
        let sent = http()
            .post(format!("{}/chat.postMessage", sandbox.api_url()))
            .bearer_auth(sandbox.bot_token())
            .timeout(patience)
            .json(&json!({"channel": NINA, "text": text}))
            .send();
        sent.await?.json::<Value>().await
    };
    let long = Duration::from_secs(60);
    sandbox.fail_next("chat.postMessage", 1, Fault::DoneButUnanswered);
    let cut = post("cut", long).await.unwrap_err();
    assert!(!cut.is_timeout(), "{cut:?}");
    sandbox.fail_next("chat.postMessage", 1, Fault::AnsweredLate(long));
    let late = post("late", Duration::from_millis(100)).await.unwrap_err();
    assert!(late.is_timeout(), "{late:?}");
    sandbox.fail_next("chat.postMessage", 1, Fault::AnsweredLate(Duration::ZERO));
    assert_eq!(post("patient", long).await.unwrap()["ok"], true);
    let messages = sandbox.messages("nina", "dm");
    let texts: Vec<_> = messages
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    assert_eq!(texts, ["cut", "late", "patient"]);
    assert!(sandbox.violations().is_empty());
}

#[tokio::test]
async fn methods_that_are_not_there() {
    let sandbox = start().await;
    assert_eq!(
        call(&sandbox, "chat.shout", json!({})).await["error"],
        "unknown_method"
    );
    assert_eq!(
        call(&sandbox, "api.test", json!({"foo": "bar"})).await["args"]["foo"],
        "bar"
    );
    assert_eq!(
        call(&sandbox, "api.test", json!({"error": "my_error"})).await["error"],
        "my_error"
    );
}
