//! Series: what is guessed for them, what is offered, what is logged by itself; meetings that have ended, and
//! logged ones that change.

use billops::{
    domain::calendar_event::EventState,
    jobs::Job,
    sandbox::{
        Choice, Message, NINA_EMAIL, NewEvent, Provider, Repeat, Sandbox, When,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    bot::{NINA, TestBot},
    meetings::{add, at, calendar, connected, home_with, nina, sync, the},
};

const GOOGLE: Provider = Provider::Google;
