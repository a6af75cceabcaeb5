//! The command line.

#[path = "main/arguments.rs"]
mod arguments;
#[path = "main/export.rs"]
mod export;
#[path = "main/import.rs"]
mod import;

use std::{
    io::{BufRead as _, Write as _},
    path::Path,
    process::ExitCode,
};

use billops::{
    app::{App, Refreshed, SyncProblem},
    bot::Bot,
    clock::Clock,
    config::{Config, Environment, LogConfig, LogFormat, Problem},
    doctor,
    domain::calendar_event::SyncCounts,
    manifest,
    slack::{Door, SlackClient, SummaryNow, socket::Timings},
    store::Store,
};
use clap::{Parser, Subcommand};
use secrecy::ExposeSecret as _;
use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Memory that many threads allocate and free in turn falls to pieces in the system's own allocator: after a
/// burst it keeps half as much again.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Something that only a person can mend: a setting, an argument.
const EXIT_CONFIGURATION: u8 = 2;

#[derive(Parser)]
#[command(
    name = "billops",
    version,
    about = "A Slack bot that turns one line into a billable time entry",
    after_help = "Try it without an account and without a network: billops demo\n\
                  Settings come from the environment or a .env file; `billops doctor` checks them."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the bot (what happens without a subcommand)
    Serve,
    /// Run the bot offline against a simulated Slack, and print the URL of a page to try it
    #[cfg(feature = "demo")]
    Demo {
        /// Where the page listens; any free port if it is taken or 0
        #[arg(long, default_value_t = 8010)]
        port: u16,
    },
    /// Check the configuration, the database and Slack; one line each, with the fix
    Doctor,
    /// Read calendars now: one, or all that are connected
    Sync {
        /// All of them
        #[arg(long, conflicts_with = "calendar_id")]
        all: bool,
        /// One, by its id (as `GET /api/v1/integrations` lists it)
        #[arg(required_unless_present = "all")]
        calendar_id: Option<uuid::Uuid>,
    },
    /// Refresh every token of a connected calendar that is due
    RefreshTokens,
    /// Send the daily summaries that are due and were not sent
    Summaries {
        /// Of this day instead, however late it is; whoever got it is not sent it again
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = arguments::day)]
        date: Option<chrono::NaiveDate>,
        /// Print what they would say, and send nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Create the tables, or bring them up to date
    Migrate,
    /// Write time entries as CSV
    Export(export::Options),
    /// Take in the entries that another time tracker has exported
    Import(import::Options),
    /// Work with the keys that seal tokens in the database
    #[command(subcommand)]
    Keys(Keys),
    /// Explain how a /time line is read, without saving anything
    Parse {
        /// One JSON object for each line
        #[arg(long)]
        json: bool,
        /// The moment to reckon from, as 2026-11-20T13:30:00+01:00 (now, if left out)
        #[arg(long, value_name = "RFC3339", value_parser = arguments::moment)]
        now: Option<chrono::DateTime<chrono::FixedOffset>>,
        /// The zone to reckon in, as Europe/Berlin
        #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = arguments::zone)]
        tz: chrono_tz::Tz,
        /// What stands after /time; `-` reads one line each from the standard input
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        text: Vec<String>,
    },
    /// Print manifest.yml, to be pasted where Slack asks for an app manifest
    Manifest {
        /// The address under which browsers reach this server
        #[arg(long, value_name = "URL")]
        public_url: Option<url::Url>,
        /// For HTTP in place of Socket Mode: Slack itself reaches this server there
        #[arg(long, requires = "public_url")]
        http: bool,
    },
}

