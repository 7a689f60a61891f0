use proptest::prelude::*;

use model::Date;
use pack::program::{EntityId, Value};

use super::super::blame::gaps;
use crate::explain::{Asked, Effort, TurnChange, Turns, Verdict, explain};
use crate::interpret::build::{date, number, text};
use crate::interpret::sample::Sample;
use crate::interpret::{Cell, Evaluator, Facts};

#[derive(Clone, Debug)]
struct Household {
    amounts: [Option<i128>; 3],
    grade: Option<&'static str>,
    persons: Vec<(&'static str, &'static str)>,
    bills: Vec<(usize, i128)>,
}

fn households() -> impl Strategy<Value = Household> {
    let amount = || prop::option::weighted(0.8, 0_i128..1_200_000);
    let grade = prop::option::weighted(0.9, prop::sample::select(vec!["A", "B", "C", "D"]));
    let birth =
        prop::sample::select(vec!["", "1950-01-01", "1955-12-31", "1956-01-01", "1990-02-28", "2010-01-01"]);
    let labour = prop::sample::select(vec!["", "ordinary", "skilled", "none"]);
    let persons = prop::collection::vec((birth, labour), 0..4);
    let bills = prop::collection::vec((0_usize..3, 0_i128..8_000_000), 0..4);
    let amounts = [amount(), amount(), amount()];
    (amounts, grade, persons, bills).prop_map(|(amounts, grade, persons, bills)| Household {
        amounts,
        grade,
        persons,
        bills,
    })
}

fn facts(sample: &Sample, household: &Household) -> Facts {
    let mut fields = Vec::new();
    for (name, amount) in ["wages", "production", "cost"].into_iter().zip(household.amounts) {
        fields.extend(amount.map(|amount| (name, number(amount))));
    }
    fields.extend(household.grade.map(|grade| ("grade", text(grade))));
    let keys: Vec<String> = household.bills.iter().map(|(person, _)| format!("P{}", person + 1)).collect();
    let stays: Vec<(&str, &str, i128)> = household
        .bills
        .iter()
        .zip(&keys)
        .map(|((_, bill), key)| (key.as_str(), "2015-03-01", *bill))
        .collect();
    sample.facts(&fields, &household.persons, &stays)
}

fn cell_of(sample: &Sample, facts: &Facts, change: &TurnChange) -> Cell {
    let entity = sample.program().entities.iter().position(|entity| entity.name == change.column.entity);
    let entity = EntityId(entity.expect("an entity") as u32);
    let row = facts.find(entity, &change.column.key).expect("a record");
    Cell { column: sample.column(&change.column.name), row }
}

/// The value one fen, one thing or one day nearer to the recorded one, if there is one between.
fn step_back(old: &Value, new: &Value) -> Option<Value> {
    match (old, new) {
        (Value::Number(old), Value::Number(new)) => Some(Value::Number(new + (old - new).signum())),
        (Value::Date(old), Value::Date(new)) => {
            Date::from_days(new.days() + (old.days() - new.days()).signum()).map(Value::Date)
        }
        _ => None,
    }
}

const RULES: [&str; 4] = ["minimum_living", "exit", "repair", "cost_check"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_root_is_the_evaluators_value(household in households()) {
        let sample = Sample::new();
        let facts = facts(&sample, &household);
        let as_of = date("2015-12-31");
        let mut evaluator = Evaluator::new(sample.program(), &facts, as_of);
        evaluator.run_all();
        for (index, column) in sample.program().columns.iter().enumerate() {
            let id = pack::program::ColumnId(index as u32);
            let effort = Effort { trials_max: 0, ..Effort::default() };
            for row in 0..facts.rows(column.entity) {
                let explanation =
                    explain(&crate::Viewer::unmasked(sample.program()), &facts, as_of, column.entity, row, Asked::Column(id), effort)
                        .expect("a record");
                let value = evaluator.value(column.entity, row, id);
                prop_assert_eq!(explanation.root().value.clone(), value.clone().ok().flatten());
                prop_assert_eq!(explanation.root().verdict == Some(Verdict::Error), value.is_err());
                let unknown = value == Ok(None);
                prop_assert_eq!(unknown, !explanation.missing.is_empty(), "{}", column.name.clone());
            }
        }
    }

    #[test]
    fn every_turn_turns_and_one_step_less_does_not(household in households()) {
        let sample = Sample::new();
        let facts = facts(&sample, &household);
        let as_of = date("2015-12-31");
        for rule in RULES {
            let id = sample.rule(rule);
            let explanation =
                explain(&crate::Viewer::unmasked(sample.program()), &facts, as_of, sample.household, 0, Asked::Rule(id), Effort::default())
                    .expect("a household");
            let Turns::Found(turns) = &explanation.turns else { continue };
            let turned = Ok(Some(Value::Bool(explanation.root().verdict == Some(Verdict::False))));
            for turn in turns {
                let changes: Vec<(Cell, Value)> =
                    turn.changes.iter().map(|change| (cell_of(&sample, &facts, change), change.new.clone())).collect();
                let verdict = |changes: &[(Cell, Value)]| {
                    let mut evaluator = Evaluator::new(sample.program(), &facts, as_of);
                    evaluator.track();
                    for (cell, value) in changes {
                        evaluator.change(*cell, Some(value.clone()));
                    }
                    evaluator.value(sample.household, 0, sample.column(rule))
                };
                prop_assert_eq!(&verdict(&changes), &turned);
                // Of two facts the first was brought back as near as it goes, beside the second.
                let first = &turn.changes[0];
                let Some(before) = first.old.as_ref().and_then(|old| step_back(old, &first.new)) else { continue };
                let mut less = changes.clone();
                less[0].1 = before;
                prop_assert_ne!(&verdict(&less), &turned, "{:?} is farther than it need be", first);
            }
        }
    }

    /// Filling all the gaps named, again and again, makes any result known in the end.
    #[test]
    fn filling_the_gaps_makes_the_result_known(household in households()) {
        let sample = Sample::new();
        let facts = facts(&sample, &household);
        prop_assume!(facts.rows(sample.person) > 0);
        let mut evaluator = Evaluator::new(sample.program(), &facts, date("2015-12-31"));
        evaluator.track();
        let root = Cell { column: sample.column("minimum_living"), row: 0 };
        for _ in 0..20 {
            let Some(gap) = gaps(&mut evaluator, &crate::Viewer::unmasked(sample.program()), root).into_iter().next() else { break };
            let column = sample.column(&gap.column.name);
            let entity = sample.program().columns[column.index()].entity;
            let row = facts.find(entity, &gap.column.key).expect("a record");
            let value = match gap.column.name.as_str() {
                "birth" => Value::Date(date("1970-01-01")),
                "labour" => text("none"),
                _ => number(1),
            };
            evaluator.change(Cell { column, row }, Some(value));
        }
        let known = evaluator.value(sample.household, 0, root.column);
        prop_assert!(matches!(known, Ok(Some(_))), "{:?}", known);
    }
}
