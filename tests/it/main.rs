//! The integration tests: one binary, so that they are linked once.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod bot;
mod browser;
mod connect;
mod databases;
mod doctor;
mod entries;
mod layers;
mod meetings;
mod migrations;
mod own_data;
mod parse;
mod process;
mod report;
mod socket;
mod store;
mod time_command;
mod timer;
mod tokens;
mod visitor;
