//! Use cases of the product: each is one actor doing one thing in one transaction.
//!
//! [`import`](mod@import) reads workbooks into the registry: it recognises sheets, reads cells as they were
//! meant, links records, runs the pack's checks, and stores what passes or nothing at all.
//! [`seed`] fills a new registry with the divisions and records that a pack ships.
//!
//! Deliberately lacking: the clock (moments are passed in), screens and command lines, and any SQL.

pub mod accounts;
pub mod acting;
pub mod assess;
pub mod calculate;
pub mod cases;
pub mod cells;
pub mod changes;
pub mod check_change;
pub mod coverage;
pub mod derived;
pub mod dictionary;
pub mod explain;
pub mod forms;
pub mod funds;
pub mod import;
mod json_values;
pub mod masks;
pub mod mutate;
pub mod notices;
pub mod pack_cache;
pub mod packs;
pub mod pay;
mod problems;
pub mod procedure;
pub mod publish;
pub mod reading;
pub mod reassess;
pub mod registry;
mod registry_error;
mod registry_records;
pub mod report;
pub mod run_records;
pub mod seed;
mod stored_run;
pub mod synth;
mod tables;
pub mod totals;
pub mod verdict;

pub use engine::sql::{
    Dialect, result_tables as sql_tables, script as sql_script, script_for as sql_script_for,
};
pub use engine::{EngineError, Progress, RunManifest, SnapshotFiles, Timings, run_tables, snapshot_digest};
pub use evaluate::explain as explained;
pub use evaluate::explain::{Explanation, value_text};
pub use evaluate::{Shown, Viewer};
pub use store::{Moment, Registry, RegistryId, StoreError};
pub use tables::TableError;
