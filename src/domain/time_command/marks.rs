//! `#project`, `@client`, `+tag`, `!billable`: what belongs to an entry beside its words.

use std::borrow::Cow;

use super::draft::SEPARATORS;
use crate::domain::project::is_project_name;

/// The marks of a line, collected from its front and its end.
#[derive(Clone)]
pub(super) struct Marks<'a> {
    line: &'a str,
    /// Where Slack says that an `@` names a person, in bytes of the line.
    mentions: &'a [usize],
    pub(super) project: Option<&'a str>,
    pub(super) client: Option<&'a str>,
    pub(super) billable: Option<bool>,
    /// From the last to the first.
    tags: Vec<&'a str>,
}

impl<'a> Marks<'a> {
    pub(super) fn new(line: &'a str, mentions: &'a [usize]) -> Self {
        Self {
            line,
            mentions,
            project: None,
            client: None,
            billable: None,
            tags: Vec::new(),
        }
    }

    /// The tags in the order in which they were typed.
    pub(super) fn tags(&self) -> Vec<String> {
        self.tags.iter().rev().map(|&tag| tag.to_owned()).collect()
    }

    /// Takes a project, a client and `!billable` from the beginning of the text, and gives back
    /// what follows them. Takes nothing twice.
    pub(super) fn in_front(&mut self, text: &'a str) -> &'a str {
        let mut rest = text.trim_start();
        while let Some(mark) = rest.chars().next().filter(|c| matches!(c, '#' | '@' | '!')) {
            let name = name_at(&rest[1..]);
            let taken = match mark {
                '#' => named(mark, name) && self.project.is_none(),
                '@' => named(mark, name) && self.client.is_none() && !self.is_mention(rest),
                _ => billable(name).is_some() && self.billable.is_none(),
            };
            if !taken {
                break;
            }
            match mark {
                '#' => self.project = Some(name),
                '@' => self.client = Some(name),
                _ => self.billable = billable(name),
            }
            rest = rest[1 + name.len()..].trim_start();
        }
        rest
    }

    /// Takes tags, `!billable`, a project and the client beside it from the end of the text, and
    /// gives back what stands before them.
    pub(super) fn at_the_end(&mut self, text: &'a str) -> &'a str {
        let mut rest = text.trim_end();
        loop {
            let start = rest.rfind(char::is_whitespace).map_or(0, |space| {
                space + rest[space..].chars().next().map_or(1, char::len_utf8)
            });
            let last = &rest[start..];
            let mut characters = last.chars();
            let mark = characters.next();
            let name = characters.as_str();
            let whole = || name_at(name) == name;
            match mark {
                Some('+') if whole() && named('+', name) => self.tags.push(name),
                Some('!') if self.billable.is_none() && billable(name).is_some() => {
                    self.billable = billable(name);
                }
                Some('#') if whole() && named('#', name) && self.project.is_none() => {
                    self.project = Some(name);
                }
                Some('@')
                    if whole()
                        && named('@', name)
                        && self.client.is_none()
                        && !self.is_mention(last)
                        && self.beside_a_project(&rest[..start]) =>
                {
                    self.client = Some(name);
                }
                _ => return rest,
            }
            rest = rest[..start].trim_end();
        }
    }

    /// Words with the marks around them, so that both can be typed again.
    pub(super) fn around(&self, words: &'a str) -> Cow<'a, str> {
        let mut all = String::new();
        for (mark, name) in [('#', self.project), ('@', self.client)] {
            if let Some(name) = name {
                all.push(mark);
                all.push_str(name);
                all.push(' ');
            }
        }
        all.push_str(match self.billable {
            Some(true) => "!billable ",
            Some(false) => "!nonbillable ",
            None => "",
        });
        if all.is_empty() && self.tags.is_empty() {
            return Cow::Borrowed(words);
        }
        all.push_str(words.trim().trim_start_matches(SEPARATORS).trim_start());
        for tag in self.tags.iter().rev() {
            all.push_str(" +");
            all.push_str(tag);
        }
        Cow::Owned(all)
    }

    /// A client at the end stands beside a project; alone, it is a person somebody talked to.
    fn beside_a_project(&self, before: &str) -> bool {
        let previous = before.trim_end().rsplit(char::is_whitespace).next();
        self.project.is_some()
            || previous
                .and_then(|word| word.strip_prefix('#'))
                .is_some_and(|name| named('#', name) && name_at(name) == name)
    }

    fn is_mention(&self, at: &str) -> bool {
        let offset = at.as_ptr().addr().wrapping_sub(self.line.as_ptr().addr());
        self.mentions.binary_search(&offset).is_ok()
    }
}

/// The name behind a sign at the beginning of the text, and the text behind both.
pub(super) fn name_behind(sign: char, text: &str) -> Option<(&str, &str)> {
    let behind = text.strip_prefix(sign)?;
    let name = name_at(behind);
    named(sign, name).then(|| (name, &behind[name.len()..]))
}

/// The name behind a mark: up to white space, a quote or a separator.
fn name_at(text: &str) -> &str {
    let ends = |c: char| {
        let mark = matches!(
            c,
            ':' | ',' | ';' | '"' | '“' | '”' | '(' | ')' | '#' | '@' | '!' | '+'
        );
        mark || c.is_whitespace()
    };
    let name = &text[..text.find(ends).unwrap_or(text.len())];
    name.trim_end_matches(['.', '?', '-', '–'])
}

/// Whether it is a name behind this sign. Of projects it can begin with a digit; of clients and tags it begins with a
/// letter, so `+1` and `@2pm` are words.
fn named(sign: char, name: &str) -> bool {
    match sign {
        '#' => is_project_name(name),
        _ => name.starts_with(char::is_alphabetic),
    }
}

fn billable(name: &str) -> Option<bool> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    if is("billable") {
        Some(true)
    } else if is("nonbillable") || is("non-billable") || is("unbillable") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::log;

    fn read(text: &str) -> String {
        let line = log(text);
        let project = line.project.unwrap_or_default();
        let client = line.client.unwrap_or_default();
        let tags = line.tags.join(",");
        format!(
            "{project}|{client}|{tags}|{:?}|{}",
            line.billable, line.description
        )
    }

    #[test]
    fn marks_stand_anywhere_around_the_description() {
        assert_eq!(read("1h30 #acme wireframes"), "acme|||None|wireframes");
        assert_eq!(read("#acme 1h30 wireframes"), "acme|||None|wireframes");
        assert_eq!(read("1h30 on #acme: wireframes"), "acme|||None|wireframes");
        assert_eq!(read("1h30: #acme wireframes"), "acme|||None|wireframes");
        assert_eq!(read("1h30 wireframes #acme"), "acme|||None|wireframes");
        assert_eq!(read("wireframes 1h30 #acme"), "acme|||None|wireframes");
        assert_eq!(
            read("yesterday #acme 1h30 wireframes"),
            "acme|||None|wireframes"
        );
        assert_eq!(
            read("1h30 #acme yesterday: wireframes"),
            "acme|||None|wireframes"
        );
        assert_eq!(
            read("1h30 <#C01|acme> wireframes"),
            "acme|||None|wireframes"
        );
        assert_eq!(read("1h30 #acme"), "acme|||None|");
    }

    #[test]
    fn clients_tags_and_billing() {
        assert_eq!(
            read("2h #web @tern logo +design +v2 !billable"),
            "web|tern|design,v2|Some(true)|logo"
        );
        assert_eq!(
            read("2h @tern logo !nonbillable"),
            "|tern||Some(false)|logo"
        );
        assert_eq!(read("2h logo #web @tern"), "web|tern||None|logo");
        assert_eq!(read("2h logo @tern #web"), "web|tern||None|logo");
    }

    #[test]
    fn a_project_is_no_time() {
        assert_eq!(read("1h #2h x"), "2h|||None|x");
        assert_eq!(read("#9-11 1h x"), "9-11|||None|x");
        assert_eq!(read("x 1h #9-11"), "9-11|||None|x");
        assert_eq!(read("1h x #3m-co"), "3m-co|||None|x");
        assert_eq!(read("1h #2h @2pm x"), "2h|||None|@2pm x");
        assert_eq!(read("1h #2026: x"), "|||None|#2026: x");
    }

    #[test]
    fn what_looks_like_a_mark_may_be_a_word() {
        assert_eq!(read("2h fix #12"), "|||None|fix #12");
        assert_eq!(read("2h call with @nina"), "|||None|call with @nina");
        assert_eq!(read("2h <@U01|nina> sync"), "|||None|@nina sync");
        assert_eq!(read("2h learn C++ +1"), "|||None|learn C++ +1");
        assert_eq!(read("2h \"fix #web +x\" +y"), "||y|None|fix #web +x");
        assert_eq!(read("2h !important thing"), "|||None|!important thing");
        assert_eq!(read("2h a #b c"), "|||None|a #b c");
    }
}
