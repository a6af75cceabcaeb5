//! Entries from the files of other time trackers, and `billops import`.

use std::{fmt::Write as _, io::Read, path::Path, process::Stdio};

use billops::{
    app::{EntryExport, ExportSpan, Import, ImportOptions, ImportPlan, ImportStop, Imported},
    clock::Clock,
    domain::{
        entry_import::{DateOrder, ImportFormat},
        member::Member,
        time_entry::{ChangeKind, EntrySource, EntryStatus, TimeEntry},
    },
    store::{NewProject, ProjectChange, Step, Store},
};
use chrono::{DateTime, Days, TimeDelta, Utc};
use tokio::process::Command;

use crate::{
    databases::Database,
    store::{berlin, day, key, meeting, nina, on_every_database, soon},
};

on_every_database!(
    a_report_of_toggl_becomes_entries_and_once_only,
    a_file_of_several_people_needs_to_be_told_whose_is_whose,
    what_harvest_has_invoiced_is_billed,
    what_broke_off_is_continued_and_nothing_is_doubled,
    an_export_of_billops_can_be_taken_in_elsewhere,
    projects_are_found_by_all_their_names_and_never_guessed,
    an_import_is_taken_back_but_for_what_was_changed_since,
    what_is_there_under_another_name_is_pointed_out,
);

fn data(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import");
    std::fs::read(folder.join(name)).unwrap()
}

fn for_people(people: &[(&str, Option<&str>)]) -> ImportOptions {
    let person = |(id, who): &(&str, Option<&str>)| ((*id).to_owned(), who.map(str::to_owned));
    ImportOptions {
        people: people.iter().map(person).collect(),
        ..ImportOptions::default()
    }
}

/// Plans and does it.
async fn import(
    store: &Store,
    file: &[u8],
    options: ImportOptions,
) -> Result<(ImportFormat, ImportPlan, Imported), ImportStop> {
    let import = Import::open(store.clone(), || Ok(file), options).await?;
    let before = import.plan(|_| {}).await?;
    let plan = import.plan(|_| {}).await?;
    assert_eq!(
        plan.new_entries(),
        before.new_entries(),
        "planning does nothing"
    );
    let done = import.run(&plan, |_| {}).await?;
    assert_eq!((done.new, done.there), (plan.new_entries(), plan.there()));
    Ok((import.format(), plan, done))
}

/// The person's entries, the oldest day first.
async fn entries(store: &Store, member: &Member) -> Vec<TimeEntry> {
    let mut entries = store.last_entries(member.user_id, 0, 5_000).await.unwrap();
    entries.reverse();
    entries
}

