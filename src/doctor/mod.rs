//! `billops doctor`: what is missing or wrong, in words, with the fix.

mod calendars;

use std::{collections::BTreeMap, fmt, time::Duration};

use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    clock::Clock,
    config::{
        Config, Environment, Schedules, Transport, is_this_machine, sqlite_path, without_password,
    },
    domain::provider::Provider,
    error::chain,
    http,
    jobs::kind_of,
    keyring::Keyring,
    manifest,
    slack::{SlackClient, SlackError, socket::OpenError},
    store::Store,
};

/// A clock that is off by more than this makes signatures and logs unusable.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(60);

/// Jobs that were given up, which are told apart.
const DEAD_SHOWN: u32 = 1000;

/// What was looked at and found.
#[derive(Debug, Default)]
pub struct Report(Vec<Finding>);

#[derive(Debug)]
struct Finding {
    subject: &'static str,
    state: State,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    /// Worth knowing; everything works.
    Note,
    /// Must be mended.
    Wrong,
}

impl Report {
    /// Whether nothing has to be mended.
    pub fn is_healthy(&self) -> bool {
        self.0.iter().all(|finding| finding.state != State::Wrong)
    }

    fn add(&mut self, state: State, subject: &'static str, text: impl Into<String>) {
        self.0.push(Finding {
            subject,
            state,
            text: text.into(),
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding {
            subject,
            state,
            text,
        } in &self.0
        {
            let state = match state {
                State::Ok => "ok   ",
                State::Note => "note ",
                State::Wrong => "WRONG",
            };
            writeln!(f, "{state}  {subject:<14} {text}")?;
        }
        let wrong = self
            .0
            .iter()
            .filter(|finding| finding.state == State::Wrong)
            .count();
        match wrong {
            0 => writeln!(f, "Everything that was checked is in order."),
            1 => writeln!(f, "One thing to mend."),
            n => writeln!(f, "{n} things to mend."),
        }
    }
}

/// Looks at everything. Changes nothing: the tables are not migrated, no connection is kept.
pub async fn examine(environment: &Environment, clock: Clock) -> Report {
    let mut report = Report::default();
    let config = Config::from_environment(environment);
    match &config {
        Ok(config) => {
            report.add(State::Ok, "configuration", "every setting can be read");
            let Schedules {
                sync_every,
                token_refresh_every,
            } = config.schedules;
            let text = format!(
                "calendars are read every {} min (SYNC_EVERY_MINUTES), tokens refreshed every {} h \
                 (TOKEN_REFRESH_EVERY_HOURS); summaries are looked for each minute",
                sync_every.as_secs() / 60,
                token_refresh_every.as_secs() / 3600
            );
            report.add(State::Ok, "schedules", text);
        }
        Err(problems) => {
            for problem in problems {
                report.add(State::Wrong, "configuration", problem.to_string());
            }
        }
    }
    if let Ok(url) = Config::database_url(environment) {
        let keys = config.as_ref().ok().and_then(|config| config.keys.clone());
        database(&mut report, &url, keys, clock.clone()).await;
    }
    if let Ok(config) = &config {
        match http::client() {
            Ok(http) => outside(&mut report, config, &http, &clock).await,
            Err(problem) => report.add(State::Wrong, "network", problem),
        }
    }
    report
}

/// Slack and the calendars' providers.
async fn outside(report: &mut Report, config: &Config, http: &http::Client, clock: &Clock) {
    match SlackClient::new(&config.slack, http.clone()) {
        Ok(client) => {
            if client.has_given_token() {
                bot_token(report, &client, config.slack.app_id.as_deref(), clock).await;
            } else {
                let text = format!(
                    "none is set: workspaces install the app from {}",
                    config.public_url
                );
                report.add(State::Ok, "bot token", text);
            }
            match config.slack.transport {
                Transport::Socket(_) => {
                    app_token(report, &client, config.slack.app_id.as_deref()).await;
                }
                Transport::Http(_) => requests(report, config),
            }
        }
        Err(problem) => report.add(State::Wrong, "slack", problem.to_string()),
    }
    let reach = crate::bot::reach(config, http, clock);
    for provider in Provider::ALL {
        calendars::provider(report, &reach, provider).await;
    }
    calendars::sign_in(report, &reach).await;
    if let Some(install) = &config.slack.install {
        calendars::installs(report, install, &config.public_url);
    }
}

/// Whether Slack sends its requests to where this server is said to be. To this machine only a Slack on this machine does.
fn requests(report: &mut Report, config: &Config) {
    const SUBJECT: &str = "requests";
    let public_url = &config.public_url;
    if public_url.scheme() == "https" || is_this_machine(&config.slack.api_url) {
        let text = format!("come from Slack to {public_url} (SLACK_SIGNING_SECRET)");
        return report.add(State::Ok, SUBJECT, text);
    }
    let text = format!(
        "Slack sends its requests to https addresses only, and PUBLIC_URL is {public_url}. Put a proxy with TLS in front \
         of LISTEN_ADDR, and set PUBLIC_URL to its address; or set SLACK_APP_TOKEN, which needs no public address."
    );
    report.add(State::Wrong, SUBJECT, text);
}

async fn database(report: &mut Report, url: &SecretString, keys: Option<Keyring>, clock: Clock) {
    let address = without_password(url);
    let path = url
        .expose_secret()
        .trim_start_matches("sqlite:")
        .trim_start_matches("//");
    let path = path.split('?').next().unwrap_or(path);
    if url.expose_secret().starts_with("sqlite:")
        && path != ":memory:"
        && !std::path::Path::new(path).exists()
    {
        return match std::path::Path::new(path).parent() {
            Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => report.add(
                State::Wrong,
                "database",
                format!("{address}: the folder does not exist. Make it, or change DATABASE_URL."),
            ),
            _ => report.add(
                State::Note,
                "database",
                format!("{address} is not there yet; it is created at the first start"),
            ),
        };
    }
    let store = match Store::connect(url.expose_secret(), clock).await {
        Ok(store) => store,
        Err(problem) => {
            // It says itself which database.
            let text = format!(
                "{}. Check DATABASE_URL, and that the server runs.",
                chain(&problem)
            );
            return report.add(State::Wrong, "database", text);
        }
    };
    // The key file is looked at, but never made: this changes nothing.
    let key_file = sqlite_path(url).map(|path| std::path::Path::new(&path).with_extension("key"));
    let keys = keys.or_else(|| {
        let path = key_file.as_ref().filter(|path| path.exists())?;
        Keyring::load_or_create(path).ok().map(|(keys, _)| keys)
    });
    match (&keys, &key_file) {
        (Some(keys), _) => report.add(
            State::Ok,
            "keys",
            format!("tokens are sealed with the key “{}”", keys.current()),
        ),
        (None, Some(path)) if path.exists() => report.add(
            State::Wrong,
            "keys",
            format!("the key file {} cannot be read. Make it readable for BillOps, or set ENCRYPTION_KEYS.", path.display()),
        ),
        (None, Some(path)) => report.add(
            State::Note,
            "keys",
            format!("ENCRYPTION_KEYS is not set; a key file {} is made at the first start", path.display()),
        ),
        (None, None) => {}
    }
    let store = match keys {
        Some(keys) => store.with_keys(keys),
        None => store,
    };
    match store.pending_migrations().await {
        Ok(0) => match store.check().await {
            Ok(()) => {
                report.add(State::Ok, "database", format!("{address} ({}) can be written to", store.kind()));
                match store.job_counts().await {
                    Ok(counts) if counts.dead > 0 => dead_jobs(report, &store, counts.dead).await,
                    Ok(counts) => report.add(State::Ok, "jobs", format!("{} waiting, none given up", counts.open)),
                    Err(problem) => report.add(State::Wrong, "jobs", chain(&problem)),
                }
                match store.next_summary_at().await {
                    Ok(Some(at)) => {
                        let at = at.format("%a %-d %b %Y, %H:%M");
                        report.add(State::Ok, "summaries", format!("the next one is due on {at} UTC"));
                    }
                    Ok(None) => report.add(State::Ok, "summaries", "nobody is planned for yet"),
                    Err(problem) => report.add(State::Wrong, "summaries", chain(&problem)),
                }
                calendars::connections(report, &store).await;
            }
            Err(problem) => report.add(State::Wrong, "database", format!("{address} cannot be written to: {}", chain(&problem))),
        },
        Ok(pending) => report.add(
            State::Note,
            "database",
            format!("{address}: {pending} table changes wait; they are made at the next start or by `billops migrate`"),
        ),
        Err(problem) => report.add(State::Wrong, "database", format!("{address}: {}", chain(&problem))),
    }
    store.close().await;
}

/// What was given up, by kind, with what went wrong last.
async fn dead_jobs(report: &mut Report, store: &Store, count: i64) {
    let dead = match store.dead_jobs(DEAD_SHOWN).await {
        Ok(dead) => dead,
        Err(problem) => return report.add(State::Wrong, "jobs", chain(&problem)),
    };
    let mut kinds: BTreeMap<String, (u32, String)> = BTreeMap::new();
    for job in dead {
        // The latest comes first.
        let last = job.last_error.unwrap_or_default();
        let (count, _) = kinds.entry(kind_of(&job.payload)).or_insert((0, last));
        *count += 1;
    }
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, (count, last))| format!("{count} × {kind} ({last})"))
        .collect();
    let text = format!(
        "{count} given up after several attempts: {}. Mend what they say; each begins anew when it is next asked for.",
        kinds.join("; ")
    );
    report.add(State::Wrong, "jobs", text);
}

