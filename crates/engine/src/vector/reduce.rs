//! Aggregates: values of children added up at the positions of their parents.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};

use super::machine::Chunk;
use super::program::Slot;
use super::value::{Lanes, Nulls, Operand, Vector};
use crate::EngineError;
use crate::desugar::PartFunction;
use crate::scalar::Kind;

/// One function over the children of every parent, so far.
pub(crate) struct Accumulator {
    kind: Kind,
    parents: usize,
    state: State,
}

enum State {
    Count(Vec<i64>),
    SumInt(Vec<i64>),
    SumWide(Vec<i128>),
    SumFloat(Vec<f64>),
    Or(Vec<u8>),
    ExtremeInt(Vec<Option<i64>>, bool),
    ExtremeWide(Vec<Option<i128>>, bool),
    ExtremeFloat(Vec<Option<f64>>, bool),
    ExtremeText(Vec<Option<String>>, bool),
}

impl Accumulator {
    pub fn new(function: PartFunction, kind: Kind, parents: usize) -> Self {
        let least = function == PartFunction::Min;
        let state = match (function, kind) {
            (PartFunction::CountRows, _) => State::Count(vec![0; parents]),
            (PartFunction::Or, _) => State::Or(vec![0; parents]),
            (PartFunction::Sum, Kind::Wide) => State::SumWide(vec![0; parents]),
            (PartFunction::Sum, Kind::Float) => State::SumFloat(vec![0.0; parents]),
            (PartFunction::Sum, _) => State::SumInt(vec![0; parents]),
            (_, Kind::Wide) => State::ExtremeWide(vec![None; parents], least),
            (_, Kind::Float) => State::ExtremeFloat(vec![None; parents], least),
            (_, Kind::Text) => State::ExtremeText(vec![None; parents], least),
            _ => State::ExtremeInt(vec![None; parents], least),
        };
        Self { kind, parents, state }
    }

    /// Adds the rows of a chunk: those with a parent, for which the filter is true and the argument known.
    pub fn add(
        &mut self,
        chunk: &Chunk<'_, '_>,
        parents: Slot,
        filter: Option<Slot>,
        argument: Option<Slot>,
    ) {
        // Without parents every position is NULL, and there is no place to add to.
        if self.parents == 0 {
            return;
        }
        let Vector::Int(at) = chunk.vector(parents) else { return };
        let Operand::Each(positions) = at.operand() else { return };
        let argument = argument.map(|slot| chunk.vector(slot));
        let Some(active) = Active::new(at, filter.map(|slot| chunk.vector(slot)), argument) else { return };
        match (&mut self.state, argument) {
            (State::Count(counts), _) => match &active {
                Active::All => positions.iter().for_each(|at| counts[*at as usize] += 1),
                Active::Some(active) => {
                    for (at, active) in positions.iter().zip(active) {
                        counts[*at as usize] += i64::from(*active);
                    }
                }
            },
            (State::SumInt(sums), Some(Vector::Int(values))) => {
                active.each(positions, values, |at, value| sums[at] = sums[at].wrapping_add(value));
            }
            (State::SumWide(sums), Some(Vector::Wide(values))) => {
                active.each(positions, values, |at, value| sums[at] = sums[at].wrapping_add(value));
            }
            (State::SumWide(sums), Some(Vector::Int(values))) => {
                active.each(positions, values, |at, value| {
                    sums[at] = sums[at].wrapping_add(i128::from(value));
                });
            }
            (State::SumFloat(sums), Some(Vector::Float(values))) => {
                active.each(positions, values, |at, value| sums[at] += value);
            }
            (State::Or(some), Some(Vector::Bool(values))) => {
                active.each(positions, values, |at, value| some[at] |= value);
            }
            (State::ExtremeInt(extremes, least), Some(Vector::Int(values))) => {
                active.each(positions, values, |at, value| further(&mut extremes[at], value, *least));
            }
            (State::ExtremeWide(extremes, least), Some(Vector::Wide(values))) => {
                active.each(positions, values, |at, value| further(&mut extremes[at], value, *least));
            }
            (State::ExtremeFloat(extremes, least), Some(Vector::Float(values))) => {
                active.each(positions, values, |at, value| further(&mut extremes[at], value, *least));
            }
            (State::ExtremeText(extremes, least), Some(text)) => {
                for (row, at) in positions.iter().enumerate().filter(|(row, _)| active.has(*row)) {
                    if let Some(text) = text.text(row) {
                        further(&mut extremes[*at as usize], text.to_owned(), *least);
                    }
                }
            }
            // NULL everywhere: nothing to add.
            _ => {}
        }
    }

