//! `billops import`: entries from the file of another time tracker.

use std::{
    fs::File,
    io::{IsTerminal as _, Read, Seek as _, SeekFrom, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::SystemTime,
};

use billops::{
    app::{
        Import, ImportOptions, ImportPlan, ImportStop, Imported, PlannedEntry, PlannedProject,
        Standing, TakenBack,
    },
    clock::Clock,
    domain::{
        entry_import::{Author, DateOrder},
        minutes::Minutes,
        time_entry::{EntryStatus, TAGS_MAX},
    },
    error::chain,
    store::Store,
};

use chrono::{DateTime, Utc};

use crate::{Stop, arguments::zone};

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
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    tz: Option<chrono_tz::Tz>,
    /// How the file writes dates like 3/4/2026, if it does not show that itself
    #[arg(long, value_name = "ORDER")]
    dates: Option<Dates>,
    /// Take the entries of this file back that were imported, from it or another one, and not changed since
    #[arg(long, conflicts_with = "skip_problems")]
    undo: bool,
    /// List what would be done, and change nothing
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
    let store = Store::open_existing(database_url, Clock::system())
        .await
        .map_err(|error| Stop::Failed(chain(&error)))?;
    let name = options.file.display().to_string();
    let outcome = read(&store, options).await;
    store.close().await;
    outcome.map_err(|stop| match stop {
        ImportStop::Store(_) | ImportStop::Unknown(..) | ImportStop::ProjectsFull => {
            Stop::Failed(printable(&stop.to_string()))
        }
        _ => Stop::Failed(printable(&format!("{name}: {stop}."))),
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
    // Before it is opened: a pipe that nobody writes to would keep whoever opens it waiting.
    if !std::fs::metadata(path)?.is_file() {
        return Err(ImportStop::NoFile);
    }
    let file = File::open(path)?;
    let before = state(&file)?;
    // Read more than once, from its beginning each time: the same file, whatever gets its name meanwhile.
    let again = || {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(0)).map(|_| file)
    };
    let import = Import::open(store.clone(), again, wanted).await?;
    say(&format!(
        "{} is {}.",
        path.display(),
        import.format().name()
    ));
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
            let _ = writeln!(output, "{}", printable(&line(entry)));
        }
    });
    let plan = plan.await?;
    drop(output);
    say(&summary(&plan));
    if state(&file)? != before {
        return Err(ImportStop::Changed);
    }
    let stops = plan.problem_count > 0 && !options.skip_problems;
    match (options.dry_run, options.undo) {
        (true, true) => {
            println!("Nothing was changed. Without --dry-run what is there already is taken back.");
        }
        (true, false) if stops => {
            println!(
                "Nothing was changed. Without --dry-run nothing would be imported either, because of the rows above: mend \
                 them, or leave them out with --skip-problems."
            );
            return Ok(ExitCode::FAILURE);
        }
        (true, false) => println!("Nothing was changed."),
        (false, true) => take_back(&import, &plan).await?,
        (false, false) if stops => {
            println!(
                "Nothing was imported. Mend these rows, or leave them out with --skip-problems; whatever is imported twice \
                 stays one entry."
            );
            return Ok(ExitCode::FAILURE);
        }
        (false, false) => run(&import, &plan).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn run<R: Read, O: Fn() -> std::io::Result<R>>(
    import: &Import<O>,
    plan: &ImportPlan,
) -> Result<(), ImportStop> {
    let Imported { new, projects, .. } =
        shown(plan, async |progress| import.run(plan, progress).await).await?;
    println!(
        "Imported: {}, and {} made.",
        count(new, "entry", "entries"),
        count(projects, "project", "projects"),
    );
    Ok(())
}

async fn take_back<R: Read, O: Fn() -> std::io::Result<R>>(
    import: &Import<O>,
    plan: &ImportPlan,
) -> Result<(), ImportStop> {
    let TakenBack { removed, changed } =
        shown(plan, async |progress| import.take_back(progress).await).await?;
    println!("Taken back: {}.", count(removed, "entry", "entries"));
    if changed > 0 {
        println!(
            "{} since and stay.",
            count(changed, "entry was changed", "entries were changed")
        );
    }
    Ok(())
}

/// Does it, and says on a terminal how far it is.
async fn shown<T>(
    plan: &ImportPlan,
    work: impl AsyncFnOnce(&mut dyn FnMut(u64)) -> Result<T, ImportStop>,
) -> Result<T, ImportStop> {
    let mut errors = std::io::stderr();
    let shows_progress = errors.is_terminal();
    let mut progress = |rows: u64| {
        if shows_progress {
            // What cannot be shown changes nothing about the import.
            let _ = write!(errors, "\r{rows} of {} rows", plan.rows);
        }
    };
    let outcome = work(&mut progress).await;
    if shows_progress {
        eprintln!();
    }
    outcome
}

fn count(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// How long a file is and when it was last written to. A pipe can be read only once.
fn state(file: &File) -> Result<(u64, Option<SystemTime>), ImportStop> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ImportStop::NoFile);
    }
    Ok((metadata.len(), metadata.modified().ok()))
}

