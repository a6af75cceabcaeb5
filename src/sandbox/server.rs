//! The one HTTP server, and what is behind each path.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, get, post},
    serve::ListenerExt,
};
use tokio::net::TcpListener;

use super::{
    Sandbox, files, google, install, microsoft, openid, page, page_events, page_workspaces,
    response_url, socket, web_api,
};

/// Larger than a view may be, so that one that is too large gets Slack's answer.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// Slack's own limit is 1 GB; this is what a test may need.
const FILE_LIMIT: usize = 64 * 1024 * 1024;

pub(super) async fn serve(sandbox: Sandbox, listener: TcpListener) {
    let stop = sandbox.slack.stop.clone();
    let listener = listener.tap_io(|stream| {
        // A small frame must not wait for the next one; a failure costs speed only.
        let _ = stream.set_nodelay(true);
    });
    if let Err(error) = axum::serve(listener, router(sandbox))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
    {
        tracing::error!(%error, "the sandbox stopped serving");
    }
}

fn router(sandbox: Sandbox) -> Router {
    let page = Router::new()
        .route("/", get(page::index))
        .route("/page/{file}", get(page::file))
        .route("/page/world", get(page_workspaces::world))
        .route("/page/events", get(page_events::stream))
        .route("/page/download/{id}", get(files::download))
        .route("/page/say", post(page::say))
        .route("/page/action", post(page::action))
        .route("/page/home", post(page::home))
        .route("/page/submit", post(page::submit))
        .route("/page/close", post(page::close))
        .route("/page/suggest", post(page::suggest))
        .route("/page/shortcut", post(page::shortcut))
        .route("/page/clock", post(page::clock))
        .route("/page/remove", post(page_workspaces::remove))
        .layer(middleware::from_fn_with_state(
            sandbox.clone(),
            page::same_origin,
        ));
    let providers = Router::new()
        .route(
            "/openid/connect/authorize",
            get(openid::authorize).post(openid::decide),
        )
        .route("/openid/connect/keys", get(openid::keys))
        .route(
            "/oauth/v2/authorize",
            get(install::authorize).post(install::decide),
        )
        .nest("/google", google_routes())
        .nest("/microsoft", microsoft_routes());
    Router::new()
        .route("/api/{method}", any(web_api::call))
        .route("/link/", get(socket::open))
        .route(
            "/upload/v1/{id}/{key}",
            post(files::receive).layer(DefaultBodyLimit::max(FILE_LIMIT)),
        )
        .route("/commands/{*rest}", post(response_url::receive))
        .route("/actions/{*rest}", post(response_url::receive))
        .merge(page)
        .merge(providers)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(sandbox)
}

/// `GOOGLE_*_URL`
fn google_routes() -> Router<Sandbox> {
    let calendar = "/calendar/v3/calendars/{id}/events";
    Router::new()
        .route(
            "/o/oauth2/v2/auth",
            get(google::authorize).post(google::decide),
        )
        .route("/token", post(google::token))
        .route("/revoke", post(google::revoke))
        .route("/certs", get(google::keys))
        .route(
            "/calendar/v3/users/me/calendarList",
            get(google::calendar_list),
        )
        .route(calendar, get(google::events))
        .route(&format!("{calendar}/{{event}}"), get(google::event))
}

/// `MICROSOFT_LOGIN_URL` and, below `/v1.0`, `MICROSOFT_GRAPH_URL`
fn microsoft_routes() -> Router<Sandbox> {
    Router::new()
        .route(
            "/{tenant}/oauth2/v2.0/authorize",
            get(microsoft::authorize).post(microsoft::decide),
        )
        .route("/{tenant}/oauth2/v2.0/token", post(microsoft::token))
        .route("/{tenant}/discovery/v2.0/keys", get(microsoft::keys))
        .route("/v1.0/me", get(microsoft::me))
        .route("/v1.0/me/calendars", get(microsoft::calendars))
        .route(
            "/v1.0/me/calendars/{id}/calendarView",
            get(microsoft::calendar_view),
        )
        .route("/v1.0/me/events/{id}", get(microsoft::event))
}
