//! The queue under many hands: a lease is kept while somebody is at work, and nobody has a job that another has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use billops::{
    clock::Clock,
    store::{NewJob, Store},
};
use chrono::TimeDelta;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::{LEASE, a_job};

super::on_every_database!(
    a_lease_is_kept_by_whoever_is_at_work_until_another_has_the_job,
    what_somebody_waits_for_is_found_behind_a_thousand_others,
    a_worker_is_woken_when_something_is_due_or_asked_for,
    of_many_workers_no_two_are_at_one_job_and_none_is_lost,
);

/// Longer than anything here takes, and far longer than a worker may be kept waiting.
const PATIENCE: Duration = Duration::from_secs(10);

fn job(name: &str, is_prompt: bool) -> NewJob {
    NewJob {
        unique_key: name.to_owned(),
        payload: name.to_owned(),
        is_prompt,
        run_at: None,
    }
}

async fn a_lease_is_kept_by_whoever_is_at_work_until_another_has_the_job(
    store: Store,
    clock: Clock,
) {
    store.add_job(&a_job()).await.unwrap();
    let first = store.claim_job(LEASE, false).await.unwrap().unwrap();
    // Twice as long as it was taken for.
    for _ in 0..4 {
        clock.advance(LEASE / 2);
        assert!(store.renew_job(&first, LEASE).await.unwrap());
        assert_eq!(store.claim_job(LEASE, false).await.unwrap(), None);
    }
    // Late, but nobody has taken it meanwhile.
    clock.advance(LEASE * 2);
    assert!(store.renew_job(&first, LEASE).await.unwrap());
    assert_eq!(store.claim_job(LEASE, false).await.unwrap(), None);
    clock.advance(LEASE);
    let second = store.claim_job(LEASE, false).await.unwrap().unwrap();
    assert_eq!((second.id, second.attempts), (first.id, 2));
    assert!(!store.renew_job(&first, LEASE * 10).await.unwrap());
    // Theirs lasts as long as they took it for, whatever the first one says.
    clock.advance(LEASE - TimeDelta::seconds(1));
    assert_eq!(store.claim_job(LEASE, false).await.unwrap(), None);
    clock.advance(TimeDelta::seconds(1));
    let third = store.claim_job(LEASE, false).await.unwrap().unwrap();
    assert!(!store.renew_job(&second, LEASE).await.unwrap());
    store.finish_job(&third).await.unwrap();
    assert!(!store.renew_job(&third, LEASE).await.unwrap());
    assert_eq!(store.job_counts().await.unwrap().open, 0);
}

async fn what_somebody_waits_for_is_found_behind_a_thousand_others(store: Store, clock: Clock) {
    for number in 0..1000 {
        let background = job(&format!("background {number}"), false);
        store.add_job(&background).await.unwrap();
    }
    assert_eq!(store.claim_job(LEASE, true).await.unwrap(), None);
    clock.advance(TimeDelta::seconds(1));
    for number in 0..3 {
        let prompt = job(&format!("prompt {number}"), true);
        store.add_job(&prompt).await.unwrap();
        clock.advance(TimeDelta::seconds(1));
    }
    for number in 0..3 {
        let taken = store.claim_job(LEASE, true).await.unwrap().unwrap();
        assert_eq!(taken.payload, format!("prompt {number}"));
    }
    assert_eq!(store.claim_job(LEASE, true).await.unwrap(), None);
    // Whoever does anything takes what is due longest.
    let taken = store.claim_job(LEASE, false).await.unwrap().unwrap();
    assert!(taken.payload.starts_with("background"), "{taken:?}");
}

