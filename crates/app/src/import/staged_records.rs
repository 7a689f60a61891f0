//! The rows of an import, with what the registry has beside them, as checks read them.
//!
//! Relatives are rows of the import, those refused for reasons of their own included (a person with a
//! mistyped number is still a member), and records of the registry that the import does not replace. These are read
//! before any check runs, and have numbers behind those of the rows.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

use evaluate::interpret::Facts;
use evaluate::records::{Branch, Extract, Records, gather, needed};
use pack::program::{ColumnId, EdgeId, EntityId, Program, Value};
use store::View;

use super::ImportError;
use super::closure::Closure;
use super::link::{EdgeLinks, Links, Parent, Tables};
use super::registered::{Above, Ancestry, Relative, children};
use super::schema::Schema;
use super::stage::{State, Table};

/// Everything that checks may need. Many threads read it at once.
pub struct StagedRecords<'f> {
    schema: &'f Schema<'f>,
    tables: &'f Tables,
    links: &'f Links,
    /// Position of a column among the fields of its entity.
    fields: HashMap<ColumnId, usize>,
    /// Rows by parent row, by edge.
    children: HashMap<EdgeId, Children>,
    /// Parents that only the registry has, by what children name them by.
    ancestry: Ancestry,
    registered: Registered,
    /// Edges along which nothing is known of any children, neither here nor in the registry.
    blind: HashSet<EdgeId>,
}

/// Records of the registry, by entity.
#[derive(Default)]
struct Registered {
    records: HashMap<EntityId, Vec<Record>>,
    /// Numbers, the first of which is that of the first record.
    numbers: HashMap<(EntityId, String), u32>,
    /// By edge and row of the import: registered children.
    below: HashMap<(EdgeId, u32), Vec<u32>>,
}

struct Record {
    relative: Relative,
    parents: Vec<(EdgeId, u32)>,
    children: HashMap<EdgeId, Vec<u32>>,
    /// Whether its children were read, too.
    has_family: bool,
}

/// Children of parent row `p` are `rows[starts[p]..starts[p + 1]]`.
struct Children {
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl<'f> StagedRecords<'f> {
    /// Reads what the columns of the closure need beside the rows of the import. Of the subjects' own entity only the
    /// subjects count.
    pub fn new(
        schema: &'f Schema<'f>,
        tables: &'f Tables,
        links: &'f Links,
        closure: &Closure,
        view: &View<'_>,
        subjects: (EntityId, &[u32]),
    ) -> Result<Self, ImportError> {
        let fields = schema.entities.iter().flat_map(|entity| entity.fields.iter().enumerate());
        let mut staged = Self {
            schema,
            tables,
            links,
            fields: fields.map(|(position, field)| (field.column, position)).collect(),
            ancestry: Ancestry::new(schema, tables, links, closure, view, subjects)?,
            children: HashMap::new(),
            registered: Registered::default(),
            blind: HashSet::new(),
        };
        staged.number_ancestry();
        let edges: HashSet<EdgeId> = closure.down.iter().map(|(edge, _)| *edge).collect();
        let mut edges: Vec<EdgeId> = edges.into_iter().collect();
        edges.sort_unstable();
        for edge in edges {
            staged.add_children(edge, closure, view)?;
        }
        Ok(staged)
    }

    /// Facts about the rows of an entity and everything that some of their columns read, with the facts' row of each
    /// subject.
    pub fn facts(&self, entity: EntityId, subjects: &[u32], columns: &[ColumnId]) -> (Facts, Vec<u32>) {
        let each = columns.iter().flat_map(|column| subjects.iter().map(move |row| (*column, *row)));
        let roots: Vec<(ColumnId, u32)> = each.collect();
        let Ok(found) = needed(self, &roots, &mut Branch::none(self.schema.program), usize::MAX);
        let mut found = found.expect("there is no limit");
        for row in subjects {
            found.add_row(entity, *row);
        }
        let Ok(gathered) = gather(self, found);
        let place = |row: &u32| gathered.place(entity, *row).expect("every subject was added");
        let places = subjects.iter().map(place).collect();
        (gathered.facts, places)
    }

    fn staged(&self, entity: EntityId) -> u32 {
        self.tables[entity.index()].as_ref().map_or(0, |table| table.len() as u32)
    }

    fn table(&self, entity: EntityId) -> &'f Table {
        self.tables[entity.index()].as_ref().expect("rows are of staged tables")
    }

