//! What can go wrong, under stable codes, with what to do about it.

use std::path::{Path, PathBuf};

use model::{AsProblem as _, RefusalCode, Text};
use thiserror::Error;

use crate::conflict::Conflict;

/// Every call of this crate.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A failure of the registry. Messages are in English, lower case, and end in a hint; [`StoreError::code`]
/// is what programs and translations go by.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum StoreError {
    Missing { path: PathBuf },

    Exists { path: PathBuf },

    Locked { path: PathBuf },

    Newer { path: PathBuf, found: i64, known: i64 },

    Older { path: PathBuf, found: i64, known: i64 },

    PackGrown { entity: String, field: String },

    OtherPack { path: PathBuf, recorded: String, given: String },

    NotARegistry { path: PathBuf },

    Corrupt { path: PathBuf, detail: String },

    PackIncompatible { entity: String, field: String, recorded: String, declared: String },

    PackInvalid { detail: String },

    ValueMismatch { entity: String, key: String, field: String, expected: String, found: String },

    ValueMissing { entity: String, key: String, field: String },

    RequiredMissing { entity: String, field: String, key: String, count: u64 },

    KeyMissing { entity: String, field: String, index: usize },

    RecordMissing { entity: String, key: String },

    SourceUnknown { id: u32 },

    ChangedMeanwhile(Box<Conflict>),

    KeyReused { key: String, stream: String, position: u64 },

    EventInvalid { stream: String, detail: String },

    ImportMissing { import: u32 },

    ImportKept { import: u32, what: &'static str },

    DivisionList { line: usize, detail: Box<Text> },

    DivisionMissing { code: String, on: String },

    DivisionExists { code: String, on: String },

    DivisionOrder { code: String, on: String, last: String },

    DivisionNotEmpty { code: String, child: String },

    Snapshot { entity: String, detail: String },

    Io { path: PathBuf, source: std::io::Error },

    Sqlite(#[from] rusqlite::Error),
}

impl StoreError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "registry-missing",
            Self::Exists { .. } => "registry-exists",
            Self::Locked { .. } => "registry-locked",
            Self::Newer { .. } => "registry-newer",
            Self::Older { .. } => "registry-older",
            Self::PackGrown { .. } => "pack-grown",
            Self::OtherPack { .. } => "registry-other-pack",
            Self::NotARegistry { .. } => "registry-foreign",
            Self::Corrupt { .. } => "registry-corrupt",
            Self::PackIncompatible { .. } => "pack-incompatible",
            Self::PackInvalid { .. } => "pack-invalid",
            Self::ValueMismatch { .. } => "value-mismatch",
            Self::ValueMissing { .. } => "value-missing",
            Self::RequiredMissing { .. } => "required-missing",
            Self::KeyMissing { .. } => "key-missing",
            Self::RecordMissing { .. } => "record-missing",
            Self::SourceUnknown { .. } => "source-unknown",
            Self::ChangedMeanwhile(_) => RefusalCode::ChangedMeanwhile.as_str(),
            Self::KeyReused { .. } => "key-reused",
            Self::EventInvalid { .. } => "event-invalid",
            Self::ImportMissing { .. } => "import-missing",
            Self::ImportKept { .. } => "import-kept",
            Self::DivisionList { .. } => "division-list",
            Self::DivisionMissing { .. } => "division-missing",
            Self::DivisionExists { .. } => "division-exists",
            Self::DivisionOrder { .. } => "division-order",
            Self::DivisionNotEmpty { .. } => "division-not-empty",
            Self::Snapshot { .. } => "snapshot-failed",
            Self::Io { .. } => "io",
            Self::Sqlite(_) => "sqlite",
        }
    }

    /// The refusal that this is, if it is one: an answer to whoever wrote, and no failure. Nothing was written.
    pub fn refusal(&self) -> Option<RefusalCode> {
        match self {
            Self::ChangedMeanwhile(_) => Some(RefusalCode::ChangedMeanwhile),
            _ => None,
        }
    }

    /// Whether the call that gave this has written nothing, so that its session may go on.
    pub(crate) fn left_no_trace(&self) -> bool {
        matches!(
            self,
            Self::ChangedMeanwhile(_)
                | Self::KeyReused { .. }
                | Self::EventInvalid { .. }
                | Self::ImportMissing { .. }
                | Self::ImportKept { .. }
        )
    }

    /// Says which registry, where the database has only said that it is locked or damaged.
    pub(crate) fn at(self, path: &Path) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, NotADatabase};
        let path = path.to_owned();
        match &self {
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(DatabaseBusy | DatabaseLocked) => Self::Locked { path },
                Some(DatabaseCorrupt) => Self::Corrupt { path, detail: error.to_string() },
                Some(NotADatabase) => Self::NotARegistry { path },
                _ => self,
            },
            Self::Corrupt { detail, path: unnamed } if unnamed.as_os_str().is_empty() => {
                Self::Corrupt { path, detail: detail.clone() }
            }
            _ => self,
        }
    }

    /// Damage found by this crate rather than by the database; [`StoreError::at`] adds the path.
    pub(crate) fn damage(detail: impl Into<String>) -> Self {
        Self::Corrupt { path: PathBuf::new(), detail: detail.into() }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
