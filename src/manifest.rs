//! The Slack app's manifest.

use url::Url;

/// `manifest.yml`, as it is in the repository.
pub const MANIFEST: &str = include_str!("../manifest.yml");

/// Where Slack sends a browser back to: after an install, and after Sign in with Slack.
const REDIRECT_PATHS: [&str; 2] = [
    "/api/v1/integrations/slack/callback",
    "/api/v1/auth/slack/callback",
];

/// Where Slack sends what it would otherwise send over the socket.
const COMMAND_PATH: &str = "/api/v1/integrations/slack/commands/time";
const EVENTS_PATH: &str = "/api/v1/integrations/slack/events";
const INTERACTIONS_PATH: &str = "/api/v1/integrations/slack/interactions";

/// The manifest for a server that browsers reach at `public_url`: with its redirect URLs. Without one, the
/// manifest as it is, which is all that Socket Mode needs.
pub fn for_server(public_url: Option<&Url>) -> String {
    let Some(url) = public_url else {
        return MANIFEST.to_owned();
    };
    let base = url.as_str().trim_end_matches('/');
    let urls = REDIRECT_PATHS.map(|path| format!("    - \"{base}{path}\"\n"));
    MANIFEST.replace(
        "oauth_config:\n",
        &format!("oauth_config:\n  redirect_urls:\n{}", urls.concat()),
    )
}

/// The manifest for a server that Slack itself reaches at `public_url`, without Socket Mode: with the addresses of the
/// command, the events and the interactions as well.
pub fn for_http(public_url: &Url) -> String {
    let base = public_url.as_str().trim_end_matches('/');
    let at = |key: &str, path: &str| format!("{key}: \"{base}{path}\"\n");
    for_server(Some(public_url))
        .replace(
            "    - command: /time\n",
            &format!("    - command: /time\n      {}", at("url", COMMAND_PATH)),
        )
        .replace(
            "  event_subscriptions:\n",
            &format!(
                "  event_subscriptions:\n    {}",
                at("request_url", EVENTS_PATH)
            ),
        )
        .replace(
            "    is_enabled: true\n",
            &format!(
                "    is_enabled: true\n    {}    {}",
                at("request_url", INTERACTIONS_PATH),
                at("message_menu_options_url", INTERACTIONS_PATH)
            ),
        )
        .replace("socket_mode_enabled: true", "socket_mode_enabled: false")
}

/// What the bot's token lacks of what [`scopes`] asks for, in that order.
pub fn missing_scopes(granted: &[String]) -> Vec<&'static str> {
    scopes()
        .filter(|scope| !granted.iter().any(|one| one == scope))
        .collect()
}

/// The scopes that the bot's token must have.
pub fn scopes() -> impl Iterator<Item = &'static str> {
    MANIFEST
        .lines()
        .skip_while(|line| line.trim() != "bot:")
        .skip(1)
        .map_while(|line| line.trim().strip_prefix("- "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scopes_are_read_from_the_manifest() {
        assert_eq!(
            scopes().collect::<Vec<_>>(),
            [
                "commands",
                "chat:write",
                "files:write",
                "im:history",
                "im:write",
                "users:read"
            ]
        );
    }

    #[test]
    fn a_public_url_becomes_the_redirect_url() {
        let text = for_server(Some(&"https://time.example.com/".parse().unwrap()));
        assert!(text.contains(
            "oauth_config:\n  redirect_urls:\n    - \"https://time.example.com/api/v1/integrations/slack/callback\"\n    \
             - \"https://time.example.com/api/v1/auth/slack/callback\"\n  scopes:"
        ));
        assert_eq!(for_server(None), MANIFEST);
    }

    #[test]
    fn what_is_missing_is_named_in_the_manifests_order() {
        let granted = ["users:read", "commands", "chat:write", "im:write"].map(str::to_owned);
        assert_eq!(missing_scopes(&granted), ["files:write", "im:history"]);
        assert_eq!(
            missing_scopes(&scopes().map(str::to_owned).collect::<Vec<_>>()),
            [""; 0]
        );
    }
}
