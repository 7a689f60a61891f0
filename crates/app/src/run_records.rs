//! The records of a run's snapshot and the results of the run, read by demand.

use std::collections::BTreeMap;
use std::sync::Arc;

use evaluate::interpret::Provenance;
use evaluate::records::{Extract, Records};
use pack::program::{ColumnId, ColumnKind, EdgeId, EntityId, Program, Value};

use crate::cells::cell;
use crate::stored_run::{Part, StoredRun};
use crate::tables::{StoredTable, TableError};

/// A run as `evaluate` reads it. It is no more than where to look, so that everybody can have one of his own: what has
/// been read is kept by the [`StoredRun`], which may be shared.
#[derive(Clone, Copy)]
pub struct RunRecords<'a> {
    program: &'a Program,
    run: &'a StoredRun,
}

/// What a record's origin is read from.
const ORIGIN: [&str; 3] = ["_source", "_source_row", "_recorded_on"];

impl<'a> RunRecords<'a> {
    /// The program is that of the run.
    pub fn new(program: &'a Program, run: &'a StoredRun) -> Self {
        Self { program, run }
    }

    pub fn run(&self) -> &'a StoredRun {
        self.run
    }

    pub fn program(&self) -> &'a Program {
        self.program
    }

    fn recorded(&self, entity: EntityId) -> Result<Arc<StoredTable>, TableError> {
        let table = self.run.table(Part::Snapshot, self.program, entity)?;
        Ok(table.expect("a table of the snapshot is there or cannot be read"))
    }

    fn results(&self, entity: EntityId) -> Result<Option<Arc<StoredTable>>, TableError> {
        self.run.table(Part::Results, self.program, entity)
    }

    /// File and sheet from which most of these records came.
    pub(crate) fn place_of(
        &self,
        entity: EntityId,
        keys: &[&str],
    ) -> Result<Option<(String, Option<String>)>, TableError> {
        let key = self.program.entity(entity).key;
        let mut found: BTreeMap<i64, usize> = BTreeMap::new();
        for text in keys {
            let Some(row) = self.find(key, text)? else { continue };
            let batch = self.recorded(entity)?.read(&[row], &[ORIGIN[0]])?;
            let source = batch.column_by_name(ORIGIN[0]).and_then(|array| cell(array, 0));
            if let Some(source) = number(source) {
                *found.entry(i64::from(source)).or_default() += 1;
            }
        }
        let most = found.into_iter().max_by_key(|(_, count)| *count);
        Ok(most.and_then(|(source, _)| self.run.sources.get(&source).cloned()))
    }

    /// A run takes a recorded number beyond its range for unknown.
    fn within(&self, column: ColumnId, value: Option<Value>) -> Option<Value> {
        let declared = self.program.column(column);
        match (&value, declared.range) {
            (Some(Value::Number(number)), Some(range))
                if self.is_field(column) && !(range.min..=range.max).contains(number) =>
            {
                None
            }
            _ => value,
        }
    }

    fn is_field(&self, column: ColumnId) -> bool {
        matches!(self.program.column(column).kind, ColumnKind::Field(_))
    }

    fn cell(table: &StoredTable, name: &str, row: u32) -> Result<Option<Value>, TableError> {
        let piece = table.piece(name, row as usize)?;
        Ok(piece.and_then(|(array, place)| cell(&array, place)))
    }
}

