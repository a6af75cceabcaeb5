//! What tests of messages draw: as much of everything as Slack or a provider lets there be.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    app::Waiting,
    domain::{
        calendar::{Account, AccountState, Calendar, ReconnectReason},
        calendar_event::{EventState, SkipReason, SyncedEvent},
        gaps::Gap,
        minutes::Minutes,
        project::ProjectRef,
        provider::Provider,
        rule::{Rule, RuleState},
        time_entry::{EntrySource, EntryStatus, TimeEntry},
    },
};

/// As long as Slack or a provider lets it be, with everything that has to be escaped.
pub(super) fn long() -> String {
    "&<*_~`>".repeat(60)
}

pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_186_920, 0).unwrap()
}

pub(super) fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
}

pub(super) fn project(number: u128) -> ProjectRef {
    ProjectRef {
        id: Uuid::from_u128(number),
        slug: format!("{number}-{}", "halden".repeat(10)),
    }
}

pub(super) fn event(number: u128, start: DateTime<Utc>, state: EventState) -> SyncedEvent {
    SyncedEvent {
        id: Uuid::from_u128(number),
        calendar_id: Uuid::from_u128(1),
        provider: Provider::Google,
        provider_event_id: String::new(),
        series_id: None,
        title: long(),
        start,
        end: start + TimeDelta::minutes(30),
        state,
        skip_reason: (state == EventState::Skipped).then_some(SkipReason::AllDay),
        time_entry_id: None,
        dismissed_at: None,
        removed_at: None,
    }
}

pub(super) fn rule(number: u128) -> Rule {
    Rule {
        id: Uuid::from_u128(500 + number),
        series_id: String::new(),
        title: long(),
        project: None,
        is_billable: false,
        state: RuleState::Active,
        since: now(),
    }
}

pub(super) fn waiting(number: u128, days_ago: i64) -> Waiting {
    let start = now() - TimeDelta::days(days_ago) - TimeDelta::minutes(40);
    Waiting {
        meeting: event(number, start, EventState::Suggested),
        project: (!number.is_multiple_of(3)).then(|| project(number)),
        is_billable: true,
    }
}

pub(super) fn account(number: u128, state: AccountState) -> Account {
    let calendar = |calendar: u128| Calendar {
        id: Uuid::from_u128(number * 100 + calendar),
        account_id: Uuid::from_u128(number),
        provider_calendar_id: String::new(),
        name: long(),
        is_primary: false,
        has_details: true,
        is_active: true,
        sync_enabled: true,
        gone_at: None,
        last_synced_at: Some(now() - TimeDelta::days(2)),
        next_attempt_at: None,
    };
    Account {
        id: Uuid::from_u128(number),
        user_id: Uuid::from_u128(7),
        provider: Provider::Google,
        email: format!("{}@example.com", "n".repeat(240)),
        state,
        reason: Some(ReconnectReason::SignInAgain),
        state_since: now(),
        calendars: (0..12).map(calendar).collect(),
    }
}

pub(super) fn entry(number: u128, days_ago: i64) -> TimeEntry {
    TimeEntry {
        id: Uuid::from_u128(number),
        user_id: Uuid::from_u128(7),
        source: EntrySource::Slack,
        status: EntryStatus::Pending,
        description: long(),
        date: today() - TimeDelta::days(days_ago),
        started_at: Some(now() - TimeDelta::days(days_ago)),
        ended_at: Some(now() - TimeDelta::days(days_ago) + TimeDelta::hours(1)),
        is_timed: true,
        duration_minutes: Minutes::from_hours(1),
        project: Some(project(number)),
        billable: true,
        tags: Vec::new(),
        permalink: None,
        typed_text: None,
        version: 1,
        created_at: now(),
        updated_at: now(),
        deleted_at: None,
    }
}

pub(super) fn gap(hours_ago: i64) -> Gap {
    let start = now() - TimeDelta::hours(hours_ago);
    Gap {
        start,
        end: start + TimeDelta::minutes(20),
    }
}
