//! `/time`, from the line a person types to what they read.

use std::time::Duration;

use billops::{
    sandbox::{Choice, Fault, Message},
    store::Workspace,
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::bot::{NINA, TestBot};

impl TestBot {
    /// The last envelope of this kind that went to the bot, ready to be sent again as a new one.
    pub(crate) fn last_sent(&self, kind: &str) -> Value {
        let sent = self.slack.traffic();
        let last = sent.iter().rev().find(|line| line.kind == kind);
        let mut envelope = last.expect("nothing of that kind was sent").body.clone();
        envelope.as_object_mut().unwrap().remove("envelope_id");
        envelope
    }

    /// What the message with this `ts` says once it says something else than now.
    pub(crate) async fn replaced(&self, message: &Message) -> Message {
        let changed = |slack: &billops::sandbox::Sandbox| {
            let all = slack.messages(NINA, "#general");
            all.into_iter()
                .find(|now| now.ts == message.ts && now.blocks != message.blocks)
        };
        self.slack.wait_for("a replacement", changed).await.unwrap()
    }

    /// Waits until the Home tab says something.
    pub(crate) async fn home_says(&self, person: &str, words: &str) -> Value {
        let says = |slack: &billops::sandbox::Sandbox| {
            let home = slack.home(person)?;
            let body = Value::from(home.blocks().to_vec());
            body.to_string().contains(words).then_some(body)
        };
        let what = format!("{words} on the Home tab");
        self.slack.wait_for(&what, says).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_line_becomes_an_entry_and_a_card() {
    let bot = TestBot::start().await;
    let card = bot.say("/time 2.5 hours: Meeting").await;
    assert_eq!(
        card.text,
        "Logged 2 h 30 min · Meeting. Today, Fri 20 Nov, 11:00–13:30. Today: 2 h 30 min of 8 h."
    );
    let card = bot.say("/time 45 min: code review").await;
    assert!(
        card.text.ends_with("Today: 3 h 15 min of 8 h."),
        "{}",
        card.text
    );
    let undone = bot.click(&card, "entry.undo").await;
    assert_eq!(
        undone.text,
        "Undone. 45 min · code review, Today, Fri 20 Nov, 12:45–13:30, is no longer logged. Today: 2 h 30 min of 8 h."
    );
    let back = bot.click(&undone, "entry.redo").await;
    assert!(
        back.text.starts_with("Logged 45 min · code review."),
        "{}",
        back.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_is_there_for_who_asks() {
    let bot = TestBot::start().await;
    for line in ["/time help", "/time how does this work?"] {
        let help = bot.say(line).await;
        assert!(help.text.starts_with("How to log time."), "{}", help.text);
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undo_takes_back_one_entry_after_the_other_and_says_when_there_is_none() {
    let bot = TestBot::start().await;
    bot.say("/time 1h: first").await;
    bot.say("/time 2h: second").await;
    for (says, total) in [
        ("2 h · second", "1 h of 8 h."),
        ("1 h · first", "0 h of 8 h."),
    ] {
        let undone = bot.say("/time undo").await;
        let text = undone.text;
        assert!(
            text.starts_with(&format!("Undone. {says}")) && text.ends_with(total),
            "{text}"
        );
    }
    let nothing = bot.say("/time undo").await;
    assert!(nothing.text.starts_with("There is nothing to undo"));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_only_asked_is_not_saved() {
    let bot = TestBot::start().await;
    let read = bot.say("/time ? 1h30 wireframes").await;
    assert_eq!(
        read.text,
        "I would log 1 h 30 min · wireframes. Today, Fri 20 Nov. Nothing was saved."
    );
    let asked = bot.say("/time 2h").await;
    assert!(
        asked
            .text
            .starts_with("Nothing was saved. I understood 2 h. What did you do?"),
        "{}",
        asked.text
    );
    let refused = bot.say("/time 2x a <b> & <!channel>").await;
    assert!(
        refused
            .text
            .ends_with("You typed: /time 2x a &lt;b&gt; &amp; &lt;!channel&gt;"),
        "{}",
        refused.text
    );
    let nothing = bot.say("/time undo").await;
    assert!(nothing.text.starts_with("There is nothing to undo"));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accepted_reading_keeps_the_words_as_they_were_typed() {
    let bot = TestBot::start().await;
    let asked = bot.say("/time 13 a &lt; b & <!channel>").await;
    let logged = bot.click(&asked, "reading.accept.1").await;
    assert!(
        logged
            .text
            .starts_with("Logged 13 min · a &amp;lt; b &amp; &lt;!channel&gt;."),
        "{}",
        logged.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guessed_unit_can_be_turned_and_turned_back() {
    let bot = TestBot::start().await;
    let card = bot.say("/time 2 Planning").await;
    assert!(card.text.contains("I read “2” as hours."), "{}", card.text);
    let minutes = bot.click(&card, "entry.flip").await;
    assert!(
        minutes.text.starts_with("Changed to 2 min · Planning."),
        "{}",
        minutes.text
    );
    let hours = bot.click(&minutes, "entry.undo").await;
    assert!(
        hours.text.starts_with("Back to 2 h · Planning."),
        "{}",
        hours.text
    );
    assert!(hours.text.ends_with("Today: 2 h of 8 h."), "{}", hours.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_button_that_is_out_of_date_says_what_has_changed_and_does_nothing() {
    for button in ["entry.undo", "entry.flip"] {
        let bot = TestBot::start().await;
        let old = bot.say("/time 2 Planning").await;
        let undone = bot.say("/time undo").await;
        bot.clock.advance(TimeDelta::minutes(5));
        bot.click(&undone, "entry.redo").await;
        let stale = bot.click(&old, button).await;
        assert!(
            stale.text.starts_with(
                "Nothing was changed. This entry was changed at 13:35; it is now 2 h · Planning."
            ),
            "{}",
            stale.text
        );
        assert!(stale.text.ends_with("Today: 2 h of 8 h."), "{}", stale.text);
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pressing_twice_does_it_once() {
    let bot = TestBot::start().await;
    let card = bot.say("/time 1h: kept").await;
    let retry = bot.say("/time 2h: twice").await;
    let (first, second) = tokio::join!(
        bot.slack.click(NINA, &retry, "entry.undo"),
        bot.slack.click(NINA, &retry, "entry.undo"),
    );
    assert_eq!((first.unwrap().error, second.unwrap().error), (None, None));
    let undone = bot.replaced(&retry).await;
    assert!(
        undone.text.starts_with("Undone. 2 h · twice"),
        "{}",
        undone.text
    );
    assert!(
        undone.text.ends_with("Today: 1 h of 8 h."),
        "{}",
        undone.text
    );

    let asked = bot.say("/time 13 release notes").await;
    let (first, second) = tokio::join!(
        bot.slack.click(NINA, &asked, "reading.accept.1"),
        bot.slack.click(NINA, &asked, "reading.accept.1"),
    );
    assert_eq!((first.unwrap().error, second.unwrap().error), (None, None));
    let logged = bot.replaced(&asked).await;
    assert!(
        logged.text.ends_with("Today: 1 h 13 min of 8 h."),
        "{}",
        logged.text
    );

    // Try again, as the card of a failed saving carries it.
    bot.slack.click(NINA, &card, "entry.undo").await.unwrap();
    bot.replaced(&card).await;
    let mut again = bot.last_sent("interactive");
    again["payload"]["actions"][0]["action_id"] = json!("command.retry");
    again["payload"]["actions"][0]["value"] =
        json!("k:01a1f8ef-74c8-70fd-9243-62117d03662f t:30m: tried again");
    for _ in 0..2 {
        assert_eq!(bot.slack.send_envelope(again.clone()).await.error, None);
    }
    let saved = |slack: &billops::sandbox::Sandbox| {
        let all = slack.messages(NINA, "#general");
        all.into_iter()
            .find(|now| now.ts == card.ts && now.text.contains("tried again"))
    };
    let saved = bot.slack.wait_for("the entry", saved).await.unwrap();
    assert!(
        saved.text.ends_with("Today: 43 min of 8 h."),
        "{}",
        saved.text
    );
    let last = bot.say("/time 1m: last").await;
    assert!(
        last.text.ends_with("Today: 44 min of 8 h."),
        "{}",
        last.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_button_is_of_no_use_to_somebody_else() {
    let bot = TestBot::start().await;
    let card = bot.say("/time 1h: mine").await;
    let undone = bot.click(&card, "entry.undo").await;
    bot.click(&undone, "entry.redo").await;
    let mut envelope = bot.last_sent("interactive");
    let value = envelope["payload"]["actions"][0]["value"]
        .as_str()
        .unwrap()
        .replace(":2:", ":3:");
    envelope["payload"]["user"]["id"] = json!("U07JONAS02");
    envelope["payload"]["actions"][0]["action_id"] = json!("entry.undo");
    envelope["payload"]["actions"][0]["value"] = json!(value);
    assert_eq!(bot.slack.send_envelope(envelope).await.error, None);
    let told = |slack: &billops::sandbox::Sandbox| {
        let all = slack.messages(NINA, "#general");
        all.into_iter()
            .find(|now| now.text.contains("no longer here"))
    };
    let told = bot.slack.wait_for("the answer", told).await.unwrap();
    assert_eq!(told.text, "This is no longer here. Nothing was changed.");
    let next = bot.say("/time 1h: more").await;
    assert!(next.text.ends_with("Today: 2 h of 8 h."), "{}", next.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_person_has_their_own_zone_and_their_own_midnight() {
    let bot = TestBot::start().await;
    let priya = bot.say_as("priya", "/time 1h: support").await;
    assert!(
        priya.text.contains("Today, Fri 20 Nov, 17:00–18:00."),
        "{}",
        priya.text
    );
    bot.clock.advance(TimeDelta::hours(7));
    let priya = bot.say_as("priya", "/time 30m: night shift").await;
    assert!(
        priya.text.contains("Today, Sat 21 Nov, 00:30–01:00."),
        "{}",
        priya.text
    );
    assert!(
        priya.text.ends_with("Today: 30 min of 8 h."),
        "{}",
        priya.text
    );
    let nina = bot.say("/time 30m: mail").await;
    assert!(
        nina.text.contains("Today, Fri 20 Nov, 20:00–20:30."),
        "{}",
        nina.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_slack_says_nothing_about_is_served_in_utc_until_it_does() {
    let bot = TestBot::start().await;
    for (person, fault) in [
        ("nina", Fault::Status(500)),
        ("jonas", Fault::RateLimited(30)),
        ("ana", Fault::Slow(Duration::from_secs(2))),
    ] {
        bot.slack.fail_next("users.info", 1, fault);
        let card = bot.say_as(person, "/time 1h: first").await;
        let text = card.text;
        assert!(
            text.contains("11:30–12:30") && text.contains("these times are in UTC."),
            "{text}"
        );
        let card = bot.say_as(person, "/time 1h: second").await;
        let text = card.text;
        assert!(
            !text.contains("UTC") && text.ends_with("Today: 2 h of 8 h."),
            "{text}"
        );
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn home_follows_for_who_has_opened_it_and_only_for_them() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    bot.home_says(NINA, "Welcome").await;
    bot.say("/time 1h: shown").await;
    bot.home_says(NINA, "shown").await;
    bot.say_as("jonas", "/time 1h: not shown").await;
    bot.say("/time 1h: shown too").await;
    bot.home_says(NINA, "shown too").await;
    assert!(bot.slack.home("jonas").is_none());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_on_home_can_be_put_back_there() {
    let bot = TestBot::start().await;
    bot.say("/time 1h: Halden <b>").await;
    bot.slack.open_home(NINA).await.unwrap();
    let home = bot.home_says(NINA, "Halden").await;
    let row = home
        .as_array()
        .unwrap()
        .iter()
        .find(|block| block["accessory"]["type"] == "overflow");
    let options = row.unwrap()["accessory"]["options"].as_array().unwrap();
    let values = options
        .iter()
        .map(|option| option["value"].as_str().unwrap());
    let delete = values.clone().find(|value| value.starts_with("delete "));
    let delete = delete.unwrap().to_owned();
    let view = bot.slack.home(NINA).unwrap();
    let choice = Choice::Option(delete);
    let answer = bot
        .slack
        .choose(NINA, &view, "entry.menu", choice)
        .await
        .unwrap();
    assert_eq!(answer.error, None);
    bot.home_says(NINA, "Deleted Halden &lt;b&gt;, 1 h").await;
    // Nothing waits that would draw over the way back.
    assert_eq!(bot.bot.store().job_counts().await.unwrap().open, 0);
    let view = bot.slack.home(NINA).unwrap();
    bot.slack.click(NINA, &view, "entry.redo").await.unwrap();
    bot.home_says(NINA, "*1 h* of 8 h").await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn home_is_published_in_spite_of_a_conflict_and_of_too_many_requests() {
    let bot = TestBot::start().await;
    bot.slack
        .fail_next("views.publish", 1, Fault::Error("hash_conflict".to_owned()));
    bot.slack.open_home(NINA).await.unwrap();
    bot.home_says(NINA, "Welcome").await;

    // Once at once, once as a job; then Slack is left alone for as long as it asked.
    bot.slack
        .fail_next("views.publish", 2, Fault::RateLimited(30));
    bot.slack.open_home("jonas").await.unwrap();
    let until = tokio::time::Instant::now() + Duration::from_secs(12);
    loop {
        let said = bot.slack.traffic();
        let refused = said
            .iter()
            .filter(|line| line.error.as_deref() == Some("ratelimited"));
        if refused.count() == 2 && bot.bot.store().job_counts().await.unwrap().open == 1 {
            break;
        }
        assert!(
            tokio::time::Instant::now() < until,
            "Slack was not asked twice"
        );
        tokio::task::yield_now().await;
    }
    assert!(bot.slack.home("jonas").is_none());
    // The worker may note the second refusal only now; then its 30 seconds begin at the moved time.
    for attempt in 1.. {
        bot.clock.advance(TimeDelta::seconds(31));
        let published = |slack: &billops::sandbox::Sandbox| slack.home("jonas");
        let patience = Duration::from_secs(8);
        if bot
            .slack
            .wait_within(patience, "the Home tab", published)
            .await
            .is_ok()
        {
            break;
        }
        assert!(attempt < 3, "the Home tab was never published");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_message_can_no_longer_be_replaced_a_new_one_answers() {
    let bot = TestBot::start().await;
    let card = bot.say("/time 1h: late").await;
    bot.slack
        .fail_next("response_url", 1, Fault::Error("used_url".to_owned()));
    bot.slack.click(NINA, &card, "entry.undo").await.unwrap();
    let told = |slack: &billops::sandbox::Sandbox| {
        let all = slack.messages(NINA, "#general");
        all.into_iter()
            .find(|now| now.text.starts_with("Undone. 1 h · late"))
    };
    let told = bot.slack.wait_for("the answer", told).await.unwrap();
    assert_ne!(told.ts, card.ts);
    assert_eq!(told.ephemeral_to.as_deref(), Some("U07NINA001"));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_id_in_two_workspaces_is_two_people() {
    let bot = TestBot::start().await;
    bot.say("/time 1h: here").await;
    let other = Workspace {
        workspace_id: "T07OTHER01".to_owned(),
        ..Workspace::default()
    };
    bot.bot.store().save_workspace(&other).await.unwrap();
    let mut elsewhere = bot.last_sent("slash_commands");
    elsewhere["payload"]["team_id"] = json!("T07OTHER01");
    elsewhere["payload"]["text"] = json!("undo");
    elsewhere["payload"]["trigger_id"] = json!("1.2.other");
    let answer = bot.slack.send_envelope(elsewhere).await;
    let text = answer.payload.unwrap()["text"].to_string();
    assert!(text.contains("There is nothing to undo"), "{text}");
    let here = bot.say("/time 1h: here too").await;
    assert!(here.text.ends_with("Today: 2 h of 8 h."), "{}", here.text);
    bot.finish().await;
}
