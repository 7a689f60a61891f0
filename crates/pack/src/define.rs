//! Turns announced definitions into columns.

use model::Text;

use crate::compiler::{Compiler, Context, Definition, Pending, and, not, number};
use crate::diagnostic::Diagnostic;
use crate::program::{
    Column, ColumnId, ColumnKind, Expr, ExprKind, FindingRule, NumberType, Range, Span, Type,
};
use crate::surface::Word;

impl Compiler<'_> {
    fn context(&self, pending: &Pending) -> Context {
        Context {
            entity: pending.entity,
            child: None,
            round: pending.round,
            rule: Some(pending.rule),
            period_start: pending.period_start,
            path: Vec::new(),
        }
    }

    /// Compiles one pending column; `None` if it has errors, which are then reported.
    pub fn define(&mut self, pending: &Pending) -> Option<ColumnId> {
        let mut context = self.context(pending);
        let expr = match &pending.definition {
            Definition::Expression { text, ty } => self.expression(text, &mut context, ty.as_ref())?,
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
            Definition::Cost { quantity, parameter } => {
                let quantity = self.named(pending, quantity)?;
                let cost = self.parameter_expr(*parameter, None, None, pending.span, &context)?;
                let expr = self.product(quantity, cost, pending.span, &context)?;
                self.fit(expr, &Type::Number(NumberType::money()), pending.span, &context)?
            }
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
            let value = self.expression(text, context, Some(ty));
            match (when, value) {
                (Some(when), Some(value)) => branches.push((when, value)),
                _ => failed = true,
            }
        }
        let base = self.expression(amount, context, Some(ty))?;
        context.path.clear();
        if failed {
            return None;
        }
        let zero = number(0, ty.clone(), pending.span);
        let entitled = if branches.is_empty() { base } else { case(branches, Some(base), pending.span) };
        Some(case(vec![(who, entitled)], Some(zero), pending.span))
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
    Expr {
        kind: ExprKind::Case { branches, otherwise: otherwise.map(Box::new) },
        ty,
        nullable,
        range,
        span,
    }
}
