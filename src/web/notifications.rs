//! The API through which other systems have people told something.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Site, api::Body, problem::Problem, session::Caller};
use crate::{
    app::InvoiceNotice,
    domain::invoice::{Invoice, Money},
};

const PERSON: &str = "This is the id of a person.";
const NUMBER: &str = "This is the number of the invoice: 1 to 60 characters, no control characters, no space at an end.";
const TOTAL: &str =
    "This is a whole number of the currency's smallest unit: 482000 for EUR 4,820.00.";
const CURRENCY: &str = "This is a currency's code of ISO 4217, such as EUR.";

/// `POST /notifications/invoice-ready`: tells a person that an invoice is ready, once. Of whom the caller may not tell,
/// there is nobody.
///
/// Answers 202 with `queued` as long as it is to be sent, and 200 with `already_sent`, `not_wanted` where the person
/// has switched such notices off, or `unreachable` where Slack lets nobody write to them.
pub(super) async fn invoice_ready(
    State(site): State<Site>,
    caller: Caller,
    Body(asked): Body<Map<String, Value>>,
) -> Result<Response, Problem> {
    let (user_id, invoice) = read(&asked).map_err(|errors| {
        Problem::invalid_fields(
            "The invoice cannot be told of",
            "Nothing was sent. Each of errors names a field and what it takes.",
            errors,
        )
    })?;
    let told = site
        .app
        .invoice_ready(&caller.member, user_id, invoice)
        .await?
        .ok_or_else(|| Problem::not_found("person"))?;
    let (code, status) = match told {
        InvoiceNotice::Queued => (StatusCode::ACCEPTED, "queued"),
        InvoiceNotice::AlreadySent => (StatusCode::OK, "already_sent"),
        InvoiceNotice::NotWanted => (StatusCode::OK, "not_wanted"),
        InvoiceNotice::SwitchedOff => (StatusCode::OK, "switched_off"),
        InvoiceNotice::Unreachable => (StatusCode::OK, "unreachable"),
    };
    Ok((code, Json(json!({ "status": status }))).into_response())
}

/// Reads what is asked for, or says of each field what it takes.
fn read(asked: &Map<String, Value>) -> Result<(Uuid, Invoice), Vec<(String, String)>> {
    let text = |name: &str| asked.get(name).and_then(Value::as_str);
    let user_id = text("user_id").and_then(|id| Uuid::parse_str(id).ok());
    let number = text("invoice_number").filter(|number| Invoice::is_number(number));
    let cents = asked.get("total_cents").and_then(Value::as_i64);
    // Apart from the amount, so that each is said of its own field.
    let currency = text("currency").filter(|code| Money::new(0, code).is_some());
    let total = cents.zip(currency);
    let total = total.and_then(|(cents, code)| Money::new(cents, code));
    if let (Some(user_id), Some(number), Some(total), 4) = (user_id, number, total, asked.len()) {
        let number = number.to_owned();
        return Ok((user_id, Invoice { number, total }));
    }
    let known = [
        ("user_id", user_id.is_some(), PERSON),
        ("invoice_number", number.is_some(), NUMBER),
        ("total_cents", cents.is_some(), TOTAL),
        ("currency", currency.is_some(), CURRENCY),
    ];
    let wrong = known.iter().filter(|(_, is_read, _)| !is_read);
    let unknown = asked
        .keys()
        .filter(|name| known.iter().all(|(known, ..)| known != name));
    Err(wrong
        .map(|(name, _, takes)| ((*name).to_owned(), (*takes).to_owned()))
        .chain(unknown.map(|name| (name.clone(), "There is no field of this name.".to_owned())))
        .collect())
}
