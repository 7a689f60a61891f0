//! What expressions mean, over tables in memory.

mod support;

use pack::program::{
    AggregateFunction, BracketStep, DatePart, Direction, Expr, ExprKind, Frame, NumberKind, NumberType,
    ParameterShape, Rounding, Type, Unit, Value, WindowFunction,
};
use support::*;

/// The values of one expression over a field `x` (and `y`), a record for each pair of values.
fn evaluate(
    field: Type,
    bounds: Option<pack::program::Range>,
    make: impl Fn(&mut Builder, Expr, Expr) -> Expr,
    rows: &[(Option<Value>, Option<Value>)],
) -> Vec<String> {
    let mut builder = Builder::new();
    let entity = builder.entity("thing", None);
    let x = builder.field(entity, "x", field.clone(), bounds, true);
    let y = builder.field(entity, "y", field, bounds, true);
    let (x, y) = (builder.col(x), builder.col(y));
    let value = make(&mut builder, x, y);
    builder.scalar(entity, "value", value);
    let program = builder.program;
    let records: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(row, (x, y))| {
            record(&program, entity, &format!("{row:03}"), &[("x", x.clone()), ("y", y.clone())])
        })
        .collect();
    values(&run(&program, "2015-12-31", &records), "thing", "value")
}

fn numbers(
    bounds: (i128, i128),
    make: impl Fn(&mut Builder, Expr, Expr) -> Expr,
    rows: &[(i128, i128)],
) -> Vec<String> {
    let rows: Vec<_> = rows.iter().map(|(x, y)| (n(*x), n(*y))).collect();
    evaluate(COUNT, Some(range(bounds.0, bounds.1)), make, &rows)
}

#[test]
fn rounding_is_away_from_zero_toward_zero_or_half_up_on_both_sides() {
    let values = [-250, -151, -150, -149, -51, -50, -49, -1, 0, 1, 49, 50, 51, 149, 150, 151, 250];
    let rows: Vec<_> = values.iter().map(|value| (*value, 0)).collect();
    let check = |round: Rounding, expected: &[i64]| {
        let found = numbers((-1000, 1000), |_, x, _| support::round(x, 2, round), &rows);
        let expected: Vec<_> = expected.iter().map(i64::to_string).collect();
        assert_eq!(found, expected, "{round:?}");
    };
    check(Rounding::HalfUp, &[-3, -2, -2, -1, -1, -1, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3]);
    check(Rounding::Down, &[-2, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2]);
    check(Rounding::Up, &[-3, -2, -2, -2, -1, -1, -1, -1, 0, 1, 1, 1, 1, 2, 2, 2, 3]);
}

#[test]
fn division_rounds_for_every_sign_and_is_unknown_by_zero() {
    let rows = [(7, 2), (-7, 2), (7, -2), (-7, -2), (7, 3), (-8, 3), (8, -3), (5, 0), (0, 5)];
    let check = |round: Rounding, expected: [&str; 9]| {
        let found = numbers((-1000, 1000), |_, x, y| div(x, y, 0, round), &rows);
        assert_eq!(found, expected, "{round:?}");
    };
    check(Rounding::HalfUp, ["4", "-4", "-4", "4", "2", "-3", "-3", "?", "0"]);
    check(Rounding::Down, ["3", "-3", "-3", "3", "2", "-2", "-2", "?", "0"]);
    check(Rounding::Up, ["4", "-4", "-4", "4", "3", "-3", "-3", "?", "0"]);
}

#[test]
fn wide_numbers_are_exact_at_every_size() {
    let big = 10_i128.pow(17);
    let rows = [(big + 1, 3), (-big - 1, 3), (big, 7), (12, 0)];
    let product =
        |_: &mut Builder, x: Expr, y: Expr| div(mul(x.clone(), x, 0, Rounding::Down), y, 0, Rounding::HalfUp);
    let expected = |x: i128, y: i128| {
        let (a, b) = (x * x, y);
        ((2 * a + b) / (2 * b)).to_string()
    };
    let found = numbers((-2 * big, 2 * big), product, &rows);
    assert_eq!(found[..3], [expected(big + 1, 3), expected(-big - 1, 3), expected(big, 7)]);
    assert_eq!(found[3], "?");
    // Beyond 10^34 the decimal division itself needs 256 bits.
    let huge = 4 * 10_i128.pow(17);
    let found = numbers(
        (-huge, huge),
        |_, x, y| div(mul(x.clone(), x, 0, Rounding::Down), y, 1, Rounding::Up),
        &[(huge, 7), (huge - 1, 11)],
    );
    let up = |x: i128, y: i128| ((x * x * 10 + y - 1) / y).to_string();
    assert_eq!(found, [up(huge, 7), up(huge - 1, 11)]);
}

