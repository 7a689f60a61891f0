//! What a run knows, and what it does with one part.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::{cast, concat, concat_batches};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use pack::program::{ColumnId, EdgeId, EntityId, Program};

use super::group::GroupResult;
use super::options::{Progress, RunOptions};
use super::output::GroupWriter;
use super::parts::Layout;
use super::peopled::Peopled;
use super::phases::{Phase, Phases};
use super::rounds::Rounds;
use super::snapshot::Snapshot;
use super::split::{Split, kept};
use super::totals::Totals;
use crate::EngineError;
use crate::aligned::AlignedPlan;
use crate::desugar::{Flat, Form, edge_column};
use crate::findings::{Finding, collect};
use crate::load::{Missing, Wanted, load};
use crate::stages::Stage;
use crate::table::{ROW_TYPE, Table, Tables, data_type};
use crate::timings::Timings;

/// The results of one entity.
pub(crate) struct Output {
    pub entity: EntityId,
    /// Edges under whose names the parents' keys are given.
    pub parents: Vec<EdgeId>,
    /// `_row`, the key, the parents' keys, and the results in order of computation.
    pub schema: SchemaRef,
    /// Of what the parts make of a split entity.
    pub early: SchemaRef,
    /// Of what is made after the parts of a split entity; empty if nothing is.
    pub late: SchemaRef,
}

/// Everything that is fixed before the first part.
pub(crate) struct Work<'a> {
    pub program: &'a Program,
    pub flat: &'a Flat<'a>,
    pub layout: &'a Layout,
    pub phases: &'a Phases,
    pub snapshot: &'a Snapshot,
    pub peopled: Peopled,
    pub outputs: Vec<Output>,
    before: AlignedPlan,
    part: AlignedPlan,
    after: AlignedPlan,
    /// Entities that are not split, with what is computed before the parts.
    pub whole: Tables,
    /// Keys of split entities to which edges lead from elsewhere.
    pub crossed: Tables,
    /// Whether the records' keys are read: what is not written needs none.
    pub keys: bool,
    /// How a group is worked on block by block, if it is.
    rounds: Option<&'a Rounds>,
    /// Where columns of blocks wait.
    pub spill_dir: PathBuf,
    pub timings: Timings,
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
    /// Parts computed so far.
    pub done: AtomicUsize,
}

impl<'a> Work<'a> {
    pub fn new(
        flat: &'a Flat<'a>,
        split: &'a Split,
        snapshot: &'a Snapshot,
        stored: &BTreeSet<ColumnId>,
        options: &RunOptions,
    ) -> Result<Self, EngineError> {
        let Split { layout, phases, rounds, .. } = split;
        let program = flat.program;
        let outputs = outputs(flat, layout, phases, stored);
        let none = || Tables(vec![None; program.entities.len()]);
        let kept = kept(flat, phases, stored);
        let steps = |stages: &'a [Stage], kept: &BTreeSet<ColumnId>| AlignedPlan::new(flat, stages, kept);
        Ok(Self {
            program,
            flat,
            layout,
            phases,
            snapshot,
            peopled: Peopled::new(program, snapshot)?,
            outputs,
            before: steps(&phases.before, &kept),
            // Blocks are worked on in steps of their own.
            part: steps(if rounds.is_some() { &[] } else { &phases.part }, &kept),
            after: steps(&phases.after, &kept),
            whole: none(),
            crossed: none(),
            keys: options.out.is_some(),
            rounds: rounds.as_ref(),
            spill_dir: spill_dir(options),
            timings: options.timings.clone(),
            progress: Arc::clone(&options.progress),
            done: AtomicUsize::new(0),
        })
    }

