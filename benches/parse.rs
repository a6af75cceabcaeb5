//! How long a line of `/time` takes to read.

use std::sync::LazyLock;

use billops::domain::time_command::{Context, parse};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

static CONTEXT: LazyLock<Context> = LazyLock::new(|| {
    let friday = chrono::DateTime::from_timestamp(1_795_192_200, 0).unwrap_or_default();
    Context::new(friday, chrono_tz::Europe::Berlin)
});

/// Everything people type, from the vectors.
static VECTORS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let files = [
        include_str!("../tests/data/vectors/durations.json"),
        include_str!("../tests/data/vectors/dates.json"),
    ];
    let inputs = files.iter().flat_map(|file| file.lines());
    inputs
        .filter_map(|line| line.strip_prefix("\"input\": \"")?.strip_suffix("\","))
        .map(|input| format!("{input}: Meeting"))
        .collect()
});

/// The line of the documentation. Promised: under 2 µs.
#[divan::bench(args = [
    "2.5 hours: Meeting",
    "1h30 #acme wireframes",
    "9-11:30 workshop",
    "yesterday 45m: code review",
    "Meeting for half an hour",
    "2x wireframes for Acme",
])]
fn line(bencher: Bencher<'_, '_>, text: &str) {
    bencher.bench(|| parse(black_box(text), &CONTEXT));
}

/// Every vector once, refusals included; divided by their number, under 5 µs each.
#[divan::bench]
fn all_vectors(bencher: Bencher<'_, '_>) {
    let vectors = &*VECTORS;
    bencher
        .counter(divan::counter::ItemsCount::new(vectors.len()))
        .bench(|| {
            for text in vectors {
                let _ = black_box(parse(black_box(text), &CONTEXT));
            }
        });
}

/// Every vector by itself; what divan prints as the median of all samples is the median line. Promised:
/// under 5 µs.
#[divan::bench(sample_count = 20_000, sample_size = 1)]
fn median_vector(bencher: Bencher<'_, '_>) {
    let mut next = VECTORS.iter().cycle();
    bencher
        .with_inputs(|| next.next().map(String::as_str).unwrap_or_default())
        .bench_local_values(|text| parse(black_box(text), &CONTEXT));
}

/// 4,000 characters, the longest text that Slack sends. Promised: under 100 µs, whatever is in it.
#[divan::bench(args = [
    ("2h: ", "lorem ipsum &amp; "),
    ("2h ", "lorem ipsum &amp; "),
    ("call ", "lorem ipsum &amp; "),
    ("start ", "lorem ipsum 2h "),
    ("2 h · ", "lorem · ipsum · "),
    ("2h ", "#acme @tern !billable "),
    ("2h x", " +tag"),
    ("2h ", "\"a\" “b” "),
    ("", "9"),
    ("", "9 "),
    ("", "1.5"),
    ("2h ", "12:30 "),
    ("", "8-8:01, "),
    ("", "9-11, "),
    ("", "1h "),
    ("", "yesterday "),
    ("report ", "by day "),
    ("", "half an hour and "),
    ("", "<@U01|nina> "),
    ("", "٣"),
])]
fn longest_text(bencher: Bencher<'_, '_>, (start, piece): (&str, &str)) {
    let pieces = piece.chars().cycle();
    let text: String = start.chars().chain(pieces).take(4_000).collect();
    bencher.bench(|| parse(black_box(&text), &CONTEXT));
}
