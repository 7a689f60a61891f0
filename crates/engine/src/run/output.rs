//! Writing results: Parquet files whose bytes depend on the rows and their groups alone, and a folder that
//! appears at once.
//!
//! A group of parts is encoded where it is computed, as a Parquet file of its own; the file of an entity takes the
//! encoded columns over as they are. So encoding runs on all threads, or on other machines.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, RecordBatch, make_array};
use arrow::compute::concat;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use bytes::Bytes;
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::ChunkReader;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, ColumnPath};
use sha2::{Digest, Sha256};

use super::pages::{PageCompressor, PagedWriter, are_paged};
use super::parts::SMALL_ROWS;
use super::spill::Queue;
use crate::EngineError;

/// The most rows of a row group.
const GROUP_ROWS: usize = 1 << 20;

/// The encoder is handed so many rows at a time: what it sees of a column at once decides where it ends pages, so
/// that they end where they do however the rows arrived.
const CHUNK_ROWS: usize = 1 << 14;

/// Row numbers rise: their differences are stored. Other numbers and truth values are written by [`PagedWriter`].
fn properties(schema: &Schema) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_created_by("xiaokang".to_owned())
        .set_statistics_enabled(EnabledStatistics::Chunk);
    if schema.column_with_name(ROW).is_some() {
        let path = ColumnPath::new(vec![ROW.to_owned()]);
        properties = properties
            .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_dictionary_enabled(path.clone(), false)
            // Rows are looked for page by page.
            .set_column_statistics_enabled(path, EnabledStatistics::Page);
    }
    properties.build()
}

/// The column of row numbers.
const ROW: &str = "_row";

fn encoding(error: ParquetError) -> EngineError {
    EngineError::parquet("results", error)
}

/// Encodes the rows of one entity in a group.
pub(crate) struct GroupWriter {
    schema: SchemaRef,
    /// Of the columns that are not paged here, if there are any.
    others: Option<ArrowWriter<Vec<u8>>>,
    other_columns: Vec<usize>,
    paged: Vec<Paged>,
    compressor: PageCompressor,
    rows: usize,
    waiting: VecDeque<RecordBatch>,
    waiting_rows: usize,
}

/// A column of truth values or numbers: its place in the schema, what is being written, and the row groups that are
/// full.
struct Paged {
    place: usize,
    column: ColumnDescPtr,
    open: PagedWriter,
    full: Vec<(Bytes, ColumnCloseResult)>,
}

impl GroupWriter {
    pub fn new(schema: SchemaRef) -> Result<Self, EngineError> {
        let is_paged = |place: &usize| {
            let field = schema.field(*place);
            field.name() != ROW && are_paged(field.data_type())
        };
        let (paged, other_columns): (Vec<usize>, Vec<usize>) = (0..schema.fields().len()).partition(is_paged);
        let others = if other_columns.is_empty() {
            None
        } else {
            let schema = Arc::new(schema.project(&other_columns)?);
            let properties = properties(&schema);
            Some(ArrowWriter::try_new(vec![], schema, Some(properties)).map_err(encoding)?)
        };
        let described = ArrowSchemaConverter::new().convert(&schema).map_err(encoding)?;
        let paged = paged.into_iter().map(|place| {
            let column = described.column(place);
            Paged { place, open: PagedWriter::new(Arc::clone(&column)), column, full: vec![] }
        });
        let paged = paged.collect();
        let compressor = PageCompressor::new().map_err(encoding)?;
        Ok(Self {
            schema,
            others,
            other_columns,
            paged,
            compressor,
            rows: 0,
            waiting: VecDeque::new(),
            waiting_rows: 0,
        })
    }

    pub fn write(&mut self, batch: RecordBatch) -> Result<(), EngineError> {
        self.waiting_rows += batch.num_rows();
        self.waiting.push_back(batch);
        self.write_waiting(false)
    }

    /// Encodes what is there in whole chunks, or to the last row.
    fn write_waiting(&mut self, all: bool) -> Result<(), EngineError> {
        while self.waiting_rows >= CHUNK_ROWS || (all && self.waiting_rows > 0) {
            let chunk = self.next_chunk();
            self.write_chunk(&chunk)?;
        }
        Ok(())
    }

    /// The next rows that wait, in pieces of batches.
    fn next_chunk(&mut self) -> Vec<RecordBatch> {
        let mut missing = CHUNK_ROWS.min(self.waiting_rows);
        self.waiting_rows -= missing;
        let mut pieces = vec![];
        while missing > 0 {
            let Some(batch) = self.waiting.pop_front() else { break };
            let rows = batch.num_rows();
            if rows > missing {
                self.waiting.push_front(batch.slice(missing, rows - missing));
            }
            pieces.push(batch.slice(0, rows.min(missing)));
            missing -= rows.min(missing);
        }
        pieces
    }

