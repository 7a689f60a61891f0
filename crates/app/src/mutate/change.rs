//! What can be changed in a rule, and how it is told.

use model::Date;
use pack::program::{AggregateFunction, ColumnId, Comparison, EdgeId, ParameterShape, Program};

/// What is changed to what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// `<` and `<=`, `>` and `>=`, `=` and `<>`.
    Comparison(Symbol),
    AndToOr,
    OrToAnd,
    AddToSub,
    SubToAdd,
    MulToDiv,
    DivToMul,
    /// NOT is left out.
    Not,
    /// A number one more in its last written place.
    Number,
    /// TRUE and FALSE.
    Bool,
    /// FILTER is left out.
    Filter,
    /// A part of an AND is left out.
    Conjunct(usize),
    /// `min` and `max`, `bool_or` and `bool_and`; `max` for `sum`.
    Aggregate(Function),
    /// One code more in the list of IN.
    CodeAdded(String),
    /// One code less in it.
    CodeRemoved(String),
    /// IS NULL and IS NOT NULL.
    IsUnknown,
    /// The last value of `coalesce` is left out.
    Default,
    /// Another field of the same record, of the same type.
    Field {
        from: ColumnId,
        to: ColumnId,
    },
    /// Another edge between the same two entities.
    Join {
        from: EdgeId,
        to: EdgeId,
    },
    /// The value in force on the date of the run, not on the day named.
    At,
    /// Money is rounded in another way.
    Rounding,
    /// The share of a target, one half of it.
    Share {
        column: String,
        share: i64,
    },
    /// A value of a parameter that is in force a day later, or earlier.
    ParameterDate {
        parameter: u32,
        dated: usize,
        later: bool,
    },
    /// A value of a parameter one more in its last place.
    Parameter {
        parameter: u32,
        dated: usize,
        entry: Entry,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Symbol {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What an aggregate computes, where another could stand in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    Sum,
    Min,
    Max,
    Any,
    All,
}

/// Which number of a parameter's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    Whole,
    Code(String),
    BracketFrom(usize),
    BracketRate(usize),
}

impl Change {
    /// What is reported together.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Comparison(_) => "comparison",
            Self::AndToOr | Self::OrToAnd | Self::Not | Self::Bool => "logic",
            Self::AddToSub | Self::SubToAdd | Self::MulToDiv | Self::DivToMul => "arithmetic",
            Self::Number => "number",
            Self::Filter => "filter",
            Self::Parameter { .. } => "parameter",
            Self::Conjunct(_) => "conjunct",
            Self::Aggregate(_) => "aggregate",
            Self::CodeAdded(_) => "code-added",
            Self::CodeRemoved(_) => "code-removed",
            Self::IsUnknown => "is-null",
            Self::Default => "coalesce",
            Self::Field { .. } => "field",
            Self::Join { .. } => "join",
            Self::At => "at",
            Self::Rounding => "rounding",
            Self::Share { .. } => "share",
            Self::ParameterDate { .. } => "parameter-date",
        }
    }

    /// What is told of it.
    pub(super) fn told(&self, program: &Program) -> String {
        let instead = |new: &str, old: &str| format!("`{new}` instead of `{old}`");
        match self {
            Self::Comparison(symbol) => {
                let other = match symbol {
                    Symbol::Equal => "<>",
                    Symbol::NotEqual => "=",
                    Symbol::Less => "<=",
                    Symbol::LessOrEqual => "<",
                    Symbol::Greater => ">=",
                    Symbol::GreaterOrEqual => ">",
                };
                instead(other, symbol.text())
            }
            Self::AndToOr => instead("OR", "AND"),
            Self::OrToAnd => instead("AND", "OR"),
            Self::Not => "without `NOT`".to_owned(),
            Self::Bool => "the other truth value".to_owned(),
            Self::AddToSub => instead("-", "+"),
            Self::SubToAdd => instead("+", "-"),
            Self::MulToDiv => instead("/", "*"),
            Self::DivToMul => instead("*", "/"),
            Self::Number => "one more in the last place".to_owned(),
            Self::Filter => "without the filter".to_owned(),
            Self::Conjunct(part) => format!("without part {} of the AND", part + 1),
            Self::Aggregate(function) => {
                instead(Function::of(function.other()).map_or("count", Function::name), function.name())
            }
            Self::CodeAdded(code) => format!("with `{code}` in the list"),
            Self::CodeRemoved(code) => format!("without `{code}` in the list"),
            Self::IsUnknown => "IS NULL and IS NOT NULL exchanged".to_owned(),
            Self::Default => "without the last value of `coalesce`".to_owned(),
            Self::Field { from, to } => instead(&program.column(*to).name, &program.column(*from).name),
            Self::Join { from, to } => instead(&program.edge(*to).name, &program.edge(*from).name),
            Self::At => "the value in force on the date of the run".to_owned(),
            Self::Rounding => "money rounded in another way".to_owned(),
            Self::Share { .. } => "half the share of the target".to_owned(),
            Self::ParameterDate { parameter, dated, later } => {
                let from = from_of(&program.parameters[*parameter as usize].shape, *dated);
                format!("the value from {from} in force a day {}", if *later { "later" } else { "earlier" })
            }
            Self::Parameter { parameter, dated, entry } => {
                let shape = &program.parameters[*parameter as usize].shape;
                let from = from_of(shape, *dated);
                let which = match entry {
                    Entry::Whole => String::new(),
                    Entry::Code(code) => format!(" for `{code}`"),
                    Entry::BracketFrom(step) => format!(", where bracket {} begins,", step + 1),
                    Entry::BracketRate(step) => format!(" in bracket {}", step + 1),
                };
                format!("the value from {from}{which} one more in its last place")
            }
        }
    }
}

/// The first day of one of a parameter's values.
fn from_of(shape: &ParameterShape, dated: usize) -> Date {
    match shape {
        ParameterShape::Scalar(values) => values[dated].from,
        ParameterShape::Table { values, .. } => values[dated].from,
        ParameterShape::Brackets { values, .. } => values[dated].from,
    }
}

impl Function {
    pub(super) fn of(function: AggregateFunction) -> Option<Self> {
        Some(match function {
            AggregateFunction::Count => return None,
            AggregateFunction::Sum => Self::Sum,
            AggregateFunction::Min => Self::Min,
            AggregateFunction::Max => Self::Max,
            AggregateFunction::Any => Self::Any,
            AggregateFunction::All => Self::All,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Any => "bool_or",
            Self::All => "bool_and",
        }
    }

    pub(super) fn other(self) -> AggregateFunction {
        match self {
            Self::Sum | Self::Min => AggregateFunction::Max,
            Self::Max => AggregateFunction::Min,
            Self::Any => AggregateFunction::All,
            Self::All => AggregateFunction::Any,
        }
    }
}

impl Symbol {
    pub(super) fn of(op: Comparison) -> Self {
        match op {
            Comparison::Equal => Self::Equal,
            Comparison::NotEqual => Self::NotEqual,
            Comparison::Less => Self::Less,
            Comparison::LessOrEqual => Self::LessOrEqual,
            Comparison::Greater => Self::Greater,
            Comparison::GreaterOrEqual => Self::GreaterOrEqual,
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// The neighbour of a comparison: the boundary moves, or equality turns.
pub(super) fn neighbour(op: Comparison) -> Comparison {
    match op {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::LessOrEqual,
        Comparison::LessOrEqual => Comparison::Less,
        Comparison::Greater => Comparison::GreaterOrEqual,
        Comparison::GreaterOrEqual => Comparison::Greater,
    }
}
