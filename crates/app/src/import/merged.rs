//! Cells merged over several rows: what the first row says holds for all of them.

use super::cell::Cell;
use super::source::Merge;

/// The merged cells of a sheet while its rows pass.
pub struct Merged<'m> {
    /// Those over several rows, by their first row.
    waiting: Vec<&'m Merge>,
    next: usize,
    open: Vec<(&'m Merge, Cell<'static>)>,
}

/// What merged cells say about one row.
pub struct MergedRow<'m> {
    over: Vec<(&'m Merge, Cell<'static>)>,
}

impl<'m> Merged<'m> {
    pub fn new(merges: &'m [Merge]) -> Self {
        let mut waiting: Vec<&Merge> = merges.iter().filter(|merge| merge.bottom > merge.top).collect();
        waiting.sort_by_key(|merge| (merge.top, merge.left));
        Self { waiting, next: 0, open: Vec::new() }
    }

    /// Leaves out cells that belong to the header, which ends with `row`.
    pub fn below(&mut self, row: u32) {
        self.waiting.retain(|merge| merge.top > row);
    }

    /// Takes the next row. Rows come in order.
    pub fn row(&mut self, number: u32, cells: &[Cell<'_>]) -> MergedRow<'m> {
        if self.waiting.is_empty() {
            return MergedRow { over: Vec::new() };
        }
        self.open.retain(|(merge, _)| merge.bottom >= number);
        let over = self.open.clone();
        while let Some(merge) = self.waiting.get(self.next).filter(|merge| merge.top <= number) {
            self.next += 1;
            // Without its first row a merged cell is empty.
            if let Some(cell) = cells.get(merge.left).filter(|_| merge.top == number) {
                self.open.push((merge, cell.clone().into_owned()));
            }
        }
        MergedRow { over }
    }
}

impl MergedRow<'_> {
    pub fn is_empty(&self) -> bool {
        self.over.is_empty()
    }

    /// The cell that covers a column of the row from above, with the row that it is in.
    pub fn over(&self, column: usize) -> Option<(&Cell<'static>, u32)> {
        self.over
            .iter()
            .find(|(merge, _)| merge.left == column)
            .map(|(merge, cell)| (cell, merge.top))
            .filter(|(cell, _)| !cell.is_blank())
    }
}
