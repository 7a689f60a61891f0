use pack::program::{CaseRecord, ColumnId, EntityId, Value};

use crate::interpret::build::{date, number, text};
use crate::interpret::sample::{Sample, incomes};
use crate::interpret::{Evaluator, FactsBuilder, calculate};

fn value(sample: &Sample, facts: &crate::interpret::Facts, entity: EntityId, name: &str) -> Option<Value> {
    let mut evaluator = Evaluator::new(sample.program(), facts, date("2015-12-31"));
    evaluator.value(entity, 0, sample.column(name)).expect("no error in these tables")
}

#[test]
fn the_guarantee_ends_on_the_line() {
    let sample = Sample::new();
    // wages, able member, entitled, amount
    let table = [
        (570_998, false, true, number(0)),
        (570_999, false, false, number(0)),
        (571_000, false, false, number(0)),
        (400_000, false, true, number(80_000)),
        (400_001, false, true, number(79_998)),
        (400_000, true, false, number(0)),
    ];
    for (wages, able, entitled, amount) in table {
        let labour = if able { "ordinary" } else { "none" };
        let persons = [("1950-01-01", "ordinary"), ("1980-01-01", labour)];
        let facts = sample.facts(&incomes(wages, 0, 0), &persons, &[]);
        let result = |name| value(&sample, &facts, sample.household, name);
        assert_eq!(result("minimum_living"), Some(Value::Bool(entitled)), "{wages} {able}");
        assert_eq!(result("minimum_living_amount"), Some(amount), "{wages} {able}");
    }
}

#[test]
fn an_unknown_income_makes_the_guarantee_unknown_unless_somebody_can_work() {
    let sample = Sample::new();
    let none = [("wages", number(1))];
    let check = |labour, expected| {
        let facts = sample.facts(&none, &[("1980-01-01", labour)], &[]);
        assert_eq!(value(&sample, &facts, sample.household, "minimum_living"), expected, "{labour}");
    };
    check("none", None);
    check("ordinary", Some(Value::Bool(false)));
    check("", None);
}

#[test]
fn an_empty_household_has_no_income_per_person() {
    let sample = Sample::new();
    let facts = sample.facts(&incomes(100, 0, 0), &[], &[]);
    let result = |name| value(&sample, &facts, sample.household, name);
    assert_eq!(result("members"), Some(number(0)));
    assert_eq!(result("income"), None);
    assert_eq!(result("minimum_living"), None);
}

#[test]
fn a_given_result_is_taken_and_not_computed() {
    let sample = Sample::new();
    let mut builder = FactsBuilder::new(sample.program());
    let household = builder.record(sample.household, "H1", [(sample.column("income"), Some(number(1)))]);
    let facts = builder.build();
    let mut evaluator = Evaluator::new(sample.program(), &facts, date("2015-12-31"));
    assert_eq!(evaluator.value(sample.household, household, sample.column("income")), Ok(Some(number(1))));
    assert_eq!(
        evaluator.value(sample.household, household, sample.column("exit_1")),
        Ok(Some(Value::Bool(false)))
    );
}

#[test]
fn records_in_answers_out() {
    let sample = Sample::new();
    let program = sample.program();
    let record = |entity, key: &str, fields: Vec<(ColumnId, Value)>| {
        let fields = fields.into_iter().map(|(column, value)| (column, Some(value))).collect();
        CaseRecord { entity, key: key.to_owned(), fields }
    };
    let via = |edge: usize| program.edges[edge].via;
    let bill = |key, day, amount| {
        let fields = vec![
            (via(2), text("P1")),
            (sample.column("discharged"), Value::Date(date(day))),
            (sample.column("bill"), number(amount)),
        ];
        record(sample.stay, key, fields)
    };
    let records = [
        bill("S2", "2015-05-01", 5_000_000),
        bill("S1", "2015-03-01", 1_000_000),
        record(sample.person, "P1", vec![(via(1), text("H1"))]),
        record(sample.household, "H1", vec![]),
    ];
    let answers = calculate(program, date("2015-12-31"), &records);
    let value = |entity, key, name| answers.value(entity, key, sample.column(name)).expect("a record");
    assert_eq!(value(sample.stay, "S1", "before"), Ok(Some(number(0))));
    assert_eq!(value(sample.stay, "S2", "before"), Ok(Some(number(1_000_000))));
    assert_eq!(value(sample.person, "P1", "covered"), Ok(Some(number(1_500_000 + 1_200_000 + 700_000))));
    assert_eq!(value(sample.household, "H1", "ill"), Ok(Some(Value::Bool(true))));
    assert_eq!(value(sample.household, "H1", "exit_3"), Ok(None), "no village is given");
    assert_eq!(answers.value(sample.household, "H2", sample.column("ill")), None);
}

/// Changing a fact and computing only what depends on it comes to the same as computing all anew.
#[test]
fn tracked_changes_reach_everything_that_depends_on_them() {
    let sample = Sample::new();
    let persons = [("1950-01-01", "none"), ("1980-01-01", "none")];
    let stays = [("P1", "2015-03-01", 100), ("P1", "2015-04-01", 200), ("P1", "2015-05-01", 300)];
    let facts = sample.facts(&incomes(1, 0, 0), &persons, &stays);
    let mut evaluator = Evaluator::new(sample.program(), &facts, date("2015-12-31"));
    evaluator.track();
    let before = |evaluator: &mut Evaluator<'_>| {
        [0, 1, 2].map(|row| evaluator.value(sample.stay, row, sample.column("before")).expect("a sum"))
    };
    let recorded = [0, 100, 300].map(|sum| Some(number(sum)));
    assert_eq!(before(&mut evaluator), recorded);
    let first = crate::interpret::Cell { column: sample.column("bill"), row: 0 };
    for changed in [1_000, 7] {
        evaluator.change(first, Some(number(changed)));
        assert_eq!(before(&mut evaluator), [0, changed, changed + 200].map(|sum| Some(number(sum))));
        let total = evaluator.value(sample.person, 0, sample.column("bills"));
        assert_eq!(total, Ok(Some(number(changed + 500))));
    }
    evaluator.restore(first);
    assert_eq!(before(&mut evaluator), recorded);
}
