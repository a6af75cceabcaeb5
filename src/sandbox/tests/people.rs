//! Acting as a person, and what it looks like to them.

use super::*;
use crate::sandbox::{Choice, Manifest, NINA, Target, Unable};
use chrono::TimeDelta;

fn option(text: &str, value: &str) -> Value {
    json!({"text": {"type": "plain_text", "text": text}, "value": value})
}

/// Opens the form for Nina with a command's trigger.
async fn form(sandbox: &Sandbox, bot: &mut Bot, view: Value) -> crate::sandbox::View {
    let payload = command(sandbox, bot).await;
    let body = json!({"trigger_id": payload["trigger_id"], "view": view});
    let opened = call(sandbox, "views.open", body).await;
    assert_eq!(opened["ok"], true, "{opened}");
    sandbox.modals("nina").pop().unwrap()
}

async fn respond(url: &Value, body: Value) -> (u16, String) {
    let response = http()
        .post(url.as_str().unwrap())
        .json(&body)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn an_answer_is_for_the_person_alone_unless_it_is_shared() {
    let sandbox = with_bot(|envelope| {
        let mut card = card();
        if envelope["payload"]["text"] == "share" {
            card["response_type"] = json!("in_channel");
        }
        Some(card)
    })
    .await;
    let answer = sandbox.say("nina", "#acme", "/time 2h: x").await.unwrap();
    assert!(answer.latency.unwrap() < Duration::from_millis(300));
    let card = answer.message.unwrap();
    assert_eq!(card.ephemeral_to.as_deref(), Some(NINA));
    assert_eq!(card.typed.as_deref(), Some("/time 2h: x"));
    assert_eq!(sandbox.messages("jonas", "#acme").len(), 0);
    let not_his = sandbox.click("jonas", &card, "entry.undo").await;
    assert_eq!(not_his.unwrap_err(), Unable::NoMessage(card.ts.clone()));
    assert_eq!(sandbox.unread("nina").len(), 1);
    sandbox.mark_read("nina");
    assert_eq!(sandbox.unread("nina").len(), 0);

    sandbox.say("nina", "#acme", "/time share").await.unwrap();
    let seen: Vec<String> = sandbox
        .messages("jonas", "#acme")
        .into_iter()
        .map(|message| message.text)
        .collect();
    assert_eq!(seen, ["/time share", "Logged 2 h"]);
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn an_empty_acknowledgement_shows_nothing() {
    let sandbox = with_bot(|_| None).await;
    let answer = sandbox.say("nina", "#acme", "/time").await.unwrap();
    assert!(answer.message.is_none() && answer.error.is_none());
    assert!(sandbox.messages("nina", "#acme").is_empty());
}

#[tokio::test]
async fn what_slack_itself_refuses_to_send() {
    let sandbox = start().await;
    let answer = sandbox.say("nina", "#acme", "/tiem 2h").await.unwrap();
    assert_eq!(answer.error.as_deref(), Some("unknown_command"));
    assert!(
        sandbox.messages("nina", "#acme")[0]
            .text
            .contains("not a valid command")
    );
    let nobody = sandbox.say("nobody", "#acme", "/time").await;
    assert_eq!(nobody.unwrap_err(), Unable::NoPerson("nobody".to_owned()));
    let nowhere = sandbox.say("nina", "#nowhere", "/time").await;
    assert_eq!(
        nowhere.unwrap_err(),
        Unable::NoChannel("#nowhere".to_owned())
    );
    let others = sandbox.say("nina", "D07JONAS02", "/time").await;
    assert!(matches!(others, Err(Unable::NoChannel(_))));
}

#[tokio::test]
async fn markup_in_a_command_is_escaped() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let acting = sandbox.say("nina", "#acme", "/time 2h: R&D <x> @nina");
    let (envelope, _) = envelope_of(&mut bot, acting).await;
    assert_eq!(envelope["payload"]["text"], "2h: R&amp;D &lt;x&gt; @nina");
}

#[tokio::test]
async fn a_press_updates_the_message_it_was_on() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let say = sandbox.say("nina", "#acme", "/time 2h");
    let ((), answer) = tokio::join!(
        async {
            let envelope = bot.frame().await;
            bot.ack(&envelope, Some(card())).await;
        },
        say
    );
    let card = answer.unwrap().message.unwrap();
    let (press, _) = envelope_of(&mut bot, sandbox.click("nina", &card, "entry.undo")).await;
    let payload = &press["payload"];
    assert_eq!(payload["actions"][0]["value"], "e:1");
    assert_eq!(payload["container"]["is_ephemeral"], true);
    assert!(
        payload.get("message").is_none(),
        "Slack stores no ephemeral message"
    );
    let url = &payload["response_url"];

    let replace = json!({"replace_original": "true", "text": "Taken back"});
    assert_eq!(respond(url, replace).await, (200, "ok".to_owned()));
    let shown = &sandbox.messages("nina", "#acme")[0];
    assert_eq!(shown.text, "Taken back");
    assert!(shown.blocks.is_empty());
    assert_eq!(
        shown.ephemeral_to.as_deref(),
        Some(NINA),
        "it stays ephemeral"
    );
    let gone = sandbox.click("nina", &card, "entry.undo").await;
    assert!(
        matches!(gone, Err(Unable::NoElement { .. })),
        "the button is gone"
    );

    let (status, _) = respond(url, json!({"replace_original": false, "text": "And more"})).await;
    assert_eq!((status, sandbox.messages("nina", "#acme").len()), (200, 2));
    assert_eq!(errors(&sandbox), [""; 0]);
    respond(url, json!({"text": "replace or not?"})).await;
    assert_eq!(errors(&sandbox), ["replace_original_missing"]);
    respond(url, json!({"delete_original": true})).await;
    let texts: Vec<_> = sandbox
        .messages("nina", "#acme")
        .into_iter()
        .map(|m| m.text)
        .collect();
    assert_eq!(texts, ["And more", "replace or not?"]);
    respond(
        url,
        json!({"replace_original": false, "text": "5", "response_type": "in_channel"}),
    )
    .await;
    assert_eq!(sandbox.messages("jonas", "#acme").len(), 1);
    let (status, body) = respond(url, json!({"replace_original": false, "text": "6"})).await;
    assert_eq!(status, 404);
    assert!(body.contains("used_url"));
    assert_eq!(errors(&sandbox), ["used_url"]);
}

