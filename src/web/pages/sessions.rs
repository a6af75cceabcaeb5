//! The browsers in which somebody is signed in.

use axum::{http::StatusCode, response::Response};
use chrono::{DateTime, Utc};
use maud::html;

use super::{Sign, name, page};
use crate::{domain::member::Member, store::OpenSession};

/// Where `member` is signed in, each with a way to end it.
pub(in crate::web) fn sessions(
    member: &Member,
    sessions: &[OpenSession],
    form_token: &str,
) -> Response {
    let zone = member.zone();
    let when = |at: DateTime<Utc>| {
        let at = at.with_timezone(&zone);
        html! { time datetime=(at.to_rfc3339()) { (at.format("%a %-d %b %Y, %H:%M")) } }
    };
    let token = html! { input type="hidden" name="form_token" value=(form_token); };
    let body = html! {
        p { "Signed in as " strong { bdi { (name(member)) } } ". Times are in " (zone.name()) "." }
        ul.rows {
            @for session in sessions {
                li {
                    div {
                        strong { @if session.is_this { "This browser" } @else { "Another browser" } }
                        br;
                        "Signed in " (when(session.created_at)) br;
                        @match session.last_used_at {
                            Some(at) => { "Last used " (when(at)) }
                            None => { "Not used since" }
                        }
                    }
                    form method="post" action="/sessions/end" {
                        (token)
                        input type="hidden" name="session" value=(session.id);
                        button.go.plain type="submit" {
                            "Sign out"
                            span.unseen { " of the browser signed in " (when(session.created_at)) }
                        }
                    }
                }
            }
        }
        form method="post" action="/sessions/end" {
            (token)
            button.go type="submit" { "Sign out everywhere" }
        }
        p.soft { "API tokens are not sessions: they are revoked in BillOps’ Home tab in Slack." }
    };
    page(StatusCode::OK, Sign::Open, "Where you are signed in", &body)
}
