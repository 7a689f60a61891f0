//! A program in primitive expressions.

use std::collections::{BTreeMap, BTreeSet};

use model::Date;
use pack::program::{Column, ColumnId, Direction, EdgeId, EntityId, Frame, Program, Range};

use crate::EngineError;
use crate::scalar::{self, Kind, Named, Scalar};

/// What expressions may ask of the world.
#[derive(Clone, Copy, Debug)]
pub struct Env {
    /// The day the run is about.
    pub as_of: Date,
}

/// Columns and edges that hold NULL although the program says they never do, because the snapshot is
/// older than the pack or a worked case gives only some facts. Guards are added for them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unknowns {
    pub fields: BTreeSet<ColumnId>,
    pub edges: BTreeSet<EdgeId>,
}

/// A program in primitive expressions, for one date and a set of wanted columns.
#[derive(Clone, Debug)]
pub struct Flat<'p> {
    pub program: &'p Program,
    /// The wanted columns and all they need, fields included.
    pub columns: BTreeMap<ColumnId, FlatColumn>,
    /// Those of them that are computed, each after what it needs.
    pub order: Vec<ColumnId>,
}

/// A column and how it is made.
#[derive(Clone, Debug)]
pub struct FlatColumn {
    pub name: String,
    pub entity: EntityId,
    pub kind: Kind,
    pub nullable: bool,
    /// Bounds of numbers.
    pub range: Option<Range>,
    pub form: Form,
}

#[derive(Clone, Debug)]
pub enum Form {
    Field,
    Scalar {
        /// Columns of the same entity that the value reads, in order.
        helpers: Vec<Named>,
        value: Scalar,
    },
    Lookup {
        edge: EdgeId,
        column: ColumnId,
    },
    Aggregate(FlatAggregate),
    Window(FlatWindow),
}

/// An aggregate as plain SQL knows it: parts that skip NULL, and a value that puts strictness back.
#[derive(Clone, Debug)]
pub struct FlatAggregate {
    pub edge: EdgeId,
    /// Columns of the child that the parts read, in order.
    pub helpers: Vec<Named>,
    pub parts: Vec<Part>,
    /// Over the parts; they are NULL for a parent without children.
    pub value: Scalar,
}

/// `function(argument) FILTER (WHERE filter)`, skipping NULL.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: String,
    pub function: PartFunction,
    /// Absent for `CountRows`.
    pub argument: Option<Scalar>,
    pub filter: Option<Scalar>,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartFunction {
    CountRows,
    Sum,
    Min,
    Max,
    /// Whether some row is true.
    Or,
}

/// A window as plain SQL knows it.
#[derive(Clone, Debug)]
pub struct FlatWindow {
    /// Columns that the calls read, in order.
    pub helpers: Vec<Named>,
    pub calls: Vec<Call>,
    /// Over the calls and columns.
    pub value: Scalar,
}

/// `function(argument) OVER (PARTITION BY … ORDER BY … ROWS …)`, skipping NULL.
#[derive(Clone, Debug)]
pub struct Call {
    pub name: String,
    pub function: CallFunction,
    /// A column; present for `Sum`.
    pub argument: Option<Scalar>,
    /// Columns.
    pub partition: Vec<Scalar>,
    /// Columns.
    pub order: Vec<(Scalar, Direction)>,
    pub frame: Frame,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFunction {
    CountRows,
    Sum,
    RowNumber,
    Rank,
}

pub(super) fn unsound(program: &Program, id: ColumnId, reason: &str) -> EngineError {
    let column = &program.columns[id.index()];
    let entity = &program.entities[column.entity.index()].name;
    EngineError::Program { place: format!("{entity}.{}", column.name), reason: reason.to_owned() }
}

/// The column of a relation that holds the parent's row along an edge.
pub fn edge_column(program: &Program, edge: EdgeId) -> String {
    format!("_{}", program.edges[edge.index()].name)
}

/// A value in the storage kind of its column.
pub(super) fn in_kind(value: Scalar, column: &Column) -> Scalar {
    match Kind::of(&column.ty, column.range) {
        kind @ (Kind::Int | Kind::Wide | Kind::Float) => scalar::cast(value, kind),
        _ => value,
    }
}
