//! The pages where signing in ended otherwise.

use axum::{http::StatusCode, response::Response};
use maud::html;

use super::{Sign, back, connect_again, page, tell_admins};
use crate::app::SignedIn;

/// The word for it in an address.
pub(in crate::web) const fn sign_in_word(outcome: &SignedIn) -> &'static str {
    match outcome {
        SignedIn::Yes { .. } | SignedIn::StateInvalid => "state-invalid",
        SignedIn::Denied => "denied",
        SignedIn::UnknownWorkspace => "unknown-workspace",
        SignedIn::CodeRefused => "code-refused",
        SignedIn::Operator => "server-settings",
        SignedIn::Unavailable => "slack-unavailable",
    }
}

/// The other way round.
pub(in crate::web) fn sign_in_outcome(word: &str) -> SignedIn {
    match word {
        "denied" => SignedIn::Denied,
        "unknown-workspace" => SignedIn::UnknownWorkspace,
        "code-refused" => SignedIn::CodeRefused,
        "server-settings" => SignedIn::Operator,
        "slack-unavailable" => SignedIn::Unavailable,
        _ => SignedIn::StateInvalid,
    }
}

/// Why nobody is signed in.
pub(in crate::web) fn not_signed_in(outcome: &SignedIn, slack_url: Option<&str>) -> Response {
    let again = html! { p { "To connect a calendar, " (connect_again()) "." } };
    let (status, title, body) = match outcome {
        SignedIn::Yes { .. } | SignedIn::StateInvalid => (
            StatusCode::BAD_REQUEST,
            "This page has run out",
            html! { p { "Signing in works once, within 10 minutes, in one browser." } (again) },
        ),
        SignedIn::Denied => (
            StatusCode::OK,
            "You are not signed in",
            html! { p { "You did not agree on Slack’s page, so nothing was connected." } (again) },
        ),
        SignedIn::UnknownWorkspace => (
            StatusCode::FORBIDDEN,
            "BillOps is not in that workspace",
            html! {
                p { "You signed in to a Slack workspace in which BillOps is not installed. On Slack’s page, choose the \
                     workspace in which you use BillOps." }
                (again)
            },
        ),
        SignedIn::CodeRefused => (
            StatusCode::BAD_REQUEST,
            "Slack did not finish",
            html! { p { "You are not signed in. The page was reloaded, or it took too long." } (again) },
        ),
        SignedIn::Operator => (
            StatusCode::BAD_GATEWAY,
            "Sign in with Slack is not set up correctly here",
            html! {
                p { "You are not signed in, and trying again will not help. It is nothing you did." }
                (tell_admins())
            },
        ),
        SignedIn::Unavailable => (
            StatusCode::BAD_GATEWAY,
            "Slack does not answer just now",
            html! {
                p { "You are not signed in. Try again in some minutes: " (connect_again()) "." }
            },
        ),
    };
    let body = html! { (body) (back(slack_url)) };
    page(status, Sign::Stopped, title, &body)
}