async fn bot_token(report: &mut Report, client: &SlackClient, app_id: Option<&str>, clock: &Clock) {
    match client.examine_token().await {
        Ok(token) => {
            let name = token.workspace.name.as_deref().unwrap_or("(no name)");
            report.add(State::Ok, "bot token", format!("belongs to the workspace {name} ({})", token.workspace.workspace_id));
            if let Some(granted) = &token.scopes {
                let missing = manifest::missing_scopes(granted);
                if missing.is_empty() {
                    report.add(State::Ok, "scopes", "all that BillOps needs are granted");
                } else {
                    report.add(State::Wrong, "scopes", format!(
                        "missing: {}. In your app's settings open OAuth & Permissions, add them, and install the app again: {}",
                        missing.join(", "),
                        token.workspace.app_id.as_deref().or(app_id).map_or_else(
                            || "https://api.slack.com/apps".to_owned(),
                            |id| format!("https://api.slack.com/apps/{id}/oauth"),
                        )
                    ));
                }
            }
            if let Some(theirs) = token.date {
                let off = clock.now() - theirs;
                if off.abs() > CLOCK_TOLERANCE {
                    report.add(State::Wrong, "clock", format!(
                        "this machine's clock is {} s off from Slack's. Switch on time synchronisation (NTP).", off.num_seconds()
                    ));
                } else {
                    report.add(State::Ok, "clock", "agrees with Slack's");
                }
            }
        }
        Err(SlackError::Refused(code)) => report.add(State::Wrong, "bot token", format!(
            "Slack refuses SLACK_BOT_TOKEN ({code}). In your app's settings open OAuth & Permissions, install the app \
             again, and copy the new Bot User OAuth Token."
        )),
        Err(problem) => report.add(State::Wrong, "bot token", format!(
            "Slack could not be asked: {problem}. Check the network, and SLACK_API_URL if it is set."
        )),
    }
}

async fn app_token(report: &mut Report, client: &SlackClient, app_id: Option<&str>) {
    match tokio::time::timeout(Duration::from_secs(10), client.open_connection()).await {
        Ok(Ok(url)) => {
            report.add(State::Ok, "app token", "opens Socket Mode connections");
            let actual = url.query_pairs().find(|(name, _)| name == "app_id").map(|(_, id)| id.into_owned());
            match (app_id, actual) {
                (Some(expected), Some(actual)) if expected != actual => report.add(State::Wrong, "app id", format!(
                    "SLACK_APP_TOKEN belongs to the app {actual}, but SLACK_APP_ID is {expected}. Set both from the same app."
                )),
                _ => {}
            }
        }
        Ok(Err(OpenError::Refused(code))) => report.add(State::Wrong, "app token", format!(
            "Slack refuses SLACK_APP_TOKEN ({code}). In your app's settings open Basic Information, App-Level Tokens, \
             and generate one with the scope connections:write."
        )),
        Ok(Err(problem)) => report.add(State::Wrong, "app token", format!("{problem}. Check the network, and SLACK_API_URL if it is set.")),
        Err(_) => report.add(State::Wrong, "app token", "Slack did not answer within 10 s. Check the network."),
    }
}
