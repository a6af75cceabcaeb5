//! What a verb asks for, as JSON and as one line of text.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::Serialize;

use super::{Grouping, ReportRequest, StartLine, refusal::day_name};
use crate::domain::{
    period::{Period, PeriodKind},
    provider::Provider,
};

/// A verb with its own fields, in the order in which they are printed.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub(super) enum Asked {
    Help,
    Undo,
    Explain,
    Start {
        description: String,
        project: Option<String>,
        client: Option<String>,
        tags: Vec<String>,
        billable: Option<bool>,
    },
    Stop,
    Status,
    Cancel,
    Report {
        period: PeriodKind,
        from: NaiveDate,
        to: NaiveDate,
        group: Option<Grouping>,
        project: Option<String>,
    },
    Edit,
    Delete,
    Move,
    Projects,
    Link {
        project: Option<String>,
    },
    Unlink,
    Connect {
        provider: Option<Provider>,
        /// A code that a page showed was typed. It is not repeated.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        has_code: bool,
    },
    Sync,
    Prefs,
    Export {
        rest: String,
    },
}

impl From<StartLine> for Asked {
    fn from(line: StartLine) -> Self {
        Self::Start {
            description: line.description,
            project: line.project,
            client: line.client,
            tags: line.tags,
            billable: line.billable,
        }
    }
}

impl From<ReportRequest> for Asked {
    fn from(report: ReportRequest) -> Self {
        Self::Report {
            period: report.period.kind,
            from: report.period.from,
            to: report.period.to,
            group: report.group,
            project: report.project,
        }
    }
}

impl Asked {
    /// One line; days of this year do not name it.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, today: NaiveDate) -> fmt::Result {
        match self {
            Self::Help => f.write_str("help"),
            Self::Undo => f.write_str("undo"),
            Self::Explain => f.write_str("explain"),
            Self::Start {
                description,
                project,
                client,
                tags,
                billable,
            } => {
                f.write_str("start")?;
                write_words(f, description)?;
                write_marks(f, project.as_ref(), client.as_ref(), tags, *billable)
            }
            Self::Stop => f.write_str("stop"),
            Self::Status => f.write_str("status"),
            Self::Cancel => f.write_str("cancel"),
            Self::Report {
                period,
                from,
                to,
                group,
                project,
            } => {
                let (kind, from, to) = (*period, *from, *to);
                write!(f, "report · {}", shown(Period { kind, from, to }, today))?;
                if let Some(group) = group {
                    write!(f, " · by {}", group.name())?;
                }
                write_marks(f, project.as_ref(), None, &[], None)
            }
            Self::Edit => f.write_str("edit"),
            Self::Delete => f.write_str("delete"),
            Self::Move => f.write_str("move"),
            Self::Projects => f.write_str("projects"),
            Self::Link { project } => {
                f.write_str("link")?;
                write_marks(f, project.as_ref(), None, &[], None)
            }
            Self::Unlink => f.write_str("unlink"),
            Self::Connect { has_code: true, .. } => f.write_str("connect · a code"),
            Self::Connect { provider, .. } => f.write_str(match provider {
                None => "connect",
                Some(Provider::Google) => "connect · google",
                Some(Provider::Microsoft) => "connect · outlook",
            }),
            Self::Sync => f.write_str("sync"),
            Self::Prefs => f.write_str("prefs"),
            Self::Export { rest } => {
                f.write_str("export")?;
                write_words(f, rest)
            }
        }
    }
}

/// `Fri 20 Nov`, `Mon 16 Nov – Sun 22 Nov`, `November 2026`.
fn shown(period: Period, today: NaiveDate) -> String {
    match period.kind {
        PeriodKind::Day => day_name(period.from, today),
        PeriodKind::Week => {
            let [from, to] = [period.from, period.to].map(|date| day_name(date, today));
            format!("{from} – {to}")
        }
        PeriodKind::Month => format!("{} {}", period.from.format("%B"), period.from.year()),
    }
}

