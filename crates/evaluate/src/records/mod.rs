//! The facts around records, wherever they lie, and changes that are laid over them.
//!
//! [`Records`] is what checks of an import, forms, explanations and reassessment read: the fields of a record, its
//! parents, its children, and stored results where there is a run. A run with its snapshot, a registry's read view,
//! an import that is being checked and facts in memory answer it alike. An [`Overlay`] lays changes over any of them
//! and is read in the same way, so that what would be is found as what is. [`needed`] finds what some columns rest
//! on, and [`gather`] reads just that.
//!
//! Deliberately lacking: files, databases and locks, and any way to change what lies below an overlay.

mod facts;
mod gather;
mod lay;
mod needed;
mod overlay;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use pack::program::{ColumnId, EdgeId, EntityId, Program, Value};

use crate::interpret::Provenance;

pub use facts::FactRecords;
pub use gather::{Gathered, gather};
pub use lay::{Change, ChangeKind, LayError, Layer, RecordChange, key_text};
pub use needed::{Branch, Needed, needed};
pub use overlay::{Overlay, Patch};

/// Records and, where there is a run, results; by entity and row. Rows are numbers that whoever holds the records gives
/// them, the same for as long as it is asked.
pub trait Records {
    type Error;

    /// The program whose entities and columns these are.
    fn program(&self) -> &Program;

    /// The parent's row of each child's row along an edge.
    ///
    /// # Errors
    /// Records that cannot be read; so it is with all of these.
    fn parents(&self, edge: EdgeId, children: &[u32]) -> Result<Vec<Option<u32>>, Self::Error>;

    /// Every child of the parents (rising) along an edge, with its parent; children rise.
    fn children(&self, edge: EdgeId, parents: &[u32]) -> Result<Vec<(u32, u32)>, Self::Error>;

    /// Whether it is known who the children of a parent are; where it is not, what is counted or summed of them is
    /// unknown.
    fn knows_children(&self, _edge: EdgeId, _parent: u32) -> bool {
        true
    }

    /// Whether the results of a computed column are stored.
    fn is_stored(&self, column: ColumnId) -> Result<bool, Self::Error>;

    /// Recorded fields and stored results of an entity's rows (rising). With the key come the origins of the records.
    fn read(&self, entity: EntityId, columns: &[ColumnId], rows: &[u32]) -> Result<Extract, Self::Error>;

    /// The first record with a text in a field: its key, or another by which children name it.
    fn find(&self, column: ColumnId, text: &str) -> Result<Option<u32>, Self::Error>;

    /// The records that may name a parent by a text along an edge although there was none of that name. Some may
    /// name another: whoever asks looks.
    fn stray(&self, edge: EdgeId, text: &str) -> Result<Vec<u32>, Self::Error>;

    /// Numbers from here on are free for new records.
    fn end(&self, entity: EntityId) -> Result<u32, Self::Error>;

    /// The parent of one record.
    ///
    /// # Errors
    /// As all of these.
    fn parent(&self, edge: EdgeId, child: u32) -> Result<Option<u32>, Self::Error> {
        Ok(self.parents(edge, &[child])?.into_iter().next().flatten())
    }

    /// One field or stored result.
    ///
    /// # Errors
    /// As all of these.
    fn value(&self, column: ColumnId, row: u32) -> Result<Option<Value>, Self::Error> {
        let entity = self.program().column(column).entity;
        let read = self.read(entity, &[column], &[row])?;
        Ok(read.columns.into_iter().next().and_then(|values| values.into_iter().next()).flatten())
    }
}

/// Some columns of some rows.
#[derive(Clone, Debug, Default)]
pub struct Extract {
    /// By column as asked for, by row as asked for.
    pub columns: Vec<Vec<Option<Value>>>,
    /// By row, where the origins are known and the key was asked for; else empty.
    pub origins: Vec<Option<Provenance>>,
}

/// What is borrowed or shared is read as what is owned.
macro_rules! records_behind {
    ($pointer:ty) => {
        impl<R: Records> Records for $pointer {
            type Error = R::Error;

            fn program(&self) -> &Program {
                (**self).program()
            }

            fn parents(&self, edge: EdgeId, children: &[u32]) -> Result<Vec<Option<u32>>, Self::Error> {
                (**self).parents(edge, children)
            }

            fn children(&self, edge: EdgeId, parents: &[u32]) -> Result<Vec<(u32, u32)>, Self::Error> {
                (**self).children(edge, parents)
            }

            fn knows_children(&self, edge: EdgeId, parent: u32) -> bool {
                (**self).knows_children(edge, parent)
            }

            fn is_stored(&self, column: ColumnId) -> Result<bool, Self::Error> {
                (**self).is_stored(column)
            }

            fn read(
                &self,
                entity: EntityId,
                columns: &[ColumnId],
                rows: &[u32],
            ) -> Result<Extract, Self::Error> {
                (**self).read(entity, columns, rows)
            }

            fn find(&self, column: ColumnId, text: &str) -> Result<Option<u32>, Self::Error> {
                (**self).find(column, text)
            }

            fn stray(&self, edge: EdgeId, text: &str) -> Result<Vec<u32>, Self::Error> {
                (**self).stray(edge, text)
            }

            fn end(&self, entity: EntityId) -> Result<u32, Self::Error> {
                (**self).end(entity)
            }

            fn parent(&self, edge: EdgeId, child: u32) -> Result<Option<u32>, Self::Error> {
                (**self).parent(edge, child)
            }

            fn value(&self, column: ColumnId, row: u32) -> Result<Option<Value>, Self::Error> {
                (**self).value(column, row)
            }
        }
    };
}

records_behind!(&R);
records_behind!(Arc<R>);
