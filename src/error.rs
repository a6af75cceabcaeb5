//! What a use case may end with besides its result.

use uuid::Uuid;

/// A failure that is not the person's doing. It is logged once, with its reference, at the door that
/// catches it; the person is shown the reference, which finds the line in the log.
#[derive(Debug, thiserror::Error)]
#[error("{doing} (reference {reference})")]
pub struct Failed {
    /// What was being done, as in “saving a time entry”.
    pub doing: &'static str,
    /// Finds the line in the log.
    pub reference: Reference,
    /// Whether it is known that nothing was stored.
    pub is_certain: bool,
    /// Whether the database was busy, or away for a moment: later the same may work.
    pub is_busy: bool,
    /// What went wrong.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// A short word that a person can read out to an operator, as `7F3K-2Q`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference(u32);

impl Reference {
    /// Made of the random part of an id.
    pub const fn from_id(id: Uuid) -> Self {
        let bytes = id.as_bytes();
        Self(u32::from_be_bytes([
            bytes[12], bytes[13], bytes[14], bytes[15],
        ]))
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without letters that are mistaken for digits.
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let letter = |place: u32| char::from(ALPHABET[((self.0 >> (5 * place)) & 31) as usize]);
        write!(
            f,
            "{}{}{}{}-{}{}",
            letter(5),
            letter(4),
            letter(3),
            letter(2),
            letter(1),
            letter(0)
        )
    }
}

/// The chain of causes in one line, for the log.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
