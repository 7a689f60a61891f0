//! Truth values and numbers as Parquet pages, each made of an array at once: nearly all columns of a run are of these
//! kinds. The general encoder takes values one by one, and holds half a megabyte for each column that it has begun.
//!
//! A page of truth values holds two bitmaps, which values are known and those that are, as Arrow holds them in
//! memory. A page of numbers holds the bitmap and the differences of the known ones (`DELTA_BINARY_PACKED`).

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter;
use arrow::datatypes::{DataType, Date32Type, Int32Type, Int64Type};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

/// Compresses pages, of one column after the other: what it works in is large, and columns are many.
pub(super) struct PageCompressor(Compressor<'static>);

impl PageCompressor {
    pub fn new() -> Result<Self> {
        Ok(Self(Compressor::new(ZstdLevel::default().compression_level())?))
    }
}

/// Whether columns of a type are written here.
pub(super) fn are_paged(ty: &DataType) -> bool {
    matches!(ty, DataType::Boolean | DataType::Int32 | DataType::Int64 | DataType::Date32)
}

/// Encodes one column chunk of nullable values.
pub(super) struct PagedWriter {
    column: ColumnDescPtr,
    sink: TrackedWrite<Vec<u8>>,
    pages: OffsetIndexBuilder,
    page_count: i32,
    rows: u64,
    nulls: u64,
    bounds: Bounds,
    /// Bytes with the pages' headers.
    uncompressed: i64,
    compressed: i64,
}

/// The least and the greatest known value.
#[derive(Clone, Copy)]
enum Bounds {
    Unknown,
    Truths(bool, bool),
    Short(i32, i32),
    Long(i64, i64),
}

impl Bounds {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Truths(a, b), Self::Truths(c, d)) => Self::Truths(a && c, b || d),
            (Self::Short(a, b), Self::Short(c, d)) => Self::Short(a.min(c), b.max(d)),
            (Self::Long(a, b), Self::Long(c, d)) => Self::Long(a.min(c), b.max(d)),
            (known, Self::Unknown) => known,
            (_, known) => known,
        }
    }
}

impl PagedWriter {
    pub fn new(column: ColumnDescPtr) -> Self {
        Self {
            column,
            sink: TrackedWrite::new(vec![]),
            pages: OffsetIndexBuilder::new(),
            page_count: 0,
            rows: 0,
            nulls: 0,
            bounds: Bounds::Unknown,
            uncompressed: 0,
            compressed: 0,
        }
    }

