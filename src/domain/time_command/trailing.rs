//! A time at the end of a line: `Meeting 2h`, `Meeting for half an hour yesterday`.

use nom::Err;

use super::{
    Context,
    day::{Day, DayForm, day},
    duration::Form,
    error::{Problem, Refusal, Stop},
    marks::Marks,
    moment::{Lead, Moment, Time, moment},
    words::{LONGEST, lower},
};

/// How far from its end a line is searched for a time, in bytes: more than the longest one needs.
const REACH: usize = 128;

/// The longest time at the end of the text with the words before it, or the reason why what looks
/// like one cannot be read. `None` if nothing there looks like a time.
pub(super) fn trailing<'a>(
    text: &'a str,
    context: &Context,
) -> Option<Result<(Moment<'a>, &'a str), Refusal<'a>>> {
    let quoted = text.len() - behind_quotes(text).len();
    for start in word_starts(text) {
        if start == 0 || start < quoted {
            continue;
        }
        let at = &text[start..];
        let (inner, closing) = match at.strip_prefix('(') {
            Some(inner) => (inner, ")"),
            None => (at, ""),
        };
        let refusal = |stop, words| Refusal::at(stop).from(at).words(words);
        match moment(inner, context, &mut Marks::new(text, &[])) {
            Ok((rest, Lead::Moment(moment))) if ends_with(rest, closing) => {
                let words = before_time(&text[..start], &moment);
                return match certainty(&moment, &text[..start]) {
                    Certainty::Time => Some(Ok((moment, words))),
                    Certainty::Words => None,
                    Certainty::Perhaps => {
                        let written = moment.written.trim();
                        let problem = Problem::NumberAtTheEnd;
                        let stop = Stop::before(at, &text[text.len()..], problem);
                        Some(Err(refusal(stop, words).offer_time(written, &moment)))
                    }
                };
            }
            Err(missed)
                if !missed.stop.problem.may_be_words()
                    && missed.stop.after.trim_matches(['.', ')']).is_empty()
                    && !inner.bytes().all(|b| b.is_ascii_digit()) =>
            {
                return Some(Err(refusal(missed.stop, text[..start].trim_end())));
            }
            _ => {}
        }
    }
    None
}

fn ends_with(rest: &str, closing: &str) -> bool {
    rest == closing || rest.strip_suffix('.') == Some(closing)
}

/// Whether what stands at the end is a time.
enum Certainty {
    Time,
    Perhaps,
    Words,
}

fn certainty(moment: &Moment<'_>, before: &str) -> Certainty {
    match &moment.time {
        Time::Length(length) => match length.form {
            Form::Bare(_) | Form::Decimal => Certainty::Perhaps,
            Form::Clock if names_a_moment(before) => Certainty::Words,
            _ => Certainty::Time,
        },
        Time::Ranges(ranges) if ranges.is_weak() => Certainty::Perhaps,
        Time::Ranges(_) => Certainty::Time,
    }
}

/// Where the last words of the text begin, from the farthest to the nearest.
fn word_starts(text: &str) -> impl Iterator<Item = usize> {
    let mut from = text.len().saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let mut gap = text[..from]
        .chars()
        .next_back()
        .is_none_or(char::is_whitespace);
    text[from..].char_indices().filter_map(move |(index, c)| {
        let begins = gap && !c.is_whitespace();
        gap = c.is_whitespace();
        begins.then_some(from + index)
    })
}

/// The description in front of a time, without what joins the two.
fn before_time<'a>(text: &'a str, moment: &Moment<'_>) -> &'a str {
    let text = text
        .trim_end()
        .trim_end_matches([':', '-', '–', '—', ',', ';'])
        .trim_end();
    let ranges = matches!(moment.time, Time::Ranges(_));
    match text.rsplit_once(char::is_whitespace) {
        Some((words, last)) if joins(last, ranges) => words.trim_end(),
        _ => text,
    }
}

fn joins(word: &str, ranges: bool) -> bool {
    word.eq_ignore_ascii_case("for") || (ranges && word.eq_ignore_ascii_case("at"))
}

/// Whether the words in front of `9:30` make it a time of day.
fn names_a_moment(before: &str) -> bool {
    last_word_is(
        before,
        &[
            "at", "since", "from", "until", "till", "til", "by", "before", "after", "around", "to",
            "the", "about", "@",
        ],
    )
}

fn last_word_is(text: &str, words: &[&str]) -> bool {
    let last = text.trim_end().rsplit(char::is_whitespace).next();
    let mut buffer = [0; LONGEST];
    last.and_then(|word| lower(word, &mut buffer))
        .is_some_and(|word| words.contains(&word))
}

/// The text behind a quotation at the beginning.
fn behind_quotes(text: &str) -> &str {
    let inside = text.strip_prefix(['"', '“', '„', '”']);
    inside
        .and_then(|inside| inside.split_once(['"', '“', '”']))
        .map_or(text, |(_, behind)| behind)
}

/// A day at the end of a description, which could be the day of the entry: `call yesterday`, but
/// not `slides for Friday`. Gives the words before it, too.
pub(super) fn day_at_the_end<'a>(text: &'a str, context: &Context) -> Option<(&'a str, Day<'a>)> {
    for start in word_starts(text) {
        let before = &text[..start];
        let (rest, day) = match day(&text[start..], context) {
            Ok(read) => read,
            Err(Err::Failure(_) | Err::Error(_) | Err::Incomplete(_)) => continue,
        };
        if !rest.is_empty() {
            continue;
        }
        let joined = last_word_is(
            before,
            &[
                "for", "by", "until", "till", "til", "before", "after", "from", "since", "to",
                "about", "of", "next", "every", "the", "and", "or", "a", "with", "than", "vs",
                "due", "each", "per", "-", "–", "&", "+",
            ],
        );
        let open = !matches!(
            day.form,
            DayForm::Minus | DayForm::Slash | DayForm::EitherWay(_)
        );
        let before = before.trim_end();
        let before = match before.rsplit_once(char::is_whitespace) {
            Some((words, last)) if last.eq_ignore_ascii_case("on") => words.trim_end(),
            _ => before,
        };
        return (open && !joined && day.date != context.today()).then_some((before, day));
    }
    None
}
