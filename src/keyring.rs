//! Sealing what must not be read where it is stored.
//!
//! A sealed value is `v1.<key>.<nonce and ciphertext>`: XChaCha20-Poly1305 under the key of that name, with a
//! random nonce of 192 bits, in base64url. It is bound to its [`Place`], so that it opens nowhere else: whoever
//! can write to the database cannot give one person another's token.

use std::{
    io::{ErrorKind, Write as _},
    path::Path,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The name of a key that BillOps makes itself.
const OWN_KEY: &str = "own1";

/// The keys: the first one seals, all of them open. Never printed.
#[derive(Clone)]
pub struct Keyring(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// Where a sealed value stands. It opens there only.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's id.
    pub row: Uuid,
}

/// Why a value could not be opened. None of them says anything about what it holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// The key it was sealed with is not there.
    #[error("it is sealed with the key “{0}”, which ENCRYPTION_KEYS does not hold")]
    KeyMissing(String),
    /// It was changed, moved here from elsewhere, or sealed with another key of the same name.
    #[error("it was not sealed with this key for this place")]
    Forged,
    /// It is not a sealed value at all.
    #[error("it is not a sealed value")]
    Malformed,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| &key.id))
            .finish()
    }
}

impl Keyring {
    /// Reads `id:base64-32-bytes[,id:…]`.
    ///
    /// # Errors
    /// What is wrong, in the words that follow the setting's name. Never holds a key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let how = "Make one with: openssl rand -base64 32, and write it as k1:<that>";
        let mut keys: Vec<Key> = Vec::new();
        for (at, part) in text.split(',').enumerate() {
            let at = at + 1;
            let Some((id, secret)) = part.trim().split_once(':') else {
                return Err(format!(
                    "has no name before a colon in its key number {at}. {how}."
                ));
            };
            let is_name = !id.is_empty()
                && id.len() <= 32
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            if !is_name {
                return Err(format!(
                    "has a name in its key number {at} that is not made of 1 to 32 letters, digits, - and _. {how}."
                ));
            }
            if keys.iter().any(|key| key.id == id) {
                return Err(format!("names two keys “{id}”. Give each its own name."));
            }
            let secret = STANDARD
                .decode(secret.trim())
                .ok()
                .filter(|secret| secret.len() == KEY_BYTES);
            let Some(secret) = secret else {
                return Err(format!(
                    "holds a key “{id}” that is not 32 bytes in base64. {how}."
                ));
            };
            keys.push(Key::new(id, &secret));
        }
        Ok(Self(keys))
    }

    /// A ring of one new random key, for what need not be opened after this process.
    pub fn random() -> Self {
        Self(vec![Key::new(OWN_KEY, &rand::random::<[u8; KEY_BYTES]>())])
    }

    /// The key in the file at `path`; where there is none, a new one is written there, readable by its owner
    /// only. `true` if it is new.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds something else.
    pub fn load_or_create(path: &Path) -> Result<(Self, bool), std::io::Error> {
        let malformed = |problem| std::io::Error::new(ErrorKind::InvalidData, problem);
        match std::fs::read_to_string(path) {
            Ok(text) => return Ok((Self::parse(text.trim()).map_err(malformed)?, false)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let line = format!(
            "{OWN_KEY}:{}",
            STANDARD.encode(rand::random::<[u8; KEY_BYTES]>())
        );
        // Written whole beside it and then named, so that two processes that start together get one key, and a
        // crash leaves none rather than half of one.
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let draft = path.with_extension(format!("key.{}", rand::random::<u64>()));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&draft).and_then(|mut file| {
            writeln!(file, "{line}")?;
            file.sync_all()
        });
        let linked = written.and_then(|()| std::fs::hard_link(&draft, path));
        let _ = std::fs::remove_file(&draft);
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Self::load_or_create(path);
            }
            Err(error) => return Err(error),
        }
        std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok((Self::parse(&line).map_err(malformed)?, true))
    }

    /// The name of the key that seals.
    pub fn current(&self) -> &str {
        &self.0[0].id
    }

    /// Whether it holds a key of this name.
    pub fn holds(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }

    /// Seals a value for a place.
    pub fn seal(&self, place: Place, plain: &str) -> String {
        let key = &self.0[0];
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload {
            msg: plain.as_bytes(),
            aad: &place.bytes(),
        };
        let sealed = key
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a value is far shorter than what the cipher takes");
        let mut whole = nonce.to_vec();
        whole.extend(sealed);
        format!("v1.{}.{}", key.id, URL_SAFE_NO_PAD.encode(whole))
    }

    /// Opens a value that was sealed for this place.
    ///
    /// # Errors
    /// See [`NotOpened`].
    pub fn open(&self, place: Place, sealed: &str) -> Result<SecretString, NotOpened> {
        let id = key_of(sealed).ok_or(NotOpened::Malformed)?;
        let whole = sealed
            .rsplit('.')
            .next()
            .and_then(|whole| URL_SAFE_NO_PAD.decode(whole).ok())
            .ok_or(NotOpened::Malformed)?;
        let (nonce, sealed) = whole
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(NotOpened::Malformed)?;
        let key = self
            .0
            .iter()
            .find(|key| key.id == id)
            .ok_or_else(|| NotOpened::KeyMissing(id.to_owned()))?;
        let payload = Payload {
            msg: sealed,
            aad: &place.bytes(),
        };
        let plain = key
            .cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| NotOpened::Forged)?;
        let plain = String::from_utf8(plain).map_err(|_| NotOpened::Forged)?;
        Ok(plain.into())
    }

    /// The same value sealed with the current key; `None` if it is already.
    ///
    /// # Errors
    /// See [`NotOpened`].
    pub fn renew(&self, place: Place, sealed: &str) -> Result<Option<String>, NotOpened> {
        if key_of(sealed) == Some(self.current()) {
            return Ok(None);
        }
        let plain = self.open(place, sealed)?;
        Ok(Some(self.seal(place, plain.expose_secret())))
    }
}

