//! What the evaluation of expressions, aggregates and windows rests on.

use model::Date;
use pack::program::{ColumnId, EntityId, Program, Value};

use super::EvalError;

/// What a column or an expression comes to: a value, unknown (`None`), or an error about the subject.
pub type Outcome = Result<Option<Value>, EvalError>;

/// A column of a record. The column says which entity the row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub column: ColumnId,
    pub row: u32,
}

/// Where an expression is evaluated: on a row, as part of a column's definition. The row is the
/// column's own, or a child's for the filter and argument of an aggregate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Here {
    pub column: ColumnId,
    pub row: u32,
}

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
