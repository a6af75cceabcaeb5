//! The integration tests: one binary, so that they are linked once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod bot;
mod browser;
mod connect;
mod databases;
mod doctor;
mod entries;
mod fuzz;
mod home;
mod jobs;
mod layers;
mod meetings;
mod migrations;
mod notices;
mod openapi;
mod own_data;
mod parse;
mod preferences;
mod process;
mod report;
mod rules;
mod socket;
mod store;
mod summaries;
mod summary_kills;
mod sync_faults;
mod sync_kills;
mod sync_properties;
mod time_command;
mod timer;
mod tokens;
mod typescript;
mod visitor;
