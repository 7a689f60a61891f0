//! What must be at hand before some columns of some records can be evaluated: which fields and which stored
//! results of which rows, and how those rows hang together. Nothing else has to be read.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use pack::program::{Aggregate, ColumnId, ColumnKind, EdgeId, EntityId, Program, Window};

use super::Records;

/// Rows by column, child and parent rows by edge; all rise, and none stands twice.
#[derive(Clone, Debug, Default)]
pub struct Needed {
    /// Fields and stored results to be read.
    pub(super) read: BTreeMap<ColumnId, Vec<u32>>,
    /// Every record that is met, whatever is read of it.
    pub(super) rows: BTreeMap<EntityId, Vec<u32>>,
    /// Parent of a child.
    pub(super) links: BTreeMap<EdgeId, Vec<(u32, u32)>>,
    /// Counts and sums of children that are not known.
    pub(super) unknown: BTreeMap<ColumnId, Vec<u32>>,
    /// Every column that is read or computed.
    pub(super) columns: BTreeSet<ColumnId>,
}

impl Needed {
    /// Has a record among the facts, whatever is read of it.
    pub fn add_row(&mut self, entity: EntityId, row: u32) {
        let rows = self.rows.entry(entity).or_default();
        if let Err(place) = rows.binary_search(&row) {
            rows.insert(place, row);
        }
    }

    /// Columns that are read, with the rows that they are read of.
    pub fn read(&self) -> impl Iterator<Item = (ColumnId, &[u32])> {
        self.read.iter().map(|(column, rows)| (*column, rows.as_slice()))
    }

    /// Reads a field of some records that are met.
    pub fn add_read(&mut self, column: ColumnId, rows: &[u32]) {
        self.columns.insert(column);
        let read = self.read.entry(column).or_default();
        read.extend(rows);
        rise(read);
    }

    /// Notes rows that are met. Mostly they are those of the column before.
    fn meet(&mut self, entity: EntityId, rows: &[u32]) {
        let met = self.rows.entry(entity).or_default();
        if !met.ends_with(rows) {
            met.extend(rows);
        }
    }

    fn settle(&mut self) {
        self.rows.values_mut().for_each(rise);
        self.links.values_mut().for_each(rise);
    }
}

fn rise<T: Ord>(rows: &mut Vec<T>) {
    rows.sort_unstable();
    rows.dedup();
}

/// Whose results are computed, so that they can be explained; other results are taken where they are stored.
#[derive(Clone, Debug)]
pub struct Branch {
    /// The records that belong to the subject, as far as they are met.
    own: HashSet<(EntityId, u32)>,
    /// Entities of the branch, by entity.
    inside: Vec<bool>,
}

impl Branch {
    /// The branch below `top`, where the subject and what lies between them belong to it from the start. Of a
    /// division that has divisions below it, only itself.
    pub fn below(program: &Program, top: EntityId, members: &[(EntityId, u32)]) -> Self {
        let mut inside = vec![false; program.entities.len()];
        inside[top.index()] = true;
        let child_divisions = program
            .edges
            .iter()
            .any(|edge| edge.tree && edge.parent == top && program.entity(edge.child).division.is_some());
        if !child_divisions {
            let mut queue = vec![top];
            while let Some(entity) = queue.pop() {
                for edge in program.edges.iter().filter(|edge| edge.parent == entity) {
                    if !std::mem::replace(&mut inside[edge.child.index()], true) {
                        queue.push(edge.child);
                    }
                }
            }
        }
        Self { own: members.iter().copied().collect(), inside }
    }

    /// Nobody's: every result is taken where it is stored.
    pub fn none(program: &Program) -> Self {
        Self { own: HashSet::new(), inside: vec![false; program.entities.len()] }
    }

    fn has(&self, entity: EntityId, row: u32) -> bool {
        self.inside[entity.index()] && self.own.contains(&(entity, row))
    }

    fn add(&mut self, entity: EntityId, row: u32) {
        if self.inside[entity.index()] {
            self.own.insert((entity, row));
        }
    }
}

/// Finds what the columns of the rows rest on; `None` if that is more than so many records below others.
///
/// # Errors
/// Records that cannot be read.
pub fn needed<R: Records>(
    records: &R,
    roots: &[(ColumnId, u32)],
    branch: &mut Branch,
    records_max: usize,
) -> Result<Option<Needed>, R::Error> {
    let program = records.program();
    let mut search = Search {
        program,
        records,
        branch,
        wanted: vec![Vec::new(); program.columns.len()],
        found: Needed::default(),
        left: records_max,
        exceeded: false,
    };
    for (column, row) in roots {
        search.want(*column, [*row]);
    }
    // A column is needed by later ones only, so that nobody asks for more of it once it has been worked on.
    for &column in program.order.iter().rev() {
        let rows = search.take(column);
        if !rows.is_empty() {
            search.column(column, rows)?;
        }
        if search.exceeded {
            return Ok(None);
        }
    }
    for (index, column) in program.columns.iter().enumerate() {
        let id = ColumnId(index as u32);
        if matches!(column.kind, ColumnKind::Field(_)) {
            let rows = search.take(id);
            if !rows.is_empty() {
                search.read(id, rows);
            }
        }
    }
    search.found.settle();
    Ok(Some(search.found))
}