#[tokio::test]
async fn a_response_url_ends_after_thirty_minutes() {
    let sandbox = start().await;
    let clock = sandbox.slack.options.clock.clone();
    let mut bot = Bot::connect(&sandbox).await;
    let payload = command(&sandbox, &mut bot).await;
    let url = &payload["response_url"];
    clock.advance(TimeDelta::minutes(30));
    assert_eq!(
        respond(url, json!({"text": "late, but in time"})).await.0,
        200
    );
    assert_eq!(
        respond(url, json!({"text": ""})).await,
        (400, r#"{"error":"no_text","ok":false}"#.to_owned())
    );
    let response_type = json!({"text": "x", "response_type": "private"});
    assert_eq!(respond(url, response_type).await.0, 400);
    assert_eq!(
        respond(url, json!([])).await.1,
        r#"{"error":"invalid_payload","ok":false}"#
    );
    clock.advance(TimeDelta::seconds(1));
    let (status, body) = respond(url, json!({"text": "too late"})).await;
    assert_eq!(status, 404);
    assert!(body.contains("expired_url"));
    let unknown = json!(format!("{}/commands/T/1/x", sandbox.url()));
    assert_eq!(respond(&unknown, json!({"text": "x"})).await.0, 404);
}

#[tokio::test]
async fn a_form_is_filled_in_and_submitted() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let view = form(&sandbox, &mut bot, modal("Log time")).await;
    let empty = sandbox.submit("nina", &view, &[]).await.unwrap_err();
    assert_eq!(empty, Unable::EmptyFields("time".to_owned()));

    let suggest = sandbox.suggest("nina", &view, "project/value", "ac");
    let (question, found) = tokio::join!(
        async {
            let envelope = bot.frame().await;
            bot.ack(
                &envelope,
                Some(json!({"options": [option("#acme", "p:1")]})),
            )
            .await;
            envelope["payload"].clone()
        },
        suggest
    );
    assert_eq!(
        (&question["value"], &question["block_id"]),
        (&json!("ac"), &json!("project"))
    );
    let acme = found.unwrap().options.pop().unwrap();

    let values = [
        ("time", Choice::Text("2x".to_owned())),
        ("project", Choice::Suggested(acme)),
    ];
    let submit = sandbox.submit("nina", &view, &values);
    let (sent, result) = tokio::join!(
        async {
            let envelope = bot.frame().await;
            let errors =
                json!({"response_action": "errors", "errors": {"time": "“x” is no unit."}});
            bot.ack(&envelope, Some(errors)).await;
            envelope["payload"].clone()
        },
        submit
    );
    let state = &sent["view"]["state"]["values"];
    assert_eq!(
        state["time"]["value"],
        json!({"type": "plain_text_input", "value": "2x"})
    );
    assert_eq!(state["project"]["value"]["selected_option"]["value"], "p:1");
    let result = result.unwrap();
    assert_eq!(result.errors["time"], "“x” is no unit.");
    assert!(!result.closed);

    // What was entered is still there; only the time is corrected.
    let again = [("time", Choice::Text("2h".to_owned()))];
    let (sent, result) = envelope_of(&mut bot, sandbox.submit("nina", &view, &again)).await;
    let state = &sent["payload"]["view"]["state"]["values"];
    assert_eq!(state["project"]["value"]["selected_option"]["value"], "p:1");
    assert!(result.unwrap().closed);
    assert!(sandbox.modals("nina").is_empty());
    assert_eq!(sandbox.violations(), []);
    let closed = sandbox.submit("nina", &view, &again).await;
    assert!(matches!(closed, Err(Unable::NoView(_))));
}

