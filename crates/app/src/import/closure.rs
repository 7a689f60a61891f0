//! What a computed column needs: recorded fields, and the edges on which its relatives are found.

use std::collections::BTreeSet;

use pack::program::{ColumnId, ColumnKind, EdgeId, Expr, ExprKind, Program};

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
            let mut read = |expr: &Expr| each_column(expr, &mut |column| open.push(column));
            match &program.columns[id.index()].kind {
                ColumnKind::Field(_) => {}
                ColumnKind::Scalar(expr) => read(expr),
                ColumnKind::Lookup { edge, column } => {
                    closure.up.insert(*edge);
                    open.push(*column);
                }
                ColumnKind::Aggregate(aggregate) => {
                    aggregate.argument.iter().chain(&aggregate.filter).for_each(&mut read);
                    closure.down.insert((aggregate.edge, id));
                }
                ColumnKind::Window(window) => {
                    window.argument.iter().chain(&window.partition).for_each(&mut read);
                    window.order.iter().for_each(|(expr, _)| read(expr));
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
                each_column(expr, &mut |column| open.push(column));
            }
        }
        false
    }

    /// Whether other rows than the subject's own matter.
    pub fn needs_relatives(&self) -> bool {
        !self.up.is_empty() || !self.down.is_empty()
    }
}

/// Calls `each` with every column that an expression reads.
pub fn each_column(expr: &Expr, each: &mut dyn FnMut(ColumnId)) {
    let mut go = |expr: &Expr| each_column(expr, each);
    match &expr.kind {
        ExprKind::Column(column) => each(*column),
        ExprKind::Literal(_) | ExprKind::AsOf => {}
        ExprKind::Parameter { at, key, .. } => at.iter().chain(key).for_each(|expr| go(expr)),
        ExprKind::Add(a, b)
        | ExprKind::Sub(a, b)
        | ExprKind::Mul { a, b, .. }
        | ExprKind::Div { a, b, .. }
        | ExprKind::Compare { a, b, .. }
        | ExprKind::DaysBetween { from: a, to: b }
        | ExprKind::AddMonths { a, months: b }
        | ExprKind::AddDays { a, days: b }
        | ExprKind::Age { birth: a, at: b } => [a, b].into_iter().for_each(|expr| go(expr)),
        ExprKind::Neg(a)
        | ExprKind::Abs(a)
        | ExprKind::Not(a)
        | ExprKind::IsUnknown(a)
        | ExprKind::Rescale { a, .. }
        | ExprKind::Round { a, .. }
        | ExprKind::In { a, .. }
        | ExprKind::DatePart { a, .. }
        | ExprKind::Bracket { x: a, .. }
        | ExprKind::Substring { a, .. }
        | ExprKind::DigitsToCount(a)
        | ExprKind::ToIndex(a) => go(a),
        ExprKind::And(parts)
        | ExprKind::Or(parts)
        | ExprKind::Coalesce(parts)
        | ExprKind::Least(parts)
        | ExprKind::Greatest(parts) => parts.iter().for_each(go),
        ExprKind::MakeDate { year, month, day } => [year, month, day].into_iter().for_each(|expr| go(expr)),
        ExprKind::Case { branches, otherwise } => {
            for (condition, value) in branches {
                go(condition);
                go(value);
            }
            if let Some(expr) = otherwise {
                go(expr);
            }
        }
    }
}
