//! What changes in a run when records change: without another run, and without changing the run.
//!
//! Changes come as JSON lines or from a registry that has gone on since the run. Each set of them is applied on top
//! of the ones before, and what follows from it is said: every result of every record that is another now, up to the
//! province's figures.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::ArrayRef;
use evaluate::Viewer;
use evaluate::interpret::Records;
use evaluate::reassess as forward;
use evaluate::reassess::{Changed, Consequences, Reassessor};
use model::Text;
use pack::program::{ColumnId, ColumnKind, EdgeId, EntityId, Program, Value};
use serde_json::Value as Json;
use store::{Registry, StoreError};
use thiserror::Error;

use crate::cases::cell;
use crate::derived;
use crate::explain::{ExplainError, Stored, StoredRun};
use crate::json_values::{self, decimals, print, quoted};
use crate::tables::TableError;

pub use evaluate::reassess::ChangeKind;

#[derive(Debug, Error)]
pub enum ReassessError {
    #[error("line {line}: {reason}")]
    Line { line: usize, reason: String },
    #[error(transparent)]
    Run(#[from] ExplainError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{entity} `{key}` is not there, and cannot be removed")]
    Unknown { entity: String, key: String },
    #[error(
        "{entity} `{key}`: roads and other derived fields follow from it, which are settled when a snapshot is taken\n\
         hint: run `xiaokang assess` again"
    )]
    Derived { entity: String, key: String },
    #[error(
        "{entity} `{key}`: other records name it by `{field}`, which has changed\nhint: run `xiaokang assess` again"
    )]
    Referred { entity: String, key: String, field: String },
    #[error(
        "{entity} `{key}`: its key is given as something else\nhint: remove the record, and add one with the other key"
    )]
    Key { entity: String, key: String },
    #[error("so much rests on this that a run is the better way ({0})\nhint: run `xiaokang assess` again")]
    TooMany(String),
    #[error("{}", self.text().en)]
    OtherRegistry {
        /// Ids.
        run: String,
        registry: String,
    },
    #[error("{}", self.text().en)]
    NoRegistry,
    #[error("{}", self.text().en)]
    OlderRegistry {
        /// Numbers of the last change.
        run: u64,
        registry: u64,
    },
}

impl ReassessError {
    /// The error in both languages, as far as it has been written in both; its hint follows on a line of its own.
    pub fn text(&self) -> Text {
        match self {
            Self::OtherRegistry { run, registry } => {
                let (run, registry) = (short(run), short(registry));
                Text::new(
                    format!(
                        "这次运行取自登记库 {run}，而指明的是登记库 {registry}，二者不是同一个\n\
                         hint: 用 `--registry` 指明运行所取自的登记库，或对这个登记库另行 `xiaokang assess`"
                    ),
                    format!(
                        "the run was made from registry {run}, and this is registry {registry}\n\
                         hint: name the registry that the run was made from, or run `xiaokang assess` over this one"
                    ),
                )
            }
            Self::NoRegistry => Text::new(
                "这次运行的快照没有写明取自哪个登记库\nhint: 用 `--changes` 给出改动，或对登记库重新 `xiaokang assess`",
                "the snapshot of the run does not say which registry it was taken from\n\
                 hint: give the changes with `--changes`, or run `xiaokang assess` over the registry again",
            ),
            Self::OlderRegistry { run, registry } => Text::new(
                format!(
                    "登记库只到第 {registry} 次改动，而这次运行已含第 {run} 次：登记库可能是从备份恢复的\n\
                     hint: 对登记库重新 `xiaokang assess`"
                ),
                format!(
                    "the registry ends with change {registry}, and the run has change {run} already: it may have been \
                     restored from a backup\nhint: run `xiaokang assess` over the registry again"
                ),
            ),
            Self::Run(error) => error.text(),
            other => Text::same(other.to_string()),
        }
    }
}

