//! Timers, from `/time start` to the entry, and what happens to one that is forgotten.

use std::time::Duration;

use billops::{
    bot::Bot,
    jobs::Job,
    sandbox::{Choice, Fault, Message, Sandbox},
    slack::socket::Timings,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    bot::{NINA, TestBot},
    databases::Database,
    entries::{initial, text},
};

/// Nina's direct message with the bot.
const DM: &str = "D07NINA001";

/// What the schedule asks for once a minute.
async fn tick(bot: &Bot) {
    let job = Job::AskForgottenTimers.to_row();
    bot.store().add_job(&job).await.unwrap();
}

/// Waits until nothing is left to do that is due now.
async fn idle(bot: &Bot) {
    let until = tokio::time::Instant::now() + Duration::from_secs(5);
    while bot.store().job_counts().await.unwrap().open > 0 {
        assert!(tokio::time::Instant::now() < until, "jobs were left undone");
        tokio::task::yield_now().await;
    }
}

impl TestBot {
    fn after(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
    }

    /// The questions in Nina's direct messages, as they stand.
    fn questions(&self) -> Vec<Message> {
        let all = self.slack.messages(NINA, DM).into_iter();
        all.filter(|message| message.text.starts_with("Your timer is still running"))
            .collect()
    }

    /// The schedule comes round, and everything that follows is done.
    async fn comes_round(&self) {
        tick(&self.bot).await;
        idle(&self.bot).await;
    }

    /// Waits until the timer that runs is to be asked about in so many seconds, or not at all.
    async fn is_to_ask_in(&self, seconds: Option<i64>) {
        let store = self.bot.store();
        let nina = store.member("T07TERN001", "U07NINA001").await.unwrap();
        let nina = nina.unwrap().user_id;
        let until = tokio::time::Instant::now() + Duration::from_secs(5);
        loop {
            let timer = store.timer(nina).await.unwrap().unwrap();
            let wait = timer.ask_at.map(|at| (at - self.clock.now()).num_seconds());
            if wait == seconds {
                return;
            }
            assert!(tokio::time::Instant::now() < until, "in {wait:?} s");
            tokio::task::yield_now().await;
        }
    }

    /// Asked about a timer that was started at 13:30 and forgotten until 19:00.
    async fn forgotten(&self) -> Message {
        self.say("/time start Usability notes").await;
        self.after(330);
        self.comes_round().await;
        self.questions().pop().expect("nobody was asked")
    }

    /// Presses a button in a direct message, and returns what stands in the message's place then.
    async fn answers(&self, question: &Message, action: &str) -> Message {
        let answer = self.slack.click(NINA, question, action).await.unwrap();
        assert_eq!(answer.error, None, "{action}");
        self.replaced_there(question).await
    }

    async fn replaced_there(&self, message: &Message) -> Message {
        let changed = |slack: &Sandbox| {
            let mut all = slack.messages(NINA, DM).into_iter();
            all.find(|now| now.ts == message.ts && now.blocks != message.blocks)
        };
        self.slack.wait_for("a replacement", changed).await.unwrap()
    }

    /// Waits until the Home tab is as it is to be, and the bot knows which view that is.
    async fn home_is_settled(&self) {
        let store = self.bot.store();
        let nina = store.member("T07TERN001", "U07NINA001").await.unwrap();
        let binding = nina.unwrap().binding_id;
        let until = tokio::time::Instant::now() + Duration::from_secs(5);
        loop {
            let known = store.home_view_hash(binding).await.unwrap();
            let shown = self.slack.home(NINA).map(|home| home.hash);
            if known == shown && store.job_counts().await.unwrap().open == 0 {
                return;
            }
            assert!(tokio::time::Instant::now() < until, "Home is not settled");
            tokio::task::yield_now().await;
        }
    }

    async fn clicks_at_home(&self, action: &str) {
        self.home_is_settled().await;
        let home = self.slack.home(NINA).unwrap();
        let answer = self.slack.click(NINA, &home, action).await.unwrap();
        assert_eq!(answer.error, None, "{action}");
    }

    /// `/time status`, without what is done about it.
    async fn status(&self) -> String {
        self.say("/time status").await.text
    }

