//! Snapshots of rows that come from elsewhere than a registry: encoded by many threads, written in order.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use pack::program::{EntityId, Program};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use serde_json::{Map, Value as Json};

use crate::error::{Result, StoreError};
use crate::layout::Layout;
use crate::snapshot::{SnapshotSummary, finish_manifest, job};
use crate::snapshot_columns::schema;
use crate::snapshot_file::{FileJob, GROUP_ROWS, HashingFile, properties, summarise};
use crate::work_folder::WorkFolder;

/// The columns of every entity's file in a snapshot of the program's records, in its order.
/// Error: `pack-invalid`.
pub fn snapshot_schemas(program: &Program) -> Result<Vec<SchemaRef>> {
    let layout = Layout::of(program)?;
    Ok((0..layout.entities.len()).map(|index| schema(&layout, EntityId(index as u32))).collect())
}

/// Writes a snapshot from batches that are given in order. What a snapshot must be is the caller's to keep:
/// rows sorted along the tree, `_row` dense, keys of edges right. The folder appears when all of it is there.
pub struct SnapshotWriter {
    work: WorkFolder,
    files: Vec<EntityFile>,
    encoder: Arc<SnapshotEncoder>,
}

struct EntityFile {
    job: FileJob,
    writer: SerializedFileWriter<HashingFile>,
    rows: u64,
}

/// Turns batches into encoded rows. Can be shared by threads.
pub struct SnapshotEncoder {
    entities: Vec<(String, SchemaRef, ArrowRowGroupWriterFactory)>,
}

/// Rows of one entity, encoded: a row group or a few.
pub struct EncodedRows {
    entity: EntityId,
    groups: Vec<(u64, Vec<ArrowColumnChunk>)>,
}

impl SnapshotEncoder {
    /// Encodes a batch as row groups of its own. Error: `snapshot-failed`.
    pub fn encode(&self, entity: EntityId, batch: &RecordBatch) -> Result<EncodedRows> {
        let (name, schema, factory) = &self.entities[entity.index()];
        let failed =
            |error: ParquetError| StoreError::Snapshot { entity: name.clone(), detail: error.to_string() };
        let mut groups = Vec::new();
        let mut start = 0;
        while start < batch.num_rows() {
            let rows = batch.slice(start, (batch.num_rows() - start).min(GROUP_ROWS));
            start += rows.num_rows();
            let mut writers = factory.create_column_writers(0).map_err(failed)?.into_iter();
            let mut chunks = Vec::with_capacity(schema.fields().len());
            for (field, array) in schema.fields().iter().zip(rows.columns()) {
                for leaf in compute_leaves(field, array).map_err(failed)? {
                    let mut writer = writers.next().expect("a flat column has one leaf");
                    writer.write(&leaf).map_err(failed)?;
                    chunks.push(writer.close().map_err(failed)?);
                }
            }
            groups.push((rows.num_rows() as u64, chunks));
        }
        Ok(EncodedRows { entity, groups })
    }
}

impl SnapshotWriter {
    /// Prepares the files of every entity of the program beside `folder`. Errors: `snapshot-failed`, `io`.
    pub fn create(program: &Program, folder: &Path) -> Result<Self> {
        let layout = Layout::of(program)?;
        let work = WorkFolder::beside(folder)?;
        let mut files = Vec::new();
        let mut entities = Vec::new();
        for index in 0..layout.entities.len() {
            let job = job(&layout, EntityId(index as u32), work.path());
            let failed = |error: ParquetError| StoreError::Snapshot {
                entity: job.entity.clone(),
                detail: error.to_string(),
            };
            let sink = HashingFile::create(&job.path)?;
            let writer =
                ArrowWriter::try_new(sink, job.schema.clone(), Some(properties(&job))).map_err(failed)?;
            let (writer, factory) = writer.into_serialized_writer().map_err(failed)?;
            entities.push((job.entity.clone(), job.schema.clone(), factory));
            files.push(EntityFile { job, writer, rows: 0 });
        }
        let encoder = Arc::new(SnapshotEncoder { entities });
        Ok(Self { work, files, encoder })
    }

    pub fn encoder(&self) -> Arc<SnapshotEncoder> {
        Arc::clone(&self.encoder)
    }

    /// Adds rows behind those that the entity has. Error: `snapshot-failed`.
    pub fn append(&mut self, rows: EncodedRows) -> Result<()> {
        let file = &mut self.files[rows.entity.index()];
        let entity = &file.job.entity;
        let failed =
            |error: ParquetError| StoreError::Snapshot { entity: entity.clone(), detail: error.to_string() };
        for (count, chunks) in rows.groups {
            let mut group = file.writer.next_row_group().map_err(failed)?;
            for chunk in chunks {
                chunk.append_to_row_group(&mut group).map_err(failed)?;
            }
            group.close().map_err(failed)?;
            file.rows += count;
        }
        Ok(())
    }

    /// Finishes the files and puts the folder in place. `origin` is told in `snapshot.json`.
    /// Errors: `snapshot-failed`, `io`.
    pub fn finish(self, origin: Json) -> Result<SnapshotSummary> {
        let mut summaries = Vec::with_capacity(self.files.len());
        for mut file in self.files {
            let metadata = file.writer.finish().map_err(|error| StoreError::Snapshot {
                entity: file.job.entity.clone(),
                detail: error.to_string(),
            })?;
            summaries.push(summarise(file.job, file.rows, &metadata, file.writer.inner_mut())?);
        }
        let more =
            Map::from_iter([("sources".to_owned(), Json::Array(Vec::new())), ("origin".to_owned(), origin)]);
        let summary = finish_manifest(self.work.path(), &summaries, 0, more)?;
        self.work.replace()?;
        Ok(summary)
    }
}
