//! Strict aggregates and windows over functions that skip NULL.

use pack::program::{
    Aggregate, AggregateFunction, Column, Comparison, Direction, Frame, Range, Window, WindowFunction,
};

use super::context::Context;
use super::flat::{Call, CallFunction, FlatAggregate, FlatWindow, Part, PartFunction, edge_column, in_kind};
use crate::EngineError;
use crate::interval;
use crate::scalar::{self, Kind, Scalar};

/// The rules of [`Aggregate`] in parts: a value over the children that count, and whether some child
/// makes it unknown.
pub(super) fn aggregate(
    mut context: Context<'_>,
    column: &Column,
    aggregate: &Aggregate,
) -> Result<FlatAggregate, EngineError> {
    let filter = aggregate.filter.as_ref().map(|expr| context.expression(expr)).transpose()?;
    let filter = filter.unwrap_or_else(|| scalar::boolean(true));
    let argument = aggregate.argument.as_ref().map(|expr| context.expression(expr)).transpose()?;
    let kind = Kind::of(&column.ty, column.range);
    let mut parts = Split { column: &column.name, context: &mut context, parts: vec![] };
    let value = match (aggregate.function, argument) {
        (AggregateFunction::Count, _) => parts.count(filter),
        (AggregateFunction::Sum, Some(x)) => parts.sum(filter, x, kind),
        (AggregateFunction::Any, Some(x)) => {
            let holds = parts.context.repeated(scalar::and(vec![filter, x]));
            parts.quantified(holds, true)
        }
        (AggregateFunction::All, Some(x)) => {
            let fails = scalar::and(vec![filter, scalar::not(x)]);
            let fails = parts.context.repeated(fails);
            parts.quantified(fails, false)
        }
        (AggregateFunction::Min, Some(x)) => parts.extreme(filter, x, PartFunction::Min),
        (AggregateFunction::Max, Some(x)) => parts.extreme(filter, x, PartFunction::Max),
        (_, None) => return Err(context.unsound("an aggregate lacks its argument")),
    };
    let parts = parts.parts;
    let value = in_kind(value, column);
    Ok(FlatAggregate { edge: aggregate.edge, helpers: context.helpers, parts, value })
}

struct Split<'a, 'b> {
    column: &'a str,
    context: &'a mut Context<'b>,
    parts: Vec<Part>,
}

impl Split<'_, '_> {
    /// Adds a part and returns the column it becomes, NULL for a parent without children.
    fn part(
        &mut self,
        suffix: &str,
        function: PartFunction,
        argument: Option<Scalar>,
        filter: Scalar,
        kind: Kind,
    ) -> Scalar {
        let name = format!("{}__{suffix}", self.column);
        let filter = (filter != scalar::boolean(true)).then_some(filter);
        self.parts.push(Part { name: name.clone(), function, argument, filter, kind });
        scalar::column(name, kind, true, None)
    }

    /// NULL where some child makes the aggregate unknown, else the value.
    fn guarded(&mut self, unknown: Scalar, value: Scalar) -> Scalar {
        if unknown == scalar::boolean(false) {
            return value;
        }
        let everywhere = scalar::boolean(true);
        let unknown = self.part("unknown", PartFunction::Or, Some(unknown), everywhere, Kind::Bool);
        let kind = value.kind;
        scalar::case(vec![(unknown, scalar::null(kind))], Some(value))
    }

    fn count(&mut self, filter: Scalar) -> Scalar {
        let filter = self.context.repeated(filter);
        let unknown = scalar::is_null(filter.clone());
        let rows = self.part("count", PartFunction::CountRows, None, filter, Kind::Int);
        let rows = scalar::coalesce(vec![rows, scalar::number(0)]);
        self.guarded(unknown, rows)
    }

    fn sum(&mut self, filter: Scalar, x: Scalar, kind: Kind) -> Scalar {
        let (filter, x) = (self.context.repeated(filter), self.context.repeated(x));
        let zero = if kind == Kind::Float { scalar::float(0.0) } else { scalar::number(0) };
        let unknown_filter = scalar::and(vec![
            scalar::is_null(filter.clone()),
            scalar::or(vec![
                scalar::is_null(x.clone()),
                scalar::compare(Comparison::NotEqual, x.clone(), zero.clone()),
            ]),
        ]);
        let unknown_value = scalar::and(vec![filter.clone(), scalar::is_null(x.clone())]);
        let unknown = scalar::or(vec![unknown_filter, unknown_value]);
        let argument = scalar::cast(x, kind);
        let sum = self.part("sum", PartFunction::Sum, Some(argument), filter, kind);
        let sum = scalar::coalesce(vec![sum, zero]);
        self.guarded(unknown, sum)
    }

    /// `Any` over what holds, or `All` over what fails: one true child decides, then one unknown.
    fn quantified(&mut self, decisive: Scalar, decided: bool) -> Scalar {
        let everywhere = scalar::boolean(true);
        let unknown = scalar::is_null(decisive.clone());
        let found = self.part("some", PartFunction::Or, Some(decisive), everywhere, Kind::Bool);
        let rest = self.guarded(unknown, scalar::boolean(!decided));
        scalar::case(vec![(found, scalar::boolean(decided))], Some(rest))
    }

    fn extreme(&mut self, filter: Scalar, x: Scalar, function: PartFunction) -> Scalar {
        let (filter, x) = (self.context.repeated(filter), self.context.repeated(x));
        let missing = scalar::and(vec![filter.clone(), scalar::is_null(x.clone())]);
        let unknown = scalar::or(vec![scalar::is_null(filter.clone()), missing]);
        let (kind, range) = (x.kind, x.range);
        let value = self.part("extreme", function, Some(x), filter, kind);
        self.guarded(unknown, Scalar { range, ..value })
    }
}

