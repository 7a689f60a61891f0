//! Facts about some rows and their relatives, as the evaluator wants them.
//!
//! Relatives are rows of the import, those refused for reasons of their own included (a person with a
//! mistyped number is still a member), and records of the registry that the import does not replace.

use std::collections::{HashMap, HashSet};

use evaluate::interpret::{Facts, FactsBuilder};
use pack::program::{ColumnId, EdgeId, EntityId, Program, Value};
use store::View;

use super::ImportError;
use super::closure::Closure;
use super::link::{Links, Parent, Tables};
use super::registered::{Ancestry, Relative, children};
use super::schema::{EntityPlan, Schema};
use super::stage::{State, Table};

/// Everything that checks may need, ready to be cut into batches.
pub struct Family<'f> {
    schema: &'f Schema<'f>,
    tables: &'f Tables,
    links: &'f Links,
    closure: Closure,
    /// Recorded fields to be given, by entity: positions.
    fields: Vec<Vec<usize>>,
    /// Rows by parent row, by edge.
    children: HashMap<EdgeId, Children>,
    /// Records of the registry by parent row, by edge.
    registered: HashMap<EdgeId, HashMap<u32, Vec<Relative>>>,
    /// Parents that only the registry has.
    ancestry: Ancestry,
    /// Aggregates about whose children nothing is known anywhere.
    blind: HashSet<ColumnId>,
}

/// Children of parent row `p` are `rows[starts[p]..starts[p + 1]]`.
struct Children {
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl<'f> Family<'f> {
    pub fn new(
        schema: &'f Schema<'f>,
        tables: &'f Tables,
        links: &'f Links,
        closure: Closure,
        view: &View<'_>,
        subjects: (EntityId, &[u32]),
    ) -> Result<Self, ImportError> {
        let mut family = Self {
            schema,
            tables,
            links,
            fields: fields_of(schema, &closure),
            ancestry: Ancestry::new(schema, tables, links, &closure, view, subjects)?,
            closure,
            children: HashMap::new(),
            registered: HashMap::new(),
            blind: HashSet::new(),
        };
        let down: Vec<(EdgeId, ColumnId)> = family.closure.down.iter().copied().collect();
        for (edge, column) in down {
            family.add_children(edge, column, view)?;
        }
        Ok(family)
    }

    pub fn program(&self) -> &'f Program {
        self.schema.program
    }

    fn add_children(&mut self, id: EdgeId, column: ColumnId, view: &View<'_>) -> Result<(), ImportError> {
        let edge = &self.schema.program.edges[id.index()];
        let own = self.tables[edge.child.index()].as_ref();
        if own.is_none() && view.count(edge.child)? == 0 {
            self.blind.insert(column);
            return Ok(());
        }
        let Some(above) =
            self.tables[edge.parent.index()].as_ref().filter(|_| !self.registered.contains_key(&id))
        else {
            return Ok(());
        };
        if let Some(own) = own {
            let links = self.links.of(edge.child).iter().find(|links| links.plan.id == id);
            let links = links.expect("every edge of a staged table is linked");
            let children = Children::new(own, above.len(), |row| match links.parents[row] {
                Parent::Row(parent) => Some(parent),
                _ => links.strays.get(&(row as u32)).copied(),
            });
            self.children.insert(id, children);
        }
        let registered = children(self.schema, id, above, own, &self.fields[edge.child.index()], view)?;
        self.registered.insert(id, registered);
        Ok(())
    }

    /// Facts about the rows of an entity and everything that their checks read. The second value gives the
    /// facts' row of each subject.
    pub fn facts(&self, entity: EntityId, subjects: &[u32]) -> (Facts, Vec<u32>) {
        let mut gathering = Gathering {
            family: self,
            builder: FactsBuilder::new(self.schema.program),
            rows: HashMap::new(),
            open: Vec::new(),
            records: HashSet::new(),
        };
        let subjects: Vec<u32> = subjects.iter().map(|row| gathering.add(entity, *row)).collect();
        if self.closure.needs_relatives() {
            while let Some((entity, row)) = gathering.open.pop() {
                gathering.relatives(entity, row);
            }
        }
        (gathering.builder.build(), subjects)
    }

