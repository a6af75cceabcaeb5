//! Reports, from what a person types to what they and their channel read.

use std::fmt::Write as _;

use billops::{
    domain::{
        member::Member,
        minutes::Minutes,
        project::ProjectRef,
        time_entry::{EntryFields, EntrySource},
    },
    sandbox::{Choice, Fault, Message, NINA as NINA_ID, Sandbox},
    slack::socket::Timings,
    store::{NewEntry, NewProject, Profile, ProjectChange, ProjectEdit},
};
use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    bot::{NINA, TestBot},
    databases::Database,
};

const WORKSPACE: &str = "T07TERN001";

impl TestBot {
    /// Nina as the bot knows her; she is met here where she was not.
    async fn nina(&self) -> Member {
        let store = self.bot.store();
        if let Some(nina) = store.member(WORKSPACE, NINA_ID).await.unwrap() {
            return nina;
        }
        self.lives_in(NINA, chrono_tz::Europe::Berlin).await
    }

    /// The bot meets this person where they are now.
    async fn lives_in(&self, person: &str, zone: Tz) -> Member {
        let person = self
            .slack
            .world(|world| world.person(person).unwrap().clone());
        let profile = Profile {
            name: person.real_name,
            time_zone: Some(zone),
            locale: Some("de-DE".to_owned()),
            is_admin: true,
        };
        let store = self.bot.store();
        store
            .save_member(WORKSPACE, &person.id, Some(&profile))
            .await
            .unwrap()
    }

    async fn project(&self, slug: &str, client: Option<&str>) -> ProjectRef {
        let nina = self.nina().await;
        let new = NewProject {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            client: client.map(|name| (name.to_lowercase(), name.to_owned())),
            is_billable: slug != "internal",
        };
        let store = self.bot.store();
        match store.create_project(nina.slack_integration_id, &new).await {
            Ok(ProjectChange::Done(project)) => project,
            other => panic!("{other:?}"),
        }
    }

    /// Logs time of Nina's; `hours` like `7.25`.
    async fn worked(&self, date: &str, hours: f64, project: Option<&ProjectRef>, what: &str) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small numbers"
        )]
        let minutes = Minutes::new((hours * 60.0) as u32);
        let new = NewEntry {
            key: Uuid::from_u128(rand::random()),
            user_id: self.nina().await.user_id,
            source: EntrySource::Slack,
            fields: EntryFields {
                description: what.to_owned(),
                date: date.parse().unwrap(),
                span: None,
                is_timed: false,
                duration: minutes,
                project: project.cloned(),
                billable: project.is_some_and(|project| project.slug != "internal"),
                tags: Vec::new(),
            },
            typed_text: None,
            permalink: None,
            then: None,
        };
        let until = Instant::now() + std::time::Duration::from_secs(10);
        self.bot.store().insert_entry(new, until).await.unwrap();
    }

    /// The week of the design: Monday to Friday, 35 h 30 min.
    async fn design_week(&self) {
        let acme = self.project("acme", Some("Acme")).await;
        let halden = self.project("halden", Some("Halden")).await;
        let internal = self.project("internal", None).await;
        for (day, hours, project) in [
            (16, 5.0, Some(&acme)),
            (16, 3.0, Some(&halden)),
            (17, 5.25, Some(&acme)),
            (17, 2.0, None),
            (18, 6.5, Some(&halden)),
            (18, 2.0, Some(&internal)),
            (19, 4.25, Some(&acme)),
            (19, 2.25, Some(&internal)),
            (20, 5.25, Some(&acme)),
        ] {
            self.worked(&format!("2026-11-{day}"), hours, project, "secret work")
                .await;
        }
    }

    /// What stands in #general for this person and begins so.
    fn read_by(&self, person: &str, beginning: &str) -> Vec<Message> {
        let mut all = self.slack.messages(person, "#general");
        all.retain(|message| message.text.starts_with(beginning));
        all
    }

    /// Waits for a message in #general that begins so.
    async fn told(&self, person: &str, beginning: &str) -> Message {
        let said = |slack: &Sandbox| {
            let all = slack.messages(person, "#general");
            all.into_iter()
                .rev()
                .find(|now| now.text.starts_with(beginning))
        };
        self.slack.wait_for(beginning, said).await.unwrap()
    }

    fn last_press(&self) -> Value {
        let sent = self.slack.traffic();
        let last = sent.iter().rev().find(|line| line.kind == "interactive");
        last.expect("nothing was pressed").body.clone()
    }
}

