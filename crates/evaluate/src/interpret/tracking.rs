//! Who reads whom.

use pack::program::Program;

use super::cells::Cell;
use super::facts::Facts;

/// Which cells read which. Kept only where facts are going to be changed.
#[derive(Debug)]
pub(crate) struct Tracking {
    /// The cells being computed, outermost first.
    stack: Vec<Cell>,
    /// Who read a cell, by position. May hold cells that no longer do.
    pub(super) readers: Vec<Vec<Cell>>,
    /// What a cell read, by position.
    pub(super) reads: Vec<Vec<Cell>>,
    /// Whether `reads` is still being written.
    pub(super) open: bool,
}

impl Tracking {
    pub(super) fn new(cells: usize) -> Self {
        Self {
            stack: Vec::new(),
            readers: vec![Vec::new(); cells],
            reads: vec![Vec::new(); cells],
            open: true,
        }
    }

    pub(super) fn read(&mut self, program: &Program, facts: &Facts, cell: Cell) {
        let Some(&reader) = self.stack.last() else { return };
        let place =
            |cell: Cell| facts.position(program.columns[cell.column.index()].entity, cell.row, cell.column);
        let readers = &mut self.readers[place(cell)];
        if readers.last() != Some(&reader) {
            readers.push(reader);
        }
        let reads = &mut self.reads[place(reader)];
        if self.open && reads.last() != Some(&cell) {
            reads.push(cell);
        }
    }

    pub(super) fn enter(&mut self, cell: Cell) {
        self.stack.push(cell);
    }

    pub(super) fn leave(&mut self) {
        self.stack.pop();
    }
}
