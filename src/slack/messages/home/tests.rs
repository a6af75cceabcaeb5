use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::{
    app::{Notice, WorkspaceSeen},
    domain::{
        calendar::{Account, AccountState},
        calendar_event::EventState,
        minutes::Minutes,
        preferences::Preferences,
        provider::Provider,
        summary::{Summary, Total},
        time_entry::{EntryStatus, TimeEntry},
        workspace::WorkspaceSettings,
    },
    sandbox::problems_of_home,
    slack::messages::fixtures::{
        account, entry, event, gap, long, now, project, rule, today, waiting,
    },
    store::{Batch, BatchOf, WorkspaceFacts},
};

/// Everything that a Home tab can show, and as much of it as there can be.
fn fullest() -> Home {
    let totals: Vec<Total> = (0..40)
        .map(|number| Total {
            date: today() - TimeDelta::days((number % 5).into()),
            project: Some(project(number.into())),
            client: None,
            is_billable: true,
            minutes: Minutes::new(number * 7 + 1),
            entries: 1,
        })
        .collect();
    let broken = (1..=6).map(|number| account(number, AccountState::NeedsReconnect));
    Home {
        name: long(),
        now: now(),
        zone: chrono_tz::Europe::Berlin,
        is_zone_known: true,
        today: today(),
        preferences: Preferences::default(),
        week: Summary::of(
            &totals,
            today() - TimeDelta::days(4),
            today() + TimeDelta::days(2),
        ),
        gaps: (1..=6).map(gap).collect(),
        recent: (0..5)
            .map(|number| entry(number, i64::try_from(number).unwrap()))
            .collect(),
        timer: None,
        notice: Some(Notice::Batch(Batch {
            key: Uuid::from_u128(9),
            of: BatchOf::Logged,
            count: 100,
            total: Minutes::from_hours(60),
            kept: 0,
        })),
        waiting: (0..100)
            .map(|number| waiting(number, i64::try_from(number % 28).unwrap()))
            .chain((100..150).map(|number| waiting(number, 0)))
            .collect(),
        unfolded: Unfolded::default(),
        rules: (0..8).map(rule).collect(),
        left_out: (0..20)
            .map(|number| event(number, now(), EventState::Skipped))
            .collect(),
        accounts: broken.collect(),
        offered: vec![Provider::Google, Provider::Microsoft],
        workspace: Some(WorkspaceSeen {
            settings: WorkspaceSettings::default(),
            facts: WorkspaceFacts {
                people: 14,
                with_calendar: 9,
            },
            people_short: Some(3),
            missing_scopes: vec!["files:write", "im:history"],
            install_url: Some("https://billops.example/install".parse().unwrap()),
        }),
        are_notices_on: true,
    }
}

fn drawn(of: &Home) -> Value {
    let view = serde_json::to_value(home(of)).unwrap();
    let problems = problems_of_home(&view);
    assert!(problems.is_empty(), "{problems:#?}");
    view
}

/// The blocks in short: what they say and what their buttons are called.
fn said(view: &Value) -> String {
    view["blocks"].to_string()
}

fn greens(view: &Value) -> usize {
    said(view).matches("\"primary\"").count()
}

#[test]
fn the_fullest_is_within_the_limits() {
    let unfolded = [
        Unfolded::default(),
        Unfolded {
            all: true,
            ..Unfolded::default()
        },
        Unfolded {
            older: true,
            ..Unfolded::default()
        },
        Unfolded {
            all: true,
            older: true,
            open: Some(today() - TimeDelta::days(9)),
        },
    ];
    for unfolded in unfolded {
        let view = drawn(&Home {
            unfolded,
            ..fullest()
        });
        let blocks = view["blocks"].as_array().unwrap().len();
        // An offer of a rule is still to have room: it stands under a notice for two more.
        assert!(blocks <= 98, "{blocks} blocks with {unfolded:?}");
        let bytes = view.to_string().len();
        assert!(bytes < 250_000, "{bytes} bytes");
        assert_eq!(greens(&view), 1);
    }
}

#[test]
fn one_button_is_green_whatever_there_is() {
    let two = || (0..2).map(|number| waiting(number, 0)).collect::<Vec<_>>();
    let active = || vec![account(1, AccountState::Active)];
    let quiet = Home {
        accounts: active(),
        waiting: Vec::new(),
        ..fullest()
    };
    let homes = [
        Home {
            recent: Vec::new(),
            accounts: Vec::new(),
            waiting: Vec::new(),
            notice: None,
            ..quiet.clone()
        },
        Home {
            accounts: Vec::new(),
            ..quiet.clone()
        },
        Home {
            waiting: two(),
            ..quiet.clone()
        },
        Home {
            waiting: two(),
            recent: Vec::new(),
            ..quiet.clone()
        },
        Home {
            recent: Vec::new(),
            ..quiet.clone()
        },
        quiet,
    ];
    for home in homes {
        assert_eq!(greens(&drawn(&home)), 1, "{home:#?}");
    }
}

