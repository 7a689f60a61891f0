//! What commands have in common: outcomes, failures, progress, the clock.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use app::RegistryId;
use app::pack_cache::PackCache;
use app::packs::{self, Loaded, PackError};
use app::registry;
use indicatif::{ProgressBar, ProgressStyle};
use model::{AsProblem, Lang, Problem, ProblemKind, Text, io_problem, text};
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
    /// What is said of it; exit code 2, or 3 for a fault of the program.
    Problem(Box<Problem>),
    /// A program beside this one has said it.
    Said { code: u8 },
}

/// Every error of a use case says itself in both languages.
impl<E: AsProblem> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Problem(Box::new(error.problem()))
    }
}

impl Failure {
    /// Something that the user can mend.
    pub fn input(text: Text) -> Self {
        Self::Problem(Box::new(Problem::new(ProblemKind::Input, "usage", text)))
    }

    /// The same with what to do about it.
    pub fn with_hint(text: Text, hint: Text) -> Self {
        Self::Problem(Box::new(Problem::new(ProblemKind::Input, "usage", text).hint(hint)))
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::Problem(Box::new(io_problem(path.display(), error)))
    }

    /// A fault of the program or the machine.
    pub fn internal(detail: impl std::fmt::Display) -> Self {
        let text = text!("内部错误（`{detail}`）", "internal error: {detail}");
        let hint = Text::new(
            "未作任何更改；请把引起它的命令一并报告",
            "nothing was changed; please report this with the command that caused it",
        );
        Self::Problem(Box::new(Problem::new(ProblemKind::Bug, "internal", text).hint(hint)))
    }

    pub fn code(&self) -> u8 {
        match self {
            Self::Problem(problem) if problem.kind == ProblemKind::Bug => 3,
            Self::Problem(_) => 2,
            Self::Said { code } => *code,
        }
    }

    /// What is printed of it: the message with its stable code, details below it, and what to do.
    pub fn text(&self, lang: Lang) -> String {
        let Self::Problem(problem) = self else { return String::new() };
        let (error, hint) = match lang {
            Lang::Zh => ("错误：", "提示："),
            Lang::En => ("error: ", "hint: "),
        };
        let message = problem.text.get(lang);
        let (first, rest) = message.split_once('\n').map_or((message, ""), |(first, rest)| (first, rest));
        let mut text = format!("{error}{first} [{}]\n", problem.code);
        if !rest.is_empty() {
            text.push_str(&format!("{rest}\n"));
        }
        if let Some(mend) = &problem.hint {
            text.push_str(&format!("{hint}{}\n", mend.get(lang)));
        }
        text
    }
}

pub type CommandResult = Result<Outcome, Failure>;

/// Says what went wrong, if anything did, and gives the exit code.
pub fn ended(outcome: CommandResult, lang: Lang) -> ExitCode {
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(failure) => {
            eprint!("{}", failure.text(lang));
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
    packs::load_with(folder, overlays, overrides, &pack_cache()).map_err(pack_failure)
}

/// The pack a run was made with, or the one that is named.
pub fn pack_of_run(run: &Path, named: Option<&Path>) -> Result<Loaded, Failure> {
    match named {
        Some(folder) => load_pack(folder, &[], &[]),
        None => Loaded::of_run(run, &pack_cache()).map_err(pack_failure),
    }
}

/// The program of the pack with this digest that a run was made with, or of the one that is named. Compiled before,
/// it is not read from text.
pub fn program_of_run(run: &Path, digest: &str, named: Option<&Path>) -> Result<Program, Failure> {
    let kept = if named.is_none() { pack_cache().running(digest) } else { None };
    kept.map_or_else(|| Ok(pack_of_run(run, named)?.program), Ok)
}

fn pack_failure(error: PackError) -> Failure {
    if let PackError::Mistakes(failure) = &error {
        eprint!("{}", failure.render(std::io::stderr().is_terminal()));
    }
    Failure::from(error)
}

/// An existing registry.
pub fn open_registry(folder: &Path, program: &Program) -> Result<app::Registry, Failure> {
    Ok(registry::open(folder, program)?)
}

/// A registry that is made, with what the pack ships, if it is not there.
pub fn open_or_create_registry(folder: &Path, pack: &Loaded) -> Result<registry::Opened, Failure> {
    let now = app::Moment::from_unix_ms(now_ms());
    Ok(registry::open_or_create(folder, pack, now, new_registry_id()?)?)
}

/// An id that no other registry has.
pub fn new_registry_id() -> Result<RegistryId, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::internal(format!("the system gives no random numbers: {error}")))?;
    Ok(RegistryId::from_random(random))
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
