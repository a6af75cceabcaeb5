//! The running bot: opens the store, starts the doors, and stops them in the order in which nothing is lost.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tracing::{error, info, warn};

use crate::{
    app::{App, Reach},
    calendar::{Installer, Providers, SignIn},
    clock::Clock,
    config::{Config, Transport, without_password},
    http,
    jobs::{Job, LastTick, Ran, Runner, Schedule, Workers},
    slack::{
        Door, Exported, SlackClient,
        http::Inbox,
        socket::{Deliverer, Opener, Socket, SocketStates, Timings},
    },
    store::Store,
    web::Web,
};

/// Connections to Slack: one keeps working while the other is recycled.
const CONNECTIONS: usize = 2;

/// The running bot.
pub struct Bot {
    store: Store,
    door: Door,
    /// In Socket Mode.
    socket: Option<Socket>,
    deliverer: Arc<Deliverer>,
    drained_within: Duration,
    web: Web,
    workers: Workers,
    schedule: Schedule,
}

/// Why the bot did not start.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {problem}")]
pub struct NotStarted {
    /// What was being done.
    pub doing: String,
    /// What went wrong, with the fix where there is one.
    pub problem: String,
}

impl Bot {
    /// Starts everything. Slack need not be reachable: the connection is made as soon as it is.
    ///
    /// # Errors
    /// The database cannot be opened, or the address cannot be listened at.
    pub async fn start(
        config: &Config,
        clock: Clock,
        timings: Timings,
    ) -> Result<Self, NotStarted> {
        Self::start_at(None, config, clock, timings).await
    }

    /// As [`start`](Self::start), on a listener that is there already: whoever has to know the web server's address
    /// before it starts, because a redirect URI holds it, makes the listener first.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_at(
        listener: Option<TcpListener>,
        config: &Config,
        clock: Clock,
        timings: Timings,
    ) -> Result<Self, NotStarted> {
        let not_started = |doing: String| {
            move |error: &dyn std::error::Error| NotStarted {
                doing,
                problem: error.to_string(),
            }
        };
        let address = without_password(&config.database_url);
        let store = Store::open(config.database_url.expose_secret(), clock.clone())
            .await
            .map_err(|error| NotStarted {
                doing: format!("opening the database {address}"),
                problem: crate::error::chain(&error),
            })?;
        let keys = config.keyring().map_err(|problem| NotStarted {
            doing: "reading the keys that seal tokens".to_owned(),
            problem: problem.to_string(),
        })?;
        let store = store.with_keys(keys);
        missing_keys(&store).await?;
        info!(database = address, "store.open");
        let http = http::client().map_err(|problem| NotStarted {
            doing: "setting up TLS".to_owned(),
            problem,
        })?;
        let reach = reach(config, &http, &clock);
        let client = SlackClient::new(&config.slack, http)
            .map_err(|error| not_started("setting up TLS".to_owned())(&error))?;
        let sync_every = config.schedules.sync_every;
        let app = App::new(store.clone(), clock.clone(), reach).syncing_every(sync_every);
        let last_tick = LastTick::new(clock);

        let door = Door::new(app.clone(), client.clone());
        let deliverer = Deliverer::new(door.handler(), timings.ack_by);
        let socket = match config.slack.transport {
            Transport::Socket(_) => Some(Socket::start(
                opener(client.clone()),
                deliverer.clone(),
                CONNECTIONS,
                config.slack.app_id.clone(),
                timings,
            )),
            Transport::Http(_) => None,
        };
        let secret = config.slack.signing_secret();
        let inbox = secret.map(|secret| Inbox::new(secret.clone(), deliverer.clone()));
        let listening = |error: std::io::Error| NotStarted {
            doing: format!("listening at {} (LISTEN_ADDR)", config.listen_addr),
            problem: error.to_string(),
        };
        let listener = match listener {
            Some(listener) => listener,
            None => TcpListener::bind(config.listen_addr)
                .await
                .map_err(listening)?,
        };
        let states = socket.as_ref().map(Socket::states);
        let web = Web::start(listener, app, states, inbox, last_tick.clone(), config)
            .map_err(listening)?;
        info!(address = %web.address(), "web.listening");
        if client.has_given_token() {
            tokio::spawn(identify(client, store.clone()));
        }

        let workers = Workers::start(&store, &runner(&door, &store));
        let schedule = Schedule::start(&store, config.schedules, &last_tick)
            .await
            .map_err(|error| not_started("starting the schedule".to_owned())(&error))?;
        Ok(Self {
            store,
            door,
            socket,
            deliverer,
            drained_within: timings.shutdown_within,
            web,
            workers,
            schedule,
        })
    }

    /// Where the web server listens.
    pub const fn web_address(&self) -> SocketAddr {
        self.web.address()
    }

    /// How the connection to Slack stands; `None` in HTTP mode.
    pub fn socket_states(&self) -> Option<SocketStates> {
        self.socket.as_ref().map(Socket::states)
    }

    /// The store, for whoever looks from outside (tests, the demo).
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Stops: first nothing new comes in, then what is under way ends and is answered, then the rest.
    pub async fn shut_down(self) {
        info!("bot.stopping");
        self.schedule.shut_down().await;
        match self.socket {
            Some(socket) => socket.shut_down().await,
            None => {
                self.deliverer.end(self.drained_within).await;
            }
        }
        self.door.drained(Duration::from_secs(3)).await;
        self.workers.shut_down(Duration::from_secs(3)).await;
        self.web.shut_down().await;
        self.store.close().await;
        info!("bot.stopped");
    }
}

/// Where connections come from.
fn opener(client: SlackClient) -> Opener {
    Arc::new(move || {
        let client = client.clone();
        async move { client.open_connection().await }.boxed()
    })
}

