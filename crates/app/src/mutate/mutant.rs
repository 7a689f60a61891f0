//! One change of a pack.

/// A change with where it stands and whether a case noticed.
#[derive(Clone, Debug)]
pub struct Mutant {
    pub file: String,
    pub line: u32,
    pub column: u32,
    /// The text that is changed.
    pub text: String,
    pub change: String,
    /// What is reported together ([`super::Change::kind`]).
    pub kind: &'static str,
    pub caught: bool,
}
