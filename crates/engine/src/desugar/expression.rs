//! Pack expressions, one construct after the other.

use pack::program::{
    BracketStep, Dated, Expr, ExprKind, NumberType, ParameterId, ParameterShape, Range, Rounding, Type, Value,
};

use super::context::Context;
use super::rounding::power_of_ten;
use crate::EngineError;
use crate::parameters::{by_precedence, in_force, literal};
use crate::scalar::{self, Kind, Scalar};

impl Context<'_> {
    /// The primitive form of an expression, in the kind its own bounds ask for.
    pub fn expression(&mut self, expr: &Expr) -> Result<Scalar, EngineError> {
        let value = match &expr.kind {
            ExprKind::Column(id) => return self.column(*id),
            ExprKind::Literal(value) => return Ok(literal(value, &expr.ty)),
            ExprKind::AsOf => return Ok(scalar::date(self.env.as_of.days())),
            ExprKind::Parameter { id, at, key } => {
                return self.parameter(expr, *id, at.as_deref(), key.as_deref());
            }
            ExprKind::Compare { .. }
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::IsUnknown(_)
            | ExprKind::In { .. } => return self.condition(expr),
            ExprKind::Case { branches, otherwise } => self.case(branches, otherwise.as_deref())?,
            ExprKind::Coalesce(all) => scalar::coalesce(self.all(all)?),
            ExprKind::Least(all) => self.strict_extreme(all, scalar::least)?,
            ExprKind::Greatest(all) => self.strict_extreme(all, scalar::greatest)?,
            ExprKind::Bracket { .. } => self.bracket(expr)?,
            ExprKind::Substring { a, from, length } => scalar::substring(self.expression(a)?, *from, *length),
            ExprKind::DigitsToCount(a) => {
                let a = self.expression(a)?;
                let a = self.repeated(a);
                scalar::digits_to_number(a, expr.range.unwrap_or(crate::interval::LONG))
            }
            ExprKind::ToIndex(a) => self.index(a)?,
            ExprKind::DatePart { .. }
            | ExprKind::DaysBetween { .. }
            | ExprKind::AddMonths { .. }
            | ExprKind::AddDays { .. }
            | ExprKind::MakeDate { .. }
            | ExprKind::Age { .. } => self.dates(expr)?,
            _ => self.arithmetic(expr)?,
        };
        Ok(fitted(value, expr))
    }

    fn all(&mut self, all: &[Expr]) -> Result<Vec<Scalar>, EngineError> {
        all.iter().map(|expr| self.expression(expr)).collect()
    }

    fn arithmetic(&mut self, expr: &Expr) -> Result<Scalar, EngineError> {
        let index = expr.ty == Type::Index;
        Ok(match &expr.kind {
            ExprKind::Add(a, b) => scalar::add(self.expression(a)?, self.expression(b)?),
            ExprKind::Sub(a, b) => scalar::subtract(self.expression(a)?, self.expression(b)?),
            ExprKind::Mul { a, b, drop, round } => {
                let product = scalar::multiply(self.expression(a)?, self.expression(b)?);
                if index { product } else { self.divide(product, power_of_ten(*drop), *round) }
            }
            ExprKind::Div { a, b, up, round } => {
                let (a, b) = (self.expression(a)?, self.expression(b)?);
                if index {
                    scalar::quotient(a, scalar::null_if_zero(b))
                } else {
                    self.divide(scalar::multiply(a, power_of_ten(*up)), b, *round)
                }
            }
            ExprKind::Neg(a) => scalar::negate(self.expression(a)?),
            ExprKind::Abs(a) => {
                let a = self.expression(a)?;
                self.absolute(a)
            }
            ExprKind::Rescale { a, up } => scalar::multiply(self.expression(a)?, power_of_ten(*up)),
            ExprKind::Round { a, drop, round } => {
                let a = self.expression(a)?;
                self.divide(a, power_of_ten(*drop), *round)
            }
            _ => return Err(self.unsound("an expression has no primitive form")),
        })
    }

    fn condition(&mut self, expr: &Expr) -> Result<Scalar, EngineError> {
        Ok(match &expr.kind {
            ExprKind::Compare { op, a, b } => scalar::compare(*op, self.expression(a)?, self.expression(b)?),
            ExprKind::And(all) => scalar::and(self.all(all)?),
            ExprKind::Or(all) => scalar::or(self.all(all)?),
            ExprKind::Not(a) => scalar::not(self.expression(a)?),
            ExprKind::IsUnknown(a) => scalar::is_null(self.expression(a)?),
            ExprKind::In { a, list } => {
                let list = list.iter().map(|value| literal(value, &a.ty)).collect();
                scalar::is_in(self.expression(a)?, list)
            }
            _ => return Err(self.unsound("a condition has no primitive form")),
        })
    }

    /// With a guard before each branch whose condition can be unknown, except where nothing but NULL
    /// could follow anyway.
    fn case(&mut self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Scalar, EngineError> {
        let mut guarded = Vec::with_capacity(branches.len() * 2);
        for (index, (condition, value)) in branches.iter().enumerate() {
            let condition = self.expression(condition)?;
            let value = self.expression(value)?;
            let last = index + 1 == branches.len() && otherwise.is_none();
            if condition.nullable && !last {
                let condition = self.repeated(condition);
                guarded.push((scalar::is_null(condition.clone()), scalar::null(value.kind)));
                guarded.push((condition, value));
            } else {
                guarded.push((condition, value));
            }
        }
        let otherwise = otherwise.map(|expr| self.expression(expr)).transpose()?;
        Ok(scalar::case(guarded, otherwise))
    }

    /// Unknown as soon as one operand is: SQL's own functions would skip it.
    fn strict_extreme(
        &mut self,
        all: &[Expr],
        pick: fn(Vec<Scalar>) -> Scalar,
    ) -> Result<Scalar, EngineError> {
        let mut operands = self.all(all)?;
        if operands.len() > 1 {
            operands = operands
                .into_iter()
                .map(|operand| if operand.nullable { self.repeated(operand) } else { operand })
                .collect();
        }
        let unknown = scalar::or(operands.iter().cloned().map(scalar::is_null).collect());
        let picked = if operands.len() == 1 { operands.remove(0) } else { pick(operands) };
        let kind = picked.kind;
        Ok(scalar::case(vec![(unknown, scalar::null(kind))], Some(picked)))
    }

    fn index(&mut self, a: &Expr) -> Result<Scalar, EngineError> {
        let value = scalar::cast(self.expression(a)?, Kind::Float);
        let scale = 10_f64.powi(i32::from(decimals(&a.ty)));
        let unscaled = scale.to_bits() == 1_f64.to_bits();
        Ok(if unscaled { value } else { scalar::quotient(value, scalar::float(scale)) })
    }

    /// Unknown on a day without a value in force. That is settled here for the day of the run, and asked of each row
    /// where the rule gives a day of its own.
    fn parameter(
        &mut self,
        expr: &Expr,
        id: ParameterId,
        at: Option<&Expr>,
        key: Option<&Expr>,
    ) -> Result<Scalar, EngineError> {
        let program = self.program;
        let key = key.map(|key| self.expression(key)).transpose()?.map(|key| self.repeated(key));
        match (&program.parameters[id.index()].shape, &key) {
            (ParameterShape::Scalar(values), None) => {
                self.dated(values, at, expr, |_, value| literal(value, &expr.ty))
            }
            (ParameterShape::Table { values, .. }, Some(key)) => {
                self.dated(values, at, expr, |_, table| by_code(key, table.iter(), &expr.ty))
            }
            _ => {
                let parameter = program.parameters[id.index()].id.clone();
                Err(EngineError::ParameterType { parameter })
            }
        }
    }

    /// What dated values come to on the day asked, or on that of the run.
    fn dated<T>(
        &mut self,
        values: &[Dated<T>],
        at: Option<&Expr>,
        expr: &Expr,
        make: impl Fn(&mut Self, &T) -> Scalar,
    ) -> Result<Scalar, EngineError> {
        let unknown = || scalar::null(Kind::of(&expr.ty, expr.range));
        let Some(at) = at else {
            let found = in_force(values, self.env.as_of);
            return Ok(found.map_or_else(unknown, |dated| make(self, &dated.value)));
        };
        let at = self.expression(at)?;
        let at = self.repeated(at);
        let mut steps = Vec::with_capacity(values.len());
        for dated in by_precedence(values) {
            let since = scalar::at_least(at.clone(), scalar::date(dated.from.days()));
            let before = dated.until.map(|until| scalar::less(at.clone(), scalar::date(until.days())));
            let holds = scalar::and(std::iter::once(since).chain(before).collect());
            steps.push((holds, make(self, &dated.value)));
        }
        Ok(scalar::case(steps, Some(unknown())))
    }

    /// The sum over the steps of the part of `x` that lies in the step, times its rate.
    fn bracket(&mut self, expr: &Expr) -> Result<Scalar, EngineError> {
        let ExprKind::Bracket { parameter, at, x, round } = &expr.kind else {
            return Err(self.unsound("a scale is asked of something else"));
        };
        let program = self.program;
        let declared = &program.parameters[parameter.index()];
        let ParameterShape::Brackets { over, values } = &declared.shape else {
            return Err(EngineError::ParameterType { parameter: declared.id.clone() });
        };
        let drop = (over.decimals + decimals(&declared.ty)).saturating_sub(decimals(&expr.ty));
        let x = self.expression(x)?;
        let x = self.repeated(x);
        let unknown = scalar::is_null(x.clone());
        let sum =
            self.dated(values, at.as_deref(), expr, |context, steps| context.scale(&x, steps, drop, *round))?;
        let kind = sum.kind;
        Ok(scalar::case(vec![(unknown, scalar::null(kind))], Some(sum)))
    }

    fn scale(&mut self, x: &Scalar, steps: &[BracketStep], drop: u8, round: Rounding) -> Scalar {
        let mut sum = scalar::number(0);
        for (index, step) in steps.iter().enumerate() {
            let part = part_of(x, step, steps.get(index + 1));
            let product = scalar::multiply(part, scalar::number(step.rate));
            let share = self.divide(product, power_of_ten(drop), round);
            let reached = scalar::greater(x.clone(), scalar::number(step.from));
            sum = scalar::add(sum, scalar::case(vec![(reached, share)], Some(scalar::number(0))));
        }
        sum
    }
}

