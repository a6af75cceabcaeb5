//! Posting, finding and changing messages.

use serde::{Deserialize, Serialize};
use url::Url;

use super::{PATIENCE, SlackClient, SlackError, retry_after};
use crate::{config::is_safe, slack::messages::Message};

/// Pages of a conversation that are looked through for one message.
const PAGES_SEARCHED: usize = 5;

impl SlackClient {
    /// Sends a message that only this person sees.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn post_ephemeral(
        &self,
        channel: &str,
        slack_user_id: &str,
        message: &Message,
    ) -> Result<(), SlackError> {
        #[derive(Serialize)]
        struct Post<'a> {
            channel: &'a str,
            user: &'a str,
            text: &'a str,
            blocks: &'a [slack_morphism::prelude::SlackBlock],
        }
        let post = Post {
            channel,
            user: slack_user_id,
            text: &message.text,
            blocks: &message.blocks,
        };
        let _: serde::de::IgnoredAny = self.call("chat.postEphemeral", &post, PATIENCE).await?;
        Ok(())
    }

    /// Posts a message in a conversation; `channel` may be a person's id, which is their direct message with
    /// the bot. Returns where it stands: the conversation and the message's `ts`.
    ///
    /// # Errors
    /// See [`SlackError`]; `not_in_channel` or `channel_not_found` where the bot is not a member.
    pub async fn post(
        &self,
        channel: &str,
        message: &Message,
    ) -> Result<(String, String), SlackError> {
        #[derive(Serialize)]
        struct Post<'a> {
            channel: &'a str,
            text: &'a str,
            blocks: &'a [slack_morphism::prelude::SlackBlock],
            unfurl_links: bool,
            unfurl_media: bool,
        }
        #[derive(Deserialize)]
        struct Posted {
            #[serde(default)]
            channel: String,
            #[serde(default)]
            ts: String,
        }
        let post = Post {
            channel,
            text: &message.text,
            blocks: &message.blocks,
            unfurl_links: false,
            unfurl_media: false,
        };
        let posted: Posted = self.call("chat.postMessage", &post, PATIENCE).await?;
        Ok((posted.channel, posted.ts))
    }

    /// Looks in a person's direct message with the bot for a message whose blocks carry this mark in an id, posted
    /// since `since`. Returns where it stands.
    ///
    /// # Errors
    /// See [`SlackError`]; `missing_scope` where the app may not look.
    pub async fn find_posted(
        &self,
        slack_user_id: &str,
        since: chrono::DateTime<chrono::Utc>,
        mark: &str,
    ) -> Result<Option<(String, String)>, SlackError> {
        #[derive(Deserialize)]
        struct History {
            #[serde(default)]
            messages: Vec<Posted>,
            #[serde(default)]
            response_metadata: Option<Metadata>,
        }
        #[derive(Deserialize)]
        struct Posted {
            #[serde(default)]
            ts: String,
            #[serde(default)]
            blocks: Vec<Marked>,
        }
        #[derive(Deserialize)]
        struct Marked {
            block_id: Option<String>,
        }
        #[derive(Deserialize)]
        struct Metadata {
            next_cursor: Option<String>,
        }
        let channel = self.direct_channel(slack_user_id).await?;
        let oldest = format!("{}.000000", since.timestamp());
        let mut cursor = String::new();
        // Nobody gets more than these from the bot within minutes.
        for _ in 0..PAGES_SEARCHED {
            let parameters = [
                ("channel", Some(&*channel)),
                ("oldest", Some(&*oldest)),
                ("limit", Some("100")),
                ("cursor", Some(&*cursor).filter(|cursor| !cursor.is_empty())),
            ];
            let history: History = self
                .get("conversations.history", &parameters, PATIENCE)
                .await?;
            let is_marked = |posted: &&Posted| {
                let mut ids = posted
                    .blocks
                    .iter()
                    .filter_map(|block| block.block_id.as_deref());
                ids.any(|id| id.contains(mark))
            };
            if let Some(found) = history.messages.iter().find(is_marked) {
                return Ok(Some((channel, found.ts.clone())));
            }
            let next = history
                .response_metadata
                .and_then(|metadata| metadata.next_cursor);
            match next.filter(|next| !next.is_empty()) {
                Some(next) => cursor = next,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Puts a message in the place of one that the bot posted.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn update(
        &self,
        channel: &str,
        ts: &str,
        message: &Message,
    ) -> Result<(), SlackError> {
        #[derive(Serialize)]
        struct Update<'a> {
            channel: &'a str,
            ts: &'a str,
            text: &'a str,
            blocks: &'a [slack_morphism::prelude::SlackBlock],
        }
        let update = Update {
            channel,
            ts,
            text: &message.text,
            blocks: &message.blocks,
        };
        let _: serde::de::IgnoredAny = self.call("chat.update", &update, PATIENCE).await?;
        Ok(())
    }

    /// Answers through a `response_url` (5 times within 30 minutes).
    ///
    /// # Errors
    /// See [`SlackError`]; `used_url` or `expired_url` when it has run out.
    pub async fn respond(&self, response_url: &str, message: &Message) -> Result<(), SlackError> {
        #[derive(Deserialize)]
        struct Refusal {
            error: Option<String>,
        }
        let url = Url::parse(response_url)
            .ok()
            .filter(is_safe)
            .ok_or_else(|| {
                SlackError::Failed("the response_url is not an https:// URL".to_owned())
            })?;
        let failed = |error: reqwest::Error| {
            SlackError::Failed(format!("response_url: {}", error.without_url()))
        };
        let response = self
            .wires
            .http
            .post(url)
            .json(message)
            .send()
            .await
            .map_err(failed)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        if status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Err(SlackError::RateLimited(retry_after(&response)));
        }
        let body = response.bytes().await.map_err(failed)?;
        let code = serde_json::from_slice::<Refusal>(&body)
            .ok()
            .and_then(|refusal| refusal.error);
        Err(code.map_or_else(
            || SlackError::Failed(format!("response_url: HTTP {status}")),
            SlackError::Refused,
        ))
    }
}
