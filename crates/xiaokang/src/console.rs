//! What commands have in common: outcomes, failures, progress, the clock.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use app::RegistryId;
use app::pack_cache::PackCache;
use app::packs::{self, Loaded, PackError};
use app::registry::{self, RegistryError};
use indicatif::{ProgressBar, ProgressStyle};
use pack::Override;
use pack::program::Program;

/// Prints a line for the user or the next program.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::console::print_line(format_args!($($text)*)) };
}
pub use say;

pub fn print_line(line: std::fmt::Arguments<'_>) {
    if let Err(error) = writeln!(std::io::stdout().lock(), "{line}") {
        // Whoever reads has seen enough (`| head`); anything else means that the result is lost.
        let seen_enough = error.kind() == std::io::ErrorKind::BrokenPipe;
        std::process::exit(if seen_enough { 0 } else { 3 });
    }
}

/// How a command ended, when it did what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Something was found that a person must look at.
    Findings,
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// The user can mend it: exit code 2.
    Input { message: String, hint: Option<String> },
    /// A fault of the program or the machine: exit code 3.
    Internal { message: String },
    /// A program beside this one has said it.
    Said { code: u8 },
}

impl Failure {
    pub fn input(message: impl std::fmt::Display) -> Self {
        // Library messages carry their hint on a line of its own.
        let message = message.to_string();
        match message.split_once("\nhint: ") {
            Some((message, hint)) => Self::Input { message: message.to_owned(), hint: Some(hint.to_owned()) },
            None => Self::Input { message, hint: None },
        }
    }

    pub fn with_hint(message: impl std::fmt::Display, hint: impl Into<String>) -> Self {
        Self::Input { message: message.to_string(), hint: Some(hint.into()) }
    }

    pub fn internal(message: impl std::fmt::Display) -> Self {
        Self::Internal { message: message.to_string() }
    }

    pub fn code(&self) -> u8 {
        match self {
            Self::Input { .. } => 2,
            Self::Internal { .. } => 3,
            Self::Said { code } => *code,
        }
    }

    pub fn print(&self) {
        match self {
            Self::Input { message, hint } => {
                eprintln!("error: {message}");
                if let Some(hint) = hint {
                    eprintln!("hint: {hint}");
                }
            }
            Self::Said { .. } => {}
            Self::Internal { message } => {
                eprintln!("internal error: {message}");
                eprintln!("hint: nothing was changed; please report this with the command that caused it");
            }
        }
    }
}

pub type CommandResult = Result<Outcome, Failure>;

/// Says what went wrong, if anything did, and gives the exit code.
pub fn ended(outcome: CommandResult) -> ExitCode {
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code())
        }
    }
}

/// Compiled packs are kept where the user's caches are; `XIAOKANG_CACHE` names another folder, and empty means none.
pub fn pack_cache() -> PackCache {
    let folder = match std::env::var_os("XIAOKANG_CACHE") {
        Some(named) if named.is_empty() => None,
        Some(named) => Some(PathBuf::from(named)),
        None => std::env::var_os("XDG_CACHE_HOME")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from)
            .or_else(|| Some(std::env::home_dir()?.join(".cache")))
            .filter(|folder| folder.is_absolute())
            .map(|caches| caches.join("xiaokang")),
    };
    folder.map_or_else(PackCache::none, PackCache::at)
}

/// Compiles a pack, or prints every mistake in it.
pub fn load_pack(folder: &Path, overlays: &[PathBuf], overrides: &[Override]) -> Result<Loaded, Failure> {
    packs::load_with(folder, overlays, overrides, &pack_cache()).map_err(|error| pack_failure(folder, error))
}

/// The pack a run was made with, or the one that is named.
pub fn pack_of_run(run: &Path, named: Option<&Path>) -> Result<Loaded, Failure> {
    match named {
        Some(folder) => load_pack(folder, &[], &[]),
        None => Loaded::of_run(run, &pack_cache()).map_err(|error| pack_failure(run, error)),
    }
}

/// The program of the pack with this digest that a run was made with, or of the one that is named. Compiled before,
/// it is not read from text.
pub fn program_of_run(run: &Path, digest: &str, named: Option<&Path>) -> Result<Program, Failure> {
    let kept = if named.is_none() { pack_cache().running(digest) } else { None };
    kept.map_or_else(|| Ok(pack_of_run(run, named)?.program), Ok)
}

fn pack_failure(folder: &Path, error: PackError) -> Failure {
    match error {
        PackError::Mistakes(failure) => {
            eprint!("{}", failure.render(std::io::stderr().is_terminal()));
            let count = failure.diagnostics.len();
            Failure::input(format!(
                "the pack `{}` has {count} mistake{}",
                folder.display(),
                if count == 1 { "" } else { "s" }
            ))
        }
        PackError::NotAPack { .. } => {
            Failure::with_hint(error, "name the folder that holds `pack.toml`, like packs/sichuan-2015")
        }
        other => Failure::input(other),
    }
}

/// An existing registry.
pub fn open_registry(folder: &Path, program: &Program) -> Result<app::Registry, Failure> {
    registry::open(folder, program).map_err(registry_failure)
}

/// A registry that is made, with what the pack ships, if it is not there.
pub fn open_or_create_registry(folder: &Path, pack: &Loaded) -> Result<registry::Opened, Failure> {
    let now = app::Moment::from_unix_ms(now_ms());
    registry::open_or_create(folder, pack, now, new_registry_id()?).map_err(registry_failure)
}

/// An id that no other registry has.
pub fn new_registry_id() -> Result<RegistryId, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::input(format!("the system gives no random numbers: {error}")))?;
    Ok(RegistryId::from_random(random))
}

pub fn registry_failure(error: RegistryError) -> Failure {
    Failure::input(error)
}

/// Milliseconds since 1970 in UTC. The one place that reads the clock.
#[expect(clippy::disallowed_methods, reason = "the binary is the edge where time enters")]
pub fn now_ms() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// A bar on a terminal; nothing at all elsewhere.
pub fn progress_bar(what: &str) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {human_pos}/{human_len} ({per_sec}, {eta})")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.set_message(what.to_owned());
    bar
}
