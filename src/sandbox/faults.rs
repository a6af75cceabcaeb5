//! Outages, as plain switches: what the next calls of a method answer.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use futures_util::stream;

use super::{Sandbox, locked};

/// Something that goes wrong at Slack's end. None of these is the bot's doing, so none is recorded
/// as a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `429` with `Retry-After` in seconds.
    RateLimited(u32),
    /// An HTTP status without a usable body, for example 503.
    Status(u16),
    /// It is done, and answered, but this much later.
    Slow(Duration),
    /// It is done at once, but the answer comes this much later, in real time: after the client has
    /// given up, if that is longer than its patience.
    AnsweredLate(Duration),
    /// It is done, but the connection is cut before the answer.
    DoneButUnanswered,
    /// `ok: false` with this error: `token_revoked`, `invalid_auth`, `account_inactive`, …
    Error(String),
}

impl Fault {
    /// Whether the bot learns nothing of what it had done.
    pub(super) const fn hides_answer(&self) -> bool {
        matches!(self, Self::AnsweredLate(_) | Self::DoneButUnanswered)
    }
}

#[derive(Debug)]
struct Planned {
    method: String,
    times: u32,
    fault: Fault,
}

#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<VecDeque<Planned>>);

impl Faults {
    pub(super) fn take(&self, method: &str) -> Option<Fault> {
        let mut planned = locked(&self.0);
        let at = planned
            .iter()
            .position(|fault| fault.method == "*" || fault.method == method)?;
        let found = planned.get_mut(at)?;
        let fault = found.fault.clone();
        if found.times != u32::MAX {
            found.times -= 1;
        }
        if found.times == 0 {
            planned.remove(at);
        }
        Some(fault)
    }
}

impl Sandbox {
    /// What becomes of the answer to something that was done.
    pub(super) async fn answered(&self, fault: Option<Fault>, response: Response) -> Response {
        match fault {
            Some(Fault::AnsweredLate(delay)) => {
                tokio::select! {
                    () = tokio::time::sleep(delay) => {}
                    // Stopping waits for every answer.
                    () = self.slack.stop.cancelled() => {}
                }
                response
            }
            Some(Fault::DoneButUnanswered) => {
                let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                // A body that fails makes the server close the connection.
                Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(cut)])))
            }
            _ => response,
        }
    }

    /// The next `times` calls of the method go wrong; `u32::MAX` means until
    /// [`clear_faults`](Self::clear_faults). The method is one of Slack's (`chat.postMessage`),
    /// `response_url`, `link` for the WebSocket handshake, or `*` for whatever comes next.
    pub fn fail_next(&self, method: &str, times: u32, fault: Fault) {
        if times > 0 {
            locked(&self.slack.faults.0).push_back(Planned {
                method: method.to_owned(),
                times,
                fault,
            });
        }
    }

    /// How many of the next calls of the method are still to go wrong: 0 when the last of them has arrived.
    pub fn faults_left(&self, method: &str) -> u32 {
        let planned = locked(&self.slack.faults.0);
        let of_it = planned.iter().filter(|fault| fault.method == method);
        of_it.fold(0, |sum, fault| sum.saturating_add(fault.times))
    }

    /// Everything works again.
    pub fn clear_faults(&self) {
        locked(&self.slack.faults.0).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_used_up() {
        let faults = Faults::default();
        locked(&faults.0).push_back(Planned {
            method: "chat.update".to_owned(),
            times: 2,
            fault: Fault::Status(503),
        });
        assert_eq!(faults.take("chat.postMessage"), None);
        assert_eq!(faults.take("chat.update"), Some(Fault::Status(503)));
        assert_eq!(faults.take("chat.update"), Some(Fault::Status(503)));
        assert_eq!(faults.take("chat.update"), None);
    }
}
