//! The REST API about time, as a program with a token uses it.

mod busy;
mod entries;
mod idempotency;
mod projects;
mod reports;
mod routes;
mod scopes;

use std::sync::atomic::{AtomicU32, Ordering};

use billops::{
    domain::{member::Member, scope::Scopes},
    keyring::digest,
    store::Profile,
};
use chrono::TimeDelta;
use reqwest::{Method, header};
use serde_json::Value;

use crate::{bot::TestBot, visitor::Page};

const TERN: &str = "T07TERN001";
const NINA_ID: &str = "U07NINA001";
const JONAS_ID: &str = "U07JONAS02";
const EVERYTHING: &str = "entries reports notifications";

/// A program that acts for a person.
struct Program {
    http: reqwest::Client,
    home: String,
    bearer: String,
    member: Member,
}

/// The person, met if they were not yet, in Berlin.
async fn person(bot: &TestBot, workspace: &str, slack_user: &str, is_admin: bool) -> Member {
    let profile = Profile {
        name: slack_user.to_owned(),
        time_zone: Some(chrono_tz::Europe::Berlin),
        locale: None,
        is_admin,
    };
    let store = bot.bot.store();
    let met = store.save_member(workspace, slack_user, Some(&profile));
    met.await.unwrap()
}

impl Program {
    /// With everything that a token can allow, for Nina.
    async fn of_nina(bot: &TestBot) -> Self {
        let nina = person(bot, TERN, NINA_ID, false).await;
        Self::with(bot, nina, EVERYTHING).await
    }

    /// With these scopes, for this person.
    async fn with(bot: &TestBot, member: Member, scopes: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let token = format!("bo_test{number}");
        let ends = bot.clock.now() + TimeDelta::days(30);
        let store = bot.bot.store();
        store
            .add_api_token(
                digest(&token),
                member.binding_id,
                Scopes::read(scopes),
                ends,
            )
            .await
            .unwrap();
        // Fails only where it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            http: reqwest::Client::new(),
            home: format!("http://{}", bot.bot.web_address()),
            bearer: format!("Bearer {token}"),
            member,
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Page {
        let url: url::Url = format!("{}/api/v1{path}", self.home).parse().unwrap();
        let mut request = self.http.request(method, url.clone());
        request = request.header(header::AUTHORIZATION, &self.bearer);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        Page {
            status: response.status(),
            url,
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Page {
        self.send(Method::GET, path, &[], None).await
    }

    async fn post(&self, path: &str, body: &Value) -> Page {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    async fn patch(&self, path: &str, body: &Value) -> Page {
        self.send(Method::PATCH, path, &[], Some(body)).await
    }
}

/// The fields that a refusal names.
fn fields(page: &Page) -> Vec<String> {
    assert_eq!(page.status, 422, "{}", page.body);
    let errors = page.json()["errors"].as_array().unwrap().clone();
    let field = |error: &Value| error["field"].as_str().unwrap().to_owned();
    errors.iter().map(field).collect()
}
