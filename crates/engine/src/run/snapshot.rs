//! Reading a snapshot: a folder with `snapshot.json` and a Parquet file for each entity.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use bytes::Bytes;
use pack::program::{EdgeId, Entity, EntityId, Program, Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;
use serde::Deserialize;

use crate::EngineError;
use crate::desugar::{Unknowns, edge_column};
use crate::load::Wanted;

/// The format of `snapshot.json` that is understood.
const FORMAT: u32 = 1;

#[derive(Deserialize)]
struct Manifest {
    format: u32,
    digest: String,
    /// Id of the registry it was taken from.
    #[serde(default)]
    registry: Option<String>,
    entities: BTreeMap<String, ManifestEntity>,
}

#[derive(Deserialize)]
struct ManifestEntity {
    rows: usize,
}

impl Manifest {
    fn read(dir: &Path, files: Option<&dyn SnapshotFiles>) -> Result<Self, EngineError> {
        let path = dir.join(MANIFEST);
        let text = match files {
            None if path.is_file() => std::fs::read(&path).map(Some),
            None => Ok(None),
            Some(files) => files
                .size(MANIFEST)
                .and_then(|size| {
                    size.map(|size| {
                        files.read(MANIFEST, std::slice::from_ref(&(0..size)))?.pop().ok_or_else(nothing)
                    })
                    .transpose()
                })
                .map(|bytes| bytes.map(Vec::from)),
        };
        let text = text.map_err(|error| EngineError::file(&path, error))?;
        let text = text.ok_or(EngineError::SnapshotFile { path })?;
        let wrong = |reason: String| EngineError::SnapshotFormat { path: dir.to_owned(), reason };
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(wrong(format!("its format is {}, not {FORMAT}", manifest.format)));
        }
        Ok(manifest)
    }
}

/// What a snapshot holds, as a digest.
///
/// # Errors
/// A folder that is no snapshot.
pub fn digest(dir: &Path, files: Option<&dyn SnapshotFiles>) -> Result<String, EngineError> {
    Ok(Manifest::read(dir, files)?.digest)
}

const MANIFEST: &str = "snapshot.json";

fn nothing() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "nothing was read")
}

/// The files of a snapshot that is not in a folder: in an object store, say.
pub trait SnapshotFiles: Send + Sync + std::fmt::Debug {
    /// Bytes of a file, none if it is not there.
    fn size(&self, name: &str) -> io::Result<Option<u64>>;

    /// Ranges of a file, in order, each whole.
    fn read(&self, name: &str, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>>;
}

/// A snapshot whose files have been opened.
pub(crate) struct Snapshot {
    pub digest: String,
    /// Id of the registry it was taken from, if it says so.
    pub registry: Option<String>,
    files: Vec<EntityFile>,
}

struct EntityFile {
    path: PathBuf,
    /// Where the file is, if it is not on the disk.
    away: Option<Away>,
    rows: usize,
    metadata: ArrowReaderMetadata,
}

impl Snapshot {
    /// Opens the files of every entity of the program. With `codes`, texts of code lists are read as
    /// dictionaries.
    pub fn open(
        program: &Program,
        dir: &Path,
        files: Option<&Arc<dyn SnapshotFiles>>,
    ) -> Result<Self, EngineError> {
        let manifest = Manifest::read(dir, files.map(AsRef::as_ref))?;
        let wrong = |reason: String| EngineError::SnapshotFormat { path: dir.to_owned(), reason };
        let open = |entity: &Entity| {
            let name = entity.name.as_str();
            let coded = entity.fields.iter().map(|id| &program.columns[id.index()]);
            let coded = coded.filter(|column| matches!(column.ty, Type::Code(_)));
            let coded: Vec<&str> = coded.map(|column| column.name.as_str()).collect();
            let file = EntityFile::open(dir.join(format!("{name}.parquet")), files, &coded)?;
            match manifest.entities.get(name) {
                Some(entity) if entity.rows != file.rows => {
                    Err(wrong(format!("`{name}` has {} rows, not {}", file.rows, entity.rows)))
                }
                Some(_) => Ok(file),
                None => Err(wrong(format!("it does not list `{name}`"))),
            }
        };
        let files = program.entities.iter().map(open);
        let files = files.collect::<Result<Vec<_>, EngineError>>()?;
        Ok(Self { digest: manifest.digest, registry: manifest.registry, files })
    }

