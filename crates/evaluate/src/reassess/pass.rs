//! One set of changes on its way through the program.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use pack::program::{
    Aggregate, AggregateFunction, ColumnId, ColumnKind, EdgeId, EntityId, TotalFunction, Type, Value,
};

use super::outcome::{Changed, Consequences};
use super::readers::Reach;
use super::worlds::Worlds;
use crate::interpret::{Cell, Here, Outcome, Windows as _, add, subtract};
use crate::records::{Change, ChangeKind, Records};

/// What becomes of a count or sum when what some children give is exchanged.
enum Adjusted {
    To(Option<Value>),
    /// It has to be computed again from all children.
    Not,
}

/// One set of changes on its way through the program.
pub(super) struct Pass<'x, 'w, R: Records> {
    worlds: &'x mut Worlds<'w, R>,
    /// By column: the rows that may come out otherwise, with the children on whose account, of aggregates.
    open: Vec<BTreeMap<u32, BTreeSet<u32>>>,
    changed: Vec<Changed>,
    /// Windows that have been computed, with all siblings.
    windows: HashMap<Cell, Outcome>,
}

impl<'x, 'w, R: Records> Pass<'x, 'w, R> {
    pub fn new(worlds: &'x mut Worlds<'w, R>) -> Self {
        let columns = worlds.program.columns.len();
        Self { worlds, open: vec![BTreeMap::new(); columns], changed: vec![], windows: HashMap::new() }
    }

    /// Tells those who read what has changed of the records themselves.
    pub fn begin(&mut self, changes: &[Change]) {
        for change in changes {
            self.own_branch(change);
            if change.kind == ChangeKind::Added {
                for column in &self.worlds.readers.computed[change.entity.index()] {
                    self.open[column.index()].entry(change.row).or_default();
                }
            }
        }
        for ((edge, child), parent) in self.worlds.after.patch().moved() {
            let entity = self.worlds.program.edge(edge).child;
            let before =
                if self.worlds.is_added(entity, child) { None } else { self.worlds.parent(edge, child) };
            self.moved(edge, child, [before, parent]);
        }
        for change in changes.iter().filter(|change| change.kind != ChangeKind::Removed) {
            for (column, value) in &change.fields {
                let cell = Cell { column: *column, row: change.row };
                let before = if change.kind == ChangeKind::Added { None } else { self.before(cell) };
                self.settle(cell, before, value.clone());
            }
        }
    }

    /// The branch of a changed record is computed from its facts: it and what lies between it and its division.
    fn own_branch(&mut self, change: &Change) {
        let program = self.worlds.program;
        let (mut at, mut row) = (change.entity, change.row);
        loop {
            if program.entity(at).division.is_some() {
                return;
            }
            self.worlds.memory.own.insert((at, row));
            let Some(edge) = program.entity(at).parent else { return };
            let parent = if self.worlds.is_removed(at, row) {
                self.worlds.parent(edge, row)
            } else {
                self.now(|worlds| worlds.parent(edge, row))
            };
            let Some(parent) = parent else { return };
            (at, row) = (program.edge(edge).parent, parent);
        }
    }

    /// A child has another parent.
    fn moved(&mut self, edge: EdgeId, child: u32, parents: [Option<u32>; 2]) {
        let program = self.worlds.program;
        let readers = self.worlds.readers;
        let is_gone = self.worlds.is_removed(program.edge(edge).child, child);
        for &column in &readers.along[edge.index()] {
            match &program.column(column).kind {
                ColumnKind::Lookup { .. } if !is_gone => {
                    self.open[column.index()].entry(child).or_default();
                }
                ColumnKind::Aggregate(_) => {
                    for parent in parents.into_iter().flatten() {
                        self.open[column.index()].entry(parent).or_default().insert(child);
                    }
                }
                ColumnKind::Window(_) => {
                    if !is_gone {
                        self.open[column.index()].entry(child).or_default();
                    }
                    for parent in parents.into_iter().flatten() {
                        self.open_siblings(column, edge, parent);
                    }
                }
                _ => {}
            }
        }
    }

