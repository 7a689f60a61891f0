//! Recorded facts in memory: a dense table per entity, and the rows that belong together.

use std::collections::{BTreeSet, HashMap};

use model::Date;
use pack::program::{CaseRecord, ColumnId, EdgeId, EntityId, Program, Type, Value};

/// Where a record comes from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Provenance {
    /// The file it was imported from, or the form it was entered in.
    pub file: String,
    pub sheet: Option<String>,
    /// As a spreadsheet numbers it, from 1.
    pub row: Option<u32>,
    /// The day it was recorded.
    pub recorded: Option<Date>,
}

/// What is known before anything is computed.
#[derive(Clone, Debug, Default)]
pub(crate) enum Given {
    /// Nothing: a field is unknown, another column is computed.
    #[default]
    No,
    /// This value; `None` is unknown.
    Yes(Option<Value>),
}

#[derive(Clone, Debug, Default)]
struct Table {
    keys: Vec<String>,
    provenance: Vec<Option<Provenance>>,
    /// Row by row, `width` cells each.
    cells: Vec<Given>,
}

/// Where the cells of each column are.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Position of a column among those of its entity, by column.
    slot: Vec<u32>,
    /// Number of cells of a record, by entity.
    width: Vec<u32>,
    /// Whether the first cell of every record stands, unknown, for the columns that have none of their own.
    narrow: bool,
}

impl Layout {
    /// With cells for all columns, or only for some of them.
    fn new(program: &Program, only: Option<&BTreeSet<ColumnId>>) -> Self {
        let narrow = only.is_some();
        let mut width = vec![u32::from(narrow); program.entities.len()];
        let slot = program
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                if only.is_some_and(|only| !only.contains(&ColumnId(index as u32))) {
                    return 0;
                }
                let next = &mut width[column.entity.index()];
                *next += 1;
                *next - 1
            })
            .collect();
        Self { slot, width, narrow }
    }
}

/// The children of each parent row along one edge.
#[derive(Clone, Debug, Default)]
struct Children {
    /// Children of parent `p` are `rows[starts[p]..starts[p + 1]]`.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

const NO_PARENT: u32 = u32::MAX;

/// Records of every entity, linked along the edges of the program.
///
/// Rows are numbered per entity in the order in which they were added. Memory is one cell for every
/// column of every row, so that nothing is hashed while evaluating.
#[derive(Clone, Debug)]
pub struct Facts {
    layout: Layout,
    tables: Vec<Table>,
    /// Parent row of each child row, by edge.
    parents: Vec<Vec<u32>>,
    children: Vec<Children>,
    /// First cell of each entity in a vector that holds all cells.
    bases: Vec<usize>,
    cells: usize,
}

impl Facts {
    /// Links the records given. A record without a parent (its reference is unknown or matches
    /// nothing) is kept: look-ups from it are unknown.
    pub fn from_records(program: &Program, records: &[CaseRecord]) -> Self {
        let mut builder = FactsBuilder::new(program);
        for record in records {
            builder.record(record.entity, &record.key, record.fields.iter().cloned());
        }
        builder.build()
    }

    /// Number of records of an entity.
    pub fn rows(&self, entity: EntityId) -> u32 {
        self.tables[entity.index()].keys.len() as u32
    }

    /// The key under which the office knows the record.
    pub fn key(&self, entity: EntityId, row: u32) -> &str {
        &self.tables[entity.index()].keys[row as usize]
    }

    /// The first record with the key. Looks through all of them.
    pub fn find(&self, entity: EntityId, key: &str) -> Option<u32> {
        self.tables[entity.index()].keys.iter().position(|other| other == key).map(|row| row as u32)
    }

    /// Where the record was read, if that was given.
    pub fn provenance(&self, entity: EntityId, row: u32) -> Option<&Provenance> {
        self.tables[entity.index()].provenance[row as usize].as_ref()
    }

    /// The parent's row along an edge.
    pub fn parent(&self, edge: EdgeId, child: u32) -> Option<u32> {
        Some(self.parents[edge.index()][child as usize]).filter(|row| *row != NO_PARENT)
    }

