//! Where the app is installed: installing, removing, and the token of each workspace.
//!
//! Anybody may begin to install (see `sealed_states`); whether they may install is Slack's to say.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::{App, Returned, connect::LONGEST_PARAMETER};
use crate::{
    calendar::SignInProblem,
    error::{Failed, chain},
    jobs::Job,
    store::{Install, InstallToken},
};

/// Which states are of this room.
const ERRAND: &str = "install";
/// How long installing may take.
const INSTALL_TAKES: TimeDelta = TimeDelta::minutes(10);
/// How long a workspace is taken from memory. What another replica did is seen after this.
const FRESH_FOR: Duration = Duration::from_secs(30);
/// A token that runs out sooner is replaced: early enough for many tries, as Slack's own clients do.
const RENEWED_BEFORE: TimeDelta = TimeDelta::hours(2);
/// How long getting a new token may take before another replica tries.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// Accounts that are given back at a time.
const BATCH: u32 = 50;

/// How installing ended.
#[derive(Debug)]
pub enum Installed {
    /// It is installed.
    Yes {
        /// Slack's id of the workspace.
        workspace_id: String,
        /// What Slack calls it.
        name: Option<String>,
    },
    /// The state is missing, used, too old, or somebody else's.
    StateInvalid,
    /// The person, or their workspace's admins, said no.
    Denied,
    /// Slack no longer takes the code.
    CodeRefused,
    /// Ours to mend.
    Operator,
    /// Slack does not answer.
    Unavailable,
}

/// What is remembered of a workspace.
#[derive(Clone)]
pub(super) struct KnownInstall {
    install: Option<Arc<Install>>,
    read_at: Instant,
}

impl App {
    /// Whether workspaces can install the app through this server.
    pub fn has_install(&self) -> bool {
        self.reach.installer.is_some()
    }

    /// Our address that leads a browser to Slack to install the app; `None` if that is not set up.
    pub fn install_url(&self) -> Option<Url> {
        let path = ["api", "v1", "integrations", "slack", "install"];
        self.has_install().then(|| self.page(&path))
    }

    /// Where a browser goes to install the app, and the state that comes back with it; `None` if that is not set up.
    /// `holder` is what only the one who begins holds.
    ///
    /// # Errors
    /// There are no keys to seal with.
    pub fn begin_install(&self, holder: &str) -> Result<Option<(Url, String)>, Failed> {
        let Some(installer) = &self.reach.installer else {
            return Ok(None);
        };
        let begun = self.seal_state(ERRAND, holder, None, INSTALL_TAKES);
        let (state, _) = begun.map_err(|error| self.failed("beginning an install", error))?;
        Ok(Some((installer.authorization(&state), state)))
    }

