//! Stages as DataFusion logical plans: plain joins, aggregates, windows and projections with built-in
//! functions only, so that a stock Ballista executor can run them too.

mod expression;
mod plan;

pub(crate) use expression::DIVIDEND_MAX;
pub use expression::{data_type, lower};
pub(crate) use plan::{ROW_TYPE, needed_before, output_names};
pub use plan::{Scan, stage_plan};
