//! Folders in which something is made before it takes its place, so that no reader sees half of it.
//!
//! Several processes may make the same thing side by side: each has a folder of its own, and holds a lock as
//! long as it works there. What is not locked was left behind by one that was killed, and is cleared by the
//! next. Nobody touches what another is working on.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Result, StoreError};

const SUFFIX: &str = ".building";
const LOCK: &str = ".lock";

/// An empty folder of one's own beside the place that what is made in it is to have. Dropping it removes it.
#[derive(Debug)]
pub struct WorkFolder {
    path: PathBuf,
    target: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl WorkFolder {
    /// Makes one beside `target`, with the folders above it. Clears what was left beside it. Error: `io`.
    pub fn beside(target: &Path) -> Result<Self> {
        let name = target.file_name().ok_or_else(|| {
            let error = io::Error::new(ErrorKind::InvalidInput, "it has no name; name the folder to be made");
            StoreError::io(target)(error)
        })?;
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(StoreError::io(parent))?;
        clear_leavings(parent);
        loop {
            let (path, lock_path) = fresh_names(parent, name);
            let lock = match File::options().write(true).create_new(true).open(&lock_path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                file => file.map_err(StoreError::io(&lock_path))?,
            };
            // Another that clears up may have been quicker to lock it: then it is taken for left behind, and gone.
            let lost = matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) || !lock_path.exists();
            if lost {
                continue;
            }
            let made = Self { path, target: target.to_owned(), lock_path, _lock: lock };
            fs::create_dir(&made.path).map_err(StoreError::io(&made.path))?;
            return Ok(made);
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place. What is there is replaced: where the system can, in one step, so that there is
    /// always one or the other. Error: `io`.
    pub fn replace(self) -> Result<()> {
        let target = self.target.clone();
        self.replace_at(&target)
    }

    /// The same for another place in the same folder, which may be known by now only.
    pub fn replace_at(self, target: &Path) -> Result<()> {
        sync_folder(&self.path);
        let placed = match fs::rename(&self.path, target) {
            Err(_) if target.exists() => {
                exchange(&self.path, target).or_else(|_| replace_in_steps(&self.path, target))
            }
            placed => placed,
        };
        placed.map_err(StoreError::io(target))?;
        if let Some(parent) = target.parent() {
            sync_folder(parent);
        }
        Ok(())
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // Whatever fails here is cleared by the next. The folder is gone already if it has taken its place.
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(&self.lock_path);
    }
}

/// Makes a folder's new entries durable, where the system can.
pub(crate) fn sync_folder(folder: &Path) {
    // Some file systems refuse; what was made can be made again.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// `.name.PROCESS-NUMBER.building` and its lock.
fn fresh_names(parent: &Path, name: &std::ffi::OsStr) -> (PathBuf, PathBuf) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}-{number}{SUFFIX}", std::process::id()));
    let path = parent.join(&hidden);
    hidden.push(LOCK);
    (path, parent.join(hidden))
}

/// Removes folders whose makers are gone. What cannot be removed is left for another time.
fn clear_leavings(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for lock_path in entries.flatten().map(|entry| entry.path()) {
        let name = lock_path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(folder) = name.strip_suffix(LOCK).filter(|folder| folder.ends_with(SUFFIX)) else {
            continue;
        };
        let Ok(lock) = File::open(&lock_path) else { continue };
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(parent.join(folder));
            let _ = fs::remove_file(&lock_path);
        }
    }
}

#[cfg(target_os = "linux")]
fn exchange(made: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, made, CWD, target, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Moves what is there aside first; for a moment there is nothing.
fn replace_in_steps(made: &Path, target: &Path) -> io::Result<()> {
    let mut aside = made.as_os_str().to_owned();
    aside.push(".replaced");
    fs::rename(target, &aside)?;
    if let Err(error) = fs::rename(made, target) {
        fs::rename(&aside, target)?;
        return Err(error);
    }
    fs::rename(&aside, made)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn make(target: &Path, text: &str) -> WorkFolder {
        let work = WorkFolder::beside(target).unwrap();
        fs::write(work.path().join("a"), text).unwrap();
        work
    }

    #[test]
    fn two_who_make_the_same_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("runs").join("run");
        let (first, second) = (make(&target, "1"), make(&target, "2"));
        assert_ne!(first.path(), second.path());
        second.replace().unwrap();
        assert_eq!(fs::read_to_string(target.join("a")).unwrap(), "2");
        let third = make(&target, "3");
        first.replace().unwrap();
        assert_eq!(fs::read_to_string(target.join("a")).unwrap(), "1");
        drop(third);
        assert_eq!(names(target.parent().unwrap()), ["run"], "nothing is left");
    }

    #[test]
    fn what_a_killed_maker_left_is_cleared_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let other = make(&folder.path().join("other"), "1");
        fs::create_dir(folder.path().join(".run.1-0.building")).unwrap();
        fs::write(folder.path().join(".run.1-0.building").join("a"), "half").unwrap();
        fs::write(folder.path().join(".run.1-0.building.lock"), "").unwrap();
        fs::create_dir(folder.path().join(".mine.building")).unwrap();
        drop(make(&folder.path().join("run"), "2"));
        let other_name = other.path().file_name().unwrap().to_str().unwrap();
        let left = [".mine.building".to_owned(), other_name.to_owned(), format!("{other_name}.lock")];
        assert_eq!(names(folder.path()), left);
    }

    #[test]
    fn what_is_there_is_replaced_in_one_step_or_in_two() {
        for replace in [exchange, replace_in_steps] {
            let folder = tempfile::tempdir().unwrap();
            let (made, target) = (folder.path().join("made"), folder.path().join("target"));
            for (path, text) in [(&made, "new"), (&target, "old")] {
                fs::create_dir(path).unwrap();
                fs::write(path.join("a"), text).unwrap();
            }
            let Err(error) = replace(&made, &target) else {
                assert_eq!(fs::read_to_string(target.join("a")).unwrap(), "new");
                assert_eq!(fs::read_to_string(made.join("a")).unwrap(), "old");
                assert_eq!(names(folder.path()), ["made", "target"]);
                continue;
            };
            // Some file systems cannot exchange; the other way must do then.
            assert_eq!(fs::read_to_string(target.join("a")).unwrap(), "old", "{error}");
        }
    }
}
