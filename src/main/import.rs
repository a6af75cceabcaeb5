//! `billops import`: entries from the file of another time tracker.

use std::{
    fs::File,
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use billops::{
    app::{Import, ImportOptions, ImportPlan, ImportStop, Imported, PlannedEntry, PlannedProject},
    clock::Clock,
    domain::{entry_import::DateOrder, minutes::Minutes},
    error::chain,
    store::Store,
};

use crate::Stop;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The file: a detailed report of Toggl Track, Clockify or Harvest as CSV, or what “billops export” wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whose the entries are, by Slack's id of them. If the file holds those of several people, once for each who is to
    /// be imported, with what the file calls them: "U0123=Ada Lovelace" or U0123=ada@example.com
    #[arg(long, value_name = "SLACK_ID[=WHO]", required = true)]
    user: Vec<String>,
    /// Their workspace, by Slack's id of it; needed only if they are in several
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    /// Where the clocks were that the file's times are of; each person's own zone, if left out
    #[arg(long, value_name = "ZONE")]
    tz: Option<chrono_tz::Tz>,
    /// How the file writes dates like 3/4/2026, if it does not show that itself
    #[arg(long, value_name = "ORDER")]
    dates: Option<Dates>,
    /// List what would be imported, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Import the rows that can be read, although others cannot
    #[arg(long)]
    skip_problems: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Dates {
    /// 3/4/2026 is 3 April
    DayFirst,
    /// 3/4/2026 is March 4
    MonthFirst,
}

pub(crate) async fn import(database_url: &str, options: Options) -> Result<ExitCode, Stop> {
    let store = Store::open(database_url, Clock::system())
        .await
        .map_err(|error| Stop::Failed(chain(&error)))?;
    let name = options.file.display().to_string();
    let outcome = read(&store, options).await;
    store.close().await;
    outcome.map_err(|stop| match stop {
        ImportStop::Store(_) | ImportStop::Unknown(_) | ImportStop::ProjectsFull => {
            Stop::Failed(stop.to_string())
        }
        _ => Stop::Failed(format!("{name}: {stop}.")),
    })
}

async fn read(store: &Store, options: Options) -> Result<ExitCode, ImportStop> {
    let people = options.user.iter().map(|said| match said.split_once('=') {
        Some((id, who)) => (id.trim().to_owned(), Some(who.trim().to_owned())),
        None => (said.trim().to_owned(), None),
    });
    let wanted = ImportOptions {
        workspace_id: options.workspace,
        people: people.collect(),
        zone: options.tz,
        order: options.dates.map(|dates| match dates {
            Dates::DayFirst => DateOrder::DayFirst,
            Dates::MonthFirst => DateOrder::MonthFirst,
        }),
    };
    let path = &options.file;
    let import = Import::open(store.clone(), || File::open(path), wanted).await?;
    println!("{} is {}.", path.display(), import.format().name());
    match import.order() {
        Some(DateOrder::DayFirst) => println!("Its dates have the day first: 3/4/2026 is 3 April."),
        Some(DateOrder::MonthFirst) => {
            println!("Its dates have the month first: 3/4/2026 is March 4.");
        }
        None => {}
    }
    let mut output = std::io::stdout().lock();
    let plan = import.plan(|entry| {
        if options.dry_run {
            // Whoever read it has read enough.
            let _ = writeln!(output, "{}", line(entry));
        }
    });
    let plan = plan.await?;
    drop(output);
    print!("{}", summary(&plan));
    if options.dry_run {
        println!("Nothing was changed.");
        return Ok(ExitCode::SUCCESS);
    }
    if plan.problem_count > 0 && !options.skip_problems {
        println!(
            "Nothing was imported. Mend these rows, or leave them out with --skip-problems; whatever is imported twice \
             stays one entry."
        );
        return Ok(ExitCode::FAILURE);
    }
    let mut errors = std::io::stderr();
    let shows_progress = errors.is_terminal();
    let done = import.run(&plan, |rows| {
        if shows_progress {
            // What cannot be shown changes nothing about the import.
            let _ = write!(errors, "\r{rows} of {} rows", plan.rows);
        }
    });
    let done = done.await;
    if shows_progress {
        eprintln!();
    }
    let Imported {
        new,
        there,
        projects,
    } = done?;
    println!(
        "Imported: {}, and {} made. {} there already.",
        count(new, "entry", "entries"),
        count(projects, "project", "projects"),
        match there {
            1 => "1 entry was".to_owned(),
            there => format!("{there} entries were"),
        }
    );
    Ok(ExitCode::SUCCESS)
}

fn count(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// An entry as a dry run lists it.
fn line(entry: &PlannedEntry<'_>) -> String {
    let PlannedEntry {
        line,
        member,
        row,
        project,
        is_there,
    } = entry;
    let mut words = vec![
        format!("line {line}:"),
        row.date.to_string(),
        row.minutes().to_string(),
        row.description.replace(['\n', '\r', '\t'], " "),
    ];
    words.extend(project.map(|project| format!("#{}", project.slug)));
    words.extend(row.tags.iter().map(|tag| format!("+{tag}")));
    words.push(format!("· {}", member.name));
    if *is_there {
        words.push("(is there already)".to_owned());
    }
    words.join(" ")
}

/// What would be done, all in all.
fn summary(plan: &ImportPlan) -> String {
    let mut lines = Vec::new();
    if let Some((first, last)) = plan.days {
        lines.push(format!("Days: {first} to {last}"));
    }
    for person in &plan.people {
        let minutes = u32::try_from(person.new_minutes).unwrap_or(u32::MAX);
        let of = person.author.as_ref();
        lines.push(format!(
            "{} ({}{}): {}, {} in all; {} there already. Times are those of {}.",
            person.member.name,
            person.member.slack_user_id,
            of.map_or_else(String::new, |author| format!(", in the file {author}")),
            count(person.new, "new entry", "new entries"),
            Minutes::new(minutes),
            person.there,
            person.zone,
        ));
    }
    for (author, rows) in &plan.left_out {
        lines.push(format!(
            "Left out, because no --user names them: {author}, {}.",
            count(*rows, "row", "rows")
        ));
    }
    let (old, new): (Vec<&PlannedProject>, Vec<&PlannedProject>) = plan
        .projects
        .iter()
        .partition(|project| project.existing.is_some());
    for (projects, title) in [
        (old, "Projects that are there"),
        (new, "Projects that are made"),
    ] {
        if !projects.is_empty() {
            lines.push(format!("{title}:"));
        }
        lines.extend(projects.into_iter().map(|project| {
            let client = project
                .client
                .as_deref()
                .map(|client| format!(" · {client}"));
            format!(
                "  #{} · {}{}: {}",
                project.slug,
                project.name,
                client.unwrap_or_default(),
                count(project.new, "new entry", "new entries")
            )
        }));
    }
    if plan.rounded > 0 {
        let entries = count(plan.rounded, "entry is", "entries are");
        lines.push(format!("To the nearest minute: {entries} longer or shorter than in the file, by 30 seconds at most."));
    }
    if !plan.lost_tags.is_empty() {
        let tags: Vec<&str> = plan.lost_tags.iter().map(String::as_str).collect();
        lines.push(format!(
            "Tags that are left out, because a tag begins with a letter: {}",
            tags.join(", ")
        ));
    }
    if plan.problem_count > 0 {
        let rows = count(plan.problem_count, "row", "rows");
        lines.push(format!("{rows} cannot be imported:"));
        lines.extend(
            plan.problems
                .iter()
                .map(|(line, problem)| format!("  line {line}: {problem}")),
        );
        let more = plan
            .problem_count
            .saturating_sub(plan.problems.len() as u64);
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}
