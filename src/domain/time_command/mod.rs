//! The language of `/time`.
/// How a bare number is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BareNumberUnit {
    /// guess
    #[default]
    Guess,
    /// h
    Hours,
    /// m
    Minutes,
}