    /// Loads the entities that are not split, and computes what the parts may need of them.
    pub fn prepare(&mut self, totals: &mut Totals, findings: &mut Vec<Finding>) -> Result<(), EngineError> {
        for entity in self.entities(false) {
            let rows = 0..self.snapshot.rows(entity);
            let needed = self.flat.columns.keys().copied();
            self.whole.0[entity.index()] = Some(self.load(entity, needed, rows, findings)?);
        }
        let edges = (0..self.program.edges.len() as u32).map(EdgeId);
        let away: Vec<EdgeId> = edges.filter(|edge| self.leads_away(*edge)).collect();
        for edge in away {
            let parent = self.program.edges[edge.index()].parent;
            let rows = 0..self.snapshot.rows(parent);
            self.crossed.0[parent.index()] = Some(self.load(parent, [], rows, &mut vec![])?);
        }
        self.before.evaluate(self.program, &mut self.whole, &self.timings)?;
        let owns = |entity: EntityId| !self.layout.is_split(entity);
        let made = |id: ColumnId| self.phases.of(id) == Phase::Before;
        totals.add_tables(self.program, &self.peopled, &self.whole, &owns, &made);
        collect(self.program, &self.whole, &made, findings);
        Ok(())
    }

    pub fn entities(&self, split: bool) -> Vec<EntityId> {
        let all = (0..self.program.entities.len() as u32).map(EntityId);
        all.filter(|entity| self.layout.is_split(*entity) == split).collect()
    }

    pub fn key(&self, entity: EntityId) -> ColumnId {
        self.program.entities[entity.index()].key
    }

    pub fn load(
        &self,
        entity: EntityId,
        needed: impl IntoIterator<Item = ColumnId>,
        rows: Range<usize>,
        findings: &mut Vec<Finding>,
    ) -> Result<Table, EngineError> {
        let mut wanted = Wanted::new(self.program, entity, needed);
        if !self.keys {
            let key = self.key(entity);
            wanted.fields.retain(|id| *id != key || self.flat.columns.contains_key(id));
        }
        self.load_fields(&wanted, rows, findings)
    }

    pub fn load_fields(
        &self,
        wanted: &Wanted,
        rows: Range<usize>,
        findings: &mut Vec<Finding>,
    ) -> Result<Table, EngineError> {
        let since = Instant::now();
        let start = rows.start as i32;
        let count = rows.len();
        let batch = self.snapshot.read(self.program, wanted, rows)?;
        let table = load(self.program, wanted, &batch, start, Missing::Refuse, findings)?;
        let label = format!("read {}", self.program.entities[wanted.entity.index()].name);
        self.timings.add(&label, since, count, batch.get_array_memory_size());
        Ok(table)
    }

    /// Whether an edge can lead to a split entity's row that is not at hand where the child's is.
    pub fn leads_away(&self, edge: EdgeId) -> bool {
        let declared = &self.program.edges[edge.index()];
        let away = !self.layout.is_split(declared.child) && self.layout.is_split(declared.parent);
        away || self.phases.crossing.contains(&edge)
    }

    /// Loads and computes the parts of a group, one after the other.
    pub fn group(&self, group: usize) -> Result<GroupResult, EngineError> {
        if let Some(rounds) = self.rounds {
            return self.group_in_blocks(rounds, group);
        }
        let mut writers = BTreeMap::new();
        let mut small: BTreeMap<EntityId, Vec<RecordBatch>> = BTreeMap::new();
        for output in self.outputs.iter().filter(|output| self.keys && self.layout.is_split(output.entity)) {
            if self.layout.is_small(output.entity, self.snapshot) {
                small.insert(output.entity, vec![]);
            } else {
                writers.insert(output.entity, GroupWriter::new(Arc::clone(&output.early))?);
            }
        }
        let mut findings = vec![];
        let mut totals = Totals::new(self.program)?;
        let mut handed_over: BTreeMap<ColumnId, Vec<ArrayRef>> = BTreeMap::new();
        for part in self.layout.groups[group].clone() {
            let tables = self.part(part, &mut totals, &mut findings)?;
            let since = Instant::now();
            for output in &self.outputs {
                if let Some(writer) = writers.get_mut(&output.entity) {
                    writer.write(self.batch(output, &output.early, &tables, &|_| None)?)?;
                } else if let Some(batches) = small.get_mut(&output.entity) {
                    batches.push(self.batch(output, &output.early, &tables, &|_| None)?);
                }
            }
            self.timings.add("encode", since, 0, 0);
            for (id, array) in self.handed_over(&tables) {
                handed_over.entry(id).or_default().push(array);
            }
            let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
            (self.progress)(Progress::Parts { done, parts: self.layout.parts });
        }
        let since = Instant::now();
        let mut files: BTreeMap<EntityId, Vec<bytes::Bytes>> = BTreeMap::new();
        for (entity, writer) in writers {
            files.insert(entity, vec![writer.finish()?.into()]);
        }
        self.timings.add("encode", since, 0, files.values().flatten().map(bytes::Bytes::len).sum());
        let batches = small.into_iter().filter_map(|(entity, batches)| {
            let schema = batches.first()?.schema();
            Some(concat_batches(&schema, &batches).map(|batch| (entity, batch)))
        });
        let batches = batches.collect::<Result<_, _>>()?;
        let joined = handed_over.into_iter().map(|(id, arrays)| Ok((id, joined(&arrays)?)));
        let handed_over = joined.collect::<Result<_, EngineError>>()?;
        Ok(GroupResult { files, batches, handed_over, findings, totals })
    }

