//! Single rows of snapshots and runs: found by key or parent, read without the rest of the file.
//!
//! What is read is decided page by page: by the least and greatest value of a page where a file says them (keys and
//! references), by row number otherwise.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchReader as _};
use arrow::compute::{concat, concat_batches};
use arrow::datatypes::{Date32Type, Int32Type, Schema};
use model::{AsProblem as _, Date};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;
use thiserror::Error;

/// A table of a snapshot or run could not be read.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum TableError {
    Unreadable { file: String, why: String },
}

/// Rows of a piece of a column that is read for a single cell and kept for its neighbours.
const PIECE_ROWS: usize = 4_096;
/// Pieces of a table that are kept: some 60 megabytes of numbers.
const PIECES_MAX: usize = 2_048;

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 65_536;

/// One Parquet table, its footer read once.
pub struct StoredTable {
    file: File,
    name: String,
    metadata: ArrowReaderMetadata,
    /// Positions of the columns by name.
    positions: HashMap<String, usize>,
    /// Number of the first row of each row group, and of all rows.
    starts: Vec<usize>,
    /// Row groups with the index of their pages, as far as they have been asked for.
    groups: Mutex<HashMap<usize, ArrowReaderMetadata>>,
    /// Pieces of columns that have been read for single cells, by position and number of the piece.
    pieces: Mutex<HashMap<(usize, usize), ArrayRef>>,
    /// Held while the file is read: all its handles have one position.
    reading: Mutex<()>,
}

