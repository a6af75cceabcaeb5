//! How much of the web server one caller may have.

/// How much of the web server one caller may have.
///
/// It is no setting of the environment: what a frontend needs is known, and whoever runs several bots before one
/// database has a proxy for the rest. A benchmark and a fuzzer set their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests that a person, or an address that nobody is signed in at, may send in a second, over a longer time;
    /// at least 1.
    pub per_second: u32,
    /// Requests that they may send at once, after a pause.
    pub burst: u32,
    /// Connections that are open at once; further ones wait to be accepted.
    pub connections: usize,
}

impl Default for Limits {
    /// Enough for a frontend that loads a page of many parts, and too little to keep the database busy.
    fn default() -> Self {
        Self {
            per_second: 20,
            burst: 100,
            connections: 1024,
        }
    }
}
