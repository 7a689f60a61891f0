//! Stages as vector programs.

use std::collections::{BTreeMap, BTreeSet};

use pack::program::{ColumnId, Direction, EntityId, Frame};

use crate::desugar::{Call, CallFunction, Flat, Form, PartFunction, edge_column};
use crate::scalar::{Kind, Named, Scalar};
use crate::stages::{AggregatePass, Stage, Step};
use crate::vector::{Builder, Input, Source, VectorProgram};

/// Stages in order of execution.
pub(crate) struct AlignedPlan {
    pub(super) stages: Vec<AlignedStage>,
}

pub(super) struct AlignedStage {
    /// `stage household 2`.
    pub label: String,
    pub entity: EntityId,
    pub passes: Vec<Pass>,
    pub segments: Vec<Segment>,
    /// Columns that nothing reads after it.
    pub dropped: Vec<(EntityId, String)>,
}

/// All aggregates along one edge. The program's first output is the position of the parent.
pub(super) struct Pass {
    pub child: EntityId,
    pub program: VectorProgram,
    pub parts: Vec<PassPart>,
}

pub(super) struct PassPart {
    pub name: String,
    pub function: PartFunction,
    pub kind: Kind,
    /// Numbers of outputs.
    pub filter: Option<usize>,
    pub argument: Option<usize>,
}

pub(super) enum Segment {
    Project(Projection),
    Window(WindowSegment),
}

/// Columns of the same rows; the names belong to the program's outputs.
pub(super) struct Projection {
    pub program: VectorProgram,
    pub names: Vec<String>,
}

pub(super) struct WindowSegment {
    /// Makes the columns that the calls read.
    pub inputs: Projection,
    pub groups: Vec<WindowGroup>,
}

/// Calls over the same partitions in the same order, over columns of the inputs.
pub(super) struct WindowGroup {
    pub partition: Vec<String>,
    pub order: Vec<(String, Direction)>,
    pub calls: Vec<WindowCall>,
}

pub(super) struct WindowCall {
    pub name: String,
    pub function: CallFunction,
    pub argument: Option<String>,
    pub frame: Frame,
    pub kind: Kind,
}

/// A segment whose outputs are not settled yet.
enum Draft<'a> {
    Project { builder: Builder<'a>, made: Vec<(String, usize, Kind)> },
    Window { builder: Builder<'a>, segment: WindowSegment },
}

impl AlignedPlan {
    /// A plan for stages that follow one another; of their columns, those in `kept` are needed afterwards.
    pub fn new(flat: &Flat<'_>, stages: &[Stage], kept: &BTreeSet<ColumnId>) -> Self {
        let lookups = lookups(flat, stages);
        let sources = |entity: EntityId, name: &str| {
            lookups.get(&(entity, name.to_owned())).cloned().unwrap_or(Source::Stored)
        };
        let mut read: BTreeSet<(EntityId, String)> = kept
            .iter()
            .map(|id| {
                (
                    flat.columns
                        .get(id)
                        .map_or_else(|| flat.program.columns[id.index()].entity, |column| column.entity),
                    flat.program.columns[id.index()].name.clone(),
                )
            })
            .collect();
        let mut drafts = vec![];
        for stage in stages {
            let passes: Vec<Pass> =
                stage.aggregates.iter().map(|pass| draft_pass(flat, pass, &sources)).collect();
            for pass in &passes {
                read.extend(pass.program.inputs().map(|input| (input.entity, input.name.clone())));
            }
            let segments = draft_segments(flat, stage, &sources);
            for draft in &segments {
                let (Draft::Project { builder, .. } | Draft::Window { builder, .. }) = draft;
                read.extend(builder.inputs().map(|input| (input.entity, input.name.clone())));
            }
            let name = &flat.program.entities[stage.entity.index()].name;
            drafts.push((format!("stage {name} {}", stage.number), stage.entity, passes, segments));
        }
        let stages = drafts.into_iter().map(|(label, entity, passes, segments)| {
            let segments = segments.into_iter().map(|draft| settle(entity, draft, &read)).collect();
            AlignedStage { label, entity, passes, segments, dropped: vec![] }
        });
        let mut stages: Vec<AlignedStage> = stages.collect();
        drop_early(flat, &mut stages, kept);
        Self { stages }
    }

    /// The columns that it reads, of whatever table; some it makes itself.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.stages.iter().flat_map(AlignedStage::inputs)
    }
}

