//! What an id_token says.
//!
//! Each comes straight from the provider's token endpoint over TLS, which stands in for checking its signature
//! (OpenID Connect Core 1.0, section 3.1.3.7, rule 6). Issuer, audience, time and nonce are checked all the same.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// Clocks may be so far apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(120);

/// Why an id_token is not taken. Never holds a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIdToken {
    /// There is none, or it is not made of three parts with JSON in the second.
    #[error("the id_token cannot be read")]
    Unreadable,
    /// It comes from somewhere else.
    #[error("the id_token is another issuer's")]
    Issuer,
    /// It was made for another app.
    #[error("the id_token was made for another client")]
    Audience,
    /// It has run out, or is from the future; or one of the two clocks is wrong.
    #[error("the id_token is not of this time; is this machine's clock right?")]
    Time,
    /// It answers another request.
    #[error("the id_token answers another request")]
    Nonce,
    /// It does not say who it is about.
    #[error("the id_token does not say who it is about")]
    Subject,
}

/// The claims of an id_token that was issued to `client_id` for this `nonce`.
///
/// # Errors
/// See [`BadIdToken`].
pub(super) fn claims(
    id_token: &str,
    is_issuer: impl Fn(&str) -> bool,
    client_id: &str,
    nonce: &str,
    now: DateTime<Utc>,
) -> Result<Value, BadIdToken> {
    let mut parts = id_token.split('.');
    let (Some(_), Some(body), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(BadIdToken::Unreadable);
    };
    let body = URL_SAFE_NO_PAD
        .decode(body.trim_end_matches('='))
        .map_err(|_| BadIdToken::Unreadable)?;
    let claims: Value = serde_json::from_slice(&body).map_err(|_| BadIdToken::Unreadable)?;
    if !claims["iss"].as_str().is_some_and(is_issuer) {
        return Err(BadIdToken::Issuer);
    }
    let is_audience = match &claims["aud"] {
        Value::String(audience) => audience == client_id,
        // Several audiences need `azp` to say for whom of them it is.
        Value::Array(audiences) => match audiences.as_slice() {
            [only] => only == client_id,
            several => several.iter().any(|one| one == client_id) && claims["azp"] == client_id,
        },
        _ => false,
    };
    if !is_audience {
        return Err(BadIdToken::Audience);
    }
    let at = |name: &str| {
        claims[name]
            .as_i64()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
    };
    let is_of_this_time = at("exp").is_some_and(|expires| now < expires + LEEWAY)
        && at("iat").is_none_or(|issued| issued - LEEWAY <= now);
    if !is_of_this_time {
        return Err(BadIdToken::Time);
    }
    if claims["nonce"] != nonce {
        return Err(BadIdToken::Nonce);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(claims: &Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn an_id_token_counts_for_one_issuer_client_request_and_time() {
        let now = DateTime::from_timestamp(1_795_177_800, 0).unwrap();
        let good = json!({"iss": "https://a.example", "aud": "us", "nonce": "n", "exp": 1_795_178_800,
                          "iat": 1_795_177_800, "sub": "7"});
        let read = |claims: &Value| {
            super::claims(
                &token(claims),
                |iss| iss == "https://a.example",
                "us",
                "n",
                now,
            )
        };
        assert_eq!(read(&good).unwrap()["sub"], "7");
        for (field, value, problem) in [
            ("iss", json!("https://b.example"), BadIdToken::Issuer),
            ("aud", json!("them"), BadIdToken::Audience),
            ("aud", json!(["us", "them"]), BadIdToken::Audience),
            ("aud", Value::Null, BadIdToken::Audience),
            ("exp", json!(1_795_177_000), BadIdToken::Time),
            ("exp", Value::Null, BadIdToken::Time),
            ("iat", json!(1_795_179_000), BadIdToken::Time),
            ("nonce", json!("other"), BadIdToken::Nonce),
            ("nonce", Value::Null, BadIdToken::Nonce),
        ] {
            let mut bad = good.clone();
            bad[field] = value;
            assert_eq!(read(&bad).unwrap_err(), problem, "{bad}");
        }
        for bad in ["", "a.b", "a.b.c.d", "e30.!!.x"] {
            let read = super::claims(bad, |_| true, "us", "n", now);
            assert_eq!(read.unwrap_err(), BadIdToken::Unreadable, "{bad}");
        }
    }
}
