//! Expressions over one row.

use model::Date;
use pack::program::{Expr, ExprKind, NumberType, ParameterId, Rounding, Type, Value};

use super::cells::{Cell, Cells, Here, Outcome};
use super::parameter::{InForce, bracket_drop, bracket_products, in_force};
use super::{EvalError, operate};

/// The operand's value, or the whole expression is unknown.
macro_rules! known {
    ($outcome:expr) => {
        match $outcome? {
            Some(value) => value,
            None => return Ok(None),
        }
    };
}

/// Evaluates expressions over cells.
pub(crate) trait Expressions<'a>: Cells<'a> + Sized {
    /// The value of an expression that belongs to `here.column`, over the columns of row `here.row`.
    fn expression(&mut self, here: Here, expr: &'a Expr) -> Outcome {
        match &expr.kind {
            ExprKind::Column(column) => self.cell(Cell { column: *column, row: here.row }),
            ExprKind::Literal(value) => Ok(Some(value.clone())),
            ExprKind::AsOf => Ok(Some(Value::Date(self.as_of()))),
            ExprKind::Parameter { id, at, key } => self.parameter(here, *id, at.as_deref(), key.as_deref()),
            ExprKind::Bracket { parameter, at, x, round } => {
                let x = known!(self.expression(here, x));
                self.bracket(here, (*parameter, at.as_deref()), &x, *round, decimals(&expr.ty))
            }
            ExprKind::And(parts) => self.junction(here, parts, false),
            ExprKind::Or(parts) => self.junction(here, parts, true),
            ExprKind::Case { branches, otherwise } => self.case(here, branches, otherwise.as_deref()),
            ExprKind::Coalesce(operands) => self.coalesce(here, operands),
            ExprKind::Least(operands) => self.extreme(here, operands, true),
            ExprKind::Greatest(operands) => self.extreme(here, operands, false),
            ExprKind::IsUnknown(a) => Ok(Some(Value::Bool(self.expression(here, a)?.is_none()))),
            _ => self.operation(here, expr),
        }
    }

    /// Operations that are unknown as soon as an operand is.
    fn operation(&mut self, here: Here, expr: &'a Expr) -> Outcome {
        let malformed = EvalError::Malformed { column: here.column };
        match &expr.kind {
            ExprKind::Add(a, b) => self.binary(here, a, b, operate::add),
            ExprKind::Sub(a, b) => self.binary(here, a, b, operate::subtract),
            ExprKind::Mul { a, b, drop, round } => {
                self.binary(here, a, b, |a, b| operate::multiply(a, b, *drop, *round))
            }
            ExprKind::Div { a, b, up, round } => {
                self.binary(here, a, b, |a, b| operate::divide(a, b, *up, *round))
            }
            ExprKind::Compare { op, a, b } => self.binary(here, a, b, |a, b| operate::compare(*op, a, b)),
            ExprKind::DaysBetween { from, to } => self.binary(here, from, to, operate::days_between),
            ExprKind::AddMonths { a, months } => self.binary(here, a, months, operate::add_months),
            ExprKind::AddDays { a, days } => self.binary(here, a, days, operate::add_days),
            ExprKind::Age { birth, at } => self.binary(here, birth, at, operate::age),
            ExprKind::Neg(a) => self.unary(here, a, operate::negate),
            ExprKind::Abs(a) => self.unary(here, a, operate::absolute),
            ExprKind::Not(a) => self.unary(here, a, operate::not),
            ExprKind::Rescale { a, up } => self.unary(here, a, |a| operate::rescale(a, *up)),
            ExprKind::Round { a, drop, round } => self.unary(here, a, |a| operate::round(a, *drop, *round)),
            ExprKind::In { a, list } => self.unary(here, a, |a| Ok(Some(Value::Bool(list.contains(a))))),
            ExprKind::DatePart { part, a } => self.unary(here, a, |a| operate::date_part(*part, a)),
            ExprKind::Substring { a, from, length } => {
                self.unary(here, a, |a| operate::substring(a, *from, *length))
            }
            ExprKind::DigitsToCount(a) => self.unary(here, a, operate::digits_to_count),
            ExprKind::ToIndex(a) => {
                let decimals = decimals(&a.ty);
                self.unary(here, a, |a| operate::to_index(a, decimals))
            }
            ExprKind::MakeDate { year, month, day } => {
                let year = known!(self.expression(here, year));
                let month = known!(self.expression(here, month));
                let day = known!(self.expression(here, day));
                operate::make_date(&year, &month, &day).map_err(|fault| fault.at(here.column))
            }
            _ => Err(malformed),
        }
    }

    fn unary(
        &mut self,
        here: Here,
        a: &'a Expr,
        apply: impl FnOnce(&Value) -> Result<Option<Value>, operate::Fault>,
    ) -> Outcome {
        let a = known!(self.expression(here, a));
        apply(&a).map_err(|fault| fault.at(here.column))
    }

    fn binary(
        &mut self,
        here: Here,
        a: &'a Expr,
        b: &'a Expr,
        apply: impl FnOnce(&Value, &Value) -> Result<Option<Value>, operate::Fault>,
    ) -> Outcome {
        let a = self.expression(here, a)?;
        if a.is_none() && !self.thorough() {
            return Ok(None);
        }
        let b = self.expression(here, b)?;
        match (a, b) {
            (Some(a), Some(b)) => apply(&a, &b).map_err(|fault| fault.at(here.column)),
            _ => Ok(None),
        }
    }

