//! Works on one group in steps, in turn over all of it and over each of its blocks (see [`super::rounds`]).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Schema, SchemaRef};
use bytes::Bytes;
use pack::program::{ColumnId, EdgeId, EntityId};

use super::group::GroupResult;
use super::output::{GroupWriter, encode};
use super::parts::SMALL_ROWS;
use super::rounds::{Reads, Rounds, Step};
use super::spill::{Spill, Spilled};
use super::totals::Totals;
use super::work::{Output, Work, joined};
use super::{Progress, merged};
use crate::EngineError;
use crate::desugar::Form;
use crate::findings::{Finding, collect, text_at};
use crate::load::Wanted;
use crate::table::{Table, Tables};
use evaluate::needs::totalled;

/// A group in work.
struct InBlocks<'w> {
    work: &'w Work<'w>,
    rounds: &'w Rounds,
    group: usize,
    /// Entities that are not in blocks, and of the others what steps over the group read and make.
    tables: Tables,
    /// Keys of entities in blocks, for references from elsewhere.
    keys: Tables,
    spill: Spill,
    /// By block and entity: what a step over the blocks will read.
    spilled: BTreeMap<(usize, EntityId), Vec<Spilled>>,
    /// Columns of entities in blocks that a step over the group will read, block by block.
    waiting: BTreeMap<ColumnId, Vec<Waiting>>,
    /// Fields that have been read: what is wrong with them is found once.
    read: BTreeSet<ColumnId>,
    batches: BTreeMap<EntityId, Vec<RecordBatch>>,
    handed_over: BTreeMap<ColumnId, Vec<ArrayRef>>,
    files: BTreeMap<EntityId, Vec<Bytes>>,
    findings: Vec<Finding>,
    totals: Totals,
}

/// A piece of a column that waits.
enum Waiting {
    Held(ArrayRef),
    Spilled(Spilled),
}

/// What becomes of an entity's results in a step.
enum Sink {
    Encoded(Box<GroupWriter>),
    Collected(Vec<RecordBatch>),
}

impl Work<'_> {
    /// Loads and computes a group block by block.
    pub(super) fn group_in_blocks(&self, rounds: &Rounds, group: usize) -> Result<GroupResult, EngineError> {
        let mut run = InBlocks {
            work: self,
            rounds,
            group,
            tables: self.whole.clone(),
            keys: Tables(vec![None; self.program.entities.len()]),
            spill: Spill::new(&self.spill_dir)?,
            spilled: BTreeMap::new(),
            waiting: BTreeMap::new(),
            read: BTreeSet::new(),
            batches: BTreeMap::new(),
            handed_over: BTreeMap::new(),
            files: BTreeMap::new(),
            findings: vec![],
            totals: Totals::new(self.program)?,
        };
        run.start()?;
        for step in &rounds.steps {
            if step.in_blocks { run.blocks(step)? } else { run.together(step)? }
        }
        let result = run.finish()?;
        let parts = self.layout.groups[group].len();
        let done = self.done.fetch_add(parts, Ordering::Relaxed) + parts;
        (self.progress)(Progress::Parts { done, parts: self.layout.parts });
        Ok(result)
    }
}

fn is_field(work: &Work<'_>, id: ColumnId) -> bool {
    work.flat.columns.get(&id).is_some_and(|column| matches!(column.form, Form::Field))
}

impl<'w> InBlocks<'w> {
    fn rows(&self, entity: EntityId) -> Range<usize> {
        self.work.layout.group_rows(entity, self.group)
    }

