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

/// The poverty line from some day on, as a reading of an open word.
fn line_from(day: &str) -> Sample {
    let mut sample = Sample::new();
    let line = sample.build.program.parameters.iter_mut().find(|parameter| parameter.id == "poverty_line");
    let line = line.expect("the sample has the line");
    line.reading = Some(model::Text::new("贫困", "poverty"));
    let pack::program::ParameterShape::Scalar(values) = &mut line.shape else { panic!("a single value") };
    values.truncate(1);
    values[0].from = crate::interpret::build::date(day);
    values[0].until = None;
    sample
}

#[test]
fn a_parameter_without_a_value_on_the_day_is_named_with_the_day() {
    let sample = line_from("2016-01-01");
    let household = incomes(1, 0, 0);
    let facts = sample.facts(&household, &[ELDER], &[]);
    let explanation = ask(&sample, &facts, "minimum_living");
    let found: Vec<&str> = explanation.missing.iter().map(|gap| gap.text.en.as_str()).collect();
    assert!(
        found.contains(&"parameter “poverty line” (poverty_line): no value in force on 2015-12-31"),
        "{found:?}"
    );
    let page = super::zh(&explanation);
    assert!(page.contains("参数“贫困线”（poverty_line）在 2015-12-31 没有有效值"), "{page}");
    assert!(page.contains("- “贫困”：贫困线（当日无有效值）"), "{page}");
}

#[test]
fn the_readings_that_a_result_rests_on_are_told_with_value_and_source() {
    let sample = line_from("2015-01-01");
    let facts = sample.facts(&incomes(1, 0, 0), &[ELDER], &[]);
    let explanation = ask(&sample, &facts, "exit");
    let [reading] = explanation.readings.as_slice() else { panic!("{:?}", explanation.readings) };
    assert_eq!((reading.parameter.as_str(), reading.word.en.as_str()), ("poverty_line", "poverty"));
    let page = super::en(&explanation);
    assert!(page.contains("rests on these readings of open words:\n- “poverty”: poverty line "), "{page}");
    let json = explanation.to_json();
    assert_eq!(json["readings"][0]["word"]["zh"], "贫困");
    assert_eq!(json["readings"][0]["in_force"]["from"], "2015-01-01");
    let other = ask(&sample, &facts, "repair");
    assert!(other.readings.is_empty(), "house repair rests on no line");
}
