//! A small Slack on loopback: the demo, the tests and the benchmarks talk to it.
pub mod demo;