/// Enough of an id to tell it from others.
fn short(id: &str) -> &str {
    id.get(..13).unwrap_or(id)
}

impl From<forward::ReassessError<TableError>> for ReassessError {
    fn from(error: forward::ReassessError<TableError>) -> Self {
        match error {
            forward::ReassessError::State(error) => Self::Table(error),
            other @ forward::ReassessError::TooMany { .. } => Self::TooMany(other.to_string()),
        }
    }
}

/// What happened to one record.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordChange {
    pub entity: EntityId,
    pub key: String,
    /// Fields with their values now; without any, the record is removed.
    pub fields: Option<Vec<(ColumnId, Option<Value>)>>,
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

/// A run that changes are applied to.
pub struct Reassessment<'a> {
    program: &'a Program,
    reassessor: Reassessor<'a, RunState<'a>>,
    /// Values, and records left out as unknown.
    totals: Vec<(i128, u64)>,
    /// Rows of records that the snapshot does not have.
    new_rows: HashMap<(EntityId, String), u32>,
    next_row: HashMap<EntityId, u32>,
    removed: BTreeSet<(EntityId, u32)>,
    /// Records by the texts by which others name them, as far as the snapshot does not have them.
    names: HashMap<(ColumnId, String), u32>,
    /// Records that name one that is not there.
    waiting: HashMap<(EdgeId, String), BTreeSet<u32>>,
    /// Whether records of the snapshot name others that it does not have, by edge.
    incomplete: HashMap<EdgeId, bool>,
    /// Fields that derived ones follow from.
    derived_from: BTreeSet<ColumnId>,
}

impl<'a> Reassessment<'a> {
    /// # Errors
    /// A run of another pack.
    pub fn new(program: &'a Program, run: &'a StoredRun) -> Result<Self, ReassessError> {
        run.check_pack(program)?;
        let totals = crate::totals::figures(program, &run.manifest);
        let totals = totals.into_iter().map(|figure| (figure.value, figure.unknown)).collect();
        let state = RunState::new(Stored::new(program, run));
        Ok(Self {
            program,
            reassessor: Reassessor::new(program, run.as_of, state),
            totals,
            new_rows: HashMap::new(),
            next_row: HashMap::new(),
            removed: BTreeSet::new(),
            names: HashMap::new(),
            waiting: HashMap::new(),
            incomplete: HashMap::new(),
            derived_from: derived::needed(program).into_values().flatten().collect(),
        })
    }

    /// A line `{"household": {"KEY": {"wages": 12000}}, "person": {"KEY": null}}`: fields with their values now, or
    /// `null` for a record that is gone. A key that the run does not know is a new record.
    ///
    /// # Errors
    /// What cannot be understood, in words.
    pub fn read(&self, line: &str) -> Result<Vec<RecordChange>, String> {
        let json: Json = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let Json::Object(tables) = json else { return Err("it is no JSON object".to_owned()) };
        let mut changes = vec![];
        for (name, records) in &tables {
            let entity =
                self.program.entity_named(name).ok_or_else(|| format!("no entity is called `{name}`"))?;
            let Json::Object(records) = records else {
                return Err(format!("`{name}` must hold records by their keys"));
            };
            for (key, record) in records {
                let fields = match record {
                    Json::Null => None,
                    Json::Object(given) => Some(self.fields(entity, name, given)?),
                    _ => return Err(format!("`{name}` `{key}` is neither fields nor null")),
                };
                changes.push(RecordChange { entity, key: key.clone(), fields });
            }
        }
        Ok(changes)
    }

