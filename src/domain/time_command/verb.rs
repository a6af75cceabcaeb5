//! Verbs: `start wireframes`, `stop`, `week by project`, `link #acme`.
//!
//! A verb is only the first word, and an entry comes before it where the verb takes no such words:
//! `stop the leak 2h` and `week 2h` are entries. Where the two cannot be told apart, nothing is done
//! and the person is asked: `start planning 2h`, `edit 2h`.

use chrono::Days;
use nom::{Parser, combinator::opt, sequence::preceded};

use super::{
    Context, LogLine, Suggestion, TimeCommand,
    draft::{SEPARATORS, unquoted},
    line::entry,
    marks::{Marks, name_behind},
    refusal::{LONGEST_DESCRIPTION, Refusal, compact, join},
    report::{export, report},
    stop::{Problem, Stop},
    words::{LONGEST, any_of, lower, space, word},
};
use crate::domain::{period::Period, provider::Provider};

/// A timer as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartLine {
    /// What is being done, up to 3,000 characters, perhaps empty. A time in it is a part of it.
    pub description: String,
    /// The project without the `#`, as it was typed.
    pub project: Option<String>,
    /// The client without the `@`, as it was typed.
    pub client: Option<String>,
    /// Tags without the `+`, in the order in which they were typed.
    pub tags: Vec<String>,
    /// Whether it can be billed, if that was typed.
    pub billable: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Help,
    Undo,
    Start,
    Stop,
    Status,
    Cancel,
    Today,
    Yesterday,
    Week,
    Month,
    Report,
    Edit,
    Delete,
    Move,
    Projects,
    Link,
    Unlink,
    Connect,
    Sync,
    Prefs,
    Export,
}

impl Verb {
    fn named(word: &str) -> Option<Self> {
        let mut buffer = [0; LONGEST];
        Some(match lower(word, &mut buffer)? {
            "help" => Self::Help,
            "undo" => Self::Undo,
            "start" => Self::Start,
            "stop" => Self::Stop,
            "status" => Self::Status,
            "cancel" => Self::Cancel,
            "today" => Self::Today,
            "yesterday" => Self::Yesterday,
            "week" => Self::Week,
            "month" => Self::Month,
            "report" => Self::Report,
            "edit" => Self::Edit,
            "delete" => Self::Delete,
            "move" => Self::Move,
            "projects" => Self::Projects,
            "link" => Self::Link,
            "unlink" => Self::Unlink,
            "connect" => Self::Connect,
            "sync" => Self::Sync,
            "prefs" => Self::Prefs,
            "export" => Self::Export,
            _ => return None,
        })
    }

    /// What the verb asks for with these words behind it, entries aside.
    fn read<'a>(
        self,
        rest: &'a str,
        marks: &Marks<'a>,
        context: &Context,
    ) -> Result<TimeCommand, Stop<'a>> {
        let alone = |command| match rest {
            "" => Ok(command),
            _ => Err(Stop::here(rest, Problem::StandsAlone)),
        };
        let today = context.today();
        let of = |period| report(rest, period, context).map(TimeCommand::Report);
        match self {
            Self::Help => alone(TimeCommand::Help),
            Self::Undo => alone(TimeCommand::Undo),
            Self::Start => start(rest, marks.clone()).map(TimeCommand::Start),
            Self::Stop => alone(TimeCommand::Stop),
            Self::Status => alone(TimeCommand::Status),
            Self::Cancel => alone(TimeCommand::Cancel),
            Self::Today => of(Some(Period::day(today))),
            Self::Yesterday => of(today.checked_sub_days(Days::new(1)).map(Period::day)),
            Self::Week => of(Some(Period::week(today))),
            Self::Month => of(Some(Period::month(today))),
            Self::Report => of(None),
            Self::Edit => alone(TimeCommand::Edit),
            Self::Delete => alone(TimeCommand::Delete),
            Self::Move => alone(TimeCommand::Move),
            Self::Projects => alone(TimeCommand::Projects),
            Self::Link => link(rest).map(TimeCommand::Link),
            Self::Unlink => alone(TimeCommand::Unlink),
            Self::Connect => match page_code(rest) {
                Some(code) => Ok(TimeCommand::ConnectCode(code)),
                None => connect(rest).map(TimeCommand::Connect),
            },
            Self::Sync => alone(TimeCommand::Sync),
            Self::Prefs => alone(TimeCommand::Prefs),
            Self::Export => export(rest, context).map(|period| TimeCommand::Export {
                words: rest.to_owned(),
                period,
            }),
        }
    }

    /// Whether it changes something, so that `edit 2h` is hardly an entry named “edit”.
    fn acts(self) -> bool {
        matches!(
            self,
            Self::Undo | Self::Stop | Self::Cancel | Self::Edit | Self::Delete | Self::Move
        )
    }
}

