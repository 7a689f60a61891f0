//! Why a query has no answer.

use std::path::PathBuf;

use datafusion::error::DataFusionError;
use model::AsProblem as _;
use thiserror::Error;

/// Why a query has no answer.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum SessionError {
    RunFormat {
        path: PathBuf,
        reason: String,
    },
    SnapshotFile {
        path: PathBuf,
    },
    /// Anything but one query that reads: plans and statistics of columns give values away, and nothing is changed.
    NotAQuery,
    Query(#[source] DataFusionError),
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    Worker(String),
}
