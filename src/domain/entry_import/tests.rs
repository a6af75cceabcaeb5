use chrono_tz::{Europe::Berlin, Tz};

use super::*;

const TOGGL: &str = "Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags";

fn columns(header: &str) -> Columns {
    Columns::of_header(header.split(',')).unwrap()
}

fn read_in(header: &str, row: &str, order: DateOrder, zone: Tz) -> Result<ImportedRow, String> {
    let columns = columns(header);
    let cells: Vec<&str> = row.split('|').collect();
    let row = Row::new(&columns, &cells).read(order, zone);
    row.map_err(|problem| problem.to_string())
}

/// A row of Toggl with this date, start, end date, end and length.
fn toggl(when: &str) -> Result<ImportedRow, String> {
    let row = format!("nina@tern.example|Acme|Web||Words|Yes|{when}|");
    read_in(TOGGL, &row, DateOrder::DayFirst, Berlin)
}

fn span(row: &ImportedRow) -> String {
    row.span.map_or_else(
        || "none".to_owned(),
        |(start, end)| {
            let shown = |at: DateTime<Utc>| at.format("%dT%H:%M:%S").to_string();
            format!("{}–{}", shown(start), shown(end))
        },
    )
}

#[test]
fn the_columns_say_whose_file_it_is() {
    for (header, format) in [
        (TOGGL, ImportFormat::Toggl),
        (
            "Member,Email,Start date,Start time,Stop date,Stop time,Duration",
            ImportFormat::Toggl,
        ),
        (
            "Project,Start Date,Start Time,Duration (h),Duration (decimal)",
            ImportFormat::Clockify,
        ),
        ("Start Date,Duration (decimal)", ImportFormat::Clockify),
        (
            "Date,Client,Project,Task,Notes,Hours,Hours Rounded",
            ImportFormat::Harvest,
        ),
        ("id,date,duration_minutes,started_at", ImportFormat::BillOps),
    ] {
        assert_eq!(columns(header).format(), format, "{header}");
    }
    for header in [
        "",
        "a,b,c",
        "Date,Notes",
        "Start date,Project",
        "Datum,Kunde,Stunden",
    ] {
        let unknown = Columns::of_header(header.split(','));
        let said = unknown.unwrap_err().to_string();
        assert!(said.contains("“Hours”"), "{said}");
    }
}

#[test]
fn a_row_is_what_it_says_to_the_minute() {
    let row = toggl("2026-09-01|09:00:20|2026-09-01|09:49:01|00:48:41").unwrap();
    assert_eq!((row.seconds, row.minutes()), (2_921, Minutes::new(49)));
    assert_eq!(span(&row), "01T07:00:00–01T07:49:00");
    assert_eq!(
        (row.billable, row.status),
        (Some(true), EntryStatus::Pending)
    );
    assert_eq!(row.project.as_deref(), Some("Web"));
    assert_eq!(row.client.as_deref(), Some("Acme"));
    let row = toggl("2026-09-01|09:00:00|2026-09-01|09:00:10|00:00:10").unwrap();
    assert_eq!(row.minutes(), Minutes::new(1), "never none");
    assert_eq!(span(&row), "01T07:00:00–01T07:01:00");
}