#[test]
fn a_rate_of_money_narrows_back_to_64_bits() {
    let rows = [(10_i128.pow(15), 4350), (-(10_i128.pow(15)) - 1, 4350)];
    let found =
        numbers((-(10_i128.pow(16)), 10_i128.pow(16)), |_, x, y| mul(x, y, 4, Rounding::HalfUp), &rows);
    assert_eq!(found, ["435000000000000", "-435000000000000"]);
}

#[test]
fn a_case_is_unknown_behind_an_unknown_condition() {
    let make = |_: &mut Builder, x: Expr, y: Expr| {
        case(vec![(less(x.clone(), int(10)), int(1)), (greater(y, int(5)), int(2))], Some(int(3)))
    };
    let rows = [(n(5), None), (n(20), n(9)), (n(20), n(1)), (None, n(9)), (n(20), None)];
    let found = evaluate(COUNT, Some(range(0, 100)), make, &rows);
    assert_eq!(found, ["1", "2", "3", "?", "?"]);
}

#[test]
fn least_and_greatest_are_strict() {
    let rows = [(n(5), n(7)), (n(5), None), (None, n(7))];
    let bounds = Some(range(0, 100));
    let least = |_: &mut Builder, x: Expr, y: Expr| expr(ExprKind::Least(vec![x, y, int(6)]), COUNT, bounds);
    assert_eq!(evaluate(COUNT, bounds, least, &rows), ["5", "?", "?"]);
    let most = |_: &mut Builder, x: Expr, y: Expr| expr(ExprKind::Greatest(vec![x, y]), COUNT, bounds);
    assert_eq!(evaluate(COUNT, bounds, most, &rows), ["7", "?", "?"]);
}

#[test]
fn logic_is_kleene_and_coalesce_takes_the_first_known() {
    let rows = [(b(true), None), (b(false), None), (None, None), (b(true), b(false))];
    let and = |_: &mut Builder, x: Expr, y: Expr| expr(ExprKind::And(vec![x, y]), Type::Bool, None);
    assert_eq!(evaluate(Type::Bool, None, and, &rows), ["?", "false", "?", "false"]);
    let or = |_: &mut Builder, x: Expr, y: Expr| expr(ExprKind::Or(vec![x, y]), Type::Bool, None);
    assert_eq!(evaluate(Type::Bool, None, or, &rows), ["true", "?", "?", "true"]);
    let known = |_: &mut Builder, x: Expr, y: Expr| expr(ExprKind::Coalesce(vec![y, x]), Type::Bool, None);
    assert_eq!(evaluate(Type::Bool, None, known, &rows), ["true", "false", "?", "false"]);
    let unknown =
        |_: &mut Builder, _: Expr, y: Expr| expr(ExprKind::IsUnknown(Box::new(y)), Type::Bool, None);
    assert_eq!(evaluate(Type::Bool, None, unknown, &rows), ["true", "true", "true", "false"]);
}

fn dates(make: impl Fn(&mut Builder, Expr, Expr) -> Expr, rows: &[(&str, &str)]) -> Vec<String> {
    let rows: Vec<_> = rows.iter().map(|(x, y)| (d(x), d(y))).collect();
    evaluate(Type::Date, None, make, &rows)
}

