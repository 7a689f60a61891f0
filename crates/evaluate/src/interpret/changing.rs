//! Changing facts and computing again only what depends on them.

use pack::program::Value;

use super::cells::Cell;
use super::evaluate::Evaluator;
use super::results::Memo;
use super::tracking::Tracking;

impl Evaluator<'_> {
    /// From now on remembers who reads whom, and looks at every operand even where one decides, so
    /// that nothing a result could depend on is missed. Forgets what was computed before.
    pub(crate) fn track(&mut self) {
        self.memo.fill(Memo::Empty);
        self.tracking = Some(Tracking::new(self.facts.cell_count()));
    }

    /// Stops noting what cells read (not who read them), so that [`Self::needs`] keeps saying what
    /// the facts as recorded made it say.
    pub(crate) fn close_reads(&mut self) {
        if let Some(tracking) = &mut self.tracking {
            tracking.open = false;
        }
    }

    /// All cells that a cell read, itself or through others, the nearest first; the cell itself
    /// stands at the front.
    pub(crate) fn needs(&self, root: Cell) -> Vec<Cell> {
        let Some(tracking) = &self.tracking else { return Vec::new() };
        let mut seen = vec![false; tracking.reads.len()];
        seen[self.position(root)] = true;
        let mut found = vec![root];
        let mut next = 0;
        while let Some(&cell) = found.get(next) {
            next += 1;
            for &read in &tracking.reads[self.position(cell)] {
                let position = self.position(read);
                if !seen[position] {
                    seen[position] = true;
                    found.push(read);
                }
            }
        }
        found
    }

    /// Puts another value in the place of a recorded one.
    pub(crate) fn change(&mut self, cell: Cell, value: Option<Value>) {
        let position = self.position(cell);
        self.memo[position] = Memo::Ready(Ok(value));
        self.forget_readers(position);
    }

    /// Back to the recorded value.
    pub(crate) fn restore(&mut self, cell: Cell) {
        let position = self.position(cell);
        self.memo[position] = Memo::Empty;
        self.forget_readers(position);
    }

    fn forget_readers(&mut self, position: usize) {
        let Some(tracking) = &mut self.tracking else { return };
        let mut stale = std::mem::take(&mut tracking.readers[position]);
        while let Some(cell) = stale.pop() {
            let entity = self.program.columns[cell.column.index()].entity;
            let position = self.facts.position(entity, cell.row, cell.column);
            if matches!(self.memo[position], Memo::Empty) {
                continue;
            }
            self.memo[position] = Memo::Empty;
            stale.append(&mut tracking.readers[position]);
        }
    }

    /// The values of a window's siblings are computed together: when the one asked for goes, so do
    /// the others.
    pub(super) fn tie(&mut self, leader: Cell, follower: Cell) {
        let position = self.position(leader);
        if let Some(tracking) = &mut self.tracking {
            tracking.readers[position].push(follower);
            let follower = self.facts.position(
                self.program.columns[follower.column.index()].entity,
                follower.row,
                follower.column,
            );
            if tracking.open {
                tracking.reads[follower].push(leader);
            }
        }
    }
}