impl StoredTable {
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let name = path.display().to_string();
        let fault = |why: String| TableError::Unreadable { file: name.clone(), why };
        let file = File::open(path).map_err(|error| fault(error.to_string()))?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(|error| fault(error.to_string()))?;
        let mut starts = vec![0];
        for group in metadata.metadata().row_groups() {
            starts.push(starts[starts.len() - 1] + usize::try_from(group.num_rows()).unwrap_or(0));
        }
        let fields = metadata.schema().fields().iter().enumerate();
        let positions = fields.map(|(position, field)| (field.name().clone(), position)).collect();
        Ok(Self {
            file,
            name,
            metadata,
            positions,
            starts,
            groups: Mutex::default(),
            pieces: Mutex::default(),
            reading: Mutex::default(),
        })
    }

    pub fn rows(&self) -> usize {
        self.starts[self.starts.len() - 1]
    }

    pub fn has(&self, column: &str) -> bool {
        self.positions.contains_key(column)
    }

    fn fault(&self, why: impl std::fmt::Display) -> TableError {
        TableError::Unreadable { file: self.name.clone(), why: why.to_string() }
    }

    fn builder(
        &self,
        metadata: &ArrowReaderMetadata,
    ) -> Result<ParquetRecordBatchReaderBuilder<File>, TableError> {
        let file = self.file.try_clone().map_err(|error| self.fault(error))?;
        Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone()))
    }

    fn position(&self, column: &str) -> Result<usize, TableError> {
        self.positions.get(column).copied().ok_or_else(|| self.fault(format!("it has no column `{column}`")))
    }

    /// One row group as if it were all of the file, with the index of its pages.
    fn group(&self, group: usize) -> Result<ArrowReaderMetadata, TableError> {
        if let Some(known) = lock(&self.groups).get(&group) {
            return Ok(known.clone());
        }
        let all = self.metadata.metadata();
        let alone = ParquetMetaData::new(all.file_metadata().clone(), vec![all.row_group(group).clone()]);
        let mut reader = ParquetMetaDataReader::new_with_metadata(alone)
            .with_column_index_policy(PageIndexPolicy::Optional)
            .with_offset_index_policy(PageIndexPolicy::Optional);
        let reading = lock(&self.reading);
        reader.read_page_indexes(&self.file).map_err(|error| self.fault(error))?;
        drop(reading);
        let metadata = reader.finish().map_err(|error| self.fault(error))?;
        let options = ArrowReaderOptions::new().with_schema(Arc::clone(self.metadata.schema()));
        let metadata =
            ArrowReaderMetadata::try_new(Arc::new(metadata), options).map_err(|error| self.fault(error))?;
        lock(&self.groups).insert(group, metadata.clone());
        Ok(metadata)
    }

    /// The rows with these numbers (rising), with these columns in the order of the file. Columns that are not there
    /// are left out.
    pub fn read(&self, rows: &[u32], columns: &[&str]) -> Result<RecordBatch, TableError> {
        let mut positions: Vec<usize> =
            columns.iter().filter_map(|name| self.positions.get(*name).copied()).collect();
        positions.sort_unstable();
        positions.dedup();
        let schema = self.metadata.schema();
        let projected = Arc::new(schema.project(&positions).map_err(|error| self.fault(error))?);
        let mut batches = Vec::new();
        let mut rest = rows;
        while let Some(first) = rest.first() {
            let group = self.starts.partition_point(|start| *start <= *first as usize) - 1;
            let (from, to) = (self.starts[group], *self.starts.get(group + 1).unwrap_or(&0));
            let count = rest.partition_point(|row| (*row as usize) < to);
            if count == 0 {
                return Err(self.fault(format!("it has no row {first}")));
            }
            let ranges = rest[..count].iter().map(|row| *row as usize - from..*row as usize - from + 1);
            let selection = RowSelection::from_consecutive_ranges(ranges, to - from);
            batches.extend(self.selected(group, &positions, selection)?);
            rest = &rest[count..];
        }
        self.joined(&projected, &batches)
    }

    fn joined(&self, schema: &Arc<Schema>, batches: &[RecordBatch]) -> Result<RecordBatch, TableError> {
        concat_batches(schema, batches).map_err(|error| self.fault(error))
    }

    /// Some rows of a row group, with the columns at these positions.
    fn selected(
        &self,
        group: usize,
        positions: &[usize],
        selection: RowSelection,
    ) -> Result<Vec<RecordBatch>, TableError> {
        let rows = selection.row_count();
        let builder = self.builder(&self.group(group)?)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), positions.iter().copied());
        let _reading = lock(&self.reading);
        let reader = builder
            .with_projection(mask)
            .with_row_selection(selection)
            .with_batch_size(rows.clamp(1, BATCH_ROWS))
            .build()
            .map_err(|error| self.fault(error))?;
        reader.collect::<Result<_, _>>().map_err(|error| self.fault(error))
    }

    /// A column of the rows from `from` to before `to`, which are all there.
    pub fn range(&self, column: &str, from: usize, to: usize) -> Result<ArrayRef, TableError> {
        let position = self.position(column)?;
        let mut pieces: Vec<ArrayRef> = Vec::new();
        for (group, bounds) in self.starts.windows(2).enumerate() {
            let (first, last) = (from.max(bounds[0]), to.min(bounds[1]));
            if first < last {
                let rows = std::iter::once(first - bounds[0]..last - bounds[0]);
                let selection = RowSelection::from_consecutive_ranges(rows, bounds[1] - bounds[0]);
                let batches = self.selected(group, &[position], selection)?;
                pieces.extend(batches.iter().map(|batch| Arc::clone(batch.column(0))));
            }
        }
        match pieces.as_slice() {
            [piece] => Ok(Arc::clone(piece)),
            pieces => {
                let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
                concat(&pieces).map_err(|error| self.fault(error))
            }
        }
    }

    /// The cell of a row in a column: the piece of the column in which it lies, and its place there. `None` beyond the
    /// last row, and for a column that is not there.
    pub fn piece(&self, column: &str, row: usize) -> Result<Option<(ArrayRef, usize)>, TableError> {
        let Some(&position) = self.positions.get(column) else { return Ok(None) };
        if row >= self.rows() {
            return Ok(None);
        }
        let (piece, place) = (row / PIECE_ROWS, row % PIECE_ROWS);
        if let Some(known) = lock(&self.pieces).get(&(position, piece)) {
            return Ok(Some((Arc::clone(known), place)));
        }
        let start = piece * PIECE_ROWS;
        let array = self.range(column, start, self.rows().min(start + PIECE_ROWS))?;
        let mut pieces = lock(&self.pieces);
        if pieces.len() >= PIECES_MAX {
            pieces.clear();
        }
        pieces.insert((position, piece), Arc::clone(&array));
        Ok(Some((array, place)))
    }

    /// The whole table.
    pub fn read_all(&self) -> Result<RecordBatch, TableError> {
        let _reading = lock(&self.reading);
        let reader = self
            .builder(&self.metadata)?
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|error| self.fault(error))?;
        let batches: Vec<RecordBatch> =
            reader.collect::<Result<_, _>>().map_err(|error| self.fault(error))?;
        self.joined(self.metadata.schema(), &batches)
    }

    /// Number of rows in which a column is known; `None` if it is not there.
    pub fn known(&self, column: &str) -> Result<Option<u64>, TableError> {
        let Some(&position) = self.positions.get(column) else { return Ok(None) };
        let mut known = 0;
        for (group, meta) in self.metadata.metadata().row_groups().iter().enumerate() {
            let nulls = meta.column(position).statistics().and_then(Statistics::null_count_opt);
            known += match nulls {
                Some(nulls) => meta.num_rows() as u64 - nulls,
                None => {
                    let all = RowSelection::from(vec![RowSelector::select(meta.num_rows() as usize)]);
                    let batches = self.selected(group, &[position], all)?;
                    batches.iter().map(|batch| (batch.num_rows() - batch.column(0).null_count()) as u64).sum()
                }
            };
        }
        Ok(Some(known))
    }

    /// The latest date of a column; `None` if it has none.
    pub fn latest(&self, column: &str) -> Result<Option<Date>, TableError> {
        let Some(&position) = self.positions.get(column) else { return Ok(None) };
        let mut latest = None;
        for (group, meta) in self.metadata.metadata().row_groups().iter().enumerate() {
            let days = match meta.column(position).statistics() {
                Some(Statistics::Int32(days)) if days.max_is_exact() => days.max_opt().copied(),
                _ => {
                    let all = RowSelection::from(vec![RowSelector::select(meta.num_rows() as usize)]);
                    let batches = self.selected(group, &[position], all)?;
                    let dates =
                        batches.iter().filter_map(|batch| batch.column(0).as_primitive_opt::<Date32Type>());
                    dates.filter_map(arrow::compute::max).max()
                }
            };
            latest = latest.max(days.and_then(Date::from_days));
        }
        Ok(latest)
    }

    /// Some columns of the whole table; `None` if one of them is not there.
    pub fn columns(&self, names: &[&str]) -> Result<Option<RecordBatch>, TableError> {
        let positions: Option<Vec<usize>> =
            names.iter().map(|name| self.positions.get(*name).copied()).collect();
        let Some(positions) = positions else { return Ok(None) };
        let builder = self.builder(&self.metadata)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), positions);
        let _reading = lock(&self.reading);
        let reader = builder
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|error| self.fault(error))?;
        let schema = reader.schema();
        let batches: Vec<RecordBatch> =
            reader.collect::<Result<_, _>>().map_err(|error| self.fault(error))?;
        self.joined(&schema, &batches).map(Some)
    }

    /// The number of the first row whose text column holds `text`.
    pub fn find(&self, column: &str, text: &str) -> Result<Option<u32>, TableError> {
        let position = self.position(column)?;
        let wanted = text.as_bytes();
        for (group, meta) in self.metadata.metadata().row_groups().iter().enumerate() {
            let inside = match meta.column(position).statistics() {
                Some(Statistics::ByteArray(range)) => {
                    range.min_opt().is_none_or(|min| min.data() <= wanted)
                        && (!range.max_is_exact() || range.max_opt().is_none_or(|max| wanted <= max.data()))
                }
                _ => true,
            };
            if !inside {
                continue;
            }
            // Both ends of a page may have been shortened, the greater one upwards: they still hold what is between.
            let may_hold = |index: &ColumnIndexMetaData, page: usize| match index {
                ColumnIndexMetaData::BYTE_ARRAY(index) => {
                    index.min_value(page).is_some_and(|min| min <= wanted)
                        && index.max_value(page).is_some_and(|max| wanted <= max)
                }
                _ => true,
            };
            let mut found = None;
            self.scan(group, position, may_hold, |array, offset| {
                let Some(keys) = array.as_string_opt::<i32>() else { return false };
                let row = (0..keys.len()).find(|row| keys.is_valid(*row) && keys.value(*row) == text);
                found = row.map(|row| offset + row as u32);
                found.is_some()
            })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// All rows whose text column holds `text`. Reads the whole column.
    pub fn find_all(&self, column: &str, text: &str) -> Result<Vec<u32>, TableError> {
        let position = self.position(column)?;
        let mut rows = Vec::new();
        for group in 0..self.starts.len() - 1 {
            self.scan(
                group,
                position,
                |_, _| true,
                |array, offset| {
                    if let Some(texts) = array.as_string_opt::<i32>() {
                        let found =
                            (0..texts.len()).filter(|row| texts.is_valid(*row) && texts.value(*row) == text);
                        rows.extend(found.map(|row| offset + row as u32));
                    }
                    false
                },
            )?;
        }
        Ok(rows)
    }

    /// Rows whose reference column holds one of `parents` (rising), with the parent.
    pub fn children(&self, column: &str, parents: &[u32]) -> Result<Vec<(u32, u32)>, TableError> {
        let position = self.position(column)?;
        let (Some(first), Some(last)) = (parents.first(), parents.last()) else { return Ok(Vec::new()) };
        let within = |min: Option<&i32>, max: Option<&i32>| {
            let from =
                min.map_or(0, |min| parents.partition_point(|parent| i64::from(*parent) < i64::from(*min)));
            parents.get(from).is_some_and(|next| max.is_none_or(|max| i64::from(*next) <= i64::from(*max)))
        };
        let one = first == last;
        let mut rows = Vec::new();
        for (group, meta) in self.metadata.metadata().row_groups().iter().enumerate() {
            let inside = match meta.column(position).statistics() {
                Some(Statistics::Int32(range)) => within(range.min_opt(), range.max_opt()),
                _ => true,
            };
            if !inside {
                continue;
            }
            let may_hold = |index: &ColumnIndexMetaData, page: usize| match index {
                ColumnIndexMetaData::INT32(index) => {
                    !index.is_null_page(page) && within(index.min_value(page), index.max_value(page))
                }
                _ => true,
            };
            self.scan(group, position, may_hold, |array, offset| {
                let references = array.as_primitive::<Int32Type>();
                for row in (0..references.len()).filter(|row| references.is_valid(*row)) {
                    let Ok(parent) = u32::try_from(references.value(row)) else { continue };
                    if (one && parent == *first) || (!one && parents.binary_search(&parent).is_ok()) {
                        rows.push((offset + row as u32, parent));
                    }
                }
                false
            })?;
        }
        Ok(rows)
    }

    /// Hands over a column of a row group, as far as its pages may hold what is looked for, with the number of the
    /// first row of each piece, until `done`.
    fn scan(
        &self,
        group: usize,
        position: usize,
        may_hold: impl Fn(&ColumnIndexMetaData, usize) -> bool,
        mut done: impl FnMut(&dyn Array, u32) -> bool,
    ) -> Result<(), TableError> {
        let metadata = self.group(group)?;
        let rows = self.starts[group + 1] - self.starts[group];
        let all = metadata.metadata();
        let index = all.column_index().and_then(|groups| groups.first()?.get(position));
        let places = all.offset_index().and_then(|groups| groups.first()?.get(position));
        let mut ranges = vec![(0, rows)];
        if let (Some(index), Some(places)) = (index, places)
            && !matches!(index, ColumnIndexMetaData::NONE)
        {
            let starts: Vec<usize> =
                places.page_locations().iter().map(|page| page.first_row_index as usize).collect();
            let end = |page: usize| *starts.get(page + 1).unwrap_or(&rows);
            ranges = (0..starts.len())
                .filter(|page| may_hold(index, *page))
                .map(|page| (starts[page], end(page)))
                .collect();
        }
        for (from, to) in ranges {
            let selection = RowSelection::from_consecutive_ranges(std::iter::once(from..to), rows);
            let mut offset = (self.starts[group] + from) as u32;
            for batch in self.selected(group, &[position], selection)? {
                if done(batch.column(0), offset) {
                    return Ok(());
                }
                offset += batch.num_rows() as u32;
            }
        }
        Ok(())
    }
}

/// What is kept is whole whenever nobody holds the lock, even if somebody panicked with it.
pub(crate) fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Array, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::{EnabledStatistics, WriterProperties};

    use super::*;

    const ROWS: u32 = 5_000;

    /// Three to a parent; every eleventh row has none. With `mixed`, parents do not rise.
    fn parent(row: u32, mixed: bool) -> Option<u32> {
        let parent = if mixed { row * 7 % 1_667 } else { row / 3 };
        (!row.is_multiple_of(11)).then_some(parent)
    }

    fn key(row: u32) -> String {
        format!("{:06}-{}", row * 13 % ROWS, "a key that is longer than what an index keeps of it ".repeat(2))
    }

    /// Many row groups of many pages, the pages described or not.
    fn table(folder: &Path, pages: bool, mixed: bool) -> StoredTable {
        let numbers: Int32Array = (0..ROWS).map(|row| Some(row as i32)).collect();
        let parents: Int32Array =
            (0..ROWS).map(|row| parent(row, mixed).map(|parent| parent as i32)).collect();
        let keys: StringArray = (0..ROWS).map(|row| Some(key(row))).collect();
        let columns: [(&str, ArrayRef); 3] =
            [("_row", Arc::new(numbers)), ("_parent", Arc::new(parents)), ("key", Arc::new(keys))];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let statistics = if pages { EnabledStatistics::Page } else { EnabledStatistics::Chunk };
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(1_500))
            .set_data_page_row_count_limit(100)
            .set_write_batch_size(50)
            .set_dictionary_enabled(false)
            .set_statistics_enabled(statistics)
            .build();
        let path = folder.join(format!("{pages}-{mixed}.parquet"));
        let mut writer =
            ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        StoredTable::open(&path).unwrap()
    }

    #[test]
    fn rows_are_found_however_the_file_is_laid_out() {
        let folder = tempfile::tempdir().unwrap();
        for (pages, mixed) in [(true, false), (true, true), (false, false), (false, true)] {
            let table = table(folder.path(), pages, mixed);
            for row in [0, 1, 1_499, 1_500, 2_999, 4_998, 4_999] {
                assert_eq!(table.find("key", &key(row)).unwrap(), Some(row), "{pages} {mixed}");
            }
            assert_eq!(table.find("key", "000001-another").unwrap(), None);
            assert_eq!(table.find("key", "~").unwrap(), None);
            for wanted in [vec![], vec![0], vec![499, 500], vec![3, 700, 1_600, 9_999], (0..2_000).collect()]
            {
                let expected: Vec<(u32, u32)> = (0..ROWS)
                    .filter_map(|row| Some((row, parent(row, mixed)?)))
                    .filter(|(_, parent)| wanted.contains(parent))
                    .collect();
                assert_eq!(table.children("_parent", &wanted).unwrap(), expected, "{pages} {mixed}");
            }
        }
    }

    #[test]
    fn rows_are_read_from_whichever_group_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let table = table(folder.path(), true, false);
        let rows = [0, 1_499, 1_500, 3_100, 4_999];
        let batch = table.read(&rows, &["key", "nothing of the kind", "_row"]).unwrap();
        assert_eq!(batch.num_columns(), 2);
        let numbers = batch.column(0).as_primitive::<Int32Type>();
        assert_eq!(numbers.values().to_vec(), rows.map(|row| row as i32));
        let keys = batch.column(1).as_string::<i32>();
        assert_eq!(keys.iter().flatten().map(str::to_owned).collect::<Vec<_>>(), rows.map(key));
        assert_eq!(table.read(&[], &["key"]).unwrap().num_rows(), 0);
        assert!(table.read(&[ROWS], &["key"]).is_err());
    }
}
