//! What the API's document says about values that are the domain's: the domain does not know the document, so the
//! words are taken from where they are defined.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

use crate::domain;

/// The schema of a value that is one of some words. It stands in for the domain's type, which is what is serialized.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident: $words:expr;)+) => {$(
        $(#[doc = $doc])+
        pub(super) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc),+).trim()))
                    .enum_values(Some($words.iter().map(|word| word.as_str())))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

words! {
    /// Who keeps a calendar.
    Provider: domain::provider::Provider::ALL;
    /// How the connection to an account stands.
    AccountState: domain::calendar::AccountState::ALL;
    /// Why an account needs the person's consent again.
    ReconnectReason: domain::calendar::ReconnectReason::ALL;
    /// What became of a calendar event.
    EventState: domain::calendar_event::EventState::ALL;
    /// Why a calendar event is not suggested.
    SkipReason: domain::calendar_event::SkipReason::ALL;
    /// How a time entry came in.
    EntrySource: domain::time_entry::EntrySource::ALL;
    /// Where a time entry stands on the way to an invoice.
    EntryStatus: domain::time_entry::EntryStatus::ALL;
    /// How a number without a unit is read in `/time`.
    BareNumberUnit: domain::time_command::BareNumberUnit::ALL;
}
