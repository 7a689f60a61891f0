//! Runs a pack's worked cases, in the interpreter and in the engine.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use engine::EngineError;
use evaluate::interpret::calculate;
use model::Date;
use pack::program::{Case, CaseRecord, ColumnKind, Expectation, Program, Span, Value};

use crate::cells::cell;

/// How one worked case went.
#[derive(Clone, Debug)]
pub struct CaseResult {
    pub name: String,
    /// What the case is there for.
    pub why: Option<String>,
    /// Expectations that hold.
    pub held: usize,
    pub mismatches: Vec<Mismatch>,
}

/// A result that is not as expected.
#[derive(Clone, Debug)]
pub struct Mismatch {
    pub entity: String,
    pub key: String,
    pub column: String,
    /// `None` stands for unknown.
    pub expected: Option<Value>,
    /// Or why there is no result.
    pub found: Result<Option<Value>, String>,
    pub span: Span,
}

/// Runs every case by itself in the interpreter.
pub fn interpreted(program: &Program) -> Vec<CaseResult> {
    program
        .cases
        .iter()
        .map(|case| {
            let mut records = case.records.clone();
            crate::derived::fill(program, case.as_of, &mut records);
            // What no expectation needs is not computed: a pack has many more columns than a case looks at.
            let expected = case.expect.iter().map(|expectation| expectation.column);
            let part = program.restricted_to(&program.needed_by(expected));
            let records: Vec<CaseRecord> = records.iter().map(|record| part.record(record)).collect();
            let calculation = calculate(&part.program, case.as_of, &records);
            judge(program, case, |expectation| {
                let column = part.place[&expectation.column];
                match calculation.value(expectation.entity, &expectation.key, column) {
                    Some(Ok(value)) => Ok(value),
                    Some(Err(error)) => Err(error.message(&part.program).en),
                    None => Err("no such record".to_owned()),
                }
            })
        })
        .collect()
}

/// Runs all cases of one date together in the engine.
pub fn executed(program: &Program) -> Result<Vec<CaseResult>, EngineError> {
    let mut results: Vec<Option<CaseResult>> = vec![None; program.cases.len()];
    for (as_of, numbers) in by_date(program) {
        let recorded = tables_at(program, as_of)?;
        let tables = engine::run_tables(program, as_of, recorded.clone())?;
        let rows = row_index(program, &tables);
        for number in numbers {
            let case = &program.cases[number];
            results[number] = Some(judge(program, case, |expectation| {
                let entity = &program.entity(expectation.entity).name;
                let key = distinct(&expectation.key, number);
                let table = tables.get(entity).ok_or_else(|| "no results for it".to_owned())?;
                let row = rows.get(&(entity.clone(), key)).ok_or_else(|| "no such record".to_owned())?;
                let column = program.column(expectation.column);
                // A derived field is no result: it stands in the snapshot, in the same row.
                let array = table
                    .column_by_name(&column.name)
                    .or_else(|| recorded.get(entity)?.column_by_name(&column.name))
                    .ok_or_else(|| "the run does not store it".to_owned())?;
                Ok(cell(array, *row))
            }));
        }
    }
    Ok(results.into_iter().flatten().collect())
}

fn judge(
    program: &Program,
    case: &Case,
    find: impl Fn(&Expectation) -> Result<Option<Value>, String>,
) -> CaseResult {
    let mut result =
        CaseResult { name: case.name.clone(), why: case.why.clone(), held: 0, mismatches: Vec::new() };
    for expectation in &case.expect {
        let found = find(expectation);
        if found.as_ref().is_ok_and(|found| *found == expectation.value) {
            result.held += 1;
            continue;
        }
        result.mismatches.push(Mismatch {
            entity: program.entity(expectation.entity).name.clone(),
            key: expectation.key.clone(),
            column: program.column(expectation.column).name.clone(),
            expected: expectation.value.clone(),
            found,
            span: expectation.span,
        });
    }
    result
}

/// The dates of the worked cases, with the positions of the cases of each.
pub fn by_date(program: &Program) -> BTreeMap<Date, Vec<usize>> {
    let mut dates: BTreeMap<Date, Vec<usize>> = BTreeMap::new();
    for (number, case) in program.cases.iter().enumerate() {
        dates.entry(case.as_of).or_default().push(number);
    }
    dates
}

/// The records of all cases of a date as the tables of one snapshot. Keys and references carry the
/// number of their case at the end, so that the cases do not meet.
pub fn tables_at(program: &Program, as_of: Date) -> Result<HashMap<String, RecordBatch>, EngineError> {
    let mut records: Vec<CaseRecord> = Vec::new();
    for (number, case) in program.cases.iter().enumerate() {
        if case.as_of == as_of {
            let mut own = case.records.clone();
            crate::derived::fill(program, as_of, &mut own);
            records.extend(own.iter().map(|record| apart(program, record, number)));
        }
    }
    engine::tables_of_records(program, &records)
}

fn distinct(key: &str, number: usize) -> String {
    format!("{key}#{number}")
}

fn apart(program: &Program, record: &CaseRecord, number: usize) -> CaseRecord {
    let key_column = program.entity(record.entity).key;
    let links = |id| id == key_column || program.edges.iter().any(|edge| edge.via == id || edge.on == id);
    let fields = record
        .fields
        .iter()
        .map(|(id, value)| match value {
            Some(Value::Text(text)) if links(*id) => (*id, Some(Value::Text(distinct(text, number)))),
            other => (*id, other.clone()),
        })
        .collect();
    CaseRecord { entity: record.entity, key: distinct(&record.key, number), fields }
}

fn row_index(program: &Program, tables: &HashMap<String, RecordBatch>) -> HashMap<(String, String), usize> {
    let mut index = HashMap::new();
    for entity in &program.entities {
        let Some(table) = tables.get(&entity.name) else { continue };
        let Some(keys) = table.column_by_name(&program.column(entity.key).name) else { continue };
        for row in 0..table.num_rows() {
            if let Some(Value::Text(key)) = cell(keys, row) {
                index.insert((entity.name.clone(), key), row);
            }
        }
    }
    index
}

/// Rules that no worked case looks at: none of their columns is expected anywhere.
pub fn unexercised(program: &Program) -> Vec<String> {
    let seen: Vec<_> = program
        .cases
        .iter()
        .flat_map(|case| &case.expect)
        .filter_map(|expectation| program.column(expectation.column).rule)
        .collect();
    program
        .rules
        .iter()
        .enumerate()
        .filter(|(position, _)| {
            let owns = |column: &pack::program::Column| {
                column.rule.is_some_and(|rule| rule.index() == *position)
                    && !matches!(column.kind, ColumnKind::Field(_))
            };
            program.columns.iter().any(owns) && !seen.iter().any(|rule| rule.index() == *position)
        })
        .map(|(_, rule)| rule.id.clone())
        .collect()
}
