//! From changes as people say them, by keys and names, to a layer over records, by rows.

use std::sync::Arc;

use pack::program::{ColumnId, EdgeId, EntityId, Program, Value};
use thiserror::Error;

use super::Records;
use super::overlay::{Overlay, Patch};

/// What happens to one record.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordChange {
    pub entity: EntityId,
    pub key: String,
    /// Fields with their values now; without any, the record is removed. A key that is not known is a new record.
    pub fields: Option<Vec<(ColumnId, Option<Value>)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Changed,
    Removed,
}

impl ChangeKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// The same by row.
#[derive(Clone, Debug)]
pub struct Change {
    pub entity: EntityId,
    pub row: u32,
    pub kind: ChangeKind,
    /// Fields with their new values; of a new record, all that are known, the key among them.
    pub fields: Vec<(ColumnId, Option<Value>)>,
}

/// Changes that have been placed over some records, and can be taken up by them.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// Those that were given, in their order; then records that find a parent again.
    pub changes: Vec<Change>,
    pub patch: Arc<Patch>,
}

/// Why changes cannot be laid.
#[derive(Debug, Error)]
pub enum LayError<E> {
    #[error(transparent)]
    Records(#[from] E),
    #[error("{entity} `{key}` is not there, and cannot be removed")]
    Unknown { entity: String, key: String },
    #[error("{entity} `{key}`: its key is given as something else")]
    Key { entity: String, key: String },
}

impl<R: Records> Overlay<R> {
    /// Places changes over this, which stays as it is: finds the records by their keys and the parents by the names
    /// that children give them, now and after the changes.
    ///
    /// # Errors
    /// Records that cannot be read, or are not there.
    pub fn lay(&self, changes: &[RecordChange]) -> Result<Layer, LayError<R::Error>> {
        let mut laying =
            Laying { before: self, after: Overlay::with(self, Patch::default()), changes: Vec::new() };
        for change in changes {
            laying.place(change)?;
        }
        laying.link()?;
        laying.release()?;
        laying.find_again()?;
        Ok(Layer { changes: laying.changes, patch: laying.after.into_patch() })
    }

    /// Lays changes and takes them up.
    ///
    /// # Errors
    /// As [`Self::lay`]; nothing has changed then.
    pub fn change(&mut self, changes: &[RecordChange]) -> Result<(), LayError<R::Error>> {
        let layer = self.lay(changes)?;
        self.absorb(layer.patch);
        Ok(())
    }
}

struct Laying<'o, R> {
    before: &'o Overlay<R>,
    after: Overlay<&'o Overlay<R>>,
    changes: Vec<Change>,
}

