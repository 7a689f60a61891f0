//! Sound rows into the registry, parents first.

use model::Date;
use pack::program::ColumnId;
use store::{ImportSession, NewSource, Outcome, Record, SourceId};

use super::link::Tables;
use super::schema::{EntityPlan, Schema};
use super::source::Source;
use super::stage::{Part, State, Table};
use super::{ImportError, Phase, Progress};

const BATCH: usize = 1000;

/// What became of the rows of one sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub inserted: u64,
    pub updated: u64,
    pub unchanged: u64,
}

/// Stores the sound rows of all tables; the answer is by entity and sheet.
pub fn write(
    schema: &Schema<'_>,
    tables: &Tables,
    sources: &[Source],
    session: &mut ImportSession<'_>,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Vec<Vec<Written>>, ImportError> {
    let total = tables.iter().flatten().map(|table| table.len() as u64).sum();
    let mut done = 0;
    let mut all = Vec::with_capacity(tables.len());
    for (entity, table) in schema.entities.iter().zip(tables) {
        let mut written = Vec::new();
        for part in table.iter().flat_map(|table| 0..table.parts.len()) {
            let table = table.as_ref().expect("it has parts");
            let place = &table.parts[part];
            let source = session.add_source(NewSource {
                file: sources[place.file].name.clone(),
                sheet: place.sheet.clone(),
                sha256: sources[place.file].sha256.clone(),
            })?;
            let writing = Writing { entity, table, part: place, source };
            written.push(writing.run(session, &mut |rows| {
                done += rows;
                progress(Progress { phase: Phase::Storing, done, total: Some(total) })
            })?);
        }
        all.push(written);
    }
    Ok(all)
}

struct Writing<'w> {
    entity: &'w EntityPlan,
    table: &'w Table,
    part: &'w Part,
    source: SourceId,
}

impl Writing<'_> {
    fn run(
        &self,
        session: &mut ImportSession<'_>,
        each: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Written, ImportError> {
        let derived = self.derived();
        let plain: Vec<usize> = self.fields().collect();
        let full: Vec<usize> = plain.iter().copied().chain(derived).collect();
        let mut written = Written::default();
        let rows: Vec<usize> = (self.part.base..self.part.base + self.part.read).collect();
        for batch in rows.chunks(BATCH) {
            let sound = || batch.iter().copied().filter(|row| self.table.states[*row] == State::Sound);
            let has = |row: &usize| derived.is_some_and(|field| !self.table.text(field, *row).is_empty());
            for (fields, rows) in [
                (&full, sound().filter(has).collect::<Vec<_>>()),
                (&plain, sound().filter(|row| !has(row)).collect()),
            ] {
                self.store(session, fields, &rows, &mut written)?;
            }
            if !each(batch.len() as u64) {
                return Err(ImportError::Cancelled);
            }
        }
        Ok(written)
    }

    /// Fields that the sheet has, and the key even where it was made.
    fn fields(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.entity.fields.len())
            .filter(|field| self.part.header.column_of(*field).is_some() || *field == self.entity.key)
    }

    /// The reference to the division above, where the sheet leaves it to the code.
    fn derived(&self) -> Option<usize> {
        let via = self.entity.tree_edge().map(|edge| self.entity.edges[edge].via)?;
        (self.entity.division && self.part.header.column_of(via).is_none()).then_some(via)
    }

    fn store(
        &self,
        session: &mut ImportSession<'_>,
        fields: &[usize],
        rows: &[usize],
        written: &mut Written,
    ) -> Result<(), ImportError> {
        if rows.is_empty() {
            return Ok(());
        }
        let columns: Vec<ColumnId> = fields.iter().map(|field| self.entity.fields[*field].column).collect();
        let records: Vec<Record> = rows.iter().map(|row| self.record(fields, *row)).collect();
        for outcome in session.upsert(self.entity.id, &columns, &records)? {
            match outcome {
                Outcome::Inserted => written.inserted += 1,
                Outcome::Updated { .. } => written.updated += 1,
                Outcome::Unchanged => written.unchanged += 1,
            }
        }
        Ok(())
    }

    fn record(&self, fields: &[usize], row: usize) -> Record {
        let value = |field: &usize| {
            let column = self.table.columns[*field].as_ref()?;
            column.value(&self.entity.fields[*field].reader, row)
        };
        Record {
            values: fields.iter().map(value).collect(),
            source: Some(self.source),
            source_row: Some(self.table.numbers[row]),
            valid_from: None::<Date>,
        }
    }
}
