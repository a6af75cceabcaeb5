//! The web server: connecting calendars in a browser, signing in, the API, health.
//!
//! Every answer carries the headers that keep a page to itself ([`guarded`]). Whatever a cookie may do is checked for
//! its origin ([`session::Visitor`]). Nothing secret is in an address that is kept: codes and states are used up by
//! the request that brings them, and its answer leads to a clean one.

mod api;
mod audit;
mod auth;
mod connect;
mod cors;
mod docs;
mod events;
mod export;
mod fields;
mod health;
mod idempotency;
mod install;
mod limits;
mod lists;
mod metrics;
mod notifications;
mod openapi;
mod pages;
mod preferences;
mod problem;
mod projects;
mod reports;
mod schema;
mod scopes;
mod server;
mod session;
mod sessions;
mod slack_http;
mod time_entries;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::{any, get, post},
};
use tokio::{net::TcpListener, sync::OnceCell, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use url::Url;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    config::Config,
    error::Failed,
    jobs::LastTick,
    slack::{http::Inbox, socket::SocketStates},
};
use health::Health;
use limits::Buckets;
use openapi::Document;

/// No request of ours is longer.
const BODY_LIMIT: usize = 64 * 1024;
/// A view of Slack's is up to 250 KB, and a request carries it escaped.
const SLACK_BODY_LIMIT: usize = 1024 * 1024;