#[test]
fn beginning_end_and_length_have_to_fit() {
    for (when, expected) in [
        (
            "2026-09-01|09:00|2026-09-01|10:00|",
            "01T07:00:00–01T08:00:00",
        ),
        // Over midnight, said or not.
        (
            "2026-09-01|23:30|2026-09-02|00:30|1:00",
            "01T21:30:00–01T22:30:00",
        ),
        ("2026-09-01|23:30||00:30|", "01T21:30:00–01T22:30:00"),
        // With a break of an hour: both stay.
        (
            "2026-09-01|09:00|2026-09-01|12:00|2:00",
            "01T07:00:00–01T10:00:00",
        ),
        // As Toggl's own import takes it: no end.
        ("2026-09-01|09:00|||2:00", "01T07:00:00–01T09:00:00"),
        ("2026-09-01||||2:00", "none"),
        // The clocks go back at 03:00 and forward at 02:00.
        (
            "2026-10-25|01:30|2026-10-25|03:30|3:00",
            "24T23:30:00–25T02:30:00",
        ),
        (
            "2026-10-25|01:30|2026-10-25|03:30|2:00",
            "24T23:30:00–25T01:30:00",
        ),
        (
            "2026-03-29|01:30|2026-03-29|03:30|1:00",
            "29T00:30:00–29T01:30:00",
        ),
        (
            "2026-03-29|02:30|2026-03-29|03:30|1:00",
            "29T01:30:00–29T02:30:00",
        ),
    ] {
        assert_eq!(span(&toggl(when).unwrap()), expected, "{when}");
    }
    for (when, problem) in [
        (
            "2026-09-01|10:00|2026-09-01|09:00|",
            "its end is before its beginning",
        ),
        (
            "2026-09-01|10:00|2026-09-01|09:00|1:00",
            "its end is before its beginning",
        ),
        (
            "2026-09-01|09:00|2026-09-01|10:00|2:00",
            "longer than the time from its beginning",
        ),
        // What reads as hours and minutes was minutes and seconds.
        (
            "2026-09-01|09:00|2026-09-01|09:05|05:30",
            "longer than the time from its beginning",
        ),
        ("2026-09-01|||10:00|", "its length is 0"),
        (
            "2026-09-01|09:00|2026-09-01|09:00|00:00:00",
            "its length is 0",
        ),
        ("2026-09-01||||24:01", "longer than 24 hours"),
        ("2026-09-01||||9999:59:59", "longer than 24 hours"),
        ("1 Sep|09:00|||1:00", "“1 Sep” is no date"),
        ("2026-09-01|9|||1:00", "“9” is no time of day"),
        ("2026-09-01||||an hour", "“an hour” is no length"),
        (
            "09/13/2026||||1:00",
            "“09/13/2026” cannot be read in the order",
        ),
    ] {
        let said = toggl(when).unwrap_err();
        assert!(said.contains(problem), "{when}: {said}");
    }
}

#[test]
fn all_dates_of_a_file_together_say_their_order() {
    let order = |dates: &[&str]| {
        let columns = columns("Date,Hours");
        let mut evidence = DateEvidence::default();
        for date in dates {
            evidence.add(&Row::new(&columns, &[date, "1"]));
        }
        (evidence.order(), evidence.ambiguous().map(str::to_owned))
    };
    let (day, month) = (Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst));
    assert_eq!(order(&["3/4/2026", "13/4/2026"]), (day, None));
    assert_eq!(order(&["3/4/2026", "4/13/2026"]), (month, None));
    assert_eq!(
        order(&["3/4/2026", "4/3/2026"]),
        (None, Some("3/4/2026".to_owned()))
    );
    assert_eq!(order(&["13/4/2026", "4/13/2026"]), (None, None));
    // Nothing hangs on it.
    assert_eq!(
        order(&["4/4/2026", "2026-03-04", "31.12.2026"]),
        (day, None)
    );
    assert_eq!(order(&["words", ""]), (day, None));
}

#[test]
fn tasks_and_tags_become_tags_and_an_empty_description_is_the_task() {
    let read = |project: &str, task: &str, said: &str, tags: &str| {
        let row = format!("a@b.example||{project}|{task}|{said}||2026-09-01||||1:00|{tags}");
        read_in(TOGGL, &row, DateOrder::DayFirst, Berlin).unwrap()
    };
    let row = read(
        "Web",
        "Design review",
        "Words",
        "on site, web, 2nd, order:2,web",
    );
    assert_eq!(row.tags, ["on-site", "web", "order-2", "design-review"]);
    assert_eq!(row.lost_tags, ["2nd"]);
    assert_eq!(row.description, "Words");
    let row = read("Web", "Design review", "", "");
    assert_eq!((&*row.description, row.tags.len()), ("Design review", 0));
    assert_eq!(read("Web", "", "", "").description, "Web");
    assert_eq!(read("", "", "", "").description, "No description");
    assert_eq!(read("", "", "", "").billable, None);
}

#[test]
fn what_is_invoiced_in_harvest_is_billed_here() {
    let header =
        "Date,Client,Project,Task,Notes,Hours,Billable?,Invoiced?,Approved?,First Name,Last Name";
    let status = |flags: &str| {
        let row = format!("2026-09-01|Acme||Design||1,5|{flags}|Nina|Berg");
        read_in(header, &row, DateOrder::DayFirst, Berlin).map(|row| (row.status, row.project))
    };
    let client = Some("Acme".to_owned());
    for (flags, expected) in [
        ("Yes|Yes|Yes", EntryStatus::Billed),
        ("Yes|No|Yes", EntryStatus::Approved),
        ("Yes|No|No", EntryStatus::Pending),
        ("||", EntryStatus::Pending),
    ] {
        // A client without a project is one of its own.
        assert_eq!(status(flags), Ok((expected, client.clone())), "{flags}");
    }
    assert!(
        status("Yes|perhaps|No")
            .unwrap_err()
            .contains("“perhaps” is no yes or no")
    );
    assert!(
        status("Often|No|No")
            .unwrap_err()
            .contains("“Often” is no yes or no")
    );
}

