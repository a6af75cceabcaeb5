//! The one HTTP client. Each would have a pool and a set of TLS roots of its own, which is a megabyte and more.

use std::time::Duration;

pub use reqwest::Client;

/// How long anybody may take to answer; a caller may ask for less.
const PATIENCE: Duration = Duration::from_secs(15);

/// The client for everything but Slack's Web API. Cheap to clone; clones share their connections.
///
/// # Errors
/// The machine's TLS roots cannot be read.
pub fn client() -> Result<Client, String> {
    // Fails only where it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(PATIENCE)
        .connect_timeout(Duration::from_secs(5))
        // What follows a redirect would take the tokens along.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("BillOps/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| format!("TLS cannot be set up: {error}"))
}
