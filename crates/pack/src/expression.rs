//! Types expressions: names, units, scales, ranges and what can be unknown.

use model::Date;
use sqlparser::ast::{BinaryOperator, DataType, Expr as Sql, UnaryOperator, Value as SqlValue};

use crate::compiler::{Compiler, Context, and, not, number};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{
    Column, ColumnId, Comparison, DatePart, Expr, ExprKind, NumberKind, NumberType, Range, Span, Type, Value,
};
use crate::surface::{Decimal, Word};
use crate::syntax::{self, Places};

/// An expression being read: the places of its parts.
pub struct Reading<'p> {
    pub places: &'p Places,
}

impl Compiler<'_> {
    /// Reads, types and (if `expected` is given) fits an expression to a type.
    pub fn expression(
        &mut self,
        word: &Word,
        context: &mut Context,
        expected: Option<&Type>,
    ) -> Option<Expr> {
        let expr = self.read(word, context, expected)?;
        match expected {
            Some(ty) => self.fit(expr, ty, word.span, context),
            None => Some(expr),
        }
    }

    /// Reads and types an expression; `expected` is what its literals take as their type.
    pub fn read(&mut self, word: &Word, context: &mut Context, expected: Option<&Type>) -> Option<Expr> {
        let text = self.file_text(word.span);
        let (sql, places) = match syntax::parse(word, &text) {
            Ok(parsed) => parsed,
            Err(diagnostic) => {
                self.report(diagnostic);
                return None;
            }
        };
        let reading = Reading { places: &places };
        self.expr(&sql, &reading, context, expected)
    }

    /// Makes `expr` have exactly type `ty`, adding decimals if need be.
    pub fn fit(&mut self, expr: Expr, ty: &Type, whole: Span, context: &Context) -> Option<Expr> {
        if expr.ty == *ty {
            return Some(expr);
        }
        let same = match (&expr.ty, ty) {
            (Type::Number(have), Type::Number(want)) => have.unit == want.unit && have.kind == want.kind,
            (Type::Number(_), Type::Index) => {
                return Some(Expr {
                    nullable: expr.nullable,
                    span: expr.span,
                    range: None,
                    ty: Type::Index,
                    kind: ExprKind::ToIndex(Box::new(expr)),
                });
            }
            (Type::Text, Type::Code(_)) | (Type::Code(_), Type::Text) => {
                return Some(Expr { ty: ty.clone(), ..expr });
            }
            _ => false,
        };
        let (Type::Number(have), Type::Number(want)) = (&expr.ty, ty) else {
            self.wrong_type(&expr, ty, whole);
            return None;
        };
        if !same {
            if want.kind == NumberKind::Count && have.kind == NumberKind::Rate {
                let found = self.type_name(&expr.ty);
                self.report(
                    Diagnostic::new("type-mismatch", whole, format!("expected count, found {found}"))
                        .hint("a quotient is not whole: say how to round it, `round_down(a / b, 0)`"),
                );
                return None;
            }
            self.wrong_type(&expr, ty, whole);
            return None;
        }
        if have.decimals > want.decimals {
            let (have, want) = (have.clone(), want.clone());
            if want.kind == NumberKind::Rate {
                return self.rounded(expr, have.decimals - want.decimals, ty.clone(), context.round);
            }
            self.report(
                Diagnostic::new(
                    "decimals-lost",
                    whole,
                    format!(
                        "the expression has {} decimals and `{}` keeps {}",
                        have.decimals,
                        self.type_name(ty),
                        want.decimals
                    ),
                )
                .hint(format!("say how to round: `round_half_up(…, {})`", want.decimals)),
            );
            return None;
        }
        Some(self.rescaled(expr, want.decimals))
    }

    pub fn wrong_type(&mut self, expr: &Expr, ty: &Type, whole: Span) {
        self.report(
            Diagnostic::new(
                "type-mismatch",
                whole,
                format!("expected {}, found {}", self.type_name(ty), self.type_name(&expr.ty)),
            )
            .label(format!("this is {}", self.type_name(&expr.ty))),
        );
    }

    pub fn rescaled(&self, expr: Expr, decimals: u8) -> Expr {
        let Type::Number(ty) = &expr.ty else { return expr };
        let up = decimals.saturating_sub(ty.decimals);
        if up == 0 {
            return expr;
        }
        let ty = Type::Number(NumberType { decimals, ..ty.clone() });
        if let ExprKind::Literal(Value::Number(value)) = expr.kind {
            return number(value * 10i128.pow(u32::from(up)), ty, expr.span);
        }
        Expr {
            range: expr.range.map(|range| range.scale_up(up)),
            nullable: expr.nullable,
            span: expr.span,
            ty,
            kind: ExprKind::Rescale { a: Box::new(expr), up },
        }
    }

    pub fn rounded(
        &mut self,
        expr: Expr,
        drop: u8,
        ty: Type,
        round: crate::program::Rounding,
    ) -> Option<Expr> {
        let divisor = 10i128.pow(u32::from(drop));
        Some(Expr {
            range: expr.range.map(|range| range.divide(Range::new(divisor, divisor))),
            nullable: expr.nullable,
            span: expr.span,
            ty,
            kind: ExprKind::Round { a: Box::new(expr), drop, round },
        })
    }

    pub fn expr(
        &mut self,
        sql: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        expected: Option<&Type>,
    ) -> Option<Expr> {
        let span = reading.places.of(sql);
        match sql {
            Sql::Nested(inner) => self.expr(inner, reading, context, expected),
            Sql::Identifier(name) if name.quote_style.is_some() => {
                self.report(
                    Diagnostic::new(
                        "syntax",
                        span,
                        format!("`{}` in double quotes is a name in SQL, not a text", name.value),
                    )
                    .hint(format!("texts and codes stand in single quotes: `'{}'`", name.value)),
                );
                None
            }
            Sql::Identifier(name) => self.bare_name(name, span, context),
            Sql::CompoundIdentifier(parts) => self.dotted(parts, span, context),
            Sql::CompoundFieldAccess { .. } => self.parameter_entry(sql, reading, context, None),
            Sql::Value(value) => self.literal(&value.value, span, expected),
            Sql::TypedString(typed) if matches!(typed.data_type, DataType::Date) => {
                let text = typed.value.value.clone().into_string().unwrap_or_default();
                self.date_literal(&text, span)
            }
            Sql::UnaryOp { op, expr } => self.unary(*op, expr, reading, context, expected, span),
            Sql::BinaryOp { left, op, right } => {
                self.binary(left, op, right, reading, context, expected, span)
            }
            Sql::IsNull(inner) | Sql::IsUnknown(inner) => self.is_unknown(inner, reading, context, span),
            Sql::IsNotNull(inner) | Sql::IsNotUnknown(inner) => {
                self.is_unknown(inner, reading, context, span).map(not)
            }
            Sql::IsTrue(inner) => self.is_true(inner, reading, context, span),
            Sql::IsNotTrue(inner) => self.is_true(inner, reading, context, span).map(not),
            Sql::Between { expr, negated, low, high } => {
                let low_part = self.comparison(expr, Comparison::GreaterOrEqual, low, reading, context, span);
                let high_part = self.comparison(expr, Comparison::LessOrEqual, high, reading, context, span);
                let both = and(vec![low_part?, high_part?], span);
                Some(if *negated { not(both) } else { both })
            }
            Sql::InList { expr, list, negated } => {
                let found = self.in_list(expr, list, reading, context, span)?;
                Some(if *negated { not(found) } else { found })
            }
            Sql::Case { operand, conditions, else_result, .. } => self.case(
                operand.as_deref(),
                conditions,
                else_result.as_deref(),
                reading,
                context,
                expected,
                span,
            ),
            // `substr(x, 1, 2)`, which the parser knows by heart.
            Sql::Substring {
                expr,
                substring_from: Some(from),
                substring_for: Some(length),
                special: true,
                ..
            } => self.substr(expr, from, length, reading, context, span),
            Sql::Function(function) => self.function(function, reading, context, expected, span),
            other => {
                self.not_allowed(other, span);
                None
            }
        }
    }

    pub fn not_allowed(&mut self, sql: &Sql, span: Span) {
        let (what, hint) = match sql {
            Sql::Cast { .. } | Sql::Convert { .. } => {
                ("a cast", "types follow from the declarations; round with `round_half_up(x, n)`")
            }
            Sql::Extract { .. } => ("EXTRACT", "write `year(d)`, `month(d)` or `day(d)`"),
            Sql::Ceil { .. } | Sql::Floor { .. } => {
                ("FLOOR and CEIL", "write `round_down(x, 0)` or `round_up(x, 0)`")
            }
            Sql::Substring { .. } => ("SUBSTRING", "write `substr(text, from, length)`"),
            Sql::Like { .. } | Sql::ILike { .. } | Sql::SimilarTo { .. } | Sql::RLike { .. } => {
                ("pattern matching", "declare a code list and compare codes")
            }
            Sql::Subquery(_) | Sql::Exists { .. } | Sql::InSubquery { .. } => {
                ("a subquery", "aggregate over children: `count(person) FILTER (WHERE …)`")
            }
            Sql::Interval(_) => ("INTERVAL", "write `add_months(d, n)` or `add_days(d, n)`"),
            Sql::IsDistinctFrom(..) | Sql::IsNotDistinctFrom(..) => {
                ("IS DISTINCT FROM", "compare with `=` and `IS NULL`")
            }
            _ => ("this", "the constructs of the pack language are listed in its reference"),
        };
        self.report(
            Diagnostic::new("not-allowed", span, format!("{what} is not part of the pack language: `{sql}`"))
                .hint(hint),
        );
    }

    pub fn literal(&mut self, value: &SqlValue, span: Span, expected: Option<&Type>) -> Option<Expr> {
        match value {
            SqlValue::Boolean(flag) => Some(self.constant(Value::Bool(*flag), Type::Bool, span)),
            SqlValue::Null => {
                let ty = expected.cloned().unwrap_or(Type::Bool);
                Some(Expr {
                    kind: ExprKind::Case { branches: Vec::new(), otherwise: None },
                    range: matches!(ty, Type::Number(_)).then_some(Range { min: 0, max: 0 }),
                    ty,
                    nullable: true,
                    span,
                })
            }
            SqlValue::Number(text, _) => self.number_literal(text, span, expected),
            SqlValue::SingleQuotedString(text) => match expected {
                Some(Type::Code(list)) => self.code_literal(text, *list, span),
                Some(Type::Date) => self.date_literal(text, span),
                _ => Some(self.constant(Value::Text(text.clone()), Type::Text, span)),
            },
            SqlValue::DoubleQuotedString(text) => {
                self.report(
                    Diagnostic::new("syntax", span, format!("`\"{text}\"` is not a value"))
                        .hint(format!("texts and codes stand in single quotes: `'{text}'`")),
                );
                None
            }
            other => {
                self.report(Diagnostic::new("not-allowed", span, format!("`{other}` is not a value here")));
                None
            }
        }
    }

    pub fn constant(&self, value: Value, ty: Type, span: Span) -> Expr {
        Expr { kind: ExprKind::Literal(value), ty, nullable: false, range: None, span }
    }

    pub fn number_literal(&mut self, text: &str, span: Span, expected: Option<&Type>) -> Option<Expr> {
        let Some(decimal) = Decimal::parse(text) else {
            self.report(
                Diagnostic::new("bad-number", span, format!("`{text}` is not an exact decimal number"))
                    .hint("write digits and at most one point, without an exponent"),
            );
            return None;
        };
        match expected {
            Some(Type::Number(ty)) => match decimal.scaled(ty.decimals) {
                Some(value) => Some(number(value, Type::Number(ty.clone()), span)),
                None if ty.kind == NumberKind::Rate => {
                    Some(number(decimal.digits, Type::Number(NumberType::rate(decimal.decimals)), span))
                }
                None => {
                    let ty = Type::Number(ty.clone());
                    self.report(Diagnostic::new(
                        "decimals-lost",
                        span,
                        format!("`{text}` has more decimals than {}", self.type_name(&ty)),
                    ));
                    None
                }
            },
            Some(Type::Index) => {
                Some(self.constant(Value::Index(text.parse().unwrap_or(f64::NAN)), Type::Index, span))
            }
            _ => {
                let ty = if decimal.decimals == 0 {
                    NumberType::count()
                } else {
                    NumberType::rate(decimal.decimals)
                };
                Some(number(decimal.digits, Type::Number(ty), span))
            }
        }
    }

    pub fn code_literal(&mut self, text: &str, list: crate::program::ListId, span: Span) -> Option<Expr> {
        let known = &self.program.lists[list.index()];
        if known.codes.iter().any(|code| code.code == text) {
            return Some(self.constant(Value::Text(text.to_owned()), Type::Code(list), span));
        }
        let meant = known.codes.iter().find(|code| {
            code.label.zh == text || code.label.en == text || code.aliases.iter().any(|alias| alias == text)
        });
        let hint = meant
            .map(|code| format!("expressions use the code: `'{}'`", code.code))
            .or_else(|| did_you_mean(text, known.codes.iter().map(|code| code.code.as_str())));
        let message = format!("`{text}` is not a code of `{}`", known.id);
        let place = known.span;
        self.report(
            Diagnostic::new("unknown-code", span, message)
                .also(place, "the list is declared here")
                .hint_opt(hint),
        );
        None
    }

    pub fn date_literal(&mut self, text: &str, span: Span) -> Option<Expr> {
        match text.parse::<Date>() {
            Ok(date) => Some(self.constant(Value::Date(date), Type::Date, span)),
            Err(_) => {
                self.report(
                    Diagnostic::new("bad-date", span, format!("`{text}` is not a day of the calendar"))
                        .hint("write it like DATE '2015-12-31'"),
                );
                None
            }
        }
    }

    pub fn column_is_hidden(&self, id: ColumnId) -> bool {
        let column: &Column = self.program.column(id);
        column.is_hidden()
    }
}