    fn open_siblings(&mut self, column: ColumnId, edge: EdgeId, parent: u32) {
        let siblings = self.now(|worlds| worlds.children(edge, parent));
        for row in siblings.iter() {
            self.open[column.index()].entry(*row).or_default();
        }
    }

    fn now<T>(&mut self, ask: impl FnOnce(&mut Worlds<'w, R>) -> T) -> T {
        self.worlds.now = true;
        let answer = ask(self.worlds);
        self.worlds.now = false;
        answer
    }

    /// What a run stores: an error about a subject leaves it unknown.
    fn before(&mut self, cell: Cell) -> Option<Value> {
        self.worlds.before(cell).unwrap_or(None)
    }

    /// Takes a value for the new one, and tells those who read it if it is another.
    fn settle(&mut self, cell: Cell, before: Option<Value>, after: Option<Value>) {
        if before == after {
            return;
        }
        self.worlds.after.patch_mut().set_value(cell.column, cell.row, after.clone());
        self.changed.push(Changed { column: cell.column, row: cell.row, before, after });
        let readers = self.worlds.readers;
        for &(reader, reach) in &readers.of[cell.column.index()] {
            match reach {
                Reach::Same => {
                    self.open[reader.index()].entry(cell.row).or_default();
                }
                Reach::Down(edge) => {
                    let children = self.now(|worlds| worlds.children(edge, cell.row));
                    for child in children.iter() {
                        self.open[reader.index()].entry(*child).or_default();
                    }
                }
                Reach::Up(edge) => {
                    for parent in self.parents(edge, cell.row) {
                        self.open[reader.index()].entry(parent).or_default().insert(cell.row);
                    }
                }
                Reach::Siblings(edge) => {
                    for parent in self.parents(edge, cell.row) {
                        self.open_siblings(reader, edge, parent);
                    }
                }
            }
        }
    }

    /// The parent before and the parent after, as far as there are any.
    fn parents(&mut self, edge: EdgeId, row: u32) -> BTreeSet<u32> {
        let fresh = self.worlds.is_added(self.worlds.program.edge(edge).child, row);
        let before = if fresh { None } else { self.worlds.parent(edge, row) };
        let after = self.now(|worlds| worlds.parent(edge, row));
        before.into_iter().chain(after).collect()
    }

    pub fn go_through(&mut self) {
        let program = self.worlds.program;
        for &column in &program.order {
            let rows = std::mem::take(&mut self.open[column.index()]);
            if rows.is_empty() || self.worlds.failure.is_some() {
                continue;
            }
            self.worlds.spend(rows.len());
            let entity = program.column(column).entity;
            for (row, children) in rows {
                if self.worlds.is_removed(entity, row) {
                    continue;
                }
                let cell = Cell { column, row };
                let fresh = self.worlds.is_added(entity, row);
                let before = if fresh { None } else { self.before(cell) };
                let after = self.after(cell, fresh, before.as_ref(), &children);
                self.settle(cell, before, after);
            }
        }
    }

    fn after(
        &mut self,
        cell: Cell,
        fresh: bool,
        before: Option<&Value>,
        children: &BTreeSet<u32>,
    ) -> Option<Value> {
        let column = self.worlds.program.column(cell.column);
        match &column.kind {
            ColumnKind::Aggregate(aggregate) if !fresh => {
                if let Adjusted::To(value) = self.adjusted(cell, aggregate, before, children) {
                    return value;
                }
            }
            ColumnKind::Window(window) => {
                if let Some(outcome) = self.windows.remove(&cell) {
                    return outcome.unwrap_or(None);
                }
                let here = Here { column: cell.column, row: cell.row };
                let outcomes = self.now(|worlds| {
                    let parent = worlds.parent(window.edge, cell.row)?;
                    let siblings = worlds.children(window.edge, parent);
                    Some(worlds.windows(here, window, &siblings))
                });
                for (row, outcome) in outcomes.into_iter().flatten() {
                    self.windows.insert(Cell { column: cell.column, row }, outcome);
                }
                return self.windows.remove(&cell).and_then(|outcome| outcome.unwrap_or(None));
            }
            _ => {}
        }
        self.now(|worlds| worlds.compute(cell)).unwrap_or(None)
    }

    /// A count or sum of which some children have changed.
    fn adjusted(
        &mut self,
        cell: Cell,
        aggregate: &'w Aggregate,
        before: Option<&Value>,
        children: &BTreeSet<u32>,
    ) -> Adjusted {
        let counted = match aggregate.function {
            AggregateFunction::Count => true,
            // Floating sums depend on their order.
            AggregateFunction::Sum => {
                aggregate.argument.as_ref().is_some_and(|argument| argument.ty != Type::Index)
            }
            _ => false,
        };
        if !counted {
            return Adjusted::Not;
        }
        let mut sum = before.cloned();
        for &child in children {
            let taken = self.share(cell, aggregate, child, false);
            let added = self.share(cell, aggregate, child, true);
            match (&sum, taken, added) {
                // One unknown child was enough to make it so, and this one may have been the only one.
                (None, None, Some(_)) => return Adjusted::Not,
                (Some(all), Some(taken), Some(added)) => {
                    let left = subtract(all, &taken).ok().flatten();
                    sum = left.and_then(|left| add(&left, &added).ok().flatten());
                    if sum.is_none() {
                        return Adjusted::Not;
                    }
                }
                // Known sums have known shares: the record is not as the run had it.
                (Some(_), None, _) => return Adjusted::Not,
                (Some(_), Some(_), None) => {
                    // Later children cannot make it known again, but may have been part of it.
                    return Adjusted::To(None);
                }
                (None, ..) => {}
            }
        }
        Adjusted::To(sum)
    }

    /// What a child gives to a count or sum, before or after; `None` if that is unknown.
    fn share(&mut self, cell: Cell, aggregate: &'w Aggregate, child: u32, now: bool) -> Option<Value> {
        let nothing = Some(Value::Number(0));
        let entity = self.worlds.program.edge(aggregate.edge).child;
        let there =
            if now { !self.worlds.is_removed(entity, child) } else { !self.worlds.is_added(entity, child) };
        self.worlds.now = now;
        let belongs = there && self.worlds.parent(aggregate.edge, child) == Some(cell.row);
        let share = if belongs {
            let here = Here { column: cell.column, row: child };
            self.worlds.share(here, aggregate)
        } else {
            nothing
        };
        self.worlds.now = false;
        share
    }

    pub fn consequences(self) -> Consequences {
        let program = self.worlds.program;
        let mut totals = vec![0_i128; program.totals.len()];
        let mut unknown = vec![Some(0_i64); program.totals.len()];
        for (place, total) in program.totals.iter().enumerate() {
            let rows = |set: &HashSet<(EntityId, u32)>| -> Vec<u32> {
                set.iter().filter(|(entity, _)| *entity == total.entity).map(|(_, row)| *row).collect()
            };
            let (fresh, gone) = {
                let patch = self.worlds.after.patch();
                (rows(patch.added()), rows(patch.removed()))
            };
            let (TotalFunction::CountTrue(column) | TotalFunction::Sum(column)) = total.function else {
                totals[place] = fresh.len() as i128 - gone.len() as i128;
                continue;
            };
            let weight = |value: &Option<Value>| match value {
                Some(Value::Bool(true)) => 1,
                Some(Value::Number(number)) => *number,
                _ => 0,
            };
            let is_unknown = |value: &Option<Value>| i64::from(value.is_none());
            // A new record of which the value is unknown is not among the changed ones: it had none before.
            let mut more_unknown = fresh.len() as i64;
            for changed in self.changed.iter().filter(|changed| changed.column == column) {
                totals[place] += weight(&changed.after) - weight(&changed.before);
                more_unknown += is_unknown(&changed.after) - is_unknown(&changed.before);
            }
            for row in gone {
                let lost = self.worlds.before(Cell { column, row }).unwrap_or(None);
                totals[place] -= weight(&lost);
                more_unknown -= is_unknown(&lost);
            }
            let is_division = program.entity(total.entity).division.is_some();
            unknown[place] = Some(more_unknown).filter(|_| !is_division);
        }
        Consequences { changed: self.changed, totals, unknown }
    }
}