#[test]
fn a_birthday_completes_a_year_and_29_february_waits_for_march() {
    let age = |_: &mut Builder, x: Expr, y: Expr| {
        expr(ExprKind::Age { birth: Box::new(x), at: Box::new(y) }, COUNT, Some(range(-200, 200)))
    };
    let rows = [
        ("2000-05-10", "2015-05-09"),
        ("2000-05-10", "2015-05-10"),
        ("2000-02-29", "2015-02-28"),
        ("2000-02-29", "2015-03-01"),
        ("2000-02-29", "2016-02-29"),
        ("1999-12-31", "2000-01-01"),
    ];
    assert_eq!(dates(age, &rows), ["14", "15", "14", "15", "16", "0"]);
    let today = |_: &mut Builder, x: Expr, _: Expr| {
        let at = expr(ExprKind::AsOf, Type::Date, None);
        expr(ExprKind::Age { birth: Box::new(x), at: Box::new(at) }, COUNT, Some(range(-200, 200)))
    };
    assert_eq!(dates(today, &[("2015-12-31", "2015-01-01"), ("1950-01-01", "2015-01-01")]), ["0", "65"]);
}

#[test]
fn months_end_where_a_month_is_shorter() {
    let check = |months: i128, rows: &[(&str, &str)]| {
        let add = |_: &mut Builder, x: Expr, _: Expr| {
            expr(ExprKind::AddMonths { a: Box::new(x), months: Box::new(int(months)) }, Type::Date, None)
        };
        let from: Vec<_> = rows.iter().map(|(from, _)| (*from, *from)).collect();
        let to: Vec<_> = rows.iter().map(|(_, to)| *to).collect();
        assert_eq!(dates(add, &from), to, "{months}");
    };
    check(1, &[("2015-01-31", "2015-02-28"), ("2016-01-31", "2016-02-29"), ("2015-12-15", "2016-01-15")]);
    check(12, &[("2016-02-29", "2017-02-28"), ("1900-02-28", "1901-02-28")]);
    check(-1, &[("2016-03-31", "2016-02-29"), ("2000-01-01", "1999-12-01")]);
    check(36, &[("2013-06-30", "2016-06-30"), ("9998-01-01", "?")]);
}

#[test]
fn dates_take_days_and_are_made_from_parts() {
    let later = |_: &mut Builder, x: Expr, _: Expr| {
        expr(ExprKind::AddDays { a: Box::new(x), days: Box::new(int(-60)) }, Type::Date, None)
    };
    assert_eq!(dates(later, &[("2016-03-01", "2016-03-01")]), ["2016-01-01"]);
    let between = |_: &mut Builder, x: Expr, y: Expr| {
        expr(ExprKind::DaysBetween { from: Box::new(x), to: Box::new(y) }, COUNT, Some(range(-9999, 9999)))
    };
    assert_eq!(dates(between, &[("2016-02-28", "2016-03-01"), ("2016-03-01", "2016-02-28")]), ["2", "-2"]);
    let made = |_: &mut Builder, x: Expr, y: Expr| {
        let year =
            expr(ExprKind::DatePart { part: DatePart::Year, a: Box::new(x) }, COUNT, Some(range(1, 9999)));
        let day = expr(ExprKind::DatePart { part: DatePart::Day, a: Box::new(y) }, COUNT, Some(range(1, 31)));
        let kind = ExprKind::MakeDate { year: Box::new(year), month: Box::new(int(2)), day: Box::new(day) };
        expr(kind, Type::Date, None)
    };
    let rows = [("2016-01-01", "2000-01-29"), ("2015-01-01", "2000-01-29"), ("2015-01-01", "2000-01-28")];
    assert_eq!(dates(made, &rows), ["2016-02-29", "?", "2015-02-28"]);
}

#[test]
fn digits_become_counts() {
    let digits = |_: &mut Builder, x: Expr, _: Expr| {
        let part = expr(ExprKind::Substring { a: Box::new(x), from: 2, length: 2 }, Type::Text, None);
        expr(ExprKind::DigitsToCount(Box::new(part)), COUNT, Some(range(0, 99)))
    };
    let rows = [(t("a42z"), None), (t("a0x"), None), (None, None)];
    assert_eq!(evaluate(Type::Text, None, digits, &rows), ["42", "?", "?"]);
}

