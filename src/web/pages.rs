//! The pages that people see in a browser. No scripts, nothing from elsewhere, light and dark.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

use super::Site;
use crate::{
    app::{LinkPage, SignedIn},
    domain::{calendar::Account, member::Member, provider::Provider},
    error::{Failed, chain},
};

fn page(status: StatusCode, title: &str, body: &Markup) -> Response {
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
                main {
                    p.mark { "BillOps" }
                    h1 { (title) }
                    (body)
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

/// `GET /`.
pub(super) async fn landing(State(site): State<Site>) -> Response {
    let body = html! {
        p { "BillOps turns one line in Slack, or a meeting in a calendar, into a time entry." }
        p { "In Slack, type " code { "/time 2.5 hours: Meeting" } ", or open the Home tab of the BillOps app." }
        @if let Some(url) = site.slack_url.as_deref() {
            p { a.go href=(url) { "Open BillOps in Slack" } }
        }
        p.soft { a href="/healthz" { "Health" } " · " a href="/readyz" { "Readiness" } }
    };
    page(StatusCode::OK, "Time entries from Slack", &body)
}

/// Nothing is at this address.
pub(super) async fn unknown() -> Response {
    let body = html! {
        p { "There is nothing at this address. Links to BillOps come from Slack: open the app's Home tab there." }
    };
    page(StatusCode::NOT_FOUND, "No such page", &body)
}

/// It failed; the log has the rest.
pub(super) fn failed(failed: Failed) -> Response {
    tracing::error!(reference = %failed.reference, "request.failed: {}", chain(&failed));
    let body = html! {
        p { "Nothing was changed that you would have to undo. Try again in a moment." }
        p.soft { "If it stays so, give your admins this reference: " code { (failed.reference) } }
    };
    page(
        StatusCode::INTERNAL_SERVER_ERROR,
        "That did not work",
        &body,
    )
}

/// A form that does not come from a page of ours in this browser.
pub(super) fn not_our_form() -> Response {
    let body = html! {
        p {
            "The page was open for too long, or cookies are switched off for this site. Go back to Slack, ask for the \
             link again, and open it in one browser."
        }
    };
    page(StatusCode::FORBIDDEN, "Open the link once more", &body)
}

fn in_workspace(member: &Member, workspace: Option<&str>) -> Markup {
    html! {
        div { dt { "Slack user" } dd { (name(member)) } }
        div { dt { "Workspace" } dd { (workspace.unwrap_or(&member.workspace_id)) } }
    }
}

fn name(member: &Member) -> &str {
    if member.name.is_empty() {
        &member.slack_user_id
    } else {
        &member.name
    }
}

const READS: &str =
    "Read-only: when meetings are and what they are called. Never guests, places or notes.";

/// The page behind a link that was given in Slack.
///
/// `sign_in_path` is the address of its step of signing in.
pub(super) fn link(
    page_of: &LinkPage,
    workspace: Option<&str>,
    form_token: &str,
    sign_in_path: &str,
) -> Response {
    let token = html! { input type="hidden" name="form_token" value=(form_token); };
    match page_of {
        LinkPage::Gone => {
            let body = html! {
                p {
                    "Links to connect a calendar work once, for 10 minutes, and a newer one replaces an older one. In \
                     Slack, open BillOps' Home tab and press " strong { "Connect Google" } " or "
                    strong { "Connect Outlook" } " again, or type " code { "/time connect" } "."
                }
            };
            page(StatusCode::GONE, "This link has run out", &body)
        }
        LinkPage::SignIn(member, provider) => {
            let body = html! {
                dl {
                    (in_workspace(member, workspace))
                    div { dt { "Calendar" } dd { (provider.name()) } }
                }
                p { "First, show that you are " strong { (name(member)) } ": sign in with Slack. The link works for nobody else." }
                form method="post" action=(sign_in_path) {
                    (token)
                    button.go type="submit" { "Sign in with Slack" }
                }
                p.soft { (READS) }
            };
            page(
                StatusCode::OK,
                &format!("Connect your {} calendar", provider.name()),
                &body,
            )
        }
        LinkPage::NotYours { owner, signed_in } => {
            let body = html! {
                p.warn { "Nothing was connected." }
                p {
                    "It was made for " strong { (name(owner)) }
                    @if let Some(workspace) = workspace { " in " (workspace) }
                    ", and you are signed in to Slack as " strong { (name(signed_in)) } ". If somebody sent it to you, \
                     do not go on: with it, your calendar would be theirs."
                }
                p { "To connect your own calendar, press " strong { "Connect Google" } " or " strong { "Connect Outlook" } " in your own Home tab." }
            };
            page(
                StatusCode::FORBIDDEN,
                "This link belongs to somebody else",
                &body,
            )
        }
        LinkPage::Ready {
            member,
            provider,
            with_code,
        } => {
            let company = provider.company();
            let body = html! {
                dl {
                    (in_workspace(member, workspace))
                    div { dt { "Calendar" } dd { (provider.name()) } }
                }
                @if *with_code {
                    p {
                        "After your consent this page shows a code. Type it in Slack only if you are "
                        strong { (name(member)) } " and asked BillOps for this yourself."
                    }
                }
                form method="post" {
                    (token)
                    button.go type="submit" { "Continue to " (company) }
                }
                p.soft { (READS) " Nothing happens before you agree on " (company) "’s page." }
            };
            page(
                StatusCode::OK,
                &format!("Connect your {} calendar", provider.name()),
                &body,
            )
        }
    }
}

/// The code to be typed in Slack.
pub(super) fn parked(code: &str, provider: Provider) -> Response {
    let body = html! {
        p { "One step is left: type this in Slack, within 5 minutes." }
        p.code { "/time connect " (code) }
        p.warn { "Only if you asked BillOps in Slack for this yourself." }
        p { "If somebody else sent you here, close the page. Nothing is connected then, and nobody can use the code but the \
             person who asked." }
    };
    page(
        StatusCode::OK,
        &format!("{} has agreed", provider.company()),
        &body,
    )
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

/// What is connected.
pub(super) fn connected(
    provider: Provider,
    accounts: &[Account],
    slack_url: Option<&str>,
) -> Response {
    let account = accounts
        .iter()
        .filter(|account| account.provider == provider)
        .max_by_key(|account| account.state_since);
    let Some(account) = account else {
        let body = html! {
            p { "BillOps tells you in Slack, in a direct message, which account was connected." }
            (back(slack_url))
        };
        return page(
            StatusCode::OK,
            &format!("{} is connected", provider.name()),
            &body,
        );
    };
    let read: Vec<&str> = account.read().map(|calendar| &*calendar.name).collect();
    let body = html! {
        dl {
            div { dt { "Account" } dd { (account.email) } }
            div {
                dt { "Reading" }
                dd { @if read.is_empty() { "no calendar yet" } @else { (read.join(", ")) } }
            }
        }
        p { "Which calendars are read you choose in Slack, in BillOps' Home tab. There you can disconnect, too." }
        (back(slack_url))
    };
    page(
        StatusCode::OK,
        &format!("{} is connected", provider.name()),
        &body,
    )
}

/// What happened instead, and what to do.
pub(super) fn not_connected(
    provider: Provider,
    reason: &str,
    missing: &[&str],
    slack_url: Option<&str>,
) -> Response {
    let (name, company) = (provider.name(), provider.company());
    let again = html! {
        p { "To try again, press " strong { "Connect " (name) } " in BillOps' Home tab in Slack." }
    };
    let (status, title, body) = match reason {
        "denied" => (
            StatusCode::OK,
            "Nothing was connected".to_owned(),
            html! { p { "You did not agree on " (company) "’s page, so BillOps reads nothing." } (again) },
        ),
        "admin-approval" => (
            StatusCode::OK,
            "Your admin has to approve BillOps first".to_owned(),
            html! {
                p { "Your organisation lets its admins decide which apps may read calendars. Ask them to approve BillOps \
                     at " (company) "; nothing else is missing." }
                (again)
            },
        ),
        "scope-missing" => (
            StatusCode::OK,
            "A box was not ticked".to_owned(),
            html! {
                p { "BillOps needs leave to see:" }
                ul {
                    @for one in missing { li { (one) } }
                    @if missing.is_empty() { li { "your calendars and their events" } }
                }
                p { "Nothing was connected. Press " strong { "Connect " (name) } " again in Slack and leave every box ticked \
                     on " (company) "’s page. It stays read-only." }
            },
        ),
        "code-refused" => (
            StatusCode::BAD_REQUEST,
            format!("{company} no longer takes the answer"),
            html! {
                p { "An answer of " (company) "’s works once, for some minutes. The page was reloaded, or it took too long. \
                     Nothing was connected." }
                (again)
            },
        ),
        "server-settings" => (
            StatusCode::BAD_GATEWAY,
            "This server is not set up rightly".to_owned(),
            html! {
                p { (company) " does not take this server's settings. It is nothing you did, and trying again will not \
                     help." }
                p { "Tell your admins: the server's log names the setting, and " code { "billops doctor" } " says how to \
                     mend it." }
            },
        ),
        "provider-unavailable" => (
            StatusCode::BAD_GATEWAY,
            format!("{company} does not answer just now"),
            html! { p { "Nothing was connected. Try again in some minutes." } (again) },
        ),
        "other-person" | "other-browser" => (
            StatusCode::FORBIDDEN,
            "Nothing was connected".to_owned(),
            html! {
                p { "Whoever begins to connect a calendar has to end it, in the same browser and signed in to Slack as the \
                     same person. If somebody sent you the page you come from, do not go on." }
                (again)
            },
        ),
        _ => (
            StatusCode::BAD_REQUEST,
            "This page has run out".to_owned(),
            html! {
                p { "It was open for more than 10 minutes, was used already, or did not begin in Slack. Nothing was \
                     connected." }
                (again)
            },
        ),
    };
    page(status, &title, &html! { (body) (back(slack_url)) })
}

/// The word for it in an address.
pub(super) const fn sign_in_word(outcome: &SignedIn) -> &'static str {
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
pub(super) fn sign_in_outcome(word: &str) -> SignedIn {
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
pub(super) fn not_signed_in(outcome: &SignedIn) -> Response {
    let (status, title, text) = match outcome {
        SignedIn::Yes { .. } | SignedIn::StateInvalid => (
            StatusCode::BAD_REQUEST,
            "This page has run out",
            "Signing in works once, for 10 minutes, in one browser. Open the link from Slack again.",
        ),
        SignedIn::Denied => (
            StatusCode::OK,
            "You are not signed in",
            "You did not agree on Slack’s page. Open the link from Slack again if you want to.",
        ),
        SignedIn::UnknownWorkspace => (
            StatusCode::FORBIDDEN,
            "BillOps is not in that workspace",
            "You signed in to a Slack workspace that BillOps is not installed in. Open the link again and choose the \
             workspace where you use BillOps.",
        ),
        SignedIn::CodeRefused => (
            StatusCode::BAD_REQUEST,
            "Slack no longer takes the answer",
            "The page was reloaded, or it took too long. Open the link from Slack again.",
        ),
        SignedIn::Operator => (
            StatusCode::BAD_GATEWAY,
            "Sign in with Slack is not set up rightly",
            "It is nothing you did. Tell your admins: the server's log names the setting, and `billops doctor` says how \
             to mend it.",
        ),
        SignedIn::Unavailable => (
            StatusCode::BAD_GATEWAY,
            "Slack does not answer just now",
            "Try again in some minutes.",
        ),
    };
    page(status, title, &html! { p { (text) } })
}
