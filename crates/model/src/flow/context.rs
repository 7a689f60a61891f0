//! What the machine must not fetch: time, calendar, actor, facts of the day and randomness.

use std::collections::{BTreeMap, BTreeSet};

use super::{Days, ExpressionId, Fraction, ParameterId, Quantity, UnixSecond, WorkingCalendar};
use crate::{Date, Digest, Fen, RecordKey, Refusal, RefusalCode};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub at: UnixSecond,
    /// The day it is where the office stands.
    pub today: Date,
}

/// Who acts. The relations are those on record, never what the actor says of himself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person, the same in every role and at every desk.
    pub id: String,
    /// The role in which he acts now.
    pub role: String,
    /// Records of the case that are his own.
    pub own: BTreeSet<RecordKey>,
    /// Records of the case whose subjects are his kin.
    pub kin: BTreeSet<RecordKey>,
}

/// A condition of the day; unknown is neither true nor false.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Fact {
    pub value: Option<bool>,
    /// What is not on record, if it is unknown.
    pub missing: Vec<String>,
}

impl Fact {
    pub const fn known(value: bool) -> Self {
        Self { value: Some(value), missing: Vec::new() }
    }

    pub fn unknown(missing: impl IntoIterator<Item = String>) -> Self {
        Self { value: None, missing: missing.into_iter().collect() }
    }
}

/// What is so of one record today. An expression that is not in the maps is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Facts {
    pub conditions: BTreeMap<ExpressionId, Fact>,
    pub amounts: BTreeMap<ExpressionId, Fen>,
    /// Of the flow's shown columns with their values of today.
    pub shown: Option<Digest>,
}

#[derive(Clone, Debug)]
pub struct Context<'a> {
    pub now: Now,
    pub calendar: &'a WorkingCalendar,
    pub actor: Actor,
    /// Of every record of the case.
    pub facts: BTreeMap<RecordKey, Facts>,
    /// Parameters in force today.
    pub parameters: BTreeMap<ParameterId, Fraction>,
    /// Numbers over the sheet's own record: how many are entitled to vote.
    pub numbers: BTreeMap<ExpressionId, Fraction>,
    /// Drawn by the caller, never given by the actor.
    pub seed: u64,
}

impl Context<'_> {
    /// The value of a quantity; refused by name if the context has none.
    pub fn quantity(&self, quantity: Quantity) -> Result<Fraction, Refusal> {
        let unknown = |number: u32| Refusal::new(RefusalCode::ConditionUnknown).value(number);
        match quantity {
            Quantity::Fixed(fraction) => Ok(fraction),
            Quantity::Parameter(id) => self.parameters.get(&id).copied().ok_or_else(|| unknown(id.0)),
            Quantity::Expression(id) => self.numbers.get(&id).copied().ok_or_else(|| unknown(id.0)),
        }
    }

    /// A number of days, which is whole and at least 1.
    pub fn days(&self, days: Days) -> Result<u32, Refusal> {
        let count = self.quantity(days.count)?;
        let whole = count.as_whole().filter(|count| *count > 0);
        whole.ok_or_else(|| Refusal::new(RefusalCode::OutOfRange).value(count).expected("≥ 1"))
    }

    /// The last day of a period that begins after today.
    pub fn until(&self, days: Days) -> Result<Date, Refusal> {
        self.calendar.add(self.now.today, self.days(days)?, days.unit)
    }

    /// A condition of a record.
    pub fn fact(&self, item: &RecordKey, expression: ExpressionId) -> Fact {
        let facts = self.facts.get(item);
        facts.and_then(|facts| facts.conditions.get(&expression)).cloned().unwrap_or_default()
    }

    pub fn shown(&self, item: &RecordKey) -> Option<Digest> {
        self.facts.get(item).and_then(|facts| facts.shown)
    }
}
