//! Preferences: the form in Slack, the same over REST, and what follows from them.

use billops::{
    domain::{calendar_event::EventState, preferences::Preferences},
    sandbox::{
        Choice, Fault, NINA_EMAIL, NewEvent, Provider, Reply, Sandbox, Submission, Suggestions,
        View, When,
    },
    store::{NewProject, ProjectChange},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    bot::{NINA, TestBot},
    visitor::{Page, Visitor, connect, settled},
};

const JONAS: &str = "jonas";
const JSON: &str = "application/json";

impl TestBot {
    async fn open_preferences(&self) -> View {
        let answer = self.slack.say(NINA, "#general", "/time prefs").await;
        let answer = answer.unwrap();
        assert!(answer.error.is_none() && answer.message.is_none());
        self.form().await
    }

    async fn suggested(&self, form: &View, field: &str, typed: &str) -> Suggestions {
        let field = format!("{field}/value");
        let suggest = self.slack.suggest(NINA, form, &field, typed);
        suggest.await.unwrap()
    }

    /// Makes a token for programs, from the form for preferences on.
    async fn make_token(&self, form: &View) {
        self.slack.click(NINA, form, "token.create").await.unwrap();
        let above = |slack: &Sandbox| {
            let form = slack.modals(NINA).pop()?;
            text_of(&form).contains("token.new").then_some(form)
        };
        let above = self.slack.wait_for("the form for it", above).await;
        let above = above.unwrap();
        self.slack.click(NINA, &above, "token.new").await.unwrap();
    }

    async fn preferences_of(&self, slack_user: &str) -> Preferences {
        let member = self.bot.store().member("T07TERN001", slack_user).await;
        member.unwrap().unwrap().preferences
    }

    async fn preferences(&self) -> Preferences {
        self.preferences_of("U07NINA001").await
    }
}

fn text_of(view: &View) -> String {
    Value::from(view.blocks().to_vec()).to_string()
}

fn text(text: &str) -> Choice {
    Choice::Text(text.to_owned())
}

fn ticked(names: &[&str]) -> Choice {
    Choice::Options(names.iter().map(|&name| name.to_owned()).collect())
}

fn is(value: &str) -> Choice {
    Choice::Is(value.to_owned())
}

fn option(suggestions: &Suggestions, nth: usize) -> Choice {
    Choice::Suggested(suggestions.options[nth].clone())
}

fn values(suggestions: &Suggestions) -> Vec<&str> {
    let options = suggestions.options.iter();
    options.map(|one| one["value"].as_str().unwrap()).collect()
}

fn closed(submission: &Submission) {
    assert!(submission.closed, "{:?}", submission.errors);
}

