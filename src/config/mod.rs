//! The settings, from the environment and a `.env` file. Everything that is missing or malformed is
//! reported at once, each with what it is for and the fix. Secrets are never printed.

mod calendars;
mod limits;
mod log;
mod slack;

use std::{collections::HashMap, net::SocketAddr, ops::RangeInclusive, path::Path, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::keyring::Keyring;

pub use calendars::{CalendarConfig, ProviderConfig, SignInConfig};
pub use limits::Limits;
pub use log::{LogConfig, LogFormat};
pub use slack::{InstallConfig, SlackConfig, Transport};

/// How browsers reach this server where `PUBLIC_URL` is not set.
const PUBLIC_URL: &str = "http://localhost:8000";

/// Everything the bot is told from outside.
#[derive(Clone, Debug)]
pub struct Config {
    /// How to reach Slack.
    pub slack: SlackConfig,
    /// `DATABASE_URL`; may hold a password.
    pub database_url: SecretString,
    /// `LISTEN_ADDR`: where the web server listens.
    pub listen_addr: SocketAddr,
    /// `PUBLIC_URL`: how browsers reach this server, without a slash at its end.
    pub public_url: Url,
    /// `FRONTEND_URL`: where a browser lands that a frontend sent, or that signed in without another purpose, without a
    /// slash at its end.
    pub frontend_url: Option<Url>,
    /// How to reach the calendars, each where it is set up.
    pub calendars: CalendarConfig,
    /// Sign in with Slack, where it is set up.
    pub sign_in: Option<SignInConfig>,
    /// `ENCRYPTION_KEYS`, where they are set.
    pub keys: Option<Keyring>,
    /// What is done how often.
    pub schedules: Schedules,
    /// How much of the web server one caller may have.
    pub limits: Limits,
}

/// What is done how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedules {
    /// `SYNC_EVERY_MINUTES`: how often each calendar is read.
    pub sync_every: Duration,
    /// `TOKEN_REFRESH_EVERY_HOURS`: how often tokens are refreshed that run out.
    pub token_refresh_every: Duration,
}

impl Schedules {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let minutes = reader.whole(
            "SYNC_EVERY_MINUTES",
            15,
            1..=1440,
            "how often calendars are read, in minutes",
        );
        let what = "how often the tokens of calendars are refreshed, in hours";
        let hours = reader.whole("TOKEN_REFRESH_EVERY_HOURS", 12, 1..=24, what);
        Some(Self {
            sync_every: Duration::from_secs(minutes? * 60),
            token_refresh_every: Duration::from_secs(hours? * 60 * 60),
        })
    }
}

/// Where a setting is looked up: real variables first, then the `.env` file.
#[derive(Debug, Default)]
pub struct Environment {
    file: HashMap<String, String>,
    is_isolated: bool,
}

/// One setting that is missing or malformed, in a sentence with the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable's name.
    pub name: &'static str,
    /// What is wrong and what to do. Never holds the value of a secret.
    pub advice: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.advice)
    }
}

impl Environment {
    /// The process' variables, and the `.env` file at `path` where there is one.
    ///
    /// # Errors
    /// The file is there but a line of it cannot be read.
    pub fn load(path: &Path) -> Result<Self, Problem> {
        let problem = |advice: String| Problem {
            name: ".env",
            advice,
        };
        if !path.exists() {
            return Ok(Self::default());
        }
        let mut file = HashMap::new();
        for pair in
            dotenvy::from_path_iter(path).map_err(|e| problem(format!("cannot be read: {e}.")))?
        {
            let (name, value) = pair.map_err(|error| match error {
                // The error itself would print the line, which may hold a secret.
                dotenvy::Error::LineParse(_, at) => problem(format!(
                    "has a line that cannot be read, at its character {at}. Write NAME=value."
                )),
                other => problem(format!("cannot be read: {other}.")),
            })?;
            file.insert(name, value);
        }
        Ok(Self {
            file,
            is_isolated: false,
        })
    }

    /// Exactly these settings and nothing of the process, for the demo and for tests.
    pub fn of<Value: Into<String>>(
        settings: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Self {
        let file = settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        Self {
            file,
            is_isolated: true,
        }
    }

    /// The value of a setting; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<String> {
        let process = if self.is_isolated {
            None
        } else {
            std::env::var(name).ok()
        };
        process
            .or_else(|| self.file.get(name).cloned())
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }
}

