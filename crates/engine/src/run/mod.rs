//! A run over a snapshot: by parts, in parallel, into a folder that appears at once.
//!
//! How the work is cut, from the outside in; each word is used for nothing else:
//!
//! ```text
//! snapshot  ├──────────────── province ────────────────┤   rows of every entity, sorted along the tree
//! group     ├── county A ──┤├ county B, C ┤├─ county D ─┤   encoded together; follows from the snapshot alone
//! part      ├── county A ──┤├─ B ─┤├─ C ──┤├─ county D ─┤   computed at once; as large as memory and threads allow
//! block     ├village┤├village┤ …                            a few villages; only where a part does not fit memory
//!
//! phase     before ──▶ in the parts ──▶ after               what is read by, made in, or crosses parts
//! round     over the group ⇄ over each of its blocks        how a group is worked on in blocks
//! stage     columns of one entity made in one pass          ordered by what they need (`crate::stages`)
//! ```
//!
//! - [`parts`] finds the boundaries of parts and groups, [`phases`] says which columns are made before, in and after them.
//! - [`work`] loads and computes; [`pool`] does so on several threads and hands results over in order.
//! - [`budget`] sizes parts for a limit of memory; where parts do not fit, [`rounds`] cuts the work of a group into steps over
//!   [`blocks`], and [`spill`] keeps on the disk what waits.
//! - [`group`] is what a group hands over, to this process or across machines; [`output`] and [`pages`] encode it.
//! - [`totals`], `findings` and [`manifest`] say what came out.

mod blocks;
mod budget;
mod group;
mod manifest;
mod options;
mod output;
mod pages;
mod parts;
mod peopled;
mod phases;
mod pool;
mod rounds;
mod snapshot;
mod spill;
mod split;
mod totals;
mod work;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, SchemaRef};
use pack::program::{ColumnId, EntityId, Program, TotalFunction};

use crate::desugar::{Env, Unknowns, desugar};
use crate::load::Wanted;
use crate::table::Tables;
use evaluate::needs;

use crate::{EngineError, Finding, findings, stack};
use budget::Budget;
use output::{Encoded, Folder, TableWriter, Written, encode};
use parts::Layout;
use snapshot::Snapshot;
use spill::Queue;
use split::Split;
use totals::Totals;
use work::{Output, Work};

pub use crate::timings::{Timing, Timings};
pub use group::{GroupResult, INDEX as GROUP_INDEX};
pub use manifest::{
    EngineNote, FORMAT as RUN_FORMAT, FileNote, ManifestError, PackNote, RunManifest, SnapshotNote,
    exact_json,
};
pub use options::{PART_ROWS, Progress, Request, RunOptions, Workers};
pub use snapshot::{SnapshotFiles, digest as snapshot_digest};

/// What came out of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// The folder.
    pub out: Option<PathBuf>,
    pub parts: usize,
    /// What made the run slower than it could be.
    pub warnings: Vec<String>,
    /// What stands in `manifest.json`, also if nothing was written.
    pub manifest: RunManifest,
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
    prepared(program, options, |prepared| {
        let Prepared { work, threads, warnings, mut totals, mut findings } = prepared;
        let spill = options.memory_limit.map(|_| work.spill_dir.clone());
        let mut collected =
            Collected::new(&work, folder.as_ref(), spill.as_deref(), &mut totals, &mut findings)?;
        let layout = work.layout;
        (options.progress)(Progress::Started { parts: layout.parts });
        let take = &mut |group: usize, result| {
            let since = Instant::now();
            collected.take(group, result)?;
            options.timings.add("write", since, 0, 0);
            if options.workers.is_some() {
                let done = layout.groups[group].end;
                (options.progress)(Progress::Parts { done, parts: layout.parts });
            }
            Ok(())
        };
        match &options.workers {
            Some(workers) => workers.each(layout.groups.len(), take)?,
            None => {
                let groups = layout.groups.len();
                pool::in_order(threads, groups, &|group| work.group(group), take)?;
            }
        }
        (options.progress)(Progress::Finishing);
        let since = Instant::now();
        let written = stack::deep(|| collected.finish(&work, threads))?;
        options.timings.add("finish", since, 0, 0);
        publish(program, options, &work, Results { written, totals, findings, warnings }, folder)
    })
}

/// Works on groups of a run that somebody else collects (see [`Workers`]), on several threads, until `next` has no
/// more requests. Options must be those of the run; where it goes says only whether results are encoded.
///
/// # Errors
/// As [`run`], before the first request is taken; the failure of a group is its reply.
pub fn serve(
    program: &Program,
    options: &RunOptions,
    next: &(dyn Fn() -> Option<Request> + Sync),
) -> Result<(), EngineError> {
    prepared(program, options, |prepared| {
        let (work, threads) = (&prepared.work, prepared.threads);
        pool::in_order(
            threads,
            threads,
            &|_| {
                while let Some(request) = next() {
                    let groups = work.layout.groups.len();
                    (request.reply)(if request.group < groups {
                        work.group(request.group)
                    } else {
                        Err(EngineError::Worker(format!("there is no group {} of {groups}", request.group)))
                    });
                }
                Ok(())
            },
            &mut |_, ()| Ok(()),
        )
    })
}

