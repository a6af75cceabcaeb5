//! Giving consent without a browser: the page is opened, its form read and sent, as one would.

use axum::{
    body::to_bytes,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use url::Url;

use super::{Provider, decide, show};
use crate::sandbox::Sandbox;

/// What the person does on the consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// Continues with everything that is ticked.
    Allow,
    /// Unticks every box but those for these scopes, then continues.
    AllowOnly(&'a [&'a str]),
    /// Cancels.
    Deny,
}

/// Why the browser was not sent back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoConsent {
    /// The address is not a consent page of this sandbox.
    #[error("{0} is not a consent page of this sandbox")]
    Elsewhere(String),
    /// An error page, or one that leads nowhere.
    #[error("the page says: {0}")]
    Page(String),
    /// The account is not among those on the page.
    #[error("the page does not offer the account {0}")]
    NoAccount(String),
}

const PAGE_LIMIT: usize = 1024 * 1024;

impl Sandbox {
    /// Opens the consent page at `auth_url`, chooses the account (by e-mail address, or id; for
    /// Slack also by handle), decides, and gives the address to which the browser is sent back.
    ///
    /// # Errors
    /// The page is not one of this sandbox, does not offer the account, or leads nowhere.
    pub async fn consent(
        &self,
        auth_url: &str,
        account: &str,
        decision: Decision<'_>,
    ) -> Result<String, NoConsent> {
        let elsewhere = || NoConsent::Elsewhere(auth_url.to_owned());
        let url = Url::parse(auth_url).map_err(|_| elsewhere())?;
        let own = Url::parse(&self.url()).map_err(|_| elsewhere())?;
        if url.port() != own.port() {
            return Err(elsewhere());
        }
        let provider = match url.path() {
            "/openid/connect/authorize" => Provider::Slack,
            "/oauth/v2/authorize" => Provider::Install,
            "/google/o/oauth2/v2/auth" => Provider::Google,
            path if path.starts_with("/microsoft/") && path.ends_with("/oauth2/v2.0/authorize") => {
                Provider::Microsoft
            }
            _ => return Err(elsewhere()),
        };
        let query = url.query().unwrap_or_default();
        let response = show(self, provider, url.path(), query, &HeaderMap::new()).await;
        let page = match landing(response).await {
            Landing::Back(address) => return Ok(address),
            Landing::Page(page) => page,
        };
        let form = fields(&page, self, account, decision)?;
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Ok(host) = HeaderValue::from_str(&self.slack.address.to_string()) {
            headers.insert(header::HOST, host);
        }
        let response = decide(self, provider, url.path(), &headers, form.as_bytes()).await;
        match landing(response).await {
            Landing::Back(address) => Ok(address),
            Landing::Page(page) => Err(NoConsent::Page(heading(&page))),
        }
    }
}

enum Landing {
    Back(String),
    Page(String),
}

async fn landing(response: Response) -> Landing {
    let location = response.headers().get(header::LOCATION);
    if let Some(address) = location.and_then(|value| value.to_str().ok()) {
        return Landing::Back(address.to_owned());
    }
    let bytes = to_bytes(response.into_body(), PAGE_LIMIT).await;
    Landing::Page(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}

fn heading(page: &str) -> String {
    let text = page.split_once("<h1>").map_or(page, |(_, rest)| {
        rest.split("</form>").next().unwrap_or(rest)
    });
    let mut inside = false;
    let words: String = text
        .chars()
        .map(|letter| {
            inside = (inside || letter == '<') && letter != '>';
            if inside || letter == '>' { ' ' } else { letter }
        })
        .collect();
    let words: Vec<_> = words.split_whitespace().collect();
    unescape(&words.join(" "))
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

/// The form's fields as a browser would send them.
fn fields(
    page: &str,
    sandbox: &Sandbox,
    account: &str,
    decision: Decision<'_>,
) -> Result<String, NoConsent> {
    // One form to continue, one to cancel.
    let mut forms = page.split("<form ").skip(1);
    let (Some(allow), Some(cancel)) = (forms.next(), forms.next()) else {
        return Err(NoConsent::Page(heading(page)));
    };
    let page = if decision == Decision::Deny {
        cancel
    } else {
        allow
    };
    let by_handle = sandbox.world(|world| world.person(account).map(|person| person.id.clone()));
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    let mut has_account = false;
    for (start, _) in page.match_indices("<input ") {
        let tag = page.get(start..).unwrap_or_default();
        let tag = tag.split('>').next().unwrap_or_default();
        let attribute = |name: &str| {
            let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
            Some(unescape(rest.split('"').next()?))
        };
        let (Some(name), Some(value)) = (attribute("name"), attribute("value")) else {
            continue;
        };
        match attribute("type").as_deref() {
            Some("hidden") => {
                form.append_pair(&name, &value);
            }
            Some("radio") => {
                let email = page
                    .get(start..)
                    .and_then(|rest| rest.split_once("<small>"))
                    .and_then(|(_, rest)| rest.split('<').next())
                    .map(unescape);
                let is_chosen = value == account
                    || email.as_deref() == Some(account)
                    || by_handle.as_ref() == Some(&value);
                if is_chosen {
                    has_account = true;
                    form.append_pair(&name, &value);
                }
            }
            Some("checkbox") => {
                let is_ticked = match decision {
                    Decision::AllowOnly(scopes) => scopes.contains(&value.as_str()),
                    _ => tag.ends_with(" checked"),
                };
                if is_ticked {
                    form.append_pair(&name, &value);
                }
            }
            _ => {}
        }
    }
    if !has_account && decision != Decision::Deny {
        return Err(NoConsent::NoAccount(account.to_owned()));
    }
    let answer = if decision == Decision::Deny {
        "deny"
    } else {
        "allow"
    };
    form.append_pair("decision", answer);
    Ok(form.finish())
}
