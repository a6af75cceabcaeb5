//! Socket Mode as it goes wrong: connections that are recycled, cut, deaf or refused, envelopes that come
//! twice, late or broken, and handlers that are slow or panic.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use billops::{
    sandbox::{Answer, ConnectionId, Enterprise, Fault, Options, Sandbox},
    slack::{
        SlackClient,
        socket::{self, Deliverer, Delivery, Opener, Socket, SocketState, Timings},
    },
};
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use serde_json::{Value, json, value::to_raw_value};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    bot::{NINA, TestBot, config},
    databases::Database,
};

/// Slack's limit for an acknowledgement.
const SLACK_WAITS: Duration = Duration::from_secs(3);

/// Waits that are short enough for a test; what is tested with real time says so itself.
fn brisk() -> Timings {
    Timings {
        good_after: Duration::from_millis(100),
        backoff_min: Duration::from_millis(10),
        backoff_max: Duration::from_millis(100),
        shutdown_within: Duration::from_secs(2),
        ..Timings::default()
    }
}

/// The transport alone, with a handler of the test's own.
struct Line {
    slack: Sandbox,
    socket: Socket,
}

impl Line {
    /// Two connections, both greeted.
    async fn start<F>(timings: Timings, handler: F) -> Self
    where
        F: Fn(Delivery) -> BoxFuture<'static, socket::Answer> + Send + Sync + 'static,
    {
        let slack = Sandbox::start(Options::default()).await.unwrap();
        let socket = open(&slack, 2, None, timings, handler);
        let line = Self { slack, socket };
        line.state(|state| state.live == 2).await;
        line
    }

    /// Waits until the transport says this of itself.
    async fn state(&self, is_so: impl FnMut(&SocketState) -> bool) -> SocketState {
        state(&self.socket, is_so).await
    }

    fn connection(&self) -> ConnectionId {
        self.slack.connections()[0]
    }

    /// Nothing that Slack would refuse; then the end.
    async fn finish(self) {
        self.socket.shut_down().await;
        assert_eq!(self.slack.violations(), []);
        self.slack.stop();
    }
}

fn open<F>(
    slack: &Sandbox,
    target: usize,
    app_id: Option<&str>,
    timings: Timings,
    handler: F,
) -> Socket
where
    F: Fn(Delivery) -> BoxFuture<'static, socket::Answer> + Send + Sync + 'static,
{
    let client = SlackClient::new(
        &config(slack, "sqlite::memory:").slack,
        billops::http::client().unwrap(),
    )
    .unwrap();
    let opener: Opener = Arc::new(move || {
        let client = client.clone();
        async move { client.open_connection().await }.boxed()
    });
    let app_id = app_id.map(str::to_owned);
    let deliverer = Deliverer::new(Arc::new(handler), timings.ack_by);
    Socket::start(opener, deliverer, target, app_id, timings)
}

async fn state(socket: &Socket, mut is_so: impl FnMut(&SocketState) -> bool) -> SocketState {
    let mut states = socket.states();
    let waited = tokio::time::timeout(Duration::from_secs(5), states.wait_for(|s| is_so(s))).await;
    let Ok(state) = waited else {
        panic!(
            "waited in vain; the transport stands at {:?}",
            socket.states().borrow()
        )
    };
    state.unwrap().clone()
}

/// Answers with what was said.
fn echo(delivery: Delivery) -> BoxFuture<'static, socket::Answer> {
    async move { answer(&text_of(&delivery)) }.boxed()
}

fn text_of(delivery: &Delivery) -> String {
    let payload: Value = serde_json::from_str(delivery.payload.get()).unwrap();
    payload["text"].as_str().unwrap_or_default().to_owned()
}

fn answer(text: &str) -> socket::Answer {
    to_raw_value(&json!({ "text": text })).ok().map(Arc::from)
}

/// A slash command that says something; Slack's other fields are of no interest to the transport.
fn saying(text: &str) -> Value {
    json!({
        "type": "slash_commands", "accepts_response_payload": true, "payload": {"text": text},
    })
}

