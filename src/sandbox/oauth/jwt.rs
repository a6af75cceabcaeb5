//! id_tokens, signed RS256 with one key that is in every copy of this program and secures nothing.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

/// Names the key in the header of a token and in the list of keys.
const KEY_ID: &str = "billops-sandbox-1";

static KEY: LazyLock<RsaKeyPair> = LazyLock::new(|| {
    RsaKeyPair::from_pkcs8(include_bytes!("signing-key.der")).expect("the embedded key is a key")
});

/// A JSON Web Token (RFC 7519) with these claims.
pub(crate) fn sign(claims: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encode(&header), encode(claims));
    let mut signature = vec![0; KEY.public().modulus_len()];
    KEY.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .expect("the buffer is as long as the modulus");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The public key as a JSON Web Key Set (RFC 7517).
pub(crate) fn keys() -> Value {
    let key = PublicKeyComponents::<Vec<u8>>::from(KEY.public_key());
    json!({"keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID,
        "n": URL_SAFE_NO_PAD.encode(key.n), "e": URL_SAFE_NO_PAD.encode(key.e),
    }]})
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    #[test]
    fn a_token_verifies_against_the_published_key() {
        let token = sign(&json!({"sub": "1"}));
        let (text, signature) = token.rsplit_once('.').unwrap();
        let keys = keys();
        let part = |name: &str| {
            URL_SAFE_NO_PAD
                .decode(keys["keys"][0][name].as_str().unwrap())
                .unwrap()
        };
        let key = RsaPublicKeyComponents {
            n: part("n"),
            e: part("e"),
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let verify =
            |text: &str| key.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature);
        assert!(verify(text).is_ok());
        assert!(verify(&format!("{text}x")).is_err());
    }
}