impl Config {
    /// Reads every setting.
    ///
    /// # Errors
    /// All that is missing or malformed, at once.
    pub fn from_environment(environment: &Environment) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(environment);
        let public_url = reader.url("PUBLIC_URL", PUBLIC_URL);
        // What follows from an address that cannot be read is not said to be wrong as well.
        let reached_at = public_url
            .clone()
            .unwrap_or_else(|| PUBLIC_URL.parse().expect("it is written here"));
        let slack = SlackConfig::read(&mut reader, &reached_at);
        let listen_addr = reader.listen_addr();
        let database_url = reader.database_url();
        let frontend_url = environment
            .get("FRONTEND_URL")
            .and_then(|_| reader.url("FRONTEND_URL", "https://time.example.com"));
        let keys = reader.keys(database_url.as_ref());
        let schedules = Schedules::read(&mut reader);
        let calendars = CalendarConfig::read(&mut reader, &reached_at);
        let sign_in = SignInConfig::read(&mut reader, &reached_at);
        // The log is started from the same two settings; here they are looked at so that everything is said at once.
        LogConfig::read(&mut reader, "info");
        match (slack, listen_addr, database_url, public_url, schedules) {
            (
                Some(slack),
                Some(listen_addr),
                Some(database_url),
                Some(public_url),
                Some(schedules),
            ) if reader.problems.is_empty() => Ok(Self {
                slack,
                database_url,
                listen_addr,
                public_url,
                frontend_url,
                calendars,
                sign_in,
                keys,
                schedules,
                limits: Limits::default(),
            }),
            _ => Err(reader.problems),
        }
    }

    /// `DATABASE_URL` alone, for commands that need nothing else.
    ///
    /// # Errors
    /// It is malformed.
    pub fn database_url(environment: &Environment) -> Result<SecretString, Vec<Problem>> {
        let mut reader = Reader::new(environment);
        reader.database_url().ok_or(reader.problems)
    }

    /// The keys alone, for commands that need nothing else.
    ///
    /// # Errors
    /// They or `DATABASE_URL` are malformed, or the key file cannot be read or written.
    pub fn keys(environment: &Environment) -> Result<Keyring, Vec<Problem>> {
        let mut reader = Reader::new(environment);
        let database_url = reader.database_url();
        let keys = reader.keys(database_url.as_ref());
        match database_url {
            Some(url) if reader.problems.is_empty() => {
                keyring_of(keys.as_ref(), &url).map_err(|problem| vec![problem])
            }
            _ => Err(reader.problems),
        }
    }

    /// The keys that seal tokens: `ENCRYPTION_KEYS`, or with SQLite the key file beside the database, which is
    /// made where it is missing. A database in memory needs no key that outlives the process.
    ///
    /// # Errors
    /// The key file cannot be read or written.
    pub fn keyring(&self) -> Result<Keyring, Problem> {
        keyring_of(self.keys.as_ref(), &self.database_url)
    }
}

/// As [`Config::keyring`], from what the two settings say.
fn keyring_of(keys: Option<&Keyring>, database_url: &SecretString) -> Result<Keyring, Problem> {
    if let Some(keys) = keys {
        return Ok(keys.clone());
    }
    let Some(path) = sqlite_path(database_url) else {
        return Ok(Keyring::random());
    };
    let path = Path::new(&path).with_extension("key");
    match Keyring::load_or_create(&path) {
        Ok((keys, is_new)) => {
            if is_new {
                tracing::info!(
                    path = %path.display(),
                    "keys.made: tokens are sealed with the key in this file. Keep a copy of it apart from the database, \
                     or set ENCRYPTION_KEYS"
                );
            }
            Ok(keys)
        }
        Err(error) => Err(Problem {
            name: "ENCRYPTION_KEYS",
            advice: format!(
                "is not set, and the key file {} cannot be used: {error}. Make it readable and writable for \
                 BillOps, or set ENCRYPTION_KEYS.",
                path.display()
            ),
        }),
    }
}

/// The file of a SQLite database; `None` where it is in memory, or PostgreSQL.
pub fn sqlite_path(url: &SecretString) -> Option<String> {
    let path = url.expose_secret().strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let (path, parameters) = path.split_once('?').unwrap_or((path, ""));
    let in_memory = path == ":memory:" || path.is_empty() || parameters.contains("mode=memory");
    (!in_memory).then(|| path.to_owned())
}

