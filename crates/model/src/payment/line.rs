//! The lines of a batch and what becomes of them.

use serde::{Deserialize, Serialize};

use super::ids::{BatchId, LineId};
use super::{MaskedPayee, PayeeCommitment};
use crate::ledger::{AccountId, Basis, TransferId, TransferKey};
use crate::{Date, Fen, RecordKey, wire};

/// One payment as it is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub id: LineId,
    /// The encumbered account that owes it.
    #[serde(with = "wire::text")]
    pub from: AccountId,
    /// The settled account of who is paid.
    #[serde(with = "wire::text")]
    pub to: AccountId,
    #[serde(with = "wire::fen")]
    pub fen: Fen,
    pub basis: Basis,
    pub commitment: PayeeCommitment,
    pub shown: MaskedPayee,
    /// The returned line that this one pays again.
    pub again: Option<LineRef>,
}

/// A line of another batch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineRef {
    pub batch: BatchId,
    pub line: LineId,
}

/// A line and what became of it. `delivered_fen + returned_fen` never exceeds `line.fen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineState {
    pub line: Line,
    /// Its place in the file, from 1.
    pub number: u32,
    #[serde(with = "wire::fen")]
    pub delivered_fen: Fen,
    #[serde(with = "wire::fen")]
    pub returned_fen: Fen,
    /// The reservation that holds what is neither delivered nor returned.
    #[serde(with = "wire::text")]
    pub order: TransferId,
    /// Deliveries that stand.
    pub deliveries: Vec<Delivery>,
    pub returns: Vec<Return>,
    /// Of what is returned and open. A further return asks for a correction of its own.
    pub correction: Option<Correction>,
    /// What was done about returns, in order; together it never exceeds what was returned.
    pub dispositions: Vec<Disposition>,
    /// How many outcomes were recorded; numbers the keys of their transfers.
    pub outcomes: u32,
}

/// What the bank delivered of a line at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    #[serde(with = "wire::text")]
    pub transfer: TransferId,
    #[serde(with = "wire::fen")]
    pub fen: Fen,
    pub on: Date,
}

/// What the bank returned of a line at once (退票).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    #[serde(with = "wire::fen")]
    pub fen: Fen,
    pub on: Date,
    pub reason: String,
}

/// A payee put right after a return, by decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    #[serde(with = "wire::text")]
    pub decision: RecordKey,
    pub commitment: PayeeCommitment,
    pub shown: MaskedPayee,
}

/// What was done about a return. It happens once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Disposition {
    PaidAgain {
        by: LineRef,
        #[serde(with = "wire::fen")]
        fen: Fen,
    },
    /// It is not to be paid; the decision says why, and the book gives the money back by reversal.
    GivenUp {
        #[serde(with = "wire::text")]
        decision: RecordKey,
        #[serde(with = "wire::fen")]
        fen: Fen,
    },
}

impl Disposition {
    pub const fn fen(&self) -> Fen {
        match self {
            Self::PaidAgain { fen, .. } | Self::GivenUp { fen, .. } => *fen,
        }
    }
}

/// What a return file says of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineOutcome {
    pub line: LineId,
    pub kind: OutcomeKind,
    #[serde(with = "wire::fen")]
    pub fen: Fen,
    /// The day that the bank gives.
    pub on: Date,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutcomeKind {
    Delivered,
    Returned { reason: String },
}

/// The bank's statement for a batch: what was in the end taken from the payer's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub on: Date,
    #[serde(with = "wire::fen")]
    pub delivered_fen: Fen,
}

impl LineState {
    pub(super) fn new(line: Line, number: u32, order: TransferId) -> Self {
        Self {
            line,
            number,
            delivered_fen: Fen::ZERO,
            returned_fen: Fen::ZERO,
            order,
            deliveries: Vec::new(),
            returns: Vec::new(),
            correction: None,
            dispositions: Vec::new(),
            outcomes: 0,
        }
    }

    /// What is neither delivered nor returned.
    pub fn open_fen(&self) -> Fen {
        let open = self.line.fen.fen() - self.delivered_fen.fen() - self.returned_fen.fen();
        Fen::from_fen(open)
    }

    /// Whether every fen of it is delivered or returned.
    pub fn is_explained(&self) -> bool {
        self.open_fen().is_zero()
    }

    /// What was returned and not dealt with.
    pub fn return_open_fen(&self) -> Fen {
        let done: i64 = self.dispositions.iter().map(|disposition| disposition.fen().fen()).sum();
        Fen::from_fen(self.returned_fen.fen() - done)
    }
}

/// The key of the reservation that orders a line from the bank.
pub(super) fn order_key(batch: &BatchId, line: &LineId) -> TransferKey {
    line_key(batch, line, "order")
}

/// The key of the transfer that an outcome comes to.
pub(super) fn outcome_key(batch: &BatchId, state: &LineState, outcome: &LineOutcome) -> TransferKey {
    let kind = match outcome.kind {
        OutcomeKind::Delivered => "delivered",
        OutcomeKind::Returned { .. } => "returned",
    };
    line_key(batch, &state.line.id, &format!("{kind}-{}", state.outcomes + 1))
}

pub(super) fn line_key(batch: &BatchId, line: &LineId, what: &str) -> TransferKey {
    TransferKey::new(format!("payment/{batch}/{line}/{what}"))
        .expect("ids of 50 characters and a word make a key of at most 200")
}
