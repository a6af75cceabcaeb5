//! Slack: what it sends, and what people read there. The only room that names slack-morphism and tungstenite.
//!
//! A [`Delivery`] comes in from the [`socket`], is read tolerantly (`inbound`), handed to the use case it
//! asks for (`commands`, `actions`, `home`), and what comes back is written by `messages` or `home`.

mod actions;
mod calendars;
mod client;
mod commands;
mod forms;
mod home;
pub mod http;
mod inbound;
mod invoices;
mod meetings;
pub mod messages;
mod notices;
mod open_form;
mod own_data;
mod preferences;
mod projects;
mod reports;
mod rules;
pub mod socket;
mod submissions;
mod summaries;
mod text;
mod timers;
mod upload;
mod workspace;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use quick_cache::sync::Cache;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub use client::{SlackClient, SlackError};
pub use own_data::Exported;
pub use summaries::SummaryNow;

use crate::{
    app::App,
    domain::{
        member::Member, minutes::Minutes, preferences::Preferences, workspace::WorkspaceSettings,
    },
    error::{Failed, chain},
    jobs::Ran,
};
use inbound::{EventCallback, EventUser, Interaction, SlashCommand};
use messages::{Message, Reader};
use socket::{Answer, Delivery, Handler};

/// Ways back to messages that forms were opened on.
const REMEMBERED_WAYS: usize = 4096;
/// Presses in the Home tab of which something was just said.
const REMEMBERED_NOTICES: usize = 512;
/// Workspaces in which Slack asked to wait.
const QUIET_WORKSPACES: usize = 256;
/// Saving ends so long before the acknowledgement leaves: time to write the answer and send it.
const ANSWER_TAKES: Duration = Duration::from_millis(300);

/// The front door to Slack. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    app: App,
    client: SlackClient,
    /// Answers on their way through a `response_url`.
    answers: TaskTracker,
    /// The response URLs of messages that forms were opened on. They are secrets, so a form carries a key.
    ways: Arc<Cache<Uuid, String>>,
    /// What came of a person's last press in the Home tab, by binding.
    said: Arc<Cache<Uuid, (crate::app::Notice, Instant)>>,
    /// Until when Slack asks to send no messages, by workspace.
    quiet: Arc<Cache<String, DateTime<Utc>>>,
    /// What the app may not do of what it needs, and when Slack said so, by workspace.
    scopes: Arc<Cache<String, (Vec<&'static str>, Instant)>>,
}

/// One delivery, as the rooms behind the door see it.
#[derive(Clone, Debug)]
struct Heard {
    envelope_id: String,
    save_by: Instant,
}

impl Door {
    /// The door of this application.
    pub fn new(app: App, client: SlackClient) -> Self {
        Self {
            app,
            client,
            answers: TaskTracker::new(),
            ways: Arc::new(Cache::new(REMEMBERED_WAYS)),
            said: Arc::new(Cache::new(REMEMBERED_NOTICES)),
            quiet: Arc::new(Cache::new(QUIET_WORKSPACES)),
            scopes: Arc::new(Cache::new(QUIET_WORKSPACES)),
        }
    }

    /// Keeps the way back to a message while a form is open over it.
    fn remember_way(&self, response_url: &str) -> Option<Uuid> {
        if response_url.is_empty() {
            return None;
        }
        let key = self.app.clock().new_id();
        self.ways.insert(key, response_url.to_owned());
        Some(key)
    }

    /// Turns to the workspace that something comes from. `false` where the app is not installed there, which is logged.
    async fn turn_to(&mut self, named: &str, kind: &str) -> bool {
        let workspace = self.workspace(named).to_owned();
        let serves = self.serves(&workspace).await;
        if serves {
            self.client = self.client.of(&self.app, &workspace);
        } else {
            not_installed(&workspace, kind);
        }
        serves
    }

    /// The way to Slack for what is about this person.
    fn client_for(&self, member: &Member) -> SlackClient {
        self.client.of(&self.app, &member.workspace_id)
    }

    /// Whether the app is installed in a workspace: through OAuth, or by hand.
    async fn serves(&self, workspace: &str) -> bool {
        match self.app.install(workspace).await {
            Ok(Some(install)) => install.is_active,
            // The workspace of the given token is noted when the first person of it is met.
            Ok(None) if !self.client.has_given_token() => false,
            Ok(None) if workspace.is_empty() => true,
            Ok(None) => match self.client.home().await {
                Ok(home) => home.workspace_id == workspace,
                // Where nobody else can install it, nobody else has.
                Err(_) => !self.app.has_install(),
            },
            // Whoever waits for an answer is told by whatever needs the database next.
            Err(failed) => {
                drop(logged(failed));
                true
            }
        }
    }