    fn fields(
        &self,
        entity: EntityId,
        name: &str,
        given: &serde_json::Map<String, Json>,
    ) -> Result<Vec<(ColumnId, Option<Value>)>, String> {
        let program = self.program;
        let mut fields = vec![];
        for (field, json) in given {
            let edge = program.edges.iter().find(|edge| edge.child == entity && edge.name == *field);
            let named = edge.map(|edge| edge.via).or_else(|| program.column_named(entity, field));
            let recorded = |id: &ColumnId| {
                matches!(program.column(*id).kind, ColumnKind::Field(_)) && !program.is_derived(*id)
            };
            let id = named.filter(recorded).ok_or_else(|| format!("`{name}` has no field `{field}`"))?;
            if fields.iter().any(|(known, _)| *known == id) {
                return Err(format!("`{name}.{field}` is given twice"));
            }
            let value = json_values::read(program, id, json);
            fields.push((id, value.map_err(|reason| format!("`{name}.{field}`: {reason}"))?));
        }
        Ok(fields)
    }

    /// What a registry has recorded since the snapshot of the run was taken.
    ///
    /// # Errors
    /// A run over a snapshot of something else, and failures of the registry.
    pub fn since(&mut self, registry: &Registry) -> Result<Vec<RecordChange>, ReassessError> {
        let run = self.reassessor.state().stored.run();
        let (Some(taken_from), Some(change)) = (&run.registry, run.change()) else {
            return Err(ReassessError::NoRegistry);
        };
        let id = registry.id()?.to_string();
        if *taken_from != id {
            return Err(ReassessError::OtherRegistry { run: taken_from.clone(), registry: id });
        }
        let last = registry.imports()?.iter().map(|import| import.last_change).max().unwrap_or(0);
        if last < change {
            return Err(ReassessError::OlderRegistry { run: change, registry: last });
        }
        // What has changed and what it has become are read as of one commit.
        let reading = registry.read()?;
        let view = reading.view();
        let mut changes = vec![];
        for (entity, key) in registry.changed_since(change)? {
            let fields = view.record(entity, &key)?.map(|record| {
                let fields = self.program.entity(entity).fields.iter().copied().zip(record.values);
                fields.filter(|(id, _)| !self.program.is_derived(*id)).collect()
            });
            if fields.is_some() || self.row(entity, &key)?.is_some() {
                changes.push(RecordChange { entity, key, fields });
            }
        }
        Ok(changes)
    }

    /// The row of a record that is there.
    fn row(&mut self, entity: EntityId, key: &str) -> Result<Option<u32>, ReassessError> {
        let row = match self.new_rows.get(&(entity, key.to_owned())) {
            Some(row) => Some(*row),
            None => {
                let key_name = &self.program.column(self.program.entity(entity).key).name;
                self.reassessor.state().stored.snapshot(entity)?.find(key_name, key)?
            }
        };
        Ok(row.filter(|row| !self.removed.contains(&(entity, *row))))
    }

    /// Applies a set of changes and says what follows. After an error nothing of it has been applied.
    ///
    /// # Errors
    /// Changes that only a run can follow, and files that cannot be read.
    pub fn apply(&mut self, changes: &[RecordChange]) -> Result<Reassessed, ReassessError> {
        let mut draft = Draft::default();
        for change in changes {
            self.place(change, &mut draft)?;
        }
        let mut all = vec![];
        for (change, (row, kind)) in changes.iter().zip(draft.places.clone()) {
            let key_column = self.program.entity(change.entity).key;
            let mut fields = change.fields.clone().unwrap_or_default();
            if kind == ChangeKind::Added && !fields.iter().any(|(id, _)| *id == key_column) {
                fields.push((key_column, Some(Value::Text(change.key.clone()))));
            }
            let parents = self.parents(change, (row, kind), &fields, changes, &mut draft)?;
            all.push(forward::Change { entity: change.entity, row, kind, fields, parents });
        }
        for (edge, child, parent) in self.found_again(changes, &draft)? {
            let entity = self.program.edge(edge).child;
            all.push(forward::Change {
                entity,
                row: child,
                kind: ChangeKind::Changed,
                fields: vec![],
                parents: vec![(edge, Some(parent))],
            });
        }
        self.note_removed(changes, &mut draft)?;
        let consequences = self.reassessor.apply(&all)?;
        for (change, (row, kind)) in changes.iter().zip(&draft.places) {
            match kind {
                ChangeKind::Added => {
                    self.new_rows.insert((change.entity, change.key.clone()), *row);
                    self.next_row.insert(change.entity, row + 1);
                    for (on, text) in self.names_of(change) {
                        self.names.insert((on, text), *row);
                    }
                }
                ChangeKind::Removed => {
                    self.removed.insert((change.entity, *row));
                    self.new_rows.remove(&(change.entity, change.key.clone()));
                    let program = self.program;
                    self.names
                        .retain(|(on, _), known| program.column(*on).entity != change.entity || known != row);
                }
                ChangeKind::Changed => {}
            }
        }
        for (edge, text, child) in std::mem::take(&mut draft.waiting) {
            self.waiting.entry((edge, text)).or_default().insert(child);
        }
        self.told(changes, draft, consequences)
    }