/// What a terminal may be told: nothing in a file moves its cursor or names its window.
fn printable(text: &str) -> String {
    let shown = |c: char| {
        if c.is_control() && c != '\n' {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(shown).collect()
}

fn say(text: &str) {
    println!("{}", printable(text));
}

/// An entry as a dry run lists it.
fn line(entry: &PlannedEntry<'_>) -> String {
    let row = entry.row;
    let mut words = vec![format!("line {}:", entry.line), row.date.to_string()];
    let clock = |at: DateTime<Utc>| at.with_timezone(&entry.zone).format("%H:%M").to_string();
    if let Some((start, end)) = row.span.filter(|_| row.is_timed) {
        words.push(format!("{}–{}", clock(start), clock(end)));
    }
    words.push(row.minutes().to_string());
    words.push(row.description.replace(['\n', '\r', '\t'], " "));
    words.extend(entry.project.map(|project| format!("#{}", project.slug)));
    words.extend(row.tags.iter().map(|tag| format!("+{tag}")));
    let project = entry.project.is_some_and(|project| project.is_billable);
    if row.billable.unwrap_or(project) {
        words.push("· billable".to_owned());
    }
    if row.status != EntryStatus::Pending {
        words.push(format!("· {}", row.status.as_str()));
    }
    words.push(format!("· {}", entry.member.name));
    words.extend(match entry.standing {
        Standing::New | Standing::SomebodyElses => None,
        Standing::There => Some("(is there already)".to_owned()),
        Standing::Deleted => Some("(was deleted here and stays so)".to_owned()),
    });
    words.join(" ")
}

/// What would be done, all in all.
fn summary(plan: &ImportPlan) -> String {
    let mut lines = Vec::new();
    if let Some((first, last)) = plan.days {
        lines.push(format!("Days: {first} to {last}"));
    }
    for person in &plan.people {
        let author = Some(person.author.to_string()).filter(|_| person.author != Author::default());
        lines.push(format!(
            "{} ({}{}): {}, {} in all. Times are those of {}.",
            person.member.name,
            person.member.slack_user_id,
            author.map_or_else(String::new, |author| format!(", in the file {author}")),
            count(person.new, "new entry", "new entries"),
            of_minutes(person.new_minutes),
            person.zone,
        ));
        if person.there > 0 {
            lines.push(format!(
                "  {} there already.",
                count(person.there, "entry is", "entries are")
            ));
        }
        if person.deleted > 0 {
            let entries = count(person.deleted, "entry was", "entries were");
            lines.push(format!("  {entries} deleted here and stay so."));
        }
    }
    for (author, rows) in &plan.left_out {
        let rows = count(*rows, "row", "rows");
        lines.push(format!(
            "Left out, because no --user names them: {author}, {rows}."
        ));
    }
    projects(plan, &mut lines);
    let (rounded, seconds, minutes) = plan.rounded;
    if rounded > 0 {
        let entries = count(rounded, "entry has", "entries have");
        lines.push(format!(
            "{entries} seconds in the file and whole minutes here, at least one: {} {} s become {}.",
            of_minutes(seconds / 60),
            seconds % 60,
            of_minutes(minutes)
        ));
    }
    if !plan.odd.is_empty() {
        lines.push(format!(
            "At a time that the clocks left out or had twice, and read as before they were changed: {}",
            lines_of(&plan.odd, plan.odd.len() as u64)
        ));
    }
    if plan.twin_count > 0 {
        lines.push(format!(
            "New, but with the beginning and the length of entries that are there already, so perhaps the same: {}",
            lines_of(&plan.twins, plan.twin_count)
        ));
    }
    if !plan.changed_tags.is_empty() {
        let tags = plan
            .changed_tags
            .iter()
            .map(|(said, tag)| format!("“{said}” +{tag}"));
        lines.push(format!(
            "Tags that are one word here: {}",
            tags.collect::<Vec<_>>().join(", ")
        ));
    }
    if !plan.lost_tags.is_empty() {
        let tags: Vec<&str> = plan.lost_tags.iter().map(String::as_str).collect();
        lines.push(format!(
            "Tags that are left out, because a tag begins with a letter and an entry has {TAGS_MAX} at most: {}",
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
    lines.join("\n")
}

fn projects(plan: &ImportPlan, lines: &mut Vec<String>) {
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
            let client = project.client.as_deref();
            let client = client.map(|client| format!(" · {client}"));
            format!(
                "  #{} · {}{}: {}",
                project.slug,
                project.name,
                client.unwrap_or_default(),
                count(project.new, "new entry", "new entries")
            )
        }));
    }
}

fn of_minutes(minutes: u64) -> Minutes {
    Minutes::new(u32::try_from(minutes).unwrap_or(u32::MAX))
}

/// `line 3`, `lines 3, 7 and 12 more`.
fn lines_of(lines: &[u64], count: u64) -> String {
    let shown: Vec<String> = lines.iter().map(u64::to_string).collect();
    let more = count - lines.len() as u64;
    let name = if count == 1 { "line" } else { "lines" };
    let more = (more > 0).then(|| format!(" and {more} more"));
    format!("{name} {}{}", shown.join(", "), more.unwrap_or_default())
}