async fn a_report_of_toggl_becomes_entries_and_once_only(store: Store, _clock: Clock) {
    let nina = nina(&store).await;
    let logged = store.insert_entry(meeting(&nina, key(1), 30), soon()).await;
    let options = || for_people(&[("U1", None)]);
    let file = data("toggl.csv");
    let (format, plan, done) = import(&store, &file, options()).await.unwrap();
    assert_eq!(format, ImportFormat::Toggl);
    assert_eq!((done.new, done.there, done.projects), (6, 0, 2));
    assert_eq!(plan.people[0].new_minutes, 150 + 49 + 105 + 180 + 10 + 10);
    assert_eq!((plan.rounded, plan.problem_count), ((1, 2_921, 49), 0));
    assert!(
        plan.odd.is_empty(),
        "the clocks went back between its beginning and its end"
    );
    let changed = ("on site".to_owned(), "on-site".to_owned());
    assert_eq!(plan.changed_tags.iter().collect::<Vec<_>>(), [&changed]);
    assert_eq!(plan.lost_tags.iter().collect::<Vec<_>>(), ["2nd"]);
    let all = entries(&store, &nina).await;
    let says: Vec<String> = all
        .iter()
        .map(|entry| {
            let slug = entry.project.as_ref().map_or("-", |project| &project.slug);
            let words = entry.tags.join("+");
            format!(
                "{} {} {slug} {} {} {words}",
                entry.date, entry.duration_minutes, entry.description, entry.billable
            )
        })
        .collect();
    assert_eq!(
        says,
        [
            "2026-09-01 2 h 30 min website-relaunch Wireframes, second round true web+on-site+Design",
            "2026-09-01 49 min website-relaunch Call with the client true ",
            "2026-09-02 1 h 45 min - No description false Ä-Team",
            "2026-10-25 3 h internal Planning false ",
            "2026-10-26 10 min internal Tidying up false ",
            "2026-10-26 10 min internal Tidying up false ",
            "2026-11-20 30 min - Meeting false ",
        ]
    );
    assert!(
        all[..6]
            .iter()
            .all(|entry| entry.source == EntrySource::Import && entry.is_timed)
    );
    let night = all[2].started_at.zip(all[2].ended_at).unwrap();
    assert_eq!(night.0.to_rfc3339(), "2026-09-02T20:30:00+00:00");
    assert_eq!(night.1.to_rfc3339(), "2026-09-02T22:15:00+00:00");

    // Read again, nothing is new, whatever became of the entries here.
    let change = store.take_back(nina.user_id, all[0].id, 1, None).await;
    change.unwrap();
    let (_, plan, again) = import(&store, &file, options()).await.unwrap();
    assert_eq!((again.new, again.there, again.projects), (0, 5, 0));
    assert_eq!(plan.people[0].deleted, 1, "and stays so");
    assert_eq!(entries(&store, &nina).await, all[1..]);

    // A longer report that holds the same rows, in another order and with another date format, adds what is new.
    let text = String::from_utf8(file).unwrap();
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| line.replace("2026-09-01", "01.09.2026"))
        .collect();
    lines[1..].reverse();
    lines.push("Nina Berg,nina@tern.example,,Internal,,Tidying up,No,2026-10-26,08:00:00,2026-10-26,08:10:00,00:10:00,,".to_owned());
    let (_, _, more) = import(&store, lines.join("\n").as_bytes(), options())
        .await
        .unwrap();
    assert_eq!((more.new, more.there, more.projects), (1, 5, 0));

    // What was imported is not the last that was logged.
    let undone = store.undo_last(nina.user_id, key(2), None).await.unwrap();
    let undone = format!("{undone:?}");
    assert!(
        undone.contains(&logged.unwrap().receipt.entry.id.to_string()),
        "{undone}"
    );
}

