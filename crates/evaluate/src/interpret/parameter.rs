//! Dated parameters and brackets.

use model::Date;
use pack::program::{
    BracketStep, Dated, Expr, ParameterId, ParameterShape, Program, Rounding, Source, Value,
};

use super::EvalError;
use super::cells::Cells;
use super::evaluate::{Here, Outcome};
use super::expression::Expressions;
use super::operate::quotient;

/// What a parameter is on a day.
#[derive(Clone, Copy, Debug)]
pub(crate) enum InForce<'a> {
    Value(&'a Dated<Value>),
    /// One code's value of a table, if it has one.
    Entry(Option<&'a Value>, Date, &'a Source),
    Brackets(&'a Dated<Vec<BracketStep>>),
}

/// The value in force on a day, if there is one.
pub(crate) fn in_force<'a>(
    program: &'a Program,
    id: ParameterId,
    at: Date,
    key: Option<&str>,
) -> Option<InForce<'a>> {
    match &program.parameters[id.index()].shape {
        ParameterShape::Scalar(values) => dated(values, at).map(InForce::Value),
        ParameterShape::Table { values, .. } => {
            let dated = dated(values, at)?;
            Some(InForce::Entry(key.and_then(|key| dated.value.get(key)), dated.from, &dated.source))
        }
        ParameterShape::Brackets { values, .. } => dated(values, at).map(InForce::Brackets),
    }
}

/// An override before anything else, then what began last.
fn dated<T>(values: &[Dated<T>], at: Date) -> Option<&Dated<T>> {
    values
        .iter()
        .filter(|dated| dated.from <= at && dated.until.is_none_or(|until| at < until))
        .max_by_key(|dated| (dated.source == Source::Override, dated.from))
}

/// Evaluates what is read from parameters.
pub(super) trait Parameters<'a>: Cells<'a> + Sized {
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

impl<'a, T: Cells<'a>> Parameters<'a> for T {}

/// Decimals that the product of an amount and a rate has beyond the result's.
pub(crate) fn bracket_drop(program: &Program, id: ParameterId, decimals: u8) -> Option<u32> {
    let parameter = &program.parameters[id.index()];
    let ParameterShape::Brackets { over, .. } = &parameter.shape else { return None };
    let pack::program::Type::Number(rate) = &parameter.ty else { return None };
    (u32::from(over.decimals) + u32::from(rate.decimals)).checked_sub(u32::from(decimals))
}

/// The brackets that `x` reaches, each with the part of `x` in it and the product, which is `None`
/// where it overflows.
pub(crate) fn bracket_products(
    steps: &[BracketStep],
    x: i128,
    drop: u32,
    round: Rounding,
) -> Vec<(&BracketStep, i128, Option<i128>)> {
    let mut products = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let upper = steps.get(index + 1).map_or(x, |next| next.from.min(x));
        if upper <= step.from {
            break;
        }
        let part = upper.saturating_sub(step.from);
        let product = part.checked_mul(step.rate);
        let whole = product.and_then(|product| quotient(product, 10_i128.checked_pow(drop)?, round));
        products.push((step, part, whole));
    }
    products
}
