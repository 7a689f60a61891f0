use pack::program::{AggregateFunction, Type, Value};

use crate::interpret::build::{Build, aggregate, date, money_type, number, record, text};
use crate::interpret::{Evaluator, Facts};

/// Children as `f x`: the filter is `T`, `F` or `?`, the argument a number, `?`, or `T`/`F` for
/// `Any` and `All`.
fn over(function: AggregateFunction, children: &[&str]) -> Option<Value> {
    let mut build = Build::new();
    let (parent, child) = (build.entity("house", "户", "house"), build.entity("person", "人", "person"));
    let edge = build.edge(child, parent);
    let via = build.program.edges[0].via;
    let filter = build.field(child, "f", ("条件", "condition"), Type::Bool, None);
    let whether = matches!(function, AggregateFunction::Any | AggregateFunction::All);
    let ty = if whether { Type::Bool } else { money_type() };
    let argument = build.field(child, "x", ("数", "number"), ty.clone(), None);
    let with_argument = (function != AggregateFunction::Count).then(|| build.col(argument));
    let kind = aggregate(edge, function, with_argument, Some(build.col(filter)));
    let result = build.computed(parent, "result", ("结果", "result"), ty, kind);
    let mut records = vec![record(parent, "h", &[])];
    for (index, line) in children.iter().enumerate() {
        let (f, x) = line.split_once(' ').expect("filter and argument");
        let mut fields = vec![(via, text("h"))];
        fields.extend(super::truth_of(f.chars().next().expect("a mark")).map(|value| (filter, value)));
        let x = x.parse().ok().map(number).or_else(|| super::truth_of(x.chars().next().expect("a mark")));
        fields.extend(x.map(|value| (argument, value)));
        records.push(record(child, &index.to_string(), &fields));
    }
    let facts = Facts::from_records(&build.program, &records);
    let mut evaluator = Evaluator::new(&build.program, &facts, date("2015-12-31"));
    evaluator.value(parent, 0, result).expect("no error in these tables")
}

#[test]
fn counts_are_unknown_where_a_condition_is() {
    let check = |children: &[&str], expected: Option<i128>| {
        assert_eq!(over(AggregateFunction::Count, children), expected.map(number), "{children:?}");
    };
    check(&[], Some(0));
    check(&["T 1", "F 1", "T ?"], Some(2));
    check(&["T 1", "? 0"], None);
}

#[test]
fn sums_are_unknown_where_a_missing_value_could_change_them() {
    let check = |children: &[&str], expected: Option<i128>| {
        assert_eq!(over(AggregateFunction::Sum, children), expected.map(number), "{children:?}");
    };
    check(&[], Some(0));
    check(&["T 5", "F 7", "T -2"], Some(3));
    check(&["T 5", "F ?"], Some(5));
    check(&["T 5", "T ?"], None);
    check(&["T 5", "? 7"], None);
    check(&["T 5", "? 0"], Some(5));
    check(&["T 5", "? ?"], None);
}

#[test]
fn any_is_true_as_soon_as_one_is() {
    let check = |children: &[&str], mark| {
        assert_eq!(over(AggregateFunction::Any, children), super::truth_of(mark), "{children:?}");
    };
    check(&[], 'F');
    check(&["T F", "F T", "F ?", "? F"], 'F');
    check(&["T T", "? ?"], 'T');
    check(&["? T", "T F"], '?');
    check(&["T ?"], '?');
    check(&["? ?"], '?');
}

#[test]
fn all_is_false_as_soon_as_one_is() {
    let check = |children: &[&str], mark| {
        assert_eq!(over(AggregateFunction::All, children), super::truth_of(mark), "{children:?}");
    };
    check(&[], 'T');
    check(&["T T", "F F", "F ?", "? T"], 'T');
    check(&["T F", "? ?"], 'F');
    check(&["? F", "T T"], '?');
    check(&["T ?"], '?');
}

#[test]
fn extremes_need_every_value_and_at_least_one() {
    let check = |children: &[&str], least: Option<i128>, greatest: Option<i128>| {
        assert_eq!(over(AggregateFunction::Min, children), least.map(number), "{children:?}");
        assert_eq!(over(AggregateFunction::Max, children), greatest.map(number), "{children:?}");
    };
    check(&["T 5", "T -2", "F 9"], Some(-2), Some(5));
    check(&[], None, None);
    check(&["F 5"], None, None);
    check(&["T 5", "? 9"], None, None);
    check(&["T 5", "T ?"], None, None);
}
