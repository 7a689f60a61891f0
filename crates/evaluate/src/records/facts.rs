//! Facts in memory, worked cases and what a line of JSON holds, as records.

use std::convert::Infallible;

use pack::program::{ColumnId, EdgeId, EntityId, Program, Value};

use super::{Extract, Records};
use crate::interpret::Facts;

/// Linked facts with the program they were linked for. A computed column counts as stored if its
/// values came with all records.
#[derive(Clone, Copy, Debug)]
pub struct FactRecords<'a> {
    program: &'a Program,
    facts: &'a Facts,
}

impl<'a> FactRecords<'a> {
    pub fn new(program: &'a Program, facts: &'a Facts) -> Self {
        Self { program, facts }
    }
}

impl Records for FactRecords<'_> {
    type Error = Infallible;

    fn program(&self) -> &Program {
        self.program
    }

    fn parents(&self, edge: EdgeId, children: &[u32]) -> Result<Vec<Option<u32>>, Infallible> {
        Ok(children.iter().map(|child| self.facts.parent(edge, *child)).collect())
    }

    fn children(&self, edge: EdgeId, parents: &[u32]) -> Result<Vec<(u32, u32)>, Infallible> {
        let mut rows = Vec::new();
        for parent in parents {
            rows.extend(self.facts.children(edge, *parent).iter().map(|child| (*child, *parent)));
        }
        rows.sort_unstable();
        Ok(rows)
    }

    fn is_stored(&self, column: ColumnId) -> Result<bool, Infallible> {
        let entity = self.program.column(column).entity;
        let rows = self.facts.rows(entity);
        Ok(rows > 0 && (0..rows).all(|row| self.facts.is_given(entity, row, column)))
    }

    fn read(&self, entity: EntityId, columns: &[ColumnId], rows: &[u32]) -> Result<Extract, Infallible> {
        let value = |column: ColumnId, row: u32| self.facts.recorded(entity, row, column).cloned();
        let values = |column: &ColumnId| rows.iter().map(|row| value(*column, *row)).collect();
        let with_key = columns.contains(&self.program.entity(entity).key);
        let origin = |row: &u32| self.facts.provenance(entity, *row).cloned();
        let origins = if with_key { rows.iter().map(origin).collect() } else { Vec::new() };
        Ok(Extract { columns: columns.iter().map(values).collect(), origins })
    }

    fn find(&self, column: ColumnId, text: &str) -> Result<Option<u32>, Infallible> {
        Ok(self.holding(column, text).next())
    }

    fn stray(&self, edge: EdgeId, text: &str) -> Result<Vec<u32>, Infallible> {
        Ok(self.holding(self.program.edge(edge).via, text).collect())
    }

    fn end(&self, entity: EntityId) -> Result<u32, Infallible> {
        Ok(self.facts.rows(entity))
    }
}

impl FactRecords<'_> {
    /// Rows with a text in a field.
    fn holding<'t>(&'t self, column: ColumnId, text: &'t str) -> impl Iterator<Item = u32> + 't {
        let entity = self.program.column(column).entity;
        let holds = move |row: &u32| matches!(self.facts.recorded(entity, *row, column), Some(Value::Text(held)) if held == text);
        (0..self.facts.rows(entity)).filter(holds)
    }
}
