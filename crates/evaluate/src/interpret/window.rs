//! Windows among siblings.

use std::cmp::Ordering;

use pack::program::{Direction, Frame, Value, Window, WindowFunction};

use super::cells::{Cell, Cells, Here, Outcome};
use super::expression::Expressions;
use super::{EvalError, operate};

/// A sibling with what decides its place.
pub(crate) struct Sibling {
    pub row: u32,
    pub partition: Vec<Value>,
    pub order: Vec<Value>,
    key: Value,
}

/// Evaluates windows.
pub(crate) trait Windows<'a>: Cells<'a> + Sized {
    /// The values of all siblings; an error or an unknown place of one is everybody's.
    fn windows(&mut self, here: Here, window: &'a Window, rows: &[u32]) -> Vec<(u32, Outcome)> {
        match self.siblings(here, window, rows) {
            Ok(Some(siblings)) => self.over(here, window, &siblings),
            Ok(None) => rows.iter().map(|row| (*row, Ok(None))).collect(),
            Err(error) => rows.iter().map(|row| (*row, Err(error.clone()))).collect(),
        }
    }

    /// The siblings in order, partition by partition; `None` if the place of one is unknown.
    fn siblings(
        &mut self,
        here: Here,
        window: &'a Window,
        rows: &[u32],
    ) -> Result<Option<Vec<Sibling>>, EvalError> {
        let mut siblings = Vec::with_capacity(rows.len());
        let mut unknown = false;
        for &row in rows {
            let at = Here { row, ..here };
            let (mut partition, mut order) = (Vec::new(), Vec::new());
            for expr in &window.partition {
                partition.extend(self.expression(at, expr)?);
            }
            for (expr, _) in &window.order {
                order.extend(self.expression(at, expr)?);
            }
            unknown |= partition.len() < window.partition.len() || order.len() < window.order.len();
            siblings.push(Sibling { row, partition, order, key: self.key_of(here, row)? });
        }
        if unknown {
            return Ok(None);
        }
        siblings.sort_by(|a, b| place(window, a, b).then_with(|| of_one_type(&a.key, &b.key)));
        Ok(Some(siblings))
    }

    fn key_of(&mut self, here: Here, row: u32) -> Result<Value, EvalError> {
        let entity = self.program().columns[here.column.index()].entity;
        let column = self.program().entities[entity.index()].key;
        let value = self.cell(Cell { column, row })?;
        Ok(value.unwrap_or_else(|| Value::Text(self.key(entity, row))))
    }

    /// Values of sorted siblings.
    fn over(&mut self, here: Here, window: &'a Window, siblings: &[Sibling]) -> Vec<(u32, Outcome)> {
        let mut outcomes = Vec::with_capacity(siblings.len());
        for partition in siblings.chunk_by(|a, b| a.partition == b.partition) {
            let arguments: Vec<Outcome> = partition
                .iter()
                .map(|sibling| match &window.argument {
                    Some(argument) => self.expression(Here { row: sibling.row, ..here }, argument),
                    None => Ok(Some(Value::Number(0))),
                })
                .collect();
            for (index, sibling) in partition.iter().enumerate() {
                let frame = &arguments[..frame_end(window.frame, index, partition.len())];
                let outcome = match window.function {
                    WindowFunction::Sum => sum(here, frame),
                    WindowFunction::Count => count(frame),
                    WindowFunction::RowNumber => Ok(Some(Value::Number(index as i128 + 1))),
                    WindowFunction::Rank => {
                        let first = partition.partition_point(|other| place(window, other, sibling).is_lt());
                        Ok(Some(Value::Number(first as i128 + 1)))
                    }
                };
                outcomes.push((sibling.row, outcome));
            }
        }
        outcomes
    }
}

impl<'a, T: Cells<'a>> Windows<'a> for T {}

/// Number of rows, from the first of the partition, that are in the frame of the row at `index`.
pub(crate) fn frame_end(frame: Frame, index: usize, rows: usize) -> usize {
    match frame {
        Frame::Before => index,
        Frame::UpToCurrent => index + 1,
        Frame::All => rows,
    }
}

/// By partition, then as the window orders, without the tie-break.
fn place(window: &Window, a: &Sibling, b: &Sibling) -> Ordering {
    let partition = a.partition.iter().zip(&b.partition).map(|(a, b)| of_one_type(a, b));
    let order = a.order.iter().zip(&b.order).zip(&window.order).map(|((a, b), (_, direction))| {
        let order = of_one_type(a, b);
        if *direction == Direction::Descending { order.reverse() } else { order }
    });
    partition.chain(order).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The compiler gives all siblings values of one type.
fn of_one_type(a: &Value, b: &Value) -> Ordering {
    operate::order(a, b).unwrap_or(Ordering::Equal)
}

fn sum(here: Here, frame: &[Outcome]) -> Outcome {
    let mut sum: Option<Value> = None;
    let mut unknown = false;
    for outcome in frame {
        match (outcome.clone()?, sum.take()) {
            (None, _) => unknown = true,
            (Some(value), None) => sum = Some(value),
            (Some(value), Some(before)) => {
                sum = operate::add(&before, &value).map_err(|fault| fault.at(here.column))?;
            }
        }
    }
    if unknown {
        return Ok(None);
    }
    Ok(Some(sum.unwrap_or(Value::Number(0))))
}

fn count(frame: &[Outcome]) -> Outcome {
    let mut count = Some(0_i128);
    for outcome in frame {
        count = outcome.clone()?.and(count).map(|count| count + 1);
    }
    Ok(count.map(Value::Number))
}
