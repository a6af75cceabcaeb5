//! `billops demo`: the real bot against the sandbox, with a database in a temporary folder.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone as _, Utc, Weekday};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{Manifest, NINA_EMAIL, NewEvent, Options, Provider, Reply, Sandbox, When, locked};
use crate::{
    bot::{Bot, NotStarted},
    clock::Clock,
    config::{Config, Environment},
    jobs::Schedule,
    manifest::MANIFEST,
    slack::socket::Timings,
    store::{NewProject, Store, StoreError, Workspace},
};

/// The running demo. Its database is gone when it ends.
pub struct Demo {
    slack: Sandbox,
    bot: Bot,
    /// What is due each minute is looked for at once when the clock was put forward.
    ticking: tokio::task::JoinHandle<()>,
    _folder: TempDir,
}

/// What Tern Studio works on: short name, name, client; what it does for itself is not billable.
const PROJECTS: [(&str, &str, Option<&str>); 4] = [
    ("acme", "Website relaunch", Some("Acme")),
    ("acme-app", "Customer app", Some("Acme")),
    ("halden", "Identity and booking", Some("Halden")),
    ("internal", "Internal", None),
];

async fn make_projects(slack: &Sandbox, store: &Store) -> Result<(), StoreError> {
    let workspace = Workspace {
        workspace_id: slack.world(|world| world.team.id.clone()),
        ..Workspace::default()
    };
    let workspace = store.save_workspace(&workspace).await?;
    for (slug, name, client) in PROJECTS {
        let project = NewProject {
            slug: slug.to_owned(),
            name: name.to_owned(),
            client: client.map(|client| (client.to_lowercase(), client.to_owned())),
            is_billable: client.is_some(),
        };
        store.create_project(workspace, &project).await?;
    }
    Ok(())
}

/// A week of Nina's around `now`: what is to be logged, and what of each kind is to be left out.
fn fill_calendars(slack: &Sandbox, now: DateTime<Utc>) {
    let zone = chrono_tz::Europe::Berlin;
    let today = now.with_timezone(&zone).date_naive();
    let monday = today.week(Weekday::Mon).first_day();
    let at = |day: NaiveDate, hour: u32, minute: u32| {
        let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        let local = zone.from_local_datetime(&day.and_time(time)).earliest();
        local.map_or(now, |local| local.to_utc())
    };
    let on = |weekday: u64| monday + Days::new(weekday);
    let event = |title: &str, start: DateTime<Utc>, minutes| {
        NewEvent::new(title, When::from(start, minutes))
    };
    let declined = NewEvent {
        reply: Reply::Declined,
        ..event("Vendor pitch", at(today, 10, 30), 30)
    };
    let private = NewEvent {
        is_private: true,
        ..event("Dentist", at(today, 8, 0), 30)
    };
    let google = [
        event("Acme: sprint review", at(on(1), 14, 0), 60),
        event("Halden weekly", at(on(3), 14, 0), 45),
        event("1:1 with Jonas", at(today, 9, 45), 30),
        event("Usability notes", at(today, 11, 0), 45),
        declined,
        private,
        NewEvent::new("Design week", When::day(today)),
    ];
    let outlook = [
        event("Halden on site: kick-off", at(on(2), 10, 0), 120),
        event("Acme: contract call", at(today, 13, 0), 30),
    ];
    let standup = event("Standup", at(monday, 9, 15), 15);
    slack.provider(Provider::Google, |calendars| {
        let mut added: Vec<_> = google
            .map(|event| calendars.add_event(NINA_EMAIL, "Nina Berg", event))
            .into();
        let series = calendars.add_series(NINA_EMAIL, "Nina Berg", &standup, 1, 5);
        added.push(series.map(|(series, _)| series));
        for problem in added.into_iter().filter_map(Result::err) {
            tracing::warn!("demo.calendar: {problem}");
        }
    });
    slack.provider(Provider::Microsoft, |calendars| {
        for event in outlook {
            if let Err(problem) = calendars.add_event(NINA_EMAIL, "Calendar", event) {
                tracing::warn!("demo.calendar: {problem}");
            }
        }
    });
}