/// The providers and Sign in with Slack, as they are set up.
pub fn reach(config: &Config, http: &http::Client, clock: &Clock) -> Reach {
    let sign_in = config.sign_in.clone().map(|sign_in| {
        let api_url = &config.slack.api_url;
        SignIn::new(sign_in, api_url, http.clone(), clock.clone())
    });
    let installer = config.slack.install.clone().map(|install| {
        let (app_id, api_url) = (config.slack.app_id.clone(), &config.slack.api_url);
        Installer::new(install, app_id, api_url, http.clone(), clock.clone())
    });
    Reach {
        providers: Providers::new(config.calendars.clone(), http.clone(), clock.clone()),
        sign_in,
        installer,
        public_url: config.public_url.clone(),
    }
}

/// Refuses to start with tokens that could not be opened: people would be asked to connect again for nothing.
async fn missing_keys(store: &Store) -> Result<(), NotStarted> {
    let not_started = |problem: String| NotStarted {
        doing: "looking at the sealed tokens".to_owned(),
        problem,
    };
    let in_use = store.keys_in_use().await;
    let in_use = in_use.map_err(|error| not_started(crate::error::chain(&error)))?;
    let missing: Vec<String> = in_use
        .into_iter()
        .filter(|(key, _)| !store.holds_key(key))
        .map(|(key, count)| format!("{count} tokens are sealed with the key “{key}”"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(not_started(format!(
        "{}, which ENCRYPTION_KEYS does not hold. Put it back, behind the current one",
        missing.join(", ")
    )))
}

/// Asks Slack whose bot token it is, and notes the workspace. Everything works without the answer, so
/// nothing waits for it.
async fn identify(client: SlackClient, store: Store) {
    let workspace = match client.home().await {
        Ok(workspace) if workspace.workspace_id.is_empty() => {
            return warn!("slack.identity_unknown: auth.test names no workspace");
        }
        Ok(workspace) => workspace,
        Err(problem) => {
            return error!(
                "slack.identity_unknown: auth.test with SLACK_BOT_TOKEN: {problem}. Names, zones and the Home \
                 tab need a working bot token; `billops doctor` says more."
            );
        }
    };
    info!(
        workspace = workspace.workspace_id,
        name = workspace.name,
        "slack.identified"
    );
    if let Err(problem) = store.save_workspace(workspace).await {
        warn!(
            "store.workspace_not_saved: {}",
            crate::error::chain(&problem)
        );
    }
}

/// What does the jobs.
fn runner(door: &Door, store: &Store) -> Runner {
    /// Slack repeats events for up to 25 hours; commands and clicks come again within minutes.
    const REQUESTS_KEPT: chrono::TimeDelta = chrono::TimeDelta::days(3);
    /// Longer than anybody asks for the same invoice twice.
    const NOTICES_KEPT: chrono::TimeDelta = chrono::TimeDelta::days(400);
    let (door, store) = (door.clone(), store.clone());
    Arc::new(move |job| {
        let (door, store) = (door.clone(), store.clone());
        async move {
            match job {
                Job::RefreshHome { binding } => door.refresh_home(binding).await,
                Job::ReadProfile { binding } => door.read_profile(binding).await,
                Job::AskForgottenTimers => door.ask_forgotten_timers().await,
                Job::AskTimer { binding, timer } => door.ask_timer(binding, timer).await,
                Job::SyncCalendars => door.queue_syncs().await,
                Job::SyncAccount { account } => door.queue_account(account).await,
                Job::SyncCalendar { calendar } => door.sync_calendar(calendar).await,
                Job::LookForEnded => door.look_for_ended().await,
                Job::MeetingsEnded { binding } => door.meetings_ended(binding).await,
                Job::TellMeetings {
                    binding,
                    events,
                    at,
                } => door.tell_meetings(binding, &events, at).await,
                Job::TellEntry { binding, event } => door.tell_entry(binding, event).await,
                Job::UpdateCard { binding, event } => door.update_card(binding, event).await,
                Job::TellChanged {
                    binding,
                    event,
                    was,
                    change,
                } => door.tell_changed(binding, event, &was, change).await,
                Job::LookForSummaries => door.look_for_summaries().await,
                Job::SendSummary {
                    binding,
                    of,
                    about,
                    due_at,
                    is_missed,
                } => {
                    door.send_summary(binding, of, about, due_at, is_missed)
                        .await
                }
                Job::RefreshTokens => door.queue_refreshes().await,
                Job::RefreshAccount { account } => door.refresh_account(account).await,
                Job::TellConnected {
                    account,
                    at,
                    is_again,
                } => door.tell_connected(account, at, is_again).await,
                Job::TellBroken {
                    account,
                    since,
                    nth,
                } => door.tell_broken(account, since, nth).await,
                Job::LeaveWorkspace { workspace } => door.leave_workspace(workspace).await,
                Job::TellInvoice { binding, invoice } => door.tell_invoice(binding, &invoice).await,
                Job::ExportData { binding, request } => {
                    door.export(binding, request, Exported::Everything).await
                }
                Job::ExportEntries {
                    binding,
                    request,
                    days,
                } => door.export(binding, request, Exported::Entries(days)).await,
                Job::ForgetRequests => {
                    let forgotten = async {
                        store.forget_requests_older_than(REQUESTS_KEPT).await?;
                        store.forget_notices_older_than(NOTICES_KEPT).await?;
                        store.forget_errands_older_than(REQUESTS_KEPT).await
                    };
                    match forgotten.await {
                        Ok(()) => Ran::Done,
                        Err(problem) => Ran::Failed(crate::error::chain(&problem)),
                    }
                }
            }
        }
        .boxed()
    })
}
