//! A group worked on block by block, where it would take too much memory at once.
//!
//! A block is what lies below a few villages. What a household or a village needs of itself is computed in its
//! block; what joins blocks (a township's sums, a hospital's patients) is computed between two passes over them, from
//! the few columns that it reads. So the work of a group becomes *steps*, in turn over all of the group and over
//! each block, and a block's columns that a later step reads wait on the disk.

use std::collections::{BTreeMap, BTreeSet};

use pack::program::{ColumnId, ColumnKind, EdgeId, EntityId, Program};

use super::parts::Layout;
use super::phases::{Phase, Phases, crossing, spans};
use super::snapshot::Snapshot;
use crate::EngineError;
use crate::aligned::AlignedPlan;
use crate::desugar::{Flat, Form, edge_column};
use crate::scalar::Kind;
use crate::stages::stages_of;

/// The steps of every group.
pub(crate) struct Rounds {
    /// The blocks as parts of the groups.
    pub blocks: Layout,
    pub steps: Vec<Step>,
    /// Edges that join rows of different blocks.
    pub crossing: BTreeSet<EdgeId>,
}

/// Columns computed in one go, over the group or over each of its blocks.
pub(crate) struct Step {
    pub in_blocks: bool,
    /// Whether it is the first over blocks.
    pub is_first: bool,
    pub made: BTreeSet<ColumnId>,
    pub plan: AlignedPlan,
    /// What it reads, besides what it makes, of the entities that blocks divide.
    pub reads: BTreeMap<EntityId, Reads>,
    /// Columns that it makes and a later step over blocks reads.
    pub for_blocks: BTreeSet<ColumnId>,
    /// Columns that it makes and a later step over the group reads.
    pub for_group: BTreeSet<ColumnId>,
}

/// What is read of an entity.
#[derive(Default)]
pub(crate) struct Reads {
    pub fields: BTreeSet<ColumnId>,
    pub edges: BTreeSet<EdgeId>,
    pub computed: BTreeSet<ColumnId>,
}

impl Rounds {
    /// Steps for the columns of the phase of parts; `kept` are those that something reads afterwards.
    pub fn new(
        flat: &Flat<'_>,
        blocks: Layout,
        phases: &Phases,
        snapshot: &Snapshot,
        kept: &BTreeSet<ColumnId>,
    ) -> Result<Self, EngineError> {
        let program = flat.program;
        let crossing = crossing(program, &blocks, snapshot)?;
        let places = places(flat, &blocks, phases, &crossing);
        let last = places.values().max().map_or(0, |last| last + 1).max(FIRST + 1);
        // A look-up inside a block is made again wherever it is read.
        let repeated = |id: ColumnId| match flat.columns.get(&id).map(|column| (&column.form, column.entity))
        {
            Some((Form::Lookup { edge, .. }, entity)) => {
                blocks.is_split(entity) && !crossing.contains(edge) && places.contains_key(&id)
            }
            _ => false,
        };
        let sets = (0..last).map(|place| {
            let made: BTreeSet<ColumnId> =
                places.iter().filter(|(_, at)| **at == place).map(|(id, _)| *id).collect();
            let mut columns = made.clone();
            let mut open: Vec<ColumnId> = made.iter().copied().collect();
            while let Some(id) = open.pop() {
                program.each_need(id, &mut |needed| {
                    if repeated(needed) && columns.insert(needed) {
                        open.push(needed);
                    }
                });
            }
            (place, made, columns)
        });
        let sets: Vec<_> = sets.filter(|(place, made, _)| *place == FIRST || !made.is_empty()).collect();
        let mut kept = kept.clone();
        for (_, _, columns) in &sets {
            for id in columns {
                program.each_need(*id, &mut |needed| {
                    if !columns.contains(&needed) {
                        kept.insert(needed);
                    }
                });
            }
        }
        let names = Names::new(flat);
        let steps = sets.into_iter().map(|(place, made, columns)| {
            let repeated = columns.difference(&made);
            let mut kept = kept.clone();
            repeated.for_each(|id| _ = kept.remove(id));
            let plan = AlignedPlan::new(flat, &stages_of(flat, &columns), &kept);
            let reads = names.reads(&plan, &blocks, &columns);
            let (for_blocks, for_group) = (BTreeSet::new(), BTreeSet::new());
            Step {
                in_blocks: place % 2 == 1,
                is_first: place == FIRST,
                made,
                plan,
                reads,
                for_blocks,
                for_group,
            }
        });
        let mut steps: Vec<Step> = steps.collect();
        read_all_fields(flat, &blocks, &mut steps);
        let (mut by_blocks, mut by_group) = (BTreeSet::new(), BTreeSet::new());
        for step in steps.iter_mut().rev() {
            step.for_blocks = step.made.intersection(&by_blocks).copied().collect();
            step.for_group = step.made.intersection(&by_group).copied().collect();
            let read = step.reads.values().flat_map(|reads| reads.computed.iter().copied());
            if step.in_blocks { by_blocks.extend(read) } else { by_group.extend(read) }
        }
        Ok(Self { blocks, steps, crossing })
    }

