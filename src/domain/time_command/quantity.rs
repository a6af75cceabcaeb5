//! Amounts of one unit: `2 hours`, `half an hour`, `1½h`, `twenty minutes`.

use nom::{
    Err, Parser,
    branch::alt,
    character::complete::{char, one_of},
    combinator::opt,
    sequence::{preceded, terminated},
};

use super::{
    Context,
    duration::{continues_plainly, skip_word},
    exact::Exact,
    number::{cardinal, numeral, portion, vulgar},
    stop::{Parsed, Problem, Stop},
    words::{Measure, any_of, measure_named, space, space0, word},
};

/// An amount of one unit.
#[derive(Clone, Copy)]
pub(super) struct Quantity {
    pub(super) value: Exact,
    /// The value, if it was written as a whole number.
    pub(super) whole: Option<u64>,
    pub(super) measure: Measure,
}

/// One amount at the beginning of the text.
pub(super) fn quantity<'a>(input: &'a str, context: &Context) -> Parsed<'a, Quantity> {
    match input.chars().next() {
        Some(c) if c.is_ascii_digit() || matches!(c, '.' | ',') || vulgar(c).is_some() => {
            counted(input, context)
        }
        Some(c) if c.is_alphabetic() => spelled(input),
        _ => Err(Err::Error(Stop::here(input, Problem::NoTime))),
    }
}

/// `2 hours`, `1.5h`, `3/4 of an hour`, `1 1/2 h`, `2 and a half hours`, `2-hour`.
fn counted<'a>(input: &'a str, context: &Context) -> Parsed<'a, Quantity> {
    let (rest, number) = numeral(input)?;
    if number.whole.is_some() {
        let mixed = alt((
            preceded(space, |input| {
                numeral(input).map(|(rest, n)| (rest, n.value))
            }),
            preceded((space, any_of(&["and"]), space), portion),
        ))
        .parse(rest);
        if let Ok((after, part)) = mixed
            && part.is_below_one()
            && let Ok((after, measure)) = preceded(space0, unit).parse(after)
        {
            return Ok((after, sum_of(number.value, part, measure)));
        }
    }
    let quantity = |measure| Quantity {
        value: number.value,
        whole: number.whole,
        measure,
    };
    let reading = || number.reading(context.bare_number_unit);
    if rest.starts_with(char::is_alphabetic) {
        let (after, name) = word(rest)?;
        return match measure_named(name) {
            Some(Measure::Longer) => Stop::before(rest, after, Problem::LongUnit).for_good(),
            // `3D modelling` is not three days of modelling.
            Some(Measure::Day) if name == "D" && continues_plainly(after) => {
                let problem = Problem::UnknownUnit { reading: None };
                Stop::before(rest, after, problem).for_good()
            }
            Some(measure) => Ok((after, quantity(measure))),
            None if is_meridiem(name) => Stop::before(rest, after, Problem::TimeOfDay).for_good(),
            None => Stop::before(
                rest,
                skip_word(rest),
                Problem::UnknownUnit { reading: reading() },
            )
            .for_good(),
        };
    }
    if let Ok((after, measure)) = unit(rest) {
        return Ok((after, quantity(measure)));
    }
    let hyphenated = preceded(char('-'), word).parse(rest);
    if let Ok((after, name)) = hyphenated
        && name.len() > 2
        && let Some(measure) = measure_named(name)
    {
        return match measure {
            Measure::Longer => Stop::before(rest, after, Problem::LongUnit).for_good(),
            measure => Ok((after, quantity(measure))),
        };
    }
    let (at, _) = space(rest)?;
    if number.fraction
        && let Ok((after, measure)) = of_a(at)
    {
        return Ok((after, quantity(measure)));
    }
    let (after, name) = word(at)?;
    match measure_named(name) {
        Some(Measure::Longer) if name.len() > 1 => {
            Stop::before(at, after, Problem::LongUnit).for_good()
        }
        Some(measure) if measure != Measure::Longer => Ok((after, quantity(measure))),
        _ if is_meridiem(name) => Stop::before(at, after, Problem::TimeOfDay).for_good(),
        _ => Err(Err::Error(Stop::here(at, Problem::NoTime))),
    }
}

