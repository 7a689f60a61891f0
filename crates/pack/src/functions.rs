//! Function calls: scalar functions, aggregates over children, windows among siblings.

use sqlparser::ast::{Expr as Sql, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

use crate::compiler::{Compiler, Context};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::expression::{Reading, at_parts, date_part, days_between, parameter_parts};
use crate::program::{
    AggregateFunction, ColumnKind, DatePart, Expr, ExprKind, Format, NumberType, ParameterShape, Range,
    Rounding, Span, Type, Value,
};

/// Scalar functions with the number of their arguments, for messages and the reference.
pub const FUNCTIONS: &[(&str, &str)] = &[
    ("abs", "abs(x)"),
    ("add_days", "add_days(date, count)"),
    ("add_months", "add_months(date, count)"),
    ("age", "age(birth, at)"),
    ("at", "at(param.x, date)"),
    ("bool_and", "bool_and(child.condition)"),
    ("bool_or", "bool_or(child.condition)"),
    ("bracket", "bracket(param.scale, amount)"),
    ("citizen_birth", "citizen_birth(number)"),
    ("citizen_sex", "citizen_sex(number)"),
    ("coalesce", "coalesce(x, …)"),
    ("count", "count(child)"),
    ("date", "date(year, month, day)"),
    ("day", "day(date)"),
    ("days_between", "days_between(from, to)"),
    ("greatest", "greatest(x, …)"),
    ("least", "least(x, …)"),
    ("max", "max(child.x)"),
    ("min", "min(child.x)"),
    ("month", "month(date)"),
    ("rank", "rank() OVER (…)"),
    ("round_down", "round_down(x, decimals)"),
    ("round_half_up", "round_half_up(x, decimals)"),
    ("round_up", "round_up(x, decimals)"),
    ("row_number", "row_number() OVER (…)"),
    ("substr", "substr(text, from, length)"),
    ("sum", "sum(child.x)"),
    ("year", "year(date)"),
];

impl Compiler<'_> {
    pub fn function(
        &mut self,
        function: &Function,
        reading: &Reading<'_>,
        context: &mut Context,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        let name = function.name.to_string().to_lowercase();
        let (arguments, star) = self.arguments(function, span)?;
        if let Some(over) = &function.over {
            return self.window(&name, &arguments, star, over, reading, context, span);
        }
        if let Some(aggregate) = aggregate_named(&name) {
            return self.aggregate(aggregate, &arguments, function.filter.as_deref(), reading, context, span);
        }
        if function.filter.is_some() {
            self.report(Diagnostic::new("not-allowed", span, format!("`{name}` takes no FILTER")));
            return None;
        }
        self.scalar_function(&name, &arguments, reading, context, expected, span)
    }

    pub fn arguments<'s>(&mut self, function: &'s Function, span: Span) -> Option<(Vec<&'s Sql>, bool)> {
        let list = match &function.args {
            FunctionArguments::None => return Some((Vec::new(), false)),
            FunctionArguments::List(list)
                if list.duplicate_treatment.is_none() && list.clauses.is_empty() =>
            {
                &list.args
            }
            _ => {
                self.report(
                    Diagnostic::new(
                        "not-allowed",
                        span,
                        format!(
                            "arguments of `{}` are written in a way that is not part of the pack language",
                            function.name
                        ),
                    )
                    .hint("plain arguments only, without DISTINCT or ORDER BY"),
                );
                return None;
            }
        };
        let mut arguments = Vec::new();
        let mut star = false;
        for argument in list {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => arguments.push(expr),
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => star = true,
                other => {
                    self.report(Diagnostic::new(
                        "not-allowed",
                        span,
                        format!("`{other}` is not an argument of the pack language"),
                    ));
                    return None;
                }
            }
        }
        Some((arguments, star))
    }

    pub fn scalar_function(
        &mut self,
        name: &str,
        arguments: &[&Sql],
        reading: &Reading<'_>,
        context: &mut Context,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        match (name, arguments) {
            ("coalesce" | "least" | "greatest", list) if !list.is_empty() => {
                self.variadic(name, list, reading, context, expected, span)
            }
            ("abs", [x]) => {
                let a = self.expr(x, reading, context, expected)?;
                self.need_number(&a, name, span)?;
                Some(Expr {
                    range: a.range.map(Range::absolute),
                    ty: a.ty.clone(),
                    nullable: a.nullable,
                    span,
                    kind: ExprKind::Abs(Box::new(a)),
                })
            }
            ("round_half_up" | "round_down" | "round_up", [x, places]) => {
                let round = match name {
                    "round_half_up" => Rounding::HalfUp,
                    "round_down" => Rounding::Down,
                    _ => Rounding::Up,
                };
                self.round_function(round, x, places, reading, context, span)
            }
            ("year" | "month" | "day", [x]) => {
                let a = self.typed_argument(x, &Type::Date, reading, context)?;
                let part = match name {
                    "year" => DatePart::Year,
                    "month" => DatePart::Month,
                    _ => DatePart::Day,
                };
                Some(date_part(part, a, span))
            }
            ("date", [y, m, d]) => {
                let count = Type::Number(NumberType::count());
                let year = self.typed_argument(y, &count, reading, context)?;
                let month = self.typed_argument(m, &count, reading, context)?;
                let day = self.typed_argument(d, &count, reading, context)?;
                self.need_constant_day(&month, &day, span)?;
                let nullable = year.nullable || month.nullable || day.nullable;
                let kind =
                    ExprKind::MakeDate { year: Box::new(year), month: Box::new(month), day: Box::new(day) };
                Some(Expr { kind, ty: Type::Date, nullable, range: None, span })
            }
            ("days_between", [from, to]) => {
                let from = self.typed_argument(from, &Type::Date, reading, context)?;
                let to = self.typed_argument(to, &Type::Date, reading, context)?;
                Some(days_between(from, to, span))
            }
            ("add_months" | "add_days", [date, n]) => {
                let a = self.typed_argument(date, &Type::Date, reading, context)?;
                let n = self.typed_argument(n, &Type::Number(NumberType::count()), reading, context)?;
                let nullable = a.nullable || n.nullable;
                let (a, n) = (Box::new(a), Box::new(n));
                let kind = if name == "add_months" {
                    ExprKind::AddMonths { a, months: n }
                } else {
                    ExprKind::AddDays { a, days: n }
                };
                Some(Expr { kind, ty: Type::Date, nullable, range: None, span })
            }
            ("age", [birth, at]) => {
                let birth = self.typed_argument(birth, &Type::Date, reading, context)?;
                let at = self.typed_argument(at, &Type::Date, reading, context)?;
                let nullable = birth.nullable || at.nullable;
                Some(Expr {
                    kind: ExprKind::Age { birth: Box::new(birth), at: Box::new(at) },
                    ty: Type::Number(NumberType::count()),
                    nullable,
                    range: Some(Range::new(-1000, 1000)),
                    span,
                })
            }
            ("at", [parameter, date]) => {
                let at = self.typed_argument(date, &Type::Date, reading, context)?;
                if parameter_parts(parameter).is_none() {
                    self.report(
                        Diagnostic::new("argument", span, "`at` takes a parameter and a date".to_owned())
                            .hint("write `at(param.benchmark_rate, released_on)`"),
                    );
                    return None;
                }
                self.parameter_entry(parameter, reading, context, Some(at))
            }
            ("bracket", [parameter, x]) => self.bracket(parameter, x, reading, context, span),
            ("citizen_birth" | "citizen_sex", [x]) => self.citizen(name, x, reading, context, span),
            ("substr", [x, from, length]) => self.substr(x, from, length, reading, context, span),
            _ => {
                self.unknown_function(name, arguments.len(), span);
                None
            }
        }
    }

    pub fn unknown_function(&mut self, name: &str, given: usize, span: Span) {
        let diagnostic = match FUNCTIONS.iter().find(|(known, _)| *known == name) {
            Some((_, usage)) => Diagnostic::new(
                "argument",
                span,
                format!("`{name}` does not take {given} argument{}", if given == 1 { "" } else { "s" }),
            )
            .hint(format!("write `{usage}`")),
            None => Diagnostic::new(
                "unknown-function",
                span,
                format!("`{name}` is not a function of the pack language"),
            )
            .hint_opt(function_hint(name)),
        };
        self.report(diagnostic);
    }

    pub fn need_number(&mut self, expr: &Expr, name: &str, span: Span) -> Option<()> {
        if matches!(expr.ty, Type::Number(_)) {
            return Some(());
        }
        self.report(
            Diagnostic::new(
                "type-mismatch",
                span,
                format!("`{name}` takes a number, not {}", self.type_name(&expr.ty)),
            )
            .also(expr.span, format!("this is {}", self.type_name(&expr.ty))),
        );
        None
    }

    pub fn need_constant_day(&mut self, month: &Expr, day: &Expr, span: Span) -> Option<()> {
        let value = |expr: &Expr| match expr.kind {
            ExprKind::Literal(Value::Number(value)) => Some(value),
            _ => None,
        };
        let fine = match (value(month), value(day)) {
            (Some(month), Some(day)) => (1..=12).contains(&month) && (1..=28).contains(&day),
            _ => false,
        };
        if !fine {
            self.report(
                Diagnostic::new(
                    "argument",
                    span,
                    "month and day of `date` are fixed numbers, day at most 28".to_owned(),
                )
                .hint("move from the first of a month with `add_months` and `add_days`"),
            );
            return None;
        }
        Some(())
    }

    pub fn typed_argument(
        &mut self,
        sql: &Sql,
        ty: &Type,
        reading: &Reading<'_>,
        context: &mut Context,
    ) -> Option<Expr> {
        let expr = self.expr(sql, reading, context, Some(ty))?;
        let span = reading.places.of(sql);
        self.fit(expr, ty, span, context)
    }

    pub fn variadic(
        &mut self,
        name: &str,
        list: &[&Sql],
        reading: &Reading<'_>,
        context: &mut Context,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        let parts = self.alternatives(list, reading, context, expected, None, span)?;
        let ty = parts[0].ty.clone();
        let ranges: Vec<Range> = parts.iter().filter_map(|part| part.range).collect();
        let any_unknown = parts.iter().any(|part| part.nullable);
        if name != "coalesce" && !matches!(ty, Type::Number(_) | Type::Date | Type::Index) {
            let first = parts[0].clone();
            self.need_number(&first, name, span)?;
        }
        let (kind, nullable, range) = match name {
            "coalesce" => {
                let nullable = parts.iter().all(|part| part.nullable);
                (ExprKind::Coalesce(parts), nullable, ranges.into_iter().reduce(Range::union))
            }
            "least" => {
                let range =
                    ranges.into_iter().reduce(|a, b| Range { min: a.min.min(b.min), max: a.max.min(b.max) });
                (ExprKind::Least(parts), any_unknown, range)
            }
            _ => {
                let range =
                    ranges.into_iter().reduce(|a, b| Range { min: a.min.max(b.min), max: a.max.max(b.max) });
                (ExprKind::Greatest(parts), any_unknown, range)
            }
        };
        Some(Expr { kind, ty, nullable, range, span })
    }

    /// Rounds to `places` decimals; a quotient inside is rounded once, not twice.
    pub fn round_function(
        &mut self,
        round: Rounding,
        x: &Sql,
        places: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        span: Span,
    ) -> Option<Expr> {
        let places_expr = self.expr(places, reading, context, None)?;
        let ExprKind::Literal(Value::Number(places)) = places_expr.kind else {
            self.report(Diagnostic::new(
                "argument",
                places_expr.span,
                "the number of decimals is a fixed number",
            ));
            return None;
        };
        let places = u8::try_from(places).ok().filter(|places| *places <= 9);
        let Some(places) = places else {
            self.report(Diagnostic::new("argument", places_expr.span, "decimals go from 0 to 9"));
            return None;
        };
        let mut inner_sql = x;
        while let Sql::Nested(inner) = inner_sql {
            inner_sql = inner;
        }
        let outer = context.round;
        context.round = round;
        let read = match inner_sql {
            Sql::BinaryOp { left, op: sqlparser::ast::BinaryOperator::Divide, right } => {
                let a = self.expr(left, reading, context, None);
                let b = self.expr(right, reading, context, None);
                match (a, b) {
                    (Some(a), Some(b)) => self.quotient(a, b, Some(places), span, context),
                    _ => None,
                }
            }
            _ => self.expr(x, reading, context, None),
        };
        context.round = outer;
        let a = read?;
        self.need_number(&a, "round", span)?;
        let Type::Number(have) = a.ty.clone() else { return None };
        let kind = if have.unit.is_none() && places == 0 {
            NumberType::count()
        } else {
            NumberType { decimals: places.min(have.decimals), ..have.clone() }
        };
        if have.decimals <= places {
            return Some(Expr { ty: Type::Number(NumberType { decimals: have.decimals, ..kind }), ..a });
        }
        let drop = have.decimals - places;
        let divisor = 10i128.pow(u32::from(drop));
        let rounded = Expr {
            range: a.range.map(|range| range.divide(Range::new(divisor, divisor))),
            ty: Type::Number(kind),
            nullable: a.nullable,
            span,
            kind: ExprKind::Round { a: Box::new(a), drop, round },
        };
        // Money keeps its two decimals whatever it is rounded to.
        if have.is_money() { Some(self.rescaled(rounded, have.decimals)) } else { Some(rounded) }
    }

    pub fn bracket(
        &mut self,
        parameter: &Sql,
        x: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        span: Span,
    ) -> Option<Expr> {
        let (parameter, on) = match at_parts(parameter) {
            Some((parameter, on)) => (parameter, Some(on)),
            None => (parameter, None),
        };
        let Some((name, None)) = parameter_parts(parameter) else {
            self.report(
                Diagnostic::new("argument", span, "`bracket` takes a scale and an amount".to_owned())
                    .hint("write `bracket(param.shares, amount)`, or `bracket(at(param.shares, billed_on), amount)`"),
            );
            return None;
        };
        let at = match on {
            Some(on) => Some(self.typed_argument(on, &Type::Date, reading, context)?),
            None => self.day_of_timing(context, span),
        };
        let id = self.parameter(&name, reading.places.of(parameter))?;
        let declared = self.program.parameters[id.index()].clone();
        let ParameterShape::Brackets { over, values } = &declared.shape else {
            self.report(
                Diagnostic::new(
                    "parameter-shape",
                    span,
                    format!("`param.{name}` is not a scale of brackets"),
                )
                .also(declared.span, "declared here"),
            );
            return None;
        };
        if let Some(rule) = context.rule {
            self.reads.push((rule, id));
        }
        let x = self.typed_argument(x, &Type::Number(over.clone()), reading, context)?;
        let rate_max =
            values.iter().flat_map(|dated| dated.value.iter().map(|step| step.rate)).max().unwrap_or(0);
        let decimals = match &declared.ty {
            Type::Number(ty) => ty.decimals,
            _ => 0,
        };
        let top = x.range.map_or(0, |range| range.max.max(0));
        let full = Range::new(0, top.saturating_mul(rate_max));
        self.check_range(full, span)?;
        let steps = values.iter().map(|dated| dated.value.len()).max().unwrap_or(1) as i128;
        let divisor = 10i128.pow(u32::from(decimals));
        Some(Expr {
            range: Some(Range::new(0, full.max / divisor + steps)),
            ty: x.ty.clone(),
            nullable: true,
            span,
            kind: ExprKind::Bracket {
                parameter: id,
                at: at.map(Box::new),
                x: Box::new(x),
                round: context.round,
            },
        })
    }

    pub fn citizen(
        &mut self,
        name: &str,
        x: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        span: Span,
    ) -> Option<Expr> {
        let a = self.expr(x, reading, context, None)?;
        let is_number = match &a.kind {
            ExprKind::Column(id) => match &self.program.column(*id).kind {
                ColumnKind::Field(field) => field.format == Format::CitizenNumber,
                _ => false,
            },
            _ => false,
        };
        if !is_number {
            self.report(
                Diagnostic::new(
                    "argument",
                    a.span,
                    format!("`{name}` takes a field whose format is `citizen-number`"),
                )
                .hint("only checked numbers can be taken apart"),
            );
            return None;
        }
        let nullable = a.nullable;
        let part = |from: u32, length: u32| Expr {
            kind: ExprKind::Substring { a: Box::new(a.clone()), from, length },
            ty: Type::Text,
            nullable,
            range: None,
            span,
        };
        if name == "citizen_sex" {
            let odd: Vec<Value> = ["1", "3", "5", "7", "9"].map(|digit| Value::Text(digit.to_owned())).into();
            let text = |value: &str| Expr {
                kind: ExprKind::Literal(Value::Text(value.to_owned())),
                ty: Type::Text,
                nullable: false,
                range: None,
                span,
            };
            let male = Expr {
                kind: ExprKind::In { a: Box::new(part(17, 1)), list: odd },
                ty: Type::Bool,
                nullable,
                range: None,
                span,
            };
            return Some(Expr {
                kind: ExprKind::Case {
                    branches: vec![(male, text("male"))],
                    otherwise: Some(Box::new(text("female"))),
                },
                ty: Type::Text,
                nullable,
                range: None,
                span,
            });
        }
        let count = |from: u32, length: u32, max: i128| {
            Box::new(Expr {
                kind: ExprKind::DigitsToCount(Box::new(part(from, length))),
                ty: Type::Number(NumberType::count()),
                nullable,
                range: Some(Range::new(0, max)),
                span,
            })
        };
        Some(Expr {
            kind: ExprKind::MakeDate {
                year: count(7, 4, 9999),
                month: count(11, 2, 12),
                day: count(13, 2, 31),
            },
            ty: Type::Date,
            nullable,
            range: None,
            span,
        })
    }

    pub fn substr(
        &mut self,
        x: &Sql,
        from: &Sql,
        length: &Sql,
        reading: &Reading<'_>,
        context: &mut Context,
        span: Span,
    ) -> Option<Expr> {
        let a = self.typed_argument(x, &Type::Text, reading, context)?;
        let mut fixed = |sql: &Sql| -> Option<u32> {
            let expr = self.expr(sql, reading, context, None)?;
            match expr.kind {
                ExprKind::Literal(Value::Number(value)) if value >= 1 => u32::try_from(value).ok(),
                _ => {
                    self.report(Diagnostic::new(
                        "argument",
                        expr.span,
                        "start and length of `substr` are fixed numbers from 1".to_owned(),
                    ));
                    None
                }
            }
        };
        let (from, length) = (fixed(from)?, fixed(length)?);
        Some(Expr {
            nullable: a.nullable,
            kind: ExprKind::Substring { a: Box::new(a), from, length },
            ty: Type::Text,
            range: None,
            span,
        })
    }
}

