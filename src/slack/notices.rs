//! Messages that are sent once, whatever breaks in between.
//!
//! Slack posts whatever it is asked to post, as often as it is asked. So a sending is claimed in the database first.
//! Where it does not become known what came of it, because the process died or Slack did not answer, the conversation
//! is looked at before anything is sent again: the message carries its mark in the ids of its blocks.

use std::time::Duration;

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::{Door, SlackError, messages::Message};
use crate::{
    domain::member::Member,
    error::chain,
    jobs::Ran,
    store::{NoticeClaim, StoreError},
};

/// So long after it was claimed a message is either posted or never will be: a call is given up after 10 seconds.
const UNCLEAR_FOR: TimeDelta = TimeDelta::seconds(30);
/// Whoever claimed a message and comes to post it later than this has been held up, and somebody else may have
/// taken over.
const POSTED_WITHIN: Duration = Duration::from_secs(10);
/// Slack's clock may be so much behind ours.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// What Slack says of somebody who can be written to no more, or not by this app.
const UNREACHABLE: [&str; 9] = [
    "channel_not_found",
    "user_not_found",
    "user_disabled",
    "user_not_visible",
    "is_archived",
    "is_inactive",
    "cannot_dm_bot",
    "messages_tab_disabled",
    "restricted_action",
];

/// What became of a message that is sent once.
#[derive(Debug)]
pub(super) enum Said {
    /// It is there now, or was already: in this conversation, with this `ts`, as far as that is known.
    Sent(Option<(String, String)>),
    /// The workspace's admins have switched it off; what it would have said stands in the Home tab.
    Off,
    /// Slack will never take it: the person left, or takes no messages from the app.
    Unreachable,
    /// Not now; the job says when again.
    Not(Ran),
}

impl Said {
    /// What that is for a job to which nothing else follows from it.
    pub(super) fn ran(self) -> Ran {
        match self {
            Self::Sent(_) | Self::Off | Self::Unreachable => Ran::Done,
            Self::Not(ran) => ran,
        }
    }
}

