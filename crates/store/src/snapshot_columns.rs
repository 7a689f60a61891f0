//! The columns of a snapshot file, and rows of the state on their way into them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int32Builder, Int64Builder,
    RecordBatch, StringBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use pack::program::{ColumnId, EntityId, Value};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::error::StoreError;
use crate::layout::{EntityLayout, FieldType, Layout};

/// Values of fields that nobody records, by column and key; what is not there is unknown.
pub type Derived = HashMap<ColumnId, HashMap<String, Value>>;

/// Digits of numbers beyond 64 bits.
const WIDE_DIGITS: u8 = 38;

/// `_row`, `_<edge>` …, the fields, `_source`, `_source_row`, `_recorded_on`.
pub(crate) fn schema(layout: &Layout, id: EntityId) -> SchemaRef {
    let entity = layout.entity(id);
    let mut columns = vec![Field::new("_row", DataType::Int32, false)];
    for (_, edge) in layout.edges_of(id) {
        columns.push(Field::new(format!("_{}", edge.name), DataType::Int32, true));
    }
    for field in &entity.fields {
        columns.push(Field::new(&field.name, data_type(&field.ty), !field.required));
    }
    columns.push(Field::new("_source", DataType::Int32, true));
    columns.push(Field::new("_source_row", DataType::Int32, true));
    columns.push(Field::new(RECORDED_ON, DataType::Date32, true));
    Arc::new(Schema::new(columns))
}

/// The one column that says when, and so is no part of the digest.
pub(crate) const RECORDED_ON: &str = "_recorded_on";

fn data_type(ty: &FieldType) -> DataType {
    match ty {
        FieldType::Bool => DataType::Boolean,
        FieldType::Number { wide: false, .. } => DataType::Int64,
        FieldType::Number { wide: true, .. } => DataType::Decimal128(WIDE_DIGITS, 0),
        FieldType::Date => DataType::Date32,
        FieldType::Text => DataType::Utf8,
        FieldType::Index => DataType::Float64,
    }
}

/// Collects rows into batches.
pub(crate) struct Rows<'l> {
    entity: &'l EntityLayout,
    schema: SchemaRef,
    row: Int32Builder,
    edges: Vec<Int32Builder>,
    fields: Vec<Column>,
    /// Values of derived fields by key, by position of the field.
    derived: Vec<Option<&'l HashMap<String, Value>>>,
    source: Int32Builder,
    source_row: Int32Builder,
    recorded_on: Date32Builder,
    length: usize,
}

/// Why a row cannot be in a snapshot.
pub(crate) enum RowFault {
    /// The field at this position is required and unknown.
    Required(usize),
    Other(StoreError),
}

impl<E: Into<StoreError>> From<E> for RowFault {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl<'l> Rows<'l> {
    pub fn new(layout: &'l Layout, derived: &'l Derived, id: EntityId, capacity: usize) -> Self {
        let entity = layout.entity(id);
        Self {
            entity,
            schema: schema(layout, id),
            row: Int32Builder::with_capacity(capacity),
            edges: layout.edges_of(id).map(|_| Int32Builder::with_capacity(capacity)).collect(),
            fields: entity.fields.iter().map(|field| Column::new(&field.ty, capacity)).collect(),
            derived: entity.fields.iter().map(|field| derived.get(&field.column)).collect(),
            source: Int32Builder::with_capacity(capacity),
            source_row: Int32Builder::with_capacity(capacity),
            recorded_on: Date32Builder::with_capacity(capacity),
            length: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.length
    }

    /// `row` holds `_id`, the fields, `_source`, `_source_row`, `_recorded_on`; `parents` has one row for each edge.
    pub fn push(&mut self, number: i32, parents: &[Option<i32>], row: &Row<'_>) -> Result<(), RowFault> {
        self.row.append_value(number);
        for (edge, parent) in self.edges.iter_mut().zip(parents) {
            edge.append_option(*parent);
        }
        for (position, (column, field)) in self.fields.iter_mut().zip(&self.entity.fields).enumerate() {
            if let Some(values) = self.derived[position] {
                let key = row.get_ref(self.entity.key + 1)?.as_str().unwrap_or_default();
                if !column.push_value(values.get(key)) {
                    let detail = format!("`{}` is derived as a value of another type", field.name);
                    return Err(RowFault::Other(StoreError::Snapshot {
                        entity: self.entity.name.clone(),
                        detail,
                    }));
                }
                continue;
            }
            let value = row.get_ref(position + 1)?;
            if field.required && value == ValueRef::Null {
                return Err(RowFault::Required(position));
            }
            if !column.push(value) {
                let detail = format!("`{}` holds {value:?}; it cannot stand in a snapshot", field.name);
                return Err(RowFault::Other(StoreError::Snapshot {
                    entity: self.entity.name.clone(),
                    detail,
                }));
            }
        }
        let next = self.entity.fields.len() + 1;
        self.source.append_option(row.get(next)?);
        self.source_row.append_option(row.get(next + 1)?);
        self.recorded_on.append_option(row.get(next + 2)?);
        self.length += 1;
        Ok(())
    }

    pub fn finish(&mut self) -> RecordBatch {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.row.finish())];
        columns.extend(self.edges.iter_mut().map(|edge| Arc::new(edge.finish()) as ArrayRef));
        columns.extend(self.fields.iter_mut().map(Column::finish));
        columns.push(Arc::new(self.source.finish()));
        columns.push(Arc::new(self.source_row.finish()));
        columns.push(Arc::new(self.recorded_on.finish()));
        self.length = 0;
        RecordBatch::try_new(self.schema.clone(), columns).expect("the columns are those of the schema")
    }
}

