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
    domain::{
        calendar::{Account, AccountState},
        member::Member,
        provider::Provider,
    },
    error::{Failed, chain},
};

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
                main {
                    p.mark { "BillOps" }
                    div.title { (sign.drawn()) h1 { (title) } }
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
        p.soft { "For admins: " a href="/healthz" { "health" } " · " a href="/readyz" { "readiness" } }
    };
    page(StatusCode::OK, Sign::Open, "Time entries from Slack", &body)
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
        p { "Something went wrong on the server. Nothing was changed that you would have to undo." }
        p { "Try again in a moment. If it happens again, give your admins this reference:" }
        p { code.reference { (failed.reference) } }
    };
    page(
        StatusCode::INTERNAL_SERVER_ERROR,
        Sign::Stopped,
        "That did not work",
        &body,
    )
}

/// A form that does not come from a page of ours in this browser.
pub(super) fn not_our_form() -> Response {
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

fn name(member: &Member) -> &str {
    if member.name.is_empty() {
        &member.slack_user_id
    } else {
        &member.name
    }
}

const READS: &str =
    "Read-only: when meetings are and what they are called. Never guests, places or notes.";

/// Which buttons in Slack give a new link.
fn connect_again() -> Markup {
    html! {
        "press " strong { "Connect Google" } " or " strong { "Connect Outlook" } " in BillOps’ Home tab in Slack"
    }
}

/// The page behind a link that was given in Slack.
///
/// `link_path` is its own address.
pub(super) fn link(
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
pub(super) fn parked(code: &str, provider: Provider) -> Response {
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

fn back(slack_url: Option<&str>) -> Markup {
    html! {
        @if let Some(url) = slack_url {
            p { a.go href=(url) { "Back to Slack" } }
        } @else {
            p { "You can close this page and go back to Slack." }
        }
    }
}

/// What is connected. `accounts` are those of whoever is signed in, `None` where nobody is.
pub(super) fn connected(
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
pub(super) fn not_connected(
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

fn tell_admins() -> Markup {
    html! {
        p { "Tell your admins: the server’s log names the setting, and " code { "billops doctor" } " says how to fix it." }
    }
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
pub(super) fn not_signed_in(outcome: &SignedIn, slack_url: Option<&str>) -> Response {
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
