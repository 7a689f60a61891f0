//! Totals, added up as the parts come in, with the records of which it is not known what they add.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use pack::program::{ColumnId, EntityId, Program, TotalFunction, Type};
use serde::{Deserialize, Serialize};

use super::peopled::Peopled;
use crate::EngineError;
use crate::table::Tables;

/// Records of a total that are kept as examples of the unknown ones.
const SAMPLE: usize = 32;

/// The totals of a program so far, in order of declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Totals(pub Vec<Tally>);

/// What one total comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// A count, or a sum scaled as its column, of the records of which it is known.
    #[serde(with = "as_text")]
    pub value: i128,
    /// Records whose condition or value is unknown.
    pub unknown: u64,
    /// Rows of some of them, spread evenly over all: those that come first in an order made of the rows alone, so that
    /// it is the same sample however the records are split.
    sample: Vec<u32>,
}

impl Tally {
    fn note_unknown(&mut self, row: u32) {
        self.unknown += 1;
        self.note(row);
    }

    fn note(&mut self, row: u32) {
        let place = self.sample.partition_point(|known| order(*known) < order(row));
        if place < SAMPLE {
            self.sample.insert(place, row);
            self.sample.truncate(SAMPLE);
        }
    }

    fn add(&mut self, other: &Self) {
        self.value += other.value;
        self.unknown += other.unknown;
        other.sample.iter().for_each(|row| self.note(*row));
    }

    /// Rows of some of the unknown records, in order.
    pub fn sample(&self) -> Vec<u32> {
        let mut rows = self.sample.clone();
        rows.sort_unstable();
        rows
    }
}

/// A row's place in an order that has nothing to do with where it belongs; no two rows share one.
fn order(row: u32) -> u64 {
    let mixed = u64::from(row).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Totals {
    /// All zero.
    ///
    /// # Errors
    /// [`EngineError::Program`] if a total adds what is no number.
    pub fn new(program: &Program) -> Result<Self, EngineError> {
        for total in &program.totals {
            let sound = match total.function {
                TotalFunction::Count => true,
                TotalFunction::CountTrue(id) => program.columns[id.index()].ty == Type::Bool,
                TotalFunction::Sum(id) => matches!(program.columns[id.index()].ty, Type::Number(_)),
            };
            if !sound {
                let reason = "a total adds what is no number".to_owned();
                return Err(EngineError::Program { place: total.id.clone(), reason });
            }
        }
        Ok(Self(vec![Tally::default(); program.totals.len()]))
    }

    /// Adds the tables of a phase: rows of the entities it owns, and columns it made. Divisions where nothing is
    /// recorded are no subjects, and not unknown.
    pub fn add_tables(
        &mut self,
        program: &Program,
        peopled: &Peopled,
        tables: &Tables,
        owns: &dyn Fn(EntityId) -> bool,
        made: &dyn Fn(ColumnId) -> bool,
    ) {
        for (tally, total) in self.0.iter_mut().zip(&program.totals) {
            let Some(table) = tables.get(total.entity) else { continue };
            let (id, array) = match total.function {
                TotalFunction::Count => {
                    tally.value += if owns(total.entity) { table.rows as i128 } else { 0 };
                    continue;
                }
                TotalFunction::CountTrue(id) | TotalFunction::Sum(id) => {
                    let Some(array) = table.columns.get(&program.columns[id.index()].name) else { continue };
                    (id, array)
                }
            };
            if !made(id) {
                continue;
            }
            tally.value += match total.function {
                TotalFunction::CountTrue(_) => array.as_boolean().true_count() as i128,
                _ => sum_of(array),
            };
            if array.null_count() > 0 {
                let first = table.start as u32;
                let unknown = (0..table.rows).filter(|index| array.is_null(*index));
                let rows = unknown.map(|index| first + index as u32);
                rows.filter(|row| peopled.is_subject(total.entity, *row))
                    .for_each(|row| tally.note_unknown(row));
            }
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (tally, other) in self.0.iter_mut().zip(&other.0) {
            tally.add(other);
        }
    }
}

/// The sum of the known values.
fn sum_of(array: &ArrayRef) -> i128 {
    match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().iter().flatten().map(i128::from).sum(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().iter().flatten().sum(),
        _ => 0,
    }
}

/// Sums may be larger than what every reader of JSON keeps exact.
mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_of_unknown_records_is_the_same_however_they_are_split() {
        let tally = |rows: &mut dyn Iterator<Item = u32>| {
            let mut tally = Tally::default();
            rows.for_each(|row| tally.note_unknown(row));
            tally
        };
        let whole = tally(&mut (0..10_000));
        assert_eq!((whole.unknown, whole.sample().len()), (10_000, SAMPLE));
        assert!(whole.sample().iter().any(|row| *row > 5_000), "it is spread over all");
        for parts in [2, 7, 333] {
            let mut merged = Tally::default();
            for part in (0..parts).rev() {
                merged.add(&tally(&mut (0..10_000).filter(|row| row % parts == part)));
            }
            assert_eq!(merged, whole, "{parts} parts");
        }
        assert_eq!(tally(&mut (0..5)).sample(), [0, 1, 2, 3, 4], "few are all of them");
    }

    #[test]
    fn a_tally_travels_without_losing_a_digit() {
        let tally = Tally { value: i128::MAX - 1, unknown: 7, sample: vec![3, 1] };
        let text = serde_json::to_string(&tally).expect("it can be written");
        assert_eq!(serde_json::from_str::<Tally>(&text).expect("it can be read"), tally);
    }
}
