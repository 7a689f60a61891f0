//! Lists of records: those within a division that meet all criteria, in an order, with exact totals.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef};
use pack::program::{ColumnId, EntityId, Value};

use super::figure::Columns;
use super::{Place, Reading};
use crate::cells::cell;
use crate::tables::TableError;
use crate::verdict::{State, Verdict};

/// Which records a list holds.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    pub entity: EntityId,
    pub place: Place,
    /// All of them must hold.
    pub criteria: Vec<Criterion>,
    pub sort: Sort,
}

/// What is asked of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Criterion {
    /// What a rule says of it.
    Verdict(Verdict, State),
    /// The value of a column of it, or of a record above it; `None` is unknown.
    Is(ColumnId, Option<Value>),
}

/// The order of a list. Records of equal value stand in the order of the snapshot, which is by division and key; the
/// unknown ones come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Snapshot,
    By { column: ColumnId, descending: bool },
}

/// The records of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// In the order asked for.
    pub rows: Vec<u32>,
    /// Records that the criteria are asked of.
    pub all: u64,
    /// Of the records that are not in the list, those of which it is not known whether they should be.
    pub unknown: u64,
}

impl Reading {
    /// The records of a list.
    pub fn list(&self, list: &List) -> Result<Listed, TableError> {
        // A register names every division; what is asked of them is asked of those that are more than a name.
        let within = match list.criteria.as_slice() {
            [] => self.within(list.entity, list.place)?,
            _ => self.subjects(list.entity, list.place)?,
        };
        let tests = list.criteria.iter().map(|criterion| self.test(list.entity, criterion));
        let tests: Vec<Test> = tests.collect::<Result<_, _>>()?;
        let all = within.len() as u64;
        let mut rows = Vec::new();
        let mut unknown = 0;
        for row in within {
            match tests.iter().map(|test| test.holds(row)).fold(Some(true), both) {
                Some(true) => rows.push(row),
                Some(false) => {}
                None => unknown += 1,
            }
        }
        if let Sort::By { column, descending } = list.sort {
            self.sort(list.entity, &mut rows, column, descending)?;
        }
        Ok(Listed { rows, all, unknown })
    }

    fn test(&self, entity: EntityId, criterion: &Criterion) -> Result<Test, TableError> {
        Ok(match criterion {
            Criterion::Verdict(verdict, state) => Test::Verdict(Columns::of(self, verdict)?, *state),
            Criterion::Is(column, value) => {
                let owner = self.program().column(*column).entity;
                let above = if owner == entity { None } else { Some(self.above(entity, owner)?) };
                Test::Is { array: self.column(*column)?, above, wanted: value.clone() }
            }
        })
    }

    fn sort(
        &self,
        entity: EntityId,
        rows: &mut [u32],
        column: ColumnId,
        descending: bool,
    ) -> Result<(), TableError> {
        let mut keyed: Vec<(Option<Value>, u32)> = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            keyed.push((self.value_above(entity, *row, column)?, *row));
        }
        keyed.sort_by(|(a, a_row), (b, b_row)| {
            let order = match (a, b) {
                (Some(a), Some(b)) if descending => compare(b, a),
                (Some(a), Some(b)) => compare(a, b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            };
            order.then(a_row.cmp(b_row))
        });
        for (slot, (_, row)) in rows.iter_mut().zip(keyed) {
            *slot = row;
        }
        Ok(())
    }

    /// Sum of the known values of a number column over some records, and how many of them are unknown.
    pub fn sum(&self, column: ColumnId, rows: &[u32]) -> Result<(i128, u64), TableError> {
        let Some(array) = self.column(column)? else { return Ok((0, rows.len() as u64)) };
        let mut sum = (0, 0);
        for row in rows {
            match cell(&array, *row as usize) {
                Some(Value::Number(number)) => sum.0 += number,
                _ => sum.1 += 1,
            }
        }
        Ok(sum)
    }
}

/// A criterion with the columns that it looks at.
enum Test {
    Verdict(Option<Columns>, State),
    Is {
        array: Option<ArrayRef>,
        /// The rows of the column's records, where it is another entity's.
        above: Option<Arc<[u32]>>,
        wanted: Option<Value>,
    },
}

impl Test {
    /// Whether it holds; `None` if that is not known.
    fn holds(&self, row: u32) -> Option<bool> {
        match self {
            Self::Verdict(None, _) => Some(false),
            Self::Verdict(Some(columns), wanted) => match columns.state(row) {
                state if state == *wanted => Some(true),
                State::Unknown => None,
                _ => Some(false),
            },
            Self::Is { array, above, wanted } => {
                let row = above.as_ref().map_or(row, |above| above[row as usize]);
                let known = array.as_ref().filter(|array| (row as usize) < array.len());
                let value = known.and_then(|array| cell(array, row as usize));
                match (value, wanted) {
                    (None, None) => Some(true),
                    (None, Some(_)) => None,
                    (Some(value), wanted) => Some(wanted.as_ref() == Some(&value)),
                }
            }
        }
    }
}

/// Whether both hold: one that does not decides whatever the other is.
fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Index(a), Value::Index(b)) => a.total_cmp(b),
        // One column holds values of one type.
        _ => Ordering::Equal,
    }
}
