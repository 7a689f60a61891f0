//! The registry: what an office has recorded, with its history, as a folder with one SQLite file.
//!
//! A change table that only grows is the truth; the tables of current records are derived from it in the same
//! transaction, and snapshots (Parquet, for the engine) from those. Streams of events, for what goes on beside
//! records, only grow too, and are written in that transaction. Entities and fields are those of a pack,
//! compiled to a [`pack::program::Program`]: a pack that has grown adds tables and columns when a registry is
//! opened with it. Divisions have a history of their own.
//!
//! All ids ([`pack::program::EntityId`], [`pack::program::ColumnId`], [`pack::program::EdgeId`]) are those of
//! the program that the registry was created or opened with. Values are as in the program: numbers are scaled
//! integers. Everything is synchronous, and one [`Registry`] serves one thread.
//!
//! Deliberately lacking: files as offices write them, and what is right or wrong in them (`app` reads and
//! judges); rules and results (`engine`); the clock (every write is given its [`Moment`]); and a second
//! database, until the server needs one.

mod account;
mod check;
mod conflict;
mod division;
mod division_change;
mod division_list;
mod division_records;
mod error;
mod event;
mod expectation;
mod format;
mod growth;
mod history;
mod identity;
mod layout;
mod meta;
mod problem;
mod reading;
mod registry;
mod schema;
mod session;
mod snapshot;
mod snapshot_columns;
mod snapshot_file;
mod snapshot_order;
mod snapshot_writer;
mod trace;
mod undo;
mod upsert;
mod value;
mod view;
mod work_folder;

pub use account::{Account, Grant, SessionId};
pub use check::CheckSummary;
pub use conflict::{Conflict, Expected, FieldConflict, RecordConflict, StreamConflict};
pub use division::{Division, DivisionEvent, DivisionEventKind};
pub use division_change::{DivisionsLoaded, Reassignment};
pub use division_list::{NewDivision, read_division_list};
pub use error::{Result, StoreError};
pub use event::{Appended, Event, NewEvent, StreamHead};
pub use format::Migration;
pub use history::{Change, ChangeKind, FieldChange, Import, Source};
pub use identity::{NotARegistryId, RegistryId};
pub use model::Moment;
pub use reading::ReadSession;
pub use registry::Registry;
pub use session::{
    ImportMeta, ImportSession, ImportSummary, NewSource, Outcome, Record, Removal, SourceId, SourceKind,
};
pub use snapshot::{SNAPSHOT_FORMAT, SnapshotSummary};
pub use snapshot_columns::Derived;
pub use snapshot_writer::{EncodedRows, SnapshotEncoder, SnapshotWriter, snapshot_schemas};
pub use trace::{Statement, listen_to_statements};
pub use undo::{NotUndone, NotUndoneReason, Undone};
pub use view::{RecordState, ScanRow, View};
pub use work_folder::WorkFolder;
