//! Turns announced definitions into columns.

use model::{Date, Text};

use crate::compiler::{Compiler, Context, Definition, Pending, Timing, and, compare, not, number};
use crate::diagnostic::Diagnostic;
use crate::expression::days_between;
use crate::program::{
    Column, ColumnId, ColumnKind, Comparison, Dated, Expr, ExprKind, FindingRule, NumberType, ParameterId,
    ParameterShape, Range, Span, Type, Value,
};
use crate::surface::Word;
use crate::types::RATIO_DECIMALS;

impl Compiler<'_> {
    fn context(&self, pending: &Pending) -> Context {
        Context {
            entity: pending.entity,
            child: None,
            round: pending.round,
            rule: Some(pending.rule),
            timing: pending.timing,
            path: Vec::new(),
        }
    }

    /// Compiles one pending column; `None` if it has errors, which are then reported.
    pub fn define(&mut self, pending: &Pending) -> Option<ColumnId> {
        let mut context = self.context(pending);
        let expr = match &pending.definition {
            Definition::Expression { text, ty } => self.timed(text, &mut context, ty.as_ref())?,
            Definition::Amount { who, amount, exceptions, conflict, ty } => {
                self.amount(pending, who, amount, exceptions, conflict.as_deref(), ty, &mut context)?
            }
            Definition::Conflict { of } => {
                let expr = self.conflict(pending, of)?;
                let made = self.finish_column(pending, expr);
                self.program.findings.push(FindingRule {
                    column: made,
                    code: "conflict".to_owned(),
                    rule: Some(pending.rule),
                    message: Text {
                        zh: "两项例外条款同时适用".to_owned(),
                        en: "two exceptions apply at once".to_owned(),
                    },
                });
                return Some(made);
            }
            Definition::All { of } => {
                let parts = self.columns_named(pending, of)?;
                if parts.len() == 1 { parts.into_iter().next()? } else { and(parts, pending.span) }
            }
            Definition::Gap { holds, applies, quantity } => {
                self.gap(pending, holds, applies.as_deref(), quantity, &mut context)?
            }
            Definition::Cost { quantity, parameter, by } => {
                self.cost(pending, quantity, *parameter, by.as_ref(), &mut context)?
            }
            Definition::Sharing(step) => self.sharing(pending, step, &mut context)?,
            Definition::Points { text } => self.points(pending, text, &mut context)?,
            Definition::Share { part, rest } => self.share(pending, part, rest)?,
            Definition::Ratio { numerator, denominator, ty } => {
                let a = self.named(pending, numerator)?;
                let b = self.named(pending, denominator)?;
                let wanted = match ty {
                    Some(Type::Number(number)) => Some(number.decimals),
                    _ => None,
                };
                let expr = self.quotient(a, b, wanted, pending.span, &context)?;
                match ty {
                    Some(ty) => self.fit(expr, ty, pending.span, &context)?,
                    None => expr,
                }
            }
        };
        Some(self.finish_column(pending, expr))
    }

    /// A hidden column that is the whole expression takes the name; anything else is a scalar.
    fn finish_column(&mut self, pending: &Pending, expr: Expr) -> ColumnId {
        let (ty, nullable, range) = (expr.ty.clone(), expr.nullable, expr.range);
        self.add_column(Column {
            entity: pending.entity,
            name: pending.name.clone(),
            label: pending.label.clone(),
            ty,
            nullable,
            range,
            kind: ColumnKind::Scalar(expr),
            rule: Some(pending.rule),
            span: pending.span,
        })
    }

    /// An expression, split over the stretches of the year if its rule says so.
    fn timed(&mut self, text: &Word, context: &mut Context, ty: Option<&Type>) -> Option<Expr> {
        match ty {
            Some(ty @ Type::Number(_)) if context.timing == Timing::Split => self.split(text, context, ty),
            _ => self.expression(text, context, ty),
        }
    }

    /// The sum over the stretches between changes of the parameters it reads: what the expression comes to
    /// with the values of the stretch, times the days of the stretch in the year of the run, divided by the
    /// days of that year. Each product rounds by itself. A stretch outside the year counts for nothing.
    fn split(&mut self, text: &Word, context: &mut Context, ty: &Type) -> Option<Expr> {
        let before = self.reads.len();
        let whole = self.expression(text, context, Some(ty))?;
        let read: Vec<ParameterId> = self.reads[before..].iter().map(|(_, parameter)| *parameter).collect();
        let mut dates: Vec<Date> = read.iter().flat_map(|id| self.changes(*id)).collect();
        dates.sort_unstable();
        dates.dedup();
        if dates.is_empty() {
            return Some(whole);
        }
        let span = whole.span;
        let year_days = self.days_of_year(None, None, span);
        let mut sum: Option<Expr> = None;
        for position in 0..=dates.len() {
            let from = position.checked_sub(1).map(|earlier| dates[earlier]);
            let until = dates.get(position).copied();
            let on = from.or_else(|| dates[0].add_days(-1))?;
            let mut stretch = Context { timing: Timing::On(on), ..context.clone() };
            let amount = self.expression(text, &mut stretch, Some(ty))?;
            let days = self.days_of_year(from, until, span);
            let part = self.product(amount, days.clone(), span, context)?;
            let part = self.quotient(part, year_days.clone(), None, span, context)?;
            let part = self.fit(part, ty, span, context)?;
            let zero = number(0, ty.clone(), span);
            let none =
                compare(Comparison::Equal, days, number(0, Type::Number(NumberType::count()), span), span);
            let part = case(vec![(none, zero)], Some(part), span);
            sum = Some(match sum {
                None => part,
                Some(so_far) => {
                    let nullable = so_far.nullable || part.nullable;
                    let range = Some(so_far.range?.plus(part.range?));
                    let kind = ExprKind::Add(Box::new(so_far), Box::new(part));
                    Expr { kind, ty: ty.clone(), nullable, range, span }
                }
            });
        }
        sum
    }

    /// Days on which a parameter's value changes, begins or ends.
    fn changes(&self, id: ParameterId) -> Vec<Date> {
        fn days<T>(values: &[Dated<T>]) -> Vec<Date> {
            values.iter().flat_map(|dated| std::iter::once(dated.from).chain(dated.until)).collect()
        }
        let mut days = match &self.program.parameters[id.index()].shape {
            ParameterShape::Scalar(values) => days(values),
            ParameterShape::Table { values, .. } => days(values),
            ParameterShape::Brackets { values, .. } => days(values),
        };
        days.retain(|day| *day > Date::MIN);
        days
    }

    /// Days of the year of the run from `from` up to `until`, or to its ends.
    fn days_of_year(&self, from: Option<Date>, until: Option<Date>, span: Span) -> Expr {
        let count = |value: i128| Box::new(number(value, Type::Number(NumberType::count()), span));
        let first = |ahead: i128| {
            let year = self.year_of_run(span);
            let range = year.range.map(|range| range.plus(Range::new(ahead, ahead)));
            let year = Expr {
                kind: ExprKind::Add(Box::new(year), count(ahead)),
                ty: Type::Number(NumberType::count()),
                nullable: false,
                range,
                span,
            };
            let kind = ExprKind::MakeDate { year: Box::new(year), month: count(1), day: count(1) };
            Expr { kind, ty: Type::Date, nullable: false, range: None, span }
        };
        let day = |date: Date| Expr {
            kind: ExprKind::Literal(Value::Date(date)),
            ty: Type::Date,
            nullable: false,
            range: None,
            span,
        };
        let both = |kind: ExprKind| Expr { kind, ty: Type::Date, nullable: false, range: None, span };
        let start = match from {
            Some(date) => both(ExprKind::Greatest(vec![first(0), day(date)])),
            None => first(0),
        };
        let end = match until {
            Some(date) => both(ExprKind::Least(vec![first(1), day(date)])),
            None => first(1),
        };
        let mut days = days_between(start, end, span);
        if from.is_none() && until.is_none() {
            days.range = Some(Range::new(365, 366));
            return days;
        }
        days.range = Some(Range::new(-200_000, 366));
        let none = number(0, Type::Number(NumberType::count()), span);
        Expr {
            kind: ExprKind::Greatest(vec![days, none]),
            ty: Type::Number(NumberType::count()),
            nullable: false,
            range: Some(Range::new(0, 366)),
            span,
        }
    }

    fn named(&mut self, pending: &Pending, name: &str) -> Option<Expr> {
        let id = self.resolve(pending.entity, name, pending.span)?;
        Some(self.column_expr(id, pending.span))
    }

    fn columns_named(&mut self, pending: &Pending, names: &[String]) -> Option<Vec<Expr>> {
        let found: Vec<Option<Expr>> = names.iter().map(|name| self.named(pending, name)).collect();
        found.into_iter().collect()
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a benefit's amount")]
    fn amount(
        &mut self,
        pending: &Pending,
        who: &str,
        amount: &Word,
        exceptions: &[(String, Word)],
        conflict: Option<&str>,
        ty: &Type,
        context: &mut Context,
    ) -> Option<Expr> {
        let who = self.named(pending, who)?;
        context.path.push(who.clone());
        let mut branches: Vec<(Expr, Expr)> = Vec::new();
        let mut failed = false;
        if let Some(conflict) = conflict {
            let clash = self.named(pending, conflict)?;
            let unknown = Expr {
                kind: ExprKind::Case { branches: Vec::new(), otherwise: None },
                ty: ty.clone(),
                nullable: true,
                range: None,
                span: pending.span,
            };
            branches.push((clash, unknown));
        }
        for (when, text) in exceptions {
            let when = self.named(pending, when);
            let value = self.timed(text, context, Some(ty));
            match (when, value) {
                (Some(when), Some(value)) => branches.push((when, value)),
                _ => failed = true,
            }
        }
        let base = self.timed(amount, context, Some(ty))?;
        context.path.clear();
        if failed {
            return None;
        }
        let zero = number(0, ty.clone(), pending.span);
        let entitled = if branches.is_empty() { base } else { case(branches, Some(base), pending.span) };
        Some(case(vec![(who, entitled)], Some(zero), pending.span))
    }

    fn cost(
        &mut self,
        pending: &Pending,
        quantity: &str,
        parameter: ParameterId,
        by: Option<&Word>,
        context: &mut Context,
    ) -> Option<Expr> {
        let span = pending.span;
        let quantity = self.named(pending, quantity)?;
        let list = match self.program.parameters[parameter.index()].shape {
            ParameterShape::Table { list, .. } => Some(list),
            _ => None,
        };
        let key = match (by, list) {
            (Some(by), Some(list)) => Some(self.expression(by, context, Some(&Type::Code(list)))?),
            (None, Some(list)) => {
                let list = self.program.list(list).id.clone();
                self.report(
                    Diagnostic::new(
                        "parameter-shape",
                        span,
                        format!("the unit cost of this programme is a table over `{list}`"),
                    )
                    .hint("say which entry counts: `remedy = { …, by = \"village.area\" }`"),
                );
                return None;
            }
            (Some(by), None) => {
                self.report(
                    Diagnostic::new(
                        "parameter-shape",
                        by.span,
                        "the unit cost of this programme is one value, not a table",
                    )
                    .hint("leave `by` out, or declare the unit cost `over` a list"),
                );
                return None;
            }
            (None, None) => None,
        };
        let picked = key.is_some();
        let unit = self.parameter_expr(parameter, None, key, span, context)?;
        let money = Type::Number(NumberType::money());
        let zero = number(0, quantity.ty.clone(), span);
        let nothing = compare(Comparison::Equal, quantity.clone(), zero, span);
        let expr = self.product(quantity, unit, span, context)?;
        let expr = self.fit(expr, &money, span, context)?;
        // Where nothing is missing, it does not matter which entry would count.
        Some(if picked { case(vec![(nothing, number(0, money, span))], Some(expr), span) } else { expr })
    }

    fn share(&mut self, pending: &Pending, part: &str, rest: &str) -> Option<Expr> {
        let span = pending.span;
        let (part, rest) = (self.named(pending, part)?, self.named(pending, rest)?);
        let all = Expr {
            ty: part.ty.clone(),
            nullable: part.nullable || rest.nullable,
            range: Some(part.range?.plus(rest.range?)),
            span,
            kind: ExprKind::Add(Box::new(part.clone()), Box::new(rest)),
        };
        let decimals = RATIO_DECIMALS;
        Some(Expr {
            ty: Type::Number(NumberType::rate(decimals)),
            nullable: true,
            range: Some(Range::new(0, 10i128.pow(u32::from(decimals)))),
            span,
            kind: ExprKind::Div { a: Box::new(part), b: Box::new(all), up: decimals, round: pending.round },
        })
    }

    fn conflict(&mut self, pending: &Pending, of: &[String]) -> Option<Expr> {
        let all = self.columns_named(pending, of)?;
        let mut pairs = Vec::new();
        for (position, first) in all.iter().enumerate() {
            for second in &all[position + 1..] {
                pairs.push(and(vec![first.clone(), second.clone()], pending.span));
            }
        }
        let nullable = pairs.iter().any(|pair| pair.nullable);
        if pairs.len() == 1 {
            return pairs.pop();
        }
        Some(Expr { kind: ExprKind::Or(pairs), ty: Type::Bool, nullable, range: None, span: pending.span })
    }

    fn gap(
        &mut self,
        pending: &Pending,
        holds: &str,
        applies: Option<&str>,
        quantity: &Word,
        context: &mut Context,
    ) -> Option<Expr> {
        let mut lacking = vec![not(self.named(pending, holds)?)];
        if let Some(applies) = applies {
            lacking.insert(0, self.named(pending, applies)?);
        }
        let lacks = if lacking.len() == 1 { lacking.remove(0) } else { and(lacking, pending.span) };
        context.path.push(lacks.clone());
        let quantity_expr = self.expression(quantity, context, None)?;
        context.path.clear();
        if !matches!(quantity_expr.ty, Type::Number(_)) {
            self.report(Diagnostic::new(
                "type-mismatch",
                quantity.span,
                format!("a missing quantity is a number, not {}", self.type_name(&quantity_expr.ty)),
            ));
            return None;
        }
        let zero = number(0, quantity_expr.ty.clone(), pending.span);
        Some(case(vec![(lacks, quantity_expr)], Some(zero), pending.span))
    }
}

/// A CASE over results of one type.
pub fn case(branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>, span: Span) -> Expr {
    let ty = branches
        .iter()
        .map(|(_, then)| &then.ty)
        .chain(otherwise.iter().map(|expr| &expr.ty))
        .next()
        .cloned()
        .unwrap_or(Type::Bool);
    let nullable = otherwise.as_ref().is_none_or(|expr| expr.nullable)
        || branches.iter().any(|(when, then)| when.nullable || then.nullable);
    let range = branches
        .iter()
        .filter_map(|(_, then)| then.range)
        .chain(otherwise.iter().filter_map(|expr| expr.range))
        .reduce(Range::union);
    Expr { kind: ExprKind::Case { branches, otherwise: otherwise.map(Box::new) }, ty, nullable, range, span }
}
