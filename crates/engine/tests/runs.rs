//! Runs over snapshots: parts, files, totals, findings and failures.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use engine::{Progress, RunOptions, RunSummary};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use support::*;

/// A table of a folder.
fn table(folder: &Path, name: &str) -> RecordBatch {
    let file = std::fs::File::open(folder.join(format!("{name}.parquet"))).expect("the table is there");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet");
    let schema = Arc::clone(reader.schema());
    let batches: Vec<RecordBatch> =
        reader.build().expect("it is read").map(|batch| batch.expect("a batch")).collect();
    concat_batches(&schema, &batches).expect("batches of one schema")
}

/// The cells of a column; `?` is unknown.
fn cells(folder: &Path, name: &str, column: &str) -> Vec<String> {
    shown(table(folder, name).column_by_name(column).expect("the column is there"))
}

/// The sum of a column of numbers, or how often a truth value is true; unknown ones are left out.
fn sum(folder: &Path, name: &str, column: &str) -> i128 {
    let number = |cell: &String| match cell.as_str() {
        "?" | "false" => 0,
        "true" => 1,
        number => number.parse().expect("a number"),
    };
    cells(folder, name, column).iter().map(number).sum()
}

fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir).expect("a run folder");
    let files = entries.map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read(path).expect("a file"))
    });
    files.collect()
}

fn run_world(world: &World, dir: &Path, name: &str, part_rows: usize, threads: usize) -> RunSummary {
    let mut options = RunOptions::new(dir.join("snapshot"), dir.join(name), day("2015-12-31"));
    options.part_rows = part_rows;
    options.threads = threads;
    engine::run(&world.program, &options).expect("the run succeeds")
}

#[test]
fn parts_and_threads_do_not_change_a_byte() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let world = world();
    let tables = tables_of_records(&world, 9);
    write_snapshot(&dir.path().join("snapshot"), &tables);
    let whole = run_world(&world, dir.path(), "whole", usize::MAX, 1);
    let many = run_world(&world, dir.path(), "many", 1, 3);
    let some = run_world(&world, dir.path(), "some", 40, 2);
    assert_eq!((whole.parts, many.parts), (1, 9));
    assert!((2..9).contains(&some.parts), "{}", some.parts);
    assert_eq!(whole.manifest, many.manifest);
    let (whole, many, some) =
        (bytes(&dir.path().join("whole")), bytes(&dir.path().join("many")), bytes(&dir.path().join("some")));
    for (name, bytes) in &whole {
        assert_eq!(Some(bytes), many.get(name), "{name}");
        assert_eq!(Some(bytes), some.get(name), "{name}");
    }
    let names: Vec<_> = whole.keys().map(String::as_str).collect();
    let expected = [
        "county.parquet",
        "findings.parquet",
        "hospital.parquet",
        "household.parquet",
        "manifest.json",
        "person.parquet",
        "province.parquet",
        "stay.parquet",
        "village.parquet",
    ];
    assert_eq!(names, expected);
}

#[test]
fn blocks_do_not_change_a_byte() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut world = world();
    write_snapshot(&dir.path().join("snapshot"), &tables_of_records(&world, 9));
    // Some of what is recorded is beyond its range.
    let wages = world.program.columns.iter_mut().find(|column| column.name == "wages").expect("a column");
    wages.range = Some(range(0, 300_000));
    let world = world;
    let run = |name: &str, block_rows, threads| {
        let mut options =
            RunOptions::new(dir.path().join("snapshot"), dir.path().join(name), day("2015-12-31"));
        options.block_rows = block_rows;
        options.threads = threads;
        let summary = engine::run(&world.program, &options).expect("the run succeeds");
        (summary.manifest.totals, bytes(&dir.path().join(name)))
    };
    let whole = run("whole", None, 2);
    let found = table(&dir.path().join("whole"), "findings");
    let cells = |column: &str| shown(found.column_by_name(column).expect("a column"));
    let beyond = |(code, key): (&String, &String)| code == "out-of-range" && !key.is_empty();
    assert!(cells("code").iter().zip(&cells("key")).any(beyond));
    for rows in [1, 40, usize::MAX] {
        let blocks = run(&format!("blocks-{rows}"), Some(rows), 2);
        assert_eq!(whole.0, blocks.0, "totals in blocks of {rows}");
        let others: Vec<&String> = whole
            .1
            .keys()
            .chain(blocks.1.keys())
            .filter(|name| whole.1.get(*name) != blocks.1.get(*name))
            .collect();
        assert!(others.is_empty(), "in blocks of {rows} other bytes in {others:?}");
    }
}

