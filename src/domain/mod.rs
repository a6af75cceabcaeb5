//! Pure values and rules: no async, SQL, Slack or HTTP.
pub mod time_command;
