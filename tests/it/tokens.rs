//! Tokens are refreshed by one at a time, and a connection that breaks is noticed and told.

use std::time::Duration;

use billops::{
    app::{App, TokenProblem},
    bot::reach,
    config::Config,
    domain::{calendar::AccountState, member::Member},
    sandbox::{Endpoint, NINA_EMAIL, Outage, Provider, Sandbox},
    slack::socket::Timings,
    store::Store,
};
use chrono::TimeDelta;
use futures_util::future::join_all;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::{
    bot::{NINA, TestBot, config},
    databases::Database,
    visitor::{connect, settled},
};

async fn member(bot: &TestBot) -> Member {
    let store = bot.bot.store();
    store
        .member("T07TERN001", "U07NINA001")
        .await
        .unwrap()
        .unwrap()
}

async fn only_account(bot: &TestBot) -> Uuid {
    let member = member(bot).await;
    bot.bot.store().accounts(member.user_id).await.unwrap()[0].id
}

/// A second process' application over the same database.
async fn replica(bot: &TestBot) -> App {
    let config: Config = config(&bot.slack, &bot.database.url);
    let store = Store::open(&bot.database.url, bot.clock.clone())
        .await
        .unwrap();
    let store = store.with_keys(config.keyring().unwrap());
    App::new(
        store,
        bot.clock.clone(),
        reach(&config, &billops::http::client().unwrap(), &bot.clock),
    )
}

fn refreshes(slack: &Sandbox, provider: Provider) -> u32 {
    slack.provider(provider, |provider| provider.requests(Endpoint::Refresh))
}

