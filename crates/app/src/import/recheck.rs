//! Checks of records that were registered before and whose children this import brings, moves or changes.
//!
//! A household's size is compared with its persons; persons imported without it may belie it. Such parents are
//! read from the registry, put behind the staged rows for as long as their checks run, and taken away again. A
//! check that warns is reported about the registered record, where it was once read from; a check that refuses
//! refuses the rows that brought it about, and the record stays as it was.
//!
//! Only checks that look down are run again. A registered child is not checked when its parent changes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use model::access::mask;
use model::{Date, Text};
use pack::program::{ColumnId, EdgeId, EntityId, Value};
use store::{SourceId, View};

use super::ImportError;
use super::check::{CheckPlan, Staged, check_rows};
use super::closure::Closure;
use super::fault::{RowFault, Severity};
use super::link::{self, LOOKUP_BATCH, Links, Parent, Tables, reads_all};
use super::schema::{EdgePlan, EntityPlan, Reader, Schema};
use super::stage::{State, Table};

/// What a check says of a record that the import does not hold.
#[derive(Clone, Debug)]
pub struct RegisteredFault {
    pub entity: EntityId,
    pub key: String,
    pub field: usize,
    pub code: String,
    pub severity: Severity,
    pub message: Text,
    pub value: Option<String>,
    /// Where the record was read from.
    pub source: Option<SourceId>,
    pub source_row: Option<u32>,
}

/// Runs the checks of registered parents, and refuses rows that a check on one does not allow.
pub fn run(
    schema: &Schema<'_>,
    tables: &mut Tables,
    links: &Links,
    view: &View<'_>,
    as_of: Date,
) -> Result<Vec<RegisteredFault>, ImportError> {
    let plans: Vec<Vec<CheckPlan<'_>>> =
        schema.entities.iter().map(|entity| looking_down(schema, entity)).collect();
    let closure = Closure::of(schema.program, plans.iter().flatten().flat_map(CheckPlan::roots));
    let edges: BTreeSet<EdgeId> = closure.down.iter().map(|(edge, _)| *edge).collect();
    if edges.is_empty() {
        return Ok(Vec::new());
    }
    let staged: Vec<usize> = tables.iter().map(|table| table.as_ref().map_or(0, Table::len)).collect();
    let absent: Vec<Vec<usize>> = schema.entities.iter().map(|entity| absent(entity, tables)).collect();
    let mut added =
        Added { schema, view, places: vec![Vec::new(); schema.entities.len()], left: HashMap::new() };
    for child in schema.entities.iter().rev() {
        for plan in child.edges.iter().filter(|plan| edges.contains(&plan.id)) {
            added.parents(child, plan, tables, links, staged[child.id.index()])?;
        }
    }
    let affected: Vec<usize> = added.places.iter().map(Vec::len).collect();
    for parent in &schema.entities {
        added.siblings(parent, &edges, tables, staged[parent.id.index()])?;
    }
    let mut found = Vec::new();
    if added.places.iter().any(|places| !places.is_empty()) {
        let linked = link::link(schema, tables, view)?;
        let mut blamed = Vec::new();
        for (entity, checks) in schema.entities.iter().zip(&plans) {
            let first = staged[entity.id.index()] as u32;
            let subjects: Vec<u32> = (first..first + affected[entity.id.index()] as u32).collect();
            if checks.is_empty() || subjects.is_empty() {
                continue;
            }
            let so_far = Staged { schema, tables, links: &linked, view, as_of };
            for fault in check_rows(so_far, entity, checks, &subjects)? {
                let told = added.told(entity, tables, first, &fault);
                let causes = match fault.severity {
                    Severity::Refused => added.causes(tables, &linked, &edges, &staged, (entity, fault.row)),
                    Severity::Warning => Vec::new(),
                };
                if causes.is_empty() {
                    found.push(told);
                } else {
                    blamed.extend(causes.into_iter().map(|cause| (cause, told.clone())));
                }
            }
        }
        take_away(tables, &staged, &absent);
        for ((child, row, via), told) in blamed {
            if let Some(table) = &mut tables[child.index()] {
                table.blame(refused(schema, row, via, &told));
            }
        }
    }
    Ok(found)
}

/// An entity's import checks that read something of its children.
fn looking_down<'p>(schema: &Schema<'p>, entity: &EntityPlan) -> Vec<CheckPlan<'p>> {
    let mut checks = CheckPlan::all(schema.program, entity.id, true);
    checks.retain(|plan| !Closure::of(schema.program, plan.roots()).down.is_empty());
    checks
}

/// Fields for which an entity's sheets have no column.
fn absent(entity: &EntityPlan, tables: &Tables) -> Vec<usize> {
    tables[entity.id.index()].as_ref().map_or_else(Vec::new, |table| {
        (0..entity.fields.len()).filter(|field| table.columns[*field].is_none()).collect()
    })
}

fn take_away(tables: &mut Tables, staged: &[usize], absent: &[Vec<usize>]) {
    for (entity, slot) in tables.iter_mut().enumerate() {
        let Some(table) = slot else { continue };
        if table.parts.is_empty() {
            *slot = None;
            continue;
        }
        table.truncate(staged[entity]);
        for field in &absent[entity] {
            table.columns[*field] = None;
        }
    }
}

