//! `billops demo`: the real bot against the sandbox, with a database in a temporary folder.

use std::io::ErrorKind;

use tempfile::TempDir;

use super::{Manifest, Options, Sandbox};
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
        let environment = Environment::of([
            ("SLACK_API_URL", &slack.api_url()),
            ("SLACK_APP_TOKEN", slack.app_token()),
            ("SLACK_BOT_TOKEN", slack.bot_token()),
            (
                "DATABASE_URL",
                &format!("sqlite://{}/billops.db", folder.path().display()),
            ),
            ("LISTEN_ADDR", "127.0.0.1:0"),
        ]);
        let config = Config::from_environment(&environment)
            .expect("the sandbox hands out settings that can be read");
        let bot = Bot::start(&config, clock, Timings::default()).await?;
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
