//! The workspace as it is before anything happens: Tern Studio, five people, three channels.

use std::collections::{BTreeSet, VecDeque};

use chrono_tz::Tz;

use super::world::{App, Channel, ChannelKind, Person, Team, World};

/// Whom the demo shows first.
pub const NINA: &str = "U07NINA001";

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

fn people() -> Vec<Person> {
    [
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
    ]
    .into_iter()
    .map(
        |(id, name, real_name, title, tz, locale, is_admin, color)| Person {
            id: id.to_owned(),
            name: name.to_owned(),
            real_name: real_name.to_owned(),
            title: title.to_owned(),
            email: format!("{name}@ternstudio.example"),
            tz,
            locale: locale.to_owned(),
            is_admin,
            is_bot: false,
            color: color.to_owned(),
        },
    )
    .collect()
}
