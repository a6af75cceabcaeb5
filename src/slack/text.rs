//! How durations, days, times and people's words are written in Slack.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::domain::{minutes::Minutes, time_entry::TimeEntry};

/// Cells of a bar.
const CELLS: u32 = 8;

/// People's words inside `mrkdwn`: nothing in them is markup, a link or a mention. Line breaks become spaces.
pub(super) fn plain(text: &str) -> String {
    plain_within(text, usize::MAX)
}

/// The same in at most `limit` characters as Slack counts them, which is after escaping; cut with an ellipsis.
pub(super) fn plain_within(text: &str, limit: usize) -> String {
    fitted(text, limit, push_plain)
}

/// People's words where Slack reads mentions and links but draws no formatting: the `text` of a message.
pub(super) fn escaped_within(text: &str, limit: usize) -> String {
    fitted(text, limit, push_escaped)
}

/// The words again that [`escaped_within`] escaped.
pub(super) fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&amp;", "&")
}

/// One sign of people's words inside `mrkdwn`.
pub(super) fn push_plain(c: char, to: &mut String) {
    match c {
        // A word joiner in front keeps Slack from taking the sign for formatting.
        '*' | '_' | '~' | '`' => to.extend(['\u{2060}', c]),
        '\n' | '\r' => to.push(' '),
        c => push_escaped(c, to),
    }
}

fn push_escaped(c: char, to: &mut String) {
    match c {
        '&' => to.push_str("&amp;"),
        '<' => to.push_str("&lt;"),
        '>' => to.push_str("&gt;"),
        c => to.push(c),
    }
}

fn fitted(text: &str, limit: usize, push: fn(char, &mut String)) -> String {
    let mut fitted = String::with_capacity(text.len() + 8);
    let (mut length, mut room_for_ellipsis) = (0, 0);
    for c in text.chars() {
        let before = fitted.len();
        push(c, &mut fitted);
        length += fitted[before..].chars().count();
        if length > limit {
            fitted.truncate(room_for_ellipsis);
            fitted.push('…');
            return fitted;
        }
        if length < limit {
            room_for_ellipsis = fitted.len();
        }
    }
    fitted
}

/// At most `limit` characters, cut with an ellipsis.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// `Fri 20 Nov`, with the year when it is not the one of `today`.
pub(super) fn short_day(day: NaiveDate, today: NaiveDate) -> String {
    if day.year() == today.year() {
        day.format("%a %-d %b").to_string()
    } else {
        day.format("%a %-d %b %Y").to_string()
    }
}

/// `16–20 Nov`, `30 Nov–4 Dec`, with the years when they are not the one of `today`.
pub(super) fn days(from: NaiveDate, to: NaiveDate, today: NaiveDate) -> String {
    if from == to {
        return short_day(from, today);
    }
    let start = match (from.year() == to.year(), from.month() == to.month()) {
        (true, true) => from.format("%-d"),
        (true, false) => from.format("%-d %b"),
        (false, _) => from.format("%-d %b %Y"),
    };
    let end = if from.year() == today.year() && to.year() == today.year() {
        to.format("%-d %b")
    } else {
        to.format("%-d %b %Y")
    };
    format!("{start}–{end}")
}

/// People's words that are read from right to left, by their letters or by signs for it, kept from turning around what
/// stands beside them.
pub(super) fn isolated(text: &str) -> String {
    let is_right_to_left = |c| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'
            | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.chars().any(is_right_to_left) {
        // One of their own would end it before the words do.
        let text = text.replace(|c| matches!(c, '\u{2066}'..='\u{2069}'), "");
        format!("\u{2068}{text}\u{2069}")
    } else {
        text.to_owned()
    }
}

/// `Friday 20 November`.
pub(super) fn long_day(day: NaiveDate) -> String {
    day.format("%A %-d %B").to_string()
}

/// When the entry was, where that is known; see [`span_of`].
pub(super) fn span(entry: &TimeEntry, zone: Tz) -> Option<String> {
    let times = (entry.started_at?, entry.ended_at?);
    Some(span_of(times, entry.date, zone))
}

