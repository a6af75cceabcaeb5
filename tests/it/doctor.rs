//! `billops doctor` finds what is wrong with calendars, and says how to mend it.

use billops::{
    config::Environment,
    doctor,
    sandbox::{Endpoint, NINA_EMAIL, Outage, Provider},
    slack::socket::Timings,
};
use chrono::TimeDelta;

use crate::{bot::TestBot, databases::Database, visitor::connect};

type Settings = Vec<(&'static str, String)>;

async fn examined(bot: &TestBot, change: impl FnOnce(&mut Settings)) -> String {
    let mut settings = bot.slack.settings(bot.bot.web_address(), &bot.database.url);
    change(&mut settings);
    let report = doctor::examine(&Environment::of(settings), bot.clock.clone()).await;
    // A refusal that the doctor asked for is what it looks for.
    bot.slack.take_violations();
    report.to_string()
}

fn set(settings: &mut Settings, name: &'static str, value: &str) {
    settings.retain(|(known, _)| *known != name);
    settings.push((name, value.to_owned()));
}

async fn on_disk() -> TestBot {
    TestBot::on(Database::on_disk(), Timings::default(), |options| options).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_right_is_said_to_be() {
    let bot = on_disk().await;
    connect(&bot, "google").await;
    let look = billops::jobs::Job::LookForSummaries.to_row();
    bot.bot.store().add_job(&look).await.unwrap();
    crate::visitor::settled(&bot).await;
    let report = examined(&bot, |_| {}).await;
    // The clock of a test is not Slack's.
    let wrong: Vec<&str> = report
        .lines()
        .filter(|line| line.starts_with("WRONG") && !line.contains("  clock  "))
        .collect();
    assert!(wrong.is_empty(), "{report}");
    for line in [
        "ok     google         Google takes the client id and its secret",
        "ok     google         the consent page opens for the redirect URI http://127.0.0.1:",
        "ok     microsoft      Microsoft takes the client id and its secret",
        "ok     sign in        Slack takes the client id and its secret; its redirect URL is http://127.0.0.1:",
        "ok     installs       Slack sends browsers back to http://127.0.0.1:",
        "ok     keys           tokens are sealed with the key “own1”",
        "ok     connections    accounts that are connected: 1",
        "ok     schedules      calendars are read every 15 min (SYNC_EVERY_MINUTES), tokens refreshed every 12 h",
        "ok     summaries      the next one is due on Fri 20 Nov 2026, 16:30 UTC",
    ] {
        assert!(report.contains(line), "{line} is missing in:\n{report}");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_are_refused_are_named_with_the_fix() {
    let bot = on_disk().await;
    let report = examined(&bot, |settings| {
        set(settings, "GOOGLE_CLIENT_SECRET", "GOCSPX-wrong");
        set(settings, "MICROSOFT_CLIENT_SECRET", "wrong~secret");
        set(settings, "SLACK_CLIENT_SECRET", "wrong");
    })
    .await;
    for line in [
        "WRONG  google         Google does not take GOOGLE_CLIENT_SECRET (invalid_client",
        "WRONG  microsoft      Microsoft does not take MICROSOFT_CLIENT_SECRET (invalid_client [7000215]",
        "WRONG  sign in        Slack does not take SLACK_CLIENT_SECRET (bad_client_secret)",
        "copy the client ID and a client secret that is enabled",
        "the Value of a secret that has not expired (not its ID)",
    ] {
        assert!(report.contains(line), "{line} is missing in:\n{report}");
    }
    assert!(
        !report.contains("GOCSPX-wrong") && !report.contains("wrong~secret"),
        "{report}"
    );

    let report = examined(&bot, |settings| {
        set(settings, "GOOGLE_REDIRECT_URI", "https://time.example/back");
        set(
            settings,
            "MICROSOFT_REDIRECT_URI",
            "https://time.example/back",
        );
        set(settings, "SLACK_REDIRECT_URI", "https://time.example/back");
    })
    .await;
    for line in [
        "WRONG  google         GOOGLE_REDIRECT_URI: the redirect URI is not registered there.",
        "add https://time.example/back to the Authorized redirect URIs, to the letter",
        "WRONG  microsoft      MICROSOFT_REDIRECT_URI: the redirect URI is not registered there.",
        "note   google         browsers come back to https://time.example/back, which is not http://127.0.0.1:",
        "note   installs       browsers come back to https://time.example/back, which is not http://127.0.0.1:",
    ] {
        assert!(report.contains(line), "{line} is missing in:\n{report}");
    }

    bot.slack.provider(Provider::Google, |google| {
        google.fail_next(Endpoint::Code, 1, Outage::Status(500));
    });
    let report = examined(&bot, |settings| {
        settings.retain(|(name, _)| !name.starts_with("MICROSOFT_CLIENT"));
    })
    .await;
    for line in [
        "WRONG  google         Google could not be asked: the provider does not answer: HTTP 500",
        "note   microsoft      not set up, so it is not offered. It needs MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET",
    ] {
        assert!(report.contains(line), "{line} is missing in:\n{report}");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_sends_its_requests_to_https_only() {
    let over_http = |settings: &mut Settings| {
        settings.retain(|(name, _)| *name != "SLACK_APP_TOKEN");
        set(settings, "SLACK_SIGNING_SECRET", "s3cret");
    };
    let bot = on_disk().await;
    let report = examined(&bot, over_http).await;
    let line = "ok     requests       come from Slack to http://127.0.0.1:";
    assert!(report.contains(line), "{report}");

    // No Slack is reached there; it is not asked where it sends to.
    let elsewhere = |settings: &mut Settings, public_url: &str| {
        over_http(settings);
        set(settings, "SLACK_API_URL", "https://slack.invalid/api");
        set(settings, "PUBLIC_URL", public_url);
    };
    let report = examined(&bot, |settings| {
        elsewhere(settings, "http://localhost:8000");
    })
    .await;
    let line = "WRONG  requests       Slack sends its requests to https addresses only, and PUBLIC_URL is \
                http://localhost:8000/.";
    assert!(report.contains(line), "{report}");
    let report = examined(&bot, |settings| {
        elsewhere(settings, "https://time.example");
    })
    .await;
    let line = "ok     requests       come from Slack to https://time.example/";
    assert!(report.contains(line), "{report}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scopes_that_are_not_granted_are_named_with_where_to_add_them() {
    let bot = on_disk().await;
    let report = examined(&bot, |_| {}).await;
    let line = "ok     scopes         all that BillOps needs are granted";
    assert!(report.contains(line), "{report}");
    bot.finish().await;

    let few = |mut options: billops::sandbox::Options| {
        let needless = ["files:write", "im:history"];
        options
            .manifest
            .scopes
            .retain(|scope| !needless.contains(&scope.as_str()));
        options
    };
    let bot = TestBot::on(Database::on_disk(), Timings::default(), few).await;
    for (app_id, place) in [
        (None, "https://api.slack.com/apps"),
        (Some("A07OWN"), "https://api.slack.com/apps/A07OWN/oauth"),
    ] {
        let report = examined(&bot, |settings| {
            if let Some(app_id) = app_id {
                set(settings, "SLACK_APP_ID", app_id);
            }
        })
        .await;
        let line = "WRONG  scopes         missing: ";
        let (_, line) = report.split_once(line).expect(&report);
        let (missing, way_out) = line.split_once(". ").expect(&report);
        let mut missing: Vec<&str> = missing.split(", ").collect();
        missing.sort_unstable();
        assert_eq!(missing, ["files:write", "im:history"], "{report}");
        assert_eq!(
            way_out.lines().next().unwrap(),
            format!(
                "In your app's settings open OAuth & Permissions, add them, and install the app again: {place}"
            )
        );
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_cannot_be_read_are_counted() {
    let bot = on_disk().await;
    connect(&bot, "google").await;
    let report = examined(&bot, |settings| {
        set(
            settings,
            "ENCRYPTION_KEYS",
            "k9:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        );
    })
    .await;
    let line = "WRONG  keys           2 tokens are sealed with the key “own1”, which is not there.";
    assert!(report.contains(line), "{report}");

    bot.clock.advance(TimeDelta::hours(1));
    bot.slack.provider(Provider::Google, |google| {
        google.revoke_refresh_tokens(NINA_EMAIL);
        google.remove_calendar(NINA_EMAIL, "Tern team").unwrap();
    });
    bot.bot
        .store()
        .add_job(&billops::jobs::Job::RefreshTokens.to_row())
        .await
        .unwrap();
    let broken = |slack: &billops::sandbox::Sandbox| {
        let dm = slack.world(|world| world.person("nina").unwrap().dm());
        slack
            .messages("nina", &dm)
            .iter()
            .any(|message| message.text.contains("no longer read"))
            .then_some(())
    };
    bot.slack
        .wait_for("the broken connection to be told", broken)
        .await
        .unwrap();
    let report = examined(&bot, |_| {}).await;
    let line = "note   connections    accounts that their owners have to connect again: 1";
    assert!(report.contains(line), "{report}");
    // Connected again without a calendar that was chosen, that is found missing.
    connect(&bot, "google").await;
    let report = examined(&bot, |_| {}).await;
    assert!(
        report.contains("note   connections    chosen calendars that are not found any more: 1"),
        "{report}"
    );
    // The reminders that wait come to their end.
    bot.clock.advance(TimeDelta::days(10));
    bot.bot
        .store()
        .add_job(&billops::jobs::Job::ForgetRequests.to_row())
        .await
        .unwrap();
    bot.finish().await;
}
