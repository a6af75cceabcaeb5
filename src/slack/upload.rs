//! Files: an address is asked for, the bytes go there, and then the file is shared.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{SlackClient, SlackError};
use crate::config::is_safe;

/// How long a file may take to be sent.
const UPLOAD_WITHIN: Duration = Duration::from_secs(30);
/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(10);

impl SlackClient {
    /// Sends a file into a conversation, with a line of text. Needs `files:write`. What fails before the last step
    /// leaves nothing behind that anybody sees.
    ///
    /// # Errors
    /// See [`SlackError`]; `Unanswered` only where the file may have been shared.
    pub async fn upload(
        &self,
        channel: &str,
        name: &str,
        bytes: Vec<u8>,
        comment: &str,
    ) -> Result<(), SlackError> {
        #[derive(Deserialize)]
        struct Address {
            upload_url: String,
            file_id: String,
        }
        #[derive(Serialize)]
        struct File<'a> {
            id: &'a str,
            title: &'a str,
        }
        #[derive(Serialize)]
        struct Complete<'a> {
            files: [File<'a>; 1],
            channel_id: &'a str,
            initial_comment: &'a str,
        }
        let length = bytes.len().to_string();
        let parameters = [("filename", Some(name)), ("length", Some(length.as_str()))];
        // Slack takes the arguments of this method as parameters, not as JSON.
        let Address {
            upload_url,
            file_id,
        } = self
            .get("files.getUploadURLExternal", &parameters, PATIENCE)
            .await
            .map_err(not_yet)?;
        let failed = |problem: String| SlackError::Failed(format!("the upload address: {problem}"));
        let url = Url::parse(&upload_url)
            .ok()
            .filter(is_safe)
            .ok_or_else(|| failed("not an https:// URL".to_owned()))?;
        let sent = self
            .wires
            .http
            .post(url)
            .timeout(UPLOAD_WITHIN)
            .header("content-type", "application/octet-stream")
            .body(bytes)
            .send()
            .await
            // The address is a secret as long as it works.
            .map_err(|error| failed(error.without_url().to_string()))?;
        if !sent.status().is_success() {
            return Err(failed(format!("HTTP {}", sent.status())));
        }
        let complete = Complete {
            files: [File {
                id: &file_id,
                title: name,
            }],
            channel_id: channel,
            initial_comment: comment,
        };
        let _: serde::de::IgnoredAny = self
            .call("files.completeUploadExternal", &complete, PATIENCE)
            .await?;
        Ok(())
    }

    /// The conversation of the bot with a person: a file can be shared only by the conversation's id, where a message
    /// takes the person's as well. Needs `im:write`.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn direct_channel(&self, slack_user_id: &str) -> Result<String, SlackError> {
        #[derive(Serialize)]
        struct Open<'a> {
            users: &'a str,
        }
        #[derive(Deserialize)]
        struct Opened {
            channel: Channel,
        }
        #[derive(Deserialize)]
        struct Channel {
            id: String,
        }
        let open = Open {
            users: slack_user_id,
        };
        let opened: Opened = self
            .call("conversations.open", &open, PATIENCE)
            .await
            .map_err(not_yet)?;
        Ok(opened.channel.id)
    }
}

/// Nothing was shared yet, so an answer that did not come is a failure to be tried again.
fn not_yet(problem: SlackError) -> SlackError {
    match problem {
        SlackError::Unanswered(limit) => {
            SlackError::Failed(format!("no answer within {} ms", limit.as_millis()))
        }
        other => other,
    }
}
