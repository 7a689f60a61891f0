//! What all acts of an office have in common: who acts and when, the facts of the day, and one transaction in which
//! events, records, postings and leaves of the public log are written together or not at all.
//!
//! Deliberately lacking: accounts and passwords (a role is what the caller says it is, until there are accounts), and
//! the clock and randomness, which the caller gives.

mod deed;
mod error;
mod facts;
mod money;
mod places;
mod salts;

pub use deed::{Deed, LOG_STREAM, LogEntry, Randomness};
pub use error::ActingError;
pub use facts::{Known, Pending, known, missing};
pub use money::read_book;
pub use places::{county_of, division_above, record_text};
pub use salts::Salts;

use model::{Date, Moment};

/// The stream that holds the events of the book.
pub const LEDGER_STREAM: &str = "ledger";

/// Who acts, in which role, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acting {
    /// As the pack names roles: `township`.
    pub role: String,
    /// The person, the same in every role; the key of their household or person where they act for their own.
    pub name: String,
    /// The clock: when it is recorded.
    pub at: Moment,
    /// The day on which it counts, which is that of the clock unless another is given.
    pub on: Date,
}

impl Acting {
    /// The moment on the day that counts, at the clock's time of day.
    pub fn effective_at(&self) -> Moment {
        let day_ms = 86_400_000_i64;
        let ahead = i64::from(self.on.days()) - i64::from(self.at.day().days());
        Moment::from_unix_ms(self.at.unix_ms() + ahead * day_ms)
    }

    pub(crate) fn recorded_at(&self) -> Moment {
        self.at
    }
}
