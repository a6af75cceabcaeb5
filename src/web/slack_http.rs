//! HTTP mode: where Slack sends its requests.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Site, problem::Problem};
use crate::slack::http::{Address, Headers, Received};

/// `POST /integrations/slack/commands/time`.
pub(super) async fn command(
    State(site): State<Site>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    receive(&site, Address::Command, &headers, &body).await
}

/// `POST /integrations/slack/events`.
pub(super) async fn events(
    State(site): State<Site>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    receive(&site, Address::Events, &headers, &body).await
}

/// `POST /integrations/slack/interactions`.
pub(super) async fn interactions(
    State(site): State<Site>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    receive(&site, Address::Interactions, &headers, &body).await
}

async fn receive(
    site: &Site,
    address: Address,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, Problem> {
    let Some(inbox) = &site.inbox else {
        // In Socket Mode nothing is at this address.
        return Err(Problem::not_found("endpoint"));
    };
    // One that comes twice is doubtful, so it counts as missing.
    let header = |name: &str| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().unwrap_or_default(),
            _ => "",
        }
    };
    let said = Headers {
        timestamp: header("x-slack-request-timestamp"),
        signature: header("x-slack-signature"),
        retry: header("x-slack-retry-num"),
        retry_reason: header("x-slack-retry-reason"),
    };
    let now = site.app.clock().now();
    match inbox.receive(address, said, body, now).await {
        Received::Answer(None) => Ok(StatusCode::OK.into_response()),
        Received::Answer(Some(answer)) => {
            let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
            Ok((json, answer.get().to_owned()).into_response())
        }
        Received::Challenge(challenge) => {
            let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            Ok((text, challenge).into_response())
        }
        Received::Unsigned => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "not-signed",
            "The request is not signed by Slack",
            "Only Slack sends requests here, signed within the last five minutes. If it did, check SLACK_SIGNING_SECRET \
             and this machine's clock with `billops doctor`.",
        )),
        Received::Unreadable => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "not-understood",
            "The request is not of the kind that belongs at this address",
            "Copy the addresses from `billops manifest --public-url` into the app's settings.",
        )),
        Received::Busy => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "Too much is under way",
            "Send it again in a moment.",
        )),
    }
}
