//! Windows among the children of one parent.

use crate::compiler::{Compiler, Context, Shape};
use crate::diagnostic::Diagnostic;
use crate::expression::Reading;
use crate::program::{
    ColumnKind, Direction, EdgeId, Expr, Frame, NumberType, Range, Span, Type, Window, WindowFunction,
};
use sqlparser::ast::{Expr as Sql, WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType};

impl Compiler<'_> {
    #[expect(clippy::too_many_arguments, reason = "a window's parts with their surroundings")]
    pub fn window(
        &mut self,
        name: &str,
        arguments: &[&Sql],
        star: bool,
        over: &WindowType,
        reading: &Reading<'_>,
        context: &mut Context,
        span: Span,
    ) -> Option<Expr> {
        let WindowType::WindowSpec(spec) = over else {
            self.report(Diagnostic::new(
                "not-allowed",
                span,
                "named windows are not part of the pack language",
            ));
            return None;
        };
        if context.child.is_some() {
            self.report(
                Diagnostic::new("nested-aggregate", span, "a window inside an aggregate".to_owned())
                    .hint("declare it as a variable of the child"),
            );
            return None;
        }
        let function = match (name, arguments.len(), star) {
            ("sum", 1, false) => WindowFunction::Sum,
            ("count", _, true) => WindowFunction::Count,
            ("row_number", 0, false) => WindowFunction::RowNumber,
            ("rank", 0, false) => WindowFunction::Rank,
            _ => {
                self.report(
                    Diagnostic::new(
                        "unknown-function",
                        span,
                        format!("`{name}` is not a window function here"),
                    )
                    .hint("window functions are `sum(x)`, `count(*)`, `row_number()` and `rank()`"),
                );
                return None;
            }
        };
        let (edge, partition) = self.partition(spec, reading, context, span)?;
        let argument = match arguments.first() {
            Some(sql) if function == WindowFunction::Sum => Some(self.expr(sql, reading, context, None)?),
            _ => None,
        };
        if let Some(argument) = &argument {
            self.need_number(&argument.clone(), "sum", span)?;
        }
        let mut order = Vec::new();
        for item in &spec.order_by {
            let direction = match item.options.asc {
                Some(false) => Direction::Descending,
                _ => Direction::Ascending,
            };
            order.push((self.expr(&item.expr, reading, context, None)?, direction));
        }
        if order.is_empty() && !matches!(function, WindowFunction::Sum | WindowFunction::Count) {
            self.report(Diagnostic::new("argument", span, format!("`{name}` needs an ORDER BY")));
            return None;
        }
        let frame = self.frame(spec, span)?;
        if order.is_empty() && frame != Frame::All {
            self.report(Diagnostic::new("argument", span, "a frame needs an ORDER BY".to_owned()));
            return None;
        }
        let rows = i128::from(self.program.entity(context.entity).rows_max);
        let count = Type::Number(NumberType::count());
        let (ty, range) = match &argument {
            Some(argument) => (
                argument.ty.clone(),
                argument.range.map(|range| Range {
                    min: range.min.min(0).saturating_mul(rows),
                    max: range.max.max(0).saturating_mul(rows),
                }),
            ),
            None => (count, Some(Range::new(0, rows))),
        };
        if let Some(range) = range {
            self.check_range(range, span)?;
        }
        let nullable = !self.program.edge(edge).required
            || argument.as_ref().is_some_and(|argument| argument.nullable)
            || partition.iter().any(|expr| expr.nullable)
            || order.iter().any(|(expr, _)| expr.nullable);
        let via = self.program.edge(edge).via;
        self.used.insert(via);
        let shape = Shape { label: model::Text::default(), ty, nullable, range, rule: context.rule, span };
        let id = self.add_hidden(
            context.entity,
            "window",
            ColumnKind::Window(Window { edge, function, argument, partition, order, frame }),
            &shape,
        );
        Some(self.column_expr(id, span))
    }

    pub fn partition(
        &mut self,
        spec: &WindowSpec,
        reading: &Reading<'_>,
        context: &mut Context,
        span: Span,
    ) -> Option<(EdgeId, Vec<Expr>)> {
        let on = context.entity;
        let edge = match spec.partition_by.first() {
            Some(Sql::Identifier(name)) => self
                .program
                .edges
                .iter()
                .position(|edge| edge.child == on && edge.name == name.value)
                .map(|position| EdgeId(position as u32)),
            _ => None,
        };
        let Some(edge) = edge else {
            let names: Vec<&str> = self
                .program
                .edges
                .iter()
                .filter(|edge| edge.child == on)
                .map(|edge| edge.name.as_str())
                .collect();
            let hint = format!("one of {}", crate::surface::list_words(&names));
            self.report(
                Diagnostic::new(
                    "argument",
                    span,
                    "PARTITION BY starts with the parent whose children are ordered".to_owned(),
                )
                .hint(hint),
            );
            return None;
        };
        let mut partition = Vec::new();
        for sql in &spec.partition_by[1..] {
            partition.push(self.expr(sql, reading, context, None)?);
        }
        Some((edge, partition))
    }

    pub fn frame(&mut self, spec: &WindowSpec, span: Span) -> Option<Frame> {
        let Some(frame) = &spec.window_frame else { return Some(Frame::All) };
        let starts = matches!(frame.start_bound, WindowFrameBound::Preceding(None));
        let rows = matches!(frame.units, WindowFrameUnits::Rows);
        let found = match &frame.end_bound {
            Some(WindowFrameBound::CurrentRow) => Some(Frame::UpToCurrent),
            Some(WindowFrameBound::Preceding(Some(bound))) if bound.to_string() == "1" => Some(Frame::Before),
            Some(WindowFrameBound::Following(None)) => Some(Frame::All),
            _ => None,
        };
        match found {
            Some(frame) if starts && rows => Some(frame),
            _ => {
                self.report(
                    Diagnostic::new(
                        "not-allowed",
                        span,
                        "this window frame is not part of the pack language".to_owned(),
                    )
                    .hint(
                        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING, or AND CURRENT ROW, or no frame",
                    ),
                );
                None
            }
        }
    }
}