fn said(answer: &Answer) -> &str {
    answer
        .payload
        .as_ref()
        .and_then(|payload| payload["text"].as_str())
        .unwrap_or_default()
}

fn openings(slack: &Sandbox) -> usize {
    let traffic = slack.traffic();
    let calls = traffic
        .iter()
        .filter(|line| line.kind == "web_api" && line.title == "apps.connections.open");
    calls.count()
}

async fn more_openings_than(slack: &Sandbox, before: usize) {
    let more = |slack: &Sandbox| (openings(slack) > before).then_some(());
    slack.wait_for("another opening", more).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recycled_connection_is_answered_on_until_it_closes_and_its_successor_is_there_first() {
    for reason in ["warning", "refresh_requested", "a reason of tomorrow", ""] {
        let timings = Timings {
            drain_within: Duration::from_millis(700),
            ping_every: Duration::from_millis(50),
            ..brisk()
        };
        let line = Line::start(timings, echo).await;
        let old = line.connection();
        line.slack.disconnect(old, reason, None).await;
        let answer = line.slack.send_on(old, saying("still there")).await;
        assert_eq!(
            (said(&answer), answer.connection),
            ("still there", Some(old)),
            "{reason}"
        );
        let three = |slack: &Sandbox| {
            let open = slack.connections();
            (open.len() == 3 && open.contains(&old)).then_some(())
        };
        let wait = line
            .slack
            .wait_for("the successor beside the old one", three);
        wait.await.unwrap();
        let answer = line.slack.send_on(old, saying("and still")).await;
        assert_eq!((said(&answer), answer.connection), ("and still", Some(old)));
        // Slack does not close it here, so the bot does, in the end.
        let gone = |slack: &Sandbox| (!slack.connections().contains(&old)).then_some(());
        line.slack
            .wait_for("the old one to close", gone)
            .await
            .unwrap();
        line.state(|state| state.live == 2 && state.problem.is_none())
            .await;
        line.finish().await;
    }
}

/// The run of minutes is `BILLOPS_TEST_LONG=1`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_commands_a_second_over_recycled_connections_are_each_one_entry() {
    let is_long = std::env::var("BILLOPS_TEST_LONG").is_ok_and(|value| value == "1");
    let (seconds, refresh_every, timings) = if is_long {
        (60, Duration::from_secs(5), Timings::default())
    } else {
        (6, Duration::from_millis(500), brisk())
    };
    let database = Database::on_disk();
    let bot = TestBot::on(database, timings, |options| options).await;
    let started = Instant::now();
    let commands = (0..seconds * 100).map(|number| {
        let slack = bot.slack.clone();
        let at = started + Duration::from_millis(10) * number;
        tokio::spawn(async move {
            tokio::time::sleep_until(at).await;
            let line = format!("/time 1 min: command {number:05}");
            slack.say(NINA, "#general", &line).await.unwrap()
        })
    });
    let commands: Vec<_> = commands.collect();
    let slack = bot.slack.clone();
    let refreshing = tokio::spawn(async move {
        let mut tick = tokio::time::interval_at(started + refresh_every, refresh_every);
        let mut refreshes = 0;
        while started.elapsed() < Duration::from_secs(u64::from(seconds)) {
            tick.tick().await;
            let oldest = slack.connections()[0];
            let close_after = Some(refresh_every / 2);
            slack
                .disconnect(oldest, "refresh_requested", close_after)
                .await;
            refreshes += 1;
        }
        refreshes
    });
    let answers: Vec<Answer> = join_all(commands)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let refreshes = refreshing.await.unwrap();
    let logged = answers.iter().filter(|answer| {
        let message = answer.message.as_ref();
        message.is_some_and(|message| message.text.starts_with("Logged 1 min · command "))
    });
    let logged = logged.count();
    let slowest = answers.iter().filter_map(|answer| answer.latency).max();
    let entries = bot.database.descriptions().await;
    println!(
        "{} commands in {:.1} s over {refreshes} refreshes: {logged} acknowledged as logged, {} entries, \
         slowest acknowledgement {:.0} ms, {} violations",
        answers.len(),
        started.elapsed().as_secs_f64(),
        entries.len(),
        slowest.unwrap().as_secs_f64() * 1000.0,
        bot.slack.violations().len()
    );
    let sent: Vec<String> = (0..seconds * 100)
        .map(|number| format!("command {number:05}"))
        .collect();
    assert_eq!(logged, sent.len());
    assert_eq!(entries, sent);
    assert!(refreshes >= 10);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_come_back_time_after_time() {
    let line = Line::start(brisk(), echo).await;
    for round in 0..8 {
        let before = line.slack.connections();
        for connection in &before {
            line.slack.drop_abruptly(*connection);
        }
        let replaced = |slack: &Sandbox| {
            let open = slack.connections();
            (open.len() == 2 && open.iter().all(|one| !before.contains(one))).then_some(())
        };
        let wait = line.slack.wait_for("two new connections", replaced);
        wait.await.unwrap();
        let text = format!("round {round}");
        assert_eq!(said(&line.slack.send_envelope(saying(&text)).await), text);
    }
    line.state(|state| state.live == 2).await;
    line.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_during_a_command_leaves_the_answer_to_the_other_connection() {
    let gate = Arc::new(Semaphore::new(0));
    let passed = gate.clone();
    let started = Arc::new(AtomicUsize::new(0));
    let begun = started.clone();
    let line = Line::start(brisk(), move |delivery| {
        let (gate, started) = (passed.clone(), begun.clone());
        async move {
            started.fetch_add(1, Ordering::SeqCst);
            let _ = gate.acquire().await;
            answer(&text_of(&delivery))
        }
        .boxed()
    })
    .await;
    let cut = line.connection();
    let slack = line.slack.clone();
    let command = tokio::spawn(async move { slack.send_on(cut, saying("hello")).await });
    until(|| started.load(Ordering::SeqCst) == 1).await;
    let before = openings(&line.slack);
    line.slack.drop_abruptly(cut);
    // Another is opened only when the bot knows that this one is gone.
    more_openings_than(&line.slack, before).await;
    gate.add_permits(1);
    let answer = command.await.unwrap();
    assert_eq!(said(&answer), "hello");
    assert_ne!(answer.connection, Some(cut));
    line.finish().await;
}

/// Waits for something that nobody announces.
async fn until(mut is_so: impl FnMut() -> bool) {
    let by = Instant::now() + Duration::from_secs(5);
    while !is_so() {
        assert!(Instant::now() < by, "waited in vain");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_has_fallen_silent_is_found_dead_and_replaced() {
    let timings = Timings {
        ping_every: Duration::from_millis(50),
        dead_after: Duration::from_millis(300),
        ..brisk()
    };
    for is_half_open in [true, false] {
        let line = Line::start(timings, echo).await;
        let before = line.slack.connections();
        for connection in &before {
            if is_half_open {
                line.slack.half_open(*connection);
            } else {
                line.slack.stop_ponging(*connection);
            }
        }
        let replaced = |slack: &Sandbox| {
            let open = slack.connections();
            let mut new = open.into_iter().filter(|one| !before.contains(one));
            new.next().zip(new.next())
        };
        let wait = line.slack.wait_for("two new connections", replaced);
        let (first, second) = wait.await.unwrap();
        for new in [first, second] {
            assert_eq!(
                said(&line.slack.send_on(new, saying("alive")).await),
                "alive"
            );
        }
        line.state(|state| state.live == 2).await;
        line.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_connections_make_it_wait_longer_and_longer() {
    let slack = Sandbox::start(Options::default()).await.unwrap();
    let others = open(&slack, 10, None, brisk(), echo);
    state(&others, |state| state.live == 10).await;
    let before = openings(&slack);
    let timings = Timings {
        too_many_wait: Duration::from_millis(300),
        ..brisk()
    };
    let socket = open(&slack, 2, None, timings, echo);
    // Long enough for a hundred connections without a wait between them.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let tried = openings(&slack) - before;
    assert!((2..=6).contains(&tried), "opened {tried} times in 2 s");
    assert_eq!(socket.states().borrow().live, 0);
    others.shut_down().await;
    state(&socket, |state| state.live == 2).await;
    socket.shut_down().await;
    let violations = slack.take_violations();
    assert!(
        violations
            .iter()
            .all(|violation| violation.error == "too_many_websockets"),
        "{violations:?}"
    );
    slack.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switched_off_socket_mode_is_said_and_asked_about_seldom_until_it_is_on_again() {
    let timings = Timings {
        disabled_wait: Duration::from_millis(400),
        ..brisk()
    };
    let line = Line::start(timings, echo).await;
    let before = openings(&line.slack);
    line.slack.set_socket_mode(false).await;
    let off = line
        .state(|state| state.live == 0 && state.problem.is_some())
        .await;
    let problem = off.problem.unwrap();
    assert!(problem.contains("Socket Mode is switched off"), "{problem}");
    // Long enough for a hundred tries without a wait between them.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let tried = openings(&line.slack) - before;
    assert!((1..=8).contains(&tried), "asked {tried} times in 1.5 s");
    assert_eq!(
        line.socket.states().borrow().problem.as_ref(),
        Some(&problem)
    );
    line.slack.set_socket_mode(true).await;
    line.state(|state| state.live == 2 && state.problem.is_none())
        .await;
    assert_eq!(said(&line.slack.send_envelope(saying("on")).await), "on");
    line.slack.take_violations();
    line.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_said_and_not_tried_again() {
    let slack = Sandbox::start(Options::default()).await.unwrap();
    let refusal = Fault::Error("invalid_auth".to_owned());
    slack.fail_next("apps.connections.open", u32::MAX, refusal);
    let socket = open(&slack, 2, None, brisk(), echo);
    let stopped = state(&socket, |state| state.problem.is_some()).await;
    let problem = stopped.problem.unwrap();
    assert!(
        problem.contains("SLACK_APP_TOKEN (invalid_auth)") && problem.contains("connections:write"),
        "{problem}"
    );
    // With the waits of this test, many more would have been tried.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(openings(&slack) <= 2, "asked {} times", openings(&slack));
    assert_eq!(socket.states().borrow().live, 0);
    socket.shut_down().await;
    slack.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_as_long_as_slack_asks() {
    let slack = Sandbox::start(Options::default()).await.unwrap();
    slack.fail_next("apps.connections.open", 1, Fault::RateLimited(1));
    let begun = Instant::now();
    let socket = open(&slack, 1, None, brisk(), echo);
    more_openings_than(&slack, 0).await;
    more_openings_than(&slack, 1).await;
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(1), "waited {waited:?} only");
    state(&socket, |state| state.live == 1).await;
    assert_eq!(openings(&slack), 2);
    socket.shut_down().await;
    slack.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_of_another_app_stops_it_with_a_word() {
    let slack = Sandbox::start(Options::default()).await.unwrap();
    let socket = open(&slack, 2, Some("A0ANOTHER"), brisk(), echo);
    let stopped = state(&socket, |state| state.problem.is_some()).await;
    let (problem, right) = (
        stopped.problem.unwrap(),
        slack.world(|world| world.app.id.clone()),
    );
    assert!(
        problem.contains("A0ANOTHER") && problem.contains(&right),
        "{problem}"
    );
    let none = |slack: &Sandbox| slack.connections().is_empty().then_some(());
    slack.wait_for("no connection", none).await.unwrap();
    assert!(openings(&slack) <= 2);
    assert_eq!(socket.states().borrow().live, 0);
    socket.shut_down().await;
    let socket = open(&slack, 2, Some(&right), brisk(), echo);
    state(&socket, |state| state.live == 2 && state.problem.is_none()).await;
    socket.shut_down().await;
    slack.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_commands_at_once_behind_a_slow_handler_are_all_answered_in_time() {
    let line = Line::start(Timings::default(), |delivery| {
        async move {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            answer(&text_of(&delivery))
        }
        .boxed()
    })
    .await;
    let texts: Vec<String> = (0..50).map(|number| format!("number {number}")).collect();
    let sends = texts
        .iter()
        .map(|text| line.slack.send_envelope(saying(text)));
    for (text, answer) in texts.iter().zip(join_all(sends).await) {
        assert_eq!(said(&answer), text);
        let latency = answer.latency.unwrap();
        assert!(
            latency >= Duration::from_millis(1500) && latency < SLACK_WAITS,
            "{latency:?}"
        );
    }
    line.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_is_too_slow_is_acknowledged_bare_and_its_late_answer_harms_nothing() {
    let timings = Timings {
        ack_by: Duration::from_millis(300),
        ..brisk()
    };
    let gate = Arc::new(Semaphore::new(0));
    let passed = gate.clone();
    let line = Line::start(timings, move |delivery| {
        let gate = passed.clone();
        async move {
            if text_of(&delivery) == "slow" {
                let _ = gate.acquire().await;
            }
            answer(&text_of(&delivery))
        }
        .boxed()
    })
    .await;
    let bare = line.slack.send_envelope(saying("slow")).await;
    let latency = bare.latency.unwrap();
    assert_eq!(bare.payload, None);
    assert!(
        latency >= Duration::from_millis(300) && latency < Duration::from_millis(1500),
        "{latency:?}"
    );
    assert_eq!(
        said(&line.slack.send_envelope(saying("quick")).await),
        "quick"
    );
    gate.add_permits(1);
    // The same envelope once more meets the handler that ran on, and gets what it came to.
    let again = line.slack.redeliver(&bare.envelope_id).await.unwrap();
    assert_eq!(said(&again), "slow");
    assert_eq!(line.slack.acks().len(), 3);
    line.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_late_for_the_acknowledgement_is_said_afterwards() {
    let timings = Timings {
        ack_by: Duration::from_millis(400),
        ..Timings::default()
    };
    let bot = TestBot::on(Database::in_memory(), timings, |options| options).await;
    let slow = Fault::Slow(Duration::from_millis(700));
    bot.slack.fail_next("users.info", 1, slow);
    let bare = bot
        .slack
        .say(NINA, "#general", "/time 2h: late")
        .await
        .unwrap();
    assert_eq!((bare.payload, bare.error), (None, None));
    let spoken = |slack: &Sandbox| slack.messages(NINA, "#general").into_iter().next_back();
    let card = bot.slack.wait_for("the late answer", spoken).await.unwrap();
    assert!(card.text.starts_with("Not saved."), "{}", card.text);
    let logged = bot.click(&card, "command.retry").await;
    assert!(
        logged.text.starts_with("Logged 2 h · late."),
        "{}",
        logged.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_envelope_that_comes_again_is_handled_once_and_answered_alike_each_time() {
    let gate = Arc::new(Semaphore::new(0));
    let passed = gate.clone();
    let handled = Arc::new(AtomicUsize::new(0));
    let counted = handled.clone();
    let line = Line::start(brisk(), move |_| {
        let (gate, handled) = (passed.clone(), counted.clone());
        async move {
            let number = handled.fetch_add(1, Ordering::SeqCst);
            let _ = gate.acquire().await;
            answer(&format!("answer {number}"))
        }
        .boxed()
    })
    .await;
    let mut envelope = saying("once");
    envelope["envelope_id"] = json!("the-same");
    let open = line.slack.connections();
    let sends = [open[0], open[0], open[1]].map(|connection| {
        let (slack, envelope) = (line.slack.clone(), envelope.clone());
        tokio::spawn(async move { slack.send_on(connection, envelope).await })
    });
    until(|| handled.load(Ordering::SeqCst) == 1).await;
    gate.add_permits(3);
    for (sent, connection) in join_all(sends)
        .await
        .into_iter()
        .zip([open[0], open[0], open[1]])
    {
        let answer = sent.unwrap();
        assert_eq!(
            (said(&answer), answer.connection),
            ("answer 0", Some(connection))
        );
    }
    let again = line.slack.send_on(open[1], envelope).await;
    assert_eq!(said(&again), "answer 0");
    assert_eq!(handled.load(Ordering::SeqCst), 1);
    assert_eq!(line.slack.acks().len(), 4);
    line.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_comes_again_after_a_restart_gets_its_answer_and_no_second_entry() {
    let bot = TestBot::on(Database::on_disk(), Timings::default(), |options| options).await;
    let first = bot
        .slack
        .say(NINA, "#general", "/time 2h: once")
        .await
        .unwrap();
    let sent = bot.slack.traffic().into_iter();
    let mut envelope = sent
        .filter(|line| line.kind == "slash_commands")
        .find_map(|line| {
            (line.envelope_id.as_ref() == Some(&first.envelope_id)).then_some(line.body)
        })
        .unwrap();
    let bot = bot.restart().await;
    let again = bot.slack.redeliver(&first.envelope_id).await.unwrap();
    assert_eq!(again.payload, first.payload);
    envelope["envelope_id"] = Value::Null;
    let renamed = bot.slack.send_envelope(envelope).await;
    assert_ne!(renamed.envelope_id, first.envelope_id);
    assert_eq!(renamed.payload, first.payload);
    assert_eq!(bot.database.descriptions().await, ["once"]);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_slack_repeats_after_a_restart_is_handled() {
    let bot = TestBot::on(Database::on_disk(), Timings::default(), |options| options).await;
    let bot = bot.restart().await;
    let (team, user) = bot.slack.world(|world| {
        let nina = world.people().iter().find(|person| person.name == NINA);
        (world.team.id.clone(), nina.unwrap().id.clone())
    });
    let answer = bot
        .slack
        .send_envelope(json!({
            "type": "events_api", "accepts_response_payload": false,
            "retry_attempt": 1, "retry_reason": "timeout",
            "payload": {
                "type": "event_callback", "team_id": team, "event_id": "Ev1",
                "event": {"type": "app_home_opened", "tab": "home", "user": user},
            },
        }))
        .await;
    assert_eq!((answer.error, answer.payload), (None, None));
    let home = |slack: &Sandbox| slack.home(NINA);
    bot.slack.wait_for("the Home tab", home).await.unwrap();
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_panics_costs_its_own_envelope_and_nothing_else() {
    let line = Line::start(brisk(), |delivery| {
        async move {
            let text = text_of(&delivery);
            assert!(!text.contains("panic"), "as the test wants it");
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer(&text)
        }
        .boxed()
    })
    .await;
    let open = line.slack.connections();
    let texts = ["one", "panic", "two", "panic again", "three"];
    let sends = texts.map(|text| line.slack.send_on(open[0], saying(text)));
    for (text, answer) in texts.into_iter().zip(join_all(sends).await) {
        assert!(answer.latency.is_some(), "{text} was not acknowledged");
        let expected = if text.contains("panic") { "" } else { text };
        assert_eq!(said(&answer), expected);
    }
    assert_eq!(
        said(&line.slack.send_on(open[0], saying("after")).await),
        "after"
    );
    assert_eq!(line.slack.connections(), open);
    line.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_cannot_be_read_are_acknowledged_by_their_id_and_the_connection_lives_on() {
    let line = Line::start(brisk(), echo).await;
    let open = line.slack.connections();
    for text in [
        "",
        "not JSON",
        "[]",
        "null",
        "7",
        r#"{"envelope_id":7}"#,
        r#"{"type":"#,
    ] {
        line.slack.send_text(open[0], text).await;
    }
    for envelope in [
        json!({"type": "novelty"}),
        json!({}),
        json!({"type": 7, "payload": {}}),
        json!({"type": "events_api", "payload": {}, "retry_attempt": "many"}),
        json!({"type": "slash_commands", "payload": {}, "accepts_response_payload": "perhaps"}),
    ] {
        let answer = line.slack.send_on(open[0], envelope.clone()).await;
        assert_eq!((answer.error, answer.payload), (None, None), "{envelope}");
        assert_eq!(answer.connection, Some(open[0]));
    }
    assert_eq!(
        said(&line.slack.send_on(open[0], saying("well")).await),
        "well"
    );
    let long = "ü".repeat(125_000);
    let answer = line.slack.send_on(open[0], saying(&long)).await;
    assert!(said(&answer) == long, "250 KB came back different");
    assert_eq!(line.slack.connections(), open);
    line.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_install_for_the_whole_organisation_logs_and_undoes() {
    let org_wide = |options| Options {
        enterprise: Some(Enterprise {
            id: "E07TERN001".to_owned(),
            name: "Tern Group".to_owned(),
            org_wide: true,
        }),
        ..options
    };
    let bot = TestBot::on(Database::in_memory(), Timings::default(), org_wide).await;
    let card = bot.say("/time 2h: for the group").await;
    assert!(
        card.text.starts_with("Logged 2 h · for the group."),
        "{}",
        card.text
    );
    let undone = bot.click(&card, "entry.undo").await;
    assert!(
        undone.text.starts_with("Undone. 2 h · for the group"),
        "{}",
        undone.text
    );
    assert!(
        undone.text.ends_with("Today: 0 h of 8 h."),
        "{}",
        undone.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_that_run_when_it_shuts_down_end_and_are_answered() {
    let gate = Arc::new(Semaphore::new(0));
    let passed = gate.clone();
    let started = Arc::new(AtomicUsize::new(0));
    let begun = started.clone();
    let line = Line::start(brisk(), move |delivery| {
        let (gate, started) = (passed.clone(), begun.clone());
        async move {
            started.fetch_add(1, Ordering::SeqCst);
            let _ = gate.acquire().await;
            answer(&text_of(&delivery))
        }
        .boxed()
    })
    .await;
    let Line { slack, socket } = line;
    let sends: Vec<_> = (0..20)
        .map(|number| {
            let slack = slack.clone();
            tokio::spawn(async move { slack.send_envelope(saying(&number.to_string())).await })
        })
        .collect();
    until(|| started.load(Ordering::SeqCst) == 20).await;
    let mut ending = Box::pin(socket.shut_down());
    assert!(
        (&mut ending).now_or_never().is_none(),
        "it ended over running handlers"
    );
    gate.add_permits(20);
    ending.await;
    for (number, sent) in join_all(sends).await.into_iter().enumerate() {
        assert_eq!(said(&sent.unwrap()), number.to_string());
    }
    assert_eq!(slack.connections(), []);
    assert_eq!(slack.violations(), []);
    slack.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_under_way_when_the_bot_ends_are_stored_and_answered() {
    let TestBot {
        slack,
        bot,
        database,
        ..
    } = TestBot::on(Database::on_disk(), Timings::default(), |options| options).await;
    // The first contact takes a while, so that the commands behind it are under way when the end comes.
    slack.fail_next("users.info", 1, Fault::Slow(Duration::from_millis(300)));
    let commands: Vec<_> = (0..20)
        .map(|number| {
            let slack = slack.clone();
            let line = format!("/time 1 min: last {number:02}");
            tokio::spawn(async move { slack.say(NINA, "#general", &line).await.unwrap() })
        })
        .collect();
    until(|| {
        let traffic = slack.traffic();
        let sent = traffic.iter().filter(|line| line.kind == "slash_commands");
        sent.count() == 20
    })
    .await;
    bot.shut_down().await;
    let mut logged = Vec::new();
    for (number, command) in join_all(commands).await.into_iter().enumerate() {
        // What had not been read yet when the end came is not answered, and must not be stored either.
        let Some(card) = command.unwrap().message else {
            continue;
        };
        let start = format!("Logged 1 min · last {number:02}.");
        assert!(card.text.starts_with(&start), "{}", card.text);
        logged.push(format!("last {number:02}"));
    }
    assert!(!logged.is_empty());
    assert_eq!(database.descriptions().await, logged);
    slack.stop();
    database.remove().await;
}
