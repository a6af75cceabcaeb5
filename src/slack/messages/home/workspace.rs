//! What only admins see: how their workspace is set, and the way to change it.

use slack_morphism::prelude::{SlackBlock, SlackBlockText, SlackSectionBlock};

use super::id;
use crate::{
    app::{SHORT_BY, WorkspaceSeen},
    slack::messages::{Button, markdown, section},
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
    let short = |people: u32| match people {
        0 => "nobody is".to_owned(),
        1 => "1 person is".to_owned(),
        many => format!("{many} people are"),
    };
    let week = match seen.people_short {
        Some(people) => format!("{} more than {SHORT_BY} short", short(people)),
        None => "has just begun".to_owned(),
    };
    let facts = [
        format!(
            "*Target* {} a day, Monday to Friday",
            settings.target_per_day
        ),
        format!("*Rounding in reports* {}", settings.rounding.words()),
        format!("*New projects* {creators}"),
        switches.to_owned(),
        format!(
            "*People* {}, of them {} with a calendar",
            seen.facts.people, seen.facts.with_calendar
        ),
        format!("*This week* {week}"),
    ];
    let fields = facts.map(|fact| SlackBlockText::from(markdown(fact)));
    let open = Button::new(
        "workspace.open",
        "Workspace settings",
        "home",
        "Workspace settings: open them",
    );
    // All of it in one block: the tab holds a hundred, and a full one has few to spare.
    let about = SlackSectionBlock::new()
        .with_block_id(id("workspace"))
        .with_text(markdown("*Workspace* · only admins see this".to_owned()).into())
        .with_fields(fields.into())
        .with_accessory(open.element().into());
    let mut blocks = vec![about.into()];
    blocks.extend(scopes(seen));
    blocks
}

/// What the installed app lacks, and how it gets it.
fn scopes(seen: &WorkspaceSeen) -> Option<SlackBlock> {
    let named: Vec<String> = seen
        .missing_scopes
        .iter()
        .map(|scope| format!("`{scope}`"))
        .collect();
    let lacks = match named.len() {
        0 => return None,
        1 => "One permission is missing:".to_owned(),
        count => format!("{count} permissions are missing:"),
    };
    let text = format!("⚠️ *{lacks}* {}.", named.join(", "));
    Some(match &seen.install_url {
        Some(url) => {
            let mut button = Button::new(
                "workspace.reinstall",
                "Reinstall",
                "home",
                "Reinstall BillOps with all permissions",
            )
            .element();
            button.url = Some(url.clone());
            let text = format!(
                "{text} Some of what BillOps offers does not work until it is installed again."
            );
            SlackSectionBlock::new()
                .with_block_id(id("workspace.scopes"))
                .with_text(markdown(text).into())
                .with_accessory(button.into())
                .into()
        }
        None => section(
            id("workspace.scopes"),
            format!(
                "{text} Open <https://api.slack.com/apps|the app’s settings>, add them under OAuth & Permissions, \
                 and install the app again."
            ),
        ),
    })
}
