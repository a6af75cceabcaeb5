//! A small Slack, Google and Microsoft on loopback: the demo, the tests and the benchmarks talk to it.
//!
//! It speaks the Web API, Socket Mode and response URLs over real sockets, refuses what Slack
//! refuses, and serves a page that a person can use. Acting as a person is a method call:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use billops::sandbox::{Options, Sandbox};
//! let slack = Sandbox::start(Options::default()).await?;
//! // … start the bot with slack.api_url(), slack.app_token() and slack.bot_token() …
//! let answer = slack.say("nina", "#acme", "/time 2.5 hours: Meeting").await?;
//! let card = answer.message.expect("a card");
//! slack.click("nina", &card, "entry.undo").await?;
//! assert!(slack.violations().is_empty());
//! # Ok(()) }
//! ```
//!
//! Google, Microsoft and Sign in with Slack are on the same server, each a [`Service`] with accounts,
//! calendars, switches and outages. Their client is registered under [`Sandbox::client_id`], and
//! sends browsers back to the addresses that [`Sandbox::register_redirect`] was given:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use billops::sandbox::{
//!     Decision, Endpoint, NINA_EMAIL, NewEvent, Options, Outage, Provider, Sandbox, When,
//! };
//! let sandbox = Sandbox::start(Options::default()).await?;
//! let back = "http://localhost:8000/api/v1/integrations/google/callback";
//! sandbox.register_redirect(Provider::Google, back);
//! // … configure the bot with sandbox.provider_settings(), and ask it for an authorize URL …
//! # let auth_url = String::new();
//! let url = sandbox.consent(&auth_url, NINA_EMAIL, Decision::Allow).await?;
//! // … which the bot's callback gets, and then …
//! let starts = "2026-11-20T10:00:00Z".parse()?;
//! sandbox.provider(Provider::Google, |google| {
//!     google.add_event(NINA_EMAIL, "Nina Berg", NewEvent::new("Review", When::from(starts, 60)))
//! })?;
//! sandbox.provider(Provider::Google, |google| {
//!     google.fail_next(Endpoint::Events, 1, Outage::Status(500));
//!     assert_eq!(google.requests(Endpoint::Refresh), 0);
//! });
//! # Ok(()) }
//! ```
//!
//! The page's files are embedded in the binary; nothing is read from disk while it runs.

mod accounts;
mod acting;
mod arguments;
mod block_rules;
mod blocks;
mod calendar_changes;
mod calendars;
mod chat;
pub mod demo;
mod elements;
mod envelopes;
mod faults;
mod files;
mod google;
mod history;
mod http_delivery;
mod install;
mod limits;
mod line;
mod looking;
mod manifest;
mod methods;
mod microsoft;
mod modals;
mod oauth;
mod openid;
mod page;
mod page_events;
mod page_workspaces;
mod payloads;
mod people;
mod recent;
mod record;
mod response_url;
mod seed;
mod server;
mod socket;
mod typing;
mod views;
mod wall_clock;
mod web_api;
mod world;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use chrono::TimeDelta;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

pub use accounts::{JONAS_EMAIL, NINA_EMAIL};
pub use acting::{Choice, Target, Unable};
pub use calendar_changes::NotThere;
pub use calendars::{
    AccessRole, Calendar, Event, EventKind, NewEvent, Reply, Slot, Standing, When,
};
pub use envelopes::Answer;
pub use faults::Fault;
pub use install::Removal;
pub use limits::{Limits, Rates};
pub use manifest::{Command, Manifest, ManifestError, Shortcut};
pub use modals::Submission;
pub use oauth::{Account, Decision, Endpoint, NoConsent, Outage, Provider, Service, Switches};
use page::is_own;
pub use people::Suggestions;
pub use record::{Ack, Traffic, Violation};
pub use seed::{ADA, FERN, NINA};
pub use socket::ConnectionId;
pub use world::{
    App, Channel, ChannelKind, Entered, Enterprise, File, Message, Person, Team, View, World,
};

/// What Slack would say against a Home tab: its schema and the rules beside it, each with the place.
pub fn problems_of_home(view: &serde_json::Value) -> Vec<String> {
    let body = serde_json::json!({ "view": view });
    said_against(&blocks::Surface::view("views.publish"), &body)
}

/// The same of a message that is posted.
pub fn problems_of_message(message: &serde_json::Value) -> Vec<String> {
    said_against(&blocks::Surface::message("chat.postMessage"), message)
}

fn said_against(surface: &blocks::Surface, body: &serde_json::Value) -> Vec<String> {
    let problems = blocks::check(surface, body);
    let said = |problem: &blocks::Problem| format!("{}: {}", problem.pointer, problem.message);
    problems.iter().map(said).collect()
}