    /// Ends it: whoever comes back must be the one who began, and in time.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn end_install(
        &self,
        returned: &Returned,
        holder: Option<&str>,
    ) -> Result<Installed, Failed> {
        let failed = |error| self.failed("installing", error);
        let Some(installer) = &self.reach.installer else {
            return Ok(Installed::Operator);
        };
        let begun = self.take_state(ERRAND, holder, &returned.state).await;
        if begun.map_err(failed)?.is_none() {
            return Ok(Installed::StateInvalid);
        }
        if !returned.error.is_empty() {
            return Ok(Installed::Denied);
        }
        if returned.code.is_empty() || returned.code.len() > LONGEST_PARAMETER {
            return Ok(Installed::CodeRefused);
        }
        let new = match installer.exchange(&returned.code).await {
            Ok(new) => new,
            Err(problem) => {
                return Ok(match problem {
                    SignInProblem::CodeRefused(_) => Installed::CodeRefused,
                    SignInProblem::Operator { setting, .. } => {
                        tracing::error!(setting, "install.refused: {problem}");
                        Installed::Operator
                    }
                    problem => {
                        tracing::warn!("install.unavailable: {problem}");
                        Installed::Unavailable
                    }
                });
            }
        };
        self.store.save_install(&new).await.map_err(failed)?;
        self.forget_workspace(&new.workspace_id);
        tracing::info!(workspace = new.workspace_id, "install.done");
        Ok(Installed::Yes {
            workspace_id: new.workspace_id,
            name: new.name,
        })
    }

    /// What is known of a workspace; up to 30 s old.
    ///
    /// # Errors
    /// The database does not answer, or the token cannot be opened.
    pub async fn install(&self, workspace_id: &str) -> Result<Option<Arc<Install>>, Failed> {
        if let Some(known) = self.installs.get(workspace_id)
            && known.read_at.elapsed() < FRESH_FOR
        {
            return Ok(known.install);
        }
        // Rare, and kept apart so that the many commands under way at once stay small.
        Box::pin(self.read_install(workspace_id)).await
    }

    async fn read_install(&self, workspace_id: &str) -> Result<Option<Arc<Install>>, Failed> {
        let install = self.store.install(workspace_id).await;
        let install = install
            .map_err(|error| self.failed("looking up a workspace", error))?
            .map(Arc::new);
        let known = KnownInstall {
            install: install.clone(),
            read_at: Instant::now(),
        };
        self.installs.insert(workspace_id.to_owned(), known);
        Ok(install)
    }

    /// The token of a workspace that installed the app through OAuth, new where it would run out soon.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn bot_token(&self, workspace_id: &str) -> Result<Option<SecretString>, Failed> {
        let Some(install) = self.install(workspace_id).await? else {
            return Ok(None);
        };
        let Some(token) = install.token.as_ref().filter(|_| install.is_active) else {
            return Ok(None);
        };
        let is_old = token
            .expires_at
            .is_some_and(|at| at - self.clock.now() < RENEWED_BEFORE);
        if is_old && let Some(new) = Box::pin(self.renewed(workspace_id, install.id, token)).await {
            return Ok(Some(new));
        }
        Ok(Some(token.access.clone()))
    }

    /// A new token; `None` where another replica is getting it, or where that fails: the old one still works.
    async fn renewed(
        &self,
        workspace_id: &str,
        install_id: Uuid,
        token: &InstallToken,
    ) -> Option<SecretString> {
        let (installer, refresh) = self.reach.installer.as_ref().zip(token.refresh.as_ref())?;
        let until = self.clock.now() + LEASE;
        match self.store.take_token_refresh(install_id, until).await {
            Ok(true) => {}
            Ok(false) => return None,
            Err(problem) => {
                tracing::warn!(workspace_id, "install.not_renewed: {}", chain(&problem));
                return None;
            }
        }
        // Somebody may have got one since this one was read.
        let now = self.store.install(workspace_id).await.ok().flatten()?;
        let now_token = now.token?;
        if now_token.expires_at != token.expires_at {
            self.forget_workspace(workspace_id);
            return Some(now_token.access);
        }
        let new = match installer.renew(refresh).await {
            Ok(new) => new,
            Err(problem) => {
                tracing::error!(
                    workspace_id,
                    "install.not_renewed: {problem}. It is tried again while the old token works"
                );
                return None;
            }
        };
        // The refresh token works once more for a while, so that a lost row is mended at the next try.
        let kept = self
            .store
            .renew_token(install_id, token.expires_at, &new)
            .await;
        if let Err(problem) = kept {
            tracing::error!(
                workspace_id,
                "install.not_renewed: the new token is not stored: {}",
                chain(&problem)
            );
        }
        self.forget_workspace(workspace_id);
        Some(new.access)
    }

    /// Looks at a workspace anew the next time: it was installed, removed, or its token refused.
    pub fn forget_workspace(&self, workspace_id: &str) {
        self.installs.remove(workspace_id);
    }

    /// The app was removed from a workspace at that moment, or its token was revoked.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn uninstalled(&self, workspace_id: &str, at: DateTime<Utc>) -> Result<(), Failed> {
        let then = |workspace| Job::LeaveWorkspace { workspace }.to_row();
        let is_new = self.store.uninstall(workspace_id, at, then).await;
        let is_new =
            is_new.map_err(|error| self.failed("noting that the app was removed", error))?;
        self.forget_workspace(workspace_id);
        self.members
            .retain(|(workspace, _), _| workspace != workspace_id);
        if is_new {
            tracing::info!(
                workspace = workspace_id,
                "install.removed: its token is wiped; the time entries stay"
            );
        }
        Ok(())
    }

    /// Gives back the calendars of everybody in a workspace that the app was removed from.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn leave_workspace(&self, install_id: Uuid) -> Result<(), Failed> {
        let failed = |error| self.failed("giving calendars back", error);
        loop {
            let accounts = self.store.accounts_left_behind(install_id, BATCH).await;
            let accounts = accounts.map_err(failed)?;
            if accounts.is_empty() {
                return Ok(());
            }
            for (user, account, provider) in accounts {
                let token = self.store.disconnect(user, account, None).await;
                if let Some(token) = token.map_err(failed)?.flatten()
                    && let Err(problem) = self.reach.providers.revoke(provider, &token).await
                {
                    let provider = provider.as_str();
                    tracing::warn!(
                        provider,
                        "disconnect.not_revoked: {problem}. The tokens are wiped here all the same"
                    );
                }
            }
        }
    }
}
