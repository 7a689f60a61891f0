//! From the language's words to primitive expressions.
//!
//! Parameters become literals, ages and brackets become arithmetic, guards against the unknown become
//! CASE branches, rounding becomes integer division. A part that would be written twice becomes a
//! helper column (`income__1`), so that an expression never grows out of proportion.

mod context;
mod dates;
mod expression;
mod flat;
mod relational;
mod rounding;

use std::collections::BTreeMap;

use pack::program::{Column, ColumnId, ColumnKind, EdgeId, Program};

use crate::EngineError;
use crate::scalar::Kind;
use context::Context;
use flat::{in_kind, unsound};

pub(crate) use expression::decimals;
pub use flat::{
    Call, CallFunction, Env, Flat, FlatAggregate, FlatColumn, FlatWindow, Form, Part, PartFunction, Unknowns,
    edge_column,
};

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
