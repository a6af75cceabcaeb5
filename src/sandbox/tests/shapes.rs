//! What the sandbox sends has the fields of Slack's documented payloads, down to every level.

use super::*;
use crate::sandbox::{Choice, Enterprise, NINA};

/// Every path that the sample has and the other has not, and every path whose kind differs.
/// Arrays are compared by their first element, free-form maps not at all.
fn missing(sample: &Value, sent: &Value, path: &str, found: &mut Vec<String>) {
    match (sample, sent) {
        (Value::Object(sample), Value::Object(sent)) => {
            for (name, value) in sample {
                let path = format!("{path}/{name}");
                match sent.get(name) {
                    None => found.push(path),
                    // Whose keys are the app's own.
                    Some(_) if name == "values" || name == "blocks" => {}
                    Some(other) => missing(value, other, &path, found),
                }
            }
        }
        (Value::Array(sample), Value::Array(sent)) => {
            if let (Some(sample), Some(sent)) = (sample.first(), sent.first()) {
                missing(sample, sent, &format!("{path}/0"), found);
            }
        }
        (sample, sent) => {
            let same = std::mem::discriminant(sample) == std::mem::discriminant(sent);
            if !same && !sample.is_null() {
                found.push(format!("{path}: {sample} became {sent}"));
            }
        }
    }
}

/// Fields at the top of the payload that the sample has not: recorded traffic has them.
fn added(sample: &Value, sent: &Value) -> Vec<String> {
    let names =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let known = names(sample);
    names(sent)
        .into_iter()
        .filter(|name| !known.contains(name))
        .collect()
}

#[track_caller]
fn assert_shape(name: &str, sent: &Value, not_sent: &[&str], additions: &[&str]) {
    let sample = fixture(name);
    let mut found = Vec::new();
    missing(&sample, sent, "", &mut found);
    assert_eq!(found, not_sent, "{name}, sent {sent:#}");
    let (sample, sent) = match sample.get("payload") {
        Some(payload) => (payload, &sent["payload"]),
        None => (&sample, sent),
    };
    assert_eq!(added(sample, sent), additions, "{name}, sent {sent:#}");
}

const ORG: [&str; 2] = ["enterprise", "is_enterprise_install"];

#[tokio::test]
async fn opening() {
    let sandbox = start().await;
    let opened = call_as(
        &sandbox,
        sandbox.app_token(),
        "apps.connections.open",
        json!({}),
    )
    .await;
    assert_shape("docs_apps_connections_open_response", &opened, &[], &[]);
    let mut bot = Bot::connect(&sandbox).await;
    assert_shape("docs_socket_hello", &bot.hello, &[], &[]);
    sandbox
        .disconnect(only(&sandbox.connections()), "refresh_requested", None)
        .await;
    let frame = bot.frame().await;
    assert_shape("docs_socket_disconnect_refresh_requested", &frame, &[], &[]);
}

#[tokio::test]
async fn commands() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let (sent, _) = envelope_of(&mut bot, sandbox.say("nina", "#acme", "/time")).await;
    let additions = ["api_app_id", "is_enterprise_install"];
    assert_shape("docs_socket_slash_commands", &sent, &[], &additions);
    assert_eq!(sent["accepts_response_payload"], true);
    let sandbox =
        with_bot(|_| Some(fixture("docs_socket_slash_commands_ack")["payload"].clone())).await;
    let answer = sandbox.say("nina", "#acme", "/time").await.unwrap();
    assert_eq!(
        answer.message.unwrap().blocks[1]["text"]["text"],
        "Duino Elegies"
    );
}

#[tokio::test]
async fn messages_and_their_buttons() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let mut message = card();
    message["channel"] = json!(NINA);
    let posted = call(&sandbox, "chat.postMessage", message).await;
    // The sample is of a message with attachments, under another name.
    let not_sent = [
        "/message/attachments",
        "/message/subtype",
        "/message/username",
    ];
    assert_shape("docs_chat_postMessage_response", &posted, &not_sent, &[]);
    let shown = sandbox.messages("nina", "dm").pop().unwrap();
    let (sent, _) = envelope_of(&mut bot, sandbox.click("nina", &shown, "entry.undo")).await;
    // The sample is of a button in an attachment.
    let not_sent = [
        "/payload/container/attachment_id",
        "/payload/container/is_app_unfurl",
    ];
    let additions = ["enterprise", "is_enterprise_install", "state"];
    assert_shape(
        "docs_socket_interactive_block_actions",
        &sent,
        &not_sent,
        &additions,
    );
    assert_eq!(sent["accepts_response_payload"], false);
    let url = sent["payload"]["response_url"].as_str().unwrap();
    let body = fixture("docs_response_url_replace_original");
    let response = http().post(url).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let shown = sandbox.messages("nina", "dm").pop().unwrap();
    assert!(shown.text.starts_with("Thanks for your request"));
}

