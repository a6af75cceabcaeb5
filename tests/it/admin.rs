//! What admins decide for their workspace: the form, what follows from it for everybody, the record of it.

use billops::{
    domain::{
        member::Member,
        rounding::Rounding,
        workspace::{AuditRecord, WorkspaceSettings},
    },
    jobs::Job,
    sandbox::{Choice, Fault, Sandbox, View},
};
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    attacks::api_token,
    bot::{NINA, TestBot},
    visitor::{Visitor, settled},
};

const JONAS: &str = "jonas";
const WORKSPACE: &str = "T07TERN001";

fn text(view: &View) -> String {
    Value::from(view.blocks().to_vec()).to_string()
}

fn typed(text: &str) -> Choice {
    Choice::Text(text.to_owned())
}

fn chosen(value: &str) -> Choice {
    Choice::Option(value.to_owned())
}

fn ticked(names: &[&str]) -> Choice {
    Choice::Options(names.iter().map(|&name| name.to_owned()).collect())
}

impl TestBot {
    /// A person's Home tab, opened anew, once it says this.
    pub(crate) async fn home_of(&self, person: &str, words: &str) -> View {
        self.slack.open_home(person).await.unwrap();
        let shows = |slack: &Sandbox| {
            let home = slack.home(person)?;
            text(&home).contains(words).then_some(home)
        };
        match self.slack.wait_for(words, shows).await {
            Ok(home) => home,
            Err(late) => panic!("{late}: {}", text(&self.slack.home(person).unwrap())),
        }
    }

    /// The form for the settings, as Nina opens it, who is an admin.
    pub(crate) async fn open_workspace(&self) -> View {
        let home = self.home_of(NINA, "only admins see this").await;
        let pressed = self.slack.click(NINA, &home, "workspace.open").await;
        assert_eq!(pressed.unwrap().error, None);
        self.form().await
    }

    /// It is that moment, and whatever is due then has been sent.
    async fn summaries_come_due(&self, moment: &str) {
        let moment: DateTime<Utc> = moment.parse().unwrap();
        self.clock.advance(moment - self.clock.now());
        let job = Job::LookForSummaries.to_row();
        self.bot.store().add_job(&job).await.unwrap();
        settled(self).await;
    }

    pub(crate) async fn member(&self, slack_user: &str) -> Member {
        let member = self.bot.store().member(WORKSPACE, slack_user).await;
        member.unwrap().unwrap()
    }

    pub(crate) async fn settings(&self) -> WorkspaceSettings {
        self.member("U07NINA001").await.workspace
    }

