//! Slack's escapes, read back as what the person typed.

use std::borrow::Cow;

/// A text as it was typed.
pub(super) struct Typed<'a> {
    pub(super) text: Cow<'a, str>,
    /// Where a person is mentioned, in bytes of the text, in order.
    pub(super) mentions: Vec<usize>,
}

/// Reads back `&amp; &lt; &gt;`, `<@U1|name>`, `<#C1|name>`, `<!here>` and `<https://…|text>`.
///
/// What Slack did not write is left alone, so a lone `<` stays what it is. A mention without a
/// name becomes its id, as the name is not in the text.
pub(super) fn read_back(text: &str) -> Typed<'_> {
    if !text.contains(['&', '<']) {
        return Typed {
            text: Cow::Borrowed(text),
            mentions: Vec::new(),
        };
    }
    let mut mentions = Vec::new();
    let mut typed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(position) = rest.find(['&', '<']) {
        typed.push_str(&rest[..position]);
        rest = &rest[position..];
        if let Some((character, after)) = entity(rest) {
            typed.push(character);
            rest = after;
        } else if let Some((inside, after)) = token(rest)
            && let place = typed.len()
            && unfold(inside, &mut typed)
        {
            if inside.starts_with('@') {
                mentions.push(place);
            }
            rest = after;
        } else {
            typed.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    typed.push_str(rest);
    Typed {
        text: Cow::Owned(typed),
        mentions,
    }
}

fn entity(text: &str) -> Option<(char, &str)> {
    [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')]
        .into_iter()
        .find_map(|(escaped, character)| Some((character, text.strip_prefix(escaped)?)))
}

/// What stands between `<` and `>`; there is no `<` inside, which keeps the search linear.
fn token(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('<')?;
    let end = inside.find(['<', '>'])?;
    let after = inside[end..].strip_prefix('>')?;
    Some((&inside[..end], after))
}

/// Adds what a token stands for; `false` if it is none of Slack's.
fn unfold(inside: &str, typed: &mut String) -> bool {
    let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if let Some(id) = target.strip_prefix(['@', '#']).filter(|id| is_id(id)) {
        typed.push_str(&target[..1]);
        unescape(if label.is_empty() { id } else { label }, typed);
    } else if let Some(command) = target.strip_prefix('!') {
        let name = if label.is_empty() {
            command.split('^').next().unwrap_or_default()
        } else {
            label
        };
        if !name.starts_with('@') && !command.starts_with("date") {
            typed.push('@');
        }
        unescape(name, typed);
    } else if target.contains("://") || target.starts_with("mailto:") || target.starts_with("tel:")
    {
        let address = target.strip_prefix("mailto:").unwrap_or(target);
        let address = address.strip_prefix("tel:").unwrap_or(address);
        unescape(if label.is_empty() { address } else { label }, typed);
    } else {
        return false;
    }
    true
}

fn unescape(text: &str, typed: &mut String) {
    let mut rest = text;
    while let Some(position) = rest.find('&') {
        typed.push_str(&rest[..position]);
        rest = &rest[position..];
        let (character, after) = entity(rest).unwrap_or(('&', &rest[1..]));
        typed.push(character);
        rest = after;
    }
    typed.push_str(rest);
}

#[cfg(test)]
mod tests {
    fn read_back(text: &str) -> String {
        super::read_back(text).text.into_owned()
    }

    #[test]
    fn escapes_are_read_back_once() {
        assert_eq!(read_back("R&amp;D &lt;3 &gt; 2"), "R&D <3 > 2");
        assert_eq!(read_back("&amp;lt;"), "&lt;");
        assert_eq!(read_back("&nbsp; & a"), "&nbsp; & a");
    }

    #[test]
    fn mentions_and_links_become_what_was_typed() {
        assert_eq!(read_back("call <@U012ABC|nina>"), "call @nina");
        assert_eq!(read_back("call <@U012ABC>"), "call @U012ABC");
        assert_eq!(read_back("<#C1|acme> <#C2|>"), "#acme #C2");
        assert_eq!(
            read_back("<https://a.example/?x=1&amp;y=2>"),
            "https://a.example/?x=1&y=2"
        );
        assert_eq!(read_back("<http://a.example|a.example>"), "a.example");
        assert_eq!(read_back("<mailto:n@a.example|n@a.example>"), "n@a.example");
        assert_eq!(read_back("<!here> <!subteam^S1|@team>"), "@here @team");
    }

    #[test]
    fn what_slack_did_not_write_stays() {
        for text in [
            "2 < 3", "<", "<<>>", "a <b> c", "<@>", "< @U1>", "<|>", "x > y",
        ] {
            assert_eq!(read_back(text), text);
        }
        assert_eq!(read_back("&lt;@U1&gt;"), "<@U1>");
    }

    #[test]
    fn mentions_are_remembered() {
        assert_eq!(super::read_back("ä <@U1|ann> @bo <@U2>").mentions, [3, 12]);
        assert!(super::read_back("@bo").mentions.is_empty());
    }
}
