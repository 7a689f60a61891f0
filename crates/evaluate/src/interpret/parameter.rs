//! Dated parameters and brackets.

use model::Date;
use pack::program::{BracketStep, Dated, ParameterId, ParameterShape, Program, Rounding, Source, Value};

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
