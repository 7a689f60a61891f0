//! Computed values.

use pack::program::{ColumnId, EntityId, Value};

use super::cells::Outcome;
use super::facts::{Facts, Given};

/// What has become of a cell.
#[derive(Clone, Debug)]
pub(crate) enum Memo {
    Empty,
    /// Being computed: met again, it is a cycle.
    Busy,
    Ready(Outcome),
}

/// Computed values, apart from the facts they were computed from.
#[derive(Clone, Debug)]
pub struct Results {
    cells: Vec<Option<Outcome>>,
}

impl Results {
    pub(super) fn new(memo: Vec<Memo>) -> Self {
        let outcome = |memo| match memo {
            Memo::Ready(outcome) => Some(outcome),
            Memo::Empty | Memo::Busy => None,
        };
        Self { cells: memo.into_iter().map(outcome).collect() }
    }

    /// The value of a column of a record, recorded or computed. `facts` are those it was computed
    /// from.
    pub fn value(&self, facts: &Facts, entity: EntityId, row: u32, column: ColumnId) -> Outcome {
        match facts.given(entity, row, column) {
            Given::Yes(value) => Ok(value.clone()),
            Given::No => {
                self.cells[facts.position(entity, row, column)]
                    .clone()
                    .unwrap_or(Ok::<Option<Value>, _>(None))
            }
        }
    }
}