/// What a line asks for that begins with a verb; `None` if it begins with none.
pub(super) fn verb<'a>(
    line: &'a str,
    marks: &Marks<'a>,
    context: &Context,
) -> Option<Result<TimeCommand, Box<Refusal<'a>>>> {
    let (_, first) = word(line).ok()?;
    let (name, rest) = match line[first.len()..].chars().next() {
        Some(c) if !c.is_whitespace() && !":.!".contains(c) => return None,
        Some('.' | '!') => (line, ""),
        _ => line.split_at(first.len()),
    };
    let name = match rest {
        "" => name.trim_end_matches(['.', '!']),
        _ => name,
    };
    let verb = Verb::named(name)?;
    let separated = rest.starts_with(':');
    if separated && verb != Verb::Start {
        return None;
    }
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
    let read = verb.read(rest, marks, context);
    let certain = rest.is_empty() || separated || verb != Verb::Start;
    if certain && let Ok(command) = read {
        return Some(Ok(command));
    }
    // `2027-01` is rather a month than half past eight in the evening.
    if let Err(stop) = read
        && matches!(
            stop.problem,
            Problem::Future { .. } | Problem::EitherDay { .. }
        )
        && stop.after.is_empty()
    {
        return Some(Err(refusal(verb, name, line, stop)));
    }
    Some(match (read, entry(line, marks.clone(), context)) {
        (_, Ok(log)) if verb == Verb::Start => {
            let second = Suggestion {
                label: "Start a timer".to_owned(),
                line: format!("start: {rest}"),
            };
            Err(verb_or_words(line, rest, &log, second, context))
        }
        (_, Ok(log)) if verb.acts() && log.description.eq_ignore_ascii_case(name) => {
            let (first, others) = name.split_at(1);
            let second = Suggestion {
                label: first.to_ascii_uppercase() + others,
                line: name.to_owned(),
            };
            Err(verb_or_words(line, rest, &log, second, context))
        }
        (_, Ok(log)) => Ok(TimeCommand::Log(log)),
        (Ok(command), Err(_)) => Ok(command),
        (Err(_), Err(refusal)) if verb == Verb::Help && refusal.stop.problem == Problem::NoTime => {
            Ok(TimeCommand::Help)
        }
        (Err(stop), Err(refusal)) if is_about_the_entry(verb, stop, &refusal) => Err(refusal),
        (Err(stop), Err(_)) => Err(refusal(verb, name, line, stop)),
    })
}

/// Whether the person rather wanted an entry than a verb, when the line is neither.
fn is_about_the_entry(verb: Verb, stop: Stop<'_>, refusal: &Refusal<'_>) -> bool {
    let Stop { at, after, problem } = stop;
    match problem {
        Problem::PeriodWords if matches!(verb, Verb::Today | Verb::Yesterday) => {
            preceded(any_of(&["by"]), space).parse(at).is_err()
        }
        Problem::DescriptionTooLong { .. } => false,
        Problem::StandsAlone
        | Problem::ReportWords
        | Problem::PeriodWords
        | Problem::ExportWords
        | Problem::LinkWords
        | Problem::ConnectWords => {
            let problem = refusal.stop.problem;
            !problem.may_be_words() && problem != Problem::NumberAtTheEnd
        }
        // The day of the report is wrong.
        _ => !after.is_empty() && refusal.stop.problem == problem,
    }
}

