//! What only admins see: how their workspace is set, and the way to change it.

use slack_morphism::prelude::{SlackBlock, SlackBlockText, SlackSectionBlock};

use super::id;
use crate::{
    app::WorkspaceSeen,
    slack::messages::{Button, markdown, with_button},
};

/// The part of an admin; nothing for everybody else.
pub(super) fn blocks(seen: &WorkspaceSeen) -> Vec<SlackBlock> {
    let settings = &seen.settings;
    let creators = if settings.everyone_creates_projects {
        "anyone may create"
    } else {
        "admins may create"
    };
    let switches = match (settings.time_enabled, settings.notices_enabled) {
        (true, true) => "*`/time` and notices* on",
        (true, false) => "*`/time`* on · *notices* off",
        (false, true) => "*`/time`* off · *notices* on",
        (false, false) => "*`/time` and notices* off",
    };
    let facts = [
        format!("*Target* {} a day", settings.target_per_day),
        format!("*Rounding in reports* {}", settings.rounding.words()),
        format!("*New projects* {creators}"),
        switches.to_owned(),
        format!(
            "*People* {}, of them {} with a calendar",
            seen.facts.people, seen.facts.with_calendar
        ),
    ];
    let fields = facts.map(|fact| SlackBlockText::from(markdown(fact)));
    vec![
        with_button(
            id("workspace"),
            "*Workspace* · only admins see this".to_owned(),
            Button::new(
                "workspace.open",
                "Workspace settings",
                "home",
                "Workspace settings: open them",
            ),
        ),
        SlackSectionBlock::new()
            .with_block_id(id("workspace.facts"))
            .with_fields(fields.into())
            .into(),
    ]
}
