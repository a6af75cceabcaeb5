//! Access tokens that work: refreshed before they run out, by one task of one replica at a time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use uuid::Uuid;

use super::App;
use crate::{
    calendar::{ReadProblem, RefreshProblem, Tokens},
    domain::calendar::{AccountState, ReconnectReason},
    error::{Failed, chain},
    jobs::Job,
    store::{NewJob, StoreError, StoredTokens, TokenRow},
};

/// A token that runs out sooner is replaced before it is used.
const FRESH_FOR: TimeDelta = TimeDelta::minutes(5);
/// How long whoever refreshes may take: longer than the provider may.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How long others wait for the one who refreshes, and how often they look.
const WAIT: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(40);
/// How often and in what steps a new token is tried to be stored: lost, it may be the only one that works.
const SAVE_TRIES: u32 = 5;
/// When a person is reminded of a broken connection; then no more.
pub const REMINDERS: [TimeDelta; 2] = [TimeDelta::days(3), TimeDelta::days(10)];
/// Accounts that are looked up at a time when all are refreshed.
const BATCH: u32 = 200;

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum TokenProblem {
    /// The account is not connected any more.
    #[error("the account is not connected")]
    Gone,
    /// The person has to consent again.
    #[error("the account needs the person's consent again")]
    NeedsReconnect,
    /// The provider refuses our credentials, or does not answer. Nothing is wrong with the account.
    #[error(transparent)]
    Provider(RefreshProblem),
    /// Whoever refreshes the account does not come to an end.
    #[error("the account's tokens are being refreshed, and that takes too long")]
    Busy,
    /// The database does not answer.
    #[error(transparent)]
    Failed(Failed),
}

/// How refreshing everything went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// New tokens.
    pub refreshed: u32,
    /// Connections that need consent again.
    pub broken: u32,
    /// Tried later.
    pub postponed: u32,
}

