//! What looking at something comes to. What is looked at is each kind's own business.

use crate::fault::Fault;

/// What was looked at, and what was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Looked<T> {
    /// It was not looked at, because it was not needed.
    #[default]
    NotAsked,
    /// It was seen.
    Seen(T),
    /// It could not be seen.
    Blind(Fault),
}

impl<T> Looked<T> {
    /// What was seen, if it was.
    pub fn seen(&self) -> Option<&T> {
        match self {
            Self::Seen(value) => Some(value),
            Self::NotAsked | Self::Blind(_) => None,
        }
    }

    /// The same, with a reference to what was seen.
    pub fn as_ref(&self) -> Looked<&T> {
        match self {
            Self::NotAsked => Looked::NotAsked,
            Self::Seen(value) => Looked::Seen(value),
            Self::Blind(fault) => Looked::Blind(fault.clone()),
        }
    }

    /// Why it could not be seen.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Blind(fault) => Some(fault),
            Self::NotAsked | Self::Seen(_) => None,
        }
    }
}

impl<T> From<Result<T, Fault>> for Looked<T> {
    fn from(result: Result<T, Fault>) -> Self {
        match result {
            Ok(value) => Self::Seen(value),
            Err(fault) => Self::Blind(fault),
        }
    }
}