/// Names what a message says, without what it says.
pub(super) fn fingerprint(message: &Message) -> String {
    let digest = Sha256::digest(message.text.as_bytes());
    digest[..8]
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// The mark of a notice in the ids of its message's blocks.
pub(super) fn mark(notice: &str) -> String {
    let digest = Sha256::digest(notice.as_bytes());
    digest[..6]
        .iter()
        .fold(".n".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// The mark in the id of a block, or nothing.
pub(super) fn mark_of(block_id: &str) -> &str {
    let (named, _) = block_id.rsplit_once(".r").unwrap_or((block_id, ""));
    let at = named.rfind('.').unwrap_or(named.len());
    let is_mark = named[at..]
        .strip_prefix(".n")
        .is_some_and(|hex| hex.len() == 12 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_mark { &named[at..] } else { "" }
}

/// As long again at most, so that all who wait do not come back at once.
fn spread(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(1.0..2.0))
}

impl Door {
    /// Sends a message to a person, once. `notice` names it among theirs; `mark` stands in the ids of its blocks.
    pub(super) async fn say_once(
        &self,
        member: &Member,
        notice: &str,
        mark: &str,
        message: &Message,
    ) -> Said {
        match self.try_to_say(member, notice, mark, message).await {
            Ok(said) => said,
            Err(problem) => Said::Not(Ran::Failed(chain(&problem))),
        }
    }

    /// How long Slack still asks to send nothing in this workspace.
    pub(super) fn quiet_for(&self, workspace_id: &str) -> Option<Duration> {
        let until = self.quiet.get(workspace_id)?;
        let wait = (until - self.app.clock().now()).to_std().ok()?;
        Some(spread(wait))
    }

    /// Slack asks to wait: whoever else has something to send there need not ask.
    fn keep_quiet(&self, workspace_id: &str, wait: Duration) -> Ran {
        let wait_for = TimeDelta::from_std(wait).unwrap_or(TimeDelta::hours(1));
        let until = self.app.clock().now() + wait_for;
        self.quiet.insert(workspace_id.to_owned(), until);
        Ran::Later(spread(wait))
    }

    async fn try_to_say(
        &self,
        member: &Member,
        notice: &str,
        mark: &str,
        message: &Message,
    ) -> Result<Said, StoreError> {
        if !member.workspace.notices_enabled {
            return Ok(Said::Off);
        }
        let (store, binding) = (self.app.store(), member.binding_id);
        if let Some(wait) = self.quiet_for(&member.workspace_id) {
            return Ok(Said::Not(Ran::Later(wait)));
        }
        let claimed = Instant::now();
        match store.claim_notice(binding, notice).await? {
            NoticeClaim::Taken => {}
            NoticeClaim::Settled => {
                let sent = store.sent_notice(binding, notice).await?;
                return Ok(Said::Sent(sent.map(|sent| (sent.channel, sent.ts))));
            }
            NoticeClaim::Open(since) => {
                let age = self.app.clock().now() - since;
                if age < UNCLEAR_FOR {
                    let wait = (UNCLEAR_FOR - age).to_std().unwrap_or(POSTED_WITHIN);
                    return Ok(Said::Not(Ran::Later(wait)));
                }
                let user = &member.slack_user_id;
                match self
                    .client_for(member)
                    .find_posted(user, since - SKEW, mark)
                    .await
                {
                    Ok(Some((channel, ts))) => {
                        let said = fingerprint(message);
                        store
                            .note_sent(binding, notice, (&channel, &ts), &said)
                            .await?;
                        return Ok(Said::Sent(Some((channel, ts))));
                    }
                    Ok(None) => {
                        if !store.take_over_notice(binding, notice, since).await? {
                            return Ok(Said::Not(Ran::Later(POSTED_WITHIN)));
                        }
                    }
                    Err(SlackError::RateLimited(wait)) => return Ok(Said::Not(Ran::Later(wait))),
                    Err(SlackError::Refused(code)) => {
                        // Once too few is better than once too many.
                        tracing::warn!(
                            %binding,
                            notice,
                            code,
                            "notices.unclear: it is not known whether this message was sent, and Slack does not let the \
                             bot look. The scope im:history is needed; see manifest.yml"
                        );
                        store.refuse_notice(binding, notice).await?;
                        return Ok(Said::Sent(None));
                    }
                    Err(problem) => return Ok(Said::Not(Ran::Failed(problem.to_string()))),
                }
            }
        }
        if claimed.elapsed() > POSTED_WITHIN {
            return Ok(Said::Not(Ran::Later(POSTED_WITHIN)));
        }
        match self
            .client_for(member)
            .post(&member.slack_user_id, message)
            .await
        {
            Ok((channel, ts)) => {
                let said = fingerprint(message);
                store
                    .note_sent(binding, notice, (&channel, &ts), &said)
                    .await?;
                Ok(Said::Sent(Some((channel, ts))))
            }
            Err(SlackError::RateLimited(wait)) => {
                store.release_notice(binding, notice).await?;
                Ok(Said::Not(self.keep_quiet(&member.workspace_id, wait)))
            }
            Err(SlackError::Refused(code)) if UNREACHABLE.contains(&&*code) => {
                tracing::warn!(%binding, notice, code, "notices.refused: this person cannot be written to");
                store.refuse_notice(binding, notice).await?;
                Ok(Said::Unreachable)
            }
            Err(problem @ SlackError::Refused(_)) => {
                // The token, a scope: somebody has to mend it, and then it is sent.
                store.release_notice(binding, notice).await?;
                Ok(Said::Not(Ran::Failed(problem.to_string())))
            }
            // It may have been posted; the next attempt looks.
            Err(problem) => Ok(Said::Not(Ran::Failed(problem.to_string()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_carries_its_mark_through_each_replacement() {
        let mark = mark("invoice:2026-118");
        for id in [
            format!("invoice{mark}.r1"),
            format!("card.actions{mark}.r27"),
        ] {
            assert_eq!(mark_of(&id), mark, "{id}");
        }
        for none in [
            "",
            ".",
            "card.r1",
            "day.d2026-11-20.r1",
            "row.s10.notice.r2",
            "a.n0123456789ab.b.r1",
            "a.n0123456789aß.r1",
            "a.n123.r1",
        ] {
            assert_eq!(mark_of(none), "", "{none}");
        }
    }
}
