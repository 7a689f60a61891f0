//! What follows from some changes, or why it cannot be said.

use pack::program::{ColumnId, Value};
use thiserror::Error;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ReassessError<E> {
    #[error(transparent)]
    Records(E),
    #[error("more than {limit} records would have to be read or computed again")]
    TooMany { limit: usize },
}

/// One value that is another than before. Of a new record, what it has; of a removed one, nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub column: ColumnId,
    pub row: u32,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// What follows from some changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consequences {
    /// Fields and results, hidden ones too, in the order in which they were computed.
    pub changed: Vec<Changed>,
    /// By total of the program: what is added to it.
    pub totals: Vec<i128>,
    /// By total of the program: how many more records it leaves out as unknown; none of one about divisions, where it
    /// also matters whether anything is recorded of them.
    pub unknown: Vec<Option<i64>>,
}

/// Rows that may be read or computed again for one set of changes.
pub(super) const ROWS_MAX: usize = 400_000;
