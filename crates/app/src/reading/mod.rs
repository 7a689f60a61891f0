//! A run kept open for pages: figures of a division, lists of records, single records, all from one run of record.
//!
//! A column is read from its file when it is first asked for and kept; so is where records belong. Nothing of it
//! changes afterwards, so that any number of threads read one [`Reading`] at once. Figures and lists are counted by the
//! same verdicts, so that a figure is always as long as the list behind it.
//!
//! Deliberately lacking: who may see what (the caller asks for a place and shows what it may), markup, and the registry:
//! what was recorded since the run is not in it.

mod figure;
mod findings;
mod list;
mod place;
mod sheet;
mod shown;
mod total;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef};
use engine::RunManifest;
use evaluate::Viewer;
use evaluate::explain::Explanation;
use model::{AsProblem, Date, Problem};
use pack::program::{ColumnId, ColumnKind, DataClass, EdgeId, EntityId, Program, Rule, RuleId, Value};
use thiserror::Error;

use crate::cells::cell;
use crate::explain::ExplainError;
use crate::pack_cache::PackCache;
use crate::packs::{Loaded, PackError};
use crate::stored_run::{RunError, StoredRun};
use crate::tables::{StoredTable, TableError};
use crate::verdict::{State, Verdict};

pub use figure::Figure;
pub use findings::{Finding, FindingCount};
pub use list::{Criterion, List, Listed, Sort};
pub use place::{Place, place_exists};
pub use sheet::{SHEET_ROWS_MAX, SheetCell, workbook};
pub use total::PlaceTotal;

/// Why a run cannot be read.
#[derive(Debug, Error)]
pub enum ReadingError {
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Table(#[from] TableError),
}

impl AsProblem for ReadingError {
    fn problem(&self) -> Problem {
        match self {
            Self::Pack(error) => error.problem(),
            Self::Run(error) => error.problem(),
            Self::Table(error) => error.problem(),
        }
    }
}

/// No row: of a record that has no such record above it.
pub const NOWHERE: u32 = u32::MAX;

type Kept<K, V> = Mutex<HashMap<K, V>>;

/// One run with its pack and its snapshot.
pub struct Reading {
    pack: Loaded,
    run: StoredRun,
    /// The entities that are divisions, the highest first.
    levels: Vec<EntityId>,
    verdicts: Vec<(RuleId, Verdict)>,
    findings: Vec<Finding>,
    tables: Kept<PathBuf, Arc<Mutex<StoredTable>>>,
    columns: Kept<ColumnId, Option<ArrayRef>>,
    links: Kept<EdgeId, Arc<[u32]>>,
    above: Kept<(EntityId, EntityId), Arc<[u32]>>,
    peopled: Kept<EntityId, Arc<[bool]>>,
    keys: Kept<EntityId, Arc<HashMap<String, u32>>>,
    figures: Kept<Place, Arc<[Figure]>>,
}

impl Reading {
    /// Opens a run with the pack that it was made with.
    ///
    /// # Errors
    /// A folder that is no run, one without its snapshot, and a pack that no longer compiles.
    pub fn open(folder: &Path, cache: &PackCache) -> Result<Self, ReadingError> {
        let pack = Loaded::of_run(folder, cache)?;
        let run = StoredRun::open(folder)?;
        run.check_pack(&pack.program)?;
        let program = &pack.program;
        let verdicts = program.rules.iter().enumerate();
        let verdicts =
            verdicts.filter_map(|(at, rule)| Some((RuleId(at as u32), Verdict::of(program, rule)?)));
        let verdicts = verdicts.collect();
        let findings = findings::read(program, folder)?;
        Ok(Self {
            levels: place::levels(program),
            verdicts,
            findings,
            pack,
            run,
            tables: Mutex::default(),
            columns: Mutex::default(),
            links: Mutex::default(),
            above: Mutex::default(),
            peopled: Mutex::default(),
            keys: Mutex::default(),
            figures: Mutex::default(),
        })
    }

