//! Evaluates a checked program for one subject at a time.
//!
//! [`interpret`] computes values straight from the definition of the language, [`explain`] tells where a value comes
//! from and what would turn it, and [`reassess`] says what follows from changed records. They read [`records`], wherever
//! these lie and whatever changes are laid over them. [`needs`] says which columns a run stores, [`Viewer`] what of a
//! value is shown to whom. Forms, import checks,
//! approvals and pages use this crate; whole registries are the engine's.
//!
//! Deliberately lacking: columns and tables in memory, files, threads, and anything that the engine shares, so that the
//! two can be held against each other.

pub mod explain;
pub mod interpret;
pub mod needs;
pub mod reassess;
pub mod records;
mod viewer;

pub use viewer::{Shown, Viewer};
