//! A run over a snapshot: by parts, in parallel, into a folder that appears at once.

mod budget;
mod manifest;
mod output;
mod parts;
mod phases;
mod pool;
mod snapshot;
mod timings;
mod totals;
mod work;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use model::Date;
use pack::program::{ColumnId, EntityId, Program};

use crate::desugar::{Env, Unknowns, desugar};
use crate::load::Wanted;
use crate::{EngineError, Execution, Finding, findings, needs, session};
use budget::Budget;
use output::{Folder, TableWriter, Written};
use parts::Layout;
use phases::{Phase, Phases};
use snapshot::Snapshot;
use totals::Totals;
use work::{PartResult, Work};

pub(crate) use manifest::FORMAT;
pub use timings::{Timing, Timings};

/// Rows of the largest entity in a part, where nothing else is said.
pub const PART_ROWS: usize = 1 << 17;

/// What to run and how.
#[derive(Clone)]
pub struct RunOptions {
    /// Folder of the snapshot.
    pub snapshot: PathBuf,
    /// Folder of the run, which must not exist; without one everything is computed and only totals and the
    /// number of findings are kept.
    pub out: Option<PathBuf>,
    pub as_of: Date,
    /// Parts worked on at a time; 0 for one for each core.
    pub threads: usize,
    /// Bytes that the run may hold: parts become smaller, and fewer are worked on at a time.
    pub memory_limit: Option<usize>,
    /// A part has about so many rows of the largest entity.
    pub part_rows: usize,
    pub execution: Execution,
    /// Where to note what the pieces of the run take.
    pub timings: Timings,
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
}

impl RunOptions {
    /// All cores, no limit, no progress.
    pub fn new(snapshot: impl Into<PathBuf>, out: impl Into<PathBuf>, as_of: Date) -> Self {
        Self {
            snapshot: snapshot.into(),
            out: Some(out.into()),
            as_of,
            threads: 0,
            memory_limit: None,
            part_rows: PART_ROWS,
            execution: Execution::Aligned,
            timings: Timings::default(),
            progress: Arc::new(|_| {}),
        }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The number of parts is known.
    Started { parts: usize },
    /// So many parts are written.
    Parts { done: usize, parts: usize },
    /// What crosses parts is being computed.
    Finishing,
}

/// What came out of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// The folder.
    pub out: Option<PathBuf>,
    pub parts: usize,
    /// What made the run slower than it could be.
    pub warnings: Vec<String>,
    /// Rows of each entity of the snapshot.
    pub rows: BTreeMap<String, u64>,
    /// Number of findings by code.
    pub findings: BTreeMap<String, u64>,
    /// The program's totals, in order of declaration: counts, and sums scaled as their column.
    pub totals: Vec<(String, i128)>,
    /// SHA-256 of each file by name, lower-case hexadecimal.
    pub files: BTreeMap<String, String>,
}

