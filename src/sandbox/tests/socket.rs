//! Connections, acknowledgements, repeats, and everything that goes wrong with them.

use super::*;
use crate::sandbox::Fault;
use chrono::TimeDelta;

#[tokio::test]
async fn a_ticket_is_good_for_one_connection() {
    let sandbox = start().await;
    let url = open_url(&sandbox).await;
    let (_line, _) = connect_async(&url).await.unwrap();
    assert!(connect_async(&url).await.is_err());
    let other_app = open_url(&sandbox).await.replace("app_id=A07", "app_id=A08");
    assert!(connect_async(&other_app).await.is_err());
    assert_eq!(errors(&sandbox), ["invalid_ticket", "invalid_ticket"]);
}

#[tokio::test]
async fn ten_connections_and_no_more() {
    let sandbox = start().await;
    let mut bots = Vec::new();
    for n in 1..=10 {
        let bot = Bot::connect(&sandbox).await;
        assert_eq!(bot.hello["num_connections"], n);
        bots.push(bot);
    }
    let mut eleventh = Bot::connect(&sandbox).await;
    assert_eq!(eleventh.hello["type"], "disconnect");
    assert_eq!(eleventh.hello["reason"], "too_many_websockets");
    assert_eq!(eleventh.frame().await, Value::Null);
    assert_eq!(errors(&sandbox), ["too_many_websockets"]);
    drop(bots.pop());
    let gone = |sandbox: &Sandbox| (sandbox.connections().len() == 9).then_some(());
    sandbox.wait_for("a free place", gone).await.unwrap();
    assert_eq!(Bot::connect(&sandbox).await.hello["type"], "hello");
}

#[tokio::test]
async fn envelopes_go_round() {
    let sandbox = start().await;
    for _ in 0..3 {
        Bot::connect(&sandbox).await.answering(|_| None);
    }
    let mut used = Vec::new();
    for _ in 0..6 {
        let answer = sandbox.say("nina", "#acme", "/time 1h").await.unwrap();
        used.push(answer.connection.unwrap());
    }
    used.sort();
    used.dedup();
    assert_eq!(used, sandbox.connections());
}

#[tokio::test]
async fn without_a_connection_a_command_fails_at_once() {
    let sandbox = start().await;
    let answer = sandbox.say("nina", "#acme", "/time 1h").await.unwrap();
    assert_eq!(answer.error.as_deref(), Some("dispatch_failed"));
    let told = &sandbox.messages("nina", "#acme")[0];
    assert!(told.text.contains("dispatch_failed") && !told.bot);
    assert_eq!(told.typed.as_deref(), Some("/time 1h"));
}

#[tokio::test]
async fn a_late_acknowledgement_is_no_acknowledgement() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let late = async {
        let envelope = bot.frame().await;
        let told = |sandbox: &Sandbox| sandbox.messages("nina", "#acme").first().cloned();
        let told = sandbox.wait_for("the person is told", told).await.unwrap();
        assert!(told.text.contains("operation_timeout"));
        bot.ack(&envelope, Some(card())).await;
        let late = |sandbox: &Sandbox| (sandbox.violations().len() == 2).then_some(());
        sandbox.wait_for("the late one", late).await.unwrap();
    };
    let (answer, ()) = tokio::join!(sandbox.say("nina", "#acme", "/time 1h"), late);
    let answer = answer.unwrap();
    assert_eq!(answer.error.as_deref(), Some("operation_timeout"));
    assert_eq!(answer.latency, None);
    assert_eq!(
        sandbox.messages("nina", "#acme").len(),
        1,
        "the card is not shown"
    );
    assert_eq!(errors(&sandbox), ["no_ack", "late_ack"]);
}

#[tokio::test]
async fn acknowledgements_that_should_not_be() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    bot.send(json!({"envelope_id": "nothing"})).await;
    bot.send(json!({"hello": 1})).await;
    bot.sink.send(Message::binary(vec![1, 2])).await.unwrap();
    let seen = |sandbox: &Sandbox| (sandbox.violations().len() == 3).then_some(());
    sandbox.wait_for("three violations", seen).await.unwrap();
    assert_eq!(
        errors(&sandbox),
        ["unknown_ack", "not_an_acknowledgement", "binary_frame"]
    );
}

#[tokio::test]
async fn a_payload_where_none_is_taken_is_ignored() {
    let sandbox = with_bot(|envelope| {
        (envelope["type"] == "slash_commands")
            .then(card)
            .or(Some(card()))
    })
    .await;
    let card = sandbox
        .say("nina", "#acme", "/time 2h")
        .await
        .unwrap()
        .message
        .unwrap();
    let answer = sandbox.click("nina", &card, "entry.undo").await.unwrap();
    assert_eq!((answer.payload, answer.error), (None, None));
    assert_eq!(errors(&sandbox), ["payload_not_accepted"]);
}