    /// Chunks fill row groups exactly.
    fn write_chunk(&mut self, pieces: &[RecordBatch]) -> Result<(), EngineError> {
        let column = |place: usize| -> Result<ArrayRef, ArrowError> {
            match pieces {
                [piece] => Ok(Arc::clone(piece.column(place))),
                pieces => {
                    concat(&pieces.iter().map(|piece| piece.column(place).as_ref()).collect::<Vec<_>>())
                }
            }
        };
        if let Some(others) = &mut self.others {
            let columns = self.other_columns.iter().map(|place| without_empty_nulls(&column(*place)?));
            let schema = Arc::new(self.schema.project(&self.other_columns)?);
            let chunk = RecordBatch::try_new(schema, columns.collect::<Result<_, _>>()?)?;
            others.write(&chunk).map_err(encoding)?;
        }
        let ended = self.rows > 0 && self.rows.is_multiple_of(GROUP_ROWS);
        for paged in &mut self.paged {
            if ended {
                paged.end_row_group().map_err(encoding)?;
            }
            paged.open.write(&column(paged.place)?, &mut self.compressor).map_err(encoding)?;
        }
        self.rows += pieces.iter().map(RecordBatch::num_rows).sum::<usize>();
        Ok(())
    }

    /// A Parquet file.
    pub fn finish(mut self) -> Result<Vec<u8>, EngineError> {
        self.write_waiting(true)?;
        let others = match self.others {
            Some(others) => Some(Encoded::open(Bytes::from(others.into_inner().map_err(encoding)?))?),
            None => None,
        };
        let mut writer = ArrowWriter::try_new(vec![], self.schema.clone(), Some(properties(&self.schema)))
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(encoding)?
            .0;
        let groups = self.rows.div_ceil(GROUP_ROWS);
        if self.rows > 0 {
            for paged in &mut self.paged {
                paged.end_row_group().map_err(encoding)?;
            }
        }
        let mut paged: Vec<_> =
            self.paged.into_iter().map(|paged| (paged.place, paged.full.into_iter())).collect();
        for group in 0..groups {
            let mut rows = writer.next_row_group().map_err(encoding)?;
            let mut paged = paged.iter_mut().peekable();
            let mut other = 0;
            for place in 0..self.schema.fields().len() {
                let appended = match (paged.next_if(|paged| paged.0 == place), &others) {
                    (Some((_, full)), _) => {
                        let (bytes, result) = full.next().expect("a chunk for each row group");
                        rows.append_column(&bytes, result)
                    }
                    (None, Some(others)) => {
                        other += 1;
                        rows.append_column(&others.reader, others.close_result(group, other - 1))
                    }
                    (None, None) => unreachable!("a column is paged here or another"),
                };
                appended.map_err(encoding)?;
            }
            rows.close().map_err(encoding)?;
        }
        writer.into_inner().map_err(encoding)
    }
}

impl Paged {
    fn end_row_group(&mut self) -> Result<(), ParquetError> {
        let full = std::mem::replace(&mut self.open, PagedWriter::new(Arc::clone(&self.column)));
        self.full.push(full.close()?);
        Ok(())
    }
}

/// The encoder writes the levels of an array that could have NULLs otherwise than of one that could not; whether it
/// could may depend on what else was in its batch.
fn without_empty_nulls(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if array.null_count() > 0 || array.nulls().is_none() {
        return Ok(Arc::clone(array));
    }
    Ok(make_array(array.to_data().into_builder().nulls(None).build()?))
}

/// One batch as a Parquet file.
pub(crate) fn encode(batch: RecordBatch) -> Result<Vec<u8>, EngineError> {
    let mut writer = GroupWriter::new(batch.schema())?;
    writer.write(batch)?;
    writer.finish()
}

/// An encoded group: a file in memory or on a disk.
pub(crate) struct Encoded<R> {
    reader: R,
    metadata: ParquetMetaData,
}

impl<R: ChunkReader> Encoded<R> {
    pub fn open(reader: R) -> Result<Self, EngineError> {
        let metadata = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(&reader)
            .map_err(encoding)?;
        Ok(Self { reader, metadata })
    }

    fn column(&self, name: &str) -> Option<usize> {
        let schema = self.metadata.file_metadata().schema_descr();
        (0..schema.num_columns()).find(|index| schema.column(*index).name() == name)
    }

    fn close_result(&self, group: usize, column: usize) -> ColumnCloseResult {
        let rows = self.metadata.row_group(group);
        let chunk = rows.column(column).clone();
        let index = self.metadata.column_index().and_then(|index| index.get(group)?.get(column).cloned());
        let offsets = self.metadata.offset_index().and_then(|index| index.get(group)?.get(column).cloned());
        ColumnCloseResult {
            bytes_written: u64::try_from(chunk.compressed_size()).unwrap_or(0),
            rows_written: u64::try_from(rows.num_rows()).unwrap_or(0),
            metadata: chunk,
            bloom_filter: None,
            column_index: index,
            offset_index: offsets,
        }
    }
}

