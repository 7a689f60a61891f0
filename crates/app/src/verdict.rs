//! What a rule says of a record, in the few words that figures and lists need.

use arrow::array::RecordBatch;
use model::{Lang, Text};
use pack::program::{ColumnId, EntityId, Program, Rule, RuleDetail, Value};

use crate::cells::cell;

/// The columns that a rule's figures and lists are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub entity: EntityId,
    /// Whether the rule is about the record at all; every record if absent.
    pub applies: Option<ColumnId>,
    /// Entitled, holds, met, or fails the check.
    pub says: ColumnId,
    pub amount: Option<ColumnId>,
    /// The state of a duty that has a day by which it is due.
    pub state: Option<ColumnId>,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Benefit,
    Standard,
    Duty,
    Check,
}

/// What a rule says of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The rule is not about it.
    Outside,
    Yes,
    No,
    /// Whether the rule is about it, or what it says then, is not known.
    Unknown,
}

impl Verdict {
    /// Of rules with a yes-or-no verdict.
    pub fn of(program: &Program, rule: &Rule) -> Option<Self> {
        let (applies, says, amount, kind) = match &rule.detail {
            RuleDetail::Benefit(benefit) => (None, benefit.who, benefit.amount, Kind::Benefit),
            RuleDetail::Standard(standard) => {
                let cost = standard.remedy.as_ref().and_then(|remedy| remedy.cost);
                (standard.applies, standard.holds, cost, Kind::Standard)
            }
            RuleDetail::Duty(duty) => (Some(duty.owed), duty.met, None, Kind::Duty),
            RuleDetail::Check(check) => (None, check.fails, None, Kind::Check),
            _ => return None,
        };
        let state = match &rule.detail {
            RuleDetail::Duty(duty) => duty.due.map(|_| duty.state),
            _ => None,
        };
        Some(Self { entity: program.column(says).entity, applies, says, amount, state, kind })
    }

    /// What it says of the record in a row of the results.
    pub fn state(&self, program: &Program, results: &RecordBatch, row: usize) -> State {
        let value = |id: ColumnId| match results.column_by_name(&program.column(id).name) {
            Some(array) => match cell(array, row) {
                Some(Value::Bool(value)) => Some(value),
                _ => None,
            },
            None => None,
        };
        State::of(self.applies.map(value), value(self.says))
    }
}

impl State {
    /// From whether the rule is about a record (absent where it is about all) and what it says then.
    pub fn of(applies: Option<Option<bool>>, says: Option<bool>) -> Self {
        match (applies, says) {
            (Some(None), _) => Self::Unknown,
            (Some(Some(false)), _) => Self::Outside,
            (_, Some(true)) => Self::Yes,
            (_, Some(false)) => Self::No,
            (_, None) => Self::Unknown,
        }
    }
}

impl Verdict {
    /// The code of a duty's state in a row of the results, where it has a day by which it is due.
    pub fn duty_state(&self, program: &Program, results: &RecordBatch, row: usize) -> Option<Value> {
        cell(results.column_by_name(&program.column(self.state?).name)?, row)
    }

    /// Whether a list names the record: also one whose duty was met after its day.
    pub fn listed(&self, program: &Program, results: &RecordBatch, row: usize) -> bool {
        self.state(program, results, row) == self.kind.listed()
            || self.duty_state(program, results, row) == Some(Value::Text(MET_LATE.to_owned()))
    }
}

/// Codes of the language's list of states of a duty.
pub(super) const MET_LATE: &str = "met-late";
pub(super) const LATE: &str = "late";

impl Kind {
    /// Whether lists name the records of which the verdict is true: who is entitled, what contradicts itself. Of standards
    /// and duties they name those that fail.
    pub fn listed(self) -> State {
        match self {
            Self::Benefit | Self::Check => State::Yes,
            Self::Standard | Self::Duty => State::No,
        }
    }

    /// What the two verdicts are called.
    pub fn heads(self) -> [Text; 2] {
        let texts = |yes: (&str, &str), no: (&str, &str)| [Text::new(yes.0, yes.1), Text::new(no.0, no.1)];
        match self {
            Self::Benefit => texts(("符合条件", "entitled"), ("不符合", "not entitled")),
            Self::Standard => texts(("已达到", "meet it"), ("未达到", "do not meet it")),
            Self::Duty => texts(("已履行", "met"), ("未履行", "not met")),
            Self::Check => texts(("有问题", "contradictory"), ("无问题", "in order")),
        }
    }

    /// What a list says of the records that it names.
    pub fn listed_text(self, lang: Lang) -> String {
        let [yes, no] = self.heads();
        let text = if self.listed() == State::Yes { yes } else { no };
        text.get(lang).to_owned()
    }
}
