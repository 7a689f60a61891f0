//! A program as one readable SQL script: a statement for every stage, which makes a temporary table of what the
//! stage computes, and a statement for every table of results.
//!
//! Input tables are named like the entities and have the columns of a snapshot. The script needs nothing
//! but them, and gives `run_<entity>` with `_row`, the key and every result; what is too wide for one table goes
//! on in `run_<entity>_2`.

mod dialect;
mod expression;
mod script;

pub use dialect::{Dialect, identifier};
pub use script::{ResultTable, result_tables, script, script_for};