/// Writes one table from encoded groups.
pub(crate) struct TableWriter {
    path: PathBuf,
    writer: SerializedFileWriter<HashingFile>,
    schema: SchemaRef,
    rows: u64,
    /// Groups too small to be row groups by themselves.
    waiting: Queue,
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
    /// With `spill`, what waits does so in that folder.
    pub fn create(path: PathBuf, schema: SchemaRef, spill: Option<&Path>) -> Result<Self, EngineError> {
        let file = HashingFile::create(&path).map_err(|error| EngineError::file(&path, error))?;
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties(&schema)))
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(|error| EngineError::parquet(&path, error))?;
        Ok(Self { path, writer: writer.0, schema, rows: 0, waiting: Queue::new(spill)? })
    }

    /// Adds a group whose columns are spread over files of the same rows.
    ///
    /// # Errors
    /// A column that is in none of them, and failures of the disk.
    pub fn append<R: ChunkReader>(&mut self, files: &[Encoded<R>]) -> Result<(), EngineError> {
        let failed = |error| EngineError::parquet(&self.path, error);
        let places = self.schema.fields().iter().map(|field| {
            let found = files.iter().find_map(|file| Some((file, file.column(field.name())?)));
            found.ok_or_else(|| ParquetError::General(format!("no column `{}` is encoded", field.name())))
        });
        let places = places.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let groups = files.first().map_or(0, |file| file.metadata.num_row_groups());
        for group in 0..groups {
            let mut rows = self.writer.next_row_group().map_err(failed)?;
            for (file, column) in &places {
                rows.append_column(&file.reader, file.close_result(group, *column)).map_err(failed)?;
            }
            self.rows += u64::try_from(rows.close().map_err(failed)?.num_rows()).unwrap_or(0);
        }
        Ok(())
    }

    /// Adds the rows of a group that is encoded together with the next ones, until there are enough.
    pub fn append_small(&mut self, batch: RecordBatch) -> Result<(), EngineError> {
        self.waiting.push(batch)?;
        if self.waiting.rows < SMALL_ROWS { Ok(()) } else { self.write_waiting() }
    }

    fn write_waiting(&mut self) -> Result<(), EngineError> {
        let files = self.waiting.by_columns(&self.schema);
        let files = files.map(|batch| Encoded::open(Bytes::from(encode(batch?)?)));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        self.waiting.clear()?;
        self.append(&files)
    }

    pub fn finish(mut self) -> Result<Written, EngineError> {
        if !self.waiting.is_empty() {
            self.write_waiting()?;
        }
        self.writer.finish().map_err(|error| EngineError::parquet(&self.path, error))?;
        let sha256 =
            self.writer.inner_mut().finish().map_err(|error| EngineError::file(&self.path, error))?;
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Written { name, rows: self.rows, sha256 })
    }
}

/// A file that is hashed while it is written.
struct HashingFile {
    file: BufWriter<File>,
    hash: Sha256,
}

impl HashingFile {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::with_capacity(1 << 18, File::create(path)?), hash: Sha256::new() })
    }

    /// Makes the file durable and gives its SHA-256 in lower-case hexadecimal.
    fn finish(&mut self) -> io::Result<String> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        let mut text = String::with_capacity(64);
        for byte in self.hash.finalize_reset() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(text)
    }
}

