//! What has happened to a case.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{DayUnit, Outcome, StepIndex, StrandId, Tally, UnixSecond, Write};
use crate::{Date, Digest, Fen, RecordKey};

/// Something that happened, who did it and when. Events are never changed; a case is what they add up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub at: UnixSecond,
    /// The day of `at` at the office.
    pub day: Date,
    pub actor: String,
    pub role: String,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    Opened {
        flow: String,
        version: String,
        items: BTreeSet<RecordKey>,
    },
    /// The strand stands at the step, with nothing done there yet.
    Entered {
        strand: StrandId,
        step: StepIndex,
        due: Option<Date>,
    },
    /// Records leave a strand for one of their own, which takes with it all that was done.
    Parted {
        from: StrandId,
        to: StrandId,
        items: BTreeSet<RecordKey>,
    },
    Attached {
        strand: StrandId,
        kind: String,
        document: Digest,
    },
    Investigated {
        strand: StrandId,
    },
    Sampled {
        strand: StrandId,
        seed: u64,
        drawn: BTreeSet<RecordKey>,
        musts: BTreeSet<RecordKey>,
    },
    Visited {
        strand: StrandId,
        items: BTreeSet<RecordKey>,
    },
    Voted {
        strand: StrandId,
        tally: Tally,
    },
    Posted {
        strand: StrandId,
        place: String,
    },
    /// The notice's period runs from the day of the event, which does not count, until that day.
    ClockStarted {
        strand: StrandId,
        required: u32,
        hung: u32,
        unit: DayUnit,
        until: Date,
    },
    /// The period stands still; so many of its days have passed.
    ClockStopped {
        strand: StrandId,
        hung: u32,
    },
    Objected {
        strand: StrandId,
        objection: u32,
        item: Option<RecordKey>,
        grounds: String,
        due: Option<Date>,
    },
    Answered {
        strand: StrandId,
        objection: u32,
        upheld: bool,
        reasons: String,
    },
    Proposed {
        strand: StrandId,
        digests: BTreeMap<RecordKey, Digest>,
    },
    Completed {
        strand: StrandId,
        step: StepIndex,
        choice: Option<String>,
    },
    /// The fields of a record are to be written, with the values that their expressions have now.
    Writes {
        strand: StrandId,
        item: RecordKey,
        write: Write,
    },
    Reserved {
        strand: StrandId,
        item: RecordKey,
        fund: String,
        period: String,
        amount: Fen,
    },
    Released {
        strand: StrandId,
        item: RecordKey,
        fund: String,
        period: String,
        amount: Fen,
    },
    Refused {
        strand: StrandId,
        reasons: String,
    },
    Returned {
        strand: StrandId,
        to: StepIndex,
        reasons: String,
    },
    /// What was proposed of these records no longer is so; both digests of each.
    Voided {
        strand: StrandId,
        changed: BTreeMap<RecordKey, (Digest, Digest)>,
    },
    Withdrawn {
        strand: StrandId,
    },
    Extended {
        strand: StrandId,
        due: Date,
        reasons: String,
    },
    Overdue {
        strand: StrandId,
        what: Overdue,
    },
    /// `deliver_by` where a refusal has to be delivered in writing.
    Ended {
        strand: StrandId,
        outcome: Outcome,
        step: StepIndex,
        deliver_by: Option<Date>,
    },
    Delivered {
        strand: StrandId,
        letter: Digest,
        appeal_until: Option<Date>,
    },
    Appealed {
        strand: StrandId,
        grounds: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Overdue {
    Step,
    Answer(u32),
    Letter,
}
