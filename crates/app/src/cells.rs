//! Values of the language in columns of tables.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type};
use model::Date;
use pack::program::Value;

/// One cell of a snapshot or result; `None` is unknown. Numbers are scaled integers.
pub fn cell(array: &ArrayRef, row: usize) -> Option<Value> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Boolean => Some(Value::Bool(array.as_boolean().value(row))),
        DataType::Int32 => Some(Value::Number(i128::from(array.as_primitive::<Int32Type>().value(row)))),
        DataType::Int64 => Some(Value::Number(i128::from(array.as_primitive::<Int64Type>().value(row)))),
        DataType::Decimal128(_, _) => Some(Value::Number(array.as_primitive::<Decimal128Type>().value(row))),
        DataType::Date32 => Date::from_days(array.as_primitive::<Date32Type>().value(row)).map(Value::Date),
        DataType::Float64 => Some(Value::Index(array.as_primitive::<Float64Type>().value(row))),
        DataType::Utf8 => Some(Value::Text(array.as_string::<i32>().value(row).to_owned())),
        DataType::LargeUtf8 => Some(Value::Text(array.as_string::<i64>().value(row).to_owned())),
        DataType::Utf8View => Some(Value::Text(array.as_string_view().value(row).to_owned())),
        _ => None,
    }
}
