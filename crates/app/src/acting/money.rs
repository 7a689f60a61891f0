//! The book of public money as it stands in the registry.

use model::ledger::{Book, Event};
use store::View;

use super::{ActingError, LEDGER_STREAM};

/// Events that are read at once.
const PAGE: usize = 4_096;

/// The whole book, and the number of its events.
pub fn read_book(view: View<'_>) -> Result<(Book, u64), ActingError> {
    let mut book = Book::new();
    let mut length = 0_u64;
    loop {
        let page = view.stream(LEDGER_STREAM, length, PAGE)?;
        for event in &page {
            let event: Event = serde_json::from_str(&event.payload)
                .map_err(|error| ActingError::damaged(LEDGER_STREAM, error))?;
            book.apply(&event)?;
        }
        length += page.len() as u64;
        if page.len() < PAGE {
            return Ok((book, length));
        }
    }
}
