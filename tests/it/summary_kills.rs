//! The real program is killed while it sends summaries and publishes Home tabs: whoever takes up what it had begun
//! sends each summary once, whatever had become of it, and forgets nobody.

use std::time::Duration;

use billops::{
    clock::Clock,
    domain::{
        due::SummaryOf,
        member::Member,
        minutes::Minutes,
        preferences::{Days, Preferences},
        time_entry::{EntryFields, EntrySource},
    },
    jobs::Job,
    sandbox::{Fault, Message, Person, Sandbox},
    store::{NewEntry, NoticeState, Profile, Store, Workspace},
};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Timelike as _, Utc};
use futures_util::future::join_all;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    bot::NINA,
    databases::{Database, Held},
    process::{PATIENCE, Program, SLACK_WAITS, sandbox},
};

const TEAM: &str = "T07TERN001";
/// Longer than any process of these tests lives.
const NEVER: Duration = Duration::from_secs(1000);
/// After so long nobody who claimed a message still posts it.
const CLAIMS_LAST: TimeDelta = TimeDelta::seconds(40);

/// How far a summary has come when the program is killed.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It was found to be due; the next one is planned and the sending asked for, neither for good.
    Found,
    /// The next one is planned, and its sending asked for; no worker has taken that.
    Planned,
    /// A worker has taken the sending; the message is not claimed.
    Taken,
    /// The message is claimed, and on its way to Slack.
    Claimed,
    /// Slack has posted it, and does not come to say so.
    Posted,
    /// Slack has said so; that is not noted.
    Answered,
    /// It is noted that it was sent; the job is not done.
    Noted,
}

const STEPS: [Step; 7] = [
    Step::Found,
    Step::Planned,
    Step::Taken,
    Step::Claimed,
    Step::Posted,
    Step::Answered,
    Step::Noted,
];

impl Step {
    /// What the database does not come to do for the program.
    const fn held(self) -> Option<Held> {
        match self {
            Self::Found => Some(Held::Asking),
            Self::Taken => Some(Held::Claiming),
            Self::Answered => Some(Held::Noting),
            Self::Noted => Some(Held::Finishing),
            Self::Planned | Self::Claimed | Self::Posted => None,
        }
    }

    /// What Slack does not come to do for it.
    const fn fault(self) -> Option<Fault> {
        match self {
            Self::Claimed => Some(Fault::Slow(NEVER)),
            Self::Posted => Some(Fault::AnsweredLate(NEVER)),
            _ => None,
        }
    }
}

/// Looks until it is so: what it asks cannot tell by itself.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let by = Instant::now() + PATIENCE * 3;
    while !is_so().await {
        assert!(Instant::now() < by, "waited in vain for {what}");
        tokio::task::yield_now().await;
    }
}

async fn until_idle(store: &Store) {
    let is_idle = async || store.job_counts().await.unwrap().open == 0;
    until("the jobs", is_idle).await;
    assert_eq!(store.dead_jobs(10).await.unwrap(), []);
}

/// By the machine's clock, as the program goes by.
fn now() -> DateTime<Utc> {
    Clock::system().now()
}

/// Wants a summary every day, an hour before now, so that none is due by itself while a test runs.
fn wishes() -> Preferences {
    let an_hour_ago = (now() - TimeDelta::hours(1)).time();
    Preferences {
        daily_summary_time: NaiveTime::from_hms_opt(an_hour_ago.hour(), an_hour_ago.minute(), 0)
            .unwrap(),
        summary_days: Days::from_numbers(1..=7).unwrap(),
        time_zone: Some(chrono_tz::UTC),
        ..Preferences::default()
    }
}

async fn met(store: &Store, slack_user: &str) -> Member {
    let workspace = Workspace {
        workspace_id: TEAM.to_owned(),
        ..Workspace::default()
    };
    store.save_workspace(&workspace).await.unwrap();
    let profile = Profile {
        name: slack_user.to_owned(),
        time_zone: Some(chrono_tz::UTC),
        locale: None,
        is_admin: false,
    };
    let member = store.save_member(TEAM, slack_user, Some(&profile)).await;
    let member = member.unwrap();
    let binding = member.binding_id;
    store
        .save_preferences(binding, &wishes(), &[])
        .await
        .unwrap();
    store.member_by_binding(binding).await.unwrap().unwrap()
}

