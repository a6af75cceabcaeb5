//! Meetings, as people log and skip them.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate};
use uuid::Uuid;

use super::{
    actions::Press,
    home,
    messages::{self, Message},
    request_key,
};
use crate::{
    app::{LogAs, Notice, WaitingDays, WaitingOf},
    domain::{
        calendar_event::EventState,
        member::Member,
        time_entry::{ChangeKind, Changed, Receipt},
    },
    error::Failed,
    store::LogEvent,
};

/// A button about meetings was pressed.
pub(super) async fn pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let app = &press.door.app;
    if let "log_all" | "log_day" | "skip_before" | "undo_batch" = verb {
        return at_once(press, member, verb).await;
    }
    let event_id = press
        .value()
        .strip_prefix("v:")
        .and_then(|id| Uuid::parse_str(id).ok());
    let Some(event_id) = event_id else {
        return Ok(None);
    };
    let notice = match verb {
        "log" => match app
            .log_event(member, event_id, LogAs::default(), press.home())
            .await?
        {
            // Pressed twice, it is the same entry, and the same is said.
            LogEvent::Logged(receipt) | LogEvent::Already(receipt) => logged(receipt),
            LogEvent::Not(_) | LogEvent::Unknown => Notice::NothingChanged,
        },
        "skip" | "unskip" => {
            let is_dismissed = verb == "skip";
            let state = app
                .dismiss_event(member, event_id, is_dismissed, press.home())
                .await?;
            let event = app.event(member, event_id).await?;
            match (state, event) {
                (Some(EventState::Dismissed), Some(event)) => Notice::Skipped(Box::new(event)),
                (Some(EventState::Suggested), _) => {
                    home::redraw(press, member, None).await;
                    return Ok(None);
                }
                _ => Notice::NothingChanged,
            }
        }
        _ => return Ok(None),
    };
    if press.interaction.is_on_home() {
        home::redraw(press, member, Some(notice)).await;
        return Ok(None);
    }
    Ok(match notice {
        Notice::Changed(changed) => Some(messages::changed(press.reader(member), &changed, &[])),
        _ => None,
    })
}

/// Several are logged or skipped at once, or that is taken back.
async fn at_once(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let (app, home) = (&press.door.app, press.home());
    let notice = if verb == "undo_batch" {
        let key = press
            .value()
            .strip_prefix("b:")
            .and_then(|key| Uuid::parse_str(key).ok());
        match key {
            Some(key) => app.undo_batch(member, key, home).await?,
            None => None,
        }
        .map(Notice::BatchUndone)
    } else {
        // Named by what it was drawn for and not by the press: pressed twice, it is the same batch.
        let named = [press.workspace, press.slack_user(), "event.batch", verb];
        let key = request_key(press.heard, &named, press.value());
        match read_several(press.value(), verb == "skip_before") {
            None => None,
            Some(of) if verb == "skip_before" => app.skip_waiting(member, key, of, home).await?,
            Some(of) => app.log_waiting(member, key, of, home).await?,
        }
        .map(Notice::Batch)
    };
    home::redraw(
        press,
        member,
        Some(notice.unwrap_or(Notice::NothingChanged)),
    )
    .await;
    Ok(None)
}

/// Reads `n:4 d:2026-11-20 until:ID ended:1795186920`.
fn read_several(value: &str, is_before: bool) -> Option<WaitingOf> {
    let part = |name: &str| value.split(' ').find_map(|part| part.strip_prefix(name));
    let day = part("d:").map(str::parse::<NaiveDate>);
    Some(WaitingOf {
        until: Uuid::parse_str(part("until:")?).ok()?,
        ended_by: DateTime::from_timestamp(part("ended:")?.parse().ok()?, 0)?,
        days: match (day, is_before) {
            (None, false) => WaitingDays::All,
            (Some(Ok(day)), false) => WaitingDays::On(day),
            (Some(Ok(day)), true) => WaitingDays::Before(day),
            _ => return None,
        },
    })
}

fn logged(receipt: Receipt) -> Notice {
    Notice::Changed(Box::new(Changed {
        kind: ChangeKind::Create,
        is_undo: false,
        receipt: Some(receipt),
        before: None,
        other: None,
        timer_before: None,
        timer_after: None,
    }))
}
