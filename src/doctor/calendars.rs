//! What is wrong with calendars, signing in and installs: credentials, redirect URIs, keys, and the accounts that are
//! connected.

use url::Url;

use super::{Report, State};
use crate::{
    app::Reach,
    calendar::{Examined, SignInProblem, missing_parts},
    config::InstallConfig,
    domain::{calendar::AccountState, provider::Provider},
    error::chain,
    store::Store,
};

/// A calendar's provider: credentials, redirect URI.
pub(super) async fn provider(report: &mut Report, reach: &Reach, provider: Provider) {
    let (subject, company) = (provider.as_str(), provider.company());
    let prefix = subject.to_uppercase();
    let providers = &reach.providers;
    let Some(redirect) = providers.redirect_uri(provider) else {
        return report.add(
            State::Note,
            subject,
            format!("not set up, so it is not offered. It needs {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET"),
        );
    };
    if providers.has_blank_in_secret(provider) {
        report.add(
            State::Wrong,
            subject,
            format!("{prefix}_CLIENT_SECRET holds a blank. Copy it again, without what stands around it."),
        );
    }
    match providers.examine_credentials(provider).await {
        Examined::Taken => report.add(State::Ok, subject, format!("{company} takes the client id and its secret")),
        Examined::Refused { setting, says } => report.add(
            State::Wrong,
            subject,
            format!(
                "{company} does not take {setting} ({says}). {}",
                how_to_mend(setting, redirect)
            ),
        ),
        Examined::Unanswered(problem) => report.add(
            State::Wrong,
            subject,
            format!("{company} could not be asked: {problem}. Check the network, and {prefix}_*_URL if they are set."),
        ),
    }
    if let Some(text) = elsewhere(redirect, &reach.public_url, subject) {
        report.add(State::Note, subject, text);
    }
    match providers.examine_redirect(provider).await {
        Examined::Taken => report.add(
            State::Ok,
            subject,
            format!("the consent page opens for the redirect URI {redirect}"),
        ),
        Examined::Refused { setting, says } => report.add(
            State::Wrong,
            subject,
            format!("{setting}: {says}. {}", how_to_mend(setting, redirect)),
        ),
        Examined::Unanswered(problem) => report.add(
            State::Wrong,
            subject,
            format!(
                "the consent page could not be opened for the redirect URI {redirect}: {problem}"
            ),
        ),
    }
}

/// That browsers come back elsewhere than to this server.
fn elsewhere(redirect: &Url, public_url: &Url, of: &str) -> Option<String> {
    let path = format!("/api/v1/integrations/{of}/callback");
    let is_ours = redirect.origin() == public_url.origin() && redirect.path().ends_with(&path);
    (!is_ours).then(|| {
        format!(
            "browsers come back to {redirect}, which is not {}{path}: right only where a frontend hands the code on",
            public_url.as_str().trim_end_matches('/')
        )
    })
}

/// Where workspaces come back to that install the app. Whether Slack knows the address shows only when one does.
pub(super) fn installs(report: &mut Report, install: &InstallConfig, public_url: &Url) {
    const SUBJECT: &str = "installs";
    let redirect = &install.redirect_uri;
    let text = format!(
        "Slack sends browsers back to {redirect}: in your app's settings it is one of the redirect URLs under OAuth & \
         Permissions, to the letter"
    );
    report.add(State::Ok, SUBJECT, text);
    if let Some(text) = elsewhere(redirect, public_url, "slack") {
        report.add(State::Note, SUBJECT, text);
    }
}

/// Where a setting is mended.
fn how_to_mend(setting: &str, redirect: &Url) -> String {
    match setting {
        "GOOGLE_REDIRECT_URI" => format!(
            "In the Google Cloud console open APIs & Services, Credentials, your OAuth client, and add {redirect} to the \
             Authorized redirect URIs, to the letter."
        ),
        "MICROSOFT_REDIRECT_URI" => format!(
            "In the Microsoft Entra admin center open App registrations, your app, Authentication, and add {redirect} \
             under the platform Web, to the letter."
        ),
        "GOOGLE_CLIENT_SECRET" | "GOOGLE_CLIENT_ID" => "In the Google Cloud console open APIs & Services, \
             Credentials, your OAuth client, and copy the client ID and a client secret that is enabled."
            .to_owned(),
        "MICROSOFT_CLIENT_SECRET" | "MICROSOFT_CLIENT_ID" => "In the Microsoft Entra admin center open App \
             registrations, your app: copy the Application (client) ID, and under Certificates & secrets the Value of a \
             secret that has not expired (not its ID)."
            .to_owned(),
        _ => "Check it where the app is registered.".to_owned(),
    }
}

