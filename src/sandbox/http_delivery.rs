//! HTTP mode: what people do is sent as signed requests, as Slack does it for an app without Socket Mode.
//!
//! Sources: docs.slack.dev, “Verifying requests from Slack”, “Slash commands”, “Handling user interaction”, “The Events
//! API”.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use axum::body::{Body, to_bytes};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpStream;
use url::{Url, form_urlencoded};

use super::{
    Sandbox,
    envelopes::{Answer, Envelope},
    locked,
    record::{Ack, Traffic},
    socket::ConnectionId,
};

/// More than any answer may be.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// What a request was answered with.
struct Answered {
    status: u16,
    body: Vec<u8>,
}

impl Sandbox {
    /// From now on commands, interactions and events are sent to the server at this address
    /// (`http://127.0.0.1:8000`) instead of over sockets. Of several servers each is sent to in turn, as by whatever
    /// stands before replicas; one that does not listen is left out from then on, unless it is the last.
    pub fn deliver_over_http(&self, server: &str) {
        let base = server.trim_end_matches('/').to_owned();
        locked(&self.slack.servers).push_back(base);
        self.slack.is_over_http.store(true, Ordering::Relaxed);
        self.slack.changed.notify_waiters();
    }

    /// From now on everything goes over sockets again, and the servers are forgotten.
    pub fn deliver_over_sockets(&self) {
        locked(&self.slack.servers).clear();
        self.slack.is_over_http.store(false, Ordering::Relaxed);
        self.slack.changed.notify_waiters();
    }

    /// Whether requests are sent over HTTP.
    pub(super) fn is_over_http(&self) -> bool {
        self.slack.is_over_http.load(Ordering::Relaxed)
    }

    /// The server whose turn it is, and a connection to it; `None` if none listens.
    async fn next_server(&self) -> Option<(String, TcpStream)> {
        let tries = locked(&self.slack.servers).len();
        for _ in 0..tries {
            let server = {
                let mut servers = locked(&self.slack.servers);
                let next = servers.pop_front()?;
                servers.push_back(next.clone());
                next
            };
            if let Ok(stream) = TcpStream::connect(server.trim_start_matches("http://")).await {
                return Some((server, stream));
            }
            let mut servers = locked(&self.slack.servers);
            if servers.len() > 1 {
                servers.retain(|known| *known != server);
            }
        }
        None
    }

