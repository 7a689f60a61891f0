//! The worked cases of the pack in PostgreSQL and DuckDB: the printed script must give every result that
//! the engine gives, cell by cell.
//!
//! `cargo xtask test` starts the databases and says where they are; without it the tests fail and say so.

#[allow(dead_code, reason = "shared by tests that each use a part")]
mod common;

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use app::Dialect;
use app::cases::{by_date, tables_at};
use app::cells::cell;
use arrow::array::RecordBatch;
use pack::program::{CaseRecord, Column, ColumnId, EntityId, Program, Value};

/// The shipped pack.
const SHIPPED: &str = "../../packs/sichuan-2015";
/// The pack that uses every construct of the language.
const LANGUAGE: &str = "../app/tests/language";

fn program(pack: &str) -> Program {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(pack);
    app::packs::load(&folder, &[], &[]).expect("the pack compiles").program
}

fn setting(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("`{name}` is not set: run the tests with `cargo xtask test`"))
}

/// A cell as both databases print it with `CAST(x AS text)`; unknown is `∅`.
fn printed(value: Option<&Value>) -> String {
    match value {
        None => "∅".to_owned(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Date(date)) => date.to_string(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Index(index)) => index.to_string(),
    }
}

fn literal(value: Option<&Value>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(Value::Bool(flag)) => flag.to_string().to_uppercase(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Date(date)) => format!("DATE '{date}'"),
        Some(Value::Text(text)) => format!("'{}'", text.replace('\'', "''")),
        Some(Value::Index(index)) => index.to_string(),
    }
}

fn column_type(data: &arrow::datatypes::DataType) -> &'static str {
    use arrow::datatypes::DataType;
    match data {
        DataType::Boolean => "BOOLEAN",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::Decimal128(_, _) => "DECIMAL(38, 0)",
        DataType::Date32 => "DATE",
        DataType::Float64 => "DOUBLE PRECISION",
        _ => "TEXT",
    }
}

/// Statements that create and fill one input table.
fn load_script(name: &str, batch: &RecordBatch) -> String {
    let schema = batch.schema();
    let columns: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| format!("\"{}\" {}", field.name(), column_type(field.data_type())))
        .collect();
    let mut script = format!("CREATE TABLE \"{name}\" ({});\n", columns.join(", "));
    for row in 0..batch.num_rows() {
        let values: Vec<String> =
            batch.columns().iter().map(|array| literal(cell(array, row).as_ref())).collect();
        script.push_str(&format!("INSERT INTO \"{name}\" VALUES ({});\n", values.join(", ")));
    }
    script
}

/// The tables that a script gives, with what the engine says they hold.
fn expected(program: &Program, results: &HashMap<String, RecordBatch>) -> Vec<(String, RecordBatch)> {
    app::sql_tables(program)
        .into_iter()
        .map(|table| {
            let entity = program.entity(table.entity);
            let batch = results.get(&entity.name);
            let batch = batch.unwrap_or_else(|| panic!("the engine has no results of {}", entity.name));
            let key = program.column(entity.key).name.as_str();
            let names = table.columns.iter().map(|id| program.column(*id).name.as_str());
            let positions: Vec<usize> = ["_row", key]
                .into_iter()
                .chain(names)
                .map(|name| batch.schema().index_of(name).expect("the engine has the column"))
                .collect();
            (table.name, batch.project(&positions).expect("the columns are there"))
        })
        .collect()
}

fn select(name: &str, columns: &[String]) -> String {
    let list: Vec<String> = columns.iter().map(|column| format!("CAST(\"{column}\" AS text)")).collect();
    format!("SELECT {} FROM \"{name}\" AS t ORDER BY t.\"_row\"", list.join(", "))
}

type Ask<'a> = &'a mut dyn FnMut(&str, &[String]) -> Vec<Vec<Vec<String>>>;

/// Runs every date's cases through `ask`, which loads, runs and answers the queries of a script.
fn compare(pack: &str, dialect: Dialect, ask: Ask<'_>) {
    let program = program(pack);
    assert!(!program.cases.is_empty());
    let mut compared = 0;
    for as_of in by_date(&program).into_keys() {
        let tables = tables_at(&program, as_of).expect("tables of the cases");
        compared += compare_tables(&program, as_of, &tables, dialect, ask);
    }
    println!("{compared} cells compared");
    assert!(compared > 1000);
}