    fn links(&self, edge: EdgeId) -> Option<&'f EdgeLinks> {
        let child = self.schema.program.edge(edge).child;
        self.links.of(child).iter().find(|links| links.plan.id == edge)
    }

    fn registered(&self, entity: EntityId, row: u32) -> Option<&Record> {
        let place = row.checked_sub(self.staged(entity))?;
        self.registered.records.get(&entity)?.get(place as usize)
    }

    /// Gives a record of the registry a number, once.
    fn number(&mut self, entity: EntityId, relative: &Relative, has_family: bool) -> u32 {
        let place = (entity, relative.key.clone());
        if let Some(row) = self.registered.numbers.get(&place) {
            return *row;
        }
        let first = self.staged(entity);
        let records = self.registered.records.entry(entity).or_default();
        let row = first + records.len() as u32;
        records.push(Record {
            relative: relative.clone(),
            parents: Vec::new(),
            children: HashMap::new(),
            has_family,
        });
        self.registered.numbers.insert(place, row);
        row
    }

    fn record_mut(&mut self, entity: EntityId, row: u32) -> &mut Record {
        let place = (row - self.staged(entity)) as usize;
        let records = self.registered.records.get_mut(&entity).expect("it has a number");
        &mut records[place]
    }

    /// Parents first, so that one of them is never taken for a relative without a family.
    fn number_ancestry(&mut self) {
        let program = self.schema.program;
        let ancestry = std::mem::take(&mut self.ancestry);
        let all: Vec<(EntityId, &Above)> = ancestry.all();
        for (entity, above) in &all {
            self.number(*entity, &above.relative, true);
        }
        for (entity, above) in all {
            let row = self.registered.numbers[&(entity, above.relative.key.clone())];
            for (edge, key) in &above.parents {
                let parent = program.edge(*edge).parent;
                if let Some(parent) = self.registered.numbers.get(&(parent, key.clone())).copied() {
                    self.record_mut(entity, row).parents.push((*edge, parent));
                }
            }
            for (edge, child) in &above.rows {
                self.record_mut(entity, row).children.entry(*edge).or_default().push(*child);
            }
            for (edge, relative) in &above.records {
                let of = program.edge(*edge).child;
                let child = self.number(of, relative, false);
                self.record_mut(of, child).parents.push((*edge, row));
                self.record_mut(entity, row).children.entry(*edge).or_default().push(child);
            }
        }
        self.ancestry = ancestry;
    }

    fn add_children(&mut self, id: EdgeId, closure: &Closure, view: &View<'_>) -> Result<(), ImportError> {
        let edge = self.schema.program.edge(id);
        let own = self.tables[edge.child.index()].as_ref();
        if own.is_none() && view.count(edge.child)? == 0 {
            self.blind.insert(id);
            return Ok(());
        }
        let Some(above) = self.tables[edge.parent.index()].as_ref() else { return Ok(()) };
        if let Some(own) = own {
            let links = self.links(id).expect("every edge of a staged table is linked");
            let children = Children::new(own, above.len(), |row| parent_row(links, row as u32));
            self.children.insert(id, children);
        }
        let child = self.schema.entity(edge.child);
        let needed = |field: &usize| closure.columns.contains(&child.fields[*field].column);
        let fields: Vec<usize> = (0..child.fields.len()).filter(needed).collect();
        let found = children(self.schema, id, above, own, &fields, view)?;
        for (parent, relatives) in found {
            for relative in &relatives {
                let row = self.number(edge.child, relative, false);
                self.record_mut(edge.child, row).parents.push((id, parent));
                self.registered.below.entry((id, parent)).or_default().push(row);
            }
        }
        Ok(())
    }
}

/// The staged parent of a row: the one that it names, or where its key says it belongs.
fn parent_row(links: &EdgeLinks, row: u32) -> Option<u32> {
    match links.parents[row as usize] {
        Parent::Row(parent) => Some(parent),
        _ => links.strays.get(&row).copied(),
    }
}

