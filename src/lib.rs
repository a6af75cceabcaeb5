//! BillOps turns what people say in Slack into billable time entries.
pub mod clock;
pub mod domain;
#[cfg(feature = "demo")]
pub mod sandbox;
pub mod store;