async fn a_file_of_several_people_needs_to_be_told_whose_is_whose(store: Store, _clock: Clock) {
    let nina = nina(&store).await;
    let jonas = store
        .save_member("T1", "U2", Some(&berlin("Jonas")))
        .await
        .unwrap();
    let other = store.save_member("T2", "U3", Some(&berlin("Lena"))).await;
    other.unwrap();
    let file = data("clockify.csv");
    let refused = async |people: &[(&str, Option<&str>)]| {
        import(&store, &file, for_people(people))
            .await
            .unwrap_err()
            .to_string()
    };
    let said = refused(&[("U1", None)]).await;
    assert!(
        said.contains("Jonas Weber (jonas@tern.example), Nina Berg (nina@tern.example)"),
        "{said}"
    );
    let said = refused(&[("U1", Some("Lena"))]).await;
    assert!(
        said.contains("no entries of “Lena”. It holds those of: Jonas Weber"),
        "{said}"
    );
    let said = refused(&[("U9", Some("Nina Berg"))]).await;
    assert!(said.contains("met nobody with the Slack id “U9”"), "{said}");
    let said = refused(&[("U1", Some("Nina Berg")), ("U1", Some("nina@tern.example"))]).await;
    assert!(
        said.contains("mean the same person of the file, Nina Berg"),
        "{said}"
    );
    let said = refused(&[("U1", Some("Nina Berg")), ("U2", Some("nina@tern.example"))]).await;
    assert!(
        said.contains("mean the same person of the file, Nina Berg"),
        "{said}"
    );
    let said = refused(&[("U1", Some("Nina Berg")), ("U3", Some("Jonas Weber"))]).await;
    assert!(said.contains("not of one workspace"), "{said}");
    assert!(entries(&store, &nina).await.is_empty());

    let (format, plan, done) = import(&store, &file, for_people(&[("U1", Some("NINA BERG"))]))
        .await
        .unwrap();
    assert_eq!((format, done.new), (ImportFormat::Clockify, 2));
    let left_out: Vec<String> = plan
        .left_out
        .iter()
        .map(|(who, rows)| format!("{who} {rows}"))
        .collect();
    assert_eq!(left_out, ["Jonas Weber (jonas@tern.example) 1"]);
    let both = for_people(&[
        ("U1", Some("Nina Berg")),
        ("U2", Some("jonas@tern.example")),
    ]);
    let (_, _, done) = import(&store, &file, both).await.unwrap();
    assert_eq!((done.new, done.there), (1, 2));
    let of_jonas = entries(&store, &jonas).await;
    assert_eq!(of_jonas[0].description, "Reading");
    let of_nina = entries(&store, &nina).await;
    assert_eq!(
        of_nina[0].description,
        "Push notifications\nand their settings"
    );
    assert_eq!(
        of_nina[0].started_at.unwrap().to_rfc3339(),
        "2024-03-06T09:00:00+00:00"
    );
    assert_eq!(
        of_nina[1].ended_at.unwrap().to_rfc3339(),
        "2024-03-14T23:30:00+00:00"
    );

    // The same id in two workspaces is two people.
    store
        .save_member("T2", "U1", Some(&berlin("Nina")))
        .await
        .unwrap();
    let said = refused(&[("U1", Some("Nina Berg"))]).await;
    assert!(said.contains("several workspaces"), "{said}");
    let of_one = ImportOptions {
        workspace_id: Some("T1".to_owned()),
        ..for_people(&[("U1", Some("Nina Berg"))])
    };
    assert_eq!(import(&store, &file, of_one).await.unwrap().2.there, 2);
}

async fn what_harvest_has_invoiced_is_billed(store: Store, _clock: Clock) {
    let nina = nina(&store).await;
    let (format, plan, _) = import(&store, &data("harvest.csv"), for_people(&[("U1", None)]))
        .await
        .unwrap();
    assert_eq!(format, ImportFormat::Harvest);
    let all = entries(&store, &nina).await;
    let of: Vec<(EntryStatus, u32, bool)> = all
        .iter()
        .map(|entry| (entry.status, entry.duration_minutes.get(), entry.is_timed))
        .collect();
    let mut expected = [
        (EntryStatus::Billed, 210, false),
        (EntryStatus::Approved, 20, false),
        (EntryStatus::Pending, 480, false),
    ];
    // In one day, in the order of their ids.
    if of[1].1 == 480 {
        expected.swap(1, 2);
    }
    assert_eq!(of, expected);
    let day_off = plan
        .projects
        .iter()
        .find(|project| project.name == "Holidays")
        .unwrap();
    assert!(!day_off.is_billable, "none of its entries is");
    let (_, plan, _) = import(&store, &data("semicolons.csv"), for_people(&[("U1", None)]))
        .await
        .unwrap();
    assert_eq!(plan.people[0].new_minutes, 450);
}

/// A reader that fails after so many bytes.
struct Torn<'a>(&'a [u8], usize);

impl Read for Torn<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.1 == 0 {
            return Err(std::io::Error::other("the disk is gone"));
        }
        let most = into.len().min(self.1);
        let read = self.0.read(&mut into[..most])?;
        self.1 -= read;
        Ok(read)
    }
}

