use pack::program::{ColumnKind, Direction, Frame, Type, Window, WindowFunction};

use crate::interpret::build::{Build, date, money_type, number, record, text};
use crate::interpret::{Evaluator, Facts};

/// Siblings as `key partition order argument`; an empty part is unknown. The siblings of parent
/// `p` come back in the order given, `?` for unknown.
fn over(function: WindowFunction, frame: Frame, direction: Direction, siblings: &[&str]) -> String {
    let mut build = Build::new();
    let (parent, child) = (build.entity("person", "人", "person"), build.entity("stay", "住院", "stay"));
    let edge = build.edge(child, parent);
    let via = build.program.edges[0].via;
    let kind = build.field(child, "kind", ("类别", "kind"), Type::Text, None);
    let order = build.field(child, "order", ("次序", "order"), money_type(), None);
    let cost = build.field(child, "cost", ("费用", "cost"), money_type(), None);
    let with_argument = matches!(function, WindowFunction::Sum | WindowFunction::Count);
    let window = Window {
        edge,
        function,
        argument: with_argument.then(|| build.col(cost)),
        partition: vec![build.col(kind)],
        order: vec![(build.col(order), direction)],
        frame,
    };
    let result =
        build.computed(child, "result", ("结果", "result"), money_type(), ColumnKind::Window(window));
    let mut records = vec![record(parent, "p", &[])];
    for line in siblings {
        let parts: Vec<&str> = line.split(' ').collect();
        let mut fields = Vec::new();
        fields.extend((parts[0] != "stray").then(|| (via, text("p"))));
        fields.extend((!parts[1].is_empty()).then(|| (kind, text(parts[1]))));
        fields.extend(parts[2].parse().ok().map(|value| (order, number(value))));
        fields.extend(parts[3].parse().ok().map(|value| (cost, number(value))));
        records.push(record(child, parts[0], &fields));
    }
    let facts = Facts::from_records(&build.program, &records);
    let mut evaluator = Evaluator::new(&build.program, &facts, date("2015-12-31"));
    let value = |row| match evaluator.value(child, row, result).expect("no error in these tables") {
        Some(pack::program::Value::Number(number)) => number.to_string(),
        _ => "?".to_owned(),
    };
    (0..siblings.len() as u32).map(value).collect::<Vec<_>>().join(" ")
}

const STAYS: [&str; 5] = ["c a 2 30", "a a 1 10", "b a 2 20", "e b 9 7", "d b 1 5"];

#[test]
fn sums_accumulate_in_order_with_ties_broken_by_key() {
    let sum = |frame| over(WindowFunction::Sum, frame, Direction::Ascending, &STAYS);
    assert_eq!(sum(Frame::Before), "30 0 10 5 0");
    assert_eq!(sum(Frame::UpToCurrent), "60 10 30 12 5");
    assert_eq!(sum(Frame::All), "60 60 60 12 12");
    let down = over(WindowFunction::Sum, Frame::UpToCurrent, Direction::Descending, &STAYS);
    assert_eq!(down, "50 60 20 7 12");
}

#[test]
fn rows_are_counted_numbered_and_ranked() {
    let up = |function, frame| over(function, frame, Direction::Ascending, &STAYS);
    assert_eq!(up(WindowFunction::Count, Frame::Before), "2 0 1 1 0");
    assert_eq!(up(WindowFunction::Count, Frame::All), "3 3 3 2 2");
    assert_eq!(up(WindowFunction::RowNumber, Frame::All), "3 1 2 2 1");
    assert_eq!(up(WindowFunction::Rank, Frame::All), "2 1 2 2 1");
    assert_eq!(over(WindowFunction::Rank, Frame::All, Direction::Descending, &STAYS), "1 3 1 1 2");
}

#[test]
fn an_unknown_argument_spoils_the_frames_it_is_in() {
    let siblings = ["a a 1 10", "b a 2 ?", "c a 3 30"];
    let sum = |frame| over(WindowFunction::Sum, frame, Direction::Ascending, &siblings);
    assert_eq!(sum(Frame::Before), "0 10 ?");
    assert_eq!(sum(Frame::UpToCurrent), "10 ? ?");
    assert_eq!(sum(Frame::All), "? ? ?");
    assert_eq!(over(WindowFunction::Count, Frame::UpToCurrent, Direction::Ascending, &siblings), "1 ? ?");
    assert_eq!(over(WindowFunction::RowNumber, Frame::All, Direction::Ascending, &siblings), "1 2 3");
}

#[test]
fn an_unknown_place_spoils_all_siblings_of_the_parent() {
    let sum =
        |siblings: &[&str]| over(WindowFunction::Sum, Frame::UpToCurrent, Direction::Ascending, siblings);
    assert_eq!(sum(&["a a 1 10", "b a ? 20", "c b 1 30"]), "? ? ?");
    assert_eq!(sum(&["a a 1 10", "b  2 20"]), "? ?");
    assert_eq!(sum(&["a a 1 10", "stray a 2 20"]), "10 ?");
}
