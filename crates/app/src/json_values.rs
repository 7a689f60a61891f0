//! Values in JSON, as worked cases write them: numbers in their own unit, dates and codes as texts.

use std::fmt::Write as _;

use model::{Fixed, NumberError, Refusal, Text, text};
use pack::program::{ColumnId, Program, Type, Value};
use serde_json::Value as Json;

/// A value as worked cases write it; `null` is unknown.
pub fn read(program: &Program, id: ColumnId, json: &Json) -> Result<Option<Value>, Text> {
    let column = program.column(id);
    let value = match (&column.ty, json) {
        (_, Json::Null) => return Ok(None),
        (Type::Bool, Json::Bool(value)) => Value::Bool(*value),
        (Type::Number(ty), Json::Number(number)) => {
            let number = Fixed::parse(&number.to_string(), ty.decimals).map_err(number_text)?;
            Value::Number(i128::from(number.mantissa()))
        }
        (Type::Number(ty), Json::String(text)) => {
            let number = Fixed::parse(text, ty.decimals).map_err(number_text)?;
            Value::Number(i128::from(number.mantissa()))
        }
        (Type::Date, Json::String(text)) => Value::Date(text.parse().map_err(|_| {
            text!("`{text}` 不是日期：请写 `2015-06-30`", "`{text}` is no date: write `2015-06-30`")
        })?),
        (Type::Code(list), Json::String(text)) => {
            let list = &program.lists[list.index()];
            if !list.codes.iter().any(|code| code.code == *text) {
                let codes: Vec<&str> = list.codes.iter().map(|code| code.code.as_str()).collect();
                let codes = codes.join(", ");
                return Err(text!("`{text}` 不在代码表内：`{codes}`", "`{text}` is not among {codes}"));
            }
            Value::Text(text.clone())
        }
        (Type::Text, Json::String(text)) => Value::Text(text.clone()),
        (_, json) => return Err(text!("`{json}` 类型不符", "`{json}` is of the wrong type")),
    };
    match (&value, column.range) {
        (Value::Number(number), Some(range)) if *number < range.min || *number > range.max => {
            Err(text!("`{json}` 超出字段允许的范围", "`{json}` is beyond the field's range"))
        }
        _ => Ok(Some(value)),
    }
}

fn number_text(error: NumberError) -> Text {
    Refusal::from(error).message()
}

/// Appends a value; numbers with so many decimals.
pub fn print(object: &mut String, decimals: usize, value: Option<Value>) {
    match value {
        None => object.push_str("null"),
        Some(Value::Bool(value)) => object.push_str(if value { "true" } else { "false" }),
        Some(Value::Date(date)) => object.push_str(&format!("\"{date}\"")),
        Some(Value::Text(text)) => object.push_str(&quoted(&text)),
        Some(Value::Index(value)) => object.push_str(&value.to_string()),
        Some(Value::Number(number)) => push_scaled(object, number, decimals),
    }
}

/// A value as [`read`] reads it; numbers as texts, so that no reader loses digits.
pub fn json(ty: &Type, value: Option<&Value>) -> Json {
    match value {
        None => Json::Null,
        Some(Value::Bool(value)) => Json::Bool(*value),
        Some(Value::Date(date)) => Json::String(date.to_string()),
        Some(Value::Text(text)) => Json::String(text.clone()),
        Some(Value::Index(value)) => Json::from(*value),
        Some(Value::Number(number)) => {
            let mut text = String::new();
            push_scaled(&mut text, *number, decimals(ty));
            Json::String(text)
        }
    }
}

pub fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// A scaled integer as a decimal number.
fn push_scaled(object: &mut String, number: i128, decimals: usize) {
    if number < 0 {
        object.push('-');
    }
    // Most amounts have digits for 64 bits, which are printed faster than 128.
    let start = object.len();
    let _ = match u64::try_from(number.unsigned_abs()) {
        Ok(number) => write!(object, "{number}"),
        Err(_) => write!(object, "{}", number.unsigned_abs()),
    };
    if decimals > 0 {
        while object.len() - start <= decimals {
            object.insert(start, '0');
        }
        object.insert(object.len() - decimals, '.');
    }
}

/// Decimals with which numbers of a type are printed.
pub fn decimals(ty: &Type) -> usize {
    match ty {
        Type::Number(ty) => usize::from(ty.decimals),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::push_scaled;

    #[test]
    fn numbers_are_printed_to_the_last_decimal() {
        let check = |number, decimals, expected: &str| {
            let mut text = String::new();
            push_scaled(&mut text, number, decimals);
            assert_eq!(text, expected);
        };
        check(123_456, 2, "1234.56");
        check(-5, 2, "-0.05");
        check(0, 2, "0.00");
        check(42, 0, "42");
    }
}
