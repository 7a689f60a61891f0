//! Rows on their way from a file, whatever its kind.

use crate::import::ImportError;
use crate::import::cell::Cell;

/// What to do after a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Continue,
    /// Enough of this sheet was seen.
    Stop,
}

/// Receives the rows of one sheet in order. Rows that hold nothing may be left out; `number` counts
/// as a spreadsheet does, from 1. Cells beyond the last used one are left out.
pub type RowSink<'s> = dyn FnMut(u32, &[Cell<'_>]) -> Result<Flow, ImportError> + 's;