async fn what_broke_off_is_continued_and_nothing_is_doubled(store: Store, _clock: Clock) {
    let nina = nina(&store).await;
    let mut file = "Date,Project,Task,Notes,Hours\n".to_owned();
    for number in 0..1_700_u64 {
        let date = day() - Days::new(number % 300);
        let (project, words) = (number % 7, number % 90);
        writeln!(file, "{date},Project {project},Design,Words {words},0.5").unwrap();
    }
    let plan = {
        let whole = Import::open(
            store.clone(),
            || Ok(file.as_bytes()),
            for_people(&[("U1", None)]),
        )
        .await
        .unwrap();
        whole.plan(|_| {}).await.unwrap()
    };
    assert_eq!(plan.new_entries(), 1_700);
    // The header is read, then the whole file for its dates, then it breaks off half way.
    let opened = std::cell::Cell::new(0);
    let torn = || {
        opened.set(opened.get() + 1);
        let bytes = if opened.get() <= 2 {
            usize::MAX
        } else {
            file.len() / 2
        };
        Ok(Torn(file.as_bytes(), bytes))
    };
    let torn = Import::open(store.clone(), torn, for_people(&[("U1", None)]))
        .await
        .unwrap();
    let stop = torn.run(&plan, |_| {}).await.unwrap_err();
    assert!(stop.to_string().contains("the disk is gone"), "{stop}");
    let stored = entries(&store, &nina).await.len() as u64;
    assert_eq!(stored, 500, "whole batches");
    let (_, again, done) = import(&store, file.as_bytes(), for_people(&[("U1", None)]))
        .await
        .unwrap();
    assert_eq!((done.new, done.there, done.projects), (1_200, 500, 0));
    assert_eq!(again.projects.len(), 7);
    assert_eq!(entries(&store, &nina).await.len(), 1_700);
}

async fn an_export_of_billops_can_be_taken_in_elsewhere(store: Store, _clock: Clock) {
    let nina = nina(&store).await;
    let new = NewProject {
        slug: "acme".to_owned(),
        name: "-Acme".to_owned(),
        client: Some(("tern".to_owned(), "Tern, \"Ltd\"".to_owned())),
        is_billable: true,
    };
    let made = store.create_project(nina.slack_integration_id, &new).await;
    let ProjectChange::Done(project) = made.unwrap() else {
        panic!("it is made")
    };
    let words = ["=1+1", "'=1", "Two\nlines", "Grüße, \"quoted\""];
    for (number, said) in (0..30_u32).zip(words.into_iter().cycle()) {
        let mut new = meeting(&nina, key(10 + u128::from(number)), 20 + number);
        said.clone_into(&mut new.fields.description);
        new.fields.date = day() - Days::new(u64::from(number));
        if number % 3 == 0 {
            new.fields.project = Some(project.clone());
            new.fields.tags = vec!["web".to_owned(), "on-site".to_owned()];
            new.fields.billable = true;
            let start = new.fields.date.and_hms_opt(8, 0, 0).unwrap().and_utc();
            new.fields.span = Some((
                start,
                start + chrono::TimeDelta::minutes(20 + i64::from(number)),
            ));
            new.fields.is_timed = true;
        }
        store.insert_entry(new, soon()).await.unwrap();
    }
    let export = async |store: &Store, member: &Member| {
        let mut export = EntryExport::of_member(store.clone(), member, ExportSpan::default());
        let mut text = Vec::new();
        while let Some(lines) = export.next().await.unwrap() {
            text.extend(lines);
        }
        text
    };
    let file = export(&store, &nina).await;
    // Where they are from, they are known by their ids.
    let (format, _, done) = import(&store, &file, for_people(&[("U1", None)]))
        .await
        .unwrap();
    assert_eq!(
        (format, done.new, done.there),
        (ImportFormat::BillOps, 0, 30)
    );

    let database = Database::in_memory();
    let (other, _clock) = database.open().await;
    let lena = other
        .save_member("T9", "U9", Some(&berlin("Lena")))
        .await
        .unwrap();
    let (_, _, done) = import(&other, &file, for_people(&[("U9", None)]))
        .await
        .unwrap();
    assert_eq!((done.new, done.projects), (30, 1));
    let same = |entry: &TimeEntry| {
        let fields = entry.fields();
        let slug = fields.project.map(|project| project.slug);
        let said = (
            entry.id,
            entry.typed_text.clone(),
            fields.is_timed,
            fields.span,
            fields.description,
        );
        (
            said,
            fields.date,
            fields.duration,
            slug,
            fields.billable,
            fields.tags,
        )
    };
    let (here, there) = (entries(&store, &nina).await, entries(&other, &lena).await);
    let (here, there): (Vec<_>, Vec<_>) = (
        here.iter().map(same).collect(),
        there.iter().map(same).collect(),
    );
    assert_eq!(here, there);
    // An id that is somebody else's here is no way to their entry.
    let jonas = other
        .save_member("T9", "U8", Some(&berlin("Jonas")))
        .await
        .unwrap();
    let (_, plan, done) = import(&other, &file, for_people(&[("U8", None)]))
        .await
        .unwrap();
    assert_eq!((done.new, done.there, plan.problem_count), (0, 0, 30));
    let problem = plan.problems[0].1.to_string();
    assert!(problem.contains("somebody else's"), "{problem}");
    assert!(entries(&other, &jonas).await.is_empty());
    other.close().await;
}

