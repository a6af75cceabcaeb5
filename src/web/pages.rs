//! The pages that people see in a browser. No scripts, nothing from elsewhere, light and dark.

mod about;
mod connect;
mod sessions;
mod sign_in;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

use super::problem::BUSY_FOR;
use crate::{
    domain::member::Member,
    error::{Failed, chain},
};

pub(super) use about::{docs, landing, privacy};
pub(super) use connect::{connected, link, not_connected, not_our_form, parked};
pub(super) use sessions::sessions;
pub(super) use sign_in::{not_signed_in, sign_in_outcome, sign_in_word};

/// How it stands, in a sign beside the title; the title says it in words.
#[derive(Clone, Copy)]
pub(super) enum Sign {
    /// Nothing has been decided yet.
    Open,
    Done,
    Stopped,
}

impl Sign {
    fn drawn(self) -> Markup {
        let (class, path) = match self {
            Self::Open => return html! {},
            Self::Done => ("sign done", "M7 12.5l3.5 3.5L17 9"),
            Self::Stopped => ("sign stopped", "M12 7v6M12 16.5v.5"),
        };
        html! {
            svg class=(class) viewBox="0 0 24 24" aria-hidden="true" {
                circle cx="12" cy="12" r="11" {}
                path d=(path) {}
            }
        }
    }
}

pub(super) fn page(status: StatusCode, sign: Sign, title: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · BillOps" }
                link rel="stylesheet" href="/style.css";
            }
            body {
                header { a.mark href="/" { "BillOps" } }
                main {
                    div.title { (sign.drawn()) h1 { (title) } }
                    (body)
                }
                footer {
                    nav aria-label="About BillOps" {
                        a href="/docs" { "How to use it" }
                        a href="/privacy" { "Privacy" }
                        a href="/api/docs" { "API" }
                        a href="/healthz" { "Health" }
                    }
                }
            }
        }
    };
    let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (status, html, page.into_string()).into_response()
}

/// `GET /style.css`.
pub(super) async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, include_str!("style.css")).into_response()
}

/// Nothing is at this address.
pub(super) async fn unknown() -> Response {
    let body = html! {
        p { "There is nothing at this address. It may have been cut off when it was copied." }
        p { "Links to BillOps come from Slack: open the app’s Home tab there, or " a href="/" { "see what BillOps is" } "." }
    };
    page(
        StatusCode::NOT_FOUND,
        Sign::Stopped,
        "There is no such page",
        &body,
    )
}

/// It failed; the log has the rest.
pub(super) fn failed(failed: Failed) -> Response {
    tracing::error!(reference = %failed.reference, "request.failed: {}", chain(&failed));
    let body = html! {
        @if failed.is_busy {
            p { "The server has too much to do at this moment. Nothing was changed that you would have to undo." }
        } @else {
            p { "Something went wrong on the server. Nothing was changed that you would have to undo." }
        }
        p { "Try again in a moment. If it happens again, give your admins this reference:" }
        p { code.reference { (failed.reference) } }
    };
    let title = "That did not work";
    if failed.is_busy {
        let mut busy = page(StatusCode::SERVICE_UNAVAILABLE, Sign::Stopped, title, &body);
        busy.headers_mut()
            .insert(header::RETRY_AFTER, BUSY_FOR.into());
        return busy;
    }
    page(
        StatusCode::INTERNAL_SERVER_ERROR,
        Sign::Stopped,
        title,
        &body,
    )
}

fn name(member: &Member) -> &str {
    if member.name.is_empty() {
        &member.slack_user_id
    } else {
        &member.name
    }
}

fn back(slack_url: Option<&str>) -> Markup {
    html! {
        @if let Some(url) = slack_url {
            p { a.go href=(url) { "Back to Slack" } }
        } @else {
            p { "You can close this page and go back to Slack." }
        }
    }
}

fn tell_admins() -> Markup {
    html! {
        p { "Tell your admins: the server’s log names the setting, and " code { "billops doctor" } " says how to fix it." }
    }
}

/// Which buttons in Slack give a new link.
fn connect_again() -> Markup {
    html! {
        "press " strong { "Connect Google" } " or " strong { "Connect Outlook" } " in BillOps’ Home tab in Slack"
    }
}