/// Sign in with Slack.
pub(super) async fn sign_in(report: &mut Report, reach: &Reach) {
    const SUBJECT: &str = "sign in";
    let Some(sign_in) = &reach.sign_in else {
        let text = "not set up (SLACK_CLIENT_ID, SLACK_CLIENT_SECRET): whoever connects a calendar types a code in Slack \
                    instead, and nobody can sign in to the API in a browser";
        return report.add(State::Note, SUBJECT, text);
    };
    match sign_in.examine().await {
        None => report.add(
            State::Ok,
            SUBJECT,
            format!(
                "Slack takes the client id and its secret; its redirect URL is {}",
                sign_in.redirect_uri()
            ),
        ),
        Some(SignInProblem::Operator { setting, says }) => report.add(
            State::Wrong,
            SUBJECT,
            format!(
                "Slack does not take {setting} ({says}). In your app's settings, Basic Information has the client ID and \
                 secret; OAuth & Permissions needs the redirect URL {}.",
                sign_in.redirect_uri()
            ),
        ),
        Some(problem) => report.add(
            State::Wrong,
            SUBJECT,
            format!("Slack could not be asked: {problem}. Check the network, and SLACK_API_URL if it is set."),
        ),
    }
}

/// Connected accounts: the keys their tokens are sealed with, and whether they can be read.
pub(super) async fn connections(report: &mut Report, store: &Store) {
    const SUBJECT: &str = "connections";
    let counts = match store.account_counts().await {
        Ok(counts) => counts,
        Err(problem) => return report.add(State::Wrong, SUBJECT, chain(&problem)),
    };
    match store.keys_in_use().await {
        Ok(in_use) => {
            for (key, count) in in_use.iter().filter(|(key, _)| !store.holds_key(key)) {
                report.add(State::Wrong, "keys", format!(
                    "{count} tokens are sealed with the key “{key}”, which is not there. Put it back into ENCRYPTION_KEYS, \
                     behind the current one; without it their owners have to connect again."
                ));
            }
            if in_use.len() > 1 && in_use.iter().all(|(key, _)| store.holds_key(key)) {
                report.add(
                    State::Note,
                    "keys",
                    "tokens are sealed with several keys; `billops keys rotate` makes it one",
                );
            }
        }
        Err(problem) => report.add(State::Wrong, "keys", chain(&problem)),
    }
    let number = |wanted: AccountState| -> i64 {
        counts
            .iter()
            .filter(|(_, state, ..)| *state == wanted)
            .map(|(.., count)| count)
            .sum()
    };
    let (active, broken) = (
        number(AccountState::Active),
        number(AccountState::NeedsReconnect),
    );
    report.add(
        State::Ok,
        SUBJECT,
        format!("accounts that are connected: {active}"),
    );
    if broken > 0 {
        report.add(State::Note, SUBJECT, format!(
            "accounts that their owners have to connect again: {broken} (expired or revoked tokens). BillOps has told them in \
                     Slack"
        ));
    }
    for (provider, state, scopes, count) in &counts {
        let missing = missing_parts(*provider, scopes);
        if *state == AccountState::Active && !missing.is_empty() {
            report.add(State::Wrong, SUBJECT, format!(
                "{count} accounts at {} lack leave to see {}. Their owners connect again and leave every box ticked; at \
                 Google, check that the scopes are listed under Data access.",
                provider.company(), missing.join(" and ")
            ));
        }
    }
    match store.gone_calendars().await {
        Ok(0) => {}
        Ok(gone) => report.add(State::Note, SUBJECT, format!(
            "chosen calendars that are not found any more: {gone} (deleted, or no longer shared with their account)"
        )),
        Err(problem) => report.add(State::Wrong, SUBJECT, chain(&problem)),
    }
}
