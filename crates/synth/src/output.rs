//! Where batches go: a snapshot, or sheets as an office would hand them in.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use pack::program::{EntityId, Program};
use rust_xlsxwriter::Workbook;
use serde_json::Value as Json;
use store::{EncodedRows, SnapshotEncoder, SnapshotWriter};

use crate::error::{Result, SynthError};
use crate::sheet::{Cell, Sheet};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What a run reads.
    Snapshot,
    /// A text file for each entity that an import recognises.
    Csv,
    /// A workbook for each of them.
    Xlsx,
}

/// Turns batches into what is written. Shared by threads.
pub enum Encoder {
    Snapshot(Arc<SnapshotEncoder>),
    Csv(Arc<[Option<Sheet>]>),
    Xlsx,
}

pub enum Encoded {
    Rows(EncodedRows),
    Lines(usize, Vec<u8>),
    Batch(usize, RecordBatch),
}

/// Writes what was encoded, in order.
pub enum Writer {
    Snapshot(Box<SnapshotWriter>),
    Csv { files: BTreeMap<usize, (PathBuf, BufWriter<File>)>, sheets: Arc<[Option<Sheet>]> },
    Xlsx { folder: PathBuf, books: BTreeMap<usize, (Workbook, u32)>, sheets: Arc<[Option<Sheet>]> },
}

/// Rows of a sheet, the header included. Source: ECMA-376, as spreadsheets implement it.
const SHEET_ROWS: u32 = 1_048_576;

impl Encoder {
    pub fn encode(&self, entity: usize, batch: RecordBatch) -> Result<Option<Encoded>> {
        match self {
            Self::Snapshot(encoder) => {
                Ok(Some(Encoded::Rows(encoder.encode(EntityId(entity as u32), &batch)?)))
            }
            Self::Csv(sheets) => {
                Ok(sheets[entity].as_ref().map(|sheet| Encoded::Lines(entity, sheet.lines(&batch))))
            }
            Self::Xlsx => Ok(Some(Encoded::Batch(entity, batch))),
        }
    }
}

impl Writer {
    /// Prepares the output; a folder of sheets must not be there yet.
    pub fn create(program: &Program, format: Format, out: &Path) -> Result<Self> {
        if format == Format::Snapshot {
            return Ok(Self::Snapshot(Box::new(SnapshotWriter::create(program, out)?)));
        }
        if out.exists() {
            return Err(SynthError::OutExists { path: out.display().to_string() });
        }
        fs::create_dir_all(out).map_err(|error| failed(out, &error))?;
        let sheets: Arc<[Option<Sheet>]> =
            (0..program.entities.len()).map(|entity| Sheet::of(program, entity)).collect();
        if format == Format::Xlsx {
            return Ok(Self::Xlsx { folder: out.to_owned(), books: BTreeMap::new(), sheets });
        }
        let mut files = BTreeMap::new();
        for (entity, sheet) in
            sheets.iter().enumerate().filter_map(|(entity, sheet)| Some((entity, sheet.as_ref()?)))
        {
            let path = out.join(format!("{}.csv", sheet.name));
            let file = File::create(&path).map_err(|error| failed(&path, &error))?;
            let mut file = BufWriter::with_capacity(1 << 20, file);
            file.write_all(&sheet.header()).map_err(|error| failed(&path, &error))?;
            files.insert(entity, (path, file));
        }
        Ok(Self::Csv { files, sheets })
    }

    pub fn encoder(&self) -> Encoder {
        match self {
            Self::Snapshot(writer) => Encoder::Snapshot(writer.encoder()),
            Self::Csv { sheets, .. } => Encoder::Csv(Arc::clone(sheets)),
            Self::Xlsx { .. } => Encoder::Xlsx,
        }
    }

    pub fn write(&mut self, encoded: Encoded) -> Result<()> {
        match (self, encoded) {
            (Self::Snapshot(writer), Encoded::Rows(rows)) => writer.append(rows)?,
            (Self::Csv { files, .. }, Encoded::Lines(entity, lines)) => {
                if let Some((path, file)) = files.get_mut(&entity) {
                    file.write_all(&lines).map_err(|error| failed(path, &error))?;
                }
            }
            (Self::Xlsx { books, sheets, folder }, Encoded::Batch(entity, batch)) => {
                if let Some(sheet) = &sheets[entity] {
                    let (book, next) = books.entry(entity).or_insert_with(|| (Workbook::new(), 0));
                    fill(book, next, sheet, &batch).map_err(|error| match error {
                        Fault::Full => {
                            SynthError::SheetFull { entity: sheet.entity.clone(), max: SHEET_ROWS - 1 }
                        }
                        Fault::Book(error) => failed(folder, &error),
                    })?;
                }
            }
            _ => unreachable!("the encoder is that of the writer"),
        }
        Ok(())
    }

    /// Puts everything in place; returns the digest of a snapshot and the bytes of all files.
    pub fn finish(self, origin: Json, out: &Path) -> Result<(Option<String>, u64)> {
        let digest = match self {
            Self::Snapshot(writer) => Some(writer.finish(origin)?.digest),
            Self::Csv { files, .. } => {
                for (path, mut file) in files.into_values() {
                    file.flush().map_err(|error| failed(&path, &error))?;
                }
                None
            }
            Self::Xlsx { folder, books, sheets } => {
                for (entity, (mut book, _)) in books {
                    if let Some(sheet) = &sheets[entity] {
                        let path = folder.join(format!("{}.xlsx", sheet.name));
                        book.save(&path).map_err(|error| failed(&path, &error))?;
                    }
                }
                None
            }
        };
        let files = fs::read_dir(out).map_err(|error| failed(out, &error))?;
        let bytes = files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len()).sum();
        Ok((digest, bytes))
    }
}

enum Fault {
    Full,
    Book(rust_xlsxwriter::XlsxError),
}

impl From<rust_xlsxwriter::XlsxError> for Fault {
    fn from(error: rust_xlsxwriter::XlsxError) -> Self {
        Self::Book(error)
    }
}

fn fill(
    book: &mut Workbook,
    next: &mut u32,
    sheet: &Sheet,
    batch: &RecordBatch,
) -> std::result::Result<(), Fault> {
    if *next == 0 {
        let page = book.add_worksheet();
        for (column, title) in (0..).zip(sheet.titles()) {
            page.write_string(0, column, title)?;
        }
        *next = 1;
    }
    if u64::from(*next) + batch.num_rows() as u64 > u64::from(SHEET_ROWS) {
        return Err(Fault::Full);
    }
    let page = book.worksheet_from_index(0)?;
    for row in 0..batch.num_rows() {
        for column in 0..sheet.columns() {
            match sheet.cell(batch, row, column) {
                Cell::Empty => {}
                Cell::Text(text) => {
                    page.write_string(*next, column as u16, text)?;
                }
                Cell::Number(text) => {
                    // The nearest float reads back as what was written.
                    page.write_number(*next, column as u16, text.parse::<f64>().unwrap_or_default())?;
                }
            }
        }
        *next += 1;
    }
    Ok(())
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> SynthError {
    SynthError::Write { path: path.display().to_string(), detail: error.to_string() }
}
