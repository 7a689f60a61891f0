//! A log as a folder of files, to be served by any file server.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::{Fault, Files, Source};

/// A log's folder, to read.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl Source for Folder {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        let path = self.path.join(path);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Fault::file(&path, error)),
        }
    }
}

/// A log's folder, to publish to. As long as it lives no other process publishes there: two that did could sign
/// two heads of which neither is the beginning of the other.
#[derive(Debug)]
pub struct LockedFolder {
    folder: Folder,
    /// The lock goes when the file is closed, also if the process is killed.
    _lock: File,
}

impl LockedFolder {
    /// Makes the folder if it is not there.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Fault> {
        let path = path.into();
        make_folder(&path)?;
        let lock_path = path.join(".lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&lock_path);
        let lock = lock.map_err(|error| Fault::file(&lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: Folder { path }, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Fault::Busy { path }),
            Err(TryLockError::Error(error)) => Err(Fault::file(&lock_path, error)),
        }
    }
}

impl Source for LockedFolder {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.folder.read(path)
    }
}

impl Files for LockedFolder {
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.folder.path.join(path);
        let parent = path.parent().unwrap_or(&self.folder.path);
        make_folder(parent)?;
        let temporary = path.with_added_extension("tmp");
        let write = || {
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|error| Fault::file(&path, error))?;
        sync_folder(parent)
    }

    fn remove_folder(&self, path: &str) -> Result<(), Fault> {
        let path = self.folder.path.join(path);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Fault::file(&path, error)),
            _ => Ok(()),
        }
    }
}

/// Makes a folder and those above it; each new one is written to the disk before something is put into it.
fn make_folder(path: &Path) -> Result<(), Fault> {
    if path.is_dir() || path.as_os_str().is_empty() {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new(""));
    make_folder(parent)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Fault::file(path, error)),
        _ => sync_folder(parent),
    }
}

fn sync_folder(path: &Path) -> Result<(), Fault> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| Fault::file(path, error))
}
