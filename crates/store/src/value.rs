//! Values as columns of SQLite and as JSON in the payloads of changes.

use model::Date;
use pack::program::Value;
use rusqlite::ToSql;
use rusqlite::types::{Null, ToSqlOutput, ValueRef};
use serde_json::Value as Json;

use crate::error::{Result, StoreError};
use crate::layout::{EntityLayout, FieldLayout, FieldType};

/// A value on its way into a column.
pub(crate) struct Bound<'v>(pub Option<&'v Value>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            None => Null.into(),
            Some(Value::Bool(value)) => i64::from(*value).into(),
            Some(Value::Number(number)) => match i64::try_from(*number) {
                Ok(narrow) => narrow.into(),
                Err(_) => number.to_string().into(),
            },
            Some(Value::Date(date)) => i64::from(date.days()).into(),
            Some(Value::Text(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Some(Value::Index(index)) => (*index).into(),
        })
    }
}

/// Refuses values that the field cannot hold, so that what is stored can be read back.
pub(crate) fn check_value(
    entity: &EntityLayout,
    field: &FieldLayout,
    value: Option<&Value>,
    key: &str,
) -> Result<()> {
    let found = match (&field.ty, value) {
        (_, None) if field.required => {
            let (entity, field) = (entity.name.clone(), field.name.clone());
            return Err(StoreError::ValueMissing { entity, key: key.to_owned(), field });
        }
        (_, None)
        | (FieldType::Bool, Some(Value::Bool(_)))
        | (FieldType::Date, Some(Value::Date(_)))
        | (FieldType::Text, Some(Value::Text(_))) => return Ok(()),
        (FieldType::Number { wide, .. }, Some(Value::Number(number))) => {
            if *wide || i64::try_from(*number).is_ok() {
                return Ok(());
            }
            format!("{number}, beyond 64 bits")
        }
        (FieldType::Index, Some(Value::Index(index))) => {
            if index.is_finite() {
                return Ok(());
            }
            format!("{index}")
        }
        (_, Some(value)) => format!("{value:?}"),
    };
    Err(StoreError::ValueMismatch {
        entity: entity.name.clone(),
        key: key.to_owned(),
        field: field.name.clone(),
        expected: field.ty.describe(),
        found,
    })
}

/// Whether a column holds exactly this value.
pub(crate) fn same(stored: ValueRef<'_>, value: Option<&Value>) -> bool {
    match (stored, value) {
        (ValueRef::Null, None) => true,
        (ValueRef::Integer(stored), Some(Value::Bool(value))) => stored == i64::from(*value),
        (ValueRef::Integer(stored), Some(Value::Number(value))) => i128::from(stored) == *value,
        (ValueRef::Integer(stored), Some(Value::Date(value))) => stored == i64::from(value.days()),
        (ValueRef::Text(stored), Some(Value::Text(value))) => stored == value.as_bytes(),
        (ValueRef::Text(stored), Some(Value::Number(value))) => stored == value.to_string().as_bytes(),
        (ValueRef::Real(stored), Some(Value::Index(value))) => stored.total_cmp(&(value + 0.0)).is_eq(),
        _ => false,
    }
}

/// The value of a column.
pub(crate) fn decode(stored: ValueRef<'_>, ty: &FieldType) -> Result<Option<Value>> {
    let damage = || StoreError::damage(format!("a {} column holds {stored:?}", ty.describe()));
    Ok(Some(match (ty, stored) {
        (_, ValueRef::Null) => return Ok(None),
        (FieldType::Bool, ValueRef::Integer(value)) => Value::Bool(value != 0),
        (FieldType::Number { .. }, ValueRef::Integer(value)) => Value::Number(value.into()),
        (FieldType::Number { .. }, ValueRef::Text(_)) => {
            let text = stored.as_str().map_err(|_| damage())?;
            Value::Number(text.parse().map_err(|_| damage())?)
        }
        (FieldType::Date, ValueRef::Integer(days)) => {
            let days = i32::try_from(days).map_err(|_| damage())?;
            Value::Date(Date::from_days(days).ok_or_else(damage)?)
        }
        (FieldType::Text, ValueRef::Text(_)) => {
            Value::Text(stored.as_str().map_err(|_| damage())?.to_owned())
        }
        (FieldType::Index, ValueRef::Real(value)) => Value::Index(value),
        _ => return Err(damage()),
    }))
}

/// What identifies a record, as text: the key of a change, a reference.
pub(crate) fn key_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Index(index) => index.to_string(),
    }
}

/// A key or reference given as text, as the column holds it; `None` if it holds no such thing.
pub(crate) fn key_value(ty: &FieldType, text: &str) -> Option<Value> {
    match ty {
        FieldType::Text => Some(Value::Text(text.to_owned())),
        FieldType::Number { .. } => text.parse().ok().map(Value::Number),
        FieldType::Date => text.parse().ok().map(Value::Date),
        FieldType::Bool => text.parse().ok().map(Value::Bool),
        FieldType::Index => text.parse().ok().map(Value::Index),
    }
}

/// Appends a value as JSON.
pub(crate) fn push_json(payload: &mut String, value: Option<&Value>) {
    use std::fmt::Write as _;
    let written = match value {
        None => write!(payload, "null"),
        Some(Value::Bool(value)) => write!(payload, "{}", i32::from(*value)),
        Some(Value::Number(number)) => match i64::try_from(*number) {
            Ok(narrow) => write!(payload, "{narrow}"),
            Err(_) => write!(payload, "\"{number}\""),
        },
        Some(Value::Date(date)) => write!(payload, "{}", date.days()),
        Some(Value::Index(index)) => write!(payload, "\"{index}\""),
        Some(Value::Text(text)) => {
            push_json_text(payload, text);
            Ok(())
        }
    };
    written.expect("a string takes everything");
}

fn push_json_text(payload: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        payload.push('"');
        payload.push_str(text);
        payload.push('"');
    } else {
        payload.push_str(&Json::from(text).to_string());
    }
}

/// The inverse of [`push_json`].
pub(crate) fn from_json(json: &Json, ty: &FieldType) -> Result<Option<Value>> {
    let damage = || StoreError::damage(format!("a change holds {json} for a {}", ty.describe()));
    Ok(Some(match (ty, json) {
        (_, Json::Null) => return Ok(None),
        (FieldType::Bool, Json::Number(value)) => Value::Bool(value.as_i64() == Some(1)),
        (FieldType::Number { .. }, Json::Number(value)) => {
            Value::Number(value.as_i64().ok_or_else(damage)?.into())
        }
        (FieldType::Number { .. }, Json::String(text)) => Value::Number(text.parse().map_err(|_| damage())?),
        (FieldType::Date, Json::Number(days)) => {
            let days = days.as_i64().and_then(|days| i32::try_from(days).ok());
            Value::Date(days.and_then(Date::from_days).ok_or_else(damage)?)
        }
        (FieldType::Text, Json::String(text)) => Value::Text(text.clone()),
        (FieldType::Index, Json::String(text)) => Value::Index(text.parse().map_err(|_| damage())?),
        _ => return Err(damage()),
    }))
}
