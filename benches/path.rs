//! The whole path: from an envelope on a real WebSocket through the real bot to its acknowledgement, with a
//! durable insert in between. Prints what README.md quotes.
//!
//! The bot runs as a process of its own, as it would in production. The peer here is a bare Slack: it hands
//! out sockets, says who people are, sends commands at a fixed rate and notes when each is acknowledged.
//! Latency is counted from the moment a command was due to be sent, so that a stall is not hidden.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement, not a service"
)]

use std::{
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::{get, post},
};
use futures_util::{SinkExt as _, StreamExt as _};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_tungstenite::tungstenite::Message;

/// People who log time; each is met before the measurement begins.
const PEOPLE: usize = 1000;
/// At least so many commands before the memory is read.
const FOR_MEMORY: usize = 100_000;
const UNANSWERED: u64 = u64::MAX;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // `cargo test --benches` calls this too; there is nothing to prove then.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("machine: {} logical cores, {}", num_cpus(), cpu_model());
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for (name, folder) in [
        ("memory-backed folder", memory.path()),
        ("disk", disk.path()),
    ] {
        println!("\n## database on the {name}");
        print_fsync(folder);
        measure(folder).await;
    }
}

async fn measure(folder: &Path) {
    let mut run = Run::start(folder).await;
    println!(
        "start to hello: {:.0} ms",
        run.hello_after.as_secs_f64() * 1e3
    );
    run.meet_everybody().await;
    for (rate, seconds) in [(50, 10), (200, 10), (1000, 20)] {
        let result = run.at_rate(rate, seconds, Slow::No).await;
        println!("{rate:>5}/s for {seconds} s: {result}");
    }
    let result = run.at_rate(1000, 10, Slow::OneInAHundred).await;
    println!(" 1000/s, 1% of the handlers held up for 300 ms: the others {result}");
    let sustained = run.flat_out(Duration::from_secs(10)).await;
    println!("highest sustained rate: {sustained:.0}/s");
    while run.sent() < FOR_MEMORY {
        run.flat_out(Duration::from_secs(1)).await;
    }
    println!(
        "resident after {} commands: {:.1} MiB",
        run.sent(),
        run.resident_mib()
    );
    run.finish(folder).await;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Slow {
    No,
    /// Every hundredth command comes from somebody new, whom Slack takes 300 ms to introduce.
    OneInAHundred,
}

struct Run {
    bot: Child,
    peer: Arc<Peer>,
    hello_after: Duration,
    newcomers: usize,
}

/// The bare Slack.
struct Peer {
    ws_address: std::net::SocketAddr,
    begun: Instant,
    connections: Mutex<Vec<mpsc::UnboundedSender<Message>>>,
    first_hello: tokio::sync::Notify,
    /// When each command was due, and when it was acknowledged, in nanoseconds since `begun`.
    commands: Mutex<Vec<Arc<Sent>>>,
    acknowledged: AtomicUsize,
    repeated: AtomicUsize,
    next: AtomicUsize,
}

struct Sent {
    due: u64,
    acknowledged: AtomicU64,
}

struct Outcome {
    latencies_ns: Histogram<u64>,
    lost: usize,
    repeated: usize,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |quantile| self.latencies_ns.value_at_quantile(quantile) as f64 / 1e6;
        write!(
            f,
            "p50 {:.2} ms, p99 {:.2} ms, max {:.1} ms, lost {}, duplicated {}",
            ms(0.5),
            ms(0.99),
            self.latencies_ns.max() as f64 / 1e6,
            self.lost,
            self.repeated
        )
    }
}

