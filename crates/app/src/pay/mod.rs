//! Payments: a batch from approved decisions, the bank's files, returns, corrections, reconciliation.
//!
//! Each act is one transaction: the events of the batch, what they post to the book, and the transfers that were
//! really delivered, which are the records that audits read. Names and account numbers come from the registry for the
//! moment of writing and matching, and are in no event.
//!
//! Deliberately lacking: the bank itself. A file is written for it, and its files are read.

mod batch;
mod correct;
mod file;
mod payees;
mod plan;
mod record;
mod returns;

pub use batch::{BatchView, StoredEvent, list, show};
pub use correct::{Correct, correct};
pub use file::{acknowledge, file};
pub use plan::{LeftOut, Plan, Planned, again, plan};
pub use returns::{receive_file, reconcile};
