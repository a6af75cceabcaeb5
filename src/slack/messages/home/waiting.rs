//! Meetings that wait to be logged. Many of them are folded by day: one day is open, the others are a line each.

use chrono::NaiveDate;
use slack_morphism::prelude::SlackBlock;

use super::{Green, id, named_day, place};
use crate::{
    app::{Home, Waiting},
    domain::{calendar_event::SkipReason, period::Period},
    slack::{
        messages::{
            Button, actions,
            calendars::connect_buttons,
            context,
            rows::{asked_before_logging, meeting_row, meetings, question, several, total},
            section, with_button,
        },
        text::{cut, long_day, plain, short_day},
    },
};

/// So many are shown as they are; more are folded.
const UNFOLDED_MAX: usize = 8;
/// Rows of the open day: at first, when all of them are asked for, and beside all the older days. Slack takes 100
/// blocks, and a row is two.
const ROWS_SHOWN: usize = 12;
const ROWS_ALL: usize = 22;
const ROWS_BESIDE_OLDER: usize = 8;
/// Days that are listed at first.
const DAYS_SHOWN: usize = 20;
/// Events left out that are named; more are counted.
const LEFT_OUT_SHOWN: usize = 5;

const HEAD: &str = "*Waiting to be logged*";

pub(super) fn blocks(home: &Home, green: Green) -> Vec<SlackBlock> {
    if home.accounts.is_empty() {
        return vec![
            section(
                id("waiting"),
                format!(
                    "{HEAD}\nNo calendar is connected yet. Connect one, and meetings wait here to be logged with one \
                     click."
                ),
            ),
            actions(
                id("calendars.connect"),
                connect_buttons(&home.offered, false),
            ),
        ];
    }
    let days = by_day(home);
    let mut blocks = match home.waiting.len() {
        0 => vec![section(
            id("waiting"),
            format!("{HEAD}\nNothing. Meetings appear here when they end."),
        )],
        1..=UNFOLDED_MAX => unfolded(home, &days, green),
        _ => folded(home, &days, green),
    };
    blocks.extend(left_out(home));
    blocks
}

type Day<'a> = (NaiveDate, Vec<&'a Waiting>);

/// The newest day first, and in a day the earliest first.
fn by_day(home: &Home) -> Vec<Day<'_>> {
    let mut all: Vec<&Waiting> = home.waiting.iter().collect();
    all.sort_by_key(|one| (one.meeting.start, one.meeting.id));
    let mut days: Vec<Day<'_>> = Vec::new();
    for one in all {
        let day = one.day(home.zone);
        match days.last_mut() {
            Some((last, rows)) if *last == day => rows.push(one),
            _ => days.push((day, vec![one])),
        }
    }
    days.reverse();
    days
}

