//! What an executor must know to work on a group.

use std::sync::Arc;

use engine::{EngineError, RunOptions};
use model::{Date, Text};
use serde::{Deserialize, Serialize};

use crate::storage::RemoteSnapshot;

/// A run as its executors see it. Two jobs with the same content have the same results.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Job {
    /// Where groups are left: a folder that all machines share, or `s3://bucket/prefix`.
    pub staging: String,
    /// The snapshot, likewise.
    pub snapshot: String,
    pub snapshot_digest: String,
    pub pack_digest: String,
    /// As `2015-12-31`.
    pub as_of: String,
    /// Whether results are wanted, and not totals alone.
    pub results: bool,
}

/// The staged file with the text of the pack.
pub(crate) const PACK_FILE: &str = "pack.json";

/// Where the files of a group are staged.
pub(crate) fn group_file(group: usize, name: &str) -> String {
    format!("{group:05}/{name}")
}

impl Job {
    pub(crate) fn options(&self, threads: usize, memory: Option<usize>) -> Result<RunOptions, EngineError> {
        let as_of: Date =
            self.as_of.parse().map_err(|_| EngineError::Cluster(Box::new(Text::same(&self.as_of))))?;
        let mut options = RunOptions::new(&self.snapshot, "results", as_of);
        options.threads = threads;
        options.memory_limit = memory;
        if self.snapshot.contains("://") {
            options.snapshot_files = Some(Arc::new(RemoteSnapshot::open(&self.snapshot)?));
        }
        if !self.results {
            options.out = None;
        }
        Ok(options)
    }
}
