use std::collections::BTreeMap;

use pack::program::{
    BracketStep, Expr, ExprKind, NumberType, ParameterId, ParameterShape, Rounding, Source, Type, Value,
};

use super::Bench;
use crate::interpret::build::{date, dated, expr, fen, money_type, number, rate_type, text};

fn parameter(id: ParameterId, ty: Type, at: Option<&str>, key: Option<&str>) -> Expr {
    let literal = |value, ty| Box::new(expr(ExprKind::Literal(value), ty));
    let at = at.map(|at| literal(Value::Date(date(at)), Type::Date));
    let key = key.map(|key| literal(text(key), Type::Text));
    expr(ExprKind::Parameter { id, at, key }, ty)
}

fn line(bench: &mut Bench) -> ParameterId {
    let official = || Source::Official("国开办".to_owned());
    let values = vec![
        dated(number(280_000), "2014-01-01", Some("2015-01-01"), official()),
        dated(number(285_500), "2015-01-01", Some("2016-01-01"), official()),
    ];
    bench.build.parameter(
        "poverty_line",
        ("贫困线", "poverty line"),
        money_type(),
        ParameterShape::Scalar(values),
    )
}

#[test]
fn the_value_in_force_on_the_day_is_used() {
    let mut bench = Bench::new(&[]);
    let id = line(&mut bench);
    let check = |at, expected: Option<i128>| {
        bench.is(&parameter(id, money_type(), at, None), expected.map(number));
    };
    check(None, Some(285_500));
    check(Some("2014-12-31"), Some(280_000));
    check(Some("2015-01-01"), Some(285_500));
    check(Some("2013-12-31"), None);
    check(Some("2016-01-01"), None);
}

#[test]
fn without_a_value_on_the_day_of_the_run_it_is_unknown() {
    let mut bench = Bench::new(&[]);
    let id = line(&mut bench);
    let ParameterShape::Scalar(values) = &mut bench.build.program.parameters[0].shape else {
        panic!("scalar")
    };
    values.truncate(1);
    bench.is(&parameter(id, money_type(), None, None), None);
}

#[test]
fn an_override_wins() {
    let mut bench = Bench::new(&[]);
    let id = line(&mut bench);
    let ParameterShape::Scalar(values) = &mut bench.build.program.parameters[0].shape else {
        panic!("scalar")
    };
    values.insert(0, dated(number(1), "0001-01-01", None, Source::Override));
    bench.is(&parameter(id, money_type(), None, None), Some(number(1)));
}

#[test]
fn a_table_answers_by_code() {
    let mut bench = Bench::new(&[]);
    let list = bench.build.list("grade", &[("C", "C 级", "C"), ("D", "D 级", "D")]);
    let values = BTreeMap::from([("C".to_owned(), number(800_000)), ("D".to_owned(), number(2_500_000))]);
    let shape =
        ParameterShape::Table { list, values: vec![dated(values, "2015-01-01", None, Source::Assumed)] };
    let id = bench.build.parameter("repair", ("改造补助", "repair grant"), money_type(), shape);
    bench.is(&parameter(id, money_type(), None, Some("D")), Some(number(2_500_000)));
    bench.is(&parameter(id, money_type(), None, Some("A")), None);
}

#[test]
fn each_bracket_rounds_by_itself() {
    let mut bench = Bench::new(&[]);
    let Type::Number(over) = money_type() else { panic!("a number") };
    let over: NumberType = over;
    let step = |from, rate| BracketStep { from, rate };
    let steps = vec![step(0, 5_000), step(3_000_000, 6_000), step(5_000_000, 7_000)];
    let shape =
        ParameterShape::Brackets { over, values: vec![dated(steps, "2015-01-01", None, Source::Assumed)] };
    let id = bench.build.parameter("serious", ("大病保险", "serious illness"), rate_type(), shape);
    let check = |x, round, expected| {
        let kind = ExprKind::Bracket { parameter: id, at: None, x: Box::new(fen(x)), round };
        bench.is(&expr(kind, money_type()), Some(number(expected)));
    };
    check(0, Rounding::HalfUp, 0);
    check(-5, Rounding::HalfUp, 0);
    check(1, Rounding::HalfUp, 1);
    check(1, Rounding::Down, 0);
    check(3_000_000, Rounding::HalfUp, 1_500_000);
    check(3_000_001, Rounding::HalfUp, 1_500_001);
    check(3_000_001, Rounding::Down, 1_500_000);
    check(6_000_000, Rounding::HalfUp, 1_500_000 + 1_200_000 + 700_000);
    let unknown = bench.build.field(bench.entity, "x", ("额", "amount"), money_type(), None);
    let kind = ExprKind::Bracket {
        parameter: id,
        at: None,
        x: Box::new(bench.build.col(unknown)),
        round: Rounding::Up,
    };
    bench.is(&expr(kind, money_type()), None);
}
