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
//! - **A change**: [`app`] says what an entry is to be, [`store::Store::change_entries`] does it and writes
//!   down what was before. [`store::Store::take_back`] and `/time undo` undo any change from that, timers
//!   included; taking back is a change, too.
//! - **A form**: a button, a shortcut or `/time` alone opens it, and it carries what it is about and the
//!   version that was shown. Submitted, it is read like a line, each problem is said at its field, and the
//!   card goes where the form was opened.
//! - **A timer**: one row a person. Each step names the timer it found, so that of two replicas one wins.
//!   A tick asks for the jobs that ask people about forgotten ones.
//! - **A calendar is connected**: [`app::App::connect_link`] gives a link, [`web`] shows its page and sends the browser
//!   to Sign in with Slack and to the provider; [`app::App::end_errand`] uses the state up, checks browser and person,
//!   exchanges the code through [`calendar::Providers`], and [`store::Store::save_account`] seals the tokens.
//!   [`app::App::access_token`] refreshes them, one task of one replica at a time.
//! - **A workspace installs the app**: [`app::App::begin_install`] seals a state for whoever begins,
//!   [`app::App::end_install`] exchanges the code, and the workspace's token is kept sealed. What comes from Slack is
//!   handled with the token of the workspace that it names; so is a job, by its person's. Without Socket Mode
//!   [`slack::http`] checks the signature of each request and hands it to the same handler.
//! - **Home opened**: [`app::App::home`] is one read, [`slack::messages::home`] draws it, and it is published
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
pub mod calendar;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod domain;
pub mod error;
pub mod http;
pub mod jobs;
pub mod keyring;
pub mod manifest;
#[cfg(feature = "demo")]
pub mod sandbox;
pub mod slack;
pub mod store;
pub mod web;
