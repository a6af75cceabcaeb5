//! The real program as a child process: killed, asked to end, started with wrong settings, and cut off from
//! its database.

use std::{
    net::SocketAddr,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use billops::{
    manifest::MANIFEST,
    sandbox::{Answer, Fault, Manifest, Options, Sandbox},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
    time::Instant,
};

use crate::{
    bot::{NINA, click},
    databases::Database,
};

pub(crate) const KEY: &str = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// `billops serve`, in an empty folder and with no other settings than these.
pub(crate) struct Program {
    child: Child,
    log: watch::Receiver<Vec<String>>,
    reading: JoinHandle<()>,
    _folder: TempDir,
}

impl Program {
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), settings)
    }

    fn start_in(folder: TempDir, settings: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_billops"))
            .arg("serve")
            .env_clear()
            // Asked for with PostgreSQL, and harmless with SQLite.
            .env("ENCRYPTION_KEYS", KEY)
            .envs(settings.iter().copied())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = watch::channel(Vec::new());
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                sender.send_modify(|log: &mut Vec<String>| log.push(line));
            }
        });
        Self {
            child,
            log,
            reading,
            _folder: folder,
        }
    }

    /// Talks to this Slack, keeps its data there, and logs in JSON.
    pub(crate) fn serve(slack: &Sandbox, database: &Database) -> Self {
        Self::serve_with(slack, database, &[])
    }

    fn serve_with(slack: &Sandbox, database: &Database, more: &[(&str, &str)]) -> Self {
        let api_url = slack.api_url();
        let mut settings = vec![
            ("SLACK_API_URL", &*api_url),
            ("SLACK_APP_TOKEN", slack.app_token()),
            ("SLACK_BOT_TOKEN", slack.bot_token()),
            ("DATABASE_URL", &*database.url),
            ("LISTEN_ADDR", "127.0.0.1:0"),
            ("LOG_FORMAT", "json"),
        ];
        settings.extend(more);
        Self::start(&settings)
    }

    /// Waits for a line of the log, which is JSON.
    pub(crate) async fn logs(&mut self, message: &str) -> Value {
        let read = |line: &String| {
            let line: Value = serde_json::from_str(line).ok()?;
            let is_it = line["message"].as_str()?.starts_with(message);
            is_it.then_some(line)
        };
        let waiting = self
            .log
            .wait_for(|log| log.iter().any(|line| read(line).is_some()));
        let log = tokio::time::timeout(PATIENCE, waiting).await;
        let log = log
            .unwrap_or_else(|_| panic!("{message} was not logged"))
            .unwrap();
        log.iter().find_map(read).unwrap()
    }

    /// What `/readyz` says.
    async fn ready(&mut self) -> (u16, Value) {
        let line = self.logs("web.listening").await;
        let address: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
        // Fails only where it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let answer = reqwest::get(format!("http://{address}/readyz"))
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn until_ready(&mut self, status: u16) -> Value {
        let by = Instant::now() + PATIENCE;
        loop {
            let (now, body) = self.ready().await;
            if now == status {
                return body;
            }
            assert!(Instant::now() < by, "/readyz stays at {now}: {body}");
        }
    }

    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{name} {pid}")])
            .status()
            .await;
        assert!(sent.unwrap().success());
    }

    /// Waits for its end, and returns all it said.
    pub(crate) async fn end(mut self) -> (ExitStatus, Vec<String>) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = status.expect("it does not end").unwrap();
        self.reading.await.unwrap();
        let log = self.log.borrow().clone();
        (status, log)
    }

    /// With SIGKILL, which leaves it no time for anything.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

pub(crate) async fn sandbox(ack_limit: Duration) -> Sandbox {
    let options = Options {
        manifest: Manifest::parse(MANIFEST).unwrap(),
        ack_limit,
        ..Options::default()
    };
    Sandbox::start(options).await.unwrap()
}

pub(crate) const SLACK_WAITS: Duration = Duration::from_secs(3);

pub(crate) async fn connected(slack: &Sandbox) {
    let both = |slack: &Sandbox| (slack.connections().len() >= 2).then_some(());
    let wait = slack.wait_within(PATIENCE, "two connections", both);
    wait.await.unwrap();
}