#[test]
fn a_parameter_is_taken_at_the_date_asked() {
    let make = |builder: &mut Builder, x: Expr, _: Expr| {
        let steps = vec![
            dated(Value::Number(560), "2014-11-22", Some("2015-03-01")),
            dated(Value::Number(535), "2015-03-01", Some("2015-05-11")),
            dated(Value::Number(510), "2015-06-01", None),
        ];
        let id = builder.parameter("rate", COUNT, ParameterShape::Scalar(steps));
        expr(ExprKind::Parameter { id, at: Some(Box::new(x)), key: None }, COUNT, Some(range(510, 560)))
    };
    let rows = [
        ("2014-11-21", "2014-01-01"),
        ("2014-11-22", "2014-01-01"),
        ("2015-02-28", "2014-01-01"),
        ("2015-03-01", "2014-01-01"),
        ("2015-05-20", "2014-01-01"),
        ("2030-01-01", "2014-01-01"),
    ];
    assert_eq!(dates(make, &rows), ["?", "560", "560", "535", "?", "510"]);
}

#[test]
fn a_parameter_without_a_value_in_force_is_unknown_and_what_rests_on_it() {
    let mut builder = Builder::new();
    let entity = builder.entity("thing", None);
    let shape = ParameterShape::Scalar(vec![dated(Value::Number(1), "2016-01-01", None)]);
    let id = builder.parameter("poverty_line", COUNT, shape);
    let value = expr(ExprKind::Parameter { id, at: None, key: None }, COUNT, Some(range(1, 1)));
    builder.scalar(entity, "value", value);
    let value = |builder: &Builder| builder.program.columns.last().map(|column| column.name.clone());
    assert_eq!(value(&builder).as_deref(), Some("value"));
    let records = [record(&builder.program, entity, "a", &[])];
    assert_eq!(values(&run(&builder.program, "2015-12-31", &records), "thing", "value"), ["?"]);
    assert_eq!(values(&run(&builder.program, "2016-01-01", &records), "thing", "value"), ["1"]);
}

#[test]
fn a_table_gives_a_value_for_each_code() {
    let mut builder = Builder::new();
    let grades = builder.code_type(&["A", "B", "C"]);
    let entity = builder.entity("house", None);
    let grade = builder.field(entity, "grade", grades, None, true);
    let table = [("C".to_owned(), Value::Number(800_000)), ("B".to_owned(), Value::Number(5))];
    let shape = ParameterShape::Table {
        list: pack::program::ListId(0),
        values: vec![dated(table.into(), "2010-01-01", None)],
    };
    let id = builder.parameter("repair", COUNT, shape);
    let key = Some(Box::new(builder.col(grade)));
    builder.scalar(
        entity,
        "grant",
        expr(ExprKind::Parameter { id, at: None, key }, COUNT, Some(range(0, 900_000))),
    );
    let program = builder.program;
    let records: Vec<_> = ["A", "B", "C", ""]
        .iter()
        .map(|code| {
            let grade = if code.is_empty() { None } else { t(code) };
            record(&program, entity, code, &[("grade", grade)])
        })
        .collect();
    assert_eq!(values(&run(&program, "2015-12-31", &records), "house", "grant"), ["?", "5", "800000", "?"]);
}

#[test]
fn brackets_round_each_product_by_itself() {
    let make = |builder: &mut Builder, x: Expr, _: Expr| {
        let over = NumberType { kind: NumberKind::Quantity, unit: Unit::default(), decimals: 2 };
        let steps = vec![
            BracketStep { from: 400, rate: 55 },
            BracketStep { from: 1000, rate: 65 },
            BracketStep { from: 2001, rate: 70 },
        ];
        let shape = ParameterShape::Brackets { over, values: vec![dated(steps, "2010-01-01", None)] };
        let parameter = builder.parameter("share", number_type(2), shape);
        let kind = ExprKind::Bracket { parameter, at: None, x: Box::new(x), round: Rounding::HalfUp };
        expr(kind, number_type(2), Some(range(0, 10_000)))
    };
    let found = numbers(
        (-1000, 10_000),
        make,
        &[(-5, 0), (400, 0), (401, 0), (1000, 0), (1001, 0), (2001, 0), (2101, 0)],
    );
    // 1001 * 0.65 = 650.65, rounded to 651 before the next bracket adds its own.
    assert_eq!(found, ["0", "0", "1", "330", "331", "981", "1051"]);
    let found = evaluate(COUNT, Some(range(0, 10)), make, &[(None, None)]);
    assert_eq!(found, ["?"]);
}

