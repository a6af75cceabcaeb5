//! The methods about the app, people and conversations.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Sandbox,
    arguments::{Answered, Arguments, Refusal},
    socket,
    world::Person,
};

pub(super) fn api_test(arguments: &Arguments) -> Answered {
    if let Some(error) = arguments.text("error") {
        let mut refusal = Refusal::new(error);
        refusal
            .more
            .insert("args".to_owned(), json!({"error": error}));
        return Err(refusal);
    }
    Ok(json!({"ok": true, "args": arguments.values}))
}

pub(super) fn connections_open(sandbox: &Sandbox) -> Answered {
    if sandbox.slack.sockets.is_off() {
        return Err(Refusal::new("forbidden_team"));
    }
    Ok(json!({"ok": true, "url": socket::link_url(sandbox)}))
}

pub(super) fn auth_test(sandbox: &Sandbox) -> Value {
    sandbox.world(|world| {
        json!({
            "ok": true,
            "url": format!("https://{}.slack.com/", world.team.domain),
            "team": world.team.name,
            "user": world.app.name.to_lowercase(),
            "team_id": world.team.id,
            "user_id": world.app.user_id,
            "bot_id": world.app.bot_id,
            "enterprise_id": world.enterprise.as_ref().map(|org| &org.id),
            "is_enterprise_install": world.org_wide(),
        })
    })
}

pub(super) fn users_info(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    let Some(user) = arguments.text("user") else {
        return Err(Refusal::new("user_not_found"));
    };
    let now = sandbox.slack.options.clock.now();
    let scopes = &sandbox.slack.options.manifest.scopes;
    let with_email = scopes.iter().any(|scope| scope == "users:read.email");
    let locale = arguments.flag("include_locale");
    sandbox.world(|world| {
        if user == world.app.user_id {
            let (app, team) = (&world.app, &world.team);
            return Ok(json!({"ok": true, "user": {
                "id": app.user_id, "team_id": team.id, "name": app.name.to_lowercase(),
                "real_name": app.name, "deleted": false, "is_bot": true, "is_app_user": false,
                "tz": "America/Los_Angeles", "tz_label": "Pacific Standard Time",
                "tz_offset": -28800, "is_admin": false, "is_owner": false, "updated": 0,
                "profile": {"real_name": app.name, "display_name": app.name, "bot_id": app.bot_id,
                    "api_app_id": app.id},
            }}));
        }
        let person = world
            .people()
            .iter()
            .find(|person| person.id == user)
            .ok_or_else(|| Refusal::new("user_not_found"))?;
        let mut json = person_json(person, &world.team.id, now);
        if with_email {
            json["profile"]["email"] = json!(person.email);
        }
        if locale {
            json["locale"] = json!(person.locale);
        }
        Ok(json!({"ok": true, "user": json}))
    })
}

pub(super) fn person_json(person: &Person, team: &str, now: DateTime<Utc>) -> Value {
    json!({
        "id": person.id,
        "team_id": team,
        "name": person.name,
        "deleted": false,
        "color": person.color,
        "real_name": person.real_name,
        "tz": person.tz.name(),
        "tz_label": person.tz.name(),
        "tz_offset": person.tz_offset(now),
        "profile": {
            "title": person.title,
            "real_name": person.real_name,
            "real_name_normalized": person.real_name,
            "display_name": person.name,
            "display_name_normalized": person.name,
            "team": team,
        },
        "is_admin": person.is_admin,
        "is_owner": false,
        "is_primary_owner": false,
        "is_restricted": false,
        "is_ultra_restricted": false,
        "is_bot": person.is_bot,
        "is_app_user": false,
        "updated": 0,
        "is_email_confirmed": true,
    })
}

pub(super) fn conversations_open(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    let user = match (arguments.text("users"), arguments.text("channel")) {
        (Some(users), _) => users.to_owned(),
        (None, Some(channel)) => sandbox
            .world(|world| {
                let found = world.people().iter().find(|person| person.dm() == channel);
                found.map(|person| person.id.clone())
            })
            .ok_or_else(|| Refusal::new("channel_not_found"))?,
        (None, None) => return Err(Refusal::new("users_list_not_supplied")),
    };
    let full = arguments.flag("return_im");
    sandbox.change(|world| {
        if !world.people().iter().any(|person| person.id == user) {
            return Err(Refusal::new("user_not_found"));
        }
        let id = world.open_direct(&user);
        let mut channel = json!({"id": id});
        if full {
            channel["user"] = json!(user);
            channel["is_im"] = json!(true);
        }
        Ok(json!({"ok": true, "channel": channel}))
    })
}
