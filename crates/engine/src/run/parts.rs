//! Parts: ranges of rows of every entity below the split level that need nothing of one another.

use std::ops::Range;

use arrow::array::Array;
use pack::program::{EdgeId, EntityId, Program};

use super::snapshot::Snapshot;
use crate::EngineError;

/// How a run is split.
#[derive(Debug)]
pub(crate) struct Layout {
    /// By entity: whether its rows are spread over the parts; the others are whole everywhere.
    pub split: Vec<bool>,
    /// By entity: the first row of each part, and the number of rows at the end. Empty for whole entities.
    pub starts: Vec<Vec<usize>>,
    pub parts: usize,
    /// Parts whose results are encoded together. Groups follow from the snapshot alone, however small the parts
    /// must be, and so do the bytes of the results.
    pub groups: Vec<Range<usize>>,
}

/// Rows from which on a group's rows are encoded by themselves.
pub(crate) const SMALL_ROWS: usize = 1 << 14;

/// Rows of the largest entity in a group.
const GROUP_ROWS: usize = super::options::PART_ROWS;

impl Layout {
    /// Splits along the tree below the county (or the village, in a program without counties) into parts of about
    /// `part_rows` rows of the largest entity. Splitting further down takes more memory, not less: what crosses
    /// the parts then waits for all of them.
    pub fn new(program: &Program, snapshot: &Snapshot, part_rows: usize) -> Result<Self, EngineError> {
        let Some(top) = split_entity(program) else {
            // Without a division everything is one part.
            return Ok(Self::whole(program, snapshot));
        };
        let starts = below(program, snapshot, top)?;
        let split = starts.iter().map(|starts| !starts.is_empty()).collect();
        let bounds = group_cuts(&starts);
        let (cuts, groups) = part_cuts(&starts, &bounds, part_rows.max(1));
        let starts = at_cuts(snapshot, &starts, &cuts);
        Ok(Self { split, starts, parts: cuts.len() - 1, groups })
    }

    /// Splits the groups of a layout below the village into blocks of about `block_rows` of what has most rows.
    /// There are none where the parts are villages already.
    pub fn blocks(
        program: &Program,
        snapshot: &Snapshot,
        layout: &Self,
        block_rows: usize,
    ) -> Result<Option<Self>, EngineError> {
        let Some(village) = at_level(program, "village")
            .filter(|village| Some(*village) != split_entity(program) && layout.is_split(*village))
        else {
            return Ok(None);
        };
        let starts = below(program, snapshot, village)?;
        let split = starts.iter().map(|starts| !starts.is_empty()).collect();
        let groups = (0..layout.groups.len()).map(|group| layout.group_rows(village, group).start);
        let bounds: Vec<usize> = groups.chain([snapshot.rows(village)]).collect();
        let (cuts, groups) = part_cuts(&starts, &bounds, block_rows.max(1));
        let starts = at_cuts(snapshot, &starts, &cuts);
        Ok(Some(Self { split, starts, parts: cuts.len() - 1, groups }))
    }

    /// Everything in one part, whatever the order of the rows.
    pub fn whole(program: &Program, snapshot: &Snapshot) -> Self {
        let count = program.entities.len();
        let starts = (0..count as u32).map(|index| vec![0, snapshot.rows(EntityId(index))]);
        Self {
            split: vec![true; count],
            starts: starts.collect(),
            parts: 1,
            groups: std::iter::once(0..1).collect(),
        }
    }

    pub fn is_split(&self, entity: EntityId) -> bool {
        self.split[entity.index()]
    }

    /// The rows of a split entity in a part.
    pub fn rows(&self, entity: EntityId, part: usize) -> Range<usize> {
        let starts = &self.starts[entity.index()];
        starts[part]..starts[part + 1]
    }

    /// The rows of a split entity in a group.
    pub fn group_rows(&self, entity: EntityId, group: usize) -> Range<usize> {
        let parts = &self.groups[group];
        let starts = &self.starts[entity.index()];
        starts[parts.start]..starts[parts.end]
    }

    /// Whether a group has so few rows of an entity that encoding its columns by themselves would cost more than
    /// their values do.
    pub fn is_small(&self, entity: EntityId, snapshot: &Snapshot) -> bool {
        self.is_split(entity) && snapshot.rows(entity) < self.groups.len() * SMALL_ROWS
    }

    /// The part that a row of a split entity is in.
    fn part_of(&self, entity: EntityId, row: usize) -> usize {
        let starts = &self.starts[entity.index()];
        starts[1..].partition_point(|start| *start <= row).min(self.parts - 1)
    }

    /// Whether an edge between split entities joins rows of different parts somewhere. Tree edges never do.
    pub fn crosses(&self, program: &Program, snapshot: &Snapshot, edge: EdgeId) -> Result<bool, EngineError> {
        let declared = &program.edges[edge.index()];
        if declared.tree || self.parts == 1 {
            return Ok(false);
        }
        let mut crosses = false;
        snapshot.parents(program, edge, &mut |first, parents| {
            for (row, parent) in parents.iter().enumerate() {
                if let Some(parent) = parent.and_then(|parent| usize::try_from(parent).ok()) {
                    crosses = crosses
                        || self.part_of(declared.child, first + row) != self.part_of(declared.parent, parent);
                }
            }
            Ok(())
        })?;
        Ok(crosses)
    }
}

fn split_entity(program: &Program) -> Option<EntityId> {
    at_level(program, "county").or_else(|| at_level(program, "village"))
}

/// The entity of the divisions of a level.
fn at_level(program: &Program, level: &str) -> Option<EntityId> {
    let found = program.entities.iter().position(|entity| entity.division.as_deref() == Some(level));
    found.map(|index| EntityId(index as u32))
}