fn tables_of_records(world: &World, counties: usize) -> std::collections::HashMap<String, RecordBatch> {
    engine::tables_of_records(&world.program, &people(world, counties)).expect("records make tables")
}

#[test]
fn a_run_says_what_memory_says() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let world = world();
    let tables = tables_of_records(&world, 7);
    write_snapshot(&dir.path().join("snapshot"), &tables);
    run_world(&world, dir.path(), "run", 30, 2);
    let results = engine::run_tables(&world.program, day("2015-12-31"), tables).expect("it runs");
    for (entity, expected) in &results {
        let found = table(&dir.path().join("run"), entity);
        for field in expected.schema().fields() {
            let name = field.name();
            let (a, b) = (expected.column_by_name(name), found.column_by_name(name));
            assert_eq!(a.map(shown), b.map(shown), "{entity}.{name}");
        }
    }
}

#[test]
fn totals_findings_and_the_manifest_agree() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let world = world();
    let tables = tables_of_records(&world, 5);
    write_snapshot(&dir.path().join("snapshot"), &tables);
    let summary = run_world(&world, dir.path(), "run", 30, 2);
    let run = dir.path().join("run");
    let totals = summary.manifest.totals.clone();
    assert_eq!(totals["persons"], table(&run, "person").num_rows() as i128);
    assert_eq!(totals["hospitals"], 3);
    assert_eq!(totals["poor_households"], sum(&run, "household", "poor"));
    assert_eq!(totals["paid"], sum(&run, "stay", "paid"));
    assert_eq!(totals["wages"], sum(&dir.path().join("snapshot"), "household", "wages"));
    assert_eq!(totals["province_poor"], sum(&run, "province", "poor"));
    let empty = cells(&run, "household", "members").iter().filter(|members| *members == "0").count();
    assert!(empty > 0, "some households are empty");
    assert_eq!(summary.manifest.findings, BTreeMap::from([("division-by-zero".to_owned(), empty as u64)]));
    let entities = cells(&run, "findings", "entity");
    assert_eq!(entities.iter().filter(|entity| *entity == "household").count(), empty);
    let manifest = std::fs::read_to_string(run.join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("it is JSON");
    assert_eq!(manifest["totals"]["persons"], totals["persons"] as i64);
    assert_eq!(manifest["snapshot"]["path"], "../snapshot");
    assert_eq!(manifest["as_of"], "2015-12-31");
    assert_eq!(
        manifest["files"]["stay.parquet"]["sha256"],
        summary.manifest.files["stay.parquet"].sha256.as_str()
    );
    let read = engine::RunManifest::read(&run).expect("a manifest");
    assert_eq!(read, summary.manifest, "what was written is what is said");
    // What is unknown stands beside what is known, and leads to the records.
    let snapshot = dir.path().join("snapshot");
    for (id, folder, entity, column) in [
        ("poor_households", &run, "household", "poor"),
        ("paid", &run, "stay", "paid"),
        ("wages", &snapshot, "household", "wages"),
    ] {
        let values = table(folder, entity);
        let values = values.column_by_name(column).expect("a column");
        assert_eq!(read.unknown[id], values.null_count() as u64, "{id}");
        assert_eq!(read.subjects[id], values.len() as u64, "{id}");
        let sample = read.unknown_sample.get(id).cloned().unwrap_or_default();
        assert_eq!(sample.len(), values.null_count().min(32), "{id}");
        assert!(sample.iter().all(|row| values.is_null(*row as usize)), "{id}: {sample:?}");
    }
    assert!(read.unknown["poor_households"] > 0 && read.unknown["wages"] > 0, "{:?}", read.unknown);
    assert_eq!((read.unknown["persons"], read.unknown.len()), (0, read.totals.len()));
    // A parent's key stands under the edge's name; a household without a village has none.
    let named = cells(&dir.path().join("snapshot"), "household", "village_id");
    for (village, named) in cells(&run, "household", "village").iter().zip(&named) {
        assert_eq!(village, if named == "nowhere" { "?" } else { named });
    }
    assert!(named.iter().any(|name| name == "nowhere"));
}

