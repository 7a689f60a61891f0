//! What the evaluation of expressions, aggregates and windows rests on.

use model::Date;
use pack::program::{EntityId, Program};

use super::evaluate::{Cell, Outcome};

/// Somebody who knows the values of cells, from wherever: expressions can be evaluated over them.
pub(crate) trait Cells<'a> {
    fn program(&self) -> &'a Program;

    fn as_of(&self) -> Date;

    /// A value, recorded or computed.
    fn cell(&mut self, cell: Cell) -> Outcome;

    /// The key under which the office knows a record.
    fn key(&self, entity: EntityId, row: u32) -> String;

    /// Whether every operand is looked at, even where one decides.
    fn thorough(&self) -> bool {
        false
    }
}
