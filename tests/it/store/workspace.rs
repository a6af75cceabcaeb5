//! What admins decide and see, and where people are signed in.

use billops::{
    clock::Clock,
    domain::{
        due::DayMark,
        member::Member,
        minutes::Minutes,
        rounding::Rounding,
        scope::Scopes,
        workspace::{AuditSubject, WorkspaceSettings},
    },
    keyring::digest,
    store::{SettingsChange, Store},
};
use chrono::{Days, NaiveDate, TimeDelta};

use super::{berlin, day, key, log, meeting, nina, soon};

super::on_every_database!(
    each_entry_is_rounded_before_it_is_summed_up,
    sessions_are_ones_own,
    of_two_admins_at_once_one_is_told,
    tokens_are_on_record,
    who_is_short_is_counted,
);

async fn each_entry_is_rounded_before_it_is_summed_up(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let lengths = [1, 7, 8, 15, 22, 23, 1440];
    for (number, minutes) in (1..).zip(lengths) {
        log(&store, &nina, number, minutes).await;
    }
    for rounding in Rounding::all() {
        let totals = store.rounded_totals(nina.user_id, day(), day(), None, rounding);
        let [total] = &totals.await.unwrap()[..] else {
            panic!("one day, one project")
        };
        let expected: u32 = lengths
            .into_iter()
            .map(|minutes| rounding.of(Minutes::new(minutes)).get())
            .sum();
        assert_eq!(total.minutes.get(), expected, "{rounding}");
        assert_eq!(total.entries, lengths.len());
    }
}

/// The store's day is a Friday; its week began on the 16th.
async fn who_is_short_is_counted(store: Store, clock: Clock) {
    let monday = day() - Days::new(4);
    let week: Vec<NaiveDate> = monday.iter_days().take(4).collect();
    clock.advance(TimeDelta::days(-20));
    let mut people = Vec::new();
    for user in ["U1", "U2", "U3", "U4", "U5"] {
        people.push(store.save_member("T1", user, None).await.unwrap());
    }
    let elsewhere = store.save_member("T2", "U1", None).await.unwrap();
    clock.advance(TimeDelta::days(20));
    let newcomer = store.save_member("T1", "U9", None).await.unwrap();
    let [nina, jonas, ada, tom, sleeps] = &people[..] else {
        panic!("five people")
    };
    let begins = monday.and_hms_opt(0, 0, 0).unwrap().and_utc();
    let workspace = nina.slack_integration_id;
    let short = async |days: &[NaiveDate]| {
        let four_hours = Minutes::from_hours(4);
        let short = store.people_short(workspace, days, begins, four_hours);
        short.await.unwrap()
    };
    let mut number = 0;
    let mut logs = async |member: &Member, date: NaiveDate, minutes: u32| {
        number += 1;
        let mut new = meeting(member, key(number), minutes);
        new.fields.date = date;
        store.insert_entry(new, soon()).await.unwrap();
    };
    assert_eq!(short(&week).await, 0, "nobody has ever logged anything");
    for member in [nina, jonas, ada, tom, &elsewhere, &newcomer] {
        logs(member, monday - Days::new(3), 60).await;
    }
    logs(sleeps, monday - Days::new(29), 60).await;
    // Of 8 h a day: everything, 4 h less, a minute less than that, and a day off.
    let lengths = [
        (nina, [480, 480]),
        (jonas, [420, 420]),
        (ada, [419, 420]),
        (tom, [360, 360]),
    ];
    for (member, [monday, later]) in lengths {
        logs(member, week[0], monday).await;
        for day in &week[1..] {
            logs(member, *day, later).await;
        }
    }
    let off = DayMark::Off;
    assert_eq!(short(&week).await, 2, "Ada and Tom");
    let marked = store.mark_days(tom.user_id, &week[..1], Some(off), None);
    marked.await.unwrap();
    assert_eq!(short(&week).await, 1, "Ada");
    assert_eq!(short(&[]).await, 0);
    assert_eq!(short(&week[..1]).await, 0, "Monday alone");
}

