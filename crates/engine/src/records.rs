//! Records in memory as tables: for worked cases, the one-household call and tests.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use arrow::datatypes::{DataType, Field, Schema};
use model::Date;
use pack::program::{CaseRecord, ColumnId, EntityId, Program, Type, Value};

use crate::EngineError;
use crate::desugar::edge_column;
use crate::scalar::Kind;
use crate::table::data_type;

/// Tables of a snapshot: one batch for every entity of the program, its rows sorted along the tree and
/// otherwise in the order given, with row numbers, references, fields and empty provenance. A field that
/// a record does not give is unknown; a reference that matches nothing, too.
///
/// # Errors
/// [`EngineError::Arrow`] if a batch cannot be built, which would be a bug.
pub fn tables_of_records(
    program: &Program,
    records: &[CaseRecord],
) -> Result<HashMap<String, RecordBatch>, EngineError> {
    let mut sorted: Vec<Vec<&CaseRecord>> = vec![vec![]; program.entities.len()];
    for record in records {
        sorted[record.entity.index()].push(record);
    }
    for (index, entity) in program.entities.iter().enumerate() {
        if let Some(edge) = entity.parent {
            let parent_rows = references(program, &sorted, edge.index());
            let mut order: Vec<(Option<i32>, &CaseRecord)> =
                parent_rows.into_iter().zip(sorted[index].iter().copied()).collect();
            order.sort_by_key(|(row, _)| row.unwrap_or(i32::MAX));
            sorted[index] = order.into_iter().map(|(_, record)| record).collect();
        }
    }
    let mut tables = HashMap::new();
    for (index, entity) in program.entities.iter().enumerate() {
        let batch = batch(program, &sorted, EntityId(index as u32))?;
        tables.insert(entity.name.clone(), batch);
    }
    Ok(tables)
}

/// A value by which records name one another.
#[derive(PartialEq, Eq, Hash)]
enum Reference<'r> {
    Text(&'r str),
    Number(i128),
    Date(Date),
    Bool(bool),
}

fn reference<'r>(program: &Program, record: &'r CaseRecord, column: ColumnId) -> Option<Reference<'r>> {
    if let Some((_, value)) = record.fields.iter().find(|(id, _)| *id == column) {
        return match value.as_ref()? {
            Value::Text(text) => Some(Reference::Text(text)),
            Value::Number(number) => Some(Reference::Number(*number)),
            Value::Date(date) => Some(Reference::Date(*date)),
            Value::Bool(value) => Some(Reference::Bool(*value)),
            Value::Index(_) => None,
        };
    }
    if program.entities[record.entity.index()].key != column {
        return None;
    }
    match program.columns[column.index()].ty {
        Type::Number(_) => record.key.parse().ok().map(Reference::Number),
        Type::Date => record.key.parse().ok().map(Reference::Date),
        _ => Some(Reference::Text(&record.key)),
    }
}

/// The value of a key field that is not among the fields given.
fn key_value(ty: &Type, key: &str) -> Option<Value> {
    match ty {
        Type::Number(_) => key.parse().ok().map(Value::Number),
        Type::Date => key.parse().ok().map(Value::Date),
        _ => Some(Value::Text(key.to_owned())),
    }
}

/// The parent's row of every child along an edge, for children in their present order.
fn references(program: &Program, sorted: &[Vec<&CaseRecord>], edge: usize) -> Vec<Option<i32>> {
    let edge = &program.edges[edge];
    let mut rows: HashMap<Reference<'_>, i32> = HashMap::new();
    for (row, record) in sorted[edge.parent.index()].iter().enumerate() {
        if let Some(value) = reference(program, record, edge.on) {
            rows.entry(value).or_insert(row as i32);
        }
    }
    let parent = |record: &&CaseRecord| rows.get(&reference(program, record, edge.via)?).copied();
    sorted[edge.child.index()].iter().map(parent).collect()
}