impl Sandbox {
    /// The settings of a bot that talks to this sandbox, listens for browsers at `web` and keeps its data at
    /// `database_url`. Its redirect URIs are registered, and the page leads to it for installing.
    pub fn settings(&self, web: SocketAddr, database_url: &str) -> Vec<(&'static str, String)> {
        let public_url = format!("http://{web}");
        let redirect = |path: &str| format!("{public_url}/api/v1/{path}/callback");
        let google = redirect("integrations/google");
        let microsoft = redirect("integrations/microsoft");
        self.register_redirect(Provider::Google, &google);
        self.register_redirect(Provider::Microsoft, &microsoft);
        self.register_redirect(Provider::Slack, redirect("auth/slack"));
        let slack = redirect("integrations/slack");
        self.register_redirect(Provider::Install, &slack);
        *locked(&self.slack.bot_url) = Some(public_url.clone());
        let mut settings = self.provider_settings();
        settings.extend([
            ("SLACK_API_URL", self.api_url()),
            ("SLACK_APP_TOKEN", self.app_token().to_owned()),
            ("SLACK_BOT_TOKEN", self.bot_token().to_owned()),
            ("DATABASE_URL", database_url.to_owned()),
            ("LISTEN_ADDR", web.to_string()),
            ("PUBLIC_URL", public_url),
            ("SLACK_REDIRECT_URI", slack),
            ("GOOGLE_REDIRECT_URI", google),
            ("MICROSOFT_REDIRECT_URI", microsoft),
        ]);
        if database_url.starts_with("postgres") {
            // 32 bytes of nothing: there is nothing to protect here.
            let key = "demo:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned();
            settings.push(("ENCRYPTION_KEYS", key));
        }
        settings
    }
}

impl Demo {
    /// Starts the sandbox, and the bot once the sandbox listens. A port that is taken is replaced by a free
    /// one.
    ///
    /// # Errors
    /// No port is free, no temporary folder can be made, or the bot does not start.
    pub async fn start(port: u16, clock: Clock) -> Result<Self, NotStarted> {
        let failed = |doing: &str, problem: &dyn std::error::Error| NotStarted {
            doing: doing.to_owned(),
            problem: problem.to_string(),
        };
        let manifest =
            Manifest::parse(MANIFEST).map_err(|error| failed("reading manifest.yml", &error))?;
        let options = Options {
            clock: clock.clone(),
            port,
            manifest,
            ..Options::default()
        };
        let slack = match Sandbox::start(options.clone()).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                Sandbox::start(Options { port: 0, ..options }).await
            }
            started => started,
        }
        .map_err(|error| failed("starting the simulated Slack", &error))?;
        let folder = tempfile::Builder::new()
            .prefix("billops-demo-")
            .tempdir()
            .map_err(|error| failed("making a temporary folder for the database", &error))?;
        fill_calendars(&slack, clock.now());
        // The redirect URIs hold the bot's own address, so that has to be there first.
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(|error| failed("listening for browsers", &error))?;
        let address = listener
            .local_addr()
            .map_err(|error| failed("listening for browsers", &error))?;
        let database = format!("sqlite://{}/billops.db", folder.path().display());
        let environment = Environment::of(slack.settings(address, &database));
        let config = Config::from_environment(&environment)
            .expect("the sandbox hands out settings that can be read");
        let bot = Bot::start_at(Some(listener), &config, clock, Timings::default()).await?;
        make_projects(&slack, bot.store())
            .await
            .map_err(|error| failed("making the projects of the demo", &error))?;
        let ticking = tokio::spawn(tick(slack.clone(), bot.store().clone()));
        Ok(Self {
            slack,
            bot,
            ticking,
            _folder: folder,
        })
    }

    /// The page to open.
    pub fn url(&self) -> String {
        self.slack.url()
    }

    /// The simulated Slack.
    pub const fn slack(&self) -> &Sandbox {
        &self.slack
    }

    /// Ends the bot, then its Slack.
    pub async fn shut_down(self) {
        self.ticking.abort();
        self.bot.shut_down().await;
        self.slack.stop();
    }
}

async fn tick(slack: Sandbox, store: Store) {
    loop {
        slack.clock_moved().await;
        // On a busy machine the database may not answer at once.
        while let Err(problem) = Schedule::tick_now(&store).await {
            tracing::warn!("demo.tick_failed: {}", crate::error::chain(&problem));
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}
