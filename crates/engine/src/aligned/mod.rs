//! Stages executed along the order of a snapshot.
//!
//! References between tables are dense row numbers. A look-up is therefore a value picked by position, and an
//! aggregate adds each child to its parent's place: nothing is hashed, joined or sorted, and siblings that stand
//! together make it run through memory once. Scalar work is done by the vector machine. A stage means the same
//! whatever the order of the rows; only its speed rests on the order.

mod plan;
mod window;

use std::collections::BTreeMap;
use std::time::Instant;

use arrow::array::{Array, ArrayRef};
use pack::program::{EntityId, Program};

pub(crate) use plan::AlignedPlan;

use plan::{AlignedStage, Pass, Projection, Segment, WindowSegment};

use crate::EngineError;
use crate::table::Tables;
use crate::timings::Timings;
use crate::vector::{Accumulator, Column, Machine};

impl AlignedPlan {
    /// Executes the stages one after the other, each adding the columns that are still needed.
    pub fn evaluate(
        &self,
        program: &Program,
        tables: &mut Tables,
        timings: &Timings,
    ) -> Result<(), EngineError> {
        for stage in &self.stages {
            let since = Instant::now();
            let bytes = stage.evaluate(program, tables)?;
            timings.add(&stage.label, since, rows(tables, stage.entity), bytes);
        }
        Ok(())
    }
}

impl AlignedStage {
    /// The bytes of the columns that it made.
    fn evaluate(&self, program: &Program, tables: &mut Tables) -> Result<usize, EngineError> {
        let mut passing = vec![];
        let mut bytes = 0;
        let size = |columns: &BTreeMap<String, ArrayRef>| -> usize {
            columns.values().map(Array::get_array_memory_size).sum()
        };
        for pass in &self.passes {
            let columns = pass.evaluate(program, self.entity, tables)?;
            passing.extend(columns.keys().cloned());
            bytes += size(&columns);
            self.add(tables, columns);
        }
        for segment in &self.segments {
            let columns = match segment {
                Segment::Project(projection) => projection.evaluate(program, self.entity, tables)?,
                Segment::Window(windows) => windows.evaluate(program, self.entity, tables)?,
            };
            if let Segment::Window(_) = segment {
                passing.extend(columns.keys().cloned());
            }
            bytes += size(&columns);
            self.add(tables, columns);
        }
        if let Some(table) = tables.0.get_mut(self.entity.index()).and_then(Option::as_mut) {
            for name in passing {
                table.columns.remove(&name);
            }
        }
        for (entity, name) in &self.dropped {
            if let Some(table) = tables.0.get_mut(entity.index()).and_then(Option::as_mut) {
                table.columns.remove(name);
            }
        }
        Ok(bytes)
    }

    fn add(&self, tables: &mut Tables, columns: BTreeMap<String, ArrayRef>) {
        if let Some(table) = tables.0.get_mut(self.entity.index()).and_then(Option::as_mut) {
            table.columns.extend(columns);
        }
    }
}

fn names(program: &Program) -> impl Fn(EntityId) -> String + '_ {
    |entity| program.entities[entity.index()].name.clone()
}

fn rows(tables: &Tables, entity: EntityId) -> usize {
    tables.get(entity).map_or(0, |table| table.rows)
}

impl Pass {
    fn evaluate(
        &self,
        program: &Program,
        parent: EntityId,
        tables: &Tables,
    ) -> Result<BTreeMap<String, ArrayRef>, EngineError> {
        let parents = rows(tables, parent);
        let accumulators = self.parts.iter().map(|part| Accumulator::new(part.function, part.kind, parents));
        let mut accumulators: Vec<Accumulator> = accumulators.collect();
        let slot = |output: usize| self.program.outputs[output].0;
        let machine = Machine::new(&self.program, tables, &names(program))?;
        machine.run(rows(tables, self.child), &mut |chunk| {
            for (accumulator, part) in accumulators.iter_mut().zip(&self.parts) {
                accumulator.add(chunk, slot(0), part.filter.map(slot), part.argument.map(slot));
            }
            Ok(())
        })?;
        let columns = self.parts.iter().zip(accumulators);
        columns.map(|(part, accumulator)| Ok((part.name.clone(), accumulator.finish()?))).collect()
    }
}

impl Projection {
    fn evaluate(
        &self,
        program: &Program,
        entity: EntityId,
        tables: &Tables,
    ) -> Result<BTreeMap<String, ArrayRef>, EngineError> {
        if self.names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows = rows(tables, entity);
        let outputs = &self.program.outputs;
        let mut columns: Vec<Column> = outputs.iter().map(|(_, kind)| Column::new(*kind, rows)).collect();
        let machine = Machine::new(&self.program, tables, &names(program))?;
        machine.run(rows, &mut |chunk| {
            for (column, (slot, _)) in columns.iter_mut().zip(outputs) {
                column.append(chunk, *slot);
            }
            Ok(())
        })?;
        let columns = self.names.iter().zip(columns);
        columns.map(|(name, column)| Ok((name.clone(), column.finish()?))).collect()
    }
}

impl WindowSegment {
    fn evaluate(
        &self,
        program: &Program,
        entity: EntityId,
        tables: &Tables,
    ) -> Result<BTreeMap<String, ArrayRef>, EngineError> {
        let inputs = self.inputs.evaluate(program, entity, tables)?;
        let mut columns = BTreeMap::new();
        for group in &self.groups {
            columns.extend(window::evaluate(group, &inputs, rows(tables, entity))?);
        }
        Ok(columns)
    }
}