/// The running web server.
#[derive(Debug)]
pub struct Web {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What every handler knows.
#[derive(Clone)]
struct Site {
    app: App,
    public_url: Arc<Url>,
    frontend_url: Option<Arc<Url>>,
    /// Leads back to the app in Slack, where its id is known.
    slack_url: Option<Arc<str>>,
    /// Takes Slack's requests, in HTTP mode.
    inbox: Option<Inbox>,
    /// Whether workspaces can be added here: the app's own credentials are set.
    can_install: bool,
    /// The Content-Security-Policy of every page.
    policy: HeaderValue,
    /// What the API says about itself, once it was asked: as it is sent it is long, and most never ask.
    document: Arc<OnceCell<Document>>,
    /// What each caller may still ask for.
    buckets: Arc<Buckets>,
}

impl Site {
    /// What the API says about itself.
    async fn document(&self) -> Result<Document, Failed> {
        let made = self.document.get_or_try_init(async || {
            let cookie = session::cookie_name(&self.public_url);
            // It takes as long as many requests.
            tokio::task::spawn_blocking(move || Document::new(api().into_openapi(), cookie)).await
        });
        made.await
            .cloned()
            .map_err(|problem| self.app.failed("describing the API", problem))
    }
}

impl Web {
    /// Listens at `listener`.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn start(
        listener: TcpListener,
        app: App,
        socket: Option<SocketStates>,
        inbox: Option<Inbox>,
        last_tick: LastTick,
        config: &Config,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let health = Health {
            store: app.store().clone(),
            socket,
            last_tick,
        };
        let (api, _) = api().split_for_parts();
        let buckets = Buckets::new(config.limits, app.clock().clone());
        let site = Site {
            app,
            public_url: Arc::new(config.public_url.clone()),
            frontend_url: config.frontend_url.clone().map(Arc::new),
            slack_url: config
                .slack
                .app_id
                .as_ref()
                .map(|id| format!("https://slack.com/app_redirect?app={id}").into()),
            inbox,
            can_install: config.slack.install.is_some(),
            policy: policy(config),
            document: Arc::default(),
            buckets: Arc::new(buckets),
        };
        let router = router(site, health, api);
        let stop = CancellationToken::new();
        let connections = config.limits.connections;
        let task = tokio::spawn(server::serve(listener, router, connections, stop.clone()));
        Ok(Self {
            address,
            stop,
            task,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers the requests that are under way and stops.
    pub async fn shut_down(self) {
        self.stop.cancel();
        match tokio::time::timeout(Duration::from_secs(2), self.task).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(problem)) => tracing::error!("web.failed: {problem}"),
        }
    }
}

/// The API's operations: what is here is served, and is in its document.
fn api() -> OpenApiRouter<Site> {
    OpenApiRouter::new()
        .routes(routes!(openapi::openapi_json))
        .routes(routes!(api::me))
        .routes(routes!(auth::login))
        .routes(routes!(auth::callback))
        .routes(routes!(auth::logout))
        .routes(routes!(api::integrations))
        .routes(routes!(preferences::status))
        .routes(routes!(preferences::save))
        .routes(routes!(api::authorize))
        .routes(routes!(connect::callback, api::callback))
        .routes(routes!(api::select_calendar))
        .routes(routes!(api::disconnect))
        .routes(routes!(events::sync))
        .routes(routes!(events::list))
        .routes(routes!(events::convert))
        .routes(routes!(events::dismiss))
        .routes(routes!(time_entries::list, time_entries::create))
        .routes(routes!(export::entries))
        .routes(routes!(
            time_entries::one,
            time_entries::change,
            time_entries::delete
        ))
        .routes(routes!(projects::list, projects::create))
        .routes(routes!(projects::one, projects::change))
        .routes(routes!(projects::clients, projects::create_client))
        .routes(routes!(projects::one_client, projects::change_client))
        .routes(routes!(reports::summary))
        .routes(routes!(notifications::invoice_ready))
        .routes(routes!(install::begin))
        .routes(routes!(install::authorize))
        .routes(routes!(install::callback, install::hand_over))
        .routes(routes!(sessions::end_all))
        .routes(routes!(audit::list))
}

fn router(site: Site, health: Health, api: Router<Site>) -> Router {
    let from_slack = Router::new()
        .route(
            "/integrations/slack/commands/time",
            post(slack_http::command),
        )
        .route("/integrations/slack/events", post(slack_http::events))
        .route(
            "/integrations/slack/interactions",
            post(slack_http::interactions),
        )
        .layer(DefaultBodyLimit::max(SLACK_BODY_LIMIT));
    let api = api
        .merge(from_slack)
        .fallback(problem::unknown_path)
        .method_not_allowed_fallback(problem::unknown_method)
        // Here as well as further out: what is kept is what was sent.
        .layer(middleware::from_fn(problem::of_every_refusal))
        .layer(middleware::from_fn_with_state(
            site.clone(),
            idempotency::once,
        ))
        .layer(middleware::from_fn(limits::in_time))
        .layer(middleware::from_fn_with_state(site.clone(), limits::shown))
        .layer(middleware::from_fn(problem::of_every_refusal))
        .layer(middleware::from_fn_with_state(
            site.clone(),
            cors::for_the_frontend,
        ));
    // What a nested router leaves: its own address with a slash, and whatever else is below /api.
    let elsewhere = Router::new()
        .route("/api", any(problem::unknown_path))
        .route("/api/", any(problem::unknown_path))
        .route("/api/{*rest}", any(problem::unknown_path))
        .layer(middleware::from_fn(problem::of_every_refusal))
        .layer(middleware::from_fn_with_state(
            site.clone(),
            cors::for_the_frontend,
        ));
    Router::new()
        .nest("/api/v1", api)
        .merge(elsewhere)
        .route("/", get(pages::landing))
        .route("/docs", get(pages::docs))
        .route("/privacy", get(pages::privacy))
        .route("/sessions", get(sessions::list))
        .route("/sessions/end", post(sessions::end))
        .route("/style.css", get(pages::style))
        .route("/api/docs", get(docs::page))
        .route("/docs.css", get(docs::style))
        .route("/docs.js", get(docs::script))
        .route(
            "/connect/{provider}/{token}",
            get(connect::page).post(connect::begin),
        )
        .route(
            "/connect/{provider}/{token}/sign-in",
            post(connect::sign_in),
        )
        .route("/connected/{provider}", get(connect::connected))
        .route(
            "/not-connected/{provider}/{reason}",
            get(connect::not_connected),
        )
        .route("/not-signed-in/{reason}", get(auth::not_signed_in))
        .route("/installed", get(install::installed))
        .route("/not-installed/{reason}", get(install::not_installed))
        .fallback(pages::unknown)
        .layer(middleware::from_fn_with_state(site.clone(), guarded))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(site)
        .route("/healthz", get(health::alive))
        .with_state(())
        .merge(
            Router::new()
                .route("/readyz", get(health::ready))
                .route("/metrics", get(metrics::metrics))
                .with_state(health),
        )
}

/// A page may use its own style sheet, and its forms may lead to itself and on to whoever gives consent: browsers
/// hold the answer's redirect against the policy, too.
fn policy(config: &Config) -> HeaderValue {
    let providers = [&config.calendars.google, &config.calendars.microsoft];
    let mut origins: Vec<String> = providers
        .into_iter()
        .flatten()
        .map(|provider| provider.auth_url.origin().ascii_serialization())
        .chain(
            config
                .sign_in
                .iter()
                .map(|sign_in| sign_in.authorize_url.origin().ascii_serialization()),
        )
        .collect();
    origins.sort();
    origins.dedup();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self' {}",
        origins.join(" ")
    );
    HeaderValue::from_str(policy.trim()).expect("origins are ASCII")
}

/// The headers of every answer: nothing is kept, framed, guessed or passed on.
async fn guarded(State(site): State<Site>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let says = response.headers().get(header::CONTENT_TYPE);
    // What a library says of an address or a form that it cannot read is for whoever wrote the page.
    if response.status().is_client_error()
        && says.is_some_and(|says| says.as_bytes().starts_with(b"text/plain"))
    {
        response = pages::unknown().await;
    }
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: HeaderValue| {
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(value);
    };
    set("content-security-policy", site.policy.clone());
    set("cache-control", HeaderValue::from_static("no-store"));
    // A form must still say where it comes from, which `no-referrer` would hide from ourselves.
    set("referrer-policy", HeaderValue::from_static("same-origin"));
    set(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    set("x-frame-options", HeaderValue::from_static("DENY"));
    set(
        "cross-origin-opener-policy",
        HeaderValue::from_static("same-origin"),
    );
    if site.public_url.scheme() == "https" {
        set(
            "strict-transport-security",
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    response
}