impl Records for StagedRecords<'_> {
    type Error = Infallible;

    fn program(&self) -> &Program {
        self.schema.program
    }

    fn parents(&self, edge: EdgeId, children: &[u32]) -> Result<Vec<Option<u32>>, Infallible> {
        let declared = self.schema.program.edge(edge);
        let links = self.links(edge);
        let staged = self.staged(declared.child);
        let parent = |row: u32| {
            if row >= staged {
                let parents = &self.registered(declared.child, row)?.parents;
                return parents.iter().find(|(along, _)| *along == edge).map(|(_, parent)| *parent);
            }
            let links = links?;
            if links.parents[row as usize] != Parent::Registered {
                return parent_row(links, row);
            }
            let text = self.table(declared.child).text(links.plan.via, row as usize);
            let key = self.ancestry.key(edge, text)?;
            self.registered.numbers.get(&(declared.parent, key.to_owned())).copied()
        };
        Ok(children.iter().map(|row| parent(*row)).collect())
    }

    fn children(&self, edge: EdgeId, parents: &[u32]) -> Result<Vec<(u32, u32)>, Infallible> {
        let entity = self.schema.program.edge(edge).parent;
        let staged = self.staged(entity);
        let mut found = Vec::new();
        for parent in parents {
            let (rows, registered): (&[u32], Option<&Vec<u32>>) = if *parent < staged {
                let rows = self.children.get(&edge).map(|children| children.of(*parent));
                (rows.unwrap_or_default(), self.registered.below.get(&(edge, *parent)))
            } else {
                let record = self.registered(entity, *parent);
                (&[], record.and_then(|record| record.children.get(&edge)))
            };
            found.extend(rows.iter().chain(registered.into_iter().flatten()).map(|row| (*row, *parent)));
        }
        found.sort_unstable();
        Ok(found)
    }

    fn knows_children(&self, edge: EdgeId, parent: u32) -> bool {
        let entity = self.schema.program.edge(edge).parent;
        let has_family = || self.registered(entity, parent).is_none_or(|record| record.has_family);
        !self.blind.contains(&edge) && has_family()
    }

    fn is_stored(&self, _: ColumnId) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn read(&self, entity: EntityId, columns: &[ColumnId], rows: &[u32]) -> Result<Extract, Infallible> {
        let plan = self.schema.entity(entity);
        let staged = self.staged(entity);
        let values = |column: &ColumnId| -> Vec<Option<Value>> {
            let Some(&field) = self.fields.get(column) else { return vec![None; rows.len()] };
            let of_table =
                self.tables[entity.index()].as_ref().and_then(|table| table.columns[field].as_ref());
            let value = |row: &u32| {
                if *row < staged {
                    return of_table?.value(&plan.fields[field].reader, *row as usize);
                }
                let relative = &self.registered(entity, *row)?.relative;
                if field == plan.key {
                    return Some(Value::Text(relative.key.clone()));
                }
                let known = relative.values.iter().find(|(known, _)| known == column);
                known.and_then(|(_, value)| value.clone())
            };
            rows.iter().map(value).collect()
        };
        Ok(Extract { columns: columns.iter().map(values).collect(), origins: Vec::new() })
    }

    fn find(&self, column: ColumnId, text: &str) -> Result<Option<u32>, Infallible> {
        let entity = self.schema.program.column(column).entity;
        let Some(&field) = self.fields.get(&column) else { return Ok(None) };
        let holds = |row: &u32| self.table(entity).text(field, *row as usize) == text;
        Ok((0..self.staged(entity)).find(holds))
    }

    fn stray(&self, _: EdgeId, _: &str) -> Result<Vec<u32>, Infallible> {
        Ok(Vec::new())
    }

    fn end(&self, entity: EntityId) -> Result<u32, Infallible> {
        let registered = self.registered.records.get(&entity).map_or(0, Vec::len);
        Ok(self.staged(entity) + registered as u32)
    }
}

impl Children {
    fn new(table: &Table, parents: usize, parent_of: impl Fn(usize) -> Option<u32>) -> Self {
        let parent_of = |row: usize| parent_of(row).filter(|_| table.states[row] != State::Repeated);
        let mut starts = vec![0_u32; parents + 1];
        for row in 0..table.len() {
            if let Some(parent) = parent_of(row) {
                starts[parent as usize + 1] += 1;
            }
        }
        for parent in 0..parents {
            starts[parent + 1] += starts[parent];
        }
        let mut next = starts.clone();
        let mut rows = vec![0; starts[parents] as usize];
        for row in 0..table.len() {
            if let Some(parent) = parent_of(row) {
                rows[next[parent as usize] as usize] = row as u32;
                next[parent as usize] += 1;
            }
        }
        Self { starts, rows }
    }

    fn of(&self, parent: u32) -> &[u32] {
        &self.rows[self.starts[parent as usize] as usize..self.starts[parent as usize + 1] as usize]
    }
}
