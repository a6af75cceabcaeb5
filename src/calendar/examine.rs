//! What `billops doctor` asks a provider: whether it takes our credentials and the redirect URI. Nobody has to sign in.

use secrecy::ExposeSecret as _;

use super::{GrantProblem, Providers};
use crate::domain::provider::Provider;

/// What a provider says of our settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examined {
    /// It takes them, as far as it says so before anybody signs in.
    Taken,
    /// It does not take this one.
    Refused {
        /// Which.
        setting: &'static str,
        /// What it says.
        says: String,
    },
    /// It could not be asked.
    Unanswered(String),
}

impl Providers {
    /// Hands in a code that cannot be one: a provider that takes our credentials says that the code is wrong, one that
    /// does not says so first.
    pub async fn examine_credentials(&self, provider: Provider) -> Examined {
        let Some(authorization) = self.authorization(provider, None) else {
            return Examined::Unanswered("it is not set up".to_owned());
        };
        let asked = self
            .exchange(
                provider,
                "billops-doctor",
                &authorization.verifier,
                &authorization.nonce,
                &authorization.redirect_uri,
            )
            .await;
        match asked {
            Err(GrantProblem::CodeRefused(_) | GrantProblem::AdminApproval(_)) | Ok(_) => {
                Examined::Taken
            }
            Err(GrantProblem::Operator { setting, says }) => Examined::Refused {
                setting,
                says: says.to_string(),
            },
            Err(problem) => Examined::Unanswered(problem.to_string()),
        }
    }

    /// Opens the consent page as a browser would, and looks whether it is one or an error. Google says at once that it
    /// does not know a redirect URI; Microsoft may say so only after somebody signed in.
    pub async fn examine_redirect(&self, provider: Provider) -> Examined {
        let Some(authorization) = self.authorization(provider, None) else {
            return Examined::Unanswered("it is not set up".to_owned());
        };
        let unanswered =
            |error: reqwest::Error| Examined::Unanswered(error.without_url().to_string());
        let response = match self.http.get(authorization.url).send().await {
            Ok(response) => response,
            Err(error) => return unanswered(error),
        };
        let status = response.status();
        let location = response
            .headers()
            .get("location")
            .and_then(|to| to.to_str().ok())
            .unwrap_or_default()
            .to_lowercase();
        let page = match response.text().await {
            Ok(page) => page.to_lowercase(),
            Err(error) => return unanswered(error),
        };
        let setting = match provider {
            Provider::Google => ["GOOGLE_REDIRECT_URI", "GOOGLE_CLIENT_ID"],
            Provider::Microsoft => ["MICROSOFT_REDIRECT_URI", "MICROSOFT_CLIENT_ID"],
        };
        let says = |words: &[&str]| {
            words
                .iter()
                .any(|word| page.contains(word) || location.contains(word))
        };
        if says(&["redirect_uri_mismatch", "aadsts50011", "redirect uri"]) {
            return Examined::Refused {
                setting: setting[0],
                says: "the redirect URI is not registered there".to_owned(),
            };
        }
        if says(&[
            "invalid_client",
            "aadsts700016",
            "oauth client was not found",
        ]) {
            return Examined::Refused {
                setting: setting[1],
                says: "the client is not known there".to_owned(),
            };
        }
        if status.is_client_error() || location.contains("/error") {
            return Examined::Refused {
                setting: setting[0],
                says: format!("the consent page answers HTTP {}", status.as_u16()),
            };
        }
        if status.is_server_error() {
            return Examined::Unanswered(format!("HTTP {}", status.as_u16()));
        }
        Examined::Taken
    }

    /// Where the provider sends browsers back to.
    pub fn redirect_uri(&self, provider: Provider) -> Option<&url::Url> {
        Some(&self.of(provider)?.redirect_uri)
    }

    /// Whether the secret is one that was copied with its surroundings.
    pub fn has_blank_in_secret(&self, provider: Provider) -> bool {
        self.of(provider).is_some_and(|config| {
            config
                .client_secret
                .expose_secret()
                .contains(char::is_whitespace)
        })
    }
}
