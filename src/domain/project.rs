//! Projects and clients, and which of them a person means by what they type.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest slug, name or alias, in characters.
pub const LONGEST_NAME: usize = 80;
/// How many candidates are offered when a name could be several projects.
const CANDIDATES: usize = 3;

/// A project as an entry carries it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProjectRef {
    /// UUIDv7.
    pub id: Uuid,
    /// What people type behind `#`.
    pub slug: String,
}

/// What entries can be logged to, within one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// UUIDv7.
    pub id: Uuid,
    /// What people type behind `#`: lower case, without spaces, unique in the workspace.
    pub slug: String,
    /// Its name in full.
    pub name: String,
    /// For whom it is.
    pub client: Option<Client>,
    /// Whether its entries are billable, unless one says otherwise.
    pub is_billable: bool,
    /// Other slugs that mean it.
    pub aliases: Vec<String>,
    /// Since when it takes no new entries.
    pub archived_at: Option<DateTime<Utc>>,
    /// Starts at 1 and rises with every change.
    pub version: i32,
}

/// For whom projects are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// UUIDv7.
    pub id: Uuid,
    /// What people type behind `@`.
    pub slug: String,
    /// Its name in full.
    pub name: String,
}

impl Client {
    /// Whether they are called exactly so. Case, spaces and dashes do not matter.
    pub fn is_called(&self, said: &str) -> bool {
        let wanted = fold(said);
        !wanted.is_empty()
            && [&self.slug, &self.name]
                .into_iter()
                .any(|name| fold(name) == wanted)
    }
}

impl Project {
    /// What an entry keeps of it.
    pub fn to_ref(&self) -> ProjectRef {
        ProjectRef {
            id: self.id,
            slug: self.slug.clone(),
        }
    }

    /// Whether entries can be logged to it.
    pub const fn is_open(&self) -> bool {
        self.archived_at.is_none()
    }

    /// How it reads where one chooses: `#acme · Website relaunch · Acme`.
    pub fn label(&self) -> String {
        let mut label = format!("#{}", self.slug);
        let client = self.client.as_ref().map(|client| client.name.as_str());
        let name = Some(self.name.as_str()).filter(|name| !name.eq_ignore_ascii_case(&self.slug));
        for part in [name, client].into_iter().flatten() {
            label.push_str(" · ");
            label.push_str(part);
        }
        if !self.is_billable {
            label.push_str(" · not billable");
        }
        label
    }

    /// Whether it is called exactly so: by its slug, its name or an alias. Case, spaces and dashes do not matter.
    pub fn is_called(&self, said: &str) -> bool {
        let wanted = fold(said);
        !wanted.is_empty() && self.names().any(|name| fold(name) == wanted)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        [self.slug.as_str(), self.name.as_str()]
            .into_iter()
            .chain(self.aliases.iter().map(String::as_str))
    }
}

