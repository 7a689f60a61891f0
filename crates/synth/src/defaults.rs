//! What is drawn where a profile says nothing: something that the field's type, range and format allow.

use pack::program::{Blank, DataClass, Field, Format, NumberKind, Type};
use toml::{Table, Value};

use crate::shape::{ColumnShape, EntityShape, Shape};

/// Share of unknown values of a field that may be unknown.
const MISSING: f64 = 0.02;
/// Earlier days that dates lie in.
const DAYS_BACK: i64 = 700;
/// Days from one date of a record to the next.
const DAYS_BETWEEN: i64 = 60;

pub fn table<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Table(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Table>())
}

fn pair(min: f64, max: f64) -> Value {
    Value::Array(vec![Value::Float(min), Value::Float(max)])
}

/// Share of unknown values, where a field has no profile.
pub fn missing(field: &Field) -> f64 {
    if field.required || field.blank != Blank::Unknown { 0.0 } else { MISSING }
}

/// Number of records for each parent: one or two, but few where parents are what is counted.
pub fn per_parent(counted: bool) -> Value {
    if counted {
        return table([("values", Value::Array(vec![weight(0, 9.0), weight(1, 1.0)]))]);
    }
    table([("uniform", Value::Array(vec![Value::Integer(1), Value::Integer(2)]))])
}

fn weight(value: i64, weight: f64) -> Value {
    Value::Array(vec![Value::Integer(value), Value::Float(weight)])
}

/// Number of records of an entity without a parent.
pub fn rows() -> Value {
    table([("constant", Value::Integer(40))])
}

/// A draw for a field.
pub fn draw(shape: &Shape<'_>, entity: &EntityShape, position: usize) -> Value {
    let column = &entity.columns[position];
    match &column.ty {
        Type::Bool => table([("chance", Value::Float(0.5))]),
        Type::Number(number) => numbers(shape, column, number.kind, number.decimals),
        Type::Date => dates(shape, entity, position),
        Type::Code(list) => {
            let codes = &shape.program.lists[list.index()].codes;
            let weights = codes.iter().map(|code| (code.code.clone(), Value::Integer(1)));
            table([("weights", Value::Table(weights.collect()))])
        }
        Type::Text => texts(shape, entity, column),
        Type::Index => table([("uniform", pair(0.0, 1.0))]),
    }
}

/// Small numbers more often than large ones; years are those before the as-of date.
fn numbers(shape: &Shape<'_>, column: &ColumnShape, kind: NumberKind, decimals: u8) -> Value {
    let scale = 10_f64.powi(decimals.into());
    let range = column.range.map_or((0.0, scale), |range| (range.min as f64, range.max as f64));
    let (min, max) = (range.0 / scale, range.1 / scale);
    let year = f64::from(shape.as_of.year());
    if kind == NumberKind::Count && min >= 1900.0 && max <= 2200.0 {
        return table([("uniform", pair(min.min(year), max.min(year)))]);
    }
    if kind == NumberKind::Rate {
        return table([("uniform", pair(min, max))]);
    }
    // Nothing below zero, if zero is allowed.
    table([("magnitude", pair(if max >= 0.0 { min.max(0.0) } else { min }, max))])
}

/// Dates of a record follow each other as they are declared.
fn dates(shape: &Shape<'_>, entity: &EntityShape, position: usize) -> Value {
    let before = entity.columns[..position.min(entity.fields)].iter().rfind(|column| column.ty == Type::Date);
    if let Some(before) = before {
        let days = table([]);
        let Value::Table(mut days) = days else { return days };
        days.insert("plus".into(), Value::String(before.name.clone()));
        days.insert("uniform".into(), Value::Array(vec![Value::Integer(0), Value::Integer(DAYS_BETWEEN)]));
        return Value::Table(days);
    }
    let as_of = i64::from(shape.as_of.days());
    let days = vec![Value::Integer(as_of - DAYS_BACK), Value::Integer(as_of - DAYS_BETWEEN)];
    table([("uniform", Value::Array(days))])
}

fn texts(shape: &Shape<'_>, entity: &EntityShape, column: &ColumnShape) -> Value {
    let text = |text: &str| table([("text", Value::String(text.to_owned()))]);
    let (format, pii) =
        column.field.as_ref().map_or((Format::Plain, DataClass::Open), |field| (field.format, field.pii));
    let year = shape.as_of.year();
    match (format, pii) {
        // Digits that need not be right: what is checked must have a profile.
        (Format::CitizenNumber | Format::DisabilityCertificate, _) => Value::String("unknown".to_owned()),
        (Format::DivisionCode, _) => match nearest_division(shape, entity) {
            Some(name) => table([("copy", Value::String(name))]),
            None => Value::String("unknown".to_owned()),
        },
        (_, DataClass::Name) => text("甲{#3}"),
        (_, DataClass::Contact) => text("139{#8}"),
        (_, DataClass::Account) => text("6210{#15}"),
        (_, DataClass::Identity) => text("{#18}"),
        _ if column.name.ends_with("_year") => text(&year.to_string()),
        _ => text(&format!("{}{{#2}}", column.label)),
    }
}

fn nearest_division(shape: &Shape<'_>, entity: &EntityShape) -> Option<String> {
    let index = shape.entity_named(&entity.name)?;
    let above = shape.ancestors(index).into_iter().find(|above| shape.entities[*above].division.is_some())?;
    let above = &shape.entities[above];
    Some(format!("{}.{}", above.name, above.columns[above.key].name))
}
