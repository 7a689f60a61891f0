//! The program of the office.

use std::process::ExitCode;

use clap::Parser as _;
use xiaokang::allocator::{self, FOR_EVER, Keep};
use xiaokang::arguments::{Arguments, Command};
use xiaokang::companion::Companion;
use xiaokang::console::ended;
use xiaokang::{acting, assess, calculate, demo, explain, import, migrate, packs, reassess, report, synth};

/// A run makes and drops columns of megabytes for every part; this allocator keeps their pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let lang = arguments.lang.0;
    match &arguments.command {
        Command::Assess(options) if !assess::is_elsewhere(options) => {
            allocator::keep_pages(allocator::of_run(options));
        }
        Command::Synth(_) => allocator::keep_pages(Keep { milliseconds: FOR_EVER, huge: "0" }),
        _ => {}
    }
    ended(match arguments.command {
        Command::Demo(options) => demo::run(&options, lang),
        Command::Import(options) => import::run(&options, lang),
        Command::Migrate(options) => migrate::run(&options, lang),
        Command::Assess(options) => assess::run(&options, lang),
        Command::Calculate(options) => calculate::run(&options),
        Command::Explain(options) => explain::run(&options, lang),
        Command::Reassess(options) => reassess::run(&options, lang),
        Command::Cluster(companion) => Companion::Cluster.run(lang, companion.arguments),
        Command::Synth(options) => synth::run(&options, lang),
        Command::Report(options) => report::run(&options, lang),
        Command::Sql(companion) => Companion::Sql.run(lang, companion.arguments),
        Command::Case(command) => acting::case::run(command, lang),
        Command::Fund(command) => acting::fund::run(command, lang),
        Command::Pay(command) => acting::pay::run(command, lang),
        Command::Log(command) => acting::log::run(command, lang),
        Command::Verify(options) => acting::log::verify(&options, lang),
        Command::Pack(options) => packs::run(&options, lang),
    })
}