/// Which project a typed name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant<'a> {
    /// It is the project's slug, name or alias.
    Exactly(&'a Project),
    /// It is the beginning, or a close spelling, of one project's name only. This is shown.
    Probably(&'a Project),
    /// It could be several: the best first, at most three.
    OneOf(Vec<&'a Project>),
    /// It is the name of a project that takes no more entries.
    Archived(&'a Project),
    /// No project is called so; the nearest, if there is one.
    Unknown(Option<&'a Project>),
}

/// Finds what `typed` (without the `#`) means among a workspace's projects; `client` (without the `@`)
/// narrows the choice to that client's. Case, spaces and dashes do not matter.
///
/// ```
/// # use billops::domain::project::{Meant, Project, meant};
/// # let project = |slug: &str| Project {
/// #     id: uuid::Uuid::nil(), slug: slug.into(), name: slug.into(), client: None, is_billable: true,
/// #     aliases: vec![], archived_at: None, version: 1,
/// # };
/// let projects = [project("acme"), project("acme-app"), project("halden")];
/// assert_eq!(meant(&projects, "Acme", None), Meant::Exactly(&projects[0]));
/// assert_eq!(meant(&projects, "hal", None), Meant::Probably(&projects[2]));
/// assert_eq!(meant(&projects, "haldn", None), Meant::Probably(&projects[2]));
/// assert_eq!(meant(&projects, "ac", None), Meant::OneOf(vec![&projects[0], &projects[1]]));
/// assert_eq!(meant(&projects, "zephyr", None), Meant::Unknown(None));
/// ```
pub fn meant<'a>(projects: &'a [Project], typed: &str, client: Option<&str>) -> Meant<'a> {
    let wanted = fold(typed);
    let mine = |project: &&Project| client.is_none_or(|name| is_of_client(project, name));
    let named = |project: &&Project| project.names().any(|name| fold(name) == wanted);
    let exact: Vec<&Project> = projects.iter().filter(mine).filter(named).collect();
    // A slug is one project's; a name or an alias may be another's slug.
    let exact = exact
        .iter()
        .find(|project| project.is_open() && fold(&project.slug) == wanted)
        .or_else(|| exact.iter().find(|project| project.is_open()))
        .or_else(|| exact.first());
    match exact {
        Some(project) if project.is_open() => return Meant::Exactly(project),
        Some(project) => return Meant::Archived(project),
        None => {}
    }
    let open = || {
        projects
            .iter()
            .filter(|project| project.is_open())
            .filter(mine)
    };
    let begins = |project: &&Project| {
        !wanted.is_empty() && project.names().any(|name| fold(name).starts_with(&wanted))
    };
    let mut candidates: Vec<&Project> = open().filter(begins).collect();
    if candidates.is_empty() {
        let close = |project: &&Project| project.names().any(|name| is_close(&fold(name), &wanted));
        candidates = open().filter(close).collect();
    }
    candidates.sort_by(|a, b| (a.slug.len(), &a.slug).cmp(&(b.slug.len(), &b.slug)));
    match candidates.as_slice() {
        [] => Meant::Unknown(nearest(open(), &wanted)),
        [only] => Meant::Probably(only),
        _ => {
            candidates.truncate(CANDIDATES);
            Meant::OneOf(candidates)
        }
    }
}

/// The open projects of a client, by `@name` alone.
pub fn of_client<'a>(projects: &'a [Project], client: &str) -> Vec<&'a Project> {
    projects
        .iter()
        .filter(|project| project.is_open() && is_of_client(project, client))
        .collect()
}

/// What a project field suggests for what was typed so far, the best first: all open projects by name while
/// nothing is typed, else those that hold it in a name, an alias or their client's name, then close
/// spellings.
pub fn suggestions<'a>(projects: &'a [Project], typed: &str) -> Vec<&'a Project> {
    let wanted = fold(typed.trim().trim_start_matches('#'));
    let rank = |project: &Project| -> Option<u8> {
        if wanted.is_empty() {
            return Some(0);
        }
        let client = project.client.as_ref().map(|client| client.name.as_str());
        let names: Vec<String> = project.names().chain(client).map(fold).collect();
        if names.iter().any(|name| name.starts_with(&wanted)) {
            Some(1)
        } else if names.iter().any(|name| name.contains(&wanted)) {
            Some(2)
        } else if names.iter().any(|name| is_close(name, &wanted)) {
            Some(3)
        } else {
            None
        }
    };
    let mut found: Vec<(u8, &Project)> = projects
        .iter()
        .filter(|project| project.is_open())
        .filter_map(|project| Some((rank(project)?, project)))
        .collect();
    found.sort_by(|a, b| (a.0, &a.1.slug).cmp(&(b.0, &b.1.slug)));
    found.into_iter().map(|(_, project)| project).collect()
}

/// Whether a word behind `#` names a project: it begins with a letter or a digit, and is more than a number, for
/// `#12` is a ticket's.
///
/// ```
/// use billops::domain::project::is_project_name;
///
/// assert!(is_project_name("acme") && is_project_name("2h") && is_project_name("9-11"));
/// assert!(!is_project_name("12") && !is_project_name("_x") && !is_project_name(""));
/// ```
pub fn is_project_name(word: &str) -> bool {
    word.starts_with(char::is_alphanumeric) && !word.chars().all(char::is_numeric)
}

