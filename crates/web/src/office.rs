//! What is served: one registry with its run of record, loaded once and shared by all threads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use app::funds::{self, Given};
use app::pack_cache::PackCache;
use app::reading::{Reading, ReadingError};
use app::registry::RegistryError;
use app::{Registry, TableError};
use model::{AsProblem, Moment, Problem, ProblemKind, Text, text};
use thiserror::Error;

use crate::answer::Fault;

/// What the process outside gives: the clock and random bytes.
#[derive(Clone)]
pub struct Sources {
    pub now: fn() -> Moment,
    pub random: fn() -> [u8; 32],
}

#[derive(Debug, Error)]
pub enum OfficeError {
    #[error(transparent)]
    Reading(#[from] ReadingError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("the registry `{}` has no run", .0.display())]
    NoRun(PathBuf),
}

impl AsProblem for OfficeError {
    fn problem(&self) -> Problem {
        match self {
            Self::Reading(error) => error.problem(),
            Self::Registry(error) => error.problem(),
            Self::NoRun(folder) => {
                let folder = folder.display();
                let words = text!("登记库“{folder}”还没有运行", "the registry `{folder}` has no run");
                Problem::new(ProblemKind::Missing, "no-run", words).hint(Text::new(
                    "请先 `xiaokang assess --registry …`，或用 `--run` 指明一次运行",
                    "make one with `xiaokang assess --registry …`, or name one with --run",
                ))
            }
        }
    }
}

/// A registry with what its pages are made from.
pub struct Office {
    registry: PathBuf,
    /// The run of record, if it is named; the newest of the registry otherwise.
    named: Option<PathBuf>,
    cache: PackCache,
    pub(crate) sources: Sources,
    /// Whether browsers send cookies over an encrypted connection alone.
    pub(crate) https: bool,
    reading: RwLock<Held>,
    /// Held by the one thread that loads another run, while the others go on with the one before.
    loading: Mutex<()>,
    /// What beneficiaries were given, at a length of the book.
    given: Mutex<Option<(u64, Arc<[Given]>)>>,
    /// Open handles, one for each thread that reads at once.
    handles: Mutex<Vec<Registry>>,
}

/// The run that is served, and when its manifest was written.
#[derive(Clone)]
struct Held {
    folder: PathBuf,
    written: Option<SystemTime>,
    reading: Arc<Reading>,
}

impl Office {
    /// Loads the run of record of a registry.
    ///
    /// # Errors
    /// A registry without a run, or one whose run or pack cannot be read.
    pub fn open(
        registry: &Path,
        run: Option<&Path>,
        cache: PackCache,
        sources: Sources,
        https: bool,
    ) -> Result<Arc<Self>, OfficeError> {
        let named = run.map(Path::to_owned);
        let (folder, written) =
            find(registry, named.as_deref()).ok_or_else(|| OfficeError::NoRun(registry.to_owned()))?;
        let reading = Arc::new(Reading::open(&folder, &cache)?);
        warm(&reading).map_err(ReadingError::from)?;
        let handle = app::registry::open_unchanged(registry, reading.program())?;
        Ok(Arc::new(Self {
            registry: registry.to_owned(),
            named,
            cache,
            sources,
            https,
            reading: RwLock::new(Held { folder, written, reading }),
            loading: Mutex::new(()),
            given: Mutex::new(None),
            handles: Mutex::new(vec![handle]),
        }))
    }

    /// The run of record; another one than before if there is a newer.
    pub(crate) fn reading(&self) -> Result<Arc<Reading>, Fault> {
        let held = self.reading.read().unwrap_or_else(PoisonError::into_inner).clone();
        let newest = find(&self.registry, self.named.as_deref());
        let Some((folder, written)) =
            newest.filter(|(folder, written)| *folder != held.folder || *written != held.written)
        else {
            return Ok(held.reading);
        };
        let Ok(_loading) = self.loading.try_lock() else { return Ok(held.reading) };
        let reading = Arc::new(Reading::open(&folder, &self.cache)?);
        warm(&reading)?;
        // Handles know the tables of the pack that they were opened with.
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let fresh = Held { folder, written, reading: Arc::clone(&reading) };
        *self.reading.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(reading)
    }

    /// Does something with the registry.
    pub(crate) fn with_registry<T>(
        &self,
        reading: &Reading,
        work: impl FnOnce(&mut Registry) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let kept = self.handles.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut handle = match kept {
            Some(handle) => handle,
            None => app::registry::open_unchanged(&self.registry, reading.program())?,
        };
        let done = work(&mut handle);
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
        done
    }

    /// What beneficiaries were given, by the book as it stands.
    pub(crate) fn given(&self, reading: &Reading) -> Result<Arc<[Given]>, Fault> {
        self.with_registry(reading, |registry| {
            let length = funds::book_length(registry)?;
            let mut kept = self.given.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, given)) = kept.as_ref().filter(|(known, _)| *known == length) {
                return Ok(Arc::clone(given));
            }
            let given: Arc<[Given]> = funds::given(&funds::book(registry)?).into();
            *kept = Some((length, Arc::clone(&given)));
            Ok(given)
        })
    }

    pub(crate) fn now(&self) -> Moment {
        (self.sources.now)()
    }
}

/// Reads what the front door shows, so that nobody waits for it.
fn warm(reading: &Reading) -> Result<(), TableError> {
    if let Some(home) = reading.home()? {
        reading.figures(home)?;
        reading.totals(home)?;
    }
    Ok(())
}

/// The run that is named, or the one of the registry whose manifest was written last.
fn find(registry: &Path, named: Option<&Path>) -> Option<(PathBuf, Option<SystemTime>)> {
    let written =
        |folder: &Path| folder.join("manifest.json").metadata().and_then(|file| file.modified()).ok();
    if let Some(named) = named {
        return Some((named.to_owned(), written(named)));
    }
    let entries = std::fs::read_dir(registry.join("runs")).ok()?;
    let runs = entries.filter_map(|entry| {
        let folder = entry.ok()?.path();
        Some((written(&folder)?, folder))
    });
    runs.max().map(|(written, folder)| (folder, Some(written)))
}
