//! Why records could not be made.

use model::AsProblem as _;
use thiserror::Error;

/// Why records could not be made.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum SynthError {
    ProfileText {
        file: String,
        detail: String,
    },
    Profile {
        place: String,
        detail: String,
    },
    Circle {
        circle: String,
    },
    DivisionsMissing,
    DivisionParent {
        code: String,
        entity: String,
    },
    Provinces {
        count: usize,
        max: usize,
    },
    SheetFull {
        entity: String,
        max: u32,
    },
    TooMany,
    OutExists {
        path: String,
    },
    Write {
        path: String,
        detail: String,
    },
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl SynthError {
    pub(crate) fn profile(place: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Profile { place: place.into(), detail: detail.into() }
    }
}

pub type Result<T> = std::result::Result<T, SynthError>;