    /// Bytes of a row of an entity in blocks that a step over the group holds, at most.
    pub fn width_together(&self, flat: &Flat<'_>, entity: EntityId, width: &dyn Fn(Kind) -> f64) -> f64 {
        let of = |id: &ColumnId| flat.columns.get(id).filter(|column| column.entity == entity);
        let widths = self.steps.iter().filter(|step| !step.in_blocks).map(|step| {
            let reads = step.reads.get(&entity);
            let read = reads.into_iter().flat_map(|reads| reads.fields.iter().chain(&reads.computed));
            let columns: f64 = read.chain(&step.made).filter_map(of).map(|column| width(column.kind)).sum();
            let edges = reads.map_or(0, |reads| reads.edges.len());
            columns + edges as f64 * width(Kind::Date)
        });
        widths.fold(width(Kind::Date), f64::max)
    }
}

/// The place of the first step over blocks.
const FIRST: usize = 1;

/// Has the first step over blocks read the fields that no step reads, as a part does: what is wrong with them is a
/// finding all the same.
fn read_all_fields(flat: &Flat<'_>, blocks: &Layout, steps: &mut [Step]) {
    let fields = flat.columns.iter().filter(|(_, column)| matches!(column.form, Form::Field));
    let mut unread: BTreeMap<ColumnId, EntityId> = fields
        .map(|(id, column)| (*id, column.entity))
        .filter(|(_, entity)| blocks.is_split(*entity))
        .collect();
    for id in steps.iter().flat_map(|step| step.reads.values()).flat_map(|reads| &reads.fields) {
        unread.remove(id);
    }
    if let Some(first) = steps.iter_mut().find(|step| step.is_first) {
        for (id, entity) in unread {
            first.reads.entry(entity).or_default().fields.insert(id);
        }
    }
}

/// When a column is computed: at even places over the group, at odd ones over each block.
fn places(
    flat: &Flat<'_>,
    blocks: &Layout,
    phases: &Phases,
    crossing: &BTreeSet<EdgeId>,
) -> BTreeMap<ColumnId, usize> {
    let program = flat.program;
    let mut places: BTreeMap<ColumnId, usize> = BTreeMap::new();
    for id in flat.order.iter().copied().filter(|id| phases.of(*id) == Phase::Part) {
        let mut latest = 0;
        program.each_need(id, &mut |needed| {
            latest = latest.max(places.get(&needed).copied().unwrap_or(0));
        });
        let together = !blocks.is_split(flat.columns[&id].entity)
            || spans(program, blocks, crossing, id)
            || gathers(program, blocks, id);
        let place = if together { latest.next_multiple_of(2) } else { latest + (latest + 1) % 2 };
        places.insert(id, place);
    }
    places
}

/// Whether a column adds up rows that are not in blocks: each block would go through all of them.
fn gathers(program: &Program, blocks: &Layout, id: ColumnId) -> bool {
    match &program.columns[id.index()].kind {
        ColumnKind::Aggregate(aggregate) => !blocks.is_split(program.edges[aggregate.edge.index()].child),
        _ => false,
    }
}

/// Columns and edges by the names that plans know them by.
struct Names {
    columns: BTreeMap<(EntityId, String), (ColumnId, bool)>,
    edges: BTreeMap<(EntityId, String), EdgeId>,
}

impl Names {
    fn new(flat: &Flat<'_>) -> Self {
        let program = flat.program;
        let columns = flat.columns.iter().map(|(id, column)| {
            ((column.entity, column.name.clone()), (*id, matches!(column.form, Form::Field)))
        });
        let edges = (0..program.edges.len() as u32).map(EdgeId);
        let edges = edges.map(|edge| ((program.edges[edge.index()].child, edge_column(program, edge)), edge));
        Self { columns: columns.collect(), edges: edges.collect() }
    }

    fn reads(
        &self,
        plan: &AlignedPlan,
        blocks: &Layout,
        columns: &BTreeSet<ColumnId>,
    ) -> BTreeMap<EntityId, Reads> {
        let mut reads: BTreeMap<EntityId, Reads> = BTreeMap::new();
        for input in plan.inputs().filter(|input| blocks.is_split(input.entity)) {
            let name = (input.entity, input.name.clone());
            let entry = reads.entry(input.entity).or_default();
            if let Some(edge) = self.edges.get(&name) {
                entry.edges.insert(*edge);
            }
            match self.columns.get(&name) {
                Some((id, true)) => _ = entry.fields.insert(*id),
                Some((id, false)) if !columns.contains(id) => _ = entry.computed.insert(*id),
                _ => {}
            }
        }
        reads
    }
}