/// By entity: the first row below each row of `top`, and the number of rows at the end; empty for what is not
/// below it.
fn below(program: &Program, snapshot: &Snapshot, top: EntityId) -> Result<Vec<Vec<usize>>, EngineError> {
    let mut starts: Vec<Vec<usize>> = vec![vec![]; program.entities.len()];
    starts[top.index()] = (0..=snapshot.rows(top)).collect();
    for (index, entity) in program.entities.iter().enumerate() {
        if let Some(edge) = entity.parent.filter(|_| index != top.index()) {
            let parents = &starts[program.edges[edge.index()].parent.index()];
            if !parents.is_empty() {
                starts[index] = boundaries(program, snapshot, edge, parents)?;
            }
        }
    }
    Ok(starts)
}

/// The starts at some positions only. Rows without a parent come last and go with the last part.
fn at_cuts(snapshot: &Snapshot, starts: &[Vec<usize>], cuts: &[usize]) -> Vec<Vec<usize>> {
    let mut kept: Vec<Vec<usize>> = vec![vec![]; starts.len()];
    for (index, starts) in starts.iter().enumerate().filter(|(_, starts)| !starts.is_empty()) {
        kept[index] = cuts.iter().map(|cut| starts[*cut]).collect();
        kept[index][cuts.len() - 1] = snapshot.rows(EntityId(index as u32));
        kept[index][0] = 0;
    }
    kept
}

/// The first child of every boundary of the parents, and of the children that come after all of them.
fn boundaries(
    program: &Program,
    snapshot: &Snapshot,
    edge: EdgeId,
    parents: &[usize],
) -> Result<Vec<usize>, EngineError> {
    let child = program.edges[edge.index()].child;
    let mut starts = Vec::with_capacity(parents.len());
    let mut previous = 0;
    let mut orphans = false;
    snapshot.parents(program, edge, &mut |first, references| {
        let unsorted = |row| EngineError::SnapshotOrder {
            entity: program.entities[child.index()].name.clone(),
            column: crate::desugar::edge_column(program, edge),
            row,
        };
        // Rows without a parent come last.
        let known = references.len() - references.null_count();
        if (orphans && known > 0)
            || (references.null_count() > 0 && (0..known).any(|row| references.is_null(row)))
        {
            return Err(unsorted(first));
        }
        orphans |= known < references.len();
        let values = &references.values()[..known];
        for (row, value) in values.iter().enumerate() {
            if *value < previous {
                return Err(unsorted(first + row));
            }
            previous = *value;
        }
        let mut from = 0;
        while let Some(start) = parents.get(starts.len()) {
            from += values[from..].partition_point(|value| (*value as usize) < *start);
            if from == known {
                break;
            }
            starts.push(first + from);
        }
        // What has no child before the orphans starts with them.
        if orphans && known < references.len() {
            starts.resize(parents.len(), first + known);
        }
        Ok(())
    })?;
    starts.resize(parents.len(), snapshot.rows(child));
    Ok(starts)
}

/// The entity with most rows.
fn largest(starts: &[Vec<usize>]) -> Option<&Vec<usize>> {
    starts.iter().filter(|starts| !starts.is_empty()).max_by_key(|starts| starts.last())
}

/// Positions at which divisions are cut into groups.
fn group_cuts(starts: &[Vec<usize>]) -> Vec<usize> {
    let last = largest(starts).map_or(0, |largest| largest.len() - 1);
    part_cuts(starts, &[0, last], GROUP_ROWS).0
}

/// Positions at which divisions are cut into parts of about `part_rows` of what has most, none of which is over one
/// of the bounds, and the parts between two bounds.
fn part_cuts(starts: &[Vec<usize>], bounds: &[usize], part_rows: usize) -> (Vec<usize>, Vec<Range<usize>>) {
    let Some(largest) = largest(starts) else { return (vec![0, 0], std::iter::once(0..1).collect()) };
    let (mut cuts, mut groups) = (vec![0], vec![]);
    for bound in bounds.windows(2) {
        let first = cuts.len() - 1;
        let mut part = bound[0];
        for position in bound[0] + 1..bound[1] {
            if largest[position] - largest[part] >= part_rows {
                cuts.push(position);
                part = position;
            }
        }
        cuts.push(bound[1]);
        groups.push(first..cuts.len() - 1);
    }
    (cuts, groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stay_within_their_groups() {
        let divisions: Vec<usize> = (0..=200).map(|position| position * 3000).collect();
        let divisions = std::slice::from_ref(&divisions);
        let bounds = group_cuts(divisions);
        assert_eq!(bounds, [0, 44, 88, 132, 176, 200]);
        for part_rows in [1, 7000, 100_000, GROUP_ROWS, usize::MAX] {
            let (cuts, groups) = part_cuts(divisions, &bounds, part_rows);
            let ends: Vec<usize> = groups.iter().map(|parts| cuts[parts.end]).collect();
            assert_eq!(ends, bounds[1..], "{part_rows}");
            assert!(part_rows > 1 || cuts.len() == 201);
        }
    }

    #[test]
    fn nothing_is_one_part() {
        for starts in [vec![0], vec![]] {
            let (cuts, groups) = part_cuts(&[starts], &[0, 0], 10);
            assert_eq!(
                (cuts.as_slice(), groups.as_slice()),
                ([0, 0].as_slice(), std::slice::from_ref(&(0..1)))
            );
        }
        assert_eq!(group_cuts(&[vec![0]]), [0, 0]);
    }
}
