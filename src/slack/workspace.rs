//! The settings of a workspace, as its admins open and save them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use slack_morphism::prelude::SlackView;
use tokio::time::Instant;

use super::{
    Door,
    actions::Press,
    forms::{self, Meta},
    home,
    inbound::View,
    messages, open_form,
};
use crate::{
    app::{SettingsRefusal, WorkspaceForm},
    domain::member::Member,
    error::Failed,
    manifest::missing_scopes,
};

/// What is said to whoever is no admin.
const ADMINS_ONLY: &str =
    "Only admins and owners of this workspace can change this. Nothing was changed.";

/// How long Slack's word about the app's permissions is taken for new.
const SCOPES_FRESH_FOR: Duration = Duration::from_secs(600);
/// How long the Home tab waits for it.
const SCOPES_TAKE: Duration = Duration::from_secs(2);

impl Door {
    /// What the app that is installed in a workspace may not do of what BillOps needs; nothing where Slack does not say.
    pub(super) async fn missing_scopes(&self, workspace_id: &str) -> Vec<&'static str> {
        // Slack said with the token what it may do.
        if let Ok(Some(install)) = self.app.install(workspace_id).await
            && let Some(granted) = &install.scopes
        {
            let granted: Vec<String> = granted.split(',').map(str::to_owned).collect();
            return missing_scopes(&granted);
        }
        if let Some((missing, at)) = self.scopes.get(workspace_id)
            && at.elapsed() < SCOPES_FRESH_FOR
        {
            return missing;
        }
        let asked = tokio::time::timeout(SCOPES_TAKE, self.client.examine_token()).await;
        let missing = match asked {
            Ok(Ok(token)) => token.scopes.map(|granted| missing_scopes(&granted)),
            Ok(Err(problem)) => {
                tracing::warn!("slack.scopes_unknown: auth.test: {problem}");
                None
            }
            Err(_) => None,
        };
        let missing = missing.unwrap_or_default();
        self.scopes
            .insert(workspace_id.to_owned(), (missing.clone(), Instant::now()));
        missing
    }
}

/// What a submission is answered with.
pub(super) enum Saved {
    /// It is saved; the form closes.
    Done,
    /// The form stays open, with these sentences at its fields.
    Problems(BTreeMap<&'static str, String>),
    /// The form shows how things are now.
    Stale(Box<SlackView>),
}

/// The button in the Home tab was pressed. Whoever is no admin any more sees the tab without it.
///
/// # Errors
/// The database does not answer.
pub(super) async fn pressed(press: &Press<'_>, member: &Arc<Member>) -> Result<(), Failed> {
    match press.door.app.workspace_form(member).await? {
        Some(form) => {
            let view = drawn(press.door, member, &form, false);
            open_form::open(press.door, &press.interaction.trigger_id, &view).await;
        }
        None => home::redraw(press, &fresh(press.door, member).await?, None).await,
    }
    Ok(())
}

/// The person as they are stored now.
async fn fresh(door: &Door, member: &Arc<Member>) -> Result<Member, Failed> {
    let now = door.app.member_by_binding(member.binding_id).await?;
    Ok(now.unwrap_or_else(|| Member::clone(member)))
}

fn drawn(door: &Door, member: &Member, form: &WorkspaceForm, is_stale: bool) -> SlackView {
    let about = messages::workspace_about(form, door.app.clock().now(), member.zone());
    let notice = is_stale.then(messages::workspace_changed_meanwhile);
    forms::workspace(&form.settings, form.version, notice, about)
}

/// The form was submitted. Slack is asked at this moment whether the person is an admin: what is stored may be half
/// a day old.
///
/// # Errors
/// The database does not answer.
pub(super) async fn submitted(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<Saved, Failed> {
    let refused = |sentence: &str| {
        let errors = BTreeMap::from([(forms::TARGET, sentence.to_owned())]);
        Ok(Saved::Problems(errors))
    };
    let profile = match door.client.profile(&member.slack_user_id).await {
        Ok(profile) => profile,
        Err(problem) => {
            tracing::warn!("slack.profile_unknown: users.info: {problem}");
            return refused(
                "Slack did not say whether you are an admin, so nothing was changed. Press Save again in a moment.",
            );
        }
    };
    let (workspace, user) = (&member.workspace_id, &member.slack_user_id);
    let member = door.app.meet(workspace, user, Some(&profile)).await?;
    if !member.is_admin {
        tracing::warn!(binding = %member.binding_id, "workspace.refused: somebody who is no admin submitted the settings");
        return refused(ADMINS_ONLY);
    }
    let settings = match forms::read_workspace(view, &door.app.reading(&member)) {
        Ok(settings) => settings,
        Err(problems) => return Ok(Saved::Problems(problems.into_iter().collect())),
    };
    let saved = door
        .app
        .save_workspace_settings(&member, meta.version, &settings);
    match saved.await? {
        None => {
            let member = fresh(door, &member).await?;
            home::publish_now(door, &member, None).await;
            Ok(Saved::Done)
        }
        Some(SettingsRefusal::DayTooLong) => refused("A day has 24 h at most."),
        Some(SettingsRefusal::NotAdmin) => refused(ADMINS_ONLY),
        Some(SettingsRefusal::Stale) => match door.app.workspace_form(&member).await? {
            Some(form) => Ok(Saved::Stale(Box::new(drawn(door, &member, &form, true)))),
            None => refused(ADMINS_ONLY),
        },
    }
}