async fn projects_are_found_by_all_their_names_and_never_guessed(store: Store, _clock: Clock) {
    let nina = nina(&store).await;
    let workspace = nina.slack_integration_id;
    for (slug, name, client) in [
        ("acme", "Website relaunch", Some("Acme")),
        ("halden-web", "Website", Some("Halden")),
        ("tern-web", "Website", Some("Tern")),
        ("plain", "Plain", None),
    ] {
        let new = NewProject {
            slug: slug.to_owned(),
            name: name.to_owned(),
            client: client.map(|client| (client.to_lowercase(), client.to_owned())),
            is_billable: slug == "acme",
        };
        store.create_project(workspace, &new).await.unwrap();
    }
    let file = |rows: &[&str]| {
        let mut text = "Date,Client,Project,Task,Notes,Hours\n".to_owned();
        for row in rows {
            writeln!(text, "2026-09-01,{row},Design,Words,1").unwrap();
        }
        text
    };
    let rows = file(&[
        ",website RELAUNCH",
        "Acme,acme",
        "Halden,Website",
        // Of another client, it is another one; so is the beginning of a name.
        "Acme,Plain",
        ",Websit",
        "ACME,plain",
        "Other,💥",
        "🌱,10023",
    ]);
    let (_, plan, done) = import(&store, rows.as_bytes(), for_people(&[("U1", None)]))
        .await
        .unwrap();
    let projects: Vec<(String, bool, u64)> = plan
        .projects
        .iter()
        .map(|project| {
            (
                project.slug.clone(),
                project.existing.is_some(),
                project.new,
            )
        })
        .collect();
    let expected = [
        ("acme", true, 2),
        ("halden-web", true, 1),
        ("acme-plain", false, 2),
        ("websit", false, 1),
        ("other", false, 1),
        ("p10023", false, 1),
    ];
    assert_eq!(
        projects,
        expected.map(|(slug, there, new)| (slug.to_owned(), there, new))
    );
    assert_eq!(done.projects, 4);
    let all = entries(&store, &nina).await;
    let billable = all.iter().filter(|entry| entry.billable).count();
    assert_eq!(billable, 2 + 5, "as their projects are");
    let clients = store.clients(workspace).await.unwrap();
    assert_eq!(clients.len(), 4, "ACME is Acme: {clients:?}");

    let rows = file(&[",Website"]);
    let stop = import(&store, rows.as_bytes(), for_people(&[("U1", None)]))
        .await
        .unwrap_err();
    assert!(
        stop.to_string()
            .contains("“Website” is what several projects are called"),
        "{stop}"
    );
}