    /// The id that names the workspace, or the home workspace where Slack named none.
    fn workspace<'a>(&'a self, named: &'a str) -> &'a str {
        if named.is_empty() {
            self.client.home_workspace().unwrap_or_default()
        } else {
            named
        }
    }

    /// What the socket calls for each envelope.
    pub fn handler(&self) -> Handler {
        let door = self.clone();
        Arc::new(move |delivery| {
            let mut door = door.clone();
            async move { door.handle(&delivery).await }.boxed()
        })
    }

    /// Waits until every answer that is on its way has been sent, at most `limit`.
    pub async fn drained(&self, limit: Duration) {
        self.answers.close();
        if tokio::time::timeout(limit, self.answers.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                open = self.answers.len(),
                "slack.drain: some answers were not sent before the end"
            );
        }
    }

    /// Publishes the Home tab of a person, for the job that keeps it fresh.
    pub async fn refresh_home(&self, binding: Uuid) -> Ran {
        let member = match self.app.member_by_binding(binding).await {
            Ok(Some(member)) => member,
            Ok(None) => return Ran::Done,
            Err(failed) => return Ran::Failed(chain(&failed)),
        };
        let published = async {
            home::publish(self, &member, None, crate::app::Unfolded::default()).await?;
            self.refresh_summary(&member).await
        };
        match published.await {
            Ok(()) => Ran::Done,
            Err(SlackError::RateLimited(wait)) => Ran::Later(wait),
            Err(SlackError::Refused(code)) => {
                // Slack's answer will be the same next time: a person who left, a tab that is switched off.
                tracing::warn!(%binding, code, "home.refused: the Home tab was not published");
                Ran::Done
            }
            Err(problem @ (SlackError::Failed(_) | SlackError::Unanswered(_))) => {
                Ran::Failed(problem.to_string())
            }
        }
    }

    /// Asks Slack who a person is, for the job that does it.
    pub async fn read_profile(&self, binding: Uuid) -> Ran {
        let member = match self.app.member_by_binding(binding).await {
            Ok(Some(member)) => member,
            Ok(None) => return Ran::Done,
            Err(failed) => return Ran::Failed(chain(&failed)),
        };
        let (workspace, user) = (&member.workspace_id, &member.slack_user_id);
        match self.client_for(&member).profile(user).await {
            Ok(profile) => match self.app.meet(workspace, user, Some(&profile)).await {
                Ok(_) => Ran::Done,
                Err(failed) => Ran::Failed(chain(&failed)),
            },
            Err(SlackError::RateLimited(wait)) => Ran::Later(wait),
            Err(SlackError::Refused(code)) => {
                // They are asked for again when they use BillOps in Slack.
                tracing::warn!(%binding, code, "slack.profile_unknown: users.info");
                Ran::Done
            }
            Err(problem @ (SlackError::Failed(_) | SlackError::Unanswered(_))) => {
                Ran::Failed(problem.to_string())
            }
        }
    }

    async fn handle(&mut self, delivery: &Delivery) -> Answer {
        let heard = Heard {
            envelope_id: delivery.envelope_id.clone(),
            save_by: delivery
                .ack_by
                .checked_sub(ANSWER_TAKES)
                .unwrap_or(delivery.ack_by),
        };
        match &*delivery.kind {
            "slash_commands" => {
                let command: SlashCommand = read(delivery)?;
                if !self.turn_to(command.workspace(), &delivery.kind).await {
                    let workspace = self.workspace(command.workspace());
                    let stranger = stranger(workspace, &command.user_id);
                    let reader = self.reader(&stranger, 0);
                    let said =
                        messages::not_installed(reader, &command.text, self.app.install_url());
                    return to_raw_value(&said).ok().map(Arc::from);
                }
                self.command(&heard, &command, delivery.ack_by).await
            }
            // Kept apart, so that the many commands under way at once stay small.
            "interactive" => Box::pin(self.interaction(&heard, delivery)).await,
            "events_api" => {
                Box::pin(self.event(delivery)).await;
                None
            }
            kind => {
                tracing::warn!(
                    kind,
                    "slack.unknown_envelope: acknowledged, nothing is done with it"
                );
                None
            }
        }
    }

    /// The answer is due at `ack_by`. If it comes later all the same, it is sent after the bare
    /// acknowledgement.
    async fn command(&self, heard: &Heard, command: &SlashCommand, ack_by: Instant) -> Answer {
        // A defect of ours must not leave the person without a word, nor without what they typed.
        let answer = match AssertUnwindSafe(commands::time(self, heard, command))
            .catch_unwind()
            .await
        {
            Ok(answer) => answer?,
            Err(_) => commands::broken(self, heard, command),
        };
        if Instant::now() < ack_by {
            return to_raw_value(&answer).ok().map(Arc::from);
        }
        let (client, command) = (self.client.clone(), command.clone());
        self.answers.spawn(async move {
            let Err(problem) = client.respond(&command.response_url, &answer).await else {
                return;
            };
            let (channel, user) = (&command.channel_id, &command.user_id);
            if let Err(second) = client.post_ephemeral(channel, user, &answer).await {
                tracing::warn!(
                    "slack.late_answer_not_sent: {problem}; and as a new message: {second}"
                );
            }
        });
        None
    }

    async fn interaction(&mut self, heard: &Heard, delivery: &Delivery) -> Answer {
        let interaction: &Interaction = &read(delivery)?;
        let workspace = interaction.workspace();
        if !self.turn_to(workspace, &delivery.kind).await {
            return None;
        }
        match &*interaction.kind {
            "block_actions" => {
                actions::pressed(self, heard, interaction, workspace).await;
                None
            }
            "view_submission" => submissions::submitted(self, heard, interaction, workspace).await,
            "block_suggestion" => submissions::suggested(self, interaction, workspace).await,
            "shortcut" | "message_action" => {
                open_form::shortcut(self, interaction, workspace).await;
                None
            }
            "view_closed" => None,
            kind => {
                tracing::warn!(
                    kind,
                    "slack.unknown_interaction: acknowledged, nothing is done with it"
                );
                None
            }
        }
    }

    async fn event(&mut self, delivery: &Delivery) {
        let Some(callback) = &read::<EventCallback>(delivery) else {
            return;
        };
        let workspace = callback.workspace();
        if !self.turn_to(workspace, &delivery.kind).await {
            return;
        }
        match (&*callback.event.kind, &*callback.event.tab) {
            ("app_home_opened", "home") => {
                home::opened(self, workspace, &callback.event.user.id).await;
            }
            ("app_home_opened", _) => {}
            ("app_uninstalled", _) => self.removed(workspace, callback).await,
            ("tokens_revoked", _) if !callback.event.tokens.bot.is_empty() => {
                self.removed(workspace, callback).await;
            }
            ("user_change", _) => self.person_changed(workspace, &callback.event.user).await,
            (kind, _) => tracing::debug!(kind, "slack.event: nothing is done with it"),
        }
    }

    /// The app was removed from the workspace, or its token was revoked: Slack says one or both, in any order.
    async fn removed(&self, workspace: &str, callback: &EventCallback) {
        let at = DateTime::from_timestamp(callback.event_time, 0);
        let at = at.unwrap_or_else(|| self.app.clock().now());
        if let Err(failed) = self.app.uninstalled(self.workspace(workspace), at).await {
            drop(logged(failed));
        }
    }

    /// Gives back the calendars of everybody in a workspace that the app was removed from, for the job that does it.
    pub async fn leave_workspace(&self, workspace: Uuid) -> Ran {
        match self.app.leave_workspace(workspace).await {
            Ok(()) => Ran::Done,
            Err(failed) => Ran::Failed(chain(&failed)),
        }
    }

    /// Who is speaking. On first contact Slack is asked for their name and zone; if it does not answer in
    /// time, they are noted all the same and asked for again next time.
    async fn member(&self, workspace: &str, slack_user: &str) -> Result<Arc<Member>, Failed> {
        let workspace = self.workspace(workspace);
        if let Some(member) = self.app.member(workspace, slack_user).await? {
            return Ok(member);
        }
        // Rare, and kept apart so that the many commands under way at once stay small.
        Box::pin(self.meet(workspace, slack_user)).await
    }

    async fn meet(&self, workspace: &str, slack_user: &str) -> Result<Arc<Member>, Failed> {
        let profile = match self.client.profile(slack_user).await {
            Ok(profile) => Some(profile),
            Err(problem) => {
                tracing::warn!(
                    "slack.profile_unknown: users.info: {problem}; times are shown in UTC meanwhile"
                );
                None
            }
        };
        self.app.meet(workspace, slack_user, profile.as_ref()).await
    }

    /// The person with what Slack says about them now, if that was last asked long ago. Nobody waits for
    /// this: it is asked when the Home tab is opened.
    async fn up_to_date(&self, member: Arc<Member>) -> Arc<Member> {
        let is_old = match self.app.is_profile_old(member.user_id).await {
            Ok(is_old) => is_old,
            Err(failed) => {
                logged(failed);
                false
            }
        };
        if !is_old {
            return member;
        }
        match self.client.profile(&member.slack_user_id).await {
            Ok(profile) => {
                match self
                    .app
                    .meet(&member.workspace_id, &member.slack_user_id, Some(&profile))
                    .await
                {
                    Ok(member) => member,
                    Err(failed) => {
                        logged(failed);
                        member
                    }
                }
            }
            Err(problem) => {
                tracing::warn!("slack.profile_unknown: users.info: {problem}");
                member
            }
        }
    }

    /// Slack knows something new of a person. Where it is their zone, their days and summaries follow them; what only
    /// admins may, they may no longer than they are one; and whoever left is signed out everywhere.
    async fn person_changed(&self, workspace: &str, user: &EventUser) {
        let workspace = self.workspace(workspace);
        let member = match self.app.member(workspace, &user.id).await {
            Ok(Some(member)) => member,
            // Nobody that BillOps has met.
            Ok(None) => return,
            Err(failed) => return drop(logged(failed)),
        };
        if user.deleted
            && let Err(failed) = self.app.shut_out(&member).await
        {
            drop(logged(failed));
        }
        let zone = user.tz.parse().ok();
        let has_moved = zone.is_some() && zone != member.slack_time_zone;
        let is_admin = [user.is_admin, user.is_owner].into_iter().flatten();
        let has_other_rights = is_admin
            .reduce(|admin, owner| admin || owner)
            .is_some_and(|is_admin| is_admin != member.is_admin);
        if !has_moved && !has_other_rights {
            return;
        }
        match self.client.profile(&user.id).await {
            Ok(profile) => {
                if let Err(failed) = self.app.meet(workspace, &user.id, Some(&profile)).await {
                    drop(logged(failed));
                }
            }
            // Slack is asked again when they open the Home tab.
            Err(problem) => tracing::warn!("slack.profile_unknown: users.info: {problem}"),
        }
    }

    fn reader<'a>(&self, member: &'a Member, round: u32) -> Reader<'a> {
        Reader {
            member,
            now: self.app.clock().now(),
            round,
            tag: "",
        }
    }

    /// Puts a message in the place of the one whose button was pressed. Where that can no longer be
    /// replaced, a new one says it.
    fn answer_later(&self, interaction: &Interaction, slack_user: &str, answer: Message) {
        let (client, url) = (self.client.clone(), interaction.response_url.clone());
        let (channel, user) = (
            interaction.container.channel_id.clone(),
            slack_user.to_owned(),
        );
        self.answers.spawn(async move {
            let Err(problem) = client.respond(&url, &answer).await else {
                return;
            };
            if channel.is_empty() {
                tracing::warn!("slack.answer_not_sent: {problem}");
            } else if let Err(second) = client.post_ephemeral(&channel, &user, &answer).await {
                tracing::warn!("slack.answer_not_sent: {problem}; and as a new message: {second}");
            }
        });
    }
}