#[tokio::test]
async fn home_and_its_events() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let mut view = home();
    view["blocks"]
        .as_array_mut()
        .unwrap()
        .push(json!({"type": "actions", "block_id": "prefs",
        "elements": [{"type": "timepicker", "action_id": "digest_time", "initial_time": "17:00",
            "timezone": "Europe/Berlin"}]}));
    let body = json!({"user_id": NINA, "view": home()});
    let published = call(&sandbox, "views.publish", body).await;
    assert_shape("docs_views_publish_response", &published, &[], &[]);
    let (sent, _) = envelope_of(&mut bot, sandbox.open_home("nina")).await;
    assert_shape("docs_socket_app_home_opened", &sent, &[], &[]);
    let shown = sandbox.home("nina").unwrap();
    let (sent, _) = envelope_of(&mut bot, sandbox.click("nina", &shown, "entry.new")).await;
    assert_shape(
        "docs_block_actions_home_tab_button",
        &sent["payload"],
        &[],
        &ORG,
    );
    call(
        &sandbox,
        "views.publish",
        json!({"user_id": NINA, "view": view}),
    )
    .await;
    let shown = sandbox.home("nina").unwrap();
    let half_past = Choice::Is("17:30".to_owned());
    let choose = sandbox.choose("nina", &shown, "digest_time", half_past);
    let (sent, _) = envelope_of(&mut bot, choose).await;
    assert_shape(
        "derived_block_actions_home_tab_timepicker",
        &sent["payload"],
        &[],
        &ORG,
    );
    assert_eq!(
        sent["payload"]["view"]["state"]["values"]["prefs"],
        json!({"digest_time": {"type": "timepicker", "selected_time": "17:30"}})
    );
}

#[tokio::test]
async fn an_org_wide_install_has_no_team() {
    let enterprise = Enterprise {
        id: "E07TERN001".to_owned(),
        name: "Tern Group".to_owned(),
        org_wide: true,
    };
    let sandbox = Sandbox::start(Options {
        enterprise: Some(enterprise),
        ..options()
    })
    .await
    .unwrap();
    let mut bot = Bot::connect(&sandbox).await;
    call(
        &sandbox,
        "views.publish",
        json!({"user_id": NINA, "view": home()}),
    )
    .await;
    let shown = sandbox.home("nina").unwrap();
    let (sent, _) = envelope_of(&mut bot, sandbox.click("nina", &shown, "entry.new")).await;
    assert_shape(
        "derived_block_actions_home_tab_org_wide",
        &sent["payload"],
        &[],
        &[],
    );
    assert_eq!(sent["payload"]["team"], Value::Null);
    let (sent, _) = envelope_of(&mut bot, sandbox.say("nina", "#acme", "/time")).await;
    assert_eq!(sent["payload"]["is_enterprise_install"], "true");
    assert_eq!(sent["payload"]["enterprise_id"], "E07TERN001");
    let (sent, _) = envelope_of(&mut bot, sandbox.open_home("nina")).await;
    assert_eq!(sent["payload"]["authorizations"][0]["team_id"], Value::Null);
}

#[tokio::test]
async fn modals() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let payload = command(&sandbox, &mut bot).await;
    let mut view = modal("Log time");
    view["notify_on_close"] = json!(true);
    let body = json!({"trigger_id": payload["trigger_id"], "view": view});
    call(&sandbox, "views.open", body).await;
    let shown = sandbox.modals("nina").pop().unwrap();
    let options = fixture("docs_socket_block_suggestion_ack")["payload"].clone();
    let (sent, found) = tokio::join!(
        async {
            let envelope = bot.frame().await;
            bot.ack(&envelope, Some(options)).await;
            envelope
        },
        sandbox.suggest("nina", &shown, "project/value", "an")
    );
    let additions = [
        "api_app_id",
        "container",
        "enterprise",
        "is_enterprise_install",
        "token",
    ];
    assert_shape(
        "docs_socket_interactive_block_suggestion",
        &sent,
        &[],
        &additions,
    );
    assert_eq!(found.unwrap().options[1]["value"], "SUPPORT-42");

    let values = [("time", Choice::Text("2h".to_owned()))];
    let update = fixture("docs_socket_view_submission_ack_update")["payload"].clone();
    let (sent, _) = tokio::join!(
        async {
            let envelope = bot.frame().await;
            bot.ack(&envelope, Some(update)).await;
            envelope
        },
        sandbox.submit("nina", &shown, &values)
    );
    let additions = [
        "api_app_id",
        "enterprise",
        "is_enterprise_install",
        "response_urls",
        "token",
        "trigger_id",
    ];
    assert_shape(
        "docs_socket_interactive_view_submission",
        &sent,
        &[],
        &additions,
    );
    assert_eq!(sandbox.modals("nina")[0].title(), "Updated view");

    let payload = command(&sandbox, &mut bot).await;
    let body = json!({"trigger_id": payload["trigger_id"], "view": view});
    call(&sandbox, "views.open", body).await;
    let shown = sandbox.modals("nina").pop().unwrap();
    let (sent, _) = envelope_of(&mut bot, sandbox.close("nina", &shown)).await;
    let additions = ["enterprise", "is_enterprise_install", "token"];
    assert_shape("docs_view_closed", &sent["payload"], &[], &additions);
    assert_eq!(sandbox.violations(), []);
}

#[test]
fn the_comparison_sees_what_is_missing() {
    let mut found = Vec::new();
    let sample = json!({"a": {"b": 1, "c": [{"d": 1}]}, "values": {"x": 1}});
    let sent = json!({"a": {"b": "1", "c": [{}]}, "values": {}});
    missing(&sample, &sent, "", &mut found);
    assert_eq!(found, ["/a/b: 1 became \"1\"", "/a/c/0/d"]);
}