    /// Sends one request to whichever server is next, and waits for its answer.
    pub(super) async fn deliver_request(&self, envelope: &Envelope) -> Answer {
        let (path, kind, body) = request_of(envelope);
        let mut headers = vec![(header::CONTENT_TYPE.as_str(), kind.to_owned())];
        if let Some((attempt @ 1.., reason)) = envelope.retry {
            headers.push(("x-slack-retry-num", attempt.to_string()));
            headers.push(("x-slack-retry-reason", format!("http_{reason}")));
        }
        let mut answer = Answer {
            envelope_id: envelope.id.clone(),
            ..Answer::default()
        };
        let sent = Instant::now();
        let limit = self.slack.options.ack_limit;
        let answered = async {
            let (server, stream) = self.next_server().await.ok_or("no server listens")?;
            let url = format!("{server}/api/v1/integrations/slack/{path}");
            let url = Url::parse(&url).map_err(|error| error.to_string())?;
            self.post_signed(stream, &url, &headers, body.into_bytes())
                .await
        };
        let answered = match tokio::time::timeout(limit, answered).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) => {
                answer.error = Some("dispatch_failed".to_owned());
                return answer;
            }
            Err(_) => {
                let detail = format!("a request had no answer within {} ms", limit.as_millis());
                self.violated("ack", "no_ack", vec![detail]);
                answer.error = Some("operation_timeout".to_owned());
                return answer;
            }
        };
        let latency = sent.elapsed();
        if !(200..300).contains(&answered.status) {
            let detail = format!("{path} was answered with HTTP {}", answered.status);
            self.violated("ack", "http_error", vec![detail]);
            answer.error = Some("dispatch_failed".to_owned());
            return answer;
        }
        let payload = (!answered.body.is_empty()).then(|| {
            // A command may be answered with plain text.
            serde_json::from_slice(&answered.body)
                .unwrap_or_else(|_| json!({ "text": String::from_utf8_lossy(&answered.body) }))
        });
        let is_unwanted = !envelope.accepts && payload.is_some();
        if is_unwanted {
            let detail = format!("{path} takes no answer");
            self.violated("ack", "payload_not_accepted", vec![detail]);
        }
        let ack = Ack {
            envelope_id: envelope.id.clone(),
            connection: ConnectionId(0),
            payload: payload.filter(|_| !is_unwanted),
            latency,
        };
        self.trace(|| Traffic {
            envelope_id: Some(ack.envelope_id.clone()),
            ack_ms: Some(latency.as_secs_f64() * 1000.0),
            bytes: answered.body.len(),
            body: json!({"envelope_id": ack.envelope_id, "payload": ack.payload}),
            ..Traffic::from_bot("ack", "Acknowledgement")
        });
        self.keep_ack(&ack);
        self.slack.changed.notify_waiters();
        answer.latency = Some(latency);
        answer.payload = ack.payload;
        answer
    }

    /// Posts something that Slack signs, and gives status and body: what a test says in Slack's name.
    ///
    /// # Errors
    /// Nobody listens there, or the answer cannot be read.
    pub async fn post_as_slack(
        &self,
        url: &str,
        content_type: &str,
        body: &str,
    ) -> Result<(u16, String), String> {
        let headers = [(header::CONTENT_TYPE.as_str(), content_type.to_owned())];
        let answered = async {
            let url = Url::parse(url).map_err(|error| error.to_string())?;
            let host = url.host_str().unwrap_or("127.0.0.1");
            let port = url.port_or_known_default().unwrap_or(80);
            let stream = TcpStream::connect((host, port)).await;
            let stream = stream.map_err(|error| error.to_string())?;
            self.post_signed(stream, &url, &headers, body.as_bytes().to_vec())
                .await
        };
        let within = tokio::time::timeout(Duration::from_secs(10), answered);
        let answered = within.await.map_err(|late| late.to_string())??;
        Ok((
            answered.status,
            String::from_utf8_lossy(&answered.body).into_owned(),
        ))
    }

    /// The two headers of a signature over this body, at the clock's moment.
    pub fn signature(&self, body: &[u8]) -> [(&'static str, String); 2] {
        let at = self.slack.options.clock.now().timestamp().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(self.slack.signing_secret.as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(format!("v0:{at}:").as_bytes());
        mac.update(body);
        let digest = mac.finalize().into_bytes();
        let hex = digest.iter().fold("v0=".to_owned(), |mut hex, byte| {
            use std::fmt::Write as _;
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        [
            ("x-slack-request-timestamp", at),
            ("x-slack-signature", hex),
        ]
    }

    async fn post_signed(
        &self,
        stream: TcpStream,
        url: &Url,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<Answered, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let host = url.host_str().unwrap_or("127.0.0.1");
        let port = url.port_or_known_default().unwrap_or(80);
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url.path())
            .header(header::HOST, format!("{host}:{port}"))
            .header(
                header::USER_AGENT,
                "Slackbot 1.0 (+https://api.slack.com/robots)",
            )
            .header(header::ACCEPT, "application/json,*/*");
        for (name, value) in headers.iter().map(|(name, value)| (*name, value)) {
            request = request.header(name, value);
        }
        for (name, value) in self.signature(&body) {
            request = request.header(name, value);
        }
        let request = request
            .body(Body::from(body))
            .map_err(|error| said(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| said(&error))?;
        tokio::spawn(connection);
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| said(&error))?;
        let status = response.status().as_u16();
        let body = to_bytes(Body::new(response.into_body()), ANSWER_LIMIT).await;
        Ok(Answered {
            status,
            body: body.map_err(|error| said(&error))?.to_vec(),
        })
    }
}

/// Where an envelope goes, as what, and with which body.
fn request_of(envelope: &Envelope) -> (&'static str, &'static str, String) {
    const FORM: &str = "application/x-www-form-urlencoded";
    match envelope.kind {
        "slash_commands" => {
            let fields = envelope.payload.as_object().into_iter().flatten();
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, value) in fields {
                match value {
                    Value::String(text) => form.append_pair(name, text),
                    other => form.append_pair(name, &other.to_string()),
                };
            }
            ("commands/time", FORM, form.finish())
        }
        "interactive" => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("payload", &envelope.payload.to_string());
            ("interactions", FORM, form.finish())
        }
        _ => ("events", "application/json", envelope.payload.to_string()),
    }
}
