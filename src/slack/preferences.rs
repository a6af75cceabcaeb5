//! Preferences, as people open and save them.

use std::{collections::BTreeMap, sync::Arc};

use slack_morphism::prelude::{SlackBlockChoiceItem, SlackBlockPlainTextOnly, SlackView};

use super::{Door, forms, inbound::View, messages};
use crate::{
    domain::{member::Member, project::Project, zones::zones_called},
    error::Failed,
};

/// What a menu holds at most beside its first option; Slack takes 100.
const SUGGESTED: usize = 99;

/// The form as it is now: not as it is remembered, for what stands in it is saved again.
pub(super) async fn form(door: &Door, member: &Member) -> Result<SlackView, Failed> {
    let now = door.app.member_by_binding(member.binding_id).await?;
    let member = now.as_ref().unwrap_or(member);
    let project = match member.preferences.default_project_id {
        // One that is archived is not chosen any more: the last one used takes its place.
        Some(id) => door.app.project(member, id).await?.filter(Project::is_open),
        None => None,
    };
    let made = door.app.api_token_of(member).await?;
    let now = door.app.clock().now();
    let about_me = messages::preferences_about_me(made, now, member.zone());
    Ok(forms::preferences(member, project.as_ref(), about_me))
}

/// Opens the form; whether Slack did.
///
/// # Errors
/// The database does not answer.
pub(super) async fn open(door: &Door, member: &Member, trigger_id: &str) -> Result<bool, Failed> {
    let view = form(door, member).await?;
    Ok(super::open_form::open(door, trigger_id, &view).await)
}

/// The form was submitted: what is wrong with which field, or nothing where it is saved.
///
/// # Errors
/// The database does not answer.
pub(super) async fn submitted(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
) -> Result<BTreeMap<&'static str, String>, Failed> {
    let context = door.app.reading(member);
    let (preferences, unread) = forms::read_preferences(view, &member.preferences, &context);
    let problems = if unread.is_empty() {
        door.app.save_preferences(member, &preferences).await?
    } else {
        door.app.check_preferences(member, &preferences).await?
    };
    let mut errors: BTreeMap<_, _> = unread.into_iter().collect();
    for problem in &problems {
        errors
            .entry(problem.field())
            .or_insert_with(|| problem.sentence());
    }
    Ok(errors)
}

/// The zones that are offered for what was typed; the first is Slack's own.
pub(super) fn suggested_zones(
    member: &Member,
    typed: &str,
) -> Vec<SlackBlockChoiceItem<SlackBlockPlainTextOnly>> {
    let zones = zones_called(typed, member.zone(), SUGGESTED);
    std::iter::once(forms::slack_zone_option(member))
        .chain(zones.into_iter().map(forms::zone_option))
        .collect()
}
