//! Changes laid over records that stay as they are.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use pack::program::{ColumnId, EdgeId, EntityId, Program, Value};

use super::{Extract, Records};

/// What is other than the records below say, apart from them: it can be kept for each user over one base that all
/// share, and laid over it again when it is asked about.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// Fields and results with their values now.
    pub(super) values: HashMap<(ColumnId, u32), Option<Value>>,
    /// Parents now, of records that have another than below.
    pub(super) parents: HashMap<(EdgeId, u32), Option<u32>>,
    /// Children by these parents.
    children: HashMap<(EdgeId, u32), BTreeSet<u32>>,
    pub(super) added: HashSet<(EntityId, u32)>,
    pub(super) removed: HashSet<(EntityId, u32)>,
    /// Added records by the texts by which others name them.
    pub(super) names: HashMap<(ColumnId, String), u32>,
    /// Records that name one that is not there.
    pub(super) waiting: HashMap<(EdgeId, String), BTreeSet<u32>>,
    /// The next free number of an entity.
    pub(super) next: HashMap<EntityId, u32>,
}

impl Patch {
    /// Whether nothing is other than below.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.parents.is_empty() && self.added.is_empty() && self.removed.is_empty()
    }

    /// The value now of a cell that was laid.
    pub fn value(&self, column: ColumnId, row: u32) -> Option<&Option<Value>> {
        self.values.get(&(column, row))
    }

    pub(crate) fn set_value(&mut self, column: ColumnId, row: u32, value: Option<Value>) {
        self.values.insert((column, row), value);
    }

    pub(super) fn set_parent(&mut self, edge: EdgeId, child: u32, parent: Option<u32>) {
        if let Some(Some(before)) = self.parents.insert((edge, child), parent) {
            self.children.entry((edge, before)).or_default().remove(&child);
        }
        if let Some(parent) = parent {
            self.children.entry((edge, parent)).or_default().insert(child);
        }
    }

    /// Records that have another parent than below, by edge and child; in order.
    pub(crate) fn moved(&self) -> Vec<((EdgeId, u32), Option<u32>)> {
        let mut moved: Vec<_> = self.parents.iter().map(|(place, parent)| (*place, *parent)).collect();
        moved.sort_unstable();
        moved
    }

    pub(crate) fn added(&self) -> &HashSet<(EntityId, u32)> {
        &self.added
    }

    pub(crate) fn removed(&self) -> &HashSet<(EntityId, u32)> {
        &self.removed
    }

    /// The children of a parent now, of those (rising) that it has below.
    pub(crate) fn children(&self, edge: EdgeId, parent: u32, below: Arc<[u32]>) -> Arc<[u32]> {
        if self.parents.is_empty() {
            return below;
        }
        let stays =
            |child: &u32| self.parents.get(&(edge, *child)).is_none_or(|moved_to| *moved_to == Some(parent));
        let come = self.children.get(&(edge, parent)).into_iter().flatten().copied();
        let mut rows: Vec<u32> = below.iter().copied().filter(stays).chain(come).collect();
        rows.sort_unstable();
        rows.dedup();
        rows.into()
    }
}

/// Records as they would be.
///
/// Results of a run are those of the run, until [`crate::reassess`] has laid what they become.
#[derive(Clone, Debug)]
pub struct Overlay<R> {
    base: R,
    patch: Arc<Patch>,
}

impl<R: Records> Overlay<R> {
    /// Nothing is other than in the base.
    pub fn new(base: R) -> Self {
        Self::with(base, Patch::default())
    }

    /// What was pending over the same base before; it may be shared.
    pub fn with(base: R, patch: impl Into<Arc<Patch>>) -> Self {
        Self { base, patch: patch.into() }
    }

    pub fn base(&self) -> &R {
        &self.base
    }

    pub fn patch(&self) -> &Patch {
        &self.patch
    }

    pub(crate) fn patch_mut(&mut self) -> &mut Patch {
        Arc::make_mut(&mut self.patch)
    }

    /// What is pending, to be kept without the base.
    pub fn into_patch(self) -> Arc<Patch> {
        self.patch
    }

    /// Takes up what was laid over this.
    pub fn absorb(&mut self, layer: Arc<Patch>) {
        let Self { base, patch } = self;
        let (program, patch, layer) = (base.program(), Arc::make_mut(patch), Arc::unwrap_or_clone(layer));
        patch.values.extend(layer.values);
        for ((edge, child), parent) in layer.parents {
            patch.set_parent(edge, child, parent);
        }
        patch.names.retain(|(on, _), row| !layer.removed.contains(&(program.column(*on).entity, *row)));
        patch.added.extend(layer.added);
        patch.removed.extend(layer.removed);
        patch.names.extend(layer.names);
        for (name, children) in layer.waiting {
            patch.waiting.entry(name).or_default().extend(children);
        }
        patch.next.extend(layer.next);
    }

    fn is_added(&self, entity: EntityId, row: u32) -> bool {
        self.patch.added.contains(&(entity, row))
    }

