//! Runs a pack over a registry: snapshot, run, results in one folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::{EngineError, Progress, RunOptions, RunSummary};
use model::Date;
use store::{Registry, StoreError};
use thiserror::Error;

use crate::derived::{self, DerivedError};
use crate::packs::Loaded;

#[derive(Debug, Error)]
pub enum AssessError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Derived(#[from] DerivedError),
    #[error(
        "parameter `{parameter}` changes on {on}, inside the year of the run, and `{rule}` does not allow that"
    )]
    ParameterChanges { parameter: String, rule: String, on: Date },
    #[error(
        "`{path}` is there and is no run\nhint: name a folder that is not there yet, or a run to be replaced"
    )]
    OutputTaken { path: String },
    #[error("`{path}` cannot be written: {source}")]
    Io { path: String, source: std::io::Error },
}

/// What to run and where to.
pub struct AssessOptions {
    pub as_of: Date,
    /// Folder of the run; below the registry if absent.
    pub out: Option<PathBuf>,
    /// An earlier run, whose results fields may take over.
    pub previous: Option<PathBuf>,
    pub threads: usize,
    /// Bytes that operators may hold together; no limit if absent.
    pub memory_limit: Option<usize>,
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
}

/// A finished run.
pub struct Assessment {
    pub run: PathBuf,
    pub summary: RunSummary,
    /// The run's `manifest.json`.
    pub manifest: serde_json::Value,
}

/// Takes a snapshot of the registry and runs the pack over it.
pub fn assess(
    registry: &Registry,
    pack: &Loaded,
    options: &AssessOptions,
) -> Result<Assessment, AssessError> {
    let program = &pack.program;
    refuse_changes(pack, options.as_of)?;
    refuse_taken(options.out.as_deref())?;
    let snapshots = registry.folder().join("snapshots");
    let fresh = snapshots.join("next");
    let values = derived::of_registry(registry, program, options.as_of, options.previous.as_deref())?;
    let taken = registry.snapshot_with(&fresh, &values)?;
    let snapshot = snapshots.join(&taken.digest[..16.min(taken.digest.len())]);
    settle(&fresh, &snapshot)?;
    let run = options.out.clone().unwrap_or_else(|| {
        let name = format!("{}-{}", options.as_of, &program.digest[..12.min(program.digest.len())]);
        registry.folder().join("runs").join(format!("{name}-{}", &taken.digest[..12.min(taken.digest.len())]))
    });
    run_to(snapshot, run, pack, options)
}

/// Runs the pack over a snapshot that is there. Its derived fields are taken as they are.
pub fn assess_snapshot(
    snapshot: &Path,
    pack: &Loaded,
    options: &AssessOptions,
) -> Result<Assessment, AssessError> {
    refuse_changes(pack, options.as_of)?;
    refuse_taken(options.out.as_deref())?;
    let run = options.out.clone().unwrap_or_else(|| snapshot.with_extension("run"));
    run_to(snapshot.to_owned(), run, pack, options)
}

fn run_to(
    snapshot: PathBuf,
    run: PathBuf,
    pack: &Loaded,
    options: &AssessOptions,
) -> Result<Assessment, AssessError> {
    let program = &pack.program;
    let building = beside(&run);
    if building.exists() {
        // Left behind by a run that was cut off.
        std::fs::remove_dir_all(&building).map_err(io(&building))?;
    }
    let summary = engine::run(
        program,
        &RunOptions {
            snapshot,
            out: building.clone(),
            as_of: options.as_of,
            threads: options.threads,
            memory_limit: options.memory_limit,
            part_rows: engine::PART_ROWS,
            progress: Arc::clone(&options.progress),
        },
    )?;
    pack.save(&building).map_err(io(&building))?;
    replace(&building, &run)?;
    let bytes = std::fs::read(run.join("manifest.json")).map_err(io(&run))?;
    let manifest = serde_json::from_slice(&bytes).unwrap_or_default();
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
fn refuse_taken(out: Option<&Path>) -> Result<(), AssessError> {
    let Some(out) = out else { return Ok(()) };
    let empty = || std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    let run = ["manifest.json", "pack.json"].iter().all(|file| out.join(file).is_file());
    if out.symlink_metadata().is_err() || run || empty() {
        return Ok(());
    }
    Err(AssessError::OutputTaken { path: out.display().to_string() })
}

/// Where a run is built before it is whole.
fn beside(run: &Path) -> PathBuf {
    let name = run.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    run.with_file_name(format!(".{name}.building"))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> AssessError {
    let path = path.display().to_string();
    move |source| AssessError::Io { path, source }
}

/// A snapshot is named by its content: one that is there already is the same.
fn settle(fresh: &Path, target: &Path) -> Result<(), AssessError> {
    if target.join("snapshot.json").exists() {
        return std::fs::remove_dir_all(fresh).map_err(io(fresh));
    }
    std::fs::rename(fresh, target).map_err(io(target))
}

/// Puts a finished run in place of an earlier one of the same name.
fn replace(building: &Path, run: &Path) -> Result<(), AssessError> {
    if run.exists() {
        let name = run.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let old = run.with_file_name(format!(".{name}.replaced"));
        let _ = std::fs::remove_dir_all(&old);
        std::fs::rename(run, &old).map_err(io(run))?;
        std::fs::rename(building, run).map_err(io(run))?;
        return std::fs::remove_dir_all(&old).map_err(io(&old));
    }
    std::fs::rename(building, run).map_err(io(run))
}
