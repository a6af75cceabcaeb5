//! Connecting a calendar: from a link in Slack, or from a frontend, to the provider and back.
//!
//! The threat is a link or a consent page that is passed on: whoever consents in another's browser would hand their
//! calendar to somebody else, and PKCE does not help against that (OAuth 2.0 Security Best Current Practice,
//! “cross-user session fixation”). So the browser proves whose it is before it leaves, and the same browser and the
//! same person have to come back. Where Sign in with Slack is not set up, the grant waits until the person who asked
//! types a code in Slack that only the browser was shown.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::App;
use crate::{
    calendar::{Authorization, Grant, GrantProblem, ReadProblem, is_issuer},
    domain::{calendar::Account, member::Member, provider::Provider},
    error::Failed,
    jobs::Job,
    keyring::{digest, is_same, new_secret},
    store::{Errand, LinkIntent, NewAccount, NewErrand, SavedAccount},
};

/// How long a link, and an errand at a provider, may take.
const ERRAND_TAKES: TimeDelta = TimeDelta::minutes(10);
/// Longer than any provider's code and state.
pub(super) const LONGEST_PARAMETER: usize = 4096;

/// A link that a person is given in Slack.
#[derive(Clone, Debug)]
pub struct ConnectLink {
    /// What it connects.
    pub provider: Provider,
    /// The address. It works once, for this person.
    pub url: Url,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// What the page behind a link shows.
#[derive(Clone, Debug)]
pub enum LinkPage {
    /// The link has run out, was used, or never was one.
    Gone,
    /// The browser has to sign in first; the link is this person's.
    SignIn(Box<Member>, Provider),
    /// The browser is somebody else's than the link.
    NotYours {
        /// Whose link it is.
        owner: Box<Member>,
        /// Who is signed in.
        signed_in: Box<Member>,
    },
    /// It can begin.
    Ready {
        /// Who connects.
        member: Box<Member>,
        /// What.
        provider: Provider,
        /// Whether a code has to be typed in Slack afterwards, because nobody can sign in here.
        with_code: bool,
    },
}

/// What a browser brings back from a provider.
#[derive(Clone, Default, Deserialize)]
pub struct Returned {
    /// The errand's secret.
    #[serde(default)]
    pub state: String,
    /// What is exchanged.
    #[serde(default)]
    pub code: String,
    /// Why there is no code.
    #[serde(default)]
    pub error: String,
    /// The provider's words about it.
    #[serde(default)]
    pub error_description: String,
    /// Which issuer answers, where it says so (RFC 9207).
    #[serde(default)]
    pub iss: String,
}

/// Who brings it.
#[derive(Clone, Default)]
pub struct Bearer<'a> {
    /// The secret in the browser's cookie.
    pub browser: Option<&'a str>,
    /// Who is signed in there, or whose token the program has.
    pub member: Option<&'a Member>,
    /// A program with a token brings it, not a browser.
    pub is_program: bool,
}

/// How an errand ended.
#[derive(Debug)]
pub enum Ended {
    /// The calendar is connected.
    Connected {
        /// The account with its calendars.
        account: Box<Account>,
        /// Where the browser was sent from.
        from: From,
    },
    /// The grant waits for this code to be typed in Slack.
    Parked {
        /// The code, in two groups of four.
        code: String,
        /// What was granted.
        provider: Provider,
    },
    /// Nothing was connected.
    Not(Reason, From),
}

/// Why nothing was connected.
#[derive(Debug)]
pub enum Reason {
    /// The state is missing, unknown, used or too old.
    StateInvalid,
    /// It comes back to another provider's address.
    OtherProvider,
    /// Another browser brings it back than left.
    OtherBrowser,
    /// Another person brings it back than left.
    OtherPerson,
    /// The person said no at the provider.
    Denied,
    /// Their admin has to approve first.
    AdminApproval,
    /// Not everything needed was granted: these are missing.
    Missing(Vec<&'static str>),
    /// The provider no longer takes the code.
    CodeRefused,
    /// Ours to mend.
    Operator,
    /// The provider does not answer, or says something that cannot be.
    Unavailable,
}

impl Reason {
    /// In one word, for addresses and the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::StateInvalid => "state-invalid",
            Self::OtherProvider => "other-provider",
            Self::OtherBrowser => "other-browser",
            Self::OtherPerson => "other-person",
            Self::Denied => "denied",
            Self::AdminApproval => "admin-approval",
            Self::Missing(_) => "scope-missing",
            Self::CodeRefused => "code-refused",
            Self::Operator => "server-settings",
            Self::Unavailable => "provider-unavailable",
        }
    }
}

