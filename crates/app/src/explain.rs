//! Explains one subject of a stored run: gathers what its results depend on, and asks the engine.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use engine::explain::{Asked, Effort, Explanation};
use engine::interpret::{Facts, FactsBuilder, Provenance};
use model::Date;
use pack::program::{ColumnKind, EdgeId, EntityId, Program, RuleId, RuleKind, Value};
use serde_json::Value as Json;
use thiserror::Error;

use crate::cases::cell;
use crate::tables::{StoredTable, TableError};

/// Why there is no explanation.
#[derive(Debug, Error)]
pub enum ExplainError {
    #[error("`{}` is not a run: {why}", path.display())]
    NotARun { path: PathBuf, why: String },
    #[error("the run was made with another version of the pack (digest {run}, now {now})")]
    OtherPack { run: String, now: String },
    #[error("there is no entity `{name}`; the pack has {known}")]
    UnknownEntity { name: String, known: String },
    #[error("the snapshot of the run has no {entity} `{key}`{hint}")]
    UnknownRecord { entity: String, key: String, hint: String },
    #[error("nothing called `{name}` is computed for a {entity}{hint}")]
    UnknownRule { name: String, entity: String, hint: String },
    #[error(transparent)]
    Table(#[from] TableError),
}

/// A stored run, with the place of its snapshot.
pub struct StoredRun {
    pub folder: PathBuf,
    pub snapshot: PathBuf,
    pub manifest: Json,
    pub as_of: Date,
    sources: HashMap<i64, (String, Option<String>)>,
}

impl StoredRun {
    pub fn open(folder: &Path) -> Result<Self, ExplainError> {
        let fault = |why: String| ExplainError::NotARun { path: folder.to_path_buf(), why };
        let manifest = read_json(&folder.join("manifest.json")).map_err(fault)?;
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let as_of = text(&manifest["as_of"])
            .and_then(|date| date.parse().ok())
            .ok_or_else(|| fault("its manifest has no as-of date".to_owned()))?;
        let snapshot = text(&manifest["snapshot"]["path"])
            .ok_or_else(|| fault("its manifest names no snapshot".to_owned()))?;
        let snapshot = folder.join(snapshot);
        let described = read_json(&snapshot.join("snapshot.json"))
            .map_err(|why| fault(format!("its snapshot is gone: {why}")))?;
        let digest = text(&described["digest"]);
        if digest != text(&manifest["snapshot"]["digest"]) {
            return Err(fault("its snapshot has been replaced by another".to_owned()));
        }
        let sources = described["sources"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|source| {
                Some((source["id"].as_i64()?, (text(&source["file"])?, text(&source["sheet"]))))
            })
            .collect();
        Ok(Self { folder: folder.to_path_buf(), snapshot, manifest, as_of, sources })
    }

    /// Refuses a pack other than the one the run was made with.
    pub fn check_pack(&self, program: &Program) -> Result<(), ExplainError> {
        let run = self.manifest["pack"]["digest"].as_str().unwrap_or_default();
        if run == program.digest {
            return Ok(());
        }
        Err(ExplainError::OtherPack { run: short(run), now: short(&program.digest) })
    }
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

fn read_json(path: &Path) -> Result<Json, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// Explains what a rule or column says of a record; without a name, everything promised to it.
pub fn explain(
    program: &Program,
    run: &StoredRun,
    entity: &str,
    key: &str,
    name: Option<&str>,
) -> Result<Vec<Explanation>, ExplainError> {
    run.check_pack(program)?;
    let id = program.entity_named(entity).ok_or_else(|| ExplainError::UnknownEntity {
        name: entity.to_owned(),
        known: program.entities.iter().map(|entity| entity.name.as_str()).collect::<Vec<_>>().join(", "),
    })?;
    let asked = asked(program, id, name)?;
    let mut loader = Loader::new(program, run);
    let (facts, row) = loader.load(id, key)?;
    Ok(asked
        .into_iter()
        .filter_map(|asked| {
            engine::explain::explain(program, &facts, run.as_of, id, row, asked, Effort::default())
        })
        .collect())
}

fn asked(program: &Program, entity: EntityId, name: Option<&str>) -> Result<Vec<Asked>, ExplainError> {
    let computes = |position: usize| {
        program
            .columns
            .iter()
            .any(|column| column.entity == entity && column.rule.is_some_and(|rule| rule.index() == position))
    };
    let Some(name) = name else {
        let promised = |kind| matches!(kind, RuleKind::Benefit | RuleKind::Standard | RuleKind::Duty);
        return Ok(program
            .rules
            .iter()
            .enumerate()
            .filter(|(position, rule)| promised(rule.kind) && computes(*position))
            .map(|(position, _)| Asked::Rule(RuleId(position as u32)))
            .collect());
    };
    let rule = program.rules.iter().position(|rule| rule.id == name).filter(|position| computes(*position));
    if let Some(position) = rule {
        return Ok(vec![Asked::Rule(RuleId(position as u32))]);
    }
    if let Some(column) = program.column_named(entity, name) {
        return Ok(vec![Asked::Column(column)]);
    }
    let names: Vec<&str> = program
        .columns
        .iter()
        .filter(|column| column.entity == entity && !column.name.starts_with('_'))
        .map(|column| column.name.as_str())
        .collect();
    let near = pack::diagnostic::nearest(name, names);
    Err(ExplainError::UnknownRule {
        name: name.to_owned(),
        entity: program.entity(entity).name.clone(),
        hint: near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default(),
    })
}

/// Gathers records around a subject: all of its own branch, and its ancestors with their results.
struct Loader<'a> {
    program: &'a Program,
    run: &'a StoredRun,
    snapshots: HashMap<EntityId, StoredTable>,
    results: HashMap<EntityId, Option<StoredTable>>,
    /// Rows taken, by entity; `true` where results are taken from the run and not computed again.
    taken: BTreeMap<EntityId, BTreeMap<u32, bool>>,
}

impl<'a> Loader<'a> {
    fn new(program: &'a Program, run: &'a StoredRun) -> Self {
        Self { program, run, snapshots: HashMap::new(), results: HashMap::new(), taken: BTreeMap::new() }
    }