    fn table(&self, entity: EntityId) -> &'f Table {
        self.tables[entity.index()].as_ref().expect("rows are of staged tables")
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

fn fields_of(schema: &Schema<'_>, closure: &Closure) -> Vec<Vec<usize>> {
    let needed = |entity: &EntityPlan| {
        (0..entity.fields.len())
            .filter(|field| closure.columns.contains(&entity.fields[*field].column))
            .collect()
    };
    schema.entities.iter().map(needed).collect()
}

struct Gathering<'g, 'f> {
    family: &'g Family<'f>,
    builder: FactsBuilder<'f>,
    /// Facts' rows of staged rows.
    rows: HashMap<(EntityId, u32), u32>,
    open: Vec<(EntityId, u32)>,
    /// Records of the registry that were added.
    records: HashSet<(EntityId, String)>,
}

impl Gathering<'_, '_> {
    /// Adds a staged row, once.
    fn add(&mut self, entity: EntityId, row: u32) -> u32 {
        if let Some(known) = self.rows.get(&(entity, row)) {
            return *known;
        }
        let family = self.family;
        let plan = family.schema.entity(entity);
        let table = family.table(entity);
        let values = family.fields[entity.index()].iter().map(|field| {
            let column = table.columns[*field].as_ref();
            let value = column.and_then(|column| column.value(&plan.fields[*field].reader, row as usize));
            (plan.fields[*field].column, value)
        });
        let added = self.builder.record(entity, table.text(plan.key, row as usize), values);
        self.unknown(entity, added, |column| family.blind.contains(&column));
        if family.closure.needs_relatives() {
            self.link(entity, row, added);
        }
        self.rows.insert((entity, row), added);
        self.open.push((entity, row));
        added
    }

    /// Gives the references by which the facts are linked, where the row belongs rather than as written.
    fn link(&mut self, entity: EntityId, row: u32, added: u32) {
        let family = self.family;
        let plan = family.schema.entity(entity);
        let table = family.table(entity);
        for links in family.links.of(entity) {
            let edge = &links.plan;
            let belongs = links
                .strays
                .get(&row)
                .map(|parent| family.table(edge.parent).text(edge.on, *parent as usize));
            let text = belongs.unwrap_or_else(|| table.text(edge.via, row as usize));
            self.refer(entity, added, plan.fields[edge.via].column, text);
        }
        for child in family.schema.program.edges.iter().filter(|edge| edge.parent == entity) {
            if let Some(on) = plan.fields.iter().position(|field| field.column == child.on) {
                self.refer(entity, added, child.on, table.text(on, row as usize));
            }
        }
    }

    fn refer(&mut self, entity: EntityId, added: u32, column: ColumnId, text: &str) {
        if !text.is_empty() {
            self.builder.give(entity, added, column, Some(Value::Text(text.to_owned())));
        }
    }

    /// Adds the rows and records that a row's columns read.
    fn relatives(&mut self, entity: EntityId, row: u32) {
        let family = self.family;
        let up = family.links.of(entity).iter().filter(|links| family.closure.up.contains(&links.plan.id));
        for links in up {
            let plan = &links.plan;
            match (links.parents[row as usize], links.strays.get(&row)) {
                (Parent::Row(parent), _) | (Parent::Missing, Some(&parent)) => {
                    self.add(plan.parent, parent);
                }
                (Parent::Registered, _) => {
                    let text = family.table(entity).text(plan.via, row as usize);
                    if let Some(key) = family.ancestry.key(plan.id, text) {
                        self.add_above(plan.parent, key);
                    }
                }
                _ => {}
            }
        }
        for (id, _) in &family.closure.down {
            let edge = &family.schema.program.edges[id.index()];
            if edge.parent != entity {
                continue;
            }
            for child in family.children.get(id).into_iter().flat_map(|children| children.of(row)) {
                self.add(edge.child, *child);
            }
            let registered = family.registered.get(id).and_then(|rows| rows.get(&row));
            for relative in registered.into_iter().flatten() {
                let plan = family.schema.entity(entity);
                let on = plan
                    .fields
                    .iter()
                    .position(|field| field.column == edge.on)
                    .expect("a field of the parent");
                if let Some(added) = self.add_relative(edge.child, relative) {
                    self.refer(edge.child, added, edge.via, family.table(entity).text(on, row as usize));
                }
            }
        }
    }

    /// A record of the registry whose own children are not looked at.
    fn add_relative(&mut self, entity: EntityId, relative: &Relative) -> Option<u32> {
        if !self.records.insert((entity, relative.key.clone())) {
            return None;
        }
        let added = self.builder.record(entity, &relative.key, relative.values.iter().cloned());
        self.unknown(entity, added, |_| true);
        Some(added)
    }

    /// A parent that only the registry has, with its family.
    fn add_above(&mut self, entity: EntityId, key: &str) {
        let family = self.family;
        let Some(above) = family.ancestry.get(entity, key) else { return };
        if !self.records.insert((entity, key.to_owned())) {
            return;
        }
        let added = self.builder.record(entity, key, above.relative.values.iter().cloned());
        self.unknown(entity, added, |column| family.blind.contains(&column));
        for (child, row) in &above.rows {
            self.add(*child, *row);
        }
        for (child, relative) in &above.records {
            self.add_relative(*child, relative);
        }
        for (parent, key) in &above.parents {
            self.add_above(*parent, key);
        }
    }

    /// Aggregates of a record whose children were not gathered are unknown.
    fn unknown(&mut self, entity: EntityId, added: u32, which: impl Fn(ColumnId) -> bool) {
        let family = self.family;
        for (_, column) in &family.closure.down {
            if family.schema.program.columns[column.index()].entity == entity && which(*column) {
                self.builder.give(entity, added, *column, None);
            }
        }
    }
}