/// Where a browser was sent from, and so where it lands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// A link in Slack: it lands on BillOps' own page.
    #[default]
    Slack,
    /// A frontend: it lands there, where one is set up.
    Frontend,
}

/// What only the end of an errand may know.
#[derive(Serialize, Deserialize)]
struct Secrets {
    verifier: String,
    nonce: String,
    from: From,
    with_code: bool,
}

impl App {
    /// A link for the person to connect a calendar with; `None` if the provider is not set up here. Older links of
    /// theirs for it work no longer. `account` is one to connect again.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn connect_link(
        &self,
        member: &Member,
        provider: Provider,
        account: Option<Uuid>,
    ) -> Result<Option<ConnectLink>, Failed> {
        if !self.reach.providers.offers(provider) {
            return Ok(None);
        }
        let token = new_secret();
        let expires_at = self.clock.now() + ERRAND_TAKES;
        self.store
            .add_link_intent(
                digest(token.expose_secret()),
                member.binding_id,
                provider,
                account,
                expires_at,
            )
            .await
            .map_err(|error| self.failed("making a link", error))?;
        let url = self.page(&["connect", provider.as_str(), token.expose_secret()]);
        Ok(Some(ConnectLink {
            provider,
            url,
            expires_at,
        }))
    }

    /// An address of this server's own.
    pub fn page(&self, segments: &[&str]) -> Url {
        let mut url = self.reach.public_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// What the page behind a link shows to this browser. Looking changes nothing: programs look at links, too.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn link_page(
        &self,
        provider: &str,
        token: &str,
        signed_in: Option<&Member>,
    ) -> Result<LinkPage, Failed> {
        Ok(match self.intent(provider, token).await? {
            None => LinkPage::Gone,
            Some((intent, owner)) => self.page_for(&intent, owner, signed_in),
        })
    }

    async fn intent(
        &self,
        provider: &str,
        token: &str,
    ) -> Result<Option<(LinkIntent, Member)>, Failed> {
        let failed = |error| self.failed("looking up a link", error);
        let intent = self
            .store
            .link_intent(digest(token))
            .await
            .map_err(failed)?;
        let Some(intent) = intent.filter(|intent| intent.provider.as_str() == provider) else {
            return Ok(None);
        };
        let owner = self.store.member_by_binding(intent.binding_id).await;
        Ok(owner.map_err(failed)?.map(|owner| (intent, owner)))
    }

    fn page_for(&self, intent: &LinkIntent, owner: Member, signed_in: Option<&Member>) -> LinkPage {
        match signed_in {
            Some(member) if member.binding_id == owner.binding_id => LinkPage::Ready {
                member: Box::new(owner),
                provider: intent.provider,
                with_code: false,
            },
            Some(member) => LinkPage::NotYours {
                owner: Box::new(owner),
                signed_in: Box::new(member.clone()),
            },
            None if self.reach.sign_in.is_some() => {
                LinkPage::SignIn(Box::new(owner), intent.provider)
            }
            None => LinkPage::Ready {
                member: Box::new(owner),
                provider: intent.provider,
                with_code: true,
            },
        }
    }

    /// Uses a link up and says where the browser goes, or shows its page again if it cannot begin. `browser` is the
    /// secret in the browser's cookie.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin_link(
        &self,
        provider: &str,
        token: &str,
        signed_in: Option<&Member>,
        browser: &str,
    ) -> Result<Result<Url, LinkPage>, Failed> {
        let Some((intent, owner)) = self.intent(provider, token).await? else {
            return Ok(Err(LinkPage::Gone));
        };
        let with_code = match self.page_for(&intent, owner, signed_in) {
            LinkPage::Ready { with_code, .. } => with_code,
            other => return Ok(Err(other)),
        };
        let hint = self.login_hint(&intent).await?;
        let Some(authorization) = self
            .reach
            .providers
            .authorization(intent.provider, hint.as_deref())
        else {
            return Ok(Err(LinkPage::Gone));
        };
        let secrets = secrets(&authorization, From::Slack, with_code);
        let errand = self.errand(
            intent.provider,
            intent.binding_id,
            Some(browser),
            &authorization,
            &secrets,
        );
        let is_used = self.store.use_link_intent(intent.id, &errand).await;
        if is_used.map_err(|error| self.failed("using a link", error))? {
            Ok(Ok(authorization.url))
        } else {
            Ok(Err(LinkPage::Gone))
        }
    }

    async fn login_hint(&self, intent: &LinkIntent) -> Result<Option<String>, Failed> {
        let Some(account_id) = intent.account_id else {
            return Ok(None);
        };
        let owner = self.store.member_by_binding(intent.binding_id).await;
        let owner = owner.map_err(|error| self.failed("looking up a person", error))?;
        let Some(owner) = owner else { return Ok(None) };
        let accounts = self.accounts(&owner).await?;
        let account = accounts
            .into_iter()
            .find(|account| account.id == account_id);
        Ok(account.map(|account| account.email))
    }

    /// Where a frontend sends the person for consent; `None` if the provider is not set up here. `browser` is the
    /// secret in the browser's cookie, `None` for a program.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin_errand(
        &self,
        member: &Member,
        provider: Provider,
        browser: Option<&str>,
    ) -> Result<Option<Authorization>, Failed> {
        let Some(authorization) = self.reach.providers.authorization(provider, None) else {
            return Ok(None);
        };
        let secrets = secrets(&authorization, From::Frontend, false);
        let errand = self.errand(
            provider,
            member.binding_id,
            browser,
            &authorization,
            &secrets,
        );
        let added = self.store.add_errand(&errand).await;
        added.map_err(|error| self.failed("noting an errand", error))?;
        Ok(Some(authorization))
    }

    fn errand<'a>(
        &self,
        provider: Provider,
        binding_id: Uuid,
        browser: Option<&str>,
        authorization: &'a Authorization,
        secrets: &'a SecretString,
    ) -> NewErrand<'a> {
        NewErrand {
            state_hash: digest(authorization.state.expose_secret()),
            provider,
            binding_id,
            browser_hash: browser.map(digest),
            redirect_uri: &authorization.redirect_uri,
            secrets,
            expires_at: self.clock.now() + ERRAND_TAKES,
        }
    }

    /// Ends an errand. In this order: the state is used up; it must have been for this provider; the browser must be
    /// the one that left; the person must be the one who left; only then is the provider's answer looked at, and
    /// the code exchanged.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn end_errand(
        &self,
        provider: Provider,
        returned: &Returned,
        bearer: &Bearer<'_>,
    ) -> Result<Ended, Failed> {
        let not = |reason| Ok(Ended::Not(reason, From::default()));
        if returned.state.is_empty() || returned.state.len() > LONGEST_PARAMETER {
            return not(Reason::StateInvalid);
        }
        let errand = self.store.take_errand(digest(&returned.state)).await;
        let errand = errand.map_err(|error| self.failed("ending an errand", error))?;
        let Some(errand) = errand else {
            return not(Reason::StateInvalid);
        };
        let is_other = !returned.iss.is_empty() && !is_issuer(provider, &returned.iss);
        if errand.provider != provider.as_str() || is_other {
            return not(Reason::OtherProvider);
        }
        let secrets: Secrets = serde_json::from_str(errand.secrets.expose_secret())
            .map_err(|error| self.failed("reading an errand", error))?;
        let not = |reason| Ok(Ended::Not(reason, secrets.from));
        if let Err(reason) = is_who_left(&errand, bearer, secrets.with_code) {
            return not(reason);
        }
        let owner = self.store.member_by_binding(errand.binding_id).await;
        let Some(owner) = owner.map_err(|error| self.failed("looking up a person", error))? else {
            return not(Reason::OtherPerson);
        };
        if !returned.error.is_empty() {
            return not(refused(returned));
        }
        if returned.code.is_empty() || returned.code.len() > LONGEST_PARAMETER {
            return not(Reason::CodeRefused);
        }
        let grant = self
            .reach
            .providers
            .exchange(
                provider,
                &returned.code,
                &secrets.verifier.into(),
                &secrets.nonce,
                &errand.redirect_uri,
            )
            .await;
        let grant = match grant {
            Ok(grant) => grant,
            Err(problem) => return not(said_by(provider, problem)),
        };
        if secrets.with_code {
            return self.park(&owner, provider, &grant).await;
        }
        match self.connect(&owner, provider, &grant).await? {
            Ok(account) => Ok(Ended::Connected {
                account: Box::new(account),
                from: secrets.from,
            }),
            Err(problem) => {
                tracing::warn!("connect.calendars_not_listed: {problem}");
                not(Reason::Unavailable)
            }
        }
    }

    /// Stores what was granted and lists the calendars. The person is told in Slack, by a job.
    pub(super) async fn connect(
        &self,
        owner: &Member,
        provider: Provider,
        grant: &Grant,
    ) -> Result<Result<Account, ReadProblem>, Failed> {
        let calendars = self
            .reach
            .providers
            .calendars(provider, &grant.tokens.access)
            .await;
        let calendars = match calendars {
            Ok(calendars) => calendars,
            Err(problem) => return Ok(Err(problem)),
        };
        let refresh = grant.tokens.refresh.as_ref();
        let refresh = refresh.expect("a grant without a refresh token is refused where it is made");
        let new = NewAccount {
            user_id: owner.user_id,
            provider,
            subject: &grant.subject,
            email: &grant.email,
            scopes: &grant.scopes,
            access: &grant.tokens.access,
            refresh,
            expires_at: grant.tokens.expires_at,
        };
        let at = self.clock.now();
        let then = |saved: SavedAccount| {
            let told = Job::TellConnected {
                account: saved.id,
                at,
                is_again: saved.before.is_some(),
            };
            let read = Job::SyncAccount { account: saved.id };
            let home = Self::home_refresh(owner);
            [told.to_row(), read.to_row()]
                .into_iter()
                .chain(home)
                .collect()
        };
        let SavedAccount { id, .. } = self
            .store
            .save_account(&new, &calendars, then)
            .await
            .map_err(|error| self.failed("storing a connection", error))?;
        let accounts = self.accounts(owner).await?;
        Ok(accounts
            .into_iter()
            .find(|account| account.id == id)
            .ok_or(ReadProblem::NotFound))
    }
}