#[derive(Subcommand)]
enum Keys {
    /// Seal every stored token with the first of ENCRYPTION_KEYS, so that the others can be taken out
    Rotate,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command.unwrap_or(Command::Serve)) {
        Ok(code) => code,
        Err(Stop::Configuration(problems)) => {
            eprintln!("billops cannot start. {} to mend:", count(problems.len()));
            for problem in problems {
                eprintln!("  {problem}");
            }
            eprintln!(
                "Settings come from the environment or from the file .env here. Try without any: billops demo"
            );
            ExitCode::from(EXIT_CONFIGURATION)
        }
        Err(Stop::Failed(problem)) => {
            eprintln!("billops: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn count(problems: usize) -> String {
    if problems == 1 {
        "One thing".to_owned()
    } else {
        format!("{problems} things")
    }
}

/// Why a command ends without having done its work.
enum Stop {
    Configuration(Vec<Problem>),
    Failed(String),
}

impl<E: std::error::Error> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

fn run(command: Command) -> Result<ExitCode, Stop> {
    let environment = Environment::load(Path::new(".env"))
        .map_err(|problem| Stop::Configuration(vec![problem]))?;
    match command {
        Command::Serve => {
            let config = configured(&environment, "info")?;
            runtime()?.block_on(serve(config))
        }
        #[cfg(feature = "demo")]
        Command::Demo { port } => {
            // The terminal is for the one line with the URL; a bot's log is there for who asks for it.
            start_logging(&environment, "warn")?;
            runtime()?.block_on(demo(port))
        }
        Command::Doctor => {
            let report = runtime()?.block_on(doctor::examine(&environment, Clock::system()));
            print!("{report}");
            Ok(if report.is_healthy() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Command::Migrate => {
            let url = Config::database_url(&environment).map_err(Stop::Configuration)?;
            runtime()?.block_on(async {
                let store = Store::open(url.expose_secret(), Clock::system())
                    .await
                    .map_err(|error| Stop::Failed(billops::error::chain(&error)))?;
                println!("The tables are up to date ({}).", store.kind());
                store.close().await;
                Ok(ExitCode::SUCCESS)
            })
        }
        Command::Export(options) => {
            let url = Config::database_url(&environment).map_err(Stop::Configuration)?;
            runtime()?.block_on(export::export(url.expose_secret(), options))
        }
        Command::Import(options) => {
            let url = Config::database_url(&environment).map_err(Stop::Configuration)?;
            runtime()?.block_on(import::import(url.expose_secret(), options))
        }
        Command::Sync { calendar_id, .. } => {
            let config = configured(&environment, "error")?;
            runtime()?.block_on(sync(&config, calendar_id))
        }
        Command::RefreshTokens => {
            let config = configured(&environment, "warn")?;
            runtime()?.block_on(refresh_tokens(&config))
        }
        Command::Summaries { date, dry_run } => {
            let config = configured(&environment, "error")?;
            runtime()?.block_on(summaries(&config, date, dry_run))
        }
        Command::Keys(Keys::Rotate) => {
            let url = Config::database_url(&environment).map_err(Stop::Configuration)?;
            let keys = Config::keys(&environment).map_err(Stop::Configuration)?;
            runtime()?.block_on(async {
                let store = Store::open_existing(url.expose_secret(), Clock::system())
                    .await
                    .map_err(|error| Stop::Failed(billops::error::chain(&error)))?
                    .with_keys(keys.clone());
                let renewed = store.rotate_keys().await;
                let renewed = renewed.map_err(|error| Stop::Failed(billops::error::chain(&error)))?;
                println!(
                    "{renewed} tokens were sealed anew with the key “{}”. The other keys are no longer needed once every \
                     running BillOps has this one.",
                    keys.current()
                );
                store.close().await;
                Ok(ExitCode::SUCCESS)
            })
        }
        Command::Parse {
            json,
            now,
            tz,
            text,
        } => parse(json, now, tz, &text),
        Command::Manifest { public_url, http } => {
            let text = match &public_url {
                Some(url) if http && url.scheme() != "https" => {
                    return Err(Stop::Failed(format!(
                        "Slack sends to https addresses only, and {url} is none. Give the https address, or leave out \
                         --http and use Socket Mode."
                    )));
                }
                Some(url) if http => manifest::for_http(url),
                url => manifest::for_server(url.as_ref()),
            };
            print!("{text}");
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

/// Libraries that print what people write or what they send to Slack.
const QUIET: [&str; 10] = [
    "tungstenite=warn",
    "tokio_tungstenite=warn",
    "hyper=warn",
    "hyper_util=warn",
    "h2=warn",
    "reqwest=warn",
    "rustls=warn",
    "slack_morphism=warn",
    "sqlx=warn",
    "tokio_cron_scheduler=warn",
];

/// Every setting, and the log begun. All that is wrong is said at once, so the settings are read first: what is wrong with
/// the log's is among it.
fn configured(environment: &Environment, default: &str) -> Result<Config, Stop> {
    let config = Config::from_environment(environment).map_err(Stop::Configuration)?;
    start_logging(environment, default)?;
    Ok(config)
}

/// Starts the log. `RUST_LOG` says how much, or else `default`; the [`QUIET`] ones are kept quiet whatever
/// it says.
fn start_logging(environment: &Environment, default: &str) -> Result<(), Stop> {
    let LogConfig { filter, format } =
        LogConfig::from_environment(environment, default).map_err(Stop::Configuration)?;
    let filter = QUIET.iter().fold(filter, |filter, quiet| {
        let quiet = quiet.parse().expect("the directive is written here");
        filter.add_directive(quiet)
    });
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_target(false),
            )
            .init(),
        LogFormat::Json => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(std::io::stderr),
            )
            .init(),
    }
    Ok(())
}

/// The application over the configured database, for a command that does one thing and ends.
async fn open_app(config: &Config) -> Result<App, Stop> {
    let clock = Clock::system();
    let keys = config
        .keyring()
        .map_err(|problem| Stop::Configuration(vec![problem]))?;
    let store = Store::open_existing(config.database_url.expose_secret(), clock.clone())
        .await
        .map_err(|error| Stop::Failed(billops::error::chain(&error)))?
        .with_keys(keys);
    let http = billops::http::client().map_err(Stop::Failed)?;
    let reach = billops::bot::reach(config, &http, &clock);
    Ok(App::new(store, clock, reach))
}

async fn sync(config: &Config, calendar: Option<uuid::Uuid>) -> Result<ExitCode, Stop> {
    let app = open_app(config).await?;
    let mut failed = 0;
    let mut said = |calendar, outcome: Result<SyncCounts, SyncProblem>| match outcome {
        Ok(counts) => println!(
            "{calendar}  {} events, {} new, {} changed, {} removed, {} left out",
            counts.events_synced,
            counts.new_events,
            counts.updated_events,
            counts.removed_events,
            counts.skipped.values().sum::<u32>()
        ),
        Err(problem) => {
            failed += 1;
            println!("{calendar}  not read: {}", billops::error::chain(&problem));
        }
    };
    let outcome = match calendar {
        Some(calendar) => {
            said(calendar, app.sync_calendar(calendar).await);
            Ok(())
        }
        None => app.sync_all(&mut said).await,
    };
    app.store().close().await;
    outcome.map_err(|error| Stop::Failed(billops::error::chain(&error)))?;
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn refresh_tokens(config: &Config) -> Result<ExitCode, Stop> {
    let app = open_app(config).await?;
    let outcome = app.refresh_all().await;
    app.store().close().await;
    let Refreshed {
        refreshed,
        broken,
        postponed,
    } = outcome.map_err(|error| Stop::Failed(billops::error::chain(&error)))?;
    println!(
        "{refreshed} accounts were refreshed; {broken} need to be connected again, and their owners are told; {postponed} \
         are tried again later."
    );
    Ok(if postponed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn summaries(
    config: &Config,
    date: Option<chrono::NaiveDate>,
    is_dry: bool,
) -> Result<ExitCode, Stop> {
    let app = open_app(config).await?;
    let http = billops::http::client().map_err(Stop::Failed)?;
    let client = SlackClient::new(&config.slack, http)?;
    let door = Door::new(app.clone(), client);
    let (mut sent, mut failed) = (0, 0);
    let outcome = door.summaries_now(date, is_dry, |member, became| {
        let whom = format!(
            "{} ({}, {})",
            member.name, member.slack_user_id, member.workspace_id
        );
        match became {
            SummaryNow::Would(text) => {
                sent += 1;
                println!("{whom}: {text}");
            }
            SummaryNow::Sent => {
                sent += 1;
                println!("{whom}: sent");
            }
            SummaryNow::Not(problem) => {
                failed += 1;
                println!("{whom}: not sent: {problem}");
            }
        }
    });
    let outcome = outcome.await;
    app.store().close().await;
    outcome.map_err(|error| Stop::Failed(billops::error::chain(&error)))?;
    match (is_dry, sent) {
        (true, 1) => println!("1 summary would be sent."),
        (true, count) => println!("{count} summaries would be sent."),
        (false, 1) => println!("1 summary was sent."),
        (false, count) => println!("{count} summaries were sent."),
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn serve(config: Config) -> Result<ExitCode, Stop> {
    // Listened for before anything starts, so that no signal comes too early.
    let stop = stop_signal()?;
    let bot = Bot::start(&config, Clock::system(), Timings::default())
        .await
        .map_err(|error| Stop::Failed(error.to_string()))?;
    stop.await;
    bot.shut_down().await;
    Ok(ExitCode::SUCCESS)
}

/// Ends at the first SIGTERM or SIGINT. A second one ends the process at once.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(130);
        });
    })
}

#[cfg(feature = "demo")]
async fn demo(port: u16) -> Result<ExitCode, Stop> {
    let stop = stop_signal()?;
    let demo = billops::sandbox::demo::Demo::start(port, Clock::movable())
        .await
        .map_err(|error| Stop::Failed(error.to_string()))?;
    println!(
        "BillOps demo: open {} in your browser. Ctrl-C ends it.",
        demo.url()
    );
    std::io::stdout().flush()?;
    stop.await;
    demo.shut_down().await;
    Ok(ExitCode::SUCCESS)
}

fn parse(
    json: bool,
    now: Option<chrono::DateTime<chrono::FixedOffset>>,
    zone: chrono_tz::Tz,
    text: &[String],
) -> Result<ExitCode, Stop> {
    use billops::domain::time_command::{Context, explain};
    let now = now.map_or_else(|| Clock::system().now(), |now| now.to_utc());
    let context = Context::new(now, zone);
    let mut output = std::io::stdout().lock();
    let mut is_read = true;
    let mut one = |line: &str| -> std::io::Result<()> {
        let explanation = explain(line, &context);
        is_read &= explanation.is_ok();
        if json {
            serde_json::to_writer(&mut output, &explanation)?;
            writeln!(output)
        } else {
            writeln!(output, "{explanation}")
        }
    };
    if text == ["-"] {
        for line in std::io::stdin().lock().split(b'\n') {
            one(String::from_utf8_lossy(&line?).trim_end_matches('\r'))?;
        }
    } else {
        one(&text.join(" "))?;
    }
    // A script reads `ok` from each object; a person's shell learns it from the exit code.
    Ok(if json || is_read {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
