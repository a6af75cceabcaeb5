//! `/api/*`: how a call is read, who may make it, and what is answered.

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    Sandbox,
    arguments::{Answered, Arguments, Refusal},
    chat,
    faults::Fault,
    files, history, install, methods, openid,
    record::Traffic,
    views,
};

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
        "auth.revoke" => bot(&[], &["test"]),
        "apps.uninstall" => bot(&[], &["client_id", "client_secret"]),
        "users.info" => bot(&["users:read"], &["user", "include_locale"]),
        "conversations.open" => bot(
            &["im:write", "mpim:write", "channels:manage", "groups:write"],
            &["users", "channel", "return_im", "prevent_creation"],
        ),
        "conversations.history" => bot(history::SCOPES, history::ARGUMENTS),
        "chat.postMessage" => bot(WRITE, POST),
        "chat.postEphemeral" => bot(WRITE, POST_EPHEMERAL),
        "chat.update" => bot(WRITE, UPDATE),
        "chat.delete" => bot(WRITE, &["channel", "ts", "as_user"]),
        "files.getUploadURLExternal" => bot(
            &["files:write"],
            &["filename", "length", "alt_txt", "snippet_type"],
        ),
        "files.completeUploadExternal" => bot(
            &["files:write"],
            &[
                "files",
                "channel_id",
                "channels",
                "initial_comment",
                "thread_ts",
            ],
        ),
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
    let sandbox = match arguments
        .as_ref()
        .map(|arguments| token_of(&headers, arguments))
    {
        Ok(Some(token)) => sandbox.of_token(token),
        _ => sandbox,
    };
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
    let outage = openid::fault(&sandbox, &method).await;
    let fault = sandbox.slack.faults.take(&method).or(outage);
    match fault.clone() {
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
        Some(Fault::AnsweredLate(_) | Fault::DoneButUnanswered) | None => {}
    }
    if method == "chat.postMessage"
        && let Ok(arguments) = &arguments
        && let Some(seconds) = arguments
            .text("channel")
            .and_then(|id| sandbox.too_early(id))
    {
        trace(false, Some("ratelimited".to_owned()));
        return rate_limited(seconds);
    }
    let result = match arguments {
        Ok(arguments) => answer_call(&sandbox, &method, &verb, &headers, &arguments),
        Err(refusal) => Err(refusal),
    };
    let response = match result {
        Ok(value) => {
            let hidden = fault.as_ref().is_some_and(Fault::hides_answer);
            trace(!hidden, hidden.then(|| "done, but not answered".to_owned()));
            let mut response = answer(&value);
            if method == "auth.test" {
                let scopes = sandbox.slack.options.manifest.scopes.join(",");
                let scopes = scopes.parse().expect("scopes are ASCII");
                response.headers_mut().insert("x-oauth-scopes", scopes);
            }
            response
        }
        Err(refusal) => {
            trace(false, Some(refusal.error.clone()));
            sandbox.violated(&method, &refusal.error, refusal.messages.clone());
            answer(&refusal.json())
        }
    };
    sandbox.answered(fault, response).await
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
        [
            (header::RETRY_AFTER, seconds.to_string()),
            (header::CONTENT_TYPE, "application/json".to_owned()),
        ],
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
        return methods::api_test(arguments);
    }
    if let Some(answered) = openid::call(sandbox, method, headers, arguments) {
        return answered;
    }
    if let Some(answered) = install::call(sandbox, method, headers, arguments) {
        return answered;
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
        "apps.connections.open" => methods::connections_open(sandbox),
        "auth.test" => Ok(methods::auth_test(sandbox)),
        "auth.revoke" => {
            let token = token_of(headers, arguments).unwrap_or_default();
            Ok(install::revoke(sandbox, token, arguments))
        }
        "apps.uninstall" => install::uninstall(sandbox, headers, arguments),
        "users.info" => methods::users_info(sandbox, arguments),
        "conversations.open" => methods::conversations_open(sandbox, arguments),
        "conversations.history" => history::read(sandbox, arguments),
        "chat.postMessage" => chat::post_message(sandbox, arguments),
        "chat.postEphemeral" => chat::post_ephemeral(sandbox, arguments),
        "chat.update" => chat::update(sandbox, arguments),
        "chat.delete" => chat::delete(sandbox, arguments),
        "files.getUploadURLExternal" => files::get_upload_url(sandbox, arguments),
        "files.completeUploadExternal" => files::complete_upload(sandbox, arguments),
        "views.open" => views::open(sandbox, arguments),
        "views.push" => views::push(sandbox, arguments),
        "views.update" => views::update(sandbox, arguments),
        _ => views::publish(sandbox, arguments),
    }
}

/// A token inside a JSON body is not looked at.
fn token_of<'a>(headers: &'a HeaderMap, arguments: &'a Arguments) -> Option<&'a str> {
    bearer_of(headers).or_else(|| arguments.form.then(|| arguments.text("token")).flatten())
}

fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

fn authorize(
    sandbox: &Sandbox,
    rules: &Rules,
    verb: &Method,
    headers: &HeaderMap,
    arguments: &Arguments,
) -> Result<(), Refusal> {
    let token = if rules.app_level {
        bearer_of(headers)
    } else {
        token_of(headers, arguments)
    };
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
    let granted = match token {
        None => return Err(Refusal::new("not_authed")),
        Some(token) if token.starts_with("xapp-") => {
            return Err(Refusal::new("not_allowed_token_type"));
        }
        Some(token) => sandbox.scopes_of(token).map_err(Refusal::new)?,
    };
    let granted = &granted;
    let allowed = rules.scopes.is_empty()
        || rules
            .scopes
            .iter()
            .any(|scope| granted.iter().any(|has| has == scope));
    if allowed {
        return Ok(());
    }
    Err(Refusal::missing_scope(&rules.scopes.join(","), granted))
}
