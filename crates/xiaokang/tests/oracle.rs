//! An independent reading of the pack language, in Python (`tests/oracle`), beside the engine and the direct
//! evaluator: over the worked cases, and cell by cell over random worlds.
//!
//! `cargo xtask test` says where Python is; without it the tests fail and say so. What the three say must be the
//! same: a difference is a mistake in one of them, or a sentence that `docs/pack-language.md` lacks.

#[allow(dead_code, reason = "shared by tests that each use a part")]
mod common;

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use app::cells::cell;
use arrow::array::RecordBatch;
use evaluate::interpret::{Calculation, calculate};
use pack::program::{CaseRecord, Column, ColumnId, ColumnKind, Derived, EntityId, Program, Type, Value};
use serde_json::{Map, Value as Json, json};

const SHIPPED: &str = "packs/sichuan-2015";
const LANGUAGE: &str = "crates/app/tests/language";

/// Worlds of the shipped pack, and records that each entity has in them.
const SHIPPED_WORLDS: usize = 50;
const SHIPPED_ROWS: usize = 6;
/// Worlds of the pack that uses every construct: small ones, and many.
const LANGUAGE_WORLDS: usize = 100;
const LANGUAGE_ROWS: usize = 9;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn program(pack: &str) -> Program {
    app::packs::load(&root().join(pack), &[], &[]).expect("the pack compiles").program
}

