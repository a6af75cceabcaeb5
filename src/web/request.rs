//! What a request brings, read in one way everywhere. What cannot be read is said by the field's name, in words of
//! ours: the words of the libraries that read are for those who program them.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Query, Request, rejection::JsonRejection},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use super::{Site, problem::Problem};

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Site> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, site).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::JsonDataError(error)) => {
                Err(Problem::unreadable_field("body", &error.body_text()))
            }
            Err(other) => Err(Problem::unreadable(other.status())),
        }
    }
}

/// The parameters behind the question mark.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Site> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, site).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(error) => Err(Problem::unreadable_field("query", &error.body_text())),
        }
    }
}

/// Which field it is about, and what is to be done, from the words of whoever read it; `whole` where the words name
/// no field.
pub(super) fn field_and_message(whole: &str, words: &str) -> (String, &'static str) {
    // “Failed to deserialize …: path.to.field: what is wrong at line 1 column 2”, where the path may be missing.
    let words = words.split_once(": ").map_or(words, |(_, words)| words);
    let (path, what) = match words.split_once(": ") {
        Some((path, what)) if path.chars().all(|c| !c.is_whitespace() && c != '`') => (path, what),
        _ => ("", words),
    };
    let named = |start: &str| {
        let name = what.strip_prefix(start)?.split('`').next()?;
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        Some(if parent.is_empty() {
            name.to_owned()
        } else {
            format!("{parent}.{name}")
        })
    };
    if let Some(field) = named("missing field `") {
        (field, "This field is missing.")
    } else if let Some(field) = named("unknown field `") {
        (field, "There is no field of this name.")
    } else if let Some(field) = named("duplicate field `") {
        (field, "This field comes twice.")
    } else {
        let field = if path.is_empty() { whole } else { path };
        let message = "This is not what it takes: /api/v1/openapi.json says what that is.";
        (field.to_owned(), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_libraries_become_ours() {
        let table = [
            (
                "Failed to deserialize the JSON body into the target type: missing field `code` at line 1 column 2",
                ("code", "This field is missing."),
            ),
            (
                "Failed to deserialize the JSON body into the target type: a.extra: unknown field `extra`, expected \
                 `x` at line 1 column 2",
                ("a.extra", "There is no field of this name."),
            ),
            (
                "Failed to deserialize query string: limit: invalid digit found in string",
                (
                    "limit",
                    "This is not what it takes: /api/v1/openapi.json says what that is.",
                ),
            ),
            (
                "Failed to deserialize the JSON body into the target type: invalid type: sequence, expected a map",
                (
                    "body",
                    "This is not what it takes: /api/v1/openapi.json says what that is.",
                ),
            ),
            (
                "",
                (
                    "body",
                    "This is not what it takes: /api/v1/openapi.json says what that is.",
                ),
            ),
        ];
        for (words, (field, message)) in table {
            assert_eq!(
                field_and_message("body", words),
                (field.to_owned(), message),
                "{words}"
            );
        }
    }
}
