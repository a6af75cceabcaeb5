//! The real program is killed while it reads a calendar and while a meeting is logged: what it had taken is done by the
//! next one, and nothing is lost or doubled.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use billops::{
    clock::Clock,
    domain::calendar_event::{EventState, SyncedEvent},
    sandbox::{
        Endpoint, Event, NINA_EMAIL, NewEvent, Options, Outage, Provider, Sandbox, Service, View,
        When,
    },
    slack::socket::Timings,
    store::Store,
};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    bot::{NINA, TestBot},
    databases::Database,
    process::{PATIENCE, Program, connected},
    visitor::{connect, settled},
};

/// Meetings that wait to be logged at the beginning of every round, fewer than the Home tab shows at once.
const WAITING: usize = 6;
/// Meetings on a page of the provider's.
const PAGE: usize = 2;

/// How far the reading has come when the program is killed.
#[derive(Clone, Copy, Debug)]
enum Reading {
    /// So many pages have come, and the next was asked for.
    Pages(u32),
    /// All were asked for: the last one arrives, or is stored.
    All,
    /// It is stored; the job is not yet known to be done.
    Stored,
}

/// How far a press on *Log* has come when the program is killed.
#[derive(Clone, Copy, Debug)]
enum Press {
    /// It is on its way.
    Sent,
    /// The entry is stored; nobody was told.
    Stored,
    /// It was acknowledged.
    Answered,
}

const KILLS: [(Reading, Press); 9] = [
    (Reading::Pages(0), Press::Sent),
    (Reading::Pages(1), Press::Answered),
    (Reading::Pages(1), Press::Sent),
    (Reading::Pages(1), Press::Stored),
    (Reading::Pages(2), Press::Answered),
    (Reading::All, Press::Sent),
    (Reading::All, Press::Stored),
    (Reading::Stored, Press::Sent),
    (Reading::Stored, Press::Stored),
];

/// A meeting as people know it.
type Meeting = (String, DateTime<Utc>, DateTime<Utc>);

fn meeting(event: SyncedEvent) -> Meeting {
    (event.title, event.start, event.end)
}

const fn word(provider: Provider) -> &'static str {
    match provider {
        Provider::Microsoft => "outlook",
        _ => "google",
    }
}

/// The calendar that is read.
const fn name(provider: Provider) -> &'static str {
    match provider {
        Provider::Microsoft => "Calendar",
        _ => "Nina Berg",
    }
}

/// Puts a meeting into the calendar that has ended.
fn add(slack: &Sandbox, provider: Provider, number: usize, now: DateTime<Utc>) {
    let number = i64::try_from(number).unwrap();
    let start = now - TimeDelta::hours(12) + TimeDelta::minutes(20 * number);
    let event = NewEvent::new(format!("Meeting {number:02}"), When::from(start, 15));
    slack.provider(provider, |it| {
        it.add_event(NINA_EMAIL, name(provider), event).unwrap();
    });
}

/// Looks until it is so: what it asks cannot tell by itself.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let by = Instant::now() + PATIENCE * 6;
    while !is_so().await {
        assert!(Instant::now() < by, "waited in vain for {what}");
        tokio::task::yield_now().await;
    }
}

/// Where the buttons of a meeting stand in the Home tab.
fn row(event: Uuid) -> String {
    let id = event.simple().to_string();
    format!("event.actions:{}", &id[id.len() - 12..])
}

fn rows(home: &View) -> BTreeSet<String> {
    let ids = home
        .blocks()
        .iter()
        .filter_map(|block| block["block_id"].as_str());
    ids.filter(|id| id.starts_with("event.actions:"))
        .map(ToOwned::to_owned)
        .collect()
}

/// Nina's calendar, a program that reads it, and a look at what that keeps.
struct Scene {
    slack: Sandbox,
    database: Database,
    store: Store,
    provider: Provider,
    clock: Clock,
    user: Uuid,
    calendar: Uuid,
    /// Meetings that were ever in the calendar.
    made: usize,
    logged: BTreeSet<String>,
}

impl Scene {
    async fn set(provider: Provider, database: Database) -> Self {
        // The program goes by the machine's clock. The provider's stands still at the second of the beginning.
        let machine = Clock::system();
        // What dies with the program is given up soon.
        let options = |options| Options {
            ack_limit: Duration::from_millis(300),
            ..options
        };
        let bot = TestBot::on(database, Timings::default(), options).await;
        let ahead = (machine.now() - bot.clock.now()).num_seconds();
        bot.clock.advance(TimeDelta::seconds(ahead));
        bot.slack.provider(provider, |it| {
            it.switches.largest_page = Some(PAGE);
            if provider == Provider::Google {
                // It would be read, too, and its pages could not be told from the others.
                it.remove_calendar(NINA_EMAIL, "Tern team").unwrap();
            }
        });
        let store = Store::open(&bot.database.url, machine).await.unwrap();
        for number in 0..WAITING {
            add(&bot.slack, provider, number, bot.clock.now());
        }
        bot.slack.open_home(NINA).await.unwrap();
        connect(&bot, word(provider)).await;
        settled(&bot).await;
        let TestBot {
            slack,
            bot,
            clock,
            database,
            ..
        } = bot;
        bot.shut_down().await;
        let nina = store.member("T07TERN001", "U07NINA001").await.unwrap();
        let user = nina.unwrap().user_id;
        let accounts = store.accounts(user).await.unwrap();
        let read: Vec<Uuid> = accounts[0].read().map(|calendar| calendar.id).collect();
        assert_eq!(read.len(), 1, "{accounts:?}");
        Self {
            slack,
            database,
            store,
            provider,
            clock,
            user,
            calendar: read[0],
            made: WAITING,
            logged: BTreeSet::new(),
        }
    }

