//! How long a job waits on an idle bot from being asked for to its start, and how fast many are done, over SQLite on
//! disk and, where `BILLOPS_TEST_POSTGRES` is set, PostgreSQL. Promised: a start in under 100 ms.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement, not a service"
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use billops::{
    clock::Clock,
    jobs::{Job, Ran, Runner, Workers},
    store::Store,
};
use futures_util::FutureExt as _;
use hdrhistogram::Histogram;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::sync::mpsc;
use uuid::Uuid;

const ASKED: u128 = 500;
const MANY: u128 = 10_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // `cargo test --benches` calls this too; there is nothing to prove then.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let url = format!("sqlite://{}", disk.path().join("billops.db").display());
    println!("## SQLite on disk");
    measure(&url).await;
    match std::env::var("BILLOPS_TEST_POSTGRES") {
        Ok(server) => {
            println!("\n## PostgreSQL");
            let name = format!("jobs_{}", std::process::id());
            let mut db = PgConnection::connect(&server).await.unwrap();
            let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
            db.execute(create).await.unwrap();
            let (base, query) = server.split_once('?').unwrap_or((&server, ""));
            let base = base.rsplit_once('/').unwrap().0;
            measure(&format!("{base}/{name}?{query}")).await;
            let drop = sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
            db.execute(drop).await.unwrap();
        }
        Err(_) => println!("PostgreSQL: BILLOPS_TEST_POSTGRES is not set"),
    }
}

async fn measure(url: &str) {
    let store = Store::open(url, Clock::system()).await.unwrap();
    let (started, mut starts) = mpsc::unbounded_channel();
    let runner: Runner = Arc::new(move |_| {
        let started = started.clone();
        async move {
            started.send(Instant::now()).unwrap();
            Ran::Done
        }
        .boxed()
    });
    let workers = Workers::start(&store, &runner);
    for is_prompt in [true, false] {
        let mut waited_ns = Histogram::<u64>::new(3).unwrap();
        for number in 0..ASKED {
            let asked = Instant::now();
            store.add_job(&job(number, is_prompt)).await.unwrap();
            let start = starts.recv().await.unwrap();
            waited_ns
                .record(u64::try_from((start - asked).as_nanos()).unwrap())
                .unwrap();
            // The bot is idle again.
            while store.job_counts().await.unwrap().open > 0 {
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let ms = |quantile| waited_ns.value_at_quantile(quantile) as f64 / 1e6;
        let what = if is_prompt {
            "somebody waits for it"
        } else {
            "nobody waits for it"
        };
        println!(
            "from asking to the start, {what}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
            ms(0.5),
            ms(0.99),
            ms(1.0)
        );
    }
    let begun = Instant::now();
    for number in 0..MANY {
        store.add_job(&job(number, false)).await.unwrap();
    }
    for _ in 0..MANY {
        starts.recv().await.unwrap();
    }
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{MANY} asked for one by one and done: {took:.1} s, {:.0}/s",
        MANY as f64 / took
    );
    workers.shut_down(Duration::from_secs(3)).await;
    store.close().await;
}

fn job(number: u128, is_prompt: bool) -> billops::store::NewJob {
    let id = Uuid::from_u128(number);
    let job = if is_prompt {
        Job::RefreshHome { binding: id }
    } else {
        Job::SyncCalendar { calendar: id }
    };
    job.to_row()
}