    /// The rows of the children along an edge, in order of their rows.
    pub fn children(&self, edge: EdgeId, parent: u32) -> &[u32] {
        let children = &self.children[edge.index()];
        let (from, to) = (children.starts[parent as usize], children.starts[parent as usize + 1]);
        &children.rows[from as usize..to as usize]
    }

    pub(crate) fn given(&self, entity: EntityId, row: u32, column: ColumnId) -> &Given {
        let width = self.layout.width[entity.index()] as usize;
        let slot = self.layout.slot[column.index()] as usize;
        &self.tables[entity.index()].cells[row as usize * width + slot]
    }

    /// Whether a value came with the records.
    pub(crate) fn is_given(&self, entity: EntityId, row: u32, column: ColumnId) -> bool {
        matches!(self.given(entity, row, column), Given::Yes(_))
    }

    /// The value that came with the records; `None` if it is unknown or did not come.
    pub(crate) fn recorded(&self, entity: EntityId, row: u32, column: ColumnId) -> Option<&Value> {
        match self.given(entity, row, column) {
            Given::Yes(value) => value.as_ref(),
            Given::No => None,
        }
    }

    /// Position of a cell among all cells of all tables.
    pub(crate) fn position(&self, entity: EntityId, row: u32, column: ColumnId) -> usize {
        let width = self.layout.width[entity.index()] as usize;
        self.bases[entity.index()] + row as usize * width + self.layout.slot[column.index()] as usize
    }

    /// Number of cells of all tables.
    pub(crate) fn cell_count(&self) -> usize {
        self.cells
    }
}

/// Collects records, then links them.
#[derive(Debug)]
pub struct FactsBuilder<'a> {
    program: &'a Program,
    layout: Layout,
    tables: Vec<Table>,
    /// Parent row of each child row by edge, where it is said and not read from fields.
    links: Option<Vec<Vec<u32>>>,
}

impl<'a> FactsBuilder<'a> {
    pub fn new(program: &'a Program) -> Self {
        Self {
            program,
            layout: Layout::new(program, None),
            tables: vec![Table::default(); program.entities.len()],
            links: None,
        }
    }

    /// For records of which only these columns are read or computed, and whose parents are told with
    /// [`FactsBuilder::link`]. Other columns are unknown.
    pub fn linked(program: &'a Program, columns: &BTreeSet<ColumnId>) -> Self {
        Self {
            layout: Layout::new(program, Some(columns)),
            links: Some(vec![Vec::new(); program.edges.len()]),
            ..Self::new(program)
        }
    }

    /// Says which record is the parent of another along an edge.
    pub fn link(&mut self, edge: EdgeId, child: u32, parent: u32) {
        let links = self.links.as_mut().expect("only a builder made with `linked` is told parents");
        let rows = &mut links[edge.index()];
        if rows.len() <= child as usize {
            rows.resize(child as usize + 1, NO_PARENT);
        }
        rows[child as usize] = parent;
    }

    /// Adds a record and returns its row. Fields that are not given are unknown, except the key
    /// field, which is read from `key`. A computed column may be given too: it is then taken as it
    /// is, which is how an ancestor keeps a value that came from a whole village.
    pub fn record(
        &mut self,
        entity: EntityId,
        key: &str,
        values: impl IntoIterator<Item = (ColumnId, Option<Value>)>,
    ) -> u32 {
        let width = self.layout.width[entity.index()] as usize;
        let table = &mut self.tables[entity.index()];
        let row = table.keys.len();
        table.keys.push(key.to_owned());
        table.provenance.push(None);
        table.cells.resize_with((row + 1) * width, Given::default);
        if self.layout.narrow {
            table.cells[row * width] = Given::Yes(None);
        }
        let key_column = self.program.entities[entity.index()].key;
        self.give(entity, row as u32, key_column, key_value(self.program, key_column, key));
        for (column, value) in values {
            self.give(entity, row as u32, column, value);
        }
        row as u32
    }

    /// Gives or replaces one value of a record: a recorded field or a stored result.
    pub fn give(&mut self, entity: EntityId, row: u32, column: ColumnId, value: Option<Value>) {
        debug_assert_eq!(self.program.columns[column.index()].entity, entity, "a column of the entity");
        let width = self.layout.width[entity.index()] as usize;
        let slot = self.layout.slot[column.index()] as usize;
        if self.layout.narrow && slot == 0 {
            return;
        }
        self.tables[entity.index()].cells[row as usize * width + slot] = Given::Yes(value);
    }

