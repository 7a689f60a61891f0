//! Runs a checked program over a registry's snapshot.
//!
//! A program is desugared into primitive expressions ([`desugar`]), grouped into [`stages`], and then executed
//! ([`run`], [`run_tables`]), along the order of the snapshot or as DataFusion plans (see [`Execution`]), or
//! printed as SQL ([`sql`]). Nothing here knows a law: all of it comes with the program.
//!
//! Deliberately lacking: the registry itself, the clock, user-defined functions (so that plans run on a
//! stock Ballista executor), and any way to change what was recorded.

mod aligned;
pub mod desugar;
mod error;
pub mod explain;
mod findings;
pub mod interpret;
pub mod interval;
mod load;
pub mod lower;
mod memory;
pub mod needs;
mod parameters;
mod query;
pub mod reassess;
mod records;
mod run;
pub mod scalar;
mod session;
pub mod sql;
pub mod stages;
mod table;
mod vector;

pub use aligned::Execution;
pub use error::EngineError;
pub use findings::{Finding, OUT_OF_RANGE};
pub use memory::{run_tables, run_tables_for};
pub use parameters::{brackets_in_force, in_force, scalar_in_force, table_in_force};
pub use query::{Masks, query, query_masked};
pub use records::{PROVENANCE, array, tables_of_records};
pub use run::{
    GROUP_INDEX, GroupResult, PART_ROWS, Progress, Request, RunOptions, RunSummary, SnapshotFiles, Timing,
    Timings, Workers, run, serve, snapshot_digest,
};
