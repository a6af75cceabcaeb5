//! Outages, as plain switches: what the next calls of a method answer.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use super::{Sandbox, locked};

/// Something that goes wrong at Slack's end. None of these is the bot's doing, so none is recorded
/// as a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `429` with `Retry-After` in seconds.
    RateLimited(u32),
    /// An HTTP status without a usable body, for example 503.
    Status(u16),
    /// The answer comes, but this much later.
    Slow(Duration),
    /// `ok: false` with this error: `token_revoked`, `invalid_auth`, `account_inactive`, …
    Error(String),
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
