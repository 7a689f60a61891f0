//! Opening registries, and making new ones with what a pack ships.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use pack::program::Program;
use store::{Migration, Moment, Registry, RegistryId, StoreError};

use crate::packs::Loaded;
use crate::seed;

pub use crate::registry_error::RegistryError;

/// An existing registry.
pub fn open(folder: &Path, program: &Program) -> Result<Registry, RegistryError> {
    Ok(Registry::open(folder, program)?)
}

/// The same for a process that serves many: a pack that has grown since is refused.
pub fn open_unchanged(folder: &Path, program: &Program) -> Result<Registry, RegistryError> {
    Ok(Registry::open_unchanged(folder, program)?)
}

/// Brings a registry of an earlier format to the present one. `id` is what it is called if it had no id.
pub fn migrate(folder: &Path, id: RegistryId) -> Result<Migration, RegistryError> {
    Ok(Registry::migrate(folder, id)?)
}

/// The registry in a folder; if there is none, a new one with what the pack ships. A new one takes its place
/// only when it is kept. `id` is what a new one is to be called.
pub fn open_or_create(
    folder: &Path,
    pack: &Loaded,
    now: Moment,
    id: RegistryId,
) -> Result<Opened, RegistryError> {
    if Registry::exists(folder) {
        return Ok(Opened { registry: open(folder, &pack.program)?, site: None });
    }
    let site = Site::new(folder)?;
    let mut registry = Registry::create(&site.building, &pack.program, id)?;
    seed::fill(&mut registry, pack, now)?;
    Ok(Opened { registry, site: Some(site) })
}

/// A registry to write to. A new one is gone when this is dropped without [`Opened::keep`]: an import that
/// comes to nothing leaves things as they were.
pub struct Opened {
    // Closed before the site is cleared.
    registry: Registry,
    site: Option<Site>,
}

impl Opened {
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    pub fn is_new(&self) -> bool {
        self.site.is_some()
    }

    /// Puts a new registry in its place.
    pub fn keep(self) -> Result<(), RegistryError> {
        let Self { registry, site } = self;
        // The last connection to close leaves everything in one file.
        drop(registry);
        site.map_or(Ok(()), Site::settle)
    }
}

const BUILDING: &str = ".building";
const LOCK: &str = "lock";

/// Where a registry is built: a folder inside the one where it is to be.
struct Site {
    folder: PathBuf,
    building: PathBuf,
    /// Folders that were made for it, the innermost first.
    made: Vec<PathBuf>,
    /// Held while the site is in use, so that what is not locked was left behind and may be cleared.
    _lock: File,
}

impl Site {
    fn new(folder: &Path) -> Result<Self, RegistryError> {
        let building = folder.join(BUILDING);
        let made: Vec<PathBuf> = folder
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
            .map(Path::to_owned)
            .collect();
        fs::create_dir_all(&building).map_err(io(&building))?;
        let path = building.join(LOCK);
        let lock = File::options().create(true).append(true).open(&path).map_err(io(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { path: folder.to_owned() }.into());
            }
            Err(TryLockError::Error(source)) => return Err(io(&path)(source)),
        }
        let site = Self { folder: folder.to_owned(), building, made, _lock: lock };
        for path in site.files()? {
            if !path.ends_with(LOCK) {
                fs::remove_file(&path).map_err(io(&path))?;
            }
        }
        Ok(site)
    }

    fn files(&self) -> Result<Vec<PathBuf>, RegistryError> {
        let entries = fs::read_dir(&self.building).map_err(io(&self.building))?;
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(io(&self.building))
    }

    /// Moves what was built to where it belongs.
    fn settle(mut self) -> Result<(), RegistryError> {
        if Registry::exists(&self.folder) {
            return Err(StoreError::Exists { path: self.folder.clone() }.into());
        }
        let mut files = self.files()?;
        // The database's own file makes it a registry and comes last.
        files.sort_by_key(|path| std::cmp::Reverse(path.as_os_str().len()));
        for path in files.iter().filter(|path| !path.ends_with(LOCK)) {
            let place = self.folder.join(path.file_name().unwrap_or_default());
            fs::rename(path, &place).map_err(io(&place))?;
        }
        self.made.clear();
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Nothing can be done if it fails, and the next import clears what is left.
        let _ = fs::remove_dir_all(&self.building);
        for folder in &self.made {
            let _ = fs::remove_dir(folder);
        }
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> RegistryError {
    let path = path.display().to_string();
    move |source| RegistryError::Io { path, source }
}
