//! The records of a registry as they are now, read by demand.

use std::cell::RefCell;
use std::collections::HashMap;

use evaluate::records::{Extract, Records, key_text};
use pack::program::{ColumnId, EdgeId, EntityId, Program, Value};
use store::{StoreError, View};

/// A read view of a registry as `evaluate` reads it: records have numbers as they are met, and no results are stored.
pub struct RegistryRecords<'v> {
    program: &'v Program,
    view: View<'v>,
    met: RefCell<Met>,
}

#[derive(Default)]
struct Met {
    keys: HashMap<EntityId, Vec<String>>,
    rows: HashMap<(EntityId, String), u32>,
    fields: HashMap<(EntityId, u32), Vec<Option<Value>>>,
}

/// Records that are met are numbered from 0, new ones from here.
const NEW: u32 = 1 << 30;

impl<'v> RegistryRecords<'v> {
    pub fn new(program: &'v Program, view: View<'v>) -> Self {
        Self { program, view, met: RefCell::default() }
    }

    /// The number of the record with a key, whether it is there or not: of one that is not, nothing is known.
    pub fn row(&self, entity: EntityId, key: &str) -> u32 {
        let met = &mut *self.met.borrow_mut();
        if let Some(row) = met.rows.get(&(entity, key.to_owned())) {
            return *row;
        }
        let keys = met.keys.entry(entity).or_default();
        let row = keys.len() as u32;
        keys.push(key.to_owned());
        met.rows.insert((entity, key.to_owned()), row);
        row
    }

    fn key(&self, entity: EntityId, row: u32) -> Option<String> {
        self.met.borrow().keys.get(&entity)?.get(row as usize).cloned()
    }

    /// Reads the record unless it has been read.
    fn meet(&self, entity: EntityId, row: u32) -> Result<(), StoreError> {
        if self.met.borrow().fields.contains_key(&(entity, row)) {
            return Ok(());
        }
        let recorded = match self.key(entity, row) {
            Some(key) => self.view.record(entity, &key)?,
            None => None,
        };
        let unknown = || vec![None; self.program.entity(entity).fields.len()];
        let values = recorded.map_or_else(unknown, |record| record.values);
        self.met.borrow_mut().fields.insert((entity, row), values);
        Ok(())
    }

    /// What children name a record by.
    fn name(&self, entity: EntityId, on: ColumnId, row: u32) -> Result<Option<String>, StoreError> {
        if on == self.program.entity(entity).key {
            return Ok(self.key(entity, row));
        }
        Ok(self.value(on, row)?.as_ref().map(key_text))
    }
}

impl Records for RegistryRecords<'_> {
    type Error = StoreError;

    fn program(&self) -> &Program {
        self.program
    }

    fn parents(&self, edge: EdgeId, children: &[u32]) -> Result<Vec<Option<u32>>, StoreError> {
        let edge = self.program.edge(edge);
        let mut parents = Vec::with_capacity(children.len());
        for child in children {
            parents.push(match self.value(edge.via, *child)? {
                Some(Value::Text(named)) => self.find(edge.on, &named)?,
                _ => None,
            });
        }
        Ok(parents)
    }

    fn children(&self, id: EdgeId, parents: &[u32]) -> Result<Vec<(u32, u32)>, StoreError> {
        let edge = self.program.edge(id);
        let mut found = Vec::new();
        for parent in parents {
            let Some(name) = self.name(edge.parent, edge.on, *parent)? else { continue };
            let keys = self.view.children(id, &name)?;
            found.extend(keys.iter().map(|key| (self.row(edge.child, key), *parent)));
        }
        found.sort_unstable();
        Ok(found)
    }

    fn is_stored(&self, _: ColumnId) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn read(&self, entity: EntityId, columns: &[ColumnId], rows: &[u32]) -> Result<Extract, StoreError> {
        for row in rows {
            self.meet(entity, *row)?;
        }
        let declared = self.program.entity(entity);
        let met = self.met.borrow();
        let values = |column: &ColumnId| {
            let position = declared.fields.iter().position(|field| field == column);
            let value = |row: &u32| {
                if *column == declared.key {
                    return met.keys.get(&entity)?.get(*row as usize).cloned().map(Value::Text);
                }
                met.fields.get(&(entity, *row))?.get(position?).cloned().flatten()
            };
            rows.iter().map(value).collect()
        };
        Ok(Extract { columns: columns.iter().map(values).collect(), origins: Vec::new() })
    }

    fn find(&self, column: ColumnId, text: &str) -> Result<Option<u32>, StoreError> {
        let entity = self.program.column(column).entity;
        let key = self.view.lookup(entity, column, &[text])?.into_iter().next().flatten();
        Ok(key.map(|key| self.row(entity, &key)))
    }

    fn stray(&self, edge: EdgeId, text: &str) -> Result<Vec<u32>, StoreError> {
        let child = self.program.edge(edge).child;
        Ok(self.view.children(edge, text)?.iter().map(|key| self.row(child, key)).collect())
    }

    fn end(&self, _: EntityId) -> Result<u32, StoreError> {
        Ok(NEW)
    }
}
