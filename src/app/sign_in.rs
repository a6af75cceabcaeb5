//! Who sits at a browser, and for whom a program acts.
//!
//! What the end of a sign-in has to know travels in its state; see `sealed_states`.

use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use uuid::Uuid;

use super::{App, Returned, connect::LONGEST_PARAMETER};
use crate::{
    calendar::{SignInProblem, SlackIdentity},
    domain::{member::Member, scope::Scopes},
    error::Failed,
    jobs::Job,
    keyring::{digest, new_secret},
    store::{ApiToken, OpenSession},
};

/// How long a browser stays signed in.
pub const SESSION_LASTS: TimeDelta = TimeDelta::days(14);
/// How long a program's token works.
pub const API_TOKEN_LASTS: TimeDelta = TimeDelta::days(365);
/// Which states are of this room.
const ERRAND: &str = "sign_in";
/// How long signing in may take.
const SIGN_IN_TAKES: TimeDelta = TimeDelta::minutes(10);
/// What a program's token begins with, so that it is recognised where it should not be.
const API_TOKEN_PREFIX: &str = "bo_";

/// How signing in ended.
#[derive(Debug)]
pub enum SignedIn {
    /// Somebody is signed in.
    Yes {
        /// The secret for the browser's cookie.
        session: SecretString,
        /// Where the browser goes on, if that was said: a path of this server's.
        then: Option<String>,
    },
    /// The state is missing, unknown, used, too old, or another browser's.
    StateInvalid,
    /// The person said no at Slack.
    Denied,
    /// Slack's workspace is not one that BillOps is installed in.
    UnknownWorkspace,
    /// Slack no longer takes the code.
    CodeRefused,
    /// Ours to mend.
    Operator,
    /// Slack does not answer.
    Unavailable,
}

impl App {
    /// Whether anybody can sign in here.
    pub fn has_sign_in(&self) -> bool {
        self.reach.sign_in.is_some()
    }

    /// Where the browser goes to sign in; `None` if that is not set up. `then` is the path of this server's where it
    /// goes on; anything else counts as not said.
    ///
    /// # Errors
    /// There are no keys to seal with.
    pub fn begin_sign_in(&self, then: &str, browser: &str) -> Result<Option<Url>, Failed> {
        let Some(sign_in) = &self.reach.sign_in else {
            return Ok(None);
        };
        let begun = self.seal_state(ERRAND, browser, own_path(then), SIGN_IN_TAKES);
        let (state, nonce) = begun.map_err(|error| self.failed("beginning a sign-in", error))?;
        Ok(Some(sign_in.authorization(&state, &nonce)))
    }

