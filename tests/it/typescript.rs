//! The types that a frontend's developer makes of the API's document, and a program written with them.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

use crate::{bot::TestBot, fuzz::tools, visitor::Visitor};

async fn run(program: &Path, arguments: &[&str], folder: &Path) {
    assert!(
        program.exists(),
        "{} is not there: run ./test once, which installs it",
        program.display()
    );
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_in_typescript_is_written_with_the_documents_types() {
    let bot = TestBot::start().await;
    let mut visitor = Visitor::new(&bot);
    let page = visitor.open(&visitor.at("/api/v1/openapi.json")).await;
    bot.finish().await;

    let folder = tempfile::tempdir().unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/typescript");
    for name in ["client.ts", "tsconfig.json"] {
        std::fs::copy(sources.join(name), folder.path().join(name)).unwrap();
    }
    std::fs::write(folder.path().join("openapi.json"), page.body).unwrap();
    let programs = tools().join("typescript/node_modules/.bin");
    let types = ["openapi.json", "--output", "api.d.ts"];
    run(&programs.join("openapi-typescript"), &types, folder.path()).await;
    run(&programs.join("tsc"), &["--project", "."], folder.path()).await;
}
