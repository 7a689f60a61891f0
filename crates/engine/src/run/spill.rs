//! Columns that wait on the disk.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::reader::FileReaderBuilder;

use super::group::packed;
use crate::EngineError;

/// A file without a name, which goes with the process.
pub(super) struct Spill {
    file: File,
    dir: PathBuf,
    end: u64,
}

/// Where a batch is.
pub(super) struct Spilled {
    at: u64,
    length: usize,
    schema: SchemaRef,
}

impl Spilled {
    pub fn has(&self, name: &str) -> bool {
        self.schema.column_with_name(name).is_some()
    }
}

impl Spill {
    pub fn new(dir: &Path) -> Result<Self, EngineError> {
        let file = tempfile::tempfile_in(dir).map_err(|error| EngineError::file(dir, error))?;
        Ok(Self { file, dir: dir.to_owned(), end: 0 })
    }

    /// Forgets what was put.
    fn clear(&mut self) -> Result<(), EngineError> {
        self.end = 0;
        self.file.set_len(0).map_err(|error| EngineError::file(&self.dir, error))
    }

    pub fn put(&mut self, batch: &RecordBatch) -> Result<Spilled, EngineError> {
        let bytes = packed(batch)?;
        let written = self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(&bytes));
        written.map_err(|error| EngineError::file(&self.dir, error))?;
        let spilled = Spilled { at: self.end, length: bytes.len(), schema: batch.schema() };
        self.end += bytes.len() as u64;
        Ok(spilled)
    }

    /// Those of a batch's columns for which `wanted` holds.
    pub fn get(&self, spilled: &Spilled, wanted: &dyn Fn(&str) -> bool) -> Result<RecordBatch, EngineError> {
        let bytes = self.bytes(spilled).map_err(|error| EngineError::file(&self.dir, error))?;
        let places = spilled.schema.fields().iter().enumerate().filter(|(_, field)| wanted(field.name()));
        let places = places.map(|(place, _)| place).collect();
        let mut reader = FileReaderBuilder::new().with_projection(places).build(Cursor::new(bytes))?;
        let gone = || EngineError::file(&self.dir, io::Error::from(io::ErrorKind::UnexpectedEof));
        Ok(reader.next().ok_or_else(gone)??)
    }

    fn bytes(&self, spilled: &Spilled) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; spilled.length];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(spilled.at))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Batches that wait, in memory or on the disk.
#[derive(Default)]
pub(super) struct Queue {
    spill: Option<Spill>,
    batches: Vec<Queued>,
    pub rows: usize,
}

enum Queued {
    Held(RecordBatch),
    Spilled(Spilled),
}

/// Columns that are taken from the disk at once.
const COLUMNS: usize = 64;

impl Queue {
    /// On the disk if a folder is given.
    pub fn new(dir: Option<&Path>) -> Result<Self, EngineError> {
        Ok(Self { spill: dir.map(Spill::new).transpose()?, batches: vec![], rows: 0 })
    }

    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub fn push(&mut self, batch: RecordBatch) -> Result<(), EngineError> {
        self.rows += batch.num_rows();
        self.batches.push(match &mut self.spill {
            Some(spill) => Queued::Spilled(spill.put(&batch)?),
            None => Queued::Held(batch),
        });
        Ok(())
    }

    fn get(&self, batch: &Queued, wanted: &dyn Fn(&str) -> bool) -> Result<RecordBatch, EngineError> {
        match (batch, &self.spill) {
            (Queued::Spilled(spilled), Some(spill)) => spill.get(spilled, wanted),
            (Queued::Held(batch), _) => {
                let fields = batch.schema();
                let places = fields.fields().iter().enumerate().filter(|(_, field)| wanted(field.name()));
                Ok(batch.project(&places.map(|(place, _)| place).collect::<Vec<_>>())?)
            }
            (Queued::Spilled(_), None) => unreachable!("what is on the disk was put there"),
        }
    }

    /// Each batch whole, in order.
    pub fn each(&self) -> impl Iterator<Item = Result<RecordBatch, EngineError>> {
        self.batches.iter().map(|batch| self.get(batch, &|_| true))
    }

    /// All rows, some columns at a time if they are on the disk.
    pub fn by_columns(&self, schema: &SchemaRef) -> impl Iterator<Item = Result<RecordBatch, EngineError>> {
        let at_once = if self.spill.is_some() { COLUMNS } else { schema.fields().len().max(1) };
        schema.fields().chunks(at_once).map(move |fields| {
            let wanted = |name: &str| fields.iter().any(|field| field.name() == name);
            let batches = self.batches.iter().map(|batch| self.get(batch, &wanted));
            let schema = Arc::new(Schema::new(fields.to_vec()));
            Ok(concat_batches(&schema, &batches.collect::<Result<Vec<_>, _>>()?)?)
        })
    }

    pub fn clear(&mut self) -> Result<(), EngineError> {
        self.batches.clear();
        self.rows = 0;
        self.spill.as_mut().map_or(Ok(()), Spill::clear)
    }
}
