//! Why a registry cannot be opened or made.

use model::AsProblem as _;
use store::StoreError;
use thiserror::Error;

use crate::import::ImportError;

#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum RegistryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seed(#[from] ImportError),
    PackData {
        path: String,
        source: std::io::Error,
    },
    DivisionsMissing {
        pack: String,
        file: &'static str,
    },
    Io {
        path: String,
        source: std::io::Error,
    },
}
