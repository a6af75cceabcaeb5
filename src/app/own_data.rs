//! What BillOps knows about a person: shown, exported, and deleted.

use serde::Serialize;
use uuid::Uuid;

use super::{App, export::FIRST_DAY};
use crate::{
    domain::{calendar::AccountState, member::Member},
    error::Failed,
    jobs::Job,
    store::{OwnData, ShareClaim},
};

/// Rows that are read at a time, so that memory holds one page of them and the document.
const PAGE: u32 = 500;

impl App {
    /// How much is kept about a person.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn own_data(&self, member: &Member) -> Result<OwnData, Failed> {
        self.store
            .own_data(member.user_id, member.binding_id)
            .await
            .map_err(|error| self.failed("counting a person's data", error))
    }

    /// Has everything about a person sent to them. `request` names the press: it leads to one file, however often
    /// it is delivered.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ask_for_export(&self, member: &Member, request: Uuid) -> Result<(), Failed> {
        let job = Job::ExportData {
            binding: member.binding_id,
            request,
        };
        self.store
            .add_job(&job.to_row())
            .await
            .map_err(|error| self.failed("asking for an export", error))
    }

    /// Everything about a person, as one JSON document. `None` if they are not known any more.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn export(&self, member: &Member) -> Result<Option<Vec<u8>>, Failed> {
        let failed = |error| self.failed("reading a person's data", error);
        let records = self
            .store
            .own_records(member.user_id, member.binding_id)
            .await
            .map_err(failed)?;
        let Some(records) = records else {
            return Ok(None);
        };
        let mut document = format!(
            "{{\n\"exported_at\": \"{}\",\n",
            self.clock.now().to_rfc3339()
        );
        document.push_str("\"records\": ");
        document.push_str(&json(&records));
        document.push_str(",\n\"time_entries\": [");
        let mut is_first = true;
        for are_deleted in [false, true] {
            let mut last = (FIRST_DAY, Uuid::nil());
            loop {
                let page = self
                    .store
                    .own_entries(member.user_id, are_deleted, last, PAGE)
                    .await
                    .map_err(failed)?;
                let Some(end) = page.last() else { break };
                add_rows(&mut document, &page, is_first);
                is_first = false;
                last = (end.date, end.id);
            }
        }
        document.push_str("\n],\n\"calendar_events\": [");
        let mut last = Uuid::nil();
        loop {
            let page = self
                .store
                .own_events(member.user_id, last, PAGE)
                .await
                .map_err(failed)?;
            let Some(end) = page.last() else { break };
            add_rows(&mut document, &page, last.is_nil());
            last = end.id;
        }
        document.push_str("\n]\n}\n");
        Ok(Some(document.into_bytes()))
    }

    /// Takes the sending of the export that `request` names. `false` if it was taken before: then it is sent, or
    /// may be, and is not sent again.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin_export(&self, member: &Member, request: Uuid) -> Result<bool, Failed> {
        let claim = self.store.claim_share(member.user_id, request).await;
        let claim = claim.map_err(|error| self.failed("beginning an export", error))?;
        Ok(matches!(claim, ShareClaim::Taken))
    }

    /// Notes that the export is sent, or that it certainly is not and may be tried again.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn end_export(
        &self,
        member: &Member,
        request: Uuid,
        is_sent: bool,
    ) -> Result<(), Failed> {
        self.store
            .settle_share(member.user_id, request, is_sent)
            .await
            .map_err(|error| self.failed("ending an export", error))
    }

    /// Deletes everything about a person in this workspace, and says what that was. Accounts are given back to
    /// their providers first. Whoever comes back starts from zero.
    ///
    /// # Errors
    /// The database does not answer. Accounts may be disconnected then; nothing else is changed.
    pub async fn delete_everything(&self, member: &Member) -> Result<OwnData, Failed> {
        let was = self.own_data(member).await?;
        for account in self.accounts(member).await? {
            if account.state != AccountState::Disconnected {
                self.disconnect(member, account.id).await?;
            }
        }
        self.store
            .delete_person(
                member.user_id,
                member.binding_id,
                member.slack_integration_id,
            )
            .await
            .map_err(|error| self.failed("deleting a person's data", error))?;
        self.forget(member);
        self.defaults.retain(|(user, _), _| *user != member.user_id);
        Ok(was)
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("it is made of plain fields")
}

fn add_rows<T: Serialize>(document: &mut String, rows: &[T], is_first: bool) {
    for (at, row) in rows.iter().enumerate() {
        document.push_str(if is_first && at == 0 { "\n" } else { ",\n" });
        document.push_str(&json(row));
    }
}
