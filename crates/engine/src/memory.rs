//! A program over tables in memory: worked cases, previews, the one-household call.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use model::Date;
use pack::program::{ColumnId, ColumnKind, EntityId, Program};

use crate::aligned::AlignedPlan;
use crate::desugar::{Env, Unknowns, desugar};
use crate::load::{Missing, Wanted, first_row, load, note_unknowns};
use crate::table::{Table, Tables};
use crate::timings::Timings;
use evaluate::needs;

use crate::{EngineError, stack, stages};

/// Runs the whole program over tables by entity name, in the form of a snapshot (see
/// [`crate::tables_of_records`]). An entity without a table has no rows; a field without a column is
/// unknown everywhere. Rows of a table are dense and in order of `_row`, from 0.
///
/// Gives a batch for every entity with computed columns: `_row`, the key field, and every computed column
/// that a run stores, in order of declaration. Numbers are scaled integers (`Int64`, or
/// `Decimal128(38, 0)` where the range needs it).
///
/// # Errors
/// A parameter without a value in force, a column of the wrong type, or a failure of Arrow.
#[allow(
    clippy::implicit_hasher,
    reason = "a generic hasher would have to be named by callers without tables"
)]
pub fn run_tables(
    program: &Program,
    as_of: Date,
    tables: HashMap<String, RecordBatch>,
) -> Result<HashMap<String, RecordBatch>, EngineError> {
    run_tables_for(program, as_of, tables, &needs::stored(program))
}

/// As [`run_tables`], for some columns and what they need.
#[allow(
    clippy::implicit_hasher,
    reason = "a generic hasher would have to be named by callers without tables"
)]
pub fn run_tables_for(
    program: &Program,
    as_of: Date,
    tables: HashMap<String, RecordBatch>,
    stored: &BTreeSet<ColumnId>,
) -> Result<HashMap<String, RecordBatch>, EngineError> {
    let (mut loaded, unknowns) = loaded(program, &tables, stored)?;
    let flat = desugar(program, Env { as_of }, &unknowns, stored.iter().copied())?;
    let stages = stages::stages(&flat, stored);
    stack::deep(|| {
        AlignedPlan::new(&flat, &stages, stored).evaluate(program, &mut loaded, &Timings::default())?;
        results(program, &loaded, &stored.iter().copied().collect::<Vec<_>>())
    })
}

/// The tables with all that the columns need, and what is unknown in them although it never should be.
fn loaded(
    program: &Program,
    tables: &HashMap<String, RecordBatch>,
    stored: &BTreeSet<ColumnId>,
) -> Result<(Tables, Unknowns), EngineError> {
    let needed = program.needed_by(stored.iter().copied());
    let mut loaded = Tables(vec![]);
    let mut unknowns = Unknowns::default();
    for index in 0..program.entities.len() as u32 {
        let wanted = Wanted::new(program, EntityId(index), needed.iter().copied());
        let table = load_memory(program, &wanted, tables)?;
        note_unknowns(program, &wanted, &table, &mut unknowns);
        loaded.0.push(Some(table));
    }
    Ok((loaded, unknowns))
}

/// What is unknown in tables although the program says it never is.
pub(crate) fn unknowns(
    program: &Program,
    tables: &HashMap<String, RecordBatch>,
) -> Result<Unknowns, EngineError> {
    loaded(program, tables, &needs::stored(program)).map(|(_, unknowns)| unknowns)
}

fn load_memory(
    program: &Program,
    wanted: &Wanted,
    tables: &HashMap<String, RecordBatch>,
) -> Result<Table, EngineError> {
    let empty = RecordBatch::new_empty(Arc::new(Schema::empty()));
    match tables.get(&program.entities[wanted.entity.index()].name) {
        Some(batch) => {
            let start = first_row(program, wanted.entity, batch)?;
            load(program, wanted, batch, start, Missing::Unknown, &mut vec![])
        }
        None => load(program, wanted, &empty, 0, Missing::Unknown, &mut vec![]),
    }
}

fn results(
    program: &Program,
    tables: &Tables,
    stored: &[ColumnId],
) -> Result<HashMap<String, RecordBatch>, EngineError> {
    let mut by_entity: BTreeMap<EntityId, Vec<ColumnId>> = BTreeMap::new();
    for id in stored {
        by_entity.entry(program.columns[id.index()].entity).or_default().push(*id);
    }
    let mut results = HashMap::new();
    for (entity, columns) in by_entity {
        let Some(table) = tables.get(entity) else { continue };
        let declared = &program.entities[entity.index()];
        let mut names = vec!["_row", program.columns[declared.key.index()].name.as_str()];
        let computed = columns.iter().map(|id| &program.columns[id.index()]);
        let computed = computed.filter(|column| !matches!(column.kind, ColumnKind::Field(_)));
        names.extend(computed.map(|column| column.name.as_str()));
        results.insert(declared.name.clone(), batch_of(table, &names)?);
    }
    Ok(results)
}

/// The named columns of a table that it has, in the order of the names.
pub(crate) fn batch_of(table: &Table, names: &[&str]) -> Result<RecordBatch, EngineError> {
    let mut fields = vec![];
    let mut arrays: Vec<ArrayRef> = vec![];
    for name in names {
        if let Some(array) = table.columns.get(*name) {
            fields.push(Field::new(*name, array.data_type().clone(), *name != "_row"));
            arrays.push(Arc::clone(array));
        }
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
