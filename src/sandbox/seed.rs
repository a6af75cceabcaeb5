//! The workspace as it is before anything happens: Tern Studio, five people, three channels.

use std::collections::{BTreeSet, VecDeque};

use chrono_tz::Tz;

use super::world::{App, Channel, ChannelKind, Person, Team, World};

/// Whom the demo shows first.
pub const NINA: &str = "U07NINA001";
/// The second workspace, in which nothing is installed at first.
pub const FERN: &str = "T08FERN001";
/// Its admin.
pub const ADA: &str = "U08ADA0001";

pub(super) fn world(app: &str, messages_kept: usize) -> World {
    let mut world = World::new(
        Team {
            id: "T07TERN001".to_owned(),
            name: "Tern Studio".to_owned(),
            domain: "ternstudio".to_owned(),
        },
        App {
            id: "A07BILLOPS".to_owned(),
            name: app.to_owned(),
            user_id: "U07BILLOPS".to_owned(),
            bot_id: "B07BILLOPS".to_owned(),
        },
        messages_kept,
    );
    for person in people() {
        let id = person.id.clone();
        world.add_person(person);
        world.open_direct(&id);
    }
    let bot = world.app.user_id.clone();
    let everybody: BTreeSet<String> = world.people().iter().map(|p| p.id.clone()).collect();
    for (id, name, topic, with_bot) in [
        ("C07GENERAL", "general", "Everybody at Tern Studio", true),
        ("C07ACME001", "acme", "Website relaunch for Acme", true),
        (
            "C07HALDEN1",
            "halden",
            "Identity and booking for Halden",
            false,
        ),
    ] {
        let mut members = everybody.clone();
        if with_bot {
            members.insert(bot.clone());
        }
        world.add_channel(Channel {
            id: id.to_owned(),
            name: name.to_owned(),
            topic: topic.to_owned(),
            kind: ChannelKind::Public,
            members,
            messages: VecDeque::new(),
        });
    }
    world
}

/// Fern Garden: three people, two channels, and no BillOps.
pub(super) fn other_world(app: &str, messages_kept: usize) -> World {
    let team = Team {
        id: FERN.to_owned(),
        name: "Fern Garden".to_owned(),
        domain: "ferngarden".to_owned(),
    };
    let app = App {
        id: "A07BILLOPS".to_owned(),
        name: app.to_owned(),
        user_id: "U08BILLOPS".to_owned(),
        bot_id: "B08BILLOPS".to_owned(),
    };
    let mut world = World::new(team, app, messages_kept);
    for person in people_of(OTHERS, "ferngarden.example") {
        let id = person.id.clone();
        world.add_person(person);
        world.open_direct(&id);
    }
    let members: BTreeSet<String> = world.people().iter().map(|p| p.id.clone()).collect();
    for (id, name, topic) in [
        ("C08GENERAL", "general", "Everybody at Fern Garden"),
        ("C08PONDS01", "ponds", "Ponds and paths"),
    ] {
        world.add_channel(Channel {
            id: id.to_owned(),
            name: name.to_owned(),
            topic: topic.to_owned(),
            kind: ChannelKind::Public,
            members: members.clone(),
            messages: VecDeque::new(),
        });
    }
    world
}

/// Id, handle, name, what they do, zone, locale, whether they are an admin, and a colour.
type Known = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Tz,
    &'static str,
    bool,
    &'static str,
);

const OTHERS: [Known; 3] = [
    (
        ADA,
        "ada",
        "Ada Moss",
        "Garden designer",
        Tz::Europe__London,
        "en-GB",
        true,
        "2b8a3e",
    ),
    (
        "U08TOM0002",
        "tom",
        "Tom Reed",
        "Stonemason",
        Tz::Europe__London,
        "en-GB",
        false,
        "1971c2",
    ),
    (
        "U08IDA0003",
        "ida",
        "Ida Falk",
        "Botanist",
        Tz::Europe__Copenhagen,
        "da-DK",
        false,
        "c2255c",
    ),
];

fn people() -> Vec<Person> {
    let people = [
        (
            NINA,
            "nina",
            "Nina Berg",
            "Design lead",
            Tz::Europe__Berlin,
            "de-DE",
            true,
            "9f69e7",
        ),
        (
            "U07JONAS02",
            "jonas",
            "Jonas Weber",
            "Engineer",
            Tz::Europe__Berlin,
            "de-DE",
            false,
            "4bbe2e",
        ),
        (
            "U07ANALIMA",
            "ana",
            "Ana Lima",
            "Project manager",
            Tz::America__Sao_Paulo,
            "pt-BR",
            false,
            "e7392d",
        ),
        (
            "U07PRIYA04",
            "priya",
            "Priya Nair",
            "Engineer",
            Tz::Asia__Kolkata,
            "en-IN",
            false,
            "3c989f",
        ),
        (
            "U07SAMCOLE",
            "sam",
            "Sam Cole",
            "Copywriter",
            Tz::America__New_York,
            "en-US",
            false,
            "e96699",
        ),
    ];
    people_of(people, "ternstudio.example")
}

fn people_of<const N: usize>(people: [Known; N], domain: &str) -> Vec<Person> {
    let person = |(id, name, real_name, title, tz, locale, is_admin, color): Known| Person {
        id: id.to_owned(),
        name: name.to_owned(),
        real_name: real_name.to_owned(),
        title: title.to_owned(),
        email: format!("{name}@{domain}"),
        tz,
        locale: locale.to_owned(),
        is_admin,
        is_bot: false,
        color: color.to_owned(),
    };
    people.into_iter().map(person).collect()
}
