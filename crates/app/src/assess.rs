//! Runs a pack over a registry: snapshot, run, results in one folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use engine::{EngineError, Progress, RunManifest, RunOptions, RunSummary, SnapshotFiles, Timings, Workers};
use model::{AsProblem as _, Date};
use store::{Registry, StoreError, WorkFolder};
use thiserror::Error;

use crate::derived::{self, DerivedError};
use crate::packs::Loaded;

#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum AssessError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Derived(#[from] DerivedError),
    ParameterChanges {
        parameter: String,
        rule: String,
        on: Date,
    },
    OutputTaken {
        path: String,
    },
    NoPlace {
        snapshot: String,
    },
    Io {
        path: String,
        source: std::io::Error,
    },
}

/// Finds who works on a run, somewhere else.
pub type FindWorkers =
    Arc<dyn Fn(&RunOptions, &Loaded) -> Result<Arc<dyn Workers>, EngineError> + Send + Sync>;

/// What to run and where to.
pub struct AssessOptions {
    pub as_of: Date,
    /// Where the run goes.
    pub out: Out,
    /// An earlier run, whose results fields may take over.
    pub previous: Option<PathBuf>,
    /// Parts worked on at a time; 0 for one for each core.
    pub threads: usize,
    /// Bytes that the run may hold; no limit if absent.
    pub memory_limit: Option<usize>,
    /// The snapshot's files, if it is not in a folder.
    pub snapshot_files: Option<Arc<dyn SnapshotFiles>>,
    /// Finds who works on the run, from its options; this process if absent.
    pub workers: Option<FindWorkers>,
    /// Where to note what the pieces of the run take.
    pub timings: Timings,
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
}

/// Where a run goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    /// Below the registry, or beside the snapshot, under a name that says what went into it.
    Usual,
    Folder(PathBuf),
    /// Nowhere: everything is computed, and only totals and the number of findings are kept.
    Nowhere,
}

impl AssessOptions {
    /// All cores, no limit, no earlier run, nobody told of progress.
    pub fn new(as_of: Date, out: Out) -> Self {
        Self {
            as_of,
            out,
            previous: None,
            threads: 0,
            memory_limit: None,
            snapshot_files: None,
            workers: None,
            timings: Timings::default(),
            progress: Arc::new(|_| {}),
        }
    }
}

/// A finished run.
pub struct Assessment {
    pub run: Option<PathBuf>,
    pub summary: RunSummary,
    /// What stands in the run's `manifest.json`, also if nothing was written.
    pub manifest: RunManifest,
}

/// Takes a snapshot of the registry and runs the pack over it.
pub fn assess(
    registry: &Registry,
    pack: &Loaded,
    options: &AssessOptions,
) -> Result<Assessment, AssessError> {
    let program = &pack.program;
    refuse_changes(pack, options.as_of)?;
    refuse_taken(&options.out)?;
    let snapshots = registry.folder().join("snapshots");
    let fresh = WorkFolder::beside(&snapshots.join("next"))?;
    let since = Instant::now();
    // Derived fields and the snapshot must show the same commit, whatever is imported meanwhile.
    let reading = registry.read()?;
    let values = derived::of_registry(&reading.view(), program, options.as_of, options.previous.as_deref())?;
    let taken = reading.snapshot_into(&fresh, &values)?;
    drop(reading);
    options.timings.add("snapshot", since, 0, 0);
    let snapshot = snapshots.join(&taken.digest[..16.min(taken.digest.len())]);
    settle(fresh, &snapshot)?;
    run_over(&snapshot, &registry.folder().join("runs"), &taken.digest, pack, options)
}

/// Runs the pack over a snapshot.
pub fn assess_snapshot(
    snapshot: &Path,
    pack: &Loaded,
    options: &AssessOptions,
) -> Result<Assessment, AssessError> {
    refuse_changes(pack, options.as_of)?;
    refuse_taken(&options.out)?;
    if options.snapshot_files.is_some() && options.out == Out::Usual {
        return Err(AssessError::NoPlace { snapshot: snapshot.display().to_string() });
    }
    let name = snapshot.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let runs = snapshot.parent().unwrap_or(Path::new(".")).join("runs");
    run_over(snapshot, &runs, &name, pack, options)
}