    /// Loads and computes one part.
    fn part(
        &self,
        part: usize,
        totals: &mut Totals,
        findings: &mut Vec<Finding>,
    ) -> Result<Tables, EngineError> {
        let mut tables = self.whole.clone();
        for entity in self.entities(true) {
            let rows = self.layout.rows(entity, part);
            let needed = self.flat.columns.keys().copied();
            tables.0[entity.index()] = Some(self.load(entity, needed, rows, findings)?);
        }
        self.part.evaluate(self.program, &mut tables, &self.timings)?;
        let owns = |entity: EntityId| self.layout.is_split(entity);
        let made = |id: ColumnId| self.phases.of(id) == Phase::Part;
        totals.add_tables(self.program, &self.peopled, &tables, &owns, &made);
        collect(self.program, &tables, &made, findings);
        Ok(tables)
    }

    fn handed_over(&self, tables: &Tables) -> BTreeMap<ColumnId, ArrayRef> {
        let computed = self.phases.handed_over.iter().filter_map(|id| {
            let column = &self.flat.columns[id];
            let table = tables.get(column.entity).filter(|_| !matches!(column.form, Form::Field));
            table.and_then(|table| table.columns.get(&column.name)).map(|array| (*id, Arc::clone(array)))
        });
        computed.collect()
    }

    /// The tables of the last phase, computed: the whole entities, and the split ones that it works on.
    pub fn finish(
        &self,
        handed_over: BTreeMap<ColumnId, Vec<ArrayRef>>,
        totals: &mut Totals,
        findings: &mut Vec<Finding>,
    ) -> Result<Tables, EngineError> {
        let mut tables = self.whole.clone();
        for entity in self.phases.after_entities(self.program) {
            if self.layout.is_split(entity) {
                let fields = self.phases.handed_over.iter().copied();
                let rows = 0..self.snapshot.rows(entity);
                tables.0[entity.index()] = Some(self.load(entity, fields, rows, &mut vec![])?);
            }
        }
        for (id, arrays) in handed_over {
            let column = &self.flat.columns[&id];
            if let Some(table) = &mut tables.0[column.entity.index()] {
                table.columns.insert(column.name.clone(), joined(&arrays)?);
            }
        }
        self.after.evaluate(self.program, &mut tables, &self.timings)?;
        let made = |id: ColumnId| self.phases.of(id) == Phase::After;
        totals.add_tables(self.program, &self.peopled, &tables, &|_| false, &made);
        collect(self.program, &tables, &made, findings);
        Ok(tables)
    }