#[test]
fn few_meetings_are_all_shown_and_many_are_folded() {
    let with = |count: u128, unfolded| {
        let meetings = (0..count).map(|number| waiting(number, i64::try_from(number % 3).unwrap()));
        let of = Home {
            waiting: meetings.collect(),
            accounts: vec![account(1, AccountState::Active)],
            unfolded,
            ..fullest()
        };
        said(&drawn(&of))
    };
    let few = with(8, Unfolded::default());
    assert_eq!(few.matches("event.log_as").count(), 8);
    assert!(few.contains("Log all 8") && !few.contains("waiting.show"));
    assert!(!few.contains("\"confirm\""));
    let many = with(9, Unfolded::default());
    assert_eq!(many.matches("event.log_as").count(), 3);
    assert_eq!(many.matches("waiting.show").count(), 2);
    assert!(many.contains("9 meetings, 4 h 30 min, since Wed 18 Nov"));
    assert!(
        many.contains("Log these 3")
            && many.contains("*Today, Fri 20 Nov* · 3 meetings, 1 h 30 min")
    );
    let other = Unfolded {
        open: Some(today() - TimeDelta::days(1)),
        ..Unfolded::default()
    };
    let other = with(9, other);
    assert!(
        other.contains("*Thu 19 Nov* · 3 meetings")
            && other.contains("Today, Fri 20 Nov · 3 meetings")
    );
    // Of a day on which nothing waits any more, the newest one is shown.
    let gone = Unfolded {
        open: Some(today() - TimeDelta::days(9)),
        ..Unfolded::default()
    };
    assert_eq!(with(9, gone).matches("event.log_as").count(), 3);
    let asked = with(60, Unfolded::default());
    assert!(
        asked.contains("Log all 60 meetings?")
            && asked.contains("30 h on 3 days, each to its own project; 20 have none yet.")
    );
    assert!(asked.contains("and 8 more on this day") && asked.contains("Show all"));
}

#[test]
fn what_is_open_is_carried_by_the_view() {
    let unfolded = Unfolded {
        open: Some(today()),
        all: true,
        older: false,
    };
    let view = drawn(&Home {
        unfolded,
        ..fullest()
    });
    let carried = view["private_metadata"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Unfolded>(carried).unwrap(), unfolded);
    assert_eq!(drawn(&fullest())["private_metadata"], Value::Null);
}

#[test]
fn calendars_say_how_they_stand() {
    let says = |change: fn(&mut Account), notice: Option<Notice>| {
        let mut one = account(1, AccountState::Active);
        one.calendars.truncate(2);
        for (calendar, name) in one.calendars.iter_mut().zip(["Nina Berg", "Tern team"]) {
            calendar.name = name.to_owned();
        }
        change(&mut one);
        said(&drawn(&Home {
            accounts: vec![one],
            waiting: Vec::new(),
            notice,
            ..fullest()
        }))
    };
    let on = says(|_| {}, None);
    assert!(
        on.contains("On · Nina Berg, Tern team · last synced Wed 18 Nov")
            && on.contains("Sync now"),
        "{on}"
    );
    let synced = says(|one| one.calendars[0].last_synced_at = Some(now()), None);
    assert!(synced.contains("synced at 16:02"));
    let off = says(
        |one| {
            one.calendars
                .iter_mut()
                .for_each(|c| c.sync_enabled = false);
        },
        None,
    );
    assert!(
        off.contains("Off · Nina Berg, Tern team")
            && off.contains("Turn on")
            && !off.contains("Sync now")
    );
    let slow = says(
        |one| one.calendars[1].next_attempt_at = Some(now() + TimeDelta::minutes(8)),
        None,
    );
    assert!(slow.contains("Slow: Google answers late, next try 16:10"));
    let asked = says(|_| {}, Some(Notice::Reading(Uuid::from_u128(1))));
    assert!(asked.contains("Syncing now · Nina Berg") && !asked.contains("\"notice\""));
    let none = says(|one| one.calendars.clear(), None);
    assert!(none.contains("Off · no calendar is chosen"));
}

#[test]
fn steps_are_marked_and_give_way_when_two_are_done() {
    let new = Home {
        name: "Nina".to_owned(),
        recent: Vec::new(),
        accounts: Vec::new(),
        waiting: Vec::new(),
        notice: None,
        ..fullest()
    };
    let fresh = said(&drawn(&new));
    assert!(fresh.contains("Welcome, Nina") && fresh.contains("*1 · Log something*"));
    assert!(
        fresh
            .contains("8 h from 09:00, Monday to Friday, Europe/Berlin. A summary comes at 17:30.")
    );
    assert!(!fresh.contains("Last entries"));
    let logged = Home {
        recent: vec![entry(1, 0)],
        ..new.clone()
    };
    let first = said(&drawn(&logged));
    assert!(
        first.contains("Done: 1 · Log something") && first.contains("*2 · Connect your calendar*")
    );
    assert!(first.contains("Last entries"));
    let both = Home {
        accounts: vec![account(1, AccountState::Active)],
        ..logged
    };
    assert!(!said(&drawn(&both)).contains("Welcome"));
    // Whoever logs and logs without a calendar is not told for ever.
    let often = Home {
        recent: (0..5).map(|number| entry(number, 0)).collect(),
        ..new
    };
    let often = said(&drawn(&often));
    assert!(!often.contains("Welcome") && often.contains("No calendar is connected yet."));
}

#[test]
fn settled_entries_have_no_menu() {
    let billed = TimeEntry {
        status: EntryStatus::Billed,
        ..entry(1, 0)
    };
    let view = said(&drawn(&Home {
        recent: vec![billed],
        ..fullest()
    }));
    assert!(view.contains(" · billed") && !view.contains("entry.menu"));
}

#[test]
fn gaps_left_out_and_the_week_are_counted_where_they_are_many() {
    let view = said(&drawn(&fullest()));
    assert_eq!(view.matches("gap.fill").count(), 3);
    assert!(view.contains("and 3 more gaps"));
    assert!(view.contains("and 15 more") && view.contains("(all-day)"));
    assert!(view.contains("35 others"));
}