/// `half an hour`, `a couple of hours`, `an hour`, `two and a quarter hours`.
fn spelled(input: &str) -> Parsed<'_, Quantity> {
    alt((
        (portion, one_of(" -\u{a0}"), of_a).map(|(part, _, measure)| Quantity {
            value: part,
            whole: None,
            measure,
        }),
        preceded(
            (
                opt(terminated(any_of(&["a"]), space)),
                any_of(&["couple"]),
                space,
                opt(terminated(any_of(&["of"]), space)),
            ),
            unit,
        )
        .map(|measure| Quantity {
            value: Exact::whole(2),
            whole: Some(2),
            measure,
        }),
        article_hour,
        number_word,
    ))
    .parse(input)
}

/// `an hour`, `a minute`, and `hour and a half`, but not `a second look`.
fn article_hour(input: &str) -> Parsed<'_, Quantity> {
    let (at, article) = opt(terminated(any_of(&["a", "an"]), space)).parse(input)?;
    let (rest, measure) = unit(at)?;
    let and_a_half = preceded((space, any_of(&["and"]), space), portion).parse(rest);
    let whole = match measure {
        Measure::Second | Measure::Longer => false,
        Measure::Hour if article.is_none() => {
            and_a_half.is_ok_and(|(after, _)| !after.starts_with(char::is_alphanumeric))
        }
        _ => article.is_some(),
    };
    if whole {
        Ok((rest, sum_of(Exact::whole(1), Exact::ZERO, measure)))
    } else {
        Err(Err::Error(Stop::here(input, Problem::NoTime)))
    }
}

/// `two hours`, `twenty-five minutes`, `one and three quarter hours`.
fn number_word(input: &str) -> Parsed<'_, Quantity> {
    let (rest, number) = cardinal(input)?;
    let (rest, part) = opt(preceded((space, any_of(&["and"]), space), portion)).parse(rest)?;
    let (at, _) = one_of(" -\u{a0}").parse(rest)?;
    let (at, _) = space0(at)?;
    let (after, name) = word(at)?;
    match (measure_named(name), part) {
        (Some(Measure::Longer), _) => Stop::before(at, after, Problem::LongUnit).for_good(),
        (Some(measure), Some(part)) => Ok((after, sum_of(Exact::whole(number), part, measure))),
        (Some(measure), None) => Ok((
            after,
            Quantity {
                value: Exact::whole(number),
                whole: Some(number),
                measure,
            },
        )),
        (None, _) => Err(Err::Error(Stop::here(at, Problem::NoTime))),
    }
}

fn sum_of(whole: Exact, part: Exact, measure: Measure) -> Quantity {
    Quantity {
        value: whole.plus(part),
        whole: None,
        measure,
    }
}

/// A unit up to a day.
fn unit(input: &str) -> Parsed<'_, Measure> {
    match super::words::measure(input)? {
        (_, Measure::Longer) => Err(Err::Error(Stop::here(input, Problem::NoTime))),
        found => Ok(found),
    }
}

/// `hour`, `an hour`, `of an hour`.
fn of_a(input: &str) -> Parsed<'_, Measure> {
    preceded(
        (
            opt(terminated(any_of(&["of"]), space)),
            opt(terminated(any_of(&["a", "an"]), space)),
        ),
        unit,
    )
    .parse(input)
}

pub(super) fn hour_word(input: &str) -> Parsed<'_, &str> {
    any_of(&["h", "hr", "hrs", "hour", "hours"]).parse(input)
}

pub(super) fn is_meridiem(name: &str) -> bool {
    name.eq_ignore_ascii_case("am") || name.eq_ignore_ascii_case("pm")
}