    async fn program(&self) -> Program {
        let none = |slack: &Sandbox| slack.connections().is_empty().then_some(());
        let gone = self.slack.wait_within(PATIENCE, "no connection", none);
        gone.await.unwrap();
        let web = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut settings = self.slack.settings(web, &self.database.url);
        if self.database.url.starts_with("sqlite") {
            // The first bot made a key file beside the database.
            settings.push(("ENCRYPTION_KEYS", String::new()));
        }
        let settings = settings.iter().map(|(name, value)| (*name, &**value));
        let program = Program::start(&settings.collect::<Vec<_>>());
        connected(&self.slack).await;
        program
    }

    /// How often the provider was asked for a page.
    fn requests(&self) -> u32 {
        let count = |it: &mut Service| it.requests(Endpoint::Events);
        self.slack.provider(self.provider, count)
    }

    /// What the calendar shows.
    fn in_calendar(&self) -> BTreeSet<Meeting> {
        self.slack.provider(self.provider, |it| {
            let calendar = it.calendar_mut(NINA_EMAIL, name(self.provider)).unwrap();
            let stands = calendar.events.iter().filter(|event| !event.is_deleted());
            let meeting = |event: &Event| match event.when {
                When::Timed { start, end } => (event.title.clone(), start, end),
                When::Days { .. } => panic!("{event:?}"),
            };
            stands.map(meeting).collect()
        })
    }

    /// What is stored of the calendar in these states.
    async fn events(&self, states: &[EventState]) -> Vec<SyncedEvent> {
        let now = self.clock.now();
        let span = [now - TimeDelta::days(2), now + TimeDelta::days(2)];
        let events = self.store.events_between(self.user, span, None, 200).await;
        let mut events = events.unwrap();
        events.retain(|event| states.contains(&event.state));
        events
    }

    async fn last_read(&self) -> Option<DateTime<Utc>> {
        let target = self.store.sync_target(self.calendar).await.unwrap();
        target.unwrap().last.map(|(at, _)| at)
    }

    /// Changes the calendar: one meeting moves, one goes, two come.
    fn change(&mut self, moved: &SyncedEvent, gone: &SyncedEvent) {
        self.slack.provider(self.provider, |it| {
            let calendar = it.calendar_mut(NINA_EMAIL, name(self.provider)).unwrap();
            let [moved_id, gone_id] = [moved, gone].map(|one| {
                let mut events = calendar.events.iter();
                let event = events.find(|event| event.title == one.title).unwrap();
                event.id.clone()
            });
            let when = When::from(moved.start + TimeDelta::minutes(3), 12);
            it.move_event(&moved_id, when).unwrap();
            it.delete_event(&gone_id).unwrap();
        });
        for _ in 0..2 {
            add(&self.slack, self.provider, self.made, self.clock.now());
            self.made += 1;
        }
    }

