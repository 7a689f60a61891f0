//! What is said to follow from changed records is what a run over the changed records says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "shared by tests that each use a part")]
mod common;
#[allow(dead_code, reason = "shared by tests that each use a part")]
#[path = "common/province.rs"]
mod province;

use std::collections::{BTreeMap, HashMap};

use app::assess::{AssessOptions, assess_snapshot};
use app::cells::cell;
use app::explain::StoredRun;
use app::reassess::{ChangeKind, ReassessError, Reassessment, RecordChange};
use app::run_tables;
use arrow::array::RecordBatch;
use common::{day, loaded};
use pack::program::{CaseRecord, ColumnId, ColumnKind, EntityId, Program, Value};
use province::{generate, read};
use synth::Format;

type Row = BTreeMap<ColumnId, Option<Value>>;

/// Records and results by entity and key.
type Rows = BTreeMap<(EntityId, String), Row>;

/// The columns of batches, as far as `wanted`.
fn rows_of(
    program: &Program,
    batches: &HashMap<String, RecordBatch>,
    wanted: &dyn Fn(ColumnId) -> bool,
) -> Rows {
    let mut rows = Rows::new();
    for (index, entity) in program.entities.iter().enumerate() {
        let Some(batch) = batches.get(&entity.name) else { continue };
        let keys = batch.column_by_name(&program.column(entity.key).name).unwrap();
        let columns: Vec<_> = (0..program.columns.len() as u32)
            .map(ColumnId)
            .filter(|id| program.column(*id).entity.index() == index && wanted(*id))
            .filter_map(|id| Some((id, batch.column_by_name(&program.column(id).name)?)))
            .collect();
        for row in 0..batch.num_rows() {
            let Some(Value::Text(key)) = cell(keys, row) else { panic!("{} without a key", entity.name) };
            let values = columns.iter().map(|(id, array)| (*id, cell(array, row))).collect();
            rows.insert((EntityId(index as u32), key), values);
        }
    }
    rows
}

fn is_field(program: &Program, id: ColumnId) -> bool {
    matches!(program.column(id).kind, ColumnKind::Field(_))
}

/// A generator of numbers, the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// Fields that any record may change by itself.
fn changeable(program: &Program, entity: EntityId) -> Vec<ColumnId> {
    let fields = program.entity(entity).fields.iter().copied();
    let free = fields.filter(|id| {
        !program.is_derived(*id)
            && *id != program.entity(entity).key
            && !program.edges.iter().any(|edge| edge.on == *id)
    });
    free.collect()
}

/// Whether records of an entity may come and go: nothing is derived of them or from them.
fn may_come_and_go(program: &Program, entity: EntityId) -> bool {
    let derived = program.entity(entity).fields.iter().any(|id| program.is_derived(*id));
    let network = program.networks.iter().any(|network| [network.nodes, network.edges].contains(&entity));
    !derived && !network && program.entity(entity).division.is_none()
}

/// The text by which others name a record along an edge whose field is not its key.
fn other_name(key: &str) -> Option<Value> {
    Some(Value::Text(format!("{key}-name")))
}

/// A key that a record may get some day, or has had.
fn free_key(
    program: &Program,
    entity: EntityId,
    gone: &[(EntityId, String)],
    numbers: &mut Numbers,
) -> String {
    let had: Vec<&String> = gone.iter().filter(|(of, _)| *of == entity).map(|(_, key)| key).collect();
    match had.get(numbers.below(had.len() + 2)) {
        Some(key) => (*key).clone(),
        None => format!("{}-{}", program.entity(entity).name, numbers.below(3)),
    }
}

/// One set of changes: mostly one field of one record, sometimes a record that moves, comes or goes.
fn changes(
    program: &Program,
    records: &Rows,
    gone: &[(EntityId, String)],
    numbers: &mut Numbers,
    round: usize,
) -> Vec<RecordChange> {
    let names = [
        "household",
        "person",
        "household",
        "person",
        "stay",
        "loan",
        "house",
        "assignment",
        "village",
        "transfer",
        "visit",
        "project",
        "team",
        "school",
        "asset",
        "share",
        "hospital",
        "township",
        "county",
    ];
    let mut sets = vec![];
    for _ in 0..=numbers.below(3) {
        let name = names[numbers.below(names.len())];
        let Some(entity) = program.entity_named(name) else { continue };
        let keys: Vec<&String> = records.keys().filter(|(of, _)| *of == entity).map(|(_, key)| key).collect();
        if keys.is_empty() {
            continue;
        }
        let key = keys[numbers.below(keys.len())].clone();
        let other = &records[&(entity, keys[numbers.below(keys.len())].clone())];
        let set = match numbers.below(8) {
            0 if may_come_and_go(program, entity) => RecordChange { entity, key, fields: None },
            1 if may_come_and_go(program, entity) => {
                let mut fields = other.clone();
                fields.retain(|id, _| is_field(program, *id) && !program.is_derived(*id));
                let free = free_key(program, entity, gone, numbers);
                let taken = records.contains_key(&(entity, free.clone()));
                let key = if taken || numbers.below(2) == 0 { format!("{key}-new-{round}") } else { free };
                fields.insert(program.entity(entity).key, Some(Value::Text(key.clone())));
                // Others name a record by its unique fields, too.
                for edge in program.edges.iter().filter(|edge| edge.parent == entity) {
                    if edge.on != program.entity(entity).key {
                        fields.insert(edge.on, other_name(&key));
                    }
                }
                RecordChange { entity, key, fields: Some(fields.into_iter().collect()) }
            }
            _ => {
                let free = changeable(program, entity);
                let mut fields = vec![];
                for _ in 0..=numbers.below(3) {
                    let Some(id) = free.get(numbers.below(free.len().max(1))) else { continue };
                    if fields.iter().any(|(known, _)| known == id) {
                        continue;
                    }
                    let edge = program.edges.iter().find(|edge| edge.via == *id);
                    let value = match (numbers.below(5), edge) {
                        (0, _) => None,
                        // Somebody who is not there, or no longer, or not yet.
                        (1 | 2, Some(edge)) => {
                            let key = free_key(program, edge.parent, gone, numbers);
                            let by_key = edge.on == program.entity(edge.parent).key;
                            if by_key { Some(Value::Text(key)) } else { other_name(&key) }
                        }
                        _ => other.get(id).cloned().flatten(),
                    };
                    fields.push((*id, value));
                }
                RecordChange { entity, key, fields: Some(fields) }
            }
        };
        if !sets.iter().any(|known: &RecordChange| known.entity == entity && known.key == set.key) {
            sets.push(set);
        }
    }
    sets
}