async fn on_disk() -> TestBot {
    TestBot::on(Database::on_disk(), Timings::default(), |options| options).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_at_once_make_one_request() {
    let bot = on_disk().await;
    connect(&bot, "outlook").await;
    settled(&bot).await;
    let account = only_account(&bot).await;
    let app = replica(&bot).await;
    bot.clock.advance(TimeDelta::hours(1));
    // Slow enough that all ten are there while the first one asks.
    let slow = Outage::Slow(Duration::from_millis(200));
    bot.slack.provider(Provider::Microsoft, |it| {
        it.fail_next(Endpoint::Refresh, 1, slow);
    });
    let asked = join_all((0..10).map(|_| app.access_token(account, None))).await;
    let first = asked[0].as_ref().unwrap().expose_secret().to_owned();
    for token in &asked {
        assert_eq!(token.as_ref().unwrap().expose_secret(), first);
    }
    assert_eq!(refreshes(&bot.slack, Provider::Microsoft), 1);
    // The rotated token is the one that is stored: the next refresh works with it.
    bot.clock.advance(TimeDelta::hours(1));
    app.access_token(account, None).await.unwrap();
    let stored = app.store().tokens(account).await.unwrap().unwrap();
    let newest = bot
        .slack
        .provider(Provider::Microsoft, |it| it.refresh_tokens().pop().unwrap());
    assert_eq!(stored.refresh.unwrap().expose_secret(), newest);
    app.store().close().await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_make_one_request() {
    let database = Database::postgres().await;
    let bot = TestBot::on(database, Timings::default(), |options| options).await;
    connect(&bot, "outlook").await;
    settled(&bot).await;
    let account = only_account(&bot).await;
    let (one, two) = (replica(&bot).await, replica(&bot).await);
    bot.clock.advance(TimeDelta::hours(1));
    let slow = Outage::Slow(Duration::from_millis(200));
    bot.slack.provider(Provider::Microsoft, |it| {
        it.fail_next(Endpoint::Refresh, 1, slow);
    });
    let both = [&one, &two];
    let asked = join_all((0..10).map(|at| both[at % 2].access_token(account, None))).await;
    let first = asked[0].as_ref().unwrap().expose_secret().to_owned();
    assert!(
        asked
            .iter()
            .all(|token| token.as_ref().unwrap().expose_secret() == first)
    );
    assert_eq!(refreshes(&bot.slack, Provider::Microsoft), 1);
    // One 401, seen by both at once, is one refresh as well.
    let refused = secrecy::SecretString::from(first);
    let asked =
        join_all((0..10).map(|at| both[at % 2].access_token(account, Some(&refused)))).await;
    let second = asked[0].as_ref().unwrap().expose_secret().to_owned();
    assert!(
        asked
            .iter()
            .all(|token| token.as_ref().unwrap().expose_secret() == second)
    );
    assert_eq!(refreshes(&bot.slack, Provider::Microsoft), 2);
    one.store().close().await;
    two.store().close().await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_may_go_away_and_the_rotation_is_kept() {
    let bot = on_disk().await;
    connect(&bot, "outlook").await;
    settled(&bot).await;
    let account = only_account(&bot).await;
    let app = replica(&bot).await;
    bot.clock.advance(TimeDelta::hours(1));
    let slow = Outage::Slow(Duration::from_millis(150));
    bot.slack.provider(Provider::Microsoft, |it| {
        it.fail_next(Endpoint::Refresh, 1, slow);
    });
    let asked = tokio::time::timeout(Duration::from_millis(20), app.access_token(account, None));
    assert!(asked.await.is_err(), "it was to be too slow");
    app.access_token(account, None).await.unwrap();
    assert_eq!(refreshes(&bot.slack, Provider::Microsoft), 1);
    app.store().close().await;
    bot.finish().await;
}

fn told(slack: &Sandbox, begins: &str) -> usize {
    let dm = slack.world(|world| world.person(NINA).unwrap().dm());
    let messages = slack.messages(NINA, &dm);
    messages
        .iter()
        .filter(|message| message.text.starts_with(begins))
        .count()
}

async fn until_told(bot: &TestBot, begins: &str, times: usize) {
    let enough = |slack: &Sandbox| (told(slack, begins) == times).then_some(());
    bot.slack.wait_for(begins, enough).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_connection_is_told_once_and_reminded_of_twice() {
    let bot = on_disk().await;
    bot.slack.open_home(NINA).await.unwrap();
    connect(&bot, "google").await;
    settled(&bot).await;
    let account = only_account(&bot).await;
    let app = replica(&bot).await;
    bot.clock.advance(TimeDelta::hours(1));
    bot.slack.provider(Provider::Google, |google| {
        google.revoke_refresh_tokens(NINA_EMAIL);
    });
    let asked = join_all((0..5).map(|_| app.access_token(account, None))).await;
    for token in asked {
        assert!(
            matches!(token, Err(TokenProblem::NeedsReconnect)),
            "{token:?}"
        );
    }
    assert_eq!(refreshes(&bot.slack, Provider::Google), 1);
    let words = "Google Calendar is no longer read since Fri 20 Nov, 14:30: Google asks you to sign in again";
    until_told(&bot, words, 1).await;
    // Asked for again, it is broken still, and nobody is told anew.
    assert!(matches!(
        app.access_token(account, None).await,
        Err(TokenProblem::NeedsReconnect)
    ));
    assert_eq!(app.refresh_all().await.unwrap().broken, 0);

    bot.clock.advance(TimeDelta::days(3));
    bot.bot
        .store()
        .add_job(&billops::jobs::Job::ForgetRequests.to_row())
        .await
        .unwrap();
    until_told(
        &bot,
        "Google Calendar is still not read since Fri 20 Nov",
        1,
    )
    .await;
    bot.clock.advance(TimeDelta::days(7));
    bot.bot
        .store()
        .add_job(&billops::jobs::Job::ForgetRequests.to_row())
        .await
        .unwrap();
    until_told(
        &bot,
        "Google Calendar is still not read since Fri 20 Nov",
        2,
    )
    .await;
    assert_eq!(told(&bot.slack, words), 1);

    // Home says so, too; connected again, everything is as it was.
    let accounts = bot
        .bot
        .store()
        .accounts(member(&bot).await.user_id)
        .await
        .unwrap();
    assert_eq!(accounts[0].state, AccountState::NeedsReconnect);
    connect(&bot, "google").await;
    settled(&bot).await;
    until_told(&bot, "Google is read again: nina.berg@tern.example.", 1).await;
    let accounts = bot
        .bot
        .store()
        .accounts(member(&bot).await.user_id)
        .await
        .unwrap();
    assert_eq!(
        (accounts[0].id, accounts[0].state),
        (account, AccountState::Active)
    );
    assert!(app.access_token(account, None).await.is_ok());
    app.store().close().await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_mistakes_and_outages_break_nothing() {
    let bot = on_disk().await;
    connect(&bot, "google").await;
    settled(&bot).await;
    let account = only_account(&bot).await;
    let app = replica(&bot).await;
    bot.clock.advance(TimeDelta::hours(1));
    for outage in [
        Outage::Refused("invalid_client".to_owned()),
        Outage::Status(500),
        Outage::Unavailable {
            retry_after: Some("30".to_owned()),
        },
        Outage::TooManyRequests { retry_after: None },
    ] {
        bot.slack.provider(Provider::Google, |google| {
            google.fail_next(Endpoint::Refresh, 1, outage);
        });
        let token = app.access_token(account, None).await;
        assert!(matches!(token, Err(TokenProblem::Provider(_))), "{token:?}");
    }
    let stored = app.store().tokens(account).await.unwrap().unwrap();
    assert_eq!(stored.state, AccountState::Active);
    assert!(
        app.access_token(account, None).await.is_ok(),
        "it is refreshed as soon as it can be"
    );
    app.store().close().await;
    bot.slack.take_violations();
    bot.finish().await;
}

/// The provider has rotated, and its answer never arrives: as if the process had been killed before it could store it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_never_leaves_a_broken_connection_unnoticed() {
    let bot = on_disk().await;
    connect(&bot, "outlook").await;
    settled(&bot).await;
    let account = only_account(&bot).await;
    let app = replica(&bot).await;
    bot.clock.advance(TimeDelta::hours(1));
    // Entra lets the old token live on: it is refreshed with that.
    let lost = || Outage::AnswerLost;
    bot.slack.provider(Provider::Microsoft, |it| {
        it.fail_next(Endpoint::Refresh, 1, lost());
    });
    assert!(matches!(
        app.access_token(account, None).await,
        Err(TokenProblem::Provider(_))
    ));
    app.access_token(account, None).await.unwrap();
    // Where the old one is dead as well, the person is asked to connect again.
    bot.clock.advance(TimeDelta::hours(1));
    let old = app
        .store()
        .tokens(account)
        .await
        .unwrap()
        .unwrap()
        .refresh
        .unwrap();
    bot.slack.provider(Provider::Microsoft, |it| {
        it.fail_next(Endpoint::Refresh, 1, lost());
    });
    assert!(matches!(
        app.access_token(account, None).await,
        Err(TokenProblem::Provider(_))
    ));
    bot.slack
        .provider(Provider::Microsoft, |it| it.end_token(old.expose_secret()));
    app.store().close().await;
    bot.bot
        .store()
        .add_job(&billops::jobs::Job::RefreshTokens.to_row())
        .await
        .unwrap();
    until_told(&bot, "Outlook is no longer read since Fri 20 Nov", 1).await;
    // The reminders that wait come to their end: the last one is due, too, and says the same.
    bot.clock.advance(TimeDelta::days(10));
    let wake = billops::jobs::Job::ForgetRequests.to_row();
    bot.bot.store().add_job(&wake).await.unwrap();
    until_told(&bot, "Outlook is still not read since Fri 20 Nov", 1).await;
    bot.finish().await;
}
