//! Which columns a column needs: the edges of the dependency graph, and their closure.

use std::collections::BTreeSet;

use pack::program::{ColumnId, ColumnKind, Expr, ExprKind, Program, TotalFunction};

/// Calls `visit` for every column that an expression reads.
pub fn expression_columns(expr: &Expr, visit: &mut dyn FnMut(ColumnId)) {
    if let ExprKind::Column(id) = expr.kind {
        visit(id);
    }
    for child in children(expr) {
        expression_columns(child, visit);
    }
}

/// Direct operands of an expression.
pub fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::AsOf => vec![],
        ExprKind::Parameter { at, key, .. } => at.iter().chain(key).map(|expr| &**expr).collect(),
        ExprKind::Add(a, b) | ExprKind::Sub(a, b) => vec![a, b],
        ExprKind::Mul { a, b, .. } | ExprKind::Div { a, b, .. } | ExprKind::Compare { a, b, .. } => {
            vec![a, b]
        }
        ExprKind::Neg(a)
        | ExprKind::Abs(a)
        | ExprKind::Rescale { a, .. }
        | ExprKind::Round { a, .. }
        | ExprKind::Not(a)
        | ExprKind::IsUnknown(a)
        | ExprKind::In { a, .. }
        | ExprKind::DatePart { a, .. }
        | ExprKind::Bracket { x: a, .. }
        | ExprKind::Substring { a, .. }
        | ExprKind::DigitsToCount(a)
        | ExprKind::ToIndex(a) => vec![a],
        ExprKind::And(all)
        | ExprKind::Or(all)
        | ExprKind::Coalesce(all)
        | ExprKind::Least(all)
        | ExprKind::Greatest(all) => all.iter().collect(),
        ExprKind::Case { branches, otherwise } => {
            let pairs = branches.iter().flat_map(|(condition, value)| [condition, value]);
            pairs.chain(otherwise.as_deref()).collect()
        }
        ExprKind::DaysBetween { from, to } => vec![from, to],
        ExprKind::AddMonths { a, months } => vec![a, months],
        ExprKind::AddDays { a, days } => vec![a, days],
        ExprKind::MakeDate { year, month, day } => vec![year, month, day],
        ExprKind::Age { birth, at } => vec![birth, at],
    }
}

/// Calls `visit` for every column that a column's definition reads, of whatever entity.
pub fn column_needs(program: &Program, id: ColumnId, visit: &mut dyn FnMut(ColumnId)) {
    match &program.columns[id.index()].kind {
        ColumnKind::Field(_) => {}
        ColumnKind::Scalar(expr) => expression_columns(expr, visit),
        ColumnKind::Lookup { column, .. } => visit(*column),
        ColumnKind::Aggregate(aggregate) => {
            for expr in aggregate.argument.iter().chain(&aggregate.filter) {
                expression_columns(expr, visit);
            }
        }
        ColumnKind::Window(window) => {
            let order = window.order.iter().map(|(expr, _)| expr);
            for expr in window.argument.iter().chain(&window.partition).chain(order) {
                expression_columns(expr, visit);
            }
            visit(program.entities[program.edges[window.edge.index()].child.index()].key);
        }
    }
}

/// The wanted columns and everything they need.
pub fn closure(program: &Program, wanted: impl IntoIterator<Item = ColumnId>) -> BTreeSet<ColumnId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<ColumnId> = wanted.into_iter().collect();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            column_needs(program, id, &mut |needed| open.push(needed));
        }
    }
    found
}

/// Whether a column is an intermediate of the compiler.
pub fn is_hidden(program: &Program, id: ColumnId) -> bool {
    program.columns[id.index()].name.starts_with('_')
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