/// Whether the type of `sql` is settled by what stands beside it: literals and what is made of them.
pub fn is_open(sql: &Sql) -> bool {
    match sql {
        Sql::Value(value) => !matches!(value.value, SqlValue::Boolean(_)),
        Sql::Nested(inner) => is_open(inner),
        Sql::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => is_open(expr),
        Sql::BinaryOp { left, op: BinaryOperator::Plus | BinaryOperator::Minus, right } => {
            is_open(left) && is_open(right)
        }
        Sql::Case { conditions, else_result, .. } => {
            conditions.iter().all(|when| is_open(&when.result))
                && else_result.as_ref().is_none_or(|sql| is_open(sql))
        }
        _ => false,
    }
}

pub fn is_null(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Case { branches, otherwise: None } if branches.is_empty())
}

pub fn comparison_symbol(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

pub fn days_between(from: Expr, to: Expr, span: Span) -> Expr {
    let nullable = from.nullable || to.nullable;
    Expr {
        kind: ExprKind::DaysBetween { from: Box::new(from), to: Box::new(to) },
        ty: Type::Number(NumberType::count()),
        nullable,
        range: Some(Range::new(-200_000, 200_000)),
        span,
    }
}

pub fn date_part(part: DatePart, a: Expr, span: Span) -> Expr {
    let range = match part {
        DatePart::Year => Range::new(1, 9999),
        DatePart::Month => Range::new(1, 12),
        DatePart::Day => Range::new(1, 31),
    };
    Expr {
        nullable: a.nullable,
        kind: ExprKind::DatePart { part, a: Box::new(a) },
        ty: Type::Number(NumberType::count()),
        range: Some(range),
        span,
    }
}

/// The parameter and the day of `at(param.name, day)`.
pub fn at_parts(sql: &Sql) -> Option<(&Sql, &Sql)> {
    use sqlparser::ast::{FunctionArg, FunctionArgExpr, FunctionArguments};
    let sql = if let Sql::Nested(inner) = sql { inner } else { sql };
    let Sql::Function(function) = sql else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    if !function.name.to_string().eq_ignore_ascii_case("at") {
        return None;
    }
    match list.args.as_slice() {
        [
            FunctionArg::Unnamed(FunctionArgExpr::Expr(parameter)),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(day)),
        ] => Some((parameter, day)),
        _ => None,
    }
}

/// `param.name` or `param.name[key]`, in whichever shape the parser gives it.
pub fn parameter_parts(sql: &Sql) -> Option<(String, Option<&Sql>)> {
    use sqlparser::ast::{AccessExpr, Subscript};
    match sql {
        Sql::Nested(inner) => parameter_parts(inner),
        Sql::CompoundIdentifier(parts) if parts.len() == 2 && parts[0].value == "param" => {
            Some((parts[1].value.clone(), None))
        }
        Sql::CompoundFieldAccess { root, access_chain } => {
            let mut names: Vec<String> = match root.as_ref() {
                Sql::Identifier(name) => vec![name.value.clone()],
                Sql::CompoundIdentifier(parts) => parts.iter().map(|part| part.value.clone()).collect(),
                _ => return None,
            };
            let mut key = None;
            for access in access_chain {
                match access {
                    AccessExpr::Dot(Sql::Identifier(name)) if key.is_none() => names.push(name.value.clone()),
                    AccessExpr::Subscript(Subscript::Index { index }) if key.is_none() => key = Some(index),
                    _ => return None,
                }
            }
            (names.len() == 2 && names[0] == "param").then(|| (names[1].clone(), key))
        }
        _ => None,
    }
}