/// Registered parents put behind the staged rows.
struct Added<'a> {
    schema: &'a Schema<'a>,
    view: &'a View<'a>,
    /// Where each was read from, by entity, in the order of the rows.
    places: Vec<Vec<(Option<SourceId>, Option<u32>)>>,
    /// Staged rows that left a registered parent, by edge and what they referred to.
    left: HashMap<(EdgeId, String), Vec<u32>>,
}

/// A staged row, with the field by which it refers to its parent.
type Cause = (EntityId, u32, usize);

impl Added<'_> {
    /// Adds the parents that rows of a child have, or had before, and that are not staged themselves.
    fn parents(
        &mut self,
        child: &EntityPlan,
        plan: &EdgePlan,
        tables: &mut Tables,
        links: &Links,
        staged: usize,
    ) -> Result<(), ImportError> {
        let Some(table) = &tables[child.id.index()] else { return Ok(()) };
        let linked = links.of(child.id).iter().find(|links| links.plan.id == plan.id);
        let mut texts: BTreeSet<String> = BTreeSet::new();
        for row in (0..table.len()).filter(|row| table.states[*row] != State::Repeated) {
            // Rows behind the staged ones are registered, and so are their parents.
            let refers =
                row >= staged || linked.is_some_and(|links| links.parents[row] == Parent::Registered);
            if refers {
                texts.insert(table.text(plan.via, row).to_owned());
            }
        }
        for (text, row) in self.former(child, plan, table, staged)? {
            self.left.entry((plan.id, text.clone())).or_default().push(row);
            texts.insert(text);
        }
        texts.remove("");
        let parent = self.schema.entity(plan.parent);
        let known: HashSet<&str> = tables[parent.id.index()]
            .iter()
            .flat_map(|table| (0..table.len()).map(|row| table.text(plan.on, row)))
            .collect();
        texts.retain(|text| !known.contains(text.as_str()));
        self.add(parent, plan.on, &texts, tables)
    }

    /// Adds the registered children of added parents where these count something of their own children.
    fn siblings(
        &mut self,
        parent: &EntityPlan,
        edges: &BTreeSet<EdgeId>,
        tables: &mut Tables,
        staged: usize,
    ) -> Result<(), ImportError> {
        for child in &self.schema.entities {
            let counts = |edge: &&EdgeId| self.schema.program.edges[edge.index()].parent == child.id;
            let between = edges.iter().any(|edge| counts(&edge));
            for plan in child
                .edges
                .iter()
                .filter(|plan| between && plan.parent == parent.id && edges.contains(&plan.id))
            {
                let Some(table) = &tables[parent.id.index()] else { continue };
                let mut keys = BTreeSet::new();
                for row in staged..table.len() {
                    keys.extend(self.view.children(plan.id, table.text(plan.on, row))?);
                }
                if let Some(table) = &tables[child.id.index()] {
                    (0..table.len()).for_each(|row| {
                        keys.remove(table.text(child.key, row));
                    });
                }
                self.add(child, child.key, &keys, tables)?;
            }
        }
        Ok(())
    }

    /// What staged rows referred to until now, where they refer to something else.
    fn former(
        &self,
        child: &EntityPlan,
        plan: &EdgePlan,
        table: &Table,
        staged: usize,
    ) -> Result<Vec<(String, u32)>, ImportError> {
        let mut former = Vec::new();
        if table.columns[plan.via].is_none() || staged == 0 || self.view.count(child.id)? == 0 {
            return Ok(former);
        }
        let rows: HashMap<&str, u32> = (0..staged)
            .filter(|row| table.states[*row] != State::Repeated)
            .map(|row| (table.text(child.key, row), row as u32))
            .collect();
        let mut compare = |key: &str, before: &str| {
            if let Some(row) = rows.get(key).filter(|row| table.text(plan.via, **row as usize) != before) {
                former.push((before.to_owned(), *row));
            }
        };
        let columns = [child.fields[child.key].column, child.fields[plan.via].column];
        if reads_all(self.view, child.id, rows.len())? {
            self.view.scan(child.id, &columns, |row| {
                if let (Some(key), Some(before)) = (row.text(0), row.text(1)) {
                    compare(key, before);
                }
                Ok(())
            })?;
        } else {
            for key in rows.keys() {
                let record = self.view.record(child.id, key)?;
                if let Some(Value::Text(before)) =
                    record.and_then(|mut record| record.values[plan.via].take())
                {
                    compare(key, &before);
                }
            }
        }
        former.sort_unstable();
        Ok(former)
    }

    /// Reads records by what is referred to and puts them behind the rows of their entity.
    fn add(
        &mut self,
        entity: &EntityPlan,
        on: usize,
        texts: &BTreeSet<String>,
        tables: &mut Tables,
    ) -> Result<(), ImportError> {
        if texts.is_empty() {
            return Ok(());
        }
        let columns: Vec<ColumnId> = entity.fields.iter().map(|field| field.column).collect();
        let mut rows = Table::new(entity);
        let mut places = Vec::new();
        let mut put = |values: &[Option<Value>], place| {
            rows.push_record(entity, values);
            places.push(place);
        };
        if reads_all(self.view, entity.id, texts.len())? {
            self.view.scan(entity.id, &columns, |row| {
                if row.text(on).is_some_and(|text| texts.contains(text)) {
                    let values = (0..columns.len()).map(|index| row.value(index));
                    put(&values.collect::<Result<Vec<_>, _>>()?, (row.source(), row.source_row()));
                }
                Ok(())
            })?;
        } else {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            for batch in texts.chunks(LOOKUP_BATCH) {
                for key in self.view.lookup(entity.id, columns[on], batch)?.into_iter().flatten() {
                    if let Some(record) = self.view.record(entity.id, &key)? {
                        put(&record.values, (record.source, record.source_row));
                    }
                }
            }
        }
        match &mut tables[entity.id.index()] {
            Some(table) => table.append(entity, rows),
            none => *none = Some(rows),
        }
        self.places[entity.id.index()].extend(places);
        Ok(())
    }

    fn told(&self, entity: &EntityPlan, tables: &Tables, first: u32, fault: &RowFault) -> RegisteredFault {
        let key =
            tables[entity.id.index()].as_ref().map_or("", |table| table.text(entity.key, fault.row as usize));
        let (source, source_row) = self.places[entity.id.index()][(fault.row - first) as usize];
        RegisteredFault {
            entity: entity.id,
            key: mask(key, entity.fields[entity.key].pii),
            field: fault.field,
            code: fault.code.clone(),
            severity: fault.severity,
            message: fault.message.clone(),
            value: fault.value.clone(),
            source,
            source_row,
        }
    }

    /// Sound staged rows below a registered record, or that left it.
    fn causes(
        &self,
        tables: &Tables,
        links: &Links,
        edges: &BTreeSet<EdgeId>,
        staged: &[usize],
        (entity, row): (&EntityPlan, u32),
    ) -> Vec<Cause> {
        let mut causes: BTreeMap<(EntityId, u32), usize> = BTreeMap::new();
        let mut open = vec![(entity.id, row)];
        while let Some((parent, row)) = open.pop() {
            for child in &self.schema.entities {
                for edge in links.of(child.id).iter().filter(|edge| edge.plan.parent == parent) {
                    let Some(table) =
                        tables[child.id.index()].as_ref().filter(|_| edges.contains(&edge.plan.id))
                    else {
                        continue;
                    };
                    let below = (0..table.len()).filter(|below| edge.parents[*below] == Parent::Row(row));
                    let text =
                        tables[parent.index()].as_ref().map_or("", |t| t.text(edge.plan.on, row as usize));
                    let left = self.left.get(&(edge.plan.id, text.to_owned())).into_iter().flatten();
                    for below in below.chain(left.map(|row| *row as usize)) {
                        if below >= staged[child.id.index()] {
                            open.push((child.id, below as u32));
                        } else if table.states[below] == State::Sound {
                            causes.insert((child.id, below as u32), edge.plan.via);
                        }
                    }
                }
            }
        }
        causes.into_iter().map(|((child, row), via)| (child, row, via)).collect()
    }
}

