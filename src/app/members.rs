//! Who is speaking.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::time::Instant;
use uuid::Uuid;

use super::{App, Remembered};
use crate::{domain::member::Member, error::Failed, store::Profile};

/// How long a person's settings are taken from memory. Another replica's change is seen after this.
const FRESH_FOR: Duration = Duration::from_secs(30);
/// After this Slack is asked again who the person is: people travel, and rename themselves.
const PROFILE_FRESH_FOR: TimeDelta = TimeDelta::hours(12);

impl App {
    /// The person, if BillOps has met them and knows their zone.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn member(
        &self,
        workspace_id: &str,
        slack_user_id: &str,
    ) -> Result<Option<Arc<Member>>, Failed> {
        let key = (workspace_id.to_owned(), slack_user_id.to_owned());
        if let Some(known) = self.members.get(&key)
            && known.read_at.elapsed() < FRESH_FOR
        {
            return Ok(Some(known.member));
        }
        let member = self
            .store
            .member(workspace_id, slack_user_id)
            .await
            .map_err(|error| self.failed("looking up a person", error))?;
        Ok(member
            .filter(|member| member.time_zone().is_some())
            .map(|member| self.remember(member)))
    }

    /// Notes a person on first contact, or anew, with what Slack says about them; `None` where Slack did
    /// not answer.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn meet(
        &self,
        workspace_id: &str,
        slack_user_id: &str,
        profile: Option<&Profile>,
    ) -> Result<Arc<Member>, Failed> {
        let member = self
            .store
            .save_member(workspace_id, slack_user_id, profile)
            .await
            .map_err(|error| self.failed("noting a person", error))?;
        if member.time_zone().is_some() {
            return Ok(self.remember(member));
        }
        // Not kept in memory: Slack is asked again at the next contact.
        Ok(Arc::new(member))
    }

    /// Whether it is time to ask Slack again who the person is.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn is_profile_old(&self, user_id: Uuid) -> Result<bool, Failed> {
        let read_at = self
            .store
            .profile_read_at(user_id)
            .await
            .map_err(|error| self.failed("looking up a person", error))?;
        Ok(read_at.is_none_or(|at| self.clock.now() - at > PROFILE_FRESH_FOR))
    }

    /// Whether BillOps still is in a workspace.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn knows_workspace(&self, workspace_id: &str) -> Result<bool, Failed> {
        self.store
            .knows_workspace(workspace_id)
            .await
            .map_err(|error| self.failed("looking up a workspace", error))
    }

    /// The person a binding belongs to.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn member_by_binding(&self, binding_id: Uuid) -> Result<Option<Member>, Failed> {
        self.store
            .member_by_binding(binding_id)
            .await
            .map_err(|error| self.failed("looking up a person", error))
    }

    pub(super) fn remember(&self, member: Member) -> Arc<Member> {
        let member = Arc::new(member);
        let key = (member.workspace_id.clone(), member.slack_user_id.clone());
        self.members.insert(
            key,
            Remembered {
                member: member.clone(),
                read_at: Instant::now(),
            },
        );
        member
    }

    pub(super) fn forget(&self, member: &Member) {
        self.members
            .remove(&(member.workspace_id.clone(), member.slack_user_id.clone()));
    }
}
