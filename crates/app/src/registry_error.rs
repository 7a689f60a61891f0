//! Why a registry cannot be opened or made.

use store::StoreError;
use thiserror::Error;

use crate::import::ImportError;

#[derive(Debug, Error)]
pub enum RegistryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seed(#[from] ImportError),
    #[error("`{path}` cannot be read: {source}")]
    PackData { path: String, source: std::io::Error },
    #[error(
        "pack `{pack}` has entities that are divisions and ships no list of them\nhint: a pack, or one that it \
         extends, has it as {file}"
    )]
    DivisionsMissing { pack: String, file: &'static str },
    #[error("`{path}`: {source}")]
    Io { path: String, source: std::io::Error },
}