/// The summaries of that day in the person's direct message.
fn summaries(slack: &Sandbox, who: &str, day: NaiveDate) -> Vec<Message> {
    let id = slack.world(|world| world.person(who).unwrap().id.clone());
    let dm = format!("D{}", &id[1..]);
    let mark = format!(".d{day}.");
    let is_it = |message: &Message| {
        let mut ids = message
            .blocks
            .iter()
            .filter_map(|block| block["block_id"].as_str());
        ids.any(|id| id.contains(&mark))
    };
    let mut messages = slack.messages(&id, &dm);
    messages.retain(is_it);
    messages
}

/// The notice says of the summary what is true: it is sent, and stands there.
async fn is_noted(store: &Store, member: &Member, day: NaiveDate, message: &Message) {
    let notice = format!("day:{day}");
    let state = store.notice_state(member.binding_id, &notice).await;
    assert_eq!(state.unwrap(), Some(NoticeState::Sent));
    let sent = store.sent_notice(member.binding_id, &notice).await;
    let sent = sent.unwrap().unwrap();
    assert_eq!((&sent.channel, &sent.ts), (&message.channel, &message.ts));
}

async fn every_step_is_survived(database: Database) {
    let slack = sandbox(SLACK_WAITS).await;
    let store = Store::open(&database.url, Clock::system()).await.unwrap();
    let nina = slack.world(|world| world.person(NINA).unwrap().id.clone());
    let nina = met(&store, &nina).await;
    let today = now().date_naive();
    for (days_ago, step) in (1..).zip(STEPS) {
        println!("{step:?}");
        let day = today - TimeDelta::days(days_ago);
        let notice = format!("day:{day}");
        let due_at = now();
        database.plan_summaries(due_at, day).await;
        if matches!(step, Step::Planned) {
            // Spread behind others: it waits a while.
            database
                .spread_summaries_until(due_at + TimeDelta::hours(1))
                .await;
        }
        let hold = match step.held() {
            Some(held) => Some(database.hold(held).await),
            None => None,
        };
        if let Some(fault) = step.fault() {
            slack.fail_next("chat.postMessage", 1, fault);
        }
        let look = Job::LookForSummaries.to_row();
        store.add_job(&look).await.unwrap();
        let program = Program::serve(&slack, &database);
        let is_there = async || match step {
            Step::Found => database.job("look_for_summaries").await == Some(true),
            Step::Planned => {
                let jobs = ["send_summary:%", "look_for_summaries"];
                let [sending, looking] = jobs.map(|key| database.job(key));
                (sending.await, looking.await) == (Some(false), None)
            }
            Step::Taken => database.job("send_summary:%").await == Some(true),
            Step::Claimed => slack.faults_left("chat.postMessage") == 0,
            Step::Posted | Step::Answered => !summaries(&slack, NINA, day).is_empty(),
            Step::Noted => {
                let state = store.notice_state(nina.binding_id, &notice).await;
                state.unwrap() == Some(NoticeState::Sent)
            }
        };
        until("the step", is_there).await;
        if let Some(hold) = &hold {
            let is_reached = async || hold.is_reached(&database).await;
            until("the database to be held", is_reached).await;
        }
        program.kill().await;
        if let Some(hold) = hold {
            hold.end(&database).await;
        }
        slack.clear_faults();
        if matches!(step, Step::Claimed | Step::Posted | Step::Answered) {
            let state = store.notice_state(nina.binding_id, &notice).await;
            assert_eq!(state.unwrap(), Some(NoticeState::Sending));
        }
        let posted = summaries(&slack, NINA, day).len();
        let is_posted = matches!(step, Step::Posted | Step::Answered | Step::Noted);
        assert_eq!(posted, usize::from(is_posted));
        assert_ne!(store.job_counts().await.unwrap().open, 0);

        database.lets_all_run_out(now(), CLAIMS_LAST).await;
        let program = Program::serve(&slack, &database);
        until_idle(&store).await;
        let there = summaries(&slack, NINA, day);
        assert_eq!(there.len(), 1, "{there:#?}");
        is_noted(&store, &nina, day, &there[0]).await;
        // Asked for once more, it is known.
        let again = Job::SendSummary {
            binding: nina.binding_id,
            of: SummaryOf::Day,
            about: day,
            due_at,
            is_missed: false,
        };
        store.add_job(&again.to_row()).await.unwrap();
        program.kill().await;
        database.lets_all_run_out(now(), CLAIMS_LAST).await;
        let program = Program::serve(&slack, &database);
        until_idle(&store).await;
        assert_eq!(summaries(&slack, NINA, day).len(), 1);
        program.kill().await;
        database.spread_summaries_until(due_at).await;
    }
    assert_eq!(slack.violations(), []);
    store.close().await;
    slack.stop();
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_summary_comes_once_wherever_the_program_is_killed_on_sqlite() {
    every_step_is_survived(Database::on_disk()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_summary_comes_once_wherever_the_program_is_killed_on_postgres() {
    every_step_is_survived(Database::postgres().await).await;
}

/// People of one workspace, who are in Slack, too.
async fn crowd(slack: &Sandbox, store: &Store, count: usize) -> Vec<Member> {
    let mut members = Vec::with_capacity(count);
    for number in 0..count {
        let id = format!("U07CROWD{number:03}");
        slack.add_person(Person {
            id: id.clone(),
            name: format!("person{number}"),
            real_name: format!("Person {number}"),
            title: String::new(),
            email: format!("person{number}@tern.example"),
            tz: chrono_tz::UTC,
            locale: "en-GB".to_owned(),
            is_admin: false,
            is_bot: false,
            color: "336699".to_owned(),
        });
        members.push(met(store, &id).await);
    }
    members
}

/// Two programs on one database. One of them is killed and started anew again and again; in the end both leave, and
/// two others take up what the dead ones had begun.
struct Two<'a> {
    slack: &'a Sandbox,
    database: &'a Database,
    lives: Program,
    dies: Program,
}

impl<'a> Two<'a> {
    fn start(slack: &'a Sandbox, database: &'a Database) -> Self {
        let [lives, dies] = [(); 2].map(|()| Program::serve(slack, database));
        Self {
            slack,
            database,
            lives,
            dies,
        }
    }

    async fn kill(self) -> Self {
        self.dies.kill().await;
        let dies = Program::serve(self.slack, self.database);
        Self { dies, ..self }
    }

    async fn end(self) {
        for mut program in [self.lives, self.dies] {
            // Before it serves, a signal ends it as it ends any process.
            program.logs("web.listening").await;
            program.signal("TERM").await;
            let (status, log) = program.end().await;
            assert!(status.success(), "{log:#?}");
        }
    }

    /// Everything comes to its end, and then so do they.
    async fn finish(self, store: &Store) {
        let (slack, database) = (self.slack, self.database);
        self.end().await;
        slack.clear_faults();
        database.lets_all_run_out(now(), CLAIMS_LAST).await;
        let two = Two::start(slack, database);
        until_idle(store).await;
        two.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_programs_one_dies_again_and_again_and_each_summary_comes_once() {
    const PEOPLE: usize = 200;
    const KILLS: usize = 8;
    let database = Database::postgres().await;
    let slack = sandbox(SLACK_WAITS).await;
    let store = Store::open(&database.url, Clock::system()).await.unwrap();
    let people = crowd(&slack, &store, PEOPLE).await;
    let day = now().date_naive() - TimeDelta::days(1);
    // Now one and now the other: a message that is not there yet, and one of which the answer is not.
    let moment = Duration::from_millis(40);
    for _ in 0..PEOPLE {
        for fault in [Fault::Slow(moment), Fault::AnsweredLate(moment)] {
            slack.fail_next("chat.postMessage", 1, fault);
        }
    }
    database.plan_summaries(now(), day).await;
    let look = Job::LookForSummaries.to_row();
    store.add_job(&look).await.unwrap();
    let mut two = Two::start(&slack, &database);
    let sent = || {
        let count = |member: &Member| summaries(&slack, &member.slack_user_id, day).len();
        people.iter().map(count).collect::<Vec<_>>()
    };
    for kill in 1..=KILLS {
        let enough = PEOPLE * kill / (KILLS + 1);
        let is_sent = async || {
            // They are spread over a minute, which nobody waits for.
            database.make_all_due(now()).await;
            sent().iter().sum::<usize>() >= enough
        };
        until("the summaries", is_sent).await;
        two = two.kill().await;
    }
    two.finish(&store).await;
    assert_eq!(sent(), vec![1; PEOPLE]);
    for member in &people {
        let there = summaries(&slack, &member.slack_user_id, day);
        is_noted(&store, member, day, &there[0]).await;
    }
    assert_eq!(slack.violations(), []);
    store.close().await;
    slack.stop();
    database.remove().await;
}

/// Something the person logs, after which their Home tab is to show it.
fn entry(member: &Member, round: usize, date: NaiveDate) -> NewEntry {
    let refresh = Job::RefreshHome {
        binding: member.binding_id,
    };
    NewEntry {
        key: Uuid::from_u128(rand::random()),
        user_id: member.user_id,
        source: EntrySource::Slack,
        fields: EntryFields {
            description: format!("Round {round}."),
            date,
            span: None,
            is_timed: false,
            duration: Minutes::new(5),
            project: None,
            billable: false,
            tags: Vec::new(),
        },
        typed_text: None,
        permalink: None,
        then: Some(refresh.to_row()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_programs_one_dies_again_and_again_and_each_home_tab_is_published_last() {
    const PEOPLE: usize = 100;
    const ROUNDS: usize = 12;
    let database = Database::postgres().await;
    let slack = sandbox(SLACK_WAITS).await;
    let store = Store::open(&database.url, Clock::system()).await.unwrap();
    let people = crowd(&slack, &store, PEOPLE).await;
    for member in &people {
        store.note_home_opened(member.binding_id).await.unwrap();
    }
    let shows = |member: &Member, round: usize| {
        let home = slack.home(&member.slack_user_id);
        let words = format!("Round {round}.");
        home.is_some_and(|home| {
            serde_json::to_string(home.blocks())
                .unwrap()
                .contains(&words)
        })
    };
    let ask = async |round: usize| {
        let today = now().date_naive();
        let asked = people.iter().map(|member| {
            let by = Instant::now() + PATIENCE;
            store.insert_entry(entry(member, round, today), by)
        });
        for made in join_all(asked).await {
            made.unwrap();
        }
    };
    // What is published says what was so a moment ago.
    let late = Fault::AnsweredLate(Duration::from_millis(40));
    slack.fail_next("views.publish", u32::MAX, late);
    let mut two = Two::start(&slack, &database);
    for round in (0..ROUNDS).step_by(2) {
        ask(round).await;
        // Some are published, others are not yet, and some are under way: all are asked for once more.
        let some = |_: &Sandbox| {
            let published = people.iter().filter(|member| shows(member, round));
            (published.count() >= PEOPLE / 10).then_some(())
        };
        let wait = slack.wait_within(PATIENCE, "some Home tabs", some);
        wait.await.unwrap();
        ask(round + 1).await;
        two = two.kill().await;
    }
    two.finish(&store).await;
    for member in &people {
        assert!(shows(member, ROUNDS - 1), "{}", member.name);
    }
    // That two views meet is what the fingerprint is for.
    let mut refused = slack.take_violations();
    refused.retain(|one| one.error != "hash_conflict");
    assert_eq!(refused, []);
    store.close().await;
    slack.stop();
    database.remove().await;
}
