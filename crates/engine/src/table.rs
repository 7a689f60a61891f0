//! Columns in memory: what a part of a run works on.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int32Type};
use pack::program::EntityId;

use crate::EngineError;
use crate::scalar::Kind;

/// Of row numbers and of references to them.
pub(crate) const ROW_TYPE: DataType = DataType::Int32;

/// How a kind is stored in Arrow.
pub(crate) fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Bool => DataType::Boolean,
        Kind::Int => DataType::Int64,
        Kind::Wide => DataType::Decimal128(38, 0),
        Kind::Date => DataType::Date32,
        Kind::Text => DataType::Utf8,
        Kind::Float => DataType::Float64,
    }
}

/// Rows of one entity, a contiguous range of `_row`, in order.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The `_row` of the first row.
    pub start: i32,
    pub rows: usize,
    /// By name; `_row` included. All of the same length.
    pub columns: BTreeMap<String, ArrayRef>,
}

impl Table {
    /// A table whose only column is `_row`.
    pub fn new(start: i32, rows: usize) -> Self {
        let row: Int32Array = (start..).take(rows).collect();
        let columns = BTreeMap::from([("_row".to_owned(), Arc::new(row) as ArrayRef)]);
        Self { start, rows, columns }
    }

    /// The values of another table's column along an edge, NULL where the parent is missing or not here.
    pub fn along(&self, edge: &str, parents: &Table, values: &ArrayRef) -> Result<ArrayRef, EngineError> {
        let Some(edges) = self.columns.get(edge) else {
            return Ok(new_null_array(values.data_type(), self.rows));
        };
        let rows = parents.rows as i64;
        let indices: UInt32Array = edges
            .as_primitive::<Int32Type>()
            .iter()
            .map(|row| {
                let index = i64::from(row?) - i64::from(parents.start);
                (0..rows).contains(&index).then_some(index as u32)
            })
            .collect();
        Ok(take(values, &indices, None)?)
    }
}

/// A table for each entity that takes part, by index of the entity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables(pub Vec<Option<Table>>);

impl Tables {
    pub fn get(&self, entity: EntityId) -> Option<&Table> {
        self.0.get(entity.index()).and_then(Option::as_ref)
    }
}