    /// Ends it: the browser must be the one that left, and in time, and Slack says who it is.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn end_sign_in(
        &self,
        returned: &Returned,
        browser: Option<&str>,
    ) -> Result<SignedIn, Failed> {
        let failed = |error| self.failed("signing in", error);
        let Some(sign_in) = &self.reach.sign_in else {
            return Ok(SignedIn::Operator);
        };
        let begun = self.take_state(ERRAND, browser, &returned.state).await;
        let Some(begun) = begun.map_err(failed)? else {
            return Ok(SignedIn::StateInvalid);
        };
        if !returned.error.is_empty() {
            return Ok(SignedIn::Denied);
        }
        if returned.code.is_empty() || returned.code.len() > LONGEST_PARAMETER {
            return Ok(SignedIn::CodeRefused);
        }
        let exchanged = sign_in.exchange(&returned.code, &begun.nonce).await;
        let identity = match exchanged {
            Ok(identity) => identity,
            Err(problem) => return Ok(said_by_slack(&problem)),
        };
        let Some(member) = self.known(&identity).await? else {
            return Ok(SignedIn::UnknownWorkspace);
        };
        let session = new_secret();
        let expires_at = self.clock.now() + SESSION_LASTS;
        self.store
            .add_session(
                digest(session.expose_secret()),
                member.binding_id,
                expires_at,
            )
            .await
            .map_err(failed)?;
        Ok(SignedIn::Yes {
            session,
            then: begun.then,
        })
    }

    /// The person, if BillOps knows their workspace. Whoever has not used BillOps yet is noted.
    async fn known(&self, identity: &SlackIdentity) -> Result<Option<Member>, Failed> {
        let failed = |error| self.failed("looking up a person", error);
        for workspace in &identity.workspaces {
            let is_known = self
                .store
                .knows_workspace(workspace)
                .await
                .map_err(failed)?;
            if !is_known {
                continue;
            }
            let user = &identity.slack_user_id;
            let member = self.store.member(workspace, user).await.map_err(failed)?;
            if member.is_some() {
                return Ok(member);
            }
            let member = self.store.save_member(workspace, user, None).await;
            let member = member.map_err(failed)?;
            let job = Job::ReadProfile {
                binding: member.binding_id,
            };
            self.store.add_job(&job.to_row()).await.map_err(failed)?;
            return Ok(Some(member));
        }
        Ok(None)
    }

    /// What Slack calls a workspace, where that is known.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn workspace_name(&self, workspace_id: &str) -> Result<Option<String>, Failed> {
        self.store
            .workspace_name(workspace_id)
            .await
            .map_err(|error| self.failed("looking up a workspace", error))
    }

    /// Who is signed in with this cookie.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn signed_in(&self, session: &str) -> Result<Option<Member>, Failed> {
        self.store
            .session(digest(session))
            .await
            .map_err(|error| self.failed("looking up a session", error))
    }

    /// Signs a browser out.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sign_out(&self, session: &str) -> Result<(), Failed> {
        self.store
            .end_session(digest(session))
            .await
            .map_err(|error| self.failed("signing out", error))
    }

    /// Where the person is signed in, the latest sign-in first; the one with this cookie is marked.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn open_sessions(
        &self,
        member: &Member,
        session: &str,
    ) -> Result<Vec<OpenSession>, Failed> {
        self.store
            .open_sessions(member.binding_id, digest(session))
            .await
            .map_err(|error| self.failed("listing sessions", error))
    }

    /// Signs the person out of one browser, or out of all of them; returns how many that were. Somebody else's session
    /// is none.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sign_out_of(
        &self,
        member: &Member,
        session_id: Option<Uuid>,
    ) -> Result<u64, Failed> {
        self.store
            .end_sessions_of(member.binding_id, session_id)
            .await
            .map_err(|error| self.failed("ending sessions", error))
    }

    /// Ends every session of somebody who has left Slack, and takes their token back.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn shut_out(&self, member: &Member) -> Result<(), Failed> {
        self.sign_out_of(member, None).await?;
        self.revoke_api_token(member).await?;
        Ok(())
    }

    /// For whom a program with this token acts, and what it may do.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn acts_for(&self, token: &str) -> Result<Option<(Member, Scopes)>, Failed> {
        if !token.starts_with(API_TOKEN_PREFIX) {
            return Ok(None);
        }
        self.store
            .api_token(digest(token))
            .await
            .map_err(|error| self.failed("looking up an API token", error))
    }

    /// Gives the person a token for programs, shown once, which allows this for a year. The one they had works no
    /// longer.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn new_api_token(
        &self,
        member: &Member,
        scopes: Scopes,
    ) -> Result<SecretString, Failed> {
        let token = format!("{API_TOKEN_PREFIX}{}", new_secret().expose_secret());
        self.store
            .add_api_token(
                digest(&token),
                member.binding_id,
                scopes,
                self.clock.now() + API_TOKEN_LASTS,
            )
            .await
            .map_err(|error| self.failed("making an API token", error))?;
        Ok(token.into())
    }

    /// Takes the person's token back.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn revoke_api_token(&self, member: &Member) -> Result<bool, Failed> {
        self.store
            .revoke_api_token(member.binding_id)
            .await
            .map_err(|error| self.failed("revoking an API token", error))
    }

    /// The person's token, if there is one.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn api_token_of(&self, member: &Member) -> Result<Option<ApiToken>, Failed> {
        self.store
            .api_token_of(member.binding_id)
            .await
            .map_err(|error| self.failed("looking up an API token", error))
    }
}

fn said_by_slack(problem: &SignInProblem) -> SignedIn {
    match problem {
        SignInProblem::CodeRefused(says) => {
            tracing::warn!("sign_in.code_refused: {says}");
            SignedIn::CodeRefused
        }
        SignInProblem::Operator { setting, says } => {
            tracing::error!(
                setting,
                "sign_in.settings_refused: Slack does not take {setting}: {says}"
            );
            SignedIn::Operator
        }
        SignInProblem::Identity(problem) => {
            tracing::error!("sign_in.identity: {problem}");
            SignedIn::Unavailable
        }
        SignInProblem::Unavailable(problem) => {
            tracing::warn!("sign_in.unavailable: {problem}");
            SignedIn::Unavailable
        }
    }
}

/// A path of this server's own, and nothing else: nobody is sent elsewhere by a link to us.
fn own_path(path: &str) -> Option<&str> {
    let is_own = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(['\\', '\n', '\r', '\t'])
        && path.len() <= 512
        && path.bytes().all(|byte| byte.is_ascii_graphic());
    is_own.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for own in ["/", "/connect/google/abc", "/api/docs?x=1#y"] {
            assert_eq!(own_path(own), Some(own));
        }
        for foreign in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "javascript:alert(1)",
            "evil.example",
            "/a\r\nset-cookie: x=1",
            "/é",
        ] {
            assert_eq!(own_path(foreign), None, "{foreign:?}");
        }
    }
}