/// The rules of [`Window`]: NULL without a parent, where an order or partition value of a sibling is
/// unknown, or where an argument in the frame is.
pub(super) fn window(
    mut context: Context<'_>,
    column: &Column,
    window: &Window,
    edge_nullable: bool,
) -> Result<FlatWindow, EngineError> {
    let program = context.program;
    let parent = scalar::column(edge_column(program, window.edge), Kind::Int, edge_nullable, None);
    let mut partition = vec![parent.clone()];
    for expr in &window.partition {
        let value = context.expression(expr)?;
        partition.push(context.atom(value));
    }
    let mut order = vec![];
    for (expr, direction) in &window.order {
        let value = context.expression(expr)?;
        order.push((context.atom(value), *direction));
    }
    let unordered = unknown_any(partition[1..].iter().chain(order.iter().map(|(value, _)| value)));
    if window.function != WindowFunction::Rank {
        let key = program.entities[program.edges[window.edge.index()].child.index()].key;
        order.push((context.column(key)?, Direction::Ascending));
    }
    let argument = window.argument.as_ref().map(|expr| context.expression(expr)).transpose()?;
    let argument = argument.map(|value| context.atom(value));
    let kind = Kind::of(&column.ty, column.range);
    let mut calls = Windowed {
        column: &column.name,
        frame: window.frame,
        partition,
        order,
        context: &mut context,
        calls: vec![],
    };
    let value = match (window.function, &argument) {
        (WindowFunction::Sum, Some(x)) => {
            let zero = if kind == Kind::Float { scalar::float(0.0) } else { scalar::number(0) };
            let sum = calls.call("sum", CallFunction::Sum, Some(scalar::cast(x.clone(), kind)), kind);
            scalar::coalesce(vec![sum, zero])
        }
        (WindowFunction::Sum, None) => {
            return Err(calls.context.unsound("a window sum lacks its argument"));
        }
        (WindowFunction::Count, _) => calls.call("count", CallFunction::CountRows, None, Kind::Int),
        (WindowFunction::RowNumber, _) => calls.call("number", CallFunction::RowNumber, None, Kind::Int),
        (WindowFunction::Rank, _) => calls.call("rank", CallFunction::Rank, None, Kind::Int),
    };
    let mut unknown = vec![scalar::is_null(parent)];
    if unordered != scalar::boolean(false) {
        unknown.push(calls.some_sibling(unordered));
    }
    if let Some(argument) = argument.filter(|argument| argument.nullable) {
        unknown.push(calls.some_in_frame(scalar::is_null(argument)));
    }
    let calls = calls.calls;
    let kind = value.kind;
    let value = scalar::case(vec![(scalar::or(unknown), scalar::null(kind))], Some(value));
    Ok(FlatWindow { helpers: context.helpers, calls, value: in_kind(value, column) })
}

fn unknown_any<'a>(values: impl Iterator<Item = &'a Scalar>) -> Scalar {
    scalar::or(values.cloned().map(scalar::is_null).collect())
}

struct Windowed<'a, 'b> {
    column: &'a str,
    frame: Frame,
    partition: Vec<Scalar>,
    order: Vec<(Scalar, Direction)>,
    context: &'a mut Context<'b>,
    calls: Vec<Call>,
}

impl Windowed<'_, '_> {
    fn call(&mut self, suffix: &str, function: CallFunction, argument: Option<Scalar>, kind: Kind) -> Scalar {
        let name = format!("{}__{suffix}", self.column);
        let numbering = matches!(function, CallFunction::RowNumber | CallFunction::Rank);
        let whole = self.frame == Frame::All && !numbering;
        let order = if whole { vec![] } else { self.order.clone() };
        let (partition, frame) = (self.partition.clone(), self.frame);
        // DataFusion's elimination of common sub-expressions would take an argument out of a window and
        // leave the call itself in a projection, where it cannot be executed.
        let argument = argument.map(|argument| self.context.settled(argument));
        let nullable = function == CallFunction::Sum;
        self.calls.push(Call { name: name.clone(), function, argument, partition, order, frame, kind });
        scalar::column(name, kind, nullable, None)
    }

    /// Whether a condition that is never NULL holds for some child of the same parent.
    fn some_sibling(&mut self, condition: Scalar) -> Scalar {
        let name = format!("{}__unordered", self.column);
        self.calls.push(Call {
            name: name.clone(),
            function: CallFunction::Sum,
            argument: Some(self.context.settled(flag(condition))),
            partition: self.partition[..1].to_vec(),
            order: vec![],
            frame: Frame::All,
            kind: Kind::Int,
        });
        let range = Range { min: 0, max: interval::LONG.max };
        let rows = scalar::column(name, Kind::Int, false, Some(range));
        scalar::greater(rows, scalar::number(0))
    }

    /// Whether a condition that is never NULL holds for some row of the frame. NULL for an empty frame.
    fn some_in_frame(&mut self, condition: Scalar) -> Scalar {
        let rows = self.call("unknown", CallFunction::Sum, Some(flag(condition)), Kind::Int);
        scalar::greater(rows, scalar::number(0))
    }
}

fn flag(condition: Scalar) -> Scalar {
    scalar::case(vec![(condition, scalar::number(1))], Some(scalar::number(0)))
}
