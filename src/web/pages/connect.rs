//! The pages on the way to a connected calendar, and what came of it.

use axum::{http::StatusCode, response::Response};
use maud::{Markup, html};

use super::{Sign, back, connect_again, name, page, tell_admins};
use crate::{
    app::LinkPage,
    domain::{
        calendar::{Account, AccountState},
        member::Member,
        provider::Provider,
    },
};

/// A form that does not come from a page of ours in this browser.
pub(in crate::web) fn not_our_form() -> Response {
    let body = html! {
        p {
            "Nothing was connected. The page was open for too long, or this browser does not keep cookies for this site."
        }
        p {
            "Allow cookies here if they are switched off. Then press " strong { "Connect Google" } " or "
            strong { "Connect Outlook" } " in BillOps’ Home tab in Slack again, and stay in one browser."
        }
    };
    page(
        StatusCode::FORBIDDEN,
        Sign::Stopped,
        "Open the link once more",
        &body,
    )
}

fn in_workspace(member: &Member, workspace: Option<&str>) -> Markup {
    html! {
        div { dt { "Slack user" } dd { bdi { (name(member)) } } }
        div { dt { "Workspace" } dd { bdi { (workspace.unwrap_or(&member.workspace_id)) } } }
    }
}

const READS: &str =
    "Read-only: when meetings are and what they are called. Never guests, places or notes.";

/// The page behind a link that was given in Slack.
///
/// `link_path` is its own address.
pub(in crate::web) fn link(
    page_of: &LinkPage,
    workspace: Option<&str>,
    form_token: &str,
    link_path: &str,
    slack_url: Option<&str>,
) -> Response {
    let token = html! { input type="hidden" name="form_token" value=(form_token); };
    match page_of {
        LinkPage::Gone => {
            let body = html! {
                p { "It was used already, is older than 10 minutes, or a newer link has taken its place." }
                p { "For a new link, " (connect_again()) ", or type " code { "/time connect" } "." }
                (back(slack_url))
            };
            page(
                StatusCode::GONE,
                Sign::Stopped,
                "This link has run out",
                &body,
            )
        }
        LinkPage::SignIn(member, provider) => {
            let body = html! {
                dl {
                    (in_workspace(member, workspace))
                    div { dt { "Calendar" } dd { (provider.name()) } }
                }
                p { "First, show that you are " strong { bdi { (name(member)) } } ": sign in with Slack. The link works for nobody else." }
                form method="post" action={ (link_path) "/sign-in" } {
                    (token)
                    button.go type="submit" { "Sign in with Slack" }
                }
                p.soft { (READS) }
            };
            page(
                StatusCode::OK,
                Sign::Open,
                &format!("Connect your {} calendar", provider.name()),
                &body,
            )
        }
        LinkPage::NotYours { owner, signed_in } => {
            // A link, and no form: nothing on this page can be sent.
            let then: String = url::form_urlencoded::byte_serialize(link_path.as_bytes()).collect();
            let sign_in_url = format!("/api/v1/auth/slack/login?then={then}");
            let owner = html! { strong { bdi { (name(owner)) } } };
            let body = html! {
                p {
                    "It was made for " (owner)
                    @if let Some(workspace) = workspace { " in " bdi { (workspace) } }
                    ". You are signed in as " strong { bdi { (name(signed_in)) } } ". Nothing was connected."
                }
                p.warn { "Did somebody send you this link? Then close this page: with it, they could get to see your calendar." }
                p { "To connect a calendar of your own, " (connect_again()) "." }
                p { "Are you " (owner) ", and signed in as somebody else?" }
                p { a.go.plain href=(sign_in_url) { "Sign in with Slack again" } }
            };
            page(
                StatusCode::FORBIDDEN,
                Sign::Stopped,
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
                    p { "Once " (company) " has agreed, a page shows a code." }
                    p.warn { "Type it in Slack only if you are " bdi { (name(member)) } " and asked BillOps for this yourself." }
                }
                form method="post" {
                    (token)
                    button.go type="submit" { "Continue to " (company) }
                }
                p.soft { (READS) " Nothing happens before you agree on " (company) "’s page." }
            };
            page(
                StatusCode::OK,
                Sign::Open,
                &format!("Connect your {} calendar", provider.name()),
                &body,
            )
        }
    }
}

/// The code to be typed in Slack.
pub(in crate::web) fn parked(code: &str, provider: Provider) -> Response {
    let body = html! {
        p { "One step is left. Type this in Slack within 5 minutes:" }
        p.code { "/time connect " (code) }
        p.warn { "Only if you asked BillOps in Slack for this yourself." }
        p { "If somebody else sent you here, close this page and keep the code to yourself. Nothing is connected then." }
    };
    page(
        StatusCode::OK,
        Sign::Open,
        &format!("{} has agreed", provider.company()),
        &body,
    )
}