    fn name(&self, id: ColumnId) -> &'w str {
        &self.work.program.columns[id.index()].name
    }

    /// Loads what is not in blocks, and counts rows.
    fn start(&mut self) -> Result<(), EngineError> {
        let work = self.work;
        for entity in work.entities(true) {
            let rows = self.rows(entity);
            let table = if self.rounds.blocks.is_split(entity) {
                Table::new(rows.start as i32, rows.len())
            } else {
                work.load(entity, work.flat.columns.keys().copied(), rows, &mut self.findings)?
            };
            self.tables.0[entity.index()] = Some(table);
        }
        for entity in self.named_from_elsewhere() {
            self.keys.0[entity.index()] = Some(work.load_fields(
                &Wanted { entity, fields: vec![work.key(entity)], edges: vec![] },
                self.rows(entity),
                &mut vec![],
            )?);
        }
        let owns = |entity: EntityId| work.layout.is_split(entity);
        let read = |id: ColumnId| is_field(work, id) && owns(work.program.columns[id.index()].entity);
        self.totals.add_tables(work.program, &work.peopled, &self.tables, &owns, &read);
        Ok(())
    }

    /// Whether the parent along an edge may be in another block, or is named from outside of them.
    fn leaves_block(&self, edge: EdgeId) -> bool {
        let declared = &self.work.program.edges[edge.index()];
        let blocks = &self.rounds.blocks;
        blocks.is_split(declared.parent)
            && (!blocks.is_split(declared.child) || self.rounds.crossing.contains(&edge))
    }

    fn named_from_elsewhere(&self) -> BTreeSet<EntityId> {
        let outputs = self.work.outputs.iter().filter(|output| self.is_written(output));
        let edges = outputs.flat_map(|output| output.parents.iter().copied());
        let leaving = edges.filter(|edge| self.leaves_block(*edge) && !self.work.leads_away(*edge));
        leaving.map(|edge| self.work.program.edges[edge.index()].parent).collect()
    }

    fn is_written(&self, output: &Output) -> bool {
        self.work.keys && self.work.layout.is_split(output.entity)
    }

    /// Reads fields and edges of an entity; a finding about a field is made the first time that it is read.
    fn load(&mut self, wanted: &Wanted, rows: Range<usize>) -> Result<Table, EngineError> {
        let mut found = vec![];
        let table = self.work.load_fields(wanted, rows.clone(), &mut found)?;
        let program = self.work.program;
        let new = |finding: &Finding| {
            let of = program.entities[finding.entity.index()].fields.iter();
            of.copied().any(|id| self.name(id) == finding.column && !self.read.contains(&id))
        };
        found.retain(new);
        let key = self.work.key(wanted.entity);
        if !found.is_empty() && self.work.keys && !wanted.fields.contains(&key) {
            let keys = Wanted { entity: wanted.entity, fields: vec![key], edges: vec![] };
            let keys = self.work.load_fields(&keys, rows, &mut vec![])?;
            for finding in &mut found {
                let row = (finding.row - keys.start) as usize;
                finding.key =
                    keys.columns.get(self.name(key)).map(|keys| text_at(keys, row)).unwrap_or_default();
            }
        }
        self.findings.extend(found);
        Ok(table)
    }

    fn wanted(&self, entity: EntityId, step: &Step, base: bool) -> Wanted {
        let nothing = Reads::default();
        let reads = step.reads.get(&entity).unwrap_or(&nothing);
        let mut fields = reads.fields.clone();
        let mut edges = reads.edges.clone();
        let work = self.work;
        let makes = step.made.iter().any(|id| work.program.columns[id.index()].entity == entity);
        if work.keys && (base || makes) {
            fields.insert(work.key(entity));
        }
        if base {
            // Totals may add up what is recorded.
            let of = |id: &ColumnId| work.program.columns[id.index()].entity == entity && is_field(work, *id);
            fields.extend(totalled(work.program).into_iter().filter(of));
        }
        let output = work.outputs.iter().find(|output| base && work.keys && output.entity == entity);
        edges.extend(output.into_iter().flat_map(|output| &output.parents));
        Wanted { entity, fields: fields.into_iter().collect(), edges: edges.into_iter().collect() }
    }

    fn in_blocks(&self) -> Vec<EntityId> {
        let split = self.work.entities(true).into_iter();
        split.filter(|entity| self.rounds.blocks.is_split(*entity)).collect()
    }

    /// A step over the whole group.
    fn together(&mut self, step: &Step) -> Result<(), EngineError> {
        let work = self.work;
        for entity in self.in_blocks() {
            let wanted = self.wanted(entity, step, false);
            let mut columns = BTreeMap::new();
            if !(wanted.fields.is_empty() && wanted.edges.is_empty()) {
                columns.extend(self.load(&wanted, self.rows(entity))?.columns);
                self.read.extend(&wanted.fields);
            }
            for id in step.reads.get(&entity).into_iter().flat_map(|reads| &reads.computed) {
                let pieces = self.waiting.get(id).into_iter().flatten();
                let pieces = pieces.map(|piece| match piece {
                    Waiting::Held(array) => Ok(Arc::clone(array)),
                    Waiting::Spilled(spilled) => {
                        Ok(Arc::clone(self.spill.get(spilled, &|_| true)?.column(0)))
                    }
                });
                let pieces = pieces.collect::<Result<Vec<_>, EngineError>>()?;
                columns.insert(self.name(*id).to_owned(), joined(&pieces)?);
            }
            if let Some(table) = &mut self.tables.0[entity.index()] {
                table.columns.extend(columns);
            }
        }
        step.plan.evaluate(work.program, &mut self.tables, &work.timings)?;
        let made = |id: ColumnId| step.made.contains(&id);
        self.totals.add_tables(work.program, &work.peopled, &self.tables, &|_| false, &made);
        collect(work.program, &self.tables, &made, &mut self.findings);
        let since = Instant::now();
        for output in work.outputs.iter().filter(|output| self.rounds.blocks.is_split(output.entity)) {
            if let Some(schema) = self.made_in(output, step, false).filter(|_| self.is_written(output)) {
                let batch = work.batch(output, &schema, &self.tables, &|_| None)?;
                if work.layout.is_small(output.entity, work.snapshot) {
                    self.batches.entry(output.entity).or_default().push(batch);
                } else {
                    self.files.entry(output.entity).or_default().push(encode(batch)?.into());
                }
            }
        }
        work.timings.add("encode", since, 0, 0);
        self.keep_together(step)
    }

    /// Puts aside what is read later. Nothing of the entities in blocks stays in the tables of the group.
    fn keep_together(&mut self, step: &Step) -> Result<(), EngineError> {
        let work = self.work;
        for id in &step.made {
            let entity = work.program.columns[id.index()].entity;
            let table = self.tables.get(entity);
            let Some(array) = table.and_then(|table| table.columns.get(self.name(*id))).cloned() else {
                continue;
            };
            if step.for_blocks.contains(id) {
                let first = self.rows(entity).start;
                for block in self.rounds.blocks.groups[self.group].clone() {
                    let rows = self.rounds.blocks.rows(entity, block);
                    let piece = array.slice(rows.start - first, rows.len());
                    self.spill(block, entity, vec![(self.name(*id).to_owned(), piece)])?;
                }
            }
            if step.for_group.contains(id) {
                self.waiting.insert(*id, vec![Waiting::Held(Arc::clone(&array))]);
            }
            if work.phases.handed_over.contains(id) {
                self.handed_over.insert(*id, vec![array]);
            }
        }
        for entity in self.in_blocks() {
            if let Some(table) = &mut self.tables.0[entity.index()] {
                table.columns.retain(|name, _| name == "_row");
            }
        }
        Ok(())
    }

    fn spill(
        &mut self,
        block: usize,
        entity: EntityId,
        columns: Vec<(String, ArrayRef)>,
    ) -> Result<(), EngineError> {
        let columns = columns.into_iter().map(|(name, array)| (name, array, true));
        let spilled = self.spill.put(&RecordBatch::try_from_iter_with_nullable(columns)?)?;
        self.spilled.entry((block, entity)).or_default().push(spilled);
        Ok(())
    }

    /// A step over each block.
    fn blocks(&mut self, step: &Step) -> Result<(), EngineError> {
        let work = self.work;
        let base = step.is_first;
        let mut sinks = BTreeMap::new();
        for (number, output) in work.outputs.iter().enumerate() {
            if !self.is_written(output) || !self.rounds.blocks.is_split(output.entity) {
                continue;
            }
            if let Some(schema) = self.made_in(output, step, base) {
                let sink = if work.layout.is_small(output.entity, work.snapshot) {
                    Sink::Collected(vec![])
                } else {
                    Sink::Encoded(Box::new(GroupWriter::new(Arc::clone(&schema))?))
                };
                sinks.insert(number, (schema, sink));
            }
        }
        for block in self.rounds.blocks.groups[self.group].clone() {
            let tables = self.block(step, block)?;
            let since = Instant::now();
            for (number, (schema, sink)) in &mut sinks {
                let keys = |edge: EdgeId| {
                    let parent = work.program.edges[edge.index()].parent;
                    if self.leaves_block(edge) { self.keys.get(parent) } else { None }
                };
                let batch = work.batch(&work.outputs[*number], schema, &tables, &keys)?;
                match sink {
                    Sink::Encoded(writer) => writer.write(batch)?,
                    Sink::Collected(batches) => batches.push(batch),
                }
            }
            work.timings.add("encode", since, 0, 0);
            self.keep(step, block, &tables)?;
        }
        for entity in self.in_blocks() {
            self.read.extend(self.wanted(entity, step, base).fields);
        }
        let since = Instant::now();
        let mut bytes = 0;
        for (number, (schema, sink)) in sinks {
            let entity = work.outputs[number].entity;
            match sink {
                Sink::Encoded(writer) => {
                    let file = writer.finish()?;
                    bytes += file.len();
                    self.files.entry(entity).or_default().push(file.into());
                }
                Sink::Collected(batches) => {
                    self.batches.entry(entity).or_default().push(concat_batches(&schema, &batches)?);
                }
            }
        }
        work.timings.add("encode", since, 0, bytes);
        Ok(())
    }

    /// One block, computed as far as the step goes.
    fn block(&mut self, step: &Step, block: usize) -> Result<Tables, EngineError> {
        let work = self.work;
        let mut tables = self.tables.clone();
        for entity in self.in_blocks() {
            let rows = self.rounds.blocks.rows(entity, block);
            let wanted = self.wanted(entity, step, step.is_first);
            let mut table = if wanted.fields.is_empty() && wanted.edges.is_empty() {
                Table::new(rows.start as i32, rows.len())
            } else {
                self.load(&wanted, rows.clone())?
            };
            let computed = step.reads.get(&entity).map(|reads| &reads.computed);
            let wanted: BTreeSet<&str> = computed.into_iter().flatten().map(|id| self.name(*id)).collect();
            for spilled in self.spilled.get(&(block, entity)).into_iter().flatten() {
                if wanted.iter().any(|name| spilled.has(name)) {
                    let batch = self.spill.get(spilled, &|name| wanted.contains(name))?;
                    let fields = batch.schema();
                    let columns = fields.fields().iter().zip(batch.columns());
                    table
                        .columns
                        .extend(columns.map(|(field, array)| (field.name().clone(), Arc::clone(array))));
                }
            }
            tables.0[entity.index()] = Some(table);
        }
        step.plan.evaluate(work.program, &mut tables, &work.timings)?;
        let rounds = self.rounds;
        let recorded = |id: ColumnId| {
            let entity = work.program.columns[id.index()].entity;
            rounds.blocks.is_split(entity) && is_field(work, id)
        };
        let made = |id: ColumnId| step.made.contains(&id) || (step.is_first && recorded(id));
        self.totals.add_tables(work.program, &work.peopled, &tables, &|_| false, &made);
        collect(work.program, &tables, &made, &mut self.findings);
        Ok(tables)
    }

    /// Puts aside what is read later.
    fn keep(&mut self, step: &Step, block: usize, tables: &Tables) -> Result<(), EngineError> {
        let work = self.work;
        let since = Instant::now();
        let mut spilled: BTreeMap<EntityId, Vec<(String, ArrayRef)>> = BTreeMap::new();
        for id in &step.made {
            let entity = work.program.columns[id.index()].entity;
            let table = tables.get(entity);
            let Some(array) = table.and_then(|table| table.columns.get(self.name(*id))).cloned() else {
                continue;
            };
            if step.for_blocks.contains(id) {
                spilled.entry(entity).or_default().push((self.name(*id).to_owned(), Arc::clone(&array)));
            }
            if step.for_group.contains(id) {
                let piece = if self.rows(entity).len() > SMALL_ROWS {
                    let column = [(self.name(*id), Arc::clone(&array), true)];
                    Waiting::Spilled(self.spill.put(&RecordBatch::try_from_iter_with_nullable(column)?)?)
                } else {
                    Waiting::Held(Arc::clone(&array))
                };
                self.waiting.entry(*id).or_default().push(piece);
            }
            if work.phases.handed_over.contains(id) {
                self.handed_over.entry(*id).or_default().push(array);
            }
        }
        for (entity, columns) in spilled {
            self.spill(block, entity, columns)?;
        }
        work.timings.add("spill", since, 0, 0);
        Ok(())
    }

    /// The columns of an entity's results that a step makes; the first step over blocks gives the names of the
    /// records too.
    fn made_in(&self, output: &Output, step: &Step, base: bool) -> Option<SchemaRef> {
        let program = self.work.program;
        let made = step.made.iter().filter(|id| program.columns[id.index()].entity == output.entity);
        let made: BTreeSet<&str> = made.map(|id| self.name(*id)).collect();
        let first = 2 + output.parents.len();
        let fields = output.early.fields().iter().enumerate();
        let fields = fields.filter(
            |(place, field)| if *place < first { base } else { made.contains(field.name().as_str()) },
        );
        let fields: Vec<Arc<Field>> = fields.map(|(_, field)| Arc::clone(field)).collect();
        (!fields.is_empty()).then(|| Arc::new(Schema::new(fields)))
    }

    fn finish(mut self) -> Result<GroupResult, EngineError> {
        let work = self.work;
        let since = Instant::now();
        let mut results = BTreeMap::new();
        let outputs: Vec<&Output> = work.outputs.iter().filter(|output| self.is_written(output)).collect();
        for output in outputs {
            let entity = output.entity;
            if self.rounds.blocks.is_split(entity) {
                if let Some(batches) = self.batches.remove(&entity) {
                    let batches: Vec<&RecordBatch> = batches.iter().collect();
                    results.insert(entity, merged(&output.early, &batches)?);
                }
                continue;
            }
            let keys = |edge: EdgeId| {
                let parent = work.program.edges[edge.index()].parent;
                if self.leaves_block(edge) { self.keys.get(parent) } else { None }
            };
            let batch = work.batch(output, &output.early, &self.tables, &keys)?;
            if work.layout.is_small(entity, work.snapshot) {
                results.insert(entity, batch);
            } else {
                self.files.insert(entity, vec![encode(batch)?.into()]);
            }
        }
        work.timings.add("encode", since, 0, 0);
        let handed_over = self.handed_over.into_iter().map(|(id, arrays)| Ok((id, joined(&arrays)?)));
        let handed_over = handed_over.collect::<Result<_, EngineError>>()?;
        Ok(GroupResult {
            files: self.files,
            batches: results,
            handed_over,
            findings: self.findings,
            totals: self.totals,
        })
    }
}