#[tokio::test]
async fn a_payload_that_slack_cannot_show_is_an_error_to_the_person() {
    let sandbox = with_bot(|_| Some(json!({"text": "x", "blocks": [{"type": "carousell"}]}))).await;
    let answer = sandbox.say("nina", "#acme", "/time 2h").await.unwrap();
    assert_eq!(answer.error.as_deref(), Some("invalid_blocks"));
    let told = &sandbox.messages("nina", "#acme")[0];
    assert!(told.text.contains("invalid_blocks"), "{}", told.text);
    assert_eq!(errors(&sandbox), ["invalid_blocks"]);
}

#[tokio::test]
async fn an_event_is_repeated_until_it_is_acknowledged() {
    let sandbox = start().await;
    let clock = sandbox.slack.options.clock.clone();
    let mut bot = Bot::connect(&sandbox).await;
    let (first, answer) = tokio::join!(bot.frame(), sandbox.open_home("nina"));
    assert_eq!(answer.unwrap().error.as_deref(), Some("operation_timeout"));
    assert_eq!(
        (&first["retry_attempt"], &first["retry_reason"]),
        (&json!(0), &json!(""))
    );
    let second = bot.frame().await;
    assert_eq!(second["retry_attempt"], 1, "almost at once");
    assert_eq!(second["retry_reason"], "timeout");
    assert_eq!(second["payload"]["event_id"], first["payload"]["event_id"]);
    let timed_out = |sandbox: &Sandbox| {
        let missed = sandbox.violations();
        (missed.iter().filter(|v| v.error == "no_ack").count() == 2).then_some(())
    };
    sandbox
        .wait_for("the second timeout", timed_out)
        .await
        .unwrap();
    let early = tokio::time::timeout(Duration::from_millis(50), bot.frame()).await;
    assert!(early.is_err(), "not before the minute is over");
    clock.advance(TimeDelta::minutes(1));
    let third = bot.frame().await;
    assert_eq!(third["retry_attempt"], 2, "after a minute");
    bot.ack(&third, None).await;
    let acked = |sandbox: &Sandbox| (sandbox.acks().len() == 1).then_some(());
    sandbox
        .wait_for("the acknowledgement", acked)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_event_waits_for_a_connection() {
    let sandbox = start().await;
    let answer = sandbox.open_home("nina").await.unwrap();
    assert_eq!(answer.error.as_deref(), Some("dispatch_failed"));
    let mut bot = Bot::connect(&sandbox).await;
    let event = bot.frame().await;
    assert_eq!(event["retry_attempt"], 1);
    assert_eq!(event["payload"]["event"]["type"], "app_home_opened");
    bot.ack(&event, None).await;
    assert!(sandbox.violations().is_empty());
}

#[tokio::test]
async fn an_event_is_given_up_after_three_repeats() {
    let sandbox = Sandbox::start(Options {
        ack_limit: Duration::from_millis(20),
        retry_delays: [TimeDelta::zero(); 3],
        ..options()
    })
    .await
    .unwrap();
    let mut bot = Bot::connect(&sandbox).await;
    sandbox.open_home("nina").await.unwrap();
    for attempt in 0..=3 {
        assert_eq!(bot.frame().await["retry_attempt"], attempt);
    }
    let given_up = |sandbox: &Sandbox| {
        let all = sandbox.violations();
        all.iter()
            .any(|v| v.error == "event_given_up")
            .then_some(())
    };
    sandbox.wait_for("the end", given_up).await.unwrap();
}

#[tokio::test]
async fn a_connection_is_told_to_go_and_still_heard() {
    let sandbox = start().await;
    let mut old = Bot::connect(&sandbox).await;
    let first = only(&sandbox.connections());
    sandbox.disconnect(first, "refresh_requested", None).await;
    let frame = old.frame().await;
    assert_eq!(frame["type"], "disconnect");
    assert_eq!(frame["reason"], "refresh_requested");
    // While there is no other, it is still used.
    command(&sandbox, &mut old).await;
    let mut new = Bot::connect(&sandbox).await;
    for _ in 0..3 {
        command(&sandbox, &mut new).await;
    }
    // A frame that was on its way to the old one is still acknowledged there.
    let envelope =
        json!({"type": "slash_commands", "accepts_response_payload": true, "payload": {}});
    let (_, answer) = envelope_of(&mut old, sandbox.send_on(first, envelope)).await;
    assert_eq!(answer.connection, Some(first));
    assert_eq!(answer.error, None);
    sandbox
        .disconnect(first, "warning", Some(Duration::ZERO))
        .await;
    assert_eq!(old.frame().await["reason"], "warning");
    assert_eq!(old.frame().await, Value::Null);
    assert!(sandbox.violations().is_empty());
}

#[tokio::test]
async fn socket_mode_switched_off() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    sandbox.set_socket_mode(false).await;
    assert_eq!(bot.frame().await["reason"], "link_disabled");
    assert_eq!(bot.frame().await, Value::Null);
    let answer = call_as(
        &sandbox,
        sandbox.app_token(),
        "apps.connections.open",
        json!({}),
    )
    .await;
    assert_eq!(answer["error"], "forbidden_team");
    sandbox.set_socket_mode(true).await;
    assert_eq!(Bot::connect(&sandbox).await.hello["type"], "hello");
}

