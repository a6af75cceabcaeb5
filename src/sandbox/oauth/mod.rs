//! What the simulated providers share: a registered client, accounts, consent, codes and tokens.
//!
//! Google, Microsoft and Slack's OpenID Connect are OAuth 2.0 authorization servers (RFC 6749) with
//! PKCE (RFC 7636). They differ in what they are asked with and in how they refuse, so each has its
//! own module for these; what happens in between is here.

mod authorize;
mod consent;
mod form;
mod issued;
mod jwt;
mod outages;
mod pages;
mod service;

pub(crate) use authorize::{AuthRequest, Denial, decide, show};
pub use consent::{Decision, NoConsent};
pub(crate) use form::{ClientProblem, Params, credentials};
pub(crate) use issued::{ACCESS_SECONDS, Access, CodeProblem, Grant, Issued, Life, Spent};
pub(crate) use jwt::{keys, sign};
pub(crate) use outages::lost;
pub use outages::{Endpoint, Outage};
pub(crate) use pages::{Ask, Consent, consent_page, error_page};
pub use service::{Account, Provider, Service, Switches};
pub(crate) use service::{Client, Services};