    fn snapshot(&mut self, entity: EntityId) -> Result<&StoredTable, TableError> {
        if !self.snapshots.contains_key(&entity) {
            let path = self.run.snapshot.join(format!("{}.parquet", self.program.entity(entity).name));
            self.snapshots.insert(entity, StoredTable::open(&path)?);
        }
        Ok(&self.snapshots[&entity])
    }

    fn result(&mut self, entity: EntityId) -> Result<Option<&StoredTable>, TableError> {
        if !self.results.contains_key(&entity) {
            let path = self.run.folder.join(format!("{}.parquet", self.program.entity(entity).name));
            let table = if path.exists() { Some(StoredTable::open(&path)?) } else { None };
            self.results.insert(entity, table);
        }
        Ok(self.results[&entity].as_ref())
    }

    fn load(&mut self, entity: EntityId, key: &str) -> Result<(Facts, u32), ExplainError> {
        let program = self.program;
        let key_name = program.column(program.entity(entity).key).name.clone();
        let Some(row) = self.snapshot(entity)?.find(&key_name, key)? else {
            return Err(self.unknown_record(entity, key, &key_name)?);
        };
        let (top, top_row) = self.top_of_branch(entity, row)?;
        self.take_branch(top, top_row)?;
        self.take_ancestors()?;
        let facts = self.build()?;
        let Some(found) = facts.find(entity, key) else {
            return Err(self.unknown_record(entity, key, &key_name)?);
        };
        Ok((facts, found))
    }

    /// The error for a key that nothing has, with one that something has.
    fn unknown_record(
        &mut self,
        entity: EntityId,
        key: &str,
        key_name: &str,
    ) -> Result<ExplainError, TableError> {
        let table = self.snapshot(entity)?;
        let first = if table.rows() == 0 { None } else { Some(table.read(&[0])?) };
        let example = first.and_then(|batch| cell(batch.column_by_name(key_name)?, 0));
        let name = self.program.entity(entity).name.clone();
        let hint = match example {
            Some(Value::Text(known)) => format!("\nhint: keys look like `{known}`"),
            _ => format!("\nhint: no {name} has been imported"),
        };
        Ok(ExplainError::UnknownRecord { entity: name, key: key.to_owned(), hint })
    }

    /// The highest ancestor that is not a division: the household of a person or stay.
    fn top_of_branch(&mut self, entity: EntityId, row: u32) -> Result<(EntityId, u32), TableError> {
        let (mut at, mut at_row) = (entity, row);
        while let Some(edge) = self.program.entity(at).parent {
            let parent = self.program.edge(edge).parent;
            if self.program.entity(parent).division.is_some() {
                break;
            }
            let Some(parent_row) = self.parent_of(edge, at_row)? else { break };
            (at, at_row) = (parent, parent_row);
        }
        Ok((at, at_row))
    }

    fn parent_of(&mut self, edge: EdgeId, row: u32) -> Result<Option<u32>, TableError> {
        let program = self.program;
        let column = format!("_{}", program.edge(edge).name);
        let batch = self.snapshot(program.edge(edge).child)?.read(&[row])?;
        Ok(reference(&batch, &column, 0))
    }

