//! Which scope a program's token needs, address by address. What is not listed here takes no token at all.

use axum::http::Method;

use crate::domain::scope::Scope;

/// What a token needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// To work.
    Nothing,
    /// A browser in which the person is signed in: no token opens it.
    Session,
    /// This scope.
    Scope(Scope),
}

use Needs::{Nothing, Session};
const ENTRIES: Needs = Needs::Scope(Scope::Entries);
const REPORTS: Needs = Needs::Scope(Scope::Reports);
const NOTIFICATIONS: Needs = Needs::Scope(Scope::Notifications);

/// Every address under `/api/v1` that is somebody's.
#[rustfmt::skip]
const ROUTES: &[(&str, &str, Needs)] = &[
    ("GET",    "/me", Nothing),
    ("POST",   "/auth/logout-everywhere", Session),
    ("GET",    "/audit", Session),
    ("GET",    "/integrations/slack/authorize", ENTRIES),
    ("POST",   "/integrations/slack/callback", ENTRIES),
    ("GET",    "/integrations", ENTRIES),
    ("GET",    "/integrations/slack/status", ENTRIES),
    ("PUT",    "/integrations/slack/preferences", ENTRIES),
    ("GET",    "/integrations/{provider}/authorize", ENTRIES),
    ("POST",   "/integrations/{provider}/callback", ENTRIES),
    ("POST",   "/integrations/{provider}/select-calendar", ENTRIES),
    ("DELETE", "/integrations/{provider}/{id}", ENTRIES),
    ("POST",   "/integrations/{provider}/{id}/sync", ENTRIES),
    ("GET",    "/calendar-events", ENTRIES),
    ("POST",   "/calendar-events/{id}/convert", ENTRIES),
    ("POST",   "/calendar-events/{id}/dismiss", ENTRIES),
    ("GET",    "/time-entries", ENTRIES),
    ("POST",   "/time-entries", ENTRIES),
    ("GET",    "/time-entries/export", ENTRIES),
    ("GET",    "/time-entries/{id}", ENTRIES),
    ("PATCH",  "/time-entries/{id}", ENTRIES),
    ("DELETE", "/time-entries/{id}", ENTRIES),
    ("GET",    "/projects", ENTRIES),
    ("POST",   "/projects", ENTRIES),
    ("GET",    "/projects/{id}", ENTRIES),
    ("PATCH",  "/projects/{id}", ENTRIES),
    ("GET",    "/clients", ENTRIES),
    ("POST",   "/clients", ENTRIES),
    ("GET",    "/clients/{id}", ENTRIES),
    ("PATCH",  "/clients/{id}", ENTRIES),
    ("GET",    "/reports/summary", REPORTS),
    ("POST",   "/notifications/invoice-ready", NOTIFICATIONS),
];

/// What a token needs at this address, by the route's pattern; `None` where it takes none.
pub(super) fn needed(method: &Method, pattern: &str) -> Option<Needs> {
    let path = pattern.strip_prefix("/api/v1")?;
    let method = if method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    };
    let listed = |route: &&(&str, &str, Needs)| (route.0, route.1) == (method, path);
    ROUTES.iter().find(listed).map(|route| route.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lets anybody in, or nobody but a browser.
    const OPEN: [(&str, &str); 7] = [
        ("GET", "/integrations/slack/install"),
        ("GET", "/integrations/slack/callback"),
        ("GET", "/openapi.json"),
        ("GET", "/integrations/{provider}/callback"),
        ("GET", "/auth/slack/login"),
        ("GET", "/auth/slack/callback"),
        ("POST", "/auth/logout"),
    ];

    #[test]
    fn no_route_is_forgotten() {
        let (_, document) = super::super::api().split_for_parts();
        let mut found = Vec::new();
        for (path, item) in document.paths.paths {
            let methods = [
                ("GET", item.get),
                ("POST", item.post),
                ("PUT", item.put),
                ("PATCH", item.patch),
                ("DELETE", item.delete),
            ];
            for (method, _) in methods.into_iter().filter(|(_, said)| said.is_some()) {
                found.push((method, path.clone()));
            }
        }
        assert!(found.len() > 20, "the routes were not read: {found:?}");
        for (method, path) in &found {
            let route = (*method, &**path);
            let is_listed = ROUTES
                .iter()
                .any(|(method, path, _)| (*method, *path) == route);
            assert!(is_listed != OPEN.contains(&route), "{method} {path}");
        }
        for (method, path, _) in ROUTES {
            let is_there = found.iter().any(|(m, p)| (*m, &**p) == (*method, *path));
            assert!(is_there, "there is no {method} {path}");
        }
    }

    #[test]
    fn what_is_not_listed_takes_no_token() {
        assert_eq!(needed(&Method::HEAD, "/api/v1/me"), Some(Nothing));
        assert_eq!(needed(&Method::GET, "/api/v1/time-entries"), Some(ENTRIES));
        assert_eq!(needed(&Method::PUT, "/api/v1/time-entries"), None);
        assert_eq!(needed(&Method::GET, "/me"), None);
    }
}
