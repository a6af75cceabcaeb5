//! The forms over entries.

use chrono::{Datelike as _, NaiveDate};
use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockDatePickerElement, SlackBlockId, SlackView,
};
use uuid::Uuid;

use super::{
    LONGEST_TIME, Meta, Prefill, VALUE, checkbox, input, is_long, modal, project_field, text_field,
};
use crate::{
    app::EntryForm,
    domain::{
        member::Member,
        project::Project,
        time_entry::{EntrySource, LONGEST_DESCRIPTION, TimeEntry},
    },
    slack::{
        inbound::View,
        messages::context,
        text::{clock_time, clock_times, cut, plain, short_day},
    },
};

/// The form for a new entry.
pub(in crate::slack) fn new_entry(prefill: &Prefill, meta: &Meta) -> SlackView {
    let meta = meta.with(prefill);
    modal(
        "entry.create",
        "Log time",
        "Log",
        entry_fields(prefill),
        &meta,
    )
}

/// The form for an entry that is there.
pub(in crate::slack) fn edit_entry(
    entry: &TimeEntry,
    project: Option<Project>,
    member: &Member,
    meta: &Meta,
    changed_at: Option<&str>,
) -> SlackView {
    let zone = member.zone();
    let made = entry.created_at.with_timezone(&zone).date_naive();
    let today = made;
    let at = clock_time(entry.created_at, zone);
    let how = match entry.source {
        EntrySource::Slack => "Logged",
        EntrySource::Timer => "From a timer, logged",
        EntrySource::Calendar => "From a calendar, logged",
        EntrySource::Api => "From a program, logged",
        EntrySource::Import => "From another time tracker, imported",
    };
    let origin = format!("{how} on {} at {at}", short_day(made, today));
    let origin = changed_at.map_or_else(
        || origin.clone(),
        |at| format!("*This entry was changed at {at}. These are its values now.*\n{origin}"),
    );
    let prefill = Prefill {
        time: time_of(entry, member),
        description: entry.description.clone(),
        project,
        date: entry.date,
        is_billable: entry.billable,
        origin: Some(origin),
    };
    let meta = Meta {
        id: Some(entry.id),
        version: entry.version,
        ..meta.with(&prefill)
    };
    modal(
        "entry.update",
        "Edit entry",
        "Save",
        entry_fields(&prefill),
        &meta,
    )
}

/// How an entry's time is typed: from–to where somebody gave that, its length otherwise. Without a day: that has a field
/// of its own.
fn time_of(entry: &TimeEntry, member: &Member) -> String {
    match entry.started_at.zip(entry.ended_at) {
        Some(times) if entry.is_timed && entry.has_no_breaks() => clock_times(times, member.zone()),
        _ => entry.duration_minutes.to_string(),
    }
}

pub(super) fn entry_fields(prefill: &Prefill) -> Vec<SlackBlock> {
    let is_long = is_long(&prefill.description);
    let mut blocks = vec![
        text_field(
            "time",
            "How long, or from–to",
            "2h 30m  or  11:00–13:30",
            &prefill.time,
        )
        .focused()
        .up_to(LONGEST_TIME)
        .block(),
        text_field(
            "description",
            "What did you do",
            "Kick-off with Acme",
            &prefill.description,
        )
        .multiline(is_long)
        .up_to(LONGEST_DESCRIPTION as u64)
        .block(),
        project_field(prefill.project.as_ref()),
        input(
            "date",
            "Day",
            SlackBlockDatePickerElement::new()
                .with_action_id(SlackActionId(VALUE.to_owned()))
                .with_initial_date(prefill.date.to_string())
                .into(),
        ),
        checkbox("billable", "Billable", prefill.is_billable),
    ];
    if let Some(origin) = &prefill.origin {
        blocks.push(context(SlackBlockId("origin".to_owned()), origin.clone()));
    }
    blocks
}

/// The small form with the project only.
pub(in crate::slack) fn change_project(
    entry: &TimeEntry,
    project: Option<&Project>,
    meta: &Meta,
) -> SlackView {
    let meta = Meta {
        id: Some(entry.id),
        version: entry.version,
        project: project.map(|project| project.id),
        ..meta.clone()
    };
    let about = format!(
        "{} · {}",
        entry.duration_minutes,
        plain(&cut(&entry.description, 100))
    );
    let blocks = vec![
        project_field(project),
        context(SlackBlockId("about".to_owned()), about),
    ];
    modal("entry.set_project", "Change project", "Save", blocks, &meta)
}

/// The small form with the day only.
pub(in crate::slack) fn move_entry(entry: &TimeEntry, meta: &Meta) -> SlackView {
    let meta = Meta {
        id: Some(entry.id),
        version: entry.version,
        ..meta.clone()
    };
    let about = format!(
        "{} · {}",
        entry.duration_minutes,
        plain(&cut(&entry.description, 100))
    );
    let date = SlackBlockDatePickerElement::new()
        .with_action_id(SlackActionId(VALUE.to_owned()))
        .with_initial_date(entry.date.to_string())
        .with_focus_on_load(true);
    let blocks = vec![
        input("date", "Day", date.into()),
        context(SlackBlockId("about".to_owned()), about),
    ];
    modal("entry.move", "Move entry", "Move", blocks, &meta)
}

/// What was entered in the form of an entry; what cannot be read is a problem of its field.
///
/// Whoever chooses another project and leaves the tick alone means what is usual for that project.
pub(in crate::slack) fn read_entry(
    view: &View,
    meta: &Meta,
    project: Option<Uuid>,
) -> Option<EntryForm> {
    let is_billable = !view.field("billable").selected_options.is_empty();
    let is_left_alone = is_billable == meta.is_billable && project != meta.project;
    Some(EntryForm {
        time: view.field("time").value,
        description: view.field("description").value,
        project,
        date: read_date(view)?,
        billable: (!is_left_alone).then_some(is_billable),
    })
}

pub(in crate::slack) fn read_date(view: &View) -> Option<NaiveDate> {
    read_day(&view.field("date").selected_date)
}

/// Reads `2026-11-20`, as elements of messages and forms carry a day.
pub(in crate::slack) fn read_day(day: &str) -> Option<NaiveDate> {
    let day: NaiveDate = day.parse().ok()?;
    // What a calendar shows; beyond that nobody worked, and reckoning may end.
    (1900..=2199).contains(&day.year()).then_some(day)
}
