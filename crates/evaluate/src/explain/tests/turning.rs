use pack::program::Value;

use super::ask;
use crate::explain::Turns;
use crate::interpret::build::{number, text};
use crate::interpret::sample::{Sample, incomes};

/// The turns of a rule, each as `key.name old → new` joined by ` & `.
fn turns(household: &[(&str, Value)], persons: &[(&str, &str)], rule: &str) -> Vec<String> {
    let sample = Sample::new();
    let facts = sample.facts(household, persons, &[]);
    told(ask(&sample, &facts, rule).turns)
}

fn told(turns: Turns) -> Vec<String> {
    match turns {
        Turns::NotAsked => vec!["not asked".to_owned()],
        Turns::None { exhaustive } => vec![format!("none, exhaustive {exhaustive}")],
        Turns::Found(found) => found
            .iter()
            .map(|turn| {
                let changes = turn.changes.iter().map(|change| {
                    let (column, old, new) = (&change.column, &change.old_shown.en, &change.new_shown.en);
                    format!("{}.{} {old} → {new}", column.key, column.name)
                });
                changes.collect::<Vec<_>>().join(" & ")
            })
            .collect(),
    }
}

const ELDER: (&str, &str) = ("1950-01-01", "none");

#[test]
fn one_fen_turns_what_stands_on_the_line() {
    assert_eq!(
        turns(&incomes(285_499, 0, 0), &[ELDER], "minimum_living")[..2],
        ["H1.wages 2,854.99 yuan → 2,855.00 yuan", "H1.production 0.00 yuan → 0.01 yuan"]
    );
    assert_eq!(
        turns(&incomes(285_500, 0, 0), &[ELDER], "minimum_living"),
        ["H1.wages 2,855.00 yuan → 2,854.99 yuan", "H1.cost 0.00 yuan → 0.01 yuan"]
    );
}

#[test]
fn shares_round_before_they_are_compared() {
    // Two members: 5,709.98 is 2,854.99 each, one fen more rounds up to the line.
    let elders = [ELDER, ELDER];
    let found = turns(&incomes(570_998, 0, 0), &elders, "minimum_living");
    assert_eq!(found[0], "H1.wages 5,709.98 yuan → 5,709.99 yuan");
}

#[test]
fn dates_move_to_the_nearest_day_that_turns() {
    let found = turns(&incomes(0, 0, 0), &[("1955-12-31", "ordinary")], "minimum_living");
    assert!(found.contains(&"P1.birth 1955-12-31 → 1956-01-01".to_owned()), "{found:?}");
    let found = turns(&incomes(0, 0, 0), &[("1956-01-01", "ordinary")], "minimum_living");
    assert_eq!(
        found,
        [
            "P1.labour ordinary worker → unable to work",
            "P1.birth 1956-01-01 → 1955-12-31",
            "P1.birth 1956-01-01 → 2000-01-01",
        ]
    );
}

#[test]
fn where_one_fact_is_not_enough_two_are_tried() {
    let mut fields = incomes(1_000_000, 0, 0);
    fields.push(("grade", text("D")));
    assert_eq!(turns(&fields, &[ELDER], "exit"), ["H1.grade grade D → grade A & V1.road no → yes"]);
}

#[test]
fn where_nothing_helps_it_says_so() {
    let found = turns(&[("grade", text("D")), ("wages", number(0))], &[], "exit");
    assert_eq!(found, ["none, exhaustive true"]);
}

#[test]
fn an_unknown_verdict_has_nothing_to_turn() {
    assert_eq!(turns(&[], &[ELDER], "minimum_living"), ["not asked"]);
}

#[test]
fn an_amount_of_nothing_turns_into_something() {
    // Entitled under the poverty line, but above the minimum living line: the amount is zero.
    let sample = Sample::new();
    let facts = sample.facts(&incomes(250_000, 0, 0), &[ELDER], &[]);
    let explanation = ask(&sample, &facts, "minimum_living");
    assert_eq!(
        told(explanation.amount_turns),
        ["H1.wages 2,500.00 yuan → 2,399.99 yuan", "H1.cost 0.00 yuan → 100.01 yuan"]
    );
}