struct Reader<'a> {
    environment: &'a Environment,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    const fn new(environment: &'a Environment) -> Self {
        Self {
            environment,
            problems: Vec::new(),
        }
    }
}

impl Reader<'_> {
    fn problem<T>(&mut self, name: &'static str, advice: impl Into<String>) -> Option<T> {
        self.problems.push(Problem {
            name,
            advice: advice.into(),
        });
        None
    }

    /// A whole number in a range; the default where it is not set.
    fn whole(
        &mut self,
        name: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
        what: &str,
    ) -> Option<u64> {
        let Some(value) = self.environment.get(name) else {
            return Some(default);
        };
        match value.parse() {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                let (from, to) = (range.start(), range.end());
                let advice = format!(
                    "is “{value}”. It is {what}: a whole number from {from} to {to}, or leave it out for {default}."
                );
                self.problem(name, advice)
            }
        }
    }

    fn url(&mut self, name: &'static str, default: &str) -> Option<Url> {
        let value = self
            .environment
            .get(name)
            .unwrap_or_else(|| default.to_owned());
        let Ok(url) = Url::parse(value.trim_end_matches('/')) else {
            return self.problem(
                name,
                format!("is “{value}”, which is not a URL. An example: {default}"),
            );
        };
        if is_safe(&url) {
            Some(url)
        } else {
            self.problem(
                name,
                format!(
                    "is “{}”. Use https://; plain http:// is accepted for this machine only, as in \
                     http://localhost:8000.",
                    without_password(&value.into())
                ),
            )
        }
    }

    /// Where browsers are sent back to: to this server, where the setting does not say otherwise.
    fn redirect_uri(&mut self, name: &'static str, public_url: &Url, of: &str) -> Option<Url> {
        let own = callback(public_url, &["integrations", of]);
        self.url(name, own.as_str())
    }

    /// The keys, where they are set; with PostgreSQL they have to be, because replicas share them.
    fn keys(&mut self, database_url: Option<&SecretString>) -> Option<Keyring> {
        const NAME: &str = "ENCRYPTION_KEYS";
        let Some(value) = self.environment.get(NAME) else {
            if database_url.is_some_and(|url| !url.expose_secret().starts_with("sqlite:")) {
                return self.problem(
                    NAME,
                    "is not set, and with PostgreSQL it has to be: every replica seals with the same keys. Make \
                     one with: openssl rand -base64 32, and write it as k1:<that>",
                );
            }
            return None;
        };
        match Keyring::parse(&value) {
            Ok(keys) => Some(keys),
            Err(advice) => self.problem(NAME, advice),
        }
    }

    fn listen_addr(&mut self) -> Option<SocketAddr> {
        let value = self
            .environment
            .get("LISTEN_ADDR")
            .unwrap_or_else(|| "127.0.0.1:8000".to_owned());
        match value.parse() {
            Ok(address) => Some(address),
            Err(_) => self.problem(
                "LISTEN_ADDR",
                format!("is “{value}”. Write an address and a port, as in 127.0.0.1:8000."),
            ),
        }
    }

    fn database_url(&mut self) -> Option<SecretString> {
        let value = self
            .environment
            .get("DATABASE_URL")
            .unwrap_or_else(|| "sqlite://billops.db".to_owned());
        if ["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| value.starts_with(scheme))
        {
            return Some(value.into());
        }
        self.problem(
            "DATABASE_URL",
            "begins neither with sqlite:// nor with postgres://. Examples: sqlite://billops.db, \
             postgres://user:password@host/billops",
        )
    }
}

/// The address below this server's at which a provider's browsers come back.
fn callback(public_url: &Url, of: &[&str]) -> Url {
    let mut url = public_url.clone();
    url.path_segments_mut()
        .expect("an http address has a path")
        .pop_if_empty()
        .extend(["api", "v1"])
        .extend(of)
        .push("callback");
    url
}

/// Whether nothing secret travels in the clear: TLS, or a connection that does not leave the machine.
pub fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" | "wss" => true,
        "http" | "ws" => is_this_machine(url),
        _ => false,
    }
}

