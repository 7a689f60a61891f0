//! The records before and after some changes, with the values of both sides as far as anybody has asked for them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::Date;
use pack::program::{Aggregate, AggregateFunction, ColumnId, ColumnKind, EdgeId, EntityId, Program, Value};

use super::outcome::{ROWS_MAX, ReassessError};
use super::readers::Readers;
use crate::interpret::{Aggregates as _, Cell, Cells, Expressions as _, Here, Outcome, Windows as _};
use crate::records::{Overlay, Records};

/// What has been read and computed, for the next changes.
#[derive(Default)]
pub(super) struct Memory {
    /// Values before the changes, as far as nothing is laid over them.
    known: HashMap<Cell, Outcome>,
    /// Children in the run's snapshot.
    children: HashMap<(EdgeId, u32), Arc<[u32]>>,
    /// Records of the branches that change: what rests on them alone is computed, not read.
    pub own: HashSet<(EntityId, u32)>,
}

pub(super) struct Worlds<'w, R: Records> {
    pub program: &'w Program,
    pub as_of: Date,
    pub readers: &'w Readers,
    pub before: &'w Overlay<R>,
    /// With the changes, and the values that have become others.
    pub after: Overlay<&'w Overlay<R>>,
    pub memory: &'w mut Memory,
    /// Which side is being asked.
    pub now: bool,
    pub left: usize,
    pub failure: Option<ReassessError<R::Error>>,
}