    /// Kills the program at this moment, while its calendar is read and a meeting is logged. What comes after it finds
    /// everything as if nothing had been.
    async fn survives(&mut self, program: Program, (reading, press): (Reading, Press)) -> Program {
        println!("{:?}: {reading:?}, {press:?}", self.provider);
        let waiting = self.events(&[EventState::Suggested]).await;
        assert_eq!(waiting.len(), WAITING);
        let [logged, moved, gone] = &waiting[..3] else {
            unreachable!("there are more");
        };
        let (title, row) = (&logged.title, row(logged.id));
        let home = self.slack.home(NINA).unwrap();
        self.change(moved, gone);
        let pages = u32::try_from(self.in_calendar().len().div_ceil(PAGE)).unwrap();
        let (asked, before) = (self.requests(), self.last_read().await);
        if let Reading::Pages(pages) = reading {
            // The answer never comes: who waits for it is dead by then.
            let never = Outage::Slow(PATIENCE * 100);
            let hold = |it: &mut Service| it.fail_after(Endpoint::Events, pages, 1, never);
            self.slack.provider(self.provider, hold);
        }

        let answer = self.slack.say(NINA, "#general", "/time sync").await;
        assert_eq!(answer.unwrap().error, None);
        let button = format!("{row}/event.log");
        let presses = |slack: &Sandbox| {
            let traffic = slack.traffic();
            let presses = traffic.iter().filter(|line| line.kind == "interactive");
            presses.count()
        };
        let before_it = presses(&self.slack);
        let pressing = tokio::spawn({
            let (slack, home, button) = (self.slack.clone(), home, button.clone());
            async move { slack.click(NINA, &home, &button).await.unwrap() }
        });
        let is_pressed = async || match press {
            Press::Sent => presses(&self.slack) > before_it,
            Press::Stored => self.database.descriptions().await.contains(title),
            Press::Answered => pressing.is_finished(),
        };
        let is_read = async || match reading {
            Reading::Pages(pages) => self.requests() > asked + pages,
            Reading::All => self.requests() >= asked + pages,
            Reading::Stored => self.last_read().await != before,
        };
        tokio::join!(
            until("the press", is_pressed),
            until("the reading", is_read)
        );
        program.kill().await;
        let answer = pressing.await.unwrap();

        self.database.forget_who_took_what().await;
        let program = self.program().await;
        // Nobody asks again: what was begun is taken up.
        let is_idle = async || self.store.job_counts().await.unwrap().open == 0;
        until("the jobs", is_idle).await;
        assert_eq!(self.store.job_counts().await.unwrap().dead, 0);
        assert_ne!(self.last_read().await, before, "the reading is lost");
        // The press comes once more, and who still sees the button presses again.
        self.slack.redeliver(&answer.envelope_id).await.unwrap();
        let home = self.slack.home(NINA).unwrap();
        if rows(&home).contains(&row) {
            // Drawn anew in between, it is no longer there.
            let again = self.slack.click(NINA, &home, &button).await;
            assert!(again.is_ok_and(|answer| answer.error.is_none()) || self.has(title).await);
        }
        let is_logged = async || self.has(title).await;
        until("the entry", is_logged).await;
        self.logged.insert(title.clone());
        self.is_whole().await;
        program
    }

    async fn has(&self, title: &String) -> bool {
        self.database.descriptions().await.contains(title)
    }

    /// What is stored is what the calendar shows, and every meeting that was logged is one entry.
    async fn is_whole(&self) {
        let [suggested, logged] = [EventState::Suggested, EventState::Logged];
        let stored = self.events(&[suggested, logged]).await;
        let stored: BTreeSet<Meeting> = stored.into_iter().map(meeting).collect();
        assert_eq!(stored, self.in_calendar());
        let events = self.events(&[logged]).await.into_iter();
        let events: BTreeSet<String> = events.map(|event| event.title).collect();
        assert_eq!(events, self.logged);
        let entries = self.database.descriptions().await;
        assert_eq!(entries, Vec::from_iter(self.logged.clone()));
        let waiting = self.events(&[suggested]).await;
        let waiting: BTreeSet<String> = waiting.iter().map(|event| row(event.id)).collect();
        let follows = |slack: &Sandbox| (rows(&slack.home(NINA)?) == waiting).then_some(());
        let shown = self.slack.wait_for("the Home tab to follow", follows);
        shown.await.unwrap();
    }

    /// What somebody's first reading of the same calendar gives.
    async fn read_afresh(self) -> BTreeSet<Meeting> {
        self.store.close().await;
        self.database.remove().await;
        let bot = TestBot::joins(self.slack, Database::in_memory(), self.clock).await;
        connect(&bot, word(self.provider)).await;
        settled(&bot).await;
        let store = bot.bot.store();
        let nina = store.member("T07TERN001", "U07NINA001").await.unwrap();
        let since = bot.clock.now() - TimeDelta::days(2);
        let waiting = store.waiting(nina.unwrap().user_id, since, 200).await;
        let waiting = waiting.unwrap().0.into_iter().map(meeting).collect();
        bot.bot.shut_down().await;
        bot.slack.stop();
        waiting
    }
}

async fn is_killed_while_it_reads(provider: Provider, database: Database) {
    let mut scene = Scene::set(provider, database).await;
    let mut program = scene.program().await;
    for moment in KILLS {
        program = scene.survives(program, moment).await;
    }
    // In good order, so that whatever is still on its way comes to its end.
    program.signal("TERM").await;
    let (status, log) = program.end().await;
    assert!(status.success(), "{log:#?}");
    scene.is_whole().await;
    let refused = scene.slack.take_violations();
    let timing = ["no_ack", "late_ack", "unknown_ack", "hash_conflict"];
    let other = refused
        .iter()
        .find(|refused| !timing.contains(&&*refused.error));
    assert_eq!(other, None);

    let mut waiting = scene
        .events(&[EventState::Suggested, EventState::Logged])
        .await;
    let stored: BTreeSet<Meeting> = waiting.drain(..).map(meeting).collect();
    assert_eq!(stored, scene.read_afresh().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_while_google_is_read_lose_and_double_nothing_on_sqlite() {
    is_killed_while_it_reads(Provider::Google, Database::on_disk()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_while_outlook_is_read_lose_and_double_nothing_on_sqlite() {
    is_killed_while_it_reads(Provider::Microsoft, Database::on_disk()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_while_google_is_read_lose_and_double_nothing_on_postgres() {
    is_killed_while_it_reads(Provider::Google, Database::postgres().await).await;
}