fn run_over(
    snapshot: &Path,
    runs: &Path,
    of: &str,
    pack: &Loaded,
    options: &AssessOptions,
) -> Result<Assessment, AssessError> {
    let program = &pack.program;
    let short = |text: &str| text.chars().take(12).collect::<String>();
    let run = match &options.out {
        Out::Nowhere => None,
        Out::Folder(folder) => Some(folder.clone()),
        Out::Usual => Some(runs.join(format!("{}-{}-{}", options.as_of, short(&program.digest), short(of)))),
    };
    let building = run.as_deref().map(WorkFolder::beside).transpose()?;
    if let Some(building) = &building {
        // The engine makes the folder itself and takes none that is there. The name stays ours.
        std::fs::remove_dir(building.path()).map_err(io(building.path()))?;
    }
    let mut settings = RunOptions {
        snapshot: snapshot.to_owned(),
        snapshot_files: options.snapshot_files.clone(),
        out: building.as_ref().map(|building| building.path().to_owned()),
        as_of: options.as_of,
        threads: options.threads,
        memory_limit: options.memory_limit,
        part_rows: engine::PART_ROWS,
        block_rows: None,
        workers: None,
        timings: options.timings.clone(),
        progress: Arc::clone(&options.progress),
    };
    if let Some(find) = &options.workers {
        settings.workers = Some(find(&settings, pack)?);
    }
    let summary = engine::run(program, &settings)?;
    if let Some(building) = building {
        pack.save(building.path()).map_err(io(building.path()))?;
        building.replace()?;
    }
    let manifest = summary.manifest.clone();
    Ok(Assessment { run, summary, manifest })
}

/// Rules may say that a parameter they read must not change within the calendar year.
fn refuse_changes(pack: &Loaded, as_of: Date) -> Result<(), AssessError> {
    let program = &pack.program;
    for (rule, parameter) in &program.unchanging {
        let parameter = &program.parameters[parameter.index()];
        let starts: Vec<Date> = match &parameter.shape {
            pack::program::ParameterShape::Scalar(values) => values.iter().map(|dated| dated.from).collect(),
            pack::program::ParameterShape::Table { values, .. } => {
                values.iter().map(|dated| dated.from).collect()
            }
            pack::program::ParameterShape::Brackets { values, .. } => {
                values.iter().map(|dated| dated.from).collect()
            }
        };
        let inside = |date: &&Date| date.year() == as_of.year() && (date.month(), date.day()) != (1, 1);
        // The first value's start is no change: nothing was in force before it.
        if let Some(on) = starts.iter().skip(1).find(inside) {
            return Err(AssessError::ParameterChanges {
                parameter: parameter.id.clone(),
                rule: program.rules[rule.index()].id.clone(),
                on: *on,
            });
        }
    }
    Ok(())
}

/// Only a run is ever replaced: what else stands in its place is somebody's.
fn refuse_taken(out: &Out) -> Result<(), AssessError> {
    let Out::Folder(out) = out else { return Ok(()) };
    let empty = || std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    let run = ["manifest.json", "pack.json"].iter().all(|file| out.join(file).is_file());
    if out.symlink_metadata().is_err() || run || empty() {
        return Ok(());
    }
    Err(AssessError::OutputTaken { path: out.display().to_string() })
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> AssessError {
    let path = path.display().to_string();
    move |source| AssessError::Io { path, source }
}

/// What a snapshot says of itself.
const DESCRIPTION: &str = "snapshot.json";

/// A snapshot is named by its content: of one that is there already only what is said of it is renewed, as the
/// number of the last change in it.
fn settle(fresh: WorkFolder, target: &Path) -> Result<(), AssessError> {
    let (made, there) = (fresh.path().join(DESCRIPTION), target.join(DESCRIPTION));
    if there.exists() {
        return std::fs::rename(&made, &there).map_err(io(&there));
    }
    Ok(fresh.replace_at(target)?)
}