pub fn aggregate_named(name: &str) -> Option<AggregateFunction> {
    Some(match name {
        "count" => AggregateFunction::Count,
        "sum" => AggregateFunction::Sum,
        "bool_or" => AggregateFunction::Any,
        "bool_and" => AggregateFunction::All,
        "min" => AggregateFunction::Min,
        "max" => AggregateFunction::Max,
        _ => return None,
    })
}

fn function_hint(name: &str) -> Option<String> {
    Some(match name {
        "avg" | "mean" => "write `sum(…) / count(…)`, so that the rounding is said".to_owned(),
        "round" => "say how: `round_half_up(x, 2)`, `round_down` or `round_up`".to_owned(),
        "floor" | "trunc" => "write `round_down(x, 0)`".to_owned(),
        "ceil" | "ceiling" => "write `round_up(x, 0)`".to_owned(),
        "any" | "some" | "exists" => "write `bool_or(child.condition)`".to_owned(),
        "every" | "all" => "write `bool_and(child.condition)`".to_owned(),
        "now" | "current_date" | "today" => "the date of the run is `as_of`".to_owned(),
        "if" | "iif" => "write CASE WHEN … THEN … ELSE … END".to_owned(),
        "ifnull" | "nvl" => "write `coalesce(x, y)`".to_owned(),
        "datediff" => "write `days_between(from, to)`".to_owned(),
        _ => return did_you_mean(name, FUNCTIONS.iter().map(|(known, _)| *known)),
    })
}