    pub fn program(&self) -> &Program {
        &self.pack.program
    }

    pub fn pack(&self) -> &Loaded {
        &self.pack
    }

    pub fn run(&self) -> &StoredRun {
        &self.run
    }

    pub fn manifest(&self) -> &RunManifest {
        &self.run.manifest
    }

    pub fn as_of(&self) -> Date {
        self.run.as_of
    }

    /// Number of the last change of the registry that is in the run.
    pub fn change(&self) -> Option<u64> {
        self.run.change()
    }

    /// Records of an entity.
    pub fn rows(&self, entity: EntityId) -> usize {
        let name = &self.program().entity(entity).name;
        self.manifest().snapshot.rows.get(name).map_or(0, |rows| usize::try_from(*rows).unwrap_or(0))
    }

    /// Rules with a yes-or-no verdict, in the pack's order.
    pub fn verdicts(&self) -> &[(RuleId, Verdict)] {
        &self.verdicts
    }

    /// The rule with this id and its verdict, if it has one.
    pub fn verdict_named(&self, rule: &str) -> Option<(&Rule, RuleId, Verdict)> {
        let program = self.program();
        let found = self.verdicts.iter().find(|(id, _)| program.rules[id.index()].id == rule);
        found.map(|(id, verdict)| (&program.rules[id.index()], *id, *verdict))
    }

    /// A column of all records of its entity; `None` if the run has no such result.
    pub fn column(&self, id: ColumnId) -> Result<Option<ArrayRef>, TableError> {
        if let Some(known) = locked(&self.columns).get(&id) {
            return Ok(known.clone());
        }
        let column = self.program().column(id);
        let folder = match column.kind {
            ColumnKind::Field(_) => &self.run.snapshot,
            _ => &self.run.folder,
        };
        let read = self.read(folder, column.entity, &column.name)?;
        locked(&self.columns).insert(id, read.clone());
        Ok(read)
    }

    /// Records of which a column is known.
    pub fn known(&self, id: ColumnId) -> Result<usize, TableError> {
        Ok(self.column(id)?.map_or(0, |array| array.len() - array.null_count()))
    }

    fn read(&self, folder: &Path, entity: EntityId, name: &str) -> Result<Option<ArrayRef>, TableError> {
        let path = folder.join(format!("{}.parquet", self.program().entity(entity).name));
        // Reading the footer of a table with hundreds of columns takes longer than reading one of them.
        let known = locked(&self.tables).get(&path).cloned();
        let table = match known {
            Some(table) => table,
            None if path.exists() => {
                let table = Arc::new(Mutex::new(StoredTable::open(&path)?));
                locked(&self.tables).insert(path, Arc::clone(&table));
                table
            }
            None => return Ok(None),
        };
        let batch = locked(&table).columns(&[name])?;
        Ok(batch.map(|batch| Arc::clone(batch.column(0))))
    }

    /// The value of a column for a record; `None` where it is unknown or the run has no such result.
    pub fn value(&self, id: ColumnId, row: u32) -> Result<Option<Value>, TableError> {
        let column = self.column(id)?;
        Ok(column.filter(|array| (row as usize) < array.len()).and_then(|array| cell(&array, row as usize)))
    }

    /// The value of a column for a record, or for the one above it that has the column.
    pub fn value_above(&self, entity: EntityId, row: u32, id: ColumnId) -> Result<Option<Value>, TableError> {
        let owner = self.program().column(id).entity;
        if owner == entity {
            return self.value(id, row);
        }
        match self.above(entity, owner)?.get(row as usize) {
            Some(above) if *above != NOWHERE => self.value(id, *above),
            _ => Ok(None),
        }
    }