/// The texts of the blocks, one a line; buttons in brackets.
fn drawn(message: &Message) -> String {
    let mut drawn = String::new();
    let line = |text: &Value, to: &mut String| {
        if let Some(text) = text["text"].as_str() {
            writeln!(to, "{text}").unwrap();
        }
    };
    for block in &message.blocks {
        line(&block["text"], &mut drawn);
        for part in ["fields", "elements"] {
            for element in block[part].as_array().into_iter().flatten() {
                match element["text"]["text"].as_str() {
                    Some(button) => write!(drawn, "[{button}]").unwrap(),
                    None => line(element, &mut drawn),
                }
            }
        }
        let accessory = &block["accessory"]["text"]["text"];
        if let Some(button) = accessory.as_str() {
            writeln!(drawn, "[{button}]").unwrap();
        }
    }
    drawn
}

fn chart(message: &Message) -> Option<&Value> {
    let mut blocks = message.blocks.iter();
    blocks.find(|block| block["type"] == "data_visualization")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn today_lists_the_entries_and_the_gaps() {
    let bot = TestBot::start().await;
    bot.project("acme", None).await;
    for line in [
        "/time 8:15-9 Planning",
        "/time 12:10-13 Lunch & learn",
        "/time 10:30-12 #acme Wireframes *checkout*",
    ] {
        bot.say(line).await;
    }
    let today = bot.say("/time today").await;
    assert_eq!(
        today.text,
        "Today, Fri 20 Nov: 3 h 5 min of 8 h, 4 h 55 min to go. 08:15–09:00 Planning, 45 min, no project. \
         10:30–12:00 Wireframes *checkout*, 1 h 30 min, #acme. 12:10–13:00 Lunch &amp; learn, 50 min, no project. \
         Nothing logged 09:00–10:30. Nothing logged 13:00–13:30. Billable: 1 h 30 min, 49 %."
    );
    let shown = drawn(&today);
    assert!(
        shown.starts_with(
            "*Today, Fri 20 Nov*\n▇▇▇░░░░░  *3 h 5 min* of 8 h · 4 h 55 min to go\n\
             08:15–09:00 · *Planning* · 45 min · no project\n\
             10:30–12:00 · *Wireframes \u{2060}*checkout\u{2060}** · 1 h 30 min · #acme\n"
        ),
        "{shown}"
    );
    assert!(
        shown.ends_with("[Log time][Yesterday][Share in channel]"),
        "{shown}"
    );

    // The gap opens the form with its times.
    let gap = "gap:0900.r1/gap.fill";
    bot.slack.click(NINA, &today, gap).await.unwrap();
    let form = bot.slack.modals(NINA).pop().unwrap();
    let initial = |at: usize, field: &str| form.blocks()[at]["element"][field].clone();
    assert_eq!(initial(0, "initial_value"), "09:00–10:30");
    let fields = [("description", Choice::Text("Filled".to_owned()))];
    bot.slack.submit(NINA, &form, &fields).await.unwrap();
    bot.told(
        NINA,
        "Logged 1 h 30 min · Filled. Today, Fri 20 Nov, 09:00–10:30",
    )
    .await;
    let again = bot.say("/time today").await;
    assert!(!again.text.contains("09:00–10:30."), "{}", again.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_day_is_cut_and_says_so() {
    let bot = TestBot::start().await;
    for number in 1..=19 {
        let what = format!("Task {number} {}", "&<>*_~`".repeat(40));
        bot.worked("2026-11-19", 0.25, None, &what).await;
    }
    let day = bot.say("/time yesterday").await;
    assert!(
        day.text
            .starts_with("Yesterday, Thu 19 Nov: 4 h 45 min of 8 h, 3 h 15 min missing. Task 1 "),
        "{}",
        day.text
    );
    assert!(
        day.text.contains(" Task 15 ") && !day.text.contains("Task 16"),
        "{}",
        day.text
    );
    assert!(day.text.contains(" And 4 more. "), "{}", day.text);
    // Nobody knows when these were, so nothing is called a gap.
    assert!(!day.text.contains("Nothing logged"), "{}", day.text);
    assert!(drawn(&day).contains("\nand 4 more\n"));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_shows_days_and_projects() {
    let bot = TestBot::start().await;
    bot.design_week().await;
    let week = bot.say("/time week").await;
    assert_eq!(
        week.text,
        "This week, Mon 16 to Fri 20 Nov: 35 h 30 min of 40 h, 4 h 30 min to go. Mon 8 h, Tue 7 h 15 min, \
         Wed 8 h 30 min, Thu 6 h 30 min, Fri 5 h 15 min. #acme 19 h 45 min, #halden 9 h 30 min, \
         #internal 4 h 15 min, no project 2 h. Billable: 29 h 15 min, 82 %. 2 of 5 days are complete."
    );
    let fields = week.blocks[1]["fields"].as_array().unwrap();
    assert_eq!(
        fields[0]["text"],
        "*By day*\n▇▇▇▇▇▇▇▇  Mon  8 h\n▇▇▇▇▇▇▇░  Tue  7 h 15 min\n▇▇▇▇▇▇▇▇  Wed  8 h 30 min\n\
         ▇▇▇▇▇▇▇░  Thu  6 h 30 min\n▇▇▇▇▇░░░  Fri  5 h 15 min"
    );
    assert_eq!(
        fields[1]["text"],
        "*By project*\n▇▇▇▇░░░░  #acme  19 h 45 min\n▇▇░░░░░░  #halden  9 h 30 min\n\
         ▇░░░░░░░  #internal  4 h 15 min\n▇░░░░░░░  no project  2 h"
    );
    let chart = chart(&week).unwrap();
    assert_eq!(
        chart["chart"]["series"][0]["data"][1],
        json!({"label": "Tue", "value": 7.25})
    );
    let shown = drawn(&week);
    assert!(shown.ends_with("[Last week][Share in channel]"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");

    let projects = bot.say("/time week by project").await;
    assert!(
        projects.text.contains("#acme 19 h 45 min, 56 %; #halden"),
        "{}",
        projects.text
    );
    let both = bot.click(&projects, "report.group").await;
    assert_eq!(both.text, week.text);
    let clients = bot.say("/time report this week by client").await;
    assert!(
        clients.text.contains(
            "Acme 19 h 45 min, 56 %; Halden 9 h 30 min, 27 %; no client 6 h 15 min, 18 %."
        ),
        "{}",
        clients.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_shows_projects_and_turns_to_days_in_place() {
    let bot = TestBot::start().await;
    bot.design_week().await;
    bot.worked("2026-11-01", 1.0, None, "on a Sunday").await;
    let month = bot.say("/time month").await;
    assert_eq!(
        month.text,
        "November so far, Sun 1 to Fri 20 Nov: 36 h 30 min of 120 h so far. #acme 19 h 45 min, 54 %; \
         #halden 9 h 30 min, 26 %; #internal 4 h 15 min, 12 %; no project 3 h, 8 %. \
         Billable: 29 h 15 min, 80 %. 2 of 15 days are complete."
    );
    assert_eq!(chart(&month).unwrap()["chart"]["type"], "pie");
    let days = bot.click(&month, "report.group").await;
    assert!(
        days.text.contains("Sun 1 Nov 1 h, Mon 2 Nov 0 h,")
            && days.text.contains(" Fri 20 Nov 5 h 15 min."),
        "{}",
        days.text
    );
    // A weekend without work and what is to come say nothing.
    assert!(
        !days.text.contains("Sat 7 Nov") && !days.text.contains("23 Nov"),
        "{}",
        days.text
    );
    let weeks = &chart(&days).unwrap()["chart"]["axis_config"]["categories"];
    assert_eq!(
        *weeks,
        json!(["Sun 1 Nov", "2–8 Nov", "9–15 Nov", "16–20 Nov"])
    );
    let back = bot.click(&days, "report.group").await;
    assert_eq!(back.text, month.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_project_is_reported_under_any_of_its_names() {
    let bot = TestBot::start().await;
    bot.design_week().await;
    let one = bot.say("/time week #acme").await;
    assert_eq!(
        one.text,
        "#acme. This week, Mon 16 to Fri 20 Nov: 19 h 45 min. Mon 5 h, Tue 5 h 15 min, Wed 0 h, Thu 4 h 15 min, \
         Fri 5 h 15 min. Billable: 19 h 45 min, 100 %."
    );
    let before = bot.click(&one, "report.page").await;
    assert!(
        before
            .text
            .starts_with("#acme. Last week, Mon 9 to Fri 13 Nov: nothing logged."),
        "{}",
        before.text
    );
    let all = bot.click(&before, "report.project").await;
    assert!(
        all.text
            .starts_with("Last week, Mon 9 to Fri 13 Nov: nothing logged.")
    );
    let day = bot.say("/time report today for #acme").await;
    assert!(
        day.text
            .starts_with("#acme. Today, Fri 20 Nov: 5 h 15 min. secret work"),
        "{}",
        day.text
    );
    let close = bot.say("/time week #hladen").await;
    assert!(
        close.text.contains("I read the project from “hladen”."),
        "{}",
        close.text
    );

    // An archived project keeps its time.
    let nina = bot.nina().await;
    let store = bot.bot.store();
    let all = store.projects(nina.slack_integration_id).await.unwrap();
    let halden = all.iter().find(|project| project.slug == "halden").unwrap();
    let edit = ProjectEdit {
        to: NewProject {
            slug: "halden".to_owned(),
            name: "Halden".to_owned(),
            client: None,
            is_billable: true,
        },
        aliases: Vec::new(),
        is_archived: true,
        renames_client: false,
    };
    let change = store.edit_project(nina.slack_integration_id, halden.id, halden.version, &edit);
    assert!(matches!(change.await.unwrap(), ProjectChange::Done(_)));
    let archived = bot.say("/time week #halden").await;
    assert!(
        archived
            .text
            .starts_with("#halden. This week, Mon 16 to Fri 20 Nov: 9 h 30 min.")
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_is_not_clear_is_asked_for() {
    let bot = TestBot::start().await;
    bot.design_week().await;
    bot.project("acme-app", None).await;
    let asked = bot.say("/time week #acm by day").await;
    assert_eq!(
        asked.text,
        "Which project is “#acm”? Choose #acme, #acme-app, or all projects."
    );
    let one = bot.click(&asked, "report.project.1").await;
    assert!(
        one.text
            .starts_with("#acme. This week, Mon 16 to Fri 20 Nov: 19 h 45 min."),
        "{}",
        one.text
    );
    let unknown = bot.say("/time month #acquisition").await;
    assert_eq!(
        unknown.text,
        "There is no project “#acquisition”. The nearest is #acme. Choose #acme, or all projects."
    );
    let all = bot.click(&unknown, "report.project").await;
    assert!(all.text.starts_with("November so far"), "{}", all.text);
    // A project of nobody here.
    let mut envelope = bot.last_press();
    envelope.as_object_mut().unwrap().remove("envelope_id");
    envelope["payload"]["trigger_id"] = json!("1.2.x");
    envelope["payload"]["actions"][0]["value"] =
        json!("week:2026-W47 p:01a1f8ef-74c8-70fd-9243-62117d03662f");
    assert_eq!(bot.slack.send_envelope(envelope).await.error, None);
    bot.told(NINA, "This is no longer here.").await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_logged_says_what_to_do_next() {
    let bot = TestBot::start().await;
    for (line, text, button) in [
        (
            "/time week",
            "This week, Mon 16 to Fri 20 Nov: nothing logged yet. ",
            "[Log time][Last week]",
        ),
        (
            "/time report last week",
            "Last week, Mon 9 to Fri 13 Nov: nothing logged. ",
            "[Log time][2–6 Nov][This week]",
        ),
        (
            "/time report wed",
            "Wed 18 Nov: nothing logged. ",
            "[Log time][Tue 17 Nov][Yesterday]",
        ),
        (
            "/time report 2025-12",
            "December 2025: nothing logged. ",
            "[Log time][November 2025][January]",
        ),
        (
            "/time report 2025-12-30 by client",
            "Tue 30 Dec 2025: nothing logged. ",
            "[Log time][Mon 29 Dec 2025][Wed 31 Dec 2025]",
        ),
    ] {
        let empty = bot.say(line).await;
        let shown = drawn(&empty);
        assert!(empty.text.starts_with(text), "{}", empty.text);
        assert!(
            empty
                .text
                .contains("Type /time 1h: what you did, or press Log time."),
            "{}",
            empty.text
        );
        assert!(shown.ends_with(button), "{line}: {shown}");
    }
    let today = bot.say("/time today").await;
    assert!(
        today.text.ends_with("Nothing logged 09:00–13:30."),
        "{}",
        today.text
    );
    bot.slack.click(NINA, &today, "entry.new").await.unwrap();
    assert_eq!(bot.slack.modals(NINA).len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_go_back_and_never_into_the_future() {
    let bot = TestBot::start().await;
    bot.design_week().await;
    let now = bot.say("/time week").await;
    let mut page = now.clone();
    for beginning in [
        "Last week, Mon 9 to Fri 13 Nov",
        "Week of Mon 2 to Fri 6 Nov",
        "Week of Mon 26 to Fri 30 Oct",
    ] {
        page = bot.click(&page, "report.page").await;
        assert!(page.text.starts_with(beginning), "{}", page.text);
    }
    for _ in 0..3 {
        page = bot.click(&page, "report.page.1").await;
    }
    assert_eq!(page.text, now.text);
    assert!(!drawn(&page).contains("[23"), "{}", drawn(&page));
    // What a button of tomorrow would carry.
    let mut envelope = bot.last_press();
    envelope.as_object_mut().unwrap().remove("envelope_id");
    envelope["payload"]["trigger_id"] = json!("1.2.x");
    envelope["payload"]["actions"][0]["value"] = json!("day:2026-11-21");
    assert_eq!(bot.slack.send_envelope(envelope).await.error, None);
    bot.told(NINA, "Today, Fri 20 Nov: 5 h 15 min").await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_of_its_reader_and_of_what_stands() {
    let bot = TestBot::start().await;
    bot.say_as("jonas", "/time 3h: theirs").await;
    bot.say("/time 2h: taken back").await;
    bot.say("/time undo").await;
    bot.say("/time 1h: mine").await;
    for line in ["/time today", "/time week", "/time month"] {
        let report = bot.say(line).await;
        assert!(report.text.contains(": 1 h of "), "{}", report.text);
        let all = format!("{} {}", report.text, drawn(&report));
        assert!(
            !all.contains("theirs") && !all.contains("taken back"),
            "{all}"
        );
    }
    // The value of a button names a period and no person.
    let mut envelope = {
        let week = bot.say("/time week").await;
        bot.click(&week, "report.page").await;
        bot.last_press()
    };
    envelope.as_object_mut().unwrap().remove("envelope_id");
    envelope["payload"]["user"]["id"] = json!("U07JONAS02");
    envelope["payload"]["trigger_id"] = json!("1.2.x");
    envelope["payload"]["actions"][0]["value"] = json!("week:2026-W47");
    assert_eq!(bot.slack.send_envelope(envelope).await.error, None);
    bot.told(NINA, "This week, Mon 16 to Fri 20 Nov: 3 h of")
        .await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_projects_with_any_name_stay_within_slacks_limits() {
    let bot = TestBot::start().await;
    let names = ["פרויקט-", "مشروع-", "📐plans", "a_b_c_", "日本語"];
    for number in 0..300_u32 {
        let name = names[number as usize % names.len()];
        let slug = format!("{}{number}", name.repeat(8));
        let slug: String = slug.chars().rev().take(80).collect();
        let client =
            (number % 2 == 0).then(|| format!("&<{}>{number}", "Ünïcödé & Söhne ".repeat(4)));
        let project = bot.project(&slug, client.as_deref()).await;
        bot.worked(
            "2026-11-18",
            1.0 + f64::from(number) / 60.0,
            Some(&project),
            "x",
        )
        .await;
    }
    bot.worked("2026-11-18", 1.0, None, "x").await;
    for line in [
        "/time week",
        "/time month",
        "/time week by project",
        "/time month by client",
    ] {
        let report = bot.say(line).await;
        let others = if line.ends_with("client") {
            "140 others"
        } else {
            "290 others"
        };
        assert!(report.text.contains(others), "{line}: {}", report.text);
        assert!(
            report.text.contains(", no ") || report.text.contains("; no "),
            "{}",
            report.text
        );
        assert!(report.text.chars().count() < 4_000);
        assert!(!report.text.contains('▇'));
    }
    // What is read from right to left turns around nothing beside it.
    let day = bot.say("/time report 2026-11-18").await;
    assert!(day.text.contains("And 286 more."), "{}", day.text);
    let rtl = bot.say("/time week").await.text;
    assert_eq!(
        rtl.matches('\u{2068}').count(),
        rtl.matches('\u{2069}').count()
    );
    assert!(rtl.contains('\u{2068}'));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_day_is_the_persons_across_both_changes_of_the_clock() {
    let bot = TestBot::start().await;
    let mut nights: Vec<(DateTime<Utc>, &str, NaiveDate)> = Vec::new();
    for (person, zone, changes) in [
        ("nina", Tz::Europe__Berlin, ["2027-03-28", "2027-10-31"]),
        ("sam", Tz::America__New_York, ["2027-03-14", "2027-11-07"]),
        ("priya", Tz::Asia__Kolkata, ["2027-03-28", "2027-10-31"]),
        (
            "jonas",
            Tz::Australia__Lord_Howe,
            ["2027-04-04", "2027-10-03"],
        ),
        ("ana", Tz::Pacific__Auckland, ["2027-04-04", "2027-09-26"]),
    ] {
        bot.lives_in(person, zone).await;
        for change in changes {
            let date: NaiveDate = change.parse().unwrap();
            let night = date.and_hms_opt(23, 30, 0).unwrap();
            let night = zone.from_local_datetime(&night).single().unwrap().to_utc();
            nights.push((night, person, date));
        }
    }
    nights.sort();
    for (night, person, date) in nights {
        bot.clock.advance(night - bot.clock.now());
        let before = bot.say_as(person, "/time today").await.text;
        let day = |date: NaiveDate| date.format("%a %-d %b").to_string();
        assert!(
            before.starts_with(&format!("Today, {}: nothing", day(date))),
            "{person}: {before}"
        );
        bot.say_as(person, "/time 1h: late").await;
        let late = bot.say_as(person, "/time today").await.text;
        // These are Sundays: nothing was to be done.
        let says = format!("Today, {}: 1 h. 22:30–23:30 late, 1 h", day(date));
        assert!(late.starts_with(&says), "{person}: {late}");
        bot.clock.advance(TimeDelta::hours(1));
        let next = date.succ_opt().unwrap();
        let empty = bot.say_as(person, "/time today").await.text;
        assert!(
            empty.starts_with(&format!("Today, {}: nothing", day(next))),
            "{person}: {empty}"
        );
        let yesterday = bot.say_as(person, "/time yesterday").await.text;
        assert!(
            yesterday.starts_with(&format!("Yesterday, {}: 1 h. ", day(date))),
            "{person}: {yesterday}"
        );
        let last = bot.say_as(person, "/time report last week").await.text;
        assert!(
            last.contains(": 1 h of 40 h, 39 h missing.") && last.contains("Sun 1 h."),
            "{person}: {last}"
        );
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_travels_takes_their_day_along() {
    let bot = TestBot::on(Database::on_disk(), Timings::default(), |options| options).await;
    // 13:30 in Berlin is half past one at night of the next day in Auckland.
    bot.lives_in(NINA, Tz::Pacific__Auckland).await;
    bot.say("/time 20m: in Auckland").await;
    let there = bot.say("/time today").await;
    assert!(
        there
            .text
            .starts_with("Today, Sat 21 Nov: 20 min. 01:10–01:30 in Auckland"),
        "{}",
        there.text
    );
    bot.lives_in(NINA, Tz::America__Los_Angeles).await;
    let bot = bot.restart().await;
    let here = bot.say("/time today").await;
    assert!(
        here.text
            .starts_with("Today, Fri 20 Nov: nothing logged yet."),
        "{}",
        here.text
    );
    // What was logged on what is tomorrow here belongs to the week, and is shown.
    let week = bot.say("/time week").await;
    assert!(
        week.text
            .starts_with("This week, Mon 16 to Sat 21 Nov: 20 min of 40 h")
            && week.text.contains("Sat 20 min."),
        "{}",
        week.text
    );
    // The message of before still says “yesterday”; it leads to no day that has not begun.
    let page = bot.click(&there, "report.page").await;
    assert!(page.text.starts_with("Today, Fri 20 Nov"), "{}", page.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sharing_posts_totals_once() {
    let bot = TestBot::on(Database::on_disk(), Timings::default(), |options| options).await;
    bot.design_week().await;
    let week = bot.say("/time week").await;
    let button = week.blocks.last().unwrap()["elements"][1].clone();
    assert_eq!(button["confirm"]["title"]["text"], "Share in #general?");
    assert_eq!(
        button["confirm"]["text"]["text"],
        "Everyone there sees your totals by project. Descriptions stay with you."
    );
    let (first, second) = tokio::join!(
        bot.slack.click(NINA, &week, "report.share"),
        bot.slack.click(NINA, &week, "report.share"),
    );
    assert_eq!((first.unwrap().error, second.unwrap().error), (None, None));
    let after = bot.told(NINA, "Shared in #general. This week").await;
    assert_eq!(after.ts, week.ts);
    assert!(drawn(&after).contains("Shared in #general at 13:30 · totals only\n[Last week]"));
    assert!(!drawn(&after).contains("[Share"), "{}", drawn(&after));
    let shared = bot.told("jonas", "Nina Berg shared").await;
    assert_eq!(
        shared.text,
        "Nina Berg shared a week, Mon 16 to Fri 20 Nov: 35 h 30 min. #acme 19 h 45 min, #halden 9 h 30 min, \
         #internal 4 h 15 min, no project 2 h. Totals only, shared on Fri 20 Nov, 13:30."
    );
    assert_eq!(
        drawn(&shared),
        "<@U07NINA001> · week of 16–20 Nov · *35 h 30 min*\n▇▇▇▇░░░░  #acme  19 h 45 min\n\
         ▇▇░░░░░░  #halden  9 h 30 min\n▇░░░░░░░  #internal  4 h 15 min\n▇░░░░░░░  no project  2 h\n\
         Totals only · shared on Fri 20 Nov, 13:30\n"
    );
    // Delivered again, to another replica.
    let mut again = bot.last_press();
    let bot = bot.restart().await;
    again.as_object_mut().unwrap().remove("envelope_id");
    assert_eq!(bot.slack.send_envelope(again).await.error, None);
    bot.say("/time today").await;
    assert_eq!(bot.read_by("jonas", "Nina Berg shared").len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_bot_is_not_a_channel_can_be_chosen() {
    let bot = TestBot::start().await;
    bot.design_week().await;
    let answer = bot
        .slack
        .say(NINA, "#halden", "/time month #acme")
        .await
        .unwrap();
    let month = answer.message.unwrap();
    bot.slack.click(NINA, &month, "report.share").await.unwrap();
    let refused = |slack: &Sandbox| {
        let mut all = slack.messages(NINA, "#halden").into_iter();
        all.find(|now| {
            now.text
                .starts_with("Not shared. BillOps is not in this channel.")
        })
    };
    let refused = bot.slack.wait_for("the refusal", refused).await.unwrap();
    assert!(
        refused
            .text
            .contains("Type /invite @BillOps here and press Share again")
    );
    assert!(
        refused.text.contains("#acme. November so far"),
        "{}",
        refused.text
    );
    bot.slack
        .click(NINA, &refused, "report.choose")
        .await
        .unwrap();
    let form = bot.slack.modals(NINA).pop().unwrap();
    let choose = |id: &str| [("channel", Choice::Is(id.to_owned()))];
    let wrong = bot
        .slack
        .submit(NINA, &form, &choose("C07HALDEN1"))
        .await
        .unwrap();
    assert_eq!(
        wrong.errors["channel"],
        "BillOps is not in this channel. Type /invite @BillOps there, or choose another channel."
    );
    let right = bot
        .slack
        .submit(NINA, &form, &choose("C07GENERAL"))
        .await
        .unwrap();
    assert!(right.closed && right.answer.error.is_none());
    let shared = bot.told("jonas", "Nina Berg shared a month").await;
    assert!(
        shared.text.starts_with(
            "Nina Berg shared a month, November, until Fri 20 Nov: 19 h 45 min. #acme 19 h 45 min."
        ),
        "{}",
        shared.text
    );
    let said = |slack: &Sandbox| {
        let mut all = slack.messages(NINA, "#halden").into_iter();
        all.find(|now| {
            now.text
                .starts_with("Shared in the channel you chose. #acme. November so far")
        })
    };
    let said = bot.slack.wait_for("the answer", said).await.unwrap();
    assert_eq!(said.ts, month.ts);
    assert!(
        drawn(&said).contains("Shared in <#C07GENERAL> at 13:30"),
        "{}",
        drawn(&said)
    );

    // Invited, it can be shared there after all.
    let answer = bot.slack.say(NINA, "#halden", "/time week").await.unwrap();
    let week = answer.message.unwrap();
    bot.slack.click(NINA, &week, "report.share").await.unwrap();
    let refused = |slack: &Sandbox| {
        let mut all = slack.messages(NINA, "#halden").into_iter();
        all.find(|now| now.ts == week.ts && now.text.starts_with("Not shared."))
    };
    let refused = bot.slack.wait_for("the refusal", refused).await.unwrap();
    bot.slack.set_bot_in("#halden", true);
    bot.slack
        .click(NINA, &refused, "report.share")
        .await
        .unwrap();
    let shared = |slack: &Sandbox| {
        let mut all = slack.messages("jonas", "#halden").into_iter();
        all.find(|now| now.text.starts_with("Nina Berg shared"))
    };
    bot.slack.wait_for("the totals", shared).await.unwrap();
    let refused = bot.slack.take_violations();
    assert!(
        refused.iter().all(|one| one.error == "not_in_channel"),
        "{refused:#?}"
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_direct_message_a_channel_is_chosen_at_once() {
    let bot = TestBot::start().await;
    bot.design_week().await;
    let dm = bot.slack.world(|world| world.person(NINA).unwrap().dm());
    let day = bot.slack.say(NINA, &dm, "/time today").await.unwrap();
    let day = day.message.unwrap();
    assert!(drawn(&day).ends_with("[Share…]"), "{}", drawn(&day));
    bot.slack.click(NINA, &day, "report.choose").await.unwrap();
    let form = bot.slack.modals(NINA).pop().unwrap();
    assert!(
        form.blocks()[1]
            .to_string()
            .contains("Today, Fri 20 Nov · Everyone there sees")
    );
    let fields = [("channel", Choice::Is("C07GENERAL".to_owned()))];
    bot.slack.submit(NINA, &form, &fields).await.unwrap();
    let shared = bot
        .told("jonas", "Nina Berg shared a day, Fri 20 Nov: 5 h 15 min.")
        .await;
    assert!(!shared.text.contains("secret"));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_slack_does_not_take_is_said_and_can_be_tried_again() {
    for (fault, says) in [
        (
            Fault::RateLimited(30),
            "Not shared. Slack takes no more messages just now. Share again in a minute.",
        ),
        (
            Fault::Error("restricted_action".to_owned()),
            "Not shared. Slack does not let me post there (restricted_action). Choose another channel.",
        ),
        (
            Fault::Status(503),
            "Slack did not answer, so I cannot say whether this was shared. Look in the channel before",
        ),
    ] {
        let bot = TestBot::start().await;
        bot.design_week().await;
        let week = bot.say("/time week").await;
        bot.slack.fail_next("chat.postMessage", 1, fault);
        bot.slack.click(NINA, &week, "report.share").await.unwrap();
        let told = bot.told(NINA, says).await;
        assert!(bot.read_by("jonas", "Nina Berg shared").is_empty());
        bot.slack.click(NINA, &told, "report.share").await.unwrap();
        bot.told("jonas", "Nina Berg shared").await;
        bot.told(NINA, "Shared in #general.").await;
        bot.finish().await;
    }
}
