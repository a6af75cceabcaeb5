//! The calendars of a person: which there are, which are read, and giving an account up.

use uuid::Uuid;

use super::{App, tokens::TokenProblem};
use crate::{
    domain::{
        calendar::{Account, AccountState},
        member::Member,
        provider::Provider,
    },
    error::Failed,
    jobs::Job,
    store::NewJob,
};

/// What the provider said when the list of calendars was asked for anew.
#[derive(Debug)]
pub enum Listed {
    /// It is up to date.
    Fresh,
    /// It is as it was known: the provider does not answer just now.
    Stale,
    /// The connection needs consent again.
    NeedsReconnect,
    /// There is no such account of the person's.
    Gone,
}

/// What came of choosing one calendar.
#[derive(Debug)]
pub enum Selected {
    /// It is read from now on.
    Calendar {
        /// Its own id.
        id: Uuid,
        /// What the person calls it.
        name: String,
    },
    /// There is no such calendar of the person's.
    Unknown,
    /// It shows only free and busy, so there is nothing to log from it.
    NoDetails(String),
    /// The person has several accounts at the provider, and did not say which.
    Ambiguous,
}

impl App {
    /// The person's connected accounts, with their calendars.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn accounts(&self, member: &Member) -> Result<Vec<Account>, Failed> {
        self.store
            .accounts(member.user_id)
            .await
            .map_err(|error| self.failed("reading connected calendars", error))
    }

    /// One of them.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn account(
        &self,
        member: &Member,
        account_id: Uuid,
    ) -> Result<Option<Account>, Failed> {
        let accounts = self.accounts(member).await?;
        Ok(accounts
            .into_iter()
            .find(|account| account.id == account_id))
    }

    /// Asks the provider which calendars an account has now.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn list_calendars(
        &self,
        member: &Member,
        account_id: Uuid,
    ) -> Result<Listed, Failed> {
        let Some(account) = self.account(member, account_id).await? else {
            return Ok(Listed::Gone);
        };
        if account.state != AccountState::Active {
            return Ok(Listed::NeedsReconnect);
        }
        let provider = account.provider;
        let asked = self
            .ask_provider(account_id, |token| async move {
                self.reach.providers.calendars(provider, &token).await
            })
            .await;
        match asked {
            Ok(Ok(calendars)) => {
                self.store
                    .note_calendars(member.user_id, account_id, provider, &calendars)
                    .await
                    .map_err(|error| self.failed("noting an account's calendars", error))?;
                Ok(Listed::Fresh)
            }
            Ok(Err(problem)) => {
                tracing::warn!(account = %account_id, "calendars.not_listed: {problem}");
                Ok(Listed::Stale)
            }
            Err(TokenProblem::Failed(failed)) => Err(failed),
            Err(TokenProblem::NeedsReconnect) => Ok(Listed::NeedsReconnect),
            Err(TokenProblem::Gone) => Ok(Listed::Gone),
            Err(problem) => {
                tracing::warn!(account = %account_id, "calendars.not_listed: {problem}");
                Ok(Listed::Stale)
            }
        }
    }

    /// Has these calendars of an account read, and no others. What was logged or skipped stays. `false` if the
    /// account is not the person's.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn choose_calendars(
        &self,
        member: &Member,
        account_id: Uuid,
        chosen: &[Uuid],
    ) -> Result<bool, Failed> {
        let then = Self::after_choosing(member, account_id);
        self.store
            .choose_calendars(member.user_id, account_id, chosen, &then)
            .await
            .map_err(|error| self.failed("choosing calendars", error))
    }

    /// Has an account's chosen calendars read on schedule, or lets that rest; what was chosen stays chosen. `false` if
    /// there is nothing of the person's to switch.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn set_sync(
        &self,
        member: &Member,
        account_id: Uuid,
        is_on: bool,
    ) -> Result<bool, Failed> {
        self.store
            .set_sync(member.user_id, account_id, is_on)
            .await
            .map_err(|error| self.failed("switching a calendar", error))
    }

    /// Has one calendar read, named as the provider names it. Choosing it again changes nothing.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn select_calendar(
        &self,
        member: &Member,
        provider: Provider,
        account_id: Option<Uuid>,
        provider_calendar_id: &str,
    ) -> Result<Selected, Failed> {
        let accounts = self.accounts(member).await?;
        let mut having = accounts
            .iter()
            .filter(|account| account.provider == provider)
            .filter(|account| account_id.is_none_or(|id| account.id == id))
            .filter_map(|account| {
                account
                    .calendars
                    .iter()
                    .find(|calendar| calendar.provider_calendar_id == provider_calendar_id)
            });
        let (Some(calendar), None) = (having.next(), having.next()) else {
            let is_there = accounts.iter().any(|account| {
                account.provider == provider
                    && account
                        .calendars
                        .iter()
                        .any(|calendar| calendar.provider_calendar_id == provider_calendar_id)
            });
            return Ok(if is_there && account_id.is_none() {
                Selected::Ambiguous
            } else {
                Selected::Unknown
            });
        };
        if !calendar.has_details {
            return Ok(Selected::NoDetails(calendar.name.clone()));
        }
        let then = Self::after_choosing(member, calendar.account_id);
        let selected = self
            .store
            .select_calendar(
                member.user_id,
                calendar.account_id,
                provider_calendar_id,
                &then,
            )
            .await
            .map_err(|error| self.failed("choosing a calendar", error))?;
        Ok(selected.map_or(Selected::Unknown, |id| Selected::Calendar {
            id,
            name: calendar.name.clone(),
        }))
    }

    /// What was chosen is read at once, and Home follows.
    fn after_choosing(member: &Member, account: Uuid) -> Vec<NewJob> {
        let read = Job::SyncAccount { account }.to_row();
        std::iter::once(read)
            .chain(Self::home_refresh(member))
            .collect()
    }

    /// Gives an account up: it is no longer read, its tokens are wiped and given back where the provider can take
    /// them. Entries stay. `None` if there is no such account of the person's.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn disconnect(
        &self,
        member: &Member,
        account_id: Uuid,
    ) -> Result<Option<Account>, Failed> {
        let Some(account) = self.account(member, account_id).await? else {
            return Ok(None);
        };
        let then = Self::home_refresh(member);
        let token = self
            .store
            .disconnect(member.user_id, account_id, then.as_ref())
            .await
            .map_err(|error| self.failed("disconnecting", error))?;
        let Some(token) = token else { return Ok(None) };
        if let Some(token) = token {
            // Wiped here already; that the provider forgets it as well is its to confirm, and nobody waits for it.
            let (providers, provider) = (self.reach.providers.clone(), account.provider);
            tokio::spawn(async move {
                if let Err(problem) = providers.revoke(provider, &token).await {
                    tracing::warn!(
                        provider = provider.as_str(),
                        "disconnect.not_revoked: {problem}. The tokens are wiped here all the same"
                    );
                }
            });
        }
        Ok(Some(account))
    }
}
