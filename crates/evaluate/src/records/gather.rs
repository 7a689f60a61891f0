//! Reads what answers rest on into facts in memory.

use std::collections::{BTreeMap, BTreeSet};

use pack::program::{ColumnId, ColumnKind, EntityId, Value};

use super::lay::key_text;
use super::needed::Needed;
use super::{Extract, Records};
use crate::interpret::{Facts, FactsBuilder};

/// Facts, with where the records are among them.
#[derive(Debug)]
pub struct Gathered {
    pub facts: Facts,
    places: Places,
}

/// Rows of the records by entity, in order; their places are the rows of the facts.
type Places = BTreeMap<EntityId, Vec<u32>>;

fn place(places: &Places, entity: EntityId, row: u32) -> Option<u32> {
    places.get(&entity)?.binary_search(&row).ok().map(|place| place as u32)
}

impl Gathered {
    /// The row among the facts of a record that was needed.
    pub fn place(&self, entity: EntityId, row: u32) -> Option<u32> {
        place(&self.places, entity, row)
    }
}

/// Reads what was found to be needed, and nothing else; for [`Needed`] that it takes over.
///
/// # Errors
/// Records that cannot be read.
pub fn gather<R: Records>(records: &R, needed: Needed) -> Result<Gathered, R::Error> {
    let program = records.program();
    let mut builder = FactsBuilder::linked(program, &needed.columns);
    for (entity, rows) in &needed.rows {
        let key = program.entity(*entity).key;
        let of_entity = |id: &ColumnId| {
            program.column(*id).entity == *entity && needed.read.contains_key(id) && *id != key
        };
        let is_field = |id: &ColumnId| matches!(program.column(*id).kind, ColumnKind::Field(_));
        let (mut fields, results): (Vec<ColumnId>, Vec<ColumnId>) =
            needed.columns.iter().copied().filter(of_entity).partition(is_field);
        fields.push(key);
        let Extract { mut columns, mut origins } = records.read(*entity, &fields, rows)?;
        let keys: Vec<Option<Value>> = columns.pop().unwrap_or_default();
        for (position, key) in keys.iter().enumerate() {
            let values = fields.iter().zip(&mut columns);
            let values = values.map(|(id, values)| (*id, values[position].take()));
            let row = builder.record(*entity, &key.as_ref().map(key_text).unwrap_or_default(), values);
            if let Some(origin) = origins.get_mut(position).and_then(Option::take) {
                builder.provenance(*entity, row, origin);
            }
        }
        give_results(records, &mut builder, &needed, *entity, &results)?;
    }
    for (column, rows) in &needed.unknown {
        let entity = program.column(*column).entity;
        for row in rows.iter().filter_map(|row| place(&needed.rows, entity, *row)) {
            builder.give(entity, row, *column, None);
        }
    }
    for (edge, links) in &needed.links {
        let (child, parent) = (program.edge(*edge).child, program.edge(*edge).parent);
        for (row, above) in links {
            let met = (place(&needed.rows, child, *row), place(&needed.rows, parent, *above));
            if let (Some(row), Some(above)) = met {
                builder.link(*edge, row, above);
            }
        }
    }
    Ok(Gathered { facts: builder.build(), places: needed.rows })
}

/// Gives the results that are taken from where they are stored, to the rows that need them.
fn give_results<R: Records>(
    records: &R,
    builder: &mut FactsBuilder<'_>,
    needed: &Needed,
    entity: EntityId,
    results: &[ColumnId],
) -> Result<(), R::Error> {
    let rows: BTreeSet<u32> = results.iter().flat_map(|id| needed.read[id].iter().copied()).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let rows: Vec<u32> = rows.into_iter().collect();
    let read = records.read(entity, results, &rows)?;
    for (id, values) in results.iter().zip(read.columns) {
        for (row, value) in rows.iter().zip(values) {
            if needed.read[id].binary_search(row).is_ok()
                && let Some(row) = place(&needed.rows, entity, *row)
            {
                builder.give(entity, row, *id, value);
            }
        }
    }
    Ok(())
}