    /// Adds a page with the values of an array.
    pub fn write(&mut self, array: &ArrayRef, compressor: &mut PageCompressor) -> Result<()> {
        let (page, bounds) = match array.data_type() {
            DataType::Boolean => truths(array.as_boolean())?,
            DataType::Int64 => {
                let (page, bounds) = numbers(array.as_primitive::<Int64Type>());
                (page, bounds.map_or(Bounds::Unknown, |(least, greatest)| Bounds::Long(least, greatest)))
            }
            DataType::Int32 => short_numbers(array.as_primitive::<Int32Type>()),
            DataType::Date32 => short_numbers(array.as_primitive::<Date32Type>()),
            other => return Err(ParquetError::General(format!("`{}` holds {other}", self.column.name()))),
        };
        let rows = u32::try_from(array.len()).map_err(|error| ParquetError::External(Box::new(error)))?;
        let compressed = Page::DataPage {
            buf: Bytes::from(compressor.0.compress(&page)?),
            num_values: rows,
            encoding: self.encoding(),
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
        self.nulls += array.null_count() as u64;
        self.bounds = self.bounds.and(bounds);
        self.uncompressed += written.uncompressed_size as i64;
        self.compressed += written.compressed_size as i64;
        Ok(())
    }

    fn encoding(&self) -> Encoding {
        match self.column.physical_type() {
            parquet::basic::Type::BOOLEAN => Encoding::PLAIN,
            _ => Encoding::DELTA_BINARY_PACKED,
        }
    }

    /// The chunk, and what a row group has to know of it.
    pub fn close(self) -> Result<(Bytes, ColumnCloseResult)> {
        let encoding = self.encoding();
        let nulls = Some(self.nulls);
        let statistics = match (self.bounds, self.column.physical_type()) {
            (Bounds::Truths(least, greatest), _) => {
                Statistics::boolean(Some(least), Some(greatest), None, nulls, false)
            }
            (Bounds::Short(least, greatest), _) => {
                Statistics::int32(Some(least), Some(greatest), None, nulls, false)
            }
            (Bounds::Long(least, greatest), _) => {
                Statistics::int64(Some(least), Some(greatest), None, nulls, false)
            }
            (Bounds::Unknown, parquet::basic::Type::BOOLEAN) => {
                Statistics::boolean(None, None, None, nulls, false)
            }
            (Bounds::Unknown, parquet::basic::Type::INT32) => {
                Statistics::int32(None, None, None, nulls, false)
            }
            (Bounds::Unknown, _) => Statistics::int64(None, None, None, nulls, false),
        };
        let metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_encodings([encoding, Encoding::RLE].into_iter().collect())
            .set_page_encoding_stats(vec![PageEncodingStats {
                page_type: PageType::DATA_PAGE,
                encoding,
                count: self.page_count,
            }])
            .set_num_values(self.rows as i64)
            .set_data_page_offset(0)
            .set_total_uncompressed_size(self.uncompressed)
            .set_total_compressed_size(self.compressed)
            .set_statistics(statistics)
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

/// The start of a data page (version 1): the definition levels with their length in front.
fn levels(array: &dyn Array, room: usize) -> Vec<u8> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    let levels = match nulls {
        Some(nulls) if nulls.null_count() < nulls.len() => literal_run(nulls.inner()),
        all_null => repeated_run(array.len(), all_null.is_none()),
    };
    let mut page = Vec::with_capacity(4 + levels.len() + room);
    page.extend_from_slice(&(levels.len() as u32).to_le_bytes());
    page.extend_from_slice(&levels);
    page
}

/// A page of truth values.
fn truths(array: &BooleanArray) -> Result<(Vec<u8>, Bounds)> {
    let mut page = levels(array, array.len() / 8 + 8);
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => {
            let known = filter(array, &BooleanArray::new(nulls.inner().clone(), None))?;
            extend_with_bits(&mut page, known.as_boolean().values());
        }
        None => extend_with_bits(&mut page, array.values()),
    }
    let (trues, known) = (array.true_count(), array.len() - array.null_count());
    let bounds = if known == 0 { Bounds::Unknown } else { Bounds::Truths(trues == known, trues > 0) };
    Ok((page, bounds))
}

fn short_numbers<T: ArrowPrimitiveType<Native = i32>>(array: &PrimitiveArray<T>) -> (Vec<u8>, Bounds) {
    let (page, bounds) = numbers(array);
    (page, bounds.map_or(Bounds::Unknown, |(least, greatest)| Bounds::Short(least, greatest)))
}

/// The least and the greatest of some numbers.
type Extremes<T> = Option<(T, T)>;

/// A page of numbers, with the least and the greatest.
fn numbers<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> (Vec<u8>, Extremes<T::Native>)
where
    T::Native: Whole,
{
    let mut page = levels(array, array.len() * 2 + 64);
    let known: Vec<T::Native>;
    let values = match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => {
            known = nulls.valid_indices().map(|row| array.value(row)).collect();
            known.as_slice()
        }
        None => array.values(),
    };
    extend_with_differences(&mut page, values);
    let bounds = values.first().map(|first| {
        values
            .iter()
            .fold((*first, *first), |(least, greatest), value| ((*value).min(least), (*value).max(greatest)))
    });
    (page, bounds)
}

