//! Slack: what it sends, and what people read there.
mod inbound;
pub mod socket;