    /// By position of the parent; NULL only for a least or greatest of nothing.
    pub fn finish(self) -> Result<ArrayRef, EngineError> {
        Ok(match self.state {
            State::Count(values) | State::SumInt(values) => {
                Arc::new(Int64Array::new(ScalarBuffer::from(values), None))
            }
            State::SumWide(values) => Arc::new(
                Decimal128Array::new(ScalarBuffer::from(values), None).with_precision_and_scale(38, 0)?,
            ),
            State::SumFloat(values) => Arc::new(Float64Array::new(ScalarBuffer::from(values), None)),
            State::Or(values) => {
                let bits = BooleanBuffer::collect_bool(values.len(), |row| values[row] != 0);
                Arc::new(BooleanArray::new(bits, None))
            }
            State::ExtremeInt(values, _) if self.kind == Kind::Date => {
                Arc::new(values.iter().map(|value| value.map(|value| value as i32)).collect::<Date32Array>())
            }
            State::ExtremeInt(values, _) if self.kind == Kind::Bool => {
                Arc::new(values.iter().map(|value| value.map(|value| value != 0)).collect::<BooleanArray>())
            }
            State::ExtremeInt(values, _) => Arc::new(values.into_iter().collect::<Int64Array>()),
            State::ExtremeWide(values, _) => {
                let nulls = values.iter().map(Option::is_some).collect::<NullBuffer>();
                let values: Vec<i128> = values.into_iter().map(Option::unwrap_or_default).collect();
                Arc::new(
                    Decimal128Array::new(ScalarBuffer::from(values), Some(nulls))
                        .with_precision_and_scale(38, 0)?,
                )
            }
            State::ExtremeFloat(values, _) => Arc::new(values.into_iter().collect::<Float64Array>()),
            State::ExtremeText(values, _) => Arc::new(values.into_iter().collect::<StringArray>()),
        })
    }
}

fn further<T: PartialOrd>(extreme: &mut Option<T>, value: T, least: bool) {
    let replace = extreme.as_ref().is_none_or(|known| if least { value < *known } else { value > *known });
    if replace {
        *extreme = Some(value);
    }
}

/// Which rows count.
enum Active {
    All,
    Some(Vec<u8>),
}

impl Active {
    /// `None` if no row does.
    fn new(at: &Lanes<'_, i64>, filter: Option<&Vector<'_>>, argument: Option<&Vector<'_>>) -> Option<Self> {
        if matches!(argument, Some(Vector::Null)) {
            return None;
        }
        let mut active = match filter {
            None => Self::All,
            Some(Vector::Bool(lanes)) => match lanes.operand() {
                Operand::Same(0) => return None,
                Operand::Same(_) => Self::All.without(&lanes.nulls),
                Operand::Each(values) => Self::Some(values.to_vec()).without(&lanes.nulls),
            },
            Some(_) => return None,
        };
        active = active.without(&at.nulls);
        Some(match argument {
            Some(argument) => active.without(&argument.nulls()),
            None => active,
        })
    }

    fn without(self, nulls: &Nulls) -> Self {
        match (self, nulls) {
            (active, None) => active,
            (Self::All, Some(nulls)) => Self::Some(nulls.iter().map(|null| null ^ 1).collect()),
            (Self::Some(mut active), Some(nulls)) => {
                for (active, null) in active.iter_mut().zip(nulls.iter()) {
                    *active &= null ^ 1;
                }
                Self::Some(active)
            }
        }
    }

    fn has(&self, row: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(active) => active[row] != 0,
        }
    }

    /// Hands over the rows that count: the parent's position and the value.
    fn each<T: Copy>(&self, positions: &[i64], values: &Lanes<'_, T>, mut add: impl FnMut(usize, T)) {
        match (self, values.operand()) {
            (Self::All, Operand::Each(values)) => {
                positions.iter().zip(values).for_each(|(at, value)| add(*at as usize, *value));
            }
            (Self::All, Operand::Same(value)) => positions.iter().for_each(|at| add(*at as usize, value)),
            (Self::Some(active), Operand::Each(values)) => {
                for ((at, value), active) in positions.iter().zip(values).zip(active) {
                    if *active != 0 {
                        add(*at as usize, *value);
                    }
                }
            }
            (Self::Some(active), Operand::Same(value)) => {
                for (at, active) in positions.iter().zip(active) {
                    if *active != 0 {
                        add(*at as usize, value);
                    }
                }
            }
        }
    }
}
