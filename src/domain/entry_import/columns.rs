//! Whose file it is, by the names of its columns, and where in a row each of them stands.

/// What a column holds. A file has some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Date,
    StartTime,
    EndDate,
    EndTime,
    StartedAt,
    EndedAt,
    Length,
    Minutes,
    Description,
    Task,
    Project,
    Client,
    Tags,
    Billable,
    Name,
    LastName,
    Email,
    Invoiced,
    Approved,
    Status,
    Permalink,
    TypedText,
    IsTimed,
}

/// Whose export it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportFormat {
    /// The detailed report of Toggl Track.
    Toggl,
    /// The detailed report of Clockify.
    Clockify,
    /// The detailed time report of Harvest.
    Harvest,
    /// What `billops export` writes.
    BillOps,
}

/// Which columns a format has: what each holds, and its names, folded. Of the ones that [`is_needed`] none may be
/// missing. See `tests/data/import/SOURCES.md` for where the names are from.
type Names = &'static [(Column, &'static [&'static str])];

const TOGGL: Names = &[
    (Column::Date, &["startdate"]),
    (Column::Length, &["duration"]),
    (Column::StartTime, &["starttime"]),
    (Column::EndDate, &["enddate", "stopdate"]),
    (Column::EndTime, &["endtime", "stoptime"]),
    (Column::Description, &["description"]),
    (Column::Task, &["task"]),
    (Column::Project, &["project"]),
    (Column::Client, &["client"]),
    (Column::Tags, &["tags"]),
    (Column::Billable, &["billable"]),
    (Column::Name, &["user", "member"]),
    (Column::Email, &["email"]),
];
const CLOCKIFY: Names = &[
    (Column::Date, &["startdate"]),
    // Both say the same; the first is to the second.
    (Column::Length, &["durationh", "durationdecimal"]),
    (Column::StartTime, &["starttime"]),
    (Column::EndDate, &["enddate"]),
    (Column::EndTime, &["endtime"]),
    (Column::Description, &["description"]),
    (Column::Task, &["task"]),
    (Column::Project, &["project"]),
    (Column::Client, &["client"]),
    (Column::Tags, &["tags"]),
    (Column::Billable, &["billable"]),
    (Column::Name, &["user"]),
    (Column::Email, &["email"]),
];
const HARVEST: Names = &[
    (Column::Date, &["date"]),
    (Column::Length, &["hours"]),
    (Column::Task, &["task"]),
    (Column::Description, &["notes"]),
    (Column::Project, &["project"]),
    (Column::Client, &["client"]),
    (Column::StartTime, &["startedat"]),
    (Column::EndTime, &["endedat"]),
    (Column::Billable, &["billable"]),
    (Column::Invoiced, &["invoiced"]),
    (Column::Approved, &["approved"]),
    (Column::Name, &["firstname"]),
    (Column::LastName, &["lastname"]),
];
const BILLOPS: Names = &[
    (Column::Id, &["id"]),
    (Column::Date, &["date"]),
    (Column::Minutes, &["durationminutes"]),
    (Column::Description, &["description"]),
    (Column::StartedAt, &["startedat"]),
    (Column::EndedAt, &["endedat"]),
    (Column::Project, &["project"]),
    (Column::Client, &["client"]),
    (Column::Tags, &["tags"]),
    (Column::Billable, &["billable"]),
    (Column::Status, &["status"]),
    (Column::Permalink, &["permalink"]),
    (Column::TypedText, &["typedtext"]),
    (Column::IsTimed, &["istimed"]),
    (Column::Name, &["person"]),
    (Column::Email, &["slackuserid"]),
];

/// The columns that say which format it is and without which no row is an entry.
const fn is_needed(column: Column) -> bool {
    matches!(
        column,
        Column::Id | Column::Date | Column::Length | Column::Minutes
    )
}

impl ImportFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Toggl, Self::Clockify, Self::Harvest, Self::BillOps];

    /// What people call the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Toggl => "a detailed report of Toggl Track",
            Self::Clockify => "a detailed report of Clockify",
            Self::Harvest => "a detailed time report of Harvest",
            Self::BillOps => "an export of BillOps",
        }
    }

    const fn names(self) -> Names {
        match self {
            Self::Toggl => TOGGL,
            Self::Clockify => CLOCKIFY,
            Self::Harvest => HARVEST,
            Self::BillOps => BILLOPS,
        }
    }
}

/// Where the columns of a file stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    format: ImportFormat,
    count: usize,
    places: Vec<(Column, usize)>,
}

/// A file that is none of the exports that are read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "its first line names no export that BillOps reads. Those are the detailed report of Toggl Track (columns “Start \
     date” and “Duration”), the detailed report of Clockify (“Start Date” and “Duration (h)”), the detailed time report \
     of Harvest (“Date” and “Hours”), each as CSV with English headings, and what “billops export” writes. The line is: \
     {0}"
)]
pub struct UnknownColumns(pub String);

impl Columns {
    /// Whose file it is whose first row is this.
    ///
    /// # Errors
    /// The needed columns of no format are there.
    pub fn of_header<'a>(
        header: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Self, UnknownColumns> {
        let folded: Vec<String> = header.clone().map(fold).collect();
        let found = ImportFormat::ALL
            .into_iter()
            .find_map(|format| Some((format, places(format.names(), &folded)?)));
        let Some((format, places)) = found else {
            let shown: Vec<&str> = header.take(30).collect();
            let shown: String = shown.join(", ").chars().take(300).collect();
            return Err(UnknownColumns(shown));
        };
        Ok(Self {
            format,
            count: folded.len(),
            places,
        })
    }

    /// Whose export it is.
    pub const fn format(&self) -> ImportFormat {
        self.format
    }

    /// How many columns there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Where this column stands, if it is there.
    pub(super) fn place(&self, column: Column) -> Option<usize> {
        let place = self.places.iter().find(|(one, _)| *one == column);
        place.map(|(_, place)| *place)
    }
}

fn places(names: Names, header: &[String]) -> Option<Vec<(Column, usize)>> {
    let mut places = Vec::new();
    for (column, names) in names {
        let place = names
            .iter()
            .find_map(|name| header.iter().position(|cell| cell == name));
        match place {
            Some(place) => places.push((*column, place)),
            None if is_needed(*column) => return None,
            None => {}
        }
    }
    Some(places)
}

/// What is left of a heading when case and what is no letter do not matter: `Duration (h)` is `durationh`.
fn fold(heading: &str) -> String {
    heading
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
