//! Recorded columns into tables: types are checked, values beyond their declared range become findings.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, RecordBatch, new_null_array};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use pack::program::{ColumnId, EdgeId, EntityId, Program, Range, Type};

use crate::EngineError;
use crate::desugar::{Unknowns, edge_column};
use crate::findings::Finding;
use crate::scalar::Kind;
use crate::table::{ROW_TYPE, Table, data_type};

/// What is read of an entity.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub entity: EntityId,
    /// Recorded fields, the key included.
    pub fields: Vec<ColumnId>,
    /// Edges of which the entity is the child.
    pub edges: Vec<EdgeId>,
}

impl Wanted {
    /// The key, all edges, and those of the given columns that are fields of the entity.
    pub fn new(program: &Program, entity: EntityId, columns: impl IntoIterator<Item = ColumnId>) -> Self {
        let declared = &program.entities[entity.index()];
        let needed: Vec<ColumnId> = columns.into_iter().collect();
        let wanted = |id: &&ColumnId| **id == declared.key || needed.contains(id);
        let fields = declared.fields.iter().filter(wanted).copied().collect();
        let edges = (0..program.edges.len() as u32).map(EdgeId);
        let edges = edges.filter(|edge| program.edges[edge.index()].child == entity).collect();
        Self { entity, fields, edges }
    }

    /// The names of the columns in a snapshot.
    pub fn names(&self, program: &Program) -> Vec<String> {
        let fields = self.fields.iter().map(|id| program.columns[id.index()].name.clone());
        let edges = self.edges.iter().map(|edge| edge_column(program, *edge));
        edges.chain(fields).collect()
    }
}

/// How strictly a table must have the columns it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// An absent column is an error: a snapshot has all of them.
    Refuse,
    /// An absent column is unknown everywhere.
    Unknown,
}

/// A table of the wanted columns of a batch, whose first row has the `_row` `start`. Findings are added
/// for values beyond their range, which are unknown from then on.
pub(crate) fn load(
    program: &Program,
    wanted: &Wanted,
    batch: &RecordBatch,
    start: i32,
    missing: Missing,
    findings: &mut Vec<Finding>,
) -> Result<Table, EngineError> {
    let mut table = Table::new(start, batch.num_rows());
    for edge in &wanted.edges {
        let name = edge_column(program, *edge);
        let array = column(program, wanted.entity, batch, &name, &ROW_TYPE, missing)?;
        table.columns.insert(name, array);
    }
    let mut beyond: Vec<(ColumnId, Vec<usize>)> = vec![];
    for id in &wanted.fields {
        let declared = &program.columns[id.index()];
        let kind = Kind::of(&declared.ty, declared.range);
        let array = column(program, wanted.entity, batch, &declared.name, &data_type(kind), missing)?;
        let range = declared.range.filter(|_| matches!(declared.ty, Type::Number(_)));
        let array = match range.map(|range| within(&array, range)).transpose()?.flatten() {
            Some((kept, rows)) => {
                beyond.push((*id, rows));
                kept
            }
            None => array,
        };
        table.columns.insert(declared.name.clone(), array);
    }
    for (id, rows) in beyond {
        for row in rows {
            findings.push(Finding::out_of_range(program, &table, id, row));
        }
    }
    Ok(table)
}

fn column(
    program: &Program,
    entity: EntityId,
    batch: &RecordBatch,
    name: &str,
    expected: &DataType,
    missing: Missing,
) -> Result<ArrayRef, EngineError> {
    let entity = || program.entities[entity.index()].name.clone();
    let Some(array) = batch.column_by_name(name) else {
        if missing == Missing::Unknown {
            return Ok(new_null_array(expected, batch.num_rows()));
        }
        return Err(EngineError::SnapshotColumn { entity: entity(), column: name.to_owned() });
    };
    let codes = |ty: &DataType| matches!(ty, DataType::Dictionary(_, text) if **text == DataType::Utf8);
    if array.data_type() == expected || (*expected == DataType::Utf8 && codes(array.data_type())) {
        return Ok(Arc::clone(array));
    }
    if same_family(array.data_type(), expected) {
        return Ok(cast(array, expected)?);
    }
    Err(EngineError::SnapshotType {
        entity: entity(),
        column: name.to_owned(),
        expected: expected.to_string(),
        found: array.data_type().to_string(),
    })
}

/// Types between which no meaning is lost: whole numbers, and texts.
fn same_family(found: &DataType, expected: &DataType) -> bool {
    let number = |ty: &DataType| ty.is_integer() || matches!(ty, DataType::Decimal128(_, 0));
    let text = |ty: &DataType| matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    (number(found) && number(expected)) || (text(found) && text(expected)) || *found == DataType::Null
}

/// The array with values beyond the range made unknown, and their positions; `None` if there are none.
fn within(array: &ArrayRef, range: Range) -> Result<Option<(ArrayRef, Vec<usize>)>, EngineError> {
    let outside = |value: i128| value < range.min || value > range.max;
    let rows: Vec<usize> = match array.data_type() {
        DataType::Int64 => positions(array.as_primitive::<Int64Type>().iter(), |value| outside(value.into())),
        DataType::Decimal128(..) => positions(array.as_primitive::<Decimal128Type>().iter(), outside),
        _ => vec![],
    };
    if rows.is_empty() {
        return Ok(None);
    }
    let mut mask = vec![false; array.len()];
    for row in &rows {
        mask[*row] = true;
    }
    Ok(Some((nullif(array, &BooleanArray::from(mask))?, rows)))
}

fn positions<T>(values: impl Iterator<Item = Option<T>>, outside: impl Fn(T) -> bool) -> Vec<usize> {
    let beyond = values.enumerate().filter(|(_, value)| value.as_ref().is_some());
    beyond.filter_map(|(row, value)| value.and_then(|value| outside(value).then_some(row))).collect()
}

/// Columns and edges of a table that hold NULL although the program says they never do.
pub(crate) fn note_unknowns(program: &Program, wanted: &Wanted, table: &Table, unknowns: &mut Unknowns) {
    let has_null = |name: &str| table.columns.get(name).is_some_and(|array| array.null_count() > 0);
    let fields = wanted.fields.iter().filter(|id| {
        let column = &program.columns[id.index()];
        !column.nullable && has_null(&column.name)
    });
    unknowns.fields.extend(fields);
    let edges = wanted
        .edges
        .iter()
        .filter(|edge| program.edges[edge.index()].required && has_null(&edge_column(program, **edge)));
    unknowns.edges.extend(edges);
}

/// The `_row` of the first row of a batch, 0 for an empty one; rows are dense and in order.
pub(crate) fn first_row(
    program: &Program,
    entity: EntityId,
    batch: &RecordBatch,
) -> Result<i32, EngineError> {
    let rows = column(program, entity, batch, "_row", &ROW_TYPE, Missing::Refuse)?;
    let rows: &Int32Array = rows.as_primitive();
    let start = rows.values().first().copied().unwrap_or(0);
    match rows.values().iter().zip(start..).position(|(row, expected)| *row != expected) {
        Some(row) => Err(EngineError::SnapshotOrder {
            entity: program.entities[entity.index()].name.clone(),
            column: "_row".to_owned(),
            row,
        }),
        None => Ok(start),
    }
}