/// Runs the program over a snapshot into a new folder: `<entity>.parquet` for every entity with results
/// (`_row`, the key, the parents' keys under the edges' names, every computed column that is not hidden),
/// `findings.parquet` and `manifest.json`. The same inputs give the same bytes, whatever the threads and
/// parts. The folder appears when all of it is there.
///
/// # Errors
/// A snapshot that does not fit the program, a parameter without a value in force, a folder that exists,
/// or a failure of DataFusion or the disk. A single subject never makes a run fail.
pub fn run(program: &Program, options: &RunOptions) -> Result<RunSummary, EngineError> {
    let folder = options.out.as_deref().map(Folder::create).transpose()?;
    let since = Instant::now();
    let snapshot = Snapshot::open(program, &options.snapshot)?;
    let stored = needs::stored(program);
    let wanted = stored.union(&needs::totalled(program)).copied().collect::<Vec<_>>();
    let needed = needs::closure(program, wanted.iter().copied());
    let mut unknowns = Unknowns::default();
    for index in 0..program.entities.len() as u32 {
        let wanted = Wanted::new(program, EntityId(index), needed.iter().copied());
        snapshot.note_unknowns(program, &wanted, &mut unknowns);
    }
    let flat = desugar(program, Env { as_of: options.as_of }, &unknowns, wanted)?;
    options.timings.add("plan", since, 0, 0);
    let since = Instant::now();
    let mut warnings = vec![];
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let budget = options.memory_limit.map(|limit| Budget::new(program, &flat, &snapshot, limit));
    let part_rows = budget
        .as_ref()
        .map_or(options.part_rows, |budget| budget.part_rows(&snapshot, threads, options.part_rows));
    let layout = match Layout::new(program, &snapshot, part_rows) {
        Err(error @ EngineError::SnapshotOrder { .. }) => {
            warnings.push(format!("{error}; it is run in one piece, which takes more memory and time"));
            Layout::whole(program, &snapshot)
        }
        layout => layout?,
    };
    let threads = match &budget {
        Some(budget) => budget.threads(&snapshot, &layout, threads)?,
        None => threads,
    };
    let phases = Phases::new(&flat, &layout, &snapshot)?;
    options.timings.add("split", since, 0, 0);
    let state = session::state(options.memory_limit)?;
    let mut work = Work::new(&flat, &layout, &phases, &snapshot, &state, &stored, options);
    let mut collected = Collected::new(program, &work, folder.as_ref())?;
    (options.progress)(Progress::Started { parts: layout.parts });
    session::deep(|| {
        let runtime = session::small_runtime()?;
        work.prepare(&runtime, &mut collected.totals, &mut collected.findings)
    })?;
    pool::in_order(threads, layout.parts, &|part, runtime| work.part(part, runtime), &mut |part, result| {
        let since = Instant::now();
        collected.take(result)?;
        options.timings.add("write", since, 0, 0);
        (options.progress)(Progress::Parts { done: part + 1, parts: layout.parts });
        Ok(())
    })?;
    (options.progress)(Progress::Finishing);
    let since = Instant::now();
    session::deep(|| collected.finish(&work, folder.as_ref()))?;
    options.timings.add("finish", since, 0, 0);
    publish(program, options, &snapshot, &layout, collected, warnings, folder)
}

/// What the parts have handed over so far.
struct Collected {
    writers: BTreeMap<usize, TableWriter>,
    /// Batches of entities that have columns made after the parts.
    late: BTreeMap<usize, Vec<RecordBatch>>,
    handed_over: BTreeMap<ColumnId, Vec<ArrayRef>>,
    findings: Vec<Finding>,
    totals: Totals,
    written: Vec<Written>,
}

impl Collected {
    fn new(program: &Program, work: &Work<'_>, folder: Option<&Folder>) -> Result<Self, EngineError> {
        let mut writers = BTreeMap::new();
        let outputs = work.outputs.iter().enumerate();
        for ((position, output), folder) in outputs.filter_map(|output| Some((output, folder?))) {
            let name = format!("{}.parquet", program.entities[output.entity.index()].name);
            writers.insert(position, TableWriter::create(folder.file(&name), output.schema.clone())?);
        }
        let mut late = BTreeMap::new();
        for (position, _) in work.outputs.iter().enumerate().filter(|(_, output)| output.late) {
            late.insert(position, vec![]);
        }
        Ok(Self {
            writers,
            late,
            handed_over: BTreeMap::new(),
            findings: vec![],
            totals: Totals::new(program)?,
            written: vec![],
        })
    }

    fn take(&mut self, part: PartResult) -> Result<(), EngineError> {
        for (position, batch) in part.batches {
            if let Some(waiting) = self.late.get_mut(&position) {
                waiting.push(batch);
            } else if let Some(writer) = self.writers.get_mut(&position) {
                writer.write(batch)?;
            }
        }
        for (id, array) in part.handed_over {
            self.handed_over.entry(id).or_default().push(array);
        }
        self.findings.extend(part.findings);
        self.totals.add(&part.totals);
        Ok(())
    }

