//! A batch as a fold of its events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::line::{order_key, outcome_key};
use super::{
    BatchId, Correction, Delivery, Disposition, LayoutId, Line, LineId, LineOutcome, LineRef, LineState,
    OutcomeKind, Return, Statement,
};
use crate::ledger::TransferId;
use crate::{Date, Digest, Fen, Moment, RecordKey, wire};

/// What is to be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchPlan {
    pub id: BatchId,
    pub layout: LayoutId,
    /// In the order of the file.
    pub lines: Vec<Line>,
}

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BatchStage {
    /// Its money is reserved; no file is out, or the bank rejected it.
    Planned,
    /// The file went to the bank. Nothing is paid by that.
    Sent,
    /// The bank took the file; outcomes come in.
    Acknowledged,
    /// Every fen is explained, and the statement agrees. A late return takes it back to acknowledged.
    Reconciled,
    /// Every return is dealt with. The end.
    Closed,
    /// Given up before a file went out. The end.
    Cancelled,
}

impl BatchStage {
    pub const ALL: [Self; 6] =
        [Self::Planned, Self::Sent, Self::Acknowledged, Self::Reconciled, Self::Closed, Self::Cancelled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sent => "sent",
            Self::Acknowledged => "acknowledged",
            Self::Reconciled => "reconciled",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What happened to a batch. No event holds a name or an account number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BatchEvent {
    Planned {
        plan: BatchPlan,
        at: Moment,
    },
    Cancelled {
        at: Moment,
    },
    Sent {
        #[serde(with = "wire::text")]
        digest: Digest,
        at: Moment,
    },
    /// The bank took nothing of the file.
    Rejected {
        reason: String,
        at: Moment,
    },
    Acknowledged {
        on: Date,
        at: Moment,
    },
    ReturnApplied {
        #[serde(with = "wire::text")]
        digest: Digest,
        outcomes: Vec<LineOutcome>,
        at: Moment,
    },
    Corrected {
        line: LineId,
        correction: Correction,
        at: Moment,
    },
    PaidAgain {
        line: LineId,
        by: LineRef,
        #[serde(with = "wire::fen")]
        fen: Fen,
        at: Moment,
    },
    GivenUp {
        line: LineId,
        #[serde(with = "wire::text")]
        decision: RecordKey,
        #[serde(with = "wire::fen")]
        fen: Fen,
        at: Moment,
    },
    Reconciled {
        statement: Statement,
        at: Moment,
    },
    Closed {
        at: Moment,
    },
}

/// A batch as of its last event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub plan: BatchPlan,
    pub planned_at: Moment,
    /// In the order of the file.
    pub lines: Vec<LineState>,
    pub stage: BatchStage,
    /// The file that is out, and since when.
    pub sent: Option<(Digest, Moment)>,
    pub acknowledged_on: Option<Date>,
    /// Files that the bank rejected.
    pub rejected: BTreeSet<Digest>,
    /// Return files that were applied.
    pub returns: BTreeSet<Digest>,
    pub statement: Option<Statement>,
    /// Where each line is.
    places: BTreeMap<LineId, usize>,
}

/// Why events are not those of a batch. The stream is damaged, or out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BatchReplayError {
    #[error("the first event of a batch is not its plan, or a plan is not the first")]
    NotPlanned,
    #[error("an event names a line that the batch doesn't have")]
    LineUnknown,
    #[error("the amounts of a line do not add up")]
    Amounts,
}

/// The batch after an event.
pub fn fold(batch: Option<Batch>, event: &BatchEvent) -> Result<Batch, BatchReplayError> {
    match (batch, event) {
        (None, BatchEvent::Planned { plan, at }) => Ok(Batch::planned(plan, *at)),
        (None, _) | (Some(_), BatchEvent::Planned { .. }) => Err(BatchReplayError::NotPlanned),
        (Some(mut batch), event) => {
            batch.apply(event)?;
            Ok(batch)
        }
    }
}

/// The batch of all these events, `None` of none.
pub fn replay<'a>(
    events: impl IntoIterator<Item = &'a BatchEvent>,
) -> Result<Option<Batch>, BatchReplayError> {
    events.into_iter().try_fold(None, |batch, event| fold(batch, event).map(Some))
}

impl Batch {
    pub fn id(&self) -> &BatchId {
        &self.plan.id
    }

    pub fn layout(&self) -> &LayoutId {
        &self.plan.layout
    }

    pub fn line(&self, id: &LineId) -> Option<&LineState> {
        self.places.get(id).map(|place| &self.lines[*place])
    }

    /// What all lines are to be paid. A plan whose sum exceeds 64 bits is refused.
    pub fn total(&self) -> Fen {
        self.sum(|state| state.line.fen)
    }

    pub fn delivered(&self) -> Fen {
        self.sum(|state| state.delivered_fen)
    }

