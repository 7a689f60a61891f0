//! Totals, added up as the parts come in.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use pack::program::{ColumnId, EntityId, Program, TotalFunction, Type};

use crate::EngineError;
use crate::table::Tables;

/// The totals of a program so far, in order of declaration: counts, and sums scaled as their column.
#[derive(Clone, Debug)]
pub(crate) struct Totals(pub Vec<i128>);

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
        Ok(Self(vec![0; program.totals.len()]))
    }

    /// Adds the tables of a phase: rows of the entities it owns, and columns it made.
    pub fn add_tables(
        &mut self,
        program: &Program,
        tables: &Tables,
        owns: &dyn Fn(EntityId) -> bool,
        made: &dyn Fn(ColumnId) -> bool,
    ) {
        for (sum, total) in self.0.iter_mut().zip(&program.totals) {
            let Some(table) = tables.get(total.entity) else { continue };
            let column = |id: ColumnId| {
                let name = &program.columns[id.index()].name;
                table.columns.get(name).filter(|_| made(id))
            };
            *sum += match total.function {
                TotalFunction::Count if owns(total.entity) => table.rows as i128,
                TotalFunction::Count => 0,
                TotalFunction::CountTrue(id) => {
                    column(id).map_or(0, |array| array.as_boolean().true_count() as i128)
                }
                TotalFunction::Sum(id) => column(id).map_or(0, sum_of),
            };
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (sum, other) in self.0.iter_mut().zip(&other.0) {
            *sum += other;
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