/// What is connected. `accounts` are those of whoever is signed in, `None` where nobody is.
pub(in crate::web) fn connected(
    provider: Provider,
    accounts: Option<&[Account]>,
    slack_url: Option<&str>,
) -> Response {
    let name = provider.name();
    let Some(accounts) = accounts else {
        let body = html! {
            p { "You are not signed in here. What is connected stands in BillOps’ Home tab in Slack, and a direct message \
                 says which account it is." }
            (back(slack_url))
        };
        return page(StatusCode::OK, Sign::Open, "Look in Slack", &body);
    };
    let account = accounts
        .iter()
        .filter(|account| account.provider == provider && account.state == AccountState::Active)
        .max_by_key(|account| account.state_since);
    let Some(account) = account else {
        let body = html! {
            p { "To connect it, press " strong { "Connect " (name) } " in BillOps’ Home tab in Slack." }
            (back(slack_url))
        };
        return page(
            StatusCode::OK,
            Sign::Stopped,
            &format!("{name} is not connected"),
            &body,
        );
    };
    let read: Vec<&str> = account.read().map(|calendar| &*calendar.name).collect();
    let body = html! {
        dl {
            div { dt { "Account" } dd { bdi { (account.email) } } }
            div {
                dt { "Reading" }
                dd {
                    @if read.is_empty() { "No calendar yet" }
                    @for (at, name) in read.iter().enumerate() {
                        @if at > 0 { ", " }
                        bdi { (name) }
                    }
                }
            }
        }
        p { "To read other calendars, or to disconnect, open BillOps’ Home tab in Slack." }
        (back(slack_url))
    };
    page(
        StatusCode::OK,
        Sign::Done,
        &format!("{name} is connected"),
        &body,
    )
}

/// What happened instead, and what to do.
pub(in crate::web) fn not_connected(
    provider: Provider,
    reason: &str,
    missing: &[&str],
    slack_url: Option<&str>,
) -> Response {
    let (name, company) = (provider.name(), provider.company());
    let again = html! {
        p { "To try again, press " strong { "Connect " (name) } " in BillOps’ Home tab in Slack." }
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
                p { "In your organisation, admins decide which apps may read calendars. Nothing was connected." }
                p { "Ask them to approve BillOps at " (company) ". Then press " strong { "Connect " (name) } " in BillOps’ \
                     Home tab in Slack again; nothing else is missing." }
            },
        ),
        "scope-missing" => (
            StatusCode::OK,
            "One permission is missing".to_owned(),
            html! {
                p { "Nothing was connected. On " (company) "’s page, BillOps was not allowed to see:" }
                ul {
                    @for one in missing { li { (one) } }
                    @if missing.is_empty() { li { "your calendars and their events" } }
                }
                p { "Press " strong { "Connect " (name) } " in BillOps’ Home tab in Slack again, and leave every box ticked. \
                     BillOps can read only, never change anything." }
            },
        ),
        "code-refused" => (
            StatusCode::BAD_REQUEST,
            format!("{company} did not finish"),
            html! {
                p { "Nothing was connected. The page was reloaded, or it took too long: what " (company) " hands over works \
                     once, for a few minutes." }
                (again)
            },
        ),
        "server-settings" => (
            StatusCode::BAD_GATEWAY,
            format!("{company} is not set up correctly here"),
            html! {
                p { "Nothing was connected, and trying again will not help. It is nothing you did: " (company) " refuses \
                     this server’s settings." }
                (tell_admins())
            },
        ),
        "provider-unavailable" => (
            StatusCode::BAD_GATEWAY,
            format!("{company} does not answer just now"),
            html! {
                p { "Nothing was connected. Try again in some minutes: press " strong { "Connect " (name) } " in BillOps’ Home tab in Slack." }
            },
        ),
        "other-person" | "other-browser" => (
            StatusCode::FORBIDDEN,
            "Nothing was connected".to_owned(),
            html! {
                p { "Whoever begins to connect a calendar has to finish it: in the same browser, signed in to Slack as the \
                     same person." }
                p.warn { "Did somebody send you a link to " (company) "’s page? Then do not go on." }
                (again)
            },
        ),
        _ => (
            StatusCode::BAD_REQUEST,
            "This page has run out".to_owned(),
            html! {
                p { "It was used already, was open for more than 10 minutes, or did not begin in Slack. If you connected \
                     the calendar before, it stays connected." }
                (again)
            },
        ),
    };
    page(
        status,
        Sign::Stopped,
        &title,
        &html! { (body) (back(slack_url)) },
    )
}