    pub fn returned(&self) -> Fen {
        self.sum(|state| state.returned_fen)
    }

    /// What the bank has still to explain.
    pub fn open(&self) -> Fen {
        self.sum(LineState::open_fen)
    }

    fn sum(&self, amount: impl Fn(&LineState) -> Fen) -> Fen {
        Fen::checked_sum(self.lines.iter().map(amount)).expect("the sum of the plan was checked")
    }

    fn planned(plan: &BatchPlan, at: Moment) -> Self {
        let state = |(place, line): (usize, &Line)| {
            let order = TransferId::of(&order_key(&plan.id, &line.id));
            LineState::new(line.clone(), place as u32 + 1, order)
        };
        Self {
            plan: plan.clone(),
            planned_at: at,
            lines: plan.lines.iter().enumerate().map(state).collect(),
            stage: BatchStage::Planned,
            sent: None,
            acknowledged_on: None,
            rejected: BTreeSet::new(),
            returns: BTreeSet::new(),
            statement: None,
            places: plan.lines.iter().enumerate().map(|(place, line)| (line.id.clone(), place)).collect(),
        }
    }

    fn apply(&mut self, event: &BatchEvent) -> Result<(), BatchReplayError> {
        match event {
            BatchEvent::Planned { .. } => return Err(BatchReplayError::NotPlanned),
            BatchEvent::Cancelled { .. } => self.stage = BatchStage::Cancelled,
            BatchEvent::Sent { digest, at } => {
                (self.stage, self.sent) = (BatchStage::Sent, Some((*digest, *at)));
            }
            BatchEvent::Rejected { .. } => {
                self.rejected.extend(self.sent.take().map(|(digest, _)| digest));
                self.stage = BatchStage::Planned;
            }
            BatchEvent::Acknowledged { on, .. } => {
                (self.stage, self.acknowledged_on) = (BatchStage::Acknowledged, Some(*on));
            }
            BatchEvent::ReturnApplied { digest, outcomes, .. } => {
                let id = self.plan.id.clone();
                for outcome in outcomes {
                    self.line_mut(&outcome.line)?.apply(&id, outcome)?;
                }
                self.returns.insert(*digest);
                self.stage = BatchStage::Acknowledged;
            }
            BatchEvent::Corrected { line, correction, .. } => {
                self.line_mut(line)?.correction = Some(correction.clone());
            }
            BatchEvent::PaidAgain { line, by, fen, .. } => {
                self.line_mut(line)?.dispose(Disposition::PaidAgain { by: by.clone(), fen: *fen })?;
            }
            BatchEvent::GivenUp { line, decision, fen, .. } => {
                let disposition = Disposition::GivenUp { decision: decision.clone(), fen: *fen };
                self.line_mut(line)?.dispose(disposition)?;
            }
            BatchEvent::Reconciled { statement, .. } => {
                (self.stage, self.statement) = (BatchStage::Reconciled, Some(*statement));
            }
            BatchEvent::Closed { .. } => self.stage = BatchStage::Closed,
        }
        Ok(())
    }

    fn line_mut(&mut self, id: &LineId) -> Result<&mut LineState, BatchReplayError> {
        let place = self.places.get(id).copied();
        place.map(|place| &mut self.lines[place]).ok_or(BatchReplayError::LineUnknown)
    }
}

impl LineState {
    fn apply(&mut self, batch: &BatchId, outcome: &LineOutcome) -> Result<(), BatchReplayError> {
        let key = outcome_key(batch, self, outcome);
        let sum = |first: Fen, second: Fen| first.checked_add(second).ok_or(BatchReplayError::Amounts);
        let open = self.open_fen();
        match &outcome.kind {
            OutcomeKind::Delivered => {
                self.delivered_fen = sum(self.delivered_fen, outcome.fen)?;
                let transfer = TransferId::of(&key);
                self.deliveries.push(Delivery { transfer, fen: outcome.fen, on: outcome.on });
                self.order = TransferId::of_remainder(&key);
            }
            OutcomeKind::Returned { reason } => {
                if open.is_zero() {
                    // A late return takes back what was delivered.
                    self.deliveries.clear();
                    self.delivered_fen = Fen::ZERO;
                }
                self.returned_fen = sum(self.returned_fen, outcome.fen)?;
                self.returns.push(Return { fen: outcome.fen, on: outcome.on, reason: reason.clone() });
                self.correction = None;
            }
        }
        self.outcomes += 1;
        if self.open_fen().is_negative() { Err(BatchReplayError::Amounts) } else { Ok(()) }
    }

    fn dispose(&mut self, disposition: Disposition) -> Result<(), BatchReplayError> {
        self.dispositions.push(disposition);
        self.correction = None;
        if self.return_open_fen().is_negative() { Err(BatchReplayError::Amounts) } else { Ok(()) }
    }
}