/// The number of cells that are the same.
fn compare_tables(
    program: &Program,
    as_of: model::Date,
    tables: &HashMap<String, RecordBatch>,
    dialect: Dialect,
    ask: Ask<'_>,
) -> usize {
    let mut compared = 0;
    let script = app::sql_script_for(program, as_of, dialect, tables).expect("the script prints");
    let results = common::results(program, as_of, tables);
    let mut text: String = tables.iter().map(|(name, batch)| load_script(name, batch)).collect();
    text.push_str(&script);
    let expected = expected(program, &results);
    let columns: Vec<Vec<String>> = expected
        .iter()
        .map(|(_, batch)| batch.schema().fields().iter().map(|field| field.name().clone()).collect())
        .collect();
    let queries: Vec<String> =
        expected.iter().zip(&columns).map(|((name, _), columns)| select(name, columns)).collect();
    let answers = ask(&text, &queries);
    for (((name, batch), columns), rows) in expected.iter().zip(&columns).zip(&answers) {
        assert_eq!(rows.len(), batch.num_rows(), "rows of {name} at {as_of}");
        for (row, found) in rows.iter().enumerate() {
            for (position, column) in columns.iter().enumerate() {
                let wanted = printed(cell(batch.column(position), row).as_ref());
                assert_eq!(found[position], wanted, "{name}.{column}, row {row}, as of {as_of}");
                compared += 1;
            }
        }
    }
    compared
}

/// Compares every result that a run stores with the direct evaluator's, which shares neither plans nor primitives with
/// the engine; gives the number of cells that are the same.
fn interpreter_agrees(program: &Program, as_of: model::Date, records: &[CaseRecord]) -> usize {
    let tables = engine::tables_of_records(program, records).expect("the records make tables");
    let results = common::results(program, as_of, &tables);
    let calculation = evaluate::interpret::calculate(program, as_of, records);
    let mut compared = 0;
    for (position, entity) in program.entities.iter().enumerate() {
        let Some(batch) = results.get(&entity.name) else { continue };
        let id = EntityId(u32::try_from(position).expect("few entities"));
        let keys = batch.column_by_name(&program.column(entity.key).name).expect("a result has its key");
        for (column_id, column) in columns_of(program, id) {
            let Some(array) = batch.column_by_name(&column.name) else { continue };
            for row in 0..batch.num_rows() {
                let Some(Value::Text(key)) = cell(keys, row) else { panic!("a record without a key") };
                let other = calculation.value(id, &key, column_id).expect("the record is there");
                let other = other.unwrap_or_else(|error| panic!("{}", error.message(program).en));
                assert_eq!(cell(array, row), other, "{}.{} of {key} as of {as_of}", entity.name, column.name);
                compared += 1;
            }
        }
    }
    compared
}

fn columns_of(program: &Program, entity: EntityId) -> impl Iterator<Item = (ColumnId, &Column)> {
    program.columns.iter().enumerate().filter_map(move |(position, column)| {
        let id = ColumnId(u32::try_from(position).expect("few columns"));
        (column.entity == entity).then_some((id, column))
    })
}

#[test]
fn the_evaluator_agrees_on_random_worlds() {
    let program = program(SHIPPED);
    let as_of: model::Date = "2016-12-31".parse().expect("a day");
    for seed in seeds() {
        println!("world {seed}");
        let records = common::world_records(&program, as_of, seed, common::ROWS);
        assert!(interpreter_agrees(&program, as_of, &records) > 10_000);
    }
}

