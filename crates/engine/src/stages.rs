//! Stages: all that can be computed of an entity before another entity must move on.
//!
//! A stage joins what it needs from finished stages of other entities (one join for every look-up edge,
//! one pass for all aggregates along an edge) and then adds columns in as few steps as their order
//! allows. A column's stage is the longest path of edges below it, so there are as few as possible.

use std::collections::{BTreeMap, BTreeSet};

use pack::program::{ColumnId, EdgeId, EntityId};

use crate::desugar::{Call, Flat, Form, Part};
use crate::scalar::{Named, Scalar};

/// Work on one entity: joins, then steps.
#[derive(Clone, Debug)]
pub struct Stage {
    pub entity: EntityId,
    /// From 1; stages of an entity follow one another, with gaps where there is nothing to do.
    pub number: u32,
    pub lookups: Vec<LookupJoin>,
    pub aggregates: Vec<AggregatePass>,
    pub steps: Vec<Step>,
    /// The columns that the stage makes.
    pub columns: Vec<ColumnId>,
}

/// One join with the parent along an edge.
#[derive(Clone, Debug)]
pub struct LookupJoin {
    pub edge: EdgeId,
    /// The child's column and the parent's it is taken from.
    pub columns: Vec<(ColumnId, ColumnId)>,
}

/// One pass over the children along an edge.
#[derive(Clone, Debug)]
pub struct AggregatePass {
    pub edge: EdgeId,
    /// Columns of the child that the parts read, in steps.
    pub steps: Vec<Vec<Named>>,
    pub parts: Vec<Part>,
}

/// Columns added together, none of which reads another.
#[derive(Clone, Debug)]
pub enum Step {
    Project(Vec<Named>),
    Window(Vec<Call>),
}

/// Groups the columns that are wanted, and those they need, into stages in order of execution.
pub fn stages(flat: &Flat<'_>, wanted: &BTreeSet<ColumnId>) -> Vec<Stage> {
    stages_of(flat, &flat.program.needed_by(wanted.iter().copied()))
}

/// As [`stages`], for exactly these columns; what else they need is there already, as fields are.
pub fn stages_of(flat: &Flat<'_>, columns: &BTreeSet<ColumnId>) -> Vec<Stage> {
    let numbers = numbers(flat, columns);
    let mut groups: BTreeMap<(u32, EntityId), Vec<ColumnId>> = BTreeMap::new();
    for id in flat.order.iter().filter(|id| columns.contains(id)) {
        groups.entry((numbers[id], flat.columns[id].entity)).or_default().push(*id);
    }
    groups.into_iter().map(|((number, entity), columns)| stage(flat, entity, number, columns)).collect()
}

/// The stage of every column; what is not among them counts as 0.
fn numbers(flat: &Flat<'_>, columns: &BTreeSet<ColumnId>) -> BTreeMap<ColumnId, u32> {
    let mut numbers: BTreeMap<ColumnId, u32> = BTreeMap::new();
    for id in flat.order.iter().filter(|id| columns.contains(id)) {
        let column = &flat.columns[id];
        let mut deepest = 0;
        flat.program.each_need(*id, &mut |needed| {
            deepest = deepest.max(numbers.get(&needed).copied().unwrap_or(0));
        });
        let across = matches!(column.form, Form::Lookup { .. } | Form::Aggregate(_));
        numbers.insert(*id, if across { deepest + 1 } else { deepest.max(1) });
    }
    numbers
}

