//! The accounts at Google and Microsoft as they are before anything happens.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use super::{
    calendars::{AccessRole, Calendar},
    oauth::Account,
};

/// Nina's address at both providers. It is not the one she has in Slack: identity is never e-mail.
pub const NINA_EMAIL: &str = "nina.berg@tern.example";
/// Jonas' address at both providers.
pub const JONAS_EMAIL: &str = "jonas.weber@tern.example";

const HOLIDAYS: &str = "en.german#holiday@group.v.calendar.google.com";
const TEAM: &str = "c_7e4a1b2c3d@group.calendar.google.com";
const ROOMS: &str = "c_188f0a9b8c@resource.calendar.google.com";

fn calendar(id: &str, name: &str, access: AccessRole, owner: (&str, &str)) -> Calendar {
    Calendar {
        id: id.to_owned(),
        name: name.to_owned(),
        name_override: None,
        is_primary: false,
        access,
        time_zone: Tz::Europe__Berlin,
        is_hidden: false,
        owner: (owner.0.to_owned(), owner.1.to_owned()),
        events: Vec::new(),
    }
}

fn primary(calendar: Calendar) -> Calendar {
    Calendar {
        is_primary: true,
        ..calendar
    }
}

fn account(id: &str, tenant: &str, name: &str, email: &str, calendars: Vec<Calendar>) -> Account {
    Account {
        id: id.to_owned(),
        tenant: tenant.to_owned(),
        email: email.to_owned(),
        name: name.to_owned(),
        calendars,
        consented: BTreeSet::new(),
    }
}

pub(super) fn google() -> Vec<Account> {
    let nina = ("Nina Berg", NINA_EMAIL);
    let jonas = ("Jonas Weber", JONAS_EMAIL);
    let google = ("Google", "calendar@google.com");
    vec![
        account(
            "108204268033311374519",
            "",
            nina.0,
            nina.1,
            vec![
                primary(calendar(nina.1, nina.0, AccessRole::Owner, nina)),
                calendar(TEAM, "Tern team", AccessRole::Writer, nina),
                calendar(HOLIDAYS, "Holidays in Germany", AccessRole::Reader, google),
                calendar(ROOMS, "Studio rooms", AccessRole::FreeBusyReader, google),
            ],
        ),
        account(
            "114733926410288137062",
            "",
            jonas.0,
            jonas.1,
            vec![
                primary(calendar(jonas.1, jonas.0, AccessRole::Owner, jonas)),
                calendar(TEAM, "Tern team", AccessRole::Reader, nina),
            ],
        ),
    ]
}

/// The tenant of Tern Studio.
const TENANT: &str = "84bd8158-6d4d-4958-8b9f-9d6445542f95";

pub(super) fn microsoft() -> Vec<Account> {
    let nina = ("Nina Berg", NINA_EMAIL);
    let jonas = ("Jonas Weber", JONAS_EMAIL);
    vec![
        account(
            "8ee44408-0679-472c-bc2a-692812af3437",
            TENANT,
            nina.0,
            nina.1,
            vec![
                primary(calendar(
                    "AAMkAGUwNjQ4ZjIxNinaAAA=",
                    "Calendar",
                    AccessRole::Owner,
                    nina,
                )),
                calendar(
                    "AAMkAGUwNjQ4ZjIyNinaAAB=",
                    "Client visits",
                    AccessRole::Owner,
                    nina,
                ),
            ],
        ),
        account(
            "2f0c7c1a-93d5-4a51-8a0e-5d2f6f3f7b10",
            TENANT,
            jonas.0,
            jonas.1,
            vec![primary(calendar(
                "AAMkADk3MjI0ZjQxJonasAAA=",
                "Calendar",
                AccessRole::Owner,
                jonas,
            ))],
        ),
    ]
}