    /// Computes what crosses parts and completes the files.
    fn finish(&mut self, work: &Work<'_>, folder: Option<&Folder>) -> Result<(), EngineError> {
        let runtime = session::small_runtime()?;
        let handed_over = std::mem::take(&mut self.handed_over);
        let tables = work.finish(&runtime, handed_over, &mut self.totals, &mut self.findings)?;
        for (position, mut writer) in std::mem::take(&mut self.writers) {
            let output = &work.outputs[position];
            if let Some(batches) = self.late.remove(&position) {
                let early = datafusion::arrow::compute::concat_batches(&output.schema, &batches)?;
                writer.write(with_late(work, output, &early, &tables)?)?;
            } else if !work.layout.is_split(output.entity) {
                writer.write(work.batch(output, &tables)?)?;
            }
            self.written.push(writer.finish()?);
        }
        findings::sort(&mut self.findings);
        let Some(folder) = folder else { return Ok(()) };
        let batch = findings::batch(work.program, &self.findings)?;
        let mut writer = TableWriter::create(folder.file("findings.parquet"), batch.schema())?;
        writer.write(batch)?;
        self.written.push(writer.finish()?);
        Ok(())
    }
}

/// The columns of the parts, with those made after them in their places.
fn with_late(
    work: &Work<'_>,
    output: &work::Output,
    early: &RecordBatch,
    tables: &crate::table::Tables,
) -> Result<RecordBatch, EngineError> {
    let mut columns = early.columns().to_vec();
    let first = columns.len() - output.columns.len();
    let table = tables.get(output.entity);
    for (place, id) in output.columns.iter().enumerate() {
        let name = &work.flat.columns[id].name;
        let made = table.and_then(|table| table.columns.get(name));
        if let Some(array) = made.filter(|_| work.phases.of(*id) == Phase::After) {
            columns[first + place] = Arc::clone(array);
        }
    }
    Ok(RecordBatch::try_new(output.schema.clone(), columns)?)
}

fn publish(
    program: &Program,
    options: &RunOptions,
    snapshot: &Snapshot,
    layout: &Layout,
    collected: Collected,
    warnings: Vec<String>,
    folder: Option<Folder>,
) -> Result<RunSummary, EngineError> {
    let entities = program.entities.iter().enumerate();
    let rows: BTreeMap<String, u64> = entities
        .map(|(index, entity)| (entity.name.clone(), snapshot.rows(EntityId(index as u32)) as u64))
        .collect();
    if let (Some(folder), Some(out)) = (folder, &options.out) {
        let contents = manifest::Contents {
            program,
            as_of: options.as_of,
            snapshot: snapshot_path(out, &options.snapshot)?,
            snapshot_digest: &snapshot.digest,
            rows: &rows,
            files: &collected.written,
            findings: &collected.findings,
            totals: &collected.totals,
        };
        let path = folder.file("manifest.json");
        std::fs::write(&path, format!("{:#}\n", contents.json()))
            .map_err(|error| EngineError::file(&path, error))?;
        folder.publish()?;
    }
    let ids = program.totals.iter().map(|total| total.id.clone());
    Ok(RunSummary {
        out: options.out.clone(),
        parts: layout.parts,
        warnings,
        rows,
        findings: manifest::finding_counts(&collected.findings),
        totals: ids.zip(collected.totals.0.iter().copied()).collect(),
        files: collected.written.into_iter().map(|file| (file.name, file.sha256)).collect(),
    })
}

/// The snapshot's folder as the manifest names it: as seen from the run's folder, where that is possible.
fn snapshot_path(out: &Path, snapshot: &Path) -> Result<String, EngineError> {
    let absolute = |path: &Path| path.canonicalize().map_err(|error| EngineError::file(path, error));
    let parent = match out.parent() {
        Some(parent) if parent != Path::new("") => absolute(parent)?,
        _ => absolute(Path::new("."))?,
    };
    let place = parent.join(out.file_name().unwrap_or_default());
    Ok(manifest::relative(&place, &absolute(snapshot)?).to_string_lossy().into_owned())
}
