//! Computes again what rests on changed records, and nothing else.
//!
//! A run stands, and a few of its records change. Columns are gone through in the program's order: each is computed
//! again for the rows that read something that has changed, and where it comes out as it was, nobody who reads it is
//! touched. Counts and sums of a division take off what a child was and add what it has become; whatever else has to
//! be known is read from the run, or computed as it was before the change. What comes out is what a new run over the
//! changed records would say.
//!
//! Deliberately lacking: where records and results are kept ([`State`] tells), and any way to change what the run
//! itself holds.

mod plan;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use model::Date;
use pack::program::{
    Aggregate, AggregateFunction, ColumnId, ColumnKind, EdgeId, EntityId, Program, TotalFunction, Type, Value,
};
use thiserror::Error;

use crate::interpret::{
    Aggregates as _, Cell, Cells, Expressions as _, Here, Outcome, Records, Windows as _, add, subtract,
};
use plan::{Plan, Reach};

/// The records and results of a run, as they were.
pub trait State: Records {
    /// A recorded field, or a result that is stored.
    fn value(&mut self, column: ColumnId, row: u32) -> Result<Option<Value>, Self::Error>;

    /// Number of records of an entity; numbers from there on are free for new ones.
    fn rows(&mut self, entity: EntityId) -> Result<u32, Self::Error>;
}

/// What happened to one record. Rows are those of the run's snapshot; new records have numbers beyond them.
#[derive(Clone, Debug)]
pub struct Change {
    pub entity: EntityId,
    pub row: u32,
    pub kind: ChangeKind,
    /// Fields with their new values; of a new record, all that are known, the key among them.
    pub fields: Vec<(ColumnId, Option<Value>)>,
    /// Its parents, along the edges whose parent is another than before; of a new record, all.
    pub parents: Vec<(EdgeId, Option<u32>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Changed,
    Removed,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ReassessError<E> {
    #[error(transparent)]
    State(E),
    #[error("more than {limit} records would have to be read or computed again")]
    TooMany { limit: usize },
}

/// One value that is another than before. Of a new record, what it has; of a removed one, nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub column: ColumnId,
    pub row: u32,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// What follows from some changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consequences {
    /// Fields and results, hidden ones too, in the order in which they were computed.
    pub changed: Vec<Changed>,
    /// By total of the program: what is added to it.
    pub totals: Vec<i128>,
    /// By total of the program: how many more records it leaves out as unknown; none of one about divisions, where it
    /// also matters whether anything is recorded of them.
    pub unknown: Vec<Option<i64>>,
}

/// Rows that may be read or computed again for one set of changes.
const ROWS_MAX: usize = 400_000;

/// A run that changes can be applied to, one after the other.
pub struct Reassessor<'p, S: State> {
    worlds: Worlds<'p, S>,
}

impl<'p, S: State> Reassessor<'p, S> {
    /// Nothing is read yet.
    pub fn new(program: &'p Program, as_of: Date, state: S) -> Self {
        Self {
            worlds: Worlds {
                program,
                as_of,
                state,
                plan: Rc::new(Plan::new(program)),
                known: HashMap::new(),
                children: HashMap::new(),
                settled: Links::default(),
                own: HashSet::new(),
                now: false,
                after: HashMap::new(),
                moved: Links::default(),
                fresh: HashSet::new(),
                gone: HashSet::new(),
                left: ROWS_MAX,
                failure: None,
            },
        }
    }

    pub fn state(&mut self) -> &mut S {
        &mut self.worlds.state
    }

    /// The parent of a record along an edge, with all changes so far.
    ///
    /// # Errors
    /// Of the state.
    pub fn parent(&mut self, edge: EdgeId, row: u32) -> Result<Option<u32>, ReassessError<S::Error>> {
        let parent = self.worlds.parent(edge, row);
        self.worlds.failed().map_or(Ok(parent), Err)
    }

    /// The children of a record along an edge, with all changes so far.
    ///
    /// # Errors
    /// Of the state.
    pub fn children(&mut self, edge: EdgeId, row: u32) -> Result<Vec<u32>, ReassessError<S::Error>> {
        self.worlds.left = ROWS_MAX;
        let children = self.worlds.children(edge, row).to_vec();
        self.worlds.failed().map_or(Ok(children), Err)
    }

    /// A field or result of a record, with all changes so far.
    ///
    /// # Errors
    /// Of the state.
    pub fn value(&mut self, column: ColumnId, row: u32) -> Result<Option<Value>, ReassessError<S::Error>> {
        self.worlds.left = ROWS_MAX;
        let value = self.worlds.before(Cell { column, row });
        self.worlds.failed().map_or(Ok(value.unwrap_or(None)), Err)
    }

