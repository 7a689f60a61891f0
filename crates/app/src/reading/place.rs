//! Divisions as places: what lies within them, what above and below.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::Array as _;
use model::DivisionCode;
use pack::program::{EdgeId, EntityId, Program, Value};

use store::{Registry, StoreError};

use super::{NOWHERE, Reading, locked};
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

/// Whether a registry has a division, whatever runs there are.
pub fn place_exists(registry: &Registry, program: &Program, code: DivisionCode) -> Result<bool, StoreError> {
    let level = code.level();
    let Some(entity) = levels(program)
        .into_iter()
        .find(|entity| program.entity(*entity).division.as_deref() == Some(level.as_str()))
    else {
        return Ok(false);
    };
    for spelling in [code.to_string(), code.short()] {
        if registry.view().record(entity, &spelling)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Reading {
    /// The entities that are divisions, the highest first.
    pub fn levels(&self) -> &[EntityId] {
        &self.levels
    }

    /// The division with a code, of whatever level; written short or with all digits.
    pub fn place(&self, code: &str) -> Result<Option<Place>, TableError> {
        let parsed = code.parse::<DivisionCode>().ok();
        let spellings =
            [Some(code.to_owned()), parsed.map(|code| code.to_string()), parsed.map(DivisionCode::short)];
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
            let Some(edge) =
                program.entity(*level).parent.filter(|edge| program.edge(*edge).parent == place.level)
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

    /// Whether a division is more than a line of the division list: something is recorded below it, or of a lowest
    /// division itself.
    pub fn is_peopled(&self, place: Place) -> Result<bool, TableError> {
        Ok(self.peopled(place.level)?.get(place.row as usize).copied().unwrap_or(false))
    }

    /// The same of all divisions of a level. Of the others no figure is: to call them unknown would hide those that are.
    pub(super) fn peopled(&self, level: EntityId) -> Result<Arc<[bool]>, TableError> {
        if let Some(known) = locked(&self.peopled).get(&level) {
            return Ok(Arc::clone(known));
        }
        let program = self.program();
        let mut peopled = vec![false; self.rows(level)];
        let mut lowest = true;
        for (at, edge) in
            program.edges.iter().enumerate().filter(|(_, edge)| edge.parent == level && edge.tree)
        {
            let is_division = program.entity(edge.child).division.is_some();
            lowest &= !is_division;
            let below = if is_division { Some(self.peopled(edge.child)?) } else { None };
            for (child, parent) in self.links(EdgeId(at as u32))?.iter().enumerate() {
                if below.as_ref().is_none_or(|below| below[child])
                    && let Some(slot) = peopled.get_mut(*parent as usize)
                {
                    *slot = true;
                }
            }
        }
        if lowest {
            let facts = program.entity(level).fields.iter().filter(|id| program.column(**id).nullable);
            for id in facts {
                let Some(array) = self.column(*id)? else { continue };
                peopled.iter_mut().enumerate().for_each(|(row, peopled)| *peopled |= array.is_valid(row));
            }
        }
        let peopled: Arc<[bool]> = peopled.into();
        locked(&self.peopled).insert(level, Arc::clone(&peopled));
        Ok(peopled)
    }

    /// Rows of an entity within a division that figures are about: divisions of which nothing is recorded are not.
    pub(super) fn subjects(&self, entity: EntityId, place: Place) -> Result<Vec<u32>, TableError> {
        let mut rows = self.within(entity, place)?;
        if self.program().entity(entity).division.is_some() {
            let peopled = self.peopled(entity)?;
            rows.retain(|row| peopled[*row as usize]);
        }
        Ok(rows)
    }
}
