//! Codes and tokens: who has them, what they are good for, and until when.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::AuthRequest;

/// RFC 6749 4.1.2 recommends ten minutes at most, and each of the three takes it.
const CODE_LIFE: TimeDelta = TimeDelta::minutes(10);

/// What Google and Microsoft say in `expires_in`.
pub(crate) const ACCESS_SECONDS: i64 = 3599;

/// Google: beyond 100 live refresh tokens of one account and client, the oldest stops working
/// without a word (developers.google.com/identity/protocols/oauth2, “Refresh token expiration”).
const LIVE_REFRESH_TOKENS: usize = 100;

/// What a person allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// The account's id.
    pub(crate) account: String,
    pub(crate) scopes: Vec<String>,
    /// Comes back in the id_token.
    pub(crate) nonce: Option<String>,
    /// A refresh token comes with it.
    pub(crate) is_offline: bool,
}

#[derive(Debug)]
struct Code {
    code: String,
    grant: Grant,
    redirect_uri: String,
    challenge: Option<(String, bool)>,
    issued: DateTime<Utc>,
    is_used: bool,
}

/// Why a code is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeProblem {
    Unknown,
    Expired,
    Used,
    OtherRedirect,
    NoVerifier,
    WrongVerifier,
    /// A verifier, but there was no challenge.
    VerifierNotNeeded,
}

#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) token: String,
    pub(crate) account: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: DateTime<Utc>,
    is_revoked: bool,
}

#[derive(Debug)]
pub(crate) struct Refresh {
    pub(crate) token: String,
    pub(crate) account: String,
    pub(crate) scopes: Vec<String>,
    issued: DateTime<Utc>,
    used: DateTime<Utc>,
    is_revoked: bool,
}

/// How long a refresh token lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// After it was used, or issued.
    pub(crate) idle: TimeDelta,
    /// After it was issued.
    pub(crate) whole: Option<TimeDelta>,
}

/// Everything that was handed out, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Issued {
    codes: Vec<Code>,
    access: Vec<Access>,
    refresh: Vec<Refresh>,
}

/// As hard to guess as the real ones, and as long.
fn secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

impl Issued {
    pub(crate) fn code(
        &mut self,
        prefix: &str,
        request: &AuthRequest,
        grant: Grant,
        now: DateTime<Utc>,
    ) -> String {
        let code = format!("{prefix}{}", secret());
        self.codes.push(Code {
            code: code.clone(),
            grant,
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            issued: now,
            is_used: false,
        });
        code
    }

    /// Takes a code once. A request that is refused for another reason leaves it usable.
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        redirect_uri: Option<&str>,
        verifier: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Grant, CodeProblem> {
        let found = self
            .codes
            .iter_mut()
            .find(|issued| issued.code == code)
            .ok_or(CodeProblem::Unknown)?;
        if found.is_used {
            return Err(CodeProblem::Used);
        }
        if now - found.issued > CODE_LIFE {
            return Err(CodeProblem::Expired);
        }
        if redirect_uri != Some(found.redirect_uri.as_str()) {
            return Err(CodeProblem::OtherRedirect);
        }
        match (&found.challenge, verifier) {
            (None, None) => {}
            (None, Some(_)) => return Err(CodeProblem::VerifierNotNeeded),
            (Some(_), None) => return Err(CodeProblem::NoVerifier),
            (Some((challenge, is_hashed)), Some(verifier)) => {
                // RFC 7636 4.6
                let expected = if *is_hashed {
                    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
                } else {
                    verifier.to_owned()
                };
                if *challenge != expected {
                    return Err(CodeProblem::WrongVerifier);
                }
            }
        }
        found.is_used = true;
        Ok(found.grant.clone())
    }

    pub(crate) fn access_token(
        &mut self,
        prefix: &str,
        account: &str,
        scopes: &[String],
        now: DateTime<Utc>,
    ) -> String {
        let token = format!("{prefix}{}", secret());
        self.access.push(Access {
            token: token.clone(),
            account: account.to_owned(),
            scopes: scopes.to_vec(),
            expires: now + TimeDelta::seconds(ACCESS_SECONDS),
            is_revoked: false,
        });
        token
    }

