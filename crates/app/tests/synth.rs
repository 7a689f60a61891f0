//! Records that are made: the same for the same seed, as the pack wants them, and good to import and to run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "shared by tests that each use a part")]
mod common;
#[allow(dead_code, reason = "shared by tests that each use a part")]
#[path = "common/province.rs"]
mod province;

use std::collections::BTreeMap;
use std::path::Path;

use app::assess::{AssessOptions, assess_snapshot};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use common::{loaded, registry, run};
use pack::program::{ColumnKind, EntityId, Program};
use province::{PERSONS, generate, read};
use synth::Format;

fn numbers(batch: &RecordBatch, column: &str) -> Vec<Option<i64>> {
    batch.column_by_name(column).unwrap().as_primitive::<Int64Type>().iter().collect()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.file_name().display().to_string(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let program = loaded().program;
    let make = |name: &str, seed, threads| {
        let out = folder.path().join(name);
        (generate(&program, PERSONS, seed, threads, Format::Snapshot, &out), files(&out))
    };
    let (one, one_files) = make("one", 7, 1);
    let (three, three_files) = make("three", 7, 3);
    let (other, _) = make("other", 8, 3);
    assert_eq!(one, three);
    assert!(one.unused.is_empty(), "the profile describes what the pack does not have: {:?}", one.unused);
    assert!(one_files == three_files, "some file differs");
    assert_ne!(one.digest, other.digest);
    let persons = one.rows.iter().find(|(entity, _)| entity == "person").unwrap();
    assert_eq!(persons.1, PERSONS);
    assert!(one.rows.iter().all(|(_, rows)| *rows > 0), "{one:?}");
}

#[test]
fn records_are_what_the_pack_declares() {
    let folder = tempfile::tempdir().unwrap();
    let program = loaded().program;
    generate(&program, PERSONS, 1, 2, Format::Snapshot, folder.path().join("s").as_path());
    for (index, entity) in program.entities.iter().enumerate() {
        let batch = read(&folder.path().join("s"), &entity.name);
        let rows: Vec<i32> =
            batch.column_by_name("_row").unwrap().as_primitive::<Int32Type>().values().to_vec();
        assert!(
            rows.iter().enumerate().all(|(place, row)| *row as usize == place),
            "rows of {}",
            entity.name
        );
        for edge in program.edges.iter().filter(|edge| edge.child.index() == index) {
            check_edge(&program, &folder.path().join("s"), &batch, edge);
        }
        for id in &entity.fields {
            check_field(&program, EntityId(index as u32), &batch, *id);
        }
    }
}

fn check_edge(program: &Program, folder: &Path, batch: &RecordBatch, edge: &pack::program::Edge) {
    let name = &program.entities[edge.child.index()].name;
    let parents = batch.column_by_name(&format!("_{}", edge.name)).unwrap().as_primitive::<Int32Type>();
    assert!(!edge.tree || parents.null_count() == 0, "{name} without {}", edge.name);
    if edge.tree {
        assert!(parents.values().is_sorted(), "{name} is not sorted by {}", edge.name);
    }
    // The reference and the row say the same.
    let above = read(folder, &program.entities[edge.parent.index()].name);
    let text = |batch: &RecordBatch, id| batch.column_by_name(&program.column(id).name).unwrap().clone();
    let (via, on) = (text(batch, edge.via), text(&above, edge.on));
    let (via, on) = (via.as_string::<i32>(), on.as_string::<i32>());
    for row in (0..batch.num_rows()).filter(|row| parents.is_valid(*row)) {
        assert_eq!(
            via.value(row),
            on.value(parents.value(row) as usize),
            "{name}.{} of row {row}",
            edge.name
        );
    }
}

fn check_field(program: &Program, entity: EntityId, batch: &RecordBatch, id: pack::program::ColumnId) {
    let column = program.column(id);
    let name = format!("{}.{}", program.entities[entity.index()].name, column.name);
    let ColumnKind::Field(field) = &column.kind else { panic!("{name} is no field") };
    let array = batch.column_by_name(&column.name).unwrap();
    assert!(!field.required || array.null_count() == 0, "{name} is required and unknown");
    if let (Some(range), Some(values)) = (column.range, array.as_primitive_opt::<Int64Type>()) {
        for value in values.iter().flatten() {
            assert!((range.min..=range.max).contains(&i128::from(value)), "{name}: {value} is out of range");
        }
    }
}

#[test]
fn incomes_heap_on_the_line_and_some_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let program = loaded().program;
    generate(&program, PERSONS, 1, 2, Format::Snapshot, folder.path().join("s").as_path());
    let households = read(&folder.path().join("s"), "household");
    let incomes = numbers(&households, "net_income");
    let sizes = numbers(&households, "household_size");
    let on_line = incomes
        .iter()
        .zip(&sizes)
        .filter(|(income, size)| income.zip(**size).is_some_and(|(income, size)| income == 285_500 * size));
    let share = |count: usize| count as f64 / incomes.len() as f64;
    assert!((0.01..0.04).contains(&share(on_line.count())), "households exactly on the line");
    assert!(
        (0.001..0.03).contains(&share(incomes.iter().filter(|income| income.is_none()).count())),
        "incomes missing"
    );
    let persons: i64 = sizes.iter().flatten().sum();
    assert_eq!(persons, PERSONS as i64);
    let mean = persons as f64 / sizes.len() as f64;
    assert!((2.5..3.5).contains(&mean), "{mean} persons a household");
    let stays = read(&folder.path().join("s"), "stay").num_rows() as f64 / PERSONS as f64;
    assert!((0.05..0.2).contains(&stays), "{stays} stays a person");
}

