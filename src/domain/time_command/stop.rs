//! Where the grammar stops, and why.

use chrono::{NaiveDate, NaiveTime};
use nom::{Err, IResult};

use crate::domain::minutes::Minutes;

/// What a parser of the grammar gives back.
pub(super) type Parsed<'a, T> = IResult<&'a str, T, Stop<'a>>;

/// Where and why a parser stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stop<'a> {
    /// The rest of the line from where it stopped.
    pub(super) at: &'a str,
    /// The rest of the line behind what it stopped at: the description, if the time were right.
    pub(super) after: &'a str,
    pub(super) problem: Problem,
}

impl<'a> Stop<'a> {
    /// Stops at a place, in front of everything that follows.
    pub(super) fn here(at: &'a str, problem: Problem) -> Self {
        Self::before(at, at, problem)
    }

    /// Stops at a place, and knows where the time expression would have ended.
    pub(super) fn before(at: &'a str, after: &'a str, problem: Problem) -> Self {
        Self { at, after, problem }
    }

    /// The stop in an error of a parser.
    pub(super) fn from_nom(error: &Err<Self>, input: &'a str) -> Self {
        match error {
            Err::Error(stop) | Err::Failure(stop) => *stop,
            Err::Incomplete(_) => Self::here(input, Problem::NoTime),
        }
    }

    /// A stop that no other reading can save.
    pub(super) fn for_good<T>(self) -> Result<T, Err<Self>> {
        Err(Err::Failure(self))
    }
}

impl<'a> nom::error::ParseError<&'a str> for Stop<'a> {
    fn from_error_kind(input: &'a str, _: nom::error::ErrorKind) -> Self {
        Self::here(input, Problem::NoTime)
    }

    fn append(_: &'a str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

/// What can be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NoTime,
    UnknownUnit { reading: Option<Minutes> },
    NoUnit { reading: Option<Minutes> },
    UnitFirst,
    BareUnit,
    LongUnit,
    WrongOrder,
    MinutesDoNotFit { total: Option<Minutes> },
    SecondsDoNotFit,
    Zero,
    TooLong { length: Minutes },
    TooManyDigits,
    Negative { reading: Option<Minutes> },
    ForeignDigits,
    Separators,
    TimeOfDay,
    SecondTime,
    HoursOrMinutes { number: u32 },
    ZeroOfWhat,
    Thousands,
    MinutesOrWords { short: Minutes, long: Minutes },
    OneOnOne,
    TwoTimes,
    TwoLengths { first: Minutes, second: Minutes },
    NumberAtTheEnd,
    DescriptionTooLong { characters: usize },
    Unreadable,
    NoTimeOnDay,
    NoSuchDay,
    NoSuchMonth,
    OtherWeekday,
    Future { date: NaiveDate },
    EitherDay { first: NaiveDate, second: NaiveDate },
    DayOrWords,
    NoLength,
    RangeTooLong { length: Minutes },
    EndFirst,
    TooManyTimes,
    Overlap,
    ClockSkips { date: NaiveDate, time: NaiveTime },
    ClockRepeats { date: NaiveDate, time: NaiveTime },
    StandsAlone,
    VerbOrWords,
    ReportWords,
    PeriodWords,
    ExportWords,
    LinkWords,
    ConnectWords,
    NothingTyped,
    NoTimeHere,
    NotTheTime,
    DayElsewhere,
    TimesDiffer { length: Minutes, times: Minutes },
}

impl Problem {
    /// Whether the words may simply be a description whose time stands at the end:
    /// `3D modelling 2h`.
    pub(super) fn may_be_words(self) -> bool {
        matches!(
            self,
            Self::NoTime
                | Self::UnknownUnit { .. }
                | Self::NoUnit { .. }
                | Self::UnitFirst
                | Self::BareUnit
                | Self::ForeignDigits
                | Self::OneOnOne
                | Self::Separators
                | Self::Unreadable
        )
    }
}