impl Run {
    async fn start(folder: &Path) -> Self {
        let peer = Peer::start().await;
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}/api", http.local_addr().unwrap());
        let router = Router::new()
            .route("/api/apps.connections.open", post(open))
            .route("/api/auth.test", post(identity))
            .route("/api/users.info", get(user))
            .with_state(peer.clone());
        tokio::spawn(async move { axum::serve(http, router).await.unwrap() });
        let began = Instant::now();
        let bot = Command::new(env!("CARGO_BIN_EXE_billops"))
            .arg("serve")
            .current_dir(folder)
            .env("SLACK_API_URL", api)
            .env("SLACK_APP_TOKEN", "xapp-1-A1-bench")
            .env("SLACK_BOT_TOKEN", "xoxb-bench")
            .env(
                "DATABASE_URL",
                format!("sqlite://{}/billops.db", folder.display()),
            )
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        peer.first_hello.notified().await;
        let hello_after = began.elapsed();
        while peer.connections.lock().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self {
            bot,
            peer,
            hello_after,
            newcomers: 0,
        }
    }

    fn sent(&self) -> usize {
        self.peer.commands.lock().unwrap().len()
    }

    async fn meet_everybody(&self) {
        let from = self.sent();
        for person in 0..PEOPLE {
            self.peer.send(&format!("U{person}"), self.peer.now());
            if person % 20 == 19 {
                self.peer.settled(Duration::from_secs(10)).await;
            }
        }
        self.peer.settled(Duration::from_secs(10)).await;
        assert_eq!(
            self.peer.outcome(from, |_| true).lost,
            0,
            "people were not met"
        );
    }

    async fn at_rate(&mut self, rate: u32, seconds: u32, slow: Slow) -> Outcome {
        let from = self.sent();
        let newcomers = self.newcomers;
        if slow == Slow::OneInAHundred {
            self.newcomers += (rate * seconds).div_ceil(100) as usize;
        }
        let peer = self.peer.clone();
        // A thread of its own, because tokio's timers round up to the next millisecond: at one command a
        // millisecond each would be sent late by the same part of it, and the lateness counted as the bot's.
        let send = move || {
            let interval = Duration::from_secs(1) / rate;
            let start = Instant::now();
            for number in 0..rate * seconds {
                let due = start + interval * number;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let user = if slow == Slow::OneInAHundred && number % 100 == 0 {
                    format!("UNEW{}", newcomers + number as usize / 100)
                } else {
                    format!("U{}", number as usize % PEOPLE)
                };
                peer.send(&user, nanos(due - peer.begun));
            }
        };
        tokio::task::spawn_blocking(send).await.unwrap();
        self.peer.settled(Duration::from_secs(5)).await;
        self.peer.outcome(from, |number| {
            slow == Slow::No || !(number - from).is_multiple_of(100)
        })
    }

    /// As many as it takes, with 256 commands under way at any time.
    async fn flat_out(&self, duration: Duration) -> f64 {
        let before = self.peer.acknowledged.load(Ordering::Acquire);
        let start = Instant::now();
        let mut number = 0;
        while start.elapsed() < duration {
            let under_way = self.sent() - self.peer.acknowledged.load(Ordering::Acquire);
            for _ in under_way..256 {
                self.peer
                    .send(&format!("U{}", number % PEOPLE), self.peer.now());
                number += 1;
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        let done = self.peer.acknowledged.load(Ordering::Acquire) - before;
        let took = start.elapsed();
        self.peer.settled(Duration::from_secs(5)).await;
        done as f64 / took.as_secs_f64()
    }

    fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.bot.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<f64>()
            .unwrap()
            / 1024.0
    }

    /// Ends the bot and counts what it stored: every command once.
    async fn finish(mut self, folder: &Path) {
        let pid = self.bot.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        self.bot.wait().unwrap();
        let url = format!("sqlite://{}/billops.db", folder.display());
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        let (stored,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM time_entries")
            .fetch_one(&pool)
            .await
            .unwrap();
        let sent = self.sent();
        println!(
            "sent {sent}, stored {stored}: {}",
            if i64::try_from(sent) == Ok(stored) {
                "the same"
            } else {
                "NOT THE SAME"
            }
        );
    }
}

impl Peer {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = Arc::new(Self {
            ws_address: listener.local_addr().unwrap(),
            begun: Instant::now(),
            connections: Mutex::default(),
            first_hello: tokio::sync::Notify::new(),
            commands: Mutex::default(),
            acknowledged: AtomicUsize::new(0),
            repeated: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
        });
        let accepting = peer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        peer
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        let (mut sink, mut stream) = tokio_tungstenite::accept_async(stream)
            .await
            .unwrap()
            .split();
        let hello =
            json!({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}});
        sink.send(Message::text(hello.to_string())).await.unwrap();
        let (sender, mut outgoing) = mpsc::unbounded_channel();
        self.connections.lock().unwrap().push(sender);
        self.first_hello.notify_one();
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while outgoing.recv_many(&mut batch, 256).await > 0 {
                for message in batch.drain(..) {
                    if sink.feed(message).await.is_err() {
                        return;
                    }
                }
                if sink.flush().await.is_err() {
                    return;
                }
            }
        });
        while let Some(Ok(message)) = stream.next().await {
            let Message::Text(text) = message else {
                continue;
            };
            // Acknowledgements begin with the id; reading no more keeps the peer out of the measurement.
            let id = text
                .strip_prefix(r#"{"envelope_id":""#)
                .and_then(|rest| rest.split('"').next());
            let number: usize = id.unwrap().parse().unwrap();
            assert!(text.contains("Logged"), "not a card: {text}");
            let sent = self.commands.lock().unwrap()[number].clone();
            if sent.acknowledged.swap(self.now(), Ordering::AcqRel) == UNANSWERED {
                self.acknowledged.fetch_add(1, Ordering::AcqRel);
            } else {
                self.repeated.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    fn now(&self) -> u64 {
        nanos(self.begun.elapsed())
    }

    fn send(&self, user: &str, due: u64) {
        let number = {
            let mut commands = self.commands.lock().unwrap();
            commands.push(Arc::new(Sent {
                due,
                acknowledged: AtomicU64::new(UNANSWERED),
            }));
            commands.len() - 1
        };
        let frame = format!(
            r#"{{"envelope_id":"{number}","type":"slash_commands","accepts_response_payload":true,"payload":{{"token":"t","team_id":"T1","team_domain":"bench","channel_id":"C1","channel_name":"general","user_id":"{user}","user_name":"bench","command":"/time","text":"2.5 hours: Meeting {number}","api_app_id":"A1","is_enterprise_install":"false","response_url":"https://127.0.0.1/none","trigger_id":"{number}.1.abc"}}}}"#
        );
        let connections = self.connections.lock().unwrap();
        let next = self.next.fetch_add(1, Ordering::Relaxed) % connections.len();
        connections[next].send(Message::text(frame)).unwrap();
    }

    /// Waits until everything is acknowledged, or no longer than `limit`.
    async fn settled(&self, limit: Duration) {
        let until = Instant::now() + limit;
        while self.acknowledged.load(Ordering::Acquire) < self.commands.lock().unwrap().len()
            && Instant::now() < until
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn outcome(&self, from: usize, counts: impl Fn(usize) -> bool) -> Outcome {
        let mut latencies_ns = Histogram::new(3).unwrap();
        let mut lost = 0;
        for (number, sent) in self.commands.lock().unwrap().iter().enumerate().skip(from) {
            match sent.acknowledged.load(Ordering::Acquire) {
                UNANSWERED => lost += 1,
                at if counts(number) => latencies_ns
                    .record(at.saturating_sub(sent.due).max(1))
                    .unwrap(),
                _ => {}
            }
        }
        Outcome {
            latencies_ns,
            lost,
            repeated: self.repeated.swap(0, Ordering::AcqRel),
        }
    }
}

async fn open(State(peer): State<Arc<Peer>>) -> Json<Value> {
    Json(json!({"ok": true, "url": format!("ws://{}/link?ticket=1&app_id=A1", peer.ws_address)}))
}

async fn identity() -> Json<Value> {
    Json(json!({"ok": true, "team_id": "T1", "team": "Bench", "user_id": "UBOT"}))
}

async fn user(Query(query): Query<std::collections::HashMap<String, String>>) -> Json<Value> {
    let id = &query["user"];
    if id.starts_with("UNEW") {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Json(json!({"ok": true, "user": {"id": id, "real_name": id, "tz": "Europe/Berlin"}}))
}

/// The disk's own share: one page written and synced, again and again.
fn print_fsync(folder: &Path) {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(folder.join("fsync"))
        .unwrap();
    let mut latencies_ns = Histogram::<u64>::new(3).unwrap();
    for _ in 0..300 {
        let start = Instant::now();
        file.write_all(&[0; 4096]).unwrap();
        file.sync_data().unwrap();
        latencies_ns
            .record(u64::try_from(start.elapsed().as_nanos()).unwrap())
            .unwrap();
    }
    let ms = |quantile| latencies_ns.value_at_quantile(quantile) as f64 / 1e6;
    println!(
        "fsync of the folder: p50 {:.3} ms, p99 {:.3} ms",
        ms(0.5),
        ms(0.99)
    );
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap()
}

fn num_cpus() -> usize {
    std::thread::available_parallelism().map_or(0, Into::into)
}

fn cpu_model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(
        || "unknown processor".to_owned(),
        |(_, name)| name.to_owned(),
    )
}
