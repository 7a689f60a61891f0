//! What is recorded stays recorded: an empty cell takes nothing away unless the import says that it shall.
//!
//! A cell that could not be read (words for a number, a formula without its result) never does.

use std::collections::{BTreeMap, HashSet};

use pack::program::{ColumnId, EntityId, Value};
use store::View;

use super::ImportError;
use super::index::RowIndex;
use super::link::{Tables, reads_all};
use super::schema::{EntityPlan, Reader, Schema};
use super::stage::{State, Table};

/// Cells of one column of a sheet that are empty over a recorded value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    pub entity: EntityId,
    /// Position among the sheets of the entity.
    pub part: usize,
    pub field: usize,
    pub count: u64,
}

/// Puts recorded values where the import has none. With `allow_erase`, only where a cell could not be read.
/// Answers how many recorded values empty cells stand over.
pub fn keep_recorded(
    schema: &Schema<'_>,
    tables: &mut Tables,
    view: &View<'_>,
    allow_erase: bool,
) -> Result<Vec<Erasure>, ImportError> {
    let mut erasures = Vec::new();
    for entity in &schema.entities {
        let Some(table) = &mut tables[entity.id.index()] else { continue };
        if view.count(entity.id)? == 0 {
            continue;
        }
        let fields = with_gaps(entity, table);
        if fields.is_empty() {
            continue;
        }
        let unread: HashSet<(u32, usize)> =
            table.faults.iter().filter(|fault| !fault.taken).map(|fault| (fault.row, fault.field)).collect();
        let mut counts: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        for (row, field, value) in recorded(entity, table, &fields, view)? {
            let empty = !unread.contains(&(row, field));
            if empty {
                *counts.entry((table.part_of(row as usize), field)).or_default() += 1;
            }
            if !(empty && allow_erase)
                && let Some(column) = &mut table.columns[field]
            {
                column.set(&entity.fields[field].reader, row as usize, &value);
            }
        }
        erasures.extend(counts.into_iter().map(|((part, field), count)| Erasure {
            entity: entity.id,
            part,
            field,
            count,
        }));
    }
    Ok(erasures)
}

/// Fields of which some row of a sheet that has them is unknown.
fn with_gaps(entity: &EntityPlan, table: &Table) -> Vec<usize> {
    let readable =
        |field: &usize| *field != entity.key && !matches!(entity.fields[*field].reader, Reader::Index);
    (0..entity.fields.len())
        .filter(readable)
        .filter(|field| {
            table.columns[*field].as_ref().is_some_and(|column| {
                table
                    .parts
                    .iter()
                    .filter(|part| part.header.column_of(*field).is_some())
                    .any(|part| (part.base..part.base + part.read).any(|row| column.is_unknown(row)))
            })
        })
        .collect()
}

/// Recorded values of fields that are unknown in a row.
fn recorded(
    entity: &EntityPlan,
    table: &Table,
    fields: &[usize],
    view: &View<'_>,
) -> Result<Vec<(u32, usize, Value)>, ImportError> {
    let gap = |row: usize, field: usize| {
        let part = &table.parts[table.part_of(row)];
        table.states[row] != State::Repeated
            && part.header.column_of(field).is_some()
            && table.columns[field].as_ref().is_some_and(|column| column.is_unknown(row))
    };
    let mut found = Vec::new();
    if reads_all(view, entity.id, table.len())? {
        let keys = RowIndex::new(table, entity.key, |_, _| {});
        let columns: Vec<ColumnId> =
            [entity.key].iter().chain(fields).map(|field| entity.fields[*field].column).collect();
        view.scan(entity.id, &columns, |record| {
            // Nearly always nothing is recorded either, and then the row need not be found.
            if !(1..columns.len())
                .any(|index| record.text(index).is_some() || record.integer(index).is_some())
            {
                return Ok(());
            }
            let row = record.text(0).and_then(|key| keys.get(table, entity.key, key));
            let Some(row) = row else { return Ok(()) };
            for (index, field) in fields.iter().enumerate().filter(|(_, field)| gap(row as usize, **field)) {
                if let Some(value) = record.value(index + 1)? {
                    found.push((row, *field, value));
                }
            }
            Ok(())
        })?;
        return Ok(found);
    }
    for row in 0..table.len() {
        let gaps: Vec<usize> = fields.iter().copied().filter(|field| gap(row, *field)).collect();
        let key = table.text(entity.key, row);
        if gaps.is_empty() || key.is_empty() {
            continue;
        }
        let Some(mut record) = view.record(entity.id, key)? else { continue };
        for field in gaps {
            if let Some(value) = record.values[field].take() {
                found.push((row as u32, field, value));
            }
        }
    }
    Ok(found)
}
