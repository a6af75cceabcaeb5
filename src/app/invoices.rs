//! The billing system says that an invoice is ready, and whoever it is for is told, once.

use uuid::Uuid;

use super::App;
use crate::{
    domain::{invoice::Invoice, member::Member},
    error::Failed,
    jobs::Job,
    store::NoticeState,
};

/// What becomes of telling a person that an invoice is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceNotice {
    /// They are told as soon as Slack takes it.
    Queued,
    /// They were told before.
    AlreadySent,
    /// They want no such messages.
    NotWanted,
    /// The admins of their workspace have switched notices off.
    SwitchedOff,
    /// Slack lets nobody write to them: they left, or take no messages from the app.
    Unreachable,
}

impl App {
    /// Asks for a person to be told that an invoice is ready: by themselves, or by an admin of their workspace. However
    /// often it is asked, the first one counts, and they are told once. `None` for anybody else, and where there is no
    /// such person.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn invoice_ready(
        &self,
        asks: &Member,
        user_id: Uuid,
        invoice: Invoice,
    ) -> Result<Option<InvoiceNotice>, Failed> {
        let failed = |error| self.failed("telling of an invoice", error);
        if asks.user_id != user_id && !asks.is_admin {
            return Ok(None);
        }
        let Some(binding) = self.store.binding_of(user_id).await.map_err(failed)? else {
            return Ok(None);
        };
        let member = self.member_by_binding(binding).await?;
        let is_theirs = |member: &Member| member.slack_integration_id == asks.slack_integration_id;
        let Some(member) = member.filter(is_theirs) else {
            return Ok(None);
        };
        let notice = Self::invoice_notice(&invoice.number);
        let state = self.store.notice_state(binding, &notice).await;
        match state.map_err(failed)? {
            Some(NoticeState::Sent) => return Ok(Some(InvoiceNotice::AlreadySent)),
            Some(NoticeState::Refused) => return Ok(Some(InvoiceNotice::Unreachable)),
            Some(NoticeState::Sending) | None => {}
        }
        if !member.workspace.notices_enabled {
            return Ok(Some(InvoiceNotice::SwitchedOff));
        }
        if !member.preferences.invoice_notifications {
            return Ok(Some(InvoiceNotice::NotWanted));
        }
        // Sent meanwhile, the job finds that and is done.
        let job = Job::TellInvoice { binding, invoice }.to_row();
        self.store.add_job_once(&job).await.map_err(failed)?;
        Ok(Some(InvoiceNotice::Queued))
    }

    /// Names an invoice among the messages that are sent once.
    pub fn invoice_notice(number: &str) -> String {
        format!("invoice:{number}")
    }
}
