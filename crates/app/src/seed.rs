//! What a new registry starts with: the divisions and the records that its pack ships.
//!
//! The list of divisions in force is `data/divisions.csv` of the pack, or of the nearest pack below it that has
//! one. Records are files that the pack declares (`[[seed]]`); they are read as any import is, by their headers,
//! except that the pack says what they hold, and that a fault in them is the pack's and stops everything.

use std::path::PathBuf;

use model::{Date, DivisionLevel};
use store::{ImportMeta, Moment, Registry};

use crate::import::{ImportError, ImportOptions, import_as};
use crate::packs::Loaded;
use crate::registry_error::RegistryError;

/// Where a pack keeps its divisions.
const DIVISIONS: &str = "data/divisions.csv";
/// Who is recorded as having made what a registry starts with.
const ACTOR: &str = "init";

/// Fills a new registry. What is there already stays; the same pack again changes nothing.
pub fn fill(registry: &mut Registry, pack: &Loaded, now: Moment) -> Result<(), RegistryError> {
    if pack.program.entities.iter().any(|entity| entity.division.is_some()) {
        load_divisions(registry, pack, now)?;
    }
    load_records(registry, pack, now)
}

fn load_divisions(registry: &mut Registry, pack: &Loaded, now: Moment) -> Result<(), RegistryError> {
    let path = pack.last_with(DIVISIONS).ok_or_else(|| RegistryError::DivisionsMissing {
        pack: pack.program.info.id.clone(),
        file: DIVISIONS,
    })?;
    let text = std::fs::read_to_string(&path)
        .map_err(|source| RegistryError::PackData { path: path.display().to_string(), source })?;
    let as_of = pack.program.info.as_of;
    let on = Date::from_ymd(as_of.year(), 1, 1).unwrap_or(as_of);
    let mut session = registry.begin(ImportMeta {
        actor: ACTOR.to_owned(),
        role: String::new(),
        recorded_at: now,
        pack_digest: pack.program.digest.clone(),
    })?;
    session.load_divisions(&store::read_division_list(&text)?, on, &DivisionLevel::ALL)?;
    session.commit()?;
    Ok(())
}

fn load_records(registry: &mut Registry, pack: &Loaded, now: Moment) -> Result<(), RegistryError> {
    let program = &pack.program;
    let files: Vec<(PathBuf, _)> = program
        .seeds
        .iter()
        .filter_map(|seed| Some((pack.file(&seed.pack, &seed.file)?, seed.entity)))
        .collect();
    if files.is_empty() {
        return Ok(());
    }
    let options = ImportOptions {
        actor: ACTOR.to_owned(),
        now,
        as_of: program.info.as_of,
        report: None,
        preview: false,
        allow_erase: false,
        progress: &|_| true,
    };
    let report = import_as(registry, program, &files, &options)?;
    match report.faults.into_iter().next() {
        None => Ok(()),
        Some(fault) => {
            Err(ImportError::SeedFaulty { file: fault.file, row: fault.row, reason: fault.message }.into())
        }
    }
}
