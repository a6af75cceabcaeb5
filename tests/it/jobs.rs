//! The queue: what somebody waits for does not wait, what is lost is left alone, what was given up is named.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use billops::{
    jobs::{Job, Ran, Runner, Workers, run_due},
    sandbox::Fault,
    store::{NewJob, Store},
};
use futures_util::FutureExt as _;
use tokio::{sync::Semaphore, time::Instant};
use uuid::Uuid;

use crate::{
    bot::{NINA, TestBot},
    databases::Database,
};

/// A job about a person of this number.
fn tell(number: u128) -> NewJob {
    let timer = Uuid::from_u128(number);
    Job::AskTimer {
        binding: timer,
        timer,
    }
    .to_row()
}

fn refresh(number: u128) -> NewJob {
    let binding = Uuid::from_u128(number);
    Job::RefreshHome { binding }.to_row()
}

/// Waits until nothing is being done.
async fn at_rest(bot: &TestBot) {
    let until = Instant::now() + Duration::from_secs(10);
    while bot.bot.store().job_counts().await.unwrap().running > 0 {
        assert!(Instant::now() < until, "a job does not end");
        tokio::task::yield_now().await;
    }
}

async fn emptied(store: &Store) {
    let until = Instant::now() + Duration::from_secs(10);
    while store.job_counts().await.unwrap().open > 0 {
        assert!(Instant::now() < until, "jobs are left undone");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_waits_for_never_stands_behind_the_others() {
    let database = Database::on_disk();
    let (store, _) = database.open().await;
    for number in 0..500 {
        store.add_job(&tell(number)).await.unwrap();
    }
    let (gate, done) = (
        Arc::new(Semaphore::new(0)),
        Arc::new(Mutex::new(Vec::new())),
    );
    let runner: Runner = {
        let (gate, done) = (gate.clone(), done.clone());
        Arc::new(move |job| {
            let (gate, done) = (gate.clone(), done.clone());
            async move {
                if let Job::RefreshHome { binding } = job {
                    done.lock().unwrap().push((binding, Instant::now()));
                } else {
                    // Slack is slow.
                    gate.acquire().await.unwrap().forget();
                }
                Ran::Done
            }
            .boxed()
        })
    };
    let workers = Workers::start(&store, &runner);
    let until = Instant::now() + Duration::from_secs(5);
    while store.job_counts().await.unwrap().running < 4 {
        assert!(Instant::now() < until, "the workers do not start");
        tokio::task::yield_now().await;
    }
    // Every worker that does anything is busy, and hundreds wait: this starts all the same, and at once.
    for number in 0..20 {
        let asked = Instant::now();
        store.add_job(&refresh(number)).await.unwrap();
        let started = loop {
            let found = done
                .lock()
                .unwrap()
                .iter()
                .find(|(id, _)| *id == Uuid::from_u128(number))
                .map(|(_, at)| *at);
            if let Some(at) = found {
                break at;
            }
            assert!(
                asked.elapsed() < Duration::from_secs(5),
                "it stands behind the others"
            );
            tokio::task::yield_now().await;
        };
        assert!(
            started - asked < Duration::from_secs(1),
            "{:?}",
            started - asked
        );
    }
    gate.add_permits(500);
    emptied(&store).await;
    workers.shut_down(Duration::from_secs(3)).await;
    store.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_one_jobs_failure() {
    let (store, clock) = Database::in_memory().open().await;
    store.add_job(&tell(1)).await.unwrap();
    let runner: Runner = Arc::new(|_| async { panic!("a defect") }.boxed());
    assert!(run_due(&store, &runner, false).await);
    let counts = store.job_counts().await.unwrap();
    assert_eq!((counts.open, counts.running, counts.dead), (1, 0, 0));
    // Tried again, and given up in the end.
    let fine: Runner = Arc::new(|_| async { Ran::Done }.boxed());
    assert!(!run_due(&store, &fine, false).await);
    clock.advance(chrono::TimeDelta::minutes(1));
    assert!(run_due(&store, &fine, false).await);
    assert_eq!(store.job_counts().await.unwrap().open, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_is_named_to_the_operator() {
    let bot = TestBot::start().await;
    bot.say("/time 1h wireframes").await;
    bot.slack.open_home(NINA).await.unwrap();
    let metrics = async || {
        let url = format!("http://{}/metrics", bot.bot.web_address());
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(
            answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/plain")
        );
        answer.text().await.unwrap()
    };
    crate::visitor::settled(&bot).await;
    let before = metrics().await;
    for line in [
        "billops_jobs{state=\"waiting\"} 0",
        "billops_slack_connections 2",
        "billops_schedule_ticks 1",
        "billops_job_wait_seconds 0",
    ] {
        assert!(before.lines().any(|one| one == line), "{line}: {before}");
    }
    // Seven attempts, then it is given up.
    bot.slack
        .fail_next("views.publish", u32::MAX, Fault::Status(503));
    let member = crate::meetings::nina(&bot).await;
    let job = Job::RefreshHome {
        binding: member.binding_id,
    };
    bot.bot.store().add_job(&job.to_row()).await.unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while bot.bot.store().job_counts().await.unwrap().dead == 0 {
        assert!(Instant::now() < until, "it is not given up");
        // Not under way: a lease would run out.
        at_rest(&bot).await;
        bot.clock.advance(chrono::TimeDelta::hours(3));
        // Whoever asks for anything wakes the workers.
        bot.bot
            .store()
            .add_job(&Job::ForgetRequests.to_row())
            .await
            .unwrap();
        tokio::task::yield_now().await;
    }
    let after = metrics().await;
    assert!(
        after.contains("billops_jobs_dead{job=\"refresh_home\"} 1"),
        "{after}"
    );
    // Asked for again, it begins anew.
    bot.slack.clear_faults();
    bot.bot.store().add_job(&job.to_row()).await.unwrap();
    bot.finish().await;
}
