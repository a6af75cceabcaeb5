//! The harness: the real bot in this process against the sandbox, over real sockets and real HTTP, with a
//! clock that is moved by hand.

use std::{net::SocketAddr, time::Duration};

use billops::{
    bot::Bot,
    clock::Clock,
    config::{Config, Environment, Limits},
    manifest::MANIFEST,
    sandbox::{Answer, Manifest, Message, Options, Sandbox},
    slack::socket::Timings,
};
use tokio::net::TcpListener;

use crate::databases::{Database, friday};

/// Whom most tests are about; see the sandbox's people.
pub(crate) const NINA: &str = "nina";

/// A bot and its Slack.
pub(crate) struct TestBot {
    pub(crate) slack: Sandbox,
    pub(crate) bot: Bot,
    pub(crate) clock: Clock,
    pub(crate) database: Database,
    /// Settings that differ from the sandbox's; an empty one counts as not set.
    settings: Settings,
    limits: Limits,
}

/// Tests ask more, on a clock that stands still, than a frontend does.
pub(crate) const NO_LIMITS: Limits = Limits {
    per_second: 100_000,
    burst: 1_000_000,
    connections: 1024,
};

type Settings = &'static [(&'static str, &'static str)];

impl TestBot {
    /// On SQLite in memory, on Friday 20 November 2026 at 13:30 in Berlin, connected.
    pub(crate) async fn start() -> Self {
        Self::on(Database::in_memory(), Timings::default(), |options| options).await
    }

    pub(crate) async fn on(
        database: Database,
        timings: Timings,
        options: impl FnOnce(Options) -> Options,
    ) -> Self {
        Self::set_up(database, timings, options, &[], NO_LIMITS).await
    }

    /// As [`start`](Self::start), with these limits for callers.
    pub(crate) async fn limited(limits: Limits) -> Self {
        let timings = Timings::default();
        Self::set_up(
            Database::in_memory(),
            timings,
            |options| options,
            &[],
            limits,
        )
        .await
    }

    /// With other settings than the sandbox's.
    pub(crate) async fn with(database: Database, settings: Settings) -> Self {
        let timings = Timings::default();
        Self::set_up(database, timings, |options| options, settings, NO_LIMITS).await
    }

    async fn set_up(
        database: Database,
        timings: Timings,
        options: impl FnOnce(Options) -> Options,
        settings: Settings,
        limits: Limits,
    ) -> Self {
        let clock = friday();
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let defaults = Options {
            clock: clock.clone(),
            manifest,
            ..Options::default()
        };
        let slack = Sandbox::start(options(defaults)).await.unwrap();
        let bot = connected(&slack, &database, &clock, timings, (settings, limits)).await;
        Self {
            slack,
            bot,
            clock,
            database,
            settings,
            limits,
        }
    }

    /// A bot in this Slack, at the moment that its clock shows.
    pub(crate) async fn joins(slack: Sandbox, database: Database, clock: Clock) -> Self {
        let more: (Settings, Limits) = (&[], NO_LIMITS);
        let bot = connected(&slack, &database, &clock, Timings::default(), more).await;
        Self {
            slack,
            bot,
            clock,
            database,
            settings: more.0,
            limits: more.1,
        }
    }

    /// One more bot on the same database and the same Slack.
    pub(crate) async fn replica(&self) -> Bot {
        let timings = Timings::default();
        connected(
            &self.slack,
            &self.database,
            &self.clock,
            timings,
            (self.settings, NO_LIMITS),
        )
        .await
    }

    /// Ends the bot in good order and starts it anew on the same database.
    pub(crate) async fn restart(mut self) -> Self {
        self.bot.shut_down().await;
        let none = |slack: &Sandbox| slack.connections().is_empty().then_some(());
        self.slack.wait_for("no connection", none).await.unwrap();
        let timings = Timings::default();
        self.bot = connected(
            &self.slack,
            &self.database,
            &self.clock,
            timings,
            (self.settings, self.limits),
        )
        .await;
        self
    }

