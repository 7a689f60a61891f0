//! Why a query has no answer.

use std::path::PathBuf;

use datafusion::error::DataFusionError;
use thiserror::Error;

/// Why a query has no answer.
#[derive(Debug, Error)]
pub enum SessionError {
    #[error("`{}` is not a run directory: {reason}", path.display())]
    RunFormat { path: PathBuf, reason: String },
    #[error("the snapshot has no file `{}`", path.display())]
    SnapshotFile { path: PathBuf },
    /// Anything but one query that reads: plans and statistics of columns give values away, and nothing is changed.
    #[error("only one query that reads is answered: SELECT, WITH, VALUES or TABLE")]
    NotAQuery,
    #[error("the query was refused: {0}")]
    Query(#[source] DataFusionError),
    #[error("`{}`: {source}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("a worker stopped unexpectedly: {0}")]
    Worker(String),
}
