//! Which columns are computed before the parts, in the parts, and after them.
//!
//! What a part needs of the upper levels (a county's fields, a hospital's grade) is computed before; what
//! crosses parts (a province's totals, a ranking of counties) is computed after, from the columns that the
//! parts hand over. Almost everything is computed in the parts.

use std::collections::{BTreeMap, BTreeSet};

use pack::program::{ColumnId, ColumnKind, EdgeId, EntityId, Program};

use super::parts::Layout;
use super::snapshot::Snapshot;
use crate::EngineError;
use crate::desugar::{Flat, Form};
use crate::stages::{Stage, stages_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Before,
    Part,
    After,
}

pub(crate) struct Phases {
    of: BTreeMap<ColumnId, Phase>,
    pub before: Vec<Stage>,
    pub part: Vec<Stage>,
    pub after: Vec<Stage>,
    /// Columns of split entities that the last phase reads.
    pub handed_over: BTreeSet<ColumnId>,
    /// Edges between split entities that join rows of different parts.
    pub crossing: BTreeSet<EdgeId>,
}

impl Phases {
    pub fn new(flat: &Flat<'_>, layout: &Layout, snapshot: &Snapshot) -> Result<Self, EngineError> {
        let program = flat.program;
        let crossing = crossing(program, layout, snapshot)?;
        let mut of: BTreeMap<ColumnId, Phase> = BTreeMap::new();
        for (id, column) in &flat.columns {
            if matches!(column.form, Form::Field) {
                of.insert(*id, if layout.is_split(column.entity) { Phase::Part } else { Phase::Before });
            }
        }
        for id in &flat.order {
            let entity = flat.columns[id].entity;
            let mut latest = Phase::Before;
            program.each_need(*id, &mut |needed| {
                latest = latest.max(of.get(&needed).copied().unwrap_or(Phase::Before));
            });
            let phase = if latest == Phase::After || spans(program, layout, &crossing, *id) {
                Phase::After
            } else if layout.is_split(entity) {
                Phase::Part
            } else if latest == Phase::Before {
                Phase::Before
            } else {
                Phase::After
            };
            of.insert(*id, phase);
        }
        let mut phases =
            Self { of, before: vec![], part: vec![], after: vec![], handed_over: BTreeSet::new(), crossing };
        let computed = |phase| -> BTreeSet<ColumnId> {
            flat.order.iter().copied().filter(|id| phases.of[id] == phase).collect()
        };
        let (before, part, after) = (computed(Phase::Before), computed(Phase::Part), computed(Phase::After));
        for id in &after {
            program.each_need(*id, &mut |needed| {
                if phases.of.get(&needed) == Some(&Phase::Part) {
                    phases.handed_over.insert(needed);
                }
            });
        }
        phases.before = stages_of(flat, &before);
        phases.part = stages_of(flat, &part);
        phases.after = stages_of(flat, &after);
        Ok(phases)
    }

    /// When a column is there.
    pub fn of(&self, id: ColumnId) -> Phase {
        self.of.get(&id).copied().unwrap_or(Phase::After)
    }

    /// Entities that the last phase works on or reads.
    pub fn after_entities(&self, program: &Program) -> BTreeSet<EntityId> {
        let mut entities: BTreeSet<EntityId> = BTreeSet::new();
        for stage in &self.after {
            entities.insert(stage.entity);
            for edge in stage.lookups.iter().map(|lookup| lookup.edge) {
                entities.insert(program.edges[edge.index()].parent);
            }
            for edge in stage.aggregates.iter().map(|pass| pass.edge) {
                entities.insert(program.edges[edge.index()].child);
            }
        }
        entities
    }
}

/// Edges between split entities that join rows of different parts.
pub(super) fn crossing(
    program: &Program,
    layout: &Layout,
    snapshot: &Snapshot,
) -> Result<BTreeSet<EdgeId>, EngineError> {
    let mut crossing = BTreeSet::new();
    for (index, edge) in program.edges.iter().enumerate() {
        let id = EdgeId(index as u32);
        let split = layout.is_split(edge.child) && layout.is_split(edge.parent);
        if split && layout.crosses(program, snapshot, id)? {
            crossing.insert(id);
        }
    }
    Ok(crossing)
}

/// Whether a column joins or compares rows that may be in different parts.
pub(super) fn spans(program: &Program, layout: &Layout, crossing: &BTreeSet<EdgeId>, id: ColumnId) -> bool {
    let column = &program.columns[id.index()];
    if !layout.is_split(column.entity) {
        // A count of all children reads no column of theirs, but needs their rows.
        let ColumnKind::Aggregate(aggregate) = &column.kind else { return false };
        return layout.is_split(program.edges[aggregate.edge.index()].child);
    }
    match &column.kind {
        ColumnKind::Field(_) | ColumnKind::Scalar(_) => false,
        ColumnKind::Lookup { edge, .. } => crossing.contains(edge),
        ColumnKind::Aggregate(aggregate) => crossing.contains(&aggregate.edge),
        ColumnKind::Window(window) => {
            let parent = program.edges[window.edge.index()].parent;
            crossing.contains(&window.edge) || (!layout.is_split(parent) && layout.parts > 1)
        }
    }
}
