//! Where records belong, and which divisions are more than a line of the division list.

use std::collections::BTreeSet;
use std::rc::Rc;

use arrow::array::{Array as _, RecordBatch};
use pack::program::{EntityId, Program, Value};

use super::{ReportError, Writer};
use crate::cells::cell;
use crate::tables::{StoredTable, TableError};

/// Where a record belongs.
#[derive(Clone, Default)]
pub(super) struct Place {
    /// Names of its divisions, the highest first; empty below the lowest it has.
    pub names: Names,
    /// Whether anything is recorded there: the division list alone makes no subject of a report.
    pub peopled: bool,
}

/// A name for every level of the division tree, the highest first.
pub(super) type Names = Rc<[Rc<str>]>;

/// The entities that are divisions, the highest first.
pub(super) fn levels(program: &Program) -> Vec<EntityId> {
    let depth = |mut entity: EntityId| {
        let mut depth = 0;
        while let Some(edge) = program.entity(entity).parent {
            entity = program.edge(edge).parent;
            depth += 1;
        }
        depth
    };
    let all = (0..program.entities.len() as u32).map(EntityId);
    let mut levels: Vec<EntityId> = all.filter(|id| program.entity(*id).division.is_some()).collect();
    levels.sort_by_key(|id| depth(*id));
    levels
}

impl Writer<'_> {
    /// The divisions of every row of an entity.
    pub(super) fn places(&mut self, entity: EntityId) -> Result<Rc<Vec<Place>>, ReportError> {
        if let Some(known) = self.places.get(&entity) {
            return Ok(Rc::clone(known));
        }
        let batch = self.recorded(entity)?;
        let table = self.program.entity(entity);
        let own_peopled = match table.division {
            Some(_) => Some(self.peopled(entity)?),
            None => None,
        };
        let above = match table.parent {
            Some(edge) => {
                let edge = self.program.edge(edge);
                let column = batch.column_by_name(&format!("_{}", edge.name)).cloned();
                Some((self.places(edge.parent)?, column))
            }
            None => None,
        };
        let level = self.levels.iter().position(|level| *level == entity);
        let nowhere: Names = vec![Rc::from(""); self.levels.len()].into();
        let names = batch.column_by_name("name");
        let mut places = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let parent = above.as_ref().and_then(|(places, column)| match cell(column.as_ref()?, row)? {
                Value::Number(number) => places.get(usize::try_from(number).ok()?),
                _ => None,
            });
            let mut of = parent.map_or_else(|| Rc::clone(&nowhere), |parent| Rc::clone(&parent.names));
            if let Some(level) = level {
                let mut own = of.to_vec();
                if let Some(Value::Text(name)) = names.and_then(|array| cell(array, row)) {
                    own[level] = Rc::from(name);
                }
                of = own.into();
            }
            let peopled = own_peopled.as_ref().is_none_or(|peopled| peopled[row]);
            places.push(Place { names: of, peopled });
        }
        let places = Rc::new(places);
        self.places.insert(entity, Rc::clone(&places));
        Ok(places)
    }

    /// The levels that tell the places of a run apart, with the one above them: a county's workbook does not name its
    /// province on every row.
    pub(super) fn shown_levels(&mut self) -> Result<Rc<[usize]>, ReportError> {
        if let Some(known) = &self.shown_levels {
            return Ok(Rc::clone(known));
        }
        let count = self.levels.len();
        let mut first = count.saturating_sub(1);
        for level in 0..count {
            let places = self.places(self.levels[level])?;
            let names: BTreeSet<&Names> =
                places.iter().filter(|place| place.peopled).map(|place| &place.names).collect();
            if names.len() > 1 {
                first = level.saturating_sub(1);
                break;
            }
        }
        let shown: Rc<[usize]> = (first..count).collect();
        self.shown_levels = Some(Rc::clone(&shown));
        Ok(shown)
    }

    pub(super) fn recorded(&self, entity: EntityId) -> Result<RecordBatch, TableError> {
        if let Some(Some(loaded)) = self.tables.get(&entity) {
            return Ok(loaded.recorded.clone());
        }
        let name = format!("{}.parquet", self.program.entity(entity).name);
        StoredTable::open(&self.run.snapshot.join(name))?.read_all()
    }

    /// Divisions where something is recorded beyond their code and name, or below which something is.
    fn peopled(&mut self, entity: EntityId) -> Result<Rc<Vec<bool>>, ReportError> {
        if let Some(known) = self.peopled.get(&entity) {
            return Ok(Rc::clone(known));
        }
        let batch = self.recorded(entity)?;
        let mut peopled = vec![false; batch.num_rows()];
        let program = self.program;
        let lowest = !program
            .edges
            .iter()
            .any(|edge| edge.parent == entity && edge.tree && program.entity(edge.child).division.is_some());
        if lowest {
            let facts = program.entity(entity).fields.iter().filter(|id| program.column(**id).nullable);
            for array in facts.filter_map(|id| batch.column_by_name(&program.column(*id).name)) {
                for (row, slot) in peopled.iter_mut().enumerate() {
                    *slot |= array.is_valid(row);
                }
            }
        }
        for edge in program.edges.iter().filter(|edge| edge.parent == entity && edge.tree) {
            let child = self.recorded(edge.child)?;
            let below = if program.entity(edge.child).division.is_some() {
                Some(self.peopled(edge.child)?)
            } else {
                None
            };
            let Some(array) = child.column_by_name(&format!("_{}", edge.name)) else { continue };
            for row in 0..child.num_rows() {
                if below.as_ref().is_some_and(|below| !below[row]) {
                    continue;
                }
                if let Some(Value::Number(parent)) = cell(array, row)
                    && let Some(slot) =
                        usize::try_from(parent).ok().and_then(|parent| peopled.get_mut(parent))
                {
                    *slot = true;
                }
            }
        }
        let peopled = Rc::new(peopled);
        self.peopled.insert(entity, Rc::clone(&peopled));
        Ok(peopled)
    }
}
