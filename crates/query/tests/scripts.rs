//! Printed scripts: what they look like, and that DataFusion's own SQL gives what the engine gives.

#[path = "../../engine/tests/support/mod.rs"]
mod support;

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use datafusion::prelude::{SessionConfig, SessionContext};
use engine::sql::{Dialect, script};
use model::{ClauseId, Text};
use pack::program::{
    AggregateFunction, Direction, Frame, Program, Rounding, Rule, RuleDetail, RuleId, RuleKind, Span,
    WindowFunction,
};
use support::*;

/// Executes a script over tables and gives the batch of each `run_<entity>`.
fn execute(script: &str, tables: &HashMap<String, RecordBatch>) -> HashMap<String, RecordBatch> {
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_stack_size(64 << 20).build();
    runtime.expect("a runtime").block_on(async {
        let mut config = SessionConfig::new().with_target_partitions(1);
        config.options_mut().sql_parser.map_string_types_to_utf8view = false;
        let context = SessionContext::new_with_config(config);
        for (name, batch) in tables {
            context.register_batch(name, batch.clone()).expect("a table");
        }
        for statement in script.split(";\n").filter(|statement| statement.contains("CREATE")) {
            let frame = context.sql(statement).await.unwrap_or_else(|error| panic!("{error}\n{statement}"));
            frame.collect().await.unwrap_or_else(|error| panic!("{error}\n{statement}"));
        }
        let mut results = HashMap::new();
        for name in tables.keys() {
            if let Ok(frame) = context.table(format!("run_{name}")).await {
                let batches = frame.collect().await.expect("a table");
                let batch = concat_batches(&batches[0].schema(), &batches).expect("one schema");
                results.insert(name.clone(), batch);
            }
        }
        results
    })
}

fn same(program: &Program, tables: HashMap<String, RecordBatch>) {
    let script = script(program, day("2015-12-31"), Dialect::DataFusion).expect("a script");
    let printed = execute(&script, &tables);
    let planned = engine::run_tables(program, day("2015-12-31"), tables).expect("it runs");
    assert_eq!(printed.len(), planned.len());
    for (entity, expected) in &planned {
        let found = &printed[entity];
        for field in expected.schema().fields() {
            let name = field.name();
            let (a, b) = (expected.column_by_name(name), found.column_by_name(name));
            assert_eq!(a.map(shown), b.map(shown), "{entity}.{name}");
            assert_eq!(a.map(|a| a.data_type().clone()), b.map(|b| b.data_type().clone()), "{entity}.{name}");
        }
    }
}

#[test]
fn the_script_gives_what_the_engine_gives() {
    let world = world();
    let tables = engine::tables_of_records(&world.program, &people(&world, 6)).expect("records make tables");
    same(&world.program, tables);
}

#[test]
fn every_expression_prints_as_it_is_computed() {
    let (program, records) = every_expression();
    let tables = engine::tables_of_records(&program, &records).expect("records make tables");
    same(&program, tables);
}

fn small() -> Program {
    let mut builder = Builder::new();
    let household = builder.entity("household", None);
    let person = builder.entity("person", None);
    let edge = builder.edge(person, household, true, true);
    let birth = builder.date(person, "birth");
    let wages = builder.count(person, "wages", 0, 10_i128.pow(10));
    let at = expr(pack::program::ExprKind::AsOf, pack::program::Type::Date, None);
    let age = pack::program::ExprKind::Age { birth: Box::new(builder.col(birth)), at: Box::new(at) };
    let age = builder.scalar(person, "age", expr(age, COUNT, Some(range(-200, 200))));
    let adult = compare(pack::program::Comparison::GreaterOrEqual, builder.col(age), int(16));
    let argument = builder.col(wages);
    let total = builder.aggregate("wages", edge, AggregateFunction::Sum, Some(argument), Some(adult));
    let members = builder.aggregate("members", edge, AggregateFunction::Count, None, None);
    let each = div(builder.col(total), builder.col(members), 0, Rounding::HalfUp);
    let each = builder.scalar(household, "income_per_person", each);
    let missing = sub(int(240_000), builder.col(each));
    let amount = mul(missing, builder.col(members), 0, Rounding::Down);
    let poor = less(builder.col(each), int(240_000));
    let amount = builder.scalar(household, "minimum_living", case(vec![(poor, amount)], Some(int(0))));
    let order = vec![(builder.col(birth), Direction::Ascending)];
    builder.window("order", edge, WindowFunction::RowNumber, None, order, Frame::All);
    let mut program = builder.program;
    program.columns[amount.index()].rule = Some(RuleId(0));
    program.rules.push(Rule {
        id: "minimum_living".to_owned(),
        kind: RuleKind::Benefit,
        entity: Some(household),
        title: Text::new("最低生活保障", "Minimum living guarantee"),
        parts: vec![],
        cite: ["7.1", "7.2"].map(|clause| clause.parse::<ClauseId>().expect("a clause")).to_vec(),
        detail: RuleDetail::Variable { column: amount },
        span: Span::default(),
    });
    program
}

#[test]
fn a_script_for_datafusion() {
    insta::assert_snapshot!(script(&small(), day("2015-12-31"), Dialect::DataFusion).expect("a script"));
}

#[test]
fn a_script_for_postgres() {
    insta::assert_snapshot!(script(&small(), day("2015-12-31"), Dialect::Postgres).expect("a script"));
}

#[test]
fn a_script_for_duckdb() {
    insta::assert_snapshot!(script(&small(), day("2015-12-31"), Dialect::DuckDb).expect("a script"));
}