    /// Columns of an entity's results, of a schema made from its own; what is still missing is NULL. `keys` has the
    /// parents along edges that lead out of the tables.
    pub fn batch<'t>(
        &'t self,
        output: &Output,
        schema: &SchemaRef,
        tables: &'t Tables,
        keys: &dyn Fn(EdgeId) -> Option<&'t Table>,
    ) -> Result<RecordBatch, EngineError> {
        let Some(table) = tables.get(output.entity) else {
            return Ok(RecordBatch::new_empty(Arc::clone(schema)));
        };
        let edge = |name: &str| {
            let edges = output.parents.iter();
            edges.copied().find(|edge| self.program.edges[edge.index()].name == name)
        };
        let arrays = schema.fields().iter().map(|field| match edge(field.name()) {
            Some(edge) => self.parent_keys(edge, table, tables, keys(edge)),
            None => Ok(match table.columns.get(field.name()) {
                Some(array) => Arc::clone(array),
                None => new_null_array(field.data_type(), table.rows),
            }),
        });
        Ok(RecordBatch::try_new(Arc::clone(schema), arrays.collect::<Result<_, _>>()?)?)
    }

    /// The keys of the parents along an edge, as text.
    fn parent_keys(
        &self,
        edge: EdgeId,
        table: &Table,
        tables: &Tables,
        keys: Option<&Table>,
    ) -> Result<ArrayRef, EngineError> {
        let declared = &self.program.edges[edge.index()];
        let parents = if self.leads_away(edge) {
            self.crossed.get(declared.parent)
        } else {
            keys.or_else(|| tables.get(declared.parent))
        };
        let key = self.program.entities[declared.parent.index()].key;
        let keys = parents.and_then(|parents| parents.columns.get(&self.program.columns[key.index()].name));
        match (parents, keys) {
            (Some(parents), Some(keys)) => {
                let keys = cast(keys, &DataType::Utf8)?;
                table.along(&edge_column(self.program, edge), parents, &keys)
            }
            _ => Ok(new_null_array(&DataType::Utf8, table.rows)),
        }
    }
}

/// Beside the results, or with other temporary files where there is no such place: on another machine, say.
fn spill_dir(options: &RunOptions) -> PathBuf {
    let beside = options.out.as_deref().and_then(Path::parent);
    let beside = beside.map(|dir| if dir == Path::new("") { Path::new(".") } else { dir });
    beside.filter(|dir| dir.is_dir()).map_or_else(std::env::temp_dir, Path::to_owned)
}

fn outputs(flat: &Flat<'_>, layout: &Layout, phases: &Phases, stored: &BTreeSet<ColumnId>) -> Vec<Output> {
    let program = flat.program;
    let mut outputs = vec![];
    for index in 0..program.entities.len() as u32 {
        let entity = EntityId(index);
        let own = |id: &&ColumnId| stored.contains(id) && flat.columns[*id].entity == entity;
        let columns: Vec<ColumnId> = flat.order.iter().filter(own).copied().collect();
        if columns.is_empty() {
            continue;
        }
        let key = &program.columns[program.entities[entity.index()].key.index()];
        let key_kind = crate::scalar::Kind::of(&key.ty, key.range);
        let mut fields =
            vec![Field::new("_row", ROW_TYPE, false), Field::new(&key.name, data_type(key_kind), true)];
        let taken = |name: &str| name == key.name || columns.iter().any(|id| flat.columns[id].name == name);
        let edges = (0..program.edges.len() as u32).map(EdgeId);
        let parents: Vec<EdgeId> = edges
            .filter(|edge| {
                let edge = &program.edges[edge.index()];
                edge.child == entity && !taken(&edge.name)
            })
            .collect();
        let parent_fields = parents.iter().map(|edge| &program.edges[edge.index()].name);
        fields.extend(parent_fields.map(|name| Field::new(name, DataType::Utf8, true)));
        let computed = columns.iter().map(|id| &flat.columns[id]);
        fields.extend(computed.map(|column| Field::new(&column.name, data_type(column.kind), true)));
        let late = |field: &Field| {
            let made = columns.iter().filter(|id| phases.of(**id) == Phase::After);
            layout.is_split(entity) && made.into_iter().any(|id| flat.columns[id].name == *field.name())
        };
        let (late, early): (Vec<_>, Vec<_>) = fields.iter().cloned().partition(late);
        let schema = |fields: Vec<Field>| Arc::new(Schema::new(fields));
        outputs.push(Output {
            entity,
            parents,
            schema: schema(fields),
            early: schema(early),
            late: schema(late),
        });
    }
    outputs
}

pub(super) fn joined(arrays: &[ArrayRef]) -> Result<ArrayRef, EngineError> {
    match arrays {
        [array] => Ok(Arc::clone(array)),
        _ => Ok(concat(&arrays.iter().map(AsRef::as_ref).collect::<Vec<_>>())?),
    }
}
