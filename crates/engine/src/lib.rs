//! Runs a checked program over a registry's snapshot.
//!
//! A program is desugared into primitive expressions ([`desugar`]), grouped into [`stages`], and then executed
//! ([`run`], [`run_tables`]), along the order of the snapshot, or
//! printed as SQL ([`sql`]). Nothing here knows a law: all of it comes with the program.
//!
//! Deliberately lacking: the registry itself, the clock, free queries, and any way to change what was recorded.

mod aligned;
pub mod desugar;
mod error;
mod findings;
pub mod interval;
mod load;
mod memory;
mod parameters;
mod problem;
mod records;
mod run;
pub mod scalar;
pub mod sql;
mod stack;
pub mod stages;
mod table;
mod timings;
mod vector;

pub use error::EngineError;
pub use findings::{Finding, OUT_OF_RANGE};
pub use memory::{run_tables, run_tables_for};
pub use parameters::in_force;
pub use records::{PROVENANCE, array, tables_of_records};
pub use run::{
    EngineNote, FileNote, GROUP_INDEX, GroupResult, ManifestError, PART_ROWS, PackNote, Progress, RUN_FORMAT,
    Request, RunManifest, RunOptions, RunSummary, SnapshotFiles, SnapshotNote, Timing, Timings, Workers,
    exact_json, run, serve, snapshot_digest,
};
