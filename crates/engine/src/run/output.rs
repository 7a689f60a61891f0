//! Writing results: Parquet files whose bytes depend on the rows alone, and a folder that appears at once.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use sha2::{Digest, Sha256};

use crate::EngineError;

/// Rows of a row group, and of each batch handed to the writer: a page ends where it does for the same
/// reasons, however the rows arrived.
const GROUP_ROWS: usize = 1 << 17;

/// Writes one table from batches of any size.
pub(crate) struct TableWriter {
    path: PathBuf,
    writer: ArrowWriter<File>,
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    rows: u64,
}

/// A file that is complete.
pub(crate) struct Written {
    /// Its name in the folder.
    pub name: String,
    pub rows: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

impl TableWriter {
    pub fn create(path: PathBuf, schema: SchemaRef) -> Result<Self, EngineError> {
        let file = File::create(&path).map_err(|error| EngineError::file(&path, error))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_created_by("xiaokang".to_owned())
            .build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))
            .map_err(|error| EngineError::parquet(&path, error))?;
        Ok(Self { path, writer, schema, waiting: vec![], waiting_rows: 0, rows: 0 })
    }

    pub fn write(&mut self, batch: RecordBatch) -> Result<(), EngineError> {
        self.waiting_rows += batch.num_rows();
        self.rows += batch.num_rows() as u64;
        self.waiting.push(batch);
        while self.waiting_rows >= GROUP_ROWS {
            self.write_group(GROUP_ROWS)?;
        }
        Ok(())
    }

    fn write_group(&mut self, rows: usize) -> Result<(), EngineError> {
        let all = concat_batches(&self.schema, &self.waiting)?;
        let group = all.slice(0, rows);
        let rest = all.slice(rows, all.num_rows() - rows);
        self.waiting_rows = rest.num_rows();
        self.waiting = if rest.num_rows() == 0 { vec![] } else { vec![rest] };
        self.writer.write(&group).map_err(|error| EngineError::parquet(&self.path, error))
    }

    pub fn finish(mut self) -> Result<Written, EngineError> {
        if self.waiting_rows > 0 {
            self.write_group(self.waiting_rows)?;
        }
        let file = self.writer.into_inner().map_err(|error| EngineError::parquet(&self.path, error))?;
        file.sync_all().map_err(|error| EngineError::file(&self.path, error))?;
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Written { name, rows: self.rows, sha256: file_sha256(&self.path)? })
    }
}

fn file_sha256(path: &Path) -> Result<String, EngineError> {
    let mut file = File::open(path).map_err(|error| EngineError::file(path, error))?;
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut hash).map_err(|error| EngineError::file(path, error))?;
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// A folder that is filled beside its place and moved there in one step, or removed.
pub(crate) struct Folder {
    partial: PathBuf,
    place: PathBuf,
    published: bool,
}

impl Folder {
    /// # Errors
    /// [`EngineError::OutputExists`] if something is in its place.
    pub fn create(place: &Path) -> Result<Self, EngineError> {
        if place.exists() {
            return Err(EngineError::OutputExists { path: place.to_owned() });
        }
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = place.with_file_name(name);
        if partial.exists() {
            std::fs::remove_dir_all(&partial).map_err(|error| EngineError::file(&partial, error))?;
        }
        std::fs::create_dir_all(&partial).map_err(|error| EngineError::file(&partial, error))?;
        Ok(Self { partial, place: place.to_owned(), published: false })
    }

    /// Where a file is written.
    pub fn file(&self, name: &str) -> PathBuf {
        self.partial.join(name)
    }

    /// Moves the folder to its place.
    pub fn publish(mut self) -> Result<(), EngineError> {
        std::fs::rename(&self.partial, &self.place).map_err(|error| EngineError::file(&self.place, error))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.published {
            // What is left behind is removed by the next run, if not now.
            let _ = std::fs::remove_dir_all(&self.partial);
        }
    }
}