/// Waits for a Home tab that says this.
async fn home_with(bot: &TestBot, words: &str) -> View {
    let shows = |slack: &Sandbox| {
        let home = slack.home(NINA)?;
        text_of(&home).contains(words).then_some(home)
    };
    match bot.slack.wait_for(words, shows).await {
        Ok(home) => home,
        Err(late) => panic!("{late}: {}", text_of(&bot.slack.home(NINA).unwrap())),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_changed_in_the_form_and_follows() {
    let bot = TestBot::start().await;
    bot.projects(&["acme", "halden"]).await;
    bot.slack.open_home(NINA).await.unwrap();
    bot.say("/time 1h #acme: before").await;
    home_with(&bot, "*1 h* of 8 h").await;

    let form = bot.open_preferences().await;
    let shown = text_of(&form);
    for words in ["As in Slack (Europe/Berlin)", "data.open", "17:30", "8 h"] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    let unchanged = bot.submit(&form, &[]).await;
    closed(&unchanged);
    assert_eq!(bot.preferences().await, Preferences::default());

    let form = bot.open_preferences().await;
    let zones = bot.suggested(&form, "time_zone", "new yo").await;
    assert_eq!(values(&zones), ["slack", "America/New_York"]);
    let near = bot.suggested(&form, "time_zone", "").await;
    assert!(values(&near).len() <= 100 && values(&near).contains(&"Europe/Berlin"));
    let projects = bot.suggested(&form, "default_project_id", "hal").await;
    assert_eq!(values(&projects).len(), 2, "{projects:?}");
    assert_eq!(values(&projects)[0], "last");
    let saved = bot
        .submit(
            &form,
            &[
                ("daily_summary", ticked(&["daily_summary", "monday"])),
                ("daily_summary_time", is("16:45")),
                ("summary_days", ticked(&["1", "7"])),
                ("notices", ticked(&["after_meeting"])),
                ("target_minutes_per_day", text("6h 30m")),
                ("workday_start", is("07:15")),
                ("time_zone", option(&zones, 1)),
                ("default_project_id", option(&projects, 1)),
                ("bare_number_unit", Choice::Option("minutes".to_owned())),
                ("meetings", ticked(&["suggest_private"])),
            ],
        )
        .await;
    closed(&saved);
    let now = bot.preferences().await;
    assert_eq!(now.daily_summary_time.to_string(), "16:45:00");
    assert_eq!(now.summary_days.numbers().collect::<Vec<_>>(), [1, 7]);
    assert_eq!(now.time_zone, Some(chrono_tz::America::New_York));
    assert_eq!(now.target_per_day.get(), 390);
    assert_eq!(now.workday_start.to_string(), "07:15:00");
    assert!(now.daily_summary && now.monday && !now.silent_when_done);
    assert!(now.after_meeting && !now.entry_notifications && !now.invoice_notifications);
    assert!(now.wishes.private && !now.wishes.tentative);

    // Home and the very next card: the target, the project, the unit, the zone.
    home_with(&bot, "*1 h* of 6 h 30 min").await;
    home_with(&bot, "America/New_York").await;
    let card = bot.say("/time 20 mail").await;
    assert!(card.text.contains("20 min"), "{}", card.text);
    assert!(card.text.contains("#halden"), "{}", card.text);
    // 13:30 in Berlin is 07:30 in New York.
    assert!(card.text.contains("07:10–07:30"), "{}", card.text);

    // What is there stands in the form, and the ways back.
    let form = bot.open_preferences().await;
    let shown = text_of(&form);
    for words in ["America/New York", "#halden", "6 h 30 min", "16:45"] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    let zones = bot.suggested(&form, "time_zone", "").await;
    let projects = bot.suggested(&form, "default_project_id", "").await;
    let back = [
        ("time_zone", option(&zones, 0)),
        ("default_project_id", option(&projects, 0)),
        ("daily_summary", ticked(&[])),
        ("summary_days", Choice::Nothing),
        ("target_minutes_per_day", text("0")),
    ];
    closed(&bot.submit(&form, &back).await);
    let now = bot.preferences().await;
    assert_eq!((now.time_zone, now.default_project_id), (None, None));
    assert_eq!(now.target_per_day.get(), 0);
    assert!(now.summary_days.is_empty());
    let card = bot.say("/time 20 mail").await;
    assert!(card.text.contains("13:10–13:30"), "{}", card.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_at_its_field_all_at_once() {
    let bot = TestBot::start().await;
    bot.projects(&["acme"]).await;
    let form = bot.open_preferences().await;
    let projects = bot.suggested(&form, "default_project_id", "acme").await;
    bot.say("/time projects").await;
    let store = bot.bot.store();
    let nina = store.member("T07TERN001", "U07NINA001").await;
    let workspace = nina.unwrap().unwrap().slack_integration_id;
    let acme = store.projects(workspace).await.unwrap().remove(0);
    let archived = billops::store::ProjectEdit {
        to: NewProject {
            slug: acme.slug.clone(),
            name: acme.name.clone(),
            client: None,
            is_billable: true,
        },
        aliases: Vec::new(),
        is_archived: true,
        renames_client: false,
    };
    let edit = store.edit_project(workspace, acme.id, acme.version, &archived);
    assert!(matches!(edit.await.unwrap(), ProjectChange::Done(_)));
    let wrong = bot
        .submit(
            &form,
            &[
                ("target_minutes_per_day", text("8x")),
                ("summary_days", Choice::Nothing),
                ("default_project_id", option(&projects, 1)),
            ],
        )
        .await;
    assert!(!wrong.closed);
    let said: Vec<_> = wrong.errors.iter().map(|(a, b)| (&**a, &**b)).collect();
    assert_eq!(
        said,
        [
            (
                "default_project_id",
                "#acme is archived. Choose another project."
            ),
            (
                "summary_days",
                "Choose at least one day, or switch the summary off above."
            ),
            (
                "target_minutes_per_day",
                "8x is not a length of time. Try 8 h or 7h 30m."
            ),
        ]
    );
    assert_eq!(bot.preferences().await, Preferences::default());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_form_does_not_open_a_button_opens_it() {
    let bot = TestBot::start().await;
    bot.slack.fail_next(
        "views.open",
        1,
        Fault::Error("expired_trigger_id".to_owned()),
    );
    let said = bot.say("/time prefs").await;
    assert_eq!(
        said.text,
        "Your preferences did not open. Press Preferences to open them."
    );
    let form = bot.open(&said, "prefs.open").await;
    closed(
        &bot.submit(&form, &[("target_minutes_per_day", text("7.5"))])
            .await,
    );
    assert_eq!(bot.preferences().await.target_per_day.get(), 450);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_wishes_change_what_is_suggested() {
    let bot = TestBot::start().await;
    connect(&bot, "google").await;
    let event = |title: &str| {
        let at = "2026-11-20T08:00:00Z".parse().unwrap();
        NewEvent::new(title, When::from(at, 30))
    };
    bot.slack.provider(Provider::Google, |google| {
        let doctor = NewEvent {
            is_private: true,
            ..event("Doctor")
        };
        let perhaps = NewEvent {
            reply: Reply::NeedsAction,
            ..event("Perhaps")
        };
        for event in [doctor, perhaps] {
            google.add_event(NINA_EMAIL, "Nina Berg", event).unwrap();
        }
    });
    bot.say("/time sync").await;
    settled(&bot).await;
    let suggested = async || {
        let store = bot.bot.store();
        let nina = store.member("T07TERN001", "U07NINA001").await;
        let user = nina.unwrap().unwrap().user_id;
        let span = ["2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"];
        let span = span.map(|at| at.parse().unwrap());
        let events = store.events_between(user, span, None, 50).await.unwrap();
        let is_suggested = |event: &_| matches!(event, EventState::Suggested);
        let mut titles: Vec<String> = events
            .into_iter()
            .filter(|event| is_suggested(&event.state))
            .map(|event| event.title)
            .collect();
        titles.sort();
        titles
    };
    assert_eq!(suggested().await, ["Perhaps"]);
    let form = bot.open_preferences().await;
    let wishes = [("meetings", ticked(&["suggest_private"]))];
    closed(&bot.submit(&form, &wishes).await);
    settled(&bot).await;
    assert_eq!(suggested().await, ["Doctor"]);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_made_and_revoked_in_the_form() {
    let bot = TestBot::start().await;
    let form = bot.open_preferences().await;
    let typed = [("target_minutes_per_day", text("5h"))];
    bot.make_token(&form).await;
    let two = |slack: &Sandbox| {
        let modals = slack.modals(NINA);
        let [below, above] = &*modals else {
            return None;
        };
        let is_shown = text_of(above).contains("```bo_") && text_of(below).contains("Made today");
        is_shown.then(|| above.clone())
    };
    let above = bot.slack.wait_for("the token", two).await.unwrap();
    // Revoked where it is shown, the form below says so, too.
    bot.slack.click(NINA, &above, "token.revoke").await.unwrap();
    let gone = |slack: &Sandbox| {
        let modals = slack.modals(NINA);
        let is_gone =
            |view: &View| !text_of(view).contains("bo_") && !text_of(view).contains("Made");
        modals.iter().all(is_gone).then_some(())
    };
    bot.slack.wait_for("no token", gone).await.unwrap();
    let above = bot.form().await;
    bot.slack.close(NINA, &above).await.unwrap();
    let form = bot.form().await;
    bot.make_token(&form).await;
    let above = bot.slack.wait_for("the token", two).await.unwrap();
    bot.slack.close(NINA, &above).await.unwrap();
    let form = bot.form().await;
    bot.slack.click(NINA, &form, "token.revoke").await.unwrap();
    let none = |slack: &Sandbox| {
        let form = slack.modals(NINA).pop()?;
        text_of(&form).contains("token.create").then_some(form)
    };
    let form = bot.slack.wait_for("no token", none).await.unwrap();
    closed(&bot.submit(&form, &typed).await);
    assert_eq!(bot.preferences().await.target_per_day.get(), 300);
    bot.finish().await;
}

async fn signed_in(bot: &TestBot, person: &str) -> Visitor {
    let mut browser = Visitor::new(bot);
    browser.log_in(&bot.slack, person).await;
    browser
}

async fn put(browser: &mut Visitor, body: &Value) -> Page {
    let url = browser.at("/api/v1/integrations/slack/preferences");
    let body = Some((JSON, body.to_string()));
    browser.send(Method::PUT, &url, body, &[]).await
}

async fn status(browser: &mut Visitor) -> Value {
    let url = browser.at("/api/v1/integrations/slack/status");
    let page = browser.open(&url).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    page.json()
}

/// The fields that were refused.
fn refused(page: &Page) -> Vec<String> {
    assert_eq!(
        page.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        page.body
    );
    assert_eq!(page.headers["content-type"], "application/problem+json");
    let problem = page.json();
    assert_eq!(problem["type"], "urn:billops:invalid");
    let errors = problem["errors"].as_array().unwrap().clone();
    for error in &errors {
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    let mut fields: Vec<String> = errors
        .iter()
        .map(|error| error["field"].as_str().unwrap().to_owned())
        .collect();
    fields.sort();
    fields
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn preferences_over_rest_are_those_of_the_form() {
    let bot = TestBot::start().await;
    bot.projects(&["acme"]).await;
    bot.slack.open_home(NINA).await.unwrap();
    home_with(&bot, "8 h from 09:00").await;
    let mut nina = signed_in(&bot, NINA).await;
    let mut now = status(&mut nina).await;
    let preferences = now["preferences"].take();
    assert_eq!(
        now,
        json!({
            "status": "connected", "slack_user_id": "U07NINA001", "slack_username": "Nina Berg",
            "daily_summary_enabled": true, "invoice_notifications_enabled": true,
            "entry_notifications_enabled": true, "daily_summary_time": "17:30",
            "time_zone": "Europe/Berlin", "preferences": null,
        })
    );
    assert_eq!(
        preferences,
        json!({
            "daily_summary": true, "daily_summary_time": "17:30", "summary_days": [1, 2, 3, 4, 5],
            "silent_when_done": true, "monday": false, "after_meeting": false, "entry_notifications": true,
            "invoice_notifications": true, "time_zone": null, "workday_start": "09:00",
            "target_minutes_per_day": 480, "default_project_id": null, "suggest_private": false,
            "suggest_tentative": true, "bare_number_unit": "guess",
        })
    );

    // What was read can be sent back, and any part of it.
    let page = put(&mut nina, &preferences).await;
    assert_eq!((page.status, page.json()), (StatusCode::OK, preferences));
    let store = bot.bot.store();
    let member = store.member("T07TERN001", "U07NINA001").await;
    let workspace = member.unwrap().unwrap().slack_integration_id;
    let acme = store.projects(workspace).await.unwrap().remove(0).id;
    let part = json!({
        "target_minutes_per_day": 420, "time_zone": "Asia/Tokyo", "summary_days": [7, 6],
        "default_project_id": acme, "bare_number_unit": "hours", "daily_summary_time": "08:05",
    });
    let page = put(&mut nina, &part).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let mut saved = page.json();
    assert_eq!(saved["summary_days"].take(), json!([6, 7]));
    for name in ["time_zone", "default_project_id", "bare_number_unit"] {
        assert_eq!(saved[name], part[name]);
    }
    assert_eq!(status(&mut nina).await["time_zone"], "Asia/Tokyo");
    home_with(&bot, " 7 h to go").await;
    home_with(&bot, "Asia/Tokyo").await;
    let card = bot.say("/time 2 mail").await;
    assert!(
        card.text.contains("2 h") && card.text.contains("#acme"),
        "{}",
        card.text
    );
    for zone in [json!("slack"), json!(null)] {
        put(&mut nina, &json!({"time_zone": "Asia/Tokyo"})).await;
        let page = put(&mut nina, &json!({"time_zone": zone})).await;
        assert_eq!(page.json()["time_zone"], Value::Null);
    }
    let page = put(
        &mut nina,
        &json!({"daily_summary": false, "summary_days": []}),
    )
    .await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_by_field_and_nothing_is_saved() {
    let bot = TestBot::start().await;
    bot.projects(&["acme"]).await;
    // A project that is another workspace's.
    let store = bot.bot.store();
    let stranger = store.save_member("T9", "U9", None).await.unwrap();
    let new = NewProject {
        slug: "secret".to_owned(),
        name: "Secret".to_owned(),
        client: None,
        is_billable: true,
    };
    let made = store.create_project(stranger.slack_integration_id, &new);
    let ProjectChange::Done(theirs) = made.await.unwrap() else {
        panic!("not made");
    };
    let mut nina = signed_in(&bot, NINA).await;
    let all = json!({
        "daily_summary": 1, "daily_summary_time": "25:00", "summary_days": [0], "silent_when_done": "yes",
        "monday": null, "after_meeting": [], "entry_notifications": {}, "invoice_notifications": "true",
        "time_zone": "Europe/Atlantis", "workday_start": "9:00", "target_minutes_per_day": -1,
        "default_project_id": "acme", "suggest_private": 0, "suggest_tentative": "", "bare_number_unit": "ask",
        "binding_id": stranger.binding_id, "user_id": stranger.user_id,
    });
    let mut names: Vec<String> = all.as_object().unwrap().keys().cloned().collect();
    names.sort();
    assert_eq!(refused(&put(&mut nina, &all).await), names);
    for (body, fields) in [
        (json!({"summary_days": []}), &["summary_days"][..]),
        (
            json!({"summary_days": [], "target_minutes_per_day": 1441, "what": 1}),
            &["summary_days", "target_minutes_per_day", "what"],
        ),
        (
            json!({"default_project_id": theirs.id, "monday": true}),
            &["default_project_id"],
        ),
        (
            json!({"default_project_id": Uuid::from_u128(7)}),
            &["default_project_id"],
        ),
        (json!([]), &["body"]),
    ] {
        let page = put(&mut nina, &body).await;
        assert_eq!(refused(&page), fields, "{body}");
        assert!(!page.body.contains("secret"), "{}", page.body);
    }
    assert_eq!(bot.preferences().await, Preferences::default());

    // A forged form with that project is refused in the same way.
    let form = bot.open_preferences().await;
    let mut forged = bot.suggested(&form, "default_project_id", "acme").await;
    forged.options[1]["value"] = json!(format!("p:{}", theirs.id));
    let wrong = bot
        .submit(&form, &[("default_project_id", option(&forged, 1))])
        .await;
    assert_eq!(
        wrong.errors["default_project_id"],
        "This project is no longer here. Choose another one."
    );
    assert_eq!(bot.preferences().await, Preferences::default());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_and_changes_their_own() {
    let bot = TestBot::start().await;
    bot.say("/time help").await;
    bot.say_as(JONAS, "/time help").await;
    let mut nina = signed_in(&bot, NINA).await;
    let mut jonas = signed_in(&bot, JONAS).await;
    let jonas_id = status(&mut jonas).await["slack_user_id"].clone();
    let page = put(&mut jonas, &json!({"target_minutes_per_day": 60})).await;
    assert_eq!(page.json()["target_minutes_per_day"], 60);
    let hers = status(&mut nina).await;
    assert_eq!(hers["slack_user_id"], "U07NINA001");
    assert_eq!(hers["preferences"]["target_minutes_per_day"], 480);
    let his = bot.preferences_of(jonas_id.as_str().unwrap()).await;
    assert_eq!(his.target_per_day.get(), 60);
    assert_eq!(bot.preferences().await, Preferences::default());

    // Nobody, and another site.
    let mut nobody = Visitor::new(&bot);
    let page = put(&mut nobody, &json!({"monday": true})).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    let url = nina.at("/api/v1/integrations/slack/preferences");
    let body = Some((JSON, json!({"monday": true}).to_string()));
    let foreign = [("origin", "https://evil.example")];
    let page = nina.send(Method::PUT, &url, body, &foreign).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(bot.preferences().await, Preferences::default());
    bot.finish().await;
}