/// A run before its first group.
struct Prepared<'a> {
    work: Work<'a>,
    threads: usize,
    warnings: Vec<String>,
    totals: Totals,
    findings: Vec<Finding>,
}

/// Opens the snapshot, plans the run, and computes what comes before the parts.
fn prepared<T>(
    program: &Program,
    options: &RunOptions,
    go_on: impl FnOnce(Prepared<'_>) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let since = Instant::now();
    let snapshot = Snapshot::open(program, &options.snapshot, options.snapshot_files.as_ref())?;
    let mut stored = needs::stored(program);
    stored.extend(needs::aggregates_of_divisions(program, &needs::alias_of(program)));
    let wanted = stored.union(&needs::totalled(program)).copied().collect::<Vec<_>>();
    let needed = program.needed_by(wanted.iter().copied());
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
    let budget = options
        .memory_limit
        .map(|limit| Budget::new(program, &flat, &snapshot, &stored, limit, options.out.is_some()));
    let part_rows = match (&budget, options.block_rows) {
        (_, Some(_)) => usize::MAX,
        (Some(budget), None) => budget.part_rows(&snapshot, threads, options.part_rows),
        (None, None) => options.part_rows,
    };
    let layout = match Layout::new(program, &snapshot, part_rows) {
        Err(error @ EngineError::SnapshotOrder { .. }) => {
            warnings.push(format!("{error}; it is run in one piece, which takes more memory and time"));
            Layout::whole(program, &snapshot)
        }
        layout => layout?,
    };
    let split = Split::new(&flat, &snapshot, &stored, layout, budget.as_ref(), threads, options)?;
    options.timings.add("split", since, 0, 0);
    let mut work = Work::new(&flat, &split, &snapshot, &stored, options)?;
    let (mut totals, mut findings) = (Totals::new(program)?, vec![]);
    stack::deep(|| work.prepare(&mut totals, &mut findings))?;
    go_on(Prepared { work, threads: split.threads, warnings, totals, findings })
}

/// What the groups have handed over so far.
struct Collected<'a> {
    folder: Option<&'a Folder>,
    writers: BTreeMap<EntityId, TableWriter>,
    /// Entities whose groups wait for the end: what columns made after the parts belong to.
    late: BTreeMap<EntityId, Waiting>,
    handed_over: BTreeMap<ColumnId, Vec<ArrayRef>>,
    totals: &'a mut Totals,
    findings: &'a mut Vec<Finding>,
}

impl<'a> Collected<'a> {
    fn new(
        work: &Work<'_>,
        folder: Option<&'a Folder>,
        spill: Option<&Path>,
        totals: &'a mut Totals,
        findings: &'a mut Vec<Finding>,
    ) -> Result<Self, EngineError> {
        let (mut writers, mut late) = (BTreeMap::new(), BTreeMap::new());
        for (output, folder) in work.outputs.iter().filter_map(|output| Some((output, folder?))) {
            let name = format!("{}.parquet", work.program.entities[output.entity.index()].name);
            writers.insert(
                output.entity,
                TableWriter::create(folder.file(&name), output.schema.clone(), spill)?,
            );
            // With little memory the files of all groups wait: what a file says of its row groups is held until it is
            // closed, and is much where there are many groups.
            let large =
                work.layout.is_split(output.entity) && !work.layout.is_small(output.entity, work.snapshot);
            if !output.late.fields().is_empty() || (spill.is_some() && large) {
                let waiting = Waiting { files: vec![], batches: Queue::new(spill)? };
                late.insert(output.entity, waiting);
            }
        }
        Ok(Self { folder, writers, late, handed_over: BTreeMap::new(), totals, findings })
    }

    fn take(&mut self, group: usize, result: GroupResult) -> Result<(), EngineError> {
        for (entity, files) in result.files {
            match (self.late.get_mut(&entity), self.folder) {
                (Some(waiting), Some(folder)) => {
                    let mut paths = vec![];
                    for (number, file) in files.iter().enumerate() {
                        let path = folder.file(&format!(".{}-{group}-{number}", entity.0));
                        std::fs::write(&path, file).map_err(|error| EngineError::file(&path, error))?;
                        paths.push(path);
                    }
                    waiting.files.push(paths);
                }
                _ => {
                    if let Some(writer) = self.writers.get_mut(&entity) {
                        let files = files.into_iter().map(Encoded::open);
                        writer.append(&files.collect::<Result<Vec<_>, _>>()?)?;
                    }
                }
            }
        }
        for (entity, batch) in result.batches {
            if let Some(waiting) = self.late.get_mut(&entity) {
                waiting.batches.push(batch)?;
            } else if let Some(writer) = self.writers.get_mut(&entity) {
                writer.append_small(batch)?;
            }
        }
        for (id, array) in result.handed_over {
            self.handed_over.entry(id).or_default().push(array);
        }
        self.findings.extend(result.findings);
        self.totals.add(&result.totals);
        Ok(())
    }

