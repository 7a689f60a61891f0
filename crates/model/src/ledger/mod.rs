//! The book of public money: a pure double-entry ledger, to the fen.
//!
//! Accounts are holder × document × purpose × year × layer, so that every fen keeps the number of the document
//! that granted it. Money moves by transfers (two-phase, linked, idempotent) from the grant through the
//! province, prefecture and county, by commitment and verified obligation, to the person whom the bank paid:
//!
//! | layer | holder | its balance | leaves by |
//! |---|---|---|---|
//! | source | who grants | below zero by what was granted | appropriation |
//! | appropriated | who grants | granted, not yet passed on | allotment |
//! | allotted | division or body | to be passed on or committed; pending: committed | allotment, commitment |
//! | encumbered | beneficiary | owed, verified; pending: with the bank | payment |
//! | settled | who was paid | delivered | (reversal only) |
//!
//! [`decide`] says what a command comes to, or why it is refused; [`Book`] is a fold of the events. Nothing is
//! ever changed or taken away: a mistake is reversed. Money is under control from commitment on: what is
//! reserved is not available to anybody else.
//!
//! Deliberately lacking: a store, roles (who may ask is decided before), facts about beneficiaries, and every
//! amount that a rule computes.

mod account;
mod book;
mod command;
mod decide;
mod fund;
mod keys;
mod refusal;
mod route;
mod trace;
mod transfer;

pub(crate) use keys::key;

pub use account::{Account, AccountId, AccountIdError, AccountState, Balance, Holder, Layer, Resolution};
pub use book::{Book, Posting, ReplayError};
pub use command::{Command, Event, Reads};
pub use decide::decide;
pub use fund::{DocumentLine, Fund, FundDocument};
pub use keys::{DocumentNumber, FundId, KeyError, Purpose, TransferId, TransferIdError, TransferKey};
pub use refusal::{LedgerCode, LedgerRefusal};
pub use route::Stage;
pub use trace::{Chain, Descent, DescentAccount, Link, Paid, trace_document, trace_holder, trace_transfer};
pub use transfer::{Action, Basis, Draft, Linked, Remainder, Transfer};