fn secrets(authorization: &Authorization, from: From, with_code: bool) -> SecretString {
    let secrets = Secrets {
        verifier: authorization.verifier.expose_secret().to_owned(),
        nonce: authorization.nonce.clone(),
        from,
        with_code,
    };
    serde_json::to_string(&secrets)
        .expect("they are plain fields")
        .into()
}

/// Whether the browser and the person that come back are those who left.
fn is_who_left(errand: &Errand, bearer: &Bearer<'_>, with_code: bool) -> Result<(), Reason> {
    match (&errand.browser_hash, bearer.browser) {
        // A program's token is its proof; a program's errand that a browser brings has no proof of a browser, and
        // the person who is signed in there is the whole of it.
        _ if bearer.is_program => {}
        (None, _) => {}
        (Some(left), Some(browser)) if is_same(left, &digest(browser)) => {}
        (Some(_), _) => return Err(Reason::OtherBrowser),
    }
    match bearer.member {
        Some(member) if member.binding_id == errand.binding_id => Ok(()),
        // Nobody can sign in here: the code that is typed in Slack proves the person.
        None if with_code => Ok(()),
        _ => Err(Reason::OtherPerson),
    }
}

/// What the provider says instead of a code.
fn refused(returned: &Returned) -> Reason {
    let says = returned.error_description.to_lowercase();
    let is_admin = ["admin", "aadsts90094", "aadsts900941", "aadsts65001"]
        .iter()
        .any(|word| says.contains(word))
        || returned.error == "admin_policy_enforced"
        || returned.error == "org_internal";
    let error: String = returned.error.chars().take(60).collect();
    match &*error {
        _ if is_admin => Reason::AdminApproval,
        "access_denied" | "consent_required" | "interaction_required" | "login_required" => {
            Reason::Denied
        }
        "temporarily_unavailable" | "server_error" => Reason::Unavailable,
        // RFC 6749, 4.1.2.1, and what Google says besides.
        "invalid_request"
        | "unauthorized_client"
        | "unsupported_response_type"
        | "invalid_scope"
        | "invalid_client"
        | "redirect_uri_mismatch"
        | "deleted_client"
        | "disabled_client"
        | "org_internal" => {
            tracing::error!(
                error,
                "connect.refused: the provider does not take the request; `billops doctor` says more"
            );
            Reason::Operator
        }
        // Whoever brings it may have made it up.
        _ => {
            tracing::warn!(error = ?error, "connect.refused: the provider did not give consent");
            Reason::Denied
        }
    }
}

fn said_by(provider: Provider, problem: GrantProblem) -> Reason {
    let provider = provider.as_str();
    match problem {
        GrantProblem::Missing(missing) => Reason::Missing(missing),
        GrantProblem::CodeRefused(says) => {
            tracing::warn!(provider, "connect.code_refused: {says}");
            Reason::CodeRefused
        }
        GrantProblem::AdminApproval(says) => {
            tracing::warn!(provider, "connect.admin_approval: {says}");
            Reason::AdminApproval
        }
        GrantProblem::Operator { setting, says } => {
            tracing::error!(
                provider,
                setting,
                "connect.settings_refused: the provider does not take {setting}: {says}"
            );
            Reason::Operator
        }
        GrantProblem::Identity(problem) => {
            tracing::error!(provider, "connect.identity: {problem}");
            Reason::Unavailable
        }
        GrantProblem::Unavailable(problem) => {
            tracing::warn!(provider, "connect.unavailable: {problem}");
            Reason::Unavailable
        }
        GrantProblem::NotOffered => Reason::Operator,
    }
}
