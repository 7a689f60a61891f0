//! The command line: reads arguments, calls one use case, prints what it says.
//!
//! Exit codes: 0 done, 1 done with findings that need a person, 2 bad usage or input, 3 internal.

mod arguments;
mod assess;
mod calculate;
mod cluster;
mod console;
mod demo;
mod explain;
mod import;
mod packs;
mod query;
mod reassess;
mod report;
mod synth;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use console::Outcome;

/// A run makes and drops columns of megabytes for every part; this allocator keeps their pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// After how many milliseconds the allocator gives pages back.
const FOR_EVER: &str = "-1";
const ONE_SECOND: &str = "1000";
const AT_ONCE: &str = "10";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Who gives a limit wants pages given back at once. What encodes results makes a buffer of a megabyte for each column of
    // each group and uses little of it: huge pages would clear twice that every time.
    let keep = match &arguments.command {
        Command::Assess(options) if options.memory.is_some() => Some((AT_ONCE, "0")),
        Command::Cluster(arguments::ClusterCommand::Executor(options)) if options.memory.is_some() => {
            Some((AT_ONCE, "0"))
        }
        Command::Assess(options) if options.totals_only => Some((FOR_EVER, "1")),
        Command::Assess(_) => Some((ONE_SECOND, "0")),
        Command::Cluster(_) | Command::Synth(_) => Some((FOR_EVER, "0")),
        _ => None,
    };
    if let Some((milliseconds, huge)) = keep {
        keep_pages(milliseconds, huge);
    }
    let lang = arguments.lang.0;
    let outcome = match arguments.command {
        Command::Demo(options) => demo::run(&options, lang),
        Command::Import(options) => import::run(&options, lang),
        Command::Assess(options) => assess::run(&options, lang),
        Command::Calculate(options) => calculate::run(&options),
        Command::Explain(options) => explain::run(&options, lang),
        Command::Reassess(options) => reassess::run(&options, lang),
        Command::Cluster(command) => cluster::run(&command),
        Command::Synth(options) => synth::run(&options, lang),
        Command::Report(options) => report::run(&options, lang),
        Command::Sql(options) => query::run(&options, lang),
        Command::Pack(options) => packs::run(&options, lang),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code())
        }
    }
}

/// The allocator gives pages back to the system as soon as they are free, and a run asks for as many again for its
/// next part; it is told to wait, for ever with `-1`. It takes its settings from the environment, and only when a
/// process starts: so this one starts again.
#[cfg(unix)]
fn keep_pages(milliseconds: &str, huge: &str) {
    use std::os::unix::process::CommandExt as _;
    const SETTING: &str = "MIMALLOC_PURGE_DELAY";
    const HUGE_PAGES: &str = "MIMALLOC_ALLOW_THP";
    if std::env::var_os(SETTING).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        // It only returns if it failed, and then the run is slower.
        let _ = std::process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(SETTING, milliseconds)
            .env(HUGE_PAGES, std::env::var_os(HUGE_PAGES).unwrap_or_else(|| huge.into()))
            .exec();
    }
}

#[cfg(not(unix))]
fn keep_pages(_: &str, _: &str) {}
