//! Free SQL over a run, with DataFusion: for analysts.
//!
//! [`session`] registers a run's tables with their masks, [`answer`] prints what a query gives. The program
//! `xiaokang-sql` is all that uses it.
//!
//! Deliberately lacking: anything that changes a run, and DataFusion in whatever else the office runs.

mod answer;
mod error;
mod problem;
mod session;

pub use answer::{Answer, Format, QueryError, answer};
pub use error::SessionError;
pub use session::{query, query_masked};
