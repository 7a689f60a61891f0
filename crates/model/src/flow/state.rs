//! What a case has come to: the fold of its events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{DayUnit, Outcome, StepIndex};
use crate::{Date, Digest, Fen, RecordKey};

/// A strand of a case; the first is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct StrandId(pub u32);

#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    pub flow: String,
    pub version: String,
    /// In order of id, without gaps; none before the case is opened.
    pub strands: Vec<Strand>,
    /// Number of objections lodged so far: the next one's id.
    pub objections: u32,
    /// Day of the last event.
    pub last_day: Option<Date>,
}

impl State {
    pub fn strand(&self, id: StrandId) -> Option<&Strand> {
        self.strands.get(id.0 as usize)
    }

    pub fn is_open(&self) -> bool {
        self.strands.iter().any(|strand| matches!(strand.position, Position::At(_)))
    }
}

/// Records that move together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strand {
    pub id: StrandId,
    pub items: BTreeSet<RecordKey>,
    pub position: Position,
    /// Day on which it came to the step.
    pub entered: Date,
    pub due: Option<Date>,
    /// Whether the present deadline was marked as missed.
    pub overdue: bool,
    /// What was done at the present step.
    pub work: Work,
    /// Who acted in which step, from the beginning.
    pub acts: BTreeMap<StepIndex, BTreeSet<String>>,
    /// What was shown of each record when it was proposed, and the step that did.
    pub proposed: BTreeMap<RecordKey, Digest>,
    pub proposed_at: Option<StepIndex>,
    /// Objections without an answer.
    pub objections: Vec<LodgedObjection>,
    pub reserved: Vec<Reservation>,
    /// Whether a refusal was appealed against, which is done once.
    pub appealed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Position {
    At(StepIndex),
    Ended(End),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub outcome: Outcome,
    /// The step at which it ended.
    pub step: StepIndex,
    pub on: Date,
    pub deliver_by: Option<Date>,
    pub delivered: Option<Date>,
    pub appeal_until: Option<Date>,
}

/// What was done at a step since it was entered.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Work {
    pub evidence: BTreeMap<String, BTreeSet<Digest>>,
    pub investigators: BTreeSet<String>,
    pub sample: Option<Drawn>,
    pub visited: BTreeSet<RecordKey>,
    pub vote: Option<Tally>,
    pub posted: BTreeSet<String>,
    pub clock: Option<Clock>,
    pub extended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    pub seed: u64,
    pub drawn: BTreeSet<RecordKey>,
    pub musts: BTreeSet<RecordKey>,
}

/// A vote that had its quorum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub entitled: u32,
    pub present: u32,
    /// Votes in favour and against, and whether that carried the record.
    pub ballots: BTreeMap<RecordKey, (u32, u32, bool)>,
}

/// How long a notice has hung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    pub required: u32,
    pub unit: DayUnit,
    /// Days that had passed when it was last started or stopped.
    pub hung: u32,
    /// Day from which it runs, which itself does not count; absent while it stands still.
    pub running_from: Option<Date>,
    /// Last day of the period; absent while it stands still.
    pub until: Option<Date>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LodgedObjection {
    pub id: u32,
    /// The notice's step.
    pub step: StepIndex,
    /// The record objected to; all of the strand if absent.
    pub item: Option<RecordKey>,
    pub by: String,
    pub grounds: String,
    pub due: Option<Date>,
    pub overdue: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    pub item: RecordKey,
    pub fund: String,
    pub period: String,
    pub amount: Fen,
}