enum Column {
    Bool(BooleanBuilder),
    Number(Int64Builder),
    Wide(Decimal128Builder),
    Date(Date32Builder),
    Text(StringBuilder),
    Index(Float64Builder),
}

impl Column {
    fn new(ty: &FieldType, capacity: usize) -> Self {
        match ty {
            FieldType::Bool => Self::Bool(BooleanBuilder::with_capacity(capacity)),
            FieldType::Number { wide: false, .. } => Self::Number(Int64Builder::with_capacity(capacity)),
            FieldType::Number { wide: true, .. } => {
                let builder = Decimal128Builder::with_capacity(capacity);
                let wide = builder.with_precision_and_scale(WIDE_DIGITS, 0);
                Self::Wide(wide.expect("38 digits are the most that the type has"))
            }
            FieldType::Date => Self::Date(Date32Builder::with_capacity(capacity)),
            FieldType::Text => Self::Text(StringBuilder::with_capacity(capacity, capacity * 16)),
            FieldType::Index => Self::Index(Float64Builder::with_capacity(capacity)),
        }
    }

    /// False if the column cannot hold the value.
    fn push(&mut self, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Self::Bool(column), ValueRef::Null) => column.append_null(),
            (Self::Bool(column), ValueRef::Integer(value)) => column.append_value(value != 0),
            (Self::Number(column), ValueRef::Null) => column.append_null(),
            (Self::Number(column), ValueRef::Integer(value)) => column.append_value(value),
            (Self::Wide(column), ValueRef::Null) => column.append_null(),
            (Self::Wide(column), ValueRef::Integer(value)) => column.append_value(value.into()),
            (Self::Wide(column), ValueRef::Text(text)) => {
                let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i128>().ok());
                let limit = 10_u128.pow(u32::from(WIDE_DIGITS));
                let Some(number) = number.filter(|number| number.unsigned_abs() < limit) else {
                    return false;
                };
                column.append_value(number);
            }
            (Self::Date(column), ValueRef::Null) => column.append_null(),
            (Self::Date(column), ValueRef::Integer(days)) => {
                let Ok(days) = i32::try_from(days) else { return false };
                column.append_value(days);
            }
            (Self::Text(column), ValueRef::Null) => column.append_null(),
            (Self::Text(column), ValueRef::Text(text)) => {
                let Ok(text) = std::str::from_utf8(text) else { return false };
                column.append_value(text);
            }
            (Self::Index(column), ValueRef::Null) => column.append_null(),
            (Self::Index(column), ValueRef::Real(value)) => column.append_value(value),
            _ => return false,
        }
        true
    }

    /// Takes a value of the column's own type; says whether it could.
    fn push_value(&mut self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Bool(column), None) => column.append_null(),
            (Self::Bool(column), Some(Value::Bool(value))) => column.append_value(*value),
            (Self::Number(column), None) => column.append_null(),
            (Self::Number(column), Some(Value::Number(value))) => {
                let Ok(value) = i64::try_from(*value) else { return false };
                column.append_value(value);
            }
            (Self::Wide(column), None) => column.append_null(),
            (Self::Wide(column), Some(Value::Number(value))) => column.append_value(*value),
            (Self::Date(column), None) => column.append_null(),
            (Self::Date(column), Some(Value::Date(value))) => column.append_value(value.days()),
            (Self::Text(column), None) => column.append_null(),
            (Self::Text(column), Some(Value::Text(value))) => column.append_value(value),
            (Self::Index(column), None) => column.append_null(),
            (Self::Index(column), Some(Value::Index(value))) => column.append_value(*value),
            _ => return false,
        }
        true
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(column) => Arc::new(column.finish()),
            Self::Number(column) => Arc::new(column.finish()),
            Self::Wide(column) => Arc::new(column.finish()),
            Self::Date(column) => Arc::new(column.finish()),
            Self::Text(column) => Arc::new(column.finish()),
            Self::Index(column) => Arc::new(column.finish()),
        }
    }
}
