//! Pure values and rules: no async, SQL, Slack or HTTP.
pub mod calendar;
pub mod calendar_event;
pub mod due;
pub mod gaps;
pub mod invoice;
pub mod member;
pub mod minutes;
pub mod period;
pub mod preferences;
pub mod project;
pub mod provider;
pub mod rule;
pub mod summary;
pub mod time_command;
pub mod time_entry;
pub mod timer;
pub mod zones;