impl App {
    /// An access token of an account that works. `refused` is one that the provider did not take just now.
    ///
    /// # Errors
    /// See [`TokenProblem`].
    pub async fn access_token(
        &self,
        account_id: Uuid,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, TokenProblem> {
        let until = Instant::now() + WAIT;
        loop {
            let tokens = self.stored_tokens(account_id).await?;
            if let Some(access) = self.still_good(&tokens, refused) {
                return Ok(access);
            }
            let lease = self.clock.new_id();
            let now = self.clock.now();
            let is_ours = self
                .store
                .take_refresh(account_id, lease, &tokens.row, now + LEASE)
                .await
                .map_err(|error| self.token_failed(error))?;
            if is_ours {
                // A task of its own: whoever asked may go away, but a rotated token must be stored.
                let (app, refused) = (self.clone(), refused.cloned());
                let task = tokio::spawn(async move {
                    app.refresh_now(account_id, lease, &tokens, refused.as_ref())
                        .await
                });
                let outcome = task.await.map_err(|error| {
                    TokenProblem::Failed(self.failed("refreshing tokens", error))
                })?;
                if let Some(access) = outcome? {
                    return Ok(access);
                }
                // Somebody else stored newer ones meanwhile: theirs count.
                continue;
            }
            if Instant::now() >= until {
                return Err(TokenProblem::Busy);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Asks a provider with an account's token, once more with a new one where the first is refused.
    ///
    /// # Errors
    /// No token works, or the provider refuses.
    pub async fn ask_provider<T, F>(
        &self,
        account_id: Uuid,
        ask: impl Fn(SecretString) -> F,
    ) -> Result<Result<T, ReadProblem>, TokenProblem>
    where
        F: Future<Output = Result<T, ReadProblem>>,
    {
        let access = self.access_token(account_id, None).await?;
        match ask(access.clone()).await {
            Err(ReadProblem::Unauthorized) => {}
            Err(problem @ ReadProblem::Scope(_)) => {
                return self.consent_is_gone(account_id, &problem).await;
            }
            other => return Ok(other),
        }
        let access = self.access_token(account_id, Some(&access)).await?;
        match ask(access).await {
            // A new token that is not taken either, or one that reaches less far than was granted: only the person can
            // mend that.
            Err(problem @ (ReadProblem::Unauthorized | ReadProblem::Scope(_))) => {
                self.consent_is_gone(account_id, &problem).await
            }
            other => Ok(other),
        }
    }

    async fn consent_is_gone<T>(
        &self,
        account_id: Uuid,
        problem: &ReadProblem,
    ) -> Result<T, TokenProblem> {
        let tokens = self.stored_tokens(account_id).await?;
        let says = problem.to_string();
        self.broken(account_id, &tokens, ReconnectReason::Revoked, &says)
            .await?;
        Err(TokenProblem::NeedsReconnect)
    }

    /// Refreshes every account whose access token runs out. Idle ones are kept alive by it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn refresh_all(&self) -> Result<Refreshed, Failed> {
        let mut count = Refreshed::default();
        let mut after = None;
        loop {
            let ids = self.accounts_to_refresh(after).await?;
            let Some(last) = ids.last() else {
                return Ok(count);
            };
            after = Some(*last);
            for id in ids {
                match self.access_token(id, None).await {
                    Ok(_) => count.refreshed += 1,
                    Err(TokenProblem::NeedsReconnect) => count.broken += 1,
                    Err(TokenProblem::Gone) => {}
                    Err(TokenProblem::Failed(failed)) => return Err(failed),
                    Err(problem @ (TokenProblem::Provider(_) | TokenProblem::Busy)) => {
                        count.postponed += 1;
                        tracing::warn!(account = %id, "tokens.postponed: {}", chain(&problem));
                    }
                }
            }
        }
    }

    /// Asks for a job for each account whose access token runs out.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn queue_refreshes(&self) -> Result<(), Failed> {
        let mut after = None;
        loop {
            let ids = self.accounts_to_refresh(after).await?;
            let Some(last) = ids.last() else {
                return Ok(());
            };
            after = Some(*last);
            for account in ids {
                let job = Job::RefreshAccount { account }.to_row();
                let asked = self.store.add_job_once(&job).await;
                asked.map_err(|error| self.failed("asking for a refresh", error))?;
            }
        }
    }

    async fn accounts_to_refresh(&self, after: Option<Uuid>) -> Result<Vec<Uuid>, Failed> {
        let by = self.clock.now() + FRESH_FOR;
        self.store
            .accounts_to_refresh(by, after, BATCH)
            .await
            .map_err(|error| self.failed("looking for tokens that run out", error))
    }

    async fn stored_tokens(&self, account_id: Uuid) -> Result<StoredTokens, TokenProblem> {
        let tokens = self.store.tokens(account_id).await;
        let tokens = tokens
            .map_err(|error| self.token_failed(error))?
            .ok_or(TokenProblem::Gone)?;
        match tokens.state {
            AccountState::Active => Ok(tokens),
            AccountState::NeedsReconnect => Err(TokenProblem::NeedsReconnect),
            AccountState::Disconnected => Err(TokenProblem::Gone),
        }
    }

    fn still_good(
        &self,
        tokens: &StoredTokens,
        refused: Option<&SecretString>,
    ) -> Option<SecretString> {
        let (access, expires_at) = tokens.access.as_ref()?;
        let is_refused =
            refused.is_some_and(|refused| refused.expose_secret() == access.expose_secret());
        (!is_refused && *expires_at > self.clock.now() + FRESH_FOR).then(|| access.clone())
    }

    /// Refreshes; `None` if others stored newer tokens meanwhile.
    async fn refresh_now(
        &self,
        account_id: Uuid,
        lease: Uuid,
        tokens: &StoredTokens,
        refused: Option<&SecretString>,
    ) -> Result<Option<SecretString>, TokenProblem> {
        // Looked at once more under the lease: it may have been refreshed between.
        let now_stored = self.stored_tokens(account_id).await?;
        if let Some(access) = self.still_good(&now_stored, refused) {
            self.give_back(account_id, lease).await;
            return Ok(Some(access));
        }
        let Some(refresh) = &tokens.refresh else {
            return self
                .broken(
                    account_id,
                    tokens,
                    ReconnectReason::SignInAgain,
                    "no refresh token is stored",
                )
                .await;
        };
        match self.reach.providers.refresh(tokens.provider, refresh).await {
            Ok(new) => self.keep(account_id, &tokens.row, &new).await,
            Err(RefreshProblem::Consent(reason, says)) => {
                self.broken(account_id, tokens, reason, &says.to_string())
                    .await
            }
            Err(problem) => {
                if let RefreshProblem::Operator { setting, .. } = &problem {
                    tracing::error!(
                        setting,
                        "tokens.credentials_refused: {problem}. Nobody's calendar is read until this is mended"
                    );
                }
                self.give_back(account_id, lease).await;
                Err(TokenProblem::Provider(problem))
            }
        }
    }

    /// Stores new tokens before they are used.
    async fn keep(
        &self,
        account_id: Uuid,
        row: &TokenRow,
        new: &Tokens,
    ) -> Result<Option<SecretString>, TokenProblem> {
        let mut tried = 0;
        loop {
            let saved = self
                .store
                .save_tokens(
                    account_id,
                    row,
                    &new.access,
                    new.refresh.as_ref(),
                    new.expires_at,
                )
                .await;
            tried += 1;
            match saved {
                Ok(true) => return Ok(Some(new.access.clone())),
                Ok(false) => return Ok(None),
                Err(problem) if tried < SAVE_TRIES => {
                    tracing::warn!(account = %account_id, "tokens.not_stored_yet: {}", chain(&problem));
                    tokio::time::sleep(Duration::from_millis(100 << tried)).await;
                }
                Err(problem) => {
                    tracing::error!(
                        account = %account_id,
                        "tokens.rotation_lost: the provider gave new tokens and they could not be stored. If it no \
                         longer takes the old one, the person is asked to connect again"
                    );
                    return Err(self.token_failed(problem));
                }
            }
        }
    }

    async fn give_back(&self, account_id: Uuid, lease: Uuid) {
        if let Err(problem) = self.store.release_refresh(account_id, lease).await {
            // The lease runs out by itself.
            tracing::warn!(account = %account_id, "tokens.not_released: {}", chain(&problem));
        }
    }

    /// The provider asks for consent again. Only if the token it refused is still the stored one, the connection is
    /// broken: the person is told, and reminded, by jobs of the same transaction.
    async fn broken(
        &self,
        account_id: Uuid,
        tokens: &StoredTokens,
        reason: ReconnectReason,
        says: &str,
    ) -> Result<Option<SecretString>, TokenProblem> {
        let since = self.clock.now();
        let mut then = broken_notices(account_id, since);
        let home = self.store.binding_of(tokens.user_id).await;
        let home = home.map_err(|error| self.token_failed(error))?;
        then.extend(home.map(|binding| Job::RefreshHome { binding }.to_row()));
        let is_broken = self
            .store
            .declare_broken(account_id, &tokens.row, reason, since, &then)
            .await
            .map_err(|error| self.token_failed(error))?;
        if !is_broken {
            return Ok(None);
        }
        tracing::warn!(account = %account_id, "tokens.broken: {says}. The person is asked to connect again");
        Err(TokenProblem::NeedsReconnect)
    }

    fn token_failed(&self, error: StoreError) -> TokenProblem {
        TokenProblem::Failed(self.failed("reading or storing an account's tokens", error))
    }
}

/// The messages about a broken connection: one now, and the reminders.
fn broken_notices(account: Uuid, since: DateTime<Utc>) -> Vec<NewJob> {
    let times = std::iter::once(TimeDelta::zero()).chain(REMINDERS);
    (0..)
        .zip(times)
        .map(|(nth, after)| NewJob {
            run_at: Some(since + after),
            ..Job::TellBroken {
                account,
                since,
                nth,
            }
            .to_row()
        })
        .collect()
}