fn is_logged(answer: &Answer) -> bool {
    let text = answer
        .payload
        .as_ref()
        .and_then(|payload| payload["text"].as_str());
    text.is_some_and(|text| text.starts_with("Logged 1 min"))
}

/// People who type one command after the other.
struct Load {
    people: Vec<JoinHandle<Vec<Sent>>>,
    logged: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

/// A command, and what became of it.
struct Sent {
    what: String,
    is_logged: bool,
    /// Acknowledged, whatever it said: on a busy disk a command may be “not confirmed” in time.
    is_answered: bool,
}

impl Load {
    /// With `insists`, a command that was not acknowledged is delivered again until it is.
    fn start(slack: &Sandbox, insists: bool) -> Self {
        let (logged, is_over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let people = (0..8)
            .map(|person| {
                let (slack, logged, is_over) = (slack.clone(), logged.clone(), is_over.clone());
                tokio::spawn(async move {
                    let mut all = Vec::new();
                    while !is_over.load(Ordering::SeqCst) {
                        let what = format!("person {person} command {:05}", all.len());
                        let line = format!("/time 1 min: {what}");
                        let mut answer = slack.say(NINA, "#general", &line).await.unwrap();
                        while insists && !is_logged(&answer) {
                            let some =
                                |slack: &Sandbox| (!slack.connections().is_empty()).then_some(());
                            let wait = slack.wait_within(PATIENCE, "a connection", some);
                            wait.await.unwrap();
                            answer = slack.redeliver(&answer.envelope_id).await.unwrap();
                        }
                        let is_logged = is_logged(&answer);
                        if is_logged {
                            logged.fetch_add(1, Ordering::SeqCst);
                        }
                        let is_answered = answer.latency.is_some();
                        all.push(Sent {
                            what,
                            is_logged,
                            is_answered,
                        });
                        if answer.connection.is_none() {
                            // The bot has left.
                            return all;
                        }
                    }
                    all
                })
            })
            .collect();
        Self {
            people,
            logged,
            is_over,
        }
    }

    /// Waits until so many more have been acknowledged.
    async fn more(&self, count: usize) {
        let wanted = self.logged.load(Ordering::SeqCst) + count;
        let by = Instant::now() + PATIENCE;
        while self.logged.load(Ordering::SeqCst) < wanted {
            assert!(Instant::now() < by, "the commands are not acknowledged");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What was sent, in order.
    async fn end(self) -> Vec<Sent> {
        self.is_over.store(true, Ordering::SeqCst);
        let mut sent: Vec<Sent> = join_all(self.people)
            .await
            .into_iter()
            .flat_map(Result::unwrap)
            .collect();
        sent.sort_by(|a, b| a.what.cmp(&b.what));
        sent
    }
}

async fn survives_being_killed(database: Database) {
    // What dies with the process is delivered again soon.
    let slack = sandbox(Duration::from_millis(300)).await;
    let load = Load::start(&slack, true);
    let mut program = Program::serve(&slack, &database);
    for round in 0..20 {
        load.more(1 + round * 7 % 40).await;
        program.kill().await;
        program = Program::serve(&slack, &database);
    }
    load.more(1).await;
    let sent = load.end().await;
    program.signal("TERM").await;
    let (status, _) = program.end().await;
    assert!(status.success(), "{status}");
    let sent: Vec<String> = sent.into_iter().map(|sent| sent.what).collect();
    assert_eq!(database.descriptions().await, sent);
    println!("{} commands, 20 kills", sent.len());
    let refused = slack.take_violations();
    let timing = ["no_ack", "late_ack", "unknown_ack"];
    let other = refused
        .iter()
        .find(|refused| !timing.contains(&&*refused.error));
    assert_eq!(other, None);
    slack.stop();
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_lose_and_double_nothing_on_sqlite() {
    survives_being_killed(Database::on_disk()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_lose_and_double_nothing_on_postgres() {
    survives_being_killed(Database::postgres().await).await;
}

async fn ends_in_good_order(signal: &str) {
    let slack = sandbox(SLACK_WAITS).await;
    let database = Database::on_disk();
    let program = Program::serve(&slack, &database);
    connected(&slack).await;
    let load = Load::start(&slack, false);
    load.more(100).await;
    let asked = Instant::now();
    program.signal(signal).await;
    let (status, log) = program.end().await;
    let took = asked.elapsed();
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert!(took < Duration::from_secs(5), "it took {took:?}");
    assert!(log.last().unwrap().contains("bot.stopped"), "{log:#?}");
    let sent = load.end().await;
    let entries = database.descriptions().await;
    for sent in &sent {
        let is_stored = entries.binary_search(&sent.what).is_ok();
        assert!(!sent.is_logged || is_stored, "{} is lost", sent.what);
        // What was handled was also answered; what came too late was left alone.
        assert!(
            sent.is_answered || !is_stored,
            "{} is stored, but was not answered",
            sent.what
        );
    }
    let is_loud = |line: &&String| line.contains("\"WARN\"") || line.contains("\"ERROR\"");
    assert_eq!(log.iter().find(is_loud), None);
    slack.stop();
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_answers_what_is_under_way_and_exits_with_0() {
    ends_in_good_order("TERM").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigint_under_load_answers_what_is_under_way_and_exits_with_0() {
    ends_in_good_order("INT").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_one_error_and_no_storm_and_shows_in_readyz() {
    let slack = sandbox(SLACK_WAITS).await;
    let database = Database::in_memory();
    let wrong = [("SLACK_APP_TOKEN", "xapp-1-A07BILLOPS-wrong")];
    let mut program = Program::serve_with(&slack, &database, &wrong);
    program.logs("socket.stopped").await;
    let body = program.until_ready(503).await;
    assert_eq!(body["database"]["status"], "ok");
    let problem = body["slack"]["problem"].as_str().unwrap();
    assert!(
        problem.contains("SLACK_APP_TOKEN (invalid_auth)"),
        "{problem}"
    );
    // As long as several attempts would take that do not know that it is for good.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let traffic = slack.traffic();
    let openings = traffic
        .iter()
        .filter(|line| line.title == "apps.connections.open");
    assert!((1..=2).contains(&openings.count()));
    assert_eq!(program.ready().await.0, 503);
    program.signal("TERM").await;
    let (status, log) = program.end().await;
    assert_eq!(status.code(), Some(0));
    let errors: Vec<_> = log
        .iter()
        .filter(|line| line.contains("\"ERROR\""))
        .collect();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(!log.join("\n").contains("xapp-"));
    slack.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_cannot_be_read_are_all_named_without_a_secret() {
    let settings = [
        ("SLACK_APP_TOKEN", "xoxb-hush-1"),
        ("SLACK_BOT_TOKEN", "xoxb-hush 2"),
        ("SLACK_API_URL", "ftp://slack"),
        ("LISTEN_ADDR", "somewhere"),
        ("DATABASE_URL", "mysql://billops:hush-3@host/billops"),
        ("LOG_FORMAT", "verse"),
        ("RUST_LOG", "billops=loudly"),
    ];
    let (status, output) = Program::start(&settings).end().await;
    assert_eq!(status.code(), Some(2));
    let output = output.join("\n");
    for name in [
        "SLACK_APP_TOKEN",
        "SLACK_BOT_TOKEN",
        "SLACK_API_URL",
        "LISTEN_ADDR",
        "DATABASE_URL",
        "LOG_FORMAT",
        "RUST_LOG",
    ] {
        let lines = output
            .lines()
            .filter(|line| line.trim_start().starts_with(name));
        assert_eq!(lines.count(), 1, "{name} in {output}");
    }
    assert!(output.contains("7 things to mend"), "{output}");
    assert!(!output.contains("hush"), "{output}");
    assert_eq!(found_by_doctor(&settings).await, refused_by_serve(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_serve_from_starting_is_what_doctor_names() {
    let slack = sandbox(SLACK_WAITS).await;
    let api_url = slack.api_url();
    let good = [
        ("SLACK_API_URL", &*api_url),
        ("SLACK_APP_TOKEN", slack.app_token()),
        ("SLACK_BOT_TOKEN", slack.bot_token()),
        ("DATABASE_URL", "sqlite::memory:"),
    ];
    for wrong in [
        [("LOG_FORMAT", "xml"), ("RUST_LOG", "=x=")],
        [("SLACK_APP_TOKEN", "foo"), ("SLACK_BOT_TOKEN", "bar")],
    ] {
        let mut settings = good.to_vec();
        settings.retain(|(name, _)| wrong.iter().all(|(other, _)| name != other));
        settings.extend(wrong);
        let (status, output) = Program::start(&settings).end().await;
        assert_eq!(status.code(), Some(2));
        let refused = refused_by_serve(&output.join("\n"));
        let names: Vec<&str> = refused
            .iter()
            .filter_map(|problem| problem.split(' ').next())
            .collect();
        assert_eq!(names.len(), 2, "{refused:#?}");
        for (name, _) in wrong {
            assert!(names.contains(&name), "{name} in {refused:#?}");
        }
        assert_eq!(found_by_doctor(&settings).await, refused);
    }
    slack.stop();
}

/// What `billops serve` has said that it cannot start with.
fn refused_by_serve(output: &str) -> Vec<String> {
    let lines = output.lines().filter_map(|line| line.strip_prefix("  "));
    lines.map(str::to_owned).collect()
}

/// What `billops doctor` finds wrong with the same settings.
async fn found_by_doctor(settings: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_billops"))
        .arg("doctor")
        .env_clear()
        .env("ENCRYPTION_KEYS", KEY)
        .envs(settings.iter().copied())
        .current_dir(folder.path())
        .output()
        .await
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let report = String::from_utf8(ended.stdout).unwrap();
    let lines = report.lines().filter(|line| line.starts_with("WRONG"));
    let found = lines.filter_map(|line| line.split_once("configuration  "));
    found.map(|(_, problem)| problem.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cannot_be_opened_is_named_without_its_password() {
    // A port where nothing listens any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let server = format!("postgres://billops:hunter2@127.0.0.1:{port}/billops");
    for (url, names) in [
        ("sqlite:///nonexist/d/x.db", "/nonexist/d/x.db".to_owned()),
        (&*server, format!("127.0.0.1:{port}")),
    ] {
        for command in ["migrate", "serve"] {
            let ended = Command::new(env!("CARGO_BIN_EXE_billops"))
                .arg(command)
                .env_clear()
                .env("ENCRYPTION_KEYS", KEY)
                .env("SLACK_APP_TOKEN", "xapp-1")
                .env("SLACK_BOT_TOKEN", "xoxb-1")
                .env("DATABASE_URL", url)
                .current_dir(tempfile::tempdir().unwrap().path())
                .output()
                .await
                .unwrap();
            let said = String::from_utf8(ended.stderr).unwrap();
            assert_eq!(ended.status.code(), Some(1), "{said}");
            assert!(said.contains("DATABASE_URL"), "{said}");
            assert!(said.contains(&names), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settings_file_that_cannot_be_read_is_named_without_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(Path::new(".env"));
    tokio::fs::write(file, "SLACK_BOT_TOKEN='xoxb-hush")
        .await
        .unwrap();
    let (status, output) = Program::start_in(folder, &[]).end().await;
    let output = output.join("\n");
    assert_eq!(status.code(), Some(2));
    assert!(
        output.contains(".env has a line that cannot be read"),
        "{output}"
    );
    assert!(!output.contains("hush"), "{output}");
}

async fn outlives_an_outage(database: Database) {
    let slack = sandbox(SLACK_WAITS).await;
    let mut program = Program::serve(&slack, &database);
    connected(&slack).await;
    program.until_ready(200).await;
    let before = slack
        .say(NINA, "#general", "/time 1 min: before")
        .await
        .unwrap();
    assert!(is_logged(&before), "{before:?}");

    let outage = database.outage().await;
    let answer = slack
        .say(NINA, "#general", "/time 1 min: meanwhile")
        .await
        .unwrap();
    let latency = answer.latency.expect("the person is told nothing");
    assert!(latency <= Duration::from_millis(2500), "{latency:?}");
    let card = answer.message.unwrap();
    assert!(card.text.starts_with("Not saved."), "{}", card.text);
    let body = program.until_ready(503).await;
    assert_eq!(body["database"]["status"], "failed");
    // Trying again while it lasts is told the same.
    let (_, card) = click(&slack, &card, "command.retry").await;
    assert!(card.text.starts_with("Not saved."), "{}", card.text);
    outage.end().await;

    program.until_ready(200).await;
    assert_eq!(database.descriptions().await, ["before"]);
    let (pressed, card) = click(&slack, &card, "command.retry").await;
    assert!(
        card.text.starts_with("Logged 1 min · meanwhile."),
        "{}",
        card.text
    );
    // The same press comes again, under another envelope so that the database has to know it.
    let sent = slack.traffic().into_iter();
    let mut press = sent
        .filter(|line| line.kind == "interactive")
        .find_map(|line| {
            (line.envelope_id.as_ref() == Some(&pressed.envelope_id)).then_some(line.body)
        })
        .unwrap();
    press["envelope_id"] = Value::Null;
    let again = slack.send_envelope(press).await;
    assert_eq!(again.error, None);
    assert_eq!(database.descriptions().await, ["before", "meanwhile"]);
    program.signal("TERM").await;
    let (status, _) = program.end().await;
    assert_eq!(status.code(), Some(0));
    assert_eq!(database.descriptions().await, ["before", "meanwhile"]);
    assert_eq!(slack.violations(), []);
    slack.stop();
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_sqlite_is_said_and_made_good() {
    outlives_an_outage(Database::on_disk()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_postgres_is_said_and_made_good() {
    outlives_an_outage(Database::postgres().await).await;
}

async fn tells_no_secrets(format: &str) {
    let slack = sandbox(SLACK_WAITS).await;
    let database = Database::on_disk();
    let loud = [("RUST_LOG", "trace"), ("LOG_FORMAT", format)];
    let program = Program::serve_with(&slack, &database, &loud);
    connected(&slack).await;
    let first = slack
        .say(NINA, "#general", "/time 1 min: zanzibar")
        .await
        .unwrap();
    let card = first.message.clone().unwrap();
    slack.open_home(NINA).await.unwrap();
    let home = |slack: &Sandbox| slack.home(NINA);
    slack.wait_for("the Home tab", home).await.unwrap();
    let (_, undone) = click(&slack, &card, "entry.undo").await;
    let (_, card) = click(&slack, &undone, "entry.redo").await;
    // What fails is logged too.
    slack
        .say(NINA, "#general", "/time zanzibar until then")
        .await
        .unwrap();
    slack.fail_next("response_url", 1, Fault::Status(500));
    slack.click(NINA, &card, "entry.undo").await.unwrap();
    slack.fail_next("views.publish", 1, Fault::Status(500));
    slack.open_home(NINA).await.unwrap();
    let event = json!({"type": "message", "text": "zanzibar"});
    slack.send_event(event).await;
    let open = slack.connections();
    slack.send_text(open[0], "zanzibar").await;
    slack
        .send_text(
            open[0],
            r#"{"type":"novelty","payload":{"text":"zanzibar"}}"#,
        )
        .await;
    for payload in [
        json!("zanzibar"),
        json!({"text": {"zanzibar": 1}}),
        json!({"user_id": 7}),
    ] {
        let envelope = json!({"type": "slash_commands", "payload": payload});
        slack.send_on(open[0], envelope).await;
    }
    let outage = database.outage().await;
    let answer = slack
        .say(NINA, "#general", "/time 1 min: zanzibar")
        .await
        .unwrap();
    assert!(answer.message.unwrap().text.starts_with("Not saved."));
    outage.end().await;
    slack.drop_abruptly(open[1]);
    let replaced = |slack: &Sandbox| {
        let now = slack.connections();
        (now.len() == 2 && now != open).then_some(())
    };
    slack.wait_for("a new connection", replaced).await.unwrap();
    program.signal("TERM").await;
    let (status, log) = program.end().await;
    assert_eq!(status.code(), Some(0));
    let log = log.join("\n");
    assert!(
        log.contains("socket.live") && log.contains("request.failed"),
        "{log}"
    );
    assert!(
        log.contains("DEBUG") && log.contains("slack.event"),
        "the finest level was not logged"
    );
    let traffic = slack.traffic();
    let urls = traffic
        .iter()
        .filter_map(|line| line.body["payload"]["response_url"].as_str());
    let urls: Vec<&str> = urls.collect();
    assert!(urls.len() >= 4, "the payloads carry no response_url");
    let paths = urls
        .iter()
        .map(|url| url.split_once("://").unwrap().1.split_once('/').unwrap().1);
    for secret in paths.chain([slack.app_token(), slack.bot_token(), "zanzibar", "ticket="]) {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
    slack.stop();
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_finest_log_holds_neither_tokens_nor_texts_nor_response_urls() {
    tells_no_secrets("json").await;
    tells_no_secrets("text").await;
}