async fn an_import_is_taken_back_but_for_what_was_changed_since(store: Store, _clock: Clock) {
    let nina = nina(&store).await;
    let jonas = store
        .save_member("T1", "U2", Some(&berlin("Jonas")))
        .await
        .unwrap();
    store
        .insert_entry(meeting(&nina, key(1), 30), soon())
        .await
        .unwrap();
    let file = data("toggl.csv");
    for id in ["U1", "U2"] {
        import(&store, &file, for_people(&[(id, None)]))
            .await
            .unwrap();
    }
    let all = entries(&store, &nina).await;
    // One is changed, one is deleted, one is deleted and put back.
    let mut fields = all[1].fields();
    "A long call".clone_into(&mut fields.description);
    let step = Step {
        entry_id: all[1].id,
        version: 1,
        to: Some(fields),
    };
    let steps = [step];
    let changed = store.change_entries(nina.user_id, ChangeKind::Edit, &steps, None);
    changed.await.unwrap();
    store
        .take_back(nina.user_id, all[2].id, 1, None)
        .await
        .unwrap();
    let whole = Import::open(store.clone(), || Ok(&file[..]), for_people(&[("U1", None)]))
        .await
        .unwrap();
    let done = whole.take_back(|_| {}).await.unwrap();
    assert_eq!((done.removed, done.changed), (4, 1));
    let says = |entries: Vec<TimeEntry>| -> Vec<String> {
        entries.into_iter().map(|entry| entry.description).collect()
    };
    assert_eq!(
        says(entries(&store, &nina).await),
        ["A long call", "Meeting"]
    );
    assert_eq!(entries(&store, &jonas).await.len(), 6, "his stay");
    let again = whole.take_back(|_| {}).await.unwrap();
    assert_eq!((again.removed, again.changed), (0, 1));
    // What has another status by now stays, too.
    let harvest = data("harvest.csv");
    import(&store, &harvest, for_people(&[("U1", None)]))
        .await
        .unwrap();
    let billed = String::from_utf8(harvest)
        .unwrap()
        .replace("Yes,No,Yes", "Yes,Yes,Yes");
    let billed = Import::open(
        store.clone(),
        || Ok(billed.as_bytes()),
        for_people(&[("U1", None)]),
    )
    .await
    .unwrap();
    let done = billed.take_back(|_| {}).await.unwrap();
    assert_eq!((done.removed, done.changed), (2, 1));
    // And it can be imported once more.
    let (_, _, done) = import(&store, &file, for_people(&[("U1", None)]))
        .await
        .unwrap();
    assert_eq!((done.new, done.there), (4, 1));
}