#[tokio::test]
async fn answers_to_a_submission_change_the_stack() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let root = form(&sandbox, &mut bot, modal("1")).await;
    let values = [("time", Choice::Text("2h".to_owned()))];
    let submit = async |bot: &mut Bot, view: &crate::sandbox::View, answer: Value| {
        let answering = async {
            let envelope = bot.frame().await;
            bot.ack(&envelope, Some(answer)).await;
        };
        tokio::join!(answering, sandbox.submit("nina", view, &values))
            .1
            .unwrap()
    };
    let titles = || -> Vec<String> {
        sandbox
            .modals("nina")
            .iter()
            .map(|view| view.title().to_owned())
            .collect()
    };
    submit(
        &mut bot,
        &root,
        json!({"response_action": "update", "view": modal("1b")}),
    )
    .await;
    assert_eq!(titles(), ["1b"]);
    assert_eq!(
        sandbox.modals("nina")[0].id,
        root.id,
        "an update keeps the view"
    );
    submit(
        &mut bot,
        &root,
        json!({"response_action": "push", "view": modal("2")}),
    )
    .await;
    let second = sandbox.modals("nina").pop().unwrap();
    assert_eq!(second.body["previous_view_id"], json!(root.id));
    let below = sandbox.submit("nina", &root, &values).await;
    assert!(
        matches!(below, Err(Unable::NoView(_))),
        "only the topmost can be used"
    );
    submit(
        &mut bot,
        &second,
        json!({"response_action": "push", "view": modal("3")}),
    )
    .await;
    let third = sandbox.modals("nina").pop().unwrap();
    assert_eq!(titles(), ["1b", "2", "3"]);
    let refused = submit(
        &mut bot,
        &third,
        json!({"response_action": "push", "view": modal("4")}),
    )
    .await;
    assert_eq!(refused.answer.error.as_deref(), Some("push_limit_reached"));
    submit(&mut bot, &third, json!({})).await;
    assert_eq!(titles(), ["1b", "2"], "an empty answer closes the topmost");
    submit(&mut bot, &second, json!({"response_action": "clear"})).await;
    assert_eq!(titles(), [""; 0]);
    assert_eq!(errors(&sandbox), ["push_limit_reached"]);
}

