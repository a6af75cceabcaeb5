//! Entries that are trusted and corrected: the card, the forms, the lists, projects and channels.

use billops::{
    domain::workspace::WorkspaceSettings,
    sandbox::{Choice, Message, Sandbox, Submission, Target, View},
    store::{NewProject, ProjectChange, ProjectEdit, Store},
};
use chrono::TimeDelta;
use serde_json::Value;

use crate::bot::{NINA, TestBot};

impl TestBot {
    /// The form on top of somebody's screen, once there is one.
    pub(crate) async fn form(&self) -> View {
        let open = |slack: &Sandbox| slack.modals(NINA).pop();
        self.slack.wait_for("a form", open).await.unwrap()
    }

    /// Presses a button that opens a form.
    pub(crate) async fn open(&self, message: &Message, action: &str) -> View {
        let answer = self.slack.click(NINA, message, action).await.unwrap();
        assert_eq!(answer.error, None, "{action}");
        self.form().await
    }

    pub(crate) async fn submit(&self, form: &View, values: &[(&str, Choice)]) -> Submission {
        let submission = self.slack.submit(NINA, form, values).await.unwrap();
        assert_eq!(submission.answer.error, None);
        submission
    }

    /// Submits a form that closes, and returns what then stands in the place of the message.
    pub(crate) async fn submit_over(
        &self,
        form: &View,
        values: &[(&str, Choice)],
        over: &Message,
    ) -> Message {
        let submission = self.submit(form, values).await;
        assert_eq!(submission.errors.len(), 0, "{:?}", submission.errors);
        assert!(submission.closed);
        self.replaced(over).await
    }

    /// The last message in a conversation that says something.
    pub(crate) async fn hears(&self, channel: &str, words: &str) -> Message {
        let says = |slack: &Sandbox| {
            let mut all = slack.messages(NINA, channel).into_iter().rev();
            all.find(|message| message.bot && message.text.contains(words))
        };
        self.slack.wait_for(words, says).await.unwrap()
    }

    /// Makes projects in Nina's workspace; she is met first.
    pub(crate) async fn projects(&self, slugs: &[&str]) {
        self.say("/time help").await;
        let store = self.bot.store();
        let nina = store
            .member("T07TERN001", "U07NINA001")
            .await
            .unwrap()
            .unwrap();
        for slug in slugs {
            let change = store
                .create_project(nina.slack_integration_id, &new(slug))
                .await
                .unwrap();
            assert!(matches!(change, ProjectChange::Done(_)));
        }
    }

    pub(crate) async fn archive(&self, slug: &str) {
        let store = self.bot.store();
        let nina = store
            .member("T07TERN001", "U07NINA001")
            .await
            .unwrap()
            .unwrap();
        let all = store.projects(nina.slack_integration_id).await.unwrap();
        let project = all.iter().find(|project| project.slug == slug).unwrap();
        let edit = ProjectEdit {
            to: new(slug),
            aliases: Vec::new(),
            is_archived: true,
            renames_client: false,
        };
        let change = store.edit_project(
            nina.slack_integration_id,
            project.id,
            project.version,
            &edit,
        );
        assert!(matches!(change.await.unwrap(), ProjectChange::Done(_)));
    }
}

fn new(slug: &str) -> NewProject {
    NewProject {
        slug: slug.to_owned(),
        name: slug.to_uppercase(),
        client: None,
        is_billable: slug != "internal",
    }
}

pub(crate) fn text(text: &str) -> Choice {
    Choice::Text(text.to_owned())
}