impl Write for HashingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
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

    /// Where it is until it is in its place.
    pub fn path(&self) -> &Path {
        &self.partial
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

/// What the encoder is given must not change what it writes.
#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Date32Array, Int32Array, Int64Array, StringArray};
    use arrow::compute::concat_batches;
    use parquet::file::metadata::RowGroupMetaData;
    use parquet::file::statistics::Statistics;

    use super::*;

    fn rows(range: std::ops::Range<i64>) -> RecordBatch {
        let numbers: Int64Array =
            range.clone().map(|row| (row % 7 != 0).then_some(row * row % 1009)).collect();
        let texts: StringArray = range.clone().map(|row| Some(format!("{}", row % 40_000))).collect();
        let truth =
            |value: &dyn Fn(i64) -> Option<bool>| -> BooleanArray { range.clone().map(value).collect() };
        let seldom: Int64Array =
            range.clone().map(|row| (row % 50_000 != 1).then_some(i64::from(row % 9_000 == 8))).collect();
        let far: Int64Array = range
            .clone()
            .map(|row| match row % 11 {
                0 => Some(i64::MAX),
                1 => Some(i64::MIN),
                2 => None,
                _ => Some(row.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64) >> (row % 64)),
            })
            .collect();
        let short: Int32Array = range
            .clone()
            .map(|row| if row % 3 == 0 { i32::MAX - row as i32 } else { i32::MIN + row as i32 })
            .collect();
        let days: Date32Array =
            range.clone().map(|row| (row % 2 == 0).then_some(16_800 - row as i32)).collect();
        let nothing: Int64Array = range.clone().map(|_| None).collect();
        let columns: [(&str, ArrayRef, bool); 11] = [
            ("known", Arc::new(truth(&|row| Some(row % 3 == 0))), true),
            ("n", Arc::new(numbers), true),
            ("seldom", Arc::new(seldom), true),
            ("some", Arc::new(truth(&|row| (row % 5 != 0).then_some(row % 2 == 0))), true),
            ("t", Arc::new(texts), true),
            ("unknown", Arc::new(truth(&|_| None)), true),
            ("true", Arc::new(truth(&|row| (row != 70_000).then_some(true))), true),
            ("far", Arc::new(far), true),
            ("short", Arc::new(short), true),
            ("days", Arc::new(days), true),
            ("nothing", Arc::new(nothing), true),
        ];
        RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
    }

    fn encoded(batches: impl IntoIterator<Item = RecordBatch>) -> Vec<u8> {
        let mut writer = GroupWriter::new(rows(0..0).schema()).expect("a writer");
        for batch in batches {
            writer.write(batch).expect("it is encoded");
        }
        writer.finish().expect("a file")
    }

    #[test]
    fn batches_do_not_change_a_byte() {
        let whole = encoded([rows(0..100_003)]);
        for size in [1_000, 5_000, 33_333, 60_000] {
            let starts = (0..100_003).step_by(size);
            let parts = starts.map(|start| rows(start..(start + size as i64).min(100_003)));
            assert!(encoded(parts) == whole, "in batches of {size}");
        }
    }

    #[test]
    fn groups_are_taken_over_from_files_of_some_columns_each() {
        let folder = tempfile::tempdir().expect("a folder");
        let batch = rows(0..50_000);
        let one = |name: &str| {
            let column = Arc::clone(batch.column_by_name(name).expect("a column"));
            let batch = RecordBatch::try_from_iter_with_nullable([(name, column, true)]).expect("one column");
            Encoded::open(Bytes::from(encode(batch).expect("it is encoded"))).expect("a file")
        };
        let path = folder.path().join("x.parquet");
        let mut writer = TableWriter::create(path.clone(), batch.schema(), None).expect("a file");
        let files =
            ["true", "t", "n", "known", "far", "seldom", "nothing", "unknown", "some", "days", "short"]
                .map(one);
        writer.append(&files).expect("a group");
        writer.append_small(rows(50_000..50_004)).expect("a group");
        writer.append_small(rows(50_004..50_010)).expect("a group");
        let written = writer.finish().expect("it is finished");
        assert_eq!(written.rows, 50_010);
        let file = File::open(&path).expect("it is there");
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(|builder| builder.with_batch_size(1 << 20).build())
            .expect("it is read");
        let read: Vec<_> = reader.collect::<Result<_, _>>().expect("it is read");
        let read = concat_batches(&batch.schema(), &read).expect("batches");
        assert_eq!(read, rows(0..50_010));
    }

    #[test]
    fn more_rows_than_a_row_group_has() {
        let count = (GROUP_ROWS + 5) as i64;
        let file = Bytes::from(encoded([rows(0..count)]));
        let builder =
            parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).expect("it is read");
        let groups: Vec<_> = builder.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
        assert_eq!(groups, [GROUP_ROWS as i64, 5]);
        let statistics: Vec<_> = builder.metadata().row_group(0).columns()[3..4]
            .iter()
            .filter_map(|column| column.statistics()?.null_count_opt())
            .collect();
        assert_eq!(statistics, [(GROUP_ROWS as u64).div_ceil(5)]);
        let bounds = |column: usize| builder.metadata().row_group(0).column(column).statistics().cloned();
        assert!(matches!(
            bounds(7),
            Some(Statistics::Int64(bounds))
                if bounds.min_opt() == Some(&i64::MIN) && bounds.max_opt() == Some(&i64::MAX)
        ));
        assert!(matches!(bounds(9), Some(Statistics::Int32(bounds)) if bounds.max_opt() == Some(&16_800)));
        assert!(matches!(bounds(10), Some(Statistics::Int64(bounds)) if bounds.min_opt().is_none()));
        let read: Vec<_> = builder
            .with_batch_size(1 << 21)
            .build()
            .and_then(|reader| Ok(reader.collect::<Result<Vec<_>, _>>()?))
            .expect("it is read");
        let whole = rows(0..count);
        assert_eq!(concat_batches(&whole.schema(), &read).expect("batches"), whole);
    }
}