    /// The texts by which others may name a new record.
    fn names_of(&self, change: &RecordChange) -> Vec<(ColumnId, String)> {
        let key = self.program.entity(change.entity).key;
        let named: BTreeSet<ColumnId> = self
            .program
            .edges
            .iter()
            .filter(|edge| edge.parent == change.entity)
            .map(|edge| edge.on)
            .collect();
        let text = |on: ColumnId| {
            if on == key {
                return Some(change.key.clone());
            }
            match change.fields.iter().flatten().find(|(id, _)| *id == on) {
                Some((_, Some(Value::Text(text)))) => Some(text.clone()),
                _ => None,
            }
        };
        named.into_iter().filter_map(|on| Some((on, text(on)?))).collect()
    }

    /// Finds the record, or a row for a new one; refuses what cannot be followed.
    fn place(&mut self, change: &RecordChange, draft: &mut Draft) -> Result<(), ReassessError> {
        let program = self.program;
        let names = || (program.entity(change.entity).name.clone(), change.key.clone());
        let found = self.row(change.entity, &change.key)?;
        let derives = self.derived_from.iter().any(|id| program.column(*id).entity == change.entity)
            || program.entity(change.entity).fields.iter().any(|id| program.is_derived(*id));
        let (row, kind) = match (found, &change.fields) {
            (None, None) => {
                let (entity, key) = names();
                return Err(ReassessError::Unknown { entity, key });
            }
            (Some(row), None) => (row, ChangeKind::Removed),
            (Some(row), Some(_)) => (row, ChangeKind::Changed),
            (None, Some(_)) => {
                let known = match draft.next.get(&change.entity).or_else(|| self.next_row.get(&change.entity))
                {
                    Some(row) => *row,
                    None => forward::State::rows(self.reassessor.state(), change.entity)?,
                };
                draft.next.insert(change.entity, known + 1);
                draft.new.insert((change.entity, change.key.clone()), known);
                (known, ChangeKind::Added)
            }
        };
        let key_column = program.entity(change.entity).key;
        let given = change.fields.iter().flatten().find(|(id, _)| *id == key_column);
        if given.is_some_and(|(_, value)| value.as_ref().map(key_text).as_ref() != Some(&change.key)) {
            let (entity, key) = names();
            return Err(ReassessError::Key { entity, key });
        }
        if derives && kind != ChangeKind::Changed {
            let (entity, key) = names();
            return Err(ReassessError::Derived { entity, key });
        }
        for (id, value) in change.fields.iter().flatten().filter(|_| kind == ChangeKind::Changed) {
            let referred = program.edges.iter().any(|edge| edge.on == *id);
            if !referred && !self.derived_from.contains(id) {
                continue;
            }
            if self.reassessor.value(*id, row)? != *value {
                let (entity, key) = names();
                let field = program.column(*id).name.clone();
                return Err(if self.derived_from.contains(id) {
                    ReassessError::Derived { entity, key }
                } else {
                    ReassessError::Referred { entity, key, field }
                });
            }
        }
        draft.places.push((row, kind));
        Ok(())
    }