/// Has every column that is not kept dropped after the stage that reads it last. Keys and references stay: results
/// name parents by them.
fn drop_early(flat: &Flat<'_>, stages: &mut [AlignedStage], kept: &BTreeSet<ColumnId>) {
    let program = flat.program;
    let kept: BTreeSet<(EntityId, &str)> =
        kept.iter().map(|id| (program.column(*id).entity, program.column(*id).name.as_str())).collect();
    let mut last: BTreeMap<(EntityId, String), usize> = BTreeMap::new();
    for (id, column) in &flat.columns {
        let is_key = program.entity(column.entity).key == *id;
        if matches!(column.form, Form::Field) && !is_key {
            last.insert((column.entity, column.name.clone()), 0);
        }
    }
    for (number, stage) in stages.iter().enumerate() {
        for segment in &stage.segments {
            if let Segment::Project(projection) = segment {
                last.extend(projection.names.iter().map(|name| ((stage.entity, name.clone()), number)));
            }
        }
        for input in stage.inputs() {
            if let Some(known) = last.get_mut(&(input.entity, input.name.clone())) {
                *known = number;
            }
        }
    }
    last.retain(|(entity, name), _| !kept.contains(&(*entity, name.as_str())));
    for (column, number) in last {
        if let Some(stage) = stages.get_mut(number) {
            stage.dropped.push(column);
        }
    }
}

impl AlignedStage {
    /// The columns that it reads, of whatever table.
    fn inputs(&self) -> impl Iterator<Item = &Input> {
        let passes = self.passes.iter().flat_map(|pass| pass.program.inputs());
        let segments = self.segments.iter().flat_map(|segment| match segment {
            Segment::Project(projection) => projection.program.inputs(),
            Segment::Window(windows) => windows.inputs.program.inputs(),
        });
        passes.chain(segments)
    }
}

/// The look-ups that the stages make: each is read from the parent wherever it is needed.
fn lookups(flat: &Flat<'_>, stages: &[Stage]) -> BTreeMap<(EntityId, String), Source> {
    let mut lookups = BTreeMap::new();
    for stage in stages {
        for (edge, (made, source)) in
            stage.lookups.iter().flat_map(|join| join.columns.iter().map(|columns| (join.edge, columns)))
        {
            let source = Source::Parent {
                references: edge_column(flat.program, edge),
                parent: flat.program.edges[edge.index()].parent,
                column: flat.columns[source].name.clone(),
            };
            lookups.insert((stage.entity, flat.columns[made].name.clone()), source);
        }
    }
    lookups
}

fn draft_pass(flat: &Flat<'_>, pass: &AggregatePass, sources: &crate::vector::Sources<'_>) -> Pass {
    let edge = &flat.program.edges[pass.edge.index()];
    let mut builder = Builder::new(edge.child, sources);
    let parents = builder.parents(&edge_column(flat.program, pass.edge), edge.parent);
    builder.output(parents, Kind::Int);
    for named in pass.steps.iter().flatten() {
        builder.define(&named.name, &named.value);
    }
    let mut outputs = 1;
    let mut output = |builder: &mut Builder<'_>, value: &Scalar| {
        let slot = builder.scalar(value);
        builder.output(slot, value.kind);
        outputs += 1;
        outputs - 1
    };
    let parts = pass.parts.iter().map(|part| PassPart {
        name: part.name.clone(),
        function: part.function,
        kind: part.kind,
        filter: part.filter.as_ref().map(|filter| output(&mut builder, filter)),
        argument: part.argument.as_ref().map(|argument| output(&mut builder, argument)),
    });
    let parts = parts.collect();
    Pass { child: edge.child, program: builder.finish(), parts }
}

