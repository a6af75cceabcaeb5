//! The one HTTP server, and what is behind each path.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, get, post},
    serve::ListenerExt,
};
use tokio::net::TcpListener;

use super::{Sandbox, page, page_events, response_url, socket, web_api};

/// Larger than a view may be, so that one that is too large gets Slack's answer.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

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
        .route("/page/world", get(page::world))
        .route("/page/events", get(page_events::stream))
        .route("/page/say", post(page::say))
        .route("/page/action", post(page::action))
        .route("/page/home", post(page::home))
        .route("/page/submit", post(page::submit))
        .route("/page/close", post(page::close))
        .route("/page/suggest", post(page::suggest))
        .route("/page/shortcut", post(page::shortcut))
        .layer(middleware::from_fn_with_state(
            sandbox.clone(),
            page::same_origin,
        ));
    Router::new()
        .route("/api/{method}", any(web_api::call))
        .route("/link/", get(socket::open))
        .route("/commands/{*rest}", post(response_url::receive))
        .route("/actions/{*rest}", post(response_url::receive))
        .merge(page)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(sandbox)
}
