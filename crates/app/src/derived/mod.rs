//! Fields that nobody records: computed when a snapshot is made and before worked cases run, so that
//! whatever reads a snapshot sees plain facts.

mod network;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use evaluate::interpret::calculate;
use model::{AsProblem as _, Date};
use pack::program::{
    CaseRecord, ColumnId, Derived, EdgeId, EntityId, Network, NetworkFunction, NodePath, Program, Type, Value,
};
use store::{StoreError, View};
use thiserror::Error;

use crate::cells::cell;
use crate::tables::{StoredTable, TableError};
use network::{Graph, Joined, Link};

pub use store::Derived as Values;

#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum DerivedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    Table(#[from] TableError),
    ColumnMissing {
        run: String,
        entity: String,
        column: String,
    },
}

/// Values of all derived fields of a registry's records. `previous` is the folder of an earlier run.
pub fn of_registry(
    view: &View<'_>,
    program: &Program,
    as_of: Date,
    previous: Option<&Path>,
) -> Result<Values, DerivedError> {
    let mut records = Vec::new();
    for (entity, columns) in needed(program) {
        let columns: Vec<ColumnId> = columns.into_iter().collect();
        let key = columns.iter().position(|column| *column == program.entity(entity).key);
        view.scan(entity, &columns, |row| {
            let mut fields = Vec::with_capacity(columns.len());
            for (position, column) in columns.iter().enumerate() {
                fields.push((*column, row.value(position)?));
            }
            let key = key.and_then(|position| row.text(position)).unwrap_or_default().to_owned();
            records.push(CaseRecord { entity, key, fields });
            Ok(())
        })?;
    }
    let mut values = of_records(program, as_of, &records);
    if let Some(run) = previous {
        of_previous(program, run, &mut values)?;
    }
    Ok(values)
}

/// Gives records their derived fields.
pub fn fill(program: &Program, as_of: Date, records: &mut [CaseRecord]) {
    let values = of_records(program, as_of, records);
    for record in records {
        for column in &program.entity(record.entity).fields {
            if let Some(known) = values.get(column) {
                record.fields.push((*column, known.get(&record.key).cloned()));
            }
        }
    }
}

fn derived_fields(program: &Program) -> impl Iterator<Item = (ColumnId, &Derived)> {
    (0..program.columns.len() as u32).map(ColumnId).filter_map(|id| Some((id, program.derived(id)?)))
}

/// The recorded fields that derived ones follow from.
pub(crate) fn needed(program: &Program) -> BTreeMap<EntityId, BTreeSet<ColumnId>> {
    let mut found: BTreeMap<EntityId, BTreeSet<ColumnId>> = BTreeMap::new();
    let mut add = |column: ColumnId| {
        let entity = program.column(column).entity;
        found.entry(entity).or_insert_with(|| [program.entity(entity).key].into()).insert(column);
    };
    let along = |edges: &[EdgeId], add: &mut dyn FnMut(ColumnId)| {
        for edge in edges {
            let edge = program.edge(*edge);
            add(edge.via);
            add(edge.on);
        }
    };
    for (id, derived) in derived_fields(program) {
        match derived {
            Derived::PreviousRun { .. } => {}
            Derived::Ancestor { edges } => {
                add(program.entity(program.column(id).entity).key);
                along(edges, &mut add);
                if let Some(last) = edges.last() {
                    add(program.entity(program.edge(*last).parent).key);
                }
            }
            Derived::AsAt { edges, held, since, value, on } => {
                add(program.entity(program.column(id).entity).key);
                along(edges, &mut add);
                along(&[*held], &mut add);
                [*since, *value, *on].into_iter().for_each(&mut add);
            }
            Derived::Network { network, from, to, within, .. } => {
                add(program.entity(program.column(id).entity).key);
                for path in [Some(from), to.as_ref()].into_iter().flatten() {
                    along(&path.edges, &mut add);
                    add(path.field);
                }
                along(within.as_slice(), &mut add);
                let network = &program.networks[*network];
                add(program.entity(network.nodes).key);
                // Whether an edge is open may follow from any of its fields.
                for field in &program.entity(network.edges).fields {
                    if !program.is_derived(*field) {
                        add(*field);
                    }
                }
            }
        }
    }
    found
}

