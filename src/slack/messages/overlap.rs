//! Time that is counted twice.

use chrono::{DateTime, Utc};

use super::{Button, Parts, Reader, entry_value, section};
use crate::{
    app::merged,
    domain::{minutes::Minutes, time_entry::TimeEntry},
    slack::text::{cut, plain, span_of},
};

/// From so much shared time on a person is warned of an entry that was placed by its length alone.
const WORTH_SAYING: Minutes = Minutes::new(15);

/// The warning that time is counted twice, and the way to count it once.
pub(super) fn overlap(reader: Reader<'_>, entry: &TimeEntry, overlaps: &[TimeEntry]) -> Parts {
    let (Some(first), Some((start, end))) =
        (overlaps.first(), entry.started_at.zip(entry.ended_at))
    else {
        return Parts::default();
    };
    let twice = counted_twice(entry, (start, end), overlaps);
    // One that only a length was given for was placed there; a few minutes of it may as well be somewhere else.
    if !entry.is_timed && twice < WORTH_SAYING {
        return Parts::default();
    }
    let title = cut(&first.description.replace('\n', " "), 60);
    // Said on the card of an entry, whose day is named there.
    let said = |times| span_of(times, entry.date, reader.zone());
    let times = first.started_at.zip(first.ended_at);
    let times = times.map_or(String::new(), said);
    let more = match overlaps.len() - 1 {
        0 => String::new(),
        // So many were looked for.
        3.. => " and more".to_owned(),
        more => format!(" and {more} more"),
    };
    // Not where one of them would lose its project by it.
    let is_alike = overlaps.len() == 1 && !first.is_settled() && first.project == entry.project;
    let merge = merged(first, entry).filter(|_| is_alike);
    let result = merge.map(|fields| {
        let times = fields.span.map_or(String::new(), said);
        format!(
            "Merged, the two become one entry: {times}, {}.",
            fields.duration
        )
    });
    let tail = result
        .as_deref()
        .map_or(String::new(), |result| format!(" {result}"));
    let (verb, comma) = if overlaps.len() == 1 {
        ("was", ",")
    } else {
        ("were", "")
    };
    let shown = format!(
        "⚠️ *{twice} {counted} counted twice.* {}, {times}{comma}{more} {verb} already logged.{tail}",
        plain(&title),
        counted = "is",
    );
    let says = format!(
        "Warning: {twice} is counted twice, because {title}, {times}{comma}{more} {verb} already logged.{tail} "
    );
    let buttons = result.map(|_| {
        Button::new(
            "entry.merge",
            "Merge the two",
            format!("{} {}", entry_value(entry), entry_value(first)),
            &format!(
                "Merge the two: {} and {}",
                cut(&entry.description, 24),
                cut(&title, 24)
            ),
        )
    });
    Parts {
        says,
        warning: Some(section(reader.id("card.overlap"), shown)),
        buttons: buttons.into_iter().collect(),
        ..Parts::default()
    }
}

/// How much of an entry others cover, each minute once and no more than it has itself.
fn counted_twice(
    entry: &TimeEntry,
    (start, end): (DateTime<Utc>, DateTime<Utc>),
    overlaps: &[TimeEntry],
) -> Minutes {
    let mut covered = 0;
    let mut until = start;
    // The earliest first.
    for (from, to) in overlaps
        .iter()
        .filter_map(|other| other.started_at.zip(other.ended_at))
    {
        let (from, to) = (from.max(until), to.min(end));
        covered += (to - from).num_minutes().max(0);
        until = until.max(to);
    }
    let longest = overlaps
        .iter()
        .map(|other| other.duration_minutes)
        .sum::<Minutes>();
    let covered = Minutes::new(u32::try_from(covered).unwrap_or(0));
    covered.min(entry.duration_minutes).min(longest)
}
