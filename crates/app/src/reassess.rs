//! What changes in a run when records change: without another run, and without changing the run.
//!
//! Changes come as JSON lines or from a registry that has gone on since the run. Each set of them is applied on top
//! of the ones before, and what follows from it is said: every result of every record that is another now, up to the
//! province's figures.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evaluate::Viewer;
use evaluate::reassess as forward;
use evaluate::reassess::{Changed, Consequences, Readers, Reassessor};
use evaluate::records::{Change, LayError, Overlay, Patch, Records, key_text};
use model::{AsProblem as _, Date, Text};
use pack::program::{ColumnId, EntityId, Program, Value};
use store::{Registry, StoreError};
use thiserror::Error;

use crate::derived;
use crate::json_values::{decimals, print, quoted};
use crate::run_records::RunRecords;
use crate::stored_run::{RunError, StoredRun};
use crate::tables::TableError;

pub use evaluate::records::{ChangeKind, RecordChange};

#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum ReassessError {
    Line {
        line: usize,
        reason: Box<Text>,
    },
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Store(#[from] StoreError),
    Unknown {
        entity: String,
        key: String,
    },
    Derived {
        entity: String,
        key: String,
    },
    Referred {
        entity: String,
        key: String,
        field: String,
    },
    Key {
        entity: String,
        key: String,
    },
    TooMany {
        limit: usize,
    },
    OtherRegistry {
        /// Ids.
        run: String,
        registry: String,
    },
    NoRegistry,
    OlderRegistry {
        /// Numbers of the last change.
        run: u64,
        registry: u64,
    },
}

impl From<forward::ReassessError<TableError>> for ReassessError {
    fn from(error: forward::ReassessError<TableError>) -> Self {
        match error {
            forward::ReassessError::Records(error) => Self::Table(error),
            forward::ReassessError::TooMany { limit } => Self::TooMany { limit },
        }
    }
}

impl From<LayError<TableError>> for ReassessError {
    fn from(error: LayError<TableError>) -> Self {
        match error {
            LayError::Records(error) => Self::Table(error),
            LayError::Unknown { entity, key } => Self::Unknown { entity, key },
            LayError::Key { entity, key } => Self::Key { entity, key },
        }
    }
}

/// One record whose fields or results are others now.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedRecord {
    pub entity: EntityId,
    pub key: String,
    pub kind: ChangeKind,
    /// Fields and results that are not hidden, with the value before and after.
    pub values: Vec<(ColumnId, Option<Value>, Option<Value>)>,
}

/// A finding that is there now, or is no longer.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedFinding {
    pub entity: EntityId,
    pub key: String,
    pub code: String,
    pub rule: Option<String>,
    pub found: bool,
}

/// A total that is another now, or leaves out other records as unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedTotal {
    pub id: String,
    /// Before and after.
    pub value: (i128, i128),
    /// Records left out as unknown, before and after; none of a total about divisions, for which only a run counts them.
    pub unknown: Option<(u64, u64)>,
}

/// What follows from one set of changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Reassessed {
    /// In order of entity (provinces first) and row.
    pub records: Vec<ChangedRecord>,
    /// Totals of the run that are others now.
    pub totals: Vec<ChangedTotal>,
    pub findings: Vec<ChangedFinding>,
}

/// A run that changes are applied to, wherever its records lie.
pub struct Reassessment<'a, R> {
    program: &'a Program,
    reassessor: Reassessor<'a, R>,
    /// Values, and records left out as unknown.
    totals: Vec<Figure>,
    basis: Arc<Basis>,
}

/// What follows from a program alone. It is made once for all who ask.
pub(crate) struct Basis {
    readers: Arc<Readers>,
    /// Fields that derived ones follow from.
    derived_from: BTreeSet<ColumnId>,
}

impl Basis {
    pub fn new(program: &Program) -> Self {
        Self {
            readers: Arc::new(Readers::new(program)),
            derived_from: derived::needed(program).into_values().flatten().collect(),
        }
    }
}

/// A total, and how many records it leaves out as unknown.
pub(crate) type Figure = (i128, u64);

