//! Pure values and rules: no async, SQL, Slack or HTTP.
pub mod minutes;
pub mod time_command;
