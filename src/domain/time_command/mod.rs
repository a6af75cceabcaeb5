//! The language of `/time`.
