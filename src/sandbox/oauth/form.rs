//! Queries and forms as the authorization servers read them.

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::Client;

/// The parameters of a request, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn read(text: &str) -> Self {
        Self(
            url::form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The body of a form; `None` for anything else.
    pub(crate) fn form(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let is_form = kind.split(';').next()?.trim() == "application/x-www-form-urlencoded";
        is_form.then(|| Self::read(&String::from_utf8_lossy(body)))
    }

    /// A parameter without a value counts as left out (RFC 6749 3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Parameters must not be sent more than once (RFC 6749 3.1).
    pub(crate) fn repeated(&self) -> Option<&str> {
        self.names()
            .enumerate()
            .find(|(at, name)| self.names().take(*at).any(|earlier| earlier == *name))
            .map(|(_, name)| name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Those that are not among the known ones.
    pub(crate) fn unknown(&self, known: &[&str]) -> Vec<String> {
        self.names()
            .filter(|name| !known.contains(name))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn json(&self) -> Value {
        let fields: Map<String, Value> = self
            .0
            .iter()
            .map(|(name, value)| (name.clone(), Value::String(value.clone())))
            .collect();
        Value::Object(fields)
    }
}

/// Why a client was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientProblem {
    NoId,
    Unknown,
    NoSecret,
    WrongSecret,
    /// The secret was right once: the operator's fault, and not the program's.
    ExpiredSecret,
}

/// Client id and secret, from the form or as HTTP Basic (RFC 6749 2.3.1: form-encoded first).
pub(crate) fn credentials(
    headers: &HeaderMap,
    id: Option<&str>,
    secret: Option<&str>,
    client: &Client,
) -> Result<(), ClientProblem> {
    let basic = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|text| STANDARD.decode(text.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = |text: &str| -> String {
        // One name without a value is one decoded text.
        url::form_urlencoded::parse(text.as_bytes())
            .map(|(name, _)| name.into_owned())
            .collect()
    };
    let basic = basic
        .as_deref()
        .and_then(|text| text.split_once(':'))
        .map(|(id, secret)| (decoded(id), decoded(secret)));
    let (id, secret) = match &basic {
        Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
        None => (id, secret),
    };
    match (id, secret) {
        (None, _) => Err(ClientProblem::NoId),
        (Some(id), _) if id != client.id => Err(ClientProblem::Unknown),
        (_, None) => Err(ClientProblem::NoSecret),
        (_, Some(secret)) if client.old_secrets.iter().any(|old| old == secret) => {
            Err(ClientProblem::ExpiredSecret)
        }
        (_, Some(secret)) if secret != client.secret => Err(ClientProblem::WrongSecret),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parameters_are_left_out_and_repeated_ones_are_found() {
        let params = Params::read("a=1&b=&a=2");
        assert_eq!(params.get("a"), Some("1"));
        assert_eq!(params.get("b"), None);
        assert_eq!(params.repeated(), Some("a"));
        assert_eq!(Params::read("a=1&b=").repeated(), None);
        assert_eq!(params.unknown(&["a"]), ["b"]);
    }

    #[test]
    fn basic_credentials_are_form_encoded() {
        let client = Client {
            id: "a b".to_owned(),
            secret: "s+:1".to_owned(),
            ..Client::default()
        };
        let mut headers = HeaderMap::new();
        let text = STANDARD.encode("a+b:s%2B%3A1");
        headers.insert(
            header::AUTHORIZATION,
            format!("Basic {text}").parse().unwrap(),
        );
        assert_eq!(credentials(&headers, None, None, &client), Ok(()));
        let wrong = credentials(&HeaderMap::new(), Some("a b"), Some("x"), &client);
        assert_eq!(wrong, Err(ClientProblem::WrongSecret));
    }
}
