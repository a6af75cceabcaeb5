//! What a program can do to a server with HTTP alone: bodies, addresses, methods and origins that no client of good
//! faith sends, and slowness. Whatever it is, the answer is a problem in words of ours, and never a 5xx.

use std::time::Duration;

use billops::config::Limits;
use chrono::TimeDelta;
use reqwest::{Method, StatusCode, header};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::Instant,
};

use super::{JONAS, JSON, api_token, problem};
use crate::{
    bot::{NINA, TestBot},
    databases::Database,
    visitor::{Page, Visitor},
};

const PREFERENCES: &str = "/api/v1/integrations/slack/preferences";
const SELECT: &str = "/api/v1/integrations/google/select-calendar";
const FRONTEND: &str = "https://time.example.com";

/// What no answer may hold: words of the libraries that do the work.
const INTERNAL: [&str; 16] = [
    "serde",
    "sqlx",
    "axum",
    "hyper",
    "deserialize",
    "rejection",
    "line 1",
    "column",
    "invalid type",
    "recursion",
    "expected value",
    "panicked",
    "src/",
    ".rs:",
    "SELECT",
    "RUST",
];

/// Says what it refuses in words of ours.
fn refused_well(page: &Page, about: &str) {
    assert!(page.status.is_client_error(), "{about}: {page:?}");
    let kind = page.headers[header::CONTENT_TYPE].to_str().unwrap();
    assert_eq!(kind, "application/problem+json", "{about}: {page:?}");
    let said = page.json();
    assert_eq!(said["status"], page.status.as_u16(), "{about}");
    assert_eq!(said["instance"], page.url.path(), "{about}");
    for word in INTERNAL {
        assert!(
            !page.body.contains(word),
            "{about}: {word} in {}",
            page.body
        );
    }
}

/// A program of Nina's.
struct Program {
    visitor: Visitor,
    token: String,
}

impl Program {
    async fn of(bot: &TestBot, person: &str) -> Self {
        Self {
            visitor: Visitor::new(bot),
            token: format!("Bearer {}", api_token(bot, person).await),
        }
    }

