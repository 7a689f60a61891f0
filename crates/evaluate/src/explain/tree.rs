//! What an explanation consists of.

use model::{ClauseId, Date, Text};
use pack::program::{RuleKind, Source, Value};

use crate::interpret::Provenance;

/// One subject's result, explained.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Pack id and version.
    pub pack: (String, String),
    pub as_of: Date,
    pub subject: Subject,
    pub heading: Heading,
    /// The answers to the question, each with its tree. The first is the verdict or value itself;
    /// amounts, exceptions and parts follow.
    pub answers: Vec<Answer>,
    /// Two or more exceptions of the rule that apply at once.
    pub conflict: Option<Conflict>,
    /// Messages of findings about the subject that concern this rule.
    pub findings: Vec<Text>,
    /// Titles of the parts of a standard that the subject does not meet.
    pub lacks: Vec<Text>,
    /// The message of a check that fails.
    pub message: Option<Text>,
    /// Field to mend where a check fails.
    pub mend: Option<Text>,
    /// Why the result is unknown, if it is.
    pub missing: Vec<Gap>,
    /// The readings of open words that the result rests on, by id of the parameter.
    pub readings: Vec<ReadingNote>,
    /// What would turn the verdict; of a number without a verdict, whether it is above zero.
    pub turns: Turns,
    /// What would make the amount of a benefit positive, where it is due and comes to nothing.
    pub amount_turns: Turns,
}

/// The record a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Name and label of the entity.
    pub entity: String,
    pub label: Text,
    pub key: String,
}

/// The rule (or the column, where no rule owns it) that was asked about.
#[derive(Clone, Debug)]
pub struct Heading {
    pub id: String,
    pub kind: Option<RuleKind>,
    pub title: Text,
    pub clauses: Vec<Citation>,
}

/// A clause with its summary; empty if the pack does not know the clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    pub id: ClauseId,
    pub summary: Text,
}

/// One column of the rule.
#[derive(Clone, Debug)]
pub struct Answer {
    pub role: Role,
    pub title: Text,
    pub tree: Node,
}

/// What a column is to its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Entitled, holds, fails, owed, or the value of a variable or measure.
    Result,
    Amount,
    /// Whether a standard is about the subject at all.
    Applies,
    /// Condition of an exception.
    Exception,
    /// Named part of a standard.
    Part,
    /// Whether a duty is met.
    Met,
    /// What has become of a duty, and the days that decide it.
    State,
    /// What of a benefit is owed, was paid and is outstanding in its period.
    Payment,
    Numerator,
    Denominator,
}

/// A parameter that gives an open word of the law a meaning that can be computed.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadingNote {
    pub parameter: String,
    pub label: Text,
    /// The open word.
    pub word: Text,
    /// The value on the day of the run, where it is a single one.
    pub shown: Option<Text>,
    /// Since when it holds, and on whose word; nothing where none is in force on the day of the run.
    pub in_force: Option<(Date, Source)>,
}

/// Exceptions that contradict one another for the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The clauses of each exception that applies.
    pub clauses: Vec<Vec<Citation>>,
    pub text: Text,
}

/// A condition's truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    True,
    False,
    Unknown,
    /// It could not be computed.
    Error,
}

/// A step of the explanation.
#[derive(Clone, Debug)]
pub struct Node {
    /// Unique within the explanation.
    pub id: u32,
    pub kind: NodeKind,
    /// The step in words, values included.
    pub text: Text,
    /// Of conditions only.
    pub verdict: Option<Verdict>,
    /// `None` is unknown, and also an error (see `verdict` and `text`).
    pub value: Option<Value>,
    /// Decimals of a number.
    pub decimals: u8,
    /// The value formatted with its unit.
    pub shown: Text,
    /// The column of a record that the step is about.
    pub column: Option<ColumnNote>,
    /// Where the fact was recorded.
    pub provenance: Option<Provenance>,
    /// Since when a parameter is in force, and on whose word.
    pub in_force: Option<(Date, Source)>,
    /// The step that already shows what this one rests on.
    pub see: Option<u32>,
    pub children: Vec<Node>,
}

/// Which column of which record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnNote {
    pub entity: String,
    pub key: String,
    pub name: String,
    pub label: Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// All children must hold.
    And,
    /// One child suffices.
    Or,
    Not,
    Compare,
    Case,
    /// Any other operation on values.
    Operation,
    /// A computed column by name.
    Column,
    /// A recorded field.
    Fact,
    /// A computed column whose value was given with the facts.
    Given,
    Parameter,
    /// One bracket of a scale.
    Bracket,
    Aggregate,
    Window,
    /// A record that an aggregate or window goes over.
    Record,
    Literal,
    /// A parent that is not there.
    NoParent,
    /// Says what is left out.
    Note,
}

impl NodeKind {
    /// Stable name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Not => "not",
            Self::Compare => "compare",
            Self::Case => "case",
            Self::Operation => "operation",
            Self::Column => "column",
            Self::Fact => "fact",
            Self::Given => "given",
            Self::Parameter => "parameter",
            Self::Bracket => "bracket",
            Self::Aggregate => "aggregate",
            Self::Window => "window",
            Self::Record => "record",
            Self::Literal => "literal",
            Self::NoParent => "no-parent",
            Self::Note => "note",
        }
    }
}

/// Something without which the result stays unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub kind: GapKind,
    /// The record, and its field or column.
    pub column: ColumnNote,
    pub text: Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GapKind {
    /// A recorded field is unknown.
    Fact,
    /// The parent that the field names is not there.
    Parent,
    /// A stored result is unknown.
    Given,
    /// A divisor is zero.
    DivisionByZero,
    /// A parameter has no value for the record's date or code.
    NoParameter,
    /// No calendar has the date.
    NoSuchDate,
    /// An aggregate that needs one has no child.
    NoChild,
    /// Exceptions that apply at once leave it open.
    Conflict,
    /// No case applies.
    NoCase,
}

impl GapKind {
    /// Stable name, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Parent => "parent",
            Self::Given => "given",
            Self::DivisionByZero => "division-by-zero",
            Self::NoParameter => "no-parameter",
            Self::NoSuchDate => "no-such-date",
            Self::NoChild => "no-child",
            Self::Conflict => "conflict",
            Self::NoCase => "no-case",
        }
    }
}

/// Changes that would turn the verdict.
#[derive(Clone, Debug)]
pub enum Turns {
    /// There is no verdict to turn (unknown, an error, a date, a code), or none was asked for.
    NotAsked,
    /// Smallest first.
    Found(Vec<Turn>),
    /// Nothing within the declared ranges of the fields turns it. `exhaustive` is false where the
    /// work allowed ran out first.
    None { exhaustive: bool },
}

/// Facts that, changed together, turn the verdict.
#[derive(Clone, Debug)]
pub struct Turn {
    pub changes: Vec<TurnChange>,
}

#[derive(Clone, Debug)]
pub struct TurnChange {
    pub column: ColumnNote,
    pub old: Option<Value>,
    pub new: Value,
    /// Decimals of a number.
    pub decimals: u8,
    /// Old and new formatted.
    pub old_shown: Text,
    pub new_shown: Text,
    /// For numbers and dates: how far it moves, as a share of the old value (in days for dates).
    pub size: f64,
}

impl Explanation {
    /// The tree of the verdict or value.
    pub fn root(&self) -> &Node {
        &self.answers[0].tree
    }
}
