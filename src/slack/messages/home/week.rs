//! The week in sum, by day and by project: read as in the report of a week.

use slack_morphism::prelude::{SlackBlock, SlackBlockText, SlackSectionBlock};

use super::id;
use crate::{
    app::Home,
    domain::{minutes::Minutes, summary::is_working_day},
    slack::messages::{
        markdown,
        report::{most, rows},
        section,
    },
};

/// Projects that are shown; the others are summed up.
const PROJECTS_SHOWN: usize = 5;

pub(super) fn blocks(home: &Home) -> Vec<SlackBlock> {
    let week = &home.week;
    let per_day = home.preferences.target_per_day;
    if week.entries == 0 {
        let empty = "*This week*\nNothing logged this week yet.";
        return vec![section(id("week"), empty.to_owned())];
    }
    let working_days = u32::try_from(week.complete_days(per_day, home.today).1).unwrap_or(0);
    let target = Minutes::new(per_day.get().saturating_mul(working_days));
    let head = if target == Minutes::default() {
        format!("*This week* · {}", week.total)
    } else {
        format!("*This week* · {} of {target}", week.total)
    };
    let days: Vec<(String, Minutes)> = week
        .days
        .iter()
        .filter(|(day, logged)| {
            *logged > Minutes::default() || *day <= home.today && is_working_day(*day)
        })
        .map(|(day, logged)| (day.format("%a").to_string(), *logged))
        .collect();
    let longest = days.iter().map(|(_, logged)| *logged).max();
    let whole = if per_day == Minutes::default() {
        longest.unwrap_or_default()
    } else {
        per_day
    };
    let projects = week.projects.iter().map(|(project, logged)| {
        let name = project.as_ref().map(|project| format!("#{}", project.slug));
        (name, *logged)
    });
    let projects = most(projects, "no project", PROJECTS_SHOWN);
    let columns = [rows(&days, whole, None), rows(&projects, week.total, None)];
    let fields = columns.map(|lines| SlackBlockText::from(markdown(lines.join("\n"))));
    let bars = SlackSectionBlock::new()
        .with_block_id(id("week.bars"))
        .with_fields(fields.to_vec());
    vec![section(id("week"), head), bars.into()]
}
