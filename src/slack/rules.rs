//! Series that are always logged, as people decide about them.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Door,
    actions::Press,
    forms::{self, Meta},
    home,
    inbound::View,
    messages::{self, Message},
    open_form, submissions,
    submissions::Acknowledgement,
};
use crate::{
    app::Notice,
    domain::{member::Member, rule::RuleState},
    error::Failed,
};

fn rule_of(value: &str) -> Option<Uuid> {
    Uuid::parse_str(value.strip_prefix("r:")?).ok()
}

/// A button or menu about a rule was used.
pub(super) async fn pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let (door, value) = (press.door, press.value());
    let (verb, value) = match verb {
        "menu" => value.split_once(' ').unwrap_or((value, "")),
        verb => (verb, value),
    };
    let rule = match rule_of(value) {
        Some(id) => door.app.rule(member, id).await?,
        None => None,
    };
    let Some(rule) = rule else {
        return gone(press, member).await;
    };
    let state = match verb {
        "accept" => RuleState::Active,
        "decline" => RuleState::Declined,
        "remove" => RuleState::Removed,
        "change" => {
            let projects = door.app.projects(member).await?;
            let project = forms::find_project(projects, rule.project.as_ref());
            let view = forms::change_rule(&rule, project.as_ref(), &press.meta());
            open_form::open(door, &press.interaction.trigger_id, &view).await;
            return Ok(None);
        }
        _ => return Ok(None),
    };
    let decided = door
        .app
        .decide_rule(member, rule.id, state, press.home())
        .await?;
    let Some(rule) = decided else {
        return gone(press, member).await;
    };
    if press.interaction.is_on_home() {
        let notice = Some(Notice::Rule(Box::new(rule)));
        home::redraw(press, member, notice).await;
        return Ok(None);
    }
    Ok(Some(messages::rule_decided(press.reader(member), &rule)))
}

async fn gone(press: &Press<'_>, member: &Arc<Member>) -> Result<Option<Message>, Failed> {
    if press.interaction.is_on_home() {
        home::redraw(press, member, Some(Notice::NothingChanged)).await;
        return Ok(None);
    }
    Ok(Some(messages::no_longer_here(press.reader(member))))
}

/// The form for a rule's project was submitted.
pub(super) async fn submitted(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<Acknowledgement, Failed> {
    let Some(rule_id) = meta.id else {
        return Ok(None);
    };
    let project = match submissions::chosen_project(door, member, view).await? {
        Ok(project) => project,
        Err(problem) => return Ok(problem),
    };
    match door.app.change_rule(member, rule_id, project).await? {
        Ok(rule) => {
            let notice = rule.map(|rule| Notice::Rule(Box::new(rule)));
            home::publish_now(door, member, notice).await;
            Ok(None)
        }
        Err(problem) => Ok(submissions::problems(&[problem])),
    }
}
