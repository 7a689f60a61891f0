//! Believable records for a pack, from the profile that it ships.

use std::path::{Path, PathBuf};

use ::synth::{Input, Options, ProfileFile, SeedFile, SynthError};
use model::AsProblem as _;
use store::{NewDivision, StoreError};
use thiserror::Error;

pub use ::synth::{Format, PART_ROWS, Summary};

use crate::packs::Loaded;

/// Where a pack keeps its divisions.
const DIVISIONS: &str = "data/divisions.csv";
/// Folder of the profile: TOML files that are no part of the pack's text.
const PROFILE: &str = "synth";

#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum GenerateError {
    #[error(transparent)]
    Synth(#[from] SynthError),
    #[error(transparent)]
    Store(#[from] StoreError),
    Io {
        path: String,
        source: std::io::Error,
    },
}

/// How much to make, and how.
pub struct GenerateOptions<'o> {
    /// Records of the entity that the profile counts.
    pub count: u64,
    pub seed: u64,
    pub provinces: usize,
    pub format: Format,
    /// 0 for one for each core.
    pub threads: usize,
    /// Told how many parts of how many are written.
    pub progress: &'o (dyn Fn(usize, usize) + Sync),
}

/// Makes records for every entity of a pack, with the profiles in its folder, and writes them to `out`.
pub fn generate(
    pack: &Loaded,
    folder: &Path,
    options: &GenerateOptions<'_>,
    out: &Path,
) -> Result<Summary, GenerateError> {
    let profile = profile(&folder.join(PROFILE))?;
    let divisions: Vec<NewDivision> = match pack.last_with(DIVISIONS) {
        Some(path) => store::read_division_list(&read(&path)?)?,
        None => Vec::new(),
    };
    let mut seeds = Vec::new();
    for seed in &pack.program.seeds {
        if let Some(path) = pack
            .file(&seed.pack, &seed.file)
            .filter(|_| Path::new(&seed.file).extension().is_some_and(|end| end == "csv"))
        {
            seeds.push(SeedFile { entity: seed.entity.index(), name: seed.file.clone(), text: read(&path)? });
        }
    }
    let input = Input { program: &pack.program, profile: &profile, divisions: &divisions, seeds: &seeds };
    let options = Options {
        count: options.count,
        seed: options.seed,
        provinces: options.provinces,
        format: options.format,
        threads: options.threads,
        part_rows: PART_ROWS,
        progress: options.progress,
    };
    Ok(::synth::generate(&input, &options, out)?)
}

/// The files of a profile in order of name; none if there is no such folder.
fn profile(folder: &Path) -> Result<Vec<ProfileFile>, GenerateError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).map_err(io(folder))?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(io(folder))?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Ok(ProfileFile { name, text: read(&path)? })
        })
        .collect()
}

fn read(path: &Path) -> Result<String, GenerateError> {
    std::fs::read_to_string(path).map_err(io(path))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> GenerateError {
    let path = path.display().to_string();
    move |source| GenerateError::Io { path, source }
}
