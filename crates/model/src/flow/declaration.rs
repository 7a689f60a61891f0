//! What a pack declares of a procedure.
//!
//! A step is open until it is completed; everything that it declares has to be met by then. So there is one
//! kind of step, and a survey, a vote, a notice or an approval is a step that declares that.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::{Days, ExpressionId, Quantity, StepIndex};
use crate::Text;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    pub id: String,
    /// Digest of the pack that declares it. A case goes on under the version it began with.
    pub version: String,
    /// Whether a case may hold many records: a village's list.
    pub sheet: bool,
    /// Roles that act for their own records only: households, applicants.
    pub applicants: BTreeSet<String>,
    /// Whether an applicant may withdraw before the end.
    pub withdrawal: bool,
    /// Columns of the record that are shown and decided upon: their values make the digest.
    pub shows: Vec<ExpressionId>,
    /// At least one; a case begins at the first.
    pub steps: Vec<Step>,
}

impl Flow {
    pub fn step(&self, index: StepIndex) -> Option<&Step> {
        self.steps.get(index.index())
    }

    pub fn step_named(&self, id: &str) -> Option<StepIndex> {
        let position = self.steps.iter().position(|step| step.id == id)?;
        u16::try_from(position).ok().map(StepIndex)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub id: String,
    pub title: Text,
    /// Any of these roles acts.
    pub roles: Vec<String>,
    /// Whoever acted in these steps may not act here.
    pub not_by: Vec<StepIndex>,
    /// Whether the subject and its kin may act here; the applicant's own steps say so.
    pub kin_may_act: bool,
    pub deadline: Option<Deadline>,
    pub evidence: Vec<Evidence>,
    /// Number of different persons who have to investigate.
    pub investigators: u8,
    pub sample: Option<Sample>,
    pub vote: Option<Vote>,
    pub notice: Option<Notice>,
    pub objection: Option<Objection>,
    /// Asked again of the facts of the day.
    pub when: Option<ExpressionId>,
    /// What is shown is fixed when the step is completed.
    pub proposes: bool,
    /// What is approved has to be what was proposed.
    pub approves: bool,
    /// What the step decides is refused here, in writing.
    pub refusing: Option<Refusing>,
    /// Earlier steps that it may be returned to.
    pub returns: Vec<StepIndex>,
    pub records: Vec<Write>,
    pub reserves: Option<Reserve>,
    /// What is published, and stays.
    pub publishes: Vec<Text>,
    /// Tried in order; at least one.
    pub next: Vec<Branch>,
}

/// Counted from the day after the step began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    pub within: Days,
    /// The whole period if it is extended, which is done once and with reasons.
    pub extended: Option<Days>,
    /// Whether the case lapses then; otherwise it is only overdue.
    pub lapses: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub id: String,
    pub title: Text,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Least share of the records that is drawn and visited.
    pub share: Quantity,
    /// Records that are visited whether drawn or not.
    pub musts: Vec<Must>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Must {
    pub title: Text,
    /// Where it is not known, the record is visited.
    pub when: ExpressionId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// How many are entitled; the minutes' own number if absent.
    pub electorate: Option<Quantity>,
    /// Least share of those entitled who have to be present.
    pub quorum: Quantity,
    pub majority: Majority,
    pub secret: bool,
    /// Where the records go that the vote does not carry.
    pub lost: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Majority {
    pub share: Quantity,
    /// Whether exactly the share is too little: more than half.
    pub more_than: bool,
    /// Whether the share is of those entitled and not of those present.
    pub of_entitled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub days: Days,
    /// The period begins once it hangs at every place.
    pub places: Vec<Place>,
    /// Columns of the record that it shows.
    pub shows: Vec<ExpressionId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub id: String,
    pub title: Text,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection {
    pub by: Objectors,
    pub answered_by: Vec<String>,
    /// Whoever acted in these steps may not answer.
    pub not_by: Vec<StepIndex>,
    pub within: Option<Days>,
    pub effect: Effect,
    pub upheld: StepIndex,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Objectors {
    Anyone,
    Roles(Vec<String>),
}

/// What an objection does to the notice it is made against. Its clock stops in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Once dismissed, the period counts anew.
    Restart,
    /// Once dismissed, the period goes on where it stopped.
    Suspend,
    /// As `Suspend`, but only for the record objected to, which leaves the sheet.
    Separate,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusing {
    /// Time to deliver the refusal in writing.
    pub within: Option<Days>,
    pub appeal: Option<Appeal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appeal {
    /// Counted from the day after the refusal is delivered.
    pub within: Days,
    pub to: StepIndex,
}

/// Fields of a record that a completed step writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    pub entity: String,
    pub fields: Vec<(String, ExpressionId)>,
}

/// Money that a completed step sets apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    pub fund: String,
    pub amount: ExpressionId,
    /// What it is for, as the pack names periods: `year`.
    pub period: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    pub on: BranchOn,
    pub to: Target,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BranchOn {
    Always,
    /// Asked of each record, so that a sheet may part.
    When(ExpressionId),
    /// Chosen by whoever completes the step.
    Choice {
        id: String,
        title: Text,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    Step(StepIndex),
    End(Outcome),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The procedure ran to its end: granted, decided, settled.
    Done,
    Refused,
    Withdrawn,
    Lapsed,
}
