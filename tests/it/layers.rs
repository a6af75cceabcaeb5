//! Which room may name which library. The rule is what keeps the house readable: each library has one room.

use std::path::{Path, PathBuf};

/// A crate, and the folders or files of `src` that may name it.
const RULES: [(&str, &[&str]); 15] = [
    ("sqlx", &["store/"]),
    ("slack_morphism", &["slack/"]),
    ("tokio_tungstenite", &["slack/", "sandbox/"]),
    (
        "reqwest",
        &["http.rs", "slack/client/", "calendar/", "sandbox/tests/"],
    ),
    ("oauth2", &["calendar/"]),
    ("chacha20poly1305", &["keyring.rs"]),
    ("maud", &["web/docs.rs", "web/pages", "web/install.rs"]),
    ("cookie", &["web/session.rs"]),
    ("csv", &["app/export.rs", "app/import/"]),
    ("axum", &["web/", "sandbox/"]),
    ("hyper", &["web/server.rs", "sandbox/"]),
    ("utoipa", &["web/"]),
    ("tokio_cron_scheduler", &["jobs/schedule.rs"]),
    ("dotenvy", &["config/mod.rs"]),
    ("iso_currency", &["domain/invoice.rs"]),
];

/// What the domain may name: it is pure.
const DOMAIN: [&str; 9] = [
    "std",
    "core",
    "crate",
    "super",
    "self",
    "chrono",
    "chrono_tz",
    "iso_currency",
    "nom",
];
const DOMAIN_TOO: [&str; 4] = ["serde", "serde_json", "uuid", "proptest"];

#[test]
fn each_library_is_named_in_its_room_only() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        for (library, rooms) in RULES {
            let is_named =
                text.contains(&format!("{library}::")) || text.contains(&format!("use {library};"));
            if is_named && !rooms.iter().any(|room| path.starts_with(room)) {
                broken.push(format!("src/{path} names {library}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_domain_is_pure() {
    let mut broken = Vec::new();
    for (path, text) in sources()
        .into_iter()
        .filter(|(path, _)| path.starts_with("domain/"))
    {
        for line in text.lines().map(str::trim) {
            let Some(rest) = line
                .strip_prefix("use ")
                .or_else(|| line.strip_prefix("pub use "))
            else {
                continue;
            };
            let root: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let is_module = text.contains(&format!("mod {root};"));
            if !is_module && !DOMAIN.contains(&&*root) && !DOMAIN_TOO.contains(&&*root) {
                broken.push(format!("src/{path}: {line}"));
            }
        }
        for word in [
            "async ",
            "tokio",
            "crate::store",
            "crate::slack",
            "crate::app",
            "crate::web",
        ] {
            if text
                .lines()
                .any(|line| !line.trim().starts_with("//") && line.contains(word))
            {
                broken.push(format!("src/{path} holds “{word}”"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn doors_go_through_the_application() {
    // The store is named by the application, by the rooms that run the process, and by nobody else's rules.
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let is_domain_or_app = path.starts_with("app/") || path.starts_with("domain/");
        for door in ["crate::slack", "crate::web", "crate::sandbox"] {
            if is_domain_or_app && text.contains(door) {
                broken.push(format!("src/{path} names {door}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(files.len() > 20, "the sources were not found");
    files
}
