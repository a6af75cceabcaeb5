//! Time zones, as one looks for them: by city.

use chrono_tz::{TZ_VARIANTS, Tz};

/// The zones whose city begins with what was typed, then those that hold it anywhere in their name; without
/// anything typed, those of the same part of the world as `near`. At most `limit`.
pub fn zones_called(typed: &str, near: Tz, limit: usize) -> Vec<Tz> {
    let places = TZ_VARIANTS.iter().filter(|zone| is_place(zone.name()));
    let wanted = plain(typed);
    if wanted.is_empty() {
        let part = |zone: &Tz| zone.name().split('/').next() == near.name().split('/').next();
        return places
            .filter(|zone| part(zone))
            .copied()
            .take(limit)
            .collect();
    }
    let rank = |zone: &Tz| {
        let name = plain(zone.name());
        let city = name.rsplit('/').next().unwrap_or_default().to_owned();
        if city.starts_with(&wanted) {
            Some(0)
        } else if name.contains(&wanted) {
            Some(1)
        } else {
            None
        }
    };
    let mut found: Vec<(u8, Tz)> = places
        .filter_map(|zone| Some((rank(zone)?, *zone)))
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found
        .into_iter()
        .map(|(_, zone)| zone)
        .take(limit)
        .collect()
}

/// Whether a zone is called by a place, or is UTC. The others are what old systems call them: `Etc/GMT+5`, `EST`.
fn is_place(name: &str) -> bool {
    name == "UTC"
        || (name.contains('/')
            && !["Etc/", "US/", "SystemV/"]
                .iter()
                .any(|old| name.starts_with(old)))
}

/// As it is compared: in small letters, words apart.
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(typed: &str) -> Vec<&'static str> {
        let near = chrono_tz::Europe::Berlin;
        zones_called(typed, near, 99)
            .into_iter()
            .map(Tz::name)
            .collect()
    }

    #[test]
    fn zones_are_found_by_their_city() {
        assert_eq!(names("berl"), ["Europe/Berlin"]);
        assert_eq!(names(" new y"), ["America/New_York"]);
        assert_eq!(names("Sao Paulo"), ["America/Sao_Paulo"]);
        assert_eq!(names("lond")[0], "Europe/London");
        assert_eq!(names("utc"), ["UTC"]);
        assert!(names("america").len() == 99);
        assert!(names("Atlantis").is_empty());
    }

    #[test]
    fn without_a_city_the_near_ones_come() {
        let near = names("");
        assert!(near.contains(&"Europe/Berlin"));
        assert!(near.iter().all(|name| name.starts_with("Europe/")));
    }
}
