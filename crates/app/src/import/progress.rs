//! How far an import is, for whoever waits.

/// What an import is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Reading,
    Checking,
    Storing,
    Reporting,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub phase: Phase,
    /// Rows done in this phase.
    pub done: u64,
    /// Rows to be done, where that is known.
    pub total: Option<u64>,
}
