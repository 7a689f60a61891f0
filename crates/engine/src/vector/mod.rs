//! A vector machine: evaluates primitive expressions over a few thousand rows at a time.
//!
//! Expressions become a list of operations, each computed once ([`program`]); a [`Machine`] executes the list over
//! the rows of a table in chunks that stay in the processor's cache. Whether anything is NULL is seen from the values
//! and not from the plan: a guard against the unknown costs nothing in a chunk without NULLs. Columns of other
//! tables are reached by position, because references between tables are dense row numbers.
//!
//! Deliberately lacking: anything that looks at more than one row of a table (see `aligned`).

mod arrays;
mod kernels;
mod machine;
mod program;
mod reduce;
mod value;

pub(crate) use arrays::Column;
pub(crate) use machine::Machine;
pub(crate) use program::{Builder, Input, Source, Sources, VectorProgram};
pub(crate) use reduce::Accumulator;