impl Records for RunRecords<'_> {
    type Error = TableError;

    fn program(&self) -> &Program {
        self.program
    }

    fn parents(&self, edge: EdgeId, children: &[u32]) -> Result<Vec<Option<u32>>, TableError> {
        let edge = self.program.edge(edge);
        let column = edge_column(&edge.name);
        let batch = self.recorded(edge.child)?.read(children, &[&column])?;
        let Some(array) = batch.column_by_name(&column) else { return Ok(vec![None; children.len()]) };
        Ok((0..children.len()).map(|row| number(cell(array, row))).collect())
    }

    fn parent(&self, edge: EdgeId, child: u32) -> Result<Option<u32>, TableError> {
        let edge = self.program.edge(edge);
        Ok(number(Self::cell(&*self.recorded(edge.child)?, &edge_column(&edge.name), child)?))
    }

    fn children(&self, edge: EdgeId, parents: &[u32]) -> Result<Vec<(u32, u32)>, TableError> {
        let edge = self.program.edge(edge);
        self.recorded(edge.child)?.children(&edge_column(&edge.name), parents)
    }

    fn is_stored(&self, column: ColumnId) -> Result<bool, TableError> {
        let column = self.program.column(column);
        Ok(self.results(column.entity)?.is_some_and(|table| table.has(&column.name)))
    }

    fn read(&self, entity: EntityId, columns: &[ColumnId], rows: &[u32]) -> Result<Extract, TableError> {
        let name = |id: &ColumnId| self.program.column(*id).name.as_str();
        let (fields, results): (Vec<&ColumnId>, Vec<&ColumnId>) =
            columns.iter().partition(|id| self.is_field(**id));
        let key = self.program.entity(entity).key;
        let with_origins = columns.contains(&key);
        let mut names: Vec<&str> = fields.into_iter().map(name).collect();
        if with_origins {
            names.extend(ORIGIN);
        }
        let recorded = if names.is_empty() { None } else { Some(self.recorded(entity)?.read(rows, &names)?) };
        let names: Vec<&str> = results.into_iter().map(name).collect();
        let table = if names.is_empty() { None } else { self.results(entity)? };
        let computed = table.map(|table| table.read(rows, &names)).transpose()?;
        let values = |id: &ColumnId| {
            let batch = if self.is_field(*id) { recorded.as_ref() } else { computed.as_ref() };
            let array = batch.and_then(|batch| batch.column_by_name(name(id)));
            let value = |row| array.and_then(|array| self.within(*id, cell(array, row)));
            (0..rows.len()).map(value).collect()
        };
        let origin = |row: usize| {
            let value =
                |name: &str| cell(recorded.as_ref().and_then(|batch| batch.column_by_name(name))?, row);
            let (file, sheet) = self.run.sources.get(&i64::from(number(value(ORIGIN[0]))?))?;
            let recorded = match value(ORIGIN[2]) {
                Some(Value::Date(date)) => Some(date),
                _ => None,
            };
            let row = number(value(ORIGIN[1]));
            Some(Provenance { file: file.clone(), sheet: sheet.clone(), row, recorded })
        };
        let origins = if with_origins { (0..rows.len()).map(origin).collect() } else { Vec::new() };
        Ok(Extract { columns: columns.iter().map(values).collect(), origins })
    }

    fn value(&self, column: ColumnId, row: u32) -> Result<Option<Value>, TableError> {
        let declared = self.program.column(column);
        let value = if self.is_field(column) {
            Self::cell(&*self.recorded(declared.entity)?, &declared.name, row)?
        } else if let Some(table) = self.results(declared.entity)? {
            Self::cell(&table, &declared.name, row)?
        } else {
            None
        };
        Ok(self.within(column, value))
    }

    fn find(&self, column: ColumnId, text: &str) -> Result<Option<u32>, TableError> {
        let column = self.program.column(column);
        self.recorded(column.entity)?.find(&column.name, text)
    }

    fn stray(&self, edge: EdgeId, text: &str) -> Result<Vec<u32>, TableError> {
        let edge = self.program.edge(edge);
        let table = self.recorded(edge.child)?;
        let via = &self.program.column(edge.via).name;
        // Where all who name somebody have found them, nobody waits.
        let (named, found) = (table.known(via)?, table.known(&edge_column(&edge.name))?);
        if named.unwrap_or(0) > found.unwrap_or(0) { table.find_all(via, text) } else { Ok(Vec::new()) }
    }

    fn end(&self, entity: EntityId) -> Result<u32, TableError> {
        Ok(self.recorded(entity)?.rows() as u32)
    }
}

/// The column of a snapshot that holds the parents' rows along an edge.
fn edge_column(edge: &str) -> String {
    format!("_{edge}")
}

fn number(value: Option<Value>) -> Option<u32> {
    match value? {
        Value::Number(number) => u32::try_from(number).ok(),
        _ => None,
    }
}