    async fn send(&mut self, method: Method, path: &str, body: Option<(&str, String)>) -> Page {
        let url = self.visitor.at(path);
        let headers = [("authorization", &*self.token), ("origin", "")];
        self.visitor.send(method, &url, body, &headers).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_not_what_it_should_be_is_refused_in_our_words() {
    let bot = TestBot::start().await;
    let mut program = Program::of(&bot, NINA).await;
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(20_000), close.repeat(20_000));
    let bodies = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "7".to_owned(),
        "\"text\"".to_owned(),
        "[]".to_owned(),
        "[{}]".to_owned(),
        "{\"calendar_id\": 7, \"time_zone\": 7}".to_owned(),
        "{\"calendar_id\": null, \"summary_days\": [0]}".to_owned(),
        "{\"calendar_id\": {\"a\": []}, \"daily_summary\": \"yes\"}".to_owned(),
        "{\"calendar_id\": \"a\", \"calendar_id\": \"b\", \"x\": 1}".to_owned(),
        "{\"calendar_id\": \"a\", \"oauth_account_id\": \"x\", \"target_minutes_per_day\": 1e400}"
            .to_owned(),
        "{\"calendar_id\": \"a\", \"oauth_account_id\": -1, \"target_minutes_per_day\": -1}"
            .to_owned(),
        "{\"daily_summary_time\": \"25:99\", \"__proto__\": {}}".to_owned(),
        "{\"\u{0}\": \"\u{0}\"}".to_owned(),
        format!("{{\"{}\": 1}}", "n".repeat(60_000)),
        deep("[", "]"),
        deep("{\"a\":", "}"),
        "x".repeat(70 * 1024),
    ];
    for (method, path) in [(Method::PUT, PREFERENCES), (Method::POST, SELECT)] {
        for body in &bodies {
            let about = format!("{path} {}", body.chars().take(60).collect::<String>());
            let page = program
                .send(method.clone(), path, Some((JSON, body.clone())))
                .await;
            refused_well(&page, &about);
            assert!(page.body.len() < 4096, "{about}: it is repeated");
        }
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "x",
        ] {
            let page = program
                .send(method.clone(), path, Some((kind, "{}".to_owned())))
                .await;
            refused_well(&page, kind);
            assert_eq!(page.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let page = program
            .send(method.clone(), path, Some((JSON, "x".repeat(65 * 1024))))
            .await;
        assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    // One that says it will go on for a gigabyte is not waited for.
    let address = bot.bot.web_address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "PUT {PREFERENCES} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n{}",
        program.token,
        "x".repeat(70 * 1024)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_with_tricks_leads_nowhere() {
    let bot = TestBot::start().await;
    let mut program = Program::of(&bot, NINA).await;
    let address = bot.bot.web_address();
    for path in [
        "/api/v1/../../etc/passwd",
        "/api/v1/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1/..%2f..%2fetc%2fpasswd",
        "/api/v1//me",
        "//api/v1/me",
        "/api/v1/me/",
        "/api/v1/ME",
        "/api/v1/me%00",
        "/api/v1/me;x=y",
        "/api/v1/calendar-events/%ff/convert",
        "/api/v1/calendar-events/%00/convert",
        "/api/v1/calendar-events/%2e%2e%2f/convert",
        "/api/v1/calendar-events/'%20OR%201=1--/convert",
        "/api/v1/calendar-events/{{7*7}}/convert",
        "/api/v1/integrations/google%2f..%2fmicrosoft/authorize",
        "/api/v1/integrations/%F0%9F%92%A9/authorize",
    ] {
        // Written by hand: a client of good faith would tidy the address up.
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {}\r\nConnection: close\r\n\r\n",
            program.token
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let status: u16 = answer[9..12].parse().unwrap();
        assert!([400, 404, 405].contains(&status), "{path}: {answer}");
        for word in INTERNAL {
            assert!(!answer.contains(word), "{path}: {word} in {answer}");
        }
        // Of the rest, the date may hold any number.
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(!body.contains("49"), "{path} was reckoned: {answer}");
    }
    for query in [
        "limit=x",
        "limit=-1",
        "limit=1e9",
        "from=yesterday",
        "to=2026-11-20",
        "state=open",
        "cursor=x",
        "cursor=9999999999999999999_00000000000000000000000000000000",
        "cursor=-8000000000000000000_00000000000000000000000000000000",
        "from=-262143-01-01T00:00:00Z",
        "from=-262142-01-01T00:00:00Z",
        "to=-4800-01-01T00:00:00Z",
        "to=%2B262142-12-31T23:59:59Z",
        "limit=1&limit=2",
        "unknown=1",
        "limit=%ff",
    ] {
        let page = program
            .send(
                Method::GET,
                &format!("/api/v1/calendar-events?{query}"),
                None,
            )
            .await;
        refused_well(&page, query);
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        let field = page.json()["errors"][0]["field"].clone();
        let name = query.split('=').next().unwrap();
        assert!(field == name || field == "query", "{query}: {field}");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_that_does_not_exist_is_told_which_do() {
    let bot = TestBot::start().await;
    let mut program = Program::of(&bot, NINA).await;
    for method in ["BREW", "TRACE", "PROPFIND", "DELETE", "PATCH", "OPTIONS"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let page = program.send(method.clone(), "/api/v1/me", None).await;
        problem(&page, "method-not-allowed");
        assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(page.headers[header::ALLOW], "GET,HEAD", "{method}");
    }
    let head = program.send(Method::HEAD, "/api/v1/me", None).await;
    assert_eq!((head.status, &*head.body), (StatusCode::OK, ""));
    let head = program.send(Method::HEAD, "/api/v1/nowhere", None).await;
    assert_eq!((head.status, &*head.body), (StatusCode::NOT_FOUND, ""));
    let page = program.send(Method::GET, "/api/v1/nowhere", None).await;
    problem(&page, "not-found");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_headers_say_about_the_sender_makes_nobody_else_of_them() {
    let limits = Limits {
        burst: 5,
        ..Limits::default()
    };
    let bot = TestBot::limited(limits).await;
    let mut stranger = Visitor::new(&bot);
    let me = stranger.at("/api/v1/me");
    let mut ask = async |n: u32| {
        let address = format!("192.0.2.{n}");
        let forged = format!("for={address};host=evil.example");
        let token = format!("Bearer bo_{n}");
        let headers = [
            ("host", "evil.example"),
            ("x-forwarded-for", &*address),
            ("x-real-ip", &address),
            ("forwarded", &forged),
            ("x-forwarded-host", "evil.example"),
            ("authorization", &token),
        ];
        stranger.send(Method::GET, &me, None, &headers).await
    };
    for n in 0..5 {
        problem(&ask(n).await, "token-refused");
    }
    let page = ask(6).await;
    problem(&page, "too-many-requests");
    assert_eq!(page.headers[header::RETRY_AFTER], "1");
    assert!(!page.body.contains("evil.example"));
    bot.clock.advance(TimeDelta::milliseconds(50));
    problem(&ask(7).await, "token-refused");
    problem(&ask(8).await, "too-many-requests");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_much_waits_and_nobody_else_does() {
    let bot = TestBot::limited(Limits::default()).await;
    let mut nina = Program::of(&bot, NINA).await;
    let mut jonas = Program::of(&bot, JONAS).await;
    // How much is left is said in every answer, and how much there is.
    let left = |page: &Page| {
        assert_eq!(page.headers["ratelimit-policy"], "\"requests\";q=100;w=5");
        page.headers["ratelimit"].to_str().unwrap().to_owned()
    };
    for requests in (0..100).rev() {
        let page = nina.send(Method::GET, "/api/v1/me", None).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        let seconds = (100_u32 - requests).div_ceil(20);
        assert_eq!(
            left(&page),
            format!("\"requests\";r={requests};t={seconds}")
        );
    }
    let page = nina.send(Method::GET, "/api/v1/me", None).await;
    assert_eq!(left(&page), "\"requests\";r=0;t=1");
    problem(&page, "too-many-requests");
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(page.headers[header::RETRY_AFTER], "1");
    // What is dear has to be waited for longer: ten parts are half a second, and the bucket is empty.
    let authorize = "/api/v1/integrations/google/authorize";
    problem(
        &nina.send(Method::GET, authorize, None).await,
        "too-many-requests",
    );
    for requests in (0..100).step_by(10).rev() {
        let page = jonas.send(Method::GET, authorize, None).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        let expected = format!("\"requests\";r={requests};t=");
        assert!(left(&page).starts_with(&expected), "{page:?}");
    }
    // Who is not known pays as well; what costs nothing says nothing.
    let mut stranger = Visitor::new(&bot);
    for (path, is_counted) in [
        ("/api/v1/me", true),
        ("/api/v1/openapi.json", true),
        ("/api/v1/nowhere", false),
        ("/", false),
        ("/healthz", false),
    ] {
        let url = stranger.at(path);
        let page = stranger.send(Method::GET, &url, None, &[]).await;
        let is_said = page.headers.contains_key("ratelimit");
        assert_eq!(is_said, is_counted, "{path}");
    }
    problem(
        &jonas.send(Method::GET, authorize, None).await,
        "too-many-requests",
    );
    bot.clock.advance(TimeDelta::milliseconds(450));
    problem(
        &nina.send(Method::GET, authorize, None).await,
        "too-many-requests",
    );
    bot.clock.advance(TimeDelta::milliseconds(50));
    let page = nina.send(Method::GET, authorize, None).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    bot.finish().await;
}

/// The headers that let another site's script do something.
fn allowed(page: &Page) -> Vec<(String, String)> {
    let all = page.headers.iter();
    let about = all.filter(|(name, _)| name.as_str().starts_with("access-control-"));
    about
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_frontend_may_use_the_api_from_elsewhere() {
    let settings = &[("FRONTEND_URL", "https://time.example.com")];
    let bot = TestBot::with(Database::in_memory(), settings).await;
    let mut visitor = Visitor::new(&bot);
    let url = visitor.at(PREFERENCES);
    let mut preflight = async |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "content-type"),
        ];
        visitor.send(Method::OPTIONS, &url, None, &headers).await
    };
    let page = preflight(FRONTEND).await;
    assert_eq!(page.status, StatusCode::NO_CONTENT);
    assert_eq!(page.headers["access-control-allow-origin"], FRONTEND);
    assert_eq!(page.headers["access-control-allow-credentials"], "true");
    for (header, word) in [
        ("access-control-allow-methods", "PUT"),
        ("access-control-allow-headers", "idempotency-key"),
        ("access-control-allow-headers", "content-type"),
        ("access-control-max-age", "600"),
    ] {
        assert!(
            page.headers[header].to_str().unwrap().contains(word),
            "{header}"
        );
    }
    let wrong = [
        "https://evil.example",
        "null",
        "http://time.example.com",
        "https://time.example.com.evil.example",
        "https://time.example.com:8443",
        "https://TIME.example.com",
        "https://time.example.com/",
    ];
    for origin in wrong {
        let page = preflight(origin).await;
        assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED, "{origin}");
        assert_eq!(allowed(&page), [], "{origin}");
    }

    let mut ask = async |origin: &str| {
        let url = visitor.at("/api/v1/me");
        visitor
            .send(Method::GET, &url, None, &[("origin", origin)])
            .await
    };
    // A refusal is for the frontend to read, too.
    let page = ask(FRONTEND).await;
    problem(&page, "not-signed-in");
    assert_eq!(page.headers["access-control-allow-origin"], FRONTEND);
    assert_eq!(page.headers["vary"], "origin");
    let exposed = page.headers["access-control-expose-headers"]
        .to_str()
        .unwrap();
    for header in [
        "etag",
        "retry-after",
        "location",
        "ratelimit",
        "ratelimit-policy",
    ] {
        assert!(exposed.contains(header), "{header}");
    }
    for origin in wrong {
        let page = ask(origin).await;
        assert_eq!(allowed(&page), [], "{origin}");
    }
    bot.finish().await;

    // Without a frontend there is nobody to allow anything.
    let bot = TestBot::start().await;
    let mut visitor = Visitor::new(&bot);
    let url = visitor.at("/api/v1/me");
    let headers = [
        ("origin", FRONTEND),
        ("access-control-request-method", "GET"),
    ];
    for method in [Method::OPTIONS, Method::GET] {
        let page = visitor.send(method, &url, None, &headers).await;
        assert_eq!(allowed(&page), []);
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_do_not_end_keep_nobody_out_for_ever() {
    let limits = Limits {
        connections: 3,
        ..Limits::default()
    };
    let bot = TestBot::limited(limits).await;
    let address = bot.bot.web_address();
    let mut held = Vec::new();
    for start in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        held.push(stream);
    }
    // Somebody of good faith waits until one of them is given up; nobody has to send anything for that.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(30), read).await;
    read.expect("the slow ones were never given up").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_what_they_asked_for_is_cut_off() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let bot = TestBot::limited(limits).await;
    let address = bot.bot.web_address();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    // More than the machine keeps for somebody who does not read.
    let request = format!("GET /api/docs HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let requests = request.repeat(200);
    stream.write_all(requests.as_bytes()).await.unwrap();
    let began = Instant::now();
    let mut next = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    next.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = next.read_to_string(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(40), read).await;
    read.expect("the one who does not read was never cut off")
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        began.elapsed() > Duration::from_secs(15),
        "everything fitted into what the machine keeps"
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_come_is_given_up() {
    let bot = TestBot::start().await;
    let program = Program::of(&bot, NINA).await;
    let address = bot.bot.web_address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = json!({"monday": true}).to_string();
    let request = format!(
        "PUT /api/v1/me-not HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    // Nothing is at this address: it is said without the body having been waited for.
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 404");

    // Here it is waited for, but no longer than a request may take.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST /api/v1/notifications/invoice-ready HTTP/1.1\r\nHost: {address}\r\nAuthorization: {}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        program.token
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    let read = stream.read_exact(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(25), read).await;
    read.expect("it was never given up").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
    bot.finish().await;
}