    pub(crate) fn refresh_token(
        &mut self,
        prefix: &str,
        account: &str,
        scopes: &[String],
        now: DateTime<Utc>,
    ) -> String {
        let token = format!("{prefix}{}", secret());
        self.refresh.push(Refresh {
            token: token.clone(),
            account: account.to_owned(),
            scopes: scopes.to_vec(),
            issued: now,
            used: now,
            is_revoked: false,
        });
        token
    }

    /// Google's limit on live refresh tokens.
    pub(crate) fn retire_oldest(&mut self, account: &str) {
        let mut live: Vec<_> = self
            .refresh
            .iter_mut()
            .filter(|token| token.account == account && !token.is_revoked)
            .collect();
        let surplus = live.len().saturating_sub(LIVE_REFRESH_TOKENS);
        for token in live.iter_mut().take(surplus) {
            token.is_revoked = true;
        }
    }

    /// The access token, dead or alive; whether it is alive is told apart.
    pub(crate) fn find_access(&self, token: &str) -> Option<&Access> {
        self.access
            .iter()
            .find(|access| access.token == token && !access.is_revoked)
    }

    /// The live refresh token, which counts as used from now.
    pub(crate) fn use_refresh(
        &mut self,
        token: &str,
        life: Life,
        now: DateTime<Utc>,
    ) -> Result<&Refresh, Spent> {
        let found = self
            .refresh
            .iter_mut()
            .find(|refresh| refresh.token == token)
            .ok_or(Spent::Unknown)?;
        if found.is_revoked {
            return Err(Spent::Revoked);
        }
        let is_old = life.whole.is_some_and(|whole| now - found.issued > whole);
        if is_old || now - found.used > life.idle {
            return Err(Spent::Expired {
                issued: found.issued,
            });
        }
        found.used = now;
        Ok(found)
    }

    /// The account that a live token of either kind belongs to.
    pub(crate) fn owner(&self, token: &str) -> Option<String> {
        let refresh = self
            .refresh
            .iter()
            .find(|refresh| refresh.token == token && !refresh.is_revoked);
        refresh
            .map(|refresh| refresh.account.clone())
            .or_else(|| Some(self.find_access(token)?.account.clone()))
    }

    /// Ends every token of the account.
    pub(crate) fn revoke(&mut self, account: &str) {
        for refresh in &mut self.refresh {
            refresh.is_revoked |= refresh.account == account;
        }
        for access in &mut self.access {
            access.is_revoked |= access.account == account;
        }
    }

    pub(crate) fn end(&mut self, token: &str) {
        for refresh in &mut self.refresh {
            refresh.is_revoked |= refresh.token == token;
        }
        for access in &mut self.access {
            access.is_revoked |= access.token == token;
        }
    }

    pub(crate) fn revoke_refresh(&mut self, account: &str) {
        for refresh in &mut self.refresh {
            refresh.is_revoked |= refresh.account == account;
        }
    }

    pub(crate) fn expire_access(&mut self, now: DateTime<Utc>) {
        for access in &mut self.access {
            access.expires = access.expires.min(now);
        }
    }

    pub(crate) fn all_access(&self) -> Vec<String> {
        self.access.iter().map(|one| one.token.clone()).collect()
    }

    pub(crate) fn all_refresh(&self) -> Vec<String> {
        self.refresh.iter().map(|one| one.token.clone()).collect()
    }

    pub(crate) fn all_codes(&self) -> Vec<String> {
        self.codes.iter().map(|one| one.code.clone()).collect()
    }

    pub(crate) fn live_refresh(&self) -> Vec<String> {
        self.refresh
            .iter()
            .filter(|refresh| !refresh.is_revoked)
            .map(|refresh| refresh.token.clone())
            .collect()
    }
}

/// Why a refresh token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    Unknown,
    Revoked,
    Expired { issued: DateTime<Utc> },
}