/// A household with persons of the given filter and argument values: one value for each aggregate.
fn aggregates(children: &[(Option<Value>, Option<Value>)]) -> Vec<String> {
    let mut builder = Builder::new();
    let household = builder.entity("household", None);
    let person = builder.entity("person", None);
    let edge = builder.edge(person, household, true, true);
    let f = builder.bool(person, "f");
    let x = builder.count(person, "x", -100, 100);
    let y = builder.bool(person, "y");
    let (f, x, y) = (builder.col(f), builder.col(x), builder.col(y));
    let mut add = |name: &str, function, argument| {
        builder.aggregate(name, edge, function, argument, Some(f.clone()));
    };
    add("count", AggregateFunction::Count, None);
    add("sum", AggregateFunction::Sum, Some(x.clone()));
    add("any", AggregateFunction::Any, Some(y.clone()));
    add("all", AggregateFunction::All, Some(y));
    add("min", AggregateFunction::Min, Some(x.clone()));
    add("max", AggregateFunction::Max, Some(x));
    let program = builder.program;
    let mut records = vec![record(&program, household, "h", &[])];
    for (index, (f, x)) in children.iter().enumerate() {
        let y = x.as_ref().map(|x| Value::Bool(*x != Value::Number(0)));
        let fields = [("household_id", t("h")), ("f", f.clone()), ("x", x.clone()), ("y", y)];
        records.push(record(&program, person, &index.to_string(), &fields));
    }
    let results = run(&program, "2015-12-31", &records);
    ["count", "sum", "any", "all", "min", "max"]
        .into_iter()
        .flat_map(|name| values(&results, "household", name))
        .collect()
}

#[test]
fn an_aggregate_is_unknown_if_a_missing_value_could_change_it() {
    let check = |children: &[(Option<Value>, Option<Value>)], expected: [&str; 6]| {
        assert_eq!(aggregates(children), expected, "{children:?}");
    };
    check(&[], ["0", "0", "false", "true", "?", "?"]);
    check(&[(b(true), n(3)), (b(true), n(0))], ["2", "3", "true", "false", "0", "3"]);
    check(&[(b(false), n(3)), (b(false), None)], ["0", "0", "false", "true", "?", "?"]);
    // A known zero cannot change a sum, whatever its filter.
    check(&[(None, n(0)), (b(true), n(5))], ["?", "5", "true", "?", "?", "?"]);
    check(&[(None, n(4)), (b(true), n(5))], ["?", "?", "true", "true", "?", "?"]);
    check(&[(b(true), None), (b(true), n(5))], ["2", "?", "true", "?", "?", "?"]);
    check(&[(b(true), None), (b(true), n(0))], ["2", "?", "?", "false", "?", "?"]);
    check(&[(None, None)], ["?", "?", "?", "?", "?", "?"]);
    check(&[(None, n(0))], ["?", "0", "false", "?", "?", "?"]);
    check(&[(None, n(1))], ["?", "?", "?", "true", "?", "?"]);
}

#[test]
fn children_without_a_parent_count_nowhere_and_look_up_nothing() {
    let mut builder = Builder::new();
    let household = builder.entity("household", None);
    let person = builder.entity("person", None);
    let edge = builder.edge(person, household, true, false);
    let x = builder.count(household, "x", 0, 100);
    builder.aggregate("members", edge, AggregateFunction::Count, None, None);
    builder.lookup("household_x", edge, x);
    let program = builder.program;
    let records = [
        record(&program, household, "h1", &[("x", n(7))]),
        record(&program, household, "h2", &[]),
        record(&program, person, "p1", &[("household_id", t("nowhere"))]),
        record(&program, person, "p2", &[("household_id", t("h1"))]),
        record(&program, person, "p3", &[]),
        record(&program, person, "p4", &[("household_id", t("h2"))]),
    ];
    let results = run(&program, "2015-12-31", &records);
    assert_eq!(values(&results, "household", "members"), ["1", "1"]);
    assert_eq!(values(&results, "person", "id"), ["p2", "p4", "p1", "p3"]);
    assert_eq!(values(&results, "person", "household_x"), ["7", "?", "?", "?"]);
    let empty = run(&program, "2015-12-31", &[]);
    assert_eq!(values(&empty, "household", "members"), Vec::<String>::new());
}

