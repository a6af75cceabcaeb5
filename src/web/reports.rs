//! The API about what was logged, in sum.

use axum::{Json, extract::State};
use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Site,
    fields::{Asked, Parameters},
    lists::{self, DAY},
    problem::Problem,
    session::Caller,
};
use crate::store::{Sum, SumBy};

const GROUP: &str = "This is day, project, client or user.";
const SPAN: &str = "This is a day from the one of from on, and at most 366 days later.";
/// The longest span.
const SPAN_MAX: TimeDelta = TimeDelta::days(366);

/// Which sums are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct SummaryAsked {
    /// From this day on.
    #[param(value_type = NaiveDate, required = true)]
    from: Option<String>,
    /// Up to this day; at most 366 days.
    #[param(value_type = NaiveDate, required = true)]
    to: Option<String>,
    /// `day`, `project`, `client` or `user`; by day unless it is said.
    #[param(value_type = Option<GroupBy>, nullable = false)]
    group_by: Option<String>,
}

impl Asked for SummaryAsked {
    const FIELDS: &'static [(&'static str, &'static str)] =
        &[("from", DAY), ("to", DAY), ("group_by", GROUP)];
}

/// What entries are summed up by.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum GroupBy {
    Day,
    Project,
    Client,
    User,
}

/// What was logged between two days, in sum.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Summary {
    from: NaiveDate,
    to: NaiveDate,
    group_by: GroupBy,
    /// Everything.
    total_minutes: u64,
    /// What goes on invoices.
    billable_minutes: u64,
    /// How many entries there are.
    entries: u64,
    /// By day in order; by anything else the most first. Without those that nothing was logged for.
    items: Vec<Group>,
}

/// The sum of some of the entries. Of the first four the one is set that was asked for; `null` for entries that have
/// none.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Group {
    date: Option<NaiveDate>,
    project_id: Option<Uuid>,
    client_id: Option<Uuid>,
    user_id: Option<Uuid>,
    /// What the project, client or user is called.
    name: Option<String>,
    total_minutes: u64,
    billable_minutes: u64,
    entries: u64,
}

impl Group {
    fn of(sum: Sum, by: GroupBy) -> Self {
        let id = |wanted: bool| sum.id.filter(|_| wanted);
        Self {
            date: sum.date,
            project_id: id(matches!(by, GroupBy::Project)),
            client_id: id(matches!(by, GroupBy::Client)),
            user_id: id(matches!(by, GroupBy::User)),
            name: sum.name,
            total_minutes: sum.minutes,
            billable_minutes: sum.billable_minutes,
            entries: sum.entries,
        }
    }
}

/// What was logged, in sum
///
/// The caller's own; by user, an admin gets those of everybody in their workspace.
#[utoipa::path(
    get, path = "/reports/summary", operation_id = "getSummary", tag = "Reports",
    params(SummaryAsked),
    responses((status = 200, description = "The sums.", body = Summary)),
)]
pub(super) async fn summary(
    State(site): State<Site>,
    caller: Caller,
    Parameters(asked): Parameters<SummaryAsked>,
) -> Result<Json<Summary>, Problem> {
    let (from, to) = match lists::days(asked.from.as_deref(), asked.to.as_deref())? {
        (Some(from), Some(to)) => (from, to),
        (from, to) => {
            let said = [("from", from), ("to", to)];
            let missing = said.iter().filter(|(_, day)| day.is_none());
            return Err(Problem::invalid_fields(
                "The request cannot be read",
                "A summary has a first and a last day. Send both, from and to.",
                missing.map(|(field, _)| ((*field).to_owned(), format!("It is needed. {DAY}"))),
            ));
        }
    };
    if to - from > SPAN_MAX {
        return Err(Problem::invalid("to", SPAN));
    }
    let (group_by, by) = match asked.group_by.as_deref() {
        None | Some("day") => (GroupBy::Day, SumBy::Day),
        Some("project") => (GroupBy::Project, SumBy::Project),
        Some("client") => (GroupBy::Client, SumBy::Client),
        Some("user") => (GroupBy::User, SumBy::User),
        Some(_) => return Err(Problem::invalid("group_by", GROUP)),
    };
    let sums = site.app.report_sums(&caller.member, from, to, by).await?;
    Ok(Json(Summary {
        from,
        to,
        group_by,
        total_minutes: sums.iter().map(|sum| sum.minutes).sum(),
        billable_minutes: sums.iter().map(|sum| sum.billable_minutes).sum(),
        entries: sums.iter().map(|sum| sum.entries).sum(),
        items: sums
            .into_iter()
            .map(|sum| Group::of(sum, group_by))
            .collect(),
    }))
}
