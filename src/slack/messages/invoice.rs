//! An invoice is ready.

use super::{Button, Message, Reader, actions, section, with_button};
use crate::{
    app::ReportOf,
    domain::{invoice::Invoice, period::Period},
    slack::text::{isolated, plain},
};

/// What the ids of its blocks begin with.
pub(in crate::slack) const INVOICE: &str = "invoice";

/// An invoice is ready. `decided` is whether the person has just said that they want such messages, or do not.
pub fn invoice_ready(reader: Reader<'_>, invoice: &Invoice, decided: Option<bool>) -> Message {
    let (number, total) = (isolated(&invoice.number), invoice.total);
    let mut text = format!("Invoice {number} is ready: {total}.");
    let shown = format!("*Invoice {} is ready* · {total}", plain(&number));
    let mut blocks = vec![section(reader.id(INVOICE), shown)];
    let wish = |wish, label: &str, spoken: &str| {
        let value = format!("invoice_notifications:{wish} i:{}", invoice.value());
        Button::new("prefs.invoice", label, value, spoken)
    };
    if let Some(is_wanted) = decided {
        let (says, undo) = if is_wanted {
            ("Invoice notices come again.", "off")
        } else {
            ("From now on without invoice notices.", "on")
        };
        text = format!("{text} {says}");
        let spoken = format!("Undo: {says}");
        let undo = wish(undo, "Undo", &spoken);
        blocks.push(with_button(
            reader.id("invoice.notices"),
            says.to_owned(),
            undo,
        ));
    }
    let month = Period::month(reader.today()).previous();
    let mut buttons = vec![Button::new(
        "report.page",
        "Last month’s report",
        ReportOf::of(month).to_string(),
        &format!("Last month’s report: {}", month.from.format("%B %Y")),
    )];
    if decided.is_none() {
        let stop = "Stop these notices";
        buttons.push(wish("off", stop, "Stop these notices: invoices"));
    }
    blocks.push(actions(reader.id("invoice.actions"), buttons));
    Message::new(text, blocks)
}
