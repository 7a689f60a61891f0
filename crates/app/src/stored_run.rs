//! A run in its folder, with the snapshot that it rests on. What has been read of either is kept for all who ask.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use engine::RunManifest;
use model::{AsProblem as _, Date, Text, io_problem, text};
use pack::program::{EntityId, Program};
use serde_json::Value as Json;
use thiserror::Error;

use crate::tables::{StoredTable, TableError, lock};

/// What a table of a run is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Snapshot,
    Results,
}

/// Why a run cannot be read.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum RunError {
    NotARun {
        path: PathBuf,
        why: Box<Text>,
    },
    NoSnapshot {
        run: PathBuf,
        /// Where it was looked for first.
        place: PathBuf,
        /// First letters of the digest that is wanted.
        digest: String,
        /// Whether another snapshot is there.
        other: bool,
        /// Whether the place was named, and not recorded in the run.
        named: bool,
    },
    OtherPack {
        run: String,
        now: String,
    },
}

/// By part and entity; none where the run has no results of the entity.
type Tables = HashMap<(Part, EntityId), Option<Arc<StoredTable>>>;

/// A stored run, with the place of its snapshot. Many may read it at once.
pub struct StoredRun {
    pub folder: PathBuf,
    pub snapshot: PathBuf,
    pub manifest: RunManifest,
    pub as_of: Date,
    /// Id of the registry that the snapshot was taken from.
    pub registry: Option<String>,
    /// Number of the last change of the registry that is in the snapshot.
    change: Option<u64>,
    pub(crate) sources: HashMap<i64, (String, Option<String>)>,
    /// Tables that have been opened, of the snapshot and of results.
    tables: Mutex<Tables>,
}

impl StoredRun {
    /// Opens the run in a folder, with its snapshot where the run says it is or near by.
    ///
    /// # Errors
    /// A folder that is no run, or a run whose snapshot is not found.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        Self::open_with(folder, None)
    }

    /// The same with the snapshot in a folder that is named.
    ///
    /// # Errors
    /// A folder that is no run, or one that does not hold its snapshot.
    pub fn open_with(folder: &Path, named: Option<&Path>) -> Result<Self, RunError> {
        let fault = |why: Text| RunError::NotARun { path: folder.to_path_buf(), why: Box::new(why) };
        let manifest = RunManifest::read(folder).map_err(|error| fault(error.problem().text))?;
        let snapshot = snapshot_of(folder, &manifest, named)?;
        let described = read_json(&snapshot.join("snapshot.json")).map_err(fault)?;
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let sources = described["sources"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|source| {
                Some((source["id"].as_i64()?, (text(&source["file"])?, text(&source["sheet"]))))
            })
            .collect();
        let recorded = described["sources"].is_array();
        Ok(Self {
            folder: folder.to_path_buf(),
            snapshot,
            as_of: manifest.as_of,
            registry: text(&described["registry"]),
            change: described["change"].as_u64().filter(|_| recorded),
            manifest,
            sources,
            tables: Mutex::default(),
        })
    }

    /// Number of the last change of its registry that is in the snapshot; none of a snapshot made otherwise.
    pub(crate) fn change(&self) -> Option<u64> {
        self.change
    }

    /// Names of the files that its records were imported from.
    pub(crate) fn source_files(&self) -> impl Iterator<Item = &str> {
        self.sources.values().map(|(file, _)| file.as_str())
    }

    /// A table of the snapshot, or of results, if there are any of the entity.
    pub(crate) fn table(
        &self,
        part: Part,
        program: &Program,
        entity: EntityId,
    ) -> Result<Option<Arc<StoredTable>>, TableError> {
        if let Some(known) = lock(&self.tables).get(&(part, entity)) {
            return Ok(known.clone());
        }
        let (folder, must) = match part {
            Part::Snapshot => (&self.snapshot, true),
            Part::Results => (&self.folder, false),
        };
        let path = folder.join(format!("{}.parquet", program.entity(entity).name));
        let table = if must || path.exists() { Some(Arc::new(StoredTable::open(&path)?)) } else { None };
        Ok(lock(&self.tables).entry((part, entity)).or_insert(table).clone())
    }

    /// Digest of the pack that the run was made with.
    pub fn pack_digest(&self) -> &str {
        &self.manifest.pack.digest
    }

    /// Refuses a pack other than the one the run was made with.
    pub fn check_pack(&self, program: &Program) -> Result<(), RunError> {
        let run = self.pack_digest();
        if run == program.digest {
            return Ok(());
        }
        Err(RunError::OtherPack { run: short(run), now: short(&program.digest) })
    }
}

/// Where the snapshot of a run is: in the folder that is named; else where the run says; else near by, if both have been
/// copied somewhere. Only a snapshot of the same content is taken for it.
fn snapshot_of(folder: &Path, manifest: &RunManifest, named: Option<&Path>) -> Result<PathBuf, RunError> {
    let recorded = Path::new(&manifest.snapshot.path);
    let digest = &manifest.snapshot.digest;
    let near: Vec<PathBuf> = match named {
        Some(named) => vec![named.to_owned()],
        None => {
            let last = recorded.file_name().map(PathBuf::from).unwrap_or_default();
            let above = folder.join("..");
            let places =
                [folder.join(recorded), folder.join("snapshot"), folder.join(&last), above.join(&last)];
            let more = [above.join("snapshot"), above.join("snapshots").join(&last)];
            places.into_iter().chain(more).collect()
        }
    };
    let holds = |place: &&PathBuf| {
        read_json(&place.join("snapshot.json")).is_ok_and(|described| described["digest"] == digest.as_str())
    };
    if let Some(found) = near.iter().find(holds) {
        return Ok(found.clone());
    }
    let (run, place) = (folder.to_owned(), near[0].clone());
    let other = near[0].join("snapshot.json").is_file();
    Err(RunError::NoSnapshot { run, place, digest: short(digest), other, named: named.is_some() })
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

fn read_json(path: &Path) -> Result<Json, Text> {
    let bytes = std::fs::read(path).map_err(|error| io_problem(path.display(), &error).text)?;
    let path = path.display();
    serde_json::from_slice(&bytes)
        .map_err(|error| text!("`{path}` 不是 `JSON`（`{error}`）", "`{path}`: {error}"))
}
