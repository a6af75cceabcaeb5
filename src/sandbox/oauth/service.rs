//! The state of one provider: its client, its accounts, what it handed out, and its switches.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Mutex,
};

use super::{Access, Endpoint, Issued, outages::Planned};
use crate::{
    clock::Clock,
    sandbox::{Sandbox, calendars::Calendar, locked, random_hex},
};

/// Whose consent is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Sign in with Slack, which is OpenID Connect.
    Slack,
    /// Installing the app in a workspace of Slack's.
    Install,
    /// Google Calendar.
    Google,
    /// Microsoft Graph.
    Microsoft,
}

impl Provider {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slack | Self::Install => "Slack",
            Self::Google => "Google",
            Self::Microsoft => "Microsoft",
        }
    }

    /// The subject of violations and the kind of traffic.
    pub(crate) const fn subject(self) -> &'static str {
        match self {
            Self::Slack => "openid",
            Self::Install => "install",
            Self::Google => "google",
            Self::Microsoft => "microsoft",
        }
    }
}

/// The one program that is registered.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
    /// They were right once.
    pub(crate) old_secrets: Vec<String>,
    pub(crate) redirects: Vec<String>,
}

/// Somebody's account at Google or Microsoft.
#[derive(Clone, Debug)]
pub struct Account {
    /// Google's `sub`, Microsoft's `oid`, Slack's user id: the same for ever.
    pub id: String,
    /// Microsoft's `tid`; empty elsewhere.
    pub tenant: String,
    /// May change, and is no identity.
    pub email: String,
    /// First and last name.
    pub name: String,
    /// In the order in which the provider lists them.
    pub calendars: Vec<Calendar>,
    /// What this account allowed the program so far.
    pub consented: BTreeSet<String>,
}

/// Ways in which a provider may behave; all off at first.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each switch is thrown by itself"
)]
pub struct Switches {
    /// Google: the app is in Testing, so that refresh tokens die after seven days, and the answer
    /// says so (`refresh_token_expires_in`).
    pub is_testing: bool,
    /// Microsoft: scopes come back resource-qualified and in another case
    /// (`https://graph.microsoft.com/calendars.read`).
    pub qualifies_scopes: bool,
    /// Microsoft: the tenant wants an administrator's approval, so that the browser never returns.
    pub needs_admin_approval: bool,
    /// Google: every second page of a list of events is empty.
    pub has_empty_pages: bool,
    /// A list of events is empty, though the calendar is not.
    pub shows_no_events: bool,
    /// No page holds more than this, whatever is asked for.
    pub largest_page: Option<usize>,
    /// Microsoft: `@odata.nextLink` points at this host (`http://127.0.0.1:9`) and must not be
    /// followed.
    pub foreign_next_link: Option<String>,
}

/// A provider, reached with [`Sandbox::provider`].
#[derive(Debug)]
pub struct Service {
    /// How it behaves.
    pub switches: Switches,
    pub(crate) provider: Provider,
    pub(crate) client: Client,
    pub(crate) accounts: Vec<Account>,
    pub(crate) issued: Issued,
    pub(crate) clock: Clock,
    /// Rises with every change of an event.
    pub(crate) serial: u64,
    /// Sync tokens from before this are no longer known.
    pub(crate) oldest_sync: u64,
    pub(super) planned: VecDeque<Planned>,
    pub(super) requests: BTreeMap<Endpoint, u32>,
}

impl Service {
    fn new(provider: Provider, accounts: Vec<Account>, clock: Clock) -> Self {
        let (id, secret) = match provider {
            Provider::Slack | Provider::Install => ("7007001.7007002".to_owned(), random_hex()),
            Provider::Google => (
                "70070070-tern.apps.googleusercontent.com".to_owned(),
                format!("GOCSPX-{}", random_hex()),
            ),
            Provider::Microsoft => (
                "00001111-aaaa-2222-bbbb-3333cccc4444".to_owned(),
                format!("{}~sandbox", random_hex()),
            ),
        };
        Self {
            switches: Switches::default(),
            provider,
            client: Client {
                id,
                secret,
                ..Client::default()
            },
            accounts,
            issued: Issued::default(),
            clock,
            serial: 0,
            oldest_sync: 0,
            planned: VecDeque::new(),
            requests: BTreeMap::new(),
        }
    }

    /// Everybody who has an account here. Slack's are the people of the workspace, and not listed.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// By id or by e-mail address.
    pub fn account(&self, who: &str) -> Option<&Account> {
        self.accounts
            .iter()
            .find(|account| account.id == who || account.email == who)
    }

    /// By id or by e-mail address.
    pub fn account_mut(&mut self, who: &str) -> Option<&mut Account> {
        self.accounts
            .iter_mut()
            .find(|account| account.id == who || account.email == who)
    }

    /// Adds somebody, for whom the consent page then has a choice.
    pub fn add_account(&mut self, account: Account) {
        self.accounts.push(account);
    }

    /// Every access token so far, dead ones included, the oldest first.
    pub fn access_tokens(&self) -> Vec<String> {
        self.issued.all_access()
    }

    /// Every refresh token so far, dead ones included, the oldest first.
    pub fn refresh_tokens(&self) -> Vec<String> {
        self.issued.all_refresh()
    }

    /// Every authorization code so far, the oldest first.
    pub fn codes(&self) -> Vec<String> {
        self.issued.all_codes()
    }

