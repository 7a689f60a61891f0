//! Facts about some rows and their relatives, as the evaluator wants them.
//!
//! Relatives are rows of the import, those refused for reasons of their own included (a person with a
//! mistyped number is still a member), and records of the registry that the import does not replace.

use std::collections::{HashMap, HashSet};

use engine::interpret::{Facts, FactsBuilder};
use pack::program::{ColumnId, EdgeId, EntityId, Value};
use store::View;

use super::ImportError;
use super::closure::Closure;
use super::link::{LOOKUP_BATCH, Links, Parent, Tables, registered};
use super::schema::Schema;
use super::stage::{State, Table};

/// Known values of one record.
type Values = Vec<(ColumnId, Option<Value>)>;

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
    registered: HashMap<EdgeId, HashMap<u32, Vec<(String, Values)>>>,
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
    ) -> Result<Self, ImportError> {
        let mut family = Self {
            schema,
            tables,
            links,
            fields: fields_of(schema, &closure),
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

    fn add_children(&mut self, id: EdgeId, column: ColumnId, view: &View<'_>) -> Result<(), ImportError> {
        let edge = &self.schema.program.edges[id.index()];
        let (Some(above), own) = (&self.tables[edge.parent.index()], &self.tables[edge.child.index()]) else {
            return Ok(());
        };
        if own.is_none() && view.count(edge.child)? == 0 {
            self.blind.insert(column);
            return Ok(());
        }
        if self.children.contains_key(&id) {
            return Ok(());
        }
        if let Some(own) = own {
            let links = self.links.of(edge.child).iter().find(|links| links.plan.id == id);
            let links = links.expect("every edge of a staged table is linked");
            self.children.insert(id, Children::new(own, above.len(), |row| match links.parents[row] {
                Parent::Row(parent) => Some(parent),
                _ => links.strays.get(&(row as u32)).copied(),
            }));
        }
        let registered = self.registered_children(id, above, own.as_ref(), view)?;
        self.registered.insert(id, registered);
        Ok(())
    }

    /// Records of the registry that belong to rows of the import and that the import does not replace.
    fn registered_children(
        &self,
        id: EdgeId,
        above: &Table,
        own: Option<&Table>,
        view: &View<'_>,
    ) -> Result<HashMap<u32, Vec<(String, Values)>>, ImportError> {
        let mut found: HashMap<u32, Vec<(String, Values)>> = HashMap::new();
        let edge = &self.schema.program.edges[id.index()];
        let child = self.schema.entity(edge.child);
        let plan = child.edges.iter().find(|plan| plan.id == id).expect("an edge of its child");
        let parents: HashMap<&str, u32> = (0..above.len())
            .filter(|row| above.states[*row] != State::Repeated)
            .map(|row| (above.text(plan.on, row), row as u32))
            .collect();
        let texts: Vec<&str> = parents.keys().copied().filter(|text| !text.is_empty()).collect();
        let mut expected = 0;
        if view.count(edge.child)? > 0 {
            for batch in texts.chunks(LOOKUP_BATCH) {
                expected += view.count_children(id, batch)?.iter().sum::<u64>();
            }
        }
        let keys: HashSet<&str> = own
            .map(|own| (0..own.len()).map(|row| own.text(child.key, row)).collect())
            .unwrap_or_default();
        let key_column = child.fields[child.key].column;
        if expected == 0 || registered(view, edge.child, key_column, keys.iter().copied())?.len() as u64 == expected {
            return Ok(found);
        }
        let mut columns = vec![key_column, child.fields[plan.via].column];
        columns.extend(self.fields[edge.child.index()].iter().map(|field| child.fields[*field].column));
        view.scan(edge.child, &columns, |row| {
            let (Some(key), Some(parent)) = (row.text(0), row.text(1)) else { return Ok(()) };
            if let (false, Some(parent)) = (keys.contains(key), parents.get(parent)) {
                let values = (2..columns.len()).map(|index| (columns[index], row.value(index))).collect();
                found.entry(*parent).or_default().push((key.to_owned(), values));
            }
            Ok(())
        })?;
        Ok(found)
    }

    pub fn program(&self) -> &'f pack::program::Program {
        self.schema.program
    }

    /// Facts about the rows of an entity and everything that their checks read. The second value gives the
    /// facts' row of each subject.
    pub fn facts(&self, entity: EntityId, subjects: &[u32], view: Option<&View<'_>>) -> Result<(Facts, Vec<u32>), ImportError> {
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
                gathering.relatives(entity, row, view)?;
            }
        }
        Ok((gathering.builder.build(), subjects))
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
    let needed = |entity: &super::schema::EntityPlan| {
        (0..entity.fields.len()).filter(|field| closure.columns.contains(&entity.fields[*field].column)).collect()
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
        let table = family.tables[entity.index()].as_ref().expect("rows are of staged tables");
        let values = family.fields[entity.index()].iter().map(|field| {
            let column = table.columns[*field].as_ref();
            let value = column.and_then(|column| column.value(&plan.fields[*field].reader, row as usize));
            (plan.fields[*field].column, value)
        });
        let added = self.builder.record(entity, table.text(plan.key, row as usize), values);
        for column in &family.blind {
            if family.schema.program.columns[column.index()].entity == entity {
                self.builder.give(entity, added, *column, None);
            }
        }
        self.link(entity, row, added);
        self.rows.insert((entity, row), added);
        self.open.push((entity, row));
        added
    }

    /// Gives the references by which the facts are linked, where the row belongs rather than as written.
    fn link(&mut self, entity: EntityId, row: u32, added: u32) {
        let family = self.family;
        let plan = family.schema.entity(entity);
        let table = family.tables[entity.index()].as_ref().expect("rows are of staged tables");
        for links in family.links.of(entity) {
            let edge = &links.plan;
            let belongs = links.strays.get(&row).and_then(|parent| {
                let above = family.tables[edge.parent.index()].as_ref()?;
                Some(above.text(edge.on, *parent as usize))
            });
            let text = belongs.unwrap_or_else(|| table.text(edge.via, row as usize));
            if !text.is_empty() {
                let value = Some(Value::Text(text.to_owned()));
                self.builder.give(entity, added, plan.fields[edge.via].column, value);
            }
        }
        for child in family.schema.program.edges.iter().filter(|edge| edge.parent == entity) {
            let Some(on) = plan.fields.iter().position(|field| field.column == child.on) else { continue };
            let text = table.text(on, row as usize);
            if !text.is_empty() {
                self.builder.give(entity, added, child.on, Some(Value::Text(text.to_owned())));
            }
        }
    }

    /// Adds the rows that a row's columns read.
    fn relatives(&mut self, entity: EntityId, row: u32, view: Option<&View<'_>>) -> Result<(), ImportError> {
        let family = self.family;
        for links in family.links.of(entity) {
            if !family.closure.up.contains(&links.plan.id) {
                continue;
            }
            match (links.parents[row as usize], links.strays.get(&row)) {
                (Parent::Row(parent), _) | (Parent::Missing, Some(&parent)) => {
                    self.add(links.plan.parent, parent);
                }
                (Parent::Registered, _) => {
                    let table = family.tables[entity.index()].as_ref().expect("rows are of staged tables");
                    if let Some(view) = view {
                        self.add_registered(links.plan.parent, table.text(links.plan.via, row as usize), view)?;
                    }
                }
                _ => {}
            }
        }
        let down: Vec<EdgeId> = family.closure.down.iter().map(|(edge, _)| *edge).collect();
        for id in down {
            let edge = &family.schema.program.edges[id.index()];
            if edge.parent != entity {
                continue;
            }
            if let Some(children) = family.children.get(&id) {
                for child in children.of(row) {
                    self.add(edge.child, *child);
                }
            }
            let registered = family.registered.get(&id).and_then(|rows| rows.get(&row));
            for (key, values) in registered.into_iter().flatten() {
                if self.records.insert((edge.child, key.clone())) {
                    let added = self.builder.record(edge.child, key, values.iter().cloned());
                    self.unknown_below(edge.child, added);
                    let on = self.parent_text(edge.parent, row, edge.on);
                    self.builder.give(edge.child, added, edge.via, on);
                }
            }
        }
        Ok(())
    }

    fn parent_text(&self, entity: EntityId, row: u32, column: ColumnId) -> Option<Value> {
        let plan = self.family.schema.entity(entity);
        let field = plan.fields.iter().position(|field| field.column == column)?;
        let table = self.family.tables[entity.index()].as_ref()?;
        Some(Value::Text(table.text(field, row as usize).to_owned()))
    }

    /// A parent that only the registry has: its own fields are known, what hangs below is not looked at.
    fn add_registered(&mut self, entity: EntityId, key: &str, view: &View<'_>) -> Result<(), ImportError> {
        if !self.records.insert((entity, key.to_owned())) {
            return Ok(());
        }
        let Some(state) = view.record(entity, key)? else { return Ok(()) };
        let plan = self.family.schema.entity(entity);
        let values = plan.fields.iter().zip(state.values).map(|(field, value)| (field.column, value));
        let added = self.builder.record(entity, key, values);
        self.unknown_below(entity, added);
        Ok(())
    }

    /// Aggregates of a record whose children were not gathered are unknown.
    fn unknown_below(&mut self, entity: EntityId, added: u32) {
        for (_, column) in &self.family.closure.down {
            if self.family.schema.program.columns[column.index()].entity == entity {
                self.builder.give(entity, added, *column, None);
            }
        }
    }
}
