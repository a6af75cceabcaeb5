//! What was logged in a span of days, in sum.

use std::collections::BTreeMap;

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
}

/// A span of days in sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Everything.
    pub total: Minutes,
    /// What goes on invoices.
    pub billable: Minutes,
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
        let mut days: BTreeMap<NaiveDate, Minutes> = from
            .iter_days()
            .take_while(|day| *day <= to)
            .map(|day| (day, Minutes::default()))
            .collect();
        let mut projects: Vec<(Option<ProjectRef>, Minutes)> = Vec::new();
        let mut clients: Vec<(Option<String>, Minutes)> = Vec::new();
        let (mut total, mut billable) = (Minutes::default(), Minutes::default());
        for one in totals {
            *days.entry(one.date).or_default() += one.minutes;
            add(&mut projects, &one.project, one.minutes);
            add(&mut clients, &one.client, one.minutes);
            total += one.minutes;
            if one.is_billable {
                billable += one.minutes;
            }
        }
        projects.sort_by(|a, b| {
            let slug =
                |project: &Option<ProjectRef>| project.as_ref().map(|project| project.slug.clone());
            (a.0.is_none(), b.1, slug(&a.0)).cmp(&(b.0.is_none(), a.1, slug(&b.0)))
        });
        clients.sort_by(|a, b| (a.0.is_none(), b.1, &a.0).cmp(&(b.0.is_none(), a.1, &b.0)));
        Self {
            total,
            billable,
            days: days.into_iter().collect(),
            projects,
            clients,
        }
    }

    /// How many of the working days up to `until` reach the target, and how many working days there are.
    /// Without a target every day with an entry is complete.
    pub fn complete_days(&self, target: Minutes, until: NaiveDate) -> (usize, usize) {
        let least = target.max(Minutes::new(1));
        let working: Vec<Minutes> = self
            .days
            .iter()
            .filter(|(day, _)| *day <= until && is_working_day(*day))
            .map(|(_, minutes)| *minutes)
            .collect();
        (
            working.iter().filter(|minutes| **minutes >= least).count(),
            working.len(),
        )
    }
}

/// Monday to Friday.
pub fn is_working_day(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

fn add<K: Clone + PartialEq>(sums: &mut Vec<(K, Minutes)>, key: &K, minutes: Minutes) {
    match sums.iter_mut().find(|(known, _)| known == key) {
        Some((_, sum)) => *sum += minutes,
        None => sums.push((key.clone(), minutes)),
    }
}
