//! Opening registries, and making new ones with the divisions that a pack ships.

use std::path::Path;

use model::Date;
use pack::program::Program;
use store::{ImportMeta, Moment, Registry, StoreError};
use thiserror::Error;

use crate::divisions::{PackFile, import_divisions};
use crate::import::ImportError;

#[derive(Debug, Error)]
pub enum RegistryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Divisions(#[from] ImportError),
    #[error(
        "`{path}` cannot be read: {source}\nhint: a pack with divisions ships them as data/divisions.csv"
    )]
    PackData { path: String, source: std::io::Error },
}

/// An existing registry.
pub fn open(folder: &Path, program: &Program) -> Result<Registry, RegistryError> {
    Ok(Registry::open(folder, program)?)
}

/// The registry in a folder; if there is none, a new one with the pack's division list. A registry that
/// could not be filled is taken away again.
pub fn open_or_create(
    folder: &Path,
    pack: &Path,
    program: &Program,
    now: Moment,
) -> Result<Registry, RegistryError> {
    if Registry::exists(folder) {
        return open(folder, program);
    }
    let existed = folder.exists();
    let made = create(folder, pack, program, now);
    if made.is_err() && !existed {
        // What was made a moment ago holds nothing yet.
        let _ = std::fs::remove_dir_all(folder);
    }
    made
}

fn create(folder: &Path, pack: &Path, program: &Program, now: Moment) -> Result<Registry, RegistryError> {
    let has_divisions = program.entities.iter().any(|entity| entity.division.is_some());
    let lists = if has_divisions {
        Some((read(&pack.join("data/divisions.csv"))?, read(&pack.join("data/poor-counties.csv"))?))
    } else {
        None
    };
    let mut registry = Registry::create(folder, program)?;
    if let Some((divisions, counties)) = lists {
        let on = Date::from_ymd(program.info.as_of.year(), 1, 1).unwrap_or(program.info.as_of);
        import_divisions(
            &mut registry,
            program,
            PackFile { name: "divisions.csv", text: &divisions },
            PackFile { name: "poor-counties.csv", text: &counties },
            on,
            ImportMeta { actor: "init".to_owned(), recorded_at: now, pack_digest: program.digest.clone() },
        )?;
    }
    Ok(registry)
}

fn read(path: &Path) -> Result<String, RegistryError> {
    std::fs::read_to_string(path)
        .map_err(|source| RegistryError::PackData { path: path.display().to_string(), source })
}
