//! What to run and how.

use std::path::PathBuf;
use std::sync::Arc;

use model::Date;

use super::group::GroupResult;
use super::snapshot::SnapshotFiles;
use crate::EngineError;
use crate::timings::Timings;

/// Rows of the largest entity in a part, where nothing else is said.
pub const PART_ROWS: usize = 1 << 17;

/// What to run and how.
#[derive(Clone)]
pub struct RunOptions {
    /// Folder of the snapshot, or where else it is.
    pub snapshot: PathBuf,
    /// Its files, if it is not in a folder.
    pub snapshot_files: Option<Arc<dyn SnapshotFiles>>,
    /// Folder of the run, which must not exist; without one everything is computed and only totals and the
    /// number of findings are kept.
    pub out: Option<PathBuf>,
    pub as_of: Date,
    /// Parts worked on at a time; 0 for one for each core.
    pub threads: usize,
    /// Bytes that the run may hold: parts become smaller, and fewer are worked on at a time.
    pub memory_limit: Option<usize>,
    /// A part has about so many rows of the largest entity.
    pub part_rows: usize,
    /// Parts are worked on in blocks of about so many rows of the largest entity below the village; without it they
    /// are if `memory_limit` asks for it.
    pub block_rows: Option<usize>,
    /// Who works on the groups; this process if nobody else.
    pub workers: Option<Arc<dyn Workers>>,
    /// Where to note what the pieces of the run take.
    pub timings: Timings,
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
}

/// Somewhere else where the groups of a run are worked on, with [`serve`].
pub trait Workers: Send + Sync {
    /// Has groups 0 to `groups - 1` worked on, and hands each over once, in order.
    ///
    /// # Errors
    /// When a group cannot be had; the run then fails and leaves nothing behind.
    fn each(
        &self,
        groups: usize,
        take: &mut dyn FnMut(usize, GroupResult) -> Result<(), EngineError>,
    ) -> Result<(), EngineError>;
}

/// One group that somebody wants.
pub struct Request {
    pub group: usize,
    pub reply: Box<dyn FnOnce(Result<GroupResult, EngineError>) + Send>,
}

impl RunOptions {
    /// All cores, no limit, no progress.
    pub fn new(snapshot: impl Into<PathBuf>, out: impl Into<PathBuf>, as_of: Date) -> Self {
        Self {
            snapshot: snapshot.into(),
            snapshot_files: None,
            out: Some(out.into()),
            as_of,
            threads: 0,
            memory_limit: None,
            part_rows: PART_ROWS,
            block_rows: None,
            workers: None,
            timings: Timings::default(),
            progress: Arc::new(|_| {}),
        }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The number of parts is known.
    Started { parts: usize },
    /// So many parts are computed, in no order.
    Parts { done: usize, parts: usize },
    /// What crosses parts is being computed.
    Finishing,
}
