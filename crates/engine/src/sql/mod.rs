//! A program as one readable SQL script: a statement for every entity with results, a CTE for every stage.
//!
//! Input tables are named like the entities and have the columns of a snapshot. The script needs nothing
//! but them, and gives `run_<entity>` with `_row`, the key and every result; what is too wide for one table goes
//! on in `run_<entity>_2`.

mod dialect;
mod expression;
mod script;

pub use dialect::{Dialect, identifier};
pub use script::{ResultTable, result_tables, script};
