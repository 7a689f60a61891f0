//! Parameters at a date: which of the dated values is in force.

use model::Date;
use pack::program::{Dated, Source, Type, Value};

use crate::scalar::{self, Kind, Scalar};

/// The value in force on a day: an override before anything else, then the latest to come into force.
pub fn in_force<T>(values: &[Dated<T>], on: Date) -> Option<&Dated<T>> {
    let holds = |dated: &&Dated<T>| dated.from <= on && dated.until.is_none_or(|until| on < until);
    values.iter().filter(holds).max_by_key(|dated| precedence(dated))
}

/// Values with the ones that win first, as a CASE tries them.
pub(crate) fn by_precedence<T>(values: &[Dated<T>]) -> Vec<&Dated<T>> {
    let mut sorted: Vec<&Dated<T>> = values.iter().collect();
    sorted.sort_by_key(|dated| std::cmp::Reverse(precedence(dated)));
    sorted
}

fn precedence<T>(dated: &Dated<T>) -> (bool, Date) {
    (dated.source == Source::Override, dated.from)
}

/// A value as a literal of a type.
pub(crate) fn literal(value: &Value, ty: &Type) -> Scalar {
    match (value, ty) {
        (Value::Number(number), Type::Index) => scalar::cast(scalar::number(*number), Kind::Float),
        (Value::Bool(value), _) => scalar::boolean(*value),
        (Value::Number(number), _) => scalar::number(*number),
        (Value::Date(date), _) => scalar::date(date.days()),
        (Value::Text(text), _) => scalar::text(text.as_str()),
        (Value::Index(value), _) => scalar::float(*value),
    }
}