/// Values of derived fields that follow from records.
fn of_records(program: &Program, as_of: Date, records: &[CaseRecord]) -> Values {
    if derived_fields(program).next().is_none() {
        return Values::default();
    }
    let facts = Facts::new(program, records);
    let mut graphs: Vec<Option<Graph>> = program.networks.iter().map(|_| None).collect();
    let mut values = Values::default();
    for (id, derived) in derived_fields(program) {
        let entity = program.column(id).entity;
        let found: HashMap<String, Value> = match derived {
            Derived::PreviousRun { .. } => continue,
            Derived::Ancestor { edges } => facts
                .of(entity)
                .filter_map(|record| {
                    let above = facts.above(record, edges)?;
                    Some((record.key.clone(), Value::Text(above.key.clone())))
                })
                .collect(),
            Derived::AsAt { edges, held, since, value, on } => {
                let dated = facts.dated(*held, *since, *value);
                facts
                    .of(entity)
                    .filter_map(|record| {
                        let holder = text(facts.above(record, edges)?, program.edge(*held).on)?;
                        Some((record.key.clone(), on_day(dated.get(holder)?, date(record, *on)?)?))
                    })
                    .collect()
            }
            Derived::Network { network, function, from, to, within, at_least } => {
                let position = *network;
                let network = &program.networks[position];
                let graph = graphs[position].get_or_insert_with(|| facts.graph(network, as_of));
                let asked = Asked {
                    network,
                    function: *function,
                    from,
                    to: to.as_ref(),
                    within: *within,
                    at_least: *at_least,
                };
                facts
                    .of(entity)
                    .filter_map(|record| Some((record.key.clone(), facts.ask(graph, &asked, record)?)))
                    .collect()
            }
        };
        values.insert(id, found);
    }
    values
}

/// What a derived field asks of a network.
struct Asked<'a> {
    network: &'a Network,
    function: NetworkFunction,
    from: &'a NodePath,
    to: Option<&'a NodePath>,
    within: Option<EdgeId>,
    at_least: Option<usize>,
}

/// Records found by what others call them by.
struct Facts<'a> {
    program: &'a Program,
    by_entity: HashMap<EntityId, Vec<&'a CaseRecord>>,
    /// By the parent's field that edges match.
    by_field: HashMap<ColumnId, HashMap<&'a str, &'a CaseRecord>>,
}

fn text(record: &CaseRecord, column: ColumnId) -> Option<&str> {
    match record.fields.iter().find(|(id, _)| *id == column) {
        Some((_, Some(Value::Text(text)))) => Some(text),
        _ => None,
    }
}

fn date(record: &CaseRecord, column: ColumnId) -> Option<Date> {
    match record.fields.iter().find(|(id, _)| *id == column) {
        Some((_, Some(Value::Date(date)))) => Some(*date),
        _ => None,
    }
}

/// What a holder's dated records say, each with its first day. Nothing is known of a holder with a record of unknown day.
type Said = Vec<(Option<Date>, Option<Value>)>;

/// What the latest record that is not after the day says; unknown where two of one day differ, and before the first.
fn on_day(said: &Said, day: Date) -> Option<Value> {
    let since: Option<Vec<Date>> = said.iter().map(|(since, _)| *since).collect();
    let latest = since?.into_iter().filter(|since| *since <= day).max()?;
    let mut values = said.iter().filter(|(since, _)| *since == Some(latest)).map(|(_, value)| value);
    let first = values.next()?;
    if values.all(|other| other == first) { first.clone() } else { None }
}