/// Whole numbers, whose differences wrap around within their own width.
trait Whole: Copy + Ord {
    /// Values of a quarter of a block: what readers unpack at once.
    const QUARTER: usize;
    fn widened(self) -> i64;
    /// `self - other` within the width.
    fn less(self, other: Self) -> i64;
    /// `difference - least` within the width, as the bits that are stored.
    fn above(difference: i64, least: i64) -> u64;
}

impl Whole for i64 {
    const QUARTER: usize = 64;

    fn widened(self) -> i64 {
        self
    }

    fn less(self, other: Self) -> i64 {
        self.wrapping_sub(other)
    }

    fn above(difference: i64, least: i64) -> u64 {
        difference.wrapping_sub(least) as u64
    }
}

impl Whole for i32 {
    const QUARTER: usize = 32;

    fn widened(self) -> i64 {
        i64::from(self)
    }

    fn less(self, other: Self) -> i64 {
        i64::from(self.wrapping_sub(other))
    }

    fn above(difference: i64, least: i64) -> u64 {
        u64::from((difference as i32).wrapping_sub(least as i32) as u32)
    }
}

/// Quarters of a block.
const QUARTERS: usize = 4;

/// `DELTA_BINARY_PACKED`: the first value, then in blocks the differences of each value from the one before, less the
/// least of the block, in as many bits as the greatest of a quarter takes.
fn extend_with_differences<T: Whole>(bytes: &mut Vec<u8>, values: &[T]) {
    let block = T::QUARTER * QUARTERS;
    extend_with_number(bytes, block as u64);
    extend_with_number(bytes, QUARTERS as u64);
    extend_with_number(bytes, values.len() as u64);
    let Some(first) = values.first() else { return extend_with_number(bytes, 0) };
    extend_with_number(bytes, zigzag(first.widened()));
    let mut differences: Vec<i64> = Vec::with_capacity(block);
    let mut start = 1;
    while start < values.len() {
        let end = values.len().min(start + block);
        differences.clear();
        differences.extend((start..end).map(|place| values[place].less(values[place - 1])));
        let least = differences.iter().copied().min().unwrap_or(0);
        extend_with_number(bytes, zigzag(least));
        let widths = bytes.len();
        bytes.extend_from_slice(&[0; QUARTERS]);
        for (quarter, differences) in differences.chunks(T::QUARTER).enumerate() {
            let all = differences.iter().fold(0, |all, difference| all | T::above(*difference, least));
            let width = 64 - all.leading_zeros();
            bytes[widths + quarter] = width as u8;
            pack(bytes, differences.iter().map(|difference| T::above(*difference, least)), width, T::QUARTER);
        }
        start = end;
    }
}

/// Numbers of so many bits one after the other, the lowest bit first, filled up with zeros to a count of them.
fn pack(bytes: &mut Vec<u8>, numbers: impl Iterator<Item = u64>, width: u32, count: usize) {
    let end = bytes.len() + count * width as usize / 8;
    if width > 0 {
        let (mut held, mut bits) = (0_u128, 0);
        for number in numbers {
            held |= u128::from(number) << bits;
            bits += width;
            if bits >= 64 {
                bytes.extend_from_slice(&(held as u64).to_le_bytes());
                held >>= 64;
                bits -= 64;
            }
        }
        bytes.extend_from_slice(&(held as u64).to_le_bytes());
    }
    bytes.resize(end, 0);
}

/// Small numbers of either sign as small numbers without one.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
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
    extend_with_number(&mut run, ((bits.len().div_ceil(8) << 1) | 1) as u64);
    extend_with_bits(&mut run, bits);
    run
}

/// One value many times, as one run of the same hybrid.
fn repeated_run(count: usize, value: bool) -> Vec<u8> {
    let mut run = vec![];
    extend_with_number(&mut run, (count << 1) as u64);
    run.push(u8::from(value));
    run
}

/// Seven bits to a byte, the lowest first.
fn extend_with_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
