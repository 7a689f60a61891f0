//! The format that the engine reads, column by column, and that equal content has equal bytes.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use std::fs::{self, File};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type};
use common::{county, day, entity, fields, import, meta, number, registry_id, text};
use pack::program::{Program, Value};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use store::{Derived, NewSource, Record, Registry, SnapshotSummary, WorkFolder};
use tempfile::TempDir;

fn read(folder: &Path, name: &str) -> RecordBatch {
    let file = File::open(folder.join(format!("{name}.parquet"))).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

fn manifest(folder: &Path) -> Json {
    serde_json::from_slice(&fs::read(folder.join("snapshot.json")).unwrap()).unwrap()
}

fn strings(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(column).unwrap().as_string::<i32>();
    column.iter().map(|value| value.map(str::to_owned)).collect()
}

fn integers(batch: &RecordBatch, column: &str) -> Vec<Option<i32>> {
    batch.column_by_name(column).unwrap().as_primitive::<Int32Type>().iter().collect()
}

fn household(key: &str, village: Option<&str>, head: &str, income: Option<i128>) -> Vec<Option<Value>> {
    vec![text(key), village.and_then(text), text(head), income.map(Value::Number), None]
}

fn person(key: &str, household: &str) -> Vec<Option<Value>> {
    vec![
        text(key),
        text(household),
        None,
        Some(Value::Date(day("1980-01-01"))),
        text("ordinary"),
        Some(Value::Bool(true)),
        number(-5),
        Some(Value::Index(0.25)),
        number(i128::from(i64::MAX) * 10),
    ]
}

fn fill(registry: &mut Registry, program: &Program, at: i64) {
    let village = |key: &str| vec![text(key), None, None, None];
    import(registry, program, at, "village", vec![village("v2"), village("v1")]);
    // Neither in order of key nor of parent; one parent unknown, one not recorded.
    let households =
        [("h5", None), ("h3", Some("v1")), ("h4", Some("v2")), ("h1", Some("v2")), ("h2", Some("v9"))];
    let households =
        households.map(|(key, village)| household(key, village, &format!("head {key}"), Some(7)));
    import(registry, program, at, "household", households.to_vec());
    let persons = [("p1", "h2"), ("p4", "h1"), ("p3", "h1"), ("p2", "h3")];
    import(registry, program, at, "person", persons.map(|(key, household)| person(key, household)).to_vec());
    let id = entity(program, "stay");
    let mut session = registry.begin(meta(at)).unwrap();
    let source = NewSource::file("住院.xlsx", "一", "ab".repeat(32));
    let source = session.add_source(source).unwrap();
    let values = vec![text("z1"), text("p3"), text("head h5"), number(100)];
    let record = Record { values, source: Some(source), source_row: Some(12), ..Record::default() };
    session.upsert(id, fields(program, id), &[record]).unwrap();
    session.commit().unwrap();
}

fn snapshot(at: i64) -> (TempDir, SnapshotSummary) {
    let folder = tempfile::tempdir().unwrap();
    let program = county().0;
    let mut registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
    fill(&mut registry, &program, at);
    let summary = registry.snapshot(&folder.path().join("snapshot")).unwrap();
    (folder, summary)
}

const DAY: i64 = 86_400_000;

#[test]
fn rows_lie_along_the_tree() {
    let (folder, summary) = snapshot(DAY);
    let path = folder.path().join("snapshot");
    assert_eq!(summary.rows.iter().map(|(_, rows)| *rows).collect::<Vec<_>>(), [2, 5, 4, 1]);
    let keys = |batch: &RecordBatch, column: &str| -> Vec<String> {
        strings(batch, column).into_iter().map(Option::unwrap).collect()
    };
    let village = read(&path, "village");
    assert_eq!(keys(&village, "code"), ["v1", "v2"]);
    let household = read(&path, "household");
    assert_eq!(keys(&household, "number"), ["h3", "h1", "h4", "h2", "h5"]);
    assert_eq!(integers(&household, "_row"), [0, 1, 2, 3, 4].map(Some));
    assert_eq!(integers(&household, "_village"), [Some(0), Some(1), Some(1), None, None]);
    let person = read(&path, "person");
    assert_eq!(keys(&person, "citizen_number"), ["p2", "p3", "p4", "p1"]);
    assert_eq!(integers(&person, "_household"), [Some(0), Some(1), Some(1), Some(3)]);
    let stay = read(&path, "stay");
    assert_eq!((integers(&stay, "_person"), integers(&stay, "_helper")), (vec![Some(1)], vec![Some(4)]));
}

#[test]
fn columns_have_the_types_of_the_format() {
    let (folder, _) = snapshot(DAY);
    let path = folder.path().join("snapshot");
    let person = read(&path, "person");
    let columns: Vec<(String, DataType, bool)> = person
        .schema()
        .fields()
        .iter()
        .map(|field| (field.name().clone(), field.data_type().clone(), field.is_nullable()))
        .collect();
    let expected = [
        ("_row", DataType::Int32, false),
        ("_household", DataType::Int32, true),
        ("citizen_number", DataType::Utf8, false),
        ("household", DataType::Utf8, true),
        ("name", DataType::Utf8, true),
        ("birth", DataType::Date32, true),
        ("labour", DataType::Utf8, true),
        ("disabled", DataType::Boolean, true),
        ("wages", DataType::Int64, true),
        ("score", DataType::Float64, true),
        ("wealth", DataType::Decimal128(38, 0), true),
        ("_source", DataType::Int32, true),
        ("_source_row", DataType::Int32, true),
        ("_recorded_on", DataType::Date32, true),
    ];
    assert_eq!(columns, expected.map(|(name, ty, nullable)| (name.to_owned(), ty, nullable)));
    let column = |name: &str| person.column_by_name(name).unwrap();
    assert!(column("name").is_null(0));
    assert_eq!(column("birth").as_primitive::<Date32Type>().value(0), day("1980-01-01").days());
    assert!(column("disabled").as_boolean().value(0));
    assert_eq!(column("wages").as_primitive::<Int64Type>().value(0), -5);
    assert_eq!(column("score").as_primitive::<Float64Type>().value(0).to_bits(), 0.25_f64.to_bits());
    assert_eq!(column("wealth").as_primitive::<Decimal128Type>().value(0), i128::from(i64::MAX) * 10);
    assert_eq!(column("_recorded_on").as_primitive::<Date32Type>().value(0), 1);
    let stay = read(&path, "stay");
    assert_eq!((integers(&stay, "_source"), integers(&stay, "_source_row")), (vec![Some(0)], vec![Some(12)]));
}

#[test]
fn the_manifest_names_every_file() {
    let (folder, summary) = snapshot(DAY);
    let path = folder.path().join("snapshot");
    let manifest = manifest(&path);
    assert_eq!(manifest["format"], 1);
    assert_eq!(manifest["digest"], summary.digest);
    assert_eq!(manifest["change"], 12);
    for (name, rows) in &summary.rows {
        assert_eq!(manifest["entities"][name]["rows"], *rows);
        let bytes = fs::read(path.join(format!("{name}.parquet"))).unwrap();
        assert_eq!(manifest["entities"][name]["sha256"], format!("{:x}", Sha256::digest(bytes)));
    }
    let source = &manifest["sources"][0];
    assert_eq!(
        (&source["id"], &source["file"], &source["sheet"]),
        (&0.into(), &"住院.xlsx".into(), &"一".into())
    );
    assert_eq!(source["imported_at"], "1970-01-02T08:00:00+08:00");
}

#[test]
fn an_empty_registry_has_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::create(folder.path(), &county().0, registry_id()).unwrap();
    let path = folder.path().join("snapshot");
    let summary = registry.snapshot(&path).unwrap();
    assert_eq!(summary.change, 0);
    for name in ["village", "household", "person", "stay"] {
        assert_eq!(read(&path, name).num_rows(), 0);
    }
}

