//! One household's answers in one call.

use model::Date;
use pack::program::{CaseRecord, ColumnId, EntityId, Program};

use super::cells::Outcome;
use super::evaluate::Evaluator;
use super::facts::Facts;
use super::results::Results;

/// Facts with everything a program says about them.
#[derive(Clone, Debug)]
pub struct Calculation {
    pub facts: Facts,
    pub results: Results,
}

impl Calculation {
    /// The value of a column of the record with this key; `None` if there is no such record.
    pub fn value(&self, entity: EntityId, key: &str, column: ColumnId) -> Option<Outcome> {
        let row = self.facts.find(entity, key)?;
        Some(self.results.value(&self.facts, entity, row, column))
    }
}

/// Computes every column for the records given: a household with its persons, stays and loans, and
/// whichever ancestors its rules look up. Nothing else is needed: no registry, no run.
///
/// Ancestors whose columns depend on records that are not given should carry them as given values
/// (any column may stand among a record's fields), or they are computed from these records alone.
pub fn calculate(program: &Program, as_of: Date, records: &[CaseRecord]) -> Calculation {
    let facts = Facts::from_records(program, records);
    let mut evaluator = Evaluator::new(program, &facts, as_of);
    evaluator.run_all();
    let results = evaluator.into_results();
    Calculation { facts, results }
}
