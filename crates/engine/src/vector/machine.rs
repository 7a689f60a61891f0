//! Executes a program over chunks of a table's rows.

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type};
use pack::program::EntityId;

use super::kernels;
use super::program::{Input, Lanes as Held, Op, Slot, VectorProgram};
use super::value::{Codes, Lane, Lanes, Nulls, Operand, TextLane, Vector, map1, unpacked};
use crate::EngineError;
use crate::table::Tables;

/// Rows of a chunk: what a few dozen vectors of them take fits the second-level cache.
pub(crate) const CHUNK_ROWS: usize = 4096;

/// A program bound to the columns it reads.
pub(crate) struct Machine<'t> {
    program: &'t VectorProgram,
    /// By operation: the column it reads.
    columns: Vec<Option<&'t ArrayRef>>,
    /// By operation: the first row and the number of rows of the parents' table.
    parents: Vec<(i64, i64)>,
}

/// What a program made of a chunk.
pub(crate) struct Chunk<'c, 't> {
    pub rows: Range<usize>,
    slots: &'c [Vector<'t>],
}

impl<'c, 't> Chunk<'c, 't> {
    pub(super) fn vector(&self, slot: Slot) -> &'c Vector<'t> {
        &self.slots[slot]
    }
}

impl<'t> Machine<'t> {
    /// # Errors
    /// [`EngineError::Program`] for a column that is not there.
    pub fn new(
        program: &'t VectorProgram,
        tables: &'t Tables,
        entity_name: &dyn Fn(EntityId) -> String,
    ) -> Result<Self, EngineError> {
        let find = |input: &Input| {
            let table = tables.get(input.entity);
            table.and_then(|table| table.columns.get(&input.name)).ok_or_else(|| EngineError::Program {
                place: format!("{}.{}", entity_name(input.entity), input.name),
                reason: "it is read before it is there".to_owned(),
            })
        };
        let mut columns = Vec::with_capacity(program.ops.len());
        let mut parents = Vec::with_capacity(program.ops.len());
        for op in &program.ops {
            columns.push(match op {
                Op::Load(input) | Op::Gather { column: input, .. } => Some(find(input)?),
                Op::Parents { references, .. } => Some(find(references)?),
                _ => None,
            });
            parents.push(match op {
                Op::Parents { parent, .. } => {
                    tables.get(*parent).map_or((0, 0), |table| (i64::from(table.start), table.rows as i64))
                }
                _ => (0, 0),
            });
        }
        Ok(Self { program, columns, parents })
    }

