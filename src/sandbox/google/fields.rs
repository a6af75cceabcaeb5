//! Partial responses: `fields=items(id,start),nextPageToken`.
//!
//! Source: developers.google.com/workspace/calendar/api/guides/performance, “Partial response”.
//! What is not asked for does not come, `nextPageToken` included.

use serde_json::{Map, Value};

use super::errors::Refusal;

/// What is asked for: names, and what below each. Nothing below means all of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mask(Vec<(String, Mask)>);

/// Names that a list, an event or an entry of the calendar list may have at its top.
const NAMES: &str = "kind etag summary description updated timeZone accessRole defaultReminders \
    nextPageToken nextSyncToken items id status htmlLink created location colorId creator organizer \
    start end endTimeUnspecified recurrence recurringEventId originalStartTime transparency \
    visibility iCalUID sequence attendees attendeesOmitted extendedProperties hangoutLink \
    conferenceData reminders source attachments eventType focusTimeProperties \
    outOfOfficeProperties workingLocationProperties birthdayProperties locked privateCopy \
    summaryOverride primary selected hidden deleted backgroundColor foregroundColor \
    notificationSettings conferenceProperties guestsCanModify guestsCanInviteOthers dataOwner";

impl Mask {
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let mut rest = text;
        let mask = Self::list(&mut rest).filter(|_| rest.is_empty());
        let mask = mask.ok_or_else(|| invalid(text))?;
        let level = mask.0.iter();
        let below = mask.0.iter().filter(|(name, _)| name == "items");
        let all = level.chain(below.flat_map(|(_, items)| &items.0));
        for (name, _) in all {
            if name != "*" && !NAMES.split_whitespace().any(|known| known == name) {
                return Err(invalid(name));
            }
        }
        Ok(mask)
    }

    fn list(rest: &mut &str) -> Option<Self> {
        let mut entries = Vec::new();
        loop {
            entries.push(Self::entry(rest)?);
            match rest.strip_prefix(',') {
                Some(after) => *rest = after,
                None => return Some(Self(entries)),
            }
        }
    }

    fn entry(rest: &mut &str) -> Option<(String, Self)> {
        let end = rest.find([',', '(', ')', '/']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        if name.is_empty() {
            return None;
        }
        *rest = after;
        let name = name.to_owned();
        if let Some(after) = rest.strip_prefix('/') {
            *rest = after;
            return Some((name, Self(vec![Self::entry(rest)?])));
        }
        if let Some(after) = rest.strip_prefix('(') {
            *rest = after;
            let below = Self::list(rest)?;
            *rest = rest.strip_prefix(')')?;
            return Some((name, below));
        }
        Some((name, Self::default()))
    }

    pub(super) fn keep(&self, value: &Value) -> Value {
        match value {
            _ if self.0.is_empty() => value.clone(),
            Value::Array(items) => items.iter().map(|item| self.keep(item)).collect(),
            Value::Object(object) => {
                let mut kept = Map::new();
                for (name, below) in &self.0 {
                    for (key, value) in object {
                        if name == "*" || name == key {
                            kept.insert(key.clone(), below.keep(value));
                        }
                    }
                }
                Value::Object(kept)
            }
            other => other.clone(),
        }
    }
}

fn invalid(what: &str) -> Refusal {
    Refusal::parameter("fields", &format!("Invalid field selection {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_asked_for_comes() {
        let page = json!({"items": [{"id": "1", "start": {"date": "d", "timeZone": "z"},
            "summary": "s"}], "nextPageToken": "t", "kind": "k"});
        let kept = |fields: &str| Mask::read(fields).unwrap().keep(&page);
        assert_eq!(
            kept("items(id,start/date),nextPageToken"),
            json!({"items": [{"id": "1", "start": {"date": "d"}}], "nextPageToken": "t"})
        );
        assert_eq!(kept("items/id"), json!({"items": [{"id": "1"}]}));
        assert_eq!(kept("*"), page);
        for wrong in [
            "items(id",
            "",
            "items(id))",
            "nothing",
            "items(nothing)",
            "a,,b",
        ] {
            assert!(Mask::read(wrong).is_err(), "{wrong}");
        }
    }
}