    fn is_removed(&self, entity: EntityId, row: u32) -> bool {
        self.patch.removed.contains(&(entity, row))
    }
}

impl<R: Records> Records for Overlay<R> {
    type Error = R::Error;

    fn program(&self) -> &Program {
        self.base.program()
    }

    fn parents(&self, edge: EdgeId, children: &[u32]) -> Result<Vec<Option<u32>>, R::Error> {
        if self.patch.parents.is_empty() && self.patch.added.is_empty() {
            return self.base.parents(edge, children);
        }
        children.iter().map(|child| self.parent(edge, *child)).collect()
    }

    fn parent(&self, edge: EdgeId, child: u32) -> Result<Option<u32>, R::Error> {
        match self.patch.parents.get(&(edge, child)) {
            Some(parent) => Ok(*parent),
            None if self.is_added(self.program().edge(edge).child, child) => Ok(None),
            None => self.base.parent(edge, child),
        }
    }

    fn children(&self, edge: EdgeId, parents: &[u32]) -> Result<Vec<(u32, u32)>, R::Error> {
        if self.patch.parents.is_empty() && self.patch.added.is_empty() {
            return self.base.children(edge, parents);
        }
        let entity = self.program().edge(edge).parent;
        let below: Vec<u32> =
            parents.iter().copied().filter(|parent| !self.is_added(entity, *parent)).collect();
        let moved = |child: &u32| self.patch.parents.contains_key(&(edge, *child));
        let mut rows = self.base.children(edge, &below)?;
        rows.retain(|(child, _)| !moved(child));
        for parent in parents {
            let come = self.patch.children.get(&(edge, *parent)).into_iter().flatten();
            rows.extend(come.map(|child| (*child, *parent)));
        }
        rows.sort_unstable();
        Ok(rows)
    }

    fn knows_children(&self, edge: EdgeId, parent: u32) -> bool {
        let entity = self.program().edge(edge).parent;
        self.is_added(entity, parent) || self.base.knows_children(edge, parent)
    }

    fn is_stored(&self, column: ColumnId) -> Result<bool, R::Error> {
        self.base.is_stored(column)
    }

    fn read(&self, entity: EntityId, columns: &[ColumnId], rows: &[u32]) -> Result<Extract, R::Error> {
        let below: Vec<u32> = rows.iter().copied().filter(|row| !self.is_added(entity, *row)).collect();
        let read = self.base.read(entity, columns, &below)?;
        let place = |row: &u32| below.binary_search(row).ok();
        let places: Vec<Option<usize>> = rows.iter().map(place).collect();
        let now = |column: ColumnId, values: Vec<Option<Value>>| {
            let each = rows.iter().zip(&places).map(|(row, place)| {
                let laid = self.patch.values.get(&(column, *row));
                laid.cloned().unwrap_or_else(|| place.and_then(|place| values.get(place).cloned().flatten()))
            });
            each.collect()
        };
        let origins = if read.origins.is_empty() {
            Vec::new()
        } else {
            places.iter().map(|place| place.and_then(|place| read.origins[place].clone())).collect()
        };
        let columns = columns.iter().zip(read.columns).map(|(column, values)| now(*column, values));
        Ok(Extract { columns: columns.collect(), origins })
    }

    fn value(&self, column: ColumnId, row: u32) -> Result<Option<Value>, R::Error> {
        match self.patch.values.get(&(column, row)) {
            Some(value) => Ok(value.clone()),
            None if self.is_added(self.program().column(column).entity, row) => Ok(None),
            None => self.base.value(column, row),
        }
    }

    fn find(&self, column: ColumnId, text: &str) -> Result<Option<u32>, R::Error> {
        if let Some(row) = self.patch.names.get(&(column, text.to_owned())) {
            return Ok(Some(*row));
        }
        let entity = self.program().column(column).entity;
        let found = self.base.find(column, text)?.filter(|row| !self.is_removed(entity, *row));
        // It may be called otherwise now.
        let still = |row: &u32| match self.patch.values.get(&(column, *row)) {
            Some(Some(Value::Text(now))) => now == text,
            Some(_) => false,
            None => true,
        };
        Ok(found.filter(still))
    }

    fn stray(&self, edge: EdgeId, text: &str) -> Result<Vec<u32>, R::Error> {
        let declared = self.program().edge(edge);
        let mut rows: BTreeSet<u32> = self.base.stray(edge, text)?.into_iter().collect();
        rows.extend(self.patch.waiting.get(&(edge, text.to_owned())).into_iter().flatten());
        let mut found = Vec::new();
        for row in rows {
            let names = |value: Option<Value>| matches!(value, Some(Value::Text(named)) if named == text);
            if !self.is_removed(declared.child, row) && names(self.value(declared.via, row)?) {
                found.push(row);
            }
        }
        Ok(found)
    }

    fn end(&self, entity: EntityId) -> Result<u32, R::Error> {
        self.patch.next.get(&entity).map_or_else(|| self.base.end(entity), |next| Ok(*next))
    }
}
