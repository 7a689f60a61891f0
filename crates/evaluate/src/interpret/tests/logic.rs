use pack::program::{ExprKind, Type, Value};

use super::{Bench, truth_of};
use crate::interpret::build::{and, case, compare, count, count_type, expr, not, or, truth};
use crate::interpret::{EvalError, build::number};

#[test]
fn and_or_and_not_follow_kleene() {
    let bench = Bench::new(&[Type::Bool, Type::Bool]);
    // a b, a and b, a or b, not a
    let table = ["TT TTF", "TF FTF", "T? ?TF", "FT FTT", "FF FFT", "F? F?T", "?T ?T?", "?F F??", "?? ???"];
    for line in table {
        let marks: Vec<char> = line.chars().filter(|mark| *mark != ' ').collect();
        let values = [truth_of(marks[0]), truth_of(marks[1])];
        let (a, b) = (bench.f(0), bench.f(1));
        let check = |expr, mark| assert_eq!(bench.eval(&expr, &values), Ok(truth_of(mark)), "{line}");
        check(and(vec![a.clone(), b.clone()]), marks[2]);
        check(or(vec![a.clone(), b]), marks[3]);
        check(not(a), marks[4]);
    }
}

#[test]
fn a_deciding_operand_outweighs_an_error_on_either_side() {
    let bench = Bench::new(&[]);
    let huge = || count(i128::MAX);
    let error =
        || compare(pack::program::Comparison::Less, crate::interpret::build::add(huge(), count(1)), count(0));
    bench.is(&and(vec![error(), truth(false)]), Some(Value::Bool(false)));
    bench.is(&and(vec![truth(false), error()]), Some(Value::Bool(false)));
    bench.is(&or(vec![error(), truth(true)]), Some(Value::Bool(true)));
    bench.fails(&and(vec![error(), truth(true)]), |column| EvalError::Overflow { column });
    bench.fails(&or(vec![truth(false), error()]), |column| EvalError::Overflow { column });
}

#[test]
fn a_case_is_unknown_from_its_first_unknown_condition_on() {
    let bench = Bench::new(&[Type::Bool, Type::Bool]);
    let whole = |otherwise| case(vec![(bench.f(0), count(1)), (bench.f(1), count(2))], otherwise);
    let check = |a, b, otherwise: Option<_>, expected| {
        let values = [truth_of(a), truth_of(b)];
        assert_eq!(bench.eval(&whole(otherwise), &values), Ok(expected), "{a}{b}");
    };
    check('T', '?', None, Some(number(1)));
    check('?', 'T', Some(count(3)), None);
    check('F', 'T', Some(count(3)), Some(number(2)));
    check('F', '?', Some(count(3)), None);
    check('F', 'F', Some(count(3)), Some(number(3)));
    check('F', 'F', None, None);
}

#[test]
fn a_branch_not_taken_does_no_harm() {
    let bench = Bench::new(&[]);
    let error = crate::interpret::build::add(count(i128::MAX), count(1));
    bench.is(&case(vec![(truth(true), count(1))], Some(error.clone())), Some(number(1)));
    bench.is(&case(vec![(truth(false), error)], Some(count(2))), Some(number(2)));
}

#[test]
fn unknown_is_known_to_be_unknown() {
    let bench = Bench::new(&[count_type()]);
    let is_unknown = expr(ExprKind::IsUnknown(Box::new(bench.f(0))), Type::Bool);
    assert_eq!(bench.eval(&is_unknown, &[None]), Ok(Some(Value::Bool(true))));
    assert_eq!(bench.eval(&is_unknown, &[Some(number(0))]), Ok(Some(Value::Bool(false))));
}

#[test]
fn coalesce_takes_the_first_known_and_extremes_need_all() {
    let bench = Bench::new(&[count_type(), count_type()]);
    let operands = || vec![bench.f(0), bench.f(1)];
    let check = |kind: fn(Vec<pack::program::Expr>) -> ExprKind,
                 values: [Option<i128>; 2],
                 expected: Option<i128>| {
        let values = values.map(|value| value.map(number));
        assert_eq!(bench.eval(&expr(kind(operands()), count_type()), &values), Ok(expected.map(number)));
    };
    check(ExprKind::Coalesce, [None, Some(2)], Some(2));
    check(ExprKind::Coalesce, [Some(1), Some(2)], Some(1));
    check(ExprKind::Coalesce, [None, None], None);
    check(ExprKind::Least, [Some(3), Some(2)], Some(2));
    check(ExprKind::Greatest, [Some(3), Some(2)], Some(3));
    check(ExprKind::Least, [None, Some(2)], None);
    check(ExprKind::Greatest, [Some(3), None], None);
}

#[test]
fn a_column_that_needs_itself_is_an_error_and_not_a_crash() {
    let bench = Bench::new(&[]);
    let next = pack::program::ColumnId(bench.build.program.columns.len() as u32);
    let own = expr(ExprKind::Column(next), count_type());
    bench.fails(&own, |column| EvalError::Cycle { column });
}