    /// `And` and `Or` after Kleene: one `deciding` operand decides, whatever the others are, errors
    /// included; so the order of operands never matters.
    fn junction(&mut self, here: Here, parts: &'a [Expr], deciding: bool) -> Outcome {
        let mut decided = false;
        let mut unknown = false;
        let mut error = None;
        for part in parts {
            match self.condition(here, part) {
                Ok(Some(value)) if value == deciding => {
                    decided = true;
                    if !self.thorough() {
                        break;
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => unknown = true,
                Err(other) => {
                    error.get_or_insert(other);
                }
            }
        }
        match error {
            _ if decided => Ok(Some(Value::Bool(deciding))),
            Some(error) => Err(error),
            None if unknown => Ok(None),
            None => Ok(Some(Value::Bool(!deciding))),
        }
    }

    /// The value of a condition.
    fn condition(&mut self, here: Here, expr: &'a Expr) -> Result<Option<bool>, EvalError> {
        match self.expression(here, expr)? {
            Some(Value::Bool(value)) => Ok(Some(value)),
            None => Ok(None),
            Some(_) => Err(EvalError::Malformed { column: here.column }),
        }
    }

    fn case(&mut self, here: Here, branches: &'a [(Expr, Expr)], otherwise: Option<&'a Expr>) -> Outcome {
        for (condition, value) in branches {
            match self.condition(here, condition)? {
                Some(true) => return self.expression(here, value),
                Some(false) => {}
                None => return Ok(None),
            }
        }
        otherwise.map_or(Ok(None), |otherwise| self.expression(here, otherwise))
    }

    fn coalesce(&mut self, here: Here, operands: &'a [Expr]) -> Outcome {
        for operand in operands {
            if let Some(value) = self.expression(here, operand)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn extreme(&mut self, here: Here, operands: &'a [Expr], least: bool) -> Outcome {
        let mut best: Option<Value> = None;
        let mut unknown = false;
        for operand in operands {
            let Some(value) = self.expression(here, operand)? else {
                unknown = true;
                continue;
            };
            let better = match &best {
                None => true,
                Some(best) => {
                    let order = operate::order(&value, best).map_err(|fault| fault.at(here.column))?;
                    if least { order.is_lt() } else { order.is_gt() }
                }
            };
            if better {
                best = Some(value);
            }
        }
        Ok(best.filter(|_| !unknown))
    }

    /// Unknown on a day without a value in force, and for a code without a value.
    fn parameter(
        &mut self,
        here: Here,
        id: ParameterId,
        at: Option<&'a Expr>,
        key: Option<&'a Expr>,
    ) -> Outcome {
        let malformed = EvalError::Malformed { column: here.column };
        let Some(date) = self.day(here, at)? else { return Ok(None) };
        let key = match key.map(|key| self.expression(here, key)).transpose()? {
            None => None,
            Some(Some(Value::Text(code))) => Some(code),
            Some(None) => return Ok(None),
            Some(Some(_)) => return Err(malformed),
        };
        match in_force(self.program(), id, date, key.as_deref()) {
            Some(InForce::Value(dated)) => Ok(Some(dated.value.clone())),
            Some(InForce::Entry(value, ..)) => Ok(value.cloned()),
            Some(InForce::Brackets(_)) => Err(malformed),
            None => Ok(None),
        }
    }

    /// The day on which a parameter is asked for: that of the run if none is given; unknown if it is.
    fn day(&mut self, here: Here, at: Option<&'a Expr>) -> Result<Option<Date>, EvalError> {
        let Some(at) = at else { return Ok(Some(self.as_of())) };
        match self.expression(here, at)? {
            Some(Value::Date(date)) => Ok(Some(date)),
            None => Ok(None),
            Some(_) => Err(EvalError::Malformed { column: here.column }),
        }
    }

    /// Every bracket's part of `x` times its rate, each product made whole by itself. What lies
    /// under the first bracket counts for nothing.
    fn bracket(
        &mut self,
        here: Here,
        (id, at): (ParameterId, Option<&'a Expr>),
        x: &Value,
        round: Rounding,
        decimals: u8,
    ) -> Outcome {
        let Some(at) = self.day(here, at)? else { return Ok(None) };
        let malformed = EvalError::Malformed { column: here.column };
        let overflow = EvalError::Overflow { column: here.column };
        let steps = match in_force(self.program(), id, at, None) {
            Some(InForce::Brackets(dated)) => &dated.value,
            Some(_) => return Err(malformed),
            None => return Ok(None),
        };
        let (Value::Number(x), Some(drop)) = (x, bracket_drop(self.program(), id, decimals)) else {
            return Err(malformed);
        };
        let products = bracket_products(steps, *x, drop, round);
        let total =
            products.into_iter().try_fold(0_i128, |total, (_, _, product)| total.checked_add(product?));
        let total = total.ok_or(overflow)?;
        Ok(Some(Value::Number(total)))
    }
}

impl<'a, T: Cells<'a>> Expressions<'a> for T {}

fn decimals(ty: &Type) -> u8 {
    match ty {
        Type::Number(NumberType { decimals, .. }) => *decimals,
        _ => 0,
    }
}