impl<'a> Facts<'a> {
    /// Dated records by what they are about: by the field that their edge matches.
    fn dated(&self, held: EdgeId, since: ColumnId, value: ColumnId) -> HashMap<&'a str, Said> {
        let edge = self.program.edge(held);
        let mut found: HashMap<&str, Said> = HashMap::new();
        for record in self.of(edge.child) {
            let Some(holder) = text(record, edge.via) else { continue };
            let said = record.fields.iter().find(|(id, _)| *id == value).and_then(|(_, said)| said.clone());
            found.entry(holder).or_default().push((date(record, since), said));
        }
        found
    }

    fn new(program: &'a Program, records: &'a [CaseRecord]) -> Self {
        let mut by_entity: HashMap<EntityId, Vec<&CaseRecord>> = HashMap::new();
        for record in records {
            by_entity.entry(record.entity).or_default().push(record);
        }
        let mut by_field: HashMap<ColumnId, HashMap<&str, &CaseRecord>> = HashMap::new();
        for edge in &program.edges {
            by_field.entry(edge.on).or_insert_with(|| {
                let rows = by_entity.get(&edge.parent).into_iter().flatten();
                rows.filter_map(|record| Some((text(record, edge.on)?, *record))).collect()
            });
        }
        Self { program, by_entity, by_field }
    }

    fn of(&self, entity: EntityId) -> impl Iterator<Item = &'a CaseRecord> + '_ {
        self.by_entity.get(&entity).into_iter().flatten().copied()
    }

    fn above(&self, record: &'a CaseRecord, edges: &[EdgeId]) -> Option<&'a CaseRecord> {
        edges.iter().try_fold(record, |at, edge| {
            let edge = self.program.edge(*edge);
            self.by_field.get(&edge.on)?.get(text(at, edge.via)?).copied()
        })
    }

    fn node(&self, record: &'a CaseRecord, path: &NodePath) -> Option<&'a str> {
        text(self.above(record, &path.edges)?, path.field)
    }

    fn graph(&self, network: &Network, as_of: Date) -> Graph {
        let nodes = self.of(network.nodes).map(|record| record.key.clone()).collect();
        let edges: Vec<CaseRecord> = self.of(network.edges).cloned().collect();
        let open = network.open_column.map(|column| (column, calculate(self.program, as_of, &edges)));
        let Type::Code(list) = self.program.column(network.class).ty else {
            unreachable!("the compiler checks that a network's class is a code");
        };
        let codes = &self.program.list(list).codes;
        let links = edges
            .iter()
            .filter_map(|record| {
                let class = text(record, network.class);
                let name = network.name.and_then(|name| text(record, name)).unwrap_or(&record.key);
                let link = Link {
                    from: text(record, network.from)?.to_owned(),
                    to: text(record, network.to)?.to_owned(),
                    name: name.to_owned(),
                    class: class.and_then(|class| codes.iter().position(|code| code.code == class)),
                    open: match &open {
                        None => Some(true),
                        Some((column, calculation)) => {
                            match calculation.value(network.edges, &record.key, *column) {
                                Some(Ok(Some(Value::Bool(open)))) => Some(open),
                                _ => None,
                            }
                        }
                    },
                };
                Some((record.key.clone(), link))
            })
            .collect();
        Graph::new(nodes, links, codes.len())
    }

    fn ask(&self, graph: &Graph, asked: &Asked<'_>, record: &'a CaseRecord) -> Option<Value> {
        let from = self.node(record, asked.from)?;
        if let Some(within) = asked.within {
            let edge = self.program.edge(within);
            let own = text(record, edge.on)?;
            let nodes = &self.by_entity.get(&asked.network.nodes)?;
            let inside: BTreeSet<&str> = nodes
                .iter()
                .filter(|node| text(node, edge.via) == Some(own))
                .map(|node| node.key.as_str())
                .collect();
            let ways = graph.ways_out(from, &|key| inside.contains(key), asked.at_least)?;
            return match asked.function {
                NetworkFunction::DisjointRoutes => Some(Value::Text(ways.routes.join("；"))),
                _ => ways.count.map(|count| Value::Number(count as i128)),
            };
        }
        let joined = graph.join(from, self.node(record, asked.to?)?);
        match (asked.function, joined) {
            (NetworkFunction::BestWorstClass, Joined::By { class, .. }) => {
                let Type::Code(list) = self.program.column(asked.network.class).ty else { return None };
                let code = self.program.list(list).codes.get(class)?;
                Some(Value::Text(code.code.clone()))
            }
            (NetworkFunction::Route, Joined::By { route, .. }) => Some(Value::Text(route)),
            (NetworkFunction::Connected, Joined::By { .. } | Joined::Somehow) => Some(Value::Bool(true)),
            (NetworkFunction::Connected, Joined::Apart) => Some(Value::Bool(false)),
            _ => None,
        }
    }
}

/// Results of an earlier run, by key.
fn of_previous(program: &Program, run: &Path, values: &mut Values) -> Result<(), DerivedError> {
    for (id, derived) in derived_fields(program) {
        let Derived::PreviousRun { column } = derived else { continue };
        let entity = program.entity(program.column(id).entity);
        let missing = || DerivedError::ColumnMissing {
            run: run.display().to_string(),
            entity: entity.name.clone(),
            column: column.clone(),
        };
        let table = StoredTable::open(&run.join(format!("{}.parquet", entity.name)))?;
        let key = &program.column(entity.key).name;
        let batch = table.columns(&[key, column])?.ok_or_else(missing)?;
        let keys = batch.column_by_name(key).ok_or_else(missing)?;
        let results = batch.column_by_name(column).ok_or_else(missing)?;
        let known = (0..batch.num_rows()).filter_map(|row| match (cell(keys, row), cell(results, row)) {
            (Some(Value::Text(key)), Some(value)) => Some((key, value)),
            _ => None,
        });
        values.insert(id, known.collect());
    }
    Ok(())
}