    /// Whom a record names as its parents now.
    fn parents(
        &mut self,
        change: &RecordChange,
        (row, kind): (u32, ChangeKind),
        fields: &[(ColumnId, Option<Value>)],
        changes: &[RecordChange],
        draft: &mut Draft,
    ) -> Result<Vec<(EdgeId, Option<u32>)>, ReassessError> {
        let program = self.program;
        let mut parents = vec![];
        if kind == ChangeKind::Removed {
            return Ok(parents);
        }
        for (index, edge) in program.edges.iter().enumerate().filter(|(_, edge)| edge.child == change.entity)
        {
            let id = EdgeId(index as u32);
            let given = fields.iter().find(|(field, _)| *field == edge.via);
            let parent = match (given, kind) {
                (Some((_, Some(Value::Text(name)))), _) => {
                    let parent = self.named(edge.parent, edge.on, name, changes, draft)?;
                    if parent.is_none() {
                        draft.waiting.push((id, name.clone(), row));
                    }
                    parent
                }
                (Some(_), _) | (None, ChangeKind::Added) => None,
                (None, _) => continue,
            };
            parents.push((id, parent));
        }
        Ok(parents)
    }

    /// The record that holds a text in a field by which others name it.
    fn named(
        &mut self,
        entity: EntityId,
        on: ColumnId,
        name: &str,
        changes: &[RecordChange],
        draft: &Draft,
    ) -> Result<Option<u32>, ReassessError> {
        let is_key = on == self.program.entity(entity).key;
        let holds = |change: &&RecordChange| {
            change.entity == entity
                && change.fields.as_ref().is_some_and(|fields| {
                    (is_key && change.key == name)
                        || fields.iter().any(|(id, value)| {
                            *id == on && matches!(value, Some(Value::Text(text)) if text == name)
                        })
                })
        };
        let new = changes.iter().find(holds).and_then(|change| draft.new.get(&(entity, change.key.clone())));
        if let Some(row) = new {
            return Ok(Some(*row));
        }
        let going = |row: u32| {
            let mut places = changes.iter().zip(&draft.places);
            places.any(|(change, place)| change.entity == entity && *place == (row, ChangeKind::Removed))
        };
        let found = if is_key {
            self.row(entity, name)?
        } else if let Some(row) = self.names.get(&(on, name.to_owned())) {
            Some(*row)
        } else {
            let field = &self.program.column(on).name;
            let row = self.reassessor.state().stored.snapshot(entity)?.find(field, name)?;
            row.filter(|row| !self.removed.contains(&(entity, *row)))
        };
        Ok(found.filter(|row| !going(*row)))
    }

    /// Records that have named a new record before it was there.
    fn found_again(
        &mut self,
        changes: &[RecordChange],
        draft: &Draft,
    ) -> Result<Vec<(EdgeId, u32, u32)>, ReassessError> {
        let mut found = vec![];
        let added = changes.iter().zip(&draft.places).filter(|(_, (_, kind))| *kind == ChangeKind::Added);
        for (change, (row, _)) in added {
            for (on, text) in self.names_of(change) {
                for index in 0..self.program.edges.len() as u32 {
                    let (id, edge) = (EdgeId(index), self.program.edge(EdgeId(index)));
                    if edge.parent != change.entity || edge.on != on {
                        continue;
                    }
                    let mut waiting: BTreeSet<u32> =
                        self.waiting.get(&(id, text.clone())).cloned().unwrap_or_default();
                    if self.is_incomplete(id)? {
                        let via = &self.program.column(edge.via).name;
                        waiting.extend(
                            self.reassessor.state().stored.snapshot(edge.child)?.find_all(via, &text)?,
                        );
                    }
                    for child in waiting {
                        if self.still_names(edge.child, edge.via, child, &text, changes, draft)? {
                            found.push((id, child, *row));
                        }
                    }
                }
            }
        }
        Ok(found)
    }