    /// The refresh tokens that were not revoked, the oldest first.
    pub fn live_refresh_tokens(&self) -> Vec<String> {
        self.issued.live_refresh()
    }

    /// The person takes the permission back: every token of the account ends, and the next consent
    /// is a first one.
    pub fn revoke(&mut self, who: &str) {
        let Some(account) = self.account_mut(who) else {
            return;
        };
        account.consented.clear();
        let id = account.id.clone();
        self.issued.revoke(&id);
    }

    /// The account's refresh tokens are `invalid_grant` for ever; access tokens live on.
    pub fn revoke_refresh_tokens(&mut self, who: &str) {
        if let Some(id) = self.account(who).map(|account| account.id.clone()) {
            self.issued.revoke_refresh(&id);
        }
    }

    /// Ends this one token, of either kind, and no other: what a sibling process finds that comes
    /// late with the token it read.
    pub fn end_token(&mut self, token: &str) {
        self.issued.end(token);
    }

    /// Every access token is over now, so that the next call gets a 401.
    pub fn expire_access_tokens(&mut self) {
        let now = self.clock.now();
        self.issued.expire_access(now);
    }

    /// The operator's secret runs out: the old one is refused as Google's `invalid_client` and
    /// Microsoft's 7000222. Gives the new one.
    pub fn replace_secret(&mut self) -> String {
        let new = random_hex();
        let old = std::mem::replace(&mut self.client.secret, new.clone());
        self.client.old_secrets.push(old);
        new
    }

    /// Google: every sync token so far answers 410 `fullSyncRequired`.
    pub fn expire_sync_tokens(&mut self) {
        self.serial += 1;
        self.oldest_sync = self.serial;
    }

    /// The live access token. An expired one is as good as none.
    pub(crate) fn bearer(&self, token: &str) -> Option<&Access> {
        let now = self.clock.now();
        self.issued
            .find_access(token)
            .filter(|access| access.expires > now)
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Services([Mutex<Service>; 4]);

impl Services {
    pub(crate) fn new(google: Vec<Account>, microsoft: Vec<Account>, clock: &Clock) -> Self {
        let service = |provider, accounts| Service::new(provider, accounts, clock.clone());
        let slack = service(Provider::Slack, Vec::new());
        let mut install = service(Provider::Install, Vec::new());
        // One app, with one secret.
        install.client.secret.clone_from(&slack.client.secret);
        Self([
            Mutex::new(slack),
            Mutex::new(install),
            Mutex::new(service(Provider::Google, google)),
            Mutex::new(service(Provider::Microsoft, microsoft)),
        ])
    }

    fn of(&self, provider: Provider) -> &Mutex<Service> {
        let [slack, install, google, microsoft] = &self.0;
        match provider {
            Provider::Slack => slack,
            Provider::Install => install,
            Provider::Google => google,
            Provider::Microsoft => microsoft,
        }
    }
}

impl Sandbox {
    /// Reads and changes a provider: its accounts and their calendars, its switches and outages,
    /// what it handed out. The closure must be short, and not ask the sandbox anything: the provider
    /// answers nothing meanwhile.
    pub fn provider<R>(&self, provider: Provider, act: impl FnOnce(&mut Service) -> R) -> R {
        let result = act(&mut locked(self.slack.services.of(provider)));
        self.slack.changed.notify_waiters();
        result
    }

    /// The id under which the program is registered.
    pub fn client_id(&self, provider: Provider) -> String {
        self.provider(provider, |service| service.client.id.clone())
    }

    /// The secret that goes with it.
    pub fn client_secret(&self, provider: Provider) -> String {
        self.provider(provider, |service| service.client.secret.clone())
    }

    /// Makes the address one to which browsers may be sent back. None is at first.
    pub fn register_redirect(&self, provider: Provider, url: impl Into<String>) {
        self.provider(provider, |service| {
            service.client.redirects.push(url.into());
        });
    }

    /// The settings that turn the program towards this sandbox: client ids, secrets, and where
    /// requests go.
    pub fn provider_settings(&self) -> Vec<(&'static str, String)> {
        let url = self.url();
        let id = |provider| self.client_id(provider);
        let secret = |provider| self.client_secret(provider);
        vec![
            ("SLACK_CLIENT_ID", id(Provider::Slack)),
            ("SLACK_CLIENT_SECRET", secret(Provider::Slack)),
            ("SLACK_AUTHORIZE_URL", format!("{url}/oauth/v2/authorize")),
            (
                "SLACK_OPENID_AUTHORIZE_URL",
                format!("{url}/openid/connect/authorize"),
            ),
            ("GOOGLE_CLIENT_ID", id(Provider::Google)),
            ("GOOGLE_CLIENT_SECRET", secret(Provider::Google)),
            ("GOOGLE_AUTH_URL", format!("{url}/google/o/oauth2/v2/auth")),
            ("GOOGLE_TOKEN_URL", format!("{url}/google/token")),
            ("GOOGLE_REVOKE_URL", format!("{url}/google/revoke")),
            ("GOOGLE_CALENDAR_URL", format!("{url}/google/calendar/v3")),
            ("MICROSOFT_CLIENT_ID", id(Provider::Microsoft)),
            ("MICROSOFT_CLIENT_SECRET", secret(Provider::Microsoft)),
            ("MICROSOFT_LOGIN_URL", format!("{url}/microsoft")),
            ("MICROSOFT_GRAPH_URL", format!("{url}/microsoft/v1.0")),
        ]
    }
}
