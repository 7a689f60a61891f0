//! The facts of the day: values of columns of a few records, computed from the registry as it is now.
//!
//! Changes that are not recorded can be laid over it, to see what would follow from them; they are nowhere stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use evaluate::Viewer;
use evaluate::explain::{Asked, Effort, explain};
use evaluate::interpret::{Branch, Evaluator, Facts, FactsBuilder, Needed, Records, needed};
use model::{Date, Text};
use pack::program::{ColumnId, ColumnKind, EdgeId, EntityId, Program, Value};
use store::{StoreError, View};

/// Records below others that are read for one case at most.
const RECORDS_MAX: usize = 200_000;

/// Records as they would be: fields by entity and key. A record that is not in the registry is added.
pub type Pending = BTreeMap<(EntityId, String), Vec<(ColumnId, Option<Value>)>>;

/// Values of columns of records of one entity.
pub struct Known {
    entity: EntityId,
    facts: Facts,
    rows: HashMap<String, u32>,
    values: HashMap<(u32, ColumnId), Option<Value>>,
}

impl Known {
    /// `None` if unknown, or if it was not asked for.
    pub fn value(&self, key: &str, column: ColumnId) -> Option<&Value> {
        self.values.get(&(*self.rows.get(key)?, column))?.as_ref()
    }
}

/// Computes the columns of the records as of a day. What rests on more than can be read is unknown.
pub fn known(
    program: &Program,
    view: View<'_>,
    as_of: Date,
    entity: EntityId,
    keys: &BTreeSet<String>,
    columns: &BTreeSet<ColumnId>,
    pending: &Pending,
) -> Result<Known, StoreError> {
    let mut live = Live::new(program, view, pending);
    let rows: Vec<(String, u32)> = keys.iter().map(|key| (key.clone(), live.row(entity, key))).collect();
    let roots: Vec<(ColumnId, u32)> =
        rows.iter().flat_map(|(_, row)| columns.iter().map(move |column| (*column, *row))).collect();
    let mut branch = Branch::none(program);
    let found = needed(program, &roots, &mut branch, &mut live, RECORDS_MAX)?;
    let Some(mut found) = found else {
        let facts = FactsBuilder::new(program).build();
        return Ok(Known { entity, facts, rows: HashMap::new(), values: HashMap::new() });
    };
    found.rows.entry(entity).or_default().extend(rows.iter().map(|(_, row)| *row));
    let (facts, places) = live.build(&found)?;
    let mut evaluator = Evaluator::new(program, &facts, as_of);
    let mut values = HashMap::new();
    let mut placed = HashMap::new();
    for (key, row) in rows {
        let place = places[&entity][&row];
        for column in columns {
            // A division by zero or an overflow is the subject's answer: nothing is known.
            let value = evaluator.value(entity, place, *column).ok().flatten();
            values.insert((place, *column), value);
        }
        placed.insert(key, place);
    }
    Ok(Known { entity, facts, rows: placed, values })
}

/// What has to be recorded before a column of a record is known, in words.
pub fn missing(program: &Program, known: &Known, as_of: Date, key: &str, column: ColumnId) -> Vec<Text> {
    let Some(row) = known.rows.get(key) else { return Vec::new() };
    let effort = Effort { trials_max: 0, ..Effort::default() };
    let asked = Asked::Column(column);
    let explanation =
        explain(&Viewer::masked(program), &known.facts, as_of, known.entity, *row, asked, effort);
    explanation.map(|it| it.missing.into_iter().map(|gap| gap.text).collect()).unwrap_or_default()
}

/// The registry as `evaluate` reads it: records have numbers as they are met.
struct Live<'a> {
    program: &'a Program,
    view: View<'a>,
    pending: &'a Pending,
    keys: Vec<Vec<String>>,
    rows: HashMap<(EntityId, String), u32>,
    records: HashMap<(EntityId, u32), Vec<Option<Value>>>,
}

impl<'a> Live<'a> {
    fn new(program: &'a Program, view: View<'a>, pending: &'a Pending) -> Self {
        let keys = vec![Vec::new(); program.entities.len()];
        Self { program, view, pending, keys, rows: HashMap::new(), records: HashMap::new() }
    }

    fn row(&mut self, entity: EntityId, key: &str) -> u32 {
        if let Some(row) = self.rows.get(&(entity, key.to_owned())) {
            return *row;
        }
        let keys = &mut self.keys[entity.index()];
        let row = keys.len() as u32;
        keys.push(key.to_owned());
        self.rows.insert((entity, key.to_owned()), row);
        row
    }

