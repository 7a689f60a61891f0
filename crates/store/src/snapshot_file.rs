//! Writing one Parquet file whose bytes depend on its rows alone.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};

use crate::error::{Result, StoreError};
use crate::snapshot_columns::RECORDED_ON;

/// Rows a group: what one reader decodes at a time.
pub(crate) const GROUP_ROWS: usize = 128 * 1024;

/// What to write.
pub(crate) struct FileJob {
    pub entity: String,
    pub path: PathBuf,
    pub schema: SchemaRef,
    /// Columns whose texts differ from row to row, for which a dictionary is of no use.
    pub distinct: Vec<String>,
}

/// What was written.
pub(crate) struct FileSummary {
    pub entity: String,
    pub rows: u64,
    /// Of the file.
    pub sha256: String,
    /// SHA-256 of names, types and columns, without `_recorded_on`.
    pub content: [u8; 32],
}

/// Writes the batches until the channel closes.
pub(crate) fn write_file(job: FileJob, batches: &Receiver<RecordBatch>) -> Result<FileSummary> {
    let failed = |detail: String| StoreError::Snapshot { entity: job.entity.clone(), detail };
    let mut writer =
        ArrowWriter::try_new(HashingFile::create(&job.path)?, job.schema.clone(), Some(properties(&job)))
            .map_err(|error| failed(error.to_string()))?;
    let mut rows = 0;
    for batch in batches {
        rows += batch.num_rows() as u64;
        writer.write(&batch).map_err(|error| failed(error.to_string()))?;
    }
    let metadata = writer.finish().map_err(|error| failed(error.to_string()))?;
    summarise(job, rows, &metadata, writer.inner_mut())
}

/// Makes a whole file durable and hashes it.
pub(crate) fn summarise(
    job: FileJob,
    rows: u64,
    metadata: &ParquetMetaData,
    sink: &mut HashingFile,
) -> Result<FileSummary> {
    let synced = sink.file.flush().and_then(|()| sink.file.get_ref().sync_all());
    synced.map_err(StoreError::io(&job.path))?;
    let sha256 = hex(&sink.hash.finalize_reset());
    Ok(FileSummary {
        rows,
        sha256,
        content: content_hash(&job, metadata).map_err(StoreError::io(&job.path))?,
        entity: job.entity,
    })
}

pub(crate) fn properties(job: &FileJob) -> WriterProperties {
    let level = ZstdLevel::try_new(1).expect("1 is a level of zstd");
    let mut properties = WriterProperties::builder()
        .set_created_by("xiaokang".into())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for field in job.schema.fields() {
        let path = ColumnPath::new(vec![field.name().clone()]);
        // Row numbers rise, so that their differences are a bit each; sums of money are mostly different, and a
        // dictionary of them is built in vain.
        if matches!(field.data_type(), DataType::Int32 | DataType::Int64) {
            properties = properties
                .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
                .set_column_dictionary_enabled(path.clone(), false);
        } else if job.distinct.contains(field.name()) {
            properties = properties.set_column_dictionary_enabled(path.clone(), false);
        }
        // A record is looked for by its key, and its children by their reference: page by page.
        let reference = *field.data_type() == DataType::Int32 && field.name().starts_with('_');
        if reference || job.distinct.contains(field.name()) {
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::Page);
        }
    }
    properties.build()
}

/// Of everything in the file but when it was recorded.
fn content_hash(job: &FileJob, metadata: &ParquetMetaData) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    for field in job.schema.fields() {
        hash.update(format!("{} {} {}\n", field.name(), field.data_type(), field.is_nullable()));
    }
    let mut file = File::open(&job.path)?;
    let mut bytes = Vec::new();
    for group in metadata.row_groups() {
        hash.update(group.num_rows().to_le_bytes());
        for (column, field) in group.columns().iter().zip(job.schema.fields()) {
            if field.name() == RECORDED_ON {
                continue;
            }
            let (start, length) = column.byte_range();
            bytes.resize(length as usize, 0);
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(&mut bytes)?;
            hash.update(length.to_le_bytes());
            hash.update(&bytes);
        }
    }
    Ok(hash.finalize().into())
}

/// A file that knows the hash of what was written to it.
pub(crate) struct HashingFile {
    file: BufWriter<File>,
    hash: Sha256,
}

impl HashingFile {
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).map_err(StoreError::io(path))?;
        Ok(Self { file: BufWriter::with_capacity(1 << 20, file), hash: Sha256::new() })
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

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
