//! `/api/*`: how a call is read, who may make it, and what is answered.

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::Utc;
use serde_json::{Map, Value, json};

use super::{Sandbox, chat, faults::Fault, record::Traffic, socket, views, world::Person};

/// Why a call was refused, in Slack's words.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: String,
    /// Goes into `response_metadata.messages`.
    pub(super) messages: Vec<String>,
    /// Further fields beside `error`.
    more: Map<String, Value>,
}

impl Refusal {
    pub(super) fn new(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            messages: Vec::new(),
            more: Map::new(),
        }
    }

    pub(super) fn with(error: &str, messages: Vec<String>) -> Self {
        Self {
            messages,
            ..Self::new(error)
        }
    }

    fn json(self) -> Value {
        let mut answer = Value::Object(self.more);
        answer["ok"] = json!(false);
        answer["error"] = json!(self.error);
        if !self.messages.is_empty() {
            answer["response_metadata"] = json!({"messages": self.messages});
        }
        answer
    }
}

pub(super) type Answered = Result<Value, Refusal>;

/// The arguments of one call, whichever way they were sent.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    values: Map<String, Value>,
    /// Sent as a form, where structures are JSON in a string.
    form: bool,
}

impl Arguments {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| {
            Refusal::with(
                "invalid_arguments",
                vec![format!("[ERROR] missing required field: {name}")],
            )
        })
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        match self.values.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true" || text == "1",
            _ => false,
        }
    }

    /// A structure: JSON itself, or JSON in a string, which Slack takes in both kinds of body.
    pub(super) fn structure(&self, name: &str) -> Result<Option<Value>, Refusal> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() && self.form => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some).map_err(|_| {
                Refusal::with(
                    "invalid_arguments",
                    vec![format!("[ERROR] {name} is not JSON")],
                )
            }),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    fn read(headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Self, Refusal> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(|value| value.split(';').next().unwrap_or_default().trim());
        let mut arguments = Self {
            values: pairs(query.unwrap_or_default().as_bytes()),
            form: true,
        };
        match kind {
            _ if body.is_empty() => {}
            None => return Err(Refusal::new("missing_post_type")),
            Some("application/json") => {
                let value: Value =
                    serde_json::from_slice(body).map_err(|_| Refusal::new("invalid_json"))?;
                let Value::Object(fields) = value else {
                    return Err(Refusal::new("json_not_object"));
                };
                arguments.values.extend(fields);
                arguments.form = false;
            }
            Some("application/x-www-form-urlencoded") => arguments.values.extend(pairs(body)),
            Some(_) => return Err(Refusal::new("invalid_post_type")),
        }
        Ok(arguments)
    }
}

fn pairs(form: &[u8]) -> Map<String, Value> {
    url::form_urlencoded::parse(form)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect()
}

/// A method: who may call it, and the arguments it knows.
struct Rules {
    /// Called with the app-level token.
    app_level: bool,
    /// One of these scopes.
    scopes: &'static [&'static str],
    arguments: &'static [&'static str],
}

const fn bot(scopes: &'static [&'static str], arguments: &'static [&'static str]) -> Rules {
    Rules {
        app_level: false,
        scopes,
        arguments,
    }
}

const WRITE: &[&str] = &["chat:write"];
const POST: &[&str] = &[
    "channel",
    "text",
    "blocks",
    "attachments",
    "markdown_text",
    "thread_ts",
    "reply_broadcast",
    "mrkdwn",
    "metadata",
    "unfurl_links",
    "unfurl_media",
    "link_names",
    "parse",
    "username",
    "icon_emoji",
    "icon_url",
    "as_user",
];
const POST_EPHEMERAL: &[&str] = &[
    "channel",
    "user",
    "text",
    "blocks",
    "attachments",
    "markdown_text",
    "thread_ts",
    "link_names",
    "parse",
    "username",
    "icon_emoji",
    "icon_url",
    "as_user",
];
const UPDATE: &[&str] = &[
    "channel",
    "ts",
    "text",
    "blocks",
    "attachments",
    "markdown_text",
    "metadata",
    "link_names",
    "parse",
    "reply_broadcast",
    "as_user",
    "file_ids",
];
const OPEN_VIEW: &[&str] = &["trigger_id", "interactivity_pointer", "view"];

fn rules(method: &str) -> Option<Rules> {
    Some(match method {
        "apps.connections.open" => Rules {
            app_level: true,
            scopes: &[],
            arguments: &[],
        },
        "auth.test" => bot(&[], &[]),
        "users.info" => bot(&["users:read"], &["user", "include_locale"]),
        "conversations.open" => bot(
            &["im:write", "mpim:write", "channels:manage", "groups:write"],
            &["users", "channel", "return_im", "prevent_creation"],
        ),
        "chat.postMessage" => bot(WRITE, POST),
        "chat.postEphemeral" => bot(WRITE, POST_EPHEMERAL),
        "chat.update" => bot(WRITE, UPDATE),
        "chat.delete" => bot(WRITE, &["channel", "ts", "as_user"]),
        "views.open" | "views.push" => bot(&[], OPEN_VIEW),
        "views.update" => bot(&[], &["view", "view_id", "external_id", "hash"]),
        "views.publish" => bot(&[], &["user_id", "view", "hash"]),
        _ => return None,
    })
}

