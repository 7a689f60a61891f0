//! Arithmetic on numbers: units, decimals, ranges.

use crate::compiler::{Compiler, Context, compare, not, number};
use crate::diagnostic::Diagnostic;
use crate::expression::{Reading, days_between, is_open};
use crate::program::{Comparison, Expr, ExprKind, NumberKind, Range, Span, Type, Value};
use model::Text;
use sqlparser::ast::{BinaryOperator, Expr as Sql, UnaryOperator};

impl Compiler<'_> {
    pub fn unary(
        &mut self,
        op: UnaryOperator,
        inner: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        match op {
            UnaryOperator::Not => {
                let expr = self.condition(inner, reading, context)?;
                Some(not(expr))
            }
            UnaryOperator::Plus => self.expr(inner, reading, context, expected),
            UnaryOperator::Minus => {
                let expr = self.expr(inner, reading, context, expected)?;
                match (&expr.ty, &expr.kind) {
                    (Type::Number(_), ExprKind::Literal(Value::Number(value))) => {
                        Some(number(-value, expr.ty.clone(), span))
                    }
                    (Type::Number(_) | Type::Index, _) => Some(Expr {
                        range: expr.range.map(Range::negate),
                        ty: expr.ty.clone(),
                        nullable: expr.nullable,
                        span,
                        kind: ExprKind::Neg(Box::new(expr)),
                    }),
                    _ => {
                        self.operand_error("-", &expr, span);
                        None
                    }
                }
            }
            other => {
                self.report(Diagnostic::new(
                    "not-allowed",
                    span,
                    format!("operator `{other}` is not part of the pack language"),
                ));
                None
            }
        }
    }

    pub fn operand_error(&mut self, op: &str, expr: &Expr, span: Span) {
        self.report(
            Diagnostic::new(
                "type-mismatch",
                span,
                format!("`{op}` does not apply to {}", self.type_name(&expr.ty)),
            )
            .also(expr.span, format!("this is {}", self.type_name(&expr.ty))),
        );
    }

    #[expect(clippy::too_many_arguments, reason = "the operands of one operator with their surroundings")]
    pub fn binary(
        &mut self,
        left: &Sql,
        op: &BinaryOperator,
        right: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        let comparison = match op {
            BinaryOperator::Eq => Some(Comparison::Equal),
            BinaryOperator::NotEq => Some(Comparison::NotEqual),
            BinaryOperator::Lt => Some(Comparison::Less),
            BinaryOperator::LtEq => Some(Comparison::LessOrEqual),
            BinaryOperator::Gt => Some(Comparison::Greater),
            BinaryOperator::GtEq => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        if let Some(op) = comparison {
            return self.comparison(left, op, right, reading, context, span);
        }
        match op {
            BinaryOperator::And | BinaryOperator::Or => {
                let is_and = *op == BinaryOperator::And;
                let a = self.condition(left, reading, context);
                let b = self.condition(right, reading, context);
                let mut parts = Vec::new();
                for part in [a?, b?] {
                    match part.kind {
                        ExprKind::And(inner) if is_and => parts.extend(inner),
                        ExprKind::Or(inner) if !is_and => parts.extend(inner),
                        _ => parts.push(part),
                    }
                }
                let nullable = parts.iter().any(|part| part.nullable);
                let kind = if is_and { ExprKind::And(parts) } else { ExprKind::Or(parts) };
                Some(Expr { kind, ty: Type::Bool, nullable, range: None, span })
            }
            BinaryOperator::Plus | BinaryOperator::Minus => {
                self.sum_or_difference(left, op, right, reading, context, expected, span)
            }
            BinaryOperator::Multiply => {
                let a = self.expr(left, reading, context, None);
                let b = self.expr(right, reading, context, None);
                self.product(a?, b?, span, context)
            }
            BinaryOperator::Divide => {
                let a = self.expr(left, reading, context, None);
                let b = self.expr(right, reading, context, None);
                let wanted = match expected {
                    Some(Type::Number(ty)) if ty.kind == NumberKind::Rate => Some(ty.decimals),
                    _ => None,
                };
                self.quotient(a?, b?, wanted, span, context)
            }
            other => {
                let hint = match other {
                    BinaryOperator::Modulo => Some("compare `round_down(a / b, 0) * b` with `a`".to_owned()),
                    BinaryOperator::StringConcat => Some("write `OR` for either of two conditions; texts are not joined: a rule computes facts".to_owned()),
                    _ => None,
                };
                self.report(
                    Diagnostic::new(
                        "not-allowed",
                        span,
                        format!("operator `{other}` is not part of the pack language"),
                    )
                    .hint_opt(hint),
                );
                None
            }
        }
    }

    /// Two operands, the one of settled type first giving its type to a literal beside it.
    pub fn pair(
        &mut self,
        left: &Sql,
        right: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        expected: Option<&Type>,
    ) -> Option<(Expr, Expr)> {
        match (is_open(left), is_open(right)) {
            (true, false) => {
                let b = self.expr(right, reading, context, expected)?;
                let a = self.expr(left, reading, context, Some(&b.ty))?;
                Some((a, b))
            }
            (false, true) => {
                let a = self.expr(left, reading, context, expected)?;
                let b = self.expr(right, reading, context, Some(&a.ty))?;
                Some((a, b))
            }
            _ => {
                let a = self.expr(left, reading, context, expected);
                let b = self.expr(right, reading, context, expected);
                Some((a?, b?))
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the operands of one operator with their surroundings")]
    pub fn sum_or_difference(
        &mut self,
        left: &Sql,
        op: &BinaryOperator,
        right: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        let (a, b) = self.pair(left, right, reading, context, expected)?;
        let plus = *op == BinaryOperator::Plus;
        if a.ty == Type::Date && b.ty == Type::Date && !plus {
            return Some(days_between(b, a, span));
        }
        if a.ty == Type::Index || b.ty == Type::Index {
            let (a, b) =
                (self.fit(a, &Type::Index, span, context)?, self.fit(b, &Type::Index, span, context)?);
            let nullable = a.nullable || b.nullable;
            let kind = if plus {
                ExprKind::Add(Box::new(a), Box::new(b))
            } else {
                ExprKind::Sub(Box::new(a), Box::new(b))
            };
            return Some(Expr { kind, ty: Type::Index, nullable, range: None, span });
        }
        let (a, b) = self.same_scale(a, b, if plus { "+" } else { "-" }, span)?;
        let (first, second) = (a.range.unwrap_or(Range::new(0, 0)), b.range.unwrap_or(Range::new(0, 0)));
        let range = if plus { first.plus(second) } else { first.plus(second.negate()) };
        self.check_range(range, span)?;
        let (ty, nullable) = (a.ty.clone(), a.nullable || b.nullable);
        let kind = if plus {
            ExprKind::Add(Box::new(a), Box::new(b))
        } else {
            ExprKind::Sub(Box::new(a), Box::new(b))
        };
        Some(Expr { kind, ty, nullable, range: Some(range), span })
    }

    /// Numbers of one unit and kind, brought to the decimals of the finer one.
    pub fn same_scale(&mut self, a: Expr, b: Expr, op: &str, span: Span) -> Option<(Expr, Expr)> {
        match (&a.ty, &b.ty) {
            (Type::Number(first), Type::Number(second))
                if first.unit == second.unit && first.kind == second.kind =>
            {
                let decimals = first.decimals.max(second.decimals);
                Some((self.rescaled(a, decimals), self.rescaled(b, decimals)))
            }
            (Type::Number(_), Type::Number(_)) => {
                let (first, second) = (self.type_name(&a.ty), self.type_name(&b.ty));
                self.report(
                    Diagnostic::new("unit-mismatch", span, format!("`{op}` between {first} and {second}"))
                        .also(a.span, format!("this is {first}"))
                        .also(b.span, format!("this is {second}")),
                );
                None
            }
            (Type::Number(_), _) => {
                self.operand_error(op, &b, span);
                None
            }
            _ => {
                self.operand_error(op, &a, span);
                None
            }
        }
    }

    pub fn check_range(&mut self, range: Range, span: Span) -> Option<()> {
        if range.within_limit() {
            return Some(());
        }
        self.report(
            Diagnostic::new(
                "overflow",
                span,
                format!("this could reach {:.1e} and overflow", range.max.abs().max(range.min.abs()) as f64),
            )
            .hint("declare narrower ranges for the fields it reads, or bound it with `least`"),
        );
        None
    }

    pub fn product(&mut self, a: Expr, b: Expr, span: Span, context: &Context) -> Option<Expr> {
        if a.ty == Type::Index || b.ty == Type::Index {
            let (a, b) =
                (self.fit(a, &Type::Index, span, context)?, self.fit(b, &Type::Index, span, context)?);
            let nullable = a.nullable || b.nullable;
            let kind = ExprKind::Mul { a: Box::new(a), b: Box::new(b), drop: 0, round: context.round };
            return Some(Expr { kind, ty: Type::Index, nullable, range: None, span });
        }
        let (Type::Number(first), Type::Number(second)) = (&a.ty, &b.ty) else {
            let wrong = if matches!(a.ty, Type::Number(_)) { &b } else { &a };
            let wrong = wrong.clone();
            self.operand_error("*", &wrong, span);
            return None;
        };
        let Some((ty, drop)) = first.product(second) else {
            self.report(
                Diagnostic::new("unit-mismatch", span, "money times money is not money")
                    .also(a.span, format!("this is {}", self.type_name(&a.ty)))
                    .also(b.span, format!("this is {}", self.type_name(&b.ty))),
            );
            return None;
        };
        let full = a.range.unwrap_or(Range::new(0, 0)).multiply(b.range.unwrap_or(Range::new(0, 0)));
        self.check_range(full, span)?;
        let divisor = 10i128.pow(u32::from(drop));
        let range = if drop == 0 { full } else { full.divide(Range::new(divisor, divisor)) };
        let nullable = a.nullable || b.nullable;
        let kind = ExprKind::Mul { a: Box::new(a), b: Box::new(b), drop, round: context.round };
        Some(Expr { kind, ty: Type::Number(ty), nullable, range: Some(range), span })
    }

    pub fn quotient(
        &mut self,
        a: Expr,
        b: Expr,
        wanted: Option<u8>,
        span: Span,
        context: &Context,
    ) -> Option<Expr> {
        if a.ty == Type::Index || b.ty == Type::Index {
            let (a, b) =
                (self.fit(a, &Type::Index, span, context)?, self.fit(b, &Type::Index, span, context)?);
            let kind = ExprKind::Div { a: Box::new(a), b: Box::new(b), up: 0, round: context.round };
            return Some(Expr { kind, ty: Type::Index, nullable: true, range: None, span });
        }
        let (Type::Number(first), Type::Number(second)) = (&a.ty, &b.ty) else {
            let wrong = if matches!(a.ty, Type::Number(_)) { b.clone() } else { a.clone() };
            self.operand_error("/", &wrong, span);
            return None;
        };
        let (ty, up) = first.quotient(second, wanted);
        let divisor = b.range.unwrap_or(Range::new(0, 0));
        if divisor == Range::new(0, 0) {
            self.report(
                Diagnostic::new("division-by-zero", span, "the divisor is always zero").also(b.span, "zero"),
            );
            return None;
        }
        let top = a.range.unwrap_or(Range::new(0, 0)).scale_up(up);
        self.check_range(top.multiply(Range::new(2, 2)), span)?;
        let range = top.divide(divisor);
        let zero_possible = divisor.contains(0);
        if zero_possible {
            let zero = number(0, b.ty.clone(), b.span);
            let mut condition = compare(Comparison::Equal, b.clone(), zero, b.span);
            condition.span = b.span;
            self.add_finding(
                context,
                condition,
                "division-by-zero",
                Text {
                    zh: "除数为零，结果未知".to_owned(),
                    en: "division by zero: the result is unknown".to_owned(),
                },
            );
        }
        let nullable = a.nullable || b.nullable || zero_possible;
        let kind = ExprKind::Div { a: Box::new(a), b: Box::new(b), up, round: context.round };
        Some(Expr { kind, ty: Type::Number(ty), nullable, range: Some(range), span })
    }
}