    fn take_branch(&mut self, entity: EntityId, row: u32) -> Result<(), TableError> {
        let mut queue: Vec<(EntityId, Vec<u32>)> = vec![(entity, vec![row])];
        while let Some((entity, rows)) = queue.pop() {
            let taken = self.taken.entry(entity).or_default();
            let fresh: Vec<u32> =
                rows.into_iter().filter(|row| taken.insert(*row, false).is_none()).collect();
            if fresh.is_empty() {
                continue;
            }
            let program = self.program;
            for edge in program.edges.iter().filter(|edge| edge.parent == entity) {
                let column = format!("_{}", edge.name);
                let mut children = Vec::new();
                for row in &fresh {
                    children.extend(self.snapshot(edge.child)?.children(&column, *row)?);
                }
                queue.push((edge.child, children));
            }
        }
        Ok(())
    }

    fn take_ancestors(&mut self) -> Result<(), TableError> {
        let program = self.program;
        let mut queue: Vec<EntityId> = self.taken.keys().copied().collect();
        while let Some(entity) = queue.pop() {
            let rows: Vec<u32> = self.taken.get(&entity).into_iter().flatten().map(|(row, _)| *row).collect();
            if rows.is_empty() || program.edges.iter().all(|edge| edge.child != entity) {
                continue;
            }
            let batch = self.snapshot(entity)?.read(&rows)?;
            for edge in program.edges.iter().filter(|edge| edge.child == entity) {
                let column = format!("_{}", edge.name);
                let parents: BTreeSet<u32> =
                    (0..batch.num_rows()).filter_map(|row| reference(&batch, &column, row)).collect();
                let taken = self.taken.entry(edge.parent).or_default();
                let before = taken.len();
                for parent in parents {
                    taken.entry(parent).or_insert(true);
                }
                if taken.len() > before {
                    queue.push(edge.parent);
                }
            }
        }
        Ok(())
    }

    fn build(&mut self) -> Result<Facts, TableError> {
        let program = self.program;
        let mut builder = FactsBuilder::new(program);
        let taken = std::mem::take(&mut self.taken);
        for (entity, rows) in &taken {
            let numbers: Vec<u32> = rows.keys().copied().collect();
            let batch = self.snapshot(*entity)?.read(&numbers)?;
            let results = match self.result(*entity)? {
                Some(table) => Some(table.read(&numbers)?),
                None => None,
            };
            for (position, given) in rows.values().enumerate() {
                self.add_record(&mut builder, *entity, &batch, position);
                if let (true, Some(results)) = (*given, &results) {
                    let row = position as u32;
                    give_results(program, &mut builder, *entity, results, position, row);
                }
            }
        }
        Ok(builder.build())
    }

    fn add_record(
        &self,
        builder: &mut FactsBuilder<'_>,
        entity: EntityId,
        batch: &RecordBatch,
        position: usize,
    ) {
        let program = self.program;
        let table = program.entity(entity);
        let value = |name: &str| batch.column_by_name(name).and_then(|array| cell(array, position));
        let key = match value(&program.column(table.key).name) {
            Some(Value::Text(key)) => key,
            _ => String::new(),
        };
        let fields: Vec<_> = table
            .fields
            .iter()
            .filter(|id| **id != table.key)
            .map(|id| (*id, value(&program.column(*id).name)))
            .collect();
        let row = builder.record(entity, &key, fields);
        let number = |name: &str| match value(name) {
            Some(Value::Number(number)) => i64::try_from(number).ok(),
            _ => None,
        };
        let source = number("_source").and_then(|id| self.run.sources.get(&id));
        if let Some((file, sheet)) = source {
            builder.provenance(
                entity,
                row,
                Provenance {
                    file: file.clone(),
                    sheet: sheet.clone(),
                    row: number("_source_row").and_then(|row| u32::try_from(row).ok()),
                    recorded: match value("_recorded_on") {
                        Some(Value::Date(date)) => Some(date),
                        _ => None,
                    },
                },
            );
        }
    }
}

fn reference(batch: &RecordBatch, column: &str, row: usize) -> Option<u32> {
    match cell(batch.column_by_name(column)?, row)? {
        Value::Number(number) => u32::try_from(number).ok(),
        _ => None,
    }
}

fn give_results(
    program: &Program,
    builder: &mut FactsBuilder<'_>,
    entity: EntityId,
    results: &RecordBatch,
    position: usize,
    row: u32,
) {
    for id in &program.order {
        let column = program.column(*id);
        if column.entity != entity || matches!(column.kind, ColumnKind::Field(_)) {
            continue;
        }
        if let Some(array) = results.column_by_name(&column.name) {
            builder.give(entity, row, *id, cell(array, position));
        }
    }
}
