//! The API through which other systems have people told something.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Site, fields::Fields, problem::Problem, session::Caller};
use crate::{
    app::InvoiceNotice,
    domain::invoice::{Invoice, Money},
};

const PERSON: &str = "This is the id of a person.";
const NUMBER: &str = "This is the number of the invoice: 1 to 60 characters, no control characters, no space at an end.";
const TOTAL: &str =
    "This is a whole number of the currency's smallest unit, 0 or more: 482000 for EUR 4,820.00.";
const CURRENCY: &str = "This is a currency's code of ISO 4217, such as EUR.";

/// An invoice that a person is to be told of. It is read field by field, so that everything wrong is said at once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there for what it says of itself")]
struct InvoiceReady {
    /// BillOps' id of the person.
    user_id: Uuid,
    /// No control characters, no space at an end.
    #[schema(min_length = 1, max_length = 60, examples("2026-0117"))]
    invoice_number: String,
    /// In the currency's smallest unit. What is to be paid is never below 0.
    #[schema(minimum = 0, examples(482_000))]
    total_cents: i64,
    /// Of ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$", examples("EUR"))]
    currency: String,
}

/// What came of telling.
#[derive(Serialize, ToSchema)]
pub(super) struct Told {
    /// What came of it.
    status: Telling,
}

/// What came of telling a person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Telling {
    /// It is to be sent.
    Queued,
    /// They were told of this invoice before.
    AlreadySent,
    /// They have switched such notices off.
    NotWanted,
    /// Their workspace has switched notices off.
    SwitchedOff,
    /// Slack lets nobody write to them.
    Unreachable,
}

/// Tell a person that an invoice is ready
///
/// Once for each invoice number. Of whom the caller may not tell, there is nobody.
#[utoipa::path(
    post, path = "/notifications/invoice-ready", operation_id = "tellInvoiceReady", tag = "Notifications",
    request_body = InvoiceReady,
    responses(
        (status = 200, description = "Nothing is to be sent, for the reason in `status`.", body = Told),
        (status = 202, description = "It is to be sent.", body = Told),
        (status = 404, description = "`not-found`: there is no such person, or the caller may not tell them."),
    ),
)]
pub(super) async fn invoice_ready(
    State(site): State<Site>,
    caller: Caller,
    Fields(asked): Fields<Map<String, Value>>,
) -> Result<(StatusCode, Json<Told>), Problem> {
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
        InvoiceNotice::Queued => (StatusCode::ACCEPTED, Telling::Queued),
        InvoiceNotice::AlreadySent => (StatusCode::OK, Telling::AlreadySent),
        InvoiceNotice::NotWanted => (StatusCode::OK, Telling::NotWanted),
        InvoiceNotice::SwitchedOff => (StatusCode::OK, Telling::SwitchedOff),
        InvoiceNotice::Unreachable => (StatusCode::OK, Telling::Unreachable),
    };
    Ok((code, Json(Told { status })))
}

/// Reads what is asked for, or says of each field what it takes.
fn read(asked: &Map<String, Value>) -> Result<(Uuid, Invoice), Vec<(String, String)>> {
    let text = |name: &str| asked.get(name).and_then(Value::as_str);
    let user_id = text("user_id").and_then(|id| Uuid::parse_str(id).ok());
    let number = text("invoice_number").filter(|number| Invoice::is_number(number));
    let cents = asked.get("total_cents").and_then(Value::as_i64);
    let cents = cents.filter(|cents| *cents >= 0);
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