#[test]
fn equal_content_has_an_equal_digest_whenever_recorded() {
    let (folder, first) = snapshot(DAY);
    let (again, second) = snapshot(DAY);
    for name in ["snapshot.json", "village.parquet", "household.parquet", "person.parquet", "stay.parquet"] {
        let bytes = |folder: &TempDir| fs::read(folder.path().join("snapshot").join(name)).unwrap();
        assert_eq!(bytes(&folder), bytes(&again), "{name}");
    }
    assert_eq!(first, second);
    let (_, later) = snapshot(40 * DAY);
    assert_eq!(first.digest, later.digest);
}

#[test]
fn any_other_value_gives_another_digest() {
    let folder = tempfile::tempdir().unwrap();
    let program = county().0;
    let mut registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
    fill(&mut registry, &program, DAY);
    let path = folder.path().join("snapshot");
    let before = registry.snapshot(&path).unwrap();
    import(&mut registry, &program, DAY, "household", vec![household("h3", Some("v1"), "head h3", Some(8))]);
    let changed = registry.snapshot(&path).unwrap();
    assert_ne!(before.digest, changed.digest);
    import(&mut registry, &program, DAY, "household", vec![household("h3", Some("v1"), "head h3", Some(7))]);
    let back = registry.snapshot(&path).unwrap();
    assert_eq!(before.digest, back.digest, "changed and changed back is the same content");
    assert!(back.change > before.change);
    let entries: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!entries.iter().any(|name| name.to_string_lossy().contains("snapshot.")), "{entries:?}");
}