    /// The fields of a record; all unknown if it is not there.
    fn record(&mut self, entity: EntityId, row: u32) -> Result<&[Option<Value>], StoreError> {
        if !self.records.contains_key(&(entity, row)) {
            let key = &self.keys[entity.index()][row as usize];
            let fields = &self.program.entity(entity).fields;
            let recorded = self.view.record(entity, key)?;
            let mut values = recorded.map_or_else(|| vec![None; fields.len()], |record| record.values);
            for (column, value) in self.pending.get(&(entity, key.clone())).into_iter().flatten() {
                if let Some(position) = fields.iter().position(|field| field == column) {
                    values[position].clone_from(value);
                }
            }
            self.records.insert((entity, row), values);
        }
        Ok(&self.records[&(entity, row)])
    }

    fn field(&mut self, column: ColumnId, row: u32) -> Result<Option<Value>, StoreError> {
        let entity = self.program.column(column).entity;
        let position = self.program.entity(entity).fields.iter().position(|field| *field == column);
        let Some(position) = position else { return Ok(None) };
        Ok(self.record(entity, row)?.get(position).cloned().flatten())
    }

    fn parent(&mut self, edge: EdgeId, child: u32) -> Result<Option<u32>, StoreError> {
        let edge = self.program.edge(edge);
        let Some(Value::Text(named)) = self.field(edge.via, child)? else { return Ok(None) };
        let is_key = edge.on == self.program.entity(edge.parent).key;
        let pending = self.pending.iter().find(|((entity, key), fields)| {
            let holds = |(column, value): &(ColumnId, Option<Value>)| {
                *column == edge.on && *value == Some(Value::Text(named.clone()))
            };
            *entity == edge.parent && ((is_key && *key == named) || fields.iter().any(holds))
        });
        let found = match pending {
            Some(((_, key), _)) => Some(key.clone()),
            None => self.view.lookup(edge.parent, edge.on, &[&named])?.into_iter().next().flatten(),
        };
        Ok(found.map(|key| self.row(edge.parent, &key)))
    }

    /// The facts that were found to be needed, and where each row is among them.
    #[expect(clippy::type_complexity, reason = "the two belong together and to this module")]
    fn build(
        &mut self,
        found: &Needed,
    ) -> Result<(Facts, BTreeMap<EntityId, HashMap<u32, u32>>), StoreError> {
        let program = self.program;
        let mut builder = FactsBuilder::linked(program, &found.columns);
        let mut places: BTreeMap<EntityId, HashMap<u32, u32>> = BTreeMap::new();
        for (entity, rows) in &found.rows {
            let key_column = program.entity(*entity).key;
            let fields: Vec<ColumnId> = found
                .columns
                .iter()
                .copied()
                .filter(|id| {
                    let column = program.column(*id);
                    column.entity == *entity
                        && matches!(column.kind, ColumnKind::Field(_))
                        && *id != key_column
                })
                .collect();
            for row in rows {
                let key = self.keys[entity.index()][*row as usize].clone();
                let mut values = Vec::with_capacity(fields.len());
                for field in &fields {
                    values.push((*field, self.field(*field, *row)?));
                }
                let place = builder.record(*entity, &key, values);
                places.entry(*entity).or_default().insert(*row, place);
            }
        }
        for (edge, links) in &found.links {
            let (child, parent) = (program.edge(*edge).child, program.edge(*edge).parent);
            for (row, above) in links {
                builder.link(*edge, places[&child][row], places[&parent][above]);
            }
        }
        Ok((builder.build(), places))
    }
}

impl Records for Live<'_> {
    type Error = StoreError;

    fn parents(&mut self, edge: EdgeId, children: &[u32]) -> Result<Vec<Option<u32>>, StoreError> {
        children.iter().map(|child| self.parent(edge, *child)).collect()
    }

    fn children(&mut self, id: EdgeId, parents: &[u32]) -> Result<Vec<(u32, u32)>, StoreError> {
        let edge = self.program.edge(id);
        let mut found = Vec::new();
        for parent in parents {
            let Some(Value::Text(name)) = self.name_at(edge.parent, edge.on, *parent)? else { continue };
            let mut keys = self.view.children(id, &name)?;
            let moved = self.pending.iter().filter(|((entity, _), fields)| {
                *entity == edge.child && fields.iter().any(|(column, _)| *column == edge.via)
            });
            for ((_, key), fields) in moved {
                keys.retain(|known| known != key);
                if fields
                    .iter()
                    .any(|(column, value)| *column == edge.via && *value == Some(Value::Text(name.clone())))
                {
                    keys.push(key.clone());
                }
            }
            found.extend(keys.into_iter().map(|key| (self.row(edge.child, &key), *parent)));
        }
        found.sort_unstable();
        Ok(found)
    }

    fn stored(&mut self, _: ColumnId) -> Result<bool, StoreError> {
        Ok(false)
    }
}

impl Live<'_> {
    /// What children name a record by.
    fn name_at(&mut self, entity: EntityId, on: ColumnId, row: u32) -> Result<Option<Value>, StoreError> {
        if on == self.program.entity(entity).key {
            return Ok(Some(Value::Text(self.keys[entity.index()][row as usize].clone())));
        }
        self.field(on, row)
    }
}