/// How the sandbox is to behave. The default is the demo's.
#[derive(Clone, Debug)]
pub struct Options {
    /// Time stamps, and every limit that Slack states in minutes: trigger ids, response URLs,
    /// repeats of events.
    pub clock: Clock,
    /// Where to listen on 127.0.0.1; 0 takes any free port.
    pub port: u16,
    /// What the app may do.
    pub manifest: Manifest,
    /// The organisation the team belongs to.
    pub enterprise: Option<Enterprise>,
    /// How long an acknowledgement may take, in real time. Slack: 3 s.
    pub ack_limit: Duration,
    /// When an event that was not acknowledged is sent again, by the clock. Slack: at once, after
    /// 1 min, after 5 min.
    pub retry_delays: [TimeDelta; 3],
    /// How often the server pings each connection, in real time.
    pub ping_every: Duration,
    /// Keep traffic and acknowledgements for looking at. A load test switches it off.
    pub record_traffic: bool,
    /// Hold every block against Block Kit's rules. A load test switches it off.
    pub validate_blocks: bool,
    /// How many messages each conversation keeps.
    pub messages_kept: usize,
    /// How often messages may be posted. `None`: as often as the bot likes.
    pub limits: Option<Limits>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            port: 0,
            manifest: Manifest::default(),
            enterprise: None,
            ack_limit: Duration::from_secs(3),
            retry_delays: [
                TimeDelta::zero(),
                TimeDelta::minutes(1),
                TimeDelta::minutes(5),
            ],
            ping_every: Duration::from_secs(5),
            record_traffic: true,
            validate_blocks: true,
            messages_kept: 1000,
            limits: None,
        }
    }
}

/// A running Slack. Clones are the same one; it stops with [`stop`](Self::stop), or with the
/// runtime it was started on.
#[derive(Clone, Debug)]
pub struct Sandbox {
    slack: Arc<Slack>,
    /// Which of the workspaces this handle is for.
    at: usize,
}

#[derive(Debug)]
struct Slack {
    options: Options,
    address: SocketAddr,
    app_token: String,
    bot_token: String,
    signing_secret: String,
    workspaces: Vec<Workspace>,
    /// The app's tokens run out.
    rotates_tokens: AtomicBool,
    /// The servers that requests are sent to in turn, in HTTP mode.
    servers: Mutex<VecDeque<String>>,
    /// Requests are sent to them instead of over sockets.
    is_over_http: AtomicBool,
    /// Where the bot answers browsers, once it is known.
    bot_url: Mutex<Option<String>>,
    services: oauth::Services,
    /// Told after every change of anything, for those who wait for a condition.
    changed: Notify,
    /// Told when somebody has put the clock forward.
    clock_moved: Notify,
    sockets: socket::Sockets,
    pending: envelopes::Pending,
    /// Events that are on their way, or kept until somebody connects.
    events: Arc<Semaphore>,
    faults: faults::Faults,
    record: record::Record,
    stop: CancellationToken,
}

/// What belongs to one workspace.
#[derive(Debug)]
struct Workspace {
    /// The team's id.
    team: String,
    world: Mutex<World>,
    tokens: Mutex<install::Tokens>,
    triggers: Mutex<recent::Recent<payloads::Trigger>>,
    response_urls: Mutex<recent::Recent<response_url::ResponseUrl>>,
    files: Mutex<recent::Recent<files::Announced>>,
    pace: limits::Pace,
    page: page_events::PageEvents,
}

impl Workspace {
    fn new(world: World, tokens: install::Tokens) -> Self {
        Self {
            team: world.team.id.clone(),
            world: Mutex::new(world),
            tokens: Mutex::new(tokens),
            triggers: Mutex::new(recent::Recent::new(20_000)),
            response_urls: Mutex::new(recent::Recent::new(100_000)),
            files: Mutex::new(recent::Recent::new(files::KEPT)),
            pace: limits::Pace::default(),
            page: page_events::PageEvents::default(),
        }
    }
}

/// What was waited for did not come to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("waited {} ms in vain for {what}", .within.as_millis())]
pub struct NotInTime {
    what: String,
    within: Duration,
}

/// Long enough for a slow machine, short enough for a person who watches the test fail.
const PATIENCE: Duration = Duration::from_secs(5);

/// Events that are kept at most; more are dropped and recorded as a violation.
const EVENTS: usize = 10_000;

