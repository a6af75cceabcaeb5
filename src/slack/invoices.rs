//! Invoices that are ready: said once, and no more to whoever does not want to know.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Door,
    actions::Press,
    messages::{self, Message, Reader},
    notices::mark,
};
use crate::{
    app::App,
    domain::{invoice::Invoice, member::Member},
    error::{Failed, chain},
    jobs::Ran,
};

/// *Stop these notices*, or its *Undo*.
pub(super) async fn preference_pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
) -> Result<Option<Message>, Failed> {
    let (wish, invoice) = press.value().split_once(" i:").unwrap_or_default();
    let is_wanted = match wish {
        "invoice_notifications:on" => true,
        "invoice_notifications:off" => false,
        _ => return Ok(None),
    };
    let Some(invoice) = Invoice::from_value(invoice) else {
        return Ok(None);
    };
    let mut preferences = member.preferences.clone();
    preferences.invoice_notifications = is_wanted;
    let app = &press.door.app;
    let problems = app.save_preferences(member, &preferences).await?;
    let reader = press.reader(member);
    Ok(Some(if problems.is_empty() {
        messages::invoice_ready(reader, &invoice, Some(is_wanted))
    } else {
        messages::no_longer_here(reader)
    }))
}

impl Door {
    /// Tells a person that an invoice is ready, once, if they want to know.
    pub async fn tell_invoice(&self, binding: Uuid, invoice: &Invoice) -> Ran {
        let member = match self.app.member_by_binding(binding).await {
            Ok(Some(member)) if member.preferences.invoice_notifications => member,
            Ok(_) => return Ran::Done,
            Err(failed) => return Ran::Failed(chain(&failed)),
        };
        let notice = App::invoice_notice(&invoice.number);
        let mark = mark(&notice);
        let reader = Reader {
            tag: &mark,
            ..self.reader(&member, 0)
        };
        let message = messages::invoice_ready(reader, invoice, None);
        self.say_once(&member, &notice, &mark, &message).await.ran()
    }
}