    /// Whether some record of the snapshot names another along an edge that is not there.
    fn is_incomplete(&mut self, id: EdgeId) -> Result<bool, ReassessError> {
        if let Some(known) = self.incomplete.get(&id) {
            return Ok(*known);
        }
        let edge = self.program.edge(id);
        let table = self.reassessor.state().stored.snapshot(edge.child)?;
        let named = table.known(&self.program.column(edge.via).name)?;
        let found = table.known(&format!("_{}", edge.name))?;
        let incomplete = named.unwrap_or(0) > found.unwrap_or(0);
        self.incomplete.insert(id, incomplete);
        Ok(incomplete)
    }

    /// Whether a record that these changes do not move or remove names another by a text.
    fn still_names(
        &mut self,
        entity: EntityId,
        via: ColumnId,
        row: u32,
        text: &str,
        changes: &[RecordChange],
        draft: &Draft,
    ) -> Result<bool, ReassessError> {
        let settled = changes.iter().zip(&draft.places).any(|(change, place)| {
            let given = change.fields.as_ref().is_none_or(|fields| fields.iter().any(|(id, _)| *id == via));
            change.entity == entity && place.0 == row && given
        });
        if settled || self.removed.contains(&(entity, row)) {
            return Ok(false);
        }
        Ok(matches!(self.reassessor.value(via, row)?, Some(Value::Text(named)) if named == text))
    }

    /// What is known of records that go: who names them, and what was found about them.
    fn note_removed(&mut self, changes: &[RecordChange], draft: &mut Draft) -> Result<(), ReassessError> {
        let program = self.program;
        let removed = changes.iter().zip(draft.places.clone());
        for (change, (row, _)) in removed.filter(|(_, (_, kind))| *kind == ChangeKind::Removed) {
            for index in 0..program.edges.len() as u32 {
                let edge = program.edge(EdgeId(index));
                if edge.parent != change.entity {
                    continue;
                }
                if let Some(Value::Text(text)) = self.reassessor.value(edge.on, row)? {
                    let children = self.reassessor.children(EdgeId(index), row)?;
                    draft
                        .waiting
                        .extend(children.into_iter().map(|child| (EdgeId(index), text.clone(), child)));
                }
            }
            let rules = program.findings.iter();
            for rule in rules.filter(|rule| program.column(rule.column).entity == change.entity) {
                if self.reassessor.value(rule.column, row)? == Some(Value::Bool(true)) {
                    draft.findings.push(ChangedFinding {
                        entity: change.entity,
                        key: change.key.clone(),
                        code: rule.code.clone(),
                        rule: rule.rule.map(|rule| program.rules[rule.index()].id.clone()),
                        found: false,
                    });
                }
            }
        }
        Ok(())
    }

    /// The consequences, record by record.
    fn told(
        &mut self,
        changes: &[RecordChange],
        draft: Draft,
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
        for (change, (row, kind)) in changes.iter().zip(&draft.places) {
            let record =
                ChangedRecord { entity: change.entity, key: change.key.clone(), kind: *kind, values: vec![] };
            records.insert((change.entity, *row), record);
        }
        let mut findings = draft.findings;
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

/// Where the records of one set of changes are.
#[derive(Default)]
struct Draft {
    places: Vec<(u32, ChangeKind)>,
    new: HashMap<(EntityId, String), u32>,
    next: HashMap<EntityId, u32>,
    /// Records that will name one that is not there.
    waiting: Vec<(EdgeId, String, u32)>,
    /// Findings about records that go.
    findings: Vec<ChangedFinding>,
}

/// A key as the office writes it.
fn key_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Index(value) => value.to_string(),
    }
}

