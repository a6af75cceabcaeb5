//! How much one process carries, sandbox and answering bot together.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: run it with --release --ignored --nocapture"]
async fn envelopes_a_second() {
    const COMMANDS: u32 = 50_000;
    let sandbox = Sandbox::start(Options {
        record_traffic: false,
        validate_blocks: false,
        ..options()
    })
    .await
    .unwrap();
    for _ in 0..2 {
        Bot::connect(&sandbox).await.answering(|_| Some(card()));
    }
    let before = std::time::Instant::now();
    let workers = (0..64).map(|_| {
        let sandbox = sandbox.clone();
        tokio::spawn(async move {
            for _ in 0..COMMANDS / 64 {
                let answer = sandbox.say("nina", "#acme", "/time 2h: x").await.unwrap();
                assert!(answer.message.is_some(), "{answer:?}");
            }
        })
    });
    for worker in futures_util::future::join_all(workers).await {
        worker.unwrap();
    }
    let rate = f64::from(COMMANDS) / before.elapsed().as_secs_f64();
    println!("{rate:.0} commands a second");
    assert_eq!(sandbox.violations(), []);
}