/// What a form has in a field when it opens.
pub(crate) fn initial(form: &View, field: &str) -> Value {
    let block = form
        .blocks()
        .iter()
        .find(|block| block["block_id"] == field)
        .unwrap();
    let element = if block["element"].is_object() {
        &block["element"]
    } else {
        &block["elements"][0]
    };
    let names = [
        "initial_value",
        "initial_date",
        "initial_option",
        "initial_options",
    ];
    names
        .iter()
        .map(|name| element[name].clone())
        .find(|value| !value.is_null())
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_is_edited_in_a_form_and_the_change_taken_back() {
    let bot = TestBot::start().await;
    let card = bot.say("/time 2.5 hours: Meeting").await;
    let form = bot.open(&card, "entry.edit").await;
    assert_eq!(form.title(), "Edit entry");
    assert_eq!(initial(&form, "time"), "2 h 30 min");
    assert_eq!(initial(&form, "description"), "Meeting");
    assert_eq!(initial(&form, "date"), "2026-11-20");
    let values = [
        ("time", text("11-12:30")),
        ("description", text("Kick-off with Acme")),
    ];
    let edited = bot.submit_over(&form, &values, &card).await;
    assert_eq!(
        edited.text,
        "Changed to 1 h 30 min · Kick-off with Acme. Today, Fri 20 Nov, 11:00–12:30. \
         It was 2 h 30 min · Meeting. Today: 1 h 30 min of 8 h."
    );
    let form = bot.open(&edited, "entry.edit").await;
    assert_eq!(
        initial(&form, "time"),
        "11:00–12:30",
        "times that were given are shown"
    );
    bot.slack.close_all(NINA).await.unwrap();
    let back = bot.click(&edited, "entry.undo").await;
    assert!(
        back.text
            .starts_with("Back to 2 h 30 min · Meeting. Today, Fri 20 Nov, 11:00–13:30."),
        "{}",
        back.text
    );
    let again = bot.click(&back, "entry.undo").await;
    assert!(
        again
            .text
            .starts_with("Changed to 1 h 30 min · Kick-off with Acme."),
        "{}",
        again.text
    );
    let undone = bot.say("/time undo").await;
    assert!(
        undone.text.starts_with("Back to 2 h 30 min · Meeting."),
        "{}",
        undone.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_in_a_form_is_said_at_each_field_at_once() {
    let bot = TestBot::start().await;
    bot.projects(&["acme-old"]).await;
    let card = bot.say("/time 1h #acme-old: Meeting").await;
    let form = bot.open(&card, "entry.edit").await;
    bot.archive("acme-old").await;
    let wrong = [
        ("time", text("2x")),
        ("description", text("   ")),
        ("date", Choice::Is("2026-11-27".to_owned())),
    ];
    let submission = bot.submit(&form, &wrong).await;
    assert!(!submission.closed);
    assert_eq!(
        submission.errors["date"],
        "Fri 27 Nov is in the future. Time can be logged up to today."
    );
    assert_eq!(
        submission.errors["description"],
        "Say in a few words what you did."
    );
    assert_eq!(
        submission.errors["project"],
        "#acme-old is archived. Choose another project."
    );
    let dated = [
        ("time", text("2x")),
        ("date", Choice::Is("2026-11-20".to_owned())),
        ("description", text("x")),
    ];
    let submission = bot.submit(&form, &dated).await;
    assert!(
        submission.errors["time"].starts_with("I understood “2”, then stopped at “x”"),
        "{:?}",
        submission.errors
    );
    for (wrong, says) in [
        ("0h", "0 min"),
        ("31h", "more than a day"),
        ("9-9", ""),
        ("1h75", "75 minutes do not fit"),
        ("13", "13 minutes or 13 hours"),
        ("yesterday 2h", ""),
        ("2h: lunch", ""),
    ] {
        let submission = bot.submit(&form, &[("time", text(wrong))]).await;
        assert!(
            submission.errors["time"].contains(says),
            "{wrong}: {:?}",
            submission.errors
        );
    }
    // An archived project may stay on an entry that has it, and nothing was lost meanwhile.
    let right = bot.submit_over(&form, &[("time", text("2h"))], &card).await;
    assert!(
        right
            .text
            .starts_with("Changed to 2 h · x. Today, Fri 20 Nov, 11:30–13:30 · #acme-old"),
        "{}",
        right.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_that_the_clocks_skip_or_repeat_is_refused_in_line_and_form() {
    let bot = TestBot::start().await;
    let skipped = bot.say("/time 2026-03-29 2:30-4 deploy").await;
    assert!(
        skipped.text.contains("02:30 does not exist on Sun 29 Mar"),
        "{}",
        skipped.text
    );
    let repeated = bot.say("/time 2026-10-25 2:30-4 deploy").await;
    assert!(repeated.text.contains("02:30"), "{}", repeated.text);
    let card = bot.say("/time 2026-03-29 1h: deploy").await;
    let form = bot.open(&card, "entry.edit").await;
    let submission = bot.submit(&form, &[("time", text("2:30-4"))]).await;
    assert!(
        submission.errors["time"].contains("02:30 does not exist"),
        "{:?}",
        submission.errors
    );
    // The night is an hour shorter.
    let night = bot
        .submit_over(&form, &[("time", text("1-4"))], &card)
        .await;
    assert!(
        night
            .text
            .starts_with("Changed to 2 h · deploy. Sun 29 Mar, 01:00–04:00."),
        "{}",
        night.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_edits_the_second_is_shown_what_the_first_made() {
    let bot = TestBot::start().await;
    let card = bot.say("/time 1h: Meeting").await;
    let form = bot.open(&card, "entry.edit").await;
    bot.clock.advance(TimeDelta::minutes(10));
    let jonas_would = bot.say("/time undo").await;
    bot.click(&jonas_would, "entry.redo").await;
    let submission = bot.submit(&form, &[("description", text("Late"))]).await;
    assert!(!submission.closed);
    let now = bot.form().await;
    let shown = Value::from(now.blocks().to_vec()).to_string();
    assert!(
        shown.contains("This entry was changed at 13:40. These are its values now."),
        "{shown}"
    );
    assert_eq!(initial(&now, "description"), "Meeting");
    // From there it goes on.
    let edited = bot
        .submit_over(&now, &[("description", text("Late"))], &card)
        .await;
    assert!(
        edited.text.starts_with("Changed to 1 h · Late."),
        "{}",
        edited.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_was_deleted_elsewhere_is_not_edited() {
    let bot = TestBot::start().await;
    let card = bot.say("/time 1h: Meeting").await;
    let form = bot.open(&card, "entry.edit").await;
    let list = bot.say("/time edit").await;
    let delete = menu(&list, "delete ");
    let answer = bot
        .slack
        .choose(NINA, &list, "entry.menu", delete)
        .await
        .unwrap();
    assert_eq!(answer.error, None);
    let list = bot.replaced(&list).await;
    assert!(
        list.text.starts_with("Deleted Meeting, 1 h."),
        "{}",
        list.text
    );
    let gone = bot
        .submit_over(&form, &[("description", text("Late"))], &card)
        .await;
    assert!(
        gone.text
            .starts_with("Nothing was changed. This entry was deleted at 13:30:"),
        "{}",
        gone.text
    );
    // The old card does nothing either, and offers the way back.
    for button in ["entry.redo"] {
        let back = bot.click(&gone, button).await;
        assert!(
            back.text.starts_with("Put back: 1 h · Meeting."),
            "{}",
            back.text
        );
    }
    bot.finish().await;
}

/// The option of the one menu in a message that begins with this verb.
fn menu(message: &Message, verb: &str) -> Choice {
    menu_of(message, "", verb)
}

/// The option of the menu in a block whose id begins so.
fn menu_of(message: &Message, block_id: &str, verb: &str) -> Choice {
    let options = message
        .blocks
        .iter()
        .filter(|block| {
            block["block_id"]
                .as_str()
                .is_some_and(|id| id.starts_with(block_id))
        })
        .filter_map(|block| block["accessory"]["options"].as_array());
    let mut values = options
        .flatten()
        .filter_map(|option| option["value"].as_str());
    Choice::Option(
        values
            .find(|value| value.starts_with(verb))
            .unwrap()
            .to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_after_the_command_opens_the_form() {
    let bot = TestBot::start().await;
    bot.projects(&["acme", "halden"]).await;
    bot.say("/time 1h #acme: Planning").await;
    let answer = bot.slack.say(NINA, "#general", "/time").await.unwrap();
    assert_eq!((answer.error, answer.message.is_none()), (None, true));
    let form = bot.form().await;
    assert_eq!(form.title(), "Log time");
    assert_eq!(initial(&form, "date"), "2026-11-20");
    assert_eq!(
        initial(&form, "project")["text"]["text"],
        "#acme",
        "the last use"
    );
    assert_eq!(initial(&form, "billable")[0]["value"], "billable");
    let submission = bot
        .submit(
            &form,
            &[("time", text("90m")), ("description", text("Wireframes"))],
        )
        .await;
    assert!(submission.closed);
    let card = bot.hears("#general", "Wireframes").await;
    assert_eq!(
        card.text,
        "Logged 1 h 30 min · Wireframes. Today, Fri 20 Nov, 12:00–13:30 · #acme · billable. Today: 2 h 30 min of 8 h."
    );
    assert_eq!(card.ephemeral_to.as_deref(), Some("U07NINA001"));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_form_is_one_entry_however_often_it_arrives() {
    let bot = TestBot::start().await;
    bot.slack.say(NINA, "#general", "/time").await.unwrap();
    let form = bot.form().await;
    bot.submit(
        &form,
        &[("time", text("90m")), ("description", text("Once"))],
    )
    .await;
    bot.hears("#general", "Once").await;
    // The same submission in another envelope, as another replica would get it.
    let mut sent = bot.last_sent("interactive");
    sent["payload"]["trigger_id"] = "another".into();
    bot.slack.send_envelope(sent).await;
    bot.hears("#general", "Today: 1 h 30 min of 8 h.").await;
    bot.say("/time undo").await;
    assert!(
        bot.say("/time undo")
            .await
            .text
            .starts_with("There is nothing to undo")
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_becomes_an_entry_that_keeps_its_link() {
    let bot = TestBot::start().await;
    let said = bot
        .slack
        .say("jonas", "#general", "Checkout breaks on *Safari* & <more>")
        .await
        .unwrap();
    let target = Target::from(&said.message.unwrap());
    let answer = bot
        .slack
        .shortcut(NINA, "entry.from_message", Some(&target))
        .await
        .unwrap();
    assert_eq!(answer.error, None);
    let form = bot.form().await;
    assert_eq!(
        initial(&form, "description"),
        "Checkout breaks on *Safari* & <more>"
    );
    let submission = bot.submit(&form, &[("time", text("45m"))]).await;
    assert!(submission.closed);
    bot.hears("#general", "Logged 45 min · Checkout breaks")
        .await;
    let store = bot.bot.store();
    let nina = store
        .member("T07TERN001", "U07NINA001")
        .await
        .unwrap()
        .unwrap();
    let entry = store
        .last_entries(nina.user_id, 0, 1)
        .await
        .unwrap()
        .remove(0);
    let link = entry.permalink.unwrap();
    assert!(
        link.starts_with("https://ternstudio.slack.com/archives/C07GENERAL/p1795177"),
        "{link}"
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_global_shortcut_opens_an_empty_form_and_answers_in_the_direct_message() {
    let bot = TestBot::start().await;
    bot.slack.shortcut(NINA, "entry.new", None).await.unwrap();
    let form = bot.form().await;
    assert_eq!(initial(&form, "description"), Value::Null);
    assert_eq!(initial(&form, "project")["value"], "p:none");
    bot.submit(
        &form,
        &[("time", text("45m")), ("description", text("Mail"))],
    )
    .await;
    let card = bot.hears("dm", "Logged 45 min · Mail").await;
    bot.slack.click(NINA, &card, "entry.undo").await.unwrap();
    bot.hears("dm", "Undone. 45 min · Mail").await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_read_is_carried_into_the_form() {
    let bot = TestBot::start().await;
    let asked = bot.say("/time 2x wireframes & <b>").await;
    let form = bot.open(&asked, "reading.form").await;
    assert_eq!(initial(&form, "description"), "2x wireframes & <b>");
    bot.slack.close_all(NINA).await.unwrap();
    let only = bot.say("/time 2h").await;
    let form = bot.open(&only, "reading.form").await;
    assert_eq!(
        (initial(&form, "time"), initial(&form, "description")),
        ("2 h".into(), Value::Null)
    );
    let card = bot
        .submit(&form, &[("description", text("Wireframes"))])
        .await;
    assert!(card.closed);
    let logged = bot.hears("#general", "Logged 2 h · Wireframes").await;
    assert_eq!(
        logged.ts, only.ts,
        "the card takes the place of the question"
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_stays_open_while_the_database_is_away() {
    let database = crate::databases::Database::on_disk();
    let bot = TestBot::on(
        database,
        billops::slack::socket::Timings::default(),
        |options| options,
    )
    .await;
    let card = bot.say("/time 1h: Meeting").await;
    let form = bot.open(&card, "entry.edit").await;
    let outage = bot.database.outage().await;
    let submission = bot.submit(&form, &[("description", text("Late"))]).await;
    assert!(
        submission.errors["time"].starts_with("Not saved, the database did not answer."),
        "{:?}",
        submission.errors
    );
    outage.end().await;
    let edited = bot
        .submit_over(&form, &[("description", text("Late"))], &card)
        .await;
    assert!(
        edited.text.starts_with("Changed to 1 h · Late."),
        "{}",
        edited.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_weekday_that_was_meant_earlier_is_turned() {
    let bot = TestBot::start().await;
    let card = bot.say("/time wed 1h: Proposal").await;
    assert!(
        card.text.starts_with(
            "Logged 1 h · Proposal. Wed 18 Nov, 09:00–10:00. I read “wed” as Wed 18 Nov."
        ),
        "{}",
        card.text
    );
    let earlier = bot.click(&card, "entry.flip").await;
    assert!(
        earlier
            .text
            .starts_with("Changed to 1 h · Proposal. Wed 11 Nov, 09:00–10:00. It was Wed 18 Nov"),
        "{}",
        earlier.text
    );
    let back = bot.click(&earlier, "entry.undo").await;
    assert!(
        back.text
            .starts_with("Back to 1 h · Proposal. Wed 18 Nov, 09:00–10:00."),
        "{}",
        back.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_day_is_filled_from_the_start_of_work_on() {
    let bot = TestBot::start().await;
    for (line, times) in [
        ("/time yesterday 2h: first", "Thu 19 Nov, 09:00–11:00"),
        ("/time yesterday 45m: second", "Thu 19 Nov, 11:00–11:45"),
        ("/time yesterday 20-23:30 night", "Thu 19 Nov, 20:00–23:30"),
    ] {
        let card = bot.say(line).await;
        assert!(card.text.contains(times), "{}", card.text);
    }
    let full = bot
        .say("/time yesterday 1h: does not fit the day any more")
        .await;
    assert!(full.text.contains("Thu 19 Nov. That day"), "{}", full.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_began_before_midnight_says_on_which_day() {
    let bot = TestBot::start().await;
    bot.clock.advance(TimeDelta::minutes(12 * 60 + 14));
    bot.say("/time 0:30-1:30 Call").await;
    let card = bot.say("/time 2.5 hours: Meeting").await;
    let times = "Today, Sat 21 Nov, Fri 23:14–01:44";
    assert!(card.text.contains(times), "{}", card.text);
    let merged = "Merged, the two become one entry: Fri 23:14–01:44";
    assert!(card.text.contains(merged), "{}", card.text);

    // The day is no part of the field of the times: the form takes what it shows.
    let merged = bot.click(&card, "entry.merge").await;
    assert!(merged.text.contains(times), "{}", merged.text);
    let form = bot.open(&merged, "entry.edit").await;
    assert_eq!(initial(&form, "time"), "23:14–01:44");
    let values = [("description", text("Late"))];
    let edited = bot.submit_over(&form, &values, &merged).await;
    let is_kept = edited.text.starts_with("Changed to 2 h 30 min · Late.");
    assert!(is_kept && edited.text.contains(times), "{}", edited.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_was_corrected_twice_can_become_the_rule() {
    let bot = TestBot::start().await;
    let card = bot.say("/time 2 Planning").await;
    let flipped = bot.click(&card, "entry.flip").await;
    assert!(!flipped.text.contains("rule"), "{}", flipped.text);
    let card = bot.say("/time 3 Research").await;
    let flipped = bot.click(&card, "entry.flip").await;
    assert!(
        flipped
            .text
            .contains("You meant minutes twice; you can make that the rule."),
        "{}",
        flipped.text
    );
    let taught = bot.click(&flipped, "prefs.set_unit").await;
    assert_eq!(taught.text, "A bare number is now read as minutes.");
    let card = bot.say("/time 4 Mail").await;
    assert!(
        card.text.starts_with("Logged 4 min · Mail."),
        "{}",
        card.text
    );
    let taught = bot.click(&taught, "prefs.set_unit").await;
    assert!(
        taught.text.starts_with("A bare number is guessed again"),
        "{}",
        taught.text
    );
    let card = bot.say("/time 4 Drafts").await;
    assert!(
        card.text.starts_with("Logged 4 h · Drafts."),
        "{}",
        card.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_that_is_counted_twice_is_said_and_can_be_merged() {
    let bot = TestBot::start().await;
    bot.say("/time 12:30-13:30 Design review").await;
    let card = bot.say("/time 2.5 hours: Meeting").await;
    assert_eq!(
        card.text,
        "Logged 2 h 30 min · Meeting. Today, Fri 20 Nov, 11:00–13:30. Warning: 1 h is counted twice, because \
         Design review, 12:30–13:30, was already logged. Merged, the two become one entry: 11:00–13:30, \
         2 h 30 min. Today: 3 h 30 min of 8 h."
    );
    let merged = bot.click(&card, "entry.merge").await;
    assert!(
        merged.text.starts_with(
            "Merged into 2 h 30 min · Design review; Meeting. Today, Fri 20 Nov, 11:00–13:30."
        ),
        "{}",
        merged.text
    );
    assert!(
        merged.text.ends_with("Today: 2 h 30 min of 8 h."),
        "{}",
        merged.text
    );
    let parted = bot.click(&merged, "entry.undo").await;
    assert!(
        parted
            .text
            .starts_with("Both are back: 1 h · Design review."),
        "{}",
        parted.text
    );
    assert!(
        parted.text.contains("Today: 3 h 30 min of 8 h."),
        "{}",
        parted.text
    );
    // Two lengths without times are no clash: BillOps placed both.
    bot.say("/time yesterday 1h: a").await;
    bot.clock.advance(TimeDelta::days(3));
    let first = bot.say("/time 2h: b").await;
    let second = bot.say("/time 2h: c").await;
    assert!(!first.text.contains("twice") && !second.text.contains("twice"));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn projects_are_found_guessed_asked_for_and_created() {
    let bot = TestBot::start().await;
    bot.projects(&["acme", "acme-app", "halden", "internal"])
        .await;
    let exact = bot.say("/time 1h #ACME: one").await;
    assert!(exact.text.contains("· #acme · billable."), "{}", exact.text);
    let last = bot.say("/time 1h: two").await;
    assert!(
        last.text
            .contains("· #acme · billable. The project is the one you named here last."),
        "{}",
        last.text
    );
    let elsewhere = bot
        .slack
        .say(NINA, "#acme", "/time 1h: three")
        .await
        .unwrap()
        .message
        .unwrap();
    assert!(!elsewhere.text.contains("#acme"), "{}", elsewhere.text);
    let near = bot.say("/time 1h #haldne: four").await;
    assert!(
        near.text
            .contains("· #halden · billable. I read the project from “haldne”."),
        "{}",
        near.text
    );
    let not_billable = bot.say("/time 1h #internal: five").await;
    assert!(
        not_billable.text.contains("· #internal · not billable."),
        "{}",
        not_billable.text
    );
    let forced = bot.say("/time 1h #internal !billable six +late").await;
    assert!(
        forced.text.contains("Logged 1 h · six.")
            && forced.text.contains("#internal · billable · +late."),
        "{}",
        forced.text
    );

    let several = bot.say("/time 1h30 #ac workshop").await;
    assert!(
        several
            .text
            .contains("no project yet. Which project is “#ac”? #acme, #acme-app or another one."),
        "{}",
        several.text
    );
    let chosen = bot.click(&several, "entry.set_project.2").await;
    assert!(
        chosen
            .text
            .contains("#acme-app · billable. It was no project."),
        "{}",
        chosen.text
    );

    let unknown = bot.say("/time 1h #zephyr wings").await;
    assert!(
        unknown.text.contains("There is no project “#zephyr”."),
        "{}",
        unknown.text
    );
    let created = bot.click(&unknown, "project.create").await;
    assert!(
        created.text.contains("#zephyr · billable."),
        "{}",
        created.text
    );
    let known = bot.say("/time 1h #zephyr more wings").await;
    assert!(
        known.text.contains("· #zephyr · billable."),
        "{}",
        known.text
    );

    bot.archive("zephyr").await;
    let archived = bot.say("/time 1h #zephyr no wings").await;
    assert!(
        archived.text.contains("#zephyr is archived."),
        "{}",
        archived.text
    );
    // In the form the tick follows the project, unless somebody sets it.
    for (project, tick, is) in [
        ("internal", None, "#internal · not billable"),
        ("halden", None, "#halden · billable"),
        (
            "internal",
            Some(Choice::Options(vec!["billable".to_owned()])),
            "#internal · billable",
        ),
    ] {
        let card = bot
            .slack
            .say(NINA, "#acme", "/time 1h: eight")
            .await
            .unwrap()
            .message
            .unwrap();
        let form = bot.open(&card, "entry.edit").await;
        let found = bot
            .slack
            .suggest(NINA, &form, "project/value", project)
            .await
            .unwrap();
        let mut values = vec![("project", Choice::Suggested(found.options[0].clone()))];
        values.extend(tick.map(|tick| ("billable", tick)));
        bot.submit(&form, &values).await;
        bot.hears("#acme", is).await;
    }
    let none = bot.click(&archived, "entry.set_project.1").await;
    assert!(none.text.contains("no wings"), "{}", none.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_project_of_an_entry_is_changed_in_a_small_form() {
    let bot = TestBot::start().await;
    bot.projects(&["acme", "halden"]).await;
    let card = bot.say("/time 1h: Meeting").await;
    let form = bot.open(&card, "entry.change_project").await;
    let found = bot
        .slack
        .suggest(NINA, &form, "value", "hal")
        .await
        .unwrap();
    let names: Vec<&str> = found
        .options
        .iter()
        .filter_map(|option| option["text"]["text"].as_str())
        .collect();
    assert_eq!(names, ["#halden", "Create “hal”", "No project"]);
    let halden = Choice::Suggested(found.options[0].clone());
    let changed = bot.submit_over(&form, &[("project", halden)], &card).await;
    assert!(
        changed
            .text
            .contains("#halden · billable. It was no project."),
        "{}",
        changed.text
    );
    let form = bot.open(&changed, "entry.change_project").await;
    let found = bot
        .slack
        .suggest(NINA, &form, "value", "Zephyr wing")
        .await
        .unwrap();
    let create = Choice::Suggested(found.options[0].clone());
    let changed = bot
        .submit_over(&form, &[("project", create)], &changed)
        .await;
    assert!(
        changed
            .text
            .contains("#zephyr-wing · billable. It was #halden."),
        "{}",
        changed.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_projects_fit_the_menu_and_the_list() {
    let bot = TestBot::start().await;
    let slugs: Vec<String> = (0..300)
        .map(|number| format!("project-{number:03}"))
        .collect();
    bot.projects(&slugs.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    let card = bot.say("/time 1h #project-299: Meeting").await;
    let form = bot.open(&card, "entry.change_project").await;
    let found = bot.slack.suggest(NINA, &form, "value", "").await.unwrap();
    assert_eq!(found.answer.error, None);
    assert_eq!(found.options.len(), 99);
    assert_eq!(
        found.options[0]["text"]["text"], "#project-299",
        "the last used comes first"
    );
    assert_eq!(found.options[98]["text"]["text"], "No project");
    // Of a number alone no project is made.
    for (typed, count, what) in [
        ("27", 14, "13 that hold it, none"),
        ("t-27", 12, "10 that hold it, one to create, none"),
    ] {
        let found = bot.slack.suggest(NINA, &form, "value", typed).await;
        assert_eq!(found.unwrap().options.len(), count, "{typed}: {what}");
    }
    bot.slack.close_all(NINA).await.unwrap();
    let list = bot.say("/time projects").await;
    assert!(
        list.text.starts_with("300 open projects:") && list.text.ends_with("And 285 more."),
        "{}",
        list.text
    );
    let next = bot.click(&list, "project.list.2").await;
    assert!(next.text.contains("#project-015"), "{}", next.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn projects_are_made_renamed_archived_and_reopened() {
    let bot = TestBot::start().await;
    let empty = bot.say("/time projects").await;
    assert!(
        empty.text.starts_with("There are no projects yet."),
        "{}",
        empty.text
    );
    let form = bot.open(&empty, "project.new").await;
    let wrong = bot.submit(&form, &[("slug", text("?!"))]).await;
    assert!(
        wrong.errors["slug"].starts_with("A project needs a short name"),
        "{:?}",
        wrong.errors
    );
    // A number alone is read as a word.
    for (slug, aliases, field) in [("2026", "", "slug"), ("acme", "web, 2026", "aliases")] {
        let values = [("slug", text(slug)), ("aliases", text(aliases))];
        let wrong = bot.submit(&form, &values).await;
        let said = &wrong.errors[field];
        assert!(said.ends_with("such as p2026."), "{said}");
    }
    let values = [
        ("slug", text("#ACME")),
        ("name", text("Website relaunch")),
        ("client", text("Acme & Co")),
        ("aliases", text("web, Site")),
    ];
    let list = bot.submit_over(&form, &values, &empty).await;
    assert_eq!(
        list.text,
        "#acme is there now. 1 open project: #acme · Website relaunch · Acme &amp; Co · also #site, #web."
    );
    let by_alias = bot.say("/time 1h #site: Meeting").await;
    assert!(
        by_alias.text.contains("· #acme · billable."),
        "{}",
        by_alias.text
    );
    let by_client = bot.say("/time 1h @acme: Meeting").await;
    assert!(
        by_client
            .text
            .contains("· #acme · billable. I read the project from “@acme”."),
        "{}",
        by_client.text
    );

    bot.slack
        .choose(NINA, &list, "project.menu", menu(&list, "edit "))
        .await
        .unwrap();
    let form = bot.form().await;
    assert_eq!(initial(&form, "aliases"), "site,web");
    let list = bot
        .submit_over(&form, &[("slug", text("acme-web"))], &list)
        .await;
    assert!(
        list.text.starts_with("#acme-web is saved."),
        "{}",
        list.text
    );
    bot.slack
        .choose(NINA, &list, "project.menu", menu(&list, "archive "))
        .await
        .unwrap();
    let list = bot.replaced(&list).await;
    assert!(
        list.text
            .starts_with("#acme-web is archived: it takes no new entries. No open projects:"),
        "{}",
        list.text
    );
    bot.slack
        .choose(NINA, &list, "project.menu", menu(&list, "reopen "))
        .await
        .unwrap();
    let list = bot.replaced(&list).await;
    assert!(
        list.text.starts_with("#acme-web is open again."),
        "{}",
        list.text
    );
    let form = bot.open(&list, "project.new").await;
    let clash = [
        ("slug", text("fresh")),
        ("client", text("Acme & Co")),
        ("aliases", text("acme-web")),
    ];
    let wrong = bot.submit(&form, &clash).await;
    assert_eq!(
        wrong.errors["aliases"],
        "#acme-web means another project already."
    );
    let right = [("aliases", text("brand-new"))];
    let list = bot.submit_over(&form, &right, &list).await;
    assert!(
        list.text
            .starts_with("#fresh is there now. 2 open projects:"),
        "{}",
        list.text
    );
    // The client gets a new name, in the form of one of its projects.
    let row = list
        .blocks
        .iter()
        .find(|block| block["text"]["text"].to_string().contains("#acme-web"));
    let row = row.unwrap()["block_id"].as_str().unwrap().to_owned();
    let edit = menu_of(&list, &row, "edit ");
    bot.slack
        .choose(NINA, &list, &format!("{row}/project.menu"), edit)
        .await
        .unwrap();
    let form = bot.form().await;
    let same = Choice::Options(vec!["rename_client".to_owned()]);
    let values = [("client", text("Acme Group")), ("rename_client", same)];
    let list = bot.submit_over(&form, &values, &list).await;
    assert_eq!(
        list.text.matches("· Acme Group").count(),
        2,
        "{}",
        list.text
    );
    assert!(!list.text.contains("Acme &amp; Co"), "{}", list.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_create_projects_is_told_who_can() {
    let bot = TestBot::start().await;
    bot.projects(&["acme"]).await;
    let store = bot.bot.store();
    let nina = store
        .member("T07TERN001", "U07NINA001")
        .await
        .unwrap()
        .unwrap();
    let admins_only = WorkspaceSettings {
        everyone_creates_projects: false,
        ..WorkspaceSettings::default()
    };
    store
        .save_workspace_settings(nina.binding_id, 1, &admins_only)
        .await
        .unwrap();
    let is_admin = bot
        .slack
        .world(|world| world.person(NINA).unwrap().is_admin);
    let person = if is_admin { "jonas" } else { NINA };
    let unknown = bot.say_as(person, "/time 1h #zephyr wings").await;
    assert!(
        unknown.text.contains("Your admins can create it."),
        "{}",
        unknown.text
    );
    let buttons = Value::from(unknown.blocks.clone()).to_string();
    assert!(!buttons.contains("project.create"));
    let list = bot.say_as(person, "/time projects").await;
    assert!(
        !Value::from(list.blocks.clone())
            .to_string()
            .contains("project.menu")
    );
    // Buttons that an admin's message carried are of no use either.
    let acme = store
        .projects(nina.slack_integration_id)
        .await
        .unwrap()
        .remove(0);
    let entry = menu(&bot.say_as(person, "/time edit").await, "edit ");
    let Choice::Option(entry) = entry else {
        unreachable!()
    };
    let entry = entry.trim_start_matches("edit ");
    for (action, value) in [
        (
            "project.menu",
            format!("archive p:{}:{}", acme.id, acme.version),
        ),
        ("project.create", format!("{entry} n:zephyr")),
    ] {
        let forged = serde_json::json!({
            "type": "interactive", "accepts_response_payload": false,
            "payload": {
                "type": "block_actions", "team": {"id": "T07TERN001"}, "trigger_id": "x",
                "user": {"id": bot.slack.world(|world| world.person(person).unwrap().id.clone())},
                "actions": [{"action_id": action, "block_id": "project.s0.x.r1", "type": "button", "value": value}],
            },
        });
        let answer = bot.slack.send_envelope(forged).await;
        assert_eq!(answer.error, None);
    }
    assert_eq!(
        store.projects(nina.slack_integration_id).await.unwrap(),
        [acme]
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_is_linked_and_unlinked() {
    let bot = TestBot::start().await;
    bot.projects(&["acme", "halden"]).await;
    assert!(
        bot.say("/time link")
            .await
            .text
            .starts_with("This channel is not linked to a project.")
    );
    let linked = bot.say("/time link #acme").await;
    assert!(
        linked
            .text
            .starts_with("From now on what is logged in this channel goes to #acme"),
        "{}",
        linked.text
    );
    let card = bot.say_as("jonas", "/time 1h: Meeting").await;
    assert!(
        card.text.contains("· #acme · billable. Today:"),
        "for everybody there: {}",
        card.text
    );
    bot.say_as("jonas", "/time 1h #halden: Meeting").await;
    let card = bot.say_as("jonas", "/time 1h: Meeting").await;
    assert!(
        card.text.contains("· #acme"),
        "the channel's comes before the last use: {}",
        card.text
    );
    let other = bot.say("/time link #halden").await;
    assert!(
        other.text.ends_with("Before, it went to #acme."),
        "{}",
        other.text
    );
    let undone = bot.click(&other, "project.link").await;
    assert!(undone.text.contains("goes to #acme"), "{}", undone.text);
    let unclear = bot.say("/time link #zephyr").await;
    assert!(
        unclear
            .text
            .starts_with("Nothing was changed: there is no project “#zephyr”."),
        "{}",
        unclear.text
    );
    let gone = bot.say("/time unlink").await;
    assert_eq!(gone.text, "This channel is no longer linked to #acme.");
    assert!(
        bot.say("/time link")
            .await
            .text
            .starts_with("This channel is not linked")
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_edits_moves_and_deletes_page_by_page() {
    let bot = TestBot::start().await;
    assert!(
        bot.say("/time edit")
            .await
            .text
            .starts_with("Nothing is logged yet.")
    );
    for number in 1..=12 {
        bot.say(&format!("/time 5m: entry {number}")).await;
    }
    let list = bot.say("/time move").await;
    assert!(
        list.text.contains("entry 12") && !list.text.contains("entry 2 "),
        "{}",
        list.text
    );
    let earlier = bot.click(&list, "entry.list.2").await;
    assert!(
        earlier.text.starts_with("Earlier entries.") && earlier.text.contains("entry 1 "),
        "{}",
        earlier.text
    );
    let first = earlier
        .blocks
        .iter()
        .find(|block| block["accessory"].is_object())
        .unwrap();
    let menu_name = format!("{}/entry.menu", first["block_id"].as_str().unwrap());
    let value = |verb: &str| {
        let options = first["accessory"]["options"].as_array().unwrap();
        let mut values = options
            .iter()
            .map(|option| option["value"].as_str().unwrap());
        Choice::Option(
            values
                .find(|value| value.starts_with(verb))
                .unwrap()
                .to_owned(),
        )
    };
    bot.slack
        .choose(NINA, &earlier, &menu_name, value("move "))
        .await
        .unwrap();
    let form = bot.form().await;
    let future = bot
        .submit(&form, &[("date", Choice::Is("2026-11-21".to_owned()))])
        .await;
    assert!(
        future.errors["date"].starts_with("Sat 21 Nov is in the future."),
        "{:?}",
        future.errors
    );
    let moved = bot
        .submit_over(
            &form,
            &[("date", Choice::Is("2026-11-18".to_owned()))],
            &earlier,
        )
        .await;
    assert!(
        moved
            .text
            .starts_with("Moved entry 2, 5 min, to Wed 18 Nov. Earlier entries."),
        "{}",
        moved.text
    );
    assert!(
        moved.text.contains("Wed 18 Nov: 09:00–09:05 · entry 2"),
        "{}",
        moved.text
    );
    let name = moved.blocks[0]["block_id"].as_str().unwrap().to_owned() + "/entry.undo";
    let answer = bot.slack.click(NINA, &moved, &name).await.unwrap();
    assert_eq!(answer.error, None);
    let back = bot.replaced(&moved).await;
    assert!(
        back.text.starts_with("Back to entry 2, 5 min."),
        "{}",
        back.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strange_words_are_kept_and_harm_nothing() {
    let bot = TestBot::start().await;
    for words in [
        "🎉 пример مرحبا بالعالم \u{202e}abc",
        "<@U07JONAS02> in <#C07GENERAL|general> <https://example.org/a?b=c|link>",
        "&lt;!channel&gt; *bold* _x_ `code` ~s~",
        &"ä".repeat(3000),
    ] {
        let card = bot.say(&format!("/time 5m: {words}")).await;
        assert!(card.text.starts_with("Logged 5 min · "), "{}", card.text);
        let form = bot.open(&card, "entry.edit").await;
        let edited = bot.submit_over(&form, &[("time", text("6m"))], &card).await;
        assert!(
            edited.text.starts_with("Changed to 6 min · "),
            "{}",
            edited.text
        );
    }
    let long = bot.say(&format!("/time 5m: {}", "ä".repeat(3001))).await;
    assert!(
        long.text
            .contains("3,000 characters are the limit; this is 3,001."),
        "{}",
        long.text
    );
    let card = bot.say("/time 5m: short").await;
    let form = bot.open(&card, "entry.edit").await;
    let blank = bot
        .submit(&form, &[("description", text("\u{200b} \n"))])
        .await;
    assert!(blank.closed || blank.errors.contains_key("description"));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_travels_has_their_day_where_they_are() {
    let database = crate::databases::Database::on_disk();
    let bot = TestBot::on(
        database,
        billops::slack::socket::Timings::default(),
        |options| options,
    )
    .await;
    let card = bot.say("/time 1h: in Berlin").await;
    assert!(
        card.text.contains("Today, Fri 20 Nov, 12:30–13:30"),
        "{}",
        card.text
    );
    // A day later in Sydney, where it is Sunday already.
    bot.clock.advance(TimeDelta::hours(24));
    let store: &Store = bot.bot.store();
    let profile = billops::store::Profile {
        name: "Nina Berg".to_owned(),
        time_zone: Some(chrono_tz::Australia::Sydney),
        locale: None,
        is_admin: false,
    };
    store
        .save_member("T07TERN001", "U07NINA001", Some(&profile))
        .await
        .unwrap();
    let bot = bot.restart().await;
    let there = bot.say("/time 1h: in Sydney").await;
    assert!(
        there.text.contains("Today, Sat 21 Nov, 22:30–23:30"),
        "{}",
        there.text
    );
    let list = bot.say("/time edit").await;
    assert!(
        list.text.contains("Fri 20 Nov: 22:30–23:30 · in Berlin"),
        "the day it was logged for stays: {}",
        list.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_replica_edits_what_this_one_logged() {
    let database = crate::databases::Database::postgres().await;
    let bot = TestBot::on(
        database,
        billops::slack::socket::Timings::default(),
        |options| options,
    )
    .await;
    let card = bot.say("/time 1h: Meeting").await;
    let other = bot.replica().await;
    let mut at = card;
    for length in ["2h", "3h", "4h", "5h"] {
        let form = bot.open(&at, "entry.edit").await;
        let submission = bot.submit(&form, &[("time", text(length))]).await;
        assert!(submission.closed, "{:?}", submission.errors);
        // The replica that opened the form may not be the one that gets it: then the card is a new message.
        let hours = length.trim_end_matches('h');
        at = bot
            .hears("#general", &format!("Changed to {hours} h · Meeting"))
            .await;
    }
    assert!(at.text.contains("Changed to 5 h · Meeting."), "{}", at.text);
    for total in ["4 h of", "3 h of", "2 h of", "1 h of", "0 h of"] {
        let undone = bot.say("/time undo").await;
        assert!(
            undone.text.contains(&format!("Today: {total}")),
            "{total}: {}",
            undone.text
        );
    }
    other.shut_down().await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_without_end_and_the_longest_words_fit_every_message() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    let tags = (0..400).fold(String::new(), |tags, number| {
        tags + &format!(" +tag{number:04}")
    });
    let words = "ä<".repeat(1400);
    bot.projects(&["acme"]).await;
    for line in [
        format!("5m #acme: call{tags}"),
        format!("5m #acme: {words}"),
        "5m: *".repeat(400),
    ] {
        let card = bot.say(&format!("/time {line}")).await;
        assert!(card.text.starts_with("Logged 5 min"), "{}", card.text);
        let undone = bot.click(&card, "entry.undo").await;
        bot.click(&undone, "entry.redo").await;
        // The card shows an older version now; what it says then is the longest there is.
        let card = bot.say(&format!("/time {line}")).await;
        let gone = bot.say("/time undo").await;
        bot.click(&gone, "entry.redo").await;
        let stale = bot.click(&card, "entry.undo").await;
        assert!(
            stale.text.starts_with("Nothing was changed."),
            "{}",
            stale.text
        );
    }
    for verb in ["edit", "today", "week"] {
        bot.say(&format!("/time {verb}")).await;
    }
    for line in [
        format!("start call{tags}"),
        format!("start {words}"),
        "start next".to_owned(),
        "cancel".to_owned(),
    ] {
        bot.clock.advance(TimeDelta::minutes(2));
        bot.say(&format!("/time {line}")).await;
        bot.say("/time status").await;
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_stays_where_it_is_when_only_its_length_changes() {
    let bot = TestBot::start().await;
    let card = bot.say("/time yesterday 1h: Research").await;
    assert!(card.text.contains("09:00–10:00"), "{}", card.text);
    let form = bot.open(&card, "entry.edit").await;
    let two = bot.submit_over(&form, &[("time", text("2h"))], &card).await;
    assert!(two.text.contains("Thu 19 Nov, 09:00–11:00"), "{}", two.text);
    let form = bot.open(&two, "entry.edit").await;
    let three = bot.submit_over(&form, &[("time", text("3h"))], &two).await;
    assert!(
        three.text.contains("Thu 19 Nov, 09:00–12:00"),
        "{}",
        three.text
    );
    // To the day it is on, or saved as it is: nothing is changed, and the last change can still be undone.
    let list = bot.say("/time edit").await;
    let moving = menu(&list, "move ");
    bot.slack
        .choose(NINA, &list, "entry.menu", moving)
        .await
        .unwrap();
    assert!(bot.submit(&bot.form().await, &[]).await.closed);
    for button in ["entry.edit", "entry.change_project"] {
        let form = bot.open(&three, button).await;
        assert!(bot.submit(&form, &[]).await.closed);
    }
    let undone = bot.say("/time undo").await;
    assert!(
        undone.text.starts_with("Back to 2 h · Research."),
        "{}",
        undone.text
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pressed_twice_a_correction_counts_once_and_a_link_is_not_undone_over_another() {
    let bot = TestBot::start().await;
    bot.projects(&["acme", "halden"]).await;
    let card = bot.say("/time 2 Planning").await;
    let flipped = bot.click(&card, "entry.flip").await;
    let mut again = bot.last_sent("interactive");
    again["payload"]["trigger_id"] = "another".into();
    bot.slack.send_envelope(again).await;
    assert!(!flipped.text.contains("twice"), "{}", flipped.text);
    let shown = bot.hears("#general", "Changed to 2 min · Planning").await;
    assert!(
        !shown.text.contains("You meant minutes twice"),
        "{}",
        shown.text
    );

    let linked = bot.say("/time link #acme").await;
    assert_eq!(
        bot.say("/time link #acme").await.text,
        "What is logged in this channel goes to #acme already."
    );
    bot.say_as("jonas", "/time link #halden").await;
    let kept = bot.click(&linked, "project.link").await;
    assert_eq!(
        kept.text,
        "Nothing was changed: somebody linked this channel to #halden meanwhile."
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_time_without_breaks_is_merged_and_each_minute_counts_once() {
    let bot = TestBot::start().await;
    bot.say("/time yesterday 9-11:30 workshop").await;
    let breaks = bot.say("/time yesterday 9-12, 13-17 on-site").await;
    assert!(
        breaks.text.contains("Warning: 2 h 30 min is counted twice"),
        "{}",
        breaks.text
    );
    assert!(
        !breaks.text.contains("Merged"),
        "lunch would be billed: {}",
        breaks.text
    );
    let both = bot.say("/time yesterday 9:30-10:30 call").await;
    assert!(
        both.text.contains("Warning: 1 h is counted twice"),
        "{}",
        both.text
    );
    assert!(
        both.text.contains("and 1 more were already logged"),
        "{}",
        both.text
    );
    let day_before = "2026-11-18";
    bot.say(&format!("/time {day_before} 9-10 one")).await;
    bot.say(&format!("/time {day_before} 9:30-10:30 two")).await;
    let longer = bot.say(&format!("/time {day_before} 9-12 all")).await;
    assert!(
        longer.text.contains("Warning: 1 h 30 min is counted twice"),
        "{}",
        longer.text
    );
    // A few minutes of an entry that was only placed are no clash.
    bot.say("/time 12:25-12:35 chat").await;
    let placed = bot.say("/time 1h: Research").await;
    assert!(!placed.text.contains("twice"), "{}", placed.text);
    let ahead = bot.say("/time 20-22 release").await;
    assert!(
        ahead.text.contains("That is still to come."),
        "{}",
        ahead.text
    );
    let back = bot.click(&ahead, "entry.flip").await;
    assert!(
        back.text
            .starts_with("Changed to 2 h · release. Thu 19 Nov, 20:00–22:00"),
        "{}",
        back.text
    );
    bot.finish().await;
}