    pub fn rows(&self, entity: EntityId) -> usize {
        self.files[entity.index()].rows
    }

    /// Bytes that what the files say of themselves takes.
    pub fn bytes_of_metadata(&self) -> usize {
        self.files.iter().map(|file| file.metadata.metadata().memory_size()).sum()
    }

    /// Rows of the wanted columns as one batch.
    pub fn read(
        &self,
        program: &Program,
        wanted: &Wanted,
        rows: Range<usize>,
    ) -> Result<RecordBatch, EngineError> {
        let file = &self.files[wanted.entity.index()];
        let name = &program.entities[wanted.entity.index()].name;
        file.read(name, &wanted.names(program), rows)
    }

    /// Bytes that a row of the wanted columns takes in memory, on average.
    pub fn bytes_of_row(&self, program: &Program, wanted: &Wanted) -> f64 {
        let file = &self.files[wanted.entity.index()];
        let schema = file.metadata.schema();
        let groups = file.metadata.metadata().row_groups();
        let width = |name: String| {
            let Ok(index) = schema.index_of(&name) else { return 0.0 };
            let ty = schema.field(index).data_type();
            match ty.primitive_width() {
                Some(width) => width as f64,
                None if *ty == DataType::Boolean => 0.25,
                None if matches!(ty, DataType::Dictionary(..)) => 4.125,
                None => {
                    let bytes: i64 = groups.iter().map(|group| group.column(index).uncompressed_size()).sum();
                    // Texts that repeat are stored once.
                    4.0 + (bytes as f64 / file.rows.max(1) as f64).max(12.0)
                }
            }
        };
        wanted.names(program).into_iter().map(width).sum()
    }

    /// Calls `visit` with the parents' rows along an edge, batch by batch in order, and the first row of each batch.
    pub fn parents(
        &self,
        program: &Program,
        edge: EdgeId,
        visit: &mut dyn FnMut(usize, &Int32Array) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let child = program.edges[edge.index()].child;
        let file = &self.files[child.index()];
        let column = edge_column(program, edge);
        let projection =
            file.projection(&program.entities[child.index()].name, std::slice::from_ref(&column))?;
        let mut row = 0;
        let groups = 0..file.metadata.metadata().num_row_groups();
        let readers = groups.map(|group| file.reader(group, &projection));
        for batch in readers.flat_map(|reader| {
            let reader = reader.and_then(|reader| {
                reader.with_batch_size(1 << 16).build().map_err(|error| file.error(error))
            });
            match reader {
                Ok(reader) => Box::new(reader.map(|batch| Ok(batch?))),
                Err(error) => Box::new(std::iter::once(Err(error))) as Box<dyn Iterator<Item = _>>,
            }
        }) {
            let batch: RecordBatch = batch?;
            let parents = batch.column(0).as_primitive_opt::<Int32Type>();
            let parents = parents.ok_or_else(|| EngineError::SnapshotType {
                entity: program.entities[child.index()].name.clone(),
                column: column.clone(),
                expected: "Int32".to_owned(),
                found: batch.column(0).data_type().to_string(),
            })?;
            visit(row, parents)?;
            row += parents.len();
        }
        Ok(())
    }