    /// Executes the program over rows `0..rows`, chunk by chunk in order.
    pub fn run(
        &self,
        rows: usize,
        take: &mut dyn FnMut(&Chunk<'_, 't>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut slots: Vec<Vector<'t>> = vec![Vector::Null; self.program.ops.len()];
        let mut start = 0;
        while start < rows {
            let range = start..rows.min(start + CHUNK_ROWS);
            for (number, op) in self.program.ops.iter().enumerate() {
                let value = self.execute(number, op, &slots, range.clone());
                slots[number] = value;
                for released in &self.program.released[number] {
                    slots[*released] = Vector::Null;
                }
            }
            start = range.end;
            take(&Chunk { rows: range, slots: &slots })?;
        }
        Ok(())
    }

    fn execute(&self, number: usize, op: &Op, slots: &[Vector<'t>], rows: Range<usize>) -> Vector<'t> {
        let slot = |slot: &Slot| &slots[*slot];
        let all = |all: &[Slot]| all.iter().map(|slot| &slots[*slot]).collect::<Vec<_>>();
        let length = rows.len();
        match op {
            Op::Null => Vector::Null,
            Op::Bool(value) => Vector::Bool(Lanes::same(u8::from(*value))),
            Op::Number(value, Held::Wide) => Vector::Wide(Lanes::same(*value)),
            Op::Number(value, _) => Vector::Int(Lanes::same(*value as i64)),
            Op::Float(bits) => Vector::Float(Lanes::same(f64::from_bits(*bits))),
            Op::Text(text) => Vector::Text(TextLane::Same(text.as_str().into())),
            Op::Load(_) => self.columns[number].map_or(Vector::Null, |array| load(array, rows)),
            Op::Parents { at, .. } => {
                let array = self.columns[number];
                array.map_or(Vector::Null, |array| self.positions(number, array, at.as_ref().map(slot), rows))
            }
            Op::Gather { at, .. } => {
                self.columns[number].map_or(Vector::Null, |array| gather(array, slot(at), length))
            }
            Op::Arithmetic(operator, held, a, b) => kernels::arithmetic(*operator, *held, slot(a), slot(b)),
            Op::Negate(a) => kernels::negate(slot(a)),
            Op::Compare(op, a, b) => kernels::compare(*op, slot(a), slot(b), length),
            Op::And(operands) => kernels::junction(&all(operands), true, length),
            Op::Or(operands) => kernels::junction(&all(operands), false, length),
            Op::Not(a) => kernels::not(slot(a)),
            Op::IsNull(a) => kernels::is_null(slot(a)),
            Op::Case { branches, otherwise } => {
                let branches: Vec<_> = branches.iter().map(|(when, then)| (slot(when), slot(then))).collect();
                kernels::case(&branches, otherwise.as_ref().map(slot), length)
            }
            Op::Coalesce(operands) => kernels::coalesce(&all(operands), length),
            Op::Least(operands) => kernels::extreme(&all(operands), true),
            Op::Greatest(operands) => kernels::extreme(&all(operands), false),
            Op::NullIfZero(a) => kernels::null_if_zero(slot(a)),
            Op::InNumbers(a, list) => kernels::in_numbers(slot(a), list),
            Op::InTexts(a, list) => kernels::in_texts(slot(a), list, length),
            Op::DatePart(part, a) => kernels::date_part(*part, slot(a)),
            Op::MakeDate(year, month, day) => kernels::make_date(slot(year), slot(month), slot(day), length),
            Op::Substring { text, from, length: characters } => {
                kernels::substring(slot(text), *from, *characters, length)
            }
            Op::Digits(a) => kernels::digits(slot(a), length),
            Op::Cast(a, held) => kernels::cast(slot(a), *held),
        }
    }

    /// Positions of parents in their table, NULL where there is none.
    fn positions(
        &self,
        number: usize,
        array: &'t ArrayRef,
        at: Option<&Vector<'t>>,
        rows: Range<usize>,
    ) -> Vector<'t> {
        let (start, count) = self.parents[number];
        let references = match at {
            None => load(array, rows),
            Some(at) => gather(array, at, rows.len()),
        };
        let Vector::Int(lanes) = references else { return Vector::Null };
        let lane = map1(lanes.operand(), |row| row - start);
        let Lane::Each(positions) = lane else { return Vector::Null };
        let outside = |position: i64| position < 0 || position >= count;
        let known = |row: usize| lanes.nulls.as_ref().is_none_or(|nulls| nulls[row] == 0);
        if lanes.nulls.is_none() && !positions.iter().any(|position| outside(*position)) {
            return Vector::Int(Lanes { lane: Lane::Each(positions), nulls: None });
        }
        let nulls = positions.iter().enumerate();
        let nulls: Vec<u8> =
            nulls.map(|(row, position)| u8::from(!known(row) || outside(*position))).collect();
        let positions =
            positions.iter().zip(&nulls).map(|(position, null)| if *null == 0 { *position } else { 0 });
        Vector::Int(Lanes::each(positions.collect(), Some(Rc::new(nulls))))
    }
}

/// NULLs among rows of an array.
fn nulls_in(array: &dyn Array, rows: Range<usize>) -> Nulls {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0)?.slice(rows.start, rows.len());
    (nulls.null_count() > 0).then(|| Rc::new(unpacked(nulls.inner(), 1)))
}

fn load(array: &ArrayRef, rows: Range<usize>) -> Vector<'_> {
    let nulls = nulls_in(array, rows.clone());
    match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean().values().slice(rows.start, rows.len());
            Vector::Bool(Lanes::each(unpacked(&values, 0), nulls))
        }
        DataType::Int64 => {
            Vector::Int(Lanes::borrowed(&array.as_primitive::<Int64Type>().values()[rows], nulls))
        }
        DataType::Int32 => {
            let values = &array.as_primitive::<Int32Type>().values()[rows];
            Vector::Int(Lanes::each(values.iter().map(|value| i64::from(*value)).collect(), nulls))
        }
        DataType::Date32 => {
            let values = &array.as_primitive::<Date32Type>().values()[rows];
            Vector::Int(Lanes::each(values.iter().map(|value| i64::from(*value)).collect(), nulls))
        }
        DataType::Decimal128(..) => {
            Vector::Wide(Lanes::borrowed(&array.as_primitive::<Decimal128Type>().values()[rows], nulls))
        }
        DataType::Float64 => {
            Vector::Float(Lanes::borrowed(&array.as_primitive::<Float64Type>().values()[rows], nulls))
        }
        DataType::Utf8 => {
            Vector::Text(TextLane::Each(array.as_string::<i32>().slice(rows.start, rows.len())))
        }
        DataType::Dictionary(..) => match coded(array) {
            Some((keys, texts)) => {
                Vector::Text(TextLane::Codes(Codes { keys: Cow::Borrowed(&keys[rows]), texts, nulls }))
            }
            None => Vector::Null,
        },
        _ => Vector::Null,
    }
}

