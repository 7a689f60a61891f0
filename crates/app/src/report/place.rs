//! Where records belong, and which divisions are more than a line of the division list.

use std::rc::Rc;

use arrow::array::{Array as _, RecordBatch};
use pack::program::{EntityId, Value};

use super::{ReportError, Writer};
use crate::cases::cell;
use crate::tables::{StoredTable, TableError};

/// Where a record belongs.
#[derive(Clone, Default)]
pub(super) struct Place {
    pub township: Rc<str>,
    pub village: Rc<str>,
    /// Whether anything is recorded there: the division list alone makes no subject of a report.
    pub peopled: bool,
}

/// Township and village.
pub(super) type Names = (Rc<str>, Rc<str>);

impl Writer<'_> {
    /// Township and village of every row of an entity; empty where it has none.
    pub(super) fn places(&mut self, entity: EntityId) -> Result<Rc<Vec<Place>>, ReportError> {
        if let Some(known) = self.places.get(&entity) {
            return Ok(Rc::clone(known));
        }
        let batch = self.recorded(entity)?;
        let table = self.program.entity(entity).clone();
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
        let names = batch.column_by_name("name");
        let mut places = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let parent = above.as_ref().and_then(|(places, column)| match cell(column.as_ref()?, row)? {
                Value::Number(number) => places.get(usize::try_from(number).ok()?),
                _ => None,
            });
            let mut place = parent.cloned().unwrap_or_default();
            let name = || match names.and_then(|array| cell(array, row)) {
                Some(Value::Text(name)) => Rc::from(name),
                _ => Rc::from(""),
            };
            match table.division.as_deref() {
                Some("village") => place.village = name(),
                Some("township") => place.township = name(),
                _ => {}
            }
            place.peopled = own_peopled.as_ref().is_none_or(|peopled| peopled[row]);
            places.push(place);
        }
        let places = Rc::new(places);
        self.places.insert(entity, Rc::clone(&places));
        Ok(places)
    }

    fn recorded(&self, entity: EntityId) -> Result<RecordBatch, TableError> {
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