#[tokio::test]
async fn answers_to_a_submission_that_slack_refuses() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let view = form(&sandbox, &mut bot, modal("1")).await;
    let values = [("time", Choice::Text("2h".to_owned()))];
    for (answer, error) in [
        (
            json!({"response_action": "close"}),
            "invalid_submission_response",
        ),
        (
            json!({"response_action": "errors", "errors": {"value": "x"}}),
            "invalid_submission_response",
        ),
        (
            json!({"response_action": "update", "view": home()}),
            "invalid_submission_response",
        ),
    ] {
        let answering = async {
            let envelope = bot.frame().await;
            bot.ack(&envelope, Some(answer)).await;
        };
        let (submission, ()) = tokio::join!(sandbox.submit("nina", &view, &values), answering);
        let submission = submission.unwrap();
        assert_eq!(submission.answer.error.as_deref(), Some(error));
        assert!(!submission.closed);
        assert_eq!(errors(&sandbox), [error]);
    }
}

#[tokio::test]
async fn pushing_from_inside_a_modal() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let mut contents = modal("1");
    let blocks = contents["blocks"].as_array_mut().unwrap();
    blocks.push(json!({"type": "actions", "block_id": "more", "elements": [button("open")]}));
    let mut view = form(&sandbox, &mut bot, contents.clone()).await;
    for depth in 2..=4 {
        let (press, _) = envelope_of(&mut bot, sandbox.click("nina", &view, "open")).await;
        assert!(press["payload"].get("response_url").is_none());
        let body = json!({"trigger_id": press["payload"]["trigger_id"], "view": contents});
        let pushed = call(&sandbox, "views.push", body).await;
        if depth == 4 {
            assert_eq!(pushed["error"], "push_limit_reached");
        } else {
            assert_eq!(pushed["view"]["previous_view_id"], json!(view.id));
            view = sandbox.modals("nina").pop().unwrap();
        }
    }
}

#[tokio::test]
async fn an_update_keeps_what_was_typed() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let mut contents = modal("1");
    let blocks = contents["blocks"].as_array_mut().unwrap();
    blocks.push(
        json!({"type": "section", "block_id": "day", "text": {"type": "mrkdwn", "text": "Day"},
        "accessory": {"type": "datepicker", "action_id": "value", "initial_date": "2026-11-20"}}),
    );
    let view = form(&sandbox, &mut bot, contents.clone()).await;
    let day = Choice::Is("2026-11-19".to_owned());
    let (chosen, _) = envelope_of(&mut bot, sandbox.choose("nina", &view, "day/value", day)).await;
    let payload = &chosen["payload"];
    assert_eq!(payload["actions"][0]["selected_date"], "2026-11-19");
    assert_eq!(payload["actions"][0]["initial_date"], "2026-11-20");
    assert_eq!(
        payload["view"]["state"]["values"]["day"]["value"]["selected_date"],
        "2026-11-19"
    );
    let body = json!({"view_id": view.id, "hash": view.hash, "view": contents});
    let updated = call(&sandbox, "views.update", body).await;
    assert_eq!(
        updated["view"]["state"]["values"]["day"]["value"]["selected_date"],
        "2026-11-19"
    );
}

