//! Single rows of snapshots and runs: found by key or parent, read without the rest of the file.

use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchReader as _};
use arrow::compute::concat_batches;
use arrow::datatypes::Int32Type;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::file::statistics::Statistics;
use thiserror::Error;

/// A table of a snapshot or run could not be read.
#[derive(Debug, Error)]
pub enum TableError {
    #[error("`{file}` cannot be read: {why}")]
    Unreadable { file: String, why: String },
}

/// One Parquet table, its footer read once.
pub struct StoredTable {
    file: File,
    name: String,
    metadata: ArrowReaderMetadata,
}

impl StoredTable {
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let name = path.display().to_string();
        let fault = |why: String| TableError::Unreadable { file: name.clone(), why };
        let file = File::open(path).map_err(|error| fault(error.to_string()))?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(|error| fault(error.to_string()))?;
        Ok(Self { file, name, metadata })
    }

    pub fn rows(&self) -> usize {
        usize::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    fn fault(&self, why: impl std::fmt::Display) -> TableError {
        TableError::Unreadable { file: self.name.clone(), why: why.to_string() }
    }

    fn builder(&self) -> Result<ParquetRecordBatchReaderBuilder<File>, TableError> {
        let file = self.file.try_clone().map_err(|error| self.fault(error))?;
        Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone()))
    }

    fn position(&self, column: &str) -> Result<usize, TableError> {
        self.metadata
            .schema()
            .index_of(column)
            .map_err(|_| self.fault(format!("it has no column `{column}`")))
    }

    /// The rows with these numbers (rising), with all columns.
    pub fn read(&self, rows: &[u32]) -> Result<RecordBatch, TableError> {
        let ranges = rows.iter().map(|row| *row as usize..*row as usize + 1);
        let selection = RowSelection::from_consecutive_ranges(ranges, self.rows());
        let reader = self
            .builder()?
            .with_row_selection(selection)
            .with_batch_size(rows.len().clamp(1, 8192))
            .build()
            .map_err(|error| self.fault(error))?;
        let batches: Vec<RecordBatch> =
            reader.collect::<Result<_, _>>().map_err(|error| self.fault(error))?;
        concat_batches(self.metadata.schema(), &batches).map_err(|error| self.fault(error))
    }

    /// The whole table.
    pub fn read_all(&self) -> Result<RecordBatch, TableError> {
        let reader = self.builder()?.with_batch_size(65_536).build().map_err(|error| self.fault(error))?;
        let batches: Vec<RecordBatch> =
            reader.collect::<Result<_, _>>().map_err(|error| self.fault(error))?;
        concat_batches(self.metadata.schema(), &batches).map_err(|error| self.fault(error))
    }

    /// Number of rows in which a column is known; `None` if it is not there.
    pub fn known(&self, column: &str) -> Result<Option<u64>, TableError> {
        let Ok(position) = self.metadata.schema().index_of(column) else { return Ok(None) };
        let mut known = 0;
        for (group, meta) in self.metadata.metadata().row_groups().iter().enumerate() {
            let nulls = meta.column(position).statistics().and_then(Statistics::null_count_opt);
            known += match nulls {
                Some(nulls) => meta.num_rows() as u64 - nulls,
                None => {
                    let batches = self.column(group, position)?;
                    batches.iter().map(|batch| (batch.num_rows() - batch.column(0).null_count()) as u64).sum()
                }
            };
        }
        Ok(Some(known))
    }

    /// Some columns of the whole table; `None` if one of them is not there.
    pub fn columns(&self, names: &[&str]) -> Result<Option<RecordBatch>, TableError> {
        let schema = self.metadata.schema();
        let positions: Option<Vec<usize>> = names.iter().map(|name| schema.index_of(name).ok()).collect();
        let Some(positions) = positions else { return Ok(None) };
        let builder = self.builder()?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), positions);
        let reader = builder
            .with_projection(mask)
            .with_batch_size(65_536)
            .build()
            .map_err(|error| self.fault(error))?;
        let schema = reader.schema();
        let batches: Vec<RecordBatch> =
            reader.collect::<Result<_, _>>().map_err(|error| self.fault(error))?;
        concat_batches(&schema, &batches).map(Some).map_err(|error| self.fault(error))
    }

    /// The number of the first row whose text column holds `text`.
    pub fn find(&self, column: &str, text: &str) -> Result<Option<u32>, TableError> {
        let position = self.position(column)?;
        let mut start = 0u32;
        for group in 0..self.metadata.metadata().num_row_groups() {
            let meta = self.metadata.metadata().row_group(group);
            let skip = match meta.column(position).statistics() {
                Some(Statistics::ByteArray(range)) => {
                    let below = range.min_opt().is_some_and(|min| text.as_bytes() < min.data());
                    let above = range.max_is_exact()
                        && range.max_opt().is_some_and(|max| text.as_bytes() > max.data());
                    below || above
                }
                _ => false,
            };
            if !skip {
                let mut offset = start;
                for batch in self.column(group, position)? {
                    let array = batch.column(0);
                    let found = array.as_string_opt::<i32>().and_then(|keys| {
                        (0..keys.len()).find(|row| keys.is_valid(*row) && keys.value(*row) == text)
                    });
                    if let Some(row) = found {
                        return Ok(Some(offset + row as u32));
                    }
                    offset += batch.num_rows() as u32;
                }
            }
            start += meta.num_rows() as u32;
        }
        Ok(None)
    }

    /// Numbers of the rows whose reference column holds `parent`.
    pub fn children(&self, column: &str, parent: u32) -> Result<Vec<u32>, TableError> {
        let position = self.position(column)?;
        let wanted = i32::try_from(parent).unwrap_or(i32::MAX);
        let mut rows = Vec::new();
        let mut start = 0u32;
        for group in 0..self.metadata.metadata().num_row_groups() {
            let meta = self.metadata.metadata().row_group(group);
            let inside = match meta.column(position).statistics() {
                Some(Statistics::Int32(range)) => {
                    range.min_opt().is_none_or(|min| *min <= wanted)
                        && range.max_opt().is_none_or(|max| *max >= wanted)
                }
                _ => true,
            };
            if inside {
                let mut offset = start;
                for batch in self.column(group, position)? {
                    let parents = batch.column(0).as_primitive::<Int32Type>();
                    let found = (0..parents.len())
                        .filter(|row| parents.is_valid(*row) && parents.value(*row) == wanted)
                        .map(|row| offset + row as u32);
                    rows.extend(found);
                    offset += batch.num_rows() as u32;
                }
            }
            start += meta.num_rows() as u32;
        }
        Ok(rows)
    }

    fn column(&self, group: usize, position: usize) -> Result<Vec<RecordBatch>, TableError> {
        let builder = self.builder()?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), [position]);
        let reader = builder
            .with_projection(mask)
            .with_row_groups(vec![group])
            .build()
            .map_err(|error| self.fault(error))?;
        reader.collect::<Result<_, _>>().map_err(|error| self.fault(error))
    }
}