/// Any method under `/api`.
pub(super) async fn call(
    State(sandbox): State<Sandbox>,
    Path(method): Path<String>,
    verb: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let arguments = Arguments::read(&headers, query.as_deref(), &body);
    let seen = match &arguments {
        Ok(arguments) if sandbox.slack.options.record_traffic => {
            Value::Object(arguments.values.clone())
        }
        _ => Value::Null,
    };
    let trace = |ok: bool, error: Option<String>| {
        sandbox.trace(|| Traffic {
            ok,
            error,
            bytes: body.len(),
            body: seen,
            ..Traffic::from_bot("web_api", method.clone())
        });
    };
    match sandbox.slack.faults.take(&method) {
        Some(Fault::RateLimited(seconds)) => {
            trace(false, Some("ratelimited".to_owned()));
            return rate_limited(seconds);
        }
        Some(Fault::Status(status)) => {
            trace(false, Some(format!("HTTP {status}")));
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            return (status, "upstream connect error").into_response();
        }
        Some(Fault::Error(error)) => {
            trace(false, Some(error.clone()));
            return answer(&Refusal::new(error).json());
        }
        Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
        None => {}
    }
    let result = match arguments {
        Ok(arguments) => answer_call(&sandbox, &method, &verb, &headers, &arguments),
        Err(refusal) => Err(refusal),
    };
    match result {
        Ok(value) => {
            trace(true, None);
            answer(&value)
        }
        Err(refusal) => {
            trace(false, Some(refusal.error.clone()));
            sandbox.violated(&method, &refusal.error, refusal.messages.clone());
            answer(&refusal.json())
        }
    }
}

fn answer(value: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
        value.to_string(),
    )
        .into_response()
}

pub(super) fn rate_limited(seconds: u32) -> Response {
    (
        StatusCode::TOO_MANY_REQUESTS,
        [(header::RETRY_AFTER, seconds.to_string())],
        json!({"ok": false, "error": "ratelimited"}).to_string(),
    )
        .into_response()
}

fn answer_call(
    sandbox: &Sandbox,
    method: &str,
    verb: &Method,
    headers: &HeaderMap,
    arguments: &Arguments,
) -> Answered {
    if method == "api.test" {
        return api_test(arguments);
    }
    let Some(rules) = rules(method) else {
        return Err(Refusal::with(
            "unknown_method",
            vec![format!(
                "{method} is not one of the methods that BillOps uses"
            )],
        ));
    };
    authorize(sandbox, &rules, verb, headers, arguments)?;
    let unknown: Vec<String> = arguments
        .values
        .keys()
        .filter(|name| *name != "token" && !rules.arguments.contains(&name.as_str()))
        .map(|name| format!("{name} is not an argument of {method}"))
        .collect();
    if !unknown.is_empty() {
        // Slack lets these pass without a word, which is how a misspelt argument survives.
        sandbox.violated(method, "unknown_argument", unknown);
    }
    match method {
        "apps.connections.open" => connections_open(sandbox),
        "auth.test" => Ok(auth_test(sandbox)),
        "users.info" => users_info(sandbox, arguments),
        "conversations.open" => conversations_open(sandbox, arguments),
        "chat.postMessage" => chat::post_message(sandbox, arguments),
        "chat.postEphemeral" => chat::post_ephemeral(sandbox, arguments),
        "chat.update" => chat::update(sandbox, arguments),
        "chat.delete" => chat::delete(sandbox, arguments),
        "views.open" => views::open(sandbox, arguments),
        "views.push" => views::push(sandbox, arguments),
        "views.update" => views::update(sandbox, arguments),
        _ => views::publish(sandbox, arguments),
    }
}

fn authorize(
    sandbox: &Sandbox,
    rules: &Rules,
    verb: &Method,
    headers: &HeaderMap,
    arguments: &Arguments,
) -> Result<(), Refusal> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    // A token inside a JSON body is not looked at.
    let token = bearer.or_else(|| {
        (!rules.app_level && arguments.form)
            .then(|| arguments.text("token"))
            .flatten()
    });
    if rules.app_level {
        if verb != Method::POST {
            return Err(Refusal::new("insecure_request"));
        }
        return match token {
            None if arguments.text("token").is_some() => Err(Refusal::new("invalid_auth")),
            None => Err(Refusal::new("not_authed")),
            Some(token) if token == sandbox.app_token() => Ok(()),
            Some(token) if token.starts_with("xapp-") => Err(Refusal::new("invalid_auth")),
            Some(_) => Err(Refusal::new("not_allowed_token_type")),
        };
    }
    match token {
        None => return Err(Refusal::new("not_authed")),
        Some(token) if token == sandbox.bot_token() => {}
        Some(token) if token.starts_with("xapp-") => {
            return Err(Refusal::new("not_allowed_token_type"));
        }
        Some(_) => return Err(Refusal::new("invalid_auth")),
    }
    let granted = &sandbox.slack.options.manifest.scopes;
    let allowed = rules.scopes.is_empty()
        || rules
            .scopes
            .iter()
            .any(|scope| granted.iter().any(|has| has == scope));
    if allowed {
        return Ok(());
    }
    let mut refusal = Refusal::new("missing_scope");
    refusal
        .more
        .insert("needed".to_owned(), json!(rules.scopes.join(",")));
    refusal
        .more
        .insert("provided".to_owned(), json!(granted.join(",")));
    Err(refusal)
}

