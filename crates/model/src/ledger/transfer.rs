//! Transfers: what moves money, by whose decision.

use serde::{Deserialize, Serialize};

use super::{AccountId, TransferId, TransferKey};
use crate::{ClauseId, Date, Fen, Moment, RecordKey, wire};

/// On what ground money moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    #[serde(with = "wire::text")]
    pub clause: ClauseId,
    /// The decision; required as soon as a beneficiary is concerned.
    #[serde(with = "wire::text_option")]
    pub decision: Option<RecordKey>,
    /// The case in which it was decided; required as soon as a beneficiary is concerned.
    #[serde(with = "wire::text_option")]
    pub case: Option<RecordKey>,
}

/// What a transfer does. Debit gives, credit receives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Moves money at once.
    Move {
        #[serde(with = "wire::text")]
        debit: AccountId,
        #[serde(with = "wire::text")]
        credit: AccountId,
        #[serde(with = "wire::fen")]
        fen: Fen,
    },
    /// Holds money, so that nobody else has it, until the reservation is posted, voided or lapses.
    Reserve {
        #[serde(with = "wire::text")]
        debit: AccountId,
        #[serde(with = "wire::text")]
        credit: AccountId,
        #[serde(with = "wire::fen")]
        fen: Fen,
        /// The moment from which it no longer holds.
        expires_at: Option<Moment>,
    },
    /// Moves what a reservation holds, or part of it.
    Post {
        #[serde(with = "wire::text")]
        resolves: TransferId,
        #[serde(with = "wire::fen")]
        fen: Fen,
        remainder: Remainder,
    },
    /// Gives back what a reservation holds.
    Void {
        #[serde(with = "wire::text")]
        resolves: TransferId,
    },
    /// Moves money back the way it came. Several reversals of one transfer never exceed it.
    Reverse {
        #[serde(with = "wire::text")]
        resolves: TransferId,
        #[serde(with = "wire::fen")]
        fen: Fen,
    },
}

/// What becomes of the part of a reservation that is not posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remainder {
    /// It stays held by a new reservation, [`TransferId::of_remainder`], with the same end.
    Keep,
    /// It is given back.
    Release,
}

impl Action {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Move { .. } => "move",
            Self::Reserve { .. } => "reserve",
            Self::Post { .. } => "post",
            Self::Void { .. } => "void",
            Self::Reverse { .. } => "reverse",
        }
    }

    /// The transfer that it resolves or reverses.
    pub const fn resolves(&self) -> Option<TransferId> {
        match self {
            Self::Post { resolves, .. } | Self::Void { resolves } | Self::Reverse { resolves, .. } => {
                Some(*resolves)
            }
            Self::Move { .. } | Self::Reserve { .. } => None,
        }
    }
}

/// A transfer as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub key: TransferKey,
    pub action: Action,
    pub basis: Basis,
    /// The day on which it counts: of the decision, of the delivery.
    pub effective_on: Date,
}

/// A transfer as it was posted: the draft with what followed from the book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    #[serde(with = "wire::text")]
    pub id: TransferId,
    pub draft: Draft,
    #[serde(with = "wire::text")]
    pub debit: AccountId,
    #[serde(with = "wire::text")]
    pub credit: AccountId,
    /// More than zero.
    #[serde(with = "wire::fen")]
    pub fen: Fen,
    /// The group that it belongs to. What a post kept belongs to the group of the post, at its place.
    pub linked: Option<Linked>,
    pub recorded_at: Moment,
}

/// The transfers of one group are posted together or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    pub group: TransferKey,
    /// From 1.
    pub place: u32,
    pub size: u32,
}

impl Transfer {
    /// Whether it moved money, rather than held it or gave back what was held.
    pub const fn moves(&self) -> bool {
        matches!(self.draft.action, Action::Move { .. } | Action::Post { .. } | Action::Reverse { .. })
    }
}

impl TransferId {
    /// The reservation that holds what a post by this key left over.
    pub fn of_remainder(post: &TransferKey) -> Self {
        Self::of(&post.derived("rest"))
    }
}
