//! What a computed column needs: recorded fields, and the edges on which its relatives are found.

use std::collections::BTreeSet;

use pack::program::{ColumnId, ColumnKind, EdgeId, Program};

/// Everything that some columns are computed from.
#[derive(Clone, Debug, Default)]
pub struct Closure {
    /// Columns of every kind, the roots included.
    pub columns: BTreeSet<ColumnId>,
    /// Edges along which a parent's column is read.
    pub up: BTreeSet<EdgeId>,
    /// Edges along which children are counted or summed, with the columns that do it.
    pub down: BTreeSet<(EdgeId, ColumnId)>,
}

impl Closure {
    pub fn of(program: &Program, roots: impl IntoIterator<Item = ColumnId>) -> Self {
        let mut closure = Self::default();
        let mut open: Vec<ColumnId> = roots.into_iter().collect();
        while let Some(id) = open.pop() {
            if !closure.columns.insert(id) {
                continue;
            }
            program.each_need(id, &mut |column| open.push(column));
            match &program.column(id).kind {
                ColumnKind::Field(_) | ColumnKind::Scalar(_) => {}
                ColumnKind::Lookup { edge, .. } => {
                    closure.up.insert(*edge);
                }
                ColumnKind::Aggregate(aggregate) => {
                    closure.down.insert((aggregate.edge, id));
                }
                ColumnKind::Window(window) => {
                    closure.up.insert(window.edge);
                    closure.down.insert((window.edge, id));
                }
            }
        }
        closure
    }

    /// Whether a column is computed from another one of the same record, relatives' records aside.
    pub fn reads_own(program: &Program, root: ColumnId, wanted: ColumnId) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            if id == wanted {
                return true;
            }
            if let (true, ColumnKind::Scalar(expr)) = (seen.insert(id), &program.columns[id.index()].kind) {
                expr.each_column(&mut |column| open.push(column));
            }
        }
        false
    }
}
