//! The two folders of migrations make the same tables with the same columns, and never change what they did.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use sha2::{Digest as _, Sha256};

#[test]
fn both_databases_have_the_same_tables_and_columns() {
    let sqlite = tables(Path::new("migrations/sqlite"));
    let postgres = tables(Path::new("migrations/postgres"));
    assert!(sqlite.len() >= 6, "the tables were not read: {sqlite:?}");
    assert_eq!(sqlite, postgres);
}

/// A database that ran a migration refuses one whose text is another, be it in a comment. A new one gets a line of
/// `sha256sum`; a line that is there is never changed.
#[test]
fn what_went_out_stays_as_it_is() {
    let lines = std::fs::read_to_string("tests/data/migrations.sha256").unwrap();
    let mut known: BTreeMap<&str, &str> = lines
        .lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(digest, path)| (path, digest))
        .collect();
    for database in ["sqlite", "postgres"] {
        for file in std::fs::read_dir(format!("migrations/{database}")).unwrap() {
            let path = file.unwrap().path();
            let mut digest = String::new();
            for byte in Sha256::digest(std::fs::read(&path).unwrap()) {
                write!(digest, "{byte:02x}").unwrap();
            }
            let path = path.to_str().unwrap();
            assert_eq!(known.remove(path), Some(&*digest), "{path}");
        }
    }
    assert!(known.is_empty(), "is missing: {known:?}");
}

/// Every file, by name, with the columns of each table it makes or changes, in order.
fn tables(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut tables = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let sql = std::fs::read_to_string(&path).unwrap();
        let mut table = None;
        for line in sql
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("--"))
        {
            if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                table = Some(format!("{name}: {}", rest.trim_end_matches(" (")));
            } else if line.starts_with(')') {
                table = None;
            } else if let Some(table) = &table
                && let Some(column) = line.split_whitespace().next()
                && column.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            {
                tables
                    .entry(table.clone())
                    .or_insert_with(Vec::new)
                    .push(column.to_owned());
            }
        }
    }
    tables
}
