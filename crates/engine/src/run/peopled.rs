//! Which divisions are more than a line of the division list.
//!
//! A registry lists every village of the province from the start. One of which nothing is recorded, and below which
//! nothing is, is no subject of any figure: to call it unknown would hide the villages that are.

use std::collections::BTreeMap;

use arrow::array::Array;
use pack::program::{EdgeId, EntityId, Program};

use super::snapshot::Snapshot;
use crate::EngineError;
use crate::load::Wanted;

/// By entity that is a division and that a total is about: whether something is recorded of each row.
#[derive(Debug, Default)]
pub(crate) struct Peopled(BTreeMap<EntityId, Vec<bool>>);

impl Peopled {
    /// Reads which divisions have records below them, and the recorded fields of the lowest where some have none.
    ///
    /// # Errors
    /// A snapshot that cannot be read.
    pub fn new(program: &Program, snapshot: &Snapshot) -> Result<Self, EngineError> {
        let mut all = Self::default();
        for total in &program.totals {
            all.learn(program, snapshot, total.entity)?;
        }
        Ok(all)
    }

    /// Whether a row is a subject of figures: every one is that is no division.
    pub fn is_subject(&self, entity: EntityId, row: u32) -> bool {
        self.0.get(&entity).is_none_or(|rows| rows.get(row as usize).copied().unwrap_or(true))
    }

    /// Number of rows that are subjects, of so many.
    pub fn subjects(&self, entity: EntityId, rows: usize) -> u64 {
        let peopled = self.0.get(&entity).map(|rows| rows.iter().filter(|peopled| **peopled).count());
        peopled.unwrap_or(rows) as u64
    }

    fn learn(&mut self, program: &Program, snapshot: &Snapshot, entity: EntityId) -> Result<(), EngineError> {
        if program.entities[entity.index()].division.is_none() || self.0.contains_key(&entity) {
            return Ok(());
        }
        let mut peopled = vec![false; snapshot.rows(entity)];
        let mut lowest = true;
        for (index, edge) in
            program.edges.iter().enumerate().filter(|(_, edge)| edge.parent == entity && edge.tree)
        {
            self.learn(program, snapshot, edge.child)?;
            lowest &= program.entities[edge.child.index()].division.is_none();
            snapshot.parents(program, EdgeId(index as u32), &mut |first, parents| {
                for (offset, parent) in parents.iter().enumerate() {
                    let parent = parent.and_then(|parent| peopled.get_mut(usize::try_from(parent).ok()?));
                    if let Some(parent) =
                        parent.filter(|_| self.is_subject(edge.child, (first + offset) as u32))
                    {
                        *parent = true;
                    }
                }
                Ok(())
            })?;
        }
        if lowest && peopled.contains(&false) {
            let fields = program.entities[entity.index()].fields.iter().copied();
            let fields = fields.filter(|id| program.columns[id.index()].nullable).collect();
            let wanted = Wanted { entity, fields, edges: vec![] };
            let batch = snapshot.read(program, &wanted, 0..peopled.len())?;
            for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
                if field.name() != "_row" && array.null_count() < array.len() {
                    peopled.iter_mut().enumerate().for_each(|(row, peopled)| *peopled |= array.is_valid(row));
                }
            }
        }
        self.0.insert(entity, peopled);
        Ok(())
    }
}
