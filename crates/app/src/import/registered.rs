//! What checks read from the registry: parents that are not in the files, and children that are not.

use std::collections::{HashMap, HashSet};

use pack::program::{ColumnId, EdgeId, EntityId, Value};
use store::View;

use super::ImportError;
use super::closure::Closure;
use super::link::{LOOKUP_BATCH, Links, Parent, Tables, reads_all, registered};
use super::schema::{EdgePlan, EntityPlan, Schema};
use super::stage::{State, Table};

/// Known values of one record.
pub type Values = Vec<(ColumnId, Option<Value>)>;

/// A record of the registry as a relative.
#[derive(Clone, Debug, Default)]
pub struct Relative {
    pub key: String,
    pub values: Values,
}

/// A parent that only the registry has, with its family.
#[derive(Clone, Debug, Default)]
pub struct Above {
    pub relative: Relative,
    /// Rows of the import that belong to it along an edge.
    pub rows: Vec<(EdgeId, u32)>,
    /// Records of the registry that belong to it along an edge and that the import does not replace.
    pub records: Vec<(EdgeId, Relative)>,
    /// Keys of its own parents.
    pub parents: Vec<(EdgeId, String)>,
}

/// Registered parents by entity and key.
#[derive(Debug, Default)]
pub struct Ancestry {
    by_text: HashMap<(EdgeId, String), String>,
    by_key: HashMap<(EntityId, String), Above>,
}

impl Ancestry {
    /// Those that the rows' checks may look up. Of the subjects' own entity only the subjects count.
    pub fn new(
        schema: &Schema<'_>,
        tables: &Tables,
        links: &Links,
        closure: &Closure,
        view: &View<'_>,
        subjects: (EntityId, &[u32]),
    ) -> Result<Self, ImportError> {
        let mut loading = Loading {
            schema,
            tables,
            links,
            closure,
            view,
            found: Self::default(),
            rows: HashMap::new(),
            keys: HashMap::new(),
        };
        for entity in &schema.entities {
            let Some(table) = &tables[entity.id.index()] else { continue };
            for edge in links.of(entity.id).iter().filter(|edge| closure.up.contains(&edge.plan.id)) {
                let refers = |row: &u32| edge.parents[*row as usize] == Parent::Registered;
                let text = |row: u32| table.text(edge.plan.via, row as usize);
                let texts: HashSet<&str> = if entity.id == subjects.0 {
                    subjects.1.iter().copied().filter(refers).map(text).collect()
                } else {
                    (0..table.len() as u32).filter(refers).map(text).collect()
                };
                for text in texts {
                    loading.above(&edge.plan, text)?;
                }
            }
        }
        Ok(loading.found)
    }

    /// The key of the registered parent that a text refers to along an edge.
    pub fn key(&self, edge: EdgeId, text: &str) -> Option<&str> {
        self.by_text.get(&(edge, text.to_owned())).map(String::as_str)
    }

    /// All of them, in order.
    pub fn all(&self) -> Vec<(EntityId, &Above)> {
        let mut all: Vec<_> =
            self.by_key.iter().map(|((entity, key), above)| (*entity, key, above)).collect();
        all.sort_unstable_by_key(|(entity, key, _)| (*entity, *key));
        all.into_iter().map(|(entity, _, above)| (entity, above)).collect()
    }
}

struct Loading<'l, 'v> {
    schema: &'l Schema<'l>,
    tables: &'l Tables,
    links: &'l Links,
    closure: &'l Closure,
    view: &'l View<'v>,
    found: Ancestry,
    /// Rows by registered parent, by edge.
    rows: HashMap<EdgeId, HashMap<&'l str, Vec<u32>>>,
    /// Keys of the import, by entity.
    keys: HashMap<EntityId, HashSet<&'l str>>,
}

