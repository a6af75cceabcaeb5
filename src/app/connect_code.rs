//! Connecting where nobody can sign in: what was granted waits until the person who asked types the code in Slack that
//! only the browser was shown.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::{App, Ended};
use crate::{
    calendar::{Grant, Tokens},
    domain::{calendar::Account, member::Member, provider::Provider},
    error::Failed,
    keyring::{digest, is_same},
    store::Parked,
};

/// How long a grant waits for its code, and how often a code may be typed.
const PARKED_FOR: TimeDelta = TimeDelta::minutes(5);
const CODE_TRIES: u32 = 3;
/// Without letters and digits that are mistaken for others: 30 of them, 8 long, are 39 bits, for three tries.
const CODE_LETTERS: &[u8; 30] = b"ABCDEFGHJKMNPQRSTVWXYZ23456789";
const CODE_LENGTH: usize = 8;
/// What came of a code that was typed in Slack.
#[derive(Debug)]
pub enum Typed {
    /// The calendar is connected.
    Connected(Box<Account>),
    /// It is not the code; so many tries are left.
    Wrong(u32),
    /// Nothing waits for a code.
    Nothing,
    /// The provider could not be asked for the calendars.
    Unavailable(Provider),
}

/// A grant as it is parked.
#[derive(Serialize, Deserialize)]
struct ParkedGrant {
    access: String,
    refresh: String,
    expires_at: DateTime<Utc>,
    subject: String,
    email: String,
    scopes: String,
}

impl App {
    pub(super) async fn park(
        &self,
        owner: &Member,
        provider: Provider,
        grant: &Grant,
    ) -> Result<Ended, Failed> {
        let code: String = (0..CODE_LENGTH)
            .map(|_| char::from(CODE_LETTERS[rand::random_range(0..CODE_LETTERS.len())]))
            .collect();
        let parked = ParkedGrant {
            access: grant.tokens.access.expose_secret().to_owned(),
            refresh: grant
                .tokens
                .refresh
                .as_ref()
                .map(|token| token.expose_secret().to_owned())
                .unwrap_or_default(),
            expires_at: grant.tokens.expires_at,
            subject: grant.subject.clone(),
            email: grant.email.clone(),
            scopes: grant.scopes.clone(),
        };
        let sealed = serde_json::to_string(&parked).expect("a grant is made of plain fields");
        self.store
            .park_grant(
                owner.binding_id,
                provider,
                digest(&code),
                &sealed.into(),
                CODE_TRIES,
                self.clock.now() + PARKED_FOR,
            )
            .await
            .map_err(|error| self.failed("keeping a grant", error))?;
        let (first, second) = code.split_at(CODE_LENGTH / 2);
        Ok(Ended::Parked {
            code: format!("{first}-{second}"),
            provider,
        })
    }

    /// Connects the calendar whose grant waits for this code.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn type_code(&self, member: &Member, code: &str) -> Result<Typed, Failed> {
        let code: String = code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let typed = digest(&code);
        let parked = self
            .store
            .take_parked(member.binding_id, |kept| is_same(kept, &typed))
            .await
            .map_err(|error| self.failed("looking for a grant", error))?;
        let (provider, grant) = match parked {
            Parked::Nothing => return Ok(Typed::Nothing),
            Parked::Wrong(tries) => return Ok(Typed::Wrong(tries)),
            Parked::Grant(provider, grant) => (provider, grant),
        };
        let grant: ParkedGrant = serde_json::from_str(grant.expose_secret())
            .map_err(|error| self.failed("reading a grant", error))?;
        let grant = Grant {
            tokens: Tokens {
                access: grant.access.into(),
                refresh: Some(grant.refresh.into()),
                expires_at: grant.expires_at,
            },
            subject: grant.subject,
            email: grant.email,
            scopes: grant.scopes,
        };
        Ok(match self.connect(member, provider, &grant).await? {
            Ok(account) => Typed::Connected(Box::new(account)),
            Err(problem) => {
                tracing::warn!("connect.calendars_not_listed: {problem}");
                Typed::Unavailable(provider)
            }
        })
    }
}