    /// Types a line in #general; what comes back must be in time and must be a message.
    pub(crate) async fn say(&self, text: &str) -> Message {
        self.say_as(NINA, text).await
    }

    pub(crate) async fn say_as(&self, person: &str, text: &str) -> Message {
        let answer = self.slack.say(person, "#general", text).await.unwrap();
        assert_eq!(answer.error, None, "{text}");
        answer
            .message
            .expect("the command was answered with nothing")
    }

    /// Presses a button of a message, and returns the message that stands in its place then.
    pub(crate) async fn click(&self, message: &Message, action: &str) -> Message {
        let (answer, now) = click(&self.slack, message, action).await;
        assert_eq!(answer.error, None, "{action}");
        now
    }

    /// Ends the bot. Fails if Slack had to refuse anything, or if a job is left that was not done.
    pub(crate) async fn finish(self) {
        let until = tokio::time::Instant::now() + Duration::from_secs(5);
        loop {
            let counts = self.bot.store().job_counts().await.unwrap();
            assert_eq!(counts.dead, 0, "a job was given up");
            if counts.open == 0 {
                break;
            }
            assert!(tokio::time::Instant::now() < until, "jobs were left undone");
            tokio::task::yield_now().await;
        }
        let Self {
            slack,
            bot,
            database,
            ..
        } = self;
        bot.shut_down().await;
        // That two views meet is what the fingerprint is for: the second is built anew and published.
        let mut violations = slack.violations();
        violations.retain(|one| (&*one.subject, &*one.error) != ("views.publish", "hash_conflict"));
        assert!(violations.is_empty(), "Slack refused: {violations:#?}");
        slack.stop();
        database.remove().await;
    }
}

async fn connected(
    slack: &Sandbox,
    database: &Database,
    clock: &Clock,
    timings: Timings,
    (more, limits): (Settings, Limits),
) -> Bot {
    let before = slack.connections().len();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let web = listener.local_addr().unwrap();
    let mut settings = slack.settings(web, &database.url);
    settings.extend(
        more.iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    if is_http() {
        settings.retain(|(name, _)| *name != "SLACK_APP_TOKEN");
        settings.push(("SLACK_SIGNING_SECRET", slack.signing_secret().to_owned()));
    }
    let mut config = Config::from_environment(&Environment::of(settings)).unwrap();
    config.limits = limits;
    let bot = Bot::start_at(Some(listener), &config, clock.clone(), timings)
        .await
        .unwrap();
    if is_http() {
        slack.deliver_over_http(&format!("http://{web}"));
        return bot;
    }
    let all = |slack: &Sandbox| (slack.connections().len() == before + 2).then_some(());
    slack.wait_for("two connections", all).await.unwrap();
    bot
}

/// Whether Slack's requests come over HTTP: `./test` runs everything that a person does over both transports.
fn is_http() -> bool {
    std::env::var("BILLOPS_TEST_TRANSPORT").is_ok_and(|transport| transport == "http")
}

/// Presses a button of a message of Nina's, and waits for what stands in its place then.
pub(crate) async fn click(slack: &Sandbox, message: &Message, action: &str) -> (Answer, Message) {
    let answer = slack.click(NINA, message, action).await.unwrap();
    let changed = |slack: &Sandbox| {
        let mut messages = slack.messages(NINA, "#general").into_iter();
        let now = messages.find(|now| now.ts == message.ts)?;
        (now.blocks != message.blocks).then_some(now)
    };
    let wait = slack.wait_for("the message to be replaced", changed);
    (answer, wait.await.unwrap())
}

/// The settings of a bot that talks to this sandbox and keeps its data there.
pub(crate) fn config(slack: &Sandbox, database_url: &str) -> Config {
    let web = SocketAddr::from(([127, 0, 0, 1], 0));
    let environment = Environment::of(slack.settings(web, database_url));
    Config::from_environment(&environment).unwrap()
}