impl<R: Records> Worlds<'_, R> {
    /// What the records say, or nothing and a note of their failure.
    fn ask<T: Default>(&mut self, question: impl FnOnce(&Self) -> Result<T, R::Error>) -> T {
        if self.failure.is_some() {
            return T::default();
        }
        question(self).unwrap_or_else(|error| {
            self.failure = Some(ReassessError::Records(error));
            T::default()
        })
    }

    pub fn spend(&mut self, rows: usize) {
        match self.left.checked_sub(rows) {
            Some(left) => self.left = left,
            None => {
                self.failure.get_or_insert(ReassessError::TooMany { limit: ROWS_MAX });
            }
        }
    }

    pub fn is_added(&self, entity: EntityId, row: u32) -> bool {
        self.after.patch().added().contains(&(entity, row))
    }

    pub fn is_removed(&self, entity: EntityId, row: u32) -> bool {
        self.after.patch().removed().contains(&(entity, row))
    }

    pub fn parent(&mut self, edge: EdgeId, row: u32) -> Option<u32> {
        let now = self.now;
        let parent =
            self.ask(|it| if now { it.after.parent(edge, row) } else { it.before.parent(edge, row) });
        let declared = self.program.edge(edge);
        if let Some(parent) = parent
            && self.is_branch(edge)
            && self.memory.own.contains(&(declared.child, row))
        {
            self.memory.own.insert((declared.parent, parent));
        }
        parent
    }

    pub fn children(&mut self, edge: EdgeId, parent: u32) -> Arc<[u32]> {
        let mut rows = self.recorded(edge, parent);
        rows = self.before.patch().children(edge, parent, rows);
        if self.now {
            rows = self.after.patch().children(edge, parent, rows);
        }
        let declared = self.program.edge(edge);
        if self.is_branch(edge) && self.memory.own.contains(&(declared.parent, parent)) {
            self.memory.own.extend(rows.iter().map(|row| (declared.child, *row)));
        }
        rows
    }

    /// The children that the snapshot has.
    fn recorded(&mut self, edge: EdgeId, parent: u32) -> Arc<[u32]> {
        if let Some(known) = self.memory.children.get(&(edge, parent)) {
            return Arc::clone(known);
        }
        let entity = self.program.edge(edge).parent;
        if self.before.patch().added().contains(&(entity, parent)) || self.is_added(entity, parent) {
            return Arc::default();
        }
        let found: Arc<[u32]> = self.ask(|it| {
            let children = it.before.base().children(edge, &[parent])?;
            Ok(children.into_iter().map(|(child, _)| child).collect())
        });
        self.spend(found.len());
        // What a failure left unsaid is not to be remembered.
        if self.failure.is_none() {
            self.memory.children.insert((edge, parent), Arc::clone(&found));
        }
        found
    }

    /// Whether an edge lies within a branch: in the tree, below the divisions.
    fn is_branch(&self, edge: EdgeId) -> bool {
        let edge = self.program.edge(edge);
        edge.tree && self.program.entity(edge.parent).division.is_none()
    }

    /// The column that a value can be read from: itself, or one with the same values.
    fn readable(&mut self, column: ColumnId) -> Option<ColumnId> {
        if self.ask(|it| it.before.is_stored(column)) {
            return Some(column);
        }
        let alias = self.readers.alias[column.index()]?;
        self.ask(|it| it.before.is_stored(alias)).then_some(alias)
    }

    /// The value before the changes.
    pub fn before(&mut self, cell: Cell) -> Outcome {
        if let Some(laid) = self.before.patch().value(cell.column, cell.row) {
            return Ok(laid.clone());
        }
        if let Some(known) = self.memory.known.get(&cell) {
            return known.clone();
        }
        let column = self.program.column(cell.column);
        let value = if matches!(column.kind, ColumnKind::Field(_)) {
            Ok(self.ask(|it| it.before.value(cell.column, cell.row)))
        } else {
            let own = self.memory.own.contains(&(column.entity, cell.row));
            let computed = own && self.readers.local[cell.column.index()];
            match if computed { None } else { self.readable(cell.column) } {
                Some(stored) => Ok(self.ask(|it| it.before.value(stored, cell.row))),
                None => {
                    let now = std::mem::replace(&mut self.now, false);
                    let value = self.compute(cell);
                    self.now = now;
                    value
                }
            }
        };
        // An error about a record is unknown to all that read it, as in a run.
        let value = Ok(value.unwrap_or(None));
        if self.failure.is_none() {
            self.memory.known.insert(cell, value.clone());
        }
        value
    }

    /// The value on the side that is being asked.
    pub fn compute(&mut self, cell: Cell) -> Outcome {
        if self.failure.is_some() {
            return Ok(None);
        }
        let here = Here { column: cell.column, row: cell.row };
        match &self.program.column(cell.column).kind {
            ColumnKind::Field(_) => Ok(None),
            ColumnKind::Scalar(expr) => self.expression(here, expr),
            ColumnKind::Lookup { edge, column } => match self.parent(*edge, cell.row) {
                Some(row) => self.cell(Cell { column: *column, row }),
                None => Ok(None),
            },
            ColumnKind::Aggregate(aggregate) => {
                let children = self.children(aggregate.edge, cell.row);
                self.aggregate(here, aggregate, &children)
            }
            ColumnKind::Window(window) => {
                let Some(parent) = self.parent(window.edge, cell.row) else { return Ok(None) };
                let siblings = self.children(window.edge, parent);
                let mut own = Ok(None);
                for (row, outcome) in self.windows(here, window, &siblings) {
                    let sibling = Cell { column: cell.column, row };
                    if row == cell.row {
                        own = outcome;
                    } else if !self.now && self.failure.is_none() {
                        self.memory.known.insert(sibling, Ok(outcome.unwrap_or(None)));
                    }
                }
                own
            }
        }
    }
}

impl<'w, R: Records> Cells<'w> for Worlds<'w, R> {
    fn program(&self) -> &'w Program {
        self.program
    }

    fn as_of(&self) -> Date {
        self.as_of
    }

    fn cell(&mut self, cell: Cell) -> Outcome {
        if self.now {
            if let Some(laid) = self.after.patch().value(cell.column, cell.row) {
                return Ok(laid.clone());
            }
            // A field of a new record that was not given.
            if self.is_added(self.program.column(cell.column).entity, cell.row) {
                return Ok(None);
            }
        }
        self.before(cell)
    }

    fn key(&self, _: EntityId, row: u32) -> String {
        // Every record has its key as a field.
        row.to_string()
    }
}

impl<'w, R: Records> Worlds<'w, R> {
    /// What a child gives to a count or sum on the side that is being asked.
    pub fn share(&mut self, here: Here, aggregate: &'w Aggregate) -> Option<Value> {
        let passes = self.passes(here, aggregate, here.row).unwrap_or(None);
        let zero = Value::Number(0);
        match (aggregate.function, passes) {
            (_, Some(false)) => Some(zero),
            (AggregateFunction::Count, passes) => passes.map(|_| Value::Number(1)),
            (_, passes) => {
                let value = self.argument(here, aggregate, here.row).unwrap_or(None);
                value.filter(|value| passes.is_some() || *value == zero)
            }
        }
    }
}
