//! What was logged between two days, in sum, as programs ask for it.

use chrono::NaiveDate;

use super::App;
use crate::{
    domain::member::Member,
    error::Failed,
    store::{Sum, SumBy},
};

impl App {
    /// The sums of what the person logged from `from` to `to`, both included. By user, an admin gets those of
    /// everybody in their workspace; whoever is none gets their own.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn report_sums(
        &self,
        member: &Member,
        from: NaiveDate,
        to: NaiveDate,
        by: SumBy,
    ) -> Result<Vec<Sum>, Failed> {
        let sums = if by == SumBy::User && member.is_admin {
            let workspace = member.slack_integration_id;
            self.store.sums_of_workspace(workspace, from, to).await
        } else {
            self.store.sums(member.user_id, from, to, by).await
        };
        sums.map_err(|error| self.failed("summing up a report", error))
    }
}