#[tokio::test]
async fn closing_is_told_to_those_who_asked() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let view = form(&sandbox, &mut bot, modal("1")).await;
    sandbox.close("nina", &view).await.unwrap();
    assert!(sandbox.modals("nina").is_empty());
    let mut contents = modal("2");
    contents["notify_on_close"] = json!(true);
    let view = form(&sandbox, &mut bot, contents.clone()).await;
    let (told, _) = envelope_of(&mut bot, sandbox.close("nina", &view)).await;
    assert_eq!(told["payload"]["type"], "view_closed");
    assert_eq!(told["payload"]["is_cleared"], false);
    form(&sandbox, &mut bot, contents).await;
    let (told, _) = envelope_of(&mut bot, sandbox.close_all("nina")).await;
    assert_eq!(told["payload"]["is_cleared"], true);
}

#[tokio::test]
async fn home_is_shown_and_pressed() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    assert!(sandbox.home("nina").is_none());
    let (event, _) = envelope_of(&mut bot, sandbox.open_home("nina")).await;
    assert!(
        event["payload"]["event"].get("view").is_none(),
        "only if one was published"
    );
    call(
        &sandbox,
        "views.publish",
        json!({"user_id": NINA, "view": home()}),
    )
    .await;
    let view = sandbox.home("nina").unwrap();
    assert!(sandbox.home("jonas").is_none());
    let (press, _) = envelope_of(&mut bot, sandbox.click("nina", &view, "entry.new")).await;
    assert_eq!(
        press["payload"]["container"],
        json!({"type": "view", "view_id": view.id})
    );
    assert!(press["payload"].get("response_url").is_none());
    let other = sandbox.click("jonas", &view, "entry.new").await;
    assert!(matches!(other, Err(Unable::NoView(_))));
    let (event, _) = envelope_of(&mut bot, sandbox.open_home("nina")).await;
    assert_eq!(event["payload"]["event"]["view"]["hash"], json!(view.hash));
}

#[tokio::test]
async fn shortcuts_open_from_a_message_and_from_anywhere() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let acting = sandbox.shortcut("nina", "entry.new", None);
    let (envelope, _) = envelope_of(&mut bot, acting).await;
    assert_eq!(envelope["payload"]["type"], "shortcut");
    let message = sandbox
        .say("jonas", "#acme", "Workshop took 3 h")
        .await
        .unwrap()
        .message
        .unwrap();
    let target = Target::from(&message);
    let acting = sandbox.shortcut("nina", "entry.from_message", Some(&target));
    let (envelope, _) = envelope_of(&mut bot, acting).await;
    let payload = &envelope["payload"];
    assert_eq!(payload["type"], "message_action");
    assert_eq!(payload["message"]["text"], "Workshop took 3 h");
    assert_eq!(payload["message"]["user"], "U07JONAS02");
    assert!(payload["trigger_id"].is_string() && payload["response_url"].is_string());
    let unknown = sandbox.shortcut("nina", "other", None).await;
    assert!(matches!(unknown, Err(Unable::NoShortcut(_))));
}

#[tokio::test]
async fn events_are_sent_only_if_the_manifest_asks_for_them() {
    let manifest = Manifest {
        events: Some(vec!["message.im".to_owned()]),
        ..Manifest::default()
    };
    let sandbox = Sandbox::start(Options {
        manifest,
        ..options()
    })
    .await
    .unwrap();
    let mut bot = Bot::connect(&sandbox).await;
    assert!(
        sandbox
            .open_home("nina")
            .await
            .unwrap()
            .envelope_id
            .is_empty()
    );
    let (event, _) = envelope_of(&mut bot, sandbox.say("nina", "dm", "Hi")).await;
    assert_eq!(event["payload"]["event"]["text"], "Hi");
    sandbox
        .say("nina", "#acme", "not for the bot")
        .await
        .unwrap();
    assert_eq!(
        sandbox
            .traffic()
            .iter()
            .filter(|t| t.kind == "events_api")
            .count(),
        1
    );
}
