use pack::program::{Comparison, DatePart, Expr, ExprKind, Rounding, Type, Value};

use super::Bench;
use crate::interpret::EvalError;
use crate::interpret::build::{
    add, as_of, compare, count, count_type, date, div, expr, fen, money_type, mul, number, rate_type, text,
};

fn literal(value: Value, ty: Type) -> Expr {
    expr(ExprKind::Literal(value), ty)
}

fn day(text: &str) -> Expr {
    literal(Value::Date(date(text)), Type::Date)
}

#[test]
fn quotients_round_as_the_rule_says() {
    let bench = Bench::new(&[]);
    // dividend, divisor, half-up, down, up
    let table = [
        (7, 2, 4, 3, 4),
        (-7, 2, -4, -3, -4),
        (7, -2, -4, -3, -4),
        (-7, -2, 4, 3, 4),
        (7, 3, 2, 2, 3),
        (8, 3, 3, 2, 3),
        (-8, 3, -3, -2, -3),
        (6, 3, 2, 2, 2),
        (0, 5, 0, 0, 0),
        (1, 3, 0, 0, 1),
        (5, 10, 1, 0, 1),
    ];
    for (a, b, half_up, down, up) in table {
        for (round, expected) in [(Rounding::HalfUp, half_up), (Rounding::Down, down), (Rounding::Up, up)] {
            let quotient = ExprKind::Div { a: Box::new(count(a)), b: Box::new(count(b)), up: 0, round };
            bench.is(&expr(quotient, count_type()), Some(number(expected)));
            let expected = model::div_round(a, b, round);
            assert_eq!(crate::interpret::operate::quotient(a, b, round), expected);
        }
    }
}

#[test]
fn scales_are_kept() {
    let bench = Bench::new(&[]);
    let rate = literal(Value::Number(435), rate_type());
    // 10,000.01 yuan at 4.35 %: 435.000435, half-up to the fen.
    bench.is(&mul(fen(1_000_001), rate, 4), Some(number(43_500)));
    // 100.00 yuan among 3: 33.33.
    bench.is(&div(fen(10_000), count(3), 0), Some(number(3_333)));
    let rescaled = ExprKind::Rescale { a: Box::new(count(7)), up: 2 };
    bench.is(&expr(rescaled, money_type()), Some(number(700)));
    let rounded = ExprKind::Round { a: Box::new(fen(1_250)), drop: 2, round: Rounding::HalfUp };
    bench.is(&expr(rounded, count_type()), Some(number(13)));
    let index = expr(ExprKind::ToIndex(Box::new(fen(1_250))), Type::Index);
    bench.is(&index, Some(Value::Index(12.5)));
}

#[test]
fn division_by_zero_is_unknown_and_overflow_an_error() {
    let bench = Bench::new(&[]);
    bench.is(&div(fen(100), count(0), 0), None);
    bench.fails(&add(count(i128::MAX), count(1)), |column| EvalError::Overflow { column });
    bench.fails(&mul(count(i128::MAX), count(2), 0), |column| EvalError::Overflow { column });
    bench.fails(&div(count(i128::MAX), count(2), 4), |column| EvalError::Overflow { column });
}

#[test]
fn one_unknown_operand_makes_an_operation_unknown() {
    let bench = Bench::new(&[money_type()]);
    let check = |expr: Expr| assert_eq!(bench.eval(&expr, &[None]), Ok(None), "{expr:?}");
    check(add(bench.f(0), fen(1)));
    check(add(fen(1), bench.f(0)));
    check(mul(fen(0), bench.f(0), 0));
    check(compare(Comparison::Less, bench.f(0), fen(1)));
    check(expr(ExprKind::Neg(Box::new(bench.f(0))), money_type()));
    check(expr(ExprKind::In { a: Box::new(bench.f(0)), list: vec![number(1)] }, Type::Bool));
}

#[test]
fn comparisons_hold_on_the_line() {
    let bench = Bench::new(&[]);
    // a against b: = ≠ < ≤ > ≥
    for (a, b, marks) in [(1, 2, "FTTTFF"), (2, 2, "TFFTFT"), (3, 2, "FTFFTT")] {
        let operators = [
            Comparison::Equal,
            Comparison::NotEqual,
            Comparison::Less,
            Comparison::LessOrEqual,
            Comparison::Greater,
            Comparison::GreaterOrEqual,
        ];
        for (op, mark) in operators.into_iter().zip(marks.chars()) {
            bench.is(&compare(op, fen(a), fen(b)), super::truth_of(mark));
        }
    }
}

#[test]
fn ages_complete_on_the_birthday() {
    let bench = Bench::new(&[]);
    let check = |birth: &str, at: &str, expected| {
        let age = ExprKind::Age { birth: Box::new(day(birth)), at: Box::new(day(at)) };
        bench.is(&expr(age, count_type()), Some(number(expected)));
    };
    check("1955-12-31", "2015-12-31", 60);
    check("1956-01-01", "2015-12-31", 59);
    check("2000-02-29", "2015-02-28", 14);
    check("2000-02-29", "2015-03-01", 15);
    check("2000-02-29", "2016-02-29", 16);
    check("2015-12-31", "2015-12-31", 0);
    check("2016-01-01", "2015-12-31", -1);
}

#[test]
fn months_end_where_the_month_does() {
    let bench = Bench::new(&[]);
    let check = |a: &str, months, expected: &str| {
        let later = ExprKind::AddMonths { a: Box::new(day(a)), months: Box::new(count(months)) };
        let expected = (!expected.is_empty()).then(|| Value::Date(date(expected)));
        bench.is(&expr(later, Type::Date), expected);
    };
    check("2015-01-31", 1, "2015-02-28");
    check("2016-01-31", 1, "2016-02-29");
    check("2015-03-31", -1, "2015-02-28");
    check("2015-06-30", 36, "2018-06-30");
    check("2015-01-15", -13, "2013-12-15");
    check("2015-08-31", 1, "2015-09-30");
    check("9999-12-01", 1, "");
}

#[test]
fn dates_are_taken_apart_and_made() {
    let bench = Bench::new(&[]);
    let part = |part| expr(ExprKind::DatePart { part, a: Box::new(as_of()) }, count_type());
    bench.is(&part(DatePart::Year), Some(number(2015)));
    bench.is(&part(DatePart::Month), Some(number(12)));
    bench.is(&part(DatePart::Day), Some(number(31)));
    let between =
        ExprKind::DaysBetween { from: Box::new(day("2016-02-28")), to: Box::new(day("2016-03-01")) };
    bench.is(&expr(between, count_type()), Some(number(2)));
    let made = |year, month, day| {
        let (year, month, day) = (Box::new(count(year)), Box::new(count(month)), Box::new(count(day)));
        expr(ExprKind::MakeDate { year, month, day }, Type::Date)
    };
    bench.is(&made(2016, 2, 29), Some(Value::Date(date("2016-02-29"))));
    bench.is(&made(2015, 2, 29), None);
}

#[test]
fn texts_are_cut_by_characters() {
    let bench = Bench::new(&[]);
    let cut = |whole: &str, from, length| {
        expr(ExprKind::Substring { a: Box::new(literal(text(whole), Type::Text)), from, length }, Type::Text)
    };
    bench.is(&cut("四川省", 2, 1), Some(text("川")));
    bench.is(&cut("abc", 3, 5), Some(text("c")));
    let digits =
        |whole: &str| expr(ExprKind::DigitsToCount(Box::new(literal(text(whole), Type::Text))), count_type());
    bench.is(&digits("0042"), Some(number(42)));
    bench.fails(&digits("4x"), |column| EvalError::NotDigits { column });
}
