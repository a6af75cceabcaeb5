//! `files.*`: a file is announced, its bytes come once to an address of its own, and then it is shared.

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    Sandbox,
    arguments::{Answered, Arguments, Refusal},
    chat::{Content, writable},
    locked, random_hex,
    record::Traffic,
    world::{File, Message},
};

/// Files that are kept; older ones can no longer be downloaded.
pub(super) const KEPT: usize = 1_000;

/// A file that was announced.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    name: String,
    length: usize,
    /// Where its bytes go, once.
    key: String,
    bytes: Option<Bytes>,
    is_shared: bool,
}

pub(super) fn get_upload_url(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    if !arguments.form {
        // Slack reads the arguments of this method from a form or from the query only.
        return Err(Refusal::new("invalid_arguments"));
    }
    let name = arguments.needed("filename")?;
    let length: usize = arguments
        .needed("length")?
        .parse()
        .map_err(|_| Refusal::new("invalid_arguments"))?;
    if length == 0 {
        return Err(Refusal::with(
            "invalid_arguments",
            vec!["[ERROR] must be greater than 0 [json-pointer:/length]".to_owned()],
        ));
    }
    let id = format!("F{}", &random_hex().to_uppercase()[..10]);
    let key = random_hex();
    let announced = Announced {
        name: name.to_owned(),
        length,
        key: key.clone(),
        bytes: None,
        is_shared: false,
    };
    locked(&sandbox.here().files).insert(id.clone(), announced);
    Ok(json!({
        "ok": true,
        "upload_url": format!("{}/upload/v1/{id}/{key}", sandbox.url()),
        "file_id": id,
    }))
}

/// The bytes of a file.
pub(super) async fn receive(
    State(sandbox): State<Sandbox>,
    Path((id, key)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let length = body.len();
    let announced_in = |one: &Sandbox| locked(&one.here().files).get(&id).is_some();
    let found = sandbox.everywhere().find(announced_in);
    let sandbox = found.unwrap_or(sandbox);
    let refused = {
        let mut files = locked(&sandbox.here().files);
        match files.get_mut(&id).filter(|file| file.key == key) {
            None => Some((StatusCode::NOT_FOUND, "not_found")),
            Some(file) if file.bytes.is_some() => Some((StatusCode::GONE, "used_url")),
            Some(file) if file.length != length => Some((StatusCode::BAD_REQUEST, "wrong_length")),
            Some(file) => {
                file.bytes = Some(body);
                None
            }
        }
    };
    sandbox.trace(|| Traffic {
        ok: refused.is_none(),
        error: refused.map(|(_, error)| error.to_owned()),
        bytes: length,
        body: Value::Null,
        ..Traffic::from_bot("web_api", "upload".to_owned())
    });
    match refused {
        Some((status, error)) => {
            sandbox.violated("upload", error, Vec::new());
            (status, error).into_response()
        }
        None => format!("OK - {length}").into_response(),
    }
}

pub(super) fn complete_upload(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    let listed = arguments.structure("files")?;
    let listed = listed.as_ref().and_then(Value::as_array);
    let listed = listed
        .filter(|files| !files.is_empty())
        .ok_or_else(|| Refusal::new("invalid_arguments"))?;
    let channel = arguments.text("channel_id").map(|channel| {
        // Unlike a message, a file goes by the conversation's id only.
        sandbox.change(|world| {
            world
                .channel(channel)
                .map(|found| found.id.clone())
                .ok_or_else(|| Refusal::new("channel_not_found"))
                .and_then(|id| writable(world, &id))
        })
    });
    let channel = channel.transpose()?;
    let mut files = Vec::new();
    {
        let mut announced = locked(&sandbox.here().files);
        for one in listed {
            let id = one["id"].as_str().unwrap_or_default();
            let file = announced
                .get_mut(id)
                .filter(|file| file.bytes.is_some() && !file.is_shared)
                .ok_or_else(|| Refusal::new("file_not_found"))?;
            file.is_shared = true;
            files.push(File {
                id: id.to_owned(),
                title: one["title"].as_str().unwrap_or(&file.name).to_owned(),
                name: file.name.clone(),
                bytes: file.bytes.clone().unwrap_or_default().to_vec(),
            });
        }
    }
    let answer: Vec<Value> = files
        .iter()
        .map(|file| json!({"id": file.id, "title": file.title}))
        .collect();
    // Without a conversation the file stays the bot's own.
    if let Some(channel) = channel {
        let content = Content {
            text: arguments
                .text("initial_comment")
                .unwrap_or_default()
                .to_owned(),
            ..Content::default()
        };
        let message = Message {
            files,
            ..sandbox.world(|world| world.by_app(&channel, content))
        };
        sandbox.post(message);
    }
    Ok(json!({"ok": true, "files": answer}))
}

/// A file that was shared, for whoever looks at the page.
pub(super) async fn download(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Response {
    let shared_in = |workspace: Sandbox| {
        let files = locked(&workspace.here().files);
        let file = files.get(&id).filter(|file| file.is_shared)?;
        Some((file.name.clone(), file.bytes.clone()?))
    };
    let Some((name, bytes)) = sandbox.everywhere().find_map(shared_in) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let name: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, bytes).into_response()
}