    /// A command that opens a form and says nothing.
    async fn says_nothing(&self, line: &str) {
        let answer = self.slack.say(NINA, "#general", line).await.unwrap();
        assert_eq!(answer.error, None, "{line}");
        assert!(answer.message.is_none(), "{line}");
    }
}

const NO_TIMER: &str = "No timer is running. Start one with /time start what you do.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_is_started_and_stopped_and_runs_on_when_that_is_undone() {
    let bot = TestBot::start().await;
    assert_eq!(bot.status().await, NO_TIMER);
    bot.projects(&["halden"]).await;
    bot.clock.advance(TimeDelta::seconds(40));
    let started = bot.say("/time start Usability notes #halden +web").await;
    assert_eq!(
        started.text,
        "Timer started at 13:30 · Usability notes · #halden · +web. Stop it with /time stop."
    );
    bot.after(50);
    assert_eq!(
        bot.status().await,
        "Timer running since 13:30 · Usability notes · #halden · +web."
    );
    let stopped = bot.say("/time stop").await;
    assert_eq!(
        stopped.text,
        "Logged 50 min · Usability notes. Today, Fri 20 Nov, 13:30–14:20 · #halden · billable · +web. Timer \
         stopped. Today: 50 min of 8 h."
    );
    assert_eq!(bot.status().await, NO_TIMER);
    bot.after(5);
    let undone = bot.click(&stopped, "entry.undo").await;
    assert!(
        undone
            .text
            .ends_with("The timer runs on since 13:30. Today: 0 h of 8 h."),
        "{}",
        undone.text
    );
    let runs = bot.status().await;
    assert!(runs.starts_with("Timer running since 13:30"), "{runs}");
    let logged = bot.click(&undone, "entry.redo").await;
    assert!(logged.text.contains("13:30–14:20"), "{}", logged.text);
    assert_eq!(bot.status().await, NO_TIMER);

    let undone = bot.say("/time undo").await;
    assert!(
        undone.text.contains("The timer runs on since 13:30"),
        "{}",
        undone.text
    );
    let stopped = bot.say("/time stop").await;
    assert!(stopped.text.contains("13:30–14:25"), "{}", stopped.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_stops_what_runs_and_both_are_undone_together() {
    let bot = TestBot::start().await;
    bot.say("/time start Icon set").await;
    bot.after(40);
    let started = bot.say("/time start Usability notes").await;
    assert_eq!(
        started.text,
        "Timer started at 14:10 · Usability notes. Stop it with /time stop. Icon set stopped: logged 40 min."
    );
    let undone = bot.click(&started, "entry.undo").await;
    assert!(
        undone.text.contains("40 min · Icon set")
            && undone.text.contains("The timer runs on since 13:30."),
        "{}",
        undone.text
    );
    let runs = bot.status().await;
    assert!(
        runs.starts_with("Timer running since 13:30 · Icon set."),
        "{runs}"
    );
    let again = bot.click(&undone, "entry.redo").await;
    assert!(
        again
            .text
            .starts_with("Timer started at 14:10 · Usability notes."),
        "{}",
        again.text
    );

    // One that ran for seconds leaves nothing, and can be put back.
    bot.clock.advance(TimeDelta::seconds(59));
    let started = bot.say("/time start Third").await;
    assert!(
        started
            .text
            .ends_with("Usability notes stopped: under a minute, nothing logged."),
        "{}",
        started.text
    );
    let back = bot.click(&started, "timer.restore").await;
    assert!(
        back.text
            .starts_with("Timer running since 14:10 · Usability notes."),
        "{}",
        back.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_discarded_timer_can_be_put_back() {
    let bot = TestBot::start().await;
    assert_eq!(bot.say("/time cancel").await.text, NO_TIMER);
    bot.say("/time start Usability notes").await;
    bot.after(50);
    let gone = bot.say("/time cancel").await;
    assert_eq!(
        gone.text,
        "Timer discarded, nothing logged: Usability notes, running since 13:30."
    );
    assert_eq!(bot.status().await, NO_TIMER);
    bot.after(5);
    let back = bot.click(&gone, "timer.restore").await;
    assert_eq!(back.text, "Timer running since 13:30 · Usability notes.");
    let gone = bot.click(&back, "timer.discard").await;
    assert!(gone.text.starts_with("Timer discarded"), "{}", gone.text);
    let back = bot.say("/time undo").await;
    assert!(
        back.text.starts_with("Timer running since 13:30"),
        "{}",
        back.text
    );
    // Two presses at once, and one more.
    let (one, other) = tokio::join!(
        bot.slack.click(NINA, &back, "timer.stop"),
        bot.slack.click(NINA, &back, "timer.stop"),
    );
    assert_eq!((one.unwrap().error, other.unwrap().error), (None, None));
    let logged = bot.replaced(&back).await;
    assert!(
        logged.text.starts_with("Logged 55 min · Usability notes."),
        "{}",
        logged.text
    );
    let mut late = bot.last_sent("interactive");
    late["payload"]["trigger_id"] = json!("1.2.3");
    assert_eq!(bot.slack.send_envelope(late).await.error, None);
    let total = bot.say("/time 5m: mail").await.text;
    assert!(total.ends_with("Today: 1 h of 8 h."), "{total}");
    // The old message still says what was done.
    let all = bot.slack.messages(NINA, "#general");
    let now = all.iter().find(|now| now.ts == logged.ts).unwrap();
    assert!(now.text.starts_with("Logged 55 min"), "{}", now.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_button_of_another_timer_does_nothing_and_says_so() {
    let bot = TestBot::start().await;
    let first = bot.say("/time start Icon set").await;
    bot.after(10);
    bot.say("/time start Usability notes").await;
    bot.after(10);
    let told = bot.click(&first, "timer.discard").await;
    assert_eq!(
        told.text,
        "Nothing was changed. The timer running now is since 13:40 · Usability notes."
    );
    bot.say("/time cancel").await;
    let told = bot.click(&told, "timer.edit").await;
    assert_eq!(told.text, "Nothing was changed: that timer no longer runs.");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_minute_is_nothing_and_can_run_on() {
    let bot = TestBot::start().await;
    bot.say("/time start Usability notes").await;
    bot.clock.advance(TimeDelta::seconds(59));
    let short = bot.say("/time stop").await;
    assert_eq!(
        short.text,
        "Under a minute, nothing logged: Usability notes."
    );
    let back = bot.click(&short, "timer.restore").await;
    assert!(
        back.text.starts_with("Timer running since 13:30"),
        "{}",
        back.text
    );
    bot.clock.advance(TimeDelta::seconds(1));
    let logged = bot.click(&back, "timer.stop").await;
    assert!(logged.text.starts_with("Logged 1 min"), "{}", logged.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_command_is_answered_as_it_was() {
    let bot = TestBot::start().await;
    for line in [
        "/time start Usability notes",
        "/time stop",
        "/time start again",
        "/time cancel",
    ] {
        bot.after(20);
        let said = bot.say(line).await;
        let again = bot
            .slack
            .send_envelope(bot.last_sent("slash_commands"))
            .await;
        assert_eq!(again.error, None, "{line}");
        let again = again.payload.expect("an answer");
        assert_eq!(again["text"], said.text, "{line}");
    }
    let total = bot.say("/time 5m: mail").await.text;
    assert!(total.ends_with("Today: 25 min of 8 h."), "{total}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_words_the_form_asks_and_without_a_form_it_starts_at_once() {
    let bot = TestBot::start().await;
    bot.projects(&["halden"]).await;
    bot.says_nothing("/time start #halden").await;
    let form = bot.form().await;
    assert_eq!(form.callback_id(), "timer.create");
    assert!(
        initial(&form, "project")["text"]["text"]
            .as_str()
            .unwrap()
            .starts_with("#halden")
    );
    let problem = bot.submit(&form, &[("description", text("   "))]).await;
    assert_eq!(
        problem.errors["description"],
        "Say in a few words what you did."
    );
    let sent = bot
        .submit(&form, &[("description", text("Usability notes"))])
        .await;
    assert!(sent.closed);
    let started = bot.hears("#general", "Timer started").await;
    assert!(
        started
            .text
            .starts_with("Timer started at 13:30 · Usability notes · #halden."),
        "{}",
        started.text
    );
    bot.say("/time cancel").await;

    // Slack does not open the form: it runs, and is asked about when it is stopped.
    bot.slack.fail_next("views.open", 1, Fault::Status(500));
    let started = bot.say("/time start").await;
    assert!(
        started
            .text
            .starts_with("Timer started at 13:30 · not described yet · #halden."),
        "{}",
        started.text
    );
    bot.after(30);
    bot.says_nothing("/time stop").await;
    let form = bot.form().await;
    assert_eq!(form.callback_id(), "timer.stop_as");
    assert_eq!(initial(&form, "time"), "13:30–14:00");
    let origin = Value::from(form.blocks().to_vec()).to_string();
    assert!(
        origin.contains("nobody has said what it is for"),
        "{origin}"
    );
    bot.slack.close_all(NINA).await.unwrap();
    let blocked = bot.say("/time start Icon set").await;
    assert!(
        blocked
            .text
            .starts_with("Nothing was started. This timer runs since 13:30")
            && blocked.text.ends_with("You typed: /time start Icon set"),
        "{}",
        blocked.text
    );
    let form = bot.open(&blocked, "timer.stop_as").await;
    let words = [
        ("description", text("Kick-off")),
        ("time", text("13:30-13:45")),
    ];
    let logged = bot.submit_over(&form, &words, &blocked).await;
    assert!(
        logged.text.starts_with("Logged 15 min · Kick-off."),
        "{}",
        logged.text
    );
    assert_eq!(bot.status().await, NO_TIMER);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_timer_is_edited() {
    let bot = TestBot::start().await;
    bot.projects(&["halden", "internal"]).await;
    let started = bot.say("/time start Usability notes #halden").await;
    bot.after(10);
    let before = bot.say("/time status").await;
    let form = bot.open(&started, "timer.edit").await;
    let options = bot
        .slack
        .suggest(NINA, &form, "project/value", "internal")
        .await
        .unwrap();
    let option = options.options[0].clone();
    let values = [
        ("description", text("Interview notes")),
        ("project", Choice::Suggested(option)),
    ];
    let edited = bot.submit_over(&form, &values, &started).await;
    assert_eq!(
        edited.text,
        "Timer changed. It is running since 13:30 · Interview notes · #internal."
    );
    let told = bot.click(&before, "timer.discard").await;
    assert!(
        told.text
            .starts_with("Nothing was changed. The timer running now is since 13:30 · Interview"),
        "{}",
        told.text
    );
    let undone = bot.say("/time undo").await;
    assert_eq!(
        undone.text,
        "Timer running since 13:30 · Usability notes · #halden."
    );
    let form = bot.open(&undone, "timer.edit").await;
    bot.say("/time stop").await;
    let late = bot
        .submit_over(&form, &[("description", text("late"))], &undone)
        .await;
    assert_eq!(late.text, "Nothing was changed: that timer no longer runs.");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_is_not_clear_is_said_and_the_timer_runs() {
    let bot = TestBot::start().await;
    bot.projects(&["acme-web", "acme-app"]).await;
    let started = bot.say("/time start Icon set #acme").await;
    assert_eq!(
        started.text,
        "Timer started at 13:30 · Icon set. Stop it with /time stop. “#acme” could be several projects."
    );
    let started = bot.say("/time start Icon set #acme-w").await;
    assert!(
        started.text.contains("Icon set · #acme-web."),
        "{}",
        started.text
    );
    // And it is the default from now on.
    let started = bot.say("/time start Icon set").await;
    assert!(
        started.text.contains("· #acme-web.") && started.text.contains("you named here last"),
        "{}",
        started.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_day_is_asked_about() {
    let bot = TestBot::start().await;
    bot.say("/time start Usability notes").await;
    bot.after(24 * 60 + 1);
    bot.slack.fail_next("views.open", 1, Fault::Status(500));
    let asks = bot.say("/time stop").await;
    assert_eq!(
        asks.text,
        "Not logged yet. Usability notes. This timer runs since Fri 20 Nov, 13:30: 24 h 1 min. An entry holds 24 h at most. Say when \
         it really ended."
    );
    let form = bot.open(&asks, "timer.stop_as").await;
    assert_eq!(initial(&form, "time"), "13:30–17:00");
    assert_eq!(initial(&form, "date"), "2026-11-20");
    let logged = bot
        .submit_over(&form, &[("time", text("13:30-16:00"))], &asks)
        .await;
    assert!(
        logged
            .text
            .starts_with("Logged 2 h 30 min · Usability notes. Fri 20 Nov, 13:30–16:00."),
        "{}",
        logged.text
    );
    let undone = bot.click(&logged, "entry.undo").await;
    assert!(
        undone.text.contains("The timer runs on since"),
        "{}",
        undone.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_night_the_clocks_change_has_its_real_length() {
    let bot = TestBot::start().await;
    // To Saturday 27 March 2027, 23:00 in Berlin; at 02:00 it is 03:00.
    let night: DateTime<Utc> = "2027-03-27T22:00:00Z".parse().unwrap();
    bot.clock.advance(night - bot.clock.now());
    bot.say("/time start Migration").await;
    bot.after(4 * 60);
    let stopped = bot.say("/time stop").await;
    assert!(
        stopped
            .text
            .starts_with("Logged 4 h · Migration. Sat 27 Mar, 23:00–04:00."),
        "{}",
        stopped.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_survives_the_bot() {
    let bot = TestBot::on(Database::on_disk(), Timings::default(), |options| options).await;
    let started = bot.say("/time start Usability notes").await;
    let bot = bot.restart().await;
    bot.after(30);
    let logged = bot.click(&started, "timer.stop").await;
    assert!(logged.text.starts_with("Logged 30 min"), "{}", logged.text);
    assert_eq!(bot.database.descriptions().await, ["Usability notes"]);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn home_shows_the_timer_and_stops_it() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    bot.home_says(NINA, "Welcome").await;
    bot.say("/time start Usability notes").await;
    bot.home_says(NINA, "Timer running since 13:30 · *Usability notes*")
        .await;
    bot.after(50);
    bot.clicks_at_home("timer.stop").await;
    bot.home_says(NINA, "Timer stopped: logged Usability notes, 50 min")
        .await;
    bot.clicks_at_home("entry.undo").await;
    bot.home_says(NINA, "Undone, the timer runs on: Usability notes")
        .await;
    let home = bot.home_says(NINA, "Timer running since 13:30").await;
    assert!(home.to_string().contains("Nothing logged yet"));

    bot.home_is_settled().await;
    bot.say("/time cancel").await;
    bot.say("/time start Icon set").await;
    bot.home_says(NINA, "*Icon set*").await;
    bot.clicks_at_home("timer.stop").await;
    bot.home_says(NINA, "Under a minute, nothing logged: Icon set")
        .await;
    bot.clicks_at_home("timer.restore").await;
    bot.home_says(NINA, "Timer running since 14:20 · *Icon set*")
        .await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_timer_is_asked_about_once() {
    let bot = TestBot::start().await;
    bot.say("/time start Usability notes").await;
    bot.after(329);
    bot.comes_round().await;
    assert_eq!(bot.questions().len(), 0);
    bot.after(1);
    bot.comes_round().await;
    let question = bot.questions().pop().unwrap();
    assert_eq!(
        question.text,
        "Your timer is still running: Usability notes, since Fri 20 Nov, 13:30. Your working day ended at 17:00. Log \
         it until 17:00 (3 h 30 min), choose another time, or keep it running."
    );
    bot.after(24 * 60);
    bot.comes_round().await;
    assert_eq!(bot.questions().len(), 1);
    let logged = bot.answers(&question, "timer.stop_at").await;
    assert!(
        logged
            .text
            .starts_with("Logged 3 h 30 min · Usability notes. Fri 20 Nov, 13:30–17:00."),
        "{}",
        logged.text
    );
    let undone = bot.answers(&logged, "entry.undo").await;
    assert!(
        undone.text.contains("The timer runs on since"),
        "{}",
        undone.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_that_is_kept_is_asked_about_again_after_ten_hours() {
    let bot = TestBot::start().await;
    let question = bot.forgotten().await;
    bot.after(5);
    let kept = bot.answers(&question, "timer.keep").await;
    assert_eq!(
        kept.text,
        "Still running since 13:30 · Usability notes. I ask again on Sat 21 Nov at 05:05."
    );
    assert_eq!(bot.questions().len(), 0);
    bot.after(599);
    bot.comes_round().await;
    assert_eq!(bot.questions().len(), 0);
    bot.after(1);
    bot.comes_round().await;
    assert_eq!(bot.questions().len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_timer_is_discarded_and_put_back_or_ended_otherwise() {
    let bot = TestBot::start().await;
    let question = bot.forgotten().await;
    let gone = bot.answers(&question, "timer.discard").await;
    assert!(
        gone.text.starts_with("Timer discarded, nothing logged"),
        "{}",
        gone.text
    );
    let back = bot.answers(&gone, "timer.restore").await;
    assert_eq!(back.text, "Timer running since 13:30 · Usability notes.");
    bot.comes_round().await;
    assert_eq!(bot.questions().len(), 0, "whoever puts it back knows of it");
    bot.after(600);
    bot.comes_round().await;
    let question = bot.questions().pop().unwrap();
    let form = bot.open(&question, "timer.stop_as").await;
    assert_eq!(initial(&form, "time"), "13:30–17:00");
    let sent = bot.submit(&form, &[("time", text("13:30-18:15"))]).await;
    assert!(sent.closed);
    let logged = bot.replaced_there(&question).await;
    assert!(
        logged.text.starts_with("Logged 4 h 45 min"),
        "{}",
        logged.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_slack_does_not_take_is_asked_later() {
    let bot = TestBot::start().await;
    bot.say("/time start Usability notes").await;
    bot.after(330);
    bot.slack
        .fail_next("chat.postMessage", 1, Fault::RateLimited(30));
    tick(&bot.bot).await;
    // Before Slack wants to hear of it again, nothing is asked, whoever looks.
    bot.is_to_ask_in(Some(30)).await;
    tick(&bot.bot).await;
    bot.clock.advance(TimeDelta::seconds(30));
    bot.slack
        .fail_next("chat.postMessage", 1, Fault::Status(503));
    tick(&bot.bot).await;
    bot.is_to_ask_in(Some(0)).await;
    assert_eq!(bot.questions().len(), 0);
    // The wait before the next attempt begins when the worker has noted that one failed.
    let asked = |slack: &Sandbox| (!slack.messages(NINA, DM).is_empty()).then_some(());
    let mut is_asked = false;
    for _ in 0..50 {
        bot.clock.advance(TimeDelta::seconds(3));
        let refresh = Job::ForgetRequests.to_row();
        bot.bot.store().add_job(&refresh).await.unwrap();
        let wait = Duration::from_millis(100);
        is_asked = bot
            .slack
            .wait_within(wait, "a question", asked)
            .await
            .is_ok();
        if is_asked {
            break;
        }
    }
    assert!(is_asked);
    idle(&bot.bot).await;
    assert_eq!(bot.questions().len(), 1);
    // A person who left is not asked for ever.
    bot.say("/time start Icon set").await;
    bot.after(600);
    let gone = Fault::Error("account_inactive".to_owned());
    bot.slack.fail_next("chat.postMessage", 1, gone);
    bot.comes_round().await;
    bot.is_to_ask_in(None).await;
    bot.comes_round().await;
    assert_eq!(bot.questions().len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_bots_one_starts_and_one_asks() {
    let database = Database::postgres().await;
    let bot = TestBot::on(database, Timings::default(), |options| options).await;
    let other = bot.replica().await;
    bot.say("/time help").await;
    for round in 0..5 {
        let (one, two) = (
            format!("/time start one {round}"),
            format!("/time start two {round}"),
        );
        let (one, two) = tokio::join!(bot.say(&one), bot.say(&two));
        for said in [one, two] {
            assert!(said.text.starts_with("Timer started"), "{}", said.text);
        }
        let gone = bot.say("/time cancel").await;
        assert!(gone.text.starts_with("Timer discarded"), "{}", gone.text);
        assert_eq!(bot.status().await, NO_TIMER);
    }
    bot.say("/time start Usability notes").await;
    bot.after(330);
    for _ in 0..5 {
        tick(&bot.bot).await;
        tick(&other).await;
        idle(&bot.bot).await;
    }
    assert_eq!(bot.questions().len(), 1);
    other.shut_down().await;
    bot.finish().await;
}
