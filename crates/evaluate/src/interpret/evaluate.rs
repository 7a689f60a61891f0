//! The evaluator: values of cells, computed once.

use model::Date;
use pack::program::{ColumnId, ColumnKind, EdgeId, EntityId, Program, Window};

use super::EvalError;
use super::aggregate::Aggregates;
use super::cells::{Cell, Cells, Here, Outcome};
use super::expression::Expressions;
use super::facts::{Facts, Given};
use super::results::{Memo, Results};
use super::tracking::Tracking;
use super::window::Windows as _;

/// Evaluates columns of a program over facts, each at most once.
#[derive(Debug)]
pub struct Evaluator<'a> {
    pub(super) program: &'a Program,
    pub(super) facts: &'a Facts,
    pub(super) as_of: Date,
    pub(super) memo: Vec<Memo>,
    /// Who read whom, when values are going to be changed and computed again.
    pub(super) tracking: Option<Tracking>,
}

impl<'a> Evaluator<'a> {
    /// Computes nothing yet. `facts` were linked for the same program.
    pub fn new(program: &'a Program, facts: &'a Facts, as_of: Date) -> Self {
        Self { program, facts, as_of, memo: vec![Memo::Empty; facts.cell_count()], tracking: None }
    }

    pub fn program(&self) -> &'a Program {
        self.program
    }

    pub fn facts(&self) -> &'a Facts {
        self.facts
    }

    pub fn as_of(&self) -> Date {
        self.as_of
    }

    /// The value of a column of one record, computing what it needs on the way.
    pub fn value(&mut self, entity: EntityId, row: u32, column: ColumnId) -> Outcome {
        debug_assert_eq!(self.program.columns[column.index()].entity, entity, "a column of the entity");
        self.cell(Cell { column, row })
    }

    /// Computes every column of every record in the program's order, so that recursion stays
    /// shallow.
    pub fn run_all(&mut self) {
        let program = self.program;
        for &column in &program.order {
            for row in 0..self.facts.rows(program.columns[column.index()].entity) {
                self.fill(Cell { column, row });
            }
        }
    }

    /// The values computed so far, free of the borrowed program and facts.
    pub fn into_results(self) -> Results {
        Results::new(self.memo)
    }

    pub(super) fn position(&self, cell: Cell) -> usize {
        let entity = self.program.columns[cell.column.index()].entity;
        self.facts.position(entity, cell.row, cell.column)
    }

    /// As [`Self::cell`] without handing the value out.
    fn fill(&mut self, cell: Cell) {
        let column = &self.program.columns[cell.column.index()];
        let position = self.position(cell);
        if matches!(self.memo[position], Memo::Ready(_))
            || matches!(self.facts.given(column.entity, cell.row, cell.column), Given::Yes(_))
        {
            return;
        }
        // The value stays in the memo.
        let _: Outcome = self.compute(cell, position);
    }

    fn compute(&mut self, cell: Cell, position: usize) -> Outcome {
        if matches!(self.memo[position], Memo::Busy) {
            return Err(EvalError::Cycle { column: cell.column });
        }
        self.memo[position] = Memo::Busy;
        if let Some(tracking) = &mut self.tracking {
            tracking.enter(cell);
        }
        let here = Here { column: cell.column, row: cell.row };
        let outcome = match &self.program.columns[cell.column.index()].kind {
            ColumnKind::Field(_) => Ok(None),
            ColumnKind::Scalar(expr) => self.expression(here, expr),
            ColumnKind::Lookup { edge, column } => self.look_up(*edge, *column, cell.row),
            ColumnKind::Aggregate(aggregate) => {
                let facts = self.facts;
                self.aggregate(here, aggregate, facts.children(aggregate.edge, cell.row))
            }
            ColumnKind::Window(window) => self.window(here, window),
        };
        if let Some(tracking) = &mut self.tracking {
            tracking.leave();
        }
        self.memo[position] = Memo::Ready(outcome.clone());
        outcome
    }

    /// Computes the window of every sibling at once and keeps the others' values too.
    fn window(&mut self, here: Here, window: &'a Window) -> Outcome {
        let Some(parent) = self.facts.parent(window.edge, here.row) else { return Ok(None) };
        let facts = self.facts;
        let outcomes = self.windows(here, window, facts.children(window.edge, parent));
        let mut own = Ok(None);
        for (row, outcome) in outcomes {
            if row == here.row {
                own = outcome;
                continue;
            }
            let (leader, follower) =
                (Cell { column: here.column, row: here.row }, Cell { column: here.column, row });
            let position = self.position(follower);
            self.memo[position] = Memo::Ready(outcome);
            self.tie(leader, follower);
        }
        own
    }

    fn look_up(&mut self, edge: EdgeId, column: ColumnId, row: u32) -> Outcome {
        match self.facts.parent(edge, row) {
            Some(parent) => self.cell(Cell { column, row: parent }),
            None => Ok(None),
        }
    }
}

impl<'a> Cells<'a> for Evaluator<'a> {
    fn program(&self) -> &'a Program {
        self.program
    }

    fn as_of(&self) -> Date {
        self.as_of
    }

    fn cell(&mut self, cell: Cell) -> Outcome {
        if let Some(tracking) = &mut self.tracking {
            tracking.read(self.program, self.facts, cell);
        }
        let position = self.position(cell);
        if let Memo::Ready(outcome) = &self.memo[position] {
            return outcome.clone();
        }
        let column = &self.program.columns[cell.column.index()];
        match self.facts.given(column.entity, cell.row, cell.column) {
            Given::Yes(value) => return Ok(value.clone()),
            Given::No if matches!(column.kind, ColumnKind::Field(_)) => return Ok(None),
            Given::No => {}
        }
        self.compute(cell, position)
    }

    fn key(&self, entity: EntityId, row: u32) -> String {
        self.facts.key(entity, row).to_owned()
    }

    fn thorough(&self) -> bool {
        self.tracking.is_some()
    }
}