fn unfolded(home: &Home, days: &[Day<'_>], green: Green) -> Vec<SlackBlock> {
    let mut blocks = vec![match home.waiting.len() {
        1 => section(id("waiting"), HEAD.to_owned()),
        count => {
            let all = log_all(home);
            let is_green = green == Green::LogAll;
            with_button(
                id("waiting"),
                format!("{HEAD} · {}, {}", meetings(count), total(&home.waiting)),
                if is_green { all.primary() } else { all },
            )
        }
    }];
    for (day, rows) in days {
        let name = named_day(*day, home.today);
        blocks.push(context(id(&format!("waiting:{day}")), name));
        blocks.extend(rows.iter().flat_map(|one| meeting_row(place(home), one)));
    }
    blocks
}

fn log_all(home: &Home) -> Button {
    let (count, length) = (home.waiting.len(), total(&home.waiting));
    let mut all = Button::new(
        "event.log_all",
        format!("Log all {count}"),
        several(home.now, home.waiting.iter(), ""),
        &format!("Log all {count} meetings, {length}"),
    );
    let waiting: Vec<&Waiting> = home.waiting.iter().collect();
    all.confirm = asked_before_logging(&waiting, by_day(home).len());
    all
}

/// *Skip all before this week*, where something waits from before.
fn skip_before(home: &Home) -> Option<Button> {
    let monday = Period::week(home.today).from;
    let old = || {
        let waiting = home.waiting.iter();
        waiting.filter(|one| one.day(home.zone) < monday)
    };
    let count = old().count();
    if count == 0 {
        return None;
    }
    let mut skip = Button::new(
        "event.skip_before",
        "Skip all before this week",
        several(home.now, old(), &format!("d:{monday} ")),
        &format!(
            "Skip all before this week: {} before {}",
            meetings(count),
            long_day(monday)
        ),
    );
    skip.confirm = Some(question(
        &format!("Skip {}?", meetings(count)),
        &format!(
            "Everything before {} leaves this list. Nothing is deleted, and you can undo it as one step.",
            short_day(monday, home.today)
        ),
        &format!("Skip {count}"),
    ));
    Some(skip)
}

fn folded(home: &Home, days: &[Day<'_>], green: Green) -> Vec<SlackBlock> {
    let (count, length) = (home.waiting.len(), total(&home.waiting));
    let since = days.last().map_or(home.today, |(day, _)| *day);
    let since = short_day(since, home.today);
    let mut buttons = vec![log_all(home)];
    buttons.extend(skip_before(home));
    let mut blocks = vec![
        section(
            id("waiting"),
            format!("{HEAD} · {}, {length}, since {since}", meetings(count)),
        ),
        actions(id("waiting.actions"), buttons),
    ];
    let shown = home.unfolded;
    let open = shown
        .open
        .and_then(|day| days.iter().find(|(one, _)| *one == day))
        .or(days.first());
    let Some((open, rows)) = open else {
        return blocks;
    };
    // The open day first, as the newest one is from the start: what was opened is not to be searched for.
    blocks.extend(open_day(home, *open, rows, green));
    let others: Vec<&Day<'_>> = days.iter().filter(|(day, _)| day != open).collect();
    if shown.all && rows.len() > ROWS_SHOWN {
        if !others.is_empty() {
            let rest = count - rows.len();
            let fold = show(&format!("d:{open}"), "Show the other days");
            let text = format!("{} on other days", meetings(rest));
            blocks.push(with_button(id("waiting.others"), text, fold));
        }
        return blocks;
    }
    if !others.is_empty() {
        let other = if days.first().is_some_and(|(day, _)| day == open) {
            "Earlier days"
        } else {
            "Other days"
        };
        blocks.push(context(id("waiting.earlier"), other.to_owned()));
    }
    let listed = if shown.older {
        others.len()
    } else {
        DAYS_SHOWN - 1
    };
    for (day, rows) in others.iter().take(listed) {
        let length = total(rows.iter().copied());
        let spoken = format!("Show the {} of {}", meetings(rows.len()), long_day(*day));
        let text = format!(
            "{} · {}, {length}",
            named_day(*day, home.today),
            meetings(rows.len())
        );
        let show = show(&format!("d:{day}"), &spoken);
        blocks.push(with_button(id(&format!("waiting:{day}")), text, show));
    }
    if others.len() > listed {
        let rest: usize = others[listed..].iter().map(|(_, rows)| rows.len()).sum();
        let before = short_day(others[listed - 1].0, home.today);
        let show = show("older", "Show the days before");
        blocks.push(with_button(
            id("waiting.older"),
            format!("{rest} more before {before}"),
            show,
        ));
    }
    blocks
}

fn show(value: &str, spoken: &str) -> Button {
    Button::new("waiting.show", "Show", value, spoken)
}

fn open_day(home: &Home, day: NaiveDate, rows: &[&Waiting], green: Green) -> Vec<SlackBlock> {
    let count = rows.len();
    let head = format!(
        "*{}* · {}, {}",
        named_day(day, home.today),
        meetings(count),
        total(rows.iter().copied())
    );
    let block_id = id(&format!("waiting:{day}"));
    let mut blocks = vec![if count > 1 {
        let these = Button::new(
            "event.log_day",
            format!("Log these {count}"),
            several(home.now, rows.iter().copied(), &format!("d:{day} ")),
            &format!("Log these {count} meetings of {}", long_day(day)),
        );
        let is_green = green == Green::LogAll;
        with_button(
            block_id,
            head,
            if is_green { these.primary() } else { these },
        )
    } else {
        section(block_id, head)
    }];
    let shown = match home.unfolded {
        unfolded if unfolded.all => ROWS_ALL,
        unfolded if unfolded.older => ROWS_BESIDE_OLDER,
        _ => ROWS_SHOWN,
    };
    blocks.extend(
        rows.iter()
            .take(shown)
            .flat_map(|one| meeting_row(place(home), one)),
    );
    let more = count.saturating_sub(shown);
    if more > 0 {
        let text = format!("and {more} more on this day");
        blocks.push(if home.unfolded.all {
            context(id("waiting.more"), text)
        } else {
            let spoken = format!("Show all {} of {}", meetings(count), long_day(day));
            let show = Button::new("waiting.show", "Show all", format!("d:{day} all"), &spoken);
            with_button(id("waiting.more"), text, show)
        });
    }
    blocks
}

/// `Left out today: Company day (all-day), Sales sync (you declined)`.
fn left_out(home: &Home) -> Option<SlackBlock> {
    if home.left_out.is_empty() {
        return None;
    }
    let why = |reason| match reason {
        Some(SkipReason::AllDay) => "all-day",
        Some(SkipReason::Declined) => "you declined",
        Some(SkipReason::Free) => "shown as free",
        Some(SkipReason::OutOfOffice) => "out of office",
        Some(SkipReason::Cancelled) => "cancelled",
        Some(SkipReason::Private) => "private",
        Some(SkipReason::Tentative) => "not accepted yet",
        Some(SkipReason::TooLong) => "longer than a day",
        _ => "left out",
    };
    let named = home.left_out.iter().take(LEFT_OUT_SHOWN);
    let mut named: Vec<String> = named
        .map(|event| {
            let title = plain(&cut(&event.title, 60));
            format!("{title} ({})", why(event.skip_reason))
        })
        .collect();
    let more = home.left_out.len().saturating_sub(LEFT_OUT_SHOWN);
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    let text = format!("Left out today: {}", named.join(", "));
    Some(context(id("waiting.skipped"), text))
}