async fn what_is_there_under_another_name_is_pointed_out(store: Store, _clock: Clock) {
    let nina = nina(&store).await;
    let jonas = store
        .save_member("T1", "U2", Some(&berlin("Jonas")))
        .await
        .unwrap();
    for (hour, member) in [(8_u32, &nina), (9, &jonas)] {
        let mut new = meeting(member, key(u128::from(hour)), 60);
        let start = format!("2026-11-20T{hour:02}:00:00Z")
            .parse::<DateTime<Utc>>()
            .unwrap();
        new.fields.span = Some((start, start + TimeDelta::hours(1)));
        new.fields.is_timed = true;
        store.insert_entry(new, soon()).await.unwrap();
    }
    let file = "Email,Description,Start date,Start time,End date,End time,Duration\r\n\
                n@x.example,Kick-off,2026-11-20,09:00,2026-11-20,10:00,1:00\r\n\
                n@x.example,Longer,2026-11-20,09:00,2026-11-20,10:30,1:30\r\n\
                n@x.example,At the time of Jonas,2026-11-20,10:00,2026-11-20,11:00,1:00\r\n\
                n@x.example,In the gap,2026-03-29,02:15,2026-03-29,03:45,0:30\r\n\
                n@x.example,Twice that hour,2025-10-26,02:30,2025-10-26,04:00,1:30\r\n";
    let (_, plan, done) = import(&store, file.as_bytes(), for_people(&[("U1", None)]))
        .await
        .unwrap();
    assert_eq!((plan.twins, plan.twin_count, done.new), (vec![2], 1, 5));
    assert_eq!(plan.odd, [5, 6]);
    let (_, plan, _) = import(&store, file.as_bytes(), for_people(&[("U1", None)]))
        .await
        .unwrap();
    assert_eq!(plan.twin_count, 0, "nothing is new");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_none_are_refused_in_words() {
    let database = Database::in_memory();
    let (store, _clock) = database.open().await;
    nina(&store).await;
    let refused = async |file: &[u8], order: Option<DateOrder>| {
        let options = ImportOptions {
            order,
            ..for_people(&[("U1", None)])
        };
        import(&store, file, options).await.map(|(_, plan, _)| plan)
    };
    for (file, said) in [
        (&b""[..], "it is empty"),
        (b"\n\n", "it is empty"),
        (b"\xff\xfeD\0a\0t\0e\0", "UTF-16"),
        (
            b"Datum;Stunden\n1;2\n",
            "names no export that BillOps reads",
        ),
        (b"\x89PNG\r\n\x1a\n", "names no export"),
        (
            b"Date,Hours\n3/4/2026,1\n4/3/2026,1\n",
            "“3/4/2026” is a day in either order",
        ),
        (b"Date,Hours\n13/4/2026,1\n4/13/2026,1\n", "in two orders"),
    ] {
        let stop = refused(file, None).await.unwrap_err().to_string();
        assert!(stop.contains(said), "{stop}");
    }
    let mixed = b"Date,Hours,Notes\n13/4/2026,1,a\n4/13/2026,1,b\n5/4/2026,1,c\n";
    let plan = refused(mixed, Some(DateOrder::DayFirst)).await.unwrap();
    assert_eq!((plan.new_entries(), plan.problems[0].0), (2, 3));
    let plan = refused(
        b"Date,Hours,Notes\n2026-09-01,1,caf\xe9\n2026-09-01,1,tea\n\n2026-09-02,1,\"shut\"",
        None,
    )
    .await
    .unwrap();
    assert_eq!(
        (plan.new_entries(), plan.problem_count, plan.rows),
        (2, 1, 3)
    );
    assert!(plan.problems[0].1.to_string().contains("not UTF-8"));
    let odd = b"Date,Hours,Notes\n2026-09-01,1,a\n2026-09-01,1,\"b\n2026-09-02,1,c\n";
    let stop = refused(odd, None).await.unwrap_err().to_string();
    assert!(stop.contains("do not come in pairs"), "{stop}");
    let open =
        "Date,Hours,Notes\n2026-09-01,1,a\n2026-09-01,1,\"".to_owned() + &"x\n".repeat(800_000);
    let stop = refused(open.as_bytes(), None)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        stop.contains("the row that begins in line 3 is longer than 1 MiB"),
        "{stop}"
    );
    let ahead = b"Date,Hours\n2026-11-21,1\n2026-11-23,1\n";
    let plan = refused(ahead, None).await.unwrap();
    assert_eq!((plan.new_entries(), plan.problem_count), (1, 1));
    assert!(plan.problems[0].1.to_string().contains("in the future"));
    let many = "Date,Hours\n".to_owned() + &"2026-09-01,x\n".repeat(700);
    let plan = refused(many.as_bytes(), None).await.unwrap();
    assert_eq!((plan.problems.len(), plan.problem_count), (20, 700));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_lists_first_and_imports_then() {
    let database = Database::on_disk();
    let (store, _clock) = database.open().await;
    let nina = nina(&store).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("toggl.csv"), data("toggl.csv")).unwrap();
    let broken = String::from_utf8(data("toggl.csv"))
        .unwrap()
        .replace("00:48:41", "soon");
    std::fs::write(folder.path().join("broken.csv"), broken).unwrap();
    let dates = "Date,Hours\n3/4/2026,1\n3/13/2026,1\n";
    std::fs::write(folder.path().join("dates.csv"), dates).unwrap();
    let run = async |arguments: &[&str]| {
        let ended = Command::new(env!("CARGO_BIN_EXE_billops"))
            .arg("import")
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", &database.url)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let out = String::from_utf8(ended.stdout).unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        (ended.status.code(), out, said)
    };
    let (code, out, said) = run(&["toggl.csv", "--user", "U1", "--dry-run"]).await;
    assert_eq!((code, &*said), (Some(0), ""));
    for line in [
        "toggl.csv is a detailed report of Toggl Track.",
        "line 3: 2026-09-01 13:00–13:49 49 min Call with the client #website-relaunch · billable · Nina Berg",
        "Days: 2026-09-01 to 2026-10-26",
        "Nina Berg (U1, in the file Nina Berg (nina@tern.example)): 6 new entries, 8 h 24 min in all. Times are those of \
         Europe/Berlin.",
        "1 entry has seconds in the file and whole minutes here, at least one: 48 min 41 s become 49 min.",
        "Tags that are one word here: “on site” +on-site",
        "Projects that are made:",
        "  #website-relaunch · Website relaunch · Acme: 2 new entries",
        "Tags that are left out, because a tag begins with a letter and an entry has 20 at most: 2nd",
        "Nothing was changed.",
    ] {
        assert!(out.lines().any(|one| one == line), "{line}\n{out}");
    }
    assert!(entries(&store, &nina).await.is_empty());
    assert!(
        store
            .projects(nina.slack_integration_id)
            .await
            .unwrap()
            .is_empty()
    );

    let (code, out, _) = run(&["dates.csv", "--user", "U1", "--dry-run"]).await;
    assert_eq!(code, Some(0), "{out}");
    assert!(
        out.contains("Its dates have the month first: 3/4/2026 is March 4."),
        "{out}"
    );
    assert!(
        out.contains("line 2: 2026-03-04 1 h No description"),
        "{out}"
    );

    let (code, out, _) = run(&["broken.csv", "--user", "U1", "--dry-run"]).await;
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("nothing would be imported either"), "{out}");
    let (code, out, _) = run(&["broken.csv", "--user", "U1"]).await;
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("  line 3: “soon” is no length."), "{out}");
    assert!(out.contains("Nothing was imported."), "{out}");
    assert!(entries(&store, &nina).await.is_empty());
    let (code, out, _) = run(&["broken.csv", "--user", "U1", "--skip-problems"]).await;
    assert_eq!(code, Some(0), "{out}");
    assert!(
        out.contains("Imported: 5 entries, and 2 projects made."),
        "{out}"
    );
    let (code, out, said) = run(&["toggl.csv", "--user", "U1"]).await;
    assert_eq!((code, &*said), (Some(0), ""), "no terminal, no progress");
    assert!(
        out.contains(
            "  5 entries are there already.
Projects that are there:"
        ) && out.contains("Imported: 1 entry, and 0 projects made."),
        "{out}"
    );
    assert_eq!(entries(&store, &nina).await.len(), 6);

    let (code, out, _) = run(&["toggl.csv", "--user", "U1", "--undo", "--dry-run"]).await;
    assert_eq!(
        (code, entries(&store, &nina).await.len()),
        (Some(0), 6),
        "{out}"
    );
    let (code, out, _) = run(&["toggl.csv", "--user", "U1", "--undo"]).await;
    assert_eq!(
        (code, entries(&store, &nina).await.len()),
        (Some(0), 0),
        "{out}"
    );
    assert!(out.ends_with("Taken back: 6 entries.\n"), "{out}");

    for (arguments, problem) in [
        (
            &["none.csv", "--user", "U1"][..],
            "none.csv: it cannot be read",
        ),
        (
            &["toggl.csv", "--user", "U7"],
            "met nobody with the Slack id “U7”",
        ),
        (
            &["toggl.csv", "--user", "U1=Ada"],
            "toggl.csv: it holds no entries of “Ada”",
        ),
        (&[".", "--user", "U1"], "no regular file"),
    ] {
        let (code, _, said) = run(arguments).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(problem), "{said}");
    }
    // A pipe can be read only once; what is in a file does nothing to the terminal.
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    let (code, _, said) = run(&["fifo", "--user", "U1"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("it is no regular file"), "{said}");
    let hostile = "Date,Hours,First Name,Notes\n2026-09-01,\u{1b}]0;x\u{7},\u{1b}[2J,x\n";
    std::fs::write(folder.path().join("hostile.csv"), hostile).unwrap();
    let (_, out, said) = run(&["hostile.csv", "--user", "U1", "--dry-run"]).await;
    assert!(out.contains("]0;x") && out.contains("[2J"), "{out}");
    for text in [out, said] {
        let is_safe = text.chars().all(|c| !c.is_control() || c == '\n');
        assert!(is_safe, "{text:?}");
    }
    let (code, _, said) = run(&["toggl.csv"]).await;
    assert_eq!(code, Some(2));
    assert!(said.contains("--user"), "{said}");
    store.close().await;
    database.remove().await;
}