/// Asks whether to log, or to do what the verb says.
fn verb_or_words<'a>(
    line: &'a str,
    rest: &'a str,
    log: &LogLine,
    second: Suggestion,
    context: &Context,
) -> Box<Refusal<'a>> {
    let day = if log.date == context.today() {
        String::new()
    } else {
        log.date.to_string()
    };
    let ranges: Vec<_> = log.ranges.iter().map(ToString::to_string).collect();
    let time = if ranges.is_empty() {
        compact(log.duration)
    } else {
        ranges.join(", ")
    };
    let first = Suggestion {
        label: format!("Log {}", log.duration),
        line: join(&day, &time, &log.words()),
    };
    let stop = Stop::before(line, rest, Problem::VerbOrWords);
    Refusal::at(stop).offering(vec![first, second])
}

/// What would have worked behind the verb.
fn refusal<'a>(verb: Verb, name: &str, line: &'a str, stop: Stop<'a>) -> Box<Refusal<'a>> {
    let refusal = Refusal::at(stop).from(line);
    match stop.problem {
        Problem::ReportWords => refusal.with_example("report last month by project"),
        Problem::PeriodWords => refusal.with_example(format!("{name} by project")),
        Problem::LinkWords => {
            let word = stop.at.split(|c: char| !c.is_alphanumeric()).next();
            let word = word.filter(|word| word.starts_with(char::is_alphabetic));
            refusal.with_example(format!("link #{}", word.unwrap_or("project")))
        }
        Problem::ConnectWords => refusal.with_example("connect google"),
        Problem::EitherDay { first, second } => {
            let of_a_day = match verb {
                Verb::Export => "export",
                _ => "report",
            };
            let offer = |date: chrono::NaiveDate| Suggestion {
                label: date.format("%a %-d %b %Y").to_string(),
                line: format!("{of_a_day} {date}"),
            };
            refusal.offering(vec![offer(first), offer(second)])
        }
        Problem::DescriptionTooLong { .. } => {
            let cut: String = stop.at.chars().take(LONGEST_DESCRIPTION).collect();
            refusal.with_example(format!("start: {cut}"))
        }
        _ if verb == Verb::Report => refusal.with_example("report this week"),
        _ if verb == Verb::Export => refusal.with_example("export last month"),
        _ => refusal.with_example(name.to_owned()),
    }
}

/// What is being done, with the marks around it.
fn start<'a>(rest: &'a str, mut marks: Marks<'a>) -> Result<StartLine, Stop<'a>> {
    let words = marks.in_front(rest);
    let words = match words.strip_prefix(SEPARATORS) {
        Some(after) => marks.in_front(after),
        None => words,
    };
    let words = marks.at_the_end(words);
    let description = unquoted(words);
    let characters = description.chars().count();
    if characters > LONGEST_DESCRIPTION {
        let problem = Problem::DescriptionTooLong { characters };
        return Err(Stop::here(description, problem));
    }
    Ok(StartLine {
        description: description.to_owned(),
        project: marks.project.map(str::to_owned),
        client: marks.client.map(str::to_owned),
        tags: marks.tags(),
        billable: marks.billable,
    })
}

/// One project, or none.
fn link(rest: &str) -> Result<Option<String>, Stop<'_>> {
    match name_behind('#', rest) {
        Some((name, "")) => Ok(Some(name.to_owned())),
        Some((_, after)) => Err(Stop::here(after.trim_start(), Problem::LinkWords)),
        None if rest.is_empty() => Ok(None),
        None => Err(Stop::here(rest, Problem::LinkWords)),
    }
}

/// Two groups of four letters and digits with a dash between, as a page shows them.
fn page_code(rest: &str) -> Option<String> {
    let (first, second) = rest.split_once('-')?;
    let is_group =
        |group: &str| group.len() == 4 && group.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_group(first) && is_group(second)).then(|| rest.to_ascii_uppercase())
}

