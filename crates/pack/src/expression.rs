//! Types expressions: names, units, scales, ranges and what can be unknown.

use model::{Date, Text};
use sqlparser::ast::{BinaryOperator, DataType, Expr as Sql, Ident, UnaryOperator, Value as SqlValue};

use crate::compiler::{Compiler, Context, Timing, and, compare, not, number};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::program::{
    Column, ColumnId, Comparison, DatePart, EdgeId, EntityId, Expr, ExprKind, NumberKind, NumberType,
    ParameterId, ParameterShape, Range, Span, Type, Value,
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
        let text = self.file_text(word.span);
        let (sql, places) = match syntax::parse(word, &text) {
            Ok(parsed) => parsed,
            Err(diagnostic) => {
                self.report(diagnostic);
                return None;
            }
        };
        let reading = Reading { places: &places };
        let expr = self.expr(&sql, &reading, context, expected)?;
        match expected {
            Some(ty) => self.fit(expr, ty, places.whole(), context),
            None => Some(expr),
        }
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

    fn wrong_type(&mut self, expr: &Expr, ty: &Type, whole: Span) {
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

    fn rounded(&mut self, expr: Expr, drop: u8, ty: Type, round: crate::program::Rounding) -> Option<Expr> {
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
            Sql::Substring { expr, substring_from: Some(from), substring_for: Some(length), special: true, .. } => {
                self.substr(expr, from, length, reading, context, span)
            }
            Sql::Function(function) => self.function(function, reading, context, expected, span),
            other => {
                self.not_allowed(other, span);
                None
            }
        }
    }

    fn not_allowed(&mut self, sql: &Sql, span: Span) {
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

    fn literal(&mut self, value: &SqlValue, span: Span, expected: Option<&Type>) -> Option<Expr> {
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

    fn constant(&self, value: Value, ty: Type, span: Span) -> Expr {
        Expr { kind: ExprKind::Literal(value), ty, nullable: false, range: None, span }
    }

    fn number_literal(&mut self, text: &str, span: Span, expected: Option<&Type>) -> Option<Expr> {
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

    fn code_literal(&mut self, text: &str, list: crate::program::ListId, span: Span) -> Option<Expr> {
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

    fn date_literal(&mut self, text: &str, span: Span) -> Option<Expr> {
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

    fn bare_name(&mut self, name: &Ident, span: Span, context: &mut Context) -> Option<Expr> {
        if let Some(child) = &context.child {
            if !matches!(name.value.as_str(), "as_of" | "year") {
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

    fn dotted(&mut self, parts: &[Ident], span: Span, context: &mut Context) -> Option<Expr> {
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
    fn walk(&mut self, entity: EntityId, path: &[&str], span: Span) -> Option<ColumnId> {
        let Some((name, rest)) = path.split_first() else { return None };
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

    fn no_edge(&mut self, entity: EntityId, name: &str, rest: &[&str], span: Span) -> Option<ColumnId> {
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
    fn edges_towards(&self, entity: EntityId, name: &str) -> Option<Vec<EdgeId>> {
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
        let at = at.or_else(|| match context.timing {
            Timing::PeriodStart => Some(self.year_start(span)),
            Timing::On(date) => Some(self.constant(Value::Date(date), Type::Date, span)),
            Timing::AsOf | Timing::Split => None,
        });
        let nullable =
            at.as_ref().is_some_and(|at| at.nullable || !matches!(at.kind, ExprKind::MakeDate { .. }))
                || key.as_ref().is_some_and(|key| key.nullable);
        Some(Expr {
            kind: ExprKind::Parameter { id, at: at.map(Box::new), key: key.map(Box::new) },
            ty: parameter.ty,
            nullable,
            range,
            span,
        })
    }

    fn year_start(&self, span: Span) -> Expr {
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

    fn unary(
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

    fn operand_error(&mut self, op: &str, expr: &Expr, span: Span) {
        self.report(
            Diagnostic::new(
                "type-mismatch",
                span,
                format!("`{op}` does not apply to {}", self.type_name(&expr.ty)),
            )
            .also(expr.span, format!("this is {}", self.type_name(&expr.ty))),
        );
    }

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

    #[expect(clippy::too_many_arguments, reason = "the operands of one operator with their surroundings")]
    fn binary(
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
                    BinaryOperator::StringConcat => Some("a rule computes facts, not texts".to_owned()),
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
    fn sum_or_difference(
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
        let range = if plus { first.add(second) } else { first.add(second.negate()) };
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

    fn comparison(
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
            | (Type::Text, Type::Text)
            | (Type::Code(_) | Type::Text, Type::Text)
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

    fn in_list(
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

    fn is_unknown(
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

    fn is_true(
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
    fn case(
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

    pub fn column_is_hidden(&self, id: ColumnId) -> bool {
        let column: &Column = self.program.column(id);
        column.name.starts_with('_')
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

fn is_null(expr: &Expr) -> bool {
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
