//! Divisions as places: what lies within them, what above and below.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::Array as _;
use model::DivisionCode;
use pack::program::{EntityId, Program, Value};

use super::{NOWHERE, Reading, locked};
use crate::cases::cell;
use crate::tables::TableError;

/// A division of the run: the entity of its level, and its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub level: EntityId,
    pub row: u32,
}

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

impl Reading {
    /// The entities that are divisions, the highest first.
    pub fn levels(&self) -> &[EntityId] {
        &self.levels
    }

    /// The division with a code, of whatever level; written short or with all digits.
    pub fn place(&self, code: &str) -> Result<Option<Place>, TableError> {
        let parsed = code.parse::<DivisionCode>().ok();
        let spellings = [Some(code.to_owned()), parsed.map(|code| code.to_string()), parsed.map(DivisionCode::short)];
        for spelling in spellings.into_iter().flatten() {
            for level in &self.levels {
                if let Some(row) = self.find(*level, &spelling)? {
                    return Ok(Some(Place { level: *level, row }));
                }
            }
        }
        Ok(None)
    }

    /// The division's code, short.
    pub fn place_code(&self, place: Place) -> Result<String, TableError> {
        let key = self.key(place.level, place.row)?;
        Ok(key.parse::<DivisionCode>().map_or(key, DivisionCode::short))
    }

    /// The division's name; its code where it has none.
    pub fn place_name(&self, place: Place) -> Result<String, TableError> {
        let name = self.program().column_named(place.level, "name");
        let name = name.map(|id| self.value(id, place.row)).transpose()?.flatten();
        match name {
            Some(Value::Text(name)) => Ok(name),
            _ => self.place_code(place),
        }
    }

    /// The divisions above one and itself, the highest first.
    pub fn path(&self, place: Place) -> Result<Vec<Place>, TableError> {
        self.path_of(place.level, place.row)
    }

    /// The divisions that a record lies in, the highest first; a division is its own.
    pub fn path_of(&self, entity: EntityId, row: u32) -> Result<Vec<Place>, TableError> {
        let program = self.program();
        let (mut at, mut at_row) = (entity, row);
        let mut path = Vec::new();
        loop {
            if program.entity(at).division.is_some() {
                path.push(Place { level: at, row: at_row });
            }
            let Some(edge) = program.entity(at).parent else { break };
            let above = self.links(edge)?.get(at_row as usize).copied().unwrap_or(NOWHERE);
            if above == NOWHERE {
                break;
            }
            (at, at_row) = (program.edge(edge).parent, above);
        }
        path.reverse();
        Ok(path)
    }

    /// The divisions right below one, in the order of their codes.
    pub fn places_below(&self, place: Place) -> Result<Vec<Place>, TableError> {
        let program = self.program();
        let mut below = Vec::new();
        for level in &self.levels {
            let Some(edge) = program.entity(*level).parent.filter(|edge| program.edge(*edge).parent == place.level)
            else {
                continue;
            };
            below.extend(self.children(edge, place.row)?.into_iter().map(|row| Place { level: *level, row }));
        }
        Ok(below)
    }

    /// For every record of an entity the row of the record above it that is of another entity, a division mostly;
    /// [`NOWHERE`] where it has none.
    pub fn above(&self, entity: EntityId, level: EntityId) -> Result<Arc<[u32]>, TableError> {
        if let Some(known) = locked(&self.above).get(&(entity, level)) {
            return Ok(Arc::clone(known));
        }
        let program = self.program();
        let rows: Arc<[u32]> = if entity == level {
            (0..self.rows(entity) as u32).collect()
        } else if let Some(edge) = program.entity(entity).parent {
            let parents = self.above(program.edge(edge).parent, level)?;
            let link = |row: &u32| parents.get(*row as usize).copied().unwrap_or(NOWHERE);
            self.links(edge)?.iter().map(link).collect()
        } else {
            vec![NOWHERE; self.rows(entity)].into()
        };
        locked(&self.above).insert((entity, level), Arc::clone(&rows));
        Ok(rows)
    }

    /// Rows of an entity that lie within a division. The one division at the top holds everything, records that hang
    /// from no division included.
    pub fn within(&self, entity: EntityId, place: Place) -> Result<Vec<u32>, TableError> {
        let all = 0..self.rows(entity) as u32;
        if self.is_whole(place) {
            return Ok(all.collect());
        }
        let above = self.above(entity, place.level)?;
        Ok(all.filter(|row| above[*row as usize] == place.row).collect())
    }

    /// Whether a record lies within a division.
    pub fn is_within(&self, entity: EntityId, row: u32, place: Place) -> Result<bool, TableError> {
        Ok(self.is_whole(place) || self.above(entity, place.level)?.get(row as usize) == Some(&place.row))
    }

    /// Whether a division is the only one at the top.
    pub fn is_whole(&self, place: Place) -> bool {
        self.levels.first() == Some(&place.level) && self.rows(place.level) == 1
    }

    /// The lowest division that holds all records which are no divisions: whose registry it is. None without divisions.
    pub fn home(&self) -> Result<Option<Place>, TableError> {
        let program = self.program();
        let mut home = None;
        let records: Vec<EntityId> = (0..program.entities.len() as u32)
            .map(EntityId)
            .filter(|id| program.entity(*id).division.is_none() && self.rows(*id) > 0)
            .collect();
        for level in &self.levels {
            let mut seen = BTreeSet::new();
            for entity in &records {
                if program.entity(*entity).parent.is_some() {
                    seen.extend(self.above(*entity, *level)?.iter().copied());
                }
            }
            let only = seen.into_iter().collect::<Vec<_>>();
            match only.as_slice() {
                [row] if *row != NOWHERE => home = Some(Place { level: *level, row: *row }),
                _ => break,
            }
        }
        let top = self.levels.first().filter(|level| self.rows(**level) > 0);
        Ok(home.or_else(|| top.map(|level| Place { level: *level, row: 0 })))
    }

    /// Whether anything is recorded of the records below a division, or of a lowest division itself beyond its code,
    /// name and place.
    pub fn is_peopled(&self, place: Place) -> Result<bool, TableError> {
        let program = self.program();
        for (index, entity) in program.entities.iter().enumerate() {
            let id = EntityId(index as u32);
            if entity.division.is_none() && self.rows(id) > 0 && entity.parent.is_some() {
                let above = self.above(id, place.level)?;
                if above.contains(&place.row) {
                    return Ok(true);
                }
            }
        }
        if self.levels.last() != Some(&place.level) {
            return Ok(false);
        }
        for id in &program.entity(place.level).fields {
            let column = program.column(*id);
            if column.nullable
                && let Some(array) = self.column(*id)?
                && array.len() > place.row as usize
                && cell(&array, place.row as usize).is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