impl Sandbox {
    /// Binds 127.0.0.1 and serves until stopped.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let listener =
            tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, options.port)).await?;
        let mut world = seed::world(&options.manifest.name, options.messages_kept);
        world.enterprise.clone_from(&options.enterprise);
        let other = seed::other_world(&options.manifest.name, options.messages_kept);
        let app = world.app.id.clone();
        let bot_token = format!("xoxb-{}", random_hex());
        let by_hand = install::Tokens::by_hand(&bot_token, &options.manifest.scopes);
        let sandbox = Self {
            at: 0,
            slack: Arc::new(Slack {
                address: listener.local_addr()?,
                app_token: format!("xapp-1-{app}-{}", random_hex()),
                bot_token,
                signing_secret: random_hex(),
                workspaces: vec![
                    Workspace::new(world, by_hand),
                    Workspace::new(other, install::Tokens::default()),
                ],
                rotates_tokens: AtomicBool::new(false),
                servers: Mutex::default(),
                is_over_http: AtomicBool::new(false),
                bot_url: Mutex::default(),
                services: oauth::Services::new(
                    accounts::google(),
                    accounts::microsoft(),
                    &options.clock,
                ),
                changed: Notify::new(),
                clock_moved: Notify::new(),
                sockets: socket::Sockets::default(),
                pending: envelopes::Pending::default(),
                events: Arc::new(Semaphore::new(EVENTS)),
                faults: faults::Faults::default(),
                record: record::Record::default(),
                stop: CancellationToken::new(),
                options,
            }),
        };
        tokio::spawn(server::serve(sandbox.clone(), listener));
        Ok(sandbox)
    }

    fn here(&self) -> &Workspace {
        &self.slack.workspaces[self.at]
    }

    /// A handle on every workspace, the first one first.
    fn everywhere(&self) -> impl Iterator<Item = Self> {
        let slack = self.slack.clone();
        (0..self.slack.workspaces.len()).map(move |at| Self {
            slack: slack.clone(),
            at,
        })
    }

    /// The same Slack, in the workspace with this id or name; `None` if there is none.
    pub fn workspace(&self, which: &str) -> Option<Self> {
        let is_it = |team: &Team| team.id == which || team.name == which;
        self.everywhere()
            .find(|one| one.world(|world| is_it(&world.team)))
    }

    /// Closes every connection and stops listening.
    pub fn stop(&self) {
        self.slack.stop.cancel();
    }

    /// For `apps.connections.open`: `xapp-1-…`.
    pub fn app_token(&self) -> &str {
        &self.slack.app_token
    }

    /// For everything else: `xoxb-…`.
    pub fn bot_token(&self) -> &str {
        &self.slack.bot_token
    }

    /// What HTTP requests would be signed with.
    pub fn signing_secret(&self) -> &str {
        &self.slack.signing_secret
    }

    /// Where the Web API is, in place of `https://slack.com/api`.
    pub fn api_url(&self) -> String {
        format!("{}/api", self.url())
    }

    /// Where the page is.
    pub fn url(&self) -> String {
        format!("http://{}", self.slack.address)
    }

    /// Reads anything in the workspace. The closure must be short: nothing happens meanwhile.
    pub fn world<R>(&self, read: impl FnOnce(&World) -> R) -> R {
        read(&locked(&self.here().world))
    }

    fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let result = change(&mut locked(&self.here().world));
        self.slack.changed.notify_waiters();
        result
    }

    /// Adds somebody, with their direct message: a load test needs many.
    pub fn add_person(&self, person: Person) {
        self.change(|world| {
            let id = person.id.clone();
            world.add_person(person);
            world.open_direct(&id);
        });
    }

    /// Puts the bot into a conversation, or takes it out.
    pub fn set_bot_in(&self, channel: &str, present: bool) {
        self.change(|world| {
            let bot = world.app.user_id.clone();
            let id = world.channel_for("", channel).map(|found| found.id.clone());
            if let Some(channel) = id.and_then(|id| world.channel_mut(&id)) {
                if present {
                    channel.members.insert(bot);
                } else {
                    channel.members.remove(&bot);
                }
            }
        });
    }

    /// Waits until the condition gives something, for five seconds at most. It is asked again after
    /// every change in the workspace, so that a test needs no sleep.
    ///
    /// # Errors
    /// The condition gave nothing in time.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        condition: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T, NotInTime> {
        self.wait_within(PATIENCE, what, condition).await
    }

    /// [`wait_for`](Self::wait_for) with another limit.
    ///
    /// # Errors
    /// The condition gave nothing in time.
    pub async fn wait_within<T>(
        &self,
        within: Duration,
        what: &str,
        mut condition: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T, NotInTime> {
        let waiting = async {
            loop {
                let changed = self.slack.changed.notified();
                tokio::pin!(changed);
                // Listening starts before looking, or a change in between would be missed.
                changed.as_mut().enable();
                if let Some(found) = condition(self) {
                    return found;
                }
                changed.await;
            }
        };
        tokio::time::timeout(within, waiting)
            .await
            .map_err(|_| NotInTime {
                what: what.to_owned(),
                within,
            })
    }
}

/// A test that panics while it holds a lock must not hide the reason behind a second panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn random_hex() -> String {
    format!("{:032x}", rand::random::<u128>())
}

#[cfg(test)]
mod tests;
