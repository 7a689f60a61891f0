//! Every construct of the language, in the direct evaluator and in plans: the worked cases of a small pack.

use std::path::Path;

use app::Execution;
use app::cases::{CaseResult, executed, interpreted};
use pack::program::Program;

fn program() -> Program {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language");
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
fn every_construct_means_in_plans_what_the_cases_say() {
    check(&executed(&program(), Execution::Plans).expect("the plans run"));
}

#[test]
fn every_construct_means_along_the_order_what_the_cases_say() {
    check(&executed(&program(), Execution::Aligned).expect("the stages run"));
}
