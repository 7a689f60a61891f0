//! Commands to the book and events of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Account, AccountId, Basis, DocumentNumber, Draft, Fund, FundDocument, Transfer, TransferId, TransferKey,
};
use crate::{Date, Fen, Moment, wire};

/// What the book is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Registers a document, opens its accounts and appropriates what it grants, purpose by purpose.
    Appropriate { key: TransferKey, fund: Fund, document: FundDocument, basis: Basis, effective_on: Date },
    /// Opens accounts. One that is open alike already is passed over.
    Open { accounts: Vec<Account> },
    /// Closes an account that holds and reserves nothing, or that is a source or settled.
    Close { account: AccountId },
    /// Posts one transfer.
    Transfer(Draft),
    /// Posts transfers that belong together: all, in this order, or none.
    Group { group: TransferKey, drafts: Vec<Draft> },
    /// Year's end: what is left in an account goes to its next year, which is opened alike if need be.
    CarryOver { key: TransferKey, from: AccountId, fen: Fen, basis: Basis, effective_on: Date },
    /// Idle money goes back up. `idle_since` refuses it if the account has moved after that day.
    Recover {
        key: TransferKey,
        from: AccountId,
        to: AccountId,
        fen: Fen,
        idle_since: Option<Date>,
        basis: Basis,
        effective_on: Date,
    },
    /// Writes down every reservation that has lapsed. Other commands do so for the accounts they touch.
    Expire,
}

/// What happened. The book is a fold of events; they are what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    DocumentRegistered {
        document: FundDocument,
        at: Moment,
    },
    AccountOpened {
        account: Account,
        at: Moment,
    },
    AccountClosed {
        #[serde(with = "wire::text")]
        account: AccountId,
        at: Moment,
    },
    Transferred(Box<Transfer>),
    ReservationExpired {
        #[serde(with = "wire::text")]
        reservation: TransferId,
        at: Moment,
    },
}

/// What of a book a command depends on, for stores that keep no whole book in memory. To these belong the
/// accounts of the transfers named, and the lapsed reservations of every account named, with their accounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reads {
    pub documents: BTreeSet<DocumentNumber>,
    /// In the order of locks.
    pub accounts: BTreeSet<AccountId>,
    /// Transfers that may exist already, and those that are resolved.
    pub transfers: BTreeSet<TransferId>,
    /// Whether every lapsed reservation is needed, of whatever account.
    pub lapsed: bool,
}

impl Command {
    /// The drafts of transfers that it comes to, in order. A retry makes the same.
    pub fn drafts(&self) -> Vec<Draft> {
        use super::Action::Move;
        let draft = |key: &TransferKey, action, basis: &Basis, effective_on| Draft {
            key: key.clone(),
            action,
            basis: basis.clone(),
            effective_on,
        };
        match self {
            Self::Appropriate { key, document, basis, effective_on, .. } => {
                let one = |line: &super::DocumentLine| {
                    let (debit, credit) =
                        (document.source(&line.purpose), document.appropriated(&line.purpose));
                    let action = Move { debit, credit, fen: line.fen };
                    draft(&key.derived(line.purpose.as_str()), action, basis, *effective_on)
                };
                document.lines.iter().map(one).collect()
            }
            Self::Transfer(draft) => vec![draft.clone()],
            Self::Group { drafts, .. } => drafts.clone(),
            Self::CarryOver { key, from, fen, basis, effective_on } => {
                let action = Move { debit: from.clone(), credit: from.next_year(), fen: *fen };
                vec![draft(key, action, basis, *effective_on)]
            }
            Self::Recover { key, from, to, fen, basis, effective_on, .. } => {
                let action = Move { debit: from.clone(), credit: to.clone(), fen: *fen };
                vec![draft(key, action, basis, *effective_on)]
            }
            Self::Open { .. } | Self::Close { .. } | Self::Expire => Vec::new(),
        }
    }

    /// The group that its transfers belong to.
    pub fn group(&self) -> Option<&TransferKey> {
        match self {
            Self::Appropriate { key, .. } => Some(key),
            Self::Group { group, .. } => Some(group),
            _ => None,
        }
    }

    pub fn reads(&self) -> Reads {
        let mut reads = Reads { lapsed: matches!(self, Self::Expire), ..Reads::default() };
        match self {
            Self::Open { accounts } => reads.accounts.extend(accounts.iter().map(|open| open.id.clone())),
            Self::Close { account } => {
                reads.accounts.insert(account.clone());
            }
            Self::Appropriate { document, .. } => {
                reads.documents.insert(document.number.clone());
            }
            _ => {}
        }
        for draft in self.drafts() {
            reads.transfers.insert(TransferId::of(&draft.key));
            reads.transfers.extend(draft.action.resolves());
            if let super::Action::Move { debit, credit, .. } | super::Action::Reserve { debit, credit, .. } =
                draft.action
            {
                reads.accounts.extend([debit, credit]);
            }
        }
        reads.documents.extend(reads.accounts.iter().map(|account| account.document.clone()));
        reads
    }
}