struct Search<'a, R> {
    program: &'a Program,
    records: &'a R,
    branch: &'a mut Branch,
    /// Rows of each column that others asked for, in any order.
    wanted: Vec<Vec<u32>>,
    found: Needed,
    /// Children that may still be met.
    left: usize,
    exceeded: bool,
}

impl<R: Records> Search<'_, R> {
    fn want(&mut self, column: ColumnId, rows: impl IntoIterator<Item = u32>) {
        self.wanted[column.index()].extend(rows);
    }

    /// What was asked for of a column, rising.
    fn take(&mut self, column: ColumnId) -> Vec<u32> {
        let mut rows = std::mem::take(&mut self.wanted[column.index()]);
        rise(&mut rows);
        if !rows.is_empty() {
            self.found.columns.insert(column);
            self.found.meet(self.program.column(column).entity, &rows);
        }
        rows
    }

    fn read(&mut self, column: ColumnId, rows: Vec<u32>) {
        if !rows.is_empty() {
            self.found.read.insert(column, rows);
        }
    }

    fn column(&mut self, id: ColumnId, mut rows: Vec<u32>) -> Result<(), R::Error> {
        let program = self.program;
        let column = program.column(id);
        if !column.is_hidden() && self.records.is_stored(id)? {
            let (own, others) = rows.into_iter().partition(|row| self.branch.has(column.entity, *row));
            self.read(id, others);
            rows = own;
        }
        if rows.is_empty() {
            return Ok(());
        }
        match &column.kind {
            ColumnKind::Field(_) => {}
            ColumnKind::Scalar(expr) => {
                expr.each_column(&mut |needed| self.want(needed, rows.iter().copied()));
            }
            ColumnKind::Lookup { edge, column: target } => self.look_up(*edge, *target, &rows)?,
            ColumnKind::Aggregate(aggregate) => self.aggregate(id, aggregate, rows)?,
            ColumnKind::Window(window) => self.window(window, &rows)?,
        }
        Ok(())
    }

    fn look_up(&mut self, edge: EdgeId, target: ColumnId, rows: &[u32]) -> Result<(), R::Error> {
        let (child, parent) = (self.program.edge(edge).child, self.program.edge(edge).parent);
        // Says who is missing where there is no parent.
        self.want(self.program.edge(edge).via, rows.iter().copied());
        for (row, above) in rows.iter().zip(self.records.parents(edge, rows)?) {
            let Some(above) = above else { continue };
            self.found.links.entry(edge).or_default().push((*row, above));
            self.want(target, [above]);
            if self.program.entity(parent).division.is_none() && self.branch.has(child, *row) {
                self.branch.add(parent, above);
            }
        }
        Ok(())
    }

    /// All children of the parents; those of the branch's records belong to it.
    fn children(&mut self, edge: EdgeId, parents: &[u32]) -> Result<Vec<u32>, R::Error> {
        let (child, parent) = (self.program.edge(edge).child, self.program.edge(edge).parent);
        // Whoever has many parents has more children, and they need not be read to know that it is too much.
        let below =
            if parents.len() > self.left { Vec::new() } else { self.records.children(edge, parents)? };
        self.exceeded |= parents.len().max(below.len()) > self.left;
        self.left = self.left.saturating_sub(below.len());
        let rows: Vec<u32> = below.iter().map(|(row, _)| *row).collect();
        self.found.meet(parent, parents);
        self.found.meet(child, &rows);
        for (row, above) in &below {
            if self.branch.has(parent, *above) {
                self.branch.add(child, *row);
            }
        }
        self.found.links.entry(edge).or_default().extend(below.iter().copied());
        Ok(rows)
    }

    fn aggregate(&mut self, id: ColumnId, aggregate: &Aggregate, rows: Vec<u32>) -> Result<(), R::Error> {
        let records = self.records;
        let (rows, blind): (Vec<u32>, Vec<u32>) =
            rows.into_iter().partition(|row| records.knows_children(aggregate.edge, *row));
        if !blind.is_empty() {
            self.found.unknown.insert(id, blind);
        }
        let below = self.children(aggregate.edge, &rows)?;
        for expr in aggregate.argument.iter().chain(&aggregate.filter) {
            expr.each_column(&mut |needed| self.want(needed, below.iter().copied()));
        }
        Ok(())
    }

    fn window(&mut self, window: &Window, rows: &[u32]) -> Result<(), R::Error> {
        let mut parents: Vec<u32> = self.records.parents(window.edge, rows)?.into_iter().flatten().collect();
        parents.sort_unstable();
        parents.dedup();
        let siblings = self.children(window.edge, &parents)?;
        let order = window.order.iter().map(|(expr, _)| expr);
        for expr in window.argument.iter().chain(&window.partition).chain(order) {
            expr.each_column(&mut |needed| self.want(needed, siblings.iter().copied()));
        }
        Ok(())
    }
}
