//! Why records could not be made.

use thiserror::Error;

/// Why records could not be made.
#[derive(Debug, Error)]
pub enum SynthError {
    #[error("profile `{file}`: {detail}")]
    ProfileText { file: String, detail: String },
    #[error("profile of `{place}`: {detail}")]
    Profile { place: String, detail: String },
    #[error("the profile goes in a circle: {circle}")]
    Circle { circle: String },
    #[error(
        "the pack has divisions and no list of them was given\nhint: a pack with divisions ships them as data/divisions.csv"
    )]
    DivisionsMissing,
    #[error("division `{code}` has no parent of the level of `{entity}`")]
    DivisionParent { code: String, entity: String },
    #[error("`{count}` provinces cannot have codes of their own; there are {max} at most")]
    Provinces { count: usize, max: usize },
    #[error(
        "a sheet holds {max} rows, and `{entity}` has more\nhint: make fewer persons, or choose --format csv"
    )]
    SheetFull { entity: String, max: u32 },
    #[error("there are more than 2,147,483,647 rows of an entity, and a snapshot cannot number them")]
    TooMany,
    #[error("`{path}` is there already\nhint: name another folder, or remove it")]
    OutExists { path: String },
    #[error("`{path}` cannot be written: {detail}")]
    Write { path: String, detail: String },
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl SynthError {
    pub(crate) fn profile(place: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Profile { place: place.into(), detail: detail.into() }
    }
}

pub type Result<T> = std::result::Result<T, SynthError>;