/// The totals of a run, in the program's order.
pub(crate) fn figures(program: &Program, run: &StoredRun) -> Vec<Figure> {
    let figures = crate::totals::figures(program, &run.manifest);
    figures.into_iter().map(|figure| (figure.value, figure.unknown)).collect()
}

impl<'a> Reassessment<'a, RunRecords<'a>> {
    /// # Errors
    /// A run of another pack.
    pub fn new(program: &'a Program, run: &'a StoredRun) -> Result<Self, ReassessError> {
        run.check_pack(program)?;
        let records = Overlay::new(RunRecords::new(program, run));
        let basis = Arc::new(Basis::new(program));
        Ok(Self::over(program, basis, run.as_of, records, figures(program, run)))
    }

    /// What a registry has recorded since the snapshot of the run was taken.
    ///
    /// # Errors
    /// A run over a snapshot of something else, and failures of the registry.
    pub fn since(&self, registry: &Registry) -> Result<Vec<RecordChange>, ReassessError> {
        recorded_since(registry, self.change_of(registry)?, self.reassessor.records())
    }

    /// The number of the last change of the registry that is in the run.
    pub(crate) fn change_of(&self, registry: &Registry) -> Result<u64, ReassessError> {
        let run = self.reassessor.records().base().run();
        let (Some(taken_from), Some(change)) = (&run.registry, run.change()) else {
            return Err(ReassessError::NoRegistry);
        };
        let id = registry.id()?.to_string();
        if *taken_from != id {
            return Err(ReassessError::OtherRegistry { run: taken_from.clone(), registry: id });
        }
        let last = last_change(registry)?;
        if last < change {
            return Err(ReassessError::OlderRegistry { run: change, registry: last });
        }
        Ok(change)
    }
}

/// The number of the last change of a registry.
pub(crate) fn last_change(registry: &Registry) -> Result<u64, StoreError> {
    Ok(registry.imports()?.iter().map(|import| import.last_change).max().unwrap_or(0))
}

/// What a registry has recorded after a change, as of one commit, of records that are there or in `records`.
pub(crate) fn recorded_since<R: Records<Error = TableError>>(
    registry: &Registry,
    change: u64,
    records: &R,
) -> Result<Vec<RecordChange>, ReassessError> {
    let program = records.program();
    let reading = registry.read()?;
    let view = reading.view();
    let mut changes = vec![];
    for (entity, key) in registry.changed_since(change)? {
        let fields = view.record(entity, &key)?.map(|record| {
            let fields = program.entity(entity).fields.iter().copied().zip(record.values);
            fields.filter(|(id, _)| !program.is_derived(*id)).collect()
        });
        if fields.is_some() || records.find(program.entity(entity).key, &key)?.is_some() {
            changes.push(RecordChange { entity, key, fields });
        }
    }
    Ok(changes)
}

impl<'a, R: Records<Error = TableError>> Reassessment<'a, R> {
    /// Over records that others may be reading, too.
    pub(crate) fn over(
        program: &'a Program,
        basis: Arc<Basis>,
        as_of: Date,
        records: Overlay<R>,
        totals: Vec<Figure>,
    ) -> Self {
        let readers = Arc::clone(&basis.readers);
        Self { program, reassessor: Reassessor::new(program, readers, as_of, records), totals, basis }
    }

