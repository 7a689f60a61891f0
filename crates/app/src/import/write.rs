//! Sound rows into the registry, parents first.

use std::sync::mpsc::sync_channel;
use std::thread;

use pack::program::ColumnId;
use store::{ImportSession, NewSource, Outcome, Record, SourceId};

use super::link::Tables;
use super::schema::{EntityPlan, Schema};
use super::source::Source;
use super::stage::{Part, State, Table};
use super::{ImportError, Phase, Progress};

const BATCH: usize = 1000;
/// Batches made before they can be stored.
const BATCHES_AHEAD: usize = 4;

/// What became of the rows of one sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub inserted: u64,
    pub updated: u64,
    pub unchanged: u64,
}

impl Written {
    fn add(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            match outcome {
                Outcome::Inserted => self.inserted += 1,
                Outcome::Updated { .. } => self.updated += 1,
                Outcome::Unchanged => self.unchanged += 1,
            }
        }
    }
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
            let source = session.add_source(NewSource::file(
                &sources[place.file].name,
                &place.sheet,
                &sources[place.file].sha256,
            ))?;
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

/// Records of one batch that carry the same fields.
struct Batch {
    /// Whether the reference to the division above is among them.
    derived: bool,
    records: Vec<Record>,
    /// Rows passed, those that are not stored included.
    rows: u64,
}

impl Writing<'_> {
    /// Makes records on one core while another stores those before.
    fn run(
        &self,
        session: &mut ImportSession<'_>,
        each: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Written, ImportError> {
        let derived = self.derived();
        let plain: Vec<usize> = self.fields().collect();
        let full: Vec<usize> = plain.iter().copied().chain(derived).collect();
        let columns = |fields: &[usize]| -> Vec<ColumnId> {
            fields.iter().map(|field| self.entity.fields[*field].column).collect()
        };
        let (plain_columns, full_columns) = (columns(&plain), columns(&full));
        let mut written = Written::default();
        thread::scope(|scope| {
            let (send, receive) = sync_channel::<Batch>(BATCHES_AHEAD);
            scope.spawn(move || {
                // The receiver hangs up when the import fails or is cancelled.
                self.batches(&plain, &full, derived, &mut |batch| send.send(batch).is_ok());
            });
            for batch in receive {
                let fields = if batch.derived { &full_columns } else { &plain_columns };
                if !batch.records.is_empty() {
                    written.add(&session.upsert(self.entity.id, fields, &batch.records)?);
                }
                if !each(batch.rows) {
                    return Err(ImportError::Cancelled);
                }
            }
            Ok(written)
        })
    }

    fn batches(
        &self,
        plain: &[usize],
        full: &[usize],
        derived: Option<usize>,
        send: &mut dyn FnMut(Batch) -> bool,
    ) {
        let rows: Vec<usize> = (self.part.base..self.part.base + self.part.read).collect();
        for batch in rows.chunks(BATCH) {
            let sound = || batch.iter().copied().filter(|row| self.table.states[*row] == State::Sound);
            let has = |row: &usize| derived.is_some_and(|field| !self.table.text(field, *row).is_empty());
            let records = sound().filter(|row| !has(row)).map(|row| self.record(plain, row)).collect();
            let more: Vec<Record> = sound().filter(has).map(|row| self.record(full, row)).collect();
            let go_on = more.is_empty() || send(Batch { derived: true, records: more, rows: 0 });
            if !go_on || !send(Batch { derived: false, records, rows: batch.len() as u64 }) {
                return;
            }
        }
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

    fn record(&self, fields: &[usize], row: usize) -> Record {
        let value = |field: &usize| {
            let column = self.table.columns[*field].as_ref()?;
            column.value(&self.entity.fields[*field].reader, row)
        };
        Record {
            values: fields.iter().map(value).collect(),
            source: Some(self.source),
            source_row: Some(self.table.numbers[row]),
            ..Record::default()
        }
    }
}