impl Reassessed {
    /// `{"records": [{"entity", "key", "change", "values": {name: [before, after]}}], "totals": {id: [before,
    /// after]}, "unknown": {id: [before, after]}, "findings": [{"entity", "key", "code", "rule", "found"}]}`, on one line.
    pub fn to_json(&self, program: &Program) -> String {
        let mut text = String::from("{\"records\":[");
        for (place, record) in self.records.iter().enumerate() {
            let change = match record.kind {
                ChangeKind::Added => "added",
                ChangeKind::Changed => "changed",
                ChangeKind::Removed => "removed",
            };
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

/// Rows of a piece of a column that is read at once.
const PIECE_ROWS: usize = 4_096;

/// What a column of a file is to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Column(ColumnId),
    Edge(EdgeId),
}

/// The files of a run and its snapshot, what has been read of them kept.
struct RunState<'a> {
    stored: Stored<'a>,
    /// By column and number of the piece.
    pieces: HashMap<(Place, usize), ArrayRef>,
    is_stored: HashMap<ColumnId, bool>,
}

impl<'a> RunState<'a> {
    fn new(stored: Stored<'a>) -> Self {
        Self { stored, pieces: HashMap::new(), is_stored: HashMap::new() }
    }

    fn cell(&mut self, place: Place, row: u32) -> Result<Option<Value>, TableError> {
        let program = self.stored.program();
        let row = row as usize;
        let (entity, name, result) = match place {
            Place::Column(id) => {
                let column = program.column(id);
                (column.entity, column.name.clone(), !matches!(column.kind, ColumnKind::Field(_)))
            }
            Place::Edge(id) => (program.edge(id).child, format!("_{}", program.edge(id).name), false),
        };
        let piece = row / PIECE_ROWS;
        let start = piece * PIECE_ROWS;
        if let Some(array) = self.pieces.get(&(place, piece)) {
            return Ok(if row - start < array.len() { cell(array, row - start) } else { None });
        }
        let table = if result {
            let Some(table) = self.stored.result(entity)? else { return Ok(None) };
            table
        } else {
            self.stored.snapshot(entity)?
        };
        let rows = table.rows();
        if row >= rows || !table.has(&name) {
            return Ok(None);
        }
        let array = table.range(&name, start, rows.min(start + PIECE_ROWS))?;
        let value = cell(&array, row - start);
        self.pieces.insert((place, piece), array);
        Ok(value)
    }
}

impl Records for RunState<'_> {
    type Error = TableError;

    fn parents(&mut self, edge: EdgeId, children: &[u32]) -> Result<Vec<Option<u32>>, TableError> {
        let mut parents = vec![];
        for child in children {
            parents.push(match self.cell(Place::Edge(edge), *child)? {
                Some(Value::Number(row)) => u32::try_from(row).ok(),
                _ => None,
            });
        }
        Ok(parents)
    }

    fn children(&mut self, edge: EdgeId, parents: &[u32]) -> Result<Vec<(u32, u32)>, TableError> {
        self.stored.children(edge, parents)
    }

    fn stored(&mut self, column: ColumnId) -> Result<bool, TableError> {
        if let Some(known) = self.is_stored.get(&column) {
            return Ok(*known);
        }
        let stored = self.stored.stored(column)?;
        self.is_stored.insert(column, stored);
        Ok(stored)
    }
}

impl forward::State for RunState<'_> {
    fn value(&mut self, column: ColumnId, row: u32) -> Result<Option<Value>, TableError> {
        let value = self.cell(Place::Column(column), row)?;
        let declared = self.stored.program().column(column);
        // A run takes a recorded number beyond its range for unknown.
        let beyond = match (&value, &declared.kind, declared.range) {
            (Some(Value::Number(number)), ColumnKind::Field(_), Some(range)) => {
                *number < range.min || *number > range.max
            }
            _ => false,
        };
        Ok(value.filter(|_| !beyond))
    }

    fn rows(&mut self, entity: EntityId) -> Result<u32, TableError> {
        Ok(self.stored.snapshot(entity)?.rows() as u32)
    }
}