/// `11:00–13:30`, said of that day. What began on another one says so: `Sun 23:14–01:44`.
pub(super) fn span_of(
    (start, end): (DateTime<Utc>, DateTime<Utc>),
    day: NaiveDate,
    zone: Tz,
) -> String {
    let times = clock_times((start, end), zone);
    let start = start.with_timezone(&zone);
    if start.date_naive() == day {
        times
    } else {
        format!("{} {times}", start.format("%a"))
    }
}

/// `11:00–13:30`.
pub(super) fn clock_times((start, end): (DateTime<Utc>, DateTime<Utc>), zone: Tz) -> String {
    format!("{}–{}", clock_time(start, zone), clock_time(end, zone))
}

/// `13:30`.
pub(super) fn clock_time(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%H:%M").to_string()
}

/// A bar of eight cells. Rounded to the nearest, but full only when the whole is reached and empty only at
/// zero.
pub(super) fn bar(part: Minutes, whole: Minutes) -> String {
    let (part, whole) = (u64::from(part.get()), u64::from(whole.get().max(1)));
    let cells = u64::from(CELLS);
    let filled = match (part * cells * 2 + whole) / (whole * 2) {
        0 if part > 0 => 1,
        filled if filled >= cells && part < whole => cells - 1,
        filled => filled.min(cells),
    };
    (0..cells)
        .map(|cell| if cell < filled { '▇' } else { '░' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_full_and_empty_only_when_they_are() {
        let bar = |part| bar(Minutes::new(part), Minutes::new(480));
        assert_eq!(bar(0), "░░░░░░░░");
        assert_eq!(bar(1), "▇░░░░░░░");
        assert_eq!(bar(315), "▇▇▇▇▇░░░");
        assert_eq!(bar(479), "▇▇▇▇▇▇▇░");
        assert_eq!(bar(480), "▇▇▇▇▇▇▇▇");
        assert_eq!(bar(9999), "▇▇▇▇▇▇▇▇");
    }

    #[test]
    fn nothing_people_write_is_markup() {
        assert_eq!(
            plain("<!channel> & *bold* `x`\n@here"),
            "&lt;!channel&gt; &amp; \u{2060}*bold\u{2060}* \u{2060}`x\u{2060}` @here"
        );
    }

    #[test]
    fn an_escape_is_never_cut_in_two() {
        assert_eq!(plain_within("a&b", 7), "a&amp;b");
        assert_eq!(plain_within("a&b", 6), "a…");
        assert_eq!(plain_within("&&", 9), "&amp;…");
        assert_eq!(plain_within("**", 3), "\u{2060}*…");
        assert_eq!(escaped_within("<*>", 9), "&lt;*&gt;");
        for words in ["<!channel> & R&D", "&lt; &amp;lt;", ""] {
            assert_eq!(unescaped(&escaped_within(words, 100)), words);
        }
        assert_eq!(escaped_within("<*>", 8), "&lt;*…");
    }

    #[test]
    fn spans_of_days_name_a_month_and_a_year_once() {
        let date = |text: &str| text.parse().unwrap();
        let days = |from, to| days(date(from), date(to), date("2026-11-20"));
        assert_eq!(days("2026-11-16", "2026-11-20"), "16–20 Nov");
        assert_eq!(days("2026-11-16", "2026-11-16"), "Mon 16 Nov");
        assert_eq!(days("2026-09-28", "2026-10-02"), "28 Sep–2 Oct");
        assert_eq!(days("2025-11-17", "2025-11-21"), "17–21 Nov 2025");
        assert_eq!(days("2025-12-29", "2026-01-02"), "29 Dec 2025–2 Jan 2026");
    }

    #[test]
    fn words_from_right_to_left_stay_apart() {
        assert_eq!(isolated("#acme é 日本"), "#acme é 日本");
        assert_eq!(isolated("#פרויקט"), "\u{2068}#פרויקט\u{2069}");
        assert_eq!(isolated("عمل"), "\u{2068}عمل\u{2069}");
        assert_eq!(isolated("a\u{2069}\u{202e}b"), "\u{2068}a\u{202e}b\u{2069}");
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }
}
