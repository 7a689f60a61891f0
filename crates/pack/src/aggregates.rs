//! Aggregates over children, one column along each edge.

use crate::compiler::{Compiler, Context, Shape, compare, number};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::expression::Reading;
use crate::program::{
    Aggregate, AggregateFunction, ColumnKind, Comparison, EdgeId, EntityId, Expr, ExprKind, NumberType,
    Range, Span, Type,
};
use sqlparser::ast::Expr as Sql;

impl Compiler<'_> {
    pub fn aggregate(
        &mut self,
        function: AggregateFunction,
        arguments: &[&Sql],
        filter: Option<&Sql>,
        reading: &Reading<'_>,
        context: &mut Context,
        span: Span,
    ) -> Option<Expr> {
        if context.child.is_some() {
            self.report(
                Diagnostic::new("nested-aggregate", span, "an aggregate inside an aggregate".to_owned())
                    .hint("declare the inner one as a variable of the child"),
            );
            return None;
        }
        let [argument] = arguments else {
            let hint = match function {
                AggregateFunction::Max if arguments.len() > 1 => {
                    "the larger of several values is `greatest(a, b)`"
                }
                AggregateFunction::Min if arguments.len() > 1 => {
                    "the smaller of several values is `least(a, b)`"
                }
                _ => "write `count(person)` or `sum(person.x)`",
            };
            self.report(
                Diagnostic::new("argument", span, "an aggregate takes one argument".to_owned()).hint(hint),
            );
            return None;
        };
        let child_name = first_name(argument).or_else(|| filter.and_then(first_name));
        let Some(child_name) = child_name else {
            self.report(
                Diagnostic::new(
                    "argument",
                    span,
                    "the aggregate does not say over which children".to_owned(),
                )
                .hint("name columns with their entity: `sum(person.x)`"),
            );
            return None;
        };
        let on = self.program.entity(context.entity).name.clone();
        let path = self
            .program
            .entity_named(&child_name)
            .and_then(|child| self.edges_down(child, context.entity).map(|edges| (child, edges)));
        let Some((child, edges)) = path else {
            let below: Vec<String> = (0..self.program.entities.len() as u32)
                .map(EntityId)
                .filter(|other| self.edges_down(*other, context.entity).is_some())
                .map(|other| self.program.entity(other).name.clone())
                .collect();
            let own = self.names_of(context.entity).contains(&child_name);
            let hint = own
                .then(|| {
                    "an aggregate runs over children: name their column, like `sum(person.x)`".to_owned()
                })
                .or_else(|| did_you_mean(&child_name, below.iter().map(String::as_str)));
            self.report(
                Diagnostic::new("unknown-edge", span, format!("`{on}` has no children `{child_name}`"))
                    .hint_opt(hint)
                    .label("not below it"),
            );
            return None;
        };
        let mut inner = Context {
            entity: child,
            child: Some(child_name.clone()),
            round: context.round,
            rule: context.rule,
            timing: context.timing,
            path: Vec::new(),
        };
        let filter = match filter {
            Some(filter) => Some(self.condition(filter, reading, &mut inner)?),
            None => None,
        };
        inner.path.extend(filter.clone());
        let argument = if function == AggregateFunction::Count {
            if !matches!(argument, Sql::Identifier(name) if name.value == child_name) {
                self.report(
                    Diagnostic::new("argument", span, "`count` takes the name of the children".to_owned())
                        .hint(format!("write `count({child_name}) FILTER (WHERE …)`")),
                );
                return None;
            }
            None
        } else {
            Some(self.expr(argument, reading, &mut inner, None)?)
        };
        self.check_aggregate(function, argument.as_ref(), span)?;
        self.aggregate_along(function, argument, filter, child, &edges, context, span)
    }

    pub fn check_aggregate(
        &mut self,
        function: AggregateFunction,
        argument: Option<&Expr>,
        span: Span,
    ) -> Option<()> {
        let Some(argument) = argument else { return Some(()) };
        let fine = match function {
            AggregateFunction::Count => true,
            AggregateFunction::Sum => matches!(argument.ty, Type::Number(_) | Type::Index),
            AggregateFunction::Any | AggregateFunction::All => argument.ty == Type::Bool,
            AggregateFunction::Min | AggregateFunction::Max => {
                matches!(argument.ty, Type::Number(_) | Type::Date | Type::Index)
            }
        };
        if fine {
            return Some(());
        }
        self.report(
            Diagnostic::new(
                "type-mismatch",
                span,
                format!("this aggregate does not apply to {}", self.type_name(&argument.ty)),
            )
            .also(argument.span, format!("this is {}", self.type_name(&argument.ty)))
            .hint(
                "`sum` takes numbers, `bool_or` and `bool_and` conditions, `min` and `max` numbers or dates",
            ),
        );
        None
    }

    /// One aggregate along each edge: leaf first, then sums (or the like) of what came below.
    #[expect(clippy::too_many_arguments, reason = "an aggregate's parts with their surroundings")]
    pub fn aggregate_along(
        &mut self,
        function: AggregateFunction,
        argument: Option<Expr>,
        filter: Option<Expr>,
        leaf: EntityId,
        edges: &[EdgeId],
        context: &Context,
        span: Span,
    ) -> Option<Expr> {
        let rows = i128::from(self.program.entity(leaf).rows_max);
        let first = edges[0];
        let extreme = matches!(function, AggregateFunction::Min | AggregateFunction::Max);
        let mut some = (extreme && edges.len() > 1).then(|| {
            self.one_aggregate(first, AggregateFunction::Count, None, filter.clone(), rows, context, span)
        });
        let mut made = self.one_aggregate(first, function, argument, filter, rows, context, span);
        for edge in &edges[1..] {
            let argument = self.column_expr(made?, span);
            let (function, filter) = match function {
                AggregateFunction::Count | AggregateFunction::Sum => (AggregateFunction::Sum, None),
                AggregateFunction::Min | AggregateFunction::Max => {
                    let count = self.column_expr(some??, span);
                    let zero = number(0, count.ty.clone(), span);
                    let filter = compare(Comparison::Greater, count.clone(), zero, span);
                    some = Some(self.one_aggregate(
                        *edge,
                        AggregateFunction::Sum,
                        Some(count),
                        None,
                        rows,
                        context,
                        span,
                    ));
                    (function, Some(filter))
                }
                other => (other, None),
            };
            made = self.one_aggregate(*edge, function, Some(argument), filter, rows, context, span);
        }
        Some(self.column_expr(made?, span))
    }

    #[expect(clippy::too_many_arguments, reason = "an aggregate's parts with their surroundings")]
    pub fn one_aggregate(
        &mut self,
        edge: EdgeId,
        function: AggregateFunction,
        argument: Option<Expr>,
        filter: Option<Expr>,
        rows: i128,
        context: &Context,
        span: Span,
    ) -> Option<crate::program::ColumnId> {
        let filter_unknown = filter.as_ref().is_some_and(|filter| filter.nullable);
        let argument_unknown = argument.as_ref().is_some_and(|argument| argument.nullable);
        let count = Type::Number(NumberType::count());
        let leaf_sum = argument.as_ref().is_some_and(|argument| {
            matches!(argument.kind, ExprKind::Column(id)
                if matches!(self.program.column(id).kind, ColumnKind::Aggregate(_)) && self.column_is_hidden(id))
        });
        let (ty, nullable, range) = match function {
            AggregateFunction::Count => (count, filter_unknown, Some(Range::new(0, rows))),
            AggregateFunction::Sum => {
                let argument = argument.as_ref()?;
                let range = argument.range.map(|range| {
                    // Sums of sums are bounded by the leaves below, which one level already counts.
                    if leaf_sum {
                        range
                    } else {
                        Range {
                            min: range.min.min(0).saturating_mul(rows),
                            max: range.max.max(0).saturating_mul(rows),
                        }
                    }
                });
                (argument.ty.clone(), filter_unknown || argument_unknown, range)
            }
            AggregateFunction::Any | AggregateFunction::All => {
                (Type::Bool, filter_unknown || argument_unknown, None)
            }
            AggregateFunction::Min | AggregateFunction::Max => {
                let argument = argument.as_ref()?;
                (argument.ty.clone(), true, argument.range)
            }
        };
        if let Some(range) = range {
            self.check_range(range, span)?;
        }
        let via = self.program.edge(edge).via;
        self.used.insert(via);
        let parent = self.program.edge(edge).parent;
        let shape = Shape { label: model::Text::default(), ty, nullable, range, rule: context.rule, span };
        Some(self.add_hidden(
            parent,
            "aggregate",
            ColumnKind::Aggregate(Aggregate { edge, function, argument, filter }),
            &shape,
        ))
    }
}

/// The first qualified name in an expression: `person` of `person.x`, or a bare name.
fn first_name(sql: &Sql) -> Option<String> {
    use std::ops::ControlFlow;
    let mut found = None;
    if let Sql::Identifier(name) = sql {
        return Some(name.value.clone());
    }
    let _ = sqlparser::ast::visit_expressions(sql, |expr| {
        if let Sql::CompoundIdentifier(parts) = expr
            && parts[0].value != "param"
        {
            found = Some(parts[0].value.clone());
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    found
}
