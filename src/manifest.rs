//! The Slack app's manifest.

use url::Url;

/// `manifest.yml`, as it is in the repository.
pub const MANIFEST: &str = include_str!("../manifest.yml");

/// Where Slack sends a browser back to: after an install, and after Sign in with Slack.
const REDIRECT_PATHS: [&str; 2] = [
    "/api/v1/integrations/slack/callback",
    "/api/v1/auth/slack/callback",
];

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
}