    pub(crate) async fn audited(&self) -> Vec<AuditRecord> {
        let nina = self.member("U07NINA001").await;
        let records = self
            .bot
            .store()
            .audit_records(nina.slack_integration_id, None, 100);
        records.await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_changes_the_settings_and_everybody_follows() {
    let bot = TestBot::start().await;
    bot.say_as(JONAS, "/time 1h: before").await;
    let home = bot.home_of(JONAS, "of 8 h").await;
    assert!(!text(&home).contains("workspace.open"), "{}", text(&home));
    let form = bot.open_workspace().await;
    let shown = text(&form);
    for words in [
        "Nobody yet.",
        "Nothing was changed yet.",
        "To the nearest 30 min",
    ] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    let unchanged = bot.submit(&form, &[]).await;
    assert!(unchanged.closed, "{:?}", unchanged.errors);
    assert_eq!(bot.settings().await, WorkspaceSettings::default());
    assert_eq!(bot.audited().await, []);

    let form = bot.open_workspace().await;
    let entered = [
        ("target_minutes_per_day", typed("7h 30m")),
        ("rounding", chosen("up:15")),
        ("project_creators", chosen("admins")),
        ("features", ticked(&["time_enabled"])),
    ];
    let saved = bot.submit(&form, &entered).await;
    assert!(saved.closed, "{:?}", saved.errors);
    let settings = bot.settings().await;
    assert_eq!(settings.target_per_day.get(), 450);
    assert_eq!(settings.rounding, Rounding::Up(15));
    assert!(
        !settings.everyone_creates_projects && settings.time_enabled && !settings.notices_enabled
    );
    bot.home_of(NINA, "*Rounding in reports* up to 15 min")
        .await;
    bot.home_of(JONAS, "of 7 h 30 min").await;
    bot.home_of(JONAS, "switched summaries and notices off")
        .await;
    assert!(!bot.member("U07JONAS02").await.may_create_projects);

    let records = bot.audited().await;
    let mut words: Vec<String> = records
        .iter()
        .map(|one| {
            let value = |value: &Option<String>| value.clone().unwrap();
            assert_eq!(one.slack_user_id, "U07NINA001");
            format!(
                "{} {} {}",
                one.subject.as_str(),
                value(&one.before),
                value(&one.after)
            )
        })
        .collect();
    words.sort();
    let expected = [
        "notices_enabled on off",
        "project_creators everyone admins",
        "rounding none up:15",
        "target_minutes_per_day 480 450",
    ];
    assert_eq!(words, expected);
    let form = text(&bot.open_workspace().await);
    assert!(
        form.contains("<@U07NINA001>: rounding, from none to up to 15 min"),
        "{form}"
    );
    assert!(
        form.contains("hours a day, from 8 h to 7 h 30 min"),
        "{form}"
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_of_ones_own_stays() {
    let bot = TestBot::start().await;
    bot.say_as(JONAS, "/time 1h: before").await;
    let jonas = bot.member("U07JONAS02").await;
    let mut own = jonas.preferences.clone();
    own.target_per_day = billops::domain::minutes::Minutes::new(300);
    let store = bot.bot.store();
    store
        .save_preferences(jonas.binding_id, &own, &[])
        .await
        .unwrap();
    let form = bot.open_workspace().await;
    let six = [("target_minutes_per_day", typed("6h"))];
    assert!(bot.submit(&form, &six).await.closed);
    assert_eq!(
        bot.member("U07JONAS02")
            .await
            .preferences
            .target_per_day
            .get(),
        300
    );
    // Whoever takes the workspace's follows it from then on.
    own.target_per_day = billops::domain::minutes::Minutes::new(360);
    store
        .save_preferences(jonas.binding_id, &own, &[])
        .await
        .unwrap();
    let form = bot.open_workspace().await;
    let seven = [("target_minutes_per_day", typed("7h"))];
    assert!(bot.submit(&form, &seven).await.closed);
    assert_eq!(
        bot.member("U07JONAS02")
            .await
            .preferences
            .target_per_day
            .get(),
        420
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_saved_is_said_at_its_field() {
    let bot = TestBot::start().await;
    let form = bot.open_workspace().await;
    for (entered, sentence) in [
        ("8x", "8x is not a length of time. Try 8 h or 7h 30m."),
        ("25h", "25h is not a length of time. Try 8 h or 7h 30m."),
    ] {
        let refused = bot
            .submit(&form, &[("target_minutes_per_day", typed(entered))])
            .await;
        assert_eq!(refused.errors["target_minutes_per_day"], sentence);
    }
    // Slack does not say whether Nina is an admin still: nothing is taken on trust.
    bot.slack.fail_next("users.info", 1, Fault::Status(503));
    let refused = bot
        .submit(&form, &[("target_minutes_per_day", typed("6h"))])
        .await;
    let sentence = &refused.errors["target_minutes_per_day"];
    assert!(
        sentence.contains("Slack did not say whether you are an admin"),
        "{sentence}"
    );
    assert_eq!(bot.settings().await, WorkspaceSettings::default());
    assert!(
        bot.submit(&form, &[("target_minutes_per_day", typed("6h"))])
            .await
            .closed
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_admins_the_second_sees_what_the_first_one_saved() {
    let bot = TestBot::start().await;
    let form = bot.open_workspace().await;
    let nina = bot.member("U07NINA001").await;
    let other = WorkspaceSettings {
        rounding: Rounding::Nearest(6),
        ..WorkspaceSettings::default()
    };
    let saved = bot
        .bot
        .store()
        .save_workspace_settings(nina.binding_id, 1, &other);
    saved.await.unwrap();
    let stale = bot.submit(&form, &[("rounding", chosen("up:30"))]).await;
    assert!(!stale.closed && stale.errors.is_empty());
    let now = bot.form().await;
    let shown = text(&now);
    assert!(shown.contains("*Nothing was saved.*"), "{shown}");
    assert_eq!(bot.settings().await.rounding, Rounding::Nearest(6));
    assert!(
        bot.submit(&now, &[("rounding", chosen("up:30"))])
            .await
            .closed
    );
    assert_eq!(bot.settings().await.rounding, Rounding::Up(30));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_show_each_entry_rounded_and_name_the_exact_total() {
    let bot = TestBot::start().await;
    for line in ["/time 7m: mail", "/time 16m: call", "/time 30m: notes"] {
        bot.say(line).await;
    }
    for (rounding, total, note) in [
        ("up:15", "1 h 15 min", "Rounded up to 15 min; exact: 53 min"),
        (
            "nearest:10",
            "1 h",
            "Rounded to the nearest 10 min; exact: 53 min",
        ),
        ("none", "53 min", ""),
    ] {
        let form = bot.open_workspace().await;
        assert!(
            bot.submit(&form, &[("rounding", chosen(rounding))])
                .await
                .closed
        );
        for report in ["/time today", "/time week", "/time month"] {
            let said = bot.say(report).await;
            assert!(
                said.text.contains(&format!(": {total}")),
                "{total} in {}",
                said.text
            );
            assert!(said.text.contains(note), "{note} in {}", said.text);
            assert_eq!(
                said.text.contains("Rounded"),
                !note.is_empty(),
                "{}",
                said.text
            );
        }
    }
    // What is stored stays as it was typed; so does the day in the Home tab.
    bot.home_of(NINA, "*53 min*").await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_notices_are_off_nothing_is_sent() {
    let bot = TestBot::start().await;
    bot.say("/time 1h: before").await;
    let form = bot.open_workspace().await;
    assert!(
        bot.submit(&form, &[("features", ticked(&["time_enabled"]))])
            .await
            .closed
    );
    let dm = bot.slack.world(|world| world.person(NINA).unwrap().dm());
    bot.summaries_come_due("2026-11-20T16:30:00Z").await;
    assert!(bot.slack.messages(NINA, &dm).is_empty());
    let form = bot.open_workspace().await;
    let both = ticked(&["time_enabled", "notices_enabled"]);
    assert!(bot.submit(&form, &[("features", both)]).await.closed);
    bot.summaries_come_due("2026-11-23T16:30:00Z").await;
    assert_eq!(bot.slack.messages(NINA, &dm).len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_typed_while_time_is_off_is_repeated_and_not_lost() {
    let bot = TestBot::start().await;
    let form = bot.open_workspace().await;
    assert!(
        bot.submit(&form, &[("features", ticked(&["notices_enabled"]))])
            .await
            .closed
    );
    let answer = bot.say_as(JONAS, "/time 2.5 hours: Meeting <b>&").await;
    assert!(
        answer.text.contains("switched /time off"),
        "{}",
        answer.text
    );
    assert!(
        answer
            .text
            .contains("/time 2.5 hours: Meeting &lt;b&gt;&amp;"),
        "{}",
        answer.text
    );
    let blocks = Value::from(answer.blocks.clone()).to_string();
    assert!(blocks.contains("2.5 hours: Meeting"), "{blocks}");
    let jonas = bot.member("U07JONAS02").await;
    let friday = chrono::NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let logged = bot.bot.store().totals(jonas.user_id, friday, friday, None);
    assert_eq!(logged.await.unwrap(), []);
    let form = bot.open_workspace().await;
    let both = ticked(&["time_enabled", "notices_enabled"]);
    assert!(bot.submit(&form, &[("features", both)]).await.closed);
    let answer = bot.say_as(JONAS, "/time 2.5 hours: Meeting").await;
    assert!(answer.text.contains("2 h 30 min"), "{}", answer.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_no_admin_any_more_or_has_left_slack_loses_what_was_theirs() {
    let bot = TestBot::start().await;
    bot.slack.set_admin(NINA, true).unwrap();
    bot.say("/time 1h: Meeting").await;
    let token = format!("Bearer {}", api_token(&bot, NINA).await);
    let mut browser = Visitor::new(&bot);
    browser.log_in(&bot.slack, NINA).await;
    let mut program = Visitor::new(&bot);
    // Slack is answered at once; what comes of it is there a little later.
    let mut becomes = async |wanted: &str| {
        let url = program.at("/api/v1/me");
        let headers = [("authorization", token.as_str()), ("origin", "")];
        for _ in 0..200 {
            let page = program.send(Method::GET, &url, None, &headers).await;
            let is = match page.status.as_u16() {
                200 => page.json()["is_admin"].to_string(),
                status => status.to_string(),
            };
            if is == wanted {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("it never became {wanted}");
    };
    becomes("true").await;
    let change = |is_deleted: bool| {
        json!({
            "type": "user_change",
            "user": {
                "id": "U07NINA001", "tz": "Europe/Berlin", "is_admin": false, "is_owner": false,
                "deleted": is_deleted,
            },
        })
    };
    bot.slack.set_admin(NINA, false).unwrap();
    bot.slack.send_event(change(false)).await;
    becomes("false").await;
    bot.slack.send_event(change(true)).await;
    becomes("401").await;
    let url = browser.at("/api/v1/me");
    let page = browser.send(Method::GET, &url, None, &[]).await;
    assert_eq!(page.status.as_u16(), 401, "signed out of the browser");
    bot.finish().await;
}