#[tokio::test]
async fn lines_that_fail_without_a_word() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    sandbox.drop_abruptly(only(&sandbox.connections()));
    assert_eq!(bot.frame().await, Value::Null);
    let none = |sandbox: &Sandbox| sandbox.connections().is_empty().then_some(());
    sandbox.wait_for("no connection", none).await.unwrap();

    // Mute: what the bot sends is heard, and nothing comes back, not even a pong.
    let mut bot = Bot::connect(&sandbox).await;
    let ping = || Message::Ping("?".into());
    bot.sink.send(ping()).await.unwrap();
    assert!(matches!(
        bot.stream.next().await,
        Some(Ok(Message::Pong(_)))
    ));
    sandbox.stop_ponging(only(&sandbox.connections()));
    bot.sink.send(ping()).await.unwrap();
    bot.send(json!({"envelope_id": "x"})).await;
    let heard = |sandbox: &Sandbox| (sandbox.violations().len() == 1).then_some(());
    sandbox.wait_for("it is heard", heard).await.unwrap();
    assert_eq!(errors(&sandbox), ["unknown_ack"]);
    let silent = tokio::time::timeout(Duration::from_millis(50), bot.stream.next()).await;
    assert!(silent.is_err(), "no pong");
}

#[tokio::test]
async fn a_bot_that_answers_no_ping_is_given_up() {
    let sandbox = Sandbox::start(Options {
        ping_every: Duration::from_millis(10),
        ..options()
    })
    .await
    .unwrap();
    // Nobody reads this connection, so nobody answers.
    let _bot = Bot::connect(&sandbox).await;
    let none = |sandbox: &Sandbox| sandbox.connections().is_empty().then_some(());
    sandbox.wait_for("no connection", none).await.unwrap();
    assert_eq!(errors(&sandbox), ["no_pong"]);
}

#[tokio::test]
async fn a_half_open_line_swallows_a_command() {
    let sandbox = start().await;
    Bot::connect(&sandbox).await.answering(|_| None);
    sandbox.half_open(only(&sandbox.connections()));
    let answer = sandbox.say("nina", "#acme", "/time 1h").await.unwrap();
    assert_eq!(answer.error.as_deref(), Some("operation_timeout"));
}

#[tokio::test]
async fn the_same_envelope_twice() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let acting = sandbox.say("nina", "#acme", "/time 1h");
    let (first, answer) = envelope_of(&mut bot, acting).await;
    let id = answer.unwrap().envelope_id;
    let (second, answer) = envelope_of(&mut bot, sandbox.redeliver(&id)).await;
    assert_eq!(first, second);
    assert_eq!(answer.unwrap().error, None);
    assert!(sandbox.redeliver("nothing").await.is_err());
}

#[tokio::test]
async fn frames_that_are_not_envelopes() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    sandbox
        .send_text(only(&sandbox.connections()), "{not json")
        .await;
    let Some(Ok(Message::Text(text))) = bot.stream.next().await else {
        panic!("a text frame");
    };
    assert_eq!(text.as_str(), "{not json");
}

#[tokio::test]
async fn the_handshake_can_fail() {
    let sandbox = start().await;
    sandbox.fail_next("link", 1, Fault::Status(500));
    let url = open_url(&sandbox).await;
    assert!(connect_async(&url).await.is_err());
    assert!(connect_async(&url).await.is_ok(), "the ticket was not used");
    let plain = open_url(&sandbox).await.replace("ws://", "http://");
    assert_eq!(http().get(plain).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn fifty_commands_at_once() {
    let sandbox = with_bot(|_| Some(card())).await;
    let says = (0..50).map(|n| {
        let sandbox = sandbox.clone();
        async move { sandbox.say("nina", "#acme", &format!("/time {n}m x")).await }
    });
    let answers = futures_util::future::join_all(says).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().unwrap().message.is_some())
    );
    assert_eq!(sandbox.messages("nina", "#acme").len(), 50);
    assert!(sandbox.violations().is_empty());
}
