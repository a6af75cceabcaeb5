//! The Home tab and modals.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use slack_morphism::prelude::SlackView;

use super::{PATIENCE, SlackClient, SlackError};

impl SlackClient {
    /// Publishes a Home tab over the one with this fingerprint, and returns the new fingerprint.
    ///
    /// # Errors
    /// See [`SlackError`]; `hash_conflict` if another view is published.
    pub async fn publish_home(
        &self,
        slack_user_id: &str,
        view: &SlackView,
        hash: Option<&str>,
    ) -> Result<Option<String>, SlackError> {
        #[derive(Serialize)]
        struct Publish<'a> {
            user_id: &'a str,
            view: &'a SlackView,
            #[serde(skip_serializing_if = "Option::is_none")]
            hash: Option<&'a str>,
        }
        #[derive(Deserialize)]
        struct Published {
            view: Option<PublishedView>,
        }
        #[derive(Deserialize)]
        struct PublishedView {
            hash: Option<String>,
        }
        let request = Publish {
            user_id: slack_user_id,
            view,
            hash,
        };
        let published: Published = self.call("views.publish", &request, PATIENCE).await?;
        Ok(published.view.and_then(|view| view.hash))
    }

    /// Opens a modal. The trigger works once and for 3 seconds.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn open_modal(&self, trigger_id: &str, view: &SlackView) -> Result<(), SlackError> {
        self.put_modal("views.open", trigger_id, view).await
    }

    /// Lays a modal on the one in which a button was pressed. The trigger works once and for 3 seconds.
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn push_modal(&self, trigger_id: &str, view: &SlackView) -> Result<(), SlackError> {
        self.put_modal("views.push", trigger_id, view).await
    }

    async fn put_modal(
        &self,
        method: &'static str,
        trigger_id: &str,
        view: &SlackView,
    ) -> Result<(), SlackError> {
        #[derive(Serialize)]
        struct Put<'a> {
            trigger_id: &'a str,
            view: &'a SlackView,
        }
        let put = Put { trigger_id, view };
        let within = Duration::from_millis(2500);
        let _: serde::de::IgnoredAny = self.call(method, &put, within).await?;
        Ok(())
    }

    /// Opens a modal that is to be updated, and returns its id; `None` where Slack does not open it.
    pub async fn open_modal_id(&self, trigger_id: &str, view: &SlackView) -> Option<String> {
        #[derive(Serialize)]
        struct Open<'a> {
            trigger_id: &'a str,
            view: &'a SlackView,
        }
        #[derive(Deserialize)]
        struct Opened {
            view: OpenedView,
        }
        #[derive(Deserialize)]
        struct OpenedView {
            id: String,
        }
        let open = Open { trigger_id, view };
        let within = Duration::from_millis(2500);
        match self.call::<_, Opened>("views.open", &open, within).await {
            Ok(opened) => Some(opened.view.id),
            Err(problem) => {
                tracing::warn!("slack.form_not_opened: {problem}");
                None
            }
        }
    }

    /// Shows something else in a modal that is open.
    ///
    /// # Errors
    /// See [`SlackError`]; `not_found` where it was closed.
    pub async fn update_modal(&self, view_id: &str, view: &SlackView) -> Result<(), SlackError> {
        #[derive(Serialize)]
        struct Update<'a> {
            view_id: &'a str,
            view: &'a SlackView,
        }
        let update = Update { view_id, view };
        let _: serde::de::IgnoredAny = self.call("views.update", &update, PATIENCE).await?;
        Ok(())
    }
}