/// The stage that makes these columns, in order; what they read is there already.
pub(crate) fn stage(flat: &Flat<'_>, entity: EntityId, number: u32, columns: Vec<ColumnId>) -> Stage {
    let mut lookups: BTreeMap<EdgeId, Vec<(ColumnId, ColumnId)>> = BTreeMap::new();
    let mut passes: BTreeMap<EdgeId, Pass> = BTreeMap::new();
    let mut steps = Leveller::default();
    for id in &columns {
        let column = &flat.columns[id];
        let named = |value: &Scalar| Named { name: column.name.clone(), value: value.clone() };
        match &column.form {
            Form::Field => {}
            Form::Lookup { edge, column } => lookups.entry(*edge).or_default().push((*id, *column)),
            Form::Scalar { helpers, value } => {
                steps.project_all(helpers);
                steps.project(named(value));
            }
            Form::Aggregate(aggregate) => {
                let pass = passes.entry(aggregate.edge).or_default();
                pass.steps.project_all(&aggregate.helpers);
                pass.parts.extend(aggregate.parts.iter().cloned());
                steps.project(named(&aggregate.value));
            }
            Form::Window(window) => {
                steps.project_all(&window.helpers);
                for call in &window.calls {
                    steps.window(call.clone());
                }
                steps.project(named(&window.value));
            }
        }
    }
    let lookups = lookups.into_iter().map(|(edge, columns)| LookupJoin { edge, columns }).collect();
    let aggregates = passes.into_iter().map(|(edge, pass)| pass.finish(edge)).collect();
    Stage { entity, number, lookups, aggregates, steps: steps.finish(), columns }
}

#[derive(Default)]
struct Pass {
    steps: Leveller,
    parts: Vec<Part>,
}

/// What a stage leaves behind: `_row` and the columns that it makes.
pub(crate) fn output_names(flat: &Flat<'_>, stage: &Stage) -> BTreeSet<String> {
    let made = stage.columns.iter().map(|id| flat.columns[id].name.clone());
    std::iter::once("_row".to_owned()).chain(made).collect()
}

/// What must exist before a step so that `after` exists behind it.
pub(crate) fn needed_before(step: &Step, mut after: BTreeSet<String>) -> BTreeSet<String> {
    match step {
        Step::Project(columns) => {
            let used: Vec<_> = columns.iter().filter(|column| after.remove(&column.name)).collect();
            for named in used {
                named.value.columns(&mut |name| {
                    after.insert(name.to_owned());
                });
            }
        }
        Step::Window(calls) => {
            for call in calls {
                after.remove(&call.name);
                let order = call.order.iter().map(|(value, _)| value);
                for value in call.argument.iter().chain(&call.partition).chain(order) {
                    value.columns(&mut |name| {
                        after.insert(name.to_owned());
                    });
                }
            }
        }
    }
    after
}

impl Pass {
    fn finish(self, edge: EdgeId) -> AggregatePass {
        let steps = self.steps.finish().into_iter().map(|step| match step {
            Step::Project(columns) => columns,
            Step::Window(_) => unreachable!("helpers of aggregates are projections"),
        });
        AggregatePass { edge, steps: steps.collect(), parts: self.parts }
    }
}

/// Puts each column into the first step after all that it reads. Projections have even levels and
/// windows odd ones, so that a level is one step.
#[derive(Default)]
struct Leveller {
    levels: BTreeMap<String, u32>,
    projections: BTreeMap<u32, Vec<Named>>,
    windows: BTreeMap<u32, Vec<Call>>,
}

impl Leveller {
    fn project_all(&mut self, columns: &[Named]) {
        for column in columns {
            self.project(column.clone());
        }
    }

    fn project(&mut self, column: Named) {
        let mut after = 0;
        column.value.columns(&mut |name| after = after.max(self.after(name)));
        let level = after.next_multiple_of(2);
        self.levels.insert(column.name.clone(), level);
        self.projections.entry(level).or_default().push(column);
    }

    fn window(&mut self, call: Call) {
        let mut after = 0;
        let order = call.order.iter().map(|(value, _)| value);
        for value in call.argument.iter().chain(&call.partition).chain(order) {
            value.columns(&mut |name| after = after.max(self.after(name)));
        }
        let level = if after.is_multiple_of(2) { after + 1 } else { after };
        self.levels.insert(call.name.clone(), level);
        self.windows.entry(level).or_default().push(call);
    }

    /// The first level at which a column can be read: 0 for what is there before.
    fn after(&self, name: &str) -> u32 {
        self.levels.get(name).map_or(0, |level| level + 1)
    }

    fn finish(mut self) -> Vec<Step> {
        let mut levels: BTreeSet<u32> = self.projections.keys().copied().collect();
        levels.extend(self.windows.keys());
        let steps = levels.into_iter().map(|level| match self.projections.remove(&level) {
            Some(columns) => Step::Project(columns),
            None => Step::Window(self.windows.remove(&level).unwrap_or_default()),
        });
        steps.collect()
    }
}
