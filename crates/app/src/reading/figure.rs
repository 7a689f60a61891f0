//! Figures of a division: for every rule, how many records it says yes of, how many no, and of how many it is not known.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray};
use pack::program::{EntityId, RuleId, Type, Value};

use super::{Place, Reading, locked};
use crate::cells::cell;
use crate::tables::TableError;
use crate::verdict::{State, Verdict};

/// What one rule comes to in a division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    pub rule: RuleId,
    pub verdict: Verdict,
    pub yes: u64,
    pub no: u64,
    pub unknown: u64,
    /// Records that the rule is not about.
    pub outside: u64,
    /// Sum of the known amounts of the records that a list of the rule names (who is entitled; what it costs to close the
    /// gap of those who do not meet a standard), scaled as its column.
    pub amount: Option<i128>,
    /// Of these records, those whose amount is not known.
    pub amount_unknown: u64,
}

impl Figure {
    /// Records that the rule is known to be about.
    pub fn subjects(&self) -> u64 {
        self.yes + self.no
    }

    pub fn count(&self, state: State) -> u64 {
        match state {
            State::Yes => self.yes,
            State::No => self.no,
            State::Unknown => self.unknown,
            State::Outside => self.outside,
        }
    }

    /// Whether nothing is recorded that the rule could be about.
    pub fn is_empty(&self) -> bool {
        self.yes + self.no + self.unknown == 0
    }
}

impl Reading {
    /// All figures of a division, in the pack's order; those about which the run has no results are left out.
    pub fn figures(&self, place: Place) -> Result<Arc<[Figure]>, TableError> {
        if let Some(known) = locked(&self.figures).get(&place) {
            return Ok(Arc::clone(known));
        }
        let mut within: Vec<Option<Vec<u32>>> = vec![None; self.program().entities.len()];
        let mut figures = Vec::new();
        for (rule, verdict) in &self.verdicts {
            let Some(columns) = Columns::of(self, verdict)? else { continue };
            let rows = &mut within[verdict.entity.index()];
            if rows.is_none() {
                *rows = Some(self.subjects(verdict.entity, place)?);
            }
            figures.push(tally(*rule, *verdict, &columns, rows.as_deref().unwrap_or_default()));
        }
        let figures: Arc<[Figure]> = figures.into();
        locked(&self.figures).insert(place, Arc::clone(&figures));
        Ok(figures)
    }

    /// The figure of one rule.
    pub fn figure(&self, place: Place, rule: RuleId) -> Result<Option<Figure>, TableError> {
        Ok(self.figures(place)?.iter().find(|figure| figure.rule == rule).copied())
    }

    /// Records of an entity within a division.
    pub fn count(&self, entity: EntityId, place: Place) -> Result<u64, TableError> {
        Ok(self.within(entity, place)?.len() as u64)
    }
}

/// The columns of a verdict, as far as they are there.
pub(super) struct Columns {
    applies: Option<BooleanArray>,
    says: BooleanArray,
    amount: Option<ArrayRef>,
}

impl Columns {
    /// `None` if the run has no results of the rule.
    pub(super) fn of(reading: &Reading, verdict: &Verdict) -> Result<Option<Self>, TableError> {
        let truths = |id| -> Result<Option<BooleanArray>, TableError> {
            let array = reading.column(id)?;
            Ok(array.and_then(|array| array.as_boolean_opt().cloned()))
        };
        let Some(says) = truths(verdict.says)? else { return Ok(None) };
        let applies = match verdict.applies {
            None => None,
            Some(id) => match truths(id)? {
                None => return Ok(None),
                found => found,
            },
        };
        let amount = match verdict.amount {
            Some(id) if matches!(reading.program().column(id).ty, Type::Number(_)) => reading.column(id)?,
            _ => None,
        };
        Ok(Some(Self { applies, says, amount }))
    }

    pub(super) fn state(&self, row: u32) -> State {
        let truth = |array: &BooleanArray| array.is_valid(row as usize).then(|| array.value(row as usize));
        State::of(self.applies.as_ref().map(truth), truth(&self.says))
    }

    /// The amount of a record, as far as it is known.
    fn amount(&self, row: u32) -> Option<i128> {
        match self.amount.as_ref().and_then(|array| cell(array, row as usize)) {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        }
    }
}

fn tally(rule: RuleId, verdict: Verdict, columns: &Columns, rows: &[u32]) -> Figure {
    let amount = columns.amount.is_some().then_some(0);
    let mut figure =
        Figure { rule, verdict, yes: 0, no: 0, unknown: 0, outside: 0, amount, amount_unknown: 0 };
    let listed = verdict.kind.listed();
    for row in rows {
        let state = columns.state(*row);
        match state {
            State::Yes => figure.yes += 1,
            State::No => figure.no += 1,
            State::Unknown => figure.unknown += 1,
            State::Outside => figure.outside += 1,
        }
        if state != listed {
            continue;
        }
        match (figure.amount, columns.amount(*row)) {
            (Some(sum), Some(number)) => figure.amount = Some(sum + number),
            (Some(_), None) => figure.amount_unknown += 1,
            (None, _) => {}
        }
    }
    figure
}
