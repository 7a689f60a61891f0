//! From the language's words to primitive expressions.
//!
//! Parameters become literals, ages and brackets become arithmetic, guards against the unknown become
//! CASE branches, rounding becomes integer division. A part that would be written twice becomes a
//! helper column (`income__1`), so that an expression never grows out of proportion.

mod context;
mod dates;
mod expression;
mod relational;
mod rounding;

use std::collections::{BTreeMap, BTreeSet};

use model::Date;
use pack::program::{Column, ColumnId, ColumnKind, Direction, EdgeId, EntityId, Frame, Program, Range};

use crate::EngineError;
use crate::scalar::{self, Kind, Named, Scalar};
use context::Context;
pub(crate) use expression::decimals;

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

/// Desugars the wanted columns and all they need.
///
/// # Errors
/// [`EngineError::Program`] if the program is not what the compiler promises.
pub fn desugar<'p>(
    program: &'p Program,
    env: Env,
    unknowns: &Unknowns,
    wanted: impl IntoIterator<Item = ColumnId>,
) -> Result<Flat<'p>, EngineError> {
    let needed = program.needed_by(wanted);
    let mut flat = Flat { program, columns: BTreeMap::new(), order: vec![] };
    for id in &needed {
        let column = &program.columns[id.index()];
        if matches!(column.kind, ColumnKind::Field(_)) {
            let nullable = column.nullable || unknowns.fields.contains(id);
            flat.columns.insert(*id, flat_column(column, nullable, Form::Field));
        }
    }
    for id in program.order.iter().filter(|id| needed.contains(id)) {
        let column = flatten(&flat, env, unknowns, *id)?;
        flat.columns.insert(*id, column);
        flat.order.push(*id);
    }
    match needed.iter().find(|id| !flat.columns.contains_key(id)) {
        Some(id) => Err(unsound(program, *id, "it is missing from the order of computation")),
        None => Ok(flat),
    }
}

fn flat_column(column: &Column, nullable: bool, form: Form) -> FlatColumn {
    FlatColumn {
        name: column.name.clone(),
        entity: column.entity,
        kind: Kind::of(&column.ty, column.range),
        nullable,
        range: column.range,
        form,
    }
}

fn flatten(flat: &Flat<'_>, env: Env, unknowns: &Unknowns, id: ColumnId) -> Result<FlatColumn, EngineError> {
    let column = &flat.program.columns[id.index()];
    match &column.kind {
        ColumnKind::Field(_) => Err(unsound(flat.program, id, "a field is in the order of computation")),
        ColumnKind::Scalar(expr) => {
            let mut context = Context::new(flat, env, id, "");
            let value = context.expression(expr)?;
            let value = in_kind(value, column);
            let nullable = value.nullable;
            Ok(flat_column(column, nullable, Form::Scalar { helpers: context.helpers, value }))
        }
        ColumnKind::Lookup { edge, column: source } => {
            let parent = flat.columns.get(source);
            let parent =
                parent.ok_or_else(|| unsound(flat.program, id, "it is computed before its source"))?;
            let edge_nullable = edge_nullable(flat.program, unknowns, *edge);
            let form = Form::Lookup { edge: *edge, column: *source };
            Ok(flat_column(column, parent.nullable || edge_nullable, form))
        }
        ColumnKind::Aggregate(aggregate) => {
            let context = Context::new(flat, env, id, "c");
            let aggregate = relational::aggregate(context, column, aggregate)?;
            let nullable = aggregate.value.nullable;
            Ok(flat_column(column, nullable, Form::Aggregate(aggregate)))
        }
        ColumnKind::Window(window) => {
            let context = Context::new(flat, env, id, "");
            let edge_nullable = edge_nullable(flat.program, unknowns, window.edge);
            let window = relational::window(context, column, window, edge_nullable)?;
            let nullable = window.value.nullable;
            Ok(flat_column(column, nullable, Form::Window(window)))
        }
    }
}

fn edge_nullable(program: &Program, unknowns: &Unknowns, edge: EdgeId) -> bool {
    !program.edges[edge.index()].required || unknowns.edges.contains(&edge)
}

/// A value in the storage kind of its column.
fn in_kind(value: Scalar, column: &Column) -> Scalar {
    match Kind::of(&column.ty, column.range) {
        kind @ (Kind::Int | Kind::Wide | Kind::Float) => scalar::cast(value, kind),
        _ => value,
    }
}

fn unsound(program: &Program, id: ColumnId, reason: &str) -> EngineError {
    let column = &program.columns[id.index()];
    let entity = &program.entities[column.entity.index()].name;
    EngineError::Program { place: format!("{entity}.{}", column.name), reason: reason.to_owned() }
}

/// The column of a relation that holds the parent's row along an edge.
pub fn edge_column(program: &Program, edge: EdgeId) -> String {
    format!("_{}", program.edges[edge.index()].name)
}