fn draft_segments<'a>(
    flat: &Flat<'_>,
    stage: &Stage,
    sources: &'a crate::vector::Sources<'a>,
) -> Vec<Draft<'a>> {
    let mut drafts = vec![];
    let looked_up = stage.lookups.iter().flat_map(|join| &join.columns);
    let mut made: Vec<(String, usize, Kind)> = vec![];
    let mut builder = Builder::new(stage.entity, sources);
    for (id, _) in looked_up {
        let column = &flat.columns[id];
        let slot = builder.column(&column.name);
        made.push((column.name.clone(), slot, column.kind));
    }
    for step in &stage.steps {
        match step {
            Step::Project(columns) => {
                for Named { name, value } in columns {
                    let slot = builder.define(name, value);
                    made.push((name.clone(), slot, value.kind));
                }
            }
            Step::Window(calls) => {
                let before = std::mem::replace(&mut builder, Builder::new(stage.entity, sources));
                drafts.push(Draft::Project { builder: before, made: std::mem::take(&mut made) });
                drafts.push(draft_window(stage.entity, calls, sources));
            }
        }
    }
    drafts.push(Draft::Project { builder, made });
    drafts
}

fn draft_window<'a>(entity: EntityId, calls: &[Call], sources: &'a crate::vector::Sources<'a>) -> Draft<'a> {
    let mut inputs = Inputs { builder: Builder::new(entity, sources), names: vec![], known: vec![] };
    let mut groups: Vec<(&Call, WindowGroup)> = vec![];
    for call in calls {
        let made = WindowCall {
            name: call.name.clone(),
            function: call.function,
            argument: call.argument.as_ref().map(|argument| inputs.column(argument)),
            frame: call.frame,
            kind: call.kind,
        };
        let same = |group: &&mut (&Call, WindowGroup)| {
            group.0.partition == call.partition && group.0.order == call.order
        };
        if let Some((_, group)) = groups.iter_mut().find(same) {
            group.calls.push(made);
            continue;
        }
        let partition = call.partition.iter().map(|value| inputs.column(value)).collect();
        let order = call.order.iter().map(|(value, direction)| (inputs.column(value), *direction)).collect();
        groups.push((call, WindowGroup { partition, order, calls: vec![made] }));
    }
    let groups = groups.into_iter().map(|(_, group)| group).collect();
    let Inputs { builder, names, .. } = inputs;
    let segment = WindowSegment { inputs: Projection { program: VectorProgram::default(), names }, groups };
    Draft::Window { builder, segment }
}

/// Columns that windows read, numbered.
struct Inputs<'a> {
    builder: Builder<'a>,
    names: Vec<String>,
    known: Vec<Scalar>,
}

impl Inputs<'_> {
    fn column(&mut self, value: &Scalar) -> String {
        if let Some(place) = self.known.iter().position(|known| known == value) {
            return self.names[place].clone();
        }
        let slot = self.builder.scalar(value);
        self.builder.output(slot, value.kind);
        self.known.push(value.clone());
        self.names.push(format!("{}", self.names.len()));
        self.names[self.names.len() - 1].clone()
    }
}

/// Settles the outputs: what is read elsewhere.
fn settle(entity: EntityId, draft: Draft<'_>, read: &BTreeSet<(EntityId, String)>) -> Segment {
    match draft {
        Draft::Project { mut builder, made } => {
            let mut names = vec![];
            for (name, slot, kind) in made {
                if read.contains(&(entity, name.clone())) {
                    builder.output(slot, kind);
                    names.push(name);
                }
            }
            Segment::Project(Projection { program: builder.finish(), names })
        }
        Draft::Window { builder, mut segment } => {
            segment.inputs.program = builder.finish();
            Segment::Window(segment)
        }
    }
}
