//! `billops demo`: the real bot against the sandbox, with a database in a temporary folder.

use std::{io::ErrorKind, net::SocketAddr};

use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{Manifest, Options, Provider, Sandbox};
use crate::{
    bot::{Bot, NotStarted},
    clock::Clock,
    config::{Config, Environment},
    manifest::MANIFEST,
    slack::socket::Timings,
    store::{NewProject, Store, StoreError, Workspace},
};

/// The running demo. Its database is gone when it ends.
pub struct Demo {
    slack: Sandbox,
    bot: Bot,
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

impl Sandbox {
    /// The settings of a bot that talks to this sandbox, listens for browsers at `web` and keeps its data at
    /// `database_url`. Its redirect URIs are registered.
    pub fn settings(&self, web: SocketAddr, database_url: &str) -> Vec<(&'static str, String)> {
        let public_url = format!("http://{web}");
        let redirect = |path: &str| format!("{public_url}/api/v1/{path}/callback");
        let google = redirect("integrations/google");
        let microsoft = redirect("integrations/microsoft");
        self.register_redirect(Provider::Google, &google);
        self.register_redirect(Provider::Microsoft, &microsoft);
        self.register_redirect(Provider::Slack, redirect("auth/slack"));
        let mut settings = self.provider_settings();
        settings.extend([
            ("SLACK_API_URL", self.api_url()),
            ("SLACK_APP_TOKEN", self.app_token().to_owned()),
            ("SLACK_BOT_TOKEN", self.bot_token().to_owned()),
            ("DATABASE_URL", database_url.to_owned()),
            ("LISTEN_ADDR", web.to_string()),
            ("PUBLIC_URL", public_url),
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
        Ok(Self {
            slack,
            bot,
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
        self.bot.shut_down().await;
        self.slack.stop();
    }
}