fn gather<'t>(array: &'t ArrayRef, at: &Vector<'t>, rows: usize) -> Vector<'t> {
    let Vector::Int(at) = at else { return Vector::Null };
    let Operand::Each(positions) = at.operand() else { return Vector::Null };
    let nulls = gathered_nulls(array, positions, &at.nulls);
    match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean().values();
            let value = |position: &i64| {
                let position = *position as usize;
                u8::from(position < values.len() && values.value(position))
            };
            Vector::Bool(Lanes::each(positions.iter().map(value).collect(), nulls))
        }
        DataType::Int64 => {
            Vector::Int(Lanes::each(picked(array.as_primitive::<Int64Type>().values(), positions), nulls))
        }
        DataType::Int32 => {
            let values = array.as_primitive::<Int32Type>().values();
            let value = |position: &i64| values.get(*position as usize).map_or(0, |value| i64::from(*value));
            Vector::Int(Lanes::each(positions.iter().map(value).collect(), nulls))
        }
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>().values();
            let value = |position: &i64| values.get(*position as usize).map_or(0, |value| i64::from(*value));
            Vector::Int(Lanes::each(positions.iter().map(value).collect(), nulls))
        }
        DataType::Decimal128(..) => Vector::Wide(Lanes::each(
            picked(array.as_primitive::<Decimal128Type>().values(), positions),
            nulls,
        )),
        DataType::Float64 => {
            Vector::Float(Lanes::each(picked(array.as_primitive::<Float64Type>().values(), positions), nulls))
        }
        DataType::Dictionary(..) => match coded(array) {
            Some((keys, texts)) => {
                let keys = Cow::Owned(picked(keys, positions));
                Vector::Text(TextLane::Codes(Codes { keys, texts, nulls }))
            }
            None => Vector::Null,
        },
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            let known = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls[row] == 0);
            let value = |row: usize| known(row).then(|| texts.value(positions[row] as usize));
            Vector::Text(TextLane::Each((0..rows).map(value).collect()))
        }
        _ => Vector::Null,
    }
}

/// Keys and texts of an array of codes.
fn coded(array: &ArrayRef) -> Option<(&[i32], &StringArray)> {
    let codes = array.as_dictionary_opt::<Int32Type>()?;
    Some((codes.keys().values(), codes.values().as_string_opt::<i32>()?))
}

fn picked<T: Copy + Default>(values: &[T], positions: &[i64]) -> Vec<T> {
    positions.iter().map(|position| values.get(*position as usize).copied().unwrap_or_default()).collect()
}

fn gathered_nulls(array: &dyn Array, positions: &[i64], nulls: &Nulls) -> Nulls {
    let Some(own) = array.nulls().filter(|own| own.null_count() > 0) else { return nulls.clone() };
    let null = |row: usize| {
        let position = positions[row] as usize;
        let absent = nulls.as_ref().is_some_and(|nulls| nulls[row] != 0);
        u8::from(absent || position >= own.len() || own.is_null(position))
    };
    let mut any = 0;
    let found: Vec<u8> = (0..positions.len()).map(null).inspect(|null| any |= null).collect();
    (any != 0).then(|| Rc::new(found))
}
