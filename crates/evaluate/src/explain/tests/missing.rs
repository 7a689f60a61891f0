use pack::program::Value;

use super::ask;
use crate::interpret::build::number;
use crate::interpret::sample::{Sample, incomes};

/// The gaps of a rule as `kind key.name`.
fn gaps(sample: &Sample, household: &[(&str, Value)], persons: &[(&str, &str)], rule: &str) -> Vec<String> {
    let facts = sample.facts(household, persons, &[]);
    let gaps = ask(sample, &facts, rule).missing;
    gaps.iter().map(|gap| format!("{} {}.{}", gap.kind.as_str(), gap.column.key, gap.column.name)).collect()
}

const ELDER: (&str, &str) = ("1950-01-01", "none");

#[test]
fn facts_that_are_missing_are_named() {
    let sample = Sample::new();
    let missing = gaps(&sample, &[("wages", number(1))], &[ELDER], "minimum_living");
    assert_eq!(missing, ["fact H1.production", "fact H1.cost"]);
}

#[test]
fn facts_that_would_change_nothing_are_not_named() {
    let sample = Sample::new();
    // Too old to be able: the labour of the first person does not matter.
    let persons = [("1940-01-01", ""), ("1980-01-01", "")];
    assert_eq!(gaps(&sample, &incomes(1, 0, 0), &persons, "minimum_living"), ["fact P2.labour"]);
    // Somebody can work: the verdict is no, whatever the income.
    assert_eq!(gaps(&sample, &[], &[("1980-01-01", "skilled")], "minimum_living"), [""; 0]);
}

#[test]
fn every_unknown_of_a_child_is_named_once() {
    let sample = Sample::new();
    let missing = gaps(&sample, &incomes(1, 0, 0), &[("", ""), ELDER], "minimum_living");
    assert_eq!(missing, ["fact P1.birth", "fact P1.labour"]);
}

#[test]
fn an_empty_household_divides_by_zero() {
    let sample = Sample::new();
    assert_eq!(gaps(&sample, &incomes(1, 0, 0), &[], "minimum_living"), ["division-by-zero H1.income"]);
}

#[test]
fn a_parent_that_is_not_there_is_named() {
    let sample = Sample::new();
    let via = sample.program().edges[0].via;
    let mut builder = crate::interpret::FactsBuilder::new(sample.program());
    let household = |builder: &mut crate::interpret::FactsBuilder<'_>, village: Option<&str>| {
        let fields = [
            (via, village.map(crate::interpret::build::text)),
            (sample.column("income"), Some(number(1_000_000))),
            (sample.column("grade"), Some(crate::interpret::build::text("A"))),
        ];
        builder.record(sample.household, "H1", fields)
    };
    household(&mut builder, Some("V9"));
    let explanation = ask(&sample, &builder.build(), "exit");
    assert_eq!(explanation.missing[0].text.zh, "户 H1：所属所指的记录不存在");
    let mut builder = crate::interpret::FactsBuilder::new(sample.program());
    household(&mut builder, None);
    let explanation = ask(&sample, &builder.build(), "exit");
    assert_eq!(explanation.missing[0].text.en, "household H1: belongs to is not recorded");
}
