//! The forms over timers.

use slack_morphism::prelude::{SlackBlock, SlackView};

use super::{Meta, Prefill, entry::entry_fields, is_long, modal, project_field, text_field};
use crate::domain::{project::Project, time_entry::LONGEST_DESCRIPTION, timer::Timer};

/// The form in which a timer is started.
pub(in crate::slack) fn new_timer(project: Option<&Project>, meta: &Meta) -> SlackView {
    let blocks = timer_fields("What are you starting", "", project);
    modal("timer.create", "Start timer", "Start", blocks, meta)
}

/// The form for the timer that runs.
pub(in crate::slack) fn edit_timer(
    timer: &Timer,
    project: Option<&Project>,
    meta: &Meta,
) -> SlackView {
    let blocks = timer_fields("What are you doing", &timer.description, project);
    let meta = Meta {
        key: None,
        id: Some(timer.id),
        version: timer.version,
        ..meta.clone()
    };
    modal("timer.update", "Edit timer", "Save", blocks, &meta)
}

/// The form in which a timer is stopped otherwise than now, or as it is.
pub(in crate::slack) fn stop_timer(prefill: &Prefill, meta: &Meta) -> SlackView {
    let blocks = entry_fields(prefill);
    modal(
        "timer.stop_as",
        "Stop timer",
        "Log",
        blocks,
        &meta.with(prefill),
    )
}

fn timer_fields(
    question: &'static str,
    description: &str,
    project: Option<&Project>,
) -> Vec<SlackBlock> {
    let is_long = is_long(description);
    vec![
        text_field("description", question, "Icon set", description)
            .focused()
            .multiline(is_long)
            .up_to(LONGEST_DESCRIPTION as u64)
            .block(),
        project_field(project),
    ]
}