async fn a_worker_is_woken_when_something_is_due_or_asked_for(store: Store, clock: Clock) {
    let wanted = async |only_prompt: bool| {
        let waiting = store.job_wanted(PATIENCE * 10, only_prompt);
        timeout(PATIENCE, waiting).await.is_ok()
    };
    for only_prompt in [false, true] {
        // Asked for while the worker waits, and just before it does.
        let asked = async { store.add_job(&job("now", true)).await.unwrap() };
        let (is_woken, ()) = tokio::join!(wanted(only_prompt), asked);
        assert!(is_woken, "only_prompt: {only_prompt}");
        assert!(wanted(!only_prompt).await, "only_prompt: {}", !only_prompt);
    }
    let taken = store.claim_job(LEASE, false).await.unwrap().unwrap();
    store.finish_job(&taken).await.unwrap();

    let in_a_moment = NewJob {
        run_at: Some(clock.now() + TimeDelta::milliseconds(200)),
        ..job("soon", true)
    };
    store.add_job(&in_a_moment).await.unwrap();
    for only_prompt in [false, true] {
        assert!(wanted(only_prompt).await, "that it was asked for");
        assert!(wanted(only_prompt).await, "that it is due");
    }
    // What somebody else does is nothing to be woken for.
    clock.advance(TimeDelta::seconds(1));
    let taken = store.claim_job(LEASE, false).await.unwrap().unwrap();
    assert_eq!(taken.payload, "soon");
    let later = NewJob {
        run_at: Some(clock.now() + TimeDelta::milliseconds(200)),
        ..job("background", false)
    };
    store.add_job(&later).await.unwrap();
    assert!(wanted(true).await, "that it was asked for");
    let limit = Duration::from_millis(300);
    let begun = Instant::now();
    store.job_wanted(limit, true).await;
    assert!(begun.elapsed() >= limit, "woken for what is not prompt");
}

async fn of_many_workers_no_two_are_at_one_job_and_none_is_lost(store: Store, clock: Clock) {
    const JOBS: usize = 20;
    const ROUNDS: usize = 10;
    const WORKERS: usize = 12;
    /// Every so many jobs one is left lying, as by a process that dies.
    const DIES: usize = 9;
    /// Every so many jobs one is asked for once more while it is done.
    const ASKS_AGAIN: usize = 5;

    let running: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    // With what the job was asked for last, and begun last.
    let asked: Arc<tokio::sync::Mutex<BTreeMap<String, String>>> = Arc::default();
    let seen: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let (begun, is_over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let ask = {
        let (store, asked) = (store.clone(), asked.clone());
        async move |name: &str, round: &str| {
            // One after the other, so that the last one is known.
            let mut asked = asked.lock().await;
            let mut job = job(name, false);
            job.payload = format!("{name} round {round}");
            store.add_job(&job).await.unwrap();
            asked.insert(job.unique_key, job.payload);
        }
    };
    let asking = async {
        for round in 0..ROUNDS {
            for number in 0..JOBS {
                ask(&format!("job {number}"), &round.to_string()).await;
                tokio::task::yield_now().await;
            }
        }
        is_over.store(true, Ordering::SeqCst);
    };
    let workers = (0..WORKERS).map(|_| {
        let (store, running, seen) = (store.clone(), running.clone(), seen.clone());
        let (begun, is_over, ask) = (begun.clone(), is_over.clone(), ask.clone());
        tokio::spawn(async move {
            loop {
                let is_last = is_over.load(Ordering::SeqCst);
                let Some(job) = store.claim_job(LEASE, false).await.unwrap() else {
                    if is_last {
                        return;
                    }
                    tokio::task::yield_now().await;
                    continue;
                };
                let name = job.payload.split(" round").next().unwrap().to_owned();
                let is_alone = running.lock().unwrap().insert(name.clone());
                assert!(is_alone, "two are at {name}");
                seen.lock()
                    .unwrap()
                    .insert(name.clone(), job.payload.clone());
                let number = begun.fetch_add(1, Ordering::SeqCst);
                if number % ASKS_AGAIN == 0 {
                    ask(&name, &format!("again {number}")).await;
                }
                tokio::task::yield_now().await;
                running.lock().unwrap().remove(&name);
                if number % DIES != DIES - 1 {
                    store.finish_job(&job).await.unwrap();
                }
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    asking.await;
    for ended in join_all(workers).await {
        ended.unwrap();
    }
    // What was left lying, and only that, comes back when the leases have run out.
    clock.advance(LEASE);
    while let Some(job) = store.claim_job(LEASE, false).await.unwrap() {
        let name = job.payload.split(" round").next().unwrap().to_owned();
        seen.lock().unwrap().insert(name, job.payload.clone());
        store.finish_job(&job).await.unwrap();
    }
    let counts = store.job_counts().await.unwrap();
    assert_eq!((counts.open, counts.dead), (0, 0));
    assert!(begun.load(Ordering::SeqCst) >= JOBS);
    let asked = asked.lock().await;
    assert_eq!(*seen.lock().unwrap(), *asked);
}