fn api_test(arguments: &Arguments) -> Answered {
    if let Some(error) = arguments.text("error") {
        let mut refusal = Refusal::new(error);
        refusal
            .more
            .insert("args".to_owned(), json!({"error": error}));
        return Err(refusal);
    }
    Ok(json!({"ok": true, "args": arguments.values}))
}

fn connections_open(sandbox: &Sandbox) -> Answered {
    if sandbox.slack.sockets.is_off() {
        return Err(Refusal::new("forbidden_team"));
    }
    Ok(json!({"ok": true, "url": socket::link_url(sandbox)}))
}

fn auth_test(sandbox: &Sandbox) -> Value {
    sandbox.world(|world| {
        json!({
            "ok": true,
            "url": format!("https://{}.slack.com/", world.team.domain),
            "team": world.team.name,
            "user": world.app.name.to_lowercase(),
            "team_id": world.team.id,
            "user_id": world.app.user_id,
            "bot_id": world.app.bot_id,
            "enterprise_id": world.enterprise.as_ref().map(|org| &org.id),
            "is_enterprise_install": world.org_wide(),
        })
    })
}

fn users_info(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    let Some(user) = arguments.text("user") else {
        return Err(Refusal::new("user_not_found"));
    };
    let now = sandbox.slack.options.clock.now();
    let scopes = &sandbox.slack.options.manifest.scopes;
    let with_email = scopes.iter().any(|scope| scope == "users:read.email");
    let locale = arguments.flag("include_locale");
    sandbox.world(|world| {
        if user == world.app.user_id {
            let (app, team) = (&world.app, &world.team);
            return Ok(json!({"ok": true, "user": {
                "id": app.user_id, "team_id": team.id, "name": app.name.to_lowercase(),
                "real_name": app.name, "deleted": false, "is_bot": true, "is_app_user": false,
                "tz": "America/Los_Angeles", "tz_label": "Pacific Standard Time",
                "tz_offset": -28800, "is_admin": false, "is_owner": false, "updated": 0,
                "profile": {"real_name": app.name, "display_name": app.name, "bot_id": app.bot_id,
                    "api_app_id": app.id},
            }}));
        }
        let person = world
            .people()
            .iter()
            .find(|person| person.id == user)
            .ok_or_else(|| Refusal::new("user_not_found"))?;
        let mut json = person_json(person, &world.team.id, now);
        if with_email {
            json["profile"]["email"] = json!(person.email);
        }
        if locale {
            json["locale"] = json!(person.locale);
        }
        Ok(json!({"ok": true, "user": json}))
    })
}

fn person_json(person: &Person, team: &str, now: chrono::DateTime<Utc>) -> Value {
    json!({
        "id": person.id,
        "team_id": team,
        "name": person.name,
        "deleted": false,
        "color": person.color,
        "real_name": person.real_name,
        "tz": person.tz.name(),
        "tz_label": person.tz.name(),
        "tz_offset": person.tz_offset(now),
        "profile": {
            "title": person.title,
            "real_name": person.real_name,
            "real_name_normalized": person.real_name,
            "display_name": person.name,
            "display_name_normalized": person.name,
            "team": team,
        },
        "is_admin": person.is_admin,
        "is_owner": false,
        "is_primary_owner": false,
        "is_restricted": false,
        "is_ultra_restricted": false,
        "is_bot": person.is_bot,
        "is_app_user": false,
        "updated": 0,
        "is_email_confirmed": true,
    })
}

fn conversations_open(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    let user = match (arguments.text("users"), arguments.text("channel")) {
        (Some(users), _) => users.to_owned(),
        (None, Some(channel)) => sandbox
            .world(|world| {
                let found = world.people().iter().find(|person| person.dm() == channel);
                found.map(|person| person.id.clone())
            })
            .ok_or_else(|| Refusal::new("channel_not_found"))?,
        (None, None) => return Err(Refusal::new("users_list_not_supplied")),
    };
    let full = arguments.flag("return_im");
    sandbox.change(|world| {
        if !world.people().iter().any(|person| person.id == user) {
            return Err(Refusal::new("user_not_found"));
        }
        let id = world.open_direct(&user);
        let mut channel = json!({"id": id});
        if full {
            channel["user"] = json!(user);
            channel["is_im"] = json!(true);
        }
        Ok(json!({"ok": true, "channel": channel}))
    })
}
