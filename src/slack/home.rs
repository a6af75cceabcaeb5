//! Publishing the Home tab.

use std::time::Duration;

use slack_morphism::prelude::{SlackCallbackId, SlackModalView, SlackView};
use tokio::time::Instant;

use super::{
    Door, SlackError,
    actions::Press,
    forms, logged,
    messages::{self, label},
};
use crate::{
    app::{Notice, Unfolded},
    domain::member::Member,
    error::{Failed, chain},
};

/// The tab was opened.
pub(super) async fn opened(door: &Door, workspace: &str, slack_user: &str) {
    match door.member(workspace, slack_user).await {
        Ok(member) => {
            if let Err(failed) = door.app.note_home_opened(&member).await {
                let _ = logged(failed);
            }
            let member = door.up_to_date(member).await;
            publish_or_queue(door, &member, None, Unfolded::default()).await;
        }
        Err(failed) => {
            let _ = logged(failed);
            let view = messages::home_unavailable();
            if let Err(problem) = door.client.publish_home(slack_user, &view, None).await {
                tracing::warn!("home.not_published: {problem}");
            }
        }
    }
}

/// Publishes at once; what fails is tried again as a job.
pub(super) async fn publish_now(door: &Door, member: &Member, notice: Option<Notice>) {
    door.note_said(member, notice.as_ref());
    publish_or_queue(door, member, notice, Unfolded::default()).await;
}

/// Publishes what came of a press on it; what was open stays open.
pub(super) async fn redraw(press: &Press<'_>, member: &Member, notice: Option<Notice>) {
    press.door.note_said(member, notice.as_ref());
    publish_or_queue(press.door, member, notice, unfolded(press)).await;
}

/// What is open in the view that was pressed.
fn unfolded(press: &Press<'_>) -> Unfolded {
    serde_json::from_str(&press.interaction.view.private_metadata).unwrap_or_default()
}

/// A day of the meetings that wait was opened, or more of them.
pub(super) async fn show_waiting(press: &Press<'_>, member: &Member) {
    let before = unfolded(press);
    let after = match press.value() {
        "older" => Unfolded {
            older: true,
            all: false,
            ..before
        },
        day => {
            let (day, more) = day.split_once(' ').unwrap_or((day, ""));
            Unfolded {
                open: day.strip_prefix("d:").and_then(forms::read_day),
                all: more == "all",
                older: before.older,
            }
        }
    };
    press.door.note_said(member, None);
    publish_or_queue(press.door, member, None, after).await;
}

async fn publish_or_queue(
    door: &Door,
    member: &Member,
    notice: Option<Notice>,
    unfolded: Unfolded,
) {
    let published = async {
        publish(door, member, notice, unfolded).await?;
        // What changes the day here changes its summary, too.
        door.refresh_summary(member).await
    };
    if let Err(problem) = published.await {
        queue(door, member, &problem).await;
    }
}

async fn queue(door: &Door, member: &Member, problem: &SlackError) {
    tracing::warn!("home.not_published: {problem}; it is tried again");
    let job = crate::jobs::Job::RefreshHome {
        binding: member.binding_id,
    }
    .to_row();
    if let Err(problem) = door.app.store().add_job(&job).await {
        tracing::error!("home.not_queued: {}", chain(&problem));
    }
}

/// How long a view that is drawn for another reason says what came of a press.
const SAID_FOR: Duration = Duration::from_secs(3);

impl Door {
    /// Keeps what came of a press; a press of which nothing is said ends what was said before.
    fn note_said(&self, member: &Member, notice: Option<&Notice>) {
        match notice {
            Some(notice) => {
                let said = (notice.clone(), Instant::now());
                self.said.insert(member.binding_id, said);
            }
            None => drop(self.said.remove(&member.binding_id)),
        }
    }

    fn just_said(&self, member: &Member) -> Option<Notice> {
        let (notice, at) = self.said.get(&member.binding_id)?;
        (at.elapsed() < SAID_FOR).then_some(notice)
    }
}

/// How often one view is drawn anew because others are published at the same time.
const ROUNDS: u32 = 5;

/// Publishes the Home tab as it is now, over the view that was published last. Where another view got in between,
/// once more over whatever is there: whoever comes last has read last, so that nothing older stays.
pub(super) async fn publish(
    door: &Door,
    member: &Member,
    notice: Option<Notice>,
    unfolded: Unfolded,
) -> Result<(), SlackError> {
    let stored = |error: &dyn std::error::Error| SlackError::Failed(error.to_string());
    let (store, binding) = (door.app.store(), member.binding_id);
    for round in 0..ROUNDS {
        let before = store.home_view_hash(binding).await;
        let before = before.map_err(|e| stored(&e))?;
        // Whoever draws beside a press says what came of it, too.
        let said = notice.clone().or_else(|| door.just_said(member));
        let view = drawn(door, member, said, unfolded).await;
        let view = view.map_err(|e| stored(&e))?;
        let over = before.as_deref().filter(|_| round == 0);
        let published = door
            .client_for(member)
            .publish_home(&member.slack_user_id, &view, over)
            .await;
        let published = match published {
            Err(SlackError::Refused(code)) if code == "hash_conflict" => continue,
            other => other?,
        };
        let is_last = store
            .save_home_view_hash(binding, before.as_deref(), published.as_deref())
            .await
            .map_err(|e| stored(&e))?;
        if is_last {
            return Ok(());
        }
        let still_there = door.app.member_by_binding(binding).await;
        if still_there.map_err(|e| stored(&e))?.is_none() {
            // They had everything deleted while this was drawn: it must not stay in sight.
            let client = &door.client;
            client
                .publish_home(&member.slack_user_id, &super::own_data::emptied(), None)
                .await?;
            return Ok(());
        }
    }
    Err(SlackError::Failed(format!(
        "{ROUNDS} times another view was published at the same time"
    )))
}

/// The Home tab of a person who pressed something in their summary, which is drawn already.
pub(super) async fn follow(door: &Door, member: &Member) {
    if !member.has_opened_home {
        return;
    }
    if let Err(problem) = publish(door, member, None, Unfolded::default()).await {
        queue(door, member, &problem).await;
    }
}

async fn drawn(
    door: &Door,
    member: &Member,
    notice: Option<Notice>,
    unfolded: Unfolded,
) -> Result<SlackView, Failed> {
    let mut home = door.app.home(member, notice, unfolded).await?;
    if let Some(seen) = &mut home.workspace {
        seen.missing_scopes = door.missing_scopes(&member.workspace_id).await;
    }
    Ok(messages::home(&home))
}

/// Opens the help in a modal, where there is no message to answer with.
pub(super) async fn open_help(door: &Door, trigger_id: &str, member: &Member) {
    let reader = door.reader(member, 0);
    let view = SlackModalView::new(label("How to log time"), messages::help(reader).blocks)
        .with_close(label("Close"))
        .with_callback_id(SlackCallbackId("help".to_owned()));
    if let Err(problem) = door
        .client
        .open_modal(trigger_id, &SlackView::Modal(view))
        .await
    {
        tracing::warn!("help.not_opened: {problem}");
    }
}