/// How much of `x` lies in a step that it reaches.
fn part_of(x: &Scalar, step: &BracketStep, next: Option<&BracketStep>) -> Scalar {
    let from = scalar::number(step.from);
    let bounds = x.bounds();
    let Some(next) = next else {
        let most = (bounds.max - step.from).max(0);
        return scalar::fit(scalar::subtract(x.clone(), from), Range { min: 0, max: most });
    };
    let width = next.from - step.from;
    let inside = scalar::less(x.clone(), scalar::number(next.from));
    let part = scalar::subtract(x.clone(), from);
    let part = scalar::case(vec![(inside, part)], Some(scalar::number(width)));
    scalar::fit(part, Range { min: 0, max: width })
}

/// The value for a code; unknown for a code without one.
fn by_code<'a>(key: &Scalar, values: impl Iterator<Item = (&'a String, &'a Value)>, ty: &Type) -> Scalar {
    let branches = values.map(|(code, value)| {
        let equal = pack::program::Comparison::Equal;
        (scalar::compare(equal, key.clone(), scalar::text(code.as_str())), literal(value, ty))
    });
    scalar::case(branches.collect(), None)
}

/// Decimals of a number type, 0 for others.
pub(crate) fn decimals(ty: &Type) -> u8 {
    match ty {
        Type::Number(NumberType { decimals, .. }) => *decimals,
        _ => 0,
    }
}

fn fitted(value: Scalar, expr: &Expr) -> Scalar {
    match (&expr.ty, expr.range) {
        (Type::Number(_), Some(range)) if matches!(value.kind, Kind::Int | Kind::Wide) => {
            scalar::fit(value, range)
        }
        _ => value,
    }
}
