//! What BillOps is, how it is used, and what it keeps.

use axum::{extract::State, http::StatusCode, response::Response};
use maud::{Markup, html};

use super::{Sign, page};
use crate::{
    domain::time_command::examples::{BESIDES, LOGGING},
    web::Site,
};

/// `GET /`.
pub(in crate::web) async fn landing(State(site): State<Site>) -> Response {
    let body = html! {
        p.lead { "BillOps turns one line in Slack, or a meeting in a calendar, into a time entry. No form, no timesheet on Friday." }
        p.code { "/time " (LOGGING[0]) }
        ul {
            li { "It says how it read your line, and one click corrects it." }
            li { "Meetings become entries with one click, each exactly once." }
            li { "One message at the end of the day shows what is missing, and closes the day." }
        }
        @if site.can_install {
            p { a.go href="/api/v1/integrations/slack/install" { "Add to Slack" } }
            p.soft { "Slack shows what BillOps may do before anything is installed. It cannot read your channels." }
        }
        @if let Some(url) = site.slack_url.as_deref() {
            p { a.go.plain href=(url) { "Open BillOps in Slack" } }
        }
        @if site.app.has_sign_in() {
            p.soft { a href="/sessions" { "Where you are signed in" } }
        }
    };
    page(StatusCode::OK, Sign::Open, "Time entries from Slack", &body)
}

/// `/time 9-11:30 workshop`, as one types it.
fn typed(line: &str) -> Markup {
    html! {
        @if line.is_empty() { code { "/time" } " alone" } @else { code { "/time " (line) } }
    }
}

/// `GET /docs`.
pub(in crate::web) async fn docs() -> Response {
    let body = html! {
        p { "Type " code { "/time" } " and what you did, in any channel. Only you see the answer, and everything can be undone." }
        section aria-labelledby="log" {
            h2 id="log" { "Log time in one line" }
            ul.lines { @for line in LOGGING { li { (typed(line)) } } }
            p {
                "A length or two times, then what you did. A day in front, a project with "
                code { "#" } ": the order hardly matters, and the answer says how the line was read."
            }
        }
        section aria-labelledby="besides" {
            h2 id="besides" { "And besides" }
            dl.wide {
                @for (lines, leads_to) in BESIDES {
                    div {
                        dt { @for (at, line) in lines.iter().enumerate() { @if at > 0 { ", " } (typed(line)) } }
                        dd { (leads_to) }
                    }
                }
            }
        }
        section aria-labelledby="home" {
            h2 id="home" { "The Home tab" }
            p {
                "Open the BillOps app in Slack. Its Home tab shows your day, the meetings that wait to be logged, your week and \
                 your last entries. Calendars are connected there, and your preferences are set there."
            }
        }
        section aria-labelledby="admins" {
            h2 id="admins" { "For admins" }
            p {
                "Admins and owners of a workspace find " strong { "Workspace settings" } " in their Home tab: target hours, \
                 rounding in reports, who may create projects, and whether " code { "/time" } " and notices are on. Each change \
                 is recorded with who made it."
            }
        }
    };
    page(StatusCode::OK, Sign::Open, "How to use BillOps", &body)
}

/// `GET /privacy`.
pub(in crate::web) async fn privacy() -> Response {
    let body = html! {
        p { "What this server keeps about you, for how long, and who sees it." }
        section aria-labelledby="kept" {
            h2 id="kept" { "What is kept" }
            ul {
                li { "From Slack: your id, name, time zone and language, and whether you are an admin of the workspace." }
                li {
                    "Your time entries: description, day, times, project, tags, the line you typed, and the link to the message \
                     if you logged one."
                }
                li { "Your preferences, your rules for meetings, and what you said of a day, such as a day off." }
                li {
                    "If you connect a calendar: the account’s address, the names of its calendars, and of events the title, \
                     start, end and series. Private events without their title, unless you allow it."
                }
                li { "The keys to your calendars, encrypted. Of sign-ins and API tokens only a fingerprint, and when they were used." }
                li { "Changes of the workspace’s settings, API tokens made or revoked, calendars connected or disconnected: who and when." }
            }
        }
        section aria-labelledby="never" {
            h2 id="never" { "What is never kept" }
            p { "Guests, places and notes of events; other messages in Slack; passwords. Calendars are only read, never changed." }
        }
        section aria-labelledby="long" {
            h2 id="long" { "For how long" }
            ul {
                li { "Entries, preferences, calendars and their events: until you delete them. An entry that you took back stays, hidden, so that it can be put back." }
                li { "The keys to a calendar: until you disconnect it, or the app is removed from the workspace." }
                li { "Sign-ins: 14 days, or until you sign out. Links to connect a calendar: 10 minutes." }
                li { "What is needed to undo changes and to do nothing twice: 3 days. Which notices were sent: 400 days." }
                li {
                    "“Delete everything” in the Home tab removes all of it at once. Entries that were approved or billed stay with \
                     their day, project and length, without your name and words; a change of the workspace’s settings stays, without who made it."
                }
            }
        }
        section aria-labelledby="sees" {
            h2 id="sees" { "Who sees it" }
            p {
                "Your entries: you and the admins of your workspace. Your calendars: you alone; admins see only that one is \
                 connected, at which provider, and whether it works. Nobody in another workspace sees anything. Whoever runs this \
                 server can reach its database."
            }
        }
        section aria-labelledby="site" {
            h2 id="site" { "These pages" }
            p { "No tracking, no scripts, nothing loaded from elsewhere. Two cookies, set only when you sign in or connect a calendar." }
        }
        p { "To see, export or delete what is kept, open BillOps’ Home tab in Slack and press " strong { "What BillOps knows about me" } "." }
    };
    page(StatusCode::OK, Sign::Open, "Privacy", &body)
}