    /// The row of the record that each record of an edge's child hangs from; [`NOWHERE`] where there is none.
    pub fn links(&self, edge: EdgeId) -> Result<Arc<[u32]>, TableError> {
        if let Some(known) = locked(&self.links).get(&edge) {
            return Ok(Arc::clone(known));
        }
        let declared = self.program().edge(edge);
        let array = self.read(&self.run.snapshot, declared.child, &format!("_{}", declared.name))?;
        let row = |array: &ArrayRef, at: usize| match cell(array, at) {
            Some(Value::Number(row)) => u32::try_from(row).unwrap_or(NOWHERE),
            _ => NOWHERE,
        };
        let rows: Arc<[u32]> = match array {
            Some(array) => (0..array.len()).map(|at| row(&array, at)).collect(),
            None => Arc::from([]),
        };
        locked(&self.links).insert(edge, Arc::clone(&rows));
        Ok(rows)
    }

    /// Records below another along an edge, in the order of the snapshot.
    pub fn children(&self, edge: EdgeId, parent: u32) -> Result<Vec<u32>, TableError> {
        let links = self.links(edge)?;
        Ok((0..links.len() as u32).filter(|row| links[*row as usize] == parent).collect())
    }

    /// The row of the record with a key.
    pub fn find(&self, entity: EntityId, key: &str) -> Result<Option<u32>, TableError> {
        if let Some(known) = locked(&self.keys).get(&entity) {
            return Ok(known.get(key).copied());
        }
        let array = self.column(self.program().entity(entity).key)?;
        let text = |row: usize| match array.as_ref().and_then(|array| cell(array, row)) {
            Some(Value::Text(key)) => Some((key, row as u32)),
            _ => None,
        };
        let rows = array.as_ref().map_or(0, Array::len);
        let keys: Arc<HashMap<String, u32>> = Arc::new((0..rows).filter_map(text).collect());
        let found = keys.get(key).copied();
        locked(&self.keys).insert(entity, keys);
        Ok(found)
    }

    /// The key of a record.
    pub fn key(&self, entity: EntityId, row: u32) -> Result<String, TableError> {
        Ok(match self.value(self.program().entity(entity).key, row)? {
            Some(Value::Text(key)) => key,
            _ => String::new(),
        })
    }

    /// What a rule says of a record.
    pub fn state(&self, verdict: &Verdict, row: u32) -> Result<State, TableError> {
        let truth = |id: ColumnId| -> Result<Option<bool>, TableError> {
            Ok(match self.value(id, row)? {
                Some(Value::Bool(truth)) => Some(truth),
                _ => None,
            })
        };
        let applies = verdict.applies.map(truth).transpose()?;
        Ok(State::of(applies, truth(verdict.says)?))
    }

    /// What a result is computed from in the first place: columns with names, of its own entity or of one above.
    pub fn reads(&self, id: ColumnId) -> Vec<ColumnId> {
        let program = self.program();
        let mut read = Vec::new();
        let mut open = vec![id];
        let mut seen = BTreeSet::new();
        while let Some(at) = open.pop() {
            let column = program.column(at);
            if !seen.insert(at) {
                continue;
            }
            if at != id && !column.is_hidden() {
                if self.is_above(program.column(id).entity, at) {
                    read.push(at);
                }
                continue;
            }
            if !matches!(column.kind, ColumnKind::Aggregate(_) | ColumnKind::Window(_)) {
                let mut needs = Vec::new();
                program.each_need(at, &mut |need| needs.push(need));
                // The first that the rule names comes first.
                open.extend(needs.into_iter().rev());
            }
        }
        read
    }

    /// What kind of datum stands in a column: what is personal is shown masked.
    pub fn class(&self, id: ColumnId) -> DataClass {
        self.program().class(id)
    }

    /// What a rule or column says of a record, and why; without a name, everything promised to it.
    ///
    /// # Errors
    /// What the run does not know, and files that cannot be read.
    pub fn explain(
        &self,
        entity: &str,
        key: &str,
        name: Option<&str>,
    ) -> Result<Vec<Explanation>, ExplainError> {
        crate::explain::explain(&Viewer::masked(self.program()), &self.run, entity, key, name)
    }
}

fn locked<T>(kept: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What is kept is whole at any time: a thread that panicked has inserted nothing.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
