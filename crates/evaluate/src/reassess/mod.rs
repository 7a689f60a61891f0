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

mod outcome;
mod pass;
mod readers;
mod worlds;

use std::sync::Arc;

use model::Date;
use pack::program::{ColumnId, EdgeId, Program, Value};

use crate::interpret::Cell;
use crate::records::{Layer, Overlay, Patch, Records};
use outcome::ROWS_MAX;
use pass::Pass;
use worlds::{Memory, Worlds};

pub use outcome::{Changed, Consequences, ReassessError};
pub use readers::Readers;

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