#[test]
fn sheets_import_without_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let program = loaded().program;
    for (format, name) in [(Format::Csv, "csv"), (Format::Xlsx, "xlsx")] {
        let out = folder.path().join(name);
        generate(&program, PERSONS, 3, 2, format, &out);
        let mut registry = registry(&folder.path().join(format!("registry-{name}")), &program);
        let files: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path()).collect();
        let report = run(&mut registry, &program, &files).unwrap();
        let first = report.faults.iter().take(5).map(|fault| format!("{fault:?}")).collect::<Vec<_>>();
        assert!(report.faults.is_empty(), "{name}: {} faults, first {first:#?}", report.faults.len());
    }
}

#[test]
fn blocks_do_not_change_a_byte() {
    let folder = tempfile::tempdir().unwrap();
    let program = loaded().program;
    let snapshot = folder.path().join("s");
    generate(&program, PERSONS, 3, 2, Format::Snapshot, &snapshot);
    let run = |name: &str, block_rows| {
        let mut options =
            engine::RunOptions::new(&snapshot, folder.path().join(name), "2015-12-31".parse().unwrap());
        options.block_rows = block_rows;
        let summary = engine::run(&program, &options).unwrap();
        (summary.manifest.totals, files(&folder.path().join(name)))
    };
    let (totals, whole) = run("whole", None);
    for rows in [60, 900] {
        let (in_blocks, files) = run(&format!("in-{rows}"), Some(rows));
        assert_eq!(totals, in_blocks, "totals in blocks of {rows}");
        let same = |name: &&String| whole.get(*name) == files.get(*name);
        let others: Vec<&String> = whole.keys().chain(files.keys()).filter(|name| !same(name)).collect();
        assert!(others.is_empty(), "in blocks of {rows} other bytes in {others:?}");
    }
}

#[test]
fn the_memory_that_a_run_asks_for_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let program = loaded().program;
    let snapshot = folder.path().join("s");
    generate(&program, PERSONS, 3, 2, Format::Snapshot, &snapshot);
    let run = |name: &str, memory_limit| {
        let out = folder.path().join(name);
        let mut options = engine::RunOptions::new(&snapshot, &out, "2015-12-31".parse().unwrap());
        options.memory_limit = memory_limit;
        (engine::run(&program, &options), out)
    };
    let (refused, out) = run("refused", Some(1 << 20));
    let needed = match refused {
        Err(engine::EngineError::MemoryTooSmall { needed }) => usize::try_from(needed).unwrap(),
        other => panic!("{other:?}"),
    };
    assert!(!out.exists());
    let (limited, least) = run("least", Some(needed));
    let (free, whole) = run("whole", None);
    assert_eq!(limited.unwrap().manifest, free.unwrap().manifest);
    assert!(files(&least) == files(&whole), "some file differs");
    // What the limit allows is what the run takes beyond what the process holds before it: its code and the pack.
    let before = peak_of(&snapshot, &folder.path().join("none"), None);
    let within = peak_of(&snapshot, &folder.path().join("alone"), Some(needed));
    println!("limit {needed}, taken {} bytes beyond {before}", within.saturating_sub(before));
    assert!(
        within.saturating_sub(before) <= needed,
        "a run limited to {needed} bytes took {within} beside {before}"
    );
    assert!(files(&folder.path().join("alone")) == files(&whole), "some file differs");
}

