//! Windows among siblings: rows sorted by partition and order, then scanned.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, lexsort_to_indices, partition, take};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};
use pack::program::{Direction, Frame};

use super::plan::{WindowCall, WindowGroup};
use crate::EngineError;
use crate::desugar::CallFunction;
use crate::scalar::Kind;

/// The calls of a group, in row order.
pub(super) fn evaluate(
    group: &WindowGroup,
    inputs: &BTreeMap<String, ArrayRef>,
    rows: usize,
) -> Result<BTreeMap<String, ArrayRef>, EngineError> {
    let input = |name: &String| {
        inputs.get(name).cloned().ok_or_else(|| EngineError::Program {
            place: group.calls.first().map(|call| call.name.clone()).unwrap_or_default(),
            reason: "a window reads what is not there".to_owned(),
        })
    };
    let ascending = SortOptions { descending: false, nulls_first: false };
    let mut columns = vec![];
    for name in &group.partition {
        columns.push(SortColumn { values: input(name)?, options: Some(ascending) });
    }
    for (name, direction) in &group.order {
        let options = SortOptions { descending: *direction == Direction::Descending, nulls_first: false };
        columns.push(SortColumn { values: input(name)?, options: Some(options) });
    }
    let sorted = Sorted::new(&columns, group.partition.len(), rows)?;
    let mut made = BTreeMap::new();
    for call in &group.calls {
        let argument = call.argument.as_ref().map(&input).transpose()?;
        made.insert(call.name.clone(), sorted.call(call, argument.as_ref())?);
    }
    Ok(made)
}

/// Rows in order.
struct Sorted {
    order: UInt32Array,
    /// Ranges of rows, in order, of the same partition.
    partitions: Vec<Range<usize>>,
    /// Ranges of rows that are equal in the order too.
    ties: Vec<Range<usize>>,
}

impl Sorted {
    fn new(columns: &[SortColumn], partitioned: usize, rows: usize) -> Result<Self, EngineError> {
        if rows == 0 {
            return Ok(Self {
                order: UInt32Array::from(Vec::<u32>::new()),
                partitions: vec![],
                ties: vec![],
            });
        }
        let order = lexsort_to_indices(columns, None)?;
        let values = columns.iter().map(|column| Ok(take(&column.values, &order, None)?));
        let values = values.collect::<Result<Vec<_>, EngineError>>()?;
        let partitions = partition(&values[..partitioned])?.ranges();
        let ties = partition(&values)?.ranges();
        Ok(Self { order, partitions, ties })
    }

    fn call(&self, call: &WindowCall, argument: Option<&ArrayRef>) -> Result<ArrayRef, EngineError> {
        let rows = self.order.len();
        Ok(match (call.function, call.kind) {
            (CallFunction::RowNumber, _) => {
                let number = |numbers: &mut [i64], range: &Range<usize>| {
                    for place in range.clone() {
                        numbers[self.row(place)] = (place - range.start) as i64 + 1;
                    }
                };
                self.numbers(rows, number)
            }
            (CallFunction::Rank, _) => {
                let mut ties = self.ties.iter().peekable();
                let number = |numbers: &mut [i64], range: &Range<usize>| {
                    while let Some(tie) = ties.next_if(|tie| tie.start < range.end) {
                        for place in tie.clone() {
                            numbers[self.row(place)] = (tie.start - range.start) as i64 + 1;
                        }
                    }
                };
                self.numbers(rows, number)
            }
            (CallFunction::CountRows, _) => {
                let mut counts = vec![0_i64; rows];
                self.scan(call.frame, &mut counts, |_| 1, |a, b| a + b);
                Arc::new(Int64Array::from(counts))
            }
            (CallFunction::Sum, Kind::Wide) => {
                let mut sums = vec![0_i128; rows];
                if let Some(argument) = argument {
                    self.scan(call.frame, &mut sums, |row| wide(argument, row), i128::wrapping_add);
                }
                Arc::new(Decimal128Array::from(sums).with_precision_and_scale(38, 0)?)
            }
            (CallFunction::Sum, Kind::Float) => {
                let mut sums = vec![0.0_f64; rows];
                if let Some(argument) = argument {
                    let values = argument.as_primitive::<Float64Type>();
                    let value = |row: usize| if values.is_valid(row) { values.value(row) } else { 0.0 };
                    self.scan(call.frame, &mut sums, value, |a, b| a + b);
                }
                Arc::new(Float64Array::from(sums))
            }
            (CallFunction::Sum, _) => {
                let mut sums = vec![0_i64; rows];
                if let Some(argument) = argument {
                    let values = argument.as_primitive::<Int64Type>();
                    let value = |row: usize| if values.is_valid(row) { values.value(row) } else { 0 };
                    self.scan(call.frame, &mut sums, value, i64::wrapping_add);
                }
                Arc::new(Int64Array::from(sums))
            }
        })
    }

    fn row(&self, place: usize) -> usize {
        self.order.value(place) as usize
    }

    fn numbers(&self, rows: usize, mut number: impl FnMut(&mut [i64], &Range<usize>)) -> ArrayRef {
        let mut numbers = vec![0_i64; rows];
        for range in &self.partitions {
            number(&mut numbers, range);
        }
        Arc::new(Int64Array::from(numbers))
    }

    /// Adds up the values of every row's frame.
    fn scan<T: Copy + Default>(
        &self,
        frame: Frame,
        sums: &mut [T],
        value: impl Fn(usize) -> T,
        add: impl Fn(T, T) -> T,
    ) {
        for range in &self.partitions {
            let mut sum = T::default();
            for place in range.clone() {
                let row = self.row(place);
                let with = add(sum, value(row));
                sums[row] = if frame == Frame::Before { sum } else { with };
                sum = with;
            }
            if frame == Frame::All {
                range.clone().for_each(|place| sums[self.row(place)] = sum);
            }
        }
    }
}

fn wide(array: &ArrayRef, row: usize) -> i128 {
    match array.data_type() {
        _ if array.is_null(row) => 0,
        DataType::Int64 => i128::from(array.as_primitive::<Int64Type>().value(row)),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value(row),
        _ => 0,
    }
}
