//! What an actor asks of a case.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{StepIndex, StrandId};
use crate::{Digest, RecordKey};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Begins a case about these records.
    Open { items: BTreeSet<RecordKey> },
    /// `step` is where the actor saw the strand: a stale page is refused.
    Act { strand: StrandId, step: StepIndex, act: Act },
    /// Lets time do what it does: lapses and marks as overdue. Given by the system, daily.
    Tick,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    Attach {
        kind: String,
        document: Digest,
    },
    /// The actor has investigated.
    Investigate,
    /// Draws the sample with the context's seed, once.
    Draw,
    Visit {
        items: BTreeSet<RecordKey>,
    },
    Vote(Minutes),
    /// Posts the notice at a place.
    Post {
        place: String,
    },
    /// `item` is the record objected to; all of the strand if absent.
    Object {
        item: Option<RecordKey>,
        grounds: String,
    },
    Answer {
        objection: u32,
        upheld: bool,
        reasons: String,
    },
    /// Completes the step; `choice` where its branches are chosen.
    Complete {
        choice: Option<String>,
    },
    /// Refuses these records, or all of the strand.
    Refuse {
        items: Option<BTreeSet<RecordKey>>,
        reasons: String,
    },
    /// Delivers the written refusal.
    Deliver {
        letter: Digest,
    },
    Return {
        to: StepIndex,
        reasons: String,
    },
    /// Sends records whose facts changed since they were proposed back to be proposed again.
    Void,
    Withdraw {
        items: Option<BTreeSet<RecordKey>>,
    },
    Appeal {
        grounds: String,
    },
    Extend {
        reasons: String,
    },
    /// Sets records apart, so that the others can go on; at the same step, with all that was done.
    SetApart {
        items: BTreeSet<RecordKey>,
    },
}

/// What a meeting came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minutes {
    pub entitled: u32,
    pub present: u32,
    pub secret: bool,
    /// One for each record of the strand.
    pub ballots: BTreeMap<RecordKey, Ballot>,
}

/// Whoever is present and in neither number abstained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    pub in_favour: u32,
    pub against: u32,
}