    /// Which of the wanted columns hold, or may hold, NULL although the program says they never do: from
    /// the statistics of the files, so that no row is read.
    pub fn note_unknowns(&self, program: &Program, wanted: &Wanted, unknowns: &mut Unknowns) {
        let file = &self.files[wanted.entity.index()];
        let fields = wanted.fields.iter().filter(|id| {
            let column = &program.columns[id.index()];
            let range = column.range.filter(|_| matches!(column.ty, Type::Number(_)));
            !column.nullable && file.column(&column.name, |statistics| suspicious(statistics, range))
        });
        unknowns.fields.extend(fields);
        let edges = wanted.edges.iter().filter(|edge| {
            let required = program.edges[edge.index()].required;
            required && file.column(&edge_column(program, **edge), |statistics| suspicious(statistics, None))
        });
        unknowns.edges.extend(edges);
    }
}

/// A file that is somewhere else.
#[derive(Clone, Debug)]
struct Away {
    files: Arc<dyn SnapshotFiles>,
    name: String,
    size: u64,
}

impl Away {
    fn read(&self, ranges: &[Range<u64>]) -> parquet::errors::Result<Vec<Bytes>> {
        self.files.read(&self.name, ranges).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

/// What a reader reads: a file on the disk, or pieces that have been fetched of one that is not.
enum Source {
    Disk(File),
    Pieces { away: Away, pieces: Vec<(u64, Bytes)> },
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::Disk(file) => file.len(),
            Self::Pieces { away, .. } => away.size,
        }
    }
}

impl ChunkReader for Source {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        match self {
            Self::Disk(file) => Ok(Box::new(file.get_read(start)?)),
            Self::Pieces { away, pieces } => {
                let fetched =
                    pieces.iter().find(|(from, bytes)| (*from..*from + bytes.len() as u64).contains(&start));
                let rest = match fetched {
                    Some((from, bytes)) => bytes.slice((start - from) as usize..),
                    None => away.read(std::slice::from_ref(&(start..away.size)))?.remove(0),
                };
                Ok(Box::new(io::Cursor::new(rest)))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Self::Disk(file) => file.get_bytes(start, length),
            Self::Pieces { away, pieces } => {
                let end = start + length as u64;
                let holds =
                    |(from, bytes): &&(u64, Bytes)| *from <= start && end <= from + bytes.len() as u64;
                match pieces.iter().find(holds) {
                    Some((from, bytes)) => Ok(bytes.slice((start - from) as usize..(end - from) as usize)),
                    None => Ok(away.read(std::slice::from_ref(&(start..end)))?.remove(0)),
                }
            }
        }
    }
}

/// Whether a piece of a column may hold NULL, or a number that the range makes unknown.
fn suspicious(statistics: Option<&Statistics>, range: Option<pack::program::Range>) -> bool {
    let Some(statistics) = statistics else { return true };
    if statistics.null_count_opt() != Some(0) {
        return true;
    }
    match (range, statistics) {
        (None, _) => false,
        (Some(range), Statistics::Int64(bounds)) => match (bounds.min_opt(), bounds.max_opt()) {
            (Some(min), Some(max)) => i128::from(*min) < range.min || i128::from(*max) > range.max,
            _ => true,
        },
        (Some(_), _) => true,
    }
}

/// The metadata of a file of which some columns of text are read as dictionaries.
fn with_codes(metadata: ArrowReaderMetadata, coded: &[&str]) -> Result<ArrowReaderMetadata, ParquetError> {
    let text = |field: &Field| *field.data_type() == DataType::Utf8 && coded.contains(&field.name().as_str());
    if !metadata.schema().fields().iter().any(|field| text(field)) {
        return Ok(metadata);
    }
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let fields = metadata.schema().fields().iter().map(|field| {
        if text(field) {
            Arc::new(field.as_ref().clone().with_data_type(dictionary.clone()))
        } else {
            Arc::clone(field)
        }
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    ArrowReaderMetadata::try_new(
        Arc::clone(metadata.metadata()),
        ArrowReaderOptions::new().with_schema(schema),
    )
}

impl EntityFile {
    fn open(
        path: PathBuf,
        files: Option<&Arc<dyn SnapshotFiles>>,
        coded: &[&str],
    ) -> Result<Self, EngineError> {
        let failed = |error| EngineError::parquet(&path, error);
        let (away, metadata) = match files {
            Some(files) => {
                let name =
                    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let size = files.size(&name).map_err(|error| EngineError::file(&path, error))?;
                let Some(size) = size else { return Err(EngineError::SnapshotFile { path }) };
                let away = Away { files: Arc::clone(files), name, size };
                let source = Source::Pieces { away: away.clone(), pieces: vec![] };
                (Some(away), ArrowReaderMetadata::load(&source, ArrowReaderOptions::new()))
            }
            None if !path.is_file() => return Err(EngineError::SnapshotFile { path }),
            None => {
                let file = File::open(&path).map_err(|error| EngineError::file(&path, error))?;
                (None, ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))
            }
        };
        let metadata = metadata.and_then(|metadata| with_codes(metadata, coded)).map_err(failed)?;
        let rows = usize::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
        Ok(Self { path, away, rows, metadata })
    }

    fn error(&self, error: ParquetError) -> EngineError {
        EngineError::parquet(&self.path, error)
    }

    /// A reader of some columns of a row group.
    fn reader(
        &self,
        group: usize,
        projection: &ProjectionMask,
    ) -> Result<ParquetRecordBatchReaderBuilder<Source>, EngineError> {
        let source = match &self.away {
            None => {
                Source::Disk(File::open(&self.path).map_err(|error| EngineError::file(&self.path, error))?)
            }
            Some(away) => {
                let columns = self.metadata.metadata().row_group(group).columns().iter().enumerate();
                let wanted = columns.filter(|(index, _)| projection.leaf_included(*index));
                let ranges: Vec<Range<u64>> = wanted
                    .map(|(_, column)| column.byte_range())
                    .map(|(start, length)| start..start + length)
                    .collect();
                let fetched = away.read(&ranges).map_err(|error| self.error(error))?;
                let pieces = ranges.iter().map(|range| range.start).zip(fetched).collect();
                Source::Pieces { away: away.clone(), pieces }
            }
        };
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(source, self.metadata.clone());
        Ok(builder.with_projection(projection.clone()).with_row_groups(vec![group]))
    }

    fn projection(&self, entity: &str, names: &[String]) -> Result<ProjectionMask, EngineError> {
        let schema = self.metadata.schema();
        let index = |name: &String| {
            schema
                .index_of(name)
                .map_err(|_| EngineError::SnapshotColumn { entity: entity.to_owned(), column: name.clone() })
        };
        let indices = names.iter().map(index).collect::<Result<Vec<_>, _>>()?;
        Ok(ProjectionMask::roots(self.metadata.parquet_schema(), indices))
    }

    /// Row groups outside the range are not touched.
    fn read(&self, entity: &str, names: &[String], rows: Range<usize>) -> Result<RecordBatch, EngineError> {
        let projection = self.projection(entity, names)?;
        let mut groups = vec![];
        let mut skip = rows.start;
        let mut first = 0;
        for (index, group) in self.metadata.metadata().row_groups().iter().enumerate() {
            let end = first + usize::try_from(group.num_rows()).unwrap_or(0);
            if end > rows.start && first < rows.end {
                if groups.is_empty() {
                    skip = rows.start - first;
                }
                groups.push(index);
            }
            first = end;
        }
        // One group at a time: each has dictionaries of its own.
        let mut batches = vec![];
        let (mut left, mut schema) = (rows.len(), None);
        for group in groups {
            let reader = self
                .reader(group, &projection)?
                .with_offset(skip)
                .with_limit(left)
                .with_batch_size(rows.len().clamp(1, 1 << 20))
                .build()
                .map_err(|error| self.error(error))?;
            schema = Some(arrow::array::RecordBatchReader::schema(&reader));
            for batch in reader {
                let batch = batch?;
                left -= batch.num_rows();
                batches.push(batch);
            }
            skip = 0;
        }
        match (batches.as_slice(), schema) {
            ([batch], _) => Ok(batch.clone()),
            (batches, Some(schema)) => Ok(concat_batches(&schema, batches)?),
            (_, None) => {
                let fields = self.metadata.schema().fields();
                let wanted = fields.iter().filter(|field| names.contains(field.name()));
                Ok(RecordBatch::new_empty(Arc::new(Schema::new(wanted.cloned().collect::<Vec<_>>()))))
            }
        }
    }

    /// Whether something holds of some piece of a column; true for a column that is not there.
    fn column(&self, name: &str, holds: impl Fn(Option<&Statistics>) -> bool) -> bool {
        let Ok(index) = self.metadata.schema().index_of(name) else { return true };
        let groups = self.metadata.metadata().row_groups();
        groups.iter().any(|group| holds(group.column(index).statistics()))
    }
}
