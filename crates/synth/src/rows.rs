//! Made columns as the batches of a snapshot.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int32Array, Int64Builder,
    RecordBatch, StringBuilder, new_null_array,
};
use arrow::datatypes::{DataType, SchemaRef};

use crate::shape::{INDEX_DECIMALS, Shape};
use crate::values::{UNKNOWN, Values};
use crate::world::{NO_ROW, Table};

/// Rows of one entity from several regions.
pub struct Rows {
    entity: usize,
    schema: SchemaRef,
    pub count: usize,
    /// In the order of the schema: rows of parents, and the parent if its rows are still to be moved.
    edges: Vec<(Vec<i32>, Option<usize>)>,
    fields: Vec<Builder>,
}

enum Builder {
    Bool(BooleanBuilder),
    Number(Int64Builder),
    Wide(Decimal128Builder),
    Date(Date32Builder),
    Text(StringBuilder),
    Index(Float64Builder),
}

impl Rows {
    pub fn new(shape: &Shape<'_>, entity: usize, schema: &SchemaRef) -> Self {
        let own = &shape.entities[entity];
        let program = shape.program;
        let edges = program.edges.iter().filter(|edge| edge.child.index() == entity);
        let first = 1 + edges.clone().count();
        let fields = &schema.fields()[first..first + own.fields];
        Self {
            entity,
            schema: Arc::clone(schema),
            count: 0,
            // What is made whole refers to rows as they will be.
            edges: edges
                .map(|edge| {
                    let parent = edge.parent.index();
                    (Vec::new(), (!own.whole && !shape.entities[parent].whole).then_some(parent))
                })
                .collect(),
            fields: fields.iter().map(|field| Builder::new(field.data_type())).collect(),
        }
    }

    /// Adds the rows of a region. `before` says how many rows of each entity the regions before it have.
    pub fn add(&mut self, shape: &Shape<'_>, table: &Table, before: &[usize]) {
        let own = &shape.entities[self.entity];
        let edges = shape.program.edges.iter().filter(|edge| edge.child.index() == self.entity);
        let mut refs = table.refs.iter();
        for ((rows, moved), edge) in self.edges.iter_mut().zip(edges) {
            let found = if edge.tree { Some(&table.parents) } else { refs.next() };
            let shift = moved.map_or(0, |parent| before[parent] as i32);
            let found = found.map_or(&[][..], Vec::as_slice);
            rows.extend(found.iter().map(|row| if *row == NO_ROW { NO_ROW } else { row + shift }));
        }
        for (position, builder) in self.fields.iter_mut().enumerate() {
            let required = own.columns[position].field.as_ref().is_some_and(|field| field.required);
            let hidden = table.missing[position].as_deref();
            if let Some(values) = &table.columns[position] {
                builder.add(values, hidden, table.rows, required);
            }
        }
        self.count += table.rows;
    }

    /// The batch, with the first row of each entity in the file where this one begins.
    pub fn finish(mut self, offsets: &[usize]) -> RecordBatch {
        let start = offsets[self.entity];
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        columns
            .push(Arc::new(Int32Array::from_iter_values((start..start + self.count).map(|row| row as i32))));
        for (rows, moved) in self.edges {
            let shift = moved.map_or(0, |parent| offsets[parent] as i32);
            let rows = rows.into_iter().map(|row| (row != NO_ROW).then_some(row + shift));
            columns.push(Arc::new(rows.collect::<Int32Array>()));
        }
        columns.extend(self.fields.iter_mut().map(Builder::finish));
        for field in &self.schema.fields()[columns.len()..] {
            columns.push(new_null_array(field.data_type(), self.count));
        }
        RecordBatch::try_new(self.schema, columns).expect("the columns are those of the schema")
    }
}

impl Builder {
    fn new(ty: &DataType) -> Self {
        match ty {
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Decimal128(precision, scale) => {
                let builder = Decimal128Builder::new().with_precision_and_scale(*precision, *scale);
                Self::Wide(builder.expect("the type is that of a snapshot's column"))
            }
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Float64 => Self::Index(Float64Builder::new()),
            _ => Self::Number(Int64Builder::new()),
        }
    }

    /// A required value that could not be made is told apart from real ones: 0, or a question mark.
    fn add(&mut self, values: &Values, hidden: Option<&[bool]>, rows: usize, required: bool) {
        let shown = |row: usize| hidden.is_none_or(|hidden| !hidden[row]);
        if let Self::Text(builder) = self {
            for row in 0..rows {
                match values.text(row) {
                    "" if required => builder.append_value("?"),
                    text => builder.append_option(Some(text).filter(|text| !text.is_empty() && shown(row))),
                }
            }
            return;
        }
        let numbers = (0..rows).map(|row| match values.number(row) {
            UNKNOWN => required.then_some(0),
            number => shown(row).then_some(number),
        });
        match self {
            Self::Bool(builder) => {
                numbers.for_each(|number| builder.append_option(number.map(|flag| flag != 0)));
            }
            Self::Number(builder) => numbers.for_each(|number| builder.append_option(number)),
            Self::Wide(builder) => numbers.for_each(|number| builder.append_option(number.map(i128::from))),
            Self::Date(builder) => {
                numbers.for_each(|number| {
                    builder.append_option(number.and_then(|days| i32::try_from(days).ok()));
                });
            }
            Self::Index(builder) => {
                let scale = 10_f64.powi(INDEX_DECIMALS.into());
                numbers.for_each(|number| builder.append_option(number.map(|number| number as f64 / scale)));
            }
            Self::Text(_) => {}
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Number(builder) => Arc::new(builder.finish()),
            Self::Wide(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Index(builder) => Arc::new(builder.finish()),
        }
    }
}