#[test]
fn what_billops_made_harmless_is_what_it_was() {
    let header = "id,date,duration_minutes,started_at,ended_at,description,tags,status,typed_text,person,slack_user_id";
    let id = "01990000-0000-7000-8000-000000000001";
    let read = |rest: &str| {
        let row = format!("{id}|2026-09-01|{rest}|'@nina|U1");
        read_in(header, &row, DateOrder::DayFirst, Berlin)
    };
    let row = read("90|2026-09-01T08:00:00Z|2026-09-01T10:00:00Z|'=1+1|a b|rejected|''-1").unwrap();
    assert_eq!(row.description, "=1+1");
    assert_eq!(row.typed_text.as_deref(), Some("'-1"));
    assert_eq!(row.tags, ["a", "b"]);
    assert_eq!((row.seconds, row.status), (5_400, EntryStatus::Rejected));
    assert_eq!(span(&row), "01T08:00:00–01T10:00:00");
    assert_eq!(row.id.map(|id| id.to_string()).as_deref(), Some(id));
    // An apostrophe of its own stays.
    assert_eq!(read("90|||'quoted'|||").unwrap().description, "'quoted'");
    for (rest, problem) in [
        ("1.5|||x|||", "no number of minutes"),
        ("4294967295|||x|||", "no number of minutes"),
        ("71582788|||x|||", "longer than 24 hours"),
        (
            "90|0000-01-01T00:00:00+23:59|9999-12-31T23:59:59-23:59|x|||",
            "moment of its day",
        ),
        (
            "90|2026-09-01T08:00:00Z|2026-09-02T08:00:01Z|x|||",
            "longer than 24 hours",
        ),
        (
            "90|2026-09-01T08:00:00Z|2026-09-01T08:00:00Z|x|||",
            "its end is before",
        ),
        (
            "90|2026-09-01T08:00:00Z|2026-09-01T09:00:00Z|x|||",
            "longer than the time",
        ),
        ("90|yesterday||x|||", "no moment"),
        ("90|||x||done|", "no status"),
    ] {
        assert!(read(rest).unwrap_err().contains(problem), "{rest}");
    }
    let nil = "00000000-0000-0000-0000-000000000000|2026-09-01|90|||x||||@nina|U1";
    let nil = read_in(header, nil, DateOrder::DayFirst, Berlin).unwrap_err();
    assert!(nil.contains("no id of BillOps"), "{nil}");
    let elsewhere = toggl("2026-09-01||||1:00").unwrap();
    assert_eq!(elsewhere.id, None);
}

#[test]
fn rows_that_do_not_fit_their_columns_are_problems() {
    let long = "x".repeat(3_001);
    for (row, problem) in [
        ("2026-09-01|||||1:00|Ada||one|more", "more cells"),
        (
            &format!("2026-09-01||||{long}|1:00|Ada|"),
            "longer than 3,000",
        ),
        ("2026-09-01||||a\u{7}b|1:00|Ada|", "control characters"),
        ("2026-09-01", "its length is 0"),
    ] {
        let header = "Date,Client,Project,Task,Notes,Hours,First Name,Last Name";
        let said = read_in(header, row, DateOrder::DayFirst, Berlin).unwrap_err();
        assert!(said.contains(problem), "{said}");
    }
}

proptest::proptest! {
    #[test]
    fn no_cell_makes_the_reader_panic(cells in proptest::collection::vec(".{0,20}|[0-9:/. -]{0,12}", 0..14)) {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        for header in [TOGGL, "id,date,duration_minutes,started_at,ended_at", "Date,Hours,Started At,Ended At"] {
            let columns = columns(header);
            let row = Row::new(&columns, &cells);
            let _ = row.author();
            DateEvidence::default().add(&row);
            for zone in [Berlin, Tz::Pacific__Apia] {
                let _ = row.read(DateOrder::MonthFirst, zone);
            }
        }
    }
}
