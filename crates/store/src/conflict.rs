//! What a write was to change and another has changed meanwhile.

use pack::program::{ColumnId, Value};

/// What the writer of a record takes for granted about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Nothing: whatever is recorded is replaced, as an import does.
    #[default]
    Any,
    /// That there is no such record.
    Absent,
    /// That this was its last change ([`crate::RecordState::change`]).
    Change(u64),
}

/// Why a write was answered `changed-meanwhile`.
#[derive(Clone, Debug, PartialEq)]
pub enum Conflict {
    Stream(StreamConflict),
    Record(RecordConflict),
}

/// A stream that was longer or shorter than its writer knew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamConflict {
    pub stream: String,
    /// Number of events that the writer knew of.
    pub expected: u64,
    /// Number of events that there are.
    pub found: u64,
}

/// A record that is not as its writer knew it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordConflict {
    pub entity: String,
    pub key: String,
    pub expected: Expected,
    /// The last change of the record; `None` if there is no such record (any more).
    pub found: Option<u64>,
    /// The fields of which what is recorded now differs from what the writer saw or wanted, in the pack's order.
    pub fields: Vec<FieldConflict>,
}

/// The values of one field, `None` where unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldConflict {
    pub column: ColumnId,
    pub name: String,
    /// As of the change that the writer expected.
    pub seen: Option<Value>,
    /// As recorded now.
    pub now: Option<Value>,
    /// As it was to be written; as seen, if the write did not carry the field.
    pub given: Option<Value>,
}
