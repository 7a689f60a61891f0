//! Conditions: comparisons, lists, CASE, and expressions that stand for one another.

use crate::compiler::{Compiler, Context, compare, not};
use crate::diagnostic::Diagnostic;
use crate::expression::{Reading, comparison_symbol, is_null, is_open};
use crate::program::{Comparison, Expr, ExprKind, NumberType, Range, Span, Type, Value};
use sqlparser::ast::Expr as Sql;

impl Compiler<'_> {
    /// An expression that must be true or false.
    pub fn condition(&mut self, sql: &Sql, reading: &Reading<'_>, context: &mut Context) -> Option<Expr> {
        let expr = self.expr(sql, reading, context, Some(&Type::Bool))?;
        if expr.ty != Type::Bool {
            let span = reading.places.of(sql);
            self.report(
                Diagnostic::new(
                    "type-mismatch",
                    span,
                    format!("expected a condition, found {}", self.type_name(&expr.ty)),
                )
                .hint("compare it with something"),
            );
            return None;
        }
        Some(expr)
    }

    pub fn comparison(
        &mut self,
        left: &Sql,
        op: Comparison,
        right: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        span: Span,
    ) -> Option<Expr> {
        let (a, b) = self.pair(left, right, reading, context, None)?;
        let symbol = comparison_symbol(op);
        let ordered = !matches!(op, Comparison::Equal | Comparison::NotEqual);
        match (&a.ty, &b.ty) {
            (Type::Number(_), Type::Number(_)) => {
                let (a, b) = self.same_scale(a, b, symbol, span)?;
                Some(compare(op, a, b, span))
            }
            (Type::Index, _) | (_, Type::Index) => {
                let (a, b) =
                    (self.fit(a, &Type::Index, span, context)?, self.fit(b, &Type::Index, span, context)?);
                Some(compare(op, a, b, span))
            }
            (Type::Date, Type::Date) => Some(compare(op, a, b, span)),
            (Type::Bool, Type::Bool)
            | (Type::Text | Type::Code(_) | Type::Text, Type::Text)
            | (Type::Text, Type::Code(_))
                if !ordered =>
            {
                Some(compare(op, a, b, span))
            }
            (Type::Code(first), Type::Code(second)) if !ordered && first == second => {
                Some(compare(op, a, b, span))
            }
            _ => {
                let (first, second) = (self.type_name(&a.ty), self.type_name(&b.ty));
                let message = if a.ty == b.ty {
                    format!("`{symbol}` does not apply to {first}: it has no order")
                } else {
                    format!("`{symbol}` between {first} and {second}")
                };
                self.report(
                    Diagnostic::new("type-mismatch", span, message)
                        .also(a.span, format!("this is {first}"))
                        .also(b.span, format!("this is {second}")),
                );
                None
            }
        }
    }

    pub fn in_list(
        &mut self,
        inner: &Sql,
        list: &[Sql],
        reading: &Reading<'_>,
        context: &mut Context,
        span: Span,
    ) -> Option<Expr> {
        let a = self.expr(inner, reading, context, None)?;
        let mut values = Vec::new();
        for item in list {
            let place = reading.places.of(item);
            let expr = self.expr(item, reading, context, Some(&a.ty))?;
            match expr.kind {
                ExprKind::Literal(value) if expr.ty == a.ty => values.push(value),
                _ => {
                    self.report(
                        Diagnostic::new(
                            "type-mismatch",
                            place,
                            "IN takes values of the operand's type".to_owned(),
                        )
                        .also(a.span, format!("this is {}", self.type_name(&a.ty))),
                    );
                    return None;
                }
            }
        }
        let nullable = a.nullable;
        Some(Expr {
            kind: ExprKind::In { a: Box::new(a), list: values },
            ty: Type::Bool,
            nullable,
            range: None,
            span,
        })
    }

    pub fn is_unknown(
        &mut self,
        inner: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        span: Span,
    ) -> Option<Expr> {
        let expr = self.expr(inner, reading, context, None)?;
        Some(Expr {
            kind: ExprKind::IsUnknown(Box::new(expr)),
            ty: Type::Bool,
            nullable: false,
            range: None,
            span,
        })
    }

    pub fn is_true(
        &mut self,
        inner: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        span: Span,
    ) -> Option<Expr> {
        let expr = self.condition(inner, reading, context)?;
        let no = self.constant(Value::Bool(false), Type::Bool, span);
        Some(Expr {
            kind: ExprKind::Coalesce(vec![expr, no]),
            ty: Type::Bool,
            nullable: false,
            range: None,
            span,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a CASE with their surroundings")]
    pub fn case(
        &mut self,
        operand: Option<&Sql>,
        conditions: &[sqlparser::ast::CaseWhen],
        otherwise: Option<&Sql>,
        reading: &Reading<'_>,
        context: &mut Context,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        let depth = context.path.len();
        let mut branches: Vec<(Expr, &Sql)> = Vec::new();
        for when in conditions {
            let condition = match operand {
                None => self.condition(&when.condition, reading, context)?,
                Some(operand) => {
                    let place = reading.places.of(&when.condition);
                    self.comparison(operand, Comparison::Equal, &when.condition, reading, context, place)?
                }
            };
            branches.push((condition, &when.result));
        }
        let results: Vec<&Sql> = branches.iter().map(|(_, result)| *result).chain(otherwise).collect();
        let conditions: Vec<Expr> = branches.iter().map(|(condition, _)| condition.clone()).collect();
        let typed = self.alternatives(&results, reading, context, expected, Some(&conditions), span);
        context.path.truncate(depth);
        let mut typed = typed?;
        let last = otherwise.and_then(|_| typed.pop());
        let ty = typed[0].ty.clone();
        let nullable = last.as_ref().is_none_or(|expr| expr.nullable)
            || typed.iter().any(|expr| expr.nullable)
            || conditions.iter().any(|expr| expr.nullable);
        let range = typed.iter().chain(&last).filter_map(|expr| expr.range).reduce(Range::union);
        let branches = conditions.into_iter().zip(typed).collect();
        Some(Expr {
            kind: ExprKind::Case { branches, otherwise: last.map(Box::new) },
            ty,
            nullable,
            range,
            span,
        })
    }

    /// Expressions that stand for one another: same type and scale. With `conditions`, the n-th is
    /// only reached where the n-th condition is true and those before are not.
    pub fn alternatives(
        &mut self,
        list: &[&Sql],
        reading: &Reading<'_>,
        context: &mut Context,
        expected: Option<&Type>,
        conditions: Option<&[Expr]>,
        span: Span,
    ) -> Option<Vec<Expr>> {
        let settled = list.iter().position(|sql| !is_open(sql));
        let order: Vec<usize> = settled
            .into_iter()
            .chain((0..list.len()).filter(|position| Some(*position) != settled))
            .collect();
        let mut ty: Option<Type> = None;
        let mut typed: Vec<Option<Expr>> = vec![None; list.len()];
        let depth = context.path.len();
        for position in order {
            if let Some(conditions) = conditions {
                for earlier in conditions.iter().take(position) {
                    context.path.push(not(earlier.clone()));
                }
                context.path.extend(conditions.get(position).cloned());
            }
            let wanted = if is_open(list[position]) { ty.as_ref().or(expected) } else { expected };
            let expr = self.expr(list[position], reading, context, wanted);
            context.path.truncate(depth);
            let expr = expr?;
            ty.get_or_insert_with(|| expr.ty.clone());
            typed[position] = Some(expr);
        }
        let typed: Vec<Expr> = typed.into_iter().flatten().collect();
        let first = typed.iter().find(|expr| !is_null(expr)).unwrap_or(&typed[0]).clone();
        let decimals = typed
            .iter()
            .filter_map(|expr| match &expr.ty {
                Type::Number(ty) => Some(ty.decimals),
                _ => None,
            })
            .max();
        let mut fitted = Vec::new();
        for expr in typed {
            let same = match (&first.ty, &expr.ty) {
                (Type::Number(a), Type::Number(b)) => a.unit == b.unit && a.kind == b.kind,
                (a, b) => a == b,
            };
            if is_null(&expr) {
                let ty = match &first.ty {
                    Type::Number(ty) => {
                        Type::Number(NumberType { decimals: decimals.unwrap_or(ty.decimals), ..ty.clone() })
                    }
                    other => other.clone(),
                };
                fitted.push(Expr { range: None, ty, ..expr });
            } else if same {
                fitted.push(match decimals {
                    Some(decimals) if matches!(expr.ty, Type::Number(_)) => self.rescaled(expr, decimals),
                    _ => expr,
                });
            } else {
                let (want, have) = (self.type_name(&first.ty), self.type_name(&expr.ty));
                self.report(
                    Diagnostic::new("type-mismatch", span, format!("one result is {want}, another {have}"))
                        .also(first.span, format!("this is {want}"))
                        .also(expr.span, format!("this is {have}")),
                );
                return None;
            }
        }
        Some(fitted)
    }
}