impl<R: Records> Laying<'_, R> {
    /// Finds the record, or a number for a new one, and lays its fields.
    fn place(&mut self, change: &RecordChange) -> Result<(), LayError<R::Error>> {
        let before = self.before;
        let program = before.program();
        let RecordChange { entity, ref key, ref fields } = *change;
        let key_column = program.entity(entity).key;
        let named = || (program.entity(entity).name.clone(), key.clone());
        let given = fields.iter().flatten().find(|(id, _)| *id == key_column);
        if given.is_some_and(|(_, value)| value.as_ref().map(key_text).as_ref() != Some(key)) {
            let (entity, key) = named();
            return Err(LayError::Key { entity, key });
        }
        let (row, kind) = match (before.find(key_column, key)?, fields) {
            (None, None) => {
                let (entity, key) = named();
                return Err(LayError::Unknown { entity, key });
            }
            (Some(row), None) => (row, ChangeKind::Removed),
            (Some(row), Some(_)) => (row, ChangeKind::Changed),
            (None, Some(_)) => (self.after.end(entity)?, ChangeKind::Added),
        };
        let mut fields = fields.clone().unwrap_or_default();
        let patch = self.after.patch_mut();
        match kind {
            ChangeKind::Removed => {
                patch.removed.insert((entity, row));
            }
            ChangeKind::Changed => {}
            ChangeKind::Added => {
                patch.added.insert((entity, row));
                patch.next.insert(entity, row + 1);
                if given.is_none() {
                    fields.push((key_column, Some(Value::Text(key.clone()))));
                }
            }
        }
        for (column, value) in &fields {
            patch.set_value(*column, row, value.clone());
            if let (true, Some(name)) = (names(program, *column), value.as_ref().map(key_text)) {
                patch.names.insert((*column, name), row);
            }
        }
        self.changes.push(Change { entity, row, kind, fields });
        Ok(())
    }

    /// Finds the parents that the changed records name.
    fn link(&mut self) -> Result<(), R::Error> {
        let program = self.before.program();
        for place in 0..self.changes.len() {
            let Change { entity, row, kind, .. } = self.changes[place];
            for (id, edge) in edges(program).filter(|(_, edge)| edge.child == entity) {
                let given = self.changes[place].fields.iter().find(|(field, _)| *field == edge.via);
                let named = match (given.map(|(_, value)| value.clone()), kind) {
                    (_, ChangeKind::Removed) => None,
                    (Some(named), _) => named,
                    (None, ChangeKind::Added) => None,
                    (None, ChangeKind::Changed) => continue,
                };
                let mut parent = None;
                if let Some(Value::Text(name)) = named {
                    parent = self.after.find(edge.on, &name)?;
                    if parent.is_none() {
                        let patch = self.after.patch_mut();
                        patch.waiting.entry((id, name)).or_default().insert(row);
                    }
                }
                self.set_parent(id, row, parent)?;
            }
        }
        Ok(())
    }

    /// Leaves the children of records that go without a parent, waiting for another of that name.
    fn release(&mut self) -> Result<(), R::Error> {
        let program = self.before.program();
        for place in 0..self.changes.len() {
            let Change { entity, row, kind, .. } = self.changes[place];
            if kind != ChangeKind::Removed {
                continue;
            }
            for (id, edge) in edges(program).filter(|(_, edge)| edge.parent == entity) {
                let name = self.before.value(edge.on, row)?;
                for (child, _) in self.before.children(id, &[row])? {
                    let patch = self.after.patch_mut();
                    if let Some(Value::Text(name)) = &name {
                        patch.waiting.entry((id, name.clone())).or_default().insert(child);
                    }
                    let moved = patch.parents.contains_key(&(id, child));
                    if !moved && !patch.removed.contains(&(edge.child, child)) {
                        patch.set_parent(id, child, None);
                    }
                }
            }
        }
        Ok(())
    }

    /// Links records that have named a new record before it was there.
    fn find_again(&mut self) -> Result<(), R::Error> {
        let program = self.before.program();
        for place in 0..self.changes.len() {
            let Change { entity, row, kind, .. } = self.changes[place];
            if kind != ChangeKind::Added {
                continue;
            }
            for (id, edge) in edges(program).filter(|(_, edge)| edge.parent == entity) {
                let name = self.changes[place].fields.iter().find(|(column, _)| *column == edge.on);
                let Some((_, Some(Value::Text(name)))) = name.cloned() else { continue };
                for child in self.after.stray(id, &name)? {
                    if self.after.parent(id, child)? == Some(row) {
                        continue;
                    }
                    self.set_parent(id, child, Some(row))?;
                    self.changes.push(Change {
                        entity: edge.child,
                        row: child,
                        kind: ChangeKind::Changed,
                        fields: Vec::new(),
                    });
                }
            }
        }
        Ok(())
    }

    fn set_parent(&mut self, edge: EdgeId, child: u32, parent: Option<u32>) -> Result<(), R::Error> {
        let entity = self.before.program().edge(edge).child;
        let added = self.after.patch().added.contains(&(entity, child));
        if added || self.before.parent(edge, child)? != parent {
            self.after.patch_mut().set_parent(edge, child, parent);
        }
        Ok(())
    }
}

fn edges(program: &Program) -> impl Iterator<Item = (EdgeId, &pack::program::Edge)> {
    program.edges.iter().enumerate().map(|(index, edge)| (EdgeId(index as u32), edge))
}

/// Whether records are found by a field: it is the key, or children name their parent by it.
fn names(program: &Program, column: ColumnId) -> bool {
    let entity = program.column(column).entity;
    program.entity(entity).key == column || program.edges.iter().any(|edge| edge.on == column)
}

/// A key as the office writes it.
pub fn key_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Index(value) => value.to_string(),
    }
}
