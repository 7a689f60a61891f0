//! Parts: ranges of rows of every entity below the split level that need nothing of one another.

use std::ops::Range;

use datafusion::arrow::array::Array;
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

/// Rows of the largest entity in a group.
const GROUP_ROWS: usize = super::PART_ROWS;

impl Layout {
    /// Splits along the tree below the county (or the village, in a program without counties) into parts
    /// of about `part_rows` rows of the largest entity.
    pub fn new(program: &Program, snapshot: &Snapshot, part_rows: usize) -> Result<Self, EngineError> {
        let count = program.entities.len();
        let Some(top) = split_entity(program) else {
            // Without a division everything is one part.
            return Ok(Self::whole(program, snapshot));
        };
        let mut starts: Vec<Vec<usize>> = vec![vec![]; count];
        starts[top.index()] = (0..=snapshot.rows(top)).collect();
        for (index, entity) in program.entities.iter().enumerate() {
            if let Some(edge) = entity.parent.filter(|_| index != top.index()) {
                let parents = &starts[program.edges[edge.index()].parent.index()];
                if !parents.is_empty() {
                    starts[index] = boundaries(program, snapshot, edge, parents)?;
                }
            }
        }
        let split = starts.iter().map(|starts| !starts.is_empty()).collect();
        let (cuts, groups) = cuts(&starts, part_rows.max(1));
        let parts = cuts.len() - 1;
        for (index, starts) in starts.iter_mut().enumerate().filter(|(_, starts)| !starts.is_empty()) {
            *starts = cuts.iter().map(|cut| starts[*cut]).collect();
            // Rows without a parent come last and go with the last part.
            starts[parts] = snapshot.rows(EntityId(index as u32));
            starts[0] = 0;
        }
        Ok(Self { split, starts, parts, groups })
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
        let starts = &self.starts[entity.index()];
        let parts = &self.groups[group];
        starts[parts.start]..starts[parts.end]
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
    let level = |level: &str| {
        let found = program.entities.iter().position(|entity| entity.division.as_deref() == Some(level));
        found.map(|index| EntityId(index as u32))
    };
    level("county").or_else(|| level("village"))
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

/// Positions at which the divisions are cut into parts of about `part_rows` of what has most, and the parts of
/// each group.
fn cuts(starts: &[Vec<usize>], part_rows: usize) -> (Vec<usize>, Vec<Range<usize>>) {
    let largest = starts.iter().filter(|starts| !starts.is_empty()).max_by_key(|starts| starts.last());
    let Some(largest) = largest else { return (vec![0, 0], std::iter::once(0..1).collect()) };
    let last = largest.len() - 1;
    let (mut cuts, mut groups) = (vec![0], vec![]);
    let (mut part, mut group, mut first) = (0, 0, 0);
    for position in 1..=last {
        let ends = |since: usize, rows: usize| position == last || largest[position] - largest[since] >= rows;
        let grouped = ends(group, GROUP_ROWS);
        if grouped || ends(part, part_rows) {
            cuts.push(position);
            part = position;
        }
        if grouped {
            groups.push(first..cuts.len() - 1);
            (group, first) = (position, cuts.len() - 1);
        }
    }
    if last == 0 {
        return (vec![0, 0], std::iter::once(0..1).collect());
    }
    (cuts, groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_the_same_whatever_the_parts() {
        let divisions: Vec<usize> = (0..=200).map(|position| position * 3000).collect();
        let ends = |part_rows: usize| {
            let (cuts, groups) = cuts(std::slice::from_ref(&divisions), part_rows);
            assert_eq!(groups.last().map(|parts| parts.end), Some(cuts.len() - 1));
            groups.iter().map(|parts| cuts[parts.end]).collect::<Vec<_>>()
        };
        let whole = ends(usize::MAX);
        assert_eq!(whole, [44, 88, 132, 176, 200]);
        for part_rows in [1, 7000, 100_000, GROUP_ROWS] {
            assert_eq!(ends(part_rows), whole, "{part_rows}");
        }
    }

    #[test]
    fn nothing_is_one_part() {
        assert_eq!(cuts(&[vec![0]], 10), (vec![0, 0], vec![0..1]));
        assert_eq!(cuts(&[vec![]], 10), (vec![0, 0], vec![0..1]));
    }
}