/// Most memory that a process of its own held, in bytes, which ran within a limit or, without one, not at all.
fn peak_of(snapshot: &Path, out: &Path, limit: Option<usize>) -> usize {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_run_in_a_process_of_its_own", "--ignored", "--nocapture"]);
    command.env("XIAOKANG_TEST_SNAPSHOT", snapshot).env("XIAOKANG_TEST_OUT", out);
    if let Some(limit) = limit {
        command.env("XIAOKANG_TEST_LIMIT", limit.to_string());
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let kibibytes = text.split("VmHWM:").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}

#[test]
#[ignore = "a part of the test of memory, which runs it in a process of its own"]
fn a_run_in_a_process_of_its_own() {
    let setting = |name: &str| std::env::var(name);
    let (snapshot, out) = (setting("XIAOKANG_TEST_SNAPSHOT").unwrap(), setting("XIAOKANG_TEST_OUT").unwrap());
    let program = loaded().program;
    if let Ok(limit) = setting("XIAOKANG_TEST_LIMIT") {
        let mut options =
            engine::RunOptions::new(Path::new(&snapshot), Path::new(&out), "2015-12-31".parse().unwrap());
        options.memory_limit = Some(limit.parse().unwrap());
        engine::run(&program, &options).unwrap();
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap());
}

#[test]
fn a_snapshot_runs() {
    let folder = tempfile::tempdir().unwrap();
    let pack = loaded();
    let snapshot = folder.path().join("s");
    generate(&pack.program, PERSONS, 5, 2, Format::Snapshot, &snapshot);
    let out = app::assess::Out::Folder(folder.path().join("run"));
    let options = AssessOptions::new(pack.program.info.as_of, out);
    let done = assess_snapshot(&snapshot, &pack, &options).unwrap();
    assert_eq!(done.manifest.snapshot.rows["person"], PERSONS);
    assert!(!done.manifest.findings.contains_key("out-of-range"), "{:?}", done.manifest.findings);
    let explained = explanations_say_what_the_run_says(&pack.program, &folder.path().join("run"), &snapshot);
    assert!(explained > 2_000, "{explained}");
}

/// Every answer about some records of every entity is the result that the run has; the number of answers.
fn explanations_say_what_the_run_says(program: &Program, folder: &Path, snapshot: &Path) -> usize {
    let run = app::explain::StoredRun::open(folder).unwrap();
    let mut compared = 0;
    for entity in &program.entities {
        if !folder.join(format!("{}.parquet", entity.name)).is_file() {
            continue;
        }
        let (recorded, results) = (read(snapshot, &entity.name), read(folder, &entity.name));
        let keys = recorded.column_by_name(&program.column(entity.key).name).unwrap().as_string::<i32>();
        let mut rows = vec![0, recorded.num_rows() / 2, recorded.num_rows().saturating_sub(1)];
        rows.dedup();
        for row in rows.into_iter().filter(|row| *row < recorded.num_rows()) {
            let key = keys.value(row);
            for explanation in
                app::explain::explain(&app::Viewer::unmasked(program), &run, &entity.name, key, None).unwrap()
            {
                for answer in &explanation.answers {
                    let Some(column) = answer.tree.column.as_ref() else { continue };
                    let Some(stored) = results.column_by_name(&column.name) else { continue };
                    let what = format!("{} {key}: {}", entity.name, column.name);
                    assert_eq!(column.key, key, "{what}");
                    assert_eq!(app::cells::cell(stored, row), answer.tree.value, "{what}");
                    compared += 1;
                }
            }
        }
    }
    compared
}