impl<'l> Loading<'l, '_> {
    /// Loads the parent that a text refers to, and its parents in turn.
    fn above(&mut self, plan: &EdgePlan, text: &str) -> Result<Option<String>, ImportError> {
        let id = plan.parent;
        let entity = self.schema.entity(id);
        let found = self.view.lookup(id, entity.fields[plan.on].column, &[text])?.pop().flatten();
        let Some(key) = found else { return Ok(None) };
        self.found.by_text.insert((plan.id, text.to_owned()), key.clone());
        if self.found.by_key.contains_key(&(id, key.clone())) {
            return Ok(Some(key));
        }
        let Some(relative) = relative(entity, self.view, &key)? else { return Ok(None) };
        let mut above = Above { relative, ..Above::default() };
        self.family(entity, &mut above)?;
        self.found.by_key.insert((id, key.clone()), above);
        let mut parents = Vec::new();
        for edge in entity.edges.iter().filter(|edge| self.closure.up.contains(&edge.id)) {
            let above = &self.found.by_key[&(id, key.clone())];
            if let Some(text) = text_of(entity, &above.relative.values, edge.via) {
                parents.extend(self.above(edge, &text)?.map(|key| (edge.id, key)));
            }
        }
        if let Some(above) = self.found.by_key.get_mut(&(id, key.clone())) {
            above.parents = parents;
        }
        Ok(Some(key))
    }

    /// The children that the parent's aggregates count.
    fn family(&mut self, entity: &EntityPlan, above: &mut Above) -> Result<(), ImportError> {
        let mut seen = HashSet::new();
        let edges = self.closure.down.iter().map(|(edge, _)| *edge).filter(|edge| seen.insert(*edge));
        let own: Vec<EdgeId> =
            edges.filter(|edge| self.schema.program.edges[edge.index()].parent == entity.id).collect();
        for id in own {
            let child = self.schema.entity(self.schema.program.edges[id.index()].child);
            let plan = child.edges.iter().find(|plan| plan.id == id).expect("an edge of its child");
            let Some(text) = text_of(entity, &above.relative.values, plan.on) else { continue };
            let rows = self.rows_below(id, child, plan).get(text.as_str()).cloned().unwrap_or_default();
            for key in self.view.children(id, &text)? {
                // One that the import has may have moved to another parent.
                if !self.staged_keys(child).contains(key.as_str()) {
                    above.records.extend(relative(child, self.view, &key)?.map(|relative| (id, relative)));
                }
            }
            above.rows.extend(rows.into_iter().map(|row| (id, row)));
        }
        Ok(())
    }

    fn staged_keys(&mut self, entity: &EntityPlan) -> &HashSet<&'l str> {
        let tables = self.tables;
        self.keys.entry(entity.id).or_insert_with(|| {
            let table = tables[entity.id.index()].iter();
            table.flat_map(|table| (0..table.len()).map(|row| table.text(entity.key, row))).collect()
        })
    }

    fn rows_below(&mut self, id: EdgeId, child: &EntityPlan, plan: &EdgePlan) -> &HashMap<&'l str, Vec<u32>> {
        let (tables, links) = (self.tables, self.links);
        self.rows.entry(id).or_insert_with(|| {
            let mut rows: HashMap<&str, Vec<u32>> = HashMap::new();
            let edge = links.of(child.id).iter().find(|edge| edge.plan.id == id);
            if let (Some(table), Some(edge)) = (&tables[child.id.index()], edge) {
                for row in 0..table.len() {
                    if edge.parents[row] == Parent::Registered && table.states[row] != State::Repeated {
                        rows.entry(table.text(plan.via, row)).or_default().push(row as u32);
                    }
                }
            }
            rows
        })
    }
}

fn relative(entity: &EntityPlan, view: &View<'_>, key: &str) -> Result<Option<Relative>, ImportError> {
    let Some(state) = view.record(entity.id, key)? else { return Ok(None) };
    let values = entity.fields.iter().zip(state.values).map(|(field, value)| (field.column, value)).collect();
    Ok(Some(Relative { key: key.to_owned(), values }))
}

fn text_of(entity: &EntityPlan, values: &Values, field: usize) -> Option<String> {
    let column = entity.fields[field].column;
    values.iter().find(|(id, _)| *id == column).and_then(|(_, value)| match value {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    })
}

/// Records of the registry that belong to rows of the import along an edge and that the import does not
/// replace, by parent row.
pub fn children(
    schema: &Schema<'_>,
    id: EdgeId,
    above: &Table,
    own: Option<&Table>,
    fields: &[usize],
    view: &View<'_>,
) -> Result<HashMap<u32, Vec<Relative>>, ImportError> {
    let mut found: HashMap<u32, Vec<Relative>> = HashMap::new();
    let edge = &schema.program.edges[id.index()];
    if view.count(edge.child)? == 0 {
        return Ok(found);
    }
    let child = schema.entity(edge.child);
    let plan = child.edges.iter().find(|plan| plan.id == id).expect("an edge of its child");
    let parents: HashMap<&str, u32> = (0..above.len())
        .filter(|row| above.states[*row] != State::Repeated && !above.text(plan.on, *row).is_empty())
        .map(|row| (above.text(plan.on, row), row as u32))
        .collect();
    let texts: Vec<&str> = parents.keys().copied().collect();
    let keys: HashSet<&str> =
        own.map(|own| (0..own.len()).map(|row| own.text(child.key, row)).collect()).unwrap_or_default();
    let key_column = child.fields[child.key].column;
    if !reads_all(view, edge.child, texts.len())? {
        let mut expected = 0;
        for batch in texts.chunks(LOOKUP_BATCH) {
            expected += view.count_children(id, batch)?.iter().sum::<u64>();
        }
        // Mostly the import replaces them all, and nothing needs to be read.
        let replaced = || registered(view, edge.child, key_column, keys.iter().copied());
        if expected == 0 || replaced()?.len() as u64 == expected {
            return Ok(found);
        }
    }
    let mut columns = vec![key_column, child.fields[plan.via].column];
    columns.extend(fields.iter().map(|field| child.fields[*field].column));
    view.scan(edge.child, &columns, |row| {
        let (Some(key), Some(parent)) = (row.text(0), row.text(1)) else { return Ok(()) };
        if let (false, Some(parent)) = (keys.contains(key), parents.get(parent)) {
            let value = |index: usize| row.value(index).map(|value| (columns[index], value));
            let values = (2..columns.len()).map(value).collect::<Result<Values, _>>()?;
            found.entry(*parent).or_default().push(Relative { key: key.to_owned(), values });
        }
        Ok(())
    })?;
    Ok(found)
}
