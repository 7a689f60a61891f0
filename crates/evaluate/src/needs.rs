//! Which columns a run stores, and what stands for what among them.

use std::collections::BTreeSet;

use pack::program::{ColumnId, ColumnKind, Expr, ExprKind, Program, TotalFunction};

/// Whether a column is an intermediate of the compiler.
pub fn is_hidden(program: &Program, id: ColumnId) -> bool {
    program.column(id).is_hidden()
}

/// The columns a run stores: every computed column that is not hidden, and the conditions of findings.
pub fn stored(program: &Program) -> BTreeSet<ColumnId> {
    let visible = program.order.iter().copied().filter(|id| !is_hidden(program, *id));
    visible.chain(program.findings.iter().map(|finding| finding.column)).collect()
}

/// By hidden column: a column that is not hidden and says the same.
pub fn alias_of(program: &Program) -> Vec<Option<ColumnId>> {
    let mut alias = vec![None; program.columns.len()];
    for &id in program.order.iter().filter(|id| !is_hidden(program, **id)) {
        if let ColumnKind::Scalar(Expr { kind: ExprKind::Column(source), .. }) = &program.column(id).kind {
            alias[source.index()] = Some(id);
        }
    }
    alias
}

/// The aggregates of divisions that no result shows as they are. A run stores them too: what a village adds up to
/// cannot be computed again from one of its households.
pub fn aggregates_of_divisions(program: &Program, alias: &[Option<ColumnId>]) -> BTreeSet<ColumnId> {
    let unseen = |id: &ColumnId| {
        let column = program.column(*id);
        matches!(column.kind, ColumnKind::Aggregate(_))
            && program.entity(column.entity).division.is_some()
            && is_hidden(program, *id)
            && alias[id.index()].is_none()
    };
    program.order.iter().copied().filter(unseen).collect()
}

/// The columns that totals add up.
pub fn totalled(program: &Program) -> BTreeSet<ColumnId> {
    let column = |function: &TotalFunction| match function {
        TotalFunction::Count => None,
        TotalFunction::CountTrue(column) | TotalFunction::Sum(column) => Some(*column),
    };
    program.totals.iter().filter_map(|total| column(&total.function)).collect()
}