#[test]
fn a_number_beyond_its_range_is_a_finding_and_unknown() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut builder = Builder::new();
    let entity = builder.entity("thing", None);
    let x = builder.field(entity, "x", COUNT, Some(range(0, 10)), false);
    builder.scalar(entity, "double", add(builder.col(x), builder.col(x)));
    let mut program = builder.program;
    program.columns[x.index()].range = Some(range(0, 100));
    let records =
        [record(&program, entity, "a", &[("x", n(50))]), record(&program, entity, "b", &[("x", n(7))])];
    let tables = engine::tables_of_records(&program, &records).expect("records make tables");
    write_snapshot(&dir.path().join("snapshot"), &tables);
    program.columns[x.index()].range = Some(range(0, 10));
    let options = RunOptions::new(dir.path().join("snapshot"), dir.path().join("run"), day("2015-12-31"));
    let summary = engine::run(&program, &options).expect("the run succeeds");
    assert_eq!(summary.manifest.findings, BTreeMap::from([(engine::OUT_OF_RANGE.to_owned(), 1)]));
    let run = options.out.as_deref().expect("a folder");
    assert_eq!(cells(run, "thing", "double"), ["?", "14"]);
    let row: Vec<_> =
        ["entity", "key", "code", "column"].map(|name| cells(run, "findings", name).remove(0)).to_vec();
    assert_eq!(row, ["thing", "a", "out-of-range", "x"]);
}

#[test]
fn a_run_that_fails_leaves_nothing() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let world = world();
    let snapshot = dir.path().join("snapshot");
    let options = RunOptions::new(&snapshot, dir.path().join("run"), day("2015-12-31"));
    let fails = |expected: &str| {
        let error = engine::run(&world.program, &options).expect_err("it must fail");
        assert_eq!(error.code(), expected, "{error}");
        let left: Vec<_> = std::fs::read_dir(dir.path()).expect("the folder").collect();
        assert_eq!(left.len(), usize::from(snapshot.exists()), "{left:?}");
    };
    fails("snapshot-file-missing");
    let mut tables = tables_of_records(&world, 3);
    let household = tables["household"].clone();
    let wages = household.schema().index_of("wages").expect("a column");
    let kept: Vec<usize> = (0..household.num_columns()).filter(|index| *index != wages).collect();
    tables.insert("household".to_owned(), household.project(&kept).expect("a projection"));
    write_snapshot(&snapshot, &tables);
    fails("snapshot-column-missing");
    let reversed = household.column_by_name("_village").expect("a column");
    let order: Vec<u32> = (0..household.num_rows() as u32).rev().collect();
    let order = arrow::array::UInt32Array::from(order);
    let reversed = arrow::compute::take(reversed, &order, None).expect("rows");
    let mut columns = household.columns().to_vec();
    columns[household.schema().index_of("_village").expect("a column")] = reversed;
    let unsorted = RecordBatch::try_new(household.schema(), columns).expect("a batch");
    tables.insert("household".to_owned(), unsorted);
    write_snapshot(&snapshot, &tables);
    let mut unsorted = options.clone();
    unsorted.out = None;
    let summary = engine::run(&world.program, &unsorted).expect("it runs in one piece");
    assert_eq!((summary.parts, summary.warnings.len()), (1, 1), "{:?}", summary.warnings);
    tables.insert("household".to_owned(), household);
    write_snapshot(&snapshot, &tables);
    engine::run(&world.program, &options).expect("now it runs");
    let error = engine::run(&world.program, &options).expect_err("it exists");
    assert_eq!(error.code(), "output-exists");
}

#[test]
fn progress_is_told() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let world = world();
    write_snapshot(&dir.path().join("snapshot"), &tables_of_records(&world, 3));
    let mut options = RunOptions::new(dir.path().join("snapshot"), dir.path().join("run"), day("2015-12-31"));
    options.part_rows = 1;
    options.memory_limit = Some(256 << 20);
    let seen = Arc::new(Mutex::new(vec![]));
    let log = Arc::clone(&seen);
    options.progress = Arc::new(move |progress| log.lock().expect("one writer").push(progress));
    engine::run(&world.program, &options).expect("it runs");
    let expected = [
        Progress::Started { parts: 3 },
        Progress::Parts { done: 1, parts: 3 },
        Progress::Parts { done: 2, parts: 3 },
        Progress::Parts { done: 3, parts: 3 },
        Progress::Finishing,
    ];
    assert_eq!(*seen.lock().expect("no writer is left"), expected);
}

#[test]
fn an_empty_snapshot_gives_empty_results() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let world = world();
    let tables = engine::tables_of_records(&world.program, &[]).expect("no records");
    write_snapshot(&dir.path().join("snapshot"), &tables);
    let summary = run_world(&world, dir.path(), "run", 10, 2);
    assert!(summary.manifest.totals.values().all(|total| *total == 0));
    assert_eq!(table(&dir.path().join("run"), "household").num_rows(), 0);
}
