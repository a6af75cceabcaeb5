//! What a person has decided about BillOps: when it writes, about what, what their day is, which meetings count.

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use uuid::Uuid;

use super::{calendar_event::Wishes, minutes::Minutes, time_command::BareNumberUnit};

/// A person's preferences. Each workspace has its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a box that is ticked by itself"
)]
pub struct Preferences {
    /// One message at the end of the day.
    pub daily_summary: bool,
    /// When it comes, to the minute, in the person's zone.
    pub daily_summary_time: NaiveTime,
    /// On which days.
    pub summary_days: Days,
    /// Whether it stays away when the day is complete or off.
    pub silent_when_done: bool,
    /// On Monday, what was missing last week.
    pub monday: bool,
    /// A message when a meeting has ended that is not logged yet.
    pub after_meeting: bool,
    /// A message when an entry is made elsewhere, by a rule or the API.
    pub entry_notifications: bool,
    /// A message when an invoice is ready.
    pub invoice_notifications: bool,
    /// The zone to reckon in, wherever the person is; `None` follows Slack.
    pub time_zone: Option<Tz>,
    /// When their working day begins, to the minute.
    pub workday_start: NaiveTime,
    /// What a full day is; 0 is no target.
    pub target_per_day: Minutes,
    /// The project where none is named; `None` is the last one used in the channel.
    pub default_project_id: Option<Uuid>,
    /// Which meetings are suggested.
    pub wishes: Wishes,
    /// How a number without a unit is read.
    pub bare_number_unit: BareNumberUnit,
}

impl Default for Preferences {
    fn default() -> Self {
        let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        Self {
            daily_summary: true,
            daily_summary_time: time(17, 30),
            summary_days: Days::WORKDAYS,
            silent_when_done: true,
            monday: false,
            after_meeting: false,
            entry_notifications: true,
            invoice_notifications: true,
            time_zone: None,
            workday_start: time(9, 0),
            target_per_day: Minutes::new(8 * 60),
            default_project_id: None,
            wishes: Wishes::default(),
            bare_number_unit: BareNumberUnit::Guess,
        }
    }
}

/// Days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(u8);

impl Days {
    /// Monday to Friday.
    pub const WORKDAYS: Self = Self(0b001_1111);

    /// These days, by number: Monday is 1, Sunday 7. `None` if one is no day.
    pub fn from_numbers(numbers: impl IntoIterator<Item = u8>) -> Option<Self> {
        let mut days = Self(0);
        for number in numbers {
            if !(1..=7).contains(&number) {
                return None;
            }
            days.0 |= 1 << (number - 1);
        }
        Some(days)
    }

    /// The days by number, in their order: Monday is 1, Sunday 7.
    pub fn numbers(self) -> impl Iterator<Item = u8> {
        (1..=7).filter(move |number| self.0 & (1 << (number - 1)) != 0)
    }

    /// Whether the day is one of them.
    pub fn contains(self, day: Weekday) -> bool {
        self.0 & (1 << day.num_days_from_monday()) != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// As it is stored: the lowest bit is Monday.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The other way round; `None` for anything else.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits < 0b1000_0000 {
            Some(Self(bits))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_numbered_from_monday() {
        let days = Days::from_numbers([7, 1, 1]).unwrap();
        assert_eq!(days.numbers().collect::<Vec<_>>(), [1, 7]);
        assert!(days.contains(Weekday::Sun) && !days.contains(Weekday::Tue));
        assert_eq!(Days::from_bits(days.bits()), Some(days));
        assert_eq!(
            (Days::from_numbers([0]), Days::from_numbers([8])),
            (None, None)
        );
        assert_eq!(Days::from_bits(128), None);
        assert_eq!(
            Days::WORKDAYS.numbers().collect::<Vec<_>>(),
            [1, 2, 3, 4, 5]
        );
    }
}
