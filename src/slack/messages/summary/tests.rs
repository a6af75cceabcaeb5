use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::{
    app::WeekSummary,
    domain::{
        calendar::AccountState, calendar_event::EventState, member::Member,
        preferences::Preferences,
    },
    sandbox::problems_of_message,
    slack::messages::fixtures::{account, entry, event, gap, now, project, rule, today, waiting},
};

fn member() -> Member {
    Member {
        user_id: Uuid::nil(),
        binding_id: Uuid::nil(),
        slack_integration_id: Uuid::nil(),
        workspace_id: "T1".to_owned(),
        slack_user_id: "U1".to_owned(),
        name: "Nina Berg".to_owned(),
        slack_time_zone: Some(chrono_tz::Europe::Berlin),
        preferences: Preferences {
            monday: true,
            silent_when_done: false,
            ..Preferences::default()
        },
        locale: None,
        is_admin: false,
        workspace: crate::domain::workspace::WorkspaceSettings::default(),
        may_create_projects: true,
        has_opened_home: true,
    }
}

fn reader(member: &Member) -> Reader<'_> {
    Reader {
        member,
        now: now(),
        round: 3,
        tag: ".d2026-11-20",
    }
}

/// Nothing logged, nothing waiting.
fn empty() -> DaySummary {
    DaySummary {
        day: today(),
        total: Minutes::default(),
        projects: Vec::new(),
        waiting: Vec::new(),
        settled: Vec::new(),
        gaps: Vec::new(),
        timer: None,
        unread: Vec::new(),
        mark: None,
        is_away: false,
        is_working_day: true,
        target: Minutes::from_hours(8),
    }
}

/// Everything there can be, and as much of it.
fn fullest() -> DaySummary {
    let settled = (0..12).map(|number| {
        let event = event(1000 + number, now(), EventState::Dismissed);
        (event, number.is_multiple_of(2).then(|| entry(number, 0)))
    });
    DaySummary {
        total: Minutes::from_hours(2),
        projects: (0..40)
            .map(|number| (Some(project(number)), Minutes::new(3)))
            .collect(),
        waiting: (0..200).map(|number| waiting(number, 0)).collect(),
        settled: settled.collect(),
        gaps: (1..9).map(gap).collect(),
        unread: (0..30)
            .map(|number| account(number, AccountState::NeedsReconnect))
            .collect(),
        ..empty()
    }
}

fn checked(message: &Message) -> (String, Value) {
    let message = json!({ "text": message.text, "blocks": message.blocks });
    let problems = problems_of_message(&message);
    assert!(problems.is_empty(), "{problems:#?}");
    let text = message["text"].as_str().unwrap().to_owned();
    assert!(
        text.chars().count() <= 4000 && !text.contains('▇'),
        "{text}"
    );
    (text, message["blocks"].clone())
}

fn batch(of: BatchOf) -> Batch {
    Batch {
        key: Uuid::from_u128(9),
        of,
        count: 200,
        total: Minutes::from_hours(90),
        kept: 3,
    }
}

#[test]
fn whatever_is_in_a_day_slack_takes_it() {
    let member = member();
    let notices = [
        None,
        Some(SummaryNotice::Batch(batch(BatchOf::Logged))),
        Some(SummaryNotice::Batch(batch(BatchOf::Skipped))),
        Some(SummaryNotice::BatchUndone(batch(BatchOf::Logged))),
        Some(SummaryNotice::Offer(rule(1))),
        Some(SummaryNotice::Decided(
            "Q&A <!channel> *now* is now always logged.".to_owned(),
        )),
        Some(SummaryNotice::OnlyWhenOpen(true)),
        Some(SummaryNotice::OnlyWhenOpen(false)),
    ];
    for notice in &notices {
        for mark in [None, Some(DayMark::Off), Some(DayMark::Closed)] {
            for day in [empty(), fullest()] {
                let day = DaySummary { mark, ..day };
                let late = Some(now() - TimeDelta::hours(1));
                checked(&day_summary(reader(&member), &day, late, notice.as_ref()));
            }
        }
    }
}

#[test]
fn what_was_decided_is_escaped_once() {
    let member = member();
    let decided = SummaryNotice::Decided("Q&A <!channel> *now*".to_owned());
    let message = day_summary(reader(&member), &empty(), None, Some(&decided));
    let (text, blocks) = checked(&message);
    assert!(text.ends_with("Q&amp;A &lt;!channel&gt; *now*"), "{text}");
    let said = plain("Q&A <!channel> *now*");
    assert!(blocks.to_string().contains(&said), "{blocks}");
}

#[test]
fn whatever_is_in_a_week_slack_takes_it() {
    let member = member();
    let monday = today() - TimeDelta::days(4);
    let days = (0..7).map(|number| DaySummary {
        day: monday + TimeDelta::days(number),
        ..fullest()
    });
    let week = WeekSummary {
        monday,
        days: days.collect(),
    };
    let done = WeekSummary {
        monday,
        days: vec![DaySummary {
            total: Minutes::from_hours(8),
            ..empty()
        }],
    };
    let notices = [
        None,
        Some(SummaryNotice::Batch(batch(BatchOf::Logged))),
        Some(SummaryNotice::Mondays(false)),
        Some(SummaryNotice::Mondays(true)),
    ];
    for notice in &notices {
        for week in [&week, &done] {
            let reader = Reader {
                tag: ".w2026-11-16",
                ..reader(&member)
            };
            checked(&week_summary(reader, week, notice.as_ref()));
        }
    }
}

#[test]
fn one_green_button_at_most_and_a_day_off_only_for_a_day_with_less_than_half() {
    let member = member();
    let drawn = |day: &DaySummary| {
        checked(&day_summary(reader(&member), day, None, None))
            .1
            .to_string()
    };
    for day in [
        empty(),
        fullest(),
        DaySummary {
            waiting: vec![waiting(1, 0)],
            ..empty()
        },
    ] {
        let drawn = drawn(&day);
        assert!(drawn.matches("primary").count() <= 1, "{drawn}");
        assert!(drawn.contains("day.off"), "{drawn}");
    }
    let half = DaySummary {
        total: Minutes::from_hours(4),
        ..empty()
    };
    assert!(!drawn(&half).contains("day.off"));
    let done = DaySummary {
        total: Minutes::from_hours(8),
        ..empty()
    };
    assert!(!drawn(&done).contains("day.close"));
}
