//! From vectors to the columns of a table.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringBuilder,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};

use super::machine::Chunk;
use super::program::Slot;
use super::value::{Lane, Lanes, Operand, Vector};
use crate::EngineError;
use crate::scalar::Kind;

/// A column that is filled chunk by chunk.
pub(crate) struct Column {
    values: Values,
    /// 1 where the value is NULL; empty as long as nothing is.
    nulls: Vec<u8>,
    rows: usize,
}

enum Values {
    Bool(Vec<u8>),
    Int(Vec<i64>),
    Date(Vec<i32>),
    Wide(Vec<i128>),
    Float(Vec<f64>),
    Text(StringBuilder),
}

impl Column {
    pub fn new(kind: Kind, rows: usize) -> Self {
        let values = match kind {
            Kind::Bool => Values::Bool(Vec::with_capacity(rows)),
            Kind::Int => Values::Int(Vec::with_capacity(rows)),
            Kind::Date => Values::Date(Vec::with_capacity(rows)),
            Kind::Wide => Values::Wide(Vec::with_capacity(rows)),
            Kind::Float => Values::Float(Vec::with_capacity(rows)),
            Kind::Text => Values::Text(StringBuilder::new()),
        };
        Self { values, nulls: vec![], rows: 0 }
    }

    /// Adds what a slot holds.
    pub fn append(&mut self, chunk: &Chunk<'_, '_>, slot: Slot) {
        let rows = chunk.rows.len();
        let vector = chunk.vector(slot);
        match vector {
            Vector::Null => self.nulls(None, rows, true),
            _ => {
                let nulls = vector.nulls();
                self.nulls(nulls.as_ref().map(|nulls| nulls.as_slice()), rows, false);
            }
        }
        match (&mut self.values, vector) {
            (Values::Bool(values), Vector::Bool(lanes)) => extend(values, lanes, rows),
            (Values::Int(values), Vector::Int(lanes)) => extend(values, lanes, rows),
            (Values::Wide(values), Vector::Wide(lanes)) => extend(values, lanes, rows),
            (Values::Wide(values), Vector::Int(lanes)) => match lanes.operand() {
                Operand::Same(value) => values.resize(values.len() + rows, i128::from(value)),
                Operand::Each(each) => values.extend(each.iter().map(|value| i128::from(*value))),
            },
            (Values::Float(values), Vector::Float(lanes)) => extend(values, lanes, rows),
            (Values::Date(values), Vector::Int(lanes)) => match lanes.operand() {
                Operand::Same(value) => values.resize(values.len() + rows, value as i32),
                Operand::Each(each) => values.extend(each.iter().map(|value| *value as i32)),
            },
            (Values::Text(builder), vector) => {
                for row in 0..rows {
                    builder.append_option(vector.text(row));
                }
            }
            (Values::Bool(values), _) => values.resize(values.len() + rows, 0),
            (Values::Int(values), _) => values.resize(values.len() + rows, 0),
            (Values::Date(values), _) => values.resize(values.len() + rows, 0),
            (Values::Wide(values), _) => values.resize(values.len() + rows, 0),
            (Values::Float(values), _) => values.resize(values.len() + rows, 0.0),
        }
        self.rows += rows;
    }

    fn nulls(&mut self, nulls: Option<&[u8]>, rows: usize, all: bool) {
        if nulls.is_none() && !all && self.nulls.is_empty() {
            return;
        }
        self.nulls.resize(self.rows, 0);
        match nulls {
            Some(nulls) => self.nulls.extend_from_slice(nulls),
            None => self.nulls.resize(self.rows + rows, u8::from(all)),
        }
    }

    pub fn finish(self) -> Result<ArrayRef, EngineError> {
        let nulls = (!self.nulls.is_empty()).then(|| {
            let nulls = &self.nulls;
            NullBuffer::new(BooleanBuffer::collect_bool(nulls.len(), |row| nulls[row] == 0))
        });
        Ok(match self.values {
            Values::Bool(values) => {
                let bits = BooleanBuffer::collect_bool(values.len(), |row| values[row] != 0);
                Arc::new(BooleanArray::new(bits, nulls))
            }
            Values::Int(values) => Arc::new(Int64Array::new(ScalarBuffer::from(values), nulls)),
            Values::Date(values) => Arc::new(Date32Array::new(ScalarBuffer::from(values), nulls)),
            Values::Wide(values) => Arc::new(
                Decimal128Array::new(ScalarBuffer::from(values), nulls).with_precision_and_scale(38, 0)?,
            ),
            Values::Float(values) => Arc::new(Float64Array::new(ScalarBuffer::from(values), nulls)),
            Values::Text(mut builder) => Arc::new(builder.finish()),
        })
    }
}

fn extend<T: Copy>(values: &mut Vec<T>, lanes: &Lanes<'_, T>, rows: usize) {
    match &lanes.lane {
        Lane::Same(value) => values.resize(values.len() + rows, *value),
        Lane::Each(each) => values.extend_from_slice(each),
    }
}
