//! Every construct of the language, in the direct evaluator and in the engine: the worked cases of a
//! small pack, and those of the shipped one.

use std::path::Path;

use app::cases::{CaseResult, executed, interpreted};
use evaluate::Viewer;
use evaluate::explain::{Asked, Effort, explain};
use evaluate::interpret::Facts;
use model::Lang;
use pack::program::{Program, RuleId};

fn program() -> Program {
    load("tests/language")
}

fn shipped() -> Program {
    load("../../packs/sichuan-2015")
}

fn load(pack: &str) -> Program {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(pack);
    match app::packs::load(&folder, &[], &[]) {
        Ok(loaded) => loaded.program,
        Err(app::packs::PackError::Mistakes(failure)) => panic!("{}", failure.render(false)),
        Err(error) => panic!("{error}"),
    }
}

fn check(results: &[CaseResult]) {
    let mut failures = String::new();
    for result in results {
        for mismatch in &result.mismatches {
            failures.push_str(&format!(
                "{}: {} {} {}: expected {:?}, found {:?}\n",
                result.name,
                mismatch.entity,
                mismatch.key,
                mismatch.column,
                mismatch.expected,
                mismatch.found
            ));
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(results.iter().map(|result| result.held).sum::<usize>() > 100);
}

#[test]
fn every_construct_means_in_the_evaluator_what_the_cases_say() {
    check(&interpreted(&program()));
}

#[test]
fn every_construct_means_along_the_order_what_the_cases_say() {
    check(&executed(&program()).expect("the stages run"));
}

#[test]
fn the_shipped_pack_means_in_the_evaluator_what_its_cases_say() {
    let program = shipped();
    let results = interpreted(&program);
    assert_eq!(results.len(), program.cases.len());
    check(&results);
}

#[test]
fn the_shipped_pack_means_in_the_engine_what_its_cases_say() {
    let program = shipped();
    let results = executed(&program).expect("the stages run");
    assert_eq!(results.len(), program.cases.len());
    check(&results);
}

/// The explanation of a rule for a record of a worked case.
fn explained(program: &Program, case: &str, entity: &str, key: &str, rule: &str) -> String {
    let case = program.cases.iter().find(|known| known.name.contains(case)).expect("the case is there");
    let facts = Facts::from_records(program, &case.records);
    let entity = program.entity_named(entity).expect("the entity is there");
    let row = facts.find(entity, key).expect("the record is there");
    let position = program.rules.iter().position(|known| known.id == rule).expect("the rule is there");
    let asked = Asked::Rule(RuleId(u32::try_from(position).expect("few rules")));
    let explanation =
        explain(&Viewer::unmasked(program), &facts, case.as_of, entity, row, asked, Effort::default());
    explanation.expect("the rule is about the entity").to_text(Lang::En)
}

#[test]
fn an_explanation_of_a_duty_tells_its_state_and_the_days_that_decide_it() {
    let program = program();
    let page = explained(&program, "is met late", "task", "a_day_late", "answered");
    for line in ["state: met late\n", "due on: 2015-12-01\n", "met on: 2015-12-02\n"] {
        assert!(page.contains(line), "{page}");
    }
    let page = explained(&program, "a state is unknown as soon as", "task", "when_met", "answered");
    assert!(page.contains("state: unknown\n") && page.contains("done on is not recorded"), "{page}");
}

#[test]
fn an_explanation_of_a_benefit_tells_what_is_owed_paid_and_outstanding() {
    let page = explained(&program(), "a benefit of the year is held", "household", "a", "by_year");
    for line in [
        "yearly aid (owed in the period): 100.00 yuan\n",
        "yearly aid (paid in the period): 70.00 yuan\n",
        "yearly aid (outstanding): 30.00 yuan\n",
    ] {
        assert!(page.contains(line), "{page}");
    }
}

#[test]
fn an_explanation_names_the_parameter_that_has_no_value_on_the_day() {
    let page = explained(&program(), "before a parameter begins", "household", "a", "with_bonus");
    assert!(page.contains("parameter “bonus” (bonus): no value in force on 2015-06-30"), "{page}");
    let page = explained(&program(), "on the day on which a parameter begins", "bill", "y", "by_tariff_then");
    assert!(page.contains("parameter “tariff” (tariff): no value in force on 2014-12-31"), "{page}");
}

#[test]
fn coverage_tells_the_state_of_every_part_and_who_stands_behind_it() {
    let program = shipped();
    let coverage = app::coverage::of(&program);
    assert_eq!(coverage.parts.len(), program.parts.len());
    let json = coverage.to_json(None);
    let parts = json["parts"].as_array().expect("a list");
    assert!(parts.len() > 500, "the pack says what each clause promises");
    for part in parts {
        let keys: Vec<&String> = part.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["by", "clause", "missing", "part", "shown_in", "state"]);
    }
    let text = coverage.to_text(&program, None, Lang::En);
    assert!(text.contains(&format!("Of {} parts of clauses: ", parts.len())), "{text}");
    let page = coverage.to_html(&program, None, Lang::Zh).expect("the page is made");
    assert!(page.contains("6.1/1"), "the page has the parts");
}

#[test]
fn a_unit_is_called_as_the_pack_says() {
    let page = explained(&program(), "a literal in a quotient", "household", "c", "forest");
    assert!(page.contains("20 Chinese mu"), "{page}");
    let mut other = program();
    other.units.insert("yuan".to_owned(), model::Text::new("法郎", "francs"));
    let page = explained(&other, "a literal in a quotient", "household", "c", "forest");
    assert!(page.contains("295.00 francs") && !page.contains("yuan"), "{page}");
}

#[test]
fn a_run_names_the_parameters_that_have_no_value_on_its_day() {
    let program = program();
    let said = |day: &str| app::notices::not_in_force(&program, day.parse().expect("a date"), Lang::En);
    assert_eq!(said("2015-08-01"), None);
    let warning = said("2016-08-01").expect("three parameters have ended");
    let expected = "warning: no value of bonus, fee, tariff is in force on 2016-08-01: results that read them are unknown\n";
    assert_eq!(warning, expected);
}