/// The values of all fields of an entity, field by field; of a field given twice the first.
fn values(program: &Program, records: &[&CaseRecord], entity: EntityId) -> Vec<Vec<Option<Value>>> {
    let fields = &program.entities[entity.index()].fields;
    let places: HashMap<ColumnId, usize> = fields.iter().copied().zip(0..).collect();
    let mut values = vec![vec![None; records.len()]; fields.len()];
    for (row, record) in records.iter().enumerate() {
        for (id, value) in record.fields.iter().rev() {
            if let Some(place) = places.get(id) {
                values[*place][row].clone_from(value);
            }
        }
    }
    let key = program.entities[entity.index()].key;
    if let Some(place) = places.get(&key) {
        for (slot, record) in values[*place].iter_mut().zip(records) {
            if !record.fields.iter().any(|(id, _)| *id == key) {
                *slot = key_value(&program.columns[key.index()].ty, &record.key);
            }
        }
    }
    values
}

fn batch(
    program: &Program,
    sorted: &[Vec<&CaseRecord>],
    entity: EntityId,
) -> Result<RecordBatch, EngineError> {
    let records = &sorted[entity.index()];
    let mut fields = vec![Field::new("_row", DataType::Int32, false)];
    let mut arrays: Vec<ArrayRef> = vec![Arc::new((0..).take(records.len()).collect::<Int32Array>())];
    for (index, edge) in program.edges.iter().enumerate() {
        if edge.child == entity {
            let name = edge_column(program, pack::program::EdgeId(index as u32));
            fields.push(Field::new(name, DataType::Int32, true));
            arrays.push(Arc::new(Int32Array::from(references(program, sorted, index))));
        }
    }
    for (id, values) in program.entities[entity.index()].fields.iter().zip(values(program, records, entity)) {
        let column = &program.columns[id.index()];
        let kind = Kind::of(&column.ty, column.range);
        fields.push(Field::new(&column.name, data_type(kind), true));
        arrays.push(array(kind, &values)?);
    }
    for (name, ty) in PROVENANCE {
        fields.push(Field::new(name, ty.clone(), true));
        arrays.push(arrow::array::new_null_array(&ty, records.len()));
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

/// Where a row comes from: file (by its id in `snapshot.json`), row as the spreadsheet numbers it, day.
pub const PROVENANCE: [(&str, DataType); 3] =
    [("_source", DataType::Int32), ("_source_row", DataType::Int32), ("_recorded_on", DataType::Date32)];

/// Values as an array of a kind; a value of another type is unknown.
///
/// # Errors
/// [`EngineError::Arrow`] if the array cannot be built, which would be a bug.
pub fn array(kind: Kind, values: &[Option<Value>]) -> Result<ArrayRef, EngineError> {
    let known = values.iter().map(Option::as_ref);
    Ok(match kind {
        Kind::Bool => Arc::new(
            known
                .map(|value| if let Some(Value::Bool(value)) = value { Some(*value) } else { None })
                .collect::<BooleanArray>(),
        ),
        Kind::Int => {
            let long = |value| number(value).and_then(|number| i64::try_from(number).ok());
            Arc::new(known.map(long).collect::<Int64Array>())
        }
        Kind::Wide => {
            Arc::new(known.map(number).collect::<Decimal128Array>().with_precision_and_scale(38, 0)?)
        }
        Kind::Date => Arc::new(
            known
                .map(|value| if let Some(Value::Date(date)) = value { Some(date.days()) } else { None })
                .collect::<Date32Array>(),
        ),
        Kind::Text => Arc::new(
            known
                .map(|value| if let Some(Value::Text(text)) = value { Some(text.as_str()) } else { None })
                .collect::<StringArray>(),
        ),
        Kind::Float => Arc::new(
            known
                .map(|value| if let Some(Value::Index(value)) = value { Some(*value) } else { None })
                .collect::<Float64Array>(),
        ),
    })
}

fn number(value: Option<&Value>) -> Option<i128> {
    if let Some(Value::Number(number)) = value { Some(*number) } else { None }
}
