//! What was logged in a span of days, in sum.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

use chrono::{Datelike as _, NaiveDate, Weekday};

use super::{minutes::Minutes, project::ProjectRef};

/// The sum of one day's entries of one project, billable or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// The day.
    pub date: NaiveDate,
    /// The project; `None` for entries without one.
    pub project: Option<ProjectRef>,
    /// The name of its client.
    pub client: Option<String>,
    /// Whether these go on an invoice.
    pub is_billable: bool,
    /// Their sum.
    pub minutes: Minutes,
    /// How many there are.
    pub entries: usize,
}

/// A span of days in sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Everything.
    pub total: Minutes,
    /// What goes on invoices.
    pub billable: Minutes,
    /// How many entries there are.
    pub entries: usize,
    /// Each day of the span in order, those without entries included.
    pub days: Vec<(NaiveDate, Minutes)>,
    /// By project, the most first; those without one last.
    pub projects: Vec<(Option<ProjectRef>, Minutes)>,
    /// By client's name, the most first; those without one last.
    pub clients: Vec<(Option<String>, Minutes)>,
}

impl Summary {
    /// Sums up the totals of the days from `from` to `to`, both included.
    pub fn of(totals: &[Total], from: NaiveDate, to: NaiveDate) -> Self {
        let days = from.iter_days().take_while(|day| *day <= to);
        let mut days: BTreeMap<NaiveDate, Minutes> =
            days.map(|day| (day, Minutes::default())).collect();
        let mut summary = Self::default();
        for one in totals {
            *days.entry(one.date).or_default() += one.minutes;
            summary.total += one.minutes;
            summary.entries += one.entries;
            if one.is_billable {
                summary.billable += one.minutes;
            }
        }
        let by_project = totals.iter().map(|one| (one.project.as_ref(), one.minutes));
        let by_client = totals.iter().map(|one| (one.client.as_ref(), one.minutes));
        Self {
            days: days.into_iter().collect(),
            projects: most_first(by_project, |project| &project.slug),
            clients: most_first(by_client, |client| client),
            ..summary
        }
    }

    /// How many of the working days up to `until` reach the target, and how many working days there are.
    /// Without a target every day with an entry is complete.
    pub fn complete_days(&self, target: Minutes, until: NaiveDate) -> (usize, usize) {
        let least = target.max(Minutes::new(1));
        let working = || {
            let days = self.days.iter();
            days.filter(|(day, _)| *day <= until && is_working_day(*day))
        };
        (
            working().filter(|(_, minutes)| *minutes >= least).count(),
            working().count(),
        )
    }
}

/// Monday to Friday.
pub fn is_working_day(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// The sums by key, the most first and equal ones by name; what has no key last.
fn most_first<'a, K: Clone + Eq + Hash + 'a>(
    parts: impl Iterator<Item = (Option<&'a K>, Minutes)>,
    name: impl Fn(&K) -> &str,
) -> Vec<(Option<K>, Minutes)> {
    let mut sums: HashMap<Option<&K>, Minutes> = HashMap::new();
    for (key, minutes) in parts {
        *sums.entry(key).or_default() += minutes;
    }
    let mut sums: Vec<(Option<&K>, Minutes)> = sums.into_iter().collect();
    sums.sort_by(|a, b| {
        let names = (a.0.map(&name), b.0.map(&name));
        (a.0.is_none(), b.1, names.0).cmp(&(b.0.is_none(), a.1, names.1))
    });
    let owned = |(key, minutes): (Option<&K>, Minutes)| (key.cloned(), minutes);
    sums.into_iter().map(owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn date(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    fn total(day: u32, project: &str, client: &str, is_billable: bool, minutes: u32) -> Total {
        Total {
            date: date(day),
            project: (!project.is_empty()).then(|| ProjectRef {
                id: Uuid::from_u128(project.len() as u128),
                slug: project.to_owned(),
            }),
            client: (!client.is_empty()).then(|| client.to_owned()),
            is_billable,
            minutes: Minutes::new(minutes),
            entries: 2,
        }
    }

    fn minutes<K: Clone>(sums: &[(K, Minutes)], name: impl Fn(K) -> String) -> Vec<(String, u32)> {
        let pair = |(key, minutes): &(K, Minutes)| (name(key.clone()), minutes.get());
        sums.iter().map(pair).collect()
    }

    #[test]
    fn a_week_is_summed_by_day_project_and_client() {
        let week = [
            total(16, "acme", "Acme", true, 480),
            total(17, "acme-app", "Acme", true, 240),
            total(17, "acme-app", "Acme", false, 60),
            total(18, "", "", false, 600),
            total(20, "halden", "", true, 300),
            total(20, "zebra-", "", true, 300),
        ];
        let summary = Summary::of(&week, date(16), date(22));
        assert_eq!(
            (summary.total.get(), summary.billable.get(), summary.entries),
            (1980, 1320, 12)
        );
        let days: Vec<u32> = summary.days.iter().map(|(_, sum)| sum.get()).collect();
        assert_eq!(days, [480, 300, 600, 0, 600, 0, 0]);
        let slug = |project: Option<ProjectRef>| project.map_or_else(String::new, |p| p.slug);
        let pairs = |pairs: &[(&str, u32)]| -> Vec<(String, u32)> {
            pairs.iter().map(|(n, m)| ((*n).to_owned(), *m)).collect()
        };
        // The most first, equal ones by name, and what has no project last however much it is.
        assert_eq!(
            minutes(&summary.projects, slug),
            pairs(&[
                ("acme", 480),
                ("acme-app", 300),
                ("halden", 300),
                ("zebra-", 300),
                ("", 600)
            ])
        );
        assert_eq!(
            minutes(&summary.clients, Option::unwrap_or_default),
            pairs(&[("Acme", 780), ("", 1200)])
        );
    }

    #[test]
    fn complete_are_the_working_days_that_reach_the_target() {
        let week = [
            total(16, "", "", false, 480),
            total(17, "", "", false, 479),
            total(21, "", "", false, 480),
        ];
        let summary = Summary::of(&week, date(16), date(22));
        let eight = Minutes::from_hours(8);
        assert_eq!(summary.complete_days(eight, date(17)), (1, 2));
        assert_eq!(summary.complete_days(eight, date(22)), (1, 5));
        assert_eq!(summary.complete_days(eight, date(15)), (0, 0));
        assert_eq!(summary.complete_days(Minutes::default(), date(22)), (2, 5));
    }

    #[test]
    fn nothing_is_a_span_of_empty_days() {
        let summary = Summary::of(&[], date(16), date(22));
        assert_eq!((summary.total.get(), summary.days.len()), (0, 7));
        assert!(summary.projects.is_empty() && summary.clients.is_empty());
    }
}