/// Three stays of one person and one without: `(discharged, bill)`; gives the column `value`.
fn stays(
    function: WindowFunction,
    frame: Frame,
    direction: Direction,
    rows: &[(&str, Option<&str>, Option<i128>)],
) -> Vec<String> {
    let mut builder = Builder::new();
    let person = builder.entity("person", None);
    let stay = builder.entity("stay", None);
    let edge = builder.edge(stay, person, true, false);
    let discharged = builder.date(stay, "discharged");
    let bill = builder.count(stay, "bill", 0, 1_000_000);
    let order = vec![(builder.col(discharged), direction)];
    let argument = (function == WindowFunction::Sum).then(|| builder.col(bill));
    builder.window("value", edge, function, argument, order, frame);
    let program = builder.program;
    let mut records = vec![record(&program, person, "p", &[]), record(&program, person, "q", &[])];
    for (index, (owner, discharged, bill)) in rows.iter().enumerate() {
        let date = discharged.map(|discharged| Value::Date(day(discharged)));
        let fields = [("person_id", t(owner)), ("discharged", date), ("bill", bill.map(Value::Number))];
        // Keys fall while rows rise, so that ties show who decides them.
        records.push(record(&program, stay, &format!("s{}", 9 - index), &fields));
    }
    values(&run(&program, "2015-12-31", &records), "stay", "value")
}

#[test]
fn windows_accumulate_in_order_with_ties_broken_by_key() {
    let rows = [
        ("p", Some("2015-06-01"), Some(10)),
        ("p", Some("2015-03-01"), Some(20)),
        ("p", Some("2015-06-01"), Some(40)),
        ("q", Some("2015-01-01"), Some(80)),
        ("nobody", Some("2015-01-01"), Some(160)),
    ];
    let check = |function, frame, direction, expected: [&str; 5]| {
        assert_eq!(
            stays(function, frame, direction, &rows),
            expected,
            "{function:?} {frame:?} {direction:?}"
        );
    };
    let (up, down) = (Direction::Ascending, Direction::Descending);
    check(WindowFunction::Sum, Frame::Before, up, ["60", "0", "20", "0", "?"]);
    check(WindowFunction::Sum, Frame::UpToCurrent, up, ["70", "20", "60", "80", "?"]);
    check(WindowFunction::Sum, Frame::All, up, ["70", "70", "70", "80", "?"]);
    check(WindowFunction::Sum, Frame::Before, down, ["40", "50", "0", "0", "?"]);
    check(WindowFunction::Count, Frame::Before, up, ["2", "0", "1", "0", "?"]);
    check(WindowFunction::RowNumber, Frame::All, up, ["3", "1", "2", "1", "?"]);
    check(WindowFunction::Rank, Frame::All, up, ["2", "1", "2", "1", "?"]);
    check(WindowFunction::Rank, Frame::All, down, ["1", "3", "1", "1", "?"]);
}

#[test]
fn windows_are_unknown_where_the_order_or_a_value_in_the_frame_is() {
    let rows = [
        ("p", Some("2015-01-01"), Some(1)),
        ("p", Some("2015-02-01"), None),
        ("p", Some("2015-03-01"), Some(4)),
        ("q", None, Some(8)),
        ("q", Some("2015-03-01"), Some(16)),
    ];
    let check = |function, frame, expected: [&str; 5]| {
        assert_eq!(stays(function, frame, Direction::Ascending, &rows), expected, "{function:?} {frame:?}");
    };
    check(WindowFunction::Sum, Frame::Before, ["0", "1", "?", "?", "?"]);
    check(WindowFunction::Sum, Frame::All, ["?", "?", "?", "?", "?"]);
    check(WindowFunction::RowNumber, Frame::All, ["1", "2", "3", "?", "?"]);
}