    /// Says where a record was read.
    pub fn provenance(&mut self, entity: EntityId, row: u32, provenance: Provenance) {
        self.tables[entity.index()].provenance[row as usize] = Some(provenance);
    }

    /// Links children with parents and finishes.
    pub fn build(mut self) -> Facts {
        let said = self.links.take();
        let parents: Vec<Vec<u32>> = match said {
            Some(mut links) => {
                for (rows, edge) in links.iter_mut().zip(&self.program.edges) {
                    rows.resize(self.tables[edge.child.index()].keys.len(), NO_PARENT);
                }
                links
            }
            None => (0..self.program.edges.len()).map(|edge| self.link_by_fields(edge)).collect(),
        };
        let children = parents
            .iter()
            .zip(&self.program.edges)
            .map(|(rows, edge)| group(rows, self.tables[edge.parent.index()].keys.len()))
            .collect();
        let mut cells = 0;
        let mut bases = Vec::with_capacity(self.tables.len());
        for table in &self.tables {
            bases.push(cells);
            cells += table.cells.len();
        }
        Facts { layout: self.layout, tables: self.tables, parents, children, bases, cells }
    }

    /// The parent row of every child row along an edge. Of parents with the same value the first
    /// is taken: an import refuses the others.
    fn link_by_fields(&self, edge: usize) -> Vec<u32> {
        let edge = &self.program.edges[edge];
        let mut index: HashMap<Reference<'_>, u32> = HashMap::new();
        for (row, value) in self.column(edge.parent, edge.on) {
            if let Some(reference) = value {
                index.entry(reference).or_insert(row);
            }
        }
        self.column(edge.child, edge.via)
            .map(|(_, value)| value.and_then(|value| index.get(&value).copied()).unwrap_or(NO_PARENT))
            .collect()
    }

    fn column(
        &self,
        entity: EntityId,
        column: ColumnId,
    ) -> impl Iterator<Item = (u32, Option<Reference<'_>>)> {
        let width = self.layout.width[entity.index()] as usize;
        let slot = self.layout.slot[column.index()] as usize;
        let table = &self.tables[entity.index()];
        (0..table.keys.len()).map(move |row| (row as u32, Reference::of(&table.cells[row * width + slot])))
    }
}

/// A value by which a child names its parent.
#[derive(PartialEq, Eq, Hash)]
enum Reference<'a> {
    Text(&'a str),
    Number(i128),
    Date(Date),
}

impl<'a> Reference<'a> {
    fn of(given: &'a Given) -> Option<Self> {
        match given {
            Given::Yes(Some(Value::Text(text))) => Some(Self::Text(text)),
            Given::Yes(Some(Value::Number(number))) => Some(Self::Number(*number)),
            Given::Yes(Some(Value::Date(date))) => Some(Self::Date(*date)),
            Given::Yes(_) | Given::No => None,
        }
    }
}

fn key_value(program: &Program, column: ColumnId, key: &str) -> Option<Value> {
    match program.columns[column.index()].ty {
        Type::Text | Type::Code(_) => Some(Value::Text(key.to_owned())),
        Type::Number(_) => key.parse().ok().map(Value::Number),
        Type::Date => key.parse().ok().map(Value::Date),
        Type::Bool | Type::Index => None,
    }
}

/// Turns parents of children into children of parents, by counting.
fn group(parent_of: &[u32], parents: usize) -> Children {
    let mut starts = vec![0_u32; parents + 1];
    for parent in parent_of.iter().filter(|parent| **parent != NO_PARENT) {
        starts[*parent as usize + 1] += 1;
    }
    for parent in 0..parents {
        starts[parent + 1] += starts[parent];
    }
    let mut next = starts.clone();
    let mut rows = vec![0_u32; starts[parents] as usize];
    for (child, parent) in parent_of.iter().enumerate().filter(|(_, parent)| **parent != NO_PARENT) {
        let place = &mut next[*parent as usize];
        rows[*place as usize] = child as u32;
        *place += 1;
    }
    Children { starts, rows }
}
