//! Truth values as Parquet pages: a page holds two bitmaps (which values are known, and those that are), as Arrow
//! holds them in memory, compressed. The general encoder takes values one by one; half of a run's columns are
//! truth values.

use bytes::Bytes;
use datafusion::arrow::array::{Array, AsArray, BooleanArray};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::filter;
use datafusion::parquet::basic::{Compression, Encoding, PageType, ZstdLevel};
use datafusion::parquet::column::page::{CompressedPage, Page, PageWriter};
use datafusion::parquet::column::writer::ColumnCloseResult;
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder, PageEncodingStats};
use datafusion::parquet::file::statistics::Statistics;
use datafusion::parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use datafusion::parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

/// Compresses pages, of one column after the other: what it works in is large, and columns are many.
pub(super) struct PageCompressor(Compressor<'static>);

impl PageCompressor {
    pub fn new() -> Result<Self> {
        Ok(Self(Compressor::new(ZstdLevel::default().compression_level())?))
    }
}

/// Encodes one column chunk of nullable truth values, a page for each array.
pub(super) struct TruthWriter {
    column: ColumnDescPtr,
    sink: TrackedWrite<Vec<u8>>,
    pages: OffsetIndexBuilder,
    page_count: i32,
    rows: u64,
    trues: u64,
    nulls: u64,
    /// Bytes with the pages' headers.
    uncompressed: i64,
    compressed: i64,
}

impl TruthWriter {
    pub fn new(column: ColumnDescPtr) -> Self {
        Self {
            column,
            sink: TrackedWrite::new(vec![]),
            pages: OffsetIndexBuilder::new(),
            page_count: 0,
            rows: 0,
            trues: 0,
            nulls: 0,
            uncompressed: 0,
            compressed: 0,
        }
    }

    /// Adds a page with the values of an array.
    pub fn write(&mut self, array: &dyn Array, compressor: &mut PageCompressor) -> Result<()> {
        let Some(values) = array.as_boolean_opt() else {
            let found = array.data_type();
            return Err(ParquetError::General(format!("`{}` holds {found}", self.column.name())));
        };
        let page = page(values)?;
        let rows = u32::try_from(values.len()).map_err(|error| ParquetError::External(Box::new(error)))?;
        let compressed = Page::DataPage {
            buf: Bytes::from(compressor.0.compress(&page)?),
            num_values: rows,
            encoding: Encoding::PLAIN,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let written = SerializedPageWriter::new(&mut self.sink)
            .write_page(CompressedPage::new(compressed, page.len()))?;
        self.pages.append_row_count(i64::from(rows));
        self.pages.append_offset_and_size(written.offset as i64, written.compressed_size as i32);
        self.page_count += 1;
        self.rows += u64::from(rows);
        self.trues += values.true_count() as u64;
        self.nulls += values.null_count() as u64;
        self.uncompressed += written.uncompressed_size as i64;
        self.compressed += written.compressed_size as i64;
        Ok(())
    }

    /// The chunk, and what a row group has to know of it.
    pub fn close(self) -> Result<(Bytes, ColumnCloseResult)> {
        let known = self.rows - self.nulls;
        let least = (known > 0).then_some(self.trues == known);
        let greatest = (known > 0).then_some(self.trues > 0);
        let metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_encodings([Encoding::PLAIN, Encoding::RLE].into_iter().collect())
            .set_page_encoding_stats(vec![PageEncodingStats {
                page_type: PageType::DATA_PAGE,
                encoding: Encoding::PLAIN,
                count: self.page_count,
            }])
            .set_num_values(self.rows as i64)
            .set_data_page_offset(0)
            .set_total_uncompressed_size(self.uncompressed)
            .set_total_compressed_size(self.compressed)
            .set_statistics(Statistics::boolean(least, greatest, None, Some(self.nulls), false))
            .build()?;
        let result = ColumnCloseResult {
            bytes_written: self.compressed as u64,
            rows_written: self.rows,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: Some(self.pages.build()),
        };
        Ok((self.sink.into_inner()?.into(), result))
    }
}

/// The body of a data page (version 1): the definition levels with their length in front, then the known values.
fn page(array: &BooleanArray) -> Result<Vec<u8>> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    let levels = match nulls {
        Some(nulls) if nulls.null_count() < nulls.len() => literal_run(nulls.inner()),
        all_null => repeated_run(array.len(), all_null.is_none()),
    };
    let mut page = Vec::with_capacity(4 + levels.len() + array.len() / 8 + 8);
    page.extend_from_slice(&(levels.len() as u32).to_le_bytes());
    page.extend_from_slice(&levels);
    match nulls {
        Some(nulls) => {
            let known = filter(array, &BooleanArray::new(nulls.inner().clone(), None))?;
            extend_with_bits(&mut page, known.as_boolean().values());
        }
        None => extend_with_bits(&mut page, array.values()),
    }
    Ok(page)
}

/// The bits from the first on, the last byte filled up with zeros.
fn extend_with_bits(bytes: &mut Vec<u8>, bits: &BooleanBuffer) {
    let end = bytes.len() + bits.len().div_ceil(8);
    for word in bits.bit_chunks().iter_padded() {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.truncate(end);
}

/// Bits as one run of the hybrid of runs and bit-packed values, of width 1: a count of bytes, then the bytes.
fn literal_run(bits: &BooleanBuffer) -> Vec<u8> {
    let mut run = vec![];
    extend_with_number(&mut run, (bits.len().div_ceil(8) << 1) | 1);
    extend_with_bits(&mut run, bits);
    run
}

/// One value many times, as one run of the same hybrid.
fn repeated_run(count: usize, value: bool) -> Vec<u8> {
    let mut run = vec![];
    extend_with_number(&mut run, count << 1);
    run.push(u8::from(value));
    run
}

/// Seven bits to a byte, the lowest first.
fn extend_with_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