#[test]
fn deleted_records_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let program = county().0;
    let mut registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
    fill(&mut registry, &program, DAY);
    let mut session = registry.begin(meta(DAY)).unwrap();
    session.delete(entity(&program, "household"), &["h1"]).unwrap();
    session.commit().unwrap();
    let path = folder.path().join("snapshot");
    registry.snapshot(&path).unwrap();
    let person = read(&path, "person");
    let keys: Vec<_> = strings(&person, "citizen_number").into_iter().map(Option::unwrap).collect();
    assert_eq!(keys, ["p2", "p1", "p3", "p4"]);
    assert_eq!(integers(&person, "_household"), [Some(0), Some(2), None, None]);
}

#[test]
fn a_field_that_became_required_must_be_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let program = county().0;
    let mut registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
    import(
        &mut registry,
        &program,
        1,
        "village",
        ["v2", "v1"].map(|key| vec![text(key), None, None, None]).to_vec(),
    );
    drop(registry);
    let mut program = county().0;
    let name = program.entities[0].fields[1];
    let pack::program::ColumnKind::Field(field) = &mut program.columns[name.index()].kind else { panic!() };
    field.required = true;
    let registry = Registry::open(folder.path(), &program).unwrap();
    let error = registry.snapshot(&folder.path().join("snapshot")).unwrap_err();
    assert_eq!(error.code(), "required-missing");
    assert!(error.to_string().starts_with("2 of the recorded `village` lack `name`"), "{error}");
    assert!(!folder.path().join("snapshot.partial").exists());
}

#[test]
fn a_reading_keeps_to_one_commit_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let program = county().0;
    let id = entity(&program, "household");
    let household = |key: &str| vec![text(key), text("v1"), None, number(1), None];
    let mut writer = Registry::create(folder.path(), &program, registry_id()).unwrap();
    import(&mut writer, &program, 1, "household", vec![household("h1")]);
    let reader = Registry::open(folder.path(), &program).unwrap();

    let reading = reader.read().unwrap();
    import(&mut writer, &program, 2, "household", vec![household("h2")]);
    assert_eq!(reading.view().count(id).unwrap(), 1, "though nothing was read before the import");
    let work = WorkFolder::beside(&folder.path().join("snapshot")).unwrap();
    let summary = reading.snapshot_into(&work, &Derived::default()).unwrap();
    assert_eq!(summary.change, 1);
    assert!(summary.rows.contains(&("household".to_owned(), 1)));
    drop(reading);
    assert_eq!(reader.view().count(id).unwrap(), 2);
    assert_eq!(reader.snapshot(&folder.path().join("snapshot")).unwrap().change, 2);
}

#[test]
fn snapshots_of_one_place_taken_side_by_side_are_both_whole() {
    let folder = tempfile::tempdir().unwrap();
    let program = county().0;
    let mut registry = Registry::create(folder.path(), &program, registry_id()).unwrap();
    let households =
        (0..500).map(|index| vec![text(&format!("h{index}")), text("v1"), None, number(1), None]);
    import(&mut registry, &program, 1, "household", households.collect());
    let place = folder.path().join("snapshot");
    let expected = registry.snapshot(&place).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let registry = Registry::open(folder.path(), &program).unwrap();
                for _ in 0..5 {
                    assert_eq!(registry.snapshot(&place).unwrap(), expected);
                }
            });
        }
    });
    let mut left: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("registry.sqlite"))
        .collect();
    left.sort();
    assert_eq!(left, ["snapshot"]);
}