    /// Computes what crosses parts and completes the files.
    fn finish(self, work: &Work<'_>, threads: usize) -> Result<Vec<Written>, EngineError> {
        let Self { folder, mut writers, mut late, handed_over, totals, findings, .. } = self;
        let tables = work.finish(handed_over, totals, findings)?;
        let jobs = work.outputs.iter().filter_map(|output| {
            let waiting = late.remove(&output.entity).unwrap_or_default();
            Some(Mutex::new(Some((output, writers.remove(&output.entity)?, waiting))))
        });
        let jobs: Vec<_> = jobs.collect();
        let mut written = vec![];
        let complete = |job: usize| {
            let job = jobs[job].lock().unwrap_or_else(PoisonError::into_inner).take();
            let (output, writer, waiting) = job.expect("every file is completed once");
            completed(work, &tables, output, writer, waiting)
        };
        pool::in_order(threads, jobs.len(), &complete, &mut |_, file| {
            written.push(file);
            Ok(())
        })?;
        findings::sort(findings);
        let Some(folder) = folder else { return Ok(written) };
        let batch = findings::batch(work.program, findings)?;
        let mut writer = TableWriter::create(folder.file("findings.parquet"), batch.schema(), None)?;
        writer.append_small(batch)?;
        written.push(writer.finish()?);
        Ok(written)
    }
}

/// Groups of an entity that wait for columns made after the parts.
#[derive(Default)]
struct Waiting {
    /// By group.
    files: Vec<Vec<PathBuf>>,
    batches: Queue,
}

/// The columns of batches of the same rows, as the schema orders them.
fn merged(schema: &SchemaRef, batches: &[&RecordBatch]) -> Result<RecordBatch, EngineError> {
    let column =
        |field: &Arc<Field>| batches.iter().find_map(|batch| batch.column_by_name(field.name()).cloned());
    let columns = schema.fields().iter().filter_map(column).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The file of an entity with what was made after the parts.
fn completed(
    work: &Work<'_>,
    tables: &Tables,
    output: &Output,
    mut writer: TableWriter,
    waiting: Waiting,
) -> Result<Written, EngineError> {
    if !work.layout.is_split(output.entity) {
        writer.append_small(work.batch(output, &output.schema, tables, &|_| None)?)?;
    }
    if waiting.files.is_empty() && waiting.batches.is_empty() {
        return writer.finish();
    }
    let made = match output.late.fields().len() {
        0 => None,
        _ => Some(work.batch(output, &output.late, tables, &|_| None)?),
    };
    let made = |group: usize| {
        let rows = work.layout.group_rows(output.entity, group);
        made.as_ref().map(|made| made.slice(rows.start, rows.len()))
    };
    for (group, paths) in waiting.files.iter().enumerate() {
        let mut files = vec![];
        if let Some(made) = made(group) {
            files.push(Encoded::open(bytes::Bytes::from(encode(made)?))?);
        }
        for path in paths {
            let early = std::fs::read(path).map_err(|error| EngineError::file(path, error))?;
            files.push(Encoded::open(early.into())?);
        }
        writer.append(&files)?;
        for path in paths {
            std::fs::remove_file(path).map_err(|error| EngineError::file(path, error))?;
        }
    }
    for (group, batch) in waiting.batches.each().enumerate() {
        let (early, late) = (batch?, made(group));
        let batches: Vec<&RecordBatch> = std::iter::once(&early).chain(&late).collect();
        writer.append_small(merged(&output.schema, &batches)?)?;
    }
    writer.finish()
}

/// What came out of a run.
struct Results {
    written: Vec<Written>,
    totals: Totals,
    findings: Vec<Finding>,
    warnings: Vec<String>,
}

fn publish(
    program: &Program,
    options: &RunOptions,
    work: &Work<'_>,
    results: Results,
    folder: Option<Folder>,
) -> Result<RunSummary, EngineError> {
    let entities = program.entities.iter().enumerate();
    let rows = |entity: EntityId| work.snapshot.rows(entity);
    let named = entities.map(|(index, entity)| (entity.name.clone(), rows(EntityId(index as u32)) as u64));
    let subjects = program.totals.iter().map(|total| match total.function {
        TotalFunction::Count => rows(total.entity) as u64,
        _ => work.peopled.subjects(total.entity, rows(total.entity)),
    });
    let path = match (&options.snapshot_files, &options.out) {
        (None, Some(out)) => snapshot_path(out, &options.snapshot)?,
        _ => options.snapshot.display().to_string(),
    };
    let contents = manifest::Contents {
        program,
        as_of: options.as_of,
        snapshot: SnapshotNote {
            path,
            digest: work.snapshot.digest.clone(),
            rows: named.collect(),
            registry: work.snapshot.registry.clone(),
        },
        files: &results.written,
        findings: &results.findings,
        totals: &results.totals,
        subjects: subjects.collect(),
    };
    let manifest = contents.manifest();
    if let Some(folder) = folder {
        manifest.write(folder.path()).map_err(|error| EngineError::file(folder.path(), error))?;
        folder.publish()?;
    }
    Ok(RunSummary {
        out: options.out.clone(),
        parts: work.layout.parts,
        warnings: results.warnings,
        manifest,
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
