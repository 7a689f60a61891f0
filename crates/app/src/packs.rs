//! Packs from disk: a folder of TOML files, laid over the packs it extends.

use std::path::{Component, Path, PathBuf};

use model::{AsProblem as _, Text, io_problem, io_text, text};
use pack::program::Program;
use pack::{Failure, Override, PackSource};
use serde_json::{Value as Json, json};
use thiserror::Error;

use crate::pack_cache::PackCache;

/// Why a pack could not be used.
#[derive(Debug, Error)]
#[error("{}", self.problem().text.en)]
pub enum PackError {
    NotAPack {
        path: PathBuf,
        why: Box<Text>,
    },
    BaseMissing {
        id: String,
        base: String,
    },
    BaseElsewhere {
        id: String,
        base: String,
    },
    Circle {
        id: String,
    },
    /// Mistakes in the pack's text, to be shown with [`Failure::render`].
    Mistakes(Box<Failure>),
}

/// A compiled pack with the texts it was compiled from.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub program: Program,
    sources: Vec<PackSource>,
    overrides: Vec<Override>,
    /// Folders of the packs by name, in the order in which they are laid; none for the pack of a run.
    folders: Vec<(String, PathBuf)>,
}

/// Compiles the pack in a folder with the packs it extends, overlays laid over it in order, and
/// parameters set for this run.
pub fn load(folder: &Path, overlays: &[PathBuf], overrides: &[Override]) -> Result<Loaded, PackError> {
    load_with(folder, overlays, overrides, &PackCache::none())
}

/// The same, unless the cache has the program.
pub fn load_with(
    folder: &Path,
    overlays: &[PathBuf],
    overrides: &[Override],
    cache: &PackCache,
) -> Result<Loaded, PackError> {
    let mut read = Vec::new();
    read_with_bases(folder, &mut read, &mut Vec::new())?;
    for overlay in overlays {
        read_with_bases(overlay, &mut read, &mut Vec::new())?;
    }
    let folders = read.iter().map(|(source, folder)| (source.name.clone(), folder.clone())).collect();
    let sources = read.into_iter().map(|(source, _)| source).collect();
    compile(sources, overrides.to_vec(), folders, cache)
}

fn compile(
    sources: Vec<PackSource>,
    overrides: Vec<Override>,
    folders: Vec<(String, PathBuf)>,
    cache: &PackCache,
) -> Result<Loaded, PackError> {
    let program = match cache.get(&pack::digest(&sources, &overrides)) {
        Some(program) => program,
        None => {
            let program = pack::compile(&sources, &overrides)
                .map_err(|failure| PackError::Mistakes(Box::new(failure)))?;
            cache.put(&program);
            program
        }
    };
    Ok(Loaded { program, sources, overrides, folders })
}

/// Name of the file of a run that holds the pack it was made with.
const RUN_FILE: &str = "pack.json";

impl Loaded {
    /// The same pack with columns of its own for each place of its text.
    pub fn apart(&self) -> Result<Program, PackError> {
        pack::compile_sharing(&self.sources, &self.overrides, pack::Sharing::Apart)
            .map_err(|failure| PackError::Mistakes(Box::new(failure)))
    }

    /// Keeps the pack's text with a run, so that the run can be explained whatever becomes of the pack.
    pub fn save(&self, run: &Path) -> std::io::Result<()> {
        std::fs::write(run.join(RUN_FILE), self.text())
    }

    /// The pack's files and what was set for this run, as one text.
    pub fn text(&self) -> String {
        let packs: Vec<Json> = self
            .sources
            .iter()
            .map(|source| {
                let files: Vec<Json> =
                    source.files.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
                json!({ "name": source.name, "files": files })
            })
            .collect();
        let overrides: Vec<Json> = self
            .overrides
            .iter()
            .map(|change| json!({ "parameter": change.parameter, "value": change.value }))
            .collect();
        let content = json!({ "packs": packs, "overrides": overrides });
        format!("{content:#}\n")
    }

