//! The ids of batches, lines and layouts.

use crate::ledger::key;

key! {
    /// The id of a batch of payments.
    BatchId, "an id of a batch", 50, "none of them a control character, `/` or `#`",
    |char| !matches!(char, '/' | '#')
}

key! {
    /// The id of a line within its batch. It goes into the bank's file if the layout has a column for it.
    LineId, "an id of a line", 50, "none of them a control character, `/` or `#`",
    |char| !matches!(char, '/' | '#')
}

key! {
    /// The id of a bank's layout, as a pack declares it.
    LayoutId, "an id of a layout", 63, "lower-case letters, digits, `-` and `_`",
    |char| matches!(char, 'a'..='z' | '0'..='9' | '-' | '_')
}
