//! BillOps turns what people say in Slack into billable time entries.
pub mod app;
pub mod bot;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod domain;
pub mod error;
pub mod jobs;
pub mod manifest;
#[cfg(feature = "demo")]
pub mod sandbox;
pub mod slack;
pub mod store;
pub mod web;