/// The name of the key a value is sealed with.
pub fn key_of(sealed: &str) -> Option<&str> {
    let (id, _) = sealed.strip_prefix("v1.")?.split_once('.')?;
    Some(id)
}

/// A new secret of 256 bits, in base64url, to be handed out once. Only its [`digest`] is kept.
pub fn new_secret() -> SecretString {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()).into()
}

/// What is kept of a secret that somebody else holds. The secret is random and long, so one round is enough.
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether two digests are the same, in a time that does not depend on where they differ.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

impl Key {
    fn new(id: &str, secret: &[u8]) -> Self {
        Self {
            id: id.to_owned(),
            cipher: XChaCha20Poly1305::new_from_slice(secret).expect("the length was checked"),
        }
    }
}

impl Place {
    /// Unambiguous, because neither a table nor a column has a bar in its name.
    fn bytes(&self) -> Vec<u8> {
        format!("{}|{}|{}", self.table, self.column, self.row).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const TWO: &str = "k2:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    fn place(row: u128) -> Place {
        Place {
            table: "user_oauth_accounts",
            column: "access_token",
            row: Uuid::from_u128(row),
        }
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let ring = Keyring::parse(ONE).unwrap();
        let sealed = ring.seal(place(1), "ya29.secret");
        assert!(sealed.starts_with("v1.k1.") && !sealed.contains("secret"));
        assert_ne!(sealed, ring.seal(place(1), "ya29.secret"), "nonces repeat");
        assert_eq!(
            ring.open(place(1), &sealed).unwrap().expose_secret(),
            "ya29.secret"
        );
        let elsewhere = [
            place(2),
            Place {
                column: "refresh_token",
                ..place(1)
            },
            Place {
                table: "oauth_states",
                ..place(1)
            },
        ];
        for place in elsewhere {
            assert_eq!(ring.open(place, &sealed).unwrap_err(), NotOpened::Forged);
        }
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let ring = Keyring::parse(ONE).unwrap();
        let sealed = ring.seal(place(1), "secret");
        let mut changed = sealed.clone().into_bytes();
        let last = changed.len() - 2;
        changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(ring.open(place(1), &changed).is_err());
        for bad in [
            "",
            "v1",
            "v1.k1",
            "v1.k1.",
            "v1.k1.AAAA",
            "v2.k1.AAAA",
            "secret",
        ] {
            assert_eq!(
                ring.open(place(1), bad).unwrap_err(),
                NotOpened::Malformed,
                "{bad}"
            );
        }
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let old = Keyring::parse(ONE).unwrap();
        let sealed = old.seal(place(1), "secret");
        let both = Keyring::parse(&format!("{TWO},{ONE}")).unwrap();
        let renewed = both.renew(place(1), &sealed).unwrap().unwrap();
        assert_eq!(key_of(&renewed), Some("k2"));
        assert_eq!(both.renew(place(1), &renewed), Ok(None));
        let new = Keyring::parse(TWO).unwrap();
        assert_eq!(
            new.open(place(1), &renewed).unwrap().expose_secret(),
            "secret"
        );
        assert_eq!(
            new.open(place(1), &sealed).unwrap_err(),
            NotOpened::KeyMissing("k1".to_owned())
        );
    }

    #[test]
    fn what_is_wrong_with_a_key_is_said_without_it() {
        for bad in ["", "AAAA", "k1:AAAA", "a b:AAAA", ":AAAA", "k1:c2VjcmV0"] {
            let problem = Keyring::parse(bad).unwrap_err();
            assert!(
                problem.contains("openssl rand") && !problem.contains("c2VjcmV0"),
                "{problem}"
            );
        }
        let twice = Keyring::parse(&format!("{ONE},{ONE}")).unwrap_err();
        assert!(twice.contains("two keys “k1”"), "{twice}");
        assert_eq!(format!("{:?}", Keyring::parse(ONE).unwrap()), r#"["k1"]"#);
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_only() {
        let folder = std::env::temp_dir().join(format!("billops-key-{}", rand::random::<u64>()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("billops.key");
        let (first, is_new) = Keyring::load_or_create(&path).unwrap();
        assert!(is_new);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let (second, is_new) = Keyring::load_or_create(&path).unwrap();
        assert!(!is_new);
        let sealed = first.seal(place(1), "secret");
        assert_eq!(
            second.open(place(1), &sealed).unwrap().expose_secret(),
            "secret"
        );
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