fn rows_of_csv(text: &str) -> Vec<Vec<String>> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes())
        .records()
        .map(|record| record.expect("csv").iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn postgres_gives_what_the_engine_gives() {
    in_postgres(SHIPPED, "shipped");
}

#[test]
fn postgres_gives_what_the_engine_gives_for_every_construct() {
    in_postgres(LANGUAGE, "language");
}

fn in_postgres(pack: &str, name: &str) {
    with_postgres(name, &mut |ask| compare(pack, Dialect::Postgres, ask));
}

fn with_postgres(name: &str, work: &mut dyn FnMut(Ask<'_>)) {
    let (psql, url) = (setting("XIAOKANG_TEST_PSQL"), setting("XIAOKANG_TEST_POSTGRES"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut number = 0;
    work(&mut |script, queries| {
        number += 1;
        let schema = format!("cases_{name}_{number}");
        let mut text = format!(
            "\\set ON_ERROR_STOP on\nSET client_min_messages = warning;\nDROP SCHEMA IF EXISTS {schema} CASCADE;\nCREATE SCHEMA {schema};\nSET search_path = {schema};\n{script}\n"
        );
        let mut files = Vec::new();
        for (position, query) in queries.iter().enumerate() {
            let file = folder.path().join(format!("{number}-{position}.csv"));
            text.push_str(&format!("\\copy ({query}) TO '{}' WITH (FORMAT csv, NULL '∅')\n", file.display()));
            files.push(file);
        }
        let path = folder.path().join(format!("{number}.sql"));
        std::fs::write(&path, text).expect("the script is written");
        let output =
            Command::new(&psql).args(["-X", "-q", "-f"]).arg(&path).arg(&url).output().expect("psql starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        read_all(&files)
    });
}

const DUCKDB: &str = "
import csv, sys, duckdb
script, queries = open(sys.argv[1]).read(), open(sys.argv[2]).read().split('\\n')
connection = duckdb.connect()
connection.execute(script)
for number, query in enumerate(q for q in queries if q):
    rows = connection.execute(query).fetchall()
    with open(f'{sys.argv[3]}-{number}.csv', 'w', newline='') as out:
        csv.writer(out).writerows([['∅' if v is None else v for v in row] for row in rows])
";

#[test]
fn duckdb_gives_what_the_engine_gives() {
    in_duckdb(SHIPPED);
}

#[test]
fn duckdb_gives_what_the_engine_gives_for_every_construct() {
    in_duckdb(LANGUAGE);
}

fn in_duckdb(pack: &str) {
    with_duckdb(&mut |ask| compare(pack, Dialect::DuckDb, ask));
}

fn with_duckdb(work: &mut dyn FnMut(Ask<'_>)) {
    let python = setting("XIAOKANG_TEST_DUCKDB");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut number = 0;
    work(&mut |script, queries| {
        number += 1;
        let at = |end: &str| folder.path().join(format!("{number}{end}"));
        std::fs::write(at(".sql"), script).expect("the script is written");
        std::fs::write(at(".queries"), queries.join("\n")).expect("the queries are written");
        let output = Command::new(&python)
            .args(["-c", DUCKDB])
            .args([at(".sql"), at(".queries"), at("")])
            .output()
            .expect("python starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let files: Vec<PathBuf> =
            (0..queries.len()).map(|position| at(&format!("-{position}.csv"))).collect();
        read_all(&files)
    });
}

fn read_all(files: &[PathBuf]) -> Vec<Vec<Vec<String>>> {
    files
        .iter()
        .map(|file| rows_of_csv(&std::fs::read_to_string(file).expect("the answer is there")))
        .collect()
}

/// Worlds that a database is asked about: as many as a minute allows.
const WORLDS: usize = 2;

/// Worlds that the evaluator is asked about.
const EVALUATOR_WORLDS: usize = 6;

/// Fresh seeds each time, printed with what they find; `XIAOKANG_TEST_SEED` repeats one.
fn seeds() -> Vec<u64> {
    if let Ok(seed) = std::env::var("XIAOKANG_TEST_SEED") {
        return vec![seed.parse().expect("a seed is a number")];
    }
    (0..EVALUATOR_WORLDS).map(|_| std::hash::RandomState::new().hash_one(0)).collect()
}

fn every_world(check: impl Fn(&Program, model::Date, &HashMap<String, RecordBatch>)) {
    let program = program(SHIPPED);
    let as_of: model::Date = "2016-12-31".parse().expect("a day");
    for seed in seeds().into_iter().take(WORLDS) {
        println!("world {seed}");
        check(&program, as_of, &common::world(&program, as_of, seed));
    }
}

#[test]
fn postgres_agrees_on_random_worlds() {
    with_postgres("worlds", &mut |ask| {
        let ask = std::cell::RefCell::new(ask);
        every_world(|program, as_of, tables| {
            let compared = compare_tables(program, as_of, tables, Dialect::Postgres, &mut **ask.borrow_mut());
            assert!(compared > 10_000);
        });
    });
}

#[test]
fn duckdb_agrees_on_random_worlds() {
    with_duckdb(&mut |ask| {
        let ask = std::cell::RefCell::new(ask);
        every_world(|program, as_of, tables| {
            let compared = compare_tables(program, as_of, tables, Dialect::DuckDb, &mut **ask.borrow_mut());
            assert!(compared > 10_000);
        });
    });
}
