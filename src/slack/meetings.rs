//! Meetings, as people log and skip them.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    actions::Press,
    home,
    messages::{self, Message},
};
use crate::{
    app::{LogAs, Notice},
    domain::{
        calendar_event::EventState,
        member::Member,
        time_entry::{ChangeKind, Changed, Receipt},
    },
    error::Failed,
    store::LogEvent,
};

/// More than so many are never logged with one press.
const AT_ONCE: u32 = 200;

/// A button about meetings was pressed.
pub(super) async fn pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let app = &press.door.app;
    if verb == "log_all" {
        let (events, _) = app.waiting(member, AT_ONCE).await?;
        let mut logged = 0;
        for event in events {
            let outcome = app
                .log_event(member, event.id, LogAs::default(), press.home())
                .await?;
            logged += u32::from(matches!(outcome, LogEvent::Logged(_)));
        }
        let notice = if logged > 0 {
            Notice::LoggedAll(logged)
        } else {
            Notice::NothingChanged
        };
        home::publish_now(press.door, member, Some(notice)).await;
        return Ok(None);
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
                    home::publish_now(press.door, member, None).await;
                    return Ok(None);
                }
                _ => Notice::NothingChanged,
            }
        }
        _ => return Ok(None),
    };
    if press.interaction.is_on_home() {
        home::publish_now(press.door, member, Some(notice)).await;
        return Ok(None);
    }
    Ok(match notice {
        Notice::Changed(changed) => Some(messages::changed(press.reader(member), &changed, &[])),
        _ => None,
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