    /// Applies changes and says what follows from them. After an error nothing has been applied.
    ///
    /// # Errors
    /// Of the state, or [`ReassessError::TooMany`] for changes that so much rests on that a run is the better way.
    pub fn apply(&mut self, changes: &[Change]) -> Result<Consequences, ReassessError<S::Error>> {
        let mut pass = Pass::new(&mut self.worlds);
        pass.begin(changes);
        pass.go_through();
        let consequences = pass.consequences();
        self.worlds.end(consequences)
    }
}

/// Parents that are not those of the run.
#[derive(Default)]
struct Links {
    parents: HashMap<(EdgeId, u32), Option<u32>>,
    children: HashMap<(EdgeId, u32), BTreeSet<u32>>,
}

impl Links {
    fn set(&mut self, edge: EdgeId, child: u32, parent: Option<u32>) {
        if let Some(Some(before)) = self.parents.insert((edge, child), parent) {
            self.children.entry((edge, before)).or_default().remove(&child);
        }
        if let Some(parent) = parent {
            self.children.entry((edge, parent)).or_default().insert(child);
        }
    }
}

/// The records before and after the changes. Each side knows its values, as far as anybody has asked for them.
struct Worlds<'p, S: State> {
    program: &'p Program,
    as_of: Date,
    state: S,
    plan: Rc<Plan>,
    /// Values before the changes.
    known: HashMap<Cell, Outcome>,
    /// Children in the run's snapshot.
    children: HashMap<(EdgeId, u32), Rc<[u32]>>,
    /// Parents before the changes that are not those of the snapshot.
    settled: Links,
    /// Records of the branches that change: what rests on them alone is computed, not read.
    own: HashSet<(EntityId, u32)>,
    /// Which side is being asked.
    now: bool,
    /// Values after the changes, where they are others or there were none.
    after: HashMap<Cell, Outcome>,
    moved: Links,
    /// New records.
    fresh: HashSet<(EntityId, u32)>,
    /// Removed records.
    gone: HashSet<(EntityId, u32)>,
    left: usize,
    failure: Option<ReassessError<S::Error>>,
}

