//! Every construct of the language, in the direct evaluator and in the engine: the worked cases of a
//! small pack, and those of the shipped one.

use std::path::Path;

use app::cases::{CaseResult, executed, interpreted};
use pack::program::Program;

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