/// Runs Python in the folder that has the oracle.
fn python(arguments: &[&str]) -> Output {
    let python = std::env::var("XIAOKANG_TEST_PYTHON")
        .expect("`XIAOKANG_TEST_PYTHON` is not set: run the tests with `cargo xtask test`");
    let mut command = Command::new(python);
    command.current_dir(root().join("tests")).env("PYTHONDONTWRITEBYTECODE", "1").args(arguments);
    command.output().expect("python starts")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_oracle_passes_its_own_tests() {
    let output = python(&["-m", "unittest", "discover", "-s", "oracle", "-t", "."]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("OK"), "{}", said(&output));
}

#[test]
fn the_oracle_agrees_with_every_case_of_the_shipped_pack() {
    cases_agree(SHIPPED, 6_000);
}

#[test]
fn the_oracle_agrees_with_every_case_of_the_language() {
    cases_agree(LANGUAGE, 300);
}

fn cases_agree(pack: &str, expectations_min: usize) {
    let expectations: usize = program(pack).cases.iter().map(|case| case.expect.len()).sum();
    assert!(expectations >= expectations_min);
    let folder = root().join(pack);
    let output = python(&["-m", "oracle", "cases", folder.to_str().expect("a path of letters")]);
    let all = format!("{expectations} expectations, {expectations} agree, 0 disagree, 0 not computed");
    assert!(said(&output).contains(&all), "{}", said(&output));
    println!("{all}");
}

#[test]
fn three_readings_agree_on_random_worlds_of_the_shipped_pack() {
    worlds_agree(SHIPPED, SHIPPED_WORLDS, SHIPPED_ROWS, 15_000);
}

#[test]
fn three_readings_agree_on_random_worlds_of_the_language() {
    worlds_agree(LANGUAGE, LANGUAGE_WORLDS, LANGUAGE_ROWS, 500);
}

/// Fresh seeds each time, printed; `XIAOKANG_TEST_SEED` repeats one.
fn seeds(worlds: usize) -> Vec<u64> {
    if let Ok(seed) = std::env::var("XIAOKANG_TEST_SEED") {
        return vec![seed.parse().expect("a seed is a number")];
    }
    (0..worlds).map(|_| std::hash::RandomState::new().hash_one(0)).collect()
}

fn worlds_agree(pack: &str, worlds: usize, rows_max: usize, cells_min: usize) {
    let program = program(pack);
    let as_of: model::Date =
        if pack == SHIPPED { "2016-12-31" } else { "2015-12-31" }.parse().expect("a day");
    let seeds = seeds(worlds);
    println!("seeds {seeds:?}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut records_of = Vec::new();
    for seed in &seeds {
        let records = world(&program, as_of, *seed, rows_max);
        let text = world_json(&program, as_of, &records).to_string();
        std::fs::write(folder.path().join(format!("{seed}.json")), text).expect("the world is written");
        records_of.push(records);
    }
    let (pack, out) = (root().join(pack), folder.path());
    let output =
        python(&["-m", "oracle", "worlds", pack.to_str().expect("letters"), out.to_str().expect("letters")]);
    assert!(output.status.success(), "{}", said(&output));
    let mut found = Comparison::default();
    for (seed, records) in seeds.iter().zip(&records_of) {
        let text = std::fs::read_to_string(out.join(format!("{seed}.columns"))).expect("the oracle wrote it");
        let answers: Json = serde_json::from_str(&text).expect("json");
        found.world(&program, as_of, *seed, records, &answers);
    }
    println!("{} worlds: {} cells the same in all three", seeds.len(), found.same);
    assert!(found.different.is_empty(), "\n{}", found.report());
    assert!(found.same > seeds.len() * cells_min, "{} cells are few", found.same);
}

/// Random records with the derived fields that follow from them.
fn world(program: &Program, as_of: model::Date, seed: u64, rows_max: usize) -> Vec<CaseRecord> {
    let mut records = common::world_records(program, as_of, seed, rows_max);
    let given = |id: ColumnId| {
        !matches!(
            program.derived(id),
            Some(Derived::Network { .. } | Derived::AsAt { .. } | Derived::Ancestor { .. })
        )
    };
    let mut earlier = HashMap::new();
    for record in &mut records {
        record.fields.retain(|(id, _)| given(*id));
        for (id, value) in record.fields.iter().filter(|(id, _)| program.derived(*id).is_some()) {
            earlier.insert((record.key.clone(), *id), value.clone());
        }
    }
    app::derived::fill(program, as_of, &mut records);
    // What an earlier run said stays as drawn.
    for record in &mut records {
        for (id, value) in &mut record.fields {
            if let Some(drawn) = earlier.get(&(record.key.clone(), *id)) {
                value.clone_from(drawn);
            }
        }
    }
    records
}

/// Recorded facts as the oracle reads them: in the unit of the text, and without those of networks.
fn world_json(program: &Program, as_of: model::Date, records: &[CaseRecord]) -> Json {
    let mut entities: BTreeMap<&str, Vec<Json>> = BTreeMap::new();
    for record in records {
        let mut row = Map::new();
        for (id, value) in &record.fields {
            let column = program.column(*id);
            let derived = program.derived(*id);
            if column.name.starts_with('_')
                || matches!(
                    derived,
                    Some(Derived::Network { .. } | Derived::AsAt { .. } | Derived::Ancestor { .. })
                )
            {
                continue;
            }
            row.insert(column.name.clone(), value.as_ref().map_or(Json::Null, |value| fact(column, value)));
        }
        entities.entry(&program.entity(record.entity).name).or_default().push(Json::Object(row));
    }
    json!({ "as_of": as_of.to_string(), "records": entities })
}

fn decimals(column: &Column) -> u8 {
    match &column.ty {
        Type::Number(number) => number.decimals,
        _ => 0,
    }
}

fn fact(column: &Column, value: &Value) -> Json {
    match value {
        Value::Bool(flag) => json!(flag),
        Value::Number(number) => json!(written(*number, decimals(column))),
        Value::Date(date) => json!(date.to_string()),
        Value::Text(text) => json!(text),
        Value::Index(index) => json!(index),
    }
}

/// A scaled number as text, without zeros at the end.
fn written(number: i128, decimals: u8) -> String {
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = usize::from(decimals) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    let fraction = fraction.trim_end_matches('0');
    let sign = if number < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// What the oracle says of a cell, as [`fact`] would write it: money comes in fen, other numbers with all decimals.
fn answer(answer: &Json) -> Json {
    match answer {
        Json::Number(fen) => {
            json!(written(fen.to_string().parse().expect("a whole number of fen"), 2))
        }
        other => other.clone(),
    }
}

fn plain(column: &Column, text: Json) -> Json {
    match (&column.ty, &text) {
        (Type::Number(_), Json::String(number)) if number.contains('.') => {
            json!(number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

#[derive(Default)]
struct Comparison {
    same: usize,
    /// By column: how often, and the first place with what each says.
    different: BTreeMap<String, (usize, String)>,
}

impl Comparison {
    fn world(
        &mut self,
        program: &Program,
        as_of: model::Date,
        seed: u64,
        records: &[CaseRecord],
        answers: &Json,
    ) {
        let tables = engine::tables_of_records(program, records).expect("the records make tables");
        let results = common::results(program, as_of, &tables);
        let calculation = calculate(program, as_of, records);
        for (position, entity) in program.entities.iter().enumerate() {
            let id = EntityId(u32::try_from(position).expect("few entities"));
            let batch = results
                .get(&entity.name)
                .or_else(|| tables.get(&entity.name))
                .expect("every entity has records");
            let rows = keys(program, id, batch);
            let said = answers[&entity.name].as_object().expect("the oracle has every entity");
            assert_eq!(said.len(), rows.len(), "records of {}", entity.name);
            for (column_id, column) in results_of(program, id) {
                for (key, row) in &rows {
                    let what = format!("{}.{}", entity.name, column.name);
                    let Some(array) = batch
                        .column_by_name(&column.name)
                        .or_else(|| tables[&entity.name].column_by_name(&column.name))
                    else {
                        panic!("the engine has no {what}");
                    };
                    let oracle =
                        said[key].get(&column.name).unwrap_or_else(|| panic!("the oracle has no {what}"));
                    let oracle = plain(column, answer(oracle));
                    let engine = cell(array, *row).map_or(Json::Null, |value| fact(column, &value));
                    let evaluator = evaluated(program, &calculation, id, key, column_id, column);
                    if oracle == engine && evaluator.as_ref().is_ok_and(|found| *found == engine) {
                        self.same += 1;
                    } else {
                        let place = format!(
                            "world {seed}, {key}: oracle {oracle}, engine {engine}, evaluator {evaluator:?}"
                        );
                        self.different.entry(what).or_insert((0, place)).0 += 1;
                    }
                }
            }
        }
    }

    fn report(&self) -> String {
        let lines =
            self.different.iter().map(|(what, (times, place))| format!("{what}: {times} cells; {place}\n"));
        format!("{} columns differ\n{}", self.different.len(), lines.collect::<String>())
    }
}

fn evaluated(
    program: &Program,
    calculation: &Calculation,
    entity: EntityId,
    key: &str,
    id: ColumnId,
    column: &Column,
) -> Result<Json, String> {
    match calculation.value(entity, key, id) {
        Some(Ok(value)) => Ok(value.map_or(Json::Null, |value| fact(column, &value))),
        Some(Err(error)) => Err(error.message(program).en),
        None => Err("no such record".to_owned()),
    }
}

fn keys(program: &Program, entity: EntityId, batch: &RecordBatch) -> Vec<(String, usize)> {
    let keys =
        batch.column_by_name(&program.column(program.entity(entity).key).name).expect("a table has its key");
    let key = |row| match cell(keys, row) {
        Some(Value::Text(key)) => (key, row),
        other => panic!("{other:?} is no key"),
    };
    (0..batch.num_rows()).map(key).collect()
}

/// What rules and networks say of an entity, without columns of the compiler's own.
fn results_of(program: &Program, entity: EntityId) -> impl Iterator<Item = (ColumnId, &Column)> {
    program.columns.iter().enumerate().filter_map(move |(position, column)| {
        let id = ColumnId(u32::try_from(position).expect("few columns"));
        let result = !matches!(column.kind, ColumnKind::Field(_))
            || matches!(
                program.derived(id),
                Some(Derived::Network { .. } | Derived::AsAt { .. } | Derived::PreviousRun { .. })
            );
        (column.entity == entity && result && !column.name.starts_with('_')).then_some((id, column))
    })
}
