//! Every sentence about a line that was not read.

use chrono::{Datelike, NaiveDate};

use super::{ErrorKind, refusal::LONGEST_DESCRIPTION, stop::Problem};
use crate::domain::minutes::Minutes;

impl Problem {
    /// How a line with this problem failed.
    pub(super) fn kind(self) -> ErrorKind {
        match self {
            Self::HoursOrMinutes { .. }
            | Self::ZeroOfWhat
            | Self::Thousands
            | Self::MinutesOrWords { .. }
            | Self::OneOnOne
            | Self::TwoTimes
            | Self::TwoLengths { .. }
            | Self::EitherDay { .. }
            | Self::DayOrWords
            | Self::VerbOrWords
            | Self::ClockRepeats { .. }
            | Self::NumberAtTheEnd => ErrorKind::Ambiguous,
            Self::LongUnit
            | Self::WrongOrder
            | Self::MinutesDoNotFit { .. }
            | Self::SecondsDoNotFit
            | Self::Zero
            | Self::TooLong { .. }
            | Self::TooManyDigits
            | Self::Negative { .. }
            | Self::NoSuchDay
            | Self::NoSuchMonth
            | Self::OtherWeekday
            | Self::Future { .. }
            | Self::NoLength
            | Self::RangeTooLong { .. }
            | Self::EndFirst
            | Self::Overlap
            | Self::TooManyTimes
            | Self::TimesDiffer { .. }
            | Self::ClockSkips { .. }
            | Self::DescriptionTooLong { .. } => ErrorKind::Refused,
            _ => ErrorKind::NotUnderstood,
        }
    }
}