/// ` · ` and the words on one line, if there are any.
pub(super) fn write_words(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for (index, word) in text.split_whitespace().enumerate() {
        f.write_str(if index == 0 { " · " } else { " " })?;
        f.write_str(word)?;
    }
    Ok(())
}

/// ` · #acme · @tern · +web · billable`: those that there are.
pub(super) fn write_marks(
    f: &mut fmt::Formatter<'_>,
    project: Option<&String>,
    client: Option<&String>,
    tags: &[String],
    billable: Option<bool>,
) -> fmt::Result {
    if let Some(project) = project {
        write!(f, " · #{project}")?;
    }
    if let Some(client) = client {
        write!(f, " · @{client}")?;
    }
    for tag in tags {
        write!(f, " · +{tag}")?;
    }
    match billable {
        Some(true) => f.write_str(" · billable"),
        Some(false) => f.write_str(" · not billable"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{explain, tests::friday};

    fn fields(text: &str) -> String {
        let json = serde_json::to_string(&explain(text, &friday())).unwrap();
        let fields = json.split_once(r#""ok":true,"#).map(|(_, fields)| fields);
        fields.unwrap_or(&json).trim_end_matches('}').to_owned()
    }

    fn text(line: &str) -> String {
        explain(line, &friday()).to_string()
    }

    #[test]
    fn every_verb_is_followed_by_its_own_fields() {
        for (line, expected) in [
            ("help", r#""verb":"help""#),
            ("undo", r#""verb":"undo""#),
            ("? 2h", r#""verb":"explain""#),
            (
                "start #web @tern logo +v2 !billable",
                r#""verb":"start","description":"logo","project":"web","client":"tern","tags":["v2"],"billable":true"#,
            ),
            (
                "start",
                r#""verb":"start","description":"","project":null,"client":null,"tags":[],"billable":null"#,
            ),
            ("stop", r#""verb":"stop""#),
            ("status", r#""verb":"status""#),
            ("cancel", r#""verb":"cancel""#),
            (
                "week",
                r#""verb":"report","period":"week","from":"2026-11-16","to":"2026-11-22","group":null,"project":null"#,
            ),
            (
                "report oct by client #acme",
                r#""verb":"report","period":"month","from":"2026-10-01","to":"2026-10-31","group":"client","project":"acme""#,
            ),
            ("edit", r#""verb":"edit""#),
            ("delete", r#""verb":"delete""#),
            ("move", r#""verb":"move""#),
            ("projects", r#""verb":"projects""#),
            ("link", r#""verb":"link","project":null"#),
            ("link #acme", r#""verb":"link","project":"acme""#),
            ("unlink", r#""verb":"unlink""#),
            ("connect", r#""verb":"connect","provider":null"#),
            (
                "connect outlook",
                r#""verb":"connect","provider":"microsoft""#,
            ),
            ("sync", r#""verb":"sync""#),
            ("prefs", r#""verb":"prefs""#),
            ("export", r#""verb":"export","rest":"""#),
            (
                "export last month",
                r#""verb":"export","rest":"last month""#,
            ),
        ] {
            assert_eq!(fields(line), expected, "{line}");
        }
    }

    #[test]
    fn as_text_a_verb_is_one_line() {
        for (line, expected) in [
            ("start", "start"),
            (
                "start #web logo\nfor Tern +v2 !nonbillable",
                "start · logo for Tern · #web · +v2 · not billable",
            ),
            ("report", "report · Mon 16 Nov – Sun 22 Nov"),
            ("today #acme", "report · Fri 20 Nov · #acme"),
            ("report 24 Dec", "report · Wed 24 Dec 2025"),
            ("month by day", "report · November 2026 · by day"),
            ("link #acme", "link · #acme"),
            ("connect microsoft", "connect · outlook"),
            ("export last month", "export · last month"),
            ("prefs", "prefs"),
        ] {
            assert_eq!(text(line), expected, "{line}");
        }
    }
}
