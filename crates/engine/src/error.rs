//! Failures of the engine. A refused subject is a finding and never an error.

use std::path::PathBuf;

use arrow::error::ArrowError;
use parquet::errors::ParquetError;
use thiserror::Error;

/// Why a program could not be run. [`EngineError::code`] is stable; messages may be reworded.
#[derive(Debug, Error)]
pub enum EngineError {
    #[error("the value of parameter `{parameter}` does not fit its type")]
    ParameterType { parameter: String },
    #[error("the program is not sound at `{place}`: {reason}")]
    Program { place: String, reason: String },
    #[error("the snapshot has no file `{}`", path.display())]
    SnapshotFile { path: PathBuf },
    #[error("`{}` is not a snapshot: {reason}", path.display())]
    SnapshotFormat { path: PathBuf, reason: String },
    #[error("the snapshot of `{entity}` has no column `{column}`")]
    SnapshotColumn { entity: String, column: String },
    #[error("column `{column}` of the snapshot of `{entity}` is {found}, not {expected}")]
    SnapshotType { entity: String, column: String, expected: String, found: String },
    #[error("the snapshot of `{entity}` is not sorted along `{column}` at row {row}")]
    SnapshotOrder { entity: String, column: String, row: usize },
    #[error("the run needs at least {} MiB of memory: its largest division takes so much even piece by piece", needed.div_ceil(1 << 20))]
    MemoryTooSmall { needed: u64 },
    #[error("`{}` exists already; a run is never overwritten", path.display())]
    OutputExists { path: PathBuf },
    #[error("`{}` is not a run directory: {reason}", path.display())]
    RunFormat { path: PathBuf, reason: String },
    #[error("no entity is called `{name}`")]
    UnknownEntity { name: String },
    #[error("`{}`: {source}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{}`: {source}", path.display())]
    Parquet {
        path: PathBuf,
        #[source]
        source: ParquetError,
    },
    #[error("a table could not be built: {0}")]
    Arrow(#[from] ArrowError),
    #[error("on the cluster: {0}")]
    Cluster(String),
    #[error("a worker stopped unexpectedly: {0}")]
    Worker(String),
}

impl EngineError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ParameterType { .. } => "parameter-type",
            Self::Program { .. } => "program-unsound",
            Self::SnapshotFile { .. } => "snapshot-file-missing",
            Self::SnapshotFormat { .. } => "snapshot-format",
            Self::SnapshotColumn { .. } => "snapshot-column-missing",
            Self::SnapshotType { .. } => "snapshot-column-type",
            Self::SnapshotOrder { .. } => "snapshot-unsorted",
            Self::MemoryTooSmall { .. } => "memory-too-small",
            Self::OutputExists { .. } => "output-exists",
            Self::RunFormat { .. } => "run-format",
            Self::UnknownEntity { .. } => "unknown-entity",
            Self::File { .. } => "file",
            Self::Parquet { .. } => "parquet",
            Self::Arrow(_) => "table",
            Self::Cluster(_) => "cluster",
            Self::Worker(_) => "worker",
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::File { path: path.into(), source }
    }

    pub(crate) fn parquet(path: impl Into<PathBuf>, source: ParquetError) -> Self {
        Self::Parquet { path: path.into(), source }
    }
}
