//! Reading expressions and columns from outside: one traversal for all who ask what an expression is made of or what a
//! column needs.

use std::collections::BTreeSet;

use crate::program::{Aggregate, Column, ColumnId, ColumnKind, Expr, ExprKind, Program, Window};

/// The operands of an expression in order, by reference or to be changed: the one place that knows where they are.
macro_rules! operands {
    ($kind:expr, $iter:ident, $as_ref:ident) => {
        match $kind {
            ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::AsOf => Vec::new(),
            ExprKind::Parameter { at, key, .. } => {
                at.$iter().chain(key.$iter()).map(|operand| operand.$as_ref()).collect()
            }
            ExprKind::Add(a, b)
            | ExprKind::Sub(a, b)
            | ExprKind::Mul { a, b, .. }
            | ExprKind::Div { a, b, .. }
            | ExprKind::Compare { a, b, .. }
            | ExprKind::DaysBetween { from: a, to: b }
            | ExprKind::AddMonths { a, months: b }
            | ExprKind::AddDays { a, days: b }
            | ExprKind::Age { birth: a, at: b } => vec![a.$as_ref(), b.$as_ref()],
            ExprKind::MakeDate { year, month, day } => vec![year.$as_ref(), month.$as_ref(), day.$as_ref()],
            ExprKind::Neg(a)
            | ExprKind::Abs(a)
            | ExprKind::Rescale { a, .. }
            | ExprKind::Round { a, .. }
            | ExprKind::Not(a)
            | ExprKind::IsUnknown(a)
            | ExprKind::In { a, .. }
            | ExprKind::DatePart { a, .. }
            | ExprKind::Substring { a, .. }
            | ExprKind::DigitsToCount(a)
            | ExprKind::ToIndex(a) => vec![a.$as_ref()],
            ExprKind::Bracket { at, x, .. } => {
                at.$iter().map(|operand| operand.$as_ref()).chain([x.$as_ref()]).collect()
            }
            ExprKind::And(parts)
            | ExprKind::Or(parts)
            | ExprKind::Coalesce(parts)
            | ExprKind::Least(parts)
            | ExprKind::Greatest(parts) => parts.$iter().collect(),
            ExprKind::Case { branches, otherwise } => branches
                .$iter()
                .flat_map(|(when, then)| [when, then])
                .chain(otherwise.$iter().map(|operand| operand.$as_ref()))
                .collect(),
        }
    };
}

impl Expr {
    /// The operands, in order.
    pub fn operands(&self) -> Vec<&Self> {
        operands!(&self.kind, iter, as_ref)
    }

    /// The operands, to be changed.
    pub fn operands_mut(&mut self) -> Vec<&mut Self> {
        operands!(&mut self.kind, iter_mut, as_mut)
    }

    /// This expression and everything inside it.
    pub fn each<'e>(&'e self, see: &mut dyn FnMut(&'e Self)) {
        see(self);
        for operand in self.operands() {
            operand.each(see);
        }
    }

    /// Every column that it reads, as often as it does.
    pub fn each_column(&self, see: &mut dyn FnMut(ColumnId)) {
        self.each(&mut |part| {
            if let ExprKind::Column(id) = part.kind {
                see(id);
            }
        });
    }
}

impl Column {
    /// Whether it is an intermediate of the compiler. No declaration can have such a name.
    pub fn is_hidden(&self) -> bool {
        self.name.starts_with('_')
    }

    /// The expressions that it is computed from.
    pub fn expressions(&self) -> Vec<&Expr> {
        match &self.kind {
            ColumnKind::Field(_) | ColumnKind::Lookup { .. } => Vec::new(),
            ColumnKind::Scalar(expr) => vec![expr],
            ColumnKind::Aggregate(Aggregate { argument, filter, .. }) => {
                argument.iter().chain(filter.iter()).collect()
            }
            ColumnKind::Window(Window { argument, partition, order, .. }) => {
                argument.iter().chain(partition).chain(order.iter().map(|(expr, _)| expr)).collect()
            }
        }
    }

    /// The same, to be changed.
    pub fn expressions_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ColumnKind::Field(_) | ColumnKind::Lookup { .. } => Vec::new(),
            ColumnKind::Scalar(expr) => vec![expr],
            ColumnKind::Aggregate(Aggregate { argument, filter, .. }) => {
                argument.iter_mut().chain(filter.iter_mut()).collect()
            }
            ColumnKind::Window(Window { argument, partition, order, .. }) => argument
                .iter_mut()
                .chain(partition.iter_mut())
                .chain(order.iter_mut().map(|(expr, _)| expr))
                .collect(),
        }
    }
}

impl Program {
    /// Every column that the definition of a column reads, of whatever entity. A window breaks ties by the key.
    pub fn each_need(&self, id: ColumnId, see: &mut dyn FnMut(ColumnId)) {
        let column = self.column(id);
        for expr in column.expressions() {
            expr.each_column(see);
        }
        match &column.kind {
            ColumnKind::Lookup { column, .. } => see(*column),
            ColumnKind::Window(window) => see(self.entity(self.edges[window.edge.index()].child).key),
            ColumnKind::Field(_) | ColumnKind::Scalar(_) | ColumnKind::Aggregate(_) => {}
        }
    }

    /// The columns that some columns need, themselves included.
    pub fn needed_by(&self, roots: impl IntoIterator<Item = ColumnId>) -> BTreeSet<ColumnId> {
        let mut needed = BTreeSet::new();
        let mut open: Vec<ColumnId> = roots.into_iter().collect();
        while let Some(id) = open.pop() {
            if needed.insert(id) {
                self.each_need(id, &mut |need| open.push(need));
            }
        }
        needed
    }
}
