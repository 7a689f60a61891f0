//! Compiled packs kept from one command to the next, by the digest of their texts.
//!
//! A cache may be emptied at any time, and whatever is wrong with it only costs the time to compile again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pack::program::Program;

/// Programs that are kept; the one used longest ago goes first.
const KEPT: usize = 16;

/// A folder of compiled packs, or nothing.
#[derive(Clone, Debug, Default)]
pub struct PackCache {
    folder: Option<PathBuf>,
}

impl PackCache {
    /// Keeps nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Keeps programs in a folder, which is made when the first one comes.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder: Some(folder) }
    }

    /// The program that this very compiler made of the pack with this digest.
    pub fn get(&self, digest: &str) -> Option<Program> {
        self.read(digest, |mut file| pack::compiled::whole(&mut file))
    }

    /// The same without its text and its worked cases, which takes less than half the time.
    pub fn running(&self, digest: &str) -> Option<Program> {
        self.read(digest, |mut file| pack::compiled::running(&mut file))
    }

    fn read(&self, digest: &str, read: impl Fn(&File) -> Option<Program>) -> Option<Program> {
        let file = File::options().read(true).append(true).open(self.file(digest)?).ok()?;
        let program = read(&file).filter(|program| program.digest == digest)?;
        // It was used: others are forgotten before it.
        let _ = file.set_modified(now());
        Some(program)
    }

    /// Keeps a program. Readers see it whole or not at all.
    pub fn put(&self, program: &Program) {
        let Some(path) = self.file(&program.digest) else { return };
        let Some(bytes) = pack::compiled::to_bytes(program.clone()) else { return };
        let Some(folder) = path.parent() else { return };
        let building = path.with_extension(format!("{}.building", std::process::id()));
        let kept = std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&building, bytes))
            .and_then(|()| std::fs::rename(&building, &path));
        if kept.is_err() {
            let _ = std::fs::remove_file(&building);
        } else {
            forget_oldest(folder);
        }
    }

    fn file(&self, digest: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        let safe = !digest.is_empty() && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        safe.then(|| folder.join(format!("{}-{digest}.program", pack::compiled::COMPILER)))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the age of a file in a cache decides nothing but what is kept"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

fn forget_oldest(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut programs: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "program"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    programs.sort();
    let excess = programs.len().saturating_sub(KEPT);
    for (_, path) in &programs[..excess] {
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> Program {
        let source = pack::PackSource {
            name: "small".to_owned(),
            files: vec![("pack.toml".to_owned(), text.to_owned())],
        };
        pack::compile(&[source], &[]).unwrap_or_else(|failure| panic!("{}", failure.render(false)))
    }

    const SMALL: &str = r#"
        [pack]
        id = "small"
        version = "1"
        title = { zh = "小", en = "Small" }
        as_of = 2015-12-31
    "#;

    #[test]
    fn gives_back_what_was_put() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PackCache::at(folder.path().join("packs"));
        let program = program(SMALL);
        assert!(cache.get(&program.digest).is_none());
        cache.put(&program);
        let found = cache.get(&program.digest).unwrap();
        assert_eq!(format!("{found:?}"), format!("{program:?}"));
        let running = cache.running(&program.digest).unwrap();
        assert!(running.files.is_empty() && !found.files.is_empty());
        assert_eq!(format!("{:?}", running.entities), format!("{:?}", program.entities));
    }

    #[test]
    fn damaged_or_foreign_bytes_are_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PackCache::at(folder.path().to_owned());
        let program = program(SMALL);
        cache.put(&program);
        let path = cache.file(&program.digest).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        *damaged.last_mut().unwrap() ^= 1;
        for bytes in [&damaged[..], &whole[..whole.len() / 2], &whole[1..], &[]] {
            std::fs::write(&path, bytes).unwrap();
            assert!(cache.get(&program.digest).is_none(), "{} bytes", bytes.len());
        }
        std::fs::write(&path, whole).unwrap();
        assert!(cache.get(&program.digest).is_some());
    }

    #[test]
    fn a_cache_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PackCache::at(folder.path().to_owned());
        for number in 0..KEPT + 3 {
            cache.put(&program(&format!("{SMALL}# {number}\n")));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), KEPT);
    }
}
