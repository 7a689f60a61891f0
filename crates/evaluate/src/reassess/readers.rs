//! Who reads whom, turned round: what may have to be computed again when a column of a row changes.

use std::collections::BTreeSet;

use pack::program::{ColumnId, ColumnKind, EdgeId, EntityId, Expr, Program};

use crate::needs::{aggregates_of_divisions, alias_of};

/// The rows whose column reads another column of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// The row itself.
    Same,
    /// Its children along the edge.
    Down(EdgeId),
    /// Its parent along the edge.
    Up(EdgeId),
    /// All children of its parent along the edge.
    Siblings(EdgeId),
}

/// Who reads whom, which follows from a program alone: made once, it serves every [`super::Reassessor`] of it.
pub struct Readers {
    /// By column: who reads it, and from where.
    pub(super) of: Vec<Vec<(ColumnId, Reach)>>,
    /// By edge: the computed columns that follow it.
    pub(super) along: Vec<Vec<ColumnId>>,
    /// By entity: its computed columns.
    pub(super) computed: Vec<Vec<ColumnId>>,
    /// By hidden column: a column that is not hidden and has the same values.
    pub(super) alias: Vec<Option<ColumnId>>,
    /// By column: whether it rests on the records of its own branch and on what its ancestors have alone.
    pub(super) local: Vec<bool>,
}

impl Readers {
    pub fn new(program: &Program) -> Self {
        let mut readers: Vec<BTreeSet<(ColumnId, Reach)>> = vec![BTreeSet::new(); program.columns.len()];
        let mut along: Vec<Vec<ColumnId>> = vec![vec![]; program.edges.len()];
        let mut computed: Vec<Vec<ColumnId>> = vec![vec![]; program.entities.len()];
        for &id in &program.order {
            computed[program.column(id).entity.index()].push(id);
            let mut reads = |expr: &Expr, reach: Reach| {
                expr.each_column(&mut |read| {
                    readers[read.index()].insert((id, reach));
                });
            };
            match &program.column(id).kind {
                ColumnKind::Field(_) => {}
                ColumnKind::Scalar(expr) => reads(expr, Reach::Same),
                ColumnKind::Lookup { edge, column } => {
                    readers[column.index()].insert((id, Reach::Down(*edge)));
                    along[edge.index()].push(id);
                }
                ColumnKind::Aggregate(aggregate) => {
                    for expr in aggregate.argument.iter().chain(&aggregate.filter) {
                        reads(expr, Reach::Up(aggregate.edge));
                    }
                    along[aggregate.edge.index()].push(id);
                }
                ColumnKind::Window(window) => {
                    let order = window.order.iter().map(|(expr, _)| expr);
                    for expr in window.argument.iter().chain(&window.partition).chain(order) {
                        reads(expr, Reach::Siblings(window.edge));
                    }
                    along[window.edge.index()].push(id);
                }
            }
        }
        let alias = alias_of(program);
        Self {
            of: readers.into_iter().map(|readers| readers.into_iter().collect()).collect(),
            along,
            computed,
            local: local(program, &alias),
            alias,
        }
    }
}

fn local(program: &Program, alias: &[Option<ColumnId>]) -> Vec<bool> {
    let mut local = vec![false; program.columns.len()];
    for (index, column) in program.columns.iter().enumerate() {
        local[index] = matches!(column.kind, ColumnKind::Field(_));
    }
    let kept = aggregates_of_divisions(program, alias);
    let is_division = |entity: EntityId| program.entity(entity).division.is_some();
    for &id in &program.order {
        // What is stored need not be computed, wherever it is.
        let at_hand = |id: ColumnId| {
            !program.column(id).is_hidden() || alias[id.index()].is_some() || kept.contains(&id)
        };
        let all = |expr: &Expr, known: &dyn Fn(ColumnId) -> bool| {
            let mut all = true;
            expr.each_column(&mut |read| all &= known(read));
            all
        };
        local[id.index()] = match &program.column(id).kind {
            ColumnKind::Field(_) => true,
            ColumnKind::Scalar(expr) => all(expr, &|read| local[read.index()] || at_hand(read)),
            ColumnKind::Lookup { column, .. } => local[column.index()] || at_hand(*column),
            ColumnKind::Aggregate(aggregate) => {
                let edge = program.edge(aggregate.edge);
                edge.tree
                    && !is_division(edge.parent)
                    && aggregate
                        .argument
                        .iter()
                        .chain(&aggregate.filter)
                        .all(|expr| all(expr, &|read| local[read.index()] || at_hand(read)))
            }
            ColumnKind::Window(_) => false,
        };
    }
    local
}