    /// The records with what has been applied.
    pub(crate) fn reassessor(&mut self) -> &mut Reassessor<'a, R> {
        &mut self.reassessor
    }

    /// What has been applied, with what followed from it.
    pub(crate) fn into_parts(self) -> (Arc<Patch>, Vec<Figure>) {
        (self.reassessor.into_patch(), self.totals)
    }

    /// Applies a set of changes and says what follows. After an error nothing of it has been applied.
    ///
    /// # Errors
    /// Changes that only a run can follow, and files that cannot be read.
    pub fn apply(&mut self, changes: &[RecordChange]) -> Result<Reassessed, ReassessError> {
        let layer = self.reassessor.records().lay(changes)?;
        for (change, placed) in changes.iter().zip(&layer.changes) {
            self.check(change, placed)?;
        }
        let given = layer.changes[..changes.len()].to_vec();
        let lost = self.lost(changes, &given)?;
        let consequences = self.reassessor.apply(layer)?;
        self.told(changes, &given, lost, consequences)
    }

    /// Refuses what only a run can follow.
    fn check(&mut self, change: &RecordChange, placed: &Change) -> Result<(), ReassessError> {
        let program = self.program;
        let entity = program.entity(change.entity);
        let names = || (entity.name.clone(), change.key.clone());
        let derives = self.basis.derived_from.iter().any(|id| program.column(*id).entity == change.entity)
            || entity.fields.iter().any(|id| program.is_derived(*id));
        if placed.kind != ChangeKind::Changed {
            let (entity, key) = names();
            return if derives { Err(ReassessError::Derived { entity, key }) } else { Ok(()) };
        }
        for (id, value) in &placed.fields {
            let referred = program.edges.iter().any(|edge| edge.on == *id);
            if !referred && !self.basis.derived_from.contains(id) {
                continue;
            }
            if self.reassessor.value(*id, placed.row)? != *value {
                let (entity, key) = names();
                let field = program.column(*id).name.clone();
                return Err(if self.basis.derived_from.contains(id) {
                    ReassessError::Derived { entity, key }
                } else {
                    ReassessError::Referred { entity, key, field }
                });
            }
        }
        Ok(())
    }

    /// What was found about records that go.
    fn lost(
        &mut self,
        changes: &[RecordChange],
        placed: &[Change],
    ) -> Result<Vec<ChangedFinding>, ReassessError> {
        let program = self.program;
        let mut lost = Vec::new();
        let removed = changes.iter().zip(placed).filter(|(_, placed)| placed.kind == ChangeKind::Removed);
        for (change, placed) in removed {
            let rules = program.findings.iter();
            for rule in rules.filter(|rule| program.column(rule.column).entity == change.entity) {
                if self.reassessor.value(rule.column, placed.row)? == Some(Value::Bool(true)) {
                    lost.push(ChangedFinding {
                        entity: change.entity,
                        key: change.key.clone(),
                        code: rule.code.clone(),
                        rule: rule.rule.map(|rule| program.rules[rule.index()].id.clone()),
                        found: false,
                    });
                }
            }
        }
        Ok(lost)
    }

    /// The consequences, record by record.
    fn told(
        &mut self,
        changes: &[RecordChange],
        placed: &[Change],
        mut findings: Vec<ChangedFinding>,
        consequences: Consequences,
    ) -> Result<Reassessed, ReassessError> {
        let program = self.program;
        let mut totals = vec![];
        let added = consequences.totals.iter().zip(&consequences.unknown);
        for ((total, (value, unknown)), (added, more_unknown)) in
            program.totals.iter().zip(&mut self.totals).zip(added)
        {
            if *added == 0 && more_unknown.is_some_and(|more| more == 0) {
                continue;
            }
            let before = (*value, *unknown);
            *value += added;
            *unknown = unknown.saturating_add_signed(more_unknown.unwrap_or(0));
            if *added != 0 || *unknown != before.1 {
                totals.push(ChangedTotal {
                    id: total.id.clone(),
                    value: (before.0, *value),
                    unknown: more_unknown.map(|_| (before.1, *unknown)),
                });
            }
        }
        let mut records: BTreeMap<(EntityId, u32), ChangedRecord> = BTreeMap::new();
        for (change, Change { row, kind, .. }) in changes.iter().zip(placed) {
            let record =
                ChangedRecord { entity: change.entity, key: change.key.clone(), kind: *kind, values: vec![] };
            records.insert((change.entity, *row), record);
        }
        for Changed { column, row, before, after } in consequences.changed {
            let declared = program.column(column);
            for rule in program.findings.iter().filter(|rule| rule.column == column) {
                let found = after == Some(Value::Bool(true));
                if found || before == Some(Value::Bool(true)) {
                    findings.push(ChangedFinding {
                        entity: declared.entity,
                        key: self.key(declared.entity, row)?,
                        code: rule.code.clone(),
                        rule: rule.rule.map(|rule| program.rules[rule.index()].id.clone()),
                        found,
                    });
                }
            }
            if declared.is_hidden() {
                continue;
            }
            let record = match records.entry((declared.entity, row)) {
                Entry::Occupied(record) => record.into_mut(),
                Entry::Vacant(place) => place.insert(ChangedRecord {
                    entity: declared.entity,
                    key: self.key(declared.entity, row)?,
                    kind: ChangeKind::Changed,
                    values: vec![],
                }),
            };
            record.values.push((column, before, after));
        }
        let changed =
            |record: &ChangedRecord| record.kind != ChangeKind::Changed || !record.values.is_empty();
        let records = records.into_values().filter(changed).collect();
        Ok(Reassessed { records, totals, findings })
    }

    /// The same with every value and key as a viewer may see it.
    pub fn masked(&self, viewer: &Viewer<'_>, mut reassessed: Reassessed) -> Reassessed {
        for record in &mut reassessed.records {
            record.key = viewer.key(record.entity, &record.key).into_owned();
            for (column, before, after) in &mut record.values {
                for value in [before, after] {
                    *value = viewer.show(*column, value.as_ref()).into_value();
                }
            }
        }
        for finding in &mut reassessed.findings {
            finding.key = viewer.key(finding.entity, &finding.key).into_owned();
        }
        reassessed
    }

    fn key(&mut self, entity: EntityId, row: u32) -> Result<String, ReassessError> {
        let value = self.reassessor.value(self.program.entity(entity).key, row)?;
        Ok(value.as_ref().map(key_text).unwrap_or_default())
    }
}