async fn sessions_are_ones_own(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let jonas = store
        .save_member("T1", "U2", Some(&berlin("Jonas")))
        .await
        .unwrap();
    let until = clock.now() + TimeDelta::days(14);
    for (token, whose) in [("a", &nina), ("b", &nina), ("c", &nina), ("d", &jonas)] {
        let added = store.add_session(digest(token), whose.binding_id, until);
        added.await.unwrap();
    }
    let open = store
        .open_sessions(nina.binding_id, digest("b"))
        .await
        .unwrap();
    let marks: Vec<bool> = open.iter().map(|one| one.is_this).collect();
    assert_eq!(
        marks,
        [false, true, false],
        "the latest first, and b is this one"
    );
    assert!(open.iter().all(|one| one.last_used_at.is_none()));
    assert_eq!(
        store.session(digest("b")).await.unwrap(),
        Some(nina.clone())
    );
    let used = store
        .open_sessions(nina.binding_id, digest("b"))
        .await
        .unwrap();
    assert_eq!(used[1].last_used_at, Some(clock.now()));
    // Jonas names one of hers.
    let ended = store.end_sessions_of(jonas.binding_id, Some(open[0].id));
    assert_eq!(ended.await.unwrap(), 0);
    let ended = store.end_sessions_of(nina.binding_id, Some(open[0].id));
    assert_eq!(ended.await.unwrap(), 1);
    assert_eq!(store.session(digest("c")).await.unwrap(), None);
    assert_eq!(
        store.end_sessions_of(nina.binding_id, None).await.unwrap(),
        2
    );
    assert_eq!(store.session(digest("a")).await.unwrap(), None);
    assert_eq!(
        store.session(digest("d")).await.unwrap(),
        Some(jonas.clone())
    );
}

async fn of_two_admins_at_once_one_is_told(store: Store, _: Clock) {
    let mut admins = Vec::new();
    for id in ["U1", "U2", "U3", "U4"] {
        let mut profile = berlin(id);
        profile.is_admin = true;
        admins.push(store.save_member("T1", id, Some(&profile)).await.unwrap());
    }
    let wanted = WorkspaceSettings {
        time_enabled: false,
        ..WorkspaceSettings::default()
    };
    let all = admins.iter().map(|admin| {
        let (store, binding) = (store.clone(), admin.binding_id);
        tokio::spawn(async move { store.save_workspace_settings(binding, 1, &wanted).await })
    });
    let mut saved = 0;
    for one in all.collect::<Vec<_>>() {
        match one.await.unwrap().unwrap() {
            SettingsChange::Saved(1) => saved += 1,
            other => assert_eq!(other, SettingsChange::Stale),
        }
    }
    assert_eq!(saved, 1);
    let workspace = admins[0].slack_integration_id;
    assert_eq!(
        store
            .audit_records(workspace, None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(store.settings_version(workspace).await.unwrap(), 2);
}

async fn tokens_are_on_record(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let (scopes, ends) = (Scopes::read("entries"), clock.now() + TimeDelta::days(30));
    store
        .add_api_token(digest("a"), nina.binding_id, scopes, ends)
        .await
        .unwrap();
    store
        .add_api_token(digest("b"), nina.binding_id, scopes, ends)
        .await
        .unwrap();
    assert!(store.revoke_api_token(nina.binding_id).await.unwrap());
    assert!(!store.revoke_api_token(nina.binding_id).await.unwrap());
    let records = store
        .audit_records(nina.slack_integration_id, None, 10)
        .await
        .unwrap();
    let made: Vec<bool> = records
        .iter()
        .rev()
        .map(|one| one.after.is_some())
        .collect();
    assert_eq!(made, [true, false, true, false]);
    assert!(
        records
            .iter()
            .all(|one| one.subject == AuditSubject::ApiToken)
    );
}