/// Whether the address is one of this machine's own, which nobody reaches from elsewhere.
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The database's address without its password, for logs and `doctor`.
pub fn without_password(url: &SecretString) -> String {
    match Url::parse(url.expose_secret()) {
        Ok(mut url) if url.password().is_some() => {
            let _ = url.set_password(Some("…"));
            url.into()
        }
        _ => url.expose_secret().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 2] = [
        ("SLACK_APP_TOKEN", "xapp-1-A1-secret"),
        ("SLACK_BOT_TOKEN", "xoxb-secret"),
    ];

    const KEY: &str = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    #[test]
    fn what_belongs_together_is_asked_for_together() {
        let mut settings = GOOD.to_vec();
        settings.extend([
            ("DATABASE_URL", "postgres://db/billops"),
            ("GOOGLE_CLIENT_ID", "id"),
            ("MICROSOFT_CLIENT_SECRET", "s3cret"),
            ("MICROSOFT_TENANT_ID", "../x"),
            ("SLACK_CLIENT_ID", "1.2"),
            ("FRONTEND_URL", "http://time.example"),
            ("SYNC_EVERY_MINUTES", "0"),
            ("TOKEN_REFRESH_EVERY_HOURS", "12h"),
        ]);
        let text = problems(settings).join("\n");
        for name in [
            "ENCRYPTION_KEYS is not set, and with PostgreSQL",
            "GOOGLE_CLIENT_SECRET is not set, but GOOGLE_CLIENT_ID is",
            "MICROSOFT_CLIENT_ID is not set, but MICROSOFT_CLIENT_SECRET is",
            "MICROSOFT_TENANT_ID is “../x”",
            "SLACK_CLIENT_SECRET is not set",
            "FRONTEND_URL is “http://time.example”. Use https://",
            "SYNC_EVERY_MINUTES is “0”. It is how often calendars are read, in minutes: a whole number from 1 to 1440",
            "TOKEN_REFRESH_EVERY_HOURS is “12h”",
        ] {
            assert!(text.contains(name), "{name} is missing in:\n{text}");
        }
        assert!(!text.contains("s3cret"), "{text}");
    }

    #[test]
    fn nothing_is_offered_that_is_not_set_up() {
        let config = Config::from_environment(&Environment::of(GOOD)).unwrap();
        assert!(config.calendars.google.is_none() && config.calendars.microsoft.is_none());
        assert!(config.sign_in.is_none() && config.keys.is_none());
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
        let schedules = config.schedules;
        assert_eq!(schedules.sync_every, 15 * minute);
        assert_eq!(schedules.token_refresh_every, 12 * hour);
        let mut settings = GOOD.to_vec();
        settings.extend([
            ("PUBLIC_URL", "https://time.example/billops/"),
            ("SLACK_CLIENT_ID", "1.2"),
            ("SLACK_CLIENT_SECRET", "x"),
            ("MICROSOFT_CLIENT_ID", "id"),
            ("MICROSOFT_CLIENT_SECRET", "x"),
        ]);
        let config = Config::from_environment(&Environment::of(settings)).unwrap();
        assert_eq!(
            config.sign_in.unwrap().redirect_uri.as_str(),
            "https://time.example/billops/api/v1/auth/slack/callback"
        );
        assert_eq!(
            config.calendars.microsoft.unwrap().token_url.as_str(),
            "https://login.microsoftonline.com/common/oauth2/v2.0/token"
        );
    }

    #[test]
    fn the_database_is_known_to_be_a_file() {
        let path = |url: &str| sqlite_path(&url.to_owned().into());
        assert_eq!(path("sqlite://billops.db").as_deref(), Some("billops.db"));
        assert_eq!(
            path("sqlite:///var/lib/b.db?mode=rwc").as_deref(),
            Some("/var/lib/b.db")
        );
        for none in [
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite://x?mode=memory",
            "postgres://db/x",
        ] {
            assert_eq!(path(none), None, "{none}");
        }
    }

    #[test]
    fn browsers_come_back_to_the_public_url() {
        let mut settings = GOOD.to_vec();
        settings.extend([
            ("GOOGLE_CLIENT_ID", "id"),
            ("GOOGLE_CLIENT_SECRET", "x"),
            ("MICROSOFT_CLIENT_ID", "id"),
            ("MICROSOFT_CLIENT_SECRET", "x"),
            ("SLACK_CLIENT_ID", "1.2"),
            ("SLACK_CLIENT_SECRET", "x"),
        ]);
        let come_back_to = |more: &[(&'static str, &'static str)]| {
            let settings = settings.iter().chain(more).copied();
            let config = Config::from_environment(&Environment::of(settings)).unwrap();
            let CalendarConfig { google, microsoft } = config.calendars;
            let (google, microsoft) = (google.unwrap(), microsoft.unwrap());
            let install = config.slack.install.unwrap();
            [
                google.redirect_uri,
                microsoft.redirect_uri,
                install.redirect_uri,
            ]
            .map(String::from)
        };
        let at = |base: &str| {
            ["google", "microsoft", "slack"]
                .map(|of| format!("{base}/api/v1/integrations/{of}/callback"))
        };
        assert_eq!(come_back_to(&[]), at("http://localhost:8000"));
        for public_url in [
            "https://time.example/billops",
            "https://time.example/billops/",
        ] {
            let there = at("https://time.example/billops");
            assert_eq!(come_back_to(&[("PUBLIC_URL", public_url)]), there);
        }
        let back = "https://time.example.com/back";
        let [google, microsoft, _] = come_back_to(&[("GOOGLE_REDIRECT_URI", back)]);
        assert_eq!(google, back);
        assert!(microsoft.starts_with("http://localhost:8000/"));
    }

    fn problems(settings: Vec<(&str, &str)>) -> Vec<String> {
        let file = settings
            .into_iter()
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        let environment = Environment {
            file,
            is_isolated: true,
        };
        match Config::from_environment(&environment) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn two_tokens_are_enough() {
        let config = Config::from_environment(&Environment::of(GOOD)).unwrap();
        assert_eq!(config.slack.api_url.as_str(), "https://slack.com/api");
        assert_eq!(config.listen_addr.to_string(), "127.0.0.1:8000");
    }

    #[test]
    fn everything_wrong_is_said_at_once_and_no_secret_is_shown() {
        let problems = problems(vec![
            ("SLACK_APP_TOKEN", "xoxb-swapped-secret"),
            ("SLACK_API_URL", "http://proxy:hunter2@slack.example/api"),
            ("LISTEN_ADDR", "8000"),
            ("PUBLIC_URL", "somewhere"),
            ("RUST_LOG", "=x="),
            ("LOG_FORMAT", "xml"),
            ("DATABASE_URL", "mysql://root:hunter2@db/x"),
        ]);
        let text = problems.join("\n");
        for name in [
            "SLACK_APP_TOKEN",
            "SLACK_BOT_TOKEN",
            "SLACK_API_URL",
            "LISTEN_ADDR",
            "DATABASE_URL",
            "PUBLIC_URL",
            "RUST_LOG",
            "LOG_FORMAT",
        ] {
            let named = problems
                .iter()
                .filter(|problem| problem.split(' ').next() == Some(name));
            assert_eq!(named.count(), 1, "{name} in:\n{text}");
        }
        assert_eq!(problems.len(), 8, "{text}");
        assert!(
            !text.contains("swapped-secret") && !text.contains("hunter2"),
            "{text}"
        );
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in [
            "https://slack.com",
            "wss://slack.com",
            "http://127.0.0.1:1",
            "ws://localhost:1",
            "http://[::1]:1",
        ] {
            assert!(is_safe(&good.parse().unwrap()), "{good}");
        }
        for bad in [
            "http://slack.com",
            "ws://10.0.0.1",
            "ftp://localhost",
            "http://localhost.example",
        ] {
            assert!(!is_safe(&bad.parse().unwrap()), "{bad}");
        }
    }

    #[test]
    fn debug_output_hides_secrets() {
        let config = Config::from_environment(&Environment::of([
            GOOD[0],
            GOOD[1],
            ("DATABASE_URL", "postgres://billops:hunter2@db/billops"),
            ("ENCRYPTION_KEYS", KEY),
            ("GOOGLE_CLIENT_ID", "id"),
            ("GOOGLE_CLIENT_SECRET", "GOCSPX-secret"),
        ]))
        .unwrap();
        let debug = format!("{config:?}");
        assert!(
            !debug.contains("secret\"")
                && !debug.contains("hunter2")
                && !debug.contains("GOCSPX")
                && !debug.contains("AAAA")
                && !debug.contains("A1-secret"),
            "{debug}"
        );
        assert_eq!(
            without_password(&config.database_url),
            "postgres://billops:%E2%80%A6@db/billops"
        );
    }
}
