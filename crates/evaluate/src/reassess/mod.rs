//! Computes again what rests on changed records, and nothing else.
//!
//! A run stands, and a few of its records change. Columns are gone through in the program's order: each is computed
//! again for the rows that read something that has changed, and where it comes out as it was, nobody who reads it is
//! touched. Counts and sums of a division take off what a child was and add what it has become; whatever else has to
//! be known is read from the run, or computed as it was before the change. What comes out is what a new run over the
//! changed records would say.
//!
//! Deliberately lacking: where records and results are kept ([`Records`] tells), and any way to change what the run
//! itself holds: what follows is laid over it ([`Overlay`]).

mod pass;
mod readers;
mod worlds;

use std::sync::Arc;

use model::Date;
use pack::program::{ColumnId, EdgeId, Program, Value};
use thiserror::Error;

use crate::interpret::Cell;
use crate::records::{Layer, Overlay, Patch, Records};
use pass::Pass;
use worlds::{Memory, Worlds};

pub use readers::Readers;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ReassessError<E> {
    #[error(transparent)]
    Records(E),
    #[error("more than {limit} records would have to be read or computed again")]
    TooMany { limit: usize },
}

/// One value that is another than before. Of a new record, what it has; of a removed one, nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub column: ColumnId,
    pub row: u32,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// What follows from some changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consequences {
    /// Fields and results, hidden ones too, in the order in which they were computed.
    pub changed: Vec<Changed>,
    /// By total of the program: what is added to it.
    pub totals: Vec<i128>,
    /// By total of the program: how many more records it leaves out as unknown; none of one about divisions, where it
    /// also matters whether anything is recorded of them.
    pub unknown: Vec<Option<i64>>,
}

/// Rows that may be read or computed again for one set of changes.
const ROWS_MAX: usize = 400_000;

/// The records and results of a run that changes are laid over, one set after the other. It can be sent to another
/// thread, and kept: what it holds is what has changed and what was computed on the way.
pub struct Reassessor<'p, R> {
    program: &'p Program,
    as_of: Date,
    readers: Arc<Readers>,
    records: Overlay<R>,
    memory: Memory,
}

impl<'p, R: Records> Reassessor<'p, R> {
    /// Nothing is read yet. What has been laid over the records before stands, with what followed from it.
    pub fn new(program: &'p Program, readers: Arc<Readers>, as_of: Date, records: Overlay<R>) -> Self {
        Self { program, as_of, readers, records, memory: Memory::default() }
    }

    /// The records with all changes so far. Results are there as far as they are stored or have changed.
    pub fn records(&self) -> &Overlay<R> {
        &self.records
    }

    /// All changes so far and what followed from them, without the records below.
    pub fn into_patch(self) -> Arc<Patch> {
        self.records.into_patch()
    }

    /// A field or result of a record, with all changes so far; computed where it is not stored.
    ///
    /// # Errors
    /// Of the records.
    pub fn value(&mut self, column: ColumnId, row: u32) -> Result<Option<Value>, ReassessError<R::Error>> {
        let mut worlds = self.worlds(Arc::default());
        let value = worlds.before(Cell { column, row }).unwrap_or(None);
        worlds.failure.map_or(Ok(value), Err)
    }

    /// The children of a record along an edge, with all changes so far.
    ///
    /// # Errors
    /// Of the records.
    pub fn children(&self, edge: EdgeId, row: u32) -> Result<Vec<u32>, ReassessError<R::Error>> {
        let children = self.records.children(edge, &[row]).map_err(ReassessError::Records)?;
        Ok(children.into_iter().map(|(child, _)| child).collect())
    }

    /// Takes up changes that were laid over [`Self::records`], and says what follows from them. After an error nothing
    /// has been taken up.
    ///
    /// # Errors
    /// Of the records, or [`ReassessError::TooMany`] for changes that so much rests on that a run is the better way.
    pub fn apply(&mut self, layer: Layer) -> Result<Consequences, ReassessError<R::Error>> {
        let Layer { changes, patch } = layer;
        let mut worlds = self.worlds(patch);
        let mut pass = Pass::new(&mut worlds);
        pass.begin(&changes);
        pass.go_through();
        let consequences = pass.consequences();
        if let Some(failure) = worlds.failure {
            return Err(failure);
        }
        let patch = worlds.after.into_patch();
        self.records.absorb(patch);
        Ok(consequences)
    }

    fn worlds(&mut self, patch: Arc<Patch>) -> Worlds<'_, R> {
        Worlds {
            program: self.program,
            as_of: self.as_of,
            readers: &self.readers,
            before: &self.records,
            after: Overlay::with(&self.records, patch),
            memory: &mut self.memory,
            now: false,
            left: ROWS_MAX,
            failure: None,
        }
    }
}
