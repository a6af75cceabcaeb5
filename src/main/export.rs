//! `billops export`: everybody's entries as CSV, to a file or to whoever reads the output.

use std::{
    ffi::OsString,
    fs::File,
    io::{ErrorKind, IsTerminal as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use billops::{
    app::{EntryExport, ExportSpan},
    clock::Clock,
    error::chain,
    store::Store,
};

use crate::{Stop, arguments};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// From this day on
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = arguments::day)]
    from: Option<chrono::NaiveDate>,
    /// Up to this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = arguments::day)]
    to: Option<chrono::NaiveDate>,
    /// Of this workspace only, by Slack's id of it
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    /// Of this person only, by Slack's id of them
    #[arg(long, value_name = "SLACK_ID")]
    user: Option<String>,
    /// Where to; it is there only once it is whole. The standard output, if left out
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn export(database_url: &str, options: Options) -> Result<ExitCode, Stop> {
    let Options {
        from,
        to,
        workspace,
        user,
        output,
    } = options;
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        return Err(Stop::Failed(format!(
            "--to {to} is before --from {from}. Change one of them."
        )));
    }
    let store = Store::open_existing(database_url, Clock::system())
        .await
        .map_err(|error| Stop::Failed(chain(&error)))?;
    let known = store
        .exported_people(workspace.as_deref(), user.as_deref(), uuid::Uuid::nil(), 1)
        .await
        .map_err(|error| Stop::Failed(chain(&error)))?;
    if known.is_empty() && (workspace.is_some() || user.is_some()) {
        return Err(Stop::Failed(
            "BillOps has met nobody by these ids. Slack shows them in a person's profile under “Copy member ID” \
             (U…) and in the address of its web client (T…)."
                .to_owned(),
        ));
    }
    let span = ExportSpan { from, to };
    let mut entries = EntryExport::of_everybody(store.clone(), workspace, user, span);
    match output {
        None => match write(&mut entries, &mut std::io::stdout().lock()).await {
            // Whoever read it has read enough.
            Err(Unwritten::To(error)) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(problem) => return Err(problem.at(Path::new("the standard output"))),
            Ok(()) => {}
        },
        Some(path) => {
            let mut beside = OsString::from(&path);
            // Of a name that nobody can have put a link under.
            beside.push(format!(".{}.part", Clock::system().new_id().simple()));
            let written = write_file(&mut entries, &path, Path::new(&beside)).await;
            if let Err(problem) = written {
                // It may not even be there.
                let _ = std::fs::remove_file(&beside);
                return Err(problem.at(&path));
            }
            match entries.entries() {
                1 => eprintln!("1 entry is in {}.", path.display()),
                count => eprintln!("{count} entries are in {}.", path.display()),
            }
        }
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Why an export ended early.
enum Unwritten {
    From(billops::store::StoreError),
    To(std::io::Error),
}

impl Unwritten {
    fn at(self, path: &Path) -> Stop {
        Stop::Failed(match self {
            Self::From(error) => chain(&error),
            Self::To(error) => format!("{} cannot be written: {error}", path.display()),
        })
    }
}

async fn write_file(
    entries: &mut EntryExport,
    path: &Path,
    beside: &Path,
) -> Result<(), Unwritten> {
    let mut file = File::create_new(beside).map_err(Unwritten::To)?;
    write(entries, &mut file).await?;
    file.sync_all().map_err(Unwritten::To)?;
    std::fs::rename(beside, path).map_err(Unwritten::To)
}

/// Writes all of it, and says on a terminal how far it is.
async fn write(entries: &mut EntryExport, to: &mut impl Write) -> Result<(), Unwritten> {
    let mut errors = std::io::stderr();
    let shows_progress = errors.is_terminal() && !std::io::stdout().is_terminal();
    while let Some(lines) = entries.next().await.map_err(Unwritten::From)? {
        to.write_all(&lines).map_err(Unwritten::To)?;
        if shows_progress {
            // What cannot be shown changes nothing about the export.
            let _ = write!(errors, "\r{} entries", entries.entries());
        }
    }
    to.flush().map_err(Unwritten::To)?;
    if shows_progress {
        let _ = writeln!(errors);
    }
    Ok(())
}