#[test]
fn windows_share_an_argument_that_can_be_unknown() {
    let mut builder = Builder::new();
    let person = builder.entity("person", None);
    let stay = builder.entity("stay", None);
    let edge = builder.edge(stay, person, true, true);
    let bill = builder.count(stay, "bill", 0, 10_i128.pow(16));
    for (name, frame) in [("before", Frame::Before), ("with", Frame::UpToCurrent), ("all", Frame::All)] {
        // Beyond 64 bits, so that the argument is converted as well.
        let order = vec![(builder.col(bill), Direction::Ascending)];
        let double = add(builder.col(bill), builder.col(bill));
        builder.window(name, edge, WindowFunction::Sum, Some(double), order, frame);
    }
    let program = builder.program;
    let mut records = vec![record(&program, person, "p", &[]), record(&program, person, "q", &[])];
    for (key, owner, bill) in [("a", "p", n(2)), ("b", "p", n(1)), ("c", "q", None)] {
        records.push(record(&program, stay, key, &[("person_id", t(owner)), ("bill", bill)]));
    }
    let results = run(&program, "2015-12-31", &records);
    assert_eq!(values(&results, "stay", "before"), ["2", "0", "?"]);
    assert_eq!(values(&results, "stay", "with"), ["6", "2", "?"]);
    assert_eq!(values(&results, "stay", "all"), ["6", "6", "?"]);
}

#[test]
fn two_levels_of_aggregates_meet_in_a_hidden_column() {
    let mut builder = Builder::new();
    let village = builder.entity("village", Some("village"));
    let household = builder.entity("household", None);
    let person = builder.entity("person", None);
    let to_village = builder.edge(household, village, true, true);
    let to_household = builder.edge(person, household, true, true);
    let income = builder.count(person, "income", 0, 10_i128.pow(15));
    let argument = builder.col(income);
    let hidden = builder.aggregate("_income", to_household, AggregateFunction::Sum, Some(argument), None);
    let argument = builder.col(hidden);
    let total = builder.aggregate("income", to_village, AggregateFunction::Sum, Some(argument), None);
    let back = builder.lookup("_village_income", to_village, total);
    let own = builder.col(hidden);
    let share = div(mul(own, int(10_000), 0, Rounding::Down), builder.col(back), 0, Rounding::HalfUp);
    builder.scalar(household, "share", share);
    let program = builder.program;
    let mut records = vec![record(&program, village, "v", &[])];
    for (household_key, incomes) in [("h1", [3_i128, 4]), ("h2", [5, 10_i128.pow(15)])] {
        records.push(record(&program, household, household_key, &[("village_id", t("v"))]));
        for (index, income) in incomes.into_iter().enumerate() {
            let fields = [("household_id", t(household_key)), ("income", n(income))];
            records.push(record(&program, person, &format!("{household_key}-{index}"), &fields));
        }
    }
    let results = run(&program, "2015-12-31", &records);
    assert_eq!(values(&results, "village", "income"), ["1000000000000012"]);
    assert_eq!(values(&results, "household", "share"), ["0", "10000"]);
    assert!(results["household"].column_by_name("_income").is_none(), "hidden columns are not stored");
    assert!(!results.contains_key("person"), "an entity without computed columns has no results");
}

#[test]
fn a_missing_required_field_is_unknown_and_guards_appear() {
    let mut builder = Builder::new();
    let entity = builder.entity("thing", None);
    let x = builder.field(entity, "x", COUNT, Some(range(0, 10)), false);
    let mut condition = less(builder.col(x), int(5));
    condition.nullable = false;
    builder.scalar(entity, "small", case(vec![(condition, int(1))], Some(int(0))));
    let program = builder.program;
    let records = [record(&program, entity, "a", &[("x", n(3))]), record(&program, entity, "b", &[])];
    assert_eq!(values(&run(&program, "2015-12-31", &records), "thing", "small"), ["1", "?"]);
}

#[test]
fn an_index_is_a_float_of_the_unscaled_value() {
    let make = |_: &mut Builder, x: Expr, y: Expr| {
        let x = expr(ExprKind::ToIndex(Box::new(x)), Type::Index, None);
        let y = expr(ExprKind::ToIndex(Box::new(y)), Type::Index, None);
        expr(
            ExprKind::Div { a: Box::new(x), b: Box::new(y), up: 0, round: Rounding::HalfUp },
            Type::Index,
            None,
        )
    };
    let rows = [(n(150), n(400)), (n(1), n(0))];
    assert_eq!(evaluate(number_type(2), Some(range(0, 1000)), make, &rows), ["0.375", "?"]);
}