/// Somebody of whom nothing can be read just now, to be able to answer them at all.
fn stranger(workspace: &str, slack_user: &str) -> Member {
    Member {
        user_id: Uuid::nil(),
        binding_id: Uuid::nil(),
        slack_integration_id: Uuid::nil(),
        workspace_id: workspace.to_owned(),
        slack_user_id: slack_user.to_owned(),
        name: String::new(),
        slack_time_zone: None,
        preferences: Preferences {
            target_per_day: Minutes::default(),
            ..Preferences::default()
        },
        locale: None,
        is_admin: false,
        workspace: WorkspaceSettings::default(),
        may_create_projects: false,
        has_opened_home: false,
    }
}

/// Names a request by what does not change when Slack delivers it again: who said what where, and the
/// id Slack gave to the saying (`once`). Where Slack gave none, the envelope's.
fn request_key(heard: &Heard, parts: &[&str], once: &str) -> Uuid {
    let mut digest = Sha256::new();
    for part in parts.iter().chain(&[if once.is_empty() {
        &*heard.envelope_id
    } else {
        once
    }]) {
        digest.update(part.len().to_le_bytes());
        digest.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    Uuid::from_bytes(bytes)
}

/// Slack repeats an event that is not acknowledged, so it is; nothing else is done with it.
fn not_installed(workspace: &str, kind: &str) {
    tracing::info!(
        workspace,
        kind,
        "slack.not_installed: acknowledged, nothing is done with it"
    );
}

/// Logs a failure, once, and hands it on to be shown.
fn logged(failed: Failed) -> Failed {
    tracing::error!(reference = %failed.reference, "request.failed: {}", chain(&failed));
    failed
}

/// Reads a payload. One that cannot be read is logged without its text and acknowledged.
fn read<T: DeserializeOwned>(delivery: &Delivery) -> Option<T> {
    let payload: &RawValue = &delivery.payload;
    match serde_json::from_str(payload.get()) {
        Ok(value) => Some(value),
        Err(problem) => {
            tracing::warn!(
                kind = delivery.kind,
                envelope_id = delivery.envelope_id,
                length = payload.get().len(),
                "slack.unreadable: {:?} error at column {}",
                problem.classify(),
                problem.column()
            );
            None
        }
    }
}