/// The sentence for the person: how far the line was understood, and why it stopped.
#[expect(clippy::too_many_lines, reason = "one arm for each sentence")]
pub(super) fn sentence(
    problem: Problem,
    understood: Option<&str>,
    stopped_at: Option<&str>,
) -> String {
    let so_far = match (understood, stopped_at) {
        (Some(read), Some(stop)) => format!("I understood “{read}”, then stopped at “{stop}”"),
        (Some(read), None) => format!("I understood “{read}”, then the line ended"),
        (None, Some(stop)) => format!("I stopped at “{stop}”"),
        (None, None) => "I stopped at the beginning".to_owned(),
    };
    match problem {
        Problem::NoTime => "I found no time in this. Put it first.".to_owned(),
        Problem::UnknownUnit { .. } => format!("{so_far}: it is not a unit of time."),
        Problem::NoUnit { .. } => format!("{so_far}: the unit is missing."),
        Problem::UnitFirst => format!("{so_far}: the number comes before its unit."),
        Problem::BareUnit => format!("{so_far}: there is no number before it."),
        Problem::LongUnit => {
            format!("{so_far}: an entry is at most a day, so weeks and longer do not fit.")
        }
        Problem::WrongOrder => format!("{so_far}: units go from long to short, each of them once."),
        Problem::MinutesDoNotFit { total } => {
            let many = stopped_at.map(leading_digits).unwrap_or_default();
            let read = understood.unwrap_or_default();
            let fact = format!("{many} minutes do not fit after “{read}”.");
            match total {
                Some(total) => format!("{fact} Did you mean {total}?"),
                None => fact,
            }
        }
        Problem::SecondsDoNotFit => format!("{so_far}: there are at most 59 seconds in a minute."),
        Problem::Zero => "That rounds to 0 min.".to_owned(),
        Problem::TooLong { length } if length < Minutes::from_hours(10_000) => {
            format!("{length} is more than a day.")
        }
        Problem::TooLong { .. } => "That is more than a day.".to_owned(),
        Problem::TooManyDigits => format!("{so_far}: it has more decimals than I can read."),
        Problem::Negative { .. } => format!("{so_far}: a time cannot be less than nothing."),
        Problem::ForeignDigits => format!("{so_far}: I read the digits 0 to 9 only."),
        Problem::Separators => format!("{so_far}: a number has one point or comma at most."),
        Problem::TimeOfDay => {
            format!("{so_far}: that is a time of day, so I need the other end, too.")
        }
        Problem::SecondTime => {
            format!("{so_far}: that is a second time, and one is enough.")
        }
        Problem::HoursOrMinutes { number } => format!(
            "{number} minutes or {number} hours? Both are possible, so nothing is saved yet."
        ),
        Problem::ZeroOfWhat => {
            "0 minutes and 0 hours are both nothing, so nothing is saved yet.".to_owned()
        }
        Problem::Thousands => {
            format!("{so_far}: the comma can mark thousands or decimals, so nothing is saved yet.")
        }
        Problem::MinutesOrWords { short, long } => format!(
            "{long}, or {short} and “{}” is a part of what you did? Nothing is saved yet.",
            long.get() - short.get()
        ),
        Problem::OneOnOne => format!(
            "“{}” can be a time or a meeting of two. How long was it?",
            stopped_at.unwrap_or("1:1")
        ),
        Problem::TwoTimes => "There are two times in this, so nothing is saved yet.".to_owned(),
        Problem::TwoLengths { .. } => {
            format!("{so_far}. Two lengths, or a time from–to? Nothing is saved yet.")
        }
        Problem::NumberAtTheEnd => match stopped_at {
            Some(number) => format!("Is “{number}” at the end the time? Nothing is saved yet."),
            None => "Is the number at the end the time? Nothing is saved yet.".to_owned(),
        },
        Problem::NoTimeOnDay => match understood {
            Some(day) => format!("I understood “{day}”, but found no time in this."),
            None => "I found no time in this.".to_owned(),
        },
        Problem::NoSuchDay => format!("{so_far}: there is no such day."),
        Problem::NoSuchMonth => format!("{so_far}: there is no such month."),
        Problem::OtherWeekday => format!("{so_far}: that is another day of the week."),
        Problem::Future { date } => format!(
            "{} is in the future. Time is logged up to today.",
            date.format("%a %-d %b")
        ),
        Problem::EitherDay { first, second } => format!(
            "Is {} the {} or the {}?",
            stopped_at.unwrap_or("this"),
            spoken(first),
            spoken(second)
        ),
        Problem::DayOrWords => match stopped_at {
            Some(day) => {
                format!("Is “{day}” the day, or a part of what you did? Nothing is saved yet.")
            }
            None => "Is that the day, or a part of what you did? Nothing is saved yet.".to_owned(),
        },
        Problem::NoLength => "The end is the start, so no time passed.".to_owned(),
        Problem::RangeTooLong { length } => {
            format!("{length} is too long for a time from–to: 16 h are the limit.")
        }
        Problem::EndFirst => {
            "The end is before the start. For a night, type 22:00–02:00.".to_owned()
        }
        Problem::TooManyTimes => format!("{so_far}: 100 times from–to are the limit."),
        Problem::Overlap => format!("{so_far}: it begins before the time in front of it ends."),
        Problem::ClockSkips { date, time } => format!(
            "{} does not exist on {}: the clocks go forward.",
            time.format("%H:%M"),
            date.format("%a %-d %b")
        ),
        Problem::ClockRepeats { date, time } => format!(
            "{} happens twice on {}: the clocks go back. How long was it?",
            time.format("%H:%M"),
            date.format("%a %-d %b")
        ),
        Problem::DescriptionTooLong { characters } => format!(
            "{} characters are the limit; this is {}.",
            grouped(LONGEST_DESCRIPTION),
            grouped(characters)
        ),
        Problem::StandsAlone => format!(
            "{so_far}: “{}” stands alone. To log time, put the time first.",
            understood.unwrap_or_default()
        ),
        Problem::VerbOrWords => format!(
            "Is “{}” what you did, or what I should do? Nothing is saved yet.",
            stopped_at.unwrap_or_default()
        ),
        Problem::ReportWords => format!(
            "{so_far}: a report is of a day, a week or a month, by project, by day or by client, \
             and of one #project."
        ),
        Problem::PeriodWords => {
            format!("{so_far}: behind it stand #project and by project, by day or by client.")
        }
        Problem::ExportWords => {
            format!("{so_far}: an export is of a day, a week, a month, or everything, as csv.")
        }
        Problem::LinkWords => format!("{so_far}: a channel is linked to one #project."),
        Problem::ConnectWords => format!("{so_far}: I can connect google and outlook."),
        Problem::TimesDiffer { length, times } => {
            format!("The times from–to come to {times}, not to {length}.")
        }
        Problem::NothingTyped => "How long was it, or from when to when?".to_owned(),
        Problem::NoTimeHere => format!("{so_far}: it is neither a length nor a time from–to."),
        Problem::NotTheTime => format!("{so_far}: only the time has its place here."),
        Problem::DayElsewhere => format!("{so_far}: the day has a field of its own."),
        Problem::Unreadable => format!("{so_far}."),
    }
}

/// `3rd of November`.
fn spoken(date: NaiveDate) -> String {
    let ending = match date.day() {
        1 | 21 | 31 => "st",
        2 | 22 => "nd",
        3 | 23 => "rd",
        _ => "th",
    };
    format!("{}{ending} of {}", date.day(), date.format("%B"))
}

fn leading_digits(word: &str) -> &str {
    let end = word.find(|c: char| !c.is_ascii_digit());
    &word[..end.unwrap_or(word.len())]
}

/// A number with commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