    /// The pack that a run was made with.
    pub fn of_run(run: &Path, cache: &PackCache) -> Result<Self, PackError> {
        let path = run.join(RUN_FILE);
        let fault = |why: Text| PackError::NotAPack { path: path.clone(), why: Box::new(why) };
        let text = std::fs::read_to_string(&path).map_err(|error| fault(io_text(&error)))?;
        Self::of_text(&text, &path, cache)
    }

    /// The pack in a [`Loaded::text`], which was read from `path`.
    pub fn of_text(text: &str, path: &Path, cache: &PackCache) -> Result<Self, PackError> {
        let fault = |why: Text| PackError::NotAPack { path: path.to_owned(), why: Box::new(why) };
        let content: Json = serde_json::from_str(text)
            .map_err(|error| fault(text!("内容已损坏（`{error}`）", "it is damaged: {error}")))?;
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Json| value.as_array().cloned().unwrap_or_default();
        let sources = list(&content["packs"])
            .iter()
            .map(|source| PackSource {
                name: text(&source["name"]),
                files: list(&source["files"])
                    .iter()
                    .map(|file| (text(&file["name"]), text(&file["text"])))
                    .collect(),
            })
            .collect();
        let overrides = list(&content["overrides"])
            .iter()
            .map(|change| Override { parameter: text(&change["parameter"]), value: text(&change["value"]) })
            .collect();
        compile(sources, overrides, Vec::new(), cache)
    }

    /// A file of one of the packs.
    pub fn file(&self, pack: &str, path: &str) -> Option<PathBuf> {
        let (_, folder) = self.folders.iter().find(|(name, _)| name == pack)?;
        Some(folder.join(path))
    }

    /// The file of the pack laid last that has it.
    pub fn last_with(&self, path: &str) -> Option<PathBuf> {
        self.folders.iter().rev().map(|(_, folder)| folder.join(path)).find(|path| path.is_file())
    }
}

/// Reads a pack after its bases; a pack that is there already is not read twice.
fn read_with_bases(
    folder: &Path,
    packs: &mut Vec<(PackSource, PathBuf)>,
    above: &mut Vec<String>,
) -> Result<(), PackError> {
    let source = read(folder)?;
    if packs.iter().any(|(known, _)| known.name == source.name) {
        return Ok(());
    }
    if above.contains(&source.name) {
        return Err(PackError::Circle { id: source.name });
    }
    above.push(source.name.clone());
    for base in pack::extends(&source) {
        if packs.iter().any(|(known, _)| known.name == base) {
            continue;
        }
        // A pack's text may come from elsewhere: it leads to its neighbours, and no further.
        let mut parts = Path::new(&base).components();
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(name)), None) if name == base.as_str())
        {
            return Err(PackError::BaseElsewhere { id: source.name.clone(), base });
        }
        let beside = folder.parent().unwrap_or(Path::new(".")).join(&base);
        if !beside.is_dir() {
            return Err(PackError::BaseMissing { id: source.name.clone(), base });
        }
        read_with_bases(&beside, packs, above)?;
    }
    above.pop();
    packs.push((source, folder.to_owned()));
    Ok(())
}

fn read(folder: &Path) -> Result<PackSource, PackError> {
    let fault = |why: Text| PackError::NotAPack { path: folder.to_path_buf(), why: Box::new(why) };
    let full = folder.canonicalize().map_err(|error| fault(io_text(&error)))?;
    let name = full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let entries = std::fs::read_dir(&full).map_err(|error| fault(io_text(&error)))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| fault(io_text(&error)))?.path();
        if path.extension().is_none_or(|end| end != "toml") {
            continue;
        }
        let text =
            std::fs::read_to_string(&path).map_err(|error| fault(io_problem(path.display(), &error).text))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        files.push((name, text));
    }
    if files.is_empty() {
        return Err(fault(Text::new("其中没有 `.toml` 文件", "no `.toml` files in it")));
    }
    files.sort();
    Ok(PackSource { name, files })
}
