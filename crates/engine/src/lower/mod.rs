//! Stages as DataFusion logical plans: plain joins, aggregates, windows and projections with built-in
//! functions only, so that a stock Ballista executor can run them too.

mod expression;
mod plan;

pub use expression::{data_type, lower};
pub use plan::{Scan, stage_plan};
pub(crate) use plan::ROW_TYPE;
