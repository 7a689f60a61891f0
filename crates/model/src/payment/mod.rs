//! Payments through a bank: a batch from plan to closing, and the files that go out and come back.
//!
//! A batch is planned from verified obligations, which it reserves in the book ([`postings`]). Its file is
//! rendered by a declared layout ([`render`]), and return files are read by one ([`receive`]): a row is matched
//! with exactly one line by the declared columns, and a file counts in whole or not at all. What the bank says
//! counts: sent is not paid, and a batch is reconciled when every fen of every line was delivered or returned and
//! the bank's statement agrees. A returned line is corrected by a decision and paid again, once, by a later batch.
//!
//! Payees are known by a commitment and by masked text. Names and account numbers come from outside for the
//! moment of rendering and matching, and are in no event.
//!
//! Deliberately lacking: transport of files, roles, and any layout; layouts are data of a pack.

mod batch;
mod decide;
mod fault;
mod ids;
mod layout;
mod line;
mod matching;
mod parse;
mod payee;
mod postings;
mod refusal;
mod render;

pub use batch::{Batch, BatchEvent, BatchPlan, BatchReplayError, BatchStage, fold, replay};
pub use decide::{BatchCommand, decide, plan_again};
pub use fault::{FileCode, FileFault};
pub use ids::{BatchId, LayoutId, LineId};
pub use layout::{
    Align, BankLayout, Column, Encoding, Field, FileLayout, Format, LayoutProblem, Meaning, Newline,
    StatusCode, Totals, TotalsPlace,
};
pub use line::{
    Correction, Delivery, Disposition, Line, LineOutcome, LineRef, LineState, OutcomeKind, Return, Statement,
};
pub use matching::{ReceiveError, match_rows, receive};
pub use parse::{ReturnFile, ReturnRow, parse};
pub use payee::{MaskedPayee, Payee, PayeeCommitment, Payees};
pub use postings::{openings, postings};
pub use refusal::{PaymentCode, PaymentRefusal};
pub use render::render;
