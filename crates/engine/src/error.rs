//! Failures of the engine. A refused subject is a finding and never an error.

use std::path::PathBuf;

use arrow::error::ArrowError;
use model::{AsProblem as _, Text};
use parquet::errors::ParquetError;
use thiserror::Error;

/// Why a program could not be run. [`EngineError::code`] is stable; messages may be reworded.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum EngineError {
    ParameterType {
        parameter: String,
    },
    Program {
        place: String,
        reason: String,
    },
    SnapshotFile {
        path: PathBuf,
    },
    SnapshotFormat {
        path: PathBuf,
        reason: String,
    },
    SnapshotColumn {
        entity: String,
        column: String,
    },
    SnapshotType {
        entity: String,
        column: String,
        expected: String,
        found: String,
    },
    SnapshotOrder {
        entity: String,
        column: String,
        row: usize,
    },
    MemoryTooSmall {
        needed: u64,
    },
    OutputExists {
        path: PathBuf,
    },
    RunFormat {
        path: PathBuf,
        reason: String,
    },
    UnknownEntity {
        name: String,
    },
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    Parquet {
        path: PathBuf,
        #[source]
        source: ParquetError,
    },
    Arrow(#[from] ArrowError),
    Cluster(Box<Text>),
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
