//! The page that shows the API's document to people, and lets them try what it says. Everything on it comes from the
//! document; its script is this server's own, and asks nobody else.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Map, Value};

use super::{Site, limits::Anybody, pages};

/// What the page may do more than others: run its script, which may ask this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; \
                      base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
/// How deep an example of a body is drawn.
const DEEPEST: u8 = 6;
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// The operations that a browser is sent to; there is nothing to try about them.
const BROWSER: &str = "Browser";

/// `GET /api/docs`.
pub(super) async fn page(_: Anybody, State(site): State<Site>) -> Result<Response, Response> {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    let document = site.document().await.map_err(pages::failed)?;
    Ok((headers, document.page).into_response())
}

/// `GET /docs.css`.
pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("docs.css"))
}

/// `GET /docs.js`.
pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("docs.js"))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=3600"),
        ),
    ];
    (headers, text).into_response()
}

/// The whole page, with the paths in this order.
pub(super) fn drawn(document: &Value, order: &[&str]) -> String {
    let tags: Vec<&Value> = items(&document["tags"]).collect();
    let base = text(&document["servers"][0]["url"]);
    let operations = operations(document, order);
    let of = |tag: &str| -> Vec<&Operation<'_>> {
        let has = |one: &&Operation<'_>| items(&one.said["tags"]).any(|name| name == tag);
        operations.iter().filter(has).collect()
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { "API · BillOps" }
                link rel="stylesheet" href="/style.css";
                link rel="stylesheet" href="/docs.css";
                script src="/docs.js" defer {}
            }
            body.docs {
                a.skip href="#content" { "Skip to the operations" }
                nav aria-label="Operations" {
                    p.mark { a href="/" { "BillOps" } }
                    details open {
                        summary { "Contents" }
                        @for tag in &tags {
                            @let name = text(&tag["name"]);
                            p.group { (name) }
                            ul {
                                @for one in of(name) {
                                    li { a href={ "#" (one.id) } { (verb(one.method)) span { (one.summary) } } }
                                }
                            }
                        }
                        p.group { a href="#shapes" { "Shapes" } }
                    }
                }
                main id="content" {
                    h1 { "The BillOps API" }
                    p.soft { "Version " (text(&document["info"]["version"])) " · everything is below " code { (base) } " · "
                        a href={ (base) "/openapi.json" } { "OpenAPI document" } }
                    (prose(text(&document["info"]["description"])))
                    (credentials(base))
                    @for tag in &tags {
                        @let name = text(&tag["name"]);
                        section.tag aria-labelledby={ "tag-" (anchor(name)) } {
                            h2 id={ "tag-" (anchor(name)) } { (name) }
                            (prose(text(&tag["description"])))
                            @for one in of(name) { (operation(document, base, one)) }
                        }
                    }
                    section.tag aria-labelledby="shapes" {
                        h2 id="shapes" { "Shapes" }
                        @for (name, schema) in entries(&document["components"]["schemas"]) {
                            article.shape id={ "shape-" (name) } {
                                h3 { (name) }
                                (shape(schema))
                            }
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}

/// One operation, as the document has it.
struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    id: &'a str,
    summary: &'a str,
    said: &'a Value,
}

fn operations<'a>(document: &'a Value, order: &[&'a str]) -> Vec<Operation<'a>> {
    order
        .iter()
        .flat_map(|path| {
            METHODS.into_iter().filter_map(move |method| {
                let said = document["paths"][path].get(method)?;
                Some(Operation {
                    method,
                    path,
                    id: text(&said["operationId"]),
                    summary: text(&said["summary"]),
                    said,
                })
            })
        })
        .collect()
}

fn credentials(base: &str) -> Markup {
    html! {
        section.who hidden aria-labelledby="who" {
            h2 id="who" { "Who you are here" }
            p id="session" role="status" { "Not signed in." }
            p { a.go.plain href={ (base) "/auth/slack/login?then=/api/docs" } { "Sign in with Slack" } }
            label for="token" { "Or an API token" }
            input id="token" type="password" autocomplete="off" spellcheck="false" placeholder="bo_…" aria-describedby="token-note";
            p.soft id="token-note" { "It stays on this page until you leave it. Requests are real: what they change is changed." }
        }
    }
}

fn operation(document: &Value, base: &str, one: &Operation<'_>) -> Markup {
    let credentials = || items(&one.said["security"]);
    let is_open = credentials().any(|needed| needed.as_object().is_some_and(Map::is_empty));
    let takes_no_token = !is_open && credentials().next().is_some();
    let is_for_browsers = items(&one.said["tags"]).any(|tag| tag == BROWSER);
    let parameters: Vec<&Value> = items(&one.said["parameters"]).collect();
    let body = &one.said["requestBody"];
    let body_schema = &body["content"]["application/json"]["schema"];
    let (well, refusals): (Vec<_>, Vec<_>) =
        entries(&one.said["responses"]).partition(|(status, _)| status.starts_with(['2', '3']));
    html! {
        article.operation id=(one.id) {
            h3 { a.self href={ "#" (one.id) } { (one.summary) } }
            p.line { (verb(one.method)) code { (one.path) } }
            (prose(text(&one.said["description"])))
            @if is_open { p.soft { "Needs no credentials." } }
            @if takes_no_token { p.soft { "Needs a browser in which a person is signed in: no API token does this." } }
            @if !parameters.is_empty() {
                h4 { "Parameters" }
                dl.fields {
                    @for parameter in &parameters {
                        (field(
                            text(&parameter["name"]),
                            &parameter["schema"],
                            parameter["required"] == true,
                            text(&parameter["description"]),
                            Some(text(&parameter["in"])),
                        ))
                    }
                }
            }
            @if body.is_object() {
                h4 { "Body" }
                p { (kind(body_schema)) @if body["required"] != true { ", may be left out" } }
                (prose(text(&body["description"])))
            }
            h4 { "Answers" }
            (answers(&well))
            details.refusals {
                summary {
                    "Refusals: "
                    @for (at, (status, _)) in refusals.iter().enumerate() { @if at > 0 { ", " } (status) }
                }
                (answers(&refusals))
            }
            @if !is_for_browsers {
                (attempt(document, base, one, &parameters, body_schema))
            }
        }
    }
}

/// What an operation answers with.
fn answers(answers: &[(&String, &Value)]) -> Markup {
    html! {
        dl.answers {
            @for (status, answer) in answers {
                div class={ "s" (status.chars().next().unwrap_or('x')) } {
                    dt { (status) }
                    dd {
                        (inline(text(&answer["description"])))
                        @for (media, content) in entries(&answer["content"]) {
                            @if media == "application/json" && content["schema"]["$ref"].is_string() {
                                " " (kind(&content["schema"]))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A form that sends the request; the script shows it.
fn attempt(
    document: &Value,
    base: &str,
    one: &Operation<'_>,
    parameters: &[&Value],
    body: &Value,
) -> Markup {
    html! {
        form.try hidden data-method=(one.method) data-path={ (base) (one.path) } {
            h4 { "Try it" }
            @for parameter in parameters {
                @let name = text(&parameter["name"]);
                @let field = format!("{}-{name}", one.id);
                @let schema = resolved(document, &parameter["schema"]);
                @let is_required = parameter["required"] == true;
                div.input {
                    label for=(field) { (name) @if is_required { span.soft { " (required)" } } }
                    @if let Some(words) = schema["enum"].as_array() {
                        select id=(field) name=(name) data-in=(text(&parameter["in"])) {
                            @if !is_required { option value="" {} }
                            @for word in words { option { (text(word)) } }
                        }
                    } @else {
                        input id=(field) name=(name) data-in=(text(&parameter["in"])) required[is_required]
                            autocomplete="off" spellcheck="false" placeholder=(hint(schema));
                    }
                }
            }
            @if !body.is_null() {
                @let field = format!("{}-body", one.id);
                @let example = serde_json::to_string_pretty(&example(document, body, DEEPEST)).unwrap_or_default();
                div.input {
                    label for=(field) { "Body" }
                    textarea id=(field) data-in="body" rows=(example.lines().count().clamp(3, 14)) spellcheck="false" { (example) }
                }
            }
            button.go type="submit" { "Send" span.hidden { ": " (one.summary) } }
            output aria-live="polite" {}
        }
    }
}

/// What may be typed.
fn hint(schema: &Value) -> &str {
    match text(&schema["format"]) {
        "uuid" => "0190a1b2-…",
        "date-time" => "2026-11-20T10:00:00Z",
        "date" => "2026-11-20",
        _ => "",
    }
}

/// The method as a sign.
fn verb(method: &str) -> Markup {
    html! { span class={ "verb " (method) } { (method.to_uppercase()) } " " }
}

/// A schema with a name of its own.
fn shape(schema: &Value) -> Markup {
    let required: Vec<&str> = items(&schema["required"]).map(text).collect();
    html! {
        (prose(text(&schema["description"])))
        @if schema["properties"].is_object() {
            dl.fields {
                @for (name, property) in entries(&schema["properties"]) {
                    (field(name, property, required.contains(&&**name), text(&property["description"]), None))
                }
            }
        } @else {
            p { (kind(schema)) }
        }
    }
}

fn field(
    name: &str,
    schema: &Value,
    is_required: bool,
    description: &str,
    place: Option<&str>,
) -> Markup {
    let example = items(&schema["examples"]).next();
    html! {
        div {
            dt {
                code { (name) }
                span.soft { " " (kind(schema)) @if !is_required { ", optional" } @if let Some(place) = place { ", in the " (place) } }
            }
            dd {
                (inline(description))
                @if let Some(example) = example { span.soft { " For example " code { (example) } "." } }
                @if let Some(default) = schema.get("default") { span.soft { " Otherwise " code { (default) } "." } }
            }
        }
    }
}

/// What a schema is, in a few words.
fn kind(schema: &Value) -> Markup {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return html! { a href={ "#shape-" (name) } { (name) } };
    }
    let ways: Vec<&Value> = items(&schema["oneOf"])
        .chain(items(&schema["anyOf"]))
        .chain(items(&schema["allOf"]))
        .collect();
    if !ways.is_empty() {
        return html! { @for (at, way) in ways.iter().enumerate() { @if at > 0 { " or " } (kind(way)) } };
    }
    if let Some(words) = schema["enum"].as_array() {
        return html! { @for (at, word) in words.iter().enumerate() { @if at > 0 { ", " } code { (text(word)) } } };
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect(),
        one => vec![text(one)],
    };
    html! {
        @for (at, one) in types.iter().enumerate() {
            @if at > 0 { " or " }
            @match (*one, text(&schema["format"])) {
                ("array", _) => { "list of " (kind(&schema["items"])) }
                ("string", "date-time") => "time",
                ("string", "date") => "date",
                ("string", "uuid") => "UUID",
                ("string", "uri") => "address",
                ("integer", _) => "whole number",
                ("", _) => "anything",
                (other, _) => (other),
            }
        }
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'))
    {
        Some(pointer) => document.pointer(pointer).unwrap_or(&Value::Null),
        None => schema,
    }
}

/// A value that a schema takes, to begin with.
fn example(document: &Value, schema: &Value, depth: u8) -> Value {
    let schema = resolved(document, schema);
    if depth == 0 {
        return Value::Null;
    }
    if let Some(example) = items(&schema["examples"]).next() {
        return example.clone();
    }
    if let Some(word) = items(&schema["enum"]).next() {
        return word.clone();
    }
    let ways = ["oneOf", "anyOf", "allOf"];
    let mut ways = ways.into_iter().flat_map(|key| items(&schema[key]));
    if let Some(way) = ways.next() {
        return example(document, way, depth - 1);
    }
    let one = match &schema["type"] {
        Value::Array(types) if types.iter().any(|one| one == "null") => return Value::Null,
        one => text(one),
    };
    match (one, text(&schema["format"])) {
        ("object", _) => {
            let properties = entries(&schema["properties"])
                .map(|(name, property)| (name.clone(), example(document, property, depth - 1)));
            Value::Object(properties.collect::<Map<String, Value>>())
        }
        ("array", _) => Value::Array(vec![example(document, &schema["items"], depth - 1)]),
        ("string", "date-time") => "2026-11-20T10:00:00Z".into(),
        ("string", "date") => "2026-11-20".into(),
        ("string", "uuid") => "00000000-0000-7000-8000-000000000000".into(),
        ("string", _) => "".into(),
        ("integer" | "number", _) => schema.get("minimum").cloned().unwrap_or(0.into()),
        ("boolean", _) => true.into(),
        _ => Value::Null,
    }
}

/// Paragraphs.
fn prose(text: &str) -> Markup {
    html! { @for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) { p { (inline(paragraph)) } } }
}

/// Of Markdown, what our own texts use: `code` and **strong words**.
fn inline(text: &str) -> Markup {
    let mut drawn = String::new();
    for (at, part) in text.split('`').enumerate() {
        let markup = if at % 2 == 1 {
            html! { code { (part) } }
        } else {
            html! { @for (at, part) in part.split("**").enumerate() {
                @if at % 2 == 1 { strong { (part) } } @else { (part) }
            } }
        };
        drawn.push_str(&markup.into_string());
    }
    PreEscaped(drawn)
}

fn anchor(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