impl Reassessed {
    /// `{"records": [{"entity", "key", "change", "values": {name: [before, after]}}], "totals": {id: [before,
    /// after]}, "unknown": {id: [before, after]}, "findings": [{"entity", "key", "code", "rule", "found"}]}`, on one line.
    pub fn to_json(&self, program: &Program) -> String {
        let mut text = String::from("{\"records\":[");
        for (place, record) in self.records.iter().enumerate() {
            let change = record.kind.as_str();
            text.push_str(if place > 0 { "," } else { "" });
            text.push_str(&format!(
                "{{\"entity\":\"{}\",\"key\":{},\"change\":\"{change}\",\"values\":{{",
                program.entity(record.entity).name,
                quoted(&record.key)
            ));
            for (place, (column, before, after)) in record.values.iter().enumerate() {
                let column = program.column(*column);
                text.push_str(if place > 0 { "," } else { "" });
                text.push_str(&format!("\"{}\":[", column.name));
                print(&mut text, decimals(&column.ty), before.clone());
                text.push(',');
                print(&mut text, decimals(&column.ty), after.clone());
                text.push(']');
            }
            text.push_str("}}");
        }
        text.push_str("],\"totals\":{");
        let changed = self.totals.iter().filter(|total| total.value.0 != total.value.1);
        for (place, ChangedTotal { id, value: (before, after), .. }) in changed.enumerate() {
            text.push_str(if place > 0 { "," } else { "" });
            text.push_str(&format!("\"{id}\":[{before},{after}]"));
        }
        text.push_str("},\"unknown\":{");
        let unknown = self.totals.iter().filter_map(|total| Some((&total.id, total.unknown?)));
        for (place, (id, (before, after))) in unknown.enumerate() {
            text.push_str(if place > 0 { "," } else { "" });
            text.push_str(&format!("\"{id}\":[{before},{after}]"));
        }
        text.push_str("},\"findings\":[");
        for (place, finding) in self.findings.iter().enumerate() {
            let json = serde_json::json!({
                "entity": program.entity(finding.entity).name,
                "key": finding.key,
                "code": finding.code,
                "rule": finding.rule,
                "found": finding.found,
            });
            text.push_str(if place > 0 { "," } else { "" });
            text.push_str(&json.to_string());
        }
        text.push_str("]}");
        text
    }
}