/// Fault of a row that a registered parent's check does not allow.
fn refused(schema: &Schema<'_>, row: u32, via: usize, told: &RegisteredFault) -> RowFault {
    let label = &schema.entity(told.entity).label;
    RowFault {
        row,
        field: via,
        code: told.code.clone(),
        severity: Severity::Refused,
        message: Text::new(
            format!("已登记的{} {}：{}", label.zh, told.key, told.message.zh),
            format!("the registered {} {}: {}", label.en, told.key, told.message.en),
        ),
        value: None,
        raw: String::new(),
        taken: true,
    }
}

impl Table {
    /// Adds a record of the registry as a row without a place.
    fn push_record(&mut self, entity: &EntityPlan, values: &[Option<Value>]) {
        for (field, value) in values.iter().enumerate() {
            let reader = &entity.fields[field].reader;
            let column = self.columns[field].get_or_insert_with(|| super::column::Column::for_reader(reader));
            match (value, reader) {
                (Some(Value::Text(code)), Reader::Code(list)) => {
                    match list.codes.iter().position(|known| known == code) {
                        Some(position) => column.push_integer(position as i64),
                        None => column.push_unknown(),
                    }
                }
                (Some(Value::Text(text)), _) => column.push_text(text),
                (Some(Value::Number(number)), _) => match i64::try_from(*number) {
                    Ok(number) => column.push_integer(number),
                    Err(_) => column.push_unknown(),
                },
                (Some(Value::Date(date)), _) => column.push_integer(i64::from(date.days())),
                (Some(Value::Bool(flag)), _) => column.push_integer(i64::from(*flag)),
                (Some(Value::Index(_)) | None, _) => column.push_unknown(),
            }
        }
        self.numbers.push(0);
        self.states.push(State::Sound);
    }

    /// Takes the last rows away, which bear no faults.
    fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().flatten().for_each(|column| column.truncate(rows));
        self.numbers.truncate(rows);
        self.states.truncate(rows);
    }
}