impl<S: State> Worlds<'_, S> {
    fn failed(&mut self) -> Option<ReassessError<S::Error>> {
        self.failure.take()
    }

    /// What the state says, or nothing and a note of its failure.
    fn ask<T: Default>(&mut self, question: impl FnOnce(&mut S) -> Result<T, S::Error>) -> T {
        if self.failure.is_some() {
            return T::default();
        }
        question(&mut self.state).unwrap_or_else(|error| {
            self.failure = Some(ReassessError::State(error));
            T::default()
        })
    }

    fn spend(&mut self, rows: usize) {
        match self.left.checked_sub(rows) {
            Some(left) => self.left = left,
            None => {
                self.failure.get_or_insert(ReassessError::TooMany { limit: ROWS_MAX });
            }
        }
    }

    /// Applies the changes, or forgets them.
    fn end(&mut self, consequences: Consequences) -> Result<Consequences, ReassessError<S::Error>> {
        self.now = false;
        self.left = ROWS_MAX;
        self.fresh.clear();
        self.gone.clear();
        let (after, moved) = (std::mem::take(&mut self.after), std::mem::take(&mut self.moved));
        if let Some(failure) = self.failed() {
            return Err(failure);
        }
        self.known.extend(after);
        for ((edge, child), parent) in moved.parents {
            self.settled.set(edge, child, parent);
        }
        Ok(consequences)
    }

    fn parent(&mut self, edge: EdgeId, row: u32) -> Option<u32> {
        let moved = if self.now { self.moved.parents.get(&(edge, row)) } else { None };
        let parent = match moved.or_else(|| self.settled.parents.get(&(edge, row))) {
            Some(parent) => *parent,
            None => self.ask(|state| Ok(state.parents(edge, &[row])?.first().copied().flatten())),
        };
        let declared = self.program.edge(edge);
        if let Some(parent) = parent
            && declared.tree
            && self.program.entity(declared.parent).division.is_none()
            && self.own.contains(&(declared.child, row))
        {
            self.own.insert((declared.parent, parent));
        }
        parent
    }

    fn children(&mut self, edge: EdgeId, parent: u32) -> Rc<[u32]> {
        let declared = self.program.edge(edge);
        let recorded = match self.children.get(&(edge, parent)) {
            Some(known) => Rc::clone(known),
            None => {
                let found: Vec<u32> = self.ask(|state| {
                    Ok(state.children(edge, &[parent])?.into_iter().map(|(child, _)| child).collect())
                });
                self.spend(found.len());
                let found: Rc<[u32]> = found.into();
                // What a failure left unsaid is not to be remembered.
                if self.failure.is_none() {
                    self.children.insert((edge, parent), Rc::clone(&found));
                }
                found
            }
        };
        let mut layers: Vec<&Links> = vec![&self.settled];
        if self.now {
            layers.push(&self.moved);
        }
        let place = |child: u32, found: Option<u32>| {
            let moved = layers.iter().rev().find_map(|links| links.parents.get(&(edge, child)));
            moved.copied().unwrap_or(found) == Some(parent)
        };
        let untouched = layers.iter().all(|links| links.parents.is_empty());
        let rows = if untouched {
            recorded
        } else {
            let mut rows: Vec<u32> =
                recorded.iter().copied().filter(|child| place(*child, Some(parent))).collect();
            for links in &layers {
                let more = links.children.get(&(edge, parent)).into_iter().flatten();
                rows.extend(more.copied().filter(|child| place(*child, None)));
            }
            rows.sort_unstable();
            rows.dedup();
            rows.into()
        };
        if declared.tree
            && self.program.entity(declared.parent).division.is_none()
            && self.own.contains(&(declared.parent, parent))
        {
            self.own.extend(rows.iter().map(|row| (declared.child, *row)));
        }
        rows
    }

    /// The column that a value can be read from: itself, or one with the same values.
    fn readable(&mut self, column: ColumnId) -> Option<ColumnId> {
        if self.ask(|state| state.stored(column)) {
            return Some(column);
        }
        let alias = self.plan.alias[column.index()]?;
        self.ask(|state| state.stored(alias)).then_some(alias)
    }

    /// The value before the changes.
    fn before(&mut self, cell: Cell) -> Outcome {
        if let Some(known) = self.known.get(&cell) {
            return known.clone();
        }
        let column = self.program.column(cell.column);
        let value = if matches!(column.kind, ColumnKind::Field(_)) {
            Ok(self.ask(|state| state.value(cell.column, cell.row)))
        } else {
            let own = self.own.contains(&(column.entity, cell.row));
            let computed = own && self.plan.local[cell.column.index()];
            match if computed { None } else { self.readable(cell.column) } {
                Some(stored) => Ok(self.ask(|state| state.value(stored, cell.row))),
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
            self.known.insert(cell, value.clone());
        }
        value
    }

    /// The value on the side that is being asked.
    fn compute(&mut self, cell: Cell) -> Outcome {
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
                        self.known.insert(sibling, Ok(outcome.unwrap_or(None)));
                    }
                }
                own
            }
        }
    }
}