/// `google`, `outlook calendar`, or nothing.
fn connect(rest: &str) -> Result<Option<Provider>, Stop<'_>> {
    let calendar = || opt(preceded(space, any_of(&["calendar"])));
    let google = (any_of(&["google", "gmail"]), calendar()).parse(rest);
    let microsoft = (any_of(&["outlook", "microsoft"]), calendar()).parse(rest);
    match (google, microsoft) {
        _ if rest.is_empty() => Ok(None),
        (Ok(("", _)), _) => Ok(Some(Provider::Google)),
        (_, Ok(("", _))) => Ok(Some(Provider::Microsoft)),
        _ => Err(Stop::here(rest, Problem::ConnectWords)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        ErrorKind, parse,
        tests::{error, friday, log},
    };
    use super::*;

    fn read(text: &str) -> TimeCommand {
        parse(text, &friday()).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    fn timer(text: &str) -> String {
        match read(text) {
            TimeCommand::Start(line) => {
                let project = line.project.unwrap_or_default();
                let client = line.client.unwrap_or_default();
                let tags = line.tags.join(",");
                let billable = line.billable;
                format!(
                    "{}|{project}|{client}|{tags}|{billable:?}",
                    line.description
                )
            }
            other => panic!("{text:?} was read as {other:?}"),
        }
    }

    #[test]
    fn some_verbs_stand_alone() {
        for (text, command) in [
            ("help", TimeCommand::Help),
            ("Undo.", TimeCommand::Undo),
            ("STOP", TimeCommand::Stop),
            ("stop!", TimeCommand::Stop),
            ("  status ", TimeCommand::Status),
            ("cancel", TimeCommand::Cancel),
            ("edit", TimeCommand::Edit),
            ("delete", TimeCommand::Delete),
            ("move", TimeCommand::Move),
            ("projects", TimeCommand::Projects),
            ("link", TimeCommand::Link(None)),
            ("link #acme", TimeCommand::Link(Some("acme".into()))),
            ("link <#C1|acme>", TimeCommand::Link(Some("acme".into()))),
            ("unlink", TimeCommand::Unlink),
            ("connect", TimeCommand::Connect(None)),
            (
                "connect Google",
                TimeCommand::Connect(Some(Provider::Google)),
            ),
            (
                "connect outlook calendar",
                TimeCommand::Connect(Some(Provider::Microsoft)),
            ),
            ("sync", TimeCommand::Sync),
            ("prefs", TimeCommand::Prefs),
            (
                "export",
                TimeCommand::Export {
                    words: String::new(),
                    period: None,
                },
            ),
            (
                "export last month as csv",
                TimeCommand::Export {
                    words: "last month as csv".into(),
                    period: Some(Period::month(friday().today()).previous()),
                },
            ),
            ("? week", TimeCommand::Explain("week".into())),
        ] {
            assert_eq!(read(text), command, "{text:?}");
        }
    }

    #[test]
    fn a_timer_takes_free_text_and_marks() {
        assert_eq!(timer("start"), "||||None");
        assert_eq!(timer("start fix 2h bug"), "fix 2h bug||||None");
        assert_eq!(timer("start of sprint 2h: x"), "of sprint 2h: x||||None");
        assert_eq!(timer("start 2h fix"), "2h fix||||None");
        assert_eq!(timer("start Sprint 3"), "Sprint 3||||None");
        assert_eq!(timer("start call at 9:30"), "call at 9:30||||None");
        assert_eq!(
            timer("start yesterday's notes"),
            "yesterday's notes||||None"
        );
        assert_eq!(timer("start: planning 2h"), "planning 2h||||None");
        assert_eq!(timer("start \"planning 2h\""), "planning 2h||||None");
        assert_eq!(
            timer("start #web @tern: logo +design +v2 !billable"),
            "logo|web|tern|design,v2|Some(true)"
        );
        assert_eq!(timer("start logo #web"), "logo|web|||None");
        assert_eq!(timer("start fix #12"), "fix #12||||None");
        let long = "ä".repeat(3_001);
        let refused = error(&format!("start {long}"));
        assert_eq!(refused.kind, ErrorKind::Refused);
        assert!(timer(&refused.example).starts_with('ä'));
    }

    #[test]
    fn an_entry_comes_before_a_verb() {
        for (text, minutes, description) in [
            ("today 2h foo", 120, "foo"),
            ("yesterday 9-11 workshop", 120, "workshop"),
            ("today #acme 2h foo", 120, "foo"),
            ("today call 2h", 120, "call"),
            ("week 2h", 120, "week"),
            ("week planning 2h", 120, "week planning"),
            ("month end 3h", 180, "month end"),
            ("report writing 2h", 120, "report writing"),
            ("report by day 2h", 120, "report by day"),
            ("report: 2h", 120, "report"),
            ("status 15m", 15, "status"),
            ("stop the leak 2h", 120, "stop the leak"),
            ("move to new servers 2h", 120, "move to new servers"),
            ("edit: 2h", 120, "edit"),
            ("sync with Ann 30m", 30, "sync with Ann"),
            ("link building 1h", 60, "link building"),
            ("connect google 1h", 60, "connect google"),
            ("export module 1h30", 90, "export module"),
            ("projects 1h", 60, "projects"),
            ("stopping 1h", 60, "stopping"),
        ] {
            let line = log(text);
            assert_eq!(
                (line.duration.get(), &*line.description),
                (minutes, description),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_as_likely_an_entry_is_asked_back() {
        let lines = |text| -> Vec<String> {
            let asked = error(text);
            assert_eq!(asked.kind, ErrorKind::Ambiguous, "{text}");
            asked.suggestions.into_iter().map(|s| s.line).collect()
        };
        assert_eq!(
            lines("start #web planning 2h +x"),
            ["2h: start #web planning +x", "start: #web planning 2h +x"]
        );
        assert_eq!(
            lines("start planning 9:00-11 yesterday"),
            [
                "2026-11-19 09:00–11:00: start planning",
                "start: planning 9:00-11 yesterday"
            ]
        );
        assert_eq!(lines("edit 2h"), ["2h: edit", "edit"]);
        assert_eq!(lines("undo 30m"), ["30m: undo", "undo"]);
        assert_eq!(
            error("Stop 2h").message,
            "Is “Stop” what you did, or what I should do? Nothing is saved yet."
        );
    }

    #[test]
    fn what_else_stands_behind_a_verb_is_named_with_what_would_work() {
        for (text, message, example) in [
            (
                "stop the timer",
                "I understood “stop”, then stopped at “the”: “stop” stands alone. \
                 To log time, put the time first.",
                "stop",
            ),
            (
                "undo the migration",
                "I understood “undo”, then stopped at “the”: “undo” stands alone. \
                 To log time, put the time first.",
                "undo",
            ),
            (
                "link acme",
                "I understood “link”, then stopped at “acme”: a channel is linked to one #project.",
                "link #acme",
            ),
            (
                "link #acme #tern",
                "I understood “link #acme”, then stopped at “#tern”: \
                 a channel is linked to one #project.",
                "link #project",
            ),
            (
                "connect caldav",
                "I understood “connect”, then stopped at “caldav”: I can connect google and outlook.",
                "connect google",
            ),
            (
                "today by person",
                "I understood “today”, then stopped at “by”: behind it stand #project and \
                 by project, by day or by client.",
                "today by project",
            ),
            (
                "delete 3",
                "I understood “delete”, then stopped at “3”: “delete” stands alone. \
                 To log time, put the time first.",
                "delete",
            ),
            // The entry was meant.
            (
                "stop the leak 31h",
                "31 h is more than a day.",
                "1h: stop the leak",
            ),
            (
                "today call",
                "I understood “today”, but found no time in this.",
                "today 1h: call",
            ),
        ] {
            let stopped = error(text);
            assert_eq!(
                (&*stopped.message, &*stopped.example),
                (message, example),
                "{text}"
            );
            assert!(parse(&stopped.example, &friday()).is_ok());
        }
    }
}
