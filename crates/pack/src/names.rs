//! Resolves names: own columns, look-ups up the tree, parameters.

use crate::compiler::{Compiler, Context, Timing, number};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::expression::{Reading, date_part, parameter_parts};
use crate::program::{
    ColumnId, DatePart, EdgeId, EntityId, Expr, ExprKind, NumberType, ParameterId, ParameterShape, Range,
    Span, Type, Value,
};
use sqlparser::ast::{Expr as Sql, Ident};

impl Compiler<'_> {
    pub fn bare_name(&mut self, name: &Ident, span: Span, context: &mut Context) -> Option<Expr> {
        if let Some(child) = &context.child
            && !matches!(name.value.as_str(), "as_of" | "year")
        {
            let child = child.clone();
            self.report(
                Diagnostic::new(
                    "bare-name-in-aggregate",
                    span,
                    format!("inside an aggregate, columns carry their entity: `{}`", name.value),
                )
                .hint(format!("write `{child}.{}`, or declare a variable on `{child}`", name.value)),
            );
            return None;
        }
        if self.known(context.entity, &name.value).is_none() {
            match name.value.as_str() {
                "as_of" => {
                    return Some(Expr {
                        kind: ExprKind::AsOf,
                        ty: Type::Date,
                        nullable: false,
                        range: None,
                        span,
                    });
                }
                "year" => return Some(self.year_of_run(span)),
                "param" => {
                    self.report(
                        Diagnostic::new("syntax", span, "`param` alone names no parameter".to_owned())
                            .hint("write `param.poverty_line`"),
                    );
                    return None;
                }
                _ => {}
            }
        }
        let id = self.resolve(context.entity, &name.value, span)?;
        Some(self.column_expr(id, span))
    }

    pub fn year_of_run(&self, span: Span) -> Expr {
        let as_of = Expr { kind: ExprKind::AsOf, ty: Type::Date, nullable: false, range: None, span };
        date_part(DatePart::Year, as_of, span)
    }

    pub fn dotted(&mut self, parts: &[Ident], span: Span, context: &mut Context) -> Option<Expr> {
        let names: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
        if names[0] == "param" {
            if names.len() != 2 {
                self.report(
                    Diagnostic::new("syntax", span, format!("`{}` names no parameter", names.join(".")))
                        .hint("write `param.poverty_line`, or `param.table[code]`"),
                );
                return None;
            }
            let id = self.parameter(names[1], span)?;
            return self.parameter_expr(id, None, None, span, context);
        }
        let mut path = &names[..];
        if let Some(child) = &context.child {
            if path[0] != child {
                let child = child.clone();
                self.report(
                    Diagnostic::new(
                        "bare-name-in-aggregate",
                        span,
                        format!("`{}` is not a column of `{child}`", names.join(".")),
                    )
                    .hint(format!("inside this aggregate, names start with `{child}.`")),
                );
                return None;
            }
            path = &path[1..];
        }
        let id = self.walk(context.entity, path, span)?;
        Some(self.column_expr(id, span))
    }

    /// `household.village.x`, `village.x` (further up the tree) or `x`, from an entity.
    pub fn walk(&mut self, entity: EntityId, path: &[&str], span: Span) -> Option<ColumnId> {
        let (name, rest) = path.split_first()?;
        if rest.is_empty() {
            return self.resolve(entity, name, span);
        }
        let Some(edges) = self.edges_towards(entity, name) else {
            return self.no_edge(entity, name, rest, span);
        };
        let top = edges.last().map(|edge| self.program.edge(*edge).parent)?;
        let mut column = self.walk(top, rest, span)?;
        for edge in edges.into_iter().rev() {
            column = self.lookup(edge, column, span);
        }
        Some(column)
    }

    pub fn no_edge(&mut self, entity: EntityId, name: &str, rest: &[&str], span: Span) -> Option<ColumnId> {
        let on = self.program.entity(entity).name.clone();
        let below = self.program.entity_named(name).filter(|child| self.edges_down(*child, entity).is_some());
        let mut reachable: Vec<String> = self
            .program
            .edges
            .iter()
            .filter(|edge| edge.child == entity)
            .map(|edge| edge.name.clone())
            .collect();
        let mut above = entity;
        while let Some(edge) = self.program.entity(above).parent {
            above = self.program.edge(edge).parent;
            reachable.push(self.program.entity(above).name.clone());
        }
        let hint = if below.is_some() {
            Some(format!("there are many of them: aggregate, like `sum({name}.{})`", rest.join(".")))
        } else {
            did_you_mean(name, reachable.iter().map(String::as_str))
        };
        self.report(
            Diagnostic::new("unknown-edge", span, format!("`{on}` has no parent `{name}`")).hint_opt(hint),
        );
        None
    }

    /// The edges to go up from `entity` to what it calls `name`.
    pub fn edges_towards(&self, entity: EntityId, name: &str) -> Option<Vec<EdgeId>> {
        let own = self.program.edges.iter().position(|edge| edge.child == entity && edge.name == name);
        if let Some(position) = own {
            return Some(vec![EdgeId(position as u32)]);
        }
        let mut edges = Vec::new();
        let mut at = entity;
        while let Some(edge) = self.program.entity(at).parent {
            edges.push(edge);
            at = self.program.edge(edge).parent;
            if self.program.entity(at).name == name {
                return Some(edges);
            }
        }
        None
    }

    /// The edges from `child` up to `ancestor`: along the tree, or one reference and then the tree.
    pub fn edges_down(&self, child: EntityId, ancestor: EntityId) -> Option<Vec<EdgeId>> {
        let along = |from: EntityId| {
            let mut edges = Vec::new();
            let mut at = from;
            while at != ancestor {
                let edge = self.program.entity(at).parent?;
                edges.push(edge);
                at = self.program.edge(edge).parent;
            }
            Some(edges)
        };
        if child == ancestor {
            return None;
        }
        along(child).or_else(|| {
            self.program.edges.iter().enumerate().find_map(|(position, edge)| {
                if edge.child != child || edge.tree {
                    return None;
                }
                let mut edges = vec![EdgeId(position as u32)];
                edges.extend(along(edge.parent)?);
                Some(edges)
            })
        })
    }

    pub fn parameter_expr(
        &mut self,
        id: ParameterId,
        at: Option<Expr>,
        key: Option<Expr>,
        span: Span,
        context: &Context,
    ) -> Option<Expr> {
        let parameter = self.program.parameters[id.index()].clone();
        if let Some(rule) = context.rule {
            self.reads.push((rule, id));
        }
        let mut values: Vec<i128> = Vec::new();
        let mut keep = |value: &Value| {
            if let Value::Number(number) = value {
                values.push(*number);
            }
        };
        match (&parameter.shape, &key) {
            (ParameterShape::Scalar(list), None) => list.iter().for_each(|dated| keep(&dated.value)),
            (ParameterShape::Table { values: list, .. }, Some(_)) => {
                list.iter().flat_map(|dated| dated.value.values()).for_each(&mut keep);
            }
            (ParameterShape::Table { list, .. }, None) => {
                let list = self.program.lists[list.index()].id.clone();
                self.report(
                    Diagnostic::new(
                        "parameter-shape",
                        span,
                        format!("`param.{}` is a table over `{list}`", parameter.id),
                    )
                    .also(parameter.span, "declared here")
                    .hint(format!("select an entry: `param.{}[…]`", parameter.id)),
                );
                return None;
            }
            (ParameterShape::Brackets { .. }, _) => {
                self.report(
                    Diagnostic::new(
                        "parameter-shape",
                        span,
                        format!("`param.{}` is a scale of brackets", parameter.id),
                    )
                    .also(parameter.span, "declared here")
                    .hint(format!("apply it to an amount: `bracket(param.{}, x)`", parameter.id)),
                );
                return None;
            }
            (ParameterShape::Scalar(_), Some(_)) => {
                self.report(
                    Diagnostic::new(
                        "parameter-shape",
                        span,
                        format!("`param.{}` is a single value, not a table", parameter.id),
                    )
                    .also(parameter.span, "declared here"),
                );
                return None;
            }
        }
        let range = matches!(parameter.ty, Type::Number(_)).then(|| Range {
            min: values.iter().copied().min().unwrap_or(0),
            max: values.iter().copied().max().unwrap_or(0),
        });
        let at = at.or_else(|| self.day_of_timing(context, span));
        // Every parameter begins some day, and is unknown before.
        Some(Expr {
            kind: ExprKind::Parameter { id, at: at.map(Box::new), key: key.map(Box::new) },
            ty: parameter.ty,
            nullable: true,
            range,
            span,
        })
    }

    /// The day on which parameters are read by the rule's `on_change`, if it is not that of the run.
    pub fn day_of_timing(&self, context: &Context, span: Span) -> Option<Expr> {
        match context.timing {
            Timing::PeriodStart => Some(self.year_start(span)),
            Timing::On(date) => Some(self.constant(Value::Date(date), Type::Date, span)),
            Timing::AsOf | Timing::Split => None,
        }
    }

    pub fn year_start(&self, span: Span) -> Expr {
        let one = || number(1, Type::Number(NumberType::count()), span);
        Expr {
            kind: ExprKind::MakeDate {
                year: Box::new(self.year_of_run(span)),
                month: Box::new(one()),
                day: Box::new(one()),
            },
            ty: Type::Date,
            nullable: false,
            range: None,
            span,
        }
    }

    /// `param.table[key]`.
    pub fn parameter_entry(
        &mut self,
        sql: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        at: Option<Expr>,
    ) -> Option<Expr> {
        let span = reading.places.of(sql);
        let Some((name, key)) = parameter_parts(sql) else {
            self.not_allowed(sql, span);
            return None;
        };
        let id = self.parameter(&name, span)?;
        let key = match key {
            None => None,
            Some(key) => {
                let list = match &self.program.parameters[id.index()].shape {
                    ParameterShape::Table { list, .. } => Some(*list),
                    _ => None,
                };
                let ty = list.map(Type::Code);
                let key_expr = self.expr(key, reading, context, ty.as_ref())?;
                if let (Some(list), Type::Code(have)) = (list, &key_expr.ty) {
                    if list != *have {
                        self.wrong_type(&key_expr, &Type::Code(list), span);
                        return None;
                    }
                } else if let Some(ty) = &ty {
                    self.wrong_type(&key_expr, ty, span);
                    return None;
                }
                Some(key_expr)
            }
        };
        self.parameter_expr(id, at, key, span, context)
    }
}
