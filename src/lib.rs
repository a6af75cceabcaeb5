//! BillOps turns what people say in Slack into billable time entries.
//!
//! # The map
//!
//! Data comes in at a door, is turned into a [`domain`] value there, calls one method of [`app`], which calls
//! one method of [`store`], which is one transaction. What comes back is rendered at the same door.
//!
//! - **`/time 2.5 hours: Meeting`**: [`slack::socket`] reads the envelope and hands it to the door in
//!   [`slack`], which finds out who speaks, and calls [`app::App::time_command`]. That reads the line with
//!   [`domain::time_command::parse`] and calls [`store::Store::insert_entry`], which commits it together
//!   with all others that wait. [`slack::messages::logged`] writes the card, and the acknowledgement carries
//!   it: nothing is acknowledged before it is committed.
//! - **A button**: the acknowledgement is empty, and what came of it replaces the message, or the Home tab.
//!   A button names the version of the entry that it was drawn for; if that is no longer the entry's,
//!   nothing is done and the person is told.
//! - **Home opened**: [`app::App::home`] is one read, [`slack::home::view`] draws it, and it is published
//!   over the view that was published last. After every change a job in [`jobs`] does the same.
//! - **Starting and stopping**: [`bot::Bot`] opens the store, starts the doors, and stops them in the order
//!   in which nothing is lost.
//!
//! # What holds everywhere
//!
//! Time, randomness and ids come from [`clock`] or from a parameter. Whatever belongs to a person is found
//! by the person's id and its own. A failure is logged once, with a reference that the person is shown
//! ([`error`]). Each library is named in one room only; a test reads the `use` lines and holds this.
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
