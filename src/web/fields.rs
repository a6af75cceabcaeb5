//! What a request says, field by field: what cannot be read is refused by the field's name, with what it takes.

use std::error::Error as _;

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Query, Request, rejection::JsonRejection},
    http::request::Parts,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{Site, problem::Problem};

/// What a request may say.
pub(super) trait Asked: DeserializeOwned {
    /// Each field, and what it takes.
    const FIELDS: &'static [(&'static str, &'static str)];
}

/// An object that is read field by field by whoever asked, so that everything wrong with it is said at once.
impl Asked for Map<String, Value> {
    const FIELDS: &'static [(&'static str, &'static str)] = &[];
}

/// A body of JSON.
pub(super) struct Fields<T>(pub(super) T);

impl<T: Asked> FromRequest<Site> for Fields<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Problem> {
        let body = Json::<T>::from_request(request, site).await;
        body.map(|Json(body)| Self(body)).map_err(|rejection| {
            let status = rejection.status();
            match rejection {
                JsonRejection::JsonDataError(error) => {
                    let (at, says) = misread(&error);
                    refused::<T>(&at, &says)
                }
                _ => Problem::unreadable(status),
            }
        })
    }
}

/// The part of an address behind the question mark. Its fields are texts, so only their names can be wrong here.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: Asked> FromRequestParts<Site> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, site).await;
        query
            .map(|Query(query)| Self(query))
            .map_err(|rejection| refused::<T>("", &rejection.body_text()))
    }
}

/// Where JSON could not be read, and what was said about it.
fn misread(error: &axum::extract::rejection::JsonDataError) -> (String, String) {
    let mut cause = error.source();
    while let Some(this) = cause {
        if let Some(found) = this.downcast_ref::<serde_path_to_error::Error<serde_json::Error>>() {
            return (found.path().to_string(), found.inner().to_string());
        }
        cause = this.source();
    }
    (String::new(), error.body_text())
}

/// Refuses what could not be read: in the words of ours, for the reader's own are about this program.
pub(super) fn refused<T: Asked>(at: &str, says: &str) -> Problem {
    let known = |name: &str| T::FIELDS.iter().find(|(known, _)| *known == name);
    // Of a list or an object only the field is named that it stands in.
    let outer = at.split(['.', '[']).next().unwrap_or_default();
    let named = says.split('`').nth(1).unwrap_or_default();
    if says.contains("unknown field `") {
        return Problem::invalid(named, "There is no field of this name.");
    }
    if says.contains("duplicate field `") {
        return Problem::invalid(named, "This field is given twice.");
    }
    if says.contains("missing field `") {
        let takes = known(named).map_or("", |(_, takes)| takes);
        return Problem::invalid(named, format!("It is needed. {takes}").trim());
    }
    match known(outer) {
        Some((name, takes)) => Problem::invalid(name, takes),
        None => Problem::invalid(
            "body",
            "This is an object of JSON with the fields that are documented.",
        ),
    }
}

/// A field that is named at all: `null` is a value only where its type has one.
pub(super) fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}
