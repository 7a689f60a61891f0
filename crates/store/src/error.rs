//! What can go wrong, under stable codes, with what to do about it.

use std::path::{Path, PathBuf};

use model::RefusalCode;
use thiserror::Error;

use crate::conflict::Conflict;

/// Every call of this crate.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A failure of the registry. Messages are in English, lower case, and end in a hint; [`StoreError::code`]
/// is what programs and translations go by.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error("there is no registry in `{}`; import something first, or mend the path", .path.display())]
    Missing { path: PathBuf },

    #[error("there is a registry in `{}` already; open it, or choose another folder", .path.display())]
    Exists { path: PathBuf },

    #[error("another process is writing the registry in `{}`; wait until it has finished and repeat", .path.display())]
    Locked { path: PathBuf },

    #[error(
        "the registry in `{}` has format {found} and this program knows up to {known}; use a newer program",
        .path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },

    #[error(
        "the registry in `{}` has format {found} and this program works with format {known}; \
         keep a copy of it and run `xiaokang migrate` on it", .path.display()
    )]
    Older { path: PathBuf, found: i64, known: i64 },

    #[error(
        "the pack has `{entity}.{field}` and the registry no place for it yet; \
         open it once by an import or `xiaokang assess`"
    )]
    PackGrown { entity: String, field: String },

    #[error(
        "the registry in `{}` belongs to pack `{recorded}`, not `{given}`; \
         give that pack or one that extends it, or use another folder", .path.display()
    )]
    OtherPack { path: PathBuf, recorded: String, given: String },

    #[error("`{}` is not a registry; move it away or mend the path", .path.display())]
    NotARegistry { path: PathBuf },

    #[error(
        "the registry in `{}` is damaged: {detail}; restore it from a backup, and keep the damaged file",
        .path.display()
    )]
    Corrupt { path: PathBuf, detail: String },

    #[error(
        "field `{entity}.{field}` is recorded as {recorded} and the pack says {declared}; \
         give the new field another name, so that old records keep their meaning"
    )]
    PackIncompatible { entity: String, field: String, recorded: String, declared: String },

    #[error("the pack is not well formed: {detail}; check it with `xiaokang pack check`")]
    PackInvalid { detail: String },

    #[error("`{entity}` `{key}`: field `{field}` is {expected} and cannot hold {found}")]
    ValueMismatch { entity: String, key: String, field: String, expected: String, found: String },

    #[error("`{entity}` `{key}` lacks `{field}`, which is required; fill it in or keep the row out")]
    ValueMissing { entity: String, key: String, field: String },

    #[error(
        "{count} of the recorded `{entity}` lack `{field}`, which the pack requires, `{key}` first; \
         import them again with it, or declare the field not required"
    )]
    RequiredMissing { entity: String, field: String, key: String, count: u64 },

    #[error("record {index} of the batch has no `{entity}.{field}`, by which it is known; keep the row out")]
    KeyMissing { entity: String, field: String, index: usize },

    #[error("there is no `{entity}` `{key}`; check the key")]
    RecordMissing { entity: String, key: String },

    #[error("source {id} is not of this registry; add it to the session first")]
    SourceUnknown { id: u32 },

    #[error("{0}; read it again and decide anew")]
    ChangedMeanwhile(Box<Conflict>),

    #[error(
        "key `{key}` stands for something else, which stream `{stream}` has at {position}; give new events new keys"
    )]
    KeyReused { key: String, stream: String, position: u64 },

    #[error("stream `{stream}`: {detail}")]
    EventInvalid { stream: String, detail: String },

    #[error("there is no import {import}; check its number")]
    ImportMissing { import: u32 },

    #[error(
        "import {import} recorded events of {what}, which are not taken back; record what follows as further events"
    )]
    ImportKept { import: u32, what: &'static str },

    #[error("line {line} of the list of divisions: {detail}")]
    DivisionList { line: usize, detail: String },

    #[error("there is no division `{code}` on {on}; check the code and the day")]
    DivisionMissing { code: String, on: String },

    #[error("division `{code}` exists on {on} already; choose another code")]
    DivisionExists { code: String, on: String },

    #[error("division `{code}` has changed since {on}, on {last}; record events in order of their days")]
    DivisionOrder { code: String, on: String, last: String },

    #[error("division `{code}` still contains `{child}`; move or merge what lies in it first")]
    DivisionNotEmpty { code: String, child: String },

    #[error("the snapshot of `{entity}` failed: {detail}")]
    Snapshot { entity: String, detail: String },

    #[error("`{}`: {source}", .path.display())]
    Io { path: PathBuf, source: std::io::Error },

    #[error("the database failed: {0}")]
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