/// A slug that nobody can type behind `#`, and one that could be typed in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoProjectSlug {
    /// No letter or digit is left of it, or it is too long.
    Nothing,
    /// A number alone is read as a word; with a letter in front it is a project.
    Number {
        /// Such as `p2026` for `2026`.
        instead: String,
    },
}

/// What a name becomes behind `#`: a slug that the language reads as a project.
///
/// # Errors
/// Nothing of the name can be typed there.
pub fn project_slug_of(name: &str) -> Result<String, NoProjectSlug> {
    let slug = slug_of(name).ok_or(NoProjectSlug::Nothing)?;
    if is_project_name(&slug) {
        return Ok(slug);
    }
    let instead = format!("p{slug}").chars().take(LONGEST_NAME).collect();
    Err(NoProjectSlug::Number { instead })
}

/// What a name becomes behind `#` or `@`: `Website relaunch` is `website-relaunch`. `None` where no letter
/// or digit is left, or where it would be too long. What a project is called is [`project_slug_of`].
pub fn slug_of(name: &str) -> Option<String> {
    let mut slug = String::new();
    for c in name.chars() {
        // Nothing but a letter or a digit begins it.
        if c.is_alphanumeric() || (matches!(c, '_' | '.') && !slug.is_empty()) {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches(['-', '.']).to_owned();
    let has_word = slug.chars().any(char::is_alphanumeric);
    (has_word && slug.chars().count() <= LONGEST_NAME).then_some(slug)
}

fn is_of_client(project: &Project, typed: &str) -> bool {
    let wanted = fold(typed);
    project.client.as_ref().is_some_and(|client| {
        [&client.slug, &client.name]
            .into_iter()
            .any(|name| fold(name).starts_with(&wanted))
    })
}

/// What is left to compare when case and what separates words do not matter.
fn fold(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn nearest<'a>(open: impl Iterator<Item = &'a Project>, wanted: &str) -> Option<&'a Project> {
    let common = |project: &&Project| {
        project
            .names()
            .map(|name| common_prefix(&fold(name), wanted))
            .max()
            .unwrap_or(0)
    };
    open.filter(|project| common(project) > 0)
        .max_by_key(|project| (common(project), Reverse(project.slug.clone())))
}

fn common_prefix(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

/// One slip of the finger in a word of four letters and more, two in one of eight and more: a letter
/// missing, added, exchanged, or two in the wrong order.
fn is_close(name: &str, typed: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (name.chars().collect(), typed.chars().collect());
    let slips = match b.len() {
        0..=3 => return false,
        4..=7 => 1,
        _ => 2,
    };
    if a.len().abs_diff(b.len()) > slips || b.len() > LONGEST_NAME {
        return false;
    }
    distance(&a, &b) <= slips
}

/// The edit distance with neighbours exchanged counted once (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let mut slips = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                slips = slips.min(before[j - 1] + 1);
            }
            row.push(slips);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(slug: &str, name: &str, client: &str, aliases: &[&str]) -> Project {
        Project {
            id: Uuid::from_u128(slug.bytes().map(u128::from).sum()),
            slug: slug.to_owned(),
            name: name.to_owned(),
            client: (!client.is_empty()).then(|| Client {
                id: Uuid::nil(),
                slug: client.to_lowercase(),
                name: client.to_owned(),
            }),
            is_billable: true,
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            archived_at: None,
            version: 1,
        }
    }

    fn tern() -> Vec<Project> {
        vec![
            project("acme", "Website relaunch", "Acme", &["web"]),
            project("acme-app", "Customer app", "Acme", &[]),
            project("halden", "Onboarding study", "Halden", &["hld"]),
            project("internal", "Internal", "", &[]),
        ]
    }

    fn found(typed: &str, client: Option<&str>) -> String {
        match meant(&tern(), typed, client) {
            Meant::Exactly(project) => format!("= {}", project.slug),
            Meant::Probably(project) => format!("~ {}", project.slug),
            Meant::Archived(project) => format!("x {}", project.slug),
            Meant::OneOf(several) => {
                let slugs: Vec<&str> = several.iter().map(|p| p.slug.as_str()).collect();
                format!("? {}", slugs.join(" "))
            }
            Meant::Unknown(nearest) => format!("- {}", nearest.map_or("", |p| &p.slug)),
        }
    }

    #[test]
    fn a_name_an_alias_a_prefix_or_a_slip_finds_its_project() {
        assert_eq!(found("ACME", None), "= acme");
        assert_eq!(found("web", None), "= acme");
        assert_eq!(found("website-relaunch", None), "= acme");
        assert_eq!(found("acmeapp", None), "= acme-app");
        assert_eq!(found("intern", None), "~ internal");
        assert_eq!(found("haldne", None), "~ halden");
        assert_eq!(found("ac", None), "? acme acme-app");
        assert_eq!(found("zephyr", None), "- ");
        assert_eq!(found("harbour", None), "- halden");
        assert_eq!(found("", None), "- ");
        assert_eq!(found("💥", None), "- ");
    }

    #[test]
    fn a_client_narrows_the_choice() {
        assert_eq!(found("a", Some("halden")), "- ");
        assert_eq!(found("o", Some("halden")), "~ halden");
        let projects = tern();
        let of = |client| -> Vec<&str> {
            of_client(&projects, client)
                .iter()
                .map(|p| p.slug.as_str())
                .collect()
        };
        assert_eq!(of("ACME"), ["acme", "acme-app"]);
        assert_eq!(of("nobody"), Vec::<&str>::new());
    }

    #[test]
    fn an_archived_project_is_known_and_takes_nothing() {
        let mut projects = tern();
        projects[2].archived_at = Some(DateTime::UNIX_EPOCH);
        assert!(matches!(
            meant(&projects, "halden", None),
            Meant::Archived(_)
        ));
        assert!(matches!(meant(&projects, "hald", None), Meant::Unknown(_)));
        assert!(suggestions(&projects, "hal").is_empty());
    }

    #[test]
    fn suggestions_are_ranked() {
        let projects = tern();
        let slugs = |typed| -> Vec<&str> {
            suggestions(&projects, typed)
                .iter()
                .map(|p| p.slug.as_str())
                .collect()
        };
        assert_eq!(slugs(""), ["acme", "acme-app", "halden", "internal"]);
        assert_eq!(slugs("#acm"), ["acme", "acme-app"]);
        assert_eq!(slugs("study"), ["halden"]);
        assert_eq!(slugs("inetrnal"), ["internal"]);
    }

    #[test]
    fn labels_leave_out_what_says_nothing_new() {
        let projects = tern();
        assert_eq!(projects[0].label(), "#acme · Website relaunch · Acme");
        assert_eq!(projects[3].label(), "#internal");
    }

    #[test]
    fn slugs_are_what_can_be_typed() {
        assert_eq!(
            slug_of("Website relaunch").as_deref(),
            Some("website-relaunch")
        );
        assert_eq!(slug_of(" #ACME & Co. ").as_deref(), Some("acme-co"));
        assert_eq!(slug_of("Привет").as_deref(), Some("привет"));
        assert_eq!(slug_of("?!"), None);
        assert_eq!(slug_of("_x.y"), Some("x.y".to_owned()));
        assert_eq!(slug_of(&"a".repeat(81)), None);
        assert_eq!(project_slug_of("#2h").as_deref(), Ok("2h"));
        assert_eq!(project_slug_of("9 - 11").as_deref(), Ok("9-11"));
        assert_eq!(project_slug_of("?!"), Err(NoProjectSlug::Nothing));
        let instead = "p2026".to_owned();
        assert_eq!(
            project_slug_of("2026"),
            Err(NoProjectSlug::Number { instead })
        );
    }
}
