//! The form in which a meeting is logged otherwise than it was guessed, and the one for a rule.

use chrono_tz::Tz;
use slack_morphism::prelude::{SlackBlockId, SlackView};

use super::{Meta, Prefill, checkbox, entry::entry_fields, modal, project_field};
use crate::{
    domain::{calendar_event::SyncedEvent, project::Project, rule::Rule},
    slack::{
        messages::context,
        text::{clock_time, cut, plain},
    },
};

/// The tick that makes it the rule.
pub(in crate::slack) const ALWAYS: &str = "always";

/// The form for a meeting: its title and times, and its guessed project.
pub(in crate::slack) fn log_meeting(
    event: &SyncedEvent,
    project: Option<Project>,
    is_billable: bool,
    zone: Tz,
    meta: &Meta,
) -> SlackView {
    let prefill = Prefill {
        time: format!(
            "{}–{}",
            clock_time(event.start, zone),
            clock_time(event.end, zone)
        ),
        description: event.title.clone(),
        project,
        date: event.start.with_timezone(&zone).date_naive(),
        is_billable,
        origin: None,
    };
    let meta = Meta {
        id: Some(event.id),
        ..meta.with(&prefill)
    };
    let mut blocks = entry_fields(&prefill);
    if event.series_id.is_some() {
        let text = format!(
            "Do the same for every {} from now on",
            cut(&event.title, 35)
        );
        blocks.push(checkbox(ALWAYS, &text, false));
    }
    modal("event.log_as", "Log meeting", "Log", blocks, &meta)
}

/// The form for the project that a series is always logged to.
pub(in crate::slack) fn change_rule(
    rule: &Rule,
    project: Option<&Project>,
    meta: &Meta,
) -> SlackView {
    let meta = Meta {
        id: Some(rule.id),
        ..meta.clone()
    };
    let about = format!(
        "Where {} is always logged to",
        plain(&cut(&rule.title, 100))
    );
    let blocks = vec![
        project_field(project),
        context(SlackBlockId("about".to_owned()), about),
    ];
    modal("rule.update", "Change rule", "Save", blocks, &meta)
}