impl<'p, S: State> Cells<'p> for Worlds<'p, S> {
    fn program(&self) -> &'p Program {
        self.program
    }

    fn as_of(&self) -> Date {
        self.as_of
    }

    fn cell(&mut self, cell: Cell) -> Outcome {
        if self.now {
            if let Some(value) = self.after.get(&cell) {
                return value.clone();
            }
            // A field of a new record that was not given.
            if self.fresh.contains(&(self.program.column(cell.column).entity, cell.row)) {
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

/// What becomes of a count or sum when what some children give is exchanged.
enum Adjusted {
    To(Option<Value>),
    /// It has to be computed again from all children.
    Not,
}

/// One set of changes on its way through the program.
struct Pass<'w, 'p, S: State> {
    worlds: &'w mut Worlds<'p, S>,
    plan: Rc<Plan>,
    /// By column: the rows that may come out otherwise, with the children on whose account, of aggregates.
    open: Vec<BTreeMap<u32, BTreeSet<u32>>>,
    changed: Vec<Changed>,
    /// Windows that have been computed, with all siblings.
    windows: HashMap<Cell, Outcome>,
}

impl<'w, 'p, S: State> Pass<'w, 'p, S> {
    fn new(worlds: &'w mut Worlds<'p, S>) -> Self {
        let plan = Rc::clone(&worlds.plan);
        let columns = worlds.program.columns.len();
        Self { worlds, plan, open: vec![BTreeMap::new(); columns], changed: vec![], windows: HashMap::new() }
    }

    fn begin(&mut self, changes: &[Change]) {
        let program = self.worlds.program;
        for change in changes {
            self.own_branch(change);
            match change.kind {
                ChangeKind::Added => {
                    self.worlds.fresh.insert((change.entity, change.row));
                    for column in &self.plan.computed[change.entity.index()] {
                        self.open[column.index()].entry(change.row).or_default();
                    }
                }
                ChangeKind::Changed => {}
                ChangeKind::Removed => {
                    self.worlds.gone.insert((change.entity, change.row));
                }
            }
        }
        // First all parents, then all fields: who reads a field is found along the new parents.
        let mut moves: BTreeMap<(EdgeId, u32), Option<u32>> = BTreeMap::new();
        for change in changes {
            moves.extend(change.parents.iter().map(|(edge, parent)| ((*edge, change.row), *parent)));
            if change.kind == ChangeKind::Removed {
                for index in 0..program.edges.len() as u32 {
                    let edge = EdgeId(index);
                    if program.edge(edge).child == change.entity {
                        moves.insert((edge, change.row), None);
                    }
                    if program.edge(edge).parent == change.entity {
                        let children = self.worlds.children(edge, change.row);
                        let left = children
                            .iter()
                            .filter(|child| !self.worlds.gone.contains(&(program.edge(edge).child, **child)));
                        for child in left {
                            moves.entry((edge, *child)).or_insert(None);
                        }
                    }
                }
            }
        }
        let mut moved = vec![];
        for ((edge, child), parent) in moves {
            let entity = program.edge(edge).child;
            let before = if self.worlds.fresh.contains(&(entity, child)) {
                None
            } else {
                self.worlds.parent(edge, child)
            };
            if before != parent || self.worlds.fresh.contains(&(entity, child)) {
                self.worlds.moved.set(edge, child, parent);
                moved.push((edge, child, before, parent));
            }
        }
        for (edge, child, before, parent) in moved {
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
            self.worlds.own.insert((at, row));
            let Some(edge) = program.entity(at).parent else { return };
            let given = change.parents.iter().find(|(moved, _)| *moved == edge && at == change.entity);
            let parent = match given {
                Some((_, parent)) => *parent,
                None => self.worlds.parent(edge, row),
            };
            let Some(parent) = parent else { return };
            (at, row) = (program.edge(edge).parent, parent);
        }
    }

    /// A child has another parent.
    fn moved(&mut self, edge: EdgeId, child: u32, parents: [Option<u32>; 2]) {
        let program = self.worlds.program;
        let plan = Rc::clone(&self.plan);
        let is_gone = self.worlds.gone.contains(&(program.edge(edge).child, child));
        for &column in &plan.along[edge.index()] {
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

    fn now<T>(&mut self, ask: impl FnOnce(&mut Worlds<'p, S>) -> T) -> T {
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
        self.worlds.after.insert(cell, Ok(after.clone()));
        self.changed.push(Changed { column: cell.column, row: cell.row, before, after });
        let plan = Rc::clone(&self.plan);
        for &(reader, reach) in &plan.readers[cell.column.index()] {
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
        let fresh = self.worlds.fresh.contains(&(self.worlds.program.edge(edge).child, row));
        let before = if fresh { None } else { self.worlds.parent(edge, row) };
        let after = self.now(|worlds| worlds.parent(edge, row));
        before.into_iter().chain(after).collect()
    }

    fn go_through(&mut self) {
        let program = self.worlds.program;
        for &column in &program.order {
            let rows = std::mem::take(&mut self.open[column.index()]);
            if rows.is_empty() || self.worlds.failure.is_some() {
                continue;
            }
            self.worlds.spend(rows.len());
            let entity = program.column(column).entity;
            for (row, children) in rows {
                if self.worlds.gone.contains(&(entity, row)) {
                    continue;
                }
                let cell = Cell { column, row };
                let fresh = self.worlds.fresh.contains(&(entity, row));
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
        aggregate: &'p Aggregate,
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
    fn share(&mut self, cell: Cell, aggregate: &'p Aggregate, child: u32, now: bool) -> Option<Value> {
        let nothing = Some(Value::Number(0));
        let entity = self.worlds.program.edge(aggregate.edge).child;
        let there = if now {
            !self.worlds.gone.contains(&(entity, child))
        } else {
            !self.worlds.fresh.contains(&(entity, child))
        };
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

    fn consequences(self) -> Consequences {
        let program = self.worlds.program;
        let mut totals = vec![0_i128; program.totals.len()];
        let mut unknown = vec![Some(0_i64); program.totals.len()];
        for (place, total) in program.totals.iter().enumerate() {
            let rows = |set: &HashSet<(EntityId, u32)>| -> Vec<u32> {
                set.iter().filter(|(entity, _)| *entity == total.entity).map(|(_, row)| *row).collect()
            };
            let (fresh, gone) = (rows(&self.worlds.fresh), rows(&self.worlds.gone));
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

impl<'p, S: State> Worlds<'p, S> {
    /// What a child gives to a count or sum on the side that is being asked.
    fn share(&mut self, here: Here, aggregate: &'p Aggregate) -> Option<Value> {
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