fn record(records: &mut Rows, change: &RecordChange) {
    let place = (change.entity, change.key.clone());
    match &change.fields {
        None => {
            records.remove(&place);
        }
        Some(fields) => {
            let record = records.entry(place).or_default();
            for (id, value) in fields {
                record.insert(*id, value.clone());
            }
        }
    }
}

fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        // The sum of floating values depends on the order of the rows.
        (Some(Value::Index(a)), Some(Value::Index(b))) => (a - b).abs() <= 1e-9 * a.abs().max(1.0),
        _ => a == b,
    }
}

#[test]
fn what_follows_is_what_a_run_says() {
    let folder = tempfile::tempdir().unwrap();
    let pack = loaded();
    let program = &pack.program;
    let snapshot = folder.path().join("snapshot");
    generate(program, 1_200, 11, 2, Format::Snapshot, &snapshot);
    let out = folder.path().join("run");
    let as_of = day("2015-12-31");
    let options = AssessOptions::new(as_of, app::assess::Out::Folder(out.clone()));
    assess_snapshot(&snapshot, &pack, &options).unwrap();
    let read_all = |folder: &std::path::Path| -> HashMap<String, RecordBatch> {
        let names = program.entities.iter().map(|entity| entity.name.clone());
        names
            .filter(|name| folder.join(format!("{name}.parquet")).exists())
            .map(|name| (name.clone(), read(folder, &name)))
            .collect()
    };
    let visible = |id: ColumnId| !is_field(program, id) && !program.column(id).is_hidden();
    let mut records = rows_of(program, &read_all(&snapshot), &|id| is_field(program, id));
    let mut results = rows_of(program, &read_all(&out), &visible);

    let stored = StoredRun::open(&out).unwrap();
    let mut reassessment = Reassessment::new(program, &stored).unwrap();
    let mut numbers = Numbers(20_151_231);
    let (mut applied, mut told, mut refused) = (0, 0, 0);
    let mut gone: Vec<(EntityId, String)> = vec![];
    for round in 0..120 {
        let set = changes(program, &records, &gone, &mut numbers, round);
        let reassessed = match reassessment.apply(&set) {
            Ok(reassessed) => reassessed,
            // Nothing of the set has been applied.
            Err(ReassessError::Derived { .. }) => {
                refused += 1;
                continue;
            }
            Err(error) => panic!("{set:?}: {error}"),
        };
        for change in &set {
            record(&mut records, change);
            if change.fields.is_none() {
                gone.push((change.entity, change.key.clone()));
            }
        }
        applied += set.len();
        for changed in reassessed.records {
            let place = (changed.entity, changed.key.clone());
            if changed.kind == ChangeKind::Removed {
                results.remove(&place);
                continue;
            }
            let row = results.entry(place).or_default();
            for (id, before, after) in changed.values.into_iter().filter(|(id, ..)| visible(*id)) {
                assert_eq!(row.get(&id).cloned().flatten(), before, "{}", program.column(id).name);
                row.insert(id, after);
                told += 1;
            }
        }
    }
    assert!(refused < 20, "{refused}");
    assert!(applied > 150 && told > 3_000, "{applied} changes, {told} results");

    let all: Vec<CaseRecord> = records
        .iter()
        .map(|((entity, key), fields)| CaseRecord {
            entity: *entity,
            key: key.clone(),
            fields: fields.iter().map(|(id, value)| (*id, value.clone())).collect(),
        })
        .collect();
    let tables = engine::tables_of_records(program, &all).unwrap();
    let run = run_tables(program, as_of, tables).unwrap();
    let expected = rows_of(program, &run, &visible);
    let mut compared = 0;
    for (place, row) in &expected {
        let found = results.get(place);
        for (id, value) in row {
            let said = found.and_then(|found| found.get(id)).and_then(Option::as_ref);
            assert!(
                same(said, value.as_ref()),
                "{} {} {}: said {said:?}, a run says {value:?}",
                program.entity(place.0).name,
                place.1,
                program.column(*id).name
            );
            compared += 1;
        }
    }
    assert!(compared > 100_000, "{compared} results");
    let gone: Vec<_> = results.keys().filter(|place| !expected.contains_key(place)).collect();
    assert!(gone.is_empty(), "{gone:?}");
}
