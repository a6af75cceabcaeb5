//! BillOps turns what people say in Slack into billable time entries.
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
#[cfg(feature = "demo")]
pub mod sandbox;
pub mod slack;
pub mod store;
