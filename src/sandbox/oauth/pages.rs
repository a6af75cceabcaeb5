//! The pages that a person sees at a provider: plain versions of the real ones, without scripts.

use std::fmt::Write;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::Provider;

const STYLE: &str = include_str!("consent.css");

/// Nothing is loaded from anywhere. There is no `form-action`: browsers apply it to the redirects
/// after the form as well, and these lead to the program and on to its frontend.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
    base-uri 'none'";

/// Something that is asked for.
pub(crate) struct Ask {
    pub(crate) scope: String,
    pub(crate) sentence: &'static str,
    /// Can be left out by itself.
    pub(crate) is_optional: bool,
}

/// What the page says.
pub(crate) struct Consent<'a> {
    pub(crate) provider: Provider,
    /// Where its form goes.
    pub(crate) path: &'a str,
    /// The query that brought the browser here.
    pub(crate) request: &'a str,
    pub(crate) heading: String,
    pub(crate) lead: String,
    pub(crate) choice: &'static str,
    /// Id, name and e-mail address.
    pub(crate) accounts: Vec<(String, String, String)>,
    /// The account that is chosen already: its id or its e-mail address.
    pub(crate) chosen: Option<&'a str>,
    pub(crate) asks: Vec<Ask>,
    pub(crate) allow: &'static str,
}

/// Text as it may stand in HTML, also between double quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

/// Boxes for what can be left out, a list for what cannot.
fn asks(asks: &[Ask]) -> String {
    if asks.is_empty() {
        return String::new();
    }
    let (mut boxes, mut list) = (String::new(), String::new());
    for ask in asks {
        let (scope, sentence) = (escape(&ask.scope), escape(ask.sentence));
        let name = scope.rsplit('/').next().unwrap_or_default();
        let _ = if ask.is_optional {
            write!(
                boxes,
                r#"<label><input type="checkbox" name="scope" value="{scope}" checked><span>{sentence}<small>{name}</small></span></label>"#
            )
        } else {
            write!(list, "<li>{sentence}</li>")
        };
    }
    if !list.is_empty() {
        list = format!("<ul>{list}</ul>");
    }
    format!("<fieldset><legend>What {APP} may do</legend>{list}{boxes}</fieldset>")
}

/// Cancel belongs to a form of its own: the Enter key presses a form's first button.
pub(crate) fn consent_page(consent: &Consent<'_>) -> Response {
    let mut accounts = String::new();
    let chosen = consent
        .accounts
        .iter()
        .position(|(id, _, email)| consent.chosen.is_some_and(|who| who == id || who == email))
        .unwrap_or(0);
    for (at, (id, name, email)) in consent.accounts.iter().enumerate() {
        let checked = if at == chosen { " checked" } else { "" };
        let (id, name, email) = (escape(id), escape(name), escape(email));
        let _ = write!(
            accounts,
            r#"<label><input type="radio" name="account" value="{id}" required{checked}><span>{name}<small>{email}</small></span></label>"#
        );
    }
    let asks = asks(&consent.asks);
    let body = format!(
        r#"<h1>{heading}</h1><p>{lead}</p>
<form method="post" action="{path}">
<input type="hidden" name="request" value="{request}">
<fieldset><legend>{choice}</legend>{accounts}</fieldset>
{asks}
<div class="buttons"><button form="cancel" name="decision" value="deny">Cancel</button><button name="decision" value="allow">{allow}</button></div>
</form>
<form id="cancel" method="post" action="{path}"><input type="hidden" name="request" value="{request}"></form>"#,
        heading = escape(&consent.heading),
        lead = escape(&consent.lead),
        path = escape(consent.path),
        request = escape(consent.request),
        choice = consent.choice,
        allow = consent.allow,
    );
    page(consent.provider, StatusCode::OK, &consent.heading, &body)
}

/// The app's name as it is registered at all three.
pub(crate) const APP: &str = "BillOps";

/// A page that says what is wrong, and leads nowhere.
pub(crate) fn error_page(
    provider: Provider,
    status: StatusCode,
    heading: &str,
    detail: &str,
) -> Response {
    let body = format!("<h1>{}</h1><p>{}</p>", escape(heading), escape(detail));
    page(provider, status, heading, &body)
}

fn page(provider: Provider, status: StatusCode, title: &str, body: &str) -> Response {
    let name = provider.name();
    let title = escape(title);
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – simulated {name}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<p class="note" data-testid="simulated">This is a simulated {name} on this machine. No account is real, and nothing leaves it.</p>
{body}
</main>
</body>
</html>
"#
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // A form under `no-referrer` has no origin, and consent is taken from this origin only.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, html).into_response()
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_ends_an_attribute_or_begins_a_tag() {
        assert_eq!(escape(r#""><b a='&'"#), "&quot;&gt;&lt;b a=&#39;&amp;&#39;");
    }
}
