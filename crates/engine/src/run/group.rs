//! What a group of parts hands over, in memory or as files that travel.

use std::collections::BTreeMap;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use bytes::Bytes;
use pack::program::{ColumnId, EntityId, Program};
use serde::{Deserialize, Serialize};

use super::totals::{Tally, Totals};
use crate::{EngineError, Finding};

/// The results of a group.
pub struct GroupResult {
    /// By split entity with many rows: the columns that are there, as Parquet files of the same rows.
    pub(crate) files: BTreeMap<EntityId, Vec<Bytes>>,
    /// By split entity with few rows: the columns that are there.
    pub(crate) batches: BTreeMap<EntityId, RecordBatch>,
    /// Computed columns that are needed after the parts.
    pub(crate) handed_over: BTreeMap<ColumnId, ArrayRef>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) totals: Totals,
}

/// The file that says what the others are; a group without it is not complete.
pub const INDEX: &str = "group.json";

#[derive(Serialize, Deserialize)]
struct Index {
    totals: Vec<Tally>,
    /// Entities and their number of files.
    results: Vec<(String, usize)>,
    batches: Vec<String>,
    handed_over: Vec<String>,
    findings: Vec<IndexedFinding>,
}

#[derive(Serialize, Deserialize)]
struct IndexedFinding {
    entity: u32,
    row: i32,
    key: String,
    code: String,
    rule: Option<String>,
    column: String,
}

impl GroupResult {
    /// The group as files by name: results of an entity, columns handed over, and last the one that makes it
    /// complete.
    ///
    /// # Errors
    /// Columns that cannot be encoded.
    pub fn into_files(self, program: &Program) -> Result<Vec<(String, Bytes)>, EngineError> {
        let name = |entity: EntityId| program.entities[entity.index()].name.clone();
        let mut index = Index {
            totals: self.totals.0,
            results: self.files.iter().map(|(entity, files)| (name(*entity), files.len())).collect(),
            batches: self.batches.keys().map(|entity| name(*entity)).collect(),
            handed_over: vec![],
            findings: self.findings.into_iter().map(IndexedFinding::from).collect(),
        };
        let mut files: Vec<(String, Bytes)> = vec![];
        for (entity, parts) in self.files {
            let parts = parts.into_iter().enumerate();
            files.extend(parts.map(|(number, file)| (results_file(&name(entity), number), file)));
        }
        for (entity, batch) in &self.batches {
            files.push((batch_file(&name(*entity)), packed(batch)?));
        }
        let mut columns: BTreeMap<EntityId, Vec<(String, ArrayRef)>> = BTreeMap::new();
        for (id, array) in self.handed_over {
            let column = &program.columns[id.index()];
            columns.entry(column.entity).or_default().push((column.name.clone(), array));
        }
        for (entity, columns) in columns {
            let batch = RecordBatch::try_from_iter_with_nullable(
                columns.into_iter().map(|(name, array)| (name, array, true)),
            )?;
            files.push((handed_over_file(&name(entity)), packed(&batch)?));
            index.handed_over.push(name(entity));
        }
        let text = serde_json::to_vec(&index).map_err(|error| damaged(&error.to_string()))?;
        files.push((INDEX.to_owned(), text.into()));
        Ok(files)
    }

    /// The group from its files; none if it is not complete.
    ///
    /// # Errors
    /// Files that cannot be had or are of another program.
    pub fn from_files(
        program: &Program,
        get: &dyn Fn(&str) -> Result<Option<Bytes>, EngineError>,
    ) -> Result<Option<Self>, EngineError> {
        let Some(text) = get(INDEX)? else { return Ok(None) };
        let index: Index = serde_json::from_slice(&text).map_err(|error| damaged(&error.to_string()))?;
        let entity = |name: &str| {
            let found = program.entities.iter().position(|entity| entity.name == name);
            found.map(|index| EntityId(index as u32)).ok_or_else(|| damaged(name))
        };
        let file = |name: &str| get(name)?.ok_or_else(|| damaged(name));
        let mut result = Self {
            files: BTreeMap::new(),
            batches: BTreeMap::new(),
            handed_over: BTreeMap::new(),
            findings: vec![],
            totals: Totals::new(program)?,
        };
        for (name, count) in &index.results {
            let files = (0..*count).map(|number| file(&results_file(name, number)));
            result.files.insert(entity(name)?, files.collect::<Result<_, _>>()?);
        }
        for name in &index.batches {
            result.batches.insert(entity(name)?, unpacked(file(&batch_file(name))?)?);
        }
        for name in &index.handed_over {
            let owner = entity(name)?;
            let batch = unpacked(file(&handed_over_file(name))?)?;
            for (id, column) in
                program.columns.iter().enumerate().filter(|(_, column)| column.entity == owner)
            {
                if let Some(array) = batch.column_by_name(&column.name) {
                    result.handed_over.insert(ColumnId(id as u32), array.clone());
                }
            }
        }
        if index.totals.len() != result.totals.0.len() {
            return Err(damaged("totals"));
        }
        result.totals = Totals(index.totals);
        result.findings = index.findings.into_iter().map(Finding::from).collect();
        Ok(Some(result))
    }
}

fn results_file(entity: &str, number: usize) -> String {
    format!("{entity}.{number}.parquet")
}

fn batch_file(entity: &str) -> String {
    format!("{entity}.arrow")
}

fn handed_over_file(entity: &str) -> String {
    format!("{entity}.handed-over.arrow")
}

fn damaged(what: &str) -> EngineError {
    EngineError::Worker(format!("a group of results is damaged or of another pack: `{what}`"))
}

/// A batch as an Arrow file.
pub(super) fn packed(batch: &RecordBatch) -> Result<Bytes, EngineError> {
    let mut writer = FileWriter::try_new(vec![], &batch.schema())?;
    writer.write(batch)?;
    Ok(writer.into_inner()?.into())
}

pub(super) fn unpacked(file: Bytes) -> Result<RecordBatch, EngineError> {
    let reader = FileReader::try_new(std::io::Cursor::new(file), None)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    Ok(concat_batches(&schema, &batches)?)
}

impl From<Finding> for IndexedFinding {
    fn from(finding: Finding) -> Self {
        let Finding { entity, row, key, code, rule, column } = finding;
        Self { entity: entity.0, row, key, code, rule, column }
    }
}

impl From<IndexedFinding> for Finding {
    fn from(finding: IndexedFinding) -> Self {
        let IndexedFinding { entity, row, key, code, rule, column } = finding;
        Self { entity: EntityId(entity), row, key, code, rule, column }
    }
}
