//! A direct evaluator of a checked program over facts in memory.
//!
//! It is the second implementation of the semantics in [`pack::program`], and shares nothing with
//! the planned one but the program: it walks the expressions as the pack wrote them (ages, months,
//! brackets, dated parameters, windows, strict aggregates), in 128-bit integers that are always
//! checked. It answers for one household within a page's time, and explanations are built on it.
//!
//! Deliberately lacking: input and output, plans, parallelism, and any notion of time but the
//! as-of date it is given. A whole county is the planned engine's business.

mod aggregate;
mod calculate;
mod cells;
mod changing;
mod error;
mod evaluate;
mod expression;
mod facts;
mod operate;
mod parameter;
mod results;
mod tracking;
mod window;

#[cfg(test)]
pub(crate) mod build;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

pub(crate) use aggregate::Aggregates;
pub use calculate::{Calculation, calculate};
pub use cells::Outcome;
pub(crate) use cells::{Cell, Cells, Here};
pub use error::EvalError;
pub use evaluate::Evaluator;
pub(crate) use expression::Expressions;
pub use facts::{Facts, FactsBuilder, Provenance};
pub(crate) use operate::{add, subtract};
pub(crate) use parameter::{InForce, bracket_drop, bracket_products, in_force};
pub use results::Results;
pub(crate) use window::{Windows, frame_end};
