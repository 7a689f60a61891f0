//! Parquet files: the column names are the header row.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use model::Date;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::rows::{Flow, RowSink};
use super::unusable::unreadable;
use crate::import::ImportError;
use crate::import::cell::Cell;

const BATCH: usize = 4096;

pub(super) fn read(path: &Path, name: &str, sink: &mut RowSink<'_>) -> Result<(), ImportError> {
    let failed = |error: &dyn std::fmt::Display| unreadable(name, error);
    let file = File::open(path).map_err(|error| failed(&error))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| failed(&error))?;
    let schema = builder.schema().clone();
    let header: Vec<Cell<'_>> =
        schema.fields().iter().map(|field| Cell::Text(Cow::Borrowed(field.name().as_str()))).collect();
    if sink(1, &header)? == Flow::Stop {
        return Ok(());
    }
    let batches = builder.with_batch_size(BATCH).build().map_err(|error| failed(&error))?;
    let mut number = 1;
    for batch in batches {
        let batch = batch.map_err(|error| failed(&error))?;
        let mut cells = Vec::with_capacity(batch.num_columns());
        for row in 0..batch.num_rows() {
            number += 1;
            cells.clear();
            for column in 0..batch.num_columns() {
                cells.push(cell(&batch, column, row).ok_or_else(|| {
                    let field = batch.schema().field(column).clone();
                    failed(&format!("column `{}` has the type {}", field.name(), field.data_type()))
                })?);
            }
            if sink(number, &cells)? == Flow::Stop {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// `None` for types that no workbook could hold.
fn cell(batch: &RecordBatch, column: usize, row: usize) -> Option<Cell<'_>> {
    let array = batch.column(column).as_ref();
    if array.is_null(row) {
        return Some(Cell::Empty);
    }
    macro_rules! number {
        ($kind:ty) => {
            Cell::Integer(array.as_primitive::<$kind>().value(row).into())
        };
    }
    macro_rules! moment {
        ($kind:ty, $per_day:expr) => {
            day(array.as_primitive::<$kind>().value(row).div_euclid($per_day))
        };
    }
    Some(match array.data_type() {
        DataType::Utf8 => Cell::Text(Cow::Borrowed(array.as_string::<i32>().value(row))),
        DataType::LargeUtf8 => Cell::Text(Cow::Borrowed(array.as_string::<i64>().value(row))),
        DataType::Utf8View => Cell::Text(Cow::Borrowed(array.as_string_view().value(row))),
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => Cell::Decimal(array.as_primitive::<UInt64Type>().value(row).into(), 0),
        DataType::Float32 => Cell::Number(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Cell::Number(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(row);
            Cell::Decimal(value, u8::try_from(*scale).ok()?)
        }
        DataType::Date32 => day(array.as_primitive::<Date32Type>().value(row).into()),
        DataType::Timestamp(TimeUnit::Second, _) => moment!(TimestampSecondType, 86_400),
        DataType::Timestamp(TimeUnit::Millisecond, _) => moment!(TimestampMillisecondType, 86_400_000),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            moment!(TimestampMicrosecondType, 86_400_000_000)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            moment!(TimestampNanosecondType, 86_400_000_000_000)
        }
        DataType::Null => Cell::Empty,
        _ => return None,
    })
}

fn day(days: i64) -> Cell<'static> {
    i32::try_from(days).ok().and_then(Date::from_days).map_or(Cell::BadDate(days as f64), Cell::Date)
}
